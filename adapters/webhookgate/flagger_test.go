package webhookgate_test

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/webhookgate"
)

const checksum = "85d557f47b"

// payload is a webhook of Flagger for the canary fraud, with a rollout named in its
// metadata if one is given.
func payload(phase, rollout string) string { return payloadOf(phase, rollout, checksum) }

func payloadOf(phase, rollout, checksum string) string {
	m := map[string]string{}
	if rollout != "" {
		m["rollout"] = rollout
	}
	b, _ := json.Marshal(map[string]any{"name": "fraud", "namespace": "prod", "phase": phase, "checksum": checksum, "metadata": m})
	return string(b)
}

const derived = "flagger:prod:fraud:" + checksum

// The table of the package comment.
func TestFlaggerTable(t *testing.T) {
	hooks := []string{"pre-rollout", "rollout", "confirm-rollout", "confirm-traffic-increase", "confirm-promotion", "post-rollout", "event", "rollback"}
	accept := `, "problems": [{"name": "errors", "text": "query timed out"}]`
	type row struct {
		verdict string
		looks   []string
		want    []int  // by hook
		body    string // of the webhook; that of the revision under analysis when empty
	}
	const other = "6c9d4f88b7"
	held := []int{200, 200, 200, 403, 403, 200, 200, 403} // as without a verdict
	rows := []row{
		{"none", nil, held, ""},
		{"continue", []string{look("v8", "1", goOn)}, []int{200, 200, 200, 200, 200, 200, 200, 403}, ""},
		{"pause", []string{look("v8", "1", wait)}, held, ""},
		{"outage", []string{strings.TrimSuffix(look("v8", "1", goOn), "}") + accept + "}"}, held, ""},
		{"manual pause", []string{strings.TrimSuffix(look("v8", "1", goOn), "}") + `, "overrides": [{"action": "pause", "who": "ann", "why": "holiday"}]}`}, []int{200, 200, 403, 403, 403, 200, 200, 403}, ""},
		{"rollback", []string{look("v8", "1", rollBack)}, []int{403, 403, 403, 403, 403, 200, 200, 200}, ""},
		{"continue, by its checksum", []string{look(derived, "1", goOn)}, []int{200, 200, 200, 200, 200, 200, 200, 403}, payload("Progressing", "")},
		{"continue of another revision", []string{look("v8", "1", goOn)}, held, payloadOf("Progressing", "v8", other)},
		{"continue of another checksum", []string{look(derived, "1", goOn)}, held, payloadOf("Progressing", "", other)},
		{"rollback of another revision", []string{look("v8", "1", rollBack)}, []int{200, 200, 403, 403, 403, 200, 200, 403}, payloadOf("Progressing", "v8", other)},
	}
	for _, phase := range []string{"", "Initializing", "Initialized", "Waiting", "Promoting", "Finalising", "Succeeded", "Failed", "Terminating"} { // the checksum may be that of the revision before
		rows = append(rows,
			row{"continue, phase " + phase, []string{look("v8", "1", goOn)}, held, payload(phase, "v8")},
			row{"continue by checksum, phase " + phase, []string{look(derived, "1", goOn)}, held, payload(phase, "")},
			row{"continue of another revision, phase " + phase, []string{look("v8", "1", goOn)}, held, payloadOf(phase, "v8", other)},
			row{"rollback by checksum, phase " + phase, []string{look(derived, "1", rollBack)}, held, payload(phase, "")},
			row{"rollback, phase " + phase, []string{look("v8", "1", rollBack)}, []int{200, 200, 403, 403, 403, 200, 200, 403}, payload(phase, "v8")})
	}
	for _, tt := range rows {
		t.Run(tt.verdict, func(t *testing.T) {
			g := newGate(t, nil)
			for _, body := range tt.looks {
				g.decide(t, body)
			}
			g.send("POST", "/flagger/fraud/rollout", payload("Progressing", "v8")) // which is then its own
			for i, hook := range hooks {
				status, body := g.send("POST", "/flagger/fraud/"+hook, cmp.Or(tt.body, payload("Progressing", "v8")))
				if status != tt.want[i] || strings.HasPrefix(body, "{") || len(strings.TrimSpace(body)) == 0 {
					t.Errorf("%s: %d %q, want %d", hook, status, body, tt.want[i])
				}
			}
		})
	}
}

// The first step without evidence is one of a revision under analysis.
func TestFirstStepOutsideAnalysis(t *testing.T) {
	g := newGate(t, nil)
	for phase, want := range map[string]int{"Progressing": 200, "Succeeded": 403} {
		g.send("POST", "/flagger/fraud/pre-rollout", payload("Progressing", ""))
		body := strings.Replace(payload(phase, ""), `"metadata":{`, `"metadata":{"first-step":"allow"`, 1)
		if status, said := g.send("POST", "/flagger/fraud/confirm-traffic-increase", body); status != want {
			t.Errorf("%s: %d %s, want %d", phase, status, said, want)
		}
	}
}

