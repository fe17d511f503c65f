package stats_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

func ExampleMacroF1() {
	// Rows are what the labels say, columns what the model said.
	r, err := stats.MacroF1([][]uint64{{80, 15, 5}, {10, 60, 2}, {1, 4, 15}}, 0.95)
	if err != nil {
		panic(err)
	}
	fmt.Printf("macro F1 %.3f, %.3f to %.3f, of %d rows\n", r.Estimate.Point, r.Estimate.Lo, r.Estimate.Hi, r.N)
	for i, c := range r.Classes {
		fmt.Printf("class %d: recall %.2f of %d, precision %.2f of %d\n", i, c.Recall, c.Labelled, c.Precision, c.Predicted)
	}
	// Output:
	// macro F1 0.782, 0.712 to 0.852, of 192 rows
	// class 0: recall 0.80 of 100, precision 0.88 of 91
	// class 1: recall 0.83 of 72, precision 0.76 of 79
	// class 2: recall 0.75 of 20, precision 0.68 of 22
}

func TestMacroF1Reference(t *testing.T) {
	for _, c := range statstest.Load(t, "stats_confusion").ByFunc(t, "MacroF1") {
		t.Run(c.Name, func(t *testing.T) {
			var counts [][]uint64
			statstest.Decode(t, c.In, "counts", &counts)
			got, err := stats.MacroF1(counts, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			statstest.Near(t, "macro F1", got.Estimate.Point, statstest.Float(t, c.Want, "macro_f1"), c.RTol, c.ATol)
			statstest.Near(t, "standard error", got.SE, statstest.Float(t, c.Want, "se"), c.RTol, c.ATol)
		})
	}
}

func TestMacroF1Errors(t *testing.T) {
	one := [][]uint64{{1, 0}, {0, 1}}
	for name, c := range map[string]struct {
		counts [][]uint64
		level  float64
		want   error
	}{
		"no matrix":  {nil, 0.95, stats.ErrEmpty},
		"no rows":    {[][]uint64{{0, 0}, {0, 0}}, 0.95, stats.ErrEmpty},
		"not square": {[][]uint64{{1, 2}, {3}}, 0.95, stats.ErrMismatch},
		"level 0":    {one, 0, stats.ErrDomain},
		"level NaN":  {one, math.NaN(), stats.ErrDomain},
	} {
		if _, err := stats.MacroF1(c.counts, c.level); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestMacroF1Laws: the order of the classes does not matter, nor does swapping what
// was said with what is true, and a class without rows changes nothing.
func TestMacroF1Laws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(1, 5).Draw(t, "classes")
		m, turned, more := make([][]uint64, k), make([][]uint64, k), make([][]uint64, k+1)
		for i := range m {
			m[i] = rapid.SliceOfN(rapid.Uint64Range(0, 50), k, k).Draw(t, "row")
		}
		m[0][0]++
		more[k] = make([]uint64, k+1)
		for i := range m {
			more[i] = append(append([]uint64{}, m[i]...), 0)
			turned[i] = make([]uint64, k)
			for j := range m {
				turned[i][j] = m[k-1-j][k-1-i]
			}
		}
		want, err := stats.MacroF1(m, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range [][][]uint64{turned, more} {
			got, err := stats.MacroF1(other, 0.9)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got.Estimate.Point-want.Estimate.Point) > 1e-12 || math.Abs(got.SE-want.SE) > 1e-12 || got.Used != want.Used {
				t.Fatalf("%+v, want %+v", got, want)
			}
		}
		if v := want.Estimate; !(v.Lo <= v.Point && v.Point <= v.Hi && v.Lo >= 0 && v.Hi <= 1) {
			t.Fatalf("interval %+v", v)
		}
	})
}
