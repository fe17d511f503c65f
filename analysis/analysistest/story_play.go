package analysistest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// player is a story while it is told.
type player struct {
	story   *story
	fsys    fs.FS
	options StoryOptions

	policy    *analysis.Policy
	shadow    *analysis.Policy
	now       time.Time
	stage     string
	evidence  []stageTraffic
	overrides []analysis.Override
	says      []scripted
	problems  []analysis.SourceProblem

	state   *analysis.State
	before  *analysis.Verdict // the verdict before the last look's
	verdict *analysis.Verdict // of the last look, nil when it was refused
	refused error             // of the last look
	decided *command          // the last look
	judged  bool              // whether an expectation has followed it
	looks   int
}

// play tells the story and returns all that went otherwise, or nil.
func (s *story) play(fsys fs.FS, o StoryOptions) error {
	p := &player{story: s, fsys: fsys, options: o, now: day.Add(12 * time.Hour)}
	var wrong []error
	for i := range s.body {
		c := &s.body[i]
		err := p.do(c)
		if err == nil {
			continue
		}
		if at := new(lineError); errors.As(err, &at) { // what follows would make no sense
			return errors.Join(append(wrong, fmt.Errorf("%s:%d: %s", s.file, at.line, at.msg))...)
		}
		wrong = append(wrong, fmt.Errorf("%s:%d: %w", s.file, c.line, err))
	}
	switch {
	case p.decided == nil:
		wrong = append(wrong, fmt.Errorf("%s:%d: story %q decides nothing; add a line decide", s.file, s.line, s.name))
	case !p.judged:
		wrong = append(wrong, fmt.Errorf("%s:%d: nothing is expected of this look", s.file, p.decided.line))
	}
	if len(wrong) == 0 {
		return nil
	}
	head := fmt.Sprintf("story %q\n", s.name)
	for _, why := range s.why {
		head += "    # " + why + "\n"
	}
	return fmt.Errorf("%s%w", head, errors.Join(wrong...))
}

func (p *player) do(c *command) error {
	if len(c.block) > 0 && !slices.Contains([]string{"policy", "shadow", "findings"}, c.words[0]) {
		return &lineError{c.block[0].line, fmt.Sprintf("no line is indented under %s", c.words[0])}
	}
	words := c.words[1:]
	switch c.words[0] {
	case "policy", "shadow":
		pol, err := p.setPolicy(c)
		if err != nil {
			return err
		}
		if c.words[0] == "shadow" {
			p.shadow = pol
			return nil
		}
		if pol == nil {
			return c.errorf("a story has a policy")
		}
		p.policy = pol
	case "candidate":
		if len(words) != 1 || p.policy == nil {
			return c.errorf("write candidate NAME, after the policy")
		}
		p.policy.Model.Candidate = words[0]
	case "at":
		if len(words) != 1 && (len(words) != 3 || words[1] != "stage") {
			return c.errorf("write at TIME or at TIME stage NAME")
		}
		t, err := p.time(words[0])
		if err != nil {
			return c.errorf("%s: %v", words[0], err)
		}
		p.now = t
		if len(words) == 3 {
			p.stage = words[2]
		}
	case "stage":
		if len(words) != 1 {
			return c.errorf("write stage NAME")
		}
		p.stage = words[0]
	case "traffic":
		return p.setTraffic(c, words)
	case "findings":
		return p.addFindings(c, words)
	case "problem":
		return p.addProblem(c, words)
	case "override":
		return p.addOverride(c, words)
	case "withdraw":
		p.overrides = nil
	case "forget":
		p.state, p.verdict, p.before = nil, nil, nil
	case "decide":
		return p.decide(c, words)
	case "expect":
		return p.expect(c, words)
	default:
		return c.errorf("unknown command %s; the commands are in the documentation of package analysistest", c.words[0])
	}
	return nil
}

func (p *player) time(s string) (time.Time, error) { return parseTime(s, p.now) }

func (p *player) addFindings(c *command, words []string) error {
	if len(words) > 0 {
		return c.errorf("write the findings on lines of their own, indented")
	}
	for i := range c.block {
		b := &c.block[i]
		s, err := p.parseFinding(b, b.words)
		if err != nil {
			return err
		}
		p.says = append(p.says, s)
	}
	return nil
}

