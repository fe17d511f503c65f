package stats_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// numbersOrNull reads a list in which null stands for "not reached".
func numbersOrNull(t *testing.T, m map[string]json.RawMessage, key string) []float64 {
	t.Helper()
	var v []*float64
	statstest.Decode(t, m, key, &v)
	out := make([]float64, len(v))
	for i, p := range v {
		if out[i] = math.Inf(1); p != nil {
			out[i] = *p
		}
	}
	return out
}

func upTo(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(i + 1)
	}
	return out
}

func TestLeadTimeCases(t *testing.T) {
	cases, _ := goldenCases(t, "leadtime_sla_cases.json")
	ran := 0
	for _, c := range cases {
		id := c.text(t, "id")
		check, ok := leadTimeChecks[id]
		if !ok {
			continue
		}
		ran++
		t.Run(id, func(t *testing.T) { check(t, c.sub(t, "input"), c.sub(t, "expect"), statstest.Float(t, c, "tol")) })
	}
	if ran != len(leadTimeChecks) {
		t.Errorf("%d cases ran of %d checks", ran, len(leadTimeChecks))
	}
}

type leadTimeCheck func(t *testing.T, in, want in, tol float64)

var leadTimeChecks = map[string]leadTimeCheck{
	"q-hf-leadtime10":             checkTypes,
	"q-hf-1to5":                   checkTypes,
	"q-hf-textbook10":             checkTypes,
	"q-nearest-rank":              checkTypes,
	"q-n2":                        checkTypes,
	"q-gonum-empirical-lininterp": checkTypes,
	"q-gonum-leadtime10":          checkTypes,
	"q-promql-scalar":             checkTypes,
	"q-devlake-lower-median":      checkMedians,
	"qci-median-orderstat":        checkRanks,
	"qci-p90-orderstat":           checkRanks,
	"qci-p90-upper-onesided":      checkUpperRank,
	"qci-nyblom":                  checkNyblom,
	"km-aml-median":               checkAMLMedian,
	"km-aml-curve":                checkAMLCurve,
	"km-aml-logrank":              checkAMLLogRank,
	"km-quantile-flat-segments":   checkFlat,
	"km-no-censoring":             checkUncensored,
	"km-inflight-deployments":     checkInFlight,
	"km-inflight-2":               checkInFlight2,
	"sla-inflight-policies":       checkSLA,
	"trend-mk-8-quarters":         checkTrend,
	"trend-mk-10":                 checkTrend,
	"trend-mk-constant":           checkConstantTrend,
	"trend-mk-min-n":              checkTrendMinN,
	"trend-kendall-hw":            checkKendall,
	"two-sample-hl-permeability":  checkPermeability,
	"two-sample-yoy-20pct":        checkYearOnYear,
}

// checkTypes reads the types by their names in the tools the case is about.
func checkTypes(t *testing.T, in, want in, tol float64) {
	names := map[string]stats.QuantileType{"empirical": stats.Type1, "lininterp": stats.Type4, "value": 0}
	for typ := stats.Type1; typ <= stats.Type9; typ++ {
		names[fmt.Sprintf("type%d", typ)] = typ
	}
	for key := range want.m {
		typ, ok := names[key]
		if !ok {
			t.Fatalf("quantile type %q is not known", key)
		}
		got := must(stats.Quantiles(in.list("x"), in.list("probs"), typ))(t)
		for i, w := range want.list(key) {
			statstest.Near(t, fmt.Sprintf("%s at %v", key, in.list("probs")[i]), got[i], w, 0, tol)
		}
	}
}

func checkMedians(t *testing.T, in, want in, tol float64) {
	var samples [][]float64
	statstest.Decode(t, in.m, "samples", &samples)
	for i, w := range want.list("type7") {
		statstest.Near(t, "median", must(stats.Quantiles(samples[i], []float64{0.5}, 0))(t)[0], w, 0, tol)
	}
}

