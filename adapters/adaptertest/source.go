package adaptertest

import (
	"context"

	"github.com/rampguard/rampguard/analysis"
)

// Source is an adapter under test.
type Source struct {
	// Store puts the rows of a table where Collect finds them, and returns their
	// name, such as the path of a file. The part is a number that tells tables of
	// one call of Collect apart; dir is a folder to be used freely. A table may
	// have no rows.
	Store func(dir string, part int, t Table) (name string, err error)

	// Collect makes a snapshot of the named tables together.
	Collect func(ctx context.Context, spec *analysis.Spec, o Options, names ...string) (*analysis.Snapshot, error)

	// Damage spoils a stored table in a way that the source has to see. When it is
	// nil, the name is that of a file, which is cut in half.
	Damage func(name string) error

	// Types are those that the source can hold; nil means all.
	Types []analysis.Type

	// NoProgress says that the source does not report any.
	NoProgress bool
}

// Options are those of a call of Collect.
type Options struct {
	Workers int // at most
	// Types are those of the columns as they were stored, for sources whose form
	// does not tell.
	Types map[string]analysis.Type
	// Progress is to be called with all rows and tables finished so far.
	Progress func(rows int64, tables int)
}

// Table is rows in columns of equal length.
type Table []Column

// Column is a column of a table. The values are float64, int64, bool or string, as
// the type says; of type Time they are int64, in microseconds since the Unix epoch,
// UTC. A missing value is nil.
type Column struct {
	Name   string
	Type   analysis.Type
	Values []any
}

// Rows is the number of rows.
func (t Table) Rows() int {
	if len(t) == 0 {
		return 0
	}
	return len(t[0].Values)
}

// Types are the types by name.
func (t Table) Types() map[string]analysis.Type {
	types := map[string]analysis.Type{}
	for _, c := range t {
		types[c.Name] = c.Type
	}
	return types
}

// Slice returns the rows from, ..., to-1.
func (t Table) Slice(from, to int) Table {
	out := make(Table, len(t))
	for i, c := range t {
		out[i] = Column{c.Name, c.Type, c.Values[from:to:to]}
	}
	return out
}
