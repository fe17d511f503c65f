package sequential

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats/statstest"
)

func TestLogScaledPhi(t *testing.T) {
	for _, c := range statstest.Load(t, "sequential_scipy").ByFunc(t, "logScaledPhi") {
		statstest.Near(t, c.Name, logScaledPhi(statstest.Float(t, c.In, "x")), statstest.Float(t, c.Want, "log"), c.RTol, c.ATol)
	}
}

func TestRoot(t *testing.T) {
	for _, tc := range []struct {
		name   string
		a, b   float64
		f      func(float64) float64
		want   float64
		rising bool
	}{
		{"line", -3, 5, func(x float64) float64 { return x - 1.25 }, 1.25, true},
		{"falling", 0, 4, func(x float64) float64 { return 2 - x*x }, math.Sqrt2, false},
		{"infinite end", 0, 1, func(x float64) float64 { return -math.Log(x) - 20 }, math.Exp(-20), false},
		{"both infinite", 0, 1, func(x float64) float64 { return math.Log(x / (1 - x)) }, 0.5, true},
		{"flat then steep", -40, 40, func(x float64) float64 { return math.Expm1(x) }, 0, true},
		{"jump", -1, 1, func(x float64) float64 { return math.Copysign(1, x-0.3) }, 0.3, true},
	} {
		statstest.Near(t, tc.name, zero(tc.a, tc.b, tc.f), tc.want, 1e-14, 1e-14)
	}
}

func TestExcess(t *testing.T) {
	for _, u := range []float64{-1, -0.999, -0.1000001, -0.0999999, -1e-8, 0, 1e-12, 0.0999999, 0.1000001, 3, 1e9} {
		want := (1+u)*math.Log1p(u) - u
		switch {
		case u == -1:
			want = 1
		case math.Abs(u) < 1e-6: // the plain form has no digits left
			want = u * u / 2
		}
		statstest.Near(t, "excess", excess(u), want, 1e-7, 0)
	}
}
