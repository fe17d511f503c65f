package drift

import (
	"cmp"
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// RowsOptions configures [RowsNeeded] and [Detectable]. The zero value is the
// 90% interval of [Options], a chance of 80%, and samples of one size.
type RowsOptions struct {
	Level float64 // of the interval whose end is compared, in (0,1); 0 means 0.90
	Power float64 // chance to reach the decision, in (0,1); 0 means 0.80
	RefN  uint64  // rows of a reference that does not grow; 0 means as many as current
}

func (o RowsOptions) complete(fn string) (RowsOptions, error) {
	o.Level = cmp.Or(o.Level, DefaultLevel)
	o.Power = cmp.Or(o.Power, 0.80)
	for _, p := range []float64{o.Level, o.Power} {
		if err := stats.CheckLevel(p); err != nil {
			return o, fmt.Errorf("drift: %s: %w", fn, err)
		}
	}
	return o, nil
}

// RowsNeeded returns how many current rows it takes to decide, with chance
// Power, on which side of limit the drift is, when it is truth: with truth below
// limit, until the upper end of the interval is below it; with truth above, until
// the lower end is above it. It speaks of [PSI] and [PSIEquivalent] over the given
// number of cells.
//
// With s = 1/n + 1/m the statistic over s is non-central chi-square with cells-1
// degrees of freedom and non-centrality truth/s; the largest s for which the end
// clears the limit with chance Power is found by bisection.
//
// Examples, 10 cells, samples of one size: 333 rows a side prove a PSI below 0.1
// when there is no drift at all, 133 below 0.25, and 409 prove more than 0.1 when
// the PSI is 0.25. A far larger reference halves each.
//
// Errors: [stats.ErrDomain] for cells below 2, limit not positive, truth negative
// or equal to limit, options out of range, or a RefN with which no number of
// current rows is enough. Cost: some thousand evaluations of the law.
func RowsNeeded(limit, truth float64, cells int, o RowsOptions) (uint64, error) {
	const fn = "RowsNeeded"
	o, err := o.complete(fn)
	if err != nil {
		return 0, err
	}
	if cells < 2 || !(limit > 0) || !(truth >= 0) || truth == limit || math.IsInf(limit, 0) || math.IsInf(truth, 0) {
		return 0, fmt.Errorf("drift: %s: limit %v, truth %v, %d cells: %w", fn, limit, truth, cells, stats.ErrDomain)
	}
	df, tail := float64(cells-1), (1-o.Level)/2
	// short(w) is above 0 while 1/s = w gives too small a chance.
	var failed error
	short := func(w float64) float64 {
		p, err := decisionChance(limit*w, truth*w, df, tail)
		failed = cmp.Or(failed, err)
		return o.Power - p
	}
	hi := 1.0
	for short(hi) > 0 && hi < 1e15 && failed == nil {
		hi *= 2
	}
	lo := 0.0
	for range 60 {
		if mid := (lo + hi) / 2; short(mid) > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	if failed != nil {
		return 0, fmt.Errorf("drift: %s: limit %v, truth %v, %d cells: %w", fn, limit, truth, cells, failed)
	}
	if o.RefN == 0 {
		return uint64(math.Ceil(2 * hi)), nil
	}
	left := 1/hi - 1/float64(o.RefN)
	if left <= 0 {
		return 0, fmt.Errorf("drift: %s: a reference of %d rows, %.0f are needed: %w", fn, o.RefN, math.Ceil(hi)+1, stats.ErrDomain)
	}
	return uint64(math.Ceil(1 / left)), nil
}

// decisionChance is the probability that the end of the interval clears the
// limit, both in units of the statistic.
func decisionChance(limit, truth, df, tail float64) (float64, error) {
	if truth < limit {
		at, err := nonCentralQuantile(tail, df, limit)
		if err != nil {
			return 0, err
		}
		return stats.NonCentralChiSquareCDF(at, df, truth)
	}
	at, err := nonCentralQuantile(1-tail, df, limit)
	if err != nil {
		return 0, err
	}
	return stats.NonCentralChiSquareTail(at, df, truth)
}

// nonCentralQuantile is the x with P(X <= x) = p.
func nonCentralQuantile(p, df, ncp float64) (float64, error) {
	lo, hi := 0.0, df+ncp+10*math.Sqrt(2*df+4*ncp)+50
	for range 50 {
		mid := (lo + hi) / 2
		at, err := stats.NonCentralChiSquareCDF(mid, df, ncp)
		if err != nil {
			return 0, err
		}
		if at < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi, nil
}

// Detectable returns the drift that samples of n reference and m current rows
// show with chance Power: the PSI, or PSI-equivalent, for which a P below half of
// 1-Level is to be expected that often. Smaller drift is invisible.
//
// It is the non-centrality at which the chi-square test has that power, times
// 1/n + 1/m: 15.65 (1/n + 1/m) for 10 cells, 20.6 for 20. RefN of the options is
// not used.
//
// Errors: [stats.ErrDomain] for cells below 2 or options out of range,
// [stats.ErrEmpty] for n or m of 0. Cost: as one [RowsNeeded].
func Detectable(n, m uint64, cells int, o RowsOptions) (float64, error) {
	const fn = "Detectable"
	o, err := o.complete(fn)
	if err != nil {
		return 0, err
	}
	if n == 0 || m == 0 {
		return 0, fmt.Errorf("drift: %s: %d and %d rows: %w", fn, n, m, stats.ErrEmpty)
	}
	if cells < 2 {
		return 0, fmt.Errorf("drift: %s: %d cells: %w", fn, cells, stats.ErrDomain)
	}
	df := float64(cells - 1)
	critical, err := stats.ChiSquareQuantile((1-o.Level)/2, df)
	if err != nil {
		return 0, fmt.Errorf("drift: %s: %w", fn, err)
	}
	lo, hi := 0.0, math.Inf(1)
	for range 80 {
		mid := (lo + hi) / 2
		if math.IsInf(hi, 1) {
			mid = 2*lo + 1
		}
		p, err := stats.NonCentralChiSquareTail(critical, df, mid)
		if err != nil {
			return 0, fmt.Errorf("drift: %s: %w", fn, err)
		}
		if p < o.Power {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi * (1/float64(n) + 1/float64(m)), nil
}
