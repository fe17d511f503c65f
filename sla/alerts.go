package sla

import (
	"fmt"
	"math"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Alert fires when the budget burns faster than Factor in the long window and in the
// short one: the long one for weight, the short one so that it ends soon after the
// trouble does. Several alerts on one objective are alternatives.
type Alert struct {
	Name     string        `json:"name"`
	Severity Severity      `json:"severity"`
	Long     time.Duration `json:"long_ns"`
	Short    time.Duration `json:"short_ns"` // at most Long; equal makes a single window
	Hold     time.Duration `json:"hold_ns"`  // how long both must hold before it fires
	Factor   float64       `json:"factor"`   // burn rate that must be exceeded
}

// Fraction is an alert by the share of the budget that it lets go: Factor follows
// from the window of the objective.
type Fraction struct {
	Name     string
	Severity Severity
	Long     time.Duration
	Short    time.Duration // 0 is Long/12
	Hold     time.Duration
	Budget   float64 // share of the budget spent over Long, in (0,1]
}

// GoogleAlerts returns the alerts of the Site Reliability Workbook for a window:
// page on 2% of the budget in 1h and 5% in 6h, ticket on 10% in 24h and in 72h. At
// 30 days that is 14.4, 6, 3 and 1 times the even pace.
//
// Errors: [stats.ErrDomain] for a window above ten years, or so short (below 15
// days) that one of them would fire at less than half the even pace; take
// [PyrraAlerts], whose windows shrink, or [AlertsFromFractions].
//
// Reference: The Site Reliability Workbook, chapter 5, table 5-8 and its rules.
func GoogleAlerts(window time.Duration) ([]Alert, error) {
	alerts, err := AlertsFromFractions(window, []Fraction{
		{Name: "fast", Severity: Page, Long: time.Hour, Budget: 0.02},
		{Name: "medium", Severity: Page, Long: 6 * time.Hour, Budget: 0.05},
		{Name: "slow", Severity: Ticket, Long: 24 * time.Hour, Budget: 0.10},
		{Name: "creeping", Severity: Ticket, Long: 72 * time.Hour, Budget: 0.10},
	})
	if err != nil {
		return nil, err
	}
	for _, a := range alerts {
		if a.Factor < 0.5 {
			return nil, fmt.Errorf("sla: GoogleAlerts: window of %s: %s over %s would fire at %.3g times the even pace: %w", window, a.Name, a.Long, a.Factor, stats.ErrDomain)
		}
	}
	return alerts, nil
}

// PyrraAlerts returns the alerts of the Pyrra project for a window: factors 14, 7, 2
// and 1, over 1h, 6h, 1d and 4d of a window of 28 days and in proportion for others,
// with short windows of 5m, 30m, 2h, 6h, held for 2m, 15m, 1h, 3h; all rounded to
// minutes, one at least. The first two page.
//
// Errors: [stats.ErrDomain] for a window below one day or above ten years.
//
// Reference: pyrra-dev/pyrra, slo/rules.go.
func PyrraAlerts(window time.Duration) ([]Alert, error) {
	if window < 24*time.Hour || window > maxWindow {
		return nil, fmt.Errorf("sla: PyrraAlerts: window of %s: %w", window, stats.ErrDomain)
	}
	scaled := func(d time.Duration) time.Duration {
		share := float64(window) / float64(28*24*time.Hour)
		return max(time.Minute, time.Duration(math.Round(float64(float64(d)*share))).Round(time.Minute))
	}
	alert := func(name string, s Severity, long, short, hold time.Duration, factor float64) Alert {
		return Alert{name, s, scaled(long), scaled(short), scaled(hold), factor}
	}
	return []Alert{
		alert("fast", Page, time.Hour, 5*time.Minute, 2*time.Minute, 14),
		alert("medium", Page, 6*time.Hour, 30*time.Minute, 15*time.Minute, 7),
		alert("slow", Ticket, 24*time.Hour, 2*time.Hour, time.Hour, 2),
		alert("creeping", Ticket, 96*time.Hour, 6*time.Hour, 3*time.Hour, 1),
	}, nil
}

// AlertsFromFractions returns alerts that let go a stated share of the budget:
// factor = Budget x window / Long.
//
// Errors: [stats.ErrDomain] for a window that is not above 0 and at most ten years,
// or a fraction outside (0,1] or with windows that no alert may have.
func AlertsFromFractions(window time.Duration, fractions []Fraction) ([]Alert, error) {
	const fn = "AlertsFromFractions"
	if window <= 0 || window > maxWindow {
		return nil, fmt.Errorf("sla: %s: window of %s: %w", fn, window, stats.ErrDomain)
	}
	alerts := make([]Alert, 0, len(fractions))
	for _, f := range fractions {
		if f.Short == 0 {
			f.Short = f.Long / 12
		}
		if !(f.Budget > 0 && f.Budget <= 1) {
			return nil, fmt.Errorf("sla: %s: %q of budget %v: %w", fn, f.Name, f.Budget, stats.ErrDomain)
		}
		a := Alert{f.Name, f.Severity, f.Long, f.Short, f.Hold, float64(f.Budget*float64(window)) / float64(f.Long)}
		if err := a.Validate(); err != nil {
			return nil, err
		}
		if a.Long > window {
			return nil, fmt.Errorf("sla: %s: %q over %s in a window of %s: %w", fn, f.Name, a.Long, window, stats.ErrDomain)
		}
		alerts = append(alerts, a)
	}
	return alerts, nil
}

// Validate returns what is wrong with the alert; the error wraps [stats.ErrDomain].
func (a Alert) Validate() error {
	switch {
	case !known(severityWords, a.Severity):
		return fmt.Errorf("sla: alert %q: severity %d: %w", a.Name, int8(a.Severity), stats.ErrDomain)
	case a.Short <= 0 || a.Long < a.Short || a.Long > maxWindow:
		return fmt.Errorf("sla: alert %q: windows of %s and %s: %w", a.Name, a.Long, a.Short, stats.ErrDomain)
	case a.Hold < 0 || a.Hold > maxHold:
		return fmt.Errorf("sla: alert %q: held for %s: %w", a.Name, a.Hold, stats.ErrDomain)
	case !(a.Factor > 0) || math.IsInf(a.Factor, 1):
		return fmt.Errorf("sla: alert %q: factor %v: %w", a.Name, a.Factor, stats.ErrDomain)
	}
	return nil
}

// maxHold bounds the number of minutes that Evaluate looks back over.
const maxHold = 7 * 24 * time.Hour

// Spends is the share of the budget of a window that the alert lets go before it
// fires, factor x Long / window, at a constant rate of errors.
func (a Alert) Spends(window time.Duration) float64 {
	return a.Factor * (float64(a.Long) / float64(window))
}

// DetectAfter is the time from the start of errors at a constant rate until the
// alert's condition holds, (1-target) factor Long / errorRate, and whether it ever
// does: a rate at the threshold is not above it.
func (a Alert) DetectAfter(target, errorRate float64) (time.Duration, bool) {
	threshold := float64(errorBudget(target) * a.Factor)
	if !(target > 0 && target <= 1 && errorRate > threshold && errorRate <= 1) {
		return 0, false
	}
	return time.Duration(math.Round(float64(threshold/errorRate) * float64(a.Long))), true
}

// AbsentAfter is how long samples may be absent before the alert could have missed
// something: the time until it fires when everything is bad, to the minute.
//
// Special cases: 0 for a target outside (0,1].
//
// Reference: pyrra-dev/pyrra, slo/slo.go.
func (a Alert) AbsentAfter(target float64) time.Duration {
	if !(target > 0 && target <= 1) {
		return 0
	}
	return (time.Duration(float64(a.Factor*errorBudget(target))*float64(a.Long)) + a.Hold).Round(time.Minute)
}

// Unreachable returns those of the alerts that can never fire on the objective,
// since their factor is at or above [MaxBurn]: 14.4 at a target of 0.93, for one.
func Unreachable(o Objective, alerts []Alert) []Alert {
	var out []Alert
	for _, a := range alerts {
		if a.Factor >= MaxBurn(o.Target) {
			out = append(out, a)
		}
	}
	return out
}

// ClampFactors returns the alerts with the factor of those that can never fire
// lowered to 0.9 of [MaxBurn], and a warning for each of them.
func ClampFactors(o Objective, alerts []Alert) ([]Alert, []stats.Warning) {
	out := append([]Alert(nil), alerts...)
	var notes []stats.Warning
	for i, a := range out {
		if most := MaxBurn(o.Target); a.Factor >= most {
			out[i].Factor = 0.9 * most
			notes = append(notes, stats.Warning{Code: WarnClamped, Message: fmt.Sprintf(
				"alert %q: factor %.4g is never exceeded at target %v, where %.4g is the most; taken as %.4g", a.Name, a.Factor, o.Target, most, out[i].Factor)})
		}
	}
	return out, notes
}
