package checks_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

var byOrigin = []analysis.SliceColumn{{Name: "origin"}}

// where returns the findings of one slice.
func where(fs []analysis.Finding, key string) []analysis.Finding {
	var out []analysis.Finding
	for _, f := range fs {
		if f.Slice.String() == key {
			out = append(out, f)
		}
	}
	return out
}

// one returns the finding of a slice about its margin, or about what it lacks.
func one(t testing.TB, fs []analysis.Finding, key string) analysis.Finding {
	t.Helper()
	for _, f := range where(fs, key) {
		if f.Code != "label_coverage" {
			return f
		}
	}
	t.Fatalf("no finding where %s", key)
	return analysis.Finding{}
}

// errorLog has rows of origins with a share of errors each.
func errorLog(seed uint64, rows map[string]int, rate func(origin string) float64) table {
	r := random(seed)
	var origin []string
	var bad []bool
	for _, o := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		for range rows[o] {
			origin, bad = append(origin, o), append(bad, r.Float64() < rate(o))
		}
	}
	return table{"origin": origin, "error": bad}
}

func even(n int) map[string]int {
	out := map[string]int{}
	for _, o := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		out[o] = n
	}
	return out
}

var errorRate = checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: stats.LowerIsBetter, Margin: points(0.01)}

// TestSlicesFindsPlantedHarm: a tenth of the rows is harmed, which whole arms hide.
func TestSlicesFindsPlantedHarm(t *testing.T) {
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous} {
		base := errorLog(1, even(4000), func(string) float64 { return 0.05 })
		cand := errorLog(2, even(4000), func(o string) float64 {
			if o == "d" {
				return 0.11
			}
			return 0.05
		})
		whole := run(t, policy(looks, errorRate), base, cand)
		if f := only(t, whole, "margin"); f.Outcome == analysis.Harm {
			t.Errorf("%v: the whole shows it: %s", looks, f.Message)
		}
		fs := run(t, policy(looks, checks.Slices{Guardrail: errorRate, Of: byOrigin}), base, cand)
		is(t, one(t, fs, "origin=d"), analysis.Harm)
		lead := only(t, fs, "worst_slice")
		is(t, lead, analysis.Harm)
		if !strings.HasPrefix(lead.Message, "Worst of 10 slices of origin: Where origin=d: rate of error went from") {
			t.Errorf("%v: the leading finding is %q", looks, lead.Message)
		}
		for _, f := range fs {
			if f.Outcome == analysis.Harm && f.Slice["origin"] != "d" && f.Code != "worst_slice" {
				t.Errorf("%v: %s", looks, f.Message)
			}
		}
	}
}

// TestSlicesOfOneErrorBudget: what the slices of a cross may spend adds up to no
// more than the share of the check, in whatever way they are known.
func TestSlicesOfOneErrorBudget(t *testing.T) {
	base, cand := errorLog(1, even(600), func(string) float64 { return 0.05 }), errorLog(2, even(600), func(string) float64 { return 0.05 })
	named := checks.Slices{Guardrail: errorRate, Of: byOrigin, Values: [][]string{{"a"}, {"b"}, {"z"}}}
	all := checks.Slices{Guardrail: errorRate, Of: byOrigin}
	for _, tt := range []struct {
		looks analysis.LooksKind
		check checks.Slices
		want  float64
	}{
		{analysis.Once, all, 0.05 / 10},
		{analysis.Scheduled, all, 0.05 / 10},
		{analysis.Continuous, all, 0.05 * (0.5/110 + 0.5/64)},
		{analysis.Once, named, 0.05 / 3},
		{analysis.Continuous, named, 0.05 / 3},
	} {
		fs := run(t, policy(tt.looks, tt.check), base, cand)
		if f := one(t, fs, "origin=a"); math.Abs(f.Alpha-tt.want) > 1e-12 {
			t.Errorf("%v: slice a spends %v, want %v", tt.looks, f.Alpha, tt.want)
		}
		if f := only(t, fs, "worst_slice"); f.Alpha != 0 {
			t.Errorf("the leading finding spends %v twice", f.Alpha)
		}
	}
	// Two crosses halve it.
	p := policy(analysis.Once, checks.Slices{Guardrail: errorRate})
	p.Slices = []analysis.SliceSpec{{Columns: []analysis.SliceColumn{{Name: "origin"}}}, {Columns: []analysis.SliceColumn{{Name: "error"}}}}
	if f := one(t, run(t, p, base, cand), "origin=a"); math.Abs(f.Alpha-0.05/20) > 1e-12 {
		t.Errorf("slice a of the first of two crosses spends %v", f.Alpha)
	}
}

