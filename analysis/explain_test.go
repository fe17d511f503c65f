package analysis_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// verdicts are what a person may be shown, by name.
func verdicts() map[string]analysis.Verdict {
	logLoss := finding("guardrail", analysis.Pass, analysis.SeverityRollback)
	logLoss.Metric, logLoss.Unit, logLoss.Limit = "log_loss", "relative", 0.02
	logLoss.Estimate = stats.Interval{Point: -0.031, Lo: -0.044, Hi: -0.018, Level: 0.9}
	logLoss.N = analysis.Counts{Baseline: 60185, Candidate: 59815}
	logLoss.Message = "Log loss fell from 0.4012 to 0.3888."

	amount := finding("drift", analysis.Warn, analysis.SeverityWarn)
	amount.Metric, amount.Column, amount.Unit, amount.Limit = "js", "amount", "nats", 0.03
	amount.N = logLoss.N
	amount.Message = "amount has moved: most of it between 10 and 12.5."
	amount.Warnings = []stats.Warning{{Code: stats.WarnExcluded, Message: "120 values that are not finite were left out."}}

	latency := finding("guardrail", analysis.Harm, analysis.SeverityRollback)
	latency.Metric, latency.Column, latency.Unit, latency.Limit = "quantile(0.99)", "latency", "ms", 10000
	latency.Slice = analysis.SliceKey{"device": "phone", "country": "DE"}
	latency.Estimate = stats.Interval{Point: 12345.6, Lo: 10999.5, Hi: 13999.9, Level: 0.95}
	latency.HarmBound, latency.Alpha = 10600.2, 0.0125
	latency.N = analysis.Counts{Baseline: 1200, Candidate: 950}
	latency.Message = "The 99th percentile is beyond its bound."

	undecided := finding("guardrail", analysis.Inconclusive, analysis.SeverityPause)
	undecided.Metric, undecided.Unit, undecided.Limit, undecided.UnitsNeeded = "auc", "pp", 0.01, 4200
	undecided.Message = "The difference is too uncertain to tell."

	split := finding("srm", analysis.Invalid, analysis.SeverityPause)
	split.Metric, split.Unit, split.Limit = "candidate_share", "share", 0.5
	split.Message = "The candidate has 48.2% of the units, 50% was intended."

	hostile := finding("schema", analysis.Insufficient, analysis.Info)
	hostile.Column = "a|b_[c](http://d)\x1b[31m<i>\n*e*"
	hostile.Message = "Column " + hostile.Column + " has few values."

	decide := func(names []string, findings ...analysis.Finding) analysis.Verdict {
		v := policyOf(names...).Decide(findings, nil, noon)
		v.Record.Inputs = []analysis.Input{{Arm: "baseline", Digest: strings.Repeat("0123456789abcdef", 4), Rows: 60185}, {Arm: "candidate"}}
		return v
	}
	return map[string]analysis.Verdict{
		"continue": decide([]string{"guardrail"}, logLoss, amount),
		"rollback": decide([]string{"guardrail", "drift"}, logLoss, amount, latency, undecided),
		"wait":     decide([]string{"guardrail", "actions"}, logLoss, undecided),
		"distrust": decide([]string{"srm", "guardrail"}, split, latency, logLoss, hostile),
		"zero":     {},
	}
}

// TestReports compares the reports of each verdict with testdata/explain.
func TestReports(t *testing.T) {
	for name, v := range verdicts() {
		t.Run(name, func(t *testing.T) {
			for ext, write := range map[string]func(*bytes.Buffer) error{
				"txt":         func(b *bytes.Buffer) error { return v.WriteText(b, analysis.TextOptions{}) },
				"verbose.txt": func(b *bytes.Buffer) error { return v.WriteText(b, analysis.TextOptions{Width: 60, Verbose: true}) },
				"md":          func(b *bytes.Buffer) error { return v.WriteMarkdown(b) },
			} {
				var b bytes.Buffer
				if err := write(&b); err != nil {
					t.Fatal(err)
				}
				golden(t, filepath.Join("testdata", "explain", name+"."+ext+".golden"), b.String())
			}
		})
	}
}

// TestVerdictKeys holds the keys of the JSON form, which other programs read: the
// first lists are the contract, the second what this version adds.
func TestVerdictKeys(t *testing.T) {
	v := verdicts()["rollback"]
	f := &v.Findings[slices.IndexFunc(v.Findings, func(f analysis.Finding) bool { return f.Outcome == analysis.Harm })]
	f.Method, f.UnitsNeeded, f.Untrusted, f.Local = "method", 1, true, true
	f.Details = []analysis.Detail{{Name: "share", Value: 0.5, Text: "half"}}
	f.Warnings = []stats.Warning{{Code: "c", Message: "m"}}
	v.CheckAfter = 90 * time.Second
	var full map[string]any
	if err := json.Unmarshal([]byte(encode(t, v)), &full); err != nil {
		t.Fatal(err)
	}
	find := func(list any, key string, want any) map[string]any {
		t.Helper()
		for _, item := range list.([]any) {
			if m := item.(map[string]any); m[key] == want {
				return m
			}
		}
		t.Fatalf("no item with %s %v", key, want)
		return nil
	}
	harm := find(full["findings"], "outcome", "harm")
	record := full["record"].(map[string]any)
	for _, c := range []struct {
		what     string
		got      any
		contract string
		added    string
	}{
		{"verdict", full, "schema decision resume check_after_seconds reasons findings record", "model state step"},
		{"reason", find(full["reasons"], "code", "harm"), "code check text", "metric"},
		{"finding", harm, "check code metric column slice outcome severity estimate limit n message",
			"required unit compared_with method p log_e alpha harm_bound units_needed untrusted local details warnings"},
		{"estimate", harm["estimate"], "point lo hi level", ""},
		{"n", harm["n"], "baseline candidate", ""},
		{"record", record, "", "engine policy_digest policy_version attempt inputs decided_at previous digest"},
	} {
		want := slices.Sorted(slices.Values(strings.Fields(c.contract + " " + c.added)))
		if d := cmp.Diff(want, slices.Sorted(maps.Keys(c.got.(map[string]any)))); d != "" {
			t.Errorf("keys of a %s (-want +got):\n%s", c.what, d)
		}
	}
	if full["check_after_seconds"] != 90.0 || full["decision"] != "rollback" || full["resume"] != "manual" || harm["severity"] != "rollback" {
		t.Errorf("%v after %v s, %v, severity %v", full["decision"], full["check_after_seconds"], full["resume"], harm["severity"])
	}
}

// TestVerdictKeysAreAlwaysThere: what has no value has an empty one.
func TestVerdictKeysAreAlwaysThere(t *testing.T) {
	want := `{"schema":"rampguard.verdict/v1","model":{"name":"","baseline":"","candidate":""},"decision":"pause","resume":"auto","check_after_seconds":0,` +
		`"step":"stay","reasons":[],"findings":[],"state":{"looks":0},"record":{"engine":"","policy_digest":"","policy_version":0,"previous":{"looks":0}}}`
	if d := cmp.Diff(want, encode(t, analysis.Verdict{})); d != "" {
		t.Errorf("the zero verdict (-want +got):\n%s", d)
	}
	v := policyOf("a").Decide([]analysis.Finding{{Check: "a", Outcome: analysis.NoData, Required: true}}, nil, noon)
	for _, part := range []string{`"column":""`, `"slice":{}`, `{"code":"no_evidence","check":"a","text":""}`} {
		if text := encode(t, v); !strings.Contains(text, part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
}
