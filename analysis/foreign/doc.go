// Package foreign reads what other systems judge a rollout by, and turns it into a
// policy of package analysis:
//
//	kayenta   canary config in JSON                        metrics -> guardrails of means
//	flagger   Canary, MetricTemplate                       thresholds -> gauges, weights -> stages
//	argo      AnalysisTemplate, ClusterAnalysisTemplate,   conditions -> gauges, steps -> stages
//	          AnalysisRun, Rollout
//	keptn     slo.yaml, AnalysisDefinition                 criteria -> gauges
//	openslo   SLO, SLI                                     targets -> guardrails of ratios, gauges
//
// [Import] gives the policy and a note for every key of the source: it was mapped,
// approximated or dropped, and why. Nothing is left out silently. [Detect] tells
// the kind of a file. [LintArgo] finds the traps of an analysis of Argo Rollouts
// without importing it.
//
// # What cannot be carried over
//
// A point threshold is no evidence. It knows neither how noisy a value is nor how
// many requests it rests on, so it becomes a gauge, which proves nothing by one
// value and counts how many of the last windows broke it. Where a query divides
// counters, the policy suggests the guardrail of the counts in a comment.
//
// No data is never a pass, and an outage is never harm. Guards such as
// len(result) == 0 || ... and limits such as consecutiveErrorLimit are taken as
// near as that allows, with a note.
//
// A policy has no score. Weights of groups and objectives are dropped: each check
// decides for itself, and all required ones have to pass.
//
// A policy has no queries. It names metrics, which a provider brings under that
// name; the queries of the source are comments beside them.
//
// # Sources
//
// The keys and their meaning are those of Kayenta's canary config (2025-04),
// Flagger 1.44, Argo Rollouts 1.9, the files of Keptn 0.18 and of its lifecycle
// toolkit (metrics.keptn.sh/v1), and OpenSLO v1.
package foreign
