package parquetrows_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

func int64s(xs ...int64) []byte {
	var b []byte
	for _, x := range xs {
		b = binary.LittleEndian.AppendUint64(b, uint64(x))
	}
	return b
}

func prefixed(b []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...)
}

func words(ws ...string) []byte {
	var b []byte
	for _, w := range ws {
		b = append(b, prefixed([]byte(w))...)
	}
	return b
}

// TestCrafted reads files that contradict themselves, or hold what is rare.
func TestCrafted(t *testing.T) {
	ints := func(pages ...craftPage) craft {
		return craft{rows: 4, columns: []craftColumn{{element: leafOf("x", format.Int64, format.Required, nil), pages: pages}}}
	}
	optional := func(pages ...craftPage) craft {
		return craft{rows: 4, columns: []craftColumn{{element: leafOf("x", format.Int64, format.Optional, nil), pages: pages}}}
	}
	bits := func(pages ...craftPage) craft {
		return craft{rows: 20, columns: []craftColumn{{element: leafOf("x", format.Boolean, format.Required, nil), pages: pages}}}
	}
	text := func(pages ...craftPage) craft {
		return craft{rows: 4, columns: []craftColumn{{element: leafOf("x", format.ByteArray, format.Required, nil), pages: pages}}}
	}
	packed := func(codec format.CompressionCodec, size int, body []byte) craft {
		p := v1(4, format.Plain, body)
		p.header.UncompressedPageSize = int32(size)
		c := ints(p)
		c.columns[0].codec = codec
		return c
	}
	edited := func(c craft, f func(*format.FileMetaData)) craft {
		c.edit = f
		return c
	}
	four := v1(4, format.Plain, int64s(1, 2, 3, 4))
	abcd := []any{int64(1), int64(2), int64(3), int64(4)}
	// Two trues, six falses, then eight bits, then four trues: as the format
	// describes it, a run of booleans repeats the value, not a byte of bits.
	runs := []byte{2 << 1, 1, 6 << 1, 0, 1<<1 | 1, 0b10000101, 4 << 1, 1}
	runsWant := []any{true, true, false, false, false, false, false, false, true, false, true, false, false, false, false, true, true, true, true, true}
	dict := dictionaryOf(3, int64s(10, 20, 30))
	for _, tt := range []struct {
		name string
		file craft
		want []any  // values of x, or
		err  error  // an error wrapping this
		says string // and saying this
	}{
		{"plain", ints(four), abcd, nil, ""},
		{"two pages and an empty one", ints(v1(0, format.Plain, nil), v1(1, format.Plain, int64s(1)), v1(3, format.Plain, int64s(2, 3, 4))), abcd, nil, ""},
		{"a page after the last row", ints(four, v1(0, format.Plain, nil)), abcd, nil, ""},
		{"dictionary", ints(dict, v1(4, format.RLEDictionary, []byte{2, 4 << 1, 1})), []any{int64(20), int64(20), int64(20), int64(20)}, nil, ""},
		{"a last group that is cut", ints(dict, v1(4, format.Encoding(2), []byte{2, 1<<1 | 1, 0b10010010})), []any{int64(30), int64(10), int64(20), int64(30)}, nil, ""},
		{"codes of no bits", ints(dict, v1(4, format.RLEDictionary, []byte{0})), []any{int64(10), int64(10), int64(10), int64(10)}, nil, ""},
		{"codes of an endless run", ints(dict, v1(4, format.RLEDictionary, []byte{2, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1})), []any{int64(20), int64(20), int64(20), int64(20)}, nil, ""},
		{"codes of an endless group", ints(dict, v1(4, format.RLEDictionary, []byte{2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0b01010101})), []any{int64(20), int64(20), int64(20), int64(20)}, nil, ""},
		{"levels", optional(v1(4, format.Plain, append(prefixed([]byte{1<<1 | 1, 0b1010}), int64s(7, 8)...))), []any{nil, int64(7), nil, int64(8)}, nil, ""},
		{"levels of version 2", optional(v2(4, 2, format.Plain, []byte{1<<1 | 1, 0b1010}, int64s(7, 8))), []any{nil, int64(7), nil, int64(8)}, nil, ""},
		{"all null", optional(v2(4, 4, format.RLEDictionary, []byte{4 << 1, 0}, nil)), []any{nil, nil, nil, nil}, nil, ""},
		{"all null text", craft{rows: 4, columns: []craftColumn{{element: leafOf("x", format.ByteArray, format.Optional, nil), pages: []craftPage{
			dictionaryOf(1, words("a")), v2(2, 2, format.RLEDictionary, []byte{2 << 1, 0}, nil),
			v2(2, 1, format.RLEDictionary, []byte{1<<1 | 1, 0b10}, []byte{1, 1 << 1, 0})}}}}, []any{nil, nil, nil, "a"}, nil, ""},
		{"all null with a dictionary of nothing", optional(dictionaryOf(0, nil), v2(4, 4, format.RLEDictionary, []byte{4 << 1, 0}, nil)), []any{nil, nil, nil, nil}, nil, ""},
		{"runs of booleans", bits(v1(20, format.RLE, prefixed(runs))), runsWant, nil, ""},
		{"runs of booleans, version 2", bits(v2(20, 0, format.RLE, nil, prefixed(runs))), runsWant, nil, ""},
		{"strings", text(v1(4, format.Plain, words("a", "", "bc", "a"))), []any{"a", "", "bc", "a"}, nil, ""},
		{"plain, dictionary, plain", text(dictionaryOf(2, words("b", "a")), v1(1, format.Plain, words("c")),
			v1(2, format.RLEDictionary, []byte{1, 1<<1 | 1, 0b01}), v1(1, format.Plain, words("b"))), []any{"c", "a", "b", "b"}, nil, ""},
		{"damaged elsewhere", edited(ints(four), func(m *format.FileMetaData) { m.RowGroups[0].TotalByteSize = -1 }), abcd, nil, ""},

		{"code beyond the dictionary", ints(dict, v1(4, format.RLEDictionary, []byte{2, 4 << 1, 3})), nil, parquetrows.ErrCorrupt, "code 3 of a dictionary of 3"},
		{"text code beyond the dictionary", text(dictionaryOf(1, words("a")), v1(4, format.RLEDictionary, []byte{3, 4 << 1, 5})), nil, parquetrows.ErrCorrupt, "code 5 of a dictionary of 1"},
		{"codes too wide", ints(dict, v1(4, format.RLEDictionary, []byte{33, 4 << 1, 3})), nil, parquetrows.ErrCorrupt, "width"},
		{"codes too few", ints(dict, v1(4, format.RLEDictionary, []byte{2, 3 << 1, 1})), nil, parquetrows.ErrCorrupt, "ends within its codes"},
		{"no dictionary", ints(v1(4, format.RLEDictionary, []byte{2, 4 << 1, 0})), nil, parquetrows.ErrCorrupt, "needs a dictionary"},
		{"two dictionaries", ints(dict, dict, four), nil, parquetrows.ErrCorrupt, "second dictionary"},
		{"dictionary too long", ints(dictionaryOf(1<<30, int64s(1)), four), nil, parquetrows.ErrCorrupt, "dictionary of 1073741824"},
		{"rows missing", ints(v1(3, format.Plain, int64s(1, 2, 3))), nil, parquetrows.ErrCorrupt, "1 rows before"},
		{"rows too many", ints(four, v1(1, format.Plain, int64s(5))), nil, parquetrows.ErrCorrupt, "1 rows where 0 are left"},
		{"values missing", ints(v1(4, format.Plain, int64s(1, 2, 3))), nil, parquetrows.ErrCorrupt, "24 bytes for 4"},
		{"values missing of strings", text(v1(4, format.Plain, words("a", "b", "c"))), nil, parquetrows.ErrCorrupt, "value 4 of 4"},
		{"values too many of strings", text(v1(4, format.Plain, words("a", "b", "c", "d", "e"))), nil, parquetrows.ErrCorrupt, "bytes"},
		{"a string that is too long", text(v1(4, format.Plain, append(words("a", "b", "c"), 0xff, 0xff, 0xff, 0xff))), nil, parquetrows.ErrCorrupt, "bytes"},
		{"levels missing", optional(v1(4, format.Plain, append(prefixed([]byte{2 << 1, 1}), int64s(7, 8)...))), nil, parquetrows.ErrCorrupt, "ends within its codes"},
		{"levels longer than the page", optional(v1(4, format.Plain, []byte{9, 0, 0, 0, 1})), nil, parquetrows.ErrCorrupt, "9 bytes"},
		{"levels and values differ", optional(v1(4, format.Plain, append(prefixed([]byte{4 << 1, 1}), int64s(7, 8)...))), nil, parquetrows.ErrCorrupt, "16 bytes for 4"},
		{"levels and count of nulls differ", optional(v2(4, 1, format.Plain, []byte{1<<1 | 1, 0b1010}, int64s(7, 8))), nil, parquetrows.ErrCorrupt, "2 nulls"},
		{"too many values of a delta", ints(v1(4, format.DeltaBinaryPacked, []byte{128, 1, 4, 0xff, 0xff, 0xff, 0xff, 7, 0})), nil, parquetrows.ErrCorrupt, "instead of 4"},
		{"negative counts", ints(v1(-4, format.Plain, nil)), nil, parquetrows.ErrCorrupt, "-4 rows"},
		{"snappy of another size", packed(format.Snappy, 32, []byte{0xff, 0xff, 0xff, 0xff, 7, 0}), nil, parquetrows.ErrCorrupt, "instead of 32"},
		{"lz4 that never ends", packed(format.Lz4Raw, 32, []byte{0xf0, 0xff, 0xff, 0xff, 3, 1, 2}), nil, parquetrows.ErrCorrupt, "decompressing"},
		{"zstd larger than announced", packed(format.Zstd, 32, zeros(t)), nil, parquetrows.ErrCorrupt, "decompressing"},
		{"a page larger than any", packed(format.Zstd, 1<<31-1, zeros(t)), nil, parquetrows.ErrCorrupt, "2147483647 bytes"},
		{"unknown encoding", ints(v1(4, format.BitPacked, int64s(1, 2, 3, 4))), nil, parquetrows.ErrUnsupported, "BIT_PACKED"},
		{"encoding of another type", bits(v1(20, format.DeltaByteArray, []byte{128, 1, 4, 20, 0})), nil, parquetrows.ErrUnsupported, "DELTA_BYTE_ARRAY"},
		{"unknown compression", packed(format.LZO, 32, nil), nil, parquetrows.ErrUnsupported, "LZO"},
		{"another file", edited(ints(four), func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].FilePath = "y" }), nil, parquetrows.ErrUnsupported, "another file"},
		{"encrypted", edited(ints(four), func(m *format.FileMetaData) {
			m.RowGroups[0].Columns[0].CryptoMetadata.Value = &format.EncryptionWithFooterKey{}
		}), nil, parquetrows.ErrUnsupported, "encrypted"},
		{"counts of rows differ", edited(ints(four), func(m *format.FileMetaData) { m.NumRows = 5 }), nil, parquetrows.ErrCorrupt, "counts 5 rows"},
		{"counts of values differ", edited(ints(four), func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.NumValues = 3 }), nil, parquetrows.ErrCorrupt, "3 values in 4 rows"},
		{"types differ", edited(ints(four), func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.Type = format.Double }), nil, parquetrows.ErrCorrupt, "DOUBLE"},
		{"outside the file", edited(ints(four), func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.DataPageOffset = 1 << 40 }), nil, parquetrows.ErrCorrupt, "1099511627776"},
		{"columns missing", edited(ints(four), func(m *format.FileMetaData) { m.RowGroups[0].Columns = nil }), nil, parquetrows.ErrCorrupt, "0 columns"},
		{"no schema", edited(ints(four), func(m *format.FileMetaData) { m.Schema = nil }), nil, parquetrows.ErrCorrupt, "schema"},
		{"negative rows", edited(ints(four), func(m *format.FileMetaData) { m.NumRows, m.RowGroups[0].NumRows = -4, -4 }), nil, parquetrows.ErrCorrupt, "-4 rows"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := writeFile(t, "log.parquet", tt.file.bytes(t))
			spec := specOf(t, "x")
			got, err := readAll(path, spec, parquetrows.Options{})
			_, err2 := parquetrows.Collect(context.Background(), spec, parquetrows.Options{}, path)
			if !errors.Is(err, tt.err) || !errors.Is(err2, tt.err) {
				t.Fatalf("errors %v and %v, want %v", err, err2, tt.err)
			}
			if err == nil {
				if diff := cmp.Diff(tt.want, got["x"]); diff != "" {
					t.Error(diff)
				}
				got, err := readAll(path, unitSpec(t, "x"), parquetrows.Options{BatchRows: 2})
				if diff := cmp.Diff(tt.want, got["x"]); err != nil || diff != "" {
					t.Error("as units:", err, diff)
				}
				return
			}
			for _, part := range []string{path, tt.says} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
		})
	}
}

