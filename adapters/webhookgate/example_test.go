package webhookgate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/rampguard/rampguard/adapters/gatestore"
	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// A job posts evidence, and Flagger asks about it.
func ExampleNew() {
	policy, err := analysis.LoadPolicy("fraud.yaml", []byte(`version: 1
model: {name: fraud, baseline: v7, candidate: v8}
checks:
  - {check: guardrail, metric: ratio, of: errors, direction: lower, margin: 1pp}
`), checks.Builtin())
	if err != nil {
		fmt.Println(err)
		return
	}
	gate, err := webhookgate.New(webhookgate.Options{
		Store:    gatestore.NewMemory(),
		Policies: webhookgate.Policies{"fraud": {Rules: policy}},
		Tokens:   []webhookgate.Token{{Name: "flagger", Secret: "a-long-random-token"}},
		Now:      func() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ask := func(path, body string) (int, string) {
		r, w := httptest.NewRequest("POST", path, strings.NewReader(body)), httptest.NewRecorder()
		r.Header.Set("Authorization", "Bearer a-long-random-token")
		gate.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	_, answer := ask("/v1/decide", `{"rollout": "fraud-v8", "policy": "fraud", "look": "noon", "measurements": [
		{"arm": "baseline", "metric": "errors", "start": "2026-01-31T11:00:00Z", "end": "2026-01-31T12:00:00Z", "total": 100, "count": 10000},
		{"arm": "candidate", "metric": "errors", "start": "2026-01-31T11:00:00Z", "end": "2026-01-31T12:00:00Z", "total": 400, "count": 10000}]}`)
	var v analysis.Verdict
	if err := json.Unmarshal([]byte(answer), &v); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.Decision)

	canary := `{"name": "fraud", "namespace": "prod", "phase": "Progressing", "checksum": "85d557f47b", "metadata": {"rollout": "fraud-v8"}}`
	for _, hook := range []string{"rollout", "rollback"} {
		status, _ := ask("/flagger/fraud/"+hook, canary)
		fmt.Println(hook, status)
	}
	// Output:
	// rollback
	// rollout 403
	// rollback 200
}

// Stored evidence and policies are found by their digests.
func ExampleLoadSnapshot() {
	ctx, store := context.Background(), gatestore.NewMemory()
	_, err := webhookgate.LoadSnapshot(ctx, store, "4f53cda1")
	fmt.Println(err)
	_, err = webhookgate.LoadPolicy(ctx, store, "7b1b618e")
	fmt.Println(err)
	// Output:
	// gatestore: snapshots/4f53cda1: webhookgate: not stored
	// gatestore: policies/7b1b618e: webhookgate: not stored
}

func ExampleLoadPairs() {
	ctx, store := context.Background(), gatestore.NewMemory()
	_, err := webhookgate.LoadPairs(ctx, store, "4f53cda1")
	fmt.Println(err)
	// Output: gatestore: pairs/4f53cda1: webhookgate: not stored
}
