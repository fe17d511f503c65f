package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	flagger "github.com/fluxcd/flagger/pkg/client/clientset/versioned"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
)

// world is a Flagger that asks a gate.
type world struct {
	*cluster
	flagger  flagger.Interface
	hooks    hooks
	metrics  metrics
	gate     *process
	gateArgs []string
	dir, bin string
}

const (
	namespace = "prod"
	examples  = "../examples"
)

// startWorld starts everything: the gate as the command with a file store, the API
// server, Flagger's controller, and what stands in for nodes.
func startWorld(t *testing.T) *world {
	t.Helper()
	bin := os.Getenv("RAMPGUARD_E2E_BIN")
	if bin == "" {
		t.Skip("RAMPGUARD_E2E_BIN names no folder with flagger, kube-apiserver and rampguard: run scripts/e2e-flagger.sh")
	}
	dir := os.Getenv("RAMPGUARD_E2E_LOGS")
	if dir == "" {
		dir = t.TempDir()
	}
	w := &world{cluster: startCluster(t, dir, bin), dir: dir, bin: bin}
	for _, o := range documents(t, filepath.Join(moduleDir(t, "github.com/fluxcd/flagger"), "artifacts", "flagger", "crd.yaml")) {
		w.create(t, o)
	}
	for _, file := range []string{"rampguard.yaml", "workload.yaml"} { // the server accepts them
		for _, o := range documents(t, filepath.Join(examples, file)) {
			if o.GetKind() == "ConfigMap" {
				text, _, _ := unstructured.NestedString(o.Object, "data", "fraud.yaml")
				write(t, filepath.Join(dir, "fraud.yaml"), text)
			}
			w.create(t, o)
		}
	}
	write(t, filepath.Join(dir, "tokens"), "flagger "+token+" fraud,measured\n")
	policy, err := os.ReadFile("testdata/fraud.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "measured.yaml"), string(policy))
	write(t, filepath.Join(dir, "prometheus.yaml"), strings.ReplaceAll(prometheusConfig, "PORT", metricsPort))
	w.gateArgs = []string{"serve", "--listen", "127.0.0.1:" + gatePort, "--policy", filepath.Join(dir, "fraud.yaml"), "--policy", filepath.Join(dir, "measured.yaml"),
		"--prometheus", "measured=" + filepath.Join(dir, "prometheus.yaml"), "--token-file", filepath.Join(dir, "tokens"), "--store", filepath.Join(dir, "gate.db")}
	w.startGate(t)
	w.hooks.serve(t)
	serveHTTP(t, metricsPort, &w.metrics)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go w.runPods(ctx)
	config, err := clientcmd.BuildConfigFromFlags("", w.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if w.flagger, err = flagger.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	waitFor(t, 30*time.Second, "the CRDs of Flagger", func() bool {
		_, err := w.flagger.FlaggerV1beta1().Canaries("").List(ctx, metav1.ListOptions{})
		return err == nil
	})
	start(t, dir, filepath.Join(bin, "flagger"), "-kubeconfig="+w.kubeconfig, "-mesh-provider=kubernetes", "-metrics-server=http://127.0.0.1:"+metricsPort,
		"-port="+flaggerPort, "-control-loop-interval=2s", "-log-level=info")
	waitFor(t, 30*time.Second, "Flagger", func() bool { return answers("http://127.0.0.1:" + flaggerPort + "/healthz") })
	return w
}

func (w *world) startGate(t *testing.T) {
	t.Helper()
	w.gate = start(t, w.dir, filepath.Join(w.bin, "rampguard"), w.gateArgs...)
	waitFor(t, 20*time.Second, "the gate", func() bool { return answers("http://127.0.0.1:" + gatePort + "/healthz") })
}

// canaryNamed makes the Canary and the Deployment of the examples for a service of
// another name, asks the gate of this test, and lets change do the rest.
func (w *world) canaryNamed(t *testing.T, name string, change func(spec, analysis map[string]any)) {
	t.Helper()
	set := func(o *unstructured.Unstructured, value any, path ...string) {
		if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
			t.Fatal(err)
		}
	}
	if name != "fraud" {
		d := documents(t, filepath.Join(examples, "workload.yaml"))[1]
		d.SetName(name)
		for _, path := range [][]string{{"spec", "selector", "matchLabels", "app"}, {"spec", "template", "metadata", "labels", "app"}} {
			set(d, name, path...)
		}
		w.create(t, d)
	}
	c := documents(t, filepath.Join(examples, "canary.yaml"))[0]
	c.SetName(name)
	set(c, name, "spec", "targetRef", "name")
	set(c, "10s", "spec", "analysis", "interval") // the shortest that Flagger knows
	spec := c.Object["spec"].(map[string]any)
	analysis := spec["analysis"].(map[string]any)
	for _, h := range analysis["webhooks"].([]any) {
		hook := h.(map[string]any)
		hook["url"] = strings.NewReplacer("TOKEN", token, "rampguard.rampguard:8080", "127.0.0.1:"+hooksPort).Replace(hook["url"].(string))
	}
	change(spec, analysis)
	w.create(t, c)
}

// ingress gives a canary an Ingress, whose weights Flagger then sets.
func (w *world) ingress(t *testing.T, name string, spec map[string]any) {
	t.Helper()
	w.create(t, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": map[string]any{"name": name, "namespace": namespace},
		"spec": map[string]any{"ingressClassName": "nginx", "rules": []any{map[string]any{"host": name + ".example.org", "http": map[string]any{"paths": []any{
			map[string]any{"path": "/", "pathType": "Prefix", "backend": map[string]any{"service": map[string]any{"name": name, "port": map[string]any{"number": int64(8080)}}}}}}}}}}})
	spec["provider"] = "nginx"
	spec["ingressRef"] = map[string]any{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": name}
}

