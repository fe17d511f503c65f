//go:build linux

package pairjoin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/rampguard/rampguard/adapters/pairjoin"
	"github.com/rampguard/rampguard/adapters/parquetrows"
	"github.com/rampguard/rampguard/analysis"
)

// Environment of the test of memory, and of the process that it starts.
const (
	rowsVariable   = "RAMPGUARD_PAIR_ROWS"   // 200,000 without it; 5,000,000 is what is promised
	folderVariable = "RAMPGUARD_PAIR_FOLDER" // where the process finds the logs
	limitVariable  = "RAMPGUARD_PAIR_LIMIT"  // its Options.MemoryLimit
)

const (
	promisedRows = 5_000_000
	promisedRSS  = 600 << 20
)

// measured is what the process reports.
type measured struct {
	Digest    string
	Seconds   float64
	MaxRSS    int64
	Spilled   int64
	Conflicts uint64
	Baseline  pairjoin.Side
	Candidate pairjoin.Side
}

// TestShadowJoinMemory joins two shuffled logs in a process of its own and holds
// its peak memory against what is promised for 5 million rows, and the evidence
// against that of a join by a map. With fewer rows the limit of the join is smaller
// in proportion, so that rows go to a file all the same.
func TestShadowJoinMemory(t *testing.T) {
	rows := 200_000
	if text := os.Getenv(rowsVariable); text != "" {
		var err error
		if rows, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", rowsVariable, err)
		}
	}
	limit := int64(256<<20) * int64(rows) / promisedRows
	dir := t.TempDir()
	writeLogs(t, dir, rows)

	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestShadowJoinProcess$", "-test.v")
	cmd.Env = append(os.Environ(), folderVariable+"="+dir, fmt.Sprintf("%s=%d", limitVariable, limit))
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	b, err := os.ReadFile(filepath.Join(dir, "measured.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got measured
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rows a log, limit %d MiB: %.1f s, peak RSS %d MiB, %d MiB in a temporary file", rows, limit>>20, got.Seconds, got.MaxRSS>>20, got.Spilled>>20)
	if got.Spilled == 0 {
		t.Errorf("nothing went to a file: the limit of %d bytes was not felt", limit)
	}
	if got.MaxRSS >= promisedRSS {
		t.Errorf("peak RSS %d bytes, want below %d", got.MaxRSS, promisedRSS)
	}
	expected := directJoin(t, dir)
	got.Seconds, got.MaxRSS, got.Spilled = 0, 0, 0
	if d := cmp.Diff(expected, got); d != "" {
		t.Errorf("other evidence than from the direct join (-want +got):\n%s", d)
	}
}

// TestShadowJoinProcess is what TestShadowJoinMemory starts.
func TestShadowJoinProcess(t *testing.T) {
	dir := os.Getenv(folderVariable)
	if dir == "" {
		t.Skip("it is started by TestShadowJoinMemory")
	}
	limit, err := strconv.ParseInt(os.Getenv(limitVariable), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	spec := shadow(t)
	s, err := pairjoin.LogSpec(spec, "score", "")
	if err != nil {
		t.Fatal(err)
	}
	log := func(name string) pairjoin.Log {
		return pairjoin.Log{Spec: s, Rows: pairjoin.NewFiles(pairjoin.Parquet(s), filepath.Join(dir, name))}
	}
	start := time.Now()
	r, err := pairjoin.Join(t.Context(), log("baseline.parquet"), log("candidate.parquet"), spec, pairjoin.Options{MemoryLimit: limit, TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	m := measured{Seconds: time.Since(start).Seconds(), MaxRSS: highWater(t), Spilled: r.Spilled, Conflicts: r.LabelConflicts, Baseline: r.Baseline, Candidate: r.Candidate}
	if m.Digest, err = r.Pairs.Digest(); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "measured.json"), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// highWater is the most memory that this process has had at once, in bytes. What the
// system tells of an ended process counts the one that started it, too.
func highWater(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skipf("this system does not tell the memory of a process: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no VmHWM in /proc/self/status")
	return 0
}

type logged struct {
	ID      *int64  `parquet:"id,optional"`
	Time    int64   `parquet:"ts,timestamp(microsecond)"`
	Score   float64 `parquet:"score"`
	Label   *bool   `parquet:"label,optional"`
	Segment string  `parquet:"segment,dict"`
}

// writeLogs writes two logs of the same requests in different random orders. Of a
// thousand requests, five are in one log only, two are in a log twice, one has no
// id; three labels in ten are missing and one in a thousand differs.
func writeLogs(t *testing.T, dir string, rows int) {
	t.Helper()
	for side, name := range []string{"baseline.parquet", "candidate.parquet"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		w := parquet.NewGenericWriter[logged](f, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(1<<18))
		block := make([]logged, 0, 1024)
		for _, i := range rand.New(rand.NewPCG(uint64(side), 1)).Perm(rows) {
			r := rand.New(rand.NewPCG(uint64(i), 2)) // what both logs say of the request
			id, risk, label := int64(r.Uint64()>>1), r.Float64(), r.Float64()
			x := logged{ID: &id, Time: 1_700_000_000_000_000 + int64(i)*1000, Score: risk, Segment: fmt.Sprintf("segment-%02d", r.IntN(20))}
			own := rand.New(rand.NewPCG(uint64(i), uint64(3+side))) // what this log says
			x.Score = 0.8*risk + 0.2*own.Float64()
			if own.IntN(10) >= 3 {
				positive := label < risk != (own.IntN(1000) == 0)
				x.Label = &positive
			}
			switch fate := own.IntN(1000); {
			case fate < 5:
				continue
			case fate < 7:
				block = append(block, x)
			case fate < 8:
				x.ID = nil
			}
			if block = append(block, x); len(block) >= cap(block)-1 {
				if _, err := w.Write(block); err != nil {
					t.Fatal(err)
				}
				block = block[:0]
			}
		}
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// directJoin joins the two logs by a map.
func directJoin(t *testing.T, dir string) measured {
	t.Helper()
	type half struct {
		n     int
		score float64
		label int8 // 0 without one, else 1 or 2
	}
	type request struct {
		half    [2]half
		ts      int64
		segment string
	}
	spec := shadow(t)
	s, err := pairjoin.LogSpec(spec, "score", "")
	if err != nil {
		t.Fatal(err)
	}
	var out measured
	requests := map[int64]*request{}
	for side, name := range []string{"baseline.parquet", "candidate.parquet"} {
		r, err := parquetrows.Open(filepath.Join(dir, name), s, parquetrows.Options{})
		if err != nil {
			t.Fatal(err)
		}
		count := []*pairjoin.Side{&out.Baseline, &out.Candidate}[side]
		var b analysis.Batch
		for err = r.Next(&b); err == nil; err = r.Next(&b) {
			ids, label, segment := b.Columns[s.Index("id")], b.Columns[s.Index("label")], b.Columns[s.Index("segment")]
			for i := range b.Rows {
				count.Rows++
				if ids.Valid != nil && !ids.Valid[i] {
					count.NoID++
					continue
				}
				q := requests[ids.Ints[i]]
				if q == nil {
					q = new(request)
					requests[ids.Ints[i]] = q
				}
				h := &q.half[side]
				h.n++
				h.score = b.Columns[s.Index("score")].Floats[i]
				if label.Valid == nil || label.Valid[i] {
					h.label = 1
					if label.Bools[i] {
						h.label = 2
					}
				}
				if side == 0 {
					q.ts, q.segment = b.Columns[s.Index("ts")].Ints[i], segment.Dict.Values[segment.Codes[i]]
				}
			}
		}
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	c, err := analysis.NewPairCollector(spec)
	if err != nil {
		t.Fatal(err)
	}
	var block []row
	add := func() {
		b := analysis.Batch{Rows: len(block)}
		for _, column := range spec.Spec().Columns {
			b.Columns = append(b.Columns, columnOf(column.Name, block, times[column.Name]))
		}
		if err := c.Add(&b); err != nil {
			t.Fatal(err)
		}
		block = block[:0]
	}
	for id, q := range requests {
		a, b := q.half[0], q.half[1]
		switch {
		case a.n > 1 || b.n > 1:
			out.Baseline.Duplicate += uint64(a.n)
			out.Candidate.Duplicate += uint64(b.n)
			continue
		case b.n == 0:
			out.Baseline.Only++
			continue
		case a.n == 0:
			out.Candidate.Only++
			continue
		}
		x := row{"id": id, "ts": q.ts, "segment": q.segment, "champion": a.score, "challenger": b.score}
		switch {
		case a.label > 0 && b.label > 0 && a.label != b.label:
			out.Conflicts++
		case max(a.label, b.label) > 0:
			x["label"] = max(a.label, b.label) == 2
		}
		if block = append(block, x); len(block) == 4096 {
			add()
		}
	}
	add()
	p, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	p.LabelConflicts = out.Conflicts
	p.OnlyBaseline, p.OnlyCandidate = out.Baseline.Only+out.Baseline.NoID, out.Candidate.Only+out.Candidate.NoID
	p.DuplicateBaseline, p.DuplicateCandidate = out.Baseline.Duplicate, out.Candidate.Duplicate
	if out.Digest, err = p.Digest(); err != nil {
		t.Fatal(err)
	}
	return out
}
