package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/argoproj/argo-rollouts/metricproviders/kayenta"
	"github.com/argoproj/argo-rollouts/metricproviders/webmetric"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	analysisutil "github.com/argoproj/argo-rollouts/utils/analysis"
	"github.com/sirupsen/logrus"
	"sigs.k8s.io/yaml"
)

// webMetric is the metric of "rampguard serve --example argo" for a gate.
func webMetric(t *testing.T, server, hash, authorization string) v1alpha1.Metric {
	t.Helper()
	printed, err := exec.Command(serveBinary, "serve", "--example", "argo").Output()
	if err != nil {
		t.Fatal(err)
	}
	for doc := range strings.SplitSeq(string(printed), "\n---\n") {
		var template v1alpha1.AnalysisTemplate
		if !strings.Contains(doc, "kind: AnalysisTemplate") {
			continue
		}
		doc = strings.Replace(doc, "http://rampguard.rampguard:8080", server, 1)
		if err := yaml.UnmarshalStrict([]byte(doc), &template); err != nil {
			t.Fatal(err)
		}
		m, err := analysisutil.ResolveMetricArgs(template.Spec.Metrics[0], []v1alpha1.Argument{{Name: "hash", Value: &hash}, {Name: "authorization", Value: &authorization}})
		if err != nil {
			t.Fatal(err)
		}
		return *m
	}
	t.Fatal("the example holds no template")
	return v1alpha1.Metric{}
}

func askWeb(t *testing.T, m v1alpha1.Metric) v1alpha1.Measurement {
	t.Helper()
	client, err := webmetric.NewWebMetricHttpClient(m)
	if err != nil {
		t.Fatal(err)
	}
	parser, err := webmetric.NewWebMetricJsonParser(m)
	if err != nil {
		t.Fatal(err)
	}
	return webmetric.NewWebMetricProvider(*logrus.NewEntry(logrus.StandardLogger()), client, parser).Run(&v1alpha1.AnalysisRun{}, m)
}

// Argo's web provider does as the verdict says, with the template that the command
// prints.
func TestWeb(t *testing.T) {
	g := startGate(t)
	for outcome, want := range map[string]v1alpha1.AnalysisPhase{"continue": "Successful", "pause": "Inconclusive", "manual": "Inconclusive", "rollback": "Failed"} {
		g.look(t, "fraud-"+outcome, outcome)
		got := askWeb(t, webMetric(t, g.url, outcome, "Bearer "+token))
		if got.Phase != want {
			t.Errorf("%s: %s %s %s, want %s", outcome, got.Phase, got.Value, got.Message, want)
		}
		t.Logf("web: %-8s -> %s", outcome, got.Phase)
	}
	for name, m := range map[string]v1alpha1.Metric{
		"nobody has looked": webMetric(t, g.url, "nobody", "Bearer "+token),
		"wrong token":       webMetric(t, g.url, "continue", "Bearer 0123456789abcdef-wrong"),
		"gate down":         webMetric(t, "http://127.0.0.1:1", "continue", "Bearer "+token),
	} {
		want := v1alpha1.AnalysisPhaseError
		if name == "nobody has looked" {
			want = v1alpha1.AnalysisPhaseInconclusive
		}
		got := askWeb(t, m)
		if got.Phase != want {
			t.Errorf("%s: %s %s %s, want %s", name, got.Phase, got.Value, got.Message, want)
		}
		t.Logf("web: %s -> %s", name, got.Phase)
	}
}

// The web provider takes a page that is no JSON for a success, whatever the
// conditions say; the documentation of the gate warns of it. When this fails, Argo
// Rollouts has mended it and the warning can name the version.
func TestWebTrap(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>sign in</html>")) }))
	defer page.Close()
	got := askWeb(t, webMetric(t, page.URL, "any", "Bearer "+token))
	if got.Phase != v1alpha1.AnalysisPhaseSuccessful {
		t.Errorf("%s: the trap is closed", got.Phase)
	}
	t.Logf("web: a page that is no JSON -> %s (a trap of Argo's)", got.Phase)
}

// Argo's kayenta provider does as the verdict says and waits for evidence.
func TestKayenta(t *testing.T) {
	g := startGate(t)
	address := strings.Replace(g.url, "http://", "http://argo:"+token+"@", 1) + "/kayenta"
	ask := func(config, rollout string) (begun, polled v1alpha1.Measurement) {
		p := kayenta.NewKayentaProvider(*logrus.NewEntry(logrus.StandardLogger()), kayenta.NewHttpClient())
		m := v1alpha1.Metric{Name: "verdict", Interval: "1m", Provider: v1alpha1.MetricProvider{Kayenta: &v1alpha1.KayentaMetric{
			Address: address, Application: "fraud", CanaryConfigName: config, MetricsAccountName: "m", ConfigurationAccountName: "c", StorageAccountName: "s",
			Threshold: v1alpha1.KayentaThreshold{Pass: 90, Marginal: 50},
			Scopes: []v1alpha1.KayentaScope{{Name: "default", ControlScope: v1alpha1.ScopeDetail{Scope: "stable", Step: 60},
				ExperimentScope: v1alpha1.ScopeDetail{Scope: rollout, Step: 60}}},
		}}}
		begun = p.Run(&v1alpha1.AnalysisRun{}, m)
		if begun.Phase != v1alpha1.AnalysisPhaseRunning {
			return begun, begun
		}
		return begun, p.Resume(&v1alpha1.AnalysisRun{}, m, begun)
	}
	for outcome, want := range map[string]v1alpha1.AnalysisPhase{"continue": "Successful", "pause": "Running", "manual": "Inconclusive", "rollback": "Failed"} {
		g.look(t, "k-"+outcome, outcome)
		begun, got := ask("fraud", "k-"+outcome)
		if begun.Phase != v1alpha1.AnalysisPhaseRunning || got.Phase != want {
			t.Errorf("%s: %s %s, %s %s, want %s", outcome, begun.Phase, begun.Message, got.Phase, got.Message, want)
		}
		t.Logf("kayenta: %-8s -> %s, score %q", outcome, got.Phase, got.Value)
	}
	// a rollout that is judged by another policy: the verdict is not known
	if _, got := ask("other", "k-continue"); got.Phase != v1alpha1.AnalysisPhaseRunning || got.ResumeAt == nil {
		t.Errorf("another policy: %s %s", got.Phase, got.Message)
	} else {
		t.Logf("kayenta: the gate cannot tell -> %s", got.Phase)
	}
	if begun, _ := ask("none", "k-continue"); begun.Phase != v1alpha1.AnalysisPhaseError || !strings.Contains(begun.Message, "config not found") {
		t.Errorf("no such policy: %s %s", begun.Phase, fmt.Sprint(begun.Message))
	}
}
