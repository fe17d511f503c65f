package parquetrows

import (
	"errors"
	"fmt"
	"io"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Reader reads the rows of one file in order, as batches. [Collect] is faster
// when there is more than one processor; a Reader is for feeding something else.
// It is for one goroutine.
type Reader struct {
	in      *input
	columns []source
	group   *group
	started int // row groups
	err     error
}

// Open opens a file for reading the columns of the spec. Of the options, only
// BatchRows is used.
func Open(path string, spec *analysis.Spec, o Options) (*Reader, error) {
	block, err := o.batchRows()
	if err != nil {
		return nil, err
	}
	in, err := open(path)
	if err != nil {
		return nil, err
	}
	columns, err := in.sources(spec)
	if err != nil {
		_ = in.close()
		return nil, err
	}
	return &Reader{in: in, columns: columns, group: newGroup(len(columns), block)}, nil
}

// Rows is the number of rows in the file.
func (r *Reader) Rows() int64 { return r.in.meta.NumRows }

// Next fills b with the next rows; its slices are memory of the reader and hold
// until the next call. After the last row it returns io.EOF, but only if the file
// held what its footer says. After any error it returns the same error again.
func (r *Reader) Next(b *analysis.Batch) error {
	for r.err == nil {
		if r.started > 0 {
			if r.err = r.group.next(b); !errors.Is(r.err, io.EOF) {
				return r.err
			}
		}
		if r.started == len(r.in.meta.RowGroups) {
			if r.err = r.in.same(r.in.stamp); r.err == nil {
				r.err = io.EOF
			}
			break
		}
		r.err = r.group.start(r.in, r.columns, r.started)
		r.started++
	}
	return r.err
}

// Close releases the file. It may be called at any time.
func (r *Reader) Close() error {
	if r.err == nil {
		r.err = fmt.Errorf("parquetrows: %s: the reader is closed: %w", r.in.path, stats.ErrMismatch)
	}
	return r.in.close()
}
