package summary

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

const histogramWire = 1

// AppendBinary implements [encoding.BinaryAppender]. Equal states give equal
// bytes, however the values came in.
func (h *Histogram) AppendBinary(b []byte) ([]byte, error) {
	w := writer{b}
	h.write(&w)
	return w.b, nil
}

// MarshalBinary implements [encoding.BinaryMarshaler]; see AppendBinary.
func (h *Histogram) MarshalBinary() ([]byte, error) { return h.AppendBinary(nil) }

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]. Damaged input is an
// error and leaves h unchanged.
func (h *Histogram) UnmarshalBinary(b []byte) error {
	r := reader{b: b}
	var out Histogram
	out.read(&r)
	if err := r.done(); err != nil {
		return err
	}
	*h = out
	return nil
}

func (h *Histogram) write(w *writer) {
	w.u64(histogramWire)
	w.u64(uint64(h.layout.kind))
	w.excluded(h.excluded)
	if h.layout.kind == Unset {
		return
	}
	w.u64(h.n)
	if h.n > 0 {
		w.f64(h.min)
		w.f64(h.max)
	}
	if h.layout.kind == FrozenEdges {
		w.u64(uint64(len(h.layout.edges)))
		for _, e := range h.layout.edges {
			w.f64(e)
		}
		for _, c := range h.counts {
			w.u64(c)
		}
		return
	}
	w.u64(h.zero)
	w.u64(h.one)
	ks := h.keyedCells()
	w.u64(uint64(len(ks)))
	prev := key(0)
	for _, k := range ks {
		w.i64(int64(k.key - prev))
		prev = k.key
		c := k.cell
		w.u64(c.n)
		w.u64(uint64(c.sHi))
		w.u64(c.sLo)
		w.u64(uint64(c.qTop))
		w.u64(c.qHi)
		w.u64(c.qLo)
	}
}

func (h *Histogram) read(r *reader) {
	r.version("histogram", histogramWire)
	kind := Kind(min(r.u64(), math.MaxUint8))
	h.excluded = r.excluded()
	if kind != Probability {
		r.noRange(h.excluded)
	}
	switch kind {
	case LogLinear, Tally, Probability, FrozenEdges:
	case Unset:
		if h.excluded.Total() != h.excluded.Null {
			r.fail("values without a layout")
		}
		return
	default:
		r.fail("layout kind %d", kind)
		return
	}
	n := r.u64()
	var mn, mx float64
	if n > 0 {
		mn, mx = r.extremes()
	}
	if kind == FrozenEdges {
		h.readEdges(r)
	} else {
		h.setLayout(Layout{kind: kind})
		h.readCells(r)
	}
	if h.n != n || n >= maxValues {
		r.fail("cells hold %d values, header says %d", h.n, n)
	}
	h.min, h.max = mn, mx
	if r.err == nil && n > 0 && !h.spans(mn, mx) {
		r.fail("range [%v, %v] does not fit the cells", mn, mx)
	}
}

func (h *Histogram) readEdges(r *reader) {
	edges := make([]float64, r.length(8))
	for i := range edges {
		edges[i] = r.f64()
		if isNegativeZero(edges[i]) {
			r.fail("edge -0")
		}
	}
	if r.err != nil {
		return
	}
	l, err := NewEdges(edges...)
	if err != nil {
		r.fail("%v", err)
		return
	}
	h.setLayout(l)
	for i := range h.counts {
		h.counts[i] = r.u64()
		h.n = r.sum(h.n, h.counts[i])
	}
}

func (h *Histogram) readCells(r *reader) {
	h.zero, h.one = r.u64(), r.u64()
	h.n = r.sum(h.zero, h.one)
	if h.layout.kind != Probability && h.one > 0 {
		r.fail("ones in layout %s", h.layout.ID())
	}
	at := int64(0)
	for i, k := 0, r.length(7); i < k && r.err == nil; i++ {
		d := r.i64()
		if at += d; i > 0 && d <= 0 {
			r.fail("cells out of order")
		}
		c := cell{n: r.u64(), sHi: r.u32(), sLo: r.u64(), qTop: r.u32(), qHi: r.u64(), qLo: r.u64()}
		if r.err == nil {
			h.putCell(r, at, &c)
		}
	}
}

// putCell stores a decoded cell after checking that adding values can make it.
func (h *Histogram) putCell(r *reader, at int64, c *cell) {
	kind, id := h.layout.kind, key(at)
	if int64(id) != at || !kind.isCell(id) {
		r.fail("cell %d is not one of layout %s", at, h.layout.ID())
		return
	}
	sp := kind.span(id)
	if c.n == 0 || c.n >= maxValues || !c.possible(kind, sp.hi-sp.lo) {
		r.fail("cell %d with %d values", at, c.n)
		return
	}
	if kind == Tally {
		h.mergeTally(id, c)
	} else {
		*h.slot(id) = *c
	}
	h.n = r.sum(h.n, c.n)
}

// isCell reports whether values can fall into a cell with this key.
func (k Kind) isCell(id key) bool {
	low, high := -key(0x7ff<<logLinearBits), key(0x7ff<<logLinearBits)
	if k == Probability {
		low, high = 1, probOne-1
	}
	if id < low || id > high || id == 0 {
		return false
	}
	at, _ := k.locate(k.member(k.span(id)))
	return at == id
}

