package analysis_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// TestFillSlice brings counts in place of rows: the snapshot is that of the rows.
func TestFillSlice(t *testing.T) {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "error"})
	if err != nil {
		t.Fatal(err)
	}
	cross := analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "country"}}, Measures: []string{"error"}, Cap: 2}
	if spec, err = spec.WithSlices(cross); err != nil {
		t.Fatal(err)
	}
	c := analysis.NewCollector(spec)
	dict := &analysis.Dict{Values: []string{"DE", "FR"}}
	if err := c.Add(&analysis.Batch{Rows: 3, Columns: []analysis.Column{
		{Type: analysis.String, Codes: []int32{0, 1, 0}, Dict: dict},
		{Type: analysis.Bool, Bools: []bool{true, false, false}},
	}}); err != nil {
		t.Fatal(err)
	}
	want, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}

	got := analysis.NewSnapshot(spec)
	got.RowCount = 3
	country, failed := got.Column("country"), got.Column("error")
	country.Type, failed.Type = analysis.String, analysis.Bool
	country.Category.AddN("DE", 2)
	country.Category.AddN("FR", 1)
	failed.Boolean.True, failed.Boolean.False = 1, 2
	for _, of := range []struct {
		name          string
		rows, yes, no uint64
	}{{"DE", 2, 1, 1}, {"FR", 1, 0, 1}} {
		s, err := got.FillSlice(&cross, []string{of.name})
		if err != nil {
			t.Fatal(err)
		}
		s.RowCount += of.rows
		col := s.Column("error")
		col.Type = analysis.Bool
		col.Boolean.True += of.yes
		col.Boolean.False += of.no
	}
	a, err := want.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	b, err := got.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("counts and rows give different snapshots")
	}

	other := analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "device"}}}
	for name, f := range map[string]func() (*analysis.Snapshot, error){
		"unknown cross": func() (*analysis.Snapshot, error) { return got.FillSlice(&other, []string{"x"}) },
		"two values":    func() (*analysis.Snapshot, error) { return got.FillSlice(&cross, []string{"x", "y"}) },
		"beyond cap":    func() (*analysis.Snapshot, error) { return got.FillSlice(&cross, []string{"IT"}) },
	} {
		if _, err := f(); !errors.Is(err, stats.ErrMismatch) {
			t.Errorf("%s: %v, want ErrMismatch", name, err)
		}
	}
}
