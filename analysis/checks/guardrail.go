package checks

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Guardrail holds one metric of the candidate against limits: a margin by which
// it may be worse than the baseline, bounds that it must keep by itself, and
// multiples of the baseline that it must not reach. Each limit gives a finding.
//
// In every finding the estimate says how much worse the candidate is, larger
// being worse: candidate - baseline when low is good, baseline - candidate when
// high is good, over |baseline| for a relative margin; the value itself for a
// bound from above; bound - value for a bound from below; candidate/baseline for
// a multiple, or the relative loss where high is good.
//
// A limit is broken (Harm) when the lower bound of the estimate, at the error
// that the evidence allots to this limit, is above it. It is kept (Pass) when
// the upper bound, at the error of a Pass, is below it. Else the finding is
// Inconclusive and says how many more units would decide, or Insufficient below
// MinUnits; few units do not shield from a proven harm.
//
// How the bounds are made depends on the looks of the policy:
//
//   - once: Wilson, Student or DeLong intervals and order statistics of the two
//     arms, combined by the variances that the intervals imply: that is
//     Newcombe's interval for two proportions, Welch's for two means and
//     Fieller's for the ratio of two means (Zou and Donner 2008, Donner and Zou
//     2012); Clopper-Pearson for a proportion by itself.
//   - a schedule: the same, with the error divided by the number of looks.
//   - in both of these the lower bound of a proportion that proves harm takes
//     Clopper-Pearson in place of Wilson, whose error in rare events of a small
//     arm is many times the nominal one when that is small.
//   - continuous: normal-mixture bounds that hold at all looks together, for
//     arms of 50 units with 5 events each and 20 together. For proportions an
//     exact beta-binomial sequence with a fifth of the error runs beside it and
//     needs no minimum; a proportion by itself, and quantiles, use it alone.
//
// A rollout in stages is compared within each stage only, and the stages are added
// up: arms pooled over stages differ when base rates move while the shares change.
// Each arm is averaged over the stages with common weights, those of Mantel and
// Haenszel, n_b n_c/(n_b+n_c), and its variance follows from those of the stages;
// the constructions above take the two averages for the values of the arms, and
// their clock is the intrinsic time, 4 times the sum of the weights, from the first
// stage on. A stage without rows in one arm has no weight; bounds of the candidate
// by itself take its rows of all stages.
//
//   - Exact, at any number of looks and whatever the base rates do: the sequence of
//     [sequential.BinomMix] on the arms of the events, which for proportions runs
//     beside the normal mixture, with a fifth of the error, and catches rare events
//     early; for a difference it is multiplied by bounds of the baseline's average.
//     It takes units for independently assigned, in the shares of the split.
//   - Asymptotic: the normal mixtures of means, AUC and proportions.
//   - Approximate: a quantile, and a proportion in looks that are counted, take the
//     number of rows that would tell as much in one stage (Kish 1965) for that of
//     the arm; the AUC by itself is the average over stages.
//
// With Of the numbers come from a provider, as sums over windows of time: Ratio is
// events over units (a proportion), Mean an average with its squares, CountRate events
// over exposure, and Quantile and Rate come from buckets. The squares do not tell how
// skewed values are; they are taken for as skewed as a gamma distribution, twice the
// standard deviation over the mean. Two count rates are compared by the arms of their events, given
// the exposures, exactly, with a normal mixture beside it; one by itself has
// Garwood's interval at one look, and a gamma mixture at any. A rate of buckets
// needs an edge for its threshold, and a quantile is known to within a bucket, which
// judges a bound at an edge exactly; in the last bucket it is at least its lower
// edge. Counts that are no whole numbers are rounded against what is to be shown.
// Windows without data are nothing, not zero; windows whose numbers cannot be are a
// finding of their own, invalid_windows. MinUnits are units, values or, for
// CountRate, exposure, where it is 0 by default.
//
// Limits under the key pause have the pause budget to themselves when the others
// roll back, so that they take nothing from these.
//
// Means, log loss and Brier score have no bounds while their estimate is too
// skewed for a normal approximation, with the warning skewed: a metric that rests
// on few large values needs some 45 g^2 rows of the smaller arm, g the skewness,
// unless the arms are of one size. A bound that proves harm is widened for what
// skewness remains. For AUC no such provision is made.
//
// Rows of one unit are not independent. When a unit column shows repeats, all
// bounds divide the number of rows by sum n^2 / sum n, n being the rows of a unit:
// what they would be worth if all rows of a unit said the same
// (Clustering of the ids in package summary). That takes units with many rows to err
// like the others. Recall, precision, the false positive rate, the share of positive
// labels, AUC and all metrics in slices rest on some of the rows, which may all be of
// the units with most rows; they take the largest design effect that this allows
// (ClusteringOf of the ids), for shares whatever those units do.
//
// A relative limit needs a baseline that is surely not 0: where its own interval
// holds 0 the limit is applied to the absolute difference, as a share of the
// observed baseline, with the warning relative_undefined.
//
// A metric of labels also compares how many rows have labels. Where the share
// differs by more than 5 percentage points, at the error of a Pass, the arms rest on
// labels of different age: the metric's findings are marked untrusted, and the
// finding label_coverage is Invalid when the difference is proven at a share of the
// error like that of a limit, or the metric would be Harm, and else Inconclusive. A
// difference surely above 1 point is a warning. Rows younger than the maturity of
// labels, which is the policy's, count as if they were not there.
type Guardrail struct {
	Metric Metric
	// Of is the name of a provider's metric, in place of a column, for Ratio,
	// CountRate, Mean, Quantile and Rate.
	Of string
	// Column is the column of Mean, Rate and Quantile, and the score or label
	// column of the other metrics, where it may be left out if the policy names
	// it.
	Column string
	// From derives Column from others, the last one being Column; see
	// [analysis.Columns.Correct] and package analysis. It is for metrics of rows that no
	// log has, such as MAE, and for Accuracy, LogLoss and Brier of a multiclass task.
	From []analysis.DerivedSpec
	// Q is the quantile, in (0,1), of the metrics Quantile and QuantileLoss.
	Q float64
	// Threshold from which on a score counts as positive, 0 meaning 0.5; for
	// Rate, the value from which on a row counts, 0 meaning that the column holds
	// yes and no.
	Threshold float64
	// Direction says which way is good; 0 takes the one that the metric implies.
	Direction stats.Direction
	// Margin is the greatest loss against the baseline that does not matter:
	// relative, in percentage points, or in the metric's unit. A margin of 0
	// passes a candidate that is proven better only.
	Margin *analysis.Quantity
	// Bounds are limits of the candidate's own value.
	Bounds Limits
	// Relative are limits of candidate/baseline, as ratios.
	Relative Limits
	// MinUnits of each arm with a value, below which nothing passes; 0 means 50, and
	// none for CountRate.
	MinUnits uint64
	// Planned is the number of units of both arms at which anytime-valid bounds
	// are tightest; 0 means twice the minimum exposure of the policy, or 10,000;
	// in stages, half of what the traffic and the durations of the policy amount
	// to, if that is more. Units of stages count as those of equal arms that would
	// tell as much, 4 n_b n_c/(n_b+n_c); for CountRate they are events, 1000 by
	// default. It has to be chosen before the data.
	Planned uint64
}

