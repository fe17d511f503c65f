package argogate_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/utils/plugin/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rampguard/rampguard/adapters/argogate"
)

// clock is one that the test moves.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time       { return time.Unix(0, c.ns.Load()).UTC() }
func (c *clock) pass(d time.Duration) { c.ns.Add(int64(d)) }
func newClock() *clock {
	c := &clock{}
	c.ns.Store(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}
func (c *clock) verdict(d string) string { return verdictAt(d, c.now()) }

func verdictAt(decision string, at time.Time, more ...string) string {
	v := verdict(decision, "auto", more...)
	i := strings.Index(v, `"decided_at": "`) + len(`"decided_at": "`)
	return v[:i] + at.Format(time.RFC3339Nano) + v[i+strings.Index(v[i:], `"`):]
}

func TestErrorBudget(t *testing.T) {
	g, c := newGate(t, ""), newClock()
	p, err := argogate.NewMetric(argogate.Options{Server: g.URL, Token: token, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	r, m := run("budget"), metric(nil, `"errorBudget": "5m"`)
	r.CreationTimestamp = metav1.NewTime(c.now())
	g.say(502, "bad gateway")
	got := finish(p, r, m, p.Run(r, m))
	for i := range 10 { // every 30 s
		if got.Phase != v1alpha1.AnalysisPhaseRunning || got.ResumeAt.Sub(c.now()) != 30*time.Second {
			t.Fatalf("question %d: %s %v %q", i, got.Phase, got.ResumeAt, got.Message)
		}
		mustContain(t, got.Message, "asks again until 2026-01-31T12:05:00Z: status 502")
		c.pass(30 * time.Second)
		if i == 4 { // one answer makes the budget new
			g.say(200, c.verdict("pause"))
			if got = finish(p, r, m, p.Resume(r, m, got)); got.Phase != v1alpha1.AnalysisPhaseRunning || got.Metadata["errorSince"] != "" {
				t.Fatalf("%+v", got)
			}
			g.say(502, "bad gateway")
			break
		}
		got = finish(p, r, m, p.Resume(r, m, got))
	}
	got = finish(p, r, m, p.Resume(r, m, got))
	c.pass(5*time.Minute - time.Second)
	if got = finish(p, r, m, p.Resume(r, m, got)); got.Phase != v1alpha1.AnalysisPhaseRunning || got.ResumeAt.Sub(c.now()) != time.Second {
		t.Errorf("%+v", got)
	}
	c.pass(time.Second)
	got = finish(p, r, m, p.Resume(r, m, got))
	if got.Phase != v1alpha1.AnalysisPhaseInconclusive {
		t.Errorf("%+v", got)
	}
	mustContain(t, got.Message, "no verdict for 5m0s (errorBudget is 5m0s), so a person has to decide: status 502")
}

func TestWaitLimit(t *testing.T) {
	g, c := newGate(t, ""), newClock()
	p, err := argogate.NewMetric(argogate.Options{Server: g.URL, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	r, m := run("limit"), metric(nil, `"waitLimit": "1h", "checkEvery": "90s"`)
	g.say(200, c.verdict("pause"))
	got := finish(p, r, m, p.Run(r, m))
	if got.ResumeAt.Sub(c.now()) != 90*time.Second {
		t.Errorf("%+v", got)
	}
	c.pass(time.Hour - time.Second)
	if got = finish(p, r, m, p.Resume(r, m, got)); got.Phase != v1alpha1.AnalysisPhaseRunning {
		t.Errorf("%+v", got)
	}
	c.pass(time.Second)
	if got = finish(p, r, m, p.Resume(r, m, got)); got.Phase != v1alpha1.AnalysisPhaseInconclusive {
		t.Errorf("%+v", got)
	}
	mustContain(t, got.Message, "has waited for 1h0m0s (waitLimit is 1h0m0s), so a person has to decide; rampguard waits for evidence")
}

// A continue is for what it was said of: this stage, and what has run since the
// analysis began. A rollback always counts.
func TestFresh(t *testing.T) {
	g, c := newGate(t, ""), newClock()
	o := argogate.Options{Server: g.URL, Now: c.now}
	p, err := argogate.NewMetric(o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := argogate.NewStep(o)
	if err != nil {
		t.Fatal(err)
	}
	began := c.now()
	for i, tt := range []struct {
		more, answer string
		good         bool
		message      string
	}{
		{"", verdictAt("continue", began.Add(-time.Minute)), false, "waits for a new look: the last one, at 2026-01-31T11:59:00Z, said continue, but the analysis began at 2026-01-31T12:00:00Z"},
		{"", verdictAt("continue", time.Time{}), false, "waits for a new look"},
		{"", verdictAt("continue", began), true, "says continue"},
		{`"acceptEarlier": true`, verdictAt("continue", began.Add(-time.Minute)), true, "says continue"},
		{`"stage": "half"`, verdictAt("continue", began, "stage", "tenth"), false, `waits for a look at stage half: the last look was at stage "tenth"`},
		{`"stage": "half"`, verdictAt("continue", began, "stage", "half"), true, "says continue"},
	} {
		g.say(200, tt.answer)
		r, m := run(fmt.Sprint("fresh", i)), metric(nil, tt.more)
		r.CreationTimestamp = metav1.NewTime(began)
		got := finish(p, r, m, p.Run(r, m))
		if (got.Phase == v1alpha1.AnalysisPhaseSuccessful) != tt.good || !tt.good && got.Phase != v1alpha1.AnalysisPhaseRunning || !strings.Contains(got.Message, tt.message) {
			t.Errorf("%s %s: %s %q", tt.more, tt.answer, got.Phase, got.Message)
		}
		step, fault := finishStep(s, canary(), stepOf(nil, tt.more))
		if fault.HasError() || (step.Phase == types.PhaseSuccessful) != tt.good || !strings.Contains(step.Message, tt.message) {
			t.Errorf("%s %s: %s %q", tt.more, tt.answer, step.Phase, step.Message)
		}
	}
	g.say(200, verdictAt("rollback", began.Add(-time.Minute), "stage", "tenth"))
	r, m := run("rolled back"), metric(nil, `"stage": "half"`)
	r.CreationTimestamp = metav1.NewTime(began)
	if got := finish(p, r, m, p.Run(r, m)); got.Phase != v1alpha1.AnalysisPhaseFailed {
		t.Errorf("%+v", got)
	}
	// a later measurement of the same analysis counts what was said since that began
	g.say(200, verdictAt("continue", began.Add(-time.Minute)))
	r, m = run("later"), metric(nil, "")
	r.CreationTimestamp = metav1.NewTime(began.Add(-time.Hour))
	if got := finish(p, r, m, p.Run(r, m)); got.Phase != v1alpha1.AnalysisPhaseSuccessful {
		t.Errorf("%+v", got)
	}
	if paths, _ := g.shown(); paths[len(paths)-2] != "/argo/fraud/argo:prod:fraud:7c9d?stage=half" {
		t.Error(paths)
	}
}

func TestOptions(t *testing.T) {
	now := time.Now
	for _, o := range []argogate.Options{{}, {Now: now, Token: token}, {Now: now, TokenFile: "x"}, {Now: now, Server: "http://x", Token: token, TokenFile: "x"}, {Now: now, Server: "x"}} {
		if _, err := argogate.NewMetric(o); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%+v: %v", o, err)
		}
		if _, err := argogate.NewStep(o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v %s", argogate.Secret(token), argogate.Options{Token: token}, argogate.Options{Token: token}, argogate.Secret(token)); strings.Contains(text, token) {
		t.Error(text)
	}
}