// status is what Flagger says of a canary.
type status struct {
	phase                  string
	weight, failed, rounds int
}

func (w *world) status(t *testing.T, name string) status {
	t.Helper()
	c, err := w.flagger.FlaggerV1beta1().Canaries(namespace).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return status{string(c.Status.Phase), c.Status.CanaryWeight, c.Status.FailedChecks, c.Status.Iterations}
}

// phase waits until a canary is in a phase.
func (w *world) phase(t *testing.T, name, phase string, within time.Duration) status {
	t.Helper()
	var s status
	defer func() {
		if t.Failed() {
			t.Logf("%s: %+v", name, s)
		}
	}()
	waitFor(t, within, name+" in phase "+phase, func() bool { s = w.status(t, name); return s.phase == phase })
	t.Logf("%s: %s, weight %d, failed checks %d", name, s.phase, s.weight, s.failed)
	return s
}

// release waits until a canary is initialized and gives its Deployment a new version.
func (w *world) release(t *testing.T, name string) {
	t.Helper()
	w.phase(t, name, "Initialized", 2*time.Minute)
	patch := []byte(`{"spec":{"template":{"metadata":{"annotations":{"model-version":"v8"}}}}}`)
	if _, err := w.kube.AppsV1().Deployments(namespace).Patch(context.Background(), name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

// answered waits until a hook of a canary was answered so many times more with a
// status, and returns the last answer.
func (w *world) answered(t *testing.T, name, hook string, status, times int) asked {
	t.Helper()
	n := w.hooks.count(name, hook, status)
	waitFor(t, time.Minute, fmt.Sprintf("%s: %s answered %d", name, hook, status), func() bool { return w.hooks.count(name, hook, status) >= n+times })
	var last asked
	for _, a := range w.hooks.of(name, hook) {
		if a.status == status {
			last = a
		}
	}
	t.Logf("%s: %s -> %d %s", name, hook, last.status, last.text)
	return last
}

// judge posts a look at a rollout of a canary.
func (w *world) judge(t *testing.T, name, rollout, id string, look int) {
	t.Helper()
	post(t, "http://127.0.0.1:"+gatePort, rollout, id, look, "")
	w.hooks.posted(name, look)
	t.Logf("%s: look %s at %s: %d errors in 10,000 requests", name, id, rollout, look)
}

// event waits for an event of a canary that holds a text, as Flagger logs it: the API
// server is not told all of them when there are many.
func (w *world) event(t *testing.T, name, text string) {
	t.Helper()
	waitFor(t, 30*time.Second, name+": an event with "+text, func() bool {
		log, err := os.ReadFile(filepath.Join(w.dir, "flagger.log"))
		if err != nil {
			return false
		}
		for line := range strings.Lines(string(log)) {
			var l struct{ Msg, Canary string }
			if json.Unmarshal([]byte(line), &l) == nil && l.Canary == name+"."+namespace && strings.Contains(l.Msg, text) {
				t.Logf("%s: Flagger: %s", name, l.Msg)
				return true
			}
		}
		return false
	})
}

// iterations makes a canary one that moves no traffic before its end: without a mesh
// or an ingress Flagger can do no other.
func iterations(analysis map[string]any, n int64) {
	delete(analysis, "maxWeight")
	delete(analysis, "stepWeight")
	analysis["iterations"] = n
}

// TestController lets a real controller carry out what the gate decides: one canary
// is held and promoted, one waits while the gate is killed and comes back, one is
// rolled back, one is promoted on what Prometheus measures, and one shows what happens when nobody answers.
func TestController(t *testing.T) {
	w := startWorld(t)
	for name, run := range map[string]func(*testing.T, *world){"promoted": promoted, "waiting": waiting, "rolled back": rolledBack, "measured": measured, "no gate": noGate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, w)
		})
	}
}

