package arrowcols

import (
	"errors"
	"fmt"
	"io"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Record gives the arrays of a record, by field of the schema.
type Record interface {
	Rows() int
	Array(field int) (Array, error)
}

// Cursor cuts records into batches. Its memory serves one record after another;
// Close ends it.
type Cursor struct {
	spec    *analysis.Spec
	block   int
	columns []column
	fields  []int // of the schema, by column of the spec; -1: absent

	arrays []Array
	rows   int
	at     int
}

// NewCursor returns a cursor for batches of up to block rows.
func NewCursor(spec *analysis.Spec, block int) *Cursor {
	n := len(spec.Columns)
	c := &Cursor{spec: spec, block: block, columns: make([]column, n), fields: make([]int, n), arrays: make([]Array, n)}
	for i, s := range spec.Columns {
		c.columns[i].unit = s.Role == analysis.Unit
		c.fields[i] = -1
	}
	return c
}

// Begin finds the columns of the spec in a schema. It returns their types.
func (c *Cursor) Begin(fields []Field) ([]analysis.Type, error) {
	types := make([]analysis.Type, len(c.fields))
	byName := map[string]int{}
	for k, f := range fields {
		if _, twice := byName[f.Name]; twice {
			byName[f.Name] = len(fields)
			continue
		}
		byName[f.Name] = k
	}
	for i, s := range c.spec.Columns {
		c.fields[i] = -1
		k, ok := byName[s.Name]
		if !ok {
			continue
		}
		if k == len(fields) {
			return nil, rowfiles.InColumn(s.Name, rowfiles.Unsupported("there are two columns of that name"))
		}
		t := fields[k].Type
		if err := t.check(); err != nil {
			return nil, rowfiles.InColumn(s.Name, err)
		}
		types[i] = t.Analysis()
		if types[i] != analysis.Absent {
			c.fields[i] = k
		}
	}
	return types, nil
}

// Load takes over a record. Its memory has to last until the last batch of it.
func (c *Cursor) Load(r Record) error {
	c.rows, c.at = 0, 0
	for i, k := range c.fields {
		if k < 0 {
			continue
		}
		name := c.spec.Columns[i].Name
		a, err := r.Array(k)
		if err == nil && a.Len != r.Rows() {
			err = rowfiles.Corrupt("%d values in a record of %d rows", a.Len, r.Rows())
		}
		if err == nil {
			err = a.Check()
		}
		if err != nil {
			return rowfiles.InColumn(name, err)
		}
		c.arrays[i] = a
	}
	if r.Rows() < 0 {
		return rowfiles.Corrupt("a record of %d rows", r.Rows())
	}
	c.rows = r.Rows()
	return nil
}

// Next fills b with the next rows of the record; after the last it returns io.EOF.
func (c *Cursor) Next(b *analysis.Batch) error {
	if c.at == c.rows {
		return io.EOF
	}
	n := min(c.block, c.rows-c.at)
	b.Rows, b.Columns = n, grow(b.Columns, len(c.fields))
	for i, k := range c.fields {
		if k < 0 {
			b.Columns[i] = analysis.Column{}
			continue
		}
		if err := c.columns[i].fill(&b.Columns[i], &c.arrays[i], c.at, n); err != nil {
			return rowfiles.InColumn(c.spec.Columns[i].Name, err)
		}
	}
	c.at += n
	return nil
}

// AddTo collects what is left of the record.
func (c *Cursor) AddTo(into *analysis.Collector, b *analysis.Batch) error {
	for {
		err := c.Next(b)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := into.Add(b); err != nil {
			return err
		}
	}
}

// Close lets go of dictionaries.
func (c *Cursor) Close() {
	for i := range c.columns {
		c.columns[i].close()
	}
}

// UsualBlock is the number of rows of a batch when nothing else is asked for.
const UsualBlock = 16384

// Block returns the rows of a batch that the option BatchRows asks for.
func Block(adapter string, rows int) (int, error) {
	const most = 1 << 20
	switch {
	case rows == 0:
		return UsualBlock, nil
	case rows < 0 || rows > most:
		return 0, fmt.Errorf("%s: Options.BatchRows %d, want 0 to %d: %w", adapter, rows, most, stats.ErrDomain)
	}
	return rows, nil
}
