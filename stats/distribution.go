package stats

import (
	"fmt"
	"math"
)

// cvmExactMax is the largest size of either sample for which the null
// distribution of the Cramer-von Mises statistic is computed exactly.
const cvmExactMax = 20

// DistributionResult is the outcome of a two-sample test of equal distributions.
type DistributionResult struct {
	Statistic float64 // T of Cramer-von Mises, A2 of Anderson-Darling
	Scaled    float64 // the statistic on the scale of its limiting law; Statistic itself when Exact
	P         float64 // probability under the null of a statistic at least as large
	LogP      float64 // log of P, finite when P underflows to 0
	N, M      uint64  // sizes of x and y
	Exact     bool    // P is from the exact null distribution for continuous data
	Method    string
	Warnings  []Warning // ties, asymptotic, unreliable_tail, small_sample, degenerate
}

// CramerVonMises tests whether x and y come from one distribution, by the mean
// square gap between their empirical distribution functions F and G:
//
//	T = nm/(n+m)^2 * sum over all values t of (F(t) - G(t))^2
//
// computed from ranks, tied values sharing their mean rank. While both samples
// hold at most 20 values, P counts the C(n+m,n) orderings: the recursion over
// (values of x passed, values of y passed) carries the distribution of the sum
// so far, so that small P keep their relative accuracy. Beyond, T is scaled to
// the mean and variance of its limit, sum of Z_k^2/(k π)^2 with Z standard
// normal, whose tail is integrated by Smirnov's formula.
//
// Unlike the Kolmogorov-Smirnov test it weighs the whole range; it is the better
// one against many small gaps.
//
// Assumptions: independent values, continuous distributions. With ties (warning
// "ties") P is approximate. Far out in the tail the limit is a rough guide to P
// at finite n and m; a P below 1e-6 from it carries "unreliable_tail", and such
// values can be compared by order only.
//
// Special cases are: equal samples give P = 1; ±Inf is ordered like any value.
//
// Errors: [ErrEmpty] for an empty sample, [ErrDomain] for a NaN. Cost: sorting.
//
// References: Anderson, On the distribution of the two-sample Cramer-von Mises
// criterion, Annals of Mathematical Statistics 33 (1962). Xiao, Gordon and
// Yakovlev, A C++ program for the Cramer-von Mises two-sample test, Journal of
// Statistical Software 17 (2007). Smirnov (1937), as in Martynov, Computation
// of the distribution functions of quadratic forms in normal variables, Theory
// of Probability and its Applications 20 (1975).
func CramerVonMises(x, y []float64) (DistributionResult, error) {
	const name = "CramerVonMises"
	xs, err := sortedSample(name, "x", x)
	if err != nil {
		return DistributionResult{}, err
	}
	ys, err := sortedSample(name, "y", y)
	if err != nil {
		return DistributionResult{}, err
	}
	n, m := float64(len(xs)), float64(len(ys))
	// u = n sum (rank of x_i - i)^2 + m sum (rank of y_j - j)^2, and in a tied
	// group of cx and cy the mean rank is i0+j0 + (cx+cy+1)/2.
	var sumX, sumY float64
	tied := tiedGroups(xs, ys, 0, func(_, i0, j0, cx, cy float64) {
		rank := i0 + j0 + (cx+cy+1)/2
		sumX += squaresAbout(rank-i0, cx)
		sumY += squaresAbout(rank-j0, cy)
	})
	u := float64(n*sumX) + float64(m*sumY)
	nm, total := n*m, n+m
	r := DistributionResult{N: uint64(len(xs)), M: uint64(len(ys)), Method: "two-sample Cramer-von Mises, "}
	r.Statistic = max(0, u/(nm*total)-(4*nm-1)/(6*total))
	r.Exact = len(xs) <= cvmExactMax && len(ys) <= cvmExactMax
	if tied {
		r.Warnings = append(r.Warnings, Warning{WarnTies, "tied values: P is computed as for untied data"})
	}
	if r.Exact {
		r.Method += "exact"
		r.Scaled = r.Statistic
		r.LogP = math.Log(cvmExactP(len(xs), len(ys), int64(4*u)))
	} else {
		r.Method += "asymptotic"
		mean := (1 + 1/total) / 6
		variance := (total + 1) / total * (4 - (3*(n/m+m/n)+2)/total) / 4 / 45
		r.Scaled = 1.0/6 + (r.Statistic-mean)/math.Sqrt(45*variance)
		r.LogP = logCvMTail(r.Scaled)
		r.warnOfLimit()
	}
	r.P = math.Exp(r.LogP)
	return r, nil
}