// promoted: no traffic without evidence, none at a pause, and all of it at the end.
func promoted(t *testing.T, w *world) {
	const name = "fraud"
	w.canaryNamed(t, name, func(spec, analysis map[string]any) {
		w.ingress(t, name, spec)
		for _, h := range analysis["webhooks"].([]any) {
			delete(h.(map[string]any), "metadata") // no first step without evidence
		}
		url := fmt.Sprintf("http://flagger:%s@127.0.0.1:%s/flagger/fraud/event", token, hooksPort)
		analysis["webhooks"] = append(analysis["webhooks"].([]any), map[string]any{"name": "events", "type": "event", "url": url})
	})
	w.release(t, name)
	last := w.answered(t, name, "confirm-traffic-increase", 403, 1)
	rollout := "flagger:" + namespace + ":" + name + ":" + last.checksum
	w.judge(t, name, rollout, "1", wait)
	w.answered(t, name, "confirm-traffic-increase", 403, 2)
	if s := w.status(t, name); s.phase != "Progressing" || s.weight != 0 || s.failed != 0 {
		t.Errorf("at a pause: %+v, want no traffic and no failed check", s)
	}
	w.event(t, name, "advancement waiting for traffic increase approval")
	w.judge(t, name, rollout, "2", goOn)
	waitFor(t, time.Minute, "a weight of 25", func() bool { return w.status(t, name).weight == 25 })
	w.phase(t, name, "Succeeded", 3*time.Minute)
	w.event(t, name, "canary weight 50")
	w.event(t, name, "Promotion completed!")
	d, err := w.kube.AppsV1().Deployments(namespace).Get(context.Background(), name+"-primary", metav1.GetOptions{})
	if err != nil || d.Spec.Template.Annotations["model-version"] != "v8" {
		t.Errorf("the primary runs %q: %v", d.Spec.Template.Annotations["model-version"], err)
	}
	w.answeredOnce(t, name, "post-rollout", "Succeeded")
	w.record(t, name, "../testdata/flagger_webhooks.jsonl")
}

