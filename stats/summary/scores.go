package summary

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// Label is what is known of a row's outcome. The zero value is Unlabelled: a
// label that has not arrived says nothing.
type Label uint8

// The states of a label.
const (
	Unlabelled Label = iota
	Negative
	Positive
)

// labels is the number of label states.
const labels = 3

// Scores holds the scores of a binary classifier, probabilities of the positive
// class, split by label. From it follow, without another pass, the score's own
// distribution, AUC, log loss, Brier score, calibration in 2048 bins, and, at
// the cuts given beforehand, exact confusion counts.
//
// Cells are those of the Probability layout, so each of the 2048 equal bins of
// [Scores.Reliability] is a union of cells. Merge is exact, commutative and
// associative. The zero Scores is empty, has no cuts, and is the identity of
// Merge. Scores is not safe for concurrent use.
type Scores struct {
	hist [labels]Histogram
	cuts [labels]Histogram // frozen edges at the decision thresholds
}

// NewScores returns an empty Scores that counts exactly how many scores are
// below and at or above each cut. Cuts follow the rules of [NewEdges]; without
// cuts it is the zero Scores.
func NewScores(cuts ...float64) (*Scores, error) {
	s := &Scores{}
	if len(cuts) == 0 {
		return s, nil
	}
	l, err := NewEdges(cuts...)
	if err != nil {
		return nil, fmt.Errorf("summary: NewScores: %w", err)
	}
	for i := range s.cuts {
		s.cuts[i].setLayout(l)
	}
	return s, nil
}

// AddSlice counts scores with their labels; the slices must be of equal length.
// Scores outside [0,1], NaN and infinite ones are counted apart. A label that is
// none of the three states counts as Unlabelled.
func (s *Scores) AddSlice(scores []float64, ls []Label) error {
	if len(scores) != len(ls) {
		return fmt.Errorf("summary: Scores.AddSlice: %d scores and %d labels: %w", len(scores), len(ls), stats.ErrMismatch)
	}
	if len(scores) == 0 {
		return nil
	}
	s.prepare()
	for len(scores) > 0 {
		k := min(len(scores), scoreBlock)
		s.addBlock(scores[:k], ls[:k])
		scores, ls = scores[k:], ls[k:]
	}
	return nil
}

// prepare gives the histograms their layout, once there is a row to count.
func (s *Scores) prepare() {
	if s.hist[0].layout.kind == Unset {
		for i := range s.hist {
			s.hist[i].setLayout(Layout{kind: Probability})
		}
	}
}

// AddUnlabelled counts scores whose labels have not arrived.
func (s *Scores) AddUnlabelled(scores []float64) {
	if len(scores) == 0 {
		return
	}
	s.prepare()
	s.hist[Unlabelled].AddSlice(scores)
	if s.cuts[Unlabelled].layout.kind == FrozenEdges {
		s.cuts[Unlabelled].AddSlice(scores)
	}
}

// AddNull counts n rows without a score, with the given label.
func (s *Scores) AddNull(n uint64, l Label) {
	if n == 0 {
		return
	}
	if l > Positive {
		l = Unlabelled
	}
	s.prepare()
	s.hist[l].AddNull(n)
}

// AddN counts the score p with label l n times, as for counts that come grouped. A
// label that is none of the three states counts as Unlabelled. n must be below 2^47.
func (s *Scores) AddN(p float64, l Label, n uint64) {
	if n == 0 {
		return
	}
	if l > Positive {
		l = Unlabelled
	}
	s.prepare()
	s.hist[l].AddN(p, n)
	if s.cuts[l].layout.kind == FrozenEdges {
		s.cuts[l].AddN(p, n)
	}
}

// Total is the number of rows counted, with and without a usable score.
func (s *Scores) Total() uint64 {
	n := uint64(0)
	for i := range s.hist {
		n += s.hist[i].Total()
	}
	return n
}

// By returns the histogram of the scores with the given label. It is part of s:
// read it, do not add to it.
func (s *Scores) By(l Label) *Histogram {
	if l > Positive {
		l = Unlabelled
	}
	return &s.hist[l]
}

// All returns the histogram of all scores, whatever their label.
func (s *Scores) All() *Histogram {
	out := NewHistogram(Layout{kind: Probability})
	for i := range s.hist {
		_ = out.Merge(&s.hist[i]) // the three have this layout or none
	}
	return out
}

// Cuts returns the thresholds at which counts are exact.
func (s *Scores) Cuts() []float64 { return s.cuts[0].layout.Edges() }

// AtLeast returns how many scores with label l are at or above the cut, and how
// many finite scores in any range with that label there are. It reports false
// when cut is not one of [Scores.Cuts].
func (s *Scores) AtLeast(cut float64, l Label) (above, of uint64, ok bool) {
	if l > Positive {
		l = Unlabelled
	}
	h := &s.cuts[l]
	for i, e := range h.layout.edges {
		if e != cut {
			continue
		}
		for _, n := range h.counts[i+1:] {
			above += n
		}
		return above, h.n, true
	}
	return 0, 0, false
}

// Merge adds o to s; o is unchanged. Different cuts do not merge: the error wraps
// [stats.ErrMismatch]; s is then unchanged. An empty s without cuts takes over
// those of o.
func (s *Scores) Merge(o *Scores) error {
	mine, theirs := s.cuts[0].layout, o.cuts[0].layout
	switch {
	case o.Total() == 0 && theirs.kind == Unset:
		return nil
	case s.Total() == 0 && mine.kind == Unset:
	case !mine.equal(theirs):
		return fmt.Errorf("summary: Scores.Merge: cuts %v and %v: %w", s.Cuts(), o.Cuts(), stats.ErrMismatch)
	}
	for i := range s.hist {
		if err := s.hist[i].Merge(&o.hist[i]); err != nil {
			return err
		}
		if err := s.cuts[i].Merge(&o.cuts[i]); err != nil {
			return err
		}
	}
	return nil
}
