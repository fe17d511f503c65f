package pairjoin_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/adapters/csvrows"
	"github.com/rampguard/rampguard/adapters/pairjoin"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// once is a stream of one batch.
type once struct {
	b    analysis.Batch
	done bool
}

func (o *once) Next(b *analysis.Batch) error {
	if o.done {
		return io.EOF
	}
	o.done = true
	*b = o.b
	return nil
}

const flights = "../../testdata/flights/shadow.parquet"

func flightSpec(t testing.TB, s analysis.PairSpec) *analysis.PairSpec {
	t.Helper()
	s.Task, s.Baseline, s.Candidate, s.Unit, s.Time = analysis.Binary, "champion_score", "challenger_score", "request_id", "ts"
	s.Label = "label"
	s.BaselineCuts, s.CandidateCuts = []float64{0.15, 0.25}, []float64{0.15, 0.25}
	s.Slices = []analysis.SliceSpec{{Columns: []analysis.SliceColumn{{Name: "origin"}}}, {Columns: []analysis.SliceColumn{{Name: "dow"}}}}
	out, err := analysis.NewPairSpec(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// readRows reads all rows of a log with both scores.
func readRows(t testing.TB, spec *analysis.Spec, path string) []row {
	t.Helper()
	f := pairjoin.NewFiles(pairjoin.Parquet(spec), path)
	var out []row
	var b analysis.Batch
	var err error
	for err = f.Next(&b); err == nil; err = f.Next(&b) {
		for i := range b.Rows {
			x := row{}
			for k, c := range b.Columns {
				name := spec.Columns[k].Name
				if c.Valid != nil && !c.Valid[i] {
					continue
				}
				switch c.Type {
				case analysis.Float:
					x[name] = c.Floats[i]
				case analysis.Int, analysis.Time:
					x[name] = c.Ints[i]
				case analysis.Bool:
					x[name] = c.Bools[i]
				case analysis.String:
					x[name] = c.Dict.Values[c.Codes[i]]
				case analysis.Absent:
				}
			}
			out = append(out, x)
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return out
}

// A log with both scores that is taken apart into two shuffled logs and joined again
// gives the bytes that it gives as it is.
func TestFlightsTakenApartAndJoined(t *testing.T) {
	spec := flightSpec(t, analysis.PairSpec{})
	whole, err := pairjoin.Collect(t.Context(), spec, pairjoin.NewFiles(pairjoin.Parquet(spec.Spec()), flights), pairjoin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if whole.RowCount != 60_000 {
		t.Fatalf("%d rows, want the 60,000 of the README", whole.RowCount)
	}
	want, err := whole.Digest()
	if err != nil {
		t.Fatal(err)
	}
	rows := readRows(t, spec.Spec(), flights)
	r := rand.New(rand.NewPCG(1, 2))
	half := func(score string, keep ...string) []row {
		out := make([]row, len(rows))
		for i, k := range r.Perm(len(rows)) {
			x := row{"score": rows[k][score], "request_id": rows[k]["request_id"]}
			for _, name := range keep {
				if v := rows[k][name]; v != nil {
					x[name] = v
				}
			}
			out[i] = x
		}
		return out
	}
	for _, o := range []pairjoin.Options{{}, {MemoryLimit: 1 << 20, TempDir: t.TempDir()}} {
		// The label is only in the log of the candidate, as are the days.
		a, b := logs(t, spec, "", 5000, half("champion_score", "ts", "origin"), half("challenger_score", "label", "dow", "origin"))
		got, err := pairjoin.Join(t.Context(), a, b, spec, o)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := got.Pairs.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if digest != want {
			t.Errorf("%+v: digest %s, want %s", o, digest, want)
		}
		if (got.Spilled > 0) != (o.MemoryLimit > 0) {
			t.Errorf("%+v: %d bytes went to a file", o, got.Spilled)
		}
	}
}

func TestNoRows(t *testing.T) {
	spec := shadow(t)
	some := []row{{"id": int64(1), "score": 0.5}, {"id": int64(2), "score": 0.25}, {"score": 0.5}}
	for _, tt := range []struct {
		baseline, candidate []row
		want                [2]pairjoin.Side
	}{
		{nil, nil, [2]pairjoin.Side{}},
		{some, nil, [2]pairjoin.Side{{Rows: 3, NoID: 1, Only: 2}, {}}},
		{nil, some, [2]pairjoin.Side{{}, {Rows: 3, NoID: 1, Only: 2}}},
	} {
		a, b := logs(t, spec, "", 10, tt.baseline, tt.candidate)
		r, err := pairjoin.Join(t.Context(), a, b, spec, pairjoin.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, [2]pairjoin.Side{r.Baseline, r.Candidate}); d != "" || r.Pairs.RowCount != 0 {
			t.Errorf("%d pairs (-want +got):\n%s", r.Pairs.RowCount, d)
		}
		if r.Pairs.OnlyBaseline != tt.want[0].Only+tt.want[0].NoID || r.Pairs.OnlyCandidate != tt.want[1].Only+tt.want[1].NoID {
			t.Errorf("without a partner: %d and %d", r.Pairs.OnlyBaseline, r.Pairs.OnlyCandidate)
		}
	}
}

// The label comes from either log. Where both have one, a flag and a number agree
// when they mean the same.
func TestLabels(t *testing.T) {
	spec := shadow(t)
	labels := func(values ...any) []row {
		var out []row
		for i, v := range values {
			x := row{"id": int64(i), "score": 0.5}
			if v != nil {
				x["label"] = v
			}
			out = append(out, x)
		}
		return out
	}
	for _, candidate := range [][]row{
		labels(nil, nil, true, true, true, false),
		labels(nil, nil, int64(1), int64(1), int64(1), int64(0)),
		labels(nil, nil, 1.0, 1.0, 1.0, 0.0),
	} {
		a, b := logs(t, spec, "", 10, labels(nil, true, nil, true, false, false), candidate)
		r, err := pairjoin.Join(t.Context(), a, b, spec, pairjoin.Options{})
		if err != nil {
			t.Fatal(err)
		}
		pos, ok := r.Pairs.Grid.Decisions(0.5, 0.5, 2)
		neg, _ := r.Pairs.Grid.Decisions(0.5, 0.5, 1)
		none, _ := r.Pairs.Grid.Decisions(0.5, 0.5, 0)
		if got := [4]uint64{pos.Total(), neg.Total(), none.Total(), r.LabelConflicts}; !ok || got != [4]uint64{3, 1, 2, 1} {
			t.Errorf("positive, negative, unlabelled, in conflict: %v", got)
		}
	}
}

// The unit may repeat when requests have an id of their own.
func TestJoinByAnotherColumn(t *testing.T) {
	spec := shadow(t)
	for _, person := range []any{int64(4), "ann"} {
		var rows, both []row
		for i := range 10 {
			rows = append(rows, row{"id": person, "trace": int64(i), "score": 0.5})
			both = append(both, row{"id": person, "champion": 0.5, "challenger": 0.5})
		}
		a, b := logs(t, spec, "trace", 3, rows, rows)
		r, err := pairjoin.Join(t.Context(), a, b, spec, pairjoin.Options{ID: "trace"})
		if err != nil {
			t.Fatal(err)
		}
		direct, err := pairjoin.Collect(t.Context(), spec, &table{spec: spec.Spec(), rows: both, batch: 10}, pairjoin.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err1 := r.Pairs.Digest()
		want, err2 := direct.Digest()
		if err := errors.Join(err1, err2); err != nil || got != want || r.Pairs.RowCount != 10 || r.Pairs.Units.Clustering() != 10 {
			t.Errorf("%v: %d pairs with %g rows a person, digest %s, want %s: %v", person, r.Pairs.RowCount, r.Pairs.Units.Clustering(), got, want, err)
		}
	}
}

// Files of several formats are one log.
func TestFilesOfText(t *testing.T) {
	spec, dir := shadow(t), t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first := write("1.csv", "id,champion,challenger,label\n1,0.5,0.25,true\n2,0.75,0.5,\n")
	second := write("2.csv", "id,champion,challenger,label\n3,0.125,0.25,false\n")
	open := func(path string) (pairjoin.File, error) { return csvrows.Open(path, spec.Spec(), csvrows.Options{}) }
	s, err := pairjoin.Collect(t.Context(), spec, pairjoin.NewFiles(open, first, second), pairjoin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.RowCount != 3 {
		t.Errorf("%d pairs, want 3", s.RowCount)
	}
	missing := write("3.csv", "id,champion,label\n3,0.125,false\n")
	if _, err := pairjoin.Collect(t.Context(), spec, pairjoin.NewFiles(open, missing), pairjoin.Options{}); !errors.Is(err, stats.ErrMismatch) || !strings.Contains(err.Error(), `no column "challenger"`) {
		t.Errorf("a log without a score: %v", err)
	}
	f := pairjoin.NewFiles(pairjoin.Parquet(spec.Spec()), filepath.Join(dir, "nowhere.parquet"))
	for range 2 {
		if err := f.Next(new(analysis.Batch)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a file that is not there: %v", err)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pairjoin.Collect(ctx, spec, pairjoin.NewFiles(open, first), pairjoin.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
