// Package stats holds the statistics that the verdict rests on: pure functions,
// numbers in and numbers out. It knows no rows, files, clocks or loggers.
//
// # Notation
//
// n and m are sample sizes, x successes out of n trials, p a probability or a
// p-value, alpha the size of a test, level a confidence level in (0,1). log is
// the natural logarithm; divergences are in nats unless the name says base 2.
//
// # What every function promises
//
//   - A number does not travel alone: results carry the estimate, the interval
//     with its level, the sample sizes, the method and the caveats.
//   - Data never panics. Impossible input gives an error that wraps [ErrEmpty],
//     [ErrMismatch], [ErrDomain] or [ErrNoConvergence]; input for which a
//     documented special case exists gives that case. No function returns NaN
//     with a nil error unless its special cases say so.
//   - Tail probabilities are computed as tails, never as one minus a CDF, so a
//     p-value of 1e-300 is 1e-300.
//   - Arguments are never modified.
//   - The same input gives the same bits: no clock, no random numbers unless a
//     seed is an argument.
//
// The numbers are checked against SciPy, statsmodels, scikit-learn and R by the
// scripts in testdata/reference.
package stats
