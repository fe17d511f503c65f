package kayenta

import (
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/stats"
)

// Label is the classification of one metric.
type Label string

// The labels, in Kayenta's spelling.
const (
	Pass       Label = "Pass"
	High       Label = "High"
	Low        Label = "Low"
	NoData     Label = "Nodata"           // no values on one side; not counted in a group
	NoDataFail Label = "NodataFailMetric" // the same for a metric that must have data; counted as failed
	Error      Label = "Error"            // could not be compared; counted nowhere
)

// Rule says how two series are compared.
type Rule int8

// The rules. The judge uses the zero value only; the other one is in Kayenta's
// sources for benchmarks.
const (
	RankTest       Rule = iota // a Mann-Whitney interval of the shift against a tolerance
	MeanInequality             // any difference of the means, however small
)

// Options are the constants of the judge, which no canary config can set.
type Options struct {
	Tolerance float64 // share of the estimated shift that the interval must clear; 0 means 0.25
	Level     float64 // of the interval, in (0,1); 0 means 0.98
	Rule      Rule
}

// Comparison is what the label of a metric rests on. It is written as Kayenta's
// resultMetadata, of which Kayenta itself fills in the ratio only.
type Comparison struct {
	Ratio stats.Float `json:"ratio"` // of the means, experiment over control; 1 when the test was not needed; NaN when a mean is 0
	// Shift of the experiment against the control with its interval; Level 0
	// when there was no test.
	Shift     stats.Interval `json:"shift,omitzero"`
	Bound     stats.Float    `json:"bound"`      // the tolerance times |Shift.Point|, which the interval has to clear
	Effect    stats.Float    `json:"effectSize"` // by Measure; NaN, which no bound binds, when it has no value
	Measure   string         `json:"measure,omitempty"`
	Direction string         `json:"direction,omitempty"`
}

// Classification is the judgement of one metric.
type Classification struct {
	Label      Label
	Critical   bool   // a critical metric failed beyond its critical bound, or has no data
	Reason     string // for people
	Comparison Comparison
	Control    Stats // after cleaning
	Experiment Stats
}

// Classify judges one metric.
//
// Both sides are cleaned as s says. Then, with a side empty: Nodata, or
// NodataFailMetric when data is a must and the metric is not critical; but Pass
// with the NaN strategy replace. Equal samples are a Pass, whatever their order.
// Otherwise, with [lo, hi] the interval of the shift Δ of the experiment against
// the control, and E the effect size,
//
//	High  lo > tolerance |Δ|,   an increase is bad, and E >= allowedIncrease
//	Low   hi < -tolerance |Δ|,  a decrease is bad, and E <= allowedDecrease
//
// and Pass in all other cases; a NaN effect size counts as large enough. High and
// Low of a critical metric are critical when E also reaches criticalIncrease or
// criticalDecrease.
//
// The shift is [stats.HodgesLehmann] by the normal approximation, with an absolute
// tolerance of 1e-4 and the continuity correction kept for the estimate, which
// repeats Kayenta's numbers to 1e-9. E is the ratio of the means, or, for cles, the
// share of pairs with the experiment above the control.
//
// Special cases are:
//
//	both sides constant    Δ and both ends are the difference; Kayenta adds noise
//	                       of 1e-5 of the value, so that the label is drawn when
//	                       the values are as close as that
//	one value on each side Error; also one value against zeros: no interval exists
//	±Inf, overflow         Error; Kayenta gives no reproducible label
//
// An error wraps [stats.ErrDomain] for impossible options or settings. Cost:
// sorting, and some 50 passes.
//
// Reference: Mann and Whitney, Annals of Mathematical Statistics 18 (1947).
func Classify(control, experiment []float64, s Canary, o Options) (Classification, error) {
	if err := o.setDefaults(); err != nil {
		return Classification{}, fmt.Errorf("kayenta: Classify: %w", err)
	}
	if err := s.check(); err != nil {
		return Classification{}, fmt.Errorf("kayenta: Classify: %w", err)
	}
	base, err := s.clean(control)
	if err != nil {
		return Classification{}, err
	}
	cand, err := s.clean(experiment)
	if err != nil {
		return Classification{}, err
	}
	c := Classification{Label: Pass, Control: describe(base), Experiment: describe(cand)}
	c.Comparison = Comparison{Ratio: 1, Effect: stats.Float(math.NaN()), Direction: s.Direction}
	switch {
	case len(base) == 0 || len(cand) == 0:
		c.empty(s)
	case o.Rule == MeanInequality:
		c.compareMeans(s)
	case slices.Equal(slices.Sorted(slices.Values(base)), slices.Sorted(slices.Values(cand))):
		c.Reason = "canary and baseline hold the same values"
	case c.Control.Min == c.Control.Max && c.Experiment.Min == c.Experiment.Max && c.Control.Min == c.Experiment.Min:
		c.Reason = fmt.Sprintf("every value of canary and baseline is %v", float64(c.Control.Min))
	default:
		c.compareRanks(base, cand, s, o)
	}
	return c, nil
}

