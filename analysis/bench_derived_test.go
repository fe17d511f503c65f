package analysis_test

import (
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// BenchmarkDerived adds a batch with and without two derived columns; allocs/op
// must be the same, 0.
func BenchmarkDerived(b *testing.B) {
	const rows = 1 << 16
	x, y := make([]float64, rows), make([]float64, rows)
	for i := range x {
		x[i], y[i] = float64(i%997), float64(i%991)
	}
	for _, with := range []bool{false, true} {
		name := "columns=2"
		spec, err := analysis.NewSpec(analysis.Regression, analysis.ColumnSpec{Name: "x"}, analysis.ColumnSpec{Name: "y"})
		if err != nil {
			b.Fatal(err)
		}
		if with {
			name = "columns=2+2"
			if spec, err = spec.WithDerived(analysis.DerivedSpec{Name: "d", Op: analysis.Distance, Of: []string{"x", "y"}}, analysis.DerivedSpec{Name: "e", Op: analysis.Equal, Of: []string{"x", "y"}}); err != nil {
				b.Fatal(err)
			}
		}
		batch := analysis.Batch{Rows: rows, Columns: []analysis.Column{{Type: analysis.Float, Floats: x}, {Type: analysis.Float, Floats: y}}}
		b.Run(name, func(b *testing.B) {
			c := analysis.NewCollector(spec)
			if err := c.Add(&batch); err != nil { // makes room
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(rows)
			for b.Loop() {
				if err := c.Add(&batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
