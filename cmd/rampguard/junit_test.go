package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// found is a finding with what a test needs of it.
func found(check, metric string, o analysis.Outcome, s analysis.Severity, required bool, message string) analysis.Finding {
	f := analysis.NewFinding(check, "a_code", metric)
	f.Outcome, f.Severity, f.Required, f.Message = o, s, required, message
	return f
}

func junitOf(t *testing.T, v *analysis.Verdict) string {
	t.Helper()
	var sb strings.Builder
	if err := writeJUnit(&sb, v); err != nil {
		t.Fatal(err)
	}
	return sb.String()
}

// The whole report of a made-up verdict, in which every kind of case occurs.
func TestJUnitGolden(t *testing.T) {
	harm := found("guardrail", "error", analysis.Harm, analysis.SeverityRollback, true, `error is "worse" & <surely> so`)
	harm.Estimate = stats.Interval{Point: 0.03, Lo: 0.02, Hi: 0.04, Level: 0.9}
	harm.Limit, harm.Unit, harm.N = 0.01, "pp", analysis.Counts{Baseline: 12000, Candidate: 700}
	early := found("guardrail", "auc", analysis.Insufficient, analysis.SeverityRollback, true, "too few")
	early.UnitsNeeded, early.Slice, early.Stage = 4200, analysis.SliceKey{"country": "DE"}, "canary"
	v := &analysis.Verdict{
		Decision: analysis.Rollback, Model: analysis.Model{Name: "fraud", Baseline: "v1", Candidate: "v2"}, Stage: "canary",
		Reasons: []analysis.Reason{{Code: "harm", Check: "guardrail", Text: "error is worse"}},
		Findings: []analysis.Finding{
			found("schema", "null_rate", analysis.Pass, analysis.SeverityPause, true, "as declared"),
			harm, early, early,
			found("drift", "psi", analysis.ProviderError, analysis.SeverityPause, true, "timed out"),
			found("drift", "ks", analysis.Muted, analysis.SeverityPause, false, "muted"),
			found("drift", "tv", analysis.Harm, analysis.SeverityWarn, false, "only warns"),
		},
		Record: analysis.Record{Engine: "e1", PolicyDigest: "p1", Digest: "d1", DecidedAt: "2026-01-31T13:00:00.5+01:00",
			Inputs: []analysis.Input{{Arm: "baseline", Stage: "canary", Digest: "b1", Rows: 12000}}},
	}
	want, err := os.ReadFile(filepath.Join("testdata", "junit.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), junitOf(t, v)); d != "" {
		t.Error(d)
	}
}

// What a case is, by outcome: the report is green exactly when the exit status is 0.
func TestJUnitCases(t *testing.T) {
	const none, fail, err, skip = "", "failure", "error", "skipped"
	for _, tt := range []struct {
		outcome  analysis.Outcome
		severity analysis.Severity
		required bool
		want     string
		kind     string
	}{
		{analysis.Pass, analysis.SeverityRollback, true, none, ""},
		{analysis.Warn, analysis.SeverityRollback, true, none, ""},
		{analysis.Harm, analysis.SeverityRollback, false, fail, "harm"},
		{analysis.Harm, analysis.SeverityPause, false, fail, "harm"},
		{analysis.Harm, analysis.SeverityWarn, true, fail, "harm"},
		{analysis.Harm, analysis.SeverityWarn, false, skip, "harm"},
		{analysis.Invalid, analysis.SeverityWarn, true, fail, "invalid"},
		{analysis.Invalid, analysis.Info, false, skip, "invalid"},
		{analysis.ProviderError, analysis.SeverityPause, true, err, "provider_error"},
		{analysis.ProviderError, analysis.SeverityWarn, false, skip, "provider_error"},
		{analysis.Inconclusive, analysis.SeverityPause, true, fail, "undecided"},
		{analysis.Insufficient, analysis.SeverityPause, true, fail, "undecided"},
		{analysis.NoData, analysis.SeverityPause, true, fail, "undecided"},
		{analysis.NoData, analysis.SeverityPause, false, skip, "no_data"},
		{analysis.Muted, analysis.SeverityRollback, true, skip, "muted"},
	} {
		f := found("c", "m", tt.outcome, tt.severity, tt.required, "text")
		if tt.outcome == analysis.Pass {
			f.Estimate.Point = 0 // the engine makes a pass without a number invalid
		}
		p := &analysis.Policy{Checks: []analysis.CheckEntry{}}
		v := p.Decide([]analysis.Finding{f}, nil, time.Time{})
		got := junitFindingCase(&v, &f)
		kind, r := none, (*junitResult)(nil)
		switch {
		case got.Failure != nil:
			kind, r = fail, got.Failure
		case got.Error != nil:
			kind, r = err, got.Error
		case got.Skipped != nil:
			kind, r = skip, got.Skipped
		}
		if kind != tt.want || r != nil && r.Type != tt.kind {
			t.Errorf("%v, %v, required %v: %s %+v, want %s of type %s", tt.outcome, tt.severity, tt.required, kind, r, tt.want, tt.kind)
		}
	}
}

// Not one of the verdicts that the engine can give is green unless it continues, and
// none that continues is red.
func TestJUnitAgreesWithTheExitStatus(t *testing.T) {
	for _, rule := range analysis.DefaultTable() {
		for _, untrusted := range []bool{false, true} {
			for _, d := range []analysis.Decision{analysis.Continue, analysis.Pause, analysis.Rollback} {
				f := found("c", "m", rule.Outcome, rule.Severity, rule.Required, "text")
				f.Untrusted = untrusted
				v := &analysis.Verdict{Decision: d, Findings: []analysis.Finding{f}}
				out := junitOf(t, v)
				green := !strings.Contains(out, "<failure") && !strings.Contains(out, "<error")
				if green != (v.ExitCode() == 0) {
					t.Errorf("exit status %d, green: %v\n%s", v.ExitCode(), green, out)
				}
				if untrusted && strings.Count(out, "<testcase")-strings.Count(out, "<failure")-strings.Count(out, "<error")-strings.Count(out, "<skipped") > 1 {
					t.Errorf("an untrusted finding is a passed test\n%s", out)
				}
			}
		}
	}
}

// junitSchema is the part of junit-10.xsd, with which Jenkins validates, that may
// occur: the attributes of an element, with those it must have first, and what may
// stand in it.
var junitSchema = map[string]struct {
	required, optional, children []string
}{
	"testsuites": {nil, []string{"name", "time", "tests", "failures", "errors"}, []string{"testsuite"}},
	"testsuite": {[]string{"name", "tests", "failures", "errors"}, []string{"time", "skipped", "timestamp"},
		[]string{"properties", "testcase", "system-out"}},
	"properties": {nil, nil, []string{"property"}},
	"property":   {[]string{"name", "value"}, nil, nil},
	"testcase":   {[]string{"name"}, []string{"classname", "time"}, []string{"failure", "error", "skipped", "system-out"}},
	"failure":    {nil, []string{"type", "message"}, nil},
	"error":      {nil, []string{"type", "message"}, nil},
	"skipped":    {nil, []string{"type", "message"}, nil},
	"system-out": {},
}

// checkJUnit reads a report as a CI server would and holds it against the schema.
func checkJUnit(t *testing.T, report string) {
	t.Helper()
	if !utf8.ValidString(report) {
		t.Errorf("the report is not UTF-8")
	}
	dec := xml.NewDecoder(strings.NewReader(report))
	var path []string
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, report)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			name := e.Name.Local
			rule, ok := junitSchema[name]
			if !ok || len(path) > 0 && !slices.Contains(junitSchema[path[len(path)-1]].children, name) || len(path) == 0 && name != "testsuites" {
				t.Errorf("<%s> may not stand in %v", name, path)
			}
			var have []string
			for _, a := range e.Attr {
				have = append(have, a.Name.Local)
				if !slices.Contains(rule.required, a.Name.Local) && !slices.Contains(rule.optional, a.Name.Local) {
					t.Errorf("<%s> may not have %s", name, a.Name.Local)
				}
			}
			for _, a := range rule.required {
				if !slices.Contains(have, a) {
					t.Errorf("<%s> must have %s", name, a)
				}
			}
			path = append(path, name)
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
}

