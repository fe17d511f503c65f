package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"github.com/fluxcd/flagger/pkg/controller"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rampguard/rampguard/adapters/gatestore"
	"github.com/rampguard/rampguard/adapters/webhookgate"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

const token = "0123456789abcdef-flagger"

// gateServer is a gate in this process that Flagger's client can ask. Its clock is
// hours ahead of the looks where aged is set.
type gateServer struct {
	*httptest.Server
	requests atomic.Int32
	fail     atomic.Int32 // requests that get 503 from a proxy in front of the gate
	ahead    atomic.Int64
}

func newGateServer(t *testing.T, change func(*webhookgate.Options)) *gateServer {
	t.Helper()
	text, err := os.ReadFile("testdata/fraud.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := analysis.LoadPolicy("fraud.yaml", text, checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	s := new(gateServer)
	o := webhookgate.Options{Store: gatestore.NewMemory(), Policies: webhookgate.Policies{"fraud": {Rules: rules}},
		Now:    func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) },
		Tokens: []webhookgate.Token{{Name: "flagger", Secret: token}}, Overriders: []string{"flagger"}, Rate: 1e6, Burst: 1e6}
	if change != nil {
		change(&o)
	}
	g, err := webhookgate.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		if s.fail.Add(-1) >= 0 {
			http.Error(w, "the gate is being replaced", http.StatusServiceUnavailable)
			return
		}
		g.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// hook is the webhook of a canary, as its URL is written in a Canary.
func (s *gateServer) hook(kind v1beta1.HookType) v1beta1.CanaryWebhook {
	url := strings.Replace(s.URL, "http://", "http://flagger:"+token+"@", 1)
	return v1beta1.CanaryWebhook{Name: "rampguard", Type: kind, URL: url + "/flagger/fraud/" + string(kind), Timeout: "5s"}
}

// canary is a canary whose status is that of a revision under analysis.
func canary(phase v1beta1.CanaryPhase) v1beta1.Canary {
	return v1beta1.Canary{ObjectMeta: metav1.ObjectMeta{Name: "churn-scorer", Namespace: "ml-serving"},
		Status: v1beta1.CanaryStatus{Phase: phase, LastAppliedSpec: "67d8f6c8b", TrackedConfigs: &map[string]string{"configmap/thresholds": "5d8c7f"}}}
}

// The phase in which Flagger asks each hook.
var phases = []struct {
	hook  v1beta1.HookType
	phase v1beta1.CanaryPhase
}{
	{v1beta1.ConfirmRolloutHook, v1beta1.CanaryPhaseWaiting},
	{v1beta1.PreRolloutHook, v1beta1.CanaryPhaseProgressing},
	{v1beta1.RolloutHook, v1beta1.CanaryPhaseProgressing},
	{v1beta1.ConfirmTrafficIncreaseHook, v1beta1.CanaryPhaseProgressing},
	{v1beta1.ConfirmPromotionHook, v1beta1.CanaryPhaseProgressing},
	{v1beta1.RollbackHook, v1beta1.CanaryPhaseWaitingPromotion},
	{v1beta1.PostRolloutHook, v1beta1.CanaryPhaseSucceeded},
	{v1beta1.EventHook, v1beta1.CanaryPhaseProgressing},
}

// call asks a hook as Flagger does.
func call(c v1beta1.Canary, phase v1beta1.CanaryPhase, w v1beta1.CanaryWebhook) error {
	if w.Type == v1beta1.EventHook {
		return controller.CallEventWebhook(&c, w, "Starting canary analysis for churn-scorer.ml-serving", "Normal")
	}
	return controller.CallWebhook(c, phase, w)
}

