package sequential

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// SumLook holds the new values of one look of one arm: those since the look
// before.
type SumLook struct {
	N     uint64  `json:"n"`
	Sum   float64 `json:"sum"`
	SumSq float64 `json:"sumsq"` // sum of squares
}

// Validate returns an error that wraps [stats.ErrDomain] unless the sums are
// finite and possible for N real values. Whether they fit a range is checked
// where the range is known.
func (b SumLook) Validate() error {
	if badNumber(b.Sum, b.SumSq) || b.SumSq < 0 || b.N == 0 && (b.Sum != 0 || b.SumSq != 0) {
		return fmt.Errorf("%d values with sum %v and sum of squares %v: %w", b.N, b.Sum, b.SumSq, stats.ErrDomain)
	}
	if b.Sum*b.Sum > b.SumSq*float64(b.N)*(1+1e-9) {
		return fmt.Errorf("sum %v of %d values is too large for the sum of squares %v: %w", b.Sum, b.N, b.SumSq, stats.ErrDomain)
	}
	return nil
}

// PairLook holds the new values of one look of both arms.
type PairLook struct {
	Baseline  SumLook `json:"baseline"`
	Candidate SumLook `json:"candidate"`
}

// Validate checks both arms.
func (p PairLook) Validate() error {
	if err := p.Baseline.Validate(); err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	if err := p.Candidate.Validate(); err != nil {
		return fmt.Errorf("candidate: %w", err)
	}
	return nil
}

// BoundedOptions configures the methods for means of bounded values. All fields
// but Level tune the process and must be frozen before the data.
type BoundedOptions struct {
	// Min and Max are the range of a value; default 0 and 1. A value outside
	// voids the guarantee and must not be clipped silently.
	Min, Max float64
	// Null is the mean, or the difference of means, at the edge of the null.
	Null float64
	// Alternative Greater tests H0: mean <= Null, Less H0: mean >= Null, and the
	// default Different H0: mean = Null.
	Alternative stats.Alternative
	// Level of the confidence sequence, in (0,1); default 0.95.
	Level float64
	// DesignAlpha is the error level the bets are sized for, in (0,1); default
	// 0.05. The result is valid at every level whatever it is.
	DesignAlpha float64
}

// maxBet caps the bets of the empirical Bernstein process, on the scale of
// values in [0,1].
const maxBet = 0.5

func (o BoundedOptions) withDefaults() (BoundedOptions, error) {
	if o.Min == 0 && o.Max == 0 {
		o.Max = 1
	}
	o.Level = defaultTo(o.Level, 0.95)
	o.DesignAlpha = defaultTo(o.DesignAlpha, 0.05)
	if badNumber(o.Min, o.Max, o.Null) || o.Min >= o.Max || o.Alternative < stats.Less || o.Alternative > stats.Greater {
		return o, fmt.Errorf("range [%v, %v], null %v, alternative %v: %w", o.Min, o.Max, o.Null, o.Alternative, stats.ErrDomain)
	}
	if err := stats.CheckLevel(o.Level); err != nil {
		return o, err
	}
	return o, stats.CheckLevel(o.DesignAlpha)
}

// unit maps a look to values in [0,1], or to their mirror image 1-x.
func (o BoundedOptions) unit(b SumLook, mirror bool) (sums, error) {
	if err := b.Validate(); err != nil {
		return sums{}, err
	}
	w, n := o.Max-o.Min, float64(b.N)
	u := sums{n: n, s: (b.Sum - float64(n*o.Min)) / w}
	u.q = (b.SumSq - float64(2*o.Min*b.Sum) + float64(n*o.Min*o.Min)) / (w * w)
	const slack = 1e-9
	if u.s < -slack*(1+n) || u.s > n+slack*(1+n) || u.q < -slack*(1+n) || u.q > u.s+slack*(1+n) {
		return sums{}, fmt.Errorf("%d values with sum %v and sum of squares %v are not all in [%v, %v]: %w",
			b.N, b.Sum, b.SumSq, o.Min, o.Max, stats.ErrDomain)
	}
	if mirror {
		u.s, u.q = n-u.s, n-float64(2*u.s)+u.q
	}
	return u, nil
}

// sums are count, sum and sum of squares of values in [0,1].
type sums struct{ n, s, q float64 }

func (a *sums) add(b sums) { a.n, a.s, a.q = a.n+b.n, a.s+b.s, a.q+b.q }

