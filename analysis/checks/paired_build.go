package checks

import (
	"math"
	"slices"

	"github.com/rampguard/rampguard/analysis"
)

func buildPaired(p *analysis.Params) (analysis.Check, error) {
	pol := p.Policy()
	c := Paired{Metric: PairedMetric(p.Enum("metric", string(PairedAccuracy), pairedMetrics...))}
	def := analysis.SeverityRollback
	if c.Metric == PairedChurn {
		def = analysis.SeverityPause
	}
	p.Severity(def)
	if pol.Pairs == (analysis.Pairs{}) {
		p.Errorf("", "the policy does not name the scores of both models; add pairs: {baseline: champion, candidate: challenger}")
	}
	if p.Baseline() != analysis.Concurrent {
		p.Errorf("baseline", "pairs hold both models already; leave baseline out")
	}
	q, ok := p.Quantity("margin")
	share := c.Metric != PairedAbsError
	switch {
	case !ok:
		if !p.Has("margin") {
			p.Errorf("", "margin is missing; write how much does not matter, such as margin: %s", map[bool]string{true: "1pp", false: "0.5"}[share])
		}
	case share && (q.Unit == analysis.Ratio || q.Unit == analysis.Relative && c.Metric != PairedChurn || !(q.Value >= 0 && q.Value < 1)):
		p.Errorf("margin", "%v is not a difference of shares such as 1pp", q)
	case !share && (q.Unit != analysis.Plain || q.Value < 0):
		p.Errorf("margin", "%v is not an error in the unit of the label, such as 0.5", q)
	}
	c.Margin = q
	labelled := c.Metric != PairedChurn
	switch {
	case labelled && pol.Columns.Label == "":
		p.Errorf("metric", "%s needs labels; name the column under columns.label", c.Metric)
	case share && pol.Task != analysis.Binary:
		p.Errorf("metric", "%s is for a binary task, this one is %v; use abs_error", c.Metric, pol.Task)
	case !share && pol.Task != analysis.Regression:
		p.Errorf("metric", "abs_error is for a regression task, this one is %v", pol.Task)
	}
	if c.Metric == PairedAccuracy || c.Metric == PairedChurn {
		c.Thresholds = pairThresholds(p, pol.Actions.Rules)
		if own := pol.Actions.Candidate; own != nil && !p.Has("at") {
			c.CandidateThresholds = pairThresholds(p, own.Rules)
		}
	}
	c.MaxUnpaired = shareParam(p, "max_unpaired", "1%")
	c.Planned = p.Uint("planned", 0)
	if !p.Bool("slices", false) {
		c.MinUnits = p.Uint("min_units", c.leastPairs())
		return c, nil
	}
	c.MinUnits = p.Uint("min_units", defaultSliceUnits)
	declared := pol.DeclaredSlices()
	if len(declared) == 0 {
		p.Errorf("slices", "the policy declares no slices; add slices: and columns, such as slices: [country]")
	}
	for i := range declared {
		if !pol.PairedSlice(&declared[i]) {
			p.Errorf("slices", "pairs have no slices of %s, which rest on the score or on a derived column", list(declared[i].Names(), 8))
		}
	}
	return PairedSlices{c}, nil
}

// pairThresholds are those of the entry, or of the actions, or 0.5; ascending.
func pairThresholds(p *analysis.Params, rules []analysis.ActionRule) []float64 {
	out := slices.Clone(p.Floats("at"))
	if p.Has("at") && len(out) == 0 {
		p.Errorf("at", "no threshold is given; add one or leave at out")
	}
	for _, t := range out {
		if !(t > 0 && t <= 1) {
			p.Errorf("at", "the threshold %v is not above 0 and at most 1", t)
			return nil
		}
	}
	if out == nil {
		for _, r := range rules {
			if !math.IsInf(r.AtLeast, 0) && r.AtLeast > 0 {
				out = append(out, r.AtLeast)
			}
		}
	}
	if len(out) == 0 {
		out = []float64{0.5}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
