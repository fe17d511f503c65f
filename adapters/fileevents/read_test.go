package fileevents_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // zones on every machine

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/rampguard/rampguard/adapters/fileevents"
	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func read(t testing.TB, text string, o fileevents.Options) fileevents.Result {
	t.Helper()
	r, err := fileevents.Read(strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	if o.Form != fileevents.Wide && r.Rows < r.BadTotal {
		t.Fatalf("%d rows, %d bad", r.Rows, r.BadTotal)
	}
	return r
}

var want = []leadtime.Event{
	{ID: "1", Source: "registry", Line: 1, Kind: leadtime.SignOff, Model: "fraud", Version: "12", Track: leadtime.FastTrack, At: at("2025-03-01T01:00:00Z")},
	{ID: "2", Source: "ci", Line: 2, Kind: leadtime.StageEnd, Model: "fraud", Version: "12", Stage: "validation", Attempt: 2,
		Outcome: leadtime.Failed, At: at("2025-03-01T03:30:00.25Z"), Earliest: at("2025-03-01T03:29:00Z"), Ref: "job 7"},
	{ID: "3", Line: 3, Kind: leadtime.TrafficChange, Model: "fraud", Version: "12", Env: "production", Region: "eu", TrafficPct: 12.5, At: at("2025-03-02T00:00:00Z")},
	{ID: "4", Line: 4, Kind: leadtime.DriftAlert, Model: "fraud", At: at("2025-03-03T00:00:00Z")},
}

const longJSON = `{"id":1,"source":"registry","kind":"signoff","model":"fraud","version":"12","track":"fast_track","at":"2025-03-01T02:00:00+01:00"}
{"id":"2", "source":"ci","kind":"stage_end","model":"fraud","version":12,"stage":"validation","attempt":2,"outcome":"failed","at":"2025-03-01 03:30:00.25Z","earliest":"2025-03-01T03:29:00Z","ref":"job\u00207"}
{"id":"3","kind":"traffic_change","model":"fraud","version":"12","env":"production","region":"eu","traffic_pct":12.5,"at":"2025-03-02T00:00:00Z","stage":null,"track":""}
{"id":"4","kind":"drift_alert","model":"fraud","at":"2025-03-03T00:00:00Z"}
`

const longCSV = `id,source,kind,model,version,env,region,stage,attempt,at,earliest,track,outcome,traffic_pct,ref
1,registry,signoff,fraud,12,,,,,2025-03-01T02:00:00+01:00,,fast_track,,,
2,ci,stage_end,"fraud",12,,,validation,2.0,2025-03-01T03:30:00.25Z,2025-03-01T03:29:00Z,,failed,, "job 7"
3,,traffic_change,fraud,12,production,eu,,,2025-03-02T00:00:00Z,,,,12.5,
4,,drift_alert,fraud,,,,,,2025-03-03T00:00:00Z,,,,,
`

// shifted are the wanted events as they are below a line of names.
func shifted(by int) []leadtime.Event {
	out := append([]leadtime.Event(nil), want...)
	for i := range out {
		out[i].Line += by
	}
	return out
}

func TestLongFormsAgree(t *testing.T) {
	for _, c := range []struct {
		name, text string
		lines      int
		o          fileevents.Options
	}{
		{"JSON Lines", longJSON, 0, fileevents.Options{}},
		{"CSV", longCSV, 1, fileevents.Options{}},
		{"CR LF and BOM", "\ufeff" + strings.ReplaceAll(longCSV, "\n", "\r\n"), 1, fileevents.Options{}},
		{"CR LF and BOM, JSON", "\ufeff" + strings.ReplaceAll(longJSON, "\n", "\r\n"), 0, fileevents.Options{}},
		{"semicolons", strings.ReplaceAll(longCSV, ",", ";"), 1, fileevents.Options{}},
		{"tabs", strings.ReplaceAll(longCSV, ",", "\t"), 1, fileevents.Options{Form: fileevents.Long}},
		{"no newline at the end", strings.TrimRight(longJSON, "\n"), 0, fileevents.Options{Format: fileevents.JSONLines}},
		{"gzip", zipped(t, longCSV), 1, fileevents.Options{Name: "x.csv.gz"}},
	} {
		got := read(t, c.text, c.o)
		if diff := cmp.Diff(shifted(c.lines), got.Events); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if got.Rows != 4 || got.BadTotal != 0 || got.Bad != nil || got.Ignored != nil {
			t.Errorf("%s: %+v", c.name, got.Intake)
		}
	}
}

func zipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type stored struct {
	ID         int64     `parquet:"id"`
	Source     *string   `parquet:"source,optional"`
	Kind       string    `parquet:"kind,dict"`
	Model      string    `parquet:"model,dict"`
	Version    *string   `parquet:"version,optional"`
	Env        string    `parquet:"env"`
	Region     string    `parquet:"region"`
	Stage      string    `parquet:"stage"`
	Attempt    *float64  `parquet:"attempt,optional"`
	At         time.Time `parquet:"at,timestamp(microsecond)"`
	Earliest   *int64    `parquet:"earliest,optional"`
	Track      string    `parquet:"track"`
	Outcome    string    `parquet:"outcome"`
	TrafficPct *float64  `parquet:"traffic_pct,optional"`
	Ref        string    `parquet:"ref"`
	Team       string    `parquet:"team"`
}

func parquetLog(t testing.TB) []byte {
	t.Helper()
	rows := make([]stored, len(want))
	for i, e := range want {
		rows[i] = stored{ID: int64(i + 1), Kind: e.Kind.String(), Model: e.Model, Env: string(e.Env), Region: e.Region, Stage: e.Stage,
			At: e.At, Track: string(e.Track), Ref: e.Ref, Team: "risk"}
		if e.Source != "" {
			rows[i].Source = &e.Source
		}
		if e.Version != "" {
			rows[i].Version = &e.Version
		}
		if e.Attempt > 0 {
			x := float64(e.Attempt)
			rows[i].Attempt = &x
			s := e.Earliest.Unix()
			rows[i].Earliest, rows[i].Outcome = &s, "failed"
		}
		if e.TrafficPct > 0 {
			rows[i].TrafficPct = &e.TrafficPct
		}
	}
	return write(t, rows)
}

func write[T any](t testing.TB, rows []T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := parquet.Write(&b, rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestParquet(t *testing.T) {
	log := parquetLog(t)
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, log, 0o600); err != nil {
		t.Fatal(err)
	}
	o := fileevents.Options{EpochUnit: time.Second}
	fromFile, err := fileevents.ReadFile(path, o)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]fileevents.Result{
		"file": fromFile, "reader": read(t, string(log), o), "gzip": read(t, zipped(t, string(log)), o),
	} {
		if diff := cmp.Diff(want, got.Events); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(fileevents.Intake{Rows: 4, Ignored: []string{"team"}}, got.Intake); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestParquetClocks(t *testing.T) {
	type row struct {
		Kind, Model, Version string
		At                   int64 `parquet:",timestamp(microsecond:local)"`
	}
	type dated struct {
		Kind, Model, Version string
		At                   int32 `parquet:",date"`
	}
	lower := func(b []byte) string { // the names of the columns
		for _, name := range []string{"Kind", "Model", "Version", "At"} {
			b = bytes.ReplaceAll(b, []byte(name), []byte(strings.ToLower(name)))
		}
		return string(b)
	}
	naive := lower(write(t, []row{{"signoff", "m", "1", at("2025-07-01T02:00:00Z").UnixMicro()}}))
	got := read(t, naive, fileevents.Options{})
	if len(got.Bad) != 1 || got.Bad[0].Reason != fileevents.ReasonNoOffset || got.Bad[0].Text != "2025-07-01T02:00:00Z" {
		t.Errorf("a local timestamp without zone: %+v", got)
	}
	got = read(t, naive, fileevents.Options{AssumeZone: zone(t, "Europe/Berlin")})
	if len(got.Events) != 1 || !got.Events[0].At.Equal(at("2025-07-01T00:00:00Z")) {
		t.Errorf("a local timestamp in Berlin: %+v", got)
	}
	got = read(t, lower(write(t, []dated{{"signoff", "m", "1", 20000}})), fileevents.Options{})
	if len(got.Bad) != 1 || got.Bad[0].Reason != fileevents.ReasonWrongType || got.Bad[0].Text != "2024-10-04" {
		t.Errorf("a date: %+v", got)
	}
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestDamagedParquet(t *testing.T) {
	log := parquetLog(t)
	for n := range len(log) {
		if n%97 != 0 && n < len(log)-16 {
			continue
		}
		_, err := fileevents.Read(bytes.NewReader(log[:n]), fileevents.Options{Format: fileevents.Parquet, Name: "a.parquet"})
		if !errors.Is(err, parquetrows.ErrCorrupt) || !strings.Contains(err.Error(), "a.parquet") {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	for i := range len(log) { // flipped bits end in an error, bad rows or other events, not in a panic
		damaged := bytes.Clone(log)
		damaged[i] ^= 1 << (i % 8)
		_, _ = fileevents.Read(bytes.NewReader(damaged), fileevents.Options{Format: fileevents.Parquet})
	}
}

func TestInputsThatAreNotLogs(t *testing.T) {
	half := zipped(t, strings.Repeat(longCSV, 100))
	half = half[:len(half)-20]
	for name, c := range map[string]struct {
		text string
		o    fileevents.Options
		want error
		says string
	}{
		"no column kind":    {"id,model,at\n1,m,2025-03-01T02:00:00Z\n", fileevents.Options{}, fileevents.ErrFormat, `log:1: no column "kind" among id, model, at`},
		"no time column":    {"model,version\nm,1\n", fileevents.Options{Form: fileevents.Wide}, fileevents.ErrFormat, "no column with a time"},
		"no version":        {"model,sign_off\nm,1\n", fileevents.Options{}, fileevents.ErrFormat, `no column "version"`},
		"a JSON array":      {`[{"kind":"signoff"}]`, fileevents.Options{}, fileevents.ErrFormat, "JSON array"},
		"UTF-16":            {"\xff\xfek\x00i\x00", fileevents.Options{}, fileevents.ErrFormat, "UTF-16"},
		"binary":            {"\x00\x01\x02\xff\xfe\n", fileevents.Options{}, fileevents.ErrFormat, "the header is not_utf8"},
		"two of a name":     {"kind,model,at,at\n", fileevents.Options{}, fileevents.ErrFormat, `two columns named "at"`},
		"an open quote":     {"kind,\"model,at\n", fileevents.Options{}, fileevents.ErrFormat, "the header is malformed"},
		"a long header":     {strings.Repeat("x,", 200), fileevents.Options{MaxLine: 100}, fileevents.ErrFormat, "the header is too_long"},
		"half a gzip":       {half, fileevents.Options{}, io.ErrUnexpectedEOF, "log:"},
		"not a gzip":        {"\x1f\x8bxxxxxxxxxxxxxxxx", fileevents.Options{}, gzip.ErrHeader, "log: gzip"},
		"not Parquet":       {longCSV, fileevents.Options{Format: fileevents.Parquet}, parquetrows.ErrCorrupt, "not a Parquet file"},
		"many rows":         {longCSV, fileevents.Options{MaxRows: 3}, fileevents.ErrLimit, "log:5: more than 3 rows"},
		"an odd unit":       {longCSV, fileevents.Options{EpochUnit: time.Minute}, stats.ErrDomain, "1m0s"},
		"an odd form":       {longCSV, fileevents.Options{Form: 7}, stats.ErrDomain, "Form 7"},
		"a negative length": {longCSV, fileevents.Options{MaxLine: -1}, stats.ErrDomain, "MaxLine -1"},
	} {
		c.o.Name = "log"
		_, err := fileevents.Read(strings.NewReader(c.text), c.o)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "fileevents: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := fileevents.ReadFile("no such file.csv", fileevents.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	failing := io.MultiReader(strings.NewReader(longJSON), errorReader{})
	got, err := fileevents.Read(failing, fileevents.Options{})
	if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "input:5: ") || len(got.Events) != 4 {
		t.Errorf("a source that fails: %v, %d events", err, len(got.Events))
	}
}

var errBroken = errors.New("the disk is broken")

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errBroken }

func TestEmptyInputs(t *testing.T) {
	for _, text := range []string{"", "\n\n", "kind,model,at\n", "\ufeff", "\ufeffkind,model,at\r\n\r\n"} {
		if got := read(t, text, fileevents.Options{}); got.Rows != 0 || got.Events != nil || got.Bad != nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// endless is a line of n bytes followed by text.
func endless(n int, text string) io.Reader {
	return io.MultiReader(io.LimitReader(filler{}, int64(n)), strings.NewReader("\n"+text))
}

type filler struct{}

func (filler) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func TestHugeLine(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := fileevents.Read(endless(50<<20, longJSON), fileevents.Options{Name: "big.jsonl"})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
		t.Errorf("%d bytes were allocated for a line of 50 MB", n)
	}
	bad := fileevents.BadRow{File: "big.jsonl", Line: 1, Reason: fileevents.ReasonTooLong, Text: strings.Repeat("x", 80) + "..."}
	if diff := cmp.Diff(fileevents.Intake{Rows: 5, Bad: []fileevents.BadRow{bad}, BadTotal: 1}, got.Intake); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(shifted(1), got.Events); diff != "" {
		t.Error(diff)
	}
}

func TestLineOfExactlyMaxLine(t *testing.T) {
	line := `{"kind":"drift_alert","model":"m","at":"2025-03-01T02:00:00Z"}`
	for _, end := range []string{"", "\n", "\r\n"} {
		if got := read(t, line+end, fileevents.Options{MaxLine: len(line)}); len(got.Events) != 1 {
			t.Errorf("%q: %+v", end, got.Intake)
		}
		if got := read(t, line+end, fileevents.Options{MaxLine: len(line) - 1}); got.BadTotal != 1 || got.Bad[0].Reason != fileevents.ReasonTooLong {
			t.Errorf("%q, a byte less: %+v", end, got.Intake)
		}
	}
}

func TestMaxBadKeepsTheCount(t *testing.T) {
	text := "kind,model,at\n" + strings.Repeat("nonsense,m,2025-03-01T02:00:00Z\n", 1500)
	for most, want := range map[int]int{0: 1000, 3: 3, -1: 1500} {
		if got := read(t, text, fileevents.Options{MaxBad: most}); len(got.Bad) != want || got.BadTotal != 1500 || got.Rows != 1500 {
			t.Errorf("MaxBad %d: %d of %d", most, len(got.Bad), got.BadTotal)
		}
	}
}

func TestReadFilesCountsTogether(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "b.csv")
	for path, text := range map[string]string{a: longJSON + "{}\n", b: longCSV + "x\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := fileevents.ReadFiles([]string{a, b}, fileevents.Options{MaxRows: 5, MaxBad: 1, Source: "export"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Rows != 10 || got.BadTotal != 2 || len(got.Events) != 8 || len(got.Bad) != 1 || got.Bad[0].File != a || got.Bad[0].Line != 5 {
		t.Errorf("%+v", got.Intake)
	}
	if got.Events[2].Source != "export" || got.Events[1].Source != "ci" {
		t.Errorf("sources %q, %q", got.Events[2].Source, got.Events[1].Source)
	}
}

func TestOwnEncodingIsRead(t *testing.T) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, e := range want {
		if err := enc.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	got := read(t, b.String(), fileevents.Options{})
	if diff := cmp.Diff(want, got.Events); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"line"}, got.Ignored); diff != "" {
		t.Error(diff)
	}
}
