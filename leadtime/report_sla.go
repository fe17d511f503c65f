package leadtime

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// InFlightPolicy says how compliance with an SLA counts releases in flight.
type InFlightPolicy int8

// The policies.
const (
	// OverdueInFlight counts the completed, and as missed those in flight that
	// are older than the SLA. The younger ones are undecided and in neither count.
	OverdueInFlight InFlightPolicy = iota
	CompletedOnly                  // counts the completed: flatters while slow releases pile up
	KMCompliance                   // 1 - S(SLA) of the survival curve: uses the younger ones as far as they go
)

// Compliance is the share of releases within the SLA. A lead time equal to the
// SLA meets it.
type Compliance struct {
	SLA    float64        `json:"sla_h"` // in hours
	Policy InFlightPolicy `json:"policy"`
	// Rate counts as Policy says. Under KMCompliance its Met are the completed
	// within the SLA, its N all flights, its Pending those in flight up to the
	// SLA, its Estimate the curve's.
	Rate     Rate            `json:"rate"`
	Warnings []stats.Warning `json:"warnings,omitempty"`
}

// compliance counts a group against its SLA.
func compliance(sla time.Duration, done, ages []time.Duration, obs []stats.Observation, o Options) (Compliance, error) {
	c := Compliance{SLA: sla.Hours(), Policy: o.InFlight}
	var met, overdue uint64
	for _, d := range done {
		if d <= sla {
			met++
		}
	}
	for _, d := range ages {
		if d > sla {
			overdue++
		}
	}
	pending := uint64(len(ages)) - overdue
	total := uint64(len(done))
	switch o.InFlight {
	case OverdueInFlight:
		total += overdue
	case CompletedOnly:
		pending = uint64(len(ages))
		if overdue > 0 {
			c.Warnings = append(c.Warnings, stats.Warning{Code: WarnSurvivorship,
				Message: fmt.Sprintf("%d releases in flight are beyond the SLA and not counted", overdue)})
		}
	case KMCompliance:
		return kmCompliance(c, met, pending, obs, o)
	}
	var err error
	c.Rate, err = ComplianceRate(met, total, RateOptions{Level: o.Level, Method: o.Rate, Target: o.Target})
	c.Rate.Pending = pending
	return c, err
}

func kmCompliance(c Compliance, met, pending uint64, obs []stats.Observation, o Options) (Compliance, error) {
	c.Rate = Rate{
		Met: met, N: uint64(len(obs)), Pending: pending, Target: o.Target, PBelow: stats.Float(math.NaN()),
		Method:   "no release",
		Estimate: stats.Interval{Point: math.NaN(), Lo: 0, Hi: 1, Level: o.Level},
	}
	if len(obs) == 0 {
		return c, nil
	}
	k, err := stats.KaplanMeier(obs, stats.SurvivalOptions{Level: o.Level, Band: o.Band})
	if err != nil {
		return c, err
	}
	c.Rate.Method, c.Warnings = k.Method, k.Warnings
	s := k.At(c.SLA).Survival
	c.Rate.Estimate.Point = 1 - s.Point
	if s.Level > 0 { // before the first event the curve has no band
		c.Rate.Estimate.Lo, c.Rate.Estimate.Hi = 1-s.Hi, 1-s.Lo
	}
	if c.SLA > k.End && s.Point > 0 {
		c.Warnings = append(c.Warnings, stats.Warning{Code: stats.WarnClipped,
			Message: fmt.Sprintf("no release was followed for longer than %.4g h: the share is a lower bound", k.End)})
	}
	return c, nil
}

// Breach is a release beyond its SLA, and where its time went.
type Breach struct {
	Key        FlightKey `json:"key"`
	Track      Track     `json:"track"`
	InFlight   bool      `json:"in_flight"` // still open: Lead is its age, and grows
	Lead       float64   `json:"lead_h"`
	SLA        float64   `json:"sla_h"`
	Overrun    float64   `json:"overrun_h"`
	WorstStage string    `json:"worst_stage"`   // the stage that owns most of it, waiting for it included; "" when none owns more than is unattributed
	StageHours float64   `json:"worst_stage_h"` // what it owns
	WaitHours  float64   `json:"worst_wait_h"`  // of that, waiting for the stage or between its attempts
	// After is the stage that ended last, IdleHours the time since, in which
	// nothing is on record: where a release in flight is stuck.
	After     string  `json:"after"`
	IdleHours float64 `json:"idle_h"`
}

// breaches lists the releases of the headline environment beyond their SLA, the
// largest overrun first.
func (p *pool) breaches(o Options) ([]Breach, error) {
	o.Stages.Calendar = o.Calendar
	var out []Breach
	for _, k := range p.keys() {
		sla := o.sla(k.track)
		if k.env != o.Env || k.model != "" || sla <= 0 {
			continue
		}
		for _, v := range p.groups[k].views {
			if v.lead <= sla {
				continue
			}
			b := Breach{
				Key: v.flight.Key, Track: k.track, InFlight: !v.done,
				Lead: v.lead.Hours(), SLA: sla.Hours(), Overrun: (v.lead - sla).Hours(),
			}
			seen := *v.flight // up to where the report looks
			seen.Ended = v.stopped
			a, err := Attribute(&seen, o.Stages)
			if err != nil {
				return nil, err
			}
			b.After, b.IdleHours = lastStage(&seen), a.Unattributed.Hours()
			for _, s := range a.Stages {
				if s.Stage == a.Longest() && s.Total() > a.Unattributed {
					b.WorstStage, b.StageHours, b.WaitHours = s.Stage, s.Total().Hours(), (s.Wait + s.Retry).Hours()
				}
			}
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b Breach) int {
		return cmp.Or(cmp.Compare(b.Overrun, a.Overrun), compareKeys(a.Key, b.Key))
	})
	return out, nil
}

// lastStage is the stage of a flight that ended last before the clock stopped.
func lastStage(f *Flight) string {
	var last *Segment
	for i := range f.Segments {
		s := &f.Segments[i]
		if !s.Start.After(f.Ended) && (last == nil || cmp.Or(s.End.Compare(last.End), cmp.Compare(last.Stage, s.Stage)) > 0) {
			last = s
		}
	}
	if last == nil {
		return ""
	}
	return last.Stage
}

// justBelow is the number below x > 0; for 0 it is 0.
func justBelow(x float64) float64 {
	if x == 0 {
		return 0
	}
	return math.Nextafter(x, 0)
}
