package drift_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats/statstest"
)

// drawCells draws two samples of one to 12 cells.
func drawCells(t *rapid.T) drift.Cells {
	k := rapid.IntRange(2, 12).Draw(t, "cells")
	count := rapid.SliceOfN(rapid.Uint64Range(0, 5000), k, k)
	ref, cur := count.Draw(t, "ref"), count.Draw(t, "cur")
	ref[rapid.IntRange(0, k-1).Draw(t, "some ref")]++
	cur[rapid.IntRange(0, k-1).Draw(t, "some cur")]++
	c, err := drift.Counts(ref, cur)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func swapped(c drift.Cells) drift.Cells {
	c.Ref, c.Cur, c.RefN, c.CurN = c.Cur, c.Ref, c.CurN, c.RefN
	return c
}

func of(t *rapid.T, m metric, c drift.Cells) drift.Divergence {
	d, err := m.of(c, drift.Options{})
	if err != nil {
		t.Fatalf("%s: %v", m.name, err)
	}
	return d
}

var upper = map[string]float64{
	"PSIEquivalent": 8 * math.Ln2, "JSDivergenceNats": math.Ln2, "JSDistanceBase2": 1,
	"Hellinger": 1, "TotalVariation": 1, "LInfinity": 1,
}

func TestBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCells(t)
		for _, m := range metrics {
			d := of(t, m, c)
			limit := math.MaxFloat64
			if b, ok := upper[m.name]; ok {
				limit = b
			}
			for what, v := range map[string]float64{"Value": d.Value, "Corrected": d.Corrected, "Null95": d.Null95, "Lo": d.Interval.Lo, "Hi": d.Interval.Hi} {
				if !(v >= 0 && v <= limit) {
					t.Errorf("%s %s = %v, want 0 to %v", m.name, what, v, limit)
				}
			}
			if d.Interval.Lo > d.Interval.Hi || d.Corrected > d.Value || !(d.P >= 0 && d.P <= 1) || d.LogP > 0 {
				t.Errorf("%s = %+v", m.name, d)
			}
			sum := 0.0
			for _, top := range d.Top {
				sum += top.Value
			}
			if m.name != "LInfinity" && m.name != "JSDistanceBase2" && m.name != "Hellinger" && sum > d.Value*(1+1e-9) {
				t.Errorf("%s: contributions add up to %v of %v", m.name, sum, d.Value)
			}
		}
	})
}

func TestSymmetry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCells(t)
		for _, m := range metrics {
			a, b := of(t, m, c), of(t, m, swapped(c))
			switch m.name {
			case "KLRefCur":
				b = of(t, metric{"KLCurRef", drift.KLCurRef}, swapped(c))
			case "KLCurRef":
				b = of(t, metric{"KLRefCur", drift.KLRefCur}, swapped(c))
			}
			if !statstest.IsNear(a.Value, b.Value, 1e-12, 1e-15) || !statstest.IsNear(a.LogP, b.LogP, 1e-9, 1e-12) ||
				!statstest.IsNear(a.Interval.Hi, b.Interval.Hi, 1e-9, 1e-12) {
				t.Errorf("%s: %v and, swapped, %v", m.name, a, b)
			}
		}
	})
}

func TestZeroOnEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCells(t)
		c.Cur, c.CurN = c.Ref, c.RefN
		for _, m := range metrics {
			if d := of(t, m, c); d.Value != 0 || d.Corrected != 0 || len(d.Top) != 0 || d.P < 0.5 {
				t.Errorf("%s of equal counts = %+v", m.name, d)
			}
		}
	})
}

func TestPermutationOfCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCells(t)
		order := rapid.Permutation(upTo(len(c.Ref))).Draw(t, "order")
		p := c
		p.Ref, p.Cur, p.Info = nil, nil, nil
		for _, i := range order {
			p.Ref, p.Cur, p.Info = append(p.Ref, c.Ref[i]), append(p.Cur, c.Cur[i]), append(p.Info, c.Info[i])
		}
		for _, m := range metrics {
			a, b := of(t, m, c), of(t, m, p)
			if !statstest.IsNear(a.Value, b.Value, 1e-12, 1e-15) || !statstest.IsNear(a.LogP, b.LogP, 1e-9, 1e-12) {
				t.Errorf("%s: %v and, permuted, %v", m.name, a, b)
			}
		}
	})
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// An empty cell on both sides is as if it were not there.
func TestEmptyCellIsNone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCells(t)
		ref, cur := append([]uint64{0}, c.Ref...), append([]uint64{0}, c.Cur...)
		wide, err := drift.Counts(ref, cur)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range metrics {
			if a, b := of(t, m, c), of(t, m, wide); a.Value != b.Value || a.P != b.P || a.Cells != b.Cells {
				t.Errorf("%s: %v, and with an empty cell %v", m.name, a, b)
			}
		}
	})
}

func TestRelations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCells(t)
		v := map[string]float64{}
		for _, m := range metrics {
			v[m.name] = of(t, m, c).Value
		}
		near := func(what string, a, b float64) {
			if !statstest.IsNear(a, b, 1e-10, 1e-14) {
				t.Errorf("%s: %v and %v", what, a, b)
			}
		}
		near("JS nats = log 2 times the squared base-2 distance", v["JSDivergenceNats"], math.Ln2*v["JSDistanceBase2"]*v["JSDistanceBase2"])
		near("PSIEquivalent = 8 JS", v["PSIEquivalent"], 8*v["JSDivergenceNats"])
		near("PSI = KL + KL", v["PSI"], v["KLRefCur"]+v["KLCurRef"])
		if h2 := v["Hellinger"] * v["Hellinger"]; h2 > v["TotalVariation"]+1e-12 || v["TotalVariation"] > math.Sqrt(h2*(2-h2))+1e-12 {
			t.Errorf("H^2 <= TV <= H sqrt(2-H^2) fails: %v, %v", h2, v["TotalVariation"])
		}
		if v["LInfinity"] > 2*v["TotalVariation"] || 2*v["TotalVariation"]*v["TotalVariation"] > v["PSIEquivalent"]+1e-12 {
			t.Errorf("LInfinity <= 2 TV, 2 TV^2 <= 8 JS fail: %v, %v, %v", v["LInfinity"], v["TotalVariation"], v["PSIEquivalent"])
		}
	})
}

// For small drift and no small counts, PSI, 8 JS, 8 H^2, 2 KL and s times the
// chi-square statistics are one number.
func TestEquivalenceForSmallDrift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(2, 20).Draw(t, "cells")
		ref, cur := make([]uint64, k), make([]uint64, k)
		for i := range ref {
			ref[i] = rapid.Uint64Range(100000, 200000).Draw(t, "ref")
			cur[i] = ref[i] + rapid.Uint64Range(0, 2000).Draw(t, "more")
		}
		c, err := drift.Counts(ref, cur)
		if err != nil {
			t.Fatal(err)
		}
		v := map[string]float64{}
		for _, m := range metrics {
			v[m.name] = of(t, m, c).Value
		}
		s := 1/float64(c.RefN) + 1/float64(c.CurN)
		for what, x := range map[string]float64{
			"8 JS": v["PSIEquivalent"], "8 H^2": 8 * v["Hellinger"] * v["Hellinger"],
			"2 KL": 2 * v["KLRefCur"], "s X2": s * v["ChiSquare"], "s G": s * v["G"],
		} {
			if !statstest.IsNear(x, v["PSI"], 0.02, 1e-12) {
				t.Errorf("%s = %v, PSI = %v", what, x, v["PSI"])
			}
		}
	})
}

