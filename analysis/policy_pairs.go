package analysis

import (
	"math"
	"slices"
	"strings"
)

// Pairs names the columns of the two scores in a log in which both models scored
// the same requests; both are empty when there is no such log.
type Pairs struct {
	Baseline, Candidate string
}

// PairUser is a [Check] that looks at [Evidence.Pairs].
type PairUser interface {
	Check
	// PairCuts lists thresholds of either model at which counts must be exact,
	// beside those of the actions.
	PairCuts() (baseline, candidate []float64)
}

// readPairs reads the section pairs: {baseline: champion, candidate: challenger}.
func readPairs(top *Params, policy *Policy) Pairs {
	p, ok := top.Map("pairs")
	if !ok {
		return Pairs{}
	}
	pairs := Pairs{Baseline: p.Str("baseline", ""), Candidate: p.Str("candidate", "")}
	before := len(p.r.faults)
	for _, key := range []string{"baseline", "candidate"} {
		if !p.Has(key) {
			p.Errorf("", "%s is missing; name the columns of both scores: {baseline: champion, candidate: challenger}", key)
		}
	}
	switch c := policy.Columns; {
	case len(p.r.faults) > before:
	case pairs.Baseline == pairs.Candidate:
		p.Errorf("candidate", "both scores are in column %s; a score is paired with that of the other model", shorten(pairs.Candidate))
	case policy.Task == Multiclass:
		p.Errorf("", "a multiclass policy has no scores to pair; remove it")
	default:
		for _, key := range []string{"baseline", "candidate"} {
			name := pairs.Baseline
			if key == "candidate" {
				name = pairs.Candidate
			}
			if slices.Contains([]string{c.Label, c.Unit, c.Time, c.Action}, name) {
				p.Errorf(key, "column %s is no score; it has another role under columns", shorten(name))
			}
		}
	}
	return pairs
}

func (p Pairs) canonical(m map[string]any) {
	if p != (Pairs{}) {
		m["pairs"] = map[string]any{"baseline": p.Baseline, "candidate": p.Candidate}
	}
}

// PairSpec returns what has to be collected from a log in which both models scored
// the same requests, or nil when the policy has no pairs. The thresholds are those
// of the actions and of the checks. Slices are those that the policy declares,
// except for crosses that rest on the score, which pairs have two of, or on a
// derived column.
func (p *Policy) PairSpec() (*PairSpec, error) {
	if p.Pairs == (Pairs{}) {
		return nil, nil
	}
	s := PairSpec{Task: p.Task, Baseline: p.Pairs.Baseline, Candidate: p.Pairs.Candidate,
		Label: p.Columns.Label, Unit: p.Columns.Unit, Time: p.Columns.Time}
	for _, r := range p.Actions.Rules {
		if !math.IsInf(r.AtLeast, -1) {
			s.BaselineCuts = append(s.BaselineCuts, r.AtLeast)
		}
	}
	s.CandidateCuts = slices.Clone(s.BaselineCuts)
	if p.Actions.Candidate != nil {
		s.CandidateCuts = p.Actions.cuts()
	}
	for _, e := range p.Checks {
		if u, ok := e.Check.(PairUser); ok {
			b, c := u.PairCuts()
			s.BaselineCuts, s.CandidateCuts = append(s.BaselineCuts, b...), append(s.CandidateCuts, c...)
		}
	}
	for _, c := range p.DeclaredSlices() {
		if p.PairedSlice(&c) {
			s.Slices = append(s.Slices, SliceSpec{Columns: c.Columns, Values: c.Values, Cap: c.Cap})
		}
	}
	return NewPairSpec(s)
}

// PairedSlice reports whether pairs can be told apart by the cross: it rests
// neither on the score nor on a derived column.
func (p *Policy) PairedSlice(c *SliceSpec) bool {
	return !slices.ContainsFunc(c.Names(), func(name string) bool {
		return name == p.Columns.Score && name != p.Pairs.Baseline && name != p.Pairs.Candidate ||
			slices.ContainsFunc(p.derived(), func(d DerivedSpec) bool { return d.Name == name })
	})
}

// pairsAlone warns about checks that wait for arms which a policy of pairs may never
// get. A policy that names the score of the arms means to have them.
func (r *policyReader) pairsAlone(top *Params) {
	p := r.policy
	if p.Pairs == (Pairs{}) || p.Columns.Score != "" {
		return
	}
	var names []string
	for i, e := range p.Checks {
		if _, ok := e.Check.(PairUser); !ok && e.Required && !e.Muted {
			names = append(names, r.entries[i].Str("check", ""))
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) > 0 {
		top.warnf("pairs", "%s: these checks look at the logs of two arms, and the rollout waits for them; with pairs alone it waits for ever. Hand in the two logs beside the pairs, or remove these checks or set required: false on them", strings.Join(names, ", "))
	}
}
