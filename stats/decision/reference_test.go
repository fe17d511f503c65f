package decision_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/decision"
	"github.com/rampguard/rampguard/stats/statstest"
)

func TestMixReference(t *testing.T) {
	for _, c := range statstest.Load(t, "decision").ByFunc(t, "mix") {
		got, err := decision.Mix(hist(statstest.Floats(t, c.In, "scores")), statstest.Floats(t, c.In, "cuts"))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range statstest.Floats(t, c.Want, "mix") {
			statstest.Near(t, fmt.Sprint(c.Name, " action ", i), got[i].Value, want, c.RTol, c.ATol)
			if got[i].Lo != got[i].Hi { // the cuts are edges of cells
				t.Errorf("%s: action %d is between %v and %v", c.Name, i, got[i].Lo, got[i].Hi)
			}
		}
	}
}

func TestEqualRatesReference(t *testing.T) {
	for _, c := range statstest.Load(t, "decision").ByFunc(t, "remap") {
		var n uint64
		statstest.Decode(t, c.In, "n", &n)
		var exact bool
		statstest.Decode(t, c.In, "exact", &exact)
		scores := statstest.Floats(t, c.In, "scores")
		rs, err := decision.EqualRates(statstest.Uints(t, c.In, "x"), n, hist(scores), 0)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range rs {
			count := 0.0
			for _, s := range scores {
				if s >= r.At {
					count++
				}
			}
			name := fmt.Sprint(c.Name, " cut ", i)
			real := count / float64(len(scores))
			if !(r.Rate.Lo <= real && real <= r.Rate.Hi) {
				t.Errorf("%s: %v of the scores are at or above it, outside %+v", name, real, r.Rate)
			}
			want := func(key string) float64 { return statstest.Floats(t, c.Want, key)[i] }
			if !exact { // unlike scores within a cell, of which there are few
				statstest.Near(t, name+" at", r.At, want("at"), 0, 2.0/2048)
				statstest.Near(t, name+" rate", real, want("rate"), 0, 3/float64(len(scores)))
				if r.Difference.Estimate.Lo > want("lo")+0.005 || r.Difference.Estimate.Hi < want("hi")-0.005 {
					t.Errorf("%s: difference %v does not cover Newcombe's [%v, %v]", name, r.Difference.Estimate, want("lo"), want("hi"))
				}
				continue
			}
			near := func(what string, got float64) {
				t.Helper()
				statstest.Near(t, name+" "+what, got, want(what), c.RTol, c.ATol)
			}
			near("rate", r.Rate.Value)
			near("rate", real)
			near("below", r.Below)
			near("above", r.Above)
			near("lo", r.Difference.Estimate.Lo)
			near("hi", r.Difference.Estimate.Hi)
			near("se", r.Difference.SE)
		}
	}
}

func TestSplitShiftReference(t *testing.T) {
	for _, c := range statstest.Load(t, "decision").ByFunc(t, "shift") {
		var m decision.Mixes
		for bits := range 8 {
			i, j, k := bits&1, bits>>1&1, bits>>2
			if key := fmt.Sprintf("%d%d%d", i, j, k); c.In[key] != nil {
				m[i][j][k] = statstest.Floats(t, c.In, key)
			}
		}
		s, err := decision.SplitShift(m, decision.ShiftOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var orders int
		if statstest.Decode(t, c.Want, "orders", &orders); s.Orders != orders {
			t.Errorf("%s: %d orders, want %d", c.Name, s.Orders, orders)
		}
		for cause, p := range map[string]decision.Part{"model": s.Model, "policy": s.Policy, "population": s.Population} {
			for key, got := range map[string][]float64{cause: p.Mean, cause + "_lo": p.Lo, cause + "_hi": p.Hi} {
				for a, want := range statstest.Floats(t, c.Want, key) {
					statstest.Near(t, fmt.Sprint(c.Name, " ", key, " ", a), got[a], want, c.RTol, c.ATol)
				}
			}
		}
		if len(s.Shadow) == 0 {
			t.Errorf("%s: no mix from shadow scores", c.Name)
		}
	}
}

func TestDifferenceReference(t *testing.T) {
	ref := statstest.Load(t, "decision")
	for _, c := range ref.ByFunc(t, "paired") {
		var up, down, n uint64
		statstest.Decode(t, c.In, "up", &up)
		statstest.Decode(t, c.In, "down", &down)
		statstest.Decode(t, c.In, "n", &n)
		d, err := decision.PairedRateDifference(down, up, n, 0)
		if err != nil {
			t.Fatal(err)
		}
		statstest.Near(t, c.Name+" se", d.SE, statstest.Float(t, c.Want, "se"), 1e-9, 1e-15)
		statstest.Near(t, c.Name+" point", d.Estimate.Point, statstest.Float(t, c.Want, "point"), c.RTol, c.ATol)
	}
	for _, c := range ref.ByFunc(t, "unpaired") {
		x := statstest.Uints(t, c.In, "counts")
		d, err := decision.RateDifference(x[0], x[1], x[2], x[3], 0)
		if err != nil {
			t.Fatal(err)
		}
		statstest.Near(t, c.Name, d.SE, statstest.Float(t, c.Want, "se"), 1e-12, 0)
	}
}

func TestEqualBadRateReference(t *testing.T) {
	for _, c := range statstest.Load(t, "decision").ByFunc(t, "badrate") {
		var pos, neg []float64
		labels := statstest.Uints(t, c.In, "labels")
		for i, s := range statstest.Floats(t, c.In, "scores") {
			if labels[i] == 1 {
				pos = append(pos, s)
			} else {
				neg = append(neg, s)
			}
		}
		want := statstest.Float(t, c.In, "rate")
		got, err := decision.EqualBadRate(want, hist(pos), hist(neg), 0)
		bad, known := statstest.Float(t, c.Want, "bad"), statstest.Float(t, c.Want, "known")
		if known == 0 {
			if err == nil {
				t.Errorf("%s: %+v, but no cut has so low a rate", c.Name, got)
			}
			continue
		}
		if err != nil {
			t.Fatal(c.Name, err)
		}
		below := 0.0
		for _, s := range append(pos, neg...) {
			if s < got.At {
				below++
			}
		}
		if float64(got.Bad) != bad || float64(got.Known) != known || below != known || got.Labels != uint64(len(labels)) {
			t.Errorf("%s: %d of %d bad below %v, want %v of %v; counted %v", c.Name, got.Bad, got.Known, got.At, bad, known, below)
		}
	}
}

// The transition matrix of a block, review, allow policy, worked out by hand.
func TestTransitionsCase(t *testing.T) {
	table := [][]uint64{{80, 15, 5}, {10, 150, 40}, {2, 30, 668}} // c-policy-matrix
	got, err := stats.Transitions(table, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	se := []float64{0.0056511945639837954, 0.009745511787484533, 0.00876532942906312}
	for i := range table {
		statstest.Near(t, "se", got.ChangeSE[i], se[i], 1e-9, 0)
		statstest.Near(t, "change", got.Changes[i], []float64{-0.008, -0.005, 0.013}[i], 1e-9, 1e-12)
	}
	statstest.Near(t, "churn", got.Churn.Point, 0.102, 1e-12, 0)
	// By hand: 400 of 50,000 rows disagree, sqrt(0.008/50000).
	d, err := decision.PairedRateDifference(200, 200, 50000, 0)
	if err != nil || math.Abs(d.SE-0.0004) > 1e-9 {
		t.Errorf("standard error %v, %v", d.SE, err)
	}
}
