package leadtime_test

import (
	"testing"
	"time"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// refCase is a case of testdata/reference/leadtime.json; its times are minutes
// since the origin.
type refCase struct {
	*testing.T
	ref statstest.Case
}

func (c refCase) list(key string) []float64 { return statstest.Floats(c, c.ref.In, key) }
func (c refCase) num(key string) float64    { return statstest.Float(c, c.ref.In, key) }

func (c refCase) text(key string) string {
	var s string
	statstest.Decode(c, c.ref.In, key, &s)
	return s
}

func (c refCase) near(key string, got float64) {
	c.Helper()
	if _, ok := c.ref.Want[key]; ok {
		statstest.Near(c, key, got, statstest.Float(c, c.ref.Want, key), c.ref.RTol, c.ref.ATol)
	}
}

func eachReference(t *testing.T, name string, check func(refCase)) {
	for _, c := range statstest.Load(t, "leadtime").ByFunc(t, name) {
		t.Run(c.Name, func(t *testing.T) { check(refCase{t, c}) })
	}
}

func minute(m float64) time.Time {
	return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(m) * time.Minute)
}

// flights are those of the case; state 0 is rejected.
func (c refCase) flights() []leadtime.Flight {
	lead, state := c.list("lead"), []float64(nil)
	if _, ok := c.ref.In["state"]; ok {
		state = c.list("state")
	}
	var out []leadtime.Flight
	for i, m := range c.list("signoff") {
		f := release(i, minute(m), lead[i]/60)
		f.Ended = minute(m + lead[i])
		f.Served = f.Ended
		if state != nil && state[i] == 0 {
			f.State, f.Served = leadtime.StateRejected, time.Time{}
		}
		out = append(out, f)
	}
	return out
}

func TestReferenceSummarize(t *testing.T) {
	eachReference(t, "Summarize", func(c refCase) {
		o := leadtime.Options{
			AsOf: minute(c.num("as_of")), Since: minute(c.num("since")), Until: minute(c.num("until")),
			QuantileType: stats.QuantileType(c.num("type")), Level: c.num("level"), SLA: hours(c.num("sla")), Target: 0.9,
		}
		if err := o.Cohort.UnmarshalText([]byte(c.text("cohort"))); err != nil {
			t.Fatal(err)
		}
		for o.Band.String() != c.text("band") {
			o.Band++
		}
		r := sure(leadtime.Summarize(c.flights(), o))(c)
		g := r.Headline()
		c.near("n", float64(g.N))
		c.near("in_flight", float64(g.InFlight))
		c.near("excluded", float64(len(r.Excluded)))
		c.near("mean", g.Plain.Mean.Estimate.Point)
		c.near("mean_lo", g.Plain.Mean.Estimate.Lo)
		c.near("mean_hi", g.Plain.Mean.Estimate.Hi)
		for key, v := range map[string]stats.Interval{
			"p50": g.Plain.P50.Estimate, "p90": g.Plain.P90.Estimate, "km50": g.KM.P50.Estimate, "km90": g.KM.P90.Estimate,
		} {
			c.near(key, v.Point)
			c.near(key+"_lo", v.Lo)
			c.near(key+"_hi", v.Hi)
		}
		if _, ok := c.ref.Want["rmst"]; ok {
			c.near("rmst", g.KM.Mean.Estimate.Point)
		}
		c.near("met", float64(g.SLA.Rate.Met))
		c.near("total", float64(g.SLA.Rate.N))
		c.near("pending", float64(g.SLA.Rate.Pending))
		c.near("wilson_lo", g.SLA.Rate.Estimate.Lo)
		c.near("wilson_hi", g.SLA.Rate.Estimate.Hi)
		c.near("below", float64(g.SLA.Rate.PBelow))
		o.Rate = leadtime.RateClopperPearson
		exact := headline(c, c.flights(), o).SLA.Rate.Estimate
		c.near("exact_lo", exact.Lo)
		c.near("exact_hi", exact.Hi)
		o.InFlight = leadtime.KMCompliance
		km := headline(c, c.flights(), o).SLA.Rate.Estimate
		c.near("within", km.Point)
		c.near("within_lo", km.Lo)
		c.near("within_hi", km.Hi)
	})
}

func TestReferenceTrend(t *testing.T) {
	eachReference(t, "Trend", func(c refCase) {
		r := sure(leadtime.Trend(c.flights(), leadtime.TrendOptions{}))(c)
		c.near("p", float64(r.P))
		c.near("tau", r.Tau)
		c.near("slope", r.Slope.Point)
	})
}

// minutes are releases of the listed durations; event 0 is one in flight.
func (c refCase) minutes(key string) []leadtime.Flight {
	var event []float64
	if _, ok := c.ref.In[key+"_event"]; ok {
		event = c.list(key + "_event")
	}
	return releases(scaled(c.list(key), 1.0/60), event)
}

func TestReferenceImproved(t *testing.T) {
	eachReference(t, "Improved", func(c refCase) {
		r := sure(leadtime.Improved(c.minutes("now"), c.minutes("then"), leadtime.ImprovementOptions{Target: c.num("target")}))(c)
		c.near("ratio", r.P50.Ratio.Point)
		c.near("lo", r.P50.Ratio.Lo)
		c.near("hi", r.P50.Ratio.Hi)
		c.near("reduction", float64(r.P50.Reduction))
		c.near("reduction90", float64(r.P90.Reduction))
		if r.Difference != nil || r.Beyond != nil {
			t.Error("a log-rank test without anything in flight")
		}
	})
	eachReference(t, "Censored", func(c refCase) {
		r := sure(leadtime.Improved(c.minutes("now"), c.minutes("then"), leadtime.ImprovementOptions{Target: c.num("target")}))(c)
		c.near("chisq", r.Difference.ChiSquare)
		c.near("p", float64(r.Difference.P))
		c.near("chisq_beyond", r.Beyond.ChiSquare)
		c.near("p_beyond", float64(r.Beyond.P))
		c.near("reduction", float64(r.P50.Reduction))
		if want := statstest.Float(t, c.ref.Want, "p_beyond") <= 0.05; r.P50.Conclusive != want {
			t.Errorf("conclusive %v, want %v", r.P50.Conclusive, want)
		}
	})
}

func TestReferenceRetraining(t *testing.T) {
	eachReference(t, "Retraining", func(c refCase) {
		ev := []leadtime.Event{{Kind: leadtime.DriftAlert, Model: "fraud", At: monday}}
		for i := range int(c.num("n")) {
			ev = append(ev, leadtime.Event{Kind: leadtime.Retrained, Model: "fraud", At: monday.AddDate(0, 0, i)})
		}
		o := leadtime.OpsOptions{Since: monday, Until: monday.AddDate(0, 0, int(c.num("days"))), AsOf: monday.AddDate(1, 0, 0)}
		r := sure(leadtime.Ops(nil, ev, o))(c).Retraining[0]
		c.near("rate", r.PerDay.Point)
		c.near("lo", r.PerDay.Lo)
		c.near("hi", r.PerDay.Hi)
	})
}
