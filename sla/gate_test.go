package sla_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/stats"
)

// A story is one model's service with a sample every minute, seen by the gate.
type story struct {
	*testing.T
	objective sla.Objective
	alerts    []sla.Alert
	policy    sla.GatePolicy
	samples   []sla.Sample
	state     sla.GateState
	now       time.Time
}

func tell(t *testing.T) *story {
	o := sla.Objective{Name: "answers", Target: 0.99, Window: sla.Rolling(7 * day)}
	return &story{T: t, objective: o, now: start, alerts: []sla.Alert{
		{Name: "fast", Severity: sla.Page, Long: time.Hour, Short: 5 * time.Minute, Factor: 14},
		{Name: "slow", Severity: sla.Ticket, Long: 6 * time.Hour, Short: 30 * time.Minute, Factor: 2},
	}}
}

// run lets time go by with a share of bad answers, 1000 a minute.
func (s *story) run(d time.Duration, bad float64) {
	s.samples = append(s.samples, every(s.now, time.Minute, int(d/time.Minute), func(int) sla.Counts { return of(1000*(1-bad), 1000) })...)
	s.now = s.now.Add(d)
}

func (s *story) evaluate() sla.Evaluation {
	s.Helper()
	return must(sla.Evaluate(s.objective, s.alerts, s.samples, s.now, sla.EvaluateOptions{Model: "fraud", Deploy: "9f2c"}))(s)
}

// ask looks, keeps the state, and compares the decision and the codes.
func (s *story) ask(req sla.GateRequest, want sla.Decision, codes ...string) sla.GateDecision {
	s.Helper()
	d := sla.Gate(s.policy, s.state, req, s.now, s.evaluate())
	s.state = d.State
	s.expect(d, want, codes...)
	return d
}

func (s *story) expect(d sla.GateDecision, want sla.Decision, codes ...string) {
	s.Helper()
	var got []string
	for _, r := range d.Reasons {
		got = append(got, r.Code)
	}
	if d.Decision != want || !slices.Equal(got, codes) {
		s.Errorf("at %s: %v %v, want %v %v\n%+v", s.now.Sub(start), d.Decision, got, want, codes, d.Reasons)
	}
	if d.Passes() != (want != sla.Halt) {
		s.Error("Passes disagrees with Decision")
	}
}

var promote = sla.GateRequest{Action: sla.Promote}

func TestBurnHaltsAndCalmResumes(t *testing.T) {
	s := tell(t)
	s.run(3*day, 0.001)
	s.ask(promote, sla.Allow)

	s.run(10*time.Minute, 1)
	d := s.ask(promote, sla.Halt, sla.GateAlertFiring, sla.GateAlertFiring)
	if r := d.Reasons[0]; r.Objective != "answers" || r.Alert != "fast" || r.DedupeKey != "fraud/9f2c/answers/fast" || r.Decision != sla.Halt || d.Reasons[1].Decision != sla.Warn {
		t.Errorf("%+v", d.Reasons)
	}
	if !d.State.Halted || !d.State.Since.Equal(s.now) {
		t.Errorf("%+v", d.State)
	}
	// A way out stays open, whatever burns.
	s.ask(sla.GateRequest{Action: sla.Rollback}, sla.Allow, sla.GateAlertFiring, sla.GateAlertFiring, sla.GateRollback)
	s.ask(sla.GateRequest{Action: sla.FastFix}, sla.Warn, sla.GateAlertFiring, sla.GateAlertFiring, sla.GateFastFix)
	since := s.state.Since

	// The alert ends with its short window; the halt does not.
	s.run(6*time.Minute, 0.001)
	d = s.ask(promote, sla.Halt, sla.GateAlertFiring, sla.GateCooldown)
	if d.RetryAfter != 60 || !d.State.Since.Equal(since) {
		t.Errorf("retry after %v min, %+v", d.RetryAfter, d.State)
	}
	s.run(30*time.Minute, 0.001)
	s.ask(promote, sla.Halt, sla.GateCooldown)

	// Not burning enough for an alert, yet not calm: the cooldown starts again.
	s.run(6*time.Minute, 0.02)
	s.ask(promote, sla.Halt, sla.GateNotCalm)
	s.run(6*time.Minute, 0.001)
	s.ask(promote, sla.Halt, sla.GateCooldown)
	s.run(59*time.Minute, 0.001)
	s.ask(promote, sla.Halt, sla.GateCooldown)
	s.run(time.Minute, 0.001)
	s.ask(promote, sla.Allow, sla.GateResumed)
	if s.state.Halted {
		t.Errorf("%+v", s.state)
	}
	s.ask(promote, sla.Allow)
}

