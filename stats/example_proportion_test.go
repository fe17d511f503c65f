package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExampleWilson() {
	v, err := stats.Wilson(7, 34, 0.95)
	fmt.Println(v, err)
	_, err = stats.Wilson(12, 10, 0.95)
	fmt.Println(err)
	// Output:
	// 0.2059 [0.1035, 0.368] (95%) <nil>
	// stats: Wilson: 12 successes of 10 trials: argument outside its domain
}

func ExampleClopperPearson() {
	// No failure in 300 requests: at most about 3/300.
	v, _ := stats.ClopperPearson(0, 300, 0.90)
	fmt.Println(v)
	// Output:
	// 0 [0, 0.009936] (90%)
}

func ExampleJeffreys() {
	v, _ := stats.Jeffreys(7, 34, 0.95)
	fmt.Println(v)
	// Output:
	// 0.2059 [0.09712, 0.3623] (95%)
}

func ExampleNewcombe() {
	c, _ := stats.Newcombe(56, 70, 48, 80, 0.95)
	fmt.Println(c.Estimate, c.Method)
	// Output:
	// 0.2 [0.05243, 0.3339] (95%) Newcombe hybrid score difference
}

func ExampleAgrestiCaffo() {
	c, _ := stats.AgrestiCaffo(7, 34, 1, 34, 0.95)
	fmt.Println(c.Estimate)
	// Output:
	// 0.1765 [0.01161, 0.3217] (95%)
}

func ExampleRiskRatio() {
	c, _ := stats.RiskRatio(26, 1000, 20, 1000, 0.95)
	fmt.Println(c.Estimate)
	// Output:
	// 1.3 [0.7306, 2.313] (95%)
}

func ExampleScoreDifference() {
	c, _ := stats.ScoreDifference(7, 34, 1, 34, 0.95, stats.ScoreOptions{})
	fmt.Println(c.Estimate, c.Method)
	// Output:
	// 0.1765 [0.02704, 0.3453] (95%) Miettinen-Nurminen score difference
}

func ExampleScoreRatio() {
	// The baseline has no event yet; the ratio still has a lower end.
	c, _ := stats.ScoreRatio(9, 5000, 0, 5000, 0.95, stats.ScoreOptions{})
	fmt.Println(c.Estimate)
	// Output:
	// +Inf [2.344, +Inf] (95%)
}

func ExampleScoreDifferenceTest() {
	// Is the candidate's success rate not worse than the baseline's by 1%?
	r, _ := stats.ScoreDifferenceTest(9712, 10000, 9730, 10000, -0.01, stats.Greater, stats.ScoreOptions{})
	fmt.Printf("z %.3f, p %.2g\n", r.Z, r.P)
	// Output:
	// z 3.480, p 0.00025
}

func ExampleScoreRatioTest() {
	// Is the candidate's error rate below 1.5 times the baseline's?
	r, _ := stats.ScoreRatioTest(105, 10000, 100, 10000, 1.5, stats.Less, stats.ScoreOptions{})
	fmt.Printf("z %.3f, p %.2g\n", r.Z, r.P)
	// Output:
	// z -2.579, p 0.0049
}

func ExamplePoissonRate() {
	// 3 incidents in 12 weeks.
	v, _ := stats.PoissonRate(3, 12, 0.95)
	fmt.Println(v)
	// Output:
	// 0.25 [0.05156, 0.7306] (95%)
}

func ExampleRateRatio() {
	r, _ := stats.RateRatio(24, 1000, 11, 800, 0.95)
	fmt.Printf("%v, p %.3f\n", r.Estimate, r.P)
	// Output:
	// 1.745 [0.8231, 3.947] (95%), p 0.129
}
