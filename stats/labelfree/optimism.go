package labelfree

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// Optimism is by how much [Reference.Expect] is too high for the very rows that the
// reference was learned from: the metric expected of its labelled rows less the metric
// by their labels. A map learned from the rows that it is then used on follows their
// noise. For accuracy it is never negative, since the isotonic regression is the
// greatest convex minorant of the labels added up: it moves positive labels above any
// threshold, and none below. Of 250 rows it is some 2 points, of 2000 some 0.3.
//
// Subtract it from Expect of a log that holds these rows, before comparing that with
// what another reference says of other rows. It is the correction of a difference
// estimator (Särndal, Swensson and Wretman 1992, section 6.3).
//
// Special cases: scores that are used as they are were not learned, and have none; nor
// has a metric without rows to divide by. Errors: [stats.ErrDomain] for a threshold
// outside [0,1] and an unknown metric. Cost: linear in the cells.
func (r *Reference) Optimism(m Metric, threshold float64) (float64, error) {
	if m < Accuracy || m > PositiveRate {
		return 0, fmt.Errorf("labelfree: Optimism: %v: %w", m, stats.ErrDomain)
	}
	if m.thresholded() && !(threshold >= 0 && threshold <= 1) {
		return 0, fmt.Errorf("labelfree: Optimism: threshold %v is not in [0,1]: %w", threshold, stats.ErrDomain)
	}
	if !r.calibrated {
		return 0, nil
	}
	expected, seen := make([]stack, len(r.knots)), make([]stack, len(r.knots))
	for i, k := range r.knots {
		n := k.neg + k.pos
		above := m.thresholded() && (k.lo >= threshold || k.score >= threshold)
		expected[i] = stack{n: n, p: r.blocks[k.block].rate, above: above}
		seen[i] = stack{n: n, p: k.pos / n, above: above}
	}
	e, base := estimate(m, expected)
	s, other := estimate(m, seen)
	if !(base > 0) || !(other > 0) {
		return 0, nil
	}
	return e - s, nil
}
