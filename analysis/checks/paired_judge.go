package checks

import (
	"cmp"
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"github.com/rampguard/rampguard/stats/summary"
)

// pairLook is how a look at pairs is judged.
type pairLook struct {
	look
	r       ruler
	repeats float64 // rows that may be worth one
	units   *summary.Distinct
	slice   bool // of the pairs
	least   uint64

	conflicts uint64  // pairs without a label because the logs have different ones; 0 in slices
	hidden    float64 // how far the estimate may be off, however many pairs there are
}

// newPairLook gives the check a share of its error.
func newPairLook(c Paired, ev *analysis.Evidence, s *analysis.PairSnapshot, share float64) pairLook {
	l := pairLook{look: newLook(ev), r: newRuler(ev.Policy, c.Planned), repeats: 1, units: &s.Units, least: cmp.Or(c.MinUnits, c.leastPairs())}
	l.alpha *= share
	if f := s.Units.Clustering(); f > hardlyRepeat {
		l.repeats = f
	}
	return l
}

// unlabelled says why pairs do not count that have no label.
func (l pairLook) unlabelled(n uint64) string {
	conflicts := min(n, l.conflicts)
	text := fmt.Sprintf("%s more pairs have no label and do not count", count(n-conflicts))
	if conflicts > 0 {
		text += fmt.Sprintf(", and neither do %s that have different labels in the two logs", count(conflicts))
	}
	return text
}

// noLabels says that no pair of n has a label that counts, so that something is not
// known.
func (l pairLook) noLabels(n uint64, so string) *problem {
	if conflicts := min(n, l.conflicts); conflicts > 0 {
		return noData("no_labels", "None of the %s pairs has a label that counts, and %s have different labels in the two logs, so that %s.", count(n), count(conflicts), so)
	}
	return noData("no_labels", "None of the %s pairs has a label that counts, so that %s.", count(n), so)
}

// judge compares the models on some pairs.
func (c Paired) judge(l pairLook, s *analysis.PairSummary) []analysis.Finding {
	switch c.Metric {
	case PairedAccuracy:
		var out []analysis.Finding
		l.alpha /= math.Max(1, float64(len(c.Thresholds)))
		for i, t := range c.Thresholds {
			out = append(out, c.accuracy(l, &s.Grid, t, c.candidateThresholds()[i]))
		}
		return out
	case PairedAUC:
		return []analysis.Finding{c.auc(l, &s.Grid)}
	case PairedChurn:
		return []analysis.Finding{c.churn(l, &s.Grid)}
	default:
		return []analysis.Finding{c.absError(l, s)}
	}
}

// settle holds the bounds against the limit. sizes says what the estimate rests on,
// and what is what was seen.
func (c Paired) settle(l pairLook, f *analysis.Finding, point float64, harm, pass span, n uint64, what string) {
	f.Limit, f.Alpha = stats.Float(c.Margin.Value), l.alpha
	f.Estimate, f.HarmBound = l.interval(point, pass), stats.Float(math.Min(harm.lo, point))
	f.N = analysis.Counts{Baseline: n, Candidate: n}
	f.Outcome = verdict(f)
	text := fmt.Sprintf("%s: %s (%s to %s), limit %s.", what, quantity(point, f.Unit), quantity(f.Estimate.Lo, f.Unit), quantity(f.Estimate.Hi, f.Unit), quantity(c.Margin.Value, f.Unit))
	few := float64(n)/l.repeats < float64(l.least)
	switch {
	case f.Outcome == analysis.Harm:
	case few:
		f.Outcome, f.UnitsNeeded = analysis.Insufficient, roundUp(float64(l.least)*l.repeats-float64(n))
		text += fmt.Sprintf(" That is too few to pass; %s more are needed.", count(f.UnitsNeeded))
	case f.Outcome == analysis.Inconclusive:
		limit := c.Margin.Value
		near, end, alpha := point+l.hidden, f.Estimate.Hi, l.noHarm
		if point > limit {
			near, end, alpha = point-l.hidden, float64(f.HarmBound), l.alpha
		}
		if l.hidden > 0 && math.Abs(limit-point) <= l.hidden {
			text += fmt.Sprintf(" More pairs would not settle it: different scores within one cell of the histograms count as tied, which leaves %s on either side open. Compare the logged scores themselves, or choose another limit.", quantity(l.hidden, f.Unit))
		} else if f.UnitsNeeded = unitsNeeded(n, near, limit, end, alpha); f.UnitsNeeded > 0 {
			text += fmt.Sprintf(" About %s more would settle it.", count(f.UnitsNeeded))
		} else {
			text += " That settles nothing yet."
		}
	}
	if l.repeats > 1 {
		warn(f, stats.WarnRepeatedUnits, "Units repeat: "+number(l.repeats)+" rows are counted as one.")
	}
	f.Message = text
}

