// Package sequential tests hypotheses that are looked at again and again while a
// rollout runs, and keeps the probability of ever being wrong bounded.
//
// # Notation
//
// E is an e-value: a number >= 0 whose mean is at most 1 under the null
// hypothesis. An e-process is one E per look with that property at every
// stopping time; by Ville's inequality it ever reaches 1/alpha with probability
// at most alpha. All e-values are kept as log E, so [Threshold](alpha) is what
// log E has to reach, and [PValue](log E) is a p-value. [Running] follows a
// process; its maximum gives the always-valid p-value. A confidence sequence is
// an interval per look, all of which hold together with the stated level.
//
// The arms are the baseline (A) and the candidate (B). Alternative Greater looks
// for more in the candidate, which is harm for a bad event, Less for less, and
// the zero value for any difference. One-sided tests hold for the whole
// one-sided null, and a margin moves the edge of the null: Greater beyond the
// margin proves material harm, Less within it proves its absence.
//
// # Which method
//
//	traffic split                                SRM                   counts per arm and stage        exact
//	rare events, actions, values beyond a limit  BinomMix              events per arm and stage        exact
//	regressions against fixes, paired            BinomMix              the two counts, share 1/2       exact
//	common binary outcomes                       Block                 ledger of looks                 exact
//	bounded scores and losses                    BernsteinDiff         ledger of looks                 exact
//	one bounded mean                             Bernstein, Hedged     ledger of looks, raw values     exact
//	one rate                                     Bernoulli             counts                          exact
//	whatever has a central limit theorem         NormalStages, Normal  estimates per stage             asymptotic
//	binned distributions, known split            TwoSample             counts per cell, arm and stage  exact
//	binned distributions                         KS                    counts per cell and arm         exact
//	quantiles                                    Quantile              counts per cell and arm         exact
//	few scheduled looks                          GroupSequential       the schedule                    asymptotic
//	a change in an endless stream                Detector              growth of one of the above      exact
//
// Methods on counts depend on cumulative counts only: shards and hours merge in
// any order. Methods on a [Ledger] depend on where the looks were; one owner
// appends them in order. The stages of a ramp are never pooled: a base rate that
// moves with the time of day would pass for an effect.
//
// # Rules
//
// The guarantees hold if tuning constants (grids, concentrations, planned sizes,
// margins, the choice of the counted outcome) are fixed before the data; if a
// unit counts once, however many events it causes; if the configured shares are
// the real ones, which SRM checks; and if a changed candidate starts new
// processes. Nothing has to be fixed about when or how often to look, or when to
// stop.
//
// # Budget
//
// A [Budget] shares one error probability out over all hypotheses of a rollout
// by weights, and compares the running maximum of each process with its own
// threshold log(1/(weight alpha)). This costs a logarithm: 56 hypotheses instead
// of one take about twice the data, not 56 times. Rollback, pause and SRM have
// separate budgets; see [NewBudgets].
//
// # Operating characteristics
//
// Simulated by
//
//	go run ./stats/sequential/internal/opchar -seed 1
//
// The first table has base rates in its columns; in the ramp the candidate's
// share grows from 1% to 50%, and base rates swing by a quarter each 24 looks.
// BernsteinDiff looked 20 times. In the rollouts the traffic is 1, 5, 10, 25 and
// 50% for 12, 12, 24, 24 and 48 hours of 20,000 units, with 8 metrics of 0.05 to
// 5% on the whole arms and in 6 slices of 40 to 3%. The z test of the last table
// rolls back whether or not there is harm, as the table before shows.
//
//	False alarms in 1000 runs of 200 looks at 2000 new units, no effect, alpha 0.05
//	                             0.0005    0.005     0.05      0.5
//	50/50      BinomMix            2.5%     2.8%     1.6%     0.7%
//	50/50      Block               2.5%     1.8%     1.5%     1.7%
//	50/50      BernsteinDiff       0.2%     0.5%     0.6%     1.3%
//	50/50      NormalStages        0.0%     0.9%     2.5%     2.5%
//	50/50      z per look         32.0%    35.3%    32.7%    35.4%
//	90/10      BinomMix            1.5%     3.0%     2.0%     0.8%
//	90/10      Block               1.4%     2.2%     1.9%     2.9%
//	90/10      BernsteinDiff       0.0%     0.0%     0.8%     0.6%
//	90/10      NormalStages        0.4%     3.3%     3.3%     1.9%
//	90/10      z per look         39.9%    37.6%    34.9%    35.4%
//	ramp       BinomMix            1.6%     2.7%     2.1%     1.7%
//	ramp       Block               1.2%     2.3%     1.5%     2.8%
//	ramp       BernsteinDiff       0.0%     0.0%     0.3%     0.9%
//	ramp       NormalStages        1.3%     4.0%     1.8%     1.1%
//	ramp       z per look         40.2%    48.5%    51.4%    96.3%
//
//	False mismatches in 1000 runs at 50/50, 1000 new units per look, alpha 0.001
//	looks                            14      100      336
//	SRM                            0.0%     0.0%     0.1%
//	chi-square per look            0.3%     1.0%     1.9%
//
//	Ever rolled back in 400 rollouts without harm, 120 looks, 56 hypotheses
//	                                             steady daily 30%
//	BinomMix in a rollback budget of 5%            1.8%     2.0%
//	z per look, Bonferroni over 56                98.5%   100.0%
//	the same from 10 events on                    94.2%   100.0%
//	Mann-Whitney judge at 98%, 8 metrics          29.5%    11.2%
//
//	Rolled back with harm, 60 rollouts each, daily 30%: share, median hour of detection
//	                                   this package    z, Bonferroni
//	RR 3 on 0.05%                    100.0% hour 22   100.0%  hour 1
//	RR 2 on 0.1%                     100.0% hour 28   100.0%  hour 1
//	RR 1.3 on 1%                     100.0% hour 27   100.0%  hour 1
//	RR 1.1 on 5%                     100.0% hour 34   100.0%  hour 1
//	RR 2 on 1% in a 10% slice        100.0% hour 32   100.0%  hour 1
//	RR 2 on 1% in a 3% slice         100.0% hour 54   100.0%  hour 1
package sequential
