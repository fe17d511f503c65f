package checks_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// versioned adds the column of the version that served the rows.
func versioned(tab table, versions ...string) table {
	n := len(tab["action"].([]string))
	return with(tab, "thresholds", draw(n, func(i int) string { return versions[i*len(versions)/n] }))
}

func versionPolicy(a checks.Actions) *analysis.Policy {
	p := threeRules(policy(analysis.Once, a))
	p.Columns.PolicyVersion, p.Actions.Version = "thresholds", "v1"
	return p
}

// TestPolicyVersions: a log that is not of one version, that of the policy, gives
// that finding and no other.
func TestPolicyVersions(t *testing.T) {
	log := served(8000, 1500, 500)
	one := versioned(log, "v1")
	valid := slices.Repeat([]bool{true}, 10000)
	valid[17] = false
	holes := with(log, "thresholds", maybe{slices.Repeat([]string{"v1"}, 10000), valid})
	for name, tc := range map[string]struct {
		base, cand table
		code, arm  string
		says       string
	}{
		"mixed":           {one, versioned(log, "v1", "v1", "v1", "v2"), "mixed_policy_versions", "candidate", "v1 in 7,500 rows and v2 in 2,500 rows"},
		"mixed baseline":  {versioned(log, "v1", "v2"), one, "mixed_policy_versions", "baseline", "2 versions"},
		"changed":         {one, versioned(log, "v2"), "wrong_policy_version", "candidate", "by version v2 of the thresholds in all 10,000 rows, but the policy file has version v1"},
		"a row without":   {one, holes, "no_policy_version", "candidate", "1 of 10,000 rows"},
		"no such column":  {one, log, "no_policy_version", "candidate", "10,000 of 10,000 rows"},
		"other shares as": {one, versioned(served(2000, 1500, 6500), "v2"), "wrong_policy_version", "candidate", "v2"},
	} {
		fs := run(t, versionPolicy(checks.Actions{Cap: 0.001, MaxIrreversible: 1}), tc.base, tc.cand)
		f := only(t, fs, tc.code)
		is(t, f, analysis.Invalid)
		if len(fs) != 1 || f.Metric != tc.arm || f.Local || f.Column != "thresholds" || !strings.Contains(f.Message, tc.says) {
			t.Errorf("%s: %d findings, %+v", name, len(fs), f)
		}
	}
	if fs := run(t, versionPolicy(checks.Actions{}), one, one); len(fs) != 3 {
		t.Errorf("%d findings about one version", len(fs))
	}
	both := run(t, versionPolicy(checks.Actions{}), versioned(log, "v0"), versioned(log, "v2"))
	if len(both) != 2 {
		t.Errorf("%d findings about two arms of wrong versions", len(both))
	}
	// The candidate may have thresholds of its own, under their own version.
	p := versionPolicy(checks.Actions{})
	own := p.Actions
	own.Version = "v2"
	p.Actions.Candidate = &own
	if fs := run(t, p, one, versioned(log, "v2")); len(fs) != 3 {
		t.Errorf("%d findings about a candidate with its own version", len(fs))
	}
	is(t, only(t, run(t, p, one, one), "wrong_policy_version"), analysis.Invalid)
	// A policy without a version still wants the same thresholds in both arms.
	p = versionPolicy(checks.Actions{})
	p.Actions.Version = ""
	is(t, only(t, run(t, p, one, versioned(log, "v2")), "wrong_policy_version"), analysis.Invalid)
	if fs := run(t, p, one, one); len(fs) != 3 {
		t.Errorf("%d findings without a version in the policy", len(fs))
	}
	// Numbers are versions, too.
	p = versionPolicy(checks.Actions{})
	p.Actions.Version = "20260131"
	dated := with(log, "thresholds", repeat(int64(20260131), 10000))
	if fs := run(t, p, dated, dated); len(fs) != 3 {
		t.Errorf("%d findings about a version that is a number: %+v", len(fs), fs)
	}
	many := with(log, "thresholds", draw(10000, func(i int) float64 { return float64(i) / 7 }))
	is(t, only(t, run(t, p, dated, many), "mixed_policy_versions"), analysis.Invalid)
}

// TestVersionsOfStages: a version that changed from one stage to the next is found,
// though each stage has one.
func TestVersionsOfStages(t *testing.T) {
	p := versionPolicy(checks.Actions{})
	log := served(8000, 1500, 500)
	v1, v2 := collect(t, p, versioned(log, "v1")), collect(t, p, versioned(log, "v2"))
	ev := evidence(p, v1, v1)
	ev.Stage = "b"
	ev.Strata = []analysis.Stratum{{Stage: "a", Baseline: v1, Candidate: v2}, {Stage: "b", Baseline: v1, Candidate: v1}}
	fs, err := p.Checks[0].Check.Run(ev)
	if err != nil {
		t.Fatal(err)
	}
	is(t, only(t, fs, "mixed_policy_versions"), analysis.Invalid)
}

