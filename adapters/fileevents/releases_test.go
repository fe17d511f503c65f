package fileevents_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/adapters/fileevents"
	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/sla/openslo"
)

const endOfYear = "2025-12-31T16:00:00Z"

func inReleases(name string) string { return filepath.Join("..", "..", "testdata", "releases", name) }

func assembled(t *testing.T, name, asOf string) (fileevents.Result, leadtime.Assembly) {
	t.Helper()
	r, err := fileevents.ReadFile(inReleases(name), fileevents.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := leadtime.Assemble(r.Events, leadtime.AssembleOptions{AsOf: at(asOf)})
	if err != nil {
		t.Fatal(err)
	}
	return r, a
}

// TestBothFormsOfTheYearAgree reads the log of a year and the table of its flights.
func TestBothFormsOfTheYearAgree(t *testing.T) {
	long, a := assembled(t, "releases.jsonl", endOfYear)
	wide, b := assembled(t, "releases_wide.csv", endOfYear)
	if long.BadTotal != 0 || wide.BadTotal != 0 || long.Ignored != nil || wide.Ignored != nil {
		t.Errorf("%+v, %+v", long.Bad, wide.Bad)
	}
	short := func(all []leadtime.Flight) []string {
		var out []string
		for _, f := range all {
			out = append(out, fmt.Sprint(f.Key, " ", f.Track, " ", f.State, " ", f.Lead(nil), " ", len(f.Rollbacks)))
		}
		return out
	}
	if diff := cmp.Diff(short(a.Flights), short(b.Flights)); diff != "" {
		t.Error(diff)
	}
	for _, x := range a.Excluded {
		if x.Reason != leadtime.Duplicate {
			t.Errorf("%+v", x)
		}
	}
	for _, x := range b.Excluded {
		t.Errorf("%+v", x)
	}
	seen := map[string]int{}
	for _, f := range a.Flights {
		seen[f.State.String()]++
		seen[string(f.Track)]++
		seen["rollbacks"] += len(f.Rollbacks)
		seen["redeploys"] += f.Redeploys
		seen["signed again"] += f.Key.SignOff - 1
		for _, s := range f.Segments {
			if s.Stage == "validation" && s.Attempt > 1 {
				seen["retried"]++
			}
			if s.Region == "us" {
				seen["us"]++
			}
		}
	}
	seen["duplicates"] = len(a.Excluded)
	for _, what := range []string{"in_flight", "rejected", "withdrawn", "fast_track", "rollbacks", "redeploys", "signed again", "retried", "us", "duplicates"} {
		if seen[what] == 0 {
			t.Errorf("the year has no %s", what)
		}
	}
}

func TestBadReleases(t *testing.T) {
	r, a := assembled(t, "releases_bad.jsonl", "2026-01-31T00:00:00Z")
	got := []string{fmt.Sprint(r.Rows, " rows, ", len(r.Events), " events")}
	for _, b := range r.Bad {
		got = append(got, fmt.Sprint(b.Line, " ", b.Field, " ", b.Reason))
	}
	for _, x := range a.Excluded {
		got = append(got, fmt.Sprint(x.Event.Line, " ", x.Reason))
	}
	want := []string{"14 rows, 5 events", "2 at no_offset", "3 kind unknown_kind", "4 model missing", "5 attempt bad_attempt",
		"6 outcome unknown_outcome", "7 traffic_pct bad_number", "8 traffic_pct bad_traffic", "9 at no_unit", "14  malformed",
		"12 negative_lead_time", "13 negative_lead_time", "11 duplicate"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSamplesOfTheYear(t *testing.T) {
	text, err := os.ReadFile(inReleases("objective.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := openslo.Read("objective.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := fileevents.ReadSamplesFile(inReleases("samples.csv"), fileevents.Options{})
	if err != nil || samples.BadTotal != 0 {
		t.Fatalf("%v %v", err, samples.Bad)
	}
	now := at(endOfYear)
	slo := file.SLOs[0]
	e, err := sla.Evaluate(slo.Objectives[0].Objective, slo.Objectives[0].Alerts, samples.Samples, now, sla.EvaluateOptions{Model: slo.Model})
	if err != nil {
		t.Fatal(err)
	}
	d := sla.Gate(slo.Gate, sla.GateState{}, sla.GateRequest{}, now, e)
	var firing []string
	for _, alert := range e.Alerts {
		if alert.Firing {
			firing = append(firing, alert.Alert.Name)
		}
	}
	if diff := cmp.Diff([]string{"fast", "medium", "slow", "creeping"}, firing); diff != "" || d.Decision != sla.Halt || len(file.Warnings) != 0 {
		t.Error(diff, d, file.Warnings)
	}
	if left := float64(e.Budget.Remaining); !(left > 0.3 && left < 0.5) {
		t.Errorf("%v of the budget is left", left)
	}
}
