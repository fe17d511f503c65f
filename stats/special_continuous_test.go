package stats_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

var (
	nan  = math.NaN()
	inf  = math.Inf(1)
	some = []float64{1, 2, 3, 4}
)

// second drops a result and keeps the error.
func second[T any](_ T, err error) error { return err }

func TestErrorsContinuous(t *testing.T) {
	m := stats.Moments{N: 5, Mean: 1, Variance: 1}
	ratio := stats.RatioMoments{Units: 5, MeanNum: 1, MeanDen: 2, VarNum: 1}
	obs := []stats.Observation{{Time: 1, Event: true}, {Time: 2}}
	curve := must(stats.KaplanMeier(obs, stats.SurvivalOptions{}))(t)
	boot := must(stats.NewBootstrap(stats.BootstrapOptions{Replicates: 5}))(t)
	filled := must(stats.NewBootstrap(stats.BootstrapOptions{Replicates: 5}))(t)
	for _, u := range []string{"a", "b", "c", "d"} {
		filled.Add(u, 1, 1)
	}
	other := must(stats.NewBootstrap(stats.BootstrapOptions{Replicates: 5, Seed: 1}))(t)
	ksTail := func(d float64, n, m uint64, exact bool) error {
		_, _, err := stats.KSTail(d, n, m, exact)
		return err
	}
	many := make([]float64, 4001)
	for _, c := range []struct {
		name string
		err  error
		want error
		text string // part of the message
	}{
		{"ks empty", second(stats.KolmogorovSmirnov(nil, some, stats.KSOptions{})), stats.ErrEmpty, "x has no values"},
		{"ks NaN", second(stats.KolmogorovSmirnov(some, []float64{1, nan}, stats.KSOptions{})), stats.ErrDomain, "y[1] is NaN"},
		{"ks alternative", second(stats.KolmogorovSmirnov(some, some, stats.KSOptions{Alternative: 2})), stats.ErrDomain, "alternative"},
		{"ks cells", second(stats.KSBinned([]uint64{1}, []uint64{1, 2})), stats.ErrMismatch, "1 and 2 cells"},
		{"ks no counts", second(stats.KSBinned([]uint64{0}, []uint64{1})), stats.ErrEmpty, "totals 0 and 1"},
		{"ks overflow", second(stats.KSBinned([]uint64{math.MaxUint64, 1}, []uint64{1, 1})), stats.ErrDomain, "ref"},
		{"ks tail empty", ksTail(0.5, 0, 3, true), stats.ErrEmpty, "0 and 3"},
		{"ks tail d", ksTail(1.5, 3, 3, true), stats.ErrDomain, "1.5"},
		{"ks tail NaN", ksTail(nan, 3, 3, false), stats.ErrDomain, "NaN"},
		{"ks tail too large", ksTail(0.5, 10001, 3, true), stats.ErrDomain, "10001"},
		{"moments empty", second(stats.MomentsOf(nil)), stats.ErrEmpty, "no values"},
		{"moments Inf", second(stats.MomentsOf([]float64{1, inf})), stats.ErrDomain, "value 1 is +Inf"},
		{"moments overflow", second(stats.MomentsOf([]float64{1e200, -1e200})), stats.ErrDomain, "variance +Inf"},
		{"welch one value", second(stats.WelchT(stats.Moments{N: 1}, m, stats.TOptions{})), stats.ErrDomain, "1 and 5 values"},
		{"welch variance", second(stats.WelchT(stats.Moments{N: 3, Variance: -1}, m, stats.TOptions{})), stats.ErrDomain, "variance -1"},
		{"welch level", second(stats.WelchT(m, m, stats.TOptions{Level: 1})), stats.ErrDomain, "level 1"},
		{"welch null", second(stats.WelchT(m, m, stats.TOptions{Null: nan})), stats.ErrDomain, "null difference"},
		{"student empty", second(stats.StudentT(m, stats.Moments{}, stats.TOptions{})), stats.ErrEmpty, "5 and 0"},
		{"student two", second(stats.StudentT(stats.Moments{N: 1}, stats.Moments{N: 1}, stats.TOptions{})), stats.ErrDomain, "need 3"},
		{"mann-whitney empty", second(stats.MannWhitney(some, nil, stats.MannWhitneyOptions{})), stats.ErrEmpty, "y has no values"},
		{"mann-whitney level", second(stats.MannWhitney(some, some, stats.MannWhitneyOptions{Level: -1})), stats.ErrDomain, "level -1"},
		{"mann-whitney null", second(stats.MannWhitney(some, some, stats.MannWhitneyOptions{Null: inf})), stats.ErrDomain, "null shift"},
		{"shift Inf", second(stats.HodgesLehmann([]float64{1, inf}, some, stats.ShiftOptions{})), stats.ErrDomain, "x holds +Inf"},
		{"shift method", second(stats.HodgesLehmann(some, some, stats.ShiftOptions{Method: 7})), stats.ErrDomain, "method 7"},
		{"shift too large", second(stats.HodgesLehmann(many, some, stats.ShiftOptions{Method: stats.ShiftExact, Level: 0.9})), stats.ErrDomain, ""},
		{"cvm empty", second(stats.CramerVonMises(nil, some)), stats.ErrEmpty, "x has no values"},
		{"ad small", second(stats.AndersonDarling([]float64{1}, []float64{2, 3})), stats.ErrDomain, "need 4"},
		{"w1 empty", second(stats.Wasserstein(stats.Points{}, stats.Points{Values: some})), stats.ErrEmpty, "x has no mass"},
		{"w1 weights", second(stats.Wasserstein(stats.Points{Values: some, Weights: []float64{1}}, stats.Points{Values: some})), stats.ErrMismatch, "4 values and 1 weights"},
		{"w1 negative", second(stats.Wasserstein(stats.Points{Values: []float64{1}, Weights: []float64{-1}}, stats.Points{Values: some})), stats.ErrDomain, "weight -1"},
		{"w1 range", second(stats.Wasserstein(stats.Points{Values: []float64{-1e308}}, stats.Points{Values: []float64{1.5e308}})), stats.ErrDomain, "overflows"},
		{"energy NaN", second(stats.EnergyDistance(stats.Points{Values: some}, stats.Points{Values: []float64{nan}})), stats.ErrDomain, "NaN"},
		{"quantile q", second(stats.Quantile(some, 1.1, stats.QuantileOptions{})), stats.ErrDomain, "1.1"},
		{"quantile type", second(stats.Quantile(some, 0.5, stats.QuantileOptions{Type: 10})), stats.ErrDomain, "type 10"},
		{"quantiles empty", second(stats.Quantiles(nil, nil, 0)), stats.ErrEmpty, "no values"},
		{"km empty", second(stats.KaplanMeier(nil, stats.SurvivalOptions{})), stats.ErrEmpty, "no observations"},
		{"km negative", second(stats.KaplanMeier([]stats.Observation{{Time: -1}}, stats.SurvivalOptions{})), stats.ErrDomain, "time -1"},
		{"km entry", second(stats.KaplanMeier([]stats.Observation{{Time: 1, Entry: 1}}, stats.SurvivalOptions{})), stats.ErrDomain, "entry 1"},
		{"km band", second(stats.KaplanMeier(obs, stats.SurvivalOptions{Band: 9})), stats.ErrDomain, "SurvivalBand(9)"},
		{"km quantile", second(curve.Quantile(1)), stats.ErrDomain, "q = 1"},
		{"rmst beyond", second(curve.RestrictedMean(3)), stats.ErrDomain, "end of follow-up 2"},
		{"rmst zero", second(curve.RestrictedMean(0)), stats.ErrDomain, "horizon 0"},
		{"log-rank one group", second(stats.LogRank(obs)), stats.ErrEmpty, "1 groups"},
		{"log-rank empty group", second(stats.LogRank(obs, nil)), stats.ErrEmpty, "group 1"},
		{"trend empty", second(stats.MannKendall(nil, nil, stats.TrendOptions{})), stats.ErrEmpty, "no values"},
		{"trend lengths", second(stats.MannKendall([]float64{1}, some, stats.TrendOptions{})), stats.ErrMismatch, "1 times and 4 values"},
		{"trend NaN", second(stats.MannKendall(nil, []float64{1, nan}, stats.TrendOptions{})), stats.ErrDomain, "point 1"},
		{"slope level", second(stats.TheilSen(nil, some, 0)), stats.ErrDomain, "level 0"},
		{"slope one time", second(stats.TheilSen([]float64{1, 1}, []float64{1, 2}, 0.9)), stats.ErrDomain, "one time"},
		{"slope too many", second(stats.TheilSen(nil, many, 0.9)), stats.ErrDomain, "4001 points"},
		{"slope Inf", second(stats.TheilSen(nil, []float64{1, inf}, 0.9)), stats.ErrDomain, "+Inf"},
		{"bootstrap replicates", second(stats.NewBootstrap(stats.BootstrapOptions{Replicates: 1})), stats.ErrDomain, "1 replicates"},
		{"bootstrap empty", second(boot.Interval(0.9, stats.BootstrapPercentile)), stats.ErrEmpty, "0 rows"},
		{"bootstrap level", second(filled.Interval(2, stats.BootstrapPercentile)), stats.ErrDomain, "level 2"},
		{"bootstrap method", second(filled.Interval(0.9, 5)), stats.ErrDomain, "method 5"},
		{"bootstrap merge", filled.Merge(other), stats.ErrMismatch, "options"},
		{"bootstrap difference", second(stats.BootstrapDifference(filled, other, 0.9, 0)), stats.ErrMismatch, "options"},
		{"bootstrap state", json.Unmarshal([]byte(`{"replicates":2,"seed":"1","nums":[1],"dens":[1]}`), new(stats.Bootstrap)), stats.ErrMismatch, "2 replicates with 1 and 1"},
		{"ratio lengths", second(stats.RatioMomentsOf([]float64{1}, nil)), stats.ErrMismatch, "1 numerators"},
		{"ratio empty", second(stats.RatioMomentsOf(nil, nil)), stats.ErrEmpty, "numerators"},
		{"ratio one unit", second(stats.Ratio(stats.RatioMoments{Units: 1, MeanDen: 1}, 0.9)), stats.ErrDomain, "1 units"},
		{"ratio zero", second(stats.Ratio(stats.RatioMoments{Units: 3}, 0.9)), stats.ErrDomain, "denominator is 0"},
		{"ratio NaN", second(stats.RatioDifference(ratio, stats.RatioMoments{Units: 3, MeanNum: nan, MeanDen: 1}, stats.TOptions{})), stats.ErrDomain, "NaN"},
		{"relative zero", second(stats.RelativeDifference(ratio, stats.RatioMoments{Units: 3, MeanDen: 1, VarNum: 1}, stats.TOptions{})), stats.ErrDomain, "baseline is 0"},
		{"cluster one unit", second(stats.ClusteredQuantile([][]float64{some, nil}, 0.5, 0.9)), stats.ErrDomain, "1 units"},
		{"cluster empty", second(stats.ClusteredQuantile(nil, 0.5, 0.9)), stats.ErrEmpty, "no values"},
		{"cluster q", second(stats.ClusteredQuantile([][]float64{some, some}, 0, 0.9)), stats.ErrDomain, "q = 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !errors.Is(c.err, c.want) || !strings.Contains(c.err.Error(), c.text) || !strings.HasPrefix(c.err.Error(), "stats: ") {
				t.Errorf("error %v, want one about %q that wraps %v", c.err, c.text, c.want)
			}
		})
	}
}

