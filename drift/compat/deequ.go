package compat

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// DeequLInfinity returns max(0, L - c sqrt((n+m)/(nm))) with L the largest
// difference of a category's share, and c = sqrt(-log(alpha/2)/2), or 1.8 for
// alpha 0: what is left of L after the noise that the Kolmogorov-Smirnov law
// allows. That is the right idea with a wide margin, as the law is about sums of
// cells, not about one.
//
// In deequ itself the flag correctForLowNumberOfSamples = true switches this off
// and returns L.
//
// Errors: [stats.ErrEmpty] for a sample without rows, [stats.ErrDomain] for alpha
// outside [0,1) or a negative count.
func DeequLInfinity(ref, cur map[string]float64, alpha float64) (float64, error) {
	const fn = "DeequLInfinity"
	if !(alpha >= 0 && alpha < 1) {
		return 0, fmt.Errorf("compat: %s: alpha %v: %w", fn, alpha, stats.ErrDomain)
	}
	_, a, b := paired(ref, cur)
	p, q, err := shares(fn, a, b)
	if err != nil {
		return 0, err
	}
	worst, n, m := 0.0, 0.0, 0.0
	for i := range p {
		worst = max(worst, math.Abs(p[i]-q[i]))
		n, m = n+a[i], m+b[i]
	}
	c := 1.8
	if alpha > 0 {
		c = math.Sqrt(-math.Log(alpha/2) / 2)
	}
	return max(0, worst-float64(c*math.Sqrt((n+m)/(n*m)))), nil
}

// DeequChiSquare returns the chi-square statistic and p-value of cur as a sample
// from the shares of ref, as deequ computes them.
//
// Categories that ref does not have are dropped from cur before anything else, so
// a value new in production, the drift that matters most, cannot be seen; and the
// reference counts as exact, so its own noise raises false alarms to about half
// when the samples are of one size. Categories are merged, the smallest into the
// next, while more than a fifth (rounded down) of the expected counts are below
// 5 or, with two left, any is below 10.
//
// Errors: [stats.ErrDomain] when fewer than two categories remain, where deequ
// answers NaN, or a count is negative; [stats.ErrEmpty] when a side has no rows
// in the categories of ref.
func DeequChiSquare(ref, cur map[string]float64) (statistic, p float64, err error) {
	const fn = "DeequChiSquare"
	names, a, b := paired(ref, cur)
	var cells []dqCell
	for i, name := range names {
		if _, ok := ref[name]; ok {
			cells = append(cells, dqCell{expected: a[i], observed: b[i]})
		}
	}
	share, seen := make([]float64, len(cells)), make([]float64, len(cells))
	for i, c := range cells {
		share[i], seen[i] = c.expected, c.observed
	}
	if share, _, err = shares(fn, share, seen); err != nil {
		return 0, 0, err
	}
	n, err := total(fn, "current", seen)
	if err != nil {
		return 0, 0, err
	}
	for i := range cells {
		cells[i].expected = share[i] * n
	}
	for tooSmall(cells) {
		cells = mergeSmallest(cells)
	}
	if len(cells) < 2 {
		return 0, 0, fmt.Errorf("compat: %s: %d categories are left after regrouping: %w", fn, len(cells), stats.ErrDomain)
	}
	for _, c := range cells {
		if d := c.observed - c.expected; d != 0 {
			statistic += float64(d*d) / c.expected
		}
	}
	p, err = stats.ChiSquareTail(statistic, float64(len(cells)-1))
	return statistic, p, err
}

type dqCell struct{ expected, observed float64 }

func tooSmall(cells []dqCell) bool {
	least, allowed := 5.0, len(cells)/5
	if len(cells) == 2 {
		least, allowed = 10, 0
	}
	small := 0
	for _, c := range cells {
		if c.expected < least {
			small++
		}
	}
	return len(cells) >= 2 && small > allowed
}

// mergeSmallest adds the cell with the smallest expected count to the next
// smallest. It needs two cells.
func mergeSmallest(cells []dqCell) []dqCell {
	at := smallest(cells)
	gone := cells[at]
	cells = append(cells[:at:at], cells[at+1:]...)
	at = smallest(cells)
	cells[at].expected += gone.expected
	cells[at].observed += gone.observed
	return cells
}

func smallest(cells []dqCell) int {
	at := 0
	for i, c := range cells {
		if c.expected < cells[at].expected {
			at = i
		}
	}
	return at
}
