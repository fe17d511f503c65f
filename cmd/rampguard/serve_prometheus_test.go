package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// prometheusConfig is a configuration for a server that brings what servePolicy needs.
func prometheusConfig(t *testing.T, server string) (path string) {
	return write(t, "prometheus.yaml", "server: "+server+`
timeout: 1s
deadline: 2s
retries: 0
arms: {label: app, baseline: fraud-primary, candidate: fraud}
metrics:
  - name: errors
    kind: ratio
    events: sum by (app) (increase(errors_total{ {{.Match}} }[{{.Window}}]))
    units: sum by (app) (increase(requests_total{ {{.Match}} }[{{.Window}}]))
`)
}

// A window begins with the first look at the stage, which then has no evidence: what
// ran before was not the candidate.
func TestServeWindowOfPrometheus(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var queries []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		queries = append(queries, r.FormValue("query"))
		w.WriteHeader(http.StatusBadRequest)
	}))
	defer server.Close()
	policy, err := analysis.LoadPolicy("fraud.yaml", []byte(servePolicy), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	spec, err := policy.Spec()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	for _, tt := range []struct {
		since, ago time.Duration // --since; the first look
		window     string        // of the queries; empty without any
	}{ // the last 30 s are not complete yet
		{0, 0, ""}, {0, 31 * time.Second, ""}, {0, time.Minute, "[30s]"}, {10 * time.Minute, 0, "[570s]"}, {10 * time.Minute, time.Minute, "[630s]"},
	} {
		s, err := newServeSource(prometheusConfig(t, server.URL), tt.since, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		queries = nil
		c, err := s.Collect(context.Background(), webhookgate.Query{Rollout: "r", Spec: spec, Since: now.Add(-tt.ago), Now: now})
		if err != nil || (len(queries) == 0) != (tt.window == "") || (len(c.Problems) == 0) != (tt.window == "") {
			t.Errorf("--since %v, first look %v ago: %v, problems %v, queries %v", tt.since, tt.ago, err, c.Problems, queries)
		}
		for _, q := range queries {
			if !strings.Contains(q, tt.window) {
				t.Errorf("--since %v, first look %v ago: %s, want %s", tt.since, tt.ago, q, tt.window)
			}
		}
	}
}

// The first look is a pause that counts as no failed check, and not a problem.
func TestServeFirstLookAtPrometheus(t *testing.T) {
	t.Parallel()
	dir, args := serveFolder(t)
	s := startServe(t, append(args, "--store", filepath.Join(dir, "gate.db"), "--prometheus", prometheusConfig(t, "http://127.0.0.1:1"))...)
	canary := `{"name": "fraud", "namespace": "prod", "phase": "Progressing", "checksum": "1", "metadata": {}}`
	for hook, want := range map[string]int{"rollout": 200, "confirm-traffic-increase": 403} {
		if status, body := s.ask(http.DefaultClient, "POST", "/flagger/fraud/"+hook, canary); status != want || !strings.Contains(body, "pause") {
			t.Errorf("%s: %d %s", hook, status, body)
		}
	}
	status, body := s.ask(http.DefaultClient, "GET", "/v1/rollouts/flagger:prod:fraud:1", "")
	if status != 200 || !strings.Contains(body, `"decision":"pause"`) || !strings.Contains(body, `"stage_since":"20`) || strings.Contains(body, "provider_error") {
		t.Error(status, body)
	}
}

// An outage of Prometheus holds a canary, and does not count as a failed check.
func TestServeWithPrometheus(t *testing.T) {
	t.Parallel()
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer down.Close()
	dir, args := serveFolder(t)
	s := startServe(t, append(args, "--store", filepath.Join(dir, "gate.db"), "--since", "10m", "--prometheus", prometheusConfig(t, down.URL))...)
	canary := `{"name": "fraud", "namespace": "prod", "phase": "Progressing", "checksum": "1", "metadata": {}}`
	for _, tt := range []struct {
		hook string
		want int
	}{{"rollout", 200}, {"confirm-traffic-increase", 403}, {"rollback", 403}} {
		if status, body := s.ask(http.DefaultClient, "POST", "/flagger/fraud/"+tt.hook, canary); status != tt.want {
			t.Errorf("%s: %d %s", tt.hook, status, body)
		}
	}
	if status, body := s.ask(http.DefaultClient, "GET", "/v1/rollouts/flagger:prod:fraud:1", ""); status != 200 || !strings.Contains(body, "provider_error") {
		t.Error(status, body)
	}
}
