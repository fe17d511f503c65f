package fileevents

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

// Sentinel errors. Every error that is due to the input wraps one of them or the
// error of what was read from, and names the file.
var (
	// ErrFormat says that the input as a whole is not in a form that is read.
	ErrFormat = errors.New("not a file that can be read")

	// ErrLimit says that the input goes on beyond MaxRows.
	ErrLimit = errors.New("beyond the limit")
)

// Format is how rows are written.
type Format int8

// The formats.
const (
	AnyFormat Format = iota // told by the first bytes, then by the name of the file
	JSONLines               // an object a line
	CSV                     // names in the first line
	Parquet
)

// Form is what a row stands for.
type Form int8

// The forms.
const (
	AnyForm Form = iota // Long when there is a column kind
	Long                // a row is an event
	Wide                // a row is a flight
)

// Options say how to read. The zero value is a good choice.
type Options struct {
	Name   string // of the input, for messages and its extension; files have their own
	Format Format
	Form   Form

	// EpochUnit is the unit of times that are numbers: time.Second,
	// time.Millisecond, time.Microsecond or time.Nanosecond. 0 refuses them.
	EpochUnit time.Duration
	// AssumeZone is the zone of times without an offset; nil refuses them.
	AssumeZone *time.Location

	Source string // of events and samples whose row states none

	MaxBad  int // bad rows that are kept; 0 means 1000, below 0 all
	MaxLine int // bytes of a line; 0 means 1 MiB
	MaxRows int // rows of an input; 0 means 10 million
}

// Result is what a log of events held.
type Result struct {
	Events []leadtime.Event // in the order of the rows
	Intake
}

// Read reads events. Where the input fails half-way it returns what came before,
// and the error.
//
// Special cases are: an input without any bytes has no rows, which is no error.
//
// Errors: [ErrFormat] for an input that is not a log of events, [ErrLimit],
// [stats.ErrDomain] for impossible options, and those of r. Cost: one pass.
func Read(r io.Reader, o Options) (Result, error) {
	var out Result
	e := &eventReader{events: &out.Events}
	in, err := newInput(o, e, &out.Intake)
	if err != nil {
		return out, err
	}
	e.o = in.o
	return out, in.read(r, "")
}

// ReadFile reads the events of a file; see [Read].
func ReadFile(path string, o Options) (Result, error) { return ReadFiles([]string{path}, o) }

// ReadFiles reads the events of several files, one after another. MaxBad is for all
// of them, MaxRows for each. After an error it returns what came before.
func ReadFiles(paths []string, o Options) (Result, error) {
	var out Result
	for _, path := range paths {
		e := &eventReader{events: &out.Events}
		o.Name = path
		in, err := newInput(o, e, &out.Intake)
		if err != nil {
			return out, err
		}
		e.o = in.o
		if err := in.readFile(path); err != nil {
			return out, err
		}
	}
	return out, nil
}

// consumer makes something of rows.
type consumer interface {
	// begin is told the names of the columns or, where there is no header, those in
	// the first row. It reports that the columns are not enough for any row.
	begin(names []string, header bool) error
	known(name string) bool
	take(line int, fields []field) fault
}

type input struct {
	o      Options
	c      consumer
	intake *Intake
	before int // rows of earlier files
	line   int // of JSON Lines and CSV, for errors
}

func newInput(o Options, c consumer, intake *Intake) (*input, error) {
	o.Name = cmp.Or(o.Name, "input")
	o.MaxLine, o.MaxRows = cmp.Or(o.MaxLine, 1<<20), cmp.Or(o.MaxRows, 10_000_000)
	o.MaxBad = cmp.Or(o.MaxBad, 1000)
	units := []time.Duration{0, time.Second, time.Millisecond, time.Microsecond, time.Nanosecond}
	switch {
	case o.MaxLine < 0 || o.MaxRows < 0:
		return nil, fmt.Errorf("fileevents: MaxLine %d, MaxRows %d: %w", o.MaxLine, o.MaxRows, stats.ErrDomain)
	case !slices.Contains(units, o.EpochUnit):
		return nil, fmt.Errorf("fileevents: EpochUnit %v is not a unit of epoch times: %w", o.EpochUnit, stats.ErrDomain)
	case o.Format < AnyFormat || o.Format > Parquet || o.Form < AnyForm || o.Form > Wide:
		return nil, fmt.Errorf("fileevents: Format %d, Form %d: %w", o.Format, o.Form, stats.ErrDomain)
	}
	return &input{o: o, c: c, intake: intake, before: intake.Rows}, nil
}

