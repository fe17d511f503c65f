package checks

import (
	"math"
	"strings"

	"github.com/rampguard/rampguard/analysis"
)

func buildGuardrail(p *analysis.Params) (analysis.Check, error) {
	pol := p.Policy()
	words := make([]string, len(metricOrder))
	for i, m := range metricOrder {
		words[i] = string(m)
	}
	g := Guardrail{Metric: Metric(p.Enum("metric", "", words...))}
	g.Direction = directions[p.Enum("direction", "", "lower", "higher")]
	if known := metricKnown[g.Metric]; known != 0 && g.Direction == -known {
		p.Errorf("direction", "%s is better the other way round; leave direction out", g.Metric)
	}
	if q, ok := p.Quantity("margin"); ok {
		g.Margin = &q
	}
	g.Bounds, g.Relative = buildLimits(p, "bounds"), buildLimits(p, "relative")
	def := analysis.SeverityRollback
	if g.Margin == nil && g.Bounds.Rollback == nil && g.Relative.Rollback == nil {
		def = analysis.SeverityPause
	}
	if s := p.Severity(def); s != analysis.SeverityRollback && (g.Bounds.Rollback != nil || g.Relative.Rollback != nil) {
		// A limit that rolls back would spend the budget of another severity.
		p.Errorf("severity", "a limit called rollback rolls back, which %s forbids; leave severity out, or call the limit pause", s)
	}
	least := uint64(defaultMinUnits)
	if g.Metric == CountRate { // its bounds are exact, and its exposure has any unit
		least = 0
	}
	if lower, upper := p.Column("lower", ""), p.Column("upper", ""); g.Metric != Coverage && lower+upper != "" {
		p.Errorf("lower", "only the metric coverage has columns lower and upper")
	}
	g.MinUnits, g.Planned = p.Uint("min_units", least), p.Uint("planned", 0)
	if g.Metric == "" {
		if !p.Has("metric") {
			p.Errorf("", "a guardrail needs a metric: %s", strings.Join(words, ", "))
		}
		p.Column("column", "") // read, so that it is not called unknown
		p.Str("of", "")
		p.Float("threshold", 0)
		p.Float("q", 0)
		return g, nil
	}
	g.buildSource(p, pol)
	g.buildThreshold(p, pol)
	switch {
	case g.worse() == 0:
		if !p.Has("direction") {
			p.Errorf("", "metric %s may be good high or low; add direction: lower or direction: higher", g.Metric)
		}
	case len(g.limits()) == 0:
		if !p.Has("margin") && !p.Has("bounds") && !p.Has("relative") {
			p.Errorf("", "nothing to hold %s against; add margin, bounds or relative", g.Metric)
		}
	default:
		if p.Baseline() == analysis.Absolute && (g.Margin != nil || g.Relative != Limits{}) {
			p.Errorf("baseline", "an absolute baseline is nothing to compare with; use bounds in place of margin and relative")
		}
		for _, l := range g.limits() {
			if why := g.unfit(l); why != "" {
				p.Errorf(map[limitKind]string{marginLimit: "margin", boundLimit: "bounds", ratioLimit: "relative"}[l.kind], "%s", why)
			}
		}
	}
	return g, nil
}

func (g *Guardrail) buildColumn(p *analysis.Params, pol *analysis.Policy) string {
	def := ""
	switch {
	case g.onScore():
		def = pol.Columns.Score
	case g.Metric == LabelRate:
		def = pol.Columns.Label
	}
	if g.derives(pol) {
		return g.buildDerived(p, pol)
	}
	c := p.Column("column", def)
	switch {
	case c == "" && (g.onScore() || g.Metric == LabelRate):
		p.Errorf("metric", "%s needs the %s column; name it under columns", g.Metric, g.wanted())
	case c == "":
		if !p.Has("column") {
			p.Errorf("", "metric %s needs a column; add column: and its name", g.Metric)
		}
	case def != "" && c != def:
		p.Errorf("column", "%s is computed from the column %s; leave column out", g.Metric, def)
	}
	if (g.Metric.labelled() && pol.Columns.Label == "") && g.Metric != LabelRate {
		p.Errorf("metric", "%s needs labels; name the column under columns.label", g.Metric)
	}
	if g.onScore() && g.Metric != MeanScore && pol.Task != analysis.Binary {
		p.Errorf("metric", "%s is for a binary task, this one is %v", g.Metric, pol.Task)
	}
	return c
}

func (g *Guardrail) buildThreshold(p *analysis.Params, pol *analysis.Policy) {
	if len(g.From) > 0 && g.Metric != QuantileLoss {
		return
	}
	switch g.Metric {
	case Accuracy, PositiveRate, Precision, Recall, FalsePositiveRate:
		g.Threshold = p.Float("threshold", defaultThreshold(pol))
		if g.Threshold == 0 {
			p.Errorf("threshold", "every score is at least 0; give a threshold above it")
		}
	case Rate:
		g.Threshold = p.Float("threshold", 0)
	case Quantile, QuantileLoss:
		if g.Metric == Quantile {
			g.Q = p.Float("q", 0)
		}
		if !(g.Q > 0 && g.Q < 1) {
			p.Errorf("q", "the quantile %v is not between 0 and 1; write 0.99 for p99", g.Q)
		}
	default:
	}
}

// defaultThreshold is the first cut of the action policy, or 0.5.
func defaultThreshold(pol *analysis.Policy) float64 {
	for _, r := range pol.Actions.Rules {
		if !math.IsInf(r.AtLeast, 0) && r.AtLeast != 0 {
			return r.AtLeast
		}
	}
	return 0.5
}

func buildLimits(p *analysis.Params, key string) Limits {
	var out Limits
	sub, ok := p.Map(key)
	if !ok {
		return out
	}
	if q, ok := sub.Quantity("pause"); ok {
		out.Pause = &q
	}
	if q, ok := sub.Quantity("rollback"); ok {
		out.Rollback = &q
	}
	if out == (Limits{}) && !sub.Has("pause") && !sub.Has("rollback") {
		sub.Errorf("", "add pause, rollback or both")
	}
	return out
}
