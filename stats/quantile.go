package stats

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats/internal/special"
)

// QuantileType is one of the nine sample quantiles of Hyndman and Fan, in the
// numbering of R. They differ in how they read between order statistics, and
// on small samples they differ a lot. The zero value means [Type7].
type QuantileType int8

// With n values x_1 <= ... <= x_n the quantile at q is read at position h; types
// 4 to 9 interpolate between the neighbours, and below 1 and above n the
// smallest and the largest value hold.
const (
	Type1 QuantileType = 1 + iota // h = nq, rounded up: inverse of the distribution function, nearest rank
	Type2                         // as Type1, with the mean of both values at its jumps
	Type3                         // h = nq, rounded to the nearest, halves to even
	Type4                         // h = nq
	Type5                         // h = nq + 1/2 (Hazen)
	Type6                         // h = (n+1)q (Weibull)
	Type7                         // h = (n-1)q + 1: the default of R, NumPy, spreadsheets and PromQL
	Type8                         // h = (n+1/3)q + 1/3: near median-unbiased; Hyndman and Fan's choice
	Type9                         // h = (n+1/4)q + 3/8: near unbiased for normal data
)

// QuantileOptions configures [Quantile]. The zero value is type 7 with an exact
// two-sided 95% interval.
type QuantileOptions struct {
	Type  QuantileType
	Level float64     // of the interval, in (0,1); 0 means 0.95
	Side  Alternative // Less: an upper end only; Greater: a lower end only
	// Nyblom interpolates between order statistics: shorter, with coverage near
	// Level instead of at least Level.
	Nyblom bool
}

// QuantileResult is a sample quantile with its interval.
type QuantileResult struct {
	Q        float64  // which quantile, in [0,1]
	Estimate Interval // an end that the sample cannot give is infinite
	LoRank   uint64   // the order statistic at the lower end, counted from 1; 0 when there is none
	HiRank   uint64   // the same for the upper end
	Achieved float64  // coverage of the order statistics for continuous data; Level for Nyblom
	N        uint64
	Type     QuantileType
	Method   string
	Warnings []Warning // small_sample
}

// Quantile estimates the q-quantile of a distribution from a sample, with a
// distribution-free interval.
//
// The interval has order statistics as ends, x_l and x_u with the largest l and
// the smallest u for which, with B binomial (n,q) and α = 1-Level,
//
//	P(B < l) <= α/2,   P(B >= u) <= α/2
//
// (α in place of α/2 for a one-sided interval). Coverage is at least Level for
// any continuous distribution. Where no such rank exists the end is infinite and
// the result carries "small_sample": a 95% interval of the median needs 6
// values, of the 0.9-quantile 36. With Nyblom the lower end lies between x_r and
// x_(r+1) with r = l, and the upper end is made alike from the mirrored sample:
//
//	(1-λ) x_r + λ x_(r+1),  λ = 1/(1 + r(1-q)(P(B <= r) - α/2) / ((n-r) q (α/2 - P(B < r))))
//
// which at q = 1/2 is the interval of Hettmansperger and Sheather.
//
// Assumptions: independent values, none of them censored (else see
// [KaplanMeier]). With ties coverage is at least that stated.
//
// Special cases are: q = 0 and q = 1 give the extremes, open outwards.
//
// Errors: [ErrEmpty] for an empty sample; [ErrDomain] for a value that is not
// finite, q outside [0,1] or an impossible option. Cost: sorting.
//
// References: Hyndman and Fan, Sample quantiles in statistical packages, The
// American Statistician 50 (1996). David and Nagaraja, Order Statistics, 3rd ed.
// (2003), section 7.1. Nyblom, Note on interpolated order statistics, Statistics
// & Probability Letters 14 (1992).
func Quantile(x []float64, q float64, o QuantileOptions) (QuantileResult, error) {
	const name = "Quantile"
	level, err := levelOrDefault(name, o.Level)
	if err != nil {
		return QuantileResult{}, err
	}
	if err := checkAlternative(name, o.Side); err != nil {
		return QuantileResult{}, err
	}
	if err := checkQuantile(name, q, o.Type); err != nil {
		return QuantileResult{}, err
	}
	s, err := sortedFinite(name, "x", x)
	if err != nil {
		return QuantileResult{}, err
	}
	r := QuantileResult{Q: q, N: uint64(len(s)), Type: o.Type.orDefault()}
	r.Method = fmt.Sprintf("sample quantile type %d, exact order-statistic interval", r.Type)
	if o.Nyblom {
		r.Method = fmt.Sprintf("sample quantile type %d, Nyblom interval", r.Type)
	}
	r.Estimate = Interval{Point: quantileOf(s, q, r.Type), Lo: math.Inf(-1), Hi: math.Inf(1), Level: level}
	tail := 1 - level
	if o.Side == Different {
		tail /= 2
	}
	n := len(s)
	lost := 0.0
	if o.Side != Less {
		// The number of ranks to cut below; by symmetry the upper end is the
		// lower end of the mirrored sample at 1-q.
		if l := rankBelow(n, q, 1-q, tail); l > 0 {
			r.LoRank = uint64(l)
			lost += binomialBelow(l, n, q, 1-q)
			r.Estimate.Lo = s[l-1]
			if o.Nyblom && l < n {
				r.Estimate.Lo = between(s[l-1], s[l], nyblomWeight(l, n, q, 1-q, tail))
			}
		}
	}
	if o.Side != Greater {
		if l := rankBelow(n, 1-q, q, tail); l > 0 {
			u := n + 1 - l
			r.HiRank = uint64(u)
			lost += binomialBelow(l, n, 1-q, q)
			r.Estimate.Hi = s[u-1]
			if o.Nyblom && l < n {
				r.Estimate.Hi = between(s[u-2], s[u-1], 1-nyblomWeight(l, n, 1-q, q, tail))
			}
		}
	}
	r.Achieved = 1 - lost
	if o.Nyblom {
		r.Achieved = level
	}
	if o.Side != Less && r.LoRank == 0 || o.Side != Greater && r.HiRank == 0 {
		r.Warnings = append(r.Warnings, Warning{WarnSmallSample, fmt.Sprintf("%d values are too few for both ends at level %v", n, level)})
	}
	return r, nil
}

