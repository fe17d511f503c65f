package stats

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats/internal/special"
)

// StuartMaxwell tests the marginal homogeneity of a square table of paired
// classifications: whether the two raters, models or policies give every class
// the same share.
//
// With d the row sums less the column sums and V their covariance under the null,
// V_ii = row_i + col_i - 2 n_ii and V_ij = -(n_ij + n_ji), the statistic is
// d' V^- d. V is singular by one for every group of classes that are linked by
// disagreements; the degrees of freedom are the classes less those groups, which
// is k-1 when all are linked. For k = 2 it is McNemar's chi-square.
//
// Assumptions: pairs are independent; the chi-square law is for large counts.
// Special cases: classes without any disagreement are left out and counted in
// Dropped; without any disagreement at all, Statistic is 0, DF 0, P 1, with the
// warning degenerate. N is the number of pairs. MinExpected is the smallest number
// of disagreements of a class, and CramersV is not set.
// Warnings: small_sample for fewer than 10 disagreements of a class.
// Errors: [ErrMismatch] for a table that is not square; [ErrEmpty] for zeros only.
// Cost: k^3 steps.
//
// References: Stuart (1955), Biometrika 42, 412-416; Maxwell (1970), British
// Journal of Psychiatry 116, 651-655.
func StuartMaxwell(table [][]uint64) (ChiSquareResult, error) {
	const fn = "StuartMaxwell"
	r, err := squareTable(fn, table)
	if err != nil {
		return ChiSquareResult{}, err
	}
	r.Method = "Stuart-Maxwell marginal homogeneity"
	k := len(table)
	w := make([][]float64, k) // disagreements between two classes, either way
	d := make([]float64, k)
	least := math.Inf(1)
	for i := range w {
		w[i] = make([]float64, k)
		var links float64
		for j := range w[i] {
			if i != j {
				w[i][j] = float64(table[i][j]) + float64(table[j][i])
				d[i] += float64(table[i][j]) - float64(table[j][i])
				links += w[i][j]
			}
		}
		if links > 0 {
			least = min(least, links)
		}
	}
	for _, group := range linkedGroups(w) {
		if len(group) == 1 {
			r.Dropped++
			continue
		}
		r.DF += len(group) - 1
		r.Statistic += laplacianForm(w, d, group)
	}
	return finishSymmetry(r, least), nil
}

// Bowker tests the symmetry of a square table of paired classifications: whether
// each exchange of class i for class j is as frequent as j for i.
//
// The statistic is sum over i < j of (n_ij - n_ji)^2 / (n_ij + n_ji). The degrees of
// freedom count the pairs of classes with a disagreement, k(k-1)/2 when all have
// one; an empty pair adds nothing to the statistic and so none to them either.
//
// Assumptions: pairs are independent; the chi-square law is for large counts.
// Special cases: pairs of classes without a disagreement are counted in Dropped;
// without any disagreement at all, Statistic is 0, DF 0, P 1, with the warning
// degenerate. N is the number of pairs. MinExpected is the smallest number of
// disagreements of a pair of classes, and CramersV is not set.
// Warnings: small_sample for fewer than 10 disagreements of a pair of classes.
// Errors: [ErrMismatch] for a table that is not square; [ErrEmpty] for zeros only.
//
// Reference: Bowker (1948), JASA 43, 572-574.
func Bowker(table [][]uint64) (ChiSquareResult, error) {
	const fn = "Bowker"
	r, err := squareTable(fn, table)
	if err != nil {
		return ChiSquareResult{}, err
	}
	r.Method = "Bowker symmetry"
	least := math.Inf(1)
	for i := range table {
		for j := range i {
			a, b := float64(table[i][j]), float64(table[j][i])
			if a+b == 0 {
				r.Dropped++
				continue
			}
			r.DF++
			r.Statistic += float64((a-b)*(a-b)) / (a + b)
			least = min(least, a+b)
		}
	}
	return finishSymmetry(r, least), nil
}

// squareTable checks the table and counts its pairs.
func squareTable(fn string, table [][]uint64) (ChiSquareResult, error) {
	rows, cols, err := margins(table)
	if err != nil {
		return ChiSquareResult{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	if len(rows) != len(cols) {
		return ChiSquareResult{}, fmt.Errorf("stats: %s: table of %d rows and %d columns: %w", fn, len(rows), len(cols), ErrMismatch)
	}
	n, _ := sumCounts(rows) // margins has checked the total
	if n == 0 {
		return ChiSquareResult{}, fmt.Errorf("stats: %s: table of zeros: %w", fn, ErrEmpty)
	}
	return ChiSquareResult{P: 1, N: n}, nil
}

func finishSymmetry(r ChiSquareResult, least float64) ChiSquareResult {
	if r.DF == 0 {
		r.Warnings = []Warning{{WarnDegenerate, "no disagreement in the table; there is nothing to test"}}
		return r
	}
	r.LogP = special.LogGammaQ(float64(r.DF)/2, r.Statistic/2)
	r.P = math.Exp(r.LogP)
	r.MinExpected = least
	if least < 10 {
		r.Warnings = []Warning{{WarnSmallSample, fmt.Sprintf("as few as %.0f disagreements; the chi-square law is approximate", least)}}
	}
	return r
}

// linkedGroups returns the connected components of the graph with weights w, each
// in ascending order.
func linkedGroups(w [][]float64) [][]int {
	seen := make([]bool, len(w))
	var groups [][]int
	for start := range w {
		if seen[start] {
			continue
		}
		seen[start] = true
		group := []int{start}
		for at := 0; at < len(group); at++ {
			for j, v := range w[group[at]] {
				if v > 0 && !seen[j] {
					seen[j] = true
					group = append(group, j)
				}
			}
		}
		groups = append(groups, group)
	}
	return groups
}

// laplacianForm is d' L^- d over one connected group, L being the Laplacian of the
// weights w. With the last class taken out, L is positive definite, and Gaussian
// elimination needs no pivoting.
func laplacianForm(w [][]float64, d []float64, group []int) float64 {
	k := len(group) - 1
	a := make([][]float64, k) // the matrix with the right-hand side as last column
	for i := range a {
		a[i] = make([]float64, k+1)
		for j, g := range group {
			v := w[group[i]][g]
			a[i][i] += v
			if j < k {
				a[i][j] -= v
			}
		}
		a[i][k] = d[group[i]]
	}
	var form float64
	for p := range a {
		form += float64(a[p][k]*a[p][k]) / a[p][p]
		for i := p + 1; i < k; i++ {
			f := a[i][p] / a[p][p]
			for j := p; j <= k; j++ {
				a[i][j] -= float64(f * a[p][j])
			}
		}
	}
	return form
}