// Limits are optional limits by what their breach asks for.
type Limits struct {
	Pause, Rollback *analysis.Quantity
}

// defaultMinUnits is the number of units of an arm below which nothing passes.
const defaultMinUnits = 50

// limitKind says what a limit limits.
type limitKind int8

const (
	marginLimit limitKind = iota
	boundLimit
	ratioLimit
)

// limit is one limit of a guardrail.
type limit struct {
	kind     limitKind
	code     string
	quantity analysis.Quantity
	severity analysis.Severity // Info leaves it to the policy entry
}

func (g Guardrail) limits() []limit {
	var out []limit
	if g.Margin != nil {
		out = append(out, limit{marginLimit, "margin", *g.Margin, analysis.Info})
	}
	add := func(k limitKind, code string, q *analysis.Quantity, s analysis.Severity) {
		if q != nil {
			out = append(out, limit{k, code, *q, s})
		}
	}
	add(boundLimit, "rollback_bound", g.Bounds.Rollback, analysis.SeverityRollback)
	add(boundLimit, "pause_bound", g.Bounds.Pause, analysis.SeverityPause)
	add(ratioLimit, "rollback_ratio", g.Relative.Rollback, analysis.SeverityRollback)
	add(ratioLimit, "pause_ratio", g.Relative.Pause, analysis.SeverityPause)
	return out
}

// Name implements [analysis.Check].
func (g Guardrail) Name() string { return "guardrail" }

// Stratified implements [analysis.Stratified].
func (g Guardrail) Stratified() {}

// PauseLimits implements [analysis.PauseLimits].
func (g Guardrail) PauseLimits() bool {
	return g.Bounds.Pause != nil || g.Relative.Pause != nil || g.Metric.labelled() // labels that differ in coverage pause
}

// Metrics implements [analysis.MetricUser].
func (g Guardrail) Metrics() []analysis.MetricSpec {
	if g.Of == "" {
		return nil
	}
	return []analysis.MetricSpec{{Name: g.Of, Kind: metricOf[g.Metric]}}
}

