// Package arrowcols turns the memory of Arrow arrays into batches. It knows the
// layout of arrays and the framing of IPC messages, but no Arrow library: the
// adapters of the versions of the library hand it plain buffers.
//
// Nothing in a buffer is trusted: sizes, offsets and codes are checked before they
// are used, as damaged files and careless producers have wrong ones.
package arrowcols
