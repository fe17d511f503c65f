package compat

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// DeepchecksCramersV returns Cramer's V of the table of both samples, corrected
// for bias after Bergsma, as deepchecks computes it: the larger sample is first
// scaled down to the size of the smaller and rounded to whole counts, categories
// without a count are left out, and with two left Yates' correction applies.
//
// Scaling down throws away what the larger sample knows, and rounding loses its
// rare categories altogether. V also depends on how many categories there are, so
// one limit does not fit two columns.
//
// Special cases: one category left gives 0.
// Errors: [stats.ErrMismatch] for different lengths, [stats.ErrEmpty] for a
// sample without rows, [stats.ErrDomain] for a negative count.
//
// Reference: Bergsma (2013), Journal of the Korean Statistical Society 42.
func DeepchecksCramersV(ref, cur []float64) (float64, error) {
	const fn = "DeepchecksCramersV"
	p, q, err := shares(fn, ref, cur)
	if err != nil {
		return 0, err
	}
	n, _ := total(fn, "reference", ref)
	m, _ := total(fn, "current", cur)
	size := min(n, m)
	var a, b []float64
	var rows [2]float64
	for i := range p {
		x, y := math.RoundToEven(p[i]*size), math.RoundToEven(q[i]*size)
		if x+y > 0 {
			a, b = append(a, x), append(b, y)
			rows[0], rows[1] = rows[0]+x, rows[1]+y
		}
	}
	if len(a) < 2 || rows[0] == 0 || rows[1] == 0 {
		return 0, nil
	}
	all := rows[0] + rows[1]
	chi := 0.0
	for i := range a {
		for side, o := range []float64{a[i], b[i]} {
			e := rows[side] * ((a[i] + b[i]) / all)
			d := math.Abs(o - e)
			if len(a) == 2 {
				d -= min(0.5, d)
			}
			chi += float64(d*d) / e
		}
	}
	k := float64(len(a))
	phi := max(0, chi/all-(k-1)/(all-1))
	cols := k - (k-1)*(k-1)/(all-1)
	two := 2 - 1/(all-1)
	return math.Sqrt(phi / min(cols-1, two-1)), nil
}

// DeepchecksEarthMover returns the first Wasserstein distance after both samples
// were cut to the middle 1-2 trim of their own values and then scaled to [0,1]
// by the range of both together. The tool's trim is 0.025.
//
// As the range of the current sample is part of the scale, a single far value
// inside the trimmed range shrinks everything else, and what happens in the tails
// is not seen.
//
// Special cases: one and the same constant gives 0.
// Errors: [stats.ErrEmpty] for a sample without values, [stats.ErrDomain] for a
// value that is not finite or trim outside [0, 0.5).
func DeepchecksEarthMover(ref, cur []float64, trim float64) (float64, error) {
	const fn = "DeepchecksEarthMover"
	if !(trim >= 0 && trim < 0.5) {
		return 0, fmt.Errorf("compat: %s: trim %v: %w", fn, trim, stats.ErrDomain)
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	var sides [2][]float64
	for i, v := range [][]float64{ref, cur} {
		q, err := stats.Quantiles(v, []float64{trim, 1 - trim}, stats.Type7)
		if err != nil {
			return 0, fmt.Errorf("compat: %s: %w", fn, err)
		}
		for _, x := range v {
			if x >= q[0] && x <= q[1] {
				sides[i] = append(sides[i], x)
				lo, hi = min(lo, x), max(hi, x)
			}
		}
	}
	if lo == hi {
		return 0, nil
	}
	d, err := stats.Wasserstein(stats.Points{Values: sides[0]}, stats.Points{Values: sides[1]})
	if err != nil {
		return 0, fmt.Errorf("compat: %s: %w", fn, err)
	}
	return d.Value / (hi - lo), nil
}
