package calibration

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Data is what the statistics of this package are computed from: the joint
// distribution of score and label, as cells in ascending order of score. From
// rows there is one cell for each distinct score, and nothing is lost; from a
// [summary.Scores] the cells are its cells, of which the number, mean and
// variance of the scores are known for each label.
//
// Data does not change once made and may be shared. The zero Data is empty; every
// function refuses it with an error that wraps [stats.ErrEmpty].
type Data struct {
	cells    []cell
	excluded uint64 // labelled rows without a score in [0,1]
}

// cell holds the scores in [lo, hi]. A cell from rows has lo = hi.
type cell struct {
	lo, hi   float64
	neg, pos part
}

// part is one label's share of a cell.
type part struct {
	n        float64 // below 2^47, so exact
	mean     float64
	variance float64 // divided by n
}

func (c cell) n() float64 { return c.neg.n + c.pos.n }

// score is the mean score of the cell.
func (c cell) score() float64 {
	switch {
	case c.neg.n == 0 || c.neg.mean == c.pos.mean:
		return c.pos.mean
	case c.pos.n == 0:
		return c.neg.mean
	}
	return (float64(c.neg.n*c.neg.mean) + float64(c.pos.n*c.pos.mean)) / c.n()
}

// FromRows takes one score, a probability of the positive class, and one label
// per row. The order of the rows does not matter, to the last bit.
//
// Errors: [stats.ErrMismatch] for slices of different length; [stats.ErrEmpty]
// for no rows; [stats.ErrDomain] for a score that is NaN or outside [0,1].
// Cost: a sort, and about 80 bytes for each distinct score.
func FromRows(scores []float64, positive []bool) (Data, error) {
	if len(scores) != len(positive) {
		return Data{}, fmt.Errorf("calibration: FromRows: %d scores and %d labels: %w", len(scores), len(positive), stats.ErrMismatch)
	}
	if len(scores) == 0 {
		return Data{}, fmt.Errorf("calibration: FromRows: %w", stats.ErrEmpty)
	}
	order := make([]int, len(scores))
	for i, p := range scores {
		if !(p >= 0 && p <= 1) {
			return Data{}, fmt.Errorf("calibration: FromRows: score %d is %v: %w", i, p, stats.ErrDomain)
		}
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	var d Data
	for _, i := range order {
		p := scores[i] + 0 // -0 becomes 0
		if k := len(d.cells); k == 0 || d.cells[k-1].lo != p {
			d.cells = append(d.cells, cell{lo: p, hi: p})
		}
		c := &d.cells[len(d.cells)-1]
		if positive[i] {
			c.pos.n, c.pos.mean = c.pos.n+1, p
		} else {
			c.neg.n, c.neg.mean = c.neg.n+1, p
		}
	}
	return d, nil
}

// FromScores takes the labelled scores of s. Rows without a usable score are left
// out and make results carry the warning "excluded_values"; unlabelled scores are
// ignored. What the cells hide is stated by each function, and results carry the
// warning "binned".
//
// Errors: [stats.ErrEmpty] when no labelled score is in [0,1].
// Cost: linear in the number of populated cells, of which there are at most a few
// ten thousand, and typically one to two thousand.
func FromScores(s *summary.Scores) (Data, error) {
	neg, pos := s.By(summary.Negative), s.By(summary.Positive)
	d := Data{excluded: neg.Excluded().Total() + pos.Excluded().Total()}
	ns, ps := neg.Cells(), pos.Cells()
	for len(ns)+len(ps) > 0 {
		order := 0 // which of the two lists has the next cell; 0 is both
		switch {
		case len(ps) == 0:
			order = -1
		case len(ns) == 0:
			order = +1
		default:
			order = cmp.Or(cmp.Compare(ns[0].Lo, ps[0].Lo), cmp.Compare(ns[0].Hi, ps[0].Hi))
		}
		var c cell
		if order <= 0 {
			c.lo, c.hi, c.neg = ns[0].Lo, ns[0].Hi, partOf(ns[0])
			ns = ns[1:]
		}
		if order >= 0 {
			c.lo, c.hi, c.pos = ps[0].Lo, ps[0].Hi, partOf(ps[0])
			ps = ps[1:]
		}
		d.cells = append(d.cells, c)
	}
	if len(d.cells) == 0 {
		return Data{}, fmt.Errorf("calibration: FromScores: no labelled score: %w", stats.ErrEmpty)
	}
	return d, nil
}

func partOf(c summary.Cell) part { return part{float64(c.N), c.Mean, c.Var} }

// N is the number of rows.
func (d Data) N() uint64 {
	n, _ := d.counts()
	return uint64(n)
}

// counts returns the numbers of rows and of positive labels.
func (d Data) counts() (n, positives float64) {
	for _, c := range d.cells {
		n += c.n()
		positives += c.pos.n
	}
	return n, positives
}

// Between returns the part of d with scores in [lo, hi), or in [lo, 1] when hi is
// 1. A cell of a histogram is in when its mean is: the band that is really used
// differs from the one asked for by less than a cell, which is at most 1/2048
// wide. Excluded rows are not in it.
//
// The result is empty when no score is in the band, and when lo or hi is NaN.
func (d Data) Between(lo, hi float64) Data {
	from, to := len(d.cells), len(d.cells)
	for i, c := range d.cells {
		p := c.score()
		if p >= lo && i < from {
			from = i
		}
		if p >= hi && !(hi == 1 && p == 1) {
			to = i
			break
		}
	}
	if !(lo < hi) || from >= to {
		return Data{}
	}
	return Data{cells: d.cells[from:to:to]}
}

// check returns an error that wraps stats.ErrEmpty when there are no rows.
func (d Data) check(fn string) error {
	if len(d.cells) == 0 {
		return fmt.Errorf("calibration: %s: %w", fn, stats.ErrEmpty)
	}
	return nil
}

// binned reports whether some cell holds more than one distinct score.
func (d Data) binned() bool {
	return slices.ContainsFunc(d.cells, func(c cell) bool {
		return c.neg.variance > 0 || c.pos.variance > 0 || (c.neg.n > 0 && c.pos.n > 0 && c.neg.mean != c.pos.mean)
	})
}

// warnings are those that every result from d carries.
func (d Data) warnings() []stats.Warning {
	var ws []stats.Warning
	if d.binned() {
		ws = append(ws, warn(stats.WarnBinned, "computed from the cells of a histogram"))
	}
	if d.excluded > 0 {
		ws = append(ws, warn(stats.WarnExcluded, fmt.Sprintf("%d labelled rows have no score in [0,1]", d.excluded)))
	}
	if n, k := d.counts(); k == 0 || k == n {
		ws = append(ws, warn(stats.WarnDegenerate, "all labels are the same"))
	}
	return ws
}

func warn(code, message string) stats.Warning { return stats.Warning{Code: code, Message: message} }

// adder sums with the rounding errors carried along (Neumaier's variant of
// Kahan's summation).
type adder struct{ sum, lost float64 }

func (a *adder) add(x float64) {
	t := a.sum + x
	if math.Abs(a.sum) >= math.Abs(x) {
		a.lost += (a.sum - t) + x
	} else {
		a.lost += (x - t) + a.sum
	}
	a.sum = t
}

func (a *adder) value() float64 { return a.sum + a.lost }
