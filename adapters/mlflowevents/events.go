package mlflowevents

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

// Options say what the registry means. The zero value reads the tag convention
// and nothing else.
type Options struct {
	Source   string             // of the events; default mlflow
	Env      leadtime.Env       // of rollout.serving_at and of meanings that state none; default production
	Meanings map[string]Meaning // by "alias:NAME", "stage:NAME" or "tag:KEY=VALUE"
}

// Meaning is the event that a label stands for.
type Meaning struct {
	Kind       leadtime.Kind
	Env        leadtime.Env
	Stage      string // of StageStart and StageEnd
	Track      leadtime.Track
	Outcome    leadtime.Outcome // of StageEnd
	TrafficPct float64
}

var meaningKinds = []leadtime.Kind{leadtime.SignOff, leadtime.SignOffRevoked, leadtime.StageStart, leadtime.StageEnd,
	leadtime.Serving, leadtime.TrafficChange, leadtime.RollbackDecided, leadtime.Restored, leadtime.Rejected, leadtime.Withdrawn}

func (o Options) orDefault() (Options, error) {
	o.Source = cmp.Or(o.Source, "mlflow")
	o.Env = cmp.Or(o.Env, leadtime.Production)
	for _, key := range slices.Sorted(maps.Keys(o.Meanings)) {
		m := o.Meanings[key]
		kind, name, ok := strings.Cut(key, ":")
		stage := m.Kind == leadtime.StageStart || m.Kind == leadtime.StageEnd
		switch {
		case !ok || name == "" || kind != "alias" && kind != "stage" && kind != "tag":
			return o, fmt.Errorf("mlflowevents: meaning %q is none of alias:NAME, stage:NAME and tag:KEY=VALUE: %w", key, stats.ErrDomain)
		case kind == "tag" && !strings.Contains(name, "="):
			return o, fmt.Errorf("mlflowevents: meaning %q has no value: want tag:KEY=VALUE: %w", key, stats.ErrDomain)
		case kind == "tag" && strings.HasPrefix(name, tagPrefix):
			return o, fmt.Errorf("mlflowevents: meaning %q: tags that begin with %s have a meaning of their own: %w", key, tagPrefix, stats.ErrDomain)
		case !slices.Contains(meaningKinds, m.Kind):
			return o, fmt.Errorf("mlflowevents: meaning %q: a label cannot stand for kind %v: %w", key, m.Kind, stats.ErrDomain)
		case stage != (m.Stage != ""):
			return o, fmt.Errorf("mlflowevents: meaning %q: kind %v with stage %q: %w", key, m.Kind, m.Stage, stats.ErrDomain)
		case !(m.TrafficPct >= 0 && m.TrafficPct <= 100):
			return o, fmt.Errorf("mlflowevents: meaning %q: %v percent of traffic: %w", key, m.TrafficPct, stats.ErrDomain)
		}
	}
	return o, nil
}

const (
	tagPrefix = "rollout."
	tagSign   = tagPrefix + "signoff_at"
	tagBy     = tagPrefix + "signoff_by"
	tagTrack  = tagPrefix + "track"
	tagServe  = tagPrefix + "serving_at"
	tagStage  = tagPrefix + "stage."
)

// id joins what makes an event the only one of its source.
func id(parts ...string) string {
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// TagEvents gives the events that the tags of a version state, in the order of
// their keys, and when it was registered. Tags that begin with rollout. and state
// nothing are problems.
//
// Errors: [stats.ErrDomain] for options out of range.
func TagEvents(v ModelVersion, o Options) ([]leadtime.Event, []Problem, error) {
	o, err := o.orDefault()
	if err != nil {
		return nil, nil, err
	}
	var out []leadtime.Event
	if e, ok := o.registered(v); ok {
		out = append(out, e)
	}
	events, problems := o.tags(v.Name, v.Version, tagMap(v.Tags), nil)
	return append(out, events...), problems, nil
}

func tagMap(tags []Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}

func (o Options) registered(v ModelVersion) (leadtime.Event, bool) {
	t := v.Created.Time()
	return leadtime.Event{ID: id(v.Name, v.Version, "registered"), Source: o.Source, Kind: leadtime.Registered,
		Model: v.Name, Version: v.Version, At: t, Ref: v.RunID}, !t.IsZero()
}

// tags reads the tags of the convention that differ from those in old.
func (o Options) tags(model, version string, tags, old map[string]string) (events []leadtime.Event, problems []Problem) {
	track, by := leadtime.Track(tags[tagTrack]), tags[tagBy]
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		value := tags[key]
		if was, ok := old[key]; !strings.HasPrefix(key, tagPrefix) || ok && was == value {
			continue
		}
		e, reason := o.tag(model, version, key, value, track)
		switch {
		case reason != "":
			problems = append(problems, Problem{model, version, key, shorten(value, maxValue), reason})
		case e.Kind != 0:
			if e.Kind == leadtime.SignOff {
				e.Ref = by
			}
			events = append(events, e)
		}
	}
	return events, problems
}

