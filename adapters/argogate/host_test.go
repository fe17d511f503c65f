package argogate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metricrpc "github.com/argoproj/argo-rollouts/metricproviders/plugin/rpc"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	steprpc "github.com/argoproj/argo-rollouts/rollout/steps/plugin/rpc"
	"github.com/argoproj/argo-rollouts/utils/plugin/types"
)

// The table of the package comment, through the controller's own client.
func TestMetricOutcomes(t *testing.T) {
	g := newGate(t, "")
	p := startMetric(t)
	if got := p.Type(); got != "rampguard" {
		t.Errorf("type %q", got)
	}
	for i, tt := range []struct {
		status  int
		body    string
		phase   v1alpha1.AnalysisPhase
		value   string
		message string
		wait    time.Duration
	}{
		{200, verdict("continue", "auto"), "Successful", "continue: Errors: because of continue.", "rampguard says continue", 0},
		{200, verdict("pause", "auto"), "Running", "pause: Errors: because of pause.", "waits for evidence: Errors", time.Minute},
		{200, verdict("pause", "manual"), "Inconclusive", "pause, a person has to decide: Errors: because of pause.", "a person has to decide: Errors", 0},
		{200, verdict("rollback", "manual"), "Failed", "rollback: Errors: because of rollback.", "rampguard says rollback: Errors", 0},
		{503, `{"error": {"code": "store_unavailable", "message": "the store cannot be used now"}}`, "Running", "unknown: status 503: the store cannot be used now", "no verdict and asks again until", 30 * time.Second},
	} {
		g.say(tt.status, tt.body)
		r, m := run(fmt.Sprint("run", i)), metric(g, "")
		began := time.Now()
		got := finish(p, r, m, p.Run(r, m))
		if got.Phase != tt.phase || got.Value != tt.value || !strings.Contains(got.Message, tt.message) {
			t.Errorf("%s: %s %q %q, want %s", tt.body, got.Phase, got.Value, got.Message, tt.phase)
		}
		if done := tt.phase != "Running"; done != (got.FinishedAt != nil) || done != (got.ResumeAt == nil) || got.StartedAt == nil {
			t.Errorf("%s: times %v %v %v", tt.body, got.StartedAt, got.ResumeAt, got.FinishedAt)
		}
		if got.ResumeAt != nil {
			if after := got.ResumeAt.Sub(began).Round(time.Second); after < tt.wait || after > tt.wait+15*time.Second {
				t.Errorf("%s: asks again after %s, want %s", tt.body, after, tt.wait)
			}
		}
		if tt.status == 200 && (got.Metadata["record"] != "abc" || got.Metadata["reason"] == "") || tt.status != 200 && got.Metadata["errorSince"] == "" {
			t.Errorf("%s: %v", tt.body, got.Metadata)
		}
	}
	paths, _ := g.shown()
	if paths[0] != "/argo/fraud/argo:prod:fraud:7c9d" {
		t.Error(paths[0])
	}
	if got := p.GetMetadata(metric(g, `"stage": "canary"`)); got["policy"] != "fraud" || got["stage"] != "canary" || got["problem"] != "" {
		t.Error(got)
	}
	if err := p.GarbageCollect(run("a"), metric(g, ""), 10); err.HasError() {
		t.Error(err)
	}
}

