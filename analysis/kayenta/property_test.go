package kayenta_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/kayenta"
)

// points draws a series that may hold anything.
func points(t *rapid.T, name string) []float64 {
	value := rapid.OneOf(rapid.Float64Range(-1000, 1000), rapid.Float64(),
		rapid.SampledFrom([]float64{0, 1, 1, 5, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 5e-324}))
	if rapid.Bool().Draw(t, name+" constant") {
		return slices.Repeat([]float64{value.Draw(t, name)}, rapid.IntRange(0, 5).Draw(t, name+" n"))
	}
	return rapid.SliceOfN(value, 0, 25).Draw(t, name)
}

// tame draws whole numbers, of which no mean depends on the order.
func tame(t *rapid.T, name string) []float64 {
	return rapid.Map(rapid.SliceOfN(rapid.IntRange(-20, 40), 1, 30), func(in []int) []float64 {
		out := make([]float64, len(in))
		for i, v := range in {
			out[i] = float64(v)
		}
		return out
	}).Draw(t, name)
}

func canary(t *rapid.T) kayenta.Canary {
	bound := rapid.Ptr(rapid.Float64Range(0, 3), true)
	return kayenta.Canary{
		Direction:   rapid.SampledFrom([]string{"", "increase", "decrease", "either"}).Draw(t, "direction"),
		NaNStrategy: rapid.SampledFrom([]string{"", "remove", "replace"}).Draw(t, "NaN"),
		Critical:    rapid.Bool().Draw(t, "critical"), MustHaveData: rapid.Bool().Draw(t, "must"), Muted: rapid.Bool().Draw(t, "muted"),
		EffectSize: kayenta.EffectSize{
			Measure:         rapid.SampledFrom([]string{"", "cles", "meanRatio"}).Draw(t, "measure"),
			AllowedIncrease: bound.Draw(t, "ai"), AllowedDecrease: bound.Draw(t, "ad"), CriticalIncrease: bound.Draw(t, "ci"), CriticalDecrease: bound.Draw(t, "cd"),
		},
		Outliers: kayenta.Outliers{Strategy: rapid.SampledFrom([]string{"", "keep", "remove"}).Draw(t, "outliers"), Factor: rapid.Ptr(rapid.Float64Range(0.1, 5), true).Draw(t, "factor")},
	}
}

// Whatever the data, there is a judgement, it can be written, it is the same
// each time, and it continues only on evidence.
func TestAnyDataIsJudged(t *testing.T) {
	labels := []kayenta.Label{kayenta.Pass, kayenta.High, kayenta.Low, kayenta.NoData, kayenta.NoDataFail, kayenta.Error}
	rapid.Check(t, func(t *rapid.T) {
		c, p := one(canary(t)), pair(points(t, "control"), points(t, "experiment"))
		r, err := kayenta.Judge(c, []kayenta.Pair{p}, kayenta.Thresholds{})
		if err != nil {
			t.Fatal(err)
		}
		m := r.Results[0]
		if !slices.Contains(labels, m.Classification) || m.ClassificationReason == "" {
			t.Fatalf("%q: %q", m.Classification, m.ClassificationReason)
		}
		if m.Critical && (m.Classification == kayenta.Pass || m.Classification == kayenta.Error || m.Classification == kayenta.NoDataFail) {
			t.Fatalf("%s is critical", m.Classification)
		}
		if s := r.Score.Score; !(s >= 0 && s <= 100) {
			t.Fatalf("score %v", s)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
		again, err := kayenta.Judge(c, []kayenta.Pair{p}, kayenta.Thresholds{})
		if b1, b2 := mustJSON(t, r), mustJSON(t, again); err != nil || b1 != b2 {
			t.Fatalf("%s\n%s", b1, b2)
		}
		a := kayenta.Verdict(r)
		finite := m.Classification == kayenta.Pass && m.ControlMetadata.Stats.Count > 0 && m.ExperimentMetadata.Stats.Count > 0 && !m.Muted
		if a.Decision == analysis.Continue && !finite {
			t.Fatalf("continues on %+v", m)
		}
		if harm := m.Classification == kayenta.High || m.Classification == kayenta.Low; a.Decision == analysis.Rollback && !harm {
			t.Fatalf("rolls back on %+v", m)
		}
		mustJSON(t, a)
	})
}

func mustJSON(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOrderOfPointsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, x, y := canary(t), tame(t, "control"), tame(t, "experiment")
		want, err := kayenta.Classify(x, y, s, kayenta.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := kayenta.Classify(rapid.Permutation(x).Draw(t, "x"), rapid.Permutation(y).Draw(t, "y"), s, kayenta.Options{})
		if err != nil || got.Label != want.Label || got.Critical != want.Critical || got.Comparison.Shift != want.Comparison.Shift {
			t.Fatalf("%+v\n%+v %v", want, got, err)
		}
	})
}

