package checks

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/stats/calibration"
)

// TestSquaresInBall: every point of the ball keeps the bounds, and the bounds are
// reached where they are known.
func TestSquaresInBall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(1, 6).Draw(t, "k")
		real := func(lo, hi float64, name string) []float64 {
			return rapid.SliceOfN(rapid.Float64Range(lo, hi), k, k).Draw(t, name)
		}
		xs, ws, dir := real(-9, 9, "x"), real(1e-6, 1, "w"), real(-1, 1, "direction")
		radius := rapid.Float64Range(0.01, 50).Draw(t, "radius")
		s := squaresInBall(xs, ws, radius)
		norm := 0.0
		for _, d := range dir {
			norm += d * d
		}
		if norm < 1e-9 {
			return
		}
		scale := math.Sqrt(radius/norm) * rapid.Float64Range(0, 1).Draw(t, "how far")
		at := 0.0
		for i := range xs {
			v := xs[i] + scale*dir[i]
			at += ws[i] * v * v
		}
		if at < s.lo*(1-1e-9)-1e-12 || at > s.hi*(1+1e-9)+1e-12 {
			t.Fatalf("%v is outside [%v, %v]", at, s.lo, s.hi)
		}
	})
	// One bin: the ends of x -+ root of the radius. Equal weights: the same of the norm.
	for _, tc := range []struct {
		xs, ws []float64
		radius float64
		want   span
	}{
		{[]float64{5}, []float64{2}, 4, span{18, 98}},
		{[]float64{1}, []float64{2}, 4, span{0, 18}},
		{[]float64{3, 4}, []float64{1, 1}, 4, span{9, 49}},
		{[]float64{0}, []float64{1}, 9, span{0, 9}},
		{[]float64{0, 0}, []float64{1, 0.1}, 9, span{0, 9}},
		{nil, nil, 9, span{}},
	} {
		got := squaresInBall(tc.xs, tc.ws, tc.radius)
		if math.Abs(got.lo-tc.want.lo) > 1e-6 || math.Abs(got.hi-tc.want.hi) > 1e-6 {
			t.Errorf("%v: %v, want %v", tc, got, tc.want)
		}
	}
}

// TestScoreMixture: the e-value of the score test has mean 1 under the null, that is
// for a chi-square with 2 degrees of freedom, by numerical integration.
func TestScoreMixture(t *testing.T) {
	r := ruler{looks: 1, planned: 1000}
	for _, n := range []float64{10, 1000, 1e5} {
		sum, step := 0.0, 0.01
		for x := step / 2; x < 2e4; x += step {
			_, logE := r.scoreTest(x, n)
			sum += step * math.Exp(logE-x/2) / 2
			if x > 100 {
				step = 1
			}
		}
		if math.Abs(sum-1) > 0.01 {
			t.Errorf("n %v: mean %v, want 1", n, sum)
		}
	}
}

// TestBoundsNest: a smaller error gives a wider interval, looks without end one wider
// than a single look.
func TestBoundsNest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(200, 5000).Draw(t, "n")
		base := rapid.Float64Range(0.05, 0.6).Draw(t, "base")
		scores, labels := make([]float64, n), make([]bool, n)
		for i := range scores {
			scores[i] = base * (0.5 + float64(i%100)/100)
			labels[i] = float64((i*37)%1000)/1000 < scores[i]
		}
		d, err := calibration.FromRows(scores, labels)
		if err != nil {
			t.Fatal(err)
		}
		a := calibratedArm{data: d, sums: d.Sums(), ok: true}
		small := rapid.Float64Range(1e-6, 0.01).Draw(t, "alpha")
		for _, r := range []ruler{{looks: 1, planned: 1000}, {kind: 1, looks: 1}, {kind: 2, looks: 5}} {
			e, ok := r.binnedError(a, 1)
			if !ok {
				t.Fatal("no error")
			}
			for _, pair := range [][2]span{{r.ratio(a.sums, 1, small), r.ratio(a.sums, 1, 0.05)}, {e.bound(small), e.bound(0.05)}} {
				if pair[0].lo > pair[1].lo+1e-12 || pair[0].hi < pair[1].hi-1e-12 {
					t.Fatalf("%+v: %v at %v, %v at 0.05", r, pair[0], small, pair[1])
				}
			}
		}
	})
}
