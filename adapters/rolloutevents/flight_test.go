package rolloutevents_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/adapters/rolloutevents"
	"github.com/rampguard/rampguard/leadtime"
)

// TestArgoFlights follows two versions from sign-off: one is promoted, the
// next is aborted. Every body arrives twice.
func TestArgoFlights(t *testing.T) {
	log := []leadtime.Event{
		{Kind: leadtime.SignOff, Model: "churn", Version: "v12", At: at("2025-07-02T08:00:00Z")},
		{Kind: leadtime.SignOff, Model: "churn", Version: "v14", At: at("2025-07-08T09:00:00Z")},
	}
	for _, c := range []struct{ file, received string }{
		{"argo_updated", "2025-07-02T10:00:01Z"},
		{"argo_step", "2025-07-02T10:02:05Z"},
		{"argo_paused", "2025-07-02T10:36:01Z"},
		{"argo_paused", "2025-07-02T11:00:00Z"},
		{"argo_promoted", "2025-07-02T12:15:01Z"},
		{"argo_promoted", "2025-07-03T00:00:00Z"},
		{"argo_aborted", "2025-07-08T11:20:01Z"},
		{"argo_aborted", "2025-07-08T12:00:00Z"},
	} {
		b, err := rolloutevents.DecodeArgo(file(t, c.file+".json"), at(c.received), argoNames)
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, b.Events...)
	}
	a, err := leadtime.Assemble(log, leadtime.AssembleOptions{AsOf: at("2025-07-09T00:00:00Z")})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range a.Excluded {
		if x.Reason != leadtime.Duplicate {
			t.Errorf("%v: %+v", x.Reason, x.Event)
		}
	}
	var got []string
	for _, f := range a.Flights {
		s := fmt.Sprintf("%s %s traffic %s served %s rollbacks %d", f.Key.Version, f.State, f.FirstTraffic.Format("02T15:04:05"), f.Served.Format("02T15:04"), len(f.Rollbacks))
		for _, g := range f.Segments {
			s += fmt.Sprintf(" %s %v %s", g.Stage, g.End.Sub(g.Start), g.Outcome)
		}
		got = append(got, s)
	}
	if d := cmp.Diff([]string{
		"v12 served traffic 02T10:02:05 served 02T12:15 rollbacks 0 canary 2h15m0s passed",
		"v14 in_flight traffic 01T00:00:00 served 01T00:00 rollbacks 1 canary 20m0s failed",
	}, got); d != "" {
		t.Error(d)
	}
}
