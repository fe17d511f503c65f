package labelfree

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// correct is the accuracy of the reference at a threshold, by the mean score of each
// cell, and out is what both estimates say of their data.
func (r *Reference) correct(fn string, current *summary.Scores, threshold float64, o Options) (accuracy, level float64, out Result, err error) {
	if level, err = o.level(fn); err != nil {
		return 0, 0, out, err
	}
	if !(threshold > 0 && threshold < 1) {
		return 0, 0, out, fmt.Errorf("labelfree: %s: threshold %v is not in (0,1): %w", fn, threshold, stats.ErrDomain)
	}
	out = r.result("accuracy", current, threshold)
	out.Calibrated = false
	if out.Current == 0 {
		return 0, 0, out, fmt.Errorf("labelfree: %s: no current score: %w", fn, stats.ErrEmpty)
	}
	out.Blind = blindShare
	right := 0.0
	for _, k := range r.knots {
		right += k.right(threshold)
	}
	return right / float64(r.n), level, out, nil
}

// right is the number of rows of a cell that are predicted right.
func (k knot) right(threshold float64) float64 {
	if k.score >= threshold {
		return k.pos
	}
	return k.neg
}

// sure is how far a cell is from the threshold, on a scale on which 0 and 1 are as
// far as can be. It is that of the middle of the cell, which is the same in all
// summaries.
func sure(lo, hi, threshold float64) float64 {
	s := lo/2 + hi/2
	if s >= threshold {
		return (s - threshold) / (1 - threshold)
	}
	return (threshold - s) / threshold
}

// level is a number of rows of the same confidence; right is how many of them are
// predicted right.
type level struct{ sure, n, right float64 }

// levels sorts rows by falling confidence and pools those of equal one.
func levels(ls []level) []level {
	slices.SortFunc(ls, func(a, b level) int {
		return cmp.Or(cmp.Compare(b.sure, a.sure), cmp.Compare(a.n, b.n), cmp.Compare(a.right, b.right))
	})
	out := ls[:0]
	for _, l := range ls {
		if k := len(out) - 1; k >= 0 && out[k].sure == l.sure {
			out[k].n += l.n
			out[k].right += l.right
			continue
		}
		out = append(out, l)
	}
	return out
}

// Threshold estimates accuracy as the share of current rows whose confidence is at
// or above a bound, the bound being such that in the reference this share is the
// accuracy (average thresholded confidence, ATC). Confidence is the distance of the
// score from the threshold of the decision, as a share of the greatest one on that
// side; with the threshold 1/2 it orders rows as max(s, 1-s) does.
//
// Rows of the cell at the bound count in the share that makes the reference exact.
// Hidden is their share of the current rows. The standard errors are those of a
// share: labels count none, as the estimate is no sum over labels, so that LabelSE
// holds what accuracy varies around its expectation, sqrt(A (1-A)/N); MapSE is
// that of the difference of the two shares in the reference, rows being as dense
// near the bound now as then.
//
// Assumptions: the same bound tells as many right ones now as then. It can fail
// either way, also under pure covariate shift; it is shown beside
// [Reference.Expect], not instead of it.
//
// Errors: [stats.ErrEmpty] without a current score; [stats.ErrDomain] for a
// threshold outside (0,1) or an impossible level. Cost: sorting the cells.
//
// Reference: Garg et al. (2022), Leveraging unlabeled data to predict
// out-of-distribution performance, ICLR, arXiv:2201.04234.
func (r *Reference) Threshold(current *summary.Scores, threshold float64, o Options) (Result, error) {
	accuracy, lev, out, err := r.correct("Threshold", current, threshold, o)
	if err != nil {
		return Result{}, err
	}
	ref := make([]level, 0, len(r.knots))
	for _, k := range r.knots {
		ref = append(ref, level{sure(k.lo, k.hi, threshold), k.neg + k.pos, k.right(threshold)})
	}
	ref = levels(ref)
	left, bound, part := float64(accuracy*float64(r.n)), 0.0, 1.0
	differ := 0.0 // rows on one side of the bound that count on the other by their label
	for i, l := range ref {
		if left >= l.n && i < len(ref)-1 {
			left -= l.n
			differ += l.n - l.right
			continue
		}
		if l.n > 0 && left < l.n {
			bound, part = l.sure, max(0, left)/l.n
			differ += float64(part*(l.n-l.right)) + float64((1-part)*l.right)
			for _, rest := range ref[i+1:] {
				differ += rest.right
			}
		} else {
			bound, part = l.sure, 1
			differ += l.n - l.right
		}
		break
	}
	above, at := 0.0, 0.0
	for _, c := range current.All().Cells() {
		switch s := sure(c.Lo, c.Hi, threshold); {
		case s > bound:
			above += float64(c.N)
		case s == bound:
			at += float64(c.N)
		}
	}
	n := float64(out.Current)
	value := (above + float64(part*at)) / n
	out.Hidden = float64(at / n * max(part, 1-part))
	out.LabelSE = math.Sqrt(value * (1 - value) / n)
	out.MapSE = math.Sqrt(differ) / float64(r.n)
	out.RowSE = out.LabelSE
	out.Method = fmt.Sprintf("ATC, confidence of at least %.4g", bound)
	out.finish(value, lev)
	out.small(n)
	return out, nil
}

