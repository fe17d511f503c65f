package checks_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

// ramp is a policy in stages with the given shares of the candidate.
func ramp(looks analysis.LooksKind, shares []float64, cs ...analysis.Check) *analysis.Policy {
	p := policy(looks, cs...)
	for i, s := range shares {
		p.Stages = append(p.Stages, analysis.Stage{Name: string(rune('a' + i)), Weight: 100 * s})
	}
	return p
}

// stages is the evidence of the first stages of a ramp.
func stages(t testing.TB, p *analysis.Policy, arms ...[2]table) *analysis.Evidence {
	t.Helper()
	var ev *analysis.Evidence
	var strata []analysis.Stratum
	for i, a := range arms {
		name := p.Stages[i].Name
		s := analysis.Stratum{Stage: name, Split: p.SplitOf(name)}
		if a[0] != nil {
			s.Baseline = collect(t, p, a[0])
		}
		if a[1] != nil {
			s.Candidate = collect(t, p, a[1])
		}
		strata = append(strata, s)
		ev = evidence(p, s.Baseline, s.Candidate)
		ev.Stage, ev.Split = name, s.Split
	}
	ev.Strata = strata
	return ev
}

func runOn(t testing.TB, c analysis.Check, ev *analysis.Evidence) []analysis.Finding {
	t.Helper()
	fs, err := c.Run(ev)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, fs)
	return fs
}

// moving is a log of one arm in a stage in which everything is worse by the
// factor hard, in both arms alike.
func moving(seed uint64, n int, hard float64) table {
	r := random(seed)
	tab := table{}
	score, label := make([]float64, n), make([]bool, n)
	for i := range n {
		p := r.Float64() * r.Float64()
		label[i] = r.Float64() < p
		score[i] = math.Round(1000*((1-0.2*hard)*p+0.2*hard*r.Float64())) / 1000 // more noise where it is hard
	}
	tab["score"], tab["label"] = score, label
	tab["error"] = draw(n, func(int) bool { return r.Float64() < 0.01*hard })
	tab["latency"] = draw(n, func(int) float64 { return math.Round(100*hard*math.Exp(r.NormFloat64()/2)) / 10 })
	tab["action"] = draw(n, func(int) string {
		if r.Float64() < 0.05*hard {
			return "block"
		}
		return "allow"
	})
	return tab
}

// TestRampIsNotPooled: while the share of the candidate grows, everything gets
// worse for both arms. Within every stage the arms are alike, so there is no
// harm; added up, the candidate has most of its rows in the bad times.
func TestRampIsNotPooled(t *testing.T) {
	shares := []float64{0.01, 0.1, 0.5}
	lower := stats.LowerIsBetter
	for _, c := range []analysis.Check{
		checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: lower, Margin: relative(0.1), Bounds: checks.Limits{Pause: plain(0.5)}},
		checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: lower, Margin: points(0.005)},
		checks.Guardrail{Metric: checks.Mean, Column: "latency", Direction: lower, Margin: relative(0.1)},
		checks.Guardrail{Metric: checks.Quantile, Q: 0.9, Column: "latency", Direction: lower, Margin: relative(0.2)},
		checks.Guardrail{Metric: checks.LogLoss, Column: "score", Margin: relative(0.02)},
		checks.Guardrail{Metric: checks.Brier, Column: "score", Margin: relative(0.02)},
		checks.Guardrail{Metric: checks.AUC, Column: "score", Margin: points(0.01)},
		checks.Actions{Margin: analysis.Quantity{Value: 0.02, Unit: analysis.Points}},
	} {
		for _, looks := range []analysis.LooksKind{analysis.Continuous, analysis.Scheduled} {
			p := ramp(looks, shares, c)
			ev := stages(t, p, [2]table{moving(1, 19800, 1), moving(2, 200, 1)},
				[2]table{moving(3, 18000, 2), moving(4, 2000, 2)}, [2]table{moving(5, 10000, 4), moving(6, 10000, 4)})
			for _, f := range runOn(t, c, ev) {
				if f.Outcome == analysis.Harm {
					t.Errorf("%s of %s: harm although no stage differs: %s", f.Code, f.Metric, f.Message)
				}
			}
			pooled := evidence(policy(looks, c), merge(t, ev, func(s analysis.Stratum) *analysis.Snapshot { return s.Baseline }),
				merge(t, ev, func(s analysis.Stratum) *analysis.Snapshot { return s.Candidate }))
			harm := false
			for _, f := range runOn(t, c, pooled) {
				harm = harm || f.Outcome == analysis.Harm
			}
			if !harm {
				t.Errorf("%+v: pooling shows no harm, so this proves nothing", c)
			}
		}
	}
}

