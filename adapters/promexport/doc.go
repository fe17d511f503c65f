// Package promexport exports verdicts, findings, drift, error budgets, lead time and
// service levels to Prometheus, with rules, alerts and a dashboard over them.
//
// # How to use it
//
// One exporter for the process, told whatever is new:
//
//	exp := promexport.New(promexport.Options{Now: time.Now, MaxAge: 2 * time.Hour, SLA: 72 * time.Hour})
//	prometheus.MustRegister(exp)
//	http.Handle("/metrics", promhttp.Handler())
//
//	exp.Observe("fraud-eu", &verdict, now)                       // after every look
//	exp.ObserveSLO(evaluation)                                   // after every sla.Evaluate
//	exp.ObserveGate("fraud", decision)                           // after every sla.Gate
//	exp.ObserveLeadTime("registry", assembly.Flights, assembly.AsOf) // after every leadtime.Assemble
//	exp.Forget("fraud-eu")                                       // when the rollout is no longer of interest
//
// [Rules], [RulesTest] and [Dashboard] are the files that go with it; they are in the
// folder files, too. Run one exporter for a rollout and for a log of flights: the
// rules add up what several of them say.
//
// # Metrics
//
// Units are seconds and ratios. What is about a rollout has the labels rollout and
// model beside those of the table; what is about a finding also has stage, check,
// code, metric, column and slice. The slice of all rows is "all".
//
//	rampguard_verdict                         gauge      decision            1 for the decision of the last verdict, else 0
//	rampguard_verdict_info                    gauge      baseline candidate  1; also with stage, policy_version,
//	                                                                         policy_digest (its start) and engine
//	rampguard_manual_pause                    gauge                          1 when a person has to end the pause
//	rampguard_rollout_finished                gauge                          1 after the last stage or a rollback
//	rampguard_verdicts_total                  counter    decision            verdicts since the start of the exporter
//	rampguard_looks_total                     counter                        looks of the attempt; a new one begins at 1
//	rampguard_attempt                         gauge                          counted from 1
//	rampguard_check_after_seconds             gauge                          when another look may help; 0: nothing to wait for
//	rampguard_last_look_timestamp_seconds     gauge
//	rampguard_stage_start_timestamp_seconds   gauge      stage               first look at the present stage
//	rampguard_findings                        gauge      outcome             of all findings, whatever was omitted
//	rampguard_findings_omitted_total          counter                        findings without series, over verdicts
//	rampguard_finding_outcome                 gauge      outcome severity    1, for the one outcome that it has; also
//	                                                                         with required
//	rampguard_finding_estimate                gauge      unit                what was judged
//	rampguard_finding_lower                   gauge      unit                lower end of its interval
//	rampguard_finding_upper                   gauge      unit                upper end
//	rampguard_finding_limit                   gauge      unit                what it was held against
//	rampguard_drift_value                     gauge                          of the drift check, as computed; without
//	                                                                         check and code
//	rampguard_error_budget_alpha              gauge      budget              error that this attempt may spend
//	rampguard_error_budget_alpha_limit        gauge      budget              that all attempts together may spend
//	rampguard_error_budget_spent_ratio        gauge      budget              share of the limit spent up to now
//	rampguard_groups_omitted_total            counter    kind                observations left out, and rollouts
//	                                                                         dropped, for want of room
//
//	model_deployment_lead_time_seconds        histogram  model track env     sign-off to serving, see [LeadTimeBuckets]
//	model_deployment_stage_seconds            histogram  track stage         part of it by stage, see [StageBuckets]
//	model_deployment_in_flight                gauge      model track         signed off, not served
//	model_deployment_in_flight_age_seconds    gauge      model track         of the oldest; absent when there is none
//	model_deployment_in_flight_overdue        gauge      model track         older than the SLA; absent without one
//	model_deployment_lead_time_sla_seconds    gauge      track               absent without one
//	model_deployment_log_timestamp_seconds    gauge      log                 as of when a log of flights is known
//
//	slo_target_ratio                          gauge      model objective
//	slo_sli_ratio                             gauge      model objective     share of good
//	slo_error_budget_remaining_ratio          gauge      model objective     below 0 when overspent
//	slo_error_budget_state                    gauge      also state          1 for no_data, ok, at_risk or exhausted
//	slo_burn_rate                             gauge      also window         of the windows of the alerts, such as 1h
//	slo_alert_firing                          gauge      also alert severity 1 when it fires, all guards passed
//	slo_evaluation_timestamp_seconds          gauge      model objective
//	promotion_gate_state                      gauge      gate action         1 for halt, warn or allow, in the label
//	                                                                         decision
//	promotion_gate_timestamp_seconds          gauge      gate
//
// # What is not known has no series
//
// NaN is never exported. A finding without a limit, an interval with an open end or
// without a level, an objective without data, a window without events: the series is
// absent, so that no rule takes the unknown for 0. An infinite number is exported
// where it is the value, such as the burn rate of an objective of 1 after one bad
// event. Of state sets (rampguard_verdict, slo_error_budget_state,
// promotion_gate_state) all values are exported, of the outcome of a finding only the
// one that holds.
//
// With Options.MaxAge what is older is left out as well, but not when it was last
// seen: rampguard_last_look_timestamp_seconds with rampguard_check_after_seconds,
// rampguard_rollout_finished and the counters stay, as do the timestamps of logs,
// objectives and gates and the histograms. Forget and its sisters drop those, too.
//
// # Cardinality
//
// Values of slices come from the data and are many. Of each rollout at most
// MaxFindings findings with MaxSlices different slices have series, at any one time:
// evidence that cannot be trusted first, then harm, failed sources and so on, passes
// last; of equals those about all rows first, then those that had series before. The
// rest is counted in rampguard_findings_omitted_total and, by outcome, in
// rampguard_findings. So are rollouts, groups of lead times, stages, logs, objectives
// and gates bounded and counted. A finding has six series at most. Label values are
// cut at 120 bytes with a digest at the end, and made valid UTF-8.
//
// The candidate is a label of rampguard_verdict_info only, so that a new version does
// not begin every series anew. To see it elsewhere:
//
//	rampguard_finding_estimate * on (rollout, model) group_left (candidate) rampguard_verdict_info
//
// # Error budgets
//
// rampguard_error_budget_spent_ratio adds up the most that each attempt seen could
// spend. An attempt that this process has not seen counts with all that the engine
// would have given it, 6/(pi^2 a^2) for the a-th, so that a restart does not make
// budgets look full again.
//
// # Lead time
//
// The histograms are counters over the life of the process and use the wall clock. A
// flight that is seen in flight begins its series at 0, so that increase() counts
// even the first to be served; flights that had served when the process began are in
// the histogram and not in an increase. After a restart observe all logs before the
// first scrape: a histogram that grows in two steps reads as a counter that was reset.
// A quantile beyond the last edge, 30 days, is
// reported by Prometheus as that edge. And a histogram knows only what has served:
// while slow releases pile up it looks fast. Hold it beside
// model_deployment_in_flight_age_seconds and _overdue, or take the estimates of
// package leadtime, which count releases in flight.
//
// A lead time equal to an edge is within it, as with an SLA. (The band excellent ends
// just below its edge of 24 h.)
package promexport