// Confidence estimates accuracy as that of the reference less the fall of mean
// confidence (difference of confidence, DoC):
//
//	A = A_ref - (mean c_ref - mean c)
//
// with c the score of the predicted class: s at or above the threshold, 1-s below.
// MapSE is the standard error of the mean of (right - c) in the reference, RowSE that
// of the mean of c now, and LabelSE is sqrt(A (1-A)/N) less what RowSE explains.
//
// Assumptions: overconfidence is the same now as in the reference.
//
// Errors: as of [Reference.Threshold]. Cost: linear in the cells.
//
// Reference: Guillory et al. (2021), Predicting with confidence on unseen
// distributions, ICCV, arXiv:2107.03315.
func (r *Reference) Confidence(current *summary.Scores, threshold float64, o Options) (Result, error) {
	accuracy, lev, out, err := r.correct("Confidence", current, threshold, o)
	if err != nil {
		return Result{}, err
	}
	predicted := func(score float64) float64 {
		if score >= threshold {
			return score
		}
		return 1 - score
	}
	then, squares := 0.0, 0.0
	for _, k := range r.knots {
		n, c, right := k.neg+k.pos, predicted(k.score), k.right(threshold)
		then += float64(n * c)
		squares += float64(right*float64((1-c)*(1-c))) + float64((n-right)*float64(c*c)) + float64(n*k.variance)
	}
	ref := float64(r.n)
	then /= ref
	gap := accuracy - then
	out.MapSE = math.Sqrt(max(0, squares/ref-float64(gap*gap)) / ref)
	n, now, spread := float64(out.Current), 0.0, 0.0
	cells := current.All().Cells()
	for _, c := range cells {
		now += float64(float64(c.N) * predicted(c.Mean))
		if c.Lo < threshold && threshold < c.Hi && c.Var != 0 {
			out.Hidden += float64(float64(c.N) / n * max(math.Abs(1-float64(2*c.Lo)), math.Abs(1-float64(2*c.Hi))))
		}
	}
	now /= n
	for _, c := range cells {
		d := predicted(c.Mean) - now
		spread += float64(float64(c.N) * (float64(d*d) + c.Var))
	}
	value := min(1, max(0, accuracy-(then-now)))
	out.RowSE = math.Sqrt(spread) / n
	out.LabelSE = math.Sqrt(max(0, float64(value*(1-value)/n)-float64(out.RowSE*out.RowSE)))
	out.Method = "DoC, confidence of the predicted class"
	out.finish(value, lev)
	out.small(n)
	return out, nil
}
