package calibration

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// LossResult is the mean of a per-row loss.
type LossResult struct {
	N        uint64
	Mean     stats.Interval
	SE       float64 // standard error of the mean over rows; +Inf for one row
	Bound    float64 // greatest error of the point, from cells and from rounding
	Rule     Rule
	Method   string
	Warnings []stats.Warning // binned, excluded_values, degenerate, small_sample
}

// Rule is a proper scoring rule: a loss whose mean is smallest for true
// probabilities.
type Rule int8

// The scoring rules.
const (
	Quadratic   Rule = iota // (y-p)^2, the Brier score; from 0 to 1
	Logarithmic             // -log of the probability given to what happened, in nats
)

// String returns "quadratic" or "logarithmic".
func (r Rule) String() string {
	switch r {
	case Quadratic:
		return "quadratic"
	case Logarithmic:
		return "logarithmic"
	}
	return fmt.Sprintf("Rule(%d)", int8(r))
}

func (r Rule) check(fn string) error {
	if r != Quadratic && r != Logarithmic {
		return fmt.Errorf("calibration: %s: %v: %w", fn, r, stats.ErrDomain)
	}
	return nil
}

// lossClip is the least probability that the logarithmic rule takes seriously, so
// that a label which contradicts a score of 0 or 1 costs 36 nats and not infinity.
const lossClip = 0x1p-52

// loss is the loss of a probability u given to what happened; 1-u is passed along
// because it may have digits that u has not.
func (r Rule) loss(u, other float64) float64 {
	switch {
	case r == Quadratic:
		return float64(other * other)
	case u <= lossClip:
		return -math.Log(lossClip)
	case other < 0.5:
		return -math.Log1p(-other)
	}
	return -math.Log(u)
}

// Brier estimates the mean of (y-p)^2, with the normal interval of a mean over
// independent rows. It measures calibration and discrimination together: [Murphy]
// and [CORP] take it apart.
//
// From a histogram the mean is exact and the standard error right to about 1e-7.
//
// Special cases: one row has SE +Inf and the interval [0,1]. Fewer than 30 rows
// give the warning "small_sample".
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] for level outside (0,1).
// Cost: linear in the number of cells.
//
// Reference: Brier (1950), Monthly Weather Review 78, 1-3.
func Brier(d Data, level float64) (LossResult, error) {
	return meanLoss(d, Quadratic, level, "Brier", "Brier score")
}

// LogLoss estimates the mean of -log p over positive and -log(1-p) over negative
// labels, in nats, with the normal interval of a mean over independent rows. A
// probability below 2^-52 given to what happened counts as 2^-52.
//
// From a histogram a cell with mean u and variance v of that probability counts
// -log u + v/(2 u^2) for each row, off by at most v w/(3 lo^3) in a cell of width w
// from lo; Bound adds that up and stays below 1e-9 unless scores are within 2^-32
// of the wrong end.
//
// Special cases: one row has SE +Inf and the interval [0, +Inf]. Fewer than 30
// rows give the warning "small_sample".
// Errors: [stats.ErrEmpty] for no rows; [stats.ErrDomain] for level outside (0,1).
// Cost: linear in the number of cells.
//
// Reference: Good (1952), Rational decisions, Journal of the Royal Statistical
// Society B 14, 107-114.
func LogLoss(d Data, level float64) (LossResult, error) {
	return meanLoss(d, Logarithmic, level, "LogLoss", "logarithmic score")
}

func meanLoss(d Data, rule Rule, level float64, fn, method string) (LossResult, error) {
	if err := d.check(fn); err != nil {
		return LossResult{}, err
	}
	if err := stats.CheckLevel(level); err != nil {
		return LossResult{}, fmt.Errorf("calibration: %s: %w", fn, err)
	}
	mean, variance, bound := d.lossMoments(rule)
	n, _ := d.counts()
	r := LossResult{N: uint64(n), SE: math.Inf(1), Bound: bound, Rule: rule, Method: method, Warnings: d.warnings()}
	top := 1.0
	if rule == Logarithmic {
		top = math.Inf(1)
	}
	r.Mean = stats.Interval{Point: mean, Lo: 0, Hi: top, Level: level}
	if n > 1 {
		r.SE = math.Sqrt(variance / (n - 1))
		r.Mean = normalInterval(mean, r.SE, level)
		r.Mean.Lo, r.Mean.Hi = max(0, r.Mean.Lo), min(top, r.Mean.Hi)
	}
	if n < 30 {
		r.Warnings = append(r.Warnings, warn(stats.WarnSmallSample, fmt.Sprintf("%.0f rows", n)))
	}
	return r, nil
}

// lossMoments returns mean and variance, divided by n, of the loss over the rows
// of d, and a bound on the error of the mean.
func (d Data) lossMoments(rule Rule) (mean, variance, bound float64) {
	var sum, err, within adder
	n := 0.0
	each := func(f func(x, mean, variance, bound float64)) {
		for _, c := range d.cells {
			for _, positive := range []bool{false, true} {
				if x := c.side(positive); x.n > 0 {
					m, v, e := rule.cellLoss(c, x, positive)
					f(x.n, m, v, e)
				}
			}
		}
	}
	each(func(x, m, v, e float64) {
		n += x
		sum.add(x * m)
		within.add(x * v)
		err.add(x * e)
	})
	mean = sum.value() / n
	each(func(x, m, _, _ float64) { within.add(x * float64((m-mean)*(m-mean))) })
	return mean, within.value() / n, err.value()/n + 8*0x1p-53*mean
}

func (c cell) side(positive bool) part {
	if positive {
		return c.pos
	}
	return c.neg
}

// cellLoss returns mean and variance of the loss over one label of a cell, and a
// bound on the error of the mean.
func (r Rule) cellLoss(c cell, x part, positive bool) (mean, variance, bound float64) {
	u, other, lo := x.mean, 1-x.mean, c.lo // probability given to what happened
	if !positive {
		u, other, lo = other, u, 1-c.hi
	}
	mean, v := r.loss(u, other), x.variance
	switch {
	case r == Quadratic:
		return mean + v, v * (float64(4*other*other) + float64(0.8*v)), 0
	case v == 0 || u <= lossClip:
		return mean, 0, 0
	}
	lo = max(lo, lossClip)
	bound = v / lo / lo * ((c.hi - c.lo) / lo) / 3
	if !positive {
		bound += 0x1p-52 / u // rounding of the mean of scores near 1
	}
	w := v / u / u
	return mean + w/2, w, bound
}
