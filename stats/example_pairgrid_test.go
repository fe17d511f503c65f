package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExamplePairedAUCBinned() {
	r, err := stats.PairedAUCBinned([]stats.PairedCell{
		{A: 0, B: 0, Negatives: 400, Positives: 20},
		{A: 0, B: 1, Negatives: 60, Positives: 30},
		{A: 1, B: 0, Negatives: 90, Positives: 10},
		{A: 1, B: 1, Negatives: 50, Positives: 40},
	}, 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f against %.3f, difference %.3f, p = %.2g\n", r.A.Estimate.Point, r.B.Estimate.Point, r.Estimate.Point, r.P)
	// Output: 0.633 against 0.758, difference -0.125, p = 8.5e-05
}

func ExamplePairedDecisions() {
	r, err := stats.PairedDecisions(
		stats.PairedTable{Both: 50, OnlyFirst: 10, OnlySecond: 30, Neither: 910}, // negatives
		stats.PairedTable{Both: 60, OnlyFirst: 20, OnlySecond: 5, Neither: 15},   // positives
		0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("only the first right %d, only the second %d of %d: %+.3f\n", r.Accuracy.B, r.Accuracy.C, r.Accuracy.N, r.Accuracy.Estimate.Point)
	fmt.Printf("TPR %+.3f, FPR %+.3f\n", r.TPR.Estimate.Point, r.FPR.Estimate.Point)
	// Output:
	// only the first right 50, only the second 15 of 1100: +0.032
	// TPR +0.150, FPR -0.020
}

func ExampleSwapSet() {
	r, err := stats.SwapSet(
		stats.SwapGroup{N: 6000, Labelled: 6000, Bad: 120}, // approved by both
		stats.SwapGroup{N: 1000, Labelled: 1000, Bad: 90},  // by the old policy only
		stats.SwapGroup{N: 1000, Labelled: 1000, Bad: 30},  // by the new one only
		2000, 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f%% to %.2f%%, SE %.5f\n", 100*r.OldRate, 100*r.NewRate, r.SE)
	fmt.Printf("%.0f bad outcomes fewer, give or take %.1f\n", r.Benefit, r.BenefitSE)
	// Output:
	// 3.00% to 2.14%, SE 0.00153
	// 60 bad outcomes fewer, give or take 10.9
}

func ExampleTransitions() {
	r, err := stats.Transitions([][]uint64{
		{80, 15, 5},
		{10, 150, 40},
		{2, 30, 668},
	}, 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("churn %.1f%%, first action %+.1f pp, p of equal shares %.3f\n", 100*r.Churn.Point, 100*r.Changes[0], r.Marginal.P)
	// Output: churn 10.2%, first action -0.8 pp, p of equal shares 0.159
}
