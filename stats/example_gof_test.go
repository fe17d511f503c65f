package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExampleGoodnessOfFit() {
	// Was traffic split 80:20 as configured?
	r, err := stats.GoodnessOfFit([]uint64{4072, 2035}, []float64{0.8, 0.2}, stats.ChiSquareOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("X2 %.1f, %d df, p %.3g\n", r.Statistic, r.DF, r.P)
	// Output:
	// X2 677.4, 1 df, p 2.4e-149
}

func ExampleHomogeneity() {
	// Two weeks of a category; the third value was never seen in the first.
	r, _ := stats.Homogeneity([]uint64{4, 2, 0}, []uint64{1, 1, 4}, stats.ChiSquareOptions{})
	fmt.Printf("X2 %.4f, p %.4f, V %.3f\n", r.Statistic, r.P, r.CramersV)
	for _, w := range r.Warnings {
		fmt.Println(w.Code)
	}
	// Output:
	// X2 6.1333, p 0.0466, V 0.715
	// expected_below_5
}

func ExampleContingencyTable() {
	table := [][]uint64{{30, 60}, {45, 45}}
	for _, opt := range []stats.ChiSquareOptions{{}, {Yates: true}, {LikelihoodRatio: true}} {
		r, _ := stats.ContingencyTable(table, opt)
		fmt.Printf("%s: %.4f, p %.4f\n", r.Method, r.Statistic, r.P)
	}
	// Output:
	// Pearson chi-square, homogeneity: 5.1429, p 0.0233
	// Pearson chi-square with Yates correction, homogeneity: 4.4800, p 0.0343
	// likelihood-ratio G, homogeneity: 5.1705, p 0.0230
}
