package analysis

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// SliceTable holds the slices of one cross: a snapshot each, of what is measured
// in it.
//
// When there are more slices than the cap of the cross, those kept are the ones
// with the smallest 64-bit hash of their values, beside those that the spec
// names; all rows of the others together are [SliceTable.Other]. Which slices are
// kept does not depend on the order of rows, and what is known of them is exact,
// so that tables merge in any order to the same bytes. The choice has nothing to
// do with how many rows a slice has: name a slice in the values of the cross to
// be sure of it.
type SliceTable struct {
	spec   *SliceSpec
	sub    *Spec // of one slice
	named  map[string]bool
	hashes []uint64 // of the named slices
	kept   []slice
	at     map[string]int32 // by key: place in kept
	unsure int              // how many of kept are not named
	bound  uint64           // slices with a hash above it are not kept; 0 means no bound yet
	other  *Snapshot        // nil when every slice was kept
}

// slice is one slice. Its snapshot is nil until it has a row.
type slice struct {
	key  string
	hash uint64
	snap *Snapshot
}

// otherSlice is the place of the rows that are in no slice that is kept.
const otherSlice = -1

func newSliceTable(spec *Spec, c *SliceSpec) SliceTable {
	t := SliceTable{spec: c, sub: spec.within(c), at: map[string]int32{}, named: map[string]bool{}}
	for _, v := range c.Values {
		key := keyOf(v)
		t.named[key] = true
		t.hashes = append(t.hashes, hashKey(key, len(c.Columns)))
	}
	return t
}

// Spec is the cross.
func (t *SliceTable) Spec() *SliceSpec { return t.spec }

// Values lists the slices that have rows, by their values in the columns of the
// cross.
func (t *SliceTable) Values() [][]string {
	out := make([][]string, 0, len(t.kept))
	for _, s := range t.kept {
		parts, _ := partsOfKey(s.key, len(t.spec.Columns))
		values := make([]string, len(parts))
		for i, p := range parts {
			values[i] = quoteValue(p)
		}
		out = append(out, values)
	}
	slices.SortFunc(out, slices.Compare)
	return out
}

// Rows is the number of rows of the slice with these values, and whether it is
// known: it is not when there are more slices than are kept, and the slice is not
// among them.
func (t *SliceTable) Rows(values []string) (n uint64, known bool) {
	key := keyOf(values)
	if i, ok := t.at[key]; ok {
		return t.kept[i].snap.RowCount, true
	}
	return 0, t.named[key] || t.bound == 0 || hashKey(key, len(t.spec.Columns)) <= t.bound
}

// Other is the snapshot of the rows of all slices that were not kept, or nil when
// every slice was. Its columns are those measured in slices.
func (t *SliceTable) Other() *Snapshot { return t.other }

// Distinct is the number of slices, and whether it is exact: beyond the cap it is
// the estimate that [summary.Categorical.Distinct] makes.
func (t *SliceTable) Distinct() (n float64, exact bool) {
	if t.bound == 0 {
		return float64(len(t.kept)), true
	}
	limit := float64(t.spec.Limit())
	n = (limit - 1) / (float64(t.bound) / 0x1p64)
	return math.Max(n, limit+1) + float64(len(t.kept)-t.unsure), false
}

// Slice returns the snapshot of the slice with these values of the cross, as if
// only its rows had been collected, or nil when it has no rows or was not kept.
// The snapshot holds the columns that are measured in slices, and the units of
// all rows; treat it as read-only.
func (s *Snapshot) Slice(cross *SliceSpec, values []string) *Snapshot {
	t := s.SliceTable(cross)
	if t == nil {
		return nil
	}
	i, ok := t.at[keyOf(values)]
	if !ok {
		return nil
	}
	return s.withUnits(t.kept[i].snap)
}

// withUnits is a snapshot of some rows with the units of all.
func (s *Snapshot) withUnits(some *Snapshot) *Snapshot {
	unit := s.Spec.ByRole(Unit)
	if unit < 0 {
		return some
	}
	out := *some
	out.Columns = slices.Clone(some.Columns)
	s.Columns[unit].Units.Sampled() // settles the summary, so that a copy may be read
	out.Columns[out.Spec.ByRole(Unit)] = s.Columns[unit]
	return &out
}

// SliceTable returns the slices of a cross, or nil when the spec does not ask for
// it.
func (s *Snapshot) SliceTable(cross *SliceSpec) *SliceTable {
	for i := range s.Slices {
		if s.Slices[i].spec.Same(cross) {
			return &s.Slices[i]
		}
	}
	return nil
}

