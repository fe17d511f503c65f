package checks_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats/statstest"
)

// TestCalibrationReference holds the check against scikit-learn, statsmodels and numpy
// on the real flight logs; see testdata/reference/calibration_check.py.
func TestCalibrationReference(t *testing.T) {
	logs := map[string]table{}
	for _, name := range []string{"baseline", "candidate", "candidate_broken"} {
		logs[name] = flights(t, name)
	}
	airport := func(tab table, where string) table {
		if where == "all" || where == "" {
			return tab
		}
		origin := tab["origin"].([]string)
		return tab.pick(func(i int) bool { return origin[i] == where })
	}
	for _, tc := range statstest.Load(t, "calibration_check").Cases {
		var in struct {
			Candidate, Where string
			Cut              float64
		}
		for name, at := range map[string]any{"candidate": &in.Candidate, "where": &in.Where, "cut": &in.Cut} {
			if raw, ok := tc.In[name]; ok {
				if err := json.Unmarshal(raw, at); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := map[string]float64{}
		for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
			p := calibrationPolicy(looks, checks.Calibration{}, false)
			p.Actions.Rules = nil
			base := airport(logs["baseline"], in.Where)
			if in.Cut > 0 {
				p.Actions.Rules, base = []analysis.ActionRule{{Name: "block", AtLeast: in.Cut}}, nil
			}
			calibrationNumbers(t, got, run(t, p, base, airport(logs[in.Candidate], in.Where)), looks, in.Cut > 0)
		}
		for name, raw := range tc.Want {
			var want float64
			if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatal(err)
			}
			value, ok := got[name]
			if !ok {
				t.Errorf("%s: no %s", tc.Name, name)
				continue
			}
			rtol := tc.RTol
			switch {
			case name == "hosmer_lemeshow":
				rtol = 0.1 // so that rows move between groups
			case name == "mcb", name == "mcb_baseline":
				rtol = 0.05 // rows within a cell have no order
			case name == "difference_se":
				rtol = 5e-3 // from a text of four digits
			case in.Cut > 0 && name == "observed":
				rtol = 0.05 // of rows in whole cells
			}
			if math.Abs(value-want) > tc.ATol+rtol*math.Abs(want) {
				t.Errorf("%s: %s is %v, want %v", tc.Name, name, value, want)
			}
		}
	}
}

// calibrationNumbers picks what the reference knows from the findings: bounds of a
// single look, the error over fixed bins from continuous looks.
func calibrationNumbers(t testing.TB, got map[string]float64, fs []analysis.Finding, looks analysis.LooksKind, band bool) {
	names := map[string]string{
		"observed": "observed", "expected": "expected", "O/E": "ratio", "slope": "slope", "intercept": "intercept", "score test": "score_chisq",
		"slope, one step": "slope_step", "MCB": "mcb", "Hosmer-Lemeshow": "hosmer_lemeshow", "rows at or above the cut": "above",
		"O/E of the baseline": "ratio_baseline", "MCB of the baseline": "mcb_baseline", "ln O/E against the baseline": "difference",
	}
	for _, f := range fs {
		if (f.Code == "calibration_band") != band {
			continue
		}
		if f.Code == "calibration_error" && looks == analysis.Continuous {
			got["debiased"] = f.Estimate.Point
		}
		if looks != analysis.Once {
			continue
		}
		for _, d := range f.Details {
			if name := names[d.Name]; name != "" {
				got[name] = float64(d.Value)
			}
			switch d.Name {
			case "O/E":
				got["ratio_lo"], got["ratio_hi"] = bounds(t, d)
			case "ln O/E against the baseline":
				_, hi := bounds(t, d)
				got["difference_se"] = (hi - float64(d.Value)) / z95
			}
		}
		if f.Code == "calibration_slope" {
			got["score_p"] = float64(f.P)
			got["slope_se"] = (f.Estimate.Hi - math.Abs(got["slope"]-1)) / z95
		} else if f.Code != "label_coverage" {
			got["n"] = float64(f.N.Candidate)
		}
	}
}

// z95 is the normal quantile of 95%.
const z95 = 1.6448536269514722

// bounds reads the interval of a detail.
func bounds(t testing.TB, d analysis.Detail) (lo, hi float64) {
	t.Helper()
	var point float64
	if _, err := fmt.Sscanf(d.Text, "%g (%g to %g)", &point, &lo, &hi); err != nil {
		t.Fatalf("%s: %q: %v", d.Name, d.Text, err)
	}
	return lo, hi
}
