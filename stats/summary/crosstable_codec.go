package summary

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rampguard/rampguard/stats"
)

const crossWire = 1

// MarshalBinary implements [encoding.BinaryMarshaler]. Equal states give equal
// bytes, however the rows came in.
func (t *CrossTable) MarshalBinary() ([]byte, error) {
	var w writer
	w.b = make([]byte, 0, 64+len(t.codes)+24*len(t.marks)) // about as long as it gets
	w.u64(crossWire)
	w.u64(uint64(t.columns))
	w.cross(t.o, t.level, [...]uint64{t.left, t.null, t.noUnit, t.unfit})
	for c := range t.columns {
		names, _ := t.ranks(c)
		w.u64(uint64(len(names)))
		for _, name := range names {
			w.str(name)
		}
	}
	w.u64(uint64(len(t.marks)))
	for _, e := range t.sorted() {
		s := &t.sums[e.at]
		w.cell(e.codes, e.mark, s.n, words(s.sum[:]), words(s.squares[:]), s.max)
	}
	return w.b, nil
}

func (w *writer) cross(o CrossOptions, level int, counts [4]uint64) {
	for _, v := range [...]int{o.Cap, o.Values, level} {
		w.u64(uint64(v))
	}
	for _, v := range counts {
		w.u64(v)
	}
}

func (w *writer) cell(codes []uint32, mark uint8, n uint64, sum, squares *big.Int, top uint64) {
	for _, c := range codes {
		w.u64(uint64(c))
	}
	w.u64(uint64(mark))
	w.u64(n)
	w.integer(sum)
	w.integer(squares)
	w.u64(top)
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]. Damaged input is an
// error and leaves t unchanged.
func (t *CrossTable) UnmarshalBinary(b []byte) error {
	r := reader{b: b}
	r.version("cross table", crossWire)
	columns := r.u64()
	if columns > maxCrossColumns {
		r.fail("%d columns", columns)
	}
	out := CrossTable{}
	if r.err == nil {
		out.columns = int(columns)
		out.decode(&r)
	}
	if err := r.done(); err != nil {
		return err
	}
	out.epoch = t.epoch + 1
	*t = out
	return nil
}

func (t *CrossTable) decode(r *reader) {
	limit, values, level := r.u64(), r.u64(), r.u64()
	if limit > maxCrossCap || values > maxCrossCap || level > 33 {
		r.fail("bounds of %d cells and %d values, level %d", limit, values, level)
		return
	}
	t.o, t.level = CrossOptions{int(limit), int(values)}, int(level)
	if t.o != t.o.canonical() || t.columns == 0 && t.o != (CrossOptions{}) {
		r.fail("bounds %+v in another form", t.o)
	}
	for _, p := range []*uint64{&t.left, &t.null, &t.noUnit, &t.unfit} {
		*p = r.u64()
	}
	t.dicts = make([]crossDict, t.columns)
	for c := range t.dicts {
		last := ""
		for i := range r.length(1) {
			name := r.str()
			if i > 0 && name <= last {
				r.fail("values out of order")
			}
			last = name
			t.Code(c, name)
		}
	}
	total := t.left
	var last crossEntry
	n := r.length(t.columns + 5)
	if n > 0 && t.columns == 0 {
		r.fail("cells without columns")
		return
	}
	for i := range n {
		e := crossEntry{codes: make([]uint32, t.columns)}
		for c := range e.codes {
			if e.codes[c] = r.u32(); int(e.codes[c]) > len(t.dicts[c].names) {
				r.fail("value %d of %d", e.codes[c], len(t.dicts[c].names))
			}
		}
		mark := r.u32()
		if mark > 65 || int(mark>>1) < t.level {
			r.fail("a cell of level %d below %d", mark>>1, t.level)
		}
		e.mark = uint8(mark)
		s := r.crossSum()
		if r.err != nil {
			return
		}
		if i > 0 && last.compare(&e) >= 0 {
			r.fail("cells out of order")
			return
		}
		last = e
		total = r.sum(total, s.n)
		t.sums[t.entry(e.codes, e.mark)] = s
	}
	t.check(r)
}

// check reports as damage what a table cannot hold.
func (t *CrossTable) check(r *reader) {
	b := t.Bounds()
	if len(t.marks) > b.Cap || t.values > b.Values {
		r.fail("%d cells and %d values with bounds %+v", len(t.marks), t.values, b)
	}
	if t.level > 0 && t.left == 0 {
		r.fail("level %d and no row left out", t.level)
	}
	if t.level == 0 && t.left != 0 {
		r.fail("%d rows left out at level 0", t.left)
	}
	for c := range t.dicts {
		if names, _ := t.ranks(c); len(names) != len(t.dicts[c].names) {
			r.fail("a value that no row has")
		}
	}
}

