package release_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/rampguard/rampguard/release"
)

// faults are files that are refused, and the first line of why.
var faults = []struct{ text, want string }{
	{"", "fraud.yaml:1:1: the file is empty; a manifest has at least version and model"},
	{"a: [", "fraud.yaml:1:1: not YAML or JSON: did not find expected node content"},
	{"[1]", "fraud.yaml:1:1: a manifest is a mapping that starts with version: 1, not a list"},
	{"version: 1\n---\nversion: 1", "fraud.yaml:2:1: a second document starts here; a manifest file has one"},
	{"model: {name: a}", "fraud.yaml:1:1: version must be 1, the form of the manifest"},
	{"version: 2", "fraud.yaml:1:10: version must be 1, the form of the manifest"},
	{"version: 1\nmodel: &x {name: a}", "fraud.yaml:2:8: anchors are not allowed in a manifest; remove &x"},
	{"version: 1\nowner: !!str 5", "fraud.yaml:2:8: tags are not allowed in a manifest; remove !!str"},
	{"version: 1\nmodel:\n  nmae: a", "fraud.yaml:3:3: model: unknown key nmae; known: name, version"},
	{"version: 1\nowner: a\nowner: b", "fraud.yaml:3:1: owner is given twice; keep one of them"},
	{"version: 1\nowner:", "fraud.yaml:2:7: owner has no value; give it one or leave the key out"},
	{"version: 1\nowner: 5", "fraud.yaml:2:8: owner must be text, not the number 5; put it in quotes"},
	{"version: 1\nowner: ' '", "fraud.yaml:2:8: owner is empty; give it a value or leave the key out"},
	{"version: 1\nowner: \"a\\u202eb\"", "fraud.yaml:2:8: owner holds characters that cannot be printed; remove them"},
	{"version: 1\nrisk: medium", `fraud.yaml:2:7: risk: unknown word "medium"; known: low, high`},
	{"version: 1\nmodel: fraud", `fraud.yaml:2:8: model must be a mapping such as {key: value}, not the text "fraud"`},
	{"version: 1\ntraining_data: {digest: abc}", `fraud.yaml:2:25: training_data.digest must be sha256: and 64 hexadecimal digits in lower case (or sha512: and 128), not "abc"`},
	{"version: 1\ntraining_data: {since: 2026-02-01, until: 2026-01-01}", "fraud.yaml:2:43: training_data.until must be after training_data.since"},
	{"version: 1\ntraining_data: {since: yesterday}", `fraud.yaml:2:24: training_data.since must be a time such as 2026-01-31 or 2026-01-31T15:04:05Z, not the text "yesterday"`},
	{"version: 1\nfeatures: {list: [{name: a, type: real}]}", `fraud.yaml:2:35: features.list[0].type: unknown word "real"; known: float, int, bool, string, time`},
	{"version: 1\nfeatures: {list: [{name: a}]}", "fraud.yaml:2:19: features.list[0].type is missing"},
	{"version: 1\nfeatures: {list: [{name: a, type: int}, {name: a, type: int}]}", "fraud.yaml:2:48: the feature a is listed twice; keep one of them"},
	{"version: 1\nfeatures: {list: [{name: a, type: int, min: 2, max: 1}]}", "fraud.yaml:2:53: features.list[0].max is below features.list[0].min"},
	{"version: 1\nfeatures: {list: [{name: a, type: string, min: 2}]}", "fraud.yaml:2:19: a is string, which has no range; leave min and max out"},
	{"version: 1\nfeatures: {list: [{name: a, type: int, max_age: 5}]}", "fraud.yaml:2:49: features.list[0].max_age must be a length of time such as 30m, 1h30m or 2d, not the number 5"},
	{"version: 1\nfeatures: {list: [{name: a, type: int, nullable: maybe}]}", `fraud.yaml:2:50: features.list[0].nullable must be true or false, not the text "maybe"`},
	{"version: 1\noutput: {score_range: [1, 1]}", "fraud.yaml:2:23: output.score_range is a single value; give two"},
	{"version: 1\noutput: {actions: [a, a]}", "fraud.yaml:2:23: output.actions names a twice; keep one of them"},
	{"version: 1\nevaluation: {metrics: [{name: auc}]}", "fraud.yaml:2:24: evaluation.metrics[0].value is missing; leave a metric out that was not measured"},
	{"version: 1\nevaluation: {metrics: [{name: auc, value: .nan}]}", "fraud.yaml:2:43: evaluation.metrics[0].value must be a plain number, not the number .nan"},
	{"version: 1\nevaluation: {metrics: [{name: auc, value: 0.9, n: -1}]}", "fraud.yaml:2:51: evaluation.metrics[0].n must be a whole number from 0 on, not the number -1"},
	{"version: 1\nevaluation: {metrics: [{name: auc, value: 0.9, interval: [0.91, 0.95]}]}", "fraud.yaml:2:58: evaluation.metrics[0].interval [0.91, 0.95] does not hold the value 0.9"},
	{"version: 1\nevaluation: {metrics: [{name: auc, value: 0.9}, {name: auc, value: 0.8}]}", "fraud.yaml:2:56: auc is given twice; keep one of them"},
	{"version: 1\ngates: {primary: {metric: auc}}", "fraud.yaml:2:18: gates.primary: give one of at_least and at_most"},
	{"version: 1\ngates: {primary: {metric: auc, at_least: 1, at_most: 2}}", "fraud.yaml:2:18: gates.primary: give one of at_least and at_most"},
	{"version: 1\ngates: {slices: [{metric: auc, at_least: 1}]}", "fraud.yaml:2:18: gates.slices[0].slice is missing"},
	{"version: 1\ngates: {guardrails: [{metric: a, at_least: 1}, {metric: a, at_least: 2}]}", "fraud.yaml:2:48: a has this bound already; keep one of them"},
	{"version: 1\nserving: {limits: {p99_ms: 0}}", "fraud.yaml:2:28: serving.limits.p99_ms must be above 0, not 0"},
	{"version: 1\napprovals: [{who: ann, why: read it}]", "fraud.yaml:2:13: approvals[0].at is missing; say when ann approved"},
	{"version: 1\napprovals: {who: ann}", "fraud.yaml:2:12: approvals must be a list of mappings, not a mapping"},
	{"version: 1\napprovals: [ann]", `fraud.yaml:2:13: each item of approvals must be a mapping such as {key: value}, not the text "ann"`},
	{"version: 1\n5: a", "fraud.yaml:2:1: a key must be text, not the number 5; put it in quotes"},
}

