package decision

import (
	"fmt"
	"math"
	"strconv"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Cut is a threshold that was looked for by its rate.
type Cut struct {
	At   float64         // scores at or above it are taken
	Rate summary.Located // share of the scores at or above At
	// Below and Above are the nearest rates, at most and at least the one asked for,
	// that some cut surely has: those beside a tie, or beside the cell of At.
	Below, Above float64
	Tied         bool // the scores that would have to be parted are all the same
}

// CutAt returns the cut that a share of the scores is at or above, F^{-1}(rate).
//
// Where the rate falls among equal scores no cut has it: At is then the one of the
// two possible cuts whose rate is nearer, the higher cut when both are as near. Inside a
// cell of unlike scores the cut is found as if they were spread evenly, and written
// with as few digits as move it by less than half a score.
//
// Special cases: rate 0 gives a cut just above the greatest score, rate 1 the
// smallest score.
// Errors: [stats.ErrEmpty] without scores; [stats.ErrDomain] for a rate outside
// [0,1]. Cost: linear in the populated cells.
func CutAt(h *summary.Histogram, rate float64) (Cut, error) {
	const fn = "CutAt"
	if err := checkScores(fn, h); err != nil {
		return Cut{}, err
	}
	if !(rate >= 0 && rate <= 1) {
		return Cut{}, fmt.Errorf("decision: %s: rate %v: %w", fn, rate, stats.ErrDomain)
	}
	return scoresOf(h).cutAt(float64(rate * float64(h.N()))), nil
}

// cutAt finds the cut that want scores are at or above.
func (s scores) cutAt(want float64) Cut {
	n := float64(s.n)
	taken := 0.0 // scores in the cells above
	higher := math.Nextafter(s.hi, math.Inf(1))
	for i := len(s.cells) - 1; i >= 0; i-- {
		c := s.cells[i]
		with := taken + float64(c.N)
		lo, hi := max(c.Lo, s.lo), min(c.Hi, s.hi)
		tied := c.Lo == c.Hi || c.Var == 0
		if tied {
			lo, hi = c.Mean, c.Mean
		}
		if want > with && i > 0 {
			taken, higher = with, lo
			continue
		}
		out := Cut{Below: taken / n, Above: with / n}
		switch {
		case want <= taken:
			out.At, out.Above = higher, taken/n
		case want >= with:
			out.At, out.Below = lo, with/n
		case tied && with-want < want-taken:
			out.At, out.Tied = lo, true
		case tied:
			out.At, out.Tied = higher, true
		default:
			share := (want - taken) / float64(c.N)
			out.At = short(hi-float64(share*(hi-lo)), (hi-lo)/(2*float64(c.N)), lo, hi)
		}
		out.Rate = s.rate(out.At)
		return out
	}
	return Cut{} // there is a cell, since there are scores
}

// short is a number near x, between lo and hi, with as few digits as can be.
func short(x, within, lo, hi float64) float64 {
	for digits := 2; digits < 17; digits++ {
		y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', digits, 64), 64)
		if err == nil && math.Abs(y-x) <= within && lo <= y && y <= hi {
			return y
		}
	}
	return x
}

// Remap is a cut for another model at which as large a share is acted on.
type Remap struct {
	Cut
	Want float64 // the rate that was asked for
	// Difference is the realised rate less Want in new rows of both models.
	Difference Difference
	Warnings   []stats.Warning // ties
}

// EqualRates returns, for each cut of a model, the cut of another model at which as
// large a share of the scores is at or above it, t' = F_new^{-1}(F_old(t)).
//
// x counts the n scores of the old model that are at or above each of its cuts, the
// highest cut first. The interval of the difference is that of [RateDifference] for
// the realised counts, and covers all counts that the cells of to allow: it says how
// far the two rates may really be apart, because both are from samples.
//
// Warnings: ties where equal scores keep the rate from being met, and where two
// cuts fall together, so that the action between them has no scores.
// Errors: [stats.ErrEmpty] without scores; [stats.ErrDomain] for counts that fall or
// are above n, or a level outside (0,1); level 0 means 0.95.
// Cost: counts times the populated cells.
func EqualRates(x []uint64, n uint64, to *summary.Histogram, level float64) ([]Remap, error) {
	const fn = "EqualRates"
	if err := checkScores(fn, to); err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fmt.Errorf("decision: %s: no scores of the old model: %w", fn, stats.ErrEmpty)
	}
	s := scoresOf(to)
	out := make([]Remap, 0, len(x))
	for i, k := range x {
		if k > n || (i > 0 && k < x[i-1]) {
			return nil, fmt.Errorf("decision: %s: count %d at cut %d of %d scores: %w", fn, k, i, n, stats.ErrDomain)
		}
		want := float64(k) / float64(n)
		r := Remap{Cut: s.cutAt(float64(want * float64(s.n))), Want: want}
		least, most, value := s.above(r.At)
		d, err := RateDifference(k, n, uint64(math.Round(value)), s.n, level)
		if err != nil {
			return nil, fmt.Errorf("decision: %s: %w", fn, err)
		}
		d.Estimate.Point = r.Rate.Value - want
		for _, y := range []uint64{least, most} {
			e, err := RateDifference(k, n, y, s.n, level)
			if err != nil {
				return nil, fmt.Errorf("decision: %s: %w", fn, err)
			}
			d.Estimate.Lo, d.Estimate.Hi = min(d.Estimate.Lo, e.Estimate.Lo), max(d.Estimate.Hi, e.Estimate.Hi)
		}
		r.Difference = d
		if r.Tied {
			r.Warnings = append(r.Warnings, stats.Warning{Code: stats.WarnTies, Message: fmt.Sprintf("equal scores stand where the cut should be; a cut has %.4g or %.4g of them, and nothing between", r.Below, r.Above)})
		}
		if i > 0 && r.At >= out[i-1].At {
			r.Warnings = append(r.Warnings, stats.Warning{Code: stats.WarnTies, Message: fmt.Sprintf("the cut falls together with the one before it, at %v, so that the action between them gets no scores", r.At)})
		}
		out = append(out, r)
	}
	return out, nil
}

