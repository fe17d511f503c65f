package checks

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// maxCount is more than any provider counts, and little enough for exact methods.
const maxCount = 1e13

// fromProvider computes the guardrail's metric from that of a provider.
func (g Guardrail) fromProvider(s *analysis.Snapshot, arm string) (m measure, p *problem) {
	if s == nil {
		return m, noData("no_data", "The %s has no data of %s yet.", arm, g.Of)
	}
	d := s.Metric(g.Of)
	switch {
	case d == nil || d.Kind != metricOf[g.Metric]:
		return m, &problem{"no_metric", analysis.Invalid, fmt.Sprintf("The evidence of the %s holds no metric %s that is a %v; collect it again with this policy.", arm, g.Of, metricOf[g.Metric])}
	case d.Window.N == 0:
		return m, noData("no_data", "The %s has no window with data of %s yet.", arm, g.Of)
	}
	m.positive = true
	n, total := d.Count.Float64(), d.Total.Float64()
	if math.Abs(n) > maxCount || g.Metric != Mean && total > maxCount {
		return m, &problem{"no_value", analysis.Invalid, fmt.Sprintf("%s of the %s counts %s of %s, which no provider can count.", g.Of, arm, number(total), number(n))}
	}
	switch g.Metric {
	case Ratio:
		m.n, m.x, m.value = uint64(n), uint64(total), total/n
		m.part = total - math.Floor(total)
		if whole := math.Floor(n); whole < n { // rounded down, with the events in proportion
			m.part = math.Max(m.part, math.SmallestNonzeroFloat64)
			m.x = min(m.x, m.n)
		}
		if m.x == m.n {
			m.part = 0
		}
		if m.n == 0 {
			return m, noData("no_values", "%s of the %s counts less than one unit yet.", g.Of, arm)
		}
	case CountRate:
		m.kind, m.n, m.x, m.exposure, m.value = rate, uint64(math.Round(n)), uint64(total), n, total/n
		m.part = total - math.Floor(total)
	case Mean:
		m.kind, m.n, m.value, m.positive = mean, uint64(math.Round(n)), total/n, false
		m.variance = (d.Squares.Float64() - float64(total*m.value)) / math.Max(1, n-1)
		if !(m.variance > float64(m.value*m.value)*1e-12) { // rounding: every value is the same
			m.variance = 0
		}
		m.skew = finite(2 * math.Sqrt(m.variance) / math.Abs(m.value)) // of a gamma distribution
		if m.n == 0 {
			return m, noData("no_values", "%s of the %s counts less than one value yet.", g.Of, arm)
		}
	case Quantile, Rate:
		return g.fromBuckets(d, m, arm)
	default:
	}
	return m, nil
}

// fromBuckets reads a quantile, or the share of values at or above an edge.
func (g Guardrail) fromBuckets(d *analysis.MetricSummary, m measure, arm string) (measure, *problem) {
	h := &d.Distribution
	if h.N() == 0 {
		return m, noData("no_values", "The buckets of %s of the %s hold no value yet.", g.Of, arm)
	}
	m.n = h.N()
	if g.Metric == Rate {
		below, most := h.CountBelow(g.Threshold)
		if below != most {
			return m, &problem{"no_edge", analysis.Invalid, fmt.Sprintf("%s is no edge of the buckets of %s, so how many values are at or above it is not known; take one of %s.", number(g.Threshold), g.Of, edges(h.Layout().Edges()))}
		}
		m.x = m.n - below
		m.value = float64(m.x) / float64(m.n)
		return m, nil
	}
	// A value of a bucket is beyond its lower edge and below its upper one, so that
	// a limit at an edge is judged exactly. The first bucket starts at 0 where its
	// edge is positive, as for a time or a size.
	m.kind, m.q, m.least, m.most = quantile, g.Q, math.Inf(-1), math.Inf(1)
	if e := h.Layout().Edges(); len(e) > 0 && e[0] > 0 {
		m.least = 0
	}
	m.positive = m.least == 0
	for _, c := range h.Cells() {
		c.Var = 1 // spread
		if math.IsInf(c.Lo, -1) {
			c.Lo = m.least
		} else {
			c.Lo = math.Nextafter(c.Lo, math.Inf(1))
		}
		if !math.IsInf(c.Hi, 1) {
			c.Hi = math.Nextafter(c.Hi, math.Inf(-1))
		}
		m.cells = append(m.cells, c)
	}
	m.value = m.typical()
	return m, nil
}

