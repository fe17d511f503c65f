// Package root finds zeros of functions of one variable.
package root

import "math"

// Find returns a zero of f between a and b, where f has opposite signs (infinite
// values count), by Chandrupatla's method (1997): inverse quadratic interpolation
// where it is safe, bisection elsewhere. The error is a few units in the last
// place of the zero. It reports false when the signs do not differ, when f is NaN
// on the way, or when 2000 steps do not suffice.
func Find(f func(float64) float64, a, b float64) (x float64, ok bool) {
	fa, fb := f(a), f(b)
	switch {
	case fa == 0:
		return a, true
	case fb == 0:
		return b, true
	case math.IsNaN(fa) || math.IsNaN(fb) || (fa > 0) == (fb > 0):
		return 0, false
	}
	var c, fc float64
	t := 0.5
	for range 2000 {
		x := a + float64(t*(b-a))
		fx := f(x)
		if math.IsNaN(fx) {
			return 0, false
		}
		if (fx > 0) == (fa > 0) {
			c, fc = a, fa
		} else {
			c, b, fc, fb = b, a, fb, fa
		}
		a, fa = x, fx
		if fa == 0 {
			return a, true
		}
		best := a
		if math.Abs(fb) < math.Abs(fa) {
			best = b
		}
		tol := float64(2e-16*math.Abs(best)) + 1e-320
		width := math.Abs(b - a)
		if width <= 2*tol {
			return best, true
		}
		xi := (a - b) / (c - b)
		phi := (fa - fb) / (fc - fb)
		t = 0.5
		if phi*phi < xi && (1-phi)*(1-phi) < 1-xi {
			t = fa/(fb-fa)*fc/(fb-fc) + (c-a)/(b-a)*fa/(fc-fa)*fb/(fc-fb)
		}
		least := tol / width
		if !(t > least) { // also when t is not a number
			t = least
		}
		t = min(t, 1-least)
	}
	return 0, false
}
