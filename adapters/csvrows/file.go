package csvrows

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/rampguard/rampguard/adapters/internal/rowfiles"
)

// maxWindow bounds the memory that a Zstandard frame can ask for.
const maxWindow = 128 << 20

// rows reads the rows of one file as tokens.
type rows struct {
	lines  *lines
	unpack func() // releases the decompressor; may be nil
	csv    *splitter
	json   *object

	header []string // of CSV
	places []int    // by column asked for: the field of CSV, or -1
	tokens []token  // by column asked for
	line   int64    // of the last row
}

// openRows begins a file, of whose columns the named ones are read.
func openRows(f *rowfiles.File, o *Options, names []string) (*rows, error) {
	r := &rows{tokens: make([]token, len(names))}
	in, err := r.decompress(f)
	if err != nil {
		return nil, err
	}
	r.lines = newLines(in, o.MaxLine)
	if err := r.begin(f.Path, o, names); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *rows) begin(path string, o *Options, names []string) error {
	if err := r.lines.start(); err != nil {
		return damaged(err)
	}
	base := strings.ToLower(filepath.Base(path))
	for _, end := range []string{".gz", ".gzip", ".zst", ".zstd"} {
		base = strings.TrimSuffix(base, end)
	}
	jsonl, err := r.isJSON(o.Format, base)
	if err != nil {
		return damaged(err)
	}
	if jsonl {
		r.json = &object{keys: map[string]int{}, tokens: r.tokens}
		for i, name := range names {
			r.json.keys[name] = i
		}
		return nil
	}
	r.csv = &splitter{comma: o.Comma}
	switch {
	case o.Comma != 0:
	case strings.HasSuffix(base, ".tsv") || strings.HasSuffix(base, ".tab"):
		r.csv.comma = '\t'
	default:
		r.csv.comma = ','
	}
	if r.header = o.Header; r.header == nil {
		if err := r.readHeader(); err != nil {
			return err
		}
	}
	if err := unlike(r.header); err != nil {
		return err
	}
	for _, name := range names {
		r.places = append(r.places, slices.Index(r.header, name))
	}
	return nil
}

// isJSON tells the form of the file.
func (r *rows) isJSON(f Format, base string) (bool, error) {
	if f != Auto {
		return f == JSONL, nil
	}
	switch filepath.Ext(base) {
	case ".csv", ".tsv", ".tab":
		return false, nil
	case ".jsonl", ".ndjson":
		return true, nil
	}
	if done, err := r.lines.done(); done || err != nil {
		return false, err
	}
	start := bytes.TrimLeft(r.lines.buf[r.lines.begin:r.lines.end], " \t\r\n")
	return len(start) > 0 && start[0] == '{', nil
}

// readHeader reads the names of the columns. A file without a byte has none.
func (r *rows) readHeader() error {
	line, wrong, err := r.csv.next(r.lines, 0)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return damaged(err)
	case wrong != nil:
		return rowfiles.Corrupt("line %d, the header: %v", line, wrong)
	}
	for _, f := range r.csv.fields {
		r.header = append(r.header, string(f.text))
	}
	return nil
}

// unlike makes sure that no name occurs twice.
func unlike(names []string) error {
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			return rowfiles.InColumn(name, rowfiles.Unsupported("there are two columns of that name"))
		}
		seen[name] = true
	}
	return nil
}

// decompress returns what is in the file.
func (r *rows) decompress(f *rowfiles.File) (io.Reader, error) {
	magic := make([]byte, 4)
	n, err := f.ReadAt(magic, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch magic = magic[:n]; {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, damaged(err)
		}
		r.unpack = func() { _ = z.Close() }
		return z, nil
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, damaged(err)
		}
		r.unpack = z.Close
		return z, nil
	}
	return f, nil
}

// damaged says that a file cannot be read on. What is wrong with it is known from
// its decompressor, unless the file system has failed.
func damaged(err error) error {
	if errors.Is(err, rowfiles.ErrUnsupported) || errors.Is(err, rowfiles.ErrCorrupt) {
		return err
	}
	return fmt.Errorf("%w: %w", err, rowfiles.ErrCorrupt)
}

func (r *rows) close() {
	if r.unpack != nil {
		r.unpack()
		r.unpack = nil
	}
}

// next reads the next row into tokens. It returns io.EOF or an error of reading as
// err, and what is wrong with the row as bad.
func (r *rows) next() (bad, err error) {
	if r.json != nil {
		return r.nextObject()
	}
	r.line, bad, err = r.csv.next(r.lines, len(r.header))
	if bad != nil || err != nil {
		return bad, r.at(err)
	}
	for i, place := range r.places {
		if r.tokens[i] = (token{}); place >= 0 {
			r.tokens[i] = r.csv.fields[place]
		}
	}
	return nil, nil
}

func (r *rows) nextObject() (bad, err error) {
	for {
		if done, err := r.lines.done(); done || err != nil {
			return nil, r.at(endOr(err))
		}
		r.line = r.lines.line
		end, next, err := r.lines.find(0)
		if errors.Is(err, errTooLong) {
			return fmt.Errorf("%w: more than %d bytes", errTooLong, r.lines.max), r.at(r.lines.skip())
		}
		if err != nil {
			return nil, r.at(err)
		}
		b := r.lines.buf[r.lines.begin : r.lines.begin+end]
		r.lines.pass(next, 1)
		if len(bytes.TrimSpace(b)) > 0 {
			return r.json.parse(b), nil
		}
	}
}

// at says near which line reading has failed.
func (r *rows) at(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("line %d: %w", r.lines.line, damaged(err))
}

// endOr returns the error, or io.EOF when there is none.
func endOr(err error) error {
	if err != nil {
		return err
	}
	return io.EOF
}
