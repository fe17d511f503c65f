package checks

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Paired compares two models on the same requests, which both scored: what one
// request is like then cancels, and far fewer requests tell the two apart than in
// arms of different ones. The default severity is rollback, and pause for churn.
//
//   - accuracy, at each threshold: the regressions, where the baseline is right and
//     the candidate wrong, less the fixes, where it is the other way round, as a
//     share of the labelled pairs;
//   - auc: the AUC of the baseline less that of the candidate, from histograms of
//     each score so fine that what they hide is mostly below 0.1pp;
//   - churn: the share of requests that get another action;
//   - abs_error, of a regression task: the rise of the mean absolute error.
//
// With a finished log, regressions less fixes have the score interval of Tango, and
// no harm is reported that exact tests do not confirm: McNemar's and, with a margin,
// Clopper-Pearson's bounds of the shares of regressions and of fixes, or of pairs that
// are either and of regressions among them. The AUCs have DeLong's variance, with the
// covariance from the cells of the grid, widened by what ties within the fine cells
// may hide, and never less than what pairs that have not been seen may do; they need
// 50 labelled pairs of each class. Churn has Clopper-Pearson's interval. With continuous looks, regressions against
// fixes are the binomial mixture with share 1/2, which is exact at any number of
// looks, times the bounds of a mixture for the share of pairs in which only one
// model is right; AUC and abs_error have a normal mixture. Thresholds divide the
// error among them.
//
// Absolute errors have no bounds of pairs fewer than MinUnits, which may have missed
// the large ones, and while their mean difference is too skewed for a normal
// approximation, with the warning skewed; see [Guardrail]. A difference that
// does not vary at all is Inconclusive (no_variation): it does not tell how large the
// differences are that have not been seen.
//
// Both models see each request, so there are no arms whose shares could move: pairs
// of the stages are added up. Rows that repeat a unit are taken for as many
// independent ones as their clustering allows; for AUC and in slices, as if they were
// of the units with most rows. See [Guardrail].
type Paired struct {
	Metric     PairedMetric
	Margin     analysis.Quantity // what does not matter
	Thresholds []float64         // of accuracy and churn; ascending
	// CandidateThresholds are those of the candidate where it has its own, as many and
	// in the same order; nil means Thresholds.
	CandidateThresholds []float64
	// MaxUnpaired is the share of ids with a row of one model only, of repeated
	// ids, of pairs without two usable scores, and of labels that differ in the two
	// logs, beyond which the pairs are Invalid. 0 means 1%.
	MaxUnpaired float64
	// MinUnits is the number of pairs below which nothing passes; 0 means 50, and 500
	// for abs_error.
	MinUnits uint64
	Planned  uint64 // pairs at which bounds for continuous looks are tightest; 0 means 10,000
}

// PairedMetric is what a [Paired] check compares.
type PairedMetric string

// The metrics of pairs.
const (
	PairedAccuracy PairedMetric = "accuracy"
	PairedAUC      PairedMetric = "auc"
	PairedChurn    PairedMetric = "churn"
	PairedAbsError PairedMetric = "abs_error"
)

var pairedMetrics = []string{string(PairedAccuracy), string(PairedAUC), string(PairedChurn), string(PairedAbsError)}

// PairedSlices is [Paired] in each slice of the crosses that the policy declares,
// with the share of the error that [Slices] would give it. Slices with fewer pairs
// than MinUnits, 500 unless set, show harm but are not waited for.
type PairedSlices struct{ Paired }

// SliceFamily implements [analysis.SliceFamily].
func (PairedSlices) SliceFamily() {}

// Name implements [analysis.Check].
func (Paired) Name() string { return "paired" }

// Columns implements [analysis.Check]: the arms need none for it.
func (Paired) Columns() []analysis.ColumnSpec { return nil }

// Stratified implements [analysis.Stratified].
func (Paired) Stratified() {}

// UsesLabels implements [analysis.LabelUser].
func (c Paired) UsesLabels() bool { return c.Metric != PairedChurn }

// PairCuts implements [analysis.PairUser].
func (c Paired) PairCuts() (baseline, candidate []float64) {
	return c.Thresholds, c.candidateThresholds()
}

func (c Paired) candidateThresholds() []float64 {
	if c.CandidateThresholds == nil {
		return c.Thresholds
	}
	return c.CandidateThresholds
}

const defaultUnpaired = 0.01

// Run implements [analysis.Check].
func (c Paired) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	all, p := c.gather(ev)
	if p != nil {
		f := c.finding()
		if all != nil {
			f.N = analysis.Counts{Baseline: all.RowCount, Candidate: all.RowCount}
		}
		p.put(&f)
		return []analysis.Finding{f}, nil
	}
	l := newPairLook(c, ev, all, 1)
	l.conflicts = all.LabelConflicts
	return c.judge(l, &all.PairSummary), nil
}

func (c Paired) validate() error {
	fits := c.Margin.Value >= 0 && c.Margin.Unit != analysis.Ratio && c.MaxUnpaired >= 0 && c.MaxUnpaired < 1
	cut := len(c.Thresholds) > 0 || c.Metric != PairedAccuracy && c.Metric != PairedChurn
	own := c.candidateThresholds()
	cut = cut && len(own) == len(c.Thresholds) && slices.IsSorted(own)
	if !slices.Contains(pairedMetrics, string(c.Metric)) || !fits || !cut || !slices.IsSorted(c.Thresholds) {
		return fmt.Errorf("checks: Paired: metric %q, margin %v, thresholds %v: %w", c.Metric, c.Margin, c.Thresholds, stats.ErrDomain)
	}
	return nil
}

