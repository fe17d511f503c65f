package sequential

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// NormalOptions configures the normal-mixture methods. Everything but Null and
// Level tunes the process and must be frozen before the data: a tuning constant
// that follows the data voids the guarantee.
type NormalOptions struct {
	// Null is the value d0 of the null hypothesis, which is where a margin goes.
	Null float64
	// Alternative Greater tests H0: d <= Null, Less tests H0: d >= Null, and the
	// default Different tests H0: d = Null.
	Alternative stats.Alternative
	// Level of the confidence sequence, in (0,1); default 0.95. A one-sided
	// alternative gives a one-sided sequence of this level.
	Level float64
	// Planned is the clock at which the method should be most powerful: the
	// total sample N* for [Normal] (default 5000), the intrinsic variance V* for
	// [NormalStages] (no default).
	Planned float64
	// DesignAlpha is the error level for which Planned is optimised, in (0,1);
	// default 0.05. The result is valid at every level whatever it is.
	DesignAlpha float64
	// Scale, when positive, sets the mixture scale directly and Planned and
	// DesignAlpha are not used; see [NormalScale].
	Scale float64
}

// NormalScale is the mixture scale R that makes the normal-mixture boundary of
// level alpha nearly tightest at the clock value planned:
//
//	R = planned / (-2 ln a + ln(1 - 2 ln a)),  a = alpha, or 2 alpha for a one-sided alternative.
//
// The clock is a sample size or an intrinsic variance. R is the one constant
// behind several published parameterisations of the same boundary:
//
//	GrowthBook    rho^2 = 1/R with planned = 5000
//	Eppo          rho = R with planned = 10000
//	avlm          g = R
//	confseq       rho = R with planned = v_opt
//	normal mSPRT  tau^2 = sigma^2/R
//
// Errors: [stats.ErrDomain] unless planned is positive and finite and a < 1.
//
// Reference: Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric,
// nonasymptotic confidence sequences", Annals of Statistics 49 (2021), eq. 20.
func NormalScale(planned, alpha float64, alt stats.Alternative) (float64, error) {
	a := alpha
	if alt != stats.Different {
		a *= 2
	}
	if !(planned > 0) || math.IsInf(planned, 0) || !(a > 0 && a < 1) {
		return 0, fmt.Errorf("sequential: NormalScale: planned %v, alpha %v: %w", planned, alpha, stats.ErrDomain)
	}
	return planned / (-2*math.Log(a) + math.Log1p(-2*math.Log(a))), nil
}

func (o NormalOptions) scale(planned float64) (float64, NormalOptions, error) {
	o.Level = defaultTo(o.Level, 0.95)
	o.DesignAlpha = defaultTo(o.DesignAlpha, 0.05)
	o.Planned = defaultTo(o.Planned, planned)
	if err := stats.CheckLevel(o.Level); err != nil {
		return 0, o, err
	}
	if badNumber(o.Null) || o.Alternative < stats.Less || o.Alternative > stats.Greater {
		return 0, o, fmt.Errorf("null %v, alternative %v: %w", o.Null, o.Alternative, stats.ErrDomain)
	}
	if o.Scale != 0 {
		if !(o.Scale > 0) || math.IsInf(o.Scale, 0) {
			return 0, o, fmt.Errorf("scale %v: %w", o.Scale, stats.ErrDomain)
		}
		return o.Scale, o, nil
	}
	r, err := NormalScale(o.Planned, o.DesignAlpha, o.Alternative)
	return r, o, err
}

