package calibration_test

import (
	"math"
	"slices"
	"testing"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/calibration"
	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

func must[T any](t interface{ Fatalf(string, ...any) }) func(v T, err error) T {
	return func(v T, err error) T {
		if err != nil {
			t.Fatalf("unexpected error: %v", err)
		}
		return v
	}
}

func positives(y []float64) []bool {
	out := make([]bool, len(y))
	for i, v := range y {
		out[i] = v != 0
	}
	return out
}

func rows(t *testing.T, p, y []float64) calibration.Data {
	t.Helper()
	return must[calibration.Data](t)(calibration.FromRows(p, positives(y)))
}

// scoresOf collects rows as production does.
func scoresOf(t interface{ Fatalf(string, ...any) }, p []float64, positive []bool) *summary.Scores {
	labels := make([]summary.Label, len(p))
	for i, y := range positive {
		labels[i] = summary.Negative
		if y {
			labels[i] = summary.Positive
		}
	}
	s := new(summary.Scores)
	if err := s.AddSlice(p, labels); err != nil {
		t.Fatalf("AddSlice: %v", err)
	}
	return s
}

func binned(t interface{ Fatalf(string, ...any) }, p []float64, positive []bool) calibration.Data {
	return must[calibration.Data](t)(calibration.FromScores(scoresOf(t, p, positive)))
}

// levels makes data with n[i] rows of score p[i], k[i] of them positive. Large
// numbers come about by merging scores with themselves.
func levels(t *testing.T, p []float64, n, k []uint64) calibration.Data {
	t.Helper()
	all := new(summary.Scores)
	add := func(score float64, positive bool, times uint64) {
		power := scoresOf(t, []float64{score}, []bool{positive})
		for ; times > 0; times >>= 1 {
			if times&1 == 1 {
				if err := all.Merge(power); err != nil {
					t.Fatal(err)
				}
			}
			if err := power.Merge(power); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range p {
		add(p[i], true, k[i])
		add(p[i], false, n[i]-k[i])
	}
	return must[calibration.Data](t)(calibration.FromScores(all))
}

// near compares named numbers with those of a reference case.
func near(t *testing.T, c statstest.Case, got map[string]float64) {
	t.Helper()
	for key, v := range got {
		statstest.Near(t, c.Name+" "+key, v, statstest.Float(t, c.Want, key), c.RTol, c.ATol)
	}
}

func nearAll(t *testing.T, c statstest.Case, key string, got []float64) {
	t.Helper()
	want := statstest.Floats(t, c.Want, key)
	if len(got) != len(want) {
		t.Fatalf("%s %s: %d numbers, want %d", c.Name, key, len(got), len(want))
	}
	for i := range got {
		statstest.Near(t, c.Name+" "+key, got[i], want[i], c.RTol, c.ATol)
	}
}

// carries reports whether a warning with the code is among ws.
func carries(ws []stats.Warning, code string) bool {
	return slices.ContainsFunc(ws, func(w stats.Warning) bool { return w.Code == code })
}

func finite(xs ...float64) bool {
	for _, x := range xs {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}
