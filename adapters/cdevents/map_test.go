package cdevents_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/adapters/cdevents"
	"github.com/rampguard/rampguard/leadtime"
)

// message is a CDEvent with the context of the conformance examples. What rest adds
// stands beside the subject.
func message(t testing.TB, typ, at, subject, content, rest string) cdevents.Message {
	t.Helper()
	n := fmt.Sprintf("%s-%s-%s", typ, at, subject)
	data := fmt.Sprintf(`{"context":{"specversion":"0.5.1","id":%q,"source":"/event/source/123","type":%q,"timestamp":%q%s},`+
		`"subject":{"id":%q,"source":"/event/source/123","content":{%s}}}`, n, typ, at, chain(rest), subject, content)
	if extra, ok := strings.CutPrefix(rest, "{"); ok {
		data = strings.TrimSuffix(data, "}") + `,"customData":{` + extra + "}"
	}
	if !json.Valid([]byte(data)) {
		t.Fatal(data)
	}
	return cdevents.Message{ID: n, Source: "/event/source/123", Type: typ, Data: json.RawMessage(data)}
}

func chain(rest string) string {
	if name, ok := strings.CutPrefix(rest, "chain "); ok {
		return `,"chainId":"` + name + `"`
	}
	return ""
}

func one(t testing.TB, o cdevents.Options, m ...cdevents.Message) leadtime.Event {
	t.Helper()
	r := cdevents.Map(m, o)
	if len(r.Events) != 1 {
		t.Fatalf("%+v", r)
	}
	return r.Events[0]
}

const (
	noon   = "2025-03-01T12:00:00Z"
	fraud  = `"artifactId":"pkg:mlflow/fraud@12?run_id=1"`
	inProd = fraud + `,"environment":{"id":"production"}`
)

func dev(name string) string { return "dev.cdevents." + name + ".0.3.0" }

func TestWhatBecomesWhat(t *testing.T) {
	o := cdevents.Options{
		Stages: map[string]string{"canary-run": "canary", "train": "training"},
		Places: map[string]cdevents.Place{"prod-eu": {leadtime.Production, "eu"}},
		Models: map[string]string{"scorer": "fraud"},
	}
	noonTime := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		typ, subject, content, rest string
		want                        leadtime.Event
	}{
		{dev("artifact.packaged"), "pkg:mlflow/fraud@12", "", "", leadtime.Event{Kind: leadtime.StageEnd, Stage: "packaging", Outcome: leadtime.Passed, Version: "12"}},
		{dev("artifact.published"), "pkg:mlflow/fraud@12", "", "", leadtime.Event{Kind: leadtime.Registered, Version: "12"}},
		{dev("testsuiterun.finished"), "r1", fraud + `,"outcome":"success","testSuite":{"id":"9","name":"shadow"}`, "",
			leadtime.Event{Kind: leadtime.StageEnd, Stage: "validation", Outcome: leadtime.Passed, Version: "12", Attempt: 1}},
		{dev("taskrun.started"), "r1", fraud + `,"taskName":"canary-run"`, "", leadtime.Event{Kind: leadtime.StageStart, Stage: "canary", Version: "12", Attempt: 1}},
		{dev("pipelinerun.finished"), "r1", fraud + `,"pipelineName":"train","outcome":"failure"`, "", leadtime.Event{Kind: leadtime.RunEnded, Version: "12", Ref: "r1"}},
		{dev("pipelinerun.started"), "r1", fraud + `,"pipelineName":"train"`, "", leadtime.Event{Kind: leadtime.RunStarted, Version: "12", Ref: "r1"}},
		{dev("service.deployed"), "scorer", inProd, "", leadtime.Event{Kind: leadtime.Serving, Version: "12", Env: leadtime.Production}},
		{dev("service.upgraded"), "scorer", fraud + `,"environment":{"id":"prod-eu"}`, "", leadtime.Event{Kind: leadtime.Serving, Version: "12", Env: leadtime.Production, Region: "eu"}},
		{dev("service.published"), "scorer", `"environment":{"id":"staging"}`, `{"rampguard":{"model":"fraud","version":"12","traffic_pct":5}}`,
			leadtime.Event{Kind: leadtime.Serving, Version: "12", Env: leadtime.Staging, TrafficPct: 5}},
		{dev("service.rolledback"), "scorer", inProd, "", leadtime.Event{Kind: leadtime.Restored, Version: "12", Env: leadtime.Production}},
		{"dev.cdeventsx.rollout-step.finished.1.0.0", "s", inProd + `,"trafficPct":25,"region":"us"`, "",
			leadtime.Event{Kind: leadtime.TrafficChange, Version: "12", Env: leadtime.Production, Region: "us", TrafficPct: 25}},
		{dev("incident.detected"), "incident-123", fraud + `,"environment":{"id":"prod1"},"service":{"id":"myApp"}`, `{"metric":"responseTime"}`,
			leadtime.Event{Kind: leadtime.IncidentDetected, Version: "12", Env: "prod1", Ref: "incident-123"}},
		{dev("incident.reported"), "incident-123", `"service":{"id":"scorer"}`, "", leadtime.Event{Kind: leadtime.IncidentDetected, Ref: "incident-123"}},
		{dev("incident.resolved"), "incident-123", fraud, "", leadtime.Event{Kind: leadtime.IncidentResolved, Ref: "incident-123"}},
		{dev("environment.modified"), "e", "", `{"rampguard":{"kind":"drift_alert","model":"fraud","ref":"psi"}}`, leadtime.Event{Kind: leadtime.DriftAlert, Ref: "psi"}},
		{"dev.cdeventsx.desk-decision.taken.1.0.0", "d", inProd, `{"rampguard":{"kind":"rollback_decided"}}`,
			leadtime.Event{Kind: leadtime.RollbackDecided, Version: "12", Env: leadtime.Production}},
		{dev("approval.closed"), "a", `"resourceTargetUrl":"pkg:mlflow/fraud@12","status":"approved"`, `{"rampguard":{"kind":"signoff","track":"fast_track"}}`,
			leadtime.Event{Kind: leadtime.SignOff, Version: "12", Ref: "a", Track: leadtime.FastTrack}},
		{dev("approval.created"), "a", `"resourceTargetUrl":"pkg:mlflow/fraud@12"`, `{"rampguard":{"stage":"legal","attempt":3}}`,
			leadtime.Event{Kind: leadtime.StageStart, Stage: "legal", Version: "12", Ref: "a", Attempt: 3}},
	} {
		m := message(t, c.typ, noon, c.subject, c.content, c.rest)
		m.Line = 7
		c.want.ID, c.want.Source, c.want.Line, c.want.Model, c.want.At = m.ID, m.Source, 7, "fraud", noonTime
		if diff := cmp.Diff(c.want, one(t, o, m)); diff != "" {
			t.Errorf("%s: %s", c.typ, diff)
		}
	}
}

