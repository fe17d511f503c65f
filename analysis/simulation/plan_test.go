package simulation_test

import (
	"context"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/analysis/planning"
	"github.com/rampguard/rampguard/analysis/simulation"
	"gonum.org/v1/gonum/stat/distuv"
)

// TestPlanHoldsInSimulation plants the regression that the plan calls detectable
// with 80%, looks once at the end of the stage, and counts how often it is found.
func TestPlanHoldsInSimulation(t *testing.T) {
	const rollouts = 150
	for _, c := range []struct {
		name, guardrail string
		traffic         planning.Traffic
		harm            func(effect float64) simulation.Harm
	}{
		{"share", "metric: rate, column: error, direction: lower, relative: {rollback: 1.5x}",
			planning.Traffic{BaseRates: map[string]float64{"error": 0.01}},
			func(x float64) simulation.Harm { return simulation.Harm{Column: "error", Factor: x} }},
		{"rare share", "metric: rate, column: error, direction: lower, relative: {rollback: 1.5x}",
			planning.Traffic{BaseRates: map[string]float64{"error": 0.0004}},
			func(x float64) simulation.Harm { return simulation.Harm{Column: "error", Factor: x} }},
		{"difference of shares", "metric: rate, column: error, direction: lower, margin: 1pp",
			planning.Traffic{BaseRates: map[string]float64{"error": 0.05}},
			func(x float64) simulation.Harm { return simulation.Harm{Column: "error", Factor: 1 + x/0.05} }},
		{"mean", "metric: mean, of: basket, direction: higher, margin: 5%",
			planning.Traffic{Moments: map[string]planning.Moments{"basket": {Mean: 40, SD: 40}}},
			func(x float64) simulation.Harm { return simulation.Harm{Column: "basket", Factor: 1 - x} }},
		{"bound", "metric: rate, column: error, direction: lower, bounds: {rollback: 2%}",
			planning.Traffic{BaseRates: map[string]float64{"error": 0.01}},
			func(x float64) simulation.Harm { return simulation.Harm{Column: "error", Factor: x / 0.01} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := analysis.LoadPolicy("policy.yaml", []byte("version: 1\ntraffic: 20000/min\nexposure: {min_units: 5000}\nchecks:\n  - {check: guardrail, severity: rollback, "+
				c.guardrail+"}\nstages: [{name: tenth, weight: 10, duration: 10m}]\n"), checks.Builtin())
			if err != nil {
				t.Fatal(err)
			}
			r, err := planning.Plan(p, c.traffic, planning.Options{})
			if err != nil {
				t.Fatal(err)
			}
			effect := float64(r.Limits[0].Stages[0].Smallest[0])
			got, err := simulation.Run(context.Background(), p, simulation.Scenario{Traffic: c.traffic, Harm: c.harm(effect)},
				simulation.Options{Rollouts: rollouts, Seed: 3, LookEvery: 10 * time.Minute, Horizon: 10 * time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			// Within what 150 rollouts tell, and 10 points for the approximations.
			b := distuv.Binomial{N: rollouts, P: 0.8}
			least, most := b.Mean()-3*b.StdDev()-0.1*rollouts, b.Mean()+3*b.StdDev()+0.1*rollouts
			if n := float64(got.RolledBack.N); n < least || n > most {
				t.Errorf("an effect of %v was found in %v, want 80%%", effect, got.RolledBack)
			} else {
				t.Logf("%v: %v", effect, got.RolledBack)
			}
		})
	}
}
