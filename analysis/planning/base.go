package planning

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats/summary"
	"gonum.org/v1/gonum/stat/distuv"
)

// kind says which statistic a metric is.
type kind int8

const (
	proportion kind = iota
	mean
	area
	quantile
	rate
)

// base is what is known of a metric in the baseline.
type base struct {
	kind  kind
	value float64
	sd    float64 // of a row: mean; of the logarithm of a value: quantile
	label float64 // share of positive labels: area
	q     float64
}

// variance is that of one unit when the metric has the value v.
func (b base) variance(v float64) float64 {
	switch b.kind {
	case proportion:
		return math.Max(0, v*(1-v))
	case rate:
		return math.Max(0, v)
	case area: // Hanley and McNeil (1982), of n rows, times n, for large n
		q1, q2 := v/(2-v), 2*v*v/(1+v)
		return (q1-float64(v*v))/b.label + (q2-float64(v*v))/(1-b.label)
	case mean, quantile:
	}
	return b.sd * b.sd
}

// source names what a guardrail measures, as the maps of [Traffic] do.
func source(g *checks.Guardrail) []string {
	var names []string
	for _, n := range []string{g.Of, g.Column, string(g.Metric)} {
		if n != "" {
			names = append(names, n)
		}
	}
	return names
}

// baseOf finds what is known of the metric of a guardrail: as the traffic says, else
// as in the snapshot, which may be of a slice.
func (t *Traffic) baseOf(g *checks.Guardrail, seen *analysis.Snapshot, p *analysis.Policy) (base, error) {
	b := base{q: g.Q}
	switch g.Metric {
	case checks.Quantile:
		b.kind = quantile
	case checks.LogLoss, checks.Brier, checks.MeanScore, checks.MAE, checks.MSE, checks.RMSE, checks.R2, checks.Bias, checks.QuantileLoss, checks.MacroF1:
		b.kind = mean
	case checks.AUC:
		b.kind = area
	case checks.CountRate:
		b.kind = rate
	case checks.Mean, checks.Accuracy, checks.LabelRate, checks.PositiveRate, checks.Rate, checks.Ratio, checks.Precision, checks.Recall, checks.FalsePositiveRate, checks.Coverage:
	}
	for _, name := range source(g) {
		if m, ok := t.Moments[name]; ok && (b.kind == mean || b.kind == quantile || g.Metric == checks.Mean) {
			if g.Metric == checks.Mean {
				b.kind = mean
			}
			b.value, b.sd = m.Mean, m.SD
			if b.kind == quantile {
				return b, b.lognormal(m)
			}
			return b, nil
		}
		if r, ok := t.BaseRates[name]; ok && b.kind != mean && b.kind != quantile {
			b.value = r
			return b, b.areaOf(t, p)
		}
	}
	if seen != nil && b.fromSnapshot(g, seen) {
		return b, nil
	}
	names := source(g)
	what := "its base rate"
	switch {
	case g.Metric == checks.Mean:
		what = "its base rate, or its mean and standard deviation"
	case b.kind == mean, b.kind == quantile:
		what = "its mean and standard deviation"
	}
	return b, fmt.Errorf("nothing is known of %s; give %s, or a baseline", names[0], what)
}

// lognormal turns moments into the quantile of a lognormal law.
func (b *base) lognormal(m Moments) error {
	if !(m.Mean > 0) || !(m.SD > 0) {
		return fmt.Errorf("a quantile is planned for values above 0 that vary; the mean is %v, the standard deviation %v", m.Mean, m.SD)
	}
	v := math.Log1p(m.SD / m.Mean * (m.SD / m.Mean))
	b.sd = math.Sqrt(v)
	b.value = math.Exp(math.Log(m.Mean) - v/2 + float64(b.sd*distuv.UnitNormal.Quantile(b.q)))
	return nil
}

// areaOf adds the share of positive labels to an AUC.
func (b *base) areaOf(t *Traffic, p *analysis.Policy) error {
	if b.kind != area {
		return nil
	}
	for _, name := range []string{p.Columns.Label, string(checks.LabelRate)} {
		if r, ok := t.BaseRates[name]; ok && r > 0 && r < 1 {
			b.label = r
			return nil
		}
	}
	return fmt.Errorf("the plan of an AUC needs the share of positive labels, as a base rate of %s", checks.LabelRate)
}

