package webhookgate_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rampguard/rampguard/adapters/gatestore"
	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

func TestDecideRecordsEachLookOnce(t *testing.T) {
	g := newGate(t, nil)
	for i, want := range []struct {
		errors   int
		decision analysis.Decision
	}{{wait, analysis.Pause}, {goOn, analysis.Continue}, {rollBack, analysis.Rollback}, {goOn, analysis.Rollback}} {
		body := look("fraud-v8", fmt.Sprint("look", i), want.errors)
		v := g.decide(t, body)
		if v.Decision != want.decision {
			t.Errorf("look %d: %v, want %v: %v", i, v.Decision, want.decision, v.Reasons)
		}
		g.clock.add(time.Minute)
		if again := g.decide(t, body); again.Record.Digest != v.Record.Digest {
			t.Errorf("look %d: a retry got another verdict", i)
		}
		if status, answer := g.send("POST", "/v1/decide", body+" "); status != http.StatusConflict || code(t, answer) != "look_id_reused" {
			t.Errorf("look %d: other bytes under the same id: %d %s", i, status, answer)
		}
		if status, last := g.send("GET", "/v1/rollouts/fraud-v8", ""); status != 200 || !strings.Contains(last, v.Record.Digest) {
			t.Errorf("look %d: the last verdict is another one: %d %.200s", i, status, last)
		}
	}
	if all := g.chain(t, "fraud-v8"); len(all) != 4 {
		t.Errorf("%d records, want 4", len(all))
	}
}

