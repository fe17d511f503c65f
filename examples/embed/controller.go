package main

import (
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// controller is all that a rollout controller needs of the library: it shows the
// engine what was served, and does what the verdict says.
type controller struct {
	policy    *analysis.Policy
	setWeight func(percent float64)
	evidence  []analysis.StageEvidence // a stage each; the last one is the present
	state     *analysis.State          // a real controller stores it
	finished  bool
}

func newController(p *analysis.Policy, setWeight func(float64)) *controller {
	c := &controller{policy: p, setWeight: setWeight}
	c.enter(p.Stages[0].Name)
	return c
}

// enter begins a stage.
func (c *controller) enter(stage string) {
	c.evidence = append(c.evidence, analysis.StageEvidence{Stage: stage})
	for _, s := range c.policy.Stages {
		if s.Name == stage {
			c.setWeight(s.Weight)
		}
	}
}

// look asks for a verdict and acts on it.
func (c *controller) look(now time.Time, baseline, candidate *analysis.Snapshot, problems []analysis.SourceProblem, overrides []analysis.Override) (analysis.Verdict, error) {
	present := &c.evidence[len(c.evidence)-1]
	present.Baseline, present.Candidate = baseline, candidate
	v, err := c.policy.Evaluate(analysis.Look{Stage: present.Stage, Evidence: c.evidence, Problems: problems,
		Overrides: overrides, State: c.state, Now: now})
	if err != nil {
		return v, err // hold the traffic where it is
	}
	c.state = &v.State
	switch {
	case v.Decision == analysis.Rollback:
		c.setWeight(0)
		c.finished = true
	case v.Step == analysis.Advance:
		c.enter(v.Next)
	case v.Step == analysis.Done:
		c.setWeight(100)
		c.finished = true
	}
	return v, nil // on a pause the weight stays; look again after v.CheckAfter
}
