package stats

import (
	"fmt"
	"math"
	"slices"
)

// WarnUnstableRatio says that the denominator of a ratio or of a relative
// difference is not clearly away from 0; read the absolute difference instead.
const WarnUnstableRatio = "unstable_ratio"

// RatioMoments is what the delta method needs to know of one arm of a metric
// sum(num)/sum(den) whose unit of randomisation contributes a num and a den:
// clicks and views per user, say. It can be computed from values by
// [RatioMomentsOf] or from merged sums. A mean per unit is the case in which
// every den is 1.
type RatioMoments struct {
	Units            uint64  // independent units, not rows
	MeanNum, MeanDen float64 // per unit
	VarNum, VarDen   float64 // with divisor Units-1
	Cov              float64 // of num and den, with the same divisor
}

// RatioMomentsOf returns the moments of per-unit sums, one element per unit.
//
// Errors: [ErrEmpty] without units, [ErrMismatch] for slices of unequal length,
// [ErrDomain] for a value that is not finite. Cost: linear.
//
// Reference: Deng, Knoblich and Lu, Applying the delta method in metric
// analytics, KDD (2018).
func RatioMomentsOf(num, den []float64) (RatioMoments, error) {
	const name = "RatioMomentsOf"
	if len(num) != len(den) {
		return RatioMoments{}, fmt.Errorf("stats: %s: %d numerators and %d denominators: %w", name, len(num), len(den), ErrMismatch)
	}
	a, err := MomentsOf(num)
	if err != nil {
		return RatioMoments{}, fmt.Errorf("stats: %s: numerators: %w", name, err)
	}
	b, err := MomentsOf(den)
	if err != nil {
		return RatioMoments{}, fmt.Errorf("stats: %s: denominators: %w", name, err)
	}
	m := RatioMoments{Units: a.N, MeanNum: a.Mean, MeanDen: b.Mean, VarNum: a.Variance, VarDen: b.Variance}
	if a.N > 1 {
		for i := range num {
			m.Cov += float64((num[i] - a.Mean) * (den[i] - b.Mean))
		}
		m.Cov /= float64(a.N - 1)
	}
	return m, nil
}

// RatioResult is a ratio metric with its interval.
type RatioResult struct {
	Estimate Interval
	SE       float64
	DF       float64 // Units - 1
	Units    uint64
	Method   string
	Warnings []Warning // unstable_ratio, degenerate
}

// Ratio estimates sum(num)/sum(den) with an interval that respects that rows of
// one unit belong together.
//
//	R = mean(num)/mean(den)
//	Var R = (Var num - 2 R Cov + R^2 Var den) / (Units mean(den)^2)
//
// the delta method; the interval is R ± t SE with Units-1 degrees of freedom.
//
// Assumptions: independent units, enough of them that mean(den) is well away
// from 0 (else "unstable_ratio": its own interval holds 0).
//
// Errors: [ErrDomain] for fewer than 2 units, a mean denominator of 0, moments
// that cannot be, or an impossible level. Cost: about sqrt(Units) steps.
//
// Reference: Deng, Knoblich and Lu, Applying the delta method in metric
// analytics, KDD (2018).
func Ratio(m RatioMoments, level float64) (RatioResult, error) {
	const name = "Ratio"
	if err := CheckLevel(level); err != nil {
		return RatioResult{}, fmt.Errorf("stats: %s: %w", name, err)
	}
	if err := m.check(name); err != nil {
		return RatioResult{}, err
	}
	v := m.variance()
	r := RatioResult{SE: math.Sqrt(v), DF: float64(m.Units - 1), Units: m.Units, Method: "ratio of means, delta method"}
	t, err := studentQuantile((1-level)/2, r.DF)
	if err != nil {
		return RatioResult{}, fmt.Errorf("stats: %s: %w", name, err)
	}
	p, half := m.value(), t*r.SE
	r.Estimate = Interval{p, p - half, p + half, level}
	if math.Abs(m.MeanDen) <= t*math.Sqrt(m.VarDen/float64(m.Units)) {
		r.Warnings = append(r.Warnings, Warning{WarnUnstableRatio, "the mean denominator is not clearly away from 0"})
	}
	if v == 0 {
		r.Warnings = append(r.Warnings, Warning{WarnDegenerate, "no variation between units: the noise cannot be judged"})
	}
	return r, nil
}

