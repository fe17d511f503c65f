package csvrows_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/csvrows"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// readAll returns the values of a column of a file, nil for a missing one, its
// type, and the bad rows.
func readAll(t testing.TB, path, name string, o csvrows.Options) (values []any, typ analysis.Type, bad []csvrows.BadRow, err error) {
	t.Helper()
	o.MaxBad = -1
	r, err := csvrows.Open(path, specOf(t, name), o)
	if err != nil {
		return nil, 0, nil, err
	}
	defer r.Close()
	var b analysis.Batch
	for {
		err := r.Next(&b)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			_, bad = r.Bad()
			return values, typ, bad, err
		}
		typ = b.Columns[0].Type
		for i := range b.Rows {
			values = append(values, valueAt(&b.Columns[0], i))
		}
	}
}

func valueAt(c *analysis.Column, i int) any {
	switch {
	case c.Valid != nil && !c.Valid[i]:
	case c.Type == analysis.Float:
		if c.Floats[i] != c.Floats[i] {
			return "NaN"
		}
		return c.Floats[i]
	case c.Type == analysis.Int, c.Type == analysis.Time:
		return c.Ints[i]
	case c.Type == analysis.Bool:
		return c.Bools[i]
	case c.Type == analysis.String:
		return c.Dict.Values[c.Codes[i]]
	}
	return nil
}

// TestInference holds the rule for types against columns of values.
func TestInference(t *testing.T) {
	inf := math.Inf(1)
	for _, tt := range []struct {
		cells string // by space; _ is an empty field
		typ   analysis.Type
		want  []any
	}{
		{"true False _ TRUE", analysis.Bool, []any{true, false, nil, true}},
		{"true 1", analysis.String, []any{"true", "1"}},
		{"1 -2 _ 0 NA -9223372036854775808", analysis.Int, []any{int64(1), int64(-2), nil, int64(0), nil, int64(math.MinInt64)}},
		{"1 2.5 -inf nan +Infinity 1e3 None", analysis.Float, []any{1.0, 2.5, -inf, "NaN", inf, 1000.0, nil}},
		{"NaN nan", analysis.Float, []any{"NaN", "NaN"}},
		{"1 1e999", analysis.String, []any{"1", "1e999"}},
		{"02134 1", analysis.String, []any{"02134", "1"}},
		{"9223372036854775808 1", analysis.String, []any{"9223372036854775808", "1"}},
		{"+1 2", analysis.String, []any{"+1", "2"}},
		{"0x10 1_000", analysis.String, []any{"0x10", "1_000"}},
		{"NA x", analysis.String, []any{"NA", "x"}},
		{"nan x", analysis.String, []any{"nan", "x"}},
		{"2025-03-01 2025-03-01T01:00:00.0000019+01:00", analysis.Time, []any{int64(1740787200_000000), int64(1740787200_000001)}},
		{"2025-03-01 2025-02-30", analysis.String, []any{"2025-03-01", "2025-02-30"}},
		{"_ NULL", analysis.Absent, []any{nil, nil}},
		{"- .", analysis.String, []any{"-", "."}},
	} {
		text := "y,x\n"
		for cell := range strings.FieldsSeq(tt.cells) {
			text += "0," + strings.ReplaceAll(cell, "_", "") + "\n"
		}
		if strings.Contains(tt.cells, "1_000") {
			text = "y,x\n0,0x10\n0,1_000\n"
		}
		got, typ, bad, err := readAll(t, writeFile(t, "log.csv", []byte(text)), "x", csvrows.Options{})
		if err != nil || len(bad) > 0 || typ != tt.typ || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v %v, bad %v, error %v; want %v %v", tt.cells, typ, got, bad, err, tt.typ, tt.want)
		}
	}
}

