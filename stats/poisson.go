package stats

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats/internal/special"
)

// PoissonRate returns the exact (Garwood) interval for the rate of a Poisson
// process from the number of events seen over an exposure (time, requests).
//
// Point is events/exposure. Lo and Hi are the rates at which that many events or
// more, or that many or fewer, have probability (1-level)/2; they are chi-square
// quantiles with 2 events and 2 events + 2 degrees of freedom, over twice the
// exposure. Coverage is at least level.
//
// Special cases: 0 events have Lo 0.
// Errors: [ErrDomain] for an exposure that is not positive and finite, or level
// outside (0,1). Cost: constant.
//
// Reference: Garwood (1936), Biometrika 28, 437-442.
func PoissonRate(events uint64, exposure, level float64) (Interval, error) {
	const fn = "PoissonRate"
	if !(exposure > 0) || math.IsInf(exposure, 1) {
		return Interval{}, fmt.Errorf("stats: %s: exposure %v: %w", fn, exposure, ErrDomain)
	}
	if err := CheckLevel(level); err != nil {
		return Interval{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	x := float64(events)
	logTail := math.Log((1 - level) / 2)
	v := Interval{Point: x / exposure, Level: level}
	var err error
	if events > 0 {
		// P(Poisson(m) >= x) = P(x, m), the lower incomplete gamma function.
		f := func(m float64) float64 { return special.LogGammaP(x, m) - logTail }
		if v.Lo, err = rootBetween(f, 0, x+1); err != nil {
			return Interval{}, fmt.Errorf("stats: %s: %d events: %w", fn, events, err)
		}
	}
	g := func(m float64) float64 { return logTail - special.LogGammaQ(x+1, m) }
	hi := x + 10
	for g(hi) < 0 {
		hi *= 2
	}
	if v.Hi, err = rootBetween(g, 0, hi); err != nil {
		return Interval{}, fmt.Errorf("stats: %s: %d events: %w", fn, events, err)
	}
	v.Lo /= exposure
	v.Hi /= exposure
	return v, nil
}

// RateComparison compares two Poisson rates.
type RateComparison struct {
	Estimate             Interval // of rate1/rate2
	X1, X2               uint64   // events
	Exposure1, Exposure2 float64  // time or units under observation
	P                    float64  // exact two-sided p-value of equal rates, as in R's poisson.test
	LogP                 float64  // its log
	Method               string
}

// RateRatio compares two Poisson rates by their ratio, exactly.
//
// Given the total of events, x1 is binomial with probability
// R t1/(R t1 + t2), so the Clopper-Pearson interval of that probability maps to
// an exact interval of R = rate1/rate2, and the exact binomial test of
// t1/(t1+t2) tests R = 1. Coverage is at least level.
//
// Special cases: x1 = 0 has Point 0 and Lo 0; x2 = 0 has Point and Hi +Inf.
// Errors: [ErrEmpty] for no events at all; [ErrDomain] for an exposure that is not
// positive and finite, or level outside (0,1).
// Cost: about 20 sqrt(x1+x2) steps.
//
// Reference: Przyborowski & Wilenski (1940), Biometrika 31, 313-323.
func RateRatio(x1 uint64, exposure1 float64, x2 uint64, exposure2, level float64) (RateComparison, error) {
	const fn = "RateRatio"
	for _, t := range []float64{exposure1, exposure2} {
		if !(t > 0) || math.IsInf(t, 1) {
			return RateComparison{}, fmt.Errorf("stats: %s: exposure %v: %w", fn, t, ErrDomain)
		}
	}
	n, err := sumCounts([]uint64{x1, x2})
	if err != nil {
		return RateComparison{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	if n == 0 {
		return RateComparison{}, fmt.Errorf("stats: %s: no events: %w", fn, ErrEmpty)
	}
	if err := CheckLevel(level); err != nil {
		return RateComparison{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	test, err := BinomialTest(x1, n, exposure1/(exposure1+exposure2), ExactOptions{})
	if err != nil {
		return RateComparison{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	logTail := math.Log((1 - level) / 2)
	v := Interval{
		Point: float64(x1) / exposure1 / (float64(x2) / exposure2),
		Hi:    math.Inf(1),
		Level: level,
	}
	scale := exposure2 / exposure1
	if x1 > 0 {
		p, q, err := betaQuantile(logTail, float64(x1), float64(x2)+1)
		if err != nil {
			return RateComparison{}, fmt.Errorf("stats: %s: %d and %d events: %w", fn, x1, x2, err)
		}
		v.Lo = p / q * scale
	}
	if x2 > 0 {
		q, p, err := betaQuantile(logTail, float64(x2), float64(x1)+1)
		if err != nil {
			return RateComparison{}, fmt.Errorf("stats: %s: %d and %d events: %w", fn, x1, x2, err)
		}
		v.Hi = p / q * scale
	}
	return RateComparison{
		Estimate: v, X1: x1, X2: x2, Exposure1: exposure1, Exposure2: exposure2,
		P: test.P, LogP: test.LogP,
		Method: "exact conditional rate ratio",
	}, nil
}
