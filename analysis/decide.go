package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// defaultCheckAfter is when to look again if the arrival rate is not known.
const defaultCheckAfter = 5 * time.Minute

// maxWait is the longest that a verdict asks to wait.
const maxWait = 365 * 24 * time.Hour

// Decide turns findings into a verdict. It is pure and total: it reads no clock
// and does no I/O, never fails, and gives the same bytes for the same input, in
// whatever order the findings come and however often one is repeated.
//
// The order of evaluation is: evidence that cannot be trusted (manual pause, all
// other numbers are marked untrusted and cannot roll back); proven harm
// (rollback or manual pause); missing, failed or undecided evidence on a required
// check (automatic pause, until its deadline); minimum exposure; continue. A
// rollback and a manual pause latch through State until a person accepts their cause
// or another candidate comes. A Pass or Warn whose estimate is NaN becomes Invalid. A
// check that the policy requires, or mutes, is so whatever its findings say. A
// required one that reported nothing, and a policy that requires nothing, pause; so
// does a policy with a minimum exposure, which only [Policy.Evaluate] can see.
//
// Deadlines are counted up to now; when it is the zero time, by looks alone.
func (p *Policy) Decide(findings []Finding, prev *State, now time.Time) Verdict {
	findings = slices.Clone(findings)
	for i := range findings {
		f := &findings[i]
		if p.every(f.Check, func(e *CheckEntry) bool { return e.Required }) {
			f.Required = true
		}
		if p.every(f.Check, func(e *CheckEntry) bool { return e.Muted }) {
			f.Outcome = Muted
		}
	}
	v := p.decide(&Look{State: prev, Now: now}, findings, exposure{})
	v.chain()
	return v
}

// decision is a verdict in the making.
type decision struct {
	*Verdict
	p     *Policy
	now   time.Time
	worst Rule
	over  overrides
	pause []Reason // what a person has to accept from now on
	proof []Reason // what rolls back from now on
}

// consider takes note of a reason, whose code is that of the rule, and lets the
// rule count.
func (d *decision) consider(r Rule, why Reason) {
	if r.Reason == "" {
		return
	}
	if worse(r, d.worst) > 0 {
		d.worst = r
	}
	why.Code = r.Reason
	d.Reasons = append(d.Reasons, why)
	if r.Decision == Rollback {
		d.proof = append(d.proof, why)
	}
}

// accepted notes that a person has accepted what was found, if so.
func (d *decision) accepted(check, metric, found string) bool {
	o := d.over.accepts(check, metric)
	if o != nil {
		d.Reasons = append(d.Reasons, Reason{Code: ReasonOverride, Check: check, Text: fmt.Sprintf("Accepted: %s. Found: %s", o.String(), found)})
	}
	return o != nil
}

func (p *Policy) decide(l *Look, findings []Finding, seen exposure) Verdict {
	l.recordable()
	v := Verdict{Model: p.Model, Stage: l.Stage, Findings: p.orderFindings(findings)}
	d := decision{Verdict: &v, p: p, now: l.Now, worst: Rule{Decision: Continue}, over: sortOverrides(l.Overrides, l.Now)}
	v.Record = p.record(l, d.now)
	var attempt string
	v.State, attempt = p.begin(l.State, l.Stage, d.now)
	v.Record.Attempt = v.State.Attempt
	if attempt != "" {
		v.Reasons = append(v.Reasons, Reason{Code: ReasonAttempt, Text: attempt})
	}
	v.Reasons = append(v.Reasons, d.over.refused...)
	d.distrust()
	v.settle()
	d.looks()
	d.findings()
	d.unknown()
	lacking := p.ExposureOf(d.Stage).lacking(seen, d.State.since(d.now))
	for _, r := range p.wait(&v, d.now, lacking) {
		rule := Rule{Decision: Pause, Resume: Manual, Reason: r.Code}
		switch {
		case d.accepted(r.Check, "", r.Text):
			continue
		case r.Code == ReasonDeadlineRollback:
			rule.Decision = Rollback
		default:
			d.pause = append(d.pause, r)
		}
		d.consider(rule, r)
	}
	d.missing(lacking)
	d.latches()
	d.forced()
	if v.Decision = d.worst.Decision; v.Decision == Continue && !v.has(ReasonOverride) {
		v.Reasons = append(v.Reasons, Reason{Code: ReasonNoHarm, Text: "Every required check shows no material harm."})
	}
	v.Resume = d.worst.Resume
	v.sortReasons(d.worst)
	d.latch()
	if v.Decision == Pause && v.Resume == Auto {
		v.CheckAfter = max(p.checkAfter(v.Findings, seen.orSince(v.State.since(d.now)), v.Stage), seen.ripens(d.now))
		if left, ok := p.soonest(&v.State, d.now); ok {
			v.CheckAfter = min(v.CheckAfter, left)
		}
	}
	v.Step, v.Next = p.next(v.Decision, v.Stage)
	return v
}

