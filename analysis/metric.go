package analysis

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// MetricKind says what a provider brings of a metric. Unlike the columns of a
// log, a metric comes as sums over a window of time.
type MetricKind int8

// The kinds of metrics. The zero value is no kind.
const (
	RatioMetric        MetricKind = iota + 1 // Total events among Count units, each of which has at most one
	AverageMetric                            // Count values with their sum Total and the sum of their squares
	RateMetric                               // Total events in an exposure of Count, such as seconds or requests
	DistributionMetric                       // counts in buckets
	GaugeMetric                              // one bare value a window, nothing known of its noise
)

var metricKindWords = map[MetricKind]string{RatioMetric: "ratio", AverageMetric: "average", RateMetric: "count_rate", DistributionMetric: "distribution", GaugeMetric: "gauge"}

// String returns the word used in files and reports.
func (k MetricKind) String() string { return word(metricKindWords, k) }

// MarshalText implements [encoding.TextMarshaler].
func (k MetricKind) MarshalText() ([]byte, error) {
	return marshalWord(metricKindWords, k, "kind of metric")
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *MetricKind) UnmarshalText(b []byte) error {
	return unmarshalWord(metricKindWords, k, b, "kind of metric")
}

// MetricSpec names a metric that a provider brings and says of which kind it is.
type MetricSpec struct {
	Name string     `json:"name"`
	Kind MetricKind `json:"kind"`
}

// MetricUser is a [Check] that reads metrics of providers.
type MetricUser interface {
	Check
	// Metrics lists the metrics that the check needs.
	Metrics() []MetricSpec
}

// WithMetrics returns a copy of the spec that asks for metrics, too. A metric may
// be named more than once; two kinds for one name, and an empty name, are errors
// wrapping [stats.ErrMismatch].
func (s *Spec) WithMetrics(metrics ...MetricSpec) (*Spec, error) {
	byName := map[string]MetricSpec{}
	for _, m := range slices.Concat(s.Metrics, metrics) {
		have, known := byName[m.Name]
		switch {
		case m.Name == "":
			return nil, fmt.Errorf("analysis: WithMetrics: a metric without a name: %w", stats.ErrMismatch)
		case metricKindWords[m.Kind] == "":
			return nil, fmt.Errorf("analysis: WithMetrics: metric %q has no kind: %w", m.Name, stats.ErrMismatch)
		case known && have.Kind != m.Kind:
			return nil, fmt.Errorf("analysis: WithMetrics: metric %q is both a %v and a %v: %w", m.Name, have.Kind, m.Kind, stats.ErrMismatch)
		}
		byName[m.Name] = m
	}
	out := *s
	out.Metrics = nil
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out.Metrics = append(out.Metrics, byName[name])
	}
	return &out, nil
}

// Measurement is what a provider brings of one metric of one arm over one
// window of time. Pointers are nil where the provider has nothing: that is not
// zero.
type Measurement struct {
	Metric     string
	Start, End time.Time // the window; each window of an arm is to be added once

	Total   *float64 // events, or the sum of values; of a gauge the value
	Count   *float64 // units, values or exposure
	Squares *float64 // AverageMetric: the sum of the squares of the values

	// Edges and Buckets are the counts of a DistributionMetric: Buckets[i] values in
	// [Edges[i-1], Edges[i]), the first below Edges[0] and the last from the last
	// edge on, so that there is one bucket more than there are edges.
	Edges   []float64
	Buckets []uint64
}

// MetricSummary is what is known of one metric in one arm: sums that are exact,
// so that windows add up to the same bytes in any order.
type MetricSummary struct {
	Name string
	Kind MetricKind

	Total, Count, Squares summary.Sum
	Distribution          summary.Histogram
	Gauge                 GaugeValue
	Window                TimeRange // windows with data: their number, first start, last end

	Missing uint64 // windows for which the provider had nothing
	Invalid uint64 // windows whose numbers cannot be: NaN, negative, more events than units
}

// GaugeValue is the latest value of a gauge.
type GaugeValue struct {
	At    int64   // end of its window, in microseconds since the Unix epoch
	Value float64 // of two at the same time, the larger
}

// NewSnapshot returns a snapshot without rows, to which metrics can be added.
func NewSnapshot(spec *Spec) *Snapshot { return newSnapshot(spec) }

