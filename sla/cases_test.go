package sla_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/stats/statstest"
)

func TestPublishedCases(t *testing.T) {
	cases := goldenCases(t)
	for id, check := range publishedCases {
		c, ok := cases[id]
		if !ok {
			t.Errorf("no case %s", id)
			continue
		}
		t.Run(id, func(t *testing.T) { check(caseRun{t, c}) })
	}
}

// caseRun reads the numbers of a case and compares with them.
type caseRun struct {
	*testing.T
	goldenCase
}

func (c caseRun) in(key string) float64    { return decode[float64](c, c.Input, key) }
func (c caseRun) ins(key string) []float64 { return decode[[]float64](c, c.Input, key) }

func (c caseRun) days(key string) time.Duration { return time.Duration(c.in(key)) * day }

func (c caseRun) want(key string, got ...float64) {
	c.Helper()
	var want []float64
	if raw := c.Expect[key]; len(raw) > 0 && raw[0] == '[' {
		want = decode[[]float64](c, c.Expect, key)
	} else {
		want = []float64{decode[float64](c, c.Expect, key)}
	}
	if len(want) != len(got) {
		c.Fatalf("%s: %d numbers, want %v", key, len(got), want)
	}
	for i := range want {
		statstest.Near(c, fmt.Sprintf("%s[%d]", key, i), got[i], want[i], 0, c.Tol+1e-12*want[i])
	}
}

func (c caseRun) budget(o sla.Objective, s []sla.Sample, asOf time.Time) sla.BudgetStatus {
	c.Helper()
	return must(sla.Budget(o, s, asOf))(c)
}

// each maps numbers.
func each[A, B any](xs []A, f func(A) B) []B {
	out := make([]B, len(xs))
	for i, x := range xs {
		out[i] = f(x)
	}
	return out
}

