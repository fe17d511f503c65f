package summary_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats/summary"
)

// Kish's sum n^2 / sum n, by hand.
func TestClustering(t *testing.T) {
	for _, tt := range []struct {
		why  string
		rows map[int64]int // of an id
		want float64
	}{
		{"no ids", nil, 1},
		{"none repeats", map[int64]int{1: 1, 2: 1, 3: 1}, 1},
		{"all repeat alike", map[int64]int{1: 4, 2: 4, 3: 4}, 4},
		{"one has most rows", map[int64]int{1: 98, 2: 1, 3: 1}, (98.0*98 + 2) / 100},
	} {
		var d, other summary.Distinct
		for id, n := range tt.rows {
			xs := make([]int64, n)
			for i := range xs {
				xs[i] = id
			}
			if err := d.AddInts(xs, nil); err != nil {
				t.Fatal(err)
			}
		}
		if got := d.Clustering(); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", tt.why, got, tt.want)
		}
		if err := other.Merge(&d); err != nil || other.Clustering() != d.Clustering() {
			t.Errorf("%s: merged it is %v, not %v: %v", tt.why, other.Clustering(), d.Clustering(), err)
		}
	}
	var big summary.Distinct
	big.AddString("bot", 1<<40)
	big.AddString("one", 1)
	if got, want := big.Clustering(), float64(1<<40); math.Abs(got/want-1) > 1e-9 {
		t.Errorf("a bot of 2^40 rows: %v, want about %v", got, want)
	}
}
