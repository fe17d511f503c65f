package compat_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/drift/compat"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

func TestReference(t *testing.T) {
	ref := statstest.Load(t, "drift")
	for name, f := range map[string]func(ref, cur []float64) (float64, error){
		"EvidentlyPSI":  compat.EvidentlyPSI,
		"DeepchecksPSI": compat.DeepchecksPSI,
		"SciPyEntropy":  compat.SciPyEntropy,
		"SciPyJensenShannon": func(ref, cur []float64) (float64, error) {
			return compat.SciPyJensenShannon(ref, cur, 0)
		},
		"DeepchecksEarthMover": func(ref, cur []float64) (float64, error) {
			return compat.DeepchecksEarthMover(ref, cur, 0)
		},
	} {
		for _, c := range ref.ByFunc(t, name) {
			got, err := f(statstest.Floats(t, c.In, "ref"), statstest.Floats(t, c.In, "cur"))
			if err != nil {
				t.Errorf("%s(%s): %v", name, c.Name, err)
			}
			statstest.Near(t, name+"("+c.Name+")", got, statstest.Float(t, c.Want, "value"), c.RTol, c.ATol)
		}
	}
}

// One pair of samples of 100, a standard deviation apart, in 20 cells: the
// conventions differ by a factor of 115, and the PSI of the two distributions is 1.
func TestOneNameManyNumbers(t *testing.T) {
	ref := []float64{2, 3, 4, 5, 7, 13, 21, 14, 8, 5, 3, 5, 4, 3, 1, 2, 0, 0, 0, 0}
	cur := []float64{0, 0, 0, 0, 3, 4, 5, 4, 13, 15, 13, 12, 14, 5, 4, 3, 3, 0, 1, 1}
	for name, c := range map[string]struct {
		f        func(ref, cur []float64) (float64, error)
		want, by float64
	}{
		"frouros":    {compat.FrourosPSI, 134.95, 0.01},
		"Evidently":  {compat.EvidentlyPSI, 2.10, 0.01},
		"deepchecks": {compat.DeepchecksPSI, 1.195, 0.03},
		"drift": {func(ref, cur []float64) (float64, error) {
			whole := func(xs []float64) (out []uint64) {
				for _, x := range xs {
					out = append(out, uint64(x))
				}
				return out
			}
			cells, err := drift.Counts(whole(ref), whole(cur))
			if err != nil {
				return 0, err
			}
			d, err := drift.PSI(cells, drift.Options{})
			return d.Value, err
		}, 1.20, 0.01},
	} {
		if got, err := c.f(ref, cur); err != nil || math.Abs(got-c.want) > c.by {
			t.Errorf("%s: PSI %v, %v, want %v", name, got, err, c.want)
		}
	}
	if _, err := compat.DeequPSI(ref, cur); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("deequ: error %v for a cell that is empty on both sides, want %v", err, stats.ErrDomain)
	}
	if got, err := compat.DeequPSI([]float64{1, 0}, []float64{1, 1}); err != nil || !math.IsInf(got, 1) {
		t.Errorf("deequ: PSI %v, %v for a cell that is empty on one side, want +Inf", got, err)
	}
}

