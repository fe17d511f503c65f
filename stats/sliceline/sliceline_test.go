package sliceline_test

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sliceline"
	"github.com/rampguard/rampguard/stats/statstest"
)

// brute scores every conjunction of items by going through all cells.
func brute(cells []sliceline.Cell, o sliceline.Options) []sliceline.Slice {
	var n, baseN uint64
	var sum, baseSum float64
	items := map[sliceline.Item]bool{}
	for _, c := range cells {
		n, baseN, sum, baseSum = n+c.N, baseN+c.BaseN, sum+c.Sum, baseSum+c.BaseSum
		for j, code := range c.Codes {
			items[sliceline.Item{Column: j, Code: code}] = true
		}
	}
	mean := sum / float64(n)
	lift := mean
	if o.Compare {
		lift = math.Max(0, mean-baseSum/float64(baseN))
	}
	order := func(a, b sliceline.Item) int {
		return cmp.Or(cmp.Compare(a.Column, b.Column), cmp.Compare(a.Code, b.Code))
	}
	var sorted []sliceline.Item
	for it := range items {
		sorted = append(sorted, it)
	}
	slices.SortFunc(sorted, order)
	var out []sliceline.Slice
	var grow func(s sliceline.Slice, rest []sliceline.Item)
	grow = func(s sliceline.Slice, rest []sliceline.Item) {
		for i, it := range rest {
			if len(s.Items) > 0 && s.Items[len(s.Items)-1].Column == it.Column || len(s.Items) == o.MaxColumns {
				continue
			}
			next := sliceline.Slice{Items: append(slices.Clone(s.Items), it)}
			for _, c := range cells {
				if next.Holds(c.Codes) {
					next.N, next.Sum, next.Max = next.N+c.N, next.Sum+c.Sum, math.Max(next.Max, c.Max)
					next.BaseN, next.BaseSum = next.BaseN+c.BaseN, next.BaseSum+c.BaseSum
				}
			}
			grow(next, rest[i+1:])
			if next.N < o.MinSupport || o.Compare && next.BaseN < o.MinSupport {
				continue
			}
			next.Excess = next.Mean()
			if o.Compare {
				next.Excess -= next.BaseSum / float64(next.BaseN)
			}
			next.Score = o.Alpha*(next.Excess-lift)/mean - (1-o.Alpha)*(float64(n)/float64(next.N)-1)
			if next.Score > 0 {
				out = append(out, next)
			}
		}
	}
	grow(sliceline.Slice{}, sorted)
	slices.SortStableFunc(out, func(a, b sliceline.Slice) int {
		if math.Abs(a.Score-b.Score) < 1e-12 {
			return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(len(a.Items), len(b.Items)), slices.CompareFunc(a.Items, b.Items, order))
		}
		return cmp.Compare(b.Score, a.Score)
	})
	return out[:min(len(out), o.K)]
}

// drawn makes cells of up to four columns; errors are eighths, so that sums are
// exact in any order.
func drawn(t *rapid.T) ([]sliceline.Cell, sliceline.Options) {
	columns := rapid.IntRange(1, 4).Draw(t, "columns")
	cells := make([]sliceline.Cell, rapid.IntRange(1, 30).Draw(t, "cells"))
	for i := range cells {
		c := &cells[i]
		for range columns {
			c.Codes = append(c.Codes, rapid.Uint32Range(0, 3).Draw(t, "code"))
		}
		c.N = 1
		for k := rapid.IntRange(1, 6).Draw(t, "rows"); k > 0; k-- {
			e := float64(rapid.IntRange(0, 16).Draw(t, "error")) / 8
			c.N, c.Sum, c.Max = c.N+1, c.Sum+e, math.Max(c.Max, e)
		}
		if c.BaseN = rapid.Uint64Range(0, 8).Draw(t, "base"); c.BaseN > 0 {
			c.BaseSum = float64(rapid.IntRange(0, 16).Draw(t, "base error")) / 8 * float64(c.BaseN)
		}
	}
	cells[0].BaseN++
	return cells, sliceline.Options{
		Alpha: rapid.SampledFrom([]float64{0.25, 0.9, 0.95, 1}).Draw(t, "alpha"), K: rapid.IntRange(1, 12).Draw(t, "k"),
		MinSupport: rapid.Uint64Range(1, 12).Draw(t, "support"), MaxColumns: rapid.IntRange(1, 4).Draw(t, "max"), Compare: rapid.Bool().Draw(t, "compare"),
	}
}

func TestTopKIsBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells, o := drawn(t)
		r, err := sliceline.TopK(cells, o)
		if err != nil || !r.Complete {
			t.Fatal(err, r.Complete)
		}
		want := brute(cells, o)
		if len(r.Top) != len(want) {
			t.Fatalf("%d slices, want %d", len(r.Top), len(want))
		}
		for i := range want { // ties up to rounding may swap places
			if !statstest.IsNear(r.Top[i].Score, want[i].Score, 1e-9, 1e-12) {
				t.Fatalf("place %d: score %v, want %v", i, r.Top[i].Score, want[i].Score)
			}
		}
	})
}

