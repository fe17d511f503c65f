package e2e_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// recording is what Flagger sends to one hook, as it is kept in ../testdata for the
// tests of the gate.
type recording struct {
	Flagger         string            `json:"flagger"`
	RetryableHTTP   string            `json:"go_retryablehttp"`
	Method          string            `json:"method"`
	Path            string            `json:"path"`
	Headers         map[string]string `json:"headers"`
	WithoutMetadata json.RawMessage   `json:"without_metadata"`
	WithMetadata    json.RawMessage   `json:"with_metadata"`
}

var milliseconds = regexp.MustCompile(`"timestamp":"[0-9]+"`)

// The recordings in ../testdata are what this version of Flagger sends. With
// RAMPGUARD_RECORD=1 they are written anew.
func TestRecordings(t *testing.T) {
	for _, p := range phases {
		var bodies [][]byte
		r := recording{Flagger: moduleVersion(t, "github.com/fluxcd/flagger"), RetryableHTTP: moduleVersion(t, "github.com/hashicorp/go-retryablehttp")}
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			b, err := io.ReadAll(req.Body)
			if err != nil {
				t.Error(err)
			}
			bodies = append(bodies, milliseconds.ReplaceAll(b, []byte(`"timestamp":"1769860800000"`)))
			user, password, _ := req.BasicAuth()
			r.Method, r.Path = req.Method, req.URL.Path
			r.Headers = map[string]string{"Content-Type": req.Header.Get("Content-Type"), "User": user, "Password": password}
		}))
		w := (&gateServer{Server: s}).hook(p.hook)
		if err := call(canary(p.phase), p.phase, w); err != nil {
			t.Fatal(err)
		}
		w.Metadata = &map[string]string{"rollout": "churn-v8", "stage": "canary"}
		if err := call(canary(p.phase), p.phase, w); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if len(bodies) != 2 || r.Headers["User"] != "flagger" || r.Headers["Password"] != token {
			t.Fatalf("%s: %d requests, as %q", p.hook, len(bodies), r.Headers["User"])
		}
		delete(r.Headers, "User")
		delete(r.Headers, "Password")
		r.WithoutMetadata, r.WithMetadata = bodies[0], bodies[1]
		got, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		keep(t, filepath.Join("..", "testdata", "flagger_"+string(p.hook)+".json"), append(got, '\n'))
	}
}

// keep compares what was recorded with the file, or writes it.
func keep(t *testing.T, path string, got []byte) {
	t.Helper()
	if os.Getenv("RAMPGUARD_RECORD") != "" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("Flagger sends something else than %s holds; record it anew with RAMPGUARD_RECORD=1:\n%s", path, got)
	}
}
