package leadtime_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

func TestServedJustBeforeSignedAgain(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00")).
		add(leadtime.SignOffRevoked, "v1", on(0, "10:00")).
		add(leadtime.Serving, "v1", on(0, "11:58")).
		add(leadtime.SignOff, "v1", on(0, "12:00"))
	a := l.assemble(t, leadtime.AssembleOptions{})
	equal(t, "second", a.Flights[1].Flags, leadtime.FlagClampedSkew)
	equal(t, "lead", a.Flights[1].Lead(nil), time.Duration(0))
	f := only(t, l.assemble(t, leadtime.AssembleOptions{KeepFirstSignOff: true}))
	equal(t, "kept", f.Lead(nil), 178*time.Minute)
	equal(t, "flags", f.Flags, leadtime.FlagResigned)
}

// TestServedLongBeforeSignOff: stages that ran for the excluded flight go with it.
func TestServedLongBeforeSignOff(t *testing.T) {
	var l log
	l.stage("v1", "canary", on(0, "07:00"), on(0, "08:00"), leadtime.Passed)
	l.add(leadtime.Serving, "v1", on(0, "08:00")).add(leadtime.SignOff, "v1", on(0, "09:00")).
		add(leadtime.RunEnded, "v1", on(0, "06:00")).add(leadtime.Serving, "v1", on(0, "10:00"))
	a := l.assemble(t, leadtime.AssembleOptions{})
	equal(t, "flights", len(a.Flights), 0)
	equal(t, "excluded", reasons(a), map[leadtime.Reason]int{leadtime.NegativeLeadTime: 6})

	// A later flight of the version is not affected, and keeps what it rests on.
	l.add(leadtime.SignOff, "v1", on(0, "12:00")).add(leadtime.Serving, "v1", on(0, "13:00"))
	a = l.assemble(t, leadtime.AssembleOptions{})
	f := only(t, a)
	equal(t, "key", f.Key.String(), "fraud/v1#2")
	equal(t, "run", f.RunEnded, on(0, "06:00"))
	equal(t, "excluded", reasons(a), map[leadtime.Reason]int{leadtime.NegativeLeadTime: 5})
}

func TestTrafficOfNoFlight(t *testing.T) {
	var l log
	// A base version leaves; a rejected canary is taken out of traffic.
	l.add(leadtime.TrafficChange, "v0", on(0, "08:00")).
		add(leadtime.Serving, "v0", on(0, "08:00"), inEnv(leadtime.Staging)).
		add(leadtime.RollbackDecided, "v0", on(0, "08:30")).
		add(leadtime.SignOff, "v1", on(0, "09:00")).
		add(leadtime.TrafficChange, "v1", on(0, "09:30"), inEnv(leadtime.Staging)).
		add(leadtime.TrafficChange, "v1", on(0, "10:00"), share(10)).
		add(leadtime.Rejected, "v1", on(0, "11:00")).
		add(leadtime.TrafficChange, "v1", on(0, "11:01")).
		add(leadtime.RollbackDecided, "v1", on(0, "11:02"))
	a := l.assemble(t, leadtime.AssembleOptions{})
	equal(t, "state", only(t, a).State, leadtime.StateRejected)
	equal(t, "arrivals", len(only(t, a).Arrivals), 0)
	equal(t, "excluded", reasons(a), map[leadtime.Reason]int{leadtime.NoSignOff: 3, leadtime.AfterEnd: 1})
}

func TestStagingBeforeSignOff(t *testing.T) {
	var l log
	l.add(leadtime.Serving, "v1", on(0, "08:00"), inEnv(leadtime.Staging)).
		add(leadtime.SignOff, "v1", on(0, "09:00")).
		add(leadtime.Serving, "v1", on(0, "10:00"), inEnv(leadtime.Staging)).
		add(leadtime.Serving, "v1", on(0, "11:00"), inEnv("shadow"))
	f := only(t, l.assemble(t, leadtime.AssembleOptions{}))
	equal(t, "arrivals", f.Arrivals, []leadtime.Arrival{{Env: leadtime.Staging, At: on(0, "08:00")}, {Env: "shadow", At: on(0, "11:00")}})
	equal(t, "state", f.State, leadtime.InFlight)
}

