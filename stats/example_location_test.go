package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExampleMomentsOf() {
	m, err := stats.MomentsOf([]float64{2, 4, 4, 4, 5, 5, 7, 9})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d values, mean %v, variance %.3f\n", m.N, m.Mean, m.Variance)
	// Output: 8 values, mean 5, variance 4.571
}

func ExampleWelchT() {
	candidate := stats.Moments{N: 10000, Mean: 103.1, Variance: 410}
	baseline := stats.Moments{N: 10000, Mean: 102.4, Variance: 390}
	// Is the latency more than 0.2 ms worse?
	r, err := stats.WelchT(candidate, baseline, stats.TOptions{Alternative: stats.Greater, Null: 0.2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v, P = %.4f\n", r.Difference, r.P)
	// Output: 0.7 [0.2347, +Inf] (95%), P = 0.0386
}

func ExampleStudentT() {
	x, err := stats.MomentsOf([]float64{38.7, 41.5, 43.8, 44.5, 45.5, 46.0, 47.7, 58.0})
	if err != nil {
		fmt.Println(err)
		return
	}
	y, err := stats.MomentsOf([]float64{39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := stats.StudentT(x, y, stats.TOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("t = %.3f with %v degrees of freedom, P = %.3f\n", r.T, r.DF, r.P)
	// Output: t = 1.859 with 14 degrees of freedom, P = 0.084
}

func ExampleMannWhitney() {
	candidate := []float64{12, 15, 17, 21, 24, 30}
	baseline := []float64{9, 11, 13, 14, 16, 18}
	r, err := stats.MannWhitney(candidate, baseline, stats.MannWhitneyOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("a candidate value is the larger one with probability %v\n", r.Superiority)
	fmt.Printf("P = %.4f (%s)\n", r.P, r.Method)
	// Output:
	// a candidate value is the larger one with probability 0.8056 [0.4665, 0.9466] (95%)
	// P = 0.0931 (Mann-Whitney, exact)
}

func ExampleHodgesLehmann() {
	candidate := []float64{12, 15, 17, 21, 24, 30}
	baseline := []float64{9, 11, 13, 14, 16, 18}
	r, err := stats.HodgesLehmann(candidate, baseline, stats.ShiftOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("shift %v, achieved %.3f\n", r.Shift, r.Achieved)
	// Output: shift 6 [-1, 14] (95%), achieved 0.959
}
