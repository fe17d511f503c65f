package checks_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

func relative(v float64) *analysis.Quantity {
	return &analysis.Quantity{Value: v, Unit: analysis.Relative}
}
func points(v float64) *analysis.Quantity {
	return &analysis.Quantity{Value: v, Unit: analysis.Points}
}
func plain(v float64) *analysis.Quantity { return &analysis.Quantity{Value: v} }
func ratio(v float64) *analysis.Quantity {
	return &analysis.Quantity{Value: v, Unit: analysis.Ratio}
}

// TestGuardrailOutcomes: one metric, every answer that it can give.
func TestGuardrailOutcomes(t *testing.T) {
	errors := checks.Guardrail{Metric: checks.Mean, Column: "error", Direction: stats.LowerIsBetter, Margin: points(0.01)}
	for _, tc := range []struct {
		name       string
		base, cand table
		once, any  analysis.Outcome
		code       string
	}{
		{"no harm", table{"error": yes(200, 20000)}, table{"error": yes(205, 20000)}, analysis.Pass, analysis.Pass, "margin"},
		{"better", table{"error": yes(400, 20000)}, table{"error": yes(200, 20000)}, analysis.Pass, analysis.Pass, "margin"},
		{"harm", table{"error": yes(200, 20000)}, table{"error": yes(700, 20000)}, analysis.Harm, analysis.Harm, "margin"},
		{"between", table{"error": yes(20, 1000)}, table{"error": yes(28, 1000)}, analysis.Inconclusive, analysis.Inconclusive, "margin"},
		{"few, quiet", table{"error": yes(0, 30)}, table{"error": yes(0, 30)}, analysis.Insufficient, analysis.Insufficient, "margin"},
		{"few, but plain harm", table{"error": yes(0, 40)}, table{"error": yes(30, 40)}, analysis.Harm, analysis.Harm, "margin"},
		{"no events at all", table{"error": yes(0, 5000)}, table{"error": yes(0, 5000)}, analysis.Pass, analysis.Pass, "margin"},
		{"no baseline", nil, table{"error": yes(1, 10)}, analysis.NoData, analysis.NoData, "no_data"},
		{"no candidate", table{"error": yes(1, 10)}, nil, analysis.NoData, analysis.NoData, "no_data"},
		{"column missing", table{"error": yes(1, 100)}, table{"score": repeat(0.5, 100)}, analysis.Invalid, analysis.Invalid, "column_absent"},
		{"all null", table{"error": yes(1, 100)}, table{"error": maybe{yes(0, 100), repeat(false, 100)}}, analysis.NoData, analysis.NoData, "no_values"},
		{"names", table{"error": repeat("x", 100)}, table{"error": repeat("x", 100)}, analysis.Invalid, analysis.Invalid, "type_unusable"},
		{"numbers 0 and 1", table{"error": repeat(0.0, 5000)}, table{"error": append(repeat(0.0, 4000), repeat(1.0, 1000)...)}, analysis.Harm, analysis.Harm, "margin"},
		{"constant", table{"error": repeat(5.0, 5000)}, table{"error": repeat(5.0, 5000)}, analysis.Inconclusive, analysis.Inconclusive, "no_variation"},
		{"all NaN", table{"error": repeat(1.0, 500)}, table{"error": repeat(math.NaN(), 500)}, analysis.NoData, analysis.NoData, "no_values"},
	} {
		for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous} {
			want := tc.once
			if looks != analysis.Once {
				want = tc.any
			}
			fs := run(t, policy(looks, errors), tc.base, tc.cand)
			t.Run(tc.name, func(t *testing.T) { is(t, only(t, fs, tc.code), want) })
		}
	}
}

