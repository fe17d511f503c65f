package stats

import (
	"fmt"
	"math"
)

// rankExactMax bounds n and m for the exact distribution of the rank sum when a
// caller does not ask for it: both sizes must be below it.
const rankExactMax = 50

// MannWhitneyOptions configures [MannWhitney]. The zero value is the two-sided
// test with a 95% interval.
type MannWhitneyOptions struct {
	Alternative  Alternative // about x relative to y: Greater means that x tends to be larger
	Null         float64     // shift of x against y under the null hypothesis; default 0
	Level        float64     // of the effect interval, in (0,1); 0 means 0.95
	Asymptotic   bool        // use the normal approximation whatever the sizes
	NoContinuity bool        // leave out the continuity correction of the approximation
}

// MannWhitneyResult is the outcome of a Mann-Whitney test.
type MannWhitneyResult struct {
	U           float64  // pairs with x - Null above y, ties counting one half
	Superiority Interval // P(x - Null > y) + P(x - Null = y)/2, the common-language effect size; two-sided
	Z           float64  // standardised U of the approximation; 0 when Exact
	P           float64
	LogP        float64 // log of P, finite when P underflows to 0
	N, M        uint64  // sizes of x and y
	Exact       bool    // P is from the exact distribution of U
	Null        float64
	Alternative Alternative
	Method      string
	Warnings    []Warning // ties, degenerate
}

// MannWhitney tests whether values of x tend to be larger or smaller than those
// of y (the Wilcoxon rank-sum test), and estimates how often they are.
//
//	U = #{x > y} + #{x = y}/2,   Superiority = U/(nm)
//
// Without ties and with both sizes below 50, P is exact. Otherwise
//
//	Z = (U - nm/2 - c) / s,  s^2 = nm/12 (N+1 - sum(t^3-t)/(N(N-1))),  N = n+m
//
// where t runs over the sizes of the tied groups and c is 1/2 in the direction
// of the alternative (of U - nm/2, when two-sided; 0 when that is 0).
//
// The interval of Superiority is Newcombe's: the values θ for which
// |U/(nm) - θ| <= z sqrt(V(θ)), with Hanley and McNeil's variance
//
//	V(θ) = θ(1-θ) [1 + k(1-θ)/(2-θ) + kθ/(1+θ)] / (nm),  k = N/2 - 1
//
// It stays inside [0,1] and does not collapse when the samples do not overlap.
//
// Assumptions: independent values. The null is that of one common distribution:
// with unequal spreads a Superiority of 1/2 can be rejected too often or too
// seldom. Values of one time series are not independent, and then P is too small.
//
// Special cases are:
//
//	all values equal    P = 1, warning "degenerate"
//	±Inf                ordered like any value
//
// Errors: [ErrEmpty] for an empty sample, [ErrDomain] for a NaN or an impossible
// option. Cost: sorting, and (nm)^2/4 steps when exact.
//
// References: Mann and Whitney, Annals of Mathematical Statistics 18 (1947).
// Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3rd ed.
// (2014), section 4.1. Newcombe, Confidence intervals for an effect size measure
// based on the Mann-Whitney statistic, part 2, Statistics in Medicine 25 (2006),
// method 5.
func MannWhitney(x, y []float64, o MannWhitneyOptions) (MannWhitneyResult, error) {
	const name = "MannWhitney"
	level, err := levelOrDefault(name, o.Level)
	if err != nil {
		return MannWhitneyResult{}, err
	}
	if err := checkAlternative(name, o.Alternative); err != nil {
		return MannWhitneyResult{}, err
	}
	if math.IsNaN(o.Null) || math.IsInf(o.Null, 0) {
		return MannWhitneyResult{}, fmt.Errorf("stats: %s: null shift %v: %w", name, o.Null, ErrDomain)
	}
	xs, err := sortedSample(name, "x", x)
	if err != nil {
		return MannWhitneyResult{}, err
	}
	ys, err := sortedSample(name, "y", y)
	if err != nil {
		return MannWhitneyResult{}, err
	}
	c := comparePairs(xs, ys, o.Null)
	r := MannWhitneyResult{
		U: c.u, N: uint64(len(xs)), M: uint64(len(ys)),
		Exact: !o.Asymptotic && c.ties == 0 && len(xs) < rankExactMax && len(ys) < rankExactMax,
		Null:  o.Null, Alternative: o.Alternative,
		Method: "Mann-Whitney, normal approximation",
	}
	switch s := c.sd(); {
	case r.Exact:
		r.Method = "Mann-Whitney, exact"
		r.LogP = math.Log(rankSumP(c.u, rankSumLaw(len(xs), len(ys)), o.Alternative))
	case s == 0:
		r.Warnings = append(r.Warnings, Warning{WarnDegenerate, "all values are equal"})
	default:
		if c.ties > 0 {
			r.Warnings = append(r.Warnings, Warning{WarnTies, "tied values: P is from the normal approximation"})
		}
		r.Z = c.z(o.Alternative, !o.NoContinuity)
		r.LogP = logNormalP(r.Z, o.Alternative)
	}
	r.P = math.Exp(r.LogP)
	r.Superiority, err = superiority(c.u/(c.n*c.m), c.n, c.m, level)
	if err != nil {
		return MannWhitneyResult{}, fmt.Errorf("stats: %s: U %v of %v pairs: %w", name, c.u, c.n*c.m, err)
	}
	return r, nil
}