var publishedCases = map[string]func(c caseRun){
	"slo-sre-workbook-burnrates": func(c caseRun) {
		target, window := c.in("target"), c.days("window_days")
		var rates, hours []float64
		for _, burn := range c.ins("burn") {
			rates = append(rates, burn/sla.MaxBurn(target))
			d, _ := sla.TimeToExhaustion(window, 1, burn)
			hours = append(hours, d.Hours())
			// The burn rate that a log with that error rate has.
			n := 1e6
			o := sla.Objective{Name: "x", Target: target, Window: sla.Rolling(window)}
			b := must(sla.BurnRate(o, one(start, n-burn/sla.MaxBurn(target)*n, n), time.Hour, start))(c)
			statstest.Near(c, "burn rate", float64(b.Rate), burn, 1e-9, 0)
		}
		c.want("error_rate", rates...)
		c.want("exhaust_hours", hours...)
	},
	"slo-sre-workbook-params": func(c caseRun) {
		window := c.days("window_days")
		alerts := must(sla.GoogleAlerts(window))(c)
		c.want("factor", each(alerts, func(a sla.Alert) float64 { return a.Factor })...)
		c.want("exhaust_days", each(alerts, func(a sla.Alert) float64 {
			d, _ := sla.TimeToExhaustion(window, 1, a.Factor)
			return d.Hours() / 24
		})...)
		for i, row := range decode[[][]any](c, c.Input, "rows") {
			long, short := row[1].(string), row[2].(string)
			if a := alerts[i]; a.Severity.String() != row[0] || a.Long != must(time.ParseDuration(long))(c) || a.Short != must(time.ParseDuration(short))(c) {
				c.Errorf("row %v: got %+v", row, a)
			}
			statstest.Near(c, "share of the budget", alerts[i].Spends(window), row[3].(float64), 1e-12, 0)
		}
	},
	"slo-sre-factor36": func(c caseRun) {
		long := time.Duration(c.in("long_h")) * time.Hour
		window := time.Duration(c.in("window_h")) * time.Hour
		a := must(sla.AlertsFromFractions(window, []sla.Fraction{{Long: long, Budget: c.in("budget_fraction")}}))(c)
		c.want("factor", a[0].Factor)
	},
	"slo-sloth-28d": func(c caseRun) {
		c.want("factor", each(must(sla.GoogleAlerts(c.days("window_days")))(c), func(a sla.Alert) float64 { return a.Factor })...)
		fromFractions(c)
	},
	"slo-sloth-7d":      fromFractions,
	"slo-pyrra-windows": pyrraWindows,
	"slo-pyrra-absent": func(c caseRun) {
		a := must(sla.PyrraAlerts(c.days("window_days")))(c)[0]
		c.want("minutes", each(c.ins("target"), func(target float64) float64 { return a.AbsentAfter(target).Minutes() })...)
	},
	"slo-unreachable-factor": func(c caseRun) {
		a := []sla.Alert{{Name: "fast", Long: time.Hour, Short: 5 * time.Minute, Factor: c.in("factor")}}
		c.want("max_burn", each(c.ins("target"), sla.MaxBurn)...)
		for i, reachable := range decode[[]bool](c, c.Expect, "reachable") {
			o := sla.Objective{Name: "quality", Target: c.ins("target")[i], Window: sla.Rolling(30 * day)}
			_, err := sla.Evaluate(o, a, nil, start, sla.EvaluateOptions{})
			if got := len(sla.Unreachable(o, a)) == 0; got != reachable || (err == nil) != reachable {
				c.Errorf("target %v: reachable %v, error %v", o.Target, got, err)
			}
		}
	},
	"slo-detection-time": func(c caseRun) {
		a := sla.Alert{Long: time.Duration(c.in("long_s")) * time.Second, Factor: c.in("factor")}
		c.want("seconds", each(c.ins("target"), func(target float64) float64 {
			d, ok := a.DetectAfter(target, c.in("error_rate"))
			if !ok {
				c.Errorf("target %v: never detected", target)
			}
			return d.Seconds()
		})...)
	},
	"slo-downtime-table": func(c caseRun) {
		allowed := func(window time.Duration, unit time.Duration) []float64 {
			return each(c.ins("target"), func(target float64) float64 {
				return float64(sla.Allowance(target, window)) / float64(unit)
			})
		}
		c.want("per_30d_min", allowed(30*day, time.Minute)...)
		c.want("per_week_min", allowed(7*day, time.Minute)...)
		c.want("per_365d_h", allowed(365*day, time.Hour)...)
		c.want("per_90d_h", allowed(90*day, time.Hour)...)
	},
	"slo-openslo-lowtraffic": func(c caseRun) {
		o := sla.Objective{Name: "x", Target: c.in("target"), Window: sla.Rolling(7 * day), Method: sla.Timeslices, Slice: time.Minute, SliceTarget: 0.95}
		b := c.budget(o, every(start, time.Minute, 10080, firstBad(0, 1)), start.Add(7*day))
		c.want("slices", b.Total)
		c.want("budget_bad_slices", b.AllowedBad)
		c.want("budget_seconds", b.AllowedMinutes*60)
	},
	"slo-openslo-timeslices": openSLOTimeslices,
	"slo-kibana-occurrences": func(c caseRun) {
		o := sla.Objective{Name: "x", Target: c.in("target"), Window: sla.Rolling(day)}
		var consumed, clamped []float64
		for _, v := range decode[[][2]float64](c, c.Input, "cases") {
			b := c.budget(o, one(start, v[0], v[1]), start)
			if v[0] > v[1] { // that tool says nothing is consumed
				if b.State != sla.NoData || len(b.Excluded) != 1 || b.Excluded[0].Reason != sla.ReasonGoodAbove {
					c.Errorf("%v: %v, excluded %v", v, b.State, b.Excluded)
				}
				consumed, clamped = append(consumed, 0), append(clamped, 1)
				continue
			}
			consumed, clamped = append(consumed, float64(b.Consumed)), append(clamped, b.Clamped)
		}
		c.want("consumed", consumed...)
		c.want("remaining_clamped", clamped...)
	},
	"slo-kibana-calendar-slices": func(c caseRun) {
		o := sla.Objective{Name: "x", Target: c.in("target"), Window: sla.Calendar(sla.Week, nil), Method: sla.Timeslices, Slice: 5 * time.Minute, SliceTarget: 1}
		seen := int(c.in("seen_slices"))
		samples := every(start, o.Slice, seen, firstBad(seen-int(c.in("good")), 1))
		b := c.budget(o, samples, samples[seen-1].At)
		c.want("total_slices", float64(b.Slices.Elapsed+b.Slices.Ahead))
		c.want("consumed_calendar", float64(b.Consumed))
		c.want("consumed_rolling_formula", float64(b.ToDate))
	},
	"slo-kibana-missing-slices": kibanaMissing,
	"slo-kibana-window-scaling": func(c caseRun) {
		for i, key := range []string{"consumed_30d", "consumed_7d"} {
			window := time.Duration(c.ins("window_days")[i]) * day
			var got []float64
			for j, f := range c.ins("factors") {
				a := sla.Alert{Factor: f, Long: time.Duration(c.ins("long_h")[j]) * time.Hour}
				got = append(got, a.Spends(window))
			}
			c.want(key, got...)
		}
	},
	"slo-average-of-ratios": func(c caseRun) {
		bad, total := c.ins("bad"), c.ins("total")
		samples := every(start, 5*time.Minute, len(bad), func(i int) sla.Counts { return of(total[i]-bad[i], total[i]) })
		o := sla.Objective{Name: "x", Target: 0.999, Window: sla.Rolling(15 * time.Minute)}
		c.want("ratio_of_sums", float64(must(sla.BurnRate(o, samples, 15*time.Minute, start.Add(15*time.Minute)))(c).ErrorRate))
		o.Method, o.Slice = sla.RatioTimeslices, 5*time.Minute
		c.want("average_of_ratios", float64(must(sla.BurnRate(o, samples, 15*time.Minute, start.Add(15*time.Minute)))(c).ErrorRate))
	},
	"slo-budget-time": func(c caseRun) {
		o := sla.Objective{Name: "x", Target: c.in("target"), Window: sla.Rolling(c.days("window_days"))}
		c.want("budget_minutes", c.budget(o, one(start, 1, 1), start).AllowedMinutes)
	},
	"slo-calendar-dst": calendarDST,
	"slo-lowtraffic-binomial": func(c caseRun) {
		o := sla.Objective{Name: "x", Target: 1 - c.in("budget"), Window: sla.Rolling(day)}
		c.want("p_at_least", each(c.ins("bad"), func(bad float64) float64 {
			return float64(must(sla.BurnRate(o, one(start, c.in("n")-bad, c.in("n")), time.Hour, start))(c).TailP)
		})...)
	},
	"slo-serial-composite": func(c caseRun) {
		for key, mode := range map[string]sla.CompositeMode{"serial": sla.Serial, "parallel": sla.Parallel} {
			parts := each(c.ins(key), func(level float64) sla.BudgetStatus {
				o := sla.Objective{Name: key, Target: level, Window: sla.Rolling(day)}
				return c.budget(o, one(start, level*1000, 1000), start)
			})
			got := must(sla.Combine(mode, parts...))(c)
			c.want(key, got.SLI.Point)
			c.want(key, got.Target)
		}
	},
	"prop-newcombe-table": proportions,
	"prop-sla-small":      proportions,
	"prop-lower-onesided": func(c caseRun) {
		c.want("lower", each(c.ins("all_success_n"), func(n float64) float64 {
			o := sla.ComplianceOptions{Method: sla.ClopperPearson, Level: 2*c.in("conf") - 1}
			return must(sla.Compliance(uint64(n), uint64(n), o))(c).Interval.Lo
		})...)
	},
	"prop-diff-newcombe": func(c caseRun) {
		ci := decode[[][]float64](c, c.Expect, "ci")
		var diffs []float64
		for i, v := range decode[[][]float64](c, c.Input, "cases") {
			r := must(sla.CompareProportions(of(v[0], v[1]), of(v[2], v[3]), 0))(c)
			diffs = append(diffs, r.Estimate.Point)
			statstest.Near(c, "lower", r.Estimate.Lo, ci[i][0], 0, c.Tol)
			statstest.Near(c, "upper", r.Estimate.Hi, ci[i][1], 0, c.Tol)
		}
		c.want("diff", diffs...)
	},
	"prop-binom-vs-target": func(c caseRun) {
		var got []float64
		for _, v := range decode[[][]float64](c, c.Input, "cases") {
			p := must(sla.Compliance(uint64(v[0]), uint64(v[1]), sla.ComplianceOptions{Target: v[2]}))(c)
			got = append(got, float64(p.BelowP))
		}
		c.want("p_lower", got...)
	},
}

