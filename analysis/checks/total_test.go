package checks_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats"
)

// everything is one of each check, over the columns of the test logs.
func everything() []analysis.Check {
	lower := stats.LowerIsBetter
	out := []analysis.Check{
		checks.Schema{}, checks.SRM{}, checks.Drift{}, checks.Drift{Column: "amount", Metric: checks.KS}, checks.Drift{Column: "amount", Metric: checks.Wasserstein1},
		checks.Collapse{}, checks.Collapse{Column: "amount", Limits: drift.CollapseOptions{Spike: 0.2}}, checks.Actions{},
		checks.Guardrail{Metric: checks.LabelRate, Column: "label", Direction: lower, Margin: points(0.01)},
		checks.Guardrail{Metric: checks.Rate, Column: "amount", Threshold: 0.3, Direction: lower, Margin: points(0.01)},
		checks.Guardrail{Metric: checks.Quantile, Q: 0.9, Column: "amount", Direction: lower, Margin: relative(0.1), Bounds: checks.Limits{Pause: plain(3)}, Relative: checks.Limits{Rollback: ratio(2)}},
		checks.Guardrail{Metric: checks.Mean, Column: "amount", Direction: stats.HigherIsBetter, Margin: relative(0.1), Bounds: checks.Limits{Pause: plain(0)}, Relative: checks.Limits{Rollback: ratio(0.5)}},
		checks.Guardrail{Metric: checks.Rate, Column: "amount", Direction: lower, Margin: points(0.01)},
	}
	for _, m := range []checks.Metric{checks.Accuracy, checks.LogLoss, checks.Brier, checks.AUC, checks.PositiveRate, checks.MeanScore} {
		out = append(out, checks.Guardrail{Metric: m, Column: "score", Direction: lower, Margin: relative(0.05), Bounds: checks.Limits{Pause: plain(0.5)}, Relative: checks.Limits{Rollback: ratio(2)}})
	}
	return out
}

// drawColumn makes a column of any type, often a degenerate one; nil is absent.
func drawColumn(t *rapid.T, name string, n int) any {
	odd := []float64{0, 1, 0.5, -1, 2, math.NaN(), math.Inf(1), math.Inf(-1), 1e300, -1e300, 5e-324, 0.3}
	var values any
	switch rapid.IntRange(0, 7).Draw(t, name) {
	case 0:
		return nil
	case 1:
		values = draw(n, func(int) string { return rapid.SampledFrom([]string{"allow", "block", "DE", ""}).Draw(t, "name") })
	case 2:
		values = draw(n, func(int) bool { return rapid.Bool().Draw(t, "bool") })
	case 3:
		values = draw(n, func(int) int64 { return rapid.Int64Range(-1, 2).Draw(t, "int") })
	case 4:
		values = repeat(rapid.SampledFrom(odd).Draw(t, "constant"), n)
	case 5:
		values = draw(n, func(int) float64 { return rapid.SampledFrom(odd).Draw(t, "odd") })
	default:
		values = draw(n, func(int) float64 { return rapid.Float64Range(0, 1).Draw(t, "share") })
	}
	if rapid.Bool().Draw(t, "nulls") {
		return maybe{values, draw(n, func(int) bool { return rapid.Bool().Draw(t, "valid") })}
	}
	return values
}

// drawArm makes a snapshot of anything; nil, no rows and odd columns included.
func drawArm(t *rapid.T, tb testing.TB, p *analysis.Policy, arm string) *analysis.Snapshot {
	n := rapid.SampledFrom([]int{0, 1, 2, 7, 40, 120}).Draw(t, arm+" rows")
	if n == 0 && rapid.Bool().Draw(t, arm+" missing") {
		return nil
	}
	spec, err := p.Spec()
	if err != nil {
		tb.Fatal(err)
	}
	c := analysis.NewCollector(spec)
	b := &analysis.Batch{Rows: n}
	for _, s := range spec.Columns {
		v := any(nil)
		switch {
		case n == 0:
		case s.Role == analysis.Unit: // the collector itself refuses other types
			v = draw(n, func(int) int64 { return rapid.Int64Range(0, 200).Draw(t, "id") })
		default:
			v = drawColumn(t, arm+" "+s.Name, n)
		}
		b.Columns = append(b.Columns, column(tb, v))
	}
	if err := c.Add(b); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Snapshot()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// TestChecksAreTotal: whatever the logs hold, every check reports findings that
// keep their promises, writes them as JSON, and reports the same again.
func TestChecksAreTotal(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := threeRules(policy(rapid.SampledFrom([]analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous}).Draw(rt, "looks"), everything()...))
		b, c := drawArm(rt, t, p, "baseline"), drawArm(rt, t, p, "candidate")
		for _, e := range p.Checks {
			ev := evidence(p, b, c)
			fs, err := e.Check.Run(ev)
			if err != nil {
				rt.Fatalf("%+v: %v", e.Check, err)
			}
			sound(t, fs)
			first, err := json.Marshal(fs)
			if err != nil {
				rt.Fatalf("%+v: %v", e.Check, err)
			}
			again, err := e.Check.Run(ev)
			if err != nil {
				rt.Fatal(err)
			}
			second, err := json.Marshal(again)
			if err != nil {
				rt.Fatal(err)
			}
			if d := cmp.Diff(string(first), string(second)); d != "" {
				rt.Fatalf("%+v is not deterministic:\n%s", e.Check, d)
			}
		}
	})
}

// TestSelfComparison: an arm is never harmful against itself, nor is it broken
// in a way that the other arm is not.
func TestSelfComparison(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := policy(rapid.SampledFrom([]analysis.LooksKind{analysis.Once, analysis.Continuous}).Draw(rt, "looks"), everything()...)
		s := drawArm(rt, t, p, "arm")
		for _, e := range p.Checks {
			fs, err := e.Check.Run(evidence(p, s, s))
			if err != nil {
				rt.Fatal(err)
			}
			for _, f := range fs {
				relativeOne := f.Code == "pause_bound" || f.Code == "rollback_bound" // about the arm by itself
				if f.Outcome == analysis.Harm && !relativeOne {
					rt.Fatalf("%s of %s harms against itself: %s", f.Code, f.Column, f.Message)
				}
			}
		}
	})
}
