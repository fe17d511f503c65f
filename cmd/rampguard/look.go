package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// look is what one run of check looks at.
type look struct {
	analysis.Look
	policy              *analysis.Policy
	policies            map[string][]byte // canonical form by digest, of the policy and its shadows
	records             int               // stored so far
	baseline, candidate *analysis.Snapshot
	pairs               *analysis.PairSnapshot
	pairNote            string // what was left out of the pairs
}

// look collects everything that the flags name.
func (o *checkOptions) look(ctx context.Context, now time.Time, stderr io.Writer) (*look, error) {
	l := &look{policies: map[string][]byte{}}
	l.Now, l.Stage = now, o.stage
	var all []*analysis.Policy
	for _, path := range append([]string{o.policy}, o.shadows...) {
		p, canonical, err := loadCanonical(path)
		if err != nil {
			return nil, err
		}
		for _, w := range p.Warnings {
			if _, err := fmt.Fprintf(stderr, "rampguard: warning: %s\n", w); err != nil {
				return nil, err
			}
		}
		l.policies[p.Digest] = canonical
		all = append(all, p)
	}
	l.policy, l.Shadows = all[0], all[1:]
	spec, err := analysis.UnionSpec(all...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.policy, err)
	}
	if err := o.knownStage(l.policy); err != nil {
		return nil, err
	}
	if err := o.remember(l); err != nil {
		return nil, err
	}
	cutoff := l.policy.MatureBefore(now)
	if !cutoff.IsZero() {
		if _, err := fmt.Fprintf(stderr, "rampguard: labels take %s to mature: those of rows served before %s count\n", l.policy.Labels.Maturity, cutoff.Format(time.RFC3339)); err != nil {
			return nil, err
		}
	}
	if err := o.collect(ctx, l, spec, cutoff, stderr); err != nil {
		return nil, err
	}
	if err := o.collectPairs(ctx, l, all, cutoff, stderr); err != nil {
		return nil, err
	}
	l.Evidence = append(l.Evidence, analysis.StageEvidence{Stage: o.stage, Baseline: l.baseline, Candidate: l.candidate, Pairs: l.pairs})
	if l.Reference, err = o.other(ctx, "reference", spec, time.Time{}, o.reference, stderr); err != nil {
		return nil, err
	}
	if l.Previous, err = o.other(ctx, "previous", spec, cutoff, o.previous, stderr); err != nil {
		return nil, err
	}
	for _, text := range o.provider {
		name, why, ok := strings.Cut(text, "=")
		if !ok {
			name, why = "", text
		}
		if known := sources(spec); name != "" && !slices.Contains(known, name) {
			return nil, fmt.Errorf("--source-failed: the policy reads no %q; it reads %s", name, strings.Join(known, ", "))
		}
		l.Problems = append(l.Problems, analysis.SourceProblem{Name: name, Text: why})
	}
	if o.overrides != "" {
		if l.Overrides, err = readOverrides(o.overrides); err != nil {
			return nil, fmt.Errorf("--overrides: %w", err)
		}
	}
	return l, nil
}

// knownStage asks for the present stage of a policy that has stages.
func (o *checkOptions) knownStage(p *analysis.Policy) error {
	var names []string
	for _, s := range p.Stages {
		names = append(names, s.Name)
	}
	if len(names) == 0 || slices.Contains(names, o.stage) {
		return nil
	}
	if o.stage == "" {
		return fmt.Errorf("the policy has stages; say which one the logs are of: --stage %s", strings.Join(names, "|"))
	}
	return fmt.Errorf("the policy has no stage %q; it has %s", o.stage, strings.Join(names, ", "))
}

// sources names what a source can fail to bring.
func sources(spec *analysis.Spec) []string {
	names := spec.Names()
	for _, m := range spec.Metrics {
		names = append(names, m.Name)
	}
	return names
}

// remember reads what the folder of the rollout knows.
func (o *checkOptions) remember(l *look) error {
	if o.rollout == "" {
		return nil
	}
	r := rollout{dir: o.rollout}
	n, last, err := r.last()
	if err != nil {
		return fmt.Errorf("--rollout: %w", err)
	}
	l.records = n
	if last == nil {
		return nil
	}
	if last.Model.Name != l.policy.Model.Name {
		return fmt.Errorf("--rollout: %s is the rollout of model %q, and the policy is for %q; name another folder", o.rollout, last.Model.Name, l.policy.Model.Name)
	}
	if at, err := time.Parse(time.RFC3339Nano, last.Record.DecidedAt); err == nil && l.Now.Before(at) {
		return fmt.Errorf("--at %s is before the last look, of %s", l.Now.Format(time.RFC3339), last.Record.DecidedAt)
	}
	l.State = &last.State
	if l.Evidence, err = r.earlier(last, l.policy, o.stage); err != nil {
		return fmt.Errorf("--rollout: %w", err)
	}
	return nil
}

// other collects a reference, all of whose labels count, or an earlier window; nil
// when none is given.
func (o *checkOptions) other(ctx context.Context, name string, spec *analysis.Spec, matureBefore time.Time, patterns []string, stderr io.Writer) (*analysis.Snapshot, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	paths, err := expand(patterns)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", name, err)
	}
	var logs, snapshots []string
	for _, p := range paths {
		if isSnapshot(p) {
			snapshots = append(snapshots, p)
		} else {
			logs = append(logs, p)
		}
	}
	return o.arm(ctx, name, spec, matureBefore, logs, snapshots, stderr)
}

// snapshots lists all evidence of the look.
func (l *look) snapshots() []evidence {
	var out []evidence
	add := func(s *analysis.Snapshot) {
		if s != nil {
			out = append(out, s)
		}
	}
	for _, e := range l.Evidence {
		add(e.Baseline)
		add(e.Candidate)
		if e.Pairs != nil {
			out = append(out, e.Pairs)
		}
	}
	add(l.Reference)
	add(l.Previous)
	return out
}

func loadPolicy(path string) (*analysis.Policy, error) {
	p, _, err := loadCanonical(path)
	return p, err
}

// loadCanonical loads a policy and returns its canonical form, too.
func loadCanonical(path string) (*analysis.Policy, []byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("policy: %w; make one with: rampguard policy init --log FILE", err)
	}
	p, err := analysis.LoadPolicy(path, data, checks.Builtin())
	if err != nil {
		return nil, nil, err
	}
	canonical, err := analysis.CanonicalPolicy(path, data, checks.Builtin())
	return p, canonical, err
}
