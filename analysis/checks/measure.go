package checks

import (
	"math"
	"sort"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"github.com/rampguard/rampguard/stats/summary"
)

// kind says which statistic a metric is, and with it how its bounds are found.
type kind int8

const (
	proportion kind = iota // x of n
	mean                   // of n values with a variance
	area                   // AUC, with DeLong's variance
	quantile               // a value in a histogram
	rate                   // events of a Poisson process over an exposure
)

type cell = summary.Cell

// exactPlanned is the number of units of an arm at which an exact sequence is
// tightest when a normal approximation runs beside it: small, since there the
// approximation has nothing to say yet.
const exactPlanned = 100

// minNormal is the number of units of an arm below which a normal approximation
// gives no bounds.
const minNormal = 50

// measure is a metric in one arm, with what its bounds need.
type measure struct {
	kind     kind
	value    float64
	n        uint64    // rows it rests on; rate: the exposure, rounded
	x        uint64    // proportion, rate: successes or events, rounded down
	part     float64   // what the rounding of x cut off, of counts that are no whole numbers
	exposure float64   // rate
	variance float64   // mean: of one row; area: of one row if the estimate were a mean
	pos      uint64    // area: positive rows
	slack    float64   // how far the cells of a summary may hide the value
	positive bool      // cannot be negative
	cells    []cell    // quantile: the values, in ascending order
	mass     []float64 // quantile: weight of the cells; nil means the number of values
	q        float64   // quantile
	least    float64   // quantile: the smallest value
	most     float64   // quantile: the largest value
	repeats  float64   // rows per unit; bounds take n/repeats rows for independent
	excluded uint64    // rows without a usable value
	skew     float64   // mean: skewness of the rows, 0 when not known
	root     bool      // mean: the value is the square root of one

	// Of an average over stages; see [standardise].
	weighted  bool
	squared   float64 // variance of the estimate
	effective float64 // independent rows, or exposure, that would tell as much
}

// extent is the number of independent rows, or the exposure.
func (m measure) extent() float64 {
	switch {
	case m.weighted:
		return m.effective
	case m.kind == rate:
		return m.exposure
	}
	return float64(m.n) / math.Max(1, m.repeats)
}

// size is the number of independent rows, or the events of a rate.
func (m measure) size() float64 {
	if m.kind == rate {
		return float64(m.value * m.extent())
	}
	return m.extent()
}

// ends are the successes and trials of a proportion as independent rows, or the
// events of a rate: at least, and at most.
func (m measure) ends() (lo, hi, n uint64) {
	f := math.Max(1, m.repeats)
	switch {
	case m.weighted:
		x := float64(m.value * m.effective)
		if near := math.Round(x); math.Abs(x-near) < 1e-6 { // rounding, not a fraction
			x = near
		}
		n = uint64(m.effective)
		if m.kind == rate {
			return uint64(x), uint64(math.Ceil(x)), n
		}
		return min(uint64(x), n), min(uint64(math.Ceil(x)), n), n
	case m.part > 0:
		return m.x, m.x + 1, m.n
	case m.kind == rate:
		return m.x, m.x, m.n
	}
	n = uint64(math.Round(float64(m.n) / f))
	x := min(uint64(math.Round(float64(m.x)/f)), n)
	return x, x, n
}

// squaredError is the variance of the estimate.
func (m measure) squaredError() float64 {
	switch {
	case m.weighted:
		return m.squared
	case m.kind == proportion:
		return m.value * (1 - m.value) / m.size()
	case m.kind == rate:
		return m.value / m.exposure
	}
	return m.variance / m.size()
}

// normal bounds the metric by z standard errors.
func (m measure) normal(z float64) span {
	v := m.squaredError()
	if math.IsNaN(v) || math.IsInf(z, 1) {
		return unknown
	}
	half := z * math.Sqrt(v)
	if m.root { // of which the square has a normal interval
		square, half := float64(m.value*m.value), 2*m.value*half
		return span{math.Sqrt(math.Max(0, square-half)), math.Sqrt(square + half)}
	}
	return span{m.value - half, m.value + half}.widen(m.slack)
}

