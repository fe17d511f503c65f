package leadtime

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Warning codes of reports.
const (
	WarnSurvivorship = "survivorship" // releases in flight were left out of a number
	WarnLateEntry    = "late_entry"   // releases open at the start of the window enter at their age then
	WarnWideStamps   = "wide_stamps"  // interval stamps are wide against the median
)

// Cohort says which flights a window holds.
type Cohort int8

// The cohorts.
const (
	ByCompletion Cohort = iota // those served in it: "the releases of this quarter"
	BySignOff                  // those signed off in it, with those not served yet as censored
)

// Options configures [Summarize] and what is built on it. The zero value reports
// everything up to the end of the observation, on the wall clock, without an SLA.
type Options struct {
	// AsOf is when the report looks: what happened later is unknown to it, so a
	// flight served after AsOf is in flight. The zero time is the latest end of
	// any flight.
	AsOf time.Time
	// Since and Until bound the window [Since, Until); a zero time leaves it open.
	Since, Until time.Time
	Cohort       Cohort

	Estimator    Estimator
	QuantileType stats.QuantileType // of EstimatorPlain; 0 means type 7
	Nyblom       bool               // interpolated intervals for EstimatorPlain
	Band         stats.SurvivalBand // of EstimatorKM
	Level        float64            // of every interval, in (0,1); 0 means 0.95

	// Calendar measures durations; nil is the wall clock.
	Calendar Calendar
	// Env is the environment of the headline numbers, the one Assemble was told;
	// "" is Production.
	Env     Env
	ByModel bool // groups per model beside those over all models

	SLA      time.Duration           // of every track not in TrackSLA; 0 means none
	TrackSLA map[Track]time.Duration // 0 means none for the track
	InFlight InFlightPolicy          // how compliance counts releases in flight
	Rate     RateMethod              // interval of compliance
	Target   float64                 // share that should meet the SLA, in (0,1]; 0 means none

	Bands  BandSet          // nil means ModelBands
	Stages BreakdownOptions // of the worst stage of a breach; its Calendar is that above
}

// Report is what [Summarize] says about a window of flights. Durations are in
// hours. Its JSON form depends on the flights and the options only.
type Report struct {
	AsOf   time.Time `json:"as_of"`
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	Cohort Cohort    `json:"cohort"`
	Unit   string    `json:"unit"`  // "h"
	Clock  string    `json:"clock"` // "wall", or what the calendar calls itself
	// Groups has the standard track of the headline environment first, whether it
	// holds flights or not; then other tracks, other environments, and models.
	Groups   []Group          `json:"groups"`
	Breaches []Breach         `json:"breaches,omitempty"` // worst first
	Excluded []ExcludedFlight `json:"excluded,omitempty"` // flights of the window that are no lead times
	Outside  uint64           `json:"outside"`            // flights outside the window, or signed off after AsOf
}

// Headline is the standard track of the headline environment, over all models.
func (r Report) Headline() Group { return headline(r.Groups) }

func headline(groups []Group) Group {
	if len(groups) == 0 {
		return Group{}
	}
	return groups[0]
}

// Group is a set of flights that may be compared: one environment and one track.
type Group struct {
	Env   Env    `json:"env"`
	Track Track  `json:"track"`
	Model string `json:"model,omitempty"` // empty: all models

	N        uint64       `json:"n"`         // completed in the cohort of the report
	InFlight uint64       `json:"in_flight"` // of it, still open
	Cohorts  CohortCounts `json:"cohorts"`   // the same in either cohort

	// P50, P90 and Mean are those of Estimator; Plain and KM hold both.
	Estimator Estimator `json:"estimator"`
	P50       Quantile  `json:"p50"`
	P90       Quantile  `json:"p90"`
	Mean      Mean      `json:"mean"`
	Plain     Estimates `json:"plain"`
	KM        Estimates `json:"km"`

	SLA   *Compliance `json:"sla,omitempty"` // nil without an SLA, and outside the headline environment
	Bands []BandCount `json:"bands"`
	// Cycle is the experiment-to-production cycle time of the completed, from the
	// start of the training run: another, longer number than lead time. Nil when
	// no run is known, and outside the headline environment.
	Cycle *Estimates `json:"cycle,omitempty"`

	ClampedSkew   uint64          `json:"clamped_skew"`      // lead times of 0 whose stamps were in the wrong order
	MaxStampWidth float64         `json:"max_stamp_width_h"` // widest interval stamp, in hours
	Warnings      []stats.Warning `json:"warnings,omitempty"`
}

// CohortCounts are the flights of a window by either rule.
type CohortCounts struct {
	ByCompletion Counts `json:"by_completion"`
	BySignOff    Counts `json:"by_signoff"`
}

// Counts are the flights of a cohort.
type Counts struct {
	Completed uint64 `json:"completed"`
	InFlight  uint64 `json:"in_flight"`
}

// ExcludedFlight is a flight that is no lead time, and why.
type ExcludedFlight struct {
	Key    FlightKey `json:"key"`
	Track  Track     `json:"track"`
	Reason string    `json:"reason"` // rejected, withdrawn, no_signoff
}

