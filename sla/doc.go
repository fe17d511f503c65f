// Package sla turns counts of good and bad events into answers about service
// levels: is the objective met, how much of the error budget is left, how fast is
// it burning, and may a model be promoted now? It works on logs as well as on
// series of a monitoring system, for availability and latency of a service and for
// the quality of a model alike, and it knows no files, queries or clocks.
//
// # How to use it
//
//	o := sla.Objective{Name: "scored in time", Target: 0.999, Window: sla.Rolling(28 * 24 * time.Hour)}
//	alerts, err := sla.GoogleAlerts(28 * 24 * time.Hour)
//	e, err := sla.Evaluate(o, alerts, samples, asOf, sla.EvaluateOptions{Model: "fraud", Deploy: "9f2c"})
//	d := sla.Gate(sla.GatePolicy{}, state, sla.GateRequest{Action: sla.Promote}, asOf, e)
//	if !d.Passes() { ... } // d.Reasons says why; keep d.State for the next look
//
// [Budget] and [BurnRate] are the two halves of [Evaluate]; [Compliance] is for
// counts that are at hand already, such as releases within their deadline;
// [Combine] joins objectives. Package openslo beside this one reads objectives
// from files.
//
// # Notation
//
// T is the target, B = 1 - T the budget, N the events, and e the share of them that
// are bad.
//
//	method           bad                               of                 SLI
//	Occurrences      bad events                        events             1 - bad/N
//	Timeslices       slices below SliceTarget          judged slices      1 - bad/slices
//	RatioTimeslices  sum over slices of 1-good/total   judged slices      mean of good/total
//
//	consumed    bad/(B N)            1 is the whole budget
//	remaining   1 - consumed         negative when overspent
//	burn rate   e/B                  1 spends exactly the budget in one window, at most 1/B
//	factor      share of the budget x window / length of the alert's window
//
// B is the decimal that the target shows: 1 - 0.999 is 0.001, not 0.0010000000000000009,
// so that one bad event of a thousand spends the budget and not almost all of it.
//
// # Time
//
// Every interval of time is open at its start and closed at its end: a sample stamped
// at midnight counts what came before. It goes to the window, slice or maintenance
// that ends there. Rolling windows are durations. Calendar periods begin at a clock time
// in a zone, so March in New York has 743 hours, and a budget to match.
//
// # No data is not good data
//
// A window without events has state NoData and no level; a slice without samples
// is missing, neither good nor bad, unless the objective says what to count it as.
// A sample that cannot be right (NaN, infinite, negative, more good than total,
// without time, twice the same) is left out and returned with its index, line and
// reason. So is time under maintenance, with what happened in it. Samples outside
// the window are counted. Nothing is dropped in silence.
//
// # Assumptions
//
// Intervals and tail probabilities take events, or slices, as independent. Bursts
// make them too narrow. Results do not depend on the order of the samples; a sum of
// whole numbers is exact up to 2^53.
//
// References: B. Beyer and others, The Site Reliability Workbook, O'Reilly 2018,
// chapters 2 and 5; OpenSLO specification v1.
package sla
