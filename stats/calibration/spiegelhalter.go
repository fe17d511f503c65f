package calibration

import (
	"fmt"

	"github.com/rampguard/rampguard/stats"
)

// ZResult is a test whose statistic is standard normal under the null.
type ZResult struct {
	N        uint64
	Z        float64
	P        float64 // two-sided
	LogP     float64 // its log
	Method   string
	Warnings []stats.Warning // binned, excluded_values, degenerate, small_sample
}

// Spiegelhalter tests whether the Brier score is what the scores themselves
// announce:
//
//	Z = sum (y-p)(1-2p) / sqrt(sum p(1-p)(1-2p)^2)
//
// from Y - 2 PY - P1 + 2 P2 and P1 - 5 P2 + 8 P3 - 4 P4. Z > 0 means a worse Brier
// score than announced, as from over-confident scores; Z < 0 a better one.
//
// Null: calibrated scores, rows independent; Z has mean 0 and variance 1 exactly
// and is close to normal when many rows contribute. Labels of scores at 1/2 say
// nothing here, and deviations that leave the Brier score as it was pass unseen.
//
// Special cases: when all scores are 0, 1/2 or 1, Z is 0 with P = 1 if no label
// contradicts a score of 0 or 1, else infinite with P = 0; the warning is
// "degenerate". Fewer than 5 positive or negative labels expected give the warning
// "small_sample".
//
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] when scores are so near 0,
// 1/2 or 1 that the variance is lost in the rounding of the sums. Cost: constant.
//
// Reference: Spiegelhalter (1986), Probabilistic prediction in patient management
// and clinical trials, Statistics in Medicine 5, 421-433.
func Spiegelhalter(s Sums) (ZResult, error) {
	const fn = "Spiegelhalter"
	if err := s.check(fn); err != nil {
		return ZResult{}, err
	}
	n, y := float64(s.N), float64(s.Y)
	num := (y - s.P1) - 2*(s.PY-s.P2)
	variance := (s.P1 - s.P2) - 4*(s.P2-s.P3) + 4*(s.P3-s.P4)
	if noise := 0x1p-36*s.P1 + 8*s.Err.P3 + 4*s.Err.P4; variance != 0 && variance < noise {
		return ZResult{}, fmt.Errorf("calibration: %s: variance %v, of sums near %v: %w", fn, variance, s.P1, stats.ErrDomain)
	}
	r := ZResult{N: s.N, Z: standardise(num, variance), Method: "Spiegelhalter's Z", Warnings: s.warnings()}
	r.P, r.LogP = twoSidedP(r.Z)
	switch {
	case variance == 0:
		r.Warnings = append(r.Warnings, warn(stats.WarnDegenerate, "all scores are 0, 1/2 or 1"))
	case min(s.P1, n-s.P1) < smallCount:
		r.Warnings = append(r.Warnings, warn(stats.WarnSmallSample, fmt.Sprintf("%.3g of %d rows expected positive", s.P1, s.N)))
	}
	return r, nil
}
