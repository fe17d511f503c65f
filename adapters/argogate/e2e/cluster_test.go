package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	argoclient "github.com/argoproj/argo-rollouts/pkg/client/clientset/versioned"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// cluster is an etcd and a Kubernetes API server, without nodes: a loop says that the
// pods of all replica sets are ready.
type cluster struct {
	dir, kubeconfig string
	kube            kubernetes.Interface
	argo            argoclient.Interface
}

// programs is the folder of what scripts/e2e-argo.sh has built.
func programs(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("RAMPGUARD_E2E_BIN")
	if dir == "" {
		t.Skip("RAMPGUARD_E2E_BIN does not say where kube-apiserver and rollouts-controller are; run scripts/e2e-argo.sh")
	}
	return dir
}

func startCluster(t *testing.T, ctx context.Context, bin string) *cluster {
	t.Helper()
	c := &cluster{dir: t.TempDir()}
	etcd, peer, secure := port(t), port(t), port(t)
	etcdURL, peerURL := "http://127.0.0.1:"+etcd, "http://127.0.0.1:"+peer
	spawn(t, c.dir, nil, nil, "etcd", "--data-dir", "etcd.data", "--listen-client-urls", etcdURL, "--advertise-client-urls", etcdURL,
		"--listen-peer-urls", peerURL, "--initial-advertise-peer-urls", peerURL, "--initial-cluster", "default="+peerURL, "--unsafe-no-fsync")
	const admin = "an-admin-for-a-test"
	c.write(t, "tokens.csv", admin+",admin,1,system:masters\n")
	if out, err := exec.Command("openssl", "genrsa", "-out", filepath.Join(c.dir, "sa.key"), "2048").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	spawn(t, c.dir, nil, nil, filepath.Join(bin, "kube-apiserver"), "--etcd-servers="+etcdURL, "--bind-address=127.0.0.1", "--secure-port="+secure,
		"--cert-dir=certs", "--service-cluster-ip-range=10.0.0.0/24", "--service-account-issuer=https://issuer.local", "--service-account-key-file=sa.key",
		"--service-account-signing-key-file=sa.key", "--authorization-mode=AlwaysAllow", "--token-auth-file=tokens.csv", "--disable-admission-plugins=ServiceAccount")
	config := &rest.Config{Host: "https://127.0.0.1:" + secure, BearerToken: admin, TLSClientConfig: rest.TLSClientConfig{Insecure: true}, QPS: 100, Burst: 200}
	c.kubeconfig = c.write(t, "kubeconfig", fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: %q, insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: %s}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`, config.Host, admin))
	var err error
	if c.kube, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	if c.argo, err = argoclient.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	until(t, "the API server is ready", time.Minute, func() bool {
		return c.kube.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() == nil
	})
	c.install(t, ctx, config)
	go c.pods(ctx)
	return c
}

func port(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, p, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (c *cluster) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// install creates the namespaces and Argo's own definitions of its resources.
func (c *cluster) install(t *testing.T, ctx context.Context, config *rest.Config) {
	t.Helper()
	for _, name := range []string{"argo-rollouts", "prod"} {
		if _, err := c.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/argoproj/argo-rollouts").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(module)), "manifests", "crds", "*-crd.yaml"))
	if err != nil || len(files) != 5 {
		t.Fatal(files, err)
	}
	client, err := apiextensions.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	definitions := client.ApiextensionsV1().CustomResourceDefinitions()
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(b, &d); err != nil {
			t.Fatal(err)
		}
		if _, err := definitions.Create(ctx, &d, metav1.CreateOptions{}); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	until(t, "the resources of Argo Rollouts are there", time.Minute, func() bool {
		_, err := c.argo.ArgoprojV1alpha1().Rollouts("prod").List(ctx, metav1.ListOptions{})
		return err == nil
	})
}

// pods says of all replica sets that their pods are ready, as a kubelet would bring
// about.
func (c *cluster) pods(ctx context.Context) {
	sets := c.kube.AppsV1().ReplicaSets("prod")
	for ctx.Err() == nil {
		all, err := sets.List(ctx, metav1.ListOptions{})
		if err != nil {
			time.Sleep(time.Second)
			continue
		}
		for _, s := range all.Items {
			n := *s.Spec.Replicas
			if s.Status.AvailableReplicas == n && s.Status.ObservedGeneration == s.Generation {
				continue
			}
			s.Status.Replicas, s.Status.ReadyReplicas, s.Status.AvailableReplicas, s.Status.FullyLabeledReplicas = n, n, n, n
			s.Status.ObservedGeneration = s.Generation
			_, _ = sets.UpdateStatus(ctx, &s, metav1.UpdateOptions{}) // a conflict is tried again
		}
		time.Sleep(200 * time.Millisecond)
	}
}
