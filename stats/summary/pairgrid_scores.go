package summary

import (
	"math"

	"github.com/rampguard/rampguard/stats"
)

// pairScores is the histogram, by class, of the scores of one side of a PairGrid.
//
// Cells are those of the distance of a score from the nearer end of [0,1]: 0 by
// itself, all below 2^-64, one per octave up to 2^-24, and equal parts of each octave
// from there to 1/2. A cell also knows whether all of its scores are the same. Cells
// of both ends are numbered in ascending order of the score.
type pairScores struct {
	bits  int          // of the parts of an octave
	pages []*scorePage // nil before the first score
}

const (
	scoreBits      = 6  // parts of an octave: 64
	scoreBitsFine  = 12 // with Fine: 4096
	scoreFirst     = 1023 - 24
	scoreOctaves   = 23 // from 2^-24 to 1/2
	scoreTail      = 40 // octaves of one cell each
	scoreParts     = 2 + scoreTail
	scorePageCells = 256
	severalScores  = math.MaxUint64 // in place of the one value
)

type scorePage [scorePageCells]scoreCell

// scoreCell counts the scores of a cell. Without any, it is zero.
type scoreCell struct {
	n    [2]uint64 // negatives and positives
	only uint64    // the bits of their one value, or severalScores
}

func (c *scoreCell) total() uint64 { return c.n[0] + c.n[1] }

// half is the number of cells on either side of 1/2.
func (s *pairScores) half() int { return scoreParts + scoreOctaves<<s.bits + 1 }

// cell is the cell of a score in [0,1].
func (s *pairScores) cell(x float64) int {
	d := x
	if x >= 0.5 {
		d = 1 - x // exact
	}
	b := math.Float64bits(d)
	i := 1
	switch e := int(b >> 52); {
	case d == 0:
		i = 0
	case e >= scoreFirst:
		i = scoreParts + int(b>>(52-s.bits)) - scoreFirst<<s.bits
	case e >= scoreFirst-scoreTail:
		i = 2 + e - (scoreFirst - scoreTail)
	}
	if x >= 0.5 {
		return 2*s.half() - 1 - i
	}
	return i
}

// at is the cell with a number, with memory for it.
func (s *pairScores) at(i int) *scoreCell {
	if s.pages == nil {
		s.pages = make([]*scorePage, (2*s.half()+scorePageCells-1)/scorePageCells)
	}
	p := s.pages[i/scorePageCells]
	if p == nil {
		p = new(scorePage)
		s.pages[i/scorePageCells] = p
	}
	return &p[i%scorePageCells]
}

// add counts a score in [0,1] with a label that is Negative or Positive.
func (s *pairScores) add(x float64, l Label, n uint64) {
	s.at(s.cell(x)).add(l, math.Float64bits(x+0), n) // -0 becomes 0
}

func (c *scoreCell) add(l Label, only, n uint64) {
	switch {
	case n == 0:
		return
	case c.total() == 0:
		c.only = only
	case c.only != only:
		c.only = severalScores
	}
	c.n[l-Negative] += n
}

// each visits the cells that have scores, in order.
func (s *pairScores) each(visit func(i int, c *scoreCell)) {
	for p, page := range s.pages {
		if page == nil {
			continue
		}
		for k := range page {
			if c := &page[k]; c.total() > 0 {
				visit(p*scorePageCells+k, c)
			}
		}
	}
}

func (s *pairScores) merge(o *pairScores) {
	o.each(func(i int, c *scoreCell) {
		mine := s.at(i)
		mine.add(Negative, c.only, c.n[0])
		mine.add(Positive, c.only, c.n[1])
	})
}

func (s *pairScores) write(w *writer) {
	used := uint64(0)
	s.each(func(int, *scoreCell) { used++ })
	w.u64(used)
	last := -1
	s.each(func(i int, c *scoreCell) {
		single := c.only != severalScores
		w.u64(uint64(i-last)<<1 | uint64(bit(single)))
		if single {
			w.f64(math.Float64frombits(c.only))
		}
		w.u64(c.n[0])
		w.u64(c.n[1])
		last = i
	})
}

// read reads the scores of as many negatives and positives as the grid has.
func (s *pairScores) read(r *reader, want [2]uint64) {
	var sum [2]uint64
	last := -1
	for n := r.length(3); n > 0 && r.err == nil; n-- {
		head := r.u64()
		if gap := head >> 1; gap == 0 || gap >= uint64(2*s.half()-last) {
			r.fail("score cell %d after cell %d", gap, last)
			return
		}
		last += int(head >> 1)
		c := scoreCell{only: severalScores}
		if head&1 == 1 {
			x := r.f64()
			if !(x >= 0 && x <= 1) || isNegativeZero(x) || s.cell(x) != last {
				r.fail("score %v in cell %d", x, last)
				return
			}
			c.only = math.Float64bits(x)
		}
		c.n = [2]uint64{r.u64(), r.u64()}
		for k := range sum {
			sum[k] = r.sum(sum[k], c.n[k])
		}
		if total := r.sum(c.n[0], c.n[1]); total == 0 || total == 1 && c.only == severalScores {
			r.fail("%d scores in a cell", total)
		}
		if r.err == nil {
			*s.at(last) = c
		}
	}
	if sum != want {
		r.fail("scores of %d negatives and positives, of %d in the grid", sum, want)
	}
}

// ScoreCells returns the histogram of the labelled scores of each side, of rows in
// the grid, in ascending order; only cells that have scores are in it.
func (g *PairGrid) ScoreCells() (baseline, candidate stats.ScoreCells) {
	for i, dst := range []*stats.ScoreCells{&baseline, &candidate} {
		g.scores[i].each(func(_ int, c *scoreCell) {
			dst.Negatives = append(dst.Negatives, c.n[0])
			dst.Positives = append(dst.Positives, c.n[1])
			dst.Single = append(dst.Single, c.only != severalScores)
		})
	}
	return baseline, candidate
}
