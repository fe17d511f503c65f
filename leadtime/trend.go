package leadtime

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// TrendOptions configures [Trend]. The zero value tests all releases of the
// standard track at level 0.95.
type TrendOptions struct {
	Options        // AsOf, Since, Until, Calendar, Env, Level; always by completion
	Track   Track  // "" is Standard: tracks are not pooled
	Model   string // "" is all models
}

// TrendDirection is what a trend test says.
type TrendDirection int8

// The directions. NoTrend means that none was shown, not that there is none.
const (
	NoTrend   TrendDirection = iota
	Improving                // lead times fall
	Worsening                // lead times rise
)

// TrendResult is a test for a trend of lead times, in hours.
type TrendResult struct {
	Direction  TrendDirection `json:"direction"`  // of a conclusive trend, else NoTrend
	Conclusive bool           `json:"conclusive"` // P <= 1 - level
	P          stats.Float    `json:"p"`          // two-sided; NaN without releases
	// PMin is the smallest P that so many releases can have, 2/n! for the exact
	// test: with 4 it is 0.083, and nothing can be conclusive at 0.95.
	PMin  stats.Float `json:"p_min"`
	S     int64       `json:"s"` // pairs that rise minus pairs that fall
	Tau   float64     `json:"tau"`
	Exact bool        `json:"exact"`
	// Slope is the change of lead time per 30 days of calendar time; NaN where
	// fewer than two releases differ in time, or there are more than 4000.
	Slope    stats.Interval  `json:"slope_h_per_30d"`
	N        uint64          `json:"n"`         // releases, in the order of completion
	InFlight uint64          `json:"in_flight"` // not in the test
	Method   string          `json:"method"`
	Warnings []stats.Warning `json:"warnings,omitempty"` // small_sample, survivorship, and those of the test
}

// Trend tests whether lead times fall or rise over time: the test of
// Mann and Kendall, and the slope of Theil and Sen, on the releases in the order
// of their completion.
//
// The releases themselves are tested and not a series of quarters. Four quarters
// have four points, and even in strict order those have P = 2/4! = 0.083; rolling
// windows have more points, but share releases, so that P means nothing.
//
// Assumptions: independent releases. A release that has not been completed is not
// in the test: when slow ones pile up, a trend looks better than it is
// ("survivorship").
//
// Special cases are: no release gives NaN; releases completed in the same instant
// are tied in time, and their order does not matter.
//
// Errors: [stats.ErrDomain] for options that [Summarize] refuses. Cost: n log n;
// n^2 for the slope, and n^3 for an exact P below 50 releases.
//
// References: those of [stats.MannKendall] and [stats.TheilSen].
func Trend(flights []Flight, o TrendOptions) (TrendResult, error) {
	const name = "Trend"
	o.Cohort = ByCompletion
	views, err := o.series(flights, cmp.Or(o.Track, Standard), o.Model)
	if err != nil {
		return TrendResult{}, fmt.Errorf("leadtime: %s: %w", name, err)
	}
	level := orLevel(o.Level)
	r := TrendResult{P: stats.Float(math.NaN()), PMin: stats.Float(math.NaN()), Method: "no completed release"}
	r.Slope = stats.Interval{Point: math.NaN(), Lo: math.Inf(-1), Hi: math.Inf(1), Level: level}
	var days, hours []float64
	for _, v := range views {
		if !v.done {
			r.InFlight++
			continue
		}
		if r.N++; r.N == 1 {
			days = append(days, 0)
		} else {
			days = append(days, v.stopped.Sub(views[0].stopped).Hours()/24)
		}
		hours = append(hours, v.lead.Hours())
	}
	if r.InFlight > 0 {
		r.Warnings = append(r.Warnings, stats.Warning{Code: WarnSurvivorship,
			Message: fmt.Sprintf("%d releases in flight are not in the test", r.InFlight)})
	}
	if r.N == 0 {
		return r, nil
	}
	t, err := stats.MannKendall(days, hours, stats.TrendOptions{})
	if err != nil {
		return TrendResult{}, fmt.Errorf("leadtime: %s: %w", name, err)
	}
	r.P, r.S, r.Tau, r.Exact, r.Method = stats.Float(t.P), t.S, t.Tau, t.Exact, t.Method
	r.Warnings = append(r.Warnings, t.Warnings...)
	pmin := smallestTrendP(r.N)
	r.PMin = stats.Float(pmin)
	if pmin > 1-level {
		r.Warnings = append(r.Warnings, stats.Warning{Code: stats.WarnSmallSample,
			Message: fmt.Sprintf("%d releases cannot show a trend: their smallest P is %.3g", r.N, pmin)})
	}
	// The normal approximation of tied samples must not reach what no order can.
	r.Conclusive = t.P <= 1-level && pmin <= 1-level
	if r.Conclusive {
		if r.Direction = Worsening; t.S < 0 {
			r.Direction = Improving
		}
	}
	if r.N > maxSlope {
		r.Warnings = append(r.Warnings, stats.Warning{Code: WarnNoSlope, Message: fmt.Sprintf("%d releases are more than the slope is computed for", r.N)})
	} else if days[len(days)-1] > days[0] {
		s, err := stats.TheilSen(days, hours, level)
		if err != nil {
			return TrendResult{}, fmt.Errorf("leadtime: %s: %w", name, err)
		}
		r.Slope = stats.Interval{Point: 30 * s.Slope.Point, Lo: 30 * s.Slope.Lo, Hi: 30 * s.Slope.Hi, Level: level}
		r.Warnings = append(r.Warnings, s.Warnings...)
	}
	return r, nil
}

// WarnNoSlope is the warning code of a [TrendResult] over too many releases for a
// slope.
const WarnNoSlope = "no_slope"

// maxSlope is how many points a Theil-Sen line is fitted to.
const maxSlope = 4000

// smallestTrendP is 2/n!, the two-sided P of a strictly monotone series.
func smallestTrendP(n uint64) float64 {
	p := 2.0
	for i := uint64(2); i <= n && p > 0; i++ {
		p /= float64(i)
	}
	return min(1, p)
}

// series are the views of one track, and of one model unless it is "", in the
// headline environment: the completed by completion, then those in flight.
func (o Options) series(flights []Flight, track Track, model string) ([]view, error) {
	o.ByModel = model != ""
	o, err := o.ready(flights)
	if err != nil {
		return nil, err
	}
	g := collect(flights, o, &Report{}).groups[groupKey{o.Env, track, model}]
	if g == nil {
		return nil, nil
	}
	slices.SortFunc(g.views, func(a, b view) int {
		if a.done != b.done {
			if a.done {
				return -1
			}
			return 1
		}
		return cmp.Or(a.stopped.Compare(b.stopped), compareKeys(a.flight.Key, b.flight.Key))
	})
	return g.views, nil
}
