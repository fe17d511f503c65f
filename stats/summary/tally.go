package summary

import "math"

// tallyCell is a fine cell of a Tally.
type tallyCell struct {
	only uint64 // the bits of the one value that all values are, or several
	n    uint64
}

// several stands for unlike values. It is the bits of a NaN, so of no value in a
// cell.
const several = math.MaxUint64

// The leading bits of a float64, down to those of the mantissa that tell cells
// apart, are the place of its cell.
const (
	tallyPageBits  = 10
	tallyPageCells = 1 << tallyPageBits
	tallyPageShift = logLinearShift + tallyPageBits
)

type (
	tallyPage  [tallyPageCells]tallyCell
	tallyTable [1 << (64 - tallyPageShift)]*tallyPage
)

// noTally stands for all pages without values. It is never written to.
var noTally tallyPage

// newTallyTable returns a table whose first page is there: to it belongs 0, the
// bits of which look like those in a cell of noTally.
func newTallyTable() *tallyTable {
	t := new(tallyTable)
	for i := range t {
		t[i] = &noTally
	}
	t[0] = new(tallyPage)
	return t
}

// addTally counts values in cells of a count and the only value. As a cell soon
// holds several values, or ever again the same, most values change the count and
// nothing else.
func (h *Histogram) addTally(xs []float64) {
	if h.tallies == nil {
		h.tallies = newTallyTable()
	}
	pages := h.tallies
	mn, mx := math.Inf(1), math.Inf(-1)
	rare := 0
	for _, x := range xs {
		x += 0 // -0 becomes 0
		b := math.Float64bits(x)
		c := &pages[b>>tallyPageShift][b>>logLinearShift%tallyPageCells]
		if min(c.only^b, c.only^several) != 0 { // one branch, that is never taken for long
			rare++ // new to the cell, or without a fine cell
			h.addN(x, 1)
			continue
		}
		if x < mn {
			mn = x
		}
		if x > mx {
			mx = x
		}
		c.n++
	}
	h.include(mn, mx, uint64(len(xs)-rare))
	zeros := &pages[0][0]
	h.zero += zeros.n
	zeros.n = 0
}

// mergeTally adds the content of a cell, in the form that [cell] has in a Tally,
// to the cell with the given key.
func (h *Histogram) mergeTally(id key, c *cell) {
	sp := Tally.span(id)
	if !Tally.grid().fine(sp.e) {
		h.slot(id).mergeTally(c)
		return
	}
	if h.tallies == nil {
		h.tallies = newTallyTable()
	}
	b := sp.lo
	if sp.mirrored {
		b |= 1 << 63
	}
	pg := &h.tallies[b>>tallyPageShift]
	if *pg == &noTally {
		*pg = new(tallyPage)
	}
	o := tallyCell{only: b | c.sLo, n: c.n}
	if c.sLo&c.qLo != 0 {
		o.only = several
	}
	(*pg)[b>>logLinearShift%tallyPageCells].merge(&o)
}

func (c *tallyCell) merge(o *tallyCell) {
	switch {
	case c.n == 0:
		c.only = o.only
	case c.only != o.only:
		c.only = several
	}
	c.n += o.n
}

// merge adds the cells of o to those of t.
func (t *tallyTable) merge(o *tallyTable) {
	for i, pg := range o {
		if pg == &noTally {
			continue
		}
		if t[i] == &noTally {
			t[i] = new(tallyPage)
		}
		for j := range pg {
			if pg[j].n > 0 {
				t[i][j].merge(&pg[j])
			}
		}
	}
}

// keyed appends the populated cells, in no particular order.
func (t *tallyTable) keyed(ks []keyed) []keyed {
	const side = 1 << (63 - logLinearShift) // cells with the sign bit clear
	for i, pg := range t {
		if pg == &noTally {
			continue
		}
		for j, c := range pg {
			if c.n > 0 {
				at := uint64(i*tallyPageCells + j)
				ks = append(ks, keyed{Tally.keyOf(at >= side, at%side), c.wide()})
			}
		}
	}
	return ks
}

// wide returns the cell in the form that all layouts have in common.
func (c tallyCell) wide() *cell {
	const all = 1<<logLinearShift - 1
	if c.only == several {
		return &cell{n: c.n, sLo: all, qLo: all}
	}
	r := c.only & all
	return &cell{n: c.n, sLo: r, qLo: r ^ all}
}
