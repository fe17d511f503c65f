package stats

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// survivalTol is how near the curve has to come to a level to count as being at
// it: 1 - q is rarely hit to the last bit.
const survivalTol = 0x1p-26

// Observation is a duration that may be unfinished.
type Observation struct {
	Time  float64 // until the event, or until the observation stopped; >= 0
	Event bool    // false: right-censored, the event lies beyond Time
	Entry float64 // start of observation on the clock of Time, when late; 0 means from the start
}

// SurvivalBand names the scale on which a pointwise confidence band of a survival
// curve is symmetric. It decides much about the interval of a quantile of a small
// sample, so results name it.
type SurvivalBand int8

// The bands, by the conf.type of R's survfit.
const (
	BandLog    SurvivalBand = iota // log S; the default, as in R
	BandLogLog                     // log(-log S): stays inside (0,1)
	BandPlain                      // S itself, cut at 0 and 1
)

// String returns "log", "log-log" or "plain".
func (b SurvivalBand) String() string {
	switch b {
	case BandLog:
		return "log"
	case BandLogLog:
		return "log-log"
	case BandPlain:
		return "plain"
	}
	return fmt.Sprintf("SurvivalBand(%d)", int8(b))
}

// SurvivalOptions configures [KaplanMeier].
type SurvivalOptions struct {
	Level float64      // of the band, in (0,1); 0 means 0.95
	Band  SurvivalBand // default BandLog
}

// SurvivalPoint is the survival curve just after a time.
type SurvivalPoint struct {
	Time     float64
	AtRisk   uint64   // observed and without event just before Time
	Events   uint64   // at Time
	Survival Interval // P(duration > Time), with the pointwise band
	SE       float64  // Greenwood's standard error of Survival; 0 where the curve is 0
}

// SurvivalCurve is a Kaplan-Meier estimate. It is a step function that falls at
// the times of events.
type SurvivalCurve struct {
	Points   []SurvivalPoint // one per distinct time with an event, ascending
	N        uint64          // observations
	Events   uint64          // of them with the event
	End      float64         // the longest time observed
	Level    float64         // of the band
	Band     SurvivalBand
	Method   string
	Warnings []Warning // degenerate
}

// SurvivalQuantile is the time by which a share Q has had the event.
type SurvivalQuantile struct {
	Q float64
	// Estimate has Point +Inf when Reached is false and Hi +Inf when HiReached
	// is. Lo is always a bound: where the band does not come down to 1-Q it is
	// the end of follow-up, and where there is no band at all it is 0.
	Estimate  Interval
	Reached   bool // the curve comes down to 1-Q
	HiReached bool // so does the upper band
	N, Events uint64
	Method    string
	Warnings  []Warning
}

// KaplanMeier estimates the distribution of durations some of which are still
// running.
//
//	S(t) = prod over event times s <= t of (1 - d_s/n_s)
//	Var S(t) = S(t)^2 * sum over s <= t of d_s/(n_s (n_s - d_s))    (Greenwood)
//
// with n_s at risk just before s and d_s events at s. An observation censored at
// s is at risk at s; one that entered at s is not yet. The band at a point is
// z standard errors wide on the scale of Options.Band.
//
// Assumptions: censoring tells nothing about when the event would have come
// (items cancelled because they took long break this, and are better kept out or
// counted as another outcome); observations are independent.
//
// Special cases are:
//
//	no event at all     no points; the curve is 1, with the warning "degenerate"
//	first step to 0     no band anywhere; the same warning
//	curve at 0          SE 0, Lo 0, and Hi as at the point before (or 1)
//	late entries        risk sets can be small early on, and the curve can fall
//	                    to 0 for good
//
// Errors: [ErrEmpty] for no observations; [ErrDomain] for a time that is
// negative or not finite, an entry that is NaN or not before its time, or an
// impossible option. Cost: sorting.
//
// References: Kaplan and Meier, Nonparametric estimation from incomplete
// observations, JASA 53 (1958). Klein and Moeschberger, Survival Analysis, 2nd
// ed. (2003), chapter 4.
func KaplanMeier(obs []Observation, o SurvivalOptions) (SurvivalCurve, error) {
	const name = "KaplanMeier"
	level, err := levelOrDefault(name, o.Level)
	if err != nil {
		return SurvivalCurve{}, err
	}
	if o.Band < BandLog || o.Band > BandPlain {
		return SurvivalCurve{}, fmt.Errorf("stats: %s: %v: %w", name, o.Band, ErrDomain)
	}
	risk, err := newRiskSet(name, obs)
	if err != nil {
		return SurvivalCurve{}, err
	}
	c := SurvivalCurve{
		N: uint64(len(obs)), End: risk.times[len(risk.times)-1], Level: level, Band: o.Band,
		Method: fmt.Sprintf("Kaplan-Meier, %v band", o.Band),
	}
	z := twoSidedZ(level)
	s, greenwood, hi := 1.0, 0.0, 1.0
	for _, t := range risk.eventTimes() {
		n, d := risk.at(t)
		c.Events += d
		nf, df := float64(n), float64(d)
		s *= (nf - df) / nf
		p := SurvivalPoint{Time: t, AtRisk: n, Events: d, Survival: Interval{s, 0, hi, level}}
		if d < n && s > 0 {
			greenwood += df / (nf * (nf - df))
			p.SE = s * math.Sqrt(greenwood)
			p.Survival.Lo, p.Survival.Hi = o.Band.ends(s, z*math.Sqrt(greenwood))
			hi = p.Survival.Hi
		}
		c.Points = append(c.Points, p)
	}
	if c.Events == 0 || c.Points[0].SE == 0 {
		c.Warnings = append(c.Warnings, Warning{WarnDegenerate, "too few events: the curve has no band"})
	}
	return c, nil
}

