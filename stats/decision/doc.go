// Package decision ties scores to the actions that a list of thresholds makes of
// them: which share of the scores gets each action, why that mix has shifted, and where
// the thresholds of another model have to stand so that as many are acted on. Who is
// treated differently by two policies is asked by [stats.Transitions].
//
// # Notation
//
// A cut t takes the scores that are at or above it. A policy is a list of cuts, the
// highest first; k cuts make k+1 actions, the first for scores at or above the first
// cut and the last for what is below all of them. F is the share of scores at or
// above a cut. A pair (model, policy) is what is evaluated, never a model alone: the
// same cuts on the scores of two models are two policies.
//
// # Which function
//
//	what share is acted on           AtLeast, Mix
//	what if the cut moves            Sensitivity
//	why has the mix shifted          SplitShift
//	cuts for the same volume         EqualRates, CutAt
//	a cut for the same bad rate      EqualBadRate
//	how sure is a change of a rate   RateDifference, PairedRateDifference
//
// Histograms know a score to within a cell. What follows from one comes as a
// [summary.Located]: a value, and the bounds that certainly hold what the scores
// themselves would give. They coincide at the edge of a cell, and where the scores
// of a cell are all the same.
//
// # References
//
// Shapley, A value for n-person games, Contributions to the Theory of Games II
// (1953), for the mean over orders. Thomas, Edelman and Crook, Credit Scoring and
// Its Applications (2002), chapters 7 and 9, for cuts, volumes and bad rates.
// Newcombe, Statistics in Medicine 17 (1998). Tango, Statistics in Medicine 17
// (1998).
package decision
