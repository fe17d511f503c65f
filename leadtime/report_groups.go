package leadtime

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// view is a flight as a report sees it: a duration towards one environment.
type view struct {
	flight  *Flight
	env     Env
	track   Track
	lead    time.Duration // or age
	done    bool          // it arrived
	ended   bool          // it arrived, or never will
	stopped time.Time     // when it arrived, or when observation stopped
	entry   time.Duration // age at which it came under observation
	width   time.Duration // of its interval stamps
}

type groupKey struct {
	env   Env
	track Track
	model string
}

// group holds the views of a group: those of the report's cohort, and how many
// each cohort has.
type group struct {
	views   []view
	cohorts [2]Counts
}

type pool struct {
	env    Env // of the headline
	groups map[groupKey]*group
}

func (p *pool) at(k groupKey) *group {
	g := p.groups[k]
	if g == nil {
		g = new(group)
		p.groups[k] = g
	}
	return g
}

// keys are the groups in the order of the report.
func (p *pool) keys() []groupKey {
	keys := make([]groupKey, 0, len(p.groups))
	for k := range p.groups {
		keys = append(keys, k)
	}
	first := func(b bool) int {
		if b {
			return 0
		}
		return 1
	}
	slices.SortFunc(keys, func(a, b groupKey) int {
		return cmp.Or(
			cmp.Compare(a.model, b.model),
			cmp.Compare(first(a.env == p.env), first(b.env == p.env)), cmp.Compare(a.env, b.env),
			cmp.Compare(first(a.track == Standard), first(b.track == Standard)), cmp.Compare(a.track, b.track),
		)
	})
	return keys
}

// collect sorts flights into groups, and notes in r those that are none's.
func collect(flights []Flight, o Options, r *Report) *pool {
	p := &pool{env: o.Env, groups: map[groupKey]*group{}}
	p.at(groupKey{env: o.Env, track: Standard})
	reached := map[groupKey]bool{} // environments that a track is known to pass
	for i := range flights {
		for _, a := range flights[i].Arrivals {
			if a.Env != o.Env && !a.At.After(o.AsOf) {
				reached[groupKey{env: a.Env, track: flights[i].track()}] = true
			}
		}
	}
	envs := make([]groupKey, 0, len(reached))
	for k := range reached {
		envs = append(envs, k)
	}
	for i := range flights {
		f := &flights[i]
		if f.SignOff.IsZero() || f.Ended.Before(f.SignOff) {
			r.Excluded = append(r.Excluded, ExcludedFlight{f.Key, f.track(), NoSignOff.String()})
			continue
		}
		if f.SignOff.After(o.AsOf) {
			r.Outside++
			continue
		}
		inside, reason := p.add(o, o.toHeadline(f))
		for _, k := range envs {
			if k.track == f.track() {
				if v, ok := o.toArrival(f, k.env); ok {
					p.add(o, v)
				}
			}
		}
		switch {
		case reason != "":
			r.Excluded = append(r.Excluded, ExcludedFlight{f.Key, f.track(), reason})
		case !inside:
			r.Outside++
		}
	}
	return p
}

// track is the flight's track; a flight that states none took the standard one.
func (f *Flight) track() Track { return cmp.Or(f.Track, Standard) }

// toHeadline is the view of a flight on its way to the headline environment.
func (o Options) toHeadline(f *Flight) view {
	v := view{flight: f, env: o.Env, track: f.track(), stopped: f.Ended, width: max(f.SignOffWidth, f.ServedWidth)}
	v.done = f.State == Served
	return v
}

// toArrival is the view of a flight on its way to another environment: it arrived
// there, or may still do so.
func (o Options) toArrival(f *Flight, env Env) (view, bool) {
	v := view{flight: f, env: env, track: f.track(), stopped: f.Ended, width: f.SignOffWidth}
	for _, a := range f.Arrivals {
		if a.Env == env {
			v.stopped, v.done = later(a.At, f.SignOff), true
			return v, true
		}
	}
	return v, f.State == InFlight
}

// add puts a view into the groups of its cohort. It is false for a view outside
// the window, and gives a reason for one that is in it and no duration.
func (p *pool) add(o Options, v view) (inside bool, reason string) {
	v.ended = v.done || v.flight.State != InFlight
	v = v.cut(o.AsOf)
	keys := []groupKey{{env: v.env, track: v.track}, {v.env, v.track, v.flight.Key.Model}}
	if !o.ByModel {
		keys = keys[:1]
	}
	for _, c := range []Cohort{ByCompletion, BySignOff} {
		w, in := o.observe(v, c)
		if !in {
			continue
		}
		inside = inside || c == o.Cohort
		if w.ended && !w.done {
			if c == o.Cohort {
				reason = w.flight.State.String()
			}
			continue
		}
		for _, k := range keys {
			g := p.at(k)
			if w.done {
				g.cohorts[c].Completed++
			} else {
				g.cohorts[c].InFlight++
			}
			if c == o.Cohort {
				g.views = append(g.views, w)
			}
		}
	}
	return inside, reason
}

