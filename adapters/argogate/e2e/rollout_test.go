package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The whole controller on a real API server, with the plugins and the manifests that
// are shipped: a rollout that is promoted, one that a person has to decide, one that
// the metric and one that the step aborts, and one whose gate is down. The plugins are
// killed twice on the way.
func TestRollouts(t *testing.T) {
	bin := programs(t)
	ctx, stop := context.WithCancel(context.Background())
	g := startGate(t)
	c := startCluster(t, ctx, bin)
	t.Cleanup(stop)
	if _, err := c.kube.CoreV1().ConfigMaps("argo-rollouts").Create(ctx, pluginConfig(t, g.url), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	controller := spawn(t, c.dir, []string{"POD_NAMESPACE=argo-rollouts"}, nil, filepath.Join(bin, "rollouts-controller"),
		"--kubeconfig="+c.kubeconfig, "--leader-elect=false", "--metricsPort="+port(t), "--healthzPort="+port(t))

	var template v1alpha1.AnalysisTemplate
	manifest(t, "analysis-template.yaml", &template)
	c.template(t, ctx, &template, "rampguard")
	down := template.DeepCopy()
	down.Spec.Metrics[0].Provider.Plugin = map[string]rawMessage{"rampguard/verdict": rawMessage(`{"policy": "fraud", "server": "http://127.0.0.1:1", "checkEvery": "1s", "errorBudget": "5s"}`)}
	c.template(t, ctx, down, "down")

	cases := []struct {
		name, analysis string
		metric, step   string // evidence at the analysis and at the step
		check          func(*v1alpha1.Rollout) string
	}{
		{"promoted", "rampguard", "continue", "continue", promoted},
		{"paused", "rampguard", "manual", "", pausedInconclusive},
		{"aborted", "rampguard", "rollback", "", abortedBy("Metric \"verdict\" assessed Failed")},
		{"step-aborted", "rampguard", "continue", "rollback", abortedBy("Step Plugin 4 (rampguard/verdict) failed: rampguard says rollback")},
		{"gate-down", "down", "", "", pausedInconclusive},
	}
	for _, tt := range cases {
		c.deploy(t, ctx, tt.name, tt.analysis)
	}
	for _, tt := range cases {
		c.release(t, ctx, tt.name)
	}
	var all sync.WaitGroup
	for _, tt := range cases {
		all.Add(1)
		go func() {
			defer all.Done()
			crash := func() {}
			if tt.name == "promoted" {
				crash = func() { killPlugins(t, controller) }
			}
			if err := c.judge(ctx, t, g, tt.name, tt.metric, tt.step, crash); err != nil {
				t.Errorf("%s: %v", tt.name, err)
				return
			}
			last := "nothing"
			for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
				r, err := c.argo.ArgoprojV1alpha1().Rollouts("prod").Get(ctx, tt.name, metav1.GetOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				if last = tt.check(r); last == "" {
					t.Logf("rollout: %-12s -> %s, %q; steps %s", tt.name, r.Status.Phase, clip(r.Status.Message), steps(r))
					return
				}
			}
			t.Errorf("%s: %s", tt.name, last)
		}()
	}
	all.Wait()
	c.report(t, ctx)
	if strings.Contains(controller.logged(), token) || strings.Contains(g.logged(), token) {
		t.Error("a log shows the token")
	}
	stop()
}

// promoted reports what is missing until a rollout runs its new version.
func promoted(r *v1alpha1.Rollout) string {
	if r.Status.Phase != v1alpha1.RolloutPhaseHealthy || r.Status.StableRS != r.Status.CurrentPodHash {
		return fmt.Sprintf("phase %s %s, stable %s, current %s, steps %s", r.Status.Phase, r.Status.Message, r.Status.StableRS, r.Status.CurrentPodHash, steps(r))
	}
	return ""
}

func pausedInconclusive(r *v1alpha1.Rollout) string {
	for _, p := range r.Status.PauseConditions {
		if p.Reason == v1alpha1.PauseReasonInconclusiveAnalysis && r.Status.Phase == v1alpha1.RolloutPhasePaused && !r.Status.Abort {
			return ""
		}
	}
	return fmt.Sprintf("phase %s %s, pauses %v", r.Status.Phase, r.Status.Message, r.Status.PauseConditions)
}

func abortedBy(why string) func(*v1alpha1.Rollout) string {
	return func(r *v1alpha1.Rollout) string {
		if r.Status.Abort && strings.Contains(r.Status.Message, why) && r.Status.Phase == v1alpha1.RolloutPhaseDegraded {
			return ""
		}
		return fmt.Sprintf("phase %s, abort %v, message %q", r.Status.Phase, r.Status.Abort, r.Status.Message)
	}
}

func steps(r *v1alpha1.Rollout) string {
	out := []string{}
	for _, s := range r.Status.Canary.StepPluginStatuses {
		out = append(out, fmt.Sprintf("%d %s %s", s.Index, s.Operation, s.Phase))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "..."
	}
	return s
}

func (c *cluster) template(t *testing.T, ctx context.Context, template *v1alpha1.AnalysisTemplate, name string) {
	t.Helper()
	template.Name = name
	if _, err := c.argo.ArgoprojV1alpha1().AnalysisTemplates("prod").Create(ctx, template, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// deploy creates the rollout that is shipped, under another name, and waits until its
// first version runs.
func (c *cluster) deploy(t *testing.T, ctx context.Context, name, analysis string) {
	t.Helper()
	var r v1alpha1.Rollout
	manifest(t, "rollout.yaml", &r, "{name: fraud, namespace: prod}", fmt.Sprintf("{name: %s, namespace: prod}", name), "app: fraud", "app: "+name,
		"templateName: rampguard", "templateName: "+analysis)
	rollouts := c.argo.ArgoprojV1alpha1().Rollouts("prod")
	if _, err := rollouts.Create(ctx, &r, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, name+" runs its first version", time.Minute, func() bool {
		got, err := rollouts.Get(ctx, name, metav1.GetOptions{})
		return err == nil && got.Status.Phase == v1alpha1.RolloutPhaseHealthy && got.Status.StableRS != ""
	})
}

// release brings a new version.
func (c *cluster) release(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	rollouts := c.argo.ArgoprojV1alpha1().Rollouts("prod")
	until(t, name+" has a new version", 20*time.Second, func() bool {
		r, err := rollouts.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false
		}
		r.Spec.Template.Spec.Containers[0].Env[0].Value = "v8"
		_, err = rollouts.Update(ctx, r, metav1.UpdateOptions{})
		return err == nil
	})
}

// killPlugins kills the plugins of a controller, which has to start them again.
func killPlugins(t *testing.T, controller *process) {
	children, err := exec.Command("pgrep", "-P", strconv.Itoa(controller.cmd.Process.Pid)).Output()
	if err != nil {
		t.Errorf("the controller has no plugins: %v", err)
	}
	for child := range strings.FieldsSeq(string(children)) {
		pid, err := strconv.Atoi(child)
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err != nil {
			t.Error(err)
		}
		t.Logf("killed a plugin of the controller")
	}
}

// judge posts the evidence of the analysis when it has begun, and then that of the
// step. The plugins crash before.
func (c *cluster) judge(ctx context.Context, t *testing.T, g *gate, name, metric, step string, crash func()) error {
	rollouts := c.argo.ArgoprojV1alpha1().Rollouts("prod")
	for _, at := range []struct {
		what, outcome string
		begun         func(*v1alpha1.Rollout) bool
	}{
		{"the analysis", metric, func(r *v1alpha1.Rollout) bool { return r.Status.Canary.CurrentStepAnalysisRunStatus != nil }},
		{"the step", step, func(r *v1alpha1.Rollout) bool { return len(r.Status.Canary.StepPluginStatuses) > 0 }},
	} {
		if at.outcome == "" {
			return nil
		}
		begun := false
		for end := time.Now().Add(2 * time.Minute); !begun; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(end) {
				return fmt.Errorf("%s has not begun", at.what)
			}
			r, err := rollouts.Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if begun = at.begun(r); begun {
				time.Sleep(time.Second) // let it ask once before there is evidence
				crash()
				said := g.look(t, name+"-"+r.Status.CurrentPodHash, at.outcome)
				t.Logf("evidence: %-12s at %-12s -> %s", name, at.what, said)
			}
		}
	}
	return nil
}

// report logs the last measurements.
func (c *cluster) report(t *testing.T, ctx context.Context) {
	runs, err := c.argo.ArgoprojV1alpha1().AnalysisRuns("prod").List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs.Items {
		for _, m := range r.Status.MetricResults {
			if n := len(m.Measurements); n > 0 {
				t.Logf("analysis: %s -> %s, value %q, server %s", r.Name, r.Status.Phase, m.Measurements[n-1].Value, m.Metadata["server"])
			}
		}
	}
}