// edges lists the edges of buckets for a message.
func edges(e []float64) string {
	names := make([]string, len(e))
	for i, x := range e {
		names[i] = number(x)
	}
	return list(names, 12)
}

// quality reports windows of a provider's metric whose numbers cannot be.
func (g Guardrail) quality(ev *analysis.Evidence) []analysis.Finding {
	invalid := g.windows(ev, func(d *analysis.MetricSummary) uint64 { return d.Invalid })
	if invalid == (analysis.Counts{}) {
		return nil
	}
	f := analysis.NewFinding(g.Name(), "invalid_windows", g.title())
	f.Column, f.N, f.Outcome, f.Local = g.Of, invalid, analysis.Invalid, true
	f.Message = fmt.Sprintf("%s of %s hold numbers that cannot be (not a number, negative, more events than units) and were left out, so what is left may not be all.", counts(invalid.Baseline, invalid.Candidate, "windows"), g.Of)
	return []analysis.Finding{f}
}

// windows counts windows of the metric in both arms, over all stages.
func (g Guardrail) windows(ev *analysis.Evidence, of func(*analysis.MetricSummary) uint64) analysis.Counts {
	var n analysis.Counts
	if g.Of == "" {
		return n
	}
	for _, s := range strataOf(ev) {
		for _, arm := range []struct {
			s *analysis.Snapshot
			n *uint64
		}{{s.Baseline, &n.Baseline}, {s.Candidate, &n.Candidate}} {
			if arm.s == nil {
				continue
			}
			if d := arm.s.Metric(g.Of); d != nil {
				*arm.n += of(d)
			}
		}
	}
	return n
}

// warnProvider says what the provider's numbers lack.
func (g Guardrail) warnProvider(f *analysis.Finding, ev *analysis.Evidence, p pair) {
	if n := g.windows(ev, func(d *analysis.MetricSummary) uint64 { return d.Missing }); n != (analysis.Counts{}) {
		warn(f, WarnMissing, fmt.Sprintf("The provider had nothing for %s; they count as unknown, not as zero.", counts(n.Baseline, n.Candidate, "windows")))
	}
	if p.base.part > 0 || p.cand.part > 0 {
		warn(f, WarnFractions, "The provider's counts are no whole numbers, as when it extrapolates; every bound takes the rounding that speaks against it.")
	}
	if k := len(p.cand.cells); g.Of != "" && k > 0 && math.IsInf(p.cand.cells[k-1].Hi, 1) && p.cand.value >= p.cand.cells[k-1].Lo {
		warn(f, WarnOpenEnd, "The quantile lies in the bucket without an end: it is at least "+number(p.cand.value)+".")
	}
}

// counted names what a guardrail counts, for messages.
func (g Guardrail) counted() string {
	switch {
	case g.Metric.labelled():
		return "labelled rows"
	case g.Of == "":
		return "rows"
	case g.Metric == Ratio:
		return "units"
	case g.Metric == CountRate:
		return "of exposure"
	}
	return "values"
}

// buildSource reads where the metric comes from: a provider's metric, or a column.
func (g *Guardrail) buildSource(p *analysis.Params, pol *analysis.Policy) {
	g.Of = p.Str("of", "")
	switch {
	case g.Of == "" && (g.Metric == Ratio || g.Metric == CountRate):
		p.Column("column", "")
		if !p.Has("of") {
			p.Errorf("", "metric %s needs the name of a metric that a provider brings; add of: and its name", g.Metric)
		}
	case g.Of == "":
		g.Column = g.buildColumn(p, pol)
	case metricOf[g.Metric] == 0:
		p.Column("column", "")
		p.Errorf("of", "metric %s is computed from a log; of: is for ratio, count_rate, mean, quantile and rate", g.Metric)
	case p.Has("column"):
		p.Column("column", "")
		p.Errorf("of", "the metric is either of a column or of a provider; leave column or of out")
	case g.Metric == Rate && !p.Has("threshold"):
		p.Errorf("", "the rate of a distribution needs a threshold, which is an edge of its buckets")
	}
}

// directions are the words of a policy for which way is good.
var directions = map[string]stats.Direction{"lower": stats.LowerIsBetter, "higher": stats.HigherIsBetter}
