package leadtime

import (
	"cmp"
	"slices"
	"time"
)

// RollbackTimes splits the way from first traffic to the old version being back.
type RollbackTimes struct {
	Detect   Durations `json:"detect"`   // first traffic to the first alert or incident
	Decide   Durations `json:"decide"`   // that to the decision
	Restore  Durations `json:"restore"`  // the decision to another version having all traffic: time to rollback
	Exposure Durations `json:"exposure"` // first traffic to the decision
	Total    Durations `json:"total"`    // first traffic to the other version having all traffic
}

// promotion counts the candidates decided in the window.
func (w *opsWork) promotion(r *OpsReport) error {
	var promoted, decided, pending uint64
	for _, f := range w.flights {
		switch {
		case f.SignOff.After(w.o.AsOf) || !w.o.Until.IsZero() && !f.SignOff.Before(w.o.Until):
		case f.State == InFlight || f.Ended.After(w.o.AsOf) || !w.o.Until.IsZero() && !f.Ended.Before(w.o.Until):
			pending++
		case w.in(f.Ended):
			decided++
			if f.State == Served {
				promoted++
			}
		}
	}
	var err error
	r.Promotion, err = w.rate(promoted, decided, pending)
	return err
}

// deployments counts attempts to deploy, and what became of the deployments.
func (w *opsWork) deployments(r *OpsReport) error {
	var ok, attempts, unknown uint64
	var durable, mature, young uint64
	var back, deployed uint64
	for _, f := range w.flights {
		k, n, u := w.attempts(f)
		ok, attempts, unknown = ok+k, attempts+n, unknown+u
		if f.State != Served || !w.in(f.Served) {
			continue
		}
		n = uint64(1 + f.Redeploys)
		rolled := w.rollbacksOf(f)
		deployed += n
		back += min(n, uint64(len(rolled)))
		switch end := f.Served.Add(w.o.DurableFor); {
		case w.failedBefore(f, rolled, end):
			mature++
		case end.After(w.o.AsOf):
			young++
		default:
			mature++
			durable++
		}
	}
	var err error
	if r.Deploys, err = w.rate(ok, attempts, unknown); err != nil {
		return err
	}
	if r.Durable, err = w.rate(durable, mature, young); err != nil {
		return err
	}
	r.Rollback, err = w.rate(back, deployed, 0)
	return err
}

// attempts counts the attempts of a flight to deploy that ended in the window. A
// flight that was served without a recorded attempt made one.
func (w *opsWork) attempts(f *Flight) (ok, n, unknown uint64) {
	recorded := false
	for _, s := range f.Segments {
		if !slices.Contains(w.o.DeployStages, s.Stage) || s.Env != "" && s.Env != w.o.Env {
			continue
		}
		recorded = true
		switch {
		case !w.in(s.End) || s.Outcome == Cancelled:
		case s.Flags.Has(FlagOpenStage):
			unknown++
		case s.Outcome == Passed, s.Outcome == Unstated && f.State == Served && s.End.Equal(f.Served):
			ok++
			n++
		case s.Outcome == Failed:
			n++
		default:
			unknown++
		}
	}
	if !recorded && f.State == Served && w.in(f.Served) {
		return 1, 1, 0
	}
	return ok, n, unknown
}

// at is when a rollback happened: at the decision, or at the restoration where no
// decision was recorded.
func (r Rollback) at() time.Time {
	if r.Decided.IsZero() {
		return r.Restored
	}
	return r.Decided
}

// rollbacksOf are the rollbacks of a flight up to AsOf. Those of several regions
// are one decision carried out several times, so the region with most of them
// stands for all.
func (w *opsWork) rollbacksOf(f *Flight) []Rollback {
	by := map[string][]Rollback{}
	most := ""
	for _, b := range f.Rollbacks {
		if b.at().IsZero() || b.at().After(w.o.AsOf) {
			continue
		}
		by[b.Region] = append(by[b.Region], b)
		if n := len(by[b.Region]); n > len(by[most]) || n == len(by[most]) && b.Region < most {
			most = b.Region
		}
	}
	out := by[most]
	slices.SortStableFunc(out, func(a, b Rollback) int { return cmp.Or(a.at().Compare(b.at()), a.Restored.Compare(b.Restored)) })
	return out
}

func (w *opsWork) failedBefore(f *Flight, rolled []Rollback, end time.Time) bool {
	for _, b := range rolled {
		if !b.at().After(end) {
			return true
		}
	}
	for _, i := range w.broken[f] {
		if !i.from.After(end) {
			return true
		}
	}
	return false
}

// rollbackTimes measures the rollbacks of the window.
func (w *opsWork) rollbackTimes(r *OpsReport) error {
	var detect, decide, restore, exposure, total stretches
	for _, f := range w.flights {
		for _, b := range w.rollbacksOf(f) {
			if !w.in(b.at()) {
				continue
			}
			if b.Restored.After(w.o.AsOf) {
				b.Restored = time.Time{}
			}
			noticed := w.noticed(f, b)
			detect.add(b.Since, noticed)
			decide.add(noticed, b.Decided)
			restore.addOrOpen(b.Decided, b.Restored, w.o.AsOf)
			exposure.add(b.Since, b.Decided)
			total.addOrOpen(b.Since, b.Restored, w.o.AsOf)
		}
	}
	t := &r.RollbackTimes
	for _, x := range []struct {
		to   *Durations
		from stretches
	}{{&t.Detect, detect}, {&t.Decide, decide}, {&t.Restore, restore}, {&t.Exposure, exposure}, {&t.Total, total}} {
		var err error
		if *x.to, err = w.durations(x.from); err != nil {
			return err
		}
	}
	return nil
}

// noticed is when the first alert or incident of the model came between first
// traffic and the decision; zero when none did.
func (w *opsWork) noticed(f *Flight, b Rollback) time.Time {
	for _, e := range w.byModel[f.Key.Model] {
		if e.Kind != DriftAlert && e.Kind != IncidentDetected || !concerns(e, f) {
			continue
		}
		if at := e.Time(); !b.Since.IsZero() && !at.Before(b.Since) && !at.After(b.at()) {
			return at
		}
	}
	return time.Time{}
}

// concerns reports whether an event of a model may be about the version of f.
func concerns(e *Event, f *Flight) bool {
	return e.Model == f.Key.Model && (e.Version == "" || e.Version == f.Key.Version)
}
