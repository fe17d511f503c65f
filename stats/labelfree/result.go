package labelfree

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
	"gonum.org/v1/gonum/mathext"
)

// What the estimates cannot see, as sentences for people.
const (
	blindLabels  = "It cannot see a change in what the label means: it takes for granted that a score stands for the same chance of a positive label as in the reference."
	blindShare   = "It cannot see a change in what the label means: it takes for granted that confidence and correctness go together as in the reference."
	blindShift   = "It cannot see anything but a change in how common the classes are: it takes for granted that rows of a class look as in the reference."
	blindSegment = "It cannot see a change within a segment: it takes for granted that each segment is predicted as well as in the reference."
)

// Options are those of all estimates.
type Options struct {
	Level float64 // of the interval, in (0,1); 0 means 0.95
}

func (o Options) level(fn string) (float64, error) {
	switch {
	case o.Level == 0:
		return 0.95, nil
	case o.Level > 0 && o.Level < 1:
		return o.Level, nil
	}
	return 0, fmt.Errorf("labelfree: %s: level %v is not in (0,1): %w", fn, o.Level, stats.ErrDomain)
}

// Result is an estimate of a metric without labels. It is no measurement.
type Result struct {
	Metric string
	// Estimate holds the value that the labels of these very rows would give, if
	// the assumption holds: its interval counts LabelSE and MapSE, and Hidden.
	Estimate stats.Interval
	LabelSE  float64 // labels fall one way or the other, given their probabilities
	MapSE    float64 // the reference is a sample
	RowSE    float64 // the rows are a sample; for what holds beyond them, not in Estimate
	Hidden   float64 // how far the cells may hide the value

	Threshold  float64 // of the decision; NaN when the metric has none
	Reference  uint64  // labelled rows of the reference
	Current    uint64  // rows with a usable score now
	Excluded   uint64  // rows of both without one
	Calibrated bool    // the scores went through the calibration map
	Method     string
	Blind      string // what the estimate cannot see
	Warnings   []stats.Warning
}

// SE is the standard error of the estimate as one of the population from which the
// rows came: all three parts together.
func (r Result) SE() float64 {
	return math.Sqrt(float64(r.LabelSE*r.LabelSE) + float64(r.MapSE*r.MapSE) + float64(r.RowSE*r.RowSE))
}

// String formats the estimate with the sentence about what it cannot see.
func (r Result) String() string {
	return fmt.Sprintf("expected %s %v from %d rows without labels and %d with. %s", r.Metric, r.Estimate, r.Current, r.Reference, r.Blind)
}

// finish makes the interval, cut to [0,1].
func (r *Result) finish(value, level float64) {
	z := -mathext.NormalQuantile((1 - level) / 2)
	half := float64(z*math.Hypot(r.LabelSE, r.MapSE)) + r.Hidden
	value = min(1, max(0, value))
	r.Estimate = stats.Interval{Point: value, Lo: max(0, value-half), Hi: min(1, value+half), Level: level}
	if r.Excluded > 0 {
		r.warn(stats.WarnExcluded, fmt.Sprintf("%d rows have no score in [0,1] and do not count", r.Excluded))
	}
	if r.Hidden > 0 {
		r.warn(stats.WarnBinned, fmt.Sprintf("the cells hide up to %.2g of the value", r.Hidden))
	}
}

// small warns of a normal approximation that rests on few rows.
func (r *Result) small(rows float64) {
	if rows < 30 {
		r.warn(stats.WarnSmallSample, fmt.Sprintf("the normal approximation rests on about %.0f rows", rows))
	}
}

func (r *Result) warn(code, message string) {
	r.Warnings = append(r.Warnings, stats.Warning{Code: code, Message: message})
}
