package calibration_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats/calibration"
	"github.com/rampguard/rampguard/stats/statstest"
)

// given makes the data of a case: rows, or levels of scores.
func given(t *testing.T, in map[string]json.RawMessage) calibration.Data {
	t.Helper()
	switch {
	case in["y"] != nil:
		return rows(t, statstest.Floats(t, in, "p"), statstest.Floats(t, in, "y"))
	case in["levels"] != nil:
		return levels(t, statstest.Floats(t, in, "levels"), whole(statstest.Floats(t, in, "n")), whole(statstest.Floats(t, in, "k")))
	}
	return levels(t, statstest.Floats(t, in, "p"), statstest.Uints(t, in, "n"), statstest.Uints(t, in, "k"))
}

func whole(xs []float64) []uint64 {
	out := make([]uint64, len(xs))
	for i, x := range xs {
		out[i] = uint64(x)
	}
	return out
}

// part reads one of two sides.
func part(t *testing.T, in map[string]json.RawMessage, key string) calibration.Data {
	t.Helper()
	var m map[string]json.RawMessage
	statstest.Decode(t, in, key, &m)
	return given(t, m)
}

// TestTailReference holds p-values, some of them below 1e-200, against sums and
// mpmath.
func TestTailReference(t *testing.T) {
	for _, file := range []string{"calibration_tails", "calibration_extremes"} {
		checkTails(t, reference{Reference: statstest.Load(t, file)})
	}
}

type numbers = map[string]float64

func checkTails(t *testing.T, ref reference) {
	distinct := calibration.Binning{Method: calibration.Distinct}
	for fn, f := range map[string]func(d calibration.Data) (got numbers, p float64){
		"ObservedExpected": func(d calibration.Data) (numbers, float64) {
			r := must[calibration.RatioResult](t)(calibration.ObservedExpected(d.Sums(), level))
			return numbers{"z": r.Z, "logp": r.LogP}, r.P
		},
		"Spiegelhalter": func(d calibration.Data) (numbers, float64) {
			r := must[calibration.ZResult](t)(calibration.Spiegelhalter(d.Sums()))
			return numbers{"z": r.Z, "logp": r.LogP}, r.P
		},
		"ScoreTest": func(d calibration.Data) (numbers, float64) {
			r := must[calibration.ScoreTestResult](t)(calibration.ScoreTest(d.Sums(), level))
			return numbers{"chisq": r.ChiSq, "logp": r.LogP}, r.P
		},
		"Cox": func(d calibration.Data) (numbers, float64) {
			r := must[calibration.CoxResult](t)(calibration.Cox(d, level))
			return numbers{"a": r.Intercept.Point, "b": r.Slope.Point, "u": r.U, "logp": r.LogP}, r.P
		},
		"HosmerLemeshow": func(d calibration.Data) (numbers, float64) {
			r := must[calibration.HosmerLemeshowResult](t)(calibration.HosmerLemeshow(d, calibration.HosmerLemeshowOptions{Binning: distinct}))
			return numbers{"chisq": r.ChiSq, "logp": r.LogP}, r.P
		},
		"DebiasedError": func(d calibration.Data) (numbers, float64) {
			r := must[calibration.DebiasedResult](t)(calibration.DebiasedError(d, distinct, level))
			return numbers{"tcal": r.Squared.Point, "nullse": r.NullSE, "logp": r.LogP}, r.P
		},
	} {
		ref.each(t, fn, func(t *testing.T, c statstest.Case, _ calibration.Data) {
			got, p := f(given(t, c.In))
			near(t, c, got)
			statstest.Near(t, c.Name+" P", p, math.Exp(got["logp"]), 1e-12, 0)
		})
	}
	ref.each(t, "FromScores", func(t *testing.T, c statstest.Case, _ calibration.Data) {
		s := given(t, c.In).Sums()
		near(t, c, numbers{"n": float64(s.N), "y": float64(s.Y), "p1": s.P1, "p2": s.P2, "w0": s.W0})
	})
	ref.each(t, "Data.Between", func(t *testing.T, c statstest.Case, _ calibration.Data) {
		s := given(t, c.In).Between(statstest.Float(t, c.In, "lo"), statstest.Float(t, c.In, "hi")).Sums()
		near(t, c, numbers{"n": float64(s.N), "y": float64(s.Y), "p1": s.P1})
	})
	difference := func(t *testing.T, c statstest.Case, r calibration.Difference) {
		for key, v := range map[string]float64{"point": r.Estimate.Point, "se": r.SE, "logp": r.LogP} {
			if c.Want[key] != nil {
				near(t, c, numbers{key: v})
			}
		}
		statstest.Near(t, c.Name+" P", r.P, math.Exp(r.LogP), 1e-12, 0)
	}
	ref.each(t, "CompareRatio", func(t *testing.T, c statstest.Case, _ calibration.Data) {
		a := must[calibration.RatioResult](t)(calibration.ObservedExpected(part(t, c.In, "a").Sums(), level))
		b := must[calibration.RatioResult](t)(calibration.ObservedExpected(part(t, c.In, "b").Sums(), level))
		difference(t, c, must[calibration.Difference](t)(calibration.CompareRatio(a, b, level)))
	})
	ref.each(t, "CompareLoss", func(t *testing.T, c statstest.Case, _ calibration.Data) {
		f := calibration.Brier
		if rule(t, c) == calibration.Logarithmic {
			f = calibration.LogLoss
		}
		a := must[calibration.LossResult](t)(f(part(t, c.In, "a"), level))
		b := must[calibration.LossResult](t)(f(part(t, c.In, "b"), level))
		difference(t, c, must[calibration.Difference](t)(calibration.CompareLoss(a, b, level)))
	})
}