func checkRanks(t *testing.T, in, want in, tol float64) {
	for i, n := range in.list("n") {
		r := must(stats.Quantile(upTo(int(n)), in.num("p"), stats.QuantileOptions{Level: in.num("conf")}))(t)
		statstest.Near(t, "l", float64(r.LoRank), want.list("l")[i], 0, 0)
		statstest.Near(t, "u", float64(r.HiRank), want.list("u")[i], 0, 0)
		statstest.Near(t, "coverage", r.Achieved, want.list("coverage")[i], 0, tol)
	}
	five := must(stats.Quantile(upTo(5), 0.5, stats.QuantileOptions{}))(t)
	if five.LoRank != 0 || five.HiRank != 0 {
		t.Errorf("5 values: ranks %d and %d, want none", five.LoRank, five.HiRank)
	}
}

func checkUpperRank(t *testing.T, in, want in, tol float64) {
	ranks, coverage := numbersOrNull(t, want.m, "r"), numbersOrNull(t, want.m, "coverage")
	for i, n := range in.list("n") {
		r := must(stats.Quantile(upTo(int(n)), in.num("p"), stats.QuantileOptions{Level: in.num("conf"), Side: stats.Less}))(t)
		if math.IsInf(ranks[i], 1) {
			if r.HiRank != 0 || !math.IsInf(r.Estimate.Hi, 1) {
				t.Errorf("n = %v: upper end %v of rank %d, want none", n, r.Estimate.Hi, r.HiRank)
			}
			continue
		}
		statstest.Near(t, "r", float64(r.HiRank), ranks[i], 0, 0)
		statstest.Near(t, "coverage", r.Achieved, coverage[i], 0, tol)
	}
}

func checkNyblom(t *testing.T, in, want in, tol float64) {
	var samples []struct {
		X       json.RawMessage
		P, Conf float64
	}
	statstest.Decode(t, in.m, "samples", &samples)
	var exact, nyblom [][2]float64
	statstest.Decode(t, want.m, "exact", &exact)
	statstest.Decode(t, want.m, "nyblom", &nyblom)
	for i, s := range samples {
		var x []float64
		var name string
		if json.Unmarshal(s.X, &name) == nil {
			n := map[string]int{"1..20": 20, "1..50": 50, "1..100": 100, "squares of 1..60": 60}[name]
			if x = upTo(n); n == 60 {
				for k := range x {
					x[k] *= x[k]
				}
			}
		} else if err := json.Unmarshal(s.X, &x); err != nil {
			t.Fatal(err)
		}
		for _, o := range []struct {
			nyblom bool
			want   [2]float64
		}{{false, exact[i]}, {true, nyblom[i]}} {
			r := must(stats.Quantile(x, s.P, stats.QuantileOptions{Level: s.Conf, Nyblom: o.nyblom}))(t)
			statstest.Near(t, "lo", r.Estimate.Lo, o.want[0], 0, tol)
			statstest.Near(t, "hi", r.Estimate.Hi, o.want[1], 0, tol)
		}
	}
}

func arm(t *testing.T, i in, key string) []stats.Observation {
	t.Helper()
	var a struct{ Time, Event []float64 }
	statstest.Decode(t, i.m, key, &a)
	return observations(a.Time, a.Event, nil)
}

func kmQuantile(t *testing.T, obs []stats.Observation, b stats.SurvivalBand, q float64) stats.SurvivalQuantile {
	t.Helper()
	return must(must(stats.KaplanMeier(obs, stats.SurvivalOptions{Band: b}))(t).Quantile(q))(t)
}

