package stats

import (
	"fmt"
	"math"
)

// PairedComparison compares two binary outcomes seen on the same units.
type PairedComparison struct {
	Estimate Interval  // of the difference of the two shares, (B-C)/N
	B, C     uint64    // discordant pairs: only the first is a success; only the second is
	N        uint64    // pairs, concordant ones included
	Method   string    // which interval
	Warnings []Warning // none today
}

// McNemarMethod names a form of McNemar's test.
type McNemarMethod uint8

// The forms of McNemar's test. The zero value is the exact one.
const (
	McNemarExact     McNemarMethod = iota // binomial tail of the discordant pairs
	McNemarMidP                           // exact less half the probability of the observed table
	McNemarChiSquare                      // (b-c)^2/(b+c), chi-square with 1 df
	McNemarCorrected                      // (|b-c|-1)^2/(b+c), Edwards' continuity correction
)

// McNemarOptions chooses the form of McNemar's test and its direction.
type McNemarOptions struct {
	Method      McNemarMethod
	Alternative Alternative // Greater looks for b > c
}

// McNemarResult is the answer of McNemar's test.
type McNemarResult struct {
	B, C        uint64      // discordant pairs
	Statistic   float64     // min(b,c) for the exact forms, else the chi-square (two-sided) or signed z
	P           float64     // p-value
	LogP        float64     // its log, finite also where P underflows
	Alternative Alternative // the direction of the test
	Method      string
	Warnings    []Warning // degenerate, small_sample
}

// McNemar tests whether two binary outcomes seen on the same units have the same
// probability. b counts the pairs where only the first is a success, c those where
// only the second is; pairs that agree carry no information.
//
// Given b+c, b is binomial with probability 1/2 under the null. The exact two-sided
// p is min(1, 2 P(Bin(b+c,1/2) <= min(b,c))); mid-p takes away the probability of
// min(b,c) itself and is the better calibrated one. McNemarChiSquare and
// McNemarCorrected are the large-sample forms; one-sided they use the signed root.
//
// Assumptions: pairs are independent of each other.
// Special cases: b = c = 0 gives P 1 and the warning degenerate.
// Warnings: small_sample when a chi-square form has b+c < 10.
// Errors: [ErrDomain] for b+c above 2^53, an unknown method or alternative.
// Cost: at most sqrt(b+c) steps for the exact forms.
//
// References: McNemar (1947), Psychometrika 12, 153-157; Fagerland, Lydersen &
// Laake (2013), BMC Medical Research Methodology 13, 91.
func McNemar(b, c uint64, opt McNemarOptions) (McNemarResult, error) {
	const fn = "McNemar"
	if err := checkAlternative(fn, opt.Alternative); err != nil {
		return McNemarResult{}, err
	}
	n, err := sumCounts([]uint64{b, c})
	if err != nil || n > maxExact {
		return McNemarResult{}, fmt.Errorf("stats: %s: %d and %d discordant pairs are above 2^53: %w", fn, b, c, ErrDomain)
	}
	r := McNemarResult{B: b, C: c, Alternative: opt.Alternative, P: 1}
	x, m := float64(b), float64(n)
	d := x - float64(c)
	switch opt.Method {
	case McNemarExact, McNemarMidP:
		r.Method, r.Statistic = "McNemar exact", min(x, m-x)
		if opt.Method == McNemarMidP {
			r.Method = "McNemar mid-p"
		}
	case McNemarChiSquare:
		r.Method = "McNemar chi-square"
	case McNemarCorrected:
		r.Method = "McNemar chi-square with continuity correction"
		d = math.Copysign(max(0, math.Abs(d)-1), d)
	default:
		return McNemarResult{}, fmt.Errorf("stats: %s: method %d: %w", fn, opt.Method, ErrDomain)
	}
	if n == 0 {
		r.Warnings = []Warning{{WarnDegenerate, "no discordant pairs; the two outcomes never differ"}}
		return r, nil
	}
	if opt.Method <= McNemarMidP {
		r.LogP = binomialLattice(n, 0.5).logP(x, opt.Alternative, opt.Method == McNemarMidP)
		r.P = math.Exp(r.LogP)
		return r, nil
	}
	z := d / math.Sqrt(m)
	r.Statistic = z
	if opt.Alternative == Different {
		r.Statistic = d * d / m
	}
	r.LogP = logNormalP(z, opt.Alternative)
	r.P = math.Exp(r.LogP)
	if n < 10 {
		r.Warnings = []Warning{{WarnSmallSample, fmt.Sprintf("%d discordant pairs are few for the chi-square law; the exact form is better", n)}}
	}
	return r, nil
}

