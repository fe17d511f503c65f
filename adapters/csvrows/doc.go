// Package csvrows reads prediction logs in CSV and in JSON Lines, plain or
// compressed with gzip or Zstandard.
//
// [Collect] makes an [analysis.Snapshot] of any number of files in one pass, not
// counting a look at the first rows of each; [Schema] says which types a file would
// be read with; a [Reader] delivers its rows as batches.
//
// # Types
//
// Text does not say what it is. State the types of columns in Options.Types, at
// least in production: then a value that does not fit is a bad row, wherever it
// is. The type of any other column is inferred from the first Options.Sample rows
// of every file, all together, so that it depends neither on the order of files
// nor on workers:
//
//   - Bool: every value is true or false, True or False, TRUE or FALSE;
//   - Int: every value is an integer within the range of int64, without a plus or
//     leading zeros;
//   - Float: every value is a number, or NaN or an infinity, and some are not Int;
//   - Time: every value is a time, as below;
//   - String: anything else;
//   - Absent: there is no value. So is a column that is not in the header, or not
//     in any sampled row of a JSON Lines file.
//
// A value after the sample that does not fit the inferred type is a bad row, too,
// and never changes the type. In JSON a string that looks like a number is a String.
//
// # Values
//
// Numbers are decimal, with or without an exponent; NaN, Inf and Infinity may be in
// any case, with a sign. A number beyond the range of float64 is bad. In the unit
// column, integers from 2^63 to 2^64-1 become negative, as ids only have to be told
// apart. A Bool that was stated may also be 1, 0, t, f, T or F.
//
// Times are RFC 3339, such as 2025-03-01T02:00:00+01:00; a space in place of the T
// will do. Without an offset they are taken as UTC, and a date alone is its
// midnight, as in package parquetrows. Fractions are cut to microseconds. With
// Options.EpochUnit, numbers are times, too, in a column of type Time and in the
// column with the role of the clock.
//
// A field without characters is a missing value; a quoted one is the empty text, in
// a column of type String, else missing as well. NULL, null, NA, N/A, None and \N are
// missing in columns other than String, unless Options.Nulls says otherwise. In JSON
// Lines null is missing, and so is a key that other rows have. Texts that are not
// UTF-8 become 0x and hexadecimal digits.
//
// # Bad rows
//
// A row counts wholly or not at all. It is bad when a value of a column of the spec
// cannot be read, when it has more or fewer fields than the header, when its quotes
// or its JSON are wrong, or when it is longer than Options.MaxLine. Bad rows are
// counted and listed with their line in [Result]; more than Options.MaxBad of them,
// which without saying so means one, fail the call. A record that spans lines and is
// bad spoils its first line only: reading goes on with the next one.
//
// # Files
//
// The first bytes tell the compression. The name tells CSV from JSON Lines, or else
// the first character, which in JSON Lines is a brace; .tsv means tabs. The first
// line of a CSV file names its columns, unless Options.Header does; two columns of
// one name are an error. Fields may be quoted, and then hold separators, quotes, which
// are doubled, and line breaks. Byte order marks and CR LF are fine. Blank lines are
// skipped, except in a CSV file of one column, where they are missing values.
//
// Memory is that of one batch and of the longest line per worker. The rows give the
// same snapshot as from Parquet, if the types are the same. Parquet is read many
// times faster and says when it is damaged; a CSV file that was cut off at the end
// of a line looks like any other.
package csvrows
