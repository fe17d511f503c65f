package checks_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats"
)

// load reads a policy with one check entry.
func load(entry string) (*analysis.Policy, error) {
	return analysis.LoadPolicy("p.yaml", []byte(`version: 1
model: {name: m, baseline: v1, candidate: v2}
task: binary
columns: {score: score, label: label, unit: id, action: action, features: [amount, country]}
split: {baseline: 0.5, candidate: 0.5}
actions: {version: "1", rules: [{name: block, at_least: 0.9}, {name: allow}]}
checks:
  - `+entry+"\n"), checks.Builtin())
}

// TestBuilders: entries and the checks that they stand for.
func TestBuilders(t *testing.T) {
	for _, tc := range []struct {
		entry    string
		want     analysis.Check
		severity analysis.Severity
	}{
		{"{check: schema}", checks.Schema{}, analysis.SeverityPause},
		{"{check: schema, max_nulls: 10pp, max_score_nulls: 0.2%}", checks.Schema{MaxNulls: 0.1, MaxScoreNulls: 0.002}, analysis.SeverityPause},
		{"{check: srm}", checks.SRM{}, analysis.SeverityPause},
		{"{check: srm, floor: 1%, max_shared: 2%}", checks.SRM{Floor: 0.01, MaxShared: 0.02}, analysis.SeverityPause},
		{"{check: drift}", checks.Drift{Metric: checks.PSIEquivalent}, analysis.SeverityWarn},
		{"{check: drift, column: all}", checks.Drift{Metric: checks.PSIEquivalent}, analysis.SeverityWarn},
		{"{check: drift, column: score, metric: psi, warn: 0.1, fail: 0.25, severity: pause}", checks.Drift{Column: "score", Metric: checks.PSI, Warn: 0.1, Fail: 0.25}, analysis.SeverityPause},
		{"{check: drift, column: amount, metric: ks, fail: 20%, cells: 12}", checks.Drift{Column: "amount", Metric: checks.KS, Fail: 0.2, Cells: 12}, analysis.SeverityWarn},
		{"{check: collapse}", checks.Collapse{Column: "score"}, analysis.SeverityRollback},
		{"{check: collapse, column: amount, spike: 20pp, repetition: 5x, variance_fail: 9}", checks.Collapse{Column: "amount", Limits: drift.CollapseOptions{Spike: 0.2, Repetition: 5, VarianceFail: 9}}, analysis.SeverityRollback},
		{"{check: actions}", checks.Actions{MinUnits: 50}, analysis.SeverityPause},
		{"{check: actions, margin: 3pp, irreversible: 1pp, min_units: 200}", checks.Actions{Margin: *points(0.03), Irreversible: *points(0.01), MinUnits: 200}, analysis.SeverityPause},
		{"{check: guardrail, metric: log_loss, margin: 2%}", checks.Guardrail{Metric: checks.LogLoss, Column: "score", Margin: relative(0.02), MinUnits: 50}, analysis.SeverityRollback},
		{"{check: guardrail, metric: accuracy, direction: higher, margin: 1pp}", checks.Guardrail{Metric: checks.Accuracy, Column: "score", Threshold: 0.9, Direction: stats.HigherIsBetter, Margin: points(0.01), MinUnits: 50}, analysis.SeverityRollback},
		{"{check: guardrail, metric: positive_rate, threshold: 0.3, direction: lower, margin: 1pp, planned: 4000, min_units: 100}", checks.Guardrail{Metric: checks.PositiveRate, Column: "score", Threshold: 0.3, Direction: stats.LowerIsBetter, Margin: points(0.01), MinUnits: 100, Planned: 4000}, analysis.SeverityRollback},
		{"{check: guardrail, metric: label_rate, direction: lower, margin: 1pp}", checks.Guardrail{Metric: checks.LabelRate, Column: "label", Direction: stats.LowerIsBetter, Margin: points(0.01), MinUnits: 50}, analysis.SeverityRollback},
		{"{check: guardrail, metric: mean, column: amount, direction: lower, bounds: {pause: 1%}}", checks.Guardrail{Metric: checks.Mean, Column: "amount", Direction: stats.LowerIsBetter, Bounds: checks.Limits{Pause: relative(0.01)}, MinUnits: 50}, analysis.SeverityPause},
		{"{check: guardrail, metric: quantile, column: ms, q: 0.99, direction: lower, relative: {rollback: 2x}}", checks.Guardrail{Metric: checks.Quantile, Column: "ms", Q: 0.99, Direction: stats.LowerIsBetter, Relative: checks.Limits{Rollback: ratio(2)}, MinUnits: 50}, analysis.SeverityRollback},
		{"{check: guardrail, metric: rate, column: ms, threshold: 200, direction: lower, margin: 0.01}", checks.Guardrail{Metric: checks.Rate, Column: "ms", Threshold: 200, Direction: stats.LowerIsBetter, Margin: plain(0.01), MinUnits: 50}, analysis.SeverityRollback},
	} {
		p, err := load(tc.entry)
		if err != nil {
			t.Error(err)
			continue
		}
		if d := cmp.Diff(tc.want, p.Checks[0].Check); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.entry, d)
		}
		if p.Checks[0].Severity != tc.severity {
			t.Errorf("%s has severity %v", tc.entry, p.Checks[0].Severity)
		}
		if _, err := p.Spec(); err != nil {
			t.Errorf("%s: %v", tc.entry, err)
		}
	}
}

