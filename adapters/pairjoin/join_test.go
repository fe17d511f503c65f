package pairjoin_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/adapters/pairjoin"
)

// compare fails when the two results differ in anything but what was spilled.
func compare(t testing.TB, got *pairjoin.Result, want pairjoin.Result) {
	t.Helper()
	a, err := got.Pairs.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.Pairs.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	type counts struct {
		Baseline, Candidate pairjoin.Side
		Pairs, Conflicts    uint64
	}
	if d := cmp.Diff(counts{want.Baseline, want.Candidate, want.Pairs.RowCount, want.LabelConflicts},
		counts{got.Baseline, got.Candidate, got.Pairs.RowCount, got.Pairs.LabelConflicts}); d != "" {
		t.Fatalf("counts differ (-want +got):\n%s", d)
	}
	if string(a) != string(b) {
		t.Fatalf("%d pairs are other evidence than those of the direct join", got.Pairs.RowCount)
	}
}

// randomLog draws rows whose ids repeat now and then; kind says what the ids are.
func randomLog(r *rand.Rand, n, ids int, kind string, columns ...string) []row {
	rows := make([]row, n)
	for i := range rows {
		x := row{"score": r.Float64()}
		if r.IntN(20) > 0 {
			id := r.IntN(ids) * 1000
			if kind == "text" {
				x["id"] = fmt.Sprintf("request-%d", id)
			} else {
				x["id"] = int64(id)
			}
		}
		for _, c := range columns {
			if r.IntN(5) == 0 {
				continue
			}
			switch c {
			case "label":
				x[c] = r.IntN(2) == 0
			case "ts":
				x[c] = r.Int64N(1e15)
			default:
				x[c] = fmt.Sprint(c, r.IntN(7))
			}
		}
		rows[i] = x
	}
	return rows
}

// Whatever the order of the rows, the number of partitions and the memory, the join
// gives the bytes of the join by a map.
func TestJoinIsTheDirectJoin(t *testing.T) {
	dir := t.TempDir()
	spec := shadow(t)
	spilled := 0
	rapid.Check(t, func(rt *rapid.T) {
		kind := rapid.SampledFrom([]string{"integer", "text"}).Draw(rt, "kind")
		n := rapid.SampledFrom([]int{1, 30, 1500}).Draw(rt, "rows")
		ids := rapid.SampledFrom([]int{1, n, 3 * n}).Draw(rt, "ids")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		all := []string{"label", "ts", "segment"}
		columns := func(name string) []string { return all[:rapid.IntRange(0, 3).Draw(rt, name)] }
		baseline := randomLog(r, n, ids, kind, columns("baseline")...)
		candidate := randomLog(r, rapid.SampledFrom([]int{0, n / 2, n}).Draw(rt, "candidate rows"), ids, kind, columns("candidate")...)
		// A log in which no row has an id is refused.
		baseline = append(baseline, row{"id": id(kind, 77), "score": 0.5})
		candidate = append(candidate, row{"id": id(kind, 78), "score": 0.5})
		expected := want(t, spec, "id", baseline, candidate)
		for range 3 {
			shuffle := func(rows []row) { r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] }) }
			shuffle(baseline)
			shuffle(candidate)
			a, b := logs(t, spec, "id", rapid.SampledFrom([]int{7, 1000}).Draw(rt, "batch"), baseline, candidate)
			o := pairjoin.Options{TempDir: dir, Partitions: rapid.SampledFrom([]int{0, 2, 3, 257}).Draw(rt, "partitions"),
				MemoryLimit: rapid.SampledFrom([]int64{0, 64 << 10, 80 << 10}).Draw(rt, "memory")}
			got, err := pairjoin.Join(t.Context(), a, b, spec, o)
			if err != nil {
				rt.Fatal(err)
			}
			compare(t, got, expected)
			if got.Spilled > 0 {
				spilled++
			}
		}
	})
	if spilled == 0 {
		t.Error("no join went to a file")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A partition that is still too large is shared out again.
func TestJoinSharesOutAgain(t *testing.T) {
	spec := shadow(t)
	r := rand.New(rand.NewPCG(1, 2))
	columns := []string{"label", "ts", "segment"}
	baseline, candidate := randomLog(r, 6000, 18000, "text", columns...), randomLog(r, 6000, 18000, "text", columns...)
	expected := want(t, spec, "id", baseline, candidate)
	spilled := func(partitions int) int64 {
		a, b := logs(t, spec, "id", 1000, baseline, candidate)
		got, err := pairjoin.Join(t.Context(), a, b, spec, pairjoin.Options{TempDir: t.TempDir(), Partitions: partitions, MemoryLimit: 64 << 10})
		if err != nil {
			t.Fatal(err)
		}
		compare(t, got, expected)
		return got.Spilled
	}
	if once, again := spilled(257), spilled(2); again < 3*once/2 {
		t.Errorf("%d bytes went to files with 2 partitions and %d with many, want them to go there again", again, once)
	}
}

func id(kind string, n int) any {
	if kind == "text" {
		return fmt.Sprint(n)
	}
	return int64(n)
}
