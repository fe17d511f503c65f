package main

import (
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// stored is a rollout between two lives of the controller. What was served after the
// last look is lost with a crash: evidence that is missing in both arms alike.
type stored struct {
	Policy    string // digest of the policy that the evidence was collected for
	State     *analysis.State
	Verdict   *analysis.Verdict
	Over      bool
	Weight    float64
	Overrides []analysis.Override
	Stages    []storedStage
}

type storedStage struct {
	Name string
	Fed  time.Time
	Arms [2][]byte
}

// store writes the rollout to its file, in one step.
func (c *controller) store() error {
	if c.path == "" {
		return nil
	}
	c.mu.RLock()
	out := stored{Policy: c.policy.Digest, State: c.state, Verdict: c.verdict, Over: c.present == nil, Weight: c.weight, Overrides: c.overrides}
	c.mu.RUnlock()
	for _, s := range c.stages {
		one := storedStage{Name: s.name, Fed: s.fed}
		for i := range s.arms {
			b, err := s.arms[i].sum.MarshalBinary()
			if err != nil {
				return err
			}
			one.Arms[i] = b
		}
		out.Stages = append(out.Stages, one)
	}
	b, err := json.Marshal(out)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.path+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(c.path+".new", c.path)
}

// load reads the rollout that was stored. With another policy the state stays, which
// makes it a new attempt, and the evidence begins afresh.
func (c *controller) load() error {
	if c.path == "" {
		return nil
	}
	b, err := os.ReadFile(c.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var in stored
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	c.state, c.overrides = in.State, in.Overrides
	if in.Policy != c.policy.Digest {
		return nil
	}
	c.verdict, c.weight = in.Verdict, in.Weight
	for _, one := range in.Stages {
		s := c.newStage(one.Name, one.Fed)
		for i := range s.arms {
			if err := s.arms[i].sum.UnmarshalBinary(one.Arms[i]); err != nil {
				return err
			}
		}
		c.stages = append(c.stages, s)
		if !in.Over {
			c.present = s
		}
	}
	return nil
}
