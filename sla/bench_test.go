package sla_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/rampguard/rampguard/sla"
)

func benchmarkSamples(n int) []sla.Sample {
	r := rand.New(rand.NewPCG(1, 2))
	step := 28 * day / time.Duration(n)
	return every(start, step, n, func(int) sla.Counts { return of(float64(99+r.IntN(2)), 100) })
}

// BenchmarkBudget names the samples and their order.
func BenchmarkBudget(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		samples := benchmarkSamples(n)
		shuffled := append([]sla.Sample(nil), samples...)
		rand.New(rand.NewPCG(3, 4)).Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		o := sla.Objective{Name: "x", Target: 0.99, Window: sla.Rolling(28 * day)}
		sliced := o
		sliced.Method, sliced.Slice, sliced.SliceTarget = sla.Timeslices, time.Minute, 0.99
		for name, c := range map[string]struct {
			o sla.Objective
			s []sla.Sample
		}{"occurrences": {o, samples}, "timeslices": {sliced, samples}, "unsorted": {o, shuffled}} {
			b.Run(fmt.Sprintf("%s/samples=%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					must(sla.Budget(c.o, c.s, start.Add(28*day)))(b)
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
			})
		}
	}
}

// BenchmarkEvaluate is a budget and the four alerts of Google.
func BenchmarkEvaluate(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		samples := benchmarkSamples(n)
		o := sla.Objective{Name: "x", Target: 0.999, Window: sla.Rolling(28 * day)}
		alerts := must(sla.GoogleAlerts(28 * day))(b)
		b.Run(fmt.Sprintf("samples=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				must(sla.Evaluate(o, alerts, samples, start.Add(28*day), sla.EvaluateOptions{}))(b)
			}
		})
	}
}

// A sample costs 32 bytes in one piece, whatever their number; the rest is constant.
func TestMemoryPerSample(t *testing.T) {
	o := sla.Objective{Name: "x", Target: 0.99, Window: sla.Rolling(28 * day)}
	for _, n := range []int{10_000, 100_000} {
		samples := benchmarkSamples(n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		must(sla.Budget(o, samples, start.Add(28*day)))(t)
		runtime.ReadMemStats(&after)
		if bytes, allocs := after.TotalAlloc-before.TotalAlloc, after.Mallocs-before.Mallocs; bytes > uint64(32*n+50_000) || allocs > 200 {
			t.Errorf("%d samples: %d bytes in %d pieces", n, bytes, allocs)
		}
	}
}
