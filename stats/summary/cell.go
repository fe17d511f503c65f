package summary

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
)

// Both open layouts take the cell of a value from the value's own bits: the
// sign (or, for probabilities, the side of 1/2), the exponent, and the leading
// bits of the mantissa. Within a cell a value is lo + r*ulp with an integer r,
// so integer sums of r and r*r give the exact sum of the values and of their
// squares, whatever the order in which they came.
const (
	logLinearBits   = 7 // cells per octave: 128
	probabilityBits = 9 // cells per octave: 512, so that [1/4,1/2) has cells of 1/2048
	coarseBits      = 3 // cells per octave outside the fine range: 8

	logLinearShift   = 52 - logLinearBits
	probabilityShift = 52 - probabilityBits
	coarseShift      = 52 - coarseBits

	logLinearFirst   = 1023 - 64 // fine cells for 2^-64 <= |x| < 2^64
	logLinearOctaves = 128
	probFirst        = 1023 - 32 // fine cells for 2^-32 <= min(p,1-p) <= 1/2
	probOctaves      = 31

	halfBits = 0x3fe0000000000000 // bits of 0.5
)

// A page holds 512 neighbouring fine cells: one octave of Probability, four of
// LogLinear. Either layout fills at most 32 pages on each side of its origin.
const (
	pageBits  = 9
	pageCells = 1 << pageBits
	sidePages = 32
)

type (
	page      [pageCells]cell
	pageTable [2 * sidePages]*page
)

// grid says how an open layout cuts the bits of a number into cells.
type grid struct {
	bits    uint   // leading mantissa bits that tell fine cells apart
	first   uint64 // exponent field of the first finely divided octave
	octaves uint64 // finely divided octaves
}

func (k Kind) grid() grid {
	if k == Probability {
		return grid{probabilityBits, probFirst, probOctaves}
	}
	return grid{logLinearBits, logLinearFirst, logLinearOctaves}
}

// fine reports whether numbers with exponent field e have fine cells.
func (g grid) fine(e uint64) bool { return e-g.first < g.octaves }

// width is the number of bit patterns in a cell of octave e.
func (g grid) width(e uint64) uint64 {
	if g.fine(e) {
		return 1 << (52 - g.bits)
	}
	return 1 << coarseShift
}

// cell holds what is known of the values in one cell: how many, the sum of r in
// 96 bits and the sum of r*r in 160 bits. r is below 2^49, so neither overflows
// below 2^47 values.
type cell struct {
	n         uint64
	sLo       uint64
	qLo, qHi  uint64
	sHi, qTop uint32
}

// maxValues bounds the values that one histogram can hold; see cell.
const maxValues = 1 << 47

// addN adds r n times, for n below 2^47.
func (c *cell) addN(r, n uint64) {
	sHi, sLo := bits.Mul64(r, n)
	q := timesSquare(n, r)
	c.merge(&cell{n: n, sLo: sLo, sHi: uint32(sHi), qLo: q[0], qHi: q[1], qTop: uint32(q[2])})
}

// timesSquare is n*r*r, least significant word first, for r below 2^64 and a
// product below 2^192.
func timesSquare(n, r uint64) [3]uint64 {
	qHi, qLo := bits.Mul64(r, r)
	aHi, aLo := bits.Mul64(qLo, n)
	bHi, bLo := bits.Mul64(qHi, n)
	mid, carry := bits.Add64(aHi, bLo, 0)
	return [3]uint64{aLo, mid, bHi + carry}
}

func (c *cell) merge(o *cell) {
	var carry uint64
	c.n += o.n
	c.sLo, carry = bits.Add64(c.sLo, o.sLo, 0)
	c.sHi += o.sHi + uint32(carry)
	c.qLo, carry = bits.Add64(c.qLo, o.qLo, 0)
	c.qHi, carry = bits.Add64(c.qHi, o.qHi, carry)
	c.qTop += o.qTop + uint32(carry)
}

// merge adds o to c; both belong to a layout of kind k.
func (k Kind) merge(c, o *cell) {
	if k == Tally {
		c.mergeTally(o)
		return
	}
	c.merge(o)
}

// mergeTally adds o to c, both of them cells of a Tally: as long as all values
// are the same, sLo has the bits of r and qLo the others. Once values differ, both
// have all bits.
func (c *cell) mergeTally(o *cell) {
	c.n += o.n
	c.sLo |= o.sLo
	c.qLo |= o.qLo
	if c.sLo&c.qLo != 0 {
		c.sLo |= c.qLo
		c.qLo = c.sLo
	}
}

// constant reports whether all values of the cell are one value, and its r.
func (c *cell) constant() (r uint64, ok bool) {
	if uint64(c.sHi) >= c.n {
		return 0, false
	}
	r, rem := bits.Div64(uint64(c.sHi), c.sLo, c.n)
	// all equal if and only if sum r^2 = n * rbar^2
	return r, rem == 0 && timesSquare(c.n, r) == [3]uint64{c.qLo, c.qHi, uint64(c.qTop)}
}

func (c *cell) sumR(z *big.Int) *big.Int  { return setWords(z, c.sLo, uint64(c.sHi)) }
func (c *cell) sumRR(z *big.Int) *big.Int { return setWords(z, c.qLo, c.qHi, uint64(c.qTop)) }