func (p *player) addProblem(c *command, words []string) error {
	rest, o, err := c.takeOptions(words)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return c.errorf(`write problem "what failed"`)
	}
	p.problems = append(p.problems, analysis.SourceProblem{Text: rest[0], Name: o.text("metric"), Arm: o.text("arm")})
	return o.unused()
}

func (p *player) addOverride(c *command, words []string) error {
	rest, o, err := c.takeOptions(words)
	if err != nil {
		return err
	}
	if len(rest) < 1 || len(rest) > 3 {
		return c.errorf("write override accept|continue|pause|rollback [CHECK [METRIC]] who= why= until=")
	}
	out := analysis.Override{Who: o.text("who"), Why: o.text("why")}
	if out.Action, err = parseWord[analysis.OverrideAction](rest[0]); err != nil {
		return c.errorf("%v", err)
	}
	if err := read(&o, "until", &out.Expires, p.time); err != nil {
		return err
	}
	rest = append(rest, "", "")
	out.Check, out.Metric = rest[1], rest[2]
	p.overrides = append(p.overrides, out)
	return o.unused()
}

// decide is one look.
func (p *player) decide(c *command, words []string) error {
	switch {
	case p.policy == nil:
		return c.errorf("a story has a policy")
	case p.decided != nil && !p.judged:
		return &lineError{p.decided.line, "nothing is expected of this look"}
	case p.refused != nil:
		return c.errorf("the look before was refused; tell this in a story of its own")
	}
	p.decided, p.judged = c, false
	p.looks++
	p.before = p.verdict
	defer func() { p.says, p.problems = nil, nil }()
	switch {
	case len(words) == 1 && words[0] == "findings":
		return p.decideFindings(c)
	case len(words) > 0:
		return c.errorf("write decide or decide findings")
	}
	var shadows []*analysis.Policy
	if p.shadow != nil {
		shadows = append(shadows, p.shadow)
	}
	p.hand(p.says)
	for _, s := range p.says {
		if !s.used {
			return &lineError{s.line, fmt.Sprintf("the policy has no check %s", s.check)}
		}
	}
	evidence, err := p.snapshots()
	if err != nil {
		return c.errorf("%v", err)
	}
	look := analysis.Look{Stage: p.stage, Evidence: evidence, Problems: p.problems,
		Overrides: p.overrides, Shadows: shadows, State: p.state, Now: p.now}
	v, err := p.policy.Evaluate(look)
	if err != nil {
		p.verdict, p.refused = nil, err
		return nil
	}
	return errors.Join(p.keep(&v), p.promises(look))
}

// keep stores the state of a verdict as a controller would, in JSON.
func (p *player) keep(v *analysis.Verdict) error {
	p.verdict, p.state = v, new(analysis.State)
	text, err := json.Marshal(v.State)
	if err != nil {
		return fmt.Errorf("the state has no JSON form: %w", err)
	}
	return json.Unmarshal(text, p.state)
}

// hand gives the findings of a look to the checks.
func (p *player) hand(says []scripted) {
	hand(says, p.policy)
	if p.shadow != nil {
		hand(says, p.shadow)
	}
}

// decideFindings is the look of a controller that hands over bare findings.
func (p *player) decideFindings(c *command) error {
	if len(p.overrides)+len(p.problems)+len(p.evidence) > 0 || p.stage != "" || p.shadow != nil {
		return c.errorf("bare findings come without stages, traffic, problems, overrides and shadows; write decide")
	}
	var fs []analysis.Finding
	for _, s := range p.says {
		if s.broken != "" {
			return &lineError{s.line, "a bare finding has an outcome"}
		}
		fs = append(fs, s.finding)
	}
	state := p.state
	v := p.policy.Decide(fs, state, p.now)
	kept := p.keep(&v)
	again := p.policy.Decide(twice(fs), state, p.now)
	return errors.Join(kept, same(&v, &again, otherOrder), recorded(&v, p.before))
}

// report is the text of the verdict for a failure.
func (p *player) report() string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "  look %d at %s", p.looks, p.now.Format("15:04"))
	if p.stage != "" {
		fmt.Fprintf(&sb, ", stage %s", p.stage)
	}
	sb.WriteString(":\n")
	text, err := reportOf(p.verdict)
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(text) {
		sb.WriteString("    " + line)
	}
	return sb.String()
}

func reportOf(v *analysis.Verdict) (string, error) {
	var sb strings.Builder
	err := v.WriteText(&sb, analysis.TextOptions{Width: 120})
	return strings.TrimRight(sb.String(), "\n"), err
}
