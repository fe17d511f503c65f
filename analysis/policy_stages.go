package analysis

import (
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
	s := Stage{Name: p.Str("name", ""), Weight: p.weight(), Duration: p.Duration("duration", 0)}
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
	if p.Labels.Maturity > 0 {
		top.warnf("labels", "maturity is not applied by this version: cut the logs to rows whose labels had time to arrive")
	}
	if len(p.Slices) > 0 {
		top.warnf("slices", "collected but not judged by this version")
	}
	if len(p.Stages) > 0 {
		top.warnf("stages", "not applied by this version: each run stands for one stage, and split must be the shares of that stage")
	}
	need := p.Exposure.MinDuration
	if need > 0 && p.Columns.Time == "" {
		top.warnf("exposure", "min_duration is %s but columns.time names no column to measure it by", formatDuration(need))
	}
	if len(p.Stages) > 0 && p.Stages[0].Duration > 0 && p.Stages[0].Duration < need {
		s := p.Stages[0]
		top.warnf("stages", "%s lasts %s but exposure.min_duration is %s, so it will last %s longer at least",
			s.Name, formatDuration(s.Duration), formatDuration(need), formatDuration(need-s.Duration))
	}
}
