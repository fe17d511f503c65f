package cdevents

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/leadtime"
)

// cdevent is what all CDEvents have.
type cdevent struct {
	Context struct {
		ID        string `json:"id"`
		Source    string `json:"source"`
		Type      string `json:"type"`
		Timestamp string `json:"timestamp"`
		ChainID   string `json:"chainId"`
	} `json:"context"`
	Subject struct {
		ID      string          `json:"id"`
		Content json.RawMessage `json:"content"`
	} `json:"subject"`
	CustomData json.RawMessage `json:"customData"`
}

// content is what subjects of the types that are read have in theirs.
type content struct {
	ArtifactID        string    `json:"artifactId"`
	Environment       reference `json:"environment"`
	Service           reference `json:"service"`
	TestSuite         reference `json:"testSuite"`
	TaskName          string    `json:"taskName"`
	PipelineName      string    `json:"pipelineName"`
	Outcome           string    `json:"outcome"`
	Status            string    `json:"status"`
	ResourceTargetURL string    `json:"resourceTargetUrl"`
	TrafficPct        *float64  `json:"trafficPct"`
	Region            string    `json:"region"`
}

type reference struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// extension is customData.rampguard.
type extension struct {
	Kind       leadtime.Kind    `json:"kind"`
	Model      string           `json:"model"`
	Version    string           `json:"version"`
	Env        leadtime.Env     `json:"env"`
	Region     string           `json:"region"`
	Stage      string           `json:"stage"`
	Attempt    int              `json:"attempt"`
	Track      leadtime.Track   `json:"track"`
	Outcome    leadtime.Outcome `json:"outcome"`
	TrafficPct *float64         `json:"traffic_pct"`
	Ref        string           `json:"ref"`
}

// reading is a message on its way to an event.
type reading struct {
	*collector
	t       Type
	d       cdevent
	c       content
	x       extension
	p       pending
	traffic *float64
}

// read makes an event of a message, without what only its chain knows, or says why
// there is none.
func (c *collector) read(m *Message) (p pending, skip string, f fault) {
	t, err := ParseType(m.Type)
	if err != nil {
		return p, SkipForeign, fault{}
	}
	r := reading{collector: c, t: t, p: pending{m: *m}}
	r.p.m.Data = nil
	if err := json.Unmarshal(m.Data, &r.d); err != nil {
		return p, "", fault{"", ReasonMalformed, err.Error()}
	}
	for _, a := range [][3]string{{"id", m.ID, r.d.Context.ID}, {"source", m.Source, r.d.Context.Source}, {"type", m.Type, r.d.Context.Type}} {
		if a[1] != a[2] {
			return p, "", fault{"context." + a[0], ReasonMismatch, a[2]}
		}
	}
	if f := r.extended(); f.reason != "" {
		return p, "", f
	}
	r.p.chain = r.d.Context.ChainID
	r.p.e = leadtime.Event{ID: m.ID, Source: m.Source, Line: m.Line}
	if f := r.timed(); f.reason != "" {
		return p, "", f
	}
	if skip, f = r.meaning(); skip == "" && f.reason == "" {
		f = r.settle()
	}
	// A chain learns from every event, also from those that say nothing else. What
	// is back after a rollback, or broke, is something else than what the chain made.
	if t.Subject != "incident" && r.p.e.Kind != leadtime.Restored {
		c.note(r.p.chain, artifact{cmp.Or(r.x.Model, r.p.e.Model), cmp.Or(r.x.Version, r.p.e.Version)})
	}
	return r.p, skip, f
}

// extended reads customData.rampguard. Custom data of other kinds is left alone.
func (r *reading) extended() fault {
	data := bytes.TrimSpace(r.d.CustomData)
	if len(data) == 0 || data[0] != '{' {
		return fault{}
	}
	var custom struct {
		Rampguard json.RawMessage `json:"rampguard"`
	}
	if err := json.Unmarshal(data, &custom); err != nil || custom.Rampguard == nil {
		return fault{}
	}
	dec := json.NewDecoder(bytes.NewReader(custom.Rampguard))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r.x); err != nil {
		return fault{"customData.rampguard", ReasonBadExtended, err.Error()}
	}
	if r.x.Attempt < 0 {
		return fault{"customData.rampguard.attempt", ReasonBadExtended, "below 0"}
	}
	return fault{}
}

// timed sets the time of the occurrence.
func (r *reading) timed() fault {
	at := r.p.m.Time
	if s := r.d.Context.Timestamp; s != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, s); err != nil {
			return fault{"context.timestamp", ReasonBadTime, s}
		}
	}
	at = at.UTC()
	switch {
	case at.IsZero():
		return fault{"context.timestamp", ReasonMissing, ""}
	case at.Year() < 1700 || at.Year() > 2200: // package leadtime reckons within these
		return fault{"context.timestamp", ReasonBadTime, at.Format(time.RFC3339)}
	}
	r.p.e.At = at
	return fault{}
}

