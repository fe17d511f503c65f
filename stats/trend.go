package stats

import (
	"fmt"
	"math"
	"slices"
)

// kendallExactMax bounds n for the exact distribution of Kendall's S, and
// theilSenMax the number of points whose pairwise slopes are held in memory.
const (
	kendallExactMax = 50
	theilSenMax     = 4000
)

// TrendOptions configures [MannKendall].
type TrendOptions struct {
	Alternative  Alternative // Greater: values rise with time
	Asymptotic   bool        // use the normal approximation whatever the size
	NoContinuity bool        // leave out the continuity correction of the approximation
}

// TrendResult is the outcome of a Mann-Kendall test.
type TrendResult struct {
	S           int64   // rising pairs minus falling pairs
	Tau         float64 // Kendall's tau-b, in [-1,1]; 0 when times or values are constant
	Variance    float64 // of S under the null, ties allowed for
	Z           float64 // standardised S of the approximation; 0 when there is no variance
	P           float64
	LogP        float64 // log of P, finite when P underflows to 0
	N           uint64
	Exact       bool // P is from the exact distribution of S
	Alternative Alternative
	Method      string
	Warnings    []Warning // ties, degenerate
}

// MannKendall tests for a monotone trend of values over time; it is Kendall's
// rank correlation test of times and values. times may be nil for values in
// order of time, and need not be sorted.
//
//	S = sum over pairs i < j of sign(t_j - t_i) sign(v_j - v_i)
//	Z = (S - c) / sqrt(Var S),  c = ±1 in the direction of the alternative (of S, when two-sided)
//
// with the variance of Kendall (1970) for ties in both. Without ties and below
// 50 points P is exact, from the distribution of the number of inversions, for
// which S of a strictly monotone series has P = 2/n!: four points cannot reach
// 0.05.
//
// Assumptions: independent values. Points of overlapping windows, and smooth
// series, are not, and P is then far too small: test the raw items.
//
// Special cases are: constant times or values give S = 0, P = 1 and the warning
// "degenerate"; ±Inf is ordered like any value.
//
// Errors: [ErrEmpty] for no values, [ErrMismatch] for times of another length,
// [ErrDomain] for a NaN or an unknown alternative. Cost: n log n; n^3 when exact.
//
// References: Mann, Nonparametric tests against trend, Econometrica 13 (1945).
// Kendall, Rank Correlation Methods, 4th ed. (1970). Knight, A computer method
// for calculating Kendall's tau with ungrouped data, JASA 61 (1966).
func MannKendall(times, values []float64, o TrendOptions) (TrendResult, error) {
	const name = "MannKendall"
	if err := checkAlternative(name, o.Alternative); err != nil {
		return TrendResult{}, err
	}
	pts, err := sortedSeries(name, times, values)
	if err != nil {
		return TrendResult{}, err
	}
	n := float64(len(pts))
	// Pairs tied in time, in value and in both; then the pairs that fall.
	tiedT := tieSizes(len(pts), func(i int) bool { return pts[i].t == pts[i-1].t })
	tiedBoth := tieSizes(len(pts), func(i int) bool { return pts[i] == pts[i-1] })
	v := make([]float64, len(pts))
	for i, p := range pts {
		v[i] = p.v
	}
	falling := sortCountingInversions(v, make([]float64, len(v)))
	tiedV := tieSizes(len(v), func(i int) bool { return v[i] == v[i-1] })
	pairs := n * (n - 1) / 2
	pt, pv, ptv := tiedPairs(tiedT), tiedPairs(tiedV), tiedPairs(tiedBoth)
	s := pairs - pt - pv + ptv - 2*float64(falling)
	r := TrendResult{S: int64(s), N: uint64(len(pts)), Alternative: o.Alternative}
	r.Variance = kendallVariance(n, tiedT, tiedV)
	if d := (pairs - pt) * (pairs - pv); d > 0 {
		r.Tau = s / math.Sqrt(d)
	}
	r.Exact = !o.Asymptotic && pt+pv == 0 && len(pts) < kendallExactMax
	r.Method = "Mann-Kendall, normal approximation"
	switch {
	case r.Variance <= 0:
		r.Variance, r.Exact = 0, false
		r.Warnings = append(r.Warnings, Warning{WarnDegenerate, "fewer than two distinct times or values"})
	case r.Exact:
		r.Method = "Mann-Kendall, exact"
		r.LogP = math.Log(rankSumP(float64(falling), inversionLaw(len(pts)), -o.Alternative))
	case pt+pv > 0:
		r.Warnings = append(r.Warnings, Warning{WarnTies, "tied values: P is from the normal approximation"})
	}
	if r.Variance > 0 {
		c := 0.0
		if !o.NoContinuity {
			if c = float64(o.Alternative); o.Alternative == Different {
				c = float64(signum(s))
			}
		}
		r.Z = (s - c) / math.Sqrt(r.Variance)
		if !r.Exact {
			r.LogP = logNormalP(r.Z, o.Alternative)
		}
	}
	r.P = math.Exp(r.LogP)
	return r, nil
}

