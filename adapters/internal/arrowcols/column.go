package arrowcols

import (
	"encoding/binary"

	"github.com/rampguard/rampguard/adapters/internal/names"
	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
	"github.com/rampguard/rampguard/analysis"
)

// column cuts the arrays of one column into blocks. Its memory serves one block
// after another.
type column struct {
	unit   bool
	floats []float64
	ints   []int64
	bools  []bool
	codes  []int32
	valid  []bool
	names  names.Names

	memory Memory          // of the dictionary whose values are known; nil when none are
	values analysis.Column // its values, one per code
}

func (c *column) close() {
	if c.memory != nil {
		c.memory.Release()
		c.memory = nil
	}
}

// fill sets out to n values of an array that was checked. The slices of out hold
// until the next call, and as long as the array.
func (c *column) fill(out *analysis.Column, a *Array, from, n int) error {
	*out = analysis.Column{Type: a.Analysis()}
	if out.Type == analysis.Absent {
		return nil
	}
	if a.Valid != nil && countBits(a.Valid, a.Offset+from, n) < n {
		c.valid = grow(c.valid, n)
		for i := range c.valid {
			c.valid[i] = bit(a.Valid, a.Offset+from+i)
		}
		out.Valid = c.valid
	}
	if a.Codes != Unread {
		return c.fillCoded(out, a, from, n)
	}
	switch out.Type {
	case analysis.Float:
		out.Floats = a.floats(c.floats, from, n)
		c.floats = keep(c.floats, out.Floats, a.Kind == Float64)
	case analysis.Int, analysis.Time:
		ints, err := a.ints(c.ints, from, n, c.unit, func(i int) bool { return out.Valid != nil && !out.Valid[i] })
		if err != nil {
			return err
		}
		out.Ints = ints
		c.ints = keep(c.ints, ints, a.Kind == Int64 || a.Kind == Micros)
	case analysis.Bool:
		c.bools = grow(c.bools, n)
		for i := range c.bools {
			c.bools[i] = bit(a.Values, a.Offset+from+i)
		}
		out.Bools = c.bools
	default:
		c.names.IDs = c.unit
		c.names.Trim()
		c.codes = grow(c.codes, n)
		out.Codes, out.Dict = c.codes, c.names.Dict()
		return c.code(c.codes, &c.names, a, from, out.Valid)
	}
	return nil
}

// keep returns what may serve as memory for the next block: not that of an array.
func keep[T any](mine, used []T, foreign bool) []T {
	if foreign {
		return mine
	}
	return used
}

// code finds the codes of texts.
func (c *column) code(dst []int32, n *names.Names, a *Array, from int, valid []bool) error {
	for i := range dst {
		if valid != nil && !valid[i] {
			dst[i] = 0
			continue
		}
		text, err := a.text(a.Offset + from + i)
		if err != nil {
			return err
		}
		switch a.Kind {
		case Fixed:
			text = n.Hex(text)
		case UUID:
			text = n.UUID(text)
		}
		dst[i] = n.Code(text)
	}
	return nil
}

// text returns the bytes of a value, counted from the begin of the buffers.
func (a *Array) text(i int) ([]byte, error) {
	var from, to uint64
	switch a.Kind {
	case Text:
		from, to = uint64(binary.NativeEndian.Uint32(a.Offsets[4*i:])), uint64(binary.NativeEndian.Uint32(a.Offsets[4*i+4:]))
	case LargeText:
		from, to = binary.NativeEndian.Uint64(a.Offsets[8*i:]), binary.NativeEndian.Uint64(a.Offsets[8*i+8:])
	case TextView:
		return a.viewed(a.Values[16*i:][:16])
	default:
		size := a.size()
		return a.Values[i*size:][:size], nil
	}
	if from > to || to > uint64(len(a.Values)) {
		return nil, rowfiles.Corrupt("a text from byte %d to %d of %d", from, to, len(a.Values))
	}
	return a.Values[from:to], nil
}

// viewed returns the bytes that a view stands for.
func (a *Array) viewed(v []byte) ([]byte, error) {
	n := uint64(binary.NativeEndian.Uint32(v))
	if n <= 12 {
		return v[4:][:n], nil
	}
	block, at := binary.NativeEndian.Uint32(v[8:]), uint64(binary.NativeEndian.Uint32(v[12:]))
	if uint64(block) >= uint64(len(a.Blocks)) || at+n > uint64(len(a.Blocks[block])) {
		return nil, rowfiles.Corrupt("a text of %d bytes at %d of block %d", n, at, block)
	}
	return a.Blocks[block][at:][:n], nil
}

