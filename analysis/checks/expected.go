package checks

import (
	"errors"
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/labelfree"
	"github.com/rampguard/rampguard/stats/summary"
)

// WarnProxy marks a number that stands for a metric of labels and is none.
const WarnProxy = "proxy"

// minLabelled is the number of labelled rows from which on the candidate's scores are
// read by its own labels.
const minLabelled = 500

// Expected holds a metric of labels that have not arrived against the baseline, by
// what the scores lead one to expect: a proxy, not a measurement. It is computed by
// [labelfree.Reference.Expect] in both arms. The chance of a positive label at a score
// is learned from the labelled rows of what the candidate is compared with: the
// reference, the previous window, or the baseline arm. Where the candidate has 500
// labelled rows of its own, with both classes, and labels are as complete as there (to
// 5 points), its scores are read by those, as its calibration is its own; what a map is
// too good by on the rows that it was learned from (Optimism in package labelfree) is
// then taken off in both arms. With labels
// of a part of the time only they are not: what a score means there need not be what
// it means in the rest.
//
// A finding has the code expected_ and the metric, and carries the warning proxy. It
// cannot see a change in what a label means, so its Pass is no evidence about a metric
// of labels, and its Harm is a reason to look: the default severity is warn, and it
// rolls back only if the policy says so. Bounds are normal, with labels, rows and the
// map of scores as sources of error, widened for the looks as those of [Guardrail];
// two arms read by one map share its error, which is counted in both.
type Expected struct {
	Metric    labelfree.Metric
	Column    string // of the scores; "" means the score
	Threshold float64
	Margin    float64 // loss that does not matter, as a fraction; 0 means 0.02
	// Direction is used for the positive rate alone; the zero value takes more for
	// worse. More of any other metric is better.
	Direction stats.Direction
}

// Name implements [analysis.Check].
func (e Expected) Name() string { return "expected" }

// Columns implements [analysis.Check].
func (e Expected) Columns() []analysis.ColumnSpec {
	if e.Column == "" || e.Metric == labelfree.AUC || e.Metric == labelfree.PositiveRate {
		return nil
	}
	return []analysis.ColumnSpec{{Name: e.Column, Role: analysis.Score, Cuts: []float64{e.Threshold}}}
}

// UsesLabels implements [analysis.LabelUser]: the reference has them.
func (e Expected) UsesLabels() bool { return true }

// higher reports whether more of the metric is better.
func (e Expected) higher() bool {
	return e.Metric != labelfree.PositiveRate || e.Direction == stats.HigherIsBetter
}

// Run implements [analysis.Check].
func (e Expected) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	f := analysis.NewFinding(e.Name(), "expected_"+e.Metric.String(), "expected_"+e.Metric.String())
	if ev.Compared == analysis.Absolute {
		p := problem{"no_baseline", analysis.Invalid, "Expected metrics need labelled rows to learn from and something to be compared with, but the policy says baseline: absolute."}
		p.put(&f)
		return []analysis.Finding{f}, nil
	}
	if fs := missing(ev, e.Name()); fs != nil {
		return fs, nil
	}
	f.N, f.Compared = rows(ev), ev.Compared
	base, cand := ev.Baseline.ByRole(analysis.Score), ev.Candidate.ByRole(analysis.Score)
	if base == nil || cand == nil {
		noData("no_column", "The policy names no score, so there is nothing to expect anything from.").put(&f)
		return []analysis.Finding{f}, nil
	}
	f.Column = cand.Name
	if p := e.judge(ev, &f, &base.Scores, &cand.Scores); p != nil {
		p.put(&f)
	}
	return []analysis.Finding{f}, nil
}

