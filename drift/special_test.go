package drift_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// One cell for everything is an answer, not an error: no drift, and no interval.
func TestDegenerate(t *testing.T) {
	for name, h := range map[string]*summary.Histogram{
		"constant": histogram(repeat(7, 40)...),
		"NaN":      histogram(repeat(math.NaN(), 40)...),
		"infinite": histogram(repeat(math.Inf(1), 40)...),
	} {
		cells, err := drift.Numeric(h, h, drift.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range metrics {
			d, err := m.of(cells, drift.Options{})
			if err != nil {
				t.Errorf("%s of %s: %v", m.name, name, err)
				continue
			}
			got := []float64{d.Value, d.Corrected, d.Null95, d.P, d.LogP}
			if !slices.Equal(got, []float64{0, 0, 0, 1, 0}) || !d.Interval.IsZero() || !hasWarning(d, stats.WarnDegenerate) {
				t.Errorf("%s of %s = %+v, want 0 with P 1, no interval and a warning", m.name, name, d)
			}
		}
	}
}

func TestAllNaNAgainstNumbers(t *testing.T) {
	c, err := drift.Numeric(histogram(normals(1, 500, 0, 1)...), histogram(repeat(math.NaN(), 400)...), drift.Options{})
	cells := mustCells(t, c, err)
	dd, err := drift.PSIEquivalent(cells, drift.Options{})
	d := mustDivergence(t, dd, err)
	if want := 8 * math.Ln2; math.Abs(d.Value-want) > 1e-12 || d.Interval.Lo < 4 || d.LogP > -100 {
		t.Errorf("PSIEquivalent of numbers against NaN = %v, want %v", d, want)
	}
	r, err := drift.Missing(cells, drift.Options{})
	if err != nil || r.Cur.Point != 1 || r.Ref.Point != 0 || r.Increase.Lo < 0.98 {
		t.Errorf("Missing = %+v, %v", r, err)
	}
}

// One wild value moves a metric by what one row is worth, in either arm.
func TestOutlierMovesLittle(t *testing.T) {
	x, y := normals(1, 10000, 0, 1), normals(2, 10000, 0, 1)
	const wild = 1e8
	compare := func(x, y []float64) (float64, float64) {
		c, err := drift.Numeric(histogram(x...), histogram(y...), drift.Options{})
		cells := mustCells(t, c, err)
		p, err := drift.PSI(cells, drift.Options{})
		q, err2 := drift.PSIEquivalent(cells, drift.Options{})
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		return p.Value, q.Value
	}
	p0, q0 := compare(x, y)
	for name, pair := range map[string][2][]float64{
		"current":   {x, append(slices.Clone(y), wild)},
		"reference": {append(slices.Clone(x), wild), y},
	} {
		p, q := compare(pair[0], pair[1])
		if math.Abs(p-p0) > 5e-4 || math.Abs(q-q0) > 5e-4 {
			t.Errorf("1e8 in the %s: PSI %v to %v, equivalent %v to %v", name, p0, p, q0, q)
		}
	}
}

// A category that the reference does not have gives finite numbers everywhere.
func TestUnseenCategory(t *testing.T) {
	c, err := drift.Counts([]uint64{500, 500, 0}, []uint64{400, 400, 200}, "a", "b", "new")
	cells := mustCells(t, c, err)
	for _, m := range metrics {
		d, err := m.of(cells, drift.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []float64{d.Value, d.Corrected, d.Null95, d.Interval.Lo, d.Interval.Hi, d.P, d.LogP} {
			if math.IsInf(v, 0) || math.IsNaN(v) {
				t.Errorf("%s = %+v holds %v", m.name, d, v)
			}
		}
		if d.Top[0].Cell != "new" {
			t.Errorf("%s: the first contribution is %v, want new", m.name, d.Top[0])
		}
		if _, err := json.Marshal(d); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

func TestTinyPIsNotZero(t *testing.T) {
	c, err := drift.Counts([]uint64{9000, 1000}, []uint64{1000, 9000})
	d, err2 := drift.PSI(mustCells(t, c, err), drift.Options{})
	if err2 != nil || d.LogP > -1000 || math.IsInf(d.LogP, 0) {
		t.Errorf("LogP = %v, %v, want a finite log far below the smallest float64", d.LogP, err2)
	}
}

func TestSmallExpectedWarning(t *testing.T) {
	c, err := drift.Counts([]uint64{500, 490, 10}, []uint64{50, 49, 1})
	d, err2 := drift.PSI(mustCells(t, c, err), drift.Options{})
	if err2 != nil || !hasWarning(d, stats.WarnSmallExpected) {
		t.Errorf("warnings %v, %v, want %s", d.Warnings, err2, stats.WarnSmallExpected)
	}
}

func TestTopIsSortedAndCut(t *testing.T) {
	c, err := drift.Counts([]uint64{100, 100, 100, 100}, []uint64{100, 60, 160, 80}, "a", "b", "c", "d")
	d, err2 := drift.PSI(mustCells(t, c, err), drift.Options{Top: 2})
	if err2 != nil {
		t.Fatal(err2)
	}
	var names []string
	for _, top := range d.Top {
		names = append(names, top.Cell)
	}
	if diff := cmp.Diff([]string{"c", "b"}, names); diff != "" {
		t.Errorf("contributions (-want +got):\n%s", diff)
	}
	if want := (drift.Contribution{Cell: "c", RefShare: 0.25, CurShare: 0.4}); d.Top[0].RefShare != want.RefShare || d.Top[0].CurShare != want.CurShare {
		t.Errorf("first contribution %+v, want shares of %+v", d.Top[0], want)
	}
}

func TestKSSpecialCases(t *testing.T) {
	inf := math.Inf(1)
	d, err := drift.KS(histogram(1, 2, 3, 4, math.NaN()), histogram(-inf, -inf, inf, inf), drift.Options{})
	if err != nil || d.Value != 0.5 || d.RefN != 4 || !hasWarning(d, stats.WarnExcluded) {
		t.Errorf("KS with infinite values = %+v, %v, want 0.5 over 4 ordered values", d, err)
	}
	d, err = drift.KS(scores(t, 0.2, 0.4), scores(t, -1, 2), drift.Options{})
	if err != nil || d.Value != 0.5 {
		t.Errorf("KS with values outside the range = %+v, %v, want 0.5", d, err)
	}
	d, err = drift.KS(histogram(3, 3), histogram(3.001, 3.001), drift.Options{})
	if err != nil || d.Value != 1 {
		t.Errorf("KS of two constants in one cell = %v, %v, want 1", d.Value, err)
	}
}

func TestWasserstein1SpecialCases(t *testing.T) {
	w, err := drift.Wasserstein1(histogram(5, 5), histogram(5), drift.Options{})
	if err != nil || w.Value != 0 || w.P != 1 || !w.Interval.IsZero() || !hasWarning(w.Divergence, stats.WarnDegenerate) {
		t.Errorf("equal constants: %+v, %v", w, err)
	}
	w, err = drift.Wasserstein1(histogram(5, 5), histogram(7), drift.Options{})
	if err != nil || w.Value != 2 || w.RefSD != 0 || !w.InRefSD.IsZero() {
		t.Errorf("constants 2 apart: %+v, %v", w, err)
	}
	w, err = drift.Wasserstein1(histogram(5, 5, math.Inf(1)), histogram(7, math.NaN()), drift.Options{})
	if err != nil || w.Value != 2 || !hasWarning(w.Divergence, stats.WarnExcluded) {
		t.Errorf("with infinite values: %+v, %v", w, err)
	}
	// Frozen edges: the middle of each cell, and a bound that says so.
	at := []float64{0, 1, 2}
	w, err = drift.Wasserstein1(edges(t, at, -1, 0.1, 0.2), edges(t, at, 1.5, 1.9, 3), drift.Options{})
	if want := 2.1333333333333333; err != nil || math.Abs(w.Value-want) > w.Bound || w.Bound > 1 {
		t.Errorf("frozen edges: %v ± %v, %v, raw %v", w.Value, w.Bound, err, want)
	}
}

// An outlier of 1e300 on both ends must not pass for an answer.
func TestWasserstein1Overflow(t *testing.T) {
	if _, err := drift.Wasserstein1(histogram(-1.7e308), histogram(1.7e308), drift.Options{}); err == nil {
		t.Error("no error for a range that overflows")
	}
}

func TestKindsHaveNames(t *testing.T) {
	for k := drift.CategoryCell; k <= drift.UnseenCell; k++ {
		if b, err := k.MarshalText(); err != nil || len(b) == 0 || b[0] == 'C' {
			t.Errorf("%d: %q, %v", k, b, err)
		}
	}
	if got := drift.CellKind(99).String(); got != "CellKind(99)" {
		t.Errorf("unknown kind: %q", got)
	}
	if got := fmt.Sprint(drift.Outcome(99)); got != "Outcome(99)" {
		t.Errorf("unknown outcome: %q", got)
	}
	for o := drift.Inconclusive; o <= drift.Fail; o++ {
		b, err := o.MarshalText()
		var back drift.Outcome
		if err2 := back.UnmarshalText(b); err != nil || err2 != nil || back != o {
			t.Errorf("%v: %q, %v, %v", o, b, err, err2)
		}
	}
	if err := new(drift.Outcome).UnmarshalText([]byte("pass")); err == nil {
		t.Error("no error for an unknown word")
	}
}