// TestResampleReference holds what is drawn at random against isotonic fits of
// scikit-learn and draws of NumPy, or every label vector there is.
func TestResampleReference(t *testing.T) {
	ref := reference{Reference: statstest.Load(t, "calibration_mcb")}
	options := func(t *testing.T, c statstest.Case) calibration.ResampleOptions {
		return calibration.ResampleOptions{Rule: rule(t, c), Replicates: int(statstest.Float(t, c.In, "replicates")), Seed: 5, Level: level}
	}
	// drawn compares a number with what stands under key, within key_tolerance.
	drawn := func(t *testing.T, c statstest.Case, key string, got float64) {
		t.Helper()
		statstest.Near(t, c.Name+" "+key, got, statstest.Float(t, c.Want, key), 0, statstest.Float(t, c.Want, key+"_tolerance"))
	}
	ref.each(t, "MCBTest", func(t *testing.T, c statstest.Case, _ calibration.Data) {
		r := must[calibration.MCBTestResult](t)(calibration.MCBTest(given(t, c.In), options(t, c)))
		near(t, c, map[string]float64{"mcb": r.MCB})
		drawn(t, c, "null", r.NullMCB)
		drawn(t, c, "p", r.P)
		if c.Want["null95"] != nil {
			drawn(t, c, "null95", r.Null95)
		}
	})
	const z = 1.6448536269514722 // of level 0.9
	ref.each(t, "CompareMCB", func(t *testing.T, c statstest.Case, _ calibration.Data) {
		r := must[calibration.Difference](t)(calibration.CompareMCB(part(t, c.In, "candidate"), part(t, c.In, "baseline"), options(t, c)))
		drawn(t, c, "point", r.Estimate.Point)
		drawn(t, c, "se", r.SE)
		statstest.Near(t, c.Name+" lo", r.Estimate.Lo, r.Estimate.Point-z*r.SE, 1e-13, 1e-15)
		statstest.Near(t, c.Name+" hi", r.Estimate.Hi, r.Estimate.Point+z*r.SE, 1e-13, 1e-15)
		statstest.Near(t, c.Name+" z", r.Z, r.Estimate.Point/r.SE, 1e-13, 0)
		statstest.Near(t, c.Name+" p", r.P, math.Erfc(math.Abs(r.Z)/math.Sqrt2), 1e-12, 0)
	})
}
