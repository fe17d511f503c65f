// Package summary holds mergeable state: accumulators that take in values, add
// up over workers, shards, hours and stages, and are small enough to store.
//
// # The merge laws
//
// Every accumulator T obeys, and the tests prove:
//
//   - identity: merging with the zero T, on either side, changes nothing;
//   - order: merging is commutative and associative;
//   - split: adding values to one T, or to several that are then merged, in any
//     partition and any order, gives the same state;
//   - the same state has the same bytes, in binary and in JSON, and reads back
//     as itself.
//
// They hold exactly, bit for bit, for floating-point sums too, because sums are
// kept as integers: [Histogram] keeps, per cell, integer sums of the offsets
// inside the cell, and [Sum] and [Moments] keep them in a fixed-point number as
// wide as the whole range of float64. No accumulator samples by chance or depends on
// the order of its input.
//
// Merge fails, with an error wrapping stats.ErrMismatch, only when the two sides
// are configured differently, and then changes nothing; the argument is never
// changed in meaning. Merging a T with itself doubles it.
//
// # Stored forms
//
// The binary form of each T begins with a version. Decoding checks all that can
// be checked cheaply: counts that add up, cells that exist, sums that some data
// can have, each integer in its shortest spelling, nothing left over. An error
// wraps stats.ErrMismatch and leaves the receiver as it was. A binary form that
// is accepted is the one form of its state. JSON holds the same state in full;
// unknown members are errors, and readers need integers of 64 bits.
//
// # Which one to use
//
//   - [Histogram]: any numeric column; quantiles, mean, variance, drift cells.
//   - [Scores]: the scores of a binary classifier by label; AUC, log loss, Brier
//     score, calibration.
//   - [PairGrid]: the scores of two classifiers on the same rows by label; decisions
//     that differ at any pair of thresholds, paired AUCs.
//   - [Categorical]: names, capped, with the rest in hashed cells.
//   - [Proportion]: a yes-or-no column.
//   - [Distinct]: how many different ids, how often they repeat, and how many two
//     arms share.
//   - [CrossTable]: errors by combinations of values, for the discovery of slices.
//   - [Moments]: mean to kurtosis of a short list of numbers, exactly.
//   - [Sum]: nothing but the sum, exactly.
//
// Missing, NaN, infinite and out-of-range values are counted apart in every
// accumulator that can meet them; nothing is dropped in silence.
package summary
