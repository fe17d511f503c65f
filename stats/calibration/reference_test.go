package calibration_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/rampguard/rampguard/stats/calibration"
	"github.com/rampguard/rampguard/stats/statstest"
)

// reference holds the cases of testdata/reference/calibration.json and the data sets
// that they name.
type reference struct {
	statstest.Reference
	data map[string]calibration.Data
}

func loadReference(t *testing.T) reference {
	r := reference{statstest.Load(t, "calibration"), map[string]calibration.Data{}}
	for _, c := range r.ByFunc(t, "Data") {
		name := text(t, c.In, "data")
		if c.In["p"] != nil {
			r.data[name] = rows(t, statstest.Floats(t, c.In, "p"), statstest.Floats(t, c.In, "y"))
		} else {
			r.data[name] = levels(t, statstest.Floats(t, c.In, "levels"), statstest.Uints(t, c.In, "n"), statstest.Uints(t, c.In, "k"))
		}
	}
	return r
}

func text(t *testing.T, m map[string]json.RawMessage, key string) string {
	t.Helper()
	var s string
	statstest.Decode(t, m, key, &s)
	return s
}

// each calls f with the data, options and level of each case of a function.
func (r reference) each(t *testing.T, fn string, f func(t *testing.T, c statstest.Case, d calibration.Data)) {
	t.Run(fn, func(t *testing.T) {
		for _, c := range r.ByFunc(t, fn) {
			var d calibration.Data
			if c.In["data"] != nil {
				d = r.data[text(t, c.In, "data")]
			}
			f(t, c, d)
		}
	})
}

func binning(t *testing.T, c statstest.Case) calibration.Binning {
	b := calibration.Binning{Bins: int(statstest.Float(t, c.In, "bins"))}
	for b.Method.String() != text(t, c.In, "method") {
		b.Method++
	}
	return b
}

func rule(t *testing.T, c statstest.Case) calibration.Rule {
	if text(t, c.In, "rule") == calibration.Logarithmic.String() {
		return calibration.Logarithmic
	}
	return calibration.Quadratic
}

const level = 0.9 // of the intervals in the reference

func TestReferenceSums(t *testing.T) {
	r := loadReference(t)
	r.each(t, "Sums", func(t *testing.T, c statstest.Case, d calibration.Data) {
		s := d.Sums()
		near(t, c, map[string]float64{"n": float64(s.N), "y": float64(s.Y), "py": s.PY, "g1": s.G1})
		nearAll(t, c, "p", []float64{s.P1, s.P2, s.P3, s.P4})
		nearAll(t, c, "w", []float64{s.W0, s.W1, s.W2})
	})
	r.each(t, "ObservedExpected", func(t *testing.T, c statstest.Case, d calibration.Data) {
		got := must[calibration.RatioResult](t)(calibration.ObservedExpected(d.Sums(), level))
		near(t, c, map[string]float64{"point": got.Ratio.Point, "lo": got.Ratio.Lo, "hi": got.Ratio.Hi, "se": got.LogSE,
			"z": got.Z, "p": got.P, "logp": got.LogP})
	})
	r.each(t, "Spiegelhalter", func(t *testing.T, c statstest.Case, d calibration.Data) {
		got := must[calibration.ZResult](t)(calibration.Spiegelhalter(d.Sums()))
		near(t, c, map[string]float64{"z": got.Z, "p": got.P, "logp": got.LogP})
	})
	r.each(t, "ScoreTest", func(t *testing.T, c statstest.Case, d calibration.Data) {
		got := must[calibration.ScoreTestResult](t)(calibration.ScoreTest(d.Sums(), level))
		near(t, c, map[string]float64{"chisq": got.ChiSq, "p": got.P, "logp": got.LogP, "a": got.Intercept.Point, "b": got.Slope.Point,
			"a_lo": got.Intercept.Lo, "b_hi": got.Slope.Hi})
		nearAll(t, c, "se", []float64{got.InterceptSE, got.SlopeSE})
	})
	for fn, f := range map[string]func(calibration.Data, float64) (calibration.LossResult, error){"Brier": calibration.Brier, "LogLoss": calibration.LogLoss} {
		r.each(t, fn, func(t *testing.T, c statstest.Case, d calibration.Data) {
			got := must[calibration.LossResult](t)(f(d, level))
			near(t, c, map[string]float64{"mean": got.Mean.Point, "se": got.SE})
		})
	}
}

