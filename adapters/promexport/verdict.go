package promexport

import (
	"math"
	"strconv"
	"time"

	"github.com/rampguard/rampguard/analysis"
)

// rollout is what is exported of one rollout.
type rollout struct {
	at       time.Time
	labels   []string // rollout, model
	info     []string
	decision string
	manual   bool
	finished bool
	looks    uint64
	attempt  int
	after    time.Duration
	stage    string
	since    time.Time

	outcomes map[string]uint64
	findings []finding
	shown    map[findingKey]bool // of findings
	omitted  uint64              // over all verdicts
	budgets  []*budget           // in the order of the record

	given  map[string]uint64 // verdicts by decision
	digest string            // of the record of the last one
}

var decisions = words(analysis.Continue, analysis.Pause, analysis.Rollback)

func words[T interface{ String() string }](values ...T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = v.String()
	}
	return out
}

// Observe takes note of the verdict that was given for a rollout at a time. A verdict
// from before the last one is ignored, and so is nil. A verdict that comes again, by
// the digest of its record, is counted once.
func (e *Exporter) Observe(name string, v *analysis.Verdict, at time.Time) {
	if v == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	name = labelValue(name)
	r := e.rollouts[name]
	switch {
	case r == nil:
		e.evict()
		r = &rollout{given: map[string]uint64{}}
		for _, d := range decisions {
			r.given[d] = 0
		}
		e.rollouts[name] = r
	case at.Before(r.at):
		return
	}
	e.saw(at)
	r.observe(name, v, at, e.o)
}

func (r *rollout) observe(name string, v *analysis.Verdict, at time.Time, o Options) {
	again := v.Record.Digest != "" && v.Record.Digest == r.digest
	r.at, r.digest = at, v.Record.Digest
	r.labels = []string{name, labelValue(v.Model.Name)}
	r.decision = v.Decision.String()
	r.manual = v.Decision == analysis.Pause && v.Resume == analysis.Manual
	r.finished = v.Decision == analysis.Rollback || v.Step == analysis.Done
	r.looks, r.attempt, r.after = v.State.Looks, max(v.State.Attempt, 1), v.CheckAfter
	r.stage, r.since = labelValue(v.Stage), v.State.StageSince
	r.info = with(r.labels, labelValue(v.Model.Baseline), labelValue(v.Model.Candidate), r.stage,
		strconv.Itoa(v.Record.PolicyVersion), labelValue(short(v.Record.PolicyDigest)), labelValue(v.Record.Engine))
	r.outcomes = map[string]uint64{}
	for _, w := range outcomes {
		r.outcomes[w] = 0
	}
	for i := range v.Findings {
		r.outcomes[v.Findings[i].Outcome.String()]++
	}
	var left uint64
	r.findings, left = choose(v.Findings, r.shown, o)
	r.shown = make(map[findingKey]bool, len(r.findings))
	for i := range r.findings {
		r.shown[r.findings[i].key] = true
	}
	r.spend(v)
	if !again {
		r.given[r.decision]++
		r.omitted += left
	}
}

// short is the start of a digest, as verdicts print it.
func short(digest string) string { return digest[:min(12, len(digest))] }

func (r *rollout) collect(s *sink, stale bool) {
	s.stamp(lastLook, r.at, r.labels...)
	s.put(checkAfter, r.after.Seconds(), r.labels...)
	s.put(rolloutFinished, truth(r.finished), r.labels...)
	for d, n := range r.given {
		s.put(verdictsTotal, float64(n), with(r.labels, d)...)
	}
	s.put(looksTotal, float64(r.looks), r.labels...)
	s.put(findingsOmitted, float64(r.omitted), r.labels...)
	if stale {
		return
	}
	s.states(verdictState, r.decision, decisions, r.labels...)
	s.put(verdictInfo, 1, r.info...)
	s.put(manualPause, truth(r.manual), r.labels...)
	s.put(attemptNumber, float64(r.attempt), r.labels...)
	s.stamp(stageStart, r.since, with(r.labels, r.stage)...)
	for outcome, n := range r.outcomes {
		s.put(findingsByOutcome, float64(n), with(r.labels, outcome)...)
	}
	drifts := map[driftKey]bool{}
	for i := range r.findings {
		r.findings[i].collect(s, r.labels, drifts)
	}
	for _, b := range r.budgets {
		if b.present {
			b.collect(s, r.labels)
		}
	}
}

// budget is an error budget over the attempts of a rollout.
type budget struct {
	name    string
	present bool // in the last verdict
	alpha   float64
	limit   float64
	attempt int
	before  float64 // share of the limit of the attempts before
	most    float64 // share of the limit of this attempt, the most of its looks
}

// spend brings the budgets up to date with a verdict.
func (r *rollout) spend(v *analysis.Verdict) {
	for _, b := range r.budgets {
		b.present = false
	}
	for _, s := range v.Record.AlphaSpent {
		if !(s.Of > 0 && s.Alpha >= 0) || math.IsInf(s.Of, 0) || math.IsInf(s.Alpha, 0) {
			continue
		}
		r.budget(labelValue(s.Budget)).spend(s, r.attempt)
	}
}

// maxBudgets bounds the budgets of a rollout; a record has three.
const maxBudgets = 8

func (r *rollout) budget(name string) *budget {
	for _, b := range r.budgets {
		if b.name == name {
			return b
		}
	}
	b := &budget{name: name}
	if len(r.budgets) < maxBudgets {
		r.budgets = append(r.budgets, b)
	}
	return b
}

func (b *budget) spend(s analysis.Spending, attempt int) {
	share := s.Alpha / s.Of
	switch {
	case b.attempt == attempt:
		b.most = max(b.most, share)
	case b.attempt == 0 || attempt < b.attempt: // nothing is known of the attempts before
		b.before, b.most = given(1, attempt), share
	default:
		b.before += b.most + given(b.attempt+1, attempt)
		b.most = share
	}
	b.present, b.attempt, b.alpha, b.limit = true, attempt, s.Alpha, s.Of
}

// given is the share of a budget that the attempts from one up to another, without
// it, were given at most: 6/(pi^2 a^2) each, by the rule of the engine.
func given(from, to int) float64 {
	sum := 0.0
	for a := from; a < min(to, 10_000); a++ {
		sum += 6 / float64(math.Pi*math.Pi*float64(a)*float64(a))
	}
	return sum
}

func (b *budget) collect(s *sink, labels []string) {
	labels = with(labels, b.name)
	s.put(budgetAlpha, b.alpha, labels...)
	s.put(budgetLimit, b.limit, labels...)
	s.put(budgetSpent, b.before+b.most, labels...)
}
