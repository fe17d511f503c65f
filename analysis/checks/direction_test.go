package checks_test

import (
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// A policy that calls a lower AUC better would roll back the better model.
func TestPolicyRefusesTheWrongDirection(t *testing.T) {
	for entry, ok := range map[string]bool{
		"{check: guardrail, metric: auc, direction: lower, margin: 2pp}":        false,
		"{check: guardrail, metric: log_loss, direction: higher, margin: 2%}":   false,
		"{check: guardrail, metric: auc, direction: higher, margin: 2pp}":       true,
		"{check: guardrail, metric: mean_score, direction: lower, margin: 2pp}": true,
	} {
		policy := "version: 1\ncolumns: {score: score, label: label}\nchecks:\n  - " + entry + "\n"
		_, err := analysis.LoadPolicy("policy.yaml", []byte(policy), checks.Builtin())
		switch {
		case ok && err != nil:
			t.Errorf("%s: %v", entry, err)
		case !ok && (err == nil || !strings.Contains(err.Error(), "policy.yaml:4:") || !strings.Contains(err.Error(), "direction")):
			t.Errorf("%s: error %v, want one that names the line and the direction", entry, err)
		}
	}
}