func TestReferenceBins(t *testing.T) {
	r := loadReference(t)
	r.each(t, "Reliability", func(t *testing.T, c statstest.Case, d calibration.Data) {
		var n, score, rate []float64
		for _, b := range must[[]calibration.Bin](t)(calibration.Reliability(d, binning(t, c))) {
			n, score, rate = append(n, float64(b.N)), append(score, b.Score), append(rate, b.Rate)
			if !(b.Lo <= b.Score && b.Score <= b.Hi) {
				t.Errorf("%s: mean score %v of bin [%v, %v]", c.Name, b.Score, b.Lo, b.Hi)
			}
		}
		nearAll(t, c, "n", n)
		nearAll(t, c, "score", score)
		nearAll(t, c, "rate", rate)
	})
	r.each(t, "ECE", func(t *testing.T, c statstest.Case, d calibration.Data) {
		got := must[calibration.BinnedResult](t)(calibration.ECE(d, binning(t, c)))
		near(t, c, map[string]float64{"ece": got.ECE, "rms": got.RMS, "mce": got.MCE, "ace": got.ACE})
	})
	r.each(t, "NullECE", func(t *testing.T, c statstest.Case, d calibration.Data) {
		near(t, c, map[string]float64{"null": must[calibration.BinnedResult](t)(calibration.ECE(d, binning(t, c))).NullECE})
	})
	r.each(t, "Null95", func(t *testing.T, c statstest.Case, d calibration.Data) {
		near(t, c, map[string]float64{"null95": must[calibration.BinnedResult](t)(calibration.ECE(d, binning(t, c))).Null95})
	})
	r.each(t, "Sweep", func(t *testing.T, c statstest.Case, d calibration.Data) {
		got := must[calibration.BinnedResult](t)(calibration.Sweep(d))
		near(t, c, map[string]float64{"bins": float64(got.Binning.Bins), "ece": got.ECE})
	})
	r.each(t, "Murphy", func(t *testing.T, c statstest.Case, d calibration.Data) {
		got := must[calibration.MurphyResult](t)(calibration.Murphy(d, binning(t, c)))
		near(t, c, map[string]float64{"brier": got.Brier, "rel": got.Plain.Reliability, "res": got.Plain.Resolution, "unc": got.Plain.Uncertainty,
			"wbv": got.WithinVariance, "wbc": got.WithinCovariance})
		if c.Want["rel_c"] != nil {
			near(t, c, map[string]float64{"rel_c": got.Corrected.Reliability, "res_c": got.Corrected.Resolution, "unc_c": got.Corrected.Uncertainty})
		}
	})
	r.each(t, "HosmerLemeshow", func(t *testing.T, c statstest.Case, d calibration.Data) {
		got := must[calibration.HosmerLemeshowResult](t)(calibration.HosmerLemeshow(d, calibration.HosmerLemeshowOptions{Binning: binning(t, c)}))
		near(t, c, map[string]float64{"chisq": got.ChiSq, "df": got.DF, "p": got.P, "logp": got.LogP})
	})
}

func TestReferenceDebiased(t *testing.T) {
	r := loadReference(t)
	r.each(t, "DebiasedError", func(t *testing.T, c statstest.Case, d calibration.Data) {
		got := must[calibration.DebiasedResult](t)(calibration.DebiasedError(d, binning(t, c), level))
		near(t, c, map[string]float64{"tcal": got.Squared.Point, "kumar": got.Kumar, "nullse": got.NullSE})
	})
	r.each(t, "DebiasedInterval", func(t *testing.T, c statstest.Case, d calibration.Data) {
		got := must[calibration.DebiasedResult](t)(calibration.DebiasedError(d, binning(t, c), level))
		near(t, c, map[string]float64{"lo": got.Squared.Lo, "hi": got.Squared.Hi, "se": got.SE})
	})
	r.each(t, "DebiasedNull", func(t *testing.T, c statstest.Case, _ calibration.Data) {
		p, b := statstest.Floats(t, c.In, "p"), calibration.Binning{Bins: int(statstest.Float(t, c.In, "bins"))}
		mean, square := 0.0, 0.0
		for bits := range 1 << len(p) { // every label vector with its probability
			y, prob := make([]bool, len(p)), 1.0
			for i := range p {
				if y[i] = bits>>i&1 == 1; y[i] {
					prob *= p[i]
				} else {
					prob *= 1 - p[i]
				}
			}
			got := must[calibration.DebiasedResult](t)(calibration.DebiasedError(must[calibration.Data](t)(calibration.FromRows(p, y)), b, level))
			mean += prob * got.Squared.Point
			square += prob * got.Squared.Point * got.Squared.Point
			statstest.Near(t, "NullSE", got.NullSE, statstest.Float(t, c.Want, "se"), c.RTol, 0) // whatever the labels
		}
		near(t, c, map[string]float64{"mean": mean, "se": math.Sqrt(square)})
	})
}

