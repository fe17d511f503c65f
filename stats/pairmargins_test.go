package stats_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// marginsOf takes pairs of fine cells apart: into pairs of cells that are four fine
// ones each, and into the histograms of both scores.
func marginsOf(fine []stats.PairedCell) (cells []stats.PairedCell, a, b stats.ScoreCells) {
	for _, c := range fine {
		for _, side := range []struct {
			cell int
			dst  *stats.ScoreCells
		}{{c.A, &a}, {c.B, &b}} {
			for len(side.dst.Negatives) <= side.cell {
				side.dst.Negatives, side.dst.Positives = append(side.dst.Negatives, 0), append(side.dst.Positives, 0)
			}
			side.dst.Negatives[side.cell] += c.Negatives
			side.dst.Positives[side.cell] += c.Positives
		}
		c.A, c.B = c.A/4, c.B/4
		cells = append(cells, c)
	}
	return cells, a, b
}

// Where the cells of the pairs are those of the histograms, it is PairedAUCBinned; and
// where every cell has one score, PairedAUC itself, with nothing hidden.
func TestPairedAUCMarginsIsPairedAUC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(4, 60).Draw(t, "size")
		var xs, ys []float64
		var pos []bool
		var cells []stats.PairedCell
		for i := range size {
			a, b := rapid.IntRange(0, 9).Draw(t, "a"), rapid.IntRange(0, 9).Draw(t, "b")
			p := i%2 == 0
			xs, ys, pos = append(xs, float64(a)), append(ys, float64(b)), append(pos, p)
			c := stats.PairedCell{A: a, B: b, Negatives: 1}
			if p {
				c.Negatives, c.Positives = 0, 1
			}
			cells = append(cells, c)
		}
		_, a, b := marginsOf(cells)
		for _, s := range []*stats.ScoreCells{&a, &b} {
			s.Single = make([]bool, len(s.Negatives))
			for i := range s.Single {
				s.Single[i] = true
			}
		}
		want, err := stats.PairedAUC(xs, ys, pos, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		got, err := stats.PairedAUCMargins(cells, a, b, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.Estimate.Point-want.Estimate.Point) > 1e-12 || math.Abs(got.SE-want.SE) > 1e-9 || got.A.Resolved+got.B.Resolved != 0 {
			t.Fatalf("%+v, want %+v", got, want)
		}
		coarse, _, _ := marginsOf(cells)
		wide, err := stats.PairedAUCMargins(coarse, a, b, 0.9)
		if err != nil || wide.Estimate.Point != got.Estimate.Point {
			t.Fatalf("coarse pairs: %+v, %v", wide.Estimate, err)
		}
	})
}

// Only ties that may not be real count as hidden.
func TestPairedAUCMarginsHides(t *testing.T) {
	cells := []stats.PairedCell{{0, 0, 3, 1}, {0, 1, 2, 2}, {1, 1, 1, 4}}
	s := stats.ScoreCells{Negatives: []uint64{5, 1}, Positives: []uint64{3, 4}, Single: []bool{true, false}}
	b := stats.ScoreCells{Negatives: []uint64{3, 3}, Positives: []uint64{1, 6}}
	r, err := stats.PairedAUCMargins(cells, s, b, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	statstest.Near(t, "one cell", r.A.Resolved, 1.0/6*4/7/2, 1e-15, 0)
	statstest.Near(t, "both cells", r.B.Resolved, (3.0/6*1/7+3.0/6*6/7)/2, 1e-15, 0)
	codes := func(ws []stats.Warning) (out []string) {
		for _, w := range ws {
			out = append(out, w.Code)
		}
		return out
	}
	if d := cmp.Diff(codes(r.B.Warnings), codes(r.A.Warnings)); d != "" {
		t.Errorf("warnings of A and B (-B +A):\n%s", d)
	}
	s.Negatives = []uint64{5, 2}
	if _, err := stats.PairedAUCMargins(cells, s, b, 0.95); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("other units: %v", err)
	}
	s.Negatives, s.Single = []uint64{5, 1}, []bool{true}
	if _, err := stats.PairedAUCMargins(cells, s, b, 0.95); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("one mark of two: %v", err)
	}
	if _, err := stats.PairedAUCMargins(nil, stats.ScoreCells{}, stats.ScoreCells{}, 0.95); !errors.Is(err, stats.ErrEmpty) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := stats.PairedAUCMargins(cells, b, b, 1); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("level 1: %v", err)
	}
}

func ExamplePairedAUCMargins() {
	// Coarse pairs of cells, and the histogram of each score in cells half as wide.
	pairs := []stats.PairedCell{
		{A: 0, B: 0, Negatives: 400, Positives: 20},
		{A: 0, B: 1, Negatives: 60, Positives: 30},
		{A: 1, B: 0, Negatives: 90, Positives: 10},
		{A: 1, B: 1, Negatives: 50, Positives: 40},
	}
	a := stats.ScoreCells{Negatives: []uint64{300, 160, 100, 40}, Positives: []uint64{20, 30, 20, 30}}
	b := stats.ScoreCells{Negatives: []uint64{320, 170, 80, 30}, Positives: []uint64{10, 20, 25, 45}}
	r, err := stats.PairedAUCMargins(pairs, a, b, 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f against %.3f, difference %.3f, SE %.3f\n", r.A.Estimate.Point, r.B.Estimate.Point, r.Estimate.Point, r.SE)
	// Output: 0.700 against 0.821, difference -0.121, SE 0.033
}
