package summary_test

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

// open is a layout with sums, and the range that it takes.
type open struct {
	name   string
	layout summary.Layout
	lo, hi float64
}

func openLayouts(t testing.TB) []open {
	return []open{
		{"loglinear", layout(t, summary.LogLinear), math.Inf(-1), math.Inf(1)},
		{"probability", layout(t, summary.Probability), 0, 1},
	}
}

func histogram(l summary.Layout, xs ...float64) *summary.Histogram {
	h := summary.NewHistogram(l)
	h.AddSlice(xs)
	return h
}

func TestHistogramMomentsAreCorrectlyRounded(t *testing.T) {
	for _, o := range openLayouts(t) {
		t.Run(o.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				xs := rapid.SliceOfN(anyFloat(), 0, 20).Draw(t, "xs")
				h := histogram(o.layout, xs...)
				kept := keep(xs, o.lo, o.hi)
				got, err := h.Moments()
				if len(kept) == 0 {
					if !errors.Is(err, stats.ErrEmpty) {
						t.Fatalf("error %v, want one wrapping %v", err, stats.ErrEmpty)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				n, mean, variance, _, _ := exactShape(kept)
				want := summary.Shape{N: uint64(n), Mean: mean, Variance: variance, Min: kept[0], Max: kept[len(kept)-1]}
				approximate := cmpopts.IgnoreFields(summary.Shape{}, "Skewness", "Kurtosis")
				if d := cmp.Diff(want, got, cmpopts.EquateNaNs(), approximate); d != "" {
					t.Fatalf("Moments of %v (-want +got):\n%s", kept, d)
				}
			})
		})
	}
}

// Skewness and kurtosis come from cells that are narrow against the spread.
func TestHistogramShape(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, o := range openLayouts(t) {
		xs := make([]float64, 5000)
		for i := range xs {
			xs[i] = r.Float64() * r.Float64()
		}
		_, _, _, skewness, kurtosis := exactShape(xs)
		got, err := histogram(o.layout, xs...).Moments()
		if err != nil {
			t.Fatal(err)
		}
		statstest.Near(t, o.name+" skewness", got.Skewness, skewness, 1e-6, 0)
		statstest.Near(t, o.name+" kurtosis", got.Kurtosis, kurtosis, 1e-6, 0)
	}
}

func TestHistogramMomentsAtTheEdgeOfTheRange(t *testing.T) {
	nan := math.NaN()
	l := layout(t, summary.LogLinear)
	cases := []struct {
		name string
		xs   []float64
		want summary.Shape
	}{
		{"one value", []float64{-3}, summary.Shape{N: 1, Mean: -3, Variance: nan, Skewness: nan, Kurtosis: nan, Min: -3, Max: -3}},
		{"constant", []float64{0.1, 0.1, 0.1}, summary.Shape{N: 3, Mean: 0.1, Skewness: nan, Kurtosis: nan, Min: 0.1, Max: 0.1}},
		{"zeros of both signs", []float64{0, math.Copysign(0, -1)}, summary.Shape{N: 2, Skewness: nan, Kurtosis: nan}},
		{"overflow", []float64{-1e300, 1e300}, summary.Shape{N: 2, Variance: math.Inf(1), Skewness: nan, Kurtosis: nan, Min: -1e300, Max: 1e300}},
		{"underflow", []float64{-1e-200, 1e-200}, summary.Shape{N: 2, Skewness: nan, Kurtosis: nan, Min: -1e-200, Max: 1e-200}},
	}
	for _, c := range cases {
		got, err := histogram(l, c.xs...).Moments()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, got, cmpopts.EquateNaNs()); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
	if _, err := histogram(edges(t, 0), 1).Moments(); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("frozen edges: error %v, want one wrapping %v", err, stats.ErrMismatch)
	}
}