// score bounds a proportion or a rate by z of the standard errors that it would
// have at the bound, not at the estimate: the interval of Wilson (1927), and its
// limit for events of a Poisson process.
func (m measure) score(z float64) span {
	v, spread := m.squaredError(), m.value
	if m.kind == proportion {
		spread *= 1 - m.value
	}
	if !(v > 0) || !(spread > 0) || math.IsInf(z, 1) {
		return m.normal(z)
	}
	row := v / spread // one over the rows that tell as much
	unit := float64(z * z * row)
	mid, half := m.value+unit/2, z*math.Sqrt(v+float64(unit*row)/4)
	if m.kind == rate {
		return span{mid - half, mid + half}
	}
	return span{(mid - half) / (1 + unit), (mid + half) / (1 + unit)}
}

// ready reports whether both arms hold enough for a normal approximation.
func ready(b, c measure) bool {
	if b.kind == rate {
		return sequential.NormalReady(minNormal, minNormal, uint64(b.size()), uint64(c.size()))
	}
	if b.size() < minNormal || c.size() < minNormal {
		return false
	}
	events := func(m measure) (yes, no uint64) {
		f := math.Max(1, m.repeats)
		x := m.x
		switch {
		case m.weighted && m.kind == area:
			return m.pos, uint64(m.effective) - min(m.pos, uint64(m.effective))
		case m.weighted:
			lo, hi, n := m.ends()
			return lo, n - hi
		case m.kind == area:
			x = m.pos
		}
		return uint64(float64(x) / f), uint64(float64(m.n-min(x, m.n)) / f)
	}
	switch b.kind {
	case proportion, area:
		by, bn := events(b)
		cy, cn := events(c)
		return sequential.NormalReady(uint64(b.size()), uint64(c.size()), by, cy) &&
			sequential.NormalReady(uint64(b.size()), uint64(c.size()), bn, cn)
	case mean, quantile, rate:
	}
	return true
}

// alone bounds the metric of one arm, with error alpha on each side.
func (m measure) alone(r ruler, alpha float64) span {
	r = r.single()
	switch {
	case m.kind == quantile:
		return m.order(r, alpha)
	case m.kind == rate:
		return m.poisson(r, alpha)
	case m.kind == proportion && r.anytime():
		return m.bernoulli(r.planned/10, alpha) // early, at little cost later
	case m.kind == proportion:
		return m.binomial(stats.ClopperPearson, alpha/r.looks)
	case m.kind == area && !ready(m, m), r.anytime() && m.size() < minNormal, m.n < 2, m.skewOfMean() > maxSkew:
		return unknown
	}
	return m.normal(r.skewed(r.z(alpha, m.size(), m.size()-1), m.skewOfMean()))
}

// binomial bounds a proportion by a method for a single look.
func (m measure) binomial(f func(x, n uint64, level float64) (stats.Interval, error), alpha float64) span {
	lo, hi, n := m.ends()
	out := proportionSpan(f, lo, n, alpha)
	if hi != lo {
		out.hi = proportionSpan(f, hi, n, alpha).hi
	}
	return out
}

// proportionSpan takes one-sided bounds from a two-sided method.
func proportionSpan(f func(x, n uint64, level float64) (stats.Interval, error), x, n uint64, alpha float64) span {
	if !(alpha > 0) || alpha >= 0.5 {
		return span{0, 1}
	}
	v, err := f(x, n, 1-2*alpha)
	if err != nil {
		return span{0, 1}
	}
	return span{v.Lo, v.Hi}
}

// bernoulli is the exact anytime-valid interval of a proportion.
func (m measure) bernoulli(planned, alpha float64) span {
	out := span{0, 1}
	if !(alpha > 0) || alpha >= 0.5 {
		return out
	}
	lo, hi, n := m.ends()
	o := sequential.BernoulliOptions{Level: 1 - alpha, Planned: math.Max(exactPlanned, planned)}
	o.Alternative = stats.Greater
	if v, err := sequential.Bernoulli(lo, n, o); err == nil {
		out.lo = v.Estimate.Lo
	}
	o.Alternative = stats.Less
	if v, err := sequential.Bernoulli(hi, n, o); err == nil {
		out.hi = v.Estimate.Hi
	}
	return out
}

