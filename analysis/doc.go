// Package analysis is the contract that rollout controllers embed: rows become
// snapshots, snapshots become findings, findings become a verdict.
//
//	rows --Batch--> Collector(Spec) --Snapshot--> Merge --> Check.Run --Findings--> Policy.Decide --Verdict
//
// A [Policy] says what a rollout must show; [LoadPolicy] reads one from YAML or
// JSON, [Policy.Spec] says what to collect for it. A [Collector] turns the rows
// of one arm into a [Snapshot], in one pass and in memory that does not grow with
// the rows. Snapshots merge over workers, files, hours and stages to the same
// bytes. [Evaluate] runs the checks of the policy on two snapshots and decides.
// The built-in checks are in the subpackage checks; a [Check] of one's own is a
// value with three methods.
//
// # How a verdict is reached
//
// Each [Finding] has an [Outcome] and a [Severity]; [Table] lists what each
// combination asks for. In order:
//
//  1. Invalid evidence (a broken split, schema or range) pauses until a person
//     has looked. Every other number is shown, marked untrusted, and cannot roll
//     back: the harm may come from the broken data.
//  2. Harm on a check of rollback severity rolls back, and latches: a later look
//     cannot undo it. Harm of pause severity, or on any other required check,
//     pauses until a person has looked.
//  3. Missing, failed, undecided or too little evidence on a required check
//     pauses, and [Verdict.CheckAfter] says when to look again. Undecided evidence
//     of a policy that looks once waits for a person instead.
//  4. Less than the minimum exposure pauses.
//  5. Otherwise, when every required check has shown that there is no material
//     harm, the rollout continues.
//
// Both harm and no harm need evidence. A check compares an interval with a
// margin: harm is proven when the whole interval lies beyond it, a pass when the
// whole interval lies within; anything else is Inconclusive. So too little data
// can neither roll back nor continue.
//
// # Errors of the verdict
//
// The budget of the policy bounds, per rollout, the probability that a harmless
// candidate is rolled back (0.05), paused for harm (0.10), or that a sound split
// is called broken (0.001). The budget of a severity is shared equally by its
// checks ([Evidence].Alpha); the check of the split has its own. A Pass has a one-sided error of 0.05 per check
// ([NoHarmAlpha]), undivided, because Continue needs all of them.
//
// # What is promised
//
// No clock, randomness, map order or number of workers changes a verdict: time
// is an argument. Bad or missing data is an outcome, never an error and never a
// pass. A check that fails or panics is Invalid, and so is a [Pass] or [Warn]
// without a number. The zero values are the safe middle: [Pause], [Inconclusive].
package analysis