// Tango returns Tango's score interval for the difference (b-c)/n of two shares
// seen on the same n units, b and c being the discordant pairs of each kind.
//
// The interval holds every D for which
// |b-c-nD| / sqrt(n (2 q + D(1-D))) is within the normal quantile, where q is the
// maximum likelihood estimate of the probability of the second kind of discordance
// under the difference D. It agrees with McNemar's chi-square at D = 0, stays in
// [-1,1] and does not degenerate at b = c = 0.
//
// Errors: [ErrEmpty] for n = 0; [ErrDomain] for b+c > n or level outside (0,1).
// Cost: some hundred evaluations of a closed form.
//
// Reference: Tango (1998), Statistics in Medicine 17, 891-908.
func Tango(b, c, n uint64, level float64) (PairedComparison, error) {
	const fn = "Tango"
	if n == 0 {
		return PairedComparison{}, fmt.Errorf("stats: %s: no pairs: %w", fn, ErrEmpty)
	}
	if b > n || c > n-b {
		return PairedComparison{}, fmt.Errorf("stats: %s: %d and %d discordant of %d pairs: %w", fn, b, c, n, ErrDomain)
	}
	if err := CheckLevel(level); err != nil {
		return PairedComparison{}, fmt.Errorf("stats: %s: %w", fn, err)
	}
	bf, cf, nf := float64(b), float64(c), float64(n)
	z := twoSidedZ(level)
	v := Interval{Point: (bf - cf) / nf, Lo: -1, Hi: 1, Level: level}
	var err error
	if v.Point > -1 {
		if v.Lo, err = rootBetween(func(d float64) float64 { return tangoZ(bf, cf, nf, d) - z }, -1, v.Point); err != nil {
			return PairedComparison{}, fmt.Errorf("stats: %s: %d, %d of %d: %w", fn, b, c, n, err)
		}
	}
	if v.Point < 1 {
		if v.Hi, err = rootBetween(func(d float64) float64 { return tangoZ(bf, cf, nf, d) + z }, v.Point, 1); err != nil {
			return PairedComparison{}, fmt.Errorf("stats: %s: %d, %d of %d: %w", fn, b, c, n, err)
		}
	}
	return PairedComparison{Estimate: v, B: b, C: c, N: n, Method: "Tango score"}, nil
}

// tangoZ is the score statistic of a paired difference d; it falls in d.
func tangoZ(b, c, n, d float64) float64 {
	if d < 0 { // exchange the two outcomes, so that nothing below cancels
		return -tangoZ(c, b, n, -d)
	}
	num := b - c - float64(n*d)
	if num == 0 {
		return 0
	}
	// The positive root of 2n q^2 + k q - c d(1-d) = 0.
	k := float64((float64(2*n)-b+c)*d) - b - c
	root := math.Sqrt(float64(k*k) + float64(8*n*c*d*(1-d)))
	q := (root - k) / (4 * n)
	if k > 0 {
		q = 2 * c * d * (1 - d) / (root + k)
	}
	return num / math.Sqrt(n*(float64(2*q)+float64(d*(1-d))))
}

// PairedT compares the means of two measurements of the same units by the t test
// of their differences d = x[i]-y[i].
//
//	T = (mean(d) - null) / SE,   SE^2 = var(d)/n,   DF = n-1
//
// In the result, X holds the moments of the differences and Y is zero.
//
// Assumptions: pairs are independent of each other, and the differences normal or
// n large.
// Special cases: differences that are all equal, up to rounding, have SE 0, an
// interval without width and the warning degenerate; T is then 0, or infinite when
// they are not null.
// Errors: [ErrMismatch] for different lengths; [ErrEmpty] for no pairs; [ErrDomain]
// for one pair, a difference that is not finite, or an impossible option.
// Cost: two passes.
//
// Reference: Student, The probable error of a mean, Biometrika 6 (1908).
func PairedT(x, y []float64, o TOptions) (TResult, error) {
	const fn = "PairedT"
	if len(x) != len(y) {
		return TResult{}, fmt.Errorf("stats: %s: %d and %d values: %w", fn, len(x), len(y), ErrMismatch)
	}
	switch len(x) {
	case 0:
		return TResult{}, fmt.Errorf("stats: %s: no pairs: %w", fn, ErrEmpty)
	case 1:
		return TResult{}, fmt.Errorf("stats: %s: 1 pair, need 2: %w", fn, ErrDomain)
	}
	d := make([]float64, len(x))
	var largest float64
	for i := range x {
		d[i] = x[i] - y[i]
		largest = max(largest, math.Abs(x[i]), math.Abs(y[i]))
		if math.IsNaN(d[i]) || math.IsInf(d[i], 0) {
			return TResult{}, fmt.Errorf("stats: %s: pair %d is %v and %v: %w", fn, i, x[i], y[i], ErrDomain)
		}
	}
	mean, variance := meanVariance(d)
	if math.Sqrt(variance) <= 0x1p-50*largest {
		variance = 0
	}
	n := float64(len(d))
	r := TResult{
		X:  Moments{N: uint64(len(d)), Mean: mean, Variance: variance},
		SE: math.Sqrt(variance / n), DF: n - 1, Method: "paired t",
	}
	err := r.finish(fn, o)
	return r, err
}

// meanVariance returns the mean and the variance with divisor n-1. Deviations are
// taken from the first value, so that equal values give a variance of exactly 0.
func meanVariance(v []float64) (mean, variance float64) {
	n := float64(len(v))
	for _, x := range v {
		mean += (x - v[0]) / n
	}
	var first, second float64
	for _, x := range v {
		e := x - v[0] - mean
		first += e
		second += float64(e * e)
	}
	return v[0] + mean + first/n, max(0, second-float64(first*(first/n))) / (n - 1)
}
