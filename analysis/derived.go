package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// DerivedSpec is a column that no log has: it is computed from others, row by row,
// while the log is read. Checks, cuts and slices use it by its name like any other
// column, so that the mean of |label - score| is a guardrail, and the age of a
// feature has a quantile.
//
// A value is missing where one that it is made from is. Where a column it is made
// from is absent from a part of the log, so is the derived one; where the types do
// not fit, all its values are missing and its type is [String].
type DerivedSpec struct {
	Name string    `json:"name"`
	Op   DerivedOp `json:"op"`
	// Of are the columns that it is made from, which may be derived themselves.
	Of []string `json:"of"`
	// Classes name the columns of probabilities in Of, in their order, for Largest,
	// ClassLoss and ClassBrier.
	Classes []string `json:"classes,omitempty"`
	Q       float64  `json:"q,omitempty"` // of Pinball, between 0 and 1

	Cuts []float64 `json:"cuts,omitempty"` // as in [ColumnSpec]
	Sums bool      `json:"sums,omitempty"`
}

// DerivedOp says how a derived column is computed.
type DerivedOp int8

// The operations. Two times differ by seconds; other operands are numbers, flags
// (0 or 1). Classes are texts, or integers where a text is compared with one.
const (
	Minus      DerivedOp = iota + 1 // a - b
	Distance                        // |a - b|
	Squared                         // (a - b)^2
	Equal                           // a == b, a flag
	Within                          // b <= a <= c, a flag
	Pinball                         // q(a-b) where a >= b, (1-q)(b-a) where not: the loss of a quantile b of a
	Max                             // the largest of numbers
	Largest                         // the class whose number is largest, the first of equal ones; a text
	ClassLoss                       // -ln of the probability of the class that the first column names
	ClassBrier                      // sum over classes of (probability - [it is the class that the first column names])^2
	Paired                          // two texts as one, for a table of both; see [PairOf]
	Calibrated                      // the first, a probability, with the second, a flag, as its outcome; see [ColumnSummary.Scores]
)

var derivedWords = map[DerivedOp]string{
	Minus: "minus", Distance: "distance", Squared: "squared", Equal: "equal", Within: "within", Pinball: "pinball", Max: "max",
	Largest: "largest", ClassLoss: "class_loss", ClassBrier: "class_brier", Paired: "paired", Calibrated: "calibrated",
}

// String returns the word used in the policy file.
func (o DerivedOp) String() string { return word(derivedWords, o) }