// TestSlicesHolm: proven harm leaves its share to the others.
func TestSlicesHolm(t *testing.T) {
	base := errorLog(1, even(1000), func(string) float64 { return 0.05 })
	cand := errorLog(2, even(1000), func(o string) float64 {
		if o <= "h" {
			return 0.4
		}
		return 0.05
	})
	fs := run(t, policy(analysis.Once, checks.Slices{Guardrail: errorRate, Of: byOrigin}), base, cand)
	is(t, one(t, fs, "origin=a"), analysis.Harm)
	if f := one(t, fs, "origin=i"); f.Alpha != 0.05/2 {
		t.Errorf("the ninth of ten slices, after eight harmed ones, spends %v", f.Alpha)
	}
}

// TestSlicesThatAreSmallOrMissing: each lack has its own outcome, and none passes.
func TestSlicesThatAreSmallOrMissing(t *testing.T) {
	flat := func(string) float64 { return 0.05 }
	with := func(seed uint64, o string, n int) table {
		rows := even(5000)
		rows[o] = n
		return errorLog(seed, rows, flat)
	}
	full := with(1, "a", 5000)
	all := checks.Slices{Guardrail: errorRate, Of: byOrigin}
	wait, listed := all, all
	wait.Wait = true
	listed.Values = [][]string{{"a"}, {"b"}, {"nowhere"}}
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
		// One row in either arm: listed, not waited for, unless that is asked for.
		fs := run(t, policy(looks, all), with(1, "a", 1), with(2, "a", 1))
		lead := only(t, fs, "worst_slice")
		if len(where(fs, "origin=a")) != 0 || !has(lead, checks.WarnSmallSlices) || lead.Outcome == analysis.Insufficient {
			t.Errorf("%v: a slice of one row: %+v", looks, lead)
		}
		is(t, one(t, run(t, policy(looks, wait), with(1, "a", 1), with(2, "a", 1)), "origin=a"), analysis.Insufficient)
		// A candidate that loses its rows does not make a slice small.
		is(t, one(t, run(t, policy(looks, all), full, with(2, "a", 3)), "origin=a"), analysis.Insufficient)
		f := one(t, run(t, policy(looks, all), full, with(2, "a", 0)), "origin=a")
		if is(t, f, analysis.NoData); f.Code != "slice_missing" {
			t.Errorf("%v: a slice that the candidate lost: %s", looks, f.Code)
		}
		is(t, one(t, run(t, policy(looks, all), with(1, "a", 0), full), "origin=a"), analysis.NoData)
		// A value that is listed is waited for, also when nobody has it.
		fs = run(t, policy(looks, listed), full, full)
		if f := one(t, fs, "origin=nowhere"); f.Outcome != analysis.NoData || f.Code != "slice_missing" {
			t.Errorf("%v: a listed slice without rows: %v %s", looks, f.Outcome, f.Code)
		}
		is(t, only(t, fs, "worst_slice"), analysis.NoData)
		is(t, one(t, run(t, policy(looks, listed), with(1, "a", 20), with(2, "a", 20)), "origin=a"), analysis.Insufficient)
		// Nothing large enough: nothing was judged.
		few := errorLog(3, even(20), flat)
		is(t, only(t, run(t, policy(looks, all), few, few), "slices_small"), analysis.Insufficient)
		// Harm is harm, however small the slice.
		bad := with(2, "a", 100)
		for i, o := range bad["origin"].([]string) {
			bad["error"].([]bool)[i] = bad["error"].([]bool)[i] || o == "a"
		}
		is(t, one(t, run(t, policy(looks, all), with(1, "a", 100), bad), "origin=a"), analysis.Harm)
		is(t, only(t, run(t, policy(looks, all), nil, full), "no_data"), analysis.NoData)
	}
}

