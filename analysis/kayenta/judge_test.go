package kayenta_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis/kayenta"
	"github.com/rampguard/rampguard/stats"
)

func ptr(v float64) *float64 { return &v }

// one is a config of one metric m in group g, with thresholds 95 and 75.
func one(s kayenta.Canary) kayenta.Config {
	return kayenta.Config{
		Metrics:    []kayenta.Metric{{Name: "m", Groups: []string{"g"}, Analysis: kayenta.Analysis{Canary: s}}},
		Classifier: kayenta.Classifier{ScoreThresholds: kayenta.NewThresholds(95, 75)},
	}
}

func pair(control, experiment []float64) kayenta.Pair {
	return kayenta.Pair{Name: "m", ID: "1", Control: control, Experiment: experiment}
}

// TestLabels holds what the golden cases leave out against the rules.
func TestLabels(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	up, down := around(20, 30), around(10, 30)
	for _, c := range []struct {
		name                string
		control, experiment []float64
		s                   kayenta.Canary
		want                kayenta.Label
		critical            bool
	}{
		{"must have data", up, nil, kayenta.Canary{MustHaveData: true}, kayenta.NoDataFail, false},
		{"must have data, all NaN", up, []float64{nan, nan}, kayenta.Canary{MustHaveData: true}, kayenta.NoDataFail, false},
		{"must have data, critical", up, nil, kayenta.Canary{MustHaveData: true, Critical: true}, kayenta.NoData, true},
		{"must have data, replace", up, nil, kayenta.Canary{MustHaveData: true, NaNStrategy: "replace"}, kayenta.Pass, false},
		{"NaN replaced by 0", up, []float64{nan, nan, nan, nan, nan}, kayenta.Canary{NaNStrategy: "replace"}, kayenta.Low, false},
		{"unknown words are defaults", down, up, kayenta.Canary{Direction: "sideways", NaNStrategy: "zero", Outliers: kayenta.Outliers{Strategy: "drop"}}, kayenta.High, false},
		{"allowed direction", down, up, kayenta.Canary{Direction: "decrease"}, kayenta.Pass, false},
		{"critical by default bounds", down, up, kayenta.Canary{Critical: true}, kayenta.High, true},
		{"within critical bound", down, up, kayenta.Canary{Critical: true, EffectSize: kayenta.EffectSize{CriticalIncrease: ptr(5)}}, kayenta.High, false},
		{"allowed increase", down, up, kayenta.Canary{EffectSize: kayenta.EffectSize{AllowedIncrease: ptr(5)}}, kayenta.Pass, false},
		{"allowed decrease", up, down, kayenta.Canary{EffectSize: kayenta.EffectSize{AllowedDecrease: ptr(0.1)}}, kayenta.Pass, false},
		{"cles, critical bound 0.5", down, up, kayenta.Canary{Critical: true, EffectSize: kayenta.EffectSize{Measure: "cles"}}, kayenta.High, true},
		{"outliers kept", append(around(10, 90), 1e4, 1e4, 1e4), around(10, 90), kayenta.Canary{}, kayenta.Pass, false},
		{"one point each", []float64{1}, []float64{5}, kayenta.Canary{Critical: true}, kayenta.Error, false},
		{"one point against zeros", []float64{5}, []float64{0, 0, 0}, kayenta.Canary{}, kayenta.Error, false},
		{"one point against noise", []float64{5}, []float64{9, 9, 9}, kayenta.Canary{}, kayenta.High, false},
		{"infinite point", down, append(around(10, 30), inf), kayenta.Canary{}, kayenta.Error, false},
		{"overflow", []float64{-1e308, -1.5e308}, []float64{1e308, 1.5e308}, kayenta.Canary{}, kayenta.Error, false},
		{"constant against constant", []float64{3, 3, 3}, []float64{2, 2}, kayenta.Canary{}, kayenta.Low, false},
		{"same constant, other length", []float64{3, 3, 3}, []float64{3, 3}, kayenta.Canary{}, kayenta.Pass, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := kayenta.Classify(c.control, c.experiment, c.s, kayenta.Options{})
			if err != nil || got.Label != c.want || got.Critical != c.critical || got.Reason == "" {
				t.Errorf("%s, critical %t (%s), %v; want %s, critical %t", got.Label, got.Critical, got.Reason, err, c.want, c.critical)
			}
		})
	}
}

