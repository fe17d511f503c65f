package labelfree

import (
	"errors"
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
	"gonum.org/v1/gonum/mat"
)

// Shift is the mix of the classes now; see [LabelShift].
type Shift struct {
	Share     []stats.Interval // of each class among the current rows
	Weight    []float64        // share now over share in the reference
	Reference uint64           // labelled rows
	Current   uint64
	Condition float64 // of the matrix that was inverted, in the 1-norm; 1 is best
	Method    string
	Blind     string // what the estimate cannot see
	Warnings  []stats.Warning
}

// worstCondition is the greatest condition number with which the mix is solved for.
const worstCondition = 1e6

// LabelShift estimates how common each class is now from how often each class is
// predicted (black box shift estimation, BBSE). confusion[i][j] counts the labelled
// rows of the reference that were predicted i and are j; predicted[i] counts the
// current rows that were predicted i. With M the shares of predictions within each
// true class, it solves
//
//	M share = predicted / N
//
// The covariance is, by the delta method, that of the right side and of the columns
// of M, all multinomial:
//
//	M^-1 (S(predicted)/N + sum_j share_j^2 S(M_j)/n_j) M^-T,   S(p) = diag(p) - p p^T
//
// Assumptions: only the mix of the classes has changed, so that rows of a class are
// predicted as in the reference.
//
// Special cases: a share outside [0,1] is brought to the nearer end and carries the
// warning "clipped": noise, or the assumption is wrong.
//
// Errors: [stats.ErrEmpty] for no class, no current row, or a class without a labelled
// row; [stats.ErrMismatch] for a matrix that is not square or of another size;
// [stats.ErrDomain] for an impossible level, fewer than two classes, and predictions
// that do not tell the classes apart (condition above 1e6). Cost: cubic in the
// classes.
//
// Reference: Lipton, Wang and Smola (2018), Detecting and correcting for label shift
// with black box predictors, ICML, arXiv:1802.03916.
func LabelShift(confusion [][]uint64, predicted []uint64, o Options) (Shift, error) {
	const fn = "LabelShift"
	lev, err := o.level(fn)
	if err != nil {
		return Shift{}, err
	}
	k := len(confusion)
	switch {
	case k == 0:
		return Shift{}, fmt.Errorf("labelfree: %s: no classes: %w", fn, stats.ErrEmpty)
	case k == 1:
		return Shift{}, fmt.Errorf("labelfree: %s: one class alone has no mix: %w", fn, stats.ErrDomain)
	case len(predicted) != k:
		return Shift{}, fmt.Errorf("labelfree: %s: %d classes in the reference and %d now: %w", fn, k, len(predicted), stats.ErrMismatch)
	}
	out := Shift{Method: "BBSE, delta method", Blind: blindShift}
	classes := make([]float64, k)
	for i, row := range confusion {
		if len(row) != k {
			return Shift{}, fmt.Errorf("labelfree: %s: row %d of the matrix has %d entries, want %d: %w", fn, i, len(row), k, stats.ErrMismatch)
		}
		for j, n := range row {
			classes[j] += float64(n)
			out.Reference += n
		}
		out.Current += predicted[i]
	}
	if out.Current == 0 {
		return Shift{}, fmt.Errorf("labelfree: %s: no current rows: %w", fn, stats.ErrEmpty)
	}
	m, mu := mat.NewDense(k, k, nil), mat.NewVecDense(k, nil)
	for i := range k {
		for j := range k {
			if classes[j] == 0 {
				return Shift{}, fmt.Errorf("labelfree: %s: class %d has no labelled row in the reference: %w", fn, j, stats.ErrEmpty)
			}
			m.Set(i, j, float64(confusion[i][j])/classes[j])
		}
		mu.SetVec(i, float64(predicted[i])/float64(out.Current))
	}
	var inverse mat.Dense
	err = inverse.Inverse(m)
	var bad mat.Condition
	if out.Condition = mat.Cond(m, 1); errors.As(err, &bad) || !(out.Condition <= worstCondition) {
		return Shift{}, fmt.Errorf("labelfree: %s: the predictions do not tell the classes apart (condition number %.3g): %w", fn, out.Condition, stats.ErrDomain)
	}
	var share mat.VecDense
	share.MulVec(&inverse, mu)
	noise := mat.NewDense(k, k, nil)
	for a := range k {
		for b := range k {
			v := spread(mu.AtVec(a), mu.AtVec(b), a == b) / float64(out.Current)
			for j := range k {
				w := share.AtVec(j)
				v += float64(w * w * spread(m.At(a, j), m.At(b, j), a == b) / classes[j])
			}
			noise.Set(a, b, v)
		}
	}
	var half, cov mat.Dense
	half.Mul(&inverse, noise)
	cov.Mul(&half, inverse.T())
	for j := range k {
		r := Result{MapSE: math.Sqrt(max(0, cov.At(j, j)))}
		v := share.AtVec(j)
		r.finish(v, lev)
		out.Share = append(out.Share, r.Estimate)
		out.Weight = append(out.Weight, r.Estimate.Point/(classes[j]/float64(out.Reference)))
		if v != r.Estimate.Point {
			out.Warnings = append(out.Warnings, stats.Warning{Code: stats.WarnClipped, Message: fmt.Sprintf("the share of class %d comes out as %.4g; its nearest possible value is taken", j, v)})
		}
	}
	return out, nil
}

