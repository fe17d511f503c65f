package stats_test

import (
	"errors"
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

type valueAt struct {
	P, Mu     float64
	Value     stats.Float
	Tolerance float64
}

// Kayenta's x is the experiment and y the control.
func TestKayentaCases(t *testing.T) {
	cases, _ := goldenCases(t, "kayenta_cases.json")
	ran := map[string]int{}
	for _, c := range cases {
		kind := c.text(t, "kind")
		check, ok := kayentaChecks[kind]
		if !ok {
			continue
		}
		ran[kind]++
		t.Run(c.text(t, "id"), func(t *testing.T) { check(t, in{t, c}) })
	}
	for kind, want := range map[string]int{"percentile_r7": 5, "summary_stats": 3, "mean_ratio": 5, "cles": 4,
		"wilcoxon_diff": 1, "mann_whitney_ci": 4, "mann_whitney_intermediates": 1} {
		if ran[kind] != want {
			t.Errorf("%s: %d cases ran, want %d", kind, ran[kind], want)
		}
	}
}

var kayentaChecks = map[string]func(t *testing.T, c in){
	"percentile_r7": func(t *testing.T, c in) {
		var want []valueAt
		statstest.Decode(t, c.m, "expect", &want)
		for _, w := range want {
			got := must(stats.Quantiles(c.list("values"), []float64{w.P / 100}, stats.Type7))(t)
			statstest.Near(t, "percentile", got[0], float64(w.Value), 1e-15, w.Tolerance)
		}
	},
	"summary_stats": func(t *testing.T, c in) {
		var want struct {
			Mean, Std, Tolerance float64
			Count                uint64
		}
		statstest.Decode(t, c.m, "expect", &want)
		m, err := stats.MomentsOf(c.list("values"))
		if want.Count == 0 {
			if !errors.Is(err, stats.ErrEmpty) { // Kayenta reports zeros
				t.Errorf("error %v, want ErrEmpty", err)
			}
			return
		}
		statstest.Near(t, "mean", m.Mean, want.Mean, 0, want.Tolerance)
		statstest.Near(t, "std", math.Sqrt(m.Variance), want.Std, 0, want.Tolerance)
	},
	"mean_ratio": func(t *testing.T, c in) {
		var want valueAt
		statstest.Decode(t, c.m, "expect", &want)
		ones := func(n int) []float64 {
			out := make([]float64, n)
			for i := range out {
				out[i] = 1
			}
			return out
		}
		x, y := c.list("experiment"), c.list("control")
		r, err := stats.RelativeDifference(must(stats.RatioMomentsOf(x, ones(len(x))))(t), must(stats.RatioMomentsOf(y, ones(len(y))))(t), stats.TOptions{})
		if math.IsNaN(float64(want.Value)) {
			if !errors.Is(err, stats.ErrDomain) {
				t.Errorf("error %v, want ErrDomain", err)
			}
			return
		}
		statstest.Near(t, "mean ratio", 1+r.Difference.Point, float64(want.Value), 1e-15, want.Tolerance)
	},
	"cles": func(t *testing.T, c in) {
		var want valueAt
		statstest.Decode(t, c.m, "expect", &want)
		r := must(stats.MannWhitney(c.list("experiment"), c.list("control"), stats.MannWhitneyOptions{}))(t)
		statstest.Near(t, "effect", r.Superiority.Point, float64(want.Value), 1e-15, want.Tolerance)
	},
	"wilcoxon_diff": func(t *testing.T, c in) {
		var want []valueAt
		statstest.Decode(t, c.m, "expect", &want)
		for _, w := range want {
			r := must(stats.MannWhitney(c.list("x"), c.list("y"), stats.MannWhitneyOptions{Null: w.Mu, Asymptotic: true}))(t)
			statstest.Near(t, "z", r.Z, float64(w.Value), 0, w.Tolerance)
		}
	},
	"mann_whitney_ci": func(t *testing.T, c in) {
		var want map[string]valueAt
		var p struct{ ConfidenceLevel float64 }
		statstest.Decode(t, c.m, "expect", &want)
		statstest.Decode(t, c.m, "params", &p)
		s := must(stats.HodgesLehmann(c.list("experiment"), c.list("control"),
			stats.ShiftOptions{Level: p.ConfidenceLevel, Method: stats.ShiftNormal, Tol: 1e-4, CorrectedPoint: true}))(t).Shift
		for key, got := range map[string]float64{"ciLow": s.Lo, "ciHigh": s.Hi, "estimate": s.Point} {
			statstest.Near(t, key, got, float64(want[key].Value), 0, want[key].Tolerance)
		}
	},
	"mann_whitney_intermediates": func(t *testing.T, c in) {
		var want map[string]float64
		statstest.Decode(t, c.m, "expect", &want)
		x, y := c.list("x"), c.list("y")
		s := must(stats.HodgesLehmann(x, y, stats.ShiftOptions{Method: stats.ShiftNormal, Tol: 1e-4, CorrectedPoint: true}))(t).Shift
		z := want["zqLower"]
		at := func(mu float64) float64 {
			return must(stats.MannWhitney(x, y, stats.MannWhitneyOptions{Null: mu, Asymptotic: true}))(t).Z
		}
		for key, got := range map[string]float64{
			"rootAt_zqLower": s.Lo, "rootAt_zqUpper": s.Hi, "estimate": s.Point,
			"fAtMuMin_zqLower": at(want["muMin"]) - z, "fAtMuMax_zqLower": at(want["muMax"]) - z,
			"fAtMuMin_zqUpper": at(want["muMin"]) + z, "fAtMuMax_zqUpper": at(want["muMax"]) + z,
		} {
			statstest.Near(t, key, got, want[key], 0, want["tolerance"])
		}
	},
}
