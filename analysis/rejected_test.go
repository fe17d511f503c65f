package analysis_test

import (
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// A candidate that was rolled back is still rolled back when it returns after
// another one.
func TestRejectedCandidateStaysRejected(t *testing.T) {
	look := func(candidate string, o analysis.Outcome, prev *analysis.State) *analysis.Verdict {
		p := policyOf("a")
		p.Model.Candidate = candidate
		v := p.Decide([]analysis.Finding{finding("a", o, analysis.SeverityRollback)}, prev, noon)
		return &v
	}
	first := look("v2", analysis.Harm, nil)
	other := look("v3", analysis.Pass, &first.State)
	if other.Decision != analysis.Continue || other.State.Attempt != 2 {
		t.Errorf("another candidate: %v at attempt %d", other.Decision, other.State.Attempt)
	}
	back := look("v2", analysis.Pass, &other.State)
	if back.Decision != analysis.Rollback || back.Reasons[0].Code != analysis.ReasonLatched || back.State.Attempt != 3 {
		t.Errorf("the first one again: %v because of %v at attempt %d", back.Decision, back.Reasons, back.State.Attempt)
	}
	if again := look("v3", analysis.Pass, &back.State); again.Decision != analysis.Continue || len(again.State.Rejected) != 1 {
		t.Errorf("and the other: %v, rejected %v", again.Decision, again.State.Rejected)
	}
}