func TestFaults(t *testing.T) {
	for _, c := range faults {
		m, err := release.Load("fraud.yaml", []byte(c.text))
		if err == nil || m != nil || !errors.Is(err, release.ErrManifest) {
			t.Errorf("%q: %v, %v", c.text, m, err)
			continue
		}
		if d := cmp.Diff(c.want, err.Error()); d != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, d)
		}
	}
}

// TestAllFaultsAtOnce: they come out together, in the order of their place.
func TestAllFaultsAtOnce(t *testing.T) {
	_, err := release.Load("m", []byte("version: 3\nowner: 5\nrisk: none\nfoo: 1\n"))
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "m:1:10:") || !strings.HasPrefix(lines[1], "m:2:8:") || !strings.HasPrefix(lines[2], "m:3:7:") || !strings.HasPrefix(lines[3], "m:4:1:") {
		t.Error(err)
	}
	_, err = release.Load("m", []byte("version: 1\napprovals: ["+strings.Repeat("a,", 100)+"]"))
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 51 || !strings.HasSuffix(lines[50], "and 50 more faults") {
		t.Errorf("%d lines: %v", len(lines), err)
	}
}

// TestJSON: the same manifest in JSON, indented with tabs, says the same.
func TestJSON(t *testing.T) {
	for _, name := range []string{"fraud.yaml", "fraud-live.yaml"} {
		want := load(t, read(t, name))
		var v any
		if err := yaml.Unmarshal([]byte(read(t, name)), &v); err != nil {
			t.Fatal(err)
		}
		b, err := json.MarshalIndent(v, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		got := load(t, strings.ReplaceAll(string(b), "s3://", `s3:\/\/`))
		if got.Source == want.Source {
			t.Error("two files have one digest")
		}
		got.Source = want.Source
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-YAML +JSON):\n%s", name, d)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(read(f, "fraud.yaml")))
	f.Add([]byte(read(f, "fraud-live.yaml")))
	f.Add([]byte(`{"version": 1, "labels": {"a": "b\/c"}}`))
	for _, c := range faults {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := release.Load("m", data)
		if err != nil {
			if m != nil || !errors.Is(err, release.ErrManifest) {
				t.Fatalf("%v, %v", m, err)
			}
			return
		}
		if _, err := release.Check(m, release.Evidence{At: at, Baseline: m, Log: log()}); err != nil {
			t.Fatal(err)
		}
	})
}