// Summarize reports the lead times of flights: the median and the 0.9-quantile
// apart, with the mean, intervals, compliance with the SLA, bands, and the
// breaches with the stage that cost most.
//
// Tracks are never pooled with each other, nor are environments. The lead time of
// an environment other than the headline one runs from sign-off to the first
// arrival there.
//
// A flight in flight is a duration known from below. EstimatorPlain leaves it
// out, which makes a window in which slow releases pile up look fast;
// EstimatorKM counts it as "longer than its age". Then a quantile may be out of
// reach: Reached is false and Estimate.Lo bounds it from below. By completion,
// a flight that was open at Since is at risk from its age at Since only (left
// truncation), and one open at Until is censored there. Rejected and withdrawn
// flights are another outcome, not long durations: they are in Excluded.
//
// A calendar changes every duration, and with them what the SLA and the bands
// mean; Clock says so.
//
// Assumptions: flights are independent, and being in flight at AsOf tells nothing
// about how long a flight will take beyond its age.
//
// Special cases are: a group without a completed flight has NaN estimates and N
// 0; quantiles whose interval is open at an end carry "small_sample"; a plain
// number with flights in flight carries "survivorship".
//
// Errors: [stats.ErrDomain] for impossible options. Cost: sorting, per group.
//
// References: Hyndman and Fan, The American Statistician 50 (1996). Klein and
// Moeschberger, Survival Analysis, 2nd ed. (2003), chapters 3 and 4.
func Summarize(flights []Flight, o Options) (Report, error) {
	const name = "Summarize"
	o, err := o.ready(flights)
	if err != nil {
		return Report{}, fmt.Errorf("leadtime: %s: %w", name, err)
	}
	r := Report{AsOf: o.AsOf, Since: o.Since, Until: o.Until, Cohort: o.Cohort, Unit: "h", Clock: "wall"}
	if o.Calendar != nil {
		r.Clock = "calendar"
		if s, ok := o.Calendar.(fmt.Stringer); ok {
			r.Clock = s.String()
		}
	}
	pool := collect(flights, o, &r)
	for _, k := range pool.keys() {
		g, err := pool.groups[k].summarize(k, o)
		if err != nil {
			return Report{}, fmt.Errorf("leadtime: %s: %s %s %s: %w", name, k.env, k.track, k.model, err)
		}
		r.Groups = append(r.Groups, g)
	}
	if r.Breaches, err = pool.breaches(o); err != nil {
		return Report{}, fmt.Errorf("leadtime: %s: %w", name, err)
	}
	slices.SortFunc(r.Excluded, func(a, b ExcludedFlight) int {
		return cmp.Or(compareKeys(a.Key, b.Key), cmp.Compare(a.Reason, b.Reason))
	})
	return r, nil
}

// ready checks the options and fills in their defaults.
func (o Options) ready(flights []Flight) (Options, error) {
	o.Level = orLevel(o.Level)
	o.Env = cmp.Or(o.Env, Production)
	if o.Bands == nil {
		o.Bands = ModelBands()
	}
	if o.AsOf.IsZero() {
		for i := range flights {
			if flights[i].Ended.After(o.AsOf) {
				o.AsOf = flights[i].Ended
			}
		}
	}
	o.AsOf, o.Since, o.Until = utc(o.AsOf), utc(o.Since), utc(o.Until)
	switch {
	case !o.Since.IsZero() && !o.Until.IsZero() && !o.Since.Before(o.Until):
		return o, fmt.Errorf("window from %v until %v: %w", o.Since, o.Until, stats.ErrDomain)
	case o.Cohort < ByCompletion || o.Cohort > BySignOff:
		return o, fmt.Errorf("%v: %w", o.Cohort, stats.ErrDomain)
	case o.Estimator < EstimatorAuto || o.Estimator > EstimatorKM:
		return o, fmt.Errorf("%v: %w", o.Estimator, stats.ErrDomain)
	case o.InFlight < OverdueInFlight || o.InFlight > KMCompliance:
		return o, fmt.Errorf("%v: %w", o.InFlight, stats.ErrDomain)
	case o.SLA < 0:
		return o, fmt.Errorf("SLA %v: %w", o.SLA, stats.ErrDomain)
	case !(o.Target >= 0 && o.Target <= 1) || math.IsNaN(o.Target):
		return o, fmt.Errorf("target %v is not in [0,1]: %w", o.Target, stats.ErrDomain)
	}
	for _, t := range sortedTracks(o.TrackSLA) {
		if o.TrackSLA[t] < 0 {
			return o, fmt.Errorf("SLA %v of track %s: %w", o.TrackSLA[t], t, stats.ErrDomain)
		}
	}
	if err := o.Bands.Validate(); err != nil {
		return o, err
	}
	return o, stats.CheckLevel(o.Level)
}

// sla is the SLA of a track, 0 when there is none.
func (o Options) sla(t Track) time.Duration {
	if d, ok := o.TrackSLA[t]; ok {
		return d
	}
	return o.SLA
}

func (o Options) estimates() estimateOptions {
	return estimateOptions{level: o.Level, typ: o.QuantileType, nyblom: o.Nyblom, band: o.Band}
}

func sortedTracks(m map[Track]time.Duration) []Track {
	out := make([]Track, 0, len(m))
	for t := range m {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// utc strips the monotonic reading and the zone; the zero time stays zero.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Round(0).UTC()
}

func compareKeys(a, b FlightKey) int {
	return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Version, b.Version), cmp.Compare(a.SignOff, b.SignOff))
}
