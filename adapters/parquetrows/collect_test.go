package parquetrows_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// logSpec gives roles to some of the columns of allTypes.
func logSpec(t testing.TB, columns []column) *analysis.Spec {
	t.Helper()
	roles := map[string]analysis.Role{"half": analysis.Score, "bool_null": analysis.Label, "uuid": analysis.Unit, "micros": analysis.Clock, "enum": analysis.Action}
	var specs []analysis.ColumnSpec
	for _, c := range columns {
		specs = append(specs, analysis.ColumnSpec{Name: c.name, Role: roles[c.name]})
	}
	spec, err := analysis.NewSpec(analysis.Binary, specs...)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// TestHowRowsAreSpread collects the same rows from one file and from seven, with
// one worker and with eight: the bytes of the snapshot are the same.
func TestHowRowsAreSpread(t *testing.T) {
	const rows = 2000
	e := encodingSets["dictionary"]
	columns := allTypes(e[0], e[1], e[2], e[3])
	spec := logSpec(t, columns)
	dir := t.TempDir()
	write := func(name string, from, n int, l layout) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, encodeTable(t, columns, from, n, l.options()...), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one := write("one.parquet", 0, rows, layout{&parquet.Zstd, 1, 1 << 20, rows, 0})
	for i := range 7 {
		from, to := i*rows/7, (i+1)*rows/7
		write(fmt.Sprintf("part-%d.parquet", i), from, to-from, layout{codecs[i%len(codecs)], 1 + i%2, 300 << i, 100, int64(i) * 200})
	}
	parts := filepath.Join(dir, "part-?.parquet")
	want, err := parquetrows.Collect(context.Background(), spec, parquetrows.Options{Workers: 1}, one)
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{1, 8} {
		for _, batch := range []int{1, 100, 0} {
			for _, pattern := range []string{one, parts} {
				got, err := parquetrows.Collect(context.Background(), spec, parquetrows.Options{Workers: workers, BatchRows: batch}, pattern)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(marshal(t, got), marshal(t, want)) {
					t.Errorf("%d workers, batches of %d, %s: the snapshot differs", workers, batch, filepath.Base(pattern))
				}
			}
		}
	}
}

// flight is a row of the flight logs.
type flight struct {
	Action      string    `parquet:"action"`
	Destination string    `parquet:"destination"`
	Distance    int32     `parquet:"distance"`
	Dow         int32     `parquet:"dow"`
	Hour        int32     `parquet:"hour"`
	Label       *bool     `parquet:"label,optional"`
	Origin      string    `parquet:"origin"`
	RequestID   int64     `parquet:"request_id"`
	Score       float64   `parquet:"score"`
	TS          time.Time `parquet:"ts,timestamp(millisecond)"`
}

func (f flight) values() map[string]any {
	var label any
	if f.Label != nil {
		label = *f.Label
	}
	return map[string]any{"action": f.Action, "destination": f.Destination, "distance": int64(f.Distance), "dow": int64(f.Dow),
		"hour": int64(f.Hour), "label": label, "origin": f.Origin, "request_id": f.RequestID, "score": f.Score, "ts": f.TS.UnixMicro()}
}

// TestFlights compares real logs, value by value, with what the library's row
// reader makes of them.
func TestFlights(t *testing.T) {
	const path = "../../testdata/flights/candidate_broken.parquet"
	rows, err := parquet.ReadFile[flight](path)
	if err != nil {
		t.Fatal(err)
	}
	spec := specOf(t, "action", "destination", "distance", "dow", "hour", "label", "origin", "request_id", "score", "ts")
	got, err := readAll(path, spec, parquetrows.Options{BatchRows: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		for name, want := range row.values() {
			if got[name][i] != want {
				t.Fatalf("row %d: %s is %v, want %v", i, name, got[name][i], want)
			}
		}
	}
	for name, values := range got {
		if len(values) != len(rows) {
			t.Errorf("%s has %d values, want %d", name, len(values), len(rows))
		}
	}
}

// TestDictionaryFallback reads columns that outgrow their dictionary, far enough
// that ours is given up, too.
func TestDictionaryFallback(t *testing.T) {
	const rows = 150_000
	name := func(i int) string { return fmt.Sprintf("name-%d", mix(i)%120_000) }
	columns := []column{
		{"float", parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.RLEDictionary), analysis.Float, func(i int) (parquet.Value, any) {
			x := float64(mix(i)%5000) / 3
			return parquet.DoubleValue(x), x
		}},
		{"name", parquet.Encoded(parquet.String(), &parquet.RLEDictionary), analysis.String, func(i int) (parquet.Value, any) {
			return parquet.ByteArrayValue([]byte(name(i))), name(i)
		}},
	}
	l := layout{&parquet.Snappy, 1, 20_000, rows, 30_000}
	file := encodeTable(t, columns, 0, rows, l.options()...)
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, chunk := range f.RowGroups()[0].ColumnChunks() {
		pages, kinds := chunk.Pages(), map[bool]int{}
		for p, err := pages.ReadPage(); err == nil; p, err = pages.ReadPage() {
			kinds[p.Dictionary() != nil]++
		}
		if kinds[true] == 0 || kinds[false] == 0 {
			t.Fatalf("the file has %d pages with a dictionary and %d without, the test needs both", kinds[true], kinds[false])
		}
	}
	checkTable(t, columns, rows, parquetrows.Options{BatchRows: 999}, l.options()...)
	got, err := readAll(writeFile(t, "log.parquet", file), unitSpec(t, "name"), parquetrows.Options{BatchRows: 999})
	if err != nil || !reflect.DeepEqual(got["name"], wantAll(columns[1:], 0, rows)["name"]) {
		t.Errorf("as units, the names differ (%v)", err)
	}
}

func TestPatterns(t *testing.T) {
	dir := t.TempDir()
	file := encodeTable(t, damageColumns("plain"), 0, 5)
	for _, name := range []string{"b.parquet", "a.parquet", "c.txt", "a[1].parquet"} {
		if err := os.WriteFile(filepath.Join(dir, name), file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "d.parquet"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "a.parquet"), filepath.Join(dir, "latest.parquet")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, tt := range []struct {
		patterns []string
		files    int
		err      error
		says     string
	}{
		{[]string{"a.parquet"}, 1, nil, ""},
		{[]string{"*.parquet"}, 3, nil, ""}, // the link is a.parquet, the folder no file
		{[]string{"b.parquet", "./b.parquet", "*.parquet", filepath.Join(dir, "b.parquet")}, 3, nil, ""},
		{[]string{"a[1].parquet"}, 1, nil, ""},
		{nil, 0, parquetrows.ErrNoFiles, "no pattern"},
		{[]string{"a.parquet", "x*.parquet"}, 0, parquetrows.ErrNoFiles, "x*.parquet: the pattern matches nothing"},
		{[]string{"d*.parquet"}, 0, parquetrows.ErrNoFiles, "d*.parquet"},
		{[]string{"x.parquet"}, 0, parquetrows.ErrNoFiles, "x.parquet"},
		{[]string{"x.parquet"}, 0, fs.ErrNotExist, ""},
		{[]string{"x[.parquet"}, 0, filepath.ErrBadPattern, "x[.parquet"},
	} {
		files := 0
		o := parquetrows.Options{Progress: func(p parquetrows.Progress) { files = p.TotalFiles }}
		s, err := parquetrows.Collect(context.Background(), specOf(t, "int64"), o, tt.patterns...)
		if !errors.Is(err, tt.err) || (err != nil && !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%q: error %v, want %v saying %q", tt.patterns, err, tt.err, tt.says)
		}
		if files != tt.files || (err == nil && s.RowCount != uint64(5*files)) {
			t.Errorf("%q: %d files, want %d", tt.patterns, files, tt.files)
		}
	}
	if _, err := parquetrows.Schema("x.parquet"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "x.parquet") {
		t.Errorf("Schema: error %v", err)
	}
}

func TestOptions(t *testing.T) {
	path := writeFile(t, "log.parquet", encodeTable(t, damageColumns("plain"), 0, 5))
	for _, o := range []parquetrows.Options{{Workers: -1}, {BatchRows: -1}, {BatchRows: 1<<20 + 1}} {
		if _, err := parquetrows.Collect(context.Background(), specOf(t, "int64"), o, path); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: error %v", o, err)
		}
	}
	if _, err := parquetrows.Open(path, specOf(t, "int64"), parquetrows.Options{BatchRows: -1}); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("Open: error %v", err)
	}
}