func TestSkipped(t *testing.T) {
	var all []cdevents.Message
	for _, typ := range []string{"com.example.other", dev("branch.created"), dev("service.removed"), dev("artifact.signed"), dev("build.finished"),
		dev("taskrun.queued"), dev("taskrun.started"), dev("taskrun.started"), dev("testsuiterun.queued"), dev("incident.merged"),
		"dev.cdeventsx.rollout-step.started.1.0.0", "dev.cdeventsx.mytool-canary.step.0.1.0"} {
		all = append(all, message(t, typ, noon, "s", inProd, ""))
	}
	r := cdevents.Map(all, cdevents.Options{})
	var got []string
	for _, s := range r.Skipped {
		got = append(got, fmt.Sprint(s.Type, " ", s.Reason, " ", s.N))
	}
	want := []string{"com.example.other foreign 1", dev("artifact.signed") + " no_meaning 1", dev("branch.created") + " no_meaning 1", dev("build.finished") + " no_meaning 1",
		dev("incident.merged") + " no_meaning 1", dev("service.removed") + " no_meaning 1", dev("taskrun.queued") + " no_stage 1", dev("taskrun.started") + " no_stage 2",
		dev("testsuiterun.queued") + " no_meaning 1", "dev.cdeventsx.mytool-canary.step.0.1.0 no_meaning 1", "dev.cdeventsx.rollout-step.started.1.0.0 no_meaning 1"}
	if diff := cmp.Diff(want, got); diff != "" || r.In != 12 || r.BadTotal != 0 || r.Events != nil {
		t.Error(diff, r.Bad)
	}
	all = nil
	for i := range 1500 {
		all = append(all, cdevents.Message{ID: "1", Source: "s", Type: fmt.Sprint("com.example.", i)})
	}
	if r := cdevents.Map(all, cdevents.Options{}); len(r.Skipped) != 1001 || r.Skipped[0] != (cdevents.Skipped{Reason: "foreign", N: 500}) {
		t.Errorf("%d types, first %+v", len(r.Skipped), r.Skipped[0])
	}
}

