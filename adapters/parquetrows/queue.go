package parquetrows

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// expandPatterns returns the files that the patterns match, sorted, each once,
// also when it goes by several names.
func expandPatterns(patterns []string) ([]string, error) {
	if len(patterns) == 0 {
		return nil, fmt.Errorf("parquetrows: no pattern given: %w", ErrNoFiles)
	}
	var paths []string
	for _, p := range patterns {
		if _, err := os.Stat(p); err == nil {
			paths = append(paths, filepath.Clean(p))
			continue
		} else if !strings.ContainsAny(p, `*?[`) {
			if errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("%w: %w", err, ErrNoFiles)
			}
			return nil, inFile(p, err)
		}
		matches, err := filepath.Glob(p)
		if err != nil {
			return nil, inFile(p, err)
		}
		matches = slices.DeleteFunc(matches, func(m string) bool {
			info, err := os.Stat(m)
			return err == nil && info.IsDir()
		})
		if len(matches) == 0 {
			return nil, inFile(p, fmt.Errorf("the pattern matches nothing: %w", ErrNoFiles))
		}
		paths = append(paths, matches...)
	}
	slices.Sort(paths)
	seen := map[string]bool{}
	return slices.DeleteFunc(paths, func(p string) bool {
		id := p
		if abs, err := filepath.Abs(p); err == nil {
			id = abs
		}
		if target, err := filepath.EvalSymlinks(id); err == nil {
			id = target
		}
		twice := seen[id]
		seen[id] = true
		return twice
	}), nil
}

// task is one row group of one file.
type task struct{ file, group int }

// queue hands out the row groups of all files, in order, so that no more files
// are open than there are workers.
type queue struct {
	spec  *analysis.Spec
	files []*queued
	tasks []task
	parts [][]int // the columns that are read together; see analysis.Spec.Parts
	taken atomic.Int64

	mu       sync.Mutex // guards what follows
	state    Progress
	progress func(Progress)
	failed   int // the first task that failed
	err      error
}

// queued is a file whose footer has been read.
type queued struct {
	path  string
	stamp stamp
	rows  int64
	bytes []int64         // by row group, of the columns of the spec
	types []analysis.Type // by column of the spec

	mu      sync.Mutex // guards what follows
	in      *input     // nil before the first and after the last row group
	columns []source
	left    int // row groups
}

// newQueue reads the footers of all files, so that what cannot be read is known
// before the first row.
func newQueue(ctx context.Context, spec *analysis.Spec, paths []string, workers int) (*queue, error) {
	q := &queue{spec: spec, parts: spec.Parts(), files: make([]*queued, len(paths))}
	errs := make([]error, len(paths))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, len(paths)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := int(next.Add(1)) - 1; i < len(paths); i = int(next.Add(1)) - 1 {
				if ctx.Err() != nil {
					errs[i] = stopped(ctx)
					continue
				}
				q.files[i], errs[i] = survey(paths[i], spec)
			}
		}()
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, err
		}
		f := q.files[i]
		q.state.TotalRows += f.rows
		for k, n := range f.bytes {
			q.tasks = append(q.tasks, task{i, k})
			q.state.TotalBytes += n
		}
		if f.left == 0 {
			q.state.Files++
		}
	}
	q.state.TotalFiles = len(paths)
	return q, q.sameTypes()
}

// survey reads a footer.
func survey(path string, spec *analysis.Spec) (*queued, error) {
	in, err := open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.close() }() // it was only read
	columns, err := in.sources(spec)
	if err != nil {
		return nil, err
	}
	groups := in.meta.RowGroups
	f := &queued{path: path, stamp: in.stamp, rows: in.meta.NumRows, bytes: make([]int64, len(groups)),
		types: make([]analysis.Type, len(columns)), left: len(groups)}
	for i, c := range columns {
		if c.leaf == nil {
			continue
		}
		f.types[i] = c.leaf.typ
		for k := range groups {
			f.bytes[k] += groups[k].Columns[c.leaf.index].MetaData.TotalCompressedSize
		}
	}
	return f, nil
}

// sameTypes makes sure that a column has the same type in all files that have
// rows.
func (q *queue) sameTypes() error {
	for i, c := range q.spec.Columns {
		var first *queued
		for _, f := range q.files {
			switch {
			case f.rows == 0 || f.types[i] == analysis.Absent:
			case first == nil:
				first = f
			case f.types[i] != first.types[i]:
				return inFile(f.path, inColumn(c.Name, fmt.Errorf("it is %v here and %v in %s: %w",
					f.types[i], first.types[i], first.path, stats.ErrMismatch)))
			}
		}
	}
	return nil
}

func (q *queue) take() (int, bool) {
	i := int(q.taken.Add(1)) - 1
	return i, i < len(q.tasks)
}

// acquire opens the file of a task, or shares it with the workers that have it
// open.
func (q *queue) acquire(file int) (*input, []source, error) {
	f := q.files[file]
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.in == nil {
		in, err := open(f.path)
		if err != nil {
			return nil, nil, err
		}
		f.in = in
		if err := in.same(f.stamp); err != nil {
			return nil, nil, err
		}
		if f.columns, err = in.sources(q.spec); err != nil {
			return nil, nil, err
		}
	}
	return f.in, f.columns, nil
}

// release ends a task, of whose rows fresh have not been reported. With the last
// one of a file it makes sure that the file has not changed, and closes it.
func (q *queue) release(t task, fresh int64) error {
	f := q.files[t.file]
	f.mu.Lock()
	defer f.mu.Unlock()
	step := Progress{Rows: fresh, Bytes: f.bytes[t.group]}
	if f.left--; f.left == 0 {
		err := f.in.same(f.stamp)
		_ = f.in.close()
		f.in, f.columns = nil, nil
		if err != nil {
			return err
		}
		step.Files = 1
	}
	q.report(step)
	return nil
}

// report adds a step to the progress and passes it on.
func (q *queue) report(step Progress) {
	if q.progress == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.state.Rows += step.Rows
	q.state.Files += step.Files
	q.state.Bytes += step.Bytes
	q.progress(q.state)
}

// fail keeps the error of the first task in order. Of those that follow from the
// first failure, which are due to the context, it keeps none.
func (q *queue) fail(task int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	due := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if q.err == nil || (task < q.failed && !due) {
		q.failed, q.err = task, err
	}
}

// close closes the files that a failure has left open.
func (q *queue) close() {
	for _, f := range q.files {
		if f.in != nil {
			_ = f.in.close()
			f.in = nil
		}
	}
}
