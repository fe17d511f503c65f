package leadtime_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/rampguard/rampguard/leadtime"
)

// quarter is the first quarter of 2025 of two models, as a line per release: the
// sign-off, then how many hours each stage began and ended after it, and "serving"
// or how else it ended.
const quarter = `
fraud 31 standard  2025-01-07T10:00 packaging 1 2 validation 2 8 approval 30 31 canary 32 40 promotion 40 41 serving 41
fraud 32 standard  2025-01-21T09:00 packaging 1 2 validation 2 9 approval 54 55 canary 56 66 promotion 66 67 serving 67
fraud 33 fast_track 2025-01-29T16:00 packaging 0.5 1 promotion 1 2 serving 2
churn 11 standard  2025-01-30T09:00 packaging 1 3 validation 3 20 rejected 20
churn 12 standard  2025-02-04T09:00 packaging 1 3 validation 3 15 approval 47 48 canary 50 60 promotion 60 62 serving 62
fraud 34 standard  2025-02-11T11:00 packaging 1 2 validation! 2 9 validation 20 27 approval 76 77 canary 78 86 promotion 86 87 serving 87
churn 13 standard  2025-02-20T10:00 packaging 1 3 validation 3 14 approval 30 32 canary 33 44 promotion 44 45 serving 45
fraud 35 standard  2025-03-04T09:00 packaging 1 2 validation 2 8 approval 27 28 canary 29 37 promotion 37 38 serving 38
fraud 36 fast_track 2025-03-12T20:00 promotion 0.5 1.5 serving 1.5
churn 14 standard  2025-03-18T09:00 packaging 1 3 validation 3 15 approval 100 101 canary 102 112 promotion 112 113 serving 113
fraud 37 standard  2025-03-24T09:00 packaging 1 2 validation 2 9
churn 15 standard  2025-03-28T09:00 packaging 1 3
`

// quarterEvents turns the lines into events.
func quarterEvents() []leadtime.Event {
	var out []leadtime.Event
	for line := range strings.Lines(strings.TrimSpace(quarter)) {
		w := strings.Fields(line)
		start, err := time.Parse("2006-01-02T15:04", w[3])
		if err != nil {
			panic(err)
		}
		at := func(s string) time.Time {
			d, err := time.ParseDuration(s + "h")
			if err != nil {
				panic(err)
			}
			return start.Add(d)
		}
		e := leadtime.Event{Model: w[0], Version: w[1], Track: leadtime.Track(w[2]), Kind: leadtime.SignOff, At: start}
		out = append(out, e)
		for rest := w[4:]; len(rest) > 0; {
			switch e.Stage, e.Outcome = "", leadtime.Unstated; rest[0] {
			case "serving":
				e.Kind, e.At = leadtime.Serving, at(rest[1])
				out, rest = append(out, e), rest[2:]
			case "rejected":
				e.Kind, e.At = leadtime.Rejected, at(rest[1])
				out, rest = append(out, e), rest[2:]
			default:
				e.Stage = strings.TrimSuffix(rest[0], "!")
				e.Kind, e.At = leadtime.StageStart, at(rest[1])
				out = append(out, e)
				if e.Outcome = leadtime.Passed; e.Stage != rest[0] {
					e.Outcome = leadtime.Failed
				}
				e.Kind, e.At = leadtime.StageEnd, at(rest[2])
				out, rest = append(out, e), rest[3:]
			}
		}
	}
	// Version 36 went wrong: an incident, then back to 35.
	wrong := time.Date(2025, 3, 12, 21, 30, 0, 0, time.UTC)
	return append(out,
		leadtime.Event{Kind: leadtime.IncidentDetected, Model: "fraud", Ref: "INC-9", At: wrong.Add(40 * time.Minute)},
		leadtime.Event{Kind: leadtime.RollbackDecided, Model: "fraud", Version: "36", At: wrong.Add(70 * time.Minute)},
		leadtime.Event{Kind: leadtime.Restored, Model: "fraud", Version: "35", At: wrong.Add(75 * time.Minute)},
		leadtime.Event{Kind: leadtime.IncidentResolved, Model: "fraud", Ref: "INC-9", At: wrong.Add(80 * time.Minute)},
	)
}

