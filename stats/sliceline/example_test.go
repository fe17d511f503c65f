package sliceline_test

import (
	"fmt"
	"log"

	"github.com/rampguard/rampguard/stats/sliceline"
)

// airports are errors by airport (1 to 3) and weekday (1 or 2); airport 2 is bad.
func airports() []sliceline.Cell {
	var cells []sliceline.Cell
	for airport := uint32(1); airport <= 3; airport++ {
		for day := uint32(1); day <= 2; day++ {
			c := sliceline.Cell{Codes: []uint32{airport, day}, N: 100, Sum: 10, Max: 1, BaseN: 100, BaseSum: 10}
			if airport == 2 {
				c.Sum = 60
			}
			cells = append(cells, c)
		}
	}
	return cells
}

func ExampleTopK() {
	r, err := sliceline.TopK(airports(), sliceline.Options{Compare: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range r.Top {
		fmt.Printf("%v: score %.3f, %d rows, excess %.2f\n", s.Items, s.Score, s.N, s.Excess)
	}
	// Output:
	// [{0 2}]: score 1.088, 200 rows, excess 0.50
	// [{0 2} {1 1}]: score 0.938, 100 rows, excess 0.50
	// [{0 2} {1 2}]: score 0.938, 100 rows, excess 0.50
}

func ExamplePrune() {
	cells := airports()
	r, err := sliceline.TopK(cells, sliceline.Options{Compare: true})
	if err != nil {
		log.Fatal(err)
	}
	pruned, err := sliceline.Prune(cells, r, sliceline.PruneOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(r.Top), "slices,", len(pruned), "of them different:", pruned[0].Items)
	// Output: 3 slices, 1 of them different: [{0 2}]
}

func ExampleDivergenceT() {
	t, err := sliceline.DivergenceT(30, 100, 150, 1000)
	fmt.Printf("%.3f %v\n", t, err)
	// Output: 3.281 <nil>
}

func ExampleEffectSize() {
	d, err := sliceline.EffectSize(0.5, 0.16, 0.3, 0.09)
	fmt.Printf("%.4f %v\n", d, err)
	// Output: 0.5657 <nil>
}
