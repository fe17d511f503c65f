package leadtime

import (
	"fmt"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Labelled is a prediction and the arrival of its label.
type Labelled struct {
	Predicted time.Time
	Arrived   time.Time // zero while the label is not there
}

// LabelOptions configures [LabelDelay].
type LabelOptions struct {
	AsOf  time.Time          // when the log was read: labels that arrive later are not there
	Share float64            // of labels that makes a prediction mature, in (0,1); 0 means 0.95
	Level float64            // of the intervals; 0 means 0.95
	Band  stats.SurvivalBand // default log
}

// LabelReport says how long labels take, in hours.
type LabelReport struct {
	N       uint64   `json:"n"`       // predictions with a usable time
	Arrived uint64   `json:"arrived"` // of them labelled
	Bad     uint64   `json:"bad"`     // without a time of prediction, made after AsOf, or labelled before
	P50     Quantile `json:"p50"`
	P90     Quantile `json:"p90"`
	// Horizon is the age at which Share of the predictions have their label. A
	// quality objective should look at predictions older than this, its window
	// begin that much earlier; when it is not reached, at none of them yet.
	Horizon Quantile `json:"horizon"`
}

// Mature reports whether a prediction made at the given time is old enough at
// asOf for its label to be expected. It is never true when Horizon is not
// reached.
func (r LabelReport) Mature(predicted, asOf time.Time) bool {
	return r.Horizon.Reached && asOf.Sub(predicted).Hours() >= r.Horizon.Estimate.Point
}

// LabelDelay estimates the delay from prediction to label from a log in which
// recent predictions have none yet.
//
// A label that is not there is a delay longer than the age of its prediction. The
// quantiles are those of [stats.KaplanMeier]; leaving the missing ones out would
// make labels look fast, and quality look like that of the easy cases.
//
// Assumptions: the delay of a label does not depend on when its prediction was
// made. Labels that never come keep the curve up; a horizon out of reach then
// says so.
//
// Special cases are: predictions with an impossible time are counted in Bad.
//
// Errors: [stats.ErrDomain] for a zero AsOf or impossible options. Cost: sorting.
//
// Reference: Klein and Moeschberger, Survival Analysis, 2nd ed. (2003), chapter 4.
func LabelDelay(log []Labelled, o LabelOptions) (LabelReport, error) {
	const name = "LabelDelay"
	if o.Share == 0 {
		o.Share = 0.95
	}
	o.Level = orLevel(o.Level)
	if o.AsOf.IsZero() || !(o.Share > 0 && o.Share < 1) {
		return LabelReport{}, fmt.Errorf("leadtime: %s: as of %v, share %v: %w", name, o.AsOf, o.Share, stats.ErrDomain)
	}
	if err := stats.CheckLevel(o.Level); err != nil {
		return LabelReport{}, fmt.Errorf("leadtime: %s: %w", name, err)
	}
	var r LabelReport
	obs := make([]stats.Observation, 0, len(log))
	for _, l := range log {
		arrived := !l.Arrived.IsZero() && !l.Arrived.After(o.AsOf)
		end := o.AsOf
		if arrived {
			end = l.Arrived
		}
		if l.Predicted.IsZero() || end.Before(l.Predicted) {
			r.Bad++
			continue
		}
		obs = append(obs, stats.Observation{Time: end.Sub(l.Predicted).Hours(), Event: arrived})
		if arrived {
			r.Arrived++
		}
	}
	r.N = uint64(len(obs))
	r.P50, r.P90, r.Horizon = noDurations(0.5, o.Level), noDurations(0.9, o.Level), noDurations(o.Share, o.Level)
	if len(obs) == 0 {
		return r, nil
	}
	c, err := stats.KaplanMeier(obs, stats.SurvivalOptions{Level: o.Level, Band: o.Band})
	if err != nil {
		return LabelReport{}, fmt.Errorf("leadtime: %s: %w", name, err)
	}
	for _, q := range []*Quantile{&r.P50, &r.P90, &r.Horizon} {
		if *q, err = kmQuantile(c, q.Q); err != nil {
			return LabelReport{}, fmt.Errorf("leadtime: %s: %w", name, err)
		}
	}
	return r, nil
}