// hasWarning insists on a warning, and on its message.
func hasWarning(t *testing.T, ws []stats.Warning, code string) {
	t.Helper()
	if !slices.ContainsFunc(ws, func(w stats.Warning) bool { return w.Code == code && w.Message != "" }) {
		t.Errorf("warnings %v, want %q", ws, code)
	}
}

func TestSpecialCasesTwoSample(t *testing.T) {
	equal := must(stats.KolmogorovSmirnov(some, some, stats.KSOptions{}))(t)
	want := stats.KSResult{Where: 1, P: 1, N: 4, M: 4, Exact: true, Method: "two-sample Kolmogorov-Smirnov, exact", Warnings: equal.Warnings}
	if d := cmp.Diff(want, equal); d != "" {
		t.Error(d)
	}
	hasWarning(t, equal.Warnings, stats.WarnTies)
	ends := must(stats.KolmogorovSmirnov([]float64{-inf, 1}, []float64{2, inf}, stats.KSOptions{}))(t)
	if ends.D != 1 || ends.Where != 1 || ends.Sign != 1 {
		t.Errorf("infinite values: %+v", ends)
	}
	hasWarning(t, must(stats.KolmogorovSmirnov(some, some, stats.KSOptions{Asymptotic: true}))(t).Warnings, stats.WarnAsymptotic)
	hasWarning(t, must(stats.KSBinned([]uint64{3, 1}, []uint64{1, 3}))(t).Warnings, stats.WarnBinned)
	apart := must(stats.KSBinned([]uint64{3, 0}, []uint64{0, 3}))(t)
	if apart.D != 1 || apart.Missed != 0 || len(apart.Warnings) != 0 {
		t.Errorf("cells apart: %+v", apart)
	}
	// Below 1e-600 an exact tail of unequal sizes falls back to the limit, and stays finite.
	p, logp, err := stats.KSTail(1, 2000, 1999, true)
	if err != nil || p != 0 || math.IsInf(logp, 0) || logp > -1381 {
		t.Errorf("KSTail(1, 2000, 1999) = %v, %v, %v", p, logp, err)
	}

	flat := []float64{7, 7, 7}
	r := must(stats.MannWhitney(flat, flat, stats.MannWhitneyOptions{}))(t)
	if r.P != 1 || r.Superiority.Point != 0.5 {
		t.Errorf("constant data: %+v", r)
	}
	hasWarning(t, r.Warnings, stats.WarnDegenerate)
	s := must(stats.HodgesLehmann([]float64{9, 9}, flat, stats.ShiftOptions{}))(t)
	if d := cmp.Diff(stats.Interval{Point: 2, Lo: 2, Hi: 2, Level: 0.95}, s.Shift); d != "" {
		t.Error(d)
	}
	hasWarning(t, s.Warnings, stats.WarnDegenerate)
	s = must(stats.HodgesLehmann([]float64{1, 2}, []float64{4, 8}, stats.ShiftOptions{}))(t)
	if !math.IsInf(s.Shift.Lo, -1) || !math.IsInf(s.Shift.Hi, 1) || s.Shift.Point != -4.5 {
		t.Errorf("two values a side: %+v", s)
	}
	hasWarning(t, s.Warnings, stats.WarnSmallSample)
	hasWarning(t, must(stats.HodgesLehmann([]float64{1, 2}, []float64{4, 8}, stats.ShiftOptions{Method: stats.ShiftNormal}))(t).Warnings, stats.WarnClipped)

	far := mapped(upTo(40), func(v float64) float64 { return v + 100 })
	hasWarning(t, must(stats.CramerVonMises(upTo(40), far))(t).Warnings, stats.WarnUnreliableTail)
	hasWarning(t, must(stats.AndersonDarling(upTo(40), far))(t).Warnings, stats.WarnUnreliableTail)
	ad := must(stats.AndersonDarling(flat, flat))(t)
	if ad.P != 1 {
		t.Errorf("constant data: %+v", ad)
	}
	hasWarning(t, ad.Warnings, stats.WarnDegenerate)
}