func TestBadMessages(t *testing.T) {
	ext := func(s string) string { return `{"rampguard":{` + s + `}}` }
	for _, c := range []struct{ typ, at, content, rest, field, reason string }{
		{dev("service.deployed"), "2025-03-01T12:00:00", inProd, "", "context.timestamp", cdevents.ReasonBadTime},
		{dev("service.deployed"), "1600-03-01T12:00:00Z", inProd, "", "context.timestamp", cdevents.ReasonBadTime},
		{dev("service.deployed"), "", inProd, "", "context.timestamp", cdevents.ReasonMissing},
		{dev("service.deployed"), noon, fraud, "", "subject.content.environment", cdevents.ReasonMissing},
		{dev("service.deployed"), noon, `"environment":{"id":"production"}`, "", "", cdevents.ReasonNoArtifact},
		{dev("service.deployed"), noon, `"environment":{"id":"production"}`, "chain x", "", cdevents.ReasonNoArtifact},
		{dev("service.deployed"), noon, `"environment":{"id":"production"},"artifactId":"six-1.14.0.whl"`, "", "subject.content.artifactId", cdevents.ReasonBadPURL},
		{dev("service.deployed"), noon, `"environment":{"id":"production"},"artifactId":"pkg:mlflow/fraud"`, "", "version", cdevents.ReasonMissing},
		{dev("service.deployed"), noon, `"environment":"production"`, "", "subject.content", cdevents.ReasonMalformed},
		{dev("service.deployed"), noon, inProd, ext(`"traffic_pct":0`), "subject.content.trafficPct", cdevents.ReasonBadTraffic},
		{dev("service.deployed"), noon, inProd, ext(`"traffic_pct":"x"`), "customData.rampguard", cdevents.ReasonBadExtended},
		{dev("service.deployed"), noon, inProd, ext(`"modell":"x"`), "customData.rampguard", cdevents.ReasonBadExtended},
		{dev("service.deployed"), noon, inProd, ext(`"kind":"serve"`), "customData.rampguard", cdevents.ReasonBadExtended},
		{dev("service.deployed"), noon, inProd, ext(`"attempt":-1`), "customData.rampguard.attempt", cdevents.ReasonBadExtended},
		{dev("service.deployed"), noon, inProd, ext(`"kind":"stage_start"`), "customData.rampguard.stage", cdevents.ReasonMissing},
		{dev("testsuiterun.finished"), noon, fraud + `,"outcome":"green"`, "", "subject.content.outcome", cdevents.ReasonBadWord},
		{dev("approval.closed"), noon, fraud + `,"status":"granted"`, "", "subject.content.status", cdevents.ReasonBadWord},
		{dev("approval.closed"), noon, fraud, "", "subject.content.status", cdevents.ReasonMissing},
		{dev("approval.closed"), noon, `"status":"approved","resourceTargetUrl":"pkg:x"`, "", "subject.content.resourceTargetUrl", cdevents.ReasonBadPURL},
		{"dev.cdeventsx.rollout-step.finished.1.0.0", noon, inProd, "", "subject.content.trafficPct", cdevents.ReasonMissing},
		{"dev.cdeventsx.rollout-step.finished.1.0.0", noon, inProd + `,"trafficPct":101`, "", "subject.content.trafficPct", cdevents.ReasonBadTraffic},
	} {
		r := cdevents.Map([]cdevents.Message{message(t, c.typ, c.at, "s", c.content, c.rest)}, cdevents.Options{})
		if r.BadTotal != 1 || len(r.Bad) != 1 || r.Bad[0].Field != c.field || r.Bad[0].Reason != c.reason || r.Events != nil || r.In != 1 {
			t.Errorf("%s %s: %+v", c.typ, c.content, r)
		}
	}
	fine := message(t, dev("service.deployed"), noon, "s", inProd, "")
	for field, change := range map[string]func(*cdevents.Message){
		"context.id":     func(m *cdevents.Message) { m.ID = "x" },
		"context.source": func(m *cdevents.Message) { m.Source = "x" },
		"context.type":   func(m *cdevents.Message) { m.Type = dev("service.upgraded") },
	} {
		m := fine
		change(&m)
		if r := cdevents.Map([]cdevents.Message{m}, cdevents.Options{}); len(r.Bad) != 1 || r.Bad[0].Field != field || r.Bad[0].Reason != cdevents.ReasonMismatch {
			t.Errorf("%s: %+v", field, r)
		}
	}
	broken := fine
	broken.Data = json.RawMessage("null x")
	many := []cdevents.Message{broken, broken, broken}
	for most, want := range map[int]int{0: 3, 2: 2, -1: 3} {
		if r := cdevents.Map(many, cdevents.Options{MaxBad: most}); len(r.Bad) != want || r.BadTotal != 3 || r.Bad[0].Reason != cdevents.ReasonMalformed {
			t.Errorf("MaxBad %d: %+v", most, r)
		}
	}
}

func TestTimeOfTheCloudEventWillDo(t *testing.T) {
	m := message(t, dev("service.deployed"), "", "s", inProd, "")
	m.Time = time.Date(2025, 3, 1, 13, 0, 0, 0, time.FixedZone("", 3600))
	if e := one(t, cdevents.Options{}, m); e.At != time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC) {
		t.Error(e.At)
	}
}

