package parquetrows

import (
	"encoding/binary"

	"github.com/parquet-go/bitpack"
)

// padding is what the unpacking of bits may read beyond its input.
const padding = bitpack.PaddingInt32

// runs reads numbers of up to 32 bits in the format's hybrid of runs of equal
// values and bit-packed groups of eight, which holds dictionary codes, levels and
// booleans. It never reads more than it is asked for, whatever the lengths of the
// runs say. The memory behind the input must have padding bytes more.
type runs struct {
	src   []byte // what follows the current run
	width uint   // bits per value

	left   int    // values left in the current run
	packed []byte // the run's bytes, when it is packed
	read   int    // values read of it; a multiple of 8 except at the end
	value  int32  // the run's value, when it is not packed
}

func newRuns(src []byte, width uint) runs { return runs{src: src, width: width} }

// next begins a run.
func (r *runs) next() error {
	head, n := binary.Uvarint(r.src)
	if n <= 0 {
		return corrupt("a page ends within its codes")
	}
	r.src = r.src[n:]
	if head&1 == 0 {
		size := int(r.width+7) / 8
		if size > len(r.src) {
			return corrupt("a page ends within a run of equal codes")
		}
		var b [4]byte
		copy(b[:], r.src[:size])
		r.src = r.src[size:]
		r.packed, r.value = nil, int32(binary.LittleEndian.Uint32(b[:]))
		r.left = int(min(head>>1, 1<<30))
		return nil
	}
	groups := min(head>>1, 1<<27)
	size := min(groups*uint64(r.width), uint64(len(r.src))) // the last group may be cut
	r.packed, r.src = r.src[:size], r.src[size:]
	r.read, r.left = 0, min(int(groups)*8, int(size)*8/int(r.width))
	if r.left == 0 && groups > 0 {
		return corrupt("a page ends within its codes")
	}
	return nil
}

// codes reads the next len(dst) values.
func (r *runs) codes(dst []int32) error {
	if r.width == 0 {
		clear(dst)
		return nil
	}
	for len(dst) > 0 {
		if r.left == 0 {
			if err := r.next(); err != nil {
				return err
			}
			continue
		}
		n := min(len(dst), r.left)
		switch {
		case r.packed == nil:
			fill(dst[:n], r.value)
		case r.read%8 != 0: // a block began within a group
			n = min(n, 8-r.read%8)
			r.group(dst[:n])
		default:
			if n < r.left && n >= 8 {
				n &^= 7
			}
			if n < 8 {
				r.group(dst[:n])
			} else {
				r.unpack(dst[:n])
			}
		}
		r.left -= n
		r.read += n
		dst = dst[n:]
	}
	return nil
}

// unpack reads packed values from the start of a group.
func (r *runs) unpack(dst []int32) {
	from := r.read / 8 * int(r.width)
	size := (len(dst)*int(r.width) + 7) / 8
	bitpack.Unpack(dst, r.packed[from:from+size+padding], r.width)
}

// group reads packed values of one group.
func (r *runs) group(dst []int32) {
	from, skip := r.read/8*int(r.width), r.read%8
	for i := range dst {
		bit := (skip + i) * int(r.width)
		at := from + bit/8
		word := binary.LittleEndian.Uint64(r.packed[at : at+8 : at+8])
		dst[i] = int32(word >> (bit % 8) & (1<<r.width - 1))
	}
}

// bits reads the next len(dst) values of width 1 as bytes 0 or 1.
func (r *runs) bits(dst []byte) error {
	for len(dst) > 0 {
		if r.left == 0 {
			if err := r.next(); err != nil {
				return err
			}
			continue
		}
		n := min(len(dst), r.left)
		if r.packed == nil {
			fill(dst[:n], byte(r.value&1))
		} else {
			r.spread(dst[:n])
		}
		r.left -= n
		dst = dst[n:]
	}
	return nil
}

// spread writes packed bits, from the start of the run, as bytes.
func (r *runs) spread(dst []byte) {
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		one := uint64(r.packed[i/8]) * 0x0101010101010101 & 0x8040201008040201 // byte k keeps bit k
		binary.LittleEndian.PutUint64(dst[i:], (one+0x7f7f7f7f7f7f7f7f)>>7&0x0101010101010101)
	}
	for ; i < len(dst); i++ {
		dst[i] = r.packed[i/8] >> (i % 8) & 1
	}
}

// all reports whether the next n values are one run of the value 1, which is how
// writers say that no value of a page is missing.
func (r runs) all(n int) bool {
	return r.left == 0 && r.next() == nil && r.packed == nil && r.value == 1 && r.left >= n
}

func fill[T any](dst []T, v T) {
	if len(dst) == 0 {
		return
	}
	dst[0] = v
	for n := 1; n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}

// grow returns s with n elements, of any value. New memory has some to spare, as
// the next page often is a little larger.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/8)
	}
	return s[:n]
}
