package summary

import (
	"math"
	"math/bits"
)

// The loops below are the hot path of the module. What makes them fast:
//
//   - a cell is an index made from the value's bits, never a search;
//   - the side of 1/2 is chosen by a mask, as a branch on it is a coin toss;
//   - words that rarely get a carry get it in a branch, and are seldom touched;
//   - pages are arrays behind masked indexes, so that no bound is checked, and
//     the first value of a page takes the slow way, so that no page is made here;
//   - exact zeros and ones, frequent in real columns, have their own way out.

// add is addN(r, 1).
func (c *cell) add(r uint64) {
	c.n++
	s := c.sLo + r
	c.sLo = s
	if s < r {
		c.sHi++
	}
	hi, lo := bits.Mul64(r, r)
	was := c.qHi
	q, carry := bits.Add64(c.qLo, lo, 0)
	qHi, _ := bits.Add64(was, hi, carry)
	c.qLo, c.qHi = q, qHi
	if qHi < was {
		c.qTop++
	}
}

func (h *Histogram) addLogLinear(xs []float64) {
	const first, cells = logLinearFirst << logLinearBits, logLinearOctaves << logLinearBits
	pages := h.pages[:]
	mn, mx := math.Inf(1), math.Inf(-1)
	zeros, rare := 0, 0
	for _, x := range xs {
		b := math.Float64bits(x)
		i := b<<1>>(logLinearShift+1) - first
		if i >= cells {
			if x == 0 {
				zeros++
			} else {
				rare++
				h.addN(x, 1)
			}
			continue
		}
		pg := pages[(b>>63*sidePages|i>>pageBits)%(2*sidePages)]
		if pg == nil {
			rare++
			h.addN(x, 1)
			continue
		}
		if x < mn {
			mn = x
		}
		if x > mx {
			mx = x
		}
		pg[i%pageCells].add(b % (1 << logLinearShift))
	}
	h.include(mn, mx, uint64(len(xs)-zeros-rare))
	h.addN(0, uint64(zeros))
}

func (h *Histogram) addProbability(ps []float64) {
	const first, cells = probFirst << probabilityBits, probOctaves << probabilityBits
	pages := h.pages[:]
	mn, mx := math.Inf(1), math.Inf(-1)
	zeros, ones, rare := 0, 0, 0
	for _, p := range ps {
		b := math.Float64bits(p)
		upper := uint64(int64(halfBits-1-b) >> 63) // all bits set for p >= 1/2
		b ^= (b ^ (math.Float64bits(1-p) - 1)) & upper
		i := b>>probabilityShift - first
		if i >= cells {
			switch p {
			case 0:
				zeros++
			case 1:
				ones++
			default:
				rare++
				h.addN(p, 1)
			}
			continue
		}
		pg := pages[(upper&sidePages|i>>pageBits)%(2*sidePages)]
		if pg == nil {
			rare++
			h.addN(p, 1)
			continue
		}
		if p < mn {
			mn = p
		}
		if p > mx {
			mx = p
		}
		pg[i%pageCells].add(b % (1 << probabilityShift))
	}
	h.include(mn, mx, uint64(len(ps)-zeros-ones-rare))
	h.addN(0, uint64(zeros))
	h.addN(1, uint64(ones))
}

func (h *Histogram) addEdges(xs []float64) {
	t := h.layout.table
	if !t.direct() {
		for _, x := range xs {
			h.addN(x, 1)
		}
		return
	}
	mn, mx := uint64(math.MaxUint64), uint64(0)
	rare := 0
	for _, x := range xs {
		o := orderedBits(x)
		if o-lowestBits > highestBits-lowestBits { // NaN or infinite
			rare++
			h.exclude(x, 1)
			continue
		}
		mn, mx = min(mn, o), max(mx, o)
		h.counts[t.lookUp(o)]++
	}
	h.include(fromOrderedBits(mn), fromOrderedBits(mx), uint64(len(xs)-rare))
}

// addN adds any value n times.
func (h *Histogram) addN(x float64, n uint64) {
	if n == 0 || h.exclude(x, n) {
		return
	}
	x += 0 // -0 becomes 0
	h.include(x, x, n)
	if h.layout.kind == FrozenEdges {
		h.counts[h.layout.table.cell(x)] += n
		return
	}
	switch id, r := h.layout.kind.locate(x); id {
	case 0:
		h.zero += n
	case probOne:
		h.one += n
	default:
		if h.layout.kind == Tally {
			sp := h.layout.kind.span(id)
			h.mergeTally(id, &cell{n: n, sLo: r, qLo: r ^ (sp.hi - sp.lo - 1)})
			return
		}
		h.slot(id).addN(r, n)
	}
}

// exclude counts x, n times, if it belongs in no cell.
func (h *Histogram) exclude(x float64, n uint64) bool {
	prob := h.layout.kind == Probability
	switch {
	case h.excluded.exclude(x, n):
	case prob && x < 0:
		h.excluded.Below += n
	case prob && x > 1:
		h.excluded.Above += n
	default:
		return false
	}
	return true
}

// include takes note of n values between mn and mx.
func (h *Histogram) include(mn, mx float64, n uint64) {
	switch {
	case n == 0:
		return
	case h.n == 0:
		h.min, h.max = mn, mx
	default:
		h.min, h.max = min(h.min, mn), max(h.max, mx)
	}
	h.n += n
}