// TestGuardrailMetrics: every metric passes when nothing changed and sees harm
// when much did.
func TestGuardrailMetrics(t *testing.T) {
	log := func(seed uint64, shift, slow float64) table {
		tab := scored(seed, 12000, shift)
		r := random(seed + 100)
		tab["amount"] = draw(12000, func(int) float64 { return slow * math.Exp(r.NormFloat64()/2) })
		tab["ok"] = draw(12000, func(int) bool { return r.Float64() < 0.9/slow })
		return tab
	}
	base, same, bad := log(1, 0, 1), log(2, 0, 1), log(3, 0.6, 1.5)
	for _, g := range []checks.Guardrail{
		{Metric: checks.Accuracy, Margin: points(0.03)},
		{Metric: checks.Accuracy, Margin: relative(0.03), Column: "score", Threshold: 0.4},
		{Metric: checks.LogLoss, Margin: relative(0.10)},
		{Metric: checks.Brier, Margin: plain(0.02)},
		{Metric: checks.AUC, Margin: points(0.03)},
		{Metric: checks.PositiveRate, Margin: points(0.03), Direction: stats.LowerIsBetter},
		{Metric: checks.MeanScore, Margin: relative(0.05), Direction: stats.LowerIsBetter},
		{Metric: checks.Mean, Column: "amount", Margin: relative(0.05), Direction: stats.LowerIsBetter},
		{Metric: checks.Mean, Column: "ok", Margin: points(0.02), Direction: stats.HigherIsBetter},
		{Metric: checks.Rate, Column: "ok", Margin: relative(0.05), Direction: stats.HigherIsBetter},
		{Metric: checks.Rate, Column: "amount", Threshold: 2, Margin: points(0.03), Direction: stats.LowerIsBetter},
		{Metric: checks.Quantile, Column: "amount", Q: 0.9, Margin: relative(0.1), Direction: stats.LowerIsBetter},
		{Metric: checks.Quantile, Column: "score", Q: 0.5, Margin: plain(0.05), Direction: stats.LowerIsBetter},
	} {
		if g.Column == "" {
			g.Column = "score"
		}
		for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous} {
			t.Run(string(g.Metric)+" of "+g.Column, func(t *testing.T) {
				p := policy(looks, g)
				f := only(t, run(t, p, base, same), "margin")
				is(t, f, analysis.Pass)
				f = only(t, run(t, p, base, bad), "margin")
				is(t, f, analysis.Harm)
				if looks == analysis.Continuous && g.Metric != checks.Quantile && !(f.LogE > 3) {
					t.Errorf("log e-value %v of harm", f.LogE)
				}
				if looks == analysis.Once && g.Metric != checks.Quantile && !(f.P < 0.01) {
					t.Errorf("p-value %v of harm", f.P)
				}
			})
		}
	}
}

// TestGuardrailLabelRate: it needs no score, and counts labels that have come.
func TestGuardrailLabelRate(t *testing.T) {
	g := checks.Guardrail{Metric: checks.LabelRate, Column: "label", Direction: stats.LowerIsBetter, Margin: points(0.02)}
	p := policy(analysis.Once, g)
	log := func(x int) table { return table{"label": yes(x, 5000), "score": repeat(0.3, 5000)} }
	is(t, only(t, run(t, p, log(500), log(510)), "margin"), analysis.Pass)
	is(t, only(t, run(t, p, log(500), log(900)), "margin"), analysis.Harm)
	none := table{"label": maybe{yes(0, 100), repeat(false, 100)}, "score": repeat(0.3, 100)}
	is(t, only(t, run(t, p, log(500), none), "no_labels"), analysis.NoData)
	p.Columns.Score = "" // labels without a score are a plain column
	is(t, only(t, run(t, p, log(500), log(900)), "margin"), analysis.Harm)
	odd := table{"label": repeat(int64(7), 500)}
	is(t, only(t, run(t, p, odd, odd), "type_unusable"), analysis.Invalid)
}

