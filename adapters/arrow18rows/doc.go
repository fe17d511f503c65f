// Package arrow18rows reads prediction logs in Arrow's columnar format: records in
// memory, IPC streams and IPC files.
//
// [Collect] makes an [analysis.Snapshot] of any number of files in one pass;
// [Schema] lists the columns of a file; a [Reader] delivers its rows as batches.
// [Add] counts a record that is in memory, and [AddAll] those of any reader: of a
// table with chunked columns by way of array.NewTableReader, of Flight, or of an
// ipc.Reader on a socket.
//
// # Types
//
// The columns of a batch come from the columns of a schema like this:
//
//   - Float: float16, float32, float64, and decimals of any width whose scale is
//     not negative, as the float64 next to it;
//   - Int: all integers. An unsigned value above 2^63-1 is an error, except in the
//     unit column, where an id may become negative, as ids only have to be told
//     apart;
//   - Bool: bool;
//   - String: utf8 and binary, large ones and views of them; arrow.uuid in its
//     usual form. Bytes that are not UTF-8, and fixed_size_binary, become 0x and
//     hexadecimal digits;
//   - Time: timestamps in any unit, date32 and date64, in microseconds, rounded
//     down; what lies outside the range of int64 becomes its end. Timestamps with a
//     zone are instants, those without are taken as UTC;
//   - Absent: a column that is not in the schema, or whose type is null.
//
// A dictionary array is what its values are. Other extension types are what they
// are stored as. Lists, structs, maps, unions, run-end encoded arrays, times of
// day, durations and intervals are not read: asking for one is an error.
//
// The types are those of package parquetrows: the same rows give the same snapshot
// from either format.
//
// # Speed
//
// Numbers of 64 bits are counted where they lie, arrays cut from others as well.
// Codes of dictionary arrays are counted as they are; names are made once per
// dictionary, not once per row. Text without a dictionary costs a look-up per row:
// let the writer use dictionaries. The library decodes every column of a file, also
// those that nobody asked for: write those elsewhere.
//
// # Safety
//
// Lengths, offsets and codes are checked before use. A stream has to end with its
// mark, as otherwise it may have been cut off, and nothing may follow; what a file
// holds has to agree with its footer. Memory is bounded by [Options].MaxMemory, also
// when a damaged file asks for more. The format has no checksums: damage to values
// cannot be seen, unless they are compressed.
//
// It is a module of its own, as arrow-go asks for newer versions of what the rest
// needs. Of the library, only its packages for arrays in memory and for IPC are used.
// It lives beside version 17 in one program; package arrowrows is for records of
// that version, and reads the same files.
package arrow18rows