// TestSlicesOfMissingValues: rows without a value are a slice of their own, apart
// from those whose value is the word null.
func TestSlicesOfMissingValues(t *testing.T) {
	log := func(seed uint64, missing float64) table {
		tab := errorLog(seed, even(2000), func(string) float64 { return 0.05 })
		origin, bad := tab["origin"].([]string), tab["error"].([]bool)
		r := random(seed)
		valid := draw(len(origin), func(i int) bool { return origin[i] != "a" })
		for i, o := range origin {
			if o == "b" {
				origin[i] = "null"
			}
			if !valid[i] {
				bad[i] = r.Float64() < missing
			}
		}
		return table{"origin": maybe{origin, valid}, "error": bad}
	}
	c := checks.Slices{Guardrail: errorRate, Of: byOrigin}
	fs := run(t, policy(analysis.Once, c), log(1, 0.05), log(2, 0.3))
	is(t, one(t, fs, "origin=null"), analysis.Harm)
	if f := one(t, fs, `origin="null"`); f.Outcome == analysis.Harm {
		t.Error(f.Message)
	}
}

// TestSlicesOfLabels: one class and missing labels in a slice.
func TestSlicesOfLabels(t *testing.T) {
	log := func(seed uint64, label func(bool) (value, valid bool)) table {
		tab := scored(seed, 6000, 0)
		labels := tab["label"].([]bool)
		origin := draw(6000, func(i int) string { return string(rune('a' + i%3)) })
		valid := draw(6000, func(i int) bool {
			if origin[i] != "a" {
				return true
			}
			var ok bool
			labels[i], ok = label(labels[i])
			return ok
		})
		tab["origin"], tab["label"] = origin, maybe{labels, valid}
		return tab
	}
	same := func(v bool) (bool, bool) { return v, true }
	auc := checks.Slices{Guardrail: checks.Guardrail{Metric: checks.AUC, Column: "score", Margin: points(0.2)}, Of: byOrigin}
	loss := checks.Slices{Guardrail: checks.Guardrail{Metric: checks.LogLoss, Column: "score", Margin: relative(0.5)}, Of: byOrigin}
	for _, tt := range []struct {
		check checks.Slices
		label func(bool) (bool, bool)
		want  analysis.Outcome
		code  string
	}{
		{auc, same, analysis.Pass, "margin"},
		{auc, func(bool) (bool, bool) { return false, true }, analysis.Insufficient, "one_class"},
		{auc, func(v bool) (bool, bool) { return v, false }, analysis.NoData, "no_labels"},
		{loss, func(v bool) (bool, bool) { return v, false }, analysis.NoData, "no_labels"},
		{loss, same, analysis.Pass, "margin"},
	} {
		fs := run(t, policy(analysis.Once, tt.check), log(1, same), log(2, tt.label))
		if f := one(t, fs, "origin=a"); f.Outcome != tt.want || f.Code != tt.code {
			t.Errorf("%s: %v %s, want %v %s: %s", tt.check.Guardrail.Metric, f.Outcome, f.Code, tt.want, tt.code, f.Message)
		}
		if f := one(t, fs, "origin=b"); f.Outcome != analysis.Pass {
			t.Errorf("%s: the other slices: %s", tt.check.Guardrail.Metric, f.Message)
		}
	}
}

