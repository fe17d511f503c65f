package labelfree

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Metric is what to expect of a classifier.
type Metric int8

// The metrics. A row is predicted positive when its score is at or above the
// threshold.
const (
	Accuracy     Metric = iota // rows predicted right
	Precision                  // positive labels among rows predicted positive
	Recall                     // rows predicted positive among positive labels
	Specificity                // rows predicted negative among negative labels
	F1                         // harmonic mean of precision and recall
	AUC                        // probability that a positive row has the higher score
	PositiveRate               // positive labels; no threshold
)

var metricNames = [...]string{"accuracy", "precision", "recall", "specificity", "f1", "auc", "positive_rate"}

// String returns the word used in files and reports, such as "positive_rate".
func (m Metric) String() string {
	if m >= 0 && int(m) < len(metricNames) {
		return metricNames[m]
	}
	return fmt.Sprintf("Metric(%d)", int8(m))
}

// thresholded reports whether the metric depends on a threshold.
func (m Metric) thresholded() bool { return m != AUC && m != PositiveRate }

// stack is a number of current rows of one cell on one side of the threshold.
type stack struct {
	n, p    float64 // rows, and the probability of a positive label
	above   bool
	a, b    int // blocks of the reference that p comes from
	share   float64
	several bool // the rows have different scores

	yes, no float64 // what a row adds to the error of the metric, by its label
}

// Expect estimates a metric of the scores of current, whose labels are ignored, by
// taking each row's probability of a positive label from the reference and summing
// what the row is expected to add (confidence-based performance estimation, CBPE):
// the expected number of true positives is the sum of p over rows predicted
// positive, and so on, and a metric is the ratio of such sums. The expected AUC is
// the sum of q_i p_j over pairs with score i below score j, those of one cell
// counted half, over the sum of q_i times the sum of p_j, with q = 1-p.
//
// The interval is about the value that the labels of these rows will give. Its
// variance has two parts, by the delta method for a metric T:
//
//	labels  sum over rows of (dT/dy)^2 p (1-p)      (Poisson-binomial)
//	map     sum over blocks of (dT/dr)^2 r (1-r)/n  (the blocks taken as they are)
//
// with r the rate of a block of the calibration map from n labelled rows. Where the
// scores are used as they are, the second part is still there: it is what the
// reference could not have told from calibrated scores. RowSE comes on top for a
// statement about rows beyond these. That the blocks were chosen from the same rows is
// not counted: in simulations with 1500 labelled rows, intervals of 95% held the value
// in 93% to 95% of the windows.
//
// Assumptions: the probability of a positive label at a score is that of the
// reference (covariate shift at most); rows are independent. Rows of a cell have the
// probability at their mean score.
//
// Special cases: a threshold among current.Cuts() is exact; at another one, Hidden is
// how far the rows of the cell that holds it could move the metric.
//
// Errors: [stats.ErrEmpty] without a usable score now, or when nothing is predicted
// positive (precision), or expected in the class that the metric divides by;
// [stats.ErrDomain] for a threshold outside [0,1], an unknown metric, or an
// impossible level. Cost: linear in the cells.
//
// References: Bialek et al. (2024), Estimating model performance under covariate
// shift without labels, arXiv:2401.08348. Le Cam (1960), An approximation theorem for
// the Poisson binomial distribution, for the variance.
func (r *Reference) Expect(m Metric, current *summary.Scores, threshold float64, o Options) (Result, error) {
	const fn = "Expect"
	level, err := o.level(fn)
	if err != nil {
		return Result{}, err
	}
	if m < Accuracy || m > PositiveRate {
		return Result{}, fmt.Errorf("labelfree: %s: %v: %w", fn, m, stats.ErrDomain)
	}
	out := r.result(m.String(), current, threshold)
	if !m.thresholded() {
		threshold, out.Threshold = 0, math.NaN()
	}
	if !(threshold >= 0 && threshold <= 1) {
		return Result{}, fmt.Errorf("labelfree: %s: threshold %v is not in [0,1]: %w", fn, threshold, stats.ErrDomain)
	}
	if out.Current == 0 {
		return Result{}, fmt.Errorf("labelfree: %s: no current score: %w", fn, stats.ErrEmpty)
	}
	out.Method, out.Blind = r.method(), blindLabels
	rows, split := r.stacks(current, threshold)
	value, base := estimate(m, rows)
	if !(base > 0) {
		return Result{}, fmt.Errorf("labelfree: %s: the %v has no rows to divide by at threshold %v: %w", fn, m, threshold, stats.ErrEmpty)
	}
	switch {
	case m == AUC:
		out.Hidden = hiddenPairs(rows)
	case m.thresholded() && split >= 0:
		out.Hidden = hiddenSide(m, rows, split, value)
	}
	labels, drawn := 0.0, 0.0
	grad := make([]float64, len(r.blocks))
	for _, s := range rows {
		d := s.yes - s.no
		labels += float64(s.n * float64(d*d) * float64(s.p*(1-s.p)))
		mean := s.no + float64(d*s.p)
		drawn += float64(s.n * float64(mean*mean))
		grad[s.a] += float64(s.n * d * (1 - s.share))
		grad[s.b] += float64(s.n * d * s.share)
	}
	fitted := 0.0
	for i, b := range r.blocks {
		fitted += float64(float64(grad[i]*grad[i]) * b.variance())
	}
	out.LabelSE, out.RowSE, out.MapSE = math.Sqrt(labels), math.Sqrt(drawn), math.Sqrt(fitted)
	out.finish(value, level)
	out.small(base)
	return out, nil
}

