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

var noon = time.Date(2025, 11, 3, 12, 0, 0, 0, time.UTC)

// window is one window of a metric; a nil total or count is one that the provider
// did not bring.
func window(i int, total, count any) analysis.Measurement {
	m := analysis.Measurement{Start: noon.Add(time.Duration(i) * time.Minute), End: noon.Add(time.Duration(i+1) * time.Minute)}
	for dst, v := range map[**float64]any{&m.Total: total, &m.Count: count} {
		switch v := v.(type) {
		case float64:
			*dst = &v
		case int:
			x := float64(v)
			*dst = &x
		}
	}
	return m
}

func withSquares(m analysis.Measurement, squares float64) analysis.Measurement {
	m.Squares = &squares
	return m
}

func buckets(i int, counts ...uint64) analysis.Measurement {
	m := window(i, nil, nil)
	m.Edges, m.Buckets = []float64{10, 50, 100, 200}, counts
	return m
}

// provided is a snapshot of windows of the only metric of a policy.
func provided(t testing.TB, p *analysis.Policy, windows ...analysis.Measurement) *analysis.Snapshot {
	t.Helper()
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	s := analysis.NewSnapshot(spec)
	for _, m := range windows {
		m.Metric = spec.Metrics[0].Name
		if err := s.AddMeasurement(m); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestProviderMetrics: metrics of every kind pass, harm, and wait.
func TestProviderMetrics(t *testing.T) {
	lower := stats.LowerIsBetter
	one := func(m analysis.Measurement) []analysis.Measurement { return []analysis.Measurement{m} }
	mean := func(n, mean, sd float64) []analysis.Measurement {
		return one(withSquares(window(0, n*mean, n), n*(mean*mean+sd*sd)))
	}
	for _, tc := range []struct {
		name            string
		g               checks.Guardrail
		base, ok, worse []analysis.Measurement
		code            string
	}{
		{"ratio, relative margin", checks.Guardrail{Metric: checks.Ratio, Margin: relative(0.5)}, one(window(0, 200, 20000)), one(window(0, 190, 20000)), one(window(0, 600, 20000)), "margin"},
		{"ratio, points", checks.Guardrail{Metric: checks.Ratio, Margin: points(0.01)}, one(window(0, 200, 20000)), one(window(0, 190, 20000)), one(window(0, 800, 20000)), "margin"},
		{"ratio, bound", checks.Guardrail{Metric: checks.Ratio, Bounds: checks.Limits{Rollback: &analysis.Quantity{Value: 0.05, Unit: analysis.Relative}}}, nil, one(window(0, 190, 20000)), one(window(0, 1600, 20000)), "rollback_bound"},
		{"ratio, multiple", checks.Guardrail{Metric: checks.Ratio, Relative: checks.Limits{Rollback: ratio(2)}}, one(window(0, 200, 20000)), one(window(0, 190, 20000)), one(window(0, 900, 20000)), "rollback_ratio"},
		{"ratio in parts", checks.Guardrail{Metric: checks.Ratio, Margin: points(0.01)}, one(window(0, 200.4, 20000.3)), one(window(0, 190.7, 19999.9)), one(window(0, 800.5, 20000.2)), "margin"},
		{"mean", checks.Guardrail{Metric: checks.Mean, Margin: relative(0.1)}, mean(5000, 40, 20), mean(4000, 40.5, 20), mean(4000, 50, 22), "margin"},
		{"mean, bound", checks.Guardrail{Metric: checks.Mean, Bounds: checks.Limits{Pause: plain(45)}}, nil, mean(4000, 40.5, 20), mean(4000, 50, 22), "pause_bound"},
		{"count rate", checks.Guardrail{Metric: checks.CountRate, Margin: relative(0.5)}, one(window(0, 300, 36000)), one(window(0, 290, 36000)), one(window(0, 800, 36000)), "margin"},
		{"count rate, plain margin", checks.Guardrail{Metric: checks.CountRate, Margin: plain(0.003)}, one(window(0, 300, 36000)), one(window(0, 290, 36000)), one(window(0, 800, 36000)), "margin"},
		{"count rate, bound", checks.Guardrail{Metric: checks.CountRate, Bounds: checks.Limits{Rollback: plain(0.01)}}, nil, one(window(0, 200, 36000)), one(window(0, 600, 36000)), "rollback_bound"},
		{"count rate, multiple", checks.Guardrail{Metric: checks.CountRate, Relative: checks.Limits{Rollback: ratio(2)}}, one(window(0, 300, 36000)), one(window(0, 140, 18000)), one(window(0, 800, 18000)), "rollback_ratio"},
		{"quantile, bound at an edge", checks.Guardrail{Metric: checks.Quantile, Q: 0.9, Bounds: checks.Limits{Rollback: plain(100)}}, nil,
			one(buckets(0, 500, 4000, 400, 20, 10)), one(buckets(0, 500, 3000, 500, 600, 400)), "rollback_bound"},
		{"quantile, multiple", checks.Guardrail{Metric: checks.Quantile, Q: 0.9, Relative: checks.Limits{Rollback: ratio(10.5)}}, one(buckets(0, 4900, 10, 2, 0, 0)),
			one(buckets(0, 4900, 10, 2, 0, 0)), one(buckets(0, 100, 200, 300, 400, 5000)), "rollback_ratio"},
		{"share above an edge", checks.Guardrail{Metric: checks.Rate, Threshold: 100, Margin: points(0.02)}, one(buckets(0, 500, 4000, 400, 20, 10)),
			one(buckets(0, 500, 4000, 400, 22, 8)), one(buckets(0, 500, 3000, 500, 600, 400)), "margin"},
	} {
		g := tc.g
		g.Of, g.Direction = "m", lower
		for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous} {
			p := policy(looks, g)
			for want, cand := range map[analysis.Outcome][]analysis.Measurement{analysis.Pass: tc.ok, analysis.Harm: tc.worse} {
				if tc.name == "quantile, multiple" && want == analysis.Pass {
					want = analysis.Inconclusive // buckets leave a factor of ten open
				}
				ev := evidence(p, nil, provided(t, p, cand...))
				if tc.base != nil {
					ev.Baseline = provided(t, p, tc.base...)
				}
				t.Run(tc.name, func(t *testing.T) {
					f := only(t, runOn(t, g, ev), tc.code)
					is(t, f, want)
					if f.Column != "m" {
						t.Errorf("column %q", f.Column)
					}
					if parts := strings.Contains(tc.name, "parts"); parts != has(f, checks.WarnFractions) {
						t.Errorf("warnings %v", f.Warnings)
					}
				})
			}
		}
	}
}

// TestProviderGaps: nothing is not zero, and what cannot be is said.
func TestProviderGaps(t *testing.T) {
	g := checks.Guardrail{Metric: checks.Ratio, Of: "errors", Direction: stats.LowerIsBetter, Margin: points(0.02), Bounds: checks.Limits{Pause: plain(0.1)}}
	p := policy(analysis.Continuous, g)
	full := provided(t, p, window(0, 100, 10000))
	for _, tc := range []struct {
		name string
		cand *analysis.Snapshot
		code string
		want analysis.Outcome
	}{
		{"no snapshot", nil, "no_data", analysis.NoData},
		{"no window", provided(t, p), "no_data", analysis.NoData},
		{"missing only", provided(t, p, window(0, nil, nil), window(1, nil, 0)), "no_data", analysis.NoData},
		{"errors without requests", provided(t, p, window(0, 3, nil)), "no_data", analysis.NoData},
		{"no series of errors", provided(t, p, window(0, nil, 10000)), "margin", analysis.Pass},
		{"NaN", provided(t, p, window(0, math.NaN(), 10000)), "invalid_windows", analysis.Invalid},
		{"more errors than requests", provided(t, p, window(0, 10, 5), window(1, 100, 10000)), "invalid_windows", analysis.Invalid},
		{"negative", provided(t, p, window(0, -10, 500), window(1, 100, 10000)), "margin", analysis.Pass},
		{"too few", provided(t, p, window(0, 1, 10)), "margin", analysis.Insufficient},
	} {
		t.Run(tc.name, func(t *testing.T) {
			is(t, only(t, runOn(t, g, evidence(p, full, tc.cand)), tc.code), tc.want)
		})
	}
	f := only(t, runOn(t, g, evidence(p, full, provided(t, p, window(0, nil, nil), window(1, 100, 10000)))), "margin")
	is(t, f, analysis.Pass)
	if !has(f, checks.WarnMissing) {
		t.Errorf("missing windows are not mentioned: %v", f.Warnings)
	}
	fs := runOn(t, g, evidence(p, nil, full))
	is(t, only(t, fs, "no_data"), analysis.NoData)
	is(t, only(t, fs, "pause_bound"), analysis.Pass)
	is(t, only(t, runOn(t, g, evidence(p, full, collect(t, policy(analysis.Once), table{}))), "no_metric"), analysis.Invalid)
}

// TestProviderOpenBucket: a quantile beyond the last edge is at least that edge.
func TestProviderOpenBucket(t *testing.T) {
	g := checks.Guardrail{Metric: checks.Quantile, Q: 0.99, Of: "latency", Direction: stats.LowerIsBetter, Bounds: checks.Limits{Rollback: plain(200), Pause: plain(500)}}
	p := policy(analysis.Continuous, g)
	fs := runOn(t, g, evidence(p, nil, provided(t, p, buckets(0, 100, 100, 100, 100, 5000))))
	f := only(t, fs, "rollback_bound")
	is(t, f, analysis.Harm)
	if f.Estimate.Point < 200 || !math.IsInf(f.Estimate.Hi, 1) || !has(f, checks.WarnOpenEnd) {
		t.Errorf("estimate %v, warnings %v", f.Estimate, f.Warnings)
	}
	if f = only(t, fs, "pause_bound"); f.Outcome == analysis.Pass || f.Outcome == analysis.Harm {
		t.Errorf("%v although the value may be on either side of 500: %s", f.Outcome, f.Message)
	}
	g = checks.Guardrail{Metric: checks.Rate, Of: "latency", Threshold: 150, Direction: stats.LowerIsBetter, Bounds: checks.Limits{Pause: plain(0.1)}}
	p = policy(analysis.Continuous, g)
	is(t, only(t, runOn(t, g, evidence(p, nil, provided(t, p, buckets(0, 1, 2, 3, 4, 5)))), "no_edge"), analysis.Invalid)
}

// TestProviderStages: the metrics of providers add up like columns.
func TestProviderStages(t *testing.T) {
	lower := stats.LowerIsBetter
	for _, g := range []checks.Guardrail{
		{Metric: checks.Ratio, Margin: relative(0.3)}, {Metric: checks.CountRate, Margin: relative(0.3)},
	} {
		g.Of, g.Direction = "errors", lower
		for _, looks := range []analysis.LooksKind{analysis.Continuous, analysis.Scheduled} {
			p := ramp(looks, []float64{0.01, 0.5}, g)
			stage := func(name string, xb, nb, xc, nc float64) analysis.Stratum {
				return analysis.Stratum{Stage: name, Split: p.SplitOf(name), Baseline: provided(t, p, window(0, xb, nb)), Candidate: provided(t, p, window(0, xc, nc))}
			}
			for want, factor := range map[analysis.Outcome]float64{analysis.Pass: 1, analysis.Harm: 2} {
				ev := evidence(p, nil, nil)
				ev.Strata = []analysis.Stratum{stage("a", 990, 99000, math.Round(10*factor), 1000), stage("b", 2500, 50000, 2500*factor, 50000)}
				ev.Stage, ev.Split = "b", p.SplitOf("b")
				ev.Baseline, ev.Candidate = ev.Strata[1].Baseline, ev.Strata[1].Candidate
				f := only(t, runOn(t, g, ev), "margin")
				is(t, f, want)
				if d := f.Estimate.Point - (factor - 1); math.Abs(d) > 0.01 {
					t.Errorf("estimate %v, want %v", f.Estimate, factor-1)
				}
			}
		}
	}
}

// TestProviderMisuse: settings that do not fit together.
func TestProviderMisuse(t *testing.T) {
	lower := stats.LowerIsBetter
	for _, g := range []checks.Guardrail{
		{Metric: checks.Ratio, Direction: lower, Margin: points(0.1)},
		{Metric: checks.CountRate, Direction: lower, Margin: plain(0.1)},
		{Metric: checks.LogLoss, Of: "m", Margin: plain(0.1)},
		{Metric: checks.Mean, Of: "m", Column: "c", Direction: lower, Margin: plain(0.1)},
		{Metric: checks.CountRate, Of: "m", Direction: lower, Margin: points(0.1)},
	} {
		if fs, err := g.Run(evidence(policy(analysis.Once, g), nil, nil)); err == nil {
			t.Errorf("%+v: %+v", g, fs)
		}
	}
}

// TestBaselines: what the candidate is compared with is named.
func TestBaselines(t *testing.T) {
	g := checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: stats.LowerIsBetter, Margin: points(0.02), Bounds: checks.Limits{Pause: plain(0.5)}}
	p := policy(analysis.Continuous, g)
	ev := evidence(p, collect(t, p, moving(1, 9000, 1)), collect(t, p, moving(2, 5000, 1)))
	for kind, name := range map[analysis.BaselineKind]string{analysis.PreviousWindow: "previous window", analysis.FixedReference: "reference"} {
		ev.Compared = kind
		fs := runOn(t, g, ev)
		f := only(t, fs, "margin")
		is(t, f, analysis.Pass)
		if f.Compared != kind || !strings.Contains(f.Message, "in the "+name) {
			t.Errorf("%v: %s", f.Compared, f.Message)
		}
		if f = only(t, fs, "pause_bound"); f.Compared != analysis.Absolute {
			t.Errorf("a bound is compared with %v", f.Compared)
		}
		none := *ev
		none.Baseline = nil
		if f = only(t, runOn(t, g, &none), "no_data"); !strings.Contains(f.Message, name) {
			t.Error(f.Message)
		}
		is(t, only(t, runOn(t, checks.SRM{}, ev), "not_concurrent"), analysis.Invalid)
	}
	ev.Compared = analysis.Absolute
	fs := runOn(t, g, ev)
	is(t, only(t, fs, "no_baseline"), analysis.Invalid)
	is(t, only(t, fs, "pause_bound"), analysis.Pass)
}

