package checks_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/drift"
)

// TestCollapse: the ways in which scores break, each by its own signal.
func TestCollapse(t *testing.T) {
	const n = 6000
	good := scored(1, n, 0)
	score := func(f func(i int, s float64) float64) table {
		old := scored(2, n, 0)["score"].([]float64)
		return with(good, "score", draw(n, func(i int) float64 { return f(i, old[i]) }))
	}
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous} {
		p := policy(looks, checks.Collapse{})
		is(t, only(t, run(t, p, good, score(func(_ int, s float64) float64 { return s })), "collapse"), analysis.Pass)
		for code, cand := range map[string]table{
			"collapse_constant":     score(func(int, float64) float64 { return 0.5 }),
			"collapse_spike":        score(func(i int, s float64) float64 { return []float64{s, 0.5}[i%2] }),
			"collapse_repetition":   score(func(i int, s float64) float64 { return math.Round(4*s) / 4 }),
			"collapse_variance":     score(func(_ int, s float64) float64 { return 0.25 + s/5 }),
			"collapse_spread":       score(func(_ int, s float64) float64 { return 0.25 + s/8 }),
			"collapse_saturation":   score(func(i int, s float64) float64 { return []float64{s, s, s, 1}[i%4] }),
			"collapse_missing":      score(func(i int, s float64) float64 { return []float64{s, s, s, math.NaN()}[i%4] }),
			"collapse_infinite":     score(func(i int, s float64) float64 { return map[bool]float64{false: s, true: math.Inf(1)}[i == 7] }),
			"collapse_out_of_range": score(func(i int, s float64) float64 { return map[bool]float64{false: s, true: 1.5}[i == 7] }),
		} {
			is(t, only(t, run(t, p, good, cand), code), analysis.Harm)
		}
		nothing := with(good, "score", repeat(math.NaN(), n))
		is(t, only(t, run(t, p, good, nothing), "collapse_missing"), analysis.Harm)
	}
}

// TestCollapseFewAndMissing: too little to tell, and nothing to look at.
func TestCollapseFewAndMissing(t *testing.T) {
	p := policy(analysis.Once, checks.Collapse{Column: "score"})
	for _, f := range run(t, p, scored(1, 20, 0), scored(2, 20, 0)) {
		is(t, f, analysis.Insufficient)
	}
	good := scored(1, 500, 0)
	for _, arms := range [][2]table{{nil, nil}, {good, nil}, {nil, good}} {
		is(t, only(t, run(t, p, arms[0], arms[1]), "no_data"), analysis.NoData)
	}
	is(t, only(t, run(t, p, good, table{"label": yes(1, 500)}), "column_absent"), analysis.Invalid)
	is(t, only(t, run(t, p, table{"label": yes(1, 500)}, good), "column_absent"), analysis.Invalid)
	is(t, only(t, run(t, p, good, table{"score": repeat("x", 500)}), "type_differs"), analysis.Invalid)
	is(t, only(t, run(t, p, table{"score": repeat("x", 500)}, table{"score": repeat("x", 500)}), "type_unusable"), analysis.Invalid)
	bare := policy(analysis.Once, checks.Collapse{})
	bare.Columns.Score = ""
	is(t, only(t, run(t, bare, arm(0, 50), arm(100, 50)), "no_column"), analysis.NoData)
}

// TestCollapseLimits: limits of the policy replace the defaults, and a change
// between the two limits of the variance is a warning.
func TestCollapseLimits(t *testing.T) {
	const n = 6000
	base := table{"amount": normals(1, n, 0, 1)}
	wide := table{"amount": normals(2, n, 0, 1.8)} // 3.2 times the variance
	p := policy(analysis.Once, checks.Collapse{Column: "amount"})
	is(t, only(t, run(t, p, base, wide), "collapse_variance"), analysis.Warn)
	p = policy(analysis.Once, checks.Collapse{Column: "amount", Limits: drift.CollapseOptions{VarianceFail: 2.5}})
	is(t, only(t, run(t, p, base, wide), "collapse_variance"), analysis.Harm)
	p = policy(analysis.Once, checks.Collapse{Column: "amount", Limits: drift.CollapseOptions{VarianceWarn: 5, VarianceFail: 6}})
	is(t, only(t, run(t, p, base, wide), "collapse"), analysis.Pass)
	for _, c := range []checks.Collapse{{Limits: drift.CollapseOptions{Spike: 2}}, {Column: "nowhere"}} {
		s := collect(t, p, base)
		if _, err := c.Run(evidence(p, s, s)); err == nil {
			t.Errorf("%+v runs", c)
		}
	}
}