// Every value is in exactly one cell, whose mean and variance are those of its
// values.
func TestCells(t *testing.T) {
	layouts := append(openLayouts(t), open{"edges", edges(t, -1e300, -1, 0, 0.25, 0.5, 1, 1e300), math.Inf(-1), math.Inf(1)})
	for _, o := range layouts {
		t.Run(o.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				xs := rapid.SliceOfN(anyFloat(), 0, 20).Draw(t, "xs")
				left := keep(xs, o.lo, o.hi)
				prev := math.Inf(-1)
				for _, c := range histogram(o.layout, xs...).Cells() {
					if c.Lo < prev || c.Hi < c.Lo || c.N == 0 || c.N > uint64(len(left)) {
						t.Fatalf("cell %+v after one that ends at %v, with %d values left", c, prev, len(left))
					}
					prev = c.Hi
					in := left[:c.N]
					left = left[c.N:]
					for _, x := range in {
						inside := c.Lo <= x && x < c.Hi
						switch {
						case c.Lo == c.Hi:
							inside = x == c.Lo
						case o.name == "loglinear" && x < 0:
							inside = c.Lo < x && x <= c.Hi
						}
						if !inside {
							t.Fatalf("cell %+v holds %v", c, x)
						}
					}
					checkCell(t, c, in)
				}
				if len(left) > 0 {
					t.Fatalf("in no cell: %v", left)
				}
			})
		})
	}
}

func checkCell(t *rapid.T, c summary.Cell, in []float64) {
	if math.IsNaN(c.Var) { // frozen edges know no mean
		if c.Mean < c.Lo || c.Mean > c.Hi || math.IsInf(c.Mean, 0) {
			t.Fatalf("mean of cell %+v is outside", c)
		}
		return
	}
	n, mean, variance, _, _ := exactShape(in)
	if n == 1 {
		variance = 0
	}
	variance *= float64(n-1) / float64(n)
	ulp := math.Nextafter(math.Abs(mean), math.Inf(1)) - math.Abs(mean)
	if math.Abs(c.Mean-mean) > 2*ulp {
		t.Fatalf("cell %+v: mean %v, want %v", c, c.Mean, mean)
	}
	if !statstest.IsNear(c.Var, variance, 1e-9, 1e-320) {
		t.Fatalf("cell %+v: variance %v, want %v", c, c.Var, variance)
	}
	if same := in[0] == in[len(in)-1]; same != (c.Var == 0) || (same && c.Mean != in[0]) {
		t.Fatalf("cell %+v of %v: Var must be 0 if and only if all values are the same", c, in)
	}
}

// The same cells come out whatever the sign: negative values mirror positive
// ones, and only-negative data has its cells in ascending order.
func TestCellsOfNegativeData(t *testing.T) {
	l := layout(t, summary.LogLinear)
	xs := []float64{-5, -1, -1.001, -0x1p80, -1e-30, -7, -7}
	var mirrored []summary.Cell
	for _, c := range histogram(l, 5, 1, 1.001, 0x1p80, 1e-30, 7, 7).Cells() {
		mirrored = append(mirrored, summary.Cell{Lo: -c.Hi, Hi: -c.Lo, N: c.N, Mean: -c.Mean, Var: c.Var})
	}
	slices.Reverse(mirrored)
	if d := cmp.Diff(mirrored, histogram(l, xs...).Cells()); d != "" {
		t.Errorf("cells (-mirrored +negative):\n%s", d)
	}
	h := histogram(l, -2, 0, 0)
	want := []summary.Cell{
		{Lo: -2 - 2.0/128, Hi: -2, N: 1, Mean: -2},
		{N: 2},
	}
	if d := cmp.Diff(want, h.Cells()); d != "" {
		t.Errorf("cells of -2, 0, 0 (-want +got):\n%s", d)
	}
}