// looks counts this look against those that the tests of the policy hold for.
func (d *decision) looks() {
	allowed, looks := d.p.Looks.allowed(), d.State.Looks-d.State.Blind
	if allowed == 0 || looks <= allowed {
		if !some(d.Findings, (*Finding).tested) {
			d.State.Blind++ // nothing was tested, so no error was spent
		}
		return
	}
	for i := range d.Findings {
		d.Findings[i].Untrusted = true
	}
	d.consider(Rule{Decision: Pause, Resume: Manual, Reason: ReasonLooks}, Reason{
		Text: fmt.Sprintf("This is look %d of a policy that allows %d: the errors of its fixed-sample tests no longer hold. Use looks: continuous to look at any time.", looks, allowed)})
}

// tested reports whether there was something to look at.
func (f *Finding) tested() bool {
	return f.Outcome == Pass || f.Outcome == Warn || f.Outcome == Harm || f.Outcome == Inconclusive
}

// findings lets each finding count by the decision table.
func (d *decision) findings() {
	for i := range d.Findings {
		f := &d.Findings[i]
		r := d.p.Table.of(f.Outcome, f.Severity, f.Required)
		switch {
		case f.Untrusted && f.Outcome == Harm:
			r = Rule{Decision: Continue, Reason: ReasonWarning} // the Invalid finding decides
		case d.p.Looks.Kind == Once && r.Reason == ReasonInconclusive:
			r.Resume = Manual // the one look that a fixed-sample test allows is spent
		}
		if r.Decision != Continue && d.accepted(f.Check, f.Metric, f.Message) {
			continue
		}
		if r.Decision == Pause && r.Resume == Manual && (r.Reason == ReasonHarm || r.Reason == ReasonInvalid) {
			if d.p.autoResume(f.Check) {
				r.Resume = Auto
			} else {
				d.pause = append(d.pause, Reason{Code: r.Reason, Check: f.Check, Metric: f.Metric, Text: f.Message})
			}
		}
		d.consider(r, Reason{Check: f.Check, Metric: f.Metric, Text: f.Message})
	}
}

// autoResume reports whether every entry of the named check ends its pauses by
// itself.
func (p *Policy) autoResume(check string) bool {
	return p.every(check, func(e *CheckEntry) bool { return e.AutoResume })
}

// every reports whether there are entries of the named check and all are so.
func (p *Policy) every(check string, so func(*CheckEntry) bool) bool {
	found := false
	for i := range p.Checks {
		if e := &p.Checks[i]; e.Check != nil && e.Check.Name() == check {
			if !so(e) {
				return false
			}
			found = true
		}
	}
	return found
}

// missing pauses for what nobody spoke of.
func (d *decision) missing(lacking string) {
	p := d.p
	for _, name := range p.absent(d.Findings) {
		if text := fmt.Sprintf("The required check %s reported nothing.", name); !d.accepted(name, "", text) {
			d.consider(Rule{Decision: Pause, Reason: ReasonMissing}, Reason{Check: name, Text: text})
		}
	}
	if !p.requiresAny(&d.over) {
		d.consider(Rule{Decision: Pause, Resume: Manual, Reason: ReasonRubberStamp}, Reason{Text: "No check is required, or all that are were accepted: nothing could speak against the candidate, so nothing speaks for it."})
	}
	if lacking != "" && !d.accepted(exposureCheck, "", lacking) {
		d.consider(Rule{Decision: Pause, Reason: ReasonExposure}, Reason{Text: lacking})
	}
}

// unknown says of overrides that accept what nobody knows that they do nothing.
func (d *decision) unknown() {
	for i := range d.over.valid {
		o := &d.over.valid[i]
		if o.Action != OverrideAccept || o.Check == exposureCheck || d.p.every(o.Check, func(*CheckEntry) bool { return true }) ||
			some(d.Findings, func(f *Finding) bool { return f.Check == o.Check }) {
			continue
		}
		d.Reasons = append(d.Reasons, Reason{Code: ReasonRefused, Check: o.Check, Text: fmt.Sprintf("The override %s does nothing: there is no check %q.", o.String(), o.Check)})
	}
}

