package pairjoin

import (
	"fmt"
	"hash/fnv"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// field is a column that is carried through the join, a word a row.
type field struct {
	name  [2]string        // in the log of each side
	from  [2]int           // its place in the batches of each side
	types [2]analysis.Type // met so far
	unit  bool             // texts are carried as a hash
	names dictionary       // of texts, for both sides

	words []uint64 // of the batch being read
	valid []bool   // nil when no value is missing
}

// read turns a column of a batch of a side into words.
func (f *field) read(side int, c *analysis.Column, rows int) error {
	if c.Type == analysis.Absent {
		f.words = nil
		return nil
	}
	typ := c.Type
	if f.unit && typ == analysis.String {
		typ = analysis.Int
	}
	switch have := f.types[side]; have {
	case analysis.Absent:
		f.types[side] = typ
	case typ:
	default:
		return fmt.Errorf("column %q is %v in one part of the log and %v in another: %w", f.name[side], have, typ, stats.ErrMismatch)
	}
	f.words, f.valid = grow(f.words, rows), c.Valid
	switch c.Type {
	case analysis.Float:
		for i, x := range c.Floats[:rows] {
			f.words[i] = math.Float64bits(x)
		}
	case analysis.Int, analysis.Time:
		for i, x := range c.Ints[:rows] {
			f.words[i] = uint64(x)
		}
	case analysis.Bool:
		for i, x := range c.Bools[:rows] {
			f.words[i] = 0
			if x {
				f.words[i] = 1
			}
		}
	case analysis.String:
		return f.readTexts(side, c, rows)
	case analysis.Absent:
	}
	return nil
}

func (f *field) readTexts(side int, c *analysis.Column, rows int) error {
	if !f.unit {
		f.names.use(c.Dict)
	}
	for i, code := range c.Codes[:rows] {
		if c.Valid != nil && !c.Valid[i] {
			continue
		}
		if uint(code) >= uint(len(c.Dict.Values)) {
			return fmt.Errorf("column %q: code %d of a dictionary of %d: %w", f.name[side], code, len(c.Dict.Values), stats.ErrMismatch)
		}
		if f.unit {
			f.words[i] = unitWord(c.Dict.Values[code])
			continue
		}
		word, ok := f.names.word(code)
		if !ok {
			return fmt.Errorf("the values of column %q take more than %d bytes; slice by a column of fewer values, or raise Options.MemoryLimit: %w", f.name[side], f.names.limit, stats.ErrDomain)
		}
		f.words[i] = word
	}
	return nil
}

// unitWord is the integer that counts in a [summary.Distinct] as a text does: the
// 64-bit FNV-1a hash.
func unitWord(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // a hash never fails to write
	return h.Sum64()
}

// grow returns a slice of n elements, in the memory of s if there is enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// dictionary numbers the texts of a column, whatever dictionaries they came with.
type dictionary struct {
	limit int64 // bytes that it may take
	bytes int64
	all   analysis.Dict
	codes map[string]int32
	dict  *analysis.Dict // the one of the last batch
	known []int32        // its codes in all, -1 for those not looked up yet
}

// bytesPerName is about what a name takes beside its text.
const bytesPerName = 64

func (d *dictionary) use(dict *analysis.Dict) {
	if d.dict != dict {
		d.dict, d.known = dict, d.known[:0]
	}
	for len(d.known) < len(dict.Values) {
		d.known = append(d.known, -1)
	}
}

// word returns the number of a code of the present dictionary, and false when
// there are too many.
func (d *dictionary) word(code int32) (uint64, bool) {
	if have := d.known[code]; have >= 0 {
		return uint64(have), true
	}
	name := d.dict.Values[code]
	have, ok := d.codes[name]
	if !ok {
		if d.bytes += int64(len(name)) + bytesPerName; d.bytes > d.limit {
			return 0, false
		}
		if d.codes == nil {
			d.codes = map[string]int32{}
		}
		have = int32(len(d.all.Values))
		d.codes[name] = have
		d.all.Values = append(d.all.Values, name)
	}
	d.known[code] = have
	return uint64(have), true
}
