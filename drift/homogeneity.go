package drift

import "math"

// ChiSquare returns Pearson's statistic of the two-sample test of equal shares.
//
// Value is X2 = sum over samples and cells of (O-E)^2/E, which grows with the
// samples for one and the same drift: it says how sure a difference is, not how
// large. Both samples count as noisy; taking the reference for the truth, as a
// goodness-of-fit test does, turns 5% of false alarms into 50% when the samples
// are of one size. No continuity correction. Corrected and Interval are about
// the non-centrality parameter, which is 0 without drift. The contributions are
// (q-p)^2/h / (1/n+1/m), h the pooled share, and add up to X2.
//
// Special cases, errors are those of [PSI]; an expected count below 5 gives the
// warning expected_below_5. The same test on bare counts is [stats.Homogeneity].
func ChiSquare(c Cells, o Options) (Divergence, error) {
	v, err := newComparison("ChiSquare", c, o)
	if err != nil {
		return Divergence{}, err
	}
	terms := v.terms(func(i int) float64 {
		p, q := v.shares(i)
		return float64((q-p)*(q-p)) / v.pooled(i) / v.scale
	})
	d := v.divergence("chi_square", "Pearson chi-square, two-sample", terms)
	return v.chiSquare(d, terms, 1, math.Inf(1), same)
}

// G returns the likelihood-ratio statistic of the two-sample test of equal
// shares, 2 sum O log(O/E). Its law without drift, and all else, is that of
// [ChiSquare]. For samples of one size G (1/n+1/m) is [PSIEquivalent].
func G(c Cells, o Options) (Divergence, error) {
	v, err := newComparison("G", c, o)
	if err != nil {
		return Divergence{}, err
	}
	terms := v.terms(func(i int) float64 {
		p, q := v.shares(i)
		h := p + float64((q-p)*(v.m/(v.n+v.m))) // exactly p when q is
		return 2 * (float64(v.n*deviance(p, h)) + float64(v.m*deviance(q, h)))
	})
	d := v.divergence("g", "likelihood-ratio G, two-sample", terms)
	return v.chiSquare(d, terms, 1, math.Inf(1), same)
}

// deviance is o log(o/e) + e - o, not negative.
func deviance(o, e float64) float64 {
	if o == 0 {
		return e
	}
	return max(0, float64(o*logRatio(o, e))-(o-e))
}
