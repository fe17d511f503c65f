package parquetrows_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
)

func Example() {
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "score", Role: analysis.Score},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label},
	)
	if err != nil {
		log.Fatal(err)
	}
	for _, arm := range []string{"baseline", "candidate_broken"} {
		s, err := parquetrows.Collect(context.Background(), spec, parquetrows.Options{}, "../../testdata/flights/"+arm+".parquet")
		if err != nil {
			log.Fatal(err)
		}
		label := s.ByRole(analysis.Label).Boolean
		fmt.Printf("%s: %d rows, label rate %.3f of %d, %d to come\n", arm, s.RowCount,
			float64(label.True)/float64(label.True+label.False), label.True+label.False, label.Null)
	}
	// Output:
	// baseline: 60185 rows, label rate 0.124 of 60185, 0 to come
	// candidate_broken: 58266 rows, label rate 0.134 of 46597, 11669 to come
}

func ExampleCollect() {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "action"})
	if err != nil {
		log.Fatal(err)
	}
	s, err := parquetrows.Collect(context.Background(), spec, parquetrows.Options{}, "../../testdata/flights/*.parquet")
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range s.Column("action").Category.Counts() {
		fmt.Println(c.Name, c.N)
	}
	// Output:
	// allow 114200
	// block 19653
	// review 44413
}

func ExampleSchema() {
	columns, err := parquetrows.Schema("../../testdata/flights/baseline.parquet")
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range columns {
		fmt.Printf("%s: %v, stored as %s\n", c.Name, c.Type, c.Physical)
	}
	// Output:
	// action: string, stored as BYTE_ARRAY
	// destination: string, stored as BYTE_ARRAY
	// distance: int, stored as INT32
	// dow: int, stored as INT32
	// hour: int, stored as INT32
	// label: bool, stored as BOOLEAN
	// origin: string, stored as BYTE_ARRAY
	// request_id: int, stored as INT64
	// score: float, stored as DOUBLE
	// ts: time, stored as INT64
}

func ExampleOpen() {
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "action"}, analysis.ColumnSpec{Name: "score"})
	if err != nil {
		log.Fatal(err)
	}
	r, err := parquetrows.Open("../../testdata/flights/candidate.parquet", spec, parquetrows.Options{BatchRows: 3})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	var b analysis.Batch
	if err := r.Next(&b); err != nil {
		log.Fatal(err)
	}
	action, score := b.Columns[0], b.Columns[1] // in the order of spec.Columns
	for i := range b.Rows {
		fmt.Printf("%s %.4f\n", action.Dict.Values[action.Codes[i]], score.Floats[i])
	}
	rows := int64(b.Rows)
	for err = r.Next(&b); err == nil; err = r.Next(&b) {
		rows += int64(b.Rows)
	}
	fmt.Println(rows == r.Rows(), errors.Is(err, io.EOF))
	// Output:
	// block 0.5123
	// block 0.3069
	// allow 0.1392
	// true true
}