// SlopeResult is a Theil-Sen line.
type SlopeResult struct {
	Slope     Interval // change of the value per unit of time
	Intercept float64  // median value - Slope * median time
	N         uint64   // points
	Pairs     uint64   // pairs with distinct times
	Method    string
	Warnings  []Warning // small_sample
}

// TheilSen estimates the slope of values over time as the median of the slopes of
// all pairs of points with distinct times, which up to 29% of wild points cannot
// move far. times may be nil for values at 0, 1, 2, ...
//
// The interval cuts k slopes off each end, k = (P - z sd(S))/2 rounded, with P
// the number of slopes and S Kendall's statistic under the null (Sen 1968). Ends
// beyond the slopes are infinite, with the warning "small_sample".
//
// Assumptions: as [MannKendall], and a linear trend.
//
// Errors: [ErrEmpty] for no values, [ErrMismatch] for times of another length,
// [ErrDomain] for a value that is not finite, a level outside (0,1), fewer than
// two distinct times, or more than 4000 points. Cost: all pairs are sorted.
//
// References: Theil, Indagationes Mathematicae 12 (1950). Sen, Estimates of the
// regression coefficient based on Kendall's tau, JASA 63 (1968).
func TheilSen(times, values []float64, level float64) (SlopeResult, error) {
	const name = "TheilSen"
	if err := CheckLevel(level); err != nil {
		return SlopeResult{}, fmt.Errorf("stats: %s: %w", name, err)
	}
	pts, err := sortedSeries(name, times, values)
	if err != nil {
		return SlopeResult{}, err
	}
	n := len(pts)
	if n > theilSenMax {
		return SlopeResult{}, fmt.Errorf("stats: %s: %d points are above %d: %w", name, n, theilSenMax, ErrDomain)
	}
	t, v := make([]float64, n), make([]float64, n)
	for i, p := range pts {
		if math.IsInf(p.t, 0) || math.IsInf(p.v, 0) {
			return SlopeResult{}, fmt.Errorf("stats: %s: point (%v, %v): %w", name, p.t, p.v, ErrDomain)
		}
		t[i], v[i] = p.t, p.v
	}
	var slopes []float64
	for j := range pts {
		for i := range j {
			if dt := t[j] - t[i]; dt > 0 {
				slopes = append(slopes, (v[j]-v[i])/dt)
			}
		}
	}
	if len(slopes) == 0 {
		return SlopeResult{}, fmt.Errorf("stats: %s: %d points at one time: %w", name, n, ErrDomain)
	}
	slices.Sort(slopes)
	slices.Sort(v)
	r := SlopeResult{N: uint64(n), Pairs: uint64(len(slopes)), Method: "Theil-Sen"}
	r.Slope = Interval{Point: quantileOf(slopes, 0.5, Type7), Lo: math.Inf(-1), Hi: math.Inf(1), Level: level}
	r.Intercept = quantileOf(v, 0.5, Type7) - float64(r.Slope.Point*quantileOf(t, 0.5, Type7))
	tiedT := tieSizes(n, func(i int) bool { return t[i] == t[i-1] })
	tiedV := tieSizes(n, func(i int) bool { return v[i] == v[i-1] })
	sd := math.Sqrt(max(0, kendallVariance(float64(n), tiedT, tiedV)))
	k := int(math.RoundToEven((float64(len(slopes)) - float64(twoSidedZ(level)*sd)) / 2))
	if k < 1 {
		r.Warnings = append(r.Warnings, Warning{WarnSmallSample, fmt.Sprintf("%d points are too few for both ends at level %v", n, level)})
		return r, nil
	}
	r.Slope.Lo, r.Slope.Hi = slopes[k-1], slopes[len(slopes)-k]
	return r, nil
}

