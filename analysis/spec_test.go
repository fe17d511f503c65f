package analysis_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// TestNewSpecUnites: what several checks ask of a column adds up, in whatever
// order they ask.
func TestNewSpecUnites(t *testing.T) {
	asked := []analysis.ColumnSpec{
		{Name: "score", Cuts: []float64{0.8, math.Copysign(0, -1)}},
		{Name: "amount"},
		{Name: "score", Role: analysis.Score, Cuts: []float64{0.5, 0.8}},
		{Name: "amount", Sums: true},
	}
	want := &analysis.Spec{Task: analysis.Binary, Columns: []analysis.ColumnSpec{
		{Name: "amount", Sums: true},
		{Name: "score", Role: analysis.Score, Cuts: []float64{0, 0.5, 0.8}},
	}}
	for range asked {
		got, err := analysis.NewSpec(analysis.Binary, asked...)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" || got.Fingerprint() != want.Fingerprint() {
			t.Errorf("NewSpec (-want +got):\n%s", d)
		}
		asked = append(asked[1:], asked[0])
	}
}

func TestNewSpecRefuses(t *testing.T) {
	for _, c := range []struct {
		columns []analysis.ColumnSpec
		want    string
	}{
		{[]analysis.ColumnSpec{{}}, "analysis: NewSpec: a column without a name: "},
		{[]analysis.ColumnSpec{{Name: "x", Role: analysis.Score}, {Name: "x", Role: analysis.Label}}, `analysis: NewSpec: column "x" is both score and label: `},
		{[]analysis.ColumnSpec{{Name: "x", Role: analysis.Unit}, {Name: "y", Role: analysis.Unit}}, `analysis: NewSpec: both "x" and "y" are the unit: `},
		{[]analysis.ColumnSpec{{Name: "x", Cuts: []float64{math.NaN()}}, {Name: "w", Cuts: []float64{math.Inf(1)}}}, `analysis: NewSpec: column "w": cut +Inf is not a finite number: `},
	} {
		_, err := analysis.NewSpec(analysis.Binary, c.columns...)
		if !errors.Is(err, stats.ErrMismatch) || err.Error() != c.want+stats.ErrMismatch.Error() {
			t.Errorf("NewSpec(%v) = %v, want %s", c.columns, err, c.want)
		}
	}
}