func TestOutliersAreDropped(t *testing.T) {
	s := kayenta.Canary{Outliers: kayenta.Outliers{Strategy: "remove"}}
	// 200 points: with fewer the 99th percentile lies at the outlier itself.
	c, err := kayenta.Classify(append(around(10, 200), 1e6), around(10, 200), s, kayenta.Options{})
	if err != nil || c.Label != kayenta.Pass || c.Control.Count != 200 || c.Control.Max != 19 {
		t.Errorf("%+v, %v; want the outlier gone", c, err)
	}
	s.Outliers.Factor = ptr(0)
	if _, err := kayenta.Classify(around(1, 5), around(2, 5), s, kayenta.Options{}); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("factor 0: %v", err)
	}
	s.Outliers.Strategy = "keep"
	if _, err := kayenta.Classify(around(1, 5), around(2, 5), s, kayenta.Options{}); err != nil {
		t.Errorf("factor 0 that is not used: %v", err)
	}
}

func TestScoreRules(t *testing.T) {
	m := func(l kayenta.Label, mod ...func(*kayenta.MetricResult)) kayenta.MetricResult {
		r := kayenta.MetricResult{Name: "m", Classification: l, Groups: []string{"g"}}
		for _, f := range mod {
			f(&r)
		}
		return r
	}
	muted := func(r *kayenta.MetricResult) { r.Muted = true }
	critical := func(r *kayenta.MetricResult) { r.Critical = true }
	groups := func(gs ...string) func(*kayenta.MetricResult) {
		return func(r *kayenta.MetricResult) { r.Groups = gs }
	}
	for _, c := range []struct {
		name    string
		results []kayenta.MetricResult
		weights map[string]float64
		want    float64
		reason  bool
	}{
		{"nothing", nil, nil, 0, false},
		{"every metric in error", []kayenta.MetricResult{m(kayenta.Error), m(kayenta.Error)}, nil, 100, false},
		{"muted critical failure", []kayenta.MetricResult{m(kayenta.High, muted, critical), m(kayenta.Pass)}, nil, 100, false},
		{"required data missing", []kayenta.MetricResult{m(kayenta.NoDataFail), m(kayenta.Pass)}, nil, 50, false},
		{"half without data", []kayenta.MetricResult{m(kayenta.NoData), m(kayenta.Pass)}, nil, 0, true},
		{"a third without data", []kayenta.MetricResult{m(kayenta.NoData), m(kayenta.Pass), m(kayenta.Pass)}, nil, 100, false},
		{"muted ones do not dilute", []kayenta.MetricResult{m(kayenta.NoData), m(kayenta.Pass), m(kayenta.Pass, muted)}, nil, 0, true},
		{"in two groups", []kayenta.MetricResult{m(kayenta.High, groups("a", "b")), m(kayenta.Pass, groups("b"))}, map[string]float64{"a": 40, "b": 60}, 30, false},
		{"in no group", []kayenta.MetricResult{m(kayenta.Pass, groups())}, nil, 0, false},
		{"weighted group absent", []kayenta.MetricResult{m(kayenta.Pass)}, map[string]float64{"g": 60, "h": 40}, 60, false},
		{"rest is shared", []kayenta.MetricResult{m(kayenta.Pass, groups("a")), m(kayenta.High, groups("b")), m(kayenta.Pass, groups("c"))}, map[string]float64{"a": 40}, 70, false},
	} {
		_, got, reason := kayenta.WeightedSum(c.results, c.weights)
		if got != c.want || (reason != "") != c.reason {
			t.Errorf("%s: %v (%s), want %v", c.name, got, reason, c.want)
		}
	}
}