// NaN that are removed change nothing; NaN that are replaced are zeros.
func TestNaNStrategies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, x, y := canary(t), tame(t, "control"), tame(t, "experiment")
		at := rapid.IntRange(0, len(y)).Draw(t, "at")
		filler := []float64{}
		if s.NaNStrategy == "replace" {
			filler = []float64{0}
		}
		got, err := kayenta.Classify(x, slices.Insert(slices.Clone(y), at, math.NaN()), s, kayenta.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want, err := kayenta.Classify(x, slices.Insert(slices.Clone(y), at, filler...), s, kayenta.Options{})
		if err != nil || mustJSON(t, got) != mustJSON(t, want) {
			t.Fatalf("%+v\n%+v %v", got, want, err)
		}
	})
}

func TestInputsAreNotChanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, x, y := canary(t), tame(t, "control"), tame(t, "experiment")
		x0, y0 := slices.Clone(x), slices.Clone(y)
		if _, err := kayenta.Classify(x, y, s, kayenta.Options{}); err != nil || !slices.Equal(x, x0) || !slices.Equal(y, y0) {
			t.Fatal(x, y, err)
		}
	})
}

// Exchanging the sides mirrors the interval, to the accuracy of its ends. It need
// not mirror the label: where the test statistic is 0 over a stretch, the estimate
// is one end of it, and the tolerance follows.
func TestSidesMirror(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := tame(t, "control"), tame(t, "experiment")
		a, err := kayenta.Classify(x, y, kayenta.Canary{}, kayenta.Options{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := kayenta.Classify(y, x, kayenta.Canary{}, kayenta.Options{})
		if err != nil {
			t.Fatal(err)
		}
		v, w := a.Comparison.Shift, b.Comparison.Shift
		if math.Abs(v.Lo+w.Hi) > 1e-3 || math.Abs(v.Hi+w.Lo) > 1e-3 {
			t.Fatalf("%v and %v", v, w)
		}
	})
}

// What the manual says of the judge's errors, measured.
func TestWeaknessesAreAsDescribed(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	series := func(n int, rho, level float64) []float64 {
		x, e := make([]float64, n), rng.NormFloat64()
		for i := range x {
			e = rho*e + math.Sqrt(1-rho*rho)*rng.NormFloat64()
			x[i] = level * (1 + 0.1*e)
		}
		return x
	}
	const runs = 300
	high := func(n int, rho, level float64, looks int) float64 {
		hits := 0
		for range runs {
			x, y := series(n, rho, 100), series(n, rho, level)
			for k := 1; k <= looks; k++ {
				c, err := kayenta.Classify(x[:n*k/looks], y[:n*k/looks], kayenta.Canary{Direction: "increase"}, kayenta.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if c.Label == kayenta.High {
					hits++
					break
				}
			}
		}
		return float64(hits) / runs
	}
	for _, c := range []struct {
		name       string
		rate       float64
		least, max float64
	}{
		{"independent points, no change", high(60, 0, 100, 1), 0, 0.02},
		{"independent points, 5% worse, 50 points", high(50, 0, 105, 1), 0.15, 0.32},
		{"autocorrelation 0.8, no change", high(60, 0.8, 100, 1), 0.08, 0.21},
		{"autocorrelation 0.8, no change, 12 looks", high(120, 0.8, 100, 12), 0.26, 0.45},
	} {
		t.Logf("%s: called High in %.1f%% of runs", c.name, 100*c.rate)
		if c.rate < c.least || c.rate > c.max {
			t.Errorf("%s: called High in %.1f%% of runs, the manual says otherwise", c.name, 100*c.rate)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(exampleConfig), []byte(`[{"name": "latency", "values": {"control": [1, "NaN", 3], "experiment": [2]}}]`))
	f.Add([]byte(`{"metrics": [{"name": "latency", "groups": ["g"], "analysisConfigurations": {"canary": {"outliers": {"strategy": "remove"}}}}], "classifier": {"scoreThresholds": {"pass": 1, "marginal": 0}}}`),
		[]byte(`[{"name": "latency", "values": {"control": [1e308, "Infinity"], "experiment": [-1e308, 5e-324]}}]`))
	f.Fuzz(func(t *testing.T, config, pairs []byte) {
		c, err := kayenta.ParseConfig(config)
		if err != nil {
			if !reflect.DeepEqual(c, kayenta.Config{}) {
				t.Errorf("a config came with the error %v", err)
			}
			return
		}
		if _, err := json.Marshal(c); err != nil {
			t.Errorf("the config cannot be written: %v", err)
		}
		var ps []kayenta.Pair
		if json.Unmarshal(pairs, &ps) != nil || len(ps) == 0 {
			ps = []kayenta.Pair{pair(around(1, 9), around(2, 9))}
		}
		for _, m := range c.Metrics { // each metric is given each pair, so that some are judged
			for i := range ps {
				ps[i].Name = m.Name
			}
			one := c
			one.Metrics = []kayenta.Metric{m}
			r, err := kayenta.Judge(one, ps, kayenta.NewThresholds(95, 75))
			if err != nil {
				t.Fatalf("a config that parses must judge: %v", err)
			}
			if a := kayenta.Verdict(r); a.Reason.Text == "" {
				t.Error("a verdict without a reason")
			}
			if _, err := json.Marshal(r); err != nil {
				t.Errorf("the result cannot be written: %v", err)
			}
		}
	})
}
