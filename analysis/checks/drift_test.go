package checks_test

import (
	"math"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// normals is a column of normal numbers.
func normals(seed uint64, n int, mean, sd float64) []float64 {
	r := random(seed)
	return draw(n, func(int) float64 { return mean + sd*r.NormFloat64() })
}

// TestDriftOutcomes: the four answers, by the ends of the interval.
func TestDriftOutcomes(t *testing.T) {
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous} {
		p := policy(looks, checks.Drift{Column: "amount"})
		for _, tc := range []struct {
			name  string
			n     int
			shift float64
			want  analysis.Outcome
		}{
			{"none", 5000, 0, analysis.Pass},
			{"large", 5000, 1, analysis.Harm},
			{"moderate", 20000, 0.42, analysis.Warn},
			{"too few to tell", 60, 0.3, analysis.Inconclusive},
		} {
			f := only(t, run(t, p, table{"amount": normals(1, tc.n, 0, 1)}, table{"amount": normals(2, tc.n, tc.shift, 1)}), "drift")
			t.Run(tc.name, func(t *testing.T) { is(t, f, tc.want) })
			if tc.want == analysis.Inconclusive && f.UnitsNeeded == 0 {
				t.Error("no units needed")
			}
		}
	}
}

// TestDriftMetrics: each measure, on a column that moved and one that did not.
func TestDriftMetrics(t *testing.T) {
	base, same, moved := normals(1, 6000, 0, 1), normals(2, 6000, 0, 1), normals(3, 6000, 1.2, 1)
	for _, m := range []checks.DriftMetric{"", checks.PSI, checks.PSIEquivalent, checks.JSDivergence, checks.JSDistanceBase2, checks.Hellinger,
		checks.KLRefCur, checks.TotalVariation, checks.LInfinity, checks.KS, checks.Wasserstein1} {
		p := policy(analysis.Once, checks.Drift{Column: "amount", Metric: m})
		is(t, only(t, run(t, p, table{"amount": base}, table{"amount": same}), "drift"), analysis.Pass)
		f := only(t, run(t, p, table{"amount": base}, table{"amount": moved}), "drift")
		is(t, f, analysis.Harm)
		if m != "" && f.Metric != string(m) {
			t.Errorf("metric %s", f.Metric)
		}
	}
}

// TestDriftColumns: every type of column, and what cannot be compared.
func TestDriftColumns(t *testing.T) {
	const n = 4000
	names := func(seed uint64, weights ...int) []string {
		r := random(seed)
		return draw(n, func(int) string {
			k := r.IntN(100)
			for i, w := range weights {
				if k -= w; k < 0 {
					return string(rune('A' + i))
				}
			}
			return "Z"
		})
	}
	for _, tc := range []struct {
		name       string
		d          checks.Drift
		base, cand any
		want       analysis.Outcome
		code       string
	}{
		{"names", checks.Drift{}, names(1, 50, 30), names(2, 50, 30), analysis.Pass, "drift"},
		{"names moved", checks.Drift{}, names(1, 50, 30), names(2, 10, 30), analysis.Harm, "drift"},
		{"new name", checks.Drift{}, names(1, 50, 50), names(2, 40, 40), analysis.Harm, "drift"},
		{"booleans", checks.Drift{}, yes(2000, n), yes(2010, n), analysis.Pass, "drift"},
		{"booleans moved", checks.Drift{Metric: checks.TotalVariation}, yes(2000, n), yes(2900, n), analysis.Harm, "drift"},
		{"integers", checks.Drift{}, draw(n, func(i int) int64 { return int64(i % 7) }), draw(n, func(i int) int64 { return int64(i % 7) }), analysis.Pass, "drift"},
		{"constant", checks.Drift{}, repeat(3.0, n), repeat(3.0, n), analysis.Pass, "drift"},
		{"constant, few", checks.Drift{}, repeat(3.0, 20), repeat(3.0, 20), analysis.Insufficient, "drift"},
		{"another constant", checks.Drift{}, repeat(3.0, n), repeat(4.0, n), analysis.Harm, "drift"},
		{"nulls", checks.Drift{}, repeat(3.0, n), maybe{repeat(3.0, n), yes(n/2, n)}, analysis.Harm, "drift"},
		{"all NaN, both", checks.Drift{}, repeat(math.NaN(), n), repeat(math.NaN(), n), analysis.NoData, "no_values"},
		{"one wild value", checks.Drift{}, normals(1, n, 0, 1), append(normals(2, n-1, 0, 1), 1e300), analysis.Pass, "drift"},
		{"absent", checks.Drift{}, repeat(1.0, n), nil, analysis.Invalid, "column_absent"},
		{"absent in the baseline", checks.Drift{}, nil, repeat(1.0, n), analysis.Invalid, "column_absent"},
		{"types differ", checks.Drift{}, repeat(1.0, n), repeat("1", n), analysis.Invalid, "type_differs"},
		{"order of names", checks.Drift{Metric: checks.KS}, repeat("a", n), repeat("a", n), analysis.Invalid, "type_unusable"},
		{"KS without numbers", checks.Drift{Metric: checks.KS}, repeat(1.0, n), repeat(math.NaN(), n), analysis.NoData, "no_values"},
	} {
		tc.d.Column = "amount"
		p := policy(analysis.Once, tc.d)
		// A second column keeps a log without the first from being empty.
		base, cand := table{"amount": tc.base, "country": repeat("DE", n)}, table{"amount": tc.cand, "country": repeat("DE", n)}
		if tc.name == "constant, few" {
			base, cand = table{"amount": tc.base}, table{"amount": tc.cand}
		}
		t.Run(tc.name, func(t *testing.T) { is(t, only(t, run(t, p, base, cand), tc.code), tc.want) })
	}
}

