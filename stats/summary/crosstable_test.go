package summary_test

import (
	"errors"
	"fmt"
	"log"
	"math"
	"math/bits"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

// crossRow is a row with values in two columns; an empty one is missing.
type crossRow struct {
	a, b string
	unit uint64
	x    float64
}

func addCross(t testing.TB, c *summary.CrossTable, r crossRow) {
	t.Helper()
	codes := make([]uint32, 2)
	if c.Keeps(r.unit) {
		for i, v := range []string{r.a, r.b} {
			if v != "" {
				codes[i] = c.Code(i, v)
			}
		}
	}
	if err := c.Add(codes, r.unit, r.x); err != nil {
		t.Fatal(err)
	}
}

func newCross(t testing.TB, o summary.CrossOptions) *summary.CrossTable {
	t.Helper()
	c, err := summary.NewCrossTable(2, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func crossRows() *rapid.Generator[crossRow] {
	return rapid.Custom(func(t *rapid.T) crossRow {
		return crossRow{
			a:    rapid.SampledFrom([]string{"", "x", "y", `"q"`, "\xff"}).Draw(t, "a"),
			b:    fmt.Sprint(rapid.IntRange(0, 20).Draw(t, "b")),
			unit: summary.HashUnit(rapid.Int64Range(0, 40).Draw(t, "unit")) >> rapid.IntRange(0, 6).Draw(t, "zeros"),
			x:    rapid.SampledFrom([]float64{0, 0.25, 1, 0.1, 1e9, 0x1p-33, math.NaN(), -1, math.Inf(1), 0x1p32}).Draw(t, "x"),
		}
	})
}

func TestCrossTableLaws(t *testing.T) {
	for _, o := range []summary.CrossOptions{{}, {Cap: 3}, {Cap: 12}, {Values: 5}} {
		checkLaws(t, crossRows(), statstest.Laws[summary.CrossTable, crossRow]{
			New:   func() *summary.CrossTable { return newCross(t, o) },
			Add:   func(c *summary.CrossTable, r crossRow) { addCross(t, c, r) },
			Other: func() *summary.CrossTable { return newCross(t, summary.CrossOptions{Cap: 77}) },
		})
	}
}

// The level is the least at which cells and values fit, whatever the order, and the
// cells are those of the rows that are left.
func TestCrossTableKeepsAsMuchAsFits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SliceOfN(crossRows(), 0, 60).Draw(rt, "rows")
		o := summary.CrossOptions{Cap: rapid.IntRange(1, 20).Draw(rt, "cap"), Values: rapid.IntRange(2, 20).Draw(rt, "values")}
		c := newCross(t, o)
		for _, r := range rows {
			addCross(t, c, r)
		}
		fit := slices.DeleteFunc(slices.Clone(rows), func(r crossRow) bool { return !(r.x >= 0 && r.x < 0x1p32) })
		if got := c.Unfit(); got != uint64(len(rows)-len(fit)) {
			rt.Fatalf("%d unfit", got)
		}
		level := 0
		for ; ; level++ {
			cells, values := map[string]bool{}, map[string]bool{}
			for _, r := range fit {
				if l := bits.LeadingZeros64(r.unit) / 2; l >= level {
					cells[fmt.Sprintf("%q %q %d %d", r.a, r.b, r.unit&1, l)] = true
					values["b"+r.b] = true
					if r.a != "" {
						values["a"+r.a] = true
					}
				}
			}
			if len(cells) <= o.Cap && len(values) <= o.Values {
				break
			}
		}
		if _, share := c.Left(); share != math.Ldexp(1, -2*level) {
			rt.Fatalf("share %v at level %d", share, level)
		}
		sums := map[string]float64{}
		kept := uint64(0)
		for _, r := range fit {
			if bits.LeadingZeros64(r.unit)/2 >= level {
				sums[fmt.Sprintf("%q %q %d", r.a, r.b, r.unit&1)] += math.RoundToEven(r.x*0x1p32) / 0x1p32
				kept++
			}
		}
		got := map[string]float64{}
		for _, cell := range c.Cells() {
			name := func(i int) string {
				if cell.Codes[i] == 0 {
					return ""
				}
				return c.Values(i)[cell.Codes[i]-1]
			}
			got[fmt.Sprintf("%q %q %d", name(0), name(1), cell.Half)] = cell.Sums.Sum()
		}
		if d := cmp.Diff(sums, got); d != "" {
			rt.Fatal(d)
		}
		if left, _ := c.Left(); c.Kept() != kept || left != uint64(len(fit))-kept {
			rt.Fatalf("%d kept and %d left of %d", c.Kept(), left, len(fit))
		}
	})
}