// waiting: the promotion waits, however long, also while the gate is killed; a
// continue ends it.
func waiting(t *testing.T, w *world) {
	const name, rollout = "fraud-waiting", "fraud-waiting-v8"
	w.canaryNamed(t, name, func(_, analysis map[string]any) {
		iterations(analysis, 1)
		for _, h := range analysis["webhooks"].([]any) {
			h.(map[string]any)["metadata"] = map[string]any{"rollout": rollout}
		}
	})
	w.release(t, name)
	w.phase(t, name, "WaitingPromotion", 2*time.Minute)
	w.judge(t, name, rollout, "1", wait)
	w.answered(t, name, "confirm-promotion", 403, 2)
	w.gate.kill()
	w.startGate(t)
	t.Log("the gate was killed and started again")
	if last := w.answered(t, name, "confirm-promotion", 403, 2); !strings.Contains(last.text, "pause:") {
		t.Errorf("after the restart: %s", last.text)
	}
	if s := w.status(t, name); s.phase != "WaitingPromotion" || s.failed != 0 {
		t.Errorf("while it waits: %+v, want no failed check", s)
	}
	w.event(t, name, "advancement waiting for promotion approval")
	w.judge(t, name, rollout, "2", goOn)
	w.phase(t, name, "Succeeded", 3*time.Minute)
}

// rolledBack: the first step is taken without evidence and the second one is not; then
// traffic flows, harm is shown, and the rollback hook ends it.
func rolledBack(t *testing.T, w *world) {
	const name = "fraud-harmful"
	w.canaryNamed(t, name, func(spec, _ map[string]any) { w.ingress(t, name, spec) })
	w.release(t, name)
	first := w.answered(t, name, "confirm-traffic-increase", 200, 1)
	if !strings.Contains(first.text, "no traffic yet") {
		t.Errorf("the first step: %s", first.text)
	}
	w.answered(t, name, "confirm-traffic-increase", 403, 2)
	if s := w.status(t, name); s.weight != 25 || s.failed != 0 {
		t.Errorf("without evidence: %+v, want the first step, no more, and no failed check", s)
	}
	rollout := "flagger:" + namespace + ":" + name + ":" + first.checksum
	w.judge(t, name, rollout, "1", goOn)
	waitFor(t, time.Minute, "a weight of 50", func() bool { return w.status(t, name).weight == 50 })
	w.judge(t, name, rollout, "2", rollBack)
	w.answered(t, name, "rollback", 200, 1)
	if s := w.phase(t, name, "Failed", time.Minute); s.weight != 0 {
		t.Errorf("%+v, want no traffic", s)
	}
	w.event(t, name, "Rolling back "+name+".prod manual webhook invoked")
	w.event(t, name, "Canary failed! Scaling down")
	i, err := w.kube.NetworkingV1().Ingresses(namespace).Get(context.Background(), name+"-canary", metav1.GetOptions{})
	if err != nil || i.Annotations["nginx.ingress.kubernetes.io/canary-weight"] != "0" {
		t.Errorf("the Ingress: %v %v", i.Annotations, err)
	}
	d, err := w.kube.AppsV1().Deployments(namespace).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil || d.Spec.Replicas == nil || *d.Spec.Replicas != 0 {
		t.Errorf("the canary was not scaled down: %v", err)
	}
	d, err = w.kube.AppsV1().Deployments(namespace).Get(context.Background(), name+"-primary", metav1.GetOptions{})
	if err != nil || d.Spec.Template.Annotations["model-version"] != "v7" {
		t.Errorf("the primary runs %q: %v", d.Spec.Template.Annotations["model-version"], err)
	}
	w.answeredOnce(t, name, "post-rollout", "Failed")
}

// prometheusConfig is that of the policy measured. Flagger calls the pods of the
// baseline NAME-primary.
const prometheusConfig = `server: http://127.0.0.1:PORT
lag: 1s
arms: {label: app, baseline: fraud-measured-primary, candidate: fraud-measured}
metrics:
  - name: errors
    kind: ratio
    events: sum by (app) (increase(http_requests_total{ {{.Match}}, code=~"5.." }[{{.Window}}]))
    units: sum by (app) (increase(http_requests_total{ {{.Match}} }[{{.Window}}]))
`