// fillCoded is fill for dictionary arrays.
func (c *column) fillCoded(out *analysis.Column, a *Array, from, n int) error {
	if err := c.learn(a.Dict); err != nil {
		return err
	}
	c.codes = grow(c.codes, n)
	at := a.Offset + from
	switch a.Codes {
	case Int8:
		narrow(c.codes, view[int8](a.Values, at, n))
	case Int16:
		narrow(c.codes, view[int16](a.Values, at, n))
	case Int32:
		copy(c.codes, view[int32](a.Values, at, n))
	case Int64:
		narrow(c.codes, view[int64](a.Values, at, n))
	case Uint8:
		narrow(c.codes, view[uint8](a.Values, at, n))
	case Uint16:
		narrow(c.codes, view[uint16](a.Values, at, n))
	case Uint32:
		narrow(c.codes, view[uint32](a.Values, at, n))
	default:
		narrow(c.codes, view[uint64](a.Values, at, n))
	}
	size := int32(a.Dict.Len)
	for i, code := range c.codes {
		if uint32(code) < uint32(size) {
			continue
		}
		if out.Valid == nil || out.Valid[i] {
			return rowfiles.Corrupt("code %d of a dictionary of %d values", code, size)
		}
		c.codes[i] = 0
	}
	if c.values.Valid != nil { // a missing value can be in the dictionary, too
		if out.Valid == nil {
			c.valid = grow(c.valid, n)
			for i := range c.valid {
				c.valid[i] = true
			}
			out.Valid = c.valid
		}
		for i, code := range c.codes {
			out.Valid[i] = out.Valid[i] && c.values.Valid[code]
		}
	}
	switch out.Type {
	case analysis.Float:
		c.floats = pick(c.floats, c.values.Floats, c.codes)
		out.Floats = c.floats
	case analysis.Int, analysis.Time:
		c.ints = pick(c.ints, c.values.Ints, c.codes)
		out.Ints = c.ints
	case analysis.Bool:
		c.bools = pick(c.bools, c.values.Bools, c.codes)
		out.Bools = c.bools
	default:
		out.Codes, out.Dict = c.codes, c.values.Dict
	}
	return nil
}

// narrow copies codes; those out of range become -1.
func narrow[T number](dst []int32, src []T) {
	for i, x := range src {
		dst[i] = int32(x)
		if T(dst[i]) != x || x < 0 {
			dst[i] = -1
		}
	}
}

// pick looks values up. A code without a value, which only a missing row can
// have, gives the zero value.
func pick[T any](dst, values []T, codes []int32) []T {
	dst = grow(dst, len(codes))
	if len(values) == 0 {
		clear(dst)
		return dst
	}
	for i, code := range codes {
		dst[i] = values[code]
	}
	return dst
}

// learn reads a dictionary, unless its values are known.
func (c *column) learn(d *Array) error {
	if c.memory != nil && c.memory == d.Memory {
		return nil
	}
	if err := d.Check(); err != nil {
		return err
	}
	c.close()
	inner := column{unit: c.unit}
	var got analysis.Column
	if d.Analysis() == analysis.String {
		codes := make([]int32, d.Len)
		var valid []bool
		if d.Valid != nil {
			valid = make([]bool, d.Len)
			for i := range valid {
				valid[i] = bit(d.Valid, d.Offset+i)
			}
		}
		// The names of a dictionary differ, so that none has to be looked up, and
		// the codes stay.
		dict := &analysis.Dict{Values: make([]string, d.Len)}
		inner.names.IDs = true
		if err := inner.code(codes, &inner.names, d, 0, valid); err != nil {
			return err
		}
		for i, code := range codes {
			if valid == nil || valid[i] {
				dict.Values[i] = inner.names.Dict().Values[code]
			}
		}
		got = analysis.Column{Dict: dict, Valid: valid}
	} else if err := inner.fill(&got, d, 0, d.Len); err != nil {
		return err
	}
	c.values = got
	if c.memory = d.Memory; c.memory != nil {
		c.memory.Retain()
	}
	return nil
}
