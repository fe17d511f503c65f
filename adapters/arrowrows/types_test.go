package arrowrows_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/rampguard/rampguard/adapters/arrowrows"
	"github.com/rampguard/rampguard/analysis"
)

const day = 86_400_000_000

// arrowTypes are types with values in the library's JSON form, and what becomes of
// them.
var arrowTypes = []struct {
	name string
	typ  arrow.DataType
	json string
	want []any
}{
	{"bool", arrow.FixedWidthTypes.Boolean, `[true, null, false, true]`, []any{true, nil, false, true}},
	{"int8", arrow.PrimitiveTypes.Int8, `[-128, null, 127]`, []any{int64(-128), nil, int64(127)}},
	{"int16", arrow.PrimitiveTypes.Int16, `[-32768, null, 5]`, []any{int64(-32768), nil, int64(5)}},
	{"int32", arrow.PrimitiveTypes.Int32, `[-5, null, 2147483647]`, []any{int64(-5), nil, int64(math.MaxInt32)}},
	{"int64", arrow.PrimitiveTypes.Int64, `[-5, null, 9007199254740992]`, []any{int64(-5), nil, int64(1 << 53)}},
	{"uint8", arrow.PrimitiveTypes.Uint8, `[255, null]`, []any{int64(255), nil}},
	{"uint16", arrow.PrimitiveTypes.Uint16, `[65535, null]`, []any{int64(65535), nil}},
	{"uint32", arrow.PrimitiveTypes.Uint32, `[4294967295, null]`, []any{int64(math.MaxUint32), nil}},
	{"uint64", arrow.PrimitiveTypes.Uint64, `[7, null]`, []any{int64(7), nil}},
	{"float16", arrow.FixedWidthTypes.Float16, `[0.5, null, -2]`, []any{0.5, nil, -2.0}},
	{"float32", arrow.PrimitiveTypes.Float32, `[0.1, null, 3]`, []any{float64(float32(0.1)), nil, 3.0}},
	{"float64", arrow.PrimitiveTypes.Float64, `[0.1, null, 3]`, []any{0.1, nil, 3.0}},
	{"string", arrow.BinaryTypes.String, `["a", null, "", "é"]`, []any{"a", nil, "", "é"}},
	{"large string", arrow.BinaryTypes.LargeString, `["a", null, "bb"]`, []any{"a", nil, "bb"}},
	{"string view", arrow.BinaryTypes.StringView, `["a", null, "longer than twelve bytes", "longer, too, by far"]`, []any{"a", nil, "longer than twelve bytes", "longer, too, by far"}},
	{"binary", arrow.BinaryTypes.Binary, `["YQ==", null, "/w=="]`, []any{"a", nil, "0xff"}},
	{"large binary", arrow.BinaryTypes.LargeBinary, `["YQ==", null]`, []any{"a", nil}},
	{"fixed binary", &arrow.FixedSizeBinaryType{ByteWidth: 2}, `["AQI=", null]`, []any{"0x0102", nil}},
	{"decimal128", &arrow.Decimal128Type{Precision: 38, Scale: 2}, `["-1.25", null, "99999999999999999999.5"]`, []any{-1.25, nil, 9999999999999999999950.0 / 100}},
	{"decimal256", &arrow.Decimal256Type{Precision: 60, Scale: 1}, `["-1.5", null, "12345678901234567890123456789012345678901234.5"]`, []any{-1.5, nil, 123456789012345678901234567890123456789012345.0 / 10}},
	{"seconds", &arrow.TimestampType{Unit: arrow.Second, TimeZone: "Europe/Berlin"}, `["1970-01-02T00:00:00Z", null, "1969-12-31T23:59:59Z"]`, []any{int64(day), nil, int64(-1_000_000)}},
	{"millis", arrow.FixedWidthTypes.Timestamp_ms, `["1970-01-01T00:00:00.001Z", null]`, []any{int64(1000), nil}},
	{"micros", arrow.FixedWidthTypes.Timestamp_us, `["1970-01-01T00:00:00.000001Z", null]`, []any{int64(1), nil}},
	{"nanos", &arrow.TimestampType{Unit: arrow.Nanosecond}, `["1969-12-31 23:59:59.999999999", null, "1970-01-01 00:00:00.000001999"]`, []any{int64(-1), nil, int64(1)}},
	{"date32", arrow.FixedWidthTypes.Date32, `["1970-01-03", null, "1969-12-31"]`, []any{int64(2 * day), nil, int64(-day)}},
	{"date64", arrow.FixedWidthTypes.Date64, `["1970-01-03", null]`, []any{int64(2 * day), nil}},
	{"null", arrow.Null, `[null, null]`, []any{nil, nil}},
	{"dictionary", dictionaryType, `["a", null, "b", "a"]`, []any{"a", nil, "b", "a"}},
	{"dictionary uint8", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint8, ValueType: arrow.BinaryTypes.String}, `["a", null, "b"]`, []any{"a", nil, "b"}},
	{"dictionary float", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.PrimitiveTypes.Float64}, `[0.5, null, 0.25, 0.5]`, []any{0.5, nil, 0.25, 0.5}},
	{"dictionary int", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint16, ValueType: arrow.PrimitiveTypes.Int32}, `[7, null, 8, 7]`, []any{int64(7), nil, int64(8), int64(7)}},
	{"dictionary time", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int64, ValueType: arrow.FixedWidthTypes.Timestamp_ms}, `["1970-01-01T00:00:00.001Z", null]`, []any{int64(1000), nil}},
}

