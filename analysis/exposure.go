package analysis

import (
	"math"
	"time"
)

// exposure is how much traffic the evidence stands for. The zero value is unknown.
type exposure struct {
	known    bool
	units    uint64        // of the smaller arm
	timed    bool          // whether duration is known
	duration time.Duration // from the first to the last row of the candidate
	staged   bool          // whether the look named a stage, so that the looks tell the time
	ripe     time.Time     // when there are labels that a check waits for; zero when none does
}

// maxSpan keeps the span of a damaged clock column, in microseconds, within a
// time.Duration: a century.
const maxSpan = 3.2e15

// orSince takes the time that a stage has lasted by the looks at it for the time
// that the evidence covers, where that is not known.
func (e exposure) orSince(since time.Duration) exposure {
	if !e.timed && e.staged && since > 0 {
		e.timed, e.duration = true, since
	}
	return e
}

// alone reports whether the candidate gets all the traffic.
func (s Split) alone() bool { return s.Baseline == 0 && s.Candidate > 0 }

func exposureOf(s Stratum) exposure {
	e := exposure{known: true, staged: s.Stage != ""}
	baseline, candidate := s.Baseline, s.Candidate
	if baseline == nil && s.Split.alone() {
		baseline = candidate // all traffic goes to the candidate: nothing to wait for
	}
	if baseline == nil || candidate == nil {
		return e
	}
	if e.units = candidate.units(); !s.Split.alone() {
		e.units = min(e.units, baseline.units())
	}
	if c := candidate.ByRole(Clock); c != nil && c.Clock.N > 0 {
		e.timed = true
		e.duration = c.Clock.span()
	}
	e.addMetrics(s, baseline, candidate)
	return e
}

// addMetrics lets the metrics of providers stand for the traffic of arms without
// rows: the largest number of units of a ratio or an average, and the time that
// their windows span.
func (e *exposure) addMetrics(s Stratum, baseline, candidate *Snapshot) {
	if e.units == 0 {
		e.units = candidate.counted()
		if !s.Split.alone() {
			e.units = min(e.units, baseline.counted())
		}
	}
	if e.timed {
		return
	}
	var span TimeRange
	for i := range candidate.Metrics {
		span.merge(candidate.Metrics[i].Window)
	}
	if span.N > 0 {
		e.timed = true
		e.duration = span.span()
	}
}

// span is the time from the first to the last.
func (t TimeRange) span() time.Duration {
	return time.Duration(min(float64(t.Max)-float64(t.Min), maxSpan)) * time.Microsecond
}

// counted is the largest number of units behind a metric.
func (s *Snapshot) counted() uint64 {
	most := 0.0
	for i := range s.Metrics {
		switch m := &s.Metrics[i]; m.Kind {
		case RatioMetric, AverageMetric:
			most = max(most, m.Count.Float64())
		case DistributionMetric:
			most = max(most, float64(m.Distribution.N()))
		case RateMetric, GaugeMetric:
		}
	}
	return uint64(min(most, math.MaxInt64))
}

// units is the number of units served: rows, unless the log names units that
// repeat. It is exact when none repeats, or when all ids were kept.
func (s *Snapshot) units() uint64 {
	c := s.ByRole(Unit)
	if c == nil {
		return s.RowCount
	}
	ids, seen := c.Units.Sampled()
	if seen == 0 {
		return s.RowCount
	}
	return uint64(math.Round(float64(c.Units.Total()) * (float64(ids) / float64(seen))))
}
