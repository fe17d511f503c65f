package summary_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// The cells hold all labelled scores in ascending order, no score is in two of them,
// and a cell that is said to hold one score does.
func TestScoreCellsAreTheScores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 0.5, 1, math.Nextafter(0.5, 0), 1 - 0x1p-53, 0x1p-24, 0x1p-64, 1e-300, 0.3, 0.7}),
			rapid.Custom(func(t *rapid.T) float64 { return math.Exp2(-rapid.Float64Range(0, 70).Draw(t, "octave")) }))
		xs := rapid.SliceOfN(score, 1, 60).Draw(t, "scores")
		g, err := summary.NewPairGrid(nil, nil, summary.PairGridOptions{Fine: rapid.Bool().Draw(t, "fine")})
		if err != nil {
			t.Fatal(err)
		}
		type row struct {
			x     float64
			label int
		}
		var rows []row
		for i, x := range xs {
			g.AddN(0.5, x, summary.Label(i%3), 1)
			g.AddN(math.NaN(), x, summary.Negative, 1) // not in the grid
			if i%3 > 0 {
				rows = append(rows, row{x, i % 3})
			}
		}
		slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.x+0, b.x+0) })
		_, c := g.ScoreCells()
		at := 0
		for k := range c.Negatives {
			n := int(c.Negatives[k] + c.Positives[k])
			if n == 0 || at+n > len(rows) {
				t.Fatalf("cell %d with %d rows after %d of %d", k, n, at, len(rows))
			}
			in, neg := rows[at:at+n], 0
			for _, r := range in {
				if r.label == 1 {
					neg++
				}
			}
			if neg != int(c.Negatives[k]) || (in[0].x == in[n-1].x) != c.Single[k] || at > 0 && rows[at-1].x == in[0].x {
				t.Fatalf("cell %d, rows %v: %d negatives of %d, single %v", k, in, c.Negatives[k], n, c.Single[k])
			}
			at += n
		}
		if at != len(rows) {
			t.Fatalf("%d of %d rows", at, len(rows))
		}
	})
}

// The AUCs, and the comparison, are close to those of the raw scores, also where
// nearly all scores are next to 0; and what the cells hide is a bound.
func TestPairGridComparesAUCs(t *testing.T) {
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	for _, tc := range []struct {
		mean, apart float64
		fine        bool
		most        float64 // SE, as a multiple of that of raw scores
		hides       float64
	}{
		{-1, 0.3, true, 1.02, 1e-4},
		{-1, 0.1, true, 1.1, 1e-4},
		{-4, 0.3, true, 1.05, 1e-4},
		{-4, 0.1, true, 1.15, 1e-4},
		{-7, 0.3, true, 1.1, 1e-4},
		{-1, 0.3, false, 1.1, 6e-3},
		{-4, 0.3, false, 1.5, 6e-3},
	} {
		r := rand.New(rand.NewPCG(5, 6))
		g, err := summary.NewPairGrid(nil, nil, summary.PairGridOptions{Fine: tc.fine})
		if err != nil {
			t.Fatal(err)
		}
		var a, b []float64
		var y []bool
		for i := range 20000 {
			z := tc.mean + 1.2*r.NormFloat64()
			y = append(y, r.Float64() < logistic(z))
			a, b = append(a, logistic(z+tc.apart*r.NormFloat64())), append(b, logistic(z+1.3*tc.apart*r.NormFloat64()))
			l := summary.Negative
			if y[i] {
				l = summary.Positive
			}
			g.AddN(a[i], b[i], l, 1)
		}
		raw, err := stats.PairedAUC(a, b, y, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		var cells []stats.PairedCell
		for _, c := range g.Cells() {
			cells = append(cells, stats.PairedCell{A: c.Baseline, B: c.Candidate, Negatives: c.N[summary.Negative], Positives: c.N[summary.Positive]})
		}
		base, cand := g.ScoreCells()
		got, err := stats.PairedAUCMargins(cells, base, cand, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		hidden := got.A.Resolved + got.B.Resolved
		if off := math.Abs(got.Estimate.Point - raw.Estimate.Point); off > hidden || hidden > tc.hides {
			t.Errorf("%+v: off by %v, the cells hide %v", tc, off, hidden)
		}
		if ratio := got.SE / raw.SE; ratio < 0.97 || ratio > tc.most {
			t.Errorf("%+v: SE %v, %v times that of raw scores", tc, got.SE, ratio)
		}
	}
}

// No grid takes more memory than is said.
func TestPairGridMemory(t *testing.T) {
	cuts := make([]float64, 40)
	for i := range cuts {
		cuts[i] = (float64(i) + 0.3) / 41
	}
	for _, o := range []summary.PairGridOptions{{}, {Fine: true}} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		g, err := summary.NewPairGrid(cuts, cuts, o)
		if err != nil {
			t.Fatal(err)
		}
		lines, _ := g.Lines()
		for _, x := range append([]float64{0}, lines...) {
			for l := range 3 {
				g.AddN(x, x, summary.Label(l), 1)
			}
		}
		for k := range 600000 { // each octave down to 2^-60, on both sides
			x := math.Exp2(-1 - 59*float64(k)/600000)
			g.AddN(x, 1-x, summary.Label(1+k%2), 1)
			g.AddN(1-x, x, summary.Label(1+k%2), 1)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		most := o.MaxBytes(len(cuts), len(cuts))
		if used := int(after.HeapAlloc) - int(before.HeapAlloc); used > most+most/8 || used < most/2 {
			t.Errorf("%+v: %d bytes, at most %d are said", o, used, most)
		}
		runtime.KeepAlive(g)
	}
}

func TestPairGridIsFine(t *testing.T) {
	g, err := summary.NewPairGrid([]float64{0.3}, nil, summary.PairGridOptions{Fine: true})
	if err != nil {
		t.Fatal(err)
	}
	lines, _ := g.Lines()
	for _, x := range []float64{1.0 / 128, 0.3, 0x1p-14, 1 - 0x1p-14, 0x1.2p-9, 1} {
		if !slices.Contains(lines, x) {
			t.Errorf("%v is no line", x)
		}
	}
	b, err := g.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var again summary.PairGrid
	if err := again.UnmarshalBinary(b); err != nil || !again.Fine() {
		t.Errorf("read back: %v, fine %v", err, again.Fine())
	}
	back, _ := again.Lines()
	if d := gocmp.Diff(lines, back); d != "" {
		t.Errorf("lines (-want +got):\n%s", d)
	}
}

func ExamplePairGrid_ScoreCells() {
	g, err := summary.NewPairGrid(nil, nil, summary.PairGridOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	g.AddN(0.25, 0.30, summary.Negative, 3)
	g.AddN(0.25, 0.90, summary.Positive, 2)
	baseline, candidate := g.ScoreCells()
	fmt.Println(baseline.Negatives, baseline.Positives, baseline.Single)
	fmt.Println(candidate.Negatives, candidate.Positives)
	// Output:
	// [3] [2] [true]
	// [3 0] [0 2]
}
