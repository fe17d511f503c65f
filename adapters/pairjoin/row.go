package pairjoin

import (
	"crypto/sha256"
	"encoding/binary"
)

// key tells ids apart: an integer is its own key, of a string it is the first half
// of its SHA-256, so that keys have one length. Two different strings share one with
// a probability below 1e-20 among a billion.
type key struct{ low, high uint64 }

func intKey(id int64) key { return key{low: uint64(id)} }

func textKey(id []byte) key {
	sum := sha256.Sum256(id)
	return key{binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])}
}

// hash scrambles a key, differently at each level (the finaliser of SplitMix64;
// Steele, Lea and Flood 2014).
func (k key) hash(level int) uint64 {
	return mix(mix(k.low^uint64(level+1)*0xd1342543de82ef95) ^ k.high)
}

func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// layout is how a row is stored: the key, a word for each column, and a bit for
// each column that has a value.
type layout struct {
	wide  bool // keys of strings
	words int  // where the words begin
	valid int  // where the bits begin
	size  int
}

func newLayout(wide bool, columns int) layout {
	l := layout{wide: wide, words: 8}
	if wide {
		l.words = 16
	}
	l.valid = l.words + 8*columns
	l.size = l.valid + (columns+7)/8
	return l
}

func (l *layout) key(row []byte) key {
	k := key{low: binary.LittleEndian.Uint64(row)}
	if l.wide {
		k.high = binary.LittleEndian.Uint64(row[8:])
	}
	return k
}

// begin writes the key and marks all columns as missing.
func (l *layout) begin(row []byte, k key) {
	binary.LittleEndian.PutUint64(row, k.low)
	if l.wide {
		binary.LittleEndian.PutUint64(row[8:], k.high)
	}
	clear(row[l.words:l.size])
}

func (l *layout) set(row []byte, column int, word uint64) {
	binary.LittleEndian.PutUint64(row[l.words+8*column:], word)
	row[l.valid+column>>3] |= 1 << (column & 7)
}

func (l *layout) get(row []byte, column int) (word uint64, ok bool) {
	return binary.LittleEndian.Uint64(row[l.words+8*column:]), row[l.valid+column>>3]>>(column&7)&1 != 0
}
