package calibration

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// ScoreTestResult is the one-pass test of weak calibration.
type ScoreTestResult struct {
	N                    uint64
	ChiSq                float64 // chi-square with 2 degrees of freedom under the null
	P                    float64
	LogP                 float64        // log of P
	Intercept, Slope     stats.Interval // one-step estimates; 0 and 1 for a calibrated model
	InterceptSE, SlopeSE float64        // under the null
	Method               string
	Warnings             []stats.Warning // binned, excluded_values, degenerate, clipped, small_sample
}

// ScoreTest tests weak calibration: that in logit P(y=1) = a + b L, with L the log
// odds of the score, the intercept a is 0 and the slope b is 1. A slope below 1
// means scores that are too extreme, above 1 too timid.
//
// It is Rao's score test of the logistic recalibration model, which needs no
// iteration and no second pass:
//
//	U = (Y - P1, G1),  I = [[W0, W1], [W1, W2]],  ChiSq = U' I^-1 U,  (a, b) = (0, 1) + I^-1 U
//
// (a, b) is one Newton step from the null towards the estimate of [Cox]: good when
// the model is nearly calibrated, and too short when it is far off. The intervals
// use I^-1 at the null.
//
// Null: calibrated scores, rows independent. L is clipped at 2^-20 from 0 and 1,
// which leaves the null distribution as it is; rows beyond are counted and give
// the warning "clipped". Fewer than 5 positive or negative labels expected give
// "small_sample".
//
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] when the slope is not
// identified (all scores equal, or all 0 and 1) or level is outside (0,1).
// Cost: constant.
//
// References: Cox (1958), Two further applications of a model for binary
// regression, Biometrika 45, 562-565; Rao (1948), Proceedings of the Cambridge
// Philosophical Society 44, 50-57; Van Calster et al. (2016), A calibration
// hierarchy for risk models, Journal of Clinical Epidemiology 74, 167-176.
func ScoreTest(s Sums, level float64) (ScoreTestResult, error) {
	const fn = "ScoreTest"
	if err := s.check(fn); err != nil {
		return ScoreTestResult{}, err
	}
	if err := stats.CheckLevel(level); err != nil {
		return ScoreTestResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	w02, w11 := float64(s.W0*s.W2), float64(s.W1*s.W1)
	det := w02 - w11
	if noise := 1e-13*w02 + s.W0*s.Err.W2 + 2*math.Abs(s.W1)*s.Err.W1; !(det > 2*noise) {
		return ScoreTestResult{}, fmt.Errorf("calibration: %s: the scores of %d rows do not differ enough to identify a slope: %w", fn, s.N, stats.ErrDomain)
	}
	u0, u1 := float64(s.Y)-s.P1, s.G1
	a := (float64(s.W2*u0) - float64(s.W1*u1)) / det
	b := (float64(s.W0*u1) - float64(s.W1*u0)) / det
	r := ScoreTestResult{
		N:           s.N,
		ChiSq:       max(0, float64(u0*a)+float64(u1*b)),
		InterceptSE: math.Sqrt(s.W2 / det),
		SlopeSE:     math.Sqrt(s.W0 / det),
		Method:      "score test of intercept 0 and slope 1",
		Warnings:    s.warnings(),
	}
	r.Intercept = normalInterval(a, r.InterceptSE, level)
	r.Slope = normalInterval(1+b, r.SlopeSE, level)
	var err error
	if r.P, r.LogP, err = chiSquareP(r.ChiSq, 2); err != nil {
		return ScoreTestResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	if s.Clipped > 0 {
		r.Warnings = append(r.Warnings, warn(stats.WarnClipped, fmt.Sprintf("%d of %d scores are within 2^-20 of 0 or 1", s.Clipped, s.N)))
	}
	if n := float64(s.N); min(s.P1, n-s.P1) < smallCount {
		r.Warnings = append(r.Warnings, warn(stats.WarnSmallSample, fmt.Sprintf("%.3g of %d rows expected positive", s.P1, s.N)))
	}
	return r, nil
}
