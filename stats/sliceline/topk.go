package sliceline

import (
	"cmp"
	"fmt"
	"slices"
)

// Result is the outcome of a search.
type Result struct {
	// Top are the slices with the highest scores, all above 0, best first; among
	// equal scores more rows, then fewer items, then lower columns and codes.
	Top        []Slice
	N          uint64  // rows
	Mean       float64 // error of all rows
	Lift       float64 // excess of all rows that a slice has to surpass
	MinSupport uint64  // rows that a slice had to have
	Evaluated  int     // slices that were scored
	// Complete says that no slice can be missing. It is false when MaxWork ended
	// the search, which looks at the most promising slices first.
	Complete bool
	Options  Options // with the defaults filled in
}

// TopK finds the K slices with the highest scores
//
//	score = alpha (x - x0) / e - (1 - alpha) (n/s - 1)
//
// of s out of n rows, where e is the mean error of all rows. Without Compare x is
// the mean error in the slice and x0 = e: the score of SliceLine. With Compare x is
// the mean error less that of the baseline in the same slice, and x0 the same
// difference over all rows, or 0 if the candidate is no worse as a whole: errors
// that the baseline makes, too, or that the candidate makes everywhere, are no
// slice's own. A baseline without errors gives the score of SliceLine.
//
// Exactness: with rows s, errors se and the largest error sm of a slice, no slice
// within it can score more than the greatest of
//
//	alpha ((min(s' sm, se)/s' - b - x0) / e) - (1 - alpha) (n/s' - 1)
//
// over s' in {support, se/sm, s}, b being the least mean error of the baseline in
// any of its cells (0 without Compare): between these sizes the term is monotone.
// What is below the K-th score so far, or 0, is not looked into.
//
// Special cases: all errors 0 gives no slices. Errors wrap [stats.ErrEmpty] without
// rows, [stats.ErrMismatch] for cells of unlike columns, [stats.ErrDomain] for
// errors that are negative or not finite, and for impossible options.
// Cost: columns times the cells of each slice that is looked into, at most MaxWork.
//
// Reference: Sagadeeva and Boehm, SIGMOD 2021. The bound uses the number of rows n
// where the authors' program has the number of one-hot columns.
func TopK(cells []Cell, o Options) (Result, error) {
	t, err := newTable(cells, o)
	if err != nil {
		return Result{}, fmt.Errorf("TopK: %w", err)
	}
	s := search{table: t, r: Result{N: t.all.n, Mean: t.mean, Lift: t.lift, MinSupport: t.support, Complete: true, Options: t.o}}
	if t.mean > 0 {
		s.run()
	}
	return s.r, nil
}

// node is a slice that may be looked into.
type node struct {
	ids   []int32
	bound float64
}

type search struct {
	*table
	r     Result
	posts [][]int32 // by item: the cells that have it
	acc   []sums    // by item: scratch
	hits  []int32   // cells of one slice: scratch
	work  uint64
}

func (s *search) run() {
	s.posts = make([][]int32, len(s.items))
	counts, all := make([]int, len(s.items)), make([]int32, len(s.ids))
	for _, id := range s.ids {
		counts[id]++
	}
	for id, n := range counts {
		s.posts[id], all = all[:0:n], all[n:]
	}
	for i, id := range s.ids {
		s.posts[id] = append(s.posts[id], int32(i/s.columns))
	}
	s.acc = make([]sums, len(s.items))
	every := make([]int32, len(s.cells))
	for i := range every {
		every[i] = int32(i)
	}
	level := s.expand(nil, node{}, every)
	for depth := 1; depth < s.o.MaxColumns && len(level) > 0 && s.r.Complete; depth++ {
		slices.SortStableFunc(level, func(a, b node) int { return cmp.Compare(b.bound, a.bound) })
		var next []node
		for _, n := range level {
			if !s.promising(n.bound) {
				break // the others are no better
			}
			if next = s.expand(next, n, s.cellsOf(n.ids)); !s.r.Complete {
				break
			}
		}
		level = next
	}
}

// cellsOf lists the cells of a slice in ascending order.
func (s *search) cellsOf(ids []int32) []int32 {
	short := s.posts[ids[0]]
	for _, id := range ids[1:] {
		if len(s.posts[id]) < len(short) {
			short = s.posts[id]
		}
	}
	s.hits = s.hits[:0]
next:
	for _, cell := range short {
		row := s.ids[int(cell)*s.columns:][:s.columns]
		for _, id := range ids {
			if row[s.items[id].Column] != id {
				continue next
			}
		}
		s.hits = append(s.hits, cell)
	}
	return s.hits
}

// expand scores every slice with one more item, of a later column, and appends to
// out those that are worth looking into.
func (s *search) expand(out []node, n node, cells []int32) []node {
	first := 0
	if len(n.ids) > 0 {
		first = s.items[n.ids[len(n.ids)-1]].Column + 1
	}
	from, _ := slices.BinarySearchFunc(s.items, first, func(it Item, c int) int { return cmp.Compare(it.Column, c) })
	if from == len(s.items) {
		return out
	}
	if s.work += uint64(len(cells)) * uint64(s.columns-first); s.work > s.o.MaxWork {
		s.r.Complete = false
		return out
	}
	for i := from; i < len(s.acc); i++ {
		s.acc[i] = newSums()
	}
	for _, cell := range cells {
		for _, id := range s.ids[int(cell)*s.columns:][first:s.columns] {
			s.acc[id].add(&s.cells[cell], s.low[cell])
		}
	}
	for id := from; id < len(s.acc); id++ {
		a := &s.acc[id]
		if !s.large(a) {
			continue
		}
		s.r.Evaluated++
		ids := append(slices.Clip(n.ids), int32(id))
		s.offer(s.slice(ids, a))
		if b := s.bound(a); s.promising(b) {
			out = append(out, node{ids, b})
		}
	}
	return out
}

// promising reports whether a slice with the bound can matter. A bound that meets
// the last score is kept, so that ties are broken by the order of Top, and rounding
// is forgiven.
func (s *search) promising(bound float64) bool {
	if len(s.r.Top) == s.o.K && bound < s.r.Top[s.o.K-1].Score-1e-9 {
		return false
	}
	return bound > 0
}

// offer puts a slice into Top if it belongs there.
func (s *search) offer(x Slice) {
	if !(x.Score > 0) {
		return
	}
	i, _ := slices.BinarySearchFunc(s.r.Top, x, compare)
	if i < s.o.K {
		s.r.Top = slices.Insert(s.r.Top, i, x)
		s.r.Top = s.r.Top[:min(len(s.r.Top), s.o.K)]
	}
}

// compare puts the better slice first.
func compare(a, b Slice) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.N, a.N), cmp.Compare(len(a.Items), len(b.Items)),
		slices.CompareFunc(a.Items, b.Items, func(x, y Item) int {
			return cmp.Or(cmp.Compare(x.Column, y.Column), cmp.Compare(x.Code, y.Code))
		}))
}
