package leadtime_test

import (
	"testing"
	"time"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats/statstest"
)

// hoursOf lists what each stage owns, and what nobody does.
func hoursOf(a leadtime.Attribution) map[string]float64 {
	m := parts(a, leadtime.StageTime.Total)
	if a.Unattributed > 0 {
		m[""] = a.Unattributed.Hours()
	}
	return m
}

func TestMissingStages(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00")).add(leadtime.Serving, "v1", on(0, "12:00"))
	f := only(t, l.assemble(t, leadtime.AssembleOptions{}))
	a := attributed(t, f, leadtime.BreakdownOptions{})
	equal(t, "no stages", hoursOf(a), map[string]float64{"": 3})
	equal(t, "no longest", a.Longest(), "")
	l.stage("v1", "canary", on(0, "10:00"), on(0, "11:00"), leadtime.Passed)
	f = only(t, l.assemble(t, leadtime.AssembleOptions{}))
	equal(t, "wait, canary, tail", hoursOf(attributed(t, f, leadtime.BreakdownOptions{})), map[string]float64{"canary": 2, "": 1})
}

func TestMissingStageEnd(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00")).
		add(leadtime.StageStart, "v1", on(0, "09:00"), inStage("staging")).
		add(leadtime.StageStart, "v1", on(0, "11:00"), inStage("canary")).
		add(leadtime.Serving, "v1", on(0, "15:00")).
		add(leadtime.StageStart, "v1", on(0, "16:00"), inStage("watch")).
		add(leadtime.DriftAlert, "", on(0, "18:00"))
	f := only(t, l.assemble(t, leadtime.AssembleOptions{}))
	equal(t, "segments", f.Segments, []leadtime.Segment{
		{Stage: "staging", Attempt: 1, Start: on(0, "09:00"), End: on(0, "11:00"), Flags: leadtime.FlagImpliedEnd},
		{Stage: "canary", Attempt: 1, Start: on(0, "11:00"), End: on(0, "15:00"), Flags: leadtime.FlagImpliedEnd},
		{Stage: "watch", Attempt: 1, Start: on(0, "16:00"), End: on(0, "18:00"), Flags: leadtime.FlagOpenStage},
	})
	equal(t, "flags", f.Flags.String(), "implied_end,open_stage")
	equal(t, "hours", hoursOf(attributed(t, f, leadtime.BreakdownOptions{})), map[string]float64{"staging": 2, "canary": 4})
}

func TestMissingStageStart(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00")).
		add(leadtime.StageEnd, "v1", on(0, "10:00"), inStage("staging")).
		add(leadtime.Serving, "v1", on(0, "15:00"))
	a := l.assemble(t, leadtime.AssembleOptions{})
	equal(t, "flags", only(t, a).Flags, leadtime.FlagMissingStageStart)
	equal(t, "excluded", reasons(a), map[leadtime.Reason]int{leadtime.EndWithoutStart: 1})
}

func TestRetriesWithoutNumbers(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00"))
	l.stage("v1", "validation", on(0, "09:00"), on(0, "10:00"), leadtime.Failed)
	l.stage("v1", "validation", on(0, "10:00"), on(0, "11:00"), leadtime.Failed) // at once
	l.stage("v1", "validation", on(0, "12:00"), on(0, "13:00"), leadtime.Passed)
	l.stage("v1", "smoke", on(0, "13:00"), on(0, "13:00"), leadtime.Passed) // a point in time
	l.add(leadtime.Serving, "v1", on(0, "14:00"))
	f := only(t, l.assemble(t, leadtime.AssembleOptions{}))
	a := attributed(t, f, leadtime.BreakdownOptions{})
	equal(t, "validation", a.Stages[1], leadtime.StageTime{Stage: "validation", Exclusive: 3 * time.Hour, Retry: time.Hour,
		Raw: 3 * time.Hour, Failed: 2 * time.Hour, Attempts: 3, Failures: 2})
	equal(t, "smoke", a.Stages[0], leadtime.StageTime{Stage: "smoke", Attempts: 1})
	equal(t, "tail", a.Unattributed, time.Hour)
}

func TestNumberedAttemptsInDisorder(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00")).
		add(leadtime.StageStart, "v1", on(0, "10:00"), inStage("validation"), attempt(1)).
		add(leadtime.StageStart, "v1", on(0, "10:30"), inStage("validation"), attempt(2)).
		add(leadtime.StageEnd, "v1", on(0, "11:00"), inStage("validation"), attempt(1), outcome(leadtime.Failed)).
		add(leadtime.StageEnd, "v1", on(0, "12:00"), inStage("validation"), attempt(2), outcome(leadtime.Passed)).
		add(leadtime.StageStart, "v1", on(0, "12:10"), inStage("validation"), attempt(3)). // lost its end
		add(leadtime.StageStart, "v1", on(0, "12:30"), inStage("validation"), attempt(3)).
		add(leadtime.StageEnd, "v1", on(0, "12:40"), inStage("validation")). // lost its number
		add(leadtime.Serving, "v1", on(0, "13:00"))
	f := only(t, l.assemble(t, leadtime.AssembleOptions{}))
	var ends []time.Time
	for _, g := range f.Segments {
		ends = append(ends, g.End)
	}
	equal(t, "ends", ends, []time.Time{on(0, "11:00"), on(0, "12:00"), on(0, "12:30"), on(0, "12:40")})
}

