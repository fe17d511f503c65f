package summary

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// DefaultCap is the number of categories a zero [Categorical] keeps by name.
const DefaultCap = 4096

// otherCells is the number of unnamed cells into which the categories beyond the
// cap are hashed.
const otherCells = 64

// Categorical counts the values of a column of names, exactly, for up to Cap
// distinct names.
//
// When a column has more names than that, the names kept are those with the
// smallest 64-bit hash, which does not depend on the order in which they came;
// the others are counted, without their names, in 64 cells by hash. The kept
// counts stay exact, so merging in any order gives the same bytes, and a shift
// among unnamed values still shows in the Other cells. The number of distinct
// names is then estimated from the largest kept hash with a relative standard
// error of 1/sqrt(Cap-2).
//
// The zero Categorical is empty, has Cap [DefaultCap], and is the identity of
// Merge. It is not safe for concurrent use.
type Categorical struct {
	limit  int // 0 means DefaultCap
	null   uint64
	total  uint64 // values that are not null
	counts map[string]*named
	bound  uint64 // names with a hash above it are not kept; 0 means no bound yet
	other  [otherCells]uint64
}

type named struct {
	hash, n uint64
}

// NewCategorical returns an empty Categorical that keeps up to limit names;
// limit 0 means [DefaultCap]. A limit below 0 or above 2^20 is an error wrapping
// [stats.ErrDomain].
func NewCategorical(limit int) (*Categorical, error) {
	if limit < 0 || limit > 1<<20 {
		return nil, fmt.Errorf("summary: NewCategorical: limit %d, want 0 to 1048576: %w", limit, stats.ErrDomain)
	}
	if limit == DefaultCap {
		limit = 0 // one state, one form
	}
	return &Categorical{limit: limit}, nil
}

// Cap is the number of names kept.
func (c *Categorical) Cap() int { return cmp.Or(c.limit, DefaultCap) }

// Total is the number of values that are not null.
func (c *Categorical) Total() uint64 { return c.total }

// Null is the number of missing values.
func (c *Categorical) Null() uint64 { return c.null }

// AddNull counts n missing values.
func (c *Categorical) AddNull(n uint64) { c.null += n }

// AddN counts the name n times.
func (c *Categorical) AddN(name string, n uint64) {
	if n == 0 {
		return
	}
	c.total += n
	if e := c.counts[name]; e != nil {
		e.n += n
		return
	}
	c.insert(name, hashString(name), n)
	c.shrink()
}

func (c *Categorical) insert(name string, hash, n uint64) {
	if c.bound != 0 && hash > c.bound {
		c.other[hash%otherCells] += n
		return
	}
	if c.counts == nil {
		c.counts = make(map[string]*named)
	}
	c.counts[name] = &named{hash, n}
}

// shrink keeps the names with the smallest hashes once there are twice too many,
// or, on compact, as soon as there is one too many.
func (c *Categorical) shrink() {
	if len(c.counts) > 2*c.Cap() {
		c.compact()
	}
}

func (c *Categorical) compact() {
	if len(c.counts) <= c.Cap() {
		return
	}
	es := c.sorted()
	c.bound = es[c.Cap()-1].hash
	for _, e := range es[c.Cap():] {
		c.other[e.hash%otherCells] += e.n
		delete(c.counts, e.Name)
	}
}

type entry struct {
	Name string
	named
}

// sorted lists the kept names by hash, then name.
func (c *Categorical) sorted() []entry {
	es := make([]entry, 0, len(c.counts))
	for name, e := range c.counts {
		es = append(es, entry{name, *e})
	}
	slices.SortFunc(es, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.Name, b.Name))
	})
	return es
}

// Count is a category and how often it was seen.
type Count struct {
	Name string `json:"name"`
	N    uint64 `json:"n"`
}

// Counts lists the kept categories in ascending order of name.
func (c *Categorical) Counts() []Count {
	c.compact()
	out := make([]Count, 0, len(c.counts))
	for name, e := range c.counts {
		out = append(out, Count{name, e.n})
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// N returns how often the name was seen. It reports false when the name is not
// among those kept although names were left out, so that its count is unknown.
func (c *Categorical) N(name string) (n uint64, known bool) {
	c.compact()
	if e := c.counts[name]; e != nil {
		return e.n, true
	}
	return 0, c.bound == 0 || hashString(name) <= c.bound
}

// Other returns the counts of the values whose names were not kept, by hash
// cell; all zero when every name was kept.
func (c *Categorical) Other() [64]uint64 {
	c.compact()
	return c.other
}

// OtherTotal is the number of values whose names were not kept.
func (c *Categorical) OtherTotal() uint64 {
	c.compact()
	n := uint64(0)
	for _, o := range c.other {
		n += o
	}
	return n
}

// Distinct is the number of distinct names, and whether it is exact. Beyond the
// cap it is the estimate (Cap-1)/(largest kept hash as a fraction of 2^64), but
// not below Cap+1.
func (c *Categorical) Distinct() (n float64, exact bool) {
	c.compact()
	if c.bound == 0 {
		return float64(len(c.counts)), true
	}
	n = float64(c.Cap()-1) / (float64(c.bound) / 0x1p64)
	return max(n, float64(c.Cap()+1)), false
}

// Merge adds o to c. The state of o is unchanged in meaning. Different caps do
// not merge: the error wraps [stats.ErrMismatch]. An empty c of the default cap
// takes over the cap of o.
func (c *Categorical) Merge(o *Categorical) error {
	switch {
	case o.isEmpty() && o.limit == 0:
		return nil
	case c.isEmpty() && c.limit == 0:
		c.limit = o.limit
	case c.limit != o.limit:
		return fmt.Errorf("summary: Categorical.Merge: caps %d and %d: %w", c.Cap(), o.Cap(), stats.ErrMismatch)
	}
	c.null += o.null
	c.total += o.total
	for i, n := range o.other {
		c.other[i] += n
	}
	if o.bound != 0 && (c.bound == 0 || o.bound < c.bound) {
		c.lower(o.bound)
	}
	for name, e := range o.counts {
		if mine := c.counts[name]; mine != nil {
			mine.n += e.n
			continue
		}
		c.insert(name, e.hash, e.n)
	}
	c.compact()
	return nil
}

// lower tightens the bound to what the other side has already given up.
func (c *Categorical) lower(bound uint64) {
	c.bound = bound
	for name, e := range c.counts {
		if e.hash > bound {
			c.other[e.hash%otherCells] += e.n
			delete(c.counts, name)
		}
	}
}

func (c *Categorical) isEmpty() bool { return c.total == 0 && c.null == 0 }
