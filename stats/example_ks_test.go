package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExampleKolmogorovSmirnov() {
	reference := []float64{0.11, 0.17, 0.22, 0.31, 0.36, 0.42, 0.47, 0.55}
	current := []float64{0.33, 0.45, 0.52, 0.58, 0.63, 0.71, 0.78, 0.84}
	r, err := stats.KolmogorovSmirnov(reference, current, stats.KSOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("D = %.3f at %v, P = %.4f (%s)\n", r.D, r.Where, r.P, r.Method)
	// Output: D = 0.625 at 0.42, P = 0.0870 (two-sample Kolmogorov-Smirnov, exact)
}

func ExampleKSBinned() {
	reference := []uint64{120, 340, 290, 180, 70} // counts in five score cells
	current := []uint64{90, 290, 300, 220, 100}
	r, err := stats.KSBinned(reference, current)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("D between %.3f and %.3f, P at most %.4f\n", r.D, r.D+r.Missed, r.P)
	// Output: D between 0.080 and 0.370, P at most 0.0033
}

func ExampleKSTail() {
	p, logp, err := stats.KSTail(0.5, 500, 800, true)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("P = %.3g, log P = %.1f\n", p, logp)
	// Output: P = 1.65e-70, log P = -160.7
}
