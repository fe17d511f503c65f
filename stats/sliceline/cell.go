package sliceline

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// Cell sums up the rows that have the same value in every column. Several cells
// may have the same codes; they count together.
type Cell struct {
	Codes []uint32 // the value in each column
	N     uint64   // rows
	Sum   float64  // of their errors
	Max   float64  // the largest error of a row

	BaseN   uint64  // rows of the baseline in the same cell
	BaseSum float64 // of the baseline's errors
}

// Item is the condition that a column has a value.
type Item struct {
	Column int
	Code   uint32
}

// Slice is a conjunction of items, of different columns in ascending order, with
// what its rows add up to.
type Slice struct {
	Items []Item
	Score float64
	N     uint64
	Sum   float64
	Max   float64

	BaseN   uint64
	BaseSum float64
	Excess  float64 // mean error, less that of the baseline with [Options.Compare]
}

// Mean is the mean error of the rows of the slice.
func (s *Slice) Mean() float64 { return s.Sum / float64(s.N) }

// Holds reports whether rows with these codes are in the slice. A column beyond
// the codes has no value, so that no item holds there.
func (s *Slice) Holds(codes []uint32) bool {
	for _, it := range s.Items {
		if it.Column >= len(codes) || codes[it.Column] != it.Code {
			return false
		}
	}
	return true
}

// Options of [TopK]. The zero value is the default of each.
type Options struct {
	// Alpha weighs the size of the error against the size of the slice, in (0,1];
	// 0 means 0.95.
	Alpha float64
	// K is the number of slices to find; 0 means 10.
	K int
	// MinSupport is the least number of rows of a slice; 0 means a hundredth of
	// all, but at least 32. With Compare the baseline has to have as many, or a
	// hundredth of its rows where MinSupport is 0.
	MinSupport uint64
	// MaxColumns is the greatest number of items of a slice; 0 means 3.
	MaxColumns int
	// Compare scores the mean error less that of the baseline in the same slice.
	Compare bool
	// MaxWork bounds the search, in looks at one column of one cell; 0 means 2^31.
	MaxWork uint64
}

const (
	defaultAlpha   = 0.95
	defaultK       = 10
	defaultColumns = 3
	defaultWork    = 1 << 31
	leastSupport   = 32
)

func (o Options) withDefaults() (Options, error) {
	o.Alpha = cmp.Or(o.Alpha, defaultAlpha)
	o.K = cmp.Or(o.K, defaultK)
	o.MaxColumns = cmp.Or(o.MaxColumns, defaultColumns)
	o.MaxWork = cmp.Or(o.MaxWork, defaultWork)
	if !(o.Alpha > 0 && o.Alpha <= 1) || o.K < 0 || o.MaxColumns < 0 {
		return o, fmt.Errorf("sliceline: alpha %v, k %d, columns %d; want alpha in (0,1] and the others above 0: %w", o.Alpha, o.K, o.MaxColumns, stats.ErrDomain)
	}
	return o, nil
}

// support is the least number of rows of a slice out of n.
func (o Options) support(n uint64) uint64 {
	if o.MinSupport > 0 {
		return o.MinSupport
	}
	return max(leastSupport, n/100+min(1, n%100))
}

// sums are what the rows of a slice add up to.
type sums struct {
	n, baseN          uint64
	sum, max, baseSum float64
	low               float64 // the least mean error of the baseline in a cell
}

func newSums() sums { return sums{low: math.Inf(1)} }

func (s *sums) add(c *Cell, low float64) {
	s.n += c.N
	s.baseN += c.BaseN
	s.sum += c.Sum
	s.baseSum += c.BaseSum
	s.max = math.Max(s.max, c.Max)
	s.low = math.Min(s.low, low)
}

// table are the cells in the form that the search runs on.
type table struct {
	o       Options
	cells   []Cell
	low     []float64 // by cell: the mean error of the baseline there
	columns int
	items   []Item  // by id, in ascending order
	ids     []int32 // by cell and column: the item
	all     sums

	support, baseSupport uint64
	mean                 float64 // error of all rows
	lift                 float64 // excess of all rows, which is no slice's own
}