func TestRepeatedServingIsNoRedeploy(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "09:00")).add(leadtime.Serving, "v1", on(0, "10:00")).
		add(leadtime.Serving, "v1", on(0, "11:00")).add(leadtime.Serving, "v1", on(0, "12:00"))
	f := only(t, l.assemble(t, leadtime.AssembleOptions{}))
	equal(t, "redeploys", f.Redeploys, 0)
	equal(t, "lead", f.Lead(nil), time.Hour)
}

func TestNewFlightClosesTheOldRollback(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v2", on(0, "09:00")).add(leadtime.Serving, "v2", on(0, "10:00")).
		add(leadtime.RollbackDecided, "v2", on(0, "11:00")).
		add(leadtime.SignOff, "v2", on(0, "12:00")).add(leadtime.Serving, "v2", on(0, "13:00")).
		add(leadtime.Serving, "v1", on(5, "09:00")) // days later: no answer to the first decision
	a := l.assemble(t, leadtime.AssembleOptions{})
	equal(t, "restored", a.Flights[0].Rollbacks[0].Restored, time.Time{})
	equal(t, "excluded", reasons(a), map[leadtime.Reason]int{leadtime.NoSignOff: 1})
}

func TestLint(t *testing.T) {
	flight := func(afterRun, afterRegistration time.Duration) leadtime.Flight {
		s := on(0, "09:00")
		return leadtime.Flight{FirstSignOff: s, SignOff: s, RunEnded: s.Add(-afterRun), Registered: s.Add(-afterRegistration)}
	}
	honest, copied := flight(time.Hour, time.Hour), flight(time.Second, time.Hour)
	equal(t, "none", len(leadtime.Lint(nil)), 0)
	equal(t, "no stamps", len(leadtime.Lint([]leadtime.Flight{{SignOff: on(0, "09:00"), FirstSignOff: on(0, "09:00")}})), 0)
	equal(t, "half", len(leadtime.Lint([]leadtime.Flight{honest, copied})), 0)
	w := leadtime.Lint([]leadtime.Flight{honest, copied, copied})
	equal(t, "most", w, []stats.Warning{{Code: leadtime.WarnClockStart,
		Message: "2 of 3 sign-offs fall on the end of the training run: the lead time clock starts at a sign-off by people"}})
	equal(t, "registered", len(leadtime.Lint([]leadtime.Flight{flight(time.Hour, 0)})), 1)

	var l log
	l.add(leadtime.RunEnded, "v1", on(0, "09:00")).add(leadtime.SignOff, "v1", on(0, "09:00"))
	equal(t, "assembled", len(l.assemble(t, leadtime.AssembleOptions{}).Warnings), 1)
}

func TestBreakdownEdges(t *testing.T) {
	r, err := leadtime.Breakdown(nil, leadtime.BreakdownOptions{})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "nothing", r, leadtime.StageReport{})
	at := on(0, "09:00")
	r, err = leadtime.Breakdown([]leadtime.Flight{{State: leadtime.Served, SignOff: at, Ended: at,
		Segments: []leadtime.Segment{{Stage: "smoke", Attempt: 1, Start: at, End: at}}}}, leadtime.BreakdownOptions{})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "no time at all", []float64{r.Total, r.Coverage, r.BottleneckShare}, []float64{0, 0, 0})
	equal(t, "but a stage", r.Bottleneck, "smoke")
	for name, o := range map[string]leadtime.BreakdownOptions{
		"sharing": {Sharing: 9}, "level": {Level: 2}, "type": {Type: 10},
	} {
		if _, err := leadtime.Breakdown(nil, o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: error %v, want ErrDomain", name, err)
		}
	}
	if _, err := leadtime.Attribute(&leadtime.Flight{}, leadtime.BreakdownOptions{Sharing: 9}); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("Attribute: error %v, want ErrDomain", err)
	}
}
