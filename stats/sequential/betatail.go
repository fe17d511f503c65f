package sequential

import "math"

// logBetaCDF is log I_x(a,b), the log of the distribution function of a
// Beta(a,b) variable at x, for a, b > 0.
//
// gonum's mathext.RegIncBeta has no logarithmic form, underflows for the tails
// that occur here, and stops its continued fraction after 300 terms, too early
// from a+b of about 1e8 (it answers 2.3 where the probability is 0.5). Here the
// leading factor is formed in logarithms without cancellation and the fraction
// runs until it has converged, O(sqrt(a+b)) terms.
func logBetaCDF(a, b, x float64) float64 {
	switch {
	case x <= 0:
		return math.Inf(-1)
	case x >= 1:
		return 0
	case x <= (a+1)/(a+b+2):
		return logBetaTail(a, b, x, 1-x)
	}
	upper := logBetaTail(b, a, 1-x, x)
	switch {
	case upper >= 0: // rounding
		return math.Inf(-1)
	case upper > -math.Ln2:
		return math.Log(-math.Expm1(upper))
	}
	return math.Log1p(-math.Exp(upper))
}

// logBetaTail is logBetaCDF for x left of the mean, y = 1-x.
func logBetaTail(a, b, x, y float64) float64 {
	n := a + b
	// x^a y^b / (a B(a,b)) by Stirling's formula, see dirichletLogE.
	dev := a - float64(n*x)
	front := -float64(n*x*excess(dev/(n*x))) - float64(n*y*excess(-dev/(n*y)))
	front += math.Log(b/(n*a)/(2*math.Pi))/2 + stirlingRest(n) - stirlingRest(a) - stirlingRest(b)
	return front - math.Log(betaFraction(a, b, x))
}

// betaFraction evaluates the continued fraction 1 + d1/(1 + d2/(1 + ...)) of the
// incomplete beta function by Lentz's method. It converges quickly for x up to
// the mean.
func betaFraction(a, b, x float64) float64 {
	const (
		eps  = 1e-16
		tiny = 1e-300
	)
	f, c, d := 1.0, 1.0, 0.0
	for m := 0.0; m < 1e7; m++ {
		var coef float64
		for half := range 2 {
			if half == 0 { // d_{2m+1}
				coef = -(a + m) / (a + 2*m) * ((a + b + m) / (a + 2*m + 1)) * x
			} else { // d_{2m+2}
				coef = (m + 1) / (a + 2*m + 1) * ((b - m - 1) / (a + 2*m + 2)) * x
			}
			d = 1 / nonzero(1+float64(coef*d), tiny)
			c = nonzero(1+coef/c, tiny)
			f *= c * d
			if math.Abs(c*d-1) <= eps {
				return f
			}
		}
	}
	return f
}

func nonzero(x, tiny float64) float64 {
	if math.Abs(x) < tiny {
		return tiny
	}
	return x
}