func TestStagesOfTwoFlights(t *testing.T) {
	var l log
	l.stage("v1", "validation", on(0, "07:00"), on(0, "08:00"), leadtime.Passed) // before sign-off
	l.add(leadtime.SignOff, "v1", on(0, "09:00"))
	l.stage("v1", "approval", on(0, "10:00"), on(0, "16:00"), leadtime.Passed) // over both clocks
	l.add(leadtime.SignOffRevoked, "v1", on(0, "12:00")).add(leadtime.SignOff, "v1", on(0, "14:00")).
		add(leadtime.Serving, "v1", on(0, "17:00"))
	l.stage("v1", "watch", on(0, "18:00"), on(0, "19:00"), leadtime.Passed) // after it
	a := l.assemble(t, leadtime.AssembleOptions{})
	var got []map[string]float64
	var segments []int
	for _, f := range a.Flights {
		got = append(got, hoursOf(attributed(t, f, leadtime.BreakdownOptions{})))
		segments = append(segments, len(f.Segments))
	}
	equal(t, "hours", got, []map[string]float64{{"approval": 3}, {"approval": 2, "": 1}})
	equal(t, "segments", segments, []int{2, 2})
}

func TestNanosecondsLeftOver(t *testing.T) {
	f := leadtime.Flight{State: leadtime.Served, SignOff: on(0, "09:00"), Ended: on(0, "09:00").Add(11)}
	for _, s := range []string{"a", "b", "c"} {
		f.Segments = append(f.Segments, leadtime.Segment{Stage: s, Attempt: 1, Start: f.SignOff, End: f.Ended})
	}
	a := attributed(t, f, leadtime.BreakdownOptions{Order: []string{"c"}})
	var got []time.Duration
	for _, s := range a.Stages {
		got = append(got, s.Exclusive)
	}
	equal(t, "c, a, b", got, []time.Duration{4, 4, 3})
}

func TestStagesOnACalendar(t *testing.T) {
	cal, err := leadtime.NewBusinessHours(time.UTC, leadtime.BusinessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "16:00"))
	l.stage("v1", "approval", on(0, "20:00"), on(1, "10:00"), leadtime.Passed)
	l.add(leadtime.Serving, "v1", on(1, "12:00"))
	a := attributed(t, only(t, l.assemble(t, leadtime.AssembleOptions{})), leadtime.BreakdownOptions{Calendar: cal})
	equal(t, "an hour of queue, one of approval, two after it", hoursOf(a), map[string]float64{"approval": 2, "": 2})
}

func TestBreakdownOfMany(t *testing.T) {
	flight := func(hours ...float64) leadtime.Flight {
		f := leadtime.Flight{State: leadtime.Served, Track: leadtime.Standard, SignOff: on(0, "00:00"), Ended: on(0, "00:00")}
		for i, h := range hours {
			start := f.Ended
			f.Ended = start.Add(time.Duration(h * float64(time.Hour)))
			f.Segments = append(f.Segments, leadtime.Segment{Stage: []string{"validation", "approval"}[i], Attempt: 1, Start: start, End: f.Ended})
		}
		return f
	}
	open := flight(500)
	open.State = leadtime.InFlight
	fast := flight(1)
	fast.Track = leadtime.FastTrack
	many := []leadtime.Flight{flight(4, 2), flight(4, 2), flight(4, 12), open, flight(), fast}
	r, err := leadtime.Breakdown(many, leadtime.BreakdownOptions{Order: []string{"validation"}})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "flights", []int{r.Flights, r.Unstaged}, []int{5, 1})
	equal(t, "total", r.Total, 29.0)
	equal(t, "bottleneck", r.Bottleneck, "approval")
	equal(t, "share", r.BottleneckShare, 16.0/29)
	equal(t, "coverage", r.Coverage, 1.0)
	v, p := r.Stages[0], r.Stages[1]
	equal(t, "longest", []int{v.Longest, p.Longest}, []int{3, 1})
	equal(t, "medians", []float64{v.P50.Estimate.Point, p.P50.Estimate.Point}, []float64{4, 2})
	equal(t, "n", []uint64{v.P90.N, p.P90.N}, []uint64{4, 3})
	statstest.Near(t, "means add up", v.Mean+p.Mean, 29.0/5, 1e-15, 0)
	equal(t, "warning", r.Warnings[0].Code, leadtime.WarnMixedTracks)

	// A century of lead time in each of many flights does not overflow.
	century := flight()
	century.Ended = century.SignOff.AddDate(100, 0, 0)
	r, err = leadtime.Breakdown([]leadtime.Flight{century, century, century, century}, leadtime.BreakdownOptions{})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "hours", r.Unattributed, 4*century.Lead(nil).Hours())
}
