package compat

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// psi is sum of (q-p) log(q/p), 0 where both are 0 by the caller's filling.
func psi(p, q []float64) float64 {
	return sumOf(p, q, func(p, q float64) float64 { return float64((q - p) * math.Log(q/p)) })
}

// FrourosPSI returns the PSI with empty cells filled by the smallest normal
// float64, 2.2e-308, as frouros does over equal-width cells of the pooled range.
//
// A cell that is empty on one side then adds 708 times its share: two samples of
// 100, one shifted by a standard deviation, give 135 where the PSI of the two
// distributions is 1. It measures whether a cell is empty.
func FrourosPSI(ref, cur []float64) (float64, error) {
	p, q, err := shares("FrourosPSI", ref, cur)
	if err != nil {
		return 0, err
	}
	for i := range p {
		p[i] = max(p[i], 0x1p-1022)
		q[i] = max(q[i], 0x1p-1022)
	}
	return psi(p, q), nil
}

// EvidentlyPSI returns the PSI with the empty cells of each side filled with a
// share of 0.0001 or, if the side's smallest share is not above 0.0001, with a
// millionth of that; shares are not rescaled to 1.
//
// The fill depends on the sample: a rarer rare cell changes the weight of an
// empty one by orders of magnitude. The tool takes equal-width cells over the
// pooled range (Sturges' rule), in which one outlier puts all else into one cell
// and heavy tails hide any shift.
func EvidentlyPSI(ref, cur []float64) (float64, error) {
	p, q, err := shares("EvidentlyPSI", ref, cur)
	if err != nil {
		return 0, err
	}
	fillEvidently(p)
	fillEvidently(q)
	return psi(p, q), nil
}

func fillEvidently(p []float64) {
	least := math.Inf(1)
	for _, v := range p {
		if v > 0 {
			least = min(least, v)
		}
	}
	fill := 1e-4
	if least <= 1e-4 {
		fill = least / 1e6
	}
	for i, v := range p {
		if v == 0 {
			p[i] = fill
		}
	}
}

// DeepchecksPSI returns the PSI with every share below 0.01 raised to 0.01 on
// both sides, without rescaling, as deepchecks does for categories.
//
// A change among categories below 1% does not exist for it: fraud going from 0.2%
// to 0.9% adds nothing.
func DeepchecksPSI(ref, cur []float64) (float64, error) {
	p, q, err := shares("DeepchecksPSI", ref, cur)
	if err != nil {
		return 0, err
	}
	for i := range p {
		p[i] = max(p[i], 0.01)
		q[i] = max(q[i], 0.01)
	}
	return psi(p, q), nil
}

// DeequPSI returns the PSI without any filling, as deequ does.
//
// A cell that is empty on one side gives +Inf. Where deequ gives NaN, for a cell
// that is empty on both, the answer here is an error that wraps
// [stats.ErrDomain].
func DeequPSI(ref, cur []float64) (float64, error) {
	p, q, err := shares("DeequPSI", ref, cur)
	if err != nil {
		return 0, err
	}
	for i := range p {
		if p[i] == 0 && q[i] == 0 {
			return 0, fmt.Errorf("compat: DeequPSI: cell %d is empty on both sides: %w", i, stats.ErrDomain)
		}
	}
	return psi(p, q), nil
}

// ScouterPSIThreshold returns the alarm level chi2(1-alpha; bins-1)/n of scouter,
// for n current rows.
//
// It takes the reference for the truth: with a reference of n rows too, the PSI
// passes it about half of the time without drift. drift.Divergence.Null95 counts
// both samples.
func ScouterPSIThreshold(n float64, bins int, alpha float64) (float64, error) {
	const fn = "ScouterPSIThreshold"
	if err := checkThreshold(fn, n, bins); err != nil {
		return 0, err
	}
	q, err := stats.ChiSquareQuantile(alpha, float64(bins-1))
	if err != nil {
		return 0, fmt.Errorf("compat: %s: %w", fn, err)
	}
	return q / n, nil
}

// ScouterPSINormalThreshold is [ScouterPSIThreshold] by the normal approximation,
// (bins-1)/n + z sqrt(2 (bins-1))/n with z the upper quantile of alpha: too low,
// as the chi-square law is skewed.
func ScouterPSINormalThreshold(n float64, bins int, alpha float64) (float64, error) {
	const fn = "ScouterPSINormalThreshold"
	if err := checkThreshold(fn, n, bins); err != nil {
		return 0, err
	}
	if err := stats.CheckLevel(alpha); err != nil {
		return 0, fmt.Errorf("compat: %s: %w", fn, err)
	}
	df := float64(bins - 1)
	return (df + float64(normalUpper(alpha)*math.Sqrt(2*df))) / n, nil
}

func checkThreshold(fn string, n float64, bins int) error {
	if !(n > 0) || bins < 2 {
		return fmt.Errorf("compat: %s: %v rows, %d bins: %w", fn, n, bins, stats.ErrDomain)
	}
	return nil
}
