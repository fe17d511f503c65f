package checks_test

import (
	"fmt"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

// BenchmarkStages runs one guardrail on the evidence of a number of stages, with
// some 200 different scores and 10,000 rows an arm in each.
func BenchmarkStages(b *testing.B) {
	lower := stats.LowerIsBetter
	for _, c := range []analysis.Check{
		checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: lower, Margin: relative(0.1)},
		checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: lower, Margin: points(0.01)},
		checks.Guardrail{Metric: checks.Mean, Column: "latency", Direction: lower, Margin: relative(0.1)},
		checks.Guardrail{Metric: checks.Quantile, Q: 0.9, Column: "latency", Direction: lower, Margin: relative(0.1)},
		checks.Guardrail{Metric: checks.LogLoss, Column: "score", Margin: relative(0.02)},
		checks.Guardrail{Metric: checks.AUC, Column: "score", Margin: points(0.02)},
		checks.SRM{}, checks.Actions{},
	} {
		for _, n := range []int{1, 5} {
			shares := make([]float64, n)
			arms := make([][2]table, n)
			for i := range shares {
				shares[i] = 0.1 * float64(i+1)
				arms[i] = [2]table{moving(uint64(i), 10000, 1), moving(uint64(100+i), 10000, 1)}
				for _, arm := range arms[i] {
					for j, s := range arm["score"].([]float64) {
						arm["score"].([]float64)[j] = float64(int(200*s)) / 200
					}
				}
			}
			p := ramp(analysis.Continuous, shares, c)
			ev := stages(b, p, arms...)
			name := c.Name()
			if g, ok := c.(checks.Guardrail); ok {
				name += fmt.Sprintf("/metric=%s/limit=%v", g.Metric, g.Margin)
			}
			b.Run(fmt.Sprintf("%s/stages=%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Run(ev); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
