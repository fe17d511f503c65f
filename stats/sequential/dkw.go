package sequential

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// DKWOptions configures the time-uniform band of a distribution function. The
// zero value is a band that holds from the first unit on.
type DKWOptions struct {
	// Level of bands and intervals, in (0,1); default 0.95.
	Level float64
	// From is the sample size from which on the band has to hold, >= 1; default
	// 1. A smaller sample has an infinite radius; a larger From gives a narrower
	// band. Frozen before the data.
	From float64
	// Slope A > 1/sqrt(2) of the radius; default 0.85. Frozen before the data.
	Slope float64
}

func (o DKWOptions) withDefaults() (DKWOptions, error) {
	o.Level = defaultTo(o.Level, 0.95)
	o.From = defaultTo(o.From, 1)
	o.Slope = defaultTo(o.Slope, 0.85)
	if err := stats.CheckLevel(o.Level); err != nil {
		return o, err
	}
	if !(o.From >= 1) || !(o.Slope > math.Sqrt(0.5)) || badNumber(o.From, o.Slope) {
		return o, fmt.Errorf("from %v, slope %v: %w", o.From, o.Slope, stats.ErrDomain)
	}
	return o, nil
}

// DKWRadius is the half-width of a band around the empirical distribution
// function of n units that holds the true one everywhere and at all sample sizes
// from o.From on, together with probability Level:
//
//	radius = A sqrt( (ln(1 + ln(n/From)) + C)/n ),
//
// C solving alpha = min over eta of 4 exp(-g C) (1 + 1/((g-1) ln eta)) with
// g = (2/eta) (A - sqrt(2 (eta-1)/C))^2 > 1; for the defaults C = 8.1227. It is
// about twice the radius for a single look. No assumption but independent units
// of one distribution.
//
// Special cases: n < From gives +Inf. Errors: [stats.ErrDomain] for impossible
// options.
//
// Reference: Howard and Ramdas, "Sequential estimation of quantiles with
// applications to A/B testing and best-arm identification", Bernoulli 28 (2022),
// theorem 2.
func DKWRadius(n uint64, o DKWOptions) (float64, error) {
	o, err := o.withDefaults()
	if err != nil {
		return 0, fmt.Errorf("sequential: DKWRadius: %w", err)
	}
	return o.radius(float64(n), o.constant(math.Log(1-o.Level))), nil
}

func (o DKWOptions) radius(n, c float64) float64 {
	if n < o.From {
		return math.Inf(1)
	}
	return float64(o.Slope * math.Sqrt((math.Log1p(math.Log(n/o.From))+c)/n))
}

// constant solves logAlpha = logCrossing(C) for C.
func (o DKWOptions) constant(logAlpha float64) float64 {
	hi := 8.0
	for o.logCrossing(hi) > logAlpha {
		hi *= 2
	}
	return zero(0, hi, func(c float64) float64 { return logAlpha - o.logCrossing(c) })
}

// logCrossing is the logarithm of the bound on the probability that the
// distribution function ever leaves the band with constant C, +Inf where the
// bound says nothing.
func (o DKWOptions) logCrossing(c float64) float64 {
	if c <= 0 {
		return math.Inf(1)
	}
	bound := func(eta float64) float64 {
		root := o.Slope - math.Sqrt(2*(eta-1)/c)
		g := 2 / eta * root * root
		if root <= 0 || g <= 1 || eta <= 1 {
			return math.Inf(1)
		}
		return math.Log(4) - float64(g*c) + math.Log1p(1/((g-1)*math.Log(eta)))
	}
	// g falls from 2 A^2 at eta = 1 and has to stay above 1.
	top := zero(1, 2*o.Slope*o.Slope, func(eta float64) float64 {
		return o.Slope - math.Sqrt(eta/2) - math.Sqrt(2*(eta-1)/c)
	})
	return bound(minimise(1, top, bound))
}

