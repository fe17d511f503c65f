package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExampleMcNemar() {
	// The candidate broke 30 answers and fixed 60.
	for m := stats.McNemarExact; m <= stats.McNemarCorrected; m++ {
		r, _ := stats.McNemar(30, 60, stats.McNemarOptions{Method: m})
		fmt.Printf("%s: p %.5f\n", r.Method, r.P)
	}
	// Output:
	// McNemar exact: p 0.00206
	// McNemar mid-p: p 0.00152
	// McNemar chi-square: p 0.00157
	// McNemar chi-square with continuity correction: p 0.00224
}

func ExampleTango() {
	c, _ := stats.Tango(40, 20, 160, 0.95)
	fmt.Println(c.Estimate)
	// Output:
	// 0.125 [0.03086, 0.2181] (95%)
}

func ExamplePairedT() {
	before := []float64{0.21, 0.35, 0.18, 0.40, 0.29}
	after := []float64{0.19, 0.30, 0.18, 0.34, 0.27}
	r, _ := stats.PairedT(after, before, stats.TOptions{})
	fmt.Printf("%v, t %.3f, p %.3f\n", r.Difference, r.T, r.P)
	// Output:
	// -0.03 [-0.06041, 0.0004144] (95%), t -2.739, p 0.052
}

func ExampleStuartMaxwell() {
	// Decisions block, review, allow: rows the champion's, columns the challenger's.
	table := [][]uint64{{80, 15, 5}, {10, 150, 40}, {2, 30, 668}}
	r, _ := stats.StuartMaxwell(table)
	fmt.Printf("%.3f, %d df, p %.3f\n", r.Statistic, r.DF, r.P)
	// Output:
	// 3.677, 2 df, p 0.159
}

func ExampleBowker() {
	table := [][]uint64{{80, 15, 5}, {10, 150, 40}, {2, 30, 668}}
	r, _ := stats.Bowker(table)
	fmt.Printf("%.3f, %d df, p %.3f\n", r.Statistic, r.DF, r.P)
	// Output:
	// 3.714, 3 df, p 0.294
}
