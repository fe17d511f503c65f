package stats

import (
	"fmt"
	"math"
	"slices"
)

// shiftExactMax is the largest number of pairs for which the exact interval of a
// shift is offered.
const shiftExactMax = 10000

// ShiftMethod names how the interval of [HodgesLehmann] is made.
type ShiftMethod int8

// The methods. The zero value picks ShiftExact when both samples hold fewer than
// 50 values, else ShiftNormal.
const (
	ShiftAuto   ShiftMethod = iota
	ShiftExact              // order statistics of the pairwise differences
	ShiftNormal             // inversion of the normal approximation of the rank test
)

// ShiftOptions configures [HodgesLehmann].
type ShiftOptions struct {
	Level  float64     // in (0,1); 0 means 0.95
	Method ShiftMethod // default ShiftAuto
	// Tol is the absolute tolerance of the roots of ShiftNormal, in the unit of
	// the data. 0 means about as fine as float64 allows, and the median of the
	// differences as estimate. R's wilcox.test has 1e-4, with which this function
	// repeats R's numbers, and which is coarse for data of that size.
	Tol float64
	// CorrectedPoint, with a Tol, makes ShiftNormal solve for the estimate with
	// the continuity correction on, as Kayenta's judge does and R does not.
	CorrectedPoint bool
}

// ShiftResult is an estimate of how far x lies above y.
type ShiftResult struct {
	Shift    Interval // x minus y, in the unit of the data; an end out of reach is infinite
	Achieved float64  // ShiftExact: coverage for continuous data, at least Level; else Level
	N, M     uint64   // sizes of x and y
	Method   string
	Warnings []Warning // ties, degenerate, small_sample, clipped
}

// HodgesLehmann estimates the shift Δ for which x - Δ and y have the same
// distribution.
//
// ShiftExact takes the median of the nm differences x_i - y_j, and as interval
// the k-th smallest and k-th largest of them, with k the largest number for
// which the rank-sum statistic U satisfies P(U < k) <= (1-Level)/2. Coverage is
// at least Achieved for any continuous distribution. When the samples are too
// small for the level both ends are infinite and the result carries
// "small_sample".
//
// ShiftNormal inverts the test: with W(d) the standardised U of (x-d, y), ties
// and all, it solves W(d) = ±z with continuity correction for the ends. W falls
// in steps, so a root is the place of a step; an end where no step is crossed is
// clipped to the smallest or largest difference ("clipped"). The estimate is the same median, found
// without forming the differences; with a Tol it is a root of W(d) = 0 without
// correction, which may lie anywhere on a stretch where U is nm/2. With Tol 1e-4
// this is R's wilcox.test(x, y, conf.int = TRUE, exact = FALSE, correct = TRUE).
//
// Assumptions: independent values; the two distributions differ by a shift only
// (take logarithms when they differ by a factor).
//
// Special cases are: x and y both constant give the difference as point and both
// ends, with the warning "degenerate". With ties ShiftExact covers with at least
// the stated probability when its ends are included ("ties").
//
// Errors: [ErrEmpty] for an empty sample; [ErrDomain] for a value that is not
// finite, an impossible option, or ShiftExact with more than 10000 pairs;
// [ErrNoConvergence]. Cost: ShiftExact sorts nm differences and takes (nm)^2/4
// steps; ShiftNormal passes over the samples about 30 to 150 times.
//
// References: Hodges and Lehmann, Estimates of location based on rank tests,
// Annals of Mathematical Statistics 34 (1963). Bauer, Constructing confidence
// sets using rank statistics, JASA 67 (1972). Brent, Algorithms for
// Minimization without Derivatives (1973), chapter 4.
func HodgesLehmann(x, y []float64, o ShiftOptions) (ShiftResult, error) {
	const name = "HodgesLehmann"
	level, err := levelOrDefault(name, o.Level)
	if err != nil {
		return ShiftResult{}, err
	}
	if o.Method < ShiftAuto || o.Method > ShiftNormal || !(o.Tol >= 0) || math.IsInf(o.Tol, 1) {
		return ShiftResult{}, fmt.Errorf("stats: %s: method %d, tolerance %v: %w", name, o.Method, o.Tol, ErrDomain)
	}
	xs, err := sortedFinite(name, "x", x)
	if err != nil {
		return ShiftResult{}, err
	}
	ys, err := sortedFinite(name, "y", y)
	if err != nil {
		return ShiftResult{}, err
	}
	n, m := len(xs), len(ys)
	tied := comparePairs(xs, ys, 0).ties > 0
	r := ShiftResult{Achieved: level, N: uint64(n), M: uint64(m)}
	r.Shift.Level = level
	lo, hi := xs[0]-ys[m-1], xs[n-1]-ys[0]
	if lo == hi {
		r.Shift = Interval{lo, lo, lo, level}
		r.Method = "Hodges-Lehmann, constant data"
		r.Warnings = append(r.Warnings, Warning{WarnDegenerate, "both sides are constant: their noise cannot be judged"})
		return r, nil
	}
	if o.Method == ShiftExact || o.Method == ShiftAuto && n < rankExactMax && m < rankExactMax {
		if n > shiftExactMax/m {
			return ShiftResult{}, fmt.Errorf("stats: %s: %d by %d pairs are above %d, the limit of the exact form: %w", name, n, m, shiftExactMax, ErrDomain)
		}
		r.exact(xs, ys, level)
		if tied {
			r.Warnings = append(r.Warnings, Warning{WarnTies, "tied values: the exact interval is conservative, ends included"})
		}
		return r, nil
	}
	if err := r.invert(xs, ys, level, o); err != nil {
		return ShiftResult{}, fmt.Errorf("stats: %s: %w", name, err)
	}
	return r, nil
}

