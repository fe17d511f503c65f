package analysis_test

import (
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// A fixed-sample test holds for the looks it was planned for: a further look
// neither rolls back nor continues.
func TestLooksAreSpent(t *testing.T) {
	for _, tt := range []struct {
		looks   analysis.Looks
		allowed int
	}{
		{analysis.Looks{Kind: analysis.Once}, 1},
		{analysis.Looks{Kind: analysis.Scheduled, Schedule: 3}, 3},
		{analysis.Looks{Kind: analysis.Continuous}, 5},
	} {
		for _, o := range []analysis.Outcome{analysis.Pass, analysis.Harm} {
			p := policyOf("a")
			p.Looks = tt.looks
			var state *analysis.State
			for look := 1; look <= 5; look++ {
				f := finding("a", analysis.Pass, analysis.SeverityRollback)
				if look == 5 {
					f = finding("a", o, analysis.SeverityRollback)
				}
				v := p.Decide([]analysis.Finding{f}, state, noon)
				state = &v.State
				spent := v.Reasons[0].Code == analysis.ReasonLooks
				if spent != (look > tt.allowed) {
					t.Errorf("%+v: look %d: %v because of %v", tt.looks, look, v.Decision, v.Reasons)
				}
				if spent && (v.Decision != analysis.Pause || v.Resume != analysis.Manual) {
					t.Errorf("%+v: look %d: %v/%v", tt.looks, look, v.Decision, v.Resume)
				}
			}
		}
	}
}

func TestOneLogForBothArmsIsInvalid(t *testing.T) {
	pass := finding("a", analysis.Pass, analysis.SeverityRollback)
	p := policyOf()
	p.Checks = []analysis.CheckEntry{{Check: fakeCheck{name: "a", findings: []analysis.Finding{pass}}, Severity: analysis.SeverityRollback, Required: true}}
	p.Columns = analysis.Columns{Unit: "id"}
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	arm := func(ids ...int64) *analysis.Snapshot {
		c := analysis.NewCollector(spec)
		if err := c.Add(&analysis.Batch{Rows: len(ids), Columns: []analysis.Column{{Type: analysis.Int, Ints: ids}}}); err != nil {
			t.Fatal(err)
		}
		s, err := c.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, tt := range []struct {
		baseline, candidate *analysis.Snapshot
		want                analysis.Decision
	}{
		{arm(1, 2, 3), arm(3, 2, 1), analysis.Pause}, // the same rows in another order
		{arm(1, 2, 3), arm(4, 5, 6), analysis.Continue},
	} {
		v, err := analysis.Evaluate(p, tt.baseline, tt.candidate, nil, noon)
		if err != nil {
			t.Fatal(err)
		}
		if v.Decision != tt.want {
			t.Errorf("decided %v, want %v: %v", v.Decision, tt.want, v.Reasons)
		}
	}
}
