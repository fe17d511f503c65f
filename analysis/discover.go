package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// DiscoverSpec asks for the sums that weak slices are found with which nobody has
// declared: the errors of the rows by every combination of values of the columns,
// in two halves of the units; see [summary.CrossTable].
//
// A column of names, of yes and no, or of numbers with cuts has the values that it
// has in a [SliceSpec]. Whole numbers from -255 to 255 are taken by value; larger
// ones, and all others, by powers of two: "[0.5,1)", "[256,512)", "(-2,-1]". That
// needs no pass over the data before.
type DiscoverSpec struct {
	Columns []SliceColumn `json:"columns"` // in ascending order of name
	Error   ErrorKind     `json:"error"`
	// Column holds the errors, for ColumnError.
	Column string `json:"column,omitempty"`
	// Threshold is that of ThresholdError: scores at or above it predict a positive
	// label.
	Threshold float64 `json:"threshold,omitempty"`
	// Cap and Values bound the cells and the values that are kept; see
	// [summary.CrossOptions].
	Cap    int `json:"cap,omitempty"`
	Values int `json:"values,omitempty"`
}

// ErrorKind says what the error of a row is. A row without a score or without a
// label that counts has none, but for ColumnError.
type ErrorKind int8

// The kinds of errors.
const (
	LogLossError   ErrorKind = iota // -log of the probability given to the label, in nats
	BrierError                      // squared difference of score and label
	ThresholdError                  // 1 where the score is on the wrong side of the threshold, else 0
	AbsoluteError                   // distance of score and label, which are numbers
	ColumnError                     // the value of a column: a number from 0 on, or 1 for yes
)

var errorWords = map[ErrorKind]string{LogLossError: "log_loss", BrierError: "brier", ThresholdError: "error", AbsoluteError: "absolute_error", ColumnError: "column"}

// String returns the word used in files.
func (k ErrorKind) String() string { return word(errorWords, k) }

// MarshalText implements [encoding.TextMarshaler].
func (k ErrorKind) MarshalText() ([]byte, error) { return marshalWord(errorWords, k, "error") }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *ErrorKind) UnmarshalText(b []byte) error { return unmarshalWord(errorWords, k, b, "error") }

// DiscoverUser is a [Check] that finds weak slices by itself.
type DiscoverUser interface {
	Check
	// Discover lists what it needs; entries of equal columns and errors are united.
	Discover() []DiscoverSpec
}

// Same reports whether o has the same columns, cuts and error.
func (d *DiscoverSpec) Same(o *DiscoverSpec) bool { return compareDiscover(d, o) == 0 }

func compareDiscover(a, b *DiscoverSpec) int {
	return cmp.Or(compareCrosses(&SliceSpec{Columns: a.Columns}, &SliceSpec{Columns: b.Columns}),
		cmp.Compare(a.Error, b.Error), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Threshold, b.Threshold))
}

// options are the bounds of its tables.
func (d *DiscoverSpec) options() summary.CrossOptions {
	return summary.CrossOptions{Cap: d.Cap, Values: d.Values}
}

// WithDiscover returns a copy of the spec that asks for the discovery of slices,
// too. Of entries with equal columns and errors the larger bounds win. Columns that
// the spec does not have are added to it.
//
// An error wrapping [stats.ErrMismatch] is a spec without a unit, which tells the
// halves apart, or without the score and the label that the error needs; an entry
// without columns, with more than 64, or with one twice; and a cut, a threshold or a
// bound that cannot be.
func (s *Spec) WithDiscover(ds ...DiscoverSpec) (*Spec, error) {
	columns := slices.Clone(s.Columns)
	add := func(name string) {
		if s.at(name) < 0 {
			columns = append(columns, ColumnSpec{Name: name})
		}
	}
	var all []DiscoverSpec
	for _, d := range slices.Concat(s.Discover, ds) {
		d, err := d.canonical(s)
		if err != nil {
			return nil, err
		}
		for _, col := range d.Columns {
			add(col.Name)
		}
		if d.Error == ColumnError {
			add(d.Column)
		}
		if i := slices.IndexFunc(all, func(o DiscoverSpec) bool { return o.Same(&d) }); i >= 0 {
			all[i].Cap, all[i].Values = larger(all[i].Cap, d.Cap, summary.DefaultCrossCap), larger(all[i].Values, d.Values, summary.DefaultCrossValues)
			continue
		}
		all = append(all, d)
	}
	fresh, err := NewSpec(s.Task, columns...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b DiscoverSpec) int { return compareDiscover(&a, &b) })
	out := *s
	out.Columns, out.Discover = fresh.Columns, all
	return &out, nil
}

// larger is the larger of two bounds, 0 standing for the default.
func larger(a, b, usual int) int {
	if m := max(cmp.Or(a, usual), cmp.Or(b, usual)); m != usual {
		return m
	}
	return 0
}