// newTable checks the cells.
func newTable(cells []Cell, o Options) (*table, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	t := &table{o: o, cells: cells, low: make([]float64, len(cells)), all: newSums()}
	for i := range cells {
		c := &cells[i]
		if i == 0 {
			t.columns = len(c.Codes)
		}
		if len(c.Codes) != t.columns {
			return nil, fmt.Errorf("sliceline: cell %d has %d columns, the first %d: %w", i, len(c.Codes), t.columns, stats.ErrMismatch)
		}
		if !sound(c.N, c.Sum) || !sound(c.BaseN, c.BaseSum) || !(c.Max >= 0) || c.Sum > float64(float64(c.N)*c.Max)*(1+1e-9) {
			return nil, fmt.Errorf("sliceline: cell %d: errors of %d rows with sum %v and maximum %v, of the baseline %d with sum %v: %w", i, c.N, c.Sum, c.Max, c.BaseN, c.BaseSum, stats.ErrDomain)
		}
		if t.low[i] = math.Inf(1); c.BaseN > 0 {
			t.low[i] = c.BaseSum / float64(c.BaseN)
		}
		t.all.add(c, t.low[i])
	}
	if t.all.n == 0 {
		return nil, fmt.Errorf("sliceline: no row: %w", stats.ErrEmpty)
	}
	t.number()
	t.support = o.support(t.all.n)
	if o.Compare {
		t.baseSupport = o.support(t.all.baseN)
	}
	t.mean = t.all.sum / float64(t.all.n)
	t.lift = t.mean
	if o.Compare {
		t.lift = 0
		if t.all.baseN > 0 {
			t.lift = math.Max(0, t.mean-t.all.baseSum/float64(t.all.baseN))
		}
	}
	return t, nil
}

func sound(n uint64, sum float64) bool {
	return sum >= 0 && !math.IsInf(sum, 1) && (n > 0 || sum == 0)
}

// number gives every value of every column a number.
func (t *table) number() {
	t.ids = make([]int32, len(t.cells)*t.columns)
	for c := range t.columns {
		codes := make([]uint32, len(t.cells))
		for i := range t.cells {
			codes[i] = t.cells[i].Codes[c]
		}
		slices.Sort(codes)
		codes = slices.Compact(codes)
		first := len(t.items)
		for _, code := range codes {
			t.items = append(t.items, Item{c, code})
		}
		for i := range t.cells {
			k, _ := slices.BinarySearch(codes, t.cells[i].Codes[c])
			t.ids[i*t.columns+c] = int32(first + k)
		}
	}
}

// excess is the mean error of a slice, less the baseline's.
func (t *table) excess(s *sums) float64 {
	x := s.sum / float64(s.n)
	if t.o.Compare && s.baseN > 0 {
		x -= s.baseSum / float64(s.baseN)
	}
	return x
}

// score of n rows with that excess.
func (t *table) score(excess, n float64) float64 {
	return float64(t.o.Alpha*((excess-t.lift)/t.mean)) - float64((1-t.o.Alpha)*(float64(t.all.n)/n-1))
}

// bound is the greatest score that a slice within one with these sums can have.
func (t *table) bound(s *sums) float64 {
	low := 0.0
	if t.o.Compare {
		low = s.low
	}
	best, least, n := math.Inf(-1), float64(t.support), float64(s.n)
	middle := least
	if s.max > 0 {
		middle = math.Min(math.Max(s.sum/s.max, least), n)
	}
	for _, size := range [...]float64{least, middle, n} {
		best = math.Max(best, t.score(math.Min(s.max, s.sum/size)-low, size))
	}
	return best
}

// large reports whether there are rows enough.
func (t *table) large(s *sums) bool { return s.n >= t.support && s.baseN >= t.baseSupport }

// slice describes the slice with the items of these numbers.
func (t *table) slice(ids []int32, s *sums) Slice {
	out := Slice{N: s.n, Sum: s.sum, Max: s.max, BaseN: s.baseN, BaseSum: s.baseSum, Excess: t.excess(s)}
	for _, id := range ids {
		out.Items = append(out.Items, t.items[id])
	}
	out.Score = t.score(out.Excess, float64(s.n))
	return out
}
