package analysis

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// defaultCheckAfter is when to look again if the arrival rate is not known.
const defaultCheckAfter = 5 * time.Minute

// Rule is one line of the decision table: what a finding with an outcome and a
// severity asks for.
type Rule struct {
	Outcome  Outcome
	Severity Severity
	Required bool
	Decision Decision
	Resume   Resume
	Reason   string
}

// Table returns the decision table, one rule for every combination of outcome,
// severity and required, in a fixed order. [Policy.Decide] takes the worst rule
// that any finding meets, where a manual pause is worse than an automatic one.
func Table() []Rule {
	var rules []Rule
	for o := Inconclusive; o <= Muted; o++ {
		for s := Info; s <= SeverityRollback; s++ {
			for _, required := range []bool{false, true} {
				rules = append(rules, rule(o, s, required))
			}
		}
	}
	return rules
}

func rule(o Outcome, s Severity, required bool) Rule {
	r := Rule{Outcome: o, Severity: s, Required: required, Decision: Continue}
	pause := func(resume Resume, reason string) {
		r.Decision, r.Resume, r.Reason = Pause, resume, reason
	}
	//exhaustive:enforce
	switch o {
	case Invalid:
		// Data that cannot be trusted is not a matter of one check: it pauses
		// unless the check is there for information only.
		if required || s >= SeverityPause {
			pause(Manual, ReasonInvalid)
		} else {
			r.Reason = ReasonWarning
		}
	case Harm:
		// A required check of a milder severity waits for evidence, so that
		// evidence of harm cannot let the rollout go on.
		switch {
		case s == SeverityRollback:
			r.Decision, r.Resume, r.Reason = Rollback, Manual, ReasonHarm
		case s == SeverityPause || required:
			pause(Manual, ReasonHarm)
		default:
			r.Reason = ReasonWarning
		}
	case Warn:
		r.Reason = ReasonWarning
	case ProviderError, NoData, Insufficient, Inconclusive:
		if required {
			pause(Auto, map[Outcome]string{ProviderError: ReasonProvider, NoData: ReasonNoEvidence,
				Insufficient: ReasonInsufficient, Inconclusive: ReasonInconclusive}[o])
		}
	case Pass, Muted:
	}
	return r
}

// worse orders rules: decision first, then who must resume.
func worse(a, b Rule) int {
	return cmp.Or(cmp.Compare(a.Decision, b.Decision), cmp.Compare(a.Resume, b.Resume))
}

// Decide turns findings into a verdict. It is pure and total: it reads no clock
// and does no I/O, never fails, and gives the same bytes for the same input, in
// whatever order the findings come and however often one is repeated.
//
// The order of evaluation is: evidence that cannot be trusted (manual pause, all
// other numbers are marked untrusted and cannot roll back); proven harm
// (rollback or manual pause; a rollback latches through State); missing, failed
// or undecided evidence on a required check (automatic pause); minimum exposure;
// continue. A Pass or Warn whose estimate is NaN becomes Invalid. A required check
// of the policy that reported nothing, and a policy that requires nothing, pause;
// so does a policy with a minimum exposure, which only [Evaluate] can see.
//
// now is written to the record and used for nothing else.
func (p *Policy) Decide(findings []Finding, prev *State, now time.Time) Verdict {
	return p.decide(findings, prev, now, exposure{})
}

