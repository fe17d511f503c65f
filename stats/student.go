package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/rampguard/rampguard/stats/internal/special"
)

// StudentTQuantile returns the t with P(T > t) = p for T Student's t with df
// degrees of freedom: the critical value of a one-sided test of size p.
//
// The root is found on the scale of log t from the log of the smaller tail, and
// for p within 1/4 of 1/2 from the log of the mass between -t and t, so that t has
// a relative error below 1e-12 however far out or near 0 it lies. gonum's
// distuv.StudentsT.Quantile is not used: at p = 1e-12 with 1e5 degrees of freedom
// its t belongs to a tail ten times as heavy.
//
// Special cases: p = 0 gives +Inf, p = 1/2 gives 0, p = 1 gives -Inf; df = +Inf is
// the normal law; a t beyond 8e307, as of p = 1e-300 with df = 1/2, is ±Inf.
// Errors: [ErrDomain] for p outside [0,1], or df not positive.
// Cost: a few microseconds. Checked against R's qt and, where that one is
// not accurate, against mpmath.
//
// Reference: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate
// Distributions 2, chapter 28.
func StudentTQuantile(p, df float64) (float64, error) {
	if !(p >= 0 && p <= 1) || !(df > 0) {
		return 0, fmt.Errorf("stats: StudentTQuantile: p %v, df %v: %w", p, df, ErrDomain)
	}
	t, err := studentQuantile(p, df)
	if err != nil {
		return 0, fmt.Errorf("stats: StudentTQuantile: p %v, df %v: %w", p, df, err)
	}
	return t, nil
}

// studentQuantile is [StudentTQuantile] without checks.
func studentQuantile(p, df float64) (float64, error) {
	switch {
	case p == 0:
		return math.Inf(1), nil
	case p == 0.5:
		return 0, nil
	case p > 0.5:
		t, err := studentQuantile(1-p, df)
		return -t, err
	}
	z := -mathext.NormalQuantile(p)
	if math.IsInf(df, 1) && p > 1e-300 { // below, it meets the subnormal numbers; see special.Log
		return z, nil
	}
	// falls is positive below the root and negative above it.
	falls := func(u float64) float64 { return logStudentTail(math.Exp(u), df) - special.Log(p) }
	if p > 0.25 {
		falls = func(u float64) float64 { return math.Log1p(-2*p) - logStudentCentre(math.Exp(u), df) }
	}
	// The tails are heavier than the normal one, so z is below the root.
	const largest = 709 // log of the largest t; e^710 overflows
	lo, step := math.Log(z)-1e-6, 0.5
	hi := lo + step
	for falls(hi) > 0 {
		if hi == largest {
			return math.Inf(1), nil
		}
		lo, hi, step = hi, min(hi+step, largest), 2*step
	}
	u, err := rootBetween(falls, lo, hi)
	return math.Exp(u), err
}

// logStudentTail is log P(T > t) for Student's t with df degrees of freedom:
// half the incomplete beta function at 1/(1+t^2/df). gonum's StudentsT has no
// log form, and loses digits for large df.
func logStudentTail(t, df float64) float64 {
	switch {
	case math.IsInf(t, 1):
		return math.Inf(-1)
	case t < 0:
		return special.Log1mExp(logStudentTail(-t, df))
	case math.IsInf(df, 1):
		return LogNormalTail(t)
	}
	r := t / math.Sqrt(df)
	if r > 1e8 { // 1/(1+r^2) is 1/r^2, and I_p(a,1/2) its power a over a B(a,1/2)
		return -float64(df*(math.Log(t)-math.Log(df)/2)) - math.Log(df) - mathext.Lbeta(df/2, 0.5)
	}
	r2 := float64(r * r)
	return special.LogBetaI(df/2, 0.5, 1/(1+r2), r2/(1+r2)) - math.Ln2
}

// logStudentCentre is log P(|T| < t) for t >= 0, accurate also for small t.
func logStudentCentre(t, df float64) float64 {
	if t > 1e8*math.Sqrt(df) {
		return special.Log1mExp(math.Ln2 + logStudentTail(t, df))
	}
	r2 := float64(t * t / df)
	return special.LogBetaI(0.5, df/2, r2/(1+r2), 1/(1+r2))
}

// logStudentP is the log p-value of a t statistic.
func logStudentP(t, df float64, alt Alternative) float64 {
	switch alt {
	case Greater:
		return logStudentTail(t, df)
	case Less:
		return logStudentTail(-t, df)
	}
	return min(0, math.Ln2+logStudentTail(math.Abs(t), df))
}