// Quantiles returns the sample quantiles of x at each of qs, without intervals.
//
// Errors and special cases are those of [Quantile]. Cost: sorting, once.
//
// Reference: Hyndman and Fan, Sample quantiles in statistical packages, The
// American Statistician 50 (1996).
func Quantiles(x, qs []float64, t QuantileType) ([]float64, error) {
	const name = "Quantiles"
	s, err := sortedFinite(name, "x", x)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(qs))
	for i, q := range qs {
		if err := checkQuantile(name, q, t); err != nil {
			return nil, err
		}
		out[i] = quantileOf(s, q, t.orDefault())
	}
	return out, nil
}

func (t QuantileType) orDefault() QuantileType {
	if t == 0 {
		return Type7
	}
	return t
}

func checkQuantile(fn string, q float64, t QuantileType) error {
	if !(q >= 0 && q <= 1) {
		return fmt.Errorf("stats: %s: q = %v is not in [0,1]: %w", fn, q, ErrDomain)
	}
	if t < 0 || t > Type9 {
		return fmt.Errorf("stats: %s: quantile type %d: %w", fn, t, ErrDomain)
	}
	return nil
}

// quantileOf reads the quantile of a sorted sample. A position that misses an
// integer by rounding only is taken to be that integer; without that, type 1
// would jump at 100 * 0.07 > 7.
func quantileOf(s []float64, q float64, t QuantileType) float64 {
	n := float64(len(s))
	h := n * q
	switch t {
	case Type3:
		h -= 0.5
	case Type5:
		h += 0.5
	case Type6:
		h += q
	case Type7:
		h = float64((n-1)*q) + 1
	case Type8:
		h += q/3 + 1.0/3
	case Type9:
		h += q/4 + 3.0/8
	}
	fuzz := 4 * 0x1p-52 * max(1, h)
	j := math.Floor(h + fuzz)
	g := h - j
	if g < fuzz {
		g = 0
	}
	switch {
	case t == Type1 && g > 0, t == Type3 && (g > 0 || math.Mod(j, 2) != 0):
		g = 1
	case t == Type2 && g > 0:
		g = 1
	case t == Type2:
		g = 0.5
	}
	at := func(k float64) float64 { return s[int(min(max(k, 1), n))-1] }
	return between(at(j), at(j+1), g)
}

// between is the point a share g of the way from lo to hi, and inside [lo,hi]
// whatever the rounding.
func between(lo, hi, g float64) float64 {
	return min(max(float64((1-g)*lo)+float64(g*hi), lo), hi)
}

// binomialBelow is P(B < k) for B binomial (n,p) and 1 <= k <= n, with q = 1-p
// given apart.
func binomialBelow(k, n int, p, q float64) float64 {
	return math.Exp(special.LogBetaI(float64(n-k+1), float64(k), q, p))
}

// rankBelow is the largest l in 0..n with P(B < l) <= tail, where B is binomial
// (n,p). Equality up to rounding counts.
func rankBelow(n int, p, q, tail float64) int {
	lo, hi := 0, n+1 // lo satisfies it, hi does not
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; binomialBelow(mid, n, p, q) <= tail*(1+1e-12) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// nyblomWeight is λ, the weight of x_(r+1) against x_r, with P(B < r) <= tail
// and P(B <= r) > tail.
func nyblomWeight(r, n int, p, q, tail float64) float64 {
	below, upTo := binomialBelow(r, n, p, q), binomialBelow(r+1, n, p, q)
	up := float64(r) * q * (upTo - tail)
	down := float64(n-r) * p * max(0, tail-below)
	return down / (down + up)
}
