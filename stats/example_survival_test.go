package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// twelveDeployments holds nine finished deployments and three in flight, in days.
func twelveDeployments() []stats.Observation {
	var obs []stats.Observation
	for _, d := range []float64{0.3, 0.5, 0.9, 1.2, 1.8, 2.5, 3.1, 4, 8} {
		obs = append(obs, stats.Observation{Time: d, Event: true})
	}
	for _, d := range []float64{6, 9, 12} {
		obs = append(obs, stats.Observation{Time: d})
	}
	return obs
}

func ExampleKaplanMeier() {
	c, err := stats.KaplanMeier(twelveDeployments(), stats.SurvivalOptions{Band: stats.BandLogLog})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range c.Points[:3] {
		fmt.Printf("day %v: %d at risk, %v still open\n", p.Time, p.AtRisk, p.Survival)
	}
	// Output:
	// day 0.3: 12 at risk, 0.9167 [0.539, 0.9878] (95%) still open
	// day 0.5: 11 at risk, 0.8333 [0.4817, 0.9555] (95%) still open
	// day 0.9: 10 at risk, 0.75 [0.4084, 0.9117] (95%) still open
}

func ExampleSurvivalCurve_At() {
	c, err := stats.KaplanMeier(twelveDeployments(), stats.SurvivalOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.0f%% are done within 3 days\n", 100*(1-c.At(3).Survival.Point))
	// Output: 50% are done within 3 days
}

func ExampleSurvivalCurve_Quantile() {
	c, err := stats.KaplanMeier(twelveDeployments(), stats.SurvivalOptions{Band: stats.BandLogLog})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, q := range []float64{0.5, 0.9} {
		r, err := c.Quantile(q)
		if err != nil {
			fmt.Println(err)
			return
		}
		if r.Reached {
			fmt.Printf("p%.0f: %v days\n", 100*q, r.Estimate)
		} else {
			fmt.Printf("p%.0f: not reached, at least %v days\n", 100*q, r.Estimate.Lo)
		}
	}
	// Output:
	// p50: 2.8 [0.5, 8] (95%) days
	// p90: not reached, at least 8 days
}

func ExampleSurvivalCurve_RestrictedMean() {
	c, err := stats.KaplanMeier(twelveDeployments(), stats.SurvivalOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := c.RestrictedMean(7)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("of the first 7 days, %.3f are spent waiting (standard error %.3f)\n", r.Estimate.Point, r.SE)
	// Output: of the first 7 days, 3.525 are spent waiting (standard error 0.766)
}

func ExampleLogRank() {
	fast := []stats.Observation{{Time: 1, Event: true}, {Time: 2, Event: true}, {Time: 2, Event: true}, {Time: 3, Event: true}, {Time: 4}}
	standard := []stats.Observation{{Time: 3, Event: true}, {Time: 5, Event: true}, {Time: 6}, {Time: 8, Event: true}, {Time: 9}}
	r, err := stats.LogRank(fast, standard)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("events %v, expected %.2f, chi-square %.2f, P = %.3f\n", r.Observed, r.Expected, r.ChiSquare, r.P)
	// Output: events [4 3], expected [1.96 5.04], chi-square 4.07, P = 0.044
}
