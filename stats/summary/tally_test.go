package summary_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// A Tally has the cells and counts of LogLinear, knows the same cells to hold
// one value, and knows that value.
func TestTallyAgreesWithLogLinear(t *testing.T) {
	tally, full := layout(t, summary.Tally), layout(t, summary.LogLinear)
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.OneOf(anyFloat(), rapid.SampledFrom([]float64{1, 1.001, -3, -3.01, 7})), 0, 30).Draw(t, "xs")
		a, b := histogram(tally, xs...), histogram(full, xs...)
		if a.N() != b.N() || a.Excluded() != b.Excluded() {
			t.Fatalf("%d values and %+v, want %d and %+v", a.N(), a.Excluded(), b.N(), b.Excluded())
		}
		got, want := a.Cells(), b.Cells()
		if len(got) != len(want) {
			t.Fatalf("%d cells, want %d", len(got), len(want))
		}
		for i, g := range got {
			w := want[i]
			if g.Lo != w.Lo || g.Hi != w.Hi || g.N != w.N || (g.Var == 0) != (w.Var == 0) {
				t.Fatalf("cell %+v, want %+v", g, w)
			}
			if g.Var == 0 && g.Mean != w.Mean {
				t.Fatalf("single value %v, want %v", g.Mean, w.Mean)
			}
			if !(g.Lo <= g.Mean && g.Mean <= g.Hi) {
				t.Fatalf("mean %v outside [%v, %v]", g.Mean, g.Lo, g.Hi)
			}
		}
		if len(xs) == 0 || a.N() == 0 {
			return
		}
		for _, q := range []float64{0, 0.3, 0.5, 1} {
			g, err := a.Quantile(q)
			if err != nil {
				t.Fatal(err)
			}
			if w, _ := b.Quantile(q); g.Lo != w.Lo || g.Hi != w.Hi {
				t.Fatalf("quantile %v in [%v, %v], want [%v, %v]", q, g.Lo, g.Hi, w.Lo, w.Hi)
			}
		}
	})
}

func TestTallyHasNoMoments(t *testing.T) {
	if _, err := histogram(layout(t, summary.Tally), 1, 2).Moments(); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("error %v, want one wrapping %v", err, stats.ErrMismatch)
	}
}
