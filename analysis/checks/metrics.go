package checks

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Metric names what a [Guardrail] measures.
type Metric string

// The metrics. Those of the first group need labels, and count labelled rows
// only.
const (
	Accuracy  Metric = "accuracy"   // share of rows that score >= threshold classifies as labelled
	LogLoss   Metric = "log_loss"   // mean of -log of the probability given to the label, in nats
	Brier     Metric = "brier"      // mean squared difference of score and label
	AUC       Metric = "auc"        // probability that a positive row outscores a negative one
	LabelRate Metric = "label_rate" // share of positive labels

	PositiveRate Metric = "positive_rate" // share of scores at or above the threshold
	MeanScore    Metric = "mean_score"    // mean of the score
	Mean         Metric = "mean"          // mean of a column; of a yes-or-no column the share of yes
	Rate         Metric = "rate"          // share of yes, or of values at or above the threshold
	Quantile     Metric = "quantile"      // quantile q of a column

	// At the threshold, of labelled rows of a binary task.
	Precision         Metric = "precision"           // share of positive labels among the scores at or above it
	Recall            Metric = "recall"              // share of scores at or above it among the positive labels
	FalsePositiveRate Metric = "false_positive_rate" // share of scores at or above it among the negative labels

	// Of a multiclass task, as are Accuracy, LogLoss and Brier.
	MacroF1 Metric = "macro_f1" // mean over classes of F1

	// Of a regression: its label is a number, its score the prediction.
	MAE          Metric = "mae"           // mean of |label - score|
	MSE          Metric = "mse"           // mean of (label - score)^2
	RMSE         Metric = "rmse"          // square root of MSE
	R2           Metric = "r2"            // 1 - MSE over the variance of the label
	Bias         Metric = "bias"          // mean of score - label
	QuantileLoss Metric = "quantile_loss" // mean pinball loss of the score as a quantile q of the label
	Coverage     Metric = "coverage"      // share of labels between the columns lower and upper

	Ratio     Metric = "ratio"      // events over units, of a provider's metric
	CountRate Metric = "count_rate" // events over exposure, of a provider's metric
)

// metricOf lists the metrics that can be read from those of providers, with the
// kind that they need.
var metricOf = map[Metric]analysis.MetricKind{
	Ratio: analysis.RatioMetric, CountRate: analysis.RateMetric, Mean: analysis.AverageMetric,
	Quantile: analysis.DistributionMetric, Rate: analysis.DistributionMetric,
}

// metricKnown lists the metrics with the direction that they imply, 0 where the
// policy has to say which way is good.
var metricKnown = map[Metric]stats.Direction{
	Accuracy: stats.HigherIsBetter, AUC: stats.HigherIsBetter, LogLoss: stats.LowerIsBetter, Brier: stats.LowerIsBetter,
	Precision: stats.HigherIsBetter, Recall: stats.HigherIsBetter, FalsePositiveRate: stats.LowerIsBetter,
	MacroF1: stats.HigherIsBetter, MAE: stats.LowerIsBetter, MSE: stats.LowerIsBetter, RMSE: stats.LowerIsBetter, R2: stats.HigherIsBetter, Bias: 0, QuantileLoss: stats.LowerIsBetter, Coverage: stats.HigherIsBetter,
	LabelRate: 0, PositiveRate: 0, MeanScore: 0, Mean: 0, Rate: 0, Quantile: 0, Ratio: 0, CountRate: 0,
}

// metricOrder is the order in which messages list the metrics.
var metricOrder = []Metric{
	Accuracy, Precision, Recall, FalsePositiveRate, LogLoss, Brier, AUC, LabelRate, PositiveRate, MeanScore,
	MacroF1, MAE, MSE, RMSE, R2, Bias, QuantileLoss, Coverage, Mean, Rate, Quantile, Ratio, CountRate,
}

// labelled reports whether the metric rests on labels.
func (m Metric) labelled() bool {
	switch m {
	case Accuracy, LogLoss, Brier, AUC, LabelRate, Precision, Recall, FalsePositiveRate:
		return true
	default:
		return m.derived()
	}
}

// derived reports whether the metric always is of a derived column.
func (m Metric) derived() bool { return m.ofNumbers() || m == Coverage || m == MacroF1 }

