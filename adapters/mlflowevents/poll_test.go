package mlflowevents_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/adapters/mlflowevents"
	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

// ticks is a clock that says the given times, then repeats the last.
func ticks(times ...string) func() time.Time {
	return func() time.Time {
		t := at(times[0])
		if len(times) > 1 {
			times = times[1:]
		}
		return t
	}
}

// lines are events in short, for comparison.
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
		if e.Track != "" {
			s += " " + string(e.Track)
		}
		s += " " + e.At.Format(time.RFC3339)
		if !e.Earliest.IsZero() {
			s += " since " + e.Earliest.Format(time.RFC3339)
		}
		if e.Ref != "" {
			s += " ref " + e.Ref
		}
		out = append(out, s)
	}
	return out
}

func problemLines(problems []mlflowevents.Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, p.String())
	}
	return out
}

var meanings = map[string]mlflowevents.Meaning{
	"alias:champion":               {Kind: leadtime.Serving},
	"alias:challenger":             {Kind: leadtime.StageStart, Stage: "canary"},
	"tag:validation_status=passed": {Kind: leadtime.StageEnd, Stage: "validation", Outcome: leadtime.Passed},
	"stage:Archived":               {Kind: leadtime.Withdrawn},
}

type look struct {
	t     *testing.T
	p     mlflowevents.PollOptions
	c     *mlflowevents.Client
	state mlflowevents.State
}

// at looks at a time, with the state through JSON, and compares what came.
func (l *look) at(when string, wantEvents, wantProblems []string) []leadtime.Event {
	l.t.Helper()
	begin := at(when)
	l.p.Now = ticks(when, begin.Add(2*time.Second).Format(time.RFC3339))
	p, err := mlflowevents.NewPoller(l.c, l.p)
	if err != nil {
		l.t.Fatal(err)
	}
	got, err := p.Poll(l.t.Context(), l.state)
	if err != nil {
		l.t.Fatal(err)
	}
	b, err := json.Marshal(got.State)
	if err != nil {
		l.t.Fatal(err)
	}
	l.state = mlflowevents.State{}
	if err := json.Unmarshal(b, &l.state); err != nil {
		l.t.Fatal(err)
	}
	if d := cmp.Diff(wantEvents, lines(got.Events)); d != "" {
		l.t.Errorf("at %s: events: %s", when, d)
	}
	if d := cmp.Diff(wantProblems, problemLines(got.Problems)); d != "" {
		l.t.Errorf("at %s: problems: %s", when, d)
	}
	return got.Events
}

func TestPollTellsWhatIsNew(t *testing.T) {
	f, s := newFake(t)
	l := &look{t: t, c: client(t, s.URL, mlflowevents.ClientOptions{}), p: mlflowevents.PollOptions{Options: mlflowevents.Options{Meanings: meanings}}}
	f.run("r1", "FINISHED", "2025-07-01T06:00:00Z", "2025-07-01T08:00:00Z")
	f.model("churn", "champion=1")
	f.version("churn", "1", "2025-07-01T09:00:00Z", "r1", "owner=kim")
	var log []leadtime.Event
	log = append(log, l.at("2025-07-01T12:00:00Z",
		[]string{"registered churn@1 2025-07-01T09:00:00Z ref r1", "run_started churn@1 2025-07-01T06:00:00Z ref r1", "run_ended churn@1 2025-07-01T08:00:00Z ref r1"},
		[]string{"churn version 1: alias:champion: was there at the first look; since when is not known"})...)
	log = append(log, l.at("2025-07-01T12:05:00Z", nil, nil)...)

	// A version of its own, with a run that goes on.
	f.run("r2", "RUNNING", "2025-07-02T06:00:00Z", "")
	f.version("churn", "2", "2025-07-02T09:00:00Z", "r2", "rollout.signoff_at=2025-07-02T10:00:00+02:00", "rollout.signoff_by=kim", "rollout.signedoff=yes")
	log = append(log, l.at("2025-07-02T12:00:00Z",
		[]string{"registered churn@2 2025-07-02T09:00:00Z ref r2", "signoff churn@2 2025-07-02T08:00:00Z ref kim", "run_started churn@2 2025-07-02T06:00:00Z ref r2"},
		[]string{`churn version 2: rollout.signedoff: "yes" is under a key that the convention does not have`})...)

	// The sign-off moves, the track comes, a stage runs, an alias arrives.
	f.run("r2", "FINISHED", "2025-07-02T06:00:00Z", "2025-07-02T13:00:00Z")
	f.model("churn", "champion=1", "challenger=2")
	f.version("churn", "2", "2025-07-02T09:00:00Z", "r2", "rollout.signoff_at=2025-07-03T08:00:00Z", "rollout.track=fast_track",
		"rollout.stage.packaging.started_at=2025-07-03T09:00:00Z", "rollout.stage.packaging.finished_at=2025-07-03T10:00:00Z", "validation_status=passed")
	log = append(log, l.at("2025-07-03T12:00:00Z",
		[]string{
			"signoff churn@2 fast_track 2025-07-03T08:00:00Z",
			"stage_end churn@2 packaging fast_track 2025-07-03T10:00:00Z",
			"stage_start churn@2 packaging fast_track 2025-07-03T09:00:00Z",
			"traffic_change churn@2 fast_track 2025-07-03T12:00:02Z since 2025-07-02T12:00:00Z",
			"stage_start churn@2 canary 2025-07-03T12:00:02Z since 2025-07-02T12:00:00Z",
			"stage_end churn@2 validation passed 2025-07-03T12:00:02Z since 2025-07-02T12:00:00Z",
			"run_ended churn@2 2025-07-02T13:00:00Z ref r2",
		}, nil)...)

	// The alias moves from one version to the other.
	f.model("churn", "champion=2")
	log = append(log, l.at("2025-07-03T13:00:00Z",
		[]string{
			"serving churn@2 2025-07-03T13:00:02Z since 2025-07-03T12:00:00Z",
			"stage_end churn@2 canary 2025-07-03T13:00:02Z since 2025-07-03T12:00:00Z",
		}, nil)...)

	a, err := leadtime.Assemble(log, leadtime.AssembleOptions{AsOf: at("2025-07-04T00:00:00Z")})
	if err != nil || len(a.Flights) != 1 || len(a.Excluded) != 4 { // three of version 1, and an end without a start
		t.Fatalf("%+v, %v", a, err)
	}
	fl := a.Flights[0]
	if fl.Key.Version != "2" || fl.Track != leadtime.FastTrack || !fl.SignOff.Equal(at("2025-07-03T08:00:00Z")) ||
		!fl.Served.Equal(at("2025-07-03T12:30:01Z")) || fl.ServedWidth != time.Hour+2*time.Second || !fl.RunEnded.Equal(at("2025-07-02T13:00:00Z")) {
		t.Errorf("%+v", fl)
	}
}

