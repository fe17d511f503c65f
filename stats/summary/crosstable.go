package summary

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// The bounds of a zero [CrossOptions].
const (
	DefaultCrossCap    = 1 << 16 // cells
	DefaultCrossValues = 1 << 16 // values of all columns together
)

// maxCrossColumns and maxCrossCap bound what can be asked for.
const (
	maxCrossColumns = 64
	maxCrossCap     = 1 << 20
)

// CrossOptions bound the memory of a [CrossTable]; 0 means the default.
type CrossOptions struct {
	Cap    int // cells that are kept
	Values int // values that are kept, of all columns together
}

// CrossTable sums up an error by the combinations of values of several columns, in
// two halves of the units: what is found in one half can be tested on the other.
//
// A unit is known by its hash ([HashUnit], [HashUnitString]). The lowest bit says
// which half it is in; half the number of leading zeros is its level, which one
// unit in four has above any given one. Each cell is a combination of values, a
// half, and a level. When there are more cells, or more values, than the table
// keeps, the cells of the lowest level are dropped with all their rows, and so on:
// what is left is all rows of a random quarter, sixteenth, ... of the units, the
// same units in every arm. [CrossTable.Left] counts the rows that are left out.
//
// That level is the least at which all that is kept fits. More rows never lower
// it, so it depends neither on their order nor on how they were shared out, and
// tables merge in any order to the same bytes. For the same reason no value is
// folded into a rest: which ones are rare would be known at the end only. A column
// of ever new values therefore costs the others rows; [CrossTable.Values] tells
// which column that is.
//
// Errors are kept as whole multiples of 2^-32, so that sums are exact; they are
// taken from 0 to 2^32. What is negative, larger, or not finite is counted as
// unfit.
//
// A table of 2^16 cells takes 10 MB with 4 columns and 40 MB with 64. The zero
// CrossTable is empty, has no columns to put rows in, and is the identity of Merge.
// It is not safe for concurrent use.
type CrossTable struct {
	columns int
	o       CrossOptions // 0 means the default
	level   int          // rows of a lower one are left out
	left    uint64
	null    uint64
	noUnit  uint64
	unfit   uint64

	dicts  []crossDict // by column
	values int         // in all of them
	codes  []uint32    // by entry and column
	marks  []uint8     // by entry: twice the level, plus the half
	sums   []CrossSum  // by entry
	index  []int32     // by hash: an entry, counted from 1; 0 is free
	epoch  int         // counts how often codes have changed their meaning
}

// crossDict numbers the values of a column from 1 on.
type crossDict struct {
	at    map[string]uint32
	names []string
}

// NewCrossTable returns an empty table of that many columns. None, or more than 64,
// and bounds below 0 or above 2^20, are errors wrapping [stats.ErrDomain].
func NewCrossTable(columns int, o CrossOptions) (*CrossTable, error) {
	if columns < 1 || columns > maxCrossColumns || o.Cap < 0 || o.Cap > maxCrossCap || o.Values < 0 || o.Values > maxCrossCap {
		return nil, fmt.Errorf("summary: NewCrossTable: %d columns, %d cells, %d values; want 1 to %d columns and bounds of 0 to %d: %w",
			columns, o.Cap, o.Values, maxCrossColumns, maxCrossCap, stats.ErrDomain)
	}
	t := &CrossTable{columns: columns, o: o.canonical()}
	t.dicts = make([]crossDict, columns)
	return t, nil
}

// canonical gives equal options one form.
func (o CrossOptions) canonical() CrossOptions {
	if o.Cap == DefaultCrossCap {
		o.Cap = 0
	}
	if o.Values == DefaultCrossValues {
		o.Values = 0
	}
	return o
}

// HashUnit is the hash of a unit with a number for an id.
func HashUnit(id int64) uint64 { return mix64(uint64(id)) }

// HashUnitString is the hash of a unit with a name for an id.
func HashUnitString(id string) uint64 { return hashString(id) }

