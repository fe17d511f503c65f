package stats

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats/internal/special"
)

// ChiSquareTail returns P(X > x) for X chi-square with df degrees of freedom.
//
// The tail is the upper incomplete gamma function Q(df/2, x/2), never one minus
// a CDF. Relative error below 1e-12 down to the smallest float64; where even that
// underflows, use [LogChiSquareTail].
//
// Special cases: x <= 0 gives 1; x = +Inf gives 0.
// Errors: [ErrDomain] for NaN, or df not positive and finite.
// Cost: constant. Checked against R's pchisq.
func ChiSquareTail(x, df float64) (float64, error) {
	if err := checkChiSquare("ChiSquareTail", x, df); err != nil {
		return 0, err
	}
	return math.Exp(special.LogGammaQ(df/2, x/2)), nil
}

// LogChiSquareTail returns log P(X > x) for X chi-square with df degrees of
// freedom. It stays finite where the tail itself underflows: for log p = -5000
// it has the same 14 digits as for log p = -5.
//
// Special cases and errors are those of [ChiSquareTail]; x = +Inf gives -Inf.
func LogChiSquareTail(x, df float64) (float64, error) {
	if err := checkChiSquare("LogChiSquareTail", x, df); err != nil {
		return 0, err
	}
	return special.LogGammaQ(df/2, x/2), nil
}

// ChiSquareQuantile returns the x with P(X > x) = p for X chi-square with df
// degrees of freedom: the critical value of a test of size p.
//
// Special cases: p = 1 gives 0; p = 0 gives +Inf.
// Errors: [ErrDomain] for p outside [0,1], or df not positive and finite.
func ChiSquareQuantile(p, df float64) (float64, error) {
	if err := checkChiSquare("ChiSquareQuantile", 0, df); err != nil {
		return 0, err
	}
	switch {
	case !(p >= 0 && p <= 1):
		return 0, fmt.Errorf("stats: ChiSquareQuantile: p %v: %w", p, ErrDomain)
	case p == 1:
		return 0, nil
	case p == 0:
		return math.Inf(1), nil
	}
	f := func(x float64) float64 { return special.LogGammaQ(df/2, x/2) - special.Log(p) }
	if p > 0.5 {
		f = func(x float64) float64 { return math.Log1p(-p) - special.LogGammaP(df/2, x/2) }
	}
	hi := df + 10
	for f(hi) > 0 {
		hi *= 2
	}
	x, err := rootBetween(f, 0, hi)
	if err != nil {
		return 0, fmt.Errorf("stats: ChiSquareQuantile: p %v, df %v: %w", p, df, err)
	}
	return x, nil
}

// NonCentralChiSquareCDF returns P(X <= x) for X non-central chi-square with df
// degrees of freedom and non-centrality ncp >= 0.
//
// It is the Poisson(ncp/2) mixture of central CDFs, summed over all terms that
// matter (found from the largest one), in the direction in which the recurrence
// of the incomplete gamma function only adds. So there is no cancellation, and a
// small probability has the same relative accuracy as a large one. Above ncp = 1e8
// Sankaran's normal approximation is used, which there is right to 8 digits. gonum
// has no such law.
//
// Special cases: x <= 0 gives 0; x = +Inf gives 1; ncp = 0 is the central law.
// Errors: [ErrDomain] for NaN, df not positive and finite, ncp negative or
// infinite. Cost: about 20 sqrt(ncp) steps.
//
// References: Benton & Krishnamoorthy (2003), Computational Statistics & Data
// Analysis 43, 249-267; Sankaran (1963), Biometrika 50, 199-204.
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

// LogNormalTail returns log P(Z > z) for a standard normal Z.
//
// Relative error of the log below 1e-13 for all z, checked against SciPy's
// log_ndtr. Above z = 5 it is the log density plus the log of Laplace's continued
// fraction for the Mills ratio, below it comes from math.Erfc. gonum's
// distuv.Normal has no logarithm of its tail, and its Survival is 1 less an error
// function: 0 from z = 8.3 on.
//
// Special cases: NaN gives NaN; z = +Inf gives -Inf; z = -Inf gives 0.
func LogNormalTail(z float64) float64 {
	switch {
	case math.IsInf(z, 1):
		return math.Inf(-1)
	case z > 5:
		m := z
		for k := 100.0; k >= 1; k-- {
			m = z + k/m
		}
		return -float64(z*z/2) - math.Log(2*math.Pi)/2 - math.Log(m)
	case z < -1:
		return math.Log1p(-upperNormal(-z))
	}
	return math.Log(upperNormal(z))
}

// upperNormal is P(Z > z) for a standard normal Z.
func upperNormal(z float64) float64 { return float64(0.5 * math.Erfc(z/math.Sqrt2)) }

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
		return LogNormalTail(sankaran(x, df, ncp))
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
		return LogNormalTail(-sankaran(x, df, ncp))
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

// largeNCP is the non-centrality above which Sankaran's approximation replaces the
// mixture, whose cost grows with its root.
const largeNCP = 1e8

// sankaran is the normal deviate of x: a power of X/(df+ncp) is close to normal, the
// more so the larger df+ncp. Reference: Sankaran (1963), Biometrika 50, 199-204.
func sankaran(x, df, ncp float64) float64 {
	mean := df + ncp
	two, three := df+float64(2*ncp), df+float64(3*ncp)
	h := 1 - float64(2.0/3*(mean/two)*(three/two))
	p := two / mean / mean
	m := float64((h - 1) * (1 - float64(3*h)))
	centre := float64(h * p * (h - 1 - float64(0.5*(2-h)*m*p)))
	root := math.Expm1(h*math.Log1p((x-mean)/mean)) - centre
	return root / (h * math.Sqrt(2*p) * (1 + float64(0.5*m*p)))
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

func checkChiSquare(fn string, x, df float64) error {
	if math.IsNaN(x) || !(df > 0) || math.IsInf(df, 1) {
		return fmt.Errorf("stats: %s: x %v, df %v: %w", fn, x, df, ErrDomain)
	}
	return nil
}

func checkNonCentral(fn string, x, df, ncp float64) error {
	if math.IsNaN(x) || !(df > 0) || math.IsInf(df, 1) || !(ncp >= 0) || math.IsInf(ncp, 1) {
		return fmt.Errorf("stats: %s: x %v, df %v, ncp %v: %w", fn, x, df, ncp, ErrDomain)
	}
	return nil
}
