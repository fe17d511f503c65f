package stats

import (
	"fmt"
	"math"
)

// SwapGroup is a group of units by what two policies select. Labelled of its N
// units have an outcome, and Bad of these a bad one.
type SwapGroup struct {
	N, Labelled, Bad uint64
}

// SwapResult compares what two policies select.
type SwapResult struct {
	OldRate, NewRate float64   // share of bad outcomes among the labelled units that each selects
	OutRate, InRate  float64   // the same among those swapped out and in; NaN without a labelled one
	Difference       Interval  // NewRate less OldRate
	SE               float64   // of Difference
	Benefit          float64   // bad outcomes swapped out, less those swapped in
	BenefitSE        float64   // its standard error
	Unlabelled       uint64    // selected units without an outcome, by either
	Warnings         []Warning // excluded_values, small_sample
}

// SwapSet compares the units that an old and a new policy select, such as the
// applications that each approves: those that both select, those that only the old
// one does (swapped out), those that only the new one does (swapped in), and the
// number that neither does.
//
// The rates are ratios of bad outcomes over labelled units that are selected. The
// variance of their difference is that of its influence function,
// new (y - NewRate)/pNew - old (y - OldRate)/pOld, over all units with an outcome
// or selected by neither, pNew and pOld being the selected shares of these; the
// interval is normal. The standard error of Benefit is sqrt(o + i - (o-i)^2/N), with
// o and i the bad outcomes swapped out and in.
//
// Assumptions: units are independent, and those with an outcome are like those
// without. Outcomes of units that the old policy does not select often are not seen
// at all; a warning then says how many.
// Special cases: when a group that a policy selects has units and none with an
// outcome, the rate of the policy, the difference and Benefit are NaN, with the
// interval [-1,1] and an infinite SE. Small_sample says that.
// Errors: [ErrEmpty] when a policy selects nothing; [ErrDomain] for more labelled
// units than units, more bad ones than labelled ones, or level outside (0,1).
func SwapSet(both, oldOnly, newOnly SwapGroup, neither uint64, level float64) (SwapResult, error) {
	const fn = "SwapSet"
	if err := CheckLevel(level); err != nil {
		return SwapResult{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	for _, g := range []SwapGroup{both, oldOnly, newOnly} {
		if g.Bad > g.Labelled || g.Labelled > g.N || g.N > maxExact {
			return SwapResult{}, fmt.Errorf("stats: %s: %d bad of %d labelled of %d units: %w", fn, g.Bad, g.Labelled, g.N, ErrDomain)
		}
	}
	if both.N+oldOnly.N == 0 || both.N+newOnly.N == 0 {
		return SwapResult{}, fmt.Errorf("stats: %s: a policy selects nothing: %w", fn, ErrEmpty)
	}
	r := SwapResult{OutRate: float64(oldOnly.Bad) / float64(oldOnly.Labelled), InRate: float64(newOnly.Bad) / float64(newOnly.Labelled)}
	r.Unlabelled = both.N + oldOnly.N + newOnly.N - both.Labelled - oldOnly.Labelled - newOnly.Labelled
	rate := func(g, h SwapGroup) float64 {
		if g.N > 0 && g.Labelled == 0 || h.N > 0 && h.Labelled == 0 {
			return math.NaN()
		}
		return float64(g.Bad+h.Bad) / float64(g.Labelled+h.Labelled)
	}
	r.OldRate, r.NewRate = rate(both, oldOnly), rate(both, newOnly)
	if r.Unlabelled > 0 {
		r.Warnings = append(r.Warnings, Warning{WarnExcluded, fmt.Sprintf("%d selected units have no outcome; the rates rest on the others", r.Unlabelled)})
	}
	d := r.NewRate - r.OldRate
	if math.IsNaN(d) {
		nan := math.NaN()
		r.Difference, r.SE = Interval{nan, -1, 1, level}, math.Inf(1)
		r.Benefit, r.BenefitSE = nan, math.Inf(1)
		r.Warnings = append(r.Warnings, Warning{WarnSmallSample, "a group has units and none with an outcome; its rate is not known"})
		return r, nil
	}
	old, young := float64(both.Labelled+oldOnly.Labelled), float64(both.Labelled+newOnly.Labelled)
	var ss float64 // of the influences, each times the number of units
	add := func(g SwapGroup, inOld, inNew float64) {
		influence := func(y float64) float64 {
			return float64(inNew*(y-r.NewRate)/young) - float64(inOld*(y-r.OldRate)/old)
		}
		bad, good := influence(1), influence(0)
		ss += float64(float64(g.Bad)*bad*bad) + float64(float64(g.Labelled-g.Bad)*good*good)
	}
	add(both, 1, 1)
	add(oldOnly, 1, 0)
	add(newOnly, 0, 1)
	r.SE = math.Sqrt(ss)
	reach := float64(twoSidedZ(level) * r.SE)
	r.Difference = Interval{d, max(-1, d-reach), min(1, d+reach), level}
	o, i := float64(oldOnly.Bad), float64(newOnly.Bad)
	n := float64(both.Labelled+oldOnly.Labelled+newOnly.Labelled) + float64(neither)
	r.Benefit, r.BenefitSE = o-i, math.Sqrt(max(0, o+i-float64((o-i)*(o-i))/n))
	return r, nil
}
