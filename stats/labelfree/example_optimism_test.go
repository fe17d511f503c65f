package labelfree_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats/labelfree"
	"github.com/rampguard/rampguard/stats/summary"
)

func ExampleReference_Optimism() {
	s, _ := summary.NewScores(0.5)
	for i, positives := range []uint64{10, 20, 60, 40, 85} { // 60 and 40: noise
		score := 0.1 + 0.2*float64(i)
		s.AddN(score, summary.Positive, positives)
		s.AddN(score, summary.Negative, 100-positives)
	}
	r, err := labelfree.NewReference(s, labelfree.CalibrateAlways)
	if err != nil {
		fmt.Println(err)
		return
	}
	e, _ := r.Expect(labelfree.AUC, s, 0.5, labelfree.Options{})
	o, err := r.Optimism(labelfree.AUC, 0.5)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("AUC %.3f expected, %.3f too high, %.3f by the labels\n", e.Estimate.Point, o, e.Estimate.Point-o)
	// Output: AUC 0.794 expected, 0.016 too high, 0.777 by the labels
}
