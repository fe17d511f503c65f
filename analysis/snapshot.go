package analysis

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Snapshot is the evidence of one arm: mergeable summaries of its columns, whose
// size does not depend on the number of rows. Snapshots of workers, files, hours
// and stages that share a spec add up, in any order, to the same bytes.
//
// Treat a snapshot as read-only, except for Merge; the same snapshot always
// gives the same verdict.
type Snapshot struct {
	Spec     *Spec
	RowCount uint64
	Columns  []ColumnSummary       // in the order of Spec.Columns, then of Spec.Derived
	Metrics  []MetricSummary       // in the order of Spec.Metrics
	Slices   []SliceTable          // in the order of Spec.Slices
	Discover []*summary.CrossTable // in the order of Spec.Discover

	MatureBefore Cutoffs // from when on labels do not count yet
}

// ColumnSummary is what is known of one column. Which of the summaries is
// filled depends on the role and on the type met in the log; the others are
// empty.
type ColumnSummary struct {
	Name string
	Role Role
	Type Type // type met; Absent when no file had the column

	AbsentRows     uint64 // rows from files without the column
	InvalidLabels  uint64 // label values that are neither 0 nor 1
	ImmatureLabels uint64 // rows whose label does not count yet, there or not; see [Collector.MatureBefore]

	Numeric  summary.Histogram   // Float and Int; layout Tally unless the spec asks for sums
	Cuts     summary.Histogram   // exact counts at the spec's cuts
	Boolean  summary.Proportion  // Bool, and the label of a binary task
	Category summary.Categorical // String
	Units    summary.Distinct    // role Unit
	Scores   summary.Scores      // role Score of a binary task, and columns derived as [Calibrated]
	Clock    TimeRange           // Time
}

// TimeRange is the span of a timestamp column, in microseconds since the Unix
// epoch. The zero value is empty.
type TimeRange struct {
	N    uint64 `json:"n"`
	Null uint64 `json:"null,omitempty"`
	Min  int64  `json:"min"`
	Max  int64  `json:"max"`
}

func (t *TimeRange) add(xs []int64, valid []bool) {
	for i, x := range xs {
		if valid != nil && !valid[i] {
			t.Null++
			continue
		}
		if t.N == 0 || x < t.Min {
			t.Min = x
		}
		if t.N == 0 || x > t.Max {
			t.Max = x
		}
		t.N++
	}
}

func (t *TimeRange) merge(o TimeRange) {
	if o.N > 0 {
		if t.N == 0 || o.Min < t.Min {
			t.Min = o.Min
		}
		if t.N == 0 || o.Max > t.Max {
			t.Max = o.Max
		}
	}
	t.N += o.N
	t.Null += o.Null
}

func newSnapshot(spec *Spec) *Snapshot {
	columns := spec.summarised()
	s := &Snapshot{Spec: spec, Columns: make([]ColumnSummary, len(columns))}
	for i, c := range columns {
		s.Columns[i].init(c, spec.scored(i))
	}
	for _, m := range spec.Metrics {
		s.Metrics = append(s.Metrics, MetricSummary{Name: m.Name, Kind: m.Kind})
	}
	for i := range spec.Slices {
		s.Slices = append(s.Slices, newSliceTable(spec, &spec.Slices[i]))
	}
	s.Discover = newDiscover(spec)
	return s
}

func (c *ColumnSummary) init(spec ColumnSpec, scored bool) {
	c.Name, c.Role = spec.Name, spec.Role
	if !spec.Sums && spec.Role != Score {
		if l, err := summary.NewLayout(summary.Tally); err == nil { // it is a known layout
			c.Numeric = *summary.NewHistogram(l)
		}
	}
	if len(spec.Cuts) == 0 {
		return
	}
	// NewSpec has checked the cuts, so neither call can fail.
	if scored {
		if s, err := summary.NewScores(spec.Cuts...); err == nil {
			c.Scores = *s
		}
		return
	}
	if l, err := summary.NewEdges(spec.Cuts...); err == nil {
		c.Cuts = *summary.NewHistogram(l)
	}
}

// see records the type of a block of rows of the column.
func (c *ColumnSummary) see(t Type, rows uint64) error {
	switch {
	case t == Absent:
		c.AbsentRows += rows
	case c.Type == Absent:
		c.Type = t
	case c.Type != t:
		return fmt.Errorf("analysis: column %q is %v in one part of the log and %v in another: %w", c.Name, c.Type, t, stats.ErrMismatch)
	}
	return nil
}

