// Package kayenta judges a canary as Kayenta's NetflixACAJudge-v1.0 does, from
// the same config files and series, to the same labels and scores.
//
// It is for moving away from Kayenta: run it beside a policy of package analysis
// on the same rollouts, compare the two, and then leave it. It is an engine of its
// own that has to be chosen; nothing else in this module uses it. For anything new
// use a policy.
//
// # How to use it
//
// [ParseConfig] reads a canary config and says in its Warnings what Kayenta would
// ignore silently. [PairSets] brings the series of both arms together, as Kayenta
// does between the metric store and the judge; a pair that is already in Kayenta's
// JSON decodes into a [Pair]. [Judge] gives a [Result], whose JSON form is that of
// Kayenta's judge result. [Verdict] says it in the words of a rollout controller:
// continue, pause, roll back.
//
// For a run of several judgements [Schedule.Windows] gives the times that each one
// looks at, and [Thresholds.Run] the outcome. [Classify] judges a single metric,
// [WeightedSum] only scores.
//
// # How the judge works
//
//  1. Each side of a metric is a list of points of a time series. NaN are removed,
//     or replaced by 0; outliers are kept, or dropped by quartile fences.
//  2. A side without points gives Nodata. Equal samples are a Pass.
//  3. Otherwise a Mann-Whitney test is inverted to an interval, at 98%, of the
//     shift between the sides. The metric is High or Low when that interval clears
//     a quarter of the estimated shift, in a direction that matters, and when the
//     effect size (a ratio of means, or the share of pairs that are higher) is
//     beyond what the config allows. Everything else is a Pass.
//  4. Groups score the percentage of their metrics that pass; the score is their
//     weighted sum. It is 0 when a critical metric fails or half of the metrics
//     have no data. Two thresholds make Pass, Marginal or Fail of it.
//
// # What is weak about it
//
// Each point lists what the judge does, and what the policies of this module do
// instead.
//
// No evidence is a Pass. A metric passes unless a difference is found, so the
// fewer the points, the better the score: a true regression of 5% in a metric with
// 10% of noise passes more than three times in four at 50 points. A policy continues
// only when an interval shows that the harm is smaller than a margin, and
// otherwise pauses and says how much more data would decide.
//
// Points are taken as independent. They are averages over buckets of time, and
// neighbours are alike. With an autocorrelation of 0.8 between neighbours and
// nothing wrong, about 15% of metrics are called High, and 35 to 40% when the run
// looks twelve times at a growing window. A policy counts units, which were
// randomised, instead of buckets.
//
// Looking often is not paid for. Each judgement of a run spends its error anew,
// and the first bad one ends the run. A policy has one error budget for the whole
// rollout, over all looks and all checks.
//
// Volume is not seen. A bucket with one request weighs as much as one with a
// million. A policy works on sums and counts.
//
// NaN can become 0. With nanStrategy replace an outage of the metric store looks
// like the best error rate; two empty sides pass. With remove, a counter that is
// absent until the first error has no data when all is well. For a policy missing
// data is an outcome of its own, and never a pass.
//
// Errors vanish. A metric that cannot be compared is left out of its group; if all
// are, the score is 100. In a policy a check that fails makes the evidence invalid
// and pauses. [Verdict] does the same here.
//
// Missing data can fail a canary, and half of the metrics missing sets the score
// to 0. A policy never rolls back without evidence of harm, and so does not
// [Verdict].
//
// Ranks do not see size. Seven of ten points a hundred times higher pass, eight
// fail, because the interval of the shift then moves from one step to the next. On
// few points the estimate can be either end of a wide stretch, so that exchanging
// the arms turns High into Pass instead of Low. A policy compares the quantity itself with a margin in its own unit.
//
// The bounds are on another quantity than the test. allowedIncrease is held
// against a ratio of means, the interval is of a median difference; with a mean of
// 0 the bound is not looked at. A policy has one margin, on the estimate that it
// tests.
//
// The scale matters. The root finder stops at 1e-4, so a metric of that size, such
// as an error rate, is judged coarsely or not at all. Multiply such a metric by
// 1000 on both sides; a policy has no such scale.
//
// A score hides harm. A bad metric among ten good ones costs its share of a
// group's weight unless somebody marked it critical. In a policy each check has a
// severity, and the worst finding decides.
//
// # Where it differs from Kayenta
//
// Two series that are both constant are compared without the random noise that
// Kayenta adds, which changes no label unless the constants lie within some 1e-5
// of each other. Infinite values and an overflow are Error. Groups come in the
// order of their names. The reasons are worded differently and are there for every
// label, and resultMetadata holds the interval beside the ratio. A metric without
// groups or a config without a classifier, on which Kayenta fails, are warnings; a
// config metric without any series, which its judge passes over, is an error, as
// it is in the step before.
package kayenta