// Each verdict gives each hook the answer that means it to Flagger, in the words of
// the verdict where Flagger shows them.
func TestClientTable(t *testing.T) {
	const yes = ""
	for _, tt := range []struct {
		verdict string
		look    func(t *testing.T, s *gateServer, rollout string)
		// By hook in the order of phases: what the error holds, or yes.
		want [8]string
	}{
		{"none", nil,
			[8]string{yes, yes, yes, "Nobody has looked", "Nobody has looked", "nobody has looked", yes, yes}},
		{"continue", func(t *testing.T, s *gateServer, rollout string) { post(t, s.URL, rollout, "1", goOn, "") },
			[8]string{yes, yes, yes, yes, yes, "the verdict is continue", yes, yes}},
		{"pause, auto", func(t *testing.T, s *gateServer, rollout string) { post(t, s.URL, rollout, "1", wait, "") },
			[8]string{yes, yes, yes, "pause:", "pause:", "the verdict is pause", yes, yes}},
		{"pause, manual", func(t *testing.T, s *gateServer, rollout string) {
			post(t, s.URL, rollout, "1", goOn, `, "overrides": [{"action": "pause", "who": "ann", "why": "holiday"}]`)
		}, [8]string{"holiday", yes, yes, "holiday", "holiday", "the verdict is pause", yes, yes}},
		{"rollback", func(t *testing.T, s *gateServer, rollout string) { post(t, s.URL, rollout, "1", rollBack, "") },
			[8]string{"rollback:", "rollback:", "rollback:", "rollback:", "rollback:", yes, yes, yes}},
		{"error of a source", func(t *testing.T, s *gateServer, rollout string) {
			post(t, s.URL, rollout, "1", goOn, `, "problems": [{"name": "errors", "text": "query timed out"}]`)
		}, [8]string{yes, yes, yes, "query timed out", "query timed out", "the verdict is pause", yes, yes}},
		{"continue, too old", func(t *testing.T, s *gateServer, rollout string) {
			post(t, s.URL, rollout, "1", goOn, "")
			s.ahead.Store(int64(2 * time.Hour))
		}, [8]string{yes, yes, yes, "no longer counts", "no longer counts", "the verdict is continue", yes, yes}},
	} {
		t.Run(tt.verdict, func(t *testing.T) {
			s := newGateServer(t, nil)
			named := map[string]string{"rollout": "churn-v8"}
			if tt.look != nil {
				tt.look(t, s, "churn-v8")
			}
			bind := s.hook(v1beta1.RolloutHook)
			bind.Metadata = &named
			_ = call(canary(v1beta1.CanaryPhaseProgressing), v1beta1.CanaryPhaseProgressing, bind) // the revision takes the name
			for _, retries := range []int{0, 2} {
				for i, p := range phases {
					w := s.hook(p.hook)
					w.Metadata, w.Retries = &named, retries
					before := s.requests.Load()
					err := call(canary(p.phase), p.phase, w)
					if n := s.requests.Load() - before; n != 1 {
						t.Errorf("%s, %d retries: asked %d times; an answer of the gate is final", p.hook, retries, n)
					}
					switch {
					case tt.want[i] == yes && err != nil:
						t.Errorf("%s, %d retries: no, want yes: %v", p.hook, retries, err)
					case tt.want[i] != yes && err == nil:
						t.Errorf("%s, %d retries: yes, want no", p.hook, retries)
					case err != nil && !strings.Contains(err.Error(), tt.want[i]):
						t.Errorf("%s, %d retries: the error is %q, want %q in it", p.hook, retries, err, tt.want[i])
					}
				}
			}
		})
	}
}

// What is refused is a no at every hook, in words that reach Flagger's event: above
// all at the rollback hook.
func TestClientRefused(t *testing.T) {
	s := newGateServer(t, nil)
	for _, tt := range []struct {
		reason, want string
		change       func(*v1beta1.CanaryWebhook)
	}{
		{"a wrong token", "token", func(w *v1beta1.CanaryWebhook) { w.URL = strings.Replace(w.URL, token, token+"x", 1) }},
		{"no token", "token", func(w *v1beta1.CanaryWebhook) { w.URL = strings.Replace(w.URL, "flagger:"+token+"@", "", 1) }},
		{"an unknown policy", "no policy", func(w *v1beta1.CanaryWebhook) { w.URL = strings.Replace(w.URL, "/fraud/", "/spam/", 1) }},
		{"an unknown hook", "no hook", func(w *v1beta1.CanaryWebhook) { w.URL += "x" }},
		{"a bad name", "metadata.rollout", func(w *v1beta1.CanaryWebhook) { w.Metadata = &map[string]string{"rollout": "churn v8"} }},
	} {
		for _, p := range phases {
			w := s.hook(p.hook)
			tt.change(&w)
			if err := call(canary(p.phase), p.phase, w); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s at %s: %v, want %q", tt.reason, p.hook, err, tt.want)
			}
		}
	}
}

// A gate that is away is a no at every hook, also at those that count failures: that
// is what the retries of a webhook are for.
func TestClientWithoutGate(t *testing.T) {
	s := newGateServer(t, nil)
	s.fail.Store(1)
	w := s.hook(v1beta1.RolloutHook)
	if err := call(canary(v1beta1.CanaryPhaseProgressing), v1beta1.CanaryPhaseProgressing, w); err == nil || strings.Contains(err.Error(), "replaced") || strings.Contains(err.Error(), token) {
		t.Errorf("503 without retries: %v; want an error, which has lost the body and does not tell the token", err)
	}
	s.fail.Store(1)
	w.Retries = 1
	before := s.requests.Load()
	if err := call(canary(v1beta1.CanaryPhaseProgressing), v1beta1.CanaryPhaseProgressing, w); err != nil {
		t.Errorf("503 with a retry: %v", err)
	}
	if n := s.requests.Load() - before; n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
	s.Close()
	for _, p := range phases {
		if err := call(canary(p.phase), p.phase, s.hook(p.hook)); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v; want a no, without the token, from a gate that is away", p.hook, err)
		}
	}
}

// A store that fails is no verdict: what counts failures goes on, what moves traffic
// waits, and nothing is rolled back. None of it is an answer that Flagger tries again.
func TestClientStoreDown(t *testing.T) {
	store := gatestore.NewMemory()
	s := newGateServer(t, func(o *webhookgate.Options) { o.Store = brokenStore{store} })
	for i, want := range []bool{true, true, true, false, false, false, true, true} {
		w := s.hook(phases[i].hook)
		w.Retries = 1
		before := s.requests.Load()
		err := call(canary(phases[i].phase), phases[i].phase, w)
		if (err == nil) != want {
			t.Errorf("%s: %v, want yes: %v", phases[i].hook, err, want)
		}
		if err != nil && !strings.Contains(err.Error(), "not known") {
			t.Errorf("%s: %v", phases[i].hook, err)
		}
		if n := s.requests.Load() - before; n != 1 {
			t.Errorf("%s: asked %d times", phases[i].hook, n)
		}
	}
}
