package drift_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats/summary"
)

func benchmarkPair(b *testing.B, rows int) (ref, cur *summary.Histogram) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	draw := func() *summary.Histogram {
		xs := make([]float64, rows)
		for i := range xs {
			xs[i] = 1 / (1 + math.Exp(-(1.2*r.NormFloat64() - 1)))
		}
		return scores(b, xs...)
	}
	return draw(), draw()
}

// BenchmarkColumn is the full comparison of one score column from two histograms:
// cells, PSI-equivalent, PSI, total variation, KS, W1 and the collapse signals.
func BenchmarkColumn(b *testing.B) {
	for _, rows := range []int{1_000, 10_000, 1_000_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			ref, cur := benchmarkPair(b, rows)
			b.ReportAllocs()
			for b.Loop() {
				cells, err := drift.Numeric(ref, cur, drift.Options{})
				if err != nil {
					b.Fatal(err)
				}
				for _, f := range []func(drift.Cells, drift.Options) (drift.Divergence, error){drift.PSIEquivalent, drift.PSI, drift.TotalVariation} {
					if _, err := f(cells, drift.Options{}); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := drift.KS(ref, cur, drift.Options{}); err != nil {
					b.Fatal(err)
				}
				if _, err := drift.Wasserstein1(ref, cur, drift.Options{}); err != nil {
					b.Fatal(err)
				}
				if _, err := drift.Collapse(ref, cur, drift.CollapseOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNumeric is the making of cells alone.
func BenchmarkNumeric(b *testing.B) {
	for _, rows := range []int{1_000, 10_000, 1_000_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			ref, cur := benchmarkPair(b, rows)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := drift.Numeric(ref, cur, drift.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMetric is one metric over cells that are there.
func BenchmarkMetric(b *testing.B) {
	ref, cur := benchmarkPair(b, 10_000)
	cells, err := drift.Numeric(ref, cur, drift.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range metrics {
		b.Run(m.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.of(cells, drift.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
