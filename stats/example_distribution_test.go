package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExampleCramerVonMises() {
	reference := []float64{7.6, 8.4, 8.6, 8.7, 9.3, 9.9, 10.1, 10.6, 11.2}
	current := []float64{5.2, 5.7, 5.9, 6.5, 6.8, 8.2, 9.1, 9.8, 10.8, 11.3, 11.5, 12.3, 12.5, 13.4, 14.6}
	r, err := stats.CramerVonMises(reference, current)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("T = %.3f, P = %.3f (%s)\n", r.Statistic, r.P, r.Method)
	// Output: T = 0.262, P = 0.187 (two-sample Cramer-von Mises, exact)
}

func ExampleAndersonDarling() {
	reference := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	current := []float64{4, 6, 8, 9, 10, 11, 12, 13, 15, 18}
	r, err := stats.AndersonDarling(reference, current)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("A2 = %.3f, P = %.4f\n", r.Statistic, r.P)
	// Output: A2 = 3.889, P = 0.0073
}

func ExampleWasserstein() {
	// Two histograms over the same cell centres.
	centres := []float64{0.1, 0.3, 0.5, 0.7, 0.9}
	d, err := stats.Wasserstein(
		stats.Points{Values: centres, Weights: []float64{40, 30, 20, 10, 0}},
		stats.Points{Values: centres, Weights: []float64{20, 30, 20, 20, 10}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f\n", d.Value)
	// Output: 0.140
}

func ExampleEnergyDistance() {
	d, err := stats.EnergyDistance(
		stats.Points{Values: []float64{0, 1, 2}},
		stats.Points{Values: []float64{1, 2, 3}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.4f\n", d.Value)
	// Output: 0.8165
}