// worth is the number of independent rows that n rows may be worth.
func (l pairLook) worth(n uint64) uint64 { return uint64(math.Round(float64(n) / l.repeats)) }

// accuracy counts regressions and fixes at a threshold.
func (c Paired) accuracy(l pairLook, g *summary.PairGrid, t, own float64) analysis.Finding {
	f := c.finding()
	at := number(t)
	if own != t {
		at += fmt.Sprintf(" (%s for the candidate)", number(own))
	}
	f.Metric, f.Unit, f.Method = fmt.Sprintf("%s at %s", f.Metric, at), "pp", "Tango and McNemar, "+l.r.method()
	pos, ok := g.Decisions(t, own, summary.Positive)
	neg, _ := g.Decisions(t, own, summary.Negative)
	none, _ := g.Decisions(t, own, summary.Unlabelled)
	if !ok {
		(&problem{"not_counted", analysis.Invalid, fmt.Sprintf("Pairs were not counted at the threshold %s; collect them again with this policy.", at)}).put(&f)
		return f
	}
	n, unlabelled := pos.Total()+neg.Total(), none.Total()
	b, fixes := pos.OnlyBaseline+neg.OnlyCandidate, pos.OnlyCandidate+neg.OnlyBaseline
	f.Details = append(f.Details, detail("threshold", t), detail("regressions", float64(b)), detail("fixes", float64(fixes)),
		detail("labelled", float64(n)), detail("unlabelled", float64(unlabelled)))
	f.Details = append(f.Details, swapDetails(pos, neg, none)...)
	if n == 0 {
		l.noLabels(unlabelled, "it is not known which model is right at threshold "+at).put(&f)
		f.N = analysis.Counts{}
		return f
	}
	f.Details = append(f.Details, rateDetails(pos, neg, l.level())...)
	l = l.inSlice(rarer(b+fixes, n))
	harm, pass := l.netBounds(c.Margin.Value, b, fixes, n, &f)
	what := fmt.Sprintf("At threshold %s, of %s labelled pairs %s are regressions (the baseline is right, the candidate wrong) and %s are fixes; %s. Net regressions",
		at, count(n), count(b), count(fixes), l.unlabelled(unlabelled))
	c.settle(l, &f, (float64(b)-float64(fixes))/float64(n), harm, pass, n, what)
	return f
}

// netAnytime bounds the net share at any look, with error alpha on each side. With
// q the share of pairs in which one model alone is right and RR the ratio of
// regressions to fixes, it is q (RR-1)/(RR+1): four fifths of the error go to RR,
// the rest to q.
func (l pairLook) netAnytime(b, fixes, n uint64, alpha float64) span {
	if !(alpha > 1e-12) {
		return unknown
	}
	const forRatio = 0.8
	ratio := func(alt stats.Alternative) (sequential.Result, error) {
		return sequential.BinomMix([]sequential.EventStage{{Share: 0.5, Baseline: fixes, Candidate: b}},
			sequential.BinomMixOptions{Alternative: alt, Level: 1 - float64(forRatio*alpha)})
	}
	q := func(alt stats.Alternative) (sequential.Result, error) {
		return sequential.Bernoulli(b+fixes, n, sequential.BernoulliOptions{Alternative: alt, Level: 1 - float64((1-forRatio)*alpha), Planned: l.r.planned})
	}
	lo, err1 := ratio(stats.Greater)
	hi, err2 := ratio(stats.Less)
	least, err3 := q(stats.Greater)
	most, err4 := q(stats.Less)
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return unknown
		}
	}
	lean := func(rr float64) float64 { // (RR-1)/(RR+1), also of an infinite RR
		if math.IsInf(rr, 1) {
			return 1
		}
		return (rr - 1) / (rr + 1)
	}
	bound := func(w, towardsZero, away float64) float64 {
		if w > 0 {
			return w * towardsZero
		}
		return w * away
	}
	return span{
		lo: bound(lean(lo.Estimate.Lo), least.Estimate.Lo, most.Estimate.Hi),
		hi: bound(lean(hi.Estimate.Hi), most.Estimate.Hi, least.Estimate.Lo),
	}
}