// minimise is the golden-section search for the minimum of a unimodal f inside
// (lo, hi), to about 1e-8 of the width, where f itself is flat to rounding.
func minimise(lo, hi float64, f func(float64) float64) float64 {
	const golden = 0.6180339887498949
	a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
	fa, fb := f(a), f(b)
	for range 60 {
		if fa < fb {
			hi, b, fb = b, a, fa
			a = hi - golden*(hi-lo)
			fa = f(a)
		} else {
			lo, a, fa = a, b, fb
			b = lo + golden*(hi-lo)
			fb = f(b)
		}
	}
	return (lo + hi) / 2
}

// KSResult is the answer of [KS].
type KSResult struct {
	Method     string
	Distance   stats.Interval // largest difference of the two distribution functions at the cell edges
	Cell       int            // the cell at whose upper edge it is largest
	P          float64        // always-valid p-value of equal distributions; take its minimum over looks
	LogP       float64        // its logarithm, exact where P is too small
	NBaseline  uint64
	NCandidate uint64
	Warnings   []stats.Warning
}

// KS compares two binned distributions at any number of looks by their largest
// difference of distribution functions (Kolmogorov and Smirnov).
//
// Each arm has a time-uniform band, see [DKWRadius]. With error alpha/2 in each,
// the distance of the true functions lies in D -+ (r_A + r_B) at all looks. The
// p-value is the smallest alpha whose interval excludes 0. It is always-valid:
// it falls below alpha ever with probability at most alpha. But it is not the
// inverse of an e-value and must not enter an average or product of e-values.
//
// The cells of both arms must be the same, in order, and cover all values. D is
// taken at cell edges and never exceeds the distance of the unbinned functions:
// the test stays valid and loses power inside cells; the upper end of the
// interval speaks about the binned distance.
//
// Assumptions: the units of an arm are independent with one distribution; the
// arms may depend on each other.
//
// Special cases: an arm below From units gives P = 1 and the interval [0,1].
//
// Errors: [stats.ErrEmpty] without cells or without units in an arm,
// [stats.ErrMismatch] for different cells, [stats.ErrDomain] for impossible
// options.
//
// Cost: O(cells). Reference: that of DKWRadius.
func KS(baseline, candidate []uint64, o DKWOptions) (KSResult, error) {
	o, err := o.withDefaults()
	if err != nil {
		return KSResult{}, fmt.Errorf("sequential: KS: %w", err)
	}
	na, nb, err := cellTotals(baseline, candidate)
	if err != nil {
		return KSResult{}, fmt.Errorf("sequential: KS: %w", err)
	}
	r := KSResult{Method: "time-uniform DKW bands", NBaseline: na, NCandidate: nb, P: 1,
		Warnings: []stats.Warning{{Code: stats.WarnBinned, Message: "distance at cell edges; differences inside a cell are not seen"}}}
	n, m := float64(na), float64(nb)
	var ca, cb uint64
	for i := range baseline {
		ca += baseline[i]
		cb += candidate[i]
		if d := math.Abs(float64(ca)/n - float64(cb)/m); d > r.Distance.Point {
			r.Distance.Point, r.Cell = d, i
		}
	}
	c := o.constant(math.Log((1 - o.Level) / 2))
	width := o.radius(n, c) + o.radius(m, c)
	r.Distance.Lo = math.Max(0, r.Distance.Point-width)
	r.Distance.Hi = math.Min(1, r.Distance.Point+width)
	r.Distance.Level = o.Level
	gap := func(c float64) float64 { return r.Distance.Point - o.radius(n, c) - o.radius(m, c) }
	if gap(0) > 0 { // n, m >= From
		top := n + m // the radii exceed 1 there
		r.LogP = math.Min(0, math.Ln2+o.logCrossing(zero(0, top, gap)))
		r.P = math.Exp(r.LogP)
	}
	return r, nil
}

// cellTotals checks two sets of counts on the same cells.
func cellTotals(baseline, candidate []uint64) (na, nb uint64, err error) {
	if len(baseline) != len(candidate) {
		return 0, 0, fmt.Errorf("%d and %d cells: %w", len(baseline), len(candidate), stats.ErrMismatch)
	}
	for i := range baseline {
		na += baseline[i]
		nb += candidate[i]
	}
	if na == 0 || nb == 0 {
		return 0, 0, fmt.Errorf("%d and %d units in %d cells: %w", na, nb, len(baseline), stats.ErrEmpty)
	}
	return na, nb, nil
}