// ofNumbers reports whether the metric is of a label that is a number, and no share.
func (m Metric) ofNumbers() bool {
	switch m {
	case MAE, MSE, RMSE, R2, Bias, QuantileLoss:
		return true
	default:
		return false
	}
}

// atThreshold reports whether the metric counts scores at or above a threshold.
func (m Metric) atThreshold() bool {
	switch m {
	case Accuracy, PositiveRate, Precision, Recall, FalsePositiveRate:
		return true
	default:
		return false
	}
}

// isShare reports whether the metric lies between 0 and 1 whatever it is read from.
func (m Metric) isShare() bool {
	switch m {
	case Accuracy, AUC, Brier, LabelRate, PositiveRate, Rate, Ratio, Precision, Recall, FalsePositiveRate, Coverage, MacroF1:
		return true
	default:
		return false
	}
}

// onScore reports whether the metric of a binary task is computed from the score
// column.
func (m Metric) onScore() bool {
	switch m {
	case Accuracy, LogLoss, Brier, AUC, PositiveRate, MeanScore, Precision, Recall, FalsePositiveRate:
		return true
	default:
		return false
	}
}

// measure computes the guardrail's metric in one arm. zeroOne tells that every
// value of a numeric column is 0 or 1.
func (g Guardrail) measure(s *analysis.Snapshot, arm string) (m measure, zeroOne bool, p *problem) {
	if g.Of != "" {
		m, p = g.fromProvider(s, arm)
		return m, false, p
	}
	if s == nil || s.RowCount == 0 {
		return m, false, noData("no_data", "The %s has no rows yet.", arm)
	}
	col := g.column(s)
	if col == nil {
		return m, false, &problem{"no_column", analysis.Invalid, fmt.Sprintf("No column of the log is the %s that %s needs.", g.wanted(), g.Metric)}
	}
	if col.Type == analysis.Absent && g.Metric != LabelRate {
		return m, false, columnAbsent(arm, col.Name)
	}
	if len(g.From) > 0 {
		return g.fromDerived(s, col, arm)
	}
	switch g.Metric {
	case Accuracy, LogLoss, Brier, AUC, PositiveRate, Precision, Recall, FalsePositiveRate:
		if total, _ := seenScores(&col.Scores); total == 0 {
			return m, false, &problem{"type_unusable", analysis.Invalid, fmt.Sprintf("%s needs a score that is a probability of a binary task; column %s of the %s is %v.", g.Metric, col.Name, arm, col.Type)}
		}
		m, p = g.fromScores(col, arm)
	case LabelRate:
		m, p = labelRate(s, col, arm)
	case MeanScore, Mean, Rate, Quantile:
		m, zeroOne, p = g.fromColumn(col, arm)
	case Ratio, CountRate: // of providers only
	case MacroF1, MAE, MSE, RMSE, R2, Bias, QuantileLoss, Coverage: // of derived columns only
	}
	return m, zeroOne, p
}

// column finds the column that the metric is computed from.
func (g Guardrail) column(s *analysis.Snapshot) *analysis.ColumnSummary {
	switch {
	case g.onScore():
		return s.ByRole(analysis.Score)
	case g.Metric == LabelRate:
		return s.ByRole(analysis.Label)
	}
	return s.Column(g.Column)
}

// wanted names the kind of column for messages.
func (g Guardrail) wanted() string {
	switch {
	case g.onScore():
		return "score"
	case g.Metric == LabelRate:
		return "label"
	}
	return "column " + g.Column
}

