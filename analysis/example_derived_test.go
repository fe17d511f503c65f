package analysis_test

import (
	"fmt"

	"github.com/rampguard/rampguard/analysis"
)

// The mean absolute error of a regression, and the age of a feature, are columns
// that no log has.
func ExampleSpec_WithDerived() {
	spec, err := analysis.NewSpec(analysis.Regression, analysis.ColumnSpec{Name: "predicted", Role: analysis.Score}, analysis.ColumnSpec{Name: "actual", Role: analysis.Label})
	if err != nil {
		panic(err)
	}
	spec, err = spec.WithDerived(
		analysis.DerivedSpec{Name: "abs_error", Op: analysis.Distance, Of: []string{"actual", "predicted"}, Sums: true},
		analysis.DerivedSpec{Name: "age", Op: analysis.Minus, Of: []string{"served", "computed"}, Sums: true},
	)
	if err != nil {
		panic(err)
	}
	c := analysis.NewCollector(spec)
	times := func(seconds ...int64) analysis.Column {
		out := analysis.Column{Type: analysis.Time}
		for _, s := range seconds {
			out.Ints = append(out.Ints, s*1e6)
		}
		return out
	}
	fmt.Println("a source reads", spec.Names())
	err = c.Add(&analysis.Batch{Rows: 3, Columns: []analysis.Column{
		{Type: analysis.Float, Floats: []float64{10, 12, 9}},
		times(50, 60, 30),
		{Type: analysis.Float, Floats: []float64{11, 15, 9}},
		times(80, 80, 90),
	}})
	if err != nil {
		panic(err)
	}
	s, err := c.Snapshot()
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"abs_error", "age"} {
		m, err := s.Column(name).Histogram().Moments()
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: mean %.3f of %d\n", name, m.Mean, m.N)
	}
	// Output:
	// a source reads [actual computed predicted served]
	// abs_error: mean 1.333 of 3
	// age: mean 36.667 of 3
}

// A table of two texts is counted as a column of pairs.
func ExamplePairOf() {
	pair := analysis.PairOf("cat", "dog")
	label, predicted, err := analysis.SplitPair(pair)
	if err != nil {
		panic(err)
	}
	fmt.Println(pair, "is a", label, "taken for a", predicted)
	// Output: "cat" "dog" is a cat taken for a dog
}

// The confusion matrix of a multiclass task is the count of a derived column.
func ExampleColumns_Confusion() {
	columns := analysis.Columns{Label: "animal", Prediction: "guess"}
	derived, err := columns.Confusion()
	if err != nil {
		panic(err)
	}
	d := derived[len(derived)-1]
	fmt.Printf("%q: %v of %v\n", d.Name, d.Op, d.Of)
	// Output: "animal with guess": paired of [animal guess]
}
