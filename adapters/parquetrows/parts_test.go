package parquetrows

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
)

// Every column is read once, the score of a binary task with its label.
func TestParts(t *testing.T) {
	a, z := analysis.ColumnSpec{Name: "a"}, analysis.ColumnSpec{Name: "z"}
	label := analysis.ColumnSpec{Name: "label", Role: analysis.Label}
	score := analysis.ColumnSpec{Name: "score", Role: analysis.Score}
	for _, c := range []struct {
		name    string
		task    analysis.Task
		columns []analysis.ColumnSpec
		want    [][]int
	}{
		{"none", analysis.Binary, nil, [][]int{nil}},
		{"features", analysis.Binary, []analysis.ColumnSpec{a, z}, [][]int{{0}, {1}}},
		{"binary", analysis.Binary, []analysis.ColumnSpec{a, label, score, z}, [][]int{{0}, {2, 1}, {3}}},
		{"no label", analysis.Binary, []analysis.ColumnSpec{a, score}, [][]int{{0}, {1}}},
		{"no score", analysis.Binary, []analysis.ColumnSpec{a, label}, [][]int{{0}, {1}}},
		{"regression", analysis.Regression, []analysis.ColumnSpec{label, score}, [][]int{{0}, {1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec, err := analysis.NewSpec(c.task, c.columns...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, partsOf(spec)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
