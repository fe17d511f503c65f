package argogate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	metricrpc "github.com/argoproj/argo-rollouts/metricproviders/plugin/rpc"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	steprpc "github.com/argoproj/argo-rollouts/rollout/steps/plugin/rpc"
	"github.com/argoproj/argo-rollouts/utils/plugin/types"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// binary is the plugin as the controller starts it.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "argogate")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binary = filepath.Join(dir, "rampguard-argo")
		if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "./cmd/rampguard-argo").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

const (
	token   = "0123456789abcdef-the-token"
	rollout = "argo:prod:fraud:7c9d"
)

// verdict is an answer of the gate about rollout.
func verdict(decision, resume string, more ...string) string {
	extra := ""
	for i := 0; i < len(more); i += 2 {
		extra += fmt.Sprintf(", %q: %q", more[i], more[i+1])
	}
	return fmt.Sprintf(`{"verdict": %q, "resume": %q, "score": 1, "reasons": ["Errors: because of %s."], "rollout": %q,
		"check_after_seconds": 60, "record": "abc", "decided_at": %q%s}`, decision, resume, decision, rollout, time.Now().Add(time.Second).UTC().Format(time.RFC3339Nano), extra)
}

// gate answers as the test says, and notes what it was asked.
type gate struct {
	*httptest.Server
	mu      sync.Mutex
	answer  http.HandlerFunc
	asked   []string // paths
	headers []string // Authorization
}

func newGate(t *testing.T, body string) *gate {
	t.Helper()
	g := &gate{}
	g.say(200, body)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.asked = append(g.asked, r.URL.RequestURI())
		g.headers = append(g.headers, r.Header.Get("Authorization"))
		h := g.answer
		g.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gate) do(h http.HandlerFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answer = h
}

func (g *gate) say(status int, body string) {
	g.do(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

func (g *gate) shown() (paths, headers []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string{}, g.asked...), append([]string{}, g.headers...)
}

// output collects what a plugin writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start runs the plugin as the controller does.
func start(t *testing.T, cookie string, args ...string) (*plugin.Client, any, *output) {
	t.Helper()
	out := &output{}
	name := map[string]string{"metricprovider": "RpcMetricProviderPlugin", "step": "RpcStepPlugin"}[cookie]
	c := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "ARGO_ROLLOUTS_RPC_PLUGIN", MagicCookieValue: cookie},
		Plugins:         map[string]plugin.Plugin{"RpcMetricProviderPlugin": &metricrpc.RpcMetricProviderPlugin{}, "RpcStepPlugin": &steprpc.RpcStepPlugin{}},
		Cmd:             exec.Command(binary, args...), Managed: true,
		Stderr: out, SyncStdout: out, SyncStderr: out,
		Logger: hclog.New(&hclog.LoggerOptions{Output: out, Level: hclog.Trace}),
	})
	t.Cleanup(c.Kill)
	rpc, err := c.Client()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p, err := rpc.Dispense(name)
	if err != nil {
		t.Fatal(err)
	}
	return c, p, out
}

func startMetric(t *testing.T, args ...string) metricrpc.MetricProviderPlugin {
	t.Helper()
	_, p, _ := start(t, "metricprovider", args...)
	m := p.(metricrpc.MetricProviderPlugin)
	if err := m.InitPlugin(); err.HasError() {
		t.Fatal(err)
	}
	return m
}

func startStep(t *testing.T, args ...string) steprpc.StepPlugin {
	t.Helper()
	_, p, _ := start(t, "step", args...)
	s := p.(steprpc.StepPlugin)
	if err := s.InitPlugin(); err.HasError() {
		t.Fatal(err)
	}
	return s
}

// run is an analysis of the rollout prod/fraud.
func run(name string) *v1alpha1.AnalysisRun {
	return &v1alpha1.AnalysisRun{ObjectMeta: metav1.ObjectMeta{
		Namespace: "prod", Name: name, UID: "uid-" + "1", Labels: map[string]string{v1alpha1.DefaultRolloutUniqueLabelKey: "7c9d"},
		OwnerReferences: []metav1.OwnerReference{{Kind: "Rollout", Name: "fraud"}}, CreationTimestamp: metav1.NewTime(time.Now()),
	}}
}

// metric has the keys of its configuration in more.
func metric(g *gate, more string) v1alpha1.Metric {
	return v1alpha1.Metric{Name: "verdict", Provider: v1alpha1.MetricProvider{Plugin: map[string]rawMessage{"rampguard/verdict": configOf(g, more)}}}
}

type rawMessage = json.RawMessage

func configOf(g *gate, more string) []byte {
	if more != "" {
		more = ", " + more
	}
	if g != nil {
		more += fmt.Sprintf(`, "server": %q`, g.URL)
	}
	return []byte(`{"policy": "fraud"` + more + `}`)
}

// finish resumes a measurement while its answer is on the way.
func finish(p metricrpc.MetricProviderPlugin, r *v1alpha1.AnalysisRun, m v1alpha1.Metric, got v1alpha1.Measurement) v1alpha1.Measurement {
	for range 100 {
		if got.Phase != v1alpha1.AnalysisPhaseRunning || got.Message != "rampguard asks the gate" {
			return got
		}
		got = p.Resume(r, m, got)
	}
	return got
}

// finishStep runs a step again while its answer is on the way.
func finishStep(p interface {
	Run(*v1alpha1.Rollout, *types.RpcStepContext) (types.RpcStepResult, types.RpcError)
}, r *v1alpha1.Rollout, step *types.RpcStepContext) (types.RpcStepResult, types.RpcError) {
	got, fault := p.Run(r, step)
	for range 100 {
		if fault.HasError() || got.Message != "rampguard asks the gate" {
			break
		}
		step.Status = got.Status
		got, fault = p.Run(r, step)
	}
	return got, fault
}

// canary is the rollout prod/fraud.
func canary() *v1alpha1.Rollout {
	return &v1alpha1.Rollout{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "fraud", UID: "uid-2"}, Status: v1alpha1.RolloutStatus{CurrentPodHash: "7c9d"}}
}

func stepOf(g *gate, more string) *types.RpcStepContext {
	return &types.RpcStepContext{PluginName: "rampguard/verdict", Config: configOf(g, more)}
}

func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q does not say %q", text, p)
		}
	}
}
