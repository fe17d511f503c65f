package arrowcols

import (
	"math/bits"
	"unsafe"
)

// number is what can lie in a buffer.
type number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// view returns the numbers from, ..., from+n-1 of a buffer, which is large enough:
// without a copy, unless they do not lie as the processor wants it.
func view[T number](b []byte, from, n int) []T {
	if n == 0 {
		return nil
	}
	size := int(unsafe.Sizeof(T(0)))
	b = b[from*size:][:n*size]
	p := unsafe.Pointer(unsafe.SliceData(b))
	if uintptr(p)%unsafe.Alignof(T(0)) == 0 {
		return unsafe.Slice((*T)(p), n)
	}
	out := make([]T, n)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(out))), n*size), b)
	return out
}

// bit is the bit i of a bitmap.
func bit(b []byte, i int) bool { return b[i>>3]>>(i&7)&1 != 0 }

// countBits counts the ones among the bits from, ..., from+n-1.
func countBits(b []byte, from, n int) int {
	count := 0
	for n > 0 && from&7 != 0 {
		if bit(b, from) {
			count++
		}
		from++
		n--
	}
	b = b[from>>3:]
	for ; n >= 8; n -= 8 {
		count += bits.OnesCount8(b[0])
		b = b[1:]
	}
	for i := range n {
		if bit(b, i) {
			count++
		}
	}
	return count
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
