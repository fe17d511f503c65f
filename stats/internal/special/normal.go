package special

import "math"

// Mills is Mills' ratio (1 - Phi(z)) / phi(z) of the standard normal law, for z >= 0:
// Laplace's continued fraction above 5, below it math.Erfc. gonum has neither the
// ratio nor the logarithm of the tail.
func Mills(z float64) float64 {
	if z <= 5 {
		return math.Sqrt(math.Pi/2) * math.Erfc(z/math.Sqrt2) * math.Exp(float64(z*z)/2)
	}
	m := z
	for k := 100.0; k >= 1; k-- {
		m = z + k/m
	}
	return 1 / m
}