func (p *Policy) decide(findings []Finding, prev *State, now time.Time, seen exposure) Verdict {
	v := Verdict{Model: p.Model, Findings: p.orderFindings(findings)}
	if prev != nil {
		v.State = *prev
	}
	v.Record = Record{Engine: EngineVersion, PolicyDigest: p.Digest, PolicyVersion: p.Version}
	if !now.IsZero() {
		v.Record.DecidedAt = now.UTC().Format(time.RFC3339)
	}
	v.Record.Previous = v.State
	v.State.Looks++
	worst := Rule{Decision: Continue}
	consider := func(r Rule, check, text string) {
		if r.Reason == "" {
			return
		}
		if worse(r, worst) > 0 {
			worst = r
		}
		v.Reasons = append(v.Reasons, Reason{Code: r.Reason, Check: check, Text: text})
	}
	distrust(v.Findings)
	if allowed := p.Looks.allowed(); allowed > 0 && v.State.Looks > allowed {
		for i := range v.Findings {
			v.Findings[i].Untrusted = true
		}
		consider(Rule{Decision: Pause, Resume: Manual, Reason: ReasonLooks}, "",
			fmt.Sprintf("This is look %d of a policy that allows %d: the errors of its fixed-sample tests no longer hold. Use looks: continuous to look at any time.", v.State.Looks, allowed))
	}
	for i := range v.Findings {
		f := &v.Findings[i]
		r := rule(f.Outcome, f.Severity, f.Required)
		switch {
		case f.Untrusted && f.Outcome == Harm:
			r = Rule{Decision: Continue, Reason: ReasonWarning} // the Invalid finding decides
		case p.Looks.Kind == Once && r.Reason == ReasonInconclusive:
			r.Resume = Manual // the one look that a fixed-sample test allows is spent
		}
		consider(r, f.Check, f.Message)
	}
	for _, name := range p.absent(v.Findings) {
		consider(Rule{Decision: Pause, Reason: ReasonMissing}, name, fmt.Sprintf("The required check %s reported nothing.", name))
	}
	if !p.requiresAny() {
		consider(Rule{Decision: Pause, Resume: Manual, Reason: ReasonRubberStamp}, "", "The policy requires no check: nothing could speak against the candidate, so nothing speaks for it.")
	}
	if text := p.Exposure.lacking(seen); text != "" {
		consider(Rule{Decision: Pause, Reason: ReasonExposure}, "", text)
	}
	if v.State.RolledBack && worst.Decision != Rollback {
		worst = Rule{Decision: Rollback, Resume: Manual, Reason: ReasonLatched}
		text := "Harm was proven at an earlier look of this rollout; a later look cannot unprove it."
		for _, r := range v.State.LatchReason {
			text += " " + r.Text
		}
		v.Reasons = append(v.Reasons, Reason{Code: ReasonLatched, Text: text})
	}
	if p.Looks.Kind == Once && worst.Reason == ReasonInconclusive {
		v.Reasons = append(v.Reasons, Reason{Code: ReasonInconclusive, Text: "The policy allows one look, and it cannot decide: widen the margin, collect a larger log and decide on that alone, or use looks: continuous."})
	}
	v.Decision, v.Resume = worst.Decision, worst.Resume
	if v.Decision == Continue {
		v.Reasons = append(v.Reasons, Reason{Code: ReasonNoHarm, Text: "Every required check shows no material harm."})
	}
	v.sortReasons(worst)
	if v.Decision == Rollback && !v.State.RolledBack {
		v.State.RolledBack = true
		v.State.LatchReason = slices.DeleteFunc(slices.Clone(v.Reasons), func(r Reason) bool { return r.Code != ReasonHarm })
	}
	if v.Decision == Pause && v.Resume == Auto {
		v.CheckAfter = p.checkAfter(v.Findings, seen)
	}
	return v
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
	kept := make(map[string]Finding, len(findings))
	for _, f := range findings {
		f.makeSafe()
		k := f.key()
		if have, ok := kept[k]; !ok || f.before(&have) {
			kept[k] = f
		}
	}
	keys := slices.SortedFunc(maps.Keys(kept), func(a, b string) int {
		return cmp.Or(cmp.Compare(place[kept[a].Check], place[kept[b].Check]), cmp.Compare(a, b))
	})
	out := make([]Finding, len(keys))
	for i, k := range keys {
		out[i] = kept[k]
	}
	return out
}

// makeSafe turns what cannot be true into Invalid. A Warn does not stop a
// rollout, so it has to rest on a number as a Pass does.
func (f *Finding) makeSafe() {
	if f.Slice == nil {
		f.Slice = SliceKey{}
	}
	if (f.Outcome == Pass || f.Outcome == Warn) && math.IsNaN(f.Estimate.Point) {
		f.Message = fmt.Sprintf("A %v without a number is none. %s", f.Outcome, f.Message)
		f.Outcome = Invalid
	}
	if f.Outcome < Inconclusive || f.Outcome > Muted {
		f.Outcome = Invalid
		f.Message = "Unknown outcome. " + f.Message
	}
}