// latches lets what was proven at earlier looks count, unless it was accepted.
func (d *decision) latches() {
	s := &d.State
	open := func(rs []Reason) []Reason {
		return slices.DeleteFunc(slices.Clone(rs), func(r Reason) bool {
			o := d.over.accepts(r.Check, r.Metric)
			if r.Check == "" || o == nil {
				return false
			}
			if !slices.ContainsFunc(d.Reasons, func(have Reason) bool { return have.Code == ReasonOverride && have.Check == r.Check }) {
				d.Reasons = append(d.Reasons, Reason{Code: ReasonOverride, Check: r.Check, Metric: r.Metric, Text: fmt.Sprintf("Accepted: %s. An earlier look found: %s", o.String(), r.Text)})
			}
			return true
		})
	}
	if s.RolledBack && len(s.LatchReason) > 0 {
		s.LatchReason = open(s.LatchReason)
		s.RolledBack = len(s.LatchReason) > 0
	}
	s.Paused = open(s.Paused)
	if s.RolledBack && d.worst.Decision != Rollback {
		text := "Harm was proven at an earlier look of this rollout; a later look cannot unprove it."
		for _, r := range s.LatchReason {
			text += " " + r.Text
		}
		d.consider(Rule{Decision: Rollback, Resume: Manual, Reason: ReasonLatched}, Reason{Text: text})
	}
	for _, r := range s.Paused {
		if !slices.ContainsFunc(d.pause, r.sameCause) {
			d.consider(Rule{Decision: Pause, Resume: Manual, Reason: ReasonPaused}, Reason{Check: r.Check, Metric: r.Metric, Text: fmt.Sprintf("An earlier look asked for a person, and none has accepted it yet (%s): %s", r.scope(), r.Text)})
			d.pause = append(d.pause, r)
		}
	}
	if d.p.Looks.Kind == Once && d.worst.Reason == ReasonInconclusive {
		d.Reasons = append(d.Reasons, Reason{Code: ReasonInconclusive, Text: "The policy allows one look, and it cannot decide: widen the margin, collect a larger log and decide on that alone, or use looks: continuous."})
	}
}

// scope names what an override has to accept.
func (r *Reason) scope() string {
	if r.Metric == "" {
		return "check " + r.Check
	}
	return "check " + r.Check + ", metric " + r.Metric
}

// forced lets people decide.
func (d *decision) forced() {
	for _, f := range []struct {
		action   OverrideAction
		decision Decision
	}{{OverrideContinue, Continue}, {OverridePause, Pause}, {OverrideRollback, Rollback}} {
		o := d.over.first(f.action)
		if o == nil {
			continue
		}
		if f.action == OverrideContinue {
			d.worst = Rule{Decision: Continue}
		}
		d.consider(Rule{Decision: f.decision, Resume: Manual, Reason: ReasonOverride}, Reason{Text: "A person decides: " + o.String() + "."})
		if f.action == OverrideContinue {
			d.worst = Rule{Decision: Continue, Reason: ReasonOverride}
		}
	}
}

// latch keeps for later looks what a person has to accept and what was proven.
// What is proven while a person continues all the same is kept, too.
func (d *decision) latch() {
	s := &d.State
	for _, r := range d.proof {
		if r.Code == ReasonLatched || slices.ContainsFunc(s.LatchReason, r.sameCause) {
			continue
		}
		s.RolledBack = true
		s.LatchReason = append(slices.Clip(s.LatchReason), r)
	}
	s.Paused = nil
	for _, r := range d.pause {
		if !slices.Contains(s.Paused, r) {
			s.Paused = append(s.Paused, r)
		}
	}
	slices.SortFunc(s.Paused, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(a.Check, b.Check), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Text, b.Text))
	})
}

// sameCause reports whether two reasons name the same rule about the same thing.
func (r Reason) sameCause(o Reason) bool {
	return r.Code == o.Code && r.Check == o.Check && r.Metric == o.Metric
}

// orderFindings returns a copy without repeats, in the order of the policy's
// checks and then by what they are about, each finding made safe. Of several
// about the same thing the worst is kept: repeats do not matter, and
// contradictions count against the candidate.
func (p *Policy) orderFindings(findings []Finding) []Finding {
	place := make(map[string]int, len(p.Checks))
	for i := len(p.Checks) - 1; i >= 0; i-- {
		place[p.Checks[i].Check.Name()] = i - len(p.Checks) // below 0, the place of an unknown check
	}
	type entry struct {
		place int
		key   string
		f     *Finding
	}
	all := slices.Clone(findings)
	entries := make([]entry, len(all))
	for i := range all {
		f := &all[i]
		f.makeSafe()
		entries[i] = entry{place[f.Check], f.key(), f}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if c := cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.key, b.key)); c != 0 {
			return c
		}
		return a.f.compare(b.f, p.Table)
	})
	out := make([]Finding, 0, len(entries))
	for i, e := range entries {
		if i == 0 || e.key != entries[i-1].key {
			out = append(out, *e.f)
		}
	}
	return out
}

