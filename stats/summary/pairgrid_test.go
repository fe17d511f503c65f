package summary_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

// paired is a row of a PairGrid.
type paired struct {
	x, y     float64
	okX, okY bool
	label    summary.Label
	n        uint64 // 0 means once, by AddSlice
}

func pairGrid(t testing.TB, base, cand []float64, rows ...paired) *summary.PairGrid {
	t.Helper()
	g, err := summary.NewPairGrid(base, cand, summary.PairGridOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		addPair(g, r)
	}
	return g
}

func addPair(g *summary.PairGrid, r paired) {
	if r.n > 0 {
		g.AddN(r.x, r.y, r.label, r.n)
		return
	}
	if err := g.AddSlice([]float64{r.x}, []float64{r.y}, []bool{r.okX}, []bool{r.okY}, []summary.Label{r.label}); err != nil {
		panic(err)
	}
}

func anyPair() *rapid.Generator[paired] {
	score := rapid.OneOf(anyFloat(), rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 0.1, 0.5, 1, 3.0 / 128}))
	return rapid.Custom(func(t *rapid.T) paired {
		return paired{
			score.Draw(t, "x"), score.Draw(t, "y"), rapid.IntRange(0, 4).Draw(t, "okX") > 0, rapid.IntRange(0, 4).Draw(t, "okY") > 0,
			summary.Label(rapid.Uint8Range(0, 4).Draw(t, "label")), rapid.Uint64Range(0, 2).Draw(t, "n"),
		}
	})
}

func TestPairGridLaws(t *testing.T) {
	bulk := func(g *summary.PairGrid, rs []paired) {
		var xs, ys []float64
		var okX, okY []bool
		var ls []summary.Label
		for _, r := range rs {
			if r.n > 0 {
				addPair(g, r)
				continue
			}
			xs, ys, okX, okY, ls = append(xs, r.x), append(ys, r.y), append(okX, r.okX), append(okY, r.okY), append(ls, r.label)
		}
		if err := g.AddSlice(xs, ys, okX, okY, ls); err != nil {
			panic(err)
		}
	}
	with := func(base, cand []float64, fine bool) func() *summary.PairGrid {
		return func() *summary.PairGrid {
			g, err := summary.NewPairGrid(base, cand, summary.PairGridOptions{Fine: fine})
			if err != nil {
				panic(err)
			}
			return g
		}
	}
	for _, cuts := range [][2][]float64{{}, {{0.5}, {0.3, 0.501}}, {{-1, 0, 1, 2}, nil}} {
		for _, fine := range []bool{false, true} {
			t.Run(fmt.Sprint(cuts, fine), func(t *testing.T) {
				checkLaws(t, anyPair(), statstest.Laws[summary.PairGrid, paired]{New: with(cuts[0], cuts[1], fine), Add: addPair, Bulk: bulk, Other: with([]float64{0.25}, nil, fine)})
			})
		}
	}
	if err := with([]float64{0.5}, nil, true)().Merge(pairGrid(t, []float64{0.5}, nil)); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("a fine grid takes the rows of another: %v", err)
	}
}

