package calibration_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/calibration"
	"github.com/rampguard/rampguard/stats/statstest"
	"github.com/rampguard/rampguard/stats/summary"
)

func failing[T any](_ T, err error) error { return err }

func TestErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	none := calibration.Data{}
	some := rows(t, []float64{0.2, 0.4, 0.6, 0.8}, []float64{0, 1, 0, 1})
	sums := some.Sums()
	badSums := func(change func(*calibration.Sums)) calibration.Sums {
		s := sums
		change(&s)
		return s
	}
	wrong := calibration.Binning{Method: 3}
	ratio := must[calibration.RatioResult](t)(calibration.ObservedExpected(sums, 0.9))
	brier := must[calibration.LossResult](t)(calibration.Brier(some, 0.9))
	logLoss := must[calibration.LossResult](t)(calibration.LogLoss(some, 0.9))
	silent := must[calibration.RatioResult](t)(calibration.ObservedExpected(rows(t, []float64{0.1}, []float64{0}).Sums(), 0.9))
	for _, tc := range []struct {
		name string
		err  error
		want error
	}{
		{"FromRows lengths", failing(calibration.FromRows([]float64{0.1}, nil)), stats.ErrMismatch},
		{"FromRows empty", failing(calibration.FromRows(nil, nil)), stats.ErrEmpty},
		{"FromRows NaN", failing(calibration.FromRows([]float64{nan}, []bool{true})), stats.ErrDomain},
		{"FromRows above 1", failing(calibration.FromRows([]float64{1.1}, []bool{true})), stats.ErrDomain},
		{"FromScores empty", failing(calibration.FromScores(new(summary.Scores))), stats.ErrEmpty},
		{"ObservedExpected empty", failing(calibration.ObservedExpected(calibration.Sums{}, 0.9)), stats.ErrEmpty},
		{"ObservedExpected level", failing(calibration.ObservedExpected(sums, 1)), stats.ErrDomain},
		{"ObservedExpected nothing expected", failing(calibration.ObservedExpected(rows(t, []float64{0}, []float64{1}).Sums(), 0.9)), stats.ErrDomain},
		{"ObservedExpected too many labels", failing(calibration.ObservedExpected(badSums(func(s *calibration.Sums) { s.Y = 5 }), 0.9)), stats.ErrDomain},
		{"ObservedExpected NaN sum", failing(calibration.ObservedExpected(badSums(func(s *calibration.Sums) { s.P1 = nan }), 0.9)), stats.ErrDomain},
		{"Spiegelhalter empty", failing(calibration.Spiegelhalter(calibration.Sums{})), stats.ErrEmpty},
		{"Spiegelhalter infinite sum", failing(calibration.Spiegelhalter(badSums(func(s *calibration.Sums) { s.G1 = inf }))), stats.ErrDomain},
		{"Spiegelhalter lost in rounding", failing(calibration.Spiegelhalter(rows(t, []float64{0.5, 0.5 + 1e-9}, []float64{0, 1}).Sums())), stats.ErrDomain},
		{"ScoreTest empty", failing(calibration.ScoreTest(calibration.Sums{}, 0.9)), stats.ErrEmpty},
		{"ScoreTest level", failing(calibration.ScoreTest(sums, nan)), stats.ErrDomain},
		{"ScoreTest one score", failing(calibration.ScoreTest(rows(t, []float64{0.3, 0.3}, []float64{0, 1}).Sums(), 0.9)), stats.ErrDomain},
		{"ScoreTest 0 and 1", failing(calibration.ScoreTest(rows(t, []float64{0, 1}, []float64{0, 1}).Sums(), 0.9)), stats.ErrDomain},
		{"Brier empty", failing(calibration.Brier(none, 0.9)), stats.ErrEmpty},
		{"LogLoss level", failing(calibration.LogLoss(some, 0)), stats.ErrDomain},
		{"Reliability empty", failing(calibration.Reliability(none, calibration.Binning{})), stats.ErrEmpty},
		{"Reliability binning", failing(calibration.Reliability(some, wrong)), stats.ErrDomain},
		{"ECE empty", failing(calibration.ECE(none, calibration.Binning{})), stats.ErrEmpty},
		{"ECE bins", failing(calibration.ECE(some, calibration.Binning{Bins: -1})), stats.ErrDomain},
		{"Sweep empty", failing(calibration.Sweep(none)), stats.ErrEmpty},
		{"DebiasedError empty", failing(calibration.DebiasedError(none, calibration.Binning{}, 0.9)), stats.ErrEmpty},
		{"DebiasedError level", failing(calibration.DebiasedError(some, calibration.Binning{Bins: 1}, 2)), stats.ErrDomain},
		{"DebiasedError single rows", failing(calibration.DebiasedError(some, calibration.Binning{}, 0.9)), stats.ErrDomain},
		{"Murphy empty", failing(calibration.Murphy(none, calibration.Binning{})), stats.ErrEmpty},
		{"HosmerLemeshow empty", failing(calibration.HosmerLemeshow(none, calibration.HosmerLemeshowOptions{})), stats.ErrEmpty},
		{"HosmerLemeshow binning", failing(calibration.HosmerLemeshow(some, calibration.HosmerLemeshowOptions{Binning: wrong})), stats.ErrDomain},
		{"HosmerLemeshow two groups in sample", failing(calibration.HosmerLemeshow(some, calibration.HosmerLemeshowOptions{Binning: calibration.Binning{Bins: 2}, InSample: true})), stats.ErrDomain},
		{"Cox empty", failing(calibration.Cox(none, 0.9)), stats.ErrEmpty},
		{"Cox level", failing(calibration.Cox(some, -1)), stats.ErrDomain},
		{"Cox one score", failing(calibration.Cox(rows(t, []float64{0.3, 0.3}, []float64{0, 1}), 0.9)), stats.ErrDomain},
		{"Cox one label", failing(calibration.Cox(rows(t, []float64{0.3, 0.4}, []float64{1, 1}), 0.9)), stats.ErrNoConvergence},
		{"Cox separated", failing(calibration.Cox(rows(t, []float64{0.1, 0.3, 0.4}, []float64{0, 0, 1}), 0.9)), stats.ErrNoConvergence},
		{"Cox separated but for a tie", failing(calibration.Cox(rows(t, []float64{0.1, 0.3, 0.3, 0.4}, []float64{0, 0, 1, 1}), 0.9)), stats.ErrNoConvergence},
		{"Cox separated the wrong way", failing(calibration.Cox(rows(t, []float64{0.1, 0.3, 0.4}, []float64{1, 1, 0}), 0.9)), stats.ErrNoConvergence},
		{"Isotonic empty", failing(calibration.Isotonic(nil, nil)), stats.ErrEmpty},
		{"Isotonic lengths", failing(calibration.Isotonic([]float64{1}, []float64{1, 2})), stats.ErrMismatch},
		{"Isotonic NaN", failing(calibration.Isotonic([]float64{nan}, nil)), stats.ErrDomain},
		{"Isotonic weight", failing(calibration.Isotonic([]float64{1}, []float64{0})), stats.ErrDomain},
		{"CORP empty", failing(calibration.CORP(none, calibration.Quadratic)), stats.ErrEmpty},
		{"CORP rule", failing(calibration.CORP(some, 2)), stats.ErrDomain},
		{"MCBTest empty", failing(calibration.MCBTest(none, calibration.ResampleOptions{})), stats.ErrEmpty},
		{"MCBTest replicates", failing(calibration.MCBTest(some, calibration.ResampleOptions{Replicates: 3})), stats.ErrDomain},
		{"MCBTest rule", failing(calibration.MCBTest(some, calibration.ResampleOptions{Rule: -1})), stats.ErrDomain},
		{"ICI empty", failing(calibration.ICI(none)), stats.ErrEmpty},
		{"AtCut empty", failing(calibration.AtCut(none, 0.5, calibration.CutOptions{})), stats.ErrEmpty},
		{"AtCut nothing above", failing(calibration.AtCut(some, 0.9, calibration.CutOptions{})), stats.ErrEmpty},
		{"AtCut NaN", failing(calibration.AtCut(some, nan, calibration.CutOptions{})), stats.ErrDomain},
		{"AtCut share", failing(calibration.AtCut(some, 0.5, calibration.CutOptions{Share: 1.5})), stats.ErrDomain},
		{"AtCut level", failing(calibration.AtCut(some, 0.5, calibration.CutOptions{Level: 1})), stats.ErrDomain},
		{"AtCut zeros", failing(calibration.AtCut(rows(t, []float64{0, 0}, []float64{0, 1}), 0, calibration.CutOptions{})), stats.ErrDomain},
		{"CompareRatio zero results", failing(calibration.CompareRatio(calibration.RatioResult{}, ratio, 0.9)), stats.ErrDomain},
		{"CompareRatio level", failing(calibration.CompareRatio(ratio, ratio, 0)), stats.ErrDomain},
		{"CompareRatio no labels", failing(calibration.CompareRatio(silent, silent, 0.9)), stats.ErrEmpty},
		{"CompareLoss two rules", failing(calibration.CompareLoss(brier, logLoss, 0.9)), stats.ErrMismatch},
		{"CompareLoss empty", failing(calibration.CompareLoss(brier, calibration.LossResult{}, 0.9)), stats.ErrEmpty},
		{"CompareLoss level", failing(calibration.CompareLoss(brier, brier, 1)), stats.ErrDomain},
		{"CompareMCB empty", failing(calibration.CompareMCB(some, none, calibration.ResampleOptions{})), stats.ErrEmpty},
		{"CompareMCB level", failing(calibration.CompareMCB(some, some, calibration.ResampleOptions{Level: 7})), stats.ErrDomain},
	} {
		if !errors.Is(tc.err, tc.want) {
			t.Errorf("%s: error %v, want one that wraps %q", tc.name, tc.err, tc.want)
			continue
		}
		fn, _, _ := strings.Cut(tc.name, " ")
		if !strings.HasPrefix(tc.err.Error(), "calibration: "+fn+": ") {
			t.Errorf("%s: error %q does not name the function", tc.name, tc.err)
		}
	}
}