// MarshalText implements [encoding.TextMarshaler].
func (o DerivedOp) MarshalText() ([]byte, error) {
	return marshalWord(derivedWords, o, "operation")
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (o *DerivedOp) UnmarshalText(b []byte) error {
	return unmarshalWord(derivedWords, o, b, "operation")
}

// operands is the number of columns of the operation: at least, and at most.
func (o DerivedOp) operands() (least, most int) {
	switch o {
	case Minus, Distance, Squared, Equal, Pinball, Paired, Calibrated:
		return 2, 2
	case Within:
		return 3, 3
	case Max, Largest:
		return 1, maxClasses
	case ClassLoss, ClassBrier:
		return 2, maxClasses + 1
	}
	return 0, 0
}

// maxClasses bounds the columns of one operation.
const maxClasses = 1024

// ofClasses reports whether the operation needs the names of classes.
func (o DerivedOp) ofClasses() bool { return o == Largest || o == ClassLoss || o == ClassBrier }

// probabilities are the columns that Classes name.
func (d *DerivedSpec) probabilities() []string {
	if d.Op == Largest || len(d.Of) == 0 {
		return d.Of
	}
	return d.Of[1:]
}

// same reports whether o computes the same.
func (d *DerivedSpec) same(o *DerivedSpec) bool {
	return d.Op == o.Op && d.Q == o.Q && slices.Equal(d.Of, o.Of) && slices.Equal(d.Classes, o.Classes)
}

// column is the derived column as one that a log has.
func (d *DerivedSpec) column() ColumnSpec {
	return ColumnSpec{Name: d.Name, Cuts: d.Cuts, Sums: d.Sums}
}

func (d *DerivedSpec) fault(format string, args ...any) error {
	return fmt.Errorf("analysis: WithDerived: column %q: %s: %w", d.Name, fmt.Sprintf(format, args...), stats.ErrMismatch)
}

// check reports what makes no sense by itself.
func (d *DerivedSpec) check() error {
	least, most := d.Op.operands()
	switch n := len(d.Of); {
	case d.Name == "":
		return d.fault("it has no name")
	case most == 0:
		return d.fault("operation %d is not known", int8(d.Op))
	case n < least || n > most:
		return d.fault("%v of %d columns; it takes %d to %d", d.Op, n, least, most)
	case slices.Contains(d.Of, ""):
		return d.fault("%v of a column without a name", d.Op)
	case slices.Contains(d.Of, d.Name):
		return d.fault("it is made from itself")
	case (d.Op == Pinball) != (d.Q != 0) || d.Op == Pinball && !(d.Q > 0 && d.Q < 1):
		return d.fault("q is %v; %v needs one between 0 and 1, no other operation has any", d.Q, Pinball)
	case d.Op.ofClasses() && len(d.Classes) != len(d.probabilities()), !d.Op.ofClasses() && len(d.Classes) > 0:
		return d.fault("%d classes for %d columns of probabilities", len(d.Classes), len(d.probabilities()))
	}
	sorted := slices.Sorted(slices.Values(d.Classes))
	if len(slices.Compact(sorted)) != len(d.Classes) {
		return d.fault("a class is named twice")
	}
	return nil
}

// WithDerived returns a copy of the spec with derived columns, too. A column of
// the spec of the same name, which a check asked for, gives its cuts and sums to the
// derived one; columns that it is made from and that the spec does not have are added.
// The same derived column may be named more than once.
//
// Errors wrap [stats.ErrMismatch]: two different columns of one name, a name that a
// column with a role has, columns that are made from each other, and what
// [DerivedSpec] does not allow.
func (s *Spec) WithDerived(derived ...DerivedSpec) (*Spec, error) {
	all := map[string]*DerivedSpec{}
	for _, d := range slices.Concat(s.Derived, derived) {
		if err := d.check(); err != nil {
			return nil, err
		}
		have := all[d.Name]
		if have == nil {
			have = &d
			have.Of, have.Classes, have.Cuts = slices.Clone(d.Of), slices.Clone(d.Classes), slices.Clone(d.Cuts)
			all[d.Name] = have
			continue
		}
		if !have.same(&d) {
			return nil, d.fault("it is derived in two ways")
		}
		have.Cuts, have.Sums = append(have.Cuts, d.Cuts...), have.Sums || d.Sums
	}
	var columns []ColumnSpec
	for _, c := range s.Columns {
		d := all[c.Name]
		switch {
		case d == nil:
			columns = append(columns, c)
		case c.Role != Feature:
			return nil, d.fault("the log's column of that name is the %v", c.Role)
		default:
			d.Cuts, d.Sums = append(d.Cuts, c.Cuts...), d.Sums || c.Sums
		}
	}
	out := *s
	out.Derived = nil
	for _, d := range all {
		if err := d.settle(); err != nil {
			return nil, err
		}
		for _, name := range d.Of {
			if all[name] == nil {
				columns = append(columns, ColumnSpec{Name: name})
			}
		}
		out.Derived = append(out.Derived, *d)
	}
	slices.SortFunc(out.Derived, func(a, b DerivedSpec) int { return cmp.Compare(a.Name, b.Name) })
	base, err := NewSpec(s.Task, columns...)
	if err != nil {
		return nil, err
	}
	out.Columns = base.Columns
	if cycle := out.steps(); len(cycle) < len(out.Derived) {
		i := slices.IndexFunc(out.Derived, func(d DerivedSpec) bool { return !slices.Contains(cycle, out.derivedIndex(d.Name)) })
		return nil, out.Derived[i].fault("it is made from a column that is made from it")
	}
	return &out, nil
}

// settle brings the cuts into canonical form.
func (d *DerivedSpec) settle() error {
	for i, x := range d.Cuts {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return d.fault("cut %v is not a finite number", x)
		}
		d.Cuts[i] = x + 0 // -0 becomes 0
	}
	slices.Sort(d.Cuts)
	d.Cuts = slices.Compact(d.Cuts)
	return nil
}

func (s *Spec) derivedIndex(name string) int {
	return slices.IndexFunc(s.Derived, func(d DerivedSpec) bool { return d.Name == name })
}

// steps are the indexes of the derived columns in an order in which they can be
// computed; those that wait for each other are left out.
func (s *Spec) steps() []int {
	var order []int
	for grown := true; grown; {
		grown = false
		for i := range s.Derived {
			ready := !slices.Contains(order, i) && !slices.ContainsFunc(s.Derived[i].Of, func(name string) bool {
				k := s.derivedIndex(name)
				return k >= 0 && !slices.Contains(order, k)
			})
			if ready {
				order, grown = append(order, i), true
			}
		}
	}
	return order
}

// summarised are the columns of which a snapshot has summaries: those of the log,
// and the derived ones after them.
func (s *Spec) summarised() []ColumnSpec {
	out := slices.Clip(s.Columns)
	for i := range s.Derived {
		out = append(out, s.Derived[i].column())
	}
	return out
}

// scored reports whether the summarised column at i is one of probabilities with
// outcomes.
func (s *Spec) scored(i int) bool {
	if k := i - len(s.Columns); k >= 0 {
		return s.Derived[k].Op == Calibrated
	}
	return s.Task == Binary && s.Columns[i].Role == Score
}

// at is the position of a column among those that are summarised, or -1.
func (s *Spec) at(name string) int {
	if i := s.Index(name); i >= 0 {
		return i
	}
	if k := s.derivedIndex(name); k >= 0 {
		return len(s.Columns) + k
	}
	return -1
}