func (in *input) readFile(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("fileevents: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return in.read(f, path)
}

var (
	gzipMagic = []byte{0x1f, 0x8b}
	utf8BOM   = []byte{0xef, 0xbb, 0xbf}
)

// read reads one input. The path is that of a file with the same bytes, or "".
func (in *input) read(r io.Reader, path string) error {
	b := bufio.NewReaderSize(r, 1<<16)
	if head, _ := b.Peek(2); bytes.Equal(head, gzipMagic) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return in.errorf("gzip: %w", err)
		}
		b, path = bufio.NewReaderSize(z, 1<<16), ""
	}
	head, err := b.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return in.errorf("%w", err)
	}
	if bytes.HasPrefix(head, utf8BOM) {
		_, _ = b.Discard(len(utf8BOM)) // they were peeked at
	}
	if bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		return in.errorf("it is UTF-16; save it as UTF-8: %w", ErrFormat)
	}
	format, err := in.format(b)
	if err != nil {
		return err
	}
	switch format {
	case Parquet:
		return in.parquet(b, path)
	case JSONLines:
		return in.jsonLines(b)
	}
	return in.csv(b)
}

// format tells the format by the first bytes, then by the name.
func (in *input) format(b *bufio.Reader) (Format, error) {
	if in.o.Format != AnyFormat {
		return in.o.Format, nil
	}
	head, _ := b.Peek(512)
	switch text := bytes.TrimLeft(head, " \t\r\n"); {
	case bytes.HasPrefix(head, []byte("PAR1")):
		return Parquet, nil
	case bytes.HasPrefix(text, []byte("{")):
		return JSONLines, nil
	case bytes.HasPrefix(text, []byte("[")):
		return AnyFormat, in.errorf("it starts like a JSON array; put one object on each line: %w", ErrFormat)
	}
	name := strings.TrimSuffix(strings.ToLower(in.o.Name), ".gz")
	for suffix, format := range map[string]Format{".parquet": Parquet, ".jsonl": JSONLines, ".ndjson": JSONLines, ".json": JSONLines} {
		if strings.HasSuffix(name, suffix) {
			return format, nil
		}
	}
	return CSV, nil
}

// errorf is an error about the input as a whole.
func (in *input) errorf(format string, args ...any) error {
	where := in.o.Name
	if in.line > 0 {
		where = fmt.Sprintf("%s:%d", where, in.line)
	}
	return fmt.Errorf("fileevents: %s: %w", where, fmt.Errorf(format, args...))
}

// row hands a row to the consumer, unless it is bad already, and counts it.
func (in *input) row(line int, fields []field, f fault) error {
	if in.intake.Rows-in.before >= in.o.MaxRows {
		return in.errorf("more than %d rows: %w", in.o.MaxRows, ErrLimit)
	}
	in.intake.Rows++
	if f.reason == "" {
		for i := range fields {
			if fields[i].kind != empty && !in.c.known(fields[i].name) {
				in.intake.ignore(fields[i].name)
			}
		}
		f = in.c.take(line, fields)
	}
	if f.reason != "" {
		in.intake.BadTotal++
		if in.o.MaxBad < 0 || len(in.intake.Bad) < in.o.MaxBad {
			in.intake.Bad = append(in.intake.Bad, BadRow{in.o.Name, line, f.field, f.reason, clip(f.text)})
		}
	}
	return nil
}
