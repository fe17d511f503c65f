package checks_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// TestCalibrationFalseAlarms: calibrated scores, limits of next to nothing, so that
// every gate is at the edge of what it may call harm, and a look after every batch of
// rows. In how many rollouts is there ever a Harm? At a share of 20% no more than that
// but for sampling error.
func TestCalibrationFalseAlarms(t *testing.T) {
	const alpha, looks, batch = 0.2, 12, 250
	runs := 40
	if testing.Short() {
		runs = 15
	}
	for name, centre := range map[string]float64{"a fifth": 1.6, "rare": 4.5} {
		c := checks.Calibration{Ratio: 1e-9, Slope: 1e-9, Error: 1e-9, Planned: 3000}
		p := calibrationPolicy(analysis.Continuous, c, false)
		p.Actions.Rules[0].AtLeast = 1 / (1 + math.Exp(centre-1))
		alarms := 0
		for run := range runs {
			r := random(uint64(1000 + run))
			var all *analysis.Snapshot
			for range looks {
				tab := table{"score": make([]float64, batch), "label": make([]bool, batch)}
				for i := range batch {
					q := 1 / (1 + math.Exp(centre-1.2*r.NormFloat64()))
					tab["score"].([]float64)[i], tab["label"].([]bool)[i] = q, r.Float64() < q
				}
				next := collect(t, p, tab)
				if all == nil {
					all = next
				} else if err := all.Merge(next); err != nil {
					t.Fatal(err)
				}
				ev := evidence(p, nil, all)
				ev.Alpha = alpha
				fs, err := p.Checks[0].Check.Run(ev)
				if err != nil {
					t.Fatal(err)
				}
				harm := false
				for _, f := range fs {
					harm = harm || f.Outcome == analysis.Harm
				}
				if harm {
					alarms++
					break
				}
			}
		}
		limit := alpha + 3*math.Sqrt(alpha*(1-alpha)/float64(runs))
		if share := float64(alarms) / float64(runs); share > limit {
			t.Errorf("%s: %d of %d rollouts of calibrated candidates are ever harmed, more than %v", name, alarms, runs, limit)
		}
		t.Logf("%s: %d of %d", name, alarms, runs)
	}
}
