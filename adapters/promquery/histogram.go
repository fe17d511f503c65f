package promquery

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/prometheus/common/model"
)

// bucket holds n values above lo and up to hi, or about zero.
type bucket struct {
	lo, hi, n float64
	zero      bool
}

// bothEnds marks the bucket about zero of a native histogram, which includes both
// of its ends.
const bothEnds = 3

// histogram is what a query for a histogram brought, of either form. A classic one
// has all its buckets, from -Inf to +Inf; a native one those that hold something.
type histogram struct {
	native  bool
	buckets []bucket
}

// cells reads the histogram of the arm.
func (r *reading) cells() (histogram, error) {
	s := r.part("histogram")
	if s.err == nil && len(s.samples) > 0 && s.samples[0].Histogram != nil {
		one, err := r.only("histogram")
		if err != nil {
			return histogram{}, err
		}
		h := histogram{native: true}
		for _, b := range one.Histogram.Histogram.Buckets {
			if b.Count != 0 {
				h.buckets = append(h.buckets, bucket{float64(b.Lower), float64(b.Upper), float64(b.Count), b.Boundaries == bothEnds})
			}
		}
		return h, nil
	}
	switch {
	case s.err != nil:
		return histogram{}, s.err
	case len(s.samples) == 0:
		return histogram{}, fmt.Errorf("histogram: no series: %w", ErrNoData)
	}
	return classic(s.samples)
}

// classic reads the series of a classic histogram, told apart by le. Two spellings
// of one number, as of two versions of a client library, are one bucket.
func classic(samples []*sample) (histogram, error) {
	var h histogram
	up := map[float64]float64{}
	seen := map[model.LabelValue]bool{}
	for _, s := range samples {
		text, has := s.Metric[model.BucketLabel]
		le, err := strconv.ParseFloat(string(text), 64)
		switch {
		case s.Value == nil:
			return h, fmt.Errorf("histogram: native and classic series together: %w", ErrResult)
		case !has:
			return h, fmt.Errorf("histogram: a series without the label le; keep it when you sum: %w", ErrResult)
		case err != nil || math.IsNaN(le) || math.IsInf(le, -1):
			return h, fmt.Errorf("histogram: a bucket whose le is %q: %w", shorten(string(text), 40), ErrResult)
		case seen[text]:
			return h, fmt.Errorf("histogram: several series with le %q; sum them by le: %w", shorten(string(text), 40), ErrSeveral)
		}
		seen[text] = true
		up[le] += s.Value.value
	}
	if _, ok := up[math.Inf(1)]; !ok || len(up) < 2 {
		return h, fmt.Errorf("histogram: buckets up to +Inf are not all there: %w", ErrResult)
	}
	les := make([]float64, 0, len(up))
	for le := range up {
		les = append(les, le)
	}
	slices.Sort(les)
	lo, below := math.Inf(-1), 0.0
	for _, le := range les {
		n := up[le]
		// Each bucket is extrapolated by itself, which may differ in a small part
		// of a count; beyond that the counters do not belong together.
		if slack := 1 + 0.01*up[math.Inf(1)]; n < below-slack {
			return h, fmt.Errorf("histogram: %v values up to %v, %v below it: %w", n, le, below, ErrFalling)
		}
		n = math.Max(n, below) // NaN stays NaN, for whole to find
		h.buckets = append(h.buckets, bucket{lo, le, n - below, false})
		lo, below = le, n
	}
	return h, nil
}

// keep returns the cells of a classic histogram between the edges, all of its own
// when there are none.
func (h histogram) keep(edges []float64) ([]float64, []float64, error) {
	if edges == nil {
		for _, b := range h.buckets[:len(h.buckets)-1] {
			edges = append(edges, b.hi)
		}
	}
	cells := make([]float64, len(edges)+1)
	i := 0
	for _, b := range h.buckets {
		cells[i] += b.n
		if i < len(edges) && b.hi >= edges[i] {
			if b.hi > edges[i] {
				return nil, nil, fmt.Errorf("histogram: there is no bucket that ends at the edge %v: %w", edges[i], ErrResult)
			}
			i++
		}
	}
	return edges, cells, nil
}

// octaves are powers of two with parts between them, from 2^-30 to 2^30: every
// standard native histogram of that resolution, or a finer one, has these among
// the ends of its buckets.
func octaves(parts int) []float64 {
	out := make([]float64, 0, 60*parts+1)
	for e := -30; e < 30; e++ {
		for i := range parts {
			out = append(out, math.Ldexp(math.Exp2(float64(i)/float64(parts)), e))
		}
	}
	return append(out, math.Ldexp(1, 30))
}

// into counts a native histogram between edges. A bucket that lies across an edge
// is spread evenly over the logarithms of its values, or, when exact is asked for, an
// error. The bucket about zero counts as zeros.
func (h histogram) into(edges []float64, exact bool) ([]float64, error) {
	cells := make([]float64, len(edges)+1)
	for _, b := range h.buckets {
		if b.zero {
			// Zeros belong to the cell that has 0 inside or as its lower edge.
			i, found := slices.BinarySearch(edges, 0)
			if found {
				i++
			}
			cells[i] += b.n
			continue
		}
		at := b.lo
		left := b.n
		for i, e := range edges {
			if e <= at || same(e, at) {
				continue
			}
			if e >= b.hi || same(e, b.hi) {
				cells[i] += left
				left = 0
				break
			}
			if exact || !b.spreads() {
				return nil, fmt.Errorf("histogram: the bucket from %v to %v lies across the edge %v; say per_octave: 4 or less, or give other edges: %w", b.lo, b.hi, e, ErrCoarse)
			}
			part := float64(b.n * math.Log(e/at) / math.Log(b.hi/b.lo))
			cells[i] += part
			left -= part
			at = e
		}
		cells[len(edges)] += math.Max(0, left)
	}
	return cells, nil
}

// spreads reports whether the logarithms of the values have two ends.
func (b bucket) spreads() bool {
	return (b.lo > 0 || b.hi < 0) && !math.IsInf(b.lo, 0) && !math.IsInf(b.hi, 0)
}

// same takes two ways of computing an end of a bucket for one.
func same(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Min(math.Abs(a), math.MaxFloat64) }

// squares is the largest sum of squares that count values in the buckets can have.
func (h histogram) squares(count float64, limit *float64) (float64, error) {
	var sum, total float64
	for i, b := range h.buckets {
		if b.n == 0 {
			continue
		}
		lo, hi := b.lo, b.hi
		if math.IsInf(lo, -1) && i == 0 && hi >= 0 {
			lo = 0 // by convention, as for a time or a size
		}
		if math.IsInf(hi, 1) && limit != nil && *limit >= lo {
			hi = *limit
		}
		far := math.Max(math.Abs(lo), math.Abs(hi))
		if math.IsInf(far, 0) {
			return 0, fmt.Errorf("histogram: %v values in a bucket without an end, so that their squares have no bound; say max: or add buckets: %w", b.n, ErrResult)
		}
		sum += float64(b.n * far * far)
		total += b.n
	}
	if total == 0 {
		return 0, fmt.Errorf("histogram: no value in the buckets where the count is %v: %w", count, ErrResult)
	}
	return sum * math.Max(1, count/total), nil
}
