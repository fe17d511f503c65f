package drift

import (
	"fmt"
	"math/bits"
	"strconv"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// CellKind says what the values of a cell have in common.
type CellKind uint8

// The kinds of cells.
const (
	CategoryCell CellKind = iota // one name, or one of the cells given to Counts
	IntervalCell                 // numbers between two bounds
	AtomCell                     // one number
	MissingCell                  // null or NaN
	OutsideCell                  // infinite, or outside the range of the layout
	OtherCell                    // what is too rare, or too many, to be listed
	UnseenCell                   // one name that the reference does not have
)

var kindNames = [...]string{"category", "interval", "atom", "missing", "outside", "other", "unseen"}

// String returns the kind in lower case: "category", "interval", "atom",
// "missing", "outside", "other" or "unseen".
func (k CellKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "CellKind(" + strconv.Itoa(int(k)) + ")"
}

// MarshalText implements [encoding.TextMarshaler].
func (k CellKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// CellInfo describes a cell.
type CellInfo struct {
	Name   string // for people: "0.2 to 0.35", "= 0", "DE", "null"
	Kind   CellKind
	Lo, Hi float64 // bounds of an interval, -Inf and +Inf at the open ends; Lo == Hi for an atom; else 0
}

// Cells is a pair of counts over the same cells: the one binning that all
// metrics of a comparison share, so that they can be compared with each other.
//
// Make it with [Numeric], [Categories], [Booleans] or [Counts]. Cells of other
// origin must have slices of equal length, and RefN and CurN must be the sums of
// Ref and Cur.
type Cells struct {
	Method   string // how the cells were made, with the id of the layout
	Info     []CellInfo
	Ref, Cur []uint64 // counts by cell
	RefN     uint64   // rows of the reference
	CurN     uint64   // rows of the current sample
	Warnings []stats.Warning
}

// WarnCoarseLayout is the code of a warning: much of the reference lies in one
// cell of the layout, and drift inside that cell is not seen.
const WarnCoarseLayout = "coarse_layout"

// Counts makes Cells of counts that were made elsewhere. Cells are called by
// names, or "cell 0" and so on when there are no names.
//
// Errors: [stats.ErrMismatch] when the lengths differ, [stats.ErrEmpty] when a
// side counts nothing, [stats.ErrDomain] when a side counts more than 2^62.
func Counts(ref, cur []uint64, names ...string) (Cells, error) {
	if len(ref) != len(cur) || (len(names) > 0 && len(names) != len(ref)) {
		return Cells{}, fmt.Errorf("drift: Counts: %d and %d counts, %d names: %w", len(ref), len(cur), len(names), stats.ErrMismatch)
	}
	var c Cells
	for i := range ref {
		name := "cell " + strconv.Itoa(i)
		if len(names) > 0 {
			name = names[i]
		}
		c.add(CellInfo{Name: name}, ref[i], cur[i])
	}
	c.Method = plural(len(ref), "given cell")
	return c.total("Counts")
}

// Booleans makes Cells of a yes-or-no column: "false", "true" and, when there
// are any, "null".
//
// Errors: [stats.ErrEmpty] when a side has no rows, [stats.ErrDomain] when a
// side counts more than 2^62.
func Booleans(ref, cur *summary.Proportion) (Cells, error) {
	c := Cells{Method: "false, true and null"}
	c.add(CellInfo{Name: "false"}, ref.False, cur.False)
	c.add(CellInfo{Name: "true"}, ref.True, cur.True)
	c.addUsed(CellInfo{Name: "null", Kind: MissingCell}, ref.Null, cur.Null)
	return c.total("Booleans")
}

func (c *Cells) add(i CellInfo, ref, cur uint64) {
	c.Info = append(c.Info, i)
	c.Ref = append(c.Ref, ref)
	c.Cur = append(c.Cur, cur)
}

// addUsed adds a cell unless it is empty on both sides.
func (c *Cells) addUsed(i CellInfo, ref, cur uint64) {
	if ref > 0 || cur > 0 {
		c.add(i, ref, cur)
	}
}

func (c *Cells) warn(code, format string, args ...any) {
	c.Warnings = append(c.Warnings, stats.Warning{Code: code, Message: fmt.Sprintf(format, args...)})
}

// total sets RefN and CurN.
func (c *Cells) total(fn string) (Cells, error) {
	var err error
	if c.RefN, err = sum(fn, "reference", c.Ref); err != nil {
		return Cells{}, err
	}
	if c.CurN, err = sum(fn, "current sample", c.Cur); err != nil {
		return Cells{}, err
	}
	return *c, nil
}

// check refuses Cells that do not hold together.
func (c Cells) check(fn string) error {
	if len(c.Ref) != len(c.Cur) || len(c.Ref) != len(c.Info) {
		return fmt.Errorf("drift: %s: %d and %d counts in %d cells: %w", fn, len(c.Ref), len(c.Cur), len(c.Info), stats.ErrMismatch)
	}
	n, err := sum(fn, "reference", c.Ref)
	if err != nil {
		return err
	}
	m, err := sum(fn, "current sample", c.Cur)
	if err != nil {
		return err
	}
	if n != c.RefN || m != c.CurN {
		return fmt.Errorf("drift: %s: counts add up to %d and %d, not to the %d and %d rows stated: %w", fn, n, m, c.RefN, c.CurN, stats.ErrMismatch)
	}
	return nil
}

// sum adds counts; there must be one to 2^62 of them.
func sum(fn, side string, xs []uint64) (uint64, error) {
	const limit = 1 << 62
	var n, carry uint64
	for _, x := range xs {
		if n, carry = bits.Add64(n, x, 0); carry != 0 || n > limit {
			return 0, fmt.Errorf("drift: %s: the %s counts more than 2^62: %w", fn, side, stats.ErrDomain)
		}
	}
	if n == 0 {
		return 0, fmt.Errorf("drift: %s: the %s has no rows: %w", fn, side, stats.ErrEmpty)
	}
	return n, nil
}

// expected is the count of a cell in the smaller of two samples of n and m rows,
// were both drawn from one distribution.
func expected(ref, cur uint64, n, m float64) float64 {
	return (float64(ref) + float64(cur)) / (n + m) * min(n, m)
}

func plural(n int, what string) string {
	s := strconv.Itoa(n) + " " + what
	if n != 1 {
		s += "s"
	}
	return s
}
