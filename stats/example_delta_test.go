package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// perUser returns the clicks and views of twelve users.
func perUser(more float64) (clicks, views []float64) {
	for u := range 12 {
		views = append(views, float64(4+u%5))
		clicks = append(clicks, float64(u%3)+more)
	}
	return clicks, views
}

func ExampleRatioMomentsOf() {
	m, err := stats.RatioMomentsOf(perUser(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d users, %.3f clicks and %.3f views each, covariance %.3f\n", m.Units, m.MeanNum, m.MeanDen, m.Cov)
	// Output: 12 users, 1.000 clicks and 5.750 views each, covariance -0.182
}

func ExampleRatio() {
	m, err := stats.RatioMomentsOf(perUser(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := stats.Ratio(m, 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("clicks per view", r.Estimate)
	// Output: clicks per view 0.1739 [0.07161, 0.2762] (95%)
}

func ExampleRatioDifference() {
	candidate, err := stats.RatioMomentsOf(perUser(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	baseline, err := stats.RatioMomentsOf(perUser(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := stats.RatioDifference(candidate, baseline, stats.TOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v, P = %.4f\n", r.Difference, r.P)
	// Output: 0.1739 [0.02734, 0.3205] (95%), P = 0.0222
}

func ExampleRelativeDifference() {
	candidate := stats.RatioMoments{Units: 3461, MeanNum: 0.7, MeanDen: 1, VarNum: 38.44}
	baseline := stats.RatioMoments{Units: 3407, MeanNum: 0.41, MeanDen: 1, VarNum: 15.2}
	r, err := stats.RelativeDifference(candidate, baseline, stats.TOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v, P = %.3f\n", r.Difference, r.P)
	// Output: 0.7073 [-0.03513, 1.45] (95%), P = 0.062
}

func ExampleClusteredQuantile() {
	var users [][]float64 // latencies per user; the slow ones are slow throughout
	for u := range 30 {
		base := 80 + 10*float64(u%7)
		users = append(users, []float64{base, base + 3, base + 7, base + 9})
	}
	r, err := stats.ClusteredQuantile(users, 0.5, 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("median %v ms; rows of one user make the variance %.1f times larger\n", r.Estimate, r.Inflate)
	// Output: median 111.5 [99.92, 123.1] (95%) ms; rows of one user make the variance 3.7 times larger
}
