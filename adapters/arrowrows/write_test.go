package arrowrows_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/rampguard/rampguard/adapters/adaptertest"
	"github.com/rampguard/rampguard/analysis"
)

// layout is how a table is written.
type layout struct {
	file  bool // an IPC file and not a stream
	dict  bool // texts in dictionaries
	rows  int  // per record
	extra []ipc.Option
}

var layouts = map[string]layout{
	"stream":            {rows: 100},
	"file":              {file: true, rows: 1 << 20},
	"stream dictionary": {dict: true, rows: 64, extra: []ipc.Option{ipc.WithZstd()}},
	"file dictionary":   {file: true, dict: true, rows: 50, extra: []ipc.Option{ipc.WithLZ4()}},
}

var dictionaryType = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}

// recordOf makes a record of a table.
func recordOf(table adaptertest.Table, dict bool) (arrow.Record, error) {
	types := map[analysis.Type]arrow.DataType{
		analysis.Float: arrow.PrimitiveTypes.Float64, analysis.Int: arrow.PrimitiveTypes.Int64, analysis.Bool: arrow.FixedWidthTypes.Boolean,
		analysis.String: arrow.BinaryTypes.String, analysis.Time: arrow.FixedWidthTypes.Timestamp_us,
	}
	if dict {
		types[analysis.String] = dictionaryType
	}
	var fields []arrow.Field
	for _, c := range table {
		fields = append(fields, arrow.Field{Name: c.Name, Type: types[c.Type], Nullable: true})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for i, c := range table {
		for _, v := range c.Values {
			if err := appendValue(b.Field(i), v); err != nil {
				return nil, err
			}
		}
	}
	return b.NewRecord(), nil
}

func appendValue(b array.Builder, v any) error {
	switch v := v.(type) {
	case nil:
		b.AppendNull()
	case float64:
		b.(*array.Float64Builder).Append(v)
	case bool:
		b.(*array.BooleanBuilder).Append(v)
	case int64:
		if t, ok := b.(*array.TimestampBuilder); ok {
			t.Append(arrow.Timestamp(v))
			return nil
		}
		b.(*array.Int64Builder).Append(v)
	case string:
		if d, ok := b.(*array.BinaryDictionaryBuilder); ok {
			return d.AppendString(v)
		}
		b.(*array.StringBuilder).Append(v)
	default:
		return fmt.Errorf("a value of type %T", v)
	}
	return nil
}

// recordWriter is what the writers of streams and files have in common.
type recordWriter interface {
	Write(arrow.Record) error
	Close() error
}

// encode writes records in slices of some rows.
func encode(l layout, records ...arrow.Record) (data []byte, err error) {
	var out bytes.Buffer
	options := append([]ipc.Option{ipc.WithSchema(records[0].Schema())}, l.extra...)
	var w recordWriter = ipc.NewWriter(&out, options...)
	if l.file {
		temp, err := os.CreateTemp("", "arrowrows-*")
		if err != nil {
			return nil, err
		}
		defer os.Remove(temp.Name())
		defer temp.Close()
		if w, err = ipc.NewFileWriter(temp, options...); err != nil {
			return nil, err
		}
		defer func() {
			if err == nil {
				data, err = os.ReadFile(temp.Name())
			}
		}()
	}
	for _, rec := range records {
		for from := int64(0); from < rec.NumRows(); from += int64(l.rows) {
			s := rec.NewSlice(from, min(from+int64(l.rows), rec.NumRows()))
			err := w.Write(s)
			s.Release()
			if err != nil {
				return nil, err
			}
		}
	}
	if records[0].NumRows() == 0 && !l.file { // the schema comes with the first record
		if err := w.Write(records[0]); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}

// store writes a table to a file.
func store(dir, name string, l layout, table adaptertest.Table) (string, error) {
	rec, err := recordOf(table, l.dict)
	if err != nil {
		return "", err
	}
	defer rec.Release()
	data, err := encode(l, rec)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, data, 0o600)
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeRecords writes records to a file.
func writeRecords(t testing.TB, l layout, records ...arrow.Record) string {
	t.Helper()
	data, err := encode(l, records...)
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "log.arrow", data)
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

func marshal(t testing.TB, s *analysis.Snapshot) []byte {
	t.Helper()
	b, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
