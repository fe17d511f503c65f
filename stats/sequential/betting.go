package sequential

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// Hedged tests the mean of bounded values by betting on each of them, in order.
// It is tighter than [Bernstein] but needs the values themselves and can not be
// merged or reordered.
//
// Values are mapped to [0,1]. With mu_t = (1/2 + sum x)/(t+1), var_t = (1/4 +
// sum (x_i - mu_i)^2)/(t+1) and lambda_t = sqrt(2 ln(2/a)/(t ln(1+t) var_{t-1})),
// a the design level, the capital of the bets on a mean above and below m is
//
//	K+ = prod(1 + min(lambda_t, 1/(2m)) (x_t - m))
//	K- = prod(1 - min(lambda_t, 1/(2(1-m))) (x_t - m))
//
// log E is ln K+ for Greater, ln K- for Less and ln((K+ + K-)/2) two-sided. K+
// falls and K- rises in m, so the confidence sequence has two ends found
// numerically; two-sided it takes alpha/2 on each side.
//
// Assumptions: all values lie in the range; given the past each has the same
// mean.
//
// Special cases: at m equal to an end of the range the bet on that side is not
// limited by m.
//
// Errors: [stats.ErrEmpty] without values, [stats.ErrDomain] for values or a
// null outside the range and for impossible options.
//
// Cost: O(n), times about 15 for each end of the interval.
//
// Reference: Waudby-Smith and Ramdas, "Estimating means of bounded random
// variables by betting", JRSS B 86 (2024), section 4.
func Hedged(x []float64, o BoundedOptions) (Result, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Result{}, fmt.Errorf("sequential: Hedged: %w", err)
	}
	if len(x) == 0 {
		return Result{}, fmt.Errorf("sequential: Hedged: no values: %w", stats.ErrEmpty)
	}
	if o.Null < o.Min || o.Null > o.Max {
		return Result{}, fmt.Errorf("sequential: Hedged: null %v outside [%v, %v]: %w", o.Null, o.Min, o.Max, stats.ErrDomain)
	}
	w := o.Max - o.Min
	unit, bets := make([]float64, len(x)), make([]float64, len(x))
	sum, dev := 0.0, 0.25
	for i, v := range x {
		if !(v >= o.Min && v <= o.Max) {
			return Result{}, fmt.Errorf("sequential: Hedged: value %d is %v, outside [%v, %v]: %w", i, v, o.Min, o.Max, stats.ErrDomain)
		}
		t := float64(i + 1)
		u := (v - o.Min) / w
		bets[i] = math.Sqrt(2 * Threshold(o.DesignAlpha/2) / (t * math.Log1p(t) * (dev / t)))
		sum += u
		d := u - (0.5+sum)/(t+1)
		dev += float64(d * d)
		unit[i] = u
	}
	// capital bets on values above m; the bet below m is the mirror image.
	capital := func(m float64, mirror bool) float64 {
		logK := 0.0
		for i, u := range unit {
			if mirror {
				u = 1 - u
			}
			logK += math.Log1p(math.Min(bets[i], 1/(2*m)) * (u - m))
		}
		return logK
	}
	m := (o.Null - o.Min) / w
	up, down := capital(m, false), capital(1-m, true)
	r := Result{
		Method:     "hedged betting, " + o.Alternative.String(),
		Estimate:   stats.Interval{Point: o.Min + float64(w*(sum/float64(len(x)))), Lo: o.Min, Hi: o.Max, Level: o.Level},
		NCandidate: uint64(len(x)),
	}
	room := Threshold(1 - o.Level)
	switch o.Alternative {
	case stats.Greater:
		r.LogE = up
	case stats.Less:
		r.LogE = down
	default:
		r.LogE = logSumExp([]float64{up, down}) - math.Ln2
		room += math.Ln2
	}
	if f := func(m float64) float64 { return capital(m, false) - room }; o.Alternative != stats.Less && f(0) > 0 {
		r.Estimate.Lo = o.Min + float64(w*zero(0, 1, f))
	}
	if f := func(m float64) float64 { return capital(m, true) - room }; o.Alternative != stats.Greater && f(0) > 0 {
		r.Estimate.Hi = o.Max - float64(w*zero(0, 1, f))
	}
	return r, nil
}
