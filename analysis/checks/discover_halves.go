package checks

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats/sliceline"
	"github.com/rampguard/rampguard/stats/summary"
)

// halves are the errors of both arms, as a search and a test need them.
type halves struct {
	of       []analysis.SliceColumn
	values   [][]string // by column: the value with a code, less one, as findings write it
	find     half
	test     half
	compared bool    // with a baseline
	repeats  float64 // rows that may be worth one, of all
	units    []*summary.Distinct

	arms     [2]*summary.CrossTable // baseline and candidate; the first may be nil
	left     uint64                 // rows that the tables leave out
	rows     uint64
	least    uint64 // rows that a slice has to have
	searched int
	complete bool
}

// half are the cells of one half of the units.
type half struct {
	cells []sliceline.Cell
	sums  [][2]summary.CrossSum // by cell: of the baseline and of the candidate
	rows  [2]uint64
	slots []int32 // by hash of codes: a cell, counted from 1; 0 is free
}

// n is the number of rows of the arm that has fewer.
func (h *half) n() uint64 { return min(h.rows[0], h.rows[1]) }

// halves reads the tables of both arms, or says why they cannot be read.
func (c Discover) halves(ev *analysis.Evidence) (*halves, *problem) {
	spec := c.Discover()[0]
	h := &halves{compared: ev.Compared != analysis.Absolute, complete: true, repeats: rowsPerUnit(ev.Candidate)}
	if h.compared {
		h.repeats = rowsPerUnit(ev.Baseline, ev.Candidate)
	}
	for k, arm := range []*analysis.Snapshot{ev.Baseline, ev.Candidate} {
		if k == 0 && !h.compared {
			continue
		}
		t := arm.DiscoverTable(&spec)
		if t == nil {
			return h, &problem{"no_discovery", analysis.Invalid, "The errors by slices were not collected when the log was read; collect it again with this policy."}
		}
		h.arms[k] = t
		if u := unitsOf(arm); u != nil {
			h.units = append(h.units, u)
		}
		left, _ := t.Left()
		h.left, h.rows = h.left+left, h.rows+left+t.Kept()
	}
	h.of = slices.SortedFunc(slices.Values(c.Of), func(a, b analysis.SliceColumn) int { return cmp.Compare(a.Name, b.Name) }) // as in the tables
	for k, t := range h.arms {
		if t == nil {
			continue
		}
		if why := c.usable(k, t); why != nil {
			return h, why
		}
		h.add(k, t)
	}
	if !h.compared {
		h.find.rows[0], h.test.rows[0] = h.find.rows[1], h.test.rows[1]
	}
	return h, nil
}

// usable says why no row of an arm has an error, if so.
func (c Discover) usable(k int, t *summary.CrossTable) *problem {
	name := [2]string{"baseline", "candidate"}[k]
	left, _ := t.Left()
	switch {
	case t.Kept()+left > 0:
		return nil
	case t.NoUnit() > 0:
		return noData("no_unit", "None of the %s rows of the %s that have an error has a unit, which tells the halves apart.", count(t.NoUnit()), name)
	case t.Unfit() > 0:
		return &problem{"no_values", analysis.Invalid, fmt.Sprintf("None of the %s errors of the %s is a number from 0 up to 2^32: are the scores probabilities?", count(t.Unfit()), name)}
	case c.UsesLabels():
		return noData("no_labels", "No row of the %s has both a score and a label yet.", name)
	}
	return noData("no_values", "Column %s of the %s has no value that can be used.", c.Column, name)
}

// add takes over the cells of an arm.
func (h *halves) add(k int, t *summary.CrossTable) {
	recode := make([][]uint32, t.Columns())
	for c := range recode {
		if len(h.values) <= c {
			h.values = append(h.values, nil)
		}
		values := t.Values(c)
		recode[c] = make([]uint32, len(values)+1)
		at := map[string]uint32{}
		for i, v := range h.values[c] {
			at[v] = uint32(i + 1)
		}
		for code := range recode[c][1:] {
			v := analysis.CellValue(values, uint32(code+1))
			if at[v] == 0 {
				h.values[c] = append(h.values[c], v)
				at[v] = uint32(len(h.values[c]))
			}
			recode[c][code+1] = at[v]
		}
	}
	for _, cell := range t.Cells() {
		codes := cell.Codes // they are a copy already
		for c, code := range codes {
			codes[c] = recode[c][code]
		}
		if cell.Half == 0 {
			h.find.add(k, codes, &cell.Sums)
		} else {
			h.test.add(k, codes, &cell.Sums)
		}
	}
}

