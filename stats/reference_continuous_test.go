package stats_test

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// in reads the inputs of one reference case.
type in struct {
	t *testing.T
	m map[string]json.RawMessage
}

func (i in) has(key string) bool { _, ok := i.m[key]; return ok }

func (i in) num(key string) float64 { return statstest.Float(i.t, i.m, key) }

func (i in) list(key string) []float64 { return statstest.Floats(i.t, i.m, key) }

func (i in) flag(key string) (v bool) { statstest.Decode(i.t, i.m, key, &v); return v }

func (i in) text(key string) (v string) { statstest.Decode(i.t, i.m, key, &v); return v }

func (i in) seed() uint64 {
	v, err := strconv.ParseUint(i.text("seed"), 10, 64)
	if err != nil {
		i.t.Fatal(err)
	}
	return v
}

// sample is the list under key, or its runs, or consecutive numbers.
func (i in) sample(key string) []float64 {
	switch {
	case i.has(key):
		return i.list(key)
	case i.has(key + "_from"):
		out := make([]float64, int(i.num(key+"_n")))
		for k := range out {
			out[k] = i.num(key+"_from") + float64(k)
		}
		return out
	}
	var runs [][2]float64
	statstest.Decode(i.t, i.m, key+"_runs", &runs)
	var out []float64
	for _, r := range runs {
		for range int(r[1]) {
			out = append(out, r[0])
		}
	}
	return out
}

func (i in) alternative(key string) stats.Alternative {
	switch i.text(key) {
	case "less":
		return stats.Less
	case "greater":
		return stats.Greater
	}
	return stats.Different
}

// near compares numbers with the wanted ones of the case, two at a time.
func near(t *testing.T, c statstest.Case, got map[string]float64) {
	t.Helper()
	for key, v := range got {
		statstest.Near(t, key, v, statstest.Float(t, c.Want, key), c.RTol, c.ATol)
	}
}

// eachCase runs check for every reference case of the named function, and
// insists on five of them.
func eachCase(t *testing.T, file, name string, check func(t *testing.T, c statstest.Case, in in)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		cs := statstest.Load(t, file).ByFunc(t, name)
		if len(cs) < 5 {
			t.Errorf("%d reference cases, want at least 5", len(cs))
		}
		for _, c := range cs {
			t.Run(c.Name, func(t *testing.T) { check(t, c, in{t, c.In}) })
		}
	})
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// checkP insists that P and LogP say the same.
func checkP(t *testing.T, p, logp float64) {
	t.Helper()
	statstest.Near(t, "P", p, math.Exp(logp), 1e-12, 0)
	if logp > -690 && p == 0 || math.IsInf(logp, 0) {
		t.Errorf("P = %v with log %v", p, logp)
	}
}

