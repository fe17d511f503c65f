package stats

import (
	"errors"
	"fmt"
	"math"
)

// TwoMeans is the comparison of two independent means, with the normal law in place
// of Student's: with fewer than about 30 units a side, add two to each size.
// The effect is mean2 - mean1, in the unit of SD.
type TwoMeans struct {
	SD    float64 // standard deviation of one unit, both sides
	Ratio float64 // size of the second sample over the first; 0 means 1
}

func (d TwoMeans) power(effect, n, m float64, o PowerOptions) float64 {
	se := d.SD * math.Sqrt(1/n+1/m)
	return normalPower(effect, se, se, o)
}

func (d TwoMeans) shape() (ratio, lo, hi float64, method string) {
	return ratioOrOne(d.Ratio), math.Inf(-1), math.Inf(1), "two means, normal"
}

func (d TwoMeans) check(PowerOptions) error {
	if !(d.SD > 0) || math.IsInf(d.SD, 1) {
		return fmt.Errorf("standard deviation %v", d.SD)
	}
	return checkRatio(d.Ratio, false)
}

// TwoProportions is the comparison of two independent shares by the pooled z test.
// The effect is p2 - p1. Null variance pooled, alternative variance not: the formula
// of R's power.prop.test(strict = TRUE), for any ratio.
//
// Reference: Fleiss, Levin & Paik (2003), Statistical Methods for Rates and
// Proportions, 3rd ed., chapter 4.
type TwoProportions struct {
	Base  float64 // p1, the share of the first sample, in (0,1)
	Ratio float64 // size of the second sample over the first; 0 means 1
}

func (d TwoProportions) power(effect, n, m float64, o PowerOptions) float64 {
	p, q := d.Base, d.Base+effect
	pooled := p + float64(effect*(m/(n+m)))
	null := math.Sqrt(pooled * (1 - pooled) * (1/n + 1/m))
	alt := math.Sqrt(max(0, float64(p*(1-p)/n)+float64(q*(1-q)/m)))
	return normalPower(effect, null, alt, o)
}

func (d TwoProportions) shape() (ratio, lo, hi float64, method string) {
	return ratioOrOne(d.Ratio), -d.Base, 1 - d.Base, "two proportions, pooled z"
}

func (d TwoProportions) check(PowerOptions) error {
	if !(d.Base > 0 && d.Base < 1) {
		return fmt.Errorf("base proportion %v", d.Base)
	}
	return checkRatio(d.Ratio, false)
}

// OneProportion is the comparison of one share with a fixed value by the score
// test. The effect is p - Null. With Null the planned share of an arm it is the SRM
// test of two arms.
type OneProportion struct {
	Null float64 // the fixed share, in (0,1)
}

func (d OneProportion) power(effect, n, _ float64, o PowerOptions) float64 {
	p := d.Null + effect
	return normalPower(effect, math.Sqrt(d.Null*(1-d.Null)/n), math.Sqrt(max(0, p*(1-p)/n)), o)
}

func (d OneProportion) shape() (ratio, lo, hi float64, method string) {
	return 0, -d.Null, 1 - d.Null, "one proportion, score z"
}

func (d OneProportion) check(PowerOptions) error {
	if !(d.Null > 0 && d.Null < 1) {
		return fmt.Errorf("null proportion %v", d.Null)
	}
	return nil
}

// PairedProportions is McNemar's chi-square comparison of two shares on the same
// units. The effect is (b-c)/n, the difference of the shares.
//
// Reference: Connor (1987), Biometrics 43, 207-211.
type PairedProportions struct {
	Discordant float64 // (b+c)/n, the share of pairs that differ, in (0,1]
}

func (d PairedProportions) power(effect, n, _ float64, o PowerOptions) float64 {
	v := max(0, d.Discordant-float64(effect*effect))
	return normalPower(effect, math.Sqrt(d.Discordant/n), math.Sqrt(v/n), o)
}

func (d PairedProportions) shape() (ratio, lo, hi float64, method string) {
	return 0, -d.Discordant, d.Discordant, "McNemar, normal"
}

func (d PairedProportions) check(PowerOptions) error {
	if !(d.Discordant > 0 && d.Discordant <= 1) {
		return fmt.Errorf("discordant share %v", d.Discordant)
	}
	return nil
}

// CellShares is Pearson's goodness-of-fit test of given cell probabilities, such as
// the SRM test of several arms. The effect is sum (p-q)^2/q over the cells, with p
// the true and q the planned shares: the square of Cohen's w; see [CellEffect]. The
// test has no direction; options must leave the alternative at Different.
type CellShares struct {
	Cells int // number of cells, at least 2
}

func (d CellShares) power(effect, n, _ float64, o PowerOptions) float64 {
	df := float64(d.Cells - 1)
	return math.Exp(logNonCentralUpper(nonCentralCritical(math.Log(o.Alpha), df, 0, true), df, n*effect))
}

func (d CellShares) shape() (ratio, lo, hi float64, method string) {
	return 0, 0, math.Inf(1), "chi-square goodness of fit, non-central"
}

func (d CellShares) check(o PowerOptions) error {
	if d.Cells < 2 {
		return fmt.Errorf("%d cells", d.Cells)
	}
	if o.Alternative != Different {
		return errors.New("a chi-square test has no direction")
	}
	return nil
}