// Columns implements [analysis.Check].
func (g Guardrail) Columns() []analysis.ColumnSpec {
	if g.Column == "" || g.Of != "" {
		return nil
	}
	c := analysis.ColumnSpec{Name: g.Column, Sums: g.Metric == Mean || len(g.From) > 0}
	switch {
	case g.onScore():
		c.Role = analysis.Score
	case g.Metric == LabelRate:
		c.Role = analysis.Label
	}
	if g.Metric.atThreshold() && len(g.From) == 0 || (g.Metric == Rate && g.Threshold != 0) {
		c.Cuts = []float64{g.threshold()}
	}
	if g.Metric == R2 && len(g.From) > 0 { // the spread of the outcome, beside
		return []analysis.ColumnSpec{c, {Name: g.From[0].Of[0], Role: analysis.Label, Sums: true}}
	}
	return []analysis.ColumnSpec{c}
}

func (g Guardrail) threshold() float64 {
	if g.Threshold == 0 && g.Metric != Rate {
		return 0.5
	}
	return g.Threshold
}

// worse is +1 when a higher value is worse, -1 when a lower one is.
func (g Guardrail) worse() float64 {
	d := g.Direction
	if d == 0 {
		d = metricKnown[g.Metric]
	}
	return -float64(d)
}

// title names the metric in findings: "log_loss", "q0.99".
func (g Guardrail) title() string {
	switch g.Metric {
	case Quantile:
		return "p" + number(100*g.Q)
	case Rate:
		if g.Threshold != 0 {
			return "rate at or above " + number(g.Threshold)
		}
	case Accuracy, PositiveRate, Precision, Recall, FalsePositiveRate:
		if len(g.From) == 0 {
			return string(g.Metric) + " at " + number(g.threshold())
		}
	case QuantileLoss:
		return string(g.Metric) + " of " + number(g.Q)
	default:
	}
	return string(g.Metric)
}

// column name for findings: only where it is a setting.
func (g Guardrail) findingColumn() string {
	if g.Of != "" {
		return g.Of
	}
	if g.Metric == Mean || g.Metric == Rate || g.Metric == Quantile {
		return g.Column
	}
	return ""
}

// validate reports settings that make no sense.
func (g Guardrail) validate() error {
	fault := func(format string, args ...any) error {
		return fmt.Errorf("checks: Guardrail: %s: %w", fmt.Sprintf(format, args...), stats.ErrDomain)
	}
	if _, known := metricKnown[g.Metric]; !known {
		return fault("unknown metric %q", g.Metric)
	}
	switch {
	case g.worse() != 1 && g.worse() != -1:
		return fault("metric %s needs a direction, %v", g.Metric, g.Direction)
	case (g.Metric == Quantile || g.Metric == QuantileLoss) && !(g.Q > 0 && g.Q < 1):
		return fault("quantile %v is not between 0 and 1", g.Q)
	case g.Of != "" && metricOf[g.Metric] == 0:
		return fault("%s is not a metric of providers, so it is not one of %s", g.Metric, g.Of)
	case g.Of != "" && g.Column != "":
		return fault("both a column, %s, and a metric of providers, %s", g.Column, g.Of)
	case g.Of == "" && (g.Metric == Ratio || g.Metric == CountRate):
		return fault("%s needs the name of a metric of providers", g.Metric)
	case g.findingColumn() == "" && !g.onScore() && len(g.From) == 0 && g.Metric != LabelRate:
		return fault("metric %s needs a column", g.Metric)
	case len(g.From) > 0 && g.From[len(g.From)-1].Name != g.Column:
		return fault("column %q is not the one that is derived", g.Column)
	case g.Metric.derived() && len(g.From) == 0:
		return fault("metric %s needs a column that is derived; see From", g.Metric)
	case math.IsNaN(g.Threshold) || math.IsInf(g.Threshold, 0):
		return fault("threshold %v", g.Threshold)
	case len(g.limits()) == 0:
		return fault("no margin, bounds or relative limits to hold %s against", g.Metric)
	}
	for _, l := range g.limits() {
		if why := g.unfit(l); why != "" {
			return fault("%s", why)
		}
	}
	return nil
}

