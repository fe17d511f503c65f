package analysis

import (
	"math"
	"slices"
)

// readRules reads the rules of one list of thresholds.
func readRules(p *Params, scores *[2]float64) []ActionRule {
	rules := p.maps("rules")
	switch {
	case !p.Has("rules"):
		p.Errorf("", "rules are missing; list them as rules: [{name: block, at_least: 0.9}, {name: allow}]")
	case len(rules) == 0:
		p.Errorf("rules", "no rule is given; add one or remove actions")
	}
	var out []ActionRule
	lowest := math.Inf(1)
	for i, rp := range rules {
		rule := readRule(rp, i == len(rules)-1, lowest, scores)
		if rule.Name != "" && slices.ContainsFunc(out, func(o ActionRule) bool { return o.Name == rule.Name }) {
			rp.Errorf("name", "there already is a rule %q; names are unique", shorten(rule.Name))
		}
		if rule.AtLeast > math.Inf(-1) {
			lowest = rule.AtLeast
		}
		out = append(out, rule)
		rp.unused()
	}
	return out
}

// readCandidateActions reads the thresholds of a candidate that has its own. They
// lead to the same actions in the same order; which of those are irreversible is
// said once, under rules.
func readCandidateActions(p *Params, of ActionPolicy, scores *[2]float64) *ActionPolicy {
	sub, ok := p.Map("candidate")
	if !ok {
		return nil
	}
	c := &ActionPolicy{Version: sub.Str("version", ""), Rules: readRules(sub, scores)}
	if c.Version != "" && c.Version == of.Version {
		sub.Errorf("version", "%q already is the version of the baseline's thresholds; other thresholds are another version", shorten(c.Version))
	}
	same := slices.EqualFunc(c.Rules, of.Rules, func(a, b ActionRule) bool { return a.Name == b.Name })
	if len(c.Rules) > 0 && len(of.Rules) > 0 && !same {
		sub.Errorf("rules", "the actions are not those of actions.rules in the same order; a candidate may have other thresholds, but not other actions")
	}
	for i := range c.Rules {
		if same && math.IsInf(c.Rules[i].AtLeast, -1) != math.IsInf(of.Rules[i].AtLeast, -1) {
			sub.Errorf("rules", "%s has at_least in one of the two lists only; give it to both, or to neither", shorten(c.Rules[i].Name))
		}
		if c.Rules[i].Irreversible {
			sub.Errorf("rules", "irreversible is said under actions.rules, for both arms; remove it here")
		}
		c.Rules[i].Irreversible = same && of.Rules[i].Irreversible
	}
	return c
}

// cuts lists the thresholds of both arms.
func (a ActionPolicy) cuts() []float64 {
	var out []float64
	for _, r := range a.Rules {
		if !math.IsInf(r.AtLeast, -1) { // else it takes the rest
			out = append(out, r.AtLeast)
		}
	}
	if a.Candidate != nil {
		out = append(out, a.Candidate.cuts()...)
	}
	return out
}
