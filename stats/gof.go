package stats

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/rampguard/rampguard/stats/internal/special"
)

// ChiSquareOptions chooses the statistic of a chi-square test. The zero value is
// Pearson's statistic without continuity correction.
type ChiSquareOptions struct {
	LikelihoodRatio bool // G = 2 sum O log(O/E) in place of Pearson's sum
	Yates           bool // Yates' continuity correction; 2x2 tables only, not with LikelihoodRatio
}

// ChiSquareResult is the answer of a chi-square test on counts.
type ChiSquareResult struct {
	Statistic   float64   // Pearson's X2 or G; +Inf when a count is impossible under the null
	DF          int       // degrees of freedom, from the cells that are left
	P           float64   // upper tail probability of Statistic
	LogP        float64   // log of P, finite also where P underflows
	N           uint64    // total count (of the first sample, for two)
	M           uint64    // total count of the second sample; 0 for one sample or more than two
	CramersV    float64   // effect size in [0,1]; 0 for goodness of fit
	MinExpected float64   // smallest expected count of the cells that are left
	Dropped     int       // rows and columns without a count (or without a weight), left out
	Method      string    // which test was made
	Warnings    []Warning // expected_below_5, degenerate
}

// GoodnessOfFit tests whether counts come from given cell probabilities.
//
// With O the counts, n their sum and E = n w / sum(w), it returns Pearson's
// sum (O-E)^2/E, or G = 2 sum O log(O/E), and its chi-square tail with k-1
// degrees of freedom for k cells of positive weight. Weights need not sum to 1.
//
// The null is exact: where the probabilities are themselves estimated from a
// reference sample the test rejects too often, and [Homogeneity] is the right one.
// The chi-square law is a large-sample approximation; an expected count below 5
// gives a warning, and [MultinomialExact] does without it.
//
// Special cases: a cell of weight 0 and count 0 is dropped; a count in a cell of
// weight 0 is impossible, so Statistic is +Inf, P 0 and LogP -Inf; one cell left
// gives Statistic 0, DF 0, P 1 and the warning degenerate.
// Errors: [ErrEmpty] for no counts, [ErrMismatch] for different lengths,
// [ErrDomain] for a negative or non-finite weight, weights that are all 0, or the
// option Yates with other than two cells.
// Cost: one pass.
//
// Reference: Agresti (2013), Categorical Data Analysis, 3rd ed., section 1.5.
func GoodnessOfFit(observed []uint64, weights []float64, opt ChiSquareOptions) (ChiSquareResult, error) {
	const fn = "GoodnessOfFit"
	if len(observed) != len(weights) {
		return ChiSquareResult{}, fmt.Errorf("stats: %s: %d counts and %d weights: %w", fn, len(observed), len(weights), ErrMismatch)
	}
	n, err := sumCounts(observed)
	if err != nil {
		return ChiSquareResult{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	var total float64
	for i, w := range weights {
		if !(w >= 0) || math.IsInf(w, 1) {
			return ChiSquareResult{}, fmt.Errorf("stats: %s: weight %v at %d: %w", fn, w, i, ErrDomain)
		}
		total += w
	}
	if !(total > 0) || math.IsInf(total, 1) {
		return ChiSquareResult{}, fmt.Errorf("stats: %s: weights sum to %v: %w", fn, total, ErrDomain)
	}
	if n == 0 {
		return ChiSquareResult{}, fmt.Errorf("stats: %s: all counts are 0: %w", fn, ErrEmpty)
	}

	acc := chiAccumulator{opt: opt, minExpected: math.Inf(1)}
	r := ChiSquareResult{N: n}
	impossible := false
	for i, o := range observed {
		if weights[i] == 0 {
			r.Dropped++
			impossible = impossible || o > 0
			continue
		}
		acc.add(float64(o), float64(n)*(weights[i]/total))
	}
	if opt.Yates && acc.cells != 2 {
		return ChiSquareResult{}, fmt.Errorf("stats: %s: Yates' correction with %d cells: %w", fn, acc.cells, ErrDomain)
	}
	err = acc.finish(fn, "goodness of fit", acc.cells-1, &r)
	if impossible {
		r.Statistic, r.P, r.LogP = math.Inf(1), 0, math.Inf(-1)
	}
	return r, err
}

// Homogeneity tests whether two samples of counts over the same cells come from
// one distribution. Both samples carry noise, and the test accounts for both.
//
// It is [ContingencyTable] on the two rows a and b; the result's N and M are their
// sums. A sample without a count is an error that wraps [ErrEmpty].
func Homogeneity(a, b []uint64, opt ChiSquareOptions) (ChiSquareResult, error) {
	const fn = "Homogeneity"
	r, rows, err := chiTable(fn, [][]uint64{a, b}, opt)
	if err != nil {
		return ChiSquareResult{}, err
	}
	r.N, r.M = rows[0], rows[1]
	return r, nil
}

// ContingencyTable tests the independence of rows and columns of a table of
// counts, or, the rows being samples, their homogeneity.
//
// With O the counts, R and C the row and column sums, N the total and E = R C/N,
// it returns Pearson's sum (O-E)^2/E, or G = 2 sum O log(O/E), with
// (r-1)(c-1) degrees of freedom for r rows and c columns that hold a count, and
// Cramer's V = sqrt(X2 / (N (min(r,c)-1))), always from Pearson's uncorrected X2.
// With the option Yates, |O-E| of a 2x2 table is reduced by min(1/2, |O-E|).
//
// Assumptions: independent counts; the chi-square law is a large-sample
// approximation, and an expected count below 5 gives the warning
// expected_below_5 ([FisherExact] is the exact test of a 2x2 table).
//
// Special cases: rows and columns of zeros are dropped and counted; a single
// column left gives Statistic 0, DF 0, P 1 and the warning degenerate.
// Errors: [ErrEmpty] for fewer than two rows with a count, [ErrMismatch] for rows
// of different length, [ErrDomain] for a total above the range of uint64 or the
// option Yates on another table than 2x2.
// Cost: two passes.
//
// Reference: Agresti (2013), Categorical Data Analysis, 3rd ed., section 3.2.
func ContingencyTable(table [][]uint64, opt ChiSquareOptions) (ChiSquareResult, error) {
	r, _, err := chiTable("ContingencyTable", table, opt)
	return r, err
}

func chiTable(fn string, table [][]uint64, opt ChiSquareOptions) (ChiSquareResult, []uint64, error) {
	rows, cols, err := margins(table)
	if err != nil {
		return ChiSquareResult{}, nil, fmt.Errorf("stats: %s: %w", fn, err)
	}
	var r ChiSquareResult
	nRows, nCols := 0, 0
	for _, s := range rows {
		r.N += s
		if s > 0 {
			nRows++
		}
	}
	for _, s := range cols {
		if s > 0 {
			nCols++
		}
	}
	r.Dropped = len(rows) - nRows + len(cols) - nCols
	if nRows < 2 {
		return ChiSquareResult{}, nil, fmt.Errorf("stats: %s: %d of %d rows hold a count: %w", fn, nRows, len(rows), ErrEmpty)
	}
	if opt.Yates && (nRows != 2 || nCols != 2) {
		return ChiSquareResult{}, nil, fmt.Errorf("stats: %s: Yates' correction on a %dx%d table: %w", fn, nRows, nCols, ErrDomain)
	}
	acc := chiAccumulator{opt: opt, minExpected: math.Inf(1)}
	for i, row := range table {
		if rows[i] == 0 {
			continue
		}
		share := float64(rows[i]) / float64(r.N)
		for j, o := range row {
			if cols[j] > 0 {
				acc.add(float64(o), share*float64(cols[j]))
			}
		}
	}
	if err := acc.finish(fn, "homogeneity", (nRows-1)*(nCols-1), &r); err != nil {
		return ChiSquareResult{}, nil, err
	}
	if k := min(nRows, nCols) - 1; k > 0 {
		r.CramersV = min(1, math.Sqrt(acc.pearson/(float64(r.N)*float64(k))))
	}
	return r, rows, nil
}

// chiAccumulator sums the statistics over cells.
type chiAccumulator struct {
	opt                ChiSquareOptions
	cells, small       int
	pearson, yates, lr float64
	minExpected        float64
}

func (a *chiAccumulator) add(o, e float64) {
	a.cells++
	a.minExpected = min(a.minExpected, e)
	if e < 5 {
		a.small++
	}
	d := math.Abs(o - e)
	a.pearson += float64(d * d / e)
	d -= min(0.5, d)
	a.yates += float64(d * d / e)
	// Deviance terms are >= 0 each and sum to O log(O/E), as sum(O-E) is 0.
	a.lr += 2 * special.Deviance(o, e)
}

// finish fills the shared fields of r for the statistic that was asked for.
func (a *chiAccumulator) finish(fn, what string, df int, r *ChiSquareResult) error {
	if a.opt.Yates && a.opt.LikelihoodRatio {
		return fmt.Errorf("stats: %s: Yates' correction of the likelihood ratio: %w", fn, ErrDomain)
	}
	name := "Pearson chi-square"
	r.Statistic = a.pearson
	switch {
	case a.opt.LikelihoodRatio:
		name, r.Statistic = "likelihood-ratio G", a.lr
	case a.opt.Yates:
		name, r.Statistic = "Pearson chi-square with Yates correction", a.yates
	}
	r.Method = name + ", " + what
	r.DF, r.P, r.MinExpected = df, 1, a.minExpected
	if df == 0 {
		r.Statistic = 0
		r.Warnings = append(r.Warnings, Warning{WarnDegenerate, "a single cell holds all counts; there is nothing to test"})
		return nil
	}
	r.LogP = special.LogGammaQ(float64(df)/2, r.Statistic/2)
	r.P = math.Exp(r.LogP)
	if a.small > 0 {
		r.Warnings = append(r.Warnings, Warning{WarnSmallExpected,
			fmt.Sprintf("%d of %d expected counts are below 5 (smallest %.3g); the chi-square law is approximate", a.small, a.cells, a.minExpected)})
	}
	return nil
}

// sumCounts adds counts and refuses to overflow.
func sumCounts(xs []uint64) (uint64, error) {
	var n, carry uint64
	for _, x := range xs {
		if n, carry = bits.Add64(n, x, 0); carry != 0 {
			return 0, fmt.Errorf("counts sum to more than %d: %w", uint64(math.MaxUint64), ErrDomain)
		}
	}
	return n, nil
}

// margins returns the row and column sums of a table.
func margins(table [][]uint64) (rows, cols []uint64, err error) {
	if len(table) == 0 {
		return nil, nil, fmt.Errorf("table without rows: %w", ErrEmpty)
	}
	rows = make([]uint64, len(table))
	cols = make([]uint64, len(table[0]))
	for i, row := range table {
		if len(row) != len(cols) {
			return nil, nil, fmt.Errorf("row %d has %d columns, row 0 has %d: %w", i, len(row), len(cols), ErrMismatch)
		}
		if rows[i], err = sumCounts(row); err != nil {
			return nil, nil, err
		}
		for j, o := range row {
			cols[j] += o // cannot overflow unless the total does, which is checked next
		}
	}
	if _, err = sumCounts(rows); err != nil {
		return nil, nil, err
	}
	return rows, cols, nil
}