// result is what all estimates from scores say of their data.
func (r *Reference) result(metric string, current *summary.Scores, threshold float64) Result {
	out := Result{Metric: metric, Threshold: threshold, Reference: r.n, Excluded: r.excluded, Calibrated: r.calibrated}
	for l := summary.Unlabelled; l <= summary.Positive; l++ {
		out.Current += current.By(l).N()
		out.Excluded += current.By(l).Excluded().Total()
	}
	return out
}

func (r *Reference) method() string {
	if r.calibrated {
		return "CBPE, isotonic calibration; Poisson-binomial labels, delta method for the map"
	}
	return "CBPE, scores as they are; Poisson-binomial labels, delta method for the reference"
}

// stacks lays out the current rows. split is the index of the first of the two
// stacks of a cell in which the rows above the threshold are not known, else -1.
func (r *Reference) stacks(current *summary.Scores, threshold float64) (rows []stack, split int) {
	split = -1
	above, known := 0.0, true
	for l := summary.Unlabelled; l <= summary.Positive; l++ {
		n, _, ok := current.AtLeast(threshold, l)
		beyond := current.By(l).Excluded()
		above += float64(n) - float64(min(n, beyond.Above)) // those at or above 1, out of range
		known = known && ok
	}
	cells := current.All().Cells()
	for i := len(cells) - 1; i >= 0; i-- {
		c := cells[i]
		s := stack{n: float64(c.N), several: c.Var != 0}
		s.p, s.a, s.b, s.share = r.at(c.Mean)
		s.above = c.Mean >= threshold
		if !(c.Lo < threshold && threshold < c.Hi) || !s.several {
			if s.above = s.above || c.Lo >= threshold; s.above {
				above -= s.n
			}
			rows = append(rows, s)
			continue
		}
		up := s
		up.above, s.above = true, false
		if known {
			up.n = min(max(above, 0), s.n)
		} else {
			split = len(rows)
			if c.Mean < threshold {
				up.n = 0
			}
		}
		s.n -= up.n
		rows = append(rows, up, s)
	}
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	if split >= 0 {
		split = len(rows) - 2 - split
	}
	return rows, split
}

// part is what a row adds to numerator and denominator of a metric.
func (m Metric) part(above, positive bool) (top, bottom float64) {
	bit := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	switch m {
	case Accuracy:
		return bit(above == positive), 1
	case Precision:
		return bit(above && positive), bit(above)
	case Recall:
		return bit(above && positive), bit(positive)
	case Specificity:
		return bit(!above && !positive), bit(!positive)
	case F1:
		return 2 * bit(above && positive), bit(above) + bit(positive)
	case PositiveRate:
		return bit(positive), 1
	case AUC:
	}
	return 0, 0
}

// estimate is the metric, with the number of rows it divides by, 0 when there are
// none. It notes in each stack what a row adds to the error.
func estimate(m Metric, rows []stack) (value, base float64) {
	if m == AUC {
		return estimateAUC(rows)
	}
	top, bottom := 0.0, 0.0
	for _, s := range rows {
		ty, by := m.part(s.above, true)
		tn, bn := m.part(s.above, false)
		top += float64(s.n * (float64(s.p*ty) + float64((1-s.p)*tn)))
		bottom += float64(s.n * (float64(s.p*by) + float64((1-s.p)*bn)))
	}
	if !(bottom > 0) {
		return 0, 0
	}
	value = top / bottom
	for i := range rows {
		s := &rows[i]
		ty, by := m.part(s.above, true)
		tn, bn := m.part(s.above, false)
		s.yes = (ty - float64(value*by)) / bottom
		s.no = (tn - float64(value*bn)) / bottom
	}
	return value, bottom
}

func estimateAUC(rows []stack) (value, base float64) {
	pos, neg := 0.0, 0.0
	for _, s := range rows {
		pos += float64(s.n * s.p)
		neg += float64(s.n * (1 - s.p))
	}
	if !(pos > 0) || !(neg > 0) {
		return 0, 0
	}
	below, pairs := 0.0, 0.0
	for i := range rows {
		s := &rows[i]
		q, p := float64(s.n*(1-s.p)), float64(s.n*s.p)
		s.yes = below + q/2 // negative rows below one of this stack
		pairs += float64(p * s.yes)
		below += q
	}
	value = pairs / neg / pos
	higher := 0.0
	for i := len(rows) - 1; i >= 0; i-- {
		s := &rows[i]
		p := float64(s.n * s.p)
		s.no = ((higher+p/2)/pos - value) / neg
		s.yes = (s.yes/neg - value) / pos
		higher += p
	}
	return value, min(pos, neg)
}

// hiddenPairs is how far the unknown order of rows within cells can move the AUC.
func hiddenPairs(rows []stack) float64 {
	pos, neg, tied := 0.0, 0.0, 0.0
	for _, s := range rows {
		q, p := float64(s.n*(1-s.p)), float64(s.n*s.p)
		pos, neg = pos+p, neg+q
		if s.several {
			tied += float64(p * q)
		}
	}
	return tied / 2 / pos / neg
}

// hiddenSide is how far the metric moves when all rows of the cell that holds the
// threshold are on one side of it. rows keep their errors.
func hiddenSide(m Metric, rows []stack, split int, value float64) float64 {
	other := make([]stack, len(rows))
	most := 0.0
	all := rows[split].n + rows[split+1].n
	for _, up := range []float64{0, all} {
		copy(other, rows)
		for _, i := range []int{split, split + 1} {
			other[i].n = all - up
			if other[i].above {
				other[i].n = up
			}
		}
		if v, base := estimate(m, other); base > 0 {
			most = max(most, math.Abs(v-value))
		}
	}
	return most
}
