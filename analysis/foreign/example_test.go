package foreign_test

import (
	"fmt"

	"github.com/rampguard/rampguard/analysis/foreign"
)

const template = `apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: health
spec:
  metrics:
    - name: error-rate
      interval: 1m
      count: 10
      failureLimit: 2
      failureCondition: result[0] > 0.05
      provider:
        prometheus:
          query: sum(rate(errors[5m])) / sum(rate(requests[5m]))
`

func ExampleDetect() {
	fmt.Println(foreign.Detect([]byte(template)))
	// Output: argo <nil>
}

func ExampleImport() {
	got, err := foreign.Import(foreign.Argo, "health.yaml", []byte(template))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(got.Policy))
	for _, n := range got.Notes {
		if n.Severity == foreign.Approximated {
			fmt.Println(n)
		}
	}
	// Output:
	// # Made from analyses of Argo Rollouts, health.yaml. Read every line before you rely on it:
	// # what could not be taken over, and what differs, is in the notes of the import.
	// version: 1
	// looks: continuous
	// checks:
	//   # Line 7: metric error-rate of health; failureCondition: result[0] > 0.05
	//   # query: sum(rate(errors[5m])) / sum(rate(requests[5m]))
	//   # The provider has to bring a window every 1m.
	//   - {check: gauge, of: error-rate, direction: lower, bounds: {rollback: 0.05}, breach: {k: 3, of: 10}}
	//   # Better, where the counts are at hand, because it knows their noise:
	//   # - {check: guardrail, metric: ratio, of: error-rate, direction: lower, bounds: {rollback: 0.05}}
	// health.yaml:8:7: approximated: spec.metrics[0].interval: kept as a comment: the provider of the metric sets its windows
	// health.yaml:9:7: approximated: spec.metrics[0].count: the number of windows among which breaches count; a policy does not end by itself
	// health.yaml:10:7: approximated: spec.metrics[0].failureLimit: 3 breaches of 10 windows take the candidate out; they need not lie in one run, and 3 of them have to be there before the check can pass
	// health.yaml:14:11: approximated: spec.metrics[0].provider.prometheus.query: it divides counters: a guardrail of the two counts knows their noise, which a gauge does not; the policy has it as a comment
}

func ExampleLintArgo() {
	findings, err := foreign.LintArgo("health.yaml", []byte(template))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range findings {
		fmt.Printf("%d:%d %v %s\n", f.Line, f.Column, f.Level, f.Rule)
	}
	fmt.Println(findings[len(findings)-1].What)
	// Output:
	// 7:7 warning error-limit
	// 7:7 info no-initial-delay
	// 11:7 warning empty-aborts
	// 11:7 error nan-passes
	// A NaN, such as 0/0 without traffic, is Successful.
}
