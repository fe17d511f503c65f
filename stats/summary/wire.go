package summary

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"

	"github.com/rampguard/rampguard/stats"
)

// writer appends the pieces of a binary form.
type writer struct{ b []byte }

func (w *writer) u64(v uint64)  { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) i64(v int64)   { w.b = binary.AppendVarint(w.b, v) }
func (w *writer) f64(v float64) { w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(v)) }
func (w *writer) str(s string)  { w.u64(uint64(len(s))); w.b = append(w.b, s...) }

// integer writes z as its sign, the number of its trailing zero bits, and the
// bytes of the rest.
func (w *writer) integer(z *big.Int) {
	zeros := z.TrailingZeroBits()
	w.i64(int64(z.Sign()))
	if z.Sign() != 0 {
		w.u64(uint64(zeros))
		w.str(string(new(big.Int).Rsh(new(big.Int).Abs(z), zeros).Bytes()))
	}
}

func (w *writer) excluded(e Excluded) {
	for _, v := range [...]uint64{e.Null, e.NaN, e.PosInf, e.NegInf, e.Below, e.Above} {
		w.u64(v)
	}
}

// reader takes them off again. After the first fault every read gives zero and
// err says what was wrong; callers check it once at the end, and bound every
// loop by a length that the remaining input can hold.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("summary: damaged data: "+format+": %w", append(args, stats.ErrMismatch)...)
	}
	r.b = nil
}

// u64 reads an integer, which must be written as short as it can be, so that
// one state has one form.
func (r *reader) u64() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || (n > 1 && r.b[n-1] == 0) {
		r.fail("bad integer")
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) u32() uint32 {
	v := r.u64()
	if v > math.MaxUint32 {
		r.fail("%d does not fit 32 bits", v)
		return 0
	}
	return uint32(v)
}

func (r *reader) i64() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 || (n > 1 && r.b[n-1] == 0) {
		r.fail("bad integer")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// sum adds two counts, which must not overflow.
func (r *reader) sum(a, b uint64) uint64 {
	if a+b < a {
		r.fail("counts overflow")
		return 0
	}
	return a + b
}

func (r *reader) f64() float64 {
	if len(r.b) < 8 {
		r.fail("short number")
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.b))
	r.b = r.b[8:]
	return v
}

// length reads the number of items of at least size bytes each.
func (r *reader) length(size int) int {
	v := r.u64()
	if v > uint64(len(r.b)/size) {
		r.fail("%d items in %d bytes", v, len(r.b))
		return 0
	}
	return int(v)
}

func (r *reader) str() string {
	n := r.length(1)
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// integer reads a number of at most the given number of bits.
func (r *reader) integer(bits int) *big.Int {
	z := new(big.Int)
	sign := r.i64()
	if sign == 0 || r.err != nil {
		return z
	}
	zeros := r.u64()
	b := r.str()
	z.SetBytes([]byte(b))
	if (sign != 1 && sign != -1) || z.Bit(0) == 0 || b[0] == 0 || zeros > uint64(bits) || z.BitLen()+int(zeros) > bits {
		r.fail("bad sum")
		return new(big.Int)
	}
	z.Lsh(z, uint(zeros))
	if sign < 0 {
		z.Neg(z)
	}
	return z
}

// maxExcluded keeps the totals of damaged data from overflowing.
const maxExcluded = 1 << 56

func (r *reader) excluded() (e Excluded) {
	for _, p := range []*uint64{&e.Null, &e.NaN, &e.PosInf, &e.NegInf, &e.Below, &e.Above} {
		if *p = r.u64(); *p > maxExcluded {
			r.fail("%d excluded values", *p)
			return Excluded{}
		}
	}
	return e
}

// extremes reads the smallest and the largest of some values.
func (r *reader) extremes() (mn, mx float64) {
	mn, mx = r.f64(), r.f64()
	if !(mn <= mx) || mx-mx != 0 || mn-mn != 0 || isNegativeZero(mn) || isNegativeZero(mx) {
		r.fail("range [%v, %v]", mn, mx)
	}
	return mn, mx
}

func isNegativeZero(x float64) bool { return x == 0 && math.Signbit(x) }

// noRange reports as damage that values were out of range where there is none.
func (r *reader) noRange(e Excluded) {
	if e.Below|e.Above != 0 {
		r.fail("values out of range")
	}
}

func (r *reader) version(what string, want uint64) {
	if v := r.u64(); r.err == nil && v != want {
		r.fail("%s version %d, this program reads %d", what, v, want)
	}
}

// done returns the first fault, or one for input left over.
func (r *reader) done() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes left over", len(r.b))
	}
	return r.err
}