// One quarter of releases, from the log to what to say in the review: how long a
// release takes, whether the promise of 72 hours holds, which stage to work on,
// and what went wrong after serving.
func ExampleSummarize_quarter() {
	asOf := time.Date(2025, 3, 31, 23, 59, 0, 0, time.UTC)
	log, err := leadtime.Assemble(quarterEvents(), leadtime.AssembleOptions{AsOf: asOf})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(log.Flights), "flights from", log.In, "events,", len(log.Excluded), "excluded")

	report, err := leadtime.Summarize(log.Flights, leadtime.Options{
		Cohort:   leadtime.BySignOff,
		Since:    time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC),
		Until:    time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC),
		SLA:      72 * time.Hour,
		TrackSLA: map[leadtime.Track]time.Duration{leadtime.FastTrack: 4 * time.Hour},
	})
	if err != nil {
		panic(err)
	}
	for _, row := range report.Table() {
		fmt.Println(strings.Join(row[1:], " | "))
	}
	for _, b := range report.Breaches {
		if b.InFlight {
			fmt.Printf("breach: %v in flight for %s, idle since %s for %s\n", b.Key, leadtime.FormatHours(b.Lead), b.After, leadtime.FormatHours(b.IdleHours))
			continue
		}
		fmt.Printf("breach: %v after %s, of it %s %s and waiting for it %s\n", b.Key, leadtime.FormatHours(b.Lead),
			b.WorstStage, leadtime.FormatHours(b.StageHours-b.WaitHours), leadtime.FormatHours(b.WaitHours))
	}
	for _, x := range report.Excluded {
		fmt.Println("no lead time:", x.Key, x.Reason)
	}

	var standard []leadtime.Flight
	for _, f := range log.Flights {
		if f.Track == leadtime.Standard {
			standard = append(standard, f)
		}
	}
	stages, err := leadtime.Breakdown(standard, leadtime.BreakdownOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("bottleneck: %s with %.0f%% of the time\n", stages.Bottleneck, 100*stages.BottleneckShare)

	trend, err := leadtime.Trend(log.Flights, leadtime.TrendOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("trend: %v (P %.2f over %d releases)\n", trend.Direction, float64(trend.P), trend.N)

	ops, err := leadtime.Ops(log.Flights, log.Operations, leadtime.OpsOptions{AsOf: asOf})
	if err != nil {
		panic(err)
	}
	fmt.Printf("promoted %d of %d, %d pending; rolled back %d of %d\n", ops.Promotion.Met, ops.Promotion.N, ops.Promotion.Pending,
		ops.Rollback.Met, ops.Rollback.N)
	times := ops.RollbackTimes
	fmt.Println("rollback: noticed after", leadtime.FormatHours(times.Detect.Plain.P50.Estimate.Point),
		"decided after", leadtime.FormatHours(times.Decide.Plain.P50.Estimate.Point),
		"restored after", leadtime.FormatHours(times.Restore.Plain.P50.Estimate.Point))
	for _, g := range ops.Gates {
		fmt.Println("gate:", g.Model, g.Stage, "failed", g.Failed.Met, "of", g.Failed.N)
	}
	for _, d := range ops.Steps.Delays {
		fmt.Println("broken step:", d.Flight, d.Stage, "cost up to", leadtime.FormatHours(d.Hours))
	}
	// Output:
	// 12 flights from 114 events, 0 excluded
	// track | model | n | in flight | p50 | p90 | mean | SLA | within SLA
	// standard |  | 7 | 2 | 2d 19h [45h, inf] | at least 4d 17h | 3d 13h | 3d | 55.6% [26.7%, 81.1%]
	// fast_track |  | 2 | 0 | 1.8h [0m, inf] | 2h [1.5h, inf] | 1.8h | 4h | 100% [34.2%, 100%]
	// breach: fraud/37#1 in flight for 7d 15h, idle since validation for 7d 6h
	// breach: churn/14#1 after 4d 17h, of it approval 1h and waiting for it 3d 13h
	// breach: fraud/34#1 after 3d 15h, of it approval 1h and waiting for it 2d 1h
	// breach: churn/15#1 in flight for 3d 15h, idle since packaging for 3d 12h
	// no lead time: churn/11#1 rejected
	// bottleneck: approval with 61% of the time
	// trend: none (P 0.77 over 7 releases)
	// promoted 9 of 10, 2 pending; rolled back 1 of 9
	// rollback: noticed after 40m decided after 30m restored after 5m
	// gate: fraud validation failed 1 of 6
	// broken step: fraud/34#1 validation cost up to 18h
}
