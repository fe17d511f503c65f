package checks_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/sla"
)

const sloPolicy = `version: 1
checks:
  - {check: slo, objective: availability}
`

// sloLook evaluates an objective of 99% on an hourly series and asks the policy.
func sloLook(t *testing.T, policy string, bad float64, hours int) analysis.Verdict {
	t.Helper()
	p, err := analysis.LoadPolicy("policy.yaml", []byte(policy), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	end := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	var samples []sla.Sample
	for i := range hours {
		samples = append(samples, sla.Sample{At: end.Add(-time.Duration(i) * time.Hour), Counts: sla.Counts{Good: 1000 - bad, Total: 1000}})
	}
	window := 28 * 24 * time.Hour
	o := sla.Objective{Name: "availability", Target: 0.99, Window: sla.Rolling(window)}
	alerts, err := sla.GoogleAlerts(window)
	if err != nil {
		t.Fatal(err)
	}
	e, err := sla.Evaluate(o, alerts, samples, end, sla.EvaluateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f := checks.SLOFinding(e, sla.Gate(sla.GatePolicy{}, sla.GateState{}, sla.GateRequest{}, end, e))
	v, err := p.Evaluate(analysis.Look{Given: []analysis.Finding{f}, Now: end})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSLOHoldsARollout(t *testing.T) {
	for _, tt := range []struct {
		why   string
		bad   float64
		hours int
		want  string
	}{
		{"a budget that lasts does not hold", 2, 28 * 24, "continue/auto"},
		{"a spent budget waits for a person and never rolls back", 30, 28 * 24, "pause/manual"},
		{"an objective without samples is no evidence", 0, 0, "pause/auto"},
	} {
		v := sloLook(t, sloPolicy, tt.bad, tt.hours)
		if got := v.Decision.String() + "/" + v.Resume.String(); got != tt.want {
			t.Errorf("%s: %s, want %s: %v", tt.why, got, tt.want, v.Reasons)
		}
	}
	other := strings.Replace(sloPolicy, "availability", "latency", 1)
	if v := sloLook(t, other, 2, 28*24); v.Decision != analysis.Pause || !slices.ContainsFunc(v.Findings, func(f analysis.Finding) bool { return f.Code == "not_evaluated" }) {
		t.Errorf("an objective that nobody handed in: %v, %v", v.Decision, v.Findings)
	}
}

func TestSLOPolicyFaults(t *testing.T) {
	for policy, want := range map[string]string{
		"version: 1\nchecks: [{check: slo}]":                                           "name the objective",
		"version: 1\nchecks: [{check: slo, objective: a, severity: rollback}]":         "never rolls back",
		"version: 1\nchecks: [{check: slo, objective: a}, {check: slo, objective: a}]": "looks at the same",
	} {
		if _, err := analysis.LoadPolicy("p.yaml", []byte(policy), checks.Builtin()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", policy, err)
		}
	}
	if _, err := (checks.SLO{}).Run(&analysis.Evidence{}); err == nil {
		t.Error("a check without an objective runs")
	}
}

func ExampleSLOFinding() {
	end := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	o := sla.Objective{Name: "availability", Target: 0.99, Window: sla.Rolling(24 * time.Hour)}
	samples := []sla.Sample{{At: end, Counts: sla.Counts{Good: 998, Total: 1000}}}
	e, err := sla.Evaluate(o, nil, samples, end, sla.EvaluateOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	f := checks.SLOFinding(e, sla.Gate(sla.GatePolicy{}, sla.GateState{}, sla.GateRequest{}, end, e))
	fmt.Println(f.Outcome, f.Message)
	// Output:
	// pass 20% of the error budget of availability is spent, 2 of 1000 events were bad.
}
