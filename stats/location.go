package stats

import (
	"fmt"
	"math"
)

// Moments is what the t-tests need to know of a sample. It can be computed from
// values by [MomentsOf] or from merged sums.
type Moments struct {
	N        uint64  // number of values
	Mean     float64 // their mean
	Variance float64 // their variance, with divisor N-1; 0 when N is 1
}

// MomentsOf returns the moments of x.
//
// The mean is taken in two passes, the second over the residuals, so that a
// large common offset costs no accuracy in the variance.
//
// Errors: [ErrEmpty] for an empty sample; [ErrDomain] for a NaN or an infinite
// value, or values so large that their squares overflow. Cost: linear.
//
// Reference: Chan, Golub and LeVeque, Algorithms for computing the sample
// variance, The American Statistician 37 (1983).
func MomentsOf(x []float64) (Moments, error) {
	if len(x) == 0 {
		return Moments{}, fmt.Errorf("stats: MomentsOf: no values: %w", ErrEmpty)
	}
	n := float64(len(x))
	sum := 0.0
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Moments{}, fmt.Errorf("stats: MomentsOf: value %d is %v: %w", i, v, ErrDomain)
		}
		sum += v
	}
	m := Moments{N: uint64(len(x)), Mean: sum / n}
	var first, second float64
	for _, v := range x {
		d := v - m.Mean
		first += d
		second += float64(d * d)
	}
	m.Mean += first / n
	if len(x) > 1 {
		m.Variance = max(0, (second-float64(first*(first/n)))/(n-1))
	}
	if math.IsNaN(m.Variance) || math.IsInf(m.Variance, 0) || math.IsInf(m.Mean, 0) {
		return Moments{}, fmt.Errorf("stats: MomentsOf: mean %v, variance %v: %w", m.Mean, m.Variance, ErrDomain)
	}
	return m, nil
}

// TOptions configures [WelchT] and [StudentT]. The zero value is the two-sided
// test of equal means with a 95% interval.
type TOptions struct {
	Alternative Alternative // about mean(x) - mean(y)
	Null        float64     // difference under the null hypothesis, such as a margin; default 0
	Level       float64     // of the interval, in (0,1); 0 means 0.95
}

// TResult is the outcome of a two-sample t-test.
type TResult struct {
	Difference  Interval // mean(x) - mean(y); one-sided when Alternative is
	SE          float64  // standard error of the difference
	T           float64  // (difference - Null) / SE; ±Inf when SE is 0
	DF          float64  // degrees of freedom
	P           float64
	LogP        float64 // log of P, finite when P underflows to 0
	X, Y        Moments // the two sides
	Null        float64
	Alternative Alternative
	Method      string
	Warnings    []Warning // degenerate
}

// WelchT tests whether two means differ, without assuming equal variances.
//
//	T  = (mean(x) - mean(y) - null) / SE,   SE^2 = vx/n + vy/m
//	DF = SE^4 / ((vx/n)^2/(n-1) + (vy/m)^2/(m-1))
//
// P is from Student's distribution with DF degrees of freedom.
//
// Assumptions: independent values; means near normal, which for skewed metrics
// takes samples of hundreds; no value belongs to the same unit as another (else
// see [RatioDifference]).
//
// Special cases are:
//
//	both variances 0, difference = Null    T = 0, P = 1 (for a one-sided test 1/2)
//	both variances 0, difference != Null   T = ±Inf, P = 0 or 1
//
// both with the warning "degenerate" and DF = n+m-2: constant data carry no
// information about their noise.
//
// Errors: [ErrDomain] when either side has fewer than 2 values, or has moments
// that are not finite, and for an impossible option. Cost: about sqrt(DF) steps.
//
// Reference: Welch, The generalization of Student's problem when several
// different population variances are involved, Biometrika 34 (1947).
func WelchT(x, y Moments, o TOptions) (TResult, error) {
	const name = "WelchT"
	if x.N < 2 || y.N < 2 {
		return TResult{}, fmt.Errorf("stats: %s: %d and %d values, need 2 on each side: %w", name, x.N, y.N, ErrDomain)
	}
	vx, vy := x.Variance/float64(x.N), y.Variance/float64(y.N)
	r := TResult{X: x, Y: y, SE: math.Sqrt(vx + vy), DF: welchDF(vx, vy, x.N, y.N), Method: "Welch two-sample t"}
	err := r.finish(name, o)
	return r, err
}