// markOf is the level and the half of a unit.
func markOf(unit uint64) uint8 { return uint8(bits.LeadingZeros64(unit)/2<<1) | uint8(unit&1) }

// Keeps reports whether rows of the unit are kept, as far as is known yet.
func (t *CrossTable) Keeps(unit uint64) bool { return int(markOf(unit)>>1) >= t.level }

// Epoch changes whenever codes lose their meaning, which only Add, Merge and the
// decoders can make happen.
func (t *CrossTable) Epoch() int { return t.epoch }

// Code is the number that stands for a value of a column in [CrossTable.Add], until
// Epoch changes. 0 stands for a missing value, and for a column that is not there.
func (t *CrossTable) Code(column int, value string) uint32 {
	if column < 0 || column >= t.columns {
		return 0
	}
	d := &t.dicts[column]
	if code, ok := d.at[value]; ok {
		return code
	}
	if d.at == nil {
		d.at = make(map[string]uint32)
	}
	d.names = append(d.names, value)
	code := uint32(len(d.names))
	d.at[value] = code
	t.values++
	return code
}

// Add counts a row: the codes of its values, the hash of its unit, and its error.
// The codes are not looked at when the table does not keep the unit. Codes of
// another number of columns, or out of thin air, are an error wrapping
// [stats.ErrMismatch], and nothing is counted.
func (t *CrossTable) Add(codes []uint32, unit uint64, x float64) error {
	if !(x >= 0 && x < 0x1p32) {
		t.unfit++
		return nil
	}
	if !t.Keeps(unit) {
		t.left++
		return nil
	}
	if len(codes) != t.columns || t.columns == 0 {
		return fmt.Errorf("summary: CrossTable.Add: %d codes for %d columns: %w", len(codes), t.columns, stats.ErrMismatch)
	}
	for c, code := range codes {
		if int(code) > len(t.dicts[c].names) {
			return fmt.Errorf("summary: CrossTable.Add: code %d of column %d, which has %d values: %w", code, c, len(t.dicts[c].names), stats.ErrMismatch)
		}
	}
	t.sums[t.entry(codes, markOf(unit))].add(uint64(math.RoundToEven(x * 0x1p32)))
	t.shrink()
	return nil
}

// AddNull counts n rows without an error, such as those without a label.
func (t *CrossTable) AddNull(n uint64) { t.null += n }

// AddNoUnit counts n rows without a unit, which are in neither half.
func (t *CrossTable) AddNoUnit(n uint64) { t.noUnit += n }

// entry returns the place of a cell, which it makes if need be.
func (t *CrossTable) entry(codes []uint32, mark uint8) int {
	if 2*(len(t.marks)+1) > len(t.index) {
		t.reindex(max(64, 2*len(t.index)))
	}
	slot := t.find(codes, mark)
	if *slot == 0 {
		t.reserve()
		t.codes = append(t.codes, codes...)
		t.marks = append(t.marks, mark)
		t.sums = append(t.sums, CrossSum{})
		*slot = int32(len(t.marks))
	}
	return int(*slot) - 1
}

// reserve makes room for another cell, for twice as many as there are if the table
// may hold them: append would leave more behind, or more unused.
func (t *CrossTable) reserve() {
	n := len(t.marks)
	if n < cap(t.marks) {
		return
	}
	more := max(16, n)
	if limit := cmp.Or(t.o.Cap, DefaultCrossCap) + 1; n < limit {
		more = min(more, limit-n)
	}
	t.codes, t.marks, t.sums = slices.Grow(t.codes, more*t.columns), slices.Grow(t.marks, more), slices.Grow(t.sums, more)
}

