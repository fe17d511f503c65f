package analysis

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// VerdictSchema names the JSON form of a verdict.
const VerdictSchema = "rampguard.verdict/v1"

// EngineVersion is the version of the rules that turn evidence into a verdict.
// It changes with every change that can move a number or a decision.
const EngineVersion = "0.3.0"

// Verdict is the answer to a rollout controller, with everything it rests on.
// The zero Verdict is an automatic pause.
type Verdict struct {
	Decision   Decision
	Resume     Resume        // who ends a pause
	CheckAfter time.Duration // when another look may help, at the present rate; 0 when nothing has to be waited for
	Reasons    []Reason      // why, the deciding ones first
	Findings   []Finding     // in the order of the policy's checks, then by column, metric and slice
	Model      Model
	Stage      string          // the present stage, when the look named one
	Step       Step            // where the rollout goes from there
	Next       string          // the stage that may begin, when Step is Advance
	Shadows    []ShadowVerdict // what other policies would have decided
	State      State           // to be handed to the next evaluation of the same rollout
	Record     Record          // what the verdict was computed from
}

// Reason names the rule behind a decision and the check that triggered it.
type Reason struct {
	Code   string `json:"code"`             // stable snake_case identifier of the rule
	Check  string `json:"check"`            // name of the check behind it, or empty
	Metric string `json:"metric,omitempty"` // of the finding behind it
	Text   string `json:"text"`             // for people
}

// The codes of reasons. They are stable; the texts beside them may change.
const (
	ReasonInvalid      = "evidence_invalid"      // the data cannot be trusted
	ReasonHarm         = "harm"                  // proven harm beyond the margin
	ReasonLatched      = "rollback_latched"      // an earlier verdict of this rollout was a rollback
	ReasonNoEvidence   = "no_evidence"           // a required check had nothing to look at
	ReasonProvider     = "provider_error"        // a required check's source failed
	ReasonInsufficient = "too_few_units"         // a required check needs more units or events
	ReasonInconclusive = "inconclusive"          // the evidence fits both harm and no harm
	ReasonWarning      = "warning"               // worth a look, does not change the decision
	ReasonLooks        = "looks_spent"           // more looks than the policy allows
	ReasonExposure     = "minimum_exposure"      // fewer units or less time than the policy asks for
	ReasonMissing      = "required_check_absent" // a required check reported nothing
	ReasonRubberStamp  = "no_required_check"     // the policy requires no check at all
	ReasonNoHarm       = "no_material_harm"      // every required check passed
	ReasonPaused       = "pause_latched"         // an earlier verdict asked for a person, and none has accepted
	ReasonDeadline     = "deadline"              // a check has waited longer than the policy allows
	ReasonOverride     = "override"              // a person has decided
	ReasonRefused      = "override_refused"      // an override does not count
	ReasonAttempt      = "new_attempt"           // the candidate or the policy changed
	ReasonSource       = "source_failed"         // a source of data failed; the code of such findings, not of reasons

	// ReasonDeadlineRollback is a deadline after which the policy rolls back.
	ReasonDeadlineRollback = "deadline_rollback"
)

// ExitCode is the exit status by which a command tells the decision: 0 continue,
// 75 automatic pause, 3 manual pause, 1 rollback. 2 is left for errors.
func (v *Verdict) ExitCode() int {
	switch v.Decision {
	case Continue:
		return 0
	case Rollback:
		return 1
	case Pause:
	}
	if v.Resume == Manual {
		return 3
	}
	return 75
}

type verdictJSON struct {
	Schema     string          `json:"schema"`
	Model      Model           `json:"model"`
	Stage      string          `json:"stage,omitempty"`
	Decision   Decision        `json:"decision"`
	Resume     Resume          `json:"resume"`
	CheckAfter float64         `json:"check_after_seconds"`
	Step       Step            `json:"step"`
	Next       string          `json:"next_stage,omitempty"`
	Reasons    []Reason        `json:"reasons"`
	Findings   []Finding       `json:"findings"`
	Shadows    []ShadowVerdict `json:"shadows,omitempty"`
	State      State           `json:"state"`
	Record     Record          `json:"record"`
}

// maxCheckAfter is far beyond what Decide asks for and within a time.Duration.
const maxCheckAfter = 366 * 24 * time.Hour

// MarshalJSON implements [json.Marshaler] with the schema [VerdictSchema].
func (v Verdict) MarshalJSON() ([]byte, error) {
	j := verdictJSON{
		Schema: VerdictSchema, Model: v.Model, Stage: v.Stage, Decision: v.Decision, Resume: v.Resume, CheckAfter: v.CheckAfter.Seconds(),
		Step: v.Step, Next: v.Next, Reasons: v.Reasons, Findings: v.Findings, Shadows: v.Shadows, State: v.State, Record: v.Record,
	}
	if j.Reasons == nil {
		j.Reasons = []Reason{}
	}
	if j.Findings == nil {
		j.Findings = []Finding{}
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements [json.Unmarshaler]. An unknown schema, decision or
// outcome is an error, so that a damaged verdict is never read as a Continue; v is
// then unchanged.
func (v *Verdict) UnmarshalJSON(b []byte) error {
	var j verdictJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("analysis: Verdict: %w", err)
	}
	if j.Schema != VerdictSchema {
		return fmt.Errorf("analysis: Verdict: schema %q, this program reads %q: %w", j.Schema, VerdictSchema, stats.ErrMismatch)
	}
	if j.CheckAfter < 0 || j.CheckAfter > maxCheckAfter.Seconds() {
		return fmt.Errorf("analysis: Verdict: check_after_seconds %v is not between 0 and a year: %w", j.CheckAfter, stats.ErrDomain)
	}
	*v = Verdict{
		Decision: j.Decision, Resume: j.Resume, CheckAfter: time.Duration(j.CheckAfter * float64(time.Second)),
		Stage: j.Stage, Step: j.Step, Next: j.Next, Reasons: j.Reasons, Findings: j.Findings, Shadows: j.Shadows,
		Model: j.Model, State: j.State, Record: j.Record,
	}
	return nil
}