func arrayOf(t testing.TB, typ arrow.DataType, json string) arrow.Array {
	t.Helper()
	a, _, err := array.FromJSON(memory.DefaultAllocator, typ, strings.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func recordWith(name string, a arrow.Array) arrow.Record {
	return array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: name, Type: a.DataType(), Nullable: true}}, nil), []arrow.Array{a}, int64(a.Len()))
}

// readAll returns every value of a column of a file; nil for a missing one.
func readAll(t testing.TB, path, name string, rows int) []any {
	t.Helper()
	r, err := arrowrows.Open(path, specOf(t, name), arrowrows.Options{BatchRows: rows})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []any
	var b analysis.Batch
	for {
		if err := r.Next(&b); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows {
			out = append(out, valueAt(&b.Columns[0], i))
		}
	}
}

func valueAt(c *analysis.Column, i int) any {
	if c.Valid != nil && !c.Valid[i] {
		return nil
	}
	switch c.Type {
	case analysis.Absent:
	case analysis.Float:
		return c.Floats[i]
	case analysis.Int, analysis.Time:
		return c.Ints[i]
	case analysis.Bool:
		return c.Bools[i]
	case analysis.String:
		return c.Dict.Values[c.Codes[i]]
	}
	return nil
}

// TestEveryType reads each type whole and cut from the middle of an array, from a
// stream and from a file, in batches of any size.
func TestEveryType(t *testing.T) {
	for _, tt := range arrowTypes {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			rec := recordWith("x", arrayOf(t, tt.typ, tt.json))
			defer rec.Release()
			tail := rec.NewSlice(1, rec.NumRows())
			defer tail.Release()
			for name, l := range layouts {
				for batch := range 4 {
					path := writeRecords(t, l, rec)
					if got := readAll(t, path, "x", batch); !reflect.DeepEqual(got, want) {
						t.Errorf("%s, batches of %d: %v, want %v", name, batch, got, want)
					}
				}
				if got := readAll(t, writeRecords(t, l, tail), "x", 0); !reflect.DeepEqual(got, want[1:]) {
					t.Errorf("%s, without its first row: %v, want %v", name, got, want[1:])
				}
			}
			spec := specOf(t, "x")
			whole, parts := analysis.NewCollector(spec), analysis.NewCollector(spec)
			if err := arrowrows.Add(whole, spec, rec); err != nil {
				t.Fatal(err)
			}
			for i := range rec.NumRows() {
				one := rec.NewSlice(i, i+1)
				if err := arrowrows.Add(parts, spec, one); err != nil {
					t.Fatal(err)
				}
				one.Release()
			}
			a, errA := whole.Take()
			b, errB := parts.Take()
			if errA != nil || errB != nil || string(marshal(t, a)) != string(marshal(t, b)) {
				t.Errorf("row by row, the snapshot differs (%v, %v)", errA, errB)
			}
		})
	}
}