// crossSum reads sums that some errors can have.
func (r *reader) crossSum() (s CrossSum) {
	s.n = r.u64()
	sum, squares := r.integer(128), r.integer(192)
	s.max = r.u64()
	if r.err != nil {
		return s
	}
	n, top := new(big.Int).SetUint64(s.n), new(big.Int).SetUint64(s.max)
	mul := func(a, b *big.Int) *big.Int { return new(big.Int).Mul(a, b) }
	switch {
	case s.n == 0, sum.Sign() < 0, squares.Sign() < 0,
		sum.Cmp(top) < 0, sum.Cmp(mul(n, top)) > 0,
		squares.Cmp(mul(top, top)) < 0, squares.Cmp(mul(sum, top)) > 0,
		mul(sum, sum).Cmp(mul(n, squares)) > 0:
		r.fail("sums of %d errors do not fit", s.n)
		return s
	}
	split := func(z *big.Int, to []uint64) {
		low, rest := new(big.Int).SetUint64(^uint64(0)), new(big.Int).Set(z)
		for i := range to {
			to[i] = new(big.Int).And(rest, low).Uint64()
			rest.Rsh(rest, 64)
		}
	}
	split(sum, s.sum[:])
	split(squares, s.squares[:])
	return s
}

type crossJSON struct {
	Columns int         `json:"columns"`
	Cap     int         `json:"cap,omitempty"`
	Bound   int         `json:"bound,omitempty"`
	Level   int         `json:"level,omitempty"`
	Left    uint64      `json:"left,omitempty"`
	Null    uint64      `json:"null,omitempty"`
	NoUnit  uint64      `json:"no_unit,omitempty"`
	Unfit   uint64      `json:"unfit,omitempty"`
	Values  [][]string  `json:"values,omitempty"`
	Cells   []crossLine `json:"cells,omitempty"`
}

// crossLine is a cell. Sum, squares and max are exact numbers.
type crossLine struct {
	Codes   []uint32 `json:"codes"`
	Half    uint8    `json:"half"`
	Level   uint8    `json:"level"`
	N       uint64   `json:"n"`
	Sum     string   `json:"sum"`
	Squares string   `json:"squares"`
	Max     string   `json:"max"`
}

// MarshalJSON implements [json.Marshaler]. Sums are strings that hold their exact
// values; see [Sum.MarshalJSON]. A value that is not valid UTF-8 or begins with a
// quotation mark is written as a Go string.
func (t *CrossTable) MarshalJSON() ([]byte, error) {
	j := crossJSON{Columns: t.columns, Cap: t.o.Cap, Bound: t.o.Values, Level: t.level, Left: t.left, Null: t.null, NoUnit: t.noUnit, Unfit: t.unfit}
	for c := range t.columns {
		names, _ := t.ranks(c)
		texts := []string{}
		for _, name := range names {
			if strings.HasPrefix(name, `"`) || !utf8.ValidString(name) {
				name = strconv.Quote(name)
			}
			texts = append(texts, name)
		}
		j.Values = append(j.Values, texts)
	}
	for _, e := range t.sorted() {
		s := &t.sums[e.at]
		j.Cells = append(j.Cells, crossLine{e.codes, e.mark & 1, e.mark >> 1, s.n,
			formatExact(words(s.sum[:]), -32), formatExact(words(s.squares[:]), -64), formatExact(new(big.Int).SetUint64(s.max), -32)})
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements [json.Unmarshaler]. Damaged input is an error and
// leaves t unchanged.
func (t *CrossTable) UnmarshalJSON(b []byte) error {
	var j crossJSON
	if err := readJSON("CrossTable", b, &j); err != nil {
		return err
	}
	fail := func(what string) error {
		return fmt.Errorf("summary: CrossTable: %s: %w", what, stats.ErrMismatch)
	}
	if min(j.Columns, j.Cap, j.Bound, j.Level) < 0 || len(j.Values) != j.Columns {
		return fail("columns and values do not fit")
	}
	var w writer
	w.u64(crossWire)
	w.u64(uint64(j.Columns))
	w.cross(CrossOptions{j.Cap, j.Bound}, j.Level, [...]uint64{j.Left, j.Null, j.NoUnit, j.Unfit})
	for _, names := range j.Values {
		w.u64(uint64(len(names)))
		for _, name := range names {
			if strings.HasPrefix(name, `"`) {
				text, err := strconv.Unquote(name)
				if err != nil || strconv.Quote(text) != name {
					return fail("bad value " + name)
				}
				name = text
			}
			w.str(name)
		}
	}
	w.u64(uint64(len(j.Cells)))
	for _, c := range j.Cells {
		sum, err1 := parseExact(c.Sum, -32, 128)
		squares, err2 := parseExact(c.Squares, -64, 192)
		top, err3 := parseExact(c.Max, -32, 64)
		if err1 != nil || err2 != nil || err3 != nil || len(c.Codes) != j.Columns || c.Half > 1 || c.Level > 32 {
			return fail("bad cell")
		}
		w.cell(c.Codes, c.Level<<1|c.Half, c.N, sum, squares, top.Uint64())
	}
	return t.UnmarshalBinary(w.b)
}
