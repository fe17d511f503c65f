package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// SliceSpec declares a cross of columns: the rows of a log are told apart by
// their values in these columns, and each combination of values that occurs is a
// slice with summaries of its own.
//
// A column of names, of yes and no, or of numbers without cuts is taken by value;
// a column of numbers with cuts by bucket: "<10", "[10,100)", ">=100". Rows with
// a missing value, or NaN, form a slice of their own, whose value is "null". A value
// that is the word null, begins with a quotation mark, or is not valid UTF-8, is
// written as a Go string.
type SliceSpec struct {
	Columns []SliceColumn `json:"columns"` // in ascending order of name
	// Values are slices that are kept whatever their number, each with one value
	// per column; in ascending order.
	Values [][]string `json:"values,omitempty"`
	// Measures name the columns that are summarised in each slice, in ascending
	// order. The score of a binary task comes with its label.
	Measures []string `json:"measures,omitempty"`
	// Cap is the number of slices kept beside Values; 0 means [DefaultSliceCap].
	Cap int `json:"cap,omitempty"`
}

// SliceColumn is a column of a cross. Cuts put a column of numbers into buckets.
type SliceColumn struct {
	Name string    `json:"name"`
	Cuts []float64 `json:"cuts,omitempty"` // finite, in ascending order
}

// DefaultSliceCap is the number of slices of a cross that are kept by default. A
// slice with scores takes up to a few hundred KiB and an equal share of the error
// budget of its cross: with more slices than this, each learns little. What is
// beyond the cap can be named in the values of the cross, or put into buckets.
const DefaultSliceCap = 64

// maxSliceCap bounds the slices that a spec can ask for.
const maxSliceCap = 1024

// SliceUser is a [SliceFamily] that says which slices it needs, beside those of
// the policy.
type SliceUser interface {
	SliceFamily
	// Slices lists crosses; those of equal columns and cuts are united.
	Slices() []SliceSpec
}

// Limit is the number of slices kept beside Values.
func (c *SliceSpec) Limit() int { return cmp.Or(c.Cap, DefaultSliceCap) }

// Names lists the columns of the cross.
func (c *SliceSpec) Names() []string {
	out := make([]string, len(c.Columns))
	for i, col := range c.Columns {
		out[i] = col.Name
	}
	return out
}

// Same reports whether o has the same columns with the same cuts.
func (c *SliceSpec) Same(o *SliceSpec) bool { return compareCrosses(c, o) == 0 }

func compareCrosses(a, b *SliceSpec) int {
	return slices.CompareFunc(a.Columns, b.Columns, func(x, y SliceColumn) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), slices.Compare(x.Cuts, y.Cuts))
	})
}

// WithSlices returns a copy of the spec that asks for slices, too. A cross may be
// named more than once: values and measures are united, and the larger cap wins.
// Columns of a cross that the spec does not have are added to it.
//
// An error wrapping [stats.ErrMismatch] is a cross without columns, with a column
// twice, with a cut that is not finite, with a value that does not have one text
// per column, with a cap that is negative or above 1024, and a measure that is no
// column of the spec.
func (s *Spec) WithSlices(crosses ...SliceSpec) (*Spec, error) {
	columns := slices.Clone(s.Columns)
	var all []SliceSpec
	for _, c := range slices.Concat(s.Slices, crosses) {
		c, err := c.canonical()
		if err != nil {
			return nil, err
		}
		for _, col := range c.Columns {
			if s.derivedIndex(col.Name) < 0 {
				columns = append(columns, ColumnSpec{Name: col.Name})
			}
		}
		if i := slices.IndexFunc(all, func(o SliceSpec) bool { return o.Same(&c) }); i >= 0 {
			all[i].unite(&c)
			continue
		}
		all = append(all, c)
	}
	out, err := NewSpec(s.Task, columns...)
	if err != nil {
		return nil, err
	}
	out.Metrics, out.Derived, out.Discover = s.Metrics, s.Derived, s.Discover
	slices.SortFunc(all, func(a, b SliceSpec) int { return compareCrosses(&a, &b) })
	for i := range all {
		if err := all[i].complete(out); err != nil {
			return nil, err
		}
	}
	out.Slices = all
	return out, nil
}

// canonical is a spec that was read from outside, checked and in canonical form.
func (s *Spec) canonical() (*Spec, error) {
	out, err := s.rebuilt()
	if err == nil && len(s.Slices) > 0 {
		out, err = out.WithSlices(s.Slices...)
	}
	if err == nil && len(s.Discover) > 0 {
		out, err = out.WithDiscover(s.Discover...)
	}
	return out, err
}

// canonical returns the cross in the form in which equal ones are equal.
func (c SliceSpec) canonical() (SliceSpec, error) {
	fail := func(format string, args ...any) (SliceSpec, error) {
		return c, fmt.Errorf("analysis: WithSlices: cross %q: %s: %w", c.Names(), fmt.Sprintf(format, args...), stats.ErrMismatch)
	}
	order := make([]int, len(c.Columns))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.Columns[a].Name, c.Columns[b].Name) })
	out := SliceSpec{Measures: slices.Clone(c.Measures), Cap: c.Cap}
	for k, i := range order {
		col := SliceColumn{Name: c.Columns[i].Name, Cuts: slices.Clone(c.Columns[i].Cuts)}
		if col.Name == "" || k > 0 && col.Name == out.Columns[k-1].Name {
			return fail("a column without a name, or twice")
		}
		for j, x := range col.Cuts {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fail("cut %v of %q is not a finite number", x, col.Name)
			}
			col.Cuts[j] = x + 0 // -0 becomes 0
		}
		slices.Sort(col.Cuts)
		col.Cuts = slices.Compact(col.Cuts)
		out.Columns = append(out.Columns, col)
	}
	for _, v := range c.Values {
		if len(v) != len(order) {
			return fail("value %q for %d columns", v, len(order))
		}
		sorted := make([]string, len(v))
		for k, i := range order {
			sorted[k] = quoteValue(unquoteValue(v[i]))
		}
		out.Values = append(out.Values, sorted)
	}
	switch {
	case len(out.Columns) == 0:
		return fail("no columns")
	case c.Cap < 0 || c.Cap > maxSliceCap:
		return fail("cap %d, want 0 to %d", c.Cap, maxSliceCap)
	case c.Cap == DefaultSliceCap:
		out.Cap = 0 // one cross, one form
	}
	out.unite(&SliceSpec{})
	return out, nil
}