// Probability cells are closed below on both sides of 1/2, and 1/2048 wide
// around it.
func TestProbabilityCellsMirror(t *testing.T) {
	l := layout(t, summary.Probability)
	below := func(x float64) float64 { return math.Nextafter(x, 0) }
	cases := []struct {
		p, lo, hi float64
	}{
		{0.75, 0.75, 0.75 + 1.0/4096},
		{below(0.75), 0.75 - 1.0/2048, 0.75},
		{0.5, 0.5, 0.5 + 1.0/2048},
		{below(0.5), 0.5 - 1.0/2048, 0.5},
		{0.25, 0.25, 0.25 + 1.0/2048},
		{below(0.25), 0.25 - 1.0/4096, 0.25},
		{0.875, 0.875, 0.875 + 1.0/8192},
		{below(0.875), 0.875 - 1.0/4096, 0.875},
		{1 - 0x1p-32, 1 - 0x1p-32, 1 - 0x1p-32*(1-0x1p-4)},
		{below(1), 1 - 0x1p-53, 1 - 0x1p-53},
		{1, 1, 1},
		{0, 0, 0},
		{0x1p-32, 0x1p-32, 0x1p-32 * (1 + 1.0/512)},
		{math.SmallestNonzeroFloat64, math.SmallestNonzeroFloat64, 0x1p-1025},
	}
	for _, c := range cases {
		got := histogram(l, c.p).Cells()
		want := []summary.Cell{{Lo: c.lo, Hi: c.hi, N: 1, Mean: c.p}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("cell of %v (-want +got):\n%s", c.p, d)
		}
	}
}

func TestQuantileHoldsTheTruth(t *testing.T) {
	layouts := append(openLayouts(t), open{"edges", edges(t, -1e300, -1, 0, 0.25, 0.5, 1, 1e300), math.Inf(-1), math.Inf(1)})
	for _, o := range layouts {
		t.Run(o.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				xs := rapid.SliceOfN(anyFloat(), 0, 20).Draw(t, "xs")
				h := histogram(o.layout, xs...)
				kept := keep(xs, o.lo, o.hi)
				q := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 0.05, 0.07, 0.1, 0.5, 0.9, 1})).Draw(t, "q")
				got, err := h.Quantile(q)
				if len(kept) == 0 {
					if !errors.Is(err, stats.ErrEmpty) {
						t.Fatalf("error %v, want one wrapping %v", err, stats.ErrEmpty)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				n := float64(len(kept))
				k := sort.Search(len(kept)-1, func(i int) bool { return float64(i+1)/n >= q })
				if want := kept[k]; !(got.Lo <= want && want <= got.Hi && got.Lo <= got.Value && got.Value <= got.Hi) {
					t.Fatalf("Quantile(%v) of %v = %+v, want %v inside", q, kept, got, want)
				}
				if got.Lo < kept[0] || got.Hi > kept[len(kept)-1] {
					t.Fatalf("Quantile(%v) of %v = %+v, outside the data", q, kept, got)
				}
			})
		})
	}
}

func TestQuantileRank(t *testing.T) {
	h := summary.NewHistogram(layout(t, summary.LogLinear))
	for i := 1; i <= 100; i++ {
		h.Add(float64(i))
	}
	for i := 1; i <= 100; i++ {
		for q, want := range map[float64]float64{
			float64(i) / 100:                         float64(i),
			math.Nextafter(float64(i)/100, 2):        float64(i + 1),
			math.Nextafter(float64(i)/100, 0):        float64(i),
			math.Nextafter(float64(i)/100, 0) - 0.01: float64(max(i-1, 1)),
		} {
			if q < 0 || q > 1 {
				continue
			}
			got, err := h.Quantile(q)
			if err != nil || got.Value != want {
				t.Errorf("Quantile(%.17g) of 1..100 = %v, %v, want %v", q, got.Value, err, want)
			}
		}
	}
	for _, q := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		if _, err := h.Quantile(q); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("Quantile(%v): error %v, want one wrapping %v", q, err, stats.ErrDomain)
		}
	}
}

