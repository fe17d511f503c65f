package checks_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats/statstest"
)

// TestBlastRadiusReference: the share that the candidates of the real logs blocked,
// with Clopper-Pearson's interval by statsmodels.
func TestBlastRadiusReference(t *testing.T) {
	l := newLogs(t)
	for _, c := range statstest.Load(t, "thresholds").ByFunc(t, "blast") {
		p := referencePolicy(checks.Actions{Cap: 0.04, MaxIrreversible: 4000})
		p.Columns.Action = "action"
		threeRules(p)
		_, cand := l.arms(t, p, text(t, c.In, "candidate"))
		fs, err := p.Checks[0].Check.Run(evidence(p, nil, cand))
		if err != nil {
			t.Fatal(err)
		}
		f := only(t, fs, "blast_radius")
		near := func(what string, got float64) {
			t.Helper()
			statstest.Near(t, c.Name+" "+what, got, statstest.Float(t, c.Want, what), c.RTol, c.ATol)
		}
		near("taken", detailOf(t, f, "taken"))
		near("rows", float64(f.N.Candidate))
		near("lo", f.Estimate.Lo)
		near("hi", f.Estimate.Hi)
		near("lo", float64(f.HarmBound)) // one finding, one look: the same error
		is(t, f, analysis.Harm)
		count := only(t, fs, "blast_radius_count")
		near("taken", count.Estimate.Point)
		if want := count.Estimate.Point > 4000; (count.Outcome == analysis.Harm) != want {
			t.Errorf("%v irreversible actions are %v", count.Estimate.Point, count.Outcome)
		}
	}
}

// TestShiftReference: on the real logs, the share that the candidate has at the
// thresholds of equal rate is the baseline's, and the threshold is where pandas
// finds it.
func TestShiftReference(t *testing.T) {
	l := newLogs(t)
	for _, c := range statstest.Load(t, "thresholds").ByFunc(t, "threshold") {
		if statstest.Float(t, c.In, "at") != 0.25 {
			continue
		}
		p := referencePolicy(checks.Actions{})
		p.Actions.Rules = []analysis.ActionRule{{Name: "block", AtLeast: 0.25}, {Name: "review", AtLeast: 0.15}, {Name: "allow", AtLeast: math.Inf(-1)}}
		b, cand := l.arms(t, p, text(t, c.In, "candidate"))
		fs, err := p.Checks[0].Check.Run(evidence(p, b, cand))
		if err != nil {
			t.Fatal(err)
		}
		f := byMetric(t, fs, "block")
		want := func(what string) float64 { return statstest.Float(t, c.Want, what) }
		statstest.Near(t, c.Name+" model", detailOf(t, f, "model_part"), want("candidate")-want("baseline"), c.RTol, c.ATol)
		statstest.Near(t, c.Name+" same", detailOf(t, f, "candidate_at_baseline_thresholds"), want("candidate"), c.RTol, c.ATol)
		statstest.Near(t, c.Name+" equal rate", detailOf(t, f, "candidate_at_equal_rate_thresholds"), want("rate"), 0, 1e-4)
		statstest.Near(t, c.Name+" at least", detailOf(t, f, "equal_rate_at_least"), want("above"), 0, 1.0/2048)
	}
}
