package stats

import (
	"fmt"
	"math"
)

// TransitionResult compares two classifications of the same units into the same
// actions.
type TransitionResult struct {
	N        uint64
	Churn    Interval        // share of units with another action, with Wilson's interval
	Changes  []float64       // by action: its share in the second less that in the first
	ChangeSE []float64       // their standard errors
	Marginal ChiSquareResult // Stuart-Maxwell: whether the actions keep their shares
}

// Transitions describes a square table of units by two classifications, rows for the
// first and columns for the second.
//
// Churn is 1 - trace/n. The change of an action is (column sum - row sum)/n, with
// the variance of a paired difference, (row + col - 2 n_ii - (col-row)^2/n)/n^2.
//
// Assumptions: units are independent.
// Errors: [ErrMismatch] for a table that is not square; [ErrEmpty] for zeros only;
// [ErrDomain] for level outside (0,1).
func Transitions(table [][]uint64, level float64) (TransitionResult, error) {
	const fn = "Transitions"
	marginal, err := StuartMaxwell(table)
	if err != nil {
		return TransitionResult{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	r := TransitionResult{N: marginal.N, Marginal: marginal}
	same := uint64(0)
	n := float64(r.N)
	for i := range table {
		same += table[i][i]
		var row, col float64
		for j := range table {
			row += float64(table[i][j])
			col += float64(table[j][i])
		}
		d := col - row
		r.Changes = append(r.Changes, d/n)
		r.ChangeSE = append(r.ChangeSE, math.Sqrt(max(0, row+col-float64(2*float64(table[i][i]))-float64(d*d)/n))/n)
	}
	if r.Churn, err = Wilson(r.N-same, r.N, level); err != nil {
		return TransitionResult{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	return r, nil
}
