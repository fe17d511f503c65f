package analysis_test

import (
	"errors"
	"fmt"
	"log"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// What is taken is what a snapshot would have held, and the collector begins
// anew, dictionary counts included.
func TestTake(t *testing.T) {
	all := randomRows(5, 600)
	dict := &analysis.Dict{Values: []string{"allow", "review", "block"}}
	c := analysis.NewCollector(logSpec(t))
	for i := 0; i < 600; i += 200 {
		if err := c.Add(all.cut(i, i+200).batch(dict)); err != nil {
			t.Fatal(err)
		}
		want, err := c.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Take()
		if err != nil {
			t.Fatal(err)
		}
		if bytesOf(t, got) != bytesOf(t, want) {
			t.Errorf("rows from %d: Take and Snapshot differ", i)
		}
		if bytesOf(t, got) != bytesOf(t, collect(t, all.cut(i, i+200))) {
			t.Errorf("rows from %d: what was taken before shows", i)
		}
	}
	if err := c.Add(&analysis.Batch{Rows: 1}); err == nil {
		t.Fatal("a batch without columns is taken")
	}
	if _, err := c.Take(); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("Take of a spoiled collector: error %v, want one wrapping %v", err, stats.ErrMismatch)
	}
}

// Columns may come by themselves, in any order and in batches of any size.
func TestAddColumns(t *testing.T) {
	all := randomRows(6, 600)
	dict := &analysis.Dict{Values: []string{"allow", "review", "block"}}
	spec := logSpec(t)
	score, label := spec.ByRole(analysis.Score), spec.ByRole(analysis.Label)
	c := analysis.NewCollector(spec)
	add := func(rows int, columns ...int) {
		t.Helper()
		for i := 0; i < 600; i += rows {
			whole := all.cut(i, i+rows).batch(dict)
			part := analysis.Batch{Rows: rows}
			for _, k := range columns {
				part.Columns = append(part.Columns, whole.Columns[k])
			}
			if err := c.AddColumns(&part, columns); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(200, label, score)
	for i := range slices.Backward(spec.Columns) {
		if i != score && i != label {
			add(100*(1+i%3), i)
		}
	}
	got, err := c.Take()
	if err != nil {
		t.Fatal(err)
	}
	if bytesOf(t, got) != bytesOf(t, collect(t, all)) {
		t.Error("columns by themselves give another snapshot")
	}
}

func TestAddColumnsRefuses(t *testing.T) {
	all := randomRows(7, 10).batch(&analysis.Dict{Values: []string{"allow", "review", "block"}})
	spec := logSpec(t)
	score, label := spec.ByRole(analysis.Score), spec.ByRole(analysis.Label)
	for name, columns := range map[string][]int{
		"score without label": {score},
		"label without score": {label},
		"uneven rows":         {score, label},
		"no such column":      {len(spec.Columns)},
		"negative column":     {-1},
	} {
		t.Run(name, func(t *testing.T) {
			c := analysis.NewCollector(spec)
			part := analysis.Batch{Rows: all.Rows}
			for _, k := range columns {
				part.Columns = append(part.Columns, all.Columns[min(max(k, 0), len(all.Columns)-1)])
			}
			err := c.AddColumns(&part, columns)
			if err == nil {
				_, err = c.Snapshot()
			}
			if !errors.Is(err, stats.ErrMismatch) {
				t.Errorf("error %v, want one wrapping %v", err, stats.ErrMismatch)
			}
		})
	}
}

// A code outside the dictionary is found wherever it is.
func TestCodesOutsideTheDictionary(t *testing.T) {
	spec, err := analysis.NewSpec(analysis.Regression, analysis.ColumnSpec{Name: "country"})
	if err != nil {
		t.Fatal(err)
	}
	dict := &analysis.Dict{Values: []string{"at", "ch"}}
	for _, valid := range [][]bool{nil, {true, true, true, true, true}} {
		for i := range 5 {
			for _, code := range []int32{-1, 2, math.MaxInt32, math.MinInt32} {
				codes := []int32{0, 1, 1, 0, 1}
				codes[i] = code
				err := analysis.NewCollector(spec).Add(&analysis.Batch{Rows: 5, Columns: []analysis.Column{{Type: analysis.String, Codes: codes, Dict: dict, Valid: valid}}})
				if !errors.Is(err, stats.ErrMismatch) || !strings.Contains(err.Error(), fmt.Sprintf("code %d of", code)) {
					t.Errorf("code %d at row %d: error %v", code, i, err)
				}
			}
		}
	}
}

func ExampleCollector_AddColumns() {
	spec, err := analysis.NewSpec(analysis.Regression, analysis.ColumnSpec{Name: "amount"}, analysis.ColumnSpec{Name: "retries"})
	if err != nil {
		log.Fatal(err)
	}
	c := analysis.NewCollector(spec)
	for _, column := range []struct {
		name   string
		values analysis.Column
	}{
		{"retries", analysis.Column{Type: analysis.Int, Ints: []int64{0, 1, 0}}},
		{"amount", analysis.Column{Type: analysis.Float, Floats: []float64{9.5, 3, 12}}},
	} {
		b := analysis.Batch{Rows: 3, Columns: []analysis.Column{column.values}}
		if err := c.AddColumns(&b, []int{spec.Index(column.name)}); err != nil {
			log.Fatal(err)
		}
	}
	s, err := c.Snapshot()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.RowCount, "rows, amounts up to", s.Column("amount").Numeric.Max())
	// Output: 3 rows, amounts up to 12
}

func ExampleCollector_Take() {
	spec, err := analysis.NewSpec(analysis.Regression, analysis.ColumnSpec{Name: "amount"})
	if err != nil {
		log.Fatal(err)
	}
	c := analysis.NewCollector(spec)
	for hour := 1; hour <= 2; hour++ {
		amounts := make([]float64, 10*hour)
		if err := c.Add(&analysis.Batch{Rows: len(amounts), Columns: []analysis.Column{{Type: analysis.Float, Floats: amounts}}}); err != nil {
			log.Fatal(err)
		}
		s, err := c.Take()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(s.RowCount, "rows in hour", hour)
	}
	// Output:
	// 10 rows in hour 1
	// 20 rows in hour 2
}
