package leadtime

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// OpsOptions configures [Ops]. The zero value looks at everything up to the end
// of the observation.
type OpsOptions struct {
	AsOf         time.Time // zero: the latest time of a flight, a rollback or an event
	Since, Until time.Time // window [Since, Until); zero leaves it open
	Env          Env       // of deployments, incidents and alerts; "" is Production
	Model        string    // "" is all models
	Track        Track     // of flights; "" is all tracks, for these are rates of what was deployed, and no lead times
	Level        float64   // of every interval, in (0,1); 0 means 0.95
	Rate         RateMethod
	// DurableFor is how long a deployment must do without rollback and incident
	// to be a durable success; 0 means 72 hours.
	DurableFor time.Duration
	// AlertWindow is how long before a rollback a drift alert of its model may
	// lie to count as its cause; 0 means 24 hours.
	AlertWindow time.Duration
	// DeployStages are the stages whose attempts are attempts to deploy; nil
	// means "promotion".
	DeployStages []string
	// Steps are the stages that every release passes, in order; without them no
	// step can be missing.
	Steps  []string
	Stages BreakdownOptions // for the time lost to failed attempts
}

// OpsReport holds the operational metrics of a window. Durations are in hours.
type OpsReport struct {
	AsOf  time.Time `json:"as_of"`
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	Unit  string    `json:"unit"` // "h"

	// Promotion is promoted / (promoted + rejected + withdrawn) of the candidates
	// decided in the window; those in flight are pending.
	Promotion Rate `json:"promotion"`
	// Deploys is the share of attempts to deploy that succeeded at once. An
	// attempt without an outcome is pending; one that was cancelled is no attempt.
	Deploys Rate `json:"deploys"`
	// Durable is the share of deployments without rollback or incident for
	// DurableFor; the younger ones without either are pending.
	Durable Rate `json:"durable"`
	// Rollback is the share of deployments that were rolled back, counted in Met.
	Rollback      Rate           `json:"rollback"`
	RollbackTimes RollbackTimes  `json:"rollback_times"`
	Gates         []GateFailures `json:"gates,omitempty"` // by model and stage
	Steps         StepDelays     `json:"steps"`
	Alerts        AlertRatio     `json:"rollbacks_per_drift_alert"`
	Incidents     IncidentReport `json:"incidents"`
	Retraining    []Retraining   `json:"retraining,omitempty"` // by model
	// Ignored counts events of the models asked for that are after AsOf, in another
	// environment, or of a kind that belongs to flights.
	Ignored uint64 `json:"ignored"`
}

// Durations summarises a set of durations in hours.
type Durations struct {
	N    uint64 `json:"n"`    // finished
	Open uint64 `json:"open"` // still running at AsOf
	// Unknown are those that lack a stamp.
	Unknown uint64    `json:"unknown"`
	Plain   Estimates `json:"plain"` // of the finished
	// KM counts the open ones as longer than their age; nil when there are none.
	KM *Estimates `json:"km,omitempty"`
	// GeometricMean is that of the finished; 0 when one took no time, NaN when
	// there is none.
	GeometricMean stats.Float `json:"geometric_mean"`
}

// Ops computes the operational metrics of flights and of the events that belong
// to models rather than to flights: [Assembly.Operations].
//
// A deployment is a flight served in the window, and again every redeploy of it.
// What happened to it counts up to AsOf, also after Until. Incidents, alerts,
// rollback times and retraining count when they happened in the window.
//
// An incident belongs to the flight it names by Version, else to the flight of
// its model that was served last before it. An incident with no end yet is a
// duration known from below.
//
// Durations are on the wall clock, weekends and nights included: so is the harm.
//
// Assumptions: those of [ComplianceRate], [stats.PoissonRate] and
// [stats.KaplanMeier] for the respective numbers.
//
// Special cases are: every metric without trials is NaN with N 0, not 0 and not
// 100%.
//
// Errors: [stats.ErrDomain] for impossible options. Cost: sorting.
func Ops(flights []Flight, events []Event, o OpsOptions) (OpsReport, error) {
	w, err := newOps(flights, events, o)
	if err != nil {
		return OpsReport{}, fmt.Errorf("leadtime: Ops: %w", err)
	}
	r := OpsReport{AsOf: w.o.AsOf, Since: w.o.Since, Until: w.o.Until, Unit: "h", Ignored: w.ignored}
	for _, f := range []func(*OpsReport) error{
		w.promotion, w.incidents, w.deployments, w.rollbackTimes, w.gates, w.steps, w.alerts, w.retraining,
	} {
		if err := f(&r); err != nil {
			return OpsReport{}, fmt.Errorf("leadtime: Ops: %w", err)
		}
	}
	return r, nil
}

// opsWork is the input of Ops, checked, filtered and in a fixed order.
type opsWork struct {
	o       OpsOptions
	flights []*Flight            // by key
	served  map[string][]*Flight // by model: those served, by time of serving
	events  []Event              // by time
	byModel map[string][]*Event  // the same, per model
	ignored uint64
	paired  []incident
	broken  map[*Flight][]incident // the same, per flight to blame
}