// welchDF is (vx+vy)^2 / (vx^2/(n-1) + vy^2/(m-1)), and n+m-2 when both
// variances are 0. Only their ratio matters; dividing first avoids underflow.
func welchDF(vx, vy float64, n, m uint64) float64 {
	top := max(vx, vy)
	if top == 0 {
		return float64(n) + float64(m) - 2
	}
	a, b := vx/top, vy/top
	return (a + b) * (a + b) / (float64(a*a)/float64(n-1) + float64(b*b)/float64(m-1))
}

// StudentT tests whether two means differ, assuming equal variances.
//
//	T = (mean(x) - mean(y) - null) / SE,   SE^2 = v (1/n + 1/m)
//	v = ((n-1) vx + (m-1) vy) / (n+m-2),   DF = n+m-2
//
// Prefer [WelchT]: with unequal variances and sizes this test's size is wrong in
// either direction.
//
// Special cases and cost are those of WelchT. Errors: [ErrEmpty] when a side has
// no values; [ErrDomain] when n+m < 3 or moments are not finite, and for an
// impossible option.
//
// Reference: Student, The probable error of a mean, Biometrika 6 (1908).
func StudentT(x, y Moments, o TOptions) (TResult, error) {
	const name = "StudentT"
	if x.N == 0 || y.N == 0 {
		return TResult{}, fmt.Errorf("stats: %s: %d and %d values: %w", name, x.N, y.N, ErrEmpty)
	}
	if x.N+y.N < 3 {
		return TResult{}, fmt.Errorf("stats: %s: %d and %d values, need 3 together: %w", name, x.N, y.N, ErrDomain)
	}
	n, m := float64(x.N), float64(y.N)
	df := n + m - 2
	v := float64((n-1)/df*x.Variance) + float64((m-1)/df*y.Variance)
	r := TResult{X: x, Y: y, SE: math.Sqrt(v * (1/n + 1/m)), DF: df, Method: "Student two-sample t, equal variances"}
	err := r.finish(name, o)
	return r, err
}

// finish checks what both tests share and fills in statistic, p and interval.
func (r *TResult) finish(name string, o TOptions) error {
	for _, m := range []Moments{r.X, r.Y} {
		if math.IsNaN(m.Mean) || math.IsInf(m.Mean, 0) || !(m.Variance >= 0) || math.IsInf(m.Variance, 1) {
			*r = TResult{}
			return fmt.Errorf("stats: %s: mean %v, variance %v: %w", name, m.Mean, m.Variance, ErrDomain)
		}
	}
	level, err := levelOrDefault(name, o.Level)
	if err == nil {
		err = checkAlternative(name, o.Alternative)
	}
	if err == nil && (math.IsNaN(o.Null) || math.IsInf(o.Null, 0)) {
		err = fmt.Errorf("stats: %s: null difference %v: %w", name, o.Null, ErrDomain)
	}
	if err != nil {
		*r = TResult{}
		return err
	}
	r.Null, r.Alternative = o.Null, o.Alternative
	diff := r.X.Mean - r.Y.Mean
	if r.SE == 0 {
		r.Warnings = append(r.Warnings, Warning{WarnDegenerate, "both sides are constant: their noise cannot be judged"})
		if diff != o.Null {
			r.T = math.Inf(signum(diff - o.Null))
		}
	} else {
		r.T = (diff - o.Null) / r.SE
	}
	r.LogP = logStudentP(r.T, r.DF, o.Alternative)
	r.P = math.Exp(r.LogP)
	r.Difference, err = studentInterval(diff, r.SE, r.DF, level, o.Alternative)
	if err != nil {
		return fmt.Errorf("stats: %s: %w", name, err)
	}
	return nil
}

// studentInterval is point ± t*se, open on the side the alternative looks to.
func studentInterval(point, se, df, level float64, alt Alternative) (Interval, error) {
	tail := 1 - level
	if alt == Different {
		tail /= 2
	}
	t, err := studentQuantile(tail, df)
	if err != nil {
		return Interval{}, err
	}
	half := t * se
	v := Interval{Point: point, Lo: point - half, Hi: point + half, Level: level}
	switch alt {
	case Less:
		v.Lo = math.Inf(-1)
	case Greater:
		v.Hi = math.Inf(1)
	}
	return v, nil
}
