package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExampleMannKendall() {
	quarters := []float64{100, 96, 98, 90, 85, 88, 80, 75} // median lead time, hours
	r, err := stats.MannKendall(nil, quarters, stats.TrendOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("S = %d, tau = %.3f, P = %.5f (%s)\n", r.S, r.Tau, r.P, r.Method)
	// Output: S = -24, tau = -0.857, P = 0.00174 (Mann-Kendall, exact)
}

func ExampleTheilSen() {
	quarters := []float64{100, 96, 98, 90, 85, 88, 80, 75}
	r, err := stats.TheilSen(nil, quarters, 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Slope, "hours per quarter")
	// Output: -3.417 [-5, -2.4] (95%) hours per quarter
}
