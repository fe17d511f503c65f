package calibration_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/calibration"
	"github.com/rampguard/rampguard/stats/statstest"
)

type fields = map[string]json.RawMessage

// golden is a case of testdata/cases/inference_cases.json.
type golden struct {
	ID, Area                    string
	Inputs, Expected, Tolerance fields
}

// covered says which test checks each case of the calibration area.
var covered = map[string]func(t *testing.T, g golden){
	"pav-busing":       goldenIsotonic,
	"corp-6":           goldenCORP,
	"corp-doc":         goldenCORPReal,
	"bias-doc":         goldenBias,
	"ece-discrete-lp":  goldenDistinct,
	"ece-equal-mass":   goldenMass,
	"equal-mass-edges": goldenEdges,
	"plugin-ce":        goldenPlugin,
	"ece-right-edge":   goldenRightEdge,
	"calcurve-sklearn": goldenCurve,
	"calratio-tfma":    goldenRatio,
	"c-calib-12":       goldenTwelve,
	"c-calib-100":      goldenHundred,
}

func TestGoldenCases(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(statstest.Root(t), "testdata", "cases", "inference_cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []golden }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, g := range file.Cases {
		if g.Area != "calibration" {
			continue
		}
		check, ok := covered[g.ID]
		if !ok {
			t.Errorf("case %s is not covered", g.ID)
			continue
		}
		seen++
		t.Run(g.ID, func(t *testing.T) { check(t, g) })
	}
	if seen != len(covered) {
		t.Errorf("%d cases found, %d covered", seen, len(covered))
	}
}

func into[T any](t *testing.T, m fields, key string) T {
	t.Helper()
	var v T
	statstest.Decode(t, m, key, &v)
	return v
}

// expect compares named numbers with m, under one tolerance.
func expect(t *testing.T, m fields, rtol, atol float64, got map[string]float64) {
	t.Helper()
	for key, v := range got {
		statstest.Near(t, key, v, statstest.Float(t, m, key), rtol, atol)
	}
}

func same(t *testing.T, what string, got, want []float64, atol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range got {
		statstest.Near(t, what, got[i], want[i], 0, atol)
	}
}

func goldenRows(t *testing.T, m fields) calibration.Data {
	t.Helper()
	return rows(t, statstest.Floats(t, m, "p"), statstest.Floats(t, m, "y"))
}

func ece(t *testing.T, d calibration.Data, b calibration.Binning) calibration.BinnedResult {
	t.Helper()
	return must[calibration.BinnedResult](t)(calibration.ECE(d, b))
}

func goldenIsotonic(t *testing.T, g golden) {
	fits := into[[][]float64](t, g.Expected, "fit")
	starts := into[[][]int](t, g.Expected, "block_starts")
	for i, y := range into[[][]float64](t, g.Inputs, "y") {
		fit := must[[]float64](t)(calibration.Isotonic(y, nil))
		same(t, "fit", fit, fits[i], 1e-12)
		blocks := []int{0}
		for j := 1; j <= len(fit); j++ {
			if j == len(fit) || fit[j] != fit[j-1] {
				blocks = append(blocks, j)
			}
		}
		if diff := cmp.Diff(starts[i], blocks); diff != "" {
			t.Errorf("blocks (-want +got):\n%s", diff)
		}
	}
	w := into[fields](t, g.Inputs, "weighted")
	fit := must[[]float64](t)(calibration.Isotonic(statstest.Floats(t, w, "y"), statstest.Floats(t, w, "w")))
	same(t, "weighted fit", fit, statstest.Floats(t, g.Expected, "weighted_fit"), 1e-12)
}

func goldenCORP(t *testing.T, g golden) {
	d := goldenRows(t, g.Inputs)
	for key, rule := range map[string]calibration.Rule{"brier": calibration.Quadratic, "log": calibration.Logarithmic} {
		r := must[calibration.CORPResult](t)(calibration.CORP(d, rule))
		atol := statstest.Float(t, into[fields](t, g.Tolerance, key), "abs")
		expect(t, into[fields](t, g.Expected, key), 0, atol, map[string]float64{"score": r.Score, "mcb": r.MCB, "dsc": r.DSC, "unc": r.UNC})
		var pav []float64
		for _, s := range r.Steps {
			for range s.N {
				pav = append(pav, s.Rate)
			}
		}
		same(t, "pav", pav, statstest.Floats(t, g.Expected, "pav"), 1e-12)
	}
}

// goldenCORPReal has predictions that are no probabilities: the decomposition is
// put together from Isotonic, with the tied predictions averaged.
func goldenCORPReal(t *testing.T, g golden) {
	if diff := cmp.Diff([]float64{-1, 1, 1, 2}, statstest.Floats(t, g.Inputs, "pred")); diff != "" {
		t.Fatal(diff)
	}
	y := statstest.Floats(t, g.Inputs, "y")
	fit := must[[]float64](t)(calibration.Isotonic([]float64{y[0], (y[1] + y[2]) / 2, y[3]}, []float64{1, 2, 1}))
	square := func(pred ...float64) (mean float64) {
		for i := range y {
			mean += (pred[i] - y[i]) * (pred[i] - y[i]) / float64(len(y))
		}
		return mean
	}
	score, recalibrated, constant := square(-1, 1, 1, 2), square(fit[0], fit[1], fit[1], fit[2]), square(0.5, 0.5, 0.5, 0.5)
	expect(t, g.Expected, 0, 1e-12, map[string]float64{"score": score, "mcb": score - recalibrated, "dsc": constant - recalibrated, "unc": constant})
}

