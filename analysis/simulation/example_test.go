package simulation_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/analysis/planning"
	"github.com/rampguard/rampguard/analysis/simulation"
)

func ExampleRun() {
	policy, err := analysis.LoadPolicy("policy.yaml", []byte(`
version: 1
traffic: 6000/min
exposure: {min_units: 1000}
checks:
  - {check: srm}
  - {check: guardrail, metric: rate, column: error, direction: lower, relative: {rollback: 2x}}
stages:
  - {name: canary, weight: 10, duration: 10m}
  - {name: half, weight: 50, duration: 10m}
`), checks.Builtin())
	if err != nil {
		fmt.Println(err)
		return
	}
	scenario := simulation.Scenario{
		Traffic: planning.Traffic{BaseRates: map[string]float64{"error": 0.01}},
		Harm:    simulation.Harm{Column: "error", Factor: 3},
	}
	result, err := simulation.Run(context.Background(), policy, scenario, simulation.Options{Rollouts: 50, Seed: 1, Horizon: 2 * time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := result.WriteText(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 50 rollouts, a look every 1m, seed 1: 6000 units a minute, error times 3.
	//
	// The harm was caught in 50 of 50, 100% (92.9% to 100%) of the rollouts;
	// 0 of 50 were missed.
	//
	// completed                                    0 of 50, 0% (0% to 7.11%)
	// rolled back                                  50 of 50, 100% (92.9% to 100%)
	// paused for harm                              0 of 50, 0% (0% to 7.11%)
	// stopped for a person, without harm           0 of 50, 0% (0% to 7.11%)
	// no end within 2h                             0 of 50, 0% (0% to 7.11%)
	//
	// Time to the alarm: median 7m, 90% within 10m; candidate's units: 4190 and 6059.
	//
	// What stopped rollouts:
	//      50  guardrail rate
	//
	// stage               reached      median time       90% within
	// canary               100.0%                -                -
	// half                   0.0%                -                -
	//
}