func TestJUnitOfTheFlights(t *testing.T) {
	for candidate, want := range map[string]int{"candidate.parquet": 0, "candidate_broken.parquet": 3} {
		args := []string{"check", "--policy", flights + "policy.yaml", "--baseline", flights + "baseline.parquet", "--candidate", flights + candidate,
			"--format", "junit", "--at", "2026-01-31T12:00:00Z"}
		status, out, errs := cli(t, args...)
		if status != want {
			t.Fatalf("exit status %d: %s", status, errs)
		}
		checkJUnit(t, out)
		var got junitSuites
		if err := xml.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		if red := got.Failures+got.Errors > 0; red != (want != 0) || got.Tests != len(got.Suite.Cases) {
			t.Errorf("%s: %d failures and %d errors of %d tests, exit status %d", candidate, got.Failures, got.Errors, got.Tests, status)
		}
		seen := map[string]bool{}
		for _, c := range got.Suite.Cases {
			if seen[c.Class+"\x00"+c.Name] {
				t.Errorf("two cases are %s %s", c.Class, c.Name)
			}
			seen[c.Class+"\x00"+c.Name] = true
		}
		for _, p := range []string{"decision", "policy_digest", "record_digest", "exit_status"} {
			if !slices.ContainsFunc(got.Suite.Properties, func(q junitProperty) bool { return q.Name == p && q.Value != "" }) {
				t.Errorf("no property %s", p)
			}
		}
		if _, again, _ := cli(t, append(args, "--workers", "3")...); again != out {
			t.Error("the same look gives another report")
		}
	}
}

