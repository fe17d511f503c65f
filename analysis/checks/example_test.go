package checks_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

// answer runs the check on rows of both arms and prints what it found. Rows come
// from an adapter in real life.
func answer(c analysis.Check, columns analysis.Columns, baseline, candidate func(r *rand.Rand) map[string]any) {
	p := &analysis.Policy{
		Looks:   analysis.Looks{Kind: analysis.Once},
		Columns: columns,
		Split:   analysis.Split{Baseline: 0.5, Candidate: 0.5},
		Budget:  analysis.Budget{Rollback: 0.05, Pause: 0.1, SRM: 0.001},
		Checks:  []analysis.CheckEntry{{Check: c, Severity: analysis.SeverityPause, Required: true}},
	}
	spec, err := p.Spec()
	if err != nil {
		fmt.Println(err)
		return
	}
	var arms [2]*analysis.Snapshot
	for i, rows := range []func(*rand.Rand) map[string]any{baseline, candidate} {
		values := rows(rand.New(rand.NewPCG(uint64(i), 1)))
		batch := analysis.Batch{}
		for _, s := range spec.Columns {
			col := analysis.Column{}
			switch v := values[s.Name].(type) {
			case []float64:
				col, batch.Rows = analysis.Column{Type: analysis.Float, Floats: v}, len(v)
			case []bool:
				col, batch.Rows = analysis.Column{Type: analysis.Bool, Bools: v}, len(v)
			case []int64:
				col, batch.Rows = analysis.Column{Type: analysis.Int, Ints: v}, len(v)
			}
			batch.Columns = append(batch.Columns, col)
		}
		collector := analysis.NewCollector(spec)
		if err := collector.Add(&batch); err != nil {
			fmt.Println(err)
			return
		}
		if arms[i], err = collector.Snapshot(); err != nil {
			fmt.Println(err)
			return
		}
	}
	findings, err := c.Run(&analysis.Evidence{Baseline: arms[0], Candidate: arms[1], Policy: p, Alpha: 0.05, NoHarmAlpha: analysis.NoHarmAlpha})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range findings {
		fmt.Printf("%s: %v\n%s\n", f.Code, f.Outcome, f.Message)
	}
}

// A policy file names the checks of the registry.
func ExampleBuiltin() {
	const file = `
version: 1
model: {name: fraud-detector, baseline: v2.0, candidate: v2.1}
columns: {score: score, label: label, features: [amount]}
checks:
  - {check: schema}
  - {check: guardrail, metric: log_loss, margin: 2%, severity: rollback}
  - {check: drift, column: amount, metric: psi}
`
	p, err := analysis.LoadPolicy("policy.yaml", []byte(file), checks.Builtin())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range p.Checks {
		fmt.Println(e.Check.Name(), e.Severity)
	}
	// Output:
	// schema pause
	// guardrail rollback
	// drift warn
}

// An error rate may rise by half a percentage point, and must stay below 3%.
func ExampleGuardrail() {
	rate := func(x, n int) func(*rand.Rand) map[string]any {
		return func(*rand.Rand) map[string]any {
			return map[string]any{"error": draw(n, func(i int) bool { return i < x })}
		}
	}
	g := checks.Guardrail{
		Metric: checks.Rate, Column: "error", Direction: stats.LowerIsBetter,
		Margin: &analysis.Quantity{Value: 0.005, Unit: analysis.Points},
		Bounds: checks.Limits{Rollback: &analysis.Quantity{Value: 0.03}},
	}
	answer(g, analysis.Columns{}, rate(200, 20000), rate(420, 20000))
	// Output:
	// margin: harm
	// rate of error went from 1% to 2.1%: 1.1 pp worse, surely at least 0.86 pp worse. The limit is 0.5 pp. 20,000 against 20,000 rows.
	// rollback_bound: pass
	// rate of error of the candidate is 2.1%, at worst 2.27%. The limit is 3%. 20,000 rows.
}

// Few rows are no reason to pass.
func ExampleGuardrail_inconclusive() {
	rate := func(x, n int) func(*rand.Rand) map[string]any {
		return func(*rand.Rand) map[string]any {
			return map[string]any{"error": draw(n, func(i int) bool { return i < x })}
		}
	}
	g := checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: stats.LowerIsBetter, Margin: &analysis.Quantity{Value: 0.005, Unit: analysis.Points}}
	answer(g, analysis.Columns{}, rate(10, 1000), rate(9, 1000))
	// Output:
	// margin: inconclusive
	// Cannot tell yet: rate of error went from 1% to 0.9%: 0.1 pp better, somewhere between 0.86 pp better and 0.66 pp worse. The limit is 0.5 pp. 1,000 against 1,000 rows.
}

