package leadtime

import (
	"cmp"
	"slices"
)

// GateFailures is how often a gate held releases of a model back.
type GateFailures struct {
	Model    string `json:"model"`
	Stage    string `json:"stage"`
	Attempts uint64 `json:"attempts"` // that ended in the window with an outcome
	// Failed is the share of attempts that failed, counted in Met.
	Failed Rate `json:"failed"`
	// First counts the flights whose first failure was at this gate.
	First uint64 `json:"first"`
}

// gates counts attempts by model and stage; gates that nothing failed at are left
// out.
func (w *opsWork) gates(r *OpsReport) error {
	type gate struct{ model, stage string }
	type counts struct{ attempts, failures, first uint64 }
	all := map[gate]*counts{}
	at := func(g gate) *counts {
		if all[g] == nil {
			all[g] = new(counts)
		}
		return all[g]
	}
	for _, f := range w.flights {
		var first *Segment
		for i := range f.Segments {
			s := &f.Segments[i]
			if !w.in(s.End) || s.Flags.Has(FlagOpenStage) || s.Outcome != Passed && s.Outcome != Failed {
				continue
			}
			c := at(gate{f.Key.Model, s.Stage})
			c.attempts++
			if s.Outcome != Failed {
				continue
			}
			c.failures++
			if first == nil || cmp.Or(s.End.Compare(first.End), cmp.Compare(s.Stage, first.Stage)) < 0 {
				first = s
			}
		}
		if first != nil {
			at(gate{f.Key.Model, first.Stage}).first++
		}
	}
	for g, c := range all {
		if c.failures == 0 {
			continue
		}
		v := GateFailures{Model: g.model, Stage: g.stage, Attempts: c.attempts, First: c.first}
		var err error
		if v.Failed, err = w.rate(c.failures, c.attempts, 0); err != nil {
			return err
		}
		r.Gates = append(r.Gates, v)
	}
	slices.SortFunc(r.Gates, func(a, b GateFailures) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Stage, b.Stage))
	})
	return nil
}

// StepDelays says whether a missing or broken step delayed a release.
type StepDelays struct {
	Clean   bool    `json:"clean"`   // releases were seen, and none was delayed so
	N       uint64  `json:"n"`       // releases served in the window, or open at its end
	Delayed uint64  `json:"delayed"` // of them
	Hours   float64 `json:"hours"`   // lost, at most
	// Delays has an entry per release and step, the longest first.
	Delays []StepDelay `json:"delays,omitempty"`
}

// StepDelay is what one step cost one release.
type StepDelay struct {
	Flight FlightKey `json:"flight"`
	Stage  string    `json:"stage"`
	// Missing says that the release was served without the step. Hours is then
	// the wait before the next step there was; else it is the time in failed
	// attempts and between attempts. Other stages may have run meanwhile, so it is
	// an upper bound of the delay.
	Missing bool    `json:"missing"`
	Hours   float64 `json:"hours"`
}

func (w *opsWork) steps(r *OpsReport) error {
	out := &r.Steps
	for _, f := range w.flights {
		seen := *f
		if seen.Ended.After(w.o.AsOf) {
			seen.Ended, seen.State = w.o.AsOf, InFlight
		}
		if !w.o.Until.IsZero() && !seen.Ended.Before(w.o.Until) {
			seen.Ended, seen.State = w.o.Until, InFlight
		}
		if seen.Ended.Before(seen.SignOff) || seen.Ended.Before(w.o.Since) || seen.State != Served && seen.State != InFlight {
			continue
		}
		out.N++
		delays, err := w.delaysOf(&seen)
		if err != nil {
			return err
		}
		if len(delays) > 0 {
			out.Delayed++
		}
		out.Delays = append(out.Delays, delays...)
	}
	for _, d := range out.Delays {
		out.Hours += d.Hours
	}
	out.Clean = out.N > 0 && out.Delayed == 0
	slices.SortFunc(out.Delays, func(a, b StepDelay) int {
		return cmp.Or(cmp.Compare(b.Hours, a.Hours), compareKeys(a.Flight, b.Flight), cmp.Compare(a.Stage, b.Stage))
	})
	return nil
}

func (w *opsWork) delaysOf(f *Flight) ([]StepDelay, error) {
	a, err := Attribute(f, w.o.Stages)
	if err != nil {
		return nil, err
	}
	var out []StepDelay
	at := map[string]StageTime{}
	for _, s := range a.Stages {
		at[s.Stage] = s
		if s.Failures > 0 {
			out = append(out, StepDelay{Flight: f.Key, Stage: s.Stage, Hours: (s.Failed + s.Retry).Hours()})
		}
	}
	if f.State != Served {
		return out, nil // a step that has not come yet is not missing
	}
	for i, step := range w.o.Steps {
		if _, ok := at[step]; ok {
			continue
		}
		wait := a.Unattributed
		for _, next := range w.o.Steps[i+1:] {
			if s, ok := at[next]; ok {
				wait = s.Wait
				break
			}
		}
		out = append(out, StepDelay{Flight: f.Key, Stage: step, Missing: true, Hours: wait.Hours()})
	}
	return out, nil
}
