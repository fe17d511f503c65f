package leadtime

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// BreakdownOptions configures [Attribute] and [Breakdown].
type BreakdownOptions struct {
	Sharing Sharing
	// Order is the order of the stages, for Priority and for the output. Stages it
	// does not name follow by name.
	Order    []string
	Calendar Calendar           // nil is the wall clock
	Level    float64            // of the intervals of quantiles; 0 means 0.95
	Type     stats.QuantileType // 0 means type 7
}

// StageTime is what one stage took of a flight.
//
// Exclusive, Wait and Retry are parts of the lead time and add up; Raw and Failed
// are not, for stages may run at the same time.
type StageTime struct {
	Stage     string        `json:"stage"`
	Exclusive time.Duration `json:"exclusive_ns"` // its part of the time in which it ran
	Wait      time.Duration `json:"wait_ns"`      // nothing ran, and it was the next to start
	Retry     time.Duration `json:"retry_ns"`     // nothing ran, and the next was another attempt at it
	Raw       time.Duration `json:"raw_ns"`       // it ran, alone or not
	Failed    time.Duration `json:"failed_ns"`    // attempts at it that failed, added up
	Attempts  int           `json:"attempts"`
	Failures  int           `json:"failures"`
}

// Total is the part of the lead time that the stage owns.
func (s StageTime) Total() time.Duration { return s.Exclusive + s.Wait + s.Retry }

// Attribution says where the lead time of one flight went. To the nanosecond,
//
//	Total = Unattributed + the Total of every stage
type Attribution struct {
	Flight       FlightKey     `json:"flight"`
	Total        time.Duration `json:"total_ns"`
	Stages       []StageTime   `json:"stages,omitempty"` // in stage order
	Unattributed time.Duration `json:"unattributed_ns"`  // after the last stage, or all of it when there was none
}

// Longest returns the stage that owns most of the flight, the first in stage
// order of several, or "" when no stage ran.
func (a Attribution) Longest() string {
	if len(a.Stages) == 0 {
		return ""
	}
	// MaxFunc returns the first of equal ones.
	return slices.MaxFunc(a.Stages, func(x, y StageTime) int { return cmp.Compare(x.Total(), y.Total()) }).Stage
}

// Attribute divides the time from sign-off to the end of the clock among the
// stages of a flight.
//
// Every moment has one owner or, shared out, several. While k stages run each
// owns a k-th of it (EqualSplit), or the first in stage order owns it (Priority).
// While none runs the stage that starts next owns it: as Retry when its next
// attempt is not its first, else as Wait, which is where the queue before an
// approval shows. What comes after the last stage is Unattributed. Two attempts
// at one stage that overlap, in two regions for example, count as the stage
// running once.
//
// Parts are whole nanoseconds. What a division leaves over goes, one nanosecond
// each, to the first stages in stage order, so that the parts sum to the total.
//
// Special cases are: what a stage did before sign-off or after the end of the
// clock does not count; a flight without stages is Unattributed as a whole.
//
// Errors: [stats.ErrDomain] for an unknown Sharing. Cost: O(b*s) for s attempts
// with b different stamps.
func Attribute(f *Flight, o BreakdownOptions) (Attribution, error) {
	if o.Sharing != EqualSplit && o.Sharing != Priority {
		return Attribution{}, fmt.Errorf("leadtime: Attribute: %v: %w", o.Sharing, stats.ErrDomain)
	}
	var s sweep
	return s.attribute(f, o), nil
}

// sweep is the work space of attribute, to be used again for the next flight.
type sweep struct {
	stages []StageTime
	spans  []spanOf
	stamps []time.Time
	owners []int
	retry  []bool // by owner: the next attempt is not its first
}

// spanOf is a segment cut to the clock of its flight.
type spanOf struct {
	stage      int
	attempt    int
	start, end time.Time
}

func (s *sweep) attribute(f *Flight, o BreakdownOptions) Attribution {
	a := Attribution{Flight: f.Key, Total: f.Lead(o.Calendar)}
	s.collect(f, o)
	if len(s.spans) == 0 {
		a.Unattributed = a.Total
		return a
	}
	for i, from := range s.stamps[:len(s.stamps)-1] {
		to := s.stamps[i+1]
		d := between(o.Calendar, from, to)
		if running := s.running(from, to); running {
			for _, k := range s.owners {
				s.stages[k].Raw += d
			}
			s.share(o.Sharing, d, func(k int, part time.Duration) { s.stages[k].Exclusive += part })
			continue
		}
		if !s.next(to) {
			a.Unattributed += d
			continue
		}
		s.share(o.Sharing, d, func(k int, part time.Duration) {
			if s.retry[k] {
				s.stages[k].Retry += part
			} else {
				s.stages[k].Wait += part
			}
		})
	}
	a.Stages = slices.Clone(s.stages)
	return a
}

