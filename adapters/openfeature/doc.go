// Package exposure counts who was exposed to which variant of a feature flag, as
// evidence for the check srm: a split that is broken makes every other number of a
// rollout worthless, and the flag is where the split is made.
//
// A [Hook] is added to a client of the OpenFeature SDK. At the end of each evaluation
// of a flag that it was told about, it notes the targeting key under the arm that the
// variant stands for. [Hook.Snapshot] returns both arms as snapshots of package
// analysis, for a policy with a unit column and the check srm:
//
//	columns: {unit: user}
//	checks:
//	  - {check: srm}
//
// # What is counted
//
// A row is an evaluation, a unit is a targeting key. A user for whom the flag is
// evaluated a hundred times is one unit: the snapshot holds the summary of distinct
// ids, by which srm counts units wherever they repeat, and a user who was given both
// variants is seen as multiple_exposure. Keys leave the hook as hashes only.
//
// What is no exposure is counted apart, in [Excluded], by reason: an evaluation that
// ended in an error or with the default of the code, a flag that is disabled, a default
// variant that the provider gives without having assigned it, a variant that belongs
// to neither arm, and an evaluation without a targeting key. These are left out of the
// arms on purpose: where they hit one arm more than the other, its share is off, and
// srm finds it.
//
// # Limits
//
// The SDK finds some faults after the hook was called: another hook whose After stage
// fails, and a value of another type than the caller asked for. The caller then gets
// the default, while the hook has noted an exposure. The first kind is in
// [Excluded.Errors], which counts all evaluations that failed; compare it with the sum
// of [Excluded.Codes].
//
// # Cost
//
// An evaluation costs a hash of the key, a lock that few share, and an append; every
// 256 rows the shard hands them to its collector. Memory does not grow with the number
// of rows or users: at most 16 shards a flag, each with at most 8192 hashes an arm.
package exposure
