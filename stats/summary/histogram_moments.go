package summary

import (
	"fmt"
	"math"
	"math/big"

	"github.com/rampguard/rampguard/stats"
)

// Shape is the count, centre, spread and shape of a set of numbers.
type Shape struct {
	N        uint64
	Mean     float64
	Variance float64 // divided by n-1; NaN for n < 2
	Skewness float64 // third standardised moment, divided by n; NaN for constant data
	Kurtosis float64 // fourth standardised moment, 3 for a normal; NaN for constant data
	Min, Max float64
}

// Moments returns count, mean, variance and shape of the values in cells.
//
// Mean and Variance (divided by n-1) come from exact sums and are correctly
// rounded. Skewness and Kurtosis are computed from cell means and cell
// variances, with the values of a cell taken as spread evenly; their error is of
// the order of the square of the cell width over the standard deviation.
//
// Special cases: Variance, Skewness and Kurtosis are NaN for n = 1; Skewness and
// Kurtosis are NaN for constant data and when Variance is below the normal range
// of float64 or overflows to +Inf.
//
// An empty histogram is an error wrapping [stats.ErrEmpty]; frozen edges and
// Tally, which keep no sums, one wrapping [stats.ErrMismatch]. The cost is linear in the
// number of populated cells.
func (h *Histogram) Moments() (Shape, error) {
	if h.layout.kind == FrozenEdges || h.layout.kind == Tally {
		return Shape{}, fmt.Errorf("summary: Histogram.Moments: layout %s keeps no sums: %w", h.layout.ID(), stats.ErrMismatch)
	}
	if h.n == 0 {
		return Shape{}, fmt.Errorf("summary: Histogram.Moments: %w", stats.ErrEmpty)
	}
	sum, squares := h.powerSums()
	out := newShape(h.n, h.min, h.max, sum, squares)
	if h.n < 2 || out.Variance < 0x1p-1022 || math.IsInf(out.Variance, 1) {
		return out, nil
	}
	nf := float64(h.n)
	variance := out.Variance * ((nf - 1) / nf)
	sd := math.Sqrt(variance)
	var m3, m4 float64
	for _, c := range h.Cells() {
		w, z, v := float64(c.N)/nf, (c.Mean-out.Mean)/sd, c.Var/variance
		z2 := float64(z * z)
		m3 += float64(w * float64(z*(z2+float64(3*v))))
		m4 += float64(w * (float64(z2*z2) + float64(6*z2*v) + float64(1.8*v*v)))
	}
	out.Skewness, out.Kurtosis = m3, m4
	return out, nil
}

// newShape fills in all but skewness and kurtosis, from the exact sum and sum of
// squares in units of 2^-1074 and 2^-2148.
func newShape(n uint64, mn, mx float64, sum, squares *big.Int) Shape {
	out := Shape{N: n, Min: mn, Max: mx, Variance: math.NaN(), Skewness: math.NaN(), Kurtosis: math.NaN()}
	nn := new(big.Int).SetUint64(n)
	out.Mean = quotient(sum, nn, -unit)
	if n > 1 {
		den := new(big.Int).SetUint64(n - 1)
		out.Variance = quotient(secondMoment(nn, sum, squares), den.Mul(den, nn), -2*unit)
	}
	return out
}

// secondMoment is n*squares - sum^2, n^2 times the variance divided by n.
func secondMoment(n, sum, squares *big.Int) *big.Int {
	m := new(big.Int).Mul(n, squares)
	return m.Sub(m, new(big.Int).Mul(sum, sum))
}

// powerSums returns the exact sum of the values and of their squares, in units
// of 2^-1074 and 2^-2148.
func (h *Histogram) powerSums() (sum, squares *big.Int) {
	sum, squares = new(big.Int), new(big.Int)
	kind := h.layout.kind
	var octave struct{ n, s, q big.Int } // of the cells of one side with one exponent
	var n, m, s, q big.Int
	ks := h.keyedCells()
	for i, k := range ks {
		sp := kind.span(k.key)
		m0, exp := kind.origin(sp)
		n.SetUint64(k.cell.n)
		m.SetUint64(m0)
		k.cell.sumR(&s)
		k.cell.sumRR(&q)
		octave.n.Add(&octave.n, &n)
		// sum (m+r) = n m + s, sum (m+r)^2 = (n m + s) m + s m + q
		octave.q.Add(&octave.q, &q)
		octave.q.Add(&octave.q, q.Mul(&s, &m))
		s.Add(&s, n.Mul(&n, &m))
		octave.s.Add(&octave.s, &s)
		octave.q.Add(&octave.q, s.Mul(&s, &m))
		if i+1 < len(ks) {
			if next := kind.span(ks[i+1].key); next.e == sp.e && next.mirrored == sp.mirrored {
				continue
			}
		}
		octave.s.Lsh(&octave.s, uint(exp+unit))
		octave.q.Lsh(&octave.q, uint(2*(exp+unit)))
		switch {
		case sp.mirrored && kind == Probability:
			flip(&octave.n, &octave.s, &octave.q)
		case sp.mirrored:
			octave.s.Neg(&octave.s)
		}
		sum.Add(sum, &octave.s)
		squares.Add(squares, &octave.q)
		octave.n.SetInt64(0)
		octave.s.SetInt64(0)
		octave.q.SetInt64(0)
	}
	n.SetUint64(h.one)
	sum.Add(sum, s.Lsh(&n, unit))
	squares.Add(squares, s.Lsh(&n, 2*unit))
	return sum, squares
}

// flip turns the sum s and the sum of squares q of n numbers v into those of
// 1-v: n - s and n - 2s + q.
func flip(n, s, q *big.Int) {
	var t big.Int
	q.Sub(q, t.Lsh(s, unit+1))
	q.Add(q, t.Lsh(n, 2*unit))
	s.Sub(t.Lsh(n, unit), s)
}
