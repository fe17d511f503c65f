package analysistest

import (
	"math"
	"strconv"
	"strings"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// scripted is a line under findings.
type scripted struct {
	line    int
	check   string // with #k for the k-th check of the name; "others" for the rest
	broken  string // panics, fails or silent
	used    bool
	finding analysis.Finding
}

// parseFinding reads a line of the form CHECK OUTCOME [SEVERITY] [OPTIONS].
func (p *player) parseFinding(c *command, words []string) (scripted, error) {
	rest, o, err := c.takeOptions(words, "nan", "inf", "local", "required", "optional")
	if err != nil {
		return scripted{}, err
	}
	if len(rest) < 2 || len(rest) > 3 {
		return scripted{}, c.errorf("write CHECK OUTCOME [SEVERITY] [OPTIONS]")
	}
	s := scripted{line: c.line, check: rest[0]}
	name, _, _ := strings.Cut(rest[0], "#")
	f := analysis.NewFinding(name, "story", name)
	switch rest[1] {
	case "panics", "fails", "silent":
		s.broken = rest[1]
	default:
		if n, err := strconv.Atoi(rest[1]); err == nil { // an outcome that no check should give
			f.Outcome = analysis.Outcome(n)
		} else if f.Outcome, err = parseWord[analysis.Outcome](rest[1]); err != nil {
			return s, c.errorf("%v, or panics, fails or silent", err)
		}
	}
	if len(rest) == 3 {
		if f.Severity, err = parseWord[analysis.Severity](rest[2]); err != nil {
			return s, c.errorf("%v", err)
		}
	}
	f.Required = f.Severity >= analysis.SeverityPause // for decide findings; else the policy says so
	if o.has("required") || o.has("optional") {
		f.Required = o.has("required")
	}
	f.Message = name + " says " + rest[1] + "."
	switch f.Outcome {
	case analysis.Pass, analysis.Warn, analysis.Harm, analysis.Inconclusive, analysis.Muted:
		f.Estimate = stats.Interval{Point: 0.01, Lo: 0, Hi: 0.02, Level: 0.9}
		f.Limit = 0.02
		f.N = analysis.Counts{Baseline: 1000, Candidate: 1000}
	case analysis.Insufficient, analysis.NoData, analysis.ProviderError, analysis.Invalid:
	}
	s.finding = f
	return s, p.findingOptions(&s.finding, &o)
}

func (p *player) findingOptions(f *analysis.Finding, o *options) error {
	if o.has("nan") {
		f.Estimate.Point = math.NaN()
	}
	if o.has("inf") {
		f.Estimate.Point = math.Inf(1)
	}
	if o.has("metric") {
		f.Metric = o.text("metric")
	}
	if o.has("says") {
		f.Message = o.text("says")
	}
	f.Column, f.Stage, f.Local = o.text("column"), o.text("stage"), o.has("local")
	if o.has("slice") {
		for part := range strings.SplitSeq(o.text("slice"), ",") {
			name, value, ok := strings.Cut(part, ":")
			if !ok {
				return o.c.errorf("slice=%s: write slice=country:DE,os:ios", o.text("slice"))
			}
			f.Slice[name] = value
		}
	}
	for _, err := range []error{
		read(o, "value", &f.Estimate.Point, parseFloat),
		read(o, "needs", &f.UnitsNeeded, parseUint),
		read(o, "k", &f.Hysteresis.K, parseInt),
		read(o, "of", &f.Hysteresis.Of, parseInt),
		read(o, "clear", &f.Hysteresis.Clear, parseInt),
		read(o, "cooldown", &f.Hysteresis.Cooldown, parseDuration),
		read(o, "window", &f.Window, p.time),
	} {
		if err != nil {
			return err
		}
	}
	if f.Hysteresis.K > 0 && !o.has("window") {
		f.Window = p.now
	}
	return o.unused()
}

// hand gives the findings of a look to the checks of a policy.
func hand(says []scripted, p *analysis.Policy) {
	nth := map[string]int{}
	for i := range p.Checks {
		s, ok := p.Checks[i].Check.(*script)
		if !ok {
			continue
		}
		nth[s.name]++
		s.says = nil
		others := -1
		for j := range says {
			switch says[j].check {
			case s.name, s.name + "#" + strconv.Itoa(nth[s.name]):
				s.says = append(s.says, says[j])
				says[j].used = true
			case "others":
				others = j
			}
		}
		if len(s.says) == 0 && others >= 0 {
			f := says[others]
			f.finding.Metric = s.name
			says[others].used = true
			s.says = []scripted{f}
		}
	}
}