// TestCertainScores: scores of 0 and 1 leave nothing to chance.
func TestCertainScores(t *testing.T) {
	for _, tc := range []struct {
		name string
		y    []float64
		z, p float64
	}{
		{"right", []float64{0, 0, 1, 1}, 0, 1},
		{"wrong", []float64{0, 1, 1, 1}, math.Inf(1), 0},
	} {
		d := rows(t, []float64{0, 0, 1, 1}, tc.y)
		s := d.Sums()
		ratio := must[calibration.RatioResult](t)(calibration.ObservedExpected(s, 0.95))
		z := must[calibration.ZResult](t)(calibration.Spiegelhalter(s))
		debiased := must[calibration.DebiasedResult](t)(calibration.DebiasedError(d, calibration.Binning{Bins: 2}, 0.95))
		hl := must[calibration.HosmerLemeshowResult](t)(calibration.HosmerLemeshow(d, calibration.HosmerLemeshowOptions{Binning: calibration.Binning{Bins: 2}}))
		got := []float64{ratio.Z, ratio.P, z.Z, z.P, debiased.P, hl.ChiSq, hl.P}
		if diff := cmp.Diff([]float64{tc.z, tc.p, tc.z, tc.p, tc.p, math.Abs(tc.z), tc.p}, got); diff != "" {
			t.Errorf("%s scores (-want +got):\n%s", tc.name, diff)
		}
		if !carries(ratio.Warnings, stats.WarnDegenerate) || !carries(z.Warnings, stats.WarnDegenerate) {
			t.Errorf("%s scores: warnings %v and %v", tc.name, ratio.Warnings, z.Warnings)
		}
		if s.Clipped != 4 {
			t.Errorf("%d clipped rows, want 4", s.Clipped)
		}
		mcb := must[calibration.MCBTestResult](t)(calibration.MCBTest(d, calibration.ResampleOptions{Replicates: 50}))
		if mcb.NullMCB != 0 || (mcb.P == 1) != (tc.p == 1) {
			t.Errorf("%s scores: %+v", tc.name, mcb)
		}
	}
}

