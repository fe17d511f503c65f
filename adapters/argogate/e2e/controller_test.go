package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/analysis"
	"github.com/argoproj/argo-rollouts/controller/metrics"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	argofake "github.com/argoproj/argo-rollouts/pkg/client/clientset/versioned/fake"
	informers "github.com/argoproj/argo-rollouts/pkg/client/informers/externalversions"
	argoconfig "github.com/argoproj/argo-rollouts/utils/config"
	"github.com/argoproj/argo-rollouts/utils/plugin"
	"github.com/argoproj/argo-rollouts/utils/queue"
	"github.com/argoproj/argo-rollouts/utils/record"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubeinformers "k8s.io/client-go/informers"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/yaml"
)

// pluginConfig is the ConfigMap that is shipped, for this machine.
func pluginConfig(t *testing.T, server string) *corev1.ConfigMap {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	var out corev1.ConfigMap
	manifest(t, "argo-rollouts-config.yaml", &out, "/rampguard-token/token", file, "/rampguard/rampguard-argo", pluginBinary, "http://rampguard.rampguard:8080", server)
	return &out
}

// The real analysis controller, on a made-up cluster, with the real plugin and a real
// gate.
func TestAnalysisController(t *testing.T) {
	g := startGate(t)
	config := pluginConfig(t, g.url)
	var template v1alpha1.AnalysisTemplate
	manifest(t, "analysis-template.yaml", &template)
	t.Chdir(t.TempDir()) // the controller copies the plugin to a folder in here
	ctx, stop := context.WithCancel(context.Background())
	kube, argo := kubefake.NewSimpleClientset(config), argofake.NewSimpleClientset()
	if _, err := argoconfig.InitializeConfig(kube, "argo-rollouts-config"); err != nil {
		t.Fatal(err)
	}
	if err := plugin.DownloadPlugins(plugin.FileDownloaderImpl{}, kube); err != nil {
		t.Fatal(err)
	}
	kubeInformers, argoInformers := kubeinformers.NewSharedInformerFactory(kube, 0), informers.NewSharedInformerFactory(argo, 0)
	work := workqueue.NewNamedRateLimitingQueue(queue.DefaultArgoRolloutsRateLimiter(), "AnalysisRuns")
	c := analysis.NewController(analysis.ControllerConfig{
		KubeClientSet: kube, ArgoProjClientset: argo,
		AnalysisRunInformer: argoInformers.Argoproj().V1alpha1().AnalysisRuns(),
		JobInformer:         kubeInformers.Batch().V1().Jobs(), JobPodsInformer: kubeInformers.Core().V1().Pods(),
		AnalysisRunWorkQueue: work,
		MetricsServer:        metrics.NewMetricsServer(metrics.ServerConfig{Addr: "127.0.0.1:0", K8SRequestProvider: &metrics.K8sRequestsCountProvider{}}),
		Recorder:             record.NewFakeEventRecorder(),
	})
	kubeInformers.Start(ctx.Done())
	argoInformers.Start(ctx.Done())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, 4) }()
	defer func() {
		work.ShutDown()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	runs := argo.ArgoprojV1alpha1().AnalysisRuns("prod")
	create := func(name, raw string) {
		metric := template.Spec.Metrics[0]
		if raw != "" {
			metric.Provider.Plugin = map[string]rawMessage{"rampguard/verdict": rawMessage(raw)}
		}
		_, err := runs.Create(ctx, &v1alpha1.AnalysisRun{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "prod",
			Labels: map[string]string{v1alpha1.DefaultRolloutUniqueLabelKey: name}, OwnerReferences: []metav1.OwnerReference{{Kind: "Rollout", Name: "fraud"}},
		}, Spec: v1alpha1.AnalysisRunSpec{Metrics: []v1alpha1.Metric{metric}}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	get := func(name string) v1alpha1.AnalysisRunStatus {
		r, err := runs.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return r.Status
	}
	expect := func(name string, want v1alpha1.AnalysisPhase) {
		t.Helper()
		until(t, fmt.Sprintf("run %s is %s", name, want), 20*time.Second, func() bool { return get(name).Phase.Completed() })
		s := get(name)
		if s.Phase != want {
			t.Errorf("%s: %s %s", name, s.Phase, s.Message)
		}
		m := s.MetricResults[0].Measurements
		t.Logf("controller: %-8s -> run %s; value %q", name, s.Phase, m[len(m)-1].Value)
	}
	fast := `{"policy": "fraud", "rollout": "{name}-{hash}", "checkEvery": "1s", "errorBudget": "2s"`
	for outcome, want := range map[string]v1alpha1.AnalysisPhase{"continue": "Successful", "manual": "Inconclusive", "rollback": "Failed"} {
		create(outcome, fast+"}")
		until(t, "the run waits for evidence", 20*time.Second, func() bool {
			s := get(outcome)
			return s.Phase == v1alpha1.AnalysisPhaseRunning && len(s.MetricResults) == 1 && s.MetricResults[0].Measurements[0].Metadata["decision"] == "pause"
		})
		g.look(t, "fraud-"+outcome, outcome)
		expect(outcome, want)
	}
	create("down", fast+`, "server": "http://127.0.0.1:1"}`)
	expect("down", v1alpha1.AnalysisPhaseInconclusive)
	create("wrong", `{"polcy": "fraud"}`)
	expect("wrong", v1alpha1.AnalysisPhaseInconclusive)
	create("shipped", "") // the template as it is
	until(t, "the shipped template waits for evidence", 20*time.Second, func() bool {
		s := get("shipped")
		return len(s.MetricResults) == 1 && s.MetricResults[0].Measurements[0].Metadata["decision"] == "pause"
	})
}

// manifest reads a file of ../manifests, with some texts replaced.
func manifest(t *testing.T, name string, out any, replace ...string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(manifests, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict([]byte(replaceAll(string(b), replace...)), out); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