func fromFractions(c caseRun) {
	long, pct := c.ins("long_h"), c.ins("budget_pct")
	var fractions []sla.Fraction
	for i := range long {
		fractions = append(fractions, sla.Fraction{Long: time.Duration(long[i]) * time.Hour, Budget: pct[i] / 100})
	}
	alerts := must(sla.AlertsFromFractions(c.days("window_days"), fractions))(c)
	c.want("factor", each(alerts, func(a sla.Alert) float64 { return a.Factor })...)
}

func pyrraWindows(c caseRun) {
	for i, days := range c.ins("window_days") {
		alerts := must(sla.PyrraAlerts(time.Duration(days) * day))(c)
		c.want("factor", each(alerts, func(a sla.Alert) float64 { return a.Factor })...)
		for j, a := range alerts {
			for key, got := range map[string]time.Duration{"long": a.Long, "short": a.Short, "hold": a.Hold} {
				if want := must(time.ParseDuration(decode[[][]string](c, c.Expect, key)[i][j]))(c); got != want {
					c.Errorf("%v days, alert %d: %s is %s, want %s", days, j, key, got, want)
				}
			}
		}
	}
}

// An attack lowers the success of every minute from 0.99 to 0.01.
func openSLOTimeslices(c caseRun) {
	o := sla.Objective{Name: "x", Target: c.in("target"), Window: sla.Rolling(14 * day), Slice: time.Minute}
	attacked := func(minutes int) []sla.Sample {
		return every(start, time.Minute, 20160, func(i int) sla.Counts {
			if i < minutes {
				return of(c.in("attack_success"), 1)
			}
			return of(c.in("baseline_success"), 1)
		})
	}
	end := start.Add(14 * day)
	o.Method, o.SliceTarget = sla.Timeslices, 0.95
	b := c.budget(o, attacked(1008), end)
	c.want("slices", b.Total)
	c.want("bad_slices_to_exhaust", b.AllowedBad)
	c.want("timeslices_hours", float64(b.SpentMinutes)/60)
	if b.State != sla.Exhausted || c.budget(o, attacked(1007), end).State == sla.Exhausted {
		c.Errorf("1008 bad slices: %v, remaining %v", b.State, b.Remaining)
	}
	o.Method, o.SliceTarget = sla.RatioTimeslices, 0
	// Consumption is linear in the minutes of attack.
	none, some := float64(c.budget(o, attacked(0), end).Consumed), float64(c.budget(o, attacked(100), end).Consumed)
	c.want("ratiotimeslices_minutes", 100*(1-none)/(some-none))
	if c.budget(o, attacked(822), end).State == sla.Exhausted || c.budget(o, attacked(823), end).State != sla.Exhausted {
		c.Error("13h42m51s of attack should exhaust the budget")
	}
}