// meaning sets what the type says.
func (r *reading) meaning() (skip string, f fault) {
	subject := r.t.Subject
	if r.t.Custom {
		subject = "custom " + subject
	}
	read := map[string]func() (string, fault){
		"approval":            r.approval,
		"artifact":            r.artifact,
		"build":               r.build,
		"testsuiterun":        r.run,
		"taskrun":             r.run,
		"pipelinerun":         r.run,
		"service":             r.service,
		"incident":            r.incident,
		"custom rollout-step": r.step,
	}[subject]
	if read == nil {
		skip, read = SkipNoMeaning, func() (string, fault) { return SkipNoMeaning, fault{} }
	}
	if skip == "" || r.x.Kind != 0 {
		if len(r.d.Subject.Content) > 0 {
			if err := json.Unmarshal(r.d.Subject.Content, &r.c); err != nil {
				return "", fault{"subject.content", ReasonMalformed, err.Error()}
			}
		}
		r.traffic = r.c.TrafficPct
		r.name(r.c.ArtifactID, "subject.content.artifactId")
		skip, f = read()
	}
	if r.x.Kind == 0 {
		return skip, f
	}
	e := &r.p.e // said directly
	e.Kind = r.x.Kind
	if e.Kind != leadtime.StageStart && e.Kind != leadtime.StageEnd {
		e.Stage, e.Outcome, r.p.run = "", 0, ""
	}
	if e.Env == "" && r.c.Environment.ID != "" {
		return "", r.place()
	}
	return "", fault{}
}

// name takes the model and the version from a package URL, if there is one.
func (r *reading) name(purl, field string) {
	if purl == "" {
		return
	}
	p, err := ParsePURL(purl)
	if err != nil {
		r.p.fault = fault{field, ReasonBadPURL, purl}
		return
	}
	r.p.e.Model, r.p.e.Version = strings.TrimPrefix(p.Namespace+"/"+p.Name, "/"), p.Version
}

func (r *reading) approval() (string, fault) {
	e := &r.p.e
	if strings.HasPrefix(r.c.ResourceTargetURL, "pkg:") && e.Model == "" {
		r.name(r.c.ResourceTargetURL, "subject.content.resourceTargetUrl")
	}
	signOff := slices.Contains(r.o.SignOffs, r.d.Context.Source)
	switch r.t.Predicate {
	case "created":
		if signOff {
			return SkipNoMeaning, fault{}
		}
		e.Kind = leadtime.StageStart
	case "closed":
		e.Kind = leadtime.StageEnd
	default:
		return SkipNoMeaning, fault{}
	}
	e.Stage, e.Ref, r.p.run = "approval", r.d.Subject.ID, r.d.Subject.ID
	if e.Kind == leadtime.StageStart {
		return "", fault{}
	}
	kind := leadtime.Withdrawn
	switch r.c.Status {
	case "approved":
		e.Outcome, kind = leadtime.Passed, leadtime.SignOff
	case "rejected":
		e.Outcome, kind = leadtime.Failed, leadtime.Rejected
	case "cancelled", "expired":
		e.Outcome = leadtime.Cancelled
	case "":
		return "", fault{"subject.content.status", ReasonMissing, ""}
	default:
		return "", fault{"subject.content.status", ReasonBadWord, r.c.Status}
	}
	if signOff {
		e.Kind, e.Stage, e.Outcome, r.p.run = kind, "", 0, ""
	}
	return "", fault{}
}

func (r *reading) artifact() (string, fault) {
	r.name(r.d.Subject.ID, "subject.id")
	switch r.t.Predicate {
	case "packaged":
		r.p.e.Kind, r.p.e.Stage, r.p.e.Outcome = leadtime.StageEnd, "packaging", leadtime.Passed
	case "published":
		r.p.e.Kind = leadtime.Registered
	default:
		return SkipNoMeaning, fault{}
	}
	return "", fault{}
}

func (r *reading) build() (string, fault) {
	if r.t.Predicate != "started" {
		return SkipNoMeaning, fault{} // artifact.packaged is the end
	}
	r.p.e.Kind, r.p.e.Stage = leadtime.StageStart, "packaging"
	return "", fault{}
}