func TestReferenceContinuous(t *testing.T) {
	const file = "stats_continuous"
	eachCase(t, file, "KolmogorovSmirnov", func(t *testing.T, c statstest.Case, in in) {
		r := must(stats.KolmogorovSmirnov(in.sample("x"), in.sample("y"),
			stats.KSOptions{Alternative: in.alternative("alternative"), Asymptotic: in.flag("asymptotic")}))(t)
		near(t, c, map[string]float64{"D": r.D, "logp": r.LogP})
		checkP(t, r.P, r.LogP)
	})
	eachCase(t, file, "KSTail", func(t *testing.T, c statstest.Case, in in) {
		p, logp, err := stats.KSTail(in.num("d"), uint64(in.num("n")), uint64(in.num("m")), in.flag("exact"))
		if err != nil {
			t.Fatal(err)
		}
		near(t, c, map[string]float64{"logp": logp})
		checkP(t, p, logp)
	})
	eachCase(t, file, "KSBinned", func(t *testing.T, c statstest.Case, in in) {
		r := must(stats.KSBinned(statstest.Uints(t, c.In, "ref"), statstest.Uints(t, c.In, "cur")))(t)
		near(t, c, map[string]float64{"D": r.D, "where": r.Where, "missed": r.Missed, "logp": r.LogP})
		checkP(t, r.P, r.LogP)
	})
	for name, test := range map[string]func(x, y stats.Moments, o stats.TOptions) (stats.TResult, error){
		"WelchT": stats.WelchT, "StudentT": stats.StudentT,
	} {
		eachCase(t, file, name, func(t *testing.T, c statstest.Case, in in) {
			x, y := must(stats.MomentsOf(in.sample("x")))(t), must(stats.MomentsOf(in.sample("y")))(t)
			r := must(test(x, y, stats.TOptions{Alternative: in.alternative("alternative"), Null: in.num("null"), Level: in.num("level")}))(t)
			near(t, c, map[string]float64{"diff": r.Difference.Point, "lo": r.Difference.Lo, "hi": r.Difference.Hi,
				"se": r.SE, "t": r.T, "df": r.DF, "logp": r.LogP})
			checkP(t, r.P, r.LogP)
		})
	}
	eachCase(t, file, "MannWhitney", func(t *testing.T, c statstest.Case, in in) {
		r := must(stats.MannWhitney(in.sample("x"), in.sample("y"), stats.MannWhitneyOptions{
			Alternative: in.alternative("alternative"), Level: in.num("level"),
			Asymptotic: in.flag("asymptotic"), NoContinuity: !in.flag("continuity")}))(t)
		near(t, c, map[string]float64{"U": r.U, "theta": r.Superiority.Point, "lo": r.Superiority.Lo, "hi": r.Superiority.Hi, "logp": r.LogP})
		checkP(t, r.P, r.LogP)
	})
	eachCase(t, file, "CramerVonMises", func(t *testing.T, c statstest.Case, in in) {
		r := must(stats.CramerVonMises(in.sample("x"), in.sample("y")))(t)
		near(t, c, map[string]float64{"statistic": r.Statistic, "scaled": r.Scaled, "logp": r.LogP})
		checkP(t, r.P, r.LogP)
	})
	eachCase(t, file, "AndersonDarling", func(t *testing.T, c statstest.Case, in in) {
		r := must(stats.AndersonDarling(in.sample("x"), in.sample("y")))(t)
		near(t, c, map[string]float64{"scaled": r.Scaled, "logp": r.LogP})
		checkP(t, r.P, r.LogP)
	})
	for name, tail := range map[string]func(float64) float64{"logADTail": stats.LogADTail, "logCvMTail": stats.LogCvMTail} {
		eachCase(t, file, name, func(t *testing.T, c statstest.Case, in in) {
			near(t, c, map[string]float64{"logp": tail(in.num("x"))})
		})
	}
	for name, f := range map[string]func(x, y stats.Points) (stats.Distance, error){
		"Wasserstein": stats.Wasserstein, "EnergyDistance": stats.EnergyDistance,
	} {
		eachCase(t, file, name, func(t *testing.T, c statstest.Case, in in) {
			x, y := stats.Points{Values: in.list("x")}, stats.Points{Values: in.list("y")}
			if in.has("wx") {
				x.Weights, y.Weights = in.list("wx"), in.list("wy")
			}
			near(t, c, map[string]float64{"value": must(f(x, y))(t).Value})
		})
	}
	eachCase(t, file, "Quantile", func(t *testing.T, c statstest.Case, in in) {
		x, q := in.sample("x"), in.num("q")
		o := stats.QuantileOptions{Level: in.num("level"), Side: in.alternative("side")}
		r := must(stats.Quantile(x, q, o))(t)
		near(t, c, map[string]float64{"point": r.Estimate.Point, "lo": r.Estimate.Lo, "hi": r.Estimate.Hi,
			"lorank": float64(r.LoRank), "hirank": float64(r.HiRank), "achieved": r.Achieved})
		if o.Side == stats.Different {
			o.Nyblom = true
			r = must(stats.Quantile(x, q, o))(t)
			near(t, c, map[string]float64{"nyblom_lo": r.Estimate.Lo, "nyblom_hi": r.Estimate.Hi})
		}
	})
	eachCase(t, file, "TheilSen", func(t *testing.T, c statstest.Case, in in) {
		r := must(stats.TheilSen(in.list("t"), in.list("v"), in.num("level")))(t)
		near(t, c, map[string]float64{"slope": r.Slope.Point, "intercept": r.Intercept, "lo": r.Slope.Lo, "hi": r.Slope.Hi})
	})
}

