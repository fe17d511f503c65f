package analysis

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// rebuilt is a spec that was read from outside, checked and in canonical form.
func (s *Spec) rebuilt() (*Spec, error) {
	out, err := NewSpec(s.Task, s.Columns...)
	if err != nil {
		return nil, err
	}
	if out, err = out.WithMetrics(s.Metrics...); err != nil {
		return nil, err
	}
	return out.WithDerived(s.Derived...)
}

func (d *MetricSummary) parts() []codec {
	return []codec{&d.Total, &d.Count, &d.Squares, &d.Distribution}
}

func (d *MetricSummary) appendBinary(b []byte) ([]byte, error) {
	b = binary.AppendUvarint(b, d.Missing)
	b = binary.AppendUvarint(b, d.Invalid)
	b = binary.AppendUvarint(b, d.Window.N)
	b = binary.AppendVarint(b, d.Window.Min)
	b = binary.AppendVarint(b, d.Window.Max)
	b = binary.AppendVarint(b, d.Gauge.At)
	b = binary.AppendUvarint(b, math.Float64bits(d.Gauge.Value))
	for _, p := range d.parts() {
		blob, err := p.MarshalBinary()
		if err != nil {
			return nil, err
		}
		b = appendBlob(b, blob)
	}
	return b, nil
}

func (d *MetricSummary) decode(r *blobReader) error {
	d.Missing, d.Invalid = r.uint(), r.uint()
	d.Window = TimeRange{N: r.uint(), Min: r.int(), Max: r.int()}
	d.Gauge = GaugeValue{At: r.int(), Value: math.Float64frombits(r.uint())}
	for _, p := range d.parts() {
		blob := r.blob()
		if r.err != nil {
			return r.err
		}
		if err := p.UnmarshalBinary(blob); err != nil {
			return err
		}
	}
	return d.validate()
}

// validate reports a decoded metric whose parts do not belong to its kind.
func (d *MetricSummary) validate() error {
	sums := d.Total.N()+d.Count.N()+d.Squares.N() > 0
	odd := d.Total.Excluded().Total()+d.Count.Excluded().Total()+d.Squares.Excluded().Total() > 0
	layout := d.Distribution.Layout().Kind()
	switch {
	case d.Window.N > 0 && d.Window.Min > d.Window.Max, d.Window.Null > 0, odd, math.IsNaN(d.Gauge.Value), math.IsInf(d.Gauge.Value, 0),
		sums && (d.Kind == DistributionMetric || d.Kind == GaugeMetric),
		d.Kind != GaugeMetric && d.Gauge != GaugeValue{},
		d.Kind != DistributionMetric && layout != summary.Unset, d.Kind == DistributionMetric && layout != summary.Unset && layout != summary.FrozenEdges:
		return fmt.Errorf("analysis: Snapshot: metric %q: its parts do not belong to a %v: %w", d.Name, d.Kind, stats.ErrMismatch)
	}
	return nil
}

type metricJSON struct {
	Name         string             `json:"name"`
	Total        *summary.Sum       `json:"total,omitempty"`
	Count        *summary.Sum       `json:"count,omitempty"`
	Squares      *summary.Sum       `json:"squares,omitempty"`
	Distribution *summary.Histogram `json:"distribution,omitempty"`
	GaugeAt      int64              `json:"gauge_at,omitempty"`
	Gauge        *float64           `json:"gauge,omitempty"`
	Window       *TimeRange         `json:"window,omitempty"`
	Missing      uint64             `json:"missing_windows,omitempty"`
	Invalid      uint64             `json:"invalid_windows,omitempty"`
}

func (d *MetricSummary) json() metricJSON {
	j := metricJSON{Name: d.Name, Missing: d.Missing, Invalid: d.Invalid}
	if d.Window != (TimeRange{}) {
		j.Window = &d.Window
	}
	switch {
	case d.Kind == GaugeMetric && d.Window.N > 0:
		j.Gauge, j.GaugeAt = &d.Gauge.Value, d.Gauge.At
	case d.Kind == DistributionMetric && d.Window.N > 0:
		j.Distribution = &d.Distribution
	}
	for _, s := range []struct {
		sum *summary.Sum
		dst **summary.Sum
	}{{&d.Total, &j.Total}, {&d.Count, &j.Count}, {&d.Squares, &j.Squares}} {
		if s.sum.N() > 0 {
			*s.dst = s.sum
		}
	}
	return j
}

func (d *MetricSummary) fromJSON(j *metricJSON) error {
	if j.Name != d.Name {
		return fmt.Errorf("analysis: Snapshot: metric %q where the spec names %q: %w", j.Name, d.Name, stats.ErrMismatch)
	}
	d.Missing, d.Invalid = j.Missing, j.Invalid
	set(&d.Total, j.Total)
	set(&d.Count, j.Count)
	set(&d.Squares, j.Squares)
	set(&d.Distribution, j.Distribution)
	set(&d.Window, j.Window)
	set(&d.Gauge.Value, j.Gauge)
	d.Gauge.At = j.GaugeAt
	return d.validate()
}
