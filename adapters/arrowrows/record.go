package arrowrows

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/rampguard/rampguard/adapters/internal/arrowcols"
	"github.com/rampguard/rampguard/analysis"
)

// Add counts the rows of a record, of which c collects the columns of the spec.
// The memory of the record is not copied, and not needed after the call. To add
// many records that share dictionaries use [AddAll], which makes the names of a
// dictionary once.
//
// Errors wrap [ErrUnsupported] or [ErrCorrupt] and name the column, or are those of
// [analysis.Collector.Add]; the collector may then hold part of the rows and is of
// no further use.
func Add(c *analysis.Collector, spec *analysis.Spec, rec arrow.Record) error {
	cursor := arrowcols.NewCursor(spec, arrowcols.UsualBlock)
	defer cursor.Close()
	fields := fieldsOf(rec.Schema())
	if _, err := cursor.Begin(fields); err != nil {
		return fmt.Errorf("%s: Add: %w", adapter, err)
	}
	var b analysis.Batch
	if err := add(c, cursor, record{rec, fields}, &b); err != nil {
		return fmt.Errorf("%s: Add: %w", adapter, err)
	}
	return nil
}

// AddAll is [Add] for all records that r still has. It does not release r.
//
// An error of r fails the call, and so does a panic, as readers of damaged data
// raise; when ctx is cancelled, its error is returned soon.
func AddAll(ctx context.Context, c *analysis.Collector, spec *analysis.Spec, r array.RecordReader) error {
	cursor := arrowcols.NewCursor(spec, arrowcols.UsualBlock)
	defer cursor.Close()
	if err := addAll(ctx, c, cursor, r); err != nil {
		return fmt.Errorf("%s: AddAll: %w", adapter, err)
	}
	return nil
}

func addAll(ctx context.Context, c *analysis.Collector, cursor *arrowcols.Cursor, r array.RecordReader) (err error) {
	defer arrowcols.Rescue(&err)
	fields := fieldsOf(r.Schema())
	if _, err := cursor.Begin(fields); err != nil {
		return err
	}
	var b analysis.Batch
	for n := 0; ; n++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !r.Next() {
			break
		}
		if err := add(c, cursor, record{r.Record(), fields}, &b); err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
	}
	if err := r.Err(); err != nil && !errors.Is(err, io.EOF) { // some readers end with it
		return err
	}
	return nil
}

func add(c *analysis.Collector, cursor *arrowcols.Cursor, r record, b *analysis.Batch) error {
	if err := cursor.Load(r); err != nil {
		return err
	}
	return cursor.AddTo(c, b)
}
