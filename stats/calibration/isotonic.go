package calibration

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// Isotonic returns the non-decreasing sequence nearest to y in weighted squared
// distance, by pooling adjacent violators: neighbours that decrease are replaced by
// their weighted mean until none is left. Without weights (nil) all weigh the same.
//
// y must be in the order in which the result is to rise; values that belong to one
// point, such as the labels of tied scores, must be averaged before.
//
// Errors: [stats.ErrEmpty] for no values; [stats.ErrMismatch] for weights of another
// length; [stats.ErrDomain] for a value that is not finite, or a weight that is not
// positive and finite. Cost: linear.
//
// References: Ayer et al. (1955), Annals of Mathematical Statistics 26, 641-647;
// Busing (2022), Monotone regression: a simple and fast O(n) PAVA implementation,
// Journal of Statistical Software 102, code snippet 1.
func Isotonic(y, weights []float64) ([]float64, error) {
	const fn = "Isotonic"
	if len(y) == 0 {
		return nil, fmt.Errorf("calibration: %s: %w", fn, stats.ErrEmpty)
	}
	if weights != nil && len(weights) != len(y) {
		return nil, fmt.Errorf("calibration: %s: %d values and %d weights: %w", fn, len(y), len(weights), stats.ErrMismatch)
	}
	var v violators
	for i, x := range y {
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		if math.IsNaN(x) || math.IsInf(x, 0) || !(w > 0) || math.IsInf(w, 1) {
			return nil, fmt.Errorf("calibration: %s: value %d is %v with weight %v: %w", fn, i, x, w, stats.ErrDomain)
		}
		v.add(w*x, w)
	}
	out := make([]float64, 0, len(y))
	for _, b := range v.blocks {
		for range b.cells {
			out = append(out, b.rate())
		}
	}
	return out, nil
}

// violators pools adjacent violators as values come in.
type violators struct{ blocks []block }

// block is a run of neighbouring values with one fitted value.
type block struct {
	sum, weight float64
	cells       int
}

func (b block) rate() float64 { return b.sum / b.weight }

func (v *violators) add(sum, weight float64) {
	b := block{sum, weight, 1}
	for len(v.blocks) > 0 {
		last := v.blocks[len(v.blocks)-1]
		if last.rate() < b.rate() {
			break
		}
		b = block{last.sum + b.sum, last.weight + b.weight, last.cells + b.cells}
		v.blocks = v.blocks[:len(v.blocks)-1]
	}
	v.blocks = append(v.blocks, b)
}
