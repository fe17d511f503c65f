package sla

import (
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// EvaluateOptions says whose samples they are and when alerts are to be quiet.
type EvaluateOptions struct {
	Model    string        // for the dedupe key
	Deploy   string        // hash of the deployment, for the dedupe key
	Suppress []Exclusion   // times in which alerts do not fire, such as experiments; samples count
	Clamp    bool          // lower the factor of alerts that could never fire, instead of refusing them
	Step     time.Duration // between looks back over Hold; 0 is a minute
}

// Reasons for which an alert whose condition holds does not fire.
const (
	SuppressMinEvents = "min_events" // fewer events in the long window than MinEvents
	SuppressMinBad    = "min_bad"    // fewer bad ones than MinBad
	SuppressTail      = "tail"       // as likely as that without excess, by TailAlpha
	SuppressInterval  = "suppressed" // a time of EvaluateOptions.Suppress
	SuppressHold      = "hold"       // not for as long as Hold yet
)

// AlertResult is one alert at a moment. Active says that both windows burn faster
// than the factor; Firing that nothing stands against calling somebody. An active
// alert that does not fire is Suppressed, with Reason and Detail.
type AlertResult struct {
	Alert      Alert       `json:"alert"`
	DedupeKey  string      `json:"dedupe_key"` // model/deploy/objective/alert, each path-escaped
	Active     bool        `json:"active"`
	Firing     bool        `json:"firing"`
	Suppressed bool        `json:"suppressed"`
	Reason     string      `json:"reason,omitempty"`
	Detail     string      `json:"detail,omitempty"`
	NoData     bool        `json:"no_data"` // in the long window
	Absent     bool        `json:"absent"`  // no sample for AbsentAfter, and for Short
	Long       Burn        `json:"long"`
	Short      Burn        `json:"short"`
	TailP      stats.Float `json:"tail_p"` // of the long window, at the rate that the alert tolerates
	// ExhaustedIn is how many minutes what is left of the budget lasts at the rate of
	// the long window; +Inf if it lasts.
	ExhaustedIn stats.Float `json:"exhausted_in_minutes"`
}

// Evaluation is an objective at a moment: its budget and its alerts.
type Evaluation struct {
	Objective string          `json:"objective"`
	Model     string          `json:"model,omitempty"`
	Deploy    string          `json:"deploy,omitempty"`
	AsOf      time.Time       `json:"as_of"`
	Budget    BudgetStatus    `json:"budget"`
	Alerts    []AlertResult   `json:"alerts,omitempty"`
	Warnings  []stats.Warning `json:"warnings,omitempty"`
}

// Evaluate returns the budget of an objective and what its alerts say at a moment.
//
// An alert is active when the burn rates of its long and its short window are both
// above its factor. It fires when it was active at every look of the last Hold, one a
// Step, the traffic guards MinEvents, MinBad and TailAlpha of the objective let it,
// and the moment is not in a time of Suppress.
//
// Errors: [stats.ErrDomain] for an objective or alert that is not valid, two alerts of one
// name, an alert whose short window is below one slice or whose long window is above that
// of a rolling objective, one that can never fire (see [Unreachable]) unless Clamp is set,
// a suppression that is not an interval with a reason, or a moment outside the years 1700
// to 2200. Cost: as [Budget], and linear in the samples of the alerts' windows at each look.
//
// Reference: The Site Reliability Workbook, chapter 5.
func Evaluate(o Objective, alerts []Alert, samples []Sample, asOf time.Time, opt EvaluateOptions) (Evaluation, error) {
	e := Evaluation{Objective: o.Name, Model: opt.Model, Deploy: opt.Deploy, AsOf: asOf.Round(0).UTC()}
	if err := o.Validate(); err != nil {
		return Evaluation{}, err
	}
	if opt.Clamp {
		alerts, e.Warnings = ClampFactors(o, alerts)
	}
	if err := o.checkAlerts(alerts, opt); err != nil {
		return Evaluation{}, fmt.Errorf("sla: Evaluate: %q: %w", o.Name, err)
	}
	s := newSeries(samples, o.Exclude)
	var err error
	if e.Budget, err = o.budget(s, asOf); err != nil {
		return Evaluation{}, err
	}
	for _, a := range alerts {
		r, err := o.alert(s, a, asOf, opt, e.Budget)
		if err != nil {
			return Evaluation{}, err
		}
		e.Alerts = append(e.Alerts, r)
	}
	return e, nil
}

func (o Objective) checkAlerts(alerts []Alert, opt EvaluateOptions) error {
	seen := map[string]bool{}
	for _, a := range alerts {
		switch err := a.Validate(); {
		case err != nil:
			return err
		case seen[a.Name]:
			return fmt.Errorf("two alerts named %q: %w", a.Name, stats.ErrDomain)
		case a.Short < o.Slice:
			return fmt.Errorf("alert %q: its window of %s is shorter than a slice of %s: %w", a.Name, a.Short, o.Slice, stats.ErrDomain)
		case o.Window.Unit == 0 && a.Long > o.Window.Length:
			return fmt.Errorf("alert %q: its window of %s is longer than that of the objective, %s: %w", a.Name, a.Long, o.Window.Length, stats.ErrDomain)
		}
		seen[a.Name] = true
	}
	if never := Unreachable(o, alerts); len(never) > 0 {
		return fmt.Errorf("alert %q can never fire: factor %.4g, and at target %v the burn rate is at most %.4g; lower the factor, or set Clamp: %w",
			never[0].Name, never[0].Factor, o.Target, MaxBurn(o.Target), stats.ErrDomain)
	}
	if opt.Step < 0 {
		return fmt.Errorf("step %s: %w", opt.Step, stats.ErrDomain)
	}
	for i, x := range opt.Suppress {
		if err := x.check(); err != nil {
			return fmt.Errorf("suppression %d %w", i, err)
		}
	}
	return nil
}

// alert evaluates one alert.
func (o Objective) alert(s series, a Alert, asOf time.Time, opt EvaluateOptions, b BudgetStatus) (AlertResult, error) {
	r := AlertResult{Alert: a, DedupeKey: dedupeKey(opt.Model, opt.Deploy, o.Name, a.Name)}
	var err error
	if r.Long, err = o.burn(s, a.Long, asOf); err != nil {
		return r, err
	}
	if r.Short, err = o.burn(s, a.Short, asOf); err != nil {
		return r, err
	}
	if r.TailP, err = r.Long.tail(float64(errorBudget(o.Target) * a.Factor)); err != nil {
		return r, err
	}
	r.NoData = r.Long.NoData
	r.Active = a.exceeded(r.Long, r.Short)
	r.Absent = s.absent(asOf.Add(-o.Maturity), max(a.Short, a.AbsentAfter(o.Target)))
	r.ExhaustedIn = exhaustedIn(b, float64(r.Long.Rate))
	if !r.Active {
		return r, nil
	}
	r.Reason, r.Detail = o.guard(r, asOf, opt)
	if r.Reason == "" {
		if r.Reason, r.Detail, err = o.held(s, a, asOf, opt); err != nil {
			return r, err
		}
	}
	r.Suppressed = r.Reason != ""
	r.Firing = !r.Suppressed
	return r, nil
}

// exceeded reports whether both windows burn faster than the factor; NaN does not.
func (a Alert) exceeded(long, short Burn) bool {
	return float64(long.Rate) > a.Factor && float64(short.Rate) > a.Factor
}

// guard says why an active alert should be quiet, if it should.
func (o Objective) guard(r AlertResult, asOf time.Time, opt EvaluateOptions) (reason, detail string) {
	switch {
	case r.Long.Total < o.MinEvents:
		return SuppressMinEvents, fmt.Sprintf("%v %s in %s, %v are needed", r.Long.Total, o.unit(), r.Alert.Long, o.MinEvents)
	case r.Long.Bad < o.MinBad:
		return SuppressMinBad, fmt.Sprintf("%v bad %s in %s, %v are needed", r.Long.Bad, o.unit(), r.Alert.Long, o.MinBad)
	case o.TailAlpha > 0 && float64(r.TailP) > o.TailAlpha:
		return SuppressTail, fmt.Sprintf("%v bad of %v %s has probability %.2g at the tolerated rate, above %v", r.Long.Bad, r.Long.Total, o.unit(), float64(r.TailP), o.TailAlpha)
	}
	for _, x := range opt.Suppress {
		if x.contains(asOf) {
			return SuppressInterval, x.Reason
		}
	}
	return "", ""
}

// held looks back over Hold, the latest moments first.
func (o Objective) held(s series, a Alert, asOf time.Time, opt EvaluateOptions) (reason, detail string, err error) {
	step := opt.Step
	if step == 0 {
		step = time.Minute
	}
	step = max(step, a.Hold/10000)
	for back := step; a.Hold > 0; back += step {
		at := asOf.Add(-min(back, a.Hold))
		long, err := o.rate(s, a.Long, at)
		if err != nil {
			return "", "", err
		}
		short, err := o.rate(s, a.Short, at)
		if err != nil {
			return "", "", err
		}
		if !a.exceeded(long, short) {
			return SuppressHold, fmt.Sprintf("not yet at %s, must hold for %s", at.UTC().Format(time.RFC3339), a.Hold), nil
		}
		if back >= a.Hold {
			break
		}
	}
	return "", "", nil
}

// absent reports whether the last d before the moment have no sample, under
// maintenance or not.
func (s series) absent(at time.Time, d time.Duration) bool {
	from, to := at.Add(-d).UnixNano(), at.UnixNano()
	return len(s.between(from, to)) == 0 && len(between(s.masked, func(p maskedPoint) int64 { return p.at }, from, to)) == 0
}

// exhaustedIn is in minutes.
func exhaustedIn(b BudgetStatus, rate float64) stats.Float {
	if math.IsNaN(float64(b.Remaining)) || math.IsNaN(rate) {
		return stats.Float(math.NaN())
	}
	d, ends := TimeToExhaustion(b.End.Sub(b.From), float64(b.Remaining), rate)
	if !ends {
		return stats.Float(math.Inf(1))
	}
	return stats.Float(d.Minutes())
}

func dedupeKey(parts ...string) string {
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}