// manyGroups writes two files of four row groups.
func manyGroups(t testing.TB) (paths []string, spec *analysis.Spec) {
	t.Helper()
	columns := damageColumns("plain")
	for i := range 2 {
		l := layout{codecs[1+i], 2, 4000, 250, 0}
		paths = append(paths, writeFile(t, "log.parquet", encodeTable(t, columns, i*1000, 1000, l.options()...)))
	}
	return paths, specOf(t, namesOf(columns)...)
}

func TestProgress(t *testing.T) {
	paths, spec := manyGroups(t)
	var steps []parquetrows.Progress
	o := parquetrows.Options{Workers: 3, Progress: func(p parquetrows.Progress) { steps = append(steps, p) }}
	if _, err := parquetrows.Collect(context.Background(), spec, o, paths...); err != nil {
		t.Fatal(err)
	}
	if len(steps) != 8 {
		t.Errorf("%d reports, want one for each of 8 row groups", len(steps))
	}
	for i, p := range steps {
		if i > 0 && (p.Rows < steps[i-1].Rows || p.Bytes < steps[i-1].Bytes || p.Files < steps[i-1].Files) {
			t.Errorf("progress goes back: %+v after %+v", p, steps[i-1])
		}
	}
	last := steps[len(steps)-1]
	want := parquetrows.Progress{Rows: 2000, TotalRows: 2000, Files: 2, TotalFiles: 2, Bytes: last.TotalBytes, TotalBytes: last.TotalBytes}
	if diff := cmp.Diff(want, last); diff != "" || last.TotalBytes == 0 {
		t.Error(diff)
	}
}

