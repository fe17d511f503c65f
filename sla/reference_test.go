package sla_test

import (
	"math"
	"testing"
	"time"

	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/stats/statstest"
)

func TestReferenceCompliance(t *testing.T) {
	for _, c := range statstest.Load(t, "sla").ByFunc(t, "Compliance") {
		num := func(key string) float64 { return statstest.Float(t, c.In, key) }
		for name, m := range map[string]sla.IntervalMethod{"wilson": sla.Wilson, "clopper_pearson": sla.ClopperPearson, "jeffreys": sla.Jeffreys} {
			p := must(sla.Compliance(uint64(num("met")), uint64(num("total")), sla.ComplianceOptions{Target: num("target"), Method: m, Level: num("level")}))(t)
			want := statstest.Floats(t, c.Want, name)
			statstest.Near(t, c.Name+" "+name+" lower", p.Interval.Lo, want[0], c.RTol, c.ATol)
			statstest.Near(t, c.Name+" "+name+" upper", p.Interval.Hi, want[1], c.RTol, c.ATol)
			statstest.Near(t, c.Name+" below", float64(p.BelowP), statstest.Float(t, c.Want, "below_p"), c.RTol, c.ATol)
			statstest.Near(t, c.Name+" above", float64(p.AboveP), statstest.Float(t, c.Want, "above_p"), c.RTol, c.ATol)
		}
	}
}

func TestReferenceCompareProportions(t *testing.T) {
	for _, c := range statstest.Load(t, "sla").ByFunc(t, "CompareProportions") {
		v, ci := statstest.Floats(t, c.In, "counts"), statstest.Floats(t, c.Want, "ci")
		r := must(sla.CompareProportions(of(v[0], v[1]), of(v[2], v[3]), 0.95))(t)
		statstest.Near(t, c.Name+" difference", r.Estimate.Point, statstest.Float(t, c.Want, "diff"), c.RTol, c.ATol)
		statstest.Near(t, c.Name+" lower", r.Estimate.Lo, ci[0], c.RTol, c.ATol)
		statstest.Near(t, c.Name+" upper", r.Estimate.Hi, ci[1], c.RTol, c.ATol)
	}
}

// The samples of a series stand in its first case only.
func TestReferenceBudget(t *testing.T) {
	series := map[string][]sla.Sample{}
	for _, c := range statstest.Load(t, "sla").ByFunc(t, "Budget") {
		num := func(key string) float64 { return statstest.Float(t, c.In, key) }
		var name, method, missing string
		statstest.Decode(t, c.In, "samples", &name)
		statstest.Decode(t, c.In, "method", &method)
		statstest.Decode(t, c.In, "missing", &missing)
		at, good, total := statstest.Floats(t, c.In, "at"), statstest.Floats(t, c.In, "good"), statstest.Floats(t, c.In, "total")
		for i := range at {
			series[name] = append(series[name], sla.Sample{At: start.Add(time.Duration(at[i]) * time.Minute), Counts: of(good[i], total[i])})
		}
		window := time.Duration(num("minutes")) * time.Minute
		o := sla.Objective{Name: name, Target: num("target"), Window: sla.Rolling(window), Slice: time.Duration(num("slice_minutes")) * time.Minute, SliceTarget: num("slice_target")}
		if err := o.Method.UnmarshalText([]byte(method)); err != nil {
			t.Fatal(err)
		}
		if err := o.Missing.UnmarshalText([]byte(missing)); err != nil {
			t.Fatal(err)
		}
		near := func(what string, got float64, key string) {
			t.Helper()
			statstest.Near(t, c.Name+" "+what, got, statstest.Float(t, c.Want, key), c.RTol, c.ATol)
		}
		b := must(sla.Budget(o, series[name], start.Add(window)))(t)
		near("bad", b.Bad, "bad")
		near("total", b.Total, "n")
		near("consumed", float64(b.Consumed), "consumed")
		near("remaining", 1-float64(b.Remaining), "consumed")
		ci := statstest.Floats(t, c.Want, "ci")
		statstest.Near(t, c.Name+" lower", b.SLI.Lo, ci[0], c.RTol, c.ATol)
		statstest.Near(t, c.Name+" upper", b.SLI.Hi, ci[1], c.RTol, c.ATol)
		hour := must(sla.BurnRate(o, series[name], time.Hour, start.Add(window)))(t)
		near("bad of the last hour", hour.Bad, "hour_bad")
		near("total of the last hour", hour.Total, "hour_n")
		near("burn rate", float64(hour.Rate), "hour_burn")
		near("tail", float64(hour.TailP), "tail")
	}
}

func TestReferenceBurnRate(t *testing.T) {
	for _, c := range statstest.Load(t, "sla").ByFunc(t, "BurnRate") {
		num := func(key string) float64 { return statstest.Float(t, c.In, key) }
		o := sla.Objective{Name: "x", Target: num("target"), Window: sla.Rolling(day)}
		b := must(sla.BurnRate(o, one(start, num("n")-num("bad"), num("n")), time.Hour, start))(t)
		statstest.Near(t, c.Name+" rate", float64(b.Rate), statstest.Float(t, c.Want, "rate"), c.RTol, c.ATol)
		statstest.Near(t, c.Name+" log tail", math.Log(float64(b.TailP)), statstest.Float(t, c.Want, "log_tail"), c.RTol, 1e-9)
	}
}

func TestReferenceBounds(t *testing.T) {
	for _, c := range statstest.Load(t, "sla").ByFunc(t, "Bounds") {
		var zoneName, unit string
		var noon []string
		statstest.Decode(t, c.In, "zone", &zoneName)
		statstest.Decode(t, c.In, "unit", &unit)
		statstest.Decode(t, c.In, "noon", &noon)
		w := sla.Window{Zone: zone(t, zoneName)}
		if err := w.Unit.UnmarshalText([]byte(unit)); err != nil {
			t.Fatal(err)
		}
		starts, ends := statstest.Floats(t, c.Want, "start"), statstest.Floats(t, c.Want, "end")
		for i, text := range noon {
			at := must(time.ParseInLocation(time.DateTime, text, w.Zone))(t)
			from, to, err := w.Bounds(at)
			if err != nil || float64(from.Unix()) != starts[i] || float64(to.Unix()) != ends[i] {
				t.Errorf("%s: %s is in %s to %s, want %v to %v: %v", c.Name, text, from, to, time.Unix(int64(starts[i]), 0).UTC(), time.Unix(int64(ends[i]), 0).UTC(), err)
			}
		}
	}
}
