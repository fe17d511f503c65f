package mlflowevents

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

// WarnListCut is the warning code of a list that may go on: see [List].
const WarnListCut = "list_may_be_cut"

// PollOptions say what a [Poller] looks at.
type PollOptions struct {
	Options
	Now      func() time.Time // the clock; required
	Models   []string         // default: all
	SkipRuns bool             // no requests for training runs
}

// Poller looks at a registry. It holds no state of its own.
type Poller struct {
	client *Client
	o      PollOptions
}

// State is what a look saw. Keep it as JSON between looks; the zero value is a
// look that never was.
type State struct {
	At       time.Time               `json:"at,omitzero"` // when the look began
	Versions map[string]VersionState `json:"versions,omitempty"`
}

// VersionState is what a look saw of one model version.
type VersionState struct {
	Model   string            `json:"model"`
	Version string            `json:"version"`
	Tags    map[string]string `json:"tags,omitempty"`
	Aliases []string          `json:"aliases,omitempty"`
	Stage   string            `json:"stage,omitempty"`
	Run     string            `json:"run,omitempty"`     // started or over, once told
	Missing bool              `json:"missing,omitempty"` // the run is not there
}

// Look is what a look found: Events in the order of models, versions and fields,
// and the state for the next.
type Look struct {
	Events   []leadtime.Event
	Problems []Problem
	Warnings []stats.Warning
	State    State
}

// NewPoller makes a poller.
//
// Errors: [stats.ErrDomain] for a nil client or clock, or options out of range.
func NewPoller(c *Client, o PollOptions) (*Poller, error) {
	if c == nil || o.Now == nil {
		return nil, fmt.Errorf("mlflowevents: NewPoller: no client or no clock: %w", stats.ErrDomain)
	}
	var err error
	if o.Options, err = o.Options.orDefault(); err != nil {
		return nil, err
	}
	o.Models = slices.Compact(slices.Sorted(slices.Values(o.Models)))
	return &Poller{c, o}, nil
}

// Poll looks at the registry and tells what is new since prev. It changes
// nothing of prev; after an error look again with the same state.
//
// Special cases are: at the first look labels are problems, for nobody knows
// since when they are there; a version that is gone is a problem, once.
//
// Errors: an [Error] of the client; [stats.ErrDomain] for a state from the
// future. Cost: two lists, and a request for each run that is not over.
func (p *Poller) Poll(ctx context.Context, prev State) (Look, error) {
	begin := p.o.Now().Round(0).UTC()
	if prev.At.After(begin) {
		return Look{}, fmt.Errorf("mlflowevents: Poll: the state is of %s, the clock says %s: %w", stamp(prev.At), stamp(begin), stats.ErrDomain)
	}
	var out Look
	versions, err := p.read(ctx, &out)
	if err != nil {
		return Look{}, err
	}
	end := p.o.Now().Round(0).UTC()
	d := diff{o: p.o.Options, since: prev.At, end: end}
	out.State = State{At: begin, Versions: make(map[string]VersionState, len(versions))}
	for _, v := range versions {
		key := id(v.Name, v.Version)
		old, known := prev.Versions[key]
		now := snapshot(v, old)
		d.version(v, old, now, known)
		if !p.o.SkipRuns && v.RunID != "" && now.Run != "over" && !now.Missing {
			if now, err = p.run(ctx, v, now, &d); err != nil {
				return Look{}, err
			}
		}
		out.State.Versions[key] = now
	}
	for _, key := range slices.Sorted(maps.Keys(prev.Versions)) {
		if _, there := out.State.Versions[key]; !there {
			v := prev.Versions[key]
			d.problem(v.Model, v.Version, "version", "", "is no longer in the registry")
		}
	}
	out.Events, out.Problems = d.events, append(out.Problems, d.problems...)
	return out, nil
}