func TestStepOutcomes(t *testing.T) {
	g := newGate(t, "")
	p := startStep(t)
	if got := p.Type(); got != "rampguard" {
		t.Errorf("type %q", got)
	}
	for _, tt := range []struct {
		status  int
		body    string
		phase   types.StepPhase
		message string
		wait    time.Duration
	}{
		{200, verdict("continue", "auto"), types.PhaseSuccessful, "says continue", 0},
		{200, verdict("pause", "auto"), types.PhaseRunning, "waits for evidence", time.Minute},
		{200, verdict("pause", "manual"), types.PhaseRunning, "a person has to decide", time.Minute},
		{200, verdict("rollback", "manual"), types.PhaseFailed, "says rollback", 0},
		{500, `oops`, types.PhaseError, "rampguard has no verdict: status 500", 0},
		{200, `<html>`, types.PhaseError, "no JSON", 0},
	} {
		g.say(tt.status, tt.body)
		c, step := canary(), stepOf(g, "")
		got, err := finishStep(p, c, step)
		if err.HasError() || got.Phase != tt.phase || got.RequeueAfter != tt.wait || !strings.Contains(got.Message, tt.message) {
			t.Errorf("%s: %s %s %q %v, want %s", tt.body, got.Phase, got.RequeueAfter, got.Message, err, tt.phase)
		}
		var status struct{ Decision, Record string }
		if tt.phase != types.PhaseError && (json.Unmarshal(got.Status, &status) != nil || status.Decision == "" || status.Record != "abc") {
			t.Errorf("%s: status %s", tt.body, got.Status)
		}
	}
	for name, end := range map[string]func(*v1alpha1.Rollout, *types.RpcStepContext) (types.RpcStepResult, types.RpcError){"Terminate": p.Terminate, "Abort": p.Abort} {
		if got, err := end(canary(), stepOf(g, "")); err.HasError() || got.Phase != types.PhaseSuccessful {
			t.Error(name, got, err)
		}
	}
	// the controller sends no rollout or a status that is none
	g.say(200, verdict("continue", "auto"))
	if got, err := p.Run(nil, stepOf(g, "")); err.HasError() || got.Phase != types.PhaseError {
		t.Error(got, err)
	}
	step := stepOf(g, "")
	step.Status = []byte(`{"since": 7}`)
	if got, err := finishStep(p, canary(), step); err.HasError() || got.Phase != types.PhaseSuccessful {
		t.Error(got, err)
	}
}

// A gate that is down or that talks nonsense makes the rollout wait, and then asks a
// person. It never aborts and it never lets pass.
func TestMetricTrouble(t *testing.T) {
	g := newGate(t, "")
	p := startMetric(t)
	down := newGate(t, "")
	down.Close()
	for i, tt := range []struct {
		name string
		h    http.HandlerFunc
		want string
	}{
		{"no JSON", text(200, "text/html", "<html>welcome</html>"), "no JSON"},
		{"JSON by another type", text(200, "text/plain", verdict("continue", "auto")), "no JSON"},
		{"empty", text(200, "application/json", ""), "no JSON"},
		{"null", text(200, "application/json", "null"), "is about rollout"},
		{"other rollout", text(200, "application/json", strings.ReplaceAll(verdict("continue", "auto"), "7c9d", "0000")), "is about rollout"},
		{"no decision", text(200, "application/json", verdict("CONTINUE", "auto")), "no decision"},
		{"no resume", text(200, "application/json", verdict("pause", "")), "no decision"},
		{"another type", text(200, "application/json", strings.ReplaceAll(verdict("continue", "auto"), `"continue"`, "true")), "no JSON"},
		{"created", text(201, "application/json", verdict("continue", "auto")), "status 201"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, g.URL+"/x", http.StatusFound) }, "status 302"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(strings.Repeat(" ", 2<<20)))
		}, "more than 1048576 bytes"},
		{"cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			_, _ = w.Write([]byte(`{"verdict": "continue"`))
		}, "cut short"},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		{"down", nil, "connection refused"},
	} {
		asked := g
		if tt.h == nil {
			asked = down
		} else {
			g.do(tt.h)
		}
		r, m := run(fmt.Sprint("trouble", i)), metric(asked, `"errorBudget": "1s"`)
		got := finish(p, r, m, p.Run(r, m))
		if got.Phase != v1alpha1.AnalysisPhaseRunning || got.ResumeAt == nil || !strings.Contains(got.Message, tt.want) {
			t.Errorf("%s: %s %q", tt.name, got.Phase, got.Message)
		}
		since, err := time.Parse(time.RFC3339Nano, got.Metadata["errorSince"])
		if err != nil {
			t.Fatal(err)
		}
		got.Metadata["errorSince"] = since.Add(-2 * time.Second).Format(time.RFC3339Nano)
		got = p.Resume(r, m, got)
		if got.Phase != v1alpha1.AnalysisPhaseInconclusive || !strings.Contains(got.Message, "a person has to decide") {
			t.Errorf("%s: after its budget: %s %q", tt.name, got.Phase, got.Message)
		}
	}
}

