// Command acceptance measures the error rates of the example policy for fraud: false
// alarms without harm, how often and how soon planted harms are caught, and what a
// rank test of the same noisy series would say. Its output is the table in the
// documentation of package simulation.
//
//	go run ./analysis/simulation/internal/acceptance [-rollouts N] [-harmed N] [-seed N]
//
// The same seed and sizes give the same table.
package main
