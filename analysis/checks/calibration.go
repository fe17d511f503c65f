package checks

import (
	"cmp"
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Calibration asks whether the candidate's scores are the probabilities that they
// are read as: of the rows with score 0.2, is a fifth positive? It looks at all rows
// with a label, at the rows next to each cut of the action policy, where decisions
// are made, and at the declared slices. See package calibration for the statistics.
//
//   - calibration_ratio: |ln(O/E)|, O being the positive labels and E the sum of the
//     scores. Harm when its lower bound is above Ratio.
//   - calibration_slope: |slope - 1| of the logistic recalibration; below 1 the scores
//     are too extreme. Harm when the score test of intercept 0 and slope 1 is
//     significant at the error allotted, the interval of the slope excludes 1 at that
//     error, and the slope is off by more than Slope in both estimates, one-step and
//     maximum likelihood. So what is proven is that the slope is not 1; HarmBound is
//     there if it is surely beyond the limit, too.
//   - calibration_error: the debiased squared calibration error over bins, 0 on
//     average for calibrated scores at any number of rows. Harm when its lower bound is
//     above the square of Error.
//   - calibration_band: as calibration_ratio, for the rows around one cut: those from
//     rank A(1-Band) to A(1+Band) from the top, with A rows at or above it. A cell of
//     the histogram of scores, at most 1/2048 wide, is in or out as a whole.
//   - calibration_mcb: the miscalibration (MCB, Brier score) of the candidate less that of
//     the baseline, each beyond what noise explains. Harm when its lower bound is above
//     MCB. It has no bound that holds at repeated looks, so that it is judged in
//     policies that look once or by a schedule, and on all rows only.
//
// Bands are judged by O/E alone, slices by the first three. The limits are the
// candidate's own: it is compared with the baseline among the details. A finding is
// Pass when the upper bound, at the error of a Pass, is below its limit, Insufficient
// below MinUnits (BandUnits for a band), else Inconclusive. Labels of one class leave
// the slope Insufficient (one_class), equal scores leave it Inconclusive
// (no_variation).
//
// Error. Half of the share goes to all rows, a quarter each to the bands and to the
// slices; a part that has nothing to judge goes to the others in proportion. In a
// part it is divided equally among the findings, among slices as in [Slices] but
// without Holm's method. A limit that can be broken both ways spends half on
// either.
//
// How bounds are made:
//
//   - once, or by a schedule with the error divided by the looks: Clopper-Pearson over
//     E for O/E, which is exact for independent rows given their scores (Hoeffding
//     1956); a chi-square with 2 degrees of freedom, asymptotic, for the score test; the
//     non-central chi-square of [calibration.DebiasedError] over bins of equal mass,
//     asymptotic; the normal interval of [calibration.CompareMCB], approximate.
//   - continuous looks: normal mixtures of the sums of y - p, and of y - p in each of 10
//     fixed bins together, with the larger of the variance announced by the scores and
//     the one seen; for the score test a normal mixture of both scores, whose covariance
//     is exact if the scores are right. All three are asymptotic. O/E has no bounds while
//     it is as skewed as a [Guardrail] does not allow, the slope has no test below 20
//     labels of either kind, of those expected; the bins need no such minimum, since what
//     is seen is divided by its own variance. Approximate are the interval of the slope,
//     whose estimate is a mean in the limit only, and bands, which move as scores come
//     in.
//
// In simulations of calibrated scores with limits of next to nothing, so that every
// gate was at its edge, a share of 20% was spent by 4% of 400 rollouts with 25 looks,
// and by 1% where positives are rare; a share of 5% at one look by 3% of 1000 logs of
// 3000 rows.
//
// Rows of several stages are added up: an expectation given the score of the row
// itself does not suffer from base rates that move with the traffic. What compares
// the arms is weighted by stage, as in [Guardrail]. Rows of one unit widen all bounds
// as if the labels of the rarer class were of the units with most rows, also as there.
//
// Labels that are only known for some actions, as when a block hides what would have
// happened, make the scores above the cut look wrong or right by what is missing;
// this check sees labelled rows only. Like a guardrail of labels it marks its
// findings untrusted, with the finding label_coverage, when labels are missing from
// one arm more than from the other.
type Calibration struct {
	// Column is the score; "" means that of the policy. Slices need it.
	Column string
	// From derives Column, the last one, for a multiclass task; see
	// [analysis.Columns.TopLabel]. Then no slices are judged.
	From []analysis.DerivedSpec
	// Ratio is the limit of |ln(O/E)|; 0 means 0.1.
	Ratio float64
	// Slope is the limit of |slope - 1|; 0 means 0.2.
	Slope float64
	// Error is the limit of the root of the squared calibration error; 0 means 0.02.
	Error float64
	// MCB is the limit of the difference of the miscalibration; 0 means 1% of the Brier
	// score that the mean of the baseline's labels would have.
	MCB float64
	// Band is the part of the action volume taken in on either side of a cut; 0 means
	// 0.25.
	Band float64
	// MinUnits with a label below which neither all rows nor a slice passes; 0 means
	// 500.
	MinUnits uint64
	// BandUnits is the same for a band; 0 means 100.
	BandUnits uint64
	// Planned is the number of units of both arms at which anytime-valid bounds of all
	// rows are tightest; 0 is as in [Guardrail]. For a slice it is twice MinUnits, for a
	// band ten times BandUnits. It has to be chosen before the data.
	Planned uint64
	// Of, Values and Wait say which slices are judged, as in [Slices].
	Of     []analysis.SliceColumn
	Values [][]string
	Wait   bool
	// Overall judges no slices, although the policy declares some.
	Overall bool
}

// Name implements [analysis.Check].
func (c Calibration) Name() string { return "calibration" }

// Columns implements [analysis.Check].
func (c Calibration) Columns() []analysis.ColumnSpec {
	if c.Column == "" {
		return nil
	}
	if len(c.From) > 0 {
		return []analysis.ColumnSpec{{Name: c.Column}}
	}
	return []analysis.ColumnSpec{{Name: c.Column, Role: analysis.Score}}
}

// Derived implements [analysis.DerivedUser].
func (c Calibration) Derived() []analysis.DerivedSpec { return c.From }

// Stratified implements [analysis.Stratified].
func (c Calibration) Stratified() {}

// SliceFamily implements [analysis.SliceFamily].
func (c Calibration) SliceFamily() {}

// UsesLabels implements [analysis.LabelUser].
func (c Calibration) UsesLabels() bool { return true }

// PauseLimits implements [analysis.PauseLimits]: labels that differ in coverage pause.
func (c Calibration) PauseLimits() bool { return true }

// Slices implements [analysis.SliceUser].
func (c Calibration) Slices() []analysis.SliceSpec { return c.slices().Slices() }

// slices is the check of slices whose rules for them are used.
func (c Calibration) slices() Slices {
	return Slices{Guardrail: Guardrail{Metric: Brier, Column: c.Column, MinUnits: c.MinUnits}, Of: c.Of, Values: c.Values, Wait: c.Wait}
}

// complete fills in the defaults.
func (c Calibration) complete() (Calibration, error) {
	for _, x := range []float64{c.Ratio, c.Slope, c.Error, c.MCB, c.Band} {
		if !(x >= 0) || math.IsInf(x, 1) {
			return c, fmt.Errorf("checks: Calibration: limit %v: %w", x, stats.ErrDomain)
		}
	}
	if c.Band > 1 {
		return c, fmt.Errorf("checks: Calibration: band %v is more than all of the action volume: %w", c.Band, stats.ErrDomain)
	}
	c.Ratio, c.Slope, c.Error = cmp.Or(c.Ratio, 0.1), cmp.Or(c.Slope, 0.2), cmp.Or(c.Error, 0.02)
	c.Band = cmp.Or(c.Band, 0.25)
	c.MinUnits, c.BandUnits = cmp.Or(c.MinUnits, defaultSliceUnits), cmp.Or(c.BandUnits, 100)
	s := c.slices()
	s.Guardrail.Margin = &analysis.Quantity{}
	return c, s.validate()
}

// Run implements [analysis.Check].
func (c Calibration) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	if ev.Policy != nil && ev.Policy.Task != analysis.Binary && len(c.From) == 0 {
		return nil, fmt.Errorf("checks: Calibration: the task is %v, and only the scores of a binary one are probabilities of a class: %w", ev.Policy.Task, stats.ErrDomain)
	}
	whole, p := c.rowsOf(ev, strataOf(ev))
	if p != nil {
		f := analysis.NewFinding(c.Name(), "", "calibration")
		f.Column, f.N, f.Compared = c.Column, rows(ev), ev.Compared
		p.put(&f)
		return []analysis.Finding{f}, nil
	}
	var declared []analysis.SliceSpec
	if c.Of != nil {
		declared = c.Slices()
	} else if ev.Policy != nil && c.Column != "" && len(c.From) == 0 && !c.Overall {
		declared = ev.Policy.DeclaredSlices()
	}
	cuts := cutsOf(ev.Policy)
	all, band, slice := parts(len(cuts), len(declared))
	l := newLook(ev)

	own := l
	own.alpha *= all
	pausing := own
	gates := 4.0 // with the coverage of labels
	whole.compareMCB = whole.base.ok && !whole.r.anytime()
	if whole.compareMCB {
		gates++
	}
	if a := ev.PauseAlpha; a > 0 && a < 0.5 && a != ev.Alpha {
		gates--
		pausing.alpha = a
	} else {
		pausing.alpha /= gates
	}
	own.alpha /= gates
	out := c.judge(own, whole)
	for _, cut := range cuts {
		with := l
		with.alpha *= band / float64(len(cuts))
		out = append(out, c.judgeBand(with, whole, cut))
	}
	for i := range declared {
		with := *ev
		with.Alpha *= slice / float64(len(declared))
		out = append(out, c.judgeSlices(&with, &declared[i], &out[0])...)
	}
	if whole.base.ok {
		g := Guardrail{Metric: Brier, Column: c.Column, Planned: c.Planned}
		if f, ok := g.coverage(ev, pausing, out); ok {
			f.Check = c.Name()
			out = append(out, f)
		}
	}
	return out, nil
}

