package leadtime

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// Estimator names what quantiles and means are made from.
type Estimator int8

// The estimators.
const (
	EstimatorAuto  Estimator = iota // KM in a BySignOff cohort that has releases in flight, else Plain
	EstimatorPlain                  // completed releases only, as most dashboards do
	EstimatorKM                     // Kaplan-Meier: a release in flight counts as "longer than its age"
)

// Quantile is a quantile of durations, in hours unless its field says otherwise.
type Quantile struct {
	Q float64 `json:"q"`
	// Estimate has an infinite end where the sample is too small to give one.
	// Without any duration its Point is NaN. When Reached is false Point is +Inf
	// and Lo still bounds the quantile from below.
	Estimate stats.Interval  `json:"estimate"`
	Reached  bool            `json:"reached"`
	N        uint64          `json:"n"`        // durations used
	Censored uint64          `json:"censored"` // of them still running
	Type     string          `json:"type"`     // how it is read between the values
	Method   string          `json:"method"`
	Warnings []stats.Warning `json:"warnings,omitempty"`
}

// String is the number in words: "15", or "not reached, at least 8".
func (q Quantile) String() string {
	switch {
	case q.N == 0:
		return "no data"
	case !q.Reached && q.Estimate.Lo == 0:
		return "not reached"
	case !q.Reached:
		return fmt.Sprintf("not reached, at least %.4g", q.Estimate.Lo)
	}
	return fmt.Sprintf("%.4g", q.Estimate.Point)
}

// Mean is a mean of durations, in hours unless its field says otherwise.
type Mean struct {
	// Estimate has a t interval, which takes some 30 values to be near its level
	// for durations as skewed as these, or the normal one of a restricted mean.
	Estimate stats.Interval `json:"estimate"`
	N        uint64         `json:"n"`
	// Horizon is where durations are cut off for a mean of unfinished ones; 0
	// when they are not.
	Horizon  float64         `json:"horizon"`
	Method   string          `json:"method"`
	Warnings []stats.Warning `json:"warnings,omitempty"`
}

// Estimates are the numbers one estimator gives.
type Estimates struct {
	Estimator Estimator `json:"estimator"`
	P50       Quantile  `json:"p50"`
	P90       Quantile  `json:"p90"`
	Mean      Mean      `json:"mean"`
}

// estimateOptions is the part of the options that estimates depend on.
type estimateOptions struct {
	level  float64
	typ    stats.QuantileType
	nyblom bool
	band   stats.SurvivalBand
}

// plainEstimates are those of completed durations.
func plainEstimates(done []float64, o estimateOptions) (Estimates, error) {
	e := Estimates{Estimator: EstimatorPlain}
	var err error
	if e.P50, err = plainQuantile(done, 0.5, o); err != nil {
		return e, err
	}
	if e.P90, err = plainQuantile(done, 0.9, o); err != nil {
		return e, err
	}
	e.Mean, err = plainMean(done, o.level)
	return e, err
}

func plainQuantile(done []float64, q float64, o estimateOptions) (Quantile, error) {
	typ := cmp.Or(o.typ, stats.Type7)
	r := Quantile{Q: q, Type: fmt.Sprintf("type %d", typ), N: uint64(len(done))}
	if len(done) == 0 {
		r.Estimate, r.Method = unknown(o.level), "no completed duration"
		return r, nil
	}
	s, err := stats.Quantile(done, q, stats.QuantileOptions{Type: typ, Level: o.level, Nyblom: o.nyblom})
	if err != nil {
		return r, err
	}
	r.Estimate, r.Reached, r.Method, r.Warnings = s.Estimate, true, s.Method, s.Warnings
	return r, nil
}

// unknown is the estimate of a positive quantity that there is no data for.
func unknown(level float64) stats.Interval {
	return stats.Interval{Point: math.NaN(), Lo: 0, Hi: math.Inf(1), Level: level}
}

func plainMean(done []float64, level float64) (Mean, error) {
	m := Mean{N: uint64(len(done)), Method: "mean, t interval"}
	if len(done) == 0 {
		m.Estimate, m.Method = unknown(level), "no completed duration"
		return m, nil
	}
	s, err := stats.MomentsOf(done)
	if err != nil {
		return m, err
	}
	if len(done) == 1 {
		m.Estimate = stats.Interval{Point: s.Mean, Lo: math.Inf(-1), Hi: math.Inf(1), Level: level}
		m.Warnings = []stats.Warning{{Code: stats.WarnSmallSample, Message: "one duration has no interval of its mean"}}
		return m, nil
	}
	// A ratio whose denominator is 1 for every unit is the mean.
	r, err := stats.Ratio(stats.RatioMoments{Units: s.N, MeanNum: s.Mean, VarNum: s.Variance, MeanDen: 1}, level)
	if err != nil {
		return m, err
	}
	m.Estimate, m.Warnings = r.Estimate, r.Warnings
	return m, nil
}

// kmEstimates are those of durations some of which are still running.
func kmEstimates(obs []stats.Observation, o estimateOptions) (Estimates, error) {
	e := Estimates{Estimator: EstimatorKM}
	if len(obs) == 0 {
		e.P50, e.P90 = noDurations(0.5, o.level), noDurations(0.9, o.level)
		e.Mean = Mean{Method: "no duration", Estimate: unknown(o.level)}
		return e, nil
	}
	c, err := stats.KaplanMeier(obs, stats.SurvivalOptions{Level: o.level, Band: o.band})
	if err != nil {
		return e, err
	}
	if e.P50, err = kmQuantile(c, 0.5); err != nil {
		return e, err
	}
	if e.P90, err = kmQuantile(c, 0.9); err != nil {
		return e, err
	}
	if e.Mean, err = kmMean(c); err != nil {
		return e, err
	}
	if slices.ContainsFunc(obs, func(b stats.Observation) bool { return b.Entry > 0 }) {
		w := stats.Warning{Code: WarnLateEntry, Message: "releases open at the start of the window are at risk from their age then"}
		e.P50.Warnings = append(e.P50.Warnings, w)
		e.P90.Warnings = append(e.P90.Warnings, w)
		e.Mean.Warnings = append(e.Mean.Warnings, w)
	}
	return e, nil
}

func noDurations(q, level float64) Quantile {
	return Quantile{Q: q, Type: kmType, Method: "no duration", Estimate: unknown(level)}
}

const kmType = "Kaplan-Meier, midpoint of a flat stretch"

func kmQuantile(c stats.SurvivalCurve, q float64) (Quantile, error) {
	s, err := c.Quantile(q)
	if err != nil {
		return Quantile{}, err
	}
	return Quantile{
		Q: q, Estimate: s.Estimate, Reached: s.Reached, N: s.N, Censored: s.N - s.Events,
		Type: kmType, Method: s.Method, Warnings: s.Warnings,
	}, nil
}

// kmMean is the mean of durations cut off at the end of follow-up, the longest
// span over which something is known.
func kmMean(c stats.SurvivalCurve) (Mean, error) {
	m := Mean{N: c.N, Horizon: c.End, Method: "restricted mean of Kaplan-Meier"}
	if c.End == 0 {
		m.Estimate.Level = c.Level // every duration is 0
		return m, nil
	}
	r, err := c.RestrictedMean(c.End)
	if err != nil {
		return m, err
	}
	m.Estimate, m.Method, m.Warnings = r.Estimate, r.Method, r.Warnings
	return m, nil
}
