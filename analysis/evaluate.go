package analysis

import (
	"fmt"
	"slices"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Evaluate runs every check of the policy on the two arms and decides. It is
// [Policy.Evaluate] for evidence that stands for itself, without stages.
func Evaluate(p *Policy, baseline, candidate *Snapshot, prev *State, now time.Time) (Verdict, error) {
	return p.Evaluate(Look{Evidence: []StageEvidence{{Baseline: baseline, Candidate: candidate}}, State: prev, Now: now})
}

// Evaluate runs every check of the policy on the evidence of a look and decides,
// as [Policy.Decide] does. A nil snapshot means that an arm has no data. The
// result depends on nothing but the policy and the look.
//
// Evidence that was not collected for this policy, a stage that the policy does
// not have, and two entries of one stage are errors wrapping [stats.ErrMismatch].
func (p *Policy) Evaluate(l Look) (Verdict, error) {
	strata, err := p.strata(&l)
	if err != nil {
		return Verdict{}, err
	}
	inputs, err := p.inputs(&l, strata)
	if err != nil {
		return Verdict{}, err
	}
	present := strata[len(strata)-1]
	state, _ := p.begin(l.State, l.Stage, l.Now)
	var fs []Finding
	seen := exposureOf(present).orPairs(present)
	for i := range p.Checks {
		e := &p.Checks[i]
		found := e.runStages(p.evidence(e, &l, strata, state.Attempt))
		if t := p.mature(e, found, strata, l.Now); t.After(seen.ripe) {
			seen.ripe = t
		}
		e.blame(p, found, l.Problems)
		fs = append(fs, found...)
	}
	for i, s := range strata {
		if f, same := sameEvidence(s, inputs[2*i:2*i+2]); same {
			fs = append(fs, f)
		}
	}
	fs = append(fs, p.labelAge(&l, strata)...)
	fs = append(fs, p.absentColumns(strata)...)
	fs = append(fs, sources(l.Problems)...)
	fs = append(fs, p.untaken(l.Given)...)
	v := p.decide(&l, fs, seen)
	v.Record.Inputs = inputs
	v.spend(p.Budget)
	v.shade(l)
	if !l.Unrecorded {
		v.chain()
	}
	return v, nil
}

// inputs identifies the evidence of a look.
func (p *Policy) inputs(l *Look, strata []Stratum) ([]Input, error) {
	spec, err := p.Spec()
	if err != nil {
		return nil, err
	}
	var out []Input
	first := ""
	add := func(arm, stage string, s *Snapshot) error {
		in := Input{Arm: arm, Stage: stage}
		if s != nil {
			mine := s.Spec.Fingerprint()
			if first == "" {
				first = mine
			}
			if mine != first {
				return fmt.Errorf("analysis: Evaluate: the snapshot of the %s was collected for another spec than the others; collect all arms with one spec: %w", arm, stats.ErrMismatch)
			}
			if mine != spec.Fingerprint() {
				if why := s.Spec.lacks(spec); why != "" {
					return fmt.Errorf("analysis: Evaluate: the snapshot of the %s was collected for another spec than this policy's: %s; collect it again with the policy: %w", arm, why, stats.ErrMismatch)
				}
			}
			if !l.Unrecorded {
				if in.Digest, err = s.Digest(); err != nil {
					return err
				}
			}
			in.Rows = s.RowCount
		}
		out = append(out, in)
		return nil
	}
	for _, s := range strata {
		if err := add("baseline", s.Stage, s.Baseline); err != nil {
			return nil, err
		}
		if err := add("candidate", s.Stage, s.Candidate); err != nil {
			return nil, err
		}
	}
	pairs, err := p.pairInputs(l, strata)
	if err != nil {
		return nil, err
	}
	for _, o := range []struct {
		arm string
		s   *Snapshot
	}{{"reference", l.Reference}, {"previous", l.Previous}} {
		if o.s != nil {
			if err := add(o.arm, "", o.s); err != nil {
				return nil, err
			}
		}
	}
	return append(out, pairs...), nil
}

// evidence is what a check entry looks at. Compared with anything but a
// concurrent baseline, the candidate's rows of all stages are one sample: its
// share of the traffic does not matter then.
func (p *Policy) evidence(e *CheckEntry, l *Look, strata []Stratum, attempt int) *Evidence {
	present := strata[len(strata)-1]
	ev := &Evidence{Baseline: present.Baseline, Candidate: present.Candidate, Pairs: present.Pairs, Stage: present.Stage, Split: present.Split,
		Compared: e.Baseline, Strata: strata, Given: l.Given, Policy: p, NoHarmAlpha: NoHarmAlpha}
	ev.Alpha, ev.PauseAlpha = p.Alpha(e, attempt)
	switch e.Baseline {
	case PreviousWindow:
		ev.Baseline = l.Previous
	case FixedReference:
		ev.Baseline = l.Reference
	case Concurrent, Absolute:
		return ev
	}
	var arms []*Snapshot
	for _, s := range strata {
		if s.Candidate != nil {
			arms = append(arms, s.Candidate)
		}
	}
	if len(arms) > 0 {
		if all, err := MergeSnapshots(arms...); err == nil { // else the types differ: the present stage speaks
			ev.Candidate = all
		}
	}
	ev.Strata = []Stratum{{Stage: ev.Stage, Split: ev.Split, Baseline: ev.Baseline, Candidate: ev.Candidate}}
	return ev
}

// runStages runs the check on all stages at once, or on one after the other; see
// [Stratified].
func (e *CheckEntry) runStages(ev *Evidence) []Finding {
	_, adds := e.Check.(Stratified)
	if adds || len(ev.Policy.Stages) == 0 || ev.Stage == "" || ev.Compared != Concurrent {
		return e.run(ev)
	}
	var out []Finding
	parts := float64(len(ev.Policy.Stages))
	strata := twoArmed(ev.Strata)
	for i, s := range strata {
		one := *ev
		one.Baseline, one.Candidate, one.Pairs, one.Stage, one.Split = s.Baseline, s.Candidate, s.Pairs, s.Stage, s.Split
		one.Strata = strata[i : i+1]
		one.Alpha, one.PauseAlpha = ev.Alpha/parts, ev.PauseAlpha/parts
		present := i == len(strata)-1
		for _, f := range e.run(&one) {
			f.Stage = s.Stage
			if present || f.Outcome == Harm {
				out = append(out, f)
			}
		}
	}
	return out
}

// twoArmed leaves out the stages that give the candidate all the traffic, where
// there is nothing to compare it with, unless there is no other: what the stages
// before have shown then stands.
func twoArmed(strata []Stratum) []Stratum {
	out := slices.DeleteFunc(slices.Clone(strata), func(s Stratum) bool { return s.Split.alone() })
	if len(out) == 0 {
		return strata
	}
	return out
}

// run calls the check and turns an error, a panic, or the lack of any finding
// into an Invalid finding, so that a broken check can never let a rollout pass.
func (e *CheckEntry) run(ev *Evidence) (fs []Finding) {
	fail := func(code string, what any) []Finding {
		f := NewFinding(e.Check.Name(), code, e.Check.Name())
		f.Outcome = Invalid
		f.Message = fmt.Sprintf("The check could not be computed: %v", what)
		return []Finding{f}
	}
	defer func() {
		if r := recover(); r != nil {
			fs = fail("check_panicked", r)
		}
		for i := range fs {
			e.stamp(&fs[i])
		}
	}()
	out, err := e.Check.Run(ev)
	switch {
	case err != nil:
		return fail("check_failed", err)
	case len(out) == 0:
		return fail("check_silent", "it reported nothing")
	}
	return out
}

// stamp fills in what the policy entry says about a finding. A check may give a
// finding another severity than the entry's, but not less than required.
func (e *CheckEntry) stamp(f *Finding) {
	if f.Check == "" {
		f.Check = e.Check.Name()
	}
	f.Required = e.Required
	if f.Severity == Info {
		f.Severity = e.Severity
	}
	if f.Compared == Concurrent {
		f.Compared = e.Baseline
	}
	switch {
	case e.Muted:
		f.Outcome = Muted
	case f.Outcome == Muted:
		f.Outcome = Invalid
		f.Message = "Only a policy mutes a check. " + f.Message
	}
}

// untaken lists the given findings that no check of the policy waits for.
func (p *Policy) untaken(given []Finding) []Finding {
	var out []Finding
	for _, f := range given {
		taken := slices.ContainsFunc(p.Checks, func(e CheckEntry) bool {
			t, ok := e.Check.(Taker)
			return ok && t.Takes(&f)
		})
		if !taken {
			out = append(out, f)
		}
	}
	return out
}

// blame turns the findings of a check whose source failed into ProviderError.
// Harm stays: it was proven by what is there.
func (e *CheckEntry) blame(policy *Policy, fs []Finding, problems []SourceProblem) {
	for _, p := range problems {
		if policy.known(p.Name) && !policy.hasRole(p.Name) && !e.reads(policy, p.Name) {
			continue
		}
		for i := range fs {
			f := &fs[i]
			if f.Outcome == Harm || f.Outcome == Muted || f.Outcome == ProviderError {
				continue
			}
			f.Outcome = ProviderError
			f.Message = fmt.Sprintf("The source of its data failed: %s. What was known before: %s", p.Text, f.Message)
		}
	}
}

// known reports whether any check, or the spec, speaks of the name. A source that
// nobody knows may bring what any check needs.
func (p *Policy) known(name string) bool {
	spec, err := p.Spec()
	return err == nil && (spec.at(name) >= 0 || slices.ContainsFunc(spec.Metrics, func(m MetricSpec) bool { return m.Name == name }))
}

// hasRole reports whether the name is that of a column with a role, which any
// check may read.
func (p *Policy) hasRole(name string) bool {
	c := p.Columns
	return name != "" && slices.Contains([]string{c.Score, c.Label, c.Time, c.Unit, c.Action}, name)
}

// reads reports whether the check needs the named metric or column; the empty
// name stands for all.
func (e *CheckEntry) reads(policy *Policy, name string) bool {
	if name == "" || slices.ContainsFunc(e.Check.Columns(), func(c ColumnSpec) bool { return policy.restsOn(c.Name, name) }) {
		return true
	}
	u, ok := e.Check.(MetricUser)
	return ok && slices.ContainsFunc(u.Metrics(), func(m MetricSpec) bool { return m.Name == name })
}

// sources reports the failures that were handed in, so that a verdict shows them
// even if no check reads what is missing.
func sources(problems []SourceProblem) []Finding {
	var out []Finding
	for _, p := range problems {
		f := NewFinding("source", ReasonSource, p.Name)
		f.Outcome, f.Message = ProviderError, fmt.Sprintf("A source failed: %s", p.Text)
		if p.Arm != "" {
			f.Slice = SliceKey{"arm": p.Arm}
		}
		out = append(out, f)
	}
	return out
}

// sameEvidence is the finding that one log was given for both arms.
func sameEvidence(s Stratum, arms []Input) (Finding, bool) {
	if arms[0].Rows == 0 || arms[0].Digest == "" || arms[0].Digest != arms[1].Digest || !s.Baseline.tellsRowsApart() {
		return Finding{}, false
	}
	f := NewFinding("evidence", "same_evidence", "evidence")
	f.Outcome, f.Severity, f.Required, f.Stage = Invalid, SeverityPause, true, s.Stage
	f.N = Counts{Baseline: s.Baseline.RowCount, Candidate: s.Candidate.RowCount}
	f.Message = fmt.Sprintf("Both arms are the same evidence, of %s rows: a log compared with itself shows nothing.", thousands(s.Baseline.RowCount))
	return f, true
}

// tellsRowsApart reports whether two different logs can hardly have the same
// snapshot, because units or times were collected.
func (s *Snapshot) tellsRowsApart() bool {
	unit, clock := s.ByRole(Unit), s.ByRole(Clock)
	return unit != nil && unit.Units.Total() > 0 || clock != nil && clock.Clock.N > 1
}
