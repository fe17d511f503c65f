package leadtime_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats/statstest"
)

// published decodes input and expect of a golden case.
func published(t *testing.T, id string, input, expect any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(statstest.Root(t), "testdata", "cases", "leadtime_sla_cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Cases []struct {
			ID            string
			Input, Expect json.RawMessage
		}
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all.Cases {
		if c.ID == id {
			if err := json.Unmarshal(c.Input, input); err != nil {
				t.Fatalf("%s: input: %v", id, err)
			}
			if err := json.Unmarshal(c.Expect, expect); err != nil {
				t.Fatalf("%s: expect: %v", id, err)
			}
			return
		}
	}
	t.Fatalf("there is no case %s", id)
}

// on is a time on 2 March 2026, a Monday, or so many days and hours after it.
func on(day int, clock string) time.Time {
	t, err := time.Parse("15:04:05", clock)
	if err != nil {
		t, err = time.Parse("15:04", clock)
	}
	if err != nil {
		panic(err)
	}
	return time.Date(2026, 3, 2+day, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

func stamp(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// log is a log of events of the model "fraud", built line by line.
type log struct{ events []leadtime.Event }

func (l *log) add(kind leadtime.Kind, version string, t time.Time, change ...func(*leadtime.Event)) *log {
	e := leadtime.Event{Kind: kind, Model: "fraud", Version: version, At: t, Line: len(l.events) + 1}
	for _, f := range change {
		f(&e)
	}
	l.events = append(l.events, e)
	return l
}

func (l *log) stage(version, stage string, start, end time.Time, o leadtime.Outcome) *log {
	l.add(leadtime.StageStart, version, start, inStage(stage))
	return l.add(leadtime.StageEnd, version, end, inStage(stage), outcome(o))
}

func inStage(s string) func(*leadtime.Event) { return func(e *leadtime.Event) { e.Stage = s } }
func inRegion(s string) func(*leadtime.Event) {
	return func(e *leadtime.Event) { e.Region = s }
}
func inEnv(s leadtime.Env) func(*leadtime.Event) { return func(e *leadtime.Event) { e.Env = s } }
func share(pct float64) func(*leadtime.Event)    { return func(e *leadtime.Event) { e.TrafficPct = pct } }
func outcome(o leadtime.Outcome) func(*leadtime.Event) {
	return func(e *leadtime.Event) { e.Outcome = o }
}
func attempt(n int) func(*leadtime.Event) { return func(e *leadtime.Event) { e.Attempt = n } }
func since(t time.Time) func(*leadtime.Event) {
	return func(e *leadtime.Event) { e.Earliest = t }
}

func (l *log) assemble(t *testing.T, o leadtime.AssembleOptions) leadtime.Assembly {
	t.Helper()
	a, err := leadtime.Assemble(l.events, o)
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Used + len(a.Operations) + len(a.Excluded); a.In != len(l.events) || got != a.In {
		t.Fatalf("%d events in, %d used + %d operational + %d excluded", a.In, a.Used, len(a.Operations), len(a.Excluded))
	}
	return a
}

// only returns the one flight there should be.
func only(t *testing.T, a leadtime.Assembly) leadtime.Flight {
	t.Helper()
	if len(a.Flights) != 1 {
		t.Fatalf("%d flights: %+v\nexcluded: %+v", len(a.Flights), a.Flights, a.Excluded)
	}
	return a.Flights[0]
}

func reasons(a leadtime.Assembly) map[leadtime.Reason]int {
	m := map[leadtime.Reason]int{}
	for _, x := range a.Excluded {
		m[x.Reason]++
	}
	return m
}
