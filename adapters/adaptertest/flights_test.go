package adaptertest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/rampguard/rampguard/adapters/arrowrows"
	"github.com/rampguard/rampguard/adapters/csvrows"
	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
)

func flightSpec(t testing.TB) *analysis.Spec {
	t.Helper()
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "score", Role: analysis.Score, Cuts: []float64{0.15, 0.25}},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "ts", Role: analysis.Clock},
		analysis.ColumnSpec{Name: "request_id", Role: analysis.Unit},
		analysis.ColumnSpec{Name: "action", Role: analysis.Action},
		analysis.ColumnSpec{Name: "hour"}, analysis.ColumnSpec{Name: "dow", Cuts: []float64{3}},
		analysis.ColumnSpec{Name: "distance", Sums: true}, analysis.ColumnSpec{Name: "origin"}, analysis.ColumnSpec{Name: "nowhere"})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// flights returns the rows of a log, by column of the spec.
func flights(t testing.TB, path string, spec *analysis.Spec) [][]any {
	t.Helper()
	r, err := parquetrows.Open(path, spec, parquetrows.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out := make([][]any, len(spec.Columns))
	var b analysis.Batch
	for {
		if err := r.Next(&b); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		for i := range b.Columns {
			for k := range b.Rows {
				out[i] = append(out[i], valueAt(&b.Columns[i], k))
			}
		}
	}
}

func valueAt(c *analysis.Column, i int) any {
	switch {
	case c.Valid != nil && !c.Valid[i]:
	case c.Type == analysis.Float:
		return c.Floats[i]
	case c.Type == analysis.Time:
		return time.UnixMicro(c.Ints[i]).UTC()
	case c.Type == analysis.Int:
		return c.Ints[i]
	case c.Type == analysis.Bool:
		return c.Bools[i]
	case c.Type == analysis.String:
		return c.Dict.Values[c.Codes[i]]
	}
	return nil
}

func asCSV(names []string, columns [][]any) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	if err := w.Write(names); err != nil {
		return nil, err
	}
	cells := make([]string, len(names))
	for i := range columns[0] {
		for k, c := range columns {
			switch v := c[i].(type) {
			case nil:
				cells[k] = ""
			case float64:
				cells[k] = strconv.FormatFloat(v, 'g', -1, 64)
			case time.Time:
				cells[k] = v.Format("2006-01-02 15:04:05.000000-07:00") // as data frames write it
			default:
				cells[k] = fmt.Sprint(v)
			}
		}
		if err := w.Write(cells); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

func asJSONL(names []string, columns [][]any) ([]byte, error) {
	var out bytes.Buffer
	w := bufio.NewWriter(&out)
	e := json.NewEncoder(w)
	for i := range columns[0] {
		row := map[string]any{}
		for k, c := range columns {
			row[names[k]] = c[i]
		}
		if err := e.Encode(row); err != nil {
			return nil, err
		}
	}
	err := w.Flush()
	return out.Bytes(), err
}

// asRecord makes an Arrow record of flights; texts are in dictionaries or not.
func asRecord(names []string, columns [][]any, dict bool) (arrow.Record, error) {
	var fields []arrow.Field
	for k, c := range columns {
		var typ arrow.DataType = arrow.FixedWidthTypes.Boolean
		switch c[0].(type) {
		case float64:
			typ = arrow.PrimitiveTypes.Float64
		case int64:
			typ = arrow.PrimitiveTypes.Int64
		case time.Time:
			typ = arrow.FixedWidthTypes.Timestamp_ns
		case string:
			if typ = arrow.BinaryTypes.LargeString; dict {
				typ = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: arrow.BinaryTypes.String}
			}
		}
		fields = append(fields, arrow.Field{Name: names[k], Type: typ, Nullable: true})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for k, c := range columns {
		for _, v := range c {
			switch f := b.Field(k).(type) {
			case *array.Float64Builder:
				f.Append(v.(float64))
			case *array.Int64Builder:
				f.Append(v.(int64))
			case *array.TimestampBuilder:
				f.Append(arrow.Timestamp(v.(time.Time).UnixNano()))
			case *array.LargeStringBuilder:
				f.Append(v.(string))
			case *array.BinaryDictionaryBuilder:
				if err := f.AppendString(v.(string)); err != nil {
					return nil, err
				}
			case *array.BooleanBuilder:
				if v == nil {
					f.AppendNull()
				} else {
					f.Append(v.(bool))
				}
			}
		}
	}
	return b.NewRecord(), nil
}

func writeIPC(path string, rec arrow.Record, file bool) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var w interface {
		Write(arrow.Record) error
		Close() error
	} = ipc.NewWriter(f, ipc.WithSchema(rec.Schema()))
	if file {
		if w, err = ipc.NewFileWriter(f, ipc.WithSchema(rec.Schema()), ipc.WithZstd()); err != nil {
			return err
		}
	}
	for from := int64(0); from < rec.NumRows(); from += 10_000 {
		part := rec.NewSlice(from, min(from+10_000, rec.NumRows()))
		err := w.Write(part)
		part.Release()
		if err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Close()
}

// TestFlightsInAllFormats reads the real logs from Parquet, CSV, JSON Lines and
// Arrow: the snapshots are the same to the last bit.
func TestFlightsInAllFormats(t *testing.T) {
	ctx, spec := context.Background(), flightSpec(t)
	for _, arm := range []string{"baseline", "candidate", "candidate_broken"} {
		log := "../../testdata/flights/" + arm + ".parquet"
		want, err := parquetrows.Collect(ctx, spec, parquetrows.Options{}, log)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		var columns [][]any
		for i, c := range flights(t, log, spec) {
			if spec.Columns[i].Name != "nowhere" {
				names, columns = append(names, spec.Columns[i].Name), append(columns, c)
			}
		}
		same := func(format string, got *analysis.Snapshot, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s, %s: %v", arm, format, err)
			}
			a, errA := want.MarshalBinary()
			b, errB := got.MarshalBinary()
			if errA != nil || errB != nil || !bytes.Equal(a, b) {
				t.Errorf("%s, %s: the snapshot differs from that of Parquet", arm, format)
			}
		}
		dir := t.TempDir()
		for name, encode := range map[string]func([]string, [][]any) ([]byte, error){"log.csv": asCSV, "log.jsonl": asJSONL} {
			data, err := encode(names, columns)
			path := filepath.Join(dir, name)
			if err == nil {
				err = os.WriteFile(path, data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := csvrows.Collect(ctx, spec, csvrows.Options{}, path)
			same(name, r.Snapshot, err)
		}
		for _, dict := range []bool{false, true} {
			rec, err := asRecord(names, columns, dict)
			if err != nil {
				t.Fatal(err)
			}
			c := analysis.NewCollector(spec)
			err = arrowrows.Add(c, spec, rec)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Take()
			same(fmt.Sprintf("record, dictionaries %v", dict), got, err)
			for _, file := range []bool{false, true} {
				path := filepath.Join(dir, fmt.Sprintf("%v-%v.arrow", dict, file))
				if err := writeIPC(path, rec, file); err != nil {
					t.Fatal(err)
				}
				got, err := arrowrows.Collect(ctx, spec, arrowrows.Options{}, path)
				same(filepath.Base(path), got, err)
			}
			rec.Release()
		}
	}
}
