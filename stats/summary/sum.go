package summary

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"

	"github.com/rampguard/rampguard/stats"
)

// Sum adds float64 values without any rounding, so that neither their order nor
// the way they are split over workers can change the result: 1e300 + 1 - 1e300
// is 1. The sum is kept as an integer in units of 2^-1074, the smallest float64,
// as wide as the whole range (a superaccumulator; Neal 2015); adding a value
// costs a few times as much as a plain addition.
//
// NaN and infinite values are counted apart and are not in the sum. Merge is
// exact, commutative and associative. The zero Sum is empty and the identity of
// Merge. A Sum may be copied; it is not safe for concurrent use.
//
// Reference: R. M. Neal, Fast exact summation using small and large
// superaccumulators, arXiv:1505.05571, 2015.
type Sum struct {
	n        uint64 // finite values
	excluded Excluded
	pending  int // additions since carries were last passed on
	digits   [(valueBits+countBits)/32 + 1]int64
}

// Add adds one value.
func (s *Sum) Add(x float64) {
	b := math.Float64bits(x)
	e := b >> 52 & 0x7ff
	if e == 0x7ff {
		s.excluded.exclude(x, 1)
		return
	}
	m := b & (1<<52 - 1)
	if e > 0 {
		m |= 1 << 52
		e--
	}
	s.n++
	sign := int64(b) >> 63 // -1 for negative values, else 0
	low := int64(uint32(m << (e % 32)))
	high := int64(m >> (32 - e%32))
	d := s.digits[e/32:][:2]
	d[0] += (low ^ sign) - sign
	d[1] += (high ^ sign) - sign
	s.settle(1)
}

// settle passes carries on before they can overflow, after k more additions.
func (s *Sum) settle(k int) {
	if s.pending += k; s.pending >= carryEvery {
		carry(s.digits[:])
		s.pending = 0
	}
}

// AddN adds the value x n times.
func (s *Sum) AddN(x float64, n uint64) {
	if s.excluded.exclude(x, n) {
		return
	}
	s.n += n
	m, p := split(x)
	hi, lo := bits.Mul64(m, n)
	addWords(s.digits[:], p, x < 0, []uint64{lo, hi})
	s.settle(1)
}

// N is the number of values in the sum.
func (s *Sum) N() uint64 { return s.n }

// Excluded returns the numbers of NaN and infinite values.
func (s *Sum) Excluded() Excluded { return s.excluded }

// Float64 returns the sum, correctly rounded: the float64 nearest to it, ±Inf if
// it is beyond the range, and 0 for an empty sum.
func (s *Sum) Float64() float64 { return toFloat(toInt(s.digits[:]), -unit) }

// Merge adds o to s; o is unchanged. It never fails.
func (s *Sum) Merge(o *Sum) error {
	s.n += o.n
	s.excluded.merge(o.excluded)
	other := o.digits
	carry(other[:])
	carry(s.digits[:])
	for i, v := range other {
		s.digits[i] += v
	}
	s.pending = 1
	return nil
}

const sumWire = 1

// MarshalBinary implements [encoding.BinaryMarshaler]. Equal states give equal
// bytes, however the values came in.
func (s *Sum) MarshalBinary() ([]byte, error) {
	var w writer
	w.u64(sumWire)
	w.u64(s.n)
	w.excluded(s.excluded)
	w.integer(toInt(s.digits[:]))
	return w.b, nil
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]. Damaged input is an
// error and leaves s unchanged.
func (s *Sum) UnmarshalBinary(b []byte) error {
	r := reader{b: b}
	var out Sum
	r.version("sum", sumWire)
	out.n = r.u64()
	out.excluded = r.excluded()
	z := r.integer(valueBits + bits.Len64(out.n))
	if out.n == 0 && z.Sign() != 0 {
		r.fail("a sum of no values")
	}
	if out.excluded.Null != 0 {
		r.fail("a sum with nulls")
	}
	r.noRange(out.excluded)
	if err := r.done(); err != nil {
		return err
	}
	fromInt(out.digits[:], z)
	*s = out
	return nil
}

type sumJSON struct {
	N        uint64   `json:"n"`
	Excluded Excluded `json:"excluded"`
	Sum      string   `json:"sum"`
}

// MarshalJSON implements [json.Marshaler]. The sum is a string that holds its
// exact value as a hexadecimal floating-point number, such as "0x1b3p-57", which
// C's strtod and Python's float.fromhex read.
func (s *Sum) MarshalJSON() ([]byte, error) {
	return json.Marshal(sumJSON{s.n, s.excluded, formatExact(toInt(s.digits[:]), -unit)})
}

// UnmarshalJSON implements [json.Unmarshaler]. Damaged input is an error and
// leaves s unchanged.
func (s *Sum) UnmarshalJSON(b []byte) error {
	var j sumJSON
	if err := readJSON("Sum", b, &j); err != nil {
		return err
	}
	z, err := parseExact(j.Sum, -unit, valueBits+countBits)
	if err != nil {
		return fmt.Errorf("summary: Sum: %w: %w", err, stats.ErrMismatch)
	}
	var w writer
	w.u64(sumWire)
	w.u64(j.N)
	w.excluded(j.Excluded)
	w.integer(z)
	return s.UnmarshalBinary(w.b)
}