// fromScores computes the metrics of scores with labels.
func (g Guardrail) fromScores(col *analysis.ColumnSummary, arm string) (measure, *problem) {
	s := &col.Scores
	m := measure{positive: true}
	_, m.excluded = seenScores(s)
	if g.Metric.labelled() && s.By(summary.Negative).N()+s.By(summary.Positive).N() == 0 {
		return m, noData("no_labels", "No row of the %s has both a score and a label yet.", arm)
	}
	switch g.Metric {
	case Accuracy, PositiveRate, Precision, Recall, FalsePositiveRate:
		var above, of [3]uint64
		for l := summary.Unlabelled; l <= summary.Positive; l++ {
			var ok bool
			if above[l], of[l], ok = s.AtLeast(g.threshold(), l); !ok {
				return m, &problem{"no_cut", analysis.Invalid, fmt.Sprintf("Scores at or above %s were not counted when the log was read; collect it again with this policy.", number(g.threshold()))}
			}
		}
		neg, pos := summary.Negative, summary.Positive
		m.x, m.n = above[pos]+of[neg]-above[neg], of[pos]+of[neg]
		var lacks string
		switch g.Metric {
		case PositiveRate:
			m.x, m.n = above[0]+above[1]+above[2], of[0]+of[1]+of[2]
		case Precision:
			m.x, m.n, lacks = above[pos], above[pos]+above[neg], fmt.Sprintf("score of at least %s", number(g.threshold()))
		case Recall:
			m.x, m.n, lacks = above[pos], of[pos], "positive label"
		case FalsePositiveRate:
			m.x, m.n, lacks = above[neg], of[neg], "negative label"
		default:
		}
		if m.n == 0 && lacks != "" {
			return m, &problem{"one_class", analysis.Insufficient, fmt.Sprintf("No labelled row of the %s has a %s yet, so there is no %s.", arm, lacks, g.Metric)}
		}
		if m.n == 0 {
			return m, noData("no_values", "No row of the %s has a score.", arm)
		}
		m.value = float64(m.x) / float64(m.n)
	case LogLoss, Brier:
		f := s.LogLoss
		if g.Metric == Brier {
			f = s.Brier
		}
		loss, err := f()
		if err != nil {
			return m, noData("no_labels", "No row of the %s has both a score and a label yet.", arm)
		}
		m.kind, m.value, m.n, m.variance, m.slack = mean, loss.Mean, loss.N, loss.Variance, loss.Bound
		m.skew = skewnessOf(g.Metric, s, loss)
		if m.variance < float64(m.value*m.value)*1e-28 { // rounding: every row loses the same
			m.variance = 0
		}
	case AUC:
		return g.auc(s, m, arm)
	case LabelRate, MeanScore, Mean, Rate, Quantile, Ratio, CountRate, MacroF1, MAE, MSE, RMSE, R2, Bias, QuantileLoss, Coverage:
	}
	return m, nil
}

// seenScores counts the scores, and those of them that are no probabilities.
func seenScores(s *summary.Scores) (total, excluded uint64) {
	for l := summary.Unlabelled; l <= summary.Positive; l++ {
		total += s.By(l).Total()
		excluded += s.By(l).Excluded().Total()
	}
	return total, excluded
}

// auc computes the area under the ROC curve on the cells of the scores.
func (g Guardrail) auc(s *summary.Scores, m measure, arm string) (measure, *problem) {
	neg, pos := s.By(summary.Negative), s.By(summary.Positive)
	m.kind, m.n, m.pos = area, neg.N()+pos.N(), pos.N()
	if neg.N() == 0 || pos.N() == 0 {
		return m, &problem{"one_class", analysis.Insufficient, fmt.Sprintf("The AUC of the %s needs labels of both classes; it has %s positive and %s negative ones.", arm, count(pos.N()), count(neg.N()))}
	}
	n, p, hidden := alignCells(neg.Cells(), pos.Cells())
	r, err := stats.AUCBinned(n, p, 0.95)
	if err != nil {
		return m, &problem{"no_value", analysis.Invalid, fmt.Sprintf("The AUC of the %s cannot be computed: %v.", arm, err)}
	}
	m.value, m.slack = r.Estimate.Point, hidden/(2*float64(neg.N())*float64(pos.N()))
	m.variance = r.SE * r.SE * float64(m.n)
	if math.IsInf(r.SE, 1) {
		m.variance = math.NaN()
	}
	return m, nil
}

// alignCells puts the counts of two histograms of one layout side by side.
// hidden is the number of pairs in one cell whose order is not known: all but
// those of values that are the same.
func alignCells(a, b []summary.Cell) (x, y []uint64, hidden float64) {
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case j == len(b) || (i < len(a) && cellBefore(a[i], b[j])):
			x, y = append(x, a[i].N), append(y, 0)
			i++
		case i == len(a) || cellBefore(b[j], a[i]):
			x, y = append(x, 0), append(y, b[j].N)
			j++
		default:
			x, y = append(x, a[i].N), append(y, b[j].N)
			if a[i].Var != 0 || b[j].Var != 0 || a[i].Mean != b[j].Mean {
				hidden += float64(float64(a[i].N) * float64(b[j].N))
			}
			i++
			j++
		}
	}
	return x, y, hidden
}

