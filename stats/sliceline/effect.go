package sliceline

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// DivergenceT measures how far the rate of positives in a slice is from that in
// all rows, in standard deviations of the two posteriors:
//
//	t = |m1 - m2| / sqrt(v1 + v2)
//
// with m and v the mean and the variance of Beta(1 + positives, 1 + n - positives).
//
// Assumptions: none of the two is certain; the slice is part of all rows, which t
// does not account for, so that it errs on the low side. A value is for ranking, not
// a test: it knows nothing of how many slices were tried.
// Special cases: no rows at all have the posterior of nothing known, Beta(1,1).
// Errors: [stats.ErrDomain] for more positives than rows.
//
// Reference: Pastor, de Alfaro and Baralis, SIGMOD 2021.
func DivergenceT(positives, n, allPositives, all uint64) (float64, error) {
	if positives > n || allPositives > all {
		return 0, fmt.Errorf("sliceline: DivergenceT: %d positives of %d rows, %d of %d: %w", positives, n, allPositives, all, stats.ErrDomain)
	}
	m1, v1 := posterior(positives, n)
	m2, v2 := posterior(allPositives, all)
	return math.Abs(m1-m2) / math.Sqrt(v1+v2), nil
}

// posterior is the mean and the variance of a rate under a uniform prior.
func posterior(x, n uint64) (mean, variance float64) {
	total := float64(n) + 2
	mean = (float64(x) + 1) / total
	return mean, mean * (1 - mean) / (total + 1)
}

// EffectSize is the difference of the mean errors of a slice and of the rest in
// units of their pooled standard deviation:
//
//	d = sqrt(2) (mean - rest) / sqrt(variance + restVariance)
//
// Special cases: without any variance d is 0 for equal means and infinite for
// others. Errors: [stats.ErrDomain] for a negative variance, and for numbers that
// are not finite.
//
// Reference: Chung et al., IEEE Transactions on Knowledge and Data Engineering 32
// (2020).
func EffectSize(mean, variance, rest, restVariance float64) (float64, error) {
	v := variance + restVariance
	d := mean - rest
	if !(variance >= 0) || !(restVariance >= 0) || math.IsInf(v, 0) || math.IsNaN(d) || math.IsInf(d, 0) {
		return 0, fmt.Errorf("sliceline: EffectSize: means %v and %v, variances %v and %v: %w", mean, rest, variance, restVariance, stats.ErrDomain)
	}
	if d == 0 {
		return 0, nil
	}
	return math.Sqrt2 * d / math.Sqrt(v), nil
}
