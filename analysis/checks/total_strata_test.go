package checks_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

// providers is one of each check of a provider's metric.
func providers() []analysis.Check {
	lower, higher := stats.LowerIsBetter, stats.HigherIsBetter
	all := checks.Limits{Pause: plain(0.1), Rollback: plain(3)}
	two := checks.Limits{Pause: ratio(2)}
	return []analysis.Check{
		checks.Guardrail{Metric: checks.Ratio, Of: "ratio", Direction: lower, Margin: relative(0.1), Bounds: checks.Limits{Pause: plain(0.1)}, Relative: two},
		checks.Guardrail{Metric: checks.Mean, Of: "average", Direction: higher, Margin: relative(0.1), Bounds: all},
		checks.Guardrail{Metric: checks.CountRate, Of: "rate", Direction: lower, Margin: plain(0.1), Bounds: all, Relative: two},
		checks.Guardrail{Metric: checks.Quantile, Q: 0.9, Of: "distribution", Direction: lower, Margin: relative(0.1), Bounds: all, Relative: two},
		checks.Guardrail{Metric: checks.Rate, Threshold: 50, Of: "distribution", Direction: higher, Margin: relative(0.1)},
		checks.Gauge{Of: "gauge", Direction: higher, Bounds: all, Relative: checks.Limits{Rollback: ratio(0.5)}},
		checks.SRM{Of: "ratio"},
	}
}

// addWindows adds windows of every metric, often odd ones.
func addWindows(t *rapid.T, s *analysis.Snapshot) {
	odd := rapid.SampledFrom([]float64{0, 0, 1, 0.5, 3, 7.25, 40, 1000, 12345.5, -1, 1e300, 1e-300})
	for i := range rapid.IntRange(0, 3).Draw(t, "windows") {
		for _, m := range s.Metrics {
			w := window(i, nil, nil)
			w.Metric = m.Name
			if rapid.Bool().Draw(t, "total") {
				v := odd.Draw(t, "total value")
				w.Total = &v
			}
			if rapid.IntRange(0, 4).Draw(t, "count") > 0 {
				v := odd.Draw(t, "count value")
				w.Count = &v
			}
			if m.Kind == analysis.AverageMetric {
				v := odd.Draw(t, "squares")
				w.Squares = &v
			}
			if m.Kind == analysis.DistributionMetric {
				w.Edges, w.Buckets = []float64{10, 50, 100}, draw(4, func(int) uint64 { return rapid.Uint64Range(0, 300).Draw(t, "bucket") })
			}
			if err := s.AddMeasurement(w); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestStagedChecksAreTotal: whatever the stages hold, the checks that add them up
// keep their promises and repeat themselves.
func TestStagedChecksAreTotal(t *testing.T) {
	cs := append(providers(), everything()...)
	n := 0
	for _, c := range cs {
		if _, ok := c.(analysis.Stratified); ok {
			cs[n] = c
			n++
		}
	}
	cs = cs[:n]
	rapid.Check(t, func(rt *rapid.T) {
		p := threeRules(ramp(rapid.SampledFrom([]analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous}).Draw(rt, "looks"), []float64{0.1, 0.5, 1}, cs...))
		var strata []analysis.Stratum
		for _, s := range p.Stages[:rapid.IntRange(1, 3).Draw(rt, "stages")] {
			b, c := drawArm(rt, t, p, "baseline"), drawArm(rt, t, p, "candidate")
			for _, s := range []*analysis.Snapshot{b, c} {
				if s != nil {
					addWindows(rt, s)
				}
			}
			strata = append(strata, analysis.Stratum{Stage: s.Name, Split: p.SplitOf(s.Name), Baseline: b, Candidate: c})
		}
		k := len(strata) - 1
		compared := rapid.SampledFrom([]analysis.BaselineKind{analysis.Concurrent, analysis.Concurrent, analysis.PreviousWindow, analysis.Absolute}).Draw(rt, "compared")
		results := func() string {
			var all []analysis.Finding
			for _, e := range p.Checks {
				ev := evidence(p, strata[k].Baseline, strata[k].Candidate)
				ev.Strata, ev.Stage, ev.Split, ev.Compared, ev.PauseAlpha = strata, strata[k].Stage, strata[k].Split, compared, 0.1
				fs, err := e.Check.Run(ev)
				if err != nil {
					rt.Fatalf("%+v: %v", e.Check, err)
				}
				if _, gauge := e.Check.(checks.Gauge); !gauge { // at its limit, it passes
					sound(t, fs)
				}
				all = append(all, fs...)
			}
			out, err := json.Marshal(all)
			if err != nil {
				rt.Fatal(err)
			}
			return string(out)
		}
		first := results()
		if d := cmp.Diff(first, results()); d != "" {
			rt.Fatalf("not deterministic:\n%s", d)
		}
	})
}
