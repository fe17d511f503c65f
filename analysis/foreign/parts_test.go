package foreign_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis/foreign"
)

// entries returns the checks of an imported policy that loads, or the error.
func entries(t *testing.T, data string) []string {
	t.Helper()
	got, err := foreign.Import("", "x.yaml", []byte(data))
	if err != nil {
		return []string{err.Error()}
	}
	load(t, got.Policy)
	var out []string
	for line := range strings.Lines(string(got.Policy)) {
		if rest, ok := strings.CutPrefix(line, "  - {check: "); ok {
			out = append(out, strings.TrimSuffix(rest, "}\n"))
		}
	}
	return out
}

// TestConditions: which limits conditions become.
func TestConditions(t *testing.T) {
	const none = "foreign: Import: x.yaml: no check can be made from it; the notes say why: no data"
	for _, c := range []struct {
		success, failure string
		want             []string
	}{
		{"result[0] >= 0.95", "", []string{"direction: higher, bounds: {rollback: 0.95}"}},
		{"0.95 <= result", "", []string{"direction: higher, bounds: {rollback: 0.95}"}},
		{"result[0] == 0", "", []string{"direction: lower, bounds: {rollback: 0}", "direction: higher, bounds: {rollback: 0}"}},
		{"result < 1", "", []string{"direction: lower, bounds: {rollback: 0.9999999999999999}"}},
		{"result <= 5 && result <= 3", "", []string{"direction: lower, bounds: {rollback: 3}"}},
		{"not (result > 5)", "", []string{"direction: lower, bounds: {rollback: 5}"}},
		{"", "result != 4", []string{"direction: lower, bounds: {rollback: 4}", "direction: higher, bounds: {rollback: 4}"}},
		{"", "result[0] > 5 or isNaN(result[0])", []string{"direction: lower, bounds: {rollback: 5}"}},
		{"result <= 3", "result > 9", []string{"direction: lower, bounds: {pause: 3, rollback: 9}"}},
		{"result <= 9", "result > 3", []string{"direction: lower, bounds: {rollback: 3}"}},
		{"result <= 9 && result >= 1", "result > 20", []string{"direction: lower, bounds: {pause: 9, rollback: 20}", "direction: higher, bounds: {pause: 1}"}},
		{"result == 'ok'", "result > 9", []string{"direction: lower, bounds: {rollback: 9}"}},
		{"max(result) <= 9", "", []string{"direction: lower, bounds: {rollback: 9}"}},
		{"asFloat(result) <= -2.5e1", "", []string{"direction: lower, bounds: {rollback: -25}"}},
		{"", "any(result, {# > 5})", []string{"direction: lower, bounds: {rollback: 5}"}},
		{"none(result, # > 5)", "", []string{"direction: lower, bounds: {rollback: 5}"}},
		{"result != nil && result.value <= 5", "", []string{"direction: lower, bounds: {rollback: 5}"}},
		{"result > 3 || result < 1", "", []string{none}},
		{"result != 3", "", []string{none}},
		{"any(result, # < 3)", "", []string{none}},
		{"all(result, any(#, # < 3))", "", []string{none}},
		{"result", "", []string{none}},
		{"len(result) > 3", "", []string{none}},
		{"result[0] / result[1] < 3", "", []string{none}},
		{"result < other", "", []string{none}},
		{"round(upper(result)) < 3", "", []string{none}},
		{"{{args.x}} < result", "", []string{none}},
	} {
		data := "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nspec: {metrics: [{name: m, provider: {web: {url: u}}"
		if c.success != "" {
			data += fmt.Sprintf(", successCondition: %q", c.success)
		}
		if c.failure != "" {
			data += fmt.Sprintf(", failureCondition: %q", c.failure)
		}
		var want []string
		for _, w := range c.want {
			if w != none {
				w = "gauge, of: m, " + w + ", breach: {k: 1, of: 1}"
			}
			want = append(want, w)
		}
		if d := cmp.Diff(want, entries(t, data+"}]}")); d != "" {
			t.Errorf("success %q, failure %q (-want +got):\n%s", c.success, c.failure, d)
		}
	}
}

