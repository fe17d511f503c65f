package webhookgate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/rampguard/rampguard/analysis"
)

// remember adds the evidence of the stages before, as the last record knows them,
// unless the look brings its own. A new attempt starts without.
func (g *Gate) remember(ctx context.Context, l *analysis.Look, last *analysis.Verdict, p Policy) error {
	if last == nil || l.Stage == "" || last.State.Candidate != p.Rules.Model.Candidate || last.State.Policy != p.Rules.Digest {
		return nil
	}
	given := len(l.Evidence)
	for _, in := range last.Record.Inputs {
		if in.Stage == l.Stage || in.Stage == "" || !slices.Contains([]string{"baseline", "candidate", "pairs"}, in.Arm) ||
			slices.ContainsFunc(l.Evidence[:given], func(e analysis.StageEvidence) bool { return e.Stage == in.Stage }) {
			continue
		}
		i := slices.IndexFunc(l.Evidence, func(e analysis.StageEvidence) bool { return e.Stage == in.Stage })
		if i < 0 {
			i, l.Evidence = len(l.Evidence), append(l.Evidence, analysis.StageEvidence{Stage: in.Stage})
		}
		if in.Digest == "" {
			continue
		}
		var err error
		switch e := &l.Evidence[i]; in.Arm {
		case "baseline":
			e.Baseline, err = LoadSnapshot(ctx, g.o.Store, in.Digest)
		case "candidate":
			e.Candidate, err = LoadSnapshot(ctx, g.o.Store, in.Digest)
		default:
			e.Pairs, err = LoadPairs(ctx, g.o.Store, in.Digest)
		}
		if err != nil {
			return rememberedFault(in.Stage, in.Digest, err)
		}
	}
	return nil
}

// rememberedFault is evidence of a stage before that cannot be had. What is missing or
// damaged stays so, and is for the log to say: the caller can do nothing about it.
func rememberedFault(stage, digest string, err error) error {
	cause := fmt.Errorf("webhookgate: the evidence of stage %s, digest %s: %w", stage, digest, err)
	if errors.Is(err, ErrNotFound) || unusable(err) {
		return &fault{http.StatusInternalServerError, codeInternal, fmt.Sprintf("the evidence of stage %s is missing or damaged in the store; the log of the gate says more", stage), cause}
	}
	return storeFault(cause)
}

// snapshot is evidence of either kind.
type snapshot interface {
	Digest() (string, error)
	MarshalBinary() ([]byte, error)
}

// blobs lists all that a look rests on, in the order of the names.
func blobs(l *analysis.Look, p Policy) ([]Blob, error) {
	var out []Blob
	var fault error
	add := func(name func(digest string) string, s snapshot) {
		digest, err := s.Digest()
		if err != nil {
			fault = err
			return
		}
		b, err := s.MarshalBinary()
		if err != nil {
			fault = err
			return
		}
		out = append(out, Blob{name(digest), b})
	}
	arms := []*analysis.Snapshot{l.Reference, l.Previous}
	for _, e := range l.Evidence {
		arms = append(arms, e.Baseline, e.Candidate)
		if e.Pairs != nil {
			add(pairsName, e.Pairs)
		}
	}
	for _, s := range arms {
		if s != nil {
			add(snapshotName, s)
		}
	}
	if fault != nil {
		return nil, fault
	}
	for digest, canonical := range p.Canonical {
		out = append(out, Blob{policyName(digest), canonical})
	}
	slices.SortFunc(out, func(a, b Blob) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(out, func(a, b Blob) bool { return a.Name == b.Name }), nil
}
