package parquetrows

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go/format"

	"github.com/rampguard/rampguard/analysis"
)

// maxNames is the number of names met in plain pages beyond which a dictionary
// is given up for a new one.
const maxNames = 1 << 16

// names turns the text of a column chunk into codes of an [analysis.Dict].
//
// Codes of the dictionary of the chunk are passed on as they are. When a chunk
// falls back to plain pages, as writers do once its dictionary is full, new names
// are appended to the same Dict, so that a block may lie across the change.
type names struct {
	form   form
	ids    bool // of units: most names are new, and none is looked up
	dict   *analysis.Dict
	none   analysis.Dict    // stands in for dict before the first name
	stored []string         // the names in the dictionary of the chunk; nil before its first use
	asIs   bool             // dict starts with stored
	lookup []int32          // codes in dict of stored, when it does not
	seen   map[string]int32 // codes in dict, once there are plain pages
	met    int              // names in dict that are not in stored
	room   strings.Builder  // the bytes of names met in plain pages
	raw    []byte
}

func (s *names) reset(f form, unit bool) {
	clear(s.seen)
	*s = names{form: f, ids: unit, seen: s.seen, lookup: s.lookup, raw: s.raw}
}

// trim starts a new dictionary when there are too many names in the present one.
// It must not be called within a block.
func (s *names) trim(c *cursor) {
	enough := maxNames
	if s.ids {
		enough = 0
	}
	if s.met <= enough {
		return
	}
	s.dict, s.asIs, s.met = &analysis.Dict{Values: make([]string, 0, s.met)}, false, 0
	clear(s.seen)
	if c.coded {
		s.translate()
	}
}

// present is the dictionary of the codes of a block.
func (s *names) present() *analysis.Dict {
	if s.dict == nil { // all rows so far are null
		return &s.none
	}
	return s.dict
}

// load takes over the n values of the page.
func (s *names) load(c *cursor, data []byte, n int, enc format.Encoding) error {
	c.codes.read = 0
	if !c.coded {
		if n > 0 {
			s.prepare()
		}
		return c.codes.data.decode(data, n, enc)
	}
	if s.stored == nil {
		s.open(&c.dict, c.dictLen)
	}
	if s.dict == nil {
		s.dict, s.asIs = &analysis.Dict{Values: s.stored}, true
	}
	if !s.asIs {
		s.translate()
	}
	return nil
}

// open makes strings of the dictionary of the chunk.
func (s *names) open(dict *values, n int) {
	size := len(dict.data) - 4*n // without the lengths
	if s.form != text {
		size = n * (2*dict.size + 4) // with the digits
	}
	s.room = strings.Builder{}
	s.room.Grow(size)
	s.stored = make([]string, n)
	for i := range s.stored {
		s.stored[i] = s.keep(s.name(dict, i))
	}
}

// translate finds the codes of the names in the dictionary of the chunk, for
// pages coded with it that come after others.
func (s *names) translate() {
	s.prepare()
	s.lookup = grow(s.lookup, len(s.stored))
	for i, name := range s.stored {
		code, ok := s.seen[name]
		if !ok {
			code = s.add(name)
		}
		s.lookup[i] = code
	}
}

// prepare gets ready to look names up.
func (s *names) prepare() {
	if s.dict == nil {
		s.dict = &analysis.Dict{}
	}
	if s.ids || len(s.seen) > 0 {
		return
	}
	if s.seen == nil {
		s.seen = map[string]int32{}
	}
	for i, name := range s.dict.Values {
		if _, twice := s.seen[name]; !twice {
			s.seen[name] = int32(i)
		}
	}
}

// take is the converter of the column.
func (s *names) take(c *cursor, dst []int32, src *values, from int) error {
	if !c.coded {
		for i := range dst {
			name := s.name(src, from+i)
			code, ok := s.seen[string(name)]
			if !ok {
				code = s.add(s.keep(name))
			}
			dst[i] = code
		}
		return nil
	}
	if err := c.runs.codes(dst); err != nil {
		return err
	}
	if bad := firstBad(dst, len(s.stored)); bad >= 0 {
		return badCode(dst[bad], len(s.stored))
	}
	if !s.asIs {
		for i, k := range dst {
			dst[i] = s.lookup[k]
		}
	}
	return nil
}

// firstBad returns the position of the first code that is not in a dictionary of
// the given size, or -1.
func firstBad(codes []int32, size int) int {
	last := int32(size - 1)
	bad := int32(0) // becomes negative
	for _, k := range codes {
		bad |= k | (last - k)
	}
	if bad >= 0 {
		return -1
	}
	for i, k := range codes {
		if k < 0 || k > last {
			return i
		}
	}
	return -1
}

// add appends a name to the dictionary.
func (s *names) add(name string) int32 {
	code := int32(len(s.dict.Values))
	s.dict.Values = append(s.dict.Values, name)
	s.met++
	if !s.ids {
		s.seen[name] = code
	}
	return code
}

// keep copies a name to memory that stays. Names share allocations, as there may
// be one per row.
func (s *names) keep(name []byte) string {
	const block = 1 << 15
	if s.room.Cap()-s.room.Len() < len(name) {
		s.room = strings.Builder{}
		s.room.Grow(max(block, len(name)))
	}
	start := s.room.Len()
	s.room.Write(name)
	return s.room.String()[start:]
}

// name returns the text of a stored value: bytes that are UTF-8 as they are,
// others as 0x and hexadecimal digits, and a UUID in its usual form. The bytes
// hold until the next call.
func (s *names) name(src *values, i int) []byte {
	b := src.bytes(i)
	switch s.form {
	case text:
		if utf8.Valid(b) {
			return b
		}
	case uuid:
		out := s.raw[:0]
		for k, n := range [...]int{4, 2, 2, 2, 6} {
			if k > 0 {
				out = append(out, '-')
			}
			out = hex.AppendEncode(out, b[:n])
			b = b[n:]
		}
		s.raw = out
		return out
	}
	s.raw = hex.AppendEncode(append(s.raw[:0], "0x"...), b)
	return s.raw
}