func TestOneRow(t *testing.T) {
	d := rows(t, []float64{0.3}, []float64{1})
	brier := must[calibration.LossResult](t)(calibration.Brier(d, 0.95))
	if diff := cmp.Diff(stats.Interval{Point: 0.49, Lo: 0, Hi: 1, Level: 0.95}, brier.Mean, cmpopts.EquateApprox(1e-15, 0)); diff != "" || !math.IsInf(brier.SE, 1) {
		t.Errorf("Brier: %+v", brier)
	}
	logLoss := must[calibration.LossResult](t)(calibration.LogLoss(d, 0.95))
	if !math.IsInf(logLoss.Mean.Hi, 1) || !carries(logLoss.Warnings, stats.WarnSmallSample) {
		t.Errorf("LogLoss: %+v", logLoss)
	}
	diff := must[calibration.Difference](t)(calibration.CompareLoss(brier, brier, 0.95))
	if diff.P != 1 || !math.IsInf(diff.Estimate.Lo, -1) || !math.IsInf(diff.Estimate.Hi, 1) {
		t.Errorf("CompareLoss: %+v", diff)
	}
	murphy := must[calibration.MurphyResult](t)(calibration.Murphy(d, calibration.Binning{}))
	if murphy.Corrected != murphy.Plain {
		t.Errorf("Murphy: %+v", murphy)
	}
}