// RatioComparison compares a ratio metric between two arms.
type RatioComparison struct {
	Difference  Interval // absolute or relative, as Method says; one-sided when Alternative is
	SE          float64
	T           float64 // (difference - Null) / SE; ±Inf when SE is 0
	DF          float64 // by Welch and Satterthwaite
	P           float64
	LogP        float64 // log of P, finite when P underflows to 0
	X, Y        RatioMoments
	Null        float64
	Alternative Alternative
	Method      string
	Warnings    []Warning // unstable_ratio, degenerate
}

// RatioDifference compares Rx = sum(num)/sum(den) of x with that of y:
//
//	D = Rx - Ry,  SE^2 = Vx + Vy,  T = (D - Null)/SE
//
// with V the variances of [Ratio], and P from Student's distribution with the
// degrees of freedom of Welch and Satterthwaite for D. With every den equal to 1 it is
// [WelchT].
//
// Special cases are those of WelchT, errors those of Ratio.
//
// Reference: Deng, Knoblich and Lu, Applying the delta method in metric
// analytics, KDD (2018).
func RatioDifference(x, y RatioMoments, o TOptions) (RatioComparison, error) {
	const name = "RatioDifference"
	if err := x.check(name + ": x"); err != nil {
		return RatioComparison{}, err
	}
	if err := y.check(name + ": y"); err != nil {
		return RatioComparison{}, err
	}
	r := RatioComparison{X: x, Y: y, Method: "difference of ratios, delta method"}
	err := r.finish(name, x.value()-y.value(), math.Sqrt(x.variance()+y.variance()), o)
	return r, err
}

// RelativeDifference compares the same ratios as a share of the baseline y:
//
//	D = (Rx - Ry)/|Ry|,  SE^2 = Vx/Ry^2 + Vy Rx^2/Ry^4
//
// and goes on as [RatioDifference], with the same degrees of freedom. When the baseline's own interval at the
// level holds 0 the result says "unstable_ratio", and the relative difference
// means nothing.
//
// Errors are those of Ratio, and [ErrDomain] when Ry is 0.
//
// Reference: Deng, Knoblich and Lu, Applying the delta method in metric
// analytics, KDD (2018).
func RelativeDifference(x, y RatioMoments, o TOptions) (RatioComparison, error) {
	const name = "RelativeDifference"
	if err := x.check(name + ": x"); err != nil {
		return RatioComparison{}, err
	}
	if err := y.check(name + ": y"); err != nil {
		return RatioComparison{}, err
	}
	rx, ry := x.value(), y.value()
	if ry == 0 {
		return RatioComparison{}, fmt.Errorf("stats: %s: the baseline is 0: %w", name, ErrDomain)
	}
	r := RatioComparison{X: x, Y: y, Method: "relative difference of ratios, delta method"}
	se := math.Hypot(math.Sqrt(x.variance()), rx/ry*math.Sqrt(y.variance())) / math.Abs(ry)
	if err := r.finish(name, (rx-ry)/math.Abs(ry), se, o); err != nil {
		return r, err
	}
	base, err := Ratio(y, r.Difference.Level)
	if err != nil {
		return RatioComparison{}, err
	}
	if y.variance() > 0 && base.Estimate.Contains(0) {
		r.Warnings = append(r.Warnings, Warning{WarnUnstableRatio, "the interval of the baseline holds 0"})
	}
	return r, nil
}

// finish is the t-test of a difference with a known standard error.
func (r *RatioComparison) finish(name string, diff, se float64, o TOptions) error {
	t := TResult{
		X: Moments{N: r.X.Units, Mean: diff}, Y: Moments{N: r.Y.Units}, SE: se,
		DF: welchDF(r.X.variance(), r.Y.variance(), r.X.Units, r.Y.Units),
	}
	if err := t.finish(name, o); err != nil {
		*r = RatioComparison{}
		return err
	}
	r.Difference, r.SE, r.T, r.DF, r.P, r.LogP = t.Difference, t.SE, t.T, t.DF, t.P, t.LogP
	r.Null, r.Alternative, r.Warnings = t.Null, t.Alternative, t.Warnings
	return nil
}

func (m RatioMoments) value() float64 { return m.MeanNum / m.MeanDen }

func (m RatioMoments) variance() float64 {
	r := m.value()
	v := m.VarNum - float64(2*r*m.Cov) + float64(r*r*m.VarDen)
	return max(0, v) / (float64(m.Units) * m.MeanDen * m.MeanDen)
}

