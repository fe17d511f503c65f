// Package parquetrows reads prediction logs in Parquet files.
//
// [Collect] makes an [analysis.Snapshot] of any number of files in one pass;
// [Schema] lists the columns of a file; a [Reader] delivers its rows as batches.
//
// # Types
//
// The columns of a batch come from the columns of a file like this:
//
//   - Float: DOUBLE, FLOAT, FLOAT16, and DECIMAL in any storage, as the float64
//     next to it;
//   - Int: INT32 and INT64, signed and unsigned. An unsigned value above 2^63-1
//     is an error, except in the unit column, where an id may become negative, as
//     ids only have to be told apart;
//   - Bool: BOOLEAN;
//   - String: STRING, ENUM, JSON, BSON and plain BYTE_ARRAY; UUID in its usual
//     form. Bytes that are not UTF-8, and FIXED_LEN_BYTE_ARRAY without annotation,
//     become 0x and hexadecimal digits;
//   - Time: TIMESTAMP in any unit, DATE as its midnight, and the old INT96, in
//     microseconds, rounded down; what lies outside the range of int64 becomes its
//     end. Local timestamps are taken as UTC;
//   - Absent: a column that is not in the file, or whose type is NULL.
//
// Lists, columns inside groups, times of day, intervals, geometries and encrypted
// columns are not read: asking for one is an error.
//
// # Speed
//
// Only the columns of the spec are read. Values that lie in one page without
// nulls are handed on where they are; dictionary codes are counted as they are,
// and a name is made once per dictionary, not once per row. [Collect] reads one
// column of a row group after another, so that a page is counted while it is in
// the processor's cache. What remains is mostly decompression.
//
// # Safety
//
// Files are read with pread, so that one truncated meanwhile is an error and not
// a fault. Columns are checked against the row counts of the footer, dictionary
// codes against the dictionary, page checksums where the writer has set them.
// Without checksums, damage that leaves a page decodable cannot be seen: let the
// writer add them.
package parquetrows
