package csvrows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Column describes a column of a file.
type Column struct {
	Name string
	Type analysis.Type // stated or inferred; Absent when the sample has no value
}

// Schema lists the columns of a file with the types that it would be read with by
// itself: of CSV in the order of the header, of JSON Lines by name, as far as the
// sampled rows have them.
func Schema(path string, o Options) ([]Column, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	names, err := namesIn(path, &o)
	if err != nil {
		return nil, err
	}
	var columns []analysis.ColumnSpec
	for _, name := range names {
		if name != "" {
			columns = append(columns, analysis.ColumnSpec{Name: name})
		}
	}
	spec, err := analysis.NewSpec(analysis.Binary, columns...)
	if err != nil {
		return nil, err
	}
	p, f, err := planOf(path, spec, &o)
	if err != nil {
		return nil, err
	}
	out := make([]Column, len(names))
	for i, name := range names {
		out[i].Name = name
		if k := spec.Index(name); k >= 0 {
			out[i].Type = p.types[k]
		}
	}
	return out, f.Close()
}

// namesIn lists the columns of a file.
func namesIn(path string, o *Options) ([]string, error) {
	f, err := rowfiles.Open(adapter, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	r, err := openRows(f, o, nil)
	if err != nil {
		return nil, f.In(err)
	}
	defer r.close()
	if r.json == nil {
		return r.header, nil
	}
	known := map[string]bool{}
	var names []string
	r.json.every = func(key []byte) {
		if !known[string(key)] {
			known[string(key)] = true
			names = append(names, string(key))
		}
	}
	for n := 0; o.Sample < 0 || n < o.Sample; n++ {
		if _, err := r.next(); isEnd(err) {
			break
		} else if err != nil {
			return nil, f.In(err)
		}
	}
	slices.Sort(names)
	return names, nil
}

// planOf opens a file and looks at its first rows.
func planOf(path string, spec *analysis.Spec, o *Options) (*plan, *rowfiles.File, error) {
	f, err := rowfiles.Open(adapter, path)
	if err != nil {
		return nil, nil, err
	}
	p := newPlan(spec, o)
	s, err := p.look(context.Background(), f, p.columns(spec))
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, f.In(err)
	}
	p.settle(spec, []sample{s})
	return p, f, nil
}

// Reader reads the rows of one file in order, as batches. It is for feeding
// something else than a collector, and for one goroutine.
type Reader struct {
	file *rowfiles.File
	s    *scanner
	err  error
}

// Open opens a file for reading the columns of the spec. Of the options, Workers
// and Progress are not used.
func Open(path string, spec *analysis.Spec, o Options) (*Reader, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	p, f, err := planOf(path, spec, &o)
	if err != nil {
		return nil, err
	}
	s, err := p.open(f, p.columns(spec))
	if err != nil {
		_ = f.Close()
		return nil, f.In(err)
	}
	return &Reader{file: f, s: s}, nil
}

// Next fills b with the next rows; its slices are memory of the reader and hold
// until the next call. After the last row it returns io.EOF. After any error it
// returns the same error again.
func (r *Reader) Next(b *analysis.Batch) error {
	for r.err == nil {
		r.err = r.s.next(b)
		switch {
		case r.err == nil && b.Rows > 0:
			return nil
		case r.err == nil:
			continue
		case isEnd(r.err):
			if err := r.file.Same(); err != nil {
				r.err = r.file.In(err)
			}
		case errors.Is(r.err, errStop):
			r.err = r.file.In(tooMany(r.s.bad, r.s.o.MaxBad, r.s.list))
		default:
			r.err = r.file.In(r.err)
		}
	}
	return r.err
}

// Bad returns how many of the rows so far are bad, and the first of them.
func (r *Reader) Bad() (n int64, rows []BadRow) { return r.s.bad, r.s.list }

// Close releases the file. It may be called at any time.
func (r *Reader) Close() error {
	if r.err == nil {
		r.err = r.file.In(fmt.Errorf("the reader is closed: %w", stats.ErrMismatch))
	}
	r.s.rows.close()
	return r.file.Close()
}
