// Package checks holds the built-in checks of a rollout policy. Each is a struct
// value whose fields are its settings; [Builtin] is the registry by which a
// policy file names them:
//
//	schema     is the log what the policy says it is?         [Schema]
//	srm        do units arrive in the planned proportions?    [SRM]
//	drift      is a column distributed differently?           [Drift]
//	collapse   have the scores lost their spread?             [Collapse]
//	guardrail  is a metric worse than it may be?              [Guardrail]
//	actions    have the decisions shifted?                    [Actions]
//
// # What every finding promises
//
// A finding is decided by bounds against a limit, never by "not significant". The
// estimate is oriented so that more is worse: Harm says that its lower bound, at
// the error Alpha that the budget allots to this finding, is above the limit;
// Pass says that its upper bound, at the error of a Pass, is below. What is
// between is Inconclusive, with the units that would decide. Arms without rows,
// one class, columns of NaN and constant columns are outcomes with a code, never
// an error, and never a pass. Units of Estimate and Limit: "" is the metric's
// own, "relative", "pp" and "share" are fractions (0.05 is 5%), "ratio" is a
// factor, "nats" and "sd" speak for themselves.
//
// A Warn lets a rollout continue, so it says that what is beyond the limit is ruled
// out.
//
// Bounds hold as often as the policy looks. With continuous looks they come from
// normal mixtures and exact sequences of package stats/sequential; with one look
// from fixed-sample intervals; with a schedule from those, by Bonferroni. Mixtures
// are tuned to the minimum exposure of the policy, which is fixed beforehand.
//
// # Codes
//
// Of all checks:
//
//	no_data               an arm has no rows
//	no_column             the policy names no column that the check needs
//	column_absent         the log has no such column
//	no_values             the column has no value that can be used
//	no_value              the statistic cannot be computed
//	type_differs          the column has different types in the two arms
//	type_unusable         the type does not fit what the column is for
//
// Of schema:
//
//	schema                all columns are as declared
//	column_partly_absent  a part of the log has no such column
//	invalid_labels        labels that are neither 0 nor 1
//	score_out_of_range    scores outside the score range
//	score_not_finite      infinite scores
//	all_null              no value in the candidate, some in the baseline
//	null_rate             missing values have risen
//
// Of srm:
//
//	srm                   the candidate's share of the units
//	multiple_exposure     units that are in both arms
//	traffic_leak          units in an arm that should get none
//	no_split              the policy does not say which shares to expect
//
// Of drift:
//
//	drift                 the drift of one column
//	drift_ranking         which columns differ, and where to look first
//
// Of collapse:
//
//	collapse              no sign of a collapse
//	collapse_constant, collapse_spike, collapse_repetition, collapse_variance,
//	collapse_spread, collapse_saturation, collapse_entropy, collapse_missing,
//	collapse_infinite, collapse_out_of_range
//	                      a signal of that name; see drift.Collapse
//
// Of guardrail:
//
//	margin                the loss against the baseline, held against the margin
//	pause_bound, rollback_bound
//	                      the candidate's own value, held against a bound
//	pause_ratio, rollback_ratio
//	                      candidate over baseline, held against a multiple
//	label_coverage        labels are missing from one arm more than from the other
//	no_labels             no row has a label yet
//	one_class             labels of one class only, so that there is no AUC
//	no_cut                the threshold was not counted when the log was read
//	no_variation          every value is the same
//
// Of actions:
//
//	action_share          the change of an action's share
//	unknown_action        an action that no rule of the policy has
//	policy_mismatch       logged actions are not what the rules make of the scores
//	no_actions            neither logged actions nor rules
//
// # Warnings
//
// Beside those of package stats:
//
//	relative_undefined    a relative limit near a baseline of 0 became absolute
//	label_coverage        labels are missing from one arm somewhat more often
//	skewed                too few rows for the mean of so skewed a metric
//
// # References
//
// Zou and Donner, Construction of confidence limits about effect measures: a
// general approach, Statistics in Medicine 27 (2008). Donner and Zou, Closed-form
// confidence intervals for functions of the normal mean and standard deviation,
// Statistical Methods in Medical Research 21 (2012). Fieller, Some problems in
// interval estimation, Journal of the Royal Statistical Society B 16 (1954).
// Newcombe, Statistics in Medicine 17 (1998). DeLong, DeLong and Clarke-Pearson,
// Biometrics 44 (1988). Berger, Multiparameter hypothesis testing and acceptance
// sampling, Technometrics 24 (1982), for why a Pass of all needs no correction.
// Johnson, Modified t tests and confidence intervals for asymmetrical populations,
// JASA 73 (1978), and Cochran, Sampling Techniques (1977), section 2.15, for means
// of skewed metrics.
package checks
