//go:build linux

package parquetrows_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
)

const benchRows = 2_000_000

// benchRow has the shape of a prediction log as data frame libraries write it:
// every column optional and with a dictionary, which most numbers soon outgrow,
// in pages of 1 MiB compressed with Zstandard, two row groups of a million rows.
// Of its 20 columns one is the score, eight are numeric features (three of full
// double precision, three of float32 precision, an amount in cents with 10,000
// values, a count with 40), one is the label (missing in 3 rows of 10), eight are
// strings of 3 to 500 names, and two are a unique id and the time.
type benchRow struct {
	Score     *float64 `parquet:"score,optional,dict"`
	F1        *float64 `parquet:"f1,optional,dict"`
	F2        *float64 `parquet:"f2,optional,dict"`
	F3        *float64 `parquet:"f3,optional,dict"`
	F4        *float64 `parquet:"f4,optional,dict"`
	F5        *float64 `parquet:"f5,optional,dict"`
	F6        *float64 `parquet:"f6,optional,dict"`
	F7        *float64 `parquet:"f7,optional,dict"`
	F8        *float64 `parquet:"f8,optional,dict"`
	Label     *bool    `parquet:"label,optional"`
	Country   *string  `parquet:"country,optional,dict"`
	Device    *string  `parquet:"device,optional,dict"`
	System    *string  `parquet:"system,optional,dict"`
	Segment   *string  `parquet:"segment,optional,dict"`
	Channel   *string  `parquet:"channel,optional,dict"`
	Campaign  *string  `parquet:"campaign,optional,dict"`
	Language  *string  `parquet:"language,optional,dict"`
	Action    *string  `parquet:"action,optional,dict"`
	RequestID *int64   `parquet:"request_id,optional,dict"`
	Time      *int64   `parquet:"ts,optional,dict,timestamp(microsecond)"`
}

func benchSpec(b *testing.B) *analysis.Spec {
	spec, err := analysis.NewSpec(analysis.Binary,
		analysis.ColumnSpec{Name: "score", Role: analysis.Score, Cuts: []float64{0.7, 0.95}},
		analysis.ColumnSpec{Name: "label", Role: analysis.Label},
		analysis.ColumnSpec{Name: "action", Role: analysis.Action},
		analysis.ColumnSpec{Name: "request_id", Role: analysis.Unit},
		analysis.ColumnSpec{Name: "ts", Role: analysis.Clock},
		analysis.ColumnSpec{Name: "f1"}, analysis.ColumnSpec{Name: "f2"}, analysis.ColumnSpec{Name: "f3"}, analysis.ColumnSpec{Name: "f4"},
		analysis.ColumnSpec{Name: "f5"}, analysis.ColumnSpec{Name: "f6"}, analysis.ColumnSpec{Name: "f7"}, analysis.ColumnSpec{Name: "f8"},
		analysis.ColumnSpec{Name: "country"}, analysis.ColumnSpec{Name: "device"}, analysis.ColumnSpec{Name: "system"},
		analysis.ColumnSpec{Name: "segment"}, analysis.ColumnSpec{Name: "channel"}, analysis.ColumnSpec{Name: "campaign"},
		analysis.ColumnSpec{Name: "language"})
	if err != nil {
		b.Fatal(err)
	}
	return spec
}

