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

	"github.com/rampguard/rampguard/release"
	"github.com/rampguard/rampguard/schema"
)

func compileRelease(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema.Release()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("release.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("release.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON reads a manifest as an editor does, for which a day is a text.
func asJSON(manifest []byte) (any, error) {
	var n yaml.Node
	if err := yaml.Unmarshal(manifest, &n); err != nil {
		return nil, err
	}
	untime(&n)
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(b))
}

func untime(n *yaml.Node) {
	if n.ShortTag() == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, c := range n.Content {
		untime(c)
	}
}

func TestReleaseSchemaTakesTheExamples(t *testing.T) {
	s := compileRelease(t)
	files, err := filepath.Glob("../examples/release/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := asJSON(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := release.Load(path, data); err != nil {
			t.Error(err)
		}
	}
}

// TestReleaseSchemaRefuses: what is wrong by itself is for both to refuse, what is
// wrong beside something else for the loader alone.
func TestReleaseSchemaRefuses(t *testing.T) {
	s := compileRelease(t)
	run := func(manifest string, schemaRefuses bool) {
		t.Helper()
		if _, err := release.Load("m", []byte(manifest)); err == nil {
			t.Errorf("the loader takes\n%s", manifest)
		}
		doc, err := asJSON([]byte(manifest))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); (err != nil) != schemaRefuses {
			t.Errorf("the schema says %v to\n%s", err, manifest)
		}
	}
	run("[]", true)
	run("{}", true)
	run("version: 2", true)
	for _, line := range []string{
		"model: fraud", "model: {nmae: a}", `model: {name: " "}`, "model: {name: 5}", "owner: [a]", "risk: medium", "labels: {a: 5}", "labels: []",
		"training_data: {digest: abc}", "training_data: {since: soon}", "training_data: {since: 5}", "output: {task: ranking}", "output: {score_range: [0]}",
		"output: {actions: [a, a]}", "features: {list: {}}", "features: {list: [{name: a}]}", "features: {list: [{type: int}]}",
		"features: {list: [{name: a, type: real}]}", "features: {list: [{name: a, type: int, nullable: 1}]}", "features: {list: [{name: a, type: int, max_age: 5}]}",
		"features: {list: [{name: a, type: int, max_age: 1 week}]}", "features: {list: [{name: a, type: int, min: low}]}",
		"evaluation: {metrics: [{name: auc}]}", "evaluation: {metrics: [{name: auc, value: 1, n: 0.5}]}", "evaluation: {metrics: [{name: auc, value: 1, n: -1}]}",
		"evaluation: {metrics: [{name: auc, value: high}]}", "gates: {primary: {metric: auc}}", "gates: {primary: {at_least: 1}}",
		"gates: {primary: {metric: auc, at_least: 1, at_most: 1}}", "gates: {slices: [{metric: auc, at_least: 1}]}", "serving: {limits: {p99_ms: 0}}",
		"serving: {limits: {p99: 50}}", "approvals: [{who: ann, at: 2026-01-01}]", "approvals: [{who: ann, why: yes it is}]", "runtime: {digest: sha256:abc}",
		"rollback: {known_good_since: 1}", "thresholds: v1",
	} {
		run("version: 1\n"+line, true)
	}
	for _, line := range []string{
		"training_data: {since: 2026-02-01, until: 2026-01-01}", "features: {list: [{name: a, type: int}, {name: a, type: int}]}",
		"features: {list: [{name: a, type: int, min: 2, max: 1}]}", "features: {list: [{name: a, type: string, min: 2}]}", "output: {score_range: [1, 0]}",
		"evaluation: {metrics: [{name: auc, value: 1, interval: [2, 3]}]}", "evaluation: {metrics: [{name: auc, value: 1}, {name: auc, value: 2}]}",
		"gates: {guardrails: [{metric: a, at_least: 1}, {metric: a, at_least: 2}]}", "features: {list: [{name: a, type: int, max_age: 0s}]}",
	} {
		run("version: 1\n"+line, false)
	}
}

// TestReleaseSchemaKnowsEveryKey compares the keys of the schema with those that the
// loader reads, as its message about a key that cannot be meant lists them.
func TestReleaseSchemaKnowsEveryKey(t *testing.T) {
	var s object
	if err := json.Unmarshal(schema.Release(), &s); err != nil {
		t.Fatal(err)
	}
	compare := func(manifest string, o object) {
		t.Helper()
		_, err := release.Load("m", []byte("version: 1\n"+manifest))
		m := regexp.MustCompile(`unknown key zzzz; known: (.*)`).FindStringSubmatch(fmt.Sprint(err))
		if m == nil {
			t.Errorf("%s: the loader says %v", manifest, err)
			return
		}
		if d := cmp.Diff(slices.Sorted(maps.Keys(o.Properties)), strings.Split(m[1], ", ")); d != "" {
			t.Errorf("%s (-schema +loader):\n%s", manifest, d)
		}
	}
	compare("zzzz: 1", s)
	for _, name := range []string{"model", "training_data", "output", "runtime", "evaluation", "gates", "serving", "rollback", "thresholds"} {
		compare(name+": {zzzz: 1}", s.Properties[name])
	}
	gates := s.Properties["gates"].Properties
	compare("gates: {primary: {zzzz: 1}}", gates["primary"])
	compare("gates: {guardrails: [{zzzz: 1}]}", *gates["guardrails"].Items)
	compare("gates: {slices: [{zzzz: 1}]}", *gates["slices"].Items)
	compare("evaluation: {metrics: [{zzzz: 1}]}", *s.Properties["evaluation"].Properties["metrics"].Items)
	compare("approvals: [{zzzz: 1}]", *s.Properties["approvals"].Items)
	compare("features: {zzzz: 1}", s.Defs["features"])
	compare("rollback: {features: {zzzz: 1}}", s.Defs["features"])
	compare("features: {list: [{zzzz: 1}]}", s.Defs["feature"])
	compare("serving: {limits: {zzzz: 1}}", s.Defs["resources"])
	compare("serving: {measured: {zzzz: 1}}", s.Defs["resources"])
}