func TestOneClass(t *testing.T) {
	d := rows(t, []float64{0.1, 0.2, 0.3}, []float64{0, 0, 0})
	ratio := must[calibration.RatioResult](t)(calibration.ObservedExpected(d.Sums(), 0.95))
	if ratio.Ratio.Point != 0 || ratio.Ratio.Lo != 0 || !(ratio.Ratio.Hi > 1) || !math.IsInf(ratio.LogSE, 1) {
		t.Errorf("ObservedExpected: %+v", ratio)
	}
	corp := must[calibration.CORPResult](t)(calibration.CORP(d, calibration.Logarithmic))
	if corp.DSC != 0 || corp.UNC != 0 || corp.MCB != corp.Score || len(corp.Steps) != 1 {
		t.Errorf("CORP: %+v", corp)
	}
	if !carries(corp.Warnings, stats.WarnDegenerate) {
		t.Errorf("warnings %v", corp.Warnings)
	}
	if r := must[calibration.BinnedResult](t)(calibration.Sweep(d)); r.Binning.Bins != 3 { // rates of 0 never go down
		t.Errorf("Sweep: %+v", r)
	}
}

func TestExcludedRows(t *testing.T) {
	s := scoresOf(t, []float64{0.2, math.NaN(), 1.5, 0.7}, []bool{false, true, true, true})
	s.AddUnlabelled([]float64{0.1, 0.2})
	d := must[calibration.Data](t)(calibration.FromScores(s))
	if d.N() != 2 || d.Sums().Excluded != 2 {
		t.Errorf("%d rows, %d excluded, want 2 and 2", d.N(), d.Sums().Excluded)
	}
	if r := must[calibration.LossResult](t)(calibration.Brier(d, 0.9)); !carries(r.Warnings, stats.WarnExcluded) {
		t.Errorf("warnings %v", r.Warnings)
	}
	if r := must[calibration.ZResult](t)(calibration.Spiegelhalter(d.Sums())); !carries(r.Warnings, stats.WarnExcluded) {
		t.Errorf("warnings %v", r.Warnings)
	}
}

