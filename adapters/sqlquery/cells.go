package sqlquery

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// group is a row of an answer about numbers.
type group struct {
	class  int
	n      uint64
	lo, hi float64            // of the values; meaningful when they are finite
	digits [sumCount]*big.Int // the sums of cellSQL, when it has them
}

// cells makes a histogram of groups, with that of the cuts.
type cells struct {
	q     *cellQuery
	kind  summary.Kind
	hist  *summary.Histogram
	cuts  *summary.Histogram // nil without cuts
	exact map[int64]*cellSum // cells whose values are known by their sums only
	n     uint64             // of the values in exact
	least float64
	most  float64
}

// cellSum is what is known of the values in a cell: their number, and the sums of
// their offsets in it and of the squares of those.
type cellSum struct {
	n    uint64
	s, q *big.Int
}

func newCells(q *cellQuery) *cells {
	c := &cells{q: q, exact: map[int64]*cellSum{}, hist: &summary.Histogram{}, kind: summary.LogLinear}
	switch {
	case q.probability:
		c.kind = summary.Probability
	case !q.sums:
		c.kind = summary.Tally
	}
	if c.kind != summary.LogLinear { // which a histogram becomes with its first value
		if l, err := summary.NewLayout(c.kind); err == nil { // it is a known layout
			c.hist = summary.NewHistogram(l)
		}
	}
	if len(q.cuts) > 0 {
		if l, err := summary.NewEdges(q.cuts...); err == nil { // the spec has checked the cuts
			c.cuts = summary.NewHistogram(l)
		}
	}
	return c
}

// maxRows bounds the rows of one group: below it no sum of an answer overflows.
const maxRows = 1 << 33

// add counts a group. What it says must be possible: its values lie in one cell and
// between the same cuts, and the sums are those of such values.
func (c *cells) add(g *group) error {
	if g.n >= maxRows {
		return fmt.Errorf("%d rows in one group, want less than 2^33", g.n)
	}
	switch g.class {
	case classNull:
		c.hist.AddNull(g.n)
		return nil
	case classNaN:
		c.addN(math.NaN(), g.n)
		return nil
	case classInf, classNegInf:
		c.addN(math.Inf(5-2*g.class), g.n) // 2 and 3: plus and minus
		return nil
	case classOdd:
		return fmt.Errorf("%d values that are no numbers", g.n)
	}
	lo, hi := g.lo+0, g.hi+0 // -0 becomes 0
	at, low, width := place(c.kind, lo)
	end, high, _ := place(c.kind, hi)
	if !(lo <= hi) || math.IsInf(lo, 0) || math.IsInf(hi, 0) || at != end || c.between(lo) != c.between(hi) || g.class < 0 || g.class > classPlain {
		return fmt.Errorf("values from %v to %v in one group of class %d", lo, hi, g.class)
	}
	switch {
	case lo == hi:
		c.addN(lo, g.n)
	case g.n < 2:
		return fmt.Errorf("%d values from %v to %v", g.n, lo, hi)
	case width == 0 && c.kind != summary.Tally && at != belowPlace && at != abovePlace:
		return fmt.Errorf("values from %v to %v in one group", lo, hi)
	case width == 0 || c.kind == summary.Tally || g.n == 2:
		// Of unlike values in a tally, or out of range, no more is kept than their number.
		c.addN(lo, 1)
		c.addN(hi, g.n-1)
	default:
		c.addCuts(lo, 1)
		c.addCuts(hi, g.n-1)
		return c.addSums(g, at, low, high, lo, hi)
	}
	return nil
}

func (c *cells) addN(x float64, n uint64) {
	c.hist.AddN(x, n)
	c.addCuts(x, n)
}

func (c *cells) addCuts(x float64, n uint64) {
	if c.cuts != nil {
		c.cuts.AddN(x, n)
	}
}

// between is the number of cuts at or below x.
func (c *cells) between(x float64) int {
	i, found := slices.BinarySearch(c.q.cuts, x)
	if found {
		i++
	}
	return i
}

// addSums counts three or more values of a cell that are not all the same. low and
// high are the offsets of the least and the greatest.
func (c *cells) addSums(g *group, at int64, low, high uint64, lo, hi float64) error {
	s, q := g.total()
	if c.kind == summary.Probability && lo >= 0.5 {
		shift(g.n, s, q, lo)
		low, high = high, low
	} else if lo < 0 {
		low, high = high, low
	}
	n := new(big.Int).SetUint64(g.n)
	least, most := new(big.Int).SetUint64(low), new(big.Int).SetUint64(high)
	if s.Cmp(least.Mul(least, n)) < 0 || s.Cmp(most.Mul(most, n)) > 0 {
		return fmt.Errorf("%d values from %v to %v with offsets that add up to %v", g.n, lo, hi, s)
	}
	if c.n == 0 {
		c.least, c.most = lo, hi
	}
	c.n += g.n
	c.least, c.most = min(c.least, lo), max(c.most, hi)
	sum := c.exact[at]
	if sum == nil {
		sum = &cellSum{s: new(big.Int), q: new(big.Int)}
		c.exact[at] = sum
	}
	sum.n += g.n
	sum.s.Add(sum.s, s)
	sum.q.Add(sum.q, q)
	return nil
}