// zeros is a page of 64 KiB in few bytes.
func zeros(t *testing.T) []byte {
	b, err := parquet.Zstd.Encode(nil, make([]byte, 1<<16))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestAnnotations reads the type annotations of old writers, and refuses what has
// no counterpart.
func TestAnnotations(t *testing.T) {
	converted := func(c deprecated.ConvertedType) func(*format.SchemaElement) {
		return func(e *format.SchemaElement) { e.ConvertedType = thrift.New(c) }
	}
	logical := func(l format.LogicalTypeValue) func(*format.SchemaElement) {
		return func(e *format.SchemaElement) { e.LogicalType.Value = l }
	}
	fixed := func(n int32, f func(*format.SchemaElement)) func(*format.SchemaElement) {
		return func(e *format.SchemaElement) {
			e.TypeLength = thrift.New(n)
			if f != nil {
				f(e)
			}
		}
	}
	for _, tt := range []struct {
		stored   format.Type
		annotate func(*format.SchemaElement)
		want     analysis.Type
		logical  string
	}{
		{format.ByteArray, converted(deprecated.UTF8), analysis.String, "STRING"},
		{format.ByteArray, converted(deprecated.Enum), analysis.String, "ENUM"},
		{format.ByteArray, converted(deprecated.Json), analysis.String, "JSON"},
		{format.ByteArray, converted(deprecated.Bson), analysis.String, "BSON"},
		{format.Int32, converted(deprecated.Date), analysis.Time, "DATE"},
		{format.Int64, converted(deprecated.TimestampMillis), analysis.Time, "TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS)"},
		{format.Int64, converted(deprecated.TimestampMicros), analysis.Time, "TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)"},
		{format.Int32, converted(deprecated.Uint16), analysis.Int, "INT(16,false)"},
		{format.Int32, converted(deprecated.Int8), analysis.Int, "INT(8,true)"},
		{format.Int64, converted(deprecated.Uint64), analysis.Int, "INT(64,false)"},
		{format.Int32, func(e *format.SchemaElement) {
			e.ConvertedType, e.Scale, e.Precision = thrift.New(deprecated.Decimal), thrift.New(int32(2)), thrift.New(int32(9))
		}, analysis.Float, "DECIMAL(9,2)"},
		{format.Int96, nil, analysis.Time, ""},
		{format.Int32, logical(&format.NullType{}), analysis.Absent, "NULL"},
		// No counterpart, or not allowed by the format.
		{format.Int32, converted(deprecated.TimeMillis), analysis.Absent, "TIME(isAdjustedToUTC=true,unit=MILLIS)"},
		{format.Int64, converted(deprecated.TimeMicros), analysis.Absent, "TIME(isAdjustedToUTC=true,unit=MICROS)"},
		{format.FixedLenByteArray, fixed(12, converted(deprecated.Interval)), analysis.Absent, ""},
		{format.ByteArray, logical(&format.GeometryType{}), analysis.Absent, "GEOMETRY"},
		{format.Int32, logical(&format.StringType{}), analysis.Absent, "STRING"},
		{format.Int32, logical(&format.TimestampType{Unit: format.TimeUnit{Value: &format.MilliSeconds{}}}), analysis.Absent, "TIMESTAMP(isAdjustedToUTC=false,unit=MILLIS)"},
		{format.Int64, logical(&format.DateType{}), analysis.Absent, "DATE"},
		{format.Int64, logical(&format.IntType{BitWidth: 32, IsSigned: true}), analysis.Absent, "INT(32,true)"},
		{format.Int64, logical(&format.DecimalType{Scale: -1}), analysis.Absent, "DECIMAL(0,-1)"},
		{format.FixedLenByteArray, fixed(8, logical(&format.UUIDType{})), analysis.Absent, "UUID"},
		{format.FixedLenByteArray, fixed(3, logical(&format.Float16Type{})), analysis.Absent, "FLOAT16"},
		{format.FixedLenByteArray, fixed(0, nil), analysis.Absent, ""},
		{format.Type(9), nil, analysis.Absent, ""},
	} {
		c := craft{columns: []craftColumn{{element: leafOf("x", tt.stored, format.Optional, tt.annotate)}}}
		columns, err := parquetrows.Schema(writeFile(t, "log.parquet", c.bytes(t)))
		if err != nil {
			t.Fatal(err)
		}
		if got := columns[0]; got.Type != tt.want || !strings.HasPrefix(got.Logical, tt.logical) || !got.Nullable {
			t.Errorf("Schema gives %+v, want %v %q", got, tt.want, tt.logical)
		}
	}
}

// TestAlwaysNull reads a column of which the schema says that it has no values.
func TestAlwaysNull(t *testing.T) {
	levels := []byte{4 << 1, 0}
	c := craft{rows: 4, columns: []craftColumn{
		{element: leafOf("label", format.Int32, format.Optional, func(e *format.SchemaElement) { e.LogicalType.Value = &format.NullType{} }),
			pages: []craftPage{v2(4, 4, format.Plain, levels, nil)}},
		{element: leafOf("x", format.Int64, format.Required, nil), pages: []craftPage{v1(4, format.Plain, int64s(1, 2, 3, 4))}},
	}}
	s, err := parquetrows.Collect(context.Background(), specOf(t, "label", "x", "y"), parquetrows.Options{}, writeFile(t, "log.parquet", c.bytes(t)))
	if err != nil {
		t.Fatal(err)
	}
	for name, absent := range map[string]uint64{"label": 4, "x": 0, "y": 4} {
		if got := s.Column(name).AbsentRows; got != absent {
			t.Errorf("column %s: %d absent rows, want %d", name, got, absent)
		}
	}
}

func TestUnsigned(t *testing.T) {
	c := craft{rows: 2, columns: []craftColumn{{element: leafOf("id", format.Int64, format.Required, func(e *format.SchemaElement) {
		e.LogicalType.Value = &format.IntType{BitWidth: 64}
	}), pages: []craftPage{v1(2, format.Plain, int64s(5, -1))}}}}
	path := writeFile(t, "log.parquet", c.bytes(t))
	_, err := parquetrows.Collect(context.Background(), specOf(t, "id"), parquetrows.Options{}, path)
	if !errors.Is(err, parquetrows.ErrUnsupported) || !strings.Contains(err.Error(), `row group 0: column "id": unsigned value 18446744073709551615`) {
		t.Errorf("error %v", err)
	}
	got, err := readAll(path, unitSpec(t, "id"), parquetrows.Options{})
	if diff := cmp.Diff([]any{int64(5), int64(-1)}, got["id"]); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestNested(t *testing.T) {
	number := parquet.Leaf(parquet.DoubleType)
	schema := parquet.NewSchema("log", parquet.Group{
		"plain":  number,
		"list":   parquet.List(number),
		"bare":   parquet.Repeated(number),
		"person": parquet.Group{"age": number, "plain": number},
	})
	var file bytes.Buffer
	if err := parquet.NewWriter(&file, schema).Close(); err != nil {
		t.Fatal(err)
	}
	path := writeFile(t, "log.parquet", file.Bytes())
	columns, err := parquetrows.Schema(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []parquetrows.Column{
		{Name: "bare", Physical: "DOUBLE", Nullable: true},
		{Name: "list.list.element", Physical: "DOUBLE", Nullable: true},
		{Name: "person.age", Physical: "DOUBLE"},
		{Name: "person.plain", Physical: "DOUBLE"},
		{Name: "plain", Physical: "DOUBLE", Type: analysis.Float},
	}
	if diff := cmp.Diff(want, columns); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"bare", "list", "list.list.element", "person", "person.age"} {
		_, err := parquetrows.Collect(context.Background(), specOf(t, name, "plain"), parquetrows.Options{}, path)
		if !errors.Is(err, parquetrows.ErrUnsupported) || !strings.Contains(err.Error(), path+`: column "`+name+`"`) {
			t.Errorf("column %s: error %v", name, err)
		}
	}
	if _, err := parquetrows.Collect(context.Background(), specOf(t, "plain", "age", "element"), parquetrows.Options{}, path); err != nil {
		t.Error(err)
	}
	twice := craft{columns: []craftColumn{{element: leafOf("x", format.Int64, format.Required, nil)}, {element: leafOf("x", format.Int64, format.Required, nil)}}}
	_, err = parquetrows.Collect(context.Background(), specOf(t, "x"), parquetrows.Options{}, writeFile(t, "twice.parquet", twice.bytes(t)))
	if !errors.Is(err, parquetrows.ErrUnsupported) || !strings.Contains(err.Error(), "two columns") {
		t.Errorf("a column twice: error %v", err)
	}
}

func TestNotParquet(t *testing.T) {
	sound := encodeTable(t, damageColumns("plain"), 0, 10)
	for _, tt := range []struct {
		name string
		file []byte
		want error
		says string
	}{
		{"empty", nil, parquetrows.ErrCorrupt, "0 bytes"},
		{"short", []byte("PAR1PAR1"), parquetrows.ErrCorrupt, "8 bytes"},
		{"text", bytes.Repeat([]byte("a,b\n"), 20), parquetrows.ErrCorrupt, `"a,b\n"`},
		{"half", sound[:len(sound)/2], parquetrows.ErrCorrupt, "truncated"},
		{"end only", sound[len(sound)/2:], parquetrows.ErrCorrupt, "it starts with"},
		{"long footer", []byte("PAR1\xff\xff\xff\xffPAR1"), parquetrows.ErrCorrupt, "4294967295"},
		{"no footer", []byte("PAR1\x00\x00\x00\x00PAR1"), parquetrows.ErrCorrupt, "footer"},
		{"list without end", append([]byte("PAR1\x29\xfc\xff\xff\xff\xff\x07"), "\x07\x00\x00\x00PAR1"...), parquetrows.ErrCorrupt, "not well-formed"},
		{"encrypted", []byte("PARE\x00\x00\x00\x00PARE"), parquetrows.ErrUnsupported, "encrypted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := writeFile(t, "log.parquet", tt.file)
			_, err := parquetrows.Collect(context.Background(), specOf(t, "x"), parquetrows.Options{}, path)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v", err)
			}
		})
	}
	_, err := parquetrows.Collect(context.Background(), specOf(t, "x"), parquetrows.Options{}, t.TempDir())
	if !errors.Is(err, parquetrows.ErrUnsupported) || !strings.Contains(err.Error(), "directory") {
		t.Errorf("a directory: error %v", err)
	}
}

