package promexport

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rampguard/rampguard/leadtime"
)

type (
	leadKey  struct{ model, track, env string }
	stageKey struct{ track, stage string }
	waitKey  struct{ model, track string }
)

// unattributed is the stage of the time after the last stage, or of all of it.
const unattributed = "unattributed"

// LeadTimeBuckets returns the bucket edges of model_deployment_lead_time_seconds, in
// seconds: 1h 4h 12h 24h 48h 72h 120h 168h 240h 336h 720h. The bands of
// [leadtime.ModelBands] and the usual SLAs are among them, so that shares within them
// are exact and only quantiles are interpolated.
func LeadTimeBuckets() []float64 { return seconds(leadEdges()) }

// StageBuckets returns the bucket edges of model_deployment_stage_seconds, in seconds:
// 1m 5m 15m 30m, then those of [LeadTimeBuckets].
func StageBuckets() []float64 { return seconds(stageEdges()) }

func leadEdges() []time.Duration {
	out := []time.Duration{1, 4, 12, 24, 48, 72, 120, 168, 240, 336, 720}
	for i := range out {
		out[i] *= time.Hour
	}
	return out
}

func stageEdges() []time.Duration {
	return append([]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}, leadEdges()...)
}

func seconds(edges []time.Duration) []float64 {
	out := make([]float64, len(edges))
	for i, d := range edges {
		out[i] = d.Seconds()
	}
	return out
}

// histogram counts durations; one equal to an edge is within it.
type histogram struct {
	edges []time.Duration
	cells []uint64 // the last one is beyond the edges
	n     uint64
	sum   float64 // seconds
}

func newHistogram(edges []time.Duration) *histogram {
	return &histogram{edges: edges, cells: make([]uint64, len(edges)+1)}
}

func (h *histogram) observe(d time.Duration) {
	i, _ := slices.BinarySearch(h.edges, d)
	h.cells[i]++
	h.n++
	h.sum += d.Seconds()
}

func (h *histogram) collect(s *sink, m metric, labels ...string) {
	cumulative, n := make(map[float64]uint64, len(h.edges)), uint64(0)
	for i, edge := range h.edges {
		n += h.cells[i]
		cumulative[edge.Seconds()] = n
	}
	s.out = append(s.out, prometheus.MustNewConstHistogram(m.desc, h.n, h.sum, cumulative, labels...))
}

// flightLog is what is known of one log of flights.
type flightLog struct {
	at      time.Time
	counted map[flightEnv]bool
	groups  map[waitKey]bool        // that it has flights of
	waiting map[waitKey][]time.Time // sign-offs of the flights in flight
}

type flightEnv struct {
	key leadtime.FlightKey
	env leadtime.Env
}

// ObserveLeadTime takes note of all flights of a log as they were at a time, such as
// those of [leadtime.Assemble]. log names the log, so that several may be observed side
// by side.
//
// A flight that has served counts once, at the first call that shows it so, for its
// own environment, for each one that it passed, and for its stages; a flight that a
// call no longer holds may be forgotten, so let a window of flights only move on.
// Those in flight are replaced by every call. Rejected and withdrawn flights, and
// those without a sign-off, are no durations and are not counted. A call from before
// the last one of the log is ignored.
func (e *Exporter) ObserveLeadTime(log string, flights []leadtime.Flight, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	log = labelValue(log)
	last := e.logs[log]
	if last != nil && at.Before(last.at) || last == nil && !e.room(kindLog, len(e.logs)) {
		return
	}
	e.saw(at)
	next := &flightLog{at: at, counted: map[flightEnv]bool{}, groups: map[waitKey]bool{}, waiting: map[waitKey][]time.Time{}}
	for i := range flights {
		f := &flights[i]
		if f.SignOff.IsZero() || f.Ended.Before(f.SignOff) {
			continue
		}
		track := cmp.Or(f.Track, leadtime.Standard)
		first := func(env leadtime.Env) bool {
			k := flightEnv{f.Key, env}
			again := next.counted[k] || last != nil && last.counted[k]
			next.counted[k] = true
			return !again
		}
		for _, a := range f.Arrivals {
			if a.Env != e.o.Env && first(a.Env) {
				e.lead(f, track, a.Env).observe(max(0, a.At.Sub(f.SignOff)))
			}
		}
		k := waitKey{labelValue(f.Key.Model), labelValue(string(track))}
		next.groups[k] = true
		switch {
		case f.State == leadtime.InFlight:
			next.waiting[k] = append(next.waiting[k], f.SignOff)
			e.lead(f, track, e.o.Env) // its series begins at 0, so that the first one to serve is an increase
		case f.State == leadtime.Served && first(e.o.Env):
			e.lead(f, track, e.o.Env).observe(f.Lead(nil))
			e.stagesOf(f, track)
		}
	}
	e.logs[log] = next
}

