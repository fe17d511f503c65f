package stats

import (
	"fmt"
	"math"
	"math/cmplx"

	"github.com/rampguard/rampguard/stats/internal/special"
)

// NonCentralChiSquareCDF returns P(X <= x) for X non-central chi-square with df
// degrees of freedom and non-centrality ncp >= 0.
//
// It is the Poisson(ncp/2) mixture of central CDFs, summed over all terms that
// matter (found from the largest one), in the direction in which the recurrence
// of the incomplete gamma function only adds. So there is no cancellation, and a
// small probability has the same relative accuracy as a large one. Above ncp = 1e6 the
// moment generating function is inverted on a line instead (see logNonCentralLine),
// at the same accuracy and a constant cost. gonum has no such law. R's pchisq with ncp is
// no reference in the tails; the tests sum its Poisson terms in logs.
//
// The log of the smaller tail has a relative error below 1e-12 for ncp up to 1e15,
// arguments taken as exact; the last digit of x is worth 1e-16 sqrt(ncp) |z| of it at z
// standard deviations.
//
// Special cases: x <= 0 gives 0; x = +Inf gives 1; ncp = 0 is the central law.
// Errors: [ErrDomain] for NaN, df not positive and finite, ncp negative or
// infinite. Cost: about 20 sqrt(ncp) steps up to ncp = 1e6, then some 60.
//
// Reference: Benton & Krishnamoorthy (2003), Computational Statistics & Data
// Analysis 43, 249-267.
func NonCentralChiSquareCDF(x, df, ncp float64) (float64, error) {
	if err := checkNonCentral("NonCentralChiSquareCDF", x, df, ncp); err != nil {
		return 0, err
	}
	return math.Exp(logNonCentralLower(x, df, ncp)), nil
}

// NonCentralChiSquareTail returns P(X > x) for X non-central chi-square with df
// degrees of freedom and non-centrality ncp >= 0: the power of a chi-square test
// with critical value x. Method, errors and cost are those of
// [NonCentralChiSquareCDF].
//
// Special cases: x <= 0 gives 1; x = +Inf gives 0.
func NonCentralChiSquareTail(x, df, ncp float64) (float64, error) {
	if err := checkNonCentral("NonCentralChiSquareTail", x, df, ncp); err != nil {
		return 0, err
	}
	return math.Exp(logNonCentralUpper(x, df, ncp)), nil
}