func (c Paired) finding() analysis.Finding {
	code := map[PairedMetric]string{PairedAccuracy: "net_regressions", PairedAUC: "auc_loss", PairedChurn: "churn", PairedAbsError: "abs_error_rise"}[c.Metric]
	f := analysis.NewFinding(c.Name(), code, "paired_"+string(c.Metric))
	f.Pairs = true
	return f
}

// gather adds up the pairs of all stages.
func (c Paired) gather(ev *analysis.Evidence) (*analysis.PairSnapshot, *problem) {
	var parts []*analysis.PairSnapshot
	for _, s := range ev.Strata {
		if s.Pairs != nil {
			parts = append(parts, s.Pairs)
		}
	}
	if len(parts) == 0 && ev.Pairs != nil {
		parts = append(parts, ev.Pairs)
	}
	if len(parts) == 0 {
		return nil, noData("no_pairs", "There are no pairs yet: no log in which both models scored the same requests was handed in.")
	}
	all, err := analysis.MergePairSnapshots(parts...)
	if err != nil {
		return nil, &problem{"no_pairs", analysis.Invalid, fmt.Sprintf("The pairs of the stages do not add up: %v.", err)}
	}
	if p := c.unsound(all); p != nil {
		return all, p
	}
	return all, nil
}

// unsound says why nothing can be read from the pairs.
func (c Paired) unsound(s *analysis.PairSnapshot) *problem {
	limit := cmp.Or(c.MaxUnpaired, defaultUnpaired)
	above := func(n, of uint64) bool { return float64(n) > float64(limit*float64(of)) }
	single := s.OnlyBaseline + s.OnlyCandidate
	twice := s.DuplicateBaseline + s.DuplicateCandidate
	switch ids := s.RowCount + single; {
	case ids == 0:
		return noData("no_pairs", "There are no pairs yet: the log of both models has no rows.")
	case above(single, ids):
		return &problem{"unpaired_ids", analysis.Invalid, fmt.Sprintf("%s of %s ids were scored by one model only (%s by the baseline, %s by the candidate), which is %s; at most %s may be. The pairs are then no fair sample of the requests. Join logs of the same time, and find out what drops requests.",
			count(single), count(ids), count(s.OnlyBaseline), count(s.OnlyCandidate), percent(float64(single)/float64(ids)), percent(limit))}
	case above(twice, 2*s.RowCount+single+twice):
		return &problem{"duplicate_ids", analysis.Invalid, fmt.Sprintf("%s rows repeat an id (%s of the baseline, %s of the candidate), beside %s pairs; at most %s may. It is not known which of them belong together. Log a new id with each request.",
			count(twice), count(s.DuplicateBaseline), count(s.DuplicateCandidate), count(s.RowCount), percent(limit))}
	}
	if p := c.absent(s); p != nil {
		return p
	}
	if of := s.LabelConflicts + s.ImmatureLabels + labelled(s); above(s.LabelConflicts, of) {
		return &problem{"label_conflicts", analysis.Invalid, fmt.Sprintf("%s pairs have different labels in the two logs, which is %s of the %s that have or may have a label; at most %s may. One of the logs is wrong about what happened, or the ids do not name the same requests. Take the labels from one place, and check the column of the ids.",
			count(s.LabelConflicts), percent(float64(s.LabelConflicts)/float64(of)), count(of), percent(limit))}
	}
	lost, why := s.Errors.Unusable, ""
	if s.Spec.Task == analysis.Binary {
		b, cand := s.Grid.Excluded()
		for _, l := range pairLabels {
			lost += s.Grid.Unusable(l)
		}
		why = fmt.Sprintf(" (%s of the baseline, %s of the candidate)", count(b.Total()), count(cand.Total()))
	}
	if above(lost, s.RowCount) {
		return &problem{"unusable_scores", analysis.Invalid, fmt.Sprintf("%s of %s pairs lack a usable score%s, which is %s; at most %s may. A score is missing, not a number, or outside [0, 1].",
			count(lost), count(s.RowCount), why, percent(float64(lost)/float64(s.RowCount)), percent(limit))}
	}
	return nil
}

// absent says which column of the spec the log does not have.
func (c Paired) absent(s *analysis.PairSnapshot) *problem {
	for _, col := range []struct {
		used       bool
		role, name string
		rows       uint64
		so         string
	}{
		{c.UsesLabels(), "label", s.Spec.Label, s.NoLabel, "so that none of its pairs has a label"},
		{true, "unit", s.Spec.Unit, s.NoUnit, "so that rows which repeat a unit cannot be seen and would count as independent"},
		{true, "time", s.Spec.Time, s.NoTime, "so that it is not known when its requests were served"},
	} {
		if col.used && col.name != "" && col.rows == s.RowCount {
			return &problem{"column_absent", analysis.Invalid, fmt.Sprintf("The log of the pairs has no column %s, which the policy names as columns.%s, %s (%s pairs). Correct the name, or log the column.",
				strconv.Quote(col.name), col.role, col.so, count(s.RowCount))}
		}
	}
	return nil
}

// labelled is the number of pairs with a label that counts.
func labelled(s *analysis.PairSnapshot) uint64 {
	if s.Spec.Task != analysis.Binary {
		return s.RowCount - s.Errors.Unlabelled
	}
	n := uint64(0)
	for _, l := range pairLabels[1:] {
		n += s.Grid.N(l) + s.Grid.Unusable(l)
	}
	return n
}

var pairLabels = []summary.Label{summary.Unlabelled, summary.Negative, summary.Positive}