// At every line, and at every cut, the counts are those of the rows themselves.
func TestPairGridIsExactAtLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cut := rapid.OneOf(rapid.Float64Range(-0.5, 1.5), rapid.SampledFrom([]float64{0, 1, 0.5, 1e-300, math.Nextafter(0.5, 0), 1 - 0x1p-53}))
		cuts := rapid.SliceOfN(cut, 1, 4)
		a, b := cuts.Draw(t, "baseline"), cuts.Draw(t, "candidate")
		near := rapid.Custom(func(t *rapid.T) float64 {
			x := rapid.OneOf(rapid.SampledFrom(append(append([]float64{0, 1}, a...), b...)), rapid.Float64Range(0, 1)).Draw(t, "x")
			return rapid.SampledFrom([]float64{x, math.Nextafter(x, 0), math.Nextafter(x, 1)}).Draw(t, "near")
		})
		g, err := summary.NewPairGrid(a, b, summary.PairGridOptions{Fine: rapid.Bool().Draw(t, "fine")})
		if err != nil {
			t.Fatal(err)
		}
		xs, ys := rapid.SliceOfN(near, 30, 30).Draw(t, "xs"), rapid.SliceOfN(near, 30, 30).Draw(t, "ys")
		for i := range xs {
			g.AddN(xs[i], ys[i], summary.Positive, uint64(i+1))
		}
		a, b = append(a, float64(rapid.IntRange(0, 64).Draw(t, "k"))/64), append(b, 0.75)
		for _, s := range a {
			for _, u := range b {
				var want summary.PairDecisions
				for i := range xs {
					if !(xs[i] >= 0 && xs[i] <= 1 && ys[i] >= 0 && ys[i] <= 1) {
						continue
					}
					n := uint64(i + 1)
					switch up, also := xs[i] >= s, ys[i] >= u; {
					case up && also:
						want.Both += n
					case up:
						want.OnlyBaseline += n
					case also:
						want.OnlyCandidate += n
					default:
						want.Neither += n
					}
				}
				got, ok := g.Decisions(s, u, summary.Positive)
				if d := cmp.Diff(want, got); !ok || d != "" {
					t.Fatalf("at %v and %v: %v (-want +got):\n%s", s, u, ok, d)
				}
				if want.Total() != g.N(summary.Positive) {
					t.Fatalf("%d rows in the table, %d in the grid", want.Total(), g.N(summary.Positive))
				}
			}
		}
	})
}

func TestPairGridExcludes(t *testing.T) {
	nan := math.NaN()
	g := pairGrid(t, nil, nil,
		paired{0.5, 0.5, true, true, summary.Positive, 0},
		paired{nan, 0.5, true, true, summary.Positive, 0},
		paired{nan, 2, false, true, summary.Negative, 0},
		paired{-0.1, math.Inf(1), true, true, 7, 0}, // a label that is none counts as unlabelled
		paired{1.5, math.Inf(-1), true, true, summary.Unlabelled, 2},
	)
	base, cand := g.Excluded()
	if d := cmp.Diff(summary.Excluded{Null: 1, NaN: 1, Below: 1, Above: 2}, base); d != "" {
		t.Errorf("baseline (-want +got):\n%s", d)
	}
	if d := cmp.Diff(summary.Excluded{Above: 1, PosInf: 1, NegInf: 2}, cand); d != "" {
		t.Errorf("candidate (-want +got):\n%s", d)
	}
	if g.Total() != 6 || g.N(summary.Positive) != 1 || g.Unusable(summary.Positive) != 1 || g.Unusable(summary.Negative) != 1 || g.Unusable(summary.Unlabelled) != 3 {
		t.Errorf("%d rows, unusable %d, %d, %d", g.Total(), g.Unusable(summary.Unlabelled), g.Unusable(summary.Negative), g.Unusable(summary.Positive))
	}
}

func TestPairGridTransitions(t *testing.T) {
	g := pairGrid(t, []float64{0.3, 0.6}, []float64{0.4}, paired{0.3, 0.39, true, true, 0, 2}, paired{0.7, 0.4, true, true, 0, 5}, paired{0.1, 0.9, true, true, summary.Negative, 4})
	got, ok := g.Transitions([]float64{0.3, 0.6}, []float64{0.4}, summary.Unlabelled)
	if d := cmp.Diff([][]uint64{{0, 0}, {2, 0}, {0, 5}}, got); !ok || d != "" {
		t.Errorf("%v (-want +got):\n%s", ok, d)
	}
	for _, ts := range [][]float64{{0.31}, {0.6, 0.3}, {0.3, 0.3}, {math.NaN()}} {
		if _, ok := g.Transitions(ts, nil, summary.Unlabelled); ok {
			t.Errorf("thresholds %v are taken", ts)
		}
	}
	want := []summary.PairCell{{Baseline: 6, Candidate: 58, N: [3]uint64{0, 4, 0}}, {Baseline: 20, Candidate: 24, N: [3]uint64{2, 0, 0}}, {Baseline: 46, Candidate: 26, N: [3]uint64{5, 0, 0}}}
	if d := cmp.Diff(want, g.Cells()); d != "" {
		t.Errorf("cells (-want +got):\n%s", d)
	}
}

