package leadtime_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

func TestAssembleOfNothing(t *testing.T) {
	a, err := leadtime.Assemble(nil, leadtime.AssembleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "empty", a, leadtime.Assembly{})
}

func TestAssembleRefusesOptions(t *testing.T) {
	for name, o := range map[string]leadtime.AssembleOptions{
		"share above 100": {StopAt: 101},
		"negative share":  {StopAt: -1},
		"share NaN":       {StopAt: math.NaN()},
		"region policy":   {RegionPolicy: 7},
		"far future":      {AsOf: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if _, err := leadtime.Assemble(nil, o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: error %v, want ErrDomain", name, err)
		}
	}
}

func TestFaultyEvents(t *testing.T) {
	good := leadtime.Event{Kind: leadtime.StageEnd, Model: "m", Version: "v", Stage: "s", At: on(0, "09:00")}
	for want, change := range map[leadtime.Reason]func(*leadtime.Event){
		leadtime.UnknownKind:    func(e *leadtime.Event) { e.Kind = 99 },
		leadtime.MissingTime:    func(e *leadtime.Event) { e.At = time.Time{} },
		leadtime.TimeOutOfRange: func(e *leadtime.Event) { e.At = time.Date(3026, 1, 1, 0, 0, 0, 0, time.UTC) },
		leadtime.BadInterval:    func(e *leadtime.Event) { e.Earliest = e.At.Add(time.Second) },
		leadtime.MissingModel:   func(e *leadtime.Event) { e.Model = "" },
		leadtime.MissingVersion: func(e *leadtime.Event) { e.Version = "" },
		leadtime.MissingStage:   func(e *leadtime.Event) { e.Stage = "" },
		leadtime.BadAttempt:     func(e *leadtime.Event) { e.Attempt = -1 },
		leadtime.BadTraffic:     func(e *leadtime.Event) { e.TrafficPct = math.NaN() },
		leadtime.NoSignOff:      func(*leadtime.Event) {},
	} {
		e := good
		e.Line = 17
		change(&e)
		a, err := leadtime.Assemble([]leadtime.Event{e}, leadtime.AssembleOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Excluded) != 1 || a.Excluded[0].Reason != want || a.Excluded[0].Event.Line != 17 {
			t.Errorf("%v: excluded %+v", want, a.Excluded)
		}
	}
	var l log
	l.add(0, "v1", on(0, "09:00"))
	equal(t, "no kind", reasons(l.assemble(t, leadtime.AssembleOptions{})), map[leadtime.Reason]int{leadtime.UnknownKind: 1})
}

func TestSkewAtTheTolerance(t *testing.T) {
	for _, c := range []struct {
		name      string
		early     time.Duration
		tolerance time.Duration
		flights   int
	}{
		{"at the default", 5 * time.Minute, 0, 1},
		{"beyond the default", 5*time.Minute + 1, 0, 0},
		{"within an hour", 59 * time.Minute, time.Hour, 1},
		{"none allowed", time.Second, -1, 0},
	} {
		var l log
		l.add(leadtime.SignOff, "v1", on(0, "09:00")).add(leadtime.Serving, "v1", on(0, "09:00").Add(-c.early))
		a := l.assemble(t, leadtime.AssembleOptions{SkewTolerance: c.tolerance})
		equal(t, c.name, len(a.Flights), c.flights)
	}
}

func TestRevokedSignOff(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00")).
		add(leadtime.SignOffRevoked, "v1", on(0, "11:00")).
		add(leadtime.SignOffRevoked, "v1", on(0, "11:30")).
		add(leadtime.SignOff, "v1", on(0, "15:00")).
		add(leadtime.Serving, "v1", on(0, "18:00")).
		add(leadtime.SignOffRevoked, "v1", on(0, "20:00"))
	a := l.assemble(t, leadtime.AssembleOptions{})
	equal(t, "states", []leadtime.State{a.Flights[0].State, a.Flights[1].State}, []leadtime.State{leadtime.StateWithdrawn, leadtime.Served})
	equal(t, "first try", a.Flights[0].Lead(nil), 2*time.Hour)
	equal(t, "lead", a.Flights[1].Lead(nil), 3*time.Hour)
	equal(t, "excluded", reasons(a), map[leadtime.Reason]int{leadtime.NothingToRevoke: 1, leadtime.AfterEnd: 1})

	f := only(t, l.assemble(t, leadtime.AssembleOptions{KeepFirstSignOff: true}))
	equal(t, "kept", f.Lead(nil), 9*time.Hour)
	equal(t, "flags", f.Flags, leadtime.FlagResigned)
	equal(t, "sign-off", f.SignOff, on(0, "09:00"))

	l.events = l.events[:2]
	for _, keep := range []bool{false, true} {
		f = only(t, l.assemble(t, leadtime.AssembleOptions{KeepFirstSignOff: keep}))
		equal(t, "never signed again", f.State, leadtime.StateWithdrawn)
		equal(t, "ended", f.Ended, on(0, "11:00"))
	}
}

func TestSecondSignOffMovesTheClock(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00")).
		add(leadtime.SignOff, "v1", on(0, "12:00")).
		add(leadtime.TrafficChange, "v1", on(0, "14:00"), share(10)).
		add(leadtime.SignOff, "v1", on(0, "15:00")). // after the first traffic: too late to count
		add(leadtime.TrafficChange, "v1", on(0, "16:00"), share(100))
	f := only(t, l.assemble(t, leadtime.AssembleOptions{}))
	equal(t, "lead", f.Lead(nil), 4*time.Hour)
	equal(t, "first", f.FirstSignOff, on(0, "09:00"))
	equal(t, "traffic", f.FirstTraffic, on(0, "14:00"))
	f = only(t, l.assemble(t, leadtime.AssembleOptions{KeepFirstSignOff: true}))
	equal(t, "kept", f.Lead(nil), 7*time.Hour)
}

func TestWhatStopsTheClock(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00"), inEnv(leadtime.Production)).
		add(leadtime.Serving, "v1", on(0, "10:00"), inEnv(leadtime.Staging)).
		add(leadtime.Serving, "v1", on(0, "11:00"), share(5)).
		add(leadtime.TrafficChange, "v1", on(0, "12:00"), share(50)).
		add(leadtime.TrafficChange, "v1", on(0, "14:00"), share(100))
	for _, c := range []struct {
		name string
		o    leadtime.AssembleOptions
		want time.Duration
	}{
		{"all traffic", leadtime.AssembleOptions{}, 5 * time.Hour},
		{"half of it", leadtime.AssembleOptions{StopAt: 50}, 3 * time.Hour},
		{"any of it", leadtime.AssembleOptions{StopAt: leadtime.FirstTraffic}, 2 * time.Hour},
		{"staging", leadtime.AssembleOptions{Env: leadtime.Staging}, time.Hour},
	} {
		f := only(t, l.assemble(t, c.o))
		equal(t, c.name, f.Lead(nil), c.want)
	}
	f := only(t, l.assemble(t, leadtime.AssembleOptions{}))
	equal(t, "arrivals", f.Arrivals, []leadtime.Arrival{{Env: leadtime.Staging, At: on(0, "10:00")}})
	f = only(t, l.assemble(t, leadtime.AssembleOptions{AsOf: on(0, "13:00")}))
	equal(t, "in flight", f.State, leadtime.InFlight)
	equal(t, "censored", f.Censored(), true)
	equal(t, "age", f.Lead(nil), 4*time.Hour)
}

func TestRegions(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00")).
		add(leadtime.Serving, "v1", on(0, "10:00"), inRegion("eu")).
		add(leadtime.Serving, "v1", on(0, "12:00"), inRegion("us")).
		add(leadtime.Serving, "v1", on(0, "11:00"), inRegion("asia"))
	for _, c := range []struct {
		name string
		o    leadtime.AssembleOptions
		want time.Duration
	}{
		{"last", leadtime.AssembleOptions{}, 3 * time.Hour},
		{"first", leadtime.AssembleOptions{RegionPolicy: leadtime.FirstRegion}, time.Hour},
		{"last of two", leadtime.AssembleOptions{Regions: []string{"eu", "asia"}}, 2 * time.Hour},
	} {
		f := only(t, l.assemble(t, c.o))
		equal(t, c.name, f.Lead(nil), c.want)
	}
	f := only(t, l.assemble(t, leadtime.AssembleOptions{Regions: []string{"eu", "africa"}}))
	equal(t, "a region is missing", f.State, leadtime.InFlight)
	l.add(leadtime.Serving, "v1", on(0, "13:00")) // everywhere
	f = only(t, l.assemble(t, leadtime.AssembleOptions{Regions: []string{"eu", "africa"}}))
	equal(t, "everywhere", f.Lead(nil), 4*time.Hour)
}

func TestEnds(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00")).add(leadtime.Rejected, "v1", on(0, "12:00")).
		add(leadtime.Serving, "v1", on(0, "13:00")). // nobody signed it off again
		add(leadtime.Withdrawn, "v1", on(0, "14:00")).
		add(leadtime.SignOff, "v2", on(0, "09:00")).add(leadtime.Withdrawn, "v2", on(0, "10:00")).
		add(leadtime.Rejected, "v3", on(0, "10:00"))
	a := l.assemble(t, leadtime.AssembleOptions{})
	equal(t, "v1", a.Flights[0].State, leadtime.StateRejected)
	equal(t, "v1 lasted", a.Flights[0].Lead(nil), 3*time.Hour)
	equal(t, "v2", a.Flights[1].State, leadtime.StateWithdrawn)
	equal(t, "excluded", reasons(a), map[leadtime.Reason]int{leadtime.NoSignOff: 2, leadtime.AfterEnd: 1})
}

func TestEventsAfterAsOf(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00")).
		add(leadtime.StageStart, "v1", on(0, "10:00"), inStage("canary")).
		add(leadtime.StageEnd, "v1", on(0, "15:00"), inStage("canary")).
		add(leadtime.Serving, "v1", on(0, "16:00")).
		add(leadtime.DriftAlert, "", on(0, "17:00"))
	a := l.assemble(t, leadtime.AssembleOptions{AsOf: on(0, "12:00")})
	f := only(t, a)
	equal(t, "excluded", reasons(a), map[leadtime.Reason]int{leadtime.AfterAsOf: 3})
	equal(t, "age", f.Lead(nil), 3*time.Hour)
	equal(t, "flags", f.Flags, leadtime.FlagOpenStage)
	equal(t, "running", attributed(t, f, leadtime.BreakdownOptions{}).Stages[0].Exclusive, 2*time.Hour)
}

func TestDuplicates(t *testing.T) {
	var l log
	id := func(s, source string) func(*leadtime.Event) {
		return func(e *leadtime.Event) { e.ID, e.Source = s, source }
	}
	l.add(leadtime.SignOff, "v1", on(0, "09:00"), id("1", "registry")).
		add(leadtime.SignOff, "v1", on(0, "12:00"), id("1", "registry")). // sent again with another stamp
		add(leadtime.Serving, "v1", on(0, "13:00"), id("1", "mesh")).     // the ID of another source
		add(leadtime.Serving, "v1", on(0, "13:00"), id("2", "poll")).     // the same fact from elsewhere
		add(leadtime.DriftAlert, "v1", on(0, "14:00"), id("a", "monitor")).
		add(leadtime.DriftAlert, "v1", on(0, "14:00"), id("b", "monitor")). // two monitors at once
		add(leadtime.DriftAlert, "v1", on(0, "14:00"), id("b", "monitor"))
	a := l.assemble(t, leadtime.AssembleOptions{})
	equal(t, "lead", only(t, a).Lead(nil), 4*time.Hour)
	equal(t, "operations", len(a.Operations), 2)
	var lines []int
	for _, x := range a.Excluded {
		equal(t, "reason", x.Reason, leadtime.Duplicate)
		lines = append(lines, x.Event.Line)
	}
	equal(t, "lines", lines, []int{2, 4, 7})
}

func TestIntervalStamps(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "10:00"), since(on(0, "08:00"))).
		add(leadtime.Serving, "v1", on(0, "15:00"), since(on(0, "14:30")))
	f := only(t, l.assemble(t, leadtime.AssembleOptions{}))
	equal(t, "sign-off", f.SignOff, on(0, "09:00"))
	equal(t, "served", f.Served, on(0, "14:45"))
	equal(t, "widths", []time.Duration{f.SignOffWidth, f.ServedWidth}, []time.Duration{2 * time.Hour, 30 * time.Minute})
	equal(t, "flags", f.Flags, leadtime.FlagIntervalStamp)
	// A poll that saw it only after the observation stopped saw nothing.
	f = only(t, l.assemble(t, leadtime.AssembleOptions{AsOf: on(0, "14:50")}))
	equal(t, "state", f.State, leadtime.InFlight)
}