func (c *ColumnSummary) addFloats(xs []float64) {
	c.Numeric.AddSlice(xs)
	if c.Cuts.Layout().Kind() == summary.FrozenEdges {
		c.Cuts.AddSlice(xs)
	}
}

// Column returns the summary of the named column, or nil when the spec does not
// name it.
func (s *Snapshot) Column(name string) *ColumnSummary {
	if i := s.Spec.at(name); i >= 0 {
		return &s.Columns[i]
	}
	return nil
}

// ByRole returns the summary of the column with the role, or nil. It is not
// meant for Feature.
func (s *Snapshot) ByRole(r Role) *ColumnSummary {
	if i := s.Spec.ByRole(r); i >= 0 {
		return &s.Columns[i]
	}
	return nil
}

// Merge adds the rows of o to s; o is unchanged. Different specs, and a column
// with different types on the two sides, do not merge: the error wraps
// [stats.ErrMismatch] and s is unchanged.
func (s *Snapshot) Merge(o *Snapshot) error {
	if a, b := s.Spec.Fingerprint(), o.Spec.Fingerprint(); a != b {
		return fmt.Errorf("analysis: Snapshot.Merge: specs %.12s and %.12s differ: %w", a, b, stats.ErrMismatch)
	}
	for i := range s.Columns {
		a, b := s.Columns[i].Type, o.Columns[i].Type
		if a != Absent && b != Absent && a != b {
			return fmt.Errorf("analysis: Snapshot.Merge: column %q is %v on one side and %v on the other: %w", s.Columns[i].Name, a, b, stats.ErrMismatch)
		}
	}
	for i := range s.Metrics {
		if a, b := &s.Metrics[i], &o.Metrics[i]; a.Kind == DistributionMetric && a.Window.N > 0 && b.Window.N > 0 && a.Distribution.Layout().ID() != b.Distribution.Layout().ID() {
			return fmt.Errorf("analysis: Snapshot.Merge: metric %q has other buckets on the two sides: %w", a.Name, stats.ErrMismatch)
		}
	}
	s.MatureBefore = s.cutoffsWith(o)
	s.RowCount += o.RowCount
	for i := range s.Columns {
		if err := s.Columns[i].merge(&o.Columns[i]); err != nil {
			return fmt.Errorf("analysis: Snapshot.Merge: column %q: %w", s.Columns[i].Name, err)
		}
	}
	for i := range s.Metrics {
		if err := s.Metrics[i].merge(&o.Metrics[i]); err != nil {
			return fmt.Errorf("analysis: Snapshot.Merge: metric %q: %w", s.Metrics[i].Name, err)
		}
	}
	for i := range s.Slices {
		s.Slices[i].merge(&o.Slices[i])
	}
	return s.mergeDiscover(o)
}

// add is Merge for slices of one cross, the columns of which have the types that
// they have in all rows, so that nothing can be refused.
func (s *Snapshot) add(o *Snapshot) {
	s.RowCount += o.RowCount
	for i := range s.Columns {
		_ = s.Columns[i].merge(&o.Columns[i])
	}
}

func (c *ColumnSummary) merge(o *ColumnSummary) error {
	c.Type = max(c.Type, o.Type) // equal, or one of them Absent
	c.AbsentRows += o.AbsentRows
	c.InvalidLabels += o.InvalidLabels
	c.ImmatureLabels += o.ImmatureLabels
	c.Clock.merge(o.Clock)
	for _, err := range []error{
		c.Numeric.Merge(&o.Numeric),
		c.Cuts.Merge(&o.Cuts),
		c.Boolean.Merge(&o.Boolean),
		c.Category.Merge(&o.Category),
		c.Units.Merge(&o.Units),
		c.Scores.Merge(&o.Scores),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// MergeSnapshots adds up snapshots of one arm into a new one. No snapshot at all
// is an error wrapping [stats.ErrEmpty].
func MergeSnapshots(ss ...*Snapshot) (*Snapshot, error) {
	if len(ss) == 0 {
		return nil, fmt.Errorf("analysis: MergeSnapshots: %w", stats.ErrEmpty)
	}
	out := newSnapshot(ss[0].Spec)
	for _, s := range ss {
		if err := out.Merge(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Histogram returns the distribution of a numeric column or of the score,
// whatever the labels, or nil when the column is not numeric.
func (c *ColumnSummary) Histogram() *summary.Histogram {
	if all := c.Scores.All(); all.Total() > 0 {
		return all
	}
	if c.Numeric.Total() > 0 {
		return &c.Numeric
	}
	return nil
}
