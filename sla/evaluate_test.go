package sla_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

var hourly = sla.Alert{Name: "hourly", Long: time.Hour, Short: 5 * time.Minute, Factor: 5}

func alertOf(t *testing.T, o sla.Objective, a sla.Alert, s []sla.Sample, asOf time.Time, opt sla.EvaluateOptions) sla.AlertResult {
	t.Helper()
	return must(sla.Evaluate(o, []sla.Alert{a}, s, asOf, opt))(t).Alerts[0]
}

func TestAlertNeedsBothWindows(t *testing.T) {
	o := sla.Objective{Name: "x", Target: 0.99, Window: sla.Rolling(day)}
	quiet := func(int) sla.Counts { return of(100, 100) }
	for _, c := range []struct {
		name   string
		counts func(i int) sla.Counts
		firing bool
	}{
		{"neither", quiet, false},
		{"long only: it is over", firstBad(30, 100), false},
		{"short only: it just began", func(i int) sla.Counts { return of(100-10*float64(i/59), 100) }, false},
		{"both", func(i int) sla.Counts { return of(90, 100) }, true},
		{"exactly the factor", func(i int) sla.Counts { return of(95, 100) }, false},
	} {
		r := alertOf(t, o, hourly, every(start, time.Minute, 60, c.counts), start.Add(time.Hour), sla.EvaluateOptions{})
		if r.Firing != c.firing || r.Active != c.firing || r.Suppressed {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

func TestLowTrafficGuards(t *testing.T) {
	quiet := sla.Objective{Name: "x", Target: 0.99, Window: sla.Rolling(day)}
	samples := append(every(start, time.Minute, 57, func(i int) sla.Counts { return of(float64(i%3/2), float64(i%3/2)) }), one(start.Add(59*time.Minute), 0, 2)...)
	asOf := start.Add(time.Hour)
	if r := alertOf(t, quiet, hourly, samples, asOf, sla.EvaluateOptions{}); !r.Firing {
		t.Fatalf("%+v", r)
	}
	for reason, change := range map[string]func(o *sla.Objective){
		sla.SuppressMinEvents: func(o *sla.Objective) { o.MinEvents = 100 },
		sla.SuppressMinBad:    func(o *sla.Objective) { o.MinBad = 3 },
		sla.SuppressTail:      func(o *sla.Objective) { o.TailAlpha = 0.001 },
	} {
		o := quiet
		change(&o)
		if r := alertOf(t, o, hourly, samples, asOf, sla.EvaluateOptions{}); r.Firing || !r.Active || !r.Suppressed || r.Reason != reason || r.Detail == "" {
			t.Errorf("%s: %+v", reason, r)
		}
	}
	suppress := []sla.Exclusion{{From: start, To: asOf, Reason: "experiment 7"}}
	r := alertOf(t, quiet, hourly, samples, asOf, sla.EvaluateOptions{Suppress: suppress})
	if r.Firing || r.Reason != sla.SuppressInterval || r.Detail != "experiment 7" {
		t.Errorf("%+v", r)
	}
}

func TestHold(t *testing.T) {
	o := sla.Objective{Name: "x", Target: 0.99, Window: sla.Rolling(day)}
	samples := every(start, time.Minute, 120, func(i int) sla.Counts {
		if i >= 60 {
			return of(0, 100)
		}
		return of(100, 100)
	})
	a := hourly
	a.Hold = 15 * time.Minute
	// The long window is above the factor from the 64th minute on.
	for minute, firing := range map[int]bool{60: false, 64: false, 70: false, 78: false, 79: true, 100: true} {
		r := alertOf(t, o, a, samples, start.Add(time.Duration(minute)*time.Minute), sla.EvaluateOptions{})
		if r.Firing != firing || r.Active != (minute >= 64) || r.Suppressed != (r.Active && !firing) {
			t.Errorf("minute %d: %+v", minute, r)
		}
	}
}

func TestEvaluateRefusesWhatNeverFires(t *testing.T) {
	o := sla.Objective{Name: "quality", Target: 0.9, Window: sla.Rolling(30 * day)}
	alerts := must(sla.GoogleAlerts(30 * day))(t)
	if _, err := sla.Evaluate(o, alerts, nil, start, sla.EvaluateOptions{}); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("14.4 at 0.9: %v", err)
	}
	e := must(sla.Evaluate(o, alerts, one(start, 0, 100), start, sla.EvaluateOptions{Clamp: true}))(t)
	if a := e.Alerts[0]; math.Abs(a.Alert.Factor-9) > 1e-9 || !a.Firing || len(e.Warnings) != 1 || e.Warnings[0].Code != sla.WarnClamped {
		t.Errorf("%+v %v", a, e.Warnings)
	}
	never := sla.Objective{Name: "never", Target: 1, Window: sla.Rolling(30 * day)}
	if e := must(sla.Evaluate(never, alerts, one(start, 99, 100), start, sla.EvaluateOptions{}))(t); !e.Alerts[0].Firing || e.Alerts[0].Long.TailP != 0 {
		t.Errorf("target 1: %+v", e.Alerts[0])
	}
	sliced := sla.Objective{Name: "x", Target: 0.99, Window: sla.Rolling(day), Method: sla.RatioTimeslices, Slice: time.Hour}
	for name, c := range map[string]struct {
		o sla.Objective
		a []sla.Alert
		p sla.EvaluateOptions
	}{
		"window below a slice":    {sliced, []sla.Alert{hourly}, sla.EvaluateOptions{}},
		"window above the window": {sla.Objective{Name: "x", Target: 0.99, Window: sla.Rolling(time.Minute)}, []sla.Alert{hourly}, sla.EvaluateOptions{}},
		"two of a name":           {o, []sla.Alert{hourly, hourly}, sla.EvaluateOptions{}},
		"no short window":         {o, []sla.Alert{{Long: time.Hour, Factor: 2}}, sla.EvaluateOptions{}},
		"short above long":        {o, []sla.Alert{{Long: time.Hour, Short: day, Factor: 2}}, sla.EvaluateOptions{}},
		"no factor":               {o, []sla.Alert{{Long: time.Hour, Short: time.Hour}}, sla.EvaluateOptions{}},
		"NaN factor":              {o, []sla.Alert{{Long: time.Hour, Short: time.Hour, Factor: math.NaN()}}, sla.EvaluateOptions{}},
		"held for a year":         {o, []sla.Alert{{Long: time.Hour, Short: time.Hour, Factor: 1, Hold: 365 * day}}, sla.EvaluateOptions{}},
		"unknown severity":        {o, []sla.Alert{{Long: time.Hour, Short: time.Hour, Factor: 1, Severity: 4}}, sla.EvaluateOptions{}},
		"negative step":           {o, nil, sla.EvaluateOptions{Step: -1}},
		"suppression without end": {o, nil, sla.EvaluateOptions{Suppress: []sla.Exclusion{{From: start, Reason: "x"}}}},
	} {
		if _, err := sla.Evaluate(c.o, c.a, nil, start, c.p); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, window := range []time.Duration{0, -1, 7 * day, 100 * 366 * day} {
		if _, err := sla.GoogleAlerts(window); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("Google's alerts for %s: %v", window, err)
		}
	}
	if _, err := sla.PyrraAlerts(time.Hour); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("Pyrra's alerts for an hour: %v", err)
	}
	for _, f := range []sla.Fraction{{Long: time.Hour}, {Long: time.Hour, Budget: 2}, {Budget: 0.1}, {Long: 60 * day, Budget: 0.1}} {
		if _, err := sla.AlertsFromFractions(30*day, []sla.Fraction{f}); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if _, ok := hourly.DetectAfter(0.99, 0.05); ok {
		t.Error("an error rate at the threshold is not above it")
	}
}

func TestAbsence(t *testing.T) {
	o := sla.Objective{Name: "x", Target: 0.99, Window: sla.Rolling(day)}
	samples := every(start, time.Minute, 60, firstBad(0, 100))
	for minute, absent := range map[int]bool{60: false, 64: false, 65: true, 90: true} {
		r := alertOf(t, o, hourly, samples, start.Add(time.Duration(minute)*time.Minute), sla.EvaluateOptions{})
		if r.Absent != absent || r.Short.NoData != absent || r.NoData {
			t.Errorf("minute %d: %+v", minute, r)
		}
	}
}

func TestDedupeKeyKeepsPartsApart(t *testing.T) {
	o := sla.Objective{Name: "a/b", Target: 0.99, Window: sla.Rolling(day)}
	r := alertOf(t, o, hourly, nil, start, sla.EvaluateOptions{Model: "m%", Deploy: ""})
	if r.DedupeKey != "m%25//a%2Fb/hourly" || !r.NoData || r.Active {
		t.Errorf("%+v", r)
	}
}

func TestExhaustedIn(t *testing.T) {
	o := sla.Objective{Name: "x", Target: 0.99, Window: sla.Rolling(10 * day)}
	// Half of the budget went in a day of 50 times the traffic; now it burns at twice the pace.
	samples := append(one(start, 99500, 100000), every(start.Add(9*day), time.Minute, 60, func(int) sla.Counts { return of(0.98, 1) })...)
	r := alertOf(t, o, hourly, samples, start.Add(9*day+time.Hour), sla.EvaluateOptions{})
	b := must(sla.Budget(o, samples, start.Add(9*day+time.Hour)))(t)
	statstest.Near(t, "minutes", float64(r.ExhaustedIn), 14400*float64(b.Remaining)/2, 1e-9, 0)
}
