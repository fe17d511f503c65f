package rowfiles

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Progress says how far a Set has been read.
type Progress struct {
	Rows              int64
	Files, TotalFiles int   // Files are those read to their end
	Bytes, TotalBytes int64 // as stored
}

// Options say how a Set is read.
type Options struct {
	Adapter  string // the package that errors begin with
	Workers  int    // 0 means runtime.GOMAXPROCS
	Progress func(Progress)
}

// Set is a list of files that are read together.
type Set struct {
	o       Options
	files   []known
	workers int

	mu    sync.Mutex
	state Progress
}

type known struct {
	path  string
	stamp stamp
}

// stamp tells whether a file has been written to.
type stamp struct {
	size     int64
	modified time.Time
}

// Find returns the files that match the patterns.
func Find(o Options, patterns []string) (*Set, error) {
	if o.Workers < 0 {
		return nil, fmt.Errorf("%s: Options.Workers %d: %w", o.Adapter, o.Workers, stats.ErrDomain)
	}
	paths, err := find(o.Adapter, patterns)
	if err != nil {
		return nil, err
	}
	s := &Set{o: o, files: make([]known, len(paths)), workers: o.Workers}
	if s.workers == 0 {
		s.workers = runtime.GOMAXPROCS(0)
	}
	s.workers = min(s.workers, len(paths))
	s.state.TotalFiles = len(paths)
	for i, path := range paths {
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			err = Unsupported("it is a directory; name its files, as in dir/*")
		}
		if err != nil {
			return nil, in(o.Adapter, path, err)
		}
		s.files[i] = known{path, stamp{info.Size(), info.ModTime()}}
		s.state.TotalBytes += info.Size()
	}
	return s, nil
}

// Len is the number of files.
func (s *Set) Len() int { return len(s.files) }

// Workers is the number of files that are read at once.
func (s *Set) Workers() int { return s.workers }

// In says in which file an error happened.
func (s *Set) In(i int, err error) error { return in(s.o.Adapter, s.files[i].path, err) }

// Each calls do for every file, with up to Workers calls at once, whose worker
// is told by a number from 0. Of several errors it returns that of the first file,
// with its path: files after one that failed are cancelled, those before it are
// not. A file that changes meanwhile is an error. No call outlives Each.
func (s *Set) Each(ctx context.Context, do func(ctx context.Context, worker int, f *File) error) error {
	r := &run{set: s, failed: len(s.files), cancel: make([]func(), s.workers), at: make([]int, s.workers)}
	var wg sync.WaitGroup
	for w := range s.workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				mine, cancel := context.WithCancel(ctx)
				i, ok := r.take(w, cancel)
				if ok {
					r.fail(i, s.one(mine, w, i, do))
				}
				cancel()
				if !ok {
					return
				}
			}
		}()
	}
	wg.Wait()
	return r.err
}

// one calls do for a file.
func (s *Set) one(ctx context.Context, worker, i int, do func(ctx context.Context, worker int, f *File) error) error {
	f, err := s.open(i)
	if err == nil {
		if err = ctx.Err(); err == nil {
			err = do(ctx, worker, f)
		}
		if err == nil {
			err = f.Same()
		}
		_ = f.os.Close() // it was only read
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", s.o.Adapter, context.Cause(ctx))
	}
	return s.In(i, err)
}

// run is one call of Each.
type run struct {
	set *Set

	mu     sync.Mutex // guards what follows
	next   int
	failed int // the first file that failed
	err    error
	cancel []func() // by worker
	at     []int    // the file of each worker
}

func (r *run) take(worker int, cancel func()) (int, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.next
	if i >= r.failed {
		return 0, false
	}
	r.next++
	r.cancel[worker], r.at[worker] = cancel, i
	return i, true
}

func (r *run) fail(i int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil || i >= r.failed {
		return
	}
	r.failed, r.err = i, err
	for w, cancel := range r.cancel {
		if cancel != nil && r.at[w] > i {
			cancel()
		}
	}
}

// Collect is Each with a collector for each worker; it returns what they have
// collected.
func (s *Set) Collect(ctx context.Context, spec *analysis.Spec, read func(ctx context.Context, worker int, f *File, into *analysis.Collector) error) (*analysis.Snapshot, error) {
	into := make([]*analysis.Collector, s.workers)
	for i := range into {
		into[i] = analysis.NewCollector(spec)
	}
	err := s.Each(ctx, func(ctx context.Context, worker int, f *File) error {
		if err := read(ctx, worker, f, into[worker]); err != nil {
			return err
		}
		f.step(Progress{Files: 1})
		return nil
	})
	if err != nil {
		return nil, err
	}
	var sum *analysis.Snapshot
	for _, c := range into {
		part, err := c.Take()
		if err == nil && sum != nil {
			err = sum.Merge(part)
		}
		if err != nil {
			return nil, err
		}
		if sum == nil {
			sum = part
		}
	}
	return sum, nil
}

// SameTypes makes sure that each column of the spec has one type in all files
// that have it; types are by file and column.
func (s *Set) SameTypes(spec *analysis.Spec, types [][]analysis.Type) error {
	for i, c := range spec.Columns {
		first := -1
		for k, t := range types {
			switch {
			case t[i] == analysis.Absent:
			case first < 0:
				first = k
			case t[i] != types[first][i]:
				return s.In(k, InColumn(c.Name, fmt.Errorf("it is %v here and %v in %s: %w", t[i], types[first][i], s.files[first].path, stats.ErrMismatch)))
			}
		}
	}
	return nil
}
