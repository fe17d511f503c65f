package sequential

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats/statstest"
)

func TestLogBetaCDF(t *testing.T) {
	for _, c := range statstest.Load(t, "sequential").ByFunc(t, "logBetaCDF") {
		got := logBetaCDF(statstest.Float(t, c.In, "a"), statstest.Float(t, c.In, "b"), statstest.Float(t, c.In, "x"))
		statstest.Near(t, c.Name, got, statstest.Float(t, c.Want, "log"), c.RTol, c.ATol)
	}
	if got := logBetaCDF(2, 3, 0); !math.IsInf(got, -1) {
		t.Errorf("logBetaCDF at 0 = %v, want -Inf", got)
	}
	if got := logBetaCDF(2, 3, 1); got != 0 {
		t.Errorf("logBetaCDF at 1 = %v, want 0", got)
	}
	// gonum's RegIncBeta gives 2.3 here.
	statstest.Near(t, "logBetaCDF(1e9, 9e9, 0.1)", math.Exp(logBetaCDF(1e9, 9e9, 0.1)), 0.5, 0, 1e-5)
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

func TestExcessAndStirling(t *testing.T) {
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
	for _, x := range []float64{0.01, 0.5, 1, 9.999999, 10, 50} {
		l, _ := math.Lgamma(x)
		statstest.Near(t, "stirlingRest", stirlingRest(x), l-((x-0.5)*math.Log(x)-x+math.Log(2*math.Pi)/2), 1e-12, 1e-13)
	}
}