func TestTracks(t *testing.T) {
	fast := func(e *leadtime.Event) { e.Track = leadtime.FastTrack }
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00")).
		add(leadtime.Serving, "v1", on(0, "10:00"), fast). // promoted past its steps
		add(leadtime.SignOff, "v2", on(0, "09:00")).
		add(leadtime.Serving, "v2", on(0, "10:00")).
		add(leadtime.RollbackDecided, "v2", on(0, "12:00"), fast) // after the clock stopped
	a := l.assemble(t, leadtime.AssembleOptions{})
	equal(t, "tracks", []leadtime.Track{a.Flights[0].Track, a.Flights[1].Track}, []leadtime.Track{leadtime.FastTrack, leadtime.Standard})
}

func TestCycleTime(t *testing.T) {
	var l log
	l.add(leadtime.RunStarted, "v1", on(-2, "09:00")).add(leadtime.RunEnded, "v1", on(-2, "12:00")).
		add(leadtime.Registered, "v1", on(-1, "09:00")).
		add(leadtime.SignOff, "v1", on(0, "09:00")).add(leadtime.Serving, "v1", on(0, "10:00")).
		add(leadtime.RunEnded, "v9", on(0, "10:00"))
	a := l.assemble(t, leadtime.AssembleOptions{})
	f := only(t, a)
	cycle, ok := f.Cycle(nil)
	equal(t, "cycle", cycle, 49*time.Hour)
	equal(t, "known", ok, true)
	equal(t, "lead", f.Lead(nil), time.Hour)
	equal(t, "stamps", []time.Time{f.RunEnded, f.Registered}, []time.Time{on(-2, "12:00"), on(-1, "09:00")})
	equal(t, "excluded", reasons(a), map[leadtime.Reason]int{leadtime.NoSignOff: 1})
	f.RunStarted = time.Time{}
	_, ok = f.Cycle(nil)
	equal(t, "unknown", ok, false)
}

