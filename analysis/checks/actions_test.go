package checks_test

import (
	"math"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// served is a log with the given numbers of actions.
func served(allow, review, block int) table {
	out := append(repeat("allow", allow), repeat("review", review)...)
	return table{"action": append(out, repeat("block", block)...)}
}

func threeRules(p *analysis.Policy) *analysis.Policy {
	p.Actions.Rules = []analysis.ActionRule{
		{Name: "block", AtLeast: 0.9, Irreversible: true}, {Name: "review", AtLeast: 0.6}, {Name: "allow", AtLeast: math.Inf(-1)},
	}
	return p
}

// byMetric finds the finding about one action.
func byMetric(t *testing.T, fs []analysis.Finding, action string) analysis.Finding {
	t.Helper()
	for _, f := range fs {
		if f.Metric == action && f.Code == "action_share" {
			return f
		}
	}
	t.Fatalf("no finding about %s", action)
	return analysis.Finding{}
}

// TestActions: shares that moved and shares that did not.
func TestActions(t *testing.T) {
	for _, looks := range []analysis.LooksKind{analysis.Once, analysis.Scheduled, analysis.Continuous} {
		p := policy(looks, checks.Actions{})
		fs := run(t, p, served(8000, 1500, 500), served(8010, 1495, 495))
		for _, a := range []string{"allow", "review", "block"} {
			is(t, byMetric(t, fs, a), analysis.Pass)
		}
		fs = run(t, p, served(8000, 1500, 500), served(6000, 1500, 2500))
		is(t, byMetric(t, fs, "block"), analysis.Harm)
		is(t, byMetric(t, fs, "allow"), analysis.Harm)
		is(t, byMetric(t, fs, "review"), analysis.Pass)
		fs = run(t, p, served(160, 30, 10), served(150, 30, 20))
		is(t, byMetric(t, fs, "block"), analysis.Inconclusive)
		fs = run(t, p, served(10, 2, 1), served(10, 2, 1))
		is(t, byMetric(t, fs, "block"), analysis.Insufficient)
	}
	p := policy(analysis.Once, checks.Actions{})
	for _, arms := range [][2]table{{nil, nil}, {served(1, 1, 1), nil}, {nil, served(1, 1, 1)}} {
		is(t, only(t, run(t, p, arms[0], arms[1]), "no_data"), analysis.NoData)
	}
	one := table{"action": repeat("allow", 3000)}
	is(t, only(t, run(t, p, one, one), "action_share"), analysis.Pass)
	null := table{"action": maybe{repeat("allow", 3000), repeat(false, 3000)}}
	is(t, only(t, run(t, p, one, null), "no_actions"), analysis.NoData)
	is(t, only(t, run(t, p, arm(0, 50), arm(90, 50)), "no_actions"), analysis.NoData)
	is(t, only(t, run(t, p, one, table{"action": yes(5, 3000)}), "type_differs"), analysis.Invalid)
	many := table{"action": draw(3000, func(i int) float64 { return float64(i) / 7 })}
	is(t, only(t, run(t, p, many, many), "type_unusable"), analysis.Invalid)
	coded := table{"action": draw(3000, func(i int) int64 { return int64(i % 2) })}
	is(t, byMetric(t, run(t, p, coded, coded), "1"), analysis.Pass)
}

// TestActionsMargins: an irreversible action may have a margin of its own.
func TestActionsMargins(t *testing.T) {
	base, cand := served(8000, 1500, 500), served(7800, 1500, 700)
	wide := threeRules(policy(analysis.Once, checks.Actions{Margin: *points(0.05)}))
	f := byMetric(t, run(t, wide, base, cand), "block")
	is(t, f, analysis.Pass)
	if !strings.HasPrefix(f.Message, "The irreversible action block") {
		t.Error(f.Message)
	}
	tight := threeRules(policy(analysis.Once, checks.Actions{Irreversible: *points(0.005)}))
	fs := run(t, tight, base, cand)
	is(t, byMetric(t, fs, "block"), analysis.Harm)
	is(t, byMetric(t, fs, "allow"), analysis.Pass)
	for _, a := range []checks.Actions{{Margin: *relative(0.1)}, {Margin: *plain(-1)}, {Irreversible: *ratio(0.5)}} {
		if _, err := a.Run(evidence(policy(analysis.Once, a), nil, nil)); err == nil {
			t.Errorf("%+v runs", a)
		}
	}
}

// TestActionsUnknown: an action that the policy does not have.
func TestActionsUnknown(t *testing.T) {
	p := threeRules(policy(analysis.Once, checks.Actions{}))
	cand := table{"action": append(repeat("allow", 900), repeat("fallback", 100)...)}
	fs := run(t, p, served(900, 50, 50), cand)
	f := only(t, fs, "unknown_action")
	is(t, f, analysis.Invalid)
	if f.Metric != "fallback" {
		t.Errorf("%+v", f)
	}
}

// TestActionsImplied: without an action column the rules tell the actions, and
// with one they are compared with it.
func TestActionsImplied(t *testing.T) {
	scores := func(allow, review, block int) []float64 {
		out := append(repeat(0.1, allow), repeat(0.6, review)...)
		return append(out, repeat(0.95, block)...)
	}
	log := func(allow, review, block int) table { return table{"score": scores(allow, review, block)} }
	p := threeRules(policy(analysis.Once, checks.Actions{}))
	p.Columns.Action = ""
	fs := run(t, p, log(8000, 1500, 500), log(6000, 1500, 2500))
	f := byMetric(t, fs, "block")
	is(t, f, analysis.Harm)
	if detailOf(t, f, "baseline") != 0.05 || detailOf(t, f, "candidate") != 0.25 {
		t.Errorf("shares %+v", f.Details)
	}
	is(t, byMetric(t, fs, "review"), analysis.Pass)

	p = threeRules(policy(analysis.Once, checks.Actions{}))
	follows := with(served(8000, 1500, 500), "score", scores(8000, 1500, 500))
	if fs := run(t, p, follows, follows); len(fs) != 3 {
		t.Errorf("%d findings about a log that follows its rules", len(fs))
	}
	differs := with(served(8000, 1400, 600), "score", scores(8000, 1500, 500))
	f = only(t, run(t, p, follows, differs), "policy_mismatch")
	is(t, f, analysis.Warn)
	if math.Abs(f.Estimate.Point-0.01) > 1e-12 || !strings.Contains(f.Message, "In the candidate") {
		t.Errorf("%+v", f)
	}
}