// TestStated reads columns of stated types, in which some values are bad.
func TestStated(t *testing.T) {
	for _, tt := range []struct {
		typ   analysis.Type
		o     csvrows.Options
		cells []string
		want  []any
		bad   string // reasons, in order
	}{
		{analysis.Int, csvrows.Options{}, []string{"1", "1.0", "+7", "abc", "9223372036854775808", "\"\""}, []any{int64(1), int64(7), nil}, `"1.0" is not an integer;"abc" is not an integer;"9223372036854775808" is not within the range of int64`},
		{analysis.Float, csvrows.Options{}, []string{"1", "1e999", "0x1p4", "1_0", "-0", "e5"}, []any{1.0, math.Copysign(0, -1)}, `"1e999" is not within the range of float64;"0x1p4" is not a number;"1_0" is not a number;"e5" is not a number`},
		{analysis.Bool, csvrows.Options{}, []string{"1", "t", "F", "yes"}, []any{true, true, false}, `"yes" is not true or false`},
		{analysis.String, csvrows.Options{Nulls: []string{"-"}}, []string{"-", "NA", "\"-\"", "x"}, []any{nil, "NA", nil, "x"}, ""},
		{analysis.Time, csvrows.Options{}, []string{"1700000000", "2025-03-01 00:00:00Z", "2025-03-01T24:00:00Z"}, []any{int64(1740787200_000000)}, `"1700000000" is not a time in RFC 3339;"2025-03-01T24:00:00Z" is not a time in RFC 3339`},
		{analysis.Time, csvrows.Options{EpochUnit: time.Second}, []string{"1700000000.1234567", "-0.0000001", "1969-12-31T23:59:59.9999999Z", "1e9"}, []any{int64(1700000000_123456), int64(-1), int64(-1)}, `"1e9" is not a time since 1970`},
		{analysis.Time, csvrows.Options{EpochUnit: time.Nanosecond}, []string{"1999", "-1", "99999999999999999999"}, []any{int64(1), int64(-1)}, `"99999999999999999999" is not a time since 1970`},
	} {
		o := tt.o
		o.Types = map[string]analysis.Type{"x": tt.typ}
		path := writeFile(t, "log.csv", []byte("x,y\n"+strings.Join(tt.cells, ",\n")+",\n"))
		got, _, bad, err := readAll(t, path, "x", o)
		var reasons []string
		for _, b := range bad {
			reasons = append(reasons, b.Reason)
		}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(tt.want) || strings.Join(reasons, ";") != tt.bad {
			t.Errorf("%v: %v, bad %q, error %v", tt.typ, got, reasons, err)
		}
	}
}

// TestRecords holds the grammar of CSV against records that are good and bad.
func TestRecords(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []any
		bad        string // lines and reasons
	}{
		{"quotes", "x,y\n\"a,b\",1\n\"say \"\"hi\"\"\",2\n\"\",3\n,4\n", []any{"a,b", `say "hi"`, "", nil}, ""},
		{"line breaks", "x,y\r\n\"a\r\nb\",1\r\nc,2\r\n", []any{"a\r\nb", "c"}, ""},
		{"byte order mark", "\xef\xbb\xbfx,y\na,1\n", []any{"a"}, ""},
		{"no last line break", "x,y\na,1", []any{"a"}, ""},
		{"blank lines", "\n\nx,y\n\na,1\n\r\n\n", []any{"a"}, ""},
		{"ragged", "x,y\na\nb,1\nc,1,2\nd,1\n", []any{"b", "d"}, "2: 1 fields, the header has 2;4: 3 fields, the header has 2"},
		{"open quote", "x,y\na,1\n\"b,1\nc,1\nd,1\n", []any{"a", "c", "d"}, "3: a quote is not closed"},
		{"quote within", "x,y\na\"b,1\nc,1\nd\"e,1\nf,1\n", []any{"c", "f"}, "2: a quote inside a field, or something after a closing quote;4: a quote is not closed"},
		{"after a quote", "x,y\n\"a\"b,1\nc,1\n", []any{"c"}, "2: a quote inside a field, or something after a closing quote"},
		{"not UTF-8", "x,y\n\xff\xfe,1\n", []any{"0xfffe"}, ""},
		{"one column", "x\na\n\nb\n", []any{"a", nil, "b"}, ""},
	} {
		path := writeFile(t, "log.csv", []byte(tt.text))
		got, _, bad, err := readAll(t, path, "x", csvrows.Options{BatchRows: 1})
		var lines []string
		for _, b := range bad {
			lines = append(lines, fmt.Sprintf("%d: %s", b.Line, b.Reason))
		}
		if err != nil || !reflect.DeepEqual(got, tt.want) || strings.Join(lines, ";") != tt.bad {
			t.Errorf("%s: %q, bad %q, error %v", tt.name, got, lines, err)
		}
	}
}