// ends is the band at s > 0 for w standard errors of log S.
func (b SurvivalBand) ends(s, w float64) (lo, hi float64) {
	switch {
	case b == BandPlain:
		return max(0, s-s*w), min(1, s+s*w)
	case b == BandLogLog && s < 1:
		l := math.Log(s)
		return math.Exp(l * math.Exp(-w/l)), math.Exp(l * math.Exp(w/l))
	}
	return s * math.Exp(-w), min(1, s*math.Exp(w))
}

// At returns the curve at time t: the point of the last event at or before t,
// with the number at risk of that point.
//
// Special cases are: before the first event the curve is 1 without a band
// (Level 0); beyond the end of follow-up it is known from above only, so Lo is 0.
func (c SurvivalCurve) At(t float64) SurvivalPoint {
	i := sort.Search(len(c.Points), func(i int) bool { return c.Points[i].Time > t })
	if i == 0 {
		return SurvivalPoint{AtRisk: c.N, Survival: Interval{Point: 1, Lo: 1, Hi: 1}}
	}
	p := c.Points[i-1]
	if t > c.End {
		p.Survival.Lo = 0
	}
	return p
}

// Quantile returns the time by which a share q has had the event, with the
// Brookmeyer-Crowley interval: the times at which the band holds 1-q.
//
// The point is the first time at which the curve is at or below 1-q. When the
// curve stays at exactly 1-q for a while it is the middle of that stretch, and
// when it stays there until the end of follow-up the middle between its last
// step and the end; the ends of the interval read the band in the same way. So
// do R's survfit quantiles, and without censoring the rule is [Type2].
//
// A quantile that the curve does not reach is no number: Reached is false, Point
// is +Inf, and Lo still bounds it from below. The same holds for the upper end.
//
// Errors: [ErrDomain] unless 0 < q < 1. Cost: one pass.
//
// Reference: Brookmeyer and Crowley, A confidence interval for the median
// survival time, Biometrics 38 (1982).
func (c SurvivalCurve) Quantile(q float64) (SurvivalQuantile, error) {
	if !(q > 0 && q < 1) {
		return SurvivalQuantile{}, fmt.Errorf("stats: SurvivalCurve.Quantile: q = %v is not in (0,1): %w", q, ErrDomain)
	}
	r := SurvivalQuantile{
		Q: q, N: c.N, Events: c.Events,
		Method:   c.Method + ", Brookmeyer-Crowley",
		Warnings: slices.Clone(c.Warnings),
	}
	r.Estimate.Level = c.Level
	r.Estimate.Point, r.Reached = c.cross(q, func(v Interval) float64 { return v.Point })
	r.Estimate.Hi, r.HiReached = c.cross(q, func(v Interval) float64 { return v.Hi })
	if len(c.Points) > 0 && c.Points[0].SE > 0 { // else there is no band anywhere
		lo, reached := c.cross(q, func(v Interval) float64 { return v.Lo })
		if r.Estimate.Lo = lo; !reached {
			r.Estimate.Lo = c.End
		}
	}
	return r, nil
}