type seriesPoint struct{ t, v float64 }

// sortedSeries returns the points in order of time, then of value.
func sortedSeries(fn string, times, values []float64) ([]seriesPoint, error) {
	if len(values) == 0 {
		return nil, fmt.Errorf("stats: %s: no values: %w", fn, ErrEmpty)
	}
	if times != nil && len(times) != len(values) {
		return nil, fmt.Errorf("stats: %s: %d times and %d values: %w", fn, len(times), len(values), ErrMismatch)
	}
	pts := make([]seriesPoint, len(values))
	for i, v := range values {
		t := float64(i)
		if times != nil {
			t = times[i]
		}
		if math.IsNaN(t) || math.IsNaN(v) {
			return nil, fmt.Errorf("stats: %s: point %d is (%v, %v): %w", fn, i, t, v, ErrDomain)
		}
		pts[i] = seriesPoint{t, v}
	}
	slices.SortFunc(pts, func(a, b seriesPoint) int {
		if a.t != b.t {
			return signum(a.t - b.t)
		}
		return signum(a.v - b.v)
	})
	return pts, nil
}

// tieSizes returns the lengths, above 1, of the runs in 0..n-1 that same(i),
// "i equals i-1", defines.
func tieSizes(n int, same func(i int) bool) []float64 {
	var out []float64
	run := 1.0
	for i := 1; i <= n; i++ {
		if i < n && same(i) {
			run++
			continue
		}
		if run > 1 {
			out = append(out, run)
		}
		run = 1
	}
	return out
}

func tiedPairs(sizes []float64) float64 {
	p := 0.0
	for _, s := range sizes {
		p += s * (s - 1) / 2
	}
	return p
}

// kendallVariance is the null variance of S for n points with the given ties.
func kendallVariance(n float64, tiedT, tiedV []float64) float64 {
	sums := func(sizes []float64) (a, b, c float64) {
		for _, s := range sizes {
			a += float64(s * (s - 1) * (s + s + 5))
			b += float64(s * (s - 1))
			c += float64(s * (s - 1) * (s - 2))
		}
		return a, b, c
	}
	at, bt, ct := sums(tiedT)
	av, bv, cv := sums(tiedV)
	v := (float64(n*(n-1)*(n+n+5)) - at - av) / 18
	if n > 1 {
		v += bt * bv / (2 * n * (n - 1))
	}
	if n > 2 {
		v += ct * cv / (9 * n * (n - 1) * (n - 2))
	}
	return v
}

// sortCountingInversions merge-sorts v and returns how many pairs stood in
// falling order. scratch has the length of v.
func sortCountingInversions(v, scratch []float64) uint64 {
	if len(v) < 2 {
		return 0
	}
	mid := len(v) / 2
	count := sortCountingInversions(v[:mid], scratch[:mid]) + sortCountingInversions(v[mid:], scratch[mid:])
	i, j := 0, mid
	for k := range scratch {
		if j == len(v) || i < mid && v[i] <= v[j] {
			scratch[k] = v[i]
			i++
			continue
		}
		scratch[k] = v[j]
		j++
		count += uint64(mid - i)
	}
	copy(v, scratch)
	return count
}

// inversionLaw returns the probabilities of 0, 1, ... inversions in a random
// order of n values: the i-th value placed adds 0 to i-1 of them, evenly.
func inversionLaw(n int) []float64 {
	law := []float64{1}
	for i := 2; i <= n; i++ {
		next := make([]float64, len(law)+i-1)
		for k, p := range law {
			for a := range i {
				next[k+a] += p / float64(i)
			}
		}
		law = next
	}
	return law
}
