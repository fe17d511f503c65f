package csvrows

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
	"github.com/rampguard/rampguard/analysis"
)

// Result is what [Collect] has found.
type Result struct {
	Snapshot *analysis.Snapshot // nil when Collect has failed
	Rows     int64              // that count
	BadRows  int64              // that do not
	Bad      []BadRow           // the first of them, by file and line
}

// errStop says that a file has too many bad rows.
var errStop = errors.New("too many")

func isEnd(err error) bool { return errors.Is(err, io.EOF) }

// Collect reads the columns of the spec from files and returns what an
// [analysis.Collector] makes of them. A pattern is the path of a file or a glob as
// in [path/filepath.Match]; a file that several patterns match is read once.
//
// A column that a file does not have is Absent there. Bad rows are left out and
// counted; more than Options.MaxBad of them are an error wrapping [ErrBadRows]. Any
// other error fails the call as well. The Result lists bad rows in any case: after
// an error those of the files up to the one at fault.
//
// The result does not depend on the number of workers; nor on how rows are spread
// over files, when types are stated or the samples show them. Of several errors
// that of the first file is returned. When ctx is cancelled, Collect returns its
// error soon. No goroutine outlives the call. The unit of work is the file.
func Collect(ctx context.Context, spec *analysis.Spec, o Options, patterns ...string) (Result, error) {
	o, err := o.check()
	if err != nil {
		return Result{}, err
	}
	in := rowfiles.Options{Adapter: adapter, Workers: o.Workers}
	if o.Progress != nil {
		in.Progress = func(p rowfiles.Progress) { o.Progress(Progress(p)) }
	}
	set, err := rowfiles.Find(in, patterns)
	if err != nil {
		return Result{}, err
	}
	p, err := survey(ctx, spec, &o, set)
	if err != nil {
		return Result{}, err
	}
	workers := make([][]column, set.Workers())
	for i := range workers {
		workers[i] = p.columns(spec)
	}
	scanners := make([]*scanner, set.Len())
	snapshot, err := set.Collect(ctx, spec, func(ctx context.Context, worker int, f *rowfiles.File, into *analysis.Collector) error {
		s, err := p.open(f, workers[worker])
		if err != nil {
			return err
		}
		defer s.rows.close()
		scanners[f.Index] = s
		err = s.collect(ctx, f, into)
		s.failed = err != nil
		return err
	})
	return conclude(set, &o, scanners, snapshot, err)
}

// collect adds the rows of a file.
func (s *scanner) collect(ctx context.Context, f *rowfiles.File, into *analysis.Collector) error {
	var b analysis.Batch
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := s.next(&b)
		if isEnd(err) {
			return nil
		}
		if errors.Is(err, errStop) {
			return tooMany(s.bad, s.o.MaxBad, s.list)
		}
		if err != nil {
			return err
		}
		if b.Rows == 0 { // all were bad
			continue
		}
		if err := into.Add(&b); err != nil {
			return err
		}
		f.Done(b.Rows)
	}
}

// tooMany says how many rows are bad, and what is wrong with the first.
func tooMany(n int64, most int, list []BadRow) error {
	return fmt.Errorf("%d bad rows, of %d allowed; the first is %v: %w", n, most, list[0], ErrBadRows)
}

// conclude puts together what was found in all files.
func conclude(set *rowfiles.Set, o *Options, scanners []*scanner, snapshot *analysis.Snapshot, err error) (Result, error) {
	r := Result{Snapshot: snapshot}
	for _, s := range scanners {
		if s == nil { // the files up to here were read, unless one was not opened
			if err != nil {
				break
			}
			continue
		}
		r.Rows += s.good
		r.BadRows += s.bad
		r.Bad = append(r.Bad, s.list[:min(len(s.list), o.KeepBad-len(r.Bad))]...)
		if err != nil && s.failed {
			break
		}
	}
	if err == nil && o.MaxBad >= 0 && r.BadRows > int64(o.MaxBad) {
		r.Snapshot, err = nil, fmt.Errorf("%s: %w", adapter, tooMany(r.BadRows, o.MaxBad, r.Bad))
	}
	return r, err
}
