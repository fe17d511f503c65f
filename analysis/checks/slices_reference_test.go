package checks_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// flights reads a flight log as a table; distance becomes a number.
func flights(t testing.TB, name string) table {
	t.Helper()
	spec, err := analysis.NewSpec(analysis.Regression, analysis.ColumnSpec{Name: "score"}, analysis.ColumnSpec{Name: "label"},
		analysis.ColumnSpec{Name: "origin"}, analysis.ColumnSpec{Name: "dow"}, analysis.ColumnSpec{Name: "distance"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := parquetrows.Open(filepath.Join(statstest.Root(t), "testdata", "flights", name+".parquet"), spec, parquetrows.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var scores []float64
	var dow, distance []int64
	var labels, known []bool
	var origin []string
	var b analysis.Batch
	for {
		err := r.Next(&b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		col := func(name string) *analysis.Column { return &b.Columns[spec.Index(name)] }
		scores, dow, distance = append(scores, col("score").Floats...), append(dow, col("dow").Ints...), append(distance, col("distance").Ints...)
		labels = append(labels, col("label").Bools...)
		for i, code := range col("origin").Codes {
			origin = append(origin, col("origin").Dict.Values[code])
			known = append(known, col("label").Valid == nil || col("label").Valid[i])
		}
	}
	return table{"score": scores, "label": maybe{labels, known}, "origin": origin, "dow": dow, "distance": distance}
}

// pick keeps some rows of a table.
func (tab table) pick(keep func(i int) bool) table {
	out := table{}
	for name, v := range tab {
		out[name] = pickRows(v, keep)
	}
	return out
}

func pickRows(v any, keep func(i int) bool) any {
	switch v := v.(type) {
	case maybe:
		return maybe{pickRows(v.values, keep), pickOf(v.valid, keep)}
	case []float64:
		return pickOf(v, keep)
	case []int64:
		return pickOf(v, keep)
	case []bool:
		return pickOf(v, keep)
	case []string:
		return pickOf(v, keep)
	}
	return nil
}

func pickOf[T any](xs []T, keep func(i int) bool) []T {
	var out []T
	for i, x := range xs {
		if keep(i) {
			out = append(out, x)
		}
	}
	return out
}

type sliceCase struct {
	values []string
	want   map[string]float64
}

// TestSlicesReference holds what is found in slices of the flights against pandas,
// scikit-learn and statsmodels.
func TestSlicesReference(t *testing.T) {
	base := flights(t, "baseline")
	families := map[string][]sliceCase{}
	for _, c := range statstest.Load(t, "slices").Cases {
		var candidate string
		one := sliceCase{want: map[string]float64{}}
		var by []string
		read := func(raw json.RawMessage, into any) {
			if err := json.Unmarshal(raw, into); err != nil {
				t.Fatal(err)
			}
		}
		read(c.In["candidate"], &candidate)
		read(c.In["by"], &by)
		read(c.In["values"], &one.values)
		for k, raw := range c.Want {
			var x float64
			read(raw, &x)
			one.want[k] = x
		}
		key := fmt.Sprint(candidate, by)
		families[key] = append(families[key], one)
	}
	compared := 0
	for _, candidate := range []string{"candidate", "candidate_broken"} {
		cand := flights(t, candidate)
		for _, by := range [][]string{{"origin"}, {"dow"}, {"bucket"}, {"dow", "origin"}} {
			cases := families[fmt.Sprint(candidate, by)]
			if len(cases) == 0 {
				t.Fatalf("no cases of %s by %v", candidate, by)
			}
			for _, g := range []checks.Guardrail{
				{Metric: checks.LogLoss, Column: "score", Margin: plain(0.02)},
				{Metric: checks.Accuracy, Column: "score", Threshold: 0.25, Margin: points(0.02)},
				{Metric: checks.Brier, Column: "score", Margin: plain(0.02)},
				{Metric: checks.PositiveRate, Column: "score", Threshold: 0.25, Direction: stats.LowerIsBetter, Margin: points(0.02)},
			} {
				compared += compareSlices(t, base, cand, by, cases, g)
			}
		}
	}
	if compared < 2000 {
		t.Errorf("%d numbers were compared", compared)
	}
}

func compareSlices(t *testing.T, base, cand table, by []string, cases []sliceCase, g checks.Guardrail) int {
	t.Helper()
	c := checks.Slices{Guardrail: g}
	for _, name := range by {
		col := analysis.SliceColumn{Name: name}
		if name == "bucket" {
			col = analysis.SliceColumn{Name: "distance", Cuts: []float64{500, 1000}}
		}
		c.Of = append(c.Of, col)
	}
	for _, one := range cases {
		c.Values = append(c.Values, one.values)
	}
	compared := 0
	near := func(what string, got, want float64) {
		compared++
		statstest.Near(t, what, got, want, 1e-7, 1e-8)
	}
	found := run(t, policy(analysis.Once, c), base, cand)
	for _, one := range cases {
		key := analysis.SliceKey{}
		for i, col := range c.Of {
			key[col.Name] = one.values[i]
		}
		i := slices.IndexFunc(found, func(f analysis.Finding) bool { return f.Slice.String() == key.String() && f.Code != "label_coverage" })
		if i < 0 {
			t.Fatalf("no finding where %v", key)
		}
		f, w := found[i], one.want
		name := fmt.Sprintf("%s where %v", f.Metric, key)
		n, metric := "labelled_", map[checks.Metric]string{checks.LogLoss: "log_loss_", checks.Brier: "brier_", checks.Accuracy: "correct_", checks.PositiveRate: "above_"}[g.Metric]
		if g.Metric == checks.PositiveRate {
			n = "rows_"
		}
		if f.Code != "margin" && f.Code != "no_variation" {
			continue // no labels
		}
		if f.N.Baseline != uint64(w[n+"baseline"]) || f.N.Candidate != uint64(w[n+"candidate"]) {
			t.Errorf("%s: %+v rows, want %v and %v", name, f.N, w[n+"baseline"], w[n+"candidate"])
		}
		for _, arm := range []string{"baseline", "candidate"} {
			d := f.Details[slices.IndexFunc(f.Details, func(d analysis.Detail) bool { return d.Name == arm })]
			want := w[metric+arm]
			if metric == "correct_" || metric == "above_" {
				want /= w[n+arm]
			}
			near(name+" of the "+arm, float64(d.Value), want)
		}
		lo, ok := w[map[checks.Metric]string{checks.LogLoss: "log_loss_lo", checks.Accuracy: "accuracy_lo"}[g.Metric]]
		if ok && !math.IsInf(f.Estimate.Lo, 0) {
			near(name+", lower end", f.Estimate.Lo, lo)
			near(name+", upper end", f.Estimate.Hi, w[map[checks.Metric]string{checks.LogLoss: "log_loss_hi", checks.Accuracy: "accuracy_hi"}[g.Metric]])
		}
	}
	return compared
}
