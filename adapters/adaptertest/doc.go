// Package adaptertest holds adapters to the rules that make verdicts
// trustworthy: that every row counts once, whatever file it lies in, that nothing
// is lost in silence, and that a source stops when it is told to.
//
// # How to use it
//
// Write a [Source] that stores a [Table] in the form that the adapter reads, and
// collects it with the adapter; then let [Rows] try it:
//
//	func TestConformance(t *testing.T) {
//		adaptertest.Rows(t, adaptertest.Source{Store: store, Collect: collect})
//	}
//
// [Rows] is for sources that read rows, [Snapshots] for those that have the
// counting done elsewhere, as by a database. A rule that is broken says what it
// asks for and why. [Check] and [CheckSnapshots] do the same outside a test.
package adaptertest