func checkAMLMedian(t *testing.T, in, want in, tol float64) {
	for _, group := range []string{"maintained", "nonmaintained"} {
		obs := arm(t, in, group)
		for key, q := range map[string]float64{"median": 0.5, "q25": 0.25, "q90": 0.9} {
			var w map[string]*float64
			statstest.Decode(t, want.m, key, &w)
			r := kmQuantile(t, obs, stats.BandLog, q)
			if r.Reached != (w[group] != nil) {
				t.Errorf("%s %s: reached %v", group, key, r.Reached)
			} else if r.Reached {
				statstest.Near(t, key, r.Estimate.Point, *w[group], 0, tol)
			}
		}
		for key, band := range map[string]stats.SurvivalBand{"log": stats.BandLog, "plain": stats.BandPlain, "loglog": stats.BandLogLog} {
			var w map[string]json.RawMessage
			statstest.Decode(t, want.m, "ci_median_"+key, &w)
			ends := numbersOrNull(t, w, group)
			r := kmQuantile(t, obs, band, 0.5)
			statstest.Near(t, key+" lo", r.Estimate.Lo, ends[0], 0, tol)
			statstest.Near(t, key+" hi", r.Estimate.Hi, ends[1], 0, tol)
		}
	}
}

func checkAMLCurve(t *testing.T, in, want in, tol float64) {
	k := must(stats.KaplanMeier(arm(t, in, "maintained"), stats.SurvivalOptions{}))(t)
	for i, p := range k.Points {
		statstest.Near(t, "t", p.Time, want.list("t")[i], 0, tol)
		statstest.Near(t, "at risk", float64(p.AtRisk), want.list("at_risk")[i], 0, tol)
		statstest.Near(t, "survival", p.Survival.Point, want.list("surv")[i], 0, tol)
		statstest.Near(t, "se", p.SE, want.list("greenwood_se")[i], 0, tol)
	}
}

func checkAMLLogRank(t *testing.T, in, want in, tol float64) {
	r := must(stats.LogRank(arm(t, in, "maintained"), arm(t, in, "nonmaintained")))(t)
	statstest.Near(t, "chisq", r.ChiSquare, want.num("chisq"), 0, tol)
	statstest.Near(t, "df", float64(r.DF), want.num("df"), 0, 0)
	statstest.Near(t, "p", r.P, want.num("p"), 0, tol)
	for g := range 2 {
		statstest.Near(t, "observed", float64(r.Observed[g]), want.list("observed")[g], 0, 0)
		statstest.Near(t, "expected", r.Expected[g], want.list("expected")[g], 0, tol)
	}
}

func checkFlat(t *testing.T, in, want in, tol float64) {
	obs := observations(in.list("time"), in.list("event"), nil)
	point, lo, hi := numbersOrNull(t, want.m, "quantile"), numbersOrNull(t, want.m, "lower_log"), numbersOrNull(t, want.m, "upper_log")
	for i, s := range in.list("survival_levels") {
		r := kmQuantile(t, obs, stats.BandLog, 1-s)
		statstest.Near(t, fmt.Sprintf("point at %v", s), r.Estimate.Point, point[i], 0, tol)
		statstest.Near(t, fmt.Sprintf("lo at %v", s), r.Estimate.Lo, lo[i], 0, tol)
		statstest.Near(t, fmt.Sprintf("hi at %v", s), r.Estimate.Hi, hi[i], 0, tol)
	}
}

func checkUncensored(t *testing.T, in, want in, tol float64) {
	obs := observations(in.list("time"), in.list("event"), nil)
	for i, q := range in.list("probs") {
		statstest.Near(t, "quantile", kmQuantile(t, obs, stats.BandLog, q).Estimate.Point, want.list("quantile")[i], 0, tol)
	}
}