// The rollback hook says yes to the revision that owns the rollout, in the phases in
// which the checksum is that revision's, and not to others.
func TestRollbackIsForTheVeryRevision(t *testing.T) {
	g := newGate(t, nil)
	ask := func(body string) int {
		status, _ := g.send("POST", "/flagger/fraud/rollback", body)
		return status
	}
	g.decide(t, look("v8", "1", rollBack))
	if got := ask(payload("Progressing", "v8")); got != 403 {
		t.Errorf("a rollout that nobody owns: %d", got)
	}
	g.send("POST", "/flagger/fraud/rollout", payload("Waiting", "v8")) // binds nothing
	if got := ask(payload("Progressing", "v8")); got != 403 {
		t.Errorf("bound in the phase Waiting: %d", got)
	}
	g.send("POST", "/flagger/fraud/rollout", payload("Progressing", "v8"))
	for _, tt := range []struct {
		reason, body string
		want         int
	}{
		{"the revision", payload("Progressing", "v8"), 200},
		{"the revision, later", payload("WaitingPromotion", "v8"), 200},
		{"before the analysis", payload("Waiting", "v8"), 403},
		{"after it", payload("Succeeded", "v8"), 403},
		{"no phase", payload("", "v8"), 403},
		{"another revision", payloadOf("Progressing", "v8", "6c9d4f88b7"), 403},
		{"another rollout", payload("Progressing", "v9"), 403},
		{"no rollout named", payload("Progressing", ""), 403},
		{"another canary", strings.Replace(payload("Progressing", "v8"), `"prod"`, `"test"`, 1), 403},
		{"no JSON", "rollback!", 400},
		{"no checksum", payloadOf("Progressing", "v8", ""), 400},
		{"the rollout of another canary", payload("Progressing", "flagger:test:fraud:1"), 400},
	} {
		if got := ask(tt.body); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.reason, got, tt.want)
		}
	}
	if status, body := g.send("POST", "/flagger/fraud/rollout", payloadOf("Progressing", "v8", "6c9d4f88b7")); status != 200 || !strings.Contains(body, "another revision") {
		t.Errorf("a name that another revision owns: %d %s", status, body)
	}
	g.decide(t, look(derived, "1", rollBack))
	if got := ask(payload("Progressing", "")); got != 200 {
		t.Errorf("the derived name: %d", got)
	}
	g.clock.add(time.Minute)
	g.decide(t, strings.TrimSuffix(look(derived, "2", goOn), "}")+`, "overrides": [{"action": "accept", "check": "guardrail", "who": "ann", "why": "known", "expires": "2026-02-01T00:00:00Z"}, {"action": "continue", "who": "ann", "why": "known", "expires": "2026-02-01T00:00:00Z"}]}`)
	if got := ask(payload("Progressing", "")); got != 403 {
		t.Errorf("after a person has accepted it: %d", got)
	}
}

// An old Continue moves no traffic, an old rollback stands.
func TestOldVerdicts(t *testing.T) {
	g := newGate(t, nil)
	g.decide(t, look(derived, "1", goOn))
	if status, _ := g.send("POST", "/flagger/fraud/confirm-promotion", payload("WaitingPromotion", "")); status != 200 {
		t.Fatal(status)
	}
	g.clock.add(2 * time.Hour)
	if status, body := g.send("POST", "/flagger/fraud/confirm-promotion", payload("WaitingPromotion", "")); status != 403 || !strings.Contains(body, "no longer counts") {
		t.Error(status, body)
	}
	if _, body := g.send("GET", "/argo/fraud/"+derived, ""); !strings.Contains(body, `"verdict":"pause","resume":"auto"`) {
		t.Error(body)
	}
	g.decide(t, look(derived, "2", rollBack))
	g.clock.add(48 * time.Hour)
	if status, _ := g.send("POST", "/flagger/fraud/rollback", payload("Progressing", "")); status != 200 {
		t.Error(status)
	}
}

// Whatever is sent, the rollback hook says yes only for a canary whose rollout has a
// recorded rollback.
func FuzzRollbackHook(f *testing.F) {
	for _, body := range []string{"", "{}", "null", "[]", payload("Progressing", ""), payload("Progressing", "bad"), payload("Progressing", "good"), payload("Waiting", "bad"),
		payloadOf("Progressing", "", "6c9d4f88b7"), payload("Progressing", derived), `{"name":"fraud","namespace":"prod","phase":"Progressing","checksum":"` + checksum + `","checksum":"x"}`} {
		f.Add("fraud", body)
		f.Add("fraud/../fraud", body)
		f.Add("spam", body)
	}
	g := newGate(f, func(o *webhookgate.Options) {
		o.Policies = webhookgate.Policies{"fraud": loadPolicy(f, rules), "spam": loadPolicy(f, strings.Replace(rules, "name: fraud", "name: spam", 1))}
	})
	g.decide(f, look("bad", "1", rollBack))
	g.decide(f, look("good", "1", goOn))
	g.decide(f, look(derived, "1", rollBack))
	g.send("POST", "/flagger/fraud/rollout", payload("Progressing", "bad"))
	f.Fuzz(func(t *testing.T, policy, body string) {
		if strings.ContainsAny(policy, "?# %\\/") || slices.ContainsFunc([]byte(policy), func(c byte) bool { return c <= ' ' || c > '~' }) {
			policy = "fraud"
		}
		status, text := g.send("POST", "/flagger/"+policy+"/rollback", body)
		if status >= 500 {
			t.Fatalf("%d %s", status, text)
		}
		if status > 202 {
			return
		}
		var c struct {
			Name, Namespace, Phase, Checksum string
			Metadata                         map[string]string
		}
		if err := json.Unmarshal([]byte(body), &c); err != nil || policy != "fraud" || c.Name != "fraud" || c.Namespace != "prod" || c.Checksum != checksum ||
			c.Phase != "Progressing" && c.Phase != "WaitingPromotion" || c.Metadata["rollout"] != "" && c.Metadata["rollout"] != "bad" {
			t.Fatalf("yes to policy %q, body %s", policy, body)
		}
	})
}
