package checks_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats/statstest"
)

// taskPolicy is a policy of one task with a guardrail for each metric, which only
// has a bound that nothing breaks.
func taskPolicy(t *testing.T, task, columns string, metrics ...string) *analysis.Policy {
	t.Helper()
	var sb strings.Builder
	fmt.Fprintf(&sb, "version: 1\ntask: %s\nlooks: once\ncolumns: %s\nchecks:\n", task, columns)
	for _, m := range metrics {
		fmt.Fprintf(&sb, "  - {check: guardrail, metric: %s, bounds: {pause: 1000000}, min_units: 1}\n", m)
	}
	p, err := analysis.LoadPolicy("task.yaml", []byte(sb.String()), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// valuesOf runs all guardrails of the policy on one log and returns the values.
func valuesOf(t *testing.T, p *analysis.Policy, log table) []float64 {
	t.Helper()
	return valuesIn(t, p, collect(t, p, log))
}

func valuesIn(t *testing.T, p *analysis.Policy, s *analysis.Snapshot) []float64 {
	t.Helper()
	var out []float64
	for _, e := range p.Checks {
		fs, err := e.Check.Run(evidence(p, s, s))
		if err != nil {
			t.Fatal(err)
		}
		if len(fs) != 1 {
			t.Fatalf("%d findings: %+v", len(fs), fs)
		}
		v := math.NaN()
		for _, d := range fs[0].Details {
			if d.Name == "candidate" {
				v = float64(d.Value)
			}
		}
		if math.IsNaN(v) {
			t.Fatalf("no value: %s", fs[0].Message)
		}
		out = append(out, v)
	}
	return out
}

func TestTaskMetricsReference(t *testing.T) {
	ref := statstest.Load(t, "task_metrics")
	near := func(t *testing.T, c statstest.Case, names []string, got []float64) {
		for i, name := range names {
			statstest.Near(t, name, got[i], statstest.Float(t, c.Want, name), c.RTol, c.ATol)
		}
	}
	for _, c := range ref.ByFunc(t, "binary") {
		t.Run(c.Name, func(t *testing.T) {
			names := []string{"accuracy", "precision", "recall", "false_positive_rate"}
			var with []string
			for _, m := range names {
				with = append(with, fmt.Sprintf("%s, threshold: %v", m, statstest.Float(t, c.In, "threshold")))
			}
			p := taskPolicy(t, "binary", "{score: p, label: y}", with...)
			near(t, c, names, valuesOf(t, p, table{"p": statstest.Floats(t, c.In, "score"), "y": statstest.Floats(t, c.In, "label")}))
		})
	}
	for _, c := range ref.ByFunc(t, "regression") {
		t.Run(c.Name, func(t *testing.T) {
			names := []string{"mae", "mse", "rmse", "r2", "bias", "quantile_loss", "coverage"}
			p := taskPolicy(t, "regression", "{score: p, label: y}", "mae", "mse", "rmse", "r2", "bias, direction: lower", "quantile_loss, q: 0.9", "coverage, lower: lo, upper: hi")
			log := table{"p": statstest.Floats(t, c.In, "score"), "y": statstest.Floats(t, c.In, "label"), "lo": statstest.Floats(t, c.In, "lower"), "hi": statstest.Floats(t, c.In, "upper")}
			near(t, c, names, valuesOf(t, p, log))
		})
	}
	for _, c := range ref.ByFunc(t, "multiclass") {
		t.Run(c.Name, func(t *testing.T) {
			var labels, classes []string
			var rows [][]float64
			statstest.Decode(t, c.In, "label", &labels)
			statstest.Decode(t, c.In, "classes", &classes)
			statstest.Decode(t, c.In, "p", &rows)
			log := table{"y": labels}
			var sb strings.Builder
			for k, class := range classes {
				p := make([]float64, len(rows))
				for i := range rows {
					p[i] = rows[i][k]
				}
				log["p_"+class] = p
				fmt.Fprintf(&sb, "%s: p_%s, ", class, class)
			}
			names := []string{"accuracy", "log_loss", "brier", "macro_f1"}
			p := taskPolicy(t, "multiclass", fmt.Sprintf("{label: y, classes: {%s}}", strings.TrimSuffix(sb.String(), ", ")), names...)
			near(t, c, names, valuesOf(t, p, log))
		})
	}
}

// TestTaskMetricsOfFlights: the same on the real logs.
func TestTaskMetricsOfFlights(t *testing.T) {
	ref := statstest.Load(t, "task_metrics")
	l := newLogs(t)
	for task, metrics := range map[string][]string{
		"flights":        {"accuracy", "precision", "recall", "false_positive_rate"},
		"flights number": {"mae", "mse", "rmse", "bias", "quantile_loss"},
	} {
		for _, c := range ref.ByFunc(t, task) {
			var with []string
			kind := "regression"
			for _, m := range metrics {
				switch m {
				case "bias":
					m += ", direction: lower"
				case "quantile_loss":
					m += ", q: 0.9"
				}
				if task == "flights" {
					kind = "binary"
					m = fmt.Sprintf("%s, threshold: %v", m, statstest.Float(t, c.In, "threshold"))
				}
				with = append(with, m)
			}
			p := taskPolicy(t, kind, "{score: score, label: label}", with...)
			var arm string
			statstest.Decode(t, c.In, "arm", &arm)
			got := valuesIn(t, p, l.arm(t, p, "flights", arm))
			for i, name := range metrics {
				statstest.Near(t, c.Name+": "+name, got[i], statstest.Float(t, c.Want, name), c.RTol, c.ATol)
			}
		}
	}
}

// TestRegressionSeesWorseErrors plants errors a fifth larger, and none.
func TestRegressionSeesWorseErrors(t *testing.T) {
	const file = `version: 1
task: regression
looks: once
columns: {score: p, label: y}
slices: [country]
checks:
  - {check: guardrail, metric: mae, margin: 5%, severity: rollback}
  - {check: guardrail, metric: rmse, margin: 5%, severity: rollback}
  - {check: guardrail, metric: r2, margin: 20pp, severity: rollback}
  - {check: slices, metric: mae, margin: 10%, severity: pause}
`
	bad := strings.Replace(file, "20pp", "0.2", 1)
	p, err := analysis.LoadPolicy("r.yaml", []byte(bad), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	log := func(spread, inDE float64) table {
		const n = 20000
		y, pred, country := make([]float64, n), make([]float64, n), make([]string, n)
		for i := range y {
			country[i] = []string{"DE", "FR", "IT"}[i%3]
			s := spread
			if country[i] == "DE" {
				s *= inDE
			}
			pred[i] = rng.NormFloat64()
			y[i] = pred[i] + s*rng.NormFloat64()
		}
		return table{"p": pred, "y": y, "country": country}
	}
	base := collect(t, p, log(0.5, 1))
	for _, c := range []struct {
		name         string
		spread, inDE float64
		want         map[string]analysis.Outcome
	}{
		{"sound", 0.5, 1, map[string]analysis.Outcome{"mae": analysis.Pass, "rmse": analysis.Pass, "r2": analysis.Pass, "mae DE": analysis.Pass, "mae FR": analysis.Pass}},
		{"worse", 0.6, 1, map[string]analysis.Outcome{"mae": analysis.Harm, "rmse": analysis.Harm, "r2": analysis.Pass, "mae DE": analysis.Harm, "mae FR": analysis.Harm}},
		{"worse in one", 0.5, 1.3, map[string]analysis.Outcome{"mae DE": analysis.Harm, "mae FR": analysis.Pass}},
	} {
		cand := collect(t, p, log(c.spread, c.inDE))
		got := map[string]analysis.Outcome{}
		for _, e := range p.Checks {
			fs, err := e.Check.Run(evidence(p, base, cand))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range fs {
				if name := strings.TrimSpace(f.Metric + " " + f.Slice["country"]); f.Code == "margin" {
					got[name] = f.Outcome
				}
			}
		}
		for name, want := range c.want {
			if got[name] != want {
				t.Errorf("%s: %s is %v, want %v", c.name, name, got[name], want)
			}
		}
	}
}

// TestMulticlassSeesAWorseClass loses recall in one class only: the slice of that
// class is harmed, no other is.
func TestMulticlassSeesAWorseClass(t *testing.T) {
	const file = `version: 1
task: multiclass
looks: once
columns: {label: y, prediction: guess}
slices: [y]
checks:
  - {check: guardrail, metric: accuracy, margin: 10pp, severity: rollback}
  - {check: guardrail, metric: macro_f1, margin: 3pp, severity: rollback}
  - {check: slices, metric: accuracy, margin: 5pp, severity: pause}
`
	p, err := analysis.LoadPolicy("m.yaml", []byte(file), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	log := func(cows float64) table {
		const n = 20000
		y, guess := make([]string, n), make([]string, n)
		names := []string{"cat", "cow", "dog"}
		for i := range y {
			y[i] = names[rng.IntN(3)]
			right := 0.9
			if y[i] == "cow" {
				right = cows
			}
			guess[i] = y[i]
			if rng.Float64() > right {
				guess[i] = names[rng.IntN(3)]
			}
		}
		return table{"y": y, "guess": guess}
	}
	base, cand := collect(t, p, log(0.9)), collect(t, p, log(0.7))
	want := map[string]analysis.Outcome{"accuracy": analysis.Pass, "macro_f1": analysis.Harm, "accuracy cow": analysis.Harm, "accuracy cat": analysis.Pass, "accuracy dog": analysis.Pass}
	for _, e := range p.Checks {
		fs, err := e.Check.Run(evidence(p, base, cand))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fs {
			name := strings.TrimSpace(f.Metric + " " + f.Slice["y"])
			if w, ok := want[name]; ok && f.Code == "margin" && f.Outcome != w {
				t.Errorf("%s is %v, want %v: %s", name, f.Outcome, w, f.Message)
			}
		}
	}
}

func TestTaskMetricsRefuseTheWrongTask(t *testing.T) {
	for want, c := range map[string][3]string{
		"is for a regression":              {"binary", "{score: p, label: y}", "mae"},
		"is for a multiclass task":         {"binary", "{score: p, label: y}", "macro_f1"},
		"is for a binary task":             {"regression", "{score: p, label: y}", "recall"},
		"needs columns.label, the number":  {"regression", "{score: p}", "mse"},
		"add lower: and upper:":            {"regression", "{score: p, label: y}", "coverage"},
		"only the metric coverage":         {"regression", "{score: p, label: y}", "mae, lower: a"},
		"not between 0 and 1":              {"regression", "{score: p, label: y}", "quantile_loss"},
		"needs columns.label and columns":  {"multiclass", "{label: y}", "accuracy"},
		"a probability for each class":     {"multiclass", "{label: y, prediction: g}", "log_loss"},
		"only a multiclass task predicts":  {"binary", "{score: p, label: y, prediction: g}", "accuracy"},
		"only a multiclass task has":       {"binary", "{score: p, label: y, classes: {a: x, b: z}}", "accuracy"},
		"already holds the probability of": {"multiclass", "{label: y, classes: {a: x, b: x}}", "accuracy"},
		"computed from the columns":        {"regression", "{score: p, label: y}", "mae, column: p"},
	} {
		file := fmt.Sprintf("version: 1\ntask: %s\nlooks: once\ncolumns: %s\nchecks:\n  - {check: guardrail, metric: %s, bounds: {pause: 1}}\n", c[0], c[1], c[2])
		if _, err := analysis.LoadPolicy("p.yaml", []byte(file), checks.Builtin()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want one with %q", c, err, want)
		}
	}
}
