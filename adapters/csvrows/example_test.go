package csvrows_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/rampguard/rampguard/adapters/csvrows"
	"github.com/rampguard/rampguard/analysis"
)

// inFile writes a file for an example and returns its path.
func inFile(name, data string) (path string, remove func()) {
	dir, err := os.MkdirTemp("", "csvrows-*")
	if err == nil {
		path = filepath.Join(dir, name)
		err = os.WriteFile(path, []byte(data), 0o600)
	}
	if err != nil {
		log.Fatal(err)
	}
	return path, func() { _ = os.RemoveAll(dir) }
}

func ExampleCollect() {
	path, remove := inFile("log.csv", "score,label,country\n0.25,false,NL\n0.75,true,NA\nhigh,true,BE\n0.5,,\n")
	defer remove()
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "score", Role: analysis.Score},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "country"},
	)
	if err != nil {
		log.Fatal(err)
	}
	o := csvrows.Options{MaxBad: 10, Types: map[string]analysis.Type{"score": analysis.Float, "label": analysis.Bool, "country": analysis.String}}
	r, err := csvrows.Collect(context.Background(), spec, o, path)
	if err != nil {
		log.Fatal(err)
	}
	label := r.Snapshot.ByRole(analysis.Label).Boolean
	fmt.Println(r.Rows, "rows,", label.True, "positive,", label.Null, "to come")
	for _, c := range r.Snapshot.Column("country").Category.Counts() {
		fmt.Println(c.Name, c.N)
	}
	fmt.Println(r.BadRows, "bad row, in line", r.Bad[0].Line, "column", r.Bad[0].Column, "-", r.Bad[0].Reason)
	// Output:
	// 3 rows, 1 positive, 1 to come
	// NA 1
	// NL 1
	// 1 bad row, in line 4 column score - "high" is not a number
}

func ExampleSchema() {
	path, remove := inFile("log.jsonl", `{"ts": "2025-03-01T02:00:00Z", "score": 0.25, "zip": "02134"}
{"ts": "2025-03-01T02:00:01Z", "score": NaN, "label": true}
`)
	defer remove()
	columns, err := csvrows.Schema(path, csvrows.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range columns {
		fmt.Println(c.Name, c.Type)
	}
	// Output:
	// label bool
	// score float
	// ts time
	// zip string
}

func ExampleOpen() {
	path, remove := inFile("log.csv", "score,action\n0.5,block\n0.25,allow\n")
	defer remove()
	spec, err := analysis.NewSpec(analysis.Binary, analysis.ColumnSpec{Name: "action"}, analysis.ColumnSpec{Name: "score"})
	if err != nil {
		log.Fatal(err)
	}
	r, err := csvrows.Open(path, spec, csvrows.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	var b analysis.Batch
	for err = r.Next(&b); err == nil; err = r.Next(&b) {
		action, score := b.Columns[0], b.Columns[1] // in the order of spec.Columns
		for i := range b.Rows {
			fmt.Println(action.Dict.Values[action.Codes[i]], score.Floats[i])
		}
	}
	fmt.Println(errors.Is(err, io.EOF))
	// Output:
	// block 0.5
	// allow 0.25
	// true
}