// TestSlicesBeyondTheCap says that not all was judged.
func TestSlicesBeyondTheCap(t *testing.T) {
	log := func(seed uint64) table {
		r := random(seed)
		return table{"origin": draw(120000, func(i int) string { return fmt.Sprint("o", i%100) }), "error": draw(120000, func(int) bool { return r.Float64() < 0.05 })}
	}
	c := checks.Slices{Guardrail: errorRate, Of: byOrigin}
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
		fs := run(t, policy(looks, c), log(1), log(2))
		if f := only(t, fs, "worst_slice"); !has(f, checks.WarnSlicesLeft) {
			t.Errorf("no warning: %+v", f)
		}
		if n := len(fs) - 1; n != analysis.DefaultSliceCap {
			t.Errorf("%d findings of slices", n)
		}
	}
}

// TestSlicesAddUpStages: each stage is compared by itself, slice by slice.
func TestSlicesAddUpStages(t *testing.T) {
	c := checks.Slices{Guardrail: errorRate, Of: byOrigin}
	p := policy(analysis.Once, c)
	arm := func(seed uint64, n int, rate float64) *analysis.Snapshot {
		return collect(t, p, errorLog(seed, even(n), func(string) float64 { return rate }))
	}
	ev := evidence(p, nil, nil)
	// The rate rises while the candidate's share does: pooled, it would look worse.
	ev.Strata = []analysis.Stratum{
		{Stage: "canary", Baseline: arm(1, 9000, 0.02), Candidate: arm(2, 1000, 0.02)},
		{Stage: "full", Baseline: arm(3, 1000, 0.2), Candidate: arm(4, 9000, 0.2)},
	}
	ev.Baseline, ev.Candidate, ev.Stage = ev.Strata[1].Baseline, ev.Strata[1].Candidate, "full"
	fs, err := c.Run(ev)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fs {
		if f.Outcome == analysis.Harm {
			t.Error(f.Message)
		}
	}
	if f := one(t, fs, "origin=a"); f.N.Baseline != 10000 || f.N.Candidate != 10000 {
		t.Errorf("%+v rows of both stages", f.N)
	}
}

// TestSlicesUncollected: evidence without the slices is not a pass.
func TestSlicesUncollected(t *testing.T) {
	plainPolicy := policy(analysis.Once, errorRate)
	tab := errorLog(1, even(100), func(string) float64 { return 0.1 })
	s := collect(t, plainPolicy, tab)
	fs, err := checks.Slices{Guardrail: errorRate, Of: byOrigin}.Run(evidence(plainPolicy, s, s))
	if err != nil {
		t.Fatal(err)
	}
	is(t, only(t, fs, "no_slices"), analysis.Invalid)
	for _, c := range []checks.Slices{
		{},
		{Guardrail: errorRate},
		{Guardrail: errorRate, Values: [][]string{{"a"}}},
		{Guardrail: errorRate, Of: byOrigin, Values: [][]string{{"a", "b"}}},
		{Guardrail: checks.Guardrail{Metric: checks.Ratio, Of: "errors", Direction: stats.LowerIsBetter, Margin: points(0.1)}, Of: byOrigin},
	} {
		if _, err := c.Run(evidence(plainPolicy, s, s)); err == nil {
			t.Errorf("%+v runs", c)
		}
	}
}

// TestSlicesOfEqualFlights: random halves of the flights of one model differ in no
// airport.
func TestSlicesOfEqualFlights(t *testing.T) {
	all := flights(t, "baseline")
	n := len(all["score"].([]float64))
	harms := 0
	for seed := range uint64(10) {
		r := random(seed)
		half := draw(n, func(int) bool { return r.IntN(2) == 0 })
		a, b := all.pick(func(i int) bool { return half[i] }), all.pick(func(i int) bool { return !half[i] })
		for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
			c := checks.Slices{Guardrail: checks.Guardrail{Metric: checks.LogLoss, Column: "score", Margin: relative(0)}, Of: byOrigin}
			for _, f := range run(t, policy(looks, c), a, b) {
				if f.Outcome == analysis.Harm && f.Code != "worst_slice" {
					harms++
					t.Logf("split %d, %v: %s", seed, looks, f.Message)
				}
			}
		}
	}
	if harms > 2 { // each of the 20 runs has a chance of 5% at most
		t.Errorf("%d harms in 20 comparisons of equals", harms)
	}
}

