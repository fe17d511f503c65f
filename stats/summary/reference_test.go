package summary_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

func TestSumAgainstReference(t *testing.T) {
	for _, c := range statstest.Load(t, "summary").ByFunc(t, "Sum") {
		var s summary.Sum
		for _, x := range statstest.Floats(t, c.In, "xs") {
			s.Add(x)
		}
		statstest.Near(t, c.Name, s.Float64(), statstest.Float(t, c.Want, "sum"), c.RTol, c.ATol)
	}
}

func TestMomentsAgainstReference(t *testing.T) {
	for _, c := range statstest.Load(t, "summary").ByFunc(t, "Moments") {
		xs := statstest.Floats(t, c.In, "xs")
		var m summary.Moments
		m.AddSlice(xs)
		s, err := m.Shape()
		if err != nil {
			t.Fatal(err)
		}
		h := histogram(layout(t, summary.LogLinear), xs...)
		cells, err := h.Moments()
		if err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string][2]float64{
			"mean":     {s.Mean, cells.Mean},
			"variance": {s.Variance, cells.Variance},
			"skewness": {s.Skewness, s.Skewness}, // cells know the shape only roughly
			"kurtosis": {s.Kurtosis, s.Kurtosis},
		} {
			want := statstest.Float(t, c.Want, name)
			statstest.Near(t, c.Name+": "+name, got[0], want, c.RTol, c.ATol)
			statstest.Near(t, c.Name+": "+name+" from cells", got[1], want, c.RTol, c.ATol)
		}
	}
}

func TestQuantileAgainstReference(t *testing.T) {
	for _, c := range statstest.Load(t, "summary").ByFunc(t, "Quantile") {
		h := histogram(layout(t, summary.LogLinear), statstest.Floats(t, c.In, "xs")...)
		want := statstest.Floats(t, c.Want, "values")
		for i, q := range statstest.Floats(t, c.In, "qs") {
			got, err := h.Quantile(q)
			if err != nil {
				t.Fatal(err)
			}
			if got.Lo > want[i] || got.Hi < want[i] || got.Hi-got.Lo > math.Abs(want[i])/64 {
				t.Errorf("%s: Quantile(%v) = %+v, want %v inside", c.Name, q, got, want[i])
			}
		}
	}
}

// labelled reads the scores of a case, with 1 for positive labels.
func labelled(t *testing.T, c statstest.Case) *summary.Scores {
	t.Helper()
	s := new(summary.Scores)
	var ls []summary.Label
	for _, y := range statstest.Uints(t, c.In, "labels") {
		ls = append(ls, summary.Negative+summary.Label(y))
	}
	if err := s.AddSlice(statstest.Floats(t, c.In, "scores"), ls); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScoresAgainstReference(t *testing.T) {
	for _, c := range statstest.Load(t, "summary").ByFunc(t, "Scores") {
		s := labelled(t, c)
		for name, loss := range map[string]func() (summary.Loss, error){"log_loss": s.LogLoss, "brier": s.Brier} {
			got, err := loss()
			if err != nil {
				t.Fatal(err)
			}
			want := statstest.Float(t, c.Want, name)
			statstest.Near(t, c.Name+": "+name, got.Mean, want, 1e-14, got.Bound) // 1e-14 for the reference's own rounding
			statstest.Near(t, c.Name+": variance of "+name, got.Variance, statstest.Float(t, c.Want, name+"_variance"), c.RTol, c.ATol)
			if got.Bound > 1e-9 {
				t.Errorf("%s: bound of %s is %v", c.Name, name, got.Bound)
			}
		}
	}
}

func TestReliabilityAgainstReference(t *testing.T) {
	for _, c := range statstest.Load(t, "summary").ByFunc(t, "Reliability") {
		got := labelled(t, c).Reliability()
		index, n, positives := statstest.Uints(t, c.Want, "index"), statstest.Uints(t, c.Want, "n"), statstest.Uints(t, c.Want, "positives")
		sumP, sumP2, sumPY := statstest.Floats(t, c.Want, "sum_p"), statstest.Floats(t, c.Want, "sum_p2"), statstest.Floats(t, c.Want, "sum_py")
		if len(got) != len(index) {
			t.Fatalf("%s: %d bins, want %d", c.Name, len(got), len(index))
		}
		for i, b := range got {
			if uint64(b.Index) != index[i] || b.N != n[i] || b.Positives != positives[i] {
				t.Errorf("%s: bin %+v, want index %d, n %d, positives %d", c.Name, b, index[i], n[i], positives[i])
			}
			statstest.Near(t, c.Name+": SumP", b.SumP, sumP[i], c.RTol, c.ATol)
			statstest.Near(t, c.Name+": SumP2", b.SumP2, sumP2[i], c.RTol, c.ATol)
			statstest.Near(t, c.Name+": SumPY", b.SumPY, sumPY[i], c.RTol, c.ATol)
		}
	}
}
