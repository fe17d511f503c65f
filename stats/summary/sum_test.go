package summary_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats/summary"
)

func TestSumIsCorrectlyRounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(anyFloat(), 0, 40).Draw(t, "xs")
		var s summary.Sum
		for _, x := range xs {
			s.Add(x)
		}
		kept := keep(xs, math.Inf(-1), math.Inf(1))
		if got, want := s.Float64(), exactSum(kept); got != want || math.Signbit(got) != math.Signbit(want) {
			t.Fatalf("sum of %v = %v, want %v", kept, got, want)
		}
		if s.N() != uint64(len(kept)) || s.N()+s.Excluded().Total() != uint64(len(xs)) {
			t.Fatalf("N %d and excluded %+v of %v", s.N(), s.Excluded(), xs)
		}
	})
}

func TestSumSpecialCases(t *testing.T) {
	big := math.MaxFloat64
	ulp := math.Nextafter(1, 2) - 1
	cases := []struct {
		name string
		xs   []float64
		want float64
	}{
		{"empty", nil, 0},
		{"negative zeros", []float64{math.Copysign(0, -1)}, 0},
		{"cancellation", []float64{1e300, 1, -1e300}, 1},
		{"smallest", []float64{math.SmallestNonzeroFloat64, big, -big}, math.SmallestNonzeroFloat64},
		{"overflow", []float64{big, big}, math.Inf(1)},
		{"overflow on the way only", []float64{big, big, -big}, big},
		{"negative overflow", []float64{-big, -big}, math.Inf(-1)},
		{"tie to even", []float64{1, ulp / 2}, 1},
		{"just above the tie", []float64{1, ulp / 2, 1e-300}, 1 + ulp},
		{"subnormal tie", []float64{0x1p-1022, 0x1p-1074}, 0x1p-1022 + 0x1p-1074},
	}
	for _, c := range cases {
		var s summary.Sum
		for _, x := range c.xs {
			s.Add(x)
		}
		if got := s.Float64(); got != c.want || math.Signbit(got) != math.Signbit(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Many additions of the largest digits of either sign: carries must come in
// time, across merges too.
func TestSumCarries(t *testing.T) {
	const n = 5000
	for _, x := range []float64{math.MaxFloat64, -math.MaxFloat64, math.Nextafter(2, 0), -math.Nextafter(0x1p31, 0)} {
		var many, once, merged summary.Sum
		for range n {
			many.Add(x)
			one := summary.Sum{}
			one.Add(x)
			if err := merged.Merge(&one); err != nil {
				t.Fatal(err)
			}
		}
		once.AddN(x, n)
		for name, s := range map[string]*summary.Sum{"added": &many, "merged": &merged} {
			if d := cmp.Diff(text(t, &once), text(t, s)); d != "" {
				t.Errorf("%v, %d times (-AddN +%s):\n%s", x, n, name, d)
			}
		}
		back := many
		back.AddN(-x, n)
		if got := back.Float64(); got != 0 || back.N() != 2*n {
			t.Errorf("%v added and taken away %d times leaves %v", x, n, got)
		}
		if many.Float64() == 0 {
			t.Error("a copy shares memory with its original")
		}
	}
}

func TestMomentsAreCorrectlyRounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(anyFloat(), 0, 12).Draw(t, "xs")
		var m summary.Moments
		m.AddSlice(xs)
		checkShape(t, &m, keep(xs, math.Inf(-1), math.Inf(1)))
	})
}

func checkShape(t interface{ Fatalf(string, ...any) }, m *summary.Moments, kept []float64) {
	got, err := m.Shape()
	if len(kept) == 0 {
		if err == nil {
			t.Fatalf("Shape of no values: %+v", got)
		}
		return
	}
	if err != nil {
		t.Fatalf("Shape: %v", err)
	}
	n, mean, variance, skewness, kurtosis := exactShape(kept)
	want := summary.Shape{N: uint64(n), Mean: mean, Variance: variance, Skewness: skewness, Kurtosis: kurtosis, Min: kept[0], Max: kept[len(kept)-1]}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return a == b || (a != a && b != b) })); d != "" {
		t.Fatalf("Shape of %v (-want +got):\n%s", kept, d)
	}
}

// More values than fit between two passes of carries, far from zero.
func TestMomentsOfManyValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var m summary.Moments
	var xs []float64
	for range 2500 {
		xs = append(xs, 1e9+r.ExpFloat64())
	}
	m.AddSlice(xs)
	checkShape(t, &m, keep(xs, math.Inf(-1), math.Inf(1)))
	m = summary.Moments{}
	for range 3000 {
		m.AddSlice([]float64{-math.MaxFloat64, math.MaxFloat64})
	}
	s, err := m.Shape()
	if err != nil || s.Mean != 0 || s.Kurtosis != 1 || s.Skewness != 0 || !math.IsInf(s.Variance, 1) {
		t.Errorf("shape of ±MaxFloat64: %+v, %v", s, err)
	}
}
