package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExamplePoissonWeight() {
	for _, user := range []string{"ada", "bob"} {
		var counts []int
		for replicate := range 8 {
			counts = append(counts, stats.PoissonWeight(1, user, replicate))
		}
		fmt.Println(user, counts)
	}
	// Output:
	// ada [1 2 1 0 1 2 1 2]
	// bob [1 3 2 0 0 1 0 3]
}

// Two shards, each with some rows of every user, merged into one interval.
func ExampleNewBootstrap() {
	var total stats.Bootstrap
	for shard := range 2 {
		b, err := stats.NewBootstrap(stats.BootstrapOptions{Replicates: 500, Seed: 7})
		if err != nil {
			fmt.Println(err)
			return
		}
		for user := range 40 {
			clicks, views := (user*shard)%3, 2+user%4
			b.Add(fmt.Sprint("user ", user), float64(clicks), float64(views))
		}
		if err := total.Merge(b); err != nil {
			fmt.Println(err)
			return
		}
	}
	r, err := total.Interval(0.95, stats.BootstrapPercentile)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("clicks per view %v, from %d rows\n", r.Estimate, r.N)
	// Output: clicks per view 0.1393 [0.1031, 0.1843] (95%), from 80 rows
}

// Two models on the same users: what both get right or wrong together cancels.
func ExampleBootstrapDifference() {
	var candidate, baseline stats.Bootstrap
	for user := range 60 {
		name := fmt.Sprint("user ", user)
		hard := float64(user % 10)
		baseline.Add(name, hard, 1)
		candidate.Add(name, hard-float64(user%3), 1)
	}
	r, err := stats.BootstrapDifference(&candidate, &baseline, 0.95, stats.BootstrapPercentile)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("loss moved by", r.Estimate)
	// Output: loss moved by -1 [-1.208, -0.7741] (95%)
}
