package sla_test

import (
	"fmt"
	"log"
	"time"

	"github.com/rampguard/rampguard/sla"
)

// A fraud model must answer 99.9% of its requests in time over 28 days. Ten days in,
// every eighth request of half an hour fails. May the next version get more traffic?
func Example() {
	o := sla.Objective{Name: "answered in time", Target: 0.999, Window: sla.Rolling(28 * day)}
	alerts, err := sla.GoogleAlerts(28 * day)
	if err != nil {
		log.Fatal(err)
	}
	samples := every(start, time.Minute, 10*24*60, func(i int) sla.Counts {
		if i >= 10*24*60-30 {
			return of(875, 1000)
		}
		return of(999.8, 1000)
	})
	now := start.Add(10 * day)
	e, err := sla.Evaluate(o, alerts, samples, now, sla.EvaluateOptions{Model: "fraud", Deploy: "9f2c"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %.1f%% of the budget left, %v\n", e.Objective, 100*float64(e.Budget.Remaining), e.Budget.State)
	for _, a := range e.Alerts {
		fmt.Printf("%-8s %-6s burn %5.1f and %5.1f, firing %v\n", a.Alert.Name, a.Alert.Severity, float64(a.Long.Rate), float64(a.Short.Rate), a.Firing)
	}
	d := sla.Gate(sla.GatePolicy{}, sla.GateState{}, sla.GateRequest{Action: sla.Promote}, now, e)
	fmt.Println("promote:", d.Decision)
	fmt.Println("roll back:", sla.Gate(sla.GatePolicy{}, d.State, sla.GateRequest{Action: sla.Rollback}, now, e).Decision)
	// Output:
	// answered in time: 54.0% of the budget left, ok
	// fast     page   burn  62.6 and 125.0, firing true
	// medium   page   burn  10.6 and 125.0, firing true
	// slow     ticket burn   2.8 and  31.4, firing true
	// creeping ticket burn   1.1 and  10.6, firing true
	// promote: halt
	// roll back: allow
}

func ExampleBudget() {
	o := sla.Objective{Name: "labels in time", Target: 0.99, Window: sla.Rolling(7 * day), Exclude: []sla.Exclusion{
		{From: start.Add(day), To: start.Add(day + 2*time.Hour), Reason: "store moved"},
	}}
	samples := every(start, time.Hour, 7*24, func(i int) sla.Counts {
		if i >= 24 && i < 27 {
			return of(150, 200) // the move, and an hour more
		}
		return of(199, 200)
	})
	b, err := sla.Budget(o, samples, start.Add(7*day))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f [%.4f, %.4f] of %v %s\n", b.SLI.Point, b.SLI.Lo, b.SLI.Hi, b.Total, b.Unit)
	fmt.Printf("%.0f bad of %.0f allowed: %.0f%% spent, %v\n", b.Bad, b.AllowedBad, 100*float64(b.Consumed), b.State)
	fmt.Printf("as time: %.1f of %.1f minutes\n", float64(b.SpentMinutes), b.AllowedMinutes)
	for _, m := range b.Maintenance {
		fmt.Printf("left out: %s, %.0f minutes, %v of %v bad\n", m.Reason, m.Minutes, m.Total-m.Good, m.Total)
	}
	// Output:
	// 0.9935 [0.9926, 0.9943] of 33200 events
	// 215 bad of 332 allowed: 65% spent, ok
	// as time: 64.5 of 99.6 minutes
	// left out: store moved, 120 minutes, 100 of 400 bad
}

// Slices weigh every minute the same, however little the traffic; a minute without
// samples is neither good nor bad unless the objective says so.
func ExampleBudget_slices() {
	o := sla.Objective{Name: "night shift", Target: 0.9, Window: sla.Rolling(time.Hour), Method: sla.Timeslices, Slice: time.Minute, SliceTarget: 0.95}
	samples := every(start, time.Minute, 50, func(i int) sla.Counts {
		if i < 2 {
			return of(0, 1)
		}
		return of(100, 100)
	})
	for _, missing := range []sla.MissingPolicy{sla.MissingIgnore, sla.MissingGood, sla.MissingBad, sla.MissingNoData} {
		o.Missing = missing
		b, err := sla.Budget(o, samples, start.Add(time.Hour))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%-7v %2.0f bad of %2.0f slices, %d missing: %v\n", missing, b.Bad, b.Total, b.Slices.Missing, b.State)
	}
	// Output:
	// ignore   2 bad of 50 slices, 10 missing: ok
	// good     2 bad of 60 slices, 10 missing: ok
	// bad     12 bad of 60 slices, 10 missing: exhausted
	// no_data  2 bad of 50 slices, 10 missing: no_data
}

// March 2024 in New York is an hour short, and its budget with it.
func ExampleCalendar() {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		log.Fatal(err)
	}
	w := sla.Calendar(sla.Month, newYork)
	from, to, err := w.Bounds(time.Date(2024, 3, 15, 12, 0, 0, 0, newYork))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(w, to.Sub(from), sla.Allowance(0.999, to.Sub(from)))
	// Output: calendar month America/New_York 743h0m0s 44m34.8s
}

func ExampleRolling() {
	w := sla.Rolling(28 * day)
	from, to, err := w.Bounds(start)
	fmt.Println(w, from.Format(time.DateOnly), to.Format(time.DateOnly), err)
	// Output: rolling 28d 2023-12-04 2024-01-01 <nil>
}

func ExampleAllowance() {
	fmt.Println(sla.Allowance(0.999, 30*day), sla.Allowance(0.999, 7*day))
	// Output: 43m12s 10m4.8s
}

// A model that must be right in 90% of the cases can never burn 14.4 times too fast.
func ExampleMaxBurn() {
	fmt.Println(sla.MaxBurn(0.9), sla.MaxBurn(0.999))
	// Output: 10 1000
}

// 14.4 times the even pace empties a month in two days, not in two hours.
func ExampleTimeToExhaustion() {
	d, ends := sla.TimeToExhaustion(30*day, 1, 14.4)
	fmt.Println(d, ends)
	_, ends = sla.TimeToExhaustion(30*day, 1, 0)
	fmt.Println(ends)
	// Output:
	// 50h0m0s true
	// false
}

// One error among twenty requests burns five times too fast, and is no evidence.
func ExampleBurnRate() {
	o := sla.Objective{Name: "scored", Target: 0.99, Window: sla.Rolling(28 * day)}
	b, err := sla.BurnRate(o, one(start, 19, 20), time.Hour, start)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("burn rate %.1f, probability %.2f without excess\n", float64(b.Rate), float64(b.TailP))
	quiet, err := sla.BurnRate(o, nil, time.Hour, start)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("no data:", quiet.NoData)
	// Output:
	// burn rate 5.0, probability 0.18 without excess
	// no data: true
}

// Nine of ten releases in time neither hold nor miss a promise of 95%.
func ExampleCompliance() {
	p, err := sla.Compliance(9, 10, sla.ComplianceOptions{Target: 0.95})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0f%% [%.0f%%, %.0f%%], %v, p %.2f\n", 100*p.Interval.Point, 100*p.Interval.Lo, 100*p.Interval.Hi, p.State, float64(p.BelowP))
	// Output: 90% [60%, 98%], at_risk, p 0.40
}

func ExampleCompareProportions() {
	r, err := sla.CompareProportions(sla.Counts{Good: 56, Total: 70}, sla.Counts{Good: 48, Total: 80}, 0.95)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Estimate)
	// Output: 0.2 [0.05243, 0.3339] (95%)
}