// ForgetLeadTime drops what is in flight in a log. The histograms stay: they are sums
// over all logs.
func (e *Exporter) ForgetLeadTime(log string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.logs, labelValue(log))
}

// lead is the histogram of the group of a flight; without room for it one that nobody
// sees.
func (e *Exporter) lead(f *leadtime.Flight, track leadtime.Track, env leadtime.Env) *histogram {
	k := leadKey{labelValue(f.Key.Model), labelValue(string(track)), labelValue(string(env))}
	return group(e, e.leads, k, kindLeadTime, leadEdges)
}

func group[K comparable](e *Exporter, all map[K]*histogram, k K, kind string, edges func() []time.Duration) *histogram {
	h := all[k]
	if h == nil {
		h = newHistogram(edges())
		if e.room(kind, len(all)) {
			all[k] = h
		}
	}
	return h
}

func (e *Exporter) stagesOf(f *leadtime.Flight, track leadtime.Track) {
	a, err := leadtime.Attribute(f, leadtime.BreakdownOptions{})
	if err != nil { // only for options that these are not
		return
	}
	observe := func(stage string, d time.Duration) {
		group(e, e.stages, stageKey{labelValue(string(track)), labelValue(stage)}, kindStage, stageEdges).observe(d)
	}
	for _, s := range a.Stages {
		observe(s.Stage, s.Total())
	}
	if a.Unattributed > 0 {
		observe(unattributed, a.Unattributed)
	}
}

// waits are the flights in flight of a model and track.
type waits struct {
	n, overdue int
	oldest     time.Duration
}

func (e *Exporter) collectLeadTime(s *sink) {
	for k, h := range e.leads {
		h.collect(s, leadSeconds, k.model, k.track, k.env)
	}
	for k, h := range e.stages {
		h.collect(s, stageSeconds, k.track, k.stage)
	}
	tracks := map[string]bool{}
	all := map[waitKey]*waits{}
	for name, log := range e.logs {
		s.stamp(logObserved, log.at, name)
		if e.stale(s.now, log.at) {
			continue
		}
		for k := range log.groups {
			tracks[k.track] = true
			if e.leads[leadKey{k.model, k.track, labelValue(string(e.o.Env))}] == nil {
				continue // nothing but flights that are no durations, or no room
			}
			if all[k] == nil {
				all[k] = &waits{}
			}
			all[k].add(log.waiting[k], s.now, e.sla(k.track))
		}
	}
	for k, w := range all {
		s.put(inFlight, float64(w.n), k.model, k.track)
		if w.n > 0 {
			s.put(inFlightAge, w.oldest.Seconds(), k.model, k.track)
		}
		if e.sla(k.track) > 0 {
			s.put(inFlightOverdue, float64(w.overdue), k.model, k.track)
		}
	}
	for track := range tracks {
		if d := e.sla(track); d > 0 {
			s.put(leadSLA, d.Seconds(), track)
		}
	}
}

func (w *waits) add(signed []time.Time, now time.Time, sla time.Duration) {
	for _, t := range signed {
		age := max(0, now.Sub(t))
		w.n++
		w.oldest = max(w.oldest, age)
		if sla > 0 && age > sla {
			w.overdue++
		}
	}
}

// sla is the SLA of the track with a label, 0 when there is none.
func (e *Exporter) sla(track string) time.Duration {
	for t, d := range e.o.TrackSLA {
		if labelValue(string(t)) == track {
			return d
		}
	}
	return e.o.SLA
}
