package summary

import (
	"slices"
)

// ClusteringOf bounds what [Distinct.Clustering] may be among some of the rows only,
// such as those with a positive label, when it is not known of which ids they are:
// all may be of the ids that have most rows. It is sum n / rows over the ids with
// most rows, each counted once for each of its rows, until they have so many rows;
// for 1 row the number of rows of the largest id, for all rows Clustering.
//
// If X of N rows are events, X at most N/2, and rows of different ids are
// independent, it also bounds the design effect of X: the variance of X over that of
// X independent events of the same share, whatever the share of events is in each
// id, and whether or not ids with many rows have more of them. For with p the share
// of events of the id of a row, the variance is at most the sum of n p (1-p) over
// the rows, and with a given sum of p none is larger than where the ids with most
// rows have the events.
//
// Beyond 8192 ids it is that of the sample, taken for a picture of all: an id that is
// much larger than any of the sample may be missed. With error 5%, fewer than 4 of
// 10,000 ids are larger than all of the sample.
//
// Special cases: without ids it is 1; 0 rows count as 1. Cost: one pass over the
// sample, and a sort of the ids with 256 rows or more.
func (d *Distinct) ClusteringOf(rows uint64) float64 {
	d.compact()
	var few [256]uint64 // ids by their number of rows
	var many []uint64   // rows of the others
	var seen uint64
	for _, s := range d.sample.slots {
		seen += s.n
		if s.n < uint64(len(few)) {
			few[s.n]++
			continue
		}
		many = append(many, s.n)
	}
	if seen == 0 {
		return 1
	}
	want := float64(min(max(rows, 1), d.total))
	if seen < d.total {
		want *= float64(seen) / float64(d.total) // rows of the sample
	}
	slices.Sort(many)
	left, sum := want, 0.0
	take := func(n uint64, ids float64) {
		part := min(left, float64(n)*ids)
		sum += float64(part * float64(n))
		left -= part
	}
	for i := len(many) - 1; i >= 0 && left > 0; i-- {
		take(many[i], 1)
	}
	for n := len(few) - 1; n > 0 && left > 0; n-- {
		take(uint64(n), float64(few[n]))
	}
	return sum / want
}
