// Package calibration asks whether the scores of a binary classifier are
// probabilities: of the rows with score 0.2, are 20% positive? It works from one
// pass over the rows, from sums that add up over shards and from the cells of a
// [summary.Scores], or from the rows themselves.
//
// # Notation
//
// p is a score, y its label (1 or 0), L = log(p/(1-p)) the log odds of the score.
// O is the number of positive labels, E the sum of the scores. A bin b has n_b rows,
// the mean score Score_b and the rate of positive labels Rate_b. "If the scores were
// right" means: each y is 1 with probability p, independently.
//
// # Which function
//
//	how many, overall                  ObservedExpected  Sums
//	how many, around a threshold       AtCut             Data; Data.Between for any band
//	too extreme or too timid           ScoreTest         Sums
//	the same by maximum likelihood     Cox               Data
//	is the Brier score as announced    Spiegelhalter     Sums
//	how far off, without bias          DebiasedError     Data and a Binning
//	how far off, without bins          CORP, MCBTest     Data
//	proper scores and their parts      Brier, LogLoss, Murphy, CORP
//	candidate against baseline         CompareRatio, CompareLoss, CompareMCB
//	for display                        Reliability, ECE, Sweep, ICI, HosmerLemeshow
//
// Each looks at something else. A model can have O/E = 1 and a slope of 0.6, pass
// both and be wrong in the middle, or be right everywhere but at the cut where
// decisions are made.
//
// # For a gate
//
// Judge size and significance together, and against the champion on rows of the same
// age: O/E off by more than a tenth with Z beyond its budget; a slope more than 0.2
// from 1 with the score test beyond its budget, confirmed by Cox; the lower end of
// DebiasedError above the square of what can be tolerated, such as 0.02; an MCB above
// the champion's with the interval of the difference above 0. The p-values are for
// one look: for repeated looks, y-p and (y-p)(1-2p) are means that package sequential
// can watch.
//
// Do not gate on ECE, MCE, Emax or Hosmer-Lemeshow. A plain ECE over 15 bins of equal
// mass is 0.058 at 200 rows, 0.026 at 1000 and 0.008 at 10,000 for a perfectly
// calibrated model with scores like those of rare events (Beta(1,9)); the result says
// so in NullECE. Hosmer-Lemeshow at a million rows rejects every model.
//
// # Rows and cells
//
// [FromRows] loses nothing. [FromScores] knows, of up to 2048 cells of [0,1] and finer
// ones towards both ends, the number, mean and variance of the scores by label. Then:
//
//   - O/E, the Brier score and Murphy's terms, the debiased errors and all bins whose
//     ends are ends of cells (a power of two up to 2048 of equal width) are those of
//     the rows, to rounding;
//   - Spiegelhalter's Z, the score test and the log loss are expanded to second order
//     within a cell; the greatest error is about 1e-9 for each row, and is returned;
//   - the estimates of Cox move by about 1e-6;
//   - other bins begin and end at the nearest cell, less than 1/2048 away;
//   - isotonic regression (CORP, MCBTest, ICI, CompareMCB) cannot order rows within a
//     cell, so MCB is slightly smaller; CORP returns what the score itself loses.
//
// Such results carry the warning "binned". On the 60,000 real rows of
// testdata/flights the cells change MCB and Emax by 4%, ECE and the debiased error over
// bins of equal mass by 1%, O/E at a threshold by 0.3%, and the rest by less than 1e-5.
//
// # Special cases
//
// Labels that are all the same are an answer, with the warning "degenerate", except
// for Cox, which has no finite estimate then, nor when a threshold separates the
// labels: both are errors that wrap stats.ErrNoConvergence. Scores of exactly 0 and 1
// are scores like others: a label that contradicts one refutes calibration with P = 0
// where only such scores count, costs 36 nats in the logarithmic rule, and has log
// odds clipped at 2^-20 in ScoreTest and Cox. Rows without a score in [0,1] are
// counted and left out, with the warning "excluded_values".
//
// # Operating characteristics
//
// Simulated in the tests with scores from Beta(1,9), 200 and 1000 rows, 15 bins of
// equal mass: the debiased error averages 0 and its test, the score test and Null95
// hold their 5% within sampling error; Spiegelhalter's Z has variance 1; the interval
// of O/E covers 97%. With slope 0.7 and 1000 rows, nominal 95% intervals cover 98%
// (debiased error), 95% (slope), 97% (O/E) and 94% (difference of log O/E).
//
// Random numbers appear in MCBTest and CompareMCB only; they follow from the Seed.
package calibration
