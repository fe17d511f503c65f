package checks

import (
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
)

// pair is a metric in both arms.
type pair struct {
	base, cand measure // standardised to common weights of the stages; see [newPair]
	r          ruler
	whole      measure // the candidate by itself, with its rows of all stages
	compared   analysis.BaselineKind
	staged     bool        // the evidence is of stages
	clock      float64     // intrinsic time; 0 means the rows of both arms
	risk       []riskStage // the stages, where the arms of the events say more than the arms
	skewed     bool        // skewness is known
	skewness   float64     // of candidate - baseline if the arms do not differ
}

// time is the clock of anytime-valid bounds, in rows of both arms.
func (p pair) time() float64 {
	if p.clock > 0 {
		return p.clock
	}
	return p.base.size() + p.cand.size()
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
		return p.base.binomial(method, alpha/p.r.looks), p.cand.binomial(method, alpha/p.r.looks), true
	case p.base.kind == rate && !p.r.anytime():
		return p.base.poisson(p.r, alpha), p.cand.poisson(p.r, alpha), true
	case (p.r.anytime() || p.base.kind == area) && !ready(p.base, p.cand), (p.base.kind != rate && min(p.base.n, p.cand.n) < 2), p.skewOfDifference() > maxSkew:
		return unknown, unknown, false
	}
	z := p.z(alpha)
	return p.base.normal(z), p.cand.normal(z), true
}

// z is the number of standard errors of a normal approximation.
func (p pair) z(alpha float64) float64 {
	return p.r.skewed(p.r.z(alpha, p.time(), p.df()), p.skewOfDifference())
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
	switch p.base.kind {
	case quantile:
		return p.base.order(p.r.single(), half), p.cand.order(p.r.single(), half)
	case rate:
		return p.base.poisson(p.r.single(), half), p.cand.poisson(p.r.single(), half)
	case proportion, mean, area:
	}
	return p.base.bernoulli(exactPlanned, half), p.cand.bernoulli(exactPlanned, half)
}

// contrast combines the arms with one of two constructions, and with both where
// an exact method runs beside the approximation; exact is the one for events of
// which the arms are compared.
func (p pair) contrast(alpha float64, mover, union func(b, c span) span, exact func(alpha float64) span) span {
	if p.r.anytime() && p.base.kind == quantile {
		return union(p.jointly(alpha))
	}
	if p.r.anytime() && (p.base.kind == proportion || p.base.kind == rate) {
		var out span
		if len(p.risk) > 0 {
			out = exact(exactShare * alpha)
		} else {
			out = union(p.jointly(exactShare * alpha))
		}
		// Events that are few by accident make a small arm look quiet, too, so that
		// a bound by its own standard error is missed many times too often; where
		// they are many by accident, that is so of the score interval. The wider of
		// the two holds, and costs arms of one size next to nothing.
		normal := (1 - exactShare) * alpha
		if b, c, ok := p.bounds(normal); ok {
			z := p.z(normal)
			out = out.meet(mover(b, c).join(mover(p.base.score(z), p.cand.score(z))))
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
		unionDifference, p.riskDifference)
}

// riskDifference turns a relative risk into a difference, b (risk - 1), with
// bounds of the standardised baseline b for half of the error. They are exact in
// one stage, and approximate over several.
func (p pair) riskDifference(alpha float64) span {
	rr := p.relativeRisk(alpha / 2)
	var b span
	if p.base.kind == rate {
		b = p.base.poisson(p.r.single(), alpha/2)
	} else {
		b = p.base.bernoulli(exactPlanned, alpha/2)
	}
	times := func(b, by float64) float64 {
		if b == 0 { // 0 times infinity
			return 0
		}
		return b * by
	}
	out := span{times(b.lo, rr.lo-1), times(b.hi, rr.hi-1)}
	if rr.lo < 1 {
		out.lo = times(b.hi, rr.lo-1)
	}
	if rr.hi < 1 {
		out.hi = times(b.lo, rr.hi-1)
	}
	return out
}

// ratio bounds candidate / baseline, for a positive baseline.
func (p pair) ratio(alpha float64) span {
	positive := p.base.positive && p.cand.positive
	if p.base.kind == rate && !p.r.anytime() && !p.base.weighted {
		return p.rateRatio(alpha / p.r.looks)
	}
	return p.contrast(alpha,
		func(b, c span) span { return moverRatio(p.base.value, p.cand.value, b, c, positive) },
		func(b, c span) span { return unionRatio(b, c, positive) }, p.relativeRisk)
}

// evidence is the log e-value, when looks are continuous, or else the log of the
// p-value, that k*base + l*cand > null, by the normal approximation.
func (p pair) evidence(k, l, null float64) (logE, logP float64) {
	nan := math.NaN()
	if len(p.risk) > 0 && null == 0 && k != 0 && -k/l > 0 { // of a relative risk
		alt := stats.Greater
		if l < 0 {
			alt = stats.Less
		}
		r, err := p.binomMix(-k/l, 0.05, alt)
		if err != nil {
			return nan, nan
		}
		return r.LogE, -math.Max(0, r.LogE)
	}
	v := float64(k*k*p.base.squaredError()) + float64(l*l*p.cand.squaredError())
	if p.base.kind == quantile || !(v > 0) || !ready(p.base, p.cand) || p.skewOfDifference() > maxSkew {
		return nan, nan
	}
	d := float64(k*p.base.value) + float64(l*p.cand.value)
	if p.r.anytime() {
		r, err := sequential.Normal(d, math.Sqrt(v), uint64(p.time()), 0,
			sequential.NormalOptions{Null: null, Alternative: stats.Greater, Planned: p.r.planned})
		if err != nil {
			return nan, nan
		}
		return r.LogE, -math.Max(0, r.LogE)
	}
	return nan, stats.LogNormalTail((d - null) / math.Sqrt(v))
}
