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
const EngineVersion = "0.1.0"

// Verdict is the answer to a rollout controller, with everything it rests on.
// The zero Verdict is an automatic pause.
type Verdict struct {
	Decision   Decision
	Resume     Resume        // who ends a pause
	CheckAfter time.Duration // when another look may help, at the present rate; 0 when nothing has to be waited for
	Reasons    []Reason      // why, the deciding ones first
	Findings   []Finding     // in the order of the policy's checks, then by column, metric and slice
	Model      Model
	State      State  // to be handed to the next evaluation of the same rollout
	Record     Record // what the verdict was computed from
}

// Reason names the rule behind a decision and the check that triggered it.
type Reason struct {
	Code  string `json:"code"`  // stable snake_case identifier of the rule
	Check string `json:"check"` // name of the check behind it, or empty
	Text  string `json:"text"`  // for people
}

// The codes of reasons.
const (
	ReasonInvalid      = "evidence_invalid"      // a required check says that the data cannot be trusted
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
)

// State is what one verdict hands to the next of the same rollout. The zero
// State is that of a rollout not yet looked at.
type State struct {
	Looks       uint64   `json:"looks"`                  // verdicts given so far
	RolledBack  bool     `json:"rolled_back,omitempty"`  // harm was proven; it stays proven
	LatchReason []Reason `json:"latch_reason,omitempty"` // what proved it
}

// Record says what a verdict was computed from, so that it can be repeated: the
// rules, the policy, the evidence, and the state that was handed in.
type Record struct {
	Engine        string  `json:"engine"`
	PolicyDigest  string  `json:"policy_digest"`
	PolicyVersion int     `json:"policy_version"`
	Inputs        []Input `json:"inputs,omitempty"`     // of both arms; none when Decide was called with findings
	DecidedAt     string  `json:"decided_at,omitempty"` // RFC 3339, UTC; the time that was passed in
	Previous      State   `json:"previous"`             // the state that the verdict before handed over
}

// Input identifies the evidence of one arm; an arm without data has no digest.
type Input struct {
	Arm    string `json:"arm"`
	Digest string `json:"digest,omitempty"` // SHA-256 of the binary snapshot
	Rows   uint64 `json:"rows"`
}

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
	Schema     string    `json:"schema"`
	Model      Model     `json:"model"`
	Decision   Decision  `json:"decision"`
	Resume     Resume    `json:"resume"`
	CheckAfter float64   `json:"check_after_seconds"`
	Reasons    []Reason  `json:"reasons"`
	Findings   []Finding `json:"findings"`
	State      State     `json:"state"`
	Record     Record    `json:"record"`
}

// maxCheckAfter is far beyond what Decide asks for and within a time.Duration.
const maxCheckAfter = 366 * 24 * time.Hour

// MarshalJSON implements [json.Marshaler] with the schema [VerdictSchema].
func (v Verdict) MarshalJSON() ([]byte, error) {
	j := verdictJSON{
		Schema: VerdictSchema, Model: v.Model, Decision: v.Decision, Resume: v.Resume, CheckAfter: v.CheckAfter.Seconds(),
		Reasons: v.Reasons, Findings: v.Findings, State: v.State, Record: v.Record,
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
		Reasons: j.Reasons, Findings: j.Findings, Model: j.Model, State: j.State, Record: j.Record,
	}
	return nil
}
