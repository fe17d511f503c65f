package foreign_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/analysis/foreign"
	"github.com/rampguard/rampguard/stats"
)

var update = flag.Bool("update", false, "write the golden files")

var samples = map[string]foreign.Kind{
	"argo.yaml":               foreign.Argo,
	"flagger.yaml":            foreign.Flagger,
	"flagger_iterations.yaml": foreign.Flagger,
	"kayenta.json":            foreign.Kayenta,
	"keptn_slo.yaml":          foreign.Keptn,
	"keptn_definition.yaml":   foreign.Keptn,
	"openslo.yaml":            foreign.OpenSLO,
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// TestImport compares the policy and the notes of every sample with the golden
// files, and loads the policy.
func TestImport(t *testing.T) {
	for name, kind := range samples {
		t.Run(name, func(t *testing.T) {
			data := read(t, name)
			if k, err := foreign.Detect(data); k != kind || err != nil {
				t.Errorf("Detect = %q, %v, want %q", k, err, kind)
			}
			got, err := foreign.Import("", name, data)
			if err != nil {
				t.Fatal(err)
			}
			if got.Kind != kind {
				t.Errorf("Kind = %q, want %q", got.Kind, kind)
			}
			var notes bytes.Buffer
			for _, n := range got.Notes {
				fmt.Fprintln(&notes, n)
			}
			golden(t, name+".notes.golden", notes.Bytes())
			golden(t, name+".policy.golden", got.Policy)
			policy := load(t, got.Policy)
			if len(policy.Warnings) > 0 && !strings.Contains(policy.Warnings[0], "muted") {
				t.Errorf("the policy loads with the warnings %q", policy.Warnings)
			}
			again, err := foreign.Import(kind, name, data)
			if d := cmp.Diff(got, again); d != "" || err != nil {
				t.Errorf("a second import differs: %v\n%s", err, d)
			}
		})
	}
}

func load(t testing.TB, data []byte) *analysis.Policy {
	t.Helper()
	p, err := analysis.LoadPolicy("policy.yaml", data, checks.Builtin())
	if err != nil {
		t.Fatalf("the policy does not load: %v\n%s", err, data)
	}
	return p
}

// TestEveryKeyHasANote walks all keys of the samples. Each has to have a note of
// its own, or one at a key above it that says that all below it was dropped or
// that it is a part of.
func TestEveryKeyHasANote(t *testing.T) {
	for name := range samples {
		data := read(t, name)
		got, err := foreign.Import("", name, data)
		if err != nil {
			t.Fatal(err)
		}
		noted := map[[2]int]foreign.Severity{}
		for _, n := range got.Notes {
			at := [2]int{n.Line, n.Column}
			noted[at] = max(noted[at], n.Severity)
			if strings.HasPrefix(n.Why, "not a key that this importer knows") {
				t.Errorf("%s: the sample has a key that is unknown: %v", name, n)
			}
		}
		if json.Valid(data) {
			data = bytes.ReplaceAll(data, []byte("\t"), []byte(" "))
		}
		keys := 0
		var walk func(n *yaml.Node, path string)
		walk = func(n *yaml.Node, path string) {
			if s, ok := noted[[2]int{n.Line, n.Column}]; ok && s == foreign.Dropped && strings.Count(path, "/") == 0 && n.Kind == yaml.MappingNode && n.Content[0].Value != "spec_version" {
				if k := n.Content[0]; noted[[2]int{k.Line, k.Column}] == foreign.Dropped {
					return // a document that is not read
				}
			}
			if n.Kind != yaml.MappingNode {
				for _, c := range n.Content {
					walk(c, path+"/")
				}
				return
			}
			for i := 0; i < len(n.Content); i += 2 {
				k, v := n.Content[i], n.Content[i+1]
				keys++
				s, ok := noted[[2]int{k.Line, k.Column}]
				holds := v.Kind == yaml.MappingNode && len(v.Content) > 0 || v.Kind == yaml.SequenceNode && len(v.Content) > 0 && v.Content[0].Kind == yaml.MappingNode
				if !ok && !holds {
					t.Errorf("%s:%d:%d: nothing is said about %s/%s", name, k.Line, k.Column, path, k.Value)
				}
				if holds && s != foreign.Dropped {
					walk(v, path+"/"+k.Value)
				}
			}
		}
		dec := yaml.NewDecoder(bytes.NewReader(data))
		for {
			var doc yaml.Node
			if dec.Decode(&doc) != nil {
				break
			}
			walk(doc.Content[0], "")
		}
		if keys < 10 {
			t.Errorf("%s: only %d keys were walked", name, keys)
		}
	}
}

// TestUnknownKeys: what no importer knows is dropped with a note.
func TestUnknownKeys(t *testing.T) {
	got, err := foreign.Import("", "a.yaml", []byte(`apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
spec:
  metrics:
    - name: a
      sucessCondition: result > 1
      failureCondition: result > 5
      surprise: {of: {some: depth}}
      count: null
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"a.yaml:6:7: dropped: spec.metrics[0].sucessCondition: not a key that this importer knows",
		"a.yaml:8:7: dropped: spec.metrics[0].surprise: not a key that this importer knows",
		"a.yaml:9:7: dropped: spec.metrics[0].count: has no value",
	}
	var notes []string
	for _, n := range got.Notes {
		if n.Severity == foreign.Dropped {
			notes = append(notes, n.String())
		}
	}
	if d := cmp.Diff(want, notes); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestImportErrors(t *testing.T) {
	const argo = "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\n"
	for _, c := range []struct {
		name, kind, data, want string
		is                     error
	}{
		{"empty", "", "", "no document", stats.ErrEmpty},
		{"other", "", "kind: Service\napiVersion: v1\n", "no document is", stats.ErrDomain},
		{"two kinds", "", argo + "---\napiVersion: flagger.app/v1beta1\nkind: Canary\n", "of argo and of flagger; split it", stats.ErrDomain},
		{"kind", "helm", "a: 1", `no kind "helm"`, stats.ErrDomain},
		{"list", "argo", "- 1\n", "x.yaml:1:1: a document must be a mapping", stats.ErrDomain},
		{"alias", "argo", "a: &x 1\nb: *x\n", "x.yaml:2:4: aliases are not read", stats.ErrDomain},
		{"twice", "argo", "a: 1\nb: 2\na: 3\n", "x.yaml:3:1: a is given twice, first on line 1", stats.ErrDomain},
		{"broken", "argo", "a: [1\n", "not YAML or JSON", stats.ErrDomain},
		{"helm", "", "a: {{- .Values.a }}\n", "a Helm template has to be rendered first", stats.ErrDomain},
		{"type", "", argo + "spec: {metrics: [{name: a, failureLimit: many, successCondition: result > 1}]}\n", "x.yaml:3:42: spec.metrics[0].failureLimit must be a whole number", stats.ErrDomain},
		{"no name", "", argo + "spec:\n  metrics:\n    - successCondition: result > 1\n", "x.yaml:5:7: spec.metrics[0].name is missing", stats.ErrDomain},
		{"no check", "", argo + "spec: {metrics: [{name: a, interval: 1m}]}\n", "no check can be made", stats.ErrEmpty},
		{"two canaries", "", "apiVersion: flagger.app/v1beta1\nkind: Canary\n---\napiVersion: flagger.app/v1beta1\nkind: Canary\n", "x.yaml:4:1: a second Canary", stats.ErrDomain},
		{"weights", "", "apiVersion: flagger.app/v1beta1\nkind: Canary\nspec: {analysis: {stepWeights: [5, 500]}}\n", "must be percentages", stats.ErrDomain},
		{"kayenta", "", `{"judge":{},"metrics":[{"name":""}]}`, "metrics[0]", stats.ErrDomain},
		{"quantity", "", "apiVersion: metrics.keptn.sh/v1\nkind: AnalysisDefinition\nspec: {objectives: [{analysisValueTemplateRef: {name: a}, target: {failure: {lessThan: {fixedValue: low}}}}]}\n", "must be a quantity", stats.ErrDomain},
		{"large", "", strings.Repeat("# comment\n", 200_000), "at most 1048576 are read", stats.ErrDomain},
	} {
		got, err := foreign.Import(foreign.Kind(c.kind), "x.yaml", []byte(c.data))
		if err == nil || !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Import = %v, want %q and an error that wraps %v", c.name, err, c.want, c.is)
		}
		if got.Policy != nil {
			t.Errorf("%s: Import gives a policy beside the error", c.name)
		}
	}
}

// TestNotesOfNoCheck: a file without a check says why.
func TestNotesOfNoCheck(t *testing.T) {
	got, err := foreign.Import("", "r.yaml", []byte(`{"apiVersion":"argoproj.io/v1alpha1","kind":"Rollout","spec":{"strategy":{"canary":{"steps":[{"setWeight":5}]}}}}`))
	if !errors.Is(err, stats.ErrEmpty) || len(got.Notes) != 3 {
		t.Errorf("Import = %v, %v, want three notes and an error that wraps ErrEmpty", got.Notes, err)
	}
}

// TestListOfKubernetes: the items of a List are documents.
func TestListOfKubernetes(t *testing.T) {
	got, err := foreign.Import("", "l.yaml", []byte(`{"apiVersion":"v1","kind":"List","metadata":{},"items":[
		{"apiVersion":"argoproj.io/v1alpha1","kind":"AnalysisTemplate","spec":{"metrics":[{"name":"a","successCondition":"result < 3","provider":{"web":{"url":"u"}}}]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	load(t, got.Policy)
	for _, n := range got.Notes {
		if strings.Contains(n.Why, "not a key") {
			t.Errorf("%v", n)
		}
	}
}