// run is a test suite, a task or a pipeline.
func (r *reading) run() (string, fault) {
	e := &r.p.e
	name := cmp.Or(r.c.TestSuite.Name, r.c.TestSuite.ID)
	switch r.t.Subject {
	case "taskrun":
		name = r.c.TaskName
	case "pipelinerun":
		name = r.c.PipelineName
	}
	e.Stage = cmp.Or(r.x.Stage, r.o.Stages[name])
	if e.Stage == "" && r.t.Subject == "testsuiterun" {
		e.Stage = "validation"
	}
	r.p.run = r.d.Subject.ID
	switch {
	case e.Stage == "":
		return SkipNoStage, fault{}
	case r.t.Predicate == "started":
		e.Kind = leadtime.StageStart
	case r.t.Predicate == "finished":
		e.Kind = leadtime.StageEnd
		switch r.c.Outcome {
		case "":
		case "success", "pass":
			e.Outcome = leadtime.Passed
		case "failure", "fail", "error":
			e.Outcome = leadtime.Failed
		case "cancel", "skip":
			e.Outcome = leadtime.Cancelled
		default:
			return "", fault{"subject.content.outcome", ReasonBadWord, r.c.Outcome}
		}
	default:
		return SkipNoMeaning, fault{}
	}
	if e.Stage == "training" {
		if e.Kind = leadtime.RunEnded; r.t.Predicate == "started" {
			e.Kind = leadtime.RunStarted
		}
		e.Stage, e.Outcome, e.Ref, r.p.run = "", 0, r.d.Subject.ID, ""
	}
	return "", fault{}
}

func (r *reading) service() (string, fault) {
	e := &r.p.e
	switch r.t.Predicate {
	case "deployed", "upgraded", "published":
		e.Kind = leadtime.Serving
	case "rolledback":
		e.Kind = leadtime.Restored
	default:
		return SkipNoMeaning, fault{}
	}
	f := r.place()
	if r.o.Progressive && e.Kind == leadtime.Serving && e.Env == leadtime.Production && r.t.Predicate != "published" && r.traffic == nil {
		e.Kind, e.Stage = leadtime.StageStart, "canary"
	}
	return "", f
}

func (r *reading) step() (string, fault) {
	r.p.e.Kind = leadtime.TrafficChange
	if r.t.Predicate == "queued" || r.t.Predicate == "started" {
		return SkipNoMeaning, fault{}
	}
	return "", r.place()
}

// place sets the environment and the region.
func (r *reading) place() fault {
	id := r.c.Environment.ID
	where, ok := r.o.Places[id]
	switch {
	case r.x.Env != "":
		where = Place{r.x.Env, ""}
	case id == "":
		return fault{"subject.content.environment", ReasonMissing, ""}
	case !ok:
		where.Env = leadtime.Env(id)
		known := where.Env == leadtime.Production || where.Env == leadtime.Staging
		if !known && r.t.Subject != "incident" && len(r.strange) < maxSkipped {
			r.strange[id] = true
		}
	}
	r.p.e.Env, r.p.e.Region = where.Env, cmp.Or(r.c.Region, where.Region)
	return fault{}
}

func (r *reading) incident() (string, fault) {
	switch r.t.Predicate {
	case "detected", "reported":
		r.p.e.Kind = leadtime.IncidentDetected
	case "resolved":
		r.p.e.Kind = leadtime.IncidentResolved
	default:
		return SkipNoMeaning, fault{}
	}
	r.p.e.Ref = r.d.Subject.ID
	if r.t.Predicate == "resolved" { // by another version, perhaps
		r.p.e.Version = ""
	}
	r.p.model = r.o.Models[r.c.Service.ID]
	if r.c.Environment.ID != "" {
		return "", r.place()
	}
	return "", fault{}
}

// settle lets customData win and checks the whole.
func (r *reading) settle() fault {
	e, x := &r.p.e, &r.x
	e.Model, e.Version = cmp.Or(x.Model, e.Model), cmp.Or(x.Version, e.Version)
	e.Env, e.Region = cmp.Or(x.Env, e.Env), cmp.Or(x.Region, e.Region)
	e.Track, e.Ref = cmp.Or(x.Track, e.Track), cmp.Or(x.Ref, e.Ref)
	e.Attempt, e.Outcome = cmp.Or(x.Attempt, e.Attempt), cmp.Or(x.Outcome, e.Outcome)
	stage := e.Kind == leadtime.StageStart || e.Kind == leadtime.StageEnd
	if stage {
		e.Stage = cmp.Or(x.Stage, e.Stage)
	}
	if x.TrafficPct != nil {
		r.traffic = x.TrafficPct
	}
	served := e.Kind == leadtime.Serving || e.Kind == leadtime.TrafficChange
	switch {
	case stage && e.Stage == "":
		return fault{"customData.rampguard.stage", ReasonMissing, ""}
	case e.Kind == leadtime.TrafficChange && r.traffic == nil:
		return fault{"subject.content.trafficPct", ReasonMissing, ""}
	case served && r.traffic != nil:
		e.TrafficPct = *r.traffic
		if !(e.TrafficPct >= 0 && e.TrafficPct <= 100) || e.TrafficPct == 0 && e.Kind == leadtime.Serving {
			return fault{"subject.content.trafficPct", ReasonBadTraffic, jsonNumber(e.TrafficPct)}
		}
	}
	return fault{}
}

func jsonNumber(x float64) string {
	b, err := json.Marshal(x)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
