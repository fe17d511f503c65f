package webhookgate_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/adapters/webhookgate"
)

// All requests of a real controller for a canary that was promoted, in their order,
// with the looks that were posted on the way: the gate answers them as it did then.
func TestRecordedRun(t *testing.T) {
	f, err := os.Open("testdata/flagger_webhooks.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g := newGate(t, nil)
	lines := bufio.NewScanner(f)
	var head struct{ Flagger string }
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &head) != nil || !strings.HasPrefix(head.Flagger, "v1.") {
		t.Fatalf("the first line does not name the version: %s", lines.Bytes())
	}
	hooks := map[string]int{}
	for n := 2; lines.Scan(); n++ {
		var l struct {
			Hook    string
			Want    int
			Look    int
			Payload json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		if l.Look > 0 {
			var c struct{ Name, Namespace, Checksum string }
			if err := json.Unmarshal(l.Payload, &c); err != nil {
				t.Fatal(err)
			}
			g.decide(t, look("flagger:"+c.Namespace+":"+c.Name+":"+c.Checksum, fmt.Sprint(n), l.Look))
		}
		if status, body := g.send("POST", "/flagger/fraud/"+l.Hook, string(l.Payload)); status != l.Want {
			t.Errorf("line %d, %s: %d %s, want %d", n, l.Hook, status, body, l.Want)
		}
		hooks[fmt.Sprint(l.Hook, " ", l.Want)]++
	}
	for _, want := range []string{"confirm-rollout 200", "pre-rollout 200", "confirm-traffic-increase 403", "confirm-traffic-increase 200", "rollout 200",
		"confirm-promotion 200", "rollback 403", "post-rollout 200", "event 200"} {
		if hooks[want] == 0 {
			t.Errorf("the run has no %s: %v", want, hooks)
		}
	}
}

// What Flagger's client sends to each hook is understood: path, token and body, with
// metadata and without.
func TestRecordedClient(t *testing.T) {
	files, err := filepath.Glob("testdata/flagger_*.json")
	if err != nil || len(files) != 8 {
		t.Fatalf("%d recordings, want one for each of the 8 hooks: %v", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r struct {
			Method, Path    string
			WithoutMetadata json.RawMessage `json:"without_metadata"`
			WithMetadata    json.RawMessage `json:"with_metadata"`
		}
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(file, err)
		}
		for rollout, body := range map[string]json.RawMessage{"churn-v8": r.WithMetadata, "flagger:ml-serving:churn-scorer:" + checksumOf(t, r.WithoutMetadata): r.WithoutMetadata} {
			var heard webhookgate.Access
			g := newGate(t, func(o *webhookgate.Options) { o.Served = func(a webhookgate.Access) { heard = a } })
			g.decide(t, look(rollout, "1", rollBack))
			if rollout == "churn-v8" {
				if _, err := g.store.Bind(context.Background(), rollout, "flagger:ml-serving:churn-scorer:"+checksumOf(t, body)); err != nil {
					t.Fatal(err)
				}
			}
			want := http.StatusForbidden // of a known rollback
			switch strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "flagger_"), ".json") {
			case "rollback", "post-rollout", "event":
				want = http.StatusOK
			case "confirm-rollout":
				if rollout != "churn-v8" { // the checksum is that of the revision before
					want = http.StatusOK
				}
			}
			req := httptest.NewRequest(r.Method, r.Path, strings.NewReader(string(body)))
			req.SetBasicAuth("flagger", secret)
			w := httptest.NewRecorder()
			g.ServeHTTP(w, req)
			if w.Code != want || heard.Rollout != rollout || heard.Client != "tester" {
				t.Errorf("%s, rollout %s: %d %s, want %d; the gate heard %+v", file, rollout, w.Code, w.Body, want, heard)
			}
		}
	}
}

func checksumOf(t *testing.T, body []byte) string {
	t.Helper()
	var c struct{ Checksum string }
	if err := json.Unmarshal(body, &c); err != nil || c.Checksum == "" {
		t.Fatal(err, string(body))
	}
	return c.Checksum
}

// With metadata first-step: allow the first step is taken without evidence, and no
// other one is.
func TestFirstStep(t *testing.T) {
	allowed := strings.Replace(payload("Progressing", ""), `"metadata":{}`, `"metadata":{"first-step":"allow"}`, 1)
	g := newGate(t, nil)
	ask := func(hook, body string, want int, why string) {
		t.Helper()
		if status, text := g.send("POST", "/flagger/fraud/"+hook, body); status != want {
			t.Errorf("%s, %s: %d %s, want %d", hook, why, status, text, want)
		}
	}
	plain, other := payload("Progressing", ""), strings.Replace(allowed, checksum, "6c9d4f88b7", 1)
	ask("confirm-traffic-increase", allowed, 403, "pre-rollout was not asked")
	ask("pre-rollout", plain, 200, "nothing known")
	ask("confirm-traffic-increase", other, 403, "another revision")
	ask("confirm-traffic-increase", allowed, 200, "the first step")
	ask("confirm-traffic-increase", allowed, 403, "the second step")
	ask("pre-rollout", plain, 200, "nothing known")
	ask("confirm-traffic-increase", plain, 403, "not allowed")
	ask("confirm-traffic-increase", strings.Replace(allowed, "allow", "yes", 1), 400, "a word that is none")
	for i, tt := range []struct {
		why, look string
		want      int
	}{
		{"undecided", look(derived, "1", wait), 200},
		{"a source failed", strings.TrimSuffix(look(derived, "2", goOn), "}") + `, "problems": [{"name": "errors", "text": "query timed out"}]}`, 403},
		{"a person paused", strings.TrimSuffix(look(derived, "3", goOn), "}") + `, "overrides": [{"action": "pause", "who": "ann", "why": "holiday"}]}`, 403},
		{"harm", look(derived, "4", rollBack), 403},
	} {
		g.decide(t, tt.look)
		ask("pre-rollout", plain, map[bool]int{true: 200, false: 403}[i < 3], tt.why)
		ask("confirm-traffic-increase", allowed, tt.want, tt.why)
	}
}
