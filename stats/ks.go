package stats

import (
	"fmt"
	"math"
)

// ksExactMax is the largest size of either sample for which the null
// distribution of D is computed exactly.
const ksExactMax = 10000

// KSOptions configures [KolmogorovSmirnov]. The zero value is the two-sided
// test, exact while both samples hold at most 10000 values.
type KSOptions struct {
	// Alternative is about the distribution function of x relative to that of
	// y: Greater means that x's lies above, that is, x tends to be smaller.
	Alternative Alternative
	Asymptotic  bool // use the limiting distribution whatever the sizes
}

// KSResult is the outcome of a two-sample Kolmogorov-Smirnov test.
type KSResult struct {
	D           float64     // largest gap between the two distribution functions, in [0,1]
	Where       float64     // the value at which D is first reached; from KSBinned, the index of the cell at whose end it is
	Sign        int         // +1: x's function is above y's there; -1: below; 0 when D is 0
	Missed      float64     // KSBinned: D of the raw values is at most D+Missed; else 0
	P           float64     // probability under the null of a gap at least as large
	LogP        float64     // log of P, finite when P underflows to 0
	N, M        uint64      // sizes of x and y
	Alternative Alternative // which gaps count
	Exact       bool        // P is from the exact null distribution for continuous data
	Method      string      // for people
	Warnings    []Warning   // ties, asymptotic, binned
}

// KolmogorovSmirnov tests whether x and y come from one distribution, by the
// largest gap between their empirical distribution functions F and G:
//
//	D = max over t of |F(t) - G(t)|    (F-G for Greater, G-F for Less)
//
// D is found in integers, so it is exact. While both samples hold at most 10000
// values, P is the share of the C(n+m,n) orderings whose gap reaches D, found by
// the recursion over the lattice of (values of x passed, values of y passed)
// that carries the probability of having left the band, without cancellation.
// Beyond that size P comes from the limit, see [KSTail].
//
// Assumptions: independent values, continuous distributions. With ties (warning
// "ties") P is that of untied data with the same D, which is too large, never
// too small.
//
// Special cases are:
//
//	equal samples    D = 0, P = 1
//	±Inf             ordered like any value
//
// Errors: [ErrEmpty] for an empty sample, [ErrDomain] for a NaN or an unknown
// alternative.
//
// Cost: sorting, and for the exact P about 2 D n m steps (n m for a one-sided
// one, D n when n = m).
//
// References: Hodges, The significance probability of the Smirnov two-sample
// test, Arkiv för Matematik 3 (1958). Schröer and Trenkler, Exact and
// randomization distributions of Kolmogorov-Smirnov tests, Computational
// Statistics & Data Analysis 20 (1995).
func KolmogorovSmirnov(x, y []float64, o KSOptions) (KSResult, error) {
	const name = "KolmogorovSmirnov"
	if err := checkAlternative(name, o.Alternative); err != nil {
		return KSResult{}, err
	}
	xs, err := sortedSample(name, "x", x)
	if err != nil {
		return KSResult{}, err
	}
	ys, err := sortedSample(name, "y", y)
	if err != nil {
		return KSResult{}, err
	}
	n, m := uint64(len(xs)), uint64(len(ys))
	r := KSResult{N: n, M: m, Alternative: o.Alternative}
	g := gcd(n, m)
	a, b := int64(m/g), int64(n/g) // F-G = (i*a - j*b) / lcm
	best := int64(0)
	tied := tiedGroups(xs, ys, 0, func(t, i0, j0, cx, cy float64) {
		gap := int64(i0+cx)*a - int64(j0+cy)*b
		if h := ksSide(gap, o.Alternative); h > best {
			best, r.Where, r.Sign = h, t, signum(float64(gap))
		}
	})
	if best == 0 {
		r.Where = min(xs[0], ys[0])
	}
	r.D = float64(best) / float64(int64(n)*a)
	if tied {
		r.Warnings = append(r.Warnings, Warning{WarnTies, "tied values: P is computed as for untied data and is too large"})
	}
	r.Exact = !o.Asymptotic && n <= ksExactMax && m <= ksExactMax
	r.finish()
	return r, nil
}

