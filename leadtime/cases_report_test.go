package leadtime_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

// reportCase is a golden case of testdata/cases with what it is about.
type reportCase struct {
	*testing.T
	in, want map[string]json.RawMessage
	tol      float64
}

func (c reportCase) list(key string) []float64 { return statstest.Floats(c, c.in, key) }

// near compares a number with the one wanted under key, a null of which is +Inf.
func (c reportCase) near(key string, got float64) {
	c.Helper()
	want := math.Inf(1)
	if string(c.want[key]) != "null" {
		want = statstest.Float(c, c.want, key)
	}
	statstest.Near(c, key, got, want, 0, c.tol)
}

// part is the case with the object under key as what is wanted.
func (c reportCase) part(key string) reportCase {
	var m map[string]json.RawMessage
	statstest.Decode(c, c.want, key, &m)
	c.want = m
	return c
}

var reportCases = map[string]func(reportCase){
	"q-hf-leadtime10":          caseQuantileTypes,
	"q-hf-textbook10":          caseQuantileTypes,
	"q-nearest-rank":           caseQuantileTypes,
	"qci-nyblom":               caseNyblom,
	"km-no-censoring":          caseUncensored,
	"km-inflight-deployments":  caseInFlight,
	"km-inflight-2":            caseInFlight2,
	"sla-inflight-policies":    casePolicies,
	"prop-sla-small":           caseSmallShares,
	"prop-newcombe-table":      caseSmallShares,
	"prop-binom-vs-target":     caseTargets,
	"rate-poisson-exact":       caseRetraining,
	"trend-mk-8-quarters":      caseTrend,
	"trend-mk-10":              caseTrend,
	"trend-mk-constant":        caseTrend,
	"trend-mk-min-n":           caseTrendSmallest,
	"two-sample-yoy-20pct":     caseYearOnYear,
	"lt-bands":                 caseModelBands,
	"lt-dora2023-bands":        caseDORABands,
	"ops-mttr-mean-vs-median":  caseRecovery,
	"ops-drift-rollback-ratio": caseAlertRatio,
}