// TestDriftOfAllColumns: a finding each, and a line that says where to look.
func TestDriftOfAllColumns(t *testing.T) {
	p := policy(analysis.Once, checks.Drift{})
	base, cand := fullLog(1, 6000), fullLog(2, 6000)
	fs := run(t, p, base, cand)
	if len(fs) != 4 { // amount, country, score and the ranking
		t.Errorf("%d findings", len(fs))
	}
	f := only(t, fs, "drift_ranking")
	is(t, f, analysis.Pass)
	cand = with(cand, "score", scored(9, 6000, 0.5)["score"])
	cand = with(cand, "amount", lost(cand["amount"], 6000, 0.4))
	f = only(t, run(t, p, base, cand), "drift_ranking")
	is(t, f, analysis.Warn)
	if want := "2 of 3 columns differ by an amount that matters; more than chance gives: amount and score. Look at amount first, which has a fault of data quality: missing values"; !strings.HasPrefix(f.Message, want) {
		t.Errorf("%s, want %s", f.Message, want)
	}
	// A measure that needs an order falls back for names.
	for _, f := range run(t, policy(analysis.Once, checks.Drift{Metric: checks.Wasserstein1}), base, cand) {
		if f.Column == "country" && f.Metric != string(checks.PSIEquivalent) {
			t.Errorf("country by %s", f.Metric)
		}
	}
	bare := policy(analysis.Once, checks.Drift{})
	bare.Columns = analysis.Columns{Unit: "id"}
	is(t, only(t, run(t, bare, arm(0, 10), arm(20, 10)), "no_column"), analysis.NoData)
	for _, arms := range [][2]table{{nil, nil}, {base, nil}, {nil, base}} {
		is(t, only(t, run(t, p, arms[0], arms[1]), "no_data"), analysis.NoData)
	}
}

// TestDriftOfLabels: labels are yes and no, whatever their type.
func TestDriftOfLabels(t *testing.T) {
	p := policy(analysis.Once, checks.Drift{Column: "label"})
	log := func(x int) table {
		return table{"score": repeat(0.5, 3000), "label": draw(3000, func(i int) int64 { return int64(min(1, x/(i+1))) })}
	}
	is(t, only(t, run(t, p, log(300), log(310)), "drift"), analysis.Pass)
	is(t, only(t, run(t, p, log(300), log(2000)), "drift"), analysis.Harm)
	p = policy(analysis.Once, checks.Drift{Column: "label", Metric: checks.KS})
	is(t, only(t, run(t, p, log(300), log(310)), "type_unusable"), analysis.Invalid)
}

// TestNoPolicy: without a policy the checks take the safe side, continuous looks.
func TestNoPolicy(t *testing.T) {
	p := policy(analysis.Continuous, checks.Drift{})
	b, c := collect(t, p, fullLog(1, 3000)), collect(t, p, fullLog(2, 3000))
	for _, check := range everything() {
		ev := evidence(p, b, c)
		ev.Policy = nil
		fs, err := check.Run(ev)
		if err != nil {
			continue // the column is not in this spec
		}
		sound(t, fs)
		for _, f := range fs {
			if strings.Contains(f.Method, "fixed sample") {
				t.Errorf("%s %s: %s", f.Check, f.Metric, f.Method)
			}
		}
	}
}

// TestDriftMisuse: impossible settings.
func TestDriftMisuse(t *testing.T) {
	p := policy(analysis.Once, checks.Drift{})
	s := collect(t, p, fullLog(1, 100))
	for _, d := range []checks.Drift{
		{Metric: "chi"}, {Warn: 0.5, Fail: 0.2}, {Warn: -1}, {Fail: math.NaN()}, {Cells: 1}, {Cells: -3}, {Cells: 5000}, {Column: "nowhere"},
	} {
		if _, err := d.Run(evidence(p, s, s)); err == nil {
			t.Errorf("%+v runs", d)
		}
	}
	// A limit beyond the other's default takes that along.
	for _, d := range []checks.Drift{{Column: "amount", Warn: 2}, {Column: "amount", Fail: 0.01}} {
		if _, err := d.Run(evidence(p, s, s)); err != nil {
			t.Error(err)
		}
	}
}
