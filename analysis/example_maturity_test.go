package analysis_test

import (
	"fmt"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// Labels of fraud come within two weeks, those of honest customers never: until
// then nobody knows. A cutoff leaves the rows out for which the two weeks are not
// over, in both arms alike.
func ExampleCollector_MatureBefore() {
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "fraud", Role: analysis.Label},
		analysis.ColumnSpec{Name: "score", Role: analysis.Score},
		analysis.ColumnSpec{Name: "ts", Role: analysis.Clock})
	if err != nil {
		fmt.Println(err)
		return
	}
	policy := analysis.Policy{Columns: analysis.Columns{Score: "score", Label: "fraud", Time: "ts"}, Labels: analysis.Labels{Maturity: 14 * 24 * time.Hour}}
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

	c := analysis.NewCollector(spec)
	if err := c.MatureBefore(policy.MatureBefore(now)); err != nil {
		fmt.Println(err)
		return
	}
	days := []int{1, 10, 17, 25} // of January
	times := make([]int64, len(days))
	for i, d := range days {
		times[i] = time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC).UnixMicro()
	}
	err = c.Add(&analysis.Batch{Rows: 4, Columns: []analysis.Column{
		{Type: analysis.Bool, Bools: []bool{false, false, true, true}},
		{Type: analysis.Float, Floats: []float64{0.1, 0.2, 0.7, 0.9}},
		{Type: analysis.Time, Ints: times},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := c.Snapshot()
	if err != nil {
		fmt.Println(err)
		return
	}
	labels := &s.ByRole(analysis.Label).Boolean
	fmt.Println("labels count up to", s.MatureBefore)
	fmt.Printf("%d of %d rows are old enough; %d of them are fraud\n", s.MatureRows(), s.RowCount, labels.True)
	// Output:
	// labels count up to 2026-01-17T12:00:00Z
	// 3 of 4 rows are old enough; 1 of them are fraud
}

// A source that hands over one column after another has to bring what is needed to
// tell the age of a label together with it.
func ExampleSpec_MatureParts() {
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "amount"},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "score", Role: analysis.Score},
		analysis.ColumnSpec{Name: "ts", Role: analysis.Clock})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(spec.Names())
	fmt.Println(spec.Parts(), "without a cutoff")
	fmt.Println(spec.MatureParts(), "with one")
	// Output:
	// [amount label score ts]
	// [[0] [1 2] [3]] without a cutoff
	// [[0] [1 2 3]] with one
}
