package arrow18rows_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rampguard/rampguard/adapters/adaptertest"
	"github.com/rampguard/rampguard/adapters/arrow18rows"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// small is a part of the fixture, as bytes.
func small(t testing.TB, l layout) []byte {
	t.Helper()
	rec, err := recordOf(adaptertest.Fixture().Slice(0, 40), l.dict)
	if err != nil {
		t.Fatal(err)
	}
	l.rows = 15
	data, err := encode(l, rec)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCutOff cuts files off at every byte: none is read.
func TestCutOff(t *testing.T) {
	spec := fixtureSpec(t)
	path := filepath.Join(t.TempDir(), "log.arrow")
	for name, l := range layouts {
		data := small(t, l)
		for n := 0; n < len(data); n += 1 + n%23 {
			if err := os.WriteFile(path, data[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := arrow18rows.Collect(context.Background(), spec, arrow18rows.Options{Workers: 1}, path)
			if !errors.Is(err, arrow18rows.ErrCorrupt) || s != nil || !strings.Contains(err.Error(), path) {
				t.Fatalf("%s: %d bytes of %d: error %v", name, n, len(data), err)
			}
		}
		if err := os.WriteFile(path, append(data, 0), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := arrow18rows.Collect(context.Background(), spec, arrow18rows.Options{}, path); !errors.Is(err, arrow18rows.ErrCorrupt) {
			t.Errorf("%s: with a byte more: error %v", name, err)
		}
	}
}

// TestMutations changes bytes of files: whatever they say, the answer is an error
// or a snapshot of no more rows than there can be, in little memory.
func TestMutations(t *testing.T) {
	spec := fixtureSpec(t)
	path := filepath.Join(t.TempDir(), "log.arrow")
	r := rand.New(rand.NewPCG(7, 9))
	for name, l := range layouts {
		data := small(t, l)
		failed := 0
		for range 150 {
			bent := append([]byte{}, data...)
			for range 1 + r.IntN(3) {
				at := r.IntN(len(bent))
				switch r.IntN(3) {
				case 0:
					bent[at] ^= 1 << r.IntN(8)
				case 1:
					bent[at] = 0xff
				default:
					copy(bent[at:], []byte{0xff, 0xff, 0xff, 0x7f})
				}
			}
			if err := os.WriteFile(path, bent, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := arrow18rows.Collect(context.Background(), spec, arrow18rows.Options{Workers: 1, MaxMemory: 1 << 20}, path)
			switch {
			case err != nil:
				failed++
				if s != nil || !strings.Contains(err.Error(), path) {
					t.Errorf("%s: error %v", name, err)
				}
			case s.RowCount > 1000:
				t.Errorf("%s: %d rows", name, s.RowCount)
			}
		}
		t.Logf("%s: %d of 150 refused", name, failed)
	}
}

func TestNotArrow(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name, data string
		want       error
	}{
		{"empty", "", arrow18rows.ErrCorrupt},
		{"text", "score,label\n0.5,1\n", arrow18rows.ErrCorrupt},
		{"feather", "FEA1\x00\x00\x00\x00", arrow18rows.ErrUnsupported},
		{"magic", "ARROW1\x00\x00", arrow18rows.ErrCorrupt},
		{"huge", "\xff\xff\xff\xff\xf0\xff\xff\x7f", arrow18rows.ErrCorrupt},
	} {
		path := filepath.Join(dir, tt.name)
		if err := os.WriteFile(path, []byte(tt.data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := arrow18rows.Collect(context.Background(), specOf(t, "x"), arrow18rows.Options{}, path); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v", tt.name, err)
		}
		if _, err := arrow18rows.Schema(path); !errors.Is(err, tt.want) {
			t.Errorf("Schema of %s: error %v", tt.name, err)
		}
		if _, err := arrow18rows.Open(path, specOf(t, "x"), arrow18rows.Options{}); !errors.Is(err, tt.want) {
			t.Errorf("Open of %s: error %v", tt.name, err)
		}
	}
	if _, err := arrow18rows.Collect(context.Background(), specOf(t, "x"), arrow18rows.Options{}, dir); !errors.Is(err, arrow18rows.ErrUnsupported) {
		t.Errorf("a folder: error %v", err)
	}
	for _, patterns := range [][]string{nil, {dir + "/x*"}, {dir + "/x"}} {
		if _, err := arrow18rows.Collect(context.Background(), specOf(t, "x"), arrow18rows.Options{}, patterns...); !errors.Is(err, arrow18rows.ErrNoFiles) {
			t.Errorf("%q: error %v", patterns, err)
		}
	}
	if _, err := arrow18rows.Schema(dir + "/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Schema: error %v", err)
	}
}

func TestOptions(t *testing.T) {
	path := writeFile(t, "log.arrow", small(t, layouts["file"]))
	for _, o := range []arrow18rows.Options{{Workers: -1}, {BatchRows: -1}, {BatchRows: 1<<20 + 1}, {MaxMemory: -1}} {
		if _, err := arrow18rows.Collect(context.Background(), specOf(t, "x"), o, path); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: error %v", o, err)
		}
	}
	if _, err := arrow18rows.Open(path, specOf(t, "x"), arrow18rows.Options{BatchRows: -1}); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("Open: error %v", err)
	}
}

// TestReaderEnds reads a file to its end, and after it was closed.
func TestReaderEnds(t *testing.T) {
	path := writeFile(t, "log.arrow", small(t, layouts["file dictionary"]))
	r, err := arrow18rows.Open(path, fixtureSpec(t), arrow18rows.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b analysis.Batch
	rows := 0
	for err = r.Next(&b); err == nil; err = r.Next(&b) {
		rows += b.Rows
	}
	if again := r.Next(&b); rows != 40 || !errors.Is(again, err) {
		t.Errorf("%d rows, then %v, then %v", rows, err, again)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	r, err = arrow18rows.Open(path, fixtureSpec(t), arrow18rows.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Next(&b); !errors.Is(err, stats.ErrMismatch) {
		t.Errorf("after Close: error %v", err)
	}
}

// FuzzCollect reads anything.
func FuzzCollect(f *testing.F) {
	for _, l := range layouts {
		f.Add(small(f, l))
	}
	spec := fixtureSpec(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		path := writeFile(t, "log.arrow", data)
		s, err := arrow18rows.Collect(context.Background(), spec, arrow18rows.Options{Workers: 1, MaxMemory: 1 << 20}, path)
		if (s == nil) == (err == nil) || err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("snapshot %v, error %v", s != nil, err)
		}
	})
}
