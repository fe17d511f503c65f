package cdevents

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

// Place is where an environment of CDEvents is.
type Place struct {
	Env    leadtime.Env
	Region string
}

// Options say what names mean and how much to keep. The zero value reads events
// that carry their artifacts, with environments called staging and production.
type Options struct {
	Name string // of the input, for messages

	// SignOffs are the sources whose approvals are sign-offs of an experiment, as
	// in context.source. Other approvals are the stage approval.
	SignOffs []string
	// Stages are the stages of tasks, pipelines and test suites, by name.
	Stages map[string]string
	// Places are the environments by id. Others are taken by their id.
	Places map[string]Place
	// Models are the models of services by id, for incidents without an artifact.
	Models map[string]string
	// Progressive says that a deployment to production is the start of the stage
	// canary, and that only service.published or a step to 100 percent is serving.
	Progressive bool

	MaxBad  int // bad messages that are kept; 0 means 1000, below 0 all
	MaxLine int // bytes of a line of [Read]; 0 means 1 MiB
}

// Reasons for which a message is bad.
const (
	ReasonMalformed   = "malformed"          // it cannot be decoded, or a field has the wrong type
	ReasonTooLong     = "too_long"           // the line is longer than MaxLine
	ReasonMismatch    = "mismatch"           // CloudEvent and CDEvent contradict each other
	ReasonMissing     = "missing"            // a field without which the event says nothing
	ReasonBadTime     = "bad_time"           // not RFC 3339 with an offset, or outside the years 1700 to 2200
	ReasonBadPURL     = "bad_purl"           // an artifact that is not named by a package URL
	ReasonNoArtifact  = "no_artifact"        // nor does its chain name one
	ReasonAmbiguous   = "ambiguous_artifact" // its chain names several
	ReasonBadWord     = "unknown_word"       // an outcome or a status
	ReasonBadTraffic  = "bad_traffic"        // outside 0 to 100, or serving with a share of 0
	ReasonBadExtended = "bad_custom_data"    // customData.rampguard
)

// Reasons for which a message is skipped.
const (
	SkipForeign   = "foreign"    // not a CDEvent
	SkipNoMeaning = "no_meaning" // a CDEvent that says nothing about releases
	SkipNoStage   = "no_stage"   // a task or pipeline that Stages does not have
)