// CellEffect returns the effect of [CellShares]: sum (p-q)^2/q, p being the true and
// q the planned shares, each scaled to sum to 1.
//
// Errors: [ErrMismatch] for different lengths; [ErrEmpty] for no cells; [ErrDomain]
// for a weight that is negative, not finite, or, among the planned, 0.
func CellEffect(actual, planned []float64) (float64, error) {
	const fn = "CellEffect"
	if len(actual) != len(planned) {
		return 0, fmt.Errorf("stats: %s: %d and %d weights: %w", fn, len(actual), len(planned), ErrMismatch)
	}
	if len(planned) == 0 {
		return 0, fmt.Errorf("stats: %s: no cells: %w", fn, ErrEmpty)
	}
	var sumP, sumQ float64
	for i, q := range planned {
		if p := actual[i]; !(p >= 0) || !(q > 0) || math.IsInf(p+q, 1) {
			return 0, fmt.Errorf("stats: %s: weights %v and %v at %d: %w", fn, p, q, i, ErrDomain)
		}
		sumP += actual[i]
		sumQ += q
	}
	if !(sumP > 0) || math.IsInf(sumP+sumQ, 1) {
		return 0, fmt.Errorf("stats: %s: weights sum to %v and %v: %w", fn, sumP, sumQ, ErrDomain)
	}
	var w float64
	for i := range planned {
		p, q := actual[i]/sumP, planned[i]/sumQ
		w += float64((p - q) * (p - q) / q)
	}
	return w, nil
}

// PSIDesign is the test that a population stability index is above, or below, a
// margin. The effect is the true PSI (or another divergence on its scale, such as 8
// times the Jensen-Shannon divergence in nats).
//
// With s = 1/n + 1/m, PSI/s is non-central chi-square with Cells-1 degrees of
// freedom and non-centrality true PSI/s. Different (with margin 0) and Greater ask
// for the power to show PSI > Margin; Less for that to show PSI < Margin. N is the
// current sample, M the reference.
//
// Assumptions: cells fixed in advance, expected counts of 5 or more, independent
// rows. Reference: Yurdakul & Naranjo (2020), Journal of Risk Model Validation 14.
type PSIDesign struct {
	Cells  int     // number of cells, at least 2
	Ratio  float64 // reference rows per current row; 0 means 1, +Inf a reference without noise
	Margin float64 // PSI that is acceptable; 0 for the test of no drift
}

func (d PSIDesign) power(effect, n, m float64, o PowerOptions) float64 {
	df, s := float64(d.Cells-1), 1/n+1/m
	logAlpha := math.Log(o.Alpha)
	if o.Alternative == Less {
		x := nonCentralCritical(logAlpha, df, d.Margin/s, false)
		return math.Exp(logNonCentralLower(x, df, effect/s))
	}
	x := nonCentralCritical(logAlpha, df, d.Margin/s, true)
	return math.Exp(logNonCentralUpper(x, df, effect/s))
}

func (d PSIDesign) shape() (ratio, lo, hi float64, method string) {
	return ratioOrOne(d.Ratio), 0, math.Inf(1), "PSI, non-central chi-square"
}

func (d PSIDesign) check(o PowerOptions) error {
	switch {
	case d.Cells < 2:
		return fmt.Errorf("%d cells", d.Cells)
	case !(d.Margin >= 0) || math.IsInf(d.Margin, 1):
		return fmt.Errorf("margin %v", d.Margin)
	case o.Alternative == Less && d.Margin == 0:
		return errors.New("no PSI is below a margin of 0")
	case o.Alternative == Different && d.Margin > 0:
		return errors.New("a margin needs the alternative greater or less")
	}
	return checkRatio(d.Ratio, true)
}

// normalPower is the probability that a normal estimate with mean effect and
// standard error alt falls in the rejection region of the z test with standard
// error null.
func normalPower(effect, null, alt float64, o PowerOptions) float64 {
	above := func(z float64) float64 { return upperNormal(standardised(float64(z*null)-effect, alt)) }
	switch o.Alternative {
	case Greater:
		return above(oneSidedZ(o.Alpha))
	case Less:
		effect = -effect
		return above(oneSidedZ(o.Alpha))
	}
	z := oneSidedZ(o.Alpha / 2)
	up := above(z)
	effect = -effect
	return min(1, up+above(z))
}

// nonCentralCritical is the x with log P(X > x), or log P(X <= x), equal to logTail.
func nonCentralCritical(logTail, df, ncp float64, upper bool) float64 {
	f := func(x float64) float64 { return logTail - logNonCentralUpper(x, df, ncp) }
	if !upper {
		f = func(x float64) float64 { return logNonCentralLower(x, df, ncp) - logTail }
	}
	hi := df + ncp + 10
	for f(hi) < 0 {
		hi *= 2
	}
	x, err := rootBetween(f, 0, hi)
	if err != nil {
		return math.NaN() // the callers turn it into ErrNoConvergence
	}
	return x
}

func ratioOrOne(r float64) float64 {
	if r == 0 {
		return 1
	}
	return r
}

func checkRatio(r float64, orInf bool) error {
	if !(r >= 0) || math.IsInf(r, 1) && !orInf {
		return fmt.Errorf("ratio of sample sizes %v", r)
	}
	return nil
}
