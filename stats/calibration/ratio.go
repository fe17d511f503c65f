package calibration

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// RatioResult says how the number of positive labels compares with the number
// that the scores announce.
type RatioResult struct {
	N        uint64         // labelled rows
	Observed uint64         // rows with a positive label
	Expected float64        // sum of the scores
	Ratio    stats.Interval // Observed / Expected
	LogSE    float64        // standard error of log(Observed/Expected) over rows; +Inf when Observed is 0
	Z        float64        // (Observed - Expected) / sqrt(sum p(1-p))
	P        float64        // two-sided, from the normal distribution
	LogP     float64        // its log
	Method   string
	Warnings []stats.Warning // binned, excluded_values, degenerate, small_sample
}

// ObservedExpected estimates calibration in the large: the ratio of observed to
// expected positive labels, O/E, which is 1 for a calibrated model.
//
// E is the sum of the scores and is taken as fixed. The interval is
// Clopper-Pearson's for O of N rows, divided by E/N. Given the scores, O is a sum
// of trials with unequal probabilities, whose tails are lighter than those of a
// binomial with the same mean (Hoeffding 1956); so coverage is at least level, and
// clearly above it when the scores are spread widely.
//
// Z is exact in mean and variance under calibration, row by row, and the sharper
// tool for a test. LogSE is the standard error of log(O/E) when rows are a random
// sample, sqrt(1/O - 2 PY/(O E) + P2/E^2), by the delta method; it supposes nothing
// about calibration. A model can have O/E = 1 and be badly over-confident: see
// [ScoreTest].
//
// Special cases: O = 0 has Point and Lo 0 and LogSE +Inf. When all scores are 0 or
// 1, Z is 0 with P = 1 if O = E, else infinite with P = 0; the warning is
// "degenerate". Fewer than 5 positive or negative labels expected give the warning
// "small_sample": then Z is rough.
//
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] when E is 0 or level is
// outside (0,1). Cost: about 20 sqrt(N) steps.
//
// References: Debray et al. (2017), A guide to systematic review and meta-analysis
// of prediction model performance, BMJ 356; Hoeffding (1956), Annals of
// Mathematical Statistics 27, 713-721.
func ObservedExpected(s Sums, level float64) (RatioResult, error) {
	const fn = "ObservedExpected"
	if err := s.check(fn); err != nil {
		return RatioResult{}, err
	}
	if s.P1 == 0 {
		return RatioResult{}, fmt.Errorf("calibration: %s: all %d scores are 0: %w", fn, s.N, stats.ErrDomain)
	}
	v, err := stats.ClopperPearson(s.Y, s.N, level)
	if err != nil {
		return RatioResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	n, o := float64(s.N), float64(s.Y)
	r := RatioResult{
		N: s.N, Observed: s.Y, Expected: s.P1,
		Ratio:    stats.Interval{Point: o / s.P1, Lo: v.Lo * (n / s.P1), Hi: v.Hi * (n / s.P1), Level: level},
		LogSE:    math.Inf(1),
		Z:        standardise(o-s.P1, s.W0),
		Method:   "observed/expected, Clopper-Pearson with E fixed",
		Warnings: s.warnings(),
	}
	if s.Y > 0 {
		r.LogSE = math.Sqrt(max(0, 1/o-2*(s.PY/o)/s.P1+s.P2/s.P1/s.P1))
	}
	r.P, r.LogP = twoSidedP(r.Z)
	switch {
	case s.W0 == 0:
		r.Warnings = append(r.Warnings, warn(stats.WarnDegenerate, "all scores are 0 or 1"))
	case min(s.P1, n-s.P1) < smallCount:
		r.Warnings = append(r.Warnings, warn(stats.WarnSmallSample, fmt.Sprintf("%.3g of %d rows expected positive", s.P1, s.N)))
	}
	return r, nil
}

// smallCount is the expected count below which normal and chi-square
// approximations get a warning.
const smallCount = 5