func merge(t testing.TB, ev *analysis.Evidence, arm func(analysis.Stratum) *analysis.Snapshot) *analysis.Snapshot {
	t.Helper()
	var ss []*analysis.Snapshot
	for _, s := range ev.Strata {
		ss = append(ss, arm(s))
	}
	out, err := analysis.MergeSnapshots(ss...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestStagesFindHarm: what is worse in every stage is harm, and what is not
// passes.
func TestStagesFindHarm(t *testing.T) {
	shares := []float64{0.05, 0.2, 0.5}
	lower := stats.LowerIsBetter
	for _, c := range []analysis.Check{
		checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: lower, Margin: relative(0.5), MinUnits: 100},
		checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: lower, Margin: points(0.01)},
		checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: lower, Relative: checks.Limits{Rollback: ratio(1.5)}},
		checks.Guardrail{Metric: checks.Mean, Column: "latency", Direction: lower, Margin: relative(0.2)},
		checks.Guardrail{Metric: checks.Quantile, Q: 0.9, Column: "latency", Direction: lower, Margin: relative(0.5)},
		checks.Guardrail{Metric: checks.LogLoss, Column: "score", Margin: relative(0.05)},
		checks.Guardrail{Metric: checks.AUC, Column: "score", Margin: points(0.02)},
		checks.Actions{Margin: analysis.Quantity{Value: 0.03, Unit: analysis.Points}},
	} {
		for _, looks := range []analysis.LooksKind{analysis.Continuous, analysis.Scheduled, analysis.Once} {
			p := ramp(looks, shares, c)
			for _, tc := range []struct {
				hard float64
				want analysis.Outcome
			}{{2.4, analysis.Harm}, {1, analysis.Pass}} {
				ev := stages(t, p, [2]table{moving(1, 9500, 1), moving(2, 500, tc.hard)},
					[2]table{moving(3, 24000, 1.1), moving(4, 6000, 1.1*tc.hard)}, [2]table{moving(5, 30000, 1.2), moving(6, 30000, 1.2*tc.hard)})
				for _, f := range runOn(t, c, ev) {
					if f.Code != "label_coverage" {
						is(t, f, tc.want)
					}
				}
			}
		}
	}
}

// TestSplitStages: the evidence of one stage, cut in two of the same split, gives
// the same estimates but for rounding, and nearly the same bounds.
func TestSplitStages(t *testing.T) {
	lower := stats.LowerIsBetter
	rapid.Check(t, func(rt *rapid.T) {
		looks := rapid.SampledFrom([]analysis.LooksKind{analysis.Continuous, analysis.Scheduled}).Draw(rt, "looks")
		k := rapid.IntRange(200, 1200).Draw(rt, "rows")
		each := rapid.IntRange(1, 9).Draw(rt, "baseline per candidate")
		seed := rapid.Uint64Range(0, 1000).Draw(rt, "seed")
		r := random(seed)
		n := k * (each + 1)
		values := func(n int) table {
			return table{"error": draw(n, func(int) bool { return r.Float64() < 0.1 }), "latency": draw(n, func(int) float64 { return 100 + r.NormFloat64() })}
		}
		parts := [2][2]table{{values(k * each), values(k)}, {values(k * each), values(k)}}
		for _, c := range []analysis.Check{
			checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: lower, Margin: points(0.02)},
			checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: lower, Margin: relative(0.1)},
			checks.Guardrail{Metric: checks.Mean, Column: "latency", Direction: lower, Margin: relative(0.1), Bounds: checks.Limits{Pause: plain(101)}},
		} {
			share := 1 / float64(each+1)
			p := ramp(looks, []float64{share, share}, c)
			two := stages(t, p, parts[0], parts[1])
			one := *two
			one.Baseline = merge(t, two, func(s analysis.Stratum) *analysis.Snapshot { return s.Baseline })
			one.Candidate = merge(t, two, func(s analysis.Stratum) *analysis.Snapshot { return s.Candidate })
			one.Strata = []analysis.Stratum{{Stage: "b", Split: two.Split, Baseline: one.Baseline, Candidate: one.Candidate}}
			a, b := runOn(t, c, two), runOn(t, c, &one)
			for i := range a {
				x, y := a[i].Estimate, b[i].Estimate
				if math.Abs(x.Point-y.Point) > 1e-9 {
					rt.Fatalf("%s %s: point %v and %v", a[i].Code, a[i].Metric, x.Point, y.Point)
				}
				// Rounding of effective counts moves a bound by less than one event.
				tolerance := 0.05*(y.Hi-y.Lo) + 2/float64(n*min(1, each))
				if math.Abs(x.Lo-y.Lo) > tolerance || math.Abs(x.Hi-y.Hi) > tolerance {
					rt.Fatalf("%s %s, looks %v, %d and %d rows: %v and %v", a[i].Code, a[i].Metric, looks, k, k*each, x, y)
				}
			}
		}
	})
}

