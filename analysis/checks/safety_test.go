package checks_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// rollout reads a policy with the checks, over the columns of plainLog.
func rollout(t testing.TB, looks, entries string) *analysis.Policy {
	t.Helper()
	p, err := analysis.LoadPolicy("p.yaml", []byte(`version: 1
model: {name: m, baseline: v1, candidate: v2}
task: binary
looks: `+looks+`
columns: {score: score, label: label, unit: id, action: action, features: [amount, country]}
score_range: [0, 1]
split: {baseline: 0.5, candidate: 0.5}
actions: {version: "1", rules: [{name: block, at_least: 0.6}, {name: allow}]}
checks:
`+entries), checks.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// plainLog is a log in which nothing is wrong.
func plainLog(seed uint64, n int) table {
	r := random(seed)
	score, label, action := make([]float64, n), make([]bool, n), make([]string, n)
	for i := range n {
		score[i] = r.Float64()
		label[i] = r.Float64() < score[i]
		action[i] = map[bool]string{true: "block", false: "allow"}[score[i] >= 0.6]
	}
	return table{
		"score": score, "label": label, "action": action, "id": ids(int(seed)*1_000_000, n),
		"amount":  draw(n, func(int) float64 { return math.Exp(r.NormFloat64()) }),
		"country": draw(n, func(int) string { return []string{"DE", "FR"}[r.IntN(2)] }),
	}
}

// TestBrokenEvidenceNeverContinues: whatever is missing or broken, in either arm
// or both, a policy that requires every check does not continue.
func TestBrokenEvidenceNeverContinues(t *testing.T) {
	const n = 6000
	null := func(v any) any { return maybe{v, repeat(false, n)} }
	spoil := map[string]func(table) table{
		"nil":           func(table) table { return nil },
		"no rows":       func(table) table { return table{} },
		"no score":      func(x table) table { x["score"] = nil; return x },
		"no label":      func(x table) table { x["label"] = nil; return x },
		"no action":     func(x table) table { x["action"] = nil; return x },
		"no id":         func(x table) table { x["id"] = nil; return x },
		"no feature":    func(x table) table { x["amount"] = nil; return x },
		"null labels":   func(x table) table { x["label"] = null(x["label"]); return x },
		"null scores":   func(x table) table { x["score"] = null(x["score"]); return x },
		"null actions":  func(x table) table { x["action"] = null(x["action"]); return x },
		"NaN scores":    func(x table) table { x["score"] = repeat(math.NaN(), n); return x },
		"text scores":   func(x table) table { x["score"] = repeat("0.5", n); return x },
		"equal scores":  func(x table) table { x["score"] = repeat(0.5, n); return x },
		"text labels":   func(x table) table { x["label"] = repeat("yes", n); return x },
		"labels 0 to 2": func(x table) table { x["label"] = draw(n, func(i int) int64 { return int64(i % 3) }); return x },
		"one class":     func(x table) table { x["label"] = repeat(true, n); return x },
		"wrong actions": func(x table) table { x["action"] = repeat("fallback", n); return x },
		"one unit":      func(x table) table { x["id"] = repeat(int64(7), n); return x },
	}
	for _, looks := range []string{"once", "continuous"} {
		p := rollout(t, looks, `  - {check: schema}
  - {check: srm}
  - {check: drift, column: score, severity: pause}
  - {check: collapse}
  - {check: actions, margin: 8pp}
  - {check: guardrail, metric: log_loss, margin: 20%}
  - {check: guardrail, metric: auc, margin: 8pp}
`)
		verdict := func(b, c table) analysis.Verdict {
			var arms [2]*analysis.Snapshot
			for i, x := range []table{b, c} {
				if x != nil {
					arms[i] = collect(t, p, x)
				}
			}
			v, err := analysis.Evaluate(p, arms[0], arms[1], nil, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		if v := verdict(plainLog(1, n), plainLog(2, n)); v.Decision != analysis.Continue {
			t.Errorf("%s: sound logs: %v: %+v", looks, v.Decision, v.Reasons)
		}
		for name, f := range spoil {
			for arms, v := range map[string]analysis.Verdict{
				"baseline":  verdict(f(plainLog(1, n)), plainLog(2, n)),
				"candidate": verdict(plainLog(1, n), f(plainLog(2, n))),
				"both":      verdict(f(plainLog(1, n)), f(plainLog(2, n))),
			} {
				if v.Decision == analysis.Continue {
					t.Errorf("%s: %s in %s: continue", looks, name, arms)
				}
			}
		}
	}
}

// TestWarningsRuleOutTheLimit: a warning lets a rollout continue, so it must not
// stand for what may be beyond the limit.
func TestWarningsRuleOutTheLimit(t *testing.T) {
	const n = 700
	drifted := plainLog(2, n)
	r := random(9)
	drifted["score"] = draw(n, func(int) float64 { return math.Pow(r.Float64(), 1.75) })
	nulls := plainLog(2, n)
	nulls["amount"] = maybe{nulls["amount"], draw(n, func(i int) bool { return i%16 != 0 })}
	for _, tc := range []struct {
		entry string
		cand  table
	}{
		{"  - {check: drift, column: score, metric: psi, severity: pause}\n", drifted},
		{"  - {check: schema}\n", nulls},
	} {
		p := rollout(t, "once", tc.entry)
		v, err := analysis.Evaluate(p, collect(t, p, plainLog(1, n)), collect(t, p, tc.cand), nil, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		f := v.Findings[0]
		if f.Estimate.Point < float64(f.Limit) || float64(f.HarmBound) > float64(f.Limit) {
			t.Fatalf("the log is not what the test needs: %v, harm bound %v, limit %v", f.Estimate, f.HarmBound, f.Limit)
		}
		is(t, f, analysis.Inconclusive)
		if v.Decision != analysis.Pause {
			t.Errorf("%v: %s", v.Decision, f.Message)
		}
	}
}

// TestSRMHasPower: a pass says that an arm that gets nothing would have been
// found out.
func TestSRMHasPower(t *testing.T) {
	p := policy(analysis.Continuous, checks.SRM{})
	p.Split = analysis.Split{Baseline: 0.99, Candidate: 0.01}
	for _, n := range []int{10, 400, 1000} {
		is(t, only(t, run(t, p, plainLog(1, n), table{}), "srm"), analysis.Insufficient)
	}
	is(t, only(t, run(t, p, plainLog(1, 1500), table{}), "srm"), analysis.Invalid)
	is(t, only(t, run(t, p, plainLog(1, 9900), plainLog(2, 100)), "srm"), analysis.Pass)

	ev := evidence(p, collect(t, p, plainLog(1, 3000)), collect(t, p, plainLog(2, 3000)))
	ev.Alpha = 0
	fs, err := p.Checks[0].Check.Run(ev)
	if err != nil {
		t.Fatal(err)
	}
	is(t, only(t, fs, "srm"), analysis.Inconclusive)
}

// TestSkewedMetricsWait: where positives are rare, a small canary that has seen
// too few of them looks better than it is. It has to wait.
func TestSkewedMetricsWait(t *testing.T) {
	rare := func(seed uint64, n int) table {
		r := random(seed)
		return table{"score": draw(n, func(int) float64 { return 0.01 * (0.5 + r.Float64()) }), "label": draw(n, func(int) bool { return r.Float64() < 0.01 })}
	}
	g := checks.Guardrail{Metric: checks.LogLoss, Column: "score", Margin: relative(0.05)}
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
		p := policy(looks, g)
		base := rare(1, 40000)
		for seed := range uint64(8) {
			f := only(t, run(t, p, base, rare(seed+2, 200)), "margin")
			is(t, f, analysis.Insufficient)
			if !has(f, checks.WarnSkewed) || f.UnitsNeeded < 1000 {
				t.Errorf("%d units needed, warnings %v", f.UnitsNeeded, f.Warnings)
			}
		}
		is(t, only(t, run(t, p, rare(1, 40000), rare(2, 40000)), "margin"), map[analysis.LooksKind]analysis.Outcome{
			analysis.Once: analysis.Inconclusive, analysis.Continuous: analysis.Inconclusive,
		}[looks])
	}
}

// TestRollbackLimitsSpendTheRollbackBudget: a limit that rolls back under a
// milder severity would take its error from another budget.
func TestRollbackLimitsSpendTheRollbackBudget(t *testing.T) {
	for _, severity := range []string{"info", "warn", "pause"} {
		for _, limit := range []string{"bounds: {rollback: 0.5}", "relative: {rollback: 2x}"} {
			_, err := load(fmt.Sprintf("{check: guardrail, metric: log_loss, %s, severity: %s}", limit, severity))
			if err == nil {
				t.Errorf("%s with severity %s loads", limit, severity)
			}
		}
	}
}
