// Package checks holds the built-in checks of a rollout policy. Each is a struct
// value whose fields are its settings; [Builtin] is the registry by which a
// policy file names them:
//
//	schema     is the log what the policy says it is?               [Schema]
//	srm        do units arrive in the planned proportions?          [SRM]
//	drift      is a column distributed differently?                 [Drift]
//	collapse   have the scores lost their spread?                   [Collapse]
//	contract   are the features what was agreed?                    [Contract]
//	guardrail  is a metric worse than it may be?                    [Guardrail]
//	slices     is it worse than it may be in a slice of the rows?   [Slices]
//	discover   in which slice that nobody declared is it worse?     [Discover]
//	gauge      is a bare value beyond a threshold, repeatedly?      [Gauge]
//	actions    have the decisions shifted?                          [Actions]
//	paired     is the candidate worse on the same requests?         [Paired]
//	slo        does a service level objective halt promotions?      [SLO]
//	expected   what do scores lead one to expect, without labels?     [Expected]
//	labels     do labels arrive, in both arms alike?                [Labels]
//	calibration
//	           are the scores the probabilities they are read as?   [Calibration]
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
// Of contract:
//
//	contract              the column is as agreed
//	contract_type         the column has another type than agreed
//	volume                the number of rows of the candidate
//	null_share, nan_share, range_share, unknown_share, unseen_share, stale_share
//	                      the share of values that are missing, no number, out of
//	                      range, not among the allowed names, not among those of the
//	                      baseline, or too old
//	null_share_rise, nan_share_rise, range_share_rise, unknown_share_rise,
//	stale_share_rise      the rise of such a share against the baseline
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
//	rare_class            too few labels of a class for macro F1
//	unknown_class         labels of classes that have no probability
//	no_cut                the threshold was not counted when the log was read
//	no_variation          every value is the same
//	no_stage_in_common    no stage has rows of both arms
//	label_coverage        labels are missing from one arm more than from the other
//
// Of expected, all of them proxies and none a measurement:
//
//	expected_accuracy, expected_precision, expected_recall, expected_f1,
//	expected_auc, expected_positive_rate
//	                      the metric that the scores lead one to expect
//	no_labels             no labelled row to learn from what a score means
//	one_class             labels of one class only to learn from
//
// Of labels:
//
//	label_arrival         rows that have a label, in one arm against the other
//	label_cap             mature labels that a stage of that weight waits for
//	no_labels             no row of either arm has a label that counts
//	no_stage_in_common    no stage has rows of both arms that are old enough
//	not_concurrent        the arms are not served at the same time
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
// Of discover:
//
//	discovered_slice      a slice that was found on half of the units, tested on the other
//	no_weak_slice         none of the slices that were found is proven to be weak
//	no_discovery          the errors by slices were not collected when the log was read
//	no_unit               no row with an error has a unit, which tells the halves apart
//	no_labels             no row has both a score and a label yet
//	slices_small          too few rows for a slice
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
//	blast_radius          the share of the candidate's rows with an irreversible action
//	blast_radius_count    the number of its irreversible actions, counted exactly
//	mixed_policy_versions an arm was served by several versions of the thresholds
//	wrong_policy_version  an arm was served by another version than the policy's
//	no_policy_version     rows that do not say which version served them
//	no_actions            neither logged actions nor rules
//
// Of slo:
//
//	budget                the share of the error budget that is spent
//	promotions_halted     the gate of the objective halts promotions
//	not_evaluated         nobody handed in the state of the objective
//
// Of calibration, besides no_labels, no_variation, one_class, no_slices,
// slice_missing, no_stage_in_common and label_coverage:
//
//	calibration_ratio     observed over expected positive labels
//	calibration_slope     scores too extreme, or too timid
//	calibration_error     the debiased squared calibration error
//	calibration_band      observed over expected around a cut of the actions
//	calibration_mcb       miscalibration against the baseline
//	separated             a threshold separates the labels, so that no slope fits
//
// Harm of calibration_slope is proven of calibration, not of the limit; see there.
//
// Of paired:
//
//	net_regressions       requests that the candidate alone gets wrong, less those
//	                      that it alone gets right, at a threshold
//	auc_loss, churn, abs_error_rise
//	                      the other metrics of pairs
//	no_pairs, not_counted no pairs, or none counted at the threshold
//	no_variation          all pairs have the same difference, which bounds nothing
//	unpaired_ids, duplicate_ids, unusable_scores
//	                      too many requests that are no pairs
//	label_conflicts       too many labels that differ in the two logs
//	column_absent         the log has no column of that name
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
//	slices_left_out       rows in none of the slices, or cells, that are kept
//	search_cut_short      the search for slices ended before all were looked at
//
// # Stages
//
// Guardrail, Slices, SRM, Actions, Calibration and Gauge are [analysis.Stratified]: the
// first five add the evidence of the stages of a rollout, and never pool what compares
// the arms; of a gauge, which proves nothing by one value, only the present stage is
// looked at. Paired adds up the pairs of the stages, which is sound because both models
// scored each request. The engine runs the other checks stage by stage.
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