// measured: nobody posts anything. The canary gets its first traffic, Prometheus
// counts its requests from then on, and the gate looks whenever Flagger asks.
func measured(t *testing.T, w *world) {
	const name = "fraud-measured"
	w.canaryNamed(t, name, func(spec, analysis map[string]any) {
		w.ingress(t, name, spec)
		for _, h := range analysis["webhooks"].([]any) {
			hook := h.(map[string]any)
			hook["url"] = strings.Replace(hook["url"].(string), "/fraud/", "/measured/", 1)
		}
	})
	w.release(t, name)
	waitFor(t, time.Minute, "a weight of 25", func() bool { return w.status(t, name).weight == 25 })
	if last := w.answered(t, name, "confirm-traffic-increase", 403, 1); !strings.Contains(last.text, "data of errors yet") {
		t.Errorf("before the candidate has served requests: %s", last.text)
	}
	w.metrics.traffic.Store(true)
	w.phase(t, name, "Succeeded", 3*time.Minute)
	w.event(t, name, "canary weight 50")
}

// noGate: with nobody to ask, Flagger counts each rollout hook as a failed check, and
// rolls back at the threshold; that is Flagger's doing, and why the README asks for
// retries and a threshold with room.
func noGate(t *testing.T, w *world) {
	const name = "fraud-alone"
	w.canaryNamed(t, name, func(_, analysis map[string]any) {
		iterations(analysis, 5)
		analysis["threshold"] = int64(2)
		var kept []any
		for _, h := range analysis["webhooks"].([]any) {
			hook := h.(map[string]any)
			if kind := hook["type"]; kind == "rollout" || kind == "confirm-promotion" || kind == "rollback" {
				hook["url"] = strings.Replace(hook["url"].(string), hooksPort, deadPort, 1)
				delete(hook, "retries")
				kept = append(kept, hook)
			}
		}
		analysis["webhooks"] = kept
	})
	w.release(t, name)
	w.phase(t, name, "Failed", 3*time.Minute)
	w.event(t, name, "failed checks threshold reached 2")
	w.event(t, name, "Rollback hook proven harm not signaling a rollback")
}

// answeredOnce checks that a hook was asked once, in a phase, and got a yes.
func (w *world) answeredOnce(t *testing.T, name, hook, phase string) {
	t.Helper()
	waitFor(t, 20*time.Second, hook, func() bool { return len(w.hooks.of(name, hook)) > 0 })
	if all := w.hooks.of(name, hook); len(all) != 1 || all[0].status != 200 || all[0].phase != phase {
		t.Errorf("%s of %s: %+v", hook, name, all)
	}
}

// record writes the requests of a canary for the tests of the gate, if asked to.
// Times are made the same.
func (w *world) record(t *testing.T, name, path string) {
	t.Helper()
	if os.Getenv("RAMPGUARD_RECORD") == "" {
		return
	}
	head := map[string]string{"flagger": moduleVersion(t, "github.com/fluxcd/flagger"), "go_retryablehttp": moduleVersion(t, "github.com/hashicorp/go-retryablehttp")}
	out, err := json.Marshal(head)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range w.hooks.of(name, "") {
		line, err := json.Marshal(struct {
			Hook    string          `json:"hook"`
			Want    int             `json:"want"`
			Look    int             `json:"look,omitempty"`
			Payload json.RawMessage `json:"payload"`
		}{a.hook, a.status, a.look, milliseconds.ReplaceAll(a.payload, []byte(`"timestamp":"1769860800000"`))})
		if err != nil {
			t.Fatal(err)
		}
		out = append(append(out, '\n'), line...)
	}
	if err := os.WriteFile(path, append(out, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
