package arrow18rows_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rampguard/rampguard/adapters/arrow18rows"
	"github.com/rampguard/rampguard/analysis"
)

// exampleRecord is a small log.
func exampleRecord() (arrow.RecordBatch, *analysis.Spec) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "action", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}},
		{Name: "label", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "score", Type: arrow.PrimitiveTypes.Float64},
	}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(`[
		{"action": "allow", "label": false, "score": 0.125},
		{"action": "block", "label": true, "score": 0.75},
		{"action": "allow", "label": null, "score": 0.25}]`))
	if err != nil {
		log.Fatal(err)
	}
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "action"},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "score", Role: analysis.Score},
	)
	if err != nil {
		log.Fatal(err)
	}
	return rec, spec
}

// exampleFile writes the log as an IPC stream.
func exampleFile() (path string, spec *analysis.Spec, remove func()) {
	rec, spec := exampleRecord()
	dir, err := os.MkdirTemp("", "arrow18rows-*")
	if err != nil {
		log.Fatal(err)
	}
	path = filepath.Join(dir, "log.arrows")
	f, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	w := ipc.NewWriter(f, ipc.WithSchema(rec.Schema()))
	if err := errors.Join(w.Write(rec), w.Close(), f.Close()); err != nil {
		log.Fatal(err)
	}
	return path, spec, func() { _ = os.RemoveAll(dir) }
}

func ExampleCollect() {
	path, spec, remove := exampleFile()
	defer remove()
	s, err := arrow18rows.Collect(context.Background(), spec, arrow18rows.Options{}, path)
	if err != nil {
		log.Fatal(err)
	}
	label := s.ByRole(analysis.Label).Boolean
	fmt.Println(s.RowCount, "rows,", label.True, "positive,", label.Null, "to come")
	for _, c := range s.Column("action").Category.Counts() {
		fmt.Println(c.Name, c.N)
	}
	// Output:
	// 3 rows, 1 positive, 1 to come
	// allow 2
	// block 1
}

func ExampleAdd() {
	rec, spec := exampleRecord()
	c := analysis.NewCollector(spec)
	if err := arrow18rows.Add(c, spec, rec); err != nil {
		log.Fatal(err)
	}
	s, err := c.Snapshot()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.RowCount)
	// Output:
	// 3
}

// A table has chunked columns; its reader cuts it into records without a copy.
func ExampleAddAll() {
	rec, spec := exampleRecord()
	table := array.NewTableFromRecords(rec.Schema(), []arrow.RecordBatch{rec, rec})
	defer table.Release()
	r := array.NewTableReader(table, 0)
	defer r.Release()
	c := analysis.NewCollector(spec)
	if err := arrow18rows.AddAll(context.Background(), c, spec, r); err != nil {
		log.Fatal(err)
	}
	s, err := c.Snapshot()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.RowCount)
	// Output:
	// 6
}

func ExampleSchema() {
	path, _, remove := exampleFile()
	defer remove()
	columns, err := arrow18rows.Schema(path)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range columns {
		fmt.Println(c.Name, c.Type, c.Nullable)
	}
	// Output:
	// action string false
	// label bool true
	// score float false
}

func ExampleOpen() {
	path, spec, remove := exampleFile()
	defer remove()
	r, err := arrow18rows.Open(path, spec, arrow18rows.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	var b analysis.Batch
	for err = r.Next(&b); err == nil; err = r.Next(&b) {
		action, score := b.Columns[0], b.Columns[2] // in the order of spec.Columns
		for i := range b.Rows {
			fmt.Println(action.Dict.Values[action.Codes[i]], score.Floats[i])
		}
	}
	fmt.Println(errors.Is(err, io.EOF))
	// Output:
	// allow 0.125
	// block 0.75
	// allow 0.25
	// true
}