// TestObjects holds JSON Lines against objects that are good and bad.
func TestObjects(t *testing.T) {
	for _, tt := range []struct {
		line string
		want any    // of x, a String
		bad  string // part of the reason
	}{
		{`{"x": "a", "y": [1, {"x": "b"}, null]}`, "a", ""},
		{` { "y" : { } , "x" : "a\n\u00e9\ud83d\ude00\\" } `, "a\né😀\\", ""},
		{`{"x": "\ud800x"}`, "\ufffdx", ""},
		{`{"\u0078": "a"}`, "a", ""},
		{`{"x": 1.50}`, "1.50", ""},
		{`{"x": ""}`, "", ""},
		{`{"x": null}`, nil, ""},
		{`{}`, nil, ""},
		{`{"x": {"a": 1}}`, nil, "is not a text"},
		{`{"x": "a", "x": "b"}`, nil, "comes twice"},
		{`{"x": "a"`, nil, "ends too soon"},
		{`{"x": "a"} {}`, nil, "something follows"},
		{`{"x": "a",}`, nil, "no JSON object"},
		{`{"x": "a", "y": 01}`, nil, "no JSON object"},
		{`{"x": "a", "y": 1.}`, nil, "no JSON object"},
		{`{"x": "\x"}`, nil, "no JSON object"},
		{"{\"x\": \"a\tb\"}", nil, "no JSON object"},
		{`[1]`, nil, "no JSON object"},
		{`{"x": "a", "y": ` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`, nil, "deep"},
	} {
		path := writeFile(t, "log.jsonl", []byte(`{"x": "first"}`+"\n"+tt.line+"\n\n"))
		o := csvrows.Options{Types: map[string]analysis.Type{"x": analysis.String}}
		got, _, bad, err := readAll(t, path, "x", o)
		switch {
		case err != nil:
			t.Errorf("%s: error %v", tt.line, err)
		case tt.bad != "":
			if len(got) != 1 || len(bad) != 1 || bad[0].Line != 2 || !strings.Contains(bad[0].Reason, tt.bad) {
				t.Errorf("%s: %q, bad %v, want %q", tt.line, got, bad, tt.bad)
			}
		case len(got) != 2 || got[1] != tt.want || len(bad) > 0:
			t.Errorf("%s: %q, bad %v", tt.line, got, bad)
		}
	}
}

// TestNumbersInJSON infers types from JSON values, whose strings are no numbers.
func TestNumbersInJSON(t *testing.T) {
	for text, want := range map[string]analysis.Type{
		"1 2": analysis.Int, "1 2.5": analysis.Float, "1 NaN -Infinity": analysis.Float, `1 "NaN"`: analysis.Float, `"1" "2"`: analysis.String,
		"true null": analysis.Bool, `"2025-03-01"`: analysis.Time, `"true"`: analysis.String, "null": analysis.Absent,
	} {
		data := ""
		for cell := range strings.FieldsSeq(text) {
			data += `{"x": ` + cell + "}\n"
		}
		_, typ, bad, err := readAll(t, writeFile(t, "log.json", []byte(data)), "x", csvrows.Options{})
		if err != nil || len(bad) > 0 || typ != want && !(typ == analysis.Absent && want == analysis.String) {
			t.Errorf("%s: %v, want %v (bad %v, error %v)", text, typ, want, bad, err)
		}
	}
}

// TestBeyondTheSample has a value that the sample does not foretell.
func TestBeyondTheSample(t *testing.T) {
	for name, text := range map[string]string{
		"a.csv":   "x,y\n1,1\n2,1\n3.5,1\n",
		"b.csv":   "x,y\n,1\n,1\n7,1\n",
		"c.jsonl": "{\"y\": 1}\n{\"y\": 1}\n{\"x\": 1}\n",
	} {
		path := writeFile(t, name, []byte(text))
		r, err := csvrows.Collect(context.Background(), specOf(t, "x"), csvrows.Options{Sample: 2}, path)
		if !errors.Is(err, csvrows.ErrBadRows) || !strings.Contains(err.Error(), path+":") || r.Snapshot != nil || len(r.Bad) != 1 || r.Bad[0].Column != "x" {
			t.Errorf("%s: %+v, error %v", name, r, err)
		}
		r, err = csvrows.Collect(context.Background(), specOf(t, "x"), csvrows.Options{Sample: -1}, path)
		if err != nil || r.Rows != 3 {
			t.Errorf("%s, sampled whole: error %v", name, err)
		}
	}
}

// TestBadRows counts bad rows over several files, whatever the workers.
func TestBadRows(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for i := range 5 {
		text := "x,y\n"
		for k := range 100 {
			if k%10 == i {
				text += "oops,1\n"
			} else {
				text += fmt.Sprintf("%d,1\n", k)
			}
		}
		path := filepath.Join(dir, fmt.Sprintf("%d.csv", i))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	o := csvrows.Options{Types: map[string]analysis.Type{"x": analysis.Int}, BatchRows: 7, KeepBad: 23}
	for _, workers := range []int{1, 4} {
		o.Workers = workers
		for most, fails := range map[int]bool{-1: false, 50: false, 49: true, 10: true, 9: true, 0: true} {
			o.MaxBad = most
			r, err := csvrows.Collect(context.Background(), specOf(t, "x"), o, paths...)
			if errors.Is(err, csvrows.ErrBadRows) != fails || (r.Snapshot == nil) != fails {
				t.Fatalf("%d allowed: error %v", most, err)
			}
			if err != nil {
				if want := "the first is " + paths[0] + `:2: column "x": "oops" is not an integer`; !strings.Contains(err.Error(), want) {
					t.Errorf("%d allowed: error %v", most, err)
				}
				continue
			}
			if r.Rows != 450 || r.BadRows != 50 || len(r.Bad) != 23 || r.Snapshot.RowCount != 450 {
				t.Errorf("%d allowed: %d rows, %d bad, %d listed", most, r.Rows, r.BadRows, len(r.Bad))
			}
			if got := r.Bad[10].String(); got != paths[1]+`:3: column "x": "oops" is not an integer` {
				t.Errorf("the eleventh bad row is %s", got)
			}
		}
	}
}

// TestLongLines bounds the memory of a row, and counts what is longer.
func TestLongLines(t *testing.T) {
	long := strings.Repeat("a", 5000)
	for name, text := range map[string]string{
		"a.csv":   "x,y\nb,1\n" + long + ",1\nc,1\n\"" + long + "\n" + long + "\",1\nd,1\n",
		"b.jsonl": `{"x": "b"}` + "\n" + `{"x": "` + long + `"}` + "\n" + `{"x": "c"}` + "\n" + `{"x": "` + long + `"}` + "\n" + long + "\n" + `{"x": "d"}`,
	} {
		got, _, bad, err := readAll(t, writeFile(t, name, []byte(text)), "x", csvrows.Options{MaxLine: 1000})
		if err != nil || !reflect.DeepEqual(got, []any{"b", "c", "d"}) || len(bad) != 3 || !strings.Contains(bad[0].Reason, "more than 1000 bytes") ||
			fmt.Sprint(bad[0].Line, bad[1].Line, bad[2].Line) != map[string]string{"a.csv": "3 5 6", "b.jsonl": "2 4 5"}[name] {
			t.Errorf("%s: %q, bad %v, error %v", name, got, bad, err)
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	cut := gzipped([]byte("x,y\n" + strings.Repeat("1,2\n", 100)))
	flip := zstandard([]byte("x,y\n" + strings.Repeat("1,2\n3,4\n", 100)))
	flip[len(flip)-1] ^= 1
	for name, tt := range map[string]struct {
		data string
		want error
		says string
	}{
		"twice.csv":    {"x,x\n1,2\n", csvrows.ErrUnsupported, `column "x": there are two`},
		"other.csv":    {"y,z,z\n1,2,3\n", csvrows.ErrUnsupported, `column "z": there are two`},
		"wide.csv":     {"\xff\xfex\x00", csvrows.ErrUnsupported, "UTF-16"},
		"header.csv":   {"x,\"y\n1,2\n", csvrows.ErrCorrupt, "line 1"},
		"cut.csv.gz":   {string(cut[:len(cut)-9]), csvrows.ErrCorrupt, "cut.csv.gz"},
		"short.csv.gz": {string(cut[:5]), csvrows.ErrCorrupt, "short.csv.gz"},
		"flip.csv.zst": {string(flip), csvrows.ErrCorrupt, "flip.csv.zst"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(tt.data), 0o600); err != nil {
			t.Fatal(err)
		}
		o := csvrows.Options{Types: map[string]analysis.Type{"x": analysis.Int}}
		if _, err := csvrows.Collect(context.Background(), specOf(t, "x"), o, path); !errors.Is(err, tt.want) || !strings.Contains(fmt.Sprint(err), tt.says) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for _, o := range []csvrows.Options{{Workers: -1}, {BatchRows: -1}, {MaxLine: -1}, {KeepBad: -1}, {EpochUnit: time.Minute}, {Comma: '"'}, {Format: 9}, {Types: map[string]analysis.Type{"x": 99}}} {
		if _, err := csvrows.Collect(context.Background(), specOf(t, "x"), o, dir+"/twice.csv"); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: error %v", o, err)
		}
	}
	if _, err := csvrows.Collect(context.Background(), specOf(t, "x"), csvrows.Options{}); !errors.Is(err, csvrows.ErrNoFiles) {
		t.Errorf("no pattern: error %v", err)
	}
}

// TestForms reads the same rows in forms that options and names tell.
func TestForms(t *testing.T) {
	for name, tt := range map[string]struct {
		data string
		o    csvrows.Options
	}{
		"a.tsv":  {"x\ty\n1\t2\n", csvrows.Options{}},
		"b.txt":  {"x;y\n1;2\n", csvrows.Options{Comma: ';'}},
		"c.csv":  {"1,2\n", csvrows.Options{Header: []string{"x", "y"}}},
		"d.log":  {"\n {\"x\": 1, \"y\": 2}\n", csvrows.Options{}},
		"e.csv":  {"{\"x\": 1}\n", csvrows.Options{Format: csvrows.JSONL}},
		"f.json": {"x,y\n1,2\n", csvrows.Options{Format: csvrows.CSV}},
	} {
		got, typ, bad, err := readAll(t, writeFile(t, name, []byte(tt.data)), "x", tt.o)
		if err != nil || typ != analysis.Int || !reflect.DeepEqual(got, []any{int64(1)}) || len(bad) > 0 {
			t.Errorf("%s: %v, bad %v, error %v", name, got, bad, err)
		}
	}
}

// TestUnit reads ids that int64 does not hold.
func TestUnit(t *testing.T) {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "id", Role: analysis.Unit})
	if err != nil {
		t.Fatal(err)
	}
	path := writeFile(t, "log.csv", []byte("id,y\n18446744073709551615,1\n7,1\n"))
	r, err := csvrows.Collect(context.Background(), spec, csvrows.Options{}, path)
	if err != nil || r.Snapshot.Column("id").Type != analysis.Int || r.Snapshot.Column("id").Units.Total() != 2 {
		t.Errorf("%+v, error %v", r, err)
	}
}
