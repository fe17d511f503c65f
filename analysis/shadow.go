package analysis

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// ShadowVerdict is what another policy would have decided from the same
// evidence. It never decides anything: it is how a policy is tried before it is
// trusted.
type ShadowVerdict struct {
	PolicyDigest string   `json:"policy_digest"`
	Decision     Decision `json:"decision"`
	Resume       Resume   `json:"resume"`
	Disagrees    bool     `json:"disagrees"`
	Reasons      []Reason `json:"reasons"`
	Error        string   `json:"error,omitempty"` // why it could not be applied; the decision is then a pause
}

// ShadowState is the state of a shadow policy.
type ShadowState struct {
	PolicyDigest string `json:"policy_digest"`
	State        State  `json:"state"`
}

// shade applies the shadow policies of a look.
func (v *Verdict) shade(l Look) {
	before := v.State.Shadows
	v.State.Shadows = nil
	shadows := slices.Clone(l.Shadows)
	slices.SortFunc(shadows, func(a, b *Policy) int { return cmp.Compare(a.Digest, b.Digest) })
	l.Shadows = nil
	for _, p := range shadows {
		l.State = nil
		if i := slices.IndexFunc(before, func(s ShadowState) bool { return s.PolicyDigest == p.Digest }); i >= 0 {
			l.State = &before[i].State
		}
		s := ShadowVerdict{PolicyDigest: p.Digest}
		sv, err := p.Evaluate(l)
		if err != nil {
			s.Error = err.Error()
			s.Disagrees = v.Decision != s.Decision || v.Resume != s.Resume
			v.Shadows = append(v.Shadows, s)
			continue
		}
		s.Decision, s.Resume, s.Reasons = sv.Decision, sv.Resume, sv.Reasons
		s.Disagrees = v.Decision != s.Decision || v.Resume != s.Resume
		v.Shadows = append(v.Shadows, s)
		v.State.Shadows = append(v.State.Shadows, ShadowState{PolicyDigest: p.Digest, State: sv.State})
	}
}

// UnionSpec is what has to be collected so that all the policies can be applied
// to the same evidence, as one that decides and shadows beside it. Policies whose
// columns do not fit together are an error, as in [NewSpec]; so are policies for
// different tasks. No policy at all gives a spec without columns.
func UnionSpec(policies ...*Policy) (*Spec, error) {
	var all Spec
	for i, p := range policies {
		if p.Task != policies[0].Task {
			return nil, fmt.Errorf("analysis: UnionSpec: policy %d is for a %v task, the first for a %v one: %w", i+1, p.Task, policies[0].Task, stats.ErrMismatch)
		}
		s, err := p.Spec()
		if err != nil {
			return nil, err
		}
		all.Task = s.Task
		all.Columns = append(all.Columns, s.Columns...)
		all.Derived = append(all.Derived, s.Derived...)
		all.Metrics = append(all.Metrics, s.Metrics...)
		all.Slices = append(all.Slices, s.Slices...)
		all.Discover = append(all.Discover, s.Discover...)
	}
	return all.canonical()
}

// lacks says what a spec does not collect of another one, or nothing.
func (s *Spec) lacks(o *Spec) string {
	if s.Task != o.Task {
		return fmt.Sprintf("it is for a %v task, not a %v one", s.Task, o.Task)
	}
	have := s.summarised()
	for _, c := range o.summarised() {
		i := s.at(c.Name)
		switch {
		case i < 0:
			return fmt.Sprintf("column %q was not collected", c.Name)
		case c.Role != Feature && have[i].Role != c.Role:
			return fmt.Sprintf("column %q was collected as the %v, not as the %v", c.Name, have[i].Role, c.Role)
		case c.Sums && !have[i].Sums && c.Role != Score:
			return fmt.Sprintf("column %q was collected without sums", c.Name)
		}
		for _, cut := range c.Cuts {
			if !slices.Contains(have[i].Cuts, cut) {
				return fmt.Sprintf("column %q was not counted at %v", c.Name, cut)
			}
		}
	}
	for i := range o.Derived {
		want := &o.Derived[i]
		if k := s.derivedIndex(want.Name); k < 0 || !s.Derived[k].same(want) {
			return fmt.Sprintf("column %q was collected in another way than it is derived", want.Name)
		}
	}
	for i := range o.Discover {
		if !slices.ContainsFunc(s.Discover, func(d DiscoverSpec) bool { return d.Same(&o.Discover[i]) }) {
			return fmt.Sprintf("the errors by slices of %v were not collected", o.Discover[i].names(o))
		}
	}
	for i := range o.Slices {
		want := &o.Slices[i]
		j := slices.IndexFunc(s.Slices, func(c SliceSpec) bool { return c.Same(want) })
		switch {
		case j < 0:
			return fmt.Sprintf("the slices of %v were not collected", want.Names())
		case s.Slices[j].Limit() != want.Limit(), !slices.EqualFunc(s.Slices[j].Values, want.Values, slices.Equal):
			return fmt.Sprintf("the slices of %v were collected with another cap or other values", want.Names())
		}
		for _, m := range want.Measures {
			if !slices.Contains(s.Slices[j].Measures, m) {
				return fmt.Sprintf("the slices of %v were collected without %s", want.Names(), m)
			}
		}
	}
	for _, m := range o.Metrics {
		if !slices.Contains(s.Metrics, m) {
			return fmt.Sprintf("metric %q was not collected as a %v", m.Name, m.Kind)
		}
	}
	return ""
}
