package summary

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// Excluded counts the values that are not in any cell, by reason.
type Excluded struct {
	Null   uint64 `json:"null,omitempty"`    // no value at all
	NaN    uint64 `json:"nan,omitempty"`     // not a number
	PosInf uint64 `json:"pos_inf,omitempty"` // +Inf
	NegInf uint64 `json:"neg_inf,omitempty"` // -Inf
	Below  uint64 `json:"below,omitempty"`   // finite and below the layout's range
	Above  uint64 `json:"above,omitempty"`   // finite and above the layout's range
}

// Total is the number of excluded values.
func (e Excluded) Total() uint64 {
	return e.Null + e.NaN + e.PosInf + e.NegInf + e.Below + e.Above
}

// exclude counts x, n times, if it is NaN or infinite.
func (e *Excluded) exclude(x float64, n uint64) bool {
	switch {
	case math.IsNaN(x):
		e.NaN += n
	case math.IsInf(x, 1):
		e.PosInf += n
	case math.IsInf(x, -1):
		e.NegInf += n
	default:
		return false
	}
	return true
}

func (e *Excluded) merge(o Excluded) {
	e.Null += o.Null
	e.NaN += o.NaN
	e.PosInf += o.PosInf
	e.NegInf += o.NegInf
	e.Below += o.Below
	e.Above += o.Above
}

// Histogram counts float64 values in cells that do not depend on the data, in
// one pass, with memory that does not grow with the number of values.
//
// Beside its count, each cell of the LogLinear and Probability layouts keeps the
// exact integer sums from which the sum and the sum of squares of its values
// follow without rounding. So the mean and variance of [Histogram.Moments] are
// correctly rounded, quantiles and ranks are known to within one cell (a
// relative width of 1/128 for LogLinear; 1/2048 in the middle of the Probability
// range and finer towards both ends; wider cells, 8 per octave, for numbers
// beyond 2^64, below 2^-64, and within 2^-32 of 0 or 1 for Probability), and a
// column that holds one value only is recognised as such.
//
// Merge is exact, commutative and associative: any order of adding and merging
// gives the same state and the same bytes. The zero Histogram is empty and the
// identity of Merge; its first Add gives it the LogLinear layout. A Histogram is
// not safe for concurrent use: keep one per goroutine and merge. Merging a
// histogram with itself doubles its counts. It holds fewer than 2^47 values.
//
// The Tally layout has the cells of LogLinear and keeps, beside the count, only
// the one value of a cell that holds one value. It is for columns that are
// watched for drift: it has no Moments, and the mean and variance of its other
// cells are those of values spread evenly.
//
// Special values: -0 counts as 0; null, NaN and infinite values are counted
// apart, as are, under the Probability layout, values outside [0,1].
type Histogram struct {
	layout   Layout
	n        uint64 // values in cells
	excluded Excluded
	min, max float64     // of the values in cells; meaningful when n > 0
	zero     uint64      // exact zeros
	one      uint64      // Probability: exact ones
	pages    *pageTable  // fine cells of LogLinear and Probability
	tallies  *tallyTable // those of Tally; nil before the first
	coarse   map[key]*cell
	counts   []uint64 // FrozenEdges
}

// NewHistogram returns an empty histogram with the given layout.
func NewHistogram(l Layout) *Histogram {
	h := &Histogram{}
	h.setLayout(l)
	return h
}

func (h *Histogram) setLayout(l Layout) {
	h.layout = l
	switch l.kind {
	case LogLinear, Probability:
		h.pages = new(pageTable)
	case FrozenEdges:
		h.counts = make([]uint64, len(l.edges)+1)
	case Tally, Unset:
	}
}

// Layout returns where the cells lie.
func (h *Histogram) Layout() Layout { return h.layout }

// N is the number of values in cells.
func (h *Histogram) N() uint64 { return h.n }

// Excluded returns the numbers of values that are in no cell.
func (h *Histogram) Excluded() Excluded { return h.excluded }

// Total is the number of values seen: N plus the excluded ones.
func (h *Histogram) Total() uint64 { return h.n + h.excluded.Total() }

// Min returns the smallest value in a cell, or NaN when there is none.
func (h *Histogram) Min() float64 {
	if h.n == 0 {
		return math.NaN()
	}
	return h.min
}

// Max returns the largest value in a cell, or NaN when there is none.
func (h *Histogram) Max() float64 {
	if h.n == 0 {
		return math.NaN()
	}
	return h.max
}

// Add counts one value.
func (h *Histogram) Add(x float64) { h.AddSlice([]float64{x}) }

