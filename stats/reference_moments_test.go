package stats_test

import (
	"strconv"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

func TestMomentsReference(t *testing.T) {
	const file = "stats_moments"
	eachCase(t, file, "MomentsOf", func(t *testing.T, c statstest.Case, in in) {
		m := must(stats.MomentsOf(in.sample("x")))(t)
		near(t, c, map[string]float64{"mean": m.Mean, "variance": m.Variance})
	})
	eachCase(t, file, "RatioMomentsOf", func(t *testing.T, c statstest.Case, in in) {
		m := must(stats.RatioMomentsOf(in.list("num"), in.list("den")))(t)
		near(t, c, map[string]float64{"mean_num": m.MeanNum, "mean_den": m.MeanDen, "var_num": m.VarNum, "var_den": m.VarDen, "cov": m.Cov})
	})
	// What the replicas are to the last bit is held by TestReferenceBootstrap; that
	// they estimate what resampling of rows does, here.
	eachCase(t, file, "NewBootstrap", func(t *testing.T, c statstest.Case, in in) {
		b := must(stats.NewBootstrap(stats.BootstrapOptions{Replicates: int(in.num("replicates")), Seed: in.seed()}))(t)
		den := in.list("den")
		for i, num := range in.list("num") {
			b.Add("unit "+strconv.Itoa(i), num, den[i])
		}
		r := must(b.Interval(in.num("level"), stats.BootstrapPercentile))(t)
		near(t, c, map[string]float64{"point": r.Estimate.Point})
		want := func(key string) float64 { return statstest.Float(t, c.Want, key) }
		statstest.Near(t, "se", r.SE, want("se"), 0, want("se_tolerance"))
		statstest.Near(t, "lo", r.Estimate.Lo, want("lo"), 0, want("end_tolerance"))
		statstest.Near(t, "hi", r.Estimate.Hi, want("hi"), 0, want("end_tolerance"))
	})
}
