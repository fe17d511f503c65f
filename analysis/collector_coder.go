package analysis

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"

	"github.com/rampguard/rampguard/stats"
)

// coder turns the values of a column into small numbers, so that slices are told
// apart without looking at names: 0 is a missing value, the others are values of
// a dictionary, buckets, or numbers in the order in which they came.
type coder struct {
	column  int // in the spec
	cuts    []float64
	buckets []string // names

	col    *Column // of the batch; nil when it has no such column
	codes  []uint32
	kind   codes
	dict   *Dict
	epoch  int               // counts how often codes have changed their meaning
	places map[uint64]uint32 // codes of numbers, by bits
	bits   []uint64          // numbers by code-1
	ints   bool              // whether they are integers
	hashes []uint64          // by code, as far as they were needed
	rows   []uint64          // hashes by row of the block
	text   []byte            // scratch
}

// codes says what the codes of a coder stand for.
type codes int8

const (
	noCodes codes = iota
	dictCodes
	flagCodes
	bucketCodes
	numberCodes
)

// manyNumbers is when the codes of numbers begin anew.
const manyNumbers = 1 << 14

var flagNames = []string{"false", "true"}

// begin takes over the column of a batch.
func (k *coder) begin(col *Column) {
	k.col = col
	if col == nil || col.Type == Absent {
		return
	}
	kind := numberCodes
	switch {
	case col.Type == String:
		kind = dictCodes
	case col.Type == Bool:
		kind = flagCodes
	case len(k.cuts) > 0:
		kind = bucketCodes
	}
	if kind != k.kind || col.Dict != k.dict {
		k.kind, k.dict = kind, col.Dict
		k.renew()
	}
	k.ints = col.Type != Float
}

// renew gives up the codes there are.
func (k *coder) renew() {
	k.epoch++
	k.hashes = k.hashes[:0]
	k.bits = k.bits[:0]
	clear(k.places)
}

// size is the number of codes.
func (k *coder) size() int {
	switch k.kind {
	case dictCodes:
		return 1 + len(k.dict.Values)
	case flagCodes:
		return 3
	case bucketCodes:
		return 1 + len(k.buckets)
	case numberCodes:
		return 1 + len(k.bits)
	case noCodes:
	}
	return 1
}

// fill finds the codes of the rows from, ..., to-1 of the batch.
func (k *coder) fill(from, to int) error {
	k.codes = grow(k.codes, to-from)
	col := k.col
	switch {
	case col.Type == Absent:
		clear(k.codes)
		return nil
	case k.kind == dictCodes:
		n := uint32(len(k.dict.Values))
		for i, c := range col.Codes[from:to] {
			if uint32(c) >= n && (col.Valid == nil || col.Valid[from+i]) {
				return fmt.Errorf("analysis: code %d of a dictionary of %d: %w", c, n, stats.ErrMismatch)
			}
			k.codes[i] = uint32(c) + 1
		}
	case k.kind == flagCodes:
		for i, v := range col.Bools[from:to] {
			k.codes[i] = 1 + uint32(bit(v))
		}
	case k.kind == bucketCodes:
		k.bucket(from, to)
	default:
		k.number(from, to)
	}
	if col.Valid != nil {
		for i, ok := range col.Valid[from:to] {
			k.codes[i] *= uint32(bit(ok))
		}
	}
	return nil
}

// bucket finds the buckets of numbers.
func (k *coder) bucket(from, to int) {
	for i := range to - from {
		x := k.at(from + i)
		code := uint32(1)
		for _, cut := range k.cuts {
			if x >= cut {
				code++
			}
		}
		if x != x {
			code = 0
		}
		k.codes[i] = code
	}
}

// at is the number in a row.
func (k *coder) at(row int) float64 {
	if k.ints {
		return float64(k.col.Ints[row])
	}
	return k.col.Floats[row]
}

