package analysis

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// PairSpec says what to collect from a log in which both models scored the same
// requests. Make one with [NewPairSpec]. Two [PairSnapshot] merge only when their
// specs are equal.
type PairSpec struct {
	Task Task `json:"task"` // Binary or Regression
	// Baseline and Candidate are the columns of the two scores.
	Baseline  string `json:"baseline"`
	Candidate string `json:"candidate"`
	// Label, Unit and Time are the columns of the outcome, of what was randomised
	// or repeats, and of the time of the request; each may be empty.
	Label string `json:"label,omitempty"`
	Unit  string `json:"unit,omitempty"`
	Time  string `json:"time,omitempty"`
	// BaselineCuts and CandidateCuts are the decision thresholds of each model, at
	// which counts are exact.
	BaselineCuts  []float64 `json:"baseline_cuts,omitempty"`
	CandidateCuts []float64 `json:"candidate_cuts,omitempty"`
	// Slices are crosses of columns whose slices are counted by themselves; their
	// Measures are empty.
	Slices []SliceSpec `json:"slices,omitempty"`
}

// NewPairSpec checks s and returns it in the form in which equal specs are equal.
//
// A score without a column, one column for two purposes, a task other than Binary
// and Regression, a cut that is not finite, more than 1024 cuts, and a cross that
// is not as in [Spec.WithSlices] or has measures are errors wrapping
// [stats.ErrMismatch].
//
// A slice of a binary task takes up to 0.3 MiB, and more with many cuts; see
// [summary.PairGrid]. So the cap of a cross is lowered to what fits into 100 MiB: to
// 387 slices without cuts, to 344 with 10 on each side, to 162 with 75, and to 3 with
// 1024. The Values of a cross come on top, and so does what all rows take, 11 to 49
// MiB.
func NewPairSpec(s PairSpec) (*PairSpec, error) {
	fail := func(format string, args ...any) (*PairSpec, error) {
		return nil, fmt.Errorf("analysis: NewPairSpec: %s: %w", fmt.Sprintf(format, args...), stats.ErrMismatch)
	}
	switch {
	case s.Task != Binary && s.Task != Regression:
		return fail("a %v task has no pairs of scores", s.Task)
	case s.Baseline == "" || s.Candidate == "":
		return fail("name the score columns of both models, not %q and %q", s.Baseline, s.Candidate)
	}
	var used []string
	for _, name := range []string{s.Baseline, s.Candidate, s.Label, s.Unit, s.Time} {
		if name != "" && slices.Contains(used, name) {
			return fail("column %q has two purposes", name)
		}
		used = append(used, name)
	}
	for _, cuts := range []*[]float64{&s.BaselineCuts, &s.CandidateCuts} {
		cs := slices.Clone(*cuts)
		for i, x := range cs {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fail("cut %v is not a finite number", x)
			}
			cs[i] = x + 0 // -0 becomes 0
		}
		slices.Sort(cs)
		cs = slices.Compact(cs)
		if len(cs) > maxSliceCap {
			return fail("%d cuts, want at most %d", len(cs), maxSliceCap)
		}
		*cuts = nil
		if len(cs) > 0 {
			*cuts = cs
		}
	}
	var all []SliceSpec
	for _, c := range s.Slices {
		c, err := c.canonical()
		if err != nil {
			return nil, err
		}
		if len(c.Measures) > 0 {
			return fail("cross %q has measures; pairs measure the scores", c.Names())
		}
		c.Measures = nil
		if len(c.Values) == 0 {
			c.Values = nil
		}
		if i := slices.IndexFunc(all, func(o SliceSpec) bool { return o.Same(&c) }); i >= 0 {
			all[i].unite(&c)
			all[i].Measures = nil
			continue
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b SliceSpec) int { return compareCrosses(&a, &b) })
	if s.Task == Binary {
		bytes := summary.PairGridOptions{}.MaxBytes(len(s.BaselineCuts), len(s.CandidateCuts))
		for i := range all {
			if most := max(1, maxPairBytes/bytes); all[i].Limit() > most {
				all[i].Cap = most
			}
			if all[i].Cap == DefaultSliceCap {
				all[i].Cap = 0 // one cross, one form
			}
		}
	}
	s.Slices = all
	return &s, nil
}

// maxPairBytes bounds what the slices of a cross can take.
const maxPairBytes = 100 << 20

// Spec lists the columns that a source of rows must read for a [PairCollector], in
// the order in which the batches hold them. They all have to come together: its
// [Spec.Parts] is one part.
func (s *PairSpec) Spec() *Spec {
	out := &Spec{Task: s.Task, Together: true}
	add := func(name string, role Role) {
		if name == "" {
			return
		}
		if i := out.Index(name); i < 0 {
			out.Columns = append(out.Columns, ColumnSpec{Name: name, Role: role})
		}
	}
	add(s.Baseline, Score)
	add(s.Candidate, Feature)
	add(s.Label, Label)
	add(s.Unit, Unit)
	add(s.Time, Clock)
	for i := range s.Slices {
		for _, name := range s.Slices[i].Names() {
			add(name, Feature)
		}
	}
	slices.SortFunc(out.Columns, func(a, b ColumnSpec) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Fingerprint identifies the spec: the SHA-256 of its JSON form, in hex.
func (s *PairSpec) Fingerprint() string {
	b, err := json.Marshal(s)
	if err != nil { // only possible for a task that has no name
		b = []byte(err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// lacks says what of o a snapshot of s does not hold, or nothing.
func (s *PairSpec) lacks(o *PairSpec) string {
	switch {
	case s.Task != o.Task:
		return fmt.Sprintf("its task is %v, not %v", s.Task, o.Task)
	case s.Baseline != o.Baseline || s.Candidate != o.Candidate:
		return fmt.Sprintf("its scores are %q and %q, not %q and %q", s.Baseline, s.Candidate, o.Baseline, o.Candidate)
	case o.Label != "" && s.Label != o.Label:
		return fmt.Sprintf("its label is %q, not %q", s.Label, o.Label)
	case o.Unit != "" && s.Unit != o.Unit:
		return fmt.Sprintf("its unit is %q, not %q", s.Unit, o.Unit)
	}
	for _, c := range [][2][]float64{{s.BaselineCuts, o.BaselineCuts}, {s.CandidateCuts, o.CandidateCuts}} {
		for _, x := range c[1] {
			if !slices.Contains(c[0], x) {
				return fmt.Sprintf("it was not counted at the threshold %v", x)
			}
		}
	}
	for i := range o.Slices {
		if !slices.ContainsFunc(s.Slices, func(c SliceSpec) bool { return c.Same(&o.Slices[i]) }) {
			return fmt.Sprintf("it has no slices of %q", o.Slices[i].Names())
		}
	}
	return ""
}