// order bounds a quantile by order statistics: the value of rank k+1 is a lower
// bound when so few values as k at or below the true quantile are improbable.
func (m measure) order(r ruler, alpha float64) span {
	n := uint64(math.Round(m.size()))
	if n == 0 || !(alpha > 0) || alpha >= 0.5 {
		return unknown
	}
	out := unknown
	if k, ok := last(n, r.guess(n, m.q, alpha), func(k uint64) bool { return r.improbable(k, n, m.q, alpha) }); ok {
		out.lo = m.at(k, n).lo
	}
	// From above the same holds for the values beyond the quantile.
	if k, ok := last(n, r.guess(n, 1-m.q, alpha), func(k uint64) bool { return r.improbable(k, n, 1-m.q, alpha) }); ok {
		out.hi = m.at(n-1-k, n).hi
	}
	return out
}

// improbable reports whether so few as k of n values where a share q is expected
// speak against that share, at error alpha. It is true for small k and false for
// large ones.
func (r ruler) improbable(k, n uint64, q, alpha float64) bool {
	if r.anytime() {
		o := sequential.BernoulliOptions{Null: q, Alternative: stats.Less, Planned: math.Max(exactPlanned, r.planned)}
		logE, err := sequential.BernoulliLogE(k, n, o)
		return err == nil && logE >= sequential.Threshold(alpha)
	}
	// mathext.RegIncBeta is wrong near the mean from n of about 1e9 on.
	v, err := stats.BinomialTest(k, n, q, stats.ExactOptions{Alternative: stats.Less})
	return err == nil && v.P <= alpha/r.looks
}

// leastForQuantile is the number of values from which on the q-quantile has a
// bound on both sides, 0 when it is beyond all reason.
func (r ruler) leastForQuantile(q, alpha float64) uint64 {
	const most = 1 << 30
	rare := math.Min(q, 1-q)
	if n := sort.Search(most, func(n int) bool { return n > 0 && r.improbable(0, uint64(n), rare, alpha) }); n < most {
		return uint64(n)
	}
	return 0
}

// at bounds the value of rank k+1 of n by the ends of its cell.
func (m measure) at(k, n uint64) span {
	rank := (float64(k) + 0.5) / float64(n) * m.allMass()
	seen := 0.0
	for i, c := range m.cells {
		if seen += m.massOf(i); seen < rank {
			continue
		}
		if c.Var == 0 {
			return span{c.Mean, c.Mean}
		}
		return span{math.Max(c.Lo, m.least), math.Min(c.Hi, m.most)}
	}
	return span{m.most, m.most}
}

// massOf is the weight of a cell.
func (m measure) massOf(i int) float64 {
	if m.mass == nil {
		return float64(m.cells[i].N)
	}
	return m.mass[i]
}

func (m measure) allMass() float64 {
	if m.mass == nil {
		return float64(m.n)
	}
	sum := 0.0
	for _, w := range m.mass {
		sum += w
	}
	return sum
}

// typical is the quantile of weighted cells, with values spread evenly over a
// cell; where the cell has no end, the end that it has.
func (m measure) typical() float64 {
	want, seen := m.q*m.allMass(), 0.0
	for i, c := range m.cells {
		w := m.massOf(i)
		if seen+w < float64(want*(1-1e-12)) {
			seen += w
			continue
		}
		lo, hi := math.Max(c.Lo, m.least), math.Min(c.Hi, m.most)
		switch {
		case c.Var == 0:
			return c.Mean
		case math.IsInf(hi, 1):
			return lo
		case math.IsInf(lo, -1):
			return hi
		}
		at := math.Min(1, math.Max(0, (want-seen)/w))
		return float64(lo*(1-at)) + float64(hi*at)
	}
	return m.most
}

// guess is about the largest number of values of [ruler.improbable].
func (r ruler) guess(n uint64, q, alpha float64) uint64 {
	m := float64(n)
	k := m*q - r.z(alpha, m, m)*math.Sqrt(m*q*(1-q))
	return uint64(math.Max(0, math.Min(k, m))) // NaN is 0
}

// last finds the largest k below n for which f holds, f being true up to some k.
// It looks near the guess first.
func last(n, guess uint64, f func(uint64) bool) (uint64, bool) {
	if n == 0 {
		return 0, false
	}
	lo, hi := uint64(0), n // f(lo), and not f(hi) or hi == n
	known := false         // f(lo)
	for step := uint64(2); guess > lo && guess < hi; step *= 4 {
		if f(guess) {
			lo, known = guess, true
			guess += min(step, n-guess)
		} else {
			hi = guess
			guess -= min(step, guess)
		}
	}
	if !known && !f(lo) {
		return 0, false
	}
	for hi-lo > 1 {
		mid := lo + (hi-lo)/2
		if f(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo, true
}
