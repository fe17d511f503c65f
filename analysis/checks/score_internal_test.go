package checks

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/rampguard/rampguard/analysis"
)

// TestFewEventsInASmallArm: an arm of a hundredth of the traffic that meets few
// events, or many, by accident proves nothing more often than the error allows, at
// the look where bounds are tightest. The probabilities are exact sums over the
// Poisson law of its events; the other arm has so many that they are as expected.
// (With the standard error at the estimate alone, few events proved a change with
// more than seven times the error.)
func TestFewEventsInASmallArm(t *testing.T) {
	const rate, times = 0.001, 99.0
	for _, alpha := range []float64{0.05, 0.01, 0.001, 1e-4} {
		for _, mean := range []float64{10, 20, 50, 200} {
			n := mean / rate
			few, many := 0.0, 0.0
			law := distuv.Poisson{Lambda: mean}
			for x := range int(mean + 12*math.Sqrt(mean) + 12) {
				small := shareOf(uint64(x), uint64(n), 1)
				large := shareOf(uint64(mean*times), uint64(n*times), 1)
				p, ok := newPair(rampEvidence(1), ruler{looks: 1, planned: 4 * n * times / (1 + times)},
					[]armPair{{base: large, cand: small, okBase: true, okCand: true, split: analysis.Split{Baseline: times, Candidate: 1}}})
				if !ok {
					t.Fatalf("%d events: no pair", x)
				}
				d, r := p.difference(alpha), p.ratio(alpha)
				if d.hi < 0 || r.hi < 1 {
					few += law.Prob(float64(x))
				}
				if d.lo > 0 || r.lo > 1 {
					many += law.Prob(float64(x))
				}
			}
			if few > alpha || many > alpha {
				t.Errorf("error %v, %v events expected: proven by few with probability %.2g, by many with %.2g", alpha, mean, few, many)
			}
		}
	}
}