// KSBinned is the Kolmogorov-Smirnov test on counts of the same ordered cells,
// such as two histograms with equal edges.
//
//	D = max over cells k of |F_k - G_k|    (F, G: cumulative shares)
//
// The gap inside a cell is not seen, so D is at most that of the raw values and
// P is at least theirs: the test is conservative. Missed bounds what was lost:
// inside cell k, with shares f_k and g_k, the gap cannot exceed
// max(F_(k-1) - G_(k-1) + f_k, G_(k-1) - F_(k-1) + g_k), so Missed never
// exceeds the largest share of one cell in either arm. When Missed is 0 the
// result is that of the raw values.
//
// The result carries the warning "binned" unless Missed is 0. P is exact for
// untied data of the same D while both totals are at most 10000.
//
// Errors: [ErrMismatch] when the slices differ in length, [ErrEmpty] when
// either total is 0, [ErrDomain] when a total overflows.
//
// Cost: one pass over the cells, then as [KolmogorovSmirnov].
func KSBinned(ref, cur []uint64) (KSResult, error) {
	const name = "KSBinned"
	if len(ref) != len(cur) {
		return KSResult{}, fmt.Errorf("stats: %s: %d and %d cells: %w", name, len(ref), len(cur), ErrMismatch)
	}
	n, err := sumCounts(ref)
	if err != nil {
		return KSResult{}, fmt.Errorf("stats: %s: ref: %w", name, err)
	}
	m, err := sumCounts(cur)
	if err != nil {
		return KSResult{}, fmt.Errorf("stats: %s: cur: %w", name, err)
	}
	if n == 0 || m == 0 {
		return KSResult{}, fmt.Errorf("stats: %s: totals %d and %d: %w", name, n, m, ErrEmpty)
	}
	r := KSResult{N: n, M: m}
	var i, j uint64
	bound := 0.0
	for k := range ref {
		before := ksShareGap(i, n, j, m)
		bound = max(bound, before+float64(ref[k])/float64(n), float64(cur[k])/float64(m)-before)
		i, j = i+ref[k], j+cur[k]
		gap := ksShareGap(i, n, j, m)
		if d := math.Abs(gap); d > r.D {
			r.D, r.Where, r.Sign = d, float64(k), 1
			if gap < 0 {
				r.Sign = -1
			}
		}
	}
	// Differences of shares carry rounding; a few ulps are not a missed gap.
	if missed := bound - r.D; missed > 1e-15 {
		r.Missed = min(missed, 1-r.D)
		r.Warnings = append(r.Warnings, Warning{WarnBinned, fmt.Sprintf("gaps inside a cell are not seen: D of the raw values is at most %.4g, and P is at least theirs", r.D+r.Missed)})
	}
	r.Exact = n <= ksExactMax && m <= ksExactMax
	r.finish()
	return r, nil
}

// KSTail returns the probability, and its logarithm, that the two-sided
// two-sample Kolmogorov-Smirnov distance of samples of n and m untied values
// from one continuous distribution is at least d.
//
// With exact it counts orderings, see [KolmogorovSmirnov]; d stands for the
// smallest attainable distance not below it. Otherwise it is the limit
//
//	p = 2 * sum over k >= 1 of (-1)^(k-1) exp(-2 k^2 z^2),  z = d sqrt(nm/(n+m))
//
// whose error is of order 1/sqrt(nm/(n+m)) near p = 1/2; far out in the tail
// the limit is too large.
//
// Special cases are: d = 0 gives 1. A p below 1e-308 may be returned as 0; its
// logarithm stays finite, but with exact and n != m it is not resolved below
// 1e-600: there it is that of the limit, which is too large, or of 1e-600.
//
// Errors: [ErrEmpty] when n or m is 0; [ErrDomain] when d is not in [0,1], or
// exact is asked for n or m above 10000.
//
// Cost: exact, about 2 d n m steps (h = d n steps when n = m); else constant.
//
// References: Kolmogorov (1933) and Smirnov (1939), as in Feller, On the
// Kolmogorov-Smirnov limit theorems, Annals of Mathematical Statistics 19
// (1948).
func KSTail(d float64, n, m uint64, exact bool) (p, logp float64, err error) {
	switch {
	case n == 0 || m == 0:
		return 0, 0, fmt.Errorf("stats: KSTail: samples of %d and %d: %w", n, m, ErrEmpty)
	case !(d >= 0 && d <= 1):
		return 0, 0, fmt.Errorf("stats: KSTail: distance %v is not in [0,1]: %w", d, ErrDomain)
	case exact && (n > ksExactMax || m > ksExactMax):
		return 0, 0, fmt.Errorf("stats: KSTail: samples of %d and %d are above %d, the limit of the exact form: %w", n, m, ksExactMax, ErrDomain)
	case exact:
		logp = ksExactLog(d, n, m, Different)
	default:
		logp = ksLimitLog(d, n, m, Different)
	}
	return math.Exp(logp), logp, nil
}

// finish sets the p-value and the method.
func (r *KSResult) finish() {
	r.Method = "two-sample Kolmogorov-Smirnov, "
	if r.Exact {
		r.Method += "exact"
		r.LogP = ksExactLog(r.D, r.N, r.M, r.Alternative)
	} else {
		r.Method += "asymptotic"
		r.Warnings = append(r.Warnings, Warning{WarnAsymptotic, "P is from the limiting distribution"})
		r.LogP = ksLimitLog(r.D, r.N, r.M, r.Alternative)
	}
	r.P = math.Exp(r.LogP)
}

// ksSide is the part of a signed gap that counts under the alternative.
func ksSide(gap int64, alt Alternative) int64 {
	switch alt {
	case Less:
		return -gap
	case Greater:
		return gap
	}
	return max(gap, -gap)
}

