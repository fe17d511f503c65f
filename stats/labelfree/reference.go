package labelfree

import (
	"cmp"
	"fmt"
	"math"
	"sort"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/calibration"
	"github.com/rampguard/rampguard/stats/summary"
)

// Calibration says which scores are taken for probabilities.
type Calibration int8

// The choices.
const (
	CalibrateIfBetter Calibration = iota // the map if it is expected to help on new rows; the default
	CalibrateAlways                      // the map
	CalibrateNever                       // the scores as they are
)

// Reference is what scores meant where labels were known. Build it with
// [NewReference]; it does not change afterwards.
type Reference struct {
	knots      []knot  // ascending in score
	blocks     []block // of the calibration map
	calibrated bool
	gain       float64
	n, pos     uint64
	excluded   uint64
	scores     *summary.Scores
}

// knot is a cell of the reference, at the mean of its scores.
type knot struct {
	lo, hi   float64
	score    float64
	neg, pos float64
	variance float64 // of the scores in the cell
	block    int
}

// block is a stretch of cells that the map gives one probability.
type block struct {
	n, pos float64
	rate   float64
}

// variance is that of the rate of the block, from counts with one row of each
// class added, so that a block of one class is not taken for certain.
func (b block) variance() float64 {
	r := (b.pos + 1) / (b.n + 2)
	return r * (1 - r) / b.n
}

// NewReference fits the calibration map of the labelled scores: the isotonic
// regression of the labels on the scores, pooled by adjacent violators over the
// cells, with straight lines between the means of the cells.
//
// CalibrateIfBetter takes the map when it is expected to lower the squared error of
// new rows. Its gain on the reference is too good by twice the sum over the blocks
// of r (1-r), the covariance of fit and labels; so it is taken when
//
//	sum (y-s)^2 - sum (y-m)^2 > 2 sum over blocks r (1-r)
//
// with s the score, m the map, and r the rate of a block after one row of each class
// was added. Where scores are calibrated to begin with, noise takes it in fewer than
// half of the samples;
// the map then does no harm either.
//
// Errors: [stats.ErrEmpty] without a labelled score in [0,1]; [stats.ErrDomain] for
// labels of one class, from which no map can be learned, and for an unknown c. Cost:
// linear in the cells. s must not change afterwards.
//
// References: Meyer and Woodroofe (2000), On the degrees of freedom in
// shape-restricted regression, Annals of Statistics 28. Efron (2004), The estimation
// of prediction error: covariance penalties and cross-validation, JASA 99.
func NewReference(s *summary.Scores, c Calibration) (*Reference, error) {
	const fn = "NewReference"
	if c < CalibrateIfBetter || c > CalibrateNever {
		return nil, fmt.Errorf("labelfree: %s: calibration %d: %w", fn, c, stats.ErrDomain)
	}
	neg, pos := s.By(summary.Negative), s.By(summary.Positive)
	r := &Reference{scores: s, n: neg.N() + pos.N(), pos: pos.N(), excluded: neg.Excluded().Total() + pos.Excluded().Total()}
	switch {
	case r.n == 0:
		return nil, fmt.Errorf("labelfree: %s: the reference has no score with a label: %w", fn, stats.ErrEmpty)
	case r.pos == 0 || r.pos == r.n:
		return nil, fmt.Errorf("labelfree: %s: the reference has %d positive and %d negative labels, and needs both: %w", fn, r.pos, r.n-r.pos, stats.ErrDomain)
	}
	r.knots = knotsOf(neg.Cells(), pos.Cells())
	y, w := make([]float64, len(r.knots)), make([]float64, len(r.knots))
	for i, k := range r.knots {
		w[i] = k.neg + k.pos
		y[i] = k.pos / w[i]
	}
	fit, err := calibration.Isotonic(y, w)
	if err != nil {
		return nil, fmt.Errorf("labelfree: %s: %w", fn, err)
	}
	for i := range r.knots {
		k := &r.knots[i]
		if i == 0 || fit[i] != fit[i-1] {
			r.blocks = append(r.blocks, block{rate: fit[i]})
		}
		k.block = len(r.blocks) - 1
		b := &r.blocks[k.block]
		b.n += w[i]
		b.pos += k.pos
	}
	r.gain = r.gained()
	r.calibrated = c == CalibrateAlways || c == CalibrateIfBetter && r.gain > 0
	return r, nil
}