func TestBetweenEnds(t *testing.T) {
	nan := math.NaN()
	d := rows(t, []float64{0, 0.25, 0.5, 1}, []float64{0, 0, 1, 1})
	for _, tc := range []struct {
		lo, hi float64
		want   uint64
	}{
		{0, 1, 4}, {0, 0.25, 1}, {0.25, 0.5, 1}, {0.5, 1, 2}, {0.6, 1, 1}, {0.6, 0.9, 0}, {0.5, 0.5, 0}, {0.5, 0.2, 0}, {-1, 2, 4}, {nan, 1, 0}, {0, nan, 0},
	} {
		if got := d.Between(tc.lo, tc.hi).N(); got != tc.want {
			t.Errorf("Between(%v, %v) has %d rows, want %d", tc.lo, tc.hi, got, tc.want)
		}
	}
}

// TestWidthBinEdges: bins are closed below, and 1 belongs to the last.
func TestWidthBinEdges(t *testing.T) {
	for k := 1; k <= 300; k++ {
		for i := 0; i <= k; i++ {
			p := float64(i) / float64(k)
			b := must[[]calibration.Bin](t)(calibration.Reliability(rows(t, []float64{p}, []float64{1}), calibration.Binning{Method: calibration.EqualWidth, Bins: k}))
			if want := float64(min(i, k-1)) / float64(k); b[0].Lo != want {
				t.Fatalf("%d bins: score %v in the bin from %v, want %v", k, p, b[0].Lo, want)
			}
		}
	}
}

func TestNames(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{calibration.Binning{}.String(), "mass/15"},
		{calibration.Binning{Method: calibration.EqualWidth, Bins: 10}.String(), "width/10"},
		{calibration.Binning{Method: calibration.Distinct, Bins: 10}.String(), "distinct"},
		{calibration.BinMethod(9).String(), "BinMethod(9)"},
		{calibration.Quadratic.String(), "quadratic"},
		{calibration.Logarithmic.String(), "logarithmic"},
		{calibration.Rule(9).String(), "Rule(9)"},
	} {
		if tc.got != tc.want {
			t.Errorf("name %q, want %q", tc.got, tc.want)
		}
	}
	d := rows(t, []float64{0.2, 0.4, 0.6, 0.8}, []float64{0, 1, 0, 1})
	if r := must[calibration.BinnedResult](t)(calibration.ECE(d, calibration.Binning{})); r.Binning.Bins != 15 {
		t.Errorf("a result names %d bins, want 15", r.Binning.Bins)
	}
}

// TestTinyTails: a p-value that underflows is still known by its log.
func TestTinyTails(t *testing.T) {
	d := levels(t, []float64{0.1, 0.5}, []uint64{1e6, 1e6}, []uint64{2e5, 5e5})
	ratio := must[calibration.RatioResult](t)(calibration.ObservedExpected(d.Sums(), 0.95))
	score := must[calibration.ScoreTestResult](t)(calibration.ScoreTest(d.Sums(), 0.95))
	debiased := must[calibration.DebiasedResult](t)(calibration.DebiasedError(d, calibration.Binning{}, 0.95))
	for name, p := range map[string][2]float64{"ratio": {ratio.P, ratio.LogP}, "score": {score.P, score.LogP}, "debiased": {debiased.P, debiased.LogP}} {
		if p[0] != 0 || !(p[1] < -750) || math.IsInf(p[1], 0) {
			t.Errorf("%s: P %v, log %v", name, p[0], p[1])
		}
	}
	statstest.Near(t, "log p of the score test", score.LogP, -score.ChiSq/2, 1e-12, 0)
	// Near the smallest float64: z = 37 has p = 1.1e-299.
	n := uint64(1e6)
	k := n/2 + uint64(37*math.Sqrt(float64(n))/2)
	small := must[calibration.RatioResult](t)(calibration.ObservedExpected(levels(t, []float64{0.5}, []uint64{n}, []uint64{k}).Sums(), 0.95))
	statstest.Near(t, "p at z = 37", small.P, 1.14511424450491537e-299, 1e-12, 0)
}