// judge fills the finding, or says why there is no number.
func (e Expected) judge(ev *analysis.Evidence, f *analysis.Finding, base, cand *summary.Scores) *problem {
	arm := armName(ev.Compared)
	ref, err := labelfree.NewReference(base, labelfree.CalibrateIfBetter)
	switch {
	case errors.Is(err, stats.ErrEmpty):
		return noData("no_labels", "No row of the %s has both a score and a label yet, so nothing tells what a score means.", arm)
	case err != nil:
		n, pos := base.By(summary.Negative).N(), base.By(summary.Positive).N()
		f.UnitsNeeded = 1
		return &problem{"one_class", analysis.Insufficient, fmt.Sprintf("What a score means is learned from labels of both classes; the %s has %s positive and %s negative ones.", arm, count(pos), count(n))}
	}
	own, source := ref, "labelled rows of the "+arm
	n, share := labelledScores(cand)
	if _, there := labelledScores(base); n >= minLabelled && math.Abs(share-there) <= coverageFail {
		if r, err := labelfree.NewReference(cand, labelfree.CalibrateIfBetter); err == nil {
			own, source = r, "its own labelled rows"
		}
	}
	l, r := newLook(ev), newRuler(ev.Policy, 0)
	o := labelfree.Options{Level: l.level()}
	b, p := e.expect(ref, base, arm, o)
	if p != nil {
		return p
	}
	c, p := e.expect(own, cand, "candidate", o)
	if p != nil {
		return p
	}
	repeats := rowsPerUnit(ev.Baseline, ev.Candidate)
	clock := (float64(b.Current) + float64(c.Current)) / repeats
	sign := 1.0
	if e.higher() {
		sign = -1
	}
	// Read by one map, both arms are as much too good; by two, each by its own.
	tooGood := [2]float64{}
	if own != ref {
		for k, r := range []*labelfree.Reference{ref, own} {
			if tooGood[k], err = r.Optimism(e.Metric, e.Threshold); err != nil {
				return &problem{"no_value", analysis.Inconclusive, fmt.Sprintf("What the map of scores has learned from noise cannot be computed: %v.", err)}
			}
		}
	}
	b, c = lowered(b, tooGood[0]), lowered(c, tooGood[1])
	worse := sign * (c.Estimate.Point - b.Estimate.Point)
	se := math.Hypot(inflated(b, repeats), inflated(c, repeats))
	bounds := func(alpha float64) span {
		half := r.z(alpha, clock, math.Inf(1)) * se
		return span{worse - half, worse + half}.widen(b.Hidden + c.Hidden)
	}
	f.Estimate, f.HarmBound = l.interval(worse, bounds(l.noHarm)), stats.Float(bounds(l.alpha).lo)
	f.Limit, f.Unit, f.Alpha = stats.Float(e.margin()), "pp", l.alpha
	f.Method = "proxy, not measured: " + c.Method + "; " + r.method()
	f.N = analysis.Counts{Baseline: b.Current, Candidate: c.Current}
	f.Details = []analysis.Detail{
		detail("expected_baseline", b.Estimate.Point), detail("expected_candidate", c.Estimate.Point),
		detail("labelled_reference", float64(b.Reference)), detail("labelled_candidate", float64(n)),
		{Name: "learned_from", Value: stats.Float(c.Reference), Text: source}, {Name: "proxy", Value: 1, Text: "proxy, not measured"},
	}
	warn(f, WarnProxy, "This is a proxy, not a measurement. "+c.Blind)
	if f.Outcome = verdict(f); f.Outcome == analysis.Inconclusive {
		end, alpha := f.Estimate.Hi, l.noHarm
		if worse > e.margin() {
			end, alpha = float64(f.HarmBound), l.alpha
		}
		f.UnitsNeeded = unitsNeeded(min(b.Current, c.Current), worse, e.margin(), end, alpha)
	}
	if few := uint64(minNormal); min(b.Current, c.Current) < few {
		f.Outcome, f.UnitsNeeded = analysis.Insufficient, few-min(b.Current, c.Current)
	}
	f.Message = e.message(f, b, c, arm, source)
	return nil
}

// labelledScores is the number of scores with a label, and their share.
func labelledScores(s *summary.Scores) (n uint64, share float64) {
	n = s.By(summary.Negative).N() + s.By(summary.Positive).N()
	return n, ratioOf(n, n+s.By(summary.Unlabelled).N())
}

// lowered takes off what an estimate is too high by.
func lowered(r labelfree.Result, by float64) labelfree.Result {
	r.Estimate.Point -= by
	r.Estimate.Lo -= by
	r.Estimate.Hi -= by
	return r
}

func (e Expected) margin() float64 {
	if e.Margin > 0 {
		return e.Margin
	}
	return 0.02
}