// TestCriteria: which limits the criteria of a slo.yaml become.
func TestCriteria(t *testing.T) {
	const none = "foreign: Import: x.yaml: no check can be made from it; the notes say why: no data"
	const lower, higher = "gauge, of: s, direction: lower, ", "gauge, of: s, direction: higher, "
	for _, c := range []struct {
		objective string
		want      []string
	}{
		{`pass: [{criteria: ["<=600"]}]`, []string{lower + "bounds: {pause: 600}"}},
		{`pass: [{criteria: ["<=600"]}], key_sli: true`, []string{lower + "bounds: {rollback: 600}"}},
		{`pass: [{criteria: ["<=600"]}], warning: [{criteria: ["<=800"]}], key_sli: true`, []string{lower + "bounds: {pause: 600, rollback: 800}"}},
		{`pass: [{criteria: ["<=600"]}], warning: [{criteria: ["<=500"]}], key_sli: true`, []string{lower + "bounds: {rollback: 600}"}},
		{`pass: [{criteria: ["<=600"]}], warning: [{criteria: ["<=800"]}]`, []string{lower + "bounds: {pause: 600}"}},
		{`warning: [{criteria: ["<=800"]}]`, []string{lower + "bounds: {pause: 800}"}},
		{`pass: [{criteria: [">=-10%", "<=+15%"]}]`, []string{lower + "relative: {pause: 1.15x}", higher + "relative: {pause: 0.9x}"}},
		{`pass: [{criteria: ["=3"]}]`, []string{lower + "bounds: {pause: 3}", higher + "bounds: {pause: 3}"}},
		{`pass: [{criteria: [">1", ">2"]}]`, []string{higher + "bounds: {pause: 2.0000000000000004}"}},
		{`pass: [{criteria: [">=1"]}, {criteria: [">=2"]}]`, []string{higher + "bounds: {pause: 1}"}},
		{`pass: [{criteria: ["<=-10%"]}]`, []string{none}},
		{`pass: [{criteria: ["<=+10"]}]`, []string{none}},
		{`pass: [{criteria: ["=+10%"]}]`, []string{none}},
		{`pass: [{criteria: ["<=10%"]}]`, []string{none}},
		{`pass: [{criteria: ["about 3"]}]`, []string{none}},
		{`weight: 1`, []string{none}},
	} {
		var want []string
		for _, w := range c.want {
			switch {
			case w == none:
			case strings.Contains(w, "x}"):
				w += ", breach: {k: 1, of: 1}, baseline: reference"
			default:
				w += ", breach: {k: 1, of: 1}"
			}
			want = append(want, w)
		}
		if d := cmp.Diff(want, entries(t, "spec_version: '1.0'\nobjectives: [{sli: s, "+c.objective+"}]")); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.objective, d)
		}
	}
}

