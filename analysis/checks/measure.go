package checks

import (
	"math"
	"sort"

	"github.com/rampguard/rampguard/analysis"
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
)

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
	n        uint64         // rows it rests on
	x        uint64         // proportion: successes
	variance float64        // mean: of one row; area: of one row if the estimate were a mean
	pos      uint64         // area: positive rows
	slack    float64        // how far the cells of a summary may hide the value
	positive bool           // cannot be negative
	cells    []summary.Cell // quantile: the values, in ascending order
	q        float64        // quantile
	least    float64        // quantile: the smallest value
	most     float64        // quantile: the largest value
	repeats  float64        // rows per unit; bounds take n/repeats rows for independent
	excluded uint64         // rows without a usable value
	skew     float64        // mean: skewness of the rows, 0 when not known
}

// size is the number of independent rows.
func (m measure) size() float64 { return float64(m.n) / math.Max(1, m.repeats) }

// counts are the successes and trials of a proportion as independent rows.
func (m measure) counts() (x, n uint64) {
	f := math.Max(1, m.repeats)
	n = uint64(math.Round(float64(m.n) / f))
	return min(uint64(math.Round(float64(m.x)/f)), n), n
}

// squaredError is the variance of the estimate.
func (m measure) squaredError() float64 {
	if m.kind == proportion {
		return m.value * (1 - m.value) / m.size()
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
	return span{m.value - half, m.value + half}.widen(m.slack)
}

// ready reports whether both arms hold enough for a normal approximation.
func ready(b, c measure) bool {
	if b.size() < minNormal || c.size() < minNormal {
		return false
	}
	events := func(m measure) (yes, no uint64) {
		f := math.Max(1, m.repeats)
		x := m.x
		if m.kind == area {
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
	case mean, quantile:
	}
	return true
}

// alone bounds the metric of one arm, with error alpha on each side.
func (m measure) alone(r ruler, alpha float64) span {
	r = r.single()
	switch {
	case m.kind == quantile:
		return m.order(r, alpha)
	case m.kind == proportion && r.anytime():
		return m.bernoulli(r.planned/10, alpha) // early, at little cost later
	case m.kind == proportion:
		x, n := m.counts()
		return proportionSpan(stats.ClopperPearson, x, n, alpha/r.looks)
	case m.kind == area && !ready(m, m), r.anytime() && m.size() < minNormal, m.n < 2, m.skewOfMean() > maxSkew:
		return unknown
	}
	return m.normal(r.skewed(r.z(alpha, m.size(), m.size()-1), m.skewOfMean()))
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
	x, n := m.counts()
	o := sequential.BernoulliOptions{Level: 1 - alpha, Planned: math.Max(exactPlanned, planned)}
	o.Alternative = stats.Greater
	if v, err := sequential.Bernoulli(x, n, o); err == nil {
		out.lo = v.Estimate.Lo
	}
	o.Alternative = stats.Less
	if v, err := sequential.Bernoulli(x, n, o); err == nil {
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
	if k, ok := last(n, func(k uint64) bool { return r.improbable(k, n, m.q, alpha) }); ok {
		out.lo = m.at(k, n).lo
	}
	// From above the same holds for the values beyond the quantile.
	if k, ok := last(n, func(k uint64) bool { return r.improbable(k, n, 1-m.q, alpha) }); ok {
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
		v, err := sequential.Bernoulli(k, n, o)
		return err == nil && v.LogE >= sequential.Threshold(alpha)
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
	rank := (float64(k) + 0.5) / float64(n) * float64(m.n)
	seen := 0.0
	for _, c := range m.cells {
		if seen += float64(c.N); seen < rank {
			continue
		}
		if c.Var == 0 {
			return span{c.Mean, c.Mean}
		}
		return span{math.Max(c.Lo, m.least), math.Min(c.Hi, m.most)}
	}
	return span{m.most, m.most}
}

// last finds the largest k below n for which f holds, f being true up to some k.
func last(n uint64, f func(uint64) bool) (uint64, bool) {
	if n == 0 || !f(0) {
		return 0, false
	}
	lo, hi := uint64(0), n // f(lo), and not f(hi) or hi == n
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

// pair is a metric in both arms.
type pair struct {
	base, cand measure
	r          ruler
}

// bounds gives, for each arm, the interval that the MOVER construction wants at
// error alpha, and false when there is none.
func (p pair) bounds(alpha float64) (b, c span, ok bool) {
	switch {
	case p.base.kind == quantile:
		return p.base.order(p.r, alpha), p.cand.order(p.r, alpha), !p.r.anytime()
	case p.base.kind == proportion && !p.r.anytime():
		method := stats.Wilson
		if p.r.strict {
			method = stats.ClopperPearson
		}
		xb, nb := p.base.counts()
		xc, nc := p.cand.counts()
		b, c = proportionSpan(method, xb, nb, alpha/p.r.looks), proportionSpan(method, xc, nc, alpha/p.r.looks)
		return b, c, true
	case (p.r.anytime() || p.base.kind == area) && !ready(p.base, p.cand), min(p.base.n, p.cand.n) < 2, p.skewOfDifference() > maxSkew:
		return unknown, unknown, false
	}
	z := p.r.skewed(p.r.z(alpha, p.base.size()+p.cand.size(), p.df()), p.skewOfDifference())
	return p.base.normal(z), p.cand.normal(z), true
}

// strict is the pair for proving harm; see [ruler].
func (p pair) strict() pair {
	p.r.strict = true
	return p
}

// df are the Welch-Satterthwaite degrees of freedom of the difference.
func (p pair) df() float64 {
	vb, vc := p.base.squaredError(), p.cand.squaredError()
	top := math.Max(vb, vc)
	if !(top > 0) {
		return p.base.size() + p.cand.size() - 2
	}
	vb, vc = vb/top, vc/top
	return (vb + vc) * (vb + vc) / (float64(vb*vb)/(p.base.size()-1) + float64(vc*vc)/(p.cand.size()-1))
}

// jointly gives intervals that hold together, at every look, with error alpha on
// each side of the contrast.
func (p pair) jointly(alpha float64) (b, c span) {
	half := alpha / 2
	if p.base.kind == quantile {
		return p.base.order(p.r.single(), half), p.cand.order(p.r.single(), half)
	}
	return p.base.bernoulli(exactPlanned, half), p.cand.bernoulli(exactPlanned, half)
}

// contrast combines the arms with one of two constructions, and with both where
// an exact method runs beside the approximation.
func (p pair) contrast(alpha float64, mover, union func(b, c span) span) span {
	if p.r.anytime() && p.base.kind == quantile {
		return union(p.jointly(alpha))
	}
	if p.r.anytime() && p.base.kind == proportion {
		out := union(p.jointly(exactShare * alpha))
		if b, c, ok := p.bounds((1 - exactShare) * alpha); ok {
			out = out.meet(mover(b, c))
		}
		return out
	}
	b, c, ok := p.bounds(alpha)
	if !ok {
		return unknown
	}
	return mover(b, c)
}

// difference bounds candidate - baseline with error alpha on each side.
func (p pair) difference(alpha float64) span {
	return p.contrast(alpha,
		func(b, c span) span { return moverDifference(p.base.value, p.cand.value, b, c) },
		unionDifference)
}

// ratio bounds candidate / baseline, for a positive baseline.
func (p pair) ratio(alpha float64) span {
	positive := p.base.positive && p.cand.positive
	return p.contrast(alpha,
		func(b, c span) span { return moverRatio(p.base.value, p.cand.value, b, c, positive) },
		func(b, c span) span { return unionRatio(b, c, positive) })
}

// evidence is the log e-value, when looks are continuous, or else the log of the
// p-value, that k*base + l*cand > null, by the normal approximation.
func (p pair) evidence(k, l, null float64) (logE, logP float64) {
	nan := math.NaN()
	v := float64(k*k*p.base.squaredError()) + float64(l*l*p.cand.squaredError())
	if p.base.kind == quantile || !(v > 0) || !ready(p.base, p.cand) || p.skewOfDifference() > maxSkew {
		return nan, nan
	}
	d := float64(k*p.base.value) + float64(l*p.cand.value)
	if p.r.anytime() {
		r, err := sequential.Normal(d, math.Sqrt(v), uint64(p.base.size()), uint64(p.cand.size()),
			sequential.NormalOptions{Null: null, Alternative: stats.Greater, Planned: p.r.planned})
		if err != nil {
			return nan, nan
		}
		return r.LogE, -math.Max(0, r.LogE)
	}
	return nan, stats.LogNormalTail((d - null) / math.Sqrt(v))
}

// rowsPerUnit estimates how often a unit appears, from the arm where it does
// most; 1 when the log names no unit or units hardly repeat.
func rowsPerUnit(ss ...*analysis.Snapshot) float64 {
	worst := 1.0
	for _, s := range ss {
		if s == nil {
			continue
		}
		u := s.ByRole(analysis.Unit)
		if u == nil {
			continue
		}
		if ids, seen := u.Units.Sampled(); ids > 0 {
			worst = math.Max(worst, float64(seen)/float64(ids))
		}
	}
	if worst <= 1.01 {
		return 1
	}
	return worst
}