// slot is that of the cell with the codes, or the free one where it belongs.
func (h *half) slot(codes []uint32) *int32 {
	hash, mask := uint64(0), uint64(len(h.slots)-1)
	for _, c := range codes {
		hash = (hash ^ uint64(c)) * 0x9e3779b97f4a7c15
		hash ^= hash >> 29
	}
	for i := hash; ; i++ {
		slot := &h.slots[i&mask]
		if *slot == 0 || slices.Equal(h.cells[*slot-1].Codes, codes) {
			return slot
		}
	}
}

// cell is the place of the cell with the codes, which it makes if need be.
func (h *half) cell(codes []uint32) int {
	if 2*(len(h.cells)+1) > len(h.slots) {
		h.slots = make([]int32, max(64, 2*len(h.slots)))
		for i := range h.cells {
			*h.slot(h.cells[i].Codes) = int32(i + 1)
		}
	}
	slot := h.slot(codes)
	if *slot == 0 {
		h.cells = append(h.cells, sliceline.Cell{Codes: codes})
		h.sums = append(h.sums, [2]summary.CrossSum{})
		*slot = int32(len(h.cells))
	}
	return int(*slot) - 1
}

func (h *half) add(k int, codes []uint32, s *summary.CrossSum) {
	i := h.cell(codes)
	h.rows[k] += s.N()
	h.sums[i][k].Merge(s)
	if cell := &h.cells[i]; k == 0 {
		cell.BaseN, cell.BaseSum = s.N(), s.Sum()
	} else {
		cell.N, cell.Sum, cell.Max = s.N(), s.Sum(), s.Max()
	}
}

// small says that the halves hold no slice of that many rows and another one beside
// it, if so.
func (h *halves) small(least uint64) *problem {
	h.least = least
	if n := min(h.find.n(), h.test.n()); n < 2*least {
		return &problem{"slices_small", analysis.Insufficient, fmt.Sprintf("The smaller half of an arm has %s rows with an error; a slice needs %s, and as many outside it.", count(n), count(least))}
	}
	return nil
}

// lacks is about how many more rows each arm needs.
func (h *halves) lacks() uint64 {
	return max(1, 4*h.least-min(4*h.least, 2*min(h.find.n(), h.test.n())))
}

// key names a slice.
func (h *halves) key(s *sliceline.Slice) analysis.SliceKey {
	k := analysis.SliceKey{}
	for _, it := range s.Items {
		k[h.of[it.Column].Name] = "null"
		if it.Code > 0 {
			k[h.of[it.Column].Name] = h.values[it.Column][it.Code-1]
		}
	}
	return k
}

// WarnSearchCut is the code of a search that was not finished.
const WarnSearchCut = "search_cut_short"

// warn says what was not judged.
func (h *halves) warn(f *analysis.Finding) {
	null, unfit, noUnit := 0.0, 0.0, 0.0
	for _, t := range h.arms {
		if t == nil {
			continue
		}
		null, unfit, noUnit = null+float64(t.Null()), unfit+float64(t.Unfit()), noUnit+float64(t.NoUnit())
	}
	for _, d := range []analysis.Detail{
		detail("rows a slice needs in a half", float64(h.least)), detail("slices scored", float64(h.searched)),
		detail("rows without an error", null), detail("rows with an unfit error", unfit), detail("rows without a unit", noUnit),
	} {
		if d.Value > 0 {
			f.Details = append(f.Details, d)
		}
	}
	if h.left > 0 {
		most, name := 0, ""
		for c, v := range h.values {
			if len(v) > most {
				most, name = len(v), h.of[c].Name
			}
		}
		warn(f, WarnSlicesLeft, fmt.Sprintf("There are more combinations of values than are kept, so that %s of the rows, those of a random part of the units, were left out. Of the columns %s has most values, %s at least; leave it out or put it into buckets.",
			percent(float64(h.left)/float64(h.rows)), name, count(uint64(most))))
	}
	if !h.complete {
		warn(f, WarnSearchCut, "There were too many slices to look at all; the search ended with the most promising ones. Name fewer columns, or set max_columns lower.")
	}
}
