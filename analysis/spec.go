package analysis

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// Spec says what to collect from a log: which columns, and what each of them is
// for. Two snapshots merge or compare only when their specs have the same
// [Spec.Fingerprint].
type Spec struct {
	Task    Task         `json:"task"`
	Columns []ColumnSpec `json:"columns"` // unique names, in ascending order
	// Derived are columns that are computed from those; unique names, in ascending
	// order. See [Spec.WithDerived].
	Derived []DerivedSpec `json:"derived,omitempty"`
	// Metrics are what providers bring beside the log; unique names, in ascending
	// order. See [Spec.WithMetrics].
	Metrics []MetricSpec `json:"metrics,omitempty"`
	// Slices are the crosses of columns whose slices are summarised by themselves;
	// unlike each other, in ascending order. See [Spec.WithSlices].
	Slices []SliceSpec `json:"slices,omitempty"`
	// Discover asks for what weak slices are found with that nobody has declared;
	// unlike each other, in ascending order. See [Spec.WithDiscover].
	Discover []DiscoverSpec `json:"discover,omitempty"`
	// Together says that all columns come in one part; see [PairSpec.Spec].
	Together bool `json:"together,omitempty"`
}

// Role is what a column is for, beyond being watched.
type Role int8

// The roles. All but Feature belong to at most one column each.
const (
	Feature Role = iota // watched as it is
	Score               // the model's output
	Label               // the outcome, when it has arrived
	Clock               // when the row was served
	Unit                // what was randomised
	Action              // the decision that was served
)

var roleWords = map[Role]string{Feature: "feature", Score: "score", Label: "label", Clock: "time", Unit: "unit", Action: "action"}

// String returns the word used in the policy file.
func (r Role) String() string { return word(roleWords, r) }

// MarshalText implements [encoding.TextMarshaler].
func (r Role) MarshalText() ([]byte, error) { return marshalWord(roleWords, r, "role") }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *Role) UnmarshalText(b []byte) error { return unmarshalWord(roleWords, r, b, "role") }

// ColumnSpec names a column and its role.
type ColumnSpec struct {
	Name string `json:"name"`
	Role Role   `json:"role"`
	// Cuts are values of a numeric column at which counts below and at or above
	// must be exact: decision thresholds, bounds of a guardrail.
	Cuts []float64 `json:"cuts,omitempty"`
	// Sums asks for the mean and variance of a numeric column. Without it the
	// column is counted in cells only, which is enough for drift and quantiles
	// and about half the work. The score always has sums.
	Sums bool `json:"sums,omitempty"`
}

// NewSpec returns the spec with the given columns. Columns may be named more
// than once: their cuts and sums are united, and a role other than Feature wins.
// Two different such roles for one column, or one such role for two columns, is
// an error wrapping [stats.ErrMismatch]; so is an empty name or a cut that is not
// finite.
func NewSpec(task Task, columns ...ColumnSpec) (*Spec, error) {
	byName := map[string]*ColumnSpec{}
	holder := map[Role]string{}
	for _, c := range columns {
		if c.Name == "" {
			return nil, fmt.Errorf("analysis: NewSpec: a column without a name: %w", stats.ErrMismatch)
		}
		have := byName[c.Name]
		if have == nil {
			have = &ColumnSpec{Name: c.Name}
			byName[c.Name] = have
		}
		if c.Role != Feature {
			if have.Role != Feature && have.Role != c.Role {
				return nil, fmt.Errorf("analysis: NewSpec: column %q is both %v and %v: %w", c.Name, have.Role, c.Role, stats.ErrMismatch)
			}
			if h, ok := holder[c.Role]; ok && h != c.Name {
				return nil, fmt.Errorf("analysis: NewSpec: both %q and %q are the %v: %w", h, c.Name, c.Role, stats.ErrMismatch)
			}
			have.Role = c.Role
			holder[c.Role] = c.Name
		}
		have.Cuts = append(have.Cuts, c.Cuts...)
		have.Sums = have.Sums || c.Sums
	}
	s := &Spec{Task: task}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		c := byName[name]
		for i, x := range c.Cuts {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("analysis: NewSpec: column %q: cut %v is not a finite number: %w", c.Name, x, stats.ErrMismatch)
			}
			c.Cuts[i] = x + 0 // -0 becomes 0
		}
		slices.Sort(c.Cuts)
		c.Cuts = slices.Compact(c.Cuts)
		s.Columns = append(s.Columns, *c)
	}
	return s, nil
}

// Index returns the position of the named column, or -1.
func (s *Spec) Index(name string) int {
	return slices.IndexFunc(s.Columns, func(c ColumnSpec) bool { return c.Name == name })
}

// ByRole returns the position of the column with the role, or -1. It is not
// meant for Feature, which many columns may have.
func (s *Spec) ByRole(r Role) int {
	return slices.IndexFunc(s.Columns, func(c ColumnSpec) bool { return c.Role == r })
}

// Names lists the column names in order.
func (s *Spec) Names() []string {
	out := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		out[i] = c.Name
	}
	return out
}

// Fingerprint identifies the spec: the SHA-256 of its JSON form, in hex.
func (s *Spec) Fingerprint() string {
	b, err := json.Marshal(s)
	if err != nil { // only possible for a task or role that has no name
		b = []byte(err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
