package backtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Hour is what was collected in one period, of an hour or any other length. An arm
// without data is nil.
type Hour struct {
	Start               time.Time
	Baseline, Candidate *analysis.Snapshot
	// Stage in which the hour was served; "" lets the verdicts lead from stage to
	// stage.
	Stage string
}

// Options are the settings of [Run].
type Options struct {
	// Length of the hours; 0 means an hour. A look is at the end of its hour.
	Length time.Duration
	// Reference and Previous are what checks with such a baseline compare with.
	Reference, Previous *analysis.Snapshot
}

// Report is what the policy would have decided.
type Report struct {
	Model  string `json:"model,omitempty"`
	Policy string `json:"policy_digest"`
	Looks  []Look `json:"looks"`
	// When it would first have paused, paused for harm, rolled back, and been done;
	// nil when it would not have.
	Paused     *time.Time `json:"first_pause,omitempty"`
	Harm       *time.Time `json:"first_harm,omitempty"`
	RolledBack *time.Time `json:"rolled_back,omitempty"`
	Done       *time.Time `json:"done,omitempty"`
	// Counts of the decisions.
	Continues int `json:"continues"`
	Pauses    int `json:"pauses"`
	Rollbacks int `json:"rollbacks"`
}

// Look is the verdict after one hour.
type Look struct {
	At       time.Time         `json:"at"`
	Stage    string            `json:"stage,omitempty"`
	Rows     analysis.Counts   `json:"rows"` // of the stage so far
	Decision analysis.Decision `json:"decision"`
	Resume   analysis.Resume   `json:"resume"`
	Step     analysis.Step     `json:"step"`
	Reason   analysis.Reason   `json:"reason"`
}

// Run replays the hours, which it puts in order of time. The snapshots are not
// changed.
//
// A rollback latches, as in a rollout; the replay goes on to the last hour all the
// same. After the last stage is done, further hours are looked at in that stage.
//
// Errors: [stats.ErrEmpty] for no hours; [stats.ErrMismatch] for two hours of one
// time, a stage that the policy does not have or that comes after a later one, hours
// with and without a stage, and snapshots that were collected for another spec.
func Run(p *analysis.Policy, hours []Hour, o Options) (Report, error) {
	if len(hours) == 0 {
		return Report{}, fmt.Errorf("backtest: Run: no hours: %w", stats.ErrEmpty)
	}
	if o.Length == 0 {
		o.Length = time.Hour
	}
	if o.Length < 0 {
		return Report{}, fmt.Errorf("backtest: Run: hours of %v: %w", o.Length, stats.ErrDomain)
	}
	hours = slices.Clone(hours)
	slices.SortStableFunc(hours, func(a, b Hour) int { return a.Start.Compare(b.Start) })
	if err := check(p, hours); err != nil {
		return Report{}, err
	}
	r := replay{p: p, o: o, report: Report{Model: p.Model.Name, Policy: p.Digest}}
	if len(p.Stages) > 0 {
		r.next = p.Stages[0].Name
	}
	for i := range hours {
		if err := r.look(&hours[i]); err != nil {
			return Report{}, err
		}
	}
	return r.report, nil
}

// check holds the hours against the policy.
func check(p *analysis.Policy, hours []Hour) error {
	last := -1
	for i, h := range hours {
		at := slices.IndexFunc(p.Stages, func(s analysis.Stage) bool { return s.Name == h.Stage })
		switch {
		case i > 0 && h.Start.Equal(hours[i-1].Start):
			return fmt.Errorf("backtest: Run: two hours start at %s: %w", stamp(h.Start), stats.ErrMismatch)
		case (h.Stage == "") != (hours[0].Stage == ""):
			return fmt.Errorf("backtest: Run: some hours have a stage, that at %s differs: %w", stamp(h.Start), stats.ErrMismatch)
		case h.Stage != "" && at < 0:
			return fmt.Errorf("backtest: Run: the policy has no stage %q, of the hour at %s: %w", h.Stage, stamp(h.Start), stats.ErrMismatch)
		case at < last:
			return fmt.Errorf("backtest: Run: stage %q at %s comes after a later stage: %w", h.Stage, stamp(h.Start), stats.ErrMismatch)
		}
		last = at
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// replay is a replay in progress.
type replay struct {
	p        *analysis.Policy
	o        Options
	evidence []analysis.StageEvidence
	state    *analysis.State
	next     string // the stage that the next hour belongs to
	report   Report
}

func (r *replay) look(h *Hour) error {
	if h.Stage != "" {
		r.next = h.Stage
	}
	if n := len(r.evidence); n == 0 || r.evidence[n-1].Stage != r.next {
		r.evidence = append(r.evidence, analysis.StageEvidence{Stage: r.next})
	}
	present := &r.evidence[len(r.evidence)-1]
	for _, arm := range []struct {
		sum  **analysis.Snapshot
		more *analysis.Snapshot
	}{{&present.Baseline, h.Baseline}, {&present.Candidate, h.Candidate}} {
		if err := add(arm.sum, arm.more); err != nil {
			return fmt.Errorf("backtest: Run: the hour at %s: %w", stamp(h.Start), err)
		}
	}
	at := h.Start.Add(r.o.Length).UTC()
	v, err := r.p.Evaluate(analysis.Look{Stage: present.Stage, Evidence: r.evidence, Reference: r.o.Reference, Previous: r.o.Previous,
		State: r.state, Now: at, Unrecorded: true})
	if err != nil {
		return fmt.Errorf("backtest: Run: the hour at %s: %w", stamp(h.Start), err)
	}
	r.state = &v.State
	r.note(at, present, &v)
	if v.Step == analysis.Advance {
		r.next = v.Next
	}
	return nil
}

// add adds a snapshot to a sum, which it makes first.
func add(sum **analysis.Snapshot, more *analysis.Snapshot) error {
	switch {
	case more == nil:
		return nil
	case *sum == nil:
		all, err := analysis.MergeSnapshots(more)
		*sum = all
		return err
	}
	return (*sum).Merge(more)
}

// note takes down a verdict.
func (r *replay) note(at time.Time, e *analysis.StageEvidence, v *analysis.Verdict) {
	l := Look{At: at, Stage: v.Stage, Decision: v.Decision, Resume: v.Resume, Step: v.Step}
	if e.Baseline != nil {
		l.Rows.Baseline = e.Baseline.RowCount
	}
	if e.Candidate != nil {
		l.Rows.Candidate = e.Candidate.RowCount
	}
	if len(v.Reasons) > 0 {
		l.Reason = v.Reasons[0]
	}
	rep := &r.report
	rep.Looks = append(rep.Looks, l)
	first := func(t **time.Time, yes bool) {
		if yes && *t == nil {
			*t = &at
		}
	}
	first(&rep.Paused, v.Decision == analysis.Pause)
	first(&rep.Harm, v.Decision != analysis.Continue && l.Reason.Code == analysis.ReasonHarm)
	first(&rep.RolledBack, v.Decision == analysis.Rollback)
	first(&rep.Done, v.Step == analysis.Done)
	switch v.Decision {
	case analysis.Continue:
		rep.Continues++
	case analysis.Pause:
		rep.Pauses++
	case analysis.Rollback:
		rep.Rollbacks++
	}
}