func TestCountBelowHoldsTheTruth(t *testing.T) {
	layouts := append(openLayouts(t), open{"edges", edges(t, -1e300, -1, 0, 0.25, 0.5, 1, 1e300), math.Inf(-1), math.Inf(1)})
	for _, o := range layouts {
		t.Run(o.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				xs := rapid.SliceOfN(anyFloat(), 0, 20).Draw(t, "xs")
				h := histogram(o.layout, xs...)
				kept := keep(xs, o.lo, o.hi)
				x := anyFloat().Draw(t, "x")
				want := uint64(0)
				for _, k := range kept {
					if k < x {
						want++
					}
				}
				least, most := h.CountBelow(x)
				if least > want || want > most {
					t.Fatalf("CountBelow(%v) of %v = %d to %d, want %d inside", x, kept, least, most, want)
				}
				for _, c := range h.Cells() {
					if c.Lo >= 0 || o.name != "loglinear" {
						if least, most := h.CountBelow(c.Lo); least != most {
							t.Fatalf("CountBelow(%v) of %v = %d to %d, at the lower end of a cell", c.Lo, kept, least, most)
						}
					}
				}
			})
		})
	}
}

func TestCountBelowOnNegativeBoundaries(t *testing.T) {
	h := histogram(layout(t, summary.LogLinear), -1, -1.001)
	least, most := h.CountBelow(-1) // the cell (-1.0078, -1] holds both
	if least != 0 || most != 2 {
		t.Errorf("CountBelow(-1) of -1 and -1.001 = %d to %d, want 0 to 2", least, most)
	}
}

// All values of 1e-200 and of its neighbour are in one cell whose variance is
// far below the range of float64.
func TestTinySpreadIsNotConstant(t *testing.T) {
	x, y := 1e-200, math.Nextafter(1e-200, 1)
	h := histogram(layout(t, summary.LogLinear), x, y)
	got, err := h.Quantile(0.5)
	if err != nil || got.Lo != x || got.Hi != y {
		t.Errorf("Quantile(0.5) = %+v, %v, want bounds %v and %v", got, err, x, y)
	}
}

func TestExcluded(t *testing.T) {
	xs := []float64{math.NaN(), 2, math.Inf(1), -1, 0.5, math.Inf(-1), math.NaN(), 1, 0, math.Nextafter(1, 2), -math.SmallestNonzeroFloat64}
	for _, o := range openLayouts(t) {
		h := histogram(o.layout, xs...)
		h.AddNull(7)
		want := summary.Excluded{Null: 7, NaN: 2, PosInf: 1, NegInf: 1}
		n := uint64(7)
		if o.name == "probability" {
			want.Below, want.Above = 2, 2
			n = 3
		}
		if d := cmp.Diff(want, h.Excluded()); d != "" || h.N() != n || h.Total() != 18 {
			t.Errorf("%s: N %d, total %d, excluded (-want +got):\n%s", o.name, h.N(), h.Total(), d)
		}
	}
}

// Values that are in no cell leave no trace in the extremes, wherever they come.
func TestExtremesAfterExcludedValues(t *testing.T) {
	h := new(summary.Histogram)
	if !math.IsNaN(h.Min()) || !math.IsNaN(h.Max()) {
		t.Errorf("extremes of an empty histogram are %v and %v, want NaN", h.Min(), h.Max())
	}
	h.AddSlice([]float64{math.NaN(), math.Inf(1)})
	if !math.IsNaN(h.Min()) || !math.IsNaN(h.Max()) {
		t.Errorf("extremes without values are %v and %v, want NaN", h.Min(), h.Max())
	}
	h.AddSlice([]float64{math.NaN(), 3, math.Inf(-1), 4, math.NaN()})
	h.AddSlice([]float64{math.Inf(-1)})
	h.AddSlice([]float64{3.5})
	if h.Min() != 3 || h.Max() != 4 || h.N() != 3 {
		t.Errorf("extremes of 3, 4, 3.5 are %v and %v", h.Min(), h.Max())
	}
}

