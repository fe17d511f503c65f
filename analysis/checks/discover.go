package checks

import (
	"cmp"
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sliceline"
)

// Discover looks for slices that nobody has declared in which the candidate errs
// more than the baseline: conjunctions of values of up to MaxColumns columns, such
// as origin=DFW and hour=23.
//
// What is found in thousands of slices looks bad by chance, so units are split in
// two halves by a hash of their id, the same in both arms. On one half the slices
// with the highest scores are searched for, all of them ([sliceline.TopK], with the
// candidate's mean error less the baseline's), and those that say the same twice are
// left out ([sliceline.Prune]). The other half, which the search has not seen, then
// tests each of the first Top: the difference of the mean errors of the arms in it,
// by Welch's statistic, against the margin. Compared with nothing, a slice is held
// against the candidate's other rows instead.
//
// Each slice gives a finding: Harm when the difference is proven to be above the
// margin, Pass when it is proven to be below, else Inconclusive. When none is Harm, one
// more finding, no_weak_slice, is Pass if every slice that was found passed, and
// Inconclusive else: a search that found nothing proves nothing of the slices that it
// did not find. So a rollout cannot wait for this check. By default its severity is
// warn, since what was found should be looked at by a person, who may then declare the
// slice.
//
// Error. The share of the budget is spent over the slices by Holm's method, at most
// Top of them. It is spent over the looks as well: at another look the search may
// find other slices, so that a bound which holds at all looks for one slice is not
// enough. With a schedule each of its looks gets an equal share. With continuous
// looks, one with N rows in both arms gets the share
//
//	ln(N0) / (N ln(N)^2),   N0 = 400
//
// which, summed up over all N above N0, is below 1: every number of rows is paid for
// as if there had been a look at it, and each test is one for a fixed sample. That
// costs a factor of some 10^5 at 10,000 rows; a rollout that is looked at once
// finds much smaller harm.
//
// Assumptions: independent units; rows of one unit are allowed for by the factor
// that they repeat by, in a slice as if it had the units with most rows; means near
// normal. To the squared standard error of a mean of
// n errors is added (M/n)^2, what one more row with the largest error M seen in the
// slice could do: so skewed and constant errors do not pass for precise ones.
// Slices are taken for something that the candidate does not influence.
type Discover struct {
	// Of are the columns to look at; at least one.
	Of []analysis.SliceColumn
	// Error of a row. Column and Threshold belong to two of its kinds; see
	// [analysis.DiscoverSpec].
	Error     analysis.ErrorKind
	Column    string
	Threshold float64
	// Margin is by how much the mean error may be larger in a slice: a difference, or
	// Relative to the baseline's mean error in all rows; nil means 10% of that.
	Margin *analysis.Quantity
	// Top is the number of slices to test; 0 means 5.
	Top int
	// MaxColumns is the greatest number of columns of a slice; 0 means 3.
	MaxColumns int
	// MinUnits is the least number of rows of a slice in either half of each arm;
	// 0 means 200, but at least a hundredth of the half.
	MinUnits uint64
}

const (
	defaultDiscoverTop     = 5
	defaultDiscoverColumns = 3
	defaultDiscoverUnits   = 200
	defaultDiscoverMargin  = 0.1 // of the baseline's mean error

	rawPerTop = 20 // slices that are searched for, for each that is tested, since most say the same

	maxSearch = 1 << 27 // looks at one column of one cell: a second or two

	// sameRows and sameExcess say when a slice tells nothing new: it shares all but
	// a twentieth of its rows with a better one, or an item of it changes the excess
	// by less than a quarter.
	sameRows   = 0.05
	sameExcess = 0.25
)

// Name implements [analysis.Check].
func (c Discover) Name() string { return "discover" }

// Columns implements [analysis.Check]; what is collected is in [Discover.Discover].
func (c Discover) Columns() []analysis.ColumnSpec { return nil }

// Discover implements [analysis.DiscoverUser].
func (c Discover) Discover() []analysis.DiscoverSpec {
	return []analysis.DiscoverSpec{{Columns: c.Of, Error: c.Error, Column: c.Column, Threshold: c.Threshold}}
}

// UsesLabels implements [analysis.LabelUser].
func (c Discover) UsesLabels() bool { return c.Error != analysis.ColumnError }

func (c Discover) withDefaults() (Discover, error) {
	least := c.MinUnits
	c.Top, c.MaxColumns = cmp.Or(c.Top, defaultDiscoverTop), cmp.Or(c.MaxColumns, defaultDiscoverColumns)
	c.MinUnits = cmp.Or(c.MinUnits, defaultDiscoverUnits)
	if c.Margin == nil {
		c.Margin = &analysis.Quantity{Value: defaultDiscoverMargin, Unit: analysis.Relative}
	}
	m := c.Margin
	if len(c.Of) == 0 || c.Top < 1 || c.Top > 100 || c.MaxColumns < 1 || c.MaxColumns > 5 || least == 1 ||
		!(m.Value >= 0) || math.IsInf(m.Value, 1) || m.Unit == analysis.Ratio {
		return c, fmt.Errorf("checks: Discover: %d columns, top %d, max_columns %d, min_units %d, margin %v: %w", len(c.Of), c.Top, c.MaxColumns, least, m, stats.ErrDomain)
	}
	return c, nil
}

// Run implements [analysis.Check].
func (c Discover) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	relative := c.MinUnits == 0
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if fs := missing(ev, c.Name()); fs != nil && (ev.Compared != analysis.Absolute || empty(ev.Candidate)) {
		return fs, nil
	}
	f := analysis.NewFinding(c.Name(), "no_weak_slice", c.Error.String())
	f.Column, f.N = c.Column, rows(ev)
	if c.Error == analysis.LogLossError {
		f.Unit = "nats"
	}
	h, why := c.halves(ev)
	if why == nil {
		least := c.MinUnits
		if relative {
			least = max(least, (h.find.n()+99)/100)
		}
		why = h.small(least)
		c.MinUnits = least
	}
	if why != nil {
		why.put(&f)
		if f.Outcome == analysis.Insufficient {
			f.UnitsNeeded = h.lacks()
		}
		h.warn(&f)
		return []analysis.Finding{f}, nil
	}
	found, err := sliceline.TopK(h.find.cells, sliceline.Options{
		K: rawPerTop * c.Top, MaxColumns: c.MaxColumns, MinSupport: c.MinUnits, Compare: h.compared, MaxWork: maxSearch,
	})
	if err != nil {
		return nil, fmt.Errorf("checks: Discover: %w", err)
	}
	top, err := sliceline.Prune(h.find.cells, found, sliceline.PruneOptions{Rows: sameRows, Share: sameExcess})
	if err != nil {
		return nil, fmt.Errorf("checks: Discover: %w", err)
	}
	h.searched, h.complete = found.Evaluated, found.Complete
	return c.confirm(ev, f, h, top[:min(len(top), c.Top)]), nil
}