// goldenBias also has predictions outside [0,1]; the test is the paired t-test.
func goldenBias(t *testing.T, g golden) {
	r := must[stats.TResult](t)(stats.PairedT(statstest.Floats(t, g.Inputs, "pred"), statstest.Floats(t, g.Inputs, "y"), stats.TOptions{}))
	expect(t, g.Expected, 0, 1e-6, map[string]float64{"bias": r.Difference.Point, "stderr": r.SE, "p": r.P})
}

// norm is the Lr calibration error of bins.
func norm(r float64, bins []calibration.Bin) float64 {
	n, sum := 0.0, 0.0
	for _, b := range bins {
		n += float64(b.N)
		sum += float64(b.N) * math.Pow(math.Abs(b.Score-b.Rate), r)
	}
	return math.Pow(sum/n, 1/r)
}

func goldenDistinct(t *testing.T, g golden) {
	d := goldenRows(t, g.Inputs)
	b := calibration.Binning{Method: calibration.Distinct}
	r := ece(t, d, b)
	same(t, "calibration errors", []float64{r.ECE, r.RMS, norm(3, r.Bins)}, statstest.Floats(t, g.Expected, "ce"), 1e-7)
	debiased := must[calibration.DebiasedResult](t)(calibration.DebiasedError(d, b, 0.95))
	expect(t, g.Expected, 0, 1e-7, map[string]float64{"debiased_l2_square_raw": debiased.Kumar})
}

func goldenMass(t *testing.T, g golden) {
	var got []float64
	for _, c := range into[[]fields](t, g.Inputs, "cases") {
		got = append(got, ece(t, goldenRows(t, c), calibration.Binning{Bins: into[int](t, c, "bins")}).ECE)
	}
	same(t, "ECE", got, statstest.Floats(t, g.Expected, "ece"), 1e-7)
}

func goldenEdges(t *testing.T, g golden) {
	want := into[[][]float64](t, g.Expected, "edges")
	for i, c := range into[[]fields](t, g.Inputs, "cases") {
		p := statstest.Floats(t, c, "p")
		var got []float64
		for _, b := range ece(t, rows(t, p, make([]float64, len(p))), calibration.Binning{Bins: into[int](t, c, "bins")}).Bins {
			got = append(got, b.Hi)
		}
		// Where ties reach across an edge the reference reports the tied score.
		if i == 1 {
			same(t, "edges", got, []float64{(0.3 + 0.5) / 2, (0.5 + 0.7) / 2, 1}, 1e-9)
			continue
		}
		same(t, "edges", got, want[i], 1e-9)
	}
}

func goldenPlugin(t *testing.T, g golden) {
	var p, y []float64
	for _, bin := range into[[][][]float64](t, g.Inputs, "bins") {
		p, y = append(p, bin[0][0]), append(y, bin[0][1])
	}
	r := ece(t, rows(t, p, y), calibration.Binning{Method: calibration.Distinct})
	same(t, "calibration errors", []float64{r.ECE, r.RMS}, statstest.Floats(t, g.Expected, "ce"), 1e-7)
}

func goldenRightEdge(t *testing.T, g golden) {
	r := ece(t, goldenRows(t, g.Inputs), calibration.Binning{Method: calibration.EqualWidth, Bins: into[int](t, g.Inputs, "bins")})
	expect(t, g.Expected, 0, 1e-6, map[string]float64{"ece_correct": r.ECE})
}

func goldenCurve(t *testing.T, g golden) {
	for key, method := range map[string]calibration.BinMethod{"uniform": calibration.EqualWidth, "quantile": calibration.EqualMass} {
		in, want := into[fields](t, g.Inputs, key), into[fields](t, g.Expected, key)
		var obs, pred []float64
		for _, b := range must[[]calibration.Bin](t)(calibration.Reliability(goldenRows(t, in), calibration.Binning{Method: method, Bins: into[int](t, in, "bins")})) {
			obs, pred = append(obs, b.Rate), append(pred, b.Score)
		}
		same(t, key+" observed", obs, statstest.Floats(t, want, "obs"), 1e-7)
		same(t, key+" predicted", pred, statstest.Floats(t, want, "pred"), 1e-7)
	}
}

// goldenRatio leaves the weighted half out: rows have no weights here.
func goldenRatio(t *testing.T, g golden) {
	r := must[calibration.RatioResult](t)(calibration.ObservedExpected(goldenRows(t, into[fields](t, g.Inputs, "unweighted")).Sums(), 0.95))
	n := float64(r.N)
	expect(t, into[fields](t, g.Expected, "unweighted"), 0, 1e-5,
		map[string]float64{"mean_label": float64(r.Observed) / n, "mean_pred": r.Expected / n, "ratio": 1 / r.Ratio.Point})
}

