package summary

import (
	"cmp"
	"slices"
)

// hashTable counts 64-bit hashes by open addressing. The hashes are uniform, so
// their low bits are the place to look. The zero table is empty.
type hashTable struct {
	slots []hashSlot // a power of two of them, at most half in use
	used  int
	spare []hashSlot // the memory of slots before the last rehash
}

// hashSlot is free when n is 0.
type hashSlot struct{ h, n uint64 }

// add counts h n times, n > 0.
func (t *hashTable) add(h, n uint64) {
	if 2*(t.used+1) > len(t.slots) {
		t.rehash(max(64, 2*len(t.slots)), ^uint64(0))
	}
	s := t.find(h)
	if s.n == 0 {
		s.h = h
		t.used++
	}
	s.n += n
}

// count returns how often h was counted.
func (t *hashTable) count(h uint64) uint64 {
	if t.used == 0 {
		return 0
	}
	return t.find(h).n
}

// find returns the slot of h, or the free one where it belongs.
func (t *hashTable) find(h uint64) *hashSlot {
	mask := uint64(len(t.slots) - 1)
	for i := h; ; i++ {
		if s := &t.slots[i&mask]; s.h == h || s.n == 0 {
			return s
		}
	}
}

// retain drops the hashes above limit.
func (t *hashTable) retain(limit uint64) { t.rehash(len(t.slots), limit) }

func (t *hashTable) rehash(size int, limit uint64) {
	old := t.slots
	if len(t.spare) == size {
		clear(t.spare)
		t.slots = t.spare
	} else {
		t.slots = make([]hashSlot, size)
	}
	t.spare, t.used = old, 0
	for _, s := range old {
		if s.n > 0 && s.h <= limit {
			*t.find(s.h) = s
			t.used++
		}
	}
}

func (t *hashTable) hashes() []uint64 {
	hs := make([]uint64, 0, t.used)
	for _, s := range t.slots {
		if s.n > 0 {
			hs = append(hs, s.h)
		}
	}
	return hs
}

// sorted lists the slots in use by ascending hash.
func (t *hashTable) sorted() []hashSlot {
	out := make([]hashSlot, 0, t.used)
	for _, s := range t.slots {
		if s.n > 0 {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b hashSlot) int { return cmp.Compare(a.h, b.h) })
	return out
}

// smallest returns the k-th smallest (from 1) of hs, which it reorders
// (quickselect; the hashes are uniform, so the middle one is a fair pivot).
func smallest(hs []uint64, k int) uint64 {
	for len(hs) > 16 {
		pivot := hs[len(hs)/2]
		i, j := 0, len(hs)-1
		for i <= j {
			for hs[i] < pivot {
				i++
			}
			for hs[j] > pivot {
				j--
			}
			if i <= j {
				hs[i], hs[j] = hs[j], hs[i]
				i++
				j--
			}
		}
		switch {
		case k <= j+1:
			hs = hs[:j+1]
		case k > i:
			hs, k = hs[i:], k-i
		default:
			return pivot
		}
	}
	slices.Sort(hs)
	return hs[k-1]
}