// TestBlastRadius: the share of an irreversible action, by its bounds.
func TestBlastRadius(t *testing.T) {
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous} {
		p := threeRules(policy(looks, checks.Actions{Cap: 0.02}))
		for _, tc := range []struct {
			blocked int
			want    analysis.Outcome
		}{{500, analysis.Harm}, {100, analysis.Pass}, {205, analysis.Inconclusive}, {195, analysis.Inconclusive}} {
			fs := run(t, p, served(10000, 0, 0), served(9000, 1000-tc.blocked, tc.blocked))
			f := only(t, fs, "blast_radius")
			is(t, f, tc.want)
			if len(fs) != 1 || f.Metric != "block" || f.Limit != 0.02 || f.N.Baseline != 0 {
				t.Errorf("%d findings, %+v", len(fs), f)
			}
		}
		is(t, only(t, run(t, p, served(10, 0, 0), served(10, 0, 0)), "blast_radius"), analysis.Insufficient)
	}
	// The candidate is judged alone.
	p := threeRules(policy(analysis.Once, checks.Actions{Cap: 0.02}))
	is(t, only(t, run(t, p, nil, served(9000, 500, 500)), "blast_radius"), analysis.Harm)
	is(t, only(t, run(t, p, served(9000, 500, 500), nil), "no_actions"), analysis.NoData)
	// With a margin, the shares are compared as well.
	p = threeRules(policy(analysis.Once, checks.Actions{Margin: *points(0.05), Cap: 0.02}))
	fs := run(t, p, served(9000, 500, 500), served(9000, 500, 500))
	if len(fs) != 4 {
		t.Errorf("%d findings", len(fs))
	}
	is(t, only(t, fs, "blast_radius"), analysis.Harm)
	// One budget for all: each finding gets a part of it.
	sum := 0.0
	for _, f := range fs {
		sum += f.Alpha
	}
	if sum > 0.05+1e-12 {
		t.Errorf("findings spend %v of 0.05", sum)
	}
	// By the scores, without a logged action.
	p.Columns.Action = ""
	scores := table{"score": append(repeat(0.1, 9500), repeat(0.95, 500)...)}
	f := only(t, run(t, p, scores, scores), "blast_radius")
	is(t, f, analysis.Harm)
	if f.Estimate.Point != 0.05 {
		t.Errorf("share %v", f.Estimate)
	}
	if _, err := (checks.Actions{Cap: 2}).Run(evidence(p, nil, nil)); err == nil {
		t.Error("a cap of 200% runs")
	}
	p.Actions.Rules[0].Irreversible = false
	p.Checks[0].Check = checks.Actions{Cap: 0.02}
	is(t, only(t, run(t, p, scores, scores), "no_actions"), analysis.NoData)
}

// TestMaxIrreversible: a number is counted, not estimated, in the stage or in the
// whole rollout.
func TestMaxIrreversible(t *testing.T) {
	for _, tc := range []struct {
		blocked int
		want    analysis.Outcome
	}{{499, analysis.Pass}, {500, analysis.Warn}, {501, analysis.Harm}} {
		p := threeRules(policy(analysis.Continuous, checks.Actions{MaxIrreversible: 500}))
		fs := run(t, p, served(10, 0, 0), served(100, 0, tc.blocked))
		f := only(t, fs, "blast_radius_count")
		is(t, f, tc.want)
		if len(fs) != 1 || f.Alpha != 0 || f.Estimate.Point != float64(tc.blocked) {
			t.Errorf("%+v", f)
		}
	}
	for perStage, want := range map[bool]analysis.Outcome{true: analysis.Pass, false: analysis.Harm} {
		p := threeRules(policy(analysis.Continuous, checks.Actions{MaxIrreversible: 500, PerStage: perStage}))
		a, b := collect(t, p, served(100, 0, 400)), collect(t, p, served(100, 0, 200))
		ev := evidence(p, a, b)
		ev.Stage = "b"
		ev.Strata = []analysis.Stratum{{Stage: "a", Candidate: a}, {Stage: "b", Baseline: a, Candidate: b}}
		fs, err := p.Checks[0].Check.Run(ev)
		if err != nil {
			t.Fatal(err)
		}
		is(t, only(t, fs, "blast_radius_count"), want)
	}
}

