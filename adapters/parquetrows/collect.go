package parquetrows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Options say how to read. The zero value is a good choice.
type Options struct {
	Workers   int // goroutines that read; 0 means runtime.GOMAXPROCS
	BatchRows int // rows per batch, at most 1048576; 0 means 16384

	// MatureBefore, when it is not zero, lets the labels of rows count only where
	// they were served before it; see [analysis.Collector.MatureBefore].
	MatureBefore time.Time

	// Progress, when it is set, is called from the workers now and then, and at
	// the end of each row group; never twice at once, so it should be quick.
	Progress func(Progress)
}

// Progress says how far [Collect] has come.
type Progress struct {
	Rows, TotalRows   int64
	Files, TotalFiles int   // Files are those read to their end
	Bytes, TotalBytes int64 // compressed, of the columns of the spec
}

const (
	defaultBatchRows = 16384
	maxBatchRows     = 1 << 20
	progressRows     = 1 << 18
)

func (o Options) batchRows() (int, error) {
	switch {
	case o.BatchRows == 0:
		return defaultBatchRows, nil
	case o.BatchRows < 0 || o.BatchRows > maxBatchRows:
		return 0, fmt.Errorf("parquetrows: Options.BatchRows %d, want 0 to %d: %w", o.BatchRows, maxBatchRows, stats.ErrDomain)
	}
	return o.BatchRows, nil
}

func (o Options) workers() (int, error) {
	switch {
	case o.Workers == 0:
		return runtime.GOMAXPROCS(0), nil
	case o.Workers < 0:
		return 0, fmt.Errorf("parquetrows: Options.Workers %d: %w", o.Workers, stats.ErrDomain)
	}
	return o.Workers, nil
}

// Collect reads the columns of the spec from Parquet files and returns what an
// [analysis.Collector] makes of them. A pattern is the path of a file or a glob
// as in [path/filepath.Match]; a file that several patterns match is read once.
//
// A column that a file does not have, or that its schema says is always null, is
// Absent there. A column of different types in two files is an error wrapping
// [stats.ErrMismatch]. Files without rows are read as such.
//
// The result is all or nothing: any damage, any difference between a column and
// the footer's count of rows, any column that cannot be read fails the call. It
// does not depend on the number of workers, nor on how rows are spread over
// files and row groups. When ctx is cancelled, Collect returns its error soon.
// No goroutine outlives the call.
//
// The unit of work is the row group: a file with a single one keeps one worker
// busy. A worker reads one column of it after another, so that memory does not grow
// with the number of columns: it is that of a few pages per worker, which mostly
// stay in the processor's cache.
func Collect(ctx context.Context, spec *analysis.Spec, o Options, patterns ...string) (*analysis.Snapshot, error) {
	block, err := o.batchRows()
	if err != nil {
		return nil, err
	}
	workers, err := o.workers()
	if err != nil {
		return nil, err
	}
	paths, err := expandPatterns(patterns)
	if err != nil {
		return nil, err
	}
	q, err := newQueue(ctx, spec, paths, workers)
	if err != nil {
		return nil, err
	}
	q.progress = o.Progress
	into := make([]*analysis.Collector, min(workers, max(1, len(q.tasks))))
	for i := range into {
		into[i] = analysis.NewCollector(spec)
		if err := into[i].MatureBefore(o.MatureBefore); err != nil {
			return nil, fmt.Errorf("parquetrows: Options.MatureBefore: %w", err)
		}
	}
	if !o.MatureBefore.IsZero() {
		q.parts = spec.MatureParts()
	}
	return q.run(ctx, block, into)
}

// run works off the queue with a worker for each collector and merges what they
// have collected.
func (q *queue) run(ctx context.Context, block int, into []*analysis.Collector) (*analysis.Snapshot, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := make([]*analysis.Snapshot, len(into))
	var wg sync.WaitGroup
	for i := range parts {
		wg.Add(1)
		go func() {
			defer wg.Done()
			w := worker{q: q, group: newGroup(q.widest(), block), into: into[i]}
			var err error
			if parts[i], err = w.work(ctx); err != nil {
				q.fail(w.task, err)
				cancel()
			}
		}()
	}
	wg.Wait()
	q.close()
	if q.err != nil {
		return nil, q.err
	}
	for _, part := range parts[1:] {
		if err := parts[0].Merge(part); err != nil {
			return nil, err
		}
	}
	return parts[0], nil
}

// worker reads row groups into a collector of its own.
type worker struct {
	q     *queue
	group *group
	into  *analysis.Collector
	batch analysis.Batch
	task  int

	columns []source // being read
	fresh   int64    // rows of parts of the task, not reported yet
	told    int64    // rows of the task that have been reported
}

func (w *worker) work(ctx context.Context) (*analysis.Snapshot, error) {
	for {
		task, ok := w.q.take()
		if !ok {
			return w.into.Take()
		}
		w.task = task
		if err := w.read(ctx, w.q.tasks[task]); err != nil {
			return nil, err
		}
	}
}

// read adds one row group.
func (w *worker) read(ctx context.Context, t task) error {
	if err := ctx.Err(); err != nil {
		return stopped(ctx)
	}
	in, columns, err := w.q.acquire(t.file)
	if err != nil {
		return err
	}
	w.fresh, w.told = 0, 0
	for _, part := range w.q.parts {
		if err := w.readPart(ctx, in, t.group, columns, part); err != nil {
			return err
		}
	}
	return w.q.release(t, in.meta.RowGroups[t.group].NumRows-w.told)
}

// readPart adds some columns of a row group.
func (w *worker) readPart(ctx context.Context, in *input, group int, columns []source, part []int) error {
	w.columns = w.columns[:0]
	for _, i := range part {
		w.columns = append(w.columns, columns[i])
	}
	if err := w.group.start(in, w.columns, group); err != nil {
		return err
	}
	for {
		if ctx.Err() != nil {
			return stopped(ctx)
		}
		err := w.group.next(&w.batch)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.into.AddColumns(&w.batch, part); err != nil {
			return inFile(in.path, inGroup(group, err))
		}
		w.advance(int64(w.batch.Rows))
	}
}

// widest is the number of columns of the largest part.
func (q *queue) widest() int {
	n := 0
	for _, part := range q.parts {
		n = max(n, len(part))
	}
	return n
}

// advance reports progress now and then: rows of one part are that share of rows.
func (w *worker) advance(rows int64) {
	w.fresh += rows
	parts := int64(len(w.q.parts))
	if n := w.fresh / parts; n >= progressRows {
		w.q.report(Progress{Rows: n})
		w.fresh -= n * parts
		w.told += n
	}
}

func stopped(ctx context.Context) error {
	return fmt.Errorf("parquetrows: %w", context.Cause(ctx))
}