func TestRecordsArePaged(t *testing.T) {
	g := newGate(t, nil)
	var want []string
	for i := range 5 {
		want = append(want, g.decide(t, look("r", fmt.Sprint("look", i), goOn)).Record.Digest)
	}
	var got []string
	for from := 1; from > 0; {
		status, body := g.send("GET", fmt.Sprintf("/v1/rollouts/r/records?from=%d&limit=2", from), "")
		var page struct {
			Records []struct {
				Number  int
				Look    string
				Verdict json.RawMessage
			}
			Next int
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || status != 200 {
			t.Fatal(status, err, body)
		}
		for _, r := range page.Records {
			v, err := analysis.VerdictFromJSON(r.Verdict)
			if err != nil || r.Look != fmt.Sprint("look", len(got)) || r.Number != len(got)+1 {
				t.Fatal(r.Number, r.Look, err)
			}
			got = append(got, v.Record.Digest)
		}
		from = page.Next
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %v, want %v", got, want)
	}
	if status, body := g.send("GET", "/v1/rollouts/r/records?from=x", ""); status != 400 || code(t, body) != "bad_request" {
		t.Error(status, body)
	}
}

// A snapshot counts the same in both forms, and the evidence of a stage before is
// remembered.
func TestEvidenceOfStages(t *testing.T) {
	staged := rules + "stages:\n  - {name: canary, weight: 50}\n  - {name: full, weight: 100}\n"
	g := newGate(t, func(o *webhookgate.Options) { o.Policies = webhookgate.Policies{"fraud": loadPolicy(t, staged)} })
	spec, err := loadPolicy(t, staged).Rules.Spec()
	if err != nil {
		t.Fatal(err)
	}
	arm := func(total float64) *analysis.Snapshot {
		s, count := analysis.NewSnapshot(spec), 10000.0
		if err := s.AddMeasurement(analysis.Measurement{Metric: "errors", Start: began.Add(-time.Hour), End: began, Total: &total, Count: &count}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	binary, err := arm(100).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(arm(101))
	if err != nil {
		t.Fatal(err)
	}
	body := func(id, stage string) string {
		return fmt.Sprintf(`{"rollout": "r", "policy": "fraud", "look": %q, "stage": %q, "evidence": [{"baseline": %q, "candidate": %s}]}`,
			id, stage, base64.StdEncoding.EncodeToString(binary), text)
	}
	if v := g.decide(t, body("1", "canary")); v.Decision != analysis.Continue || v.Next != "full" {
		t.Errorf("%v, next %q: %v", v.Decision, v.Next, v.Reasons)
	}
	v := g.decide(t, body("2", "full"))
	if len(v.Record.Inputs) != 4 || v.Record.Inputs[0].Stage != "canary" || v.Record.Inputs[0].Digest == "" {
		t.Errorf("the evidence of the stage before is not in the record: %+v", v.Record.Inputs)
	}
	g.chain(t, "r")
}

// paired is a policy for requests that both models scored.
const paired = `version: 1
model: {name: fraud, baseline: v7, candidate: v8}
columns: {label: label}
pairs: {baseline: old, candidate: new}
actions: {version: "1", rules: [{name: block, at_least: 0.5}, {name: allow}]}
checks:
  - {check: paired, margin: 5pp, severity: rollback}
stages:
  - {name: canary, weight: 50}
  - {name: full, weight: 100}
`

// Pairs are evidence like that of the arms, remembered and replayed.
func TestEvidenceOfPairs(t *testing.T) {
	p := loadPolicy(t, paired)
	g := newGate(t, func(o *webhookgate.Options) { o.Policies = webhookgate.Policies{"fraud": p} })
	s := pairsOf(t, p)
	binary, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	body := func(id, stage string) string {
		return fmt.Sprintf(`{"rollout": "p", "policy": "fraud", "look": %q, "stage": %q, "evidence": [{"pairs": %q}]}`, id, stage, base64.StdEncoding.EncodeToString(binary))
	}
	if v := g.decide(t, body("1", "canary")); v.Decision != analysis.Continue {
		t.Errorf("%v: %v", v.Decision, v.Reasons)
	}
	if v := g.decide(t, body("2", "full")); len(v.Record.Inputs) < 2 {
		t.Errorf("the pairs of the stage before are not in the record: %+v", v.Record.Inputs)
	}
	g.chain(t, "p")
	if status, said := g.send("POST", "/v1/decide", strings.Replace(body("3", "full"), `"pairs": "`, `"pairs": "AAAA`, 1)); status != 400 {
		t.Errorf("damaged pairs: %d %s", status, said)
	}
}

// pairsOf makes a snapshot of pairs in which the candidate errs half as often.
func pairsOf(t *testing.T, p webhookgate.Policy) *analysis.PairSnapshot {
	t.Helper()
	spec, err := p.Rules.PairSpec()
	if err != nil {
		t.Fatal(err)
	}
	c, err := analysis.NewPairCollector(spec)
	if err != nil {
		t.Fatal(err)
	}
	const n = 4000
	columns := map[string]analysis.Column{"old": {Type: analysis.Float, Floats: make([]float64, n)}, "new": {Type: analysis.Float, Floats: make([]float64, n)}, "label": {Type: analysis.Bool, Bools: make([]bool, n)}}
	for i := range n { // the candidate errs one time in ten, the baseline in five
		yes := i%2 == 0
		columns["label"].Bools[i] = yes
		right := func(every int) float64 {
			if (i%every != 0) == yes {
				return 0.9
			}
			return 0.1
		}
		columns["old"].Floats[i], columns["new"].Floats[i] = right(5), right(10)
	}
	b := &analysis.Batch{Rows: n}
	for _, name := range spec.Spec().Names() {
		b.Columns = append(b.Columns, columns[name])
	}
	if err := c.Add(b); err != nil {
		t.Fatal(err)
	}
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Evidence that is stored under the name of other evidence is not handed out.
func TestLoadedEvidenceIsTheOneThatWasAskedFor(t *testing.T) {
	ctx, store, p := context.Background(), gatestore.NewMemory(), loadPolicy(t, paired)
	spec, err := p.Rules.Spec()
	if err != nil {
		t.Fatal(err)
	}
	type evidence interface {
		Digest() (string, error)
		MarshalBinary() ([]byte, error)
	}
	e := webhookgate.Entry{Stored: webhookgate.Stored{Number: 1, Look: "1", Record: []byte("{}")}, Policy: "fraud"}
	own := map[string]string{}
	other := strings.Repeat("ab", 32)
	for kind, s := range map[string]evidence{"snapshots/": analysis.NewSnapshot(spec), "pairs/": pairsOf(t, p)} {
		digest, err := s.Digest()
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		own[kind] = digest
		e.Blobs = append(e.Blobs, webhookgate.Blob{Name: kind + digest, Data: b}, webhookgate.Blob{Name: kind + other, Data: b})
	}
	if err := store.Append(ctx, "r", e); err != nil {
		t.Fatal(err)
	}
	load := map[string]func(digest string) error{
		"snapshots/": func(digest string) error { _, err := webhookgate.LoadSnapshot(ctx, store, digest); return err },
		"pairs/":     func(digest string) error { _, err := webhookgate.LoadPairs(ctx, store, digest); return err },
	}
	for kind, digest := range own {
		if err := load[kind](digest); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if err := load[kind](other); !errors.Is(err, stats.ErrMismatch) || !strings.Contains(err.Error(), kind+other) || !strings.Contains(err.Error(), digest) {
			t.Errorf("%s under another name: %v", kind, err)
		}
	}
}

// A finding from elsewhere without a number is no pass.
func TestGivenFindingWithoutNumberIsNoPass(t *testing.T) {
	g := newGate(t, nil)
	body := strings.TrimSuffix(look("r", "1", goOn), "}") + `, "given": [{"check": "elsewhere", "code": "x", "metric": "m", "outcome": "pass", "severity": "rollback", "required": true}]}`
	if v := g.decide(t, body); v.Decision != analysis.Pause {
		t.Errorf("%v: %v", v.Decision, v.Reasons)
	}
}

func TestRefusals(t *testing.T) {
	g := newGate(t, func(o *webhookgate.Options) { o.MaxBody = 4000; o.Overriders = nil })
	g.decide(t, look("taken", "1", goOn))
	with := func(member string) string { return strings.TrimSuffix(look("r", "1", goOn), "}") + ", " + member + "}" }
	for _, tt := range []struct {
		reason, method, path, body string
		status                     int
		code                       string
	}{
		{"no JSON", "POST", "/v1/decide", "verdict?", 400, "bad_request"},
		{"a window that ends before it begins", "POST", "/v1/decide", `{"rollout": "r", "policy": "fraud", "look": "1", "measurements": [{"arm": "candidate", "metric": "errors", "start": "2026-01-31T12:00:00Z", "end": "2026-01-31T11:00:00Z", "total": 1, "count": 10}]}`, 400, "bad_request"},
		{"half of it", "POST", "/v1/decide", look("r", "1", goOn)[:100], 400, "bad_request"},
		{"two values", "POST", "/v1/decide", look("r", "1", goOn) + "{}", 400, "bad_request"},
		{"an unknown member", "POST", "/v1/decide", with(`"verdict": "continue"`), 400, "bad_request"},
		{"an unknown member of a finding", "POST", "/v1/decide", with(`"given": [{"outcom": "pass"}]`), 400, "bad_request"},
		{"no id", "POST", "/v1/decide", look("r", "", goOn), 400, "bad_request"},
		{"an id of the gate", "POST", "/v1/decide", look("r", "gate:1", goOn), 400, "bad_request"},
		{"a strange rollout", "POST", "/v1/decide", look("../r", "1", goOn), 400, "bad_request"},
		{"the future", "POST", "/v1/decide", with(`"now": "2026-01-31T12:02:00Z"`), 400, "bad_request"},
		{"the past", "POST", "/v1/decide", strings.Replace(with(`"now": "2026-01-31T11:59:00Z"`), `"r"`, `"taken"`, 1), 409, "look_id_reused"},
		{"no snapshot", "POST", "/v1/decide", with(`"evidence": [{"baseline": "AAAA"}]`), 400, "bad_request"},
		{"no base 64", "POST", "/v1/decide", with(`"evidence": [{"baseline": "!"}]`), 400, "bad_request"},
		{"a window twice", "POST", "/v1/decide", strings.Replace(look("r", "1", goOn), `"candidate"`, `"baseline"`, 1), 400, "bad_request"},
		{"an unknown arm", "POST", "/v1/decide", strings.Replace(look("r", "1", goOn), `"candidate"`, `"canary"`, 1), 400, "bad_request"},
		{"an unknown metric", "POST", "/v1/decide", strings.Replace(look("r", "1", goOn), `"errors"`, `"faults"`, 1), 422, "evidence_unusable"},
		{"an unknown stage", "POST", "/v1/decide", with(`"stage": "canary"`), 422, "evidence_unusable"},
		{"an unknown policy", "POST", "/v1/decide", strings.Replace(look("r", "1", goOn), `"fraud"`, `"frog"`, 1), 404, "not_found"},
		{"an override", "POST", "/v1/decide", with(`"overrides": [{"action": "continue", "who": "me", "why": "hurry", "expires": "2026-02-01T00:00:00Z"}]`), 403, "override_not_allowed"},
		{"a huge body", "POST", "/v1/decide", with(`"problems": [{"text": "` + strings.Repeat("x", 4000) + `"}]`), 413, "body_too_large"},
		{"a huge hook", "POST", "/argo/fraud/r", strings.Repeat(" ", 5000), 413, "body_too_large"},
		{"another method", "GET", "/v1/decide", "", 405, "method_not_allowed"},
		{"another path", "GET", "/v2", "", 404, "not_found"},
		{"a path to be cleaned", "POST", "/v1//decide", look("r", "1", goOn), 404, "not_found"},
		{"an unknown rollout", "GET", "/v1/rollouts/r", "", 404, "not_found"},
		{"a strange rollout to be read", "GET", "/v1/rollouts/-r", "", 400, "bad_request"},
		{"a long rollout to be read", "GET", "/v1/rollouts/" + strings.Repeat("r", 201), "", 400, "bad_request"},
		{"records of a strange rollout", "GET", "/v1/rollouts/r%20r/records", "", 400, "bad_request"},
		{"no metrics", "GET", "/metrics", "", 404, "not_found"},
		{"a strange body for Argo", "POST", "/argo/fraud/r", `{"a": 1}`, 400, "bad_request"},
		{"a strange rollout for Argo", "GET", "/argo/fraud/-", "", 400, "bad_request"},
		{"an unknown policy for Argo", "GET", "/argo/frog/r", "", 404, "not_found"},
		{"an unknown execution", "GET", "/kayenta/canary/abc", "", 404, "not_found"},
		{"no judge's body", "POST", "/kayenta/judge", `{}`, 400, "bad_request"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			status, body := g.send(tt.method, tt.path, tt.body)
			if status != tt.status || code(t, body) != tt.code {
				t.Errorf("%d %s, want %d %s", status, body, tt.status, tt.code)
			}
			if all := g.chain(t, "r"); len(all) > 0 {
				t.Error("it left a record")
			}
		})
	}
}

func TestOrderOfLooks(t *testing.T) {
	g := newGate(t, nil)
	at := func(id, now string) string {
		return strings.TrimSuffix(look("r", id, goOn), "}") + fmt.Sprintf(`, "now": %q}`, now)
	}
	g.decide(t, at("1", "2026-01-31T11:30:00Z"))
	if status, body := g.send("POST", "/v1/decide", at("2", "2026-01-31T11:29:00Z")); status != 409 || code(t, body) != "before_last_look" {
		t.Error(status, body)
	}
	g.decide(t, at("3", "2026-01-31T12:00:30Z"))
	if v := g.decide(t, look("r", "4", goOn)); v.Record.DecidedAt != "2026-01-31T12:00:30Z" { // the clock of the gate is behind
		t.Error(v.Record.DecidedAt)
	}
	g.chain(t, "r")
}

// One rollout is judged by one policy.
func TestAnotherPolicyIsRefused(t *testing.T) {
	g := newGate(t, func(o *webhookgate.Options) {
		o.Policies = webhookgate.Policies{"fraud": loadPolicy(t, rules), "spam": loadPolicy(t, strings.Replace(rules, "name: fraud", "name: spam", 1))}
	})
	g.decide(t, look("r", "1", goOn))
	for _, path := range []string{"/argo/spam/r"} {
		if status, body := g.send("GET", path, ""); status != 409 || code(t, body) != "another_policy" {
			t.Error(status, body)
		}
	}
	if status, body := g.send("POST", "/v1/decide", strings.Replace(look("r", "2", goOn), `"fraud"`, `"spam"`, 1)); status != 409 || code(t, body) != "another_policy" {
		t.Error(status, body)
	}
}

// Two gates on one store give one chain, and a look that is sent to both counts once.
func TestTwoGatesOnOneStore(t *testing.T) {
	first := newGate(t, nil)
	second := newGate(t, func(o *webhookgate.Options) { o.Store = first.store })
	var wg sync.WaitGroup
	for i := range 40 {
		for _, g := range []gate{first, second} {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if status, body := g.send("POST", "/v1/decide", look("r", fmt.Sprint("look", i), goOn)); status != 200 {
					t.Errorf("look %d: %d %s", i, status, body)
				}
			}()
		}
	}
	wg.Wait()
	all := first.chain(t, "r")
	if len(all) != 40 || all[39].State.Looks != 40 {
		t.Errorf("%d records, %d looks, want 40", len(all), all[len(all)-1].State.Looks)
	}
}

// broken is a store that fails, with a password in what it says.
type broken struct{ webhookgate.Store }

func (broken) Load(context.Context, string, string) (webhookgate.Past, error) {
	return webhookgate.Past{}, errors.New("postgres://admin:hunter2@db failed")
}
func (broken) Ping(context.Context) error { return errors.New("hunter2") }

func TestBrokenStore(t *testing.T) {
	var seen []webhookgate.Access
	g := newGate(t, func(o *webhookgate.Options) {
		o.Store = broken{o.Store}
		o.Served = func(a webhookgate.Access) { seen = append(seen, a) }
	})
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/v1/decide", look("r", "1", goOn), 503}, {"GET", "/v1/rollouts/r", "", 503}, {"GET", "/argo/fraud/r", "", 503}, {"GET", "/healthz", "", 503},
		{"POST", "/flagger/fraud/rollout", payload("Progressing", ""), 200},
		{"POST", "/flagger/fraud/confirm-promotion", payload("WaitingPromotion", ""), 403},
		{"POST", "/flagger/fraud/rollback", payload("Progressing", ""), 403},
	} {
		status, body := g.send(tt.method, tt.path, tt.body)
		if status != tt.status || strings.Contains(body, "hunter2") {
			t.Errorf("%s: %d %s, want %d", tt.path, status, body, tt.status)
		}
	}
	for _, a := range seen {
		if a.Err == nil {
			t.Errorf("%s: the log does not get the cause", a.Route)
		}
	}
}

// Whatever is posted, there is no 200 without a verdict, no fault of the gate, and no
// record that does not verify.
func FuzzDecide(f *testing.F) {
	for _, body := range []string{"", "null", "[]", "{}", look("r", "1", goOn), look("r", "2", rollBack), look("r", "3", goOn)[:200],
		`{"rollout": "r", "policy": "fraud", "look": "4", "evidence": [{"baseline": null, "candidate": "AAAA"}, {"stage": "x"}], "measurements": [{"arm": "candidate", "metric": "errors", "count": -1}]}`,
		`{"rollout": "r", "policy": "fraud", "look": "5", "given": [{"check": "a", "estimate": null, "limit": "NaN", "outcome": "harm", "severity": "rollback"}], "problems": [{"text": "x"}]}`} {
		f.Add([]byte(body))
	}
	g := newGate(f, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		status, answer := g.send("POST", "/v1/decide", string(body))
		switch {
		case status == http.StatusOK:
			if _, err := analysis.VerdictFromJSON([]byte(answer)); err != nil {
				t.Fatal(err, answer)
			}
		case status >= 400 && status < 500:
			code(t, answer)
		default:
			t.Fatal(status, answer)
		}
	})
}
