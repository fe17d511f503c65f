package checks_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

// TestGauge: each limit is held against the newest value.
func TestGauge(t *testing.T) {
	lower, higher := stats.LowerIsBetter, stats.HigherIsBetter
	both := checks.Limits{Pause: plain(80), Rollback: plain(90)}
	for _, tc := range []struct {
		name       string
		g          checks.Gauge
		base, cand any
		code       string
		want       analysis.Outcome
	}{
		{"within", checks.Gauge{Direction: lower, Bounds: both}, nil, 70, "pause_bound", analysis.Pass},
		{"at the limit", checks.Gauge{Direction: lower, Bounds: both}, nil, 80, "pause_bound", analysis.Pass},
		{"above one", checks.Gauge{Direction: lower, Bounds: both}, nil, 85, "pause_bound", analysis.Harm},
		{"not above the other", checks.Gauge{Direction: lower, Bounds: both}, nil, 85, "rollback_bound", analysis.Pass},
		{"zero allowed", checks.Gauge{Direction: lower, Bounds: checks.Limits{Pause: plain(0)}}, nil, 0, "pause_bound", analysis.Pass},
		{"too low", checks.Gauge{Direction: higher, Bounds: checks.Limits{Rollback: plain(0.9)}}, nil, 0.8, "rollback_bound", analysis.Harm},
		{"high enough", checks.Gauge{Direction: higher, Bounds: checks.Limits{Rollback: plain(0.9)}}, nil, 0.95, "rollback_bound", analysis.Pass},
		{"multiple", checks.Gauge{Direction: lower, Relative: checks.Limits{Pause: ratio(2)}}, 10, 25, "pause_ratio", analysis.Harm},
		{"no multiple", checks.Gauge{Direction: lower, Relative: checks.Limits{Pause: ratio(2)}}, 10, 15, "pause_ratio", analysis.Pass},
		{"half", checks.Gauge{Direction: higher, Relative: checks.Limits{Pause: ratio(0.5)}}, 10, 4, "pause_ratio", analysis.Harm},
		{"of nothing", checks.Gauge{Direction: lower, Relative: checks.Limits{Pause: ratio(2)}}, 0, 4, "no_ratio", analysis.Inconclusive},
		{"no baseline", checks.Gauge{Direction: lower, Relative: checks.Limits{Pause: ratio(2)}}, nil, 4, "no_data", analysis.NoData},
		{"missing", checks.Gauge{Direction: lower, Bounds: both}, nil, nil, "no_data", analysis.NoData},
		{"NaN", checks.Gauge{Direction: lower, Bounds: both}, nil, math.NaN(), "no_data", analysis.NoData},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := tc.g
			g.Of = "load"
			p := policy(analysis.Continuous, g)
			ev := evidence(p, provided(t, p, window(0, tc.base, nil)), provided(t, p, window(0, tc.cand, nil)))
			fs, err := g.Run(ev)
			if err != nil {
				t.Fatal(err)
			}
			f := only(t, fs, tc.code)
			is(t, f, tc.want)
			if judged := f.Outcome == analysis.Pass || f.Outcome == analysis.Harm; judged && (f.Hysteresis.K != 3 || f.Window != noon.Add(time.Minute)) {
				t.Errorf("rule %+v, window %v", f.Hysteresis, f.Window)
			}
		})
	}
}

