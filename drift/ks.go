package drift

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// KS returns the two-sample Kolmogorov-Smirnov distance of a numeric column, the
// largest gap between the distribution functions, with its p-value:
//
//	D = max over the histogram's cells of |F - G| at their upper ends
//
// It uses the cells of the layout, finer than those of [Numeric]. -Inf and values
// below the layout's range count as smallest, +Inf and those above it as largest;
// null and NaN, which have no order, are left out with the warning
// excluded_values. The gap inside a cell that holds several numbers is not seen: D
// is at most that of the raw values, P at least theirs, and the warning binned
// states by how much.
//
// Null95 is the 5% point of the limiting law. Interval is D with that law's point
// at half of 1-Level to either side (and what the cells may hide above):
// conservative, more so the further the samples are apart. Corrected is Value;
// the one contribution gives the point of the largest gap and F and G there.
// RefN and CurN count the ordered values.
//
// KS is insensitive in the tails, and for large samples any difference is
// significant: gate on the distance, not on P.
//
// Errors: [stats.ErrMismatch] when the layouts differ, [stats.ErrEmpty] when a
// side has no ordered value, [stats.ErrDomain] for options out of range.
// Cost: linear in the populated cells; with at most 10000 values on both sides
// the exact law, see [stats.KSBinned].
func KS(ref, cur *summary.Histogram, o Options) (Divergence, error) {
	const fn = "KS"
	o, err := o.complete(fn)
	if err != nil {
		return Divergence{}, err
	}
	if err := sameLayout(fn, ref, cur); err != nil {
		return Divergence{}, err
	}
	k := newSteps(ref, cur)
	test, err := stats.KSBinned(k.ref, k.cur)
	if err != nil {
		return Divergence{}, fmt.Errorf("drift: %s: %w", fn, err)
	}
	eps, err := ksRadius(o.tail(), test.N, test.M)
	if err != nil {
		return Divergence{}, fmt.Errorf("drift: %s: %w", fn, err)
	}
	null, err := ksRadius(0.05, test.N, test.M)
	if err != nil {
		return Divergence{}, fmt.Errorf("drift: %s: %w", fn, err)
	}
	missed := k.missed(float64(test.N), float64(test.M), test.D)
	d := Divergence{
		Metric: "ks", Value: test.D, Corrected: test.D, Null95: null, P: test.P, LogP: test.LogP,
		Cells: len(k.ref), RefN: test.N, CurN: test.M,
		Method: test.Method + "; cells of layout " + layoutID(ref, cur),
		Interval: stats.Interval{
			Point: test.D,
			Lo:    max(0, test.D-eps),
			Hi:    min(1, test.D+missed+eps),
			Level: o.Level,
		},
	}
	if test.D > 0 {
		d.Top = []Contribution{k.contribution(int(test.Where), test)}
	}
	for _, w := range test.Warnings {
		if w.Code != stats.WarnBinned {
			d.Warnings = append(d.Warnings, w)
		}
	}
	if missed > 0 {
		d.Warnings = append(d.Warnings, stats.Warning{Code: stats.WarnBinned,
			Message: fmt.Sprintf("gaps inside a cell are not seen: the distance of the raw values is at most %.4g", test.D+missed)})
	}
	r, c := ref.Excluded(), cur.Excluded()
	d.Warnings = append(d.Warnings, unordered(r.Null+r.NaN, c.Null+c.NaN, "null or NaN")...)
	return d, nil
}

// steps are counts in ascending order of value.
type steps struct {
	ref, cur []uint64
	upTo     []float64 // largest value that may be in the cell
	blurred  []bool    // the cell holds several numbers, so that F - G inside is not known
}

func newSteps(ref, cur *summary.Histogram) *steps {
	s := new(steps)
	add := func(upTo float64, blurred bool, p, q uint64) {
		if p > 0 || q > 0 {
			s.ref, s.cur = append(s.ref, p), append(s.cur, q)
			s.upTo, s.blurred = append(s.upTo, upTo), append(s.blurred, blurred)
		}
	}
	r, c := ref.Excluded(), cur.Excluded()
	add(math.Inf(-1), false, r.NegInf+r.Below, c.NegInf+c.Below)
	for _, f := range align(ref.Cells(), cur.Cells()) {
		a, b := f.ref, f.cur
		switch {
		case a.N == 0 || b.N == 0:
			add(f.hi, false, a.N, b.N)
		case !constant(a) || !constant(b):
			add(f.hi, true, a.N, b.N)
		case a.Mean == b.Mean:
			add(a.Mean, false, a.N, b.N)
		case a.Mean < b.Mean:
			add(a.Mean, false, a.N, 0)
			add(b.Mean, false, 0, b.N)
		default:
			add(b.Mean, false, 0, b.N)
			add(a.Mean, false, a.N, 0)
		}
	}
	add(math.Inf(1), false, r.PosInf+r.Above, c.PosInf+c.Above)
	return s
}

// missed is how much larger than d the gap inside a blurred cell may be: one of
// its sides may come first.
func (s *steps) missed(n, m, d float64) float64 {
	var i, j uint64
	most := d
	for k := range s.ref {
		if s.blurred[k] {
			gap := float64(i)/n - float64(j)/m
			most = max(most, gap+float64(s.ref[k])/n, float64(s.cur[k])/m-gap)
		}
		i, j = i+s.ref[k], j+s.cur[k]
	}
	if missed := min(most, 1) - d; missed > 1e-15 { // not mere rounding
		return missed
	}
	return 0
}

// contribution says where the gap is: at the end of the k-th step.
func (s *steps) contribution(k int, test stats.KSResult) Contribution {
	var f, g uint64
	for i := range k + 1 {
		f, g = f+s.ref[i], g+s.cur[i]
	}
	return Contribution{
		Cell: fmt.Sprintf("up to %.4g", s.upTo[k]), Kind: IntervalCell,
		RefShare: float64(f) / float64(test.N), CurShare: float64(g) / float64(test.M), Value: test.D,
	}
}

// ksRadius is the distance that the limiting law passes with probability p.
func ksRadius(p float64, n, m uint64) (float64, error) {
	lo, hi := 0.0, 1.0
	for range 60 {
		mid := (lo + hi) / 2
		at, _, err := stats.KSTail(mid, n, m, false)
		if err != nil {
			return 0, err
		}
		if at > p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi, nil
}

// unordered warns of rows that were left out.
func unordered(ref, cur uint64, what string) []stats.Warning {
	if ref == 0 && cur == 0 {
		return nil
	}
	return []stats.Warning{{Code: stats.WarnExcluded,
		Message: fmt.Sprintf("%d rows of the reference and %d of the current sample are %s and were left out", ref, cur, what)}}
}
