package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExampleAUC() {
	scores := []float64{0.9, 0.8, 0.4, 0.7, 0.4, 0.3, 0.1}
	positive := []bool{true, true, true, false, false, false, false}
	r, _ := stats.AUC(scores, positive, 0.95)
	fmt.Println(r.Estimate)
	// Output:
	// 0.875 [0.5844, 1] (95%)
}

func ExamplePairedAUC() {
	champion := []float64{0.8, 0.6, 0.7, 0.75, 0.5, 0.2, 0.3}
	challenger := []float64{0.9, 0.8, 0.4, 0.7, 0.4, 0.3, 0.1}
	positive := []bool{true, true, true, false, false, false, false}
	c, _ := stats.PairedAUC(challenger, champion, positive, 0.95)
	fmt.Printf("%.4f - %.4f, z %.3f, p %.3f\n", c.A.Estimate.Point, c.B.Estimate.Point, c.Statistic, c.P)
	// Output:
	// 0.8750 - 0.8333, z 0.274, p 0.784
}

func ExampleCompareAUC() {
	// Two weeks, different users, scores kept as histograms.
	last, _ := stats.AUCBinned([]uint64{500, 300, 150, 50}, []uint64{10, 20, 40, 80}, 0.95)
	this, _ := stats.AUCBinned([]uint64{450, 320, 180, 50}, []uint64{15, 30, 45, 60}, 0.95)
	c, _ := stats.CompareAUC(this, last, 0.95)
	fmt.Printf("%v, p %.3f\n", c.Estimate, c.P)
	// Output:
	// -0.06417 [-0.1154, -0.01298] (95%), p 0.014
}

func ExampleAUCBinned() {
	r, _ := stats.AUCBinned([]uint64{500, 300, 150, 50}, []uint64{10, 20, 40, 80}, 0.95)
	fmt.Printf("%v, cells hide at most %.3f\n", r.Estimate, r.Resolved)
	// Output:
	// 0.8567 [0.8237, 0.8896] (95%), cells hide at most 0.070
}
