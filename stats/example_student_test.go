package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExampleStudentTQuantile() {
	// The critical value of a one-sided test with 8 degrees of freedom, and one at
	// an error that a budget of many hypotheses leaves.
	usual, _ := stats.StudentTQuantile(0.05, 8)
	strict, err := stats.StudentTQuantile(1e-12, 1e5)
	fmt.Printf("%.4f %.4f %v\n", usual, strict, err)
	// Output:
	// 1.8595 7.0354 <nil>
}
