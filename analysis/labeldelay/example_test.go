package labeldelay_test

import (
	"fmt"

	"github.com/rampguard/rampguard/analysis/labeldelay"
)

func ExampleCounts() {
	var c labeldelay.Counts
	for day := 1.0; day <= 8; day++ {
		for range 100 {
			c.Arrived(day * 86400)
		}
	}
	for range 200 {
		c.Waiting(30 * 86400) // no label after a month
	}
	curve, err := c.Curve(labeldelay.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.0f%% of the labels arrive\n", 100*curve.Arrived.Point)
	m, err := curve.Maturity(0.7)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("half of all after days:", func() float64 { q, _ := curve.Quantile(0.45); return q.Estimate.Point / 86400 }())
	fmt.Println("labels: {maturity:", m.Age, "}")
	// Output:
	// 80% of the labels arrive
	// half of all after days: 5
	// labels: {maturity: 144h0m0s }
}