// KS and W1 are symmetric, vanish on equal samples, and W1 moves with the unit.
func TestHistogramLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-50, 50), 1, 60)
		x, y := histogram(values.Draw(t, "x")...), histogram(values.Draw(t, "y")...)
		a, err := drift.Wasserstein1(x, y, drift.Options{})
		b, err2 := drift.Wasserstein1(y, x, drift.Options{})
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if !statstest.IsNear(a.Value, b.Value, 1e-12, 1e-13) || a.Value < 0 || a.Interval.Lo > a.Interval.Hi {
			t.Errorf("W1 = %+v and, swapped, %+v", a, b)
		}
		if self, err := drift.Wasserstein1(x, x, drift.Options{}); err != nil || self.Value != 0 {
			t.Errorf("W1 of a sample with itself = %v, %v", self.Value, err)
		}
		d, err := drift.KS(x, y, drift.Options{})
		e, err2 := drift.KS(y, x, drift.Options{})
		if err != nil || err2 != nil || d.Value != e.Value || d.Value > 1 || d.Interval.Lo > d.Value || d.Interval.Hi < d.Value {
			t.Errorf("KS = %+v and, swapped, %+v, %v, %v", d, e, err, err2)
		}
		if self, err := drift.KS(x, x, drift.Options{}); err != nil || self.Value != 0 || self.P != 1 {
			t.Errorf("KS of a sample with itself = %+v, %v", self, err)
		}
	})
}

// Whatever the values, the cells account for every row.
func TestNumericLosesNoRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64(), rapid.Just(0.0), rapid.Just(1.0), rapid.Just(math.NaN()), rapid.Just(math.Inf(1)), rapid.Float64Range(0, 1))
		x := rapid.SliceOfN(value, 1, 80).Draw(t, "x")
		y := rapid.SliceOfN(value, 1, 80).Draw(t, "y")
		o := drift.Options{Cells: rapid.IntRange(2, 40).Draw(t, "cells")}
		c, err := drift.Numeric(histogram(x...), histogram(y...), o)
		if err != nil {
			t.Fatal(err)
		}
		if c.RefN != uint64(len(x)) || c.CurN != uint64(len(y)) {
			t.Errorf("%d and %d rows, want %d and %d", c.RefN, c.CurN, len(x), len(y))
		}
		for _, m := range metrics {
			of(t, m, c)
		}
	})
}

// Any float64 may turn up: the answers are finite, or an error says that the
// values overflow.
func TestExtremeValues(t *testing.T) {
	value := rapid.OneOf(rapid.Float64(), rapid.Just(0.0), rapid.Just(1.0), rapid.Just(nan), rapid.Just(posInf), rapid.Float64Range(-3, 3))
	values := rapid.SliceOfN(value, 1, 120)
	rapid.Check(t, func(t *rapid.T) {
		x, y := histogram(values.Draw(t, "x")...), histogram(values.Draw(t, "y")...)
		finite := func(what string, numbers ...float64) {
			for _, v := range numbers {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("%s: %v", what, numbers)
				}
			}
		}
		if d, err := drift.KS(x, y, drift.Options{}); err == nil {
			finite("KS", d.Value, d.Null95, d.P, d.LogP, d.Interval.Lo, d.Interval.Hi)
		}
		if w, err := drift.Wasserstein1(x, y, drift.Options{}); err == nil {
			finite("Wasserstein1", w.Value, w.Corrected, w.Bound, w.Null95, w.P, w.LogP, w.Interval.Lo, w.Interval.Hi, w.RefSD)
		}
		r, err := drift.Collapse(x, y, drift.CollapseOptions{RangeLo: -1, RangeHi: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Signals {
			if math.IsNaN(s.Ref + s.Cur + s.Effect.Point + s.Effect.Lo + s.Effect.Hi) {
				t.Errorf("%+v", s)
			}
		}
		if _, err := drift.OutOfRange(x, y, drift.Options{}); err != nil && x.N() > 0 && y.N() > 0 {
			t.Error(err)
		}
	})
}