// read lists the versions in order, with the aliases that either list states.
func (p *Poller) read(ctx context.Context, out *Look) ([]ModelVersion, error) {
	names := p.o.Models
	if len(names) == 0 {
		names = []string{""}
	}
	aliases := map[string][]string{} // by version key
	byKey := map[string]ModelVersion{}
	for _, name := range names {
		models, err := p.client.RegisteredModels(ctx, name)
		if err != nil {
			return nil, err
		}
		if name != "" && len(models.Items) == 0 {
			out.Problems = append(out.Problems, Problem{Model: name, Field: "model", Reason: "is not in the registry"})
		}
		versions, err := p.client.ModelVersions(ctx, name)
		if err != nil {
			return nil, err
		}
		if models.Cut || versions.Cut {
			out.Warnings = append(out.Warnings, stats.Warning{Code: WarnListCut,
				Message: "the server gave one full page and no token: more models or versions may exist; raise PageSize"})
		}
		for _, m := range models.Items {
			for _, a := range m.Aliases {
				key := id(m.Name, a.Version)
				aliases[key] = append(aliases[key], a.Alias)
			}
		}
		for _, v := range versions.Items {
			byKey[id(v.Name, v.Version)] = v
		}
	}
	list := make([]ModelVersion, 0, len(byKey))
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		v := byKey[key]
		if v.Name == "" || v.Version == "" {
			out.Problems = append(out.Problems, Problem{Model: v.Name, Version: v.Version, Field: "version", Reason: "has no name or no number"})
			continue
		}
		v.Aliases = slices.Compact(slices.Sorted(slices.Values(append(aliases[key], v.Aliases...))))
		list = append(list, v)
	}
	return list, nil
}

func snapshot(v ModelVersion, old VersionState) VersionState {
	return VersionState{Model: v.Name, Version: v.Version, Tags: tagMap(v.Tags), Aliases: v.Aliases, Stage: v.Stage,
		Run: old.Run, Missing: old.Missing}
}

// run tells the start of a run once and its end once.
func (p *Poller) run(ctx context.Context, v ModelVersion, now VersionState, d *diff) (VersionState, error) {
	r, err := p.client.GetRun(ctx, v.RunID)
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrUnauthorized):
		now.Missing = true
		d.problem(v.Name, v.Version, "run", v.RunID, "cannot be read: "+err.Error())
		return now, nil
	case err != nil:
		return now, err
	}
	d.events = append(d.events, p.o.run(v.Name, v.Version, r, now.Run == "", r.over())...)
	now.Run = "started"
	if r.over() {
		now.Run = "over"
	}
	return now, nil
}

// diff collects what is new between two looks.
type diff struct {
	o          Options
	since, end time.Time // of the last look, the beginning; of this one, the end
	events     []leadtime.Event
	problems   []Problem
}

func (d *diff) problem(model, version, field, value, reason string) {
	d.problems = append(d.problems, Problem{model, version, field, shorten(value, maxValue), reason})
}

func (d *diff) version(v ModelVersion, old, now VersionState, known bool) {
	earliest := d.since
	if !known {
		if e, ok := d.o.registered(v); ok {
			d.events = append(d.events, e)
			if !d.since.IsZero() && e.At.After(earliest) && !e.At.After(d.end) {
				earliest = e.At
			}
		}
	}
	events, problems := d.o.tags(v.Name, v.Version, now.Tags, old.Tags)
	d.events, d.problems = append(d.events, events...), append(d.problems, problems...)
	if known {
		if _, gone := missing(old.Tags, now.Tags, tagSign); gone {
			d.events = append(d.events, d.o.revoked(v.Name, v.Version, earliest, d.end))
		}
		if t := now.Tags[tagTrack]; t != "" && t != old.Tags[tagTrack] && old.Tags[tagSign] != "" {
			d.events = append(d.events, d.o.trackSet(v.Name, v.Version, t, earliest, d.end))
		}
	}
	d.labels(v, labels(old, d.o), labels(now, d.o), earliest)
}

// missing gives the value that a tag had before it was deleted.
func missing(old, now map[string]string, key string) (was string, gone bool) {
	was, had := old[key]
	_, has := now[key]
	return was, had && !has
}

// labels are the aliases, the stage and the tags of a version that mean something.
func labels(s VersionState, o Options) []string {
	var out []string
	add := func(label string) {
		if _, ok := o.Meanings[label]; ok {
			out = append(out, label)
		}
	}
	for _, a := range s.Aliases {
		add("alias:" + a)
	}
	add("stage:" + s.Stage)
	for k, v := range s.Tags {
		if !strings.HasPrefix(k, tagPrefix) {
			add("tag:" + k + "=" + v)
		}
	}
	slices.Sort(out)
	return out
}

func (d *diff) labels(v ModelVersion, old, now []string, earliest time.Time) {
	for _, l := range now {
		switch {
		case slices.Contains(old, l):
		case d.since.IsZero():
			d.problem(v.Name, v.Version, l, "", "was there at the first look; since when is not known")
		default:
			d.events = append(d.events, d.o.label(v.Name, v.Version, l, d.o.Meanings[l], earliest, d.end))
		}
	}
	for _, l := range old {
		m := d.o.Meanings[l]
		if m.Kind == leadtime.StageStart && !slices.Contains(now, l) {
			m.Kind = leadtime.StageEnd
			d.events = append(d.events, d.o.label(v.Name, v.Version, l, m, earliest, d.end))
		}
	}
}