// Whatever a name or a value of the log holds, the report stays XML with the same
// structure, and what can be seen of it comes back.
func FuzzJUnitEscaping(f *testing.F) {
	for _, s := range []string{"plain", `<a b="c">&amp;`, "]]>", "a]]>b]]>", "\x00\x1b[31m\r\n\t", "\xff\xfe", "\uFFFE\uFFFF", "\u2028 \U0001F600", "'\"", "<![CDATA["} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		finding := found(name, name, analysis.Harm, analysis.SeverityRollback, true, text)
		finding.Column, finding.Slice = name, analysis.SliceKey{name: text}
		finding.Warnings = []stats.Warning{{Code: "w", Message: text}}
		pass := finding
		pass.Outcome = analysis.Pass
		v := &analysis.Verdict{Decision: analysis.Rollback, Model: analysis.Model{Name: name, Baseline: text, Candidate: name}, Stage: text,
			Reasons: []analysis.Reason{{Code: "harm", Check: name, Text: text}}, Findings: []analysis.Finding{finding, pass}}
		out := junitOf(t, v)
		checkJUnit(t, out)
		var got junitSuites
		if err := xml.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		if n := len(got.Suite.Cases); n != 3 || got.Failures != 2 {
			t.Fatalf("%d cases, %d failures", n, got.Failures)
		}
		c := got.Suite.Cases[1]
		if c.Class != shown(name) || c.Failure.Message != shown(text) {
			t.Errorf("%q and %q came back as %q and %q", name, text, c.Class, c.Failure.Message)
		}
		if !strings.HasSuffix(c.Failure.Text, "warning: "+shown(text)) {
			t.Errorf("%q came back in %q", text, c.Failure.Text)
		}
	})
}

// A note on the pairs must not stand behind the end of the XML.
func TestJUnitKeepsNotesOut(t *testing.T) {
	var out, errs bytes.Buffer
	if err := withNote(writeJUnit, "junit", "a note", &errs)(&out, new(analysis.Verdict)); err != nil {
		t.Fatal(err)
	}
	checkJUnit(t, out.String())
	if !strings.Contains(errs.String(), "a note") || strings.Contains(out.String(), "a note") {
		t.Errorf("stdout %q, stderr %q", out.String(), errs.String())
	}
}