// parts divides the error among all rows, bands and slices.
func parts(cuts, crosses int) (all, band, slice float64) {
	all = 0.5
	if cuts > 0 {
		band = 0.25
	}
	if crosses > 0 {
		slice = 0.25
	}
	sum := all + band + slice
	return all / sum, band / sum, slice / sum
}

// cutsOf lists the rules of the policy that begin at a score.
func cutsOf(p *analysis.Policy) []analysis.ActionRule {
	if p == nil {
		return nil
	}
	var out []analysis.ActionRule
	for _, r := range p.Actions.Rules {
		if r.AtLeast > 0 && r.AtLeast <= 1 {
			out = append(out, r)
		}
	}
	return out
}

// judgeSlices judges the slices of one cross, and says in lead which it does not wait
// for.
func (c Calibration) judgeSlices(ev *analysis.Evidence, cross *analysis.SliceSpec, lead *analysis.Finding) []analysis.Finding {
	helper := c.slices()
	fam, why := helper.family(ev, cross)
	if why != nil {
		f := analysis.NewFinding(c.Name(), "", fmt.Sprintf("calibration by %s", list(cross.Names(), 8)))
		f.N = rows(ev)
		why.put(&f)
		return []analysis.Finding{f}
	}
	l := newLook(ev)
	l.alpha *= fam.share() / 3
	var out []analysis.Finding
	var small []*member
	for _, m := range fam.members {
		key := fam.cross.Key(m.values)
		if m.n.Candidate == 0 {
			if m.waited {
				f := helper.absent(fam, m)
				f.Check, f.Metric = c.Name(), "calibration"
				m.findings = append(m.findings, f)
			}
		} else if s, p := c.rowsOf(ev, m.strata); p != nil {
			f := analysis.NewFinding(c.Name(), "", "calibration")
			f.N, f.Slice = m.n, key
			p.put(&f)
			m.findings = append(m.findings, f)
		} else {
			s.r = newRuler(ev.Policy, 2*c.MinUnits).single()
			m.findings = c.judge(l, s)
		}
		for i := range m.findings {
			f := &m.findings[i]
			f.Slice = key
			if f.Code != "slice_missing" { // which says so itself
				f.Message = "Where " + key.String() + ": " + f.Message
			}
		}
		if m.waited || m.harmed() {
			out = append(out, m.findings...)
		} else {
			small = append(small, m)
		}
	}
	fam.warn(lead, small, c.MinUnits)
	return out
}

