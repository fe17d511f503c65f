package analysis

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// Type is the type of a column as a source delivers it.
type Type int8

// The column types. Narrower numbers are widened by the source: float32 and
// decimals to Float, all integers to Int.
const (
	Absent Type = iota // the source has no such column
	Float              // float64 values in Floats
	Int                // int64 values in Ints
	Bool               // values in Bools
	String             // dictionary codes in Codes
	Time               // microseconds since the Unix epoch, UTC, in Ints
)

var typeWords = map[Type]string{Absent: "absent", Float: "float", Int: "int", Bool: "bool", String: "string", Time: "time"}

// String returns the word used in messages and snapshots.
func (t Type) String() string { return word(typeWords, t) }

// MarshalText implements [encoding.TextMarshaler].
func (t Type) MarshalText() ([]byte, error) { return marshalWord(typeWords, t, "column type") }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *Type) UnmarshalText(b []byte) error { return unmarshalWord(typeWords, t, b, "column type") }

// Dict is the dictionary of a String column. Its identity matters: as long as
// consecutive columns carry the same *Dict, codes mean the same names and are
// counted without looking at the names. A source may append to Values between
// batches but not change what is there; a new dictionary is a new *Dict.
type Dict struct {
	Values []string
}

// Column is one column of a [Batch]. Exactly the slice that belongs to its type
// is set, with one entry per row; entries of missing values are ignored.
type Column struct {
	Type   Type
	Floats []float64
	Ints   []int64
	Bools  []bool
	Codes  []int32
	Dict   *Dict
	Valid  []bool // one per row; nil means that no value is missing
}

// Batch is a block of rows in columns. A source fills it and may reuse its
// memory for the next one; whoever keeps values must copy them.
type Batch struct {
	Rows    int
	Columns []Column // in the order of [Spec.Columns], except for [Collector.AddColumns]
}

// check reports a batch of the given columns of the spec that breaks the contract
// of Column.
func (b *Batch) check(s *Spec, columns []int) error {
	if len(b.Columns) != len(columns) {
		return fmt.Errorf("analysis: batch has %d columns, want %d: %w", len(b.Columns), len(columns), stats.ErrMismatch)
	}
	if b.Rows < 0 {
		return fmt.Errorf("analysis: batch of %d rows: %w", b.Rows, stats.ErrDomain)
	}
	for k, i := range columns {
		if i < 0 || i >= len(s.Columns) {
			return fmt.Errorf("analysis: column %d of %d: %w", i, len(s.Columns), stats.ErrMismatch)
		}
		c := &b.Columns[k]
		n := b.Rows
		switch c.Type {
		case Absent:
		case Float:
			n = len(c.Floats)
		case Int, Time:
			n = len(c.Ints)
		case Bool:
			n = len(c.Bools)
		case String:
			n = len(c.Codes)
			if c.Dict == nil && n > 0 {
				return fmt.Errorf("analysis: column %q has codes but no dictionary: %w", s.Columns[i].Name, stats.ErrMismatch)
			}
		default:
			return fmt.Errorf("analysis: column %q has type %d: %w", s.Columns[i].Name, c.Type, stats.ErrDomain)
		}
		if n != b.Rows || (c.Valid != nil && len(c.Valid) != b.Rows) {
			return fmt.Errorf("analysis: column %q has %d values and %d validity flags in a batch of %d rows: %w",
				s.Columns[i].Name, n, len(c.Valid), b.Rows, stats.ErrMismatch)
		}
	}
	return nil
}
