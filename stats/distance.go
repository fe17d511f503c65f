package stats

import (
	"fmt"
	"math"
	"slices"
)

// Points is a weighted sample: values with their masses, such as the centres and
// counts of histogram cells.
type Points struct {
	Values  []float64
	Weights []float64 // one per value, not negative; nil means 1 each
}

// Distance is a distance between two distributions.
type Distance struct {
	Value  float64 // 0 for equal distributions
	N, M   uint64  // number of points on either side
	Method string
}

// Wasserstein returns the first Wasserstein (earth mover's) distance between two
// weighted samples: the mean distance by which mass has to move to turn one
// into the other, in the unit of the values,
//
//	W1 = integral of |F(t) - G(t)| dt
//
// with F and G the distribution functions of the normalised masses. It is exact
// for the points given; for cell centres it differs from that of the raw values
// by at most the mass-weighted mean half width on both sides together.
//
// It is a distance, not a test: it has no p-value and grows with the unit. Scale
// both sides alike before comparing metrics.
//
// Special cases are: points of weight 0 do not count.
//
// Errors: [ErrEmpty] when a side has no mass, [ErrMismatch] when values and
// weights differ in length, [ErrDomain] for a value or weight that is not finite
// or a negative weight. Cost: sorting.
//
// Reference: Vallender, Calculation of the Wasserstein distance between
// probability distributions on the line, Theory of Probability and its
// Applications 18 (1974).
func Wasserstein(x, y Points) (Distance, error) {
	d, err := cdfDistance("Wasserstein", x, y, math.Abs)
	d.Method = "first Wasserstein distance"
	return d, err
}

// EnergyDistance returns the energy distance between two weighted samples,
//
//	D = sqrt(2 E|X-Y| - E|X-X'| - E|Y-Y'|) = sqrt(2 integral of (F(t) - G(t))^2 dt)
//
// which weighs one large gap between the distribution functions above many small
// ones. Its unit is the square root of that of the values.
//
// Special cases, errors and cost are those of [Wasserstein].
//
// Reference: Szekely and Rizzo, Energy statistics: a class of statistics based
// on distances, Journal of Statistical Planning and Inference 143 (2013).
func EnergyDistance(x, y Points) (Distance, error) {
	d, err := cdfDistance("EnergyDistance", x, y, func(gap float64) float64 { return gap * gap })
	d.Value = math.Sqrt(2 * d.Value)
	d.Method = "energy distance"
	return d, err
}

// cdfDistance integrates cost(F-G) over the line.
func cdfDistance(name string, x, y Points, cost func(float64) float64) (Distance, error) {
	xs, massX, err := sortedPoints(name, "x", x)
	if err != nil {
		return Distance{}, err
	}
	ys, massY, err := sortedPoints(name, "y", y)
	if err != nil {
		return Distance{}, err
	}
	d := Distance{N: uint64(len(xs)), M: uint64(len(ys))}
	var f, g float64 // mass up to here
	at := min(xs[0].value, ys[0].value)
	for i, j := 0, 0; i < len(xs) || j < len(ys); {
		t := math.Inf(1)
		if i < len(xs) {
			t = xs[i].value
		}
		if j < len(ys) {
			t = min(t, ys[j].value)
		}
		d.Value += float64(cost(f/massX-g/massY) * (t - at))
		for ; i < len(xs) && xs[i].value == t; i++ {
			f += xs[i].weight
		}
		for ; j < len(ys) && ys[j].value == t; j++ {
			g += ys[j].weight
		}
		at = t
	}
	if math.IsInf(d.Value, 0) || math.IsNaN(d.Value) {
		return Distance{}, fmt.Errorf("stats: %s: values from %v to %v: the range overflows: %w",
			name, min(xs[0].value, ys[0].value), at, ErrDomain)
	}
	return d, nil
}

type point struct{ value, weight float64 }

// sortedPoints returns the points with positive weight in order of value, and
// their total mass, added in that order.
func sortedPoints(fn, arg string, p Points) ([]point, float64, error) {
	if p.Weights != nil && len(p.Weights) != len(p.Values) {
		return nil, 0, fmt.Errorf("stats: %s: %s has %d values and %d weights: %w", fn, arg, len(p.Values), len(p.Weights), ErrMismatch)
	}
	out := make([]point, 0, len(p.Values))
	for i, v := range p.Values {
		w := 1.0
		if p.Weights != nil {
			w = p.Weights[i]
		}
		if math.IsNaN(v) || math.IsInf(v, 0) || !(w >= 0) || math.IsInf(w, 1) {
			return nil, 0, fmt.Errorf("stats: %s: %s has value %v with weight %v at %d: %w", fn, arg, v, w, i, ErrDomain)
		}
		if w > 0 {
			out = append(out, point{v, w})
		}
	}
	slices.SortFunc(out, func(a, b point) int {
		if a.value != b.value {
			return signum(a.value - b.value)
		}
		return signum(a.weight - b.weight)
	})
	mass := 0.0
	for _, q := range out {
		mass += q.weight
	}
	switch {
	case mass == 0:
		return nil, 0, fmt.Errorf("stats: %s: %s has no mass in %d points: %w", fn, arg, len(p.Values), ErrEmpty)
	case math.IsInf(mass, 1):
		return nil, 0, fmt.Errorf("stats: %s: %s has weights whose sum overflows: %w", fn, arg, ErrDomain)
	}
	return out, mass, nil
}