func ExampleGoogleAlerts() {
	alerts, err := sla.GoogleAlerts(30 * day)
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range alerts {
		after, _ := a.DetectAfter(0.999, 1)
		fmt.Printf("%-6v %v and %v above %.3g, an outage after %v\n", a.Severity, a.Long, a.Short, a.Factor, after.Round(time.Second))
	}
	// Output:
	// page   1h0m0s and 5m0s above 14.4, an outage after 52s
	// page   6h0m0s and 30m0s above 6, an outage after 2m10s
	// ticket 24h0m0s and 2h0m0s above 3, an outage after 4m19s
	// ticket 72h0m0s and 6h0m0s above 1, an outage after 4m19s
}

func ExamplePyrraAlerts() {
	alerts, err := sla.PyrraAlerts(7 * day)
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range alerts {
		fmt.Printf("%-6v %v and %v for %v above %v\n", a.Severity, a.Long, a.Short, a.Hold, a.Factor)
	}
	// Output:
	// page   15m0s and 1m0s for 1m0s above 14
	// page   1h30m0s and 8m0s for 4m0s above 7
	// ticket 6h0m0s and 30m0s for 15m0s above 2
	// ticket 24h0m0s and 1h30m0s for 45m0s above 1
}

func ExampleAlertsFromFractions() {
	alerts, err := sla.AlertsFromFractions(7*day, []sla.Fraction{{Name: "fast", Long: time.Hour, Budget: 0.08}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %v and %v above %.2f\n", alerts[0].Name, alerts[0].Long, alerts[0].Short, alerts[0].Factor)
	// Output: fast: 1h0m0s and 5m0s above 13.44
}

func ExampleUnreachable() {
	alerts, err := sla.GoogleAlerts(30 * day)
	if err != nil {
		log.Fatal(err)
	}
	o := sla.Objective{Name: "precision", Target: 0.9, Window: sla.Rolling(30 * day)}
	for _, a := range sla.Unreachable(o, alerts) {
		fmt.Println("never fires:", a.Name)
	}
	clamped, notes := sla.ClampFactors(o, alerts)
	fmt.Printf("%.3g\n%s\n", clamped[0].Factor, notes[0].Message)
	// Output:
	// never fires: fast
	// 9
	// alert "fast": factor 14.4 is never exceeded at target 0.9, where 10 is the most; taken as 9
}

// Three services in a row, each at its target, are not at the target of one.
func ExampleCombine() {
	var parts []sla.BudgetStatus
	for _, name := range []string{"features", "model", "rules"} {
		o := sla.Objective{Name: name, Target: 0.999, Window: sla.Rolling(28 * day)}
		b, err := sla.Budget(o, one(start, 99930, 100000), start)
		if err != nil {
			log.Fatal(err)
		}
		parts = append(parts, b)
	}
	c, err := sla.Combine(sla.Serial, parts...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.5f of %.6f promised, %.0f%% of the budget spent\n", c.SLI.Point, c.Target, 100*float64(c.Consumed))
	// Output: 0.99790 of 0.997003 promised, 70% of the budget spent
}

// A halt ends an hour after the burning does, and the state is a value to be kept.
func ExampleGate() {
	o := sla.Objective{Name: "answered", Target: 0.99, Window: sla.Rolling(7 * day)}
	alerts := []sla.Alert{{Name: "fast", Long: time.Hour, Short: 5 * time.Minute, Factor: 10}}
	samples := every(start, time.Minute, 4*1440, func(i int) sla.Counts {
		if i >= 4000 && i < 4012 {
			return of(10, 100)
		}
		return of(100, 100)
	})
	var state sla.GateState
	for _, minute := range []int{3990, 4011, 4017, 4060, 4080} {
		now := start.Add(time.Duration(minute) * time.Minute)
		e, err := sla.Evaluate(o, alerts, samples, now, sla.EvaluateOptions{})
		if err != nil {
			log.Fatal(err)
		}
		d := sla.Gate(sla.GatePolicy{}, state, sla.GateRequest{Action: sla.Promote}, now, e)
		state = d.State
		fmt.Print(minute, " ", d.Decision)
		for _, r := range d.Reasons {
			fmt.Print(" ", r.Code)
		}
		fmt.Println()
	}
	// Output:
	// 3990 allow
	// 4011 halt alert_firing
	// 4017 halt cooldown
	// 4060 halt cooldown
	// 4080 allow resumed
}
