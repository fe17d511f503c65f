package checks_test

import (
	"math/rand/v2"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

func ExampleContract() {
	least, most, few, none := 0.0, 2500.0, 0.005, 0.0
	c := checks.Contract{Features: []checks.ContractFeature{
		{Column: "distance", Type: analysis.Float, Min: &least, Max: &most, MaxOutside: &few, MaxNull: &none},
	}}
	in := func(unit float64) func(r *rand.Rand) map[string]any {
		return func(r *rand.Rand) map[string]any {
			xs := make([]float64, 2000)
			for i := range xs {
				xs[i] = unit * (100 + 2300*r.Float64()*r.Float64())
			}
			return map[string]any{"distance": xs}
		}
	}
	answer(c, analysis.Columns{Features: []string{"distance"}}, in(1), in(1))
	answer(c, analysis.Columns{Features: []string{"distance"}}, in(1), in(1.609344))
	// Output:
	// contract: pass
	// Column distance is float and as the contract says. 2,000 against 2,000 rows.
	// range_share: harm
	// Values of distance outside 0 to 2500: 152 of 2,000 rows of the candidate (7.6%), 0% in the baseline, surely at least 6.33%; the contract allows 0.5%.
}