func TestSpecialCasesT(t *testing.T) {
	a, b := stats.Moments{N: 3, Mean: 2}, stats.Moments{N: 4, Mean: 5}
	same := must(stats.WelchT(a, a, stats.TOptions{}))(t)
	if same.T != 0 || same.P != 1 || same.DF != 4 {
		t.Errorf("equal constants: %+v", same)
	}
	hasWarning(t, same.Warnings, stats.WarnDegenerate)
	far := must(stats.WelchT(a, b, stats.TOptions{}))(t)
	if !math.IsInf(far.T, -1) || far.P != 0 || far.Difference.Width() != 0 {
		t.Errorf("different constants: %+v", far)
	}
	if one := must(stats.WelchT(a, b, stats.TOptions{Alternative: stats.Greater}))(t); one.P != 1 {
		t.Errorf("different constants, wrong side: %+v", one)
	}
	// A tail far beyond float64: the logarithm still tells.
	tail := must(stats.WelchT(stats.Moments{N: 5000, Mean: 1000, Variance: 1}, stats.Moments{N: 5000, Variance: 1}, stats.TOptions{}))(t)
	if tail.P != 0 || math.IsInf(tail.LogP, 0) || tail.LogP > -10000 {
		t.Errorf("tail: P %v, log %v", tail.P, tail.LogP)
	}
	extreme := must(stats.StudentT(stats.Moments{N: 2, Mean: 1e12, Variance: 1}, stats.Moments{N: 2, Variance: 1}, stats.TOptions{}))(t)
	statstest.Near(t, "P of t = 1e12 with 2 degrees of freedom", extreme.P, 1e-24, 1e-9, 0) // 1/t^2
}