// BadCut is a cut that was looked for by the outcomes of what it lets through.
type BadCut struct {
	At         float64        // scores below it are let through
	Rate       stats.Interval // share of positive labels among those, Wilson
	Bad, Known uint64         // positive labels, and labels, below At
	Labels     uint64         // labels on both sides of it
}

// EqualBadRate returns the highest cut below which the share of positive labels is
// at most want: the largest volume that can be let through at a bad rate.
//
// Cuts are looked for at the edges of the cells, where counts are exact. Below a cut
// the bad rate need not rise with it, so the highest cut that holds is taken.
//
// Assumptions: labels are missing at random. Outcomes of what a policy blocks are
// often never seen; then the result holds for the labelled rows only, and a higher
// cut than the old policy's lets rows through of which none is known.
// Errors: [stats.ErrEmpty] without labels; [stats.ErrMismatch] for different layouts;
// [stats.ErrDomain] for a rate outside [0,1], a level outside (0,1), or when no cut
// has so low a bad rate; level 0 means 0.95. Cost: linear in the populated cells.
//
// Reference: Thomas, Edelman and Crook, Credit Scoring and Its Applications (2002),
// chapter 7.
func EqualBadRate(want float64, positive, negative *summary.Histogram, level float64) (BadCut, error) {
	const fn = "EqualBadRate"
	if !(want >= 0 && want <= 1) {
		return BadCut{}, fmt.Errorf("decision: %s: bad rate %v: %w", fn, want, stats.ErrDomain)
	}
	if level == 0 {
		level = defaultLevel
	}
	if positive == nil || negative == nil || positive.N()+negative.N() == 0 {
		return BadCut{}, fmt.Errorf("decision: %s: no labels: %w", fn, stats.ErrEmpty)
	}
	if positive.N() > 0 && negative.N() > 0 && positive.Layout().ID() != negative.Layout().ID() {
		return BadCut{}, fmt.Errorf("decision: %s: layouts %s and %s: %w", fn, positive.Layout().ID(), negative.Layout().ID(), stats.ErrMismatch)
	}
	pos, neg := scoresOf(positive), scoresOf(negative)
	top := math.Inf(-1)
	for _, s := range []scores{pos, neg} {
		if s.n > 0 {
			top = max(top, s.hi)
		}
	}
	out := BadCut{Labels: pos.n + neg.n}
	var bad, known uint64
	for i, j := 0, 0; i < len(pos.cells) || j < len(neg.cells); {
		edge := math.Inf(1)
		if i < len(pos.cells) {
			edge = pos.cells[i].Lo
		}
		if j < len(neg.cells) {
			edge = min(edge, neg.cells[j].Lo)
		}
		if known > 0 && float64(bad) <= float64(want*float64(known)) {
			out.At, out.Bad, out.Known = edge, bad, known
		}
		if i < len(pos.cells) && pos.cells[i].Lo == edge {
			bad, known = bad+pos.cells[i].N, known+pos.cells[i].N
			i++
		}
		if j < len(neg.cells) && neg.cells[j].Lo == edge {
			known += neg.cells[j].N
			j++
		}
	}
	if float64(bad) <= float64(want*float64(known)) {
		out.At, out.Bad, out.Known = math.Nextafter(top, math.Inf(1)), bad, known
	}
	if out.Known == 0 {
		return BadCut{}, fmt.Errorf("decision: %s: no cut has a bad rate of %v or less: %w", fn, want, stats.ErrDomain)
	}
	var err error
	if out.Rate, err = stats.Wilson(out.Bad, out.Known, level); err != nil {
		return BadCut{}, fmt.Errorf("decision: %s: %w", fn, err)
	}
	return out, nil
}