// TestGuardrailBounds: absolute limits of the candidate alone, from above and
// from below, which do not need a baseline.
func TestGuardrailBounds(t *testing.T) {
	rate := checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: stats.LowerIsBetter,
		Bounds: checks.Limits{Pause: relative(0.01), Rollback: relative(0.05)}}
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
		p := policy(looks, rate)
		for _, tc := range []struct {
			x               int
			pause, rollback analysis.Outcome
		}{{10, analysis.Pass, analysis.Pass}, {200, analysis.Harm, analysis.Pass}, {600, analysis.Harm, analysis.Harm}, {50, analysis.Inconclusive, analysis.Pass}} {
			fs := run(t, p, nil, table{"error": yes(tc.x, 5000)})
			pause, rollback := only(t, fs, "pause_bound"), only(t, fs, "rollback_bound")
			is(t, pause, tc.pause)
			is(t, rollback, tc.rollback)
			if pause.Severity != analysis.SeverityPause || rollback.Severity != analysis.SeverityRollback {
				t.Errorf("severities %v and %v", pause.Severity, rollback.Severity)
			}
		}
	}
	accuracy := checks.Guardrail{Metric: checks.Accuracy, Column: "score", Bounds: checks.Limits{Rollback: plain(0.7)}}
	p := policy(analysis.Once, accuracy)
	f := only(t, run(t, p, nil, scored(5, 4000, 0)), "rollback_bound")
	is(t, f, analysis.Pass)
	if f.Unit != "pp" || f.Limit != 0 || f.Estimate.Point > 0 {
		t.Errorf("a bound from below is a shortfall: %+v", f)
	}
	f = only(t, run(t, p, nil, scored(5, 4000, 0.9)), "rollback_bound")
	is(t, f, analysis.Harm)
	if !strings.Contains(f.Message, "below it") {
		t.Error(f.Message)
	}
	slow := checks.Guardrail{Metric: checks.Quantile, Q: 0.99, Column: "amount", Direction: stats.LowerIsBetter, Bounds: checks.Limits{Rollback: plain(100)}}
	r := random(9)
	latency := func(mean float64) table {
		return table{"amount": draw(3000, func(int) float64 { return mean * r.ExpFloat64() })}
	}
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
		p := policy(looks, slow)
		is(t, only(t, run(t, p, nil, latency(10)), "rollback_bound"), analysis.Pass)
		is(t, only(t, run(t, p, nil, latency(60)), "rollback_bound"), analysis.Harm)
		is(t, only(t, run(t, p, nil, table{"amount": repeat(5.0, 60)}), "rollback_bound"), analysis.Insufficient)
	}
}

// TestGuardrailRatios: multiples of the baseline, either way.
func TestGuardrailRatios(t *testing.T) {
	r := random(4)
	latency := func(mean float64) table {
		return table{"amount": draw(6000, func(int) float64 { return mean * math.Exp(r.NormFloat64()/2) })}
	}
	p99 := checks.Guardrail{Metric: checks.Quantile, Q: 0.99, Column: "amount", Direction: stats.LowerIsBetter, Relative: checks.Limits{Rollback: ratio(2)}}
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
		p := policy(looks, p99)
		f := only(t, run(t, p, latency(100), latency(105)), "rollback_ratio")
		is(t, f, analysis.Pass)
		if f.Unit != "ratio" || f.Limit != 2 || f.Severity != analysis.SeverityRollback {
			t.Errorf("%+v", f)
		}
		is(t, only(t, run(t, p, latency(100), latency(300)), "rollback_ratio"), analysis.Harm)
	}
	conversion := checks.Guardrail{Metric: checks.Rate, Column: "ok", Direction: stats.HigherIsBetter, Relative: checks.Limits{Pause: ratio(0.5)}}
	p := policy(analysis.Once, conversion)
	f := only(t, run(t, p, table{"ok": yes(1000, 5000)}, table{"ok": yes(900, 5000)}), "pause_ratio")
	is(t, f, analysis.Pass)
	if f.Unit != "relative" || f.Limit != 0.5 {
		t.Errorf("%+v", f)
	}
	is(t, only(t, run(t, p, table{"ok": yes(1000, 5000)}, table{"ok": yes(300, 5000)}), "pause_ratio"), analysis.Harm)
}