func TestSpecialCasesSurvival(t *testing.T) {
	inFlight := must(stats.KaplanMeier([]stats.Observation{{Time: 3}, {Time: 9}}, stats.SurvivalOptions{}))(t)
	hasWarning(t, inFlight.Warnings, stats.WarnDegenerate)
	q := must(inFlight.Quantile(0.5))(t)
	if q.Reached || q.HiReached || q.Estimate.Lo != 0 || !math.IsInf(q.Estimate.Point, 1) {
		t.Errorf("nothing finished: %+v", q)
	}
	one := must(must(stats.KaplanMeier([]stats.Observation{{Time: 3, Event: true}}, stats.SurvivalOptions{}))(t).Quantile(0.5))(t)
	if d := cmp.Diff(stats.Interval{Point: 3, Lo: 0, Hi: inf, Level: 0.95}, one.Estimate); d != "" {
		t.Error(d)
	}
	hasWarning(t, one.Warnings, stats.WarnDegenerate)
	k := must(stats.KaplanMeier([]stats.Observation{{Time: 1, Event: true}, {Time: 2, Event: true}, {Time: 5}, {Time: 6}}, stats.SurvivalOptions{}))(t)
	if p := k.At(0.5); p.Survival != (stats.Interval{Point: 1, Lo: 1, Hi: 1}) || p.AtRisk != 4 {
		t.Errorf("before the first event: %+v", p)
	}
	if p := k.At(7); p.Survival.Lo != 0 || p.Survival.Point != 0.5 {
		t.Errorf("beyond the end: %+v", p)
	}
	if got := must(k.RestrictedMean(1))(t).Estimate.Point; got != 1 {
		t.Errorf("restricted mean before any event = %v, want 1", got)
	}
	same := []stats.Observation{{Time: 2, Event: true}}
	r := must(stats.LogRank(same, same))(t)
	if r.P != 1 || r.DF != 0 {
		t.Errorf("all at once: %+v", r)
	}
	hasWarning(t, r.Warnings, stats.WarnDegenerate)
	late := []stats.Observation{{Time: 12, Entry: 10, Event: true}, {Time: 13, Entry: 10, Event: true}}
	early := []stats.Observation{{Time: 1, Event: true}, {Time: 2, Event: true}}
	if _, err := stats.LogRank(early, late); err != nil {
		// Each group is alone at its events: no variance, nothing to compare.
		t.Errorf("groups never at risk together: %v", err)
	}
}

