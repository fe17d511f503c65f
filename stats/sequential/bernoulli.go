package sequential

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/internal/special"
)

// BernoulliOptions configures [Bernoulli]. All fields but Level tune the process
// and must be frozen before the data.
type BernoulliOptions struct {
	// Null is the rate at the edge of the null, in (0,1). The default 0 asks for
	// the confidence sequence alone, with LogE = 0.
	Null float64
	// Alternative Greater tests H0: p <= Null, Less H0: p >= Null, and the
	// default Different H0: p = Null.
	Alternative stats.Alternative
	// Level of the confidence sequence, in (0,1); default 0.95.
	Level float64
	// Planned is the number of trials at which the sequence should be tightest;
	// default 1000.
	Planned float64
	// DesignAlpha is the error level Planned is optimised for; default 0.05.
	DesignAlpha float64
}

// Bernoulli tests one rate at any number of looks and gives its confidence
// sequence, exactly, from x successes in n trials.
//
// The e-value against the rate p mixes the likelihood over a Beta(k p, k (1-p))
// prior on the alternative rate, cut off at p when one-sided:
//
//	log E(p) = ln B(k p + x, k(1-p) + n-x) - ln B(k p, k(1-p)) - x ln p - (n-x) ln(1-p)
//	           [ + ln P(q > p | x) - ln P(q > p) ]
//
// with k = Planned/c - 1 (at least 0.001) and c the denominator of
// [NormalScale]. The confidence sequence holds the rates with
// E(p) < 1/(1-Level), one-sided for a one-sided alternative.
//
// Assumptions: given the past every trial has the same success rate. It depends
// on cumulative counts only, so shards add in any order.
//
// Special cases: n = 0 gives LogE = 0 and the interval [0,1] around 1/2.
//
// Errors: [stats.ErrDomain] for more successes than trials and for impossible
// options.
//
// Cost: about 30 evaluations of E.
//
// Reference: Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform,
// nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49
// (2021), propositions 7 and 8.
func Bernoulli(successes, n uint64, o BernoulliOptions) (Result, error) {
	o.Level = defaultTo(o.Level, 0.95)
	k, err := o.concentration(successes, n)
	if err != nil {
		return Result{}, fmt.Errorf("sequential: Bernoulli: %w", err)
	}
	r := Result{
		Method:     "beta-binomial mixture, " + o.Alternative.String(),
		Estimate:   stats.Interval{Point: 0.5, Lo: 0, Hi: 1, Level: o.Level},
		NCandidate: n,
	}
	if n == 0 {
		return r, nil
	}
	x, m := float64(successes), float64(n)
	if o.Null > 0 {
		r.LogE = betaLogE(x, m, o.Null, k, o.Alternative)
	}
	room := Threshold(1 - o.Level)
	r.Estimate.Point = x / m
	f := func(p float64) float64 {
		if p == r.Estimate.Point {
			return -room // no mixture is likelier than the observed rate
		}
		return betaLogE(x, m, p, k, o.Alternative) - room
	}
	// With few successes or failures E stays below the threshold up to the end
	// of the unit interval.
	const lowest, highest = 1e-300, 1 - 1.0/(1<<53)
	if o.Alternative != stats.Less && successes > 0 && f(lowest) > 0 {
		r.Estimate.Lo = zero(lowest, r.Estimate.Point, f)
	}
	if o.Alternative != stats.Greater && successes < n && f(highest) > 0 {
		r.Estimate.Hi = zero(r.Estimate.Point, highest, f)
	}
	return r, nil
}

// BernoulliLogE is the LogE of [Bernoulli] by itself, at a thirtieth of the cost:
// for those who look for the counts at which it crosses a threshold. Special cases
// and errors are those of Bernoulli; Level is not used.
func BernoulliLogE(successes, n uint64, o BernoulliOptions) (float64, error) {
	o.Level = 0.95
	k, err := o.concentration(successes, n)
	switch {
	case err != nil:
		return 0, fmt.Errorf("sequential: BernoulliLogE: %w", err)
	case n == 0 || o.Null == 0:
		return 0, nil
	}
	return betaLogE(float64(successes), float64(n), o.Null, k, o.Alternative), nil
}

// concentration checks the arguments of [Bernoulli] and returns its k.
func (o BernoulliOptions) concentration(successes, n uint64) (float64, error) {
	k, err := betaConcentration(defaultTo(o.Planned, 1000), defaultTo(o.DesignAlpha, 0.05), o.Alternative)
	if err == nil {
		err = stats.CheckLevel(o.Level)
	}
	if err != nil {
		return 0, err
	}
	if successes > n || !(o.Null >= 0 && o.Null < 1) || o.Alternative < stats.Less || o.Alternative > stats.Greater {
		return 0, fmt.Errorf("%d successes of %d trials, null %v, alternative %v: %w", successes, n, o.Null, o.Alternative, stats.ErrDomain)
	}
	return k, nil
}

// betaConcentration is k of [Bernoulli].
func betaConcentration(planned, alpha float64, alt stats.Alternative) (float64, error) {
	r, err := NormalScale(planned, alpha, alt)
	return math.Max(r-1, 1e-3), err
}

// betaLogE is the log e-value of x successes in n trials against the rate p. At
// p = 0 and p = 1, where any contrary observation refutes p, it is +Inf.
func betaLogE(x, n, p, k float64, alt stats.Alternative) float64 {
	a, b := float64(k*p), float64(k*(1-p))
	if !(a > 0) || !(b > 0) {
		return math.Inf(1)
	}
	logE := dirichletLogE([]float64{x, n - x}, []float64{p, 1 - p}, []float64{a, b})
	switch alt {
	case stats.Greater:
		logE += special.LogBetaI(b+n-x, a+x, 1-p, p) - special.LogBetaI(b, a, 1-p, p)
	case stats.Less:
		logE += special.LogBetaI(a+x, b+n-x, p, 1-p) - special.LogBetaI(a, b, p, 1-p)
	}
	return logE
}
