package stats_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

func observations(time, event, entry []float64) []stats.Observation {
	obs := make([]stats.Observation, len(time))
	for i := range time {
		obs[i] = stats.Observation{Time: time[i], Event: event[i] != 0}
		if entry != nil {
			obs[i].Entry = entry[i]
		}
	}
	return obs
}

func TestReferenceSurvival(t *testing.T) {
	const file = "stats_survival"
	eachCase(t, file, "Quantiles", func(t *testing.T, c statstest.Case, in in) {
		for typ := stats.Type1; typ <= stats.Type9; typ++ {
			got := must(stats.Quantiles(in.list("x"), in.list("probs"), typ))(t)
			for i, want := range statstest.Floats(t, c.Want, fmt.Sprintf("type%d", typ)) {
				statstest.Near(t, fmt.Sprintf("type %d at %v", typ, in.list("probs")[i]), got[i], want, c.RTol, c.ATol)
			}
		}
	})
	eachCase(t, file, "HodgesLehmann", func(t *testing.T, c statstest.Case, in in) {
		o := stats.ShiftOptions{Level: in.num("level"), Method: stats.ShiftExact, Tol: 1e-4}
		if !in.flag("exact") {
			o.Method = stats.ShiftNormal
		}
		r := must(stats.HodgesLehmann(in.list("x"), in.list("y"), o))(t)
		near(t, c, map[string]float64{"point": r.Shift.Point, "lo": r.Shift.Lo, "hi": r.Shift.Hi})
		if !in.flag("exact") {
			o.Tol = 0
			r = must(stats.HodgesLehmann(in.list("x"), in.list("y"), o))(t)
			near(t, c, map[string]float64{"fine_point": r.Shift.Point, "fine_lo": r.Shift.Lo, "fine_hi": r.Shift.Hi})
		}
	})
	eachCase(t, file, "KaplanMeier", func(t *testing.T, c statstest.Case, in in) {
		o := stats.SurvivalOptions{Level: in.num("level")}
		for o.Band.String() != in.text("band") {
			o.Band++
		}
		k := must(stats.KaplanMeier(observations(in.list("time"), in.list("event"), in.list("entry")), o))(t)
		want := func(key string) []float64 { return statstest.Floats(t, c.Want, key) }
		if len(k.Points) != len(want("t")) {
			t.Fatalf("%d steps, want %d", len(k.Points), len(want("t")))
		}
		for i, p := range k.Points {
			for key, v := range map[string]float64{"t": p.Time, "risk": float64(p.AtRisk), "d": float64(p.Events),
				"surv": p.Survival.Point, "se": p.SE, "lo": p.Survival.Lo, "hi": p.Survival.Hi} {
				if key == "hi" && p.Survival.Point == 0 {
					continue // R has no upper band where the curve is 0
				}
				statstest.Near(t, fmt.Sprintf("%s[%d]", key, i), v, want(key)[i], c.RTol, c.ATol)
			}
		}
		for i, q := range in.list("probs") {
			r := must(k.Quantile(q))(t)
			statstest.Near(t, fmt.Sprintf("quantile %v", q), r.Estimate.Point, want("quantile")[i], c.RTol, c.ATol)
			statstest.Near(t, fmt.Sprintf("upper end at %v", q), r.Estimate.Hi, want("qhi")[i], c.RTol, c.ATol)
			if r.Reached != !math.IsInf(r.Estimate.Point, 1) || r.HiReached != !math.IsInf(r.Estimate.Hi, 1) {
				t.Errorf("quantile %v: reached %v, %v for %v", q, r.Reached, r.HiReached, r.Estimate)
			}
			if lo := want("qlo")[i]; !math.IsInf(lo, 1) {
				statstest.Near(t, fmt.Sprintf("lower end at %v", q), r.Estimate.Lo, lo, c.RTol, c.ATol)
			} else if r.Estimate.Lo != k.End && r.Estimate.Lo != 0 { // where R has none
				t.Errorf("lower end at %v = %v, want the end of follow-up or 0", q, r.Estimate.Lo)
			}
		}
		r := must(k.RestrictedMean(in.num("tau")))(t)
		near(t, c, map[string]float64{"rmean": r.Estimate.Point, "rse": r.SE})
	})
	eachCase(t, file, "LogRank", func(t *testing.T, c statstest.Case, in in) {
		groups := make([][]stats.Observation, len(statstest.Floats(t, c.Want, "obs")))
		for i, o := range observations(in.list("time"), in.list("event"), nil) {
			g := int(in.list("group")[i])
			groups[g] = append(groups[g], o)
		}
		r := must(stats.LogRank(groups...))(t)
		near(t, c, map[string]float64{"chisq": r.ChiSquare, "df": float64(r.DF), "logp": r.LogP})
		for g := range groups {
			statstest.Near(t, "observed", float64(r.Observed[g]), statstest.Floats(t, c.Want, "obs")[g], 0, 0)
			statstest.Near(t, "expected", r.Expected[g], statstest.Floats(t, c.Want, "exp")[g], c.RTol, c.ATol)
		}
		checkP(t, r.P, r.LogP)
	})
	eachCase(t, file, "MannKendall", func(t *testing.T, c statstest.Case, in in) {
		for alt, key := range map[stats.Alternative]string{stats.Different: "two.sided", stats.Less: "less", stats.Greater: "greater"} {
			r := must(stats.MannKendall(in.list("t"), in.list("v"), stats.TrendOptions{Alternative: alt, Asymptotic: !in.flag("exact")}))(t)
			near(t, c, map[string]float64{"S": float64(r.S), "var": r.Variance, "tau": r.Tau, "logp_" + key: r.LogP})
			checkP(t, r.P, r.LogP)
			if r.Exact != in.flag("exact") {
				t.Errorf("exact = %v, want %v", r.Exact, in.flag("exact"))
			}
		}
	})
}
