package sequential

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// BlockLook holds the new units of one look: those since the look before.
type BlockLook struct {
	NBaseline  uint64 `json:"n_baseline"`
	YBaseline  uint64 `json:"y_baseline"` // units with the event
	NCandidate uint64 `json:"n_candidate"`
	YCandidate uint64 `json:"y_candidate"`
}

// Validate returns an error that wraps [stats.ErrDomain] when there are more
// events than units.
func (b BlockLook) Validate() error {
	if b.YBaseline > b.NBaseline || b.YCandidate > b.NCandidate {
		return fmt.Errorf("%d events of %d units and %d of %d: %w", b.YBaseline, b.NBaseline, b.YCandidate, b.NCandidate, stats.ErrDomain)
	}
	return nil
}

// BlockOptions configures [Block].
type BlockOptions struct {
	// Alternative Greater tests H0: pB <= pA, Less H0: pB >= pA, and the default
	// Different H0: pB = pA, with B the candidate.
	Alternative stats.Alternative
	// Prior is the pseudo-count g that is added to the events and to the
	// non-events of each arm, > 0; default 0.18. Frozen before the data.
	Prior float64
}

// Block tests, at any number of looks, whether two proportions differ. It is
// exact for every base rate, common ones included.
//
// A look brings (nA, yA) and (nB, yB). The plug-in rates come from earlier looks
// only, p = (S+g)/(N+2g) in each arm, and p0 = (nA pA + nB pB)/(nA+nB):
//
//	log E += yA ln(pA/p0) + (nA-yA) ln((1-pA)/(1-p0)) + yB ln(pB/p0) + (nB-yB) ln((1-pB)/(1-p0))
//
// p0 is the point of the null closest to the plug-in alternative in
// Kullback-Leibler divergence, which makes each factor an e-value given the
// past. One-sided tests leave out the looks whose plug-in lies in the null.
//
// The first look only teaches the rates and adds nothing. The value depends on
// where the looks are, so keep the looks in a [Ledger]; the number of units of a
// look may depend on anything but its outcomes. Rates may drift over time as
// long as both arms drift alike.
//
// Special cases: a look without units in one arm adds nothing, since p0 is then
// the plug-in itself. The estimate is the pooled difference without an
// interval (Level 0).
//
// Errors: [stats.ErrEmpty] without looks, [stats.ErrDomain] for more events than
// units or impossible options.
//
// Cost: O(looks).
//
// Reference: Turner, Ly and Grunwald, "Generic E-variables for exact sequential
// k-sample tests that allow for optional stopping", Journal of Statistical
// Planning and Inference 230 (2024).
func Block(looks []BlockLook, o BlockOptions) (Result, error) {
	g := defaultTo(o.Prior, 0.18)
	if !(g > 0) || math.IsInf(g, 0) || o.Alternative < stats.Less || o.Alternative > stats.Greater {
		return Result{}, fmt.Errorf("sequential: Block: prior %v, alternative %v: %w", o.Prior, o.Alternative, stats.ErrDomain)
	}
	if len(looks) == 0 {
		return Result{}, fmt.Errorf("sequential: Block: no looks: %w", stats.ErrEmpty)
	}
	r := Result{Method: "block e-variable for two proportions, " + o.Alternative.String()}
	var na, sa, nb, sb float64
	for i, b := range looks {
		if err := b.Validate(); err != nil {
			return Result{}, fmt.Errorf("sequential: Block: look %d: %w", i, err)
		}
		pa, pb := (sa+g)/(na+2*g), (sb+g)/(nb+2*g)
		ma, ya := float64(b.NBaseline), float64(b.YBaseline)
		mb, yb := float64(b.NCandidate), float64(b.YCandidate)
		if ma > 0 && mb > 0 && inAlternative(pb-pa, o.Alternative) {
			p0 := (float64(ma*pa) + float64(mb*pb)) / (ma + mb)
			r.LogE += float64(ya*math.Log1p((pa-p0)/p0)) + float64((ma-ya)*math.Log1p((p0-pa)/(1-p0)))
			r.LogE += float64(yb*math.Log1p((pb-p0)/p0)) + float64((mb-yb)*math.Log1p((p0-pb)/(1-p0)))
		}
		na, sa, nb, sb = na+ma, sa+ya, nb+mb, sb+yb
		r.NBaseline += b.NBaseline
		r.NCandidate += b.NCandidate
	}
	r.Estimate = stats.Interval{Lo: math.Inf(-1), Hi: math.Inf(1)}
	if na > 0 && nb > 0 {
		r.Estimate.Point = sb/nb - sa/na
	}
	return r, nil
}

func inAlternative(d float64, alt stats.Alternative) bool {
	return alt == stats.Different || float64(alt)*d > 0
}
