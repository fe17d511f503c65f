package stats_test

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

func ExamplePower() {
	// 2000 users an arm, conversion 10% against 12%.
	p, _ := stats.Power(stats.TwoProportions{Base: 0.10}, 0.02, 2000, stats.PowerOptions{})
	fmt.Printf("%.3f\n", p.Power)
	// Output:
	// 0.525
}

func ExampleSampleSize() {
	// Rows needed on either side to show PSI < 0.1, if nothing has moved.
	d := stats.PSIDesign{Cells: 10, Margin: 0.1}
	p, _ := stats.SampleSize(d, 0, 0.8, stats.PowerOptions{Alternative: stats.Less})
	fmt.Println(p.N, p.M)
	// Output:
	// 333 333
}

func ExampleDetectableEffect() {
	// The smallest PSI that 1000 rows against 1000 find.
	p, _ := stats.DetectableEffect(stats.PSIDesign{Cells: 10}, 1000, 0.8, stats.PowerOptions{})
	fmt.Printf("%.4f\n", p.Effect)
	// Output:
	// 0.0313
}

func ExampleCellEffect() {
	// How many units reveal that a third arm gets 30% in place of a third?
	effect, _ := stats.CellEffect([]float64{0.35, 0.35, 0.30}, []float64{1, 1, 1})
	p, _ := stats.SampleSize(stats.CellShares{Cells: 3}, effect, 0.9, stats.PowerOptions{Alpha: 0.001})
	fmt.Printf("%.4f %d\n", effect, p.N)
	// Output:
	// 0.0050 4764
}
