package summary

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/rampguard/rampguard/stats"
)

const categoricalWire = 1

// MarshalBinary implements [encoding.BinaryMarshaler]. Equal states give equal
// bytes, however the values came in.
func (c *Categorical) MarshalBinary() ([]byte, error) {
	var w writer
	c.write(&w)
	return w.b, nil
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler]. Damaged input is an
// error and leaves c unchanged.
func (c *Categorical) UnmarshalBinary(b []byte) error {
	r := reader{b: b}
	var out Categorical
	out.read(&r)
	if err := r.done(); err != nil {
		return err
	}
	*c = out
	return nil
}

func (c *Categorical) write(w *writer) {
	c.compact()
	w.u64(categoricalWire)
	w.u64(uint64(c.limit))
	w.u64(c.null)
	w.u64(c.bound)
	if c.bound != 0 {
		for _, n := range c.other {
			w.u64(n)
		}
	}
	counts := c.Counts()
	w.u64(uint64(len(counts)))
	for _, e := range counts {
		w.str(e.Name)
		w.u64(e.N)
	}
}

func (c *Categorical) read(r *reader) {
	r.version("categorical", categoricalWire)
	limit := r.u64()
	if limit > 1<<20 || limit == DefaultCap {
		r.fail("cap %d", limit)
		return
	}
	c.limit = int(limit)
	c.null = r.u64()
	c.bound = r.u64()
	if c.bound != 0 {
		for i := range c.other {
			c.other[i] = r.u64()
			c.total = r.sum(c.total, c.other[i])
		}
		if c.total == 0 {
			r.fail("no name was left out")
		}
	}
	n := r.length(2)
	if n > c.Cap() || (c.bound != 0 && n < c.Cap()) {
		r.fail("%d categories under cap %d", n, c.Cap())
		return
	}
	if n > 0 {
		c.counts = make(map[string]*named, n)
	}
	prev, top := "", uint64(0)
	for i := 0; i < n && r.err == nil; i++ {
		name, k := r.str(), r.u64()
		hash := hashString(name)
		if (i > 0 && name <= prev) || k == 0 || (c.bound != 0 && hash > c.bound) {
			r.fail("category %d out of place", i)
			return
		}
		c.counts[name] = &named{hash, k}
		c.total = r.sum(c.total, k)
		prev, top = name, max(top, hash)
	}
	if c.bound != 0 && c.bound != top {
		r.fail("bound %#x is not the largest kept hash", c.bound)
	}
}

type categoricalJSON struct {
	Cap    int         `json:"cap"`
	Null   uint64      `json:"null,omitempty"`
	Counts []countJSON `json:"counts"`
	Bound  uint64      `json:"bound,omitempty"`
	Other  []uint64    `json:"other,omitempty"`
}

// countJSON has a name or, where that is not valid UTF-8 and a JSON string would
// change it, its bytes.
type countJSON struct {
	Name  *string `json:"name,omitempty"`
	Bytes []byte  `json:"bytes,omitempty"`
	N     uint64  `json:"n"`
}

// MarshalJSON implements [json.Marshaler]. Cap 0 stands for [DefaultCap]. A name
// that is not valid UTF-8 is written as "bytes", in base 64, in place of "name".
func (c *Categorical) MarshalJSON() ([]byte, error) {
	c.compact()
	j := categoricalJSON{Cap: c.limit, Null: c.null, Counts: []countJSON{}, Bound: c.bound}
	for _, e := range c.Counts() {
		if utf8.ValidString(e.Name) {
			j.Counts = append(j.Counts, countJSON{Name: &e.Name, N: e.N})
		} else {
			j.Counts = append(j.Counts, countJSON{Bytes: []byte(e.Name), N: e.N})
		}
	}
	if c.bound != 0 {
		j.Other = c.other[:]
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements [json.Unmarshaler]. Damaged input is an error and
// leaves c unchanged.
func (c *Categorical) UnmarshalJSON(b []byte) error {
	var j categoricalJSON
	if err := readJSON("Categorical", b, &j); err != nil {
		return err
	}
	others := 0
	if j.Bound != 0 {
		others = otherCells
	}
	if j.Cap < 0 || len(j.Other) != others {
		return fmt.Errorf("summary: Categorical: cap %d with %d other cells: %w", j.Cap, len(j.Other), stats.ErrMismatch)
	}
	var w writer
	w.u64(categoricalWire)
	w.u64(uint64(j.Cap))
	w.u64(j.Null)
	w.u64(j.Bound)
	if j.Bound != 0 {
		for _, n := range j.Other {
			w.u64(n)
		}
	}
	w.u64(uint64(len(j.Counts)))
	for i, e := range j.Counts {
		if (e.Name == nil) == (e.Bytes == nil) || utf8.Valid(e.Bytes) != (e.Bytes == nil) {
			return fmt.Errorf("summary: Categorical: category %d has not one name: %w", i, stats.ErrMismatch)
		}
		if e.Name != nil {
			w.str(*e.Name)
		} else {
			w.str(string(e.Bytes))
		}
		w.u64(e.N)
	}
	return c.UnmarshalBinary(w.b)
}
