package kayenta_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/mathext"

	"github.com/rampguard/rampguard/analysis/kayenta"
)

// num is a number of the golden file, where NaN is a string.
type num float64

func (n *num) UnmarshalJSON(b []byte) error {
	if string(b) == `"NaN"` {
		*n = num(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

func floats(in []num) []float64 {
	out := []float64{}
	for _, v := range in {
		out = append(out, float64(v))
	}
	return out
}

type near struct {
	P         float64 `json:"p"`
	Value     num     `json:"value"`
	Tolerance float64 `json:"tolerance"`
}

func (n near) check(t *testing.T, what string, got float64) {
	t.Helper()
	if math.IsNaN(float64(n.Value)) != math.IsNaN(got) || math.Abs(got-float64(n.Value)) > n.Tolerance {
		t.Errorf("%s is %v, want %v within %v", what, got, n.Value, n.Tolerance)
	}
}

type series struct {
	Name    string            `json:"name"`
	Tags    map[string]string `json:"tags"`
	Values  []num             `json:"values"`
	Start   int64             `json:"startTimeMillis"`
	End     int64             `json:"endTimeMillis"`
	Step    int64             `json:"stepMillis"`
	Control []num             `json:"control"`
	Canary  []num             `json:"experiment"`
}

// golden is one case of kayenta_cases.json; what each field holds depends on the
// kind, so that all but the params are read by the kind's function.
type golden struct {
	ID, Kind, Op, MetricName string
	Control, Experiment      json.RawMessage
	Values, X, Y             []num
	P                        float64
	MetricNames              []string
	GroupWeights             map[string]float64
	Metrics                  []struct {
		Name           string
		Classification kayenta.Label
		Groups         []string
		Critical       bool
	}
	Params struct {
		Tolerance, ConfLevel                                                 float64
		EffectSizeMeasure, Direction, NanStrategy                            string
		AllowedDecrease, AllowedIncrease, CriticalDecrease, CriticalIncrease *float64
		Critical, MustHaveData                                               bool
		K, Factor                                                            float64
		Value                                                                float64
		ReduceSensitivity                                                    bool
		FinalScore                                                           float64
		Marginal, Pass                                                       *float64
		IntervalMins, Judgements, Judgement, BeginAfterMins, LookbackMins    int
		ControlOffsetInMinutes                                               int
		StartAndEndGiven                                                     bool
		StartTimeISO                                                         string
	}
	Expect json.RawMessage
}

func read[T any](t *testing.T, b []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func (g golden) sides(t *testing.T) (control, experiment []float64) {
	return floats(read[[]num](t, g.Control)), floats(read[[]num](t, g.Experiment))
}

func (g golden) series(t *testing.T) (control, experiment []kayenta.Series) {
	for i, raw := range []json.RawMessage{g.Control, g.Experiment} {
		for _, s := range read[[]series](t, raw) {
			v := kayenta.Series{Name: s.Name, Tags: s.Tags, Values: floats(s.Values), Start: s.Start, End: s.End, Step: s.Step}
			if i == 0 {
				control = append(control, v)
			} else {
				experiment = append(experiment, v)
			}
		}
	}
	return control, experiment
}

func (g golden) canary() kayenta.Canary {
	p := g.Params
	return kayenta.Canary{
		Direction: p.Direction, NaNStrategy: p.NanStrategy, Critical: p.Critical, MustHaveData: p.MustHaveData,
		EffectSize: kayenta.EffectSize{
			Measure: p.EffectSizeMeasure, AllowedIncrease: p.AllowedIncrease, AllowedDecrease: p.AllowedDecrease,
			CriticalIncrease: p.CriticalIncrease, CriticalDecrease: p.CriticalDecrease,
		},
	}
}

func (g golden) detector() kayenta.Detector {
	switch {
	case g.Params.K > 0:
		return kayenta.Detector{Method: kayenta.KSigma, Factor: g.Params.K}
	case g.Params.ReduceSensitivity:
		return kayenta.Detector{Factor: g.Params.Factor}
	}
	return kayenta.Detector{Method: kayenta.IQR, Factor: g.Params.Factor}
}

func classifyCase(rule kayenta.Rule) func(t *testing.T, g golden) {
	return func(t *testing.T, g golden) {
		want := read[struct {
			Classification                   kayenta.Label
			Critical                         *bool
			ReasonNonEmpty                   bool
			Deviation, EffectSize            *num
			CILow, CIHigh, Estimate          *near
			LowerBound, UpperBound           *num
			CILowerBound, CIUpperBound, Note json.RawMessage
		}](t, g.Expect)
		control, experiment := g.sides(t)
		got, err := kayenta.Classify(control, experiment, g.canary(), kayenta.Options{Tolerance: g.Params.Tolerance, Level: g.Params.ConfLevel, Rule: rule})
		if err != nil {
			t.Fatal(err)
		}
		if want.Classification != "" && got.Label != want.Classification {
			t.Errorf("label %s, want %s: %s", got.Label, want.Classification, got.Reason)
		}
		if want.Critical != nil && got.Critical != *want.Critical {
			t.Errorf("critical %t, want %t", got.Critical, *want.Critical)
		}
		if got.Reason == "" {
			t.Error("no reason")
		}
		c := got.Comparison
		for _, v := range []struct {
			name string
			want *num
			got  float64
		}{
			{"deviation", want.Deviation, float64(c.Ratio)}, {"effect size", want.EffectSize, float64(c.Effect)},
			{"lower bound", want.LowerBound, -float64(c.Bound)}, {"upper bound", want.UpperBound, float64(c.Bound)},
		} {
			if v.want != nil {
				near{Value: *v.want}.check(t, v.name, v.got)
			}
		}
		for _, v := range []struct {
			name string
			want *near
			got  float64
		}{{"low end", want.CILow, c.Shift.Lo}, {"high end", want.CIHigh, c.Shift.Hi}, {"estimate", want.Estimate, c.Shift.Point}} {
			if v.want != nil {
				v.want.check(t, v.name, v.got)
			}
		}
	}
}

func detectCase(t *testing.T, g golden) {
	want := read[struct{ IsOutlier []bool }](t, g.Expect)
	got, err := g.detector().Detect(floats(g.Values))
	if d := cmp.Diff(want.IsOutlier, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

func windows(t *testing.T, g golden) (time.Time, []kayenta.Window) {
	p := g.Params
	t0 := time.Date(2018, 12, 17, 20, 56, 39, 689e6, time.UTC)
	n := max(p.Judgements, p.Judgement)
	s := kayenta.Schedule{
		Start: t0, Lifetime: time.Duration(n*p.IntervalMins) * time.Minute, Interval: time.Duration(p.IntervalMins) * time.Minute,
		Warmup: time.Duration(p.BeginAfterMins) * time.Minute, Lookback: time.Duration(p.LookbackMins) * time.Minute,
		ControlOffset: time.Duration(p.ControlOffsetInMinutes) * time.Minute,
	}
	if p.StartAndEndGiven {
		s.End, s.Lifetime = t0.Add(s.Lifetime), 0
	}
	w, err := s.Windows()
	if err != nil {
		t.Fatal(err)
	}
	return t0, w
}

// kinds answers the golden cases, each kind with its function.
var kinds = map[string]func(t *testing.T, g golden){
	"mann_whitney_classify": func(t *testing.T, g golden) { classifyCase(kayenta.RankTest)(t, g) },

	"mean_inequality_classify": func(t *testing.T, g golden) { classifyCase(kayenta.MeanInequality)(t, g) },
	"normal_quantile": func(t *testing.T, g golden) {
		read[near](t, read[struct{ Value json.RawMessage }](t, []byte(`{"value":`+string(g.Expect)+`}`)).Value).check(t, "quantile", mathext.NormalQuantile(g.P))
	},
	"summary_stats": func(t *testing.T, g golden) {
		want := read[struct {
			Min, Max, Mean, Std, Tolerance float64
			Count                          int
		}](t, g.Expect)
		got := kayenta.Describe(floats(g.Values))
		for i, pair := range [][2]float64{{want.Min, float64(got.Min)}, {want.Max, float64(got.Max)}, {want.Mean, float64(got.Mean)}, {want.Std, float64(got.Std)}, {float64(want.Count), float64(got.Count)}} {
			near{Value: num(pair[0]), Tolerance: want.Tolerance}.check(t, []string{"min", "max", "mean", "std", "count"}[i], pair[1])
		}
	},
	"percentile_r7": func(t *testing.T, g golden) {
		sorted := slices.Sorted(slices.Values(floats(g.Values)))
		for _, w := range read[[]near](t, g.Expect) {
			w.check(t, "percentile", kayenta.Percentile(sorted, w.P))
		}
	},
	"mean_ratio": func(t *testing.T, g golden) {
		control, experiment := g.sides(t)
		read[near](t, g.Expect).check(t, "ratio", kayenta.MeanRatio(control, experiment))
	},
	"cles": func(t *testing.T, g golden) {
		control, experiment := g.sides(t)
		got, err := kayenta.CLES(control, experiment)
		if err != nil {
			t.Fatal(err)
		}
		read[near](t, g.Expect).check(t, "cles", got)
	},
	"outlier_ksigma": func(t *testing.T, g golden) { detectCase(t, g) },

	"outlier_iqr": func(t *testing.T, g golden) { detectCase(t, g) },
	"transform": func(t *testing.T, g golden) {
		in, want := floats(g.Values), floats(read[struct{ Values []num }](t, g.Expect).Values)
		var got []float64
		var err error
		switch g.Op {
		case "remove_nan":
			got, err = kayenta.Canary{NaNStrategy: "remove"}.Clean(in)
		case "replace_nan":
			got, err = kayenta.Canary{NaNStrategy: "replace"}.Clean(in)
		default:
			got, err = g.detector().Remove(in)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateNaNs()); d != "" || err != nil {
			t.Error(d, err)
		}
	},
	"weighted_sum_score": func(t *testing.T, g golden) {
		var in []kayenta.MetricResult
		for _, m := range g.Metrics {
			in = append(in, kayenta.MetricResult{Name: m.Name, Classification: m.Classification, Groups: m.Groups, Critical: m.Critical})
		}
		want := read[struct {
			SummaryScore      float64
			GroupScoresSorted []float64
		}](t, g.Expect)
		groups, score, _ := kayenta.WeightedSum(in, g.GroupWeights)
		if score != want.SummaryScore {
			t.Errorf("score %v, want %v", score, want.SummaryScore)
		}
		var scores []float64
		for _, s := range groups {
			scores = append(scores, s.Score)
		}
		if slices.Sort(scores); want.GroupScoresSorted != nil && !slices.Equal(scores, want.GroupScoresSorted) {
			t.Errorf("group scores %v, want %v", scores, want.GroupScoresSorted)
		}
	},
	"final_judgement": func(t *testing.T, g golden) {
		th := kayenta.Thresholds{Pass: g.Params.Pass, Marginal: g.Params.Marginal}
		want := read[struct{ DidPassThresholds bool }](t, g.Expect).DidPassThresholds
		if got := th.Run([]float64{g.Params.FinalScore}); got.Passed != want || got.Judged != 1 {
			t.Errorf("%+v, want passed %t", got, want)
		}
	},
	"pair_metric_sets": func(t *testing.T, g golden) {
		control, experiment := g.series(t)
		got, err := kayenta.PairSets(g.MetricNames, control, experiment)
		if err != nil {
			t.Fatal(err)
		}
		var want []kayenta.Pair
		for _, p := range read[struct{ Pairs []series }](t, g.Expect).Pairs {
			want = append(want, kayenta.Pair{Name: p.Name, Tags: p.Tags, Control: floats(p.Control), Experiment: floats(p.Canary)})
		}
		if d := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(kayenta.Pair{}, "ID")); d != "" {
			t.Error(d)
		}
	},
	"pair_metric_sets_error": func(t *testing.T, g golden) {
		control, experiment := g.series(t)
		var err error
		if g.Op == "mixOne" {
			_, err = kayenta.PairOne(control[0], experiment[0])
		} else {
			_, err = kayenta.PairSets(g.MetricNames, control, experiment)
		}
		if want := read[struct{ ErrorContains string }](t, g.Expect).ErrorContains; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	},
	"judgement_windows": func(t *testing.T, g golden) {
		t0, ws := windows(t, g)
		var got [][2]int
		for _, w := range ws {
			got = append(got, [2]int{int(w.ExperimentStart.Sub(t0).Minutes()), int(w.ExperimentEnd.Sub(t0).Minutes())})
		}
		if d := cmp.Diff(read[struct{ WindowsMinutesFromT0 [][2]int }](t, g.Expect).WindowsMinutesFromT0, got); d != "" {
			t.Error(d)
		}
	},
	"judgement_windows_absolute": func(t *testing.T, g golden) {
		want := read[struct{ ExperimentStartISO, ControlStartISO time.Time }](t, g.Expect)
		_, ws := windows(t, g)
		if w := ws[g.Params.Judgement-1]; !w.ExperimentStart.Equal(want.ExperimentStartISO) || !w.ControlStart.Equal(want.ControlStartISO) {
			t.Errorf("%+v, want %+v", w, want)
		}
	},
}

// elsewhere are the kinds that package stats answers, and the one that nothing
// of the judge needs.
var elsewhere = []string{"mann_whitney_ci", "mann_whitney_intermediates", "wilcoxon_diff", "cohen_d"}

func TestGoldenCases(t *testing.T) {
	b, err := os.ReadFile("../../testdata/cases/kayenta_cases.json")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range read[struct{ Cases []golden }](t, b).Cases {
		check, ok := kinds[g.Kind]
		if !ok && slices.Contains(elsewhere, g.Kind) {
			continue
		}
		n++
		t.Run(g.ID, func(t *testing.T) {
			if !ok {
				t.Fatalf("kind %s is not answered", g.Kind)
			}
			check(t, g)
		})
	}
	if n != 107 {
		t.Errorf("%d cases answered, want 107", n)
	}
}
