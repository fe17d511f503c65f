package analysis

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// pairsArm is how inputs of a record name pairs.
const pairsArm = "pairs"

// pairInputs identifies the pairs of a look; a stage without any has none.
func (p *Policy) pairInputs(l *Look, strata []Stratum) ([]Input, error) {
	var out []Input
	var want *PairSpec
	first := ""
	for _, s := range strata {
		if s.Pairs == nil {
			continue
		}
		if want == nil {
			var err error
			switch want, err = p.PairSpec(); {
			case err != nil:
				return nil, err
			case want == nil:
				return nil, fmt.Errorf("analysis: Evaluate: there are pairs, but the policy has no section pairs to say what they are: %w", stats.ErrMismatch)
			}
		}
		mine := s.Pairs.Spec.Fingerprint()
		if first == "" {
			first = mine
		}
		if mine != first {
			return nil, fmt.Errorf("analysis: Evaluate: the pairs of stage %q were collected for another spec than those of other stages: %w", s.Stage, stats.ErrMismatch)
		}
		if why := s.Pairs.Spec.lacks(want); why != "" {
			return nil, fmt.Errorf("analysis: Evaluate: the pairs were collected for another spec than this policy's: %s; collect them again with the policy: %w", why, stats.ErrMismatch)
		}
		in := Input{Arm: pairsArm, Stage: s.Stage, Rows: s.Pairs.RowCount}
		if !l.Unrecorded {
			var err error
			if in.Digest, err = s.Pairs.Digest(); err != nil {
				return nil, err
			}
		}
		out = append(out, in)
	}
	return out, nil
}

// Archive finds evidence by its digest.
type Archive struct {
	Snapshot func(digest string) (*Snapshot, error)
	Pairs    func(digest string) (*PairSnapshot, error) // nil when there are none
}

// fetch puts the evidence that an input names into the look.
func (a *Archive) fetch(l *Look, in Input) error {
	named := func(err error) error { return fmt.Errorf("%w: %s %s: %w", ErrReplay, in.Arm, in.Stage, err) }
	other := func(have string, err error) error {
		if err != nil {
			return named(err)
		}
		return fmt.Errorf("%w: the snapshot of %s %s has digest %.12s, not %.12s", ErrReplay, in.Arm, in.Stage, have, in.Digest)
	}
	switch {
	case in.Arm == pairsArm && a.Pairs == nil:
		return fmt.Errorf("%w: it rests on pairs, which the archive does not hold", ErrReplay)
	case in.Arm == pairsArm:
		s, err := a.Pairs(in.Digest)
		if err != nil {
			return named(err)
		}
		if have, err := s.Digest(); err != nil || have != in.Digest {
			return other(have, err)
		}
		l.stage(in.Stage).Pairs = s
	case in.Digest == "":
		l.place(in, nil)
	default:
		s, err := a.Snapshot(in.Digest)
		if err != nil {
			return named(err)
		}
		if have, err := s.Digest(); err != nil || have != in.Digest {
			return other(have, err)
		}
		l.place(in, s)
	}
	return nil
}

// stage is the entry of the stage in the evidence of the look, which it adds if
// need be.
func (l *Look) stage(name string) *StageEvidence {
	for i := range l.Evidence {
		if l.Evidence[i].Stage == name {
			return &l.Evidence[i]
		}
	}
	l.Evidence = append(l.Evidence, StageEvidence{Stage: name})
	return &l.Evidence[len(l.Evidence)-1]
}

// orPairs lets the pairs of a stage without arms stand for the traffic: each is
// served by one model and scored by both.
func (e exposure) orPairs(s Stratum) exposure {
	if s.Pairs == nil || s.Baseline != nil || s.Candidate != nil {
		return e
	}
	e.units = s.Pairs.RowCount
	if c := s.Pairs.Clock; c.N > 0 {
		e.timed, e.duration = true, c.span()
	}
	return e
}

// labelled is what [Policy.labelAge] has to know of pairs: nil without labels.
func (s *PairSnapshot) labelled() *Snapshot {
	if s == nil || s.Spec.Label == "" {
		return nil
	}
	spec := &Spec{Columns: []ColumnSpec{{Name: s.Spec.Label, Role: Label}}}
	return &Snapshot{Spec: spec, RowCount: s.RowCount, Columns: make([]ColumnSummary, 1), MatureBefore: s.MatureBefore}
}
