package summary

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/rampguard/rampguard/stats"
)

// distinctSample is the number of ids with the smallest hashes that a Distinct
// keeps.
const distinctSample = 8192

// Distinct estimates how many different ids a column holds and how often one id
// repeats, from the 8192 ids with the smallest 64-bit hash and the exact number
// of times each of those was seen (a bottom-k sketch; Bar-Yossef et al. 2002,
// Beyer et al. 2007).
//
// Up to 8192 different ids the count is exact; beyond, its relative standard
// error is 1.1%. As the hash has nothing to do with how units were randomised,
// the kept ids are a random sample of the units, the same sample in every arm:
// [Distinct.Shared] counts units in two arms at once from it.
//
// Merge is exact, commutative and associative. The zero value is empty and the
// identity of Merge. It is not safe for concurrent use.
type Distinct struct {
	total  uint64
	null   uint64
	sample hashTable // kept hashes and how often each was seen
	bound  uint64    // hashes above it are not kept; 0 means no bound yet
}

// AddInts counts the integer ids in xs; where valid is not nil, those with a
// false entry are missing. A valid of another length than xs is an error wrapping
// [stats.ErrMismatch], and nothing is counted.
func (d *Distinct) AddInts(xs []int64, valid []bool) error {
	if valid != nil && len(valid) != len(xs) {
		return fmt.Errorf("summary: Distinct.AddInts: %d ids and %d valid flags: %w", len(xs), len(valid), stats.ErrMismatch)
	}
	limit := d.limit()
	if valid == nil {
		for _, x := range xs {
			if h := mix64(uint64(x)); h <= limit {
				limit = d.keep(h, 1)
			}
		}
		d.total += uint64(len(xs))
		return nil
	}
	null := uint64(0)
	for i, x := range xs {
		if !valid[i] {
			null++
			continue
		}
		if h := mix64(uint64(x)); h <= limit {
			limit = d.keep(h, 1)
		}
	}
	d.null += null
	d.total += uint64(len(xs)) - null
	return nil
}

// AddString counts the id s n times.
func (d *Distinct) AddString(s string, n uint64) {
	if n == 0 {
		return
	}
	d.total += n
	if h := hashString(s); h <= d.limit() {
		d.keep(h, n)
	}
}

// AddNull counts n missing ids.
func (d *Distinct) AddNull(n uint64) { d.null += n }

func (d *Distinct) limit() uint64 {
	if d.bound == 0 {
		return math.MaxUint64
	}
	return d.bound
}

func (d *Distinct) keep(h, n uint64) (limit uint64) {
	d.sample.add(h, n)
	if d.sample.used >= 2*distinctSample { // half of a power of two
		d.compact()
	}
	return d.limit()
}

// compact keeps the smallest hashes only.
func (d *Distinct) compact() {
	if d.sample.used <= distinctSample {
		return
	}
	d.bound = smallest(d.sample.hashes(), distinctSample)
	d.sample.retain(d.bound)
}

// Total is the number of ids seen, repeats included, without the missing ones.
func (d *Distinct) Total() uint64 { return d.total }

// Null is the number of missing ids.
func (d *Distinct) Null() uint64 { return d.null }

// Count is the number of different ids, and whether it is exact. Beyond the
// sample size k it is the estimate (k-1)/(largest kept hash / 2^64).
func (d *Distinct) Count() (n float64, exact bool) {
	d.compact()
	if d.bound == 0 {
		return float64(d.sample.used), true
	}
	return (distinctSample - 1) / (float64(d.bound) / 0x1p64), false
}

// Sampled is the number of ids in the sample and the number of times they were
// seen: seen/ids estimates the repeats per id.
func (d *Distinct) Sampled() (ids, seen uint64) {
	d.compact()
	for _, s := range d.sample.slots {
		seen += s.n
	}
	return uint64(d.sample.used), seen
}

// Clustering is the number of rows that are worth one independent row when all
// rows of an id say the same: sum n^2 / sum n over the ids of the sample, n being
// how often an id was seen. It is 1 when none repeats, the number of repeats when
// all repeat alike, and more when a few ids have most of the rows; the design
// effect of clusters of unequal size (Kish 1965, section 5.4, with an intraclass
// correlation of 1).
//
// Special case: without ids it is 1. Cost: one pass over the sample.
func (d *Distinct) Clustering() float64 {
	d.compact()
	var rows uint64
	var hi, lo uint64 // sum n^2, exact: the order of the slots must not matter
	for _, s := range d.sample.slots {
		rows += s.n
		h, l := bits.Mul64(s.n, s.n)
		var carry uint64
		lo, carry = bits.Add64(lo, l, 0)
		hi, _ = bits.Add64(hi, h, carry)
	}
	if rows == 0 {
		return 1
	}
	return (float64(hi)*0x1p64 + float64(lo)) / float64(rows)
}

// Shared compares the ids of two columns on the part of the hash range that both
// samples cover: how many different ids each has there and how many they share.
func (d *Distinct) Shared(o *Distinct) (mine, theirs, both uint64) {
	d.compact()
	o.compact()
	limit := min(d.limit(), o.limit())
	for _, s := range d.sample.slots {
		if s.n == 0 || s.h > limit {
			continue
		}
		mine++
		if o.sample.count(s.h) > 0 {
			both++
		}
	}
	for _, s := range o.sample.slots {
		if s.n > 0 && s.h <= limit {
			theirs++
		}
	}
	return mine, theirs, both
}

// Merge adds o to d. It never fails.
func (d *Distinct) Merge(o *Distinct) error {
	d.total += o.total
	d.null += o.null
	if o.bound != 0 && (d.bound == 0 || o.bound < d.bound) {
		d.bound = o.bound
		d.sample.retain(d.bound)
	}
	limit := d.limit()
	// The table may be d's own: its slots are read as they are now.
	for _, s := range o.sample.slots {
		if s.n > 0 && s.h <= limit {
			d.sample.add(s.h, s.n)
		}
	}
	d.compact()
	return nil
}