// TestFirstStageCountsAlike: the first stage of a ramp has the estimates of
// evidence without stages.
func TestFirstStageCountsAlike(t *testing.T) {
	base, cand := moving(1, 4000, 1), moving(2, 2000, 1)
	for _, c := range []analysis.Check{
		checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: stats.LowerIsBetter, Margin: points(0.02)},
		checks.Guardrail{Metric: checks.Quantile, Q: 0.9, Column: "latency", Direction: stats.LowerIsBetter, Margin: relative(0.3)},
		checks.Guardrail{Metric: checks.AUC, Column: "score", Margin: points(0.02)},
		checks.Actions{},
	} {
		p := ramp(analysis.Continuous, []float64{1.0 / 3, 0.5}, c)
		a := runOn(t, c, stages(t, p, [2]table{base, cand}))
		b := run(t, policy(analysis.Continuous, c), base, cand)
		for i := range a {
			if a[i].Estimate.Point != b[i].Estimate.Point || a[i].N != b[i].N {
				t.Errorf("%s: %v of %v with stages, %v of %v without", a[i].Metric, a[i].Estimate, a[i].N, b[i].Estimate, b[i].N)
			}
		}
	}
}

// TestStagesWithoutRows: a stage without rows of an arm says nothing about the
// difference, but its rows count for bounds.
func TestStagesWithoutRows(t *testing.T) {
	g := checks.Guardrail{Metric: checks.Rate, Column: "error", Direction: stats.LowerIsBetter, Margin: points(0.02), Bounds: checks.Limits{Pause: plain(0.05)}}
	p := ramp(analysis.Continuous, []float64{0.1, 0.5, 1}, g)
	full := [2]table{moving(1, 6000, 1), moving(2, 5000, 1)}
	fs := runOn(t, g, stages(t, p, [2]table{moving(3, 3000, 1), nil}, full, [2]table{nil, moving(4, 7000, 1)}))
	f := only(t, fs, "margin")
	is(t, f, analysis.Pass)
	if want := (analysis.Counts{Baseline: 6000, Candidate: 5000}); f.N != want {
		t.Errorf("N = %v, want %v", f.N, want)
	}
	f = only(t, fs, "pause_bound")
	is(t, f, analysis.Pass)
	if f.N.Candidate != 12000 || f.Compared != analysis.Absolute {
		t.Errorf("bound rests on %v, compared with %v", f.N, f.Compared)
	}
	fs = runOn(t, g, stages(t, p, [2]table{moving(3, 3000, 1), nil}, [2]table{nil, moving(4, 7000, 1)}))
	is(t, only(t, fs, "no_stage_in_common"), analysis.NoData)
	is(t, only(t, fs, "pause_bound"), analysis.Pass)
}

// TestStagesOfLabels: labels missing from one arm show over all stages.
func TestStagesOfLabels(t *testing.T) {
	g := checks.Guardrail{Metric: checks.LogLoss, Column: "score", Margin: relative(0.1)}
	p := ramp(analysis.Continuous, []float64{0.1, 0.5}, g)
	lost := func(seed uint64, n int, share float64) table {
		tab := moving(seed, n, 1)
		tab["label"] = maybe{tab["label"], draw(n, func(i int) bool { return float64(i) < share*float64(n) })}
		return tab
	}
	fs := runOn(t, g, stages(t, p, [2]table{lost(1, 9000, 0.9), lost(2, 1000, 0.7)}, [2]table{lost(3, 9000, 0.9), lost(4, 9000, 0.7)}))
	f := only(t, fs, "label_coverage")
	is(t, f, analysis.Invalid)
	// Labels that come later in one stage than in another do not.
	fs = runOn(t, g, stages(t, p, [2]table{lost(1, 9000, 0.9), lost(2, 1000, 0.9)}, [2]table{lost(3, 9000, 0.5), lost(4, 9000, 0.5)}))
	for _, f := range fs {
		if f.Code == "label_coverage" {
			t.Error(f.Message)
		}
	}
}