// TestGaugeInAPolicy: one bad window is no harm, three of five are, and three good
// ones end it.
func TestGaugeInAPolicy(t *testing.T) {
	p, err := analysis.LoadPolicy("p.yaml", []byte(`version: 1
checks:
  - {check: gauge, of: load, direction: lower, bounds: {pause: 80}, breach: {k: 2, of: 3}, clear: 2}
`), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	var state *analysis.State
	cand := provided(t, p)
	for i, tc := range []struct {
		value float64
		want  analysis.Outcome
	}{{70, analysis.Insufficient}, {90, analysis.Inconclusive}, {91, analysis.Harm}, {70, analysis.Harm}, {70, analysis.Pass}} {
		m := window(i, tc.value, nil)
		m.Metric = "load"
		if err := cand.AddMeasurement(m); err != nil {
			t.Fatal(err)
		}
		v, err := analysis.Evaluate(p, provided(t, p), cand, state, noon.Add(time.Duration(i+1)*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		state = &v.State
		for _, f := range v.Findings {
			if f.Check == "gauge" && f.Outcome != tc.want {
				t.Errorf("window %d: %v, want %v: %s", i, f.Outcome, tc.want, f.Message)
			}
		}
	}
}

// TestGaugeMisuse: settings that make no sense, in Go and in a file.
func TestGaugeMisuse(t *testing.T) {
	lower := stats.LowerIsBetter
	limits := checks.Limits{Pause: plain(1)}
	for _, g := range []checks.Gauge{
		{Direction: lower, Bounds: limits},
		{Of: "m", Bounds: limits},
		{Of: "m", Direction: lower},
		{Of: "m", Direction: lower, Bounds: limits, Breach: analysis.Hysteresis{K: 3, Of: 2}},
		{Of: "m", Direction: lower, Bounds: limits, Breach: analysis.Hysteresis{K: -1}},
		{Of: "m", Direction: lower, Bounds: checks.Limits{Pause: ratio(2)}},
		{Of: "m", Direction: lower, Bounds: checks.Limits{Pause: points(2)}},
		{Of: "m", Direction: lower, Relative: checks.Limits{Pause: ratio(0.5)}},
	} {
		if fs, err := g.Run(&analysis.Evidence{}); err == nil {
			t.Errorf("%+v: %+v", g, fs)
		}
	}
	for entry, want := range map[string]string{
		"{check: gauge, direction: lower, bounds: {pause: 1}}":                                        "add of:",
		"{check: gauge, of: m, bounds: {pause: 1}}":                                                   "add direction",
		"{check: gauge, of: m, direction: lower}":                                                     "add bounds or relative",
		"{check: gauge, of: m, direction: lower, bounds: {pause: 1}, breach: {k: 0}}":                 "is no rule",
		"{check: gauge, of: m, direction: lower, bounds: {pause: 1}, breach: {k: 3, of: 2}}":          "do not fit",
		"{check: gauge, of: m, direction: lower, bounds: {pause: 1}, clear: 100000}":                  "1000 at most",
		"{check: gauge, of: m, direction: lower, relative: {pause: 0.5x}}":                            "below the baseline",
		"{check: gauge, of: m, direction: lower, bounds: {rollback: 1}, severity: pause}":             "rolls back",
		"{check: guardrail, metric: ratio, direction: lower, margin: 1pp}":                            "add of:",
		"{check: guardrail, metric: accuracy, of: m, margin: 1pp}":                                    "computed from a log",
		"{check: guardrail, metric: mean, of: m, column: c, direction: lower, margin: 1%}":            "leave column or of out",
		"{check: guardrail, metric: rate, of: m, direction: lower, margin: 1pp}":                      "needs a threshold",
		"{check: guardrail, metric: count_rate, of: m, direction: lower, margin: 1pp}":                "not a share",
		"{check: guardrail, metric: ratio, of: m, direction: lower, margin: 1pp, baseline: absolute}": "bounds",
		"{check: srm, baseline: previous_window}":                                                     "served at the same time",
	} {
		_, err := analysis.LoadPolicy("p.yaml", []byte("version: 1\nchecks:\n  - "+entry+"\n"), checks.Builtin())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
	for _, entry := range []string{
		"{check: gauge, of: m, direction: lower, relative: {rollback: 2x}, cooldown: 10m}",
		"{check: guardrail, metric: ratio, of: m, direction: lower, bounds: {pause: 1%, rollback: 5%}}",
		"{check: guardrail, metric: count_rate, of: m, direction: lower, margin: 20%}",
		"{check: guardrail, metric: quantile, q: 0.99, of: m, direction: lower, relative: {rollback: 2x}}",
		"{check: guardrail, metric: rate, threshold: 100, of: m, direction: lower, margin: 1pp}",
		"{check: guardrail, metric: mean, of: m, direction: lower, margin: 2%}",
		"{check: srm, of: m}",
	} {
		if _, err := analysis.LoadPolicy("p.yaml", []byte("version: 1\nchecks:\n  - "+entry+"\n"), checks.Builtin()); err != nil {
			t.Errorf("%s: %v", entry, err)
		}
	}
}
