// Package labeldelay estimates how long labels take to arrive, from rows some of
// whose labels have not: [Counts] takes rows one by one in memory that does not grow
// with their number, [Counts.Curve] is the share of labels that have arrived by age,
// and [Curve.Maturity] is the age from which on labels are there, to be the
// labels.maturity of a policy.
package labeldelay
