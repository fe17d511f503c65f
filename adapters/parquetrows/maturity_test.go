package parquetrows_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// flightsSpec asks for the flights with their labels, by origin, too.
func flightsSpec(t testing.TB) *analysis.Spec {
	t.Helper()
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "score", Role: analysis.Score, Cuts: []float64{0.25}}, analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "ts", Role: analysis.Clock}, analysis.ColumnSpec{Name: "request_id", Role: analysis.Unit},
		analysis.ColumnSpec{Name: "action", Role: analysis.Action}, analysis.ColumnSpec{Name: "distance"})
	if err != nil {
		t.Fatal(err)
	}
	spec, err = spec.WithSlices(analysis.SliceSpec{Columns: []analysis.SliceColumn{{Name: "origin"}}, Measures: []string{"score"}})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// TestMatureBefore: a cutoff in the middle of the real flights gives what the same
// flights give whose later labels were taken away by hand, however it is read.
func TestMatureBefore(t *testing.T) {
	const path = "../../testdata/flights/candidate.parquet"
	rows, err := parquet.ReadFile[flight](path)
	if err != nil {
		t.Fatal(err)
	}
	times := make([]time.Time, len(rows))
	for i, r := range rows {
		times[i] = r.TS
	}
	slices.SortFunc(times, time.Time.Compare)
	cutoff := times[len(times)/2]
	young := uint64(0)
	for i := range rows {
		if !rows[i].TS.Before(cutoff) {
			rows[i].Label = nil
			young++
		}
	}
	byHand := filepath.Join(t.TempDir(), "by_hand.parquet")
	if err := parquet.WriteFile(byHand, rows); err != nil {
		t.Fatal(err)
	}
	spec := flightsSpec(t)
	collect := func(o parquetrows.Options, path string) *analysis.Snapshot {
		s, err := parquetrows.Collect(context.Background(), spec, o, path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	got := collect(parquetrows.Options{Workers: 1, MatureBefore: cutoff}, path)
	if l := got.ByRole(analysis.Label); l.ImmatureLabels != young || young == 0 || l.Boolean.Trials() == 0 {
		t.Errorf("%d immature labels and %d others, want %d immature", l.ImmatureLabels, l.Boolean.Trials(), young)
	}
	if want := (analysis.Cutoffs{First: cutoff, Last: cutoff}); !got.MatureBefore.Equal(want) {
		t.Errorf("cutoffs %v, want %v", got.MatureBefore, want)
	}
	if w, g := withoutAge(t, collect(parquetrows.Options{}, byHand)), withoutAge(t, got); !reflect.DeepEqual(w, g) {
		t.Errorf("cut (-by hand +cut):\n%s", cmp.Diff(w, g))
	}
	for _, o := range []parquetrows.Options{{Workers: 8, MatureBefore: cutoff}, {Workers: 3, BatchRows: 77, MatureBefore: cutoff}} {
		if !bytes.Equal(marshal(t, collect(o, path)), marshal(t, got)) {
			t.Errorf("%d workers, batches of %d: the snapshot differs", o.Workers, o.BatchRows)
		}
	}

	timeless, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "label", Role: analysis.Label})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parquetrows.Collect(context.Background(), timeless, parquetrows.Options{MatureBefore: cutoff}, path); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("labels without a time: %v", err)
	}
}

// withoutAge is the JSON form of a snapshot without what only a cutoff brings.
func withoutAge(t testing.TB, s *analysis.Snapshot) any {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	var strip func(any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "immature_labels")
			delete(v, "mature_before")
			for _, x := range v {
				strip(x)
			}
		case []any:
			for _, x := range v {
				strip(x)
			}
		}
	}
	strip(v)
	return v
}