// collect fills stages, in stage order, spans, by start, and stamps, ascending
// and each once.
func (s *sweep) collect(f *Flight, o BreakdownOptions) {
	s.stages, s.spans, s.stamps = s.stages[:0], s.spans[:0], s.stamps[:0]
	for i := range f.Segments {
		if g := &f.Segments[i]; inClock(f, g) && !slices.ContainsFunc(s.stages, func(t StageTime) bool { return t.Stage == g.Stage }) {
			s.stages = append(s.stages, StageTime{Stage: g.Stage})
		}
	}
	slices.SortFunc(s.stages, func(x, y StageTime) int { return compareStages(o.Order, x.Stage, y.Stage) })
	s.retry = slices.Grow(s.retry[:0], len(s.stages))[:len(s.stages)]
	s.stamps = append(s.stamps, f.SignOff, f.Ended)
	for i := range f.Segments {
		g := &f.Segments[i]
		if !inClock(f, g) {
			continue
		}
		k := slices.IndexFunc(s.stages, func(t StageTime) bool { return t.Stage == g.Stage })
		p := spanOf{k, g.Attempt, later(g.Start, f.SignOff), earlier(g.End, f.Ended)}
		s.spans = append(s.spans, p)
		s.stamps = append(s.stamps, p.start, p.end)
		s.stages[k].Attempts++
		if g.Outcome == Failed {
			s.stages[k].Failures++
			s.stages[k].Failed += between(o.Calendar, p.start, p.end)
		}
	}
	slices.SortFunc(s.spans, func(x, y spanOf) int { return x.start.Compare(y.start) })
	slices.SortFunc(s.stamps, time.Time.Compare)
	s.stamps = slices.CompactFunc(s.stamps, time.Time.Equal)
}

// inClock reports whether g has a moment of the flight's clock, or is a point of
// it.
func inClock(f *Flight, g *Segment) bool {
	if f.Ended.Before(f.SignOff) {
		return false
	}
	if g.Start.Equal(g.End) {
		return !g.Start.Before(f.SignOff) && !g.Start.After(f.Ended)
	}
	return g.Start.Before(f.Ended) && g.End.After(f.SignOff)
}

// running puts the stages that run from one stamp to the next into owners.
func (s *sweep) running(from, to time.Time) bool {
	s.owners = s.owners[:0]
	for _, p := range s.spans {
		if p.start.After(from) {
			break
		}
		if !p.end.Before(to) {
			s.own(p.stage)
		}
	}
	slices.Sort(s.owners)
	return len(s.owners) > 0
}

// next puts the stages that start first at or after the stamp into owners.
func (s *sweep) next(at time.Time) bool {
	s.owners = s.owners[:0]
	var first time.Time
	for _, p := range s.spans {
		if p.start.Before(at) {
			continue
		}
		if len(s.owners) > 0 && p.start.After(first) {
			break
		}
		first = p.start
		if s.own(p.stage) {
			s.retry[p.stage] = true
		}
		s.retry[p.stage] = s.retry[p.stage] && p.attempt > 1
	}
	slices.Sort(s.owners)
	return len(s.owners) > 0
}

func (s *sweep) own(stage int) bool {
	if slices.Contains(s.owners, stage) {
		return false
	}
	s.owners = append(s.owners, stage)
	return true
}

// share divides d among the owners without losing a nanosecond.
func (s *sweep) share(by Sharing, d time.Duration, give func(stage int, part time.Duration)) {
	if by == Priority {
		give(s.owners[0], d)
		return
	}
	n := time.Duration(len(s.owners))
	part, over := d/n, d%n
	for i, k := range s.owners {
		if time.Duration(i) < over {
			give(k, part+1)
		} else {
			give(k, part)
		}
	}
}

// compareStages puts the stages of order first, in their order, then the others
// by name.
func compareStages(order []string, a, b string) int {
	rank := func(s string) int {
		if i := slices.Index(order, s); i >= 0 {
			return i
		}
		return len(order)
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
