package analysistest

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/rampguard/rampguard/analysis"
)

// CheckConformance holds a check against what the engine relies on, and reports
// every rule that it breaks with the reason for the rule:
//
//   - it has a name, and asks for the same columns, metrics and slices every time;
//   - it reports at least one finding, under its own name, with a code, a metric
//     and a message, an outcome and a severity that are known, that reads back
//     from JSON;
//   - the same evidence gives the same findings;
//   - it changes nothing of the evidence;
//   - it neither fails nor panics on data: arms that are missing or empty, columns
//     that are absent or full of nulls, NaN and infinities, rows of one value;
//   - it neither passes, warns nor finds harm where the candidate has no rows, and
//     no pass or warning is without a number;
//   - it spends no more of the error budget than it was given, and never calls
//     itself muted;
//   - logs in one pass or in parts, merged in any order, stored and read back,
//     give the same findings.
//
// The evidence that is given is used as it is. Beside it the function makes logs
// of its own, of the columns that the check asks for and those that the policy of
// the first evidence names; without evidence that is a binary task with a score,
// labels, times, units and actions. A check whose columns do not fit to these has
// to be given evidence.
func CheckConformance(t Failer, check analysis.Check, evidence ...*analysis.Evidence) {
	t.Helper()
	c := conformance{check: check, policy: defaultPolicy(check)}
	if len(evidence) > 0 && evidence[0].Policy != nil {
		p := *evidence[0].Policy
		if len(p.Checks) == 0 {
			p.Checks = c.policy.Checks
		}
		c.policy = &p
	}
	c.declares()
	spec, err := c.policy.Spec()
	if err != nil {
		t.Fatalf("%T does not fit to the policy of the suite; give evidence of a policy of its own: %v", check, err)
		return
	}
	for i, ev := range evidence {
		c.sound(fmt.Sprintf("evidence %d", i+1), ev)
	}
	if err := c.logs(spec); err != nil {
		t.Fatalf("the suite cannot make its logs: %v", err)
		return
	}
	for _, err := range c.broken {
		t.Errorf("%v", err)
	}
}

// conformance is one run of the suite.
type conformance struct {
	check  analysis.Check
	policy *analysis.Policy
	broken []error
	seen   map[string]bool
}

// breaks notes a rule that is broken on some evidence, once a rule.
func (c *conformance) breaks(rule rule, on, format string, args ...any) {
	if c.seen[rule.name] {
		return
	}
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	c.seen[rule.name] = true
	c.broken = append(c.broken, fmt.Errorf("%s: %s\n    on %s: %s\n    why: %s", c.check.Name(), rule.name, on, fmt.Sprintf(format, args...), rule.why))
}

// declares holds what the check says of itself.
func (c *conformance) declares() {
	if strings.TrimSpace(c.check.Name()) == "" {
		c.breaks(ruleName, "its declaration", "Name is empty")
	}
	asks := func() string {
		text := fmt.Sprintf("%q %+v", c.check.Name(), c.check.Columns())
		if u, ok := c.check.(analysis.MetricUser); ok {
			text += fmt.Sprintf(" %+v", u.Metrics())
		}
		return text
	}
	if a, b := asks(), asks(); a != b {
		c.breaks(ruleColumns, "its declaration", "first %s, then %s", a, b)
	}
}

// run calls the check; ok is false when it broke down.
func (c *conformance) run(on string, ev *analysis.Evidence) (fs []analysis.Finding, ok bool) {
	defer func() {
		if v := recover(); v != nil {
			c.breaks(rulePanic, on, "it panicked: %v", v)
			fs, ok = nil, false
		}
	}()
	fs, err := c.check.Run(ev)
	if err != nil {
		c.breaks(ruleError, on, "%v", err)
		return nil, false
	}
	return fs, true
}

// sound holds the rules that are about one piece of evidence, and returns the
// findings in JSON.
func (c *conformance) sound(on string, ev *analysis.Evidence) (text string, ok bool) {
	before := fingerprint(ev)
	fs, ok := c.run(on, ev)
	if !ok {
		return "", false
	}
	if after := fingerprint(ev); after != before {
		c.breaks(ruleMutation, on, "it was\n%s\nand is\n%s", before, after)
	}
	if len(fs) == 0 {
		c.breaks(ruleSilence, on, "no finding")
	}
	for i := range fs {
		c.finding(on, ev, &fs[i])
	}
	text = c.text(on, fs)
	again, ok := c.run(on, ev)
	if !ok {
		return "", false
	}
	if second := c.text(on, again); second != text {
		c.breaks(ruleDeterminism, on, "first\n%s\nthen\n%s", text, second)
	}
	return text, true
}

