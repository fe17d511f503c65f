package rolloutevents

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

// Sentinels; test with [errors.Is].
var (
	ErrPayload  = errors.New("not what a controller sends") // another shape, or a stamp that is no time
	ErrNoName   = errors.New("no name")                     // the rules for model or version find nothing
	ErrTooLarge = errors.New("body too large")
)

// Options say how objects are named and where they run.
type Options struct {
	Model   string // rules, separated by |; default name
	Version string // rules, separated by |; default revision

	Source    string         // of the events; default argo-rollouts or flagger
	Env       leadtime.Env   // default production
	Region    string         // of the cluster, where there are several
	FastTrack leadtime.Track // of rollouts that skipped steps; default leadtime.FastTrack
}

// Batch is what one body told.
type Batch struct {
	Events  []leadtime.Event
	Attempt Attempt
	Unknown map[string]int // phases, statuses and triggers that nobody knows, such as phase:Melting
	Ignored map[string]int // known ones that tell nothing
}

// Attempt is the rollout that a body speaks of.
type Attempt struct {
	Namespace, Name, Revision string
	Model, Version            string
	Phase                     string
	Started, Finished         time.Time     // zero when not stated
	ManualPause               time.Duration // waiting for people so far
	Status                    string        // completionStatus of Argo Rollouts
}

// object is what names are taken from.
type object struct {
	namespace, name, revision     string
	labels, annotations, metadata []map[string]string
	containers                    []container
}

type container struct {
	Name  string `json:"name"`
	Image string `json:"image"`
}

func (o Options) orDefault(source string) (Options, error) {
	o.Model, o.Version = cmp.Or(o.Model, "name"), cmp.Or(o.Version, "revision")
	o.Source = cmp.Or(o.Source, source)
	o.Env = cmp.Or(o.Env, leadtime.Production)
	o.FastTrack = cmp.Or(o.FastTrack, leadtime.FastTrack)
	for _, rules := range []string{o.Model, o.Version} {
		for rule := range strings.SplitSeq(rules, "|") {
			if _, ok := (object{}).find(rule); !ok {
				return o, fmt.Errorf("rolloutevents: rule %q is none of name, namespace/name, label:KEY, annotation:KEY, metadata:KEY, image-tag, image-tag:NAME and revision: %w", rule, stats.ErrDomain)
			}
		}
	}
	return o, nil
}

// find applies a rule; ok says that there is such a rule.
func (b object) find(rule string) (value string, ok bool) {
	kind, key, keyed := strings.Cut(rule, ":")
	if keyed && key == "" {
		return "", false
	}
	first := func(maps []map[string]string) string {
		for _, m := range maps {
			if v := m[key]; v != "" {
				return v
			}
		}
		return ""
	}
	switch {
	case rule == "name":
		return b.name, true
	case rule == "namespace/name":
		return b.namespace + "/" + b.name, true
	case rule == "revision":
		return b.revision, true
	case kind == "image-tag":
		for _, c := range b.containers {
			if !keyed || c.Name == key {
				return imageTag(c.Image), true
			}
		}
		return "", true
	case keyed && kind == "label":
		return first(b.labels), true
	case keyed && kind == "annotation":
		return first(b.annotations), true
	case keyed && kind == "metadata":
		return first(b.metadata), true
	}
	return "", false
}

// imageTag is what stands after the colon of the last part: no digest, no port.
func imageTag(image string) string {
	image, _, _ = strings.Cut(image, "@")
	last := image[strings.LastIndexByte(image, '/')+1:]
	_, tag, _ := strings.Cut(last, ":")
	return tag
}

func (o Options) names(b object) (model, version string, err error) {
	for _, n := range []struct {
		what, rules string
		to          *string
	}{{"model", o.Model, &model}, {"version", o.Version, &version}} {
		for rule := range strings.SplitSeq(n.rules, "|") {
			if *n.to, _ = b.find(rule); *n.to != "" {
				break
			}
		}
		if *n.to == "" {
			return "", "", fmt.Errorf("rolloutevents: %s/%s: no %s by %s: %w", b.namespace, b.name, n.what, n.rules, ErrNoName)
		}
	}
	return model, version, nil
}

// maker makes the events of one attempt.
type maker struct {
	o     Options
	b     object
	batch *Batch
	track leadtime.Track
}

// add appends an event; what and detail are its identity within the revision.
func (m maker) add(kind leadtime.Kind, stage string, outcome leadtime.Outcome, pct float64, at time.Time, detail ...string) {
	parts := append([]string{m.b.namespace, m.b.name, m.b.revision, kind.String(), stage}, detail...)
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	m.batch.Events = append(m.batch.Events, leadtime.Event{ID: strings.Join(parts, "/"), Source: m.o.Source, Kind: kind,
		Model: m.batch.Attempt.Model, Version: m.batch.Attempt.Version, Env: m.o.Env, Region: m.o.Region, Stage: stage,
		Track: m.track, Outcome: outcome, TrafficPct: pct, At: at, Ref: m.b.revision})
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func (b *Batch) unknown(what, value string) { count(&b.Unknown, what+":"+value) }
func (b *Batch) ignored(what, value string) { count(&b.Ignored, what+":"+value) }

func count(m *map[string]int, key string) {
	if *m == nil {
		*m = map[string]int{}
	}
	if len(key) > maxKey {
		key = strings.ToValidUTF8(key[:maxKey], "") + "..."
	}
	(*m)[key]++
}

const maxKey = 80 // bytes of a phase in the counts
