package sla

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// GatePolicy says what halts promotions and what lets them go on. The zero value
// halts on firing pages, on a budget that is gone and on missing data, and goes on
// after an hour of calm.
type GatePolicy struct {
	HaltOn       []Severity    // of firing alerts; nil is Page; others warn
	MinRemaining float64       // halt when no more than this share of a budget is left
	OnNoData     NoDataPolicy  // of a budget, or of the long window of an alert that halts
	Cooldown     time.Duration // calm needed after a halt; 0 is an hour
	ResumeBurn   float64       // burn rate of the short windows up to which it is calm; 0 is 1
	MaxAge       time.Duration // of an evaluation, beyond which it is no data; 0 is an hour
}

// GateRequest is what somebody wants to do.
type GateRequest struct {
	Action   Action    `json:"action"`
	Override *Override `json:"override,omitempty"`
}

// Override lets a promotion pass in spite of a halt. It needs a name and a reason.
type Override struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"` // zero: for this request
}

// GateState is what the gate has to remember between two looks; the zero value is
// a gate that never halted.
type GateState struct {
	Halted    bool      `json:"halted"`
	Since     time.Time `json:"since"`      // of the halt
	CalmSince time.Time `json:"calm_since"` // during a halt; zero while it is not calm
	At        time.Time `json:"at"`         // of the last look
}

// GateReason is one thing that speaks for or against. Decision is what it asks for
// by itself.
type GateReason struct {
	Code      string   `json:"code"`
	Decision  Decision `json:"decision"`
	Objective string   `json:"objective,omitempty"`
	Alert     string   `json:"alert,omitempty"`
	DedupeKey string   `json:"dedupe_key,omitempty"`
	Message   string   `json:"message"`
}

// Codes of reasons.
const (
	GateAlertFiring     = "alert_firing"     // halts for a severity of HaltOn, else warns
	GateAlertSuppressed = "alert_suppressed" // active, but kept from firing
	GateBudgetLow       = "budget_low"       // at or below MinRemaining
	GateBudgetAtRisk    = "budget_at_risk"   // little left, or gone before the period ends at this pace
	GateNoData          = "no_data"          // of a budget, or in the long window of an alert that halts
	GateStale           = "stale_evaluation" // older than MaxAge
	GateAbsent          = "absent"           // no samples of late, so that an alert may be blind
	GateBadSamples      = "bad_samples"      // samples that cannot be right were left out
	GateNotCalm         = "not_calm"         // halted before, and some burn rate is still above ResumeBurn or unknown
	GateCooldown        = "cooldown"         // halted before, and calm for less than Cooldown
	GateResumed         = "resumed"          // the halt ends here
	GateClock           = "clock_back"       // this look is before the last one
	GateRollback        = "rollback"         // a rollback is never halted
	GateFastFix         = "fast_fix"         // a fix on the fast track is never halted
	GateOverridden      = "overridden"       // somebody took it on
	GateBadOverride     = "override_refused" // without a name or a reason, or its time is over
	GateBadPolicy       = "invalid_policy"   // the policy of the gate is not valid
)

// GateDecision is the answer. State is to be given to the next look, Override is
// what was accepted, for the record.
type GateDecision struct {
	Decision   Decision     `json:"decision"`
	Action     Action       `json:"action"`
	At         time.Time    `json:"at"`
	Reasons    []GateReason `json:"reasons,omitempty"`
	State      GateState    `json:"state"`
	Override   *Override    `json:"override,omitempty"`
	RetryAfter stats.Float  `json:"retry_after_minutes"` // when a cooldown ends, if it stays calm; 0 otherwise
}

// Passes reports whether the action may go on.
func (d GateDecision) Passes() bool { return d.Decision != Halt }

// Validate returns what is wrong with the policy; the error wraps [stats.ErrDomain].
func (p GatePolicy) Validate() error {
	for _, s := range p.HaltOn {
		if !known(severityWords, s) {
			return fmt.Errorf("sla: GatePolicy: HaltOn %d: %w", int8(s), stats.ErrDomain)
		}
	}
	switch {
	case !(p.MinRemaining >= 0 && p.MinRemaining < 1):
		return fmt.Errorf("sla: GatePolicy: MinRemaining %v is not in [0,1): %w", p.MinRemaining, stats.ErrDomain)
	case !known(noDataWords, p.OnNoData):
		return fmt.Errorf("sla: GatePolicy: OnNoData %d: %w", int8(p.OnNoData), stats.ErrDomain)
	case p.Cooldown < 0 || p.MaxAge < 0:
		return fmt.Errorf("sla: GatePolicy: Cooldown %s, MaxAge %s: %w", p.Cooldown, p.MaxAge, stats.ErrDomain)
	case !(p.ResumeBurn >= 0) || math.IsInf(p.ResumeBurn, 1):
		return fmt.Errorf("sla: GatePolicy: ResumeBurn %v: %w", p.ResumeBurn, stats.ErrDomain)
	}
	return nil
}

