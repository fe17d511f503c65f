package sla

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// ComplianceOptions chooses the interval and the target of [Compliance].
type ComplianceOptions struct {
	Target float64        // share that is promised, in (0,1]; 0 compares with none
	Method IntervalMethod // Wilson, ClopperPearson or Jeffreys
	Level  float64        // 0 is 0.95
}

// Proportion is a compliance rate: Met of Total, the interval, and what it says
// about the target. Without trials State is NoData, Rate NaN and Interval zero.
type Proportion struct {
	Met      uint64         `json:"met"`
	Total    uint64         `json:"total"`
	Rate     stats.Float    `json:"rate"`
	Interval stats.Interval `json:"interval"`
	Method   IntervalMethod `json:"method"`
	Target   float64        `json:"target,omitempty"`
	State    State          `json:"state"` // OK at Target or above, AtRisk below, Exhausted when Interval is below it
	// BelowP is the probability of Met or fewer if the true rate were the target:
	// small when missing it is no bad luck. 1 without a target.
	BelowP stats.Float `json:"below_p"`
	// AboveP is the probability of Met or more if the true rate were the target:
	// small when holding it is no good luck. 1 without a target.
	AboveP stats.Float `json:"above_p"`
}

// Compliance returns the share of trials that met what was promised, such as
// releases within their deadline, with an interval and two exact tests against a
// target.
//
// Rate is met/total. BelowP and AboveP are binomial tails. Trials are taken as
// independent.
//
// Special cases: total 0 is NoData, never full compliance.
// Errors: [stats.ErrDomain] for met > total, a target outside [0,1], an unknown
// method, or a level outside (0,1). Cost: about 20 sqrt(total) steps.
//
// References: those of the interval methods in package stats.
func Compliance(met, total uint64, o ComplianceOptions) (Proportion, error) {
	const fn = "Compliance"
	if !(o.Target >= 0 && o.Target <= 1) || !known(intervalWords, o.Method) {
		return Proportion{}, fmt.Errorf("sla: %s: target %v, method %s: %w", fn, o.Target, o.Method, stats.ErrDomain)
	}
	if met > total {
		return Proportion{}, fmt.Errorf("sla: %s: %d met of %d: %w", fn, met, total, stats.ErrDomain)
	}
	p := Proportion{Met: met, Total: total, Method: o.Method, Target: o.Target, Rate: stats.Float(math.NaN()), BelowP: 1, AboveP: 1}
	level := Objective{Level: o.Level}.level()
	if err := stats.CheckLevel(level); err != nil {
		return Proportion{}, fmt.Errorf("sla: %s: %w", fn, err)
	}
	if total == 0 {
		return p, nil
	}
	var err error
	if p.Interval, err = o.Method.interval(met, total, level); err != nil {
		return Proportion{}, fmt.Errorf("sla: %s: %w", fn, err)
	}
	p.Rate, p.State = stats.Float(p.Interval.Point), OK
	if o.Target == 0 {
		return p, nil
	}
	below, err := stats.BinomialTest(met, total, o.Target, stats.ExactOptions{Alternative: stats.Less})
	if err != nil {
		return Proportion{}, fmt.Errorf("sla: %s: %w", fn, err)
	}
	above, err := stats.BinomialTest(met, total, o.Target, stats.ExactOptions{Alternative: stats.Greater})
	if err != nil {
		return Proportion{}, fmt.Errorf("sla: %s: %w", fn, err)
	}
	p.BelowP, p.AboveP = stats.Float(below.P), stats.Float(above.P)
	switch {
	case p.Interval.Hi < o.Target:
		p.State = Exhausted
	case p.Interval.Point < o.Target:
		p.State = AtRisk
	}
	return p, nil
}

// interval is the interval for a probability by the method.
func (m IntervalMethod) interval(x, n uint64, level float64) (stats.Interval, error) {
	switch m {
	case ClopperPearson:
		return stats.ClopperPearson(x, n, level)
	case Jeffreys:
		return stats.Jeffreys(x, n, level)
	default:
		return stats.Wilson(x, n, level)
	}
}

// CompareProportions returns the difference of two compliance rates, a minus b, with
// Newcombe's interval; level 0 is 0.95. Counts that are not whole are rounded.
//
// Errors: [stats.ErrEmpty] for no events on a side; [stats.ErrDomain] for counts
// that cannot be right, or level outside (0,1). Cost: constant.
//
// Reference: Newcombe (1998), Statistics in Medicine 17, 873-890.
func CompareProportions(a, b Counts, level float64) (stats.ProportionComparison, error) {
	for _, c := range []Counts{a, b} {
		if !(c.Good >= 0 && c.Good <= c.Total && c.Total <= maxCount) {
			return stats.ProportionComparison{}, fmt.Errorf("sla: CompareProportions: %v good of %v: %w", c.Good, c.Total, stats.ErrDomain)
		}
	}
	whole := func(x float64) uint64 { return uint64(math.Round(x)) }
	r, err := stats.Newcombe(whole(a.Good), whole(a.Total), whole(b.Good), whole(b.Total), Objective{Level: level}.level())
	if err != nil {
		return stats.ProportionComparison{}, fmt.Errorf("sla: CompareProportions: %w", err)
	}
	return r, nil
}
