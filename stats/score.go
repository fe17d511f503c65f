package stats

import (
	"fmt"
	"math"
)

// ScoreOptions chooses the variant of the two-sample score methods. The zero
// value is Miettinen and Nurminen's, with the variance factor N/(N-1).
type ScoreOptions struct {
	Mee bool // leave out N/(N-1), after Mee (for the ratio: Koopman's variant)
}

// ScoreTest is the score test that the difference or the ratio of two success
// probabilities equals a given value.
type ScoreTest struct {
	Null        float64     // the difference or ratio that was tested
	Z           float64     // score statistic, positive when the data lie above Null
	P           float64     // p-value against Alternative
	LogP        float64     // its log, finite also where P underflows
	Alternative Alternative // the direction of the test
	X1, N1      uint64      // successes and trials of the first sample
	X2, N2      uint64      // successes and trials of the second sample
	Method      string      // which statistic
}

// ScoreDifference returns the Miettinen-Nurminen score interval for p1-p2.
//
// The interval holds every D for which the score statistic
// z(D) = (x1/n1 - x2/n2 - D) / sqrt((P1(1-P1)/n1 + P2(1-P2)/n2) N/(N-1)) is
// within the normal quantile, where (P1,P2) maximise the likelihood under
// P1-P2 = D, and N = n1+n2. It is the default for a difference: coverage near
// level also for rare events and unequal sizes, ends within [-1,1], no degenerate
// case; and it agrees with the test of [ScoreDifferenceTest].
//
// Special cases: x1 = n1 with x2 = 0 has Hi 1, x1 = 0 with x2 = n2 has Lo -1.
// Errors: [ErrEmpty] for n1 = 0 or n2 = 0; [ErrDomain] for x > n or level outside
// (0,1). Cost: some hundred evaluations of the score function.
//
// References: Miettinen & Nurminen (1985), Statistics in Medicine 4, 213-226;
// Mee (1984), Biometrics 40, 1175-1176.
func ScoreDifference(x1, n1, x2, n2 uint64, level float64, opt ScoreOptions) (ProportionComparison, error) {
	const fn = "ScoreDifference"
	if err := checkTwoProportions(fn, x1, n1, x2, n2, level); err != nil {
		return ProportionComparison{}, err
	}
	s := newScore(x1, n1, x2, n2, opt)
	z := twoSidedZ(level)
	d := s.p1 - s.p2
	lo, hi := -1.0, 1.0
	var err error
	if d > -1 {
		if lo, err = rootBetween(func(v float64) float64 { return s.difference(v) - z }, -1, d); err != nil {
			return ProportionComparison{}, fmt.Errorf("stats: %s: %d of %d and %d of %d: %w", fn, x1, n1, x2, n2, err)
		}
	}
	if d < 1 {
		if hi, err = rootBetween(func(v float64) float64 { return s.difference(v) + z }, d, 1); err != nil {
			return ProportionComparison{}, fmt.Errorf("stats: %s: %d of %d and %d of %d: %w", fn, x1, n1, x2, n2, err)
		}
	}
	return ProportionComparison{
		Estimate: Interval{d, lo, hi, level},
		X1:       x1, N1: n1, X2: x2, N2: n2,
		Method: s.method("difference"),
	}, nil
}

