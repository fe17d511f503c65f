package leadtime_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rampguard/rampguard/leadtime"
)

// demo is a log of one release: signed off on Monday, validated twice, approved
// on Tuesday, served, rolled back, and served again.
func demo() []leadtime.Event {
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }
	e := func(k leadtime.Kind, version string, t time.Time) leadtime.Event {
		return leadtime.Event{Kind: k, Model: "fraud", Version: version, At: t}
	}
	s := func(k leadtime.Kind, stage string, t time.Time, o leadtime.Outcome) leadtime.Event {
		return leadtime.Event{Kind: k, Model: "fraud", Version: "v7", Stage: stage, At: t, Outcome: o}
	}
	return []leadtime.Event{
		e(leadtime.SignOff, "v7", at(2, 9)),
		s(leadtime.StageStart, "validation", at(2, 10), leadtime.Unstated),
		s(leadtime.StageEnd, "validation", at(2, 11), leadtime.Failed),
		s(leadtime.StageStart, "validation", at(2, 13), leadtime.Unstated),
		s(leadtime.StageEnd, "validation", at(2, 14), leadtime.Passed),
		s(leadtime.StageStart, "approval", at(2, 15), leadtime.Unstated),
		s(leadtime.StageEnd, "approval", at(3, 11), leadtime.Passed),
		e(leadtime.Serving, "v7", at(3, 12)),
		e(leadtime.RollbackDecided, "v7", at(3, 15)),
		e(leadtime.Serving, "v6", at(3, 16)),
		e(leadtime.Serving, "v7", at(4, 9)),
		e(leadtime.Serving, "v8", at(4, 10)),
	}
}

func ExampleAssemble() {
	a, err := leadtime.Assemble(demo(), leadtime.AssembleOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range a.Flights {
		fmt.Println(f.Key, f.State, f.Lead(nil), "redeploys:", f.Redeploys)
		for _, b := range f.Rollbacks {
			exposed, _ := b.Exposure()
			back, _ := b.TimeToRollback()
			fmt.Println("rolled back to", b.To, "in", back, "after", exposed)
		}
	}
	for _, x := range a.Excluded {
		fmt.Println("excluded:", x.Event.Kind, "of", x.Event.Version, x.Reason)
	}
	fmt.Println(a.In, "=", a.Used, "+", len(a.Operations), "+", len(a.Excluded))
	// Output:
	// fraud/v7#1 served 27h0m0s redeploys: 1
	// rolled back to v6 in 1h0m0s after 3h0m0s
	// excluded: serving of v8 no_signoff
	// 12 = 11 + 0 + 1
}

func ExampleAttribute() {
	a, err := leadtime.Assemble(demo(), leadtime.AssembleOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	parts, err := leadtime.Attribute(&a.Flights[0], leadtime.BreakdownOptions{Order: []string{"validation", "approval"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range parts.Stages {
		fmt.Println(s.Stage, "ran", s.Exclusive, "waited", s.Wait, "retried after", s.Retry)
	}
	fmt.Println("after the last stage", parts.Unattributed, "of", parts.Total)
	fmt.Println("longest:", parts.Longest())
	// Output:
	// validation ran 2h0m0s waited 1h0m0s retried after 2h0m0s
	// approval ran 20h0m0s waited 1h0m0s retried after 0s
	// after the last stage 1h0m0s of 27h0m0s
	// longest: approval
}

func ExampleBreakdown() {
	a, err := leadtime.Assemble(demo(), leadtime.AssembleOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := leadtime.Breakdown(a.Flights, leadtime.BreakdownOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s took %.1f%% of %.0f hours; a stage ran in %.1f%% of them\n",
		r.Bottleneck, 100*r.BottleneckShare, r.Total, 100*r.Coverage)
	// Output:
	// approval took 77.8% of 27 hours; a stage ran in 81.5% of them
}

func ExampleNewBusinessHours() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		fmt.Println(err)
		return
	}
	office, err := leadtime.NewBusinessHours(berlin, leadtime.BusinessOptions{
		Holidays: []leadtime.Date{{Year: 2026, Month: time.April, Day: 3}, {Year: 2026, Month: time.April, Day: 6}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	thursday := time.Date(2026, 4, 2, 16, 0, 0, 0, berlin)
	tuesday := time.Date(2026, 4, 7, 10, 0, 0, 0, berlin) // after Easter
	fmt.Println(office)
	fmt.Println(tuesday.Sub(thursday), "on the wall,", office.Between(thursday, tuesday), "in the office")
	// Output:
	// Mon Tue Wed Thu Fri 09:00-17:00 Europe/Berlin, 2 holidays
	// 114h0m0s on the wall, 2h0m0s in the office
}

func ExampleLint() {
	ended := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	flights := []leadtime.Flight{{FirstSignOff: ended, SignOff: ended, RunEnded: ended}}
	for _, w := range leadtime.Lint(flights) {
		fmt.Println(w.Code)
	}
	// Output:
	// clock_starts_at_training
}

func ExampleKind() {
	b, err := json.Marshal(leadtime.Event{Kind: leadtime.SignOff, Model: "fraud", Version: "v7",
		At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)})
	fmt.Println(string(b), err)
	var k leadtime.Kind
	fmt.Println(k.UnmarshalText([]byte("merged")) != nil)
	// Output:
	// {"kind":"signoff","model":"fraud","version":"v7","at":"2026-03-02T09:00:00Z"} <nil>
	// true
}