func kibanaMissing(c caseRun) {
	type row struct {
		Slice              string
		Good, Seen, Slices int
	}
	var got []float64
	for _, v := range decode[[]row](c, c.Input, "cases") {
		slice := must(time.ParseDuration(v.Slice))(c)
		o := sla.Objective{Name: "x", Target: 0.9, Window: sla.Rolling(7 * day), Method: sla.Timeslices, Slice: slice, SliceTarget: 1}
		samples := every(start, slice, v.Seen, firstBad(v.Seen-v.Good, 1))
		got = append(got, c.budget(o, samples, start.Add(7*day)).SLI.Point)

		// Without the first half of the slices, all bad ones among them.
		half := samples[v.Slices/2:]
		seen := float64(len(half))
		for policy, want := range map[sla.MissingPolicy]float64{sla.MissingIgnore: 1, sla.MissingGood: 1, sla.MissingBad: seen / float64(v.Slices)} {
			o.Missing = policy
			b := c.budget(o, half, start.Add(7*day))
			statstest.Near(c, policy.String(), b.SLI.Point, want, 1e-12, 0)
			if b.Slices.Missing != v.Slices/2 {
				c.Errorf("%v: %d missing", policy, b.Slices.Missing)
			}
		}
		o.Missing = sla.MissingNoData
		if b := c.budget(o, half, start.Add(7*day)); b.State != sla.NoData {
			c.Errorf("half of the slices missing: %v", b.State)
		}
	}
	c.want("sli", got...)
}

func calendarDST(c caseRun) {
	ny := zone(c, decode[string](c, c.Input, "zone"))
	var hours, seconds []float64
	for _, month := range decode[[]string](c, c.Input, "months") {
		mid := must(time.ParseInLocation("2006-01", month, ny))(c).AddDate(0, 0, 14)
		w := sla.Calendar(sla.Month, ny)
		from, to, err := w.Bounds(mid)
		if err != nil {
			c.Fatal(err)
		}
		hours = append(hours, to.Sub(from).Hours())
		b := c.budget(sla.Objective{Name: "x", Target: c.in("target"), Window: w}, one(mid, 1, 1), mid)
		seconds = append(seconds, b.AllowedMinutes*60)
	}
	c.want("hours", hours...)
	c.want("budget_seconds", seconds...)
	from, to, err := sla.Calendar(sla.Quarter, ny).Bounds(time.Date(2024, 2, 1, 0, 0, 0, 0, ny))
	if err != nil {
		c.Fatal(err)
	}
	c.want("q1_2024_hours", to.Sub(from).Hours())
}

func proportions(c caseRun) {
	for name, m := range map[string]sla.IntervalMethod{"wilson": sla.Wilson, "clopper_pearson": sla.ClopperPearson, "jeffreys": sla.Jeffreys} {
		if _, ok := c.Expect[name]; !ok {
			continue
		}
		want := decode[[][]float64](c, c.Expect, name)
		for i, v := range decode[[][]float64](c, c.Input, "cases") {
			p := must(sla.Compliance(uint64(v[0]), uint64(v[1]), sla.ComplianceOptions{Method: m, Level: c.in("conf")}))(c)
			statstest.Near(c, name+" lower", p.Interval.Lo, want[i][0], 0, c.Tol)
			statstest.Near(c, name+" upper", p.Interval.Hi, want[i][1], 0, c.Tol)
		}
	}
}
