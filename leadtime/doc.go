// Package leadtime measures how long a model takes from its sign-off to
// production, where the time goes, and how operations do afterwards. It turns a
// log of events into flights, one for each signed-off version, and flights into
// reports.
//
// # How to use it
//
//	a, err := leadtime.Assemble(events, leadtime.AssembleOptions{AsOf: now})
//	r, err := leadtime.Summarize(a.Flights, leadtime.Options{SLA: 72 * time.Hour})
//	s, err := leadtime.Breakdown(a.Flights, leadtime.BreakdownOptions{})
//	o, err := leadtime.Ops(a.Flights, a.Operations, leadtime.OpsOptions{})
//
// Events come from adapters or are made by hand; their order does not matter and
// repeated deliveries do no harm. Look at a.Excluded and a.Warnings before the
// numbers: what could not be used is there, each event with a [Reason] and the
// line it came from. [Rolling] and [Trend] follow lead time over quarters,
// [Improved] compares two periods.
//
// Nothing here reads a clock. Two runs over one log give the same bytes.
//
// # The clock
//
// Lead time is production serving minus sign-off. It starts when people sign an
// experiment off: not when training ended, which is earlier, nor at registration
// or a commit. [Lint] warns when the log shows that stamps were copied from
// there. Cycle time, from the start of the training run, is a number of its own:
// [Flight.Cycle].
//
// It stops when the version has all the traffic of production. StopAt sets
// another share. A version that is registered, labelled or serving in staging
// has not arrived; [Flight] keeps those as Arrivals. In several regions the last
// to be reached counts, or the first with FirstRegion. Name the regions when the
// list is known: else a flight counts as served while the next region has not
// been heard of.
//
// What happens to the clock:
//
//	signed off again before any traffic     it starts anew (KeepFirstSignOff: it does not)
//	sign-off revoked                        the flight is withdrawn; the next sign-off begins another
//	rejected, withdrawn                     the flight ends without a lead time
//	rolled back, serves again               a redeploy of the same flight; the lead time stays
//	rolled back, signed off anew, serves    a second flight
//	another version takes its place back    the end of the rollback; no flight without a sign-off
//	served up to SkewTolerance too early    a lead time of 0, flagged clamped_skew
//	served even earlier                     the events of the flight are excluded
//	not served at AsOf                      in flight: its age is a censored duration
//
// Times are instants, compared in UTC; a summer-time change makes no hour longer.
// A [Calendar] such as [BusinessHours] measures the same two instants in another
// way, and reports say so.
//
// Sources that are polled know a stamp only to an interval. [Event.Earliest] holds
// its lower end, the middle counts, and the flight keeps the width.
//
// # Cohorts and censoring
//
// Releases not finished yet are the slow ones, so leaving them out makes numbers
// look better than they are. Two questions, two cohorts: ByCompletion holds the
// releases of a period and is what most dashboards show; BySignOff holds what was
// begun in it, and counts a release in flight as "longer than its age so far" by
// the Kaplan-Meier method. A p90 that the data do not reach is reported as not
// reached, with the bound they do give. A candidate that was rejected or
// withdrawn is neither a lead time nor in flight: it counts in the promotion
// rate.
//
// Tracks are never pooled: a fast track that skips stages says nothing about the
// standard one. A flight is on the first track other than the standard one that
// any of its events states before it serves.
//
// # Stages
//
// Every moment between sign-off and serving is owned: by the stages that run, by
// the wait for the next to start, by the wait for another attempt, or by nobody
// after the last one. Parts are whole nanoseconds and sum to the lead time
// exactly, whatever overlaps or is missing; see [Attribute]. A queue before an
// approval is part of what approval costs, so it counts there.
//
// Medians of stages do not add up to the median of the whole. [Breakdown] gives
// both: means and shares, which add up, and quantiles beside them.
//
// Stages that are not in the log take no time from others: what no stage covers
// is shown as such, and Coverage is the share that is known.
//
// # Files
//
// Kinds, outcomes, states, reasons and flags are written as lower-case words in
// JSON, and times as RFC 3339 in UTC. Durations in the JSON of a flight are
// nanoseconds and end in _ns; those in reports are hours.
package leadtime
