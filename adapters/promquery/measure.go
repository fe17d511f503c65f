package promquery

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// reading makes the measurement of one arm out of what its queries brought.
type reading struct {
	metric     *metricPlan
	start, end time.Time
	part       func(key string) series
	zero       bool // events without a series are none
	note       string
}

// measure returns the measurement; with ErrNoData it is one of a missing window.
func (r *reading) measure() (analysis.Measurement, error) {
	m := analysis.Measurement{Metric: r.metric.Name, Start: r.start, End: r.end}
	var err error
	switch r.metric.Kind {
	case analysis.RatioMetric:
		m.Count, m.Total, err = r.ratio()
	case analysis.RateMetric:
		m.Count, m.Total, err = r.rate()
	case analysis.AverageMetric:
		m.Count, m.Total, m.Squares, err = r.average()
	default:
		m.Edges, m.Buckets, err = r.distribution()
	}
	if err != nil {
		return analysis.Measurement{Metric: m.Metric, Start: m.Start, End: m.End}, err
	}
	return m, nil
}

// number is the only number that a query brought.
func (r *reading) number(key string) (*float64, error) {
	s, err := r.only(key)
	if err != nil {
		return nil, err
	}
	if s.Value == nil {
		return nil, fmt.Errorf("%s: a histogram, not a number: %w", key, ErrResult)
	}
	return &s.Value.value, nil
}

func (r *reading) only(key string) (*sample, error) {
	s := r.part(key)
	switch {
	case s.err != nil:
		return nil, s.err
	case len(s.samples) == 0:
		return nil, fmt.Errorf("%s: no series: %w", key, ErrNoData)
	case len(s.samples) > 1:
		return nil, fmt.Errorf("%s: %d series; sum them: %w", key, len(s.samples), ErrSeveral)
	}
	return s.samples[0], nil
}

// events is the number of events. Without a series it is 0 when that may be.
func (r *reading) events() (*float64, error) {
	s := r.part("events")
	_, exposed := r.metric.parts["exposure"]
	switch {
	case s.err != nil || len(s.samples) > 0:
		return r.number("events")
	case r.metric.Kind == analysis.RateMetric && !exposed:
		// The seconds of the window count only while something could have counted
		// events: an arm that is gone has no exposure.
		return nil, fmt.Errorf("events: no series; without a query for exposure nothing shows that the arm was served: %w", ErrNoData)
	case r.zero:
		return new(float64), nil
	}
	return nil, fmt.Errorf("events: no series in any arm: a name misspelt, or say zero_when_absent: true: %w", ErrNoData)
}

func (r *reading) ratio() (units, events *float64, err error) {
	if units, err = r.number("units"); err != nil {
		return nil, nil, err
	}
	if *units == 0 { // nothing was served; events that are absent say nothing
		return nil, nil, fmt.Errorf("units: none in the window: %w", ErrNoData)
	}
	if events, err = r.events(); err != nil {
		return nil, nil, err
	}
	if *events > *units && *events <= *units*(1+1e-9) {
		events = units // a sum of extrapolations, added in another order
	}
	return units, events, nil
}

func (r *reading) rate() (exposure, events *float64, err error) {
	if _, own := r.metric.parts["exposure"]; !own {
		seconds := r.end.Sub(r.start).Seconds()
		exposure = &seconds
	} else if exposure, err = r.number("exposure"); err != nil {
		return nil, nil, err
	}
	if *exposure == 0 {
		return nil, nil, fmt.Errorf("exposure: none in the window: %w", ErrNoData)
	}
	if events, err = r.events(); err != nil {
		return nil, nil, err
	}
	return exposure, events, nil
}

func (r *reading) average() (count, sum, squares *float64, err error) {
	if _, own := r.metric.parts["count"]; !own {
		s, err := r.only("histogram")
		if err != nil {
			return nil, nil, nil, err
		}
		if s.Histogram == nil {
			return nil, nil, nil, fmt.Errorf("histogram: a number, not a native histogram; a classic one needs the queries sum and count beside it: %w", ErrResult)
		}
		n, total := float64(s.Histogram.Histogram.Count), float64(s.Histogram.Histogram.Sum)
		count, sum = &n, &total
	} else {
		if count, err = r.number("count"); err != nil {
			return nil, nil, nil, err
		}
		if sum, err = r.number("sum"); err != nil {
			return nil, nil, nil, err
		}
	}
	if *count == 0 {
		return nil, nil, nil, fmt.Errorf("count: none in the window: %w", ErrNoData)
	}
	if _, own := r.metric.parts["squares"]; own {
		squares, err = r.number("squares")
		return count, sum, squares, err
	}
	h, err := r.cells()
	if err != nil {
		return nil, nil, nil, err
	}
	most, err := h.squares(*count, r.metric.Max)
	if err != nil {
		return nil, nil, nil, err
	}
	r.note = fmt.Sprintf("%s: the variance is the largest that the buckets allow, so intervals are wider than they had to be.", r.metric.Name)
	return count, sum, &most, nil
}

