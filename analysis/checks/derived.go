package checks

import (
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Derived implements [analysis.DerivedUser].
func (g Guardrail) Derived() []analysis.DerivedSpec { return g.From }

// Derived implements [analysis.DerivedUser].
func (c Slices) Derived() []analysis.DerivedSpec { return c.Guardrail.From }

// onScore reports whether the metric is computed from the score column of a binary
// task.
func (g Guardrail) onScore() bool { return g.Metric.onScore() && len(g.From) == 0 }

// derives reports whether the metric is of a derived column under this policy.
func (g Guardrail) derives(pol *analysis.Policy) bool {
	switch g.Metric {
	case Accuracy, LogLoss, Brier:
		return pol.Task == analysis.Multiclass
	default:
		return g.Metric.derived()
	}
}

// buildDerived derives the column of the metric from those of the policy.
func (g *Guardrail) buildDerived(p *analysis.Params, pol *analysis.Policy) string {
	if p.Column("column", ""); p.Has("column") {
		p.Errorf("column", "%s is computed from the columns that the policy names; leave column out", g.Metric)
	}
	var err error
	switch g.Metric {
	case MacroF1:
		if g.From, err = pol.Columns.Confusion(); pol.Task != analysis.Multiclass {
			p.Errorf("metric", "%s is for a multiclass task, this one is %v", g.Metric, pol.Task)
			return ""
		}
	case Accuracy:
		g.From, err = pol.Columns.Correct()
	case LogLoss:
		g.From, err = pol.Columns.ClassScore(analysis.ClassLoss)
	case Brier:
		g.From, err = pol.Columns.ClassScore(analysis.ClassBrier)
	default:
		g.From = g.ofNumbers(p, pol)
	}
	if err != nil {
		p.Errorf("metric", "%s of a multiclass task needs columns.label and columns.prediction, or columns.classes with a probability for each class", g.Metric)
	}
	if len(g.From) == 0 {
		return ""
	}
	return g.From[len(g.From)-1].Name
}

// ofNumbers derives the column of a metric of a regression.
func (g *Guardrail) ofNumbers(p *analysis.Params, pol *analysis.Policy) []analysis.DerivedSpec {
	label, score := pol.Columns.Label, pol.Columns.Score
	lower, upper := p.Column("lower", ""), p.Column("upper", "")
	switch {
	case pol.Task != analysis.Regression:
		p.Errorf("metric", "%s is for a regression, this task is %v", g.Metric, pol.Task)
		return nil
	case label == "" || score == "" && g.Metric != Coverage:
		p.Errorf("metric", "%s needs columns.label, the number that came out, and columns.score, the prediction", g.Metric)
		return nil
	case g.Metric == Coverage && (lower == "" || upper == ""):
		p.Errorf("", "coverage needs the columns of the interval; add lower: and upper:")
		return nil
	}
	d := analysis.DerivedSpec{Op: analysis.Squared, Of: []string{label, score}}
	switch g.Metric {
	case MAE:
		d.Op = analysis.Distance
	case Bias:
		d.Op, d.Of = analysis.Minus, []string{score, label}
	case QuantileLoss:
		if g.Q = p.Float("q", 0); !(g.Q > 0 && g.Q < 1) {
			return nil // reported with the threshold
		}
		d.Op, d.Q = analysis.Pinball, g.Q
	case Coverage:
		d.Op, d.Of = analysis.Within, []string{label, lower, upper}
	default: // MSE, RMSE, R2
	}
	d.Name = fmt.Sprintf("%v of %s and %s", d.Op, d.Of[0], d.Of[1])
	switch d.Op {
	case analysis.Pinball:
		d.Name += " at " + number(d.Q)
	case analysis.Within:
		d.Name = fmt.Sprintf("%s within %s and %s", label, lower, upper)
	default:
	}
	return []analysis.DerivedSpec{d}
}

// fromDerived computes a metric of a derived column.
func (g Guardrail) fromDerived(s *analysis.Snapshot, col *analysis.ColumnSummary, arm string) (measure, bool, *problem) {
	if labels := labelsOf(s); labels == 0 {
		return measure{}, false, noData("no_labels", "None of the %s rows of the %s has a label yet.", count(s.RowCount), arm)
	}
	if g.Metric == MacroF1 {
		m, p := macroF1(col, arm)
		return m, false, p
	}
	as := g
	as.Metric = Mean
	m, zeroOne, p := as.fromColumn(col, arm)
	if p != nil {
		return m, zeroOne, p
	}
	if known := labelsOf(s); (g.Metric == LogLoss || g.Metric == Brier) && s.ByRole(analysis.Label) != nil && float64(known-min(known, m.n)) > maxUnknownClass*float64(known) {
		return m, zeroOne, &problem{"unknown_class", analysis.Invalid, fmt.Sprintf("Of the %s labelled rows of the %s only %s have a loss: the others are of a class that columns.classes does not name, or lack a probability. Name all classes.", count(known), arm, count(m.n))}
	}
	switch g.Metric {
	case RMSE: // its error by the delta method, its bounds by those of the square
		m.root = true
		if m.value > 0 {
			m.variance /= 4 * m.value
			m.value = math.Sqrt(m.value)
		}
	case R2:
		return explained(m, s, arm)
	default:
	}
	return m, zeroOne && !g.Metric.ofNumbers(), nil // errors of 0 and 1 are no shares
}

// maxUnknownClass is the share of labelled rows that the probabilities of classes may
// leave out.
const maxUnknownClass = 0.01

// labelsOf counts the rows with a label, of whatever type.
func labelsOf(s *analysis.Snapshot) uint64 {
	l := s.ByRole(analysis.Label)
	if l == nil { // a slice of a metric that does not need the label itself
		return s.RowCount
	}
	n := l.Boolean.True + l.Boolean.False + l.Category.Total()
	return n + l.Numeric.N()
}

// explained turns the mean squared error into the share of the variance of the
// labels that the predictions explain. How the two go together is not known, so
// their errors are added as if both were wrong in the same direction.
func explained(m measure, s *analysis.Snapshot, arm string) (measure, bool, *problem) {
	l := s.ByRole(analysis.Label)
	if l == nil {
		return m, false, noData("no_labels", "The labels of the %s were not collected beside their errors.", arm)
	}
	sh, err := l.Numeric.Moments()
	if err != nil || !(sh.Variance > 0) {
		return m, false, &problem{"no_variation", analysis.Insufficient, fmt.Sprintf("The labels of the %s do not vary, so there is nothing to explain.", arm)}
	}
	share := m.value / sh.Variance
	ofVariance := sh.Variance * math.Sqrt(math.Max(0, finite(sh.Kurtosis)-1)) // of one row
	sd := math.Sqrt(m.variance)/sh.Variance + float64(share*ofVariance/sh.Variance)
	m.kind, m.value, m.variance, m.positive = mean, 1-share, sd*sd, false
	m.skew = -m.skew
	return m, false, nil
}

// minClassRows is the number of labelled rows of a class in an arm below which its F1
// has no usable variance.
const minClassRows = 25

// rareClass says which class an arm has too few rows of for the macro F1, if any: its
// noise would not show, and an arm without it would be averaged over other classes.
func rareClass(arms ...*analysis.ColumnSummary) *problem {
	labelled := make([]map[string]uint64, len(arms))
	var names []string
	for i, col := range arms {
		labelled[i] = map[string]uint64{}
		for _, k := range col.Category.Counts() {
			if label, _, err := analysis.SplitPair(k.Name); err == nil {
				labelled[i][label] += k.N
				names = append(names, label)
			}
		}
	}
	slices.Sort(names)
	rarest, least := "", uint64(math.MaxUint64)
	for _, name := range slices.Compact(names) {
		for _, of := range labelled {
			if n := of[name]; n < least {
				rarest, least = name, n
			}
		}
	}
	if rarest == "" || least >= minClassRows {
		return nil
	}
	return &problem{"rare_class", analysis.Insufficient, fmt.Sprintf("One arm has %s labelled rows of class %s; macro F1 needs %d of each class in both arms. Wait, or put rare classes together.", count(least), rarest, minClassRows)}
}

// macroF1 computes the macro F1 score from the counts of label and prediction.
func macroF1(col *analysis.ColumnSummary, arm string) (measure, *problem) {
	counts, err := confusion(&col.Category)
	if err != nil {
		return measure{}, &problem{"no_value", analysis.Invalid, fmt.Sprintf("The confusion matrix of the %s cannot be had: %v.", arm, err)}
	}
	r, err := stats.MacroF1(counts, 0.95)
	if err != nil {
		return measure{}, noData("no_labels", "No row of the %s has both a label and a predicted class yet.", arm)
	}
	// A class that is all right by accident shows no noise: it gets that of one row that
	// goes wrong, which changes its F1 by about one over its rows.
	floor := 0.0
	for _, c := range r.Classes {
		if c.Labelled > 0 {
			d := 1 / (float64(r.Used) * float64(c.Labelled))
			floor += float64(d * d)
		}
	}
	n := float64(r.N)
	return measure{kind: mean, n: r.N, value: r.Estimate.Point, variance: n * math.Max(float64(r.SE*r.SE), floor), positive: true, excluded: col.Category.Null()}, nil
}

// confusion is the matrix of the counts of pairs of texts, over all texts that
// occur, in ascending order.
func confusion(c *summary.Categorical) ([][]uint64, error) {
	if c.OtherTotal() > 0 {
		return nil, fmt.Errorf("it has more than %d cells: %w", c.Cap(), stats.ErrDomain)
	}
	type cell struct {
		label, predicted string
		n                uint64
	}
	var cells []cell
	var names []string
	for _, k := range c.Counts() {
		label, predicted, err := analysis.SplitPair(k.Name)
		if err != nil {
			return nil, err
		}
		cells = append(cells, cell{label, predicted, k.N})
		names = append(names, label, predicted)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	out := make([][]uint64, len(names))
	for i := range out {
		out[i] = make([]uint64, len(names))
	}
	for _, k := range cells {
		i, _ := slices.BinarySearch(names, k.label)
		j, _ := slices.BinarySearch(names, k.predicted)
		out[i][j] += k.n
	}
	return out, nil
}