// spans reports whether the lowest and the highest populated cell are those of
// mn and mx.
func (h *Histogram) spans(mn, mx float64) bool {
	kind := h.layout.kind
	if kind == FrozenEdges {
		low, high := h.layout.table.cell(mn), h.layout.table.cell(mx)
		populated := func(n uint64) bool { return n > 0 }
		return slices.IndexFunc(h.counts, populated) == low &&
			h.counts[high] > 0 && !slices.ContainsFunc(h.counts[high+1:], populated)
	}
	if kind == Probability && (mn < 0 || mx > 1) {
		return false
	}
	var keys []key
	for _, k := range h.keyedCells() {
		keys = append(keys, k.key)
	}
	if h.zero > 0 {
		keys = append(keys, 0)
	}
	if h.one > 0 {
		keys = append(keys, probOne)
	}
	low, _ := kind.locate(mn)
	high, _ := kind.locate(mx)
	return slices.Min(keys) == low && slices.Max(keys) == high
}

type histogramJSON struct {
	Layout   string        `json:"layout"`
	Edges    []stats.Float `json:"edges,omitempty"`
	N        uint64        `json:"n"`
	Min      *stats.Float  `json:"min,omitempty"`
	Max      *stats.Float  `json:"max,omitempty"`
	Excluded Excluded      `json:"excluded"`
	Zero     uint64        `json:"zero,omitempty"`
	One      uint64        `json:"one,omitempty"`
	Counts   []uint64      `json:"counts,omitempty"`
	Cells    []cellJSON    `json:"cells,omitempty"`
}

// cellJSON is [sign of the key, key, n, sum, squares]: sign 1 is negative, and
// the sums are words, most significant first, two and three of them.
type cellJSON []uint64

// MarshalJSON implements [json.Marshaler]. The form keeps the exact state: each
// cell is its key, its count and the words of its two integer sums.
func (h *Histogram) MarshalJSON() ([]byte, error) {
	j := histogramJSON{Layout: h.layout.ID(), N: h.n, Excluded: h.excluded, Zero: h.zero, One: h.one, Counts: h.counts}
	if h.n > 0 {
		mn, mx := stats.Float(h.min), stats.Float(h.max)
		j.Min, j.Max = &mn, &mx
	}
	for _, e := range h.layout.edges {
		j.Edges = append(j.Edges, stats.Float(e))
	}
	for _, k := range h.keyedCells() {
		c := k.cell
		sign := uint64(0)
		abs := k.key
		if abs < 0 {
			sign, abs = 1, -abs
		}
		j.Cells = append(j.Cells, cellJSON{sign, uint64(abs), c.n, uint64(c.sHi), c.sLo, uint64(c.qTop), c.qHi, c.qLo})
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements [json.Unmarshaler]. Damaged input is an error and
// leaves h unchanged.
func (h *Histogram) UnmarshalJSON(b []byte) error {
	var j histogramJSON
	if err := readJSON("Histogram", b, &j); err != nil {
		return err
	}
	var w writer
	if err := j.write(&w); err != nil {
		return fmt.Errorf("summary: Histogram: %w: %w", err, stats.ErrMismatch)
	}
	var out Histogram
	if err := out.UnmarshalBinary(w.b); err != nil {
		return err
	}
	if out.layout.ID() != j.Layout {
		return fmt.Errorf("summary: Histogram: layout %q does not fit the edges: %w", j.Layout, stats.ErrMismatch)
	}
	*h = out
	return nil
}

// kind tells the layout from its id; that of frozen edges is checked later.
func (j *histogramJSON) kind() Kind {
	for _, k := range []Kind{Unset, LogLinear, Tally, Probability} {
		if j.Layout == (Layout{kind: k}).ID() {
			return k
		}
	}
	return FrozenEdges
}

// write turns the JSON form into the binary one, which is then checked.
func (j *histogramJSON) write(w *writer) error {
	kind := j.kind()
	w.u64(histogramWire)
	w.u64(uint64(kind))
	w.excluded(j.Excluded)
	switch {
	case (j.N > 0) != (j.Min != nil) || (j.N > 0) != (j.Max != nil):
		return errors.New("min and max do not go with n")
	case kind == Unset && j.N > 0,
		kind == FrozenEdges && j.Zero|j.One|uint64(len(j.Cells)) > 0,
		kind == FrozenEdges && len(j.Counts) != len(j.Edges)+1,
		kind != FrozenEdges && len(j.Edges)+len(j.Counts) > 0,
		kind == Unset && j.Zero|j.One|uint64(len(j.Cells)) > 0:
		return errors.New("members of another layout")
	case kind == Unset:
		return nil
	}
	w.u64(j.N)
	if j.N > 0 {
		w.f64(float64(*j.Min))
		w.f64(float64(*j.Max))
	}
	if kind == FrozenEdges {
		w.u64(uint64(len(j.Edges)))
		for _, e := range j.Edges {
			w.f64(float64(e))
		}
		for _, c := range j.Counts {
			w.u64(c)
		}
		return nil
	}
	w.u64(j.Zero)
	w.u64(j.One)
	w.u64(uint64(len(j.Cells)))
	prev := int64(0)
	for i, c := range j.Cells {
		if len(c) != 8 || c[0] > 1 || c[1] > math.MaxInt32 {
			return fmt.Errorf("cell %d is malformed", i)
		}
		at := int64(c[1])
		if c[0] == 1 {
			at = -at
		}
		w.i64(at - prev)
		prev = at
		for _, v := range c[2:] {
			w.u64(v)
		}
	}
	return nil
}