// find returns the slot of a cell, or the free one where it belongs.
func (t *CrossTable) find(codes []uint32, mark uint8) *int32 {
	h := uint64(mark)
	for _, c := range codes {
		h = (h ^ uint64(c)) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	mask := uint64(len(t.index) - 1)
	for i := h; ; i++ {
		slot := &t.index[i&mask]
		if *slot == 0 {
			return slot
		}
		e := int(*slot) - 1
		if t.marks[e] == mark && slices.Equal(t.codes[e*t.columns:][:t.columns], codes) {
			return slot
		}
	}
}

func (t *CrossTable) reindex(size int) {
	if len(t.index) == size {
		clear(t.index)
	} else {
		t.index = make([]int32, size)
	}
	for e, mark := range t.marks {
		*t.find(t.codes[e*t.columns:][:t.columns], mark) = int32(e + 1)
	}
}

// shrink raises the level until all that is kept fits.
func (t *CrossTable) shrink() {
	if t.values > cmp.Or(t.o.Values, DefaultCrossValues) {
		t.raise(t.level) // values that no row has do not count
	}
	for len(t.marks) > cmp.Or(t.o.Cap, DefaultCrossCap) || t.values > cmp.Or(t.o.Values, DefaultCrossValues) {
		t.raise(t.level + 1)
	}
}

// raise drops the cells below a level, and the values that no cell has.
func (t *CrossTable) raise(level int) {
	t.level = level
	renumber := make([][]uint32, t.columns)
	for c := range renumber {
		renumber[c] = make([]uint32, len(t.dicts[c].names)+1)
	}
	n := 0
	for e, mark := range t.marks {
		if int(mark>>1) < level {
			t.left += t.sums[e].n
			continue
		}
		copy(t.codes[n*t.columns:], t.codes[e*t.columns:][:t.columns])
		t.marks[n], t.sums[n] = mark, t.sums[e]
		for c, code := range t.codes[n*t.columns:][:t.columns] {
			renumber[c][code] = 1
		}
		n++
	}
	t.codes, t.marks, t.sums = t.codes[:n*t.columns], t.marks[:n], t.sums[:n]
	t.values = 0
	for c := range t.dicts {
		t.dicts[c].keep(renumber[c])
		t.values += len(t.dicts[c].names)
	}
	for i, code := range t.codes {
		t.codes[i] = renumber[i%t.columns][code]
	}
	t.reindex(len(t.index))
	t.epoch++
}

// keep drops the values without a mark and sets marks to the new codes.
func (d *crossDict) keep(marks []uint32) {
	var names []string
	at := make(map[string]uint32)
	for i, name := range d.names {
		if marks[i+1] != 0 {
			names = append(names, name)
			marks[i+1] = uint32(len(names))
			at[name] = marks[i+1]
		}
	}
	marks[0] = 0
	d.names, d.at = names, at
}

// Merge adds o to t. The state of o is unchanged in meaning. Tables of other
// columns or bounds do not merge: the error wraps [stats.ErrMismatch]. A t without
// columns takes over those of o.
func (t *CrossTable) Merge(o *CrossTable) error {
	switch {
	case o.columns == 0:
	case t.columns == 0:
		t.columns, t.o, t.dicts = o.columns, o.o, make([]crossDict, o.columns)
	case t.columns != o.columns || t.o != o.o:
		return fmt.Errorf("summary: CrossTable.Merge: %d columns with bounds %+v and %d with %+v: %w", t.columns, t.o, o.columns, o.o, stats.ErrMismatch)
	}
	if o.level > t.level {
		t.raise(o.level)
	}
	t.left += o.left
	t.null += o.null
	t.noUnit += o.noUnit
	t.unfit += o.unfit
	codes := make([]uint32, t.columns)
	for e := 0; e < len(o.marks); e++ { // o may be t, which then stays as long as it is
		if int(o.marks[e]>>1) < t.level {
			t.left += o.sums[e].n
			continue
		}
		for c, code := range o.codes[e*o.columns:][:o.columns] {
			if codes[c] = 0; code > 0 {
				codes[c] = t.Code(c, o.dicts[c].names[code-1])
			}
		}
		sum := o.sums[e]
		t.sums[t.entry(codes, o.marks[e])].Merge(&sum)
		if o != t {
			t.shrink()
		}
	}
	return nil
}
