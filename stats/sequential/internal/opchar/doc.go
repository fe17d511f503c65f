// Command opchar measures the operating characteristics of package sequential
// by simulation: false alarms under continuous looking, and false rollbacks and
// detection times over whole rollouts, next to what common judges do with the
// same data. Its output is the table in the documentation of package sequential.
//
//	go run ./stats/sequential/internal/opchar [-full] [-seed N]
//
// The same seed and size give the same table.
package main
