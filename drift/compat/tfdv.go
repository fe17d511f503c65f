package compat

import (
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// TFDVLInfinity returns the largest difference of a category's share, as
// TensorFlow Data Validation, NannyML and deequ (without its correction) define
// it. Two empty samples give 0, an empty one and another the largest share of
// that. It has no noise level: with many categories and few rows it is never
// small.
func TFDVLInfinity(ref, cur map[string]float64) (float64, error) {
	p, q, err := maybeEmpty("TFDVLInfinity", ref, cur)
	if err != nil {
		return 0, err
	}
	worst := 0.0
	for i := range p {
		worst = max(worst, math.Abs(p[i]-q[i]))
	}
	return worst, nil
}

// maybeEmpty is shares over the union of two maps, an empty one giving zeros.
func maybeEmpty(fn string, ref, cur map[string]float64) (p, q []float64, err error) {
	_, a, b := paired(ref, cur)
	sides := [][]float64{a, b}
	for i, name := range []string{"reference", "current"} {
		n, err := total(fn, name, sides[i])
		if err != nil {
			return nil, nil, err
		}
		for j := range sides[i] {
			if n > 0 {
				sides[i][j] /= n
			}
		}
	}
	return a, b, nil
}

// TFDVNormalizedDifference returns the largest difference of a category's counts
// over the combined total of both samples, TensorFlow Data Validation's
// "normalized absolute difference". Ten times the traffic with the very same
// shares gives a large value: it is no measure of drift.
func TFDVNormalizedDifference(ref, cur map[string]float64) (float64, error) {
	const fn = "TFDVNormalizedDifference"
	_, a, b := paired(ref, cur)
	n, err := total(fn, "reference", a)
	if err != nil {
		return 0, err
	}
	m, err := total(fn, "current", b)
	if err != nil || n+m == 0 {
		return 0, err
	}
	worst := 0.0
	for i := range a {
		worst = max(worst, math.Abs(a[i]-b[i]))
	}
	return worst / (n + m), nil
}

// TFDVBucket is a histogram bucket: Count values in [Low, High], spread evenly,
// or all at one point where Low is High. Bounds may be infinite.
type TFDVBucket struct{ Low, High, Count float64 }

// TFDVHistogram is what [TFDVJensenShannon] compares.
type TFDVHistogram struct {
	Buckets []TFDVBucket
	NaN     float64 // values that are NaN
}

// TFDVJensenShannon returns the Jensen-Shannon divergence in bits of two
// histograms with different buckets, as TensorFlow Data Validation defines it:
// buckets are cut at the union of their bounds, their mass spread evenly; points
// match equal points only; NaN and buckets with an infinite bound match nothing,
// so a column of NaN is 1 away from itself.
//
// The number depends on the kind of histogram more than on the data: 10000 values
// and one at 1e8 are 0.99 away from the same without it in equal-width buckets,
// and 0.02 in 100 quantile buckets.
//
// Errors: [stats.ErrEmpty] for a histogram without mass, [stats.ErrDomain] for a
// count that is negative or not finite, or a bucket whose Low is not at most High.
func TFDVJensenShannon(a, b TFDVHistogram) (float64, error) {
	const fn = "TFDVJensenShannon"
	var edges []float64
	for _, h := range []TFDVHistogram{a, b} {
		for i, k := range h.Buckets {
			if !(k.Low <= k.High) {
				return 0, fmt.Errorf("compat: %s: bucket %d is [%v, %v]: %w", fn, i, k.Low, k.High, stats.ErrDomain)
			}
			edges = append(edges, k.Low, k.High)
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	// The cells: each edge as a point, each stretch between two edges, and what
	// matches nothing, once for either side.
	cells := 2*len(edges) + 2
	p, q := make([]float64, cells), make([]float64, cells)
	p[cells-2] = spreadOver(p, edges, a)
	q[cells-1] = spreadOver(q, edges, b)
	d, err := jensenShannon(fn, p, q)
	return d / math.Ln2, err
}

// spreadOver adds the mass of a histogram to the cells and returns what matches
// nothing.
func spreadOver(mass, edges []float64, h TFDVHistogram) (unmatched float64) {
	unmatched = h.NaN
	for _, k := range h.Buckets {
		lo, _ := slices.BinarySearch(edges, k.Low)
		hi, _ := slices.BinarySearch(edges, k.High)
		switch {
		case math.IsInf(k.Low, 0) || math.IsInf(k.High, 0):
			unmatched += k.Count
		case lo == hi:
			mass[2*lo] += k.Count
		default:
			for i := lo; i < hi; i++ {
				mass[2*i+1] += float64(k.Count * ((edges[i+1] - edges[i]) / (k.High - k.Low)))
			}
		}
	}
	return unmatched
}