// pairs summarises the comparison of every x with every y.
type pairs struct {
	n, m float64
	u    float64 // pairs with x above y, ties one half
	ties float64 // sum of t^3 - t over tied groups of the pooled sample
}

// comparePairs merges the sorted samples xs, shifted down by d, and ys.
func comparePairs(xs, ys []float64, d float64) pairs {
	p := pairs{n: float64(len(xs)), m: float64(len(ys))}
	tiedGroups(xs, ys, d, func(_, _, j0, cx, cy float64) {
		p.u += float64(cx * (j0 + cy/2))
		if g := cx + cy; g > 1 {
			p.ties += float64(g * (g - 1) * (g + 1))
		}
	})
	return p
}

// sd is the standard deviation of u under the null.
func (p pairs) sd() float64 {
	total := p.n + p.m
	return math.Sqrt(p.n * p.m / 12 * (total + 1 - p.ties/(total*(total-1))))
}

// aboveHalf is u minus its mean under the null, a multiple of 1/2.
func (p pairs) aboveHalf() float64 { return p.u - float64(p.n*p.m)/2 }

// z is the standardised u.
func (p pairs) z(alt Alternative, continuity bool) float64 {
	d := p.aboveHalf()
	c := 0.0
	if continuity {
		switch c = 0.5; alt {
		case Different:
			c *= float64(signum(d))
		case Less:
			c = -c
		}
	}
	return (d - c) / p.sd()
}

// rankSumLaw returns the null probabilities of U = 0, 1, ..., nm. The largest of
// i values of x and j of y is an x with probability i/(i+j), and then adds j:
//
//	p(i,j,u) = i/(i+j) p(i-1,j,u-j) + j/(i+j) p(i,j-1,u)
func rankSumLaw(n, m int) []float64 {
	above := make([][]float64, m+1) // p(i-1,j,·) over j
	for j := range above {
		above[j] = []float64{1}
	}
	for i := 1; i <= n; i++ {
		row := make([][]float64, m+1)
		row[0] = []float64{1}
		for j := 1; j <= m; j++ {
			p := make([]float64, i*j+1)
			wx, wy := float64(i)/float64(i+j), float64(j)/float64(i+j)
			for u, v := range above[j] {
				p[u+j] += float64(wx * v)
			}
			for u, v := range row[j-1] {
				p[u] += float64(wy * v)
			}
			row[j] = p
		}
		above = row
	}
	return above[m]
}

// rankSumP is the p-value of U under law; two-sided, twice the smaller tail.
func rankSumP(u float64, law []float64, alt Alternative) float64 {
	var lower, upper float64
	for v, p := range law {
		if float64(v) <= u {
			lower += p
		}
		if float64(v) >= u {
			upper += p
		}
	}
	switch alt {
	case Less:
		return min(1, lower)
	case Greater:
		return min(1, upper)
	}
	return min(1, 2*min(lower, upper))
}

// superiority is Newcombe's interval for theta; see [MannWhitney].
func superiority(theta, n, m, level float64) (Interval, error) {
	z := twoSidedZ(level)
	k := (n+m)/2 - 1
	v := Interval{Point: theta, Lo: 0, Hi: 1, Level: level}
	// lower solves theta - t = z sqrt(V(t)); V has the symmetry t -> 1-t, so
	// the upper end is that of 1-theta, mirrored. V(1) = 0, so t = 1 is a false
	// root for theta = 1.
	lower := func(theta float64) (float64, error) {
		return rootBetween(func(t float64) float64 {
			s := 1 - t
			return theta - t - float64(z*math.Sqrt(t*s*(1+k*s/(2-t)+k*t/(1+t))/(n*m)))
		}, 0, min(theta, 1-0x1p-40))
	}
	var err error
	if theta > 0 {
		if v.Lo, err = lower(theta); err != nil {
			return Interval{}, err
		}
	}
	if theta < 1 {
		hi, err := lower(1 - theta)
		if err != nil {
			return Interval{}, err
		}
		v.Hi = 1 - hi
	}
	return v, nil
}
