package checks

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// rulesOf are the rules that serve an arm.
func rulesOf(a analysis.ActionPolicy, candidate bool) []analysis.ActionRule {
	if candidate && a.Candidate != nil {
		return a.Candidate.Rules
	}
	return a.Rules
}

// impliedMix applies the rules of the policy to the scores.
func impliedMix(ev analysis.Stratum, a analysis.ActionPolicy) (mix, bool) {
	m := mix{source: "rules of the policy on the scores", repeats: rowsPerUnit(ev.Baseline, ev.Candidate), split: ev.Split}
	b, nb, okB := implied(ev.Baseline, rulesOf(a, false))
	c, nc, okC := implied(ev.Candidate, rulesOf(a, true))
	if !okB || !okC || len(b) != len(c) {
		return m, false
	}
	m.n = analysis.Counts{Baseline: nb, Candidate: nc}
	for i, r := range a.Rules {
		m.actions = append(m.actions, valueCounts{name: r.Name, n: analysis.Counts{Baseline: b[i], Candidate: c[i]}})
	}
	return m, true
}

// implied counts the rows of an arm for which each rule is the first that the score
// reaches, and all rows with a score. It is false where the scores were not counted
// at the thresholds.
func implied(s *analysis.Snapshot, rules []analysis.ActionRule) (taken []uint64, n uint64, ok bool) {
	col := s.ByRole(analysis.Score)
	if col == nil || len(rules) == 0 {
		return nil, 0, false
	}
	before := uint64(0)
	for _, r := range rules {
		x, of, ok := reached(&col.Scores, r.AtLeast)
		if !ok {
			return nil, 0, false
		}
		taken = append(taken, x-min(x, before))
		before, n = max(before, x), of
	}
	return taken, n, true
}

// reached counts the scores at or above a threshold, and all.
func reached(s *summary.Scores, threshold float64) (n, of uint64, ok bool) {
	at := threshold
	if math.IsInf(threshold, -1) { // the rule that takes the rest
		cuts := s.Cuts()
		if len(cuts) == 0 {
			return 0, 0, false
		}
		at = cuts[0]
	}
	for l := summary.Unlabelled; l <= summary.Positive; l++ {
		x, total, ok := s.AtLeast(at, l)
		if !ok {
			return 0, 0, false
		}
		n, of = n+x, of+total
	}
	if math.IsInf(threshold, -1) {
		n = of
	}
	return n, of, true
}

// mismatch compares the logged actions with those that the rules imply.
func (a Actions) mismatch(logged, implied mix) (analysis.Finding, bool) {
	share := func(m mix, name string, candidate bool) float64 {
		for _, v := range m.actions {
			switch {
			case v.name != name:
			case candidate:
				return float64(v.n.Candidate) / math.Max(1, float64(m.n.Candidate))
			default:
				return float64(v.n.Baseline) / math.Max(1, float64(m.n.Baseline))
			}
		}
		return 0
	}
	worst, text := 0.0, ""
	for _, v := range implied.actions {
		for _, candidate := range []bool{false, true} {
			x, y := share(logged, v.name, candidate), share(implied, v.name, candidate)
			if d := math.Abs(x - y); d > worst {
				arm := map[bool]string{false: "baseline", true: "candidate"}[candidate]
				worst, text = d, fmt.Sprintf("In the %s %s was logged for %s of the rows, but by the rules of the policy it is %s", arm, v.name, percent(x), percent(y))
			}
		}
	}
	if worst <= mismatchLimit {
		return analysis.Finding{}, false
	}
	f := analysis.NewFinding(a.Name(), "policy_mismatch", "logged_actions")
	f.Outcome, f.N, f.Unit, f.Limit = analysis.Warn, logged.n, "pp", mismatchLimit
	f.Estimate = stats.Interval{Point: worst, Lo: worst, Hi: worst}
	f.Method = "exact counts"
	f.Message = text + ": the log may mix policy versions, or something else decides as well."
	return f, true
}

func buildActions(p *analysis.Params) (analysis.Check, error) {
	a := Actions{MinUnits: p.Uint("min_units", defaultMinUnits)}
	read := func(key string) analysis.Quantity {
		q, ok := p.Quantity(key)
		switch {
		case !ok:
			return analysis.Quantity{}
		case (q.Unit != analysis.Points && q.Unit != analysis.Plain) || !(q.Value > 0 && q.Value < 1):
			p.Errorf(key, "%v is not a change of a share between 0 and 100 percentage points, such as 5pp", q)
			return analysis.Quantity{}
		}
		return q
	}
	a.Margin, a.Irreversible = read("margin"), read("irreversible")
	a.Cap = shareParam(p, "cap", "2%")
	a.MaxIrreversible = p.Uint("max_irreversible", 0)
	a.PerStage = p.Enum("per", "rollout", "rollout", "stage") == "stage"
	pol := p.Policy()
	switch {
	case p.Has("max_irreversible") && a.MaxIrreversible == 0:
		p.Errorf("max_irreversible", "0 would forbid what the rules ask for; give the greatest number that may be taken, such as 500")
	case p.Has("per") && !p.Has("max_irreversible"):
		p.Errorf("per", "it says what max_irreversible counts; give that, too")
	case (p.Has("cap") || p.Has("max_irreversible")) && len(irreversible(pol.Actions.Rules)) == 0:
		p.Errorf("", "no action is irreversible, so there is nothing to cap; mark the rules of such actions under actions with irreversible: true")
	}
	// A paused candidate goes on serving at its present share, and goes on doing what
	// cannot be undone; only a rollback ends that.
	if a.compares() {
		p.Severity(analysis.SeverityPause)
	} else {
		p.Severity(analysis.SeverityRollback)
	}
	if pol.Columns.Action == "" && len(pol.Actions.Rules) == 0 {
		p.Errorf("", "no actions to compare; name the action column under columns, or give rules under actions")
	}
	return a, nil
}
