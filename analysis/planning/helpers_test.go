package planning_test

import (
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/analysis/planning"
)

func load(t testing.TB, text string) *analysis.Policy {
	t.Helper()
	p, err := analysis.LoadPolicy("policy.yaml", []byte(text), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func plan(t testing.TB, p *analysis.Policy, tr planning.Traffic, o planning.Options) planning.Report {
	t.Helper()
	r, err := planning.Plan(p, tr, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// limit finds the plan of a limit by the code of its findings and its column.
func limit(t testing.TB, r planning.Report, code, column string) planning.Limit {
	t.Helper()
	for _, l := range r.Limits {
		if l.Code == code && l.Column == column {
			return l
		}
	}
	t.Fatalf("no limit %s of %s in %+v", code, column, r.Limits)
	return planning.Limit{}
}
