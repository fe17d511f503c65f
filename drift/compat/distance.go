package compat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/rampguard/rampguard/stats"
)

// normalUpper is the x that a standard normal exceeds with probability p.
func normalUpper(p float64) float64 { return -mathext.NormalQuantile(p) }

// SciPyJensenShannon returns the Jensen-Shannon distance: the square root of the
// divergence, with logarithms of the given base (0 means e), of counts that are
// normalised first.
//
// Evidently takes base e and alarms at 0.1, so its scale ends at 0.8326; NannyML
// takes base 2, so its scale ends at 1; TensorFlow Data Validation and gonum mean
// the divergence, without the root. The default alarm of 0.1 is passed by noise
// alone in most comparisons of 100 rows.
func SciPyJensenShannon(ref, cur []float64, base float64) (float64, error) {
	d, err := jensenShannon("SciPyJensenShannon", ref, cur)
	switch {
	case err != nil:
		return 0, err
	case base == 0:
		return math.Sqrt(d), nil
	case !(base > 1) || math.IsInf(base, 1):
		return 0, fmt.Errorf("compat: SciPyJensenShannon: base %v: %w", base, stats.ErrDomain)
	}
	return math.Sqrt(d / math.Log(base)), nil
}

// jensenShannon is the divergence in nats.
func jensenShannon(fn string, ref, cur []float64) (float64, error) {
	p, q, err := shares(fn, ref, cur)
	if err != nil {
		return 0, err
	}
	d := sumOf(p, q, func(p, q float64) float64 {
		h := (p + q) / 2
		return (relative(p, h) + relative(q, h)) / 2
	})
	return min(max(0, d), math.Ln2), nil
}

// relative is p log(p/q), 0 for p = 0 and +Inf for q = 0 < p.
func relative(p, q float64) float64 {
	switch {
	case p == 0:
		return 0
	case q == 0:
		return math.Inf(1)
	}
	return float64(p * math.Log(p/q))
}

// SciPyEntropy returns the relative entropy (Kullback-Leibler divergence) of ref
// against cur in nats, of counts that are normalised first, without smoothing.
//
// One cell that only the reference uses makes it +Inf, whatever else the samples
// look like; then it orders nothing and does not fit in JSON.
func SciPyEntropy(ref, cur []float64) (float64, error) {
	p, q, err := shares("SciPyEntropy", ref, cur)
	if err != nil {
		return 0, err
	}
	return max(0, sumOf(p, q, relative)), nil
}

// DeequEntropy returns the entropy of counts in nats. It is not corrected for its
// bias, which is about -(cells-1)/(2n); Great Expectations gives bits under the
// same name.
func DeequEntropy(counts []float64) (float64, error) {
	p, err := normalised("DeequEntropy", "given", counts)
	if err != nil {
		return 0, err
	}
	h := 0.0
	for _, v := range p {
		h -= relative(v, 1)
	}
	return h, nil
}

// GonumBhattacharyya returns the Bhattacharyya distance -log sum sqrt(p q) of
// counts that are normalised first, as gonum and frouros define it. It is +Inf
// for samples without a common cell; elsewhere the name means the coefficient
// itself, or the square of the Hellinger distance.
func GonumBhattacharyya(ref, cur []float64) (float64, error) {
	p, q, err := shares("GonumBhattacharyya", ref, cur)
	if err != nil {
		return 0, err
	}
	return math.Abs(math.Log(min(1, sumOf(p, q, func(p, q float64) float64 { return math.Sqrt(float64(p * q)) })))), nil
}

// GonumChiSquare returns the sum of (o-e)^2/e over the cells, with the expected
// counts as they are, not rescaled to the observed total; 0/0 counts as 0, and an
// expected count of 0 gives +Inf. With the reference's counts as expected it moves
// with the traffic, not with the distribution.
func GonumChiSquare(observed, expected []float64) (float64, error) {
	const fn = "GonumChiSquare"
	if len(observed) != len(expected) {
		return 0, fmt.Errorf("compat: %s: %d and %d cells: %w", fn, len(observed), len(expected), stats.ErrMismatch)
	}
	if _, err := total(fn, "observed", observed); err != nil {
		return 0, err
	}
	if _, err := total(fn, "expected", expected); err != nil {
		return 0, err
	}
	return sumOf(observed, expected, func(o, e float64) float64 {
		if o == 0 && e == 0 {
			return 0
		}
		return float64((o-e)*(o-e)) / e
	}), nil
}