// TestUnreadTypes asks for columns that are not read, and leaves others alone.
func TestUnreadTypes(t *testing.T) {
	for _, tt := range []struct {
		typ  arrow.DataType
		json string
		says string
	}{
		{arrow.ListOf(arrow.PrimitiveTypes.Int8), `[[1], null]`, "list"},
		{arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int8}), `[{"a": 1}, null]`, "struct"},
		{arrow.FixedWidthTypes.Time32s, `["01:00:00", null]`, "time32"},
		{arrow.FixedWidthTypes.Duration_s, `["1s", null]`, "duration"},
		{&arrow.Decimal128Type{Precision: 5, Scale: -2}, `["100", null]`, "decimal"},
	} {
		rec := recordWith("odd", arrayOf(t, tt.typ, tt.json))
		path := writeRecords(t, layouts["stream"], rec)
		_, err := arrowrows.Collect(context.Background(), specOf(t, "odd"), arrowrows.Options{}, path)
		if !errors.Is(err, arrowrows.ErrUnsupported) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), `"odd"`) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%v: error %v", tt.typ, err)
		}
		s, err := arrowrows.Collect(context.Background(), specOf(t, "other"), arrowrows.Options{}, path)
		if err != nil || s.Column("other").AbsentRows != 2 {
			t.Errorf("beside %v: error %v", tt.typ, err)
		}
		c := analysis.NewCollector(specOf(t, "odd"))
		if err := arrowrows.Add(c, specOf(t, "odd"), rec); !errors.Is(err, arrowrows.ErrUnsupported) || !strings.Contains(err.Error(), `"odd"`) {
			t.Errorf("Add of %v: error %v", tt.typ, err)
		}
		columns, err := arrowrows.Schema(path)
		if err != nil || len(columns) != 1 || columns[0].Type != analysis.Absent {
			t.Errorf("Schema of %v: %+v, %v", tt.typ, columns, err)
		}
	}
}

// TestUnsigned reads ids that int64 does not hold.
func TestUnsigned(t *testing.T) {
	rec := recordWith("id", arrayOf(t, arrow.PrimitiveTypes.Uint64, `[18446744073709551615, 1]`))
	path := writeRecords(t, layouts["file"], rec)
	_, err := arrowrows.Collect(context.Background(), specOf(t, "id"), arrowrows.Options{}, path)
	if !errors.Is(err, arrowrows.ErrUnsupported) || !strings.Contains(fmt.Sprint(err), "above 2^63-1") {
		t.Errorf("error %v", err)
	}
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "id", Role: analysis.Unit})
	if err != nil {
		t.Fatal(err)
	}
	s, err := arrowrows.Collect(context.Background(), spec, arrowrows.Options{}, path)
	if err != nil || s.Column("id").Units.Total() != 2 {
		t.Errorf("as units: %v", err)
	}
}

// TestUUID reads ids in their usual form, by the name of the extension.
func TestUUID(t *testing.T) {
	a := arrayOf(t, &arrow.FixedSizeBinaryType{ByteWidth: 16}, `["AAECAwQFBgcICQoLDA0ODw=="]`)
	field := arrow.Field{Name: "id", Type: a.DataType(), Metadata: arrow.NewMetadata([]string{"ARROW:extension:name"}, []string{"arrow.uuid"})}
	rec := array.NewRecord(arrow.NewSchema([]arrow.Field{field}, nil), []arrow.Array{a}, 1)
	got := readAll(t, writeRecords(t, layouts["stream"], rec), "id", 0)
	if want := []any{"00010203-0405-0607-0809-0a0b0c0d0e0f"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
