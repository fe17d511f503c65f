package labelfree_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats/labelfree"
	"github.com/rampguard/rampguard/stats/summary"
)

// lastMonth holds scores whose labels have arrived: of each level 100 rows.
func lastMonth() *summary.Scores {
	s, _ := summary.NewScores(0.5)
	for i, positives := range []uint64{10, 20, 40, 60, 85} {
		score := 0.1 + 0.2*float64(i)
		s.AddN(score, summary.Positive, positives)
		s.AddN(score, summary.Negative, 100-positives)
	}
	return s
}

// today holds scores without labels, higher ones than last month.
func today() *summary.Scores {
	s, _ := summary.NewScores(0.5)
	for i, n := range []uint64{20, 30, 50, 100, 200} {
		s.AddN(0.1+0.2*float64(i), summary.Unlabelled, n)
	}
	return s
}

func ExampleNewReference() {
	r, err := labelfree.NewReference(lastMonth(), labelfree.CalibrateIfBetter)
	if err != nil {
		fmt.Println(err)
		return
	}
	n, pos := r.N()
	yes, _ := r.Calibrated()
	fmt.Printf("%d rows, %d positive, calibrated %v; at 0.6 the chance is %.2f\n", n, pos, yes, r.At(0.6))
	// Output: 500 rows, 215 positive, calibrated true; at 0.6 the chance is 0.50
}

func ExampleReference_Expect() {
	r, err := labelfree.NewReference(lastMonth(), labelfree.CalibrateAlways)
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := r.Expect(labelfree.Precision, today(), 0.5, labelfree.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(got)
	// Output: expected precision 0.7143 [0.647, 0.7816] (95%) from 400 rows without labels and 500 with. It cannot see a change in what the label means: it takes for granted that a score stands for the same chance of a positive label as in the reference.
}

func ExampleReference_Threshold() {
	r, err := labelfree.NewReference(lastMonth(), labelfree.CalibrateNever)
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := r.Threshold(today(), 0.45, labelfree.Options{})
	fmt.Printf("%.3f %v\n", got.Estimate.Point, err)
	// Output: 0.841 <nil>
}

func ExampleReference_Confidence() {
	r, err := labelfree.NewReference(lastMonth(), labelfree.CalibrateNever)
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := r.Confidence(today(), 0.45, labelfree.Options{})
	fmt.Printf("%.3f %v\n", got.Estimate.Point, err)
	// Output: 0.755 <nil>
}

func ExampleLabelShift() {
	confusion := [][]uint64{
		{180, 30}, // predicted 0: 180 were 0, 30 were 1
		{20, 70},
	}
	got, err := labelfree.LabelShift(confusion, []uint64{240, 160}, labelfree.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("class 1: %v, %.2f times as common as before\n", got.Share[1], got.Weight[1])
	// Output: class 1: 0.5 [0.3851, 0.6149] (95%), 1.50 times as common as before
}

func ExampleReweight() {
	got, err := labelfree.Reweight([]labelfree.Segment{
		{Right: 900, N: 1000, Current: 100},
		{Right: 140, N: 200, Current: 300},
	}, labelfree.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(got.Estimate)
	// Output: 0.75 [0.6865, 0.8135] (95%)
}
