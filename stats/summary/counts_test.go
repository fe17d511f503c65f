package summary_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Below and beyond the cap, each count that is given is the true one, and no
// value is lost.
func TestCategoricalCountsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 9).Draw(t, "limit")
		c, err := summary.NewCategorical(limit)
		if err != nil {
			t.Fatal(err)
		}
		truth := map[string]uint64{}
		total := uint64(0)
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, 15), 0, 60).Draw(t, "names") {
			name := fmt.Sprint(i)
			c.AddN(name, uint64(i+1))
			truth[name] += uint64(i + 1)
			total += uint64(i + 1)
		}
		counts := c.Counts()
		if len(counts) != min(len(truth), limit) {
			t.Fatalf("%d names kept of %d under cap %d", len(counts), len(truth), limit)
		}
		sum := c.OtherTotal()
		prev := ""
		for _, e := range counts {
			if e.N != truth[e.Name] || e.Name <= prev {
				t.Fatalf("count %+v after %q, want %d", e, prev, truth[e.Name])
			}
			prev = e.Name
			sum += e.N
		}
		if sum != total || c.Total() != total {
			t.Fatalf("counts add up to %d, Total is %d, want %d", sum, c.Total(), total)
		}
		for i := range 20 {
			name := fmt.Sprint(i)
			if n, known := c.N(name); (known && n != truth[name]) || (!known && len(truth) <= limit) {
				t.Fatalf("N(%q) = %d, %v, want %d", name, n, known, truth[name])
			}
		}
		n, exact := c.Distinct()
		if exact != (len(truth) <= limit) || (exact && n != float64(len(truth))) || (!exact && n < float64(limit+1)) {
			t.Fatalf("Distinct() = %v, %v, want %d under cap %d", n, exact, len(truth), limit)
		}
	})
}

func TestCategoricalEstimate(t *testing.T) {
	c, err := summary.NewCategorical(1000)
	if err != nil {
		t.Fatal(err)
	}
	const names = 50000
	for i := range names {
		c.AddN(fmt.Sprint("name ", i), 1)
	}
	n, exact := c.Distinct()
	if relative := n/names - 1; exact || math.Abs(relative) > 4/math.Sqrt(998) {
		t.Errorf("Distinct() = %v, %v, want about %d", n, exact, names)
	}
	for i, o := range c.Other() {
		if want := float64(names-1000) / 64; math.Abs(float64(o)-want) > 6*math.Sqrt(want) {
			t.Errorf("cell %d holds %d, want about %.0f", i, o, want)
		}
	}
}

func TestNewCategoricalRejects(t *testing.T) {
	for _, limit := range []int{-1, 1<<20 + 1} {
		if _, err := summary.NewCategorical(limit); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("NewCategorical(%d): error %v, want one wrapping %v", limit, err, stats.ErrDomain)
		}
	}
}

// Naming the default cap is the same as not naming one.
func TestCategoricalDefaultCap(t *testing.T) {
	named, err := summary.NewCategorical(summary.DefaultCap)
	if err != nil {
		t.Fatal(err)
	}
	named.AddN("a", 1)
	zero := new(summary.Categorical)
	zero.AddN("a", 1)
	if d := cmp.Diff(text(t, zero), text(t, named)); d != "" {
		t.Errorf("(-zero +named):\n%s", d)
	}
	if err := zero.Merge(named); err != nil {
		t.Error(err)
	}
}

// Names that are not UTF-8 are different names after a trip through JSON too.
func TestCategoricalNamesThatAreNotUTF8(t *testing.T) {
	c := new(summary.Categorical)
	for i, name := range []string{"\xff", "\xfe", "\uFFFD", "", "<&>\u2028"} {
		c.AddN(name, uint64(i+1))
	}
	back := new(summary.Categorical)
	if err := back.UnmarshalJSON([]byte(text(t, c))); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(c.Counts(), back.Counts()); d != "" {
		t.Errorf("counts after JSON (-want +got):\n%s", d)
	}
}

