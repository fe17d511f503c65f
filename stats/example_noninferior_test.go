package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExampleNonInferiority() {
	// Accuracy fell by 0.3% (standard error 0.25%); 1% would be acceptable.
	r, _ := stats.NonInferiority(-0.003, 0.0025, 0.01, stats.HigherIsBetter, 0.05)
	fmt.Printf("bound %.4f, p %.4f, shown %v\n", r.Bound, r.P, r.Shown)
	// Output:
	// bound -0.0071, p 0.0026, shown true
}

func ExampleEquivalence() {
	r, _ := stats.Equivalence(-0.003, 0.0025, 0.01, 0.05)
	fmt.Printf("bound %.4f, p %.4f, shown %v\n", r.Bound, r.P, r.Shown)
	// Output:
	// bound -0.0071, p 0.0026, shown true
}

func ExampleInterval_Within() {
	// Error rates, candidate less baseline, by an interval of any method.
	c, _ := stats.ScoreDifference(105, 10000, 100, 10000, 0.90, stats.ScoreOptions{})
	ok, _ := c.Estimate.Within(0.005, stats.LowerIsBetter)
	fmt.Println(c.Estimate, ok)
	// Output:
	// 0.0005 [-0.001855, 0.002861] (90%) true
}
