package calibration

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/rampguard/rampguard/stats"
)

// twoSidedZ is the normal quantile that leaves (1-level)/2 above it.
func twoSidedZ(level float64) float64 { return -mathext.NormalQuantile((1 - level) / 2) }

// normalInterval is point -+ z se.
func normalInterval(point, se, level float64) stats.Interval {
	h := twoSidedZ(level) * se
	return stats.Interval{Point: point, Lo: point - h, Hi: point + h, Level: level}
}

// twoSidedP returns the two-sided normal p-value of z and its log.
func twoSidedP(z float64) (p, logP float64) {
	logP = min(0, math.Ln2+stats.LogNormalTail(math.Abs(z)))
	return math.Exp(logP), logP
}

// standardise returns d divided by the root of its variance. Without variance, z
// is 0 when d is 0 as well, and infinite otherwise.
func standardise(d, variance float64) float64 {
	switch {
	case variance > 0:
		return d / math.Sqrt(variance)
	case d == 0:
		return 0
	}
	return math.Inf(int(math.Copysign(1, d)))
}

// chiSquareP returns P(X > x), for X chi-square with df degrees of freedom, and its
// log. x may be negative, or +Inf.
func chiSquareP(x, df float64) (p, logP float64, err error) {
	if math.IsInf(x, 1) {
		return 0, math.Inf(-1), nil
	}
	if logP, err = stats.LogChiSquareTail(max(x, 0), df); err != nil {
		return 0, 0, err
	}
	return math.Exp(logP), logP, nil
}