func ids(t testing.TB, from, to int64) *summary.Distinct {
	t.Helper()
	d := new(summary.Distinct)
	var xs []int64
	for i := from; i < to; i++ {
		xs = append(xs, i)
	}
	if err := d.AddInts(xs, nil); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDistinctCount(t *testing.T) {
	for _, n := range []int64{0, 1, 8192, 8193, 100000} {
		d := ids(t, -n/2, n-n/2)
		if err := d.Merge(ids(t, -n/2, 0)); err != nil { // repeats
			t.Fatal(err)
		}
		got, exact := d.Count()
		if exact != (n <= 8192) || (exact && got != float64(n)) || math.Abs(got-float64(n)) > 0.045*float64(n) {
			t.Errorf("Count() of %d ids = %v, %v", n, got, exact)
		}
		if d.Total() != uint64(n+n/2) {
			t.Errorf("Total() = %d, want %d", d.Total(), n+n/2)
		}
		sampled, seen := d.Sampled()
		if want := uint64(min(n, 8192)); sampled != want || (n > 1 && math.Abs(float64(seen)/float64(sampled)-1.5) > 0.04) {
			t.Errorf("Sampled() = %d, %d, want %d, about half of them twice", sampled, seen, want)
		}
	}
}

func TestDistinctShared(t *testing.T) {
	cases := []struct {
		a, b *summary.Distinct
		both float64
		tol  float64
	}{
		{ids(t, 0, 1000), ids(t, 900, 2000), 0.1, 0},         // both complete
		{ids(t, 0, 1000), ids(t, 0, 100000), 1, 0},           // one sampled
		{ids(t, 0, 60000), ids(t, 30000, 90000), 0.5, 0.025}, // both sampled
		{ids(t, 0, 60000), ids(t, 60000, 90000), 0, 0},
	}
	for i, c := range cases {
		mine, theirs, both := c.a.Shared(c.b)
		theirs2, mine2, both2 := c.b.Shared(c.a)
		if mine != mine2 || theirs != theirs2 || both != both2 {
			t.Errorf("case %d: Shared is not symmetric", i)
		}
		if got := float64(both) / float64(mine); math.Abs(got-c.both) > c.tol {
			t.Errorf("case %d: %d of %d shared, want %v", i, both, mine, c.both)
		}
	}
}

func TestLengthsMustMatch(t *testing.T) {
	d, p := new(summary.Distinct), new(summary.Proportion)
	if err := d.AddInts([]int64{1, 2}, []bool{true}); !errors.Is(err, stats.ErrMismatch) || d.Total() != 0 {
		t.Errorf("AddInts: error %v, want one wrapping %v; %d counted", err, stats.ErrMismatch, d.Total())
	}
	if err := p.AddSlice([]bool{true, true}, []bool{true}); !errors.Is(err, stats.ErrMismatch) || p.Trials() != 0 {
		t.Errorf("AddSlice: error %v, want one wrapping %v; %d counted", err, stats.ErrMismatch, p.Trials())
	}
}

func TestProportionAndDistinctNulls(t *testing.T) {
	var p summary.Proportion
	if err := p.AddSlice([]bool{true, true, false, false}, []bool{true, false, true, false}); err != nil {
		t.Fatal(err)
	}
	if err := p.AddSlice([]bool{true, false}, nil); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(summary.Proportion{True: 2, False: 2, Null: 2}, p); d != "" || p.Trials() != 4 {
		t.Errorf("(-want +got):\n%s", d)
	}
	var d summary.Distinct
	if err := d.AddInts([]int64{7, 8, 7}, []bool{true, false, true}); err != nil {
		t.Fatal(err)
	}
	if d.Total() != 2 || d.Null() != 1 {
		t.Errorf("total %d and null %d, want 2 and 1", d.Total(), d.Null())
	}
}