func TestSpecialCasesOthers(t *testing.T) {
	hasWarning(t, must(stats.Quantile(some, 0.9, stats.QuantileOptions{}))(t).Warnings, stats.WarnSmallSample)
	top := must(stats.Quantile(some, 1, stats.QuantileOptions{}))(t)
	if top.Estimate.Point != 4 || top.Estimate.Lo != 4 || !math.IsInf(top.Estimate.Hi, 1) {
		t.Errorf("q = 1: %v", top.Estimate)
	}
	if p := must(stats.Quantiles([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []float64{0.7}, stats.Type1))(t); p[0] != 7 {
		t.Errorf("type 1 at 0.7 of ten = %v, want 7", p[0])
	}
	single := must(stats.MannKendall(nil, []float64{3}, stats.TrendOptions{}))(t)
	if single.P != 1 || single.Exact {
		t.Errorf("one point: %+v", single)
	}
	hasWarning(t, single.Warnings, stats.WarnDegenerate)
	hasWarning(t, must(stats.TheilSen(nil, []float64{1, 2}, 0.95))(t).Warnings, stats.WarnSmallSample)
	var b stats.Bootstrap
	b.Add("u", nan, 1)
	b.Add("u", 3, 1)
	r := must(b.Interval(0.9, stats.BootstrapPercentile))(t)
	if r.N != 1 || r.Estimate.Point != 3 || r.Replicates >= 1000 {
		t.Errorf("one unit: %+v", r)
	}
	hasWarning(t, r.Warnings, stats.WarnExcluded)
	hasWarning(t, r.Warnings, stats.WarnDegenerate)
	thin := stats.RatioMoments{Units: 4, MeanNum: 1, MeanDen: 0.1, VarNum: 1, VarDen: 1}
	hasWarning(t, must(stats.Ratio(thin, 0.95))(t).Warnings, stats.WarnUnstableRatio)
	none := stats.RatioMoments{Units: 4, MeanNum: 0.1, MeanDen: 1, VarNum: 1}
	hasWarning(t, must(stats.RelativeDifference(none, none, stats.TOptions{}))(t).Warnings, stats.WarnUnstableRatio)
	still := stats.RatioMoments{Units: 4, MeanNum: 1, MeanDen: 1}
	hasWarning(t, must(stats.Ratio(still, 0.95))(t).Warnings, stats.WarnDegenerate)
	cluster := must(stats.ClusteredQuantile([][]float64{{1, 1}, {1}, {1}}, 0.9, 0.95))(t)
	hasWarning(t, cluster.Warnings, stats.WarnClipped)
	hasWarning(t, cluster.Warnings, stats.WarnDegenerate)
	if w := must(stats.Wasserstein(stats.Points{Values: []float64{1, 99}, Weights: []float64{1, 0}}, stats.Points{Values: []float64{1}}))(t); w.Value != 0 || w.N != 1 {
		t.Errorf("weight 0: %+v", w)
	}
}

// TestPoissonWeightLaw: the weights have the moments of a Poisson(1) variable,
// over units and over replicates, and units do not move together.
func TestPoissonWeightLaw(t *testing.T) {
	var sum, square, product, n float64
	for u := range 400 {
		unit := "user-" + string(rune('0'+u/100)) + string(rune('0'+u/10%10)) + string(rune('0'+u%10))
		last := 1.0
		for b := range 250 {
			w := float64(stats.PoissonWeight(42, unit, b))
			sum, square, product, n = sum+w, square+(w-1)*(w-1), product+(w-1)*(last-1), n+1
			last = w
		}
	}
	statstest.Near(t, "mean", sum/n, 1, 0, 4/math.Sqrt(n))
	statstest.Near(t, "variance", square/n, 1, 0, 8/math.Sqrt(n))
	statstest.Near(t, "correlation of neighbours", product/n, 0, 0, 4/math.Sqrt(n))
}
