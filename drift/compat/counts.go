package compat

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// shares returns the counts of both sides divided by their sums. Counts must be
// finite, not negative, and not all 0.
func shares(fn string, ref, cur []float64) (p, q []float64, err error) {
	if len(ref) != len(cur) {
		return nil, nil, fmt.Errorf("compat: %s: %d and %d cells: %w", fn, len(ref), len(cur), stats.ErrMismatch)
	}
	if p, err = normalised(fn, "reference", ref); err != nil {
		return nil, nil, err
	}
	q, err = normalised(fn, "current", cur)
	return p, q, err
}

func normalised(fn, side string, counts []float64) ([]float64, error) {
	n, err := total(fn, side, counts)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fmt.Errorf("compat: %s: %s counts are all 0: %w", fn, side, stats.ErrEmpty)
	}
	out := make([]float64, len(counts))
	for i, c := range counts {
		out[i] = c / n
	}
	return out, nil
}

func total(fn, side string, counts []float64) (float64, error) {
	n := 0.0
	for i, c := range counts {
		if !(c >= 0) || math.IsInf(c, 1) {
			return 0, fmt.Errorf("compat: %s: %s count %d is %v: %w", fn, side, i, c, stats.ErrDomain)
		}
		n += c
	}
	if math.IsInf(n, 1) {
		return 0, fmt.Errorf("compat: %s: %s counts overflow: %w", fn, side, stats.ErrDomain)
	}
	return n, nil
}

// paired returns the counts of two maps over the union of their keys, in
// ascending order of key.
func paired(ref, cur map[string]float64) (names []string, p, q []float64) {
	union := make(map[string]bool, len(ref)+len(cur))
	for k := range ref {
		union[k] = true
	}
	for k := range cur {
		union[k] = true
	}
	names = slices.Sorted(maps.Keys(union))
	for _, k := range names {
		p = append(p, ref[k])
		q = append(q, cur[k])
	}
	return names, p, q
}

// sumOf adds f over the cells.
func sumOf(p, q []float64, f func(p, q float64) float64) float64 {
	s := 0.0
	for i := range p {
		s += f(p[i], q[i])
	}
	return s
}