// total is the sum of the offsets and of their squares, from the sums of their
// digits to the base 2^15.
func (g *group) total() (s, q *big.Int) {
	s, q = new(big.Int), new(big.Int)
	add := func(z *big.Int, i int, shift uint) { z.Add(z, new(big.Int).Lsh(g.digits[i], shift)) }
	add(s, 0, 0)
	add(s, 1, 15)
	add(s, 2, 30)
	add(q, 3, 0)  // a a
	add(q, 4, 16) // 2 a b
	add(q, 5, 31) // 2 a e
	add(q, 6, 30) // b b
	add(q, 7, 46) // 2 b e
	add(q, 8, 60) // e e
	return s, q
}

// shift turns the sums of the offsets of 1-p-2^-54, which the statement has, into
// those of the float64 next below 1-p, which the histogram has: they differ by
// 2^(-2-e) - 1 units in the last place of the octave of 2^e.
func shift(n uint64, s, q *big.Int, p float64) {
	e := int(math.Float64bits(1-p)-1)>>52 - 1023
	d := new(big.Int).Lsh(big.NewInt(1), uint(-2-e))
	d.Sub(d, big.NewInt(1))
	nd := new(big.Int).Mul(d, new(big.Int).SetUint64(n))
	// sum (r+d)^2 = q + 2 d s + n d^2
	q.Add(q, new(big.Int).Mul(new(big.Int).Lsh(d, 1), s))
	q.Add(q, new(big.Int).Mul(nd, d))
	s.Add(s, nd)
}

// The places beside the cells of a probability.
const (
	belowPlace = math.MinInt64
	abovePlace = math.MaxInt64
	onePlace   = 2*(1022<<9) + 1
)

// place returns the number of the cell of a finite value, as the JSON form of
// [summary.Histogram] has it, its offset there, and the width of the cell in
// float64 numbers; width is 0 outside the finely divided range.
func place(kind summary.Kind, x float64) (at int64, offset, width uint64) {
	b := math.Float64bits(x) &^ (1 << 63)
	r, mirrored := grid{7, -64, 64}, x < 0
	if kind == summary.Probability {
		r = grid{9, -32, -1}
		switch {
		case x < 0:
			return belowPlace, 0, 0
		case x > 1:
			return abovePlace, 0, 0
		case x == 1:
			return onePlace, 0, 0
		case x >= 0.5:
			mirrored, b = true, math.Float64bits(1-x)-1
		}
	}
	if x == 0 {
		return 0, 0, 0
	}
	e := int(b>>52) - 1023
	shift := 52 - r.bits
	if e < r.first || e >= r.end {
		shift = 49 // 8 cells in an octave
	} else {
		width = 1 << shift
	}
	at = int64(b>>shift<<shift>>(52-r.bits)) + 1
	switch {
	case mirrored && kind == summary.Probability:
		at = onePlace - at
	case mirrored:
		at = -at
	}
	return at, b & (1<<shift - 1), width
}

// histogram returns the histogram of all groups.
func (c *cells) histogram() (*summary.Histogram, error) {
	if c.n == 0 {
		return c.hist, nil
	}
	l, err := summary.NewLayout(c.kind)
	if err != nil {
		return nil, err
	}
	form := struct {
		Layout   string           `json:"layout"`
		N        uint64           `json:"n"`
		Min      stats.Float      `json:"min"`
		Max      stats.Float      `json:"max"`
		Excluded summary.Excluded `json:"excluded"`
		Cells    [][8]uint64      `json:"cells"`
	}{Layout: l.ID(), N: c.n, Min: stats.Float(c.least), Max: stats.Float(c.most)}
	for _, at := range slices.Sorted(maps.Keys(c.exact)) {
		cell, sum := c.exact[at], [8]uint64{}
		if at < 0 {
			sum[0], at = 1, -at
		}
		sum[1], sum[2] = uint64(at), cell.n
		for i := range 2 { // words, most significant first
			sum[4-i] = word(cell.s, i)
		}
		for i := range 3 {
			sum[7-i] = word(cell.q, i)
		}
		form.Cells = append(form.Cells, sum)
	}
	b, err := json.Marshal(form)
	if err != nil {
		return nil, err
	}
	out := &summary.Histogram{}
	if err := json.Unmarshal(b, out); err != nil {
		return nil, err
	}
	if err := out.Merge(c.hist); err != nil {
		return nil, err
	}
	return out, nil
}

// word is a 64-bit word of z, counted from the lowest.
func word(z *big.Int, i int) uint64 {
	w := new(big.Int).Rsh(z, uint(64*i))
	return w.And(w, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
}