// invert fills in the numbers of ShiftNormal.
func (r *ShiftResult) invert(xs, ys []float64, level float64, o ShiftOptions) error {
	r.Method = "Hodges-Lehmann, normal approximation"
	lo, hi := xs[0]-ys[len(ys)-1], xs[len(xs)-1]-ys[0]
	tol := o.Tol
	if tol == 0 {
		tol = 0x1p-50 * max(math.Abs(lo), math.Abs(hi))
	}
	var failed error
	root := func(f func(p pairs) float64) float64 {
		v, err := fallingRoot(func(d float64) float64 { return f(comparePairs(xs, ys, d)) }, lo, hi, tol)
		if err != nil {
			failed = err
		}
		return v
	}
	z := twoSidedZ(level)
	r.Shift.Lo = root(func(p pairs) float64 { return p.z(Different, true) - z })
	r.Shift.Hi = root(func(p pairs) float64 { return p.z(Different, true) + z })
	if r.Shift.Lo == lo || r.Shift.Hi == hi {
		r.Warnings = append(r.Warnings, Warning{WarnClipped, fmt.Sprintf("too few values for both ends at level %v", level)})
	}
	if o.Tol > 0 {
		r.Shift.Point = root(func(p pairs) float64 { return p.z(Different, o.CorrectedPoint) })
		return failed
	}
	// U - nm/2 is a multiple of 1/2: it passes 1/4 at the lower and -1/4 at the
	// upper of the two middle differences.
	r.Shift.Point = root(func(p pairs) float64 { return p.aboveHalf() - 0.25 })/2 +
		root(func(p pairs) float64 { return p.aboveHalf() + 0.25 })/2
	return failed
}

// exact fills in the distribution-free estimate and interval.
func (r *ShiftResult) exact(xs, ys []float64, level float64) {
	r.Method = "Hodges-Lehmann, exact"
	diffs := make([]float64, 0, len(xs)*len(ys))
	for _, a := range xs {
		for _, b := range ys {
			diffs = append(diffs, a-b)
		}
	}
	slices.Sort(diffs)
	half := len(diffs) / 2
	r.Shift.Point = diffs[half]
	if len(diffs)%2 == 0 {
		r.Shift.Point = diffs[half-1]/2 + diffs[half]/2
	}
	// k: the most differences that can be cut off on each side.
	k, cut := 0, 0.0
	for law := rankSumLaw(len(xs), len(ys)); k < half && cut+law[k] <= (1-level)/2; k++ {
		cut += law[k]
	}
	if k == 0 {
		r.Shift.Lo, r.Shift.Hi, r.Achieved = math.Inf(-1), math.Inf(1), 1
		r.Warnings = append(r.Warnings, Warning{WarnSmallSample, fmt.Sprintf("no interval of level %v exists for samples of %d and %d", level, r.N, r.M)})
		return
	}
	r.Shift.Lo, r.Shift.Hi, r.Achieved = diffs[k-1], diffs[len(diffs)-k], 1-2*cut
}

// fallingRoot finds where a non-increasing f crosses 0 between a and b, within
// tol; an end is the answer when f does not cross. It is Brent's zero finder
// with its original order of steps: on a step function the point at which an
// iteration stops depends on that order, and so must that of wilcox.test be kept.
func fallingRoot(f func(float64) float64, a, b, tol float64) (float64, error) {
	fa, fb := f(a), f(b)
	switch {
	case fa <= 0:
		return a, nil
	case fb >= 0:
		return b, nil
	}
	c, fc := a, fa
	for range 1000 {
		last := b - a
		if math.Abs(fc) < math.Abs(fb) { // b is the best so far
			a, b, c = b, c, b
			fa, fb, fc = fb, fc, fb
		}
		near := float64(0x1p-51*math.Abs(b)) + tol/2
		step := (c - b) / 2
		if math.Abs(step) <= near || fb == 0 {
			return b, nil
		}
		if math.Abs(last) >= near && math.Abs(fa) > math.Abs(fb) {
			width := c - b
			var p, q float64
			if a == c { // two points: secant
				s := fb / fa
				p, q = width*s, 1-s
			} else { // three: inverse quadratic
				q = fa / fc
				s, t := fb/fc, fb/fa
				p = t * (float64(width*q*(q-s)) - float64((b-a)*(s-1)))
				q = (q - 1) * (s - 1) * (t - 1)
			}
			if p > 0 {
				q = -q
			} else {
				p = -p
			}
			if p < float64(0.75*width*q)-math.Abs(near*q)/2 && p < math.Abs(last*q/2) {
				step = p / q
			}
		}
		if math.Abs(step) < near {
			step = math.Copysign(near, step)
		}
		a, fa = b, fb
		b += step
		fb = f(b)
		if fb > 0 && fc > 0 || fb < 0 && fc < 0 {
			c, fc = a, fa
		}
	}
	return 0, fmt.Errorf("shift between %v and %v: %w", a, b, ErrNoConvergence)
}
