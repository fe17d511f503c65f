package statstest_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

// The values come in parts, as shards would hold them; in a test they are drawn
// by a property-testing library, and its T takes the place of the recorder.
func ExampleCheckLaws() {
	laws := statstest.Laws[summary.Sum, float64]{
		New: func() *summary.Sum { return new(summary.Sum) },
		Add: (*summary.Sum).Add,
	}
	statstest.CheckLaws(recorder{}, laws, []float64{1e300, 1}, []float64{-1e300}, nil)
	fmt.Println("no law is broken")
	// Output: no law is broken
}

func ExampleIsNear() {
	fmt.Println(statstest.IsNear(1.001, 1, 1e-2, 0))
	fmt.Println(statstest.IsNear(1e-9, 0, 1e-2, 0))
	// Output:
	// true
	// false
}
