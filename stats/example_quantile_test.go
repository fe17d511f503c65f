package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExampleQuantile() {
	hours := []float64{2, 5, 7, 9, 12, 18, 24, 30, 49, 120}
	r, err := stats.Quantile(hours, 0.5, stats.QuantileOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("median %v, achieved %.3f\n", r.Estimate, r.Achieved)
	r, err = stats.Quantile(hours, 0.9, stats.QuantileOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("p90", r.Estimate, r.Warnings[0].Code)
	// Output:
	// median 15 [5, 49] (95%), achieved 0.979
	// p90 56.1 [24, +Inf] (95%) small_sample
}

func ExampleQuantiles() {
	hours := []float64{2, 5, 7, 9, 12, 18, 24, 30, 49, 120}
	for _, typ := range []stats.QuantileType{stats.Type1, stats.Type6, stats.Type7, stats.Type8} {
		q, err := stats.Quantiles(hours, []float64{0.5, 0.9}, typ)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("type %d: %.1f %.1f\n", typ, q[0], q[1])
	}
	// Output:
	// type 1: 12.0 49.0
	// type 6: 15.0 112.9
	// type 7: 15.0 56.1
	// type 8: 15.0 94.0
}
