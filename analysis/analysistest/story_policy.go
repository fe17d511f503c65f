package analysistest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// script is a check that reports what the story says.
type script struct {
	name    string
	columns []analysis.ColumnSpec
	metrics []analysis.MetricSpec
	says    []scripted
}

func (s *script) Name() string                   { return s.name }
func (s *script) Columns() []analysis.ColumnSpec { return s.columns }
func (s *script) Metrics() []analysis.MetricSpec { return s.metrics }

// Stratified lets the check run once a look, with all stages.
func (s *script) Stratified() {}

func (s *script) Run(*analysis.Evidence) ([]analysis.Finding, error) {
	var out []analysis.Finding
	for _, f := range s.says {
		switch f.broken {
		case "panics":
			panic("the story says so")
		case "fails":
			return nil, fmt.Errorf("the story says so")
		case "silent":
		default:
			f.finding.Check = s.name
			out = append(out, f.finding)
		}
	}
	return out, nil
}

// setPolicy makes a policy from a command: of a file, of its text, or in short
// form. It is nil for the word none.
func (p *player) setPolicy(c *command) (*analysis.Policy, error) {
	switch {
	case len(c.words) == 1:
		return shortPolicy(c)
	case len(c.words) == 2 && c.words[1] == "none":
		return nil, nil
	case len(c.words) == 2 && c.words[1] == "yaml":
		// blank lines keep the lines of messages those of the story
		return p.load(c, p.story.file, strings.Repeat("\n", c.line)+c.raw)
	case len(c.words) == 3 && c.words[1] == "file":
		name := path.Join(path.Dir(p.story.file), c.words[2])
		text, err := fs.ReadFile(p.fsys, name)
		if err != nil {
			return nil, c.errorf("%v", err)
		}
		return p.load(c, name, string(text))
	}
	return nil, c.errorf("write %s with lines under it, %s yaml, or %s file NAME", c.words[0], c.words[0], c.words[0])
}

func (p *player) load(c *command, name, text string) (*analysis.Policy, error) {
	if p.options.Registry == nil {
		return nil, c.errorf("a policy in YAML needs StoryOptions.Registry, such as checks.Builtin()")
	}
	pol, err := analysis.LoadPolicy(name, []byte(text), p.options.Registry)
	if err != nil {
		return nil, c.errorf("the policy does not load:\n%v", err)
	}
	for i := range pol.Checks {
		e := &pol.Checks[i]
		s := &script{name: e.Check.Name(), columns: e.Check.Columns()}
		if u, ok := e.Check.(analysis.MetricUser); ok {
			s.metrics = u.Metrics()
		}
		e.Check = s
	}
	return pol, nil
}

// shortPolicy reads a policy in short form. Its digest is that of its text.
func shortPolicy(c *command) (*analysis.Policy, error) {
	p := &analysis.Policy{
		Version: 1,
		Model:   analysis.Model{Name: "model", Baseline: "v1", Candidate: "v2"},
		Columns: analysis.Columns{Time: "ts", Unit: "id"},
		Split:   analysis.Split{Baseline: 0.5, Candidate: 0.5},
		Budget:  analysis.Budget{Rollback: 0.05, Pause: 0.10, SRM: 0.001},
	}
	var text strings.Builder
	for i := range c.block {
		if err := addToPolicy(p, &c.block[i]); err != nil {
			return nil, err
		}
		fmt.Fprintf(&text, "%q\n", c.block[i].words)
	}
	if len(p.Checks) == 0 && text.Len() == 0 {
		return nil, c.errorf("a policy has lines under it, such as: require a b")
	}
	sum := sha256.Sum256([]byte(text.String()))
	p.Digest = hex.EncodeToString(sum[:])
	return p, nil
}

func addToPolicy(p *analysis.Policy, c *command) error {
	rest, o, err := c.takeOptions(c.words[1:])
	if err != nil {
		return err
	}
	switch c.words[0] {
	case "require":
		err = addChecks(p, c, rest, true, analysis.SeverityRollback)
	case "optional":
		err = addChecks(p, c, rest, false, analysis.SeverityWarn)
	case "mute":
		err = changeChecks(p, c, rest, func(e *analysis.CheckEntry) { e.Muted = true })
	case "auto_resume":
		err = changeChecks(p, c, rest, func(e *analysis.CheckEntry) { e.AutoResume = true })
	case "baseline":
		err = setBaseline(p, c, rest)
	case "looks":
		err = setLooks(p, c, rest)
	case "exposure":
		if err = read(&o, "units", &p.Exposure.MinUnits, parseUint); err == nil {
			err = read(&o, "duration", &p.Exposure.MinDuration, parseDuration)
		}
	case "stage":
		err = addStage(p, c, rest, &o)
	case "deadline":
		err = setDeadline(p, c, rest, &o)
	case "table":
		err = setRule(p, c, rest)
	default:
		return c.errorf("unknown word %s; a policy in short form has require, optional, mute, auto_resume, baseline, looks, exposure, stage, deadline and table", c.words[0])
	}
	if err != nil {
		return err
	}
	return o.unused()
}

func addChecks(p *analysis.Policy, c *command, names []string, required bool, severity analysis.Severity) error {
	if n := len(names); n > 1 {
		if s, err := parseWord[analysis.Severity](names[n-1]); err == nil {
			severity, names = s, names[:n-1]
		}
	}
	if len(names) == 0 {
		return c.errorf("name a check")
	}
	for _, name := range names {
		p.Checks = append(p.Checks, analysis.CheckEntry{Severity: severity, Required: required, Check: &script{
			name: name, metrics: []analysis.MetricSpec{{Name: name, Kind: analysis.RatioMetric}}}})
	}
	return nil
}