// ScoreRatio returns the Miettinen-Nurminen score interval for p1/p2.
//
// It holds every R for which z(R) = (x1/n1 - R x2/n2) /
// sqrt((P1(1-P1)/n1 + R^2 P2(1-P2)/n2) N/(N-1)) is within the normal quantile,
// where (P1,P2) maximise the likelihood under P1 = R P2. Unlike [RiskRatio] it
// needs no event on both sides.
//
// Special cases: x1 = 0 has Point 0 and Lo 0; x2 = 0 has Point and Hi +Inf.
// Errors: [ErrEmpty] for n1 = 0 or n2 = 0, or no success in either sample, where
// nothing is known of the ratio; [ErrDomain] for x > n or level outside (0,1).
// Cost: some hundred evaluations of a closed form.
//
// References: Miettinen & Nurminen (1985), Statistics in Medicine 4, 213-226;
// Koopman (1984), Biometrics 40, 513-517.
func ScoreRatio(x1, n1, x2, n2 uint64, level float64, opt ScoreOptions) (ProportionComparison, error) {
	const fn = "ScoreRatio"
	if err := checkTwoProportions(fn, x1, n1, x2, n2, level); err != nil {
		return ProportionComparison{}, err
	}
	if x1 == 0 && x2 == 0 {
		return ProportionComparison{}, fmt.Errorf("stats: %s: no success in either sample: %w", fn, ErrEmpty)
	}
	s := newScore(x1, n1, x2, n2, opt)
	z := twoSidedZ(level)
	v := Interval{Point: s.p1 / s.p2, Lo: 0, Hi: math.Inf(1), Level: level}
	// Solved for log R, which ranges over the whole line.
	start := math.Log(max(s.p1, 0.5/s.n1)) - math.Log(max(s.p2, 0.5/s.n2))
	var err error
	if x1 > 0 {
		f := func(u float64) float64 { return s.ratio(math.Exp(u)) - z }
		if v.Lo, err = expRoot(f, start); err != nil {
			return ProportionComparison{}, fmt.Errorf("stats: %s: %d of %d and %d of %d: %w", fn, x1, n1, x2, n2, err)
		}
	}
	if x2 > 0 {
		f := func(u float64) float64 { return s.ratio(math.Exp(u)) + z }
		if v.Hi, err = expRoot(f, start); err != nil {
			return ProportionComparison{}, fmt.Errorf("stats: %s: %d of %d and %d of %d: %w", fn, x1, n1, x2, n2, err)
		}
	}
	return ProportionComparison{
		Estimate: v, X1: x1, N1: n1, X2: x2, N2: n2,
		Method: s.method("ratio"),
	}, nil
}

// ScoreDifferenceTest tests p1-p2 = null with the statistic of [ScoreDifference].
// With null = -margin and the alternative Greater it is the non-inferiority test
// of a rate for which higher is better.
//
// Special cases: x1/n1 - x2/n2 equal to null gives Z 0.
// Errors: [ErrEmpty] for n1 = 0 or n2 = 0; [ErrDomain] for x > n or null not
// within (-1,1), an unknown alternative. Cost: some ten evaluations of the score function.
//
// Reference: Farrington & Manning (1990), Statistics in Medicine 9, 1447-1454.
func ScoreDifferenceTest(x1, n1, x2, n2 uint64, null float64, alt Alternative, opt ScoreOptions) (ScoreTest, error) {
	const fn = "ScoreDifferenceTest"
	if err := checkAlternative(fn, alt); err != nil {
		return ScoreTest{}, err
	}
	if err := checkTwoProportions(fn, x1, n1, x2, n2, 0.5); err != nil {
		return ScoreTest{}, err
	}
	if !(null > -1 && null < 1) {
		return ScoreTest{}, fmt.Errorf("stats: %s: null difference %v: %w", fn, null, ErrDomain)
	}
	s := newScore(x1, n1, x2, n2, opt)
	z := s.difference(null)
	if math.IsNaN(z) {
		return ScoreTest{}, fmt.Errorf("stats: %s: %d of %d and %d of %d: %w", fn, x1, n1, x2, n2, ErrNoConvergence)
	}
	return s.test(null, z, alt, "difference"), nil
}

// ScoreRatioTest tests p1/p2 = null with the statistic of [ScoreRatio].
//
// Special cases: no success in either sample gives Z 0.
// Errors: [ErrEmpty] for n1 = 0 or n2 = 0; [ErrDomain] for x > n or null not
// positive and finite, an unknown alternative. Cost: constant.
//
// Reference: Farrington & Manning (1990), Statistics in Medicine 9, 1447-1454.
func ScoreRatioTest(x1, n1, x2, n2 uint64, null float64, alt Alternative, opt ScoreOptions) (ScoreTest, error) {
	const fn = "ScoreRatioTest"
	if err := checkAlternative(fn, alt); err != nil {
		return ScoreTest{}, err
	}
	if err := checkTwoProportions(fn, x1, n1, x2, n2, 0.5); err != nil {
		return ScoreTest{}, err
	}
	if !(null > 0) || math.IsInf(null, 1) {
		return ScoreTest{}, fmt.Errorf("stats: %s: null ratio %v: %w", fn, null, ErrDomain)
	}
	s := newScore(x1, n1, x2, n2, opt)
	return s.test(null, s.ratio(null), alt, "ratio"), nil
}

// score holds two binomial samples for the restricted-likelihood statistics.
type score struct {
	u1, u2         uint64 // trials, for the result
	c1, c2         uint64 // successes, for the result
	x1, y1, n1, p1 float64
	x2, y2, n2, p2 float64
	factor         float64
	mee            bool
}