// inflated is the standard error when rows repeat units.
func inflated(r labelfree.Result, repeats float64) float64 {
	return math.Sqrt(float64(repeats*(float64(r.LabelSE*r.LabelSE)+float64(r.RowSE*r.RowSE))) + float64(r.MapSE*r.MapSE))
}

func (e Expected) expect(ref *labelfree.Reference, s *summary.Scores, arm string, o labelfree.Options) (labelfree.Result, *problem) {
	r, err := ref.Expect(e.Metric, s, e.Threshold, o)
	switch {
	case err == nil:
		return r, nil
	case r.Current == 0 && s.All().N() == 0:
		return r, noData("no_values", "No row of the %s has a score between 0 and 1.", arm)
	}
	return r, &problem{"no_value", analysis.Inconclusive, fmt.Sprintf("The expected %v of the %s cannot be computed: %v.", e.Metric, arm, err)}
}

func (e Expected) message(f *analysis.Finding, b, c labelfree.Result, arm, source string) string {
	head := map[analysis.Outcome]string{
		analysis.Harm: "is expected to be worse than it may be", analysis.Pass: "is expected to be no worse than it may be",
		analysis.Inconclusive: "may or may not be worse", analysis.Insufficient: "has too few rows to expect anything of",
	}[f.Outcome]
	loss := "Worse by " + quantity(f.Estimate.Point, f.Unit)
	if f.Estimate.Point < 0 {
		loss = "Better by " + quantity(-f.Estimate.Point, f.Unit)
	}
	text := fmt.Sprintf("%s %s: %s (%s to %s) for the candidate by %s, %s for the %s. %s; the loss is between %s and %s, the limit is %s. %s.",
		title(e.Metric), head, percent(c.Estimate.Point), percent(c.Estimate.Lo), percent(c.Estimate.Hi), source, percent(b.Estimate.Point), arm,
		loss, quantity(f.Estimate.Lo, f.Unit), quantity(f.Estimate.Hi, f.Unit), quantity(float64(f.Limit), f.Unit),
		counts(b.Current, c.Current, "scores"))
	return text + " Proxy, not measured. " + c.Blind
}

// title names a metric at the beginning of a sentence.
func title(m labelfree.Metric) string {
	switch m {
	case labelfree.AUC:
		return "AUC"
	case labelfree.F1:
		return "F1"
	case labelfree.Accuracy:
		return "Accuracy"
	case labelfree.Precision:
		return "Precision"
	case labelfree.Recall:
		return "Recall"
	case labelfree.Specificity:
		return "Specificity"
	case labelfree.PositiveRate:
	}
	return "The rate of positive labels"
}

// expectable are the metrics that a policy may name.
var expectable = map[string]labelfree.Metric{
	"accuracy": labelfree.Accuracy, "precision": labelfree.Precision, "recall": labelfree.Recall, "f1": labelfree.F1,
	"auc": labelfree.AUC, "positive_rate": labelfree.PositiveRate,
}

func buildExpected(p *analysis.Params) (analysis.Check, error) {
	pol := p.Policy()
	name := p.Enum("metric", "accuracy", "accuracy", "precision", "recall", "f1", "auc", "positive_rate")
	e := Expected{Metric: expectable[name], Column: pol.Columns.Score, Margin: shareParam(p, "margin", "2pp")}
	switch {
	case e.Column == "":
		p.Errorf("", "expected needs the score column; name it under columns")
	case pol.Columns.Label == "":
		p.Errorf("", "expected learns from labelled rows what a score means; name the label under columns")
	case pol.Task != analysis.Binary:
		p.Errorf("", "expected is for a binary task, this one is %v", pol.Task)
	}
	if e.Metric != labelfree.AUC && e.Metric != labelfree.PositiveRate {
		e.Threshold = p.Float("threshold", defaultThreshold(pol))
		if !(e.Threshold >= 0 && e.Threshold <= 1) {
			p.Errorf("threshold", "%v is not between 0 and 1", e.Threshold)
		}
	}
	switch way := p.Enum("direction", "lower", "lower", "higher"); {
	case p.Has("direction") && e.Metric != labelfree.PositiveRate:
		p.Errorf("direction", "more %v is always better; leave direction out", e.Metric)
	case way == "higher":
		e.Direction = stats.HigherIsBetter
	}
	p.Severity(analysis.SeverityWarn)
	return e, nil
}
