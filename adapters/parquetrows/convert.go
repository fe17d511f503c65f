package parquetrows

import (
	"encoding/binary"
	"math"
)

// A converter turns the values src[from:] of a page, which are not null, into
// len(dst) values of a batch.
type converter[T any] func(dst []T, src *values, from int) error

// floats returns the converter of a form of [analysis.Float]; nil when the page
// holds float64 values as they are.
func floats(l *leaf) converter[float64] {
	unit := l.unit
	switch l.form {
	case single:
		return func(dst []float64, src *values, from int) error {
			for i, x := range src.floats()[from:][:len(dst)] {
				dst[i] = float64(x)
			}
			return nil
		}
	case half:
		return func(dst []float64, src *values, from int) error {
			for i := range dst {
				dst[i] = fromHalf(binary.LittleEndian.Uint16(src.bytes(from + i)))
			}
			return nil
		}
	case decimal32:
		return func(dst []float64, src *values, from int) error {
			for i, x := range src.int32s()[from:][:len(dst)] {
				dst[i] = float64(x) / unit
			}
			return nil
		}
	case decimal64:
		return func(dst []float64, src *values, from int) error {
			for i, x := range src.int64s()[from:][:len(dst)] {
				dst[i] = float64(x) / unit
			}
			return nil
		}
	case decimalBytes:
		return func(dst []float64, src *values, from int) error {
			for i := range dst {
				dst[i] = fromBigEndian(src.bytes(from+i)) / unit
			}
			return nil
		}
	}
	return nil
}

// fromHalf widens an IEEE 754 half-precision number.
func fromHalf(h uint16) float64 {
	sign, exponent, mantissa := float64(1), int(h>>10&31), float64(h&1023)
	if h>>15 != 0 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * math.Ldexp(mantissa, -24)
	case 31:
		if mantissa != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+mantissa, exponent-25)
}

// fromBigEndian returns the integer in two's complement as a float64: exactly
// up to 2^53, else within two units in the last place.
func fromBigEndian(b []byte) float64 {
	if len(b) == 0 {
		return 0
	}
	flip, sign := byte(0), 1.0
	if b[0]>>7 != 0 { // -x is ^x + 1
		flip, sign = 0xff, -1
	}
	x := 0.0
	for len(b) > 8 {
		low := uint64(0)
		n := (len(b)-1)%8 + 1
		for _, c := range b[:n] {
			low = low<<8 | uint64(c^flip)
		}
		x = float64(x*0x1p64) + float64(low)
		b = b[n:]
	}
	low := uint64(0)
	for _, c := range b {
		low = low<<8 | uint64(c^flip)
	}
	if x == 0 { // the usual case, exact up to 2^53
		if flip != 0 && low != math.MaxUint64 {
			low++
		}
		return sign * float64(low)
	}
	return sign * (float64(x*0x1p64) + float64(low))
}

// ints returns the converter of a form of [analysis.Int] or [analysis.Time]; nil
// when the page holds the int64 values as they are. Unsigned 64-bit values
// beyond the range of int64 are an error, unless wrap allows them to become
// negative.
func ints(l *leaf, wrap bool) converter[int64] {
	switch l.form {
	case signed32:
		return func(dst []int64, src *values, from int) error {
			for i, x := range src.int32s()[from:][:len(dst)] {
				dst[i] = int64(x)
			}
			return nil
		}
	case unsigned32:
		return func(dst []int64, src *values, from int) error {
			for i, x := range src.uint32s()[from:][:len(dst)] {
				dst[i] = int64(x)
			}
			return nil
		}
	case unsigned64:
		if wrap {
			return nil
		}
		return func(dst []int64, src *values, from int) error {
			for i, x := range src.uint64s()[from:][:len(dst)] {
				if x > math.MaxInt64 {
					return unsupported("unsigned value %d is above 2^63-1", x)
				}
				dst[i] = int64(x)
			}
			return nil
		}
	case days:
		return func(dst []int64, src *values, from int) error {
			for i, x := range src.int32s()[from:][:len(dst)] {
				dst[i] = int64(x) * microsPerDay
			}
			return nil
		}
	case millis:
		return func(dst []int64, src *values, from int) error {
			for i, x := range src.int64s()[from:][:len(dst)] {
				dst[i] = saturate(x, 1000, 0)
			}
			return nil
		}
	case nanos:
		return func(dst []int64, src *values, from int) error {
			for i, x := range src.int64s()[from:][:len(dst)] {
				dst[i] = floorMicros(x)
			}
			return nil
		}
	case julian:
		return func(dst []int64, src *values, from int) error {
			for i, x := range src.int96s()[from:][:len(dst)] {
				day := int64(int32(x[2])) - julianEpoch
				dst[i] = saturate(day, microsPerDay, floorMicros(int64(uint64(x[1])<<32|uint64(x[0]))))
			}
			return nil
		}
	}
	return nil
}

const (
	microsPerDay = 24 * 60 * 60 * 1_000_000
	julianEpoch  = 2_440_588 // Julian day number of 1970-01-01
)

func floorMicros(nanos int64) int64 {
	q := nanos / 1000
	if nanos%1000 < 0 {
		q--
	}
	return q
}

// saturate returns x*unit + rest, or the end of the range of int64 that is
// closest to it.
func saturate(x, unit, rest int64) int64 {
	end := int64(math.MaxInt64)
	if x < 0 {
		end = math.MinInt64
	}
	if x > math.MaxInt64/unit || x < math.MinInt64/unit {
		return end
	}
	x *= unit
	if sum := x + rest; (x < 0) == (rest < 0) && (sum < 0) != (x < 0) {
		return end
	} else {
		return sum
	}
}

// bools reads bits, or bytes when there is one for each value.
func bools(dst []bool, src *values, from int) error {
	if src.loose {
		for i, b := range src.data[from:][:len(dst)] {
			dst[i] = b != 0
		}
		return nil
	}
	bits := src.data
	for i := range dst {
		k := from + i
		dst[i] = bits[k>>3]>>(k&7)&1 != 0
	}
	return nil
}

// expand spreads the values vals[:k] over len(levels) rows, in place: row i has
// a value when levels[i] is 1. It sets valid for each row. What becomes of the
// other rows' values is not defined.
func expand[T any](vals []T, valid []bool, levels []byte, k int) {
	vals, valid = vals[:len(levels)], valid[:len(levels)]
	for i := len(levels) - 1; i >= 0; i-- {
		valid[i] = levels[i] == 1
		if k > 0 {
			vals[i] = vals[k-1]
		}
		one := 0
		if valid[i] {
			one = 1
		}
		k -= one // not a branch: missing values follow no pattern
	}
}
