package summary

import (
	"fmt"
	"math"
	"math/big"

	"github.com/rampguard/rampguard/stats"
)

// ReliabilityBin is one of 2048 equal bins of [0,1]: [i/2048, (i+1)/2048), the
// last one closed at 1. It counts labelled scores only.
type ReliabilityBin struct {
	Index     int     // 0 to 2047
	N         uint64  // labelled scores
	Positives uint64  // of these, with a positive label
	SumP      float64 // sum of the scores
	SumP2     float64 // sum of their squares
	SumPY     float64 // sum of the scores with a positive label
}

// ReliabilityBins is the number of bins of [Scores.Reliability].
const ReliabilityBins = 2048

// Reliability lists the populated bins in ascending order. Sums are those of the
// cells and carry a few rounding errors of float64 each.
func (s *Scores) Reliability() []ReliabilityBin {
	bins := make([]ReliabilityBin, ReliabilityBins)
	for _, l := range []Label{Negative, Positive} {
		for _, c := range s.hist[l].Cells() {
			i := min(int(c.Lo*ReliabilityBins), ReliabilityBins-1)
			n := float64(c.N)
			bins[i].N += c.N
			bins[i].SumP += float64(n * c.Mean)
			bins[i].SumP2 += float64(n * (float64(c.Mean*c.Mean) + c.Var))
			if l == Positive {
				bins[i].Positives += c.N
				bins[i].SumPY += float64(n * c.Mean)
			}
		}
	}
	out := bins[:0]
	for i, b := range bins {
		if b.N > 0 {
			b.Index = i
			out = append(out, b)
		}
	}
	return out
}

// Loss is the mean of a per-row loss over the labelled scores, with what an
// interval needs.
type Loss struct {
	N        uint64
	Mean     float64
	Variance float64 // of the per-row loss, divided by n-1; NaN for n < 2
	Bound    float64 // greatest error of Mean, from cells and from rounding
}

// Brier is the mean squared difference of score and label (Brier 1950). Mean
// follows from exact sums and is correctly rounded; Variance is computed from
// cell means and variances, to about 1e-7 of the mean squared loss.
//
// Scores outside [0,1] are not in it. No labelled score is an error wrapping
// [stats.ErrEmpty].
func (s *Scores) Brier() (Loss, error) {
	out, err := s.loss("Brier", func(c part) (mean, variance float64) {
		d := c.right
		return float64(d*d) + c.variance, c.variance * (float64(4*d*d) + float64(0.8*c.variance))
	})
	if err != nil {
		return out, err
	}
	_, total := s.hist[Negative].powerSums()
	sum, squares := s.hist[Positive].powerSums()
	flip(new(big.Int).SetUint64(s.hist[Positive].n), sum, squares)
	out.Mean = quotient(total.Add(total, squares), new(big.Int).SetUint64(out.N), -2*unit)
	out.Bound = out.Mean * 0x1p-53
	return out, nil
}

// lossClip keeps the log loss of a score of exactly 0 or 1 finite: scores are
// taken to be at least 2^-52 away from the wrong end.
const lossClip = 0x1p-52

// LogLoss is the mean of -log(score) over positive and -log(1-score) over
// negative labels, in nats; scores nearer than 2^-52 to the wrong end count as
// 2^-52 away from it.
//
// It is computed from cell means with the second-order correction for the spread
// within a cell, m and v being mean and variance of the distance to the wrong
// end in a cell [lo, hi): -log m + v/(2 m^2) is off by at most
// v (hi-lo)/(3 lo^3). Bound adds that up. A cell spans at most 1/512 of the
// distance to the wrong end, so it is below 1e-9 nats, unless scores lie within
// 2^-32 of the wrong end, where cells are wider. Variance is computed in the same
// way, to about 1e-7 of the mean squared loss.
//
// Scores outside [0,1] are not in it. No labelled score is an error wrapping
// [stats.ErrEmpty].
func (s *Scores) LogLoss() (Loss, error) {
	bound := 0.0
	out, err := s.loss("LogLoss", func(c part) (mean, variance float64) {
		if c.mean < lossClip {
			return -math.Log(lossClip), 0
		}
		w := c.variance / c.mean / c.mean
		if c.variance > 0 {
			bound += float64(c.n / 3 * (c.variance / c.lo / c.lo) * ((c.hi - c.lo) / c.lo))
		}
		if c.right < 0.5 {
			return -math.Log1p(-c.right) + w/2, w
		}
		return -math.Log(c.mean) + w/2, w
	})
	if err != nil {
		return out, err
	}
	out.Bound = bound/float64(out.N) + float64(0x1p-50*out.Mean)
	return out, nil
}

// part is a cell of scores as seen from the wrong end of [0,1].
type part struct {
	n        float64
	lo, hi   float64 // bounds of the distance from the wrong end
	mean     float64 // its mean
	right    float64 // mean distance from the right end: 1-mean, with all digits
	variance float64
}

// parts lists the cells of the scores with label l, which is not Unlabelled.
// Distances are taken without going through the score, which near 1 would lose
// their digits.
func (s *Scores) parts(l Label) []part {
	h := &s.hist[l]
	ks := h.keyedCells()
	ps := make([]part, 0, len(ks)+2)
	for _, k := range ks {
		sp := Probability.span(k.key)
		m, exp := Probability.origin(sp)
		mean, variance := k.cell.spread()
		lo, hi := math.Float64frombits(sp.lo), math.Float64frombits(sp.hi)
		near := math.Ldexp(float64(m)+mean, exp)
		p := part{n: float64(k.cell.n), lo: lo, hi: hi, mean: near, right: 1 - near, variance: math.Ldexp(variance, 2*exp)}
		if sp.mirrored == (l == Positive) { // nearer to the right end
			p.lo, p.hi, p.mean, p.right = 1-hi, 1-lo, 1-near, near
		}
		ps = append(ps, p)
	}
	wrong, right := h.zero, h.one
	if l == Negative {
		wrong, right = right, wrong
	}
	if wrong > 0 {
		ps = append(ps, part{n: float64(wrong), right: 1})
	}
	if right > 0 {
		ps = append(ps, part{n: float64(right), lo: 1, hi: 1, mean: 1})
	}
	return ps
}

// loss averages f over the labelled cells; f returns the mean and the variance
// of the loss within a cell.
func (s *Scores) loss(what string, f func(c part) (mean, variance float64)) (Loss, error) {
	out := Loss{N: s.hist[Negative].n + s.hist[Positive].n, Variance: math.NaN()}
	if out.N == 0 {
		return out, fmt.Errorf("summary: Scores.%s: no labelled score: %w", what, stats.ErrEmpty)
	}
	ps := append(s.parts(Negative), s.parts(Positive)...)
	losses := make([]float64, len(ps))
	var sum Sum
	within := 0.0
	for i, p := range ps {
		mean, variance := f(p)
		losses[i] = mean
		sum.Add(p.n * mean)
		within += float64(p.n * variance)
	}
	out.Mean = sum.Float64() / float64(out.N)
	if out.N > 1 {
		between := 0.0
		for i, p := range ps {
			d := losses[i] - out.Mean
			between += float64(p.n * float64(d*d))
		}
		out.Variance = (between + within) / float64(out.N-1)
	}
	return out, nil
}