func TestPollRevokesArchivesAndLoses(t *testing.T) {
	f, s := newFake(t)
	l := &look{t: t, c: client(t, s.URL, mlflowevents.ClientOptions{}), p: mlflowevents.PollOptions{Options: mlflowevents.Options{Meanings: meanings}, Models: []string{"a", "gone", "a"}}}
	f.model("a")
	f.model("b")
	f.version("b", "1", "2025-07-01T00:00:00Z", "", "rollout.signoff_at=2025-07-01T01:00:00Z")
	f.version("a", "1", "2025-07-01T00:00:00Z", "missing", "rollout.signoff_at=2025-07-01T01:00:00Z")
	notThere := `a version 1: run: "missing" cannot be read: mlflowevents: GET /api/2.0/mlflow/runs/get: HTTP 404: RESOURCE_DOES_NOT_EXIST: "Run with id=missing not found": not found`
	l.at("2025-07-01T02:00:00Z", []string{"registered a@1 2025-07-01T00:00:00Z ref missing", "signoff a@1 2025-07-01T01:00:00Z"},
		[]string{"gone: model: is not in the registry", notThere})
	calls := len(f.seen())
	f.version("a", "1", "2025-07-01T00:00:00Z", "missing")["current_stage"] = "Archived"
	l.at("2025-07-01T03:00:00Z", []string{
		"signoff_revoked a@1 2025-07-01T03:00:02Z since 2025-07-01T02:00:00Z",
		"withdrawn a@1 2025-07-01T03:00:02Z since 2025-07-01T02:00:00Z"}, []string{"gone: model: is not in the registry"})
	for _, call := range f.seen()[calls:] {
		if strings.Contains(call, "runs/get") {
			t.Error("a run that is not there was asked for again")
		}
	}
	f.versions = nil
	l.at("2025-07-01T04:00:00Z", nil, []string{"gone: model: is not in the registry", "a version 1: version: is no longer in the registry"})
	l.at("2025-07-01T05:00:00Z", nil, []string{"gone: model: is not in the registry"})
}

// TestIntervalsBeginWithTheVersion: a version that is new cannot have had its
// alias before it was made.
func TestIntervalsBeginWithTheVersion(t *testing.T) {
	f, s := newFake(t)
	l := &look{t: t, c: client(t, s.URL, mlflowevents.ClientOptions{}), p: mlflowevents.PollOptions{Options: mlflowevents.Options{Meanings: meanings}, SkipRuns: true}}
	f.model("m")
	l.at("2025-07-01T00:00:00Z", nil, nil)
	f.model("m", "champion=1")
	f.version("m", "1", "2025-07-01T05:00:00Z", "r9")
	l.at("2025-07-01T06:00:00Z", []string{"registered m@1 2025-07-01T05:00:00Z ref r9", "serving m@1 2025-07-01T06:00:02Z since 2025-07-01T05:00:00Z"}, nil)
}

