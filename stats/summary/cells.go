package summary

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// Cell is one populated cell of a [Histogram].
type Cell struct {
	Lo, Hi float64 // the cell is [Lo, Hi), or (Lo, Hi] for negative values of LogLinear; Lo == Hi when it can hold the one value Lo only
	N      uint64  // values in the cell
	Mean   float64 // their mean; for frozen edges the middle of the cell, cut to [Min, Max]
	Var    float64 // their variance about Mean, divided by N; 0 only if all are the same; NaN for frozen edges
}

// Cells lists the populated cells in ascending order of value. The open end
// cells of frozen edges, and the outermost cells of LogLinear, have an infinite
// bound. Mean is within 2 ulp.
func (h *Histogram) Cells() []Cell {
	if h.layout.kind == FrozenEdges {
		return h.edgeCells()
	}
	ks := h.keyedCells()
	cells := make([]Cell, 0, len(ks)+2)
	for i, k := range ks {
		if k.key > 0 && (i == 0 || ks[i-1].key < 0) {
			cells = appendAtom(cells, 0, h.zero)
		}
		cells = append(cells, h.layout.kind.describe(k))
	}
	if len(ks) == 0 || ks[len(ks)-1].key < 0 {
		cells = appendAtom(cells, 0, h.zero)
	}
	return appendAtom(cells, 1, h.one)
}

func appendAtom(cells []Cell, x float64, n uint64) []Cell {
	if n == 0 {
		return cells
	}
	return append(cells, Cell{Lo: x, Hi: x, N: n, Mean: x})
}

func (h *Histogram) edgeCells() []Cell {
	var cells []Cell
	for i, n := range h.counts {
		if n == 0 {
			continue
		}
		c := Cell{Lo: math.Inf(-1), Hi: math.Inf(1), N: n, Var: math.NaN()}
		if i > 0 {
			c.Lo = h.layout.edges[i-1]
		}
		if i < len(h.layout.edges) {
			c.Hi = h.layout.edges[i]
		}
		c.Mean = between(max(c.Lo, h.min), min(c.Hi, h.max), 0.5)
		cells = append(cells, c)
	}
	return cells
}

// between returns the number at the given share of the way from lo to hi.
func between(lo, hi, share float64) float64 {
	x := float64(lo*(1-share)) + float64(hi*share) // hi-lo may overflow
	return min(max(x, lo), hi)
}

// describe turns the integer sums of a cell into its bounds, mean and variance.
func (k Kind) describe(c keyed) Cell {
	s := k.span(c.key)
	m, exp := k.origin(s)
	mean, variance := c.cell.spread()
	if k == Tally {
		mean, variance = c.cell.even(s.hi - s.lo)
	}
	out := Cell{N: c.cell.n, Var: math.Ldexp(variance, 2*exp)}
	out.Lo, out.Hi = k.bounds(s)
	out.Mean = k.value(s.mirrored, math.Ldexp(float64(m)+mean, exp))
	if variance > 0 {
		out.Var = max(out.Var, math.SmallestNonzeroFloat64)
	}
	return out
}

// even returns the mean and variance of r in a cell of a Tally, with unlike
// values taken as spread evenly over the cell.
func (c *cell) even(width uint64) (mean, variance float64) {
	if c.sLo&c.qLo == 0 {
		return float64(c.sLo), 0
	}
	w := float64(width)
	return w / 2, w * w / 12
}

// Located is a number known to lie in a cell.
type Located struct {
	Value  float64 // the estimate: the middle of its share of the cell
	Lo, Hi float64 // bounds that certainly hold the exact number
}

// Quantile returns the smallest value x such that at least the share q of the
// values is <= x (Hyndman-Fan type 1), as far as the cells tell it: the bounds
// are those of its cell, cut to [Min, Max], and coincide when the cell holds one
// value only. The rank is the smallest k with k/n >= q in float64.
//
// q must be in [0,1], else the error wraps [stats.ErrDomain]; q = 0 gives the
// smallest value. An empty histogram is an error wrapping [stats.ErrEmpty]. The
// cost is linear in the number of populated cells.
func (h *Histogram) Quantile(q float64) (Located, error) {
	if h.n == 0 {
		return Located{}, fmt.Errorf("summary: Histogram.Quantile: %w", stats.ErrEmpty)
	}
	if !(q >= 0 && q <= 1) {
		return Located{}, fmt.Errorf("summary: Histogram.Quantile: q = %v: %w", q, stats.ErrDomain)
	}
	n := float64(h.n)
	rank := uint64(math.Ceil(q * n))
	switch { // q*n may have been rounded across an integer
	case rank > 0 && float64(rank-1)/n >= q:
		rank--
	case float64(rank)/n < q:
		rank++
	}
	return locate(h.Cells(), min(max(rank, 1), h.n), h.min, h.max), nil
}

// locate finds the rank-th smallest value (from 1) in ascending cells.
func locate(cells []Cell, rank uint64, mn, mx float64) Located {
	seen := uint64(0)
	for _, c := range cells {
		if seen+c.N < rank {
			seen += c.N
			continue
		}
		if c.Var == 0 {
			return Located{Value: c.Mean, Lo: c.Mean, Hi: c.Mean}
		}
		lo, hi := max(c.Lo, mn), min(c.Hi, mx)
		at := (float64(rank-seen) - 0.5) / float64(c.N)
		return Located{Value: between(lo, hi, at), Lo: lo, Hi: hi}
	}
	return Located{Value: mx, Lo: mx, Hi: mx}
}

// CountBelow returns bounds on the number of values below x: certain ones, and
// those that may be. They are equal when x is a cell boundary, except on the
// boundaries of negative LogLinear cells, which belong to the cell above them
// only in part. NaN gives 0 and 0.
func (h *Histogram) CountBelow(x float64) (least, most uint64) {
	switch {
	case h.n == 0 || !(x > h.min):
		return 0, 0
	case x > h.max:
		return h.n, h.n
	}
	for _, c := range h.Cells() {
		switch {
		case c.Lo == c.Hi || c.Var == 0:
			if c.Mean < x {
				least += c.N
				most += c.N
			}
		case c.Hi < x || (c.Hi == x && (c.Lo >= 0 || h.layout.kind == Probability || h.layout.kind == FrozenEdges)):
			least += c.N
			most += c.N
		case c.Lo < x:
			most += c.N
		}
	}
	return least, most
}
