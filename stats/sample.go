package stats

import (
	"fmt"
	"math"
	"slices"
)

// sortedSample returns a sorted copy of v, or an error when v is empty or holds
// a NaN.
func sortedSample(fn, arg string, v []float64) ([]float64, error) {
	if len(v) == 0 {
		return nil, fmt.Errorf("stats: %s: %s has no values: %w", fn, arg, ErrEmpty)
	}
	for i, f := range v {
		if math.IsNaN(f) {
			return nil, fmt.Errorf("stats: %s: %s[%d] is NaN: %w", fn, arg, i, ErrDomain)
		}
	}
	s := slices.Clone(v)
	slices.Sort(s)
	return s, nil
}

// sortedFinite is sortedSample without infinite values.
func sortedFinite(fn, arg string, v []float64) ([]float64, error) {
	s, err := sortedSample(fn, arg, v)
	if err != nil {
		return nil, err
	}
	for _, f := range []float64{s[0], s[len(s)-1]} {
		if math.IsInf(f, 0) {
			return nil, fmt.Errorf("stats: %s: %s holds %v: %w", fn, arg, f, ErrDomain)
		}
	}
	return s, nil
}

// tiedGroups merges two sorted samples, xs shifted down by d. It calls visit for
// each distinct value t, with the numbers i0 and j0 of values below it and cx
// and cy at it, and reports whether any value occurs twice.
func tiedGroups(xs, ys []float64, d float64, visit func(t, i0, j0, cx, cy float64)) bool {
	tied := false
	for i, j := 0, 0; i < len(xs) || j < len(ys); {
		t := math.Inf(1)
		if i < len(xs) {
			t = xs[i] - d
		}
		if j < len(ys) {
			t = min(t, ys[j])
		}
		i0, j0 := i, j
		for i < len(xs) && xs[i]-d == t {
			i++
		}
		for j < len(ys) && ys[j] == t {
			j++
		}
		tied = tied || i-i0+j-j0 > 1
		visit(t, float64(i0), float64(j0), float64(i-i0), float64(j-j0))
	}
	return tied
}

// levelOrDefault is level, or 0.95 when it is 0.
func levelOrDefault(fn string, level float64) (float64, error) {
	if level == 0 {
		return 0.95, nil
	}
	if err := CheckLevel(level); err != nil {
		return 0, fmt.Errorf("stats: %s: %w", fn, err)
	}
	return level, nil
}

func checkAlternative(fn string, alt Alternative) error {
	if alt < Less || alt > Greater {
		return fmt.Errorf("stats: %s: alternative %d: %w", fn, alt, ErrDomain)
	}
	return nil
}

// signum is the sign of v as -1, 0 or 1.
func signum(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}
