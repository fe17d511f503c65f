package checks_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// TestBuiltinLoadsTheDesign: the builders take what the loader's tests give to
// stand-ins.
func TestBuiltinLoadsTheDesign(t *testing.T) {
	const dir = "../testdata/policy/load/"
	for _, name := range []string{"minimal.yaml", "design.yaml", "design.json", "deployment.yaml", "deployment_native.yaml", "quantile.yaml", "notbuilt.yaml"} {
		data, err := os.ReadFile(dir + name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := analysis.LoadPolicy(name, data, checks.Builtin())
		if err != nil {
			t.Error(err)
			continue
		}
		canon, err := analysis.CanonicalPolicy(name, data, checks.Builtin())
		if err != nil {
			t.Error(err)
			continue
		}
		again, err := analysis.LoadPolicy("canonical.json", canon, checks.Builtin())
		if err != nil {
			t.Errorf("%v\n%s", err, canon)
		} else if again.Digest != p.Digest {
			t.Errorf("%s: digest %s, of its canonical form %s\n%s", name, p.Digest, again.Digest, canon)
		}
	}
}

// TestBuiltinNamesUnknownChecks: with the place and the names that it knows.
func TestBuiltinNamesUnknownChecks(t *testing.T) {
	data, err := os.ReadFile("../testdata/policy/load/notbuilt.yaml")
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.Replace(data, []byte("check: calibration"), []byte("check: clairvoyance"), 1)
	_, err = analysis.LoadPolicy("policy.yaml", data, checks.Builtin())
	if want := "policy.yaml:34:13: check clairvoyance is not known; known: actions, calibration, "; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("LoadPolicy = %v, want %q", err, want)
	}
}

// TestBuiltinLoadsDrafts: a draft loads with whatever columns the log has.
func TestBuiltinLoadsDrafts(t *testing.T) {
	names := []string{"score", "label", "ts", "request_id", "action", "error", "latency_ms", "country", "amount"}
	for set := range 1 << len(names) {
		var columns []analysis.DraftColumn
		for i, name := range names {
			if set>>i&1 == 1 {
				columns = append(columns, analysis.DraftColumn{Name: name, Type: analysis.Type(1 + (set+i*set/7)%5)})
			}
		}
		draft := analysis.DraftPolicy(columns)
		if _, err := analysis.LoadPolicy("draft.yaml", draft, checks.Builtin()); err != nil {
			t.Fatalf("%v\n%s", err, draft)
		}
	}
}