// AddNull counts n missing values.
func (h *Histogram) AddNull(n uint64) { h.excluded.Null += n }

// AddSlice counts the values of xs. It allocates only when a value falls into a
// page of 512 cells, or a coarse cell, not seen before.
func (h *Histogram) AddSlice(xs []float64) {
	if len(xs) == 0 {
		return
	}
	h.settle()
	switch h.layout.kind {
	case Probability:
		h.addProbability(xs)
	case FrozenEdges:
		h.addEdges(xs)
	case Tally:
		h.addTally(xs)
	case LogLinear, Unset:
		h.addLogLinear(xs)
	}
}

// AddN counts the value x n times, as for a dictionary-encoded column. n must be
// below 2^47.
func (h *Histogram) AddN(x float64, n uint64) {
	if n > 0 {
		h.settle()
		h.addN(x, n)
	}
}

// settle gives a zero histogram its layout.
func (h *Histogram) settle() {
	if h.layout.kind == Unset {
		h.setLayout(Layout{kind: LogLinear})
	}
}

// slot returns the cell of an open layout with the given key, making it if need
// be. The key is that of a cell, not of an atom, and for Tally of a coarse one.
func (h *Histogram) slot(id key) *cell {
	kind := h.layout.kind
	g, sp := kind.grid(), kind.span(id)
	if !g.fine(sp.e) {
		c := h.coarse[id]
		if c == nil {
			if h.coarse == nil {
				h.coarse = make(map[key]*cell)
			}
			c = &cell{}
			h.coarse[id] = c
		}
		return c
	}
	i := sp.lo>>(52-g.bits) - g.first<<g.bits
	at := i / pageCells
	if sp.mirrored {
		at += sidePages
	}
	if h.pages[at] == nil {
		h.pages[at] = new(page)
	}
	return &h.pages[at][i%pageCells]
}

// Merge adds the state of o to h; o is unchanged. Histograms with different
// layouts do not merge: the error wraps [stats.ErrMismatch] and names both
// layouts. An empty zero histogram merges with any.
func (h *Histogram) Merge(o *Histogram) error {
	if o.layout.kind == Unset {
		h.excluded.merge(o.excluded)
		return nil
	}
	if h.layout.kind == Unset {
		h.setLayout(o.layout)
	}
	if !h.layout.equal(o.layout) {
		return fmt.Errorf("summary: Histogram.Merge: layouts %s and %s: %w", h.layout.ID(), o.layout.ID(), stats.ErrMismatch)
	}
	h.include(o.min, o.max, o.n)
	h.excluded.merge(o.excluded)
	h.zero += o.zero
	h.one += o.one
	for i, c := range o.counts {
		h.counts[i] += c
	}
	if o.pages != nil {
		h.mergePages(o.pages)
	}
	if o.tallies != nil {
		if h.tallies == nil {
			h.tallies = newTallyTable()
		}
		h.tallies.merge(o.tallies)
	}
	for id, c := range o.coarse {
		h.layout.kind.merge(h.slot(id), c)
	}
	return nil
}

func (h *Histogram) mergePages(o *pageTable) {
	for i, pg := range o {
		if pg == nil {
			continue
		}
		if h.pages[i] == nil {
			h.pages[i] = new(page)
		}
		dst := h.pages[i]
		for j := range pg {
			if pg[j].n > 0 {
				h.layout.kind.merge(&dst[j], &pg[j])
			}
		}
	}
}

// keyed is a populated cell with its key.
type keyed struct {
	key  key
	cell *cell
}

// keyed appends the populated cells, in no particular order.
func (t *pageTable) keyed(kind Kind, ks []keyed) []keyed {
	g := kind.grid()
	for i, pg := range t {
		if pg == nil {
			continue
		}
		m := g.first<<g.bits + uint64(i%sidePages)*pageCells
		for j := range pg {
			if c := &pg[j]; c.n > 0 {
				ks = append(ks, keyed{kind.keyOf(i >= sidePages, m+uint64(j)), c})
			}
		}
	}
	return ks
}

// keyedCells lists the populated cells of an open layout in ascending order of
// value, without the atoms at exactly 0 and 1.
func (h *Histogram) keyedCells() []keyed {
	kind := h.layout.kind
	var ks []keyed
	if h.pages != nil {
		ks = h.pages.keyed(kind, ks)
	}
	if h.tallies != nil {
		ks = h.tallies.keyed(ks)
	}
	for id, c := range h.coarse {
		ks = append(ks, keyed{id, c})
	}
	slices.SortFunc(ks, func(a, b keyed) int { return cmp.Compare(a.key, b.key) })
	return ks
}
