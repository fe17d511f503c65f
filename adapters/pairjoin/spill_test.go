package pairjoin_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rampguard/rampguard/adapters/pairjoin"
	"github.com/rampguard/rampguard/analysis"
)

// faulty is a file that fails in some way.
type faulty struct {
	*os.File
	written, room int64
	closed        bool
	damage        func(f *os.File) // before the first read
}

func (f *faulty) WriteAt(b []byte, at int64) (int, error) {
	if f.written += int64(len(b)); f.room > 0 && f.written > f.room {
		return 0, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	return f.File.WriteAt(b, at)
}

func (f *faulty) ReadAt(b []byte, at int64) (int, error) {
	if f.damage != nil {
		f.damage(f.File)
		f.damage = nil
	}
	return f.File.ReadAt(b, at)
}

func (f *faulty) Close() error {
	f.closed = true
	return f.File.Close()
}

// many is a log that does not fit into the smallest memory.
func many(n int) []row {
	rows := make([]row, n)
	for i := range rows {
		rows[i] = row{"id": int64(i), "score": 0.5, "label": i%3 == 0, "segment": "a"}
	}
	return rows
}

// What was written and cannot be read as it was, or cannot be written, is an error
// that says so, and no file stays open.
func TestSpillFaults(t *testing.T) {
	spec := shadow(t)
	tests := []struct {
		reason string
		file   faulty
		is     error
		want   string
	}{
		{"a bit flipped", faulty{damage: func(f *os.File) {
			var b [1]byte
			if _, err := f.ReadAt(b[:], 1000); err != nil {
				t.Fatal(err)
			}
			b[0] ^= 4
			if _, err := f.WriteAt(b[:], 1000); err != nil {
				t.Fatal(err)
			}
		}}, pairjoin.ErrSpill, "checksum"},
		{"the end cut off", faulty{damage: func(f *os.File) {
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Truncate(info.Size() - 1); err != nil {
				t.Fatal(err)
			}
		}}, pairjoin.ErrSpill, "EOF"},
		{"all of it gone", faulty{damage: func(f *os.File) {
			if err := f.Truncate(0); err != nil {
				t.Fatal(err)
			}
		}}, io.EOF, "0 of"},
		{"a full disk", faulty{room: 50_000}, syscall.ENOSPC, "free some room"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			f, err := os.Create(filepath.Join(t.TempDir(), "spill"))
			if err != nil {
				t.Fatal(err)
			}
			tt.file.File = f
			o := pairjoin.Options{MemoryLimit: 64 << 10}.WithStorage(func() (pairjoin.Storage, error) { return &tt.file, nil })
			a, b := logs(t, spec, "", 100, many(5000), many(5000))
			r, err := pairjoin.Join(t.Context(), a, b, spec, o)
			if r != nil || !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("result %v, error %v, want one that holds %q", r, err, tt.want)
			}
			if !tt.file.closed {
				t.Error("the file is still open")
			}
		})
	}
}

// cancelling is a stream that cancels the context on the way.
type cancelling struct {
	pairjoin.Stream
	after  int
	cancel func()
}

func (c *cancelling) Next(b *analysis.Batch) error {
	if c.after--; c.after == 0 {
		c.cancel()
	}
	return c.Stream.Next(b)
}

// failing is a stream that breaks off.
type failing struct {
	pairjoin.Stream
	after int
	err   error
}

func (f *failing) Next(b *analysis.Batch) error {
	if f.after--; f.after < 0 {
		return f.err
	}
	return f.Stream.Next(b)
}

// A join that is cancelled, or whose log breaks off, leaves nothing behind.
func TestNothingIsLeftBehind(t *testing.T) {
	spec, dir := shadow(t), t.TempDir()
	o := pairjoin.Options{MemoryLimit: 64 << 10, TempDir: dir}
	broken := errors.New("the disk of the log broke")
	for _, tt := range []struct {
		reason string
		is     error
		spoil  func(s pairjoin.Stream, cancel func()) pairjoin.Stream
	}{
		{"cancelled while reading", context.Canceled, func(s pairjoin.Stream, cancel func()) pairjoin.Stream { return &cancelling{s, 30, cancel} }},
		{"cancelled before joining", context.Canceled, func(s pairjoin.Stream, cancel func()) pairjoin.Stream { return &cancelling{s, 51, cancel} }},
		{"a log that breaks off", broken, func(s pairjoin.Stream, _ func()) pairjoin.Stream { return &failing{s, 30, broken} }},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			a, b := logs(t, spec, "", 100, many(5000), many(5000))
			b.Rows = tt.spoil(b.Rows, cancel)
			r, err := pairjoin.Join(ctx, a, b, spec, o)
			if r != nil || !errors.Is(err, tt.is) {
				t.Errorf("result %v, error %v, want %v", r, err, tt.is)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
	a, b := logs(t, spec, "", 100, many(5000), many(5000))
	if _, err := pairjoin.Join(t.Context(), a, b, spec, pairjoin.Options{MemoryLimit: 64 << 10, TempDir: filepath.Join(dir, "nowhere")}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("no folder for the file: %v", err)
	}
}

// An id that fills a log needs no more memory than one row.
func TestOneIDFillsTheLog(t *testing.T) {
	spec := shadow(t)
	rows := many(20_000)
	for i := range rows {
		rows[i]["id"] = int64(7)
	}
	a, b := logs(t, spec, "", 1000, rows, rows[:1])
	r, err := pairjoin.Join(t.Context(), a, b, spec, pairjoin.Options{MemoryLimit: 64 << 10, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, r, want(t, spec, "id", rows, rows[:1]))
	if r.Baseline.Duplicate != 20_000 || r.Candidate.Duplicate != 1 || r.Pairs.RowCount != 0 {
		t.Errorf("%+v, %+v, %d pairs", r.Baseline, r.Candidate, r.Pairs.RowCount)
	}
	if size := int64(20_001 * 41); r.Spilled < size || r.Spilled > size+1000 {
		t.Errorf("%d bytes were written, want each row of 41 bytes once", r.Spilled)
	}
}
