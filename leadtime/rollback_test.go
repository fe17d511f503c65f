package leadtime_test

import (
	"testing"
	"time"

	"github.com/rampguard/rampguard/leadtime"
)

func TestRestoredNamesEitherVersion(t *testing.T) {
	for _, named := range []string{"v1", "v2"} {
		var l log
		l.add(leadtime.SignOff, "v2", on(0, "09:00")).add(leadtime.Serving, "v2", on(0, "10:00")).
			add(leadtime.RollbackDecided, "v2", on(0, "12:00")).add(leadtime.Restored, named, on(0, "12:07"))
		f := only(t, l.assemble(t, leadtime.AssembleOptions{}))
		d, ok := f.Rollbacks[0].TimeToRollback()
		equal(t, named, d, 7*time.Minute)
		equal(t, named, ok, true)
	}
}

func TestRollbackNobodyDecided(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v2", on(0, "09:00")).add(leadtime.Serving, "v2", on(0, "10:00")).
		add(leadtime.Restored, "v1", on(0, "12:00")).add(leadtime.Restored, "v1", on(0, "13:00"))
	a := l.assemble(t, leadtime.AssembleOptions{})
	f := only(t, a)
	equal(t, "rollbacks", f.Rollbacks, []leadtime.Rollback{{Since: on(0, "10:00"), Restored: on(0, "12:00"), To: "v1"}})
	equal(t, "flags", f.Flags, leadtime.FlagImpliedRollback)
	equal(t, "excluded", reasons(a), map[leadtime.Reason]int{leadtime.NothingToRestore: 1})
	_, ok := f.Rollbacks[0].TimeToRollback()
	equal(t, "time to rollback is unknown", ok, false)
}

func TestRestoredVersionIsNoSampleOfItsOwn(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v1", on(0, "01:00")).add(leadtime.Serving, "v1", on(0, "02:00")).
		add(leadtime.SignOff, "v2", on(0, "09:00")).add(leadtime.Serving, "v2", on(0, "10:00")).
		add(leadtime.RollbackDecided, "v2", on(0, "12:00")).
		add(leadtime.RollbackDecided, "v2", on(0, "12:01")).                // pressed twice
		add(leadtime.TrafficChange, "v1", on(0, "12:02"), share(50)).       // on its way back
		add(leadtime.TrafficChange, "v1", on(0, "12:04"), share(100)).      // back
		add(leadtime.TrafficChange, "v2", on(0, "12:04")).                  // none left
		add(leadtime.RollbackDecided, "v1", on(0, "12:30"), inEnv("dev-7")) // elsewhere
	a := l.assemble(t, leadtime.AssembleOptions{})
	equal(t, "flights", len(a.Flights), 2)
	equal(t, "v1", a.Flights[0].Lead(nil), time.Hour)
	equal(t, "v1 redeploys", a.Flights[0].Redeploys, 0)
	equal(t, "v2", a.Flights[1].Rollbacks, []leadtime.Rollback{{Since: on(0, "10:00"), Decided: on(0, "12:00"), Restored: on(0, "12:04"), To: "v1"}})
	equal(t, "excluded", reasons(a), map[leadtime.Reason]int{leadtime.Duplicate: 1, leadtime.OtherEnvironment: 1})
}

func TestRollForwardRestoresNothing(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v2", on(0, "09:00")).add(leadtime.Serving, "v2", on(0, "10:00")).
		add(leadtime.RollbackDecided, "v2", on(0, "12:00")).
		add(leadtime.SignOff, "v3", on(0, "13:00")).add(leadtime.Serving, "v3", on(0, "15:00"))
	a := l.assemble(t, leadtime.AssembleOptions{})
	equal(t, "v2", a.Flights[0].Rollbacks, []leadtime.Rollback{{Since: on(0, "10:00"), Decided: on(0, "12:00")}})
	equal(t, "v3", a.Flights[1].Lead(nil), 2*time.Hour)
}

func TestCanaryTakenOutAndSignedOffAgain(t *testing.T) {
	var l log
	l.add(leadtime.SignOff, "v2", on(0, "09:00")).
		add(leadtime.TrafficChange, "v2", on(0, "10:00"), share(10)).
		add(leadtime.RollbackDecided, "v2", on(0, "11:00")).
		add(leadtime.SignOff, "v2", on(0, "14:00")).
		add(leadtime.Serving, "v2", on(0, "20:00"))
	a := l.assemble(t, leadtime.AssembleOptions{})
	equal(t, "states", []leadtime.State{a.Flights[0].State, a.Flights[1].State}, []leadtime.State{leadtime.StateWithdrawn, leadtime.Served})
	equal(t, "tried", a.Flights[0].Lead(nil), 2*time.Hour)
	equal(t, "lead", a.Flights[1].Lead(nil), 6*time.Hour)
}

func TestRollbackOfRegions(t *testing.T) {
	eu, us := inRegion("eu"), inRegion("us")
	var l log
	l.add(leadtime.SignOff, "v2", on(0, "09:00")).
		add(leadtime.Serving, "v2", on(0, "10:00"), eu).add(leadtime.Serving, "v2", on(0, "11:00"), us).
		add(leadtime.RollbackDecided, "v2", on(0, "12:00"), us).
		add(leadtime.Serving, "v1", on(0, "12:05"), eu). // another region
		add(leadtime.Serving, "v1", on(0, "12:09"), us).
		add(leadtime.Serving, "v2", on(0, "18:00"), us)
	a := l.assemble(t, leadtime.AssembleOptions{})
	f := only(t, a)
	equal(t, "rollbacks", f.Rollbacks, []leadtime.Rollback{
		{Region: "us", Since: on(0, "11:00"), Decided: on(0, "12:00"), Restored: on(0, "12:09"), To: "v1"}})
	equal(t, "redeploys", f.Redeploys, 1)
	equal(t, "lead", f.Lead(nil), 2*time.Hour)
	equal(t, "excluded", reasons(a), map[leadtime.Reason]int{leadtime.NoSignOff: 1})
}
