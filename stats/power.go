package stats

import (
	"fmt"
	"math"
)

// Design describes a comparison whose power is asked for: [TwoMeans],
// [TwoProportions], [OneProportion], [PairedProportions], [CellShares] or
// [PSIDesign]. The interface is closed.
type Design interface {
	// power is the probability of rejecting the null at the given effect, with n
	// and m units (m is 0 for one sample).
	power(effect, n, m float64, o PowerOptions) float64
	// shape returns the size of the second sample per unit of the first (0: there
	// is none), the possible effects, and the name of the method.
	shape() (ratio, lo, hi float64, method string)
	// check returns what is wrong with the design, without the sentinel.
	check(o PowerOptions) error
}

// PowerOptions gives the test whose power is asked for. The zero value is the
// two-sided 5% test.
type PowerOptions struct {
	Alpha       float64     // size of the test; 0 means 0.05
	Alternative Alternative // Greater and Less are one-sided at Alpha
}

// Plan is a size, an effect and the power they have together.
type Plan struct {
	Effect      float64     // in the design's own unit
	N           uint64      // units of the first sample, pairs for paired designs
	M           uint64      // units of the second sample; 0 when there is none
	Power       float64     // probability of rejecting the null at Effect
	Alpha       float64     // size of the test
	Alternative Alternative // its direction
	Method      string
}

// Power returns the probability that the design's test rejects its null when the
// truth is effect and the first sample has n units. The second sample, if any, has
// ceil(ratio n).
//
// Errors: [ErrEmpty] for n = 0; [ErrDomain] for an effect outside the possible
// range, an impossible design or option.
func Power(d Design, effect float64, n uint64, o PowerOptions) (Plan, error) {
	const fn = "Power"
	o, err := checkPlan(fn, d, o)
	if err != nil {
		return Plan{}, err
	}
	if n == 0 {
		return Plan{}, fmt.Errorf("stats: %s: no units: %w", fn, ErrEmpty)
	}
	if err := checkEffect(fn, d, effect); err != nil {
		return Plan{}, err
	}
	p := plan(d, effect, n, o)
	if math.IsNaN(p.Power) {
		return Plan{}, fmt.Errorf("stats: %s: effect %v, %d units: %w", fn, effect, n, ErrNoConvergence)
	}
	return p, nil
}