func TestReferenceFits(t *testing.T) {
	r := loadReference(t)
	r.each(t, "Cox", func(t *testing.T, c statstest.Case, d calibration.Data) {
		got := must[calibration.CoxResult](t)(calibration.Cox(d, level))
		near(t, c, map[string]float64{"a": got.Intercept.Point, "b": got.Slope.Point, "b_lo": got.Slope.Lo, "a_hi": got.Intercept.Hi,
			"large": got.InTheLarge.Point, "large_se": got.InTheLargeSE, "ll": got.LogLikelihood, "ll0": got.LogLikelihood0, "u": got.U, "logp": got.LogP})
		nearAll(t, c, "se", []float64{got.InterceptSE, got.SlopeSE})
	})
	r.each(t, "Isotonic", func(t *testing.T, c statstest.Case, _ calibration.Data) {
		w := statstest.Floats(t, c.In, "w")
		if len(w) == 0 {
			w = nil
		}
		nearAll(t, c, "fit", must[[]float64](t)(calibration.Isotonic(statstest.Floats(t, c.In, "y"), w)))
	})
	r.each(t, "CORP", func(t *testing.T, c statstest.Case, d calibration.Data) {
		got := must[calibration.CORPResult](t)(calibration.CORP(d, rule(t, c)))
		near(t, c, map[string]float64{"score": got.Score, "mcb": got.MCB, "dsc": got.DSC, "unc": got.UNC})
	})
	r.each(t, "ICI", func(t *testing.T, c statstest.Case, d calibration.Data) {
		got := must[calibration.IndexResult](t)(calibration.ICI(d))
		near(t, c, map[string]float64{"ici": got.ICI, "e50": got.E50, "e90": got.E90, "emax": got.Emax})
	})
	r.each(t, "MCBTest", func(t *testing.T, c statstest.Case, _ calibration.Data) {
		d := rows(t, statstest.Floats(t, c.In, "p"), statstest.Floats(t, c.In, "y"))
		const replicates = 20000
		got := must[calibration.MCBTestResult](t)(calibration.MCBTest(d, calibration.ResampleOptions{Rule: rule(t, c), Replicates: replicates, Seed: 7}))
		near(t, c, map[string]float64{"mcb": got.MCB})
		p := statstest.Float(t, c.Want, "p")
		statstest.Near(t, c.Name+" p", got.P, p, 0, 3.3*math.Sqrt(p*(1-p)/replicates)) // 99.9%
		statstest.Near(t, c.Name+" null", got.NullMCB, statstest.Float(t, c.Want, "null"), 0.02, 0)
	})
}

func TestReferenceCompare(t *testing.T) {
	r := loadReference(t)
	side := func(t *testing.T, c statstest.Case, key string) calibration.Data { return r.data[text(t, c.In, key)] }
	ratio := func(t *testing.T, c statstest.Case) calibration.Difference {
		a := must[calibration.RatioResult](t)(calibration.ObservedExpected(side(t, c, "a").Sums(), level))
		b := must[calibration.RatioResult](t)(calibration.ObservedExpected(side(t, c, "b").Sums(), level))
		return must[calibration.Difference](t)(calibration.CompareRatio(a, b, level))
	}
	r.each(t, "CompareRatio", func(t *testing.T, c statstest.Case, _ calibration.Data) {
		got := ratio(t, c)
		near(t, c, map[string]float64{"point": got.Estimate.Point, "se": got.SE, "z": got.Z, "p": got.P, "logp": got.LogP})
	})
	r.each(t, "CompareRatioExact", func(t *testing.T, c statstest.Case, _ calibration.Data) {
		got := ratio(t, c)
		near(t, c, map[string]float64{"point": got.Estimate.Point, "lo": got.Estimate.Lo, "hi": got.Estimate.Hi, "p": got.P})
	})
	r.each(t, "CompareLoss", func(t *testing.T, c statstest.Case, _ calibration.Data) {
		f := calibration.Brier
		if rule(t, c) == calibration.Logarithmic {
			f = calibration.LogLoss
		}
		a := must[calibration.LossResult](t)(f(side(t, c, "a"), level))
		b := must[calibration.LossResult](t)(f(side(t, c, "b"), level))
		got := must[calibration.Difference](t)(calibration.CompareLoss(a, b, level))
		near(t, c, map[string]float64{"point": got.Estimate.Point, "lo": got.Estimate.Lo, "se": got.SE, "z": got.Z, "logp": got.LogP})
	})
	r.each(t, "AtCut", func(t *testing.T, c statstest.Case, d calibration.Data) {
		got := must[calibration.CutResult](t)(calibration.AtCut(d, statstest.Float(t, c.In, "cut"), calibration.CutOptions{Share: statstest.Float(t, c.In, "share")}))
		near(t, c, map[string]float64{"above": float64(got.Above), "n": float64(got.InBand.N), "o": float64(got.InBand.Observed),
			"e": got.InBand.Expected, "lo": got.Lo, "hi": got.Hi})
	})
}
