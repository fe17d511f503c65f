package rolloutevents_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/adapters/rolloutevents"
	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func lines(events []leadtime.Event) []string {
	var out []string
	for _, e := range events {
		s := fmt.Sprintf("%s %s@%s", e.Kind, e.Model, e.Version)
		if e.Stage != "" {
			s += " " + e.Stage
		}
		if e.Outcome != 0 {
			s += " " + e.Outcome.String()
		}
		if e.TrafficPct != 0 {
			s += fmt.Sprintf(" %g%%", e.TrafficPct)
		}
		if e.Track != "" {
			s += " " + string(e.Track)
		}
		out = append(out, s+" "+e.At.Format("02T15:04:05"))
	}
	return out
}

var argoNames = rolloutevents.Options{Model: "label:model|name", Version: "label:model-version|image-tag:scorer"}

func TestArgo(t *testing.T) {
	received := at("2025-07-02T10:02:05Z")
	for _, c := range []struct {
		file    string
		events  []string
		unknown map[string]int
		ignored map[string]int
	}{
		{"argo_updated", []string{"stage_start churn@v12 canary 02T10:00:00"}, nil, nil},
		{"argo_step", []string{"stage_start churn@v12 canary 02T10:00:00", "traffic_change churn@v12 10% 02T10:02:05"}, nil, nil},
		{"argo_paused", []string{"stage_start churn@v12 canary 02T10:00:00", "traffic_change churn@v12 40% 02T10:02:05"}, nil, nil},
		{"argo_promoted", []string{"stage_start churn@v12 canary 02T10:00:00", "stage_end churn@v12 canary passed 02T12:15:00", "serving churn@v12 100% 02T12:15:00"}, nil, nil},
		{"argo_fast_promoted", []string{"stage_start churn@v13 canary fast_track 05T09:00:00", "stage_end churn@v13 canary passed fast_track 05T09:06:30", "serving churn@v13 100% fast_track 05T09:06:30"}, nil, nil},
		{"argo_aborted", []string{"stage_start churn@v14 canary 08T11:00:00", "stage_end churn@v14 canary failed 08T11:20:00", "rollback_decided churn@v14 08T11:20:00"}, nil, nil},
		{"argo_superseded", []string{"stage_start churn@v15 canary 09T08:00:00", "stage_end churn@v15 canary cancelled 09T08:30:00"}, nil, nil},
		{"argo_rolled_back", []string{"restored churn@v13 10T08:45:00"}, nil, nil},
		{"argo_stale", nil, nil, map[string]int{"status:older than the spec": 1}},
		{"argo_blue_green", []string{"stage_start churn@v12 promotion 02T10:00:00", "stage_end churn@v12 promotion passed 02T10:20:00", "serving churn@v12 100% 02T10:20:00"}, nil, nil},
		{"argo_old_completed", []string{"stage_end churn@v12 canary passed 02T12:14:00", "serving churn@v12 100% 02T12:14:00"}, nil, nil},
		{"argo_old_aborted", []string{"stage_end churn@v14 canary failed 08T11:20:00", "rollback_decided churn@v14 08T11:20:00"}, nil, nil},
		{"argo_unknown", []string{"stage_start churn@v12 canary 02T10:00:00"}, map[string]int{"phase:Melting": 1, "trigger:on-rollout-melted": 1, "completionStatus:Evaporated": 1}, nil},
	} {
		got, err := rolloutevents.DecodeArgo(file(t, c.file+".json"), received, argoNames)
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if d := cmp.Diff(c.events, lines(got.Events)) + cmp.Diff(c.unknown, got.Unknown) + cmp.Diff(c.ignored, got.Ignored); d != "" {
			t.Errorf("%s: %s", c.file, d)
		}
		for _, e := range got.Events {
			if e.ID == "" || e.Source != "argo-rollouts" || e.Env != leadtime.Production || e.Ref != got.Attempt.Revision {
				t.Errorf("%s: %+v", c.file, e)
			}
		}
	}
}

func TestArgoAttempt(t *testing.T) {
	got, err := rolloutevents.DecodeArgo(file(t, "argo_promoted.json"), time.Time{}, argoNames)
	if err != nil {
		t.Fatal(err)
	}
	want := rolloutevents.Attempt{Namespace: "ml-serving", Name: "churn-scorer", Revision: "6d8f7c9b5", Model: "churn", Version: "v12", Phase: "Healthy",
		Started: at("2025-07-02T10:00:00Z"), Finished: at("2025-07-02T12:15:00Z"), ManualPause: 90 * time.Minute, Status: "Promoted"}
	if d := cmp.Diff(want, got.Attempt); d != "" {
		t.Error(d)
	}
}