func (p GatePolicy) withDefaults() GatePolicy {
	if p.HaltOn == nil {
		p.HaltOn = []Severity{Page}
	}
	if p.Cooldown == 0 {
		p.Cooldown = time.Hour
	}
	if p.MaxAge == 0 {
		p.MaxAge = time.Hour
	}
	if p.ResumeBurn == 0 {
		p.ResumeBurn = 1
	}
	return p
}

// Gate decides whether an action may go on, from evaluations of all objectives that
// count, the state that the last look left, and the time.
//
// A firing alert of a severity in HaltOn and a budget at or below MinRemaining halt
// promotions and latch: promotions resume when every look over a Cooldown was calm.
// Calm means that nothing halts, all objectives have data, every budget has more than
// MinRemaining, and every alert that could halt burns at no more than ResumeBurn in
// its short window, in its long one if the short one has no events. What happened
// between two looks is not seen; look at least once per short window.
//
// No data, an evaluation older than MaxAge, and no evaluation at all halt by
// OnNoData, without a latch. Other alerts, suppressed ones and those without fresh
// samples, budgets at risk and bad samples warn. A rollback is always allowed; a fast fix, and a promotion with a
// valid override, pass with a warning. They change nothing about the halt.
//
// Gate is pure and total: a policy that is not valid halts promotions, with the fault
// as the reason. Cost: linear in the alerts.
func Gate(p GatePolicy, prev GateState, req GateRequest, now time.Time, evaluations ...Evaluation) GateDecision {
	now = now.Round(0).UTC()
	d := GateDecision{Action: req.Action, At: now, State: prev}
	d.State.At = now
	if err := p.Validate(); err != nil {
		d.add(GateReason{Code: GateBadPolicy, Decision: Halt, Message: err.Error()})
		return d.decide(req)
	}
	p = p.withDefaults()
	burning := d.look(p, evaluations)
	back := now.Before(prev.At)
	if back {
		d.add(GateReason{Code: GateClock, Decision: Warn, Message: fmt.Sprintf("this look is at %s, the last one was at %s", now.Format(time.RFC3339), prev.At.UTC().Format(time.RFC3339))})
	}
	switch {
	case burning:
		if !prev.Halted {
			d.State.Since = now
		}
		d.State.Halted, d.State.CalmSince = true, time.Time{}
	case prev.Halted:
		d.cool(p, back, evaluations)
	}
	return d.decide(req)
}

func (d *GateDecision) add(r GateReason) { d.Reasons = append(d.Reasons, r) }

// look notes the reasons of all evaluations and reports whether one of them latches.
func (d *GateDecision) look(p GatePolicy, evaluations []Evaluation) (burning bool) {
	absent := [...]Decision{NoDataHolds: Halt, NoDataWarns: Warn, NoDataAllows: Allow}[p.OnNoData]
	if len(evaluations) == 0 {
		d.add(GateReason{Code: GateNoData, Decision: absent, Message: "no objective was evaluated"})
	}
	for _, e := range evaluations {
		note := func(code string, what Decision, a *AlertResult, format string, args ...any) {
			r := GateReason{Code: code, Decision: what, Objective: e.Objective, Message: fmt.Sprintf(format, args...)}
			if a != nil {
				r.Alert, r.DedupeKey = a.Alert.Name, a.DedupeKey
			}
			d.add(r)
		}
		if age := d.At.Sub(e.AsOf); age > p.MaxAge {
			note(GateStale, absent, nil, "evaluated %s ago", age.Round(time.Second))
		}
		switch b := e.Budget; {
		case b.State == NoData:
			note(GateNoData, absent, nil, "no data for the budget")
		case p.low(b):
			burning = true
			note(GateBudgetLow, Halt, nil, "%.4g%% of the budget is left, more than %.4g%% is needed", 100*float64(b.Remaining), 100*p.MinRemaining)
		case b.State == AtRisk:
			note(GateBudgetAtRisk, Warn, nil, "%.4g%% of the budget is left", 100*float64(b.Remaining))
		}
		if n := len(e.Budget.Excluded); n > 0 {
			note(GateBadSamples, Warn, nil, "%d samples were left out, the first one: %s", n, e.Budget.Excluded[0])
		}
		for i := range e.Alerts {
			a := &e.Alerts[i]
			halts := slices.Contains(p.HaltOn, a.Alert.Severity)
			switch {
			case a.Firing:
				what := Warn
				if halts {
					burning, what = true, Halt
				}
				note(GateAlertFiring, what, a, "the budget burns at %.4g times the even pace over %s and %.4g times over %s, both above %.4g",
					float64(a.Long.Rate), shortDuration(a.Alert.Long), float64(a.Short.Rate), shortDuration(a.Alert.Short), a.Alert.Factor)
			case a.Suppressed:
				note(GateAlertSuppressed, Warn, a, "%s: %s", a.Reason, a.Detail)
			case a.NoData && halts && e.Budget.State != NoData:
				note(GateNoData, absent, a, "no data over %s", shortDuration(a.Alert.Long))
			case a.Absent && halts && e.Budget.State != NoData:
				note(GateAbsent, Warn, a, "no samples for %s or longer", shortDuration(a.Alert.Short))
			}
		}
	}
	return burning
}

