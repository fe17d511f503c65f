package checks

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/decision"
)

// behind is what the scores of both arms under the thresholds of both say about a
// change of the actions. The zero value has nothing to say.
type behind struct {
	names      []string
	shift      decision.Shift
	mixes      decision.Mixes // [model][policy]; both populations are taken as one
	own        bool           // the candidate has its own thresholds
	concurrent bool
	remaps     []decision.Remap // by threshold of the baseline
	remapped   []float64        // shares at those
}

// newBehind reads the scores of all stages that have both arms. Shares are
// standardised over stages like those that are compared.
func newBehind(ev *analysis.Evidence, r ruler, a analysis.ActionPolicy) behind {
	var out behind
	rules := [2][]analysis.ActionRule{rulesOf(a, false), rulesOf(a, true)}
	counts := [2][][]armPair{make([][]armPair, len(rules[0])), make([][]armPair, len(rules[1]))}
	var last *analysis.Stratum
	for _, s := range strataOf(ev) {
		if empty(s.Baseline) || empty(s.Candidate) {
			continue
		}
		repeats := rowsPerUnit(s.Baseline, s.Candidate)
		for j := range rules {
			xb, nb, okB := implied(s.Baseline, rules[j])
			xc, nc, okC := implied(s.Candidate, rules[j])
			if !okB || !okC || nb == 0 || nc == 0 {
				return out
			}
			for i := range xb {
				counts[j][i] = append(counts[j][i], armPair{base: shareOf(xb[i], nb, repeats), cand: shareOf(xc[i], nc, repeats), okBase: true, okCand: true, split: s.Split})
			}
		}
		last = &s
	}
	if last == nil || len(rules[0]) != len(rules[1]) {
		return out
	}
	for j := range rules {
		var sums [2]float64
		for i := range rules[j] {
			p, ok := newPair(ev, r, counts[j][i])
			if !ok {
				return out
			}
			for k, x := range []float64{p.base.value, p.cand.value} {
				out.mixes[k][j][k] = append(out.mixes[k][j][k], x)
				sums[k] += x
			}
		}
		for k, sum := range sums { // scores that no rule takes
			out.mixes[k][j][k] = append(out.mixes[k][j][k], math.Max(0, 1-sum))
		}
	}
	var err error
	if out.shift, err = decision.SplitShift(out.mixes, decision.ShiftOptions{SamePopulation: true}); err != nil {
		return behind{}
	}
	for _, rule := range rules[0] {
		out.names = append(out.names, rule.Name)
	}
	out.own, out.concurrent = a.Candidate != nil, ev.Compared == analysis.Concurrent
	out.remap(last, rules[0])
	return out
}

// remap finds the thresholds at which the candidate acts on as many rows of the
// present stage as the baseline does at its own.
func (b *behind) remap(s *analysis.Stratum, rules []analysis.ActionRule) {
	var x []uint64
	sum := uint64(0)
	xs, n, ok := implied(s.Baseline, rules)
	if !ok {
		return
	}
	for i, rule := range rules {
		if sum += xs[i]; !math.IsInf(rule.AtLeast, -1) {
			x = append(x, sum)
		}
	}
	scores := s.Candidate.ByRole(analysis.Score).Scores.All()
	remaps, err := decision.EqualRates(x, n, scores, 0)
	if err != nil {
		return
	}
	b.remaps = remaps
	before := 0.0
	for i := range rules {
		at := 1.0
		if i < len(remaps) {
			at = remaps[i].Rate.Value
		}
		b.remapped = append(b.remapped, math.Max(0, at-before))
		before = at
	}
}

// details are those of one action, whose share has changed by so much.
func (b behind) details(name string, change float64) []analysis.Detail {
	at := -1
	for i, n := range b.names {
		if n == name {
			at = i
		}
	}
	if at < 0 {
		return nil
	}
	model := "model_part"
	if !b.concurrent { // only shadow scores would tell them apart
		model = "model_and_population_part"
	}
	out := []analysis.Detail{detail(model, b.shift.Model.Mean[at]), detail("policy_part", b.shift.Policy.Mean[at])}
	if other := change - b.shift.Total[at]; math.Abs(other) > 1e-12 {
		out = append(out, detail("other_part", other)) // the log does not follow the rules
	}
	if b.own {
		out = append(out,
			analysis.Detail{Name: "model_part_orders", Value: stats.Float(b.shift.Model.Lo[at]), Text: fmt.Sprintf("%s to %s by the order", quantity(b.shift.Model.Lo[at], "pp"), quantity(b.shift.Model.Hi[at], "pp"))},
			detail("candidate_at_own_thresholds", b.mixes[1][1][1][at]))
	}
	out = append(out, detail("candidate_at_baseline_thresholds", b.mixes[1][0][1][at]))
	if b.remapped != nil {
		out = append(out, detail("candidate_at_equal_rate_thresholds", b.remapped[at]))
	}
	if at < len(b.remaps) {
		r := b.remaps[at]
		out = append(out, detail("equal_rate_at_least", r.At), detail("equal_rate_attainable_lo", r.Below), detail("equal_rate_attainable_hi", r.Above), detail("equal_rate_standard_error", r.Difference.SE))
	}
	return out
}