// ksShareGap is i/n - j/m.
func ksShareGap(i, n, j, m uint64) float64 {
	return float64(i)/float64(n) - float64(j)/float64(m)
}

// ksLimitLog is the logarithm of the limiting tail probability. Below z = 0.5
// the series of KSTail is replaced by its theta-function dual, which converges
// there and gives the distribution function.
func ksLimitLog(d float64, n, m uint64, alt Alternative) float64 {
	fn, fm := float64(n), float64(m)
	z2 := d * d * (fn / (fn + fm)) * fm
	if alt != Different {
		return -2 * z2
	}
	switch {
	case z2 < 0.01: // P differs from 1 by exp(-π^2/(8 z2)) < 1e-53
		return 0
	case z2 < 0.25:
		cdf := 0.0
		for k := 1.0; k <= 7; k += 2 {
			cdf += math.Exp(-k * k * math.Pi * math.Pi / (8 * z2))
		}
		return math.Log1p(-cdf * math.Sqrt(2*math.Pi/z2))
	}
	// exp(-2 z2) is taken out, so that the rest is 1 minus something small.
	rest := 0.0
	for k := 9.0; k >= 2; k-- {
		term := math.Exp(-2 * (k - 1) * (k + 1) * z2)
		if math.Mod(k, 2) == 0 {
			term = -term
		}
		rest += term
	}
	return min(0, math.Ln2-float64(2*z2)+math.Log1p(rest))
}

// ksExactLog is the logarithm of the share of orderings of n and m values whose
// gap reaches d. In units of 1/lcm(n,m) a value of x is a step of m/gcd, one of
// y a step of n/gcd, and d the step count h; a millionth of a step is forgiven,
// for d is usually itself h/lcm, rounded.
func ksExactLog(d float64, n, m uint64, alt Alternative) float64 {
	if alt == Less { // the gap G-F of (n,m) is the gap F-G of (m,n)
		n, m, alt = m, n, Greater
	}
	g := gcd(n, m)
	a, b := int64(m/g), int64(n/g)
	h := int64(math.Ceil(float64(d*float64(int64(n)*a)) - 1e-6))
	switch {
	case h <= 0:
		return 0
	case n == m:
		return ksSquareLog(int64(n), h, alt)
	}
	// Below the reach of the walk the limit, which is too large, has to do.
	const reach = -600 * math.Ln10
	if limit := ksLimitLog(d, n, m, alt); limit < reach {
		return limit
	}
	return max(reach, ksBandLog(int64(n), int64(m), h, a, b, alt))
}

// ksSquareLog is ksExactLog for n = m, where reflection gives
//
//	P(F-G reaches h) = C(2n,n-h)/C(2n,n)
//	P(|F-G| reaches h) = 2 sum over k >= 1 of (-1)^(k-1) C(2n,n-kh)/C(2n,n)
//
// summed from the innermost bracket, so that only the first factor has to be
// kept as a logarithm.
func ksSquareLog(n, h int64, alt Alternative) float64 {
	first := 0.0
	for j := range h {
		first += math.Log(float64(n-j) / float64(n+j+1))
	}
	if alt != Different {
		return first
	}
	inner := 0.0
	for k := n / h; k >= 1; k-- {
		p := 1.0
		for j := range h {
			p *= float64(n-k*h-j) / float64(n+k*h+j+1)
			if p == 0 {
				break
			}
		}
		inner = p * (1 - inner)
	}
	return min(0, math.Ln2+first+math.Log1p(-inner))
}

// ksBandLog walks the lattice of (i values of x, j values of y) row by row. The
// cell u(i,j) is the probability that a random path from (0,0) to (i,j) has
// left the band of gaps below h; its last step came from (i-1,j) with
// probability i/(i+j). All terms are positive, so tiny probabilities keep their
// relative accuracy; cells are scaled by 2^1000, which reaches p = 1e-600.
func ksBandLog(n, m, h, a, b int64, alt Alternative) float64 {
	const out, logOut = 0x1p1000, 1000 * math.Ln2
	u := make([]float64, m+1)
	inverse := make([]float64, n+m+1)
	for k := range inverse {
		inverse[k] = 1 / float64(k)
	}
	last := m // of the cells of row 0 inside the band
	if alt == Different {
		last = min(m, (h-1)/b)
	}
	for j := last + 1; j <= m; j++ {
		u[j] = out
	}
	for i := int64(1); i <= n; i++ {
		// Inside: i*a - j*b < h and, two-sided, j*b - i*a < h.
		lo, hi := int64(0), m
		if i*a >= h {
			lo = (i*a-h)/b + 1
		}
		if alt == Different {
			hi = min(m, (i*a+h-1)/b)
		}
		left := 0.0 // in column 0 it has weight 0
		if lo > 0 {
			left = out
			u[lo-1] = out
		}
		for j := lo; j <= hi; j++ {
			w := inverse[i+j]
			left = float64(float64(i)*w*u[j]) + float64(float64(j)*w*left)
			u[j] = left
		}
	}
	return min(0, math.Log(u[m])-logOut)
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