// place returns the place of the slice with the key, which it makes if need be.
func (t *SliceTable) place(key []byte, hash uint64) int32 {
	if i, ok := t.at[string(key)]; ok {
		return i
	}
	named := t.named[string(key)]
	if !named && t.bound != 0 && hash > t.bound {
		return otherSlice
	}
	s := slice{key: string(key), hash: hash}
	i := int32(len(t.kept))
	t.kept = append(t.kept, s)
	t.at[s.key] = i
	if !named {
		t.unsure++
	}
	return i
}

// mayKeep reports whether a slice with the hash may be kept.
func (t *SliceTable) mayKeep(hash uint64) bool {
	return t.bound == 0 || hash <= t.bound || slices.Contains(t.hashes, hash)
}

// rowsOf returns the snapshot of the slice at a place, to be added to.
func (t *SliceTable) rowsOf(place int32) *Snapshot {
	if place == otherSlice {
		if t.other == nil {
			t.other = newSnapshot(t.sub)
		}
		return t.other
	}
	s := &t.kept[place]
	if s.snap == nil {
		s.snap = newSnapshot(t.sub)
	}
	return s.snap
}

// crowded reports whether there are more slices than the cap.
func (t *SliceTable) crowded() bool { return t.unsure > t.spec.Limit() }

// shrink keeps no more slices than the cap, of which there are more. It returns
// the new places of the old ones.
func (t *SliceTable) shrink() []int32 {
	order := make([]int32, 0, t.unsure)
	for i, s := range t.kept {
		if !t.named[s.key] {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(t.kept[a].hash, t.kept[b].hash), cmp.Compare(t.kept[a].key, t.kept[b].key))
	})
	t.bound = t.kept[order[t.spec.Limit()-1]].hash
	return t.drop(order[t.spec.Limit():])
}

// drop moves slices to Other.
func (t *SliceTable) drop(places []int32) []int32 {
	moved := make([]int32, len(t.kept))
	for _, i := range places {
		moved[i] = otherSlice
		if snap := t.kept[i].snap; snap != nil {
			t.rowsOf(otherSlice).add(snap)
		}
		delete(t.at, t.kept[i].key)
	}
	n := int32(0)
	for i, s := range t.kept {
		if moved[i] == otherSlice {
			continue
		}
		moved[i] = n
		t.kept[n], t.at[s.key] = s, n
		n++
	}
	clear(t.kept[n:])
	t.kept = t.kept[:n]
	t.unsure -= len(places)
	return moved
}

// merge adds the slices of o, which is for the same cross of the same spec.
func (t *SliceTable) merge(o *SliceTable) {
	if o.bound != 0 && (t.bound == 0 || o.bound < t.bound) {
		t.bound = o.bound
		var above []int32
		for i, s := range t.kept {
			if s.hash > t.bound && !t.named[s.key] {
				above = append(above, int32(i))
			}
		}
		t.drop(above)
	}
	for i := range o.kept { // o may be t
		s := o.kept[i]
		t.rowsOf(t.place([]byte(s.key), s.hash)).add(s.snap)
	}
	if o.other != nil {
		t.rowsOf(otherSlice).add(o.other)
	}
	if t.crowded() {
		t.shrink()
	}
}

// validate reports why a table that was decoded cannot have been collected, or
// nothing.
func (t *SliceTable) validate(rows uint64) string {
	sum := uint64(0)
	count := func(s *Snapshot) bool {
		sum += s.RowCount
		return s.RowCount > 0 && sum >= s.RowCount
	}
	top := uint64(0)
	for _, s := range t.kept {
		if !count(s.snap) {
			return "a slice without rows"
		}
		if !t.named[s.key] {
			top = max(top, s.hash)
		}
	}
	if t.other != nil && !count(t.other) {
		return "other slices without rows"
	}
	switch {
	case sum != rows:
		return fmt.Sprintf("slices of %d rows in a log of %d", sum, rows)
	case t.unsure > t.spec.Limit():
		return fmt.Sprintf("%d slices under a cap of %d", t.unsure, t.spec.Limit())
	case (t.bound != 0) != (t.other != nil):
		return "slices were left out without a bound, or none with one"
	case t.bound != 0 && (t.unsure != t.spec.Limit() || top != t.bound):
		return "the bound is not the largest hash that was kept"
	}
	return ""
}

// sorted lists the slices in ascending order of their keys.
func (t *SliceTable) sorted() []slice {
	out := make([]slice, 0, len(t.kept))
	for _, key := range slices.Sorted(maps.Keys(t.at)) {
		out = append(out, t.kept[t.at[key]])
	}
	return out
}
