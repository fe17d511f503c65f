package analysis

import "slices"

// sameNames gives the codes of two dictionaries numbers, by which equal names are
// equal. It follows dictionaries that grow. Where one is much larger than the other,
// its names that the other does not have are not remembered, and have the number -1.
type sameNames struct {
	dicts [2]*Dict
	ids   [2][]int32 // by dictionary and code
	few   int        // the dictionary that has few names, or -1
	first []int32    // by number: the code of the name in the first dictionary, or ^code in the second
	slots []int32    // by hash: a number, counted from 1; 0 is free
}

// manyMore is how many times as large a much larger dictionary is.
const manyMore = 16

// of returns the numbers of the codes of both dictionaries. At most one of them has
// the number -1.
func (n *sameNames) of(a, b *Dict) (ofA, ofB []int32) {
	few := -1
	switch {
	case len(a.Values) > manyMore*len(b.Values):
		few = 1
	case len(b.Values) > manyMore*len(a.Values):
		few = 0
	}
	if n.dicts != [2]*Dict{a, b} || n.few != few {
		clear(n.slots)
		*n = sameNames{dicts: [2]*Dict{a, b}, ids: [2][]int32{n.ids[0][:0], n.ids[1][:0]}, few: few, first: n.first[:0], slots: n.slots}
	}
	switch {
	case few >= 0:
		known := len(n.first)
		n.add(few)
		if len(n.first) > known {
			n.ids[1-few] = n.ids[1-few][:0] // some may have a number now
		}
		n.find(1 - few)
	case a == b:
		n.add(0)
		return n.ids[0], n.ids[0]
	default:
		n.add(0)
		n.add(1)
	}
	return n.ids[0], n.ids[1]
}

// find looks up the numbers of what is new in a dictionary.
func (n *sameNames) find(k int) {
	d, ids := n.dicts[k], n.ids[k]
	ids = slices.Grow(ids, max(0, len(d.Values)-len(ids)))
	for code := len(ids); code < len(d.Values); code++ {
		id := int32(-1)
		if len(n.slots) > 0 {
			id = *n.slot(d.Values[code]) - 1
		}
		ids = append(ids, id)
	}
	n.ids[k] = ids
}

// add numbers what is new in a dictionary.
func (n *sameNames) add(k int) {
	d, ids := n.dicts[k], n.ids[k]
	fresh := len(d.Values) - len(ids)
	if fresh <= 0 {
		return
	}
	n.reserve(fresh)
	ids = slices.Grow(ids, fresh)
	for code := len(ids); code < len(d.Values); code++ {
		slot := n.slot(d.Values[code])
		if *slot == 0 {
			at := int32(code)
			if k == 1 {
				at = ^at
			}
			n.first = append(n.first, at)
			*slot = int32(len(n.first))
		}
		ids = append(ids, *slot-1)
	}
	n.ids[k] = ids
}

// reserve makes room for more names.
func (n *sameNames) reserve(more int) {
	n.first = slices.Grow(n.first, more)
	size := max(64, len(n.slots))
	for 3*size < 4*(len(n.first)+more) {
		size *= 2
	}
	if size == len(n.slots) {
		return
	}
	n.slots = make([]int32, size)
	for id := range n.first {
		*n.slot(n.name(int32(id))) = int32(id + 1)
	}
}

// name is the one with a number.
func (n *sameNames) name(id int32) string {
	if at := n.first[id]; at < 0 {
		return n.dicts[1].Values[^at]
	}
	return n.dicts[0].Values[n.first[id]]
}

// slot is that of a name, or the free one where it belongs.
func (n *sameNames) slot(name string) *int32 {
	mask := uint64(len(n.slots) - 1)
	for i := hashValue(name); ; i++ {
		slot := &n.slots[i&mask]
		if *slot == 0 || n.name(*slot-1) == name {
			return slot
		}
	}
}
