package planning_test

import (
	"fmt"
	"os"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/analysis/planning"
)

func ExamplePlan() {
	policy, err := analysis.LoadPolicy("policy.yaml", []byte(`
version: 1
traffic: 6000/min
checks:
  - {check: srm}
  - {check: guardrail, metric: rate, column: error, direction: lower, relative: {rollback: 2x}}
  - {check: guardrail, metric: mean, column: latency_ms, direction: lower, margin: 0, severity: pause}
stages:
  - {name: canary, weight: 5, duration: 30m}
  - {name: half, weight: 50, duration: 30m}
`), checks.Builtin())
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := planning.Plan(policy, planning.Traffic{
		BaseRates: map[string]float64{"error": 0.01},
		Moments:   map[string]planning.Moments{"latency_ms": {Mean: 50, SD: 20}},
	}, planning.Options{Powers: []float64{0.9}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := report.WriteText(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Plan for 6000 units a minute, attempt 1.
	//
	// A harmless candidate is rolled back with a probability of at most 2.74%, and paused for harm of at most 5.47%; a sound split is called broken in at most 0.0608%.
	//
	// stage          weight    planned       baseline      candidate    will last  held by
	// canary             5%        30m         171000           9000        never  guardrail mean latency_ms 0
	// half              50%        30m          90000          90000        never
	//
	// With a power of 90%:
	//   srm candidate_share 0.5% (pause; baseline 0.05, error 0.000608)
	//     stage             smallest regression            to prove 1%          to pass
	//     canary                          5.92%                  18h7m               4s
	//     half                            1.42%                   1h2m               0s
	//   guardrail rate error 2x (rollback; baseline 0.01, error 0.0274)
	//     stage             smallest regression            to prove 3x          to pass
	//     canary                           2.8x                    20m               7m
	//     half                            2.35x                     0s               0s
	//   guardrail mean latency_ms 0 (pause; baseline 50, error 0.0547)
	//     stage             smallest regression             to prove 0          to pass
	//     canary                          0.885                  never            never
	//     half                            0.376                  never            never
	//
	// These never decide in this plan:
	//   guardrail mean latency_ms: its limit is where a candidate just as good is, so that it passes one that is proven better only.
	//
	// Note that
	//   - stage canary never ends for a sound candidate: guardrail mean latency_ms 0 does not pass within a year.
}
