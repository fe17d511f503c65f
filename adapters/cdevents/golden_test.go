package cdevents_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/adapters/cdevents"
	"github.com/rampguard/rampguard/leadtime"
)

// golden reads a case of testdata/cases.
func golden(t *testing.T, id string, input, expect any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "cases", "leadtime_sla_cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			ID            string
			Input, Expect json.RawMessage
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		if c.ID == id {
			if err := errors.Join(json.Unmarshal(c.Input, input), json.Unmarshal(c.Expect, expect)); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("no case %s", id)
}

func TestGoldenTypes(t *testing.T) {
	var in struct {
		Types      []string
		Timestamps []*string
	}
	var want struct {
		Parsed    [][]string
		Statuses  []string `json:"approval_status_values"`
		Decisions []string `json:"approval_decision_values"`
	}
	golden(t, "adapter-cdevents-type", &in, &want)
	for i, s := range in.Types {
		got, err := cdevents.ParseType(s)
		if want.Parsed[i] == nil {
			if !errors.Is(err, cdevents.ErrUnsupported) {
				t.Errorf("%s: %+v, %v", s, got, err)
			}
			continue
		}
		if diff := cmp.Diff(want.Parsed[i], []string{got.Subject, got.Predicate, got.Version}); diff != "" || err != nil {
			t.Errorf("%s: %v %s", s, err, diff)
		}
	}
	outcomes := map[string]leadtime.Outcome{"approved": leadtime.Passed, "rejected": leadtime.Failed, "cancelled": leadtime.Cancelled, "expired": leadtime.Cancelled}
	kinds := map[string]leadtime.Kind{"approved": leadtime.SignOff, "rejected": leadtime.Rejected, "cancelled": leadtime.Withdrawn, "expired": leadtime.Withdrawn}
	for _, status := range want.Statuses {
		m := message(t, in.Types[1], *in.Timestamps[1], "approval-123", `"resourceTargetUrl":"pkg:mlflow/fraud@12","status":"`+status+`"`, "")
		e := one(t, cdevents.Options{}, m)
		if e.Kind != leadtime.StageEnd || e.Stage != "approval" || e.Outcome != outcomes[status] || e.At.Format("2006-01-02T15:04:05.999999Z07:00") != *in.Timestamps[1] {
			t.Errorf("%s as a gate: %+v", status, e)
		}
		e = one(t, cdevents.Options{SignOffs: []string{"/event/source/123"}}, m)
		if e.Kind != kinds[status] || e.Stage != "" || e.Outcome != leadtime.Unstated || e.Model != "fraud" || e.Version != "12" {
			t.Errorf("%s as a sign-off: %+v", status, e)
		}
	}
	for _, decision := range want.Decisions { // on the way to a status
		m := message(t, "dev.cdevents.approval.updated.0.1.0", *in.Timestamps[1], "approval-123", `"decision":"`+decision+`"`, "")
		if r := cdevents.Map([]cdevents.Message{m}, cdevents.Options{}); len(r.Skipped) != 1 || r.Skipped[0].Reason != cdevents.SkipNoMeaning {
			t.Errorf("%s: %+v", decision, r)
		}
	}
	e := one(t, cdevents.Options{}, message(t, in.Types[0], *in.Timestamps[0], "mySubject123",
		`"environment":{"id":"test123"},"artifactId":"pkg:oci/myapp@sha256%3A0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427"`, ""))
	want1 := leadtime.Event{ID: e.ID, Source: "/event/source/123", Kind: leadtime.Serving, Model: "myapp", Env: "test123",
		Version: "sha256:0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427", At: e.At}
	if diff := cmp.Diff(want1, e); diff != "" || e.At.Format("2006-01-02T15:04:05.999999Z07:00") != *in.Timestamps[0] {
		t.Errorf("%v %s", e.At, diff)
	}
}

func TestGoldenPURL(t *testing.T) {
	var in struct{ PURL string }
	var want struct {
		Type, Name, Version string
		UUID                string `json:"model_uuid"`
		Run                 string `json:"run_id"`
	}
	golden(t, "adapter-purl-mlflow", &in, &want)
	got, err := cdevents.ParsePURL(in.PURL)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(cdevents.PURL{Type: want.Type, Name: want.Name, Version: want.Version, Qualifiers: map[string]string{
		"model_uuid": want.UUID, "run_id": want.Run, "repository_url": "https://adb-5245952564735461.0.azuredatabricks.net/api/2.0/mlflow",
	}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTypes(t *testing.T) {
	for s, want := range map[string]error{
		"dev.cdevents.service.deployed.0.3.0":       nil,
		"dev.cdevents.service.deployed.12.0.7":      nil,
		"dev.cdevents.service.deployed.0.4.0-draft": nil,
		"dev.cdeventsx.rollout-step.finished.1.0.0": nil,
		"":                                                 cdevents.ErrUnsupported,
		"dev.cdevents":                                     cdevents.ErrUnsupported,
		"dev.cdeventsy.service.deployed.0.3.0":             cdevents.ErrUnsupported,
		"dev.cdevents.service.deployed":                    cdevents.ErrMalformed,
		"dev.cdevents.service.deployed.0.3":                cdevents.ErrMalformed,
		"dev.cdevents.service.deployed.0.3.0.1":            cdevents.ErrMalformed,
		"dev.cdevents.service.deployed.0..0":               cdevents.ErrMalformed,
		"dev.cdevents.service.deployed.0.3.0-":             cdevents.ErrMalformed,
		"dev.cdevents..deployed.0.3.0":                     cdevents.ErrMalformed,
		"dev.cdevents.service.de ployed.0.3.0":             cdevents.ErrMalformed,
		"dev.cdevents.service.deployed.v1.3.0":             cdevents.ErrMalformed,
		"dev.cdeventsx.mytool-resource.created.0.1.0\x00x": cdevents.ErrMalformed,
	} {
		if _, err := cdevents.ParseType(s); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestPURLs(t *testing.T) {
	for s, want := range map[string]cdevents.PURL{
		"pkg:mlflow/creditfraud@3":                            {Type: "mlflow", Name: "creditfraud", Version: "3"},
		"pkg:golang/mygit.com/myorg/myapp@234fd47e07d1004f0a": {Type: "golang", Namespace: "mygit.com/myorg", Name: "myapp", Version: "234fd47e07d1004f0a"},
		"PKG://GitHub//a//b/@v1.2?x=&Y=1%202#/p/./q/../%72":   {Type: "github", Namespace: "a", Name: "b", Version: "v1.2", Qualifiers: map[string]string{"y": "1 2"}, Subpath: "p/q/r"},
		"pkg:npm/%40angular/animation@12.3.1":                 {Type: "npm", Namespace: "@angular", Name: "animation", Version: "12.3.1"},
		"pkg:huggingface/org/bert%20base":                     {Type: "huggingface", Namespace: "org", Name: "bert base"},
	} {
		got, err := cdevents.ParsePURL(s)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", s, err, diff)
		}
	}
	for _, s := range []string{"", "pkg:", "pkg:mlflow", "pkg:mlflow/", "mlflow/a@1", "http://a/b", "pkg:ml flow/a", "pkg:9p/a", "pkg:a/b@%zz",
		"pkg:a/%ff", "pkg:a/%zz/b", "pkg:a/b#%zz", "pkg:a/b?x", "pkg:a/b?=1", "pkg:a/b?x=1&X=2", "pkg:a/b?x=%zz", "six-1.14.0-py2.py3-none-any.whl"} {
		if got, err := cdevents.ParsePURL(s); !errors.Is(err, cdevents.ErrMalformed) {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
}
