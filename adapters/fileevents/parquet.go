package fileevents

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
)

// maxSpool is the number of bytes of Parquet that are copied to a temporary file.
const maxSpool = 1 << 30

// parquet reads the columns that are known. Parquet is read from its end, so that
// what does not come from a file of its own goes to a temporary one first.
func (in *input) parquet(r io.Reader, path string) (err error) {
	if path == "" {
		if path, err = in.spool(r); path != "" {
			defer func() { err = errors.Join(err, os.Remove(path)) }()
		}
		if err != nil {
			return err
		}
	}
	columns, err := parquetrows.Schema(path)
	if err != nil {
		return in.errorf("%w", err)
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	if err := in.c.begin(names, true); err != nil {
		return in.errorf("%w", err)
	}
	for _, name := range names {
		if !in.c.known(name) {
			in.intake.ignore(name)
		}
	}
	columns = slices.DeleteFunc(columns, func(c parquetrows.Column) bool { return !in.c.known(c.Name) })
	slices.SortFunc(columns, func(a, b parquetrows.Column) int { return strings.Compare(a.Name, b.Name) })
	return in.batches(path, columns)
}

// spool copies r to a temporary file. The file is there whenever it has a name.
func (in *input) spool(r io.Reader) (path string, err error) {
	f, err := os.CreateTemp("", "fileevents-*.parquet")
	if err != nil {
		return "", in.errorf("%w", err)
	}
	n, err := io.Copy(f, io.LimitReader(r, maxSpool+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return f.Name(), in.errorf("%w", err)
	}
	if n > maxSpool {
		return f.Name(), in.errorf("more than %d bytes of Parquet: %w", maxSpool, ErrLimit)
	}
	return f.Name(), nil
}

// batches reads the given columns, which are in the order of their names.
func (in *input) batches(path string, columns []parquetrows.Column) (err error) {
	specs := make([]analysis.ColumnSpec, len(columns))
	for i, c := range columns {
		specs[i].Name = c.Name
	}
	spec, err := analysis.NewSpec(analysis.Binary, specs...)
	if err != nil {
		return in.errorf("%w", err)
	}
	if len(spec.Columns) != len(columns) {
		return in.errorf("two columns of one name: %w", ErrFormat)
	}
	r, err := parquetrows.Open(path, spec, parquetrows.Options{BatchRows: 1024})
	if err != nil {
		return in.errorf("%w", err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	fields := make([]field, len(columns))
	var b analysis.Batch
	for row := 1; ; {
		switch err := r.Next(&b); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return in.errorf("after row %d: %w", row-1, err)
		}
		for i := range b.Rows {
			for k := range fields {
				fields[k] = value(&columns[k], &b.Columns[k], i)
			}
			if err := in.row(row, fields, fault{}); err != nil {
				return err
			}
			row++
		}
	}
}

// value is one value of a batch.
func value(c *parquetrows.Column, values *analysis.Column, i int) field {
	f := field{name: c.Name}
	if values.Type == analysis.Absent || values.Valid != nil && !values.Valid[i] {
		return f
	}
	switch values.Type {
	case analysis.String:
		f.kind, f.text = word, []byte(strings.TrimSpace(values.Dict.Values[values.Codes[i]]))
		if len(f.text) == 0 {
			f.kind = empty
		}
	case analysis.Int:
		f.kind, f.text = number, strconv.AppendInt(nil, values.Ints[i], 10)
	case analysis.Float:
		f.kind, f.text = number, strconv.AppendFloat(nil, values.Floats[i], 'f', -1, 64)
	case analysis.Time:
		f.kind, f.at = instant, time.UnixMicro(values.Ints[i]).UTC()
		switch {
		case c.Logical == "DATE":
			f.kind, f.text = wrong, []byte(f.at.Format(time.DateOnly))
		case strings.Contains(c.Logical, "isAdjustedToUTC=false"):
			f.kind = clock
		}
	default:
		f.kind, f.text = wrong, fmt.Append(nil, values.Bools[i])
	}
	return f
}
