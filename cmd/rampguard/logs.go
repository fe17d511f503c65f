package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rampguard/rampguard/adapters/arrowrows"
	"github.com/rampguard/rampguard/adapters/csvrows"
	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
)

// logFormat is how a log is written, by the name of its file.
type logFormat string

const (
	formatParquet logFormat = "Parquet"
	formatText    logFormat = "CSV or JSON Lines"
	formatArrow   logFormat = "Arrow"
)

func formatOf(path string) logFormat {
	name := strings.ToLower(path)
	for _, packed := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, packed)
	}
	for _, f := range []struct {
		format logFormat
		ends   []string
	}{{formatText, []string{".csv", ".tsv", ".jsonl", ".ndjson"}}, {formatArrow, []string{".arrow", ".arrows", ".feather", ".ipc"}}} {
		for _, end := range f.ends {
			if strings.HasSuffix(name, end) {
				return f.format
			}
		}
	}
	return formatParquet
}

// readLogs collects the logs of an arm, which have to be of one format.
func (o *checkOptions) readLogs(ctx context.Context, name string, spec *analysis.Spec, matureBefore time.Time, logs []string, stderr io.Writer) (*analysis.Snapshot, error) {
	paths, err := expand(logs)
	if err != nil {
		return nil, err
	}
	format := formatOf(paths[0])
	for _, p := range paths[1:] {
		if f := formatOf(p); f != format {
			return nil, fmt.Errorf("%s is %s and %s is %s; give the logs of one arm in one format", paths[0], format, p, f)
		}
	}
	if !matureBefore.IsZero() && format != formatParquet {
		return nil, fmt.Errorf("labels.maturity of the policy can be applied to Parquet logs only, and %s is %s", paths[0], format)
	}
	progress := newProgress(name, stderr, o.quiet)
	defer progress.done()
	switch format {
	case formatArrow:
		return arrowrows.Collect(ctx, spec, arrowrows.Options{Workers: o.workers,
			Progress: func(u arrowrows.Progress) { progress.bytes(u.Bytes, u.TotalBytes) }}, logs...)
	case formatText:
		r, err := csvrows.Collect(ctx, spec, csvrows.Options{Workers: o.workers, MaxBad: o.maxBad, KeepBad: 10,
			Progress: func(u csvrows.Progress) { progress.bytes(u.Bytes, u.TotalBytes) }}, logs...)
		if err != nil {
			return nil, err
		}
		if r.BadRows > 0 {
			if _, err := fmt.Fprintf(stderr, "rampguard: warning: %d of %d rows of the %s could not be read and do not count:\n", r.BadRows, r.Rows+r.BadRows, name); err != nil {
				return nil, err
			}
		}
		for _, b := range r.Bad {
			if _, err := fmt.Fprintf(stderr, "  %v\n", b); err != nil {
				return nil, err
			}
		}
		return r.Snapshot, nil
	case formatParquet:
	}
	return parquetrows.Collect(ctx, spec, parquetrows.Options{Workers: o.workers, Progress: progress.rows, MatureBefore: matureBefore}, logs...)
}
