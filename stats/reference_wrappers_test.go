package stats_test

import (
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

func TestHomogeneityReference(t *testing.T) {
	for _, c := range statstest.Load(t, "stats_wrappers").ByFunc(t, "Homogeneity") {
		t.Run(c.Name, func(t *testing.T) {
			var ratio bool
			statstest.Decode(t, c.In, "lr", &ratio)
			got, err := stats.Homogeneity(statstest.Uints(t, c.In, "a"), statstest.Uints(t, c.In, "b"), stats.ChiSquareOptions{LikelihoodRatio: ratio})
			if err != nil {
				t.Fatal(err)
			}
			statstest.Near(t, "statistic", got.Statistic, statstest.Float(t, c.Want, "statistic"), c.RTol, c.ATol)
			statstest.Near(t, "df", float64(got.DF), statstest.Float(t, c.Want, "df"), 0, 0)
			statstest.Near(t, "log p", got.LogP, statstest.Float(t, c.Want, "logp"), c.RTol, c.ATol)
		})
	}
}

func TestCellEffectReference(t *testing.T) {
	for _, c := range statstest.Load(t, "stats_wrappers").ByFunc(t, "CellEffect") {
		t.Run(c.Name, func(t *testing.T) {
			got, err := stats.CellEffect(statstest.Floats(t, c.In, "actual"), statstest.Floats(t, c.In, "planned"))
			if err != nil {
				t.Fatal(err)
			}
			statstest.Near(t, "effect", got, statstest.Float(t, c.Want, "effect"), c.RTol, c.ATol)
		})
	}
}

func TestEBHReference(t *testing.T) {
	for _, c := range statstest.Load(t, "stats_wrappers").ByFunc(t, "EBH") {
		t.Run(c.Name, func(t *testing.T) {
			got, err := stats.EBH(statstest.Floats(t, c.In, "log_e"), statstest.Float(t, c.In, "alpha"))
			if err != nil {
				t.Fatal(err)
			}
			want := statstest.Uints(t, c.Want, "rejected")
			for i := range want {
				if got[i] != (want[i] == 1) {
					t.Errorf("hypothesis %d: rejected %v, want %v", i, got[i], want[i] == 1)
				}
			}
		})
	}
}
