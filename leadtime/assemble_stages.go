package leadtime

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// stretch is an attempt at a stage before it belongs to a flight.
type stretch struct {
	seg        Segment
	start, end item
	closed     bool
	lone       item // an end without a start, directly before this start
	disordered bool // there is one
}

// place is where attempts at a stage follow each other.
type place struct {
	stage, region string
	env           Env
}

func placeOf(e *Event) place { return place{e.Stage, e.Region, e.Env} }

// match pairs the starts and ends of the stages of a version. What it returns
// beside the attempts are ends that no start goes with.
func (p *replay) match(items []item) (runs []stretch, lone []item) {
	// Together by place; by time within it, as they came.
	slices.SortStableFunc(items, func(x, y item) int {
		a, b := &p.events[x.i], &p.events[y.i]
		return cmp.Or(strings.Compare(a.Stage, b.Stage), strings.Compare(a.Region, b.Region), strings.Compare(string(a.Env), string(b.Env)))
	})
	m := matcher{events: p.events, runs: p.runs[:0]}
	for from := 0; from < len(items); {
		at, to := placeOf(&p.events[items[from].i]), from+1
		for to < len(items) && items[to].t == items[from].t && placeOf(&p.events[items[to].i]) == at {
			to++
		}
		m.instant(items[from:to])
		if from = to; from < len(items) && placeOf(&p.events[items[from].i]) != at {
			m.open, m.after = m.open[:0], false
		}
	}
	p.runs = m.runs
	return m.runs, m.lone
}

type matcher struct {
	events []Event
	runs   []stretch
	open   []int // of runs
	lone   []item
	after  bool // the event before was an end without a start
	unfit  []item
}

// instant takes what happened at one place at one time: ends of what ran before,
// then starts, then ends of what started just now.
func (m *matcher) instant(items []item) {
	m.unfit = m.unfit[:0]
	for _, it := range items {
		if m.events[it.i].Kind == StageEnd && !m.end(it) {
			m.unfit = append(m.unfit, it)
		}
	}
	for _, it := range items {
		if m.events[it.i].Kind == StageStart {
			m.start(it)
		}
	}
	for _, it := range m.unfit {
		if !m.end(it) {
			m.lone = append(m.lone, it)
			m.after = true
		}
	}
}

func (m *matcher) start(it item) {
	e := &m.events[it.i]
	// An attempt of the same number that is still open lost its end.
	m.open = slices.DeleteFunc(m.open, func(k int) bool { return m.runs[k].seg.Attempt == e.Attempt })
	s := stretch{
		seg:   Segment{Stage: e.Stage, Attempt: e.Attempt, Env: e.Env, Region: e.Region, Start: time.Unix(0, it.t).UTC()},
		start: it,
	}
	if m.after {
		last := m.lone[len(m.lone)-1]
		s.lone, s.disordered = last, together(&m.events[last.i], e)
	}
	m.after = false
	m.open = append(m.open, len(m.runs))
	m.runs = append(m.runs, s)
}

// end closes the attempt of its number, or the latest when one of both has none.
func (m *matcher) end(it item) bool {
	e := &m.events[it.i]
	best := -1
	for i, k := range m.open {
		number := m.runs[k].seg.Attempt
		if number == e.Attempt && number != 0 {
			best = i
			break
		}
		if number == 0 || e.Attempt == 0 {
			best = i
		}
	}
	if best < 0 {
		return false
	}
	s := &m.runs[m.open[best]]
	s.seg.End, s.seg.Outcome, s.closed, s.end = time.Unix(0, it.t).UTC(), e.Outcome, true, it
	s.seg.Attempt = cmp.Or(s.seg.Attempt, e.Attempt)
	m.open = slices.Delete(m.open, best, best+1)
	m.after = false
	return true
}

// stages gives every attempt to the flights in whose clock it ran.
func (p *replay) stages(r *release) {
	if len(r.flights) == 0 {
		for _, it := range r.stages {
			p.fate[it.i] = NoSignOff
		}
		return
	}
	runs, lone := p.match(r.stages)
	for k := range runs {
		s := &runs[k]
		switch {
		case s.disordered && !s.closed:
			p.fate[s.start.i], p.fate[s.lone.i] = OutOfOrderStage, OutOfOrderStage
			r.flag(p.time(s.lone), s.seg.Start, FlagOutOfOrderStage)
			continue
		case s.closed:
			p.found = r.around(p.found[:0], s.seg.Start, s.seg.End)
		default:
			p.found = r.around(p.found[:0], s.seg.Start, s.seg.Start)
		}
		for _, c := range p.found {
			if c.f.Segments == nil {
				c.f.Segments = make([]Segment, 0, len(runs)-k)
				c.stages = make([]item, 0, 2*(len(runs)-k))
			}
			c.f.Segments = append(c.f.Segments, s.seg)
			if c.stages = append(c.stages, s.start); s.closed {
				c.stages = append(c.stages, s.end)
			}
		}
	}
	for _, it := range lone {
		if p.fate[it.i] == 0 {
			p.fate[it.i] = EndWithoutStart
			r.flag(p.time(it), p.time(it), FlagMissingStageStart)
		}
	}
	for _, c := range r.flights {
		p.closeStages(c)
	}
}

func (r *release) flag(from, to time.Time, flag Flags) {
	for _, c := range r.around(nil, from, to) {
		c.f.Flags |= flag
	}
}

// together reports whether two stamps can be of one attempt.
func together(end, start *Event) bool {
	return end.Attempt == start.Attempt || end.Attempt == 0 || start.Attempt == 0
}

// around appends to in the flights whose clock ran at some moment between from
// and to or, when there is none, the one that was the last to begin before, or the
// first.
func (r *release) around(in []*craft, from, to time.Time) []*craft {
	g := Segment{Start: from, End: to}
	nearest := r.flights[0]
	for _, c := range r.flights {
		if inClock(&c.f, &g) {
			in = append(in, c)
		}
		if !c.f.SignOff.After(from) {
			nearest = c
		}
	}
	if len(in) == 0 {
		in = append(in, nearest)
	}
	return in
}

// closeStages ends the attempts that have no end, and numbers those that have no
// number.
func (p *replay) closeStages(c *craft) {
	f := &c.f
	slices.SortFunc(f.Segments, compareSegments)
	for i := range f.Segments {
		g := &f.Segments[i]
		if !g.End.IsZero() {
			continue
		}
		g.End, g.Flags = p.o.AsOf, FlagOpenStage
		if f.State != InFlight && !g.Start.After(f.Ended) {
			g.End, g.Flags = f.Ended, FlagImpliedEnd
		}
		for _, next := range f.Segments[i+1:] {
			if next.Start.After(g.Start) {
				if next.Start.Before(g.End) || g.Flags == FlagOpenStage {
					g.End, g.Flags = next.Start, FlagImpliedEnd
				}
				break
			}
		}
		f.Flags |= g.Flags
	}
	slices.SortFunc(f.Segments, compareSegments) // some ends are new
	clear(p.attempts)
	for i := range f.Segments {
		g := &f.Segments[i]
		k := place{g.Stage, g.Region, g.Env}
		p.attempts[k]++
		if g.Attempt == 0 {
			g.Attempt = p.attempts[k]
		}
	}
}

func compareSegments(x, y Segment) int {
	return cmp.Or(x.Start.Compare(y.Start), x.End.Compare(y.End), strings.Compare(x.Stage, y.Stage),
		strings.Compare(string(x.Env), string(y.Env)), strings.Compare(x.Region, y.Region),
		cmp.Compare(x.Attempt, y.Attempt), cmp.Compare(x.Outcome, y.Outcome))
}
