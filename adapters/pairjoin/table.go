package pairjoin

import "math"

// slot is what is known of one id: for each side the number of its row, from 1, or
// 0 without one, or the negative number of the first of several.
type slot [2]int32

// table finds the rows of an id: an open hash table with linear probing, of which at
// most three quarters are in use.
type table struct {
	slots []slot
	used  int
	rows  [2]store
}

const (
	slotBytes   = 8
	firstSlots  = 64
	tableLevel  = -1 // the hash of the table is independent of those of the splits
	maxRowCount = math.MaxInt32 - 1
)

// store holds the rows of one side, by number from 0.
type store struct {
	blocks [][]byte
	n      int
	own    bool // the blocks were taken from the pool for it
}

// clear empties the table and keeps its memory.
func (t *table) clear() {
	if t.slots == nil {
		t.slots = make([]slot, firstSlots)
	}
	clear(t.slots)
	t.used = 0
}

// bytes is the memory of the slots, and grown that while they are being doubled.
func (t *table) bytes() int64 { return int64(len(t.slots)) * slotBytes }
func (t *table) grown() int64 { return 3 * t.bytes() }
func (t *table) full() bool   { return 4*(t.used+1) > 3*len(t.slots) }

// row returns row number i of a side.
func (j *joiner) row(side, i int) []byte {
	per := j.pool.rows
	at := i % per * j.layout.size
	return j.table.rows[side].blocks[i/per][at : at+j.layout.size]
}

// keyOf returns the key of a slot in use.
func (j *joiner) keyOf(s slot) key {
	side, i := 0, s[0]
	if i == 0 {
		side, i = 1, s[1]
	}
	if i < 0 {
		i = -i
	}
	return j.layout.key(j.row(side, int(i)-1))
}

// find returns the slot of a key, or the free one where it belongs.
func (j *joiner) find(k key) *slot {
	t := &j.table
	mask := uint64(len(t.slots) - 1)
	for at := k.hash(tableLevel) & mask; ; at = (at + 1) & mask {
		s := &t.slots[at]
		if *s == (slot{}) || j.keyOf(*s) == k {
			return s
		}
	}
}

// grow doubles the table.
func (j *joiner) grow() {
	t := &j.table
	old := t.slots
	t.slots = make([]slot, 2*len(old))
	for _, s := range old {
		if s != (slot{}) {
			*j.find(j.keyOf(s)) = s
		}
	}
}
