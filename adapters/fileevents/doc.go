// Package fileevents reads release events and service level samples from files:
// JSON Lines, CSV and Parquet, gzipped or not.
//
// # How to use it
//
//	log, err := fileevents.ReadFile("releases.csv", fileevents.Options{})
//	for _, bad := range log.Bad {
//		fmt.Println(bad) // releases.csv:17: at: no_offset: "2025-03-01T02:00:00"
//	}
//	a, err := leadtime.Assemble(log.Events, leadtime.AssembleOptions{})
//
// What is in a row and cannot be understood makes a [BadRow], never a guess, and
// the rest is read. A bad row gives no event at all. Every row is counted:
// log.Rows is what was there, log.BadTotal how many of them were bad, also beyond
// the number that is kept. Columns nobody asked for are in log.Ignored; look there
// for misspelt names. What a row says may still not fit the others: duplicates and
// releases that were served before they were signed off are found by
// [leadtime.Assemble], and samples that count more good events than events by
// package sla. Both name the line.
//
// # Long form
//
// One row for each event. A column kind tells this form:
//
//	kind         signoff, stage_start, serving, ...: the words of leadtime.Kind
//	model        always
//	version      except of incidents, drift alerts and retrainings
//	at           when it happened
//	earliest     of polled sources: the last look without it
//	env, region  env is production when it is not stated
//	stage        of stage_start and stage_end
//	attempt      counted from 1
//	outcome      passed, failed or cancelled
//	track        standard, fast_track or a name of your own
//	traffic_pct  share of traffic after serving or traffic_change, 0 to 100
//	id, source   a repeated id of one source is a duplicate
//	ref          incident, alert, run or job
//
// # Wide form
//
// One row for each flight, as a registry or a spreadsheet has it:
//
//	model, version                     always
//	track, source, ref, id             of all events of the row
//	sign_off, sign_off_revoked         times; signoff is taken as well
//	run_started, run_ended, registered
//	<stage>_start, <stage>_end         any stage: packaging_start, validation_end, ...
//	<stage>_outcome                    passed, failed or cancelled; needs <stage>_end
//	<env>_serving                      other environments: staging_serving
//	serving                            in production, or in env and region when stated
//	rejected, withdrawn
//	rollback_decided
//	restored, restored_version         when, and which version came back
//
// Empty cells say nothing. A second attempt at a stage, a share of traffic or an
// incident has no place here: use the long form for those.
//
// # Samples
//
// [ReadSamples] reads the columns time, good, total and, where samples of several
// sources add up, source.
//
// # Times
//
// Times are RFC 3339 with an offset, such as 2025-03-01T02:00:00+01:00; a space in
// place of the T will do. A time without an offset is a bad row unless AssumeZone
// names the zone, and even then when the clock showed it twice or never, as it does
// when summer time ends and begins. A date alone is not a time.
//
// Numbers are read as time since 1970 when EpochUnit says of what. A number that
// falls before 2000 is refused: it is 0, or was counted in another unit. Timestamps
// in Parquet need neither, except local ones, which have no offset.
//
// # Files
//
// The first bytes tell gzip, Parquet and JSON Lines, the name of the file the rest;
// what has neither is read as CSV. A line is a row, in CSV as well: a quoted field
// has to be closed on its line. The first line of a CSV file names the columns; it is
// separated by tabs or semicolons when it has those and no commas. A byte order mark
// and CR LF are fine.
//
// Nothing is held in memory but the events and one line of at most MaxLine bytes;
// longer ones are bad rows. Parquet that does not come from a file of its own is
// copied to a temporary one.
//
// A file cut off in the middle has a bad row at its end, when it can be seen:
// a CSV field or number that lost its last digits looks like any other.
package fileevents