func TestNewEdgesRejects(t *testing.T) {
	bad := [][]float64{{}, {math.NaN()}, {math.Inf(1)}, {1, 1}, {2, 1}, {0, math.Copysign(0, -1)}, make([]float64, 1<<16+1)}
	for _, es := range bad {
		if _, err := summary.NewEdges(es...); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("NewEdges of %d edges: error %v, want one wrapping %v", len(es), err, stats.ErrDomain)
		}
	}
	for _, k := range []summary.Kind{summary.Unset, summary.FrozenEdges, 9} {
		if _, err := summary.NewLayout(k); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("NewLayout(%v): error %v, want one wrapping %v", k, err, stats.ErrDomain)
		}
	}
}

// A layout keeps its edges when the caller's slice changes, and its id tells it
// from every other.
func TestLayoutIsolation(t *testing.T) {
	es := []float64{1, 2, 3}
	l, err := summary.NewEdges(es...)
	if err != nil {
		t.Fatal(err)
	}
	id := l.ID()
	es[0] = 0
	l.Edges()[1] = 0
	if l.ID() != id || !slices.Equal(l.Edges(), []float64{1, 2, 3}) {
		t.Errorf("edges are %v, id %s, was %s", l.Edges(), l.ID(), id)
	}
	ids := map[string]bool{}
	for _, l := range []summary.Layout{{}, layout(t, summary.LogLinear), layout(t, summary.Probability), l, edges(t, 1, 2), edges(t, 1, 2, 4)} {
		ids[l.ID()] = true
	}
	if len(ids) != 6 {
		t.Errorf("ids are not distinct: %v", ids)
	}
}

// The sums hold where a count is large: AddN against rational arithmetic.
func TestAddNExact(t *testing.T) {
	l := layout(t, summary.LogLinear)
	xs := []float64{0.1, math.MaxFloat64 / 3, 1e-310, -7.7, 0}
	const n = 1<<44 - 1
	h := summary.NewHistogram(l)
	sum := new(big.Rat)
	for _, x := range xs {
		h.AddN(x, n)
		sum.Add(sum, rat(x))
	}
	got, err := h.Moments()
	if err != nil {
		t.Fatal(err)
	}
	if want := nearest(sum.Quo(sum, ratInt(len(xs)))); got.Mean != want || got.N != 5*n {
		t.Errorf("mean %v of %d, want %v of %d", got.Mean, got.N, want, uint64(5*n))
	}
}

// The loop over a slice and the general addition make the same state.
func TestAddSliceEqualsAddN(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	xs := hardFloats()
	for range 5000 {
		xs = append(xs, r.Float64(), r.NormFloat64(), math.Float64frombits(r.Uint64()))
	}
	near := make([]float64, 16) // too near to each other for a table
	for i := range near {
		near[i] = 1 + float64(i)*0x1p-52
	}
	for _, l := range []summary.Layout{layout(t, summary.LogLinear), layout(t, summary.Probability), edges(t, -1, 0, 0.5, 1), edges(t, append(near, 1e300)...)} {
		whole, single := histogram(l, xs...), summary.NewHistogram(l)
		for _, x := range xs {
			single.AddN(x, 1)
		}
		if text(t, whole) != text(t, single) || whole.Total() != uint64(len(xs)) {
			t.Errorf("%s: %d values at once differ from %d one by one", l.ID(), whole.Total(), single.Total())
		}
	}
}

// A cell of frozen edges can be wider than the greatest float64.
func TestWideEdgeCell(t *testing.T) {
	h := histogram(edges(t, math.MaxFloat64), -math.MaxFloat64, 1e308)
	q, err := h.Quantile(0.5)
	if err != nil {
		t.Fatal(err)
	}
	if m := h.Cells()[0].Mean; math.Abs(m) > 1e308 || math.Abs(q.Value) > math.MaxFloat64 || q.Lo != -math.MaxFloat64 || q.Hi != 1e308 {
		t.Errorf("middle of the cell %v, median %+v", m, q)
	}
}