// tag reads one tag of the convention. It gives no kind for tags that go with
// others, and a reason for mistakes.
func (o Options) tag(model, version, key, value string, track leadtime.Track) (e leadtime.Event, reason string) {
	e = leadtime.Event{Source: o.Source, Model: model, Version: version, Track: track}
	switch {
	case key == tagBy:
		return leadtime.Event{}, ""
	case key == tagTrack:
		if value == "" {
			reason = "is no track"
		}
		return leadtime.Event{}, reason
	case key == tagSign:
		e.Kind = leadtime.SignOff
	case key == tagServe:
		e.Kind, e.Env = leadtime.Serving, o.Env
	case strings.HasPrefix(key, tagStage):
		name, ok := strings.CutSuffix(key[len(tagStage):], ".started_at")
		e.Kind = leadtime.StageStart
		if !ok {
			name, ok = strings.CutSuffix(key[len(tagStage):], ".finished_at")
			e.Kind = leadtime.StageEnd
		}
		if !ok || name == "" {
			return leadtime.Event{}, "is under a key that is not rollout.stage.NAME.started_at or finished_at"
		}
		e.Stage = name
	default:
		return leadtime.Event{}, "is under a key that the convention does not have"
	}
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return leadtime.Event{}, "is no RFC 3339 time with an offset"
	}
	e.At = t.UTC()
	e.ID = id(model, version, key, stamp(t))
	return e, ""
}

// label is the event of a label that came between two instants; an exact stamp
// has no earliest.
func (o Options) label(model, version, label string, m Meaning, earliest, at time.Time) leadtime.Event {
	return leadtime.Event{ID: id(model, version, label, stamp(at)), Source: o.Source, Kind: m.Kind, Model: model, Version: version,
		Env: cmp.Or(m.Env, o.Env), Stage: m.Stage, Track: m.Track, Outcome: m.Outcome, TrafficPct: m.TrafficPct,
		At: at, Earliest: earliest}
}

// trackSet states a track that was set after the sign-off: traffic stays at zero.
func (o Options) trackSet(model, version, track string, earliest, at time.Time) leadtime.Event {
	return leadtime.Event{ID: id(model, version, tagTrack, track, stamp(at)), Source: o.Source, Kind: leadtime.TrafficChange,
		Model: model, Version: version, Env: o.Env, Track: leadtime.Track(track), At: at, Earliest: earliest}
}

func (o Options) revoked(model, version string, earliest, at time.Time) leadtime.Event {
	return leadtime.Event{ID: id(model, version, "revoked", stamp(at)), Source: o.Source, Kind: leadtime.SignOffRevoked,
		Model: model, Version: version, At: at, Earliest: earliest}
}

// RunEvents gives the start and the end of the training run of a version, as far
// as the run states them. They serve cycle time and [leadtime.Lint]; neither is
// a sign-off.
//
// Errors: [stats.ErrDomain] for options out of range.
func RunEvents(model, version string, r Run, o Options) ([]leadtime.Event, error) {
	o, err := o.orDefault()
	if err != nil {
		return nil, err
	}
	return o.run(model, version, r, true, true), nil
}

func (o Options) run(model, version string, r Run, start, end bool) []leadtime.Event {
	var out []leadtime.Event
	add := func(kind leadtime.Kind, name string, at time.Time) {
		if !at.IsZero() {
			out = append(out, leadtime.Event{ID: id(model, version, "run", r.ID, name), Source: o.Source, Kind: kind,
				Model: model, Version: version, At: at, Ref: r.ID})
		}
	}
	if start {
		add(leadtime.RunStarted, "start", r.Started.Time())
	}
	if end {
		add(leadtime.RunEnded, "end", r.Ended.Time())
	}
	return out
}
