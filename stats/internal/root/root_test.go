package root_test

import (
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats/internal/root"
)

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    func(float64) float64
		a, b float64
		want float64
		ok   bool
	}{
		{"square root", func(x float64) float64 { return x*x - 2 }, 0, 2, math.Sqrt2, true},
		{"falling", func(x float64) float64 { return 1 - x }, 0, 3, 1, true},
		{"zero at an end", func(x float64) float64 { return x }, 0, 3, 0, true},
		{"infinite at an end", math.Log, 0, 3, 1, true},
		{"a tiny zero", func(x float64) float64 { return x - 1e-300 }, -1, 1, 1e-300, true},
		{"no change of sign", func(x float64) float64 { return x*x + 1 }, -1, 1, 0, false},
		{"not a number", func(float64) float64 { return math.NaN() }, -1, 1, 0, false},
		{"not a number on the way", func(x float64) float64 {
			return math.Sqrt(x-0.9) - 0.5*math.Sqrt(math.Abs(x)-0.9) + math.Copysign(1, x)
		}, -1, 1, 0, false},
	} {
		got, ok := root.Find(tt.f, tt.a, tt.b)
		if ok != tt.ok || math.Abs(got-tt.want) > 1e-15*math.Abs(tt.want) {
			t.Errorf("%s: %v, %v; want %v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}