// canonical returns the entry in the form in which equal ones are equal.
func (d DiscoverSpec) canonical(s *Spec) (DiscoverSpec, error) {
	fail := func(format string, args ...any) (DiscoverSpec, error) {
		return d, fmt.Errorf("analysis: WithDiscover: %s: %w", fmt.Sprintf(format, args...), stats.ErrMismatch)
	}
	cross, err := SliceSpec{Columns: d.Columns}.canonical()
	if err != nil {
		return d, err
	}
	if _, err := summary.NewCrossTable(len(d.Columns), d.options()); err != nil {
		return d, fmt.Errorf("analysis: WithDiscover: %w: %w", err, stats.ErrMismatch)
	}
	score, label := s.ByRole(Score), s.ByRole(Label)
	switch {
	case errorWords[d.Error] == "":
		return fail("error %d has no name", d.Error)
	case s.ByRole(Unit) < 0:
		return fail("the spec has no unit; slices are found on one half of the units and tested on the other")
	case d.Error != ColumnError && (score < 0 || label < 0):
		return fail("%v needs a score and a label", d.Error)
	case d.Error <= ThresholdError && s.Task != Binary:
		return fail("%v needs a binary task; use absolute_error or a column", d.Error)
	case (d.Error == ColumnError) != (d.Column != ""):
		return fail("column %q with %v; name the column of errors for the error \"column\" only", d.Column, d.Error)
	case d.Error != ThresholdError && d.Threshold != 0, math.IsNaN(d.Threshold) || math.IsInf(d.Threshold, 0):
		return fail("threshold %v with %v", d.Threshold, d.Error)
	}
	out := d
	out.Columns, out.Threshold = cross.Columns, d.Threshold+0 // -0 becomes 0
	out.Cap, out.Values = larger(d.Cap, d.Cap, summary.DefaultCrossCap), larger(d.Values, d.Values, summary.DefaultCrossValues)
	return out, nil
}

// names lists what the entry reads from a row.
func (d *DiscoverSpec) names(s *Spec) []string {
	out := []string{s.Columns[s.ByRole(Unit)].Name}
	for _, c := range d.Columns {
		out = append(out, c.Name)
	}
	if d.Error == ColumnError {
		return append(out, d.Column)
	}
	return append(out, s.Columns[s.ByRole(Score)].Name, s.Columns[s.ByRole(Label)].Name)
}

// discoverSpecs are what the checks of the policy ask for.
func (p *Policy) discoverSpecs() []DiscoverSpec {
	var out []DiscoverSpec
	for _, e := range p.Checks {
		if u, ok := e.Check.(DiscoverUser); ok {
			out = append(out, u.Discover()...)
		}
	}
	return out
}

// newDiscover are the empty tables of a snapshot.
func newDiscover(s *Spec) []*summary.CrossTable {
	var out []*summary.CrossTable
	for i := range s.Discover {
		d := &s.Discover[i]
		t, err := summary.NewCrossTable(len(d.Columns), d.options())
		if err != nil { // WithDiscover has checked it
			t = new(summary.CrossTable)
		}
		out = append(out, t)
	}
	return out
}

// DiscoverTable returns the sums for the discovery of slices, or nil when the spec
// does not ask for them. Treat it as read-only.
func (s *Snapshot) DiscoverTable(d *DiscoverSpec) *summary.CrossTable {
	if fit, err := d.canonical(s.Spec); err == nil {
		d = &fit
	}
	for i := range s.Discover {
		if s.Spec.Discover[i].Same(d) {
			return s.Discover[i]
		}
	}
	return nil
}

// CellValue is how findings write the value with a code, of those that
// [summary.CrossTable.Values] lists of a column.
func CellValue(values []string, code uint32) string {
	if code == 0 || int(code) > len(values) {
		return nullValue
	}
	return quoteValue(slicePart{values[code-1], true})
}

// decodeDiscover reads the tables of a snapshot.
func (s *Snapshot) decodeDiscover(r *blobReader) error {
	for i := range s.Discover {
		blob := r.blob()
		if r.err != nil {
			return r.err
		}
		var t summary.CrossTable
		if err := t.UnmarshalBinary(blob); err != nil {
			return fmt.Errorf("analysis: Snapshot: discovery of slices: %w", err)
		}
		s.Discover[i] = &t
	}
	return s.soundDiscover()
}

// setDiscover takes over tables that were read.
func (s *Snapshot) setDiscover(all []*summary.CrossTable) error {
	if len(all) != len(s.Discover) || slices.Contains(all, nil) {
		return fmt.Errorf("analysis: Snapshot: %d tables for the discovery of slices, the spec asks for %d: %w", len(all), len(s.Discover), stats.ErrMismatch)
	}
	s.Discover = all
	return s.soundDiscover()
}

// soundDiscover makes sure that tables which were read are those of the spec and
// hold each row once.
func (s *Snapshot) soundDiscover() error {
	for i, fresh := range newDiscover(s.Spec) {
		t := s.Discover[i]
		left, _ := t.Left()
		rows := t.Kept() + left + t.Null() + t.NoUnit() + t.Unfit()
		if t.Columns() != fresh.Columns() || t.Bounds() != fresh.Bounds() || rows != s.RowCount {
			return fmt.Errorf("analysis: Snapshot: the discovery of slices has %d rows in %d columns, the log %d in %d: %w", rows, t.Columns(), s.RowCount, fresh.Columns(), stats.ErrMismatch)
		}
	}
	return nil
}

// appendDiscover is the part of the binary form: nothing without discovery.
func (s *Snapshot) appendDiscover(b []byte) ([]byte, error) {
	for _, t := range s.Discover {
		blob, err := t.MarshalBinary()
		if err != nil {
			return nil, err
		}
		b = appendBlob(b, blob)
	}
	return b, nil
}

// mergeDiscover adds the tables of o, which are of the same spec.
func (s *Snapshot) mergeDiscover(o *Snapshot) error {
	for i, t := range s.Discover {
		if err := t.Merge(o.Discover[i]); err != nil {
			return err
		}
	}
	return nil
}
