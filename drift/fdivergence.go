package drift

import "math"

// KLRefCur returns the Kullback-Leibler divergence of the current sample from
// the reference, in nats:
//
//	KL = sum over cells of p log(p/q)
//
// with p the share of the reference and q that of the current sample, half a
// count added to every cell on both sides. It is the mean log-likelihood ratio
// by which a row of the reference tells the two apart: it weighs what the
// reference has and the current sample lost. Without the half counts it would be
// infinite for an empty cell.
//
// Without drift 2 KL is about (1/n + 1/m) chi-square with B-1 degrees of freedom;
// Corrected, Null95, P and Interval follow as for [PSI], Interval being good for
// small drift only, as KL is not symmetric. A contribution is p log(p/q) - p + q,
// which is not negative.
//
// Special cases, errors and cost are those of [PSI].
//
// Reference: Kullback and Leibler (1951), Annals of Mathematical Statistics 22.
func KLRefCur(c Cells, o Options) (Divergence, error) {
	return kullbackLeibler("KLRefCur", "kl_ref_cur", "Kullback-Leibler divergence, reference against current", c, o, false)
}

// KLCurRef is [KLRefCur] the other way round, sum of q log(q/p): it weighs what
// the current sample has and the reference had not.
func KLCurRef(c Cells, o Options) (Divergence, error) {
	return kullbackLeibler("KLCurRef", "kl_cur_ref", "Kullback-Leibler divergence, current against reference", c, o, true)
}

func kullbackLeibler(fn, metric, method string, c Cells, o Options, swap bool) (Divergence, error) {
	v, err := newComparison(fn, c, o)
	if err != nil {
		return Divergence{}, err
	}
	terms := v.terms(func(i int) float64 {
		p, q := v.smoothed(i)
		if swap {
			p, q = q, p
		}
		return max(0, float64(p*logRatio(p, q))-(p-q))
	})
	d := v.divergence(metric, method+", half a count added to each cell, nats", terms)
	return v.chiSquare(d, terms, v.scale/2, math.Inf(1), same)
}

// JSDivergenceNats returns the Jensen-Shannon divergence, in nats:
//
//	JSD = sum over cells of [p log(p/h) + q log(q/h)]/2,  h = (p+q)/2
//
// It is symmetric, at most log 2, and finite without smoothing. Libraries give
// under the same name the divergence in nats, the divergence in bits, and the
// square root of either: see [JSDistanceBase2], and [PSIEquivalent], which is
// 8 times this.
//
// Without drift 8 JSD is about (1/n + 1/m) chi-square with B-1 degrees of
// freedom; the rest follows as for [PSI].
//
// Reference: Lin (1991), IEEE Transactions on Information Theory 37.
func JSDivergenceNats(c Cells, o Options) (Divergence, error) {
	v, err := newComparison("JSDivergenceNats", c, o)
	if err != nil {
		return Divergence{}, err
	}
	terms := v.terms(v.jensenShannon)
	d := v.divergence("js_divergence_nats", "Jensen-Shannon divergence, nats", terms)
	return v.chiSquare(d, terms, v.scale/8, math.Ln2, same)
}

// JSDistanceBase2 returns the Jensen-Shannon distance with logarithms of base 2,
// sqrt(JSD/log 2), a metric between 0 and 1.
//
// Near no drift a distance grows like the root of a divergence: 0.1 here is a
// PSI of about 0.055, and pure noise passes it in most comparisons of 100 rows.
// All fields are roots of those of the divergence, but for the contributions,
// which add up to the square.
//
// Special cases, errors and cost are those of [PSI].
//
// Reference: Endres and Schindelin (2003), IEEE Transactions on Information
// Theory 49.
func JSDistanceBase2(c Cells, o Options) (Divergence, error) {
	v, err := newComparison("JSDistanceBase2", c, o)
	if err != nil {
		return Divergence{}, err
	}
	terms := v.terms(func(i int) float64 { return v.jensenShannon(i) / math.Ln2 })
	d := v.divergence("js_distance_base2", "Jensen-Shannon distance, base 2", terms)
	return v.chiSquare(d, terms, v.scale/(8*math.Ln2), 1, math.Sqrt)
}

// Hellinger returns the Hellinger distance,
//
//	H = sqrt(sum over cells of (sqrt p - sqrt q)^2 / 2)
//
// between 0 and 1. Without drift 8 H^2 is about (1/n + 1/m) chi-square with B-1
// degrees of freedom. As for [JSDistanceBase2], fields are roots and the
// contributions add up to the square.
//
// Special cases, errors and cost are those of [PSI].
//
// Reference: Le Cam and Yang (2000), Asymptotics in Statistics, 2nd ed.
func Hellinger(c Cells, o Options) (Divergence, error) {
	v, err := newComparison("Hellinger", c, o)
	if err != nil {
		return Divergence{}, err
	}
	terms := v.terms(func(i int) float64 {
		p, q := v.shares(i)
		g := math.Sqrt(p) - math.Sqrt(q)
		return float64(g*g) / 2
	})
	d := v.divergence("hellinger", "Hellinger distance", terms)
	return v.chiSquare(d, terms, v.scale/8, 1, math.Sqrt)
}

// jensenShannon is the term of a cell: h f(d) with h = (p+q)/2, d = (p-q)/(p+q)
// and f(d) = [(1+d) log(1+d) + (1-d) log(1-d)]/2 = d^2/2 + d^4/12 + d^6/30 + ...
func (v comparison) jensenShannon(i int) float64 {
	p, q := v.shares(i)
	d := math.Abs(p-q) / (p + q)
	f := math.Ln2
	switch {
	case d < 0.03:
		s := float64(d * d)
		f = 1.0/56 + s/90
		f = 1.0/30 + float64(s*f)
		f = 1.0/12 + float64(s*f)
		f = float64(s * (1.0/2 + float64(s*f)))
	case d < 1:
		f = (float64((1+d)*math.Log1p(d)) + float64((1-d)*math.Log1p(-d))) / 2
	}
	return float64((p + q) / 2 * f)
}
