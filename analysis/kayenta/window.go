package kayenta

import (
	"fmt"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Schedule says when a standalone canary analysis judges, and over which time.
type Schedule struct {
	Start    time.Time
	End      time.Time     // the zero time when the analysis runs in real time, for Lifetime
	Lifetime time.Duration // used without an End
	Interval time.Duration // between judgements; 0, or more than the lifetime, means one judgement
	Warmup   time.Duration // shifts every window; ignored with an End
	Lookback time.Duration // length of sliding windows; 0 means that windows grow from the start
	// ControlOffset is how much earlier the window of the control lies.
	ControlOffset time.Duration
}

// Window is the time that one judgement looks at, on each side.
type Window struct {
	ExperimentStart, ExperimentEnd time.Time
	ControlStart, ControlEnd       time.Time
}

// maxWindows bounds the judgements of a schedule.
const maxWindows = 100_000

// Windows returns the windows of a schedule, one for each judgement. Their number
// is the lifetime over the interval, both in whole minutes, rounded down; time
// that is left over is never judged.
//
// An error wraps [stats.ErrDomain] for a lifetime or an interval below a minute,
// negative times, or more than 100 000 judgements.
func (s Schedule) Windows() ([]Window, error) {
	life := s.Lifetime
	if !s.End.IsZero() {
		life = s.End.Sub(s.Start).Truncate(time.Minute)
	}
	interval := s.Interval
	if interval == 0 || interval > life {
		interval = life
	}
	if interval < time.Minute || s.Warmup < 0 || s.Lookback < 0 {
		return nil, fmt.Errorf("kayenta: Windows: lifetime %v, interval %v, warm-up %v, lookback %v; times are in minutes, from one up: %w", life, interval, s.Warmup, s.Lookback, stats.ErrDomain)
	}
	n := int64(life/time.Minute) / int64(interval/time.Minute)
	if n > maxWindows {
		return nil, fmt.Errorf("kayenta: Windows: %d judgements: %w", n, stats.ErrDomain)
	}
	start := s.Start
	if s.End.IsZero() {
		start = start.Add(s.Warmup)
	}
	out := make([]Window, n)
	for i := range out {
		end := start.Add(time.Duration(i+1) * interval)
		w := Window{ExperimentStart: start, ExperimentEnd: end}
		if s.Lookback > 0 {
			w.ExperimentStart = end.Add(-s.Lookback)
		}
		w.ControlStart, w.ControlEnd = w.ExperimentStart.Add(-s.ControlOffset), end.Add(-s.ControlOffset)
		out[i] = w
	}
	return out, nil
}
