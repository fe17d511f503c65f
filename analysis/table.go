package analysis

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// Rule is one line of the decision table: what a finding with an outcome and a
// severity asks for.
type Rule struct {
	Outcome  Outcome
	Severity Severity
	Required bool
	Decision Decision
	Resume   Resume // of a pause
	Reason   string // code of the reason it gives; empty for none
}

// DecisionTable says what findings ask for. [Policy.Decide] takes the worst rule
// that any finding meets, where a manual pause is worse than an automatic one.
//
// A controller may set a table of its own as [Policy.Table], to pause for a
// person, say, where the default rolls back. Whatever a table says, missing,
// failed, undecided or invalid evidence on a required check pauses at least, and
// so does its harm; a combination that a table leaves out is a manual pause.
type DecisionTable []Rule

// DefaultTable returns the default decision table, one rule for every combination of
// outcome, severity and required, in a fixed order.
func DefaultTable() DecisionTable {
	var rules DecisionTable
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

// of returns the rule for a finding.
func (t DecisionTable) of(o Outcome, s Severity, required bool) Rule {
	usual := rule(o, s, required)
	if t == nil {
		return usual
	}
	i := slices.IndexFunc(t, func(r Rule) bool { return r.Outcome == o && r.Severity == s && r.Required == required })
	if i < 0 {
		return Rule{Outcome: o, Severity: s, Required: required, Decision: Pause, Resume: Manual, Reason: cmp.Or(usual.Reason, ReasonInconclusive)}
	}
	r := t[i]
	if required && usual.Decision > Continue && r.Decision < Pause {
		r = Rule{Outcome: o, Severity: s, Required: required, Decision: Pause, Resume: usual.Resume}
	}
	if r.Decision != Continue && r.Reason == "" {
		r.Reason = cmp.Or(usual.Reason, ReasonWarning)
	}
	return r
}

// digest identifies a table that is not the default one, for the record.
func (t DecisionTable) digest() string {
	if t == nil {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", t))
	return hex.EncodeToString(sum[:])
}

// worse orders rules: decision first, then who must resume.
func worse(a, b Rule) int {
	return cmp.Or(cmp.Compare(a.Decision, b.Decision), cmp.Compare(a.Resume, b.Resume))
}
