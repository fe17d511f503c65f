package summary_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

// fuzz feeds f's decoder with anything, from the given states on. What it
// accepts must be a state: it has the bytes it came from (binary), or settles
// after one round (JSON), merges, answers questions, and is refused only by an
// error wrapping stats.ErrMismatch.
func fuzz[T any, P statstest.Accumulator[T]](f *testing.F, asJSON bool, ask func(P), states ...P) {
	encode, decode := P.MarshalBinary, P.UnmarshalBinary
	if asJSON {
		encode, decode = P.MarshalJSON, P.UnmarshalJSON
	}
	for _, s := range append(states, P(new(T))) {
		b, err := encode(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x := P(new(T))
		if err := decode(x, b); err != nil {
			if !errors.Is(err, stats.ErrMismatch) {
				t.Fatalf("error %v, want one wrapping %v", err, stats.ErrMismatch)
			}
			return
		}
		once, err := encode(x)
		if err != nil {
			t.Fatal(err)
		}
		if !asJSON && !bytes.Equal(once, b) {
			t.Fatalf("% x is read and written back as % x", b, once)
		}
		y := P(new(T))
		if err := decode(y, once); err != nil {
			t.Fatalf("its own form is refused: %v\n%q", err, once)
		}
		if twice, err := encode(y); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q is read and written back as %q: %v", once, twice, err)
		}
		ask(x)
		if err := y.Merge(x); err != nil {
			t.Fatal(err)
		}
	})
}

func histogramSeeds(f *testing.F) []*summary.Histogram {
	xs := append(hardFloats(), 0.1, 0.1, 0.11)
	unset := new(summary.Histogram)
	unset.AddNull(2)
	return []*summary.Histogram{
		unset,
		histogram(layout(f, summary.LogLinear), 1, 1.001, -3, 0),
		histogram(layout(f, summary.Tally), 1, 1.001, 1.001, -3, 0),
		histogram(layout(f, summary.LogLinear), xs...),
		histogram(layout(f, summary.Probability), 0, 0.3, 0.3000001, 0.9, 1),
		histogram(layout(f, summary.Probability), xs...),
		histogram(edges(f, -1, 0, 0.5), xs...),
		histogram(edges(f, 3)),
	}
}

func askHistogram(h *summary.Histogram) {
	_, _ = h.Moments()
	_, _ = h.Quantile(0.5)
	h.CountBelow(0.5)
	h.Add(0.25)
}

func FuzzHistogramBinary(f *testing.F) { fuzz(f, false, askHistogram, histogramSeeds(f)...) }
func FuzzHistogramJSON(f *testing.F)   { fuzz(f, true, askHistogram, histogramSeeds(f)...) }

func scoresSeeds(f *testing.F) []*summary.Scores {
	rows := []scored{{0.3, summary.Positive}, {0.7, summary.Negative}, {0.2, summary.Unlabelled}, {1, summary.Positive}, {-1, summary.Negative}}
	none, err := summary.NewScores(0.5)
	if err != nil {
		f.Fatal(err)
	}
	nulls := new(summary.Scores)
	nulls.AddNull(3, summary.Positive)
	return []*summary.Scores{none, nulls, scores(f, rows), scores(f, rows, 0.25, 0.5)}
}

func askScores(s *summary.Scores) {
	_, _ = s.Brier()
	_, _ = s.LogLoss()
	s.Reliability()
	s.All()
	if err := s.AddSlice([]float64{0.5}, []summary.Label{summary.Positive}); err != nil {
		panic(err)
	}
}

func FuzzScoresBinary(f *testing.F) { fuzz(f, false, askScores, scoresSeeds(f)...) }
func FuzzScoresJSON(f *testing.F)   { fuzz(f, true, askScores, scoresSeeds(f)...) }

func categoricalSeeds(f *testing.F) []*summary.Categorical {
	var cs []*summary.Categorical
	for _, limit := range []int{0, 1, 3} {
		c, err := summary.NewCategorical(limit)
		if err != nil {
			f.Fatal(err)
		}
		cs = append(cs, c)
	}
	for i := range 10 {
		cs[1].AddN(fmt.Sprint(i), 1)
		cs[2].AddN(fmt.Sprint("\xff", i), 300)
	}
	cs[0].AddN("a", 2)
	cs[0].AddNull(1)
	return cs
}

func askCategorical(c *summary.Categorical) {
	c.Distinct()
	c.OtherTotal()
	c.AddN("new", 1)
}

func FuzzCategoricalBinary(f *testing.F) { fuzz(f, false, askCategorical, categoricalSeeds(f)...) }
func FuzzCategoricalJSON(f *testing.F)   { fuzz(f, true, askCategorical, categoricalSeeds(f)...) }

func askDistinct(d *summary.Distinct) {
	d.Count()
	d.Sampled()
	d.AddString("new", 1)
	d.Shared(d)
}

func FuzzDistinctBinary(f *testing.F) { fuzz(f, false, askDistinct, ids(f, 0, 3), ids(f, 0, 8200)) }
func FuzzDistinctJSON(f *testing.F)   { fuzz(f, true, askDistinct, ids(f, 0, 3)) }

func proportionSeed() *summary.Proportion { return &summary.Proportion{True: 300, False: 2, Null: 1} }

func askProportion(p *summary.Proportion) { p.Trials() }

func FuzzProportionBinary(f *testing.F) { fuzz(f, false, askProportion, proportionSeed()) }
func FuzzProportionJSON(f *testing.F)   { fuzz(f, true, askProportion, proportionSeed()) }

func sumSeeds() []*summary.Sum {
	var ss []*summary.Sum
	for _, xs := range [][]float64{{1.5}, {-1e300, 1e-300}, hardFloats(), {1, -1}} {
		s := new(summary.Sum)
		for _, x := range xs {
			s.Add(x)
		}
		ss = append(ss, s)
	}
	return ss
}

func askSum(s *summary.Sum) { s.Add(s.Float64()) }

func FuzzSumBinary(f *testing.F) { fuzz(f, false, askSum, sumSeeds()...) }
func FuzzSumJSON(f *testing.F)   { fuzz(f, true, askSum, sumSeeds()...) }

func momentsSeeds() []*summary.Moments {
	var ms []*summary.Moments
	for _, xs := range [][]float64{{1.5}, {1, 2, 4}, {-1e300, 1e-300}, hardFloats(), {1, -1}} {
		m := new(summary.Moments)
		m.AddSlice(xs)
		ms = append(ms, m)
	}
	return ms
}

func askMoments(m *summary.Moments) {
	_, _ = m.Shape()
	m.Add(1)
}

func FuzzMomentsBinary(f *testing.F) { fuzz(f, false, askMoments, momentsSeeds()...) }
func FuzzMomentsJSON(f *testing.F)   { fuzz(f, true, askMoments, momentsSeeds()...) }
