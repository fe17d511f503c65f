package parquetrows

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding"
	"github.com/parquet-go/parquet-go/format"
)

// values are the values of a page that are not null, without their encoding.
type values struct {
	stored  format.Type
	data    []byte
	size    int      // of a fixed-length value
	offsets []uint32 // of byte arrays: value i is data[offsets[i]+gap:offsets[i+1]]
	gap     uint32
	loose   bool // booleans are bytes, not bits

	// Memory for the next page.
	own   []byte
	spare []uint32
}

// The following give a view of the values, without a copy.

func (v *values) int32s() []int32 {
	w := encoding.Int32ValuesFromBytes(v.data)
	return w.Int32()
}

func (v *values) uint32s() []uint32 {
	w := encoding.Int32ValuesFromBytes(v.data)
	return w.Uint32()
}

func (v *values) int64s() []int64 {
	w := encoding.Int64ValuesFromBytes(v.data)
	return w.Int64()
}

func (v *values) uint64s() []uint64 {
	w := encoding.Int64ValuesFromBytes(v.data)
	return w.Uint64()
}

func (v *values) int96s() []deprecated.Int96 {
	w := encoding.Int96ValuesFromBytes(v.data)
	return w.Int96()
}

func (v *values) floats() []float32 {
	w := encoding.FloatValuesFromBytes(v.data)
	return w.Float()
}

func (v *values) doubles() []float64 {
	w := encoding.DoubleValuesFromBytes(v.data)
	return w.Double()
}

// bytes returns value i of byte arrays, of fixed length or not.
func (v *values) bytes(i int) []byte {
	if v.stored == format.FixedLenByteArray {
		return v.data[i*v.size:][:v.size]
	}
	return v.data[v.offsets[i]+v.gap : v.offsets[i+1]]
}

// width is the number of bytes of a value in PLAIN encoding, or 0 when there is
// no such number.
func (v *values) width() int {
	switch v.stored {
	case format.Int32, format.Float:
		return 4
	case format.Int64, format.Double:
		return 8
	case format.Int96:
		return 12
	case format.FixedLenByteArray:
		return v.size
	}
	return 0
}

// decode takes in the n values of a page. The values may be memory of src.
func (v *values) decode(src []byte, n int, enc format.Encoding) error {
	v.data, v.offsets, v.gap, v.loose = nil, nil, 0, false
	if n == 0 {
		return nil
	}
	switch enc {
	case format.Plain:
		return v.plain(src, n)
	case format.ByteStreamSplit:
		if len(src) != n*v.width() {
			return corrupt("a page has %d bytes for %d values", len(src), n)
		}
	case format.DeltaBinaryPacked, format.DeltaLengthByteArray, format.DeltaByteArray:
		if count := deltaCount(src); count != uint64(n) {
			return corrupt("a page has %d values instead of %d", count, n)
		}
	case format.RLE:
		if v.stored == format.Boolean {
			return v.looseBits(src, n)
		}
	}
	return v.library(src, n, enc)
}

func (v *values) plain(src []byte, n int) error {
	switch v.stored {
	case format.Boolean:
		if len(src) != (n+7)/8 {
			return corrupt("a page has %d bytes for %d booleans", len(src), n)
		}
	case format.ByteArray:
		return v.prefixed(src, n)
	default:
		if len(src) != n*v.width() {
			return corrupt("a page has %d bytes for %d values of %d", len(src), n, v.width())
		}
	}
	v.data = src
	return nil
}

// prefixed finds byte arrays that follow their lengths.
func (v *values) prefixed(src []byte, n int) error {
	v.spare = grow(v.spare, n+1)
	at := uint64(0)
	for i := range v.spare[:n] {
		v.spare[i] = uint32(at)
		if at+4 > uint64(len(src)) {
			return corrupt("a page ends within value %d of %d", i+1, n)
		}
		at += 4 + uint64(binary.LittleEndian.Uint32(src[at:]))
	}
	if at != uint64(len(src)) {
		return corrupt("a page has %d bytes for values of %d", len(src), at)
	}
	v.spare[n] = uint32(at)
	v.data, v.offsets, v.gap = src, v.spare, 4
	return nil
}

// looseBits reads booleans in runs.
func (v *values) looseBits(src []byte, n int) error {
	src, _, err := withLength(src)
	if err != nil {
		return err
	}
	v.own = grow(v.own, n)
	v.data, v.loose = v.own, true
	r := newRuns(src, 1)
	return r.bits(v.own)
}

// withLength cuts off the part of src whose length comes first.
func withLength(src []byte) (part, rest []byte, err error) {
	if len(src) < 4 {
		return nil, nil, corrupt("a page of %d bytes", len(src))
	}
	n := binary.LittleEndian.Uint32(src)
	if src = src[4:]; uint64(n) > uint64(len(src)) {
		return nil, nil, corrupt("a page with a part of %d bytes, of which it has %d", n, len(src))
	}
	return src[:n], src[n:], nil
}

// deltaCount returns the number of values that a DELTA encoding announces, for
// which the library allocates memory at once.
func deltaCount(src []byte) uint64 {
	v := uint64(0)
	for range 3 { // values in a block, parts of a block, values
		n := 0
		if v, n = binary.Uvarint(src); n <= 0 {
			return 0
		}
		src = src[n:]
	}
	return v
}

// library leaves the decoding to the library.
func (v *values) library(src []byte, n int, enc format.Encoding) error {
	e := parquet.LookupEncoding(enc)
	var out encoding.Values
	var err error
	switch v.stored {
	case format.Int32:
		out, err = encoding.DecodeInt32(encoding.Int32ValuesFromBytes(v.own[:0]), src, e)
	case format.Int64:
		out, err = encoding.DecodeInt64(encoding.Int64ValuesFromBytes(v.own[:0]), src, e)
	case format.Int96:
		out, err = encoding.DecodeInt96(encoding.Int96ValuesFromBytes(v.own[:0]), src, e)
	case format.Float:
		out, err = encoding.DecodeFloat(encoding.FloatValuesFromBytes(v.own[:0]), src, e)
	case format.Double:
		out, err = encoding.DecodeDouble(encoding.DoubleValuesFromBytes(v.own[:0]), src, e)
	case format.ByteArray:
		out, err = encoding.DecodeByteArray(encoding.ByteArrayValues(v.own[:0], v.spare[:0]), src, e)
	case format.FixedLenByteArray:
		out, err = encoding.DecodeFixedLenByteArray(encoding.FixedLenByteArrayValues(v.own[:0], v.size), src, e)
	default:
		return unsupported("encoding %v of %v", enc, v.stored)
	}
	switch {
	case err != nil && isUnsupported(err):
		return unsupported("encoding %v of %v", enc, v.stored)
	case err != nil:
		return corrupt("%v", err)
	}
	data, offsets := out.Data()
	v.own, v.data = data, data
	have := 0
	if v.stored == format.ByteArray {
		v.spare, v.offsets = offsets, offsets
		have = len(offsets) - 1
	} else {
		have = len(data) / v.width()
	}
	if have != n {
		return corrupt("a page has %d values instead of %d", have, n)
	}
	return nil
}