func checkInFlight(t *testing.T, in, want in, tol float64) {
	obs := observations(in.list("days"), in.list("event"), nil)
	var km map[string]*float64
	var ci map[string]json.RawMessage
	statstest.Decode(t, want.m, "km", &km)
	statstest.Decode(t, want.m, "ci", &ci)
	for key, q := range map[string]float64{"p50": 0.5, "p75": 0.75, "p90": 0.9} {
		r := kmQuantile(t, obs, stats.BandLogLog, q)
		if r.Reached != (km[key] != nil) {
			t.Errorf("%s: reached %v", key, r.Reached)
		} else if r.Reached {
			statstest.Near(t, key, r.Estimate.Point, *km[key], 0, tol)
		}
		ends := numbersOrNull(t, ci, key)
		statstest.Near(t, key+" lo", r.Estimate.Lo, ends[0], 0, tol)
		statstest.Near(t, key+" hi", r.Estimate.Hi, ends[1], 0, tol)
	}
	var done []float64
	for _, o := range obs {
		if o.Event {
			done = append(done, o.Time)
		}
	}
	naive := must(stats.Quantiles(done, []float64{0.5, 0.9}, stats.Type7))(t)
	var wantNaive map[string]float64
	statstest.Decode(t, want.m, "naive_completed_type7", &wantNaive)
	statstest.Near(t, "naive p50", naive[0], wantNaive["p50"], 0, tol)
	statstest.Near(t, "naive p90", naive[1], wantNaive["p90"], 0, tol)
	r := must(must(stats.KaplanMeier(obs, stats.SurvivalOptions{}))(t).RestrictedMean(7))(t)
	statstest.Near(t, "restricted mean", r.Estimate.Point, want.num("rmst_7d"), 0, tol)
	statstest.Near(t, "its error", r.SE, want.num("rmst_7d_se"), 0, tol)
}

func checkInFlight2(t *testing.T, in, want in, tol float64) {
	obs := observations(in.list("hours"), in.list("event"), nil)
	p50 := kmQuantile(t, obs, stats.BandLog, 0.5)
	statstest.Near(t, "p50", p50.Estimate.Point, want.num("p50"), 0, tol)
	statstest.Near(t, "log p50 lo", p50.Estimate.Lo, numbersOrNull(t, want.m, "ci_log_p50")[0], 0, tol)
	statstest.Near(t, "log-log p50 lo", kmQuantile(t, obs, stats.BandLogLog, 0.5).Estimate.Lo, numbersOrNull(t, want.m, "ci_loglog_p50")[0], 0, tol)
	p90 := kmQuantile(t, obs, stats.BandLogLog, 0.9)
	statstest.Near(t, "log-log p90 lo", p90.Estimate.Lo, numbersOrNull(t, want.m, "ci_loglog_p90")[0], 0, tol)
	if p50.HiReached || p90.Reached || p90.HiReached {
		t.Errorf("reached: p50 upper end %v, p90 %v, its upper end %v, want none", p50.HiReached, p90.Reached, p90.HiReached)
	}
}

func checkSLA(t *testing.T, in, want in, tol float64) {
	k := must(stats.KaplanMeier(observations(in.list("days"), in.list("event"), nil), stats.SurvivalOptions{Band: stats.BandLogLog}))(t)
	s := k.At(in.num("sla_days")).Survival
	statstest.Near(t, "compliance", 1-s.Point, want.num("km"), 0, tol)
	statstest.Near(t, "lo", 1-s.Hi, want.list("km_ci_loglog")[0], 0, tol)
	statstest.Near(t, "hi", 1-s.Lo, want.list("km_ci_loglog")[1], 0, tol)
}

func checkTrend(t *testing.T, in, want in, tol float64) {
	x := in.list("x")
	exact := must(stats.MannKendall(nil, x, stats.TrendOptions{}))(t)
	normal := must(stats.MannKendall(nil, x, stats.TrendOptions{Asymptotic: true}))(t)
	for key, got := range map[string]float64{"S": float64(exact.S), "var": exact.Variance, "z": normal.Z,
		"p_normal": normal.P, "p_exact": exact.P, "tau": exact.Tau} {
		statstest.Near(t, key, got, want.num(key), 0, tol)
	}
	r := must(stats.TheilSen(nil, x, 0.95))(t)
	statstest.Near(t, "slope", r.Slope.Point, want.num("sen_slope"), 0, tol)
	statstest.Near(t, "slope lo", r.Slope.Lo, want.list("sen_ci95")[0], 0, tol)
	statstest.Near(t, "slope hi", r.Slope.Hi, want.list("sen_ci95")[1], 0, tol)
	if want.has("sen_intercept") {
		statstest.Near(t, "intercept", r.Intercept, want.num("sen_intercept"), 0, tol)
	}
}