// TestBuildersRefuse: faults are named at their place, with a way out.
func TestBuildersRefuse(t *testing.T) {
	for entry, want := range map[string]string{
		"{check: guardrail, margin: 2%}":                                                                    "p.yaml:8:5: check guardrail: a guardrail needs a metric: accuracy, precision",
		"{check: guardrail, metric: logloss, margin: 2%, q: 0.5, column: x}":                                `p.yaml:8:32: check guardrail: metric: unknown word "logloss"; did you mean log_loss?`,
		"{check: guardrail, metric: log_loss}":                                                              "nothing to hold log_loss against; add margin, bounds or relative",
		"{check: guardrail, metric: mean, column: x, margin: 2%}":                                           "metric mean may be good high or low; add direction",
		"{check: guardrail, metric: mean, direction: lower, margin: 2%}":                                    "metric mean needs a column",
		"{check: guardrail, metric: log_loss, margin: 2pp}":                                                 "p.yaml:8:50: check guardrail: margin: log_loss is not a share, so 2pp has no meaning",
		"{check: guardrail, metric: accuracy, margin: 2x}":                                                  "margin 2x is a ratio",
		"{check: guardrail, metric: accuracy, margin: -1%}":                                                 "margin -1% is negative",
		"{check: guardrail, metric: accuracy, threshold: 0, margin: 1pp}":                                   "every score is at least 0",
		"{check: guardrail, metric: auc, relative: {pause: 2x}}":                                            "relative limit 2x is not between 0x and 1x although high is good",
		"{check: guardrail, metric: brier, relative: {pause: 0.5x}}":                                        "is below the baseline although low is good",
		"{check: guardrail, metric: brier, relative: {pause: 10%}}":                                         "relative limit 10% is not a ratio",
		"{check: guardrail, metric: brier, bounds: {pause: 2x}}":                                            "bound 2x is a ratio",
		"{check: guardrail, metric: brier, bounds: {}}":                                                     "add pause, rollback or both",
		"{check: guardrail, metric: brier, bounds: {stop: 1}}":                                              "unknown key",
		"{check: guardrail, metric: quantile, column: x, direction: lower, margin: 1}":                      "the quantile 0 is not between 0 and 1; write 0.99 for p99",
		"{check: guardrail, metric: log_loss, column: amount, margin: 2%}":                                  "log_loss is computed from the column score; leave column out",
		"{check: guardrail, metric: mean, column: x, direction: lower, margin: 1, q: 0.5}":                  "unknown key q",
		"{check: guardrail, metric: mean, column: x, direction: down, margin: 1}":                           `unknown word "down"`,
		"{check: guardrail, metric: mean, column: x, direction: lower, margin: 2%, bounds: {rollback: 5x}}": "bound 5x is a ratio",
		"{check: schema, max_nulls: 2x}":                                                                    "2x is not a share between 0 and 1, such as 5pp",
		"{check: schema, nulls: 2%}":                                                                        "unknown key",
		"{check: srm, floor: 2}":                                                                            "2 is not a share",
		"{check: drift, metric: psy}":                                                                       `unknown word "psy"; did you mean psi?`,
		"{check: drift, warn: 0.5, fail: 0.1}":                                                              "the warning level 0.5 is above the limit fail: 0.1",
		"{check: drift, cells: 1}":                                                                          "1 cells; give 2 to 1000",
		"{check: drift, warn: 10pp}":                                                                        "10pp has a unit that psi_equivalent does not have",
		"{check: drift, warn: 0}":                                                                           "0 is not above 0",
		"{check: collapse, repetition: 0.5x}":                                                               "0.5x is not a factor above 1",
		"{check: collapse, variance_warn: 9}":                                                               "the limits do not fit together",
		"{check: actions, margin: 5%}":                                                                      "5% is not a change of a share",
	} {
		_, err := load(entry)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
}

// TestBuildersNeedColumns: what a check looks at has to be named.
func TestBuildersNeedColumns(t *testing.T) {
	const head = "version: 1\nmodel: {name: m, baseline: v1, candidate: v2}\nchecks:\n  - "
	for entry, want := range map[string]string{
		"{check: collapse}": "no column to look at",
		"{check: drift}":    "no column to compare",
		"{check: actions}":  "no actions to compare",
		"{check: guardrail, metric: auc, margin: 2pp}":                                     "auc needs the score column",
		"{check: guardrail, metric: label_rate, direction: lower, margin: 2pp}":            "label_rate needs the label column",
		"{check: guardrail, metric: accuracy, margin: 2pp}\ncolumns: {score: s}":           "accuracy needs labels",
		"{check: guardrail, metric: brier, margin: 0.1}\ntask: regression":                 "brier is for a binary task, this one is regression",
		"{check: guardrail, metric: positive_rate, direction: lower, margin: 1pp}\n":       "positive_rate needs the score column",
		"{check: guardrail, metric: mean_score, direction: lower, margin: 1}\ncolumns: {}": "mean_score needs the score column",
	} {
		_, err := analysis.LoadPolicy("p.yaml", []byte(head+entry+"\n"), checks.Builtin())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
}

// TestBuiltinIsNew: a program may change its registry.
func TestBuiltinIsNew(t *testing.T) {
	r := checks.Builtin()
	delete(r, "srm")
	if checks.Builtin()["srm"] == nil {
		t.Error("registries share a map")
	}
}
