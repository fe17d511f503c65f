package stats

import (
	"fmt"

	"github.com/rampguard/rampguard/stats/internal/root"
	"github.com/rampguard/rampguard/stats/internal/special"
)

// betaQuantile returns the p with I_p(a,b) = exp(logProb), and q = 1-p. The
// smaller of the two is what is solved for, so both have their full accuracy.
func betaQuantile(logProb, a, b float64) (p, q float64, err error) {
	if special.LogBetaI(a, b, 0.5, 0.5) > logProb {
		p, err = rootBetween(func(p float64) float64 { return special.LogBetaI(a, b, p, 1-p) - logProb }, 0, 1)
		return p, 1 - p, err
	}
	q, err = rootBetween(func(q float64) float64 { return special.LogBetaI(a, b, 1-q, q) - logProb }, 0, 1)
	return 1 - q, q, err
}

// rootBetween is [root.Find] with an error.
func rootBetween(f func(float64) float64, a, b float64) (float64, error) {
	x, ok := root.Find(f, a, b)
	if !ok {
		return 0, fmt.Errorf("root between %v and %v: %w", a, b, ErrNoConvergence)
	}
	return x, nil
}
