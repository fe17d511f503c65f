// Package checks holds the built-in checks of a rollout policy. Each is a struct
// value whose fields are its settings; [Builtin] is the registry by which a
// policy file names them:
//
//	schema     is the log what the policy says it is?               [Schema]
//	srm        do units arrive in the planned proportions?          [SRM]
//	drift      is a column distributed differently?                 [Drift]
//	collapse   have the scores lost their spread?                   [Collapse]
//	guardrail  is a metric worse than it may be?                    [Guardrail]
//	slices     is it worse than it may be in a slice of the rows?   [Slices]
//	gauge      is a bare value beyond a threshold, repeatedly?      [Gauge]
//	actions    have the decisions shifted?                          [Actions]
//	slo        does a service level objective halt promotions?      [SLO]
//
// Schema, Drift and Collapse read the columns of a log. Guardrail, SRM and Gauge read
// metrics of providers, too: they name one with Of. SLO reads no evidence; its
// findings are made by [SLOFinding] and handed in with the look.
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
// out. Gauge and SLO have no bounds: the one counts breaches, the other is told.
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
//	no_metric             the evidence has no such metric of a provider
//	no_baseline           a limit against a baseline, where the policy has none
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
//	not_concurrent        the arms are not served at the same time
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
// Of guardrail, and of slices for each slice:
//
//	margin                the loss against the baseline, held against the margin
//	pause_bound, rollback_bound
//	                      the candidate's own value, held against a bound
//	pause_ratio, rollback_ratio
//	                      candidate over baseline, held against a multiple
//	no_labels             no row has a label yet
//	one_class             labels of one class only, so that there is no AUC
//	no_cut                the threshold was not counted when the log was read
//	no_variation          every value is the same
//	no_stage_in_common    no stage has rows of both arms
//	label_coverage        labels are missing from one arm more than from the other
//
// Of guardrail alone, about metrics of providers:
//
//	no_edge               the threshold is no edge of a provider's buckets
//	invalid_windows       windows of a provider whose numbers cannot be
//
// Of slices:
//
//	worst_slice           the worst of the slices that were judged
//	slices_small          no slice has enough rows to be judged
//	slice_missing         a slice that is waited for has no rows in an arm
//	no_slices             the slices were not counted when the log was read
//
// Of gauge:
//
//	pause_bound, rollback_bound, pause_ratio, rollback_ratio
//	                      the newest value, held against a limit
//	no_ratio              the baseline is not above 0
//
// Of actions:
//
//	action_share          the change of an action's share
//	unknown_action        an action that no rule of the policy has
//	policy_mismatch       logged actions are not what the rules make of the scores
//	no_actions            neither logged actions nor rules
//
// Of slo:
//
//	budget                the share of the error budget that is spent
//	promotions_halted     the gate of the objective halts promotions
//	not_evaluated         nobody handed in the state of the objective
//
// # Warnings
//
// Beside those of package stats, and of package sla for slo:
//
//	relative_undefined    a relative limit near a baseline of 0 became absolute
//	label_coverage        labels are missing from one arm somewhat more often
//	skewed                too few rows for the mean of so skewed a metric
//	fractional_counts     a provider's counts are no whole numbers
//	missing_windows       a provider had nothing for some windows
//	open_bucket           a quantile lies in the bucket without an end
//	slices_small          slices with too few rows, which are not waited for
//	slices_left_out       rows in none of the slices that are kept
//
// # Stages
//
// Guardrail, Slices, SRM, Actions and Gauge are [analysis.Stratified]: the first four
// add the evidence of the stages of a rollout, and never pool it; of a gauge, which
// proves nothing by one value, only the present stage is looked at. The engine runs
// the other checks stage by stage.
//
// # References
//
// Mantel and Haenszel, Statistical aspects of the analysis of data from
// retrospective studies of disease, Journal of the National Cancer Institute 22
// (1959), for the weights of stages. Kish, Survey Sampling (1965), for the effective
// number of rows. Lindon and Malek, Anytime-valid inference for multinomial count
// data, NeurIPS 2022. Howard, Ramdas, McAuliffe and Sekhon, Time-uniform,
// nonparametric, nonasymptotic confidence sequences, Annals of Statistics 49 (2021).
// Garwood, Biometrika 28 (1936).
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
