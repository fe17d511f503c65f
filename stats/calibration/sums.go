package calibration

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// logitClip is the distance from 0 and 1 within which log odds stay what they are
// at that distance. It is a power of two and therefore an edge of the cells of a
// [summary.Scores], so no cell is cut in two.
const logitClip = 0x1p-20

// Sums are the sums over labelled rows, with score p, label y (1 or 0) and clipped
// log odds L, from which the calibration in the large, Spiegelhalter's test and
// the score test follow. L is log(p/(1-p)) with p held within [2^-20, 1-2^-20].
//
// Sums of several shards, hours or slices add up with [Sums.Merge]. The zero Sums
// is empty.
type Sums struct {
	N, Y           uint64  // rows, and rows with a positive label
	P1, P2, P3, P4 float64 // sums of p, p^2, p^3, p^4
	PY             float64 // sum of p y
	W0, W1, W2     float64 // sums of p(1-p), p(1-p) L, p(1-p) L^2
	G1             float64 // sum of (y-p) L
	Clipped        uint64  // rows whose score is beyond the clip of L
	Excluded       uint64  // labelled rows without a score in [0,1]; in no other sum
	Err            SumsError
}

// SumsError bounds what the cells of a histogram add to the error of the sums
// that do not follow from them exactly. It is 0 for rows. Rounding comes on top:
// about 1e-15 of the sum of absolute values, or 1e-10 for rows within 1e-5 of 1.
type SumsError struct {
	P3, P4, W1, W2, G1 float64
}

// Merge adds o to s. It is commutative, and associative up to the rounding of the
// sums; merge the [summary.Scores] themselves where bits matter.
func (s *Sums) Merge(o Sums) {
	s.N += o.N
	s.Y += o.Y
	s.P1 += o.P1
	s.P2 += o.P2
	s.P3 += o.P3
	s.P4 += o.P4
	s.PY += o.PY
	s.W0 += o.W0
	s.W1 += o.W1
	s.W2 += o.W2
	s.G1 += o.G1
	s.Clipped += o.Clipped
	s.Excluded += o.Excluded
	s.Err.P3 += o.Err.P3
	s.Err.P4 += o.Err.P4
	s.Err.W1 += o.Err.W1
	s.Err.W2 += o.Err.W2
	s.Err.G1 += o.Err.G1
}

// Sums returns the sums over the rows of d.
//
// From a histogram, N, Y, P1, P2, PY and W0 follow from the cells without error.
// The others are a function f summed over the rows of a cell of which number n,
// mean m and variance v are known: n f(m) plus n v/2 times the second derivative
// at m, off by at most n v w/6 times the largest third derivative in the cell,
// whose width is w. Err adds that up. A cell is at most 1/512 as wide as its
// distance to the nearer of 0 and 1, so Err is at most about 1e-9 for each row.
//
// The sums of empty data are the zero Sums. Cost: linear in the number of cells.
func (d Data) Sums() Sums {
	var b sumsBuilder
	for _, c := range d.cells {
		b.add(c, c.neg, false)
		b.add(c, c.pos, true)
	}
	s := b.sums
	s.P1, s.P2, s.P3, s.P4 = b.p1.value(), b.p2.value(), b.p3.value(), b.p4.value()
	s.PY = b.py.value()
	s.W0, s.W1, s.W2, s.G1 = b.w0.value(), b.w1.value(), b.w2.value(), b.g1.value()
	s.Excluded = d.excluded
	return s
}

type sumsBuilder struct {
	sums                               Sums // counts and bounds
	p1, p2, p3, p4, py, w0, w1, w2, g1 adder
}