func checkConstantTrend(t *testing.T, in, want in, tol float64) {
	r := must(stats.MannKendall(nil, in.list("x"), stats.TrendOptions{}))(t)
	for key, got := range map[string]float64{"S": float64(r.S), "var": r.Variance, "z": r.Z, "p": r.P,
		"sen_slope": must(stats.TheilSen(nil, in.list("x"), 0.95))(t).Slope.Point} {
		statstest.Near(t, key, got, want.num(key), 0, tol)
	}
}

func checkTrendMinN(t *testing.T, in, want in, tol float64) {
	for i, n := range in.list("n") {
		r := must(stats.MannKendall(nil, upTo(int(n)), stats.TrendOptions{}))(t)
		statstest.Near(t, "p", r.P, want.list("p_min_two_sided")[i], 0, tol)
	}
}

func checkKendall(t *testing.T, in, want in, tol float64) {
	r := must(stats.MannKendall(in.list("x"), in.list("y"), stats.TrendOptions{}))(t)
	statstest.Near(t, "tau", r.Tau, want.num("tau"), 0, tol)
	statstest.Near(t, "p", r.P, want.num("p_exact"), 0, tol)
	pairs := float64(r.N*(r.N-1)) / 2
	statstest.Near(t, "T", (pairs+float64(r.S))/2, want.num("T"), 0, 0)
}

func checkPermeability(t *testing.T, in, want in, tol float64) {
	x, y := in.list("x"), in.list("y")
	one := must(stats.MannWhitney(x, y, stats.MannWhitneyOptions{Alternative: stats.Greater}))(t)
	two := must(stats.MannWhitney(x, y, stats.MannWhitneyOptions{}))(t)
	s := must(stats.HodgesLehmann(x, y, stats.ShiftOptions{}))(t)
	for key, got := range map[string]float64{"W": one.U, "p_greater": one.P, "p_two_sided": two.P, "hodges_lehmann": s.Shift.Point} {
		statstest.Near(t, key, got, want.num(key), 0, tol)
	}
	statstest.Near(t, "lo", s.Shift.Lo, want.list("ci95")[0], 0, tol)
	statstest.Near(t, "hi", s.Shift.Hi, want.list("ci95")[1], 0, tol)
}

func checkYearOnYear(t *testing.T, in, want in, tol float64) {
	last, this := in.list("last_year_h"), in.list("this_year_h")
	logs := func(x []float64) []float64 {
		out := slices.Clone(x)
		for i := range out {
			out[i] = math.Log(out[i])
		}
		return out
	}
	s := must(stats.HodgesLehmann(logs(this), logs(last), stats.ShiftOptions{}))(t)
	statstest.Near(t, "ratio", math.Exp(s.Shift.Point), want.num("hl_ratio"), 0, tol)
	statstest.Near(t, "lo", math.Exp(s.Shift.Lo), want.list("ci95")[0], 0, tol)
	statstest.Near(t, "hi", math.Exp(s.Shift.Hi), want.list("ci95")[1], 0, tol)
	statstest.Near(t, "p", must(stats.MannWhitney(this, last, stats.MannWhitneyOptions{}))(t).P, want.num("p"), 0, tol)
	for key, x := range map[string][]float64{"median_last": last, "median_this": this} {
		statstest.Near(t, key, must(stats.Quantiles(x, []float64{0.5}, 0))(t)[0], want.num(key), 0, tol)
	}
}
