package stats_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

func checkSwapSet(g golden) {
	group := func(key string) stats.SwapGroup {
		v := g.in.list(key)
		return stats.SwapGroup{N: uint64(v[0]), Labelled: uint64(v[0]), Bad: uint64(v[1])}
	}
	var neither []*float64
	statstest.Decode(g.t, g.in.m, "neither", &neither)
	r, err := stats.SwapSet(group("both"), group("old_only"), group("new_only"), uint64(*neither[0]), 0.95)
	if err != nil {
		g.t.Fatal(err)
	}
	g.near("bad_rate_old", r.OldRate)
	g.near("bad_rate_new", r.NewRate)
	g.near("diff", r.Difference.Point)
	g.near("se_diff", r.SE)
	g.near("swap_out_bad_rate", r.OutRate)
	g.near("swap_in_bad_rate", r.InRate)
	if r.Benefit != 60 || r.Unlabelled != 0 {
		g.t.Errorf("benefit %v with %d unlabelled, want 60 with none", r.Benefit, r.Unlabelled)
	}
}

// cellsOf reads rows of [first cell, second cell, negatives, positives].
func cellsOf(t *testing.T, c statstest.Case) []stats.PairedCell {
	var rows [][4]uint64
	statstest.Decode(t, c.In, "cells", &rows)
	var out []stats.PairedCell
	for _, r := range rows {
		out = append(out, stats.PairedCell{A: int(r[0]), B: int(r[1]), Negatives: r[2], Positives: r[3]})
	}
	return out
}

func TestPairsReference(t *testing.T) {
	ref := statstest.Load(t, "stats_pairs")
	near := func(c statstest.Case, key string, got float64) {
		t.Helper()
		statstest.Near(t, c.Name+": "+key, got, statstest.Float(t, c.Want, key), c.RTol, c.ATol)
	}
	for _, c := range ref.ByFunc(t, "PairedAUCBinned") {
		r, err := stats.PairedAUCBinned(cellsOf(t, c), 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(c, "auc_a", r.A.Estimate.Point)
		near(c, "auc_b", r.B.Estimate.Point)
		near(c, "difference", r.Estimate.Point)
		near(c, "se", r.SE)
		near(c, "p", r.P)
	}
	for _, c := range ref.ByFunc(t, "PairedAUCMargins") {
		cells, a, b := marginsOf(cellsOf(t, c))
		r, err := stats.PairedAUCMargins(cells, a, b, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(c, "auc_a", r.A.Estimate.Point)
		near(c, "auc_b", r.B.Estimate.Point)
		near(c, "difference", r.Estimate.Point)
		near(c, "se", r.SE)
		near(c, "p", r.P)
	}
	for _, c := range ref.ByFunc(t, "SwapSet") {
		var groups [3][3]uint64
		var neither uint64
		statstest.Decode(t, c.In, "groups", &groups)
		statstest.Decode(t, c.In, "neither", &neither)
		var gs [3]stats.SwapGroup
		for i, g := range groups {
			gs[i] = stats.SwapGroup{N: g[0], Labelled: g[1], Bad: g[2]}
		}
		r, err := stats.SwapSet(gs[0], gs[1], gs[2], neither, statstest.Float(t, c.In, "level"))
		if err != nil {
			t.Fatal(err)
		}
		for key, got := range map[string]float64{"old": r.OldRate, "new": r.NewRate, "se": r.SE, "lo": r.Difference.Lo, "hi": r.Difference.Hi, "benefit": r.Benefit, "benefit_se": r.BenefitSE} {
			near(c, key, got)
		}
	}
	for _, c := range ref.ByFunc(t, "Transitions") {
		var table [][]uint64
		statstest.Decode(t, c.In, "table", &table)
		r, err := stats.Transitions(table, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(c, "churn", r.Churn.Point)
		near(c, "stuart_maxwell", r.Marginal.Statistic)
		near(c, "p", r.Marginal.P)
		changes, ses := statstest.Floats(t, c.Want, "changes"), statstest.Floats(t, c.Want, "se")
		for i := range changes {
			statstest.Near(t, c.Name+": change", r.Changes[i], changes[i], c.RTol, c.ATol)
			statstest.Near(t, c.Name+": SE", r.ChangeSE[i], ses[i], c.RTol, c.ATol)
		}
	}
	for _, c := range ref.ByFunc(t, "PairedDecisions") {
		table := func(key string) stats.PairedTable {
			v := statstest.Uints(t, c.In, key)
			return stats.PairedTable{Both: v[0], OnlyFirst: v[1], OnlySecond: v[2], Neither: v[3]}
		}
		r, err := stats.PairedDecisions(table("negative"), table("positive"), statstest.Float(t, c.In, "level"))
		if err != nil {
			t.Fatal(err)
		}
		near(c, "b", float64(r.Accuracy.B))
		near(c, "c", float64(r.Accuracy.C))
		near(c, "lo", r.Accuracy.Estimate.Lo)
		near(c, "hi", r.Accuracy.Estimate.Hi)
		near(c, "tpr", r.TPR.Estimate.Point)
		near(c, "fpr", r.FPR.Estimate.Point)
	}
}

// The cells of scores that are whole numbers hold all there is to know of them.
func TestPairedAUCBinnedIsPairedAUC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.Custom(func(t *rapid.T) stats.PairedCell {
			k := func(name string) int { return rapid.IntRange(0, 5).Draw(t, name) }
			return stats.PairedCell{A: k("a"), B: k("b"), Negatives: uint64(k("neg")), Positives: uint64(k("pos"))}
		})
		cells := rapid.SliceOfN(cell, 1, 12).Draw(t, "cells")
		var a, b []float64
		var y []bool
		for _, c := range cells {
			for i := range c.Negatives + c.Positives {
				a, b, y = append(a, float64(c.A)), append(b, float64(c.B)), append(y, i >= c.Negatives)
			}
		}
		want, err := stats.PairedAUC(a, b, y, 0.9)
		got, err2 := stats.PairedAUCBinned(cells, 0.9)
		if (err == nil) != (err2 == nil) || err != nil && !errors.Is(err2, stats.ErrEmpty) {
			t.Fatalf("%v on rows, %v on cells", err, err2)
		}
		if err != nil {
			return
		}
		if !statstest.IsNear(got.Estimate.Point, want.Estimate.Point, 1e-12, 1e-12) || !statstest.IsNear(got.SE, want.SE, 1e-6, 1e-9) {
			t.Fatalf("difference %v with SE %v on cells, %v with %v on rows", got.Estimate.Point, got.SE, want.Estimate.Point, want.SE)
		}
	})
}

