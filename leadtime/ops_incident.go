package leadtime

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// IncidentReport is how often service broke, and how long it took to recover.
type IncidentReport struct {
	N        uint64        `json:"n"`        // incidents noticed in the window
	Recovery Durations     `json:"recovery"` // noticed to resolved; Plain.Mean is the MTTR
	Bands    []BandCount   `json:"bands"`    // of DORARecovery
	ByFlight []IncidentsOf `json:"by_flight,omitempty"`
	// Unattributed are incidents of a model that served no flight before them.
	Unattributed uint64 `json:"unattributed"`
	// Unmatched are resolutions of incidents that nobody noticed.
	Unmatched []Event `json:"unmatched,omitempty"`
}

// IncidentsOf is how many incidents a flight is held responsible for.
type IncidentsOf struct {
	Flight FlightKey `json:"flight"`
	N      uint64    `json:"n"`
}

type incident struct {
	event    *Event
	from, to time.Time // to is zero while it is open
	flight   *Flight   // nil when no flight was served before it
}

// incidents pairs detections and resolutions: those with a Ref by it, the others
// in order, per model.
func (w *opsWork) incidents(r *OpsReport) error {
	type ref struct{ model, ref string }
	open := map[ref][]int{} // indices into paired, oldest first
	seen := map[ref]bool{}
	for i := range w.events {
		e := &w.events[i]
		k := ref{e.Model, e.Ref}
		switch e.Kind {
		case IncidentDetected:
			if e.Ref != "" && seen[k] {
				continue // noticed again
			}
			seen[k] = true
			open[k] = append(open[k], len(w.paired))
			w.paired = append(w.paired, incident{event: e, from: e.Time(), flight: w.blamed(e)})
		case IncidentResolved:
			if len(open[k]) == 0 {
				r.Incidents.Unmatched = append(r.Incidents.Unmatched, *e)
				continue
			}
			w.paired[open[k][0]].to = e.Time()
			open[k] = open[k][1:]
		}
	}
	for _, i := range w.paired {
		if i.flight != nil {
			w.broken[i.flight] = append(w.broken[i.flight], i)
		}
	}
	return w.recovery(&r.Incidents)
}

func (w *opsWork) recovery(r *IncidentReport) error {
	var t stretches
	blame := map[FlightKey]uint64{}
	for _, i := range w.paired {
		if !w.in(i.from) {
			continue
		}
		r.N++
		t.addOrOpen(i.from, i.to, w.o.AsOf)
		if i.flight == nil {
			r.Unattributed++
			continue
		}
		blame[i.flight.Key]++
	}
	for k, n := range blame {
		r.ByFlight = append(r.ByFlight, IncidentsOf{k, n})
	}
	slices.SortFunc(r.ByFlight, func(a, b IncidentsOf) int { return compareKeys(a.Flight, b.Flight) })
	r.Bands = DORARecovery().count(t.done, t.open)
	var err error
	r.Recovery, err = w.durations(t)
	return err
}

// blamed is the flight of the event's model, and of its version when stated, that
// was served last before it.
func (w *opsWork) blamed(e *Event) *Flight {
	served := w.served[e.Model]
	at := e.Time()
	n := sort.Search(len(served), func(i int) bool { return served[i].Served.After(at) })
	for _, f := range slices.Backward(served[:n]) {
		if concerns(e, f) {
			return f
		}
	}
	return nil
}

// AlertRatio is the number of rollbacks that followed a drift alert, per drift
// alert.
type AlertRatio struct {
	Alerts    uint64 `json:"alerts"`    // distinct by Ref, where it is stated
	Rollbacks uint64 `json:"rollbacks"` // with an alert of their model within AlertWindow before
	Others    uint64 `json:"others"`    // rollbacks without one
	// Ratio is Rollbacks/Alerts with the exact Poisson interval; NaN without alerts.
	Ratio  stats.Interval `json:"ratio"`
	Method string         `json:"method"`
}

func (w *opsWork) alerts(r *OpsReport) error {
	a := &r.Alerts
	type ref struct{ model, ref string }
	seen := map[ref]bool{}
	for i := range w.events {
		e := &w.events[i]
		if e.Kind != DriftAlert || !w.in(e.Time()) || e.Ref != "" && seen[ref{e.Model, e.Ref}] {
			continue
		}
		seen[ref{e.Model, e.Ref}] = true
		a.Alerts++
	}
	for _, f := range w.flights {
		for _, b := range w.rollbacksOf(f) {
			switch {
			case !w.in(b.at()):
			case w.alerted(f, b.at()):
				a.Rollbacks++
			default:
				a.Others++
			}
		}
	}
	a.Method = "exact Poisson interval"
	if a.Alerts == 0 {
		a.Ratio = unknown(w.o.Level)
		return nil
	}
	var err error
	a.Ratio, err = stats.PoissonRate(a.Rollbacks, float64(a.Alerts), w.o.Level)
	return err
}

// alerted reports whether a drift alert counted in the window came shortly before
// a rollback.
func (w *opsWork) alerted(f *Flight, at time.Time) bool {
	return slices.ContainsFunc(w.byModel[f.Key.Model], func(e *Event) bool {
		t := e.Time()
		return e.Kind == DriftAlert && concerns(e, f) && w.in(t) && !t.After(at) && at.Sub(t) <= w.o.AlertWindow
	})
}

// Retraining is how often a model was retrained.
type Retraining struct {
	Model string  `json:"model"`
	N     uint64  `json:"n"`
	Days  float64 `json:"days"` // under observation
	// PerDay has the exact Poisson interval; NaN when there were no days.
	PerDay stats.Interval `json:"per_day"`
	// Gaps are the times between one retraining and the next; the one that is
	// running is open.
	Gaps Durations `json:"gaps"`
}

// retraining counts per model, for every model with a flight or an event. Without
// Since a model is under observation from its first of either.
func (w *opsWork) retraining(r *OpsReport) error {
	first := map[string]time.Time{}
	note := func(model string, t time.Time) {
		if old, ok := first[model]; !ok || t.Before(old) {
			first[model] = t
		}
	}
	for _, f := range w.flights {
		note(f.Key.Model, f.FirstSignOff)
	}
	at := map[string][]time.Time{}
	for i := range w.events {
		e := &w.events[i]
		note(e.Model, e.Time())
		if e.Kind == Retrained && w.in(e.Time()) {
			at[e.Model] = append(at[e.Model], e.Time())
		}
	}
	models := make([]string, 0, len(first))
	for m := range first {
		models = append(models, m)
	}
	slices.Sort(models)
	end := w.o.AsOf
	if !w.o.Until.IsZero() {
		end = earlier(end, w.o.Until)
	}
	for _, m := range models {
		v := Retraining{Model: m, N: uint64(len(at[m])), PerDay: unknown(w.o.Level)}
		start := first[m]
		if !w.o.Since.IsZero() {
			start = w.o.Since
		}
		v.Days = math.Max(0, end.Sub(start).Hours()/24)
		var gaps stretches
		for i := range at[m] {
			if i > 0 {
				gaps.add(at[m][i-1], at[m][i])
			}
		}
		if v.N > 0 {
			gaps.addOrOpen(at[m][v.N-1], time.Time{}, end)
		}
		var err error
		if v.Gaps, err = w.durations(gaps); err != nil {
			return err
		}
		if v.Days > 0 {
			if v.PerDay, err = stats.PoissonRate(v.N, v.Days, w.o.Level); err != nil {
				return err
			}
		}
		r.Retraining = append(r.Retraining, v)
	}
	return nil
}