// before orders two findings about the same thing, the one that counts first;
// equal only if they are the same in every byte.
func (f *Finding) before(o *Finding) bool {
	c := cmp.Or(
		worse(rule(o.Outcome, o.Severity, o.Required), rule(f.Outcome, f.Severity, f.Required)),
		cmp.Compare(f.Outcome, o.Outcome),
		cmp.Compare(o.Severity, f.Severity),
	)
	if c != 0 {
		return c < 0
	}
	return fmt.Sprintf("%+v", *f) < fmt.Sprintf("%+v", *o)
}

// distrust marks every finding but the Invalid ones when an Invalid one that
// counts, and that is not local, is among them.
func distrust(fs []Finding) {
	invalid := slices.ContainsFunc(fs, func(f Finding) bool {
		return f.Outcome == Invalid && !f.Local && rule(f.Outcome, f.Severity, f.Required).Decision == Pause
	})
	if !invalid {
		return
	}
	for i := range fs {
		if fs[i].Outcome != Invalid {
			fs[i].Untrusted = true
		}
	}
}

// absent lists the required checks of the policy that no finding speaks of.
func (p *Policy) absent(fs []Finding) []string {
	var names []string
	for i := range p.Checks {
		name := p.Checks[i].Check.Name()
		if !p.Checks[i].Required || slices.Contains(names, name) {
			continue
		}
		if !slices.ContainsFunc(fs, func(f Finding) bool { return f.Check == name }) {
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

func (p *Policy) requiresAny() bool {
	return slices.ContainsFunc(p.Checks, func(e CheckEntry) bool { return e.Required && !e.Muted })
}

// lacking says what is missing to the minimum exposure, or nothing.
func (e Exposure) lacking(seen exposure) string {
	if !seen.known {
		if e.MinUnits > 0 || e.MinDuration > 0 {
			return "The minimum exposure of the policy cannot be checked: the amount of traffic is not known."
		}
		return ""
	}
	if seen.units < e.MinUnits {
		return fmt.Sprintf("The smaller arm has %d units; the policy asks for at least %d before a rollout may continue.", seen.units, e.MinUnits)
	}
	if e.MinDuration > 0 && !seen.timed {
		return fmt.Sprintf("The policy asks for at least %v of traffic, but the log has no usable time column.", e.MinDuration)
	}
	if seen.duration < e.MinDuration {
		return fmt.Sprintf("The candidate's log covers %v; the policy asks for at least %v.", seen.duration.Round(time.Second), e.MinDuration)
	}
	return ""
}

// sortReasons puts the reasons that decided first.
func (v *Verdict) sortReasons(worst Rule) {
	rank := func(r Reason) int {
		switch {
		case r.Code == worst.Reason:
			return 0
		case r.Code == ReasonWarning:
			return 2
		}
		return 1
	}
	slices.SortStableFunc(v.Reasons, func(a, b Reason) int { return cmp.Compare(rank(a), rank(b)) })
}

// checkAfter estimates, from the traffic seen, when the units and the time that
// are lacking will have arrived: at least a minute, and at most a year.
func (p *Policy) checkAfter(fs []Finding, seen exposure) time.Duration {
	if !seen.timed || seen.duration <= 0 || seen.units == 0 {
		return defaultCheckAfter
	}
	needed := uint64(0)
	for i := range fs {
		if f := &fs[i]; f.Required && f.Outcome != Pass {
			needed = max(needed, f.UnitsNeeded)
		}
	}
	if p.Exposure.MinUnits > seen.units {
		needed = max(needed, p.Exposure.MinUnits-seen.units)
	}
	wait := seen.duration.Seconds() * float64(needed) / float64(seen.units)
	wait = max(wait, (p.Exposure.MinDuration - seen.duration).Seconds())
	if wait <= 0 {
		return defaultCheckAfter
	}
	const minute, year = 60, 365 * 24 * 3600
	return time.Duration(math.Ceil(min(max(wait, minute), year))) * time.Second
}