// Neither the order of cells nor splitting them shows.
func TestTopKDoesNotDependOnTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells, o := drawn(t)
		a, err := sliceline.TopK(cells, o)
		if err != nil {
			t.Fatal(err)
		}
		other := rapid.Permutation(cells).Draw(t, "order")
		other = append(other, sliceline.Cell{Codes: other[0].Codes})
		b, err := sliceline.TopK(other, o)
		if err != nil {
			t.Fatal(err)
		}
		if d := gocmp.Diff(a.Top, b.Top); d != "" {
			t.Fatal(d)
		}
	})
}

// What is pruned tells nothing new, and no two that are left are the same rows.
func TestPruneLeavesDifferentSlices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells, o := drawn(t)
		r, err := sliceline.TopK(cells, o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := sliceline.Prune(cells, r, sliceline.PruneOptions{})
		if err != nil || len(got) > len(r.Top) || len(r.Top) > 0 && len(got) == 0 {
			t.Fatalf("%d of %d slices are left: %v", len(got), len(r.Top), err)
		}
		for i, a := range got {
			for _, b := range got[:i] {
				same := true
				for _, c := range cells {
					same = same && (c.N == 0 || a.Holds(c.Codes) == b.Holds(c.Codes))
				}
				if same {
					t.Fatalf("%v and %v are the same rows", a.Items, b.Items)
				}
			}
		}
	})
}

// An item that changes nothing is not named: the errors are where column 0 is 1.
func TestPruneNamesTheCause(t *testing.T) {
	var cells []sliceline.Cell
	for i := range uint32(64) {
		c := sliceline.Cell{Codes: []uint32{i % 4, i / 4 % 4, i / 16}, N: 10, Sum: 1, Max: 1, BaseN: 10, BaseSum: 1}
		if c.Codes[0] == 1 {
			c.Sum = 6 + float64(i%3)/4
		}
		cells = append(cells, c)
	}
	r, err := sliceline.TopK(cells, sliceline.Options{K: 20, MinSupport: 10, Compare: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := sliceline.Prune(cells, r, sliceline.PruneOptions{Rows: 0.05, Share: 0.25})
	if err != nil || len(got) != 1 || !slices.Equal(got[0].Items, []sliceline.Item{{Column: 0, Code: 1}}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTopKRefuses(t *testing.T) {
	cell := func(n uint64, sum, top float64) []sliceline.Cell {
		return []sliceline.Cell{{Codes: []uint32{1}, N: n, Sum: sum, Max: top}}
	}
	for _, tt := range []struct {
		cells []sliceline.Cell
		o     sliceline.Options
		want  error
	}{
		{nil, sliceline.Options{}, stats.ErrEmpty},
		{cell(0, 0, 0), sliceline.Options{}, stats.ErrEmpty},
		{cell(1, -1, 0), sliceline.Options{}, stats.ErrDomain},
		{cell(1, math.NaN(), 0), sliceline.Options{}, stats.ErrDomain},
		{cell(1, math.Inf(1), math.Inf(1)), sliceline.Options{}, stats.ErrDomain},
		{cell(2, 3, 1), sliceline.Options{}, stats.ErrDomain},
		{cell(1, 1, 1), sliceline.Options{Alpha: 1.5}, stats.ErrDomain},
		{cell(1, 1, 1), sliceline.Options{K: -1}, stats.ErrDomain},
		{append(cell(1, 1, 1), sliceline.Cell{}), sliceline.Options{}, stats.ErrMismatch},
	} {
		if _, err := sliceline.TopK(tt.cells, tt.o); !errors.Is(err, tt.want) {
			t.Errorf("%+v %+v: %v, want %v", tt.cells, tt.o, err, tt.want)
		}
	}
	if r, err := sliceline.TopK(cell(100, 0, 0), sliceline.Options{}); err != nil || len(r.Top) != 0 {
		t.Errorf("no errors: %+v, %v", r.Top, err)
	}
	r, err := sliceline.TopK(cell(100, 1, 1), sliceline.Options{MaxWork: 1})
	if err != nil || !r.Complete {
		t.Errorf("one look at one cell is within the bound: %v, %v", r.Complete, err)
	}
	two := []sliceline.Cell{{Codes: []uint32{1, 2}, N: 100, Sum: 9, Max: 1}, {Codes: []uint32{2, 2}, N: 100, Sum: 1, Max: 1}}
	if r, err = sliceline.TopK(two, sliceline.Options{MaxWork: 1}); err != nil || r.Complete {
		t.Errorf("a search that was cut short is complete: %v", err)
	}
	if _, err = sliceline.Prune(two, r, sliceline.PruneOptions{Rows: 1}); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("rows 1: %v", err)
	}
}

// The golden numbers of Chung et al. and the edges of both scores.
func TestScores(t *testing.T) {
	got, err := sliceline.EffectSize(0.5, 0.4*0.4, 0.3, 0.3*0.3)
	if err != nil {
		t.Fatal(err)
	}
	statstest.Near(t, "effect size", got, 0.565685, 0, 5e-7)
	if got, err = sliceline.EffectSize(1, 0, 1, 0); got != 0 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	if got, err = sliceline.EffectSize(2, 0, 1, 0); !math.IsInf(got, 1) || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	for _, v := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := sliceline.EffectSize(1, v, 0, 1); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("variance %v: %v", v, err)
		}
	}
	if _, err := sliceline.DivergenceT(2, 1, 1, 2); !errors.Is(err, stats.ErrDomain) {
		t.Error(err)
	}
	if got, err := sliceline.DivergenceT(0, 0, 0, 0); got != 0 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}
