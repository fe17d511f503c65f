package pairjoin_test

import (
	"io"
	"math/rand/v2"
	"testing"

	"github.com/rampguard/rampguard/adapters/pairjoin"
	"github.com/rampguard/rampguard/analysis"
)

// BenchmarkJoin joins two logs of a million rows in memory: a score, a label, a time
// and a slice each. Of the three, the first needs no file, the second writes and
// reads all rows once, the third writes many of them twice.
func BenchmarkJoin(b *testing.B) {
	const rows = 1_000_000
	spec := shadow(b)
	s, err := pairjoin.LogSpec(spec, "score", "")
	if err != nil {
		b.Fatal(err)
	}
	logs := [2][]analysis.Batch{benchLog(s, rows, 1), benchLog(s, rows, 2)}
	for _, bm := range []struct {
		name string
		o    pairjoin.Options
	}{
		{"in memory", pairjoin.Options{}},
		{"by a file", pairjoin.Options{MemoryLimit: 32 << 20}},
		{"by a file, twice", pairjoin.Options{MemoryLimit: 8 << 20, Partitions: 4}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			bm.o.TempDir = b.TempDir()
			b.ReportAllocs()
			var spilled int64
			for b.Loop() {
				r, err := pairjoin.Join(b.Context(), pairjoin.Log{Spec: s, Rows: &batches{rest: logs[0]}}, pairjoin.Log{Spec: s, Rows: &batches{rest: logs[1]}}, spec, bm.o)
				if err != nil || r.Pairs.RowCount != rows {
					b.Fatal(r, err)
				}
				spilled = r.Spilled
			}
			b.ReportMetric(float64(2*rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(spilled)/(2*rows), "spilled-B/row")
		})
	}
}

type batches struct{ rest []analysis.Batch }

func (s *batches) Next(b *analysis.Batch) error {
	if len(s.rest) == 0 {
		return io.EOF
	}
	*b, s.rest = s.rest[0], s.rest[1:]
	return nil
}

func benchLog(s *analysis.Spec, rows int, seed uint64) []analysis.Batch {
	const size = 10_000
	r := rand.New(rand.NewPCG(seed, 0))
	names := &analysis.Dict{Values: []string{"a", "b", "c", "d"}}
	ids := r.Perm(rows)
	var out []analysis.Batch
	for len(ids) > 0 {
		n := min(size, len(ids))
		b := analysis.Batch{Rows: n, Columns: make([]analysis.Column, len(s.Columns))}
		id := &b.Columns[s.Index("id")]
		ts, score := &b.Columns[s.Index("ts")], &b.Columns[s.Index("score")]
		label, segment := &b.Columns[s.Index("label")], &b.Columns[s.Index("segment")]
		id.Type, ts.Type, score.Type, label.Type, segment.Type = analysis.Int, analysis.Time, analysis.Float, analysis.Bool, analysis.String
		segment.Dict = names
		for _, i := range ids[:n] {
			id.Ints = append(id.Ints, int64(i))
			ts.Ints = append(ts.Ints, int64(i)*1000)
			score.Floats = append(score.Floats, r.Float64())
			label.Bools = append(label.Bools, i%3 == 0)
			segment.Codes = append(segment.Codes, int32(i%4))
		}
		ids = ids[n:]
		out = append(out, b)
	}
	return out
}
