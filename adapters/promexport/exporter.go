package promexport

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rampguard/rampguard/leadtime"
)

// Options configures [New]. The zero value never calls anything stale and takes the
// default bounds; a bound of 0 or below is the default.
type Options struct {
	// Now is the clock by which things are stale and flights grow old, time.Now in
	// a service. Without it the clock is the latest time that was observed, and
	// nothing grows old when nothing comes in.
	Now func() time.Time
	// MaxAge is how long a verdict, an evaluation, a gate decision or a log stands
	// for the present. After it the values are left out and the time of the last
	// one stays. 0 is for ever.
	MaxAge time.Duration

	MaxRollouts int // rollouts; a further one takes the place of the one not looked at for longest. Default 200
	MaxFindings int // findings of a rollout that have series, the worst ones. Default 200
	MaxSlices   int // different slices among them. Default 50
	MaxGroups   int // groups of lead times, stages, logs, objectives and gates, of each. Default 200

	// Env is the environment in which a flight is served, the one that
	// [leadtime.Assemble] was told; "" is Production.
	Env leadtime.Env
	// SLA is that of every track not in TrackSLA; 0 means none. It decides which
	// flights are overdue.
	SLA      time.Duration
	TrackSLA map[leadtime.Track]time.Duration
}

func (o Options) withDefaults() Options {
	for bound, def := range map[*int]int{&o.MaxRollouts: 200, &o.MaxFindings: 200, &o.MaxSlices: 50, &o.MaxGroups: 200} {
		if *bound <= 0 {
			*bound = def
		}
	}
	o.Env = cmp.Or(o.Env, leadtime.Production)
	o.TrackSLA = maps.Clone(o.TrackSLA)
	return o
}

// What may be left out for want of room, as values of the label kind.
const (
	kindRollout  = "rollout"
	kindLeadTime = "lead_time"
	kindStage    = "stage"
	kindLog      = "log"
	kindSLO      = "objective"
	kindGate     = "gate"
)

// Exporter is a [prometheus.Collector] of what it was last told. It is safe for use
// by several goroutines at once.
type Exporter struct {
	o Options

	mu       sync.Mutex
	latest   time.Time // that was observed
	rollouts map[string]*rollout
	leads    map[leadKey]*histogram
	stages   map[stageKey]*histogram
	logs     map[string]*flightLog
	slos     map[sloKey]*objective
	gates    map[string]*gate
	omitted  map[string]uint64 // by kind
}

// New returns an exporter that has nothing to tell yet.
func New(o Options) *Exporter {
	return &Exporter{
		o:        o.withDefaults(),
		rollouts: map[string]*rollout{},
		leads:    map[leadKey]*histogram{},
		stages:   map[stageKey]*histogram{},
		logs:     map[string]*flightLog{},
		slos:     map[sloKey]*objective{},
		gates:    map[string]*gate{},
		omitted:  map[string]uint64{kindRollout: 0, kindLeadTime: 0, kindStage: 0, kindLog: 0, kindSLO: 0, kindGate: 0},
	}
}

// Describe implements [prometheus.Collector].
func (e *Exporter) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range []metric{
		verdictState, verdictInfo, manualPause, rolloutFinished, verdictsTotal, looksTotal, attemptNumber, checkAfter, lastLook, stageStart,
		findingsByOutcome, findingsOmitted, findingOutcome, findingEstimate, findingLower, findingUpper, findingLimit, driftValue,
		budgetAlpha, budgetLimit, budgetSpent,
		leadSeconds, stageSeconds, inFlight, inFlightAge, inFlightOverdue, leadSLA, logObserved,
		sloTarget, sloSLI, sloRemaining, sloState, sloBurn, sloAlert, sloEvaluated,
		gateState, gateDecided, groupsOmitted,
	} {
		ch <- m.desc
	}
}

// Collect implements [prometheus.Collector].
func (e *Exporter) Collect(ch chan<- prometheus.Metric) {
	for _, m := range e.collect() {
		ch <- m
	}
}

func (e *Exporter) collect() []prometheus.Metric {
	var s sink
	if e.o.Now != nil {
		s.now = e.o.Now()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.o.Now == nil {
		s.now = e.latest
	}
	for _, r := range e.rollouts {
		r.collect(&s, e.stale(s.now, r.at))
	}
	e.collectLeadTime(&s)
	for _, o := range e.slos {
		o.collect(&s, e.stale(s.now, o.at))
	}
	for _, g := range e.gates {
		g.collect(&s, e.stale(s.now, g.at))
	}
	for kind, n := range e.omitted {
		s.put(groupsOmitted, float64(n), kind)
	}
	return s.out
}

// stale reports whether what was observed at a time no longer stands for the present.
func (e *Exporter) stale(now, at time.Time) bool {
	return e.o.MaxAge > 0 && now.Sub(at) > e.o.MaxAge
}

// saw moves the clock of an exporter without one.
func (e *Exporter) saw(at time.Time) {
	if at.After(e.latest) {
		e.latest = at
	}
}

// Forget drops a rollout, with its counters.
func (e *Exporter) Forget(rollout string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.rollouts, labelValue(rollout))
}

// evict makes room for one more rollout.
func (e *Exporter) evict() {
	if len(e.rollouts) < e.o.MaxRollouts {
		return
	}
	names := slices.Sorted(maps.Keys(e.rollouts))
	oldest := slices.MinFunc(names, func(a, b string) int { return e.rollouts[a].at.Compare(e.rollouts[b].at) })
	delete(e.rollouts, oldest)
	e.omitted[kindRollout]++
}

// room reports whether a map of groups takes one more; if not it counts that.
func (e *Exporter) room(kind string, have int) bool {
	if have < e.o.MaxGroups {
		return true
	}
	e.omitted[kind]++
	return false
}
