package sliceline_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/rampguard/rampguard/stats/sliceline"
	"github.com/rampguard/rampguard/stats/statstest"
)

// sliceCases are the published and the computed examples of this package.
var sliceCases = map[string]func(t *testing.T, in, want map[string]json.RawMessage, tol tolerance){
	"sliceline-20x10": checkCustomInputs,
	"c-divexp-t":      checkDivergence,
}

type tolerance struct{ Rel, Abs float64 }

func TestPublishedCases(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(statstest.Root(t), "testdata", "cases", "inference_cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			ID               string
			Inputs, Expected map[string]json.RawMessage
			Tolerance        json.RawMessage // of some cases by key
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	done := 0
	for _, c := range file.Cases {
		check := sliceCases[c.ID]
		if check == nil {
			continue
		}
		done++
		t.Run(c.ID, func(t *testing.T) {
			var tol tolerance
			if err := json.Unmarshal(c.Tolerance, &tol); err != nil {
				t.Fatal(err)
			}
			check(t, c.Inputs, c.Expected, tol)
		})
	}
	if done != len(sliceCases) {
		t.Errorf("%d of %d cases found", done, len(sliceCases))
	}
}

// checkCustomInputs compares all ten rows; the first two cover the same rows, so
// that pruning leaves one of them.
func checkCustomInputs(t *testing.T, in, want map[string]json.RawMessage, tol tolerance) {
	var codes [][]uint32
	var topk [][]float64
	statstest.Decode(t, in, "X", &codes)
	statstest.Decode(t, want, "topk", &topk)
	var cells []sliceline.Cell
	for i, e := range statstest.Floats(t, in, "e") {
		cells = append(cells, sliceline.Cell{Codes: codes[i], N: 1, Sum: e, Max: e})
	}
	k := int(statstest.Float(t, in, "k"))
	r, err := sliceline.TopK(cells, sliceline.Options{
		Alpha: statstest.Float(t, in, "alpha"), K: k, MinSupport: uint64(statstest.Float(t, in, "min_support")), MaxColumns: len(codes[0]),
	})
	if err != nil || len(r.Top) != len(topk) || !r.Complete {
		t.Fatalf("%d slices, complete %v: %v", len(r.Top), r.Complete, err)
	}
	for i, row := range topk {
		s := r.Top[i]
		for j, got := range []float64{s.Score, s.Sum, s.Max, float64(s.N)} {
			statstest.Near(t, "row and column", got, row[j], tol.Rel, tol.Abs)
		}
	}
	pruned, err := sliceline.Prune(cells, r, sliceline.PruneOptions{})
	if err != nil || len(pruned) == 0 || len(pruned) >= k {
		t.Fatalf("%d slices after pruning: %v", len(pruned), err)
	}
	for _, s := range pruned[1:] {
		if s.Score == pruned[0].Score {
			t.Errorf("%v and %v cover the same rows", pruned[0].Items, s.Items)
		}
	}
}

func checkDivergence(t *testing.T, in, want map[string]json.RawMessage, tol tolerance) {
	slice, all := statstest.Uints(t, in, "slice"), statstest.Uints(t, in, "all")
	got, err := sliceline.DivergenceT(slice[0], slice[1], all[0], all[1])
	if err != nil {
		t.Fatal(err)
	}
	statstest.Near(t, "t", got, statstest.Float(t, want, "t"), tol.Rel, tol.Abs)
}