func TestTypesDiffer(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, rows int, node parquet.Node, v parquet.Value) string {
		c := column{name: "x", node: node, at: func(int) (parquet.Value, any) { return v, true }}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, encodeTable(t, []column{c}, 0, rows), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a := write("a.parquet", 3, parquet.Leaf(parquet.DoubleType), parquet.DoubleValue(1))
	b := write("b.parquet", 3, parquet.String(), parquet.ByteArrayValue([]byte("a")))
	empty := write("empty.parquet", 0, parquet.Leaf(parquet.BooleanType), parquet.Value{})
	_, err := parquetrows.Collect(context.Background(), specOf(t, "x"), parquetrows.Options{}, a, b)
	if !errors.Is(err, stats.ErrMismatch) || !strings.Contains(err.Error(), b+`: column "x": it is string here and float in `+a) {
		t.Errorf("error %v", err)
	}
	s, err := parquetrows.Collect(context.Background(), specOf(t, "x"), parquetrows.Options{}, a, empty)
	if err != nil || s.RowCount != 3 || s.Columns[0].Type != analysis.Float {
		t.Errorf("with a file without rows: %v, %v", s, err)
	}
	s, err = parquetrows.Collect(context.Background(), specOf(t, "x"), parquetrows.Options{}, empty)
	if err != nil || s.RowCount != 0 {
		t.Errorf("a file without rows: %v, %v", s, err)
	}
}
