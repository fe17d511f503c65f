package stats_test

import (
	"errors"
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExampleFisherExact() {
	for _, opt := range []stats.ExactOptions{{}, {MidP: true}, {Alternative: stats.Less}} {
		r, _ := stats.FisherExact(1, 9, 6, 4, opt)
		fmt.Printf("%s, %s: p %.4f\n", r.Method, r.Alternative, r.P)
	}
	// Output:
	// Fisher's exact test, different: p 0.0573
	// Fisher's exact test, mid-p, different: p 0.0302
	// Fisher's exact test, less: p 0.0286
}

func ExampleBinomialTest() {
	// 33 of 40 disagreements went against the candidate.
	r, _ := stats.BinomialTest(33, 40, 0.5, stats.ExactOptions{Alternative: stats.Greater})
	fmt.Printf("%.3f, p %.2g\n", r.Estimate, r.P)
	// Output:
	// 0.825, p 2.1e-05
}

func ExampleConditionalOddsRatio() {
	v, _ := stats.ConditionalOddsRatio(10, 2, 3, 15, 0.95)
	fmt.Println(v)
	// Output:
	// 21.31 [2.753, 301.5] (95%)
}

func ExampleMultinomialExact() {
	r, _ := stats.MultinomialExact([]uint64{3, 0, 7}, []float64{1, 1, 1}, stats.MultinomialOptions{})
	fmt.Printf("p %.4f from %d tables\n", r.P, r.Tables)
	_, err := stats.MultinomialExact([]uint64{500, 500, 500, 500}, []float64{1, 1, 1, 1}, stats.MultinomialOptions{})
	fmt.Println(errors.Is(err, stats.ErrDomain))
	// Output:
	// p 0.0224 from 66 tables
	// true
}