// fromSnapshot takes the metric of a baseline that was collected.
func (b *base) fromSnapshot(g *checks.Guardrail, s *analysis.Snapshot) bool {
	if g.Of != "" {
		return b.fromMetric(g, s.Metric(g.Of))
	}
	if len(g.From) > 0 {
		return b.fromDerived(g, s)
	}
	score := s.ByRole(analysis.Score)
	var loss summary.Loss
	var err error
	switch g.Metric {
	case checks.LogLoss, checks.Brier:
		if score == nil {
			return false
		}
		if loss, err = score.Scores.LogLoss(); g.Metric == checks.Brier {
			loss, err = score.Scores.Brier()
		}
		b.value, b.sd = loss.Mean, math.Sqrt(loss.Variance)
		return err == nil && loss.N > 1
	case checks.Accuracy, checks.PositiveRate:
		return score != nil && b.fromCut(g, &score.Scores)
	case checks.LabelRate:
		l := s.ByRole(analysis.Label)
		return l != nil && b.share(l.Boolean.True, l.Boolean.Trials())
	case checks.MeanScore:
		return score != nil && b.fromColumn(g, score)
	case checks.AUC, checks.Precision, checks.Recall, checks.FalsePositiveRate, checks.R2, checks.MacroF1:
		return false
	case checks.MAE, checks.MSE, checks.RMSE, checks.Bias, checks.QuantileLoss, checks.Coverage:
	case checks.Mean, checks.Rate, checks.Quantile, checks.Ratio, checks.CountRate:
	}
	c := s.Column(g.Column)
	return c != nil && b.fromColumn(g, c)
}

// fromDerived takes a metric of a derived column.
func (b *base) fromDerived(g *checks.Guardrail, s *analysis.Snapshot) bool {
	c := s.Column(g.Column)
	if c == nil || g.Metric == checks.R2 || g.Metric == checks.MacroF1 || !b.fromColumn(g, c) {
		return false
	}
	if g.Metric == checks.RMSE && b.value > 0 {
		b.value = math.Sqrt(b.value)
		b.sd /= 2 * b.value
	}
	return true
}

func (b *base) share(x, n uint64) bool {
	b.value = float64(x) / float64(n)
	return n > 0
}

func (b *base) fromCut(g *checks.Guardrail, s *summary.Scores) bool {
	cut := g.Threshold
	if cut == 0 {
		cut = 0.5
	}
	var above, of [3]uint64
	for l := summary.Unlabelled; l <= summary.Positive; l++ {
		var ok bool
		if above[l], of[l], ok = s.AtLeast(cut, l); !ok {
			return false
		}
	}
	if g.Metric == checks.PositiveRate {
		return b.share(above[0]+above[1]+above[2], of[0]+of[1]+of[2])
	}
	return b.share(above[summary.Positive]+of[summary.Negative]-above[summary.Negative], of[summary.Positive]+of[summary.Negative])
}

func (b *base) fromColumn(g *checks.Guardrail, c *analysis.ColumnSummary) bool {
	h := c.Histogram()
	switch {
	case c.Boolean.Trials() > 0:
		b.kind = proportion
		return b.share(c.Boolean.True, c.Boolean.Trials())
	case h == nil || h.N() < 2:
		return false
	case g.Metric == checks.Rate:
		below, most := c.Cuts.CountBelow(g.Threshold)
		return below == most && b.share(c.Cuts.N()-below, c.Cuts.N())
	case g.Metric == checks.Quantile:
		return b.around(h)
	}
	m, err := h.Moments()
	if err != nil {
		return false
	}
	b.kind, b.value, b.sd = mean, m.Mean, math.Sqrt(m.Variance)
	return true
}

// around finds how fast the values rise near the quantile, and the standard
// deviation of the logarithm of a lognormal law that rises as fast.
func (b *base) around(h *summary.Histogram) bool {
	step := math.Min(b.q, 1-b.q) / 2
	at, err := h.Quantile(b.q)
	lo, err1 := h.Quantile(b.q - step)
	hi, err2 := h.Quantile(b.q + step)
	if err != nil || err1 != nil || err2 != nil || !(lo.Value > 0) || !(hi.Value > lo.Value) {
		return false
	}
	z := distuv.UnitNormal
	b.value = at.Value
	b.sd = math.Log(hi.Value/lo.Value) / (z.Quantile(b.q+step) - z.Quantile(b.q-step))
	return true
}

func (b *base) fromMetric(g *checks.Guardrail, m *analysis.MetricSummary) bool {
	if m == nil || m.Window.N == 0 {
		return false
	}
	total, n := m.Total.Float64(), m.Count.Float64()
	switch m.Kind {
	case analysis.RatioMetric, analysis.RateMetric:
		b.value = total / n
		return n > 0
	case analysis.AverageMetric:
		b.kind, b.value = mean, total/n
		b.sd = math.Sqrt(math.Max(0, m.Squares.Float64()/n-b.value*b.value))
		return n > 1
	case analysis.DistributionMetric:
		if g.Metric == checks.Rate {
			below, most := m.Distribution.CountBelow(g.Threshold)
			return below == most && b.share(m.Distribution.N()-below, m.Distribution.N())
		}
		return b.around(&m.Distribution)
	case analysis.GaugeMetric:
	}
	return false
}