// TestArgoShares: weights with further destinations, of a total other than 100,
// and by steps.
func TestArgoShares(t *testing.T) {
	for body, want := range map[string]string{
		`"status":{"canary":{"weights":{"canary":{"weight":2},"stable":{"weight":6}}},`:                                "25%",
		`"status":{"canary":{"weights":{"canary":{"weight":20},"stable":{"weight":70},"additional":[{"weight":10}]}},`: "20%",
		`"status":{"canary":{"weights":{"canary":{"weight":-5},"stable":{"weight":70}}},`:                              "",
		`"status":{"canary":{"weights":{"canary":{"weight":0},"stable":{"weight":0}}},`:                                "",
		`"status":{"canary":{"weights":{"canary":{"weight":100},"stable":{"weight":0}}},`:                              "",
		`"status":{"currentStepIndex":0,`:              "",
		`"status":{"currentStepIndex":1,`:              "5%",
		`"status":{"currentStepIndex":2,`:              "5%",
		`"status":{"currentStepIndex":99,`:             "50%",
		`"status":{"currentStepIndex":-1,`:             "",
		`"status":{"currentStepIndex":3,"abort":true,`: "",
	} {
		b := `{"metadata":{"name":"a"},"spec":{"strategy":{"canary":{"steps":[{"setWeight":5},{"pause":{}},{"setWeight":50}]}}},` + body +
			`"currentPodHash":"new","stableRS":"old","duration":{"rolloutStartedAt":"2025-07-02T10:00:00Z"}}}`
		got, err := rolloutevents.DecodeArgo([]byte(b), at("2025-07-02T10:02:05Z"), rolloutevents.Options{})
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(lines(got.Events[1:]), "; ")
		if want == "" && text != "" || want != "" && text != "traffic_change a@new "+want+" 02T10:02:05" {
			t.Errorf("%s: %q, want %q", body, text, want)
		}
		if got, err := rolloutevents.DecodeArgo([]byte(b), time.Time{}, rolloutevents.Options{}); err != nil || len(got.Events) != 1 {
			t.Errorf("%s without a time: %v, %v", body, lines(got.Events), err)
		}
	}
}

func decodeAll(t *testing.T, name string, o rolloutevents.Options) (events []leadtime.Event, unknown, ignored map[string]int) {
	t.Helper()
	unknown, ignored = map[string]int{}, map[string]int{}
	for line := range bytes.Lines(file(t, name)) {
		b, err := rolloutevents.DecodeFlagger(line, o)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		events = append(events, b.Events...)
		for k, n := range b.Unknown {
			unknown[k] += n
		}
		for k, n := range b.Ignored {
			ignored[k] += n
		}
	}
	return events, unknown, ignored
}

func TestFlaggerFlights(t *testing.T) {
	events, unknown, ignored := decodeAll(t, "flagger_promoted.jsonl", rolloutevents.Options{Model: "namespace/name", Region: "eu"})
	if d := cmp.Diff(map[string]int{}, unknown) + cmp.Diff(map[string]int{"phase:Initialized": 1, "phase:Waiting": 2, "phase:Progressing": 1, "phase:Succeeded": 1}, ignored); d != "" {
		t.Error(d)
	}
	log := append(events, leadtime.Event{Kind: leadtime.SignOff, Model: "ml-serving/churn-scorer", Version: "85d557f47b", At: at("2025-07-02T08:00:00Z")})
	a, err := leadtime.Assemble(log, leadtime.AssembleOptions{AsOf: at("2025-07-20T00:00:00Z")})
	if err != nil || len(a.Flights) != 1 {
		t.Fatalf("%+v, %v", a, err)
	}
	for _, x := range a.Excluded {
		if x.Reason != leadtime.Duplicate {
			t.Errorf("%v: %+v", x.Reason, x.Event)
		}
	}
	f := a.Flights[0]
	if !f.Served.Equal(at("2025-07-02T11:06:00Z")) || !f.FirstTraffic.Equal(at("2025-07-02T10:01:00Z")) || f.Track != leadtime.Standard {
		t.Errorf("%+v", f)
	}
	var got []string
	for _, s := range f.Segments {
		got = append(got, fmt.Sprintf("%s %s %s %s", s.Stage, s.Start.Format("15:04"), s.End.Format("15:04"), s.Outcome))
	}
	if d := cmp.Diff([]string{"canary 10:00 11:05 passed", "approval 10:05 11:05 unstated", "promotion 11:05 11:06 passed"}, got); d != "" {
		t.Error(d)
	}
}

