package summary

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
)

// Every finite float64 is an integer times 2^-1074, its k-th power one times
// 2^(-1074k). A sum of such powers is kept as that integer, in digits of 32 bits
// from the lowest up. Each digit sits in an int64, so that carries can wait and
// additions and subtractions mix (the small superaccumulator of Neal, 2015).
const (
	unit = 1074

	valueBits = 2098 // the greatest float64, in units of 2^-1074
	countBits = 64   // room for the number of terms

	// carryEvery bounds the additions between two passes of carry: one adds less
	// than 2^52+2^32 to a digit.
	carryEvery = 1024
)

// split returns the integer m and its position p such that |x| = m * 2^(p-1074),
// for a finite x.
func split(x float64) (m uint64, p uint) {
	b := math.Float64bits(x)
	m, p = b&(1<<52-1), uint(b>>52&0x7ff)
	if p > 0 {
		m |= 1 << 52
		p--
	}
	return m, p
}

// addWords adds to d, or subtracts from it, the number with the words w, least
// significant first, times 2^p.
func addWords(d []int64, p uint, negative bool, w []uint64) {
	d = d[p/32:]
	p %= 32
	sign := int64(1)
	if negative {
		sign = -1
	}
	var rest uint64
	for i, v := range w {
		low := v<<p | rest
		rest = v >> (64 - p)
		d[2*i] += sign * int64(uint32(low))
		d[2*i+1] += sign * int64(low>>32)
	}
	d[2*len(w)] += sign * int64(rest)
}

// carry makes every digit but the highest lie in [0, 2^32). The number stays.
func carry(d []int64) {
	top := len(d) - 1
	c := int64(0)
	for i, v := range d[:top] {
		v += c
		d[i] = v & math.MaxUint32
		c = v >> 32
	}
	d[top] += c
}

// toInt returns the number held in d.
func toInt(d []int64) *big.Int {
	d = slices.Clone(d)
	carry(d)
	negative := d[len(d)-1] < 0
	if negative {
		for i := range d {
			d[i] = -d[i]
		}
		carry(d)
	}
	b := make([]byte, 0, 4*len(d))
	for _, v := range slices.Backward(d) {
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	z := new(big.Int).SetBytes(b)
	if negative {
		z.Neg(z)
	}
	return z
}

// fromInt sets the digits d, all zero before, to the number z, which they can
// hold.
func fromInt(d []int64, z *big.Int) {
	b := z.FillBytes(make([]byte, 4*len(d)))
	for i := range d {
		d[i] = int64(z.Sign()) * int64(binary.BigEndian.Uint32(b[4*(len(d)-1-i):]))
	}
}

// toFloat returns z * 2^exp, correctly rounded.
func toFloat(z *big.Int, exp int) float64 {
	x := new(big.Float).SetInt(z)
	f, _ := x.SetMantExp(x, exp).Float64()
	return f
}

// quotient returns num/den * 2^exp, correctly rounded, for den > 0.
func quotient(num, den *big.Int, exp int) float64 {
	q, shift := divide(num, den, 66)
	return toFloat(q, exp-shift)
}

// rootQuotient returns the square root of num/den, correctly rounded, for
// num >= 0 and den > 0.
func rootQuotient(num, den *big.Int) float64 {
	q, shift := divide(num, den, 136)
	if shift%2 != 0 {
		q.Lsh(q, 1)
		shift++
	}
	root := new(big.Int).Sqrt(q)
	exact := new(big.Int).Mul(root, root).Cmp(q) == 0
	return toFloat(sticky(root, exact), -shift/2-1)
}

// divide returns the integer q, of at least the given number of bits unless num
// is 0, that stands for num/den * 2^shift: if the division leaves a remainder, q
// ends in a bit 1 that says so and that no float64 reaches.
func divide(num, den *big.Int, bits int) (q *big.Int, shift int) {
	shift = max(0, bits+den.BitLen()-num.BitLen())
	q = new(big.Int).Lsh(num, uint(shift))
	_, rem := q.QuoRem(q, den, new(big.Int))
	return sticky(q, rem.Sign() == 0), shift + 1
}

// sticky appends to z a bit that tells whether z is all there is.
func sticky(z *big.Int, exact bool) *big.Int {
	z.Lsh(z, 1)
	switch {
	case exact:
	case z.Sign() < 0:
		z.Sub(z, big.NewInt(1))
	default:
		z.Add(z, big.NewInt(1))
	}
	return z
}
