package sequential_test

import (
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
)

func BenchmarkSRM(b *testing.B) {
	s := []sequential.ShareStage{{Weights: []float64{9, 1}, Counts: []uint64{900123, 99877}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sequential.SRM(s, sequential.SRMOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBinomMix(b *testing.B) {
	var s []sequential.EventStage
	for i, r := range []float64{0.01, 0.05, 0.1, 0.25, 0.5} {
		s = append(s, sequential.EventStage{Share: r, Baseline: 500, Candidate: uint64(100 * i)})
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sequential.BinomMix(s, sequential.BinomMixOptions{Alternative: stats.Greater}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTwoSample(b *testing.B) {
	s := sequential.CellStage{Share: 0.5, Baseline: make([]uint64, 64), Candidate: make([]uint64, 64)}
	for i := range 64 {
		s.Baseline[i], s.Candidate[i] = uint64(100+i), uint64(110+i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sequential.TwoSample([]sequential.CellStage{s, s}, sequential.TwoSampleOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQuantile(b *testing.B) {
	x, y := make([]uint64, 64), make([]uint64, 64)
	for i := range 64 {
		x[i], y[i] = uint64(10000+i), uint64(11000-i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sequential.Quantile(x, y, 0.95, sequential.QuantileOptions{Alternative: stats.Greater}); err != nil {
			b.Fatal(err)
		}
	}
}
