package summary

import (
	"math"
	"math/big"
	"math/bits"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// CrossSum are the exact sums of the errors of some rows. The zero CrossSum has
// none. It may be copied.
type CrossSum struct {
	n       uint64
	sum     [2]uint64 // in units of 2^-32, least significant word first
	squares [3]uint64 // in units of 2^-64
	max     uint64    // in units of 2^-32
}

func (s *CrossSum) add(x uint64) {
	hi, lo := bits.Mul64(x, x)
	s.Merge(&CrossSum{n: 1, sum: [2]uint64{x}, squares: [3]uint64{lo, hi}, max: x})
}

// Merge adds the rows of o.
func (s *CrossSum) Merge(o *CrossSum) {
	s.n += o.n
	var c uint64
	s.sum[0], c = bits.Add64(s.sum[0], o.sum[0], 0)
	s.sum[1] += o.sum[1] + c
	s.squares[0], c = bits.Add64(s.squares[0], o.squares[0], 0)
	s.squares[1], c = bits.Add64(s.squares[1], o.squares[1], c)
	s.squares[2] += o.squares[2] + c
	s.max = max(s.max, o.max)
}

// N is the number of rows.
func (s *CrossSum) N() uint64 { return s.n }

// Sum is the sum of the errors.
func (s *CrossSum) Sum() float64 { return toFloat(words(s.sum[:]), -32) }

// Max is the largest error, 0 without rows.
func (s *CrossSum) Max() float64 { return math.Ldexp(float64(s.max), -32) }

// Moments are the mean and the variance of the errors, correctly rounded. Without
// rows the mean is NaN.
func (s *CrossSum) Moments() stats.Moments {
	m := stats.Moments{N: s.n, Mean: math.NaN()}
	if s.n == 0 {
		return m
	}
	n, sum := new(big.Int).SetUint64(s.n), words(s.sum[:])
	m.Mean = quotient(sum, n, -32)
	if s.n > 1 {
		top := new(big.Int).Mul(n, words(s.squares[:]))
		top.Sub(top, sum.Mul(sum, sum))
		m.Variance = quotient(top, n.Mul(n, new(big.Int).SetUint64(s.n-1)), -64)
	}
	return m
}

// words is the number with these words, least significant first.
func words(w []uint64) *big.Int {
	z := new(big.Int)
	for _, v := range slices.Backward(w) {
		z.Lsh(z, 64).Or(z, new(big.Int).SetUint64(v))
	}
	return z
}

// CrossCell are the rows of one combination of values in one half of the units.
type CrossCell struct {
	Codes []uint32 // by column: a place in Values, counted from 1; 0 is a missing value
	Half  int      // 0 or 1
	Sums  CrossSum
}

// Cells lists the cells in ascending order of codes, then half. Levels are added up.
func (t *CrossTable) Cells() []CrossCell {
	var out []CrossCell
	for _, e := range t.sorted() {
		half := int(e.mark & 1)
		if k := len(out) - 1; k >= 0 && out[k].Half == half && slices.Equal(out[k].Codes, e.codes) {
			out[k].Sums.Merge(&t.sums[e.at])
		} else {
			out = append(out, CrossCell{Codes: e.codes, Half: half, Sums: t.sums[e.at]})
		}
	}
	return out
}

// Values lists the values of a column that rows have, in ascending order.
func (t *CrossTable) Values(column int) []string {
	if column < 0 || column >= t.columns {
		return nil
	}
	names, _ := t.ranks(column)
	return names
}

// Columns is the number of columns.
func (t *CrossTable) Columns() int { return t.columns }

// Bounds are the options of the table, with the defaults filled in.
func (t *CrossTable) Bounds() CrossOptions {
	o := t.o
	if o.Cap == 0 {
		o.Cap = DefaultCrossCap
	}
	if o.Values == 0 {
		o.Values = DefaultCrossValues
	}
	return o
}

// Kept is the number of rows in cells.
func (t *CrossTable) Kept() uint64 {
	n := uint64(0)
	for i := range t.sums {
		n += t.sums[i].n
	}
	return n
}

// Left is the number of rows with an error that are left out because of the bounds
// of the table, and the share of the units that is kept.
func (t *CrossTable) Left() (rows uint64, share float64) {
	return t.left, math.Ldexp(1, -2*t.level)
}

// Null is the number of rows without an error.
func (t *CrossTable) Null() uint64 { return t.null }

// NoUnit is the number of rows without a unit, which are in neither half.
func (t *CrossTable) NoUnit() uint64 { return t.noUnit }

// Unfit is the number of rows whose error is negative, 2^32 or more, or not finite.
func (t *CrossTable) Unfit() uint64 { return t.unfit }

// ranks lists the values of a column in ascending order, without those that no cell
// has, and gives the places of codes in it, counted from 1.
func (t *CrossTable) ranks(column int) (names []string, rank []uint32) {
	d := &t.dicts[column]
	rank = make([]uint32, len(d.names)+1)
	for i := column; i < len(t.codes); i += t.columns {
		rank[t.codes[i]] = 1
	}
	for i, name := range d.names {
		if rank[i+1] != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for i, name := range names {
		rank[d.at[name]] = uint32(i + 1)
	}
	rank[0] = 0
	return names, rank
}

// crossEntry is a cell with canonical codes.
type crossEntry struct {
	codes []uint32
	mark  uint8 // twice the level, plus the half
	at    int
}

// sorted lists the cells in ascending order of codes, then half, then level.
func (t *CrossTable) sorted() []crossEntry {
	ranked := make([]uint32, len(t.codes))
	for c := range t.columns {
		_, rank := t.ranks(c)
		for i := c; i < len(t.codes); i += t.columns {
			ranked[i] = rank[t.codes[i]]
		}
	}
	out := make([]crossEntry, len(t.marks))
	for e, mark := range t.marks {
		out[e] = crossEntry{ranked[e*t.columns:][:t.columns:t.columns], mark, e}
	}
	slices.SortFunc(out, func(a, b crossEntry) int { return a.compare(&b) })
	return out
}

func (e *crossEntry) compare(o *crossEntry) int {
	if c := slices.Compare(e.codes, o.codes); c != 0 {
		return c
	}
	return int(e.mark&1)<<8 + int(e.mark) - int(o.mark&1)<<8 - int(o.mark)
}
