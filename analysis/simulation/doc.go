// Package simulation tries a policy on rollouts that never were: how often does it
// stop a candidate that does no harm, how often does it miss one that does, and how
// long does it take?
//
//	result, err := simulation.Run(ctx, policy, simulation.Scenario{
//		Traffic: planning.Traffic{BaseRates: map[string]float64{"error": 0.001}},
//		Harm:    simulation.Harm{Column: "error", Factor: 2},
//	}, simulation.Options{Rollouts: 1000, Seed: 1})
//
// The policy itself is run, with all its checks, its budget and its stages, look by
// look; only the traffic is made up.
//
// # The world
//
// Traffic arrives by the minute as a Poisson number of units, of which the candidate
// gets its share at random. What a row holds follows from what the policy reads:
//
//   - a score, calibrated, with its label, which arrives after a delay;
//   - yes-or-no columns with their rates, numbers with a lognormal law, names with
//     their shares; the columns that slices are made of are independent of each other,
//     and within a slice all other columns are;
//   - the actions that the rules of the policy take at the score;
//   - what providers bring, in windows of a minute; gauges with noise of their own in
//     each arm, correlated from minute to minute.
//
// All numbers come from the traffic that is given or from a snapshot of a baseline;
// what is assumed beyond that is listed in the result. Values are drawn as counts of
// a finite number of values, not as rows, so that the amount of traffic costs
// nothing. Units do not repeat.
//
// # Error rates of the example policy
//
// Measured on examples/policies/fraud.yaml by
//
//	go run ./analysis/simulation/internal/acceptance -seed 1
//
// A false alarm is a rollback or a pause for harm without any. The first attempt may
// spend 2.7% on rollbacks and 5.5% on pauses; bounds that hold at every look spend
// less. The rank test is that of package kayenta on the values of the gauge.
//
//	A look every 1m0s, seed 1
//	harm                             rollouts  rolled back       paused     median     90% in  caught, or false alarms
//	none                                 2000            0            0          -          -  0 of 2000, 0% (0% to 0.184%)
//	none, AR(1) noise of 0.8             1000            0            0          -          -  0 of 1000, 0% (0% to 0.368%)
//	  a Mann-Whitney judge of the same gauge, at 98%: high in 13.9% of them at the end, in 37.8% at one of 12 looks
//	none, outages, labels 30m late        500            0            0          -          -  0 of 500, 0% (0% to 0.735%)
//	errors 0.1% to 0.2%                   400          400            0        18m        31m  400 of 400, 100% (99.1% to 100%)
//	log loss 2% worse                     400          400            0        29m        47m  400 of 400, 100% (99.1% to 100%)
//	errors x5 in a slice of 10%           400            0          400        15m        28m  400 of 400, 100% (99.1% to 100%)
//	latency x2                            400          400            0         2m         2m  400 of 400, 100% (99.1% to 100%)
//	scores collapse after 30m             400          400            0         2m         4m  400 of 400, 100% (99.1% to 100%)
//	gauge x2                              400            0          400         4m         5m  400 of 400, 100% (99.1% to 100%)
package simulation