// rowsOf adds up the labelled rows of the stages, or says why there are none.
func (c Calibration) rowsOf(ev *analysis.Evidence, strata []analysis.Stratum) (*labelledRows, *problem) {
	s := &labelledRows{compared: ev.Compared, r: rulerOf(ev, c.Planned).single(), repeats: 1}
	var cands, bases []*summary.Scores
	var seen, labelled uint64
	for _, st := range strata {
		cand, p := c.scores(st.Candidate, "candidate")
		if p != nil {
			return nil, p
		}
		if cand != nil {
			cands = append(cands, cand)
			s.repeats = math.Max(s.repeats, rowsPerUnitOf(rarerLabel(cand), st.Candidate))
			seen += st.Candidate.RowCount
			labelled += cand.By(summary.Negative).N() + cand.By(summary.Positive).N()
		}
		base, p := c.scores(st.Baseline, armName(ev.Compared))
		if p == nil && base != nil && ev.Compared != analysis.Absolute {
			bases = append(bases, base)
			s.repeats = math.Max(s.repeats, rowsPerUnitOf(rarerLabel(base), st.Baseline))
			if cand != nil {
				s.stages = append(s.stages, stageScores{base, cand})
			}
		}
	}
	switch {
	case seen == 0:
		return nil, noData("no_data", "The candidate has no rows yet.")
	case labelled == 0:
		return nil, noData("no_labels", "No row of the candidate has both a score and a label yet.")
	}
	s.cand, s.base = armOf(cands), armOf(bases)
	if !s.cand.ok {
		return nil, &problem{"no_value", analysis.Invalid, "No labelled score of the candidate is between 0 and 1, so that none is a probability."}
	}
	return s, nil
}

// scores are the scores of an arm in one stage, nil when it has no rows.
func (c Calibration) scores(s *analysis.Snapshot, arm string) (*summary.Scores, *problem) {
	if empty(s) {
		return nil, nil
	}
	col := s.ByRole(analysis.Score)
	if c.Column != "" {
		col = s.Column(c.Column)
	}
	switch {
	case col == nil:
		return nil, noData("no_column", "The policy names no score, so there is nothing to look at.")
	case col.Type == analysis.Absent:
		return nil, columnAbsent(arm, col.Name)
	case col.Scores.Total() == 0 && col.Histogram() != nil, col.Type != analysis.Float && col.Type != analysis.Int:
		return nil, &problem{"type_unusable", analysis.Invalid, fmt.Sprintf("Column %s of the %s is %v, not the score of a binary task.", col.Name, arm, col.Type)}
	}
	return &col.Scores, nil
}
