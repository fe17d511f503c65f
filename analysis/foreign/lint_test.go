package foreign_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis/foreign"
	"github.com/rampguard/rampguard/stats"
)

func TestLintArgo(t *testing.T) {
	for _, name := range []string{"lint.yaml", "argo.yaml"} {
		got, err := foreign.LintArgo(name, read(t, name))
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		for _, f := range got {
			if f.What == "" || f.Mend == "" || f.Line < 1 || f.Column < 1 {
				t.Errorf("the finding %v lacks what, mend or place", f)
			}
			fmt.Fprintln(&text, f)
		}
		golden(t, strings.TrimSuffix(name, ".yaml")+".lint.golden", text.Bytes())
	}
}

// conditions gives the rules that a metric with these lines breaks.
func conditions(t *testing.T, lines ...string) map[string]bool {
	t.Helper()
	data := "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nspec:\n  metrics:\n    - name: m\n      " + strings.Join(lines, "\n      ")
	got, err := foreign.LintArgo("m.yaml", []byte(data))
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	rules := map[string]bool{}
	for _, f := range got {
		rules[f.Rule] = true
	}
	return rules
}

// TestResultsThatCauseTrouble: what Argo Rollouts 1.9 was seen to make of a NaN and
// of a query without a series.
func TestResultsThatCauseTrouble(t *testing.T) {
	const prometheus = "provider: {prometheus: {query: up}}"
	for _, c := range []struct {
		success, failure string
		want             []string // of the rules about such results
	}{
		{"", "result[0] > 5", []string{"nan-passes", "empty-aborts"}},
		{"", "result[0] < 5", []string{"nan-passes", "empty-aborts"}},
		{"", "!(result[0] < 5)", []string{"empty-aborts"}},
		{"", "isNaN(result[0]) || result[0] > 5", []string{"empty-aborts"}},
		{"", "len(result) == 0 || isNaN(result[0]) or result[0] > 5", nil},
		{"", "len(result) > 0 && result[0] > 5", []string{"nan-passes", "empty-passes"}},
		{"result[0] < 5", "", []string{"empty-aborts"}},
		{"result[0] != 5", "", []string{"nan-passes", "empty-aborts"}},
		{"len(result) > 0 and result[0] < 5", "", nil},
		{"len(result) == 0 or result[0] < 5", "", []string{"empty-passes"}},
		{"isNaN(result[0]) || result[0] < 5", "", []string{"nan-passes", "empty-aborts"}},
		{"result[0] < 5", "result[0] >= 5", []string{"nan-inconclusive", "empty-aborts"}},
		{"len(result) > 0 && result[0] < 5", "len(result) > 0 && result[0] >= 5", []string{"nan-inconclusive"}},
		{"all(result, # < 5)", "", []string{"empty-passes"}},
		{"all(result, {# < 5}) && len(result) > 0", "", nil},
		{"", "any(result, {# > 5})", []string{"nan-passes", "empty-passes"}},
		{"none(result, # > 5)", "", []string{"nan-passes", "empty-passes"}},
		{"max(result) < 5", "", nil}, // not certain
		{"true", "", []string{"nan-passes", "empty-passes"}},
		{"asFloat(result[0]) <= 5", "", []string{"empty-aborts"}},
	} {
		lines := []string{prometheus}
		if c.success != "" {
			lines = append(lines, fmt.Sprintf("successCondition: %q", c.success))
		}
		if c.failure != "" {
			lines = append(lines, fmt.Sprintf("failureCondition: %q", c.failure))
		}
		rules := conditions(t, lines...)
		var got []string
		for _, r := range []string{"nan-passes", "nan-inconclusive", "empty-passes", "empty-aborts"} {
			if rules[r] {
				got = append(got, r)
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("success %q, failure %q (-want +got):\n%s", c.success, c.failure, d)
		}
	}
}

// TestSoundMetric: a metric that is written with care has no finding above info.
func TestSoundMetric(t *testing.T) {
	got, err := foreign.LintArgo("sound.yaml", []byte(`apiVersion: argoproj.io/v1alpha1
kind: ClusterAnalysisTemplate
spec:
  metrics:
    - name: errors
      initialDelay: 5m
      interval: 1m
      count: 20
      failureLimit: 3
      consecutiveErrorLimit: 60
      successCondition: len(result) > 0 && result[0] <= 0.05
      provider: {prometheus: {query: "sum(rate(errors[5m])) / sum(rate(requests[5m]))"}}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range got {
		if f.Level > foreign.LevelInfo {
			t.Errorf("%v", f)
		}
	}
}

func TestUnreadable(t *testing.T) {
	for _, cond := range []string{
		"let x = 3; result[0] < x", "result[0] <", "(result[0] < 3", "result[0] @ 3", "'open", "result[0] < 0x1g",
		strings.Repeat("(", 100) + "true" + strings.Repeat(")", 100), strings.Repeat("!", 1000) + "true", strings.Repeat("true && ", 1000) + "true",
	} {
		if rules := conditions(t, fmt.Sprintf("successCondition: %q", cond), "provider: {prometheus: {query: up}}"); !rules["unreadable"] {
			t.Errorf("the condition %.40q is not called unreadable: %v", cond, rules)
		}
	}
	// What is beyond the part that is read, but well formed, is left alone.
	for _, cond := range []string{
		"result[0] * 100 < 5", "result[0] > 3 ? true : false", "result matches 'ok'", "result.items[result.n] ?? 0 > 3", "filter(result, # > 3)[0] < 9", "(result.a).b < 3",
		"result[1:2] == nil", "'ok' in result.states", "-3 < result.x", "result.text.size() < 3", "asInt(result) <= +5", "result?.value < 1_000",
	} {
		rules := conditions(t, fmt.Sprintf("successCondition: %q", cond), "provider: {web: {url: u}}")
		if rules["unreadable"] || rules["unknown-name"] || rules["nan-passes"] {
			t.Errorf("the condition %q is reported: %v", cond, rules)
		}
	}
}

func TestLintErrors(t *testing.T) {
	for _, c := range []struct {
		data, want string
		is         error
	}{
		{"", "has no AnalysisTemplate", stats.ErrEmpty},
		{"a: [", "not YAML or JSON", stats.ErrDomain},
		{"apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nspec: {metrics: [{name: a, interval: soon}]}", "x.yaml:3:38: spec.metrics[0].interval must be a duration", stats.ErrDomain},
	} {
		if _, err := foreign.LintArgo("x.yaml", []byte(c.data)); !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("LintArgo(%q) = %v, want %q", c.data, err, c.want)
		}
	}
}

// TestLimitsOfCounts: limits that let a metric pass whatever it measures.
func TestLimitsOfCounts(t *testing.T) {
	const rest = "interval: 1m\n      initialDelay: 1m\n      provider: {web: {url: u}}\n      successCondition: result < 1"
	for _, c := range []struct {
		lines string
		want  bool
	}{
		{"count: 5\n      failureLimit: 4", false},
		{"count: 5\n      failureLimit: 5", true},
		{"count: 5\n      failureLimit: 6", true},
		{"count: 5\n      failureLimit: 3\n      consecutiveSuccessLimit: 3", true},
		{"count: 5\n      failureLimit: 3\n      consecutiveSuccessLimit: 2", false},
		{"failureLimit: -1", true},
		{"failureLimit: -1\n      consecutiveSuccessLimit: 3", false},
		{"count: \"{{args.n}}\"\n      failureLimit: 5", false},
	} {
		if rules := conditions(t, c.lines, rest); rules["failure-limit"] != c.want {
			t.Errorf("%q: failure-limit is %v, want %v", c.lines, rules["failure-limit"], c.want)
		}
	}
}