// compare orders two findings about the same thing, the one that counts first; 0
// only if they are the same in every byte.
func (f *Finding) compare(o *Finding, t DecisionTable) int {
	c := cmp.Or(
		worse(t.of(o.Outcome, o.Severity, o.Required), t.of(f.Outcome, f.Severity, f.Required)),
		cmp.Compare(f.Outcome, o.Outcome),
		cmp.Compare(o.Severity, f.Severity),
	)
	if c != 0 {
		return c
	}
	return cmp.Compare(fmt.Sprintf("%+v", *f), fmt.Sprintf("%+v", *o))
}

// some reports whether a finding is so.
func some(fs []Finding, so func(*Finding) bool) bool {
	for i := range fs {
		if so(&fs[i]) {
			return true
		}
	}
	return false
}

// distrust marks every finding but the Invalid ones when an Invalid one that
// counts, that is not local and that nobody has accepted, is among them.
func (d *decision) distrust() {
	invalid := some(d.Findings, func(f *Finding) bool {
		return f.Outcome == Invalid && !f.Local && d.p.Table.of(f.Outcome, f.Severity, f.Required).Decision >= Pause &&
			d.over.accepts(f.Check, f.Metric) == nil
	})
	if !invalid {
		return
	}
	for i := range d.Findings {
		if f := &d.Findings[i]; f.Outcome != Invalid {
			f.Untrusted = true
		}
	}
}

// absent lists the required checks of the policy that no finding speaks of. A
// finding that says of itself that it is not required, or muted, when the policy
// does not say so, does not speak for its check.
func (p *Policy) absent(fs []Finding) []string {
	var names []string
	for i := range p.Checks {
		e := &p.Checks[i]
		name := e.Check.Name()
		if !e.Required || slices.Contains(names, name) {
			continue
		}
		if !some(fs, func(f *Finding) bool {
			return f.Check == name && (e.Muted || f.Required && f.Outcome != Muted)
		}) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// allowed is the number of looks for which the tests of the policy hold; 0 means
// any number.
func (l Looks) allowed() uint64 {
	switch l.Kind {
	case Once:
		return 1
	case Scheduled:
		return uint64(max(l.Schedule, 1))
	case Continuous:
	}
	return 0
}

// requiresAny reports whether any check that is required was not accepted.
func (p *Policy) requiresAny(over *overrides) bool {
	return slices.ContainsFunc(p.Checks, func(e CheckEntry) bool {
		return e.Required && !e.Muted && over.accepts(e.Check.Name(), "") == nil
	})
}

// lacking says what is missing to the minimum exposure, or nothing. since is how
// long the stage has lasted by the looks at it, for evidence without times.
func (e Exposure) lacking(seen exposure, since time.Duration) string {
	if !seen.known {
		if e.MinUnits > 0 || e.MinDuration > 0 {
			return "The minimum exposure of the policy cannot be checked: the amount of traffic is not known."
		}
		return ""
	}
	if seen.units < e.MinUnits {
		return fmt.Sprintf("The smaller arm has %s units; the policy asks for at least %s before a rollout may continue.", thousands(seen.units), thousands(e.MinUnits))
	}
	switch {
	case e.MinDuration <= 0:
	case seen.timed && seen.duration < e.MinDuration:
		return fmt.Sprintf("The candidate's evidence covers %s; the policy asks for at least %s.", formatDuration(seen.duration.Round(time.Second)), formatDuration(e.MinDuration))
	case !seen.timed && seen.staged && since < e.MinDuration:
		return fmt.Sprintf("The stage has lasted %s; the policy asks for at least %s.", formatDuration(since.Round(time.Second)), formatDuration(e.MinDuration))
	case !seen.timed && !seen.staged:
		return fmt.Sprintf("The policy asks for at least %s of traffic, but the log has no usable time column.", formatDuration(e.MinDuration))
	}
	return ""
}

// checkAfter estimates, from the traffic seen, when the units and the time that
// are lacking will have arrived: at least a minute, and at most a year.
func (p *Policy) checkAfter(fs []Finding, seen exposure, stage string) time.Duration {
	e := p.ExposureOf(stage)
	if !seen.timed || seen.duration <= 0 || seen.units == 0 {
		return defaultCheckAfter
	}
	needed := uint64(0)
	for i := range fs {
		if f := &fs[i]; f.Required && f.Outcome != Pass {
			needed = max(needed, f.UnitsNeeded)
		}
	}
	if e.MinUnits > seen.units {
		needed = max(needed, e.MinUnits-seen.units)
	}
	wait := seen.duration.Seconds() * float64(needed) / float64(seen.units)
	wait = max(wait, (e.MinDuration - seen.duration).Seconds())
	if wait <= 0 {
		return defaultCheckAfter
	}
	const minute = 60
	return time.Duration(math.Ceil(min(max(wait, minute), maxWait.Seconds()))) * time.Second
}
