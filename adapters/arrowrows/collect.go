package arrowrows

import (
	"context"

	"github.com/rampguard/rampguard/adapters/internal/arrowcols"
	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
	"github.com/rampguard/rampguard/analysis"
)

const adapter = "arrowrows"

// Sentinel errors. Every error of this package that is due to the files wraps
// one of them or the error of the file system, and names the file and, as far as
// they are known, the record and the column.
var (
	// ErrCorrupt says that a file is not an Arrow file, is cut off or damaged,
	// contradicts itself, or changed while it was read.
	ErrCorrupt = rowfiles.ErrCorrupt

	// ErrUnsupported says that the data may be sound but is not read: a nested
	// column, a type without a counterpart in [analysis.Type], records larger than
	// Options.MaxMemory.
	ErrUnsupported = rowfiles.ErrUnsupported

	// ErrNoFiles says that there is nothing to read: no pattern was given, or
	// one of them matches no file.
	ErrNoFiles = rowfiles.ErrNoFiles
)

// Options say how to read. The zero value is a good choice.
type Options struct {
	Workers   int   // files read at once; 0 means runtime.GOMAXPROCS
	BatchRows int   // rows per batch, at most 1048576; 0 means 16384
	MaxMemory int64 // bytes that the records of one file may take at a time; 0 means 1 GiB

	// Progress, when it is set, is called from the workers after each record and
	// at the end of each file; never twice at once, so it should be quick.
	Progress func(Progress)
}

// Progress says how far [Collect] has come.
type Progress struct {
	Rows              int64
	Files, TotalFiles int   // Files are those read to their end
	Bytes, TotalBytes int64 // of the files, those read twice counted once
}

func (o Options) inner() arrowcols.Options {
	in := arrowcols.Options{
		Options:   rowfiles.Options{Adapter: adapter, Workers: o.Workers},
		BatchRows: o.BatchRows,
		MaxMemory: o.MaxMemory,
	}
	if o.Progress != nil {
		in.Progress = func(p rowfiles.Progress) { o.Progress(Progress(p)) }
	}
	return in
}

// Collect reads the columns of the spec from IPC files and IPC streams, which it
// tells by their first bytes, and returns what an [analysis.Collector] makes of
// them. A pattern is the path of a file or a glob as in [path/filepath.Match]; a
// file that several patterns match is read once.
//
// A column that a file does not have, or whose type is null, is Absent there. A
// column of different types in two files is an error wrapping stats.ErrMismatch.
//
// The result is all or nothing: any damage, any column that cannot be read fails
// the call. It does not depend on the number of workers, nor on how rows are spread
// over files and records, and of several errors that of the first file is returned.
// When ctx is cancelled, Collect returns its error soon. No goroutine outlives the
// call.
//
// The unit of work is the file. Memory is that of one record and of the
// dictionaries per worker.
func Collect(ctx context.Context, spec *analysis.Spec, o Options, patterns ...string) (*analysis.Snapshot, error) {
	return arrowcols.Collect(ctx, spec, o.inner(), openSource, patterns)
}

// Column describes a column of a file.
type Column struct {
	Name     string
	Type     analysis.Type // what a batch carries; Absent when the column cannot be read or is always null
	Arrow    string        // the type in Arrow's words: float64, timestamp[ms, tz=UTC]
	Nullable bool
}

// Schema lists the columns of a file in the order of the file. Columns that
// cannot be read, such as lists, are listed with type Absent.
func Schema(path string) ([]Column, error) {
	fields, err := arrowcols.Fields(adapter, path, openSource)
	if err != nil {
		return nil, err
	}
	columns := make([]Column, len(fields))
	for i, f := range fields {
		columns[i] = Column{f.Name, f.Type.Analysis(), f.Type.Name, f.Nullable}
	}
	return columns, nil
}

// Reader reads the rows of one file in order, as batches. It is for feeding
// something else than a collector, and for one goroutine.
type Reader struct{ r *arrowcols.Reader }

// Open opens a file for reading the columns of the spec. Of the options, only
// BatchRows and MaxMemory are used.
func Open(path string, spec *analysis.Spec, o Options) (*Reader, error) {
	r, err := arrowcols.OpenReader(path, spec, o.inner(), openSource)
	if err != nil {
		return nil, err
	}
	return &Reader{r}, nil
}

// Next fills b with the next rows; its slices are memory of the reader and hold
// until the next call. After the last row it returns io.EOF, but only if the file
// was whole. After any error it returns the same error again.
func (r *Reader) Next(b *analysis.Batch) error { return r.r.Next(b) }

// Close releases the file. It may be called at any time.
func (r *Reader) Close() error { return r.r.Close() }
