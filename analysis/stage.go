package analysis

import (
	"fmt"
	"slices"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Step says where a rollout in stages goes.
type Step int8

// The steps. Without a stage, and on any decision but Continue, it is Stay.
const (
	Stay    Step = iota // the traffic stays where it is, or goes back on a rollback
	Advance             // the next stage may begin
	Done                // the last stage is over: the candidate may replace the baseline
)

var stepWords = map[Step]string{Stay: "stay", Advance: "advance", Done: "done"}

// String returns the word used in files and reports.
func (s Step) String() string { return word(stepWords, s) }

// MarshalText implements [encoding.TextMarshaler].
func (s Step) MarshalText() ([]byte, error) { return marshalWord(stepWords, s, "step") }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Step) UnmarshalText(b []byte) error { return unmarshalWord(stepWords, s, b, "step") }

// stageIndex is the place of the named stage, or -1.
func (p *Policy) stageIndex(name string) int {
	return slices.IndexFunc(p.Stages, func(s Stage) bool { return s.Name == name })
}

// SplitOf returns the intended shares of the arms in a stage: those of the
// policy's split when it gives one, else the weight of the stage and the rest.
// The empty name, and one that the policy does not have, give the split of the
// policy.
func (p *Policy) SplitOf(stage string) Split {
	i := p.stageIndex(stage)
	if i < 0 || p.SplitGiven {
		return p.Split
	}
	w := p.Stages[i].Weight / 100
	return Split{Baseline: 1 - w, Candidate: w}
}

// ExposureOf returns the least traffic that a Continue of a stage may rest on:
// that of the policy, with the minimum of the stage itself where it has one.
func (p *Policy) ExposureOf(stage string) Exposure {
	e := p.Exposure
	if i := p.stageIndex(stage); i >= 0 {
		e.MinUnits = max(e.MinUnits, p.Stages[i].MinUnits)
		e.MinDuration = max(e.MinDuration, p.Stages[i].Duration)
	}
	return e
}

// strata orders the evidence of a look by the stages of the policy and checks
// that it belongs there.
func (p *Policy) strata(l *Look) ([]Stratum, error) {
	if l.Stage != "" && p.stageIndex(l.Stage) < 0 {
		return nil, fmt.Errorf("analysis: Evaluate: the policy has no stage %q: %w", l.Stage, stats.ErrMismatch)
	}
	var out []Stratum
	seen := map[string]bool{}
	for _, e := range l.Evidence {
		switch i := p.stageIndex(e.Stage); {
		case seen[e.Stage]:
			return nil, fmt.Errorf("analysis: Evaluate: there are two entries of stage %q; merge their snapshots: %w", e.Stage, stats.ErrMismatch)
		case l.Stage == "" && e.Stage != "", l.Stage != "" && i < 0:
			return nil, fmt.Errorf("analysis: Evaluate: evidence of stage %q in a look at stage %q: %w", e.Stage, l.Stage, stats.ErrMismatch)
		}
		seen[e.Stage] = true
		out = append(out, Stratum{Stage: e.Stage, Split: p.SplitOf(e.Stage), Baseline: e.Baseline, Candidate: e.Candidate, Pairs: e.Pairs})
	}
	if !seen[l.Stage] {
		out = append(out, Stratum{Stage: l.Stage, Split: p.SplitOf(l.Stage)})
	}
	// The present stage comes last, also when a rollout went back to it.
	place := func(s Stratum) int {
		if s.Stage == l.Stage {
			return len(p.Stages)
		}
		return p.stageIndex(s.Stage)
	}
	slices.SortFunc(out, func(a, b Stratum) int { return place(a) - place(b) })
	return out, nil
}

// next says where the rollout goes after a decision.
func (p *Policy) next(d Decision, stage string) (Step, string) {
	i := p.stageIndex(stage)
	switch {
	case d != Continue || i < 0:
		return Stay, ""
	case i == len(p.Stages)-1:
		return Done, ""
	}
	return Advance, p.Stages[i+1].Name
}

// since is how long ago a stage began, by the looks at it; 0 when not known.
func (s *State) since(now time.Time) time.Duration {
	if s.StageSince.IsZero() || now.IsZero() {
		return 0
	}
	return max(0, now.Sub(s.StageSince))
}