// An outcome that is not known is not a good one.
func TestSwapSetUnlabelled(t *testing.T) {
	group := func(n, labelled, bad uint64) stats.SwapGroup {
		return stats.SwapGroup{N: n, Labelled: labelled, Bad: bad}
	}
	r, err := stats.SwapSet(group(100, 100, 5), group(20, 20, 4), group(30, 0, 0), 50, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	statstest.Near(t, "old rate", r.OldRate, 9.0/120, 1e-14, 0)
	if !math.IsNaN(r.NewRate) || !math.IsNaN(r.InRate) || r.OutRate != 0.2 || !math.IsNaN(r.Benefit) || !math.IsInf(r.SE, 1) || r.Unlabelled != 30 || len(r.Warnings) != 2 {
		t.Errorf("swapped in without outcomes: %+v", r)
	}
	if r.Difference.Lo != -1 || r.Difference.Hi != 1 {
		t.Errorf("difference %+v, want all of [-1,1]", r.Difference)
	}
}

func TestPairedDecisionsWithoutAClass(t *testing.T) {
	r, err := stats.PairedDecisions(stats.PairedTable{}, stats.PairedTable{Both: 3, OnlyFirst: 2}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if r.FPR.N != 0 || !math.IsNaN(r.FPR.Estimate.Point) || r.FPR.Estimate.Lo != -1 || r.TPR.Estimate.Point != 0.4 {
		t.Errorf("%+v", r)
	}
}

func TestPairsErrors(t *testing.T) {
	one := stats.SwapGroup{N: 1, Labelled: 1}
	call := map[string]struct {
		do   func() error
		want error
	}{
		"AUC of no cells":  {func() error { _, err := stats.PairedAUCBinned(nil, 0.95); return err }, stats.ErrEmpty},
		"AUC of one class": {func() error { _, err := stats.PairedAUCBinned([]stats.PairedCell{{Positives: 3}}, 0.95); return err }, stats.ErrEmpty},
		"AUC at level 1":   {func() error { _, err := stats.PairedAUCBinned([]stats.PairedCell{{0, 0, 2, 3}}, 1); return err }, stats.ErrDomain},
		"no decisions": {func() error {
			_, err := stats.PairedDecisions(stats.PairedTable{}, stats.PairedTable{}, 0.95)
			return err
		}, stats.ErrEmpty},
		"decisions overflow": {func() error {
			_, err := stats.PairedDecisions(stats.PairedTable{Both: math.MaxUint64}, stats.PairedTable{Both: 1}, 0.95)
			return err
		}, stats.ErrDomain},
		"swap of nothing": {func() error { _, err := stats.SwapSet(stats.SwapGroup{}, stats.SwapGroup{}, one, 5, 0.95); return err }, stats.ErrEmpty},
		"more bad than known": {func() error {
			_, err := stats.SwapSet(one, one, stats.SwapGroup{N: 3, Labelled: 1, Bad: 2}, 5, 0.95)
			return err
		}, stats.ErrDomain},
		"swap at level 0":  {func() error { _, err := stats.SwapSet(one, one, one, 5, 0); return err }, stats.ErrDomain},
		"table not square": {func() error { _, err := stats.Transitions([][]uint64{{1, 2}}, 0.95); return err }, stats.ErrMismatch},
		"table of zeros":   {func() error { _, err := stats.Transitions([][]uint64{{0, 0}, {0, 0}}, 0.95); return err }, stats.ErrEmpty},
		"table at level 2": {func() error { _, err := stats.Transitions([][]uint64{{1, 0}, {0, 1}}, 2); return err }, stats.ErrDomain},
	}
	for name, c := range call {
		if err := c.do(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want one wrapping %v", name, err, c.want)
		}
	}
}

func TestTransitionsWithoutChange(t *testing.T) {
	r, err := stats.Transitions([][]uint64{{5, 0}, {0, 7}}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]float64{0, 0}, r.Changes); d != "" || r.Churn.Point != 0 || r.Churn.Hi <= 0 || r.ChangeSE[0] != 0 {
		t.Errorf("%+v\n%s", r, d)
	}
}