func newOps(flights []Flight, events []Event, o OpsOptions) (*opsWork, error) {
	o.Level = orLevel(o.Level)
	if err := stats.CheckLevel(o.Level); err != nil {
		return nil, err
	}
	o.Env = cmp.Or(o.Env, Production)
	o.DurableFor = cmp.Or(o.DurableFor, 72*time.Hour)
	o.AlertWindow = cmp.Or(o.AlertWindow, day)
	if o.DurableFor < 0 || o.AlertWindow < 0 {
		return nil, fmt.Errorf("durable for %v, alert window %v: %w", o.DurableFor, o.AlertWindow, stats.ErrDomain)
	}
	if o.DeployStages == nil {
		o.DeployStages = []string{"promotion"}
	}
	o.AsOf, o.Since, o.Until = utc(o.AsOf), utc(o.Since), utc(o.Until)
	if !o.Since.IsZero() && !o.Until.IsZero() && !o.Since.Before(o.Until) {
		return nil, fmt.Errorf("window from %v until %v: %w", o.Since, o.Until, stats.ErrDomain)
	}
	w := &opsWork{served: map[string][]*Flight{}, byModel: map[string][]*Event{}, broken: map[*Flight][]incident{}}
	late := o.AsOf
	for i := range flights {
		f := &flights[i]
		late = later(late, f.Ended)
		for _, b := range f.Rollbacks {
			late = later(later(late, b.Decided), b.Restored)
		}
		if (o.Model == "" || o.Model == f.Key.Model) && (o.Track == "" || o.Track == f.track()) {
			w.flights = append(w.flights, f)
		}
	}
	for i := range events {
		e := events[i]
		late = later(late, e.Time())
		if o.Model == "" || o.Model == e.Model {
			w.events = append(w.events, e)
		}
	}
	if o.AsOf.IsZero() {
		o.AsOf = late
	}
	w.o = o
	all := len(w.events)
	w.events = slices.DeleteFunc(w.events, func(e Event) bool {
		return e.Time().After(o.AsOf) || e.Env != "" && e.Env != o.Env || !e.Kind.operational()
	})
	w.ignored = uint64(all - len(w.events))
	slices.SortStableFunc(w.events, func(a, b Event) int {
		return cmp.Or(a.Time().Compare(b.Time()), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Model, b.Model),
			cmp.Compare(a.Version, b.Version), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(w.flights, func(a, b *Flight) int { return compareKeys(a.Key, b.Key) })
	for _, f := range w.flights {
		if f.State == Served {
			w.served[f.Key.Model] = append(w.served[f.Key.Model], f)
		}
	}
	for _, fs := range w.served {
		slices.SortStableFunc(fs, func(a, b *Flight) int { return a.Served.Compare(b.Served) })
	}
	for i := range w.events {
		e := &w.events[i]
		w.byModel[e.Model] = append(w.byModel[e.Model], e)
	}
	return w, nil
}

// in reports whether t is in the window and not after AsOf.
func (w *opsWork) in(t time.Time) bool {
	return !t.IsZero() && !t.Before(w.o.Since) && (w.o.Until.IsZero() || t.Before(w.o.Until)) && !t.After(w.o.AsOf)
}

func (w *opsWork) rate(met, n, pending uint64) (Rate, error) {
	r, err := ComplianceRate(met, n, RateOptions{Level: w.o.Level, Method: w.o.Rate})
	r.Pending = pending
	return r, err
}

// stretches collects durations.
type stretches struct {
	done, open []time.Duration
	unknown    uint64
}

// add notes the time from one stamp to another; it is unknown without either.
func (t *stretches) add(from, to time.Time) {
	if d, ok := span(from, to); ok {
		t.done = append(t.done, d)
	} else {
		t.unknown++
	}
}

// addOrOpen is add for what still runs when the second stamp is missing.
func (t *stretches) addOrOpen(from, to, asOf time.Time) {
	if !from.IsZero() && to.IsZero() {
		t.open = append(t.open, asOf.Sub(from))
		return
	}
	t.add(from, to)
}

func (w *opsWork) durations(t stretches) (Durations, error) {
	o := estimateOptions{level: w.o.Level}
	done, open := t.done, t.open
	d := Durations{N: uint64(len(done)), Open: uint64(len(open)), Unknown: t.unknown, GeometricMean: stats.Float(math.NaN())}
	slices.Sort(done)
	hours := make([]float64, len(done))
	obs := make([]stats.Observation, 0, len(done)+len(open))
	logs := 0.0
	for i, v := range done {
		hours[i] = v.Hours()
		logs += math.Log(hours[i])
		obs = append(obs, stats.Observation{Time: hours[i], Event: true})
	}
	for _, v := range open {
		obs = append(obs, stats.Observation{Time: v.Hours()})
	}
	if len(done) > 0 {
		d.GeometricMean = stats.Float(math.Exp(logs / float64(len(done))))
	}
	var err error
	if d.Plain, err = plainEstimates(hours, o); err != nil || len(open) == 0 {
		return d, err
	}
	km, err := kmEstimates(obs, o)
	d.KM = &km
	return d, err
}