func (o *Options) setDefaults() error {
	if o.Level == 0 {
		o.Level = 0.98
	}
	if o.Tolerance == 0 {
		o.Tolerance = 0.25
	}
	if !(o.Tolerance > 0) || o.Rule < RankTest || o.Rule > MeanInequality {
		return fmt.Errorf("tolerance %v, rule %d: %w", o.Tolerance, o.Rule, stats.ErrDomain)
	}
	return stats.CheckLevel(o.Level)
}

// empty classifies a metric with no values on at least one side.
func (c *Classification) empty(s Canary) {
	c.Reason = fmt.Sprintf("no data: %d values of the baseline and %d of the canary", c.Control.Count, c.Experiment.Count)
	switch {
	case s.replaces():
		c.Reason += ", which counts as a Pass with nanStrategy replace"
	case s.MustHaveData && !s.Critical:
		c.Label = NoDataFail
		c.Reason += ", and the metric must have data"
	default:
		c.Label, c.Critical = NoData, s.Critical
	}
}

func (c *Classification) compareMeans(s Canary) {
	base, cand := float64(c.Control.Mean), float64(c.Experiment.Mean)
	switch {
	case s.upIsBad() && cand > base:
		c.Label, c.Critical = High, s.Critical
	case s.downIsBad() && cand < base:
		c.Label, c.Critical = Low, s.Critical
	}
	if c.Label != Pass {
		c.Comparison.Ratio = stats.Float(cand / base)
	}
	c.Reason = fmt.Sprintf("mean %.4g of the canary against %.4g of the baseline", cand, base)
}

func (c *Classification) compareRanks(base, cand []float64, s Canary, o Options) {
	shift, err := c.shift(base, cand, o.Level)
	e := s.EffectSize
	r := &c.Comparison
	ratio := meanRatio(base, cand)
	r.Ratio, r.Effect, r.Measure = stats.Float(ratio), stats.Float(ratio), "meanRatio"
	if err == nil && e.cles() {
		var share float64
		share, err = cles(base, cand)
		r.Effect, r.Measure = stats.Float(share), "cles"
	}
	if err != nil {
		c.Label, c.Reason = Error, fmt.Sprintf("canary and baseline cannot be compared: %v", err)
		r.Ratio, r.Effect = stats.Float(math.NaN()), stats.Float(math.NaN())
		return
	}
	bound := o.Tolerance * math.Abs(shift.Point)
	r.Shift, r.Bound = shift, stats.Float(bound)
	effect := float64(r.Effect)
	// reaches holds for NaN: an effect that has no size excuses nothing.
	reaches := func(limit *float64, up bool) bool {
		b := e.bound(limit)
		return math.IsNaN(effect) || up && effect >= b || !up && effect <= b
	}
	up, down := shift.Lo > bound, shift.Hi < -bound
	switch {
	case s.upIsBad() && up && reaches(e.AllowedIncrease, true):
		c.Label, c.Critical = High, s.Critical && reaches(e.CriticalIncrease, true)
	case s.downIsBad() && down && reaches(e.AllowedDecrease, false):
		c.Label, c.Critical = Low, s.Critical && reaches(e.CriticalDecrease, false)
	}
	c.explain(up, down, s)
}

// shift estimates how far the canary lies above the baseline.
func (c *Classification) shift(base, cand []float64, level float64) (stats.Interval, error) {
	constant := func(d Stats) bool { return d.Min == d.Max }
	if constant(c.Control) && constant(c.Experiment) {
		still := func(d Stats) bool { return d.Count == 1 || d.Min == 0 }
		if still(c.Control) && still(c.Experiment) {
			return stats.Interval{}, fmt.Errorf("%d against %d values without any spread: %w", c.Control.Count, c.Experiment.Count, stats.ErrDomain)
		}
	}
	r, err := stats.HodgesLehmann(cand, base, stats.ShiftOptions{Level: level, Method: stats.ShiftNormal, Tol: 1e-4, CorrectedPoint: true})
	if err != nil {
		return stats.Interval{}, err
	}
	if v := r.Shift; math.IsInf(v.Lo-v.Hi, 0) || math.IsNaN(v.Lo-v.Hi+v.Point) {
		return stats.Interval{}, fmt.Errorf("the shift overflows: %w", stats.ErrDomain)
	}
	return r.Shift, nil
}

// explain says in words what the label rests on.
func (c *Classification) explain(up, down bool, s Canary) {
	r := &c.Comparison
	text := fmt.Sprintf("shift %v against ±%.4g", r.Shift, float64(r.Bound))
	switch {
	case c.Label != Pass:
		text += fmt.Sprintf(", %s %.4g", r.Measure, float64(r.Effect))
	case up && !s.upIsBad() || down && !s.downIsBad():
		text += ", in the direction that is allowed"
	case up || down:
		text += fmt.Sprintf(", but %s %.4g is within what is allowed", r.Measure, float64(r.Effect))
	default:
		text += ": not clear of it"
	}
	c.Reason = string(c.Label) + ": " + text
	if c.Critical {
		c.Reason += ", critical"
	}
}