func text(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// A gate that is slow holds up neither the controller nor the other runs.
func TestMetricSlow(t *testing.T) {
	g := newGate(t, "")
	p := startMetric(t)
	release := make(chan struct{})
	g.do(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
			text(200, "application/json", verdict("continue", "auto"))(w, r)
		case <-r.Context().Done():
		}
	})
	slow, m := run("slow"), metric(g, "")
	began := time.Now()
	got := p.Run(slow, m)
	if took := time.Since(began); took > 5*time.Second || got.Phase != v1alpha1.AnalysisPhaseRunning || got.ResumeAt == nil {
		t.Errorf("after %s: %+v", took, got)
	}
	quick := newGate(t, verdict("rollback", "manual"))
	if other := p.Run(run("quick"), metric(quick, "")); other.Phase != v1alpha1.AnalysisPhaseFailed {
		t.Errorf("the other run: %s %s", other.Phase, other.Message)
	}
	again := p.Resume(slow, m, got)
	if again.Phase != v1alpha1.AnalysisPhaseRunning {
		t.Error(again)
	}
	close(release)
	if again = finish(p, slow, m, again); again.Phase != v1alpha1.AnalysisPhaseSuccessful {
		t.Error(again)
	}
	if paths, _ := g.shown(); len(paths) != 1 {
		t.Errorf("asked %d times", len(paths))
	}
	// no answer at all
	g.do(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	never := metric(g, `"timeout": "1s"`)
	if got = finish(p, slow, never, p.Run(slow, never)); got.Phase != v1alpha1.AnalysisPhaseRunning {
		t.Error(got)
	}
	mustContain(t, got.Message, "gave no answer within 1s")
	// a measurement that is ended has no verdict
	got = p.Run(run("ended"), metric(g, ""))
	if got = p.Terminate(run("ended"), metric(g, ""), got); got.Phase != v1alpha1.AnalysisPhaseInconclusive || got.FinishedAt == nil || got.ResumeAt != nil {
		t.Error(got)
	}
}

// What has to last is with the controller: a plugin that is killed is started again
// and goes on.
func TestMetricCrash(t *testing.T) {
	g := newGate(t, "")
	g.say(500, "{}")
	client, raw, _ := start(t, "metricprovider")
	p := raw.(metricrpc.MetricProviderPlugin)
	r, m := run("crash"), metric(g, "")
	first := finish(p, r, m, p.Run(r, m))
	if first.Phase != v1alpha1.AnalysisPhaseRunning {
		t.Fatal(first)
	}
	g.do(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }) // a question is on its way
	second := p.Resume(r, m, first)
	client.Kill()
	if lost := p.Resume(r, m, second); lost.Phase != v1alpha1.AnalysisPhaseError {
		t.Errorf("the process is gone and answers %s", lost.Phase)
	}
	p = startMetric(t)
	g.say(500, "{}")
	third := finish(p, r, m, p.Resume(r, m, second))
	if third.Phase != v1alpha1.AnalysisPhaseRunning || third.Metadata["errorSince"] != first.Metadata["errorSince"] {
		t.Errorf("%s %v, before the crash %v", third.Phase, third.Metadata, first.Metadata)
	}
	g.say(200, verdict("continue", "auto"))
	last := finish(p, r, m, p.Resume(r, m, third))
	if last.Phase != v1alpha1.AnalysisPhaseSuccessful || last.Metadata["errorSince"] != "" || last.Metadata["error"] != "" {
		t.Errorf("%s %v", last.Phase, last.Metadata)
	}
}

