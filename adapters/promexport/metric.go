package promexport

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

// metric is one family of the exposition.
type metric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func gauge(name, help string, labels ...string) metric {
	return metric{prometheus.NewDesc(name, help, labels, nil), prometheus.GaugeValue}
}

func counter(name, help string, labels ...string) metric {
	return metric{prometheus.NewDesc(name, help, labels, nil), prometheus.CounterValue}
}

// buckets is a histogram; its values are put by [histogram.collect].
func buckets(name, help string, labels ...string) metric {
	return metric{desc: prometheus.NewDesc(name, help, labels, nil)}
}

// ofRollout are the labels of everything about a rollout, and more.
func ofRollout(more ...string) []string { return append([]string{"rollout", "model"}, more...) }

// ofFinding are the labels that name a finding, and more.
func ofFinding(more ...string) []string {
	return ofRollout(append([]string{"stage", "check", "code", "metric", "column", "slice"}, more...)...)
}

var (
	verdictState    = gauge("rampguard_verdict", "1 for the decision of the last verdict, 0 for the others.", ofRollout("decision")...)
	verdictInfo     = gauge("rampguard_verdict_info", "What the last verdict is about and was computed by; always 1.", ofRollout("baseline", "candidate", "stage", "policy_version", "policy_digest", "engine")...)
	manualPause     = gauge("rampguard_manual_pause", "Whether the last verdict is a pause that a person has to end.", ofRollout()...)
	rolloutFinished = gauge("rampguard_rollout_finished", "Whether the last verdict ended the rollout: its last stage is over, or it was rolled back.", ofRollout()...)
	verdictsTotal   = counter("rampguard_verdicts_total", "Verdicts given, by decision.", ofRollout("decision")...)
	looksTotal      = counter("rampguard_looks_total", "Looks at the evidence of the present attempt.", ofRollout()...)
	attemptNumber   = gauge("rampguard_attempt", "Attempt of the rollout, counted from 1.", ofRollout()...)
	checkAfter      = gauge("rampguard_check_after_seconds", "Time after the last look at which another may help; 0 when nothing has to be waited for.", ofRollout()...)
	lastLook        = gauge("rampguard_last_look_timestamp_seconds", "Time of the last look.", ofRollout()...)
	stageStart      = gauge("rampguard_stage_start_timestamp_seconds", "Time of the first look at the present stage.", ofRollout("stage")...)

	findingsByOutcome = gauge("rampguard_findings", "Findings of the last verdict by outcome, those without series of their own included.", ofRollout("outcome")...)
	findingsOmitted   = counter("rampguard_findings_omitted_total", "Findings that were given no series of their own, added up over verdicts.", ofRollout()...)
	findingOutcome    = gauge("rampguard_finding_outcome", "Outcome of a finding, the one it has only; always 1.", ofFinding("outcome", "severity", "required")...)
	findingEstimate   = gauge("rampguard_finding_estimate", "Quantity that was judged, in its unit.", ofFinding("unit")...)
	findingLower      = gauge("rampguard_finding_lower", "Lower end of the interval of the estimate; absent when it is open.", ofFinding("unit")...)
	findingUpper      = gauge("rampguard_finding_upper", "Upper end of the interval of the estimate; absent when it is open.", ofFinding("unit")...)
	findingLimit      = gauge("rampguard_finding_limit", "Limit that the estimate is held against.", ofFinding("unit")...)
	driftValue        = gauge("rampguard_drift_value", "Measure of drift of a column as it was computed, without the correction for sample size that the estimate has.", ofRollout("stage", "metric", "column", "slice")...)

	budgetAlpha = gauge("rampguard_error_budget_alpha", "Probability of a wrong decision that the present attempt may spend.", ofRollout("budget")...)
	budgetLimit = gauge("rampguard_error_budget_alpha_limit", "Probability of a wrong decision that all attempts together may spend.", ofRollout("budget")...)
	budgetSpent = gauge("rampguard_error_budget_spent_ratio", "Share of the limit that attempts up to the present one may have spent.", ofRollout("budget")...)

	leadSeconds     = buckets("model_deployment_lead_time_seconds", "Time from sign-off until a model version served in an environment.", "model", "track", "env")
	stageSeconds    = buckets("model_deployment_stage_seconds", "Part of the lead time that a stage took, the wait before it included; the stages of a flight add up to its lead time.", "track", "stage")
	inFlight        = gauge("model_deployment_in_flight", "Model versions signed off and not served yet.", "model", "track")
	inFlightAge     = gauge("model_deployment_in_flight_age_seconds", "Time since sign-off of the oldest version that is not served yet.", "model", "track")
	inFlightOverdue = gauge("model_deployment_in_flight_overdue", "Versions not served yet that are older than the lead-time SLA.", "model", "track")
	leadSLA         = gauge("model_deployment_lead_time_sla_seconds", "Lead-time SLA of a track.", "track")

	logObserved = gauge("model_deployment_log_timestamp_seconds", "Time as of which the flights of a log are known.", "log")

	sloTarget    = gauge("slo_target_ratio", "Promised share of good events.", "model", "objective")
	sloSLI       = gauge("slo_sli_ratio", "Share of good events over the window.", "model", "objective")
	sloRemaining = gauge("slo_error_budget_remaining_ratio", "Share of the error budget that is left, below 0 when overspent.", "model", "objective")
	sloState     = gauge("slo_error_budget_state", "1 for the state of the error budget, 0 for the others.", "model", "objective", "state")
	sloBurn      = gauge("slo_burn_rate", "Speed at which a window spends the error budget; 1 spends it all in just the window of the objective.", "model", "objective", "window")
	sloAlert     = gauge("slo_alert_firing", "Whether an alert of the objective fires, its guards for little traffic passed.", "model", "objective", "alert", "severity")
	sloEvaluated = gauge("slo_evaluation_timestamp_seconds", "Time of the last evaluation of the objective.", "model", "objective")

	gateState   = gauge("promotion_gate_state", "1 for what the gate says about the action, 0 for the rest.", "gate", "action", "decision")
	gateDecided = gauge("promotion_gate_timestamp_seconds", "Time of the last decision of the gate.", "gate")

	groupsOmitted = counter("rampguard_groups_omitted_total", "Observations that were left out, and rollouts that were dropped, for want of room.", "kind")
)

// sink gathers the metrics of one collection.
type sink struct {
	now time.Time
	out []prometheus.Metric
}

// put adds a value. One that is not known, NaN, has no series.
func (s *sink) put(m metric, v float64, labels ...string) {
	if !math.IsNaN(v) {
		s.out = append(s.out, prometheus.MustNewConstMetric(m.desc, m.kind, v, labels...))
	}
}

// stamp adds a time; the zero time is not known.
func (s *sink) stamp(m metric, t time.Time, labels ...string) {
	if !t.IsZero() {
		s.put(m, float64(t.Unix())+float64(t.Nanosecond())/1e9, labels...)
	}
}

// states adds a state set: 1 for the value that holds and 0 for the others.
func (s *sink) states(m metric, holds string, all []string, labels ...string) {
	for _, v := range all {
		s.put(m, truth(v == holds), with(labels, v)...)
	}
}

// with appends to a copy.
func with(labels []string, more ...string) []string {
	return append(labels[:len(labels):len(labels)], more...)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// maxLabel bounds the bytes of a label value.
const maxLabel = 120

// labelValue makes a label value of text: in UTF-8 and not too long. Of a long one
// the start and a digest of the whole remain, so that two of them stay apart.
func labelValue(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxLabel {
		return s
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails
	cut := maxLabel - 17
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%s~%016x", s[:cut], h.Sum64())
}
