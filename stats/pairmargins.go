package stats

import (
	"fmt"
	"math"
	"slices"
)

// ScoreCells is the histogram of one score by class, in cells in ascending order of
// the score.
type ScoreCells struct {
	Negatives, Positives []uint64
	// Single marks cells of which it is known that all their units have one score;
	// nil marks none.
	Single []bool
}

// PairedAUCMargins compares the AUCs of two scores given to the same units, as
// [PairedAUCBinned] does, where the histogram of each score is known in cells that
// are much finer than the pairs of cells.
//
// The AUCs, their variances and Resolved are those of [AUCBinned] on the
// histograms; cells with a single score do not count in Resolved, since their ties
// are real. The variance of the difference is that of the differences of the two
// placements of each unit, taken as the mean placement of its class in its cell,
// plus the variances of the placements within the cells. Units of a cell are told
// apart by rank, so that the lines of the two sorts of cells need not meet.
//
// Assumptions: units are independent, and within a pair of cells the two placements
// are not negatively correlated. The variance is then too large, if anything: that
// of two scores which are closely related, and vary within cells, by a few percent
// where a hundred cells have units and by a multiple where only some have.
// Special cases are those of [PairedAUC].
// Errors: those of [PairedAUCBinned] and [AUCBinned]; [ErrMismatch] for histograms
// that do not hold as many units of each class as the pairs of cells, or a Single
// of another length.
// Cost: one sort of the pairs of cells, and passes over the histograms.
//
// Reference: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845.
func PairedAUCMargins(cells []PairedCell, a, b ScoreCells, level float64) (AUCComparison, error) {
	const fn = "PairedAUCMargins"
	fail := func(err error) (AUCComparison, error) { return AUCComparison{}, fmt.Errorf("stats: %s: %w", fn, err) }
	c := AUCComparison{Method: "DeLong paired, covariance on cells", DF: math.Inf(1)}
	var margins [2]cellMargin
	var means [2]classMeans
	within := 0.0
	for k, s := range []ScoreCells{a, b} {
		r, err := s.auc(level)
		if err != nil {
			return fail(err)
		}
		margins[k] = newCellMargin(cells, k)
		n, err1 := sumCounts(margins[k].neg)
		m, err2 := sumCounts(margins[k].pos)
		switch {
		case err1 != nil:
			return fail(err1)
		case err2 != nil:
			return fail(err2)
		case n != r.Negatives || m != r.Positives:
			return fail(fmt.Errorf("%d negatives and %d positives in the pairs of cells, %d and %d in the histogram of score %d: %w", n, m, r.Negatives, r.Positives, k+1, ErrMismatch))
		}
		var inside float64
		means[k], inside = margins[k].means(s, float64(n), float64(m))
		within += inside
		*[]*AUCResult{&c.A, &c.B}[k] = r
	}
	n, m := float64(c.A.Negatives), float64(c.A.Positives)
	variance := math.Inf(1)
	if n > 1 && m > 1 {
		d := c.A.Estimate.Point - c.B.Estimate.Point
		var ssNeg, ssPos float64
		for i, cell := range cells {
			i, j := margins[0].place[i], margins[1].place[i]
			dPos := means[0].pos[i] - means[1].pos[j] - d
			dNeg := means[0].neg[i] - means[1].neg[j] - d
			ssPos += float64(float64(cell.Positives) * dPos * dPos)
			ssNeg += float64(float64(cell.Negatives) * dNeg * dNeg)
		}
		variance = ssPos/(m-1)/m + ssNeg/(n-1)/n + within
	}
	c.SE = math.Sqrt(variance)
	if c.SE*0x1p50 < 1 && c.A.Estimate.Point == c.B.Estimate.Point {
		c.SE = 0 // rounding of equal ranks
	}
	return c, c.finish(fn, level)
}

// auc is AUCBinned with only the ties that may not be real in Resolved.
func (s ScoreCells) auc(level float64) (AUCResult, error) {
	if s.Single != nil && len(s.Single) != len(s.Negatives) {
		return AUCResult{}, fmt.Errorf("%d cells and %d marks: %w", len(s.Negatives), len(s.Single), ErrMismatch)
	}
	r, err := AUCBinned(s.Negatives, s.Positives, level)
	if err != nil || s.Single == nil {
		return r, err
	}
	n, m := float64(r.Negatives), float64(r.Positives)
	r.Resolved = 0
	for c, single := range s.Single {
		if !single {
			r.Resolved += float64(float64(s.Negatives[c]) / n * (float64(s.Positives[c]) / m) / 2)
		}
	}
	r.Warnings = slices.DeleteFunc(r.Warnings, func(w Warning) bool { return w.Code == WarnBinned })
	if r.Resolved > r.SE/10 {
		r.Warnings = append(r.Warnings, Warning{WarnBinned,
			fmt.Sprintf("different scores within a cell count as tied; exact scores could move the AUC by up to %.3g", r.Resolved)})
	}
	return r, nil
}

// classMeans are mean placements by cell.
type classMeans struct{ neg, pos []float64 }

// means are the mean placements of the units of each cell of the margin, and what
// the placements about them add to the variance of the AUC. A class of n = 1 or
// m = 1 has no variance; what it adds is then meaningless.
func (m *cellMargin) means(s ScoreCells, n, p float64) (out classMeans, within float64) {
	var belowNeg, belowPos float64
	placeNeg, placePos := make([]float64, len(s.Negatives)), make([]float64, len(s.Negatives))
	for c := range s.Negatives {
		placePos[c] = (belowNeg + half(s.Negatives[c])) / n
		placeNeg[c] = 1 - (belowPos+half(s.Positives[c]))/p
		belowNeg += float64(s.Negatives[c])
		belowPos += float64(s.Positives[c])
	}
	var ssNeg, ssPos float64
	out.neg, ssNeg = regroup(placeNeg, s.Negatives, m.neg)
	out.pos, ssPos = regroup(placePos, s.Positives, m.pos)
	return out, ssPos/(p-1)/p + ssNeg/(n-1)/n
}

// regroup averages values of fine cells over coarse ones. Both hold the same units
// in the same order, which decides which are where. It also returns the sum of the
// squares about the averages.
func regroup(values []float64, fine, coarse []uint64) (mean []float64, squares float64) {
	mean = make([]float64, len(coarse))
	each := func(visit func(f, c int, n float64)) {
		f, left := -1, uint64(0)
		for c, want := range coarse {
			for want > 0 {
				for left == 0 {
					f++
					left = fine[f]
				}
				n := min(left, want)
				visit(f, c, float64(n))
				left, want = left-n, want-n
			}
		}
	}
	base := make([]float64, len(coarse)) // the first value, so that equal ones average to themselves
	last := -1
	each(func(f, c int, n float64) {
		if c != last {
			base[c], last = values[f], c
		}
		mean[c] += float64(n * (values[f] - base[c]))
	})
	for c, n := range coarse {
		if n > 0 {
			mean[c] = base[c] + mean[c]/float64(n)
		}
	}
	each(func(f, c int, n float64) {
		d := values[f] - mean[c]
		squares += float64(n * d * d)
	})
	return mean, squares
}
