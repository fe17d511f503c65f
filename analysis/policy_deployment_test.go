package analysis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
)

// deploymentWith is a deployment file with one metric.
func deploymentWith(metric, threshold string) string {
	return fmt.Sprintf(`deployment:
  strategy: canary
  stages:
    - {name: canary, weight: 1%%, duration: 1h, promotion: {analysis: {metrics: [{name: %s, threshold: %s}]}}}
    - {name: full, weight: 100}
`, metric, threshold)
}

// TestDeploymentThresholds: what each metric becomes, and the spellings of its
// threshold that mean the same.
func TestDeploymentThresholds(t *testing.T) {
	for _, c := range []struct {
		metric     string
		thresholds []string
		guardrail  string
		columns    string
	}{
		{"error-rate", []string{"5", "5.0", "5%", `"5"`}, "metric: mean, column: error, direction: lower, bounds: {rollback: 0.05}", ""},
		{"error-rate", []string{"0.1", "0.1%"}, "metric: mean, column: error, direction: lower, bounds: {rollback: 0.001}", ""},
		{"latency-p99", []string{"250", "250ms", "0.25s"}, "metric: quantile, column: latency_ms, q: 0.99, direction: lower, bounds: {rollback: 250}", ""},
		{"accuracy", []string{"0.95", "95", "95%"}, "metric: accuracy, direction: higher, bounds: {rollback: 0.95}", "columns: {score: score, label: label}"},
	} {
		native := mustLoad(t, "version: 1\n"+c.columns+"\nchecks: [{check: guardrail, severity: rollback, "+c.guardrail+"}]\n"+
			"stages: [{name: canary, weight: 1, duration: 1h}, {name: full, weight: 100}]")
		for _, threshold := range c.thresholds {
			if got := mustLoad(t, deploymentWith(c.metric, threshold)); got.Digest != native.Digest {
				t.Errorf("%s: %s is not %s", c.metric, threshold, c.guardrail)
			}
		}
	}
	for metric, thresholds := range map[string][]string{
		"error-rate":  {"-1", "101", "5x", "5pp", "low", "[5]"},
		"latency-p99": {"0", "-5", "5%", "-5ms", "{max: 5}"},
		"accuracy":    {"0", "101", "95pp", "2x", "high"},
	} {
		for _, threshold := range thresholds {
			_, err := analysis.LoadPolicy("d.yaml", []byte(deploymentWith(metric, threshold)), testRegistry())
			if err == nil || !strings.Contains(err.Error(), "metrics: threshold") {
				t.Errorf("%s: %s: LoadPolicy = %v, want a fault of the threshold", metric, threshold, err)
			}
		}
	}
}

// TestDeploymentBesideAPolicy: the other keys of a policy add to a deployment.
func TestDeploymentBesideAPolicy(t *testing.T) {
	p := mustLoad(t, deploymentWith("accuracy", "0.9")+`
version: 1
columns: {score: p, label: fraud, unit: id}
checks: [{check: srm}]
`)
	if len(p.Checks) != 2 || p.Columns.Score != "p" || p.Columns.Label != "fraud" || len(p.Stages) != 2 {
		t.Errorf("LoadPolicy = %+v, want both checks, the named columns and the stages of the deployment", p)
	}
	_, err := analysis.LoadPolicy("d.yaml", []byte(deploymentWith("accuracy", "0.9")+"checks: [{check: guardrail, metric: accuracy, direction: higher, margin: 1pp}]"), testRegistry())
	want := "d.yaml:6:10: check guardrail: the check of line 4 looks at the same; keep one, and give it all the limits"
	if err == nil || err.Error() != want {
		t.Errorf("LoadPolicy of a metric given twice = %v, want %s", err, want)
	}
}
