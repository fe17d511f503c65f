// Package backtest replays stored evidence through a policy: what would it have
// decided after each hour, and when would it have paused or rolled back?
//
//	hours := []backtest.Hour{{Start: t0, Baseline: b0, Candidate: c0}, ...}
//	report, err := backtest.Run(policy, hours, backtest.Options{})
//
// Hours are snapshots of both arms, collected with the spec of the policy. After each
// of them the policy looks at all that the present stage has collected, beside the
// stages before, with the state of the look before: what a controller would have seen
// if it had looked then.
//
// What was served is taken as it is. A policy that would have advanced earlier, or not
// at all, would have served other shares; the replay does not invent them. So name the
// stage of each hour when the rollout had stages, or replay a policy without, whose
// split is the one that was served: otherwise the srm check will say, rightly, that the
// arms are not in the proportions of the stage.
package backtest