// swapDetails are the swap set: requests that are at or above the threshold for one
// model only, with the share of positives among those that have a label.
func swapDetails(pos, neg, none summary.PairDecisions) []analysis.Detail {
	var out []analysis.Detail
	for _, group := range []struct {
		name    string
		p, n, u uint64
	}{
		{"above_both", pos.Both, neg.Both, none.Both},
		{"above_only_baseline", pos.OnlyBaseline, neg.OnlyBaseline, none.OnlyBaseline},
		{"above_only_candidate", pos.OnlyCandidate, neg.OnlyCandidate, none.OnlyCandidate},
		{"above_neither", pos.Neither, neg.Neither, none.Neither},
	} {
		labelled := group.p + group.n
		rate := detail(group.name+"_positive_rate", float64(group.p)/float64(labelled))
		if labelled == 0 {
			rate = analysis.Detail{Name: rate.Name, Text: "unlabelled"}
		}
		out = append(out, detail(group.name, float64(labelled+group.u)), detail(group.name+"_labelled", float64(labelled)), rate)
	}
	return out
}

// rateDetails are the changes of the true and false positive rates.
func rateDetails(pos, neg summary.PairDecisions, level float64) []analysis.Detail {
	table := func(d summary.PairDecisions) stats.PairedTable {
		return stats.PairedTable{Both: d.Both, OnlyFirst: d.OnlyCandidate, OnlySecond: d.OnlyBaseline, Neither: d.Neither}
	}
	r, err := stats.PairedDecisions(table(neg), table(pos), level)
	if err != nil {
		return nil
	}
	var out []analysis.Detail
	for _, one := range []struct {
		name string
		c    stats.PairedComparison
	}{{"tpr_change", r.TPR}, {"fpr_change", r.FPR}} {
		if one.c.N > 0 {
			out = append(out, detail(one.name, one.c.Estimate.Point), detail(one.name+"_lo", one.c.Estimate.Lo), detail(one.name+"_hi", one.c.Estimate.Hi))
		}
	}
	return out
}

// auc compares the areas under the ROC curves.
func (c Paired) auc(l pairLook, g *summary.PairGrid) analysis.Finding {
	f := c.finding()
	f.Method = "DeLong on fine cells, paired on the grid, " + l.r.method()
	neg, pos, none := g.N(summary.Negative), g.N(summary.Positive), g.N(summary.Unlabelled)
	f.Details = append(f.Details, detail("labelled", float64(neg+pos)), detail("positives", float64(pos)), detail("unlabelled", float64(none)))
	if neg+pos == 0 {
		l.noLabels(none, "there is no AUC").put(&f)
		return f
	}
	f.N = analysis.Counts{Baseline: neg + pos, Candidate: neg + pos}
	if min(neg, pos) < minOfClass {
		fewOfClass(&f, pos, neg)
		return f
	}
	l = l.of(min(neg, pos))
	r, err := pairedAUC(g, l.level())
	if err != nil {
		(&problem{"check_failed", analysis.Invalid, fmt.Sprintf("The AUCs could not be compared: %v.", err)}).put(&f)
		return f
	}
	d := r.Estimate.Point
	l.hidden = r.A.Resolved + r.B.Resolved
	se := r.SE * math.Sqrt(l.repeats)
	n := float64(neg+pos) / l.repeats
	bounds := func(alpha float64) span {
		z := l.r.z(alpha, n, n-2)
		if math.IsInf(z, 1) {
			return unknown
		}
		half := math.Max(float64(z*se), unseen(z, float64(min(neg, pos))/l.repeats))
		return span{d - half, d + half}.widen(l.hidden)
	}
	f.Details = append(f.Details, detail("auc_baseline", r.A.Estimate.Point), detail("auc_candidate", r.B.Estimate.Point), detail("se", se), detail("cells_hide", l.hidden))
	what := fmt.Sprintf("On %s labelled pairs, %s of them positive, the AUC of the baseline is %s and that of the candidate %s; %s. Loss of AUC",
		count(neg+pos), count(pos), number(r.A.Estimate.Point), number(r.B.Estimate.Point), l.unlabelled(none))
	c.settle(l, &f, d, bounds(l.alpha), bounds(l.noHarm), neg+pos, what)
	if f.UnitsNeeded > 0 {
		f.Message += fmt.Sprintf(" Of those about %s have to be positive, the share as now.", count(roundUp(float64(f.UnitsNeeded)*float64(pos)/float64(neg+pos))))
	}
	return f
}

// pairedAUC compares the AUCs: they come from the fine cells of each score, and what
// the scores have in common from the grid.
func pairedAUC(g *summary.PairGrid, level float64) (stats.AUCComparison, error) {
	var cells []stats.PairedCell
	for _, cell := range g.Cells() {
		if n, m := cell.N[summary.Negative], cell.N[summary.Positive]; n+m > 0 {
			cells = append(cells, stats.PairedCell{A: cell.Baseline, B: cell.Candidate, Negatives: n, Positives: m})
		}
	}
	a, b := g.ScoreCells()
	return stats.PairedAUCMargins(cells, a, b, level)
}

