package analysis_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// wideSpec has a cross of n columns, in which a score is measured.
func wideSpec(t testing.TB, n int) *analysis.Spec {
	t.Helper()
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "score", Role: analysis.Score}, analysis.ColumnSpec{Name: "label", Role: analysis.Label})
	if err != nil {
		t.Fatal(err)
	}
	cross := analysis.SliceSpec{Measures: []string{"score"}}
	for i := range n {
		cross.Columns = append(cross.Columns, analysis.SliceColumn{Name: fmt.Sprintf("x%02d", i)})
	}
	if spec, err = spec.WithSlices(cross); err != nil {
		t.Fatal(err)
	}
	return spec
}

// wideBatch has scores, labels, and codes below the size of the dictionary.
func wideBatch(spec *analysis.Spec, r *rand.Rand, rows int, dict *analysis.Dict) *analysis.Batch {
	b := &analysis.Batch{Rows: rows}
	for _, c := range spec.Columns {
		col := analysis.Column{}
		switch c.Role {
		case analysis.Score:
			col.Type = analysis.Float
			for range rows {
				col.Floats = append(col.Floats, r.Float64())
			}
		case analysis.Label:
			col.Type = analysis.Bool
			for range rows {
				col.Bools = append(col.Bools, r.IntN(2) == 0)
			}
		default:
			col.Type, col.Dict = analysis.String, dict
			for range rows {
				col.Codes = append(col.Codes, int32(r.IntN(len(dict.Values))))
			}
		}
		b.Columns = append(b.Columns, col)
	}
	return b
}

// A million categories and crosses of 64 columns do not fill the memory.
func TestSlicesAreBounded(t *testing.T) {
	for _, tt := range []struct{ columns, names, rows int }{{1, 1_000_000, 1_000_000}, {64, 3, 60_000}, {2, 300, 300_000}} {
		t.Run(fmt.Sprintf("%d columns of %d names", tt.columns, tt.names), func(t *testing.T) {
			dict := &analysis.Dict{}
			for i := range tt.names {
				dict.Values = append(dict.Values, strconv.Itoa(i))
			}
			spec := wideSpec(t, tt.columns)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			c := analysis.NewCollector(spec)
			r := rand.New(rand.NewPCG(1, 2))
			for done := 0; done < tt.rows; done += 20_000 {
				if err := c.Add(wideBatch(spec, r, 20_000, dict)); err != nil {
					t.Fatal(err)
				}
			}
			s, err := c.Take()
			if err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			if used := (int64(after.HeapSys) - int64(before.HeapSys)) >> 20; used > 300 {
				t.Errorf("%d MiB", used)
			}
			table := &s.Slices[0]
			if n := len(table.Values()); n != analysis.DefaultSliceCap {
				t.Errorf("%d slices, want %d", n, analysis.DefaultSliceCap)
			}
			if n, exact := table.Distinct(); exact || n < float64(analysis.DefaultSliceCap) {
				t.Errorf("%v slices in all, exact %v", n, exact)
			}
			if _, known := table.Rows(make([]string, tt.columns)); known && table.Other() == nil {
				t.Error("rows were lost")
			}
		})
	}
}

// Once its slices are known, a collector allocates nothing per row.
func TestSlicesAllocateNothingPerRow(t *testing.T) {
	for _, names := range []int{8, 300} { // two columns of 300 are too many for a table
		dict := &analysis.Dict{}
		for i := range names {
			dict.Values = append(dict.Values, strconv.Itoa(i))
		}
		spec := wideSpec(t, 2)
		c := analysis.NewCollector(spec)
		b := wideBatch(spec, rand.New(rand.NewPCG(3, 4)), 20_000, dict)
		if n := testing.AllocsPerRun(1, func() { // after one that does not count
			for range 30 {
				if err := c.Add(b); err != nil {
					t.Fatal(err)
				}
			}
		}); n > 600 {
			t.Errorf("%d names: %v allocations for 600,000 rows", names, n)
		}
	}
}

func BenchmarkSlices(b *testing.B) {
	for _, shape := range []struct{ columns, names int }{{1, 50}, {2, 20}, {1, 100_000}} {
		b.Run(fmt.Sprintf("rows=20k/columns=%d/names=%d", shape.columns, shape.names), func(b *testing.B) {
			dict := &analysis.Dict{}
			for i := range shape.names {
				dict.Values = append(dict.Values, strconv.Itoa(i))
			}
			spec := wideSpec(b, shape.columns)
			c := analysis.NewCollector(spec)
			batch := wideBatch(spec, rand.New(rand.NewPCG(3, 4)), 20_000, dict)
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Add(batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20_000, "ns/row")
		})
	}
}

// FuzzSlices: whatever is accepted can be used, and writes itself out again.
func FuzzSlices(f *testing.F) {
	f.Add([]byte(bytesOf(f, collectTrips(f, tripSpec(f, capped()...), trips(9, 40, 30)))))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, r analysis.Snapshot
		if s.UnmarshalBinary(analysis.Reseal(b)) != nil {
			return
		}
		if err := r.UnmarshalBinary([]byte(bytesOf(t, &s))); err != nil {
			t.Fatalf("an accepted snapshot does not read back: %v", err)
		}
		if err := r.Merge(&s); err != nil {
			t.Fatalf("an accepted snapshot does not merge with itself: %v", err)
		}
		for i := range r.Slices {
			for _, v := range r.Slices[i].Values() {
				if r.Slice(r.Slices[i].Spec(), v) == nil {
					t.Fatalf("slice %q is listed and is not there", v)
				}
			}
		}
	})
}
