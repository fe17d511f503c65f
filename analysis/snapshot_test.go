package analysis_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

func TestSnapshotDoesNotDependOnTheCut(t *testing.T) {
	all := randomRows(1, 3000)
	want := bytesOf(t, collect(t, all))
	rapid.Check(t, func(rt *rapid.T) {
		cuts := rapid.SliceOfN(rapid.IntRange(0, 3000), 0, 6).Draw(rt, "cuts")
		cuts = append(cuts, 0, 3000)
		slices.Sort(cuts)
		var parts []*analysis.Snapshot
		for i := 1; i < len(cuts); i++ {
			parts = append(parts, collect(t, all.cut(cuts[i-1], cuts[i])))
		}
		order := rapid.Permutation(parts).Draw(rt, "order")
		merged, err := analysis.MergeSnapshots(order...)
		if err != nil {
			rt.Fatal(err)
		}
		if bytesOf(t, merged) != want {
			rt.Fatal("the snapshot depends on how the rows were cut and merged")
		}
	})
}

func TestSnapshotDoesNotDependOnDictionaries(t *testing.T) {
	all := randomRows(2, 500)
	other := all
	other.action = slices.Clone(all.action)
	for i, a := range other.action {
		other.action[i] = 2 - a
	}
	c := analysis.NewCollector(logSpec(t))
	dict := &analysis.Dict{Values: []string{"block", "review", "allow"}}
	for i := 0; i < 500; i += 100 {
		if err := c.Add(other.cut(i, i+100).batch(dict)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if bytesOf(t, got) != bytesOf(t, collect(t, all)) {
		t.Error("the order of the dictionary shows in the snapshot")
	}
}

func TestSnapshotCounts(t *testing.T) {
	s := collect(t, randomRows(3, 1000))
	score := s.Column("score")
	labelled := score.Scores.By(1).N() + score.Scores.By(2).N()
	label := s.ByRole(analysis.Label)
	if got := score.Scores.All().N(); got != 1000 {
		t.Errorf("%d scores, want 1000", got)
	}
	if got := label.Boolean.Trials(); got != labelled {
		t.Errorf("%d labels beside %d labelled scores", got, labelled)
	}
	if got := label.Boolean.Null + label.Boolean.Trials(); got != 1000 {
		t.Errorf("%d labels with the missing ones, want 1000", got)
	}
	if got := s.Column("amount").Numeric.Total(); got != 1000 {
		t.Errorf("%d amounts with the missing ones, want 1000", got)
	}
	if got := s.Column("none"); got.Type != analysis.Absent || got.AbsentRows != 1000 {
		t.Errorf("absent column has type %v and %d rows", got.Type, got.AbsentRows)
	}
	if got := s.Column("ts").Clock; got.Min != 0 || got.Max != 999_000_000 || got.N != 1000 {
		t.Errorf("time range %+v", got)
	}
	if got, exact := s.Column("id").Units.Count(); got != 1000 || !exact {
		t.Errorf("%v units, exact %v", got, exact)
	}
	if s.Column("nowhere") != nil {
		t.Error("an unknown column has a summary")
	}
}

func TestSnapshotReadsBack(t *testing.T) {
	s := collect(t, randomRows(4, 400))
	var b analysis.Snapshot
	if err := b.UnmarshalBinary([]byte(bytesOf(t, s))); err != nil {
		t.Fatal(err)
	}
	if bytesOf(t, &b) != bytesOf(t, s) {
		t.Error("binary form does not read back")
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var j analysis.Snapshot
	if err := json.Unmarshal(text, &j); err != nil {
		t.Fatal(err)
	}
	if bytesOf(t, &j) != bytesOf(t, s) {
		t.Error("JSON form does not read back")
	}
}

func TestDamagedSnapshot(t *testing.T) {
	good := []byte(bytesOf(t, collect(t, randomRows(5, 50))))
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 0x40
		var s analysis.Snapshot
		if err := s.UnmarshalBinary(bad); !errors.Is(err, stats.ErrMismatch) {
			t.Fatalf("byte %d damaged: error %v", i, err)
		}
	}
	for n := range len(good) {
		var s analysis.Snapshot
		if err := s.UnmarshalBinary(good[:n]); err == nil {
			t.Fatalf("cut after %d bytes: no error", n)
		}
	}
}

func TestMergeRefusesOtherSpecsAndTypes(t *testing.T) {
	s := collect(t, randomRows(6, 10))
	before := bytesOf(t, s)
	other, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "score", Role: analysis.Score})
	if err != nil {
		t.Fatal(err)
	}
	empty, err := analysis.NewCollector(other).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Merge(empty); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("another spec merges: %v", err)
	}
	b := randomRows(7, 10).batch(actionDict())
	b.Columns[1] = analysis.Column{Type: analysis.Bool, Bools: make([]bool, 10)} // amount as bool
	c := analysis.NewCollector(logSpec(t))
	if err := c.Add(b); err != nil {
		t.Fatal(err)
	}
	typed, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Merge(typed); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("another type merges: %v", err)
	}
	if bytesOf(t, s) != before {
		t.Error("a refused merge changed the receiver")
	}
}