func TestReferenceDelta(t *testing.T) {
	const file = "stats_continuous"
	eachCase(t, file, "Ratio", func(t *testing.T, c statstest.Case, in in) {
		m := must(stats.RatioMomentsOf(in.list("num"), in.list("den")))(t)
		r := must(stats.Ratio(m, in.num("level")))(t)
		near(t, c, map[string]float64{"point": r.Estimate.Point, "lo": r.Estimate.Lo, "hi": r.Estimate.Hi, "se": r.SE})
	})
	for name, f := range map[string]func(x, y stats.RatioMoments, o stats.TOptions) (stats.RatioComparison, error){
		"RatioDifference": stats.RatioDifference, "RelativeDifference": stats.RelativeDifference,
	} {
		eachCase(t, file, name, func(t *testing.T, c statstest.Case, in in) {
			x := must(stats.RatioMomentsOf(in.list("xnum"), in.list("xden")))(t)
			y := must(stats.RatioMomentsOf(in.list("ynum"), in.list("yden")))(t)
			r := must(f(x, y, stats.TOptions{Alternative: in.alternative("alternative"), Null: in.num("null"), Level: in.num("level")}))(t)
			near(t, c, map[string]float64{"point": r.Difference.Point, "lo": r.Difference.Lo, "hi": r.Difference.Hi,
				"se": r.SE, "df": r.DF, "logp": r.LogP})
			checkP(t, r.P, r.LogP)
		})
	}
	eachCase(t, file, "ClusteredQuantile", func(t *testing.T, c statstest.Case, in in) {
		var units [][]float64
		statstest.Decode(t, c.In, "units", &units)
		r := must(stats.ClusteredQuantile(units, in.num("q"), in.num("level")))(t)
		near(t, c, map[string]float64{"point": r.Estimate.Point, "lo": r.Estimate.Lo, "hi": r.Estimate.Hi,
			"se": r.SE, "inflate": r.Inflate})
	})
}

func TestReferenceBootstrap(t *testing.T) {
	const file = "stats_continuous"
	eachCase(t, file, "PoissonWeight", func(t *testing.T, c statstest.Case, in in) {
		for b, want := range statstest.Floats(t, c.Want, "weights") {
			if got := stats.PoissonWeight(in.seed(), in.text("unit"), b); got != int(want) {
				t.Errorf("PoissonWeight(%v, %q, %d) = %d, want %v", in.seed(), in.text("unit"), b, got, want)
			}
		}
	})
	fill := func(t *testing.T, in in, key string) *stats.Bootstrap {
		b := must(stats.NewBootstrap(stats.BootstrapOptions{Seed: in.seed(), Replicates: int(in.num("replicates"))}))(t)
		var rows [][]json.RawMessage
		statstest.Decode(t, in.m, key, &rows)
		for _, row := range rows {
			m := map[string]json.RawMessage{"unit": row[0], "num": row[1], "den": row[2]}
			var unit string
			statstest.Decode(t, m, "unit", &unit)
			b.Add(unit, statstest.Float(t, m, "num"), statstest.Float(t, m, "den"))
		}
		return b
	}
	check := func(t *testing.T, c statstest.Case, interval func(m stats.BootstrapMethod) (stats.BootstrapResult, error)) {
		r := must(interval(stats.BootstrapPercentile))(t)
		basic := must(interval(stats.BootstrapBasic))(t)
		near(t, c, map[string]float64{"point": r.Estimate.Point, "se": r.SE, "lo": r.Estimate.Lo, "hi": r.Estimate.Hi,
			"basic_lo": basic.Estimate.Lo, "basic_hi": basic.Estimate.Hi})
	}
	eachCase(t, file, "Bootstrap.Interval", func(t *testing.T, c statstest.Case, in in) {
		x := fill(t, in, "x")
		check(t, c, func(m stats.BootstrapMethod) (stats.BootstrapResult, error) { return x.Interval(in.num("level"), m) })
	})
	eachCase(t, file, "BootstrapDifference", func(t *testing.T, c statstest.Case, in in) {
		x, y := fill(t, in, "x"), fill(t, in, "y")
		check(t, c, func(m stats.BootstrapMethod) (stats.BootstrapResult, error) {
			return stats.BootstrapDifference(x, y, in.num("level"), m)
		})
	})
}