func changeChecks(p *analysis.Policy, c *command, names []string, change func(*analysis.CheckEntry)) error {
	if len(names) == 0 {
		return c.errorf("name a check")
	}
	for _, name := range names {
		found := false
		for i := range p.Checks {
			if p.Checks[i].Check.Name() == name {
				change(&p.Checks[i])
				found = true
			}
		}
		if !found {
			return c.errorf("there is no check %s above this line", name)
		}
	}
	return nil
}

func setBaseline(p *analysis.Policy, c *command, rest []string) error {
	if len(rest) != 2 {
		return c.errorf("write baseline CHECK KIND")
	}
	kind, err := parseWord[analysis.BaselineKind](rest[1])
	if err != nil {
		return c.errorf("%v", err)
	}
	return changeChecks(p, c, rest[:1], func(e *analysis.CheckEntry) { e.Baseline = kind })
}

func setLooks(p *analysis.Policy, c *command, rest []string) error {
	switch strings.Join(rest, " ") {
	case "continuous":
		p.Looks = analysis.Looks{}
		return nil
	case "once":
		p.Looks = analysis.Looks{Kind: analysis.Once}
		return nil
	}
	if len(rest) == 1 {
		if n, err := parseInt(rest[0]); err == nil && n > 0 {
			p.Looks = analysis.Looks{Kind: analysis.Scheduled, Schedule: n}
			return nil
		}
	}
	return c.errorf("write looks continuous, looks once, or looks N")
}

func addStage(p *analysis.Policy, c *command, rest []string, o *options) error {
	if len(rest) != 2 {
		return c.errorf("write stage NAME WEIGHT")
	}
	w, err := strconv.ParseFloat(strings.TrimSuffix(rest[1], "%"), 64)
	if err != nil || !(w > 0 && w <= 100) {
		return c.errorf("the weight %s is not a percentage", rest[1])
	}
	s := analysis.Stage{Name: rest[0], Weight: w}
	if err := read(o, "units", &s.MinUnits, parseUint); err != nil {
		return err
	}
	if err := read(o, "duration", &s.Duration, parseDuration); err != nil {
		return err
	}
	p.Stages = append(p.Stages, s)
	return nil
}

func setDeadline(p *analysis.Policy, c *command, rest []string, o *options) error {
	ds := []*analysis.Deadlines{&p.Deadlines}
	if len(rest) == 2 {
		ds = nil
		if err := changeChecks(p, c, rest[:1], func(e *analysis.CheckEntry) { ds = append(ds, &e.Deadlines) }); err != nil {
			return err
		}
		rest = rest[1:]
	}
	if len(rest) != 1 || !o.has("then") {
		return c.errorf("write deadline [CHECK] no_data|provider_error|undecided after=30m then=pause|rollback|continue")
	}
	var d analysis.Deadline
	if err := read(o, "after", &d.After, parseDuration); err != nil {
		return err
	}
	if err := read(o, "looks", &d.Looks, parseUint); err != nil {
		return err
	}
	if err := read(o, "then", &d.Then, parseWord[analysis.DeadlineAction]); err != nil {
		return err
	}
	if d.After <= time.Duration(0) && d.Looks == 0 {
		return c.errorf("a deadline is after=D, looks=N, or both")
	}
	for _, own := range ds {
		switch rest[0] {
		case "no_data":
			own.NoData = d
		case "provider_error":
			own.ProviderError = d
		case "undecided":
			own.Undecided = d
		default:
			return c.errorf("unknown deadline %s; it is one of no_data, provider_error and undecided", rest[0])
		}
	}
	return nil
}

// setRule replaces one rule of the decision table.
func setRule(p *analysis.Policy, c *command, rest []string) error {
	if len(rest) == 1 && rest[0] == "empty" {
		p.Table = analysis.DecisionTable{}
		return nil
	}
	if len(rest) < 4 || len(rest) > 6 || rest[2] != "required" && rest[2] != "optional" {
		return c.errorf("write table OUTCOME SEVERITY required|optional DECISION [RESUME] [CODE]")
	}
	r := analysis.Rule{Required: rest[2] == "required"}
	var err error
	if r.Outcome, err = parseWord[analysis.Outcome](rest[0]); err != nil {
		return c.errorf("%v", err)
	}
	if r.Severity, err = parseWord[analysis.Severity](rest[1]); err != nil {
		return c.errorf("%v", err)
	}
	if r.Decision, err = parseWord[analysis.Decision](rest[3]); err != nil {
		return c.errorf("%v", err)
	}
	if len(rest) > 4 {
		if r.Resume, err = parseWord[analysis.Resume](rest[4]); err != nil {
			return c.errorf("%v", err)
		}
	}
	if len(rest) > 5 {
		r.Reason = rest[5]
	}
	if p.Table == nil {
		p.Table = analysis.DefaultTable()
	}
	i := slices.IndexFunc(p.Table, func(o analysis.Rule) bool {
		return o.Outcome == r.Outcome && o.Severity == r.Severity && o.Required == r.Required
	})
	if i < 0 {
		p.Table = append(p.Table, r)
		return nil
	}
	p.Table[i] = r
	return nil
}
