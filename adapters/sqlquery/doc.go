// Package sqlquery summarises prediction logs where they are: in any database that
// database/sql has a driver for. The database does the work, by GROUP BY; what
// travels are cells, not rows, and what comes out is the [analysis.Snapshot] that
// reading the rows would give.
//
// # Use
//
//	db, err := sql.Open("pgx", dsn) // the driver is the caller's choice
//	spec, err := policy.Spec()
//	src := sqlquery.Source{Table: "ml.predictions", Where: "day = '2025-11-20'",
//		Arm: sqlquery.Arm{Column: "model", Value: "v2.1"}}
//	candidate, err := sqlquery.Collect(ctx, db, sqlquery.PostgreSQL, spec, src, sqlquery.Options{})
//
// [Statements] returns the SQL beforehand, to be read, explained or priced. There is
// one statement for each column, two for a unit that is an integer, one for each cross
// of slices and one for each column measured in it; in a columnar store each scans the
// columns it names. Names are quoted and values of arms escaped for the dialect; Query
// and Where of a [Source] are SQL of the caller and go in as they are. Statements only
// select.
//
// # What is the same, and what is not
//
// The snapshot is equal to that of the rows, byte for byte, in all counts, in the
// least and the greatest value, and in the sums from which mean, variance, Brier score
// and log loss follow. There is no bound to state for the sums, as they are exact: the
// database adds integers, never fractions. A cell is found, and the offset of a value
// in it taken, by comparisons with literals, multiplication by powers of two,
// differences of neighbours and whole parts, of which none can round in float64. The
// offsets, of up to 45 bits, are added up as digits of 15 bits.
//
// Literals that values are compared with have an exponent (1.5e-01), as databases take
// others for decimals and may be one unit in the last place off; for SQLite they are
// written as integers divided by powers of two.
//
// Nothing of this is trusted: each group comes with its least and greatest value. If
// these are not in one cell, and between the same cuts, or the sums are not possible
// for such values, the answer is an error wrapping [ErrInconsistent]. The buckets of
// slices come without such a proof.
//
// Missing values, NaN, infinities, -0 and scores outside [0,1] count as they do
// for a collector. Numbers below 2^-64 or from 2^64 up (for probabilities, within 2^-32
// of 0 or 1) lie in no fine cell and are grouped by value.
//
// What can differ from reading the same rows from a file:
//
//   - Decimals are what the database makes of them as float64. PostgreSQL takes the
//     nearest, others may not for more than 15 digits.
//   - A database without booleans has integers: say Bool in Source.Types. SQLite has
//     no NaN: it keeps NULL in its place.
//   - Names are equal when the database says so. For PostgreSQL and SQLite the
//     statements ask for equality of bytes; elsewhere it is that of the column.
//   - Times of SQLite are texts, to the millisecond, or integers in microseconds;
//     DateTime of ClickHouse has seconds. Timestamps without a time zone are UTC,
//     except with Spark, where they are in that of the session.
//   - Unsigned integers above 2^63-1 are negative as ids and an error as numbers of
//     some databases.
//
// # Cost
//
// A column of numbers comes in at most some 16,000 groups in practice (128 in each
// power of two that occurs, 512 for scores, three times for labels), a slice in so many
// again. Names travel once each. Beyond the cap of a [github.com/rampguard/rampguard/stats/summary.Categorical] or of a
// cross, which are kept is decided here by the same hash as for rows.
//
// Of a unit that is an integer, the database computes the hash by which a sample is
// kept, on 32-bit halves in float64, and some 12,000 ids travel; it counts the
// different ones beforehand, to set the bound. Ids that are texts all travel, once each
// with their count, as their hash cannot be computed in SQL; they are counted as they
// come, in constant memory, some million per second. Where each row is a unit of its
// own and nothing tells units of two arms apart, a spec without the unit saves both.
//
// [Options] bound the groups of an answer; more are an error wrapping [ErrTooMany], not
// a part of the truth. For PostgreSQL the inner queries are kept apart (OFFSET 0), so
// that expressions are computed once for each row; the price is that these scans are
// not parallel. Sums hold for fewer than 2^33 rows in one cell.
//
// # Databases
//
// PostgreSQL 15, DuckDB 1.5, SQLite 3.50 and ClickHouse 18.16, the latter with a
// Distributed table over two servers, are run in the tests in the folder sqltest, which
// compare snapshots with those of Parquet files. Statements for Trino, BigQuery,
// Snowflake and Spark are generated and held as golden files: they are untested
// against a server. There, begin with [Statements], and compare one day of a log with
// [github.com/rampguard/rampguard/adapters/parquetrows].
//
// Statements for ClickHouse set the modes in which it would give part of an answer
// (skip_unavailable_shards, the overflow modes) to fail instead; a profile with
// readonly=1 does not allow that, readonly=2 does.
//
// # Errors
//
// What the database refuses or breaks off wraps [ErrProvider]: in a rollout that is a
// reason to pause, never to roll back. The text of the driver is kept without what may
// be a credential, the error of the driver itself is not.
package sqlquery
