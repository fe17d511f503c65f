package parquetrows_test

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// checkDamaged collects a damaged file. Whatever the damage, there must be an
// error of the right kind, or all rows.
func checkDamaged(t *testing.T, path string, spec *analysis.Spec, file []byte, rows uint64) (*analysis.Snapshot, error) {
	t.Helper()
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := parquetrows.Schema(path); err != nil && !ours(err) {
		t.Fatalf("Schema: error %v wraps no sentinel", err)
	}
	s, err := parquetrows.Collect(context.Background(), spec, parquetrows.Options{Workers: 1, BatchRows: 50}, path)
	if err != nil {
		if !ours(err) {
			t.Fatalf("error %v wraps no sentinel", err)
		}
		return nil, err
	}
	if s.RowCount != rows {
		t.Fatalf("%d rows and no error, want %d", s.RowCount, rows)
	}
	for _, c := range s.Columns {
		if n := c.AbsentRows + c.Numeric.Total() + c.Boolean.True + c.Boolean.False + c.Boolean.Null +
			c.Category.Total() + c.Category.Null() + c.Clock.N + c.Clock.Null; n != rows {
			t.Fatalf("column %q: %d values and no error, want %d", c.Name, n, rows)
		}
	}
	return s, nil
}

func ours(err error) bool {
	return errors.Is(err, parquetrows.ErrCorrupt) || errors.Is(err, parquetrows.ErrUnsupported) || errors.Is(err, stats.ErrMismatch)
}

// damageColumns are a few columns of different storage.
func damageColumns(encodings string) []column {
	e := encodingSets[encodings]
	var columns []column
	for _, c := range allTypes(e[0], e[1], e[2], e[3]) {
		if slices.Contains([]string{"double_null", "int64", "bool_null", "string", "string_null", "uuid", "float"}, c.name) {
			columns = append(columns, c)
		}
	}
	return columns
}

func TestDamage(t *testing.T) {
	const rows = 300
	for k, codec := range codecs {
		t.Run(codec.String(), func(t *testing.T) {
			columns := damageColumns([]string{"dictionary", "delta"}[k%2])
			l := layout{codec: codec, version: 1 + k/2%2, pageBytes: 400, groupRows: 170, dictBytes: 300}
			file := encodeTable(t, columns, 0, rows, l.options()...)
			path := filepath.Join(t.TempDir(), "log.parquet")
			spec := specOf(t, namesOf(columns)...)
			sound, err := checkDamaged(t, path, spec, file, rows)
			if err != nil {
				t.Fatal(err)
			}
			want := marshal(t, sound)
			r := rand.New(rand.NewPCG(uint64(k), 1))

			for range 20 { // truncated
				if _, err := checkDamaged(t, path, spec, file[:r.IntN(len(file))], rows); err == nil {
					t.Fatal("a truncated file was read")
				}
			}
			spans := spansOf(t, file)
			for range 120 { // a byte anywhere; in the body of a page, the checksum shows it
				at, bad := r.IntN(len(file)), bytes.Clone(file)
				bad[at] ^= byte(1 + r.IntN(255))
				s, err := checkDamaged(t, path, spec, bad, rows)
				inBody := slices.ContainsFunc(spans, func(s span) bool { return s.body <= at && at < s.end })
				if err == nil && inBody && !bytes.Equal(marshal(t, s), want) {
					t.Fatalf("byte %d was damaged, and the numbers differ without an error", at)
				}
			}
			for range 120 { // bytes in the body of a page, with a checksum that fits
				bad, s := bytes.Clone(file), spans[r.IntN(len(spans))]
				if s.body == s.end {
					continue
				}
				sum := crc32.ChecksumIEEE(bad[s.body:s.end])
				for range 1 + r.IntN(3) {
					bad[s.body+r.IntN(s.end-s.body)] ^= byte(1 + r.IntN(255))
				}
				if reseal(bad, s, sum) {
					_, _ = checkDamaged(t, path, spec, bad, rows)
				}
			}
			footer := spans[len(spans)-1].end
			for range 60 { // bytes of the footer
				bad := bytes.Clone(file)
				for range 1 + r.IntN(2) {
					bad[footer+r.IntN(len(bad)-footer)] = byte(r.IntN(256))
				}
				_, _ = checkDamaged(t, path, spec, bad, rows)
			}
		})
	}
}

func marshal(t testing.TB, s *analysis.Snapshot) []byte {
	t.Helper()
	b, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func FuzzCollect(f *testing.F) {
	for k, codec := range codecs {
		set := []string{"plain", "dictionary", "delta", "split"}[k%4]
		l := layout{codec: codec, version: 1 + k%2, pageBytes: 200, groupRows: 12, dictBytes: 64}
		f.Add(encodeTable(f, damageColumns(set)[:4], 0, 20, l.options()...))
	}
	f.Add([]byte("PAR1"))
	f.Add(encodeTable(f, damageColumns("plain"), 0, 0, parquet.Compression(&parquet.Snappy)))
	path := filepath.Join(f.TempDir(), "log.parquet")
	f.Fuzz(func(t *testing.T, file []byte) {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		columns, err := parquetrows.Schema(path)
		if err != nil {
			if !ours(err) {
				t.Fatalf("Schema: error %v wraps no sentinel", err)
			}
			return
		}
		names := []string{"absent"}
		for _, c := range columns[:min(len(columns), 8)] {
			if c.Name != "" && c.Type != analysis.Absent {
				names = append(names, c.Name)
			}
		}
		spec := specOf(t, names...)
		s, err := parquetrows.Collect(context.Background(), spec, parquetrows.Options{Workers: 1}, path)
		if err != nil {
			if !ours(err) {
				t.Fatalf("error %v wraps no sentinel", err)
			}
			return
		}
		r, err := parquetrows.Open(path, spec, parquetrows.Options{BatchRows: 7})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if s.RowCount != uint64(r.Rows()) {
			t.Fatalf("%d rows, the footer says %d", s.RowCount, r.Rows())
		}
	})
}
