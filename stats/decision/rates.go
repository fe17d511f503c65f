package decision

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// scores are the cells of a histogram.
type scores struct {
	cells  []summary.Cell
	n      uint64
	lo, hi float64 // the smallest and the greatest score
	edges  bool    // frozen edges, whose cells hold their lower end
}

func scoresOf(h *summary.Histogram) scores {
	return scores{cells: h.Cells(), n: h.N(), lo: h.Min(), hi: h.Max(), edges: h.Layout().Kind() == summary.FrozenEdges}
}

// above is how many scores are at or above a cut: certainly, possibly, and if those
// of a cell were spread evenly.
func (s scores) above(cut float64) (least, most uint64, value float64) {
	switch {
	case cut <= s.lo:
		return s.n, s.n, float64(s.n)
	case cut > s.hi:
		return 0, 0, 0
	}
	part := 0.0
	for _, c := range s.cells {
		switch {
		case c.Lo == c.Hi || c.Var == 0:
			if c.Mean >= cut {
				least, most = least+c.N, most+c.N
			}
		case c.Lo >= cut:
			least, most = least+c.N, most+c.N
		case c.Hi < cut || (c.Hi == cut && (s.edges || c.Lo >= 0)):
		default:
			most += c.N
			lo, hi := max(c.Lo, s.lo), min(c.Hi, s.hi)
			part = 1
			if hi > lo {
				part = min(max((hi-cut)/(hi-lo), 0), 1)
			}
			value = float64(part * float64(c.N))
		}
	}
	return least, most, float64(least) + value
}

// rate is above as shares.
func (s scores) rate(cut float64) summary.Located {
	least, most, value := s.above(cut)
	n := float64(s.n)
	return summary.Located{Value: value / n, Lo: float64(least) / n, Hi: float64(most) / n}
}

// AtLeast returns the share of the scores that are at or above a cut.
//
// Inside a cell the scores are taken as spread evenly; the bounds hold whatever
// they are. Values outside the cells of h (missing, infinite) do not count.
//
// Errors: [stats.ErrEmpty] without scores; [stats.ErrDomain] for a cut that is NaN.
// Cost: linear in the populated cells.
func AtLeast(h *summary.Histogram, cut float64) (summary.Located, error) {
	if err := checkScores("AtLeast", h, cut); err != nil {
		return summary.Located{}, err
	}
	return scoresOf(h).rate(cut), nil
}

// Mix returns the share of each of the len(cuts)+1 actions that the cuts make of
// the scores. The values add up to 1.
//
// Special cases: without cuts there is one action, with share 1.
// Errors: [stats.ErrEmpty] without scores; [stats.ErrDomain] for cuts that do not
// fall strictly, or are NaN. Cost: cuts times populated cells.
func Mix(h *summary.Histogram, cuts []float64) ([]summary.Located, error) {
	if err := checkScores("Mix", h, cuts...); err != nil {
		return nil, err
	}
	for i := 1; i < len(cuts); i++ {
		if cuts[i] >= cuts[i-1] {
			return nil, fmt.Errorf("decision: Mix: cut %v follows %v; list the highest first: %w", cuts[i], cuts[i-1], stats.ErrDomain)
		}
	}
	s := scoresOf(h)
	out := make([]summary.Located, 0, len(cuts)+1)
	before := summary.Located{}
	for i := range len(cuts) + 1 {
		at := summary.Located{Value: 1, Lo: 1, Hi: 1}
		if i < len(cuts) {
			at = s.rate(cuts[i])
		}
		out = append(out, summary.Located{
			Value: max(0, at.Value-before.Value),
			Lo:    max(0, at.Lo-before.Hi),
			Hi:    max(0, at.Hi-before.Lo),
		})
		before = at
	}
	return out, nil
}

// CutSensitivity says how the volume of an action depends on its cut.
type CutSensitivity struct {
	Cut, By  float64
	At       summary.Located // share at or above Cut
	Lower    summary.Located // share at or above Cut - By
	Higher   summary.Located // share at or above Cut + By
	Relative float64         // (Lower - Higher) / (2 At): relative change of the volume for a move by By
}

// Sensitivity returns the share of the scores at or above a cut, and what it would
// be if the cut stood lower or higher by a step. A volume that changes much means
// that small differences between two models show as many changed actions.
//
// Special cases: Relative is 0 where no score is at or above the cut and the step
// changes nothing, and infinite where only the step brings some.
// Errors: [stats.ErrEmpty] without scores; [stats.ErrDomain] for a NaN, or a step
// that is not above 0. Cost: linear in the populated cells.
func Sensitivity(h *summary.Histogram, cut, by float64) (CutSensitivity, error) {
	if err := checkScores("Sensitivity", h, cut, by); err != nil {
		return CutSensitivity{}, err
	}
	if !(by > 0) || math.IsInf(by, 1) {
		return CutSensitivity{}, fmt.Errorf("decision: Sensitivity: step %v: %w", by, stats.ErrDomain)
	}
	s := scoresOf(h)
	out := CutSensitivity{Cut: cut, By: by, At: s.rate(cut), Lower: s.rate(cut - by), Higher: s.rate(cut + by)}
	if d := out.Lower.Value - out.Higher.Value; d > 0 {
		out.Relative = d / (2 * out.At.Value)
	}
	return out, nil
}

func checkScores(fn string, h *summary.Histogram, numbers ...float64) error {
	for _, x := range numbers {
		if math.IsNaN(x) {
			return fmt.Errorf("decision: %s: a cut or step is NaN: %w", fn, stats.ErrDomain)
		}
	}
	if h == nil || h.N() == 0 {
		return fmt.Errorf("decision: %s: no scores: %w", fn, stats.ErrEmpty)
	}
	return nil
}