// unfit says why a limit cannot be used, or nothing.
func (g Guardrail) unfit(l limit) string {
	v, u := l.quantity.Value, l.quantity.Unit
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return fmt.Sprintf("limit %v is not finite", v)
	case l.kind == marginLimit && v < 0:
		return fmt.Sprintf("margin %v is negative; it is a loss that does not matter, from 0 up", l.quantity)
	case l.kind == marginLimit && u == analysis.Ratio:
		return fmt.Sprintf("margin %v is a ratio; write it as a relative change such as 2%%, or use relative", l.quantity)
	case l.kind == marginLimit && u == analysis.Relative && v >= 1 && g.worse() < 0 && g.onScore():
		return fmt.Sprintf("margin %v lets the metric fall to nothing", l.quantity)
	case l.kind == marginLimit && u != analysis.Relative && v >= 1 && g.Metric.isShare():
		return fmt.Sprintf("margin %v is more than a share can lose; write 2pp for two percentage points", l.quantity)
	case u == analysis.Points && (g.Metric == LogLoss || g.Metric == Brier || g.Metric == Quantile || g.Metric == CountRate || g.Metric.ofNumbers()):
		return fmt.Sprintf("%s is not a share, so %v has no meaning; use a relative or a plain limit", g.Metric, l.quantity)
	case l.kind == boundLimit && u == analysis.Ratio:
		return fmt.Sprintf("bound %v is a ratio; bounds are in the metric's own unit", l.quantity)
	case l.kind == ratioLimit && (u == analysis.Relative || u == analysis.Points):
		return fmt.Sprintf("relative limit %v is not a ratio; write 2x for twice the baseline", l.quantity)
	case l.kind == ratioLimit && g.worse() > 0 && !(v >= 1):
		return fmt.Sprintf("relative limit %v is below the baseline although low is good; write 2x for twice the baseline", l.quantity)
	case l.kind == ratioLimit && g.worse() < 0 && !(v > 0 && v <= 1):
		return fmt.Sprintf("relative limit %v is not between 0x and 1x although high is good; write 0.5x for half the baseline", l.quantity)
	}
	return ""
}

// Run implements [analysis.Check].
func (g Guardrail) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	if err := g.validate(); err != nil {
		return nil, err
	}
	l := newLook(ev)
	l, pausing := g.shareOut(l, ev)
	p, problems := g.measurePair(ev)
	out := g.quality(ev)
	if problems.cand != nil {
		return append(out, g.unanswered(ev, problems.cand)), nil
	}
	lone := false
	judged := len(out)
	for _, lim := range g.limits() {
		if problems.base != nil && lim.kind != boundLimit {
			lone = true
			continue
		}
		with := l
		if lim.severity == analysis.SeverityPause {
			with = pausing
		}
		f := g.judge(with, p, lim)
		g.finish(&f, p)
		g.warnProvider(&f, ev, p)
		out = append(out, f)
	}
	if lone {
		out = append(out, g.unanswered(ev, problems.base))
	}
	if g.Metric.labelled() && problems.base == nil {
		if f, ok := g.coverage(ev, pausing, out[judged:]); ok {
			out = append(out, f)
		}
	}
	return out, nil
}

// shareOut divides the error among the limits, and the test of the coverage of
// labels, which pauses. Where limits that only pause have a budget of their own
// they leave the other alone.
func (g Guardrail) shareOut(l look, ev *analysis.Evidence) (other, pausing look) {
	others, pauses := 0, 0
	for _, lim := range g.limits() {
		if lim.severity == analysis.SeverityPause {
			pauses++
		} else {
			others++
		}
	}
	if g.Metric.labelled() {
		pauses++
	}
	other, pausing = l, l
	if g.PauseLimits() && ev.PauseAlpha > 0 && ev.PauseAlpha < 0.5 && ev.PauseAlpha != ev.Alpha {
		other.alpha /= float64(max(others, 1))
		pausing.alpha = ev.PauseAlpha / float64(pauses)
		return other, pausing
	}
	other.alpha /= float64(others + pauses)
	pausing.alpha = other.alpha
	return other, pausing
}

// unanswered is the finding of a metric without a value.
func (g Guardrail) unanswered(ev *analysis.Evidence, p *problem) analysis.Finding {
	f := analysis.NewFinding(g.Name(), p.code, g.title())
	f.Column, f.N = g.findingColumn(), rows(ev)
	p.put(&f)
	return f
}

// finish adds what does not depend on the limit.
func (g Guardrail) finish(f *analysis.Finding, p pair) {
	if n := p.base.excluded + p.cand.excluded; n > 0 {
		warn(f, stats.WarnExcluded, fmt.Sprintf("%s and %s rows without a usable value were left out.", count(p.base.excluded), count(p.cand.excluded)))
	}
	if r := p.cand.repeats; r > 1 {
		warn(f, stats.WarnRepeatedUnits, fmt.Sprintf("Units repeat, and rows of one are not independent; the bounds take %s rows for one.", number(r)))
	}
	if p.cand.kind == area && p.base.slack+p.cand.slack > 0.001 {
		warn(f, stats.WarnBinned, fmt.Sprintf("Scores in one cell count as ties; that may hide up to %s of the difference, and the interval allows for it.", number(p.base.slack+p.cand.slack)))
	}
}