// spread is an entry of diag(p) - p p^T.
func spread(p, q float64, diagonal bool) float64 {
	if diagonal {
		return p * (1 - p)
	}
	return -p * q
}

// Segment is a part of the rows that is predicted about equally well throughout.
type Segment struct {
	Right   uint64 // labelled rows of the reference that were predicted right
	N       uint64 // labelled rows of the reference
	Current uint64 // rows now
}

// Reweight estimates accuracy as the average of the accuracies of the segments in the
// reference, in the present mix of the segments: sum w_s A_s, w_s the share of segment
// s now. LabelSE is sqrt(sum w_s A_s (1-A_s)/N), MapSE is sqrt(sum w_s^2 V_s) with V_s
// the variance of A_s after one right and one wrong row were added, RowSE is
// sqrt(sum w_s (A_s - A)^2/N).
//
// Special cases: rows now in segments without labelled rows have any accuracy: they
// enter with 1/2, and half of their share is Hidden.
//
// Assumptions: each segment is predicted as well as in the reference.
//
// Errors: [stats.ErrEmpty] without rows now or without labelled rows in any segment
// that has rows now; [stats.ErrDomain] for more right rows than rows, or an
// impossible level. Cost: linear.
//
// Reference: Kish (1965), Survey Sampling, section 3.4, on poststratification.
func Reweight(segments []Segment, o Options) (Result, error) {
	const fn = "Reweight"
	lev, err := o.level(fn)
	if err != nil {
		return Result{}, err
	}
	out := Result{Metric: "accuracy", Threshold: math.NaN(), Method: "accuracy by segment, reweighted", Blind: blindSegment}
	covered := uint64(0)
	for i, s := range segments {
		if s.Right > s.N {
			return Result{}, fmt.Errorf("labelfree: %s: segment %d has %d right rows of %d: %w", fn, i, s.Right, s.N, stats.ErrDomain)
		}
		out.Reference += s.N
		out.Current += s.Current
		if s.N > 0 {
			covered += s.Current
		}
	}
	if covered == 0 {
		return Result{}, fmt.Errorf("labelfree: %s: no rows now in segments with labelled rows: %w", fn, stats.ErrEmpty)
	}
	n, value := float64(out.Current), 0.0
	rate := func(s Segment) float64 {
		if s.N == 0 {
			return 0.5
		}
		return float64(s.Right) / float64(s.N)
	}
	for _, s := range segments {
		value += float64(float64(s.Current) / n * rate(s))
	}
	labels, fitted, rows := 0.0, 0.0, 0.0
	for _, s := range segments {
		a, w := rate(s), float64(s.Current)/n
		labels += float64(w * a * (1 - a) / n)
		rows += float64(w * float64((a-value)*(a-value)) / n)
		if s.N == 0 {
			out.Hidden += w / 2
			continue
		}
		p := (float64(s.Right) + 1) / (float64(s.N) + 2)
		fitted += float64(float64(w*w) * p * (1 - p) / float64(s.N))
	}
	out.LabelSE, out.MapSE, out.RowSE = math.Sqrt(labels), math.Sqrt(fitted), math.Sqrt(rows)
	out.finish(value, lev)
	out.small(n)
	return out, nil
}
