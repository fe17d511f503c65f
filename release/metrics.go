package release

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// WarnNoInterval marks a metric that was held against its bound without an interval.
const WarnNoInterval = "no_interval"

func (g gates) primary() []analysis.Finding {
	if g.m.Gates.Primary == nil {
		return []analysis.Finding{finding("no_bound", "primary", analysis.NoData,
			"The manifest sets no bound for a primary metric; add gates.primary, such as {metric: auc, at_least: 0.90}.")}
	}
	return []analysis.Finding{g.bound(*g.m.Gates.Primary)}
}

func (g gates) guardrails() []analysis.Finding {
	return g.bounds(g.m.Gates.Guardrails, "guardrails", "{metric: calibration_error, at_most: 0.02}")
}

func (g gates) slices() []analysis.Finding {
	return g.bounds(g.m.Gates.Slices, "slices", "{slice: country=DE, metric: auc, at_least: 0.85}")
}

func (g gates) bounds(bs []Bound, key, example string) []analysis.Finding {
	if len(bs) == 0 {
		return []analysis.Finding{finding("no_bound", key, analysis.NoData, "The manifest declares no %s; add gates.%s, such as [%s].", key, key, example)}
	}
	out := make([]analysis.Finding, len(bs))
	for i, b := range bs {
		out[i] = g.bound(b)
	}
	return out
}

// bound holds a metric of the evaluation against its bound. The estimate is by how
// much the metric is beyond it, so that more is worse and the limit is 0.
func (g gates) bound(b Bound) analysis.Finding {
	name := b.Metric + where(b.Slice)
	is := "at least " + number(b.Limit)
	if b.AtMost {
		is = "at most " + number(b.Limit)
	}
	i := slices.IndexFunc(g.m.Evaluation.Metrics, func(m Metric) bool { return m.Name == b.Metric && m.Slice == b.Slice })
	if i < 0 || g.m.Evaluation.Metrics[i].N == 0 {
		what := "The evaluation has no %s, which must be %s; measure it."
		if i >= 0 {
			what = "The evaluation does not say on how many rows %s rests, which must be %s; add n."
		}
		f := finding("not_measured", b.Metric, analysis.NoData, what, name, is)
		return inSlice(f, b)
	}
	m := g.m.Evaluation.Metrics[i]
	f := finding("bound", b.Metric, analysis.Inconclusive, "")
	f.N.Candidate, f.Limit = m.N, 0
	f.Method = "value of the evaluation report"
	f.Details = []analysis.Detail{{Name: "value", Value: stats.Float(m.Value)}, {Name: "bound", Value: stats.Float(b.Limit)}}
	lo, hi := m.Value, m.Value
	if m.Interval != nil {
		lo, hi = m.Interval[0], m.Interval[1]
		f.Method = "interval of the evaluation report"
	}
	over := func(x float64) float64 {
		if b.AtMost {
			return x - b.Limit + 0
		}
		return b.Limit - x + 0
	}
	point, worst, best := over(m.Value), max(over(lo), over(hi)), min(over(lo), over(hi))
	f.Estimate = stats.Interval{Point: point, Lo: best, Hi: worst}
	measured := fmt.Sprintf("%s is %s", name, number(m.Value))
	if m.Interval != nil {
		measured += fmt.Sprintf(", between %s and %s", number(lo), number(hi))
	}
	measured += fmt.Sprintf(", on %s; it must be %s", rowCount(m.N), is)
	switch {
	case worst <= 0 && m.Interval == nil:
		f.Message = measured + ". Without an interval chance is not ruled out, so that it cannot pass; give interval: [lo, hi], a 95% interval of the evaluation."
	case worst <= 0:
		f.Outcome, f.Message = analysis.Pass, measured+"."
	case best > 0:
		f.Outcome, f.Message = analysis.Harm, measured+". The release has to wait for a better model or for a bound that somebody answers for."
	default:
		f.UnitsNeeded = needed(m.N, point, worst, best)
		f.Message = measured + ", and the interval holds values on both sides. Evaluate on more rows."
	}
	if m.Interval == nil {
		f.Warnings = append(f.Warnings, stats.Warning{Code: WarnNoInterval, Message: "The evaluation gives no interval for " + name + ", so that chance is not ruled out."})
	}
	return inSlice(f, b)
}

// inSlice names the rows of a finding.
func inSlice(f analysis.Finding, b Bound) analysis.Finding {
	if b.Slice != "" {
		f.Slice = sliceKey(b.Slice)
	}
	return f
}

// sliceKey reads country=DE device=phone; a slice of another form has a name only.
func sliceKey(slice string) analysis.SliceKey {
	key := analysis.SliceKey{}
	parts := strings.Fields(slice)
	for _, part := range parts {
		if column, value, ok := strings.Cut(part, "="); ok && column != "" {
			key[column] = value
		}
	}
	if len(key) < len(parts) {
		return analysis.SliceKey{"slice": slice}
	}
	return key
}

// needed estimates how many more rows would bring the end of the interval that is
// on the wrong side to the bound: its width shrinks like one over the root of n.
// Where the value is on the bound no number of rows would.
func needed(n uint64, point, worst, best float64) uint64 {
	end := worst
	if point > 0 {
		end = best
	}
	ratio := math.Abs(end-point) / math.Abs(point)
	more := float64(n) * (float64(ratio*ratio) - 1)
	if !(more > 0) || more > 1e15 {
		return 0
	}
	return uint64(math.Ceil(more))
}

// serving holds what was measured against the limits.
func (g gates) serving() []analysis.Finding {
	l, m := g.m.Serving.Limits, g.m.Serving.Measured
	return []analysis.Finding{
		g.limit("latency_p99", "p99_ms", "ms", l.P99, m.P99, false),
		g.limit("memory", "memory_mib", "MiB", l.MemoryMiB, m.MemoryMiB, false),
		g.limit("throughput", "qps", "requests a second", l.QPS, m.QPS, true),
	}
}

// limit holds one figure of serving against its limit; least says that it must be
// reached, not kept below.
func (g gates) limit(metric, key, unit string, limit, measured *float64, least bool) analysis.Finding {
	switch {
	case limit == nil:
		return finding("no_limit", metric, analysis.NoData, "The manifest states no serving.limits.%s; add what the service may take, in %s.", key, unit)
	case measured == nil:
		return finding("not_measured", metric, analysis.NoData, "The manifest states no serving.measured.%s, which is limited to %s %s; measure it under load.", key, number(*limit), unit)
	}
	f := finding("limit", metric, analysis.Pass, "")
	f.Method, f.Unit, f.Limit = "value of the load test", unit, 0
	over, must := *measured-*limit, "at most"
	if least {
		over, must = *limit-*measured, "at least"
	}
	f.Estimate = stats.Interval{Point: over, Lo: over, Hi: over}
	f.Details = []analysis.Detail{{Name: "measured", Value: stats.Float(*measured)}, {Name: "limit", Value: stats.Float(*limit)}}
	f.Message = fmt.Sprintf("%s was measured as %s %s; it must be %s %s.", metric, number(*measured), unit, must, number(*limit))
	if over > 0 {
		f.Outcome = analysis.Harm
		f.Message += " Make the model cheaper to serve, or give it what it needs and state that."
	}
	return f
}

// number formats a figure as it would be written by hand.
func number(x float64) string {
	if a := math.Abs(x); a != 0 && (a < 1e-4 || a >= 1e15) {
		return strconv.FormatFloat(x, 'g', 6, 64)
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

// rowCount formats a number of rows with separators: 12,400 rows.
func rowCount(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if n == 1 {
		return s + " row"
	}
	return s + " rows"
}