func TestPairGridRefuses(t *testing.T) {
	for _, cuts := range [][]float64{{math.NaN()}, {math.Inf(1)}, make([]float64, 0)} {
		_, err := summary.NewPairGrid(nil, cuts, summary.PairGridOptions{})
		if (len(cuts) > 0) != errors.Is(err, stats.ErrDomain) {
			t.Errorf("cuts %v: %v", cuts, err)
		}
	}
	many := make([]float64, 1025)
	for i := range many {
		many[i] = float64(i)
	}
	if _, err := summary.NewPairGrid(many, nil, summary.PairGridOptions{}); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("1025 cuts: %v", err)
	}
	var g summary.PairGrid
	if err := g.AddSlice([]float64{1}, nil, nil, nil, nil); !errors.Is(err, stats.ErrMismatch) || g.Total() != 0 {
		t.Errorf("slices of other lengths: %v", err)
	}
}

func TestPairGridAllocatesNothing(t *testing.T) {
	g := pairGrid(t, []float64{0.5}, []float64{0.25})
	xs, ys, ls := make([]float64, 1000), make([]float64, 1000), make([]summary.Label, 1000)
	for i := range xs {
		xs[i], ys[i], ls[i] = float64(i)/1000, float64(i*7%1000)/1000, summary.Label(i%3)
	}
	add := func() {
		if err := g.AddSlice(xs, ys, nil, nil, ls); err != nil {
			t.Fatal(err)
		}
	}
	add() // the first time may
	if n := testing.AllocsPerRun(10, add); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func pairGridSeeds(f *testing.F) []*summary.PairGrid {
	rows := []paired{{0.3, 0.4, true, true, summary.Positive, 3}, {1, 0, true, true, summary.Negative, 0}, {0.2, 7, true, true, 0, 2}, {0.1, 0.1, false, false, 0, 0}}
	return []*summary.PairGrid{pairGrid(f, nil, nil), pairGrid(f, []float64{0.5}, nil), pairGrid(f, nil, nil, rows...), pairGrid(f, []float64{-1, 0.301}, []float64{0.25, 1}, rows...)}
}

func askPairGrid(g *summary.PairGrid) {
	g.Cells()
	g.Lines()
	g.ScoreCells()
	g.Decisions(0.5, 0.5, summary.Positive)
	g.AddN(0.5, 0.25, summary.Negative, 1)
}

func FuzzPairGridBinary(f *testing.F) { fuzz(f, false, askPairGrid, pairGridSeeds(f)...) }
func FuzzPairGridJSON(f *testing.F)   { fuzz(f, true, askPairGrid, pairGridSeeds(f)...) }

func ExampleNewPairGrid() {
	g, err := summary.NewPairGrid([]float64{0.9}, []float64{0.85}, summary.PairGridOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	baseline, candidate := []float64{0.95, 0.91, 0.20, 0.89}, []float64{0.97, 0.60, 0.10, 0.86}
	labels := []summary.Label{summary.Positive, summary.Positive, summary.Negative, summary.Unlabelled}
	if err := g.AddSlice(baseline, candidate, nil, nil, labels); err != nil {
		fmt.Println(err)
		return
	}
	d, exact := g.Decisions(0.9, 0.85, summary.Positive)
	fmt.Println(d.Both, "by both,", d.OnlyBaseline, "by the baseline only,", exact)
	// Output: 1 by both, 1 by the baseline only, true
}
