package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// Ports of what a run starts.
const (
	etcdPort     = "22379"
	etcdPeerPort = "22380"
	apiPort      = "26443"
	flaggerPort  = "28779"
	gatePort     = "28780"
	hooksPort    = "28781" // in front of the gate
	deadPort     = "28782" // nobody listens
	metricsPort  = "29090"
)

// process is one that the test has started.
type process struct {
	cmd *exec.Cmd
	log string
}

// start starts a program whose output goes to a file of its name. It ends with the
// test.
func start(t *testing.T, dir, name string, args ...string) *process {
	t.Helper()
	p := &process{exec.Command(name, args...), filepath.Join(dir, filepath.Base(name)+".log")}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(p.kill)
	return p
}

// kill ends the process at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// waitFor fails the test unless done is true within a time.
func waitFor(t *testing.T, within time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !done(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v: %s not seen", within, what)
		}
	}
}

// answers reports whether an HTTP server gives status 200.
func answers(url string) bool {
	resp, err := http.Get(url)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// cluster is an API server of Kubernetes that has no nodes.
type cluster struct {
	kubeconfig string
	objects    dynamic.Interface
	kube       kubernetes.Interface
}

// startCluster starts etcd and the API server. It is open to all on the loopback and
// forgets everything: nothing of it is fit for another use.
func startCluster(t *testing.T, dir, bin string) *cluster {
	t.Helper()
	etcd := "http://127.0.0.1:" + etcdPort
	start(t, dir, "etcd", "--data-dir", filepath.Join(dir, "etcd.data"), "--unsafe-no-fsync", "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
		"--listen-peer-urls", "http://127.0.0.1:"+etcdPeerPort, "--initial-advertise-peer-urls", "http://127.0.0.1:"+etcdPeerPort,
		"--initial-cluster", "default=http://127.0.0.1:"+etcdPeerPort)
	key := filepath.Join(dir, "sa.key")
	if out, err := exec.Command("openssl", "genrsa", "-out", key, "2048").CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
	tokens := filepath.Join(dir, "tokens.csv")
	write(t, tokens, "tok,admin,1,system:masters\n")
	start(t, dir, filepath.Join(bin, "kube-apiserver"), "--etcd-servers="+etcd, "--bind-address=127.0.0.1", "--secure-port="+apiPort, "--cert-dir="+filepath.Join(dir, "certs"),
		"--service-cluster-ip-range=10.0.0.0/24", "--service-account-issuer=https://issuer.local", "--service-account-key-file="+key, "--service-account-signing-key-file="+key,
		"--authorization-mode=AlwaysAllow", "--token-auth-file="+tokens, "--disable-admission-plugins=ServiceAccount")
	c := &cluster{kubeconfig: filepath.Join(dir, "kubeconfig")}
	write(t, c.kubeconfig, `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:`+apiPort+`", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: tok}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`)
	config := &rest.Config{Host: "https://127.0.0.1:" + apiPort, BearerToken: "tok", TLSClientConfig: rest.TLSClientConfig{Insecure: true}, QPS: 100, Burst: 100}
	var err error
	if c.objects, err = dynamic.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	if c.kube, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	waitFor(t, time.Minute, "a ready API server", func() bool {
		b, err := c.kube.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(context.Background())
		return err == nil && string(b) == "ok"
	})
	return c
}

// resources are the kinds that the tests create.
var resources = map[string]schema.GroupVersionResource{
	"Namespace":                {Version: "v1", Resource: "namespaces"},
	"ConfigMap":                {Version: "v1", Resource: "configmaps"},
	"PersistentVolumeClaim":    {Version: "v1", Resource: "persistentvolumeclaims"},
	"Service":                  {Version: "v1", Resource: "services"},
	"Deployment":               {Group: "apps", Version: "v1", Resource: "deployments"},
	"Ingress":                  {Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"},
	"Canary":                   {Group: "flagger.app", Version: "v1beta1", Resource: "canaries"},
	"CustomResourceDefinition": {Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"},
}

// documents reads the objects of a file.
func documents(t *testing.T, path string) []*unstructured.Unstructured {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []*unstructured.Unstructured
	for _, part := range bytes.Split(b, []byte("\n---\n")) {
		o := new(unstructured.Unstructured)
		if err := yaml.Unmarshal(part, &o.Object); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(o.Object) > 0 {
			out = append(out, o)
		}
	}
	return out
}

// create creates an object. The server refuses fields that it does not know.
func (c *cluster) create(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	gvr, ok := resources[o.GetKind()]
	if !ok {
		t.Fatalf("kind %q of %s is not in resources", o.GetKind(), o.GetName())
	}
	var err error
	r := dynamic.ResourceInterface(c.objects.Resource(gvr))
	if o.GetNamespace() != "" {
		r = c.objects.Resource(gvr).Namespace(o.GetNamespace())
	}
	if _, err = r.Create(context.Background(), o, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}); err != nil {
		t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
	}
}

// runPods makes the pods of all deployments ready, as nodes would, until ctx ends.
func (c *cluster) runPods(ctx context.Context) {
	for ; ctx.Err() == nil; time.Sleep(200 * time.Millisecond) {
		all, err := c.kube.AppsV1().Deployments("").List(ctx, metav1.ListOptions{})
		if err != nil {
			continue
		}
		for _, d := range all.Items {
			n := int32(1)
			if d.Spec.Replicas != nil {
				n = *d.Spec.Replicas
			}
			s := &d.Status
			if s.ObservedGeneration == d.Generation && s.Replicas == n && s.ReadyReplicas == n {
				continue
			}
			s.ObservedGeneration, s.Replicas, s.UpdatedReplicas, s.ReadyReplicas, s.AvailableReplicas = d.Generation, n, n, n, n
			_, _ = c.kube.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, &d, metav1.UpdateOptions{}) // a conflict is tried again
		}
	}
}

// serveHTTP serves on a port of the loopback until the test ends.
func serveHTTP(t *testing.T, port string, h http.Handler) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	t.Cleanup(func() { _ = s.Close() })
}

// metrics is a Prometheus that knows two services: of 10,000 requests of each 100
// failed, and the canary has none before it has traffic.
type metrics struct{ traffic atomic.Bool }

func (m *metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	value, app, query := "1", "", r.FormValue("query") // Flagger asks for vector(1)
	if strings.Contains(query, "http_requests_total") {
		if value = "10000"; strings.Contains(query, "5..") {
			value = "100"
		}
		if app = "fraud-measured"; strings.Contains(query, `app="fraud-measured-primary"`) {
			app += "-primary"
		}
	}
	series := ""
	if app != "fraud-measured" || m.traffic.Load() {
		series = fmt.Sprintf(`{"metric":{"app":%q},"value":[%d,%q]}`, app, time.Now().Unix(), value)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, series)
}

// moduleDir is the folder of a module that this one requires.
func moduleDir(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// moduleVersion is the version of a module that this one requires.
func moduleVersion(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
