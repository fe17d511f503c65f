package stats_test

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

func ExampleBonferroni() {
	// The overall metric has half of the budget, two slices a quarter each.
	adjusted, _ := stats.Bonferroni([]float64{0.012, 0.03, 0.004}, []float64{2, 1, 1})
	fmt.Printf("%.3f\n", adjusted)
	// Output:
	// [0.024 0.120 0.016]
}

func ExampleHolm() {
	adjusted, _ := stats.Holm([]float64{0.012, 0.03, 0.004})
	fmt.Printf("%.3f\n", adjusted)
	// Output:
	// [0.024 0.030 0.012]
}

func ExampleBenjaminiHochberg() {
	adjusted, _ := stats.BenjaminiHochberg([]float64{0.012, 0.03, 0.004, 0.6})
	fmt.Printf("%.3f\n", adjusted)
	// Output:
	// [0.024 0.040 0.016 0.600]
}

func ExampleBenjaminiYekutieli() {
	adjusted, _ := stats.BenjaminiYekutieli([]float64{0.012, 0.03, 0.004, 0.6})
	fmt.Printf("%.3f\n", adjusted)
	// Output:
	// [0.050 0.083 0.033 1.000]
}

func ExampleEBH() {
	var logE []float64
	for _, e := range []float64{200, 90, 35, 28, 12, 8, 3, 1.1, 0.4, 0.05} {
		logE = append(logE, math.Log(e))
	}
	rejected, _ := stats.EBH(logE, 0.10)
	fmt.Println(rejected)
	// Output:
	// [true true true true false false false false false false]
}
