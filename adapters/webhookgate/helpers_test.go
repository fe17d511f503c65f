package webhookgate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/gatestore"
	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

const rules = `version: 1
model: {name: fraud, baseline: v7, candidate: v8}
checks:
  - {check: guardrail, metric: ratio, of: errors, direction: lower, bounds: {rollback: 5%}}
`

const secret = "0123456789abcdef-ask"

var began = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func loadPolicy(tb testing.TB, text string) webhookgate.Policy {
	tb.Helper()
	p, err := analysis.LoadPolicy("policy.yaml", []byte(text), checks.Builtin())
	if err != nil {
		tb.Fatal(err)
	}
	canonical, err := analysis.CanonicalPolicy("policy.yaml", []byte(text), checks.Builtin())
	if err != nil {
		tb.Fatal(err)
	}
	return webhookgate.Policy{Rules: p, Canonical: map[string][]byte{p.Digest: canonical}}
}

// gate is a gate under test, with its clock and its store.
type gate struct {
	*webhookgate.Gate
	clock *clock
	store webhookgate.Store
}

func newGate(tb testing.TB, change func(*webhookgate.Options)) gate {
	tb.Helper()
	c := &clock{now: began}
	o := webhookgate.Options{Store: gatestore.NewMemory(), Policies: webhookgate.Policies{"fraud": loadPolicy(tb, rules)}, Now: c.Now,
		Tokens: []webhookgate.Token{{Name: "tester", Secret: secret}}, Overriders: []string{"tester"}, Rate: 1e6, Burst: 1e6}
	if change != nil {
		change(&o)
	}
	g, err := webhookgate.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return gate{g, c, o.Store}
}

// send asks the gate and returns the status and the body.
func (g gate) send(method, path, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+secret)
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// look is the body of a look at which the candidate has some errors in 10,000.
func look(rollout, id string, errors int) string {
	return fmt.Sprintf(`{"rollout": %q, "policy": "fraud", "look": %q, "measurements": [
		{"arm": "baseline", "metric": "errors", "start": "2026-01-31T11:00:00Z", "end": "2026-01-31T12:00:00Z", "total": 100, "count": 10000},
		{"arm": "candidate", "metric": "errors", "start": "2026-01-31T11:00:00Z", "end": "2026-01-31T12:00:00Z", "total": %d, "count": 10000}]}`, rollout, id, errors)
}

// The numbers of errors that lead to each verdict.
const (
	goOn     = 100
	wait     = 500
	rollBack = 2000
)

func (g gate) decide(tb testing.TB, body string) *analysis.Verdict {
	tb.Helper()
	status, answer := g.send("POST", "/v1/decide", body)
	if status != http.StatusOK {
		tb.Fatalf("status %d: %s", status, answer)
	}
	v, err := analysis.VerdictFromJSON([]byte(answer))
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// chain reads all records of a rollout, and verifies and replays them.
func (g gate) chain(tb testing.TB, rollout string) []*analysis.Verdict {
	tb.Helper()
	ctx := context.Background()
	all, err := g.store.Records(ctx, rollout, 1, 1000)
	if err != nil {
		tb.Fatal(err)
	}
	var out []*analysis.Verdict
	var before *analysis.Verdict
	for _, s := range all {
		v, err := analysis.VerdictFromJSON(s.Record)
		if err != nil {
			tb.Fatal(err)
		}
		if err := v.Verify(before); err != nil {
			tb.Fatal(err)
		}
		canonical, err := webhookgate.LoadPolicy(ctx, g.store, v.Record.PolicyDigest)
		if err != nil {
			tb.Fatal(err)
		}
		p, err := analysis.LoadPolicy("stored", canonical, checks.Builtin())
		if err != nil {
			tb.Fatal(err)
		}
		archive := analysis.Archive{
			Snapshot: func(digest string) (*analysis.Snapshot, error) { return webhookgate.LoadSnapshot(ctx, g.store, digest) },
			Pairs: func(digest string) (*analysis.PairSnapshot, error) {
				return webhookgate.LoadPairs(ctx, g.store, digest)
			},
		}
		if _, err := analysis.ReplayFrom(v, p, archive); err != nil {
			tb.Error(err)
		}
		out, before = append(out, v), v
	}
	return out
}

// code is the code of an error.
func code(tb testing.TB, body string) string {
	tb.Helper()
	var e struct {
		Error struct{ Code, Message string }
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil || e.Error.Message == "" {
		tb.Fatalf("the error has another form: %v: %s", err, body)
	}
	if _, err := dec.Token(); err != io.EOF {
		tb.Fatalf("something follows the error: %s", body)
	}
	return e.Error.Code
}