func goldenTwelve(t *testing.T, g golden) {
	d := goldenRows(t, g.Inputs)
	b := calibration.Binning{Method: calibration.EqualWidth, Bins: into[int](t, g.Inputs, "uniform_bins")}
	s := d.Sums()
	ratio := must[calibration.RatioResult](t)(calibration.ObservedExpected(s, 0.95))
	z := must[calibration.ZResult](t)(calibration.Spiegelhalter(s))
	score := must[calibration.ScoreTestResult](t)(calibration.ScoreTest(s, 0.95))
	cox := must[calibration.CoxResult](t)(calibration.Cox(d, 0.95))
	brier := must[calibration.LossResult](t)(calibration.Brier(d, 0.95))
	expect(t, g.Expected, 1e-6, 0, map[string]float64{
		"O": float64(ratio.Observed), "E": ratio.Expected, "brier": brier.Mean.Point, "citl_z": ratio.Z,
		"spiegelhalter_num": float64(s.Y) - 2*s.PY - s.P1 + 2*s.P2, "spiegelhalter_var": s.P1 - 5*s.P2 + 8*s.P3 - 4*s.P4,
		"spiegelhalter_z": z.Z, "score_chi2": score.ChiSq, "citl_intercept": cox.InTheLarge.Point, "lr_U_chi2": cox.U,
	})
	same(t, "one step", []float64{score.Intercept.Point, score.Slope.Point}, statstest.Floats(t, g.Expected, "onestep"), 1e-6)
	same(t, "Cox", []float64{cox.Intercept.Point, cox.Slope.Point}, statstest.Floats(t, g.Expected, "cox_intercept_slope"), 1e-6)
	same(t, "Cox errors", []float64{cox.InterceptSE, cox.SlopeSE}, statstest.Floats(t, g.Expected, "cox_se"), 1e-6)
	murphy := must[calibration.MurphyResult](t)(calibration.Murphy(d, b))
	errs := ece(t, d, b)
	expect(t, into[fields](t, g.Expected, "bins"), 1e-6, 0, map[string]float64{
		"ece": errs.ECE, "l2": errs.RMS,
		"debiased_l2_square": must[calibration.DebiasedResult](t)(calibration.DebiasedError(d, b, 0.95)).Kumar,
		"rel":                murphy.Plain.Reliability, "res": murphy.Plain.Resolution, "unc": murphy.Plain.Uncertainty,
		"wbv": murphy.WithinVariance, "wbc": murphy.WithinCovariance,
		"hl": must[calibration.HosmerLemeshowResult](t)(calibration.HosmerLemeshow(d, calibration.HosmerLemeshowOptions{Binning: b})).ChiSq,
	})
}

func goldenHundred(t *testing.T, g golden) {
	d := levels(t, statstest.Floats(t, g.Inputs, "levels"), statstest.Uints(t, g.Inputs, "n"), statstest.Uints(t, g.Inputs, "positives"))
	b := calibration.Binning{Method: calibration.Distinct}
	s := d.Sums()
	ratio := must[calibration.RatioResult](t)(calibration.ObservedExpected(s, 0.95))
	z := must[calibration.ZResult](t)(calibration.Spiegelhalter(s))
	score := must[calibration.ScoreTestResult](t)(calibration.ScoreTest(s, 0.95))
	cox := must[calibration.CoxResult](t)(calibration.Cox(d, 0.95))
	murphy := must[calibration.MurphyResult](t)(calibration.Murphy(d, b))
	errs := ece(t, d, b)
	debiased := must[calibration.DebiasedResult](t)(calibration.DebiasedError(d, b, 0.95))
	hl := must[calibration.HosmerLemeshowResult](t)(calibration.HosmerLemeshow(d, calibration.HosmerLemeshowOptions{Binning: b}))
	expect(t, g.Expected, 1e-6, 1e-13, map[string]float64{
		"brier": murphy.Brier, "ece": errs.ECE, "mce": errs.MCE, "l2": errs.RMS, "debiased_l2": math.Sqrt(debiased.Kumar),
		"rel": murphy.Plain.Reliability, "res": murphy.Plain.Resolution, "unc": murphy.Plain.Uncertainty,
		"rel_ff": murphy.Corrected.Reliability, "res_ff": murphy.Corrected.Resolution, "unc_ff": murphy.Corrected.Uncertainty,
		"hl": hl.ChiSq, "hl_p_df_g": hl.P, "spiegelhalter_z": z.Z, "citl_z": ratio.Z, "score_chi2": score.ChiSq, "lr_U_chi2": cox.U,
	})
	same(t, "Cox", []float64{cox.Intercept.Point, cox.Slope.Point}, statstest.Floats(t, g.Expected, "cox_intercept_slope"), 1e-6)
}
