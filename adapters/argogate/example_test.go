package argogate_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/utils/plugin/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rampguard/rampguard/adapters/argogate"
)

// exampleGate stands for a "rampguard serve".
func exampleGate(answer string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(answer))
	}))
}

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func ExampleNewMetric() {
	gate := exampleGate(`{"verdict": "rollback", "resume": "manual", "rollout": "fraud-7c9d", "decided_at": "2026-01-31T12:00:00Z",
		"reasons": ["ratio of errors of the candidate is 20%, surely at least 18.7%. The limit is 5%."]}`)
	defer gate.Close()
	provider, err := argogate.NewMetric(argogate.Options{Server: gate.URL, Now: func() time.Time { return noon }})
	if err != nil {
		fmt.Println(err)
		return
	}
	metric := v1alpha1.Metric{Name: "verdict"}
	metric.Provider.Plugin = map[string]rawMessage{"rampguard/verdict": rawMessage(`{"policy": "fraud", "rollout": "{name}-{hash}"}`)}
	m := provider.Run(&v1alpha1.AnalysisRun{ObjectMeta: metav1.ObjectMeta{
		Namespace: "prod", Labels: map[string]string{v1alpha1.DefaultRolloutUniqueLabelKey: "7c9d"},
		OwnerReferences: []metav1.OwnerReference{{Kind: "Rollout", Name: "fraud"}},
	}}, metric)
	fmt.Println(m.Phase)
	fmt.Println(m.Message)
	// Output:
	// Failed
	// rampguard says rollback: ratio of errors of the candidate is 20%, surely at least 18.7%. The limit is 5%.
}

func ExampleNewStep() {
	gate := exampleGate(`{"verdict": "pause", "resume": "auto", "rollout": "argo:prod:fraud:7c9d", "check_after_seconds": 120,
		"reasons": ["8,120 more units are needed."]}`)
	defer gate.Close()
	step, err := argogate.NewStep(argogate.Options{Server: gate.URL, Now: func() time.Time { return noon }})
	if err != nil {
		fmt.Println(err)
		return
	}
	rollout := &v1alpha1.Rollout{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "fraud"}}
	rollout.Status.CurrentPodHash = "7c9d"
	result, _ := step.Run(rollout, &types.RpcStepContext{PluginName: "rampguard/verdict", Config: rawMessage(`{"policy": "fraud"}`)})
	fmt.Println(result.Phase, result.RequeueAfter)
	fmt.Println(result.Message)
	// Output:
	// Running 2m0s
	// rampguard waits for evidence: 8,120 more units are needed.
}

func ExampleSecret() {
	fmt.Println(argogate.Options{Server: "https://gate", Token: "0123456789abcdef"}.Token)
	// Output: [hidden]
}