func TestCollectorRefusesBrokenBatches(t *testing.T) {
	tests := []struct {
		reason string
		spoil  func(*analysis.Batch)
	}{
		{"a column too few", func(b *analysis.Batch) { b.Columns = b.Columns[:3] }},
		{"a negative number of rows", func(b *analysis.Batch) { b.Rows = -1 }},
		{"a column too short", func(b *analysis.Batch) { b.Columns[6].Floats = b.Columns[6].Floats[:5] }},
		{"validity too short", func(b *analysis.Batch) { b.Columns[1].Valid = b.Columns[1].Valid[:5] }},
		{"codes without a dictionary", func(b *analysis.Batch) { b.Columns[0].Dict = nil }},
		{"a code past the dictionary", func(b *analysis.Batch) { b.Columns[0].Codes[3] = 3 }},
		{"a negative code", func(b *analysis.Batch) { b.Columns[0].Codes[3] = -1 }},
		{"a unit that is a float", func(b *analysis.Batch) {
			b.Columns[2] = analysis.Column{Type: analysis.Float, Floats: make([]float64, b.Rows)}
		}},
		{"a type that changes", func(b *analysis.Batch) {
			b.Columns[6] = analysis.Column{Type: analysis.Int, Ints: make([]int64, b.Rows)}
		}},
		{"an unknown type", func(b *analysis.Batch) { b.Columns[6].Type = 99 }},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			c := analysis.NewCollector(logSpec(t))
			if err := c.Add(randomRows(8, 10).batch(actionDict())); err != nil {
				t.Fatal(err)
			}
			b := randomRows(8, 10).batch(actionDict())
			tt.spoil(b)
			if err := c.Add(b); err == nil {
				t.Fatal("no error")
			}
			if _, err := c.Snapshot(); err == nil {
				t.Error("a spoiled collector gives a snapshot of part of the data")
			}
		})
	}
}

func TestLabelsInEveryType(t *testing.T) {
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "label", Role: analysis.Label}, analysis.ColumnSpec{Name: "score", Role: analysis.Score})
	if err != nil {
		t.Fatal(err)
	}
	valid := []bool{true, true, true, false, true}
	tests := []struct {
		label   analysis.Column
		neg     uint64
		pos     uint64
		invalid uint64
	}{
		{analysis.Column{Type: analysis.Bool, Bools: []bool{false, true, true, true, false}, Valid: valid}, 2, 2, 0},
		{analysis.Column{Type: analysis.Int, Ints: []int64{0, 1, 7, 7, -1}, Valid: valid}, 1, 1, 2},
		{analysis.Column{Type: analysis.Float, Floats: []float64{0, 1, 0.5, 0.5, 1}, Valid: valid}, 1, 2, 1},
		{analysis.Column{Type: analysis.Absent}, 0, 0, 0},
		{analysis.Column{Type: analysis.String, Codes: make([]int32, 5), Dict: actionDict()}, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.label.Type.String(), func(t *testing.T) {
			c := analysis.NewCollector(spec)
			err := c.Add(&analysis.Batch{Rows: 5, Columns: []analysis.Column{tt.label,
				{Type: analysis.Float, Floats: []float64{0.1, 0.2, 0.3, 0.4, 0.5}, Valid: []bool{true, true, true, true, true}}}})
			if err != nil {
				t.Fatal(err)
			}
			s, err := c.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			sc := &s.Column("score").Scores
			if sc.By(1).N() != tt.neg || sc.By(2).N() != tt.pos || sc.All().N() != 5 {
				t.Errorf("%d negative, %d positive of %d", sc.By(1).N(), sc.By(2).N(), sc.All().N())
			}
			if got := s.Column("label").InvalidLabels; got != tt.invalid {
				t.Errorf("%d invalid labels, want %d", got, tt.invalid)
			}
		})
	}
}

func FuzzSnapshotBinary(f *testing.F) {
	f.Add([]byte(bytesOf(f, collect(f, randomRows(9, 20)))))
	f.Add([]byte("rampguard snapshot\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s analysis.Snapshot
		if s.UnmarshalBinary(analysis.Reseal(b)) != nil {
			return
		}
		// What was accepted must be usable and write itself out again.
		again := bytesOf(t, &s)
		var r analysis.Snapshot
		if err := r.UnmarshalBinary([]byte(again)); err != nil {
			t.Fatalf("an accepted snapshot does not read back: %v", err)
		}
		if err := r.Merge(&s); err != nil {
			t.Fatalf("an accepted snapshot does not merge with itself: %v", err)
		}
	})
}

func FuzzSnapshotJSON(f *testing.F) {
	b, err := json.Marshal(collect(f, randomRows(10, 20)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var s analysis.Snapshot
		if json.Unmarshal(b, &s) != nil {
			return
		}
		var r analysis.Snapshot
		if err := r.UnmarshalBinary([]byte(bytesOf(t, &s))); err != nil {
			t.Fatalf("an accepted snapshot does not read back: %v", err)
		}
	})
}
