package analysis

import (
	"cmp"
	"maps"
	"slices"
)

// PairTable holds the slices of one cross of a [PairSnapshot]. Which slices are
// kept when there are more than the cap of the cross follows the rule of
// [SliceTable]: the named ones, and of the others those with the smallest hash.
type PairTable struct {
	spec  *PairSpec
	cross *SliceSpec
	named map[string]bool
	kept  map[string]*pairSlice // by key
	loose int                   // how many of kept are not named
	bound uint64                // slices with a hash above it are not kept; 0 means no bound yet
	other *PairSummary          // nil when every slice was kept
}

type pairSlice struct {
	key  string
	hash uint64
	sum  PairSummary
}

func newPairTable(s *PairSpec, c *SliceSpec) PairTable {
	t := PairTable{spec: s, cross: c, named: map[string]bool{}, kept: map[string]*pairSlice{}}
	for _, v := range c.Values {
		t.named[keyOf(v)] = true
	}
	return t
}

// Spec is the cross.
func (t *PairTable) Spec() *SliceSpec { return t.cross }

// Values lists the slices that have rows, by their values in the columns of the
// cross.
func (t *PairTable) Values() [][]string {
	out := make([][]string, 0, len(t.kept))
	for key := range t.kept {
		parts, _ := partsOfKey(key, len(t.cross.Columns))
		values := make([]string, len(parts))
		for i, p := range parts {
			values[i] = quoteValue(p)
		}
		out = append(out, values)
	}
	slices.SortFunc(out, slices.Compare)
	return out
}

// Slice returns the pairs of the slice with these values, or nil when it has no
// rows or was not kept.
func (t *PairTable) Slice(values []string) *PairSummary {
	if s := t.kept[keyOf(values)]; s != nil {
		return &s.sum
	}
	return nil
}

// Other is the pairs of all slices that were not kept, or nil when every slice was.
func (t *PairTable) Other() *PairSummary { return t.other }

// find returns the summary of a slice that is kept, or nil.
func (t *PairTable) find(key []byte) *PairSummary {
	if s := t.kept[string(key)]; s != nil {
		return &s.sum
	}
	return nil
}

// place returns the summary that rows of a slice that is not there are added to. It
// holds until the next call.
func (t *PairTable) place(key []byte, hash uint64) *PairSummary {
	named := t.named[string(key)]
	if !named && t.bound != 0 && hash > t.bound {
		return t.rest()
	}
	s := &pairSlice{key: string(key), hash: hash, sum: newPairSummary(t.spec, false)}
	t.kept[s.key] = s
	if !named {
		t.loose++
		t.shrink()
	}
	if t.kept[s.key] == nil {
		return t.rest()
	}
	return &s.sum
}

func (t *PairTable) rest() *PairSummary {
	if t.other == nil {
		sum := newPairSummary(t.spec, false)
		t.other = &sum
	}
	return t.other
}

// shrink keeps no more slices than the cap.
func (t *PairTable) shrink() {
	over := t.loose - t.cross.Limit()
	if over <= 0 {
		return
	}
	all := t.loosest()
	for _, s := range all[:over] {
		t.drop(s)
	}
	t.bound = all[over].hash
}

// loosest lists the slices that are not named, those to go first.
func (t *PairTable) loosest() []*pairSlice {
	all := make([]*pairSlice, 0, t.loose)
	for _, s := range t.sorted() {
		if !t.named[s.key] {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *pairSlice) int {
		return cmp.Or(cmp.Compare(b.hash, a.hash), cmp.Compare(b.key, a.key))
	})
	return all
}

func (t *PairTable) drop(s *pairSlice) {
	t.rest().add(&s.sum)
	delete(t.kept, s.key)
	t.loose--
}

// merge adds the slices of o, which is for the same cross of the same spec.
func (t *PairTable) merge(o *PairTable) {
	theirs := o.sorted()
	if o.other != nil {
		t.rest().add(o.other)
	}
	if o.bound != 0 && (t.bound == 0 || o.bound < t.bound) {
		t.bound = o.bound
		for _, s := range t.loosest() {
			if s.hash > t.bound {
				t.drop(s)
			}
		}
	}
	for _, s := range theirs {
		sum := t.find([]byte(s.key))
		if sum == nil {
			sum = t.place([]byte(s.key), s.hash)
		}
		sum.add(&s.sum)
	}
}

// sorted lists the slices in ascending order of their keys.
func (t *PairTable) sorted() []*pairSlice {
	out := make([]*pairSlice, 0, len(t.kept))
	for _, key := range slices.Sorted(maps.Keys(t.kept)) {
		out = append(out, t.kept[key])
	}
	return out
}
