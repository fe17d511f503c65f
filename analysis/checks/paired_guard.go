package checks

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
	"github.com/rampguard/rampguard/stats/summary"
)

// minOfClass is the number of labelled pairs of each class from which on AUCs are
// compared.
const minOfClass = 50

// leastPairs is the number of pairs below which nothing passes, unless the policy says
// otherwise. Absolute errors have no bound, so that a few pairs with much larger ones
// than the rest must have had a chance to be seen.
func (c Paired) leastPairs() uint64 {
	if c.Metric == PairedAbsError {
		return defaultSliceUnits
	}
	return defaultMinUnits
}

// netBounds bounds the share of regressions less that of fixes. Where rows repeat
// units the counts are rounded against what is to be proven.
func (l pairLook) netBounds(margin float64, b, fixes, n uint64, f *analysis.Finding) (harm, pass span) {
	down := func(x uint64) uint64 { return uint64(float64(x) / l.repeats) }
	up := func(x uint64) uint64 { return uint64(math.Ceil(float64(x) / l.repeats)) }
	n = max(1, l.worth(n), down(b)+up(fixes), up(b)+down(fixes))
	if l.r.anytime() {
		f.Method = "sequential McNemar (binomial mixture, share 1/2), anytime-valid"
		if e, err := sequential.BinomMix([]sequential.EventStage{{Share: 0.5, Baseline: up(fixes), Candidate: down(b)}}, sequential.BinomMixOptions{Alternative: stats.Greater}); err == nil {
			f.LogE = stats.Float(e.LogE)
		}
		low, high := l.netAnytime(down(b), up(fixes), n, l.noHarm), l.netAnytime(up(b), down(fixes), n, l.noHarm)
		return l.netAnytime(down(b), up(fixes), n, l.alpha), span{low.lo, high.hi}
	}
	alpha := l.alpha / l.r.looks
	if mc, err := stats.McNemar(down(b), up(fixes), stats.McNemarOptions{Alternative: stats.Greater}); err == nil {
		f.P = stats.Float(mc.P)
	}
	harm = tango(down(b), up(fixes), n, alpha)
	if !(float64(f.P) <= alpha) {
		harm.lo = math.Min(harm.lo, 0) // the exact test does not confirm any
	}
	if margin > 0 { // which McNemar's test knows nothing of
		f.Method = "Tango, McNemar and exact bounds, " + l.r.method()
		harm.lo = math.Min(harm.lo, leastNet(down(b), up(fixes), n, alpha))
	}
	noHarm := l.noHarm / l.r.looks
	return harm, span{tango(down(b), up(fixes), n, noHarm).lo, tango(up(b), down(fixes), n, noHarm).hi}
}

// tango is the score interval of regressions less fixes, with error alpha on each
// side.
func tango(b, fixes, n uint64, alpha float64) span {
	if !(alpha > 1e-13) {
		return unknown
	}
	v, err := stats.Tango(b, fixes, n, 1-2*math.Min(alpha, 0.4))
	if err != nil {
		return unknown
	}
	return span{v.Estimate.Lo, v.Estimate.Hi}
}

// leastNet is a lower bound of the share of regressions less that of fixes, which has
// at most the error alpha whatever the shares are. (The score interval has several
// times that in its lower tail when regressions are rare and fixes rarer.) It is the
// better of two, which have half of the error each; each adds up the errors of two
// bounds of Clopper and Pearson:
//
//   - the share of regressions, from below, less that of fixes, from above; each is
//     binomial by itself. It is good where there are hardly any fixes;
//   - the share q of pairs that are either, and the share s of regressions among
//     them, both from below: the net share is q (2s-1). It is good where there are
//     about as many.
func leastNet(b, fixes, n uint64, alpha float64) float64 {
	if !(alpha > 1e-12) {
		return math.Inf(-1)
	}
	apart := proportionSpan(stats.ClopperPearson, b, n, alpha/4).lo - proportionSpan(stats.ClopperPearson, fixes, n, alpha/4).hi
	if b+fixes == 0 {
		return apart
	}
	lean := 2*proportionSpan(stats.ClopperPearson, b, b+fixes, 0.4*alpha).lo - 1
	if lean <= 0 {
		return apart
	}
	return math.Max(apart, float64(lean*proportionSpan(stats.ClopperPearson, b+fixes, n, 0.1*alpha).lo))
}

// fewOfClass says that a class has too few labelled pairs for AUCs. More pairs are
// needed in proportion: those that come are mostly of the other class.
func fewOfClass(f *analysis.Finding, pos, neg uint64) {
	have, lack := min(pos, neg), minOfClass-min(pos, neg)
	class := "positive"
	if neg < pos {
		class = "negative"
	}
	f.Outcome, f.UnitsNeeded = analysis.Insufficient, lack
	text := fmt.Sprintf("There are %s positive and %s negative labelled pairs; the AUCs are compared from %d of each class on. %s are needed", count(pos), count(neg), minOfClass, plural(int(lack), "more "+class+" pair", "more "+class+" pairs"))
	if have > 0 {
		f.UnitsNeeded = roundUp(float64(lack) * float64(pos+neg) / float64(have))
		text += fmt.Sprintf(", which is about %s more pairs at the present share", count(f.UnitsNeeded))
	}
	f.Message = text + "."
}

// unseen is how far an AUC may be off for pairs of a kind that has not been seen: with
// the error of z standard errors, a share of -ln(error)/n of the n independent pairs
// of a class may be misplaced wholly and none be among them. A difference that looks
// as if it did not vary is no more precise than that.
func unseen(z, n float64) float64 {
	return -math.Log(math.Erfc(z/math.Sqrt2)/2) / n
}

// constant says that a mean difference of pairs has no bounds, because it does not
// vary: nothing tells how large the differences are that have not been seen.
func constant(f *analysis.Finding, shape summary.Shape) {
	p := problem{"no_variation", analysis.Inconclusive, fmt.Sprintf("In all %s labelled pairs the absolute errors differ by the same %s. What never varies has no bounds: nothing tells how large a difference is that has not been seen. Did two models really score these requests?", count(shape.N), number(shape.Mean))}
	p.put(f)
	f.N = analysis.Counts{Baseline: shape.N, Candidate: shape.N}
}

// askForSkew says how many more of n pairs a difference needs for its skewness.
func askForSkew(f *analysis.Finding, n uint64, skew float64) {
	warnSkew(f, skew)
	if more := rowsForSkew(n, skew); more > f.UnitsNeeded && f.Outcome != analysis.Harm {
		f.UnitsNeeded = more
		f.Message += fmt.Sprintf(" The mean rests on few large differences; it has bounds from about %s more labelled pairs on.", count(more))
	}
}
