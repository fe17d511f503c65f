// Package release holds the gate in front of a rollout: it reads the contract of a
// model artifact, a manifest in YAML or JSON, and says whether the model may be
// deployed at all.
//
//	m, err := release.Load("fraud.yaml", data)
//	verdict, err := release.Check(m, release.Evidence{At: now, Baseline: live})
//
// The verdict is one of package analysis, made by its decision table. Before a
// deployment there is nothing to roll back, so there are three answers: continue;
// a pause that ends by itself, once the evidence that is missing or undecided is
// brought; and a pause until a person has looked, because a gate has failed.
//
// # Gates
//
// Each gate reports at least one finding, all of them are required, and what is
// missing is never a pass. The check of a finding is the name of its gate, and its
// code says what was found:
//
//	contract   is the contract complete, and does it agree with itself?
//	           contract, field_missing
//	schema     do features arrive as the model takes them?
//	           schema, no_reference, feature_unserved, feature_unproven,
//	           type_changed, null_refused, range_narrowed, staler_refused,
//	           version_reused
//	scores     is the distribution of scores sane? Judged by the caller, who has
//	           the log, and handed over in Evidence.Given.
//	           no_log
//	primary    is the primary metric within its bound?
//	           bound, no_bound, not_measured
//	guardrails are the other metrics within theirs?
//	           bound, no_bound, not_measured
//	slices     and in each declared slice?
//	           bound, no_bound, not_measured
//	serving    do latency, memory and throughput keep their limits?
//	           limit, no_limit, not_measured
//	approval   has somebody else than the owner approved a high risk?
//	           approval, no_approval
//	rollback   is there a version to go back to, known good, whose features are
//	           still served?
//	           rollback, no_target, same_version, not_known_good, no_features,
//	           feature_dropped, feature_changed
//
// A metric with an interval is held against its bound by the ends of the interval:
// all of it within is a pass, all of it beyond a failure, and what is between is
// undecided. Without an interval the value decides, and a warning says that chance
// was not ruled out.
package release
