package openslo_test

import (
	"fmt"
	"log"
	"time"

	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/sla/openslo"
)

const objectiveFile = `
apiVersion: openslo/v1
kind: SLO
metadata:
  name: answered-in-time
spec:
  service: fraud-detector
  indicatorRef: answered
  timeWindow:
    - {duration: 28d, isRolling: true}
  budgetingMethod: Occurrences
  objectives:
    - targetPercent: 99.9
  x-rampguard:
    model: fraud-detector
    minBad: 3
    alerts: google
    gate: {minRemaining: 0.1}
`

func ExampleRead() {
	file, err := openslo.Read("objective.yaml", []byte(objectiveFile))
	if err != nil {
		log.Fatal(err)
	}
	slo := file.SLOs[0]
	o := slo.Objectives[0]
	fmt.Println(o.Name, o.Target, o.Window, o.Method)
	for _, a := range o.Alerts {
		fmt.Printf("%v over %v above %.4g\n", a.Severity, a.Long, a.Factor)
	}
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	samples := []sla.Sample{{At: now, Counts: sla.Counts{Good: 99950, Total: 100000}}}
	e, err := sla.Evaluate(o.Objective, o.Alerts, samples, now, sla.EvaluateOptions{Model: slo.Model, Clamp: slo.Clamp})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0f%% left: %v\n", 100*float64(e.Budget.Remaining), sla.Gate(slo.Gate, sla.GateState{}, sla.GateRequest{}, now, e).Decision)
	// Output:
	// answered-in-time 0.999 rolling 28d occurrences
	// page over 1h0m0s above 13.44
	// page over 6h0m0s above 5.6
	// ticket over 24h0m0s above 2.8
	// ticket over 72h0m0s above 0.9333
	// 50% left: allow
}

// Faults name the line and column, what is there, and what would be right.
func ExampleRead_faults() {
	_, err := openslo.Read("objective.yaml", []byte(`apiVersion: openslo/v1
kind: SLO
metadata: {name: precision}
spec:
  timeWindow: [{duration: 90 days, isRolling: true}]
  budgetingMethod: Occurences
  objectives: [{target: 99.9}]
`))
	fmt.Println(err)
	// Output:
	// objective.yaml:5:27: spec.timeWindow[0].duration: "90 days" is not a duration like 5m, 12h, 4w, 1M
	// objective.yaml:6:20: spec.budgetingMethod: "Occurences" is not one of Occurrences, Timeslices, RatioTimeslices
	// objective.yaml:7:25: spec.objectives[0].target: 99.9 is not above 0 and at most 1
}
