package analysis

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// PairSnapshot is the evidence of requests that both models scored: mergeable
// counts whose size does not depend on the number of rows. Snapshots of workers,
// files, hours and stages that share a spec add up, in any order, to the same
// bytes.
//
// The rows are pairs: requests with a row of each model. Whoever joined the two
// logs says in OnlyBaseline, OnlyCandidate, DuplicateBaseline and
// DuplicateCandidate what was left out, and in LabelConflicts which labels; a log that
// holds both scores in each row leaves them 0. Treat a snapshot otherwise as read-only, except for Merge.
type PairSnapshot struct {
	Spec *PairSpec
	PairSummary
	Slices []PairTable // in the order of Spec.Slices

	OnlyBaseline, OnlyCandidate           uint64 // ids with a row of one model only
	DuplicateBaseline, DuplicateCandidate uint64 // rows left out because their id was there before

	LabelConflicts uint64 // pairs without a label because the two logs have different ones; set as those above
	InvalidLabels  uint64 // label values that are neither 0 nor 1, or not finite
	ImmatureLabels uint64 // rows whose label does not count yet, there or not
	MatureBefore   Cutoffs

	// NoLabel, NoUnit and NoTime are rows of a log that does not have the column of
	// the spec at all.
	NoLabel, NoUnit, NoTime uint64

	Units summary.Distinct
	Clock TimeRange
}

// PairSummary is what is known of some pairs.
type PairSummary struct {
	RowCount uint64
	Grid     summary.PairGrid // of a binary task
	Errors   PairErrors       // of a regression task
}

// PairErrors compares the absolute errors of two models on the same rows, in exact
// sums.
type PairErrors struct {
	Baseline, Candidate summary.Sum     // absolute errors
	Difference          summary.Moments // the candidate's less the baseline's
	Unlabelled          uint64          // rows without a label that counts
	Unusable            uint64          // rows with a label and without two finite scores, or too far off
}

// newPairSummary is empty. That of all rows is divided more finely than those of
// slices, of which there are many.
func newPairSummary(s *PairSpec, all bool) PairSummary {
	var out PairSummary
	if s.Task == Binary {
		if g, err := summary.NewPairGrid(s.BaselineCuts, s.CandidateCuts, summary.PairGridOptions{Fine: all}); err == nil { // NewPairSpec has checked the cuts
			out.Grid = *g
		}
	}
	return out
}

func newPairSnapshot(s *PairSpec) *PairSnapshot {
	out := &PairSnapshot{Spec: s, PairSummary: newPairSummary(s, true)}
	for i := range s.Slices {
		out.Slices = append(out.Slices, newPairTable(s, &s.Slices[i]))
	}
	return out
}

// Merge adds the rows of o to s; o is unchanged. Different specs do not merge: the
// error wraps [stats.ErrMismatch] and s is unchanged.
func (s *PairSnapshot) Merge(o *PairSnapshot) error {
	if a, b := s.Spec.Fingerprint(), o.Spec.Fingerprint(); a != b {
		return fmt.Errorf("analysis: PairSnapshot.Merge: specs %.12s and %.12s differ: %w", a, b, stats.ErrMismatch)
	}
	s.MatureBefore = s.age().cutoffsWith(o.age())
	for i := range s.Slices {
		s.Slices[i].merge(&o.Slices[i])
	}
	s.PairSummary.add(&o.PairSummary)
	s.OnlyBaseline += o.OnlyBaseline
	s.OnlyCandidate += o.OnlyCandidate
	s.DuplicateBaseline += o.DuplicateBaseline
	s.DuplicateCandidate += o.DuplicateCandidate
	s.LabelConflicts += o.LabelConflicts
	s.NoLabel += o.NoLabel
	s.NoUnit += o.NoUnit
	s.NoTime += o.NoTime
	s.InvalidLabels += o.InvalidLabels
	s.ImmatureLabels += o.ImmatureLabels
	s.Clock.merge(o.Clock)
	return s.Units.Merge(&o.Units)
}

// age is a snapshot with the cutoffs of s and nothing else.
func (s *PairSnapshot) age() *Snapshot {
	return &Snapshot{Spec: &Spec{}, RowCount: s.RowCount, MatureBefore: s.MatureBefore}
}

// add is Merge for summaries of one spec, of which nothing can be refused.
func (p *PairSummary) add(o *PairSummary) {
	p.RowCount += o.RowCount
	_ = p.Grid.Merge(&o.Grid)
	_ = p.Errors.Baseline.Merge(&o.Errors.Baseline)
	_ = p.Errors.Candidate.Merge(&o.Errors.Candidate)
	_ = p.Errors.Difference.Merge(&o.Errors.Difference)
	p.Errors.Unlabelled += o.Errors.Unlabelled
	p.Errors.Unusable += o.Errors.Unusable
}

// MergePairSnapshots adds up snapshots into a new one. No snapshot at all is an
// error wrapping [stats.ErrEmpty].
func MergePairSnapshots(ss ...*PairSnapshot) (*PairSnapshot, error) {
	if len(ss) == 0 {
		return nil, fmt.Errorf("analysis: MergePairSnapshots: %w", stats.ErrEmpty)
	}
	out := newPairSnapshot(ss[0].Spec)
	for _, s := range ss {
		if err := out.Merge(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Table returns the slices of a cross, or nil when the spec does not ask for it.
func (s *PairSnapshot) Table(cross *SliceSpec) *PairTable {
	for i := range s.Slices {
		if s.Slices[i].cross.Same(cross) {
			return &s.Slices[i]
		}
	}
	return nil
}
