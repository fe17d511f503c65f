package csvrows

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

const adapter = "csvrows"

// Sentinel errors. Every error of this package that is due to the files wraps
// one of them or the error of the file system, and names the file and, as far as
// they are known, the line and the column.
var (
	// ErrBadRows says that there are more bad rows than Options.MaxBad.
	ErrBadRows = errors.New("too many bad rows")

	// ErrCorrupt says that the compression of a file is damaged or cut off, that
	// its header is not sound, or that it changed while it was read.
	ErrCorrupt = rowfiles.ErrCorrupt

	// ErrUnsupported says that a file is not read: it is in UTF-16, or has two
	// columns of one name.
	ErrUnsupported = rowfiles.ErrUnsupported

	// ErrNoFiles says that there is nothing to read: no pattern was given, or
	// one of them matches no file.
	ErrNoFiles = rowfiles.ErrNoFiles
)

// Format is the form of a file.
type Format int8

// The forms.
const (
	Auto  Format = iota // told by the name, or by the first character
	CSV                 // separated values
	JSONL               // a JSON object on each line
)

// Options say how to read. With the zero value, types are inferred and the first
// bad row fails the call.
type Options struct {
	Workers   int // files read at once; 0 means runtime.GOMAXPROCS
	BatchRows int // rows per batch, at most 1048576; 0 means 8192

	Format Format
	Comma  byte     // the separator; 0 means a tab in files named .tsv, else a comma
	Header []string // the names of the columns of files that have no header

	Types     map[string]analysis.Type // of columns; those without are inferred
	Sample    int                      // rows of each file that are looked at for that; 0 means 10000, less than 0 all
	EpochUnit time.Duration            // of times that are numbers: a second, millisecond, microsecond or nanosecond
	Nulls     []string                 // what stands for a missing value in every column, String ones too, beside the empty field; nil: see the package comment

	MaxLine int // bytes of a row; 0 means 1 MiB
	MaxBad  int // bad rows that are put up with; less than 0 any number
	KeepBad int // bad rows listed in Result.Bad; 0 means 100

	// Progress, when it is set, is called from the workers after each batch and
	// at the end of each file; never twice at once, so it should be quick.
	Progress func(Progress)
}

// Progress says how far [Collect] has come.
type Progress struct {
	Rows              int64 // bad ones not counted
	Files, TotalFiles int   // Files are those read to their end
	Bytes, TotalBytes int64 // as stored
}

// BadRow is a row that was left out.
type BadRow struct {
	Path   string
	Line   int64  // of the file, from 1
	Column string // empty when the row as a whole is bad
	Reason string
}

// String says where the row is and what is wrong with it.
func (b BadRow) String() string {
	if b.Column == "" {
		return fmt.Sprintf("%s:%d: %s", b.Path, b.Line, b.Reason)
	}
	return fmt.Sprintf("%s:%d: column %q: %s", b.Path, b.Line, b.Column, b.Reason)
}

// check returns the options with defaults filled in.
func (o Options) check() (Options, error) {
	for _, x := range []struct {
		name           string
		value          *int
		usual, low, up int
	}{
		{"BatchRows", &o.BatchRows, 8192, 0, 1 << 20},
		{"Sample", &o.Sample, 10_000, math.MinInt, math.MaxInt},
		{"MaxLine", &o.MaxLine, 1 << 20, 0, 1 << 30},
		{"KeepBad", &o.KeepBad, 100, 0, 1 << 20},
	} {
		if *x.value < x.low || *x.value > x.up {
			return o, fmt.Errorf("%s: Options.%s %d, want %d to %d: %w", adapter, x.name, *x.value, x.low, x.up, stats.ErrDomain)
		}
		if *x.value == 0 {
			*x.value = x.usual
		}
	}
	switch o.EpochUnit {
	case 0, time.Second, time.Millisecond, time.Microsecond, time.Nanosecond:
	default:
		return o, fmt.Errorf("%s: Options.EpochUnit %v: %w", adapter, o.EpochUnit, stats.ErrDomain)
	}
	switch o.Comma {
	case '"', '\r', '\n':
		return o, fmt.Errorf("%s: Options.Comma %q: %w", adapter, o.Comma, stats.ErrDomain)
	}
	if o.Format < Auto || o.Format > JSONL {
		return o, fmt.Errorf("%s: Options.Format %d: %w", adapter, o.Format, stats.ErrDomain)
	}
	for name, t := range o.Types {
		if t < analysis.Absent || t > analysis.Time {
			return o, fmt.Errorf("%s: Options.Types: column %q of type %d: %w", adapter, name, t, stats.ErrDomain)
		}
	}
	return o, nil
}