func (r *reading) distribution() ([]float64, []uint64, error) {
	h, err := r.cells()
	if err != nil {
		return nil, nil, err
	}
	var cells []float64
	edges := r.metric.Edges
	if h.native {
		if edges == nil {
			edges = octaves(r.metric.PerOctave)
		}
		cells, err = h.into(edges, r.metric.Edges == nil)
		r.note = fmt.Sprintf("%s: a native histogram; a value is known to within its bucket.", r.metric.Name)
	} else {
		edges, cells, err = h.keep(edges)
		r.note = fmt.Sprintf("%s: a classic histogram of %d buckets; quantiles and drift are known to within a bucket.", r.metric.Name, len(cells))
	}
	if err != nil {
		return nil, nil, err
	}
	counts, ok := whole(cells)
	if !ok {
		// What cannot be counted is told as a window whose numbers cannot be: it
		// has one bucket too few for its edges.
		return edges, make([]uint64, len(edges)), nil
	}
	return edges, counts, nil
}

// whole rounds the counts of cells so that every sum from the left is off by half
// at most; false when a count is not finite, or below 0.
func whole(cells []float64) ([]uint64, bool) {
	out := make([]uint64, len(cells))
	var sum, before float64
	for i, n := range cells {
		sum += n
		at := math.Floor(sum + 0.5)
		if !(n >= 0) || !(at < 1<<47) {
			return nil, false
		}
		out[i], before = uint64(at-before), at
	}
	return out, true
}

// maxPoints is the number of values of a gauge that one collection asks for.
const maxPoints = 1000

// gauge asks for the values at the multiples of Step in the window, each of which
// is a window of its own, so that a look that comes early brings nothing twice.
func (c *collection) gauge(ctx context.Context, m *metricPlan) error {
	step := c.client.Step
	s := int64(step / time.Second)
	last := time.Unix(c.Window.End.Unix()/s*s, 0).UTC()
	n := min(int64(last.Sub(c.Window.Start)/step), maxPoints)
	if n < 1 {
		c.fault(m, -1, fmt.Errorf("no whole step of %v has passed: %w", step, ErrNoData))
		return nil
	}
	first := last.Add(-time.Duration(n-1) * step)
	got := c.ask(ctx, m, "value", m.parts["value"], step, last, func(ctx context.Context, q string) (result, error) {
		return c.client.over(ctx, q, first, last, step)
	})
	for i, s := range got {
		if c.arm(i) == nil {
			continue
		}
		newest, err := c.points(m, i, s, first, last)
		switch {
		case err != nil:
			c.fault(m, i, err)
		case c.client.MaxAge > 0 && last.Sub(newest) > c.client.MaxAge:
			c.fault(m, i, fmt.Errorf("value: the newest is of %v: %w", newest.Format(time.RFC3339), ErrStale))
		}
	}
	return nil
}

// points adds the values of one arm and returns the time of the newest.
func (c *collection) points(m *metricPlan, arm int, s series, first, last time.Time) (newest time.Time, err error) {
	switch {
	case s.err != nil:
		return newest, s.err
	case len(s.streams) > 1:
		return newest, fmt.Errorf("value: %d series: %w", len(s.streams), ErrSeveral)
	case len(s.streams) == 1 && len(s.streams[0].Histograms) > 0:
		return newest, fmt.Errorf("value: a histogram, not a number: %w", ErrResult)
	}
	at := map[int64]float64{}
	if len(s.streams) == 1 {
		for _, p := range s.streams[0].Values {
			at[p.at.Unix()] = p.value
		}
	}
	for t := first; !t.After(last); t = t.Add(c.client.Step) {
		ms := analysis.Measurement{Metric: m.Name, Start: t.Add(-c.client.Step), End: t}
		if v, ok := at[t.Unix()]; ok && !math.IsNaN(v) {
			ms.Total, newest = &v, t
		}
		if err := c.add(m, arm, ms); err != nil {
			return newest, err
		}
	}
	if newest.IsZero() {
		return newest, fmt.Errorf("value: no series, or NaN only: %w", ErrNoData)
	}
	return newest, nil
}