// Normal tests an approximately normal estimate d with standard error se, based
// on nBaseline + nCandidate = N units, at any number of looks, and gives its
// confidence sequence. It serves means, differences, ratios and relative
// effects alike: whatever has a central limit theorem.
//
// With z = (d-d0)/se, q = N/R and R from [NormalScale]:
//
//	two-sided  log E = q z^2/(2(q+1)) - ln(q+1)/2
//	           half-width = se sqrt( (q+1)/q * 2 ln(sqrt(q+1)/alpha) )
//	greater    log E = ln 2 - ln(q+1)/2 + q z^2/(2(q+1)) + ln Phi(z sqrt(q/(q+1)))
//	           half-width = se sqrt( (q+1)/q * 2 ln(1 + sqrt(q+1)/(2 alpha)) )
//
// The one-sided half-width is a closed form, slightly wider than the exact
// inverse; [NormalBound] is the inverse.
//
// Assumptions: the estimate is asymptotically normal with a consistent standard
// error, so the guarantee is asymptotic too; apply [NormalReady] before looking
// at rates. The estimate must be of one stable contrast: pooling the stages of
// a ramp breaks it, use [NormalStages] there.
//
// Special cases: se = 0, as with no events in either arm, gives LogE = 0, an
// interval without ends and a warning.
//
// Errors: [stats.ErrEmpty] when N = 0, [stats.ErrDomain] for a negative or
// non-finite se, a non-finite estimate and impossible options.
//
// References: Robbins, "Statistical methods related to the law of the iterated
// logarithm", Annals of Mathematical Statistics 41 (1970); Waudby-Smith, Arbour,
// Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic
// confidence sequences", Annals of Statistics 52 (2024).
func Normal(estimate, se float64, nBaseline, nCandidate uint64, o NormalOptions) (Result, error) {
	scale, o, err := o.scale(5000)
	if err != nil {
		return Result{}, fmt.Errorf("sequential: Normal: %w", err)
	}
	n := float64(nBaseline) + float64(nCandidate)
	if n == 0 {
		return Result{}, fmt.Errorf("sequential: Normal: no units: %w", stats.ErrEmpty)
	}
	if badNumber(estimate, se) || se < 0 {
		return Result{}, fmt.Errorf("sequential: Normal: estimate %v with standard error %v: %w", estimate, se, stats.ErrDomain)
	}
	r := normalResult(estimate, se, n/scale, o)
	r.NBaseline, r.NCandidate = nBaseline, nCandidate
	return r, nil
}

// DiffStage is the effect estimated inside one stage of a ramp.
type DiffStage struct {
	Diff       float64 `json:"diff"`     // candidate minus baseline
	Variance   float64 `json:"variance"` // squared standard error of Diff
	NBaseline  uint64  `json:"n_baseline"`
	NCandidate uint64  `json:"n_candidate"`
}

// NormalStages is [Normal] for a rollout in stages with different traffic
// shares. Base rates that move with time would confound the pooled difference
// with the ramp; here only arms of the same stage are compared. With n_s the
// units of stage s, the clock is the intrinsic variance:
//
//	S = sum n_s (d_s - d0),  V = sum n_s^2 v_s,  q = V/R
//
// and log E is that of Normal with z = S/sqrt(V): one process over all stages,
// without a restart. The estimate is the mean of d_s weighted by n_s.
//
// Planned is the V at which the decision is expected and has no default. For a
// constant candidate share r, per-unit variance s2 and N* units in all it is
// N* s2/(r(1-r)).
//
// Special cases: stages without units or with zero variance add nothing but
// their difference; V = 0 over all stages is the special case se = 0 of Normal.
//
// Errors: [stats.ErrEmpty] without units, [stats.ErrDomain] for non-finite
// differences, negative variances, a missing Planned and impossible options.
//
// References: those of [Normal].
func NormalStages(stages []DiffStage, o NormalOptions) (Result, error) {
	scale, o, err := o.scale(0)
	if err != nil {
		return Result{}, fmt.Errorf("sequential: NormalStages: %w", err)
	}
	var sum, v, n float64
	var nb, nc uint64
	for i, s := range stages {
		if badNumber(s.Diff, s.Variance) || s.Variance < 0 {
			return Result{}, fmt.Errorf("sequential: NormalStages: stage %d: difference %v with variance %v: %w", i, s.Diff, s.Variance, stats.ErrDomain)
		}
		ns := float64(s.NBaseline) + float64(s.NCandidate)
		sum += float64(ns * s.Diff)
		v += float64(ns * ns * s.Variance)
		n += ns
		nb += s.NBaseline
		nc += s.NCandidate
	}
	if n == 0 {
		return Result{}, fmt.Errorf("sequential: NormalStages: no units in %d stages: %w", len(stages), stats.ErrEmpty)
	}
	r := normalResult(sum/n, math.Sqrt(v)/n, v/scale, o)
	r.NBaseline, r.NCandidate = nb, nc
	return r, nil
}