// meanVar are the regularised mean and variance that a look may use.
func (a sums) meanVar() (mean, variance float64) {
	mean = (0.5 + a.s) / (a.n + 1)
	variance = (0.25 + a.about(mean)) / (a.n + 1)
	return mean, variance
}

// about is the sum of squared deviations from m.
func (a sums) about(m float64) float64 {
	return math.Max(0, a.q-float64(2*m*a.s)+float64(a.n*m*m))
}

// betSize is the bet lambda for a process that has run for t values of the given
// variance: optimal for a decision about now, and slowly shrinking.
func betSize(t, variance, logInv float64) float64 {
	return math.Min(maxBet, math.Sqrt(2*logInv/(t*math.Log1p(t)*variance)))
}

// psi is the cumulant bound -log(1-l) - l of the empirical Bernstein process.
func psi(l float64) float64 { return -math.Log1p(-l) - l }

// Bernstein tests the mean of bounded values at any number of looks without a
// normal approximation, from counts, sums and sums of squares. Only the sums of
// each look are needed, in the order of the looks.
//
// Values are mapped to [0,1]. Before each look with sums (n,s,q) the state
// (N,S,Q) of earlier looks fixes the bet:
//
//	mu = (1/2+S)/(N+1),  var = (1/4 + Q - 2 mu S + N mu^2)/(N+1),  t = N+n
//	lambda = min(1/2, sqrt(2 ln(1/a)/(t ln(1+t) var))),  psi = -ln(1-lambda) - lambda
//	v = q - 2 mu s + n mu^2
//	log E += lambda (s - n m) - psi v              for H0: mean <= m
//	lower  = (sum lambda s - sum psi v - ln(1/alpha)) / sum lambda n
//
// with a the design level. The other direction uses 1-x. Two-sided tests average
// both processes; their interval takes alpha/2 on each side.
//
// Assumptions: all values lie in the range; given the past each value has the
// same mean (they need not be independent or identically distributed); the size
// of a look does not depend on its values.
//
// Special cases: looks without values add nothing; constant data are fine.
//
// Errors: [stats.ErrEmpty] without values, [stats.ErrDomain] for sums that do
// not fit the range and for impossible options.
//
// Cost: O(looks).
//
// Reference: Waudby-Smith and Ramdas, "Estimating means of bounded random
// variables by betting", JRSS B 86 (2024), theorem 2.
func Bernstein(looks []SumLook, o BoundedOptions) (Result, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Result{}, fmt.Errorf("sequential: Bernstein: %w", err)
	}
	side := func(mirror bool) (ebProcess, error) {
		var p ebProcess
		var past sums
		for i, b := range looks {
			u, err := o.unit(b, mirror)
			if err != nil {
				return p, fmt.Errorf("sequential: Bernstein: look %d: %w", i, err)
			}
			if u.n == 0 {
				continue
			}
			mean, variance := past.meanVar()
			l := betSize(past.n+u.n, variance, Threshold(o.DesignAlpha))
			p.gain += float64(l*u.s) - float64(psi(l)*u.about(mean))
			p.stake += float64(l * u.n)
			past.add(u)
		}
		p.n = past.n
		return p, nil
	}
	r, err := o.bounded(side, (o.Null-o.Min)/(o.Max-o.Min), 1)
	if err != nil {
		return Result{}, err
	}
	var total SumLook
	for _, b := range looks {
		total.N += b.N
		total.Sum += b.Sum
	}
	if total.N == 0 {
		return Result{}, fmt.Errorf("sequential: Bernstein: no values in %d looks: %w", len(looks), stats.ErrEmpty)
	}
	r.Method = "block empirical Bernstein, " + o.Alternative.String()
	r.NCandidate = total.N
	w := o.Max - o.Min
	r.Estimate = stats.Interval{Point: total.Sum / float64(total.N), Level: o.Level,
		Lo: o.Min + float64(w*math.Max(0, r.Estimate.Lo)), Hi: o.Min + float64(w*math.Min(1, r.Estimate.Hi))}
	return r, nil
}

// ebProcess is one side of an empirical Bernstein process:
// log E(m) = gain - m stake.
type ebProcess struct{ gain, stake, n float64 }

