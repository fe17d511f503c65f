package planning

import (
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"gonum.org/v1/gonum/stat/distuv"
)

// form is what a limit limits.
type form int8

const (
	difference form = iota // candidate - baseline
	relative               // candidate / baseline
	bound                  // candidate by itself
)

// question is one limit of a guardrail, on the scale of the findings: larger is
// worse.
type question struct {
	base
	form   form
	worse  float64 // +1 when a higher value is worse
	limit  float64 // what is held against the estimate
	same   float64 // estimate of a candidate that is just as good
	scale  float64 // candidate's value per unit of the estimate
	origin float64 // candidate's value at an estimate of 0
	unit   string

	alpha, noHarm float64 // errors of harm and of a pass
	looks         analysis.Looks
	planned       float64
	staged        bool
	least         float64 // units of an arm below which nothing passes
}

// candidate is the metric of a candidate with the given effect.
func (q *question) candidate(effect float64) float64 { return q.origin + float64(q.scale*effect) }

// possible reports whether a candidate can have the effect.
func (q *question) possible(effect float64) bool {
	c := q.candidate(effect)
	switch q.kind {
	case proportion, area:
		return c >= 0 && c <= 1
	case rate, quantile:
		return c >= 0
	case mean:
	}
	return true
}

// ask turns a limit of a guardrail into a question.
func ask(b base, g *checks.Guardrail, l limit) question {
	s := worseOf(g)
	v, u := l.quantity.Value, l.quantity.Unit
	q := question{base: b, worse: s, limit: v}
	switch {
	case l.kind == boundLimit && s > 0:
		q.form, q.same, q.scale = bound, b.value, 1
	case l.kind == boundLimit: // bound - candidate, held against 0
		q.form, q.limit, q.same, q.scale, q.origin = bound, 0, v-b.value, -1, v
	case l.kind == ratioLimit && s > 0:
		q.form, q.same, q.scale, q.unit = relative, 1, b.value, "ratio"
	case l.kind == ratioLimit:
		q.form, q.limit, q.scale, q.origin, q.unit = relative, 1-v, -b.value, b.value, "relative"
	case u == analysis.Relative:
		q.form, q.scale, q.origin, q.unit = relative, s*math.Abs(b.value), b.value, "relative"
	default:
		q.form, q.scale, q.origin = difference, s, b.value
		if b.kind == proportion {
			q.unit = "pp"
		}
	}
	return q
}

// spread is what the noise of a comparison is made of: the variances of both arms,
// averaged over the stages, and the clock of anytime-valid bounds.
type spread struct {
	b, c   float64 // per unit of variance of a row
	clock  float64
	nb, nc float64 // units
}

func (q *question) spread(ts []traffic) spread {
	var s spread
	sum := 0.0
	for _, t := range ts {
		w := t.weight()
		s.nb, s.nc = s.nb+t.b, s.nc+t.c
		if w == 0 {
			continue
		}
		sum += w
		s.b += float64(w * w / t.b)
		s.c += float64(w * w / t.c)
	}
	s.b, s.c = s.b/sum/sum, s.c/sum/sum
	s.clock = s.nb + s.nc
	if q.staged {
		s.clock = 4 * sum
	}
	if q.kind == rate { // events
		s.clock *= q.value
	}
	if q.form == bound {
		s.b, s.c, s.clock = 0, 1/s.nc, s.nc
	}
	return s
}

// z is the number of standard errors of a bound with error alpha.
func (q *question) z(alpha, clock float64) float64 {
	if !(alpha > 0) {
		return math.Inf(1)
	}
	if q.looks.Kind != analysis.Continuous {
		if q.looks.Kind == analysis.Scheduled {
			alpha /= math.Max(1, float64(q.looks.Schedule))
		}
		return -distuv.UnitNormal.Quantile(alpha)
	}
	planned := q.planned
	if q.form == bound {
		planned /= 2
	}
	scale, err := sequential.NormalScale(planned, 0.05, stats.Greater)
	if err != nil {
		return math.Inf(1)
	}
	b, err := sequential.NormalBound(clock, scale, alpha, stats.Greater)
	if err != nil || clock == 0 {
		return math.Inf(1)
	}
	return b / math.Sqrt(clock)
}

// power is the probability that harm is proven, or, with pass, that the absence of
// harm is, for a candidate with the given effect, at a look after the traffic.
func (q *question) power(ts []traffic, effect float64, pass bool) float64 {
	s := q.spread(ts)
	alpha := q.alpha
	if pass {
		alpha = q.noHarm
	}
	switch {
	case !(s.nc > 0) || q.form != bound && !(s.c > 0):
		return 0
	case pass && (s.nc < q.least || q.form != bound && s.nb < q.least):
		return 0
	case q.kind == quantile:
		return q.quantilePower(s, alpha, effect, pass)
	}
	exact := q.looks.Kind == analysis.Continuous && (q.kind == proportion || q.kind == rate)
	if !exact {
		return q.normalPower(s, alpha, effect, pass)
	}
	if q.form == bound {
		return q.normalPower(s, alpha, effect, pass)
	}
	out := 0.0
	if q.ready(s, effect) {
		out = q.normalPower(s, (1-exactShare)*alpha, effect, pass)
	}
	if q.staged || q.kind == rate {
		out = math.Max(out, q.eventPower(ts, exactShare*alpha, effect, pass))
	}
	return out
}