func TestQuantitiesOfKubernetes(t *testing.T) {
	for text, want := range map[string]string{"600": "600", "0.5": "0.5", "500m": "0.5", "2k": "2000", "2Ki": "2048", "1e3": "1000", "-3": "-3", "1Gi": "1073741824"} {
		data := "apiVersion: metrics.keptn.sh/v1beta1\nkind: AnalysisDefinition\nspec: {objectives: [{analysisValueTemplateRef: {name: a}, target: {failure: {greaterThan: {fixedValue: " + text + "}}}}]}"
		if d := cmp.Diff([]string{"gauge, of: a, direction: lower, bounds: {pause: " + want + "}, breach: {k: 1, of: 1}"}, entries(t, data)); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
}

// TestStages: which stages the weights of Flagger and the steps of Argo become.
func TestStages(t *testing.T) {
	const argo = "{apiVersion: argoproj.io/v1alpha1, kind: AnalysisTemplate, spec: {metrics: [{name: m, successCondition: result < 3}]}}\n---\n" +
		"{apiVersion: argoproj.io/v1alpha1, kind: Rollout, spec: {strategy: {canary: {steps: ["
	const flagger = "{apiVersion: flagger.app/v1beta1, kind: Canary, spec: {analysis: {metrics: [{name: m, query: up, thresholdRange: {max: 3}}], "
	for _, c := range []struct{ data, want string }{
		{flagger + "interval: 5s, stepWeight: 50}}}", "step-1 50 10s, full 100 10s"},
		{flagger + "interval: 1m, stepWeights: [1, 2, 40]}}}", "step-1 1 1m, step-2 2 1m, step-3 40 1m, full 100"},
		{flagger + "stepWeight: 30, maxWeight: 50, stepWeights: [1, 2]}}}", "step-1 30 1m, step-2 60 1m, full 100"},
		{flagger + "iterations: 5, stepWeight: 10}}}", ""},
		{argo + "]}}}}", ""},
		{argo + "{pause: {duration: 1h}}, {setWeight: 0}, {setWeight: 10}, {pause: {duration: 90}}, {pause: {duration: 30s}}]}}}}", "step-1 10 2m, full 100"},
		{argo + "{pause: {}}, {setWeight: 10}, {pause: {}}, {setWeight: 5}, {pause: {duration: \"60\"}}, {setWeight: 100}]}}}}", "step-1 10 1m, full 100"},
		{argo + "{setWeight: 101}]}}}}", "error"},
		{argo + "{setWeight: 10}, {pause: {duration: soon}}]}}}}", "error"},
	} {
		got, err := foreign.Import("", "x.yaml", []byte(c.data))
		text := "error"
		if err == nil {
			var stages []string
			for _, s := range load(t, got.Policy).Stages {
				one := fmt.Sprintf("%s %v", s.Name, s.Weight)
				if s.Duration > 0 {
					one += " " + strings.TrimSuffix(s.Duration.String(), "0s")
					if s.Duration.Seconds() == 10 {
						one += "0s"
					}
				}
				stages = append(stages, one)
			}
			text = strings.Join(stages, ", ")
		}
		if text != c.want {
			t.Errorf("%s\ngives the stages %q, want %q (%v)", c.data, text, c.want, err)
		}
	}
}

// TestRatiosAreSuggested: a query that divides counters comes with the guardrail
// that would be better, others do not.
func TestRatiosAreSuggested(t *testing.T) {
	for query, want := range map[string]bool{
		`sum(rate(a[5m])) / sum(rate(b[5m]))`:                                         true,
		`sum(increase(a{path="/x/y"}[5m])) / sum(increase(b{path="/x"}[5m]))`:         true,
		`100 * sum(rate(a[5m])) / sum(rate(b[5m]))`:                                   true,
		`sum(rate(latency_sum[5m])) / sum(rate(latency_count[5m]))`:                   false, // a mean
		`histogram_quantile(0.9, rate(a[5m])) / histogram_quantile(0.9, rate(b[5m]))`: false,
		`sum(rate(a{path="/"}[5m]))`:                                                  false,
		`node_memory_used / node_memory_total`:                                        false,
	} {
		data := fmt.Sprintf("{apiVersion: argoproj.io/v1alpha1, kind: AnalysisTemplate, spec: {metrics: [{name: m, successCondition: result < 3, provider: {prometheus: {query: %q}}}]}}", query)
		got, err := foreign.Import("", "x.yaml", []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		if has := strings.Contains(string(got.Policy), "metric: ratio"); has != want {
			t.Errorf("%s: a ratio is suggested: %v, want %v", query, has, want)
		}
	}
}

// TestWrongTypes: a value of another type than the key wants is an error with its
// place, in all kinds of files.
func TestWrongTypes(t *testing.T) {
	for _, c := range []struct{ data, want string }{
		{"apiVersion: flagger.app/v1beta1\nkind: Canary\nspec:\n  analysis: {interval: soon, iterations: 1.5, threshold: [], metrics: {}}", "x.yaml:4:24: spec.analysis.interval must be a duration such as 90s or 5m\nx.yaml:4:42: spec.analysis.iterations must be a whole number\nx.yaml:4:58: spec.analysis.threshold must be a finite number\nx.yaml:4:71: spec.analysis.metrics must be a list"},
		{"spec_version: 1\nobjectives: [{sli: [], key_sli: 3, pass: [x], warning: [{criteria: [[]]}]}]", "x.yaml:2:20: objectives[0].sli must be a text\nx.yaml:2:33: objectives[0].key_sli must be true or false\nx.yaml:2:43: objectives[0].pass[0] must be a mapping\nx.yaml:2:69: objectives[0].warning[0].criteria must be a list of texts"},
		{"apiVersion: openslo/v1\nkind: SLO\nmetadata: 3\nspec: {objectives: [{target: .nan}]}", "x.yaml:3:11: metadata must be a mapping\nx.yaml:4:30: spec.objectives[0].target must be a finite number"},
	} {
		_, err := foreign.Import("", "x.yaml", []byte(c.data))
		want := "foreign: Import: " + c.want
		if err == nil || err.Error() != want {
			t.Errorf("Import(%q) =\n%v, want\n%s", c.data, err, want)
		}
	}
	if got := foreign.Severity(9).String() + foreign.Level(9).String(); got != "Severity(9)Level(9)" {
		t.Errorf("unknown words are %s", got)
	}
}