// number finds the codes of numbers that are taken by value.
func (k *coder) number(from, to int) {
	if len(k.bits) > manyNumbers {
		k.renew()
	}
	if k.places == nil {
		k.places = map[uint64]uint32{}
	}
	last, lastCode := uint64(0), uint32(0) // neighbours often are the same
	for i := range to - from {
		var b uint64
		if k.ints {
			b = uint64(k.col.Ints[from+i])
		} else {
			x := k.col.Floats[from+i]
			if x != x {
				k.codes[i] = 0
				continue
			}
			b = math.Float64bits(x + 0) // -0 becomes 0
		}
		if b != last || lastCode == 0 {
			last = b
			lastCode = k.places[b]
		}
		if lastCode == 0 && (k.col.Valid == nil || k.col.Valid[from+i]) {
			k.bits = append(k.bits, b)
			lastCode = uint32(len(k.bits))
			k.places[b] = lastCode
		}
		k.codes[i] = lastCode
	}
}

// appendTo appends the part of a code to the key of a slice.
func (k *coder) appendTo(key []byte, code uint32) []byte {
	switch {
	case code == 0:
		return appendPart(key, "", false)
	case k.kind == numberCodes:
		k.format(code)
		return appendPart(key, k.text, true)
	}
	return appendPart(key, k.name(code), true)
}

// hash is the hash of the value with the code.
func (k *coder) hash(code uint32) uint64 {
	switch {
	case code == 0:
		return hashMissing
	case k.kind == numberCodes:
		k.format(code)
		return hashValue(k.text)
	}
	return hashValue(k.name(code))
}

// name is the value with the code, unless it is a number.
func (k *coder) name(code uint32) string {
	switch k.kind {
	case dictCodes:
		return k.dict.Values[code-1]
	case flagCodes:
		return flagNames[code-1]
	default:
		return k.buckets[code-1]
	}
}

// format writes the number with the code to the scratch text.
func (k *coder) format(code uint32) {
	b := k.bits[code-1]
	if k.ints {
		k.text = strconv.AppendInt(k.text[:0], int64(b), 10)
	} else {
		k.text = strconv.AppendFloat(k.text[:0], math.Float64frombits(b), 'g', -1, 64)
	}
}

// manyHashes is the size from which on hashes of codes are not remembered.
const manyHashes = 1 << 16

// hashed makes sure that the hash of every row of the block is at hand.
func (k *coder) hashed() {
	k.rows = grow(k.rows, len(k.codes))
	if k.size() > manyHashes {
		last := uint32(0)
		h := k.hash(last)
		for i, code := range k.codes {
			if code != last { // neighbours often are the same
				last, h = code, k.hash(code)
			}
			k.rows[i] = h
		}
		return
	}
	k.hashes = slices.Grow(k.hashes, max(0, k.size()-len(k.hashes)))
	for code := len(k.hashes); code < k.size(); code++ {
		k.hashes = append(k.hashes, k.hash(uint32(code)))
	}
	for i, code := range k.codes {
		k.rows[i] = k.hashes[code]
	}
}

// width is the number of bits that hold any code.
func (k *coder) width() int { return bits.Len(uint(k.size() - 1)) }

// newCoders returns one coder for each column, with its cuts, of the crosses, and
// for each cross those of its columns.
func newCoders(spec *Spec) (all []*coder, of [][]*coder) {
	for i := range spec.Slices {
		var mine []*coder
		for _, col := range spec.Slices[i].Columns {
			column := spec.at(col.Name)
			at := slices.IndexFunc(all, func(k *coder) bool { return k.column == column && slices.Equal(k.cuts, col.Cuts) })
			if at < 0 {
				at = len(all)
				all = append(all, &coder{column: column, cuts: col.Cuts})
				if len(col.Cuts) > 0 {
					all[at].buckets = bucketNames(col.Cuts)
				}
			}
			mine = append(mine, all[at])
		}
		of = append(of, mine)
	}
	return all, of
}