// TestGuardrailZeroBaseline: a relative limit without a baseline to be relative
// to becomes an absolute one, and still sees harm.
func TestGuardrailZeroBaseline(t *testing.T) {
	g := checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: stats.LowerIsBetter, Margin: relative(0.1), Relative: checks.Limits{Rollback: ratio(2)}}
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
		fs := run(t, policy(looks, g), table{"error": yes(0, 2000)}, table{"error": yes(200, 2000)})
		for _, code := range []string{"margin", "rollback_ratio"} {
			f := only(t, fs, code)
			is(t, f, analysis.Harm)
			if !has(f, checks.WarnRelative) {
				t.Errorf("no warning: %+v", f.Warnings)
			}
		}
		fs = run(t, policy(looks, g), table{"error": yes(0, 2000)}, table{"error": yes(0, 2000)})
		is(t, only(t, fs, "margin"), analysis.Inconclusive)
	}
	r := random(8)
	around := func(mean float64) table {
		return table{"amount": draw(2000, func(int) float64 { return mean + r.NormFloat64() })}
	}
	m := checks.Guardrail{Metric: checks.Mean, Column: "amount", Direction: stats.HigherIsBetter, Margin: relative(0.1)}
	p := policy(analysis.Once, m)
	if f := only(t, run(t, p, around(0), around(0)), "margin"); !has(f, checks.WarnRelative) {
		t.Error("a mean around 0 has no relative change")
	}
	// A loss of a negative mean is measured against its size.
	f := only(t, run(t, p, around(-2), around(-2.01)), "margin")
	is(t, f, analysis.Pass)
	f = only(t, run(t, p, around(-2), around(-3)), "margin")
	is(t, f, analysis.Harm)
	if math.Abs(f.Estimate.Point-0.5) > 0.05 {
		t.Errorf("estimate %v", f.Estimate)
	}
	q := checks.Guardrail{Metric: checks.Quantile, Q: 0.5, Column: "amount", Direction: stats.HigherIsBetter, Margin: relative(0.1)}
	if f := only(t, run(t, policy(analysis.Once, q), around(-2), around(-3)), "margin"); !has(f, checks.WarnRelative) {
		t.Error("a negative quantile has no relative change")
	}
}

// TestGuardrailOneClass: an AUC needs both classes.
func TestGuardrailOneClass(t *testing.T) {
	g := checks.Guardrail{Metric: checks.AUC, Column: "score", Margin: points(0.02)}
	p := policy(analysis.Once, g)
	good := scored(1, 500, 0)
	one := table{"score": repeat(0.4, 500), "label": yes(0, 500)}
	is(t, only(t, run(t, p, good, one), "one_class"), analysis.Insufficient)
	is(t, only(t, run(t, p, one, good), "one_class"), analysis.Insufficient)
	unlabelled := table{"score": repeat(0.4, 500), "label": maybe{yes(0, 500), repeat(false, 500)}}
	is(t, only(t, run(t, p, good, unlabelled), "no_labels"), analysis.NoData)
	// Scores that are all the same have an AUC of a half, without noise.
	flat := table{"score": repeat(0.4, 500), "label": yes(100, 500)}
	f := only(t, run(t, p, good, flat), "margin")
	is(t, f, analysis.Harm)
}

