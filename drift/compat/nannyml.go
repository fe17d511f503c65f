package compat

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// NannyMLJensenShannon returns the Jensen-Shannon distance of base 2 over
// categories, those that the reference does not have pooled in one cell.
//
// Its upper alarm is the mean of the metric over chunks of the reference plus
// three standard deviations of those, each chunk being compared with the whole of
// which it is a part; chunks of the two periods may differ in size, which alone
// moves the metric.
func NannyMLJensenShannon(ref, cur map[string]float64) (float64, error) {
	p, q := pooledUnseen(ref, cur)
	return SciPyJensenShannon(p, q, 2)
}

// NannyMLHellinger returns the Hellinger distance over categories, those that the
// reference does not have pooled in one cell. Thresholds are as for
// [NannyMLJensenShannon].
func NannyMLHellinger(ref, cur map[string]float64) (float64, error) {
	a, b := pooledUnseen(ref, cur)
	p, q, err := shares("NannyMLHellinger", a, b)
	if err != nil {
		return 0, err
	}
	return math.Sqrt(sumOf(p, q, func(p, q float64) float64 {
		d := math.Sqrt(p) - math.Sqrt(q)
		return float64(d * d)
	}) / 2), nil
}

// pooledUnseen returns the counts of the reference's categories, and last the
// count of all others.
func pooledUnseen(ref, cur map[string]float64) (p, q []float64) {
	names, r, c := paired(ref, cur)
	unseen := 0.0
	for i, name := range names {
		if _, ok := ref[name]; !ok {
			unseen += c[i]
			continue
		}
		p, q = append(p, r[i]), append(q, c[i])
	}
	return append(p, 0), append(q, unseen)
}

// Center is the middle of a [NannyMLThreshold].
type Center int

// The centers.
const (
	Mean Center = iota
	Median
	Minimum
)

// NannyMLThreshold returns the alarm levels center - lower sd and
// center + upper sd of a metric's values over chunks of the reference, sd being
// divided by the number of values.
//
// The default is the mean and 3 sd over 10 chunks: an sd of ten numbers is off by
// a quarter either way, and chunks of the reference are nearer to it than any new
// sample.
func NannyMLThreshold(values []float64, lower, upper float64, center Center) (lo, hi float64, err error) {
	const fn = "NannyMLThreshold"
	if len(values) == 0 {
		return 0, 0, fmt.Errorf("compat: %s: no values: %w", fn, stats.ErrEmpty)
	}
	if !(lower >= 0) || !(upper >= 0) || center < Mean || center > Minimum {
		return 0, 0, fmt.Errorf("compat: %s: multipliers %v and %v, center %d: %w", fn, lower, upper, center, stats.ErrDomain)
	}
	m, err := stats.MomentsOf(values)
	if err != nil {
		return 0, 0, fmt.Errorf("compat: %s: %w", fn, err)
	}
	n := float64(m.N)
	sd := math.Sqrt(m.Variance * (n - 1) / n)
	at := m.Mean
	sorted := slices.SortedFunc(slices.Values(values), cmp.Compare[float64])
	switch center {
	case Median:
		at = (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
	case Minimum:
		at = sorted[0]
	case Mean:
	}
	return at - float64(lower*sd), at + float64(upper*sd), nil
}

// NannyMLAccuracyError returns the standard error of the accuracy of a chunk,
// sqrt(a(1-a)/chunk) with a the accuracy of the reference: that of chunks drawn
// from the reference. It ignores the error of a itself and shrinks to 0 with a
// perfect reference.
func NannyMLAccuracyError(correct, n, chunk uint64) (float64, error) {
	const fn = "NannyMLAccuracyError"
	if n == 0 || chunk == 0 {
		return 0, fmt.Errorf("compat: %s: %d rows, chunk of %d: %w", fn, n, chunk, stats.ErrEmpty)
	}
	if correct > n {
		return 0, fmt.Errorf("compat: %s: %d correct of %d: %w", fn, correct, n, stats.ErrDomain)
	}
	a := float64(correct) / float64(n)
	return math.Sqrt(a * (1 - a) / float64(chunk)), nil
}