// AndersonDarling tests whether x and y come from one distribution, by the
// square gap between each empirical distribution function and the pooled one H,
// weighted by 1/(H(1-H)): of the rank tests here the one most sensitive to the
// tails. With N = n+m, l_j the number of pooled values equal to the j-th
// distinct one and B_j, M_ij mean ranks (half of the ties count as below),
//
//	A2 = (N-1)/N^2 * sum over arms i of 1/n_i * sum over j of
//	     l_j (N M_ij - n_i B_j)^2 / (B_j (N-B_j) - N l_j/4)
//
// the midrank form, valid for discrete data. Its null mean is 1, its standard
// deviation s is exact for continuous data; the standardised value (A2-1)/s is
// carried to the scale of the limit, sum of Z_k^2/(k(k+1)), whose tail gives P.
// There is no table and no clipping: SciPy's anderson_ksamp, which interpolates
// in critical values, reports nothing outside [0.001, 0.25].
//
// Assumptions: independent values. For fewer than about 8 values a side the
// limit is rough ("small_sample"), and for P below 1e-6 ("unreliable_tail").
//
// Special cases are: all values equal give A2 = 0 and P = 1 with the warning
// "degenerate"; ±Inf is ordered like any value.
//
// Errors: [ErrEmpty] for an empty sample; [ErrDomain] for a NaN, or for fewer
// than 4 values in all. Cost: sorting.
//
// References: Pettitt, A two-sample Anderson-Darling rank statistic, Biometrika
// 63 (1976). Scholz and Stephens, K-sample Anderson-Darling tests, JASA 82
// (1987), equation 7.
func AndersonDarling(x, y []float64) (DistributionResult, error) {
	const name = "AndersonDarling"
	xs, err := sortedSample(name, "x", x)
	if err != nil {
		return DistributionResult{}, err
	}
	ys, err := sortedSample(name, "y", y)
	if err != nil {
		return DistributionResult{}, err
	}
	n, m := float64(len(xs)), float64(len(ys))
	total := n + m
	if total < 4 {
		return DistributionResult{}, fmt.Errorf("stats: %s: %v and %v values, need 4 together: %w", name, n, m, ErrDomain)
	}
	r := DistributionResult{N: uint64(len(xs)), M: uint64(len(ys)), Method: "two-sample Anderson-Darling, midranks, asymptotic"}
	if min(xs[0], ys[0]) == max(xs[len(xs)-1], ys[len(ys)-1]) {
		r.P = 1
		r.Warnings = append(r.Warnings, Warning{WarnDegenerate, "all values are equal"})
		return r, nil
	}
	sum := 0.0
	tiedGroups(xs, ys, 0, func(_, i0, j0, cx, cy float64) {
		l := cx + cy
		b := i0 + j0 + l/2
		gap := float64(total*(i0+cx/2)) - float64(n*b) // the same for y, with the sign changed
		sum += l * gap * gap / (float64(b*(total-b)) - total*l/4)
	})
	r.Statistic = (total - 1) / (total * total) * sum * (1/n + 1/m)
	limitSD := math.Sqrt(2 * (math.Pi*math.Pi/3 - 3))
	r.Scaled = 1 + limitSD*(r.Statistic-1)/andersonDarlingSD(n, m)
	r.LogP = logADTail(r.Scaled)
	r.P = math.Exp(r.LogP)
	r.warnOfLimit()
	if min(n, m) < 8 {
		r.Warnings = append(r.Warnings, Warning{WarnSmallSample, "fewer than 8 values on a side: the limit is rough"})
	}
	return r, nil
}

// warnOfLimit adds the caveats of a P from a limiting distribution.
func (r *DistributionResult) warnOfLimit() {
	r.Warnings = append(r.Warnings, Warning{WarnAsymptotic, "P is from the limiting distribution"})
	if r.LogP < -6*math.Ln10 {
		r.Warnings = append(r.Warnings, Warning{WarnUnreliableTail, "P below 1e-6 from a limiting distribution tells the order of magnitude at best"})
	}
}

// squaresAbout is the sum over k = 1..c of (center - k)^2.
func squaresAbout(center, c float64) float64 {
	mid := center - (c+1)/2
	return float64(c*mid*mid) + c*(c-1)*(c+1)/12
}

// cvmExactP is the share of orderings of n and m values whose sum
//
//	zeta = sum over the N steps of (a v - b u)^2,  a = lcm/m, b = lcm/n
//
// over the lattice points (u,v) passed reaches that of the data, given as four
// times u of CramerVonMises. Sums only grow, so what has reached the bound is
// counted and dropped.
func cvmExactP(n, m int, fourU int64) float64 {
	g := int64(gcd(uint64(n), uint64(m)))
	a, b := int64(n)/g, int64(m)/g
	nm := int64(n) * int64(m)
	lcm := nm / g
	// zeta = lcm^2 N (6u - nm(4nm-1)) / (6 (nm)^2); below 0 by rounding only.
	num := lcm * lcm * int64(n+m) * (6*fourU - 4*nm*(4*nm-1))
	bound := max(0, num) / (24 * nm * nm)
	type cell struct {
		sum []int64 // distinct sums below bound, ascending
		p   []float64
		hit float64 // probability of having reached the bound
	}
	row := make([]cell, m+1)
	for u := range n + 1 {
		for v := range m + 1 {
			step := a*int64(v) - b*int64(u)
			step *= step
			var left, up, c cell
			wu, wv := 0.0, 0.0
			switch {
			case u == 0 && v == 0:
				up, wu = cell{sum: []int64{0}, p: []float64{1}}, 1
			default:
				if u > 0 {
					up, wu = row[v], float64(u)/float64(u+v)
				}
				if v > 0 {
					left, wv = row[v-1], float64(v)/float64(u+v)
				}
			}
			c.hit = float64(wu*up.hit) + float64(wv*left.hit)
			for i, j := 0, 0; i < len(up.sum) || j < len(left.sum); {
				s := int64(math.MaxInt64)
				if i < len(up.sum) {
					s = up.sum[i]
				}
				if j < len(left.sum) {
					s = min(s, left.sum[j])
				}
				p := 0.0
				if i < len(up.sum) && up.sum[i] == s {
					p += float64(wu * up.p[i])
					i++
				}
				if j < len(left.sum) && left.sum[j] == s {
					p += float64(wv * left.p[j])
					j++
				}
				if s+step >= bound {
					c.hit += p
				} else {
					c.sum, c.p = append(c.sum, s+step), append(c.p, p)
				}
			}
			row[v] = c
		}
	}
	return min(1, row[m].hit)
}