// TestPauseLimits: limits that only pause spend the pause budget, where there is
// one beside that of the others.
func TestPauseLimits(t *testing.T) {
	g := checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: stats.LowerIsBetter, Margin: points(0.02),
		Bounds: checks.Limits{Pause: plain(0.05), Rollback: plain(0.1)}, Relative: checks.Limits{Pause: ratio(2)}}
	p := policy(analysis.Continuous, g)
	ev := evidence(p, collect(t, p, moving(1, 500, 1)), collect(t, p, moving(2, 500, 1)))
	for _, tc := range []struct {
		alpha, pause float64
		want         map[string]float64
	}{
		{0.04, 0.1, map[string]float64{"margin": 0.02, "rollback_bound": 0.02, "pause_bound": 0.05, "pause_ratio": 0.05}},
		{0.04, 0.04, map[string]float64{"margin": 0.01, "rollback_bound": 0.01, "pause_bound": 0.01, "pause_ratio": 0.01}},
		{0.04, 0, map[string]float64{"margin": 0.01, "rollback_bound": 0.01, "pause_bound": 0.01, "pause_ratio": 0.01}},
	} {
		ev.Alpha, ev.PauseAlpha = tc.alpha, tc.pause
		for code, want := range tc.want {
			if f := only(t, runOn(t, g, ev), code); f.Alpha != want {
				t.Errorf("alpha %v, pause %v: %s spends %v, want %v", tc.alpha, tc.pause, code, f.Alpha, want)
			}
		}
	}
	if !g.PauseLimits() || (checks.Guardrail{Margin: points(0.1)}).PauseLimits() {
		t.Error("PauseLimits")
	}
}

// TestProviderMeanOfFewLargeValues: revenue, which one row in thirty has, of a canary
// that has not met its share of the large ones is no proof of a loss.
func TestProviderMeanOfFewLargeValues(t *testing.T) {
	g := checks.Guardrail{Metric: checks.Mean, Of: "m", Direction: stats.HigherIsBetter, Margin: relative(0)}
	p := policy(analysis.Continuous, g)
	average := func(n, mean, sd float64) *analysis.Snapshot {
		return provided(t, p, withSquares(window(0, n*mean, n), n*(mean*mean+sd*sd)))
	}
	fs, err := g.Run(evidence(p, average(198_000, 0.06, 0.7), average(2000, 0.03, 0.3)))
	if err != nil {
		t.Fatal(err)
	}
	if f := fs[0]; f.Outcome != analysis.Insufficient || len(f.Warnings) == 0 || f.Warnings[0].Code != checks.WarnSkewed {
		t.Errorf("%v %v: %s", f.Outcome, f.Warnings, f.Message)
	}
}
