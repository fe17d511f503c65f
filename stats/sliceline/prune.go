package sliceline

import (
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// PruneOptions say when a slice tells nothing new. The zero value drops slices
// with the very same rows, or the very same excess, only.
type PruneOptions struct {
	// Rows is the share of rows in which two slices may differ and still count as
	// the same; in [0,1).
	Rows float64
	// Eps is the change of the excess that an item has to make to be worth naming,
	// in the unit of the errors; from 0 on.
	Eps float64
	// Share is the same as a share of the excess; in [0,1). The larger of the two
	// counts.
	Share float64
}

// Prune takes the redundant slices out of a list that [TopK] made of the same
// cells, best first. An item without which the excess of a slice changes by no more
// than Eps is left out, one after another, the one that changes it least first: it
// is the pattern, not the item, that the errors come from (the redundancy pruning
// of DivExplorer). Then of slices whose rows are all but the same only the first is
// kept: those whose common rows are at least the share 1-Rows of their union. So is
// of slices within one kept before, with an excess larger by no more than Eps.
//
// The result is in the order of [Result.Top], and never has a slice with a score
// of 0 or less. Errors are those of [TopK], and [stats.ErrDomain] for options
// outside their ranges. Cost: linear in the cells, for each pair of slices.
//
// Reference: Pastor, de Alfaro and Baralis, SIGMOD 2021, section 3.5.
func Prune(cells []Cell, r Result, o PruneOptions) ([]Slice, error) {
	if !(o.Rows >= 0 && o.Rows < 1) || !(o.Eps >= 0) || !(o.Share >= 0 && o.Share < 1) {
		return nil, fmt.Errorf("sliceline: Prune: rows %v, eps %v, share %v: %w", o.Rows, o.Eps, o.Share, stats.ErrDomain)
	}
	t, err := newTable(cells, r.Options)
	if err != nil {
		return nil, fmt.Errorf("Prune: %w", err)
	}
	var all []Slice
	for _, s := range r.Top {
		all = append(all, t.simplest(s, o))
	}
	slices.SortStableFunc(all, compare)
	var kept []Slice
	for _, s := range all {
		if s.Score > 0 && !slices.ContainsFunc(kept, func(k Slice) bool { return t.same(&k, &s, o) }) {
			kept = append(kept, s)
		}
	}
	return kept, nil
}

// eps is the change of an excess that does not matter.
func (o PruneOptions) eps(excess float64) float64 {
	return math.Max(o.Eps, float64(o.Share*math.Abs(excess)))
}

// measure sums up a conjunction of items.
func (t *table) measure(items []Item) Slice {
	out := Slice{Items: items}
	s := newSums()
	for i := range t.cells {
		if out.Holds(t.cells[i].Codes) {
			s.add(&t.cells[i], t.low[i])
		}
	}
	out = t.slice(nil, &s)
	out.Items = items
	return out
}

// simplest leaves items out that do not matter.
func (t *table) simplest(s Slice, o PruneOptions) Slice {
	for len(s.Items) > 1 {
		best, change := Slice{}, math.Inf(1)
		for i := range s.Items {
			p := t.measure(slices.Delete(slices.Clone(s.Items), i, i+1))
			if d := math.Abs(s.Excess - p.Excess); d < change {
				best, change = p, d
			}
		}
		if !(change <= o.eps(s.Excess)) || !(best.Score > 0) {
			break
		}
		s = best
	}
	return s
}

// same reports whether a slice tells nothing beyond one that was kept.
func (t *table) same(kept, s *Slice, o PruneOptions) bool {
	within := true
	for _, it := range kept.Items {
		within = within && slices.Contains(s.Items, it)
	}
	if within && s.Excess-kept.Excess <= o.eps(s.Excess) {
		return true
	}
	both, either := uint64(0), uint64(0)
	for i := range t.cells {
		c := &t.cells[i]
		a, b := kept.Holds(c.Codes), s.Holds(c.Codes)
		if a && b {
			both += c.N
		}
		if a || b {
			either += c.N
		}
	}
	return float64(both) >= (1-o.Rows)*float64(either)
}
