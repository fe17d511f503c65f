package simulation

import (
	"math"
	"slices"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// epoch is when every rollout begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// ending is how a rollout ends.
type ending int8

const (
	undecided  ending = iota // the horizon came first
	completed                // the last stage passed
	rolledBack               // harm was found on a check that rolls back
	paused                   // harm was found on a check that pauses
	stopped                  // a person was asked for because of something other than harm
	endings
)

// played is what happened in one rollout.
type played struct {
	end     ending
	held    bool   // ever paused for harm
	minute  int    // of the end
	units   uint64 // of the candidate
	looks   uint64
	culprit culprit
	entered []int // minute at which each stage began
}

// culprit is the check that ended a rollout.
type culprit struct{ Check, Metric string }

// arm is what is known of one arm in one stage.
type arm struct {
	snap    *analysis.Snapshot
	matured rows      // with labels; not used when labels come at once
	waiting []arrived // rows whose labels have not arrived, oldest first
	span    analysis.TimeRange
	metrics *analysis.Snapshot // holds what providers brought
}

// arrived is the traffic of one step.
type arrived struct {
	rows   rows
	minute int // in which it came
}

// stage is one stage in hand.
type stage struct {
	name  string
	share float64 // of the candidate
	arms  [2]arm  // baseline, candidate
}

// player plays one rollout.
type player struct {
	w      *world
	d      dice
	o      *Options
	harmed []column
	stages []stage
	state  *analysis.State
	minute int
	gauges [2][]float64 // noise of the gauges of each arm
	swing  float64
	until  []int // by outage: the minute in which it ends, or begins when it is negative
	out    played
	row    rows
	ripe   int // minutes until labels count by the policy
	delay  int // minutes until they have arrived and count
}

func newPlayer(w *world, o *Options, rollout int) *player {
	p := &player{w: w, d: newDice(o.Seed, rollout), o: o, row: w.newRows()}
	p.harmed = make([]column, len(w.columns))
	for i, c := range w.columns {
		p.harmed[i] = c.harmed(w.scenario.Harm)
	}
	for k := range p.gauges {
		p.gauges[k] = make([]float64, len(w.metrics))
		for i := range p.gauges[k] {
			p.gauges[k][i] = p.d.NormFloat64()
		}
	}
	p.swing = p.d.NormFloat64()
	for _, out := range w.scenario.Outages {
		p.until = append(p.until, -p.wait(out.Every))
	}
	if cutoff := w.policy.MatureBefore(epoch); !cutoff.IsZero() {
		p.ripe = int((epoch.Sub(cutoff) + time.Minute - 1) / time.Minute)
	}
	delay := w.scenario.LabelDelay
	if delay == 0 {
		delay = w.policy.Labels.Maturity
	}
	p.delay = max(p.ripe, int(max(0, delay)/time.Minute))
	first := ""
	if len(w.policy.Stages) > 0 {
		first = w.policy.Stages[0].Name
	}
	p.enter(first)
	return p
}

// wait draws the minutes until something that happens at random.
func (p *player) wait(mean time.Duration) int {
	return 1 + int(p.d.ExpFloat64()*mean.Minutes())
}

func (p *player) enter(name string) {
	split := p.w.policy.SplitOf(name)
	s := stage{name: name, share: split.Candidate / (split.Baseline + split.Candidate)}
	for k := range s.arms {
		s.arms[k] = arm{snap: analysis.NewSnapshot(p.w.spec), metrics: analysis.NewSnapshot(p.w.spec)}
		if p.delay > 0 {
			s.arms[k].matured = p.w.newRows()
		}
	}
	p.stages = append(p.stages, s)
	p.out.entered = append(p.out.entered, p.minute)
}

// play lets the rollout go on until it ends or the horizon comes.
func (p *player) play(rollout int) (played, error) {
	horizon := int(p.o.Horizon / time.Minute)
	for p.minute < horizon && p.out.end == undecided {
		if err := p.pass(); err != nil {
			return p.out, err
		}
		if p.looks(horizon) {
			if err := p.look(rollout); err != nil {
				return p.out, err
			}
		}
	}
	p.out.minute = p.minute
	return p.out, nil
}

// looks reports whether there is a look after the minute: as often as is asked for, or
// as the policy allows.
func (p *player) looks(horizon int) bool {
	switch l := p.w.policy.Looks; l.Kind {
	case analysis.Once:
		return p.minute == horizon
	case analysis.Scheduled:
		n := max(1, l.Schedule)
		return p.minute*n/horizon > (p.minute-1)*n/horizon
	case analysis.Continuous:
	}
	return p.minute%int(p.o.LookEvery/time.Minute) == 0
}

// pass lets a minute pass.
func (p *player) pass() error {
	w, s := p.w, &p.stages[len(p.stages)-1]
	p.minute++
	rho := w.scenario.Noise.Rho
	next := func(x float64) float64 { return float64(rho*x) + float64(math.Sqrt(1-rho*rho)*p.d.NormFloat64()) }
	p.swing = next(p.swing)
	swing := math.Exp(w.scenario.Noise.Swing * p.swing)
	dark := p.outages()
	n := p.d.poisson(w.rate * 60)
	k := p.d.binomial(n, s.share)
	p.out.units += k
	harm := !w.scenario.Harm.None() && time.Duration(p.minute)*time.Minute > w.scenario.Harm.After
	for i, size := range []uint64{n - k, k} {
		a := &s.arms[i]
		for j, x := range p.gauges[i] {
			p.gauges[i][j] = next(x)
		}
		if err := p.measure(a, i, size, harm && i == 1, swing); err != nil {
			return err
		}
		w.draw(p.d, size, harm && i == 1, swing, p.harmed, p.row)
		if dark("") {
			continue
		}
		a.cover(p.at(p.minute-1), p.at(p.minute))
		if p.delay == 0 {
			if err := w.fill(a.snap, p.row, a.span); err != nil {
				return err
			}
			continue
		}
		a.waiting = append(a.waiting, arrived{slices.Clone(p.row), p.minute})
	}
	return nil
}

func (p *player) at(minute int) time.Time { return epoch.Add(time.Duration(minute) * time.Minute) }

// cover extends the times of an arm.
func (a *arm) cover(from, to time.Time) {
	lo, hi := from.UnixMicro(), to.UnixMicro()-1
	if a.span == (analysis.TimeRange{}) {
		a.span = analysis.TimeRange{Min: lo, Max: hi}
	}
	a.span.Max = max(a.span.Max, hi)
}

// outages moves the outages on by a minute and tells which sources fail.
func (p *player) outages() func(source string) bool {
	for i, o := range p.w.scenario.Outages {
		switch u := p.until[i]; {
		case u <= 0 && p.minute >= -u:
			p.until[i] = p.minute + max(1, int(o.Lasts/time.Minute))
		case u > 0 && p.minute >= u:
			p.until[i] = -(p.minute + p.wait(o.Every))
		}
	}
	return p.dark
}

// dark reports whether nothing comes from a source: one that fails, or all of them.
func (p *player) dark(source string) bool {
	for i, o := range p.w.scenario.Outages {
		if p.until[i] > 0 && (o.Source == "" || o.Source == source) {
			return true
		}
	}
	return false
}

// problems are the failures that the look is told of.
func (p *player) problems() []analysis.SourceProblem {
	var out []analysis.SourceProblem
	for i, o := range p.w.scenario.Outages {
		if p.until[i] > 0 && !o.Silent {
			out = append(out, analysis.SourceProblem{Name: o.Source, Text: "the source does not answer"})
		}
	}
	return out
}

// refresh gives the arms the labels that have arrived and are as old as the policy
// wants them.
func (p *player) refresh() error {
	if p.delay == 0 {
		return nil
	}
	for i := range p.stages {
		last := i == len(p.stages)-1
		for k := range p.stages[i].arms {
			a := &p.stages[i].arms[k]
			if len(a.waiting) == 0 && !last {
				continue
			}
			if err := p.collect(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// collect makes the snapshot of an arm as it is at the present minute.
func (p *player) collect(a *arm) error {
	w := p.w
	for len(a.waiting) > 0 && a.waiting[0].minute+p.delay <= p.minute {
		a.matured.add(a.waiting[0].rows)
		a.waiting = a.waiting[1:]
	}
	all, young := w.newRows(), w.newRows()
	for _, batch := range a.waiting {
		all.add(batch.rows)
		if batch.minute+p.ripe > p.minute {
			young.add(batch.rows)
		}
	}
	w.unlabel(all)
	all.add(a.matured)
	a.snap = analysis.NewSnapshot(w.spec)
	if p.ripe > 0 {
		cutoff := w.policy.MatureBefore(p.at(p.minute))
		a.snap.MatureBefore = analysis.Cutoffs{First: cutoff, Last: cutoff}
	}
	if err := w.fill(a.snap, all, a.span); err != nil {
		return err
	}
	return w.markYoung(a.snap, young)
}

// look asks for a verdict and does what it says.
func (p *player) look(rollout int) error {
	if err := p.refresh(); err != nil {
		return err
	}
	l := analysis.Look{Stage: p.stages[len(p.stages)-1].name, State: p.state, Now: p.at(p.minute),
		Problems: p.problems(), Unrecorded: !p.o.Recorded}
	for i := range p.stages {
		s := &p.stages[i]
		e := analysis.StageEvidence{Stage: s.name}
		for k, dst := range []**analysis.Snapshot{&e.Baseline, &e.Candidate} {
			a := &s.arms[k]
			a.snap.Metrics = a.metrics.Metrics
			if a.snap.RowCount > 0 || len(a.snap.Metrics) > 0 {
				*dst = a.snap
			}
		}
		l.Evidence = append(l.Evidence, e)
	}
	v, err := p.w.policy.Evaluate(l)
	if err != nil {
		return err
	}
	p.out.looks++
	if p.o.Observe != nil {
		p.o.Observe(rollout, l, v)
	}
	p.state = &v.State
	p.follow(&v)
	return nil
}

// follow does what the verdict says.
func (p *player) follow(v *analysis.Verdict) {
	harm := v.Decision == analysis.Rollback
	if v.Decision == analysis.Pause && len(v.Reasons) > 0 && v.Reasons[0].Code == analysis.ReasonHarm {
		harm, p.out.held = true, true
	}
	if harm && p.out.culprit == (culprit{}) {
		p.out.culprit = culprit{v.Reasons[0].Check, v.Reasons[0].Metric}
	}
	switch {
	case v.Decision == analysis.Rollback:
		p.out.end = rolledBack
	case v.Decision == analysis.Pause && v.Resume == analysis.Manual && harm:
		p.out.end = paused
	case v.Decision == analysis.Pause && v.Resume == analysis.Manual:
		p.out.end = stopped
		p.out.culprit = culprit{v.Reasons[0].Check, v.Reasons[0].Metric}
	case v.Step == analysis.Advance:
		p.enter(v.Next)
	case v.Step == analysis.Done, v.Decision == analysis.Continue:
		p.out.end = completed
	}
}