func (b *sumsBuilder) add(c cell, x part, positive bool) {
	if x.n == 0 {
		return
	}
	n, m, v, w := x.n, x.mean, x.variance, c.hi-c.lo
	m2 := float64(m * m)
	b.sums.N += uint64(n)
	b.p1.add(n * m)
	b.p2.add(n * (m2 + v))
	b.p3.add(n * m * (m2 + float64(3*v)))
	b.p4.add(n * (float64(m2*m2) + float64(6*m2*v) + float64(1.8*v*v)))
	b.sums.Err.P3 += n * v * w
	b.sums.Err.P4 += n * v * w * (float64(4*m) + w)
	if positive {
		b.sums.Y += uint64(n)
		b.py.add(n * m)
	}
	w0 := n * (float64(m*(1-m)) - v)
	b.w0.add(w0)
	if c.hi <= logitClip || c.lo >= 1-logitClip {
		l := clippedLogit(m)
		b.sums.Clipped += uint64(n)
		b.w1.add(w0 * l)
		b.w2.add(w0 * l * l)
		b.g1.add(n * residual(m, positive) * l)
		return
	}
	b.addLogit(c, x, positive)
}

// addLogit adds to the sums with L, by their expansions to second order. With
// q = p(1-p), the second and third derivatives are:
//
//	q L       (1-2p)/q - 2L              -1/q^2
//	q L^2     2(1-2p)L/q + 2/q - 2L^2    -2L/q^2
//	(1-p) L   -1/(q p)                   below 2/(q^2 p) in size
//	-p L      -1/(q (1-p))               below 2/(q^2 (1-p)) in size
func (b *sumsBuilder) addLogit(c cell, x part, positive bool) {
	n, m, v := x.n, x.mean, x.variance
	l, q := clippedLogit(m), m*(1-m)
	l2, slope := float64(l*l), (1-2*m)/q
	b.w1.add(n * (float64(q*l) + float64((slope-2*l)*v/2)))
	b.w2.add(n * (float64(q*l2) + float64((float64(slope*l)+1/q-l2)*v)))
	wrong := m // distance of the score from the end it should not be at
	if !positive {
		wrong = 1 - m
	}
	b.g1.add(n * (float64(residual(m, positive)*l) - v/(2*q*wrong)))
	if v == 0 {
		return
	}
	third := n * v * (c.hi - c.lo) / 6
	qMin := c.lo * (1 - c.hi)
	nearest := c.lo
	if !positive {
		nearest = 1 - c.hi
	}
	b.sums.Err.W1 += third / qMin / qMin
	b.sums.Err.W2 += third / qMin / qMin * 2 * max(math.Abs(clippedLogit(c.lo)), math.Abs(clippedLogit(c.hi)))
	b.sums.Err.G1 += third / qMin / qMin * 2 / nearest
}

// residual is y-p.
func residual(p float64, positive bool) float64 {
	if positive {
		return 1 - p
	}
	return -p
}

// clippedLogit is log(p/(1-p)) with p held within [logitClip, 1-logitClip].
func clippedLogit(p float64) float64 {
	p = min(max(p, logitClip), 1-logitClip)
	return math.Log(p) - math.Log1p(-p)
}

// check returns an error unless s can come from data.
func (s Sums) check(fn string) error {
	switch {
	case s.N == 0:
		return fmt.Errorf("calibration: %s: %w", fn, stats.ErrEmpty)
	case s.Y > s.N:
		return fmt.Errorf("calibration: %s: %d positive labels in %d rows: %w", fn, s.Y, s.N, stats.ErrDomain)
	}
	for _, x := range []float64{s.P1, s.P2, s.P3, s.P4, s.PY, s.W0, s.W2} {
		if !(x >= 0 && x <= math.MaxFloat64) {
			return fmt.Errorf("calibration: %s: sum %v: %w", fn, x, stats.ErrDomain)
		}
	}
	for _, x := range []float64{s.W1, s.G1} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("calibration: %s: sum %v: %w", fn, x, stats.ErrDomain)
		}
	}
	return nil
}

func (s Sums) warnings() []stats.Warning {
	var ws []stats.Warning
	if s.Err != (SumsError{}) {
		ws = append(ws, warn(stats.WarnBinned, "computed from the cells of a histogram"))
	}
	if s.Excluded > 0 {
		ws = append(ws, warn(stats.WarnExcluded, fmt.Sprintf("%d labelled rows have no score in [0,1]", s.Excluded)))
	}
	if s.Y == 0 || s.Y == s.N {
		ws = append(ws, warn(stats.WarnDegenerate, "all labels are the same"))
	}
	return ws
}