func TestReportCases(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(statstest.Root(t), "testdata", "cases", "leadtime_sla_cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			ID            string
			Input, Expect map[string]json.RawMessage
			Tol           float64
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, c := range file.Cases {
		if check, ok := reportCases[c.ID]; ok {
			ran++
			t.Run(c.ID, func(t *testing.T) { check(reportCase{t, c.Input, c.Expect, c.Tol}) })
		}
	}
	if ran != len(reportCases) {
		t.Errorf("%d cases ran of %d", ran, len(reportCases))
	}
}

func headline(t testing.TB, flights []leadtime.Flight, o leadtime.Options) leadtime.Group {
	t.Helper()
	return sure(leadtime.Summarize(flights, o))(t).Headline()
}

func caseQuantileTypes(c reportCase) {
	for typ := stats.Type1; typ <= stats.Type9; typ++ {
		key := fmt.Sprintf("type%d", typ)
		if c.want[key] == nil {
			continue
		}
		g := headline(c, releases(c.list("x"), nil), leadtime.Options{QuantileType: typ})
		if want := fmt.Sprintf("type %d", typ); g.P50.Type != want {
			c.Errorf("the type is named %q, want %q", g.P50.Type, want)
		}
		for i, q := range c.list("probs") {
			for _, r := range []leadtime.Quantile{g.P50, g.P90} {
				if r.Q == q {
					statstest.Near(c, key, r.Estimate.Point, statstest.Floats(c, c.want, key)[i], 0, c.tol)
				}
			}
		}
	}
}

func caseNyblom(c reportCase) {
	var samples []struct {
		X       json.RawMessage
		P, Conf float64
	}
	statstest.Decode(c, c.in, "samples", &samples)
	for _, method := range []string{"exact", "nyblom"} {
		var want [][2]float64
		statstest.Decode(c, c.want, method, &want)
		for i, s := range samples {
			var x []float64
			if json.Unmarshal(s.X, &x) != nil {
				continue // a range in words; package stats has those
			}
			p := headline(c, releases(x, nil), leadtime.Options{Level: s.Conf, Nyblom: method == "nyblom"}).P50
			statstest.Near(c, method+" lo", p.Estimate.Lo, want[i][0], 0, c.tol)
			statstest.Near(c, method+" hi", p.Estimate.Hi, want[i][1], 0, c.tol)
		}
	}
}

func caseUncensored(c reportCase) {
	g := headline(c, releases(c.list("time"), c.list("event")), leadtime.Options{Estimator: leadtime.EstimatorKM})
	for i, q := range c.list("probs") {
		for _, r := range []leadtime.Quantile{g.P50, g.P90} {
			if r.Q == q {
				statstest.Near(c, "quantile", r.Estimate.Point, statstest.Floats(c, c.want, "quantile")[i], 0, c.tol)
			}
		}
	}
}

func caseInFlight(c reportCase) {
	o := leadtime.Options{Cohort: leadtime.BySignOff, Band: stats.BandLogLog}
	g := headline(c, releases(scaled(c.list("days"), 24), c.list("event")), o)
	km, naive := c.part("km"), c.part("naive_completed_type7")
	km.near("p50", g.P50.Estimate.Point/24)
	km.near("p90", g.P90.Estimate.Point/24)
	naive.near("p50", g.Plain.P50.Estimate.Point/24)
	naive.near("p90", g.Plain.P90.Estimate.Point/24)
	if g.Estimator != leadtime.EstimatorKM || g.P90.Reached || g.N != 9 || g.InFlight != 3 || g.P90.Censored != 3 {
		c.Errorf("estimator %v, p90 reached %v, n %d, in flight %d", g.Estimator, g.P90.Reached, g.N, g.InFlight)
	}
	if got, want := g.P90.String(), "not reached, at least 192"; got != want {
		c.Errorf("p90 is %q, want %q: 8 days", got, want)
	}
	var ci map[string][]*float64
	statstest.Decode(c, c.want, "ci", &ci)
	statstest.Near(c, "p50 lo", g.P50.Estimate.Lo/24, *ci["p50"][0], 0, c.tol)
	statstest.Near(c, "p50 hi", g.P50.Estimate.Hi/24, *ci["p50"][1], 0, c.tol)
	statstest.Near(c, "p90 lo", g.P90.Estimate.Lo/24, *ci["p90"][0], 0, c.tol)
	if !math.IsInf(g.P90.Estimate.Hi, 1) {
		c.Errorf("p90 has the upper end %v", g.P90.Estimate.Hi)
	}
}

func caseInFlight2(c reportCase) {
	f := releases(c.list("hours"), c.list("event"))
	g := headline(c, f, leadtime.Options{Cohort: leadtime.BySignOff})
	c.near("p50", g.P50.Estimate.Point)
	c.near("p90", g.P90.Estimate.Point)
	naive := c.part("naive_completed_type7")
	naive.near("p50", g.Plain.P50.Estimate.Point)
	naive.near("p90", g.Plain.P90.Estimate.Point)
	g = headline(c, f, leadtime.Options{Estimator: leadtime.EstimatorKM, Band: stats.BandLogLog})
	var ci []*float64
	statstest.Decode(c, c.want, "ci_loglog_p90", &ci)
	statstest.Near(c, "p90 lo", g.P90.Estimate.Lo, *ci[0], 0, c.tol)
}

func casePolicies(c reportCase) {
	f := releases(scaled(c.list("days"), 24), c.list("event"))
	with := func(p leadtime.InFlightPolicy, extra ...leadtime.Flight) leadtime.Rate {
		o := leadtime.Options{SLA: hours(24 * statstest.Float(c, c.in, "sla_days")), InFlight: p, Cohort: leadtime.BySignOff, Band: stats.BandLogLog}
		return headline(c, append(extra, f...), o).SLA.Rate
	}
	for key, p := range map[string]leadtime.InFlightPolicy{"completed_only": leadtime.CompletedOnly, "overdue_counted": leadtime.OverdueInFlight} {
		want := c.part(key)
		for _, r := range []leadtime.Rate{with(p), with(p, open(99, monday, 24))} {
			want.near("met", float64(r.Met))
			want.near("total", float64(r.N))
			want.near("rate", r.Estimate.Point)
		}
	}
	if got := with(leadtime.OverdueInFlight, open(99, monday, 24)).Pending; got != 1 {
		c.Errorf("a release of one day in flight: %d pending, want 1", got)
	}
	km := with(leadtime.KMCompliance)
	c.near("km", km.Estimate.Point)
	ci := statstest.Floats(c, c.want, "km_ci_loglog")
	statstest.Near(c, "lo", km.Estimate.Lo, ci[0], 0, c.tol)
	statstest.Near(c, "hi", km.Estimate.Hi, ci[1], 0, c.tol)
}

func caseSmallShares(c reportCase) {
	var cases [][2]uint64
	statstest.Decode(c, c.in, "cases", &cases)
	for key, m := range map[string]leadtime.RateMethod{
		"wilson": leadtime.RateWilson, "clopper_pearson": leadtime.RateClopperPearson, "jeffreys": leadtime.RateJeffreys,
	} {
		if c.want[key] == nil {
			continue
		}
		var want [][2]float64
		statstest.Decode(c, c.want, key, &want)
		for i, x := range cases {
			r := sure(leadtime.ComplianceRate(x[0], x[1], leadtime.RateOptions{Method: m}))(c)
			statstest.Near(c, fmt.Sprintf("%s %v lo", key, x), r.Estimate.Lo, want[i][0], 0, c.tol)
			statstest.Near(c, fmt.Sprintf("%s %v hi", key, x), r.Estimate.Hi, want[i][1], 0, c.tol)
		}
	}
}

func caseTargets(c reportCase) {
	var cases [][3]float64
	statstest.Decode(c, c.in, "cases", &cases)
	for i, x := range cases {
		r := sure(leadtime.ComplianceRate(uint64(x[0]), uint64(x[1]), leadtime.RateOptions{Target: x[2]}))(c)
		statstest.Near(c, "p below", float64(r.PBelow), statstest.Floats(c, c.want, "p_lower")[i], 0, c.tol)
	}
}

func caseRetraining(c reportCase) {
	days := int(statstest.Float(c, c.in, "exposure_days"))
	var ev []leadtime.Event
	for i := range int(statstest.Float(c, c.in, "events")) {
		ev = append(ev, leadtime.Event{Kind: leadtime.Retrained, Model: "fraud", At: monday.AddDate(0, 0, 20*i+1)})
	}
	r := sure(leadtime.Ops(nil, ev, leadtime.OpsOptions{Since: monday, Until: monday.AddDate(0, 0, days), AsOf: monday.AddDate(1, 0, 0)}))(c)
	c.near("rate", r.Retraining[0].PerDay.Point)
	ci := statstest.Floats(c, c.want, "ci")
	statstest.Near(c, "lo", r.Retraining[0].PerDay.Lo, ci[0], 0, c.tol)
	statstest.Near(c, "hi", r.Retraining[0].PerDay.Hi, ci[1], 0, c.tol)
}

// caseTrend has one release a day, so that a slope per step is a thirtieth of the
// reported one.
func caseTrend(c reportCase) {
	var f []leadtime.Flight
	for i, h := range c.list("x") {
		end := monday.AddDate(0, 1, i)
		f = append(f, release(i, end.Add(-hours(h)), h))
	}
	r := sure(leadtime.Trend(f, leadtime.TrendOptions{}))(c)
	c.near("S", float64(r.S))
	if c.want["tau"] != nil {
		c.near("tau", r.Tau)
		c.near("p_exact", float64(r.P))
		ci := statstest.Floats(c, c.want, "sen_ci95")
		statstest.Near(c, "slope lo", r.Slope.Lo/30, ci[0], 0, c.tol)
		statstest.Near(c, "slope hi", r.Slope.Hi/30, ci[1], 0, c.tol)
	} else {
		c.near("p", float64(r.P))
		if r.Direction != leadtime.NoTrend || r.Conclusive {
			c.Errorf("a constant series has the trend %v", r.Direction)
		}
	}
	c.near("sen_slope", r.Slope.Point/30)
}

func caseTrendSmallest(c reportCase) {
	for i, n := range c.list("n") {
		var f []leadtime.Flight
		for k := range int(n) {
			f = append(f, release(k, monday.AddDate(0, 3*k, 0), 400-float64(k)))
		}
		r := sure(leadtime.Trend(f, leadtime.TrendOptions{}))(c)
		want := statstest.Floats(c, c.want, "p_min_two_sided")[i]
		statstest.Near(c, "p", float64(r.P), want, 0, c.tol)
		statstest.Near(c, "smallest p", float64(r.PMin), want, 0, c.tol)
		if r.Conclusive != (want <= 0.05) {
			c.Errorf("%v releases: conclusive %v at p = %v", n, r.Conclusive, r.P)
		}
	}
}

func caseYearOnYear(c reportCase) {
	now, then := releases(c.list("this_year_h"), nil), releases(c.list("last_year_h"), nil)
	r := sure(leadtime.Improved(now, then, leadtime.ImprovementOptions{}))(c)
	c.near("hl_ratio", r.P50.Ratio.Point)
	ci := statstest.Floats(c, c.want, "ci95")
	statstest.Near(c, "lo", r.P50.Ratio.Lo, ci[0], 0, c.tol)
	statstest.Near(c, "hi", r.P50.Ratio.Hi, ci[1], 0, c.tol)
	c.near("median_last", r.P50.Then.Estimate.Point)
	c.near("median_this", r.P50.Now.Estimate.Point)
	c.near("median_ratio", 1-float64(r.P50.Reduction))
	if !r.P50.Met || r.P50.Conclusive || r.P90.Conclusive {
		c.Errorf("met %v, conclusive %v, for p90 %v; want met and inconclusive", r.P50.Met, r.P50.Conclusive, r.P90.Conclusive)
	}
}

func caseModelBands(c reportCase) { c.bands(leadtime.ModelBands(), "hours", time.Hour) }

func caseDORABands(c reportCase) { c.bands(leadtime.DORA2023(), "minutes", time.Minute) }

func (c reportCase) bands(s leadtime.BandSet, key string, unit time.Duration) {
	var want []string
	statstest.Decode(c, c.want, "band", &want)
	for i, v := range c.list(key) {
		if got := s.Of(time.Duration(math.Round(v * float64(unit)))); got != want[i] {
			c.Errorf("%v %s are %s, want %s", v, key, got, want[i])
		}
	}
}

func caseRecovery(c reportCase) {
	var ev []leadtime.Event
	for i, m := range c.list("minutes") {
		at := monday.AddDate(0, 0, i)
		ref := fmt.Sprint("incident ", i)
		ev = append(ev,
			leadtime.Event{Kind: leadtime.IncidentResolved, Model: "fraud", Ref: ref, At: at.Add(hours(m / 60))},
			leadtime.Event{Kind: leadtime.IncidentDetected, Model: "fraud", Ref: ref, At: at})
	}
	r := sure(leadtime.Ops(nil, ev, leadtime.OpsOptions{}))(c).Incidents.Recovery
	c.near("mean", 60*r.Plain.Mean.Estimate.Point)
	c.near("median", 60*r.Plain.P50.Estimate.Point)
	c.near("geometric_mean", 60*float64(r.GeometricMean))
}

func caseAlertRatio(c reportCase) {
	following := int(statstest.Float(c, c.in, "rollbacks_following_drift"))
	var ev []leadtime.Event
	for i := range int(statstest.Float(c, c.in, "drift_alerts")) {
		ev = append(ev, leadtime.Event{Kind: leadtime.DriftAlert, Model: "fraud", At: monday.AddDate(0, 0, 2*i)})
	}
	f := releases(make([]float64, int(statstest.Float(c, c.in, "all_rollbacks"))), nil)
	for i := range f {
		at := monday.AddDate(0, 0, 2*i).Add(25 * time.Hour) // too late to be due to the alert
		if i < following {
			at = at.Add(-2 * time.Hour)
		}
		f[i].Rollbacks = []leadtime.Rollback{{Since: f[i].Served, Decided: at}}
	}
	r := sure(leadtime.Ops(f, ev, leadtime.OpsOptions{}))(c).Alerts
	c.near("ratio", r.Ratio.Point)
	if r.Rollbacks != uint64(following) || int(r.Rollbacks+r.Others) != len(f) {
		c.Errorf("%d rollbacks after an alert and %d others of %d", r.Rollbacks, r.Others, len(f))
	}
	if none := sure(leadtime.Ops(f, nil, leadtime.OpsOptions{}))(c).Alerts; !math.IsNaN(none.Ratio.Point) {
		c.Errorf("without alerts the ratio is %v, want NaN", none.Ratio.Point)
	}
}
