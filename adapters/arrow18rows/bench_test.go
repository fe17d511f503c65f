package arrow18rows_test

import (
	"context"
	"testing"

	"github.com/rampguard/rampguard/adapters/adaptertest"
	"github.com/rampguard/rampguard/adapters/arrow18rows"
	"github.com/rampguard/rampguard/analysis"
)

// benchTable is the fixture many times over.
func benchTable() adaptertest.Table {
	fixture := adaptertest.Fixture()
	table := make(adaptertest.Table, len(fixture))
	for i, c := range fixture {
		table[i] = adaptertest.Column{Name: c.Name, Type: c.Type}
		for range 500 {
			table[i].Values = append(table[i].Values, c.Values...)
		}
	}
	return table
}

// BenchmarkAdd counts a record in memory; rows/s is what counts.
func BenchmarkAdd(b *testing.B) {
	for _, dict := range []bool{false, true} {
		name := map[bool]string{false: "texts", true: "dictionaries"}[dict]
		b.Run(name, func(b *testing.B) {
			table, spec := benchTable(), fixtureSpec(b)
			rec, err := recordOf(table, dict)
			if err != nil {
				b.Fatal(err)
			}
			c := analysis.NewCollector(spec)
			b.ReportAllocs()
			for b.Loop() {
				if err := arrow18rows.Add(c, spec, rec); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(table.Rows())*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkCollect reads a file with dictionaries.
func BenchmarkCollect(b *testing.B) {
	table, spec := benchTable(), fixtureSpec(b)
	for name, l := range map[string]layout{"plain": {file: true, dict: true, rows: 65536}, "zstd": {file: true, dict: true, rows: 65536, extra: layouts["stream dictionary"].extra}} {
		b.Run(name, func(b *testing.B) {
			rec, err := recordOf(table, true)
			if err != nil {
				b.Fatal(err)
			}
			path := writeRecords(b, l, rec)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := arrow18rows.Collect(context.Background(), spec, arrow18rows.Options{Workers: 1}, path); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(table.Rows())*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
