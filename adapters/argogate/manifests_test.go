package argogate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/utils/plugin/types"
	"sigs.k8s.io/yaml"

	"github.com/rampguard/rampguard/adapters/argogate"
)

func readManifest(t *testing.T, name string, out any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("manifests", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(b, out); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// What is shipped can be read by Argo Rollouts and by the plugins.
func TestManifests(t *testing.T) {
	var template v1alpha1.AnalysisTemplate
	readManifest(t, "analysis-template.yaml", &template)
	p, err := argogate.NewMetric(argogate.Options{Server: "http://gate", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range template.Spec.Metrics {
		got := p.GetMetadata(m)
		if got["policy"] != "fraud" || got["server"] != "http://gate" || got["problem"] != "" {
			t.Error(got)
		}
		if m.FailureLimit != nil || m.SuccessCondition != "" || m.FailureCondition != "" {
			t.Error("a limit or a condition takes the decision from the plugin")
		}
	}
	var rollout v1alpha1.Rollout
	readManifest(t, "rollout.yaml", &rollout)
	g := newGate(t, strings.ReplaceAll(verdict("continue", "auto"), "argo:prod:fraud:7c9d", "fraud-7c9d"))
	s, err := argogate.NewStep(argogate.Options{Server: g.URL, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	rollout.Status.CurrentPodHash = "7c9d"
	asked := 0
	for _, step := range rollout.Spec.Strategy.Canary.Steps {
		if step.Analysis != nil && step.Analysis.Templates[0].TemplateName != template.Name {
			t.Errorf("the rollout runs %s and the template is %s", step.Analysis.Templates[0].TemplateName, template.Name)
		}
		if step.Plugin == nil {
			continue
		}
		asked++
		if got, err := finishStep(s, &rollout, &types.RpcStepContext{PluginName: step.Plugin.Name, Config: step.Plugin.Config}); err.HasError() || got.Phase != types.PhaseSuccessful {
			t.Error(got, err)
		}
	}
	if asked != 1 {
		t.Errorf("%d steps", asked)
	}
	var config struct {
		metaOnly
		Data map[string]string
	}
	readManifest(t, "argo-rollouts-config.yaml", &config)
	for _, key := range []string{"metricProviderPlugins", "stepPlugins"} {
		var items []types.PluginItem
		if err := yaml.UnmarshalStrict([]byte(config.Data[key]), &items); err != nil || len(items) != 1 || items[0].Name != "rampguard/verdict" {
			t.Error(key, items, err)
		}
	}
}

type metaOnly struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
}
