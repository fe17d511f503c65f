package parquetrows_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding"
	"github.com/parquet-go/parquet-go/format"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
)

// column is a column of a test table: what is written, and what must be read.
type column struct {
	name string
	node parquet.Node
	typ  analysis.Type
	at   func(i int) (stored parquet.Value, want any) // of row i; a null for want nil
}

// layout says how a test table is written.
type layout struct {
	codec     compress.Codec
	version   int // of data pages
	pageBytes int
	groupRows int64
	dictBytes int64 // beyond which dictionary columns fall back to plain pages
}

func (l layout) options() []parquet.WriterOption {
	return []parquet.WriterOption{
		parquet.Compression(l.codec), parquet.DataPageVersion(l.version), parquet.PageBufferSize(l.pageBytes),
		parquet.MaxRowsPerRowGroup(l.groupRows), parquet.DictionaryMaxBytes(l.dictBytes),
	}
}

// encodeTable returns the file with rows from to from+n-1 of the columns.
func encodeTable(t testing.TB, columns []column, from, n int, options ...parquet.WriterOption) []byte {
	t.Helper()
	nodes := parquet.Group{}
	for _, c := range columns {
		nodes[c.name] = c.node
	}
	schema := parquet.NewSchema("log", nodes)
	index := map[string]int{}
	for i, path := range schema.Columns() {
		index[path[0]] = i
	}
	var file bytes.Buffer
	w := parquet.NewWriter(&file, append([]parquet.WriterOption{schema}, options...)...)
	rows := make([]parquet.Row, 64)
	for i := from; i < from+n; {
		k := 0
		for ; k < len(rows) && i < from+n; k++ {
			rows[k] = append(rows[k][:0], make(parquet.Row, len(columns))...)
			for _, c := range columns {
				v, want := c.at(i)
				level := 0
				switch {
				case want == nil:
					v = parquet.NullValue()
				case c.node.Optional():
					level = 1
				}
				rows[k][index[c.name]] = v.Level(0, level, index[c.name])
			}
			i++
		}
		if _, err := w.WriteRows(rows[:k]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func specOf(t testing.TB, names ...string) *analysis.Spec {
	t.Helper()
	var columns []analysis.ColumnSpec
	for _, name := range names {
		columns = append(columns, analysis.ColumnSpec{Name: name})
	}
	spec, err := analysis.NewSpec(analysis.Binary, columns...)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func unitSpec(t testing.TB, name string) *analysis.Spec {
	t.Helper()
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: name, Role: analysis.Unit})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func namesOf(columns []column) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

// readAll returns every value of a file, by column and row; nil for a null.
func readAll(path string, spec *analysis.Spec, o parquetrows.Options) (map[string][]any, error) {
	r, err := parquetrows.Open(path, spec, o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	all := map[string][]any{}
	var b analysis.Batch
	for {
		if err := r.Next(&b); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		for i, c := range spec.Columns {
			col := &b.Columns[i]
			for k := range b.Rows {
				all[c.Name] = append(all[c.Name], valueAt(col, k))
			}
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
		return number(c.Floats[i])
	case analysis.Int, analysis.Time:
		return c.Ints[i]
	case analysis.Bool:
		return c.Bools[i]
	case analysis.String:
		return c.Dict.Values[c.Codes[i]]
	}
	return nil
}

// number makes a NaN equal to itself.
func number(x float64) any {
	if x != x {
		return "NaN"
	}
	return x
}

func wantAll(columns []column, from, n int) map[string][]any {
	all := map[string][]any{}
	for _, c := range columns {
		for i := from; i < from+n; i++ {
			_, want := c.at(i)
			all[c.name] = append(all[c.name], want)
		}
	}
	return all
}

// checkTable writes rows of the columns, reads them back and compares.
func checkTable(t *testing.T, columns []column, rows int, o parquetrows.Options, options ...parquet.WriterOption) {
	t.Helper()
	path := writeFile(t, "log.parquet", encodeTable(t, columns, 0, rows, options...))
	got, err := readAll(path, specOf(t, namesOf(columns)...), o)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range wantAll(columns, 0, rows) {
		if !reflect.DeepEqual(want, got[name]) { // cmp.Diff takes long when there is nothing to say
			t.Errorf("column %q differs (-want +got):\n%.1000s", name, cmp.Diff(want, got[name]))
		}
	}
}

// annotated is a type with a logical type that the writer has no name for.
type annotated struct {
	parquet.Type
	logical format.LogicalTypeValue
}

func (a annotated) LogicalType() *format.LogicalType { return &format.LogicalType{Value: a.logical} }

// mix spreads the bits of i.
func mix(i int) uint64 {
	x := uint64(i) * 0x9e3779b97f4a7c15
	x ^= x >> 31
	return x * 0xbf58476d1ce4e5b9
}

// allTypes returns a column of every type, in the given encodings. Columns with
// a name ending in _null are optional, and one row in three is missing.
func allTypes(floats, integer, bytesOf, bits encoding.Encoding) []column {
	leaf := func(t parquet.Type) parquet.Node { return parquet.Leaf(t) }
	double := func(i int) float64 {
		switch i % 97 {
		case 0:
			return math.NaN()
		case 1:
			return math.Inf(-1)
		case 2:
			return math.Copysign(0, -1)
		}
		return float64(mix(i)%1000) / 7
	}
	word := func(i int) string { return fmt.Sprintf("w%d", mix(i)%200) }
	floor := func(x, unit int64) int64 {
		if x < 0 {
			return -((-x + unit - 1) / unit)
		}
		return x / unit
	}
	stamp := func(i int) int64 { return int64(mix(i)>>2) - 1<<61 }
	var columns []column
	add := func(name string, node parquet.Node, enc encoding.Encoding, typ analysis.Type, at func(i int) (parquet.Value, any)) {
		if enc != nil {
			node = parquet.Encoded(node, enc)
		}
		columns = append(columns, column{name, node, typ, at}, column{name + "_null", parquet.Optional(node), typ, func(i int) (parquet.Value, any) {
			v, want := at(i)
			if mix(i^1<<20)%3 == 0 && i%1000 > 300 { // long runs without a null, too
				want = nil
			}
			return v, want
		}})
	}
	add("double", leaf(parquet.DoubleType), floats, analysis.Float, func(i int) (parquet.Value, any) {
		x := double(i)
		return parquet.DoubleValue(x), number(x)
	})
	add("float", leaf(parquet.FloatType), floats, analysis.Float, func(i int) (parquet.Value, any) {
		x := float32(double(i))
		return parquet.FloatValue(x), number(float64(x))
	})
	add("int32", leaf(parquet.Int32Type), integer, analysis.Int, func(i int) (parquet.Value, any) {
		x := int32(mix(i))
		return parquet.Int32Value(x), int64(x)
	})
	add("int64", leaf(parquet.Int64Type), integer, analysis.Int, func(i int) (parquet.Value, any) {
		x := int64(mix(i))
		return parquet.Int64Value(x), x
	})
	add("uint8", parquet.Uint(8), integer, analysis.Int, func(i int) (parquet.Value, any) {
		x := mix(i) % 256
		return parquet.Int32Value(int32(x)), int64(x)
	})
	add("uint32", parquet.Uint(32), integer, analysis.Int, func(i int) (parquet.Value, any) {
		x := uint32(mix(i))
		return parquet.Int32Value(int32(x)), int64(x)
	})
	add("uint64", parquet.Uint(64), integer, analysis.Int, func(i int) (parquet.Value, any) {
		x := mix(i) >> 1
		return parquet.Int64Value(int64(x)), int64(x)
	})
	add("bool", leaf(parquet.BooleanType), bits, analysis.Bool, func(i int) (parquet.Value, any) {
		x := mix(i)%5 == 0
		return parquet.BooleanValue(x), x
	})
	add("string", parquet.String(), bytesOf, analysis.String, func(i int) (parquet.Value, any) {
		return parquet.ByteArrayValue([]byte(word(i))), word(i)
	})
	add("enum", parquet.Enum(), bytesOf, analysis.String, func(i int) (parquet.Value, any) {
		return parquet.ByteArrayValue([]byte(word(i % 3))), word(i % 3)
	})
	add("json", parquet.JSON(), bytesOf, analysis.String, func(i int) (parquet.Value, any) {
		return parquet.ByteArrayValue([]byte(`{"a":"é"}`)), `{"a":"é"}`
	})
	add("bytes", leaf(parquet.ByteArrayType), bytesOf, analysis.String, func(i int) (parquet.Value, any) {
		switch i % 3 {
		case 0:
			return parquet.ByteArrayValue([]byte{0xff, byte(i)}), fmt.Sprintf("0xff%02x", byte(i))
		case 1:
			return parquet.ByteArrayValue([]byte{}), ""
		}
		return parquet.ByteArrayValue([]byte("ok")), "ok"
	})
	add("fixed", leaf(parquet.FixedLenByteArrayType(3)), bytesOf, analysis.String, func(i int) (parquet.Value, any) {
		return parquet.FixedLenByteArrayValue([]byte{1, 2, byte(i)}), fmt.Sprintf("0x0102%02x", byte(i))
	})
	add("uuid", parquet.UUID(), bytesOf, analysis.String, func(i int) (parquet.Value, any) {
		b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, mix(i)), uint64(i))
		return parquet.FixedLenByteArrayValue(b), fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	})
	add("half", leaf(annotated{parquet.FixedLenByteArrayType(2), &format.Float16Type{}}), bytesOf, analysis.Float, func(i int) (parquet.Value, any) {
		return parquet.FixedLenByteArrayValue([]byte{0x00, 0x3c + byte(i%4)*4}), math.Ldexp(1, i%4)
	})
	add("dec32", parquet.Decimal(2, 9, parquet.Int32Type), integer, analysis.Float, func(i int) (parquet.Value, any) {
		x := int32(mix(i) % 1_000_000)
		return parquet.Int32Value(-x), -float64(x) / 100
	})
	add("dec64", parquet.Decimal(3, 18, parquet.Int64Type), integer, analysis.Float, func(i int) (parquet.Value, any) {
		x := int64(mix(i) % 1_000_000_000_000)
		return parquet.Int64Value(x), float64(x) / 1000
	})
	add("decbytes", parquet.Decimal(1, 20, parquet.ByteArrayType), bytesOf, analysis.Float, func(i int) (parquet.Value, any) {
		return parquet.ByteArrayValue([]byte{0xff, byte(i)}), (float64(byte(i)) - 256) / 10
	})
	add("decfixed", parquet.Decimal(0, 28, parquet.FixedLenByteArrayType(12)), bytesOf, analysis.Float, func(i int) (parquet.Value, any) {
		return parquet.FixedLenByteArrayValue([]byte{0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, byte(i)}), math.Ldexp(1, 72) + float64(byte(i))
	})
	add("millis", parquet.Timestamp(parquet.Millisecond), integer, analysis.Time, func(i int) (parquet.Value, any) {
		x := stamp(i) / 1000
		return parquet.Int64Value(x), x * 1000
	})
	add("micros", parquet.Timestamp(parquet.Microsecond), integer, analysis.Time, func(i int) (parquet.Value, any) {
		return parquet.Int64Value(stamp(i)), stamp(i)
	})
	add("nanos", parquet.Timestamp(parquet.Nanosecond), integer, analysis.Time, func(i int) (parquet.Value, any) {
		return parquet.Int64Value(stamp(i)), floor(stamp(i), 1000)
	})
	add("date", parquet.Date(), integer, analysis.Time, func(i int) (parquet.Value, any) {
		x := int32(mix(i)%40000) - 10000
		return parquet.Int32Value(x), int64(x) * 86_400_000_000
	})
	add("int96", leaf(parquet.Int96Type), nil, analysis.Time, func(i int) (parquet.Value, any) {
		day, nanos := 2_440_588+i-500, mix(i)%86_400_000_000_000
		return parquet.Int96Value(deprecated.Int96{uint32(nanos), uint32(nanos >> 32), uint32(day)}),
			int64(i-500)*86_400_000_000 + int64(nanos/1000)
	})
	return columns
}
