package checks_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

// Late labels: a positive shows after a day on average, a negative is only known
// when ten days have passed without one.
const (
	lateMaturity = 10 * 24 * time.Hour
	lateLook     = 22.0 // days
)

// lateArm is an arm that serves from one day to another, with the labels that have
// arrived at the look. Every arm scores alike, and labels are as the scores say.
func lateArm(t testing.TB, seed uint64, p *analysis.Policy, from, to float64, n int, cutoff time.Time) *analysis.Snapshot {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 77))
	scores, ids, times := make([]float64, n), make([]int64, n), make([]int64, n)
	labels, there := make([]bool, n), make([]bool, n)
	for i := range scores {
		served := from + (to-from)*r.Float64()
		age := lateLook - served
		scores[i] = 0.05 + 0.5*r.Float64()
		labels[i] = r.Float64() < scores[i]
		there[i] = age > lateMaturity.Hours()/24
		if labels[i] {
			there[i] = there[i] || r.ExpFloat64() < age
		}
		ids[i] = int64(seed)<<32 + int64(i)
		times[i] = int64(served * float64(24*time.Hour/time.Microsecond))
	}
	spec, err := p.Spec()
	if err != nil {
		t.Fatal(err)
	}
	b := &analysis.Batch{Rows: n}
	for _, c := range spec.Columns {
		b.Columns = append(b.Columns, map[string]analysis.Column{
			"score": {Type: analysis.Float, Floats: scores},
			"label": {Type: analysis.Bool, Bools: labels, Valid: there},
			"id":    {Type: analysis.Int, Ints: ids},
			"ts":    {Type: analysis.Time, Ints: times},
		}[c.Name])
	}
	c := analysis.NewCollector(spec)
	if err := c.MatureBefore(cutoff); err != nil {
		t.Fatal(err)
	}
	if err := c.Add(b); err != nil {
		t.Fatal(err)
	}
	s, err := c.Take()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLateLabelsAreNoDifference: two arms of one quality, of which the candidate
// began later. Taken as they are, its labels are mostly the positive ones, which
// come early: the metrics differ beyond every margin. With equal time to mature
// they do not.
func TestLateLabelsAreNoDifference(t *testing.T) {
	metrics := []checks.Metric{checks.LogLoss, checks.Brier, checks.LabelRate}
	p := policy(analysis.Once)
	p.Columns.Time, p.Columns.Action, p.Columns.Features = "ts", "", nil
	p.Labels.Maturity = lateMaturity
	for _, m := range metrics {
		g := checks.Guardrail{Metric: m, Margin: &analysis.Quantity{Value: 0.15, Unit: analysis.Relative}, Direction: stats.LowerIsBetter}
		if m != checks.LabelRate {
			g.Column = "score"
		} else {
			g.Column = "label"
		}
		p.Checks = append(p.Checks, analysis.CheckEntry{Check: g, Severity: analysis.SeverityRollback, Required: true})
	}
	now := time.UnixMicro(int64(lateLook * float64(24*time.Hour/time.Microsecond))).UTC()
	estimates := map[string][2]float64{}
	for seed := range uint64(12) {
		for k, cutoff := range []time.Time{{}, p.MatureBefore(now)} {
			b, c := lateArm(t, 2*seed, p, 0, 20, 16000, cutoff), lateArm(t, 2*seed+1, p, 9, 20, 16000, cutoff)
			v, err := analysis.Evaluate(p, b, c, nil, now)
			if err != nil {
				t.Fatal(err)
			}
			covered := true
			for _, f := range v.Findings {
				switch {
				case f.Code == "label_coverage":
					covered = false
				case f.Code != "margin":
				case k == 1 && (f.Outcome == analysis.Harm || f.Outcome == analysis.Invalid || f.Untrusted):
					t.Errorf("seed %d: %s is %v with equal time to mature: %s", seed, f.Metric, f.Outcome, f.Message)
				default:
					e := estimates[f.Metric]
					e[k] += f.Estimate.Point / 12
					estimates[f.Metric] = e
					if k == 0 && math.Abs(f.Estimate.Point) < float64(f.Limit) {
						t.Errorf("seed %d: %s does not show the labels that are missing: %v", seed, f.Metric, f.Estimate)
					}
				}
			}
			if covered != (k == 1) {
				t.Errorf("seed %d, cutoff %v: the shares of labelled rows are alike: %v", seed, cutoff, covered)
			}
		}
	}
	for m, e := range estimates {
		if math.Abs(e[1]) > 0.02 || math.Abs(e[0]) < 0.2 {
			t.Errorf("%s: mean relative difference %.3f as the labels are, %.3f with equal time to mature", m, e[0], e[1])
		}
	}
	if len(estimates) != len(metrics) {
		t.Errorf("findings of %v", estimates)
	}
}
