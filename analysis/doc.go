// Package analysis is the contract that rollout controllers embed: rows become
// snapshots, snapshots become findings, findings become a verdict.
//
//	rows --Batch--> Collector(Spec) --Snapshot--> Merge --> Check.Run --Findings--> Policy.Decide --Verdict
//	metrics --Measurement--> Snapshot --------------^
//
// A [Policy] says what a rollout must show; [LoadPolicy] reads one from YAML or
// JSON, [Policy.Spec] says what to collect for it. A [Collector] turns the rows of
// one arm into a [Snapshot], in one pass and in memory that does not grow with the
// rows. Snapshots merge over workers, files, hours and stages to the same bytes.
// [Policy.Evaluate] runs the checks of the policy on them and decides. The built-in
// checks are in the subpackage checks; a [Check] of one's own is a value with three
// methods.
//
// # One look
//
//	p, err := analysis.LoadPolicy("policy.yaml", data, checks.Builtin())
//	spec, err := p.Spec()
//	// collect the rows of each arm with spec: see Collector, or package adapters/parquetrows
//	v, err := p.Evaluate(analysis.Look{
//		Stage:    "canary",
//		Evidence: []analysis.StageEvidence{{Stage: "canary", Baseline: baseline, Candidate: candidate}},
//		State:    state, // of the verdict before, or nil
//		Now:      now,
//	})
//	state = &v.State // store it: the next look needs it
//
// [Verdict.Decision] is what to do with the traffic, [Verdict.Reasons] say why, and
// [Verdict.CheckAfter] when to look again. [Evaluate] is the short form for two
// snapshots without stages, [Policy.Decide] that for findings made elsewhere.
//
// # How a verdict is reached
//
// Each [Finding] has an [Outcome] and a [Severity]; [DefaultTable] lists what each
// combination asks for, and [Policy.Table] replaces it. In order:
//
//  1. Invalid evidence (a broken split, schema or range) pauses until a person has
//     looked. Every other number is shown, marked untrusted, and cannot roll back:
//     the harm may come from the broken data.
//  2. Harm on a check of rollback severity rolls back, and latches: no later look
//     undoes it, only a new candidate, or a person who accepts its cause. Harm of
//     pause severity, or on any other required check, pauses until a person has
//     accepted it.
//  3. Missing, failed, undecided or too little evidence on a required check pauses,
//     until its deadline, and [Verdict.CheckAfter] says when to look again.
//     Undecided evidence of a policy that looks once waits for a person instead.
//  4. Less than the minimum exposure pauses.
//  5. Otherwise, when every required check has shown that there is no material
//     harm, the rollout continues.
//
// Both harm and no harm need evidence. A check compares an interval with a margin:
// harm is proven when the whole interval lies beyond it, a pass when the whole
// interval lies within; anything else is Inconclusive. So too little data can
// neither roll back nor continue.
//
// # Stages
//
// A policy may have stages, each with its share of the traffic. A look names the
// present one and brings the evidence of all so far, a [StageEvidence] each, which
// stays apart: arms are compared within a stage only, since arms pooled over stages
// differ when base rates move while the shares change. A check that is [Stratified]
// adds the stages up itself; the engine runs any other stage by stage. On a Continue
// [Verdict.Step] says whether the next stage may begin, or the rollout is done. The
// minimum exposure ([Policy.ExposureOf]) is asked of each stage by itself.
//
// # Looks and attempts
//
// With looks: continuous, the default, a policy may be applied after every batch:
// the bounds of its checks hold at all looks together. With looks: once, or a
// schedule, checks use fixed-sample tests, and more looks than planned pause. A look
// at which nothing could be tested is not counted.
//
// A candidate or a policy that changes on the way begins a new attempt, for which
// the evidence starts afresh. A new candidate is not held to what was proven of the
// old one; a new policy does not undo a rollback or a pause.
//
// # Errors of the verdict
//
// The [Budget] of the policy bounds, per rollout, the probability that a harmless
// candidate is rolled back (0.05), paused for harm (0.10), or that a sound split is
// called broken (0.001). Attempt a gets 6/(pi^2 a^2) of it, so that all attempts
// together get no more than the whole; to a policy that looks once each log is a
// rollout of its own, with all of it. [Policy.Alpha] divides what an attempt has: half among checks of whole arms, two
// fifths among checks of slices ([SliceFamily]), in either by weight, and a tenth
// is kept for hypotheses of the controller ([Policy.ReserveAlpha]). The check of
// the split has a budget to itself; a [ThresholdOnly] check spends none.
//
// A Pass has a one-sided error of 0.05 per check ([NoHarmAlpha]), undivided, because
// Continue needs all of them.
//
// # Waiting, deadlines and people
//
// A [Deadline] bounds how long a rollout waits for a required check without data,
// without its source, or without a decision: then a person has to look, or the
// candidate is rolled back. No deadline lets a rollout continue without the evidence
// of a required check.
//
// A pause for harm or for invalid data stays until a person accepts its cause with an
// [Override], which needs a name, a reason and an end; a check with auto_resume
// ends such a pause by itself once it no longer finds them. An override may also
// continue, pause or roll back whatever the findings say. Overrides that do not
// count are reasons in the verdict, too.
//
// # What checks compare with
//
// The baseline of a check ([CheckEntry.Baseline]) is the other arm, served at the same
// time, unless its entry names another: a reference such as the training data
// ([Look.Reference]), an earlier window of the same traffic ([Look.Previous]), or
// nothing but a bound. With those the candidate's rows of all stages count as one
// sample.
//
// # Labels
//
// A label that is not there yet is no label, and labels that arrive early are not
// those of the rest. [Policy.MatureBefore] says from which time of service on labels
// do not count yet, and [Collector.MatureBefore] leaves them out of both arms alike.
//
// # Metrics of providers
//
// What a monitoring system or a database has counted comes as a [Measurement] for
// each window of time, which [Snapshot.AddMeasurement] adds up. Counts with their
// exposure are evidence like rows. A bare value ([GaugeMetric]) is not: nobody knows
// its noise, so its breaches count only as k of the last n windows ([Hysteresis]). A
// source that fails is a [SourceProblem] of the look, never zero and never harm.
//
// # Given findings and shadow policies
//
// What was judged elsewhere, such as the state of a service level objective, is handed
// in as [Look.Given]: a [Taker] of the policy waits for it, and a finding that none
// takes counts by itself. A [ShadowVerdict] is what another policy would have decided
// from the same evidence ([Look.Shadows]); it never decides. Collect for all of
// them with [UnionSpec].
//
// # Records
//
// A verdict holds a [Record] of what it was computed from, with the digest of the
// record before, so that none can be changed or left out unseen: [VerdictFromJSON]
// and [Verdict.Verify] check it. [Replay] computes a verdict again from the stored
// evidence, byte for byte.
//
// # Codes of the engine
//
// Reasons have the codes of the constants below. Findings have those of their check
// and, where the engine itself speaks:
//
//	check_failed, check_panicked, check_silent
//	                  the check returned an error, panicked or reported nothing
//	source_failed     a source of data failed
//	same_evidence     one log was given for both arms
//	label_maturity    labels had unequal time to arrive in the two arms
//	labels_not_cut    labels younger than the maturity of the policy count
//
// # What is promised
//
// No clock, randomness, map order or number of workers changes a verdict: time is
// an argument. Bad or missing data is an outcome, never an error and never a pass.
// A check that fails or panics is Invalid, and so is a Pass or Warn without a number.
// The zero values are the safe middle: Pause, Inconclusive.
package analysis