// gained is by how much the map is expected to lower the mean squared error.
func (r *Reference) gained() float64 {
	gain := 0.0
	for _, k := range r.knots {
		m := r.blocks[k.block].rate
		n := k.neg + k.pos
		// Scores in a cell vary about its mean; the map does not follow them.
		gain += float64(n * k.variance)
		gain += float64(k.neg * (float64(k.score*k.score) - float64(m*m)))
		gain += float64(k.pos * (float64((1-k.score)*(1-k.score)) - float64((1-m)*(1-m))))
	}
	for _, b := range r.blocks {
		gain -= float64(2 * b.n * b.variance())
	}
	return gain / float64(r.n)
}

// Calibrated reports whether scores go through the calibration map, and by how much
// the map is expected to lower the mean squared error of new rows.
func (r *Reference) Calibrated() (yes bool, gain float64) { return r.calibrated, r.gain }

// N is the number of labelled scores, and how many of the labels are positive.
func (r *Reference) N() (n, positive uint64) { return r.n, r.pos }

// At is the probability of a positive label at a score in [0,1]. Outside of [0,1] it
// is that of the nearer end, and NaN is NaN.
func (r *Reference) At(score float64) float64 {
	if math.IsNaN(score) {
		return score
	}
	p, _, _, _ := r.at(min(1, max(0, score)))
	return p
}

// at gives the probability at a score, with the blocks on both sides and the share
// of the second one.
func (r *Reference) at(score float64) (p float64, a, b int, share float64) {
	i := sort.Search(len(r.knots), func(i int) bool { return r.knots[i].score >= score })
	switch {
	case i == len(r.knots):
		a = r.knots[i-1].block
		b = a
	case i == 0 || r.knots[i].score == score:
		a = r.knots[i].block
		b = a
	default:
		left, right := r.knots[i-1], r.knots[i]
		a, b = left.block, right.block
		share = (score - left.score) / (right.score - left.score)
	}
	if !r.calibrated {
		return score, a, b, share
	}
	return float64((1-share)*r.blocks[a].rate) + float64(share*r.blocks[b].rate), a, b, share
}

// knotsOf puts the cells of the two classes together.
func knotsOf(neg, pos []summary.Cell) []knot {
	var out []knot
	for len(neg)+len(pos) > 0 {
		order := 0 // which list has the next cell; 0 is both
		switch {
		case len(pos) == 0:
			order = -1
		case len(neg) == 0:
			order = +1
		default:
			order = cmp.Or(cmp.Compare(neg[0].Lo, pos[0].Lo), cmp.Compare(neg[0].Hi, pos[0].Hi))
		}
		var n, p summary.Cell
		if order <= 0 {
			n, neg = neg[0], neg[1:]
		}
		if order >= 0 {
			p, pos = pos[0], pos[1:]
		}
		out = append(out, pooled(n, p))
	}
	return out
}

// pooled is a cell of rows of both classes; one of the two may be empty.
func pooled(n, p summary.Cell) knot {
	k := knot{lo: n.Lo, hi: n.Hi, neg: float64(n.N), pos: float64(p.N)}
	if n.N == 0 {
		k.lo, k.hi = p.Lo, p.Hi
	}
	share := k.pos / (k.neg + k.pos)
	k.score = n.Mean + float64(share*(p.Mean-n.Mean))
	d := p.Mean - n.Mean
	k.variance = float64((1-share)*n.Var) + float64(share*p.Var) + float64(share*(1-share)*d*d)
	if n.N == 0 || p.N == 0 {
		k.variance = n.Var + p.Var
		k.score = n.Mean + p.Mean // the empty one is 0
	}
	return k
}