// The token goes to the gate that it is for, and nowhere else.
func TestTokens(t *testing.T) {
	own, other := newGate(t, verdict("continue", "auto")), newGate(t, verdict("continue", "auto"))
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, raw, out := start(t, "metricprovider", "--server", own.URL+"/", "--token-file", file)
	p := raw.(metricrpc.MetricProviderPlugin)
	seen := ""
	ask := func(m v1alpha1.Metric) v1alpha1.AnalysisPhase {
		r := run("tokens")
		got := finish(p, r, m, p.Run(r, m))
		seen += fmt.Sprintf("%+v %v", got, p.GetMetadata(m))
		return got.Phase
	}
	last := func(g *gate) string {
		_, headers := g.shown()
		return headers[len(headers)-1]
	}
	if phase := ask(metric(nil, "")); phase != "Successful" || last(own) != "Bearer "+token {
		t.Error(phase, last(own))
	}
	if phase := ask(metric(other, "")); phase != "Successful" || last(other) != "" {
		t.Error(phase, last(other))
	}
	if phase := ask(metric(other, `"token": "another-token-0123456789"`)); phase != "Successful" || last(other) != "Bearer another-token-0123456789" {
		t.Error(phase, last(other))
	}
	own.do(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	before, _ := other.shown()
	if phase := ask(metric(nil, "")); phase != "Running" {
		t.Error(phase)
	}
	if after, _ := other.shown(); len(after) != len(before) {
		t.Error("a redirect was followed")
	}
	if err := os.WriteFile(file, []byte("the-next-token-0123456789"), 0o600); err != nil { // it is rotated
		t.Fatal(err)
	}
	own.say(200, verdict("rollback", "manual"))
	if phase := ask(metric(nil, "")); phase != "Failed" || last(own) != "Bearer the-next-token-0123456789" {
		t.Error(phase, last(own))
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if phase := ask(metric(nil, "")); phase != "Running" {
		t.Error(phase)
	}
	own.Close()
	ask(metric(nil, ""))
	for _, secret := range []string{token, "the-next-token-0123456789", "another-token-0123456789"} {
		if strings.Contains(seen, secret) || strings.Contains(out.String(), secret) {
			t.Errorf("%s was shown", secret)
		}
	}
}

// A configuration that cannot be used asks a person at once.
func TestConfig(t *testing.T) {
	g := newGate(t, verdict("continue", "auto"))
	p := startMetric(t)
	for more, want := range map[string]string{
		`"polcy": "x"`:              `unknown field "polcy"`,
		`"policy": ""`:              "policy: name the policy",
		`"timeout": 10`:             `written as "90s"`,
		`"timeout": "1h"`:           "timeout: 1h0m0s is not between 1s and 2m0s",
		`"errorBudget": "-1s"`:      "errorBudget: -1s",
		`"rollout": "a-{revision}"`: "there are {namespace}, {name} and {hash}",
		`"server": "ftp://x"`:       "server: write it as https://HOST:PORT",
		`"server": "http://u:p@x"`:  "server: write it as https://HOST:PORT",
	} {
		m := metric(nil, more)
		if !strings.Contains(more, "server") {
			m = metric(g, more)
		}
		got := p.Run(run("config"), m)
		if got.Phase != v1alpha1.AnalysisPhaseInconclusive || !strings.Contains(got.Message, want) {
			t.Errorf("%s: %s %q", more, got.Phase, got.Message)
		}
		if !strings.Contains(more, "rollout") && p.GetMetadata(m)["problem"] == "" {
			t.Errorf("%s: %v", more, p.GetMetadata(m))
		}
	}
	if got := p.Run(run("none"), metric(nil, "")); got.Phase != v1alpha1.AnalysisPhaseInconclusive || !strings.Contains(got.Message, "--server") {
		t.Error(got)
	}
	for name, m := range map[string]v1alpha1.Metric{"none": {}, "two": {Provider: v1alpha1.MetricProvider{Plugin: map[string]rawMessage{"a/a": configOf(g, ""), "b/b": configOf(g, "")}}}} {
		if got := p.Run(run(name), m); got.Phase != v1alpha1.AnalysisPhaseInconclusive {
			t.Error(name, got)
		}
	}
	r := run("bare")
	r.OwnerReferences, r.Labels = nil, nil
	if got := p.Run(r, metric(g, "")); got.Phase != v1alpha1.AnalysisPhaseInconclusive || !strings.Contains(got.Message, "no owner of kind Rollout") {
		t.Error(got)
	}
	if got := p.Run(r, metric(g, fmt.Sprintf(`"rollout": %q`, rollout))); got.Phase != v1alpha1.AnalysisPhaseSuccessful {
		t.Error(got)
	}
	// net/rpc sends no nil; a run without anything in it is as empty as it gets
	if got := p.Run(&v1alpha1.AnalysisRun{}, metric(g, "")); got.Phase != v1alpha1.AnalysisPhaseInconclusive {
		t.Error(got)
	}
	s := startStep(t)
	if got, err := s.Run(canary(), stepOf(g, `"polcy": "x"`)); err.HasError() || got.Phase != types.PhaseError || !strings.Contains(got.Message, "polcy") {
		t.Error(got, err)
	}
	var _ steprpc.StepPlugin = s
}