// low reports whether a budget that is known has too little left; a target of 1 with
// nothing bad has all of it.
func (p GatePolicy) low(b BudgetStatus) bool {
	return b.State == Exhausted || float64(b.Remaining) <= p.MinRemaining
}

// calm reports whether nothing burns; what is unknown is not calm.
func (p GatePolicy) calm(now time.Time, evaluations []Evaluation) bool {
	for _, e := range evaluations {
		if e.Budget.State == NoData || p.low(e.Budget) || now.Sub(e.AsOf) > p.MaxAge {
			return false
		}
		for _, a := range e.Alerts {
			if !slices.Contains(p.HaltOn, a.Alert.Severity) {
				continue
			}
			burn := a.Short
			if burn.NoData {
				burn = a.Long
			}
			if burn.NoData || !(float64(burn.Rate) <= p.ResumeBurn) {
				return false
			}
		}
	}
	return len(evaluations) > 0
}

// cool moves a halt on towards its end.
func (d *GateDecision) cool(p GatePolicy, back bool, evaluations []Evaluation) {
	if !p.calm(d.At, evaluations) {
		d.State.CalmSince = time.Time{}
		d.add(GateReason{Code: GateNotCalm, Decision: Halt, Message: fmt.Sprintf("halted since %s", d.State.Since.UTC().Format(time.RFC3339))})
		return
	}
	if d.State.CalmSince.IsZero() || back || d.State.CalmSince.After(d.At) {
		d.State.CalmSince = d.At
	}
	left := p.Cooldown - d.At.Sub(d.State.CalmSince)
	if left > 0 {
		d.RetryAfter = stats.Float(left.Minutes())
		d.add(GateReason{Code: GateCooldown, Decision: Halt, Message: fmt.Sprintf("calm since %s, for %s more", d.State.CalmSince.UTC().Format(time.RFC3339), left)})
		return
	}
	d.add(GateReason{Code: GateResumed, Decision: Allow, Message: fmt.Sprintf("calm for %s, halted since %s", d.At.Sub(d.State.CalmSince), d.State.Since.UTC().Format(time.RFC3339))})
	d.State = GateState{At: d.At}
}

// decide takes the worst of the reasons, then what the request may do in spite of it.
func (d GateDecision) decide(req GateRequest) GateDecision {
	d.Decision = Allow
	for _, r := range d.Reasons {
		d.Decision = min(d.Decision, r.Decision)
	}
	switch {
	case req.Action == Rollback:
		d.Decision = Allow
		d.add(GateReason{Code: GateRollback, Decision: Allow, Message: "a rollback is never halted"})
	case d.Decision != Halt:
	case req.Action == FastFix:
		d.Decision = Warn
		d.add(GateReason{Code: GateFastFix, Decision: Warn, Message: "a fix on the fast track is never halted"})
	case req.Override != nil:
		d.override(*req.Override)
	}
	return d
}

func (d *GateDecision) override(o Override) {
	switch {
	case o.By == "" || o.Reason == "":
		d.add(GateReason{Code: GateBadOverride, Decision: Halt, Message: "an override needs a name and a reason"})
	case !o.Until.IsZero() && d.At.After(o.Until):
		d.add(GateReason{Code: GateBadOverride, Decision: Halt, Message: fmt.Sprintf("the override by %s ended at %s", o.By, o.Until.UTC().Format(time.RFC3339))})
	default:
		d.Decision, d.Override = Warn, &o
		d.add(GateReason{Code: GateOverridden, Decision: Warn, Message: fmt.Sprintf("by %s: %s", o.By, o.Reason)})
	}
}
