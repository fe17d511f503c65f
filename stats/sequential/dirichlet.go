package sequential

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/internal/special"
)

// DirichletLogE is the log e-value of cell counts against fixed cell
// probabilities, with a Dirichlet prior on the alternative:
//
//	lgamma(A) - lgamma(A+n) + sum_i [lgamma(a_i+n_i) - lgamma(a_i) - n_i log t_i],  A = sum a_i.
//
// It is the building block of [SRM] with the prior left to the caller; the prior
// must be fixed before the data. Special cases: no counts give 0.
//
// Errors: [stats.ErrMismatch] for different lengths, [stats.ErrEmpty] without
// cells, [stats.ErrDomain] unless every probability is in (0,1], they sum to 1
// within 1e-9, and every prior parameter is positive and finite.
//
// Reference: Lindon and Malek, NeurIPS 2022.
func DirichletLogE(counts []uint64, probs, prior []float64) (float64, error) {
	if len(counts) != len(probs) || len(counts) != len(prior) {
		return 0, fmt.Errorf("sequential: DirichletLogE: %d counts, %d probabilities, %d prior parameters: %w",
			len(counts), len(probs), len(prior), stats.ErrMismatch)
	}
	if len(counts) == 0 {
		return 0, fmt.Errorf("sequential: DirichletLogE: no cells: %w", stats.ErrEmpty)
	}
	sum := 0.0
	for i, t := range probs {
		if !(t > 0 && t <= 1) || !(prior[i] > 0) || math.IsInf(prior[i], 0) {
			return 0, fmt.Errorf("sequential: DirichletLogE: cell %d has probability %v and prior %v: %w", i, t, prior[i], stats.ErrDomain)
		}
		sum += t
	}
	if math.Abs(sum-1) > 1e-9 {
		return 0, fmt.Errorf("sequential: DirichletLogE: probabilities sum to %v: %w", sum, stats.ErrDomain)
	}
	return dirichletLogE(asFloats(counts), probs, prior), nil
}

// dirichletLogE is DirichletLogE without checks; cells of probability 0 are left
// out. With Stirling's formula lgamma(x) = (x-1/2) log x - x + log(2 pi)/2 + R(x)
// and q_i = (a_i+n_i)/(A+n), the large terms collect into
//
//	(A+n) KL(q||t) - A KL(a/A||t) - (1/2)[sum log(1+n_i/a_i) - log(1+n/A)] + R terms,
//
// so nothing of the size of lgamma(n) is ever subtracted.
func dirichletLogE(counts, probs, prior []float64) float64 {
	var n, a float64
	for i, t := range probs {
		if t > 0 {
			n += counts[i]
			a += prior[i]
		}
	}
	if n == 0 {
		return 0
	}
	logE := math.Log1p(n/a)/2 - (special.StirlingError(a+n) - special.StirlingError(a))
	for i, t := range probs {
		if t == 0 {
			continue
		}
		c, p := counts[i], prior[i]
		// The deviations (q-t)/t and (a/A-t)/t, each term being >= 0.
		post := (c - float64(n*t) + p - float64(a*t)) / float64((a+n)*t)
		pre := (p - float64(a*t)) / float64(a*t)
		logE += float64((a+n)*t*excess(post)) - float64(a*t*excess(pre))
		logE += special.StirlingError(p+c) - special.StirlingError(p) - log1pRatio(c, p)/2
	}
	return logE
}

// log1pRatio is log(1+c/p), also where c/p overflows, as it does for 1e11
// successes against a rate of 1e-300.
func log1pRatio(c, p float64) float64 {
	if r := c / p; !math.IsInf(r, 1) {
		return math.Log1p(r)
	}
	return math.Log(c) - math.Log(p)
}

func asFloats(counts []uint64) []float64 {
	out := make([]float64, len(counts))
	for i, n := range counts {
		out[i] = float64(n)
	}
	return out
}

// excess is (1+u) log(1+u) - u for u >= -1, accurate near 0 where it is u*u/2.
func excess(u float64) float64 {
	if u <= -1 {
		return 1
	}
	if math.Abs(u) > 0.1 {
		return float64((1+u)*math.Log1p(u)) - u
	}
	sum, pow := 0.0, u
	for k := 2.0; k < 24; k++ {
		pow *= -u
		sum -= pow / (k * (k - 1))
	}
	return sum
}
