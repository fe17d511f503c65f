package analysistest

import (
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// GateOptions say how [Gate] looks at a model. The zero value is a look without
// stages and without the time, at which only a Continue passes.
type GateOptions struct {
	// Stage is the stage of the policy that the evidence is from; empty for a log
	// that stands for itself.
	Stage string
	// Now is the time of the look. Overrides do not count without it, because
	// nobody can tell whether they have ended.
	Now time.Time
	// Overrides are what people have decided.
	Overrides []analysis.Override
	// Reference and Previous are what checks of those baselines compare with.
	Reference, Previous *analysis.Snapshot
	// AllowAutoPause lets a pause pass that needs more evidence and no person:
	// the model is not proven sound, and nothing speaks against it.
	AllowAutoPause bool
}

// Gate fails the test with the report of the verdict unless the policy continues
// on the evidence of the two arms. A nil snapshot is an arm without data, which
// pauses. The verdict is returned for tests that ask for more.
//
// It looks once, without the state of looks before. Evidence that was not
// collected for the policy ends the test.
func Gate(t Failer, p *analysis.Policy, baseline, candidate *analysis.Snapshot, o GateOptions) analysis.Verdict {
	t.Helper()
	if p == nil {
		t.Fatalf("gate: no policy")
		return analysis.Verdict{}
	}
	v, err := p.Evaluate(analysis.Look{
		Stage:     o.Stage,
		Evidence:  []analysis.StageEvidence{{Stage: o.Stage, Baseline: baseline, Candidate: candidate}},
		Reference: o.Reference,
		Previous:  o.Previous,
		Overrides: o.Overrides,
		Now:       o.Now,
	})
	if err != nil {
		t.Fatalf("gate: %v", err)
		return analysis.Verdict{}
	}
	switch {
	case v.Decision == analysis.Continue:
		return v
	case o.AllowAutoPause && v.Decision == analysis.Pause && v.Resume == analysis.Auto:
		return v
	}
	text, err := reportOf(&v)
	if err != nil {
		t.Fatalf("gate: %v", err)
		return v
	}
	t.Errorf("the policy does not continue\n%s", text)
	return v
}
