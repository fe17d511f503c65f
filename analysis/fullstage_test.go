package analysis_test

import (
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// armed passes where both arms have rows, and has nothing to say elsewhere.
type armed struct{}

func (armed) Name() string                   { return "armed" }
func (armed) Columns() []analysis.ColumnSpec { return []analysis.ColumnSpec{{Name: "failed"}} }
func (armed) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	f := analysis.NewFinding("armed", "rows", "rows")
	f.Outcome = analysis.NoData
	if ev.Baseline != nil && ev.Candidate != nil && ev.Baseline.RowCount*ev.Candidate.RowCount > 0 {
		f.Outcome, f.Estimate.Point = analysis.Pass, 0
	}
	return []analysis.Finding{f}, nil
}

// A stage that gives the candidate all the traffic has no baseline: what the stages
// before have shown stands, so that the rollout can end.
func TestLastStageHasNoBaseline(t *testing.T) {
	p := &analysis.Policy{Version: 1, Stages: []analysis.Stage{{Name: "half", Weight: 50}, {Name: "full", Weight: 100, MinUnits: 100}},
		Checks: []analysis.CheckEntry{{Check: armed{}, Severity: analysis.SeverityPause, Required: true}}}
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	half := analysis.StageEvidence{Stage: "half", Baseline: served(spec, 500, 10), Candidate: served(spec, 501, 10)}
	for _, tt := range []struct {
		why      string
		evidence []analysis.StageEvidence
		want     analysis.Step
	}{
		{"the stage before has shown enough", []analysis.StageEvidence{half, {Stage: "full", Candidate: served(spec, 200, 10)}}, analysis.Done},
		{"the minimum sample is the candidate's alone", []analysis.StageEvidence{half, {Stage: "full", Candidate: served(spec, 99, 10)}}, analysis.Stay},
		{"nothing was ever compared", []analysis.StageEvidence{{Stage: "full", Candidate: served(spec, 200, 10)}}, analysis.Stay},
	} {
		v, err := p.Evaluate(analysis.Look{Stage: "full", Evidence: tt.evidence, Now: time.Date(2026, 1, 31, 3, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		if v.Step != tt.want {
			t.Errorf("%s: %v, %v, want %v: %v", tt.why, v.Decision, v.Step, tt.want, v.Reasons)
		}
	}
}
