package backtest_test

import (
	"fmt"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/backtest"
	"github.com/rampguard/rampguard/analysis/checks"
)

func ExampleRun() {
	policy, err := analysis.LoadPolicy("policy.yaml", []byte(policyText), checks.Builtin())
	if err != nil {
		fmt.Println(err)
		return
	}
	// Twelve hours of stored snapshots; the candidate's errors rise after six.
	hours, err := stored(policy, 12, 6, 90)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := backtest.Run(policy, hours, backtest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("rolled back at", report.RolledBack.Format("15:04"), "for", report.Looks[len(report.Looks)-1].Reason.Metric)
	// Output: rolled back at 08:00 for ratio
}
