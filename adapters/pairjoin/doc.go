// Package pairjoin makes pairs of two prediction logs: the rows of one request, which
// both models scored, found by its id.
//
// [Join] takes two logs, one of each model, in any order and of any length, and
// returns an [analysis.PairSnapshot]: the same bytes as a log with both scores in
// each row would give, but for the counts of rows that are in no pair. [Collect]
// takes such a log. [LogSpec] says which columns a log of one model must bring;
// [Files] and [Parquet] read them, and so does anything that delivers batches.
//
// Memory is bounded: rows that do not fit wait in a temporary file, of which every
// block has a checksum.
package pairjoin
