package analysis_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
)

const loadDir = "testdata/policy/load"

// TestLoadPolicyFiles loads every file of testdata/policy/load and compares the
// faults and warnings with expected.txt, file by file.
func TestLoadPolicyFiles(t *testing.T) {
	var got bytes.Buffer
	for _, name := range loadFiles(t) {
		fmt.Fprintf(&got, "%s\n", name)
		p, err := loadFile(t, name)
		if err != nil {
			if !errors.Is(err, analysis.ErrPolicy) || p != nil {
				t.Errorf("LoadPolicy(%s) = %v, %v, want nil and an error that wraps ErrPolicy", name, p, err)
			}
			for line := range strings.Lines(err.Error()) {
				fmt.Fprintf(&got, "    %s\n", strings.TrimSuffix(line, "\n"))
			}
		} else {
			fmt.Fprintf(&got, "    loads; checks: %d\n", len(p.Checks))
			for _, w := range p.Warnings {
				fmt.Fprintf(&got, "    warning: %s\n", w)
			}
		}
		got.WriteByte('\n')
	}
	golden(t, filepath.Join(loadDir, "expected.txt"), got.String())
}

func loadFiles(t testing.TB) []string {
	t.Helper()
	var names []string
	for _, glob := range []string{"*.yaml", "*.json"} {
		paths, err := filepath.Glob(filepath.Join(loadDir, glob))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no %s in %s: %v", glob, loadDir, err)
		}
		for _, p := range paths {
			names = append(names, filepath.Base(p))
		}
	}
	return names
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(loadDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func loadFile(t testing.TB, name string) (*analysis.Policy, error) {
	t.Helper()
	return analysis.LoadPolicy(name, readFile(t, name), testRegistry())
}

func mustLoad(t testing.TB, data string) *analysis.Policy {
	t.Helper()
	p, err := analysis.LoadPolicy("policy.yaml", []byte(data), testRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func crossOf(names ...string) analysis.SliceSpec {
	var c analysis.SliceSpec
	for _, n := range names {
		c.Columns = append(c.Columns, analysis.SliceColumn{Name: n})
	}
	return c
}

func TestLoadPolicyDesign(t *testing.T) {
	got, err := loadFile(t, "design.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Checks {
		got.Checks[i].Check = nil // their fields are the builders' business
	}
	inf := math.Inf(-1)
	want := &analysis.Policy{
		Version: 1,
		Model:   analysis.Model{Name: "fraud-detector", Baseline: "v2.0", Candidate: "v2.1"},
		Columns: analysis.Columns{Score: "score", Label: "label", Time: "ts", Unit: "request_id", Action: "action", Features: []string{"amount", "country"}},
		Range:   &[2]float64{0, 1},
		Actions: analysis.ActionPolicy{Version: "2025-11", Rules: []analysis.ActionRule{
			{Name: "block", AtLeast: 0.95, Irreversible: true}, {Name: "review", AtLeast: 0.7}, {Name: "allow", AtLeast: inf}}},
		Labels:     analysis.Labels{Maturity: 14 * 24 * time.Hour},
		Slices:     []analysis.SliceSpec{crossOf("country"), crossOf("device"), crossOf("country", "device")},
		Split:      analysis.Split{Baseline: 0.5, Candidate: 0.5},
		SplitGiven: true,
		Budget:     analysis.Budget{Rollback: 0.05, Pause: 0.1, SRM: 0.001},
		Exposure:   analysis.Exposure{MinUnits: 1000, MinDuration: 30 * time.Minute},
		Checks: []analysis.CheckEntry{
			{Severity: analysis.SeverityPause, Required: true, Weight: 1, Line: 25},
			{Severity: analysis.SeverityPause, Required: true, Weight: 1, Line: 26},
			{Severity: analysis.SeverityPause, Required: true, Weight: 1, Line: 27},
			{Severity: analysis.SeverityRollback, Required: true, Weight: 1, Line: 28},
			{Severity: analysis.SeverityPause, Required: true, Weight: 1, Line: 29},
			{Severity: analysis.SeverityRollback, Required: true, Weight: 1, Line: 30},
			{Severity: analysis.SeverityRollback, Required: true, Weight: 1, Line: 31},
			{Severity: analysis.SeverityRollback, Required: true, Weight: 1, Line: 32},
		},
		Stages: []analysis.Stage{{Name: "canary", Weight: 1, Duration: 30 * time.Minute}, {Name: "limited", Weight: 10, Duration: time.Hour}, {Name: "full", Weight: 100}},
		Digest: got.Digest,
		Warnings: []string{
			"design.yaml:20:9: slices: no check looks at them; add one such as {check: slices, metric: log_loss, margin: 5%}",
			"design.yaml:21:8: split: it holds at every stage, whatever the weights: the arms have to get 0.5 and 0.5 of the units that are compared. Leave it out if the weight of a stage is the candidate's share of them",
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("LoadPolicy(design.yaml) (-want +got):\n%s", d)
	}
}

// TestSameDigest: what means the same has the same digest.
func TestSameDigest(t *testing.T) {
	for _, same := range [][]string{{"design.yaml", "design.json"}, {"deployment.yaml", "deployment_native.yaml"}} {
		a, err := loadFile(t, same[0])
		if err != nil {
			t.Fatal(err)
		}
		b, err := loadFile(t, same[1])
		if err != nil {
			t.Fatal(err)
		}
		if a.Digest != b.Digest {
			ca, _ := analysis.CanonicalPolicy(same[0], readFile(t, same[0]), testRegistry())
			cb, _ := analysis.CanonicalPolicy(same[1], readFile(t, same[1]), testRegistry())
			t.Errorf("%v have the digests %s and %s of\n%s\n%s", same, a.Digest, b.Digest, ca, cb)
		}
	}
	bare := mustLoad(t, "version: 1\nchecks: [{check: schema}]")
	full := mustLoad(t, `{"version":1.0,"task":"binary","looks":"continuous","columns":{},"score_range":[0,1e0],"labels":{"maturity":"0s"},
		"slices":[],"split":{"baseline":"50%","candidate":0.5},"budget":{"rollback":"5%","pause":0.1,"srm":"0.1%"},
		"exposure":{"min_units":0,"min_duration":"0s"},"stages":[],"model":{},
		"checks":[{"check":"schema","severity":"pause","required":true,"muted":false}]}`)
	if bare.Digest != full.Digest {
		t.Errorf("a policy with its defaults written out has the digest %s, without %s", full.Digest, bare.Digest)
	}
}

// TestOtherDigest: each of these changes can move a verdict.
func TestOtherDigest(t *testing.T) {
	design := string(readFile(t, "design.yaml"))
	seen := map[string]string{mustLoad(t, design).Digest: "nothing"}
	for _, change := range [][2]string{
		{"v2.1", "v2.2"}, {"task: binary", "task: regression"}, {"looks: continuous", "looks: once"}, {"looks: continuous", "looks: {schedule: 5}"},
		{"label: label", "label: fraud"}, {"[amount, country]", "[amount]"}, {"[0, 1]", "[0, 0.99]"}, {"at_least: 0.70", "at_least: 0.71"},
		{"irreversible: true", "irreversible: false"}, {"2025-11", "2025-12"}, {"336h", "335h"}, {"[country, device, ", "[country, "},
		{"{baseline: 0.5, candidate: 0.5}", "{baseline: 0.6, candidate: 0.4}"}, {"rollback: 0.05", "rollback: 0.04"}, {"pause: 0.10", "pause: 0.2"},
		{"srm: 0.001", "srm: 0.002"}, {"min_units: 1000", "min_units: 1001"}, {"min_duration: 30m", "min_duration: 31m"},
		{"- {check: srm}", "- {check: srm, required: false}"}, {"- {check: srm}", "- {check: srm, muted: true}"}, {"- {check: srm}", "- {check: srm, severity: warn, required: true}"},
		{"fail: 0.25", "fail: 0.26"}, {"margin: 5pp", "margin: 6pp"}, {"rollback: 5%", "rollback: 6%"}, {"rollback: 5%", "rollback: 0.05"}, {"q: 0.99", "q: 0.95"},
		{"weight: 10,", "weight: 11,"}, {"duration: 1h", "duration: 2h"}, {"name: limited", "name: small"},
	} {
		changed := strings.Replace(design, change[0], change[1], 1)
		if changed == design {
			t.Fatalf("%q is not in design.yaml", change[0])
		}
		d := mustLoad(t, changed).Digest
		if other, ok := seen[d]; ok {
			t.Errorf("changing %q gives the digest of changing %q", change, other)
		}
		seen[d] = fmt.Sprint(change)
	}
}

func TestCanonicalPolicy(t *testing.T) {
	for _, name := range loadFiles(t) {
		p, err := loadFile(t, name)
		canon, canonErr := analysis.CanonicalPolicy(name, readFile(t, name), testRegistry())
		if (err == nil) != (canonErr == nil) {
			t.Errorf("%s: LoadPolicy: %v, CanonicalPolicy: %v", name, err, canonErr)
		}
		if err != nil {
			continue
		}
		if !json.Valid(canon) {
			t.Errorf("%s: the canonical form is not JSON: %s", name, canon)
		}
		again, err := analysis.LoadPolicy("canonical.json", canon, testRegistry())
		if err != nil {
			t.Errorf("%s: the canonical form does not load: %v\n%s", name, err, canon)
		} else if again.Digest != p.Digest {
			t.Errorf("%s: digest %s, of its canonical form %s", name, p.Digest, again.Digest)
		}
	}
}

func TestLoadPolicyLimits(t *testing.T) {
	deep := "version: 1\nchecks: " + strings.Repeat("[", 40) + strings.Repeat("]", 40)
	many := "version: 1\nchecks:\n" + strings.Repeat("  - {check: schema}\n", 1001)
	keys := "version: 1\nchecks: [{check: schema}]\n"
	for i := range 100 {
		keys += fmt.Sprintf("k%d: 1\n", i)
	}
	for _, c := range []struct{ name, data, want string }{
		{"large", "version: 1\n#" + strings.Repeat(" ", 256<<10), "policy.yaml:1:1: the file has 262156 bytes; a policy has at most 262144"},
		{"deep", deep, "policy.yaml:2:40: nested more than 32 deep"},
		{"checks", many, "policy.yaml:3:3: checks: 1001 checks; a policy has at most 1000"},
		{"faults", keys, "policy.yaml:52:1: and 50 more faults"},
		{"invalid UTF-8", "version: \xff", "policy.yaml:1:1: not YAML or JSON: invalid leading UTF-8 octet"},
		{"JSON that ends early", `{"version": 1, "checks": [`, "policy.yaml:1:1: not YAML or JSON: did not find expected node content"},
		{"bare text", `"hello"`, `policy.yaml:1:1: a policy is a mapping that starts with version: 1, not the text "hello"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := analysis.LoadPolicy("policy.yaml", []byte(c.data), testRegistry())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("LoadPolicy = %v, want %q", err, c.want)
			}
		})
	}
}

// TestLoadPolicyJSON: JSON that YAML would read otherwise or not at all.
func TestLoadPolicyJSON(t *testing.T) {
	p := mustLoad(t, "\t{\t\"version\"\t:1,\"model\":{\"name\":\"a\\/b\",\"baseline\":\"caf\\u00e9 \\ud83d\\ude00\",\"candidate\":\"\\\"\\\\\"},\n\t\"checks\":[\t{\"check\":\"schema\"}]}\n")
	want := analysis.Model{Name: "a/b", Baseline: "café 😀", Candidate: `"\`}
	if d := cmp.Diff(want, p.Model); d != "" {
		t.Errorf("model (-want +got):\n%s", d)
	}
}

func TestLoadPolicyNoRegistry(t *testing.T) {
	_, err := analysis.LoadPolicy("policy.yaml", readFile(t, "minimal.yaml"), nil)
	want := "policy.yaml:2:18: check schema is not known; none is known here"
	if err == nil || err.Error() != want {
		t.Errorf("LoadPolicy without a registry = %v, want %s", err, want)
	}
}

func FuzzLoadPolicy(f *testing.F) {
	for _, name := range loadFiles(f) {
		f.Add(readFile(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := analysis.LoadPolicy("policy.yaml", data, testRegistry())
		if err != nil {
			if !errors.Is(err, analysis.ErrPolicy) || !strings.HasPrefix(err.Error(), "policy.yaml:") {
				t.Errorf("LoadPolicy(%q) = %v", data, err)
			}
			return
		}
		canon, err := analysis.CanonicalPolicy("policy.yaml", data, testRegistry())
		if err != nil {
			t.Fatal(err)
		}
		again, err := analysis.LoadPolicy("canonical.json", canon, testRegistry())
		if err != nil {
			t.Fatalf("the canonical form does not load: %v\n%s", err, canon)
		}
		if again.Digest != p.Digest {
			t.Errorf("digest %s, of the canonical form %s\n%s", p.Digest, again.Digest, canon)
		}
	})
}