// cross finds where the curve, read by level, comes down to 1-q.
func (c SurvivalCurve) cross(q float64, level func(Interval) float64) (float64, bool) {
	first := math.Inf(1)
	for _, p := range c.Points {
		fallen := 1 - level(p.Survival)
		if fallen >= q-survivalTol {
			first = min(first, p.Time)
		}
		if fallen >= q+survivalTol {
			return first/2 + p.Time/2, true
		}
	}
	if math.IsInf(first, 1) {
		return first, false
	}
	return first/2 + c.End/2, true
}

// RestrictedMean is the mean duration when durations are cut off at a horizon.
type RestrictedMean struct {
	Estimate  Interval // normal interval, in the unit of time
	SE        float64
	Horizon   float64
	N, Events uint64 // observations and events; those beyond the horizon included
	Method    string
	Warnings  []Warning
}

// RestrictedMean returns the mean of min(duration, horizon): the area under the
// curve up to the horizon. It needs no quantile to be reached, which makes it the
// mean to report while much is still in flight.
//
//	Var = sum over event times s <= horizon of A_s^2 d_s/(n_s (n_s - d_s))
//
// with A_s the area from s to the horizon; a step to 0 adds nothing.
//
// Errors: [ErrDomain] when the horizon is not positive, or lies beyond the end of
// follow-up while the curve is above 0, where nothing is known. Cost: one pass.
//
// Reference: Klein and Moeschberger, Survival Analysis, 2nd ed. (2003), section
// 4.5.
func (c SurvivalCurve) RestrictedMean(horizon float64) (RestrictedMean, error) {
	const name = "SurvivalCurve.RestrictedMean"
	if !(horizon > 0) || math.IsInf(horizon, 1) {
		return RestrictedMean{}, fmt.Errorf("stats: %s: horizon %v: %w", name, horizon, ErrDomain)
	}
	if horizon > c.End && c.At(c.End).Survival.Point > 0 {
		return RestrictedMean{}, fmt.Errorf("stats: %s: horizon %v is beyond the end of follow-up %v: %w", name, horizon, c.End, ErrDomain)
	}
	area, variance, right := 0.0, 0.0, horizon
	for i := len(c.Points) - 1; i >= 0; i-- {
		p := c.Points[i]
		if p.Time >= right {
			continue // beyond the horizon, or at it with no area to its right
		}
		area += float64(p.Survival.Point * (right - p.Time))
		right = p.Time
		if n, d := float64(p.AtRisk), float64(p.Events); d < n {
			variance += float64(area * area * (d / (n * (n - d))))
		}
	}
	area += right // the curve is 1 before the first event
	r := RestrictedMean{
		SE: math.Sqrt(variance), Horizon: horizon, N: c.N, Events: c.Events,
		Method:   "restricted mean of Kaplan-Meier",
		Warnings: slices.Clone(c.Warnings),
	}
	half := twoSidedZ(c.Level) * r.SE
	r.Estimate = Interval{area, max(0, area-half), min(horizon, area+half), c.Level}
	return r, nil
}

// riskSet counts who is under observation at a time.
type riskSet struct {
	times   []float64 // all times, ascending
	events  []float64 // times of events, ascending
	entries []float64 // late entries, ascending
}

func newRiskSet(fn string, obs []Observation) (riskSet, error) {
	if len(obs) == 0 {
		return riskSet{}, fmt.Errorf("stats: %s: no observations: %w", fn, ErrEmpty)
	}
	r := riskSet{times: make([]float64, 0, len(obs))}
	for i, b := range obs {
		if !(b.Time >= 0) || math.IsInf(b.Time, 1) || math.IsNaN(b.Entry) || b.Entry > 0 && b.Entry >= b.Time {
			return riskSet{}, fmt.Errorf("stats: %s: observation %d has time %v and entry %v: %w", fn, i, b.Time, b.Entry, ErrDomain)
		}
		r.times = append(r.times, b.Time)
		if b.Event {
			r.events = append(r.events, b.Time)
		}
		if b.Entry > 0 {
			r.entries = append(r.entries, b.Entry)
		}
	}
	slices.Sort(r.times)
	slices.Sort(r.events)
	slices.Sort(r.entries)
	return r, nil
}

// eventTimes returns the distinct times of events.
func (r riskSet) eventTimes() []float64 { return slices.Compact(slices.Clone(r.events)) }

// at returns how many are at risk just before t, and how many have the event at t.
func (r riskSet) at(t float64) (n, d uint64) {
	before := func(s []float64) int { return sort.SearchFloat64s(s, t) }
	after := sort.Search(len(r.events), func(i int) bool { return r.events[i] > t })
	late := len(r.entries) - before(r.entries) // entered at t or later
	return uint64(len(r.times) - before(r.times) - late), uint64(after - before(r.events))
}