// Sums are those of the errors, without rounding on the way.
func TestCrossSum(t *testing.T) {
	c := newCross(t, summary.CrossOptions{})
	xs := []float64{0, 0.5, 0x1p32 - 1, 0x1p-32, 3}
	for range 1000 {
		for _, x := range xs {
			addCross(t, c, crossRow{"x", "y", 1, x})
		}
	}
	s := c.Cells()[0].Sums
	if s.N() != 5000 || s.Max() != 0x1p32-1 {
		t.Errorf("%d rows, maximum %v", s.N(), s.Max())
	}
	sum, squares := 0.0, 0.0
	for _, x := range xs {
		sum += 1000 * x
	}
	for _, x := range xs {
		d := x - sum/5000
		squares += 1000 * d * d
	}
	m := s.Moments()
	statstest.Near(t, "sum", s.Sum(), sum, 1e-15, 0)
	statstest.Near(t, "mean", m.Mean, sum/5000, 1e-15, 0)
	statstest.Near(t, "variance", m.Variance, squares/4999, 1e-13, 0)
}

func TestCrossTableRefuses(t *testing.T) {
	for _, n := range []int{0, -1, 65} {
		if _, err := summary.NewCrossTable(n, summary.CrossOptions{}); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%d columns: %v", n, err)
		}
	}
	for _, o := range []summary.CrossOptions{{Cap: -1}, {Values: 1<<20 + 1}} {
		if _, err := summary.NewCrossTable(1, o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	c := newCross(t, summary.CrossOptions{})
	for _, codes := range [][]uint32{nil, {0}, {0, 1}} {
		if err := c.Add(codes, 1, 1); !errors.Is(err, stats.ErrMismatch) || c.Kept() != 0 {
			t.Errorf("codes %v: %v", codes, err)
		}
	}
	if err := new(summary.CrossTable).Add(nil, 1, 1); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("no columns: %v", err)
	}
	if c.Code(2, "x") != 0 || c.Values(-1) != nil {
		t.Error("a column that is not there has values")
	}
}

func TestCrossTableAllocatesNothingWhenWarm(t *testing.T) {
	c := newCross(t, summary.CrossOptions{})
	codes := []uint32{c.Code(0, "x"), c.Code(1, "y")}
	unit := uint64(0)
	add := func() {
		unit++
		if err := c.Add(codes, summary.HashUnit(int64(unit%5000)), 0.5); err != nil {
			t.Fatal(err)
		}
	}
	for range 5000 {
		add()
	}
	if n := testing.AllocsPerRun(1000, add); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}

func crossSeeds(f *testing.F) []*summary.CrossTable {
	full, small, empty := newCross(f, summary.CrossOptions{}), newCross(f, summary.CrossOptions{Cap: 4}), new(summary.CrossTable)
	for i := range 30 {
		r := crossRow{fmt.Sprint(i % 3), []string{"", `"`, "\xff"}[i%3], summary.HashUnit(int64(i)), float64(i) / 7}
		addCross(f, full, r)
		addCross(f, small, r)
	}
	full.AddNull(3)
	empty.AddNoUnit(2)
	return []*summary.CrossTable{full, small, empty}
}

func askCross(c *summary.CrossTable) {
	for _, cell := range c.Cells() {
		cell.Sums.Moments()
	}
	_ = c.Add(make([]uint32, c.Columns()), 1, 1)
	c.Code(0, "new")
}

func FuzzCrossTableBinary(f *testing.F) { fuzz(f, false, askCross, crossSeeds(f)...) }

func FuzzCrossTableJSON(f *testing.F) { fuzz(f, true, askCross, crossSeeds(f)...) }

func ExampleNewCrossTable() {
	c, err := summary.NewCrossTable(2, summary.CrossOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for id := range int64(1000) {
		airport, day, loss := "ATL", "mon", 0.1
		if id%4 == 0 {
			airport, loss = "ORD", 0.7
		}
		if id%7 == 0 {
			day = "sun"
		}
		codes := []uint32{c.Code(0, airport), c.Code(1, day)}
		if err := c.Add(codes, summary.HashUnit(id), loss); err != nil {
			log.Fatal(err)
		}
	}
	for _, cell := range c.Cells() {
		if cell.Half == 0 {
			fmt.Printf("%s %s: mean error %.3f\n", c.Values(0)[cell.Codes[0]-1], c.Values(1)[cell.Codes[1]-1], cell.Sums.Moments().Mean)
		}
	}
	// Output:
	// ATL mon: mean error 0.100
	// ATL sun: mean error 0.100
	// ORD mon: mean error 0.700
	// ORD sun: mean error 0.700
}

func ExampleHashUnit() {
	half := [2]int{}
	for id := range int64(10000) {
		half[summary.HashUnit(id)&1]++
	}
	fmt.Println(half[0] > 4800, half[1] > 4800)
	// Output: true true
}

func ExampleHashUnitString() {
	a, b := summary.HashUnitString("user-1"), summary.HashUnitString("user-2")
	fmt.Println(a != b)
	// Output: true
}
