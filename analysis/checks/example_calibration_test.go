package checks_test

import (
	"math/rand/v2"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// The candidate's scores are a quarter too high.
func ExampleCalibration() {
	model := func(factor float64) func(*rand.Rand) map[string]any {
		return func(r *rand.Rand) map[string]any {
			scores, labels := make([]float64, 20000), make([]bool, 20000)
			for i := range scores {
				p := 0.6 * r.Float64()
				labels[i] = r.Float64() < p
				scores[i] = factor * p
			}
			return map[string]any{"score": scores, "label": labels}
		}
	}
	answer(checks.Calibration{}, analysis.Columns{Score: "score", Label: "label"}, model(1), model(1.25))
	// Output:
	// calibration_ratio: harm
	// Scores are 23.6% too high: 7,502 expected, 6,070 observed (O/E 0.8091, 0.7949 to 0.8235), surely at least a factor of 1.202. The limit is a factor of 1.105 either way. 20,000 labelled rows.
	// calibration_slope: pass
	// Scores are slightly too extreme: the log odds of the labels move 0.8881 times as much as those of the scores (0.8577 to 0.9186; intercept -0.419), at worst 0.1423 from 1. The limit is 0.2 from 1. 20,000 labelled rows.
	// calibration_error: harm
	// Scores miss the observed rates by 8.19 pp (root mean square over 15 bins, less the noise; squared 0.006712, 0.005817 to 0.007696), surely at least 7.39 pp. The limit is 2 pp; with so many rows a perfectly calibrated model would show up to 0.95 pp, and a plain ECE of 0.009214 where this one shows 0.07159. 20,000 labelled rows.
	// calibration_mcb: harm
	// Recalibration would save more of the candidate's Brier score than of the baseline's: its miscalibration is 0.006748 higher (0.005845 to 0.007651), surely at least 0.005471. The limit is 0.002108. 20,000 labelled rows.
}
