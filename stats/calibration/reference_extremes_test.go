package calibration_test

import (
	"testing"

	"github.com/rampguard/rampguard/stats/calibration"
	"github.com/rampguard/rampguard/stats/statstest"
)

// TestExtremesReference holds what estimates without a p-value for single rows, ties
// and 1e9 rows against R. The tests are in [TestTailReference].
func TestExtremesReference(t *testing.T) {
	ref := reference{Reference: statstest.Load(t, "calibration_extremes")}
	for fn, f := range map[string]func(t *testing.T, c statstest.Case, d calibration.Data) numbers{
		"ICI": func(t *testing.T, _ statstest.Case, d calibration.Data) numbers {
			r := must[calibration.IndexResult](t)(calibration.ICI(d))
			return numbers{"ici": r.ICI, "e50": r.E50, "e90": r.E90, "emax": r.Emax}
		},
		"Sweep": func(t *testing.T, _ statstest.Case, d calibration.Data) numbers {
			r := must[calibration.BinnedResult](t)(calibration.Sweep(d))
			return numbers{"bins": float64(r.Binning.Bins), "ece": r.ECE}
		},
		"AtCut": func(t *testing.T, c statstest.Case, d calibration.Data) numbers {
			r := must[calibration.CutResult](t)(calibration.AtCut(d, statstest.Float(t, c.In, "cut"), calibration.CutOptions{}))
			got := numbers{"above": float64(r.Above), "n": float64(r.InBand.N), "o": float64(r.InBand.Observed), "e": r.InBand.Expected}
			if c.Want["lo"] != nil {
				got["lo"], got["hi"] = r.Lo, r.Hi
			}
			return got
		},
		"LogLoss": func(t *testing.T, _ statstest.Case, d calibration.Data) numbers {
			r := must[calibration.LossResult](t)(calibration.LogLoss(d, level))
			return numbers{"mean": r.Mean.Point, "se": r.SE}
		},
		"Brier": func(t *testing.T, _ statstest.Case, d calibration.Data) numbers {
			r := must[calibration.LossResult](t)(calibration.Brier(d, level))
			return numbers{"mean": r.Mean.Point, "se": r.SE}
		},
	} {
		ref.each(t, fn, func(t *testing.T, c statstest.Case, _ calibration.Data) {
			near(t, c, f(t, c, given(t, c.In)))
		})
	}
	ref.each(t, "Isotonic", func(t *testing.T, c statstest.Case, _ calibration.Data) {
		got := must[[]float64](t)(calibration.Isotonic(statstest.Floats(t, c.In, "y"), nil))
		i := 0
		for j, n := range statstest.Uints(t, c.Want, "fit_times") {
			for range n {
				statstest.Near(t, "fit", got[i], statstest.Floats(t, c.Want, "fit_values")[j], c.RTol, c.ATol)
				i++
			}
		}
	})
}
