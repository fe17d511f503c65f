package csvrows

import (
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/adapters/internal/names"
	"github.com/rampguard/rampguard/analysis"
)

// column builds one column of batches.
type column struct {
	values
	name string
	typ  analysis.Type // Absent when the file has no such column
	why  string        // when it is Absent, why a value in it is bad

	floats []float64
	ints   []int64
	bools  []bool
	codes  []int32
	valid  []bool
	names  names.Names
}

// prepare makes room for batches of some rows.
func (c *column) prepare(rows int) {
	switch c.typ {
	case analysis.Absent:
		return
	case analysis.Float:
		c.floats = room(c.floats, rows)
	case analysis.Int, analysis.Time:
		c.ints = room(c.ints, rows)
	case analysis.Bool:
		c.bools = room(c.bools, rows)
	case analysis.String:
		c.codes = room(c.codes, rows)
		c.names.IDs = c.unit
	}
	c.valid = room(c.valid, rows)
}

func room[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// set sets the value of a row.
func (c *column) set(row int, t token) (err error) {
	if c.typ == analysis.Absent {
		if t.kind != none && !c.missing(t, analysis.Float) {
			return fmt.Errorf("%q, %s", cutShort(t.text), c.why)
		}
		return nil
	}
	if c.missing(t, c.typ) {
		c.valid[row] = false
		return nil
	}
	c.valid[row] = true
	switch c.typ {
	case analysis.Float:
		c.floats[row], err = parseFloat(t)
	case analysis.Int:
		c.ints[row], err = c.parseInt(t)
	case analysis.Bool:
		c.bools[row], err = parseBool(t)
	case analysis.Time:
		c.ints[row], err = c.parseTime(t)
	default:
		if t.kind == nested {
			return bad(t.text, "a text")
		}
		c.codes[row] = c.names.Code(t.text)
	}
	return err
}

// fill sets out to the first rows.
func (c *column) fill(out *analysis.Column, rows int) {
	*out = analysis.Column{Type: c.typ}
	switch c.typ {
	case analysis.Absent:
		return
	case analysis.Float:
		out.Floats = c.floats[:rows]
	case analysis.Int, analysis.Time:
		out.Ints = c.ints[:rows]
	case analysis.Bool:
		out.Bools = c.bools[:rows]
	case analysis.String:
		out.Codes, out.Dict = c.codes[:rows], c.names.Dict()
		for i, ok := range c.valid[:rows] {
			if !ok {
				out.Codes[i] = 0
			}
		}
	}
	if slices.Contains(c.valid[:rows], false) {
		out.Valid = c.valid[:rows]
	}
}

// scanner cuts a file into batches and counts its bad rows.
type scanner struct {
	path    string
	o       *Options
	rows    *rows
	columns []column

	good int64
	bad  int64
	list []BadRow

	failed bool
}

// next fills b with the next rows, of which there may be none when all are bad;
// after the last it returns io.EOF.
func (s *scanner) next(b *analysis.Batch) error {
	for i := range s.columns {
		if s.columns[i].typ == analysis.String {
			s.columns[i].names.Trim()
		}
	}
	n := 0
	for range s.o.BatchRows {
		wrong, err := s.rows.next()
		if err != nil {
			if n == 0 || !isEnd(err) {
				return err
			}
			break
		}
		name := ""
		for i := 0; i < len(s.columns) && wrong == nil; i++ {
			if wrong = s.columns[i].set(n, s.rows.tokens[i]); wrong != nil {
				name = s.columns[i].name
			}
		}
		if wrong == nil {
			n++
			continue
		}
		if err := s.refuse(BadRow{s.path, s.rows.line, name, wrong.Error()}); err != nil {
			return err
		}
	}
	b.Rows, b.Columns = n, room(b.Columns, len(s.columns))
	for i := range s.columns {
		s.columns[i].fill(&b.Columns[i], n)
	}
	s.good += int64(n)
	return nil
}

// refuse counts a bad row.
func (s *scanner) refuse(row BadRow) error {
	s.bad++
	if len(s.list) < s.o.KeepBad {
		s.list = append(s.list, row)
	}
	if s.o.MaxBad >= 0 && s.bad > int64(s.o.MaxBad) {
		return errStop
	}
	return nil
}

func cutShort(b []byte) []byte { return b[:min(len(b), 40)] }