// churn is the share of pairs with another action.
func (c Paired) churn(l pairLook, g *summary.PairGrid) analysis.Finding {
	f := c.finding()
	f.Unit, f.Method = "share", "Clopper-Pearson, "+l.r.method()
	var table [][]uint64
	for _, label := range pairLabels {
		t, ok := g.Transitions(c.Thresholds, c.candidateThresholds(), label)
		if !ok {
			(&problem{"not_counted", analysis.Invalid, "Pairs were not counted at the thresholds of the actions; collect them again with this policy."}).put(&f)
			return f
		}
		if table == nil {
			table = t
			continue
		}
		for i := range t {
			for j := range t[i] {
				table[i][j] += t[i][j]
			}
		}
	}
	r, err := stats.Transitions(table, l.level())
	if err != nil { // zeros only
		noData("no_pairs", "No pair has two usable scores yet.").put(&f)
		return f
	}
	var up, down uint64
	for i := range table {
		for j := range table {
			switch {
			case j > i:
				up += table[i][j]
			case j < i:
				down += table[i][j]
			}
		}
	}
	l = l.inSlice(rarer(up+down, r.N))
	k, n := l.worth(up+down), max(1, l.worth(r.N))
	bounds := func(alpha float64) span {
		level, ok := l.r.levelFor(alpha, float64(n))
		if !ok {
			return unknown
		}
		if l.r.anytime() {
			f.Method = "beta-binomial mixture, anytime-valid"
			v, err := sequential.Bernoulli(k, n, sequential.BernoulliOptions{Level: 1 - alpha, Planned: l.r.planned})
			if err != nil {
				return unknown
			}
			return span{v.Estimate.Lo, v.Estimate.Hi}
		}
		v, err := stats.ClopperPearson(k, n, level)
		if err != nil {
			return unknown
		}
		return span{v.Lo, v.Hi}
	}
	f.Details = append(f.Details, detail("up", float64(up)), detail("down", float64(down)), detail("stuart_maxwell", r.Marginal.Statistic), detail("stuart_maxwell_p", r.Marginal.P))
	what := fmt.Sprintf("Of %s pairs, labelled or not, %s get a higher action from the candidate and %s a lower one. Changed decisions", count(r.N), count(up), count(down))
	c.settle(l, &f, r.Churn.Point, bounds(l.alpha), bounds(l.noHarm), r.N, what)
	return f
}

// absError compares the mean absolute errors.
func (c Paired) absError(l pairLook, s *analysis.PairSummary) analysis.Finding {
	f := c.finding()
	f.Method = "paired differences, " + l.r.method()
	e := &s.Errors
	n := e.Difference.N()
	f.Details = append(f.Details, detail("labelled", float64(n)), detail("unlabelled", float64(e.Unlabelled)))
	shape, err := e.Difference.Shape()
	if n == 0 || err != nil {
		l.noLabels(s.RowCount, "there are no errors of two usable scores").put(&f)
		return f
	}
	mb, mc := e.Baseline.Float64()/float64(n), e.Candidate.Float64()/float64(n)
	f.Details = append(f.Details, detail("baseline_mean", mb), detail("candidate_mean", mc))
	l = l.inSlice(n)
	size := float64(n) / l.repeats
	varies := shape.Variance > 0
	if !varies && size >= float64(l.least) {
		constant(&f, shape)
		return f
	}
	se, skew := math.Sqrt(shape.Variance/size), math.Abs(finite(shape.Skewness))/math.Sqrt(size)
	bounds := func(r ruler, alpha float64) span {
		z := r.z(alpha, size, size-1)
		if !varies || size < math.Max(minNormal, float64(l.least)) || math.IsInf(z, 1) || skew > maxSkew {
			return unknown
		}
		z = r.skewed(z, skew)
		return span{shape.Mean - float64(z*se), shape.Mean + float64(z*se)}
	}
	what := fmt.Sprintf("On %s labelled pairs the mean absolute error of the baseline is %s and that of the candidate %s; %s. Rise of the error",
		count(n), number(mb), number(mc), l.unlabelled(e.Unlabelled))
	strict := l.r
	strict.strict = true
	c.settle(l, &f, shape.Mean, bounds(strict, l.alpha), bounds(l.r, l.noHarm), n, what)
	askForSkew(&f, n, skew)
	return f
}