// Bad is a message that should have given an event.
type Bad struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Source string `json:"source,omitempty"`
	ID     string `json:"id,omitempty"`
	Type   string `json:"type,omitempty"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
	Text   string `json:"text,omitempty"` // what was there, shortened
}

// String names the message, the reason and the text.
func (b Bad) String() string {
	var s strings.Builder
	if b.File != "" || b.Line > 0 {
		fmt.Fprintf(&s, "%s:%d: ", b.File, b.Line)
	}
	if b.ID != "" {
		fmt.Fprintf(&s, "%s %s of %s: ", b.Type, b.ID, b.Source)
	}
	if b.Field != "" {
		s.WriteString(b.Field + ": ")
	}
	s.WriteString(b.Reason)
	if b.Text != "" {
		fmt.Fprintf(&s, ": %q", b.Text)
	}
	return s.String()
}

// Skipped counts messages of one type that say nothing about releases.
type Skipped struct {
	Type   string `json:"type"` // empty for the types beyond the first thousand
	Reason string `json:"reason"`
	N      int    `json:"n"`
}

// Result is what messages say about releases: In = len(Events) + BadTotal + the
// sum of Skipped.
type Result struct {
	In       int              `json:"in"`
	Events   []leadtime.Event `json:"events"`            // in the order of the messages
	Skipped  []Skipped        `json:"skipped,omitempty"` // by type and reason
	Bad      []Bad            `json:"bad,omitempty"`
	BadTotal int              `json:"bad_total"` // those beyond MaxBad as well
	Warnings []stats.Warning  `json:"warnings,omitempty"`
}

// WarnUnmapped is the code of the warning that traffic was seen in environments
// that are neither staging nor production nor in Places, and so stops no clock.
const WarnUnmapped = "unmapped_environment"

// Map makes release events of messages. Their order does not matter, but for that
// of the result.
func Map(messages []Message, o Options) Result {
	c := newCollector(o)
	for i := range messages {
		c.add(&messages[i])
	}
	return c.finish()
}

// pending is an event until all messages are known.
type pending struct {
	m     Message // without Data
	e     leadtime.Event
	chain string
	run   string // tells attempts at a stage apart
	model string // of the service, when nothing else is known
	fault fault  // of the artifact
}

type artifact struct{ model, version string }

type collector struct {
	o       Options
	out     Result
	skipped map[Skipped]int // by type and reason, with N 0
	pending []pending
	chains  map[string][]artifact // the first two that differ
	strange map[string]bool       // environments
}

func newCollector(o Options) *collector {
	o.MaxBad = cmp.Or(o.MaxBad, 1000)
	return &collector{o: o, skipped: map[Skipped]int{}, chains: map[string][]artifact{}, strange: map[string]bool{}}
}

// fault is what is wrong with a message; without a reason, nothing.
type fault struct{ field, reason, text string }

func (c *collector) bad(b Bad) {
	c.out.BadTotal++
	if c.o.MaxBad < 0 || len(c.out.Bad) < c.o.MaxBad {
		b.File, b.Text = c.o.Name, clip(b.Text)
		b.ID, b.Source, b.Type = clip(b.ID), clip(b.Source), clip(b.Type)
		c.out.Bad = append(c.out.Bad, b)
	}
}

func (c *collector) refuse(m *Message, f fault) {
	c.bad(Bad{Line: m.Line, Source: m.Source, ID: m.ID, Type: m.Type, Field: f.field, Reason: f.reason, Text: f.text})
}

const maxSkipped = 1000

func (c *collector) skip(m *Message, reason string) {
	k := Skipped{Type: clip(m.Type), Reason: reason}
	if _, there := c.skipped[k]; !there && len(c.skipped) >= maxSkipped {
		k.Type = ""
	}
	c.skipped[k]++
}

func (c *collector) add(m *Message) {
	c.out.In++
	p, skip, f := c.read(m)
	switch {
	case f.reason != "":
		c.refuse(m, f)
	case skip != "":
		c.skip(m, skip)
	default:
		c.pending = append(c.pending, p)
	}
}

// note remembers which artifact a chain is about.
func (c *collector) note(chain string, a artifact) {
	if known := c.chains[chain]; chain != "" && a.model != "" && a.version != "" && len(known) < 2 && !slices.Contains(known, a) {
		c.chains[chain] = append(known, a)
	}
}

// finish gives events what others of their chain know, and numbers the attempts.
func (c *collector) finish() Result {
	ready := c.pending[:0]
	for _, p := range c.pending {
		if f := c.join(&p); f.reason != "" {
			c.refuse(&p.m, f)
			continue
		}
		ready = append(ready, p)
	}
	number(ready)
	for _, p := range ready {
		c.out.Events = append(c.out.Events, p.e)
	}
	for k, n := range c.skipped {
		k.N = n
		c.out.Skipped = append(c.out.Skipped, k)
	}
	slices.SortFunc(c.out.Skipped, func(a, b Skipped) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Reason, b.Reason))
	})
	if len(c.strange) > 0 {
		var names []string
		for name := range c.strange {
			names = append(names, fmt.Sprintf("%q", name))
		}
		slices.Sort(names)
		c.out.Warnings = append(c.out.Warnings, stats.Warning{Code: WarnUnmapped,
			Message: fmt.Sprintf("traffic in %s counts for environments of their own; if they are production, say so in Places", clip(strings.Join(names, ", ")))})
	}
	return c.out
}

// join completes the model and the version.
func (c *collector) join(p *pending) fault {
	operational := p.e.Kind >= leadtime.IncidentDetected
	if p.e.Model == "" || p.e.Version == "" && !operational {
		known := c.chains[p.chain]
		if p.chain == "" {
			known = nil
		}
		known = slices.DeleteFunc(slices.Clone(known), func(a artifact) bool { return p.e.Model != "" && p.e.Model != a.model })
		switch {
		case p.fault.reason != "":
			return p.fault
		case len(known) == 1:
			p.e.Model, p.e.Version = known[0].model, cmp.Or(p.e.Version, known[0].version)
		case operational && p.model != "":
			p.e.Model = p.model
		case len(known) > 1:
			return fault{"context.chainId", ReasonAmbiguous, p.chain}
		case p.e.Model != "":
			return fault{"version", ReasonMissing, ""}
		default:
			return fault{"", ReasonNoArtifact, ""}
		}
	}
	return fault{}
}

// number counts the runs of a stage of a version by their first time.
func number(all []pending) {
	type place struct{ model, version, stage string }
	type run struct {
		id    string
		first time.Time
	}
	runs := map[place][]run{}
	at := func(p *pending) place { return place{p.e.Model, p.e.Version, p.e.Stage} }
	for i := range all {
		p := &all[i]
		if p.run == "" || p.e.Attempt != 0 {
			continue
		}
		k := at(p)
		j := slices.IndexFunc(runs[k], func(r run) bool { return r.id == p.run })
		switch {
		case j < 0:
			runs[k] = append(runs[k], run{p.run, p.e.At})
		case p.e.At.Before(runs[k][j].first):
			runs[k][j].first = p.e.At
		}
	}
	for _, rs := range runs {
		slices.SortFunc(rs, func(a, b run) int { return cmp.Or(a.first.Compare(b.first), strings.Compare(a.id, b.id)) })
	}
	for i := range all {
		p := &all[i]
		if p.run != "" && p.e.Attempt == 0 {
			p.e.Attempt = 1 + slices.IndexFunc(runs[at(p)], func(r run) bool { return r.id == p.run })
		}
	}
}
