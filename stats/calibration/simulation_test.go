package calibration_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/rampguard/rampguard/stats/calibration"
)

// bound is what a share over n draws with probability p exceeds, on one side, in one
// of 2000 tests: together 99.9%.
func bound(p, n float64) float64 { return 3.29 * math.Sqrt(p*(1-p)/n) }

// simulate draws rows with scores from Beta(1,9), typical of rare events, and labels
// that are positive with probability truth(score).
func simulate(rng *rand.Rand, n int, truth func(p float64) float64) (p []float64, y []bool) {
	p, y = make([]float64, n), make([]bool, n)
	for i := range p {
		p[i] = 1 - math.Pow(rng.Float64(), 1.0/9)
		y[i] = rng.Float64() < truth(p[i])
	}
	return p, y
}

func calibrated(p float64) float64 { return p }

// recalibrated is the truth behind scores with the given intercept and slope.
func recalibrated(a, b float64) func(float64) float64 {
	return func(p float64) float64 { return 1 / (1 + math.Exp(-a-b*math.Log(p/(1-p)))) }
}

func TestNullDistributions(t *testing.T) {
	for _, n := range []int{200, 1000} {
		rng := rand.New(rand.NewPCG(uint64(n), 2001))
		const runs = 700
		var debiased, square, ece95, eceSum, nullSum, debiasedP, scoreP, sumZ, sumZ2, inside float64
		for range runs {
			p, y := simulate(rng, n, calibrated)
			d := must[calibration.Data](t)(calibration.FromRows(p, y))
			s := d.Sums()
			x := must[calibration.DebiasedResult](t)(calibration.DebiasedError(d, calibration.Binning{}, 0.95))
			debiased += x.Squared.Point / x.NullSE
			square += x.Squared.Point * x.Squared.Point / x.NullSE / x.NullSE
			debiasedP += below(x.P, 0.05)
			e := ece(t, d, calibration.Binning{})
			eceSum += e.ECE
			nullSum += e.NullECE
			ece95 += below(e.Null95, e.ECE)
			scoreP += below(must[calibration.ScoreTestResult](t)(calibration.ScoreTest(s, 0.95)).P, 0.05)
			z := must[calibration.ZResult](t)(calibration.Spiegelhalter(s)).Z
			sumZ += z
			sumZ2 += z * z
			if must[calibration.RatioResult](t)(calibration.ObservedExpected(s, 0.95)).Ratio.Contains(1) {
				inside++
			}
		}
		within := func(what string, got, want, tolerance float64) {
			t.Helper()
			if !(math.Abs(got-want) <= tolerance) {
				t.Errorf("n = %d: %s %.4f, want %.4f within %.4f", n, what, got, want, tolerance)
			}
		}
		// The debiased error averages 0 with the announced spread.
		within("debiased error in standard errors", debiased/runs, 0, 3.29/math.Sqrt(runs))
		within("variance of the debiased error", square/runs, 1, 3.29*math.Sqrt(3.5/runs))
		within("size of the debiased test", debiasedP/runs, 0.05, bound(0.05, runs))
		within("ECE over its null level", eceSum/nullSum, 1, 0.02)
		within("ECE above its null quantile", ece95/runs, 0.05, bound(0.05, runs))
		within("size of the score test", scoreP/runs, 0.05, bound(0.05, runs))
		within("mean of Spiegelhalter's Z", sumZ/runs, 0, 3.29/math.Sqrt(runs))
		within("its variance", sumZ2/runs, 1, 3.29*math.Sqrt(3.0/runs))
		if inside/runs < 0.95-bound(0.95, runs) {
			t.Errorf("n = %d: O/E interval covers %.3f", n, inside/runs)
		}
	}
}

func below(x, limit float64) float64 {
	if x < limit {
		return 1
	}
	return 0
}

// TestCoverage: intervals hold the truth when models are miscalibrated.
func TestCoverage(t *testing.T) {
	truth := recalibrated(-0.3, 0.7)
	rng := rand.New(rand.NewPCG(7, 2001))
	const n, runs = 1000, 300
	var debiased, slope, large, difference float64
	for range runs {
		p, y := simulate(rng, n, truth)
		d := must[calibration.Data](t)(calibration.FromRows(p, y))
		x := must[calibration.DebiasedResult](t)(calibration.DebiasedError(d, calibration.Binning{}, 0.95))
		expected, square := 0.0, 0.0
		for _, b := range x.Bins {
			gap := 0.0
			for _, v := range p {
				if b.Lo < v && v <= b.Hi {
					gap += (v - truth(v)) / float64(b.N)
				}
			}
			square += float64(b.N) / n * gap * gap
		}
		for _, v := range p {
			expected += truth(v)
		}
		if x.Squared.Contains(square) {
			debiased++
		}
		if must[calibration.CoxResult](t)(calibration.Cox(d, 0.95)).Slope.Contains(0.7) {
			slope++
		}
		r := must[calibration.RatioResult](t)(calibration.ObservedExpected(d.Sums(), 0.95))
		if r.Ratio.Contains(expected / r.Expected) {
			large++
		}
		p, y = simulate(rng, n, truth)
		other := must[calibration.Data](t)(calibration.FromRows(p, y)).Sums()
		if must[calibration.Difference](t)(calibration.CompareRatio(r, must[calibration.RatioResult](t)(calibration.ObservedExpected(other, 0.95)), 0.95)).Estimate.Contains(0) {
			difference++
		}
	}
	for name, covered := range map[string]float64{"debiased error": debiased, "slope": slope, "O/E": large, "difference of log O/E": difference} {
		if share := covered / runs; share < 0.95-bound(0.95, runs) {
			t.Errorf("interval of the %s covers %.3f", name, share)
		}
	}
}

// TestCompareMCBCoverage: a small side does not look worse for being small.
func TestCompareMCBCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 2001))
	const runs = 40
	covered := 0.0
	for i := range runs {
		candidate := drawn(t, rng, 300)
		baseline := drawn(t, rng, 2000)
		r := must[calibration.Difference](t)(calibration.CompareMCB(candidate, baseline, calibration.ResampleOptions{Replicates: 40, Seed: uint64(i)}))
		if r.Estimate.Contains(0) {
			covered++
		}
	}
	if share := covered / runs; share < 0.95-bound(0.95, runs) {
		t.Errorf("interval covers %.3f", share)
	}
}

func drawn(t *testing.T, rng *rand.Rand, n int) calibration.Data {
	p, y := simulate(rng, n, recalibrated(0.2, 1))
	return binned(t, p, y)
}
