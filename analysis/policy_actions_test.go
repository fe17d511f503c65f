package analysis_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

const ownThresholds = `version: 1
columns: {score: score, policy_version: thresholds}
actions:
  version: v1
  rules: [{name: block, at_least: 0.9, irreversible: true}, {name: allow}]
  candidate: {version: v2, rules: [{name: block, at_least: 0.8}, {name: allow}]}
checks: [{check: actions}]
`

// TestOwnThresholds: a candidate with thresholds of its own, and the column of
// their version.
func TestOwnThresholds(t *testing.T) {
	load := func(text string) (*analysis.Policy, error) {
		return analysis.LoadPolicy("p.yaml", []byte(text), checks.Builtin())
	}
	p, err := load(ownThresholds)
	if err != nil {
		t.Fatal(err)
	}
	c := p.Actions.Candidate
	if c == nil || c.Version != "v2" || c.Rules[0].AtLeast != 0.8 || !c.Rules[0].Irreversible || c.Rules[1].Irreversible {
		t.Errorf("candidate %+v", c)
	}
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]float64{0.8, 0.9}, spec.Columns[spec.Index("score")].Cuts); d != "" {
		t.Errorf("scores are counted at other cuts: %s", d)
	}
	if spec.Index("thresholds") < 0 {
		t.Error("the version is not collected")
	}
	// Each of them is part of what the policy is.
	for _, part := range [][2]string{{"0.8", "0.7"}, {"v2", "v3"}, {", policy_version: thresholds", ""}, {"\n  candidate: {version: v2, rules: [{name: block, at_least: 0.8}, {name: allow}]}", ""}} {
		q, err := load(strings.Replace(ownThresholds, part[0], part[1], 1))
		if err != nil {
			t.Fatal(err)
		}
		if q.Digest == p.Digest {
			t.Errorf("%q for %q has the same digest", part[1], part[0])
		}
	}
	for _, tc := range []struct{ old, new, want string }{
		{"version: v2", "version: v1", `p.yaml:6:24: actions.candidate.version: "v1" already is the version`},
		{"{name: block, at_least: 0.8}", "{name: stop, at_least: 0.8}", "not other actions"},
		{"{name: block, at_least: 0.8}", "{name: block, at_least: 0.8, irreversible: true}", "irreversible is said under actions.rules"},
		{"{name: block, at_least: 0.8}", "{name: block, at_least: 1.8}", "outside score_range"},
		{"rules: [{name: block, at_least: 0.8}, {name: allow}]", "cuts: [0.8]", "actions.candidate: rules are missing"},
		{"policy_version: thresholds", "policy_version: score", "already is columns."},
		{"{check: actions}", "{check: actions, cap: 200%}", "is not a share between 0 and 1"},
		{"{check: actions}", "{check: actions, max_irreversible: 0}", "give the greatest number"},
		{"{check: actions}", "{check: actions, per: stage}", "it says what max_irreversible counts"},
		{"{check: actions}", "{check: actions, max_irreversible: 5, per: day}", "unknown word"},
	} {
		if _, err := load(strings.Replace(ownThresholds, tc.old, tc.new, 1)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.new, err, tc.want)
		}
	}
	if _, err := load(strings.NewReplacer(", irreversible: true", "", "{check: actions}", "{check: actions, cap: 1%}").Replace(ownThresholds)); err == nil || !strings.Contains(err.Error(), "no action is irreversible") {
		t.Errorf("a cap without an irreversible action: %v", err)
	}
	for text, want := range map[string]analysis.Severity{
		"{check: actions}": analysis.SeverityPause, "{check: actions, margin: 5pp, cap: 2%}": analysis.SeverityPause,
		"{check: actions, cap: 2%}": analysis.SeverityRollback, "{check: actions, max_irreversible: 5, per: stage}": analysis.SeverityRollback,
	} {
		p, err := load(strings.Replace(ownThresholds, "{check: actions}", text, 1))
		if err != nil || p.Checks[0].Severity != want {
			t.Errorf("%s: %v, want %v: %v", text, p, want, err)
		}
	}
}