// Metric returns the summary of the named metric, or nil when the spec does not
// ask for it.
func (s *Snapshot) Metric(name string) *MetricSummary {
	i := slices.IndexFunc(s.Metrics, func(m MetricSummary) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Metrics[i]
}

// AddMeasurement adds one window of a metric.
//
// A window without Count has no data and is counted as missing, so is one of a
// gauge without Total and one of a distribution without buckets. Where there is a
// Count, a missing Total is zero: an error counter that was never increased has
// no series yet. A NaN, an infinity, a negative number, more events than units of
// a ratio, and a window that ends before it starts are counted as invalid, and
// nothing of the window is added.
//
// A metric that the spec does not ask for, and a distribution with other edges
// than before, are errors wrapping [stats.ErrMismatch]; s is then unchanged.
func (s *Snapshot) AddMeasurement(m Measurement) error {
	dst := s.Metric(m.Metric)
	if dst == nil {
		return fmt.Errorf("analysis: AddMeasurement: the spec does not ask for a metric %q: %w", m.Metric, stats.ErrMismatch)
	}
	return dst.add(&m)
}

func (d *MetricSummary) add(m *Measurement) error {
	switch {
	case m.empty(d.Kind):
		d.Missing++
		return nil
	case !m.possible(d.Kind):
		d.Invalid++
		return nil
	}
	switch d.Kind {
	case DistributionMetric:
		l, err := summary.NewEdges(m.Edges...)
		if err != nil {
			return fmt.Errorf("analysis: AddMeasurement: metric %q: %w", m.Metric, err)
		}
		h := summary.NewHistogram(l)
		for i, n := range m.Buckets {
			h.AddN(within(m.Edges, i), n)
		}
		if err := d.Distribution.Merge(h); err != nil {
			return fmt.Errorf("analysis: AddMeasurement: metric %q: %w", m.Metric, err)
		}
	case GaugeMetric:
		d.Gauge.merge(GaugeValue{At: m.End.UnixMicro(), Value: *m.Total}, d.Window.N > 0)
	default:
		d.Count.Add(*m.Count)
		if m.Total != nil {
			d.Total.Add(*m.Total)
		}
		if d.Kind == AverageMetric {
			d.Squares.Add(*m.Squares)
		}
	}
	d.Window.merge(TimeRange{N: 1, Min: m.Start.UnixMicro(), Max: m.End.UnixMicro()})
	return nil
}

// empty reports whether the provider had nothing for the window.
func (m *Measurement) empty(k MetricKind) bool {
	switch k {
	case GaugeMetric:
		return m.Total == nil
	case DistributionMetric:
		return len(m.Buckets) == 0
	case AverageMetric:
		return m.Count == nil || *m.Count == 0
	default:
		return m.Count == nil && (m.Total == nil || *m.Total == 0) || m.Count != nil && *m.Count == 0 && (m.Total == nil || *m.Total == 0)
	}
}

// possible reports whether the numbers of the window can be.
func (m *Measurement) possible(k MetricKind) bool {
	if m.End.Before(m.Start) {
		return false
	}
	finite := func(x *float64) bool { return x != nil && !math.IsNaN(*x) && !math.IsInf(*x, 0) }
	counted := func(x *float64) bool { return finite(x) && *x >= 0 }
	switch k {
	case GaugeMetric:
		return finite(m.Total)
	case DistributionMetric:
		return len(m.Buckets) == len(m.Edges)+1 && slices.IsSorted(m.Edges)
	case AverageMetric: // the squares cannot be less than those of equal values
		return counted(m.Count) && finite(m.Total) && counted(m.Squares) &&
			*m.Squares**m.Count >= *m.Total**m.Total*(1-1e-9)
	case RatioMetric:
		return counted(m.Count) && (m.Total == nil || counted(m.Total) && *m.Total <= *m.Count)
	default:
		return counted(m.Count) && *m.Count > 0 && (m.Total == nil || counted(m.Total))
	}
}

// within is a value in bucket i.
func within(edges []float64, i int) float64 {
	switch {
	case len(edges) == 0:
		return 0
	case i == 0:
		return math.Nextafter(edges[0], math.Inf(-1))
	}
	return edges[i-1]
}

func (g *GaugeValue) merge(o GaugeValue, seen bool) {
	if !seen || cmp.Or(cmp.Compare(o.At, g.At), cmp.Compare(o.Value, g.Value)) > 0 {
		*g = o
	}
}

func (d *MetricSummary) merge(o *MetricSummary) error {
	if o.Window.N > 0 {
		d.Gauge.merge(o.Gauge, d.Window.N > 0)
	}
	d.Window.merge(o.Window)
	d.Missing += o.Missing
	d.Invalid += o.Invalid
	for _, err := range []error{
		d.Total.Merge(&o.Total), d.Count.Merge(&o.Count), d.Squares.Merge(&o.Squares), d.Distribution.Merge(&o.Distribution),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}
