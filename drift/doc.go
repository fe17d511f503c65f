// Package drift compares a reference sample with a current one, column by column:
// has the distribution moved, by how much, how sure is that, and where? The same
// functions compare two windows of one model and two arms of a rollout. They work
// on the summaries of package summary, so rows are never needed again.
//
// # How to use it
//
// Make cells once, then ask for as many metrics as you like; all of them speak
// about the same cells, and each result says which those were.
//
//	cells, err := drift.Numeric(reference, current, drift.Options{})
//	d, err := drift.PSIEquivalent(cells, drift.Options{})
//	if d.Interval.Lo > 0.25 { ... } // certainly more than 0.25
//	if d.Interval.Hi < 0.10 { ... } // certainly less than 0.10
//
// [Numeric] makes reference-quantile cells, atoms for repeated values, and cells
// for null, NaN and infinite values; [Categories] names, with the rare ones
// together; [Booleans] and [Counts] what their names say. [KS], [Wasserstein1],
// [OutOfRange] and [Collapse] take the histograms themselves, whose cells are
// finer; [Unseen] takes the categories, and [Missing] the cells.
//
// # The metrics
//
// p is the share of a cell in the reference, q in the current sample, h in both
// together, n and m the rows, s = 1/n + 1/m, B the cells in use, log natural.
//
//	metric            formula                                range        without drift
//	PSI               sum (q-p) log(q/p), +1/2 per cell      0 to Inf     s chi2(B-1)
//	PSIEquivalent     8 JSDivergenceNats                     0 to 5.545   s chi2(B-1)
//	KLRefCur          sum p log(p/q), +1/2 per cell          0 to Inf     s/2 chi2(B-1)
//	KLCurRef          sum q log(q/p), +1/2 per cell          0 to Inf     s/2 chi2(B-1)
//	JSDivergenceNats  sum [p log(p/g) + q log(q/g)]/2,       0 to log 2   s/8 chi2(B-1)
//	                  g = (p+q)/2
//	JSDistanceBase2   sqrt(JSDivergenceNats/log 2)           0 to 1       root of the above
//	Hellinger         sqrt(sum (sqrt p - sqrt q)^2 / 2)      0 to 1       root of s/8 chi2(B-1)
//	TotalVariation    sum |p-q| / 2                          0 to 1       gamma, mean above 0
//	LInfinity         max |p-q|                              0 to 1       Bonferroni
//	ChiSquare         sum (q-p)^2/h / s                      0 to Inf     chi2(B-1)
//	G                 2 sum O log(O/E)                       0 to Inf     chi2(B-1)
//	KS                max |F-G|                              0 to 1       Kolmogorov, exact if small
//	Wasserstein1      integral |F-G|, in units of the column 0 to Inf     gamma, mean above 0
//
// For small drift PSI, twice either KL, 8 JSD and 8 H^2 agree; so a limit for one
// of them is not a limit for another. For decisions take PSIEquivalent, on PSI's
// scale but finite and stable when a value is new; add KS and Wasserstein1 for
// scores ("moved by .04 on average") and TotalVariation for the sentence ("12% of
// the rows would have to move").
//
// # Noise
//
// No divergence of two samples is 0, even of one distribution. Without drift, PSI
// over 10 cells passes 0.1 in 85 of 100 comparisons of 100 with 100 rows, and never
// at 1000. So every [Divergence] has Null95, what noise alone reaches; Corrected,
// with the mean of the noise taken off; and Interval, which a limit should be
// compared with: fail when Lo is above it, pass when Hi is below, and otherwise
// collect more rows, as many as [RowsNeeded] says; [Detectable] is the drift that
// the present rows would show. Each end of the default interval is a one-sided 95%
// bound. For very large samples any difference is certain and only its size
// matters; the same rule holds.
//
// These claims are simulated by the command in internal/coverage. Where cells
// expect 20 rows or more, as those of Numeric do, PSI and PSIEquivalent reject 4 to
// 6% at nominal 5% without drift, and each end of Interval is on the wrong side of
// the truth in 3 to 7%.
//
// # What it cannot show
//
// Drift inside a cell: Numeric names its cells, and warns when the layout is too
// coarse for the column. Drift that leaves every column's distribution alone but
// changes how columns go together. A change in what the label means for the same
// inputs. Harm: a new model may well score differently. And all of it assumes
// independent rows: with repeated users or bursts the noise is larger than stated.
//
// # Conventions
//
// Tests are two-sample: the reference is a sample too. Missing values are cells
// like others, not dropped. Nothing is sampled at random, arguments are not
// changed, and equal input gives equal bits. Numbers by the conventions of other
// tools are in package compat.
package drift