// release is the way of one version, with the artifact named by one event only.
func release(t testing.TB) []cdevents.Message {
	at := func(hour int) string { return time.Date(2025, 3, 1, hour, 0, 0, 0, time.UTC).Format(time.RFC3339) }
	const c = "chain c1"
	suite := func(hour int, run, what, outcome string) cdevents.Message {
		return message(t, dev("testsuiterun."+what), at(hour), run, outcome, c)
	}
	all := []cdevents.Message{
		message(t, dev("approval.closed"), at(0), "go", `"status":"approved"`, c),
		message(t, dev("build.started"), at(1), "b1", "", c),
		message(t, dev("artifact.packaged"), at(2), "pkg:mlflow/fraud@12", "", c),
		suite(3, "run-b", "started", ""), suite(4, "run-b", "finished", `"outcome":"failure"`),
		suite(5, "run-a", "started", ""), suite(5, "run-c", "started", ""),
		suite(6, "run-a", "finished", `"outcome":"success"`), suite(7, "run-c", "finished", `"outcome":"success"`),
		message(t, dev("service.deployed"), at(8), "s", `"environment":{"id":"production"}`, c),
		message(t, "dev.cdeventsx.rollout-step.finished.1.0.0", at(10), "s", `"environment":{"id":"production"},"trafficPct":100`, c),
		message(t, dev("service.rolledback"), at(12), "s", `"environment":{"id":"production"},"artifactId":"pkg:mlflow/fraud@11"`, c),
	}
	for i := range all {
		if all[i].Type == dev("approval.closed") {
			all[i].Data = json.RawMessage(strings.ReplaceAll(string(all[i].Data), "/event/source/123", "/committee"))
			all[i].Source = "/committee"
		}
	}
	return all
}

func TestChainToFlight(t *testing.T) {
	o := cdevents.Options{SignOffs: []string{"/committee"}, Progressive: true}
	all := release(t)
	r := cdevents.Map(all, o)
	if r.BadTotal != 0 || len(r.Events) != len(all) || r.Warnings != nil {
		t.Fatalf("%+v", r)
	}
	a, err := leadtime.Assemble(r.Events, leadtime.AssembleOptions{})
	if err != nil || len(a.Flights) != 1 || len(a.Excluded) != 0 {
		t.Fatalf("%v %+v", err, a)
	}
	f := a.Flights[0]
	if f.Key.Version != "12" || f.Lead(nil) != 10*time.Hour || len(f.Rollbacks) != 1 || f.Rollbacks[0].To != "11" {
		t.Errorf("%+v", f)
	}
	var got []string
	for _, s := range f.Segments {
		got = append(got, fmt.Sprintf("%s %d %d-%d %v", s.Stage, s.Attempt, s.Start.Hour(), s.End.Hour(), s.Outcome))
	}
	want := []string{"packaging 1 1-2 passed", "validation 1 3-4 failed", "validation 2 5-6 passed", "validation 3 5-7 passed", "canary 1 8-10 unstated"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for seed := range uint64(20) {
		shuffled := append([]cdevents.Message(nil), all...)
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		again, err := leadtime.Assemble(cdevents.Map(shuffled, o).Events, leadtime.AssembleOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a, again); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestChainOfTwoArtifactsHelpsNobody(t *testing.T) {
	r := cdevents.Map([]cdevents.Message{
		message(t, dev("artifact.published"), noon, "pkg:mlflow/fraud@12", "", "chain c"),
		message(t, dev("artifact.published"), noon, "pkg:mlflow/fraud@13", "", "chain c"),
		message(t, dev("testsuiterun.started"), noon, "r", "", "chain c"),
	}, cdevents.Options{})
	if len(r.Events) != 2 || len(r.Bad) != 1 || r.Bad[0].Reason != cdevents.ReasonAmbiguous || r.Bad[0].Text != "c" {
		t.Errorf("%+v", r)
	}
}

func TestUnmappedEnvironmentsAreNamed(t *testing.T) {
	r := cdevents.Map([]cdevents.Message{
		message(t, dev("service.deployed"), noon, "s", fraud+`,"environment":{"id":"prod"}`, ""),
		message(t, dev("service.deployed"), noon, "t", fraud+`,"environment":{"id":"dev"}`, ""),
		message(t, dev("incident.detected"), noon, "i", fraud+`,"environment":{"id":"zone 3"}`, ""),
	}, cdevents.Options{})
	if len(r.Warnings) != 1 || r.Warnings[0].Code != cdevents.WarnUnmapped || !strings.Contains(r.Warnings[0].Message, `"dev", "prod" `) {
		t.Errorf("%+v", r.Warnings)
	}
}
