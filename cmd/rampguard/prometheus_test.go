package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A server that does not answer is an outage: the rollout waits, and nothing rolls
// back.
func TestPrometheusOutageIsAPause(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer srv.Close()
	policy := write(t, "policy.yaml", `version: 1
checks:
  - {check: guardrail, metric: ratio, of: errors, direction: lower, bounds: {rollback: 5%}}
`)
	config := write(t, "config.yaml", strings.NewReplacer("SERVER", srv.URL).Replace(`server: SERVER
timeout: 1s
deadline: 3s
retries: 0
arms: {label: version, baseline: v1, candidate: v2}
metrics:
  - name: errors
    kind: ratio
    events: sum(increase(errors_total{ {{.Match}} }[{{.Window}}]))
    units: sum(increase(requests_total{ {{.Match}} }[{{.Window}}]))
`))
	status, out, errs := cli(t, "check", "--policy", policy, "--prometheus", config, "--at", "2026-01-31T12:00:00Z")
	if status != 75 || !strings.Contains(out, "provider_error") {
		t.Errorf("exit status %d\n%s%s", status, out, errs)
	}
	wants(t, 2, []string{"leave out the logs"}, "check", "--policy", policy, "--prometheus", config, "--baseline", flights+"baseline.parquet")
	wants(t, 2, []string{"nowhere"}, "check", "--policy", policy, "--prometheus", "nowhere.yaml")
}