// benchFile returns the log, which it writes once and keeps in the folder for
// temporary files. It reports whether it was there already.
func benchFile(b *testing.B) (path string, kept bool) {
	path = filepath.Join(os.TempDir(), fmt.Sprintf("rampguard-bench-2-%d.parquet", benchRows))
	if _, err := os.Stat(path); err == nil {
		return path, true
	}
	f, err := os.CreateTemp(os.TempDir(), "rampguard-bench-*")
	if err != nil {
		b.Fatal(err)
	}
	defer os.Remove(f.Name())
	w := parquet.NewGenericWriter[benchRow](f, parquet.Compression(&parquet.Zstd), parquet.DataPageVersion(1),
		parquet.PageBufferSize(1<<20), parquet.DictionaryMaxBytes(1<<20), parquet.MaxRowsPerRowGroup(1_000_000))
	r := rand.New(rand.NewPCG(1, 2))
	names := make([]string, 600)
	for i := range names {
		names[i] = fmt.Sprintf("value-%03d", i)
	}
	pick := func(n int) *string { // skewed
		return &names[int(float64(n)*math.Pow(r.Float64(), 2))]
	}
	feature := func(x float64) *float64 { return &x }
	single := func(x float64) *float64 { return feature(float64(float32(x))) }
	rows := make([]benchRow, 10_000)
	for i := range benchRows {
		logit := r.NormFloat64() - 2
		score := 1 / (1 + math.Exp(-logit))
		positive, id, ts := r.Float64() < score, int64(i)*7919, 1_760_000_000_000_000+int64(i)*1234
		row := benchRow{
			Score: &score, F1: feature(r.NormFloat64()), F2: feature(math.Exp(3 * r.NormFloat64())), F3: single(r.ExpFloat64()),
			F4: single(100 * r.Float64()), F5: feature(math.Round(1e4*r.Float64()) / 100), F6: feature(float64(r.IntN(40))),
			F7: feature(logit + r.NormFloat64()), F8: single(math.Exp(r.NormFloat64())),
			Country: pick(50), Device: pick(4), System: pick(8), Segment: pick(500), Channel: pick(12), Campaign: pick(200), Language: pick(30),
			Action: &names[min(2, int(3*score))], RequestID: &id, Time: &ts,
		}
		if r.Float64() >= 0.3 {
			row.Label = &positive
		}
		rows[i%len(rows)] = row
		if (i+1)%len(rows) == 0 {
			if _, err := w.Write(rows); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		b.Fatal(err)
	}
	return path, false
}

// decodeOnly reads the pages of all columns and does nothing with them.
func decodeOnly(b *testing.B, path string) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	file, err := parquet.OpenFile(f, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		b.Fatal(err)
	}
	rows := int64(0)
	for _, group := range file.RowGroups() {
		for _, chunk := range group.ColumnChunks() {
			pages := chunk.Pages()
			for {
				page, err := pages.ReadPage()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				rows += page.NumRows()
				parquet.Release(page)
			}
			pages.Close()
		}
	}
	if rows != 20*benchRows {
		b.Fatalf("%d values, want %d", rows, 20*benchRows)
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func peakMiB(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Maxrss) / 1024
}

// BenchmarkCollect compares the whole pass over a log with decoding its pages
// and nothing else, taking turns; cpu/decode is the median ratio of processor
// time. The peak of memory is reported only when the log was already there, as
// writing it takes more.
func BenchmarkCollect(b *testing.B) {
	path, kept := benchFile(b)
	spec := benchSpec(b)
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("rows=2M/columns=20/workers=%d", workers), func(b *testing.B) {
			var ratios, wall []float64
			decodeOnly(b, path)
			for b.Loop() {
				t0 := cpuTime(b)
				decodeOnly(b, path)
				t1 := cpuTime(b)
				start := time.Now()
				s, err := parquetrows.Collect(context.Background(), spec, parquetrows.Options{Workers: workers}, path)
				wall = append(wall, time.Since(start).Seconds())
				t2 := cpuTime(b)
				if err != nil || s.RowCount != benchRows {
					b.Fatalf("%v rows, error %v", s, err)
				}
				ratios = append(ratios, float64(t2-t1)/float64(t1-t0))
			}
			slices.Sort(ratios)
			slices.Sort(wall)
			b.ReportMetric(ratios[len(ratios)/2], "cpu/decode")
			b.ReportMetric(benchRows/wall[len(wall)/2], "rows/s")
			if kept {
				b.ReportMetric(peakMiB(b), "peakMiB")
			}
		})
	}
}

// BenchmarkReader is the part of the pass that belongs to this package.
func BenchmarkReader(b *testing.B) {
	path, _ := benchFile(b)
	spec := benchSpec(b)
	for _, rows := range []int{1024, 4096, 16384} {
		b.Run(fmt.Sprintf("rows=2M/columns=20/batch=%d", rows), func(b *testing.B) {
			b.ReportAllocs()
			var ratios []float64
			decodeOnly(b, path)
			for b.Loop() {
				t0 := cpuTime(b)
				decodeOnly(b, path)
				t1 := cpuTime(b)
				r, err := parquetrows.Open(path, spec, parquetrows.Options{BatchRows: rows})
				if err != nil {
					b.Fatal(err)
				}
				var batch analysis.Batch
				for err = r.Next(&batch); err == nil; err = r.Next(&batch) {
				}
				r.Close()
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
				ratios = append(ratios, float64(cpuTime(b)-t1)/float64(t1-t0))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "cpu/decode")
		})
	}
}
