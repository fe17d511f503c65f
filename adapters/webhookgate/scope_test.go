package webhookgate_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/analysis"
)

// sendAs asks the gate with another token than the usual one.
func (g gate) sendAs(token, method, path, body string) (int, string) {
	r, w := httptest.NewRequest(method, path, strings.NewReader(body)), httptest.NewRecorder()
	r.Header.Set("Authorization", "Bearer "+token)
	g.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// A client whose token names policies may use those, and learns nothing of others.
func TestClientsHavePolicies(t *testing.T) {
	const narrow = "0123456789abcdef-spam"
	g := newGate(t, func(o *webhookgate.Options) {
		o.Policies = webhookgate.Policies{"fraud": loadPolicy(t, rules), "spam": loadPolicy(t, strings.Replace(rules, "name: fraud", "name: spam", 1))}
		o.Tokens = append(o.Tokens, webhookgate.Token{Name: "narrow", Secret: narrow, Policies: []string{"spam"}})
	})
	g.decide(t, look("r", "1", rollBack))
	start := `{"scopes": {"a": {"experimentScope": {"scope": "r"}}}, "thresholds": {"pass": 90, "marginal": 50}}`
	_, body := g.send("POST", "/kayenta/canary/fraud", start)
	var started struct{ CanaryExecutionID string }
	if err := json.Unmarshal([]byte(body), &started); err != nil || started.CanaryExecutionID == "" {
		t.Fatal(err, body)
	}
	spam := func(text string) string { return strings.Replace(text, `"fraud"`, `"spam"`, 1) }
	for _, tt := range []struct {
		method, path, body string
		status             int
		code               string // empty: the answer is no error, or one of Flagger's in plain text
	}{
		{"POST", "/v1/decide", look("r", "2", goOn), 403, "policy_not_allowed"},
		{"POST", "/v1/decide", strings.Replace(look("r", "2", goOn), `"fraud"`, `"frog"`, 1), 403, "policy_not_allowed"},
		{"GET", "/v1/rollouts/r", "", 403, "policy_not_allowed"},
		{"GET", "/v1/rollouts/r/records", "", 403, "policy_not_allowed"},
		{"GET", "/v1/rollouts/nobody", "", 404, "not_found"},
		{"GET", "/argo/fraud/r", "", 403, "policy_not_allowed"},
		{"POST", "/argo/fraud/r", "", 403, "policy_not_allowed"},
		{"POST", "/kayenta/canary/fraud", start, 403, "policy_not_allowed"},
		{"GET", "/kayenta/canary/" + started.CanaryExecutionID, "", 403, "policy_not_allowed"},
		{"POST", "/flagger/fraud/rollback", payload("Progressing", "r"), 403, ""},
		{"POST", "/flagger/fraud/event", payload("Progressing", "r"), 403, ""},
		{"POST", "/v1/decide", spam(look("s", "1", goOn)), 200, ""},
		{"GET", "/v1/rollouts/s", "", 200, ""},
		{"GET", "/v1/rollouts/s/records", "", 200, ""},
		{"GET", "/argo/spam/s", "", 200, ""},
		{"POST", "/kayenta/canary/spam", start, 200, ""},
		{"POST", "/flagger/spam/rollout", payload("Progressing", "s"), 200, ""},
		{"POST", "/flagger/spam/confirm-promotion", payload("Progressing", "s"), 200, ""},
	} {
		status, body := g.sendAs(narrow, tt.method, tt.path, tt.body)
		if status != tt.status || tt.code != "" && code(t, body) != tt.code {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.path, status, body, tt.status, tt.code)
		}
		if status == 403 && !strings.Contains(body, "may not use policy") {
			t.Errorf("%s %s: the answer is not one about the policy: %s", tt.method, tt.path, body)
		}
	}
	if status, body := g.sendAs(narrow, "GET", "/kayenta/canaryConfig", ""); status != 200 || body != `[{"id":"spam","name":"spam"}]`+"\n" {
		t.Errorf("the list of policies: %d %s", status, body)
	}
	if all := g.chain(t, "r"); len(all) != 1 {
		t.Errorf("%d records of a rollout of another policy, want 1", len(all))
	}
}

// Evidence for a policy that the gate collects evidence for is posted by those who
// may, and by nobody else.
func TestPostedEvidenceBesideSource(t *testing.T) {
	const override = `"overrides": [{"action": "pause", "who": "ann", "why": "holiday"}]`
	bare := `{"rollout": "r", "policy": "fraud", "look": "1", MEMBER}`
	spec, err := loadPolicy(t, rules).Rules.Spec()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(analysis.NewSnapshot(spec))
	if err != nil {
		t.Fatal(err)
	}
	snapshot := string(b)
	type row struct {
		reason, body string
		refused      bool
	}
	rows := []row{
		{"measurements", look("r", "1", goOn), true},
		{"a finding", strings.Replace(bare, "MEMBER", `"given": [{"check": "elsewhere", "code": "x", "metric": "m", "outcome": "pass", "severity": "rollback"}]`, 1), true},
		{"a problem", strings.Replace(bare, "MEMBER", `"problems": [{"name": "errors", "text": "query timed out"}]`, 1), true},
		{"evidence", strings.Replace(bare, "MEMBER", `"evidence": [{}]`, 1), true},
		{"a reference", strings.Replace(bare, "MEMBER", `"reference": `+snapshot, 1), true},
		{"a previous day", strings.Replace(bare, "MEMBER", `"previous": `+snapshot, 1), true},
		{"nothing", strings.Replace(bare, "MEMBER", `"stage": ""`, 1), true},
		{"an override alone", strings.Replace(bare, "MEMBER", override, 1), false},
	}
	for _, tt := range rows[:len(rows)-2] {
		rows = append(rows, row{tt.reason + " with an override", strings.TrimSuffix(tt.body, "}") + ", " + override + "}", true})
	}
	for _, tt := range rows {
		t.Run(tt.reason, func(t *testing.T) {
			for _, poster := range []string{"", "tester"} {
				g := newGate(t, func(o *webhookgate.Options) {
					p := loadPolicy(t, rules)
					p.Source = &source{errors: goOn}
					o.Policies = webhookgate.Policies{"fraud": p}
					if poster != "" {
						o.Posters = []string{poster}
					}
				})
				status, body := g.send("POST", "/v1/decide", tt.body)
				switch {
				case tt.refused && poster == "":
					if status != 403 || code(t, body) != "evidence_not_allowed" || len(g.chain(t, "r")) != 0 {
						t.Errorf("%d %s", status, body)
					}
				case status != 200 || len(g.chain(t, "r")) != 1:
					t.Errorf("poster %q: %d %s", poster, status, body)
				}
			}
		})
	}
}
