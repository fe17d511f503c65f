package leadtime_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rampguard/rampguard/leadtime"
)

// bigLog has a log of about n events: versions of 20 models, each with a run, a
// sign-off, six stages, a ramp in four steps, sometimes a rollback. The order is
// that of the versions, so sorting has work to do.
func bigLog(n int) []leadtime.Event {
	stages := []string{"packaging", "validation", "staging", "approval", "canary", "promotion"}
	events := make([]leadtime.Event, 0, n+20)
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for v := 0; len(events) < n; v++ {
		model, version := fmt.Sprintf("model-%d", v%20), fmt.Sprintf("v%d", v/20)
		t := start.Add(time.Duration(v*7919%n) * time.Minute)
		add := func(k leadtime.Kind, change ...func(*leadtime.Event)) {
			t = t.Add(time.Duration(1+v%50) * time.Minute)
			e := leadtime.Event{ID: fmt.Sprintf("e%d", len(events)), Source: "bench", Kind: k, Model: model, Version: version, At: t, Line: len(events) + 1}
			for _, f := range change {
				f(&e)
			}
			events = append(events, e)
		}
		add(leadtime.RunEnded)
		add(leadtime.SignOff)
		for _, s := range stages {
			add(leadtime.StageStart, inStage(s))
			add(leadtime.StageEnd, inStage(s), outcome(leadtime.Passed))
		}
		for _, pct := range []float64{1, 10, 50, 100} {
			add(leadtime.TrafficChange, share(pct))
		}
		if v%10 == 0 {
			add(leadtime.RollbackDecided)
			add(leadtime.Serving)
		}
	}
	return events
}

// BenchmarkAssemble: the time grows with the events, but for sorting and the
// caches. A million events take 1.3 to 2 s on one core of a small machine and one
// allocation each, 450 MB together; with the log itself the process stays near 600
// MB.
func BenchmarkAssemble(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("events=%d", n), func(b *testing.B) {
			events := bigLog(n)
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				a, err := leadtime.Assemble(events, leadtime.AssembleOptions{})
				if err != nil || a.Used != len(events) {
					b.Fatalf("%d of %d events used, error %v", a.Used, len(events), err)
				}
			}
			b.ReportMetric(float64(len(events))*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func BenchmarkBreakdown(b *testing.B) {
	a, err := leadtime.Assemble(bigLog(100_000), leadtime.AssembleOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if _, err := leadtime.Breakdown(a.Flights, leadtime.BreakdownOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(a.Flights))*float64(b.N)/b.Elapsed().Seconds(), "flights/s")
}
