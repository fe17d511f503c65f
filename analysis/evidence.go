package analysis

import "time"

// BaselineKind says what the candidate is compared with.
type BaselineKind int8

// The kinds of baselines.
const (
	Concurrent     BaselineKind = iota // the other arm, served at the same time
	PreviousWindow                     // an earlier window of the same traffic, a season ago
	FixedReference                     // a fixed reference, such as the training data
	Absolute                           // nothing but a bound
)

var baselineWords = map[BaselineKind]string{Concurrent: "concurrent", PreviousWindow: "previous_window", FixedReference: "reference", Absolute: "absolute"}

// String returns the word used in files and reports.
func (b BaselineKind) String() string { return word(baselineWords, b) }

// MarshalText implements [encoding.TextMarshaler].
func (b BaselineKind) MarshalText() ([]byte, error) {
	return marshalWord(baselineWords, b, "kind of baseline")
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (b *BaselineKind) UnmarshalText(text []byte) error {
	return unmarshalWord(baselineWords, b, text, "kind of baseline")
}

// Evidence is what a check looks at.
type Evidence struct {
	// Baseline and Candidate are the arms; nil means that an arm has no data
	// yet, which a check reports as NoData. Of a rollout in stages they are the
	// evidence of one stage.
	Baseline, Candidate *Snapshot
	// Pairs are requests of the stage that both models scored, or nil; see
	// [PairUser].
	Pairs *PairSnapshot

	Stage    string       // the stage that the arms are from; empty without stages
	Split    Split        // intended shares of the arms in that stage
	Compared BaselineKind // what Baseline is

	// Strata is the evidence of all stages so far, oldest first and the present
	// one last, for a check that adds it up; see [Stratified]. It has one entry
	// at least.
	Strata []Stratum

	// Given are findings that the caller made elsewhere, such as the state of a
	// service level objective, for the checks of the policy that wait for them.
	Given []Finding

	Policy *Policy // the policy that is being applied
	// Alpha is the share of the error budget that the check may spend: the
	// probability, over the whole rollout, that it reports Harm without any.
	Alpha float64
	// PauseAlpha is the same for findings that may only pause, of a check whose
	// other findings roll back; see [PauseLimits]. It comes out of another budget.
	PauseAlpha float64
	// NoHarmAlpha is the one-sided error of a Pass: the probability that a
	// metric just beyond its margin is reported as harmless.
	NoHarmAlpha float64
}

// Stratum is the evidence of one stage. Arms are compared within a stage only:
// when base rates move while the shares of the arms change, arms pooled over
// stages differ although no stage does (Simpson's paradox).
type Stratum struct {
	Stage               string
	Split               Split
	Baseline, Candidate *Snapshot
	Pairs               *PairSnapshot
}

// NoHarmAlpha is the default one-sided error of a Pass. It is not divided among
// checks, because Continue needs all of them to pass (an intersection-union
// test; Berger 1982).
const NoHarmAlpha = 0.05

// Stratified is a [Check] that adds the evidence of the stages itself, from
// [Evidence.Strata], so that a stage boundary costs it nothing. Any other check
// runs stage by stage with its error divided among the stages of the policy: its
// harm counts in whatever stage it was found, and its other findings count in
// the present stage only.
type Stratified interface {
	Check
	Stratified() // says so
}

// Taker is a [Check] that reports findings made elsewhere, from [Evidence.Given].
type Taker interface {
	Check
	// Takes reports whether the check reports the finding.
	Takes(f *Finding) bool
}

// PauseLimits is a [Check] of which some findings only pause, whatever the
// severity of its entry. It gets a share of the pause budget for them.
type PauseLimits interface {
	Check
	// PauseLimits reports whether there are such findings.
	PauseLimits() bool
}

// Look is everything that one look at a rollout hands to the engine.
type Look struct {
	// Stage is the name of the present stage, as in the policy. Without it the
	// evidence stands for itself: no stage is over, so none follows.
	Stage string
	// Evidence of this attempt, one entry a stage, in any order. A stage that
	// the rollout has not reached has none.
	Evidence []StageEvidence
	// Reference and Previous are what checks with "baseline: reference" and
	// "baseline: previous_window" compare the candidate with.
	Reference, Previous *Snapshot
	// Given are findings that were made elsewhere. A check of the policy takes
	// those it waits for; any other one counts by itself, like a finding that is
	// handed to [Policy.Decide].
	Given []Finding
	// Problems are sources that failed at this look. What was known before may be
	// in Evidence all the same.
	Problems []SourceProblem
	// Overrides are what people have decided.
	Overrides []Override
	// Shadows are policies that are applied to the same evidence and never
	// decide; see [ShadowVerdict].
	Shadows []*Policy
	// State is that of the verdict before, or nil.
	State *State
	// Now is the time of the look. Deadlines and soak times rest on it.
	Now time.Time
	// Unrecorded leaves the digests out of the record, which then cannot be
	// replayed. It is for simulations, where they would be most of the work.
	Unrecorded bool
}

// StageEvidence is the evidence of the two arms in one stage, and of the requests
// that both models scored.
type StageEvidence struct {
	Stage               string
	Baseline, Candidate *Snapshot
	Pairs               *PairSnapshot
}

// SourceProblem is the failure of a source of data: a query that timed out, a
// file that could not be read. It is never taken for harm or for zero.
type SourceProblem struct {
	// Name of the metric or column that the source should have brought; empty
	// means that all of them are affected.
	Name string `json:"name,omitempty"`
	Arm  string `json:"arm,omitempty"` // "baseline", "candidate", or empty for both
	Text string `json:"text"`          // what failed, without credentials
}