func normalResult(d, se, q float64, o NormalOptions) Result {
	r := Result{
		Method:   "normal mixture, " + o.Alternative.String(),
		Estimate: stats.Interval{Point: d, Lo: math.Inf(-1), Hi: math.Inf(1), Level: o.Level},
		Warnings: []stats.Warning{{Code: stats.WarnAsymptotic, Message: "normal approximation; use an exact method for rare events"}},
	}
	if se == 0 || q == 0 {
		r.Warnings = append(r.Warnings, stats.Warning{Code: stats.WarnDegenerate, Message: "standard error is 0: no evidence either way"})
		return r
	}
	z, alpha := (d-o.Null)/se, 1-o.Level
	r.LogE = normalLogE(z, q, o.Alternative)
	half := math.Log1p(q) + 2*Threshold(alpha)
	if o.Alternative != stats.Different {
		half = 2 * math.Log1p(math.Sqrt(q+1)/(2*alpha))
	}
	half = float64(se * math.Sqrt((q+1)/q*half))
	if o.Alternative != stats.Less {
		r.Estimate.Lo = d - half
	}
	if o.Alternative != stats.Greater {
		r.Estimate.Hi = d + half
	}
	return r
}

// normalLogE is the mixture likelihood ratio of z = S/sqrt(V) at q = V/R.
func normalLogE(z, q float64, alt stats.Alternative) float64 {
	x := z * math.Sqrt(q/(q+1))
	if alt == stats.Different {
		return float64(x*x)/2 - math.Log1p(q)/2
	}
	return math.Ln2 - math.Log1p(q)/2 + logScaledPhi(float64(alt)*x)
}

// NormalBound is the time-uniform boundary of a process with sub-Gaussian
// increments: S_t, with intrinsic variance v, ever exceeds NormalBound (in
// absolute value when two-sided) with probability at most alpha. scale is R of
// [NormalScale]. It is where the log E of [Normal] equals log(1/alpha), solved
// for S; the one-sided form is found numerically.
//
// Errors: [stats.ErrDomain] unless v >= 0, scale > 0 and 0 < alpha < 1. Special
// case: v = 0 gives +Inf.
//
// Reference: Howard, Ramdas, McAuliffe and Sekhon (2021), propositions 5 and 6.
func NormalBound(v, scale, alpha float64, alt stats.Alternative) (float64, error) {
	if !(v >= 0) || !(scale > 0) || badNumber(v, scale) || stats.CheckLevel(alpha) != nil {
		return 0, fmt.Errorf("sequential: NormalBound: variance %v, scale %v, alpha %v: %w", v, scale, alpha, stats.ErrDomain)
	}
	if v == 0 {
		return math.Inf(1), nil
	}
	q := v / scale
	z := math.Sqrt((q + 1) / q * 2 * (math.Log1p(q)/2 + Threshold(alpha)))
	if alt != stats.Different { // the two-sided root is above the one-sided one
		z = zero(0, z, func(z float64) float64 { return normalLogE(z, q, stats.Greater) - Threshold(alpha) })
	}
	return z * math.Sqrt(v), nil
}

// MSPRT is the mixture sequential probability ratio test for a normal mean with
// known variance: n observations with the given mean, variance sigma2 and a
// N(0, tau2) prior on the true mean, H0: the true mean is 0.
//
//	log E = (1/2) ln( sigma2/(sigma2 + n tau2) ) + n^2 tau2 mean^2 / (2 sigma2 (sigma2 + n tau2))
//
// It is exact for normal data and is [Normal] with Scale = sigma2/tau2. tau2
// must be fixed before the data. Special case: n = 0 gives 0.
//
// Errors: [stats.ErrDomain] for non-finite numbers or variances that are not
// positive.
//
// Reference: Johari, Koomen, Pekelis and Walsh, "Always valid inference:
// continuous monitoring of A/B tests", Operations Research 70 (2022).
func MSPRT(mean float64, n uint64, sigma2, tau2 float64) (float64, error) {
	if badNumber(mean, sigma2, tau2) || !(sigma2 > 0) || !(tau2 > 0) {
		return 0, fmt.Errorf("sequential: MSPRT: mean %v, variance %v, prior variance %v: %w", mean, sigma2, tau2, stats.ErrDomain)
	}
	if n == 0 {
		return 0, nil
	}
	m := float64(n)
	return normalLogE(mean*math.Sqrt(m/sigma2), m*tau2/sigma2, stats.Different), nil
}

// NormalReady reports whether two arms hold enough for a normal approximation of
// a rate or count: at least 50 units in each, 5 events in each and 20 events in
// all. Below that the answer is "insufficient", not "no effect".
func NormalReady(nBaseline, nCandidate, eventsBaseline, eventsCandidate uint64) bool {
	return min(nBaseline, nCandidate) >= 50 && min(eventsBaseline, eventsCandidate) >= 5 &&
		eventsBaseline >= 20-min(20, eventsCandidate)
}
