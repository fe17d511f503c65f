package summary_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/rampguard/rampguard/stats/summary"
)

// benchN is the number of values per call: 512 KiB of float64.
const benchN = 1 << 16

// benchData makes columns as they come: features of either sign, of one sign,
// half of them zero, or all the same; scores in the middle, and at the ends.
func benchData(kind string) []float64 {
	r := rand.New(rand.NewPCG(1, 2))
	xs := make([]float64, benchN)
	for i := range xs {
		switch kind {
		case "normal":
			xs[i] = r.NormFloat64()
		case "lognormal":
			xs[i] = math.Exp(r.NormFloat64())
		case "halfzero":
			xs[i] = r.NormFloat64() * float64(r.IntN(2))
		case "constant":
			xs[i] = 0.3
		case "score":
			xs[i] = 1 / (1 + math.Exp(-2*r.NormFloat64()))
		case "rare":
			xs[i] = 1 / (1 + math.Exp(4-2*r.NormFloat64()))
		}
	}
	return xs
}

// benchValues runs do, which handles benchN values, and reports the time for
// one.
func benchValues(b *testing.B, do func()) {
	b.ReportAllocs()
	b.SetBytes(8 * benchN)
	for b.Loop() {
		do()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchN, "ns/value")
}

var sink float64 // keeps results alive

// BenchmarkPlainSum is the yardstick: one dependent addition per value, with the
// sum in a register, which a loop inside b.Loop would not leave it in.
func BenchmarkPlainSum(b *testing.B) {
	xs := benchData("normal")
	benchValues(b, func() { sink = plainSum(xs) })
}

//go:noinline
func plainSum(xs []float64) float64 {
	s := 0.0
	for _, x := range xs {
		s += x
	}
	return s
}

func BenchmarkHistogramAdd(b *testing.B) {
	cuts := make([]float64, 19)
	for i := range cuts {
		cuts[i] = float64(i-9) / 5
	}
	for _, c := range []struct {
		name   string
		layout summary.Layout
		data   []string
	}{
		{"loglinear", layout(b, summary.LogLinear), []string{"normal", "lognormal", "halfzero", "constant"}},
		{"tally", layout(b, summary.Tally), []string{"normal", "lognormal", "halfzero", "constant"}},
		{"probability", layout(b, summary.Probability), []string{"score", "rare", "constant"}},
		{"edges", edges(b, cuts...), []string{"normal", "halfzero"}},
	} {
		for _, data := range c.data {
			b.Run("layout="+c.name+"/data="+data, func(b *testing.B) {
				xs := benchData(data)
				h := summary.NewHistogram(c.layout)
				benchValues(b, func() { h.AddSlice(xs) })
			})
		}
	}
}

func BenchmarkHistogramMerge(b *testing.B) {
	for _, o := range openLayouts(b) {
		b.Run("layout="+o.name, func(b *testing.B) {
			h, other := histogram(o.layout, benchData("score")...), histogram(o.layout, benchData("score")...)
			b.ReportAllocs()
			for b.Loop() {
				if err := h.Merge(other); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkHistogramMoments(b *testing.B) {
	for _, o := range openLayouts(b) {
		b.Run("layout="+o.name, func(b *testing.B) {
			h := histogram(o.layout, benchData("score")...)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.Moments(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkScoresAdd(b *testing.B) {
	for _, c := range []struct {
		name   string
		cuts   []float64
		labels func(r *rand.Rand) summary.Label
	}{
		{"cuts=0/labels=mixed", nil, func(r *rand.Rand) summary.Label { return summary.Label(r.IntN(3)) }},
		{"cuts=0/labels=none", nil, func(*rand.Rand) summary.Label { return summary.Unlabelled }},
		{"cuts=3/labels=mixed", []float64{0.3, 0.5, 0.7}, func(r *rand.Rand) summary.Label { return summary.Label(r.IntN(3)) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(3, 4))
			ls := make([]summary.Label, benchN)
			for i := range ls {
				ls[i] = c.labels(r)
			}
			xs := benchData("score")
			s, err := summary.NewScores(c.cuts...)
			if err != nil {
				b.Fatal(err)
			}
			benchValues(b, func() {
				if err := s.AddSlice(xs, ls); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func BenchmarkSumAdd(b *testing.B) {
	xs := benchData("normal")
	var s summary.Sum
	benchValues(b, func() {
		for _, x := range xs {
			s.Add(x)
		}
	})
}

func BenchmarkMomentsAdd(b *testing.B) {
	xs := benchData("normal")
	var m summary.Moments
	benchValues(b, func() { m.AddSlice(xs) })
}

func BenchmarkDistinctAdd(b *testing.B) {
	for _, c := range []struct {
		name string
		ids  int64
	}{{"ids=1K", 1 << 10}, {"ids=1M", 1 << 20}} {
		b.Run(c.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(5, 6))
			xs := make([]int64, benchN)
			for i := range xs {
				xs[i] = r.Int64N(c.ids)
			}
			var d summary.Distinct
			benchValues(b, func() {
				if err := d.AddInts(xs, nil); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}
