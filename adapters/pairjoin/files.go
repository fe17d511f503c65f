package pairjoin

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// File is a [Stream] of one file.
type File interface {
	Stream
	Close() error
}

// Files is a [Stream] of the rows of several files, which it opens one after
// another. It is for one goroutine.
type Files struct {
	open  func(path string) (File, error)
	paths []string
	file  File
	err   error
}

// NewFiles returns the stream of the files at paths, opened with open; see
// [Parquet]. A file that is named twice is read twice.
func NewFiles(open func(path string) (File, error), paths ...string) *Files {
	return &Files{open: open, paths: paths}
}

// Parquet returns what opens Parquet files for reading the columns of a spec.
func Parquet(spec *analysis.Spec) func(path string) (File, error) {
	return func(path string) (File, error) {
		r, err := parquetrows.Open(path, spec, parquetrows.Options{})
		if err != nil {
			return nil, err // not a nil *Reader in the interface
		}
		return r, nil
	}
}

// Next implements [Stream]. After any error it returns the same error again.
func (f *Files) Next(b *analysis.Batch) error {
	for f.err == nil {
		if f.file == nil {
			if len(f.paths) == 0 {
				f.err = io.EOF
				break
			}
			file, err := f.open(f.paths[0])
			if err != nil {
				f.err = err // and whatever came with it is no file
				break
			}
			f.file, f.paths = file, f.paths[1:]
		}
		err := f.file.Next(b)
		if err == nil {
			return nil
		}
		if f.err = f.Close(); f.err == nil && !errors.Is(err, io.EOF) {
			f.err = err
		}
	}
	return f.err
}

// Close closes the file that is open, if any. It may be called at any time.
func (f *Files) Close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// Collect makes the evidence of a log that has both scores in each row; the columns
// of its batches are those of [analysis.PairSpec.Spec]. Of the options, only
// MatureBefore is used.
//
// Rows whose id repeats count as they are: in such a log the id may well be a
// person. How often ids repeat is in the Units of the snapshot, exactly up to 8192
// ids and else by a sample of them; see [summary.Distinct]. A log without one of the
// score columns is an error wrapping [stats.ErrMismatch].
func Collect(ctx context.Context, spec *analysis.PairSpec, rows Stream, o Options) (*analysis.PairSnapshot, error) {
	c, err := analysis.NewPairCollector(spec)
	if err != nil {
		return nil, err
	}
	if err := c.MatureBefore(o.MatureBefore); err != nil {
		return nil, err
	}
	columns := spec.Spec()
	scores := []string{spec.Baseline, spec.Candidate}
	met := make([]bool, len(scores))
	total := 0
	var b analysis.Batch
	for {
		if ctx.Err() != nil {
			return nil, stopped(ctx)
		}
		err := rows.Next(&b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("pairjoin: %w", err)
		}
		if err := c.Add(&b); err != nil {
			return nil, fmt.Errorf("pairjoin: %w", err)
		}
		total += b.Rows
		for i, name := range scores {
			met[i] = met[i] || b.Columns[columns.Index(name)].Type != analysis.Absent
		}
	}
	for i, name := range scores {
		if total > 0 && !met[i] {
			return nil, fmt.Errorf("pairjoin: the log of pairs has no column %q, the score of the %s: %w", name, sides[i], stats.ErrMismatch)
		}
	}
	return c.Snapshot()
}