// cut is the view of somebody who looks at t and knows what happened up to then.
func (v view) cut(t time.Time) view {
	if v.stopped.After(t) {
		v.stopped, v.done, v.ended = t, false, false
	}
	return v
}

// observe measures a view on the calendar as a cohort sees it. It is false for a
// view that is not in the cohort: by sign-off, those signed off in the window; by
// completion, those that ended in it or were open when it or the observation
// closed.
func (o Options) observe(v view, c Cohort) (view, bool) {
	signed := v.flight.SignOff
	if c == BySignOff {
		v.lead = between(o.Calendar, signed, v.stopped)
		return v, !signed.Before(o.Since) && (o.Until.IsZero() || signed.Before(o.Until))
	}
	if !o.Until.IsZero() {
		if !signed.Before(o.Until) {
			return v, false
		}
		if !v.stopped.Before(o.Until) { // Until is the first instant outside
			v.stopped, v.done, v.ended = o.Until, false, false
		}
	}
	v.entry = between(o.Calendar, signed, o.Since)
	v.lead = between(o.Calendar, signed, v.stopped)
	return v, !v.stopped.Before(o.Since)
}

// summarize computes the numbers of a group.
func (g *group) summarize(k groupKey, o Options) (Group, error) {
	out := Group{Env: k.env, Track: k.track, Model: k.model, Cohorts: CohortCounts{g.cohorts[ByCompletion], g.cohorts[BySignOff]}, Estimator: o.Estimator}
	var done, ages []time.Duration
	obs := make([]stats.Observation, 0, len(g.views))
	var width time.Duration
	var cycles []float64
	for _, v := range g.views {
		if v.done {
			done = append(done, v.lead)
			if c, ok := v.flight.Cycle(o.Calendar); ok && k.env == o.Env {
				cycles = append(cycles, c.Hours())
			}
			if v.flight.Flags.Has(FlagClampedSkew) {
				out.ClampedSkew++
			}
		} else {
			ages = append(ages, v.lead)
		}
		obs = append(obs, v.observation())
		width = max(width, v.width)
	}
	slices.Sort(done)
	hours := make([]float64, len(done))
	for i, d := range done {
		hours[i] = d.Hours()
	}
	out.N, out.InFlight, out.MaxStampWidth = uint64(len(done)), uint64(len(ages)), width.Hours()
	var err error
	if out.Plain, err = plainEstimates(hours, o.estimates()); err != nil {
		return out, err
	}
	if out.KM, err = kmEstimates(obs, o.estimates()); err != nil {
		return out, err
	}
	if o.Estimator == EstimatorAuto {
		out.Estimator = EstimatorPlain
		if o.Cohort == BySignOff && len(ages) > 0 {
			out.Estimator = EstimatorKM
		}
	}
	used := out.Plain
	if out.Estimator == EstimatorKM {
		used = out.KM
	}
	out.P50, out.P90, out.Mean = used.P50, used.P90, used.Mean
	out.Bands = o.Bands.count(done, ages)
	if len(cycles) > 0 {
		slices.Sort(cycles)
		c, err := plainEstimates(cycles, o.estimates())
		if err != nil {
			return out, err
		}
		out.Cycle = &c
	}
	out.warn()
	if sla := o.sla(k.track); sla > 0 && k.env == o.Env {
		c, err := compliance(sla, done, ages, obs, o)
		if err != nil {
			return out, err
		}
		out.SLA = &c
	}
	return out, nil
}

// observation is the view as a duration for a survival curve. A flight that came
// under observation and arrived in the same instant is at risk in it.
func (v view) observation() stats.Observation {
	b := stats.Observation{Time: v.lead.Hours(), Event: v.done, Entry: v.entry.Hours()}
	if b.Entry >= b.Time {
		b.Entry = justBelow(b.Time)
	}
	return b
}

func (g *Group) warn() {
	if g.Estimator == EstimatorPlain && g.InFlight > 0 {
		g.Warnings = append(g.Warnings, stats.Warning{Code: WarnSurvivorship,
			Message: fmt.Sprintf("%d releases in flight are left out of the quantiles and the mean", g.InFlight)})
	}
	if m := g.P50.Estimate.Point; g.P50.Reached && g.MaxStampWidth > m/10 {
		g.Warnings = append(g.Warnings, stats.Warning{Code: WarnWideStamps,
			Message: fmt.Sprintf("a stamp is uncertain by %.3g h, more than a tenth of the median", g.MaxStampWidth)})
	}
}
