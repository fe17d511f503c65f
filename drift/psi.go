package drift

import "math"

// PSI returns the population stability index, the divergence of Jeffreys:
//
//	PSI = sum over cells of (q - p) log(q/p)
//
// with p the share of the reference and q that of the current sample, in nats.
// Half a count is added to every cell on both sides, so p = (r + 1/2)/(n + B/2)
// for B cells in use, and an empty cell costs what half a row would.
//
// Without drift PSI is about (1/n + 1/m) chi-square with B-1 degrees of freedom:
// its mean is (B-1)(1/n+1/m), which Corrected takes off, and P and Null95 are
// that law's. With drift the law is non-central, and Interval inverts it. So the
// folklore limits 0.1 and 0.25 mean what they say whatever the sample sizes, if
// they are compared with the ends of Interval.
//
// Assumptions: independent rows (repeated users make P too small and Interval
// too narrow), cells not chosen to show a difference. With a value that only one
// side has, the PSI of the two distributions is infinite, and Value grows with
// the log of the sample sizes: gate on [PSIEquivalent].
//
// Special cases: equal counts give 0; one cell with all rows gives 0, P 1 and
// the warning degenerate, without Interval.
//
// Errors: [stats.ErrEmpty] when a side has no rows, [stats.ErrMismatch] for Cells
// that do not hold together, [stats.ErrDomain] for options out of range.
//
// Cost: linear in the cells, and some 20 sqrt(PSI/(1/n+1/m)) steps for each of
// about 50 evaluations of the non-central law.
//
// References: Lewis (1994), An Introduction to Credit Scoring. Yurdakul and
// Naranjo (2020), Journal of Risk Model Validation 14(3). Potgieter et al.
// (2023), arXiv:2307.11878.
func PSI(c Cells, o Options) (Divergence, error) {
	v, err := newComparison("PSI", c, o)
	if err != nil {
		return Divergence{}, err
	}
	terms := v.terms(func(i int) float64 {
		p, q := v.smoothed(i)
		return float64((q - p) * logRatio(q, p))
	})
	d := v.divergence("psi", "population stability index, half a count added to each cell, nats", terms)
	return v.chiSquare(d, terms, v.scale, math.Inf(1), same)
}

// PSIEquivalent returns 8 times the Jensen-Shannon divergence in nats: the
// metric to gate on.
//
// For small drift it is PSI, to second order, so the habits of PSI's scale hold:
// a PSI of 0.095 is an equivalent of 0.095, one of 0.238 an equivalent of 0.232.
// But it needs no smoothing and is at most 8 log 2 = 5.545, so that a value new
// in the current sample has a finite and stable weight: 8 s log(2)/2, about
// 2.8 s, for a small share s.
//
// Null95, P, Corrected, Interval, assumptions, special cases, errors and cost are
// those of [PSI]; for a value new in the current sample Interval is conservative.
// It needs somewhat larger cells than PSI: where all of them expect 5 rows of the
// smaller sample only, P is below 0.05 in 11 of 100 comparisons without drift; at
// 8 rows in 9, at 20 rows in 5 to 6.
func PSIEquivalent(c Cells, o Options) (Divergence, error) {
	v, err := newComparison("PSIEquivalent", c, o)
	if err != nil {
		return Divergence{}, err
	}
	terms := v.terms(func(i int) float64 { return 8 * v.jensenShannon(i) })
	d := v.divergence("psi_equivalent", "8 times the Jensen-Shannon divergence in nats", terms)
	return v.chiSquare(d, terms, v.scale, 8*math.Ln2, same)
}