// spread returns the mean of r and the variance of r, divided by n. The variance
// is 0 only when all values are the same.
func (c *cell) spread() (mean, variance float64) {
	if r, ok := c.constant(); ok {
		return float64(r), 0
	}
	n := float64(c.n)
	mean = (math.Ldexp(float64(c.sHi), 64) + float64(c.sLo)) / n
	q := (math.Ldexp(float64(c.qTop), 128) + math.Ldexp(float64(c.qHi), 64) + float64(c.qLo)) / n
	square := float64(mean * mean)
	if variance = q - square; variance < square/4096 {
		num, den := c.variance()
		variance = quotient(num, den, 0)
	}
	return mean, variance
}

// variance returns n*sum r^2 - (sum r)^2 and n^2.
func (c *cell) variance() (num, den *big.Int) {
	var s big.Int
	den = new(big.Int).SetUint64(c.n)
	num = c.sumRR(new(big.Int))
	c.sumR(&s)
	num.Mul(num, den)
	num.Sub(num, s.Mul(&s, &s))
	return num, den.Mul(den, den)
}

// possible reports whether n values of r below width can have these sums: it
// rejects what no data can give, not everything that this data did not.
func (c *cell) possible(k Kind, width uint64) bool {
	if k == Tally {
		return *c == (cell{n: c.n, sLo: c.sLo, qLo: c.qLo}) && c.sLo|c.qLo == width-1 &&
			(c.sLo&c.qLo == 0 || (c.n > 1 && c.sLo == c.qLo))
	}
	var s, q, limit, t big.Int
	c.sumR(&s)
	c.sumRR(&q)
	limit.SetUint64(width - 1)
	if s.Cmp(t.Mul(&limit, t.SetUint64(c.n))) > 0 || q.Cmp(t.Mul(&limit, &s)) > 0 {
		return false
	}
	num, _ := c.variance()
	return num.Sign() >= 0 && s.Bit(0) == q.Bit(0) // r and r*r are odd together
}

// setWords sets z to the little-endian number in ws.
func setWords(z *big.Int, ws ...uint64) *big.Int {
	var buf [24]byte
	b := buf[:8*len(ws)]
	for i, w := range ws {
		binary.BigEndian.PutUint64(b[len(b)-8*(i+1):], w)
	}
	return z.SetBytes(b)
}

// key numbers the cells of a layout in ascending order of value. For LogLinear,
// key 0 is the value 0, positive keys are positive values, negative keys
// negative ones. For Probability, key 0 is exactly 0, then come the cells below
// 1/2, then those above, then exactly 1.
type key int32

// probOne is the key of exactly 1, the mirror image of key 0.
const probOne = key(2*(1022<<probabilityBits) + 1)

// locate returns the key of x's cell and x's offset in it. x is finite and, for
// Probability, in [0,1].
func (k Kind) locate(x float64) (id key, r uint64) {
	b := math.Float64bits(x)
	mirrored := b>>63 != 0
	b &^= 1 << 63
	switch {
	case x == 0:
		return 0, 0
	case k == Probability && x == 1:
		return probOne, 0
	case k == Probability && b >= halfBits:
		b = math.Float64bits(1-x) - 1
		mirrored = true
	}
	g := k.grid()
	width := g.width(b >> 52)
	return k.keyOf(mirrored, (b&^(width-1))>>(52-g.bits)), b & (width - 1)
}

// keyOf returns the key of the cell that begins, on its side, at the number
// whose leading bits are m.
func (k Kind) keyOf(mirrored bool, m uint64) key {
	id := key(m) + 1
	switch {
	case !mirrored:
		return id
	case k == Probability:
		return probOne - id
	default:
		return -id
	}
}

// span describes one cell by the bits of the numbers in it. On the mirrored side
// of LogLinear the value is minus the number. On that of Probability it is one
// minus the next number, so that cells are closed below on both sides of 1/2.
type span struct {
	mirrored bool
	e        uint64 // exponent field
	lo, hi   uint64 // bits at the lower and upper end
}

func (k Kind) span(c key) span {
	g := k.grid()
	m, mirrored := c, c < 0
	if mirrored {
		m = -m
	}
	if k == Probability && c > probOne/2 {
		m, mirrored = probOne-c, true
	}
	lo := uint64(m-1) << (52 - g.bits)
	e := lo >> 52
	return span{mirrored: mirrored, e: e, lo: lo, hi: lo + g.width(e)}
}

// origin returns the integer m and the exponent x such that the number at offset
// r of the cell is (m+r) * 2^x.
func (k Kind) origin(s span) (m uint64, exp int) {
	m, exp = s.lo&(1<<52-1), -1074
	if s.e > 0 {
		m, exp = m|1<<52, int(s.e)-1075
	}
	if k == Probability && s.mirrored {
		m++
	}
	return m, exp
}

// value maps a number of a side to the value it stands for.
func (k Kind) value(mirrored bool, x float64) float64 {
	switch {
	case !mirrored:
		return x
	case k == Probability:
		return 1 - x
	default:
		return 0 - x
	}
}

// member returns a value that the cell holds, if any value does. No two floats
// near 1 are closer than 2^-53, so many keys there stand for nothing.
func (k Kind) member(s span) float64 {
	if k == Probability && s.mirrored {
		return 1 - math.Float64frombits(s.hi)
	}
	return k.value(s.mirrored, math.Float64frombits(max(s.lo, 1)))
}

// bounds returns the ends of the cell as values, lo < hi unless the cell is so
// narrow that rounding merges them.
func (k Kind) bounds(s span) (lo, hi float64) {
	lo = k.value(s.mirrored, math.Float64frombits(max(s.lo, 1))) // 0 has a cell of its own
	hi = k.value(s.mirrored, math.Float64frombits(s.hi))
	if s.mirrored {
		return hi, lo
	}
	return lo, hi
}
