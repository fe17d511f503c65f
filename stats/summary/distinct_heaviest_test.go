package summary_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats/summary"
	"pgregory.net/rapid"
)

// unitsWith are ids with so many rows each.
func unitsWith(rows []uint64) *summary.Distinct {
	var d summary.Distinct
	for i, n := range rows {
		d.AddString(fmt.Sprint("id", i), n)
	}
	return &d
}

func TestClusteringOf(t *testing.T) {
	rows := []uint64{1, 1, 1, 1, 1, 1, 4, 10, 300}
	for _, tt := range []struct {
		of   uint64
		want float64
	}{
		{0, 300}, {1, 300}, {300, 300}, {310, (300.0*300 + 10*10) / 310}, {312, (300.0*300 + 10*10 + 2*4) / 312},
		{320, (300.0*300 + 10*10 + 4*4 + 6) / 320}, {1000, (300.0*300 + 10*10 + 4*4 + 6) / 320},
	} {
		if got := unitsWith(rows).ClusteringOf(tt.of); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("of %d rows: %v, want %v", tt.of, got, tt.want)
		}
	}
	var none summary.Distinct
	if got := none.ClusteringOf(3); got != 1 {
		t.Errorf("without ids: %v", got)
	}
}

// However the events are spread over the ids, their variance is at most that of
// independent rows times the bound.
func TestClusteringOfBoundsTheVariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.OneOf(rapid.Uint64Range(1, 5), rapid.Uint64Range(1, 400)), 1, 40).Draw(t, "rows")
		share := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 0, 0, 0.01, 0.5, 1})), len(rows), len(rows)).Draw(t, "share")
		var n, events, variance float64
		for i, k := range rows {
			n += float64(k)
			events += share[i] * float64(k)
			variance += float64(k) * float64(k) * share[i] * (1 - share[i])
		}
		rarer := math.Min(events, n-events)
		bound := rarer * (1 - rarer/n) * unitsWith(rows).ClusteringOf(uint64(rarer))
		if variance > bound*(1+1e-9)+1e-9 {
			t.Fatalf("%v of %v rows are events, with variance %v above the bound %v", events, n, variance, bound)
		}
	})
}

// Beyond the sample, so many rows are those of as large a part of it.
func TestClusteringOfASample(t *testing.T) {
	var d, half, other summary.Distinct
	for i := range 40000 {
		n := uint64(1)
		if i%100 == 0 {
			n = 30
		}
		for k, part := range []*summary.Distinct{&d, &half, &other} {
			if k == 0 || k == 1+i%2 {
				part.AddString(fmt.Sprint(i), n)
			}
		}
	}
	if got := d.ClusteringOf(500); math.Abs(got-30) > 1e-9 {
		t.Errorf("of 500 rows: %v, want 30", got)
	}
	if got, all := d.ClusteringOf(d.Total()), d.Clustering(); math.Abs(got-all) > 1e-9*all {
		t.Errorf("of all rows: %v, want %v", got, all)
	}
	if err := half.Merge(&other); err != nil || half.ClusteringOf(20000) != d.ClusteringOf(20000) {
		t.Errorf("merged %v, in one %v: %v", half.ClusteringOf(20000), d.ClusteringOf(20000), err)
	}
}