func TestRounding(t *testing.T) {
	for v, want := range map[float64]float64{33.335: 33.34, 1.005: 1.01, -2.675: -2.68, 66.664999: 66.66, 0: 0, 100: 100, 1e300: 1e300} {
		if got := kayenta.RoundHalfUp(v); got != want {
			t.Errorf("%v rounds to %v, want %v", v, got, want)
		}
	}
	if got := kayenta.RoundHalfUp(math.Inf(-1)); !math.IsInf(got, -1) {
		t.Errorf("-Inf rounds to %v", got)
	}
}

func TestResultJSON(t *testing.T) {
	r, err := kayenta.Judge(one(kayenta.Canary{}), []kayenta.Pair{pair(around(0, 3), []float64{0, 0, 0})}, kayenta.Thresholds{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(b, &tree); err != nil {
		t.Fatal(err)
	}
	result := tree["results"].([]any)[0].(map[string]any)
	want := map[string]any{"min": 0.0, "max": 7.0, "mean": 11.0 / 3, "std": math.Sqrt(37.0 / 3), "count": 3.0}
	if d := cmp.Diff(want, result["controlMetadata"].(map[string]any)["stats"]); d != "" {
		t.Error(d)
	}
	if ratio := result["resultMetadata"].(map[string]any)["ratio"]; ratio != "NaN" {
		t.Errorf("ratio %v, want NaN as Jackson writes it", ratio)
	}
	for _, key := range []string{"name", "tags", "id", "classification", "classificationReason", "groups", "experimentMetadata", "critical", "muted"} {
		if _, ok := result[key]; !ok {
			t.Errorf("the result of a metric has no %s", key)
		}
	}
	var back kayenta.Result
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(b) {
		t.Errorf("read and written again:\n%s\n%s", b, again)
	}
}

func TestMisuse(t *testing.T) {
	ok := pair(around(1, 5), around(1, 5))
	th := kayenta.NewThresholds(95, 75)
	bad := func(mod func(*kayenta.Config)) kayenta.Config {
		c := one(kayenta.Canary{})
		mod(&c)
		return c
	}
	for _, c := range []struct {
		name string
		conf kayenta.Config
		pair []kayenta.Pair
		th   kayenta.Thresholds
		want error
	}{
		{"no metrics", kayenta.Config{}, nil, th, stats.ErrEmpty},
		{"unknown metric", one(kayenta.Canary{}), []kayenta.Pair{ok, {Name: "x"}}, th, stats.ErrMismatch},
		{"metric without pair", one(kayenta.Canary{}), nil, th, stats.ErrMismatch},
		{"half of the thresholds", one(kayenta.Canary{}), []kayenta.Pair{ok}, kayenta.Thresholds{Pass: ptr(1)}, stats.ErrDomain},
		{"no thresholds", bad(func(c *kayenta.Config) { c.Classifier = kayenta.Classifier{} }), []kayenta.Pair{ok}, kayenta.Thresholds{}, stats.ErrDomain},
		{"NaN threshold", one(kayenta.Canary{}), []kayenta.Pair{ok}, kayenta.NewThresholds(math.NaN(), 1), stats.ErrDomain},
		{"NaN bound", one(kayenta.Canary{EffectSize: kayenta.EffectSize{AllowedIncrease: ptr(math.NaN())}}), []kayenta.Pair{ok}, th, stats.ErrDomain},
		{"infinite weight", bad(func(c *kayenta.Config) { c.Classifier.GroupWeights = map[string]float64{"g": math.Inf(1)} }), []kayenta.Pair{ok}, th, stats.ErrDomain},
		{"name twice", bad(func(c *kayenta.Config) { c.Metrics = append(c.Metrics, c.Metrics[0]) }), []kayenta.Pair{ok}, th, stats.ErrDomain},
	} {
		if _, err := kayenta.Judge(c.conf, c.pair, c.th); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	for _, o := range []kayenta.Options{{Tolerance: -1}, {Tolerance: math.NaN()}, {Level: 1}, {Rule: 7}} {
		if _, err := kayenta.Classify(nil, nil, kayenta.Canary{}, o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, d := range []kayenta.Detector{{Method: 9}, {Factor: -1}, {Factor: math.NaN()}} {
		if _, err := d.Detect([]float64{1}); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: %v", d, err)
		}
	}
	if _, err := kayenta.PairOne(kayenta.Series{Name: "m", End: math.MaxInt64, Step: 1}, kayenta.Series{Name: "m"}); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("endless series: %v", err)
	}
	for _, s := range []kayenta.Schedule{{}, {Lifetime: time.Second}, {Lifetime: time.Hour, Interval: -1}, {Lifetime: 1 << 62, Interval: time.Minute}} {
		if _, err := s.Windows(); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestConfigRoundTrip(t *testing.T) {
	c, err := kayenta.ParseConfig([]byte(exampleConfig))
	if err != nil || c.Warnings != nil {
		t.Fatal(c.Warnings, err)
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	for _, v := range []struct {
		b []byte
		v *any
	}{{b, &got}, {[]byte(exampleConfig), &want}} {
		if err := json.Unmarshal(v.b, v.v); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("written again, the config differs:\n%s", d)
	}
}

func TestParseConfigSays(t *testing.T) {
	metric := func(canary string) string {
		return `{"judge": {"name": "NetflixACAJudge-v1.0"}, "metrics": [{"name": "m", "groups": ["g"], "analysisConfigurations": {"canary": {` + canary +
			`}}}], "classifier": {"groupWeights": {"g": 100}, "scoreThresholds": {"pass": 95, "marginal": 75}}}`
	}
	for in, want := range map[string]string{
		metric(`"critical": null`):                                                  "critical is null",
		metric(`"criticalIncrease": 2`):                                             "metrics[0].analysisConfigurations.canary.criticalIncrease is no field",
		metric(`"effectSize": {"criticalIncrease": 2}`):                             "not critical",
		metric(`"effectSize": {"measure": "CLES"}`):                                 `"CLES" is unknown and means meanRatio`,
		metric(`"mustHaveData": true, "critical": true`):                            "no effect on a critical metric",
		metric(`"mustHaveData": true, "nanStrategy": "replace"`):                    "no data at all is a Pass",
		metric(`"outliers": {"outlierFactor": 2}`):                                  "outliers are kept",
		strings.Replace(metric(``), `["g"]`, `[]`, 1):                               "in no group",
		strings.Replace(metric(``), `"g": 100`, `"h": 100`, 1):                      "group h has a weight and no metric",
		strings.Replace(metric(``), `"g": 100`, `"h": 100.0`, 1):                    "nothing is left",
		strings.Replace(metric(``), `NetflixACAJudge`, `Old`, 1):                    `"Old-v1.0"`,
		strings.Replace(metric(``), `"name": "m"`, `"name":0`, 1):                   "line 1: metrics.name",
		metric(`"critical": "true"`):                                                "holds a string where a bool belongs",
		metric(`"Direction": "increase"`):                                           "this field is written direction",
		metric(`"outliers": {"strategy": "remove", "outlierFactor": -1}`):           "metric m: outlier method 0",
		metric(`"effectSize": {"allowedIncrease": 1e999}`):                          "allowedIncrease",
		"{\n\n\"metrics\": [}":                                                      "line 3",
		`{"metrics": []}`:                                                           "no metrics",
		``:                                                                          "line 1",
		`{"metrics": [{"name": "m"}], "classifier": {"groupWeights": {"g": null}}}`: "classifier.groupWeights.g is null",
	} {
		c, err := kayenta.ParseConfig([]byte(in))
		all := strings.Join(c.Warnings, "\n")
		if err != nil {
			all = err.Error()
		}
		if !strings.Contains(all, want) {
			t.Errorf("%s\nsays %q, want %q", in, all, want)
		}
	}
}
