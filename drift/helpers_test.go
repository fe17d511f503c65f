package drift_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats/summary"
)

// metric is a divergence of Cells.
type metric struct {
	name string
	of   func(drift.Cells, drift.Options) (drift.Divergence, error)
}

var metrics = []metric{
	{"PSI", drift.PSI},
	{"PSIEquivalent", drift.PSIEquivalent},
	{"KLRefCur", drift.KLRefCur},
	{"KLCurRef", drift.KLCurRef},
	{"JSDivergenceNats", drift.JSDivergenceNats},
	{"JSDistanceBase2", drift.JSDistanceBase2},
	{"Hellinger", drift.Hellinger},
	{"TotalVariation", drift.TotalVariation},
	{"LInfinity", drift.LInfinity},
	{"ChiSquare", drift.ChiSquare},
	{"G", drift.G},
}

// histogram counts values in the LogLinear layout.
func histogram(xs ...float64) *summary.Histogram {
	h := new(summary.Histogram)
	h.AddSlice(xs)
	return h
}

// scores counts values in the Probability layout.
func scores(t testing.TB, xs ...float64) *summary.Histogram {
	t.Helper()
	l, err := summary.NewLayout(summary.Probability)
	if err != nil {
		t.Fatal(err)
	}
	h := summary.NewHistogram(l)
	h.AddSlice(xs)
	return h
}

// edges counts values between frozen edges.
func edges(t testing.TB, at []float64, xs ...float64) *summary.Histogram {
	t.Helper()
	l, err := summary.NewEdges(at...)
	if err != nil {
		t.Fatal(err)
	}
	h := summary.NewHistogram(l)
	h.AddSlice(xs)
	return h
}

// repeat returns x n times.
func repeat(x float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = x
	}
	return out
}

func mustCells(t testing.TB, c drift.Cells, err error) drift.Cells {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustDivergence(t testing.TB, d drift.Divergence, err error) drift.Divergence {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func hasWarning(d drift.Divergence, code string) bool {
	for _, w := range d.Warnings {
		if w.Code == code {
			return true
		}
	}
	return false
}

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

var posInf, negInf, nan = math.Inf(1), math.Inf(-1), math.NaN()
