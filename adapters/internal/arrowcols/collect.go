package arrowcols

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Source reads the records of a file. All of it may panic.
type Source interface {
	Fields() []Field
	Next() (Record, error) // io.EOF after the last; holds until the next call
	Close()
}

// Opener returns the source that reads messages with the memory of an allocator.
type Opener func(f *Frames, a *Allocator) (Source, error)

// Options say how to collect.
type Options struct {
	rowfiles.Options
	BatchRows int
	MaxMemory int64
}

func (o Options) limit() (int64, error) {
	switch {
	case o.MaxMemory == 0:
		return 1 << 30, nil
	case o.MaxMemory < 0:
		return 0, fmt.Errorf("%s: Options.MaxMemory %d: %w", o.Adapter, o.MaxMemory, stats.ErrDomain)
	}
	return o.MaxMemory, nil
}

// Collect collects the rows of files.
func Collect(ctx context.Context, spec *analysis.Spec, o Options, open Opener, patterns []string) (*analysis.Snapshot, error) {
	block, err := Block(o.Adapter, o.BatchRows)
	if err != nil {
		return nil, err
	}
	limit, err := o.limit()
	if err != nil {
		return nil, err
	}
	set, err := rowfiles.Find(o.Options, patterns)
	if err != nil {
		return nil, err
	}
	types := make([][]analysis.Type, set.Len())
	err = set.Each(ctx, func(_ context.Context, _ int, f *rowfiles.File) (err error) {
		defer Rescue(&err)
		s, err := start(f, limit, open)
		if err != nil {
			return err
		}
		defer s.Close()
		types[f.Index], err = NewCursor(spec, block).Begin(s.Fields())
		return err
	})
	if err == nil {
		err = set.SameTypes(spec, types)
	}
	if err != nil {
		return nil, err
	}
	cursors := make([]*Cursor, set.Workers())
	for i := range cursors {
		cursors[i] = NewCursor(spec, block)
		defer cursors[i].Close()
	}
	return set.Collect(ctx, spec, func(ctx context.Context, worker int, f *rowfiles.File, into *analysis.Collector) error {
		return collect(ctx, f, limit, open, cursors[worker], into)
	})
}

func collect(ctx context.Context, f *rowfiles.File, limit int64, open Opener, c *Cursor, into *analysis.Collector) (err error) {
	defer Rescue(&err)
	s, err := start(f, limit, open)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := c.Begin(s.Fields()); err != nil {
		return err
	}
	var b analysis.Batch
	for n := 0; ; n++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r, err := s.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = c.Load(r)
		}
		for err == nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err = c.Next(&b); err == nil {
				err = into.Add(&b)
			}
		}
		if !errors.Is(err, io.EOF) {
			return fmt.Errorf("record %d: %w", n, err)
		}
		f.Done(r.Rows())
	}
}

func start(f *rowfiles.File, limit int64, open Opener) (Source, error) {
	frames, err := NewFrames(f, f.Size)
	if err != nil {
		return nil, err
	}
	s, err := open(frames, &Allocator{Limit: limit})
	if err != nil {
		return nil, Blame(frames, err)
	}
	return s, nil
}

// Blame returns the error behind one of the library, which follows from it.
func Blame(f *Frames, err error) error {
	if cause := f.Err(); cause != nil {
		return cause
	}
	if errors.Is(err, rowfiles.ErrUnsupported) {
		return err
	}
	return rowfiles.Corrupt("%v", err)
}

// Rescue turns a panic into an error: the library trusts what it finds in a
// message.
func Rescue(err *error) {
	switch p := recover().(type) {
	case nil:
	case error:
		if *err = p; !errors.Is(p, rowfiles.ErrUnsupported) {
			*err = rowfiles.Corrupt("decoding: %v", p)
		}
	default:
		*err = rowfiles.Corrupt("decoding: %v", p)
	}
}

// Reader reads the rows of one file as batches.
type Reader struct {
	file   *rowfiles.File
	source Source
	cursor *Cursor
	record int
	loaded bool
	err    error
}

// OpenReader opens a file.
func OpenReader(path string, spec *analysis.Spec, o Options, open Opener) (*Reader, error) {
	block, err := Block(o.Adapter, o.BatchRows)
	if err != nil {
		return nil, err
	}
	limit, err := o.limit()
	if err != nil {
		return nil, err
	}
	f, err := rowfiles.Open(o.Adapter, path)
	if err != nil {
		return nil, err
	}
	r := &Reader{file: f, cursor: NewCursor(spec, block)}
	if err := r.begin(limit, open); err != nil {
		_ = r.Close()
		return nil, f.In(err)
	}
	return r, nil
}

func (r *Reader) begin(limit int64, open Opener) (err error) {
	defer Rescue(&err)
	if r.source, err = start(r.file, limit, open); err != nil {
		return err
	}
	_, err = r.cursor.Begin(r.source.Fields())
	return err
}

// Next fills b with the next rows; after the last it returns io.EOF.
func (r *Reader) Next(b *analysis.Batch) error {
	if r.err == nil {
		if r.err = r.next(b); r.err != nil && !errors.Is(r.err, io.EOF) {
			r.err = r.file.In(fmt.Errorf("record %d: %w", max(0, r.record-1), r.err))
		}
	}
	return r.err
}

func (r *Reader) next(b *analysis.Batch) (err error) {
	defer Rescue(&err)
	for {
		if r.loaded {
			if err := r.cursor.Next(b); !errors.Is(err, io.EOF) {
				return err
			}
		}
		record, err := r.source.Next()
		if errors.Is(err, io.EOF) {
			if changed := r.file.Same(); changed != nil {
				return changed
			}
		}
		if err != nil {
			return err
		}
		r.record++
		if err := r.cursor.Load(record); err != nil {
			return err
		}
		r.loaded = true
	}
}

// Fields lists the columns of a file.
func Fields(adapter, path string, open Opener) (fields []Field, err error) {
	f, err := rowfiles.Open(adapter, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	err = func() (err error) {
		defer Rescue(&err)
		limit, _ := Options{}.limit()
		s, err := start(f, limit, open)
		if err != nil {
			return err
		}
		defer s.Close()
		fields = s.Fields()
		return nil
	}()
	if err != nil {
		return nil, f.In(err)
	}
	return fields, nil
}

// Close releases the file.
func (r *Reader) Close() error {
	if r.err == nil {
		r.err = r.file.In(fmt.Errorf("the reader is closed: %w", stats.ErrMismatch))
	}
	r.cursor.Close()
	if r.source != nil {
		r.source.Close()
		r.source = nil
	}
	return r.file.Close()
}
