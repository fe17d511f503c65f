package webhookgate

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// standing is what a host is told.
type standing struct {
	decision analysis.Decision
	resume   analysis.Resume
	reasons  []string
	verdict  *analysis.Verdict // nil when nobody has looked yet
	owner    string            // see [Store.Bind]
}

// ask returns the standing of a rollout for a host. Of a policy with a source it
// looks first, unless somebody has just looked.
func (g *Gate) ask(ctx context.Context, policy, rollout, stage, client string) (standing, error) {
	p, ok := g.o.Policies.Policy(policy)
	if !ok {
		return standing{}, unknownPolicy(policy)
	}
	if p.Source == nil {
		s, err := g.read(ctx, policy, rollout)
		if err == nil && stage != "" && s.decision == analysis.Continue && s.verdict.Stage != stage {
			s.decision, s.resume = analysis.Pause, analysis.Auto
			s.reasons = append([]string{fmt.Sprintf("The last look was at stage %q; post the evidence of stage %s.", s.verdict.Stage, stage)}, s.reasons...)
		}
		return s, err
	}
	a, err := g.decide(ctx, task{policy: policy, rollout: rollout, stage: stage, client: client, fresh: g.o.MinInterval, look: func(ctx context.Context, l *analysis.Look, p Policy) error {
		return collect(ctx, rollout, l, p)
	}})
	if err != nil {
		return standing{}, err
	}
	return g.stand(a.verdict), nil
}

// collect lets the source of the policy bring the evidence of the present stage.
func collect(ctx context.Context, rollout string, l *analysis.Look, p Policy) error {
	spec, err := analysis.UnionSpec(append([]*analysis.Policy{p.Rules}, p.Shadows...)...)
	if err != nil {
		return err
	}
	q := Query{Rollout: rollout, Stage: l.Stage, Spec: spec, Since: l.Now, Now: l.Now}
	if l.State != nil && l.State.Stage == l.Stage && !l.State.StageSince.IsZero() {
		q.Since = l.State.StageSince
	}
	c, err := p.Source.Collect(ctx, q)
	if err != nil {
		return &fault{http.StatusBadGateway, codeSource, "the source of evidence failed; the log of the gate says more", err}
	}
	l.Evidence = []analysis.StageEvidence{{Stage: l.Stage, Baseline: c.Baseline, Candidate: c.Candidate}}
	l.Problems = c.Problems
	return nil
}

// read returns the standing by the last look.
func (g *Gate) read(ctx context.Context, policy, rollout string) (standing, error) {
	p, ok := g.o.Policies.Policy(policy)
	if !ok {
		return standing{}, unknownPolicy(policy)
	}
	past, err := g.o.Store.Load(ctx, rollout, "")
	if err != nil {
		return standing{}, storeFault(err)
	}
	if past.Last == nil {
		return standing{decision: analysis.Pause, resume: analysis.Auto, owner: past.Owner,
			reasons: []string{fmt.Sprintf("Nobody has looked at rollout %s yet: post its evidence to /v1/decide, or give policy %s a source.", rollout, policy)}}, nil
	}
	v, err := readVerdict(past.Last)
	if err != nil {
		return standing{}, err
	}
	if err := belongs(&past, v, policy, p); err != nil {
		return standing{}, err
	}
	s := g.stand(v)
	s.owner = past.Owner
	return s, nil
}

// stand makes a pause of a Continue that is too old.
func (g *Gate) stand(v *analysis.Verdict) standing {
	s := standing{decision: v.Decision, resume: v.Resume, verdict: v}
	if age := g.o.Now().Sub(decidedAt(v)); v.Decision == analysis.Continue && age > g.o.MaxAge {
		s.decision, s.resume = analysis.Pause, analysis.Auto
		s.reasons = append(s.reasons, fmt.Sprintf("The last look was %s ago and said continue; after %s that no longer counts. Post new evidence.", age.Round(time.Second), g.o.MaxAge))
	}
	for _, r := range v.Reasons {
		s.reasons = append(s.reasons, r.Text)
	}
	return s
}
