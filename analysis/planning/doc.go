// Package planning says before a rollout what its policy will be able to see: which
// regressions in which stage, how long the stages have to last, how likely false
// alarms are, and which checks can never decide.
//
//	report, err := planning.Plan(policy, planning.Traffic{PerSecond: 20, BaseRates: map[string]float64{"error": 0.01}}, planning.Options{})
//	err = report.WriteText(os.Stdout)
//
// What has to be known is the traffic and, of each metric, its value in the baseline
// and how much rows differ: given by hand, or taken from a snapshot of the baseline.
// [Plan] has the formulas. They are approximations for one look at the end of a
// stage; package analysis/simulation plays whole rollouts with the checks themselves,
// and its tests hold the two against each other.
package planning
