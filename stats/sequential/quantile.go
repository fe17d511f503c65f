package sequential

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
	"gonum.org/v1/gonum/mathext"
)

// QuantileOptions configures [Quantile]. All fields but Level tune the process
// and must be frozen before the data.
type QuantileOptions struct {
	// Alternative Greater tests H0: the candidate's quantile is not above the
	// baseline's, Less that it is not below, and the default Different that they
	// are equal.
	Alternative stats.Alternative
	// Level of the confidence sequences of both quantiles, in (0,1); default
	// 0.95.
	Level float64
	// Planned is the number of units of an arm at which the test should be most
	// powerful; default 1000.
	Planned float64
	// DesignAlpha is the error level Planned is optimised for; default 0.05.
	DesignAlpha float64
}

// CellRange locates a quantile among cells.
type CellRange struct {
	Cell   int // of the empirical quantile
	Lo, Hi int // first and last cell of its confidence sequence
}

// QuantileResult is the answer of [Quantile].
type QuantileResult struct {
	Method     string
	LogE       float64
	Baseline   CellRange
	Candidate  CellRange
	Level      float64 // of each of the two ranges
	NBaseline  uint64
	NCandidate uint64
}

// Quantile compares the q-quantiles of two binned distributions at any number of
// looks, without assumptions about their shape.
//
// If x is the q-quantile of an arm, the units at or below x behave like
// successes of rate q, and [Bernoulli] gives an e-value E(x) against x. Were the
// quantiles equal there would be an x with both E_A(x) and E_B(x) small, so
//
//	log E = min over x of ln E_A(x) + ln E_B(x)
//
// is the log of an e-value. One-sided, E_A tests that fewer than q of the
// baseline lie below x and E_B that at least q of the candidate lie at or below
// x. Inside a cell, and at a value that repeats, the count that speaks least
// against the null is taken: wide cells cost power and nothing else.
//
// The cells of both arms must be the same, in order, and cover all values; a
// cell per distinct value gives the unbinned test. The confidence sequence of
// each quantile is a range of cells.
//
// Assumptions: the units of an arm are independent with one distribution; the
// arms are independent.
//
// Errors: [stats.ErrEmpty] without cells or without units in an arm,
// [stats.ErrMismatch] for different cells, [stats.ErrDomain] for q outside (0,1)
// and impossible options.
//
// Cost: O(cells).
//
// Reference: Howard and Ramdas, "Sequential estimation of quantiles with
// applications to A/B testing and best-arm identification", Bernoulli 28 (2022),
// section 5.
func Quantile(baseline, candidate []uint64, q float64, o QuantileOptions) (QuantileResult, error) {
	o.Level = defaultTo(o.Level, 0.95)
	k, err := betaConcentration(defaultTo(o.Planned, 1000), defaultTo(o.DesignAlpha, 0.05), o.Alternative)
	if err == nil {
		err = stats.CheckLevel(o.Level)
	}
	if err != nil {
		return QuantileResult{}, fmt.Errorf("sequential: Quantile: %w", err)
	}
	if !(q > 0 && q < 1) || o.Alternative < stats.Less || o.Alternative > stats.Greater {
		return QuantileResult{}, fmt.Errorf("sequential: Quantile: q %v, alternative %v: %w", q, o.Alternative, stats.ErrDomain)
	}
	na, nb, err := cellTotals(baseline, candidate)
	if err != nil {
		return QuantileResult{}, fmt.Errorf("sequential: Quantile: %w", err)
	}
	a := newQuantileArm(baseline, float64(na), q, k)
	b := newQuantileArm(candidate, float64(nb), q, k)
	r := QuantileResult{
		Method: "beta-binomial quantile test, " + o.Alternative.String(), LogE: math.Inf(1), Level: o.Level, NBaseline: na, NCandidate: nb,
		Baseline: a.sequence(o.Level), Candidate: b.sequence(o.Level),
	}
	for i := range baseline {
		r.LogE = math.Min(r.LogE, a.logE(i, -o.Alternative)+b.logE(i, o.Alternative))
	}
	return r, nil
}

// quantileArm holds the cumulative counts of one arm: below[i] units lie in
// cells before i.
type quantileArm struct {
	below   []float64
	n, q, k float64
	best    float64 // the count that speaks least against the quantile, about n q
}

func newQuantileArm(cells []uint64, n, q, k float64) quantileArm {
	a := quantileArm{below: make([]float64, len(cells)+1), n: n, q: q, k: k}
	for i, c := range cells {
		a.below[i+1] = a.below[i] + float64(c)
	}
	// E is log-convex in the count; its derivative vanishes at the minimum.
	slope := func(x float64) float64 {
		return mathext.Digamma(k*q+x) - mathext.Digamma(float64(k*(1-q))+n-x) - math.Log(q/(1-q))
	}
	switch {
	case slope(0) >= 0:
		a.best = 0
	case slope(n) <= 0:
		a.best = n
	default:
		a.best = zero(0, n, slope)
	}
	return a
}

// logE is the evidence that the quantile of the arm is not in cell i (Different),
// is above it (Greater) or below it (Less).
func (a quantileArm) logE(i int, alt stats.Alternative) float64 {
	switch alt {
	case stats.Greater: // too few units up to the end of the cell
		return betaLogE(a.below[i+1], a.n, a.q, a.k, stats.Less)
	case stats.Less: // too many before the cell
		return betaLogE(a.below[i], a.n, a.q, a.k, stats.Greater)
	}
	x := math.Min(math.Max(a.best, a.below[i]), a.below[i+1])
	return betaLogE(x, a.n, a.q, a.k, stats.Different)
}

func (a quantileArm) sequence(level float64) CellRange {
	c := CellRange{Lo: -1}
	for i := range len(a.below) - 1 {
		if a.below[i] < a.n*a.q {
			c.Cell = i
		}
		if a.logE(i, stats.Different) < Threshold(1-level) {
			if c.Lo < 0 {
				c.Lo = i
			}
			c.Hi = i
		}
	}
	return c
}