// SampleSize returns the smallest first sample with which the design's test rejects
// its null with at least the given power when the truth is effect.
//
// Errors: [ErrDomain] for power not within (alpha,1), an effect outside the possible
// range or on the side of the null (no size reaches the power), an impossible
// design or option; [ErrNoConvergence] when more than 2^53 units would be needed.
// Cost: some ten evaluations of the power.
func SampleSize(d Design, effect, power float64, o PowerOptions) (Plan, error) {
	const fn = "SampleSize"
	o, err := checkPlan(fn, d, o)
	if err != nil {
		return Plan{}, err
	}
	if err := checkTargetPower(fn, power, o); err != nil {
		return Plan{}, err
	}
	if err := checkEffect(fn, d, effect); err != nil {
		return Plan{}, err
	}
	if !speaksFor(d, effect, o) {
		return Plan{}, fmt.Errorf("stats: %s: effect %v never supports the alternative %q: %w", fn, effect, o.Alternative, ErrDomain)
	}
	// Whole sizes only: double until enough, then halve the gap.
	enough := func(n uint64) bool { return plan(d, effect, n, o).Power >= power }
	lo, hi := uint64(0), uint64(1)
	for !enough(hi) {
		if lo, hi = hi, hi*2; hi > maxExact {
			return Plan{}, fmt.Errorf("stats: %s: effect %v needs more than 2^53 units: %w", fn, effect, ErrNoConvergence)
		}
	}
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; enough(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return plan(d, effect, hi, o), nil
}

// DetectableEffect returns the effect that the design's test finds with the given
// power when the first sample has n units: the minimum detectable effect. For the
// two-sided alternative it is the positive one.
//
// For a design with a margin and the alternative Less it is the largest effect that
// still passes with that power.
//
// Errors: [ErrEmpty] for n = 0; [ErrDomain] for power not within (alpha,1), an
// impossible design or option, or when no possible effect reaches the power.
// Cost: some ten evaluations of the power.
func DetectableEffect(d Design, n uint64, power float64, o PowerOptions) (Plan, error) {
	const fn = "DetectableEffect"
	o, err := checkPlan(fn, d, o)
	if err != nil {
		return Plan{}, err
	}
	if n == 0 {
		return Plan{}, fmt.Errorf("stats: %s: no units: %w", fn, ErrEmpty)
	}
	if err := checkTargetPower(fn, power, o); err != nil {
		return Plan{}, err
	}
	null, far := margin(d), 0.0
	_, lo, hi, _ := d.shape()
	f := func(effect float64) float64 { return plan(d, effect, n, o).Power - power }
	switch {
	case o.Alternative == Less:
		far = lo
	case math.IsInf(hi, 1):
		far = null + 1
		for f(far) < 0 && far < 1e300 {
			far = null + float64((far-null)*4)
		}
	default:
		far = hi
	}
	if math.IsInf(far, -1) {
		far = -1
		for f(far) < 0 && far > -1e300 {
			far *= 4
		}
	}
	if f(far) < 0 {
		return Plan{}, fmt.Errorf("stats: %s: %d units reach no power of %v for any effect: %w", fn, n, power, ErrDomain)
	}
	effect, err := rootBetween(f, null, far)
	if err != nil {
		return Plan{}, fmt.Errorf("stats: %s: %d units, power %v: %w", fn, n, power, err)
	}
	return plan(d, effect, n, o), nil
}

// plan evaluates the power at whole sample sizes.
func plan(d Design, effect float64, n uint64, o PowerOptions) Plan {
	ratio, _, _, method := d.shape()
	p := Plan{Effect: effect, N: n, Alpha: o.Alpha, Alternative: o.Alternative, Method: method}
	m := math.Ceil(ratio * float64(n))
	if !math.IsInf(m, 1) {
		p.M = uint64(m)
	}
	p.Power = d.power(effect, float64(n), m, o)
	return p
}

// margin is the null value of a design.
func margin(d Design) float64 {
	if p, ok := d.(PSIDesign); ok {
		return p.Margin
	}
	return 0
}

// speaksFor reports whether the effect lies on the side of the alternative.
func speaksFor(d Design, effect float64, o PowerOptions) bool {
	switch null := margin(d); o.Alternative {
	case Greater:
		return effect > null
	case Less:
		return effect < null
	default:
		return effect != null
	}
}

func checkPlan(fn string, d Design, o PowerOptions) (PowerOptions, error) {
	if o.Alpha == 0 {
		o.Alpha = 0.05
	}
	if !(o.Alpha > 0 && o.Alpha < 1) {
		return o, fmt.Errorf("stats: %s: alpha %v: %w", fn, o.Alpha, ErrDomain)
	}
	if err := checkAlternative(fn, o.Alternative); err != nil {
		return o, err
	}
	if d == nil {
		return o, fmt.Errorf("stats: %s: no design: %w", fn, ErrDomain)
	}
	if err := d.check(o); err != nil {
		return o, fmt.Errorf("stats: %s: %w: %w", fn, err, ErrDomain)
	}
	return o, nil
}

func checkEffect(fn string, d Design, effect float64) error {
	_, lo, hi, _ := d.shape()
	if !(effect >= lo && effect <= hi) || math.IsInf(effect, 0) {
		return fmt.Errorf("stats: %s: effect %v is not within [%v, %v]: %w", fn, effect, lo, hi, ErrDomain)
	}
	return nil
}

func checkTargetPower(fn string, power float64, o PowerOptions) error {
	if !(power > o.Alpha && power < 1) {
		return fmt.Errorf("stats: %s: power %v is not between alpha %v and 1: %w", fn, power, o.Alpha, ErrDomain)
	}
	return nil
}