// andersonDarlingSD is the null standard deviation of A2 for two samples.
func andersonDarlingSD(n, m float64) float64 {
	total := n + m
	// h = sum 1/i over i < N;  g = sum over i < j < N of 1/((N-i) j).
	h, g, tail := 1.0, 0.0, 0.0
	for i := 2.0; i < total; i++ {
		h += 1 / i
		tail += 1 / (total - i + 1)
		g += tail / i
	}
	hn := 1/n + 1/m
	// Scholz and Stephens' coefficients for two samples; products are kept from
	// fusing with sums.
	g6, g12, h2, h14, h36 := float64(6*g), float64(12*g), float64(2*h), float64(14*h), float64(36*h)
	a := float64(4*g) - 6 + float64((10-g6)*hn)
	b := g12 + float64(8*h) - 22 + float64((float64(2*g)-h14-4)*hn)
	c := h36 + 4 + float64((h2-6)*hn)
	v := float64((float64((float64(a*total)+b)*total)+c)*total) + 24
	return math.Sqrt(v / ((total - 1) * (total - 2) * (total - 3)))
}

// logCvMTail is log P(sum Z_k^2/(k π)^2 > x).
func logCvMTail(x float64) float64 {
	if x < 0.0015 { // P differs from 1 by exp(-1/(16x)) < 1e-18
		return 0
	}
	return logSmirnovTail(x, math.Pi/2,
		func(j float64) float64 { return (j + j - 1) * math.Pi },
		func(v float64) float64 { return v * v / 2 },
		func(v float64) float64 { return 2 / (math.Pi * math.Sqrt(v)) })
}

// logADTail is log P(sum Z_k^2/(k(k+1)) > x).
func logADTail(x float64) float64 {
	if x < 0.03 { // P differs from 1 by exp(-π^2/(8x)) < 1e-17
		return 0
	}
	return logSmirnovTail(x, 1,
		func(j float64) float64 { return 4*j - 1 },
		func(w float64) float64 { return (w - 1) * (w + 1) / 8 },
		func(w float64) float64 { return w / math.Sqrt(math.Pi*(w-1)*(w+1)) })
}

// logSmirnovTail is the logarithm of
//
//	sum over j >= 1 of (-1)^(j-1) integral over [lo(j), lo(j)+2 half] of
//	    weight(w) exp(-x rate(w)) / sqrt(sin(π/2 d)) dw
//
// where d, in units of half, is the distance of w to the nearer end of its
// interval. It is Smirnov's formula for the tail of sum Z_k^2/λ_k,
//
//	1/π sum (-1)^(j-1) integral over [λ_(2j-1), λ_2j] of exp(-x u/2) / (u sqrt|D(u)|) du
//
// with D(u) = prod (1 - u/λ_k), after a change of variable that turns D into a
// sine. Gauss-Chebyshev nodes take up the two inverse square roots at the ends;
// exp(-x rate(lo(1))) is taken out, which leaves a number of moderate size.
func logSmirnovTail(x, half float64, lo, rate, weight func(float64) float64) float64 {
	first := rate(lo(1))
	sum := 0.0
	for j := 1.0; ; j++ {
		start := lo(j)
		drop := x * (rate(start) - first)
		if drop > 45 {
			break
		}
		span := x * (rate(start+2*half) - rate(start))
		nodes := math.Ceil(40 + float64(7*math.Sqrt(span)))
		part := 0.0
		for k := range int(nodes) {
			theta := (float64(k) + 0.5) / nodes * math.Pi
			s, c := math.Sincos(theta / 2)
			fromLo, fromHi := 2*s*s, 2*c*c
			w := start + float64(half*fromLo)
			e := math.Exp(-x * (rate(w) - first))
			part += e * weight(w) * math.Sin(theta) / math.Sqrt(math.Sin(math.Pi/2*min(fromLo, fromHi)))
		}
		part *= half * math.Pi / nodes
		if math.Mod(j, 2) == 0 {
			part = -part
		}
		sum += part
	}
	return min(0, math.Log(sum)-float64(x*first))
}
