package arrowcols

import (
	"encoding/binary"
	"math"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
)

const microsPerDay = 24 * 60 * 60 * 1_000_000

// floats returns n values of an array of floats or decimals; dst may serve as
// their memory.
func (a *Array) floats(dst []float64, from, n int) []float64 {
	at := a.Offset + from
	if a.Kind == Float64 {
		return view[float64](a.Values, at, n)
	}
	dst = grow(dst, n)
	switch a.Kind {
	case Float32:
		for i, x := range view[float32](a.Values, at, n) {
			dst[i] = float64(x)
		}
	case Float16:
		for i, h := range view[uint16](a.Values, at, n) {
			dst[i] = fromHalf(h)
		}
	default:
		unit := math.Pow10(int(a.Scale))
		for i := range dst {
			dst[i] = fromTwos(a.Values[(at+i)*a.Width:][:a.Width]) / unit
		}
	}
	return dst
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

// fromTwos returns an integer in two's complement, whose lowest byte comes first,
// as a float64: exactly up to 2^53, else within two units in the last place. It
// has 4, 8, 16 or 32 bytes.
func fromTwos(b []byte) float64 {
	if len(b) == 4 {
		return float64(int32(binary.LittleEndian.Uint32(b)))
	}
	if len(b) == 8 {
		return float64(int64(binary.LittleEndian.Uint64(b)))
	}
	flip, sign := uint64(0), 1.0
	if b[len(b)-1]>>7 != 0 { // -x is ^x + 1
		flip, sign = math.MaxUint64, -1
	}
	x := 0.0
	for len(b) > 8 {
		x = float64(x*0x1p64) + float64(binary.LittleEndian.Uint64(b[len(b)-8:])^flip)
		b = b[:len(b)-8]
	}
	low := binary.LittleEndian.Uint64(b) ^ flip
	if x == 0 && flip != 0 && low != math.MaxUint64 { // the usual case
		low++
	}
	return sign * (float64(x*0x1p64) + float64(low))
}

// ints returns n values of an array of integers or times; dst may serve as their
// memory. Values beyond the range of int64 are an error, unless wrap allows them
// to become negative.
func (a *Array) ints(dst []int64, from, n int, wrap bool, missing func(i int) bool) ([]int64, error) {
	at := a.Offset + from
	if a.Kind == Int64 || a.Kind == Micros {
		return view[int64](a.Values, at, n), nil
	}
	dst = grow(dst, n)
	switch a.Kind {
	case Int8:
		widen(dst, view[int8](a.Values, at, n))
	case Int16:
		widen(dst, view[int16](a.Values, at, n))
	case Int32:
		widen(dst, view[int32](a.Values, at, n))
	case Uint8:
		widen(dst, view[uint8](a.Values, at, n))
	case Uint16:
		widen(dst, view[uint16](a.Values, at, n))
	case Uint32:
		widen(dst, view[uint32](a.Values, at, n))
	case Days:
		for i, x := range view[int32](a.Values, at, n) {
			dst[i] = int64(x) * microsPerDay
		}
	case Seconds:
		for i, x := range view[int64](a.Values, at, n) {
			dst[i] = saturate(x, 1_000_000)
		}
	case Millis:
		for i, x := range view[int64](a.Values, at, n) {
			dst[i] = saturate(x, 1000)
		}
	case Nanos:
		for i, x := range view[int64](a.Values, at, n) {
			dst[i] = floorMicros(x)
		}
	default:
		for i, x := range view[uint64](a.Values, at, n) {
			if x > math.MaxInt64 && !wrap && !missing(i) {
				return nil, rowfiles.Unsupported("unsigned value %d is above 2^63-1", x)
			}
			dst[i] = int64(x)
		}
	}
	return dst, nil
}

func widen[T number](dst []int64, src []T) {
	for i, x := range src {
		dst[i] = int64(x)
	}
}

func floorMicros(nanos int64) int64 {
	q := nanos / 1000
	if nanos%1000 < 0 {
		q--
	}
	return q
}

// saturate returns x*unit, or the end of the range of int64 that is closest to
// it.
func saturate(x, unit int64) int64 {
	switch {
	case x > math.MaxInt64/unit:
		return math.MaxInt64
	case x < math.MinInt64/unit:
		return math.MinInt64
	}
	return x * unit
}
