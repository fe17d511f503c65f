package drift

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// Options configures the cells and the metrics. The zero value is the default.
type Options struct {
	// Cells is the number of reference-quantile cells wanted for a numeric
	// column, 2 to 1000; 0 means 20. Fewer are made when the smaller sample has
	// less than 20 values for each.
	Cells int

	// MinExpected is the count that a category must be expected to have in the
	// smaller sample to keep a cell of its own; 0 means 5.
	MinExpected float64

	// Level is the coverage of the intervals, in (0,1); 0 means 0.90, so that
	// each end taken alone is a one-sided 95% bound, which is what a gate uses.
	Level float64

	// Top is the number of contributing cells listed, largest first; 0 means 5.
	Top int
}

// Defaults of [Options].
const (
	DefaultCells       = 20
	DefaultMinExpected = 5
	DefaultLevel       = 0.90
	DefaultTop         = 5
)

// rowsPerCell is the number of values of the smaller sample that a quantile cell
// is expected to hold, at least.
const rowsPerCell = 20

// Validate lists every setting outside its range; each error wraps
// [stats.ErrDomain].
func (o Options) Validate() error {
	var errs []error
	bad := func(what string, v any) {
		errs = append(errs, fmt.Errorf("%s %v: %w", what, v, stats.ErrDomain))
	}
	if o.Cells != 0 && (o.Cells < 2 || o.Cells > 1000) {
		bad("Cells", o.Cells)
	}
	if !(o.MinExpected >= 0) || math.IsInf(o.MinExpected, 1) {
		bad("MinExpected", o.MinExpected)
	}
	if o.Level != 0 && stats.CheckLevel(o.Level) != nil {
		bad("Level", o.Level)
	}
	if o.Top < 0 {
		bad("Top", o.Top)
	}
	return errors.Join(errs...)
}

// complete validates o and fills in the defaults.
func (o Options) complete(fn string) (Options, error) {
	if err := o.Validate(); err != nil {
		return o, fmt.Errorf("drift: %s: options: %w", fn, err)
	}
	return Options{
		Cells:       cmp.Or(o.Cells, DefaultCells),
		MinExpected: cmp.Or(o.MinExpected, DefaultMinExpected),
		Level:       cmp.Or(o.Level, DefaultLevel),
		Top:         cmp.Or(o.Top, DefaultTop),
	}, nil
}

// tail is the probability left beyond each end of an interval.
func (o Options) tail() float64 { return (1 - o.Level) / 2 }
