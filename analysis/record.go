package analysis

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Record says what a verdict was computed from, so that it can be repeated: the
// rules, the policy, the evidence, what people decided, and the state that was
// handed in. Records of one rollout form a chain: each holds the digest of the
// one before, so that none can be changed or left out unseen.
type Record struct {
	Engine        string          `json:"engine"`
	PolicyDigest  string          `json:"policy_digest"`
	PolicyVersion int             `json:"policy_version"`
	TableDigest   string          `json:"table_digest,omitempty"` // of a decision table that is not the default
	Attempt       int             `json:"attempt,omitempty"`
	Inputs        []Input         `json:"inputs,omitempty"` // evidence; none when Decide was called with findings
	Given         []Finding       `json:"given,omitempty"`  // findings made elsewhere
	Problems      []SourceProblem `json:"problems,omitempty"`
	Overrides     []Override      `json:"overrides,omitempty"`  // as given, those that do not count included
	DecidedAt     string          `json:"decided_at,omitempty"` // RFC 3339, UTC; the time that was passed in
	AlphaSpent    []Spending      `json:"alpha_spent,omitempty"`
	Previous      State           `json:"previous"`                  // the state that the verdict before handed over
	PreviousState string          `json:"previous_digest,omitempty"` // SHA-256 of Previous
	PreviousLink  string          `json:"previous_record,omitempty"` // digest of the verdict before
	Digest        string          `json:"digest,omitempty"`          // SHA-256 of the verdict with this field empty
}

// Input identifies evidence; without data it has no digest.
type Input struct {
	Arm    string `json:"arm"` // baseline, candidate, reference, previous or pairs
	Stage  string `json:"stage,omitempty"`
	Digest string `json:"digest,omitempty"` // SHA-256 of the binary snapshot
	Rows   uint64 `json:"rows"`
}

// Spending is what the findings of a verdict may spend of one error budget.
type Spending struct {
	Budget string  `json:"budget"` // rollback, pause or srm
	Of     float64 `json:"of"`     // the budget of the whole rollout
	Alpha  float64 `json:"alpha"`  // what this attempt may spend of it
}