func (m RatioMoments) check(name string) error {
	switch s := m.MeanNum + m.MeanDen + m.VarNum + m.VarDen + m.Cov; {
	case m.Units < 2:
		return fmt.Errorf("stats: %s: %d units, need 2: %w", name, m.Units, ErrDomain)
	case math.IsNaN(s) || math.IsInf(s, 0) || m.VarNum < 0 || m.VarDen < 0:
		return fmt.Errorf("stats: %s: moments %+v: %w", name, m, ErrDomain)
	case m.MeanDen == 0:
		return fmt.Errorf("stats: %s: the mean denominator is 0: %w", name, ErrDomain)
	}
	return nil
}

// ClusteredQuantileResult is a quantile of rows that come in units.
type ClusteredQuantileResult struct {
	Q        float64
	Estimate Interval // normal interval
	SE       float64
	Rows     uint64
	Units    uint64
	Inflate  float64 // variance relative to that of independent rows
	Method   string
	Warnings []Warning // clipped, degenerate
}

// ClusteredQuantile estimates the q-quantile over all rows, such as the latency
// of all requests, when rows of one unit, such as a user, are alike. units holds
// the rows of each unit.
//
//	SE^2 = ((y_U - y_L) / (2z))^2 * Var(share of rows <= quantile) / (q(1-q)/n)
//
// y_U - y_L over 2z is the standard error that independent rows would have, from
// the order statistics at q ± z sqrt(q(1-q)/n); the last factor, Inflate,
// corrects it by the delta-method variance of the share, with the unit as
// observation. The quantile is of type 7.
//
// Assumptions: independent units, tens of them; a density that is smooth around
// the quantile.
//
// Special cases are: order statistics beyond the sample are clipped to its ends
// ("clipped"); y_U = y_L gives SE 0 ("degenerate").
//
// Errors: [ErrEmpty] without rows; [ErrDomain] for fewer than 2 units with rows,
// a value that is not finite, or q or level outside (0,1). Cost: sorting.
//
// Reference: Deng, Knoblich and Lu, Applying the delta method in metric
// analytics, KDD (2018), section 4.
func ClusteredQuantile(units [][]float64, q, level float64) (ClusteredQuantileResult, error) {
	const name = "ClusteredQuantile"
	if err := CheckLevel(level); err != nil {
		return ClusteredQuantileResult{}, fmt.Errorf("stats: %s: %w", name, err)
	}
	if !(q > 0 && q < 1) {
		return ClusteredQuantileResult{}, fmt.Errorf("stats: %s: q = %v is not in (0,1): %w", name, q, ErrDomain)
	}
	s, err := sortedFinite(name, "units", slices.Concat(units...))
	if err != nil {
		return ClusteredQuantileResult{}, err
	}
	point := quantileOf(s, q, Type7)
	var below, size []float64
	for _, u := range units {
		if len(u) == 0 {
			continue
		}
		c := 0.0
		for _, v := range u {
			if v <= point {
				c++
			}
		}
		below, size = append(below, c), append(size, float64(len(u)))
	}
	m, err := RatioMomentsOf(below, size)
	if err != nil {
		return ClusteredQuantileResult{}, fmt.Errorf("stats: %s: %w", name, err)
	}
	if err := m.check(name); err != nil {
		return ClusteredQuantileResult{}, err
	}
	n := float64(len(s))
	z := twoSidedZ(level)
	reach := z * math.Sqrt(q*(1-q)/n)
	r := ClusteredQuantileResult{
		Q: q, Rows: uint64(len(s)), Units: m.Units,
		Inflate: m.variance() / (q * (1 - q) / n),
		Method:  "clustered quantile, delta method",
	}
	if q-reach < 0 || q+reach > 1 {
		r.Warnings = append(r.Warnings, Warning{WarnClipped, "too few rows for the order statistics around the quantile"})
	}
	spread := quantileOf(s, min(1, q+reach), Type1) - quantileOf(s, max(0, q-reach), Type1)
	r.SE = spread / (2 * z) * math.Sqrt(r.Inflate)
	if r.SE == 0 {
		r.Warnings = append(r.Warnings, Warning{WarnDegenerate, "no spread around the quantile: the noise cannot be judged"})
	}
	half := z * r.SE
	r.Estimate = Interval{point, point - half, point + half, level}
	return r, nil
}
