package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// The JUnit form of a verdict: the subset of elements and attributes that Jenkins
// (junit-10.xsd of its xUnit plugin) and GitLab both read.
type (
	junitSuites struct {
		XMLName  xml.Name   `xml:"testsuites"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Time     string     `xml:"time,attr"`
		Suite    junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        *junitText      `xml:"system-out"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Time    string       `xml:"time,attr"`
		Failure *junitResult `xml:"failure"`
		Error   *junitResult `xml:"error"`
		Skipped *junitResult `xml:"skipped"`
		Out     *junitText   `xml:"system-out"`
	}
	junitResult struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
		Text    string `xml:",cdata"`
	}
	junitText struct {
		Text string `xml:",cdata"` // keeps the line ends as they are
	}
)

// The types of failures that are not named after an outcome.
const (
	junitUndecided = "undecided" // a required check without an answer
	junitUntrusted = "untrusted" // an answer that rests on invalid data
	junitAccepted  = "accepted"  // a finding in spite of which the verdict continues
)

// junitVerdict is the class of the case of the verdict itself, which is no check.
const junitVerdict = "rampguard"

// writeJUnit writes the verdict for a CI server: a case for the verdict, then one
// for each finding, with the check as its class.
//
// A case fails or errs if and only if the verdict is not Continue, so that the test
// report and the exit status never disagree: findings of required checks without an
// answer fail, as no evidence is no pass; what cannot decide is skipped and says
// why; and the case of the verdict fails for reasons that no finding has, such as
// too little traffic or a rollback that was proven before. The verdict has no
// duration, so every time is 0 and the same verdict gives the same bytes.
func writeJUnit(w io.Writer, v *analysis.Verdict) error {
	s := junitSuite{Name: shown(junitName(v)), Time: "0", Properties: junitProperties(v)}
	if at, err := time.Parse(time.RFC3339Nano, v.Record.DecidedAt); err == nil {
		s.Timestamp = at.UTC().Format("2006-01-02T15:04:05")
	}
	s.Cases = append(s.Cases, junitVerdictCase(v))
	names := map[[2]string]int{}
	for i := range v.Findings {
		c := junitFindingCase(v, &v.Findings[i])
		// GitLab tells cases apart by class and name.
		id := [2]string{c.Class, c.Name}
		if names[id]++; names[id] > 1 {
			c.Name += fmt.Sprintf(" #%d", names[id])
		}
		s.Cases = append(s.Cases, c)
	}
	for i := range s.Cases {
		switch c := &s.Cases[i]; {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	s.Tests = len(s.Cases)
	var others []string
	for i := range v.Shadows {
		o := &v.Shadows[i]
		others = append(others, shown(fmt.Sprintf("Shadow policy %.12s, which does not decide: %v", o.PolicyDigest, o.Decision)))
	}
	if len(others) > 0 {
		s.Out = &junitText{strings.Join(others, "\n")}
	}
	all := junitSuites{Name: "rampguard", Tests: s.Tests, Failures: s.Failures, Errors: s.Errors, Time: "0", Suite: s}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// junitName names the suite after the model and the stage.
func junitName(v *analysis.Verdict) string {
	name := v.Model.Name
	if name == "" {
		name = "model"
	}
	if v.Model.Baseline != "" || v.Model.Candidate != "" {
		name += " " + v.Model.Baseline + " -> " + v.Model.Candidate
	}
	if v.Stage != "" {
		name += " " + v.Stage
	}
	return name
}

// junitProperties say what the verdict is and what it rests on; empty ones are left
// out.
func junitProperties(v *analysis.Verdict) []junitProperty {
	r := &v.Record
	props := []junitProperty{
		{"decision", v.Decision.String()}, {"resume", ""}, {"exit_status", strconv.Itoa(v.ExitCode())}, {"stage", v.Stage}, {"next_stage", v.Next},
		{"engine", r.Engine}, {"policy_digest", r.PolicyDigest}, {"record_digest", r.Digest}, {"decided_at", r.DecidedAt},
	}
	if v.Decision == analysis.Pause {
		props[1].Value = v.Resume.String()
		if v.CheckAfter > 0 {
			props = append(props, junitProperty{"check_after_seconds", strconv.FormatFloat(v.CheckAfter.Seconds(), 'f', 0, 64)})
		}
	}
	for _, in := range r.Inputs {
		name := in.Arm
		if in.Stage != "" {
			name += "." + in.Stage
		}
		props = append(props, junitProperty{name + "_digest", in.Digest}, junitProperty{name + "_rows", strconv.FormatUint(in.Rows, 10)})
	}
	props = slices.DeleteFunc(props, func(p junitProperty) bool { return p.Value == "" })
	for i := range props {
		props[i] = junitProperty{shown(props[i].Name), shown(props[i].Value)}
	}
	return props
}

// junitVerdictCase is the verdict as a case: it passes when the rollout continues.
func junitVerdictCase(v *analysis.Verdict) junitCase {
	c := junitCase{Class: junitVerdict, Name: "verdict", Time: "0"}
	var lines []string
	for _, r := range v.Reasons {
		who := ""
		if r.Check != "" {
			who = r.Check + ": "
		}
		lines = append(lines, fmt.Sprintf("[%s] %s%s", r.Code, who, r.Text))
	}
	text := shown(strings.Join(lines, "\n"))
	if v.Decision == analysis.Continue {
		c.Out = &junitText{text}
		return c
	}
	kind := v.Decision.String()
	if v.Decision == analysis.Pause {
		kind += "_" + v.Resume.String()
	}
	c.Failure = &junitResult{Type: kind, Message: shown(v.Headline()), Text: text}
	return c
}

// junitFindingCase is one finding as a case.
func junitFindingCase(v *analysis.Verdict, f *analysis.Finding) junitCase {
	c := junitCase{Class: shown(f.Check), Name: shown(junitTitle(f)), Time: "0"}
	r := &junitResult{Type: f.Outcome.String(), Message: shown(f.Message), Text: shown(junitNumbers(f))}
	undecided := slices.Contains([]analysis.Outcome{analysis.Inconclusive, analysis.Insufficient, analysis.NoData}, f.Outcome)
	switch {
	case f.Outcome == analysis.Muted:
		c.Skipped = r
	case !holds(f):
		switch {
		case f.Untrusted:
			r.Type = junitUntrusted
			r.Message = "Not to be trusted, as the data is invalid: " + r.Message
			c.Skipped = r
		case f.Outcome == analysis.Pass || f.Outcome == analysis.Warn:
			c.Out = &junitText{r.Message + "\n" + r.Text}
		default:
			c.Skipped = r
		}
	case v.Decision == analysis.Continue:
		r.Message = "The verdict continues in spite of it: " + r.Message
		r.Type = junitAccepted
		c.Skipped = r
	case f.Outcome == analysis.ProviderError:
		c.Error = r
	case f.Untrusted:
		r.Type = junitUntrusted
		r.Message = "Not to be trusted, as the data is invalid: " + r.Message
		c.Failure = r
	case undecided:
		r.Type = junitUndecided
		c.Failure = r
	default:
		c.Failure = r
	}
	return c
}

// holds reports whether a finding by itself would keep the rollout from continuing.
func holds(f *analysis.Finding) bool {
	table := analysis.DefaultTable()
	i := slices.IndexFunc(table, func(r analysis.Rule) bool {
		return r.Outcome == f.Outcome && r.Severity == f.Severity && r.Required == f.Required
	})
	return i < 0 || table[i].Decision != analysis.Continue
}

// junitTitle says what a finding is about, without its check.
func junitTitle(f *analysis.Finding) string {
	t := f.Metric
	if t == "" {
		t = f.Code
	}
	if f.Column != "" {
		t += " of " + f.Column
	}
	if len(f.Slice) > 0 {
		t += " where " + f.Slice.String()
	}
	if f.Stage != "" {
		t += " in stage " + f.Stage
	}
	return t
}

// junitNumbers lists the numbers behind a finding, a line each.
func junitNumbers(f *analysis.Finding) string {
	required := "optional"
	if f.Required {
		required = "required"
	}
	lines := []string{fmt.Sprintf("outcome %v, severity %v, %s, code %s", f.Outcome, f.Severity, required, f.Code)}
	if e := f.Estimate; !math.IsNaN(e.Point) {
		line := fmt.Sprintf("estimate %.4g", e.Point)
		if e.Level > 0 {
			line += fmt.Sprintf(", %.4g%% interval %.4g to %.4g", 100*e.Level, e.Lo, e.Hi)
		}
		if limit := float64(f.Limit); !math.IsNaN(limit) {
			line += fmt.Sprintf(", limit %.4g", limit)
		}
		if f.Unit != "" {
			line += ", unit " + f.Unit
		}
		lines = append(lines, line)
	}
	if f.N != (analysis.Counts{}) {
		lines = append(lines, fmt.Sprintf("n = %s baseline, %s candidate", group(f.N.Baseline), group(f.N.Candidate)))
	}
	switch {
	case f.UnitsNeeded > 0 && f.Pairs:
		lines = append(lines, fmt.Sprintf("about %s more would decide", plural(f.UnitsNeeded, "pair")))
	case f.UnitsNeeded > 0:
		lines = append(lines, fmt.Sprintf("about %s more per arm would decide", plural(f.UnitsNeeded, "unit")))
	}
	if f.Method != "" {
		lines = append(lines, "method: "+f.Method)
	}
	for _, w := range f.Warnings {
		lines = append(lines, "warning: "+w.Message)
	}
	return strings.Join(lines, "\n")
}
