package csvrows_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/adaptertest"
	"github.com/rampguard/rampguard/adapters/csvrows"
	"github.com/rampguard/rampguard/analysis"
)

// BenchmarkCollect reads nine columns of every type; rows/s is what counts, and
// allocs/row, which is next to nothing.
func BenchmarkCollect(b *testing.B) {
	fixture := adaptertest.Fixture()
	table := make(adaptertest.Table, len(fixture))
	for i, c := range fixture {
		table[i] = adaptertest.Column{Name: c.Name, Type: c.Type}
		for range 100 {
			table[i].Values = append(table[i].Values, c.Values...)
		}
		if c.Type == analysis.Float { // those of the fixture are the hardest there are to read
			for k := range table[i].Values {
				table[i].Values[k] = float64(k%1000) / 1000
			}
		}
	}
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "score", Role: analysis.Score},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label}, analysis.ColumnSpec{Name: "action"}, analysis.ColumnSpec{Name: "amount"},
		analysis.ColumnSpec{Name: "count"}, analysis.ColumnSpec{Name: "flag"}, analysis.ColumnSpec{Name: "id", Role: analysis.Unit},
		analysis.ColumnSpec{Name: "name"}, analysis.ColumnSpec{Name: "ts", Role: analysis.Clock})
	if err != nil {
		b.Fatal(err)
	}
	for name, l := range layouts {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), l.name)
			if err := os.WriteFile(path, encode(l, table), 0o600); err != nil {
				b.Fatal(err)
			}
			o := csvrows.Options{Workers: 1, Types: table.Types(), EpochUnit: time.Microsecond}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := csvrows.Collect(context.Background(), spec, o, path); err != nil {
					b.Fatal(err)
				}
			}
			rows := float64(table.Rows()) * float64(b.N)
			b.ReportMetric(rows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