// Half of the candidate's answers are one and the same.
func ExampleCollapse() {
	scores := func(stuck float64) func(*rand.Rand) map[string]any {
		return func(r *rand.Rand) map[string]any {
			return map[string]any{"score": draw(4000, func(int) float64 {
				if r.Float64() < stuck {
					return 0.5
				}
				return r.Float64()
			})}
		}
	}
	answer(checks.Collapse{}, analysis.Columns{Score: "score"}, scores(0), scores(0.3))
	// Output:
	// collapse_spike: harm
	// score: one value takes up many of the candidate's rows (0.5 to 0.5005). spike: 28.5 pp (0.00025 of the baseline, 0.2853 of the candidate), surely at least 25.2 pp; the limit is 10 pp. 4,000 against 4,000 values.
	// collapse_repetition: harm
	// score: the candidate repeats the same values. repetition: 12.22x (0.0003208 of the baseline, 0.08148 of the candidate), surely at least 10.65x; the limit is 3x. 4,000 against 4,000 values.
}

// The amounts have shifted; without a column all features are compared.
func ExampleDrift() {
	amounts := func(mean float64) func(*rand.Rand) map[string]any {
		return func(r *rand.Rand) map[string]any {
			return map[string]any{"amount": draw(5000, func(int) float64 { return mean + r.NormFloat64() })}
		}
	}
	answer(checks.Drift{}, analysis.Columns{Features: []string{"amount"}}, amounts(10), amounts(11))
	// Output:
	// drift: harm
	// amount drifted: psi_equivalent 0.8734, surely at least 0.8132. The limit is 0.25, the warning level 0.1. Most of it: 11.62 and above went from 5.32% to 26.3% of the rows. 5,000 against 5,000 rows.
	// drift_ranking: warn
	// 1 of 1 columns differ by an amount that matters; more than chance gives: amount. Look at amount first (11.62 and above, 5.32% to 26.3% of the rows).
}

// Units arrive unevenly, and the amounts say where they are lost.
func ExampleSRM() {
	log := func(keep float64) func(*rand.Rand) map[string]any {
		return func(r *rand.Rand) map[string]any {
			var hours []int64
			for i := range int64(24000) {
				if i%24 != 5 || r.Float64() < keep {
					hours = append(hours, i%24)
				}
			}
			return map[string]any{"hour": hours}
		}
	}
	answer(checks.SRM{}, analysis.Columns{Features: []string{"hour"}}, log(1), log(0))
	// Output:
	// srm: invalid
	// Sample ratio mismatch: the candidate has 48.9% of the units, 50% was intended (24,000 against 23,000 units; e-value 1527). The arms do not hold comparable units, so no other number can be trusted. The candidate gets too little of hour=5 (0%); without them it has 50%, which fits: look for what loses or diverts these.
}

// More is blocked than before.
func ExampleActions() {
	actions := func(block int) func(*rand.Rand) map[string]any {
		return func(*rand.Rand) map[string]any {
			return map[string]any{"blocked": draw(10000, func(i int) bool { return i < block })}
		}
	}
	answer(checks.Actions{}, analysis.Columns{Action: "blocked"}, actions(300), actions(1200))
	// Output:
	// action_share: harm
	// The action false went from 97% to 88% of the rows, surely by at least 8.17 pp; the margin is 5 pp. 10,000 against 10,000 rows.
	// action_share: harm
	// The action true went from 3% to 12% of the rows, surely by at least 8.17 pp; the margin is 5 pp. 10,000 against 10,000 rows.
}

// A column that the candidate stopped logging.
func ExampleSchema() {
	rows := func(columns ...string) func(*rand.Rand) map[string]any {
		return func(*rand.Rand) map[string]any {
			out := map[string]any{}
			for _, name := range columns {
				out[name] = draw(1000, func(i int) float64 { return float64(i) })
			}
			return out
		}
	}
	answer(checks.Schema{}, analysis.Columns{Features: []string{"amount", "age"}}, rows("amount", "age"), rows("age"))
	// Output:
	// column_absent: invalid
	// The log of the candidate has no column amount.
}