func TestPollFailsWhole(t *testing.T) {
	f, s := newFake(t)
	f.model("m")
	f.version("m", "1", "2025-07-01T00:00:00Z", "r1")
	f.run("r1", "FINISHED", "2025-07-01T00:00:00Z", "2025-07-01T00:00:01Z")
	c := client(t, s.URL, mlflowevents.ClientOptions{MaxRetries: -1})
	for _, part := range []string{"registered-models", "model-versions", "runs/get"} {
		f.fault = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, part) {
				f.refuse(w, "INTERNAL_ERROR", "boom")
				return true
			}
			return false
		}
		p, err := mlflowevents.NewPoller(c, mlflowevents.PollOptions{Now: ticks("2025-07-02T00:00:00Z")})
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Poll(t.Context(), mlflowevents.State{})
		if !errors.Is(err, mlflowevents.ErrUnavailable) || got.Events != nil || got.State.Versions != nil {
			t.Errorf("%s: %+v, %v", part, got, err)
		}
	}
	p, _ := mlflowevents.NewPoller(c, mlflowevents.PollOptions{Now: ticks("2025-07-02T00:00:00Z")})
	if _, err := p.Poll(t.Context(), mlflowevents.State{At: at("2025-07-03T00:00:00Z")}); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("a state from the future: %v", err)
	}
}

func TestPollWarnsOfCutLists(t *testing.T) {
	f, s := newFake(t)
	f.noTokens = true
	for i := range 3 {
		f.model(fmt.Sprint("m", i))
	}
	p, err := mlflowevents.NewPoller(client(t, s.URL, mlflowevents.ClientOptions{PageSize: 2}), mlflowevents.PollOptions{Now: ticks("2025-07-02T00:00:00Z")})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Poll(t.Context(), mlflowevents.State{})
	if err != nil || len(got.Warnings) != 1 || got.Warnings[0].Code != mlflowevents.WarnListCut {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTagMistakes(t *testing.T) {
	v := mlflowevents.ModelVersion{Name: "m", Version: "1", Tags: []mlflowevents.Tag{
		{Key: "rollout.signoff_at", Value: "2025-07-01T10:00:00"},
		{Key: "rollout.serving_at", Value: "1751364000000"},
		{Key: "rollout.stage.canary.began", Value: "2025-07-01T10:00:00Z"},
		{Key: "rollout.stage..started_at", Value: "2025-07-01T10:00:00Z"},
		{Key: "rollout.stage.a.b.started_at", Value: "2025-07-01T10:00:00.5Z"},
		{Key: "rollout.track", Value: ""},
		{Key: "rollout", Value: "x"},
	}}
	events, problems, err := mlflowevents.TagEvents(v, mlflowevents.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"stage_start m@1 a.b 2025-07-01T10:00:00Z"}, lines(events)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{
		`m version 1: rollout.serving_at: "1751364000000" is no RFC 3339 time with an offset`,
		`m version 1: rollout.signoff_at: "2025-07-01T10:00:00" is no RFC 3339 time with an offset`,
		`m version 1: rollout.stage..started_at: "2025-07-01T10:00:00Z" is under a key that is not rollout.stage.NAME.started_at or finished_at`,
		`m version 1: rollout.stage.canary.began: "2025-07-01T10:00:00Z" is under a key that is not rollout.stage.NAME.started_at or finished_at`,
		`m version 1: rollout.track: is no track`,
	}, problemLines(problems)); d != "" {
		t.Error(d)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for key, m := range map[string]mlflowevents.Meaning{
		"champion":            {Kind: leadtime.Serving},
		"alias:":              {Kind: leadtime.Serving},
		"tag:x":               {Kind: leadtime.Serving},
		"tag:rollout.track=x": {Kind: leadtime.Serving},
		"alias:kind":          {Kind: leadtime.Registered},
		"alias:none":          {},
		"alias:stage":         {Kind: leadtime.StageStart},
		"alias:serving":       {Kind: leadtime.Serving, Stage: "canary"},
		"alias:traffic":       {Kind: leadtime.Serving, TrafficPct: 101},
	} {
		_, _, err := mlflowevents.TagEvents(mlflowevents.ModelVersion{}, mlflowevents.Options{Meanings: map[string]mlflowevents.Meaning{key: m}})
		if !errors.Is(err, stats.ErrDomain) || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
	if _, err := mlflowevents.NewPoller(nil, mlflowevents.PollOptions{}); !errors.Is(err, stats.ErrDomain) {
		t.Error(err)
	}
}
