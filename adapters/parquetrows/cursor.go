package parquetrows

import (
	"bytes"
	"errors"
	"io"

	"github.com/parquet-go/parquet-go/format"

	"github.com/rampguard/rampguard/analysis"
)

// cursor reads one column of one row group, page after page, and cuts it into
// blocks of rows. It holds one page at a time, in memory that it keeps from one
// row group to the next.
type cursor struct {
	leaf  *leaf // nil: no such column, or always null
	codec format.CompressionCodec
	pager pager
	tools *tools
	todo  int64 // rows of the row group that are in pages still to come

	// The current page.
	raw    []byte // decompressed
	rows   int    // not read yet
	level  []byte // definition levels of these rows, 0 or 1; nil when none is null
	levels []byte // memory of level
	runs   runs   // dictionary codes not read yet
	coded  bool   // whether there are any
	valid  []bool // one block

	dict    values // the dictionary of the chunk
	dictRaw []byte // its memory
	dictLen int    // -1 when there is none

	floats lane[float64]
	ints   lane[int64]
	bools  lane[bool]
	codes  lane[int32]
	names  names
}

// tools is the memory that the cursors of a worker share.
type tools struct {
	decompressor
	packed []byte  // the compressed page
	codes  []int32 // one block
}

// start begins a column chunk of the given number of rows.
func (c *cursor) start(t *tools, in *input, l *leaf, group int, unit bool) error {
	g := &in.meta.RowGroups[group]
	meta := &g.Columns[l.index].MetaData
	c.leaf, c.codec, c.tools, c.todo = l, meta.Codec, t, g.NumRows
	c.rows, c.level, c.coded, c.dictLen = 0, nil, false, -1
	c.dict.stored, c.dict.size = l.stored, l.size
	switch l.typ {
	case analysis.Float:
		c.floats.reset(l, floats(l))
	case analysis.Int, analysis.Time:
		c.ints.reset(l, ints(l, unit))
	case analysis.Bool:
		c.bools.reset(l, bools)
	case analysis.String:
		c.names.reset(l.form, unit)
		c.codes.reset(l, func(dst []int32, src *values, from int) error { return c.names.take(c, dst, src, from) })
		c.codes.coder = true
	}
	return c.pager.start(in.os, meta, in.stamp.size)
}

// fill sets out to the next n rows. Its slices may be memory of the page, and
// hold until the next call.
func (c *cursor) fill(out *analysis.Column, n int) error {
	*out = analysis.Column{Type: c.leaf.typ}
	var err error
	switch c.leaf.typ {
	case analysis.Float:
		out.Floats, out.Valid, err = block(c, &c.floats, n)
	case analysis.Int, analysis.Time:
		out.Ints, out.Valid, err = block(c, &c.ints, n)
	case analysis.Bool:
		out.Bools, out.Valid, err = block(c, &c.bools, n)
	case analysis.String:
		c.names.trim(c)
		out.Codes, out.Valid, err = block(c, &c.codes, n)
		out.Dict = c.names.present()
	}
	return err
}