// TestGuardrailCoverage: labels that are missing from one arm.
func TestGuardrailCoverage(t *testing.T) {
	g := checks.Guardrail{Metric: checks.LogLoss, Column: "score", Margin: relative(0.1)}
	lose := func(tab table, share float64) table {
		r := random(77)
		label := tab["label"].([]bool)
		return table{"score": tab["score"], "label": maybe{label, draw(len(label), func(int) bool { return r.Float64() >= share })}}
	}
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
		p := policy(looks, g)
		base, cand := scored(1, 10000, 0), scored(2, 10000, 0)
		fs := run(t, p, base, lose(cand, 0.2))
		f := only(t, fs, "label_coverage")
		is(t, f, analysis.Invalid)
		if !f.Local || !only(t, fs, "margin").Untrusted {
			t.Error("labels of different age make this metric untrusted, and no other")
		}
		fs = run(t, p, lose(base, 0.2), cand)
		is(t, only(t, fs, "label_coverage"), analysis.Invalid)
		fs = run(t, p, base, lose(cand, 0.03))
		if len(fs) != 1 || !has(fs[0], checks.WarnCoverage) {
			t.Errorf("3%% of the labels missing: %+v", fs)
		}
		fs = run(t, p, lose(base, 0.3), lose(cand, 0.3))
		if len(fs) != 1 || has(fs[0], checks.WarnCoverage) {
			t.Errorf("equal coverage: %+v", fs)
		}
	}
}

// TestGuardrailRepeatedUnits: rows of one unit are not independent; tenfold
// repeats must not make an accident harm.
func TestGuardrailRepeatedUnits(t *testing.T) {
	g := checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: stats.LowerIsBetter, Margin: plain(0)}
	once := run(t, policy(analysis.Once, g), table{"error": yes(20, 400), "id": ids(0, 400)}, table{"error": yes(30, 400), "id": ids(400, 400)})
	tenfold := func(x, from int) table {
		return table{"error": yes(10*x, 4000), "id": draw(4000, func(i int) int64 { return int64(from + i/10) })}
	}
	many := run(t, policy(analysis.Once, g), tenfold(20, 0), tenfold(30, 400))
	a, b := only(t, once, "margin"), only(t, many, "margin")
	if !has(b, stats.WarnRepeatedUnits) || has(a, stats.WarnRepeatedUnits) {
		t.Error("the warning repeated_units belongs to the second log")
	}
	if d := cmp.Diff(a.Estimate, b.Estimate); d != "" {
		t.Errorf("tenfold repeats changed the interval (-once +tenfold):\n%s", d)
	}
	naive := run(t, policy(analysis.Once, g), table{"error": yes(200, 4000)}, table{"error": yes(300, 4000)})
	is(t, only(t, naive, "margin"), analysis.Harm)
	is(t, b, analysis.Inconclusive)
}

// TestGuardrailSplitsTheError: limits of one guardrail share its error.
func TestGuardrailSplitsTheError(t *testing.T) {
	g := checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: stats.LowerIsBetter, Margin: points(0.01),
		Bounds: checks.Limits{Pause: plain(0.1), Rollback: plain(0.2)}, Relative: checks.Limits{Rollback: ratio(2)}}
	for _, f := range run(t, policy(analysis.Once, g), table{"error": yes(100, 5000)}, table{"error": yes(100, 5000)}) {
		if f.Alpha != 0.05/4 {
			t.Errorf("%s spends %v", f.Code, f.Alpha)
		}
	}
	// Without a budget nothing is ever harm.
	p := policy(analysis.Once, g)
	b, c := collect(t, p, table{"error": yes(0, 5000)}), collect(t, p, table{"error": yes(5000, 5000)})
	ev := evidence(p, b, c)
	ev.Alpha = 0
	fs, err := g.Run(ev)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fs {
		if f.Outcome == analysis.Harm || !math.IsInf(float64(f.HarmBound), -1) && f.HarmBound > 0 {
			t.Errorf("harm without a budget: %+v", f)
		}
	}
}

