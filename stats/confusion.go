package stats

import (
	"fmt"
	"math"
)

// ClassScores are the scores of one class in a confusion matrix.
type ClassScores struct {
	Labelled  uint64  // rows of the class
	Predicted uint64  // rows predicted to be of it
	Right     uint64  // both
	Recall    float64 // Right of Labelled; NaN without any
	Precision float64 // Right of Predicted; NaN without any
	F1        float64 // 2 Right / (Labelled + Predicted); NaN without any of both
}

// MacroScore is a mean over classes.
type MacroScore struct {
	Estimate Interval
	SE       float64
	N        uint64        // rows
	Classes  []ClassScores // in the order of the matrix
	Used     int           // classes that occur, over which the mean is taken
	Method   string
}

// MacroF1 estimates the mean over classes of the F1 score,
//
//	F1_k = 2 right_k / (labelled_k + predicted_k),
//
// from a confusion matrix: counts[i][j] rows of class i were predicted to be of
// class j. A class that neither occurs nor is predicted is left out of the mean.
//
// The interval is asymptotic: by the delta method, for rows drawn independently,
//
//	SE^2 = sum_ij p_ij g_ij^2 / n,  g_ij = d(macro F1)/d(p_ij),
//
// where the mean of g is 0 because the score does not depend on the scale of p. It
// is cut to [0, 1].
//
// Special cases: with every row right, or every row wrong, SE is 0 and the interval
// is a point, although another sample could differ; the caller has to ask for
// enough rows. A matrix without rows is ErrEmpty; one that is not square, is
// ErrMismatch; a level outside (0, 1) is ErrDomain. Cost: O(k^2).
//
// References: Takahashi, Yamamoto, Kuchiba and Koyama 2022, Confidence interval for
// micro-averaged F1 and macro-averaged F1 scores, Applied Intelligence 52.
func MacroF1(counts [][]uint64, level float64) (MacroScore, error) {
	k := len(counts)
	if !(level > 0 && level < 1) {
		return MacroScore{}, fmt.Errorf("stats: MacroF1: level %v: %w", level, ErrDomain)
	}
	out := MacroScore{Classes: make([]ClassScores, k), Method: "mean of F1 over classes, delta method"}
	for i, row := range counts {
		if len(row) != k {
			return MacroScore{}, fmt.Errorf("stats: MacroF1: row %d of %d columns in a matrix of %d rows: %w", i, len(row), k, ErrMismatch)
		}
		for j, n := range row {
			out.Classes[i].Labelled += n
			out.Classes[j].Predicted += n
			out.N += n
		}
		out.Classes[i].Right = row[i]
	}
	if out.N == 0 {
		return MacroScore{}, fmt.Errorf("stats: MacroF1: no rows: %w", ErrEmpty)
	}
	share := func(x, n uint64) float64 {
		if n == 0 {
			return math.NaN()
		}
		return float64(x) / float64(n)
	}
	sum := 0.0
	for i := range out.Classes {
		c := &out.Classes[i]
		c.Recall, c.Precision = share(c.Right, c.Labelled), share(c.Right, c.Predicted)
		c.F1 = share(2*c.Right, c.Labelled+c.Predicted)
		if c.Labelled+c.Predicted > 0 {
			out.Used++
			sum += c.F1
		}
	}
	used, n := float64(out.Used), float64(out.N)
	point := sum / used
	// The gradient, times n over 2: each class has a part in its row and its column.
	part := func(c *ClassScores) (all, right float64) {
		d := float64(c.Labelled + c.Predicted)
		if d == 0 {
			return 0, 0
		}
		return float64(c.Right) / (d * d), 1 / d
	}
	variance := 0.0
	for i, row := range counts {
		alone, right := part(&out.Classes[i])
		for j, m := range row {
			if m == 0 {
				continue
			}
			other, _ := part(&out.Classes[j])
			g := -alone - other
			if i == j {
				g += right
			}
			g *= 2 * n / used
			variance += float64(float64(m) / n * float64(g*g))
		}
	}
	out.SE = math.Sqrt(variance / n)
	z := oneSidedZ((1 - level) / 2)
	out.Estimate = Interval{Point: point, Lo: math.Max(0, point-z*out.SE), Hi: math.Min(1, point+z*out.SE), Level: level}
	return out, nil
}
