package analysistest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rampguard/rampguard/analysis"
)

// expect holds the last verdict against one line of the story.
func (p *player) expect(c *command, words []string) error {
	switch {
	case len(words) == 0:
		return c.errorf("write what is expected")
	case p.decided == nil:
		return c.errorf("nothing was decided before this line")
	}
	p.judged = true
	if words[0] == "error" {
		if len(words) != 2 {
			return c.errorf(`write expect error "text"`)
		}
		if p.refused == nil {
			return p.differs(c, "no error")
		}
		if !strings.Contains(p.refused.Error(), words[1]) {
			return p.differs(c, fmt.Sprintf("error %q", p.refused.Error()))
		}
		return nil
	}
	if p.refused != nil {
		return p.differs(c, fmt.Sprintf("error %q", p.refused.Error()))
	}
	got, err := p.compare(c, words)
	if err != nil || got == "" {
		return err
	}
	return p.differs(c, got)
}

// differs is the failure of an expectation.
func (p *player) differs(c *command, got string) error {
	msg := fmt.Sprintf("\n  -%s\n  +expect %s", c.text, got)
	if p.verdict != nil {
		msg += "\n" + p.report()
	}
	return errors.New(msg)
}

// compare returns what the line should say instead, or nothing when it is right.
func (p *player) compare(c *command, words []string) (got string, err error) {
	v := p.verdict
	negated := words[0] == "no" && len(words) > 1
	if negated {
		words = words[1:]
	}
	says := func(have bool, what string) string {
		switch {
		case have == !negated:
			return ""
		case negated:
			return what
		}
		return "no " + what
	}
	rest := words[1:]
	if negated && words[0] != "reason" && words[0] != "text" {
		return "", c.errorf("only reasons and text can be expected not to be")
	}
	switch words[0] {
	case "step":
		have := append([]string{v.Step.String()}, strings.Fields(v.Next)...)
		return differ("step", rest, have), nil
	case "reason":
		if len(rest) < 1 || len(rest) > 2 {
			return "", c.errorf("write expect reason CODE [CHECK]")
		}
		have := slices.ContainsFunc(v.Reasons, func(r analysis.Reason) bool {
			return r.Code == rest[0] && (len(rest) == 1 || r.Check == rest[1])
		})
		return says(have, "reason "+strings.Join(rest, " ")), nil
	case "text":
		if len(rest) != 1 {
			return "", c.errorf(`write expect text "..."`)
		}
		text, err := reportOf(v)
		flat := strings.Join(strings.Fields(text), " ")
		return says(strings.Contains(flat, rest[0]), "text "+strconv.Quote(rest[0])), err
	case "finding":
		return p.compareFinding(c, rest)
	case "wait":
		return differ("wait", rest, []string{shortDuration(v.CheckAfter.String())}), nil
	case "shadow":
		if len(v.Shadows) == 0 {
			return "no shadow", nil
		}
		s := v.Shadows[0]
		have := []string{s.Decision.String(), s.Resume.String(), "agrees"}
		if s.Disagrees {
			have[2] = "disagrees"
		}
		return subset("shadow", rest, have), nil
	case "attempt":
		return differ("attempt", rest, []string{strconv.Itoa(v.State.Attempt)}), nil
	case "look":
		return differ("look", rest, []string{strconv.FormatUint(v.State.Looks, 10)}), nil
	case "exit":
		return differ("exit", rest, []string{strconv.Itoa(v.ExitCode())}), nil
	case "continue", "pause", "rollback":
		code := "none"
		if len(v.Reasons) > 0 {
			code = v.Reasons[0].Code
		}
		return subset("", words, []string{v.Decision.String(), v.Resume.String(), code}), nil
	}
	return "", c.errorf("unknown expectation %s", words[0])
}

// differ compares all words.
func differ(what string, want, have []string) string {
	if slices.Equal(want, have) {
		return ""
	}
	return what + " " + strings.Join(have, " ")
}

// subset asks that every word be among those that hold.
func subset(what string, want, have []string) string {
	for _, w := range want {
		if !slices.Contains(have, w) {
			return strings.TrimSpace(what + " " + strings.Join(have, " "))
		}
	}
	return ""
}

func (p *player) compareFinding(c *command, rest []string) (string, error) {
	if len(rest) < 2 {
		return "", c.errorf("write expect finding CHECK WORD...")
	}
	var all []string
	for i := range p.verdict.Findings {
		f := &p.verdict.Findings[i]
		if f.Check != rest[0] {
			continue
		}
		have := []string{f.Outcome.String(), f.Severity.String(), "trusted", "optional", f.Compared.String(), f.Code}
		if f.Untrusted {
			have[2] = "untrusted"
		}
		if f.Required {
			have[3] = "required"
		}
		differs := subset("finding "+f.Check, rest[1:], have)
		if differs == "" {
			return "", nil
		}
		all = append(all, differs)
	}
	if len(all) == 0 {
		return "no finding " + rest[0], nil
	}
	return strings.Join(all, "\n  +expect "), nil
}

// shortDuration writes 10m0s as 10m.
func shortDuration(s string) string {
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// otherOrder is what two verdicts disagree about that must not.
const otherOrder = "findings in another order, each twice, give another verdict"

// twice is a list backwards, with every item twice.
func twice[T any](list []T) []T {
	out := slices.Concat(list, list)
	slices.Reverse(out)
	return out
}

// promises holds a look against what the engine promises of every look.
func (p *player) promises(l analysis.Look) error {
	stored := map[string]*analysis.Snapshot{}
	for _, e := range l.Evidence {
		for _, s := range []*analysis.Snapshot{e.Baseline, e.Candidate} {
			digest, err := s.Digest()
			if err != nil {
				return err
			}
			stored[digest] = s
		}
	}
	_, err := analysis.Replay(p.verdict, p.policy, func(digest string) (*analysis.Snapshot, error) {
		if s := stored[digest]; s != nil {
			return s, nil
		}
		return nil, fmt.Errorf("no snapshot %s", digest)
	}, l.Shadows...)
	if err != nil {
		err = fmt.Errorf("the look cannot be repeated: %w", err)
	}
	p.hand(twice(p.says))
	again, err2 := p.policy.Evaluate(l)
	if err2 == nil {
		err2 = same(p.verdict, &again, otherOrder)
	}
	return errors.Join(err, err2, recorded(p.verdict, p.before))
}

// recorded holds that a verdict reads back and follows on the one before.
func recorded(v, before *analysis.Verdict) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("the verdict has no JSON form: %w", err)
	}
	back, err := analysis.VerdictFromJSON(text)
	if err != nil {
		return fmt.Errorf("the verdict does not read back: %w", err)
	}
	if err := back.Verify(before); err != nil {
		return fmt.Errorf("the record does not follow on the one before: %w", err)
	}
	return same(v, back, "the verdict reads back as another one")
}

// same compares two verdicts by their bytes.
func same(a, b *analysis.Verdict, what string) error {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if !bytes.Equal(x, y) {
		return fmt.Errorf("%s:\n%s\n%s", what, x, y)
	}
	return nil
}
