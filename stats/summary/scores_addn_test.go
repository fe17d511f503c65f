package summary_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats/summary"
	"pgregory.net/rapid"
)

// TestScoresAddNIsAddSlice holds grouped counts against the same rows one by one:
// the state is the same, byte for byte.
func TestScoresAddNIsAddSlice(t *testing.T) {
	special := []float64{0, 1, 0.5, 0.3, math.NaN(), math.Inf(1), -0.1, 1.1, 1e-12}
	rapid.Check(t, func(t *rapid.T) {
		cuts := rapid.SampledFrom([][]float64{nil, {0.5}, {0.3, 0.7}}).Draw(t, "cuts")
		grouped, err := summary.NewScores(cuts...)
		if err != nil {
			t.Fatal(err)
		}
		single, err := summary.NewScores(cuts...)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 8).Draw(t, "groups") {
			p := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom(special)).Draw(t, "score")
			l := summary.Label(rapid.IntRange(0, 3).Draw(t, "label")) // 3 is none of the states
			n := rapid.IntRange(0, 5).Draw(t, "n")
			grouped.AddN(p, l, uint64(n))
			for range n {
				if err := single.AddSlice([]float64{p}, []summary.Label{l}); err != nil {
					t.Fatal(err)
				}
			}
		}
		a, err := grouped.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		b, err := single.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Error("AddN and AddSlice give different states")
		}
	})
}
