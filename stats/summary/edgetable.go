package summary

import (
	"math"
	"math/bits"
	"slices"
)

// edgeTable finds the cell of a value with one table look-up and one comparison.
// The bits of a float64, with the sign folded in, sort like the floats
// themselves; their top bits index a table fine enough that no slot holds more
// than one edge.
type edgeTable struct {
	keys  []uint64 // the ordered bits of the edges, then one above all values
	shift uint
	first uint64   // slot of the first edge
	below []uint32 // per slot: number of edges in the slots before it
}

// maxSlots bounds the table; edges too close together for it are searched.
const maxSlots = 1 << 16

// orderedBits maps finite numbers to integers in the same order; -0 and 0 are
// the same.
func orderedBits(x float64) uint64 {
	b := math.Float64bits(x + 0)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

// fromOrderedBits is the inverse of orderedBits.
func fromOrderedBits(o uint64) float64 {
	return math.Float64frombits(o ^ (^uint64(int64(o)>>63) | 1<<63))
}

// The ordered bits of the lowest and the highest finite number.
const (
	lowestBits  = 1 << 52
	highestBits = 0xffefffffffffffff
)

func newEdgeTable(edges []float64) *edgeTable {
	t := &edgeTable{keys: make([]uint64, 0, len(edges)+1)}
	shift := uint(62)
	for i, e := range edges {
		t.keys = append(t.keys, orderedBits(e))
		if i > 0 {
			// the first bit in which neighbours differ tells them apart
			shift = min(shift, uint(bits.Len64(t.keys[i]^t.keys[i-1]))-1)
		}
	}
	first, last := t.keys[0]>>shift, t.keys[len(edges)-1]>>shift
	t.keys = append(t.keys, math.MaxUint64)
	if last-first >= maxSlots {
		return t // no table: cell falls back to a binary search
	}
	t.shift, t.first = shift, first
	t.below = make([]uint32, last-first+1)
	for s, i := uint64(0), 0; s <= last-first; s++ {
		t.below[s] = uint32(i)
		if i < len(edges) && t.keys[i]>>shift-first == s {
			i++
		}
	}
	return t
}

// direct reports whether there is a table to look up.
func (t *edgeTable) direct() bool { return len(t.below) > 0 }

// lookUp returns the number of edges whose ordered bits are <= o. It needs a
// table. Values fall on either side of the table at random, so their slot is
// kept inside by masks and not by branches.
func (t *edgeTable) lookUp(o uint64) uint64 {
	s, under := bits.Sub64(o>>(t.shift%64), t.first, 0)
	s &= under - 1
	last := uint64(len(t.below) - 1)
	_, over := bits.Sub64(last, s, 0)
	s ^= (s ^ last) & -over
	i := uint64(t.below[s])
	_, less := bits.Sub64(o, t.keys[i], 0)
	return i + 1 - less
}

// cell returns the number of edges <= x, which is the index of x's cell. x must
// be finite.
func (t *edgeTable) cell(x float64) int {
	o := orderedBits(x)
	if t.direct() {
		return int(t.lookUp(o))
	}
	i, found := slices.BinarySearch(t.keys, o)
	if found {
		i++
	}
	return i
}