func newScore(x1, n1, x2, n2 uint64, opt ScoreOptions) score {
	s := score{
		u1: n1, u2: n2, c1: x1, c2: x2,
		x1: float64(x1), y1: float64(n1 - x1), n1: float64(n1),
		x2: float64(x2), y2: float64(n2 - x2), n2: float64(n2),
		factor: 1, mee: opt.Mee,
	}
	s.p1, s.p2 = s.x1/s.n1, s.x2/s.n2
	if !opt.Mee {
		s.factor = (s.n1 + s.n2) / (s.n1 + s.n2 - 1)
	}
	return s
}

func (s score) method(what string) string {
	if s.mee {
		return "score " + what + " without N/(N-1)"
	}
	return "Miettinen-Nurminen score " + what
}

func (s score) test(null, z float64, alt Alternative, what string) ScoreTest {
	logP := logNormalP(z, alt)
	return ScoreTest{
		Null: null, Z: z, P: math.Exp(logP), LogP: logP, Alternative: alt,
		X1: s.c1, N1: s.u1, X2: s.c2, N2: s.u2,
		Method: s.method(what),
	}
}

// difference is z(d). It falls in d, from +Inf at -1 to -Inf at 1.
func (s score) difference(d float64) float64 {
	num := s.p1 - s.p2 - d
	if num == 0 {
		return 0
	}
	q := s.restricted(d)
	p := q + d
	v := (float64(p*(1-p)/s.n1) + float64(q*(1-q)/s.n2)) * s.factor
	return num / math.Sqrt(max(v, 0))
}

// restricted is the maximum likelihood estimate of p2 under p1-p2 = d. The score
// x1/(q+d) - y1/(1-q-d) + x2/q - y2/(1-q) falls in q, so its zero is unique; the
// closed form by the cubic formula loses half of the digits for rare events.
func (s score) restricted(d float64) float64 {
	lo, hi := max(0, -d), min(1, 1-d)
	slope := func(q float64) float64 {
		return frac(s.x1, q+d) - frac(s.y1, 1-q-d) + frac(s.x2, q) - frac(s.y2, 1-q)
	}
	if !(slope(lo) > 0) {
		return lo
	}
	if !(slope(hi) < 0) {
		return hi
	}
	q, err := rootBetween(slope, lo, hi)
	if err != nil {
		return math.NaN() // the callers turn it into ErrNoConvergence
	}
	return q
}

// ratio is z(r) for the null p1 = r p2. It falls in r.
func (s score) ratio(r float64) float64 {
	num := s.p1 - float64(r*s.p2)
	if num == 0 {
		return 0
	}
	// The smaller root of (N r) q^2 - b q + (x1+x2) = 0; the discriminant is
	// rearranged so that it does not cancel at r near 1.
	b := float64(s.n1*r) + s.x1 + s.n2 + float64(s.x2*r)
	e := float64((s.n1-s.x2)*r) + s.n2 - s.x1
	disc := float64(e*e) - float64(4*(r-1)*s.n1*s.n2*num)
	q := 2 * (s.x1 + s.x2) / (b + math.Sqrt(max(0, disc)))
	q = min(q, 1, 1/r)
	p := min(r*q, 1)
	v := (float64(p*(1-p)/s.n1) + float64(r*r*q*(1-q)/s.n2)) * s.factor
	return num / math.Sqrt(max(v, 0))
}

// frac is x/p with 0/p = 0 for every p, and +Inf for p at or below 0.
func frac(x, p float64) float64 {
	switch {
	case x == 0:
		return 0
	case p <= 0:
		return math.Inf(1)
	}
	return x / p
}

// logNormalP is the log p-value of a standard normal statistic.
func logNormalP(z float64, alt Alternative) float64 {
	switch alt {
	case Greater:
		return LogNormalTail(z)
	case Less:
		return LogNormalTail(-z)
	}
	return min(0, math.Ln2+LogNormalTail(math.Abs(z)))
}

// expRoot returns exp(u) for the zero u of a falling function, searched from start.
func expRoot(f func(float64) float64, start float64) (float64, error) {
	step := 1.0
	if f(start) < 0 {
		step = -1
	}
	far := start + step
	for (f(far) > 0) == (step > 0) && math.Abs(step) < 512 {
		step *= 2
		far += step
	}
	u, err := rootBetween(f, start, far)
	return math.Exp(u), err
}