func TestCancel(t *testing.T) {
	paths, spec := manyGroups(t)
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	o := parquetrows.Options{Workers: 2, Progress: func(parquetrows.Progress) { cancel() }}
	if _, err := parquetrows.Collect(ctx, spec, o, paths...); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	cause := errors.New("enough")
	ctx, stop := context.WithCancelCause(context.Background())
	stop(cause)
	if _, err := parquetrows.Collect(ctx, spec, o, paths...); !errors.Is(err, cause) {
		t.Errorf("error %v", err)
	}
	for i := 0; runtime.NumGoroutine() > before && i < 100; i++ {
		time.Sleep(time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines are left of %d", n-before, n)
	}
}

// TestChangedFile writes to a file while it is read.
func TestChangedFile(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"touched":   func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)) },
		"truncated": func(path string) error { return os.Truncate(path, 1000) },
		"appended to": func(path string) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, append(b, 0), 0o600)
		},
	} {
		for k, which := range []string{"the open file", "the next file"} {
			t.Run(name+" "+which, func(t *testing.T) {
				paths, spec := manyGroups(t)
				slices.Sort(paths)
				var failed error
				o := parquetrows.Options{Workers: 1, Progress: func(p parquetrows.Progress) {
					if p.Rows == 250 {
						failed = change(paths[k])
					}
				}}
				_, err := parquetrows.Collect(context.Background(), spec, o, paths...)
				if failed != nil || !errors.Is(err, parquetrows.ErrCorrupt) || !strings.Contains(err.Error(), paths[k]) {
					t.Errorf("error %v (%v)", err, failed)
				}
			})
		}
	}
}

func TestReaderEnds(t *testing.T) {
	paths, spec := manyGroups(t)
	r, err := parquetrows.Open(paths[0], spec, parquetrows.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b analysis.Batch
	if err := r.Next(&b); err != nil || b.Rows != 250 || r.Rows() != 1000 {
		t.Errorf("batch of %d rows, file of %d: %v", b.Rows, r.Rows(), err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Next(&b); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("after Close: error %v", err)
	}
}

// TestAllocations holds that what is allocated depends on pages, not on rows.
func TestAllocations(t *testing.T) {
	type row struct {
		A float64  `parquet:"a"`
		B *float64 `parquet:"b,optional"`
		C string   `parquet:"c,dict"`
		D string   `parquet:"d"`
		E *bool    `parquet:"e,optional"`
		F int64    `parquet:"f,delta"`
	}
	write := func(n int) string {
		var file bytes.Buffer
		w := parquet.NewGenericWriter[row](&file, parquet.Compression(&parquet.Snappy))
		rows := make([]row, n)
		for i := range rows {
			x, yes := float64(i%1000), i%2 == 0
			rows[i] = row{A: x, C: fmt.Sprint("c", i%7), D: fmt.Sprint("d", i%300), F: int64(i)}
			if i%3 > 0 {
				rows[i].B, rows[i].E = &x, &yes
			}
		}
		if _, err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return writeFile(t, "log.parquet", file.Bytes())
	}
	spec := specOf(t, "a", "b", "c", "d", "e", "f")
	count := func(path string) float64 {
		return testing.AllocsPerRun(2, func() {
			if _, err := parquetrows.Collect(context.Background(), spec, parquetrows.Options{Workers: 1}, path); err != nil {
				t.Fatal(err)
			}
		})
	}
	few, many := count(write(20_000)), count(write(200_000))
	if perRow := (many - few) / 180_000; perRow > 0.02 {
		t.Errorf("%v allocations per row", perRow)
	} else {
		t.Logf("%v allocations for 20000 rows, %v for 200000: %.5f per row", few, many, perRow)
	}
}
