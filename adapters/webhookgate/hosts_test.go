package webhookgate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/analysis"
)

// With the conditions of the package comment Argo's web provider does as the verdict
// says.
func TestArgoWeb(t *testing.T) {
	g := newGate(t, nil)
	for i, tt := range []struct {
		errors         int
		verdict, resum string
		score          float64
	}{{0, "pause", "auto", 50}, {wait, "pause", "auto", 50}, {goOn, "continue", "auto", 100}, {rollBack, "rollback", "manual", 0}} {
		if tt.errors > 0 {
			g.decide(t, look("fraud-7c9d", fmt.Sprint(i), tt.errors))
		}
		for _, method := range []string{"GET", "POST"} {
			status, body := g.send(method, "/argo/fraud/fraud-7c9d", "")
			var m struct {
				Verdict, Resume string
				Score           float64
				Reasons         []string
			}
			if err := json.Unmarshal([]byte(body), &m); err != nil || status != 200 {
				t.Fatal(status, err, body)
			}
			if m.Verdict != tt.verdict || m.Score != tt.score || len(m.Reasons) == 0 || tt.verdict == "pause" && m.Resume != tt.resum {
				t.Errorf("%d errors: %+v", tt.errors, m)
			}
		}
	}
}

// score asks as Argo's kayenta provider does.
func score(t *testing.T, g gate, rollout string, pass, marginal int) (complete bool, points int) {
	t.Helper()
	status, body := g.send("GET", "/kayenta/canaryConfig?application=a&configurationAccountName=b", "")
	var configs []struct{ ID, Name string }
	if err := json.Unmarshal([]byte(body), &configs); err != nil || status != 200 || len(configs) != 1 || configs[0].Name != "fraud" {
		t.Fatal(status, err, body)
	}
	start := fmt.Sprintf(`{"scopes": {"default": {"controlScope": {"scope": "stable", "region": "", "step": 60, "start": "2026-01-31T11:00:00Z", "end": "2026-01-31T12:00:00Z"},
		"experimentScope": {"scope": %q, "region": "", "step": 60, "start": "2026-01-31T11:00:00Z", "end": "2026-01-31T12:00:00Z"}}}, "thresholds" : {"pass": %d, "marginal": %d}}`, rollout, pass, marginal)
	status, body = g.send("POST", "/kayenta/canary/"+configs[0].ID+"?application=a&metricsAccountName=m&configurationAccountName=c&storageAccountName=s", start)
	var started struct{ CanaryExecutionID string }
	if err := json.Unmarshal([]byte(body), &started); err != nil || status != 200 || started.CanaryExecutionID == "" {
		t.Fatal(status, err, body)
	}
	status, body = g.send("GET", "/kayenta/canary/"+started.CanaryExecutionID, "")
	var got struct {
		Complete *bool
		Result   struct {
			JudgeResult struct{ Score struct{ Score *float64 } }
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 || got.Complete == nil {
		t.Fatal(status, err, body)
	}
	if *got.Complete {
		points = int(*got.Result.JudgeResult.Score.Score)
	}
	return *got.Complete, points
}

func TestKayentaFacade(t *testing.T) {
	g := newGate(t, nil)
	manual := strings.TrimSuffix(look("manual", "1", goOn), "}") + `, "overrides": [{"action": "pause", "who": "ann", "why": "holiday"}]}`
	for _, body := range []string{look("good", "1", goOn), look("bad", "1", rollBack), look("early", "1", wait), manual} {
		g.decide(t, body)
	}
	for _, limits := range [][2]int{{95, 75}, {100, 0}, {1, 0}, {80, 80}} {
		pass, marginal := limits[0], limits[1]
		phase := func(rollout string) string {
			switch complete, points := score(t, g, rollout, pass, marginal); {
			case !complete:
				return "running"
			case points >= pass:
				return "successful"
			case points >= marginal:
				return "inconclusive"
			}
			return "failed"
		}
		waits := "inconclusive"
		if pass == marginal {
			waits = "running" // no score says it
		}
		for rollout, want := range map[string]string{"good": "successful", "bad": "failed", "early": "running", "nobody": "running", "manual": waits} {
			if got := phase(rollout); got != want {
				t.Errorf("thresholds %v: %s: %s, want %s", limits, rollout, got, want)
			}
		}
	}
	for _, body := range []string{`{"scopes": {}, "thresholds": {"pass": 90, "marginal": 50}}`, `{"scopes": {"a": {"experimentScope": {"scope": "x"}}}, "thresholds": {"pass": 0, "marginal": 0}}`,
		`{"scopes": {"a": {"experimentScope": {"scope": "x"}}, "b": {"experimentScope": {"scope": "y"}}}, "thresholds": {"pass": 90, "marginal": 50}}`} {
		if status, answer := g.send("POST", "/kayenta/canary/fraud", body); status != 400 || code(t, answer) != "bad_request" {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
}

func TestKayentaJudge(t *testing.T) {
	g := newGate(t, nil)
	body := `{"canaryConfig": {"name": "c", "judge": {"name": "NetflixACAJudge-v1.0", "judgeConfigurations": {}},
		"metrics": [{"name": "errors", "groups": ["all"], "analysisConfigurations": {"canary": {"direction": "increase"}}}],
		"classifier": {"groupWeights": {"all": 100}}},
		"scoreThresholds": {"pass": 95, "marginal": 75},
		"metricSetPairList": [{"name": "errors", "id": "1", "tags": {}, "values": {"control": [1, 2, 1, 2, 1, 2, 1, 2, 1, 2], "experiment": [EXPERIMENT]}}]}`
	for experiment, want := range map[string]string{"1,2,1,2,1,2,1,2,1,2": "Pass", "11,12,11,12,11,12,11,12,11,12": "Fail"} {
		status, answer := g.send("POST", "/kayenta/judge", strings.Replace(body, "EXPERIMENT", experiment, 1))
		var got struct {
			JudgeName string
			Score     struct{ Classification string }
		}
		if err := json.Unmarshal([]byte(answer), &got); err != nil || status != 200 || got.Score.Classification != want {
			t.Errorf("%v: %d %s, want %s", err, status, answer, want)
		}
	}
}

// source brings what the test says.
type source struct {
	asked  []webhookgate.Query
	errors float64
	err    error
}

func (s *source) Collect(_ context.Context, q webhookgate.Query) (webhookgate.Collected, error) {
	s.asked = append(s.asked, q)
	count, good := 10000.0, 100.0
	arm := func(total float64) *analysis.Snapshot {
		out := analysis.NewSnapshot(q.Spec)
		_ = out.AddMeasurement(analysis.Measurement{Metric: "errors", Start: q.Since.Add(-time.Hour), End: q.Now, Total: &total, Count: &count})
		return out
	}
	return webhookgate.Collected{Baseline: arm(good), Candidate: arm(s.errors)}, s.err
}

// stuck is a source that does not answer.
type stuck struct{}

func (stuck) Collect(ctx context.Context, _ webhookgate.Query) (webhookgate.Collected, error) {
	<-ctx.Done()
	return webhookgate.Collected{}, ctx.Err()
}

// A source that does not answer, and those who wait behind it, are cut off in time.
func TestStuckSource(t *testing.T) {
	g := newGate(t, func(o *webhookgate.Options) {
		p := loadPolicy(t, rules)
		p.Source = stuck{}
		o.Policies, o.Timeout = webhookgate.Policies{"fraud": p}, 100*time.Millisecond
	})
	var wg sync.WaitGroup
	began := time.Now()
	for range 5 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if status, body := g.send("GET", "/argo/fraud/r", ""); status < 500 {
				t.Error(status, body)
			}
		}()
	}
	wg.Wait()
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	if status, body := g.send("POST", "/flagger/fraud/rollout", payload("Progressing", "")); status != 200 {
		t.Error(status, body)
	}
	if all := g.chain(t, "r"); len(all) != 0 {
		t.Errorf("%d records", len(all))
	}
}

// Flagger's HTTP client keeps the reason of a refusal, and makes the password of a URL
// a header.
func TestAsFlaggerSeesIt(t *testing.T) {
	g := newGate(t, nil)
	srv := httptest.NewServer(g)
	defer srv.Close()
	g.decide(t, look(derived, "1", rollBack))
	client := retryablehttp.NewClient()
	client.Logger, client.RetryMax = nil, 0
	call := func(hook, secret string) (yes bool, reason string) {
		r, err := retryablehttp.NewRequest(http.MethodPost, strings.Replace(srv.URL, "http://", "http://flagger:"+secret+"@", 1)+"/flagger/fraud/"+hook, []byte(payload("Progressing", "")))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			return false, err.Error()
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return err == nil && resp.StatusCode <= 202, string(b)
	}
	for _, tt := range []struct {
		hook, secret string
		yes          bool
		reason       string
	}{{"rollout", secret, false, "rollback: "}, {"confirm-promotion", secret, false, "rollback: "}, {"rollback", secret, true, "Roll back: "}, {"rollback", "wrong", false, "token"}} {
		if yes, reason := call(tt.hook, tt.secret); yes != tt.yes || !strings.Contains(reason, tt.reason) {
			t.Errorf("%s: %v %q", tt.hook, yes, reason)
		}
	}
}

// With a source the hosts' questions make the looks.
func TestHostsMakeLooks(t *testing.T) {
	s := &source{errors: goOn}
	g := newGate(t, func(o *webhookgate.Options) {
		p := loadPolicy(t, rules)
		p.Source = s
		o.Policies = webhookgate.Policies{"fraud": p}
	})
	hook := func(name string, want int) {
		t.Helper()
		if status, body := g.send("POST", "/flagger/fraud/"+name, payload("Progressing", "")); status != want {
			t.Errorf("%s: %d %s, want %d", name, status, body, want)
		}
	}
	hook("rollback", 403)
	hook("pre-rollout", 200)
	if len(s.asked) != 0 {
		t.Errorf("%d looks before the first question", len(s.asked))
	}
	hook("rollout", 200)
	hook("confirm-traffic-increase", 200) // at once: no look of its own
	if len(s.asked) != 1 {
		t.Errorf("%d looks, want 1", len(s.asked))
	}
	g.clock.add(30 * time.Second)
	s.err = errors.New("token hunter2 refused")
	hook("rollout", 200)
	hook("confirm-traffic-increase", 403)
	if status, body := g.send("GET", "/argo/fraud/"+derived, ""); status != http.StatusBadGateway || code(t, body) != "source_failed" || strings.Contains(body, "hunter2") {
		t.Error(status, body)
	}
	s.err, s.errors = nil, rollBack
	hook("rollout", 403)
	hook("rollback", 200)
	if q := s.asked[len(s.asked)-1]; !q.Since.Equal(began) || !q.Now.Equal(began.Add(30*time.Second)) {
		t.Errorf("the window is from %v to %v", q.Since, q.Now)
	}
	if all := g.chain(t, derived); len(all) != 2 {
		t.Errorf("%d records, want 2", len(all))
	}
}