// TestGuardrailMisuse: settings without a meaning are errors, not findings.
func TestGuardrailMisuse(t *testing.T) {
	m := points(0.01)
	for _, g := range []checks.Guardrail{
		{},
		{Metric: "f1", Margin: m},
		{Metric: checks.Mean, Column: "error", Margin: m},
		{Metric: checks.Mean, Direction: stats.LowerIsBetter, Margin: m},
		{Metric: checks.Mean, Column: "error", Direction: 7, Margin: m},
		{Metric: checks.Mean, Column: "error", Direction: stats.LowerIsBetter},
		{Metric: checks.Quantile, Column: "amount", Direction: stats.LowerIsBetter, Margin: plain(1)},
		{Metric: checks.Quantile, Q: 0.5, Column: "amount", Direction: stats.LowerIsBetter, Margin: m},
		{Metric: checks.LogLoss, Margin: m},
		{Metric: checks.Accuracy, Margin: relative(1.5)},
		{Metric: checks.Accuracy, Margin: plain(-1)},
		{Metric: checks.Accuracy, Margin: plain(math.NaN())},
		{Metric: checks.Accuracy, Margin: ratio(2)},
		{Metric: checks.Accuracy, Threshold: math.Inf(1), Margin: m},
		{Metric: checks.Accuracy, Relative: checks.Limits{Pause: ratio(2)}},
		{Metric: checks.Accuracy, Relative: checks.Limits{Pause: relative(0.1)}},
		{Metric: checks.Accuracy, Bounds: checks.Limits{Pause: ratio(2)}},
		{Metric: checks.LogLoss, Relative: checks.Limits{Pause: ratio(0.5)}},
	} {
		if _, err := g.Run(evidence(policy(analysis.Once, g), nil, nil)); err == nil {
			t.Errorf("%+v runs", g)
		}
	}
}

// TestGuardrailUncounted: a threshold that was not counted exactly when the log
// was read is not guessed.
func TestGuardrailUncounted(t *testing.T) {
	counted := checks.Guardrail{Metric: checks.Accuracy, Column: "score", Threshold: 0.5, Margin: points(0.01)}
	p := policy(analysis.Once, counted)
	b, c := collect(t, p, scored(1, 500, 0)), collect(t, p, scored(2, 500, 0))
	other := counted
	other.Threshold = 0.25
	fs, err := other.Run(evidence(p, b, c))
	if err != nil {
		t.Fatal(err)
	}
	is(t, only(t, fs, "no_cut"), analysis.Invalid)
	missing := checks.Guardrail{Metric: checks.Rate, Column: "amount", Threshold: 3, Direction: stats.LowerIsBetter, Margin: points(0.01)}
	p = policy(analysis.Once, counted)
	tab := scored(1, 500, 0)
	tab["amount"] = repeat(1.5, 500)
	b, c = collect(t, p, tab), collect(t, p, tab)
	if fs, err = missing.Run(evidence(p, b, c)); err != nil {
		t.Fatal(err)
	}
	is(t, only(t, fs, "no_cut"), analysis.Invalid)
	// Nor is a mean that was not collected taken for a column without values.
	average := checks.Guardrail{Metric: checks.Mean, Column: "amount", Direction: stats.LowerIsBetter, Margin: relative(0.01)}
	if fs, err = average.Run(evidence(p, b, c)); err != nil {
		t.Fatal(err)
	}
	is(t, only(t, fs, "no_value"), analysis.Invalid)
	regression := policy(analysis.Once, counted)
	regression.Task = analysis.Regression
	is(t, only(t, run(t, regression, scored(1, 500, 0), scored(1, 500, 0)), "type_unusable"), analysis.Invalid)
}

// TestGuardrailMeanScoreOfRegression: predictions need not be probabilities.
func TestGuardrailMeanScoreOfRegression(t *testing.T) {
	g := checks.Guardrail{Metric: checks.MeanScore, Column: "score", Direction: stats.LowerIsBetter, Margin: relative(0.05)}
	p := policy(analysis.Once, g)
	p.Task = analysis.Regression
	r := random(3)
	log := func(mean float64) table {
		return table{"score": draw(2000, func(int) float64 { return mean + 10*r.NormFloat64() })}
	}
	is(t, only(t, run(t, p, log(100), log(100)), "margin"), analysis.Pass)
	is(t, only(t, run(t, p, log(100), log(120)), "margin"), analysis.Harm)
}
