package drift_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

func names(counts map[string]uint64, null uint64) *summary.Categorical {
	c := new(summary.Categorical)
	for k, n := range counts {
		c.AddN(k, n)
	}
	c.AddNull(null)
	return c
}

func TestCategories(t *testing.T) {
	ref := names(map[string]uint64{"DE": 600, "FR": 300, "LU": 3, "MC": 2}, 10)
	cur := names(map[string]uint64{"DE": 500, "FR": 350, "XK": 40, "LU": 1, "SM": 4}, 20)
	c, err := drift.Categories(ref, cur, drift.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"DE 600 500", "FR 300 350", "XK 0 40", "rare (3 cells) 5 5", "null 10 20"}
	if diff := cmp.Diff(want, cellList(c)); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
	if c.Info[2].Kind != drift.UnseenCell || c.Info[3].Kind != drift.OtherCell || c.Info[4].Kind != drift.MissingCell {
		t.Errorf("kinds of %+v", c.Info)
	}
	u, err := drift.Unseen(ref, cur, drift.Options{})
	if err != nil || u.CurX != 44 || u.CurN != 915 || u.RefX != 0 || u.Expected != 0 {
		t.Errorf("Unseen = %+v, %v, want 44 of 915", u, err)
	}
}

func TestCategoriesOneRareIsNamed(t *testing.T) {
	c, err := drift.Categories(names(map[string]uint64{"a": 100}, 0), names(map[string]uint64{"a": 100, "b": 2}, 0), drift.Options{})
	if err != nil || c.Info[1].Name != "rare (b)" {
		t.Errorf("cells %+v, %v", c.Info, err)
	}
}

// Beyond the cap both sides are brought to one set of names; nothing is lost,
// whichever names each side had kept.
func TestCategoriesBeyondTheCap(t *testing.T) {
	make := func(from, to int) *summary.Categorical {
		c, err := summary.NewCategorical(8)
		if err != nil {
			t.Fatal(err)
		}
		for i := from; i < to; i++ {
			c.AddN(fmt.Sprint("name ", i), 50)
		}
		return c
	}
	ref, cur := make(0, 40), make(10, 60)
	before, err := ref.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	c, err := drift.Categories(ref, cur, drift.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.RefN != 2000 || c.CurN != 2500 || len(c.Warnings) != 1 || c.Warnings[0].Code != stats.WarnOther {
		t.Errorf("%d and %d rows, warnings %v", c.RefN, c.CurN, c.Warnings)
	}
	named, unnamed := 0, 0
	for i, info := range c.Info {
		if strings.HasPrefix(info.Name, "name ") {
			named++
			var k int
			if _, err := fmt.Sscan(strings.TrimPrefix(info.Name, "name "), &k); err != nil {
				t.Fatal(err)
			}
			if inRef := k < 40; (c.Ref[i] == 50) != inRef || (c.Cur[i] == 50) != (k >= 10) {
				t.Errorf("%s: %d and %d", info.Name, c.Ref[i], c.Cur[i])
			}
		} else {
			unnamed++
		}
	}
	if named != 8 || unnamed < 10 {
		t.Errorf("%d named and %d other cells, want 8 and more", named, unnamed)
	}
	after, err := ref.MarshalBinary()
	if err != nil || string(before) != string(after) {
		t.Error("the reference was changed")
	}
	u, err := drift.Unseen(ref, cur, drift.Options{})
	if err != nil || len(u.Warnings) != 1 || u.Warnings[0].Code != stats.WarnOther {
		t.Errorf("Unseen = %+v, %v", u, err)
	}
}

// A column of ids does not drift by itself, and Unseen knows how many new ones to
// expect.
func TestManyNamesDoNotDrift(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	sample := func(n int) *summary.Categorical {
		c, err := summary.NewCategorical(1 << 16)
		if err != nil {
			t.Fatal(err)
		}
		for range n {
			c.AddN(fmt.Sprint(int(20000*r.Float64()*r.Float64())), 1)
		}
		return c
	}
	ref, cur := sample(10000), sample(8000)
	c, err := drift.Categories(ref, cur, drift.Options{})
	d, err2 := drift.PSIEquivalent(mustCells(t, c, err), drift.Options{})
	if err2 != nil || d.P < 1e-3 || d.Interval.Hi > 0.05 {
		t.Errorf("PSIEquivalent of one distribution over many names = %v, P %v, %v", d.Interval, d.P, err2)
	}
	u, err := drift.Unseen(ref, cur, drift.Options{})
	if err != nil || u.Cur.Point < 0.2 || u.Cur.Point-u.Expected > 0.02 || u.Expected-u.Cur.Point > 0.02 {
		t.Errorf("Unseen = %v, expected %v, %v", u.Cur, u.Expected, err)
	}
}

func TestBooleans(t *testing.T) {
	c, err := drift.Booleans(&summary.Proportion{True: 3, False: 4}, &summary.Proportion{True: 5, False: 6, Null: 7})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"false 4 6", "true 3 5", "null 0 7"}, cellList(c)); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
}

func TestOutOfRange(t *testing.T) {
	ref := histogram(1, 2, 3, 4, 5)
	for _, c := range []struct {
		name string
		cur  *summary.Histogram
		want uint64
		n    uint64
	}{
		{"inside", histogram(1, 3, 5), 0, 3},
		{"both sides", histogram(0, 3, 6, 7), 3, 4},
		{"infinite", histogram(3, posInf, negInf), 2, 3},
		{"in the cell of an extreme", histogram(5.001, 3), 1, 2},
	} {
		r, err := drift.OutOfRange(ref, c.cur, drift.Options{})
		if err != nil || r.CurX != c.want || r.CurN != c.n || r.Expected != 2.0/6 {
			t.Errorf("%s: OutOfRange = %+v, %v, want %d of %d", c.name, r, err, c.want, c.n)
		}
	}
	r, err := drift.OutOfRange(ref, histogram(4.999, 5.001, 3), drift.Options{})
	if err != nil || r.CurX != 1 {
		t.Errorf("values on both sides of a cell boundary: %+v, %v", r, err)
	}
	r, err = drift.OutOfRange(histogram(1, 5.001), histogram(5.0005, 5.002, 3), drift.Options{})
	if err != nil || r.CurX != 0 || len(r.Warnings) != 1 || r.Warnings[0].Code != stats.WarnBinned {
		t.Errorf("values that may be outside: %+v, %v", r, err)
	}
	if _, err := drift.OutOfRange(ref, histogram(nan), drift.Options{}); err == nil {
		t.Error("no error for a current sample without values")
	}
}