// unite adds the values, measures and cap of o, in canonical form.
func (c *SliceSpec) unite(o *SliceSpec) {
	c.Measures = append(c.Measures, o.Measures...)
	slices.Sort(c.Measures)
	c.Measures = slices.Compact(c.Measures)
	c.Values = append(c.Values, o.Values...)
	slices.SortFunc(c.Values, slices.Compare)
	c.Values = slices.CompactFunc(c.Values, slices.Equal)
	if o.Limit() > c.Limit() && len(o.Columns) > 0 {
		c.Cap = o.Cap
	}
}

// complete adds to the measures what they need.
func (c *SliceSpec) complete(s *Spec) error {
	for _, name := range c.Measures {
		i := s.at(name)
		if i < 0 {
			return fmt.Errorf("analysis: WithSlices: cross %q: measure %q is no column of the spec: %w", c.Names(), name, stats.ErrMismatch)
		}
		if l := s.ByRole(Label); s.Task == Binary && i == s.ByRole(Score) && l >= 0 {
			c.unite(&SliceSpec{Measures: []string{s.Columns[l].Name}})
		}
	}
	return nil
}

// within is the spec of one slice of the cross: its measures, and the unit, which
// is counted for all rows together.
func (s *Spec) within(c *SliceSpec) *Spec {
	out := &Spec{Task: s.Task}
	for _, col := range s.summarised() {
		if _, ok := slices.BinarySearch(c.Measures, col.Name); ok || col.Role == Unit {
			out.Columns = append(out.Columns, col)
		}
	}
	slices.SortFunc(out.Columns, func(a, b ColumnSpec) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Parts groups the columns of the spec, by index, into those that a source has to
// hand over together: the score of a binary task with its label, and the columns
// of a cross with what is measured in it. All others stand alone. A spec without
// columns has one part, which is empty: its rows count all the same. What a derived
// column is made from comes together, too.
func (s *Spec) Parts() [][]int { return s.parts(false) }

// parts are Parts, or MatureParts.
func (s *Spec) parts(mature bool) [][]int {
	logged := len(s.Columns)
	if logged == 0 {
		return [][]int{nil}
	}
	first := make([]int, logged+len(s.Derived)) // the lowest index of the part of a column
	for i := range first {
		first[i] = i
	}
	join := func(a, b int) {
		low, high := min(first[a], first[b]), max(first[a], first[b])
		for i := range first {
			if first[i] == high {
				first[i] = low
			}
		}
	}
	if score, label := s.ByRole(Score), s.ByRole(Label); s.Task == Binary && score >= 0 && label >= 0 {
		join(score, label)
	}
	if label, clock := s.ByRole(Label), s.ByRole(Clock); mature && label >= 0 && clock >= 0 {
		join(label, clock)
	}
	for _, c := range s.Slices {
		at := s.at(c.Columns[0].Name)
		for _, name := range slices.Concat(c.Names(), c.Measures) {
			join(at, s.at(name))
		}
	}
	for i := range s.Discover {
		names := s.Discover[i].names(s)
		for _, name := range names {
			join(s.at(names[0]), s.at(name))
		}
	}
	for i := range s.Derived {
		for _, name := range s.Derived[i].Of {
			join(logged+i, s.at(name))
		}
	}
	for i := range logged {
		if s.Together {
			join(0, i)
		}
	}
	var out [][]int
	for i := range logged { // a derived column has the place of one of the log
		if first[i] != i {
			continue
		}
		var part []int
		for k := i; k < logged; k++ {
			if first[k] == i {
				part = append(part, k)
			}
		}
		out = append(out, part)
	}
	return out
}

// DeclaredSlices lists the crosses that the policy declares, which checks of
// slices look at unless they name their own.
func (p *Policy) DeclaredSlices() []SliceSpec {
	out := slices.Clone(p.Slices)
	for i := range out {
		if fit, err := out[i].canonical(); err == nil { // else Spec reports it
			out[i] = fit
		}
	}
	return out
}

// sliceSpecs are the crosses that the policy needs: those it declares and those
// of its checks, with what the checks of slices measure.
func (p *Policy) sliceSpecs() []SliceSpec {
	out := p.DeclaredSlices()
	var measures []string
	for _, e := range p.Checks {
		family, ok := e.Check.(SliceFamily)
		if !ok {
			continue
		}
		if u, ok := family.(SliceUser); ok {
			out = append(out, u.Slices()...)
		}
		for _, c := range family.Columns() {
			measures = append(measures, c.Name)
		}
	}
	for i := range out {
		out[i].Measures = slices.Concat(out[i].Measures, measures)
	}
	return out
}
