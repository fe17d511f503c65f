package stats

import (
	"fmt"
	"math"
)

// Direction says which way a metric is good. The zero value is no direction and
// an error, since guessing it wrong turns harm into benefit.
type Direction int8

// The two directions.
const (
	LowerIsBetter  Direction = -1 // errors, latency, cost
	HigherIsBetter Direction = 1  // accuracy, conversion
)

// String returns "lower", "higher" or "unset".
func (d Direction) String() string {
	switch d {
	case LowerIsBetter:
		return "lower"
	case HigherIsBetter:
		return "higher"
	case 0:
		return "unset"
	}
	return fmt.Sprintf("Direction(%d)", int8(d))
}

// MarginTest is the answer of a test against a margin.
type MarginTest struct {
	Effect    float64   // estimate, candidate less baseline, in metric units
	SE        float64   // its standard error
	Margin    float64   // largest acceptable loss (or difference), positive or 0
	Direction Direction // unset for equivalence
	Bound     float64   // confidence bound that was compared with the margin, at level 1-alpha one-sided
	Z         float64   // distance from the margin in standard errors; positive speaks for the claim
	P         float64   // one-sided p-value of the claim's null
	LogP      float64   // its log
	Alpha     float64   // one-sided size of the test
	Shown     bool      // P <= Alpha: the claim is shown
	Method    string
}

// NonInferiority tests the claim that a candidate is not worse than the baseline by
// the margin or more, from an approximately normal estimate of
// candidate - baseline and its standard error.
//
// For HigherIsBetter the null is effect <= -margin and z = (effect + margin)/se;
// for LowerIsBetter it is effect >= margin and z = (margin - effect)/se. P is
// P(Z > z), and the claim is shown when P <= alpha; that is when the one-sided
// confidence bound of level 1-alpha is on the good side of the margin. Bound is
// that bound. A margin of 0 asks for superiority. A claim that is not shown is not
// a claim refuted.
//
// Special cases: se = 0 compares the effect with the margin itself, with P 0 or 1
// and an infinite Z; an effect exactly at the margin is not shown.
// Errors: [ErrDomain] for an unset direction, a negative or non-finite margin, an
// effect that is not finite, se negative or not finite, alpha outside (0,1).
//
// Reference: Blackwelder (1982), Controlled Clinical Trials 3, 345-353.
func NonInferiority(effect, se, margin float64, d Direction, alpha float64) (MarginTest, error) {
	const fn = "NonInferiority"
	if d != LowerIsBetter && d != HigherIsBetter {
		return MarginTest{}, fmt.Errorf("stats: %s: direction %v: %w", fn, d, ErrDomain)
	}
	if err := checkMargin(fn, effect, se, margin, alpha); err != nil {
		return MarginTest{}, err
	}
	r := MarginTest{
		Effect: effect, SE: se, Margin: margin, Direction: d, Alpha: alpha,
		Z:      standardised(float64(float64(d)*effect)+margin, se),
		Bound:  effect - float64(float64(d)*oneSidedZ(alpha)*se),
		Method: "non-inferiority, normal",
	}
	if margin == 0 {
		r.Method = "superiority, normal"
	}
	r.decide()
	return r, nil
}

// Equivalence tests the claim that candidate and baseline differ by less than the
// margin either way, by two one-sided tests (TOST), from an approximately normal
// estimate of candidate - baseline and its standard error.
//
// With z = (margin - |effect|)/se, P is P(Z > z), the larger of the two one-sided
// p-values. The claim is shown when P <= alpha, that is when the two-sided interval
// of level 1-2 alpha lies within the margins. Bound is the end of that interval
// which is farther from 0.
//
// Special cases and errors are those of [NonInferiority], and [ErrDomain] for a
// margin of 0.
//
// Reference: Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics
// 15, 657-680.
func Equivalence(effect, se, margin, alpha float64) (MarginTest, error) {
	const fn = "Equivalence"
	if err := checkMargin(fn, effect, se, margin, alpha); err != nil {
		return MarginTest{}, err
	}
	if margin == 0 {
		return MarginTest{}, fmt.Errorf("stats: %s: margin 0: %w", fn, ErrDomain)
	}
	r := MarginTest{
		Effect: effect, SE: se, Margin: margin, Alpha: alpha,
		Z:      standardised(margin-math.Abs(effect), se),
		Bound:  effect + math.Copysign(oneSidedZ(alpha)*se, effect),
		Method: "equivalence, two one-sided normal tests",
	}
	r.decide()
	return r, nil
}

// Within reports whether an interval of candidate - baseline shows non-inferiority:
// whether it lies wholly on the good side of the margin. It serves intervals of any
// method (score, exact, bootstrap); its one-sided size is (1-level)/2 for an
// equal-tailed two-sided interval.
//
// Special cases: an end exactly at the margin is not within. A ratio metric wants
// its log, or the interval of the ratio less 1.
// Errors: [ErrDomain] for an unset direction, a negative or non-finite margin, or
// an interval with a NaN or without a level.
func (v Interval) Within(margin float64, d Direction) (bool, error) {
	const fn = "Interval.Within"
	if d != LowerIsBetter && d != HigherIsBetter {
		return false, fmt.Errorf("stats: %s: direction %v: %w", fn, d, ErrDomain)
	}
	if !(margin >= 0) || math.IsInf(margin, 1) {
		return false, fmt.Errorf("stats: %s: margin %v: %w", fn, margin, ErrDomain)
	}
	if err := CheckLevel(v.Level); err != nil || math.IsNaN(v.Lo) || math.IsNaN(v.Hi) {
		return false, fmt.Errorf("stats: %s: interval %v: %w", fn, v, ErrDomain)
	}
	if d == HigherIsBetter {
		return v.Lo > -margin, nil
	}
	return v.Hi < margin, nil
}

// decide fills the p-value and the decision from Z.
func (r *MarginTest) decide() {
	r.LogP = LogNormalTail(r.Z)
	r.P = math.Exp(r.LogP)
	r.Shown = r.P <= r.Alpha
}

// standardised is x/se, with the sign's infinity for se = 0; x = 0 then counts as
// negative.
func standardised(x, se float64) float64 {
	if se > 0 {
		return x / se
	}
	if x > 0 {
		return math.Inf(1)
	}
	return math.Inf(-1)
}

func checkMargin(fn string, effect, se, margin, alpha float64) error {
	switch {
	case math.IsNaN(effect) || math.IsInf(effect, 0):
		return fmt.Errorf("stats: %s: effect %v: %w", fn, effect, ErrDomain)
	case !(se >= 0) || math.IsInf(se, 1):
		return fmt.Errorf("stats: %s: standard error %v: %w", fn, se, ErrDomain)
	case !(margin >= 0) || math.IsInf(margin, 1):
		return fmt.Errorf("stats: %s: margin %v: %w", fn, margin, ErrDomain)
	case !(alpha > 0 && alpha < 1):
		return fmt.Errorf("stats: %s: alpha %v: %w", fn, alpha, ErrDomain)
	}
	return nil
}