func cellBefore(a, b summary.Cell) bool {
	if a.Lo != b.Lo {
		return a.Lo < b.Lo
	}
	return a.Hi < b.Hi
}

// labelRate is the share of positive labels among the labelled rows.
func labelRate(s *analysis.Snapshot, col *analysis.ColumnSummary, arm string) (measure, *problem) {
	m := measure{positive: true}
	yes, no, ok := yesNo(col)
	if !ok {
		return m, &problem{"type_unusable", analysis.Invalid, fmt.Sprintf("The label column %s of the %s is %v; label_rate needs yes-or-no labels.", col.Name, arm, col.Type)}
	}
	m.x, m.n = yes, yes+no
	if m.n == 0 {
		return m, noData("no_labels", "None of the %s rows of the %s has a label yet.", count(s.RowCount), arm)
	}
	m.value = float64(m.x) / float64(m.n)
	return m, nil
}

// yesNo counts the values of a column that holds yes and no, as booleans or as
// the numbers 1 and 0. A column without values is one.
func yesNo(col *analysis.ColumnSummary) (yes, no uint64, ok bool) {
	if scores, _ := seenScores(&col.Scores); col.Category.Total() > 0 || scores > 0 {
		return 0, 0, false
	}
	if h := &col.Numeric; h.N() > 0 && (h.Min() != 0 && h.Min() != 1 || h.Max() != 0 && h.Max() != 1) {
		return 0, 0, false // the cells would say the same, at more cost
	}
	for _, c := range col.Numeric.Cells() {
		switch {
		case c.Var == 0 && c.Mean == 0:
			no += c.N
		case c.Var == 0 && c.Mean == 1:
			yes += c.N
		default:
			return 0, 0, false
		}
	}
	return yes + col.Boolean.True, no + col.Boolean.False, true
}

// fromColumn computes the metrics of one column by itself.
func (g Guardrail) fromColumn(col *analysis.ColumnSummary, arm string) (m measure, zeroOne bool, p *problem) {
	none := noData("no_values", "Column %s of the %s has no values yet.", col.Name, arm)
	h := col.Histogram()
	if h != nil {
		m.excluded = h.Excluded().Total()
	}
	yes, no, binary := yesNo(col)
	switch {
	case g.Metric == Rate && g.Threshold != 0:
		if h == nil || h.N() == 0 {
			break
		}
		at := &col.Cuts
		below, most := at.CountBelow(g.Threshold)
		if at.N() == 0 || below != most {
			return m, false, &problem{"no_cut", analysis.Invalid, fmt.Sprintf("Values of %s at or above %s were not counted when the log was read; collect it again with this policy.", col.Name, number(g.Threshold))}
		}
		m.x, m.n, m.positive = at.N()-below, at.N(), true
		m.value = float64(m.x) / float64(m.n)
		return m, false, nil
	case (g.Metric == Rate || g.Metric == Coverage) && !binary:
		return m, false, &problem{"type_unusable", analysis.Invalid, fmt.Sprintf("Column %s of the %s is %v with other values than yes and no; give the rate a threshold.", col.Name, arm, col.Type)}
	case g.Metric == Quantile:
		if h == nil || h.N() == 0 {
			break
		}
		v, err := h.Quantile(g.Q)
		if err != nil {
			break
		}
		m.kind, m.cells, m.q, m.n, m.value = quantile, h.Cells(), g.Q, h.N(), v.Value
		m.least, m.most = h.Min(), h.Max()
		m.positive = h.Min() >= 0
		return m, false, nil
	case binary && g.Metric != MeanScore && (h == nil || g.Metric == Rate):
		m.x, m.n, m.positive = yes, yes+no, true
		if m.n == 0 {
			return m, true, none
		}
		m.value = float64(m.x) / float64(m.n)
		m.excluded += col.Boolean.Null
		return m, true, nil
	case h != nil && h.N() > 0:
		sh, err := h.Moments()
		if err != nil {
			return m, false, &problem{"no_value", analysis.Invalid, fmt.Sprintf("The %s of %s cannot be computed from what was collected: %v.", g.Metric, col.Name, err)}
		}
		m.kind, m.n, m.value, m.variance, m.positive = mean, sh.N, sh.Mean, sh.Variance, sh.Min >= 0
		m.skew = finite(sh.Skewness)
		m.x = yes
		return m, binary, nil
	}
	if col.Category.Total() > 0 || (col.Type != analysis.Float && col.Type != analysis.Int && col.Type != analysis.Bool) {
		return m, false, &problem{"type_unusable", analysis.Invalid, fmt.Sprintf("Column %s of the %s is %v, which has no %s.", col.Name, arm, col.Type, g.Metric)}
	}
	return m, false, none
}

