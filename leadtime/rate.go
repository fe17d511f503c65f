package leadtime

import (
	"errors"
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// RateMethod names the interval of a share.
type RateMethod int8

// The methods.
const (
	RateWilson         RateMethod = iota // score interval: near its level on average
	RateClopperPearson                   // exact: never below its level, for a guarantee
	RateJeffreys                         // equal-tailed and balanced between its sides
)

// RateOptions configures [ComplianceRate]. The zero value is a Wilson interval
// of level 0.95 without a target.
type RateOptions struct {
	Level  float64 // of the interval, in (0,1); 0 means 0.95
	Method RateMethod
	Target float64 // share that is promised, in (0,1]; 0 means none
}

// Rate is a share of successes with its interval.
type Rate struct {
	// Estimate is NaN with the ends 0 and 1 when N is 0: no trial is neither
	// full success nor none.
	Estimate stats.Interval `json:"estimate"`
	Met      uint64         `json:"met"`     // successes
	N        uint64         `json:"n"`       // trials with an outcome
	Pending  uint64         `json:"pending"` // trials without one yet, counted in neither
	Method   string         `json:"method"`
	Target   float64        `json:"target"` // share promised; 0 means none
	// PBelow is the exact probability of Met or fewer successes when the true
	// share is Target: small says that the promise is broken. NaN without a
	// target.
	PBelow stats.Float `json:"p_below"`
}

// ComplianceRate returns the share of met among n trials: releases with an
// explanation attached, audits passed, deployments that worked.
//
//	Estimate = met/n,   PBelow = P(B <= met) with B binomial (n, Target)
//
// 10 of 10 has a Clopper-Pearson interval from 0.69, and a share above 0.99 takes
// 299 of 299 to claim with 95% one-sided confidence: read the interval.
//
// Assumptions: independent trials with one success probability.
//
// Special cases are: n = 0 gives NaN between 0 and 1, without an error.
//
// Errors: [stats.ErrDomain] for met above n or an impossible option. Cost: about
// 20 sqrt(n) steps.
//
// References: those of [stats.Wilson], [stats.ClopperPearson] and
// [stats.Jeffreys].
func ComplianceRate(met, n uint64, o RateOptions) (Rate, error) {
	const name = "ComplianceRate"
	level := orLevel(o.Level)
	if err := stats.CheckLevel(level); err != nil {
		return Rate{}, fmt.Errorf("leadtime: %s: %w", name, err)
	}
	if !(o.Target >= 0 && o.Target <= 1) {
		return Rate{}, fmt.Errorf("leadtime: %s: target %v is not in [0,1]: %w", name, o.Target, stats.ErrDomain)
	}
	r := Rate{Met: met, N: n, Target: o.Target, PBelow: stats.Float(math.NaN())}
	var err error
	switch o.Method {
	case RateWilson:
		r.Method = "Wilson"
		r.Estimate, err = stats.Wilson(met, n, level)
	case RateClopperPearson:
		r.Method = "Clopper-Pearson"
		r.Estimate, err = stats.ClopperPearson(met, n, level)
	case RateJeffreys:
		r.Method = "Jeffreys"
		r.Estimate, err = stats.Jeffreys(met, n, level)
	default:
		err = fmt.Errorf("method %d: %w", o.Method, stats.ErrDomain)
	}
	if errors.Is(err, stats.ErrEmpty) && met == 0 {
		r.Estimate = stats.Interval{Point: math.NaN(), Lo: 0, Hi: 1, Level: level}
		return r, nil
	}
	if n == 0 && met > 0 {
		err = fmt.Errorf("%d successes of 0 trials: %w", met, stats.ErrDomain)
	}
	if err == nil && o.Target > 0 {
		r.PBelow, err = belowTarget(met, n, o.Target)
	}
	if err != nil {
		return Rate{}, fmt.Errorf("leadtime: %s: %w", name, err)
	}
	return r, nil
}

func belowTarget(met, n uint64, target float64) (stats.Float, error) {
	t, err := stats.BinomialTest(met, n, target, stats.ExactOptions{Alternative: stats.Less})
	return stats.Float(t.P), err
}

// orLevel is level, or 0.95 when it is 0.
func orLevel(level float64) float64 {
	if level == 0 {
		return 0.95
	}
	return level
}