func TestSpentBudgetHaltsUntilItComesBack(t *testing.T) {
	s := tell(t)
	s.policy.MinRemaining = 0.2
	s.run(7*day, 0.0075)
	s.ask(promote, sla.Warn, sla.GateBudgetAtRisk)
	s.run(day, 0.012)
	s.ask(promote, sla.Halt, sla.GateBudgetLow)
	s.run(6*day, 0.002)
	s.ask(promote, sla.Halt, sla.GateCooldown)
	s.run(time.Hour, 0.002)
	s.ask(promote, sla.Allow, sla.GateResumed)
}

func TestOverrideIsRecordedAndEnds(t *testing.T) {
	s := tell(t)
	s.run(day, 0.001)
	s.run(15*time.Minute, 1)
	ask := func(o sla.Override, want sla.Decision, code string) sla.GateDecision {
		t.Helper()
		return s.ask(sla.GateRequest{Action: sla.Promote, Override: &o}, want, sla.GateBudgetLow, sla.GateAlertFiring, sla.GateAlertFiring, code)
	}
	ask(sla.Override{By: "ada"}, sla.Halt, sla.GateBadOverride)
	ask(sla.Override{By: "ada", Reason: "regulator", Until: s.now.Add(-time.Second)}, sla.Halt, sla.GateBadOverride)
	d := ask(sla.Override{By: "ada", Reason: "regulator", Until: s.now}, sla.Warn, sla.GateOverridden)
	if d.Override == nil || d.Override.By != "ada" || !d.State.Halted {
		t.Errorf("%+v", d)
	}
	s.ask(promote, sla.Halt, sla.GateBudgetLow, sla.GateAlertFiring, sla.GateAlertFiring)
}

func TestNoDataHoldsButDoesNotLatch(t *testing.T) {
	s := tell(t)
	s.ask(promote, sla.Halt, sla.GateNoData)
	s.expect(sla.Gate(sla.GatePolicy{}, sla.GateState{}, promote, start), sla.Halt, sla.GateNoData)
	s.expect(sla.Gate(sla.GatePolicy{OnNoData: sla.NoDataWarns}, sla.GateState{}, promote, start), sla.Warn, sla.GateNoData)
	s.expect(sla.Gate(sla.GatePolicy{OnNoData: sla.NoDataAllows}, sla.GateState{}, promote, start), sla.Allow, sla.GateNoData)
	s.run(day, 0.001)
	s.ask(promote, sla.Allow)
	s.now = s.now.Add(20 * time.Minute) // and nothing comes in
	s.ask(promote, sla.Warn, sla.GateAbsent)
	s.now = s.now.Add(2 * time.Hour)
	s.ask(promote, sla.Halt, sla.GateNoData)
	s.run(time.Hour, 0.001)
	s.ask(promote, sla.Allow)
	old := s.evaluate()
	s.now = s.now.Add(90 * time.Minute)
	s.expect(sla.Gate(s.policy, s.state, promote, s.now, old), sla.Halt, sla.GateStale)
}

func TestGateIsTotal(t *testing.T) {
	s := tell(t)
	s.run(day, 0.001)
	for _, p := range []sla.GatePolicy{{MinRemaining: -1}, {MinRemaining: 2}, {OnNoData: 7}, {Cooldown: -1}, {ResumeBurn: -1}, {HaltOn: []sla.Severity{5}}} {
		if err := p.Validate(); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: %v", p, err)
		}
		d := sla.Gate(p, sla.GateState{Halted: true}, promote, s.now, s.evaluate())
		s.expect(d, sla.Halt, sla.GateBadPolicy)
		if !d.State.Halted {
			t.Error("the halt is lost")
		}
	}
	// A clock that goes back cannot end a cooldown.
	halted := sla.GateState{Halted: true, Since: start, CalmSince: start, At: s.now.Add(time.Hour)}
	s.expect(sla.Gate(sla.GatePolicy{}, halted, promote, s.now, s.evaluate()), sla.Halt, sla.GateClock, sla.GateCooldown)
	// An unknown action is a promotion.
	s.expect(sla.Gate(sla.GatePolicy{}, sla.GateState{}, sla.GateRequest{Action: 77}, s.now), sla.Halt, sla.GateNoData)
	// Nothing halts on alerts when the policy names none.
	s.run(10*time.Minute, 1)
	s.policy.HaltOn = []sla.Severity{}
	s.ask(promote, sla.Warn, sla.GateBudgetAtRisk, sla.GateAlertFiring, sla.GateAlertFiring)
}

func TestBadSamplesWarn(t *testing.T) {
	s := tell(t)
	s.run(day, 0.001)
	s.samples[7].Good = 2000
	s.ask(promote, sla.Warn, sla.GateBadSamples)
}

func TestGateStateSurvivesJSON(t *testing.T) {
	s := tell(t)
	s.run(day, 0.001)
	s.run(15*time.Minute, 1)
	d := s.ask(promote, sla.Halt, sla.GateBudgetLow, sla.GateAlertFiring, sla.GateAlertFiring)
	b := must(json.Marshal(d))(t)
	var back sla.GateDecision
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, back, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}
