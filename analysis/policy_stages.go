package analysis

import (
	"math"
	"slices"
	"strings"
)

func readStages(top *Params) []Stage {
	var out []Stage
	for _, p := range top.maps("stages") {
		out = append(out, readStage(p, out))
		p.unused()
	}
	return out
}

// readStage reads one stage that follows on the ones before.
func readStage(p *Params, before []Stage) Stage {
	s := Stage{Name: p.Str("name", ""), Weight: p.weight(), Duration: p.Duration("duration", 0), MinUnits: p.Uint("min_units", 0)}
	switch {
	case !p.Has("name"):
		p.Errorf("", "name is missing")
	case s.Name != "" && slices.ContainsFunc(before, func(o Stage) bool { return o.Name == s.Name }):
		p.Errorf("name", "there already is a stage %q; names are unique", shorten(s.Name))
	}
	if n := len(before); n > 0 && s.Weight > 0 && s.Weight < before[n-1].Weight {
		p.Errorf("weight", "%v is below the %v of the stage before; weights do not fall", s.Weight, before[n-1].Weight)
	}
	return s
}

// weight reads the percentage of traffic of a stage; 0 after a fault.
func (p *Params) weight() float64 {
	q, ok := p.Quantity("weight")
	if !ok {
		if !p.Has("weight") {
			p.Errorf("", "weight is missing; give the candidate's percentage of the traffic, such as weight: 10")
		}
		return 0
	}
	w := q.Value
	if q.Unit == Relative {
		w, _ = parseDecimal(strings.TrimSuffix(q.String(), "%"), 0)
	}
	if q.Unit == Points || q.Unit == Ratio || w <= 0 || w > 100 {
		p.Errorf("weight", "%v is not a percentage of the traffic above 0 and up to 100", q)
		return 0
	}
	return w
}

// warnings says what is odd about a policy that may still be meant.
func (r *policyReader) warnings(top *Params) {
	p := r.policy
	if !slices.ContainsFunc(p.Checks, func(e CheckEntry) bool { return e.Required && !e.Muted }) {
		top.warnf("checks", "no check is required, so nothing has to be shown before the rollout continues; give a check the severity pause or rollback")
	}
	for i, e := range p.Checks {
		if e.Muted {
			r.entries[i].warnf("muted", "it is computed and reported but never acted on")
		}
	}
	if p.Labels.Maturity > 0 && p.Columns.Label == "" {
		top.warnf("labels", "labels mature in %s but columns.label names no column", formatDuration(p.Labels.Maturity))
	}
	if len(p.Slices) > 0 && !slices.ContainsFunc(p.Checks, func(e CheckEntry) bool { _, ok := e.Check.(SliceFamily); return ok }) {
		top.warnf("slices", "no check looks at them; add one such as {check: slices, metric: log_loss, margin: 5%%}")
	}
	if p.SplitGiven && slices.ContainsFunc(p.Stages, func(s Stage) bool { return math.Abs(s.Weight/100-p.Split.Candidate) > 1e-9 }) {
		top.warnf("split", "it holds at every stage, whatever the weights: the arms have to get %v and %v of the units that are compared. Leave it out if the weight of a stage is the candidate's share of them", p.Split.Baseline, p.Split.Candidate)
	}
	r.pairsAlone(top)
	need := p.Exposure.MinDuration
	if need > 0 && p.Columns.Time == "" {
		top.warnf("exposure", "min_duration is %s but columns.time names no column to measure it by", formatDuration(need))
	}
	if i := slices.IndexFunc(p.Stages, func(s Stage) bool { return s.Duration > 0 && s.Duration < need }); i >= 0 {
		s := p.Stages[i]
		top.warnf("stages", "%s lasts %s but exposure.min_duration is %s, so it will last %s longer at least",
			s.Name, formatDuration(s.Duration), formatDuration(need), formatDuration(need-s.Duration))
	}
}
