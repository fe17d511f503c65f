package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/schema"
)

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema.Policy()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate checks a policy in YAML against the schema, as an editor does.
func validate(s *jsonschema.Schema, policy []byte) error {
	var v any
	if err := yaml.Unmarshal(policy, &v); err != nil {
		return err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// beyondSchema are the files that only the loader can refuse, and why.
var beyondSchema = map[string]string{
	"unreachable.yaml":   "whether a sample can be reached is arithmetic",
	"actions_range.yaml": "thresholds are compared with score_range",
	"documents.yaml":     "the schema sees one document",
}

// TestSchemaAgreesWithLoader runs both on the test files of the loader: what the
// loader takes the schema takes, and what the loader refuses the schema refuses,
// too, unless it cannot.
func TestSchemaAgreesWithLoader(t *testing.T) {
	s := compile(t)
	files, err := filepath.Glob("../analysis/testdata/policy/load/*.*")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	taken := 0
	for _, path := range files {
		name := filepath.Base(path)
		if filepath.Ext(name) == ".txt" {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, loadErr := analysis.LoadPolicy(name, data, checks.Builtin())
		schemaErr := validate(s, data)
		switch why := beyondSchema[name]; {
		case loadErr == nil && schemaErr != nil:
			t.Errorf("%s loads, but the schema says %v", name, schemaErr)
		case loadErr != nil && schemaErr == nil && why == "":
			t.Errorf("the schema takes %s, but the loader says %v", name, loadErr)
		case why != "" && (loadErr == nil || schemaErr != nil):
			t.Errorf("%s: %s; but the loader says %v and the schema %v", name, why, loadErr, schemaErr)
		case loadErr == nil:
			taken++
		}
	}
	if taken < 5 {
		t.Errorf("only %d files are valid", taken)
	}
}

// good is a valid policy that the cases below spoil.
const good = "version: 1\ncolumns: {score: score, label: label, action: action, unit: id}\n"

// oneFault has one fault per policy. Those of the first list are for both to
// refuse, those of the second for the loader alone.
var (
	forBoth = []string{
		"versoin: 1", "model: fraud", "model: {nmae: fraud}", `model: {name: ""}`, "task: ranking", "looks: twice", "looks: 5", "looks: {schedule: 0}",
		"looks: {schedule: 2.5}", "looks: {}", "score_range: [0]", "score_range: [0, 2]", "score_range: 1", "task: multiclass\nscore_range: [0, 1]",
		"actions: {version: x}", "actions: {rules: []}", "actions: {rules: [{at_least: 0.5}]}", "actions: {rules: [{name: a, at_least: 5pp}]}",
		"actions: {rules: [{name: a, irreversible: 1}]}", "labels: {maturity: 14}", "labels: {maturity: 14 days}", "labels: {age: 14d}", "labels: {maturity: -5m}",
		"slices: country", "slices: [[]]", "slices: [5]", "slices: [a, a]", "slices: [[a, a]]", "slices: [[a, [b]]]",
		"split: {baseline: 1}", "split: {baseline: 0, candidate: 1}", "split: {baseline: 5pp, candidate: 0.95}", "split: [0.5, 0.5]",
		"budget: {rollback: 0}", "budget: {pause: 1}", "budget: {srm: -0.1}", "budget: {srm: 2x}", "budget: {all: 0.1}",
		"exposure: {min_units: -1}", "exposure: {min_units: 1.5}", "exposure: {min_duration: soon}",
		"stages: [{name: a}]", "stages: [{weight: 5}]", "stages: [{name: a, weight: 0}]", "stages: [{name: a, weight: 101}]", "stages: [{name: a, weight: 5pp}]",
		"stages: [{name: a, weight: 5, duration: 10}]", "stages: {name: a}", "stages: [{name: a, weight: 5, until: noon}]",
		"deployment: {}", "deployment: {strategy: rolling, stages: [{name: a, weight: 1}]}", "deployment: {stages: []}",
		"deployment: {stages: [{name: a, weight: 1, promotion: {analysis: {metrics: [{name: cost, threshold: 5}]}}}]}",
		"deployment: {stages: [{name: a, weight: 1, promotion: {analysis: {metrics: [{name: error-rate, threshold: 101}]}}}]}",
		"deployment: {stages: [{name: a, weight: 1, promotion: {analysis: {metrics: [{name: latency-p99, threshold: 0}]}}}]}",
		"deployment: {stages: [{name: a, weight: 1, promotion: {analysis: {metrics: [{name: accuracy}]}}}]}",
	}
	checksForBoth = []string{
		"{}", "{check: shema}", "{check: schema, severity: fatal}", "{check: schema, required: 1}", "{check: schema, muted: maybe}", "{check: schema, column: x}", "schema",
		"{check: srm, metric: x}", "{check: drift, column: 5}", "{check: drift, metric: psy}", "{check: drift, warn: high}", "{check: drift, cells: 2000}",
		"{check: collapse, column: [score]}", "{check: actions, margins: 5pp}",
		"{check: guardrail, margin: 2%}", "{check: guardrail, metric: log_loss}", "{check: guardrail, metric: loss, margin: 2%}",
		"{check: guardrail, metric: quantile, column: ms, direction: lower, q: 1, relative: {rollback: 2x}}",
		"{check: guardrail, metric: mean, column: x, direction: down, margin: 2%}", "{check: guardrail, metric: mean, column: x, direction: lower, bounds: {}}",
		"{check: guardrail, metric: mean, column: x, direction: lower, bounds: {warn: 1}}", "{check: guardrail, metric: auc, margin: 2percent}",
	}
	forLoader = []string{
		"score_range: [1, 0]", "actions: {rules: [{name: a, at_least: 0.5}, {name: b, at_least: 0.6}]}", "actions: {rules: [{name: a}, {name: b}]}",
		"actions: {rules: [{name: a, at_least: 0.5}, {name: a}]}", "split: {baseline: 0.5, candidate: 0.6}", "slices: [a, [a]]", "slices: [[a, b], [b, a]]",
		"stages: [{name: a, weight: 1}, {name: a, weight: 2}]", "stages: [{name: a, weight: 2}, {name: b, weight: 1}]", "stages: [{name: a, weight: 200%}]",
		"checks: [{check: schema}, {check: schema}]", "checks: [{check: guardrail, metric: mean, direction: lower, margin: 2%}]",
	}
)

func TestSchemaRefuses(t *testing.T) {
	s := compile(t)
	run := func(policy string, schemaRefuses bool) {
		t.Helper()
		_, loadErr := analysis.LoadPolicy("policy.yaml", []byte(policy), checks.Builtin())
		if loadErr == nil {
			t.Errorf("the loader takes\n%s", policy)
		}
		if err := validate(s, []byte(policy)); (err != nil) != schemaRefuses {
			t.Errorf("the schema says %v, the loader %v, to\n%s", err, loadErr, policy)
		}
	}
	run("", true)
	run("[]", true)
	run("version: 1", true)
	run("version: 2\nchecks: [{check: schema}]", true)
	run("version: 1\nactions: {rules: [{name: a}]}\nchecks: [{check: schema}]", true)
	run("version: 1\nchecks: []", true)
	for _, line := range forBoth {
		run(good+"checks: [{check: schema}]\n"+line, true)
	}
	for _, check := range checksForBoth {
		run(good+fmt.Sprintf("checks: [%s]", check), true)
	}
	for _, line := range forLoader {
		policy := good + line
		if line[:6] != "checks" {
			policy += "\nchecks: [{check: schema}]"
		}
		run(policy, false)
	}
	if err := validate(s, []byte(good+"checks: [{check: schema}]")); err != nil {
		t.Errorf("the schema refuses what the cases spoil: %v", err)
	}
}

// TestSchemaKnowsEveryKey compares the keys of the schema with those that the
// loader and the built-in checks read, as the message about a key that cannot be
// meant lists them.
func TestSchemaKnowsEveryKey(t *testing.T) {
	var s object
	if err := json.Unmarshal(schema.Policy(), &s); err != nil {
		t.Fatal(err)
	}
	compare := func(what, policy string, o object) {
		t.Helper()
		want := slices.Sorted(maps.Keys(o.Properties))
		_, err := analysis.LoadPolicy("policy.yaml", []byte(policy), checks.Builtin())
		m := regexp.MustCompile(`unknown key zzzzzzzzzz; known: (.*)`).FindStringSubmatch(fmt.Sprint(err))
		if m == nil {
			t.Errorf("%s: the loader says %v", what, err)
			return
		}
		if d := cmp.Diff(want, strings.Split(m[1], ", ")); d != "" {
			t.Errorf("keys of %s (-schema +loader):\n%s", what, d)
		}
	}
	compare("a policy", "zzzzzzzzzz: 1", s)
	for name, o := range s.Properties {
		if len(o.Properties) > 0 {
			compare(name, name+": {zzzzzzzzzz: 1}", o)
		}
	}
	compare("looks", "looks: {zzzzzzzzzz: 1}", s.Properties["looks"].OneOf[1])
	compare("a rule", "actions: {rules: [{zzzzzzzzzz: 1}]}", *s.Properties["actions"].Properties["rules"].Items)
	compare("a stage", "stages: [{zzzzzzzzzz: 1}]", s.Defs["stage"])
	stage := *s.Properties["deployment"].Properties["stages"].Items
	compare("a stage of a deployment", "deployment: {stages: [{zzzzzzzzzz: 1}]}", stage)
	compare("a metric of a deployment", "deployment: {stages: [{promotion: {analysis: {metrics: [{zzzzzzzzzz: 1}]}}}]}", s.Defs["deploymentMetric"])

	var named struct {
		Defs struct{ Checks map[string]object } `json:"$defs"`
	}
	if err := json.Unmarshal(schema.Policy(), &named); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(checks.Builtin())), slices.Sorted(maps.Keys(named.Defs.Checks))); d != "" {
		t.Errorf("checks (-built-in +schema):\n%s", d)
	}
	for name, o := range named.Defs.Checks {
		compare("the check "+name, "checks: [{check: "+name+", zzzzzzzzzz: 1}]", o)
	}
}

// object is the part of a schema that names keys.
type object struct {
	Properties map[string]object `json:"properties"`
	Items      *object           `json:"items"`
	OneOf      []object          `json:"oneOf"`
	Defs       map[string]object `json:"$defs"`
}

// UnmarshalJSON takes the schema false for an object without keys.
func (o *object) UnmarshalJSON(b []byte) error {
	type plain object
	if string(b) == "false" {
		return nil
	}
	return json.Unmarshal(b, (*plain)(o))
}

// TestSchemaTakesDrafts: a draft validates, whatever is in the log.
func TestSchemaTakesDrafts(t *testing.T) {
	s := compile(t)
	for typ := analysis.Absent; typ <= analysis.Time; typ++ {
		var columns []analysis.DraftColumn
		for _, name := range []string{"score", "label", "ts", "request_id", "action", "error", "latency_ms", "country", "amount"} {
			columns = append(columns, analysis.DraftColumn{Name: name, Type: typ})
		}
		if err := validate(s, analysis.DraftPolicy(columns)); err != nil {
			t.Errorf("columns of type %v: %v", typ, err)
		}
	}
}