// next moves to the next page that has rows. At the end of the chunk it returns
// io.EOF.
func (c *cursor) next() error {
	for c.rows == 0 {
		if err := c.pager.next(); err != nil {
			return err
		}
		h := &c.pager.header
		var err error
		switch {
		case h.Type == format.DictionaryPage && h.DictionaryPageHeader.Valid:
			err = c.dictionary(&h.DictionaryPageHeader.V)
		case h.Type == format.DataPage && h.DataPageHeader.Valid:
			err = c.version1(&h.DataPageHeader.V)
		case h.Type == format.DataPageV2 && h.DataPageHeaderV2.Valid:
			err = c.version2(&h.DataPageHeaderV2.V)
		case h.Type == format.IndexPage:
			c.pager.skip()
		default:
			err = corrupt("page header of type %d", h.Type)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unpack reads the body of the page and decompresses what follows the first head
// bytes. The memory of both results has padding bytes more.
func (c *cursor) unpack(into *[]byte, head int, compressed bool) (levels, data []byte, err error) {
	size := int(c.pager.header.CompressedPageSize)
	if c.codec == format.Uncompressed || !compressed {
		*into = grow(*into, size+padding)[:size]
		if err := c.pager.body(*into); err != nil {
			return nil, nil, err
		}
		return (*into)[:head], (*into)[head:], nil
	}
	c.tools.packed = grow(c.tools.packed, size)
	packed := c.tools.packed
	if err := c.pager.body(packed); err != nil {
		return nil, nil, err
	}
	full := int(c.pager.header.UncompressedPageSize)
	if full < head {
		return nil, nil, corrupt("a page of %d bytes with levels of %d", full, head)
	}
	*into = grow(*into, full+padding)[:full]
	copy(*into, packed[:head])
	if err := c.tools.decompress((*into)[head:], packed[head:], c.codec); err != nil {
		return nil, nil, err
	}
	return (*into)[:head], (*into)[head:], nil
}

// dictionary reads the dictionary page.
func (c *cursor) dictionary(h *format.DictionaryPageHeader) error {
	if c.dictLen >= 0 {
		return corrupt("a second dictionary")
	}
	if h.Encoding != format.Plain && h.Encoding != oldDictionary {
		return unsupported("a dictionary in encoding %v", h.Encoding)
	}
	_, data, err := c.unpack(&c.dictRaw, 0, true)
	if err != nil {
		return err
	}
	if h.NumValues < 0 || int64(h.NumValues) > 8*int64(len(data)) {
		return corrupt("a dictionary of %d values in %d bytes", h.NumValues, len(data))
	}
	c.dictLen = int(h.NumValues)
	return c.dict.decode(data, c.dictLen, format.Plain)
}

func (c *cursor) version1(h *format.DataPageHeader) error {
	if err := c.admit(h.NumValues); err != nil {
		return err
	}
	_, data, err := c.unpack(&c.raw, 0, true)
	if err != nil {
		return err
	}
	var levels []byte
	if c.leaf.optional {
		if h.DefinitionLevelEncoding != format.RLE {
			return unsupported("levels in encoding %v", h.DefinitionLevelEncoding)
		}
		if levels, data, err = withLength(data); err != nil {
			return err
		}
	}
	return c.load(int(h.NumValues), levels, data, h.Encoding)
}

func (c *cursor) version2(h *format.DataPageHeaderV2) error {
	if err := c.admit(h.NumValues); err != nil {
		return err
	}
	rep, def := int64(h.RepetitionLevelsByteLength), int64(h.DefinitionLevelsByteLength)
	if rep < 0 || def < 0 || rep+def > int64(c.pager.header.CompressedPageSize) {
		return corrupt("a page with levels of %d and %d bytes", rep, def)
	}
	levels, data, err := c.unpack(&c.raw, int(rep+def), !h.IsCompressed.Valid || h.IsCompressed.V)
	if err != nil {
		return err
	}
	if err := c.load(int(h.NumValues), levels[rep:], data, h.Encoding); err != nil {
		return err
	}
	if nulls := len(c.level) - countPresent(c.level); nulls != int(h.NumNulls) || h.NumRows != h.NumValues {
		return corrupt("a page of %d rows with %d nulls says that it has %d and %d", h.NumValues, nulls, h.NumRows, h.NumNulls)
	}
	return nil
}

// admit takes the rows of a page from those still to come.
func (c *cursor) admit(rows int32) error {
	if rows < 0 || int64(rows) > c.todo {
		return corrupt("a page of %d rows where %d are left in the row group", rows, c.todo)
	}
	c.todo -= int64(rows)
	return nil
}

// load sets up the lane for the page.
func (c *cursor) load(rows int, levels, data []byte, enc format.Encoding) error {
	c.rows, c.level = rows, nil
	present := rows
	if r := newRuns(levels, 1); c.leaf.optional && rows > 0 && !r.all(rows) {
		c.levels = grow(c.levels, rows)
		if err := r.bits(c.levels); err != nil {
			return err
		}
		present = countPresent(c.levels)
		if present < rows {
			c.level = c.levels
		}
	}
	c.coded = present > 0 && (enc == format.RLEDictionary || enc == oldDictionary)
	if c.coded {
		if err := c.loadCodes(data); err != nil {
			return err
		}
	}
	switch c.leaf.typ {
	case analysis.Float:
		return c.floats.load(c, data, present, enc)
	case analysis.Int, analysis.Time:
		return c.ints.load(c, data, present, enc)
	case analysis.Bool:
		return c.bools.load(c, data, present, enc)
	default:
		return c.names.load(c, data, present, enc)
	}
}

// loadCodes sets up the dictionary codes of the page.
func (c *cursor) loadCodes(data []byte) error {
	if c.dictLen < 0 {
		return corrupt("a page needs a dictionary that the column does not have")
	}
	if len(data) == 0 || data[0] > 32 {
		return corrupt("a page without the width of its codes")
	}
	c.runs = newRuns(data[1:], uint(data[0]))
	return nil
}

// lane carries the values of a column from its pages into batches.
type lane[T any] struct {
	convert converter[T] // nil when pages hold values of T
	coder   bool         // whether convert sees to dictionary codes, too
	lookup  []T          // the values of the dictionary of the chunk
	known   bool         // whether lookup is that of this chunk
	memory  []T          // of lookup, when it is not the dictionary itself
	buf     []T          // one block

	// The current page, unless it holds dictionary codes.
	plain []T    // values not read yet, when they need no conversion
	data  values // values to be converted
	read  int    // how many of them have been
}

func (l *lane[T]) reset(f *leaf, convert converter[T]) {
	l.convert, l.lookup, l.known, l.plain = convert, nil, false, nil
	l.data.stored, l.data.size = f.stored, f.size
}

// load takes over the n values of the page.
func (l *lane[T]) load(c *cursor, data []byte, n int, enc format.Encoding) error {
	l.plain, l.read = nil, 0
	switch {
	case !c.coded:
		if err := l.data.decode(data, n, enc); err != nil {
			return err
		}
		if l.convert == nil {
			l.plain = direct[T](&l.data)
		}
	case !l.known && l.convert == nil:
		l.lookup, l.known = direct[T](&c.dict), true
	case !l.known:
		l.memory = grow(l.memory, c.dictLen)
		l.lookup, l.known = l.memory, true
		return l.convert(l.lookup, &c.dict, 0)
	}
	return nil
}

// direct returns the values of a page that need no conversion.
func direct[T any](v *values) (out []T) {
	switch p := any(&out).(type) {
	case *[]float64:
		*p = v.doubles()
	case *[]int64:
		*p = v.int64s()
	}
	return out
}

// take writes the next len(dst) values to dst.
func (l *lane[T]) take(c *cursor, dst []T) error {
	switch {
	case c.coded && !l.coder:
		c.tools.codes = grow(c.tools.codes, len(dst))
		codes, lookup := c.tools.codes, l.lookup
		if err := c.runs.codes(codes); err != nil {
			return err
		}
		for i, k := range codes {
			if uint(k) >= uint(len(lookup)) {
				return badCode(k, len(lookup))
			}
			dst[i] = lookup[k]
		}
	case l.convert == nil:
		copy(dst, l.plain[:len(dst)])
		l.plain = l.plain[len(dst):]
	default:
		if err := l.convert(dst, &l.data, l.read); err != nil {
			return err
		}
		l.read += len(dst)
	}
	return nil
}

func badCode(k int32, size int) error {
	return corrupt("code %d of a dictionary of %d values", k, size)
}

// block returns the next n rows of c, whose values come through l.
func block[T any](c *cursor, l *lane[T], n int) (vals []T, valid []bool, err error) {
	if err := c.need(); err != nil {
		return nil, nil, err
	}
	if c.rows >= n && !c.coded && l.plain != nil && (c.level == nil || countPresent(c.level[:n]) == n) {
		vals, l.plain = l.plain[:n:n], l.plain[n:]
		c.advance(n)
		return vals, nil, nil
	}
	l.buf = grow(l.buf, n)
	for done := 0; done < n; {
		if err := c.need(); err != nil {
			return nil, nil, err
		}
		m := min(n-done, c.rows)
		dst, k := l.buf[done:done+m], m
		if c.level != nil {
			k = countPresent(c.level[:m])
		}
		if err := l.take(c, dst[:k]); err != nil {
			return nil, nil, err
		}
		if k < m {
			if valid == nil {
				c.valid = grow(c.valid, n)
				valid = c.valid
				fill(valid, true)
			}
			expand(dst, valid[done:done+m], c.level[:m], k)
		}
		c.advance(m)
		done += m
	}
	return l.buf[:n], valid, nil
}

// need makes sure that there is a row to read.
func (c *cursor) need() error {
	if c.rows > 0 {
		return nil
	}
	err := c.next()
	if errors.Is(err, io.EOF) {
		return corrupt("the column ends %d rows before the row group does", c.todo)
	}
	return err
}

func (c *cursor) advance(n int) {
	c.rows -= n
	if c.level != nil {
		c.level = c.level[n:]
	}
}

// finish makes sure that nothing is left of the column but pages without rows.
func (c *cursor) finish() error {
	err := c.next()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

var one = []byte{1}

func countPresent(level []byte) int { return bytes.Count(level, one) }