// text is the JSON form of findings.
func (c *conformance) text(on string, fs []analysis.Finding) string {
	b, err := json.Marshal(fs)
	if err != nil {
		c.breaks(ruleJSON, on, "%v", err)
		return fmt.Sprintf("%+v", fs)
	}
	return string(b)
}

var snakeCase = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

func (c *conformance) finding(on string, ev *analysis.Evidence, f *analysis.Finding) {
	what := fmt.Sprintf("finding %q: ", f.Code)
	if f.Check != "" && f.Check != c.check.Name() {
		c.breaks(ruleFindingName, on, "%sits check is %q", what, f.Check)
	}
	if !snakeCase.MatchString(f.Code) || f.Metric == "" || strings.TrimSpace(f.Message) == "" {
		c.breaks(ruleFindingText, on, "%smetric %q, message %q", what, f.Metric, f.Message)
	}
	if f.Outcome < analysis.Inconclusive || f.Outcome > analysis.Muted || f.Severity < analysis.Info || f.Severity > analysis.SeverityRollback {
		c.breaks(ruleKnown, on, "%s%v, severity %v", what, f.Outcome, f.Severity)
		return
	}
	if f.Outcome == analysis.Muted {
		c.breaks(ruleMuted, on, "%smuted", what)
	}
	concludes := f.Outcome == analysis.Pass || f.Outcome == analysis.Warn
	if concludes && !(f.Estimate.Point < inf) {
		c.breaks(ruleNumber, on, "%s%v with the estimate %v", what, f.Outcome, f.Estimate.Point)
	}
	if (concludes || f.Outcome == analysis.Harm) && noRows(ev) {
		c.breaks(ruleEmpty, on, "%s%v: %s", what, f.Outcome, f.Message)
	}
	if limit := max(ev.Alpha, ev.PauseAlpha); !(f.Alpha >= 0 && f.Alpha <= limit*(1+1e-9)) {
		c.breaks(ruleAlpha, on, "%salpha %v of %v", what, f.Alpha, limit)
	}
	b, err := json.Marshal(f)
	var back analysis.Finding
	if err == nil {
		err = json.Unmarshal(b, &back)
	}
	if err != nil {
		c.breaks(ruleJSON, on, "%s%v", what, err)
		return
	}
	if again, err := json.Marshal(back); err != nil || string(again) != string(b) {
		c.breaks(ruleJSON, on, "%s%s reads back as %s", what, b, again)
	}
}

// noRows reports whether the candidate has no evidence at all.
func noRows(ev *analysis.Evidence) bool {
	arms := []*analysis.Snapshot{ev.Candidate}
	for _, s := range ev.Strata {
		arms = append(arms, s.Candidate)
	}
	for _, s := range arms {
		if s == nil {
			continue
		}
		if s.RowCount > 0 {
			return false
		}
		for i := range s.Metrics {
			if s.Metrics[i].Window.N > 0 {
				return false
			}
		}
	}
	return true
}

// fingerprint identifies evidence, for the rule that a check leaves it alone.
func fingerprint(ev *analysis.Evidence) string {
	var sb strings.Builder
	arm := func(s *analysis.Snapshot) {
		if s == nil {
			sb.WriteString(" nil")
			return
		}
		digest, err := s.Digest()
		fmt.Fprintf(&sb, " %.16s %v", digest, errors.Unwrap(err))
	}
	arm(ev.Baseline)
	arm(ev.Candidate)
	fmt.Fprintf(&sb, " %q %v %v %v %v %v", ev.Stage, ev.Split, ev.Compared, ev.Alpha, ev.PauseAlpha, ev.NoHarmAlpha)
	for _, s := range ev.Strata {
		fmt.Fprintf(&sb, "\n%q %v", s.Stage, s.Split)
		arm(s.Baseline)
		arm(s.Candidate)
	}
	if p := ev.Policy; p != nil {
		q := *p
		q.Checks = nil // holds the check itself
		fmt.Fprintf(&sb, "\n%+v %d", q, len(p.Checks))
	}
	return sb.String()
}