func TestFlaggerFails(t *testing.T) {
	events, _, ignored := decodeAll(t, "flagger_failed.jsonl", rolloutevents.Options{})
	if d := cmp.Diff([]string{
		"stage_start churn-scorer@a1b2c3d4e5 canary 08T11:00:00",
		"stage_end churn-scorer@a1b2c3d4e5 canary cancelled 08T11:05:00",
		"stage_start churn-scorer@f6e5d4c3b2 canary 08T11:06:00",
		"stage_start churn-scorer@f6e5d4c3b2 canary 08T11:07:00",
		"traffic_change churn-scorer@f6e5d4c3b2 10% 08T11:07:00",
		"rollback_decided churn-scorer@f6e5d4c3b2 08T11:12:00",
		"stage_end churn-scorer@f6e5d4c3b2 canary failed 08T11:12:01",
		"rollback_decided churn-scorer@f6e5d4c3b2 08T11:12:01",
	}, lines(events)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]int{"phase:Progressing": 1, "phase:Failed": 1}, ignored); d != "" {
		t.Error(d)
	}
	if events[2].ID != events[3].ID || events[5].ID != events[7].ID {
		t.Error("one happening has two identities")
	}
}

func TestFlaggerOther(t *testing.T) {
	events, unknown, _ := decodeAll(t, "flagger_other.jsonl", rolloutevents.Options{Version: "metadata:version"})
	if d := cmp.Diff([]string{
		"stage_start churn-scorer@v14 canary 10T11:00:00",
		"stage_end churn-scorer@v14 canary passed 10T11:00:00",
		"stage_start churn-scorer@v14 promotion 10T11:00:00",
		"stage_end churn-scorer@v14 promotion passed fast_track 10T11:01:00",
		"serving churn-scorer@v14 100% fast_track 10T11:01:00",
		"stage_end churn-scorer@v15 promotion failed 10T11:03:00",
	}, lines(events)) + cmp.Diff(map[string]int{"phase:Melting": 1}, unknown); d != "" {
		t.Error(d)
	}
}

func TestNames(t *testing.T) {
	body := file(t, "argo_promoted.json")
	for rule, want := range map[string]string{
		"name": "churn-scorer", "namespace/name": "ml-serving/churn-scorer", "revision": "6d8f7c9b5", "image-tag": "v1.31", "image-tag:scorer": "v12",
		"label:model": "churn", "label:model-version": "v12", "annotation:rollout.argoproj.io/revision": "7", "label:none|image-tag:none|metadata:x|revision": "6d8f7c9b5",
	} {
		got, err := rolloutevents.DecodeArgo(body, time.Time{}, rolloutevents.Options{Version: rule})
		if err != nil || got.Attempt.Version != want {
			t.Errorf("%s: %q, %v; want %q", rule, got.Attempt.Version, err, want)
		}
	}
	for _, rule := range []string{"label:none", "metadata:x", "image-tag:none"} {
		if _, err := rolloutevents.DecodeArgo(body, time.Time{}, rolloutevents.Options{Model: rule}); !errors.Is(err, rolloutevents.ErrNoName) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	for _, rule := range []string{"label", "label:", "tag", "name|", "name:x", "image-tag:"} {
		if _, err := rolloutevents.DecodeArgo(body, time.Time{}, rolloutevents.Options{Model: rule}); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

func TestPayloadsOfOtherShape(t *testing.T) {
	for _, bad := range []string{``, `[]`, `null`, `{}`, `{"kind":"Deployment","metadata":{"name":"x"}}`, `{"metadata":{"name":7}}`, `{"rollout":7}`,
		`{"metadata":{"name":"x"},"status":{"duration":{"rolloutStartedAt":"yesterday"}}}`} {
		if _, err := rolloutevents.DecodeArgo([]byte(bad), time.Time{}, rolloutevents.Options{}); !errors.Is(err, rolloutevents.ErrPayload) {
			t.Errorf("Argo %s: %v", bad, err)
		}
	}
	for _, bad := range []string{``, `[]`, `null`, `{}`, `{"name":"a","checksum":"c"}`, `{"name":"a","checksum":"c","phase":"Succeeded","metadata":{"test":"all"}}`,
		`{"name":"a","checksum":"c","metadata":{"eventMessage":"x"}}`, `{"name":"a","checksum":"c","metadata":{"eventMessage":"x","timestamp":"2025-07-02"}}`,
		`{"name":"a","checksum":"c","metadata":{"eventMessage":"x","timestamp":"0"}}`, `{"name":"a","checksum":"c","metadata":{"eventMessage":"x","timestamp":1751450000000}}`,
		`{"name":"a","metadata":{"eventMessage":"x","timestamp":"1751450000000"}}`} {
		if _, err := rolloutevents.DecodeFlagger([]byte(bad), rolloutevents.Options{}); !errors.Is(err, rolloutevents.ErrPayload) {
			t.Errorf("Flagger %s: %v", bad, err)
		}
	}
}
