package calibration

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/rampguard/rampguard/stats"
)

// ResampleOptions configures what is resampled. Equal options and data give equal
// results.
type ResampleOptions struct {
	Rule       Rule
	Replicates int     // from 20 to 100000; 0 means 1000
	Seed       uint64  // any number
	Level      float64 // of the interval, where there is one; 0 means 0.95
}

func (o ResampleOptions) complete(fn string) (ResampleOptions, error) {
	if o.Replicates == 0 {
		o.Replicates = 1000
	}
	if o.Level == 0 {
		o.Level = 0.95
	}
	if err := o.Rule.check(fn); err != nil {
		return o, err
	}
	if o.Replicates < 20 || o.Replicates > 100000 {
		return o, fmt.Errorf("calibration: %s: %d replicates: %w", fn, o.Replicates, stats.ErrDomain)
	}
	if err := stats.CheckLevel(o.Level); err != nil {
		return o, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	return o, nil
}

// MCBTestResult compares the miscalibration of a model with that of the same model
// if it were calibrated.
type MCBTestResult struct {
	N          uint64
	Rule       Rule
	MCB        float64
	NullMCB    float64 // mean if the scores were right: how much of MCB is noise
	Null95     float64 // 95% quantile if the scores were right
	P          float64 // (1 + replicates with at least this MCB) / (1 + replicates)
	Replicates int
	Seed       uint64
	Method     string
	Warnings   []stats.Warning // binned, excluded_values, degenerate
}

// MCBTest tests calibration by the MCB of [CORP], whose null distribution it draws:
// in each replicate every row keeps its score and gets a label that is positive
// with the score as probability (consistency resampling). P is exact but for the
// granularity of 1/(1+Replicates), below which it cannot go.
//
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] for an impossible option.
// Cost: Replicates times the number of cells, about 0.1 microseconds each: use
// [FromScores] for many rows.
//
// Reference: Dimitriadis, Gneiting & Jordan (2021), PNAS 118, e2016191118; Broecker
// & Smith (2007), Increasing the reliability of reliability diagrams, Weather and
// Forecasting 22, 651-661.
func MCBTest(d Data, o ResampleOptions) (MCBTestResult, error) {
	const fn = "MCBTest"
	if err := d.check(fn); err != nil {
		return MCBTestResult{}, err
	}
	o, err := o.complete(fn)
	if err != nil {
		return MCBTestResult{}, err
	}
	f := newRecalibrator(d.scores(), o.Rule)
	n, k := d.tally()
	r := MCBTestResult{
		N: d.N(), Rule: o.Rule, MCB: f.mcb(n, k), Replicates: o.Replicates, Seed: o.Seed,
		Method: "CORP miscalibration, consistency resampling", Warnings: d.warnings(),
	}
	null := nullMCB(d.scores(), n, o, 0)
	const rounding = 1e-14 // equal outcomes are ties, whatever the order of their sums
	asLarge := 1
	for _, x := range null {
		if x >= r.MCB-rounding {
			asLarge++
		}
	}
	r.NullMCB = mean(null)
	slices.Sort(null)
	r.Null95 = null[int(math.Ceil(0.95*float64(o.Replicates)))-1]
	r.P = float64(asLarge) / float64(1+o.Replicates)
	return r, nil
}

// nullMCB draws the MCB of n[i] rows in each cell with labels that follow the
// scores of the cells.
func nullMCB(scores, n []float64, o ResampleOptions, stream uint64) []float64 {
	f := newRecalibrator(scores, o.Rule)
	src := rand.NewPCG(o.Seed, stream)
	k := make([]float64, len(n))
	draws := make([]float64, o.Replicates)
	for i := range draws {
		for j, p := range scores {
			k[j] = binomial(src, n[j], p)
		}
		draws[i] = f.mcb(n, k)
	}
	return draws
}

func mean(xs []float64) float64 {
	var a adder
	for _, x := range xs {
		a.add(x)
	}
	return a.value() / float64(len(xs))
}

// binomial draws the number of successes of n trials.
func binomial(src rand.Source, n, p float64) float64 {
	switch {
	case p == 0 || p == 1:
		return n * p
	case n == 1 && rand.New(src).Float64() < p:
		return 1
	case n == 1:
		return 0
	}
	return distuv.Binomial{N: n, P: p, Src: src}.Rand()
}
