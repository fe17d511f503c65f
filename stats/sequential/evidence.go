package sequential

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/internal/root"
	"github.com/rampguard/rampguard/stats/internal/special"
)

// Result is the answer of one look at one hypothesis.
type Result struct {
	Method     string
	LogE       float64        // log of the e-value: evidence against the null hypothesis at this look
	Estimate   stats.Interval // the estimate with its confidence sequence; zero when the method gives none
	NBaseline  uint64         // units, or events where the method counts events, of the baseline
	NCandidate uint64         // the same of the candidate; a one-sample method leaves NBaseline 0
	Warnings   []stats.Warning
}

// P is min(1, 1/E) of this look alone. The always-valid p-value of a whole run
// uses the largest E so far; see [Running].
func (r Result) P() float64 { return PValue(r.LogE) }

// Running follows one e-process from look to look. The zero Running is a process
// without looks: E = 1. Its methods are deterministic; two runnings can not be
// merged, because a maximum belongs to one order of looks.
type Running struct {
	LogE  stats.Float `json:"log_e"`  // at the latest look
	Max   stats.Float `json:"max"`    // largest log E so far, never below 0 since E starts at 1
	MaxAt uint64      `json:"max_at"` // the look of the maximum, 0 when it is the start
	Looks uint64      `json:"looks"`
}

// Observe records log E of the next look. A NaN is an error that wraps
// [stats.ErrDomain] and leaves r as it was.
func (r *Running) Observe(logE float64) error {
	if math.IsNaN(logE) {
		return fmt.Errorf("sequential: Running.Observe: log E is NaN: %w", stats.ErrDomain)
	}
	r.Looks++
	r.LogE = stats.Float(logE)
	if logE > float64(r.Max) {
		r.Max, r.MaxAt = stats.Float(logE), r.Looks
	}
	return nil
}

// P is the always-valid p-value min(1, exp(-Max)): under the null hypothesis it
// falls below alpha at any look, ever, with probability at most alpha (Ville).
func (r Running) P() float64 { return PValue(float64(r.Max)) }

// PValue is min(1, exp(-logE)), the p-value of an e-value. Below 1e-308 it loses
// digits and below 5e-324 it is 0; print log E there.
func PValue(logE float64) float64 {
	if math.IsNaN(logE) {
		return 1
	}
	return math.Min(1, math.Exp(-logE))
}

// Threshold is log(1/alpha): an e-process that starts at E = 1 ever reaches it
// with probability at most alpha under its null hypothesis (Ville's inequality).
// It is +Inf for alpha <= 0 or NaN, which nothing reaches.
func Threshold(alpha float64) float64 {
	if !(alpha > 0) {
		return math.Inf(1)
	}
	return -special.Log(alpha)
}

// logSumExp is log(sum exp(x)) without overflow; -Inf for no terms.
func logSumExp(x []float64) float64 {
	hi := math.Inf(-1)
	for _, v := range x {
		hi = math.Max(hi, v)
	}
	if math.IsInf(hi, 0) {
		return hi
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(v - hi)
	}
	return hi + math.Log(sum)
}

// logScaledPhi is log( Phi(x) exp(x^2/2) ) for the standard normal distribution
// function Phi, of which gonum has no logarithm. Left of -30 the asymptotic series
// of Mills' ratio is exact to rounding, and the square, which would cancel, is never
// formed.
func logScaledPhi(x float64) float64 {
	if x > -30 {
		return float64(x*x)/2 + stats.LogNormalTail(-x)
	}
	series := 1.0 // 1 - 1/x^2 + 3/x^4 - 15/x^6 + ...
	for k := 9.0; k > 0; k -= 2 {
		series = 1 - float64(k/x/x*series)
	}
	return math.Log(series) - math.Log(-x) - math.Log(2*math.Pi)/2
}

// zero is where f changes sign between a and b. Where rounding hides the change,
// it lies next to one of the ends, and that end is the answer.
func zero(a, b float64, f func(float64) float64) float64 {
	if x, ok := root.Find(f, a, b); ok {
		return x
	}
	if math.Abs(f(b)) < math.Abs(f(a)) {
		return b
	}
	return a
}

func badNumber(xs ...float64) bool {
	for _, x := range xs {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return true
		}
	}
	return false
}

func defaultTo(x, d float64) float64 {
	if x == 0 {
		return d
	}
	return x
}
