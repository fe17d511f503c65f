package leadtime_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rampguard/rampguard/leadtime"
)

// BenchmarkSummarize: the flights of logs up to a million events, with both
// estimators, per model, compliance, and an SLA that half of them breach.
func BenchmarkSummarize(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("events=%d", n), func(b *testing.B) {
			a, err := leadtime.Assemble(bigLog(n), leadtime.AssembleOptions{})
			if err != nil {
				b.Fatal(err)
			}
			o := leadtime.Options{SLA: 7 * time.Hour, ByModel: true}
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				if _, err := leadtime.Summarize(a.Flights, o); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(a.Flights))*float64(b.N)/b.Elapsed().Seconds(), "flights/s")
		})
	}
}

// BenchmarkOps: the same flights, with an alert and an incident for one in ten.
func BenchmarkOps(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("events=%d", n), func(b *testing.B) {
			a, err := leadtime.Assemble(bigLog(n), leadtime.AssembleOptions{})
			if err != nil {
				b.Fatal(err)
			}
			var ev []leadtime.Event
			for i := range a.Flights {
				if f := &a.Flights[i]; i%10 == 0 {
					ev = append(ev,
						leadtime.Event{Kind: leadtime.DriftAlert, Model: f.Key.Model, At: f.Ended.Add(time.Minute)},
						leadtime.Event{Kind: leadtime.IncidentDetected, Model: f.Key.Model, Ref: fmt.Sprint(i), At: f.Ended.Add(time.Hour)},
						leadtime.Event{Kind: leadtime.IncidentResolved, Model: f.Key.Model, Ref: fmt.Sprint(i), At: f.Ended.Add(2 * time.Hour)})
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				if _, err := leadtime.Ops(a.Flights, ev, leadtime.OpsOptions{Steps: []string{"validation", "approval"}}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(a.Flights))*float64(b.N)/b.Elapsed().Seconds(), "flights/s")
		})
	}
}
