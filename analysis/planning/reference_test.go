package planning_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis/planning"
	"github.com/rampguard/rampguard/stats/statstest"
)

// once is a policy of one look at stages with the given units of each arm, of a
// unit a second.
func once(stages [][2]float64, guardrail string) string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "version: 1\nlooks: once\ntraffic: 1/s\nchecks:\n  - {check: guardrail, direction: lower, severity: rollback, %s}\nstages:\n", guardrail)
	for i, s := range stages {
		n := s[0] + s[1]
		fmt.Fprintf(&sb, "  - {name: s%d, weight: %v, duration: %vs}\n", i, 100*s[1]/n, n)
	}
	return sb.String()
}

// TestPlanAgainstReference compares a single look with statsmodels.
func TestPlanAgainstReference(t *testing.T) {
	for _, c := range statstest.Load(t, "planning").Cases {
		t.Run(c.Func+"/"+c.Name, func(t *testing.T) {
			var stages [][2]float64
			statstest.Decode(t, c.In, "stages", &stages)
			power, margin := statstest.Float(t, c.In, "power"), statstest.Float(t, c.In, "margin")
			tr := planning.Traffic{}
			what := fmt.Sprintf("metric: mean, column: x, margin: %v", margin)
			if c.Func == "mean" {
				tr.Moments = map[string]planning.Moments{"x": {Mean: 100, SD: statstest.Float(t, c.In, "sd")}}
			} else {
				tr.BaseRates = map[string]float64{"x": statstest.Float(t, c.In, "base")}
			}
			p := load(t, once(stages, what))
			l := limit(t, plan(t, p, tr, planning.Options{Powers: []float64{power}}), "margin", "x")
			got := l.Stages[len(l.Stages)-1]
			statstest.Near(t, "smallest", float64(got.Smallest[0]), statstest.Float(t, c.Want, "smallest"), c.RTol, c.ATol)
			if c.Want["pass_power"] == nil {
				return
			}
			// The stage takes as long as planned to pass at the power that it then has.
			pass := statstest.Float(t, c.Want, "pass_power")
			if !(pass > 0.01 && pass < 0.999) {
				return
			}
			l = limit(t, plan(t, p, tr, planning.Options{Powers: []float64{pass}}), "margin", "x")
			last := stages[len(stages)-1]
			statstest.Near(t, "pass", float64(l.Stages[len(l.Stages)-1].Pass[0]), last[0]+last[1], 1e-4, 0)
		})
	}
}
