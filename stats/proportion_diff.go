package stats

import (
	"fmt"
	"math"
)

// ProportionComparison compares the success probabilities of two independent
// samples: the first minus the second, or the first over the second.
type ProportionComparison struct {
	Estimate Interval  // of p1-p2, or of p1/p2 for the ratios
	X1, N1   uint64    // successes and trials of the first sample
	X2, N2   uint64    // successes and trials of the second sample
	Method   string    // which interval
	Warnings []Warning // clipped
}

// Newcombe returns the hybrid score interval for p1-p2.
//
// With d = x1/n1 - x2/n2 and (l,u) the Wilson intervals of the two samples, the
// ends are d - sqrt((p1-l1)^2+(u2-p2)^2) and d + sqrt((u1-p1)^2+(p2-l2)^2). They
// stay in [-1,1], and do not degenerate when both samples are all successes or
// all failures. Coverage is near level on average.
//
// Errors: [ErrEmpty] for n1 = 0 or n2 = 0; [ErrDomain] for x > n or level outside
// (0,1). Cost: constant.
//
// Reference: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
func Newcombe(x1, n1, x2, n2 uint64, level float64) (ProportionComparison, error) {
	if err := checkTwoProportions("Newcombe", x1, n1, x2, n2, level); err != nil {
		return ProportionComparison{}, err
	}
	z := twoSidedZ(level)
	l1, u1 := wilsonBounds(x1, n1, z)
	l2, u2 := wilsonBounds(x2, n2, z)
	p1, p2 := float64(x1)/float64(n1), float64(x2)/float64(n2)
	d := p1 - p2
	return ProportionComparison{
		Estimate: Interval{d, d - math.Hypot(p1-l1, u2-p2), d + math.Hypot(u1-p1, p2-l2), level},
		X1:       x1, N1: n1, X2: x2, N2: n2,
		Method: "Newcombe hybrid score difference",
	}, nil
}

// AgrestiCaffo returns the adjusted Wald interval for p1-p2: one success and one
// failure are added to each sample, then the normal interval is taken.
//
// Point is the plain difference x1/n1 - x2/n2; the interval is centred at the
// adjusted one. It is simple and mostly conservative.
//
// Special cases: an end beyond -1 or 1 is clipped, with the warning clipped.
// Errors: [ErrEmpty] for n1 = 0 or n2 = 0; [ErrDomain] for x > n or level outside
// (0,1). Cost: constant.
//
// Reference: Agresti & Caffo (2000), The American Statistician 54, 280-288.
func AgrestiCaffo(x1, n1, x2, n2 uint64, level float64) (ProportionComparison, error) {
	if err := checkTwoProportions("AgrestiCaffo", x1, n1, x2, n2, level); err != nil {
		return ProportionComparison{}, err
	}
	m1, m2 := float64(n1)+2, float64(n2)+2
	p1, p2 := (float64(x1)+1)/m1, (float64(x2)+1)/m2
	half := float64(twoSidedZ(level) * math.Sqrt(float64(p1*(1-p1)/m1)+float64(p2*(1-p2)/m2)))
	lo, hi := p1-p2-half, p1-p2+half
	r := ProportionComparison{
		Estimate: Interval{float64(x1)/float64(n1) - float64(x2)/float64(n2), max(-1, lo), min(1, hi), level},
		X1:       x1, N1: n1, X2: x2, N2: n2,
		Method: "Agresti-Caffo difference",
	}
	if lo < -1 || hi > 1 {
		r.Warnings = []Warning{{WarnClipped, fmt.Sprintf("the interval [%.4g, %.4g] was clipped to [-1, 1]", lo, hi)}}
	}
	return r, nil
}

// RiskRatio returns the ratio p1/p2 with Katz's log-normal interval.
//
// With r = (x1/n1)/(x2/n2), the ends are r exp(-+ z s) with
// s^2 = 1/x1 - 1/n1 + 1/x2 - 1/n2. It needs events on both sides and is poor when
// they are few; [ScoreRatio] works always.
//
// Errors: [ErrEmpty] for n1 = 0 or n2 = 0, or x1 = 0 or x2 = 0, where the variance
// of the log does not exist; [ErrDomain] for x > n or level outside (0,1).
// Cost: constant.
//
// Reference: Katz, Baptista, Azen & Pike (1978), Biometrics 34, 469-474.
func RiskRatio(x1, n1, x2, n2 uint64, level float64) (ProportionComparison, error) {
	const fn = "RiskRatio"
	if err := checkTwoProportions(fn, x1, n1, x2, n2, level); err != nil {
		return ProportionComparison{}, err
	}
	if x1 == 0 || x2 == 0 {
		return ProportionComparison{}, fmt.Errorf("stats: %s: %d and %d successes: %w", fn, x1, x2, ErrEmpty)
	}
	r := float64(x1) / float64(n1) / (float64(x2) / float64(n2))
	// 1/x - 1/n = (n-x)/(x n), which does not cancel.
	v := float64(n1-x1)/float64(x1)/float64(n1) + float64(n2-x2)/float64(x2)/float64(n2)
	half := twoSidedZ(level) * math.Sqrt(v)
	return ProportionComparison{
		Estimate: Interval{r, r * math.Exp(-half), r * math.Exp(half), level},
		X1:       x1, N1: n1, X2: x2, N2: n2,
		Method: "Katz log risk ratio",
	}, nil
}

func checkTwoProportions(fn string, x1, n1, x2, n2 uint64, level float64) error {
	if err := checkTrials(fn, x1, n1); err != nil {
		return err
	}
	return checkProportion(fn, x2, n2, level)
}
