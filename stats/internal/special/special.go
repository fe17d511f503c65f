// Package special holds the logarithms of the incomplete gamma and beta functions
// and what they rest on, for the tails and sizes at which gonum's mathext
// underflows or loses digits.
package special

import "math"

const log2Pi = 1.837877066409345483560659472811235279723

// StirlingError is log Gamma(x+1) - [x log x - x + log(2 pi x)/2] for x > 0: what
// is left of the factorial when the large terms are taken out. Loader (2000),
// "Fast and accurate computation of binomial probabilities".
func StirlingError(x float64) float64 {
	if x < 16 {
		lg, _ := math.Lgamma(x + 1)
		return lg - float64((x+0.5)*math.Log(x)) + x - log2Pi/2
	}
	// Bernoulli series; the first term left out is below 1e-17 at x = 16.
	v := 1 / (x * x)
	s := 1.0/1188 - float64(v*(691.0/360360))
	s = 1.0/1680 - float64(v*s)
	s = 1.0/1260 - float64(v*s)
	s = 1.0/360 - float64(v*s)
	return (1.0/12 - float64(v*s)) / x
}

// Deviance is x log(x/m) + m - x for x >= 0, m > 0, without cancellation when x
// and m are close. Half of it is the exponent of a Poisson probability.
func Deviance(x, m float64) float64 {
	if x == 0 {
		return m
	}
	d := x - m
	if math.Abs(d) >= 0.1*(x+m) {
		r := x / m
		if r == 0 || math.IsInf(r, 1) { // only the quotient leaves the range
			return float64(x*(math.Log(x)-Log(m))) - d
		}
		return float64(x*math.Log(r)) - d
	}
	// With v = d/(x+m), log(x/m) = 2 atanh(v), summed until it stops moving.
	v := d / (x + m)
	s := d * v
	e := 2 * x * v
	v *= v
	for j := 3.0; ; j += 2 {
		e *= v
		next := s + e/j
		if next == s {
			return s
		}
		s = next
	}
}

// LogPoissonPMF is log(m^x e^-m / Gamma(x+1)) for real x >= 0 and finite m > 0.
// distuv.Poisson.LogProb takes the difference of x log m, m and a log-gamma, whose
// digits cancel for large m.
func LogPoissonPMF(x, m float64) float64 {
	if x == 0 {
		return -m
	}
	return -StirlingError(x) - Deviance(x, m) - float64(0.5*(log2Pi+math.Log(x)))
}

// LogBinomialPMF is log of Gamma(n+1)/(Gamma(x+1) Gamma(y+1)) p^x q^y with
// n = x+y and q = 1-p, for real x, y >= 0 and p, q > 0. Giving q keeps it exact near
// p = 1. distuv.Binomial.LogProb is a difference of log-gammas, whose digits cancel for
// large n.
func LogBinomialPMF(x, y, p, q float64) float64 {
	n := x + y
	switch {
	case x == 0:
		return n * logOf(q, p)
	case y == 0:
		return n * logOf(p, q)
	}
	return StirlingError(n) - StirlingError(x) - StirlingError(y) -
		Deviance(x, n*p) - Deviance(y, n*q) + float64(0.5*(math.Log(n/x/y)-log2Pi))
}

// logOf is log p for p + q = 1, exact also near p = 1.
func logOf(p, q float64) float64 {
	if q < 0.5 {
		return math.Log1p(-q)
	}
	return Log(p)
}

// Log is the natural logarithm, also of subnormal numbers, for which math.Log is
// wrong on amd64: it gives -709.1 for 5e-324, whose logarithm is -744.4.
func Log(x float64) float64 {
	if x > 0 && x < 0x1p-1022 {
		return math.Log(x*0x1p60) - 60*math.Ln2
	}
	return math.Log(x)
}

// Log1mExp is log(1 - e^x) for x <= 0.
func Log1mExp(x float64) float64 {
	if x > -math.Ln2 {
		return math.Log(-math.Expm1(x))
	}
	return math.Log1p(-math.Exp(x))
}

// LogBetaI is the log of the regularised incomplete beta function I_p(a,b), for
// a, b > 0, with q = 1-p given apart. mathext.RegIncBeta has no log form and
// loses digits when a and b are large. Cost: about sqrt(max(a,b)) steps.
func LogBetaI(a, b, p, q float64) float64 {
	switch {
	case p <= 0:
		return math.Inf(-1)
	case q <= 0:
		return 0
	}
	if p > (a+1)/(a+b+2) {
		return Log1mExp(logBetaFraction(b, a, q, p))
	}
	return logBetaFraction(a, b, p, q)
}

// logBetaFraction evaluates I_p(a,b) by the continued fraction of DiDonato and
// Morris (1992, ACM Transactions on Mathematical Software 18, 360-373), which
// converges fast for p below the mean and takes p and q only in a q - b p, where
// nothing cancels.
func logBetaFraction(a, b, p, q float64) float64 {
	lambda := float64(a*q) - float64(b*p)
	f := (1 + lambda) * a / (a + 1)
	c, d := f, 0.0
	for n := 1.0; n < 1e9; n++ {
		s := a + float64(2*n) - 1
		w := float64(n * (b - n) * p)
		num := float64((a + n - 1) / s * ((a + b + n - 1) / s) * w * p)
		den := n + w/s + float64((a+n)/(s+2)*(lambda+1+float64(n*(1+q))))
		d = 1 / (den + float64(num*d))
		c = den + num/c
		step := float64(c * d)
		f *= step
		if math.Abs(step-1) < 3e-16 {
			break
		}
	}
	// p^a q^b / B(a,b) = pmf * a b/(a+b).
	return LogBinomialPMF(a, b, p, q) + math.Log(b/(a+b)*(a/f))
}