// exactShare is the part of the error that the checks give to the exact method that
// runs beside a normal approximation.
const exactShare = 0.2

// ready reports whether a normal approximation of events may be expected to be used.
func (q *question) ready(s spread, effect float64) bool {
	c := q.candidate(effect)
	if !sequential.NormalReady(uint64(s.nb), uint64(s.nc), uint64(s.nb*q.value), uint64(s.nc*c)) {
		return false
	}
	return q.kind == rate || sequential.NormalReady(uint64(s.nb), uint64(s.nc), uint64(s.nb*(1-q.value)), uint64(s.nc*(1-c)))
}

// normalPower is Phi(distance/noise - z), the distance being that of the candidate
// from the limit.
func (q *question) normalPower(s spread, alpha, effect float64, pass bool) float64 {
	c, at := q.candidate(effect), q.candidate(q.limit)
	f := 1.0
	if q.form == relative {
		f = at / q.value
	}
	noise := math.Sqrt(float64(q.variance(c)*s.c) + float64(q.variance(q.value)*s.b*f*f))
	gap := q.worse * (c - at)
	if pass {
		gap = -gap
	}
	if noise == 0 {
		return 0
	}
	return distuv.UnitNormal.CDF(gap/noise - q.z(alpha, s.clock))
}

// quantilePower is the same for two quantiles that are each bounded with half of the
// error, in logarithms of the values.
func (q *question) quantilePower(s spread, alpha, effect float64, pass bool) float64 {
	density := math.Exp(-0.5*math.Pow(distuv.UnitNormal.Quantile(q.q), 2)) / math.Sqrt(2*math.Pi)
	one := func(n float64) float64 { return q.sd * math.Sqrt(q.q*(1-q.q)/n) / density }
	rare := math.Min(q.q, 1-q.q)
	c, at := q.candidate(effect), q.candidate(q.limit)
	if !(c > 0) || !(at > 0) {
		return 0
	}
	gap := q.worse * math.Log(c/at)
	if pass {
		gap = -gap
	}
	if q.form == bound {
		if s.nc*rare < 10 {
			return 0
		}
		return distuv.UnitNormal.CDF(gap/one(s.nc) - q.z(alpha, s.nc))
	}
	if math.Min(s.nb, s.nc)*rare < 10 {
		return 0
	}
	single := *q
	single.planned /= 2
	b, k := one(s.nb), one(s.nc)
	width := float64(b*single.z(alpha/2, s.nb)) + float64(k*single.z(alpha/2, s.nc))
	return distuv.UnitNormal.CDF((gap - width) / math.Hypot(b, k))
}

// risks are the factors of the relative risk that the exact test of events is made
// of; see [sequential.BinomMixOptions].
var risks = []float64{1.1, 1.2, 1.35, 1.5, 2, 3, 5}

// eventPower is the power of the mixture of relative risks: that of the factor that
// grows fastest. Its log-likelihood ratio is a sum over Poisson events, with mean
// and variance
//
//	sum_s mC_s a_s + mB_s b_s,  sum_s mC_s a_s^2 + mB_s b_s^2
//
// mC and mB being the expected events of the arms in stage s, a and b what an event
// of an arm adds.
func (q *question) eventPower(ts []traffic, alpha, effect float64, pass bool) float64 {
	c, at := q.candidate(effect), q.candidate(q.limit)
	if !(at > 0) || !(q.value > 0) || !(alpha > 0) {
		return 0
	}
	if q.form == difference { // with half of the error for the baseline itself
		alpha /= 2
	}
	up := q.worse > 0 != pass
	best := 0.0
	for _, g := range risks {
		if !up {
			g = 1 / g
		}
		average, variance := 0.0, 0.0
		for _, t := range ts {
			if t.weight() == 0 {
				continue
			}
			share := func(rr float64) float64 { return t.c * rr / (t.b + t.c*rr) }
			null, alt := share(at/q.value), share(at/q.value*g)
			a, b := math.Log(alt/null), math.Log((1-alt)/(1-null))
			mc, mb := t.c*c, t.b*q.value
			average += float64(mc*a) + float64(mb*b)
			variance += float64(mc*a*a) + float64(mb*b*b)
		}
		need := sequential.Threshold(alpha) + math.Log(float64(len(risks)))
		if variance > 0 {
			best = math.Max(best, distuv.UnitNormal.CDF((average-need)/math.Sqrt(variance)))
		}
	}
	return best
}

// detectable is the smallest effect beyond the limit that is proven with the given
// power after the traffic, +Inf when there is none.
func (q *question) detectable(ts []traffic, power float64) float64 {
	enough := func(e float64) bool { return q.power(ts, e, false) >= power }
	step := math.Max(math.Abs(q.limit-q.same), 1e-9)
	lo, hi := q.limit, q.limit+step
	for !q.possible(hi) || !enough(hi) {
		if !q.possible(hi) || step > 1e12 {
			edge := q.edge(lo, hi)
			if !enough(edge) {
				return math.Inf(1)
			}
			hi = edge
			break
		}
		step *= 2
		lo, hi = hi, hi+step
	}
	for range 50 {
		if mid := (lo + hi) / 2; enough(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// edge is the largest possible effect between one that is and one that is not.
func (q *question) edge(lo, hi float64) float64 {
	for range 50 {
		if mid := (lo + hi) / 2; q.possible(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// harm is twice the margin: as far beyond the limit as the limit is from no change.
func (q *question) harm() float64 { return 2*q.limit - q.same }
