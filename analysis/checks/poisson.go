package checks

import (
	"math"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"gonum.org/v1/gonum/mathext"
)

// plannedEvents is the number of events of both arms at which the normal
// approximation of two rates is tightest when the policy says nothing, and a
// fiftieth of it that of the exact sequence of one.
const plannedEvents = 1000

// poisson bounds a rate exactly, with error alpha on each side: at one look by
// Garwood's interval, at any look by [poissonSequence]. Events that are no whole
// number are rounded down for the lower end and up for the upper one.
func (m measure) poisson(r ruler, alpha float64) span {
	out := span{0, math.Inf(1)}
	t := m.extent()
	if !(alpha > 0) || alpha >= 0.5 || !(t > 0) {
		return out
	}
	lo, hi, _ := m.ends()
	if r.anytime() {
		shape := poissonShape(r.planned / (plannedEvents / 20))
		out.lo, out.hi = poissonSequence(float64(lo), shape, alpha).lo/t, poissonSequence(float64(hi), shape, alpha).hi/t
		return out
	}
	if v, err := stats.PoissonRate(lo, t, 1-2*alpha/r.looks); err == nil {
		out.lo = v.Lo
	}
	if v, err := stats.PoissonRate(hi, t, 1-2*alpha/r.looks); err == nil {
		out.hi = v.Hi
	}
	return out
}

// poissonShape is the shape of the prior for which the sequence is tightest at the
// given number of events; see [sequential.NormalScale].
func poissonShape(events float64) float64 {
	a, err := sequential.NormalScale(math.Max(20, events), 0.05, stats.Greater)
	if err != nil {
		return 1
	}
	return a
}

// poissonLogE is the log e-value of x events where mu are expected, against the
// alternative that the rate is higher (Greater) or lower (Less). With a Gamma
// prior of shape a and mean mu on what is expected, cut off at mu, it is
//
//	lgamma(a+x) - lgamma(a) + a ln a - (a+x) ln(a+mu) + mu
//	  + ln P(Gamma(a+x) > a+mu) - ln P(Gamma(a) > a)
//
// for Greater. Each likelihood ratio of the mixture is monotone in the rate, so it
// is a test of the one-sided null, at any number of looks (Howard, Ramdas,
// McAuliffe and Sekhon 2021, on gamma-exponential mixtures).
func poissonLogE(x, mu, a float64, alt stats.Alternative) float64 {
	tail := mathext.GammaIncRegComp
	if alt == stats.Less {
		tail = mathext.GammaIncReg
	}
	top, _ := math.Lgamma(a + x)
	bottom, _ := math.Lgamma(a)
	return top - bottom + float64(a*math.Log(a)) - float64((a+x)*math.Log(a+mu)) + mu +
		math.Log(tail(a+x, a+mu)) - math.Log(tail(a, a))
}

// poissonSequence bounds what is expected of x events, at any number of looks,
// with error alpha on each side.
func poissonSequence(x, a, alpha float64) span {
	out, need := span{0, math.Inf(1)}, sequential.Threshold(alpha)
	rejected := func(mu float64, alt stats.Alternative) bool { return poissonLogE(x, mu, a, alt) >= need }
	bisect := func(in, out float64, alt stats.Alternative) float64 { // in is not rejected, out is
		for range 60 {
			mid := (in + out) / 2
			if rejected(mid, alt) {
				out = mid
			} else {
				in = mid
			}
			if math.Abs(in-out) <= 1e-12*math.Max(in, out) {
				break
			}
		}
		return out
	}
	if x > 0 && rejected(0, stats.Greater) {
		out.lo = bisect(x, 0, stats.Greater)
	}
	hi := x + need + 1
	for range 60 {
		if rejected(hi, stats.Less) {
			out.hi = bisect(x, hi, stats.Less)
			break
		}
		hi *= 2
	}
	return out
}

// rateRatio bounds candidate/baseline of two rates at one look: given the sum of
// the events, those of the candidate are binomial.
func (p pair) rateRatio(alpha float64) span {
	out := span{0, math.Inf(1)}
	bl, bh, _ := p.base.ends()
	cl, ch, _ := p.cand.ends()
	if !(alpha > 0) || alpha >= 0.5 {
		return out
	}
	scale := p.base.exposure / p.cand.exposure
	odds := func(x float64) float64 { return x / (1 - x) * scale } // +Inf at 1
	if v := proportionSpan(stats.ClopperPearson, cl, cl+bh, alpha); cl > 0 {
		out.lo = odds(v.lo)
	}
	if v := proportionSpan(stats.ClopperPearson, ch, ch+bl, alpha); bl > 0 {
		out.hi = odds(v.hi)
	}
	return out
}

// rateEvidence is the log e-value, when looks are continuous, or else the log of
// the p-value, that a rate is beyond a bound.
func (m measure) rateEvidence(r ruler, bound float64, alt stats.Alternative) (logE, logP float64) {
	nan := math.NaN()
	if !(bound > 0) {
		return nan, nan
	}
	lo, hi, _ := m.ends()
	mu := bound * m.extent()
	switch x := float64(lo); {
	case r.anytime():
		if alt == stats.Less {
			x = float64(hi)
		}
		logE = poissonLogE(x, mu, poissonShape(r.single().planned/(plannedEvents/20)), alt)
		return logE, -math.Max(0, logE)
	case alt == stats.Less:
		return nan, math.Log(mathext.GammaIncRegComp(float64(hi)+1, mu))
	case lo == 0:
		return nan, 0
	default:
		return nan, math.Log(mathext.GammaIncReg(x, mu))
	}
}