func (p *Policy) record(l *Look, now time.Time) Record {
	r := Record{Engine: EngineVersion, PolicyDigest: p.Digest, PolicyVersion: p.Version, TableDigest: p.Table.digest(),
		Given: l.Given, Problems: l.Problems, Overrides: l.Overrides}
	if !now.IsZero() {
		r.DecidedAt = now.Format(time.RFC3339Nano)
	}
	if l.State != nil {
		r.Previous, r.PreviousLink = *l.State, l.State.Record
		if l.Unrecorded {
			return r
		}
		if b, err := json.Marshal(l.State); err == nil { // plain data
			r.PreviousState = digestOf(b)
		}
	}
	return r
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// spend notes what the findings may spend, by budget.
func (v *Verdict) spend(b Budget) {
	var rollback, pause, srm float64
	for i := range v.Findings {
		switch f := &v.Findings[i]; {
		case f.Check == srmCheck:
			srm = max(srm, f.Alpha)
		case f.Severity == SeverityRollback:
			rollback += f.Alpha
		default:
			pause += f.Alpha
		}
	}
	for _, s := range []Spending{{"rollback", b.Rollback, rollback}, {"pause", b.Pause, pause}, {"srm", b.SRM, srm}} {
		if s.Alpha > 0 {
			v.Record.AlphaSpent = append(v.Record.AlphaSpent, s)
		}
	}
}

// chain closes the record: its digest goes into the state, for the next one.
func (v *Verdict) chain() {
	v.Record.Digest, v.State.Record = "", ""
	b, err := v.MarshalJSON()
	if err != nil { // only for a decision or outcome without a name, which Decide does not give
		return
	}
	v.Record.Digest = digestOf(b)
	v.State.Record = v.Record.Digest
}

// Errors of records; test with errors.Is.
var (
	// ErrTampered says that a record is not as it was written, or not where it was
	// in its chain.
	ErrTampered = errors.New("analysis: the record was changed")
	// ErrReplay says that a verdict cannot be computed again, or comes out
	// otherwise.
	ErrReplay = errors.New("analysis: the record cannot be repeated")
)

// Verify checks that the verdict is as it was recorded, and that it follows on
// the one before, which is nil for the first of a rollout. The error wraps
// [ErrTampered].
func (v *Verdict) Verify(before *Verdict) error {
	w := *v
	w.chain()
	switch {
	case w.Record.Digest != v.Record.Digest || v.State.Record != v.Record.Digest:
		return fmt.Errorf("%w: its digest is %.12s, its content gives %.12s", ErrTampered, v.Record.Digest, w.Record.Digest)
	case before != nil && v.Record.PreviousLink != before.Record.Digest:
		return fmt.Errorf("%w: it follows on %.12s, the record before is %.12s", ErrTampered, v.Record.PreviousLink, before.Record.Digest)
	case before == nil && v.Record.PreviousLink != "":
		return fmt.Errorf("%w: it follows on %.12s, which is missing", ErrTampered, v.Record.PreviousLink)
	}
	return nil
}

// Replay repeats a verdict from its record and returns what it computes now, with
// an error wrapping [ErrReplay] when that is not, byte for byte, the same. policy
// must have the digest of the record; snapshot finds evidence by its digest. A
// verdict that was made from findings by [Policy.Decide], or by another version of
// the rules, cannot be repeated, nor can one with shadow policies other than those
// given. A verdict that rests on pairs needs [ReplayFrom].
func Replay(v *Verdict, policy *Policy, snapshot func(digest string) (*Snapshot, error), shadows ...*Policy) (Verdict, error) {
	return ReplayFrom(v, policy, Archive{Snapshot: snapshot}, shadows...)
}

// ReplayFrom is [Replay] with the evidence in an archive, which may hold pairs.
func ReplayFrom(v *Verdict, policy *Policy, archive Archive, shadows ...*Policy) (Verdict, error) {
	fail := func(format string, args ...any) (Verdict, error) {
		return Verdict{}, fmt.Errorf("%w: %s", ErrReplay, fmt.Sprintf(format, args...))
	}
	r := &v.Record
	switch {
	case r.Engine != EngineVersion:
		return fail("it was made by engine %s, this is %s", r.Engine, EngineVersion)
	case r.PolicyDigest != policy.Digest:
		return fail("it was made with policy %.12s, this one is %.12s", r.PolicyDigest, policy.Digest)
	case r.TableDigest != policy.Table.digest():
		return fail("it was made with another decision table")
	case len(r.Inputs) == 0:
		return fail("it was made from findings, not from evidence")
	}
	l := Look{Stage: v.Stage, Given: r.Given, Problems: r.Problems, Overrides: r.Overrides, Shadows: shadows}
	if r.PreviousState != "" {
		l.State = &r.Previous
	}
	if r.DecidedAt != "" {
		at, err := time.Parse(time.RFC3339Nano, r.DecidedAt)
		if err != nil {
			return fail("decided_at: %v", err)
		}
		l.Now = at
	}
	for _, in := range r.Inputs {
		if err := archive.fetch(&l, in); err != nil {
			return Verdict{}, err
		}
	}
	again, err := policy.Evaluate(l)
	if err != nil {
		return again, fmt.Errorf("%w: %w", ErrReplay, err)
	}
	old, err1 := json.Marshal(v)
	now, err2 := json.Marshal(again)
	if err := errors.Join(err1, err2); err != nil {
		return again, err
	}
	if !bytes.Equal(old, now) {
		return again, fmt.Errorf("%w: it now gives other bytes, first at %q", ErrReplay, firstDifference(old, now))
	}
	return again, nil
}

// place puts an input where it was in the look.
func (l *Look) place(in Input, s *Snapshot) {
	switch in.Arm {
	case "reference":
		l.Reference = s
		return
	case "previous":
		l.Previous = s
		return
	}
	n := len(l.Evidence)
	if n == 0 || l.Evidence[n-1].Stage != in.Stage {
		l.Evidence = append(l.Evidence, StageEvidence{Stage: in.Stage})
		n++
	}
	if in.Arm == "baseline" {
		l.Evidence[n-1].Baseline = s
	} else {
		l.Evidence[n-1].Candidate = s
	}
}

// firstDifference is the text around the first byte in which b differs from a.
func firstDifference(a, b []byte) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return string(b[max(0, i-30):min(len(b), i+30)])
}

// VerdictFromJSON reads a stored verdict and checks its digest; the error of a
// verdict that was changed wraps [ErrTampered]. One without a digest, and one of
// another schema, is an error wrapping [stats.ErrMismatch].
func VerdictFromJSON(b []byte) (*Verdict, error) {
	v := new(Verdict)
	if err := json.Unmarshal(b, v); err != nil {
		return nil, err
	}
	if v.Record.Digest == "" {
		return nil, fmt.Errorf("analysis: Verdict: it has no digest; it was made by an older version: %w", stats.ErrMismatch)
	}
	w := *v
	w.chain()
	if w.Record.Digest != v.Record.Digest || v.State.Record != v.Record.Digest {
		return nil, fmt.Errorf("%w: its digest is %.12s, its content gives %.12s", ErrTampered, v.Record.Digest, w.Record.Digest)
	}
	return v, nil
}
