package sla

import (
	"fmt"
	"math"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Burn is how fast a window spends the budget: Rate 1 spends all of it in just one
// window of the objective. Bad and Total are in the unit of the method.
type Burn struct {
	From      time.Time   `json:"from"`
	To        time.Time   `json:"to"`
	Minutes   float64     `json:"minutes"` // length of the window
	Bad       float64     `json:"bad"`
	Total     float64     `json:"total"`
	NoData    bool        `json:"no_data"`
	ErrorRate stats.Float `json:"error_rate"` // Bad/Total; NaN without data
	Rate      stats.Float `json:"rate"`       // ErrorRate/(1-Target); NaN without data
	// TailP is the probability of so many bad ones or more if each were bad with
	// probability 1-Target: large when the rate may be bad luck. 1 without data.
	TailP stats.Float `json:"tail_p"`
}

// BurnRate returns the burn rate of the last w before a moment, e/(1-T) with e the
// share of bad events, or of bad slices when the objective counts slices.
//
// TailP is an exact binomial tail on whole numbers, the bad ones rounded down and
// all of them up. Samples younger than Maturity and maintenance do not count. With
// slices w is rounded down to whole ones, and only those that have ended count.
//
// Special cases: without events NoData, never a rate of 0; target 1 gives +Inf for
// any bad event and 0 otherwise.
// Errors: [stats.ErrDomain] for an objective that is not valid, a moment outside the
// years 1700 to 2200, w that is not above 0 or below one slice, or more than 2^53
// events. Cost: as [Budget].
//
// Reference: The Site Reliability Workbook, chapter 5.
func BurnRate(o Objective, samples []Sample, w time.Duration, asOf time.Time) (Burn, error) {
	if err := o.Validate(); err != nil {
		return Burn{}, err
	}
	return o.burn(newSeries(samples, o.Exclude), w, asOf)
}

// burn is the burn rate with its tail.
func (o Objective) burn(s series, w time.Duration, asOf time.Time) (Burn, error) {
	b, err := o.rate(s, w, asOf)
	if err != nil || b.NoData {
		return b, err
	}
	b.TailP, err = b.tail(errorBudget(o.Target))
	return b, err
}

// rate is the burn rate without its tail.
func (o Objective) rate(s series, w time.Duration, asOf time.Time) (Burn, error) {
	if !inRange(asOf) || w <= 0 || w > maxWindow || w < o.Slice {
		return Burn{}, fmt.Errorf("sla: BurnRate: %q over %s as of %s: %w", o.Name, w, asOf, stats.ErrDomain)
	}
	x := o.trailing(asOf.Add(-o.Maturity), w)
	t := o.tally(s, x)
	nan := stats.Float(math.NaN())
	b := Burn{From: moment(x.from), To: moment(x.to), Minutes: time.Duration(x.to - x.from).Minutes(), Bad: t.bad, Total: t.total, ErrorRate: nan, Rate: nan, TailP: 1}
	if t.noData || len(s.points) == 0 {
		b.NoData = true
		return b, nil
	}
	b.ErrorRate, b.Rate = stats.Float(t.errorRate()), share(t.errorRate(), errorBudget(o.Target))
	return b, nil
}

// tail is the probability of so many bad ones or more when each is bad with
// probability p.
func (b Burn) tail(p float64) (stats.Float, error) {
	if b.NoData {
		return 1, nil
	}
	bad, n := wholeBad(b.Bad), math.Ceil(b.Total)
	r, err := stats.BinomialTest(uint64(bad), uint64(max(bad, n)), min(1, p), stats.ExactOptions{Alternative: stats.Greater})
	if err != nil {
		return 0, fmt.Errorf("sla: BurnRate: %v bad of %v: %w", b.Bad, b.Total, err)
	}
	return stats.Float(r.P), nil
}

// wholeBad rounds down, but for what rounding in a sum has taken from a whole number.
func wholeBad(x float64) float64 { return math.Floor(x + float64(1e-9*max(1, x))) }