func TestZonesAndMonotonicReadings(t *testing.T) {
	zone := time.FixedZone("", 5*3600+1800)
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00").In(zone)).add(leadtime.Serving, "v1", on(0, "10:00"))
	f := only(t, l.assemble(t, leadtime.AssembleOptions{AsOf: on(1, "00:00").In(zone)}))
	equal(t, "sign-off", f.SignOff.String(), "2026-03-02 09:00:00 +0000 UTC")
	equal(t, "lead", f.Lead(nil), time.Hour)
}

func TestLeapDay(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", time.Date(2024, 2, 28, 12, 0, 0, 0, time.UTC)).
		add(leadtime.Serving, "v1", time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC))
	equal(t, "lead", only(t, l.assemble(t, leadtime.AssembleOptions{})).Lead(nil), 48*time.Hour)
}

func TestAssemblyIsStableJSON(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "10:00"), since(on(0, "08:00")))
	l.stage("v1", "canary", on(0, "11:00"), on(0, "12:00"), leadtime.Passed)
	l.add(leadtime.Serving, "v1", on(0, "13:00")).add(leadtime.RollbackDecided, "v1", on(0, "15:00")).
		add(leadtime.Serving, "v0", on(0, "15:10")).add(leadtime.Serving, "v9", on(0, "16:00")).
		add(leadtime.DriftAlert, "", on(0, "14:00"))
	a := l.assemble(t, leadtime.AssembleOptions{})
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back leadtime.Assembly
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	equal(t, "round trip", back, a)
}
