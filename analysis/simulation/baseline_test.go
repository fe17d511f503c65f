package simulation_test

import (
	"context"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/analysis/planning"
	"github.com/rampguard/rampguard/analysis/simulation"
	"github.com/rampguard/rampguard/stats/statstest"
)

const watched = `
version: 1
traffic: 20000/min
columns: {score: score, label: label}
exposure: {min_units: 5000}
checks:
  - {check: guardrail, metric: log_loss, margin: 2%, severity: rollback}
  - {check: guardrail, metric: brier, margin: 5%}
  - {check: guardrail, metric: accuracy, margin: 2pp}
  - {check: guardrail, metric: label_rate, direction: lower, margin: 2pp}
  - {check: guardrail, metric: positive_rate, direction: lower, margin: 2pp}
  - {check: guardrail, metric: mean_score, direction: lower, margin: 0.02}
  - {check: guardrail, metric: mean, column: error, direction: lower, margin: 1pp}
  - {check: guardrail, metric: mean, column: latency_ms, direction: lower, margin: 5%}
  - {check: guardrail, metric: rate, column: amount, threshold: 100, direction: lower, margin: 5pp}
  - {check: guardrail, metric: quantile, column: latency_ms, q: 0.9, direction: lower, relative: {pause: 1.5x}}
  - {check: guardrail, metric: ratio, of: refunds, direction: lower, margin: 2pp}
  - {check: guardrail, metric: mean, of: basket, direction: higher, margin: 10%}
  - {check: guardrail, metric: count_rate, of: tickets, direction: lower, relative: {pause: 3x}}
  - {check: guardrail, metric: quantile, of: queue_ms, q: 0.9, direction: lower, relative: {pause: 2x}}
stages: [{name: tenth, weight: 10, duration: 10m}]
`

// TestPlanOfACollectedBaseline takes all that a plan has to know from a snapshot, and
// holds the power that it promises for the log loss against rollouts.
func TestPlanOfACollectedBaseline(t *testing.T) {
	p, err := analysis.LoadPolicy("policy.yaml", []byte(watched), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	s := simulation.Scenario{Traffic: served(), LabelDelay: -1}
	seen := last(t, p, s, 10*time.Minute).Evidence[0].Baseline
	r, err := planning.Plan(p, planning.Traffic{Baseline: seen}, planning.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Never) != 0 {
		t.Errorf("what is collected is not enough: %+v", r.Never)
	}
	for i, want := range map[int]float64{3: 0.3, 5: 0.3, 6: 0.01, 7: 50, 10: 0.05, 11: 40, 12: 0.002, 13: 16.5} {
		statstest.Near(t, p.Checks[i].Check.(checks.Guardrail).Of+string(p.Checks[i].Check.(checks.Guardrail).Metric), r.Limits[i].Base, want, 0.1, 0)
	}
	only := *p
	only.Checks = p.Checks[:1:1]
	if r, err = planning.Plan(&only, planning.Traffic{Baseline: seen}, planning.Options{}); err != nil {
		t.Fatal(err)
	}
	s.Harm = simulation.Harm{LogLoss: float64(r.Limits[0].Stages[0].Smallest[0])}
	for _, every := range []time.Duration{10 * time.Minute, time.Minute} {
		got, err := simulation.Run(context.Background(), &only, s, simulation.Options{Rollouts: 100, Seed: 4, LookEvery: every, Horizon: 10 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("a look every %v: %v found in %v", every, s.Harm, got.RolledBack)
		if got.RolledBack.N < 65 || every > time.Minute && got.RolledBack.N > 93 {
			t.Errorf("a look every %v: %v was found in %v, want about 80%%", every, s.Harm, got.RolledBack)
		}
	}
}