// problems say, for each arm, why it has no value; nil where it has one.
type problems struct{ base, cand *problem }

// measurePair computes the metric in both arms, stage by stage.
func (g Guardrail) measurePair(ev *analysis.Evidence) (pair, problems) {
	r := rulerOf(ev, g.Planned)
	if g.Metric == CountRate && g.Planned == 0 {
		r.planned = plannedEvents
	}
	strata := strataOf(ev)
	arms := make([]armPair, len(strata))
	var none problems
	var have [2]bool
	zeroOne := true
	for i, s := range strata {
		a := &arms[i]
		a.split = s.Split
		var bad [2]*problem
		var binary [2]bool
		a.base, binary[0], bad[0] = g.measure(s.Baseline, armName(ev.Compared))
		a.cand, binary[1], bad[1] = g.measure(s.Candidate, "candidate")
		if ev.Compared == analysis.Absolute {
			bad[0] = &problem{"no_baseline", analysis.Invalid, fmt.Sprintf("%s has nothing to be compared with, because the policy says baseline: absolute; give it bounds.", g.title())}
		}
		if g.Metric == MacroF1 && bad[1] == nil {
			cols := []*analysis.ColumnSummary{g.column(s.Candidate)}
			if bad[0] == nil {
				cols = append(cols, g.column(s.Baseline))
			}
			if p := rareClass(cols...); p != nil {
				bad = [2]*problem{worseProblem(bad[0], p), p}
			}
		}
		a.okBase, a.okCand = bad[0] == nil, bad[1] == nil
		for k, p := range bad {
			have[k] = have[k] || p == nil
			zeroOne = zeroOne && (p != nil || binary[k])
		}
		none.base, none.cand = worseProblem(none.base, bad[0]), worseProblem(none.cand, bad[1])
	}
	for k, p := range []**problem{&none.base, &none.cand} {
		if *p != nil && have[k] && (*p).outcome != analysis.Invalid {
			*p = nil // a stage without values, beside others
		}
	}
	// A numeric column of zeros and ones wherever it is, is counted as yes and no.
	k := kind(-1)
	for i := range arms {
		for _, m := range []struct {
			*measure
			ok bool
		}{{&arms[i].base, arms[i].okBase}, {&arms[i].cand, arms[i].okCand}} {
			if !m.ok {
				continue
			}
			if zeroOne {
				m.kind = proportion
			}
			if k >= 0 && m.kind != k && none.base == nil && none.cand == nil {
				none.base = &problem{"type_differs", analysis.Invalid, fmt.Sprintf("Column %s does not have the same type in both arms.", g.Column)}
			}
			k = m.kind
		}
	}
	if none.base != nil && none.base.code == "type_differs" { // the candidate by itself
		for i := range arms {
			arms[i].okBase = false
		}
	}
	for i, s := range strata {
		n := g.repeats(s, arms[i].base, arms[i].cand)
		arms[i].base.repeats, arms[i].cand.repeats = n, n
	}
	p, both := newPair(ev, r, arms)
	if !both && none.base == nil && none.cand == nil {
		none.base = noData("no_stage_in_common", "No stage has rows of both arms, so there is nothing to compare the candidate with.")
	}
	return p, none
}

// worseProblem keeps the problem that counts of those of several stages: an
// Invalid one, or the latest.
func worseProblem(a, b *problem) *problem {
	if b == nil || a != nil && a.outcome == analysis.Invalid {
		return a
	}
	return b
}

// armName is what messages call the arm that the candidate is compared with.
func armName(k analysis.BaselineKind) string {
	switch k {
	case analysis.PreviousWindow:
		return "previous window"
	case analysis.FixedReference:
		return "reference"
	case analysis.Concurrent, analysis.Absolute:
	}
	return "baseline"
}