// NonCentralityInterval estimates the non-centrality parameter of a chi-square
// statistic: how far from the null the truth is, in units of the statistic.
//
// Point is max(0, stat-df). Lo solves P(X >= stat) = (1-level)/2 and Hi solves
// P(X <= stat) = (1-level)/2 over ncp, where X is non-central chi-square with df
// degrees of freedom: an equal-tailed interval, exact when the law is.
//
// Special cases: Lo is 0 when stat is below the central upper quantile; Hi is 0
// as well when stat is below the central lower quantile (an impossibly good fit).
// Errors: [ErrDomain] for stat negative or not finite, df not positive and
// finite, level outside (0,1).
func NonCentralityInterval(stat, df, level float64) (Interval, error) {
	const fn = "NonCentralityInterval"
	if err := checkChiSquare(fn, stat, df); err != nil {
		return Interval{}, err
	}
	if stat < 0 || math.IsInf(stat, 0) {
		return Interval{}, fmt.Errorf("stats: %s: statistic %v: %w", fn, stat, ErrDomain)
	}
	if err := CheckLevel(level); err != nil {
		return Interval{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	target := math.Log((1 - level) / 2)
	lower := func(ncp float64) float64 { return logNonCentralUpper(stat, df, ncp) - target }
	upper := func(ncp float64) float64 { return logNonCentralLower(stat, df, ncp) - target }
	v := Interval{Point: max(0, stat-df), Level: level}
	var err error
	if lower(0) < 0 {
		if v.Lo, err = rootBetween(lower, 0, stat); err != nil {
			return Interval{}, fmt.Errorf("stats: %s: statistic %v, df %v: %w", fn, stat, df, err)
		}
	}
	if upper(0) > 0 {
		hi := stat + 10
		for upper(hi) > 0 {
			hi *= 2
		}
		if v.Hi, err = rootBetween(upper, 0, hi); err != nil {
			return Interval{}, fmt.Errorf("stats: %s: statistic %v, df %v: %w", fn, stat, df, err)
		}
	}
	return v, nil
}

// logNonCentralUpper is log P(X > x); see [NonCentralChiSquareCDF]. The sum runs
// upward in j: Q(a+1,y) = Q(a,y) + y^a e^-y / Gamma(a+1).
func logNonCentralUpper(x, df, ncp float64) float64 {
	d, y, lam := float64(df/2), float64(x/2), float64(ncp/2)
	switch {
	case y <= 0 || farBelow(x, df, ncp):
		return 0
	case math.IsInf(x, 1):
		return math.Inf(-1)
	case lam == 0:
		return special.LogGammaQ(d, y)
	case farAbove(x, df, ncp):
		return math.Inf(-1)
	case ncp > largeNCP:
		return logNonCentralLine(x, df, ncp, true)
	}
	term := func(j float64) float64 { return special.LogPoissonPMF(j, lam) + special.LogGammaQ(d+j, y) }
	peak := math.Floor(max(lam, mixturePeak(d, y, lam)))
	j := firstRelevant(term, 0, peak)
	first := term(j)
	r := math.Exp(special.LogPoissonPMF(d+j, y) - special.LogGammaQ(d+j, y)) // step of Q relative to Q
	v, sum := 1.0, 1.0
	for j <= peak || v > 1e-18*sum {
		v = float64(v * (lam / (j + 1)) * (1 + r))
		r = float64(r * (y / (d + j + 1)) / (1 + r))
		j++
		sum += v
	}
	return min(0, first+math.Log(sum))
}

// logNonCentralLower is log P(X <= x); see [NonCentralChiSquareCDF]. The sum runs
// downward in j: P(a-1,y) = P(a,y) + y^(a-1) e^-y / Gamma(a).
func logNonCentralLower(x, df, ncp float64) float64 {
	d, y, lam := float64(df/2), float64(x/2), float64(ncp/2)
	switch {
	case y <= 0:
		return math.Inf(-1)
	case math.IsInf(x, 1) || farAbove(x, df, ncp):
		return 0
	case lam == 0:
		return special.LogGammaP(d, y)
	case farBelow(x, df, ncp):
		return math.Inf(-1)
	case ncp > largeNCP:
		return logNonCentralLine(x, df, ncp, false)
	}
	term := func(j float64) float64 { return special.LogPoissonPMF(j, lam) + special.LogGammaP(d+j, y) }
	peak := math.Floor(min(lam, mixturePeak(d, y, lam)))
	far := 2*peak + 100
	for term(far) > term(peak)-relevant {
		far *= 2
	}
	j := firstRelevant(term, far, peak)
	first := term(j)
	// Step of P relative to P: y^(a-1) e^-y / Gamma(a) is the Poisson term of a
	// times a/y.
	r := math.Exp(special.LogPoissonPMF(d+j, y) - special.LogGammaP(d+j, y) + math.Log(d+j) - math.Log(y))
	v, sum := 1.0, 1.0
	for j > 0 && (j >= peak || v > 1e-18*sum) {
		v = float64(v * (j / lam) * (1 + r))
		r = float64(r * ((d + j - 1) / y) / (1 + r))
		j--
		sum += v
	}
	return min(0, first+math.Log(sum))
}

// largeNCP is the non-centrality above which the line replaces the mixture, whose cost
// grows with its root.
const largeNCP = 1e6

// logNonCentralLine is log P(X > x), or log P(X <= x), for large ncp: the integral of
//
//	exp(K(s) - s (x - mean)) / (2 pi i s),  K(s) = 2 ncp s^2/(1-2s) - df (log(1-2s) + 2s)/2
//
// along a vertical line through the saddle point, kept a standard deviation off the
// pole at 0 and to its right for the upper tail. The trapezoidal rule on it has an
// error that falls exponentially with the step, here to 1e-16. K has lost its linear
// term, so that nothing of the size of ncp is subtracted.
//
// References: Rice (1980), SIAM Journal on Scientific and Statistical Computing 1,
// 438-448; Trefethen & Weideman (2014), SIAM Review 56, 385-458.
func logNonCentralLine(x, df, ncp float64, upper bool) float64 {
	d := x - ncp - df
	if upper != (d > 0) { // the line on this side would cancel
		return special.Log1mExp(logNonCentralLine(x, df, ncp, !upper))
	}
	w := 2 * x / (df + math.Sqrt(float64(df*df)+float64(4*ncp*x))) // 1/(1-2s) at the saddle point
	c := (1 - 1/w) / 2
	sigma := 1 / (w * math.Sqrt(2*df+float64(4*ncp*w)))
	if math.Abs(c) < sigma {
		c = sigma
		if !upper {
			c = -sigma
		}
	}
	h := min(0.17*math.Abs(c), 0.7*sigma)
	exponent := func(s complex128) complex128 {
		return complex(2*ncp, 0)*s*s/(1-2*s) + complex(df/2, 0)*minusLog1mx(2*s) - s*complex(d, 0)
	}
	top := real(exponent(complex(c, 0)))
	sum := 1 / (2 * c)
	for j := 1.0; ; j++ {
		s := complex(c, j*h)
		v := cmplx.Exp(exponent(s)-complex(top, 0)) / s
		sum += real(v)
		if cmplx.Abs(v)*math.Abs(c) < 1e-18 {
			return min(0, top+math.Log(math.Abs(sum)*h/math.Pi))
		}
	}
}

// minusLog1mx is -log(1-u) - u.
func minusLog1mx(u complex128) complex128 {
	if cmplx.Abs(u) > 0.1 {
		return -cmplx.Log(1-u) - u
	}
	var sum complex128
	for k := 17.0; k >= 2; k-- { // u^18 is below 1e-18
		sum = sum*u + complex(1/k, 0)
	}
	return sum * u * u
}

// farAbove and farBelow report that the tail beyond x is below e^-1000, less than any
// positive float64. The root of X is the length of a normal vector, which is farther
// than t from its mean with a probability of at most e^(-t^2/2) on either side, and
// that mean is between sqrt(df+ncp-1) and sqrt(df+ncp).
func farAbove(x, df, ncp float64) bool { return math.Sqrt(x)-math.Sqrt(df+ncp) > 45 }

func farBelow(x, df, ncp float64) bool {
	return math.Sqrt(max(0, df+ncp-1))-math.Sqrt(x) > 45
}

// relevant is how far, in logs, a mixture term may lie below the largest one
// before it is left out.
const relevant = 42.0

// mixturePeak is the j that maximises lam^j y^(d+j) / (j! Gamma(d+j+1)): the
// largest term of the mixture density.
func mixturePeak(d, y, lam float64) float64 {
	// The positive root of j^2 + d j = lam y, in the form without cancellation.
	return 2 * lam * y / (d + math.Sqrt(float64(d*d)+float64(4*lam*y)))
}

// firstRelevant returns the integer nearest to far, on the way to peak, whose term
// matters: bisection on a function that rises from far to peak.
func firstRelevant(term func(float64) float64, far, peak float64) float64 {
	floor := term(peak) - relevant
	if term(far) >= floor {
		return far
	}
	for math.Abs(peak-far) > 1 {
		mid := math.Floor((peak + far) / 2)
		if term(mid) < floor {
			far = mid
		} else {
			peak = mid
		}
	}
	return peak
}

func checkNonCentral(fn string, x, df, ncp float64) error {
	if math.IsNaN(x) || !(df > 0) || math.IsInf(df, 1) || !(ncp >= 0) || math.IsInf(ncp, 1) {
		return fmt.Errorf("stats: %s: x %v, df %v, ncp %v: %w", fn, x, df, ncp, ErrDomain)
	}
	return nil
}