// TestSlicesOfBrokenFlights: scores inverted at one airport are found there.
func TestSlicesOfBrokenFlights(t *testing.T) {
	c := checks.Slices{Guardrail: checks.Guardrail{Metric: checks.AUC, Column: "score", Margin: points(0.05)}, Of: byOrigin,
		Values: [][]string{{"DFW"}, {"ATL"}, {"ORD"}, {"LAX"}, {"DEN"}}}
	fs := run(t, policy(analysis.Once, c), flights(t, "baseline"), flights(t, "candidate_broken"))
	is(t, one(t, fs, "origin=DFW"), analysis.Harm)
	if lead := only(t, fs, "worst_slice"); !strings.Contains(lead.Message, "origin=DFW") {
		t.Error(lead.Message)
	}
}

// TestSlicesFairlearn answers the published case fairlearn-metricframe.
func TestSlicesFairlearn(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(statstest.Root(t), "testdata", "cases", "inference_cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []json.RawMessage }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	var c struct {
		ID     string
		Inputs struct {
			True  []int `json:"y_true"`
			Pred  []int `json:"y_pred"`
			Group []string
		}
		Expected struct {
			Accuracy  map[string]float64
			Selection map[string]float64 `json:"selection_rate"`
		}
	}
	for _, raw := range file.Cases {
		var id struct{ ID string }
		if json.Unmarshal(raw, &id) == nil && id.ID == "fairlearn-metricframe" {
			if err := json.Unmarshal(raw, &c); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(c.Inputs.Group) == 0 {
		t.Fatal("the case is not there")
	}
	tab := table{"origin": c.Inputs.Group, "score": draw(len(c.Inputs.Pred), func(i int) float64 { return float64(c.Inputs.Pred[i]) }),
		"label": draw(len(c.Inputs.True), func(i int) bool { return c.Inputs.True[i] == 1 })}
	for metric, want := range map[checks.Metric]map[string]float64{checks.Accuracy: c.Expected.Accuracy, checks.PositiveRate: c.Expected.Selection} {
		check := checks.Slices{Guardrail: checks.Guardrail{Metric: metric, Column: "score", Direction: stats.HigherIsBetter, Margin: points(0.1)}, Of: byOrigin, Wait: true}
		fs := run(t, policy(analysis.Once, check), tab, tab)
		for group, x := range want {
			for _, d := range one(t, fs, "origin="+group).Details {
				statstest.Near(t, string(metric)+" of "+group, float64(d.Value), x, 0, 1e-12)
			}
		}
	}
}

func ExampleSlices() {
	log := func(late float64) table {
		r := random(7)
		carrier := draw(6000, func(i int) string { return []string{"AA", "UA", "DL"}[i%3] })
		return table{"carrier": carrier, "error": draw(6000, func(i int) bool {
			if carrier[i] == "UA" {
				return r.Float64() < late
			}
			return r.Float64() < 0.1
		})}
	}
	p := policy(analysis.Once, checks.Slices{
		Guardrail: checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: stats.LowerIsBetter, Margin: points(0.03)},
	})
	p.Columns = analysis.Columns{}
	p.Slices = []analysis.SliceSpec{{Columns: []analysis.SliceColumn{{Name: "carrier"}}}}
	t := new(testing.T)
	v, err := analysis.Evaluate(p, collect(t, p, log(0.1)), collect(t, p, log(0.3)), nil, time.Time{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.Decision)
	for _, f := range v.Findings {
		fmt.Println(f.Outcome, f.Slice)
	}
	// Output:
	// pause
	// pass carrier=AA
	// pass carrier=DL
	// harm carrier=UA
	// harm all
}