// TestShiftParts: what the model and the thresholds of the candidate add, by hand.
func TestShiftParts(t *testing.T) {
	p := threeRules(policy(analysis.Once, checks.Actions{}))
	p.Columns.Action = ""
	own := p.Actions
	own.Version = "v2"
	own.Rules = []analysis.ActionRule{{Name: "block", AtLeast: 0.8, Irreversible: true}, {Name: "review", AtLeast: 0.5}, {Name: "allow", AtLeast: math.Inf(-1)}}
	p.Actions.Candidate = &own
	log := func(high, between, low int) table { // block by both lists, by the second only, allow
		return table{"score": append(append(repeat(0.95, high), repeat(0.85, between)...), repeat(0.1, low)...)}
	}
	fs := run(t, p, log(500, 500, 9000), log(1000, 1000, 8000))
	f := byMetric(t, fs, "block")
	// Block was 5% and is 20%. Model first: 5% to 10%, then the thresholds 10% more;
	// thresholds first: 5% to 10%, then the model 10% more.
	for name, want := range map[string]float64{
		"baseline": 0.05, "candidate": 0.2, "model_part": 0.075, "policy_part": 0.075,
		"candidate_at_baseline_thresholds": 0.1, "candidate_at_own_thresholds": 0.2, "candidate_at_equal_rate_thresholds": 0,
		"equal_rate_attainable_lo": 0, "equal_rate_attainable_hi": 0.1,
	} {
		if got := detailOf(t, f, name); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	// Without thresholds of its own, all is the model's.
	p.Actions.Candidate = nil
	f = byMetric(t, run(t, p, log(500, 500, 9000), log(1000, 1000, 8000)), "block")
	if m, q := detailOf(t, f, "model_part"), detailOf(t, f, "policy_part"); math.Abs(m-0.05) > 1e-12 || q != 0 {
		t.Errorf("model %v, policy %v", m, q)
	}
	// A log that does not follow the rules has a part that they do not explain.
	p.Columns.Action = "action"
	base := with(served(9000, 500, 500), "score", log(500, 500, 9000)["score"])
	f = byMetric(t, run(t, p, base, with(base, "action", served(8700, 500, 800)["action"])), "block")
	if o := detailOf(t, f, "other_part"); math.Abs(o-0.03) > 1e-12 {
		t.Errorf("other part %v", o)
	}
}

// TestActionsMerge: a log in parts, in any order, gives the same findings.
func TestActionsMerge(t *testing.T) {
	p := versionPolicy(checks.Actions{Margin: *points(0.05), Cap: 0.02, MaxIrreversible: 400})
	log := func(n, block int) table {
		tab := served(n-block, 0, block)
		return versioned(with(tab, "score", append(repeat(0.1, n-block), repeat(0.95, block)...)), "v1")
	}
	a, b, c := log(2000, 10), log(1000, 90), log(3000, 200)
	answer := func(parts ...table) string {
		var cand *analysis.Snapshot
		for _, part := range parts {
			s := collect(t, p, part)
			if cand == nil {
				cand = s
			} else if err := cand.Merge(s); err != nil {
				t.Fatal(err)
			}
		}
		fs, err := p.Checks[0].Check.Run(evidence(p, collect(t, p, a), cand))
		if err != nil {
			t.Fatal(err)
		}
		sound(t, fs)
		text, err := json.MarshalIndent(fs, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	want := answer(a, b, c)
	if d := cmp.Diff(want, answer(c, a, b)); d != "" {
		t.Error(d)
	}
}

// TestBlastRadiusErrors: of candidates that take an irreversible action exactly as
// often as the cap allows, no more than the budget are called harmful, at whatever
// look.
func TestBlastRadiusErrors(t *testing.T) {
	const rollouts, cap = 400, 0.02
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Continuous} {
		p := threeRules(policy(looks, checks.Actions{Cap: cap}))
		r, false0 := random(5), 0
		for range rollouts {
			blocked, n, harm := 0, 0, false
			for range 10 {
				for range 500 {
					if r.Float64() < cap {
						blocked++
					}
				}
				n += 500
				if looks == analysis.Once && n < 5000 {
					continue
				}
				fs := run(t, p, nil, served(n-blocked, 0, blocked))
				harm = harm || only(t, fs, "blast_radius").Outcome == analysis.Harm
			}
			if harm {
				false0++
			}
		}
		// 0.05 and three standard errors of 400 rollouts.
		if rate := float64(false0) / rollouts; rate > 0.05+3*math.Sqrt(0.05*0.95/rollouts) {
			t.Errorf("looks %v: %v of the rollouts are called harmful", looks, rate)
		}
	}
}