// bounded combines the two sides. side(true) is the process of the mirrored
// values, whose null is mirror - null.
func (o BoundedOptions) bounded(side func(bool) (ebProcess, error), null, mirror float64) (Result, error) {
	r := Result{Estimate: stats.Interval{Lo: math.Inf(-1), Hi: math.Inf(1), Level: o.Level}}
	up, err := side(false)
	if err != nil {
		return r, err
	}
	down, err := side(true)
	if err != nil {
		return r, err
	}
	logUp := up.gain - float64(null*up.stake)
	logDown := down.gain - float64((mirror-null)*down.stake)
	room := Threshold(1 - o.Level)
	switch o.Alternative {
	case stats.Greater:
		r.LogE = logUp
	case stats.Less:
		r.LogE = logDown
	default:
		r.LogE = logSumExp([]float64{logUp, logDown}) - math.Ln2
		room += math.Ln2
	}
	if o.Alternative != stats.Less && up.stake > 0 {
		r.Estimate.Lo = (up.gain - room) / up.stake
	}
	if o.Alternative != stats.Greater && down.stake > 0 {
		r.Estimate.Hi = mirror - (down.gain-room)/down.stake
	}
	return r, nil
}

// BernsteinDiff tests the difference of two bounded means, candidate minus
// baseline, at any number of looks without a normal approximation.
//
// Both arms run the process of [Bernstein], the baseline mirrored, with stakes
// tied together: with h = nA nB/(nA+nB) the bets of a look are lambda h/nA and
// lambda h/nB, so each value of the baseline is staked against the candidate's
// and the unknown common level cancels:
//
//	log E += lambda h [ (mean of B) - (mean of A) - d0 ] - psi(lambda h/nB) vB - psi(lambda h/nA) vA
//
// lambda is that of Bernstein with t = sum h and the variance h (varA/nA + varB/nB).
// Only arms of the same look are compared, so base rates may drift and traffic
// shares may change between looks. The confidence sequence is for the
// stake-weighted mean difference; for a constant difference that is the
// difference itself.
//
// Assumptions, special cases, errors and reference are those of [Bernstein]; a
// look with an empty arm adds nothing to the evidence. The estimate's Point is
// weighted by h.
func BernsteinDiff(looks []PairLook, o BoundedOptions) (Result, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Result{}, fmt.Errorf("sequential: BernsteinDiff: %w", err)
	}
	w := o.Max - o.Min
	var point, weight float64
	side := func(mirror bool) (ebProcess, error) {
		var p ebProcess
		var pastA, pastB sums
		point, weight = 0, 0
		for i, b := range looks {
			ua, err := o.unit(b.Baseline, !mirror)
			if err != nil {
				return p, fmt.Errorf("sequential: BernsteinDiff: look %d, baseline: %w", i, err)
			}
			ub, err := o.unit(b.Candidate, mirror)
			if err != nil {
				return p, fmt.Errorf("sequential: BernsteinDiff: look %d, candidate: %w", i, err)
			}
			if ua.n > 0 && ub.n > 0 {
				h := ua.n * ub.n / (ua.n + ub.n)
				meanA, varA := pastA.meanVar()
				meanB, varB := pastB.meanVar()
				p.n += h
				l := betSize(p.n, h*(varA/ua.n+varB/ub.n), Threshold(o.DesignAlpha))
				la, lb := l*h/ua.n, l*h/ub.n
				// With the baseline mirrored, the means add up to 1 + difference.
				p.gain += float64(la*ua.s) + float64(lb*ub.s) - float64(l*h)
				p.gain -= float64(psi(la)*ua.about(meanA)) + float64(psi(lb)*ub.about(meanB))
				p.stake += float64(l * h)
				point += float64(h * (b.Candidate.Sum/ub.n - b.Baseline.Sum/ua.n))
				weight += h
			}
			pastA.add(ua)
			pastB.add(ub)
		}
		return p, nil
	}
	r, err := o.bounded(side, o.Null/w, 0)
	if err != nil {
		return Result{}, err
	}
	for _, b := range looks {
		r.NBaseline += b.Baseline.N
		r.NCandidate += b.Candidate.N
	}
	if r.NBaseline == 0 || r.NCandidate == 0 {
		return Result{}, fmt.Errorf("sequential: BernsteinDiff: %d and %d values: %w", r.NBaseline, r.NCandidate, stats.ErrEmpty)
	}
	r.Method = "block empirical Bernstein difference, " + o.Alternative.String()
	r.Estimate.Lo = w * math.Max(-1, r.Estimate.Lo)
	r.Estimate.Hi = w * math.Min(1, r.Estimate.Hi)
	if weight > 0 {
		r.Estimate.Point = point / weight
	}
	return r, nil
}
