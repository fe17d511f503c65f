package calibration

import (
	"cmp"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// IndexResult says how far the scores are from the recalibrated ones.
type IndexResult struct {
	N        uint64
	ICI      float64 // mean over rows of |p - c(p)|
	E50      float64 // its median
	E90      float64 // its 90% quantile
	Emax     float64 // its maximum
	Method   string
	Warnings []stats.Warning // binned, excluded_values, degenerate
}

// ICI computes the integrated calibration index and its relatives from the isotonic
// recalibration c of the scores: mean, median, 90% quantile and maximum over rows
// of |p - c(p)|. Quantiles are the smallest value with at least that share of rows
// at or below it.
//
// The indices were proposed with a loess curve; with isotonic regression there is
// no span to choose, but steps follow the noise, most of all at the ends, where
// they reach 0 and 1: ICI is above 0 for a calibrated model, and Emax tells little
// below thousands of rows.
//
// Errors: [stats.ErrEmpty] for no rows. Cost: a sort of the cells.
//
// Reference: Austin & Steyerberg (2019), The Integrated Calibration Index (ICI) and
// related metrics for quantifying the calibration of logistic regression models,
// Statistics in Medicine 38, 4051-4065.
func ICI(d Data) (IndexResult, error) {
	if err := d.check("ICI"); err != nil {
		return IndexResult{}, err
	}
	type distance struct{ size, n float64 }
	ds := make([]distance, 0, len(d.cells))
	n, _ := d.counts()
	f := newRecalibrator(d.scores(), Quadratic)
	f.fit(d.tally())
	var mean adder
	for _, b := range f.blocks {
		for _, c := range d.cells[len(ds) : len(ds)+b.cells] {
			x := distance{math.Abs(c.score() - b.rate()), c.n()}
			mean.add(x.n / n * x.size)
			ds = append(ds, x)
		}
	}
	slices.SortFunc(ds, func(a, b distance) int { return cmp.Compare(a.size, b.size) })
	quantile := func(q float64) float64 {
		rows := 0.0
		for _, x := range ds {
			if rows += x.n; rows >= q*n {
				return x.size
			}
		}
		return ds[len(ds)-1].size
	}
	return IndexResult{
		N: uint64(n), ICI: mean.value(), E50: quantile(0.5), E90: quantile(0.9), Emax: quantile(1),
		Method: "distance to the isotonic recalibration", Warnings: d.warnings(),
	}, nil
}