func TestErrors(t *testing.T) {
	a, b := []float64{1, 2}, []float64{3, 4}
	pairs := map[string]func(ref, cur []float64) (float64, error){
		"FrourosPSI": compat.FrourosPSI, "EvidentlyPSI": compat.EvidentlyPSI, "DeepchecksPSI": compat.DeepchecksPSI,
		"DeequPSI": compat.DeequPSI, "SciPyEntropy": compat.SciPyEntropy, "GonumBhattacharyya": compat.GonumBhattacharyya,
		"DeepchecksCramersV": compat.DeepchecksCramersV,
		"SciPyJensenShannon": func(ref, cur []float64) (float64, error) { return compat.SciPyJensenShannon(ref, cur, 2) },
	}
	for name, f := range pairs {
		for _, c := range []struct {
			what     string
			ref, cur []float64
			want     error
		}{
			{"different lengths", a, b[:1], stats.ErrMismatch},
			{"no rows", a, []float64{0, 0}, stats.ErrEmpty},
			{"a negative count", a, []float64{-1, 2}, stats.ErrDomain},
			{"a NaN", []float64{math.NaN(), 1}, b, stats.ErrDomain},
			{"an overflow", []float64{math.MaxFloat64, math.MaxFloat64}, b, stats.ErrDomain},
		} {
			if got, err := f(c.ref, c.cur); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: %v, %v, want error %v", name, c.what, got, err, c.want)
			}
		}
	}
	for what, err := range map[string]error{
		"base":        second(compat.SciPyJensenShannon(a, b, 1)),
		"chi counts":  second(compat.GonumChiSquare(a, []float64{-1, 1})),
		"bins":        second(compat.ScouterPSIThreshold(100, 1, 0.05)),
		"alpha":       second(compat.ScouterPSINormalThreshold(100, 10, 0)),
		"linf alpha":  second(compat.DeequLInfinity(map[string]float64{"a": 1}, map[string]float64{"a": 1}, 1)),
		"trim":        second(compat.DeepchecksEarthMover(a, b, 0.5)),
		"multiplier":  third(compat.NannyMLThreshold(a, -1, 2, compat.Mean)),
		"center":      third(compat.NannyMLThreshold(a, 1, 2, compat.Center(7))),
		"correct":     second(compat.NannyMLAccuracyError(3, 2, 5)),
		"bucket":      second(compat.TFDVJensenShannon(compat.TFDVHistogram{Buckets: []compat.TFDVBucket{{2, 1, 1}}}, compat.TFDVHistogram{NaN: 1})),
		"linf counts": second(compat.TFDVLInfinity(map[string]float64{"a": -1}, nil)),
	} {
		if !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: error %v, want %v", what, err, stats.ErrDomain)
		}
	}
	for what, err := range map[string]error{
		"thresholds": third(compat.NannyMLThreshold(nil, 1, 2, compat.Mean)),
		"accuracy":   second(compat.NannyMLAccuracyError(0, 0, 5)),
		"chi-square": third(compat.DeequChiSquare(map[string]float64{"a": 5}, map[string]float64{"b": 5})),
		"entropy":    second(compat.DeequEntropy(nil)),
	} {
		if !errors.Is(err, stats.ErrEmpty) {
			t.Errorf("%s: error %v, want %v", what, err, stats.ErrEmpty)
		}
	}
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

// A histogram without NaN or infinite bounds is not far from itself, and the
// distance is symmetric and at most 1.
func TestTFDVLaws(t *testing.T) {
	bucket := rapid.Custom(func(t *rapid.T) compat.TFDVBucket {
		lo := float64(rapid.IntRange(-5, 5).Draw(t, "low"))
		return compat.TFDVBucket{Low: lo, High: lo + float64(rapid.IntRange(0, 3).Draw(t, "width")), Count: float64(rapid.IntRange(1, 9).Draw(t, "count"))}
	})
	histogram := rapid.Custom(func(t *rapid.T) compat.TFDVHistogram {
		return compat.TFDVHistogram{Buckets: rapid.SliceOfN(bucket, 1, 6).Draw(t, "buckets")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := histogram.Draw(t, "a"), histogram.Draw(t, "b")
		ab, err := compat.TFDVJensenShannon(a, b)
		ba, err2 := compat.TFDVJensenShannon(b, a)
		self, err3 := compat.TFDVJensenShannon(a, a)
		if err != nil || err2 != nil || err3 != nil {
			t.Fatal(err, err2, err3)
		}
		if ab < 0 || ab > 1 || math.Abs(ab-ba) > 1e-12 || self > 1e-12 {
			t.Errorf("distances %v, %v, and %v to itself", ab, ba, self)
		}
	})
}
