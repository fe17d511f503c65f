package leadtime_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

func hour(h float64) time.Time { return monday.Add(hours(h)) }

type counts struct{ Met, N, Pending uint64 }

func countsOf(r leadtime.Rate) counts { return counts{r.Met, r.N, r.Pending} }

func TestOpsOfNothing(t *testing.T) {
	r := sure(leadtime.Ops(nil, nil, leadtime.OpsOptions{}))(t)
	for what, v := range map[string]float64{
		"promotion": r.Promotion.Estimate.Point, "deploys": r.Deploys.Estimate.Point, "durable": r.Durable.Estimate.Point,
		"rollback": r.Rollback.Estimate.Point, "alerts": r.Alerts.Ratio.Point, "recovery": r.Incidents.Recovery.Plain.Mean.Estimate.Point,
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s of nothing is %v, want NaN", what, v)
		}
	}
	if r.Steps.Clean {
		t.Error("nothing was seen, and nothing delayed it")
	}
	sure(json.Marshal(r))(t)
}

func TestOpsPromotion(t *testing.T) {
	f := releases([]float64{10, 20, 30, 40, 500, 60}, []float64{1, 1, 1, 1, 1, 0})
	f[1].State = leadtime.StateRejected
	f[2].State = leadtime.StateWithdrawn
	r := sure(leadtime.Ops(f, nil, leadtime.OpsOptions{AsOf: hour(100)}))(t)
	if d := cmp.Diff(counts{2, 4, 2}, countsOf(r.Promotion)); d != "" {
		t.Error(d)
	}
	f[0].Track = leadtime.FastTrack
	if r := sure(leadtime.Ops(f, nil, leadtime.OpsOptions{Track: leadtime.FastTrack}))(t); r.Promotion.N != 1 {
		t.Errorf("fast track alone: %+v", r.Promotion)
	}
	r = sure(leadtime.Ops(f, nil, leadtime.OpsOptions{AsOf: hour(100), Since: hour(15), Until: hour(40)}))(t)
	if d := cmp.Diff(counts{0, 2, 3}, countsOf(r.Promotion)); d != "" {
		t.Errorf("from 15 until 40: %s", d)
	}
}

func TestOpsDeployments(t *testing.T) {
	f := releases([]float64{10, 20, 30, 40, 50}, nil)
	seg := func(attempt int, end float64, o leadtime.Outcome) leadtime.Segment {
		return leadtime.Segment{Stage: "promotion", Attempt: attempt, Start: hour(end - 1), End: hour(end), Outcome: o}
	}
	f[0].Segments = []leadtime.Segment{seg(1, 5, leadtime.Failed), seg(2, 7, leadtime.Cancelled), seg(3, 10, leadtime.Passed)}
	f[1].Segments = []leadtime.Segment{seg(1, 15, leadtime.Unstated), seg(2, 20, leadtime.Unstated)} // the first is unknown
	f[1].Rollbacks = []leadtime.Rollback{{Since: hour(20), Decided: hour(22), Restored: hour(22.5)}}
	f[1].Redeploys = 1
	f[2].Rollbacks = []leadtime.Rollback{ // one decision, carried out in two regions
		{Region: "eu", Since: hour(30), Decided: hour(130), Restored: hour(131)},
		{Region: "us", Since: hour(31), Decided: hour(130), Restored: hour(132)},
	}
	ev := []leadtime.Event{
		{Kind: leadtime.IncidentDetected, Model: "fraud", At: hour(41), Version: "v003"},
		{Kind: leadtime.IncidentDetected, Model: "other", At: hour(42)},
		{Kind: leadtime.IncidentDetected, Model: "fraud", At: hour(200)}, // of the last deployment
		{Kind: leadtime.IncidentResolved, Model: "fraud", At: hour(44)},
		{Kind: leadtime.DriftAlert, Model: "fraud", At: hour(21), Env: leadtime.Staging},
	}
	r := sure(leadtime.Ops(f, ev, leadtime.OpsOptions{AsOf: hour(120)}))(t)
	if d := cmp.Diff(counts{5, 6, 1}, countsOf(r.Deploys)); d != "" {
		t.Errorf("deploys: %s", d)
	}
	// Mature: v001 rolled back, v003 broken, v000 clean since 110 hours, v002 clean for 72.
	if d := cmp.Diff(counts{2, 4, 1}, countsOf(r.Durable)); d != "" {
		t.Errorf("durable: %s", d)
	}
	if d := cmp.Diff(counts{1, 6, 0}, countsOf(r.Rollback)); d != "" {
		t.Errorf("rollbacks up to 120 hours: %s", d)
	}
	if r.Ignored != 2 { // the alert in staging, and the incident after AsOf
		t.Errorf("%d events ignored, want 2", r.Ignored)
	}
	r = sure(leadtime.Ops(f, ev, leadtime.OpsOptions{AsOf: hour(300)}))(t)
	if d := cmp.Diff(counts{2, 6, 0}, countsOf(r.Rollback)); d != "" {
		t.Errorf("rollbacks: %s", d)
	}
	want := []leadtime.IncidentsOf{{Flight: f[3].Key, N: 1}, {Flight: f[4].Key, N: 1}}
	if d := cmp.Diff(want, r.Incidents.ByFlight); d != "" || r.Incidents.N != 3 || r.Incidents.Unattributed != 1 {
		t.Errorf("incidents: %+v, %s", r.Incidents, d)
	}
	if rec := r.Incidents.Recovery; rec.N != 1 || rec.Open != 2 || rec.KM == nil || rec.Plain.Mean.Estimate.Point != 3 || rec.KM.P90.Reached {
		t.Errorf("recovery: %+v", rec)
	}
}

func TestOpsRollbackTimes(t *testing.T) {
	f := releases([]float64{10, 20, 30}, nil)
	f[0].Rollbacks = []leadtime.Rollback{{Since: hour(10), Decided: hour(12), Restored: hour(12.5)}}
	f[1].Rollbacks = []leadtime.Rollback{{Since: hour(20), Decided: hour(25)}} // nothing has taken over
	f[2].Rollbacks = []leadtime.Rollback{{Since: hour(30), Restored: hour(31)}}
	ev := []leadtime.Event{
		{Kind: leadtime.DriftAlert, Model: "fraud", At: hour(11.5)},
		{Kind: leadtime.IncidentDetected, Model: "fraud", At: hour(11)},
		{Kind: leadtime.DriftAlert, Model: "fraud", At: hour(19)}, // before the bad version served
	}
	r := sure(leadtime.Ops(f, ev, leadtime.OpsOptions{AsOf: hour(40)}))(t).RollbackTimes
	type row struct {
		N, Open, Unknown uint64
		Mean             float64
	}
	got := map[string]row{}
	for what, d := range map[string]leadtime.Durations{"detect": r.Detect, "decide": r.Decide, "restore": r.Restore, "exposure": r.Exposure, "total": r.Total} {
		got[what] = row{d.N, d.Open, d.Unknown, d.Plain.Mean.Estimate.Point}
	}
	want := map[string]row{
		"detect": {1, 0, 2, 1}, "decide": {1, 0, 2, 1}, "restore": {1, 1, 1, 0.5}, "exposure": {2, 0, 1, 3.5}, "total": {2, 1, 0, 1.75},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestOpsIncidentsPair(t *testing.T) {
	e := func(k leadtime.Kind, h float64, ref string) leadtime.Event {
		return leadtime.Event{Kind: k, Model: "fraud", At: hour(h), Ref: ref}
	}
	ev := []leadtime.Event{
		e(leadtime.IncidentDetected, 1, "INC-1"), e(leadtime.IncidentDetected, 2, "INC-1"), // noticed twice
		e(leadtime.IncidentDetected, 3, ""), e(leadtime.IncidentDetected, 4, ""),
		e(leadtime.IncidentResolved, 5, ""), e(leadtime.IncidentResolved, 9, "INC-1"),
		e(leadtime.IncidentResolved, 10, "INC-7"),
	}
	r := sure(leadtime.Ops(nil, ev, leadtime.OpsOptions{}))(t).Incidents
	if r.N != 3 || r.Recovery.N != 2 || r.Recovery.Open != 1 || r.Recovery.Plain.Mean.Estimate.Point != 5 {
		t.Errorf("%+v", r)
	}
	if len(r.Unmatched) != 1 || r.Unmatched[0].Ref != "INC-7" || r.Unattributed != 3 {
		t.Errorf("unmatched %v, unattributed %d", r.Unmatched, r.Unattributed)
	}
	want := []leadtime.BandCount{{Band: "elite"}, {Band: "high", N: 2, Share: 1, InFlight: 1}, {Band: "medium"}, {Band: "low"}}
	if d := cmp.Diff(want, r.Bands); d != "" {
		t.Error(d)
	}
}

func TestOpsAlerts(t *testing.T) {
	f := releases([]float64{10, 20}, nil)
	f[0].Rollbacks = []leadtime.Rollback{{Since: hour(10), Decided: hour(12)}, {Since: hour(60), Decided: hour(61)}}
	f[0].Redeploys = 1
	ev := []leadtime.Event{
		{Kind: leadtime.DriftAlert, Model: "fraud", At: hour(11), Ref: "job 4"},
		{Kind: leadtime.DriftAlert, Model: "fraud", At: hour(11.1), Ref: "job 4"}, // the same alert again
		{Kind: leadtime.DriftAlert, Model: "fraud", At: hour(11.2)},
		{Kind: leadtime.DriftAlert, Model: "churn", At: hour(60.5)},
		{Kind: leadtime.DriftAlert, Model: "fraud", Version: "v001", At: hour(60.7)}, // another version
	}
	r := sure(leadtime.Ops(f, ev, leadtime.OpsOptions{}))(t).Alerts
	if r.Alerts != 4 || r.Rollbacks != 1 || r.Others != 1 || r.Ratio.Point != 0.25 {
		t.Errorf("%+v", r)
	}
	r = sure(leadtime.Ops(f, ev, leadtime.OpsOptions{Model: "churn"}))(t).Alerts
	if r.Alerts != 1 || r.Ratio.Point != 0 || r.Ratio.Lo != 0 || r.Ratio.Hi <= 1 {
		t.Errorf("churn: %+v", r)
	}
}

func TestOpsGatesAndSteps(t *testing.T) {
	f := releases([]float64{10, 20, 30}, nil)
	seg := func(stage string, attempt int, from, to float64, o leadtime.Outcome) leadtime.Segment {
		return leadtime.Segment{Stage: stage, Attempt: attempt, Start: hour(from), End: hour(to), Outcome: o}
	}
	f[0].Segments = []leadtime.Segment{ // two failures; validation was the first
		seg("validation", 1, 0, 2, leadtime.Failed), seg("validation", 2, 3, 4, leadtime.Passed),
		seg("canary", 1, 5, 6, leadtime.Failed), seg("canary", 2, 7, 10, leadtime.Passed),
	}
	f[1].Segments = []leadtime.Segment{seg("validation", 1, 0, 2, leadtime.Passed), seg("canary", 1, 17, 20, leadtime.Passed)}
	f[2].Segments = []leadtime.Segment{ // no validation: four hours go by before the canary
		seg("packaging", 1, 0, 1, leadtime.Passed), seg("canary", 1, 5, 30, leadtime.Passed),
	}
	o := leadtime.OpsOptions{Steps: []string{"validation", "canary"}}
	r := sure(leadtime.Ops(f, nil, o))(t)
	type gate struct {
		Stage                   string
		Attempts, Failed, First uint64
	}
	var gates []gate
	for _, g := range r.Gates {
		gates = append(gates, gate{g.Stage, g.Attempts, g.Failed.Met, g.First})
	}
	if d := cmp.Diff([]gate{{"canary", 4, 1, 0}, {"validation", 3, 1, 1}}, gates); d != "" {
		t.Error(d)
	}
	want := leadtime.StepDelays{N: 3, Delayed: 2, Hours: 9, Delays: []leadtime.StepDelay{
		{Flight: f[2].Key, Stage: "validation", Missing: true, Hours: 4},
		{Flight: f[0].Key, Stage: "validation", Hours: 3},
		{Flight: f[0].Key, Stage: "canary", Hours: 2},
	}}
	if d := cmp.Diff(want, r.Steps); d != "" {
		t.Error(d)
	}
	if s := sure(leadtime.Ops(f[1:2], nil, o))(t).Steps; !s.Clean || s.N != 1 {
		t.Errorf("one clean release: %+v", s)
	}
}

func TestOpsRetraining(t *testing.T) {
	var ev []leadtime.Event
	for _, d := range []float64{0, 10, 30} {
		ev = append(ev, leadtime.Event{Kind: leadtime.Retrained, Model: "fraud", At: hour(24 * d)})
	}
	f := releases([]float64{10}, nil)
	f[0].Key.Model = "churn"
	r := sure(leadtime.Ops(f, ev, leadtime.OpsOptions{AsOf: hour(24 * 40)}))(t).Retraining
	if len(r) != 2 || r[0].Model != "churn" || r[0].N != 0 || r[0].PerDay.Lo != 0 || r[0].Days != 40 {
		t.Errorf("churn was never retrained: %+v", r)
	}
	if g := r[1].Gaps; r[1].N != 3 || r[1].PerDay.Point != 3.0/40 || g.N != 2 || g.Open != 1 || g.Plain.P50.Estimate.Point != 15*24 {
		t.Errorf("fraud: %+v", r[1])
	}
}

func TestOpsRefuses(t *testing.T) {
	for what, o := range map[string]leadtime.OpsOptions{
		"level": {Level: -1}, "window": {Since: monday, Until: monday}, "rate": {Rate: 7}, "durable": {DurableFor: -1},
		"alerts": {AlertWindow: -1}, "sharing": {Stages: leadtime.BreakdownOptions{Sharing: 5}},
	} {
		if _, err := leadtime.Ops(releases([]float64{1}, nil), nil, o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestLabelDelay(t *testing.T) {
	var log []leadtime.Labelled
	for i := range 100 { // a label takes i hours, and the log is read after 90
		log = append(log, leadtime.Labelled{Predicted: hour(0), Arrived: hour(float64(i))})
	}
	log = append(log, leadtime.Labelled{}, leadtime.Labelled{Predicted: hour(5), Arrived: hour(4)}, leadtime.Labelled{Predicted: hour(91)})
	r := sure(leadtime.LabelDelay(log, leadtime.LabelOptions{AsOf: hour(90)}))(t)
	if r.N != 100 || r.Bad != 3 || r.Arrived != 91 || r.Horizon.Reached || r.P90.Estimate.Point != 89.5 {
		t.Errorf("%+v", r)
	}
	if r.Mature(hour(-1000), hour(90)) {
		t.Error("no horizon is reached, and yet a prediction is mature")
	}
	r = sure(leadtime.LabelDelay(log, leadtime.LabelOptions{AsOf: hour(90), Share: 0.8}))(t)
	if r.Horizon.Q != 0.8 || r.Horizon.Estimate.Point != 79.5 || !r.Mature(hour(0), hour(79.5)) || r.Mature(hour(0), hour(79)) {
		t.Errorf("horizon of 0.8: %+v", r.Horizon)
	}
	if none := sure(leadtime.LabelDelay(nil, leadtime.LabelOptions{AsOf: hour(0)}))(t); none.N != 0 || !math.IsNaN(none.Horizon.Estimate.Point) || none.Horizon.Q != 0.95 {
		t.Errorf("no predictions: %+v", none)
	}
	for _, o := range []leadtime.LabelOptions{{}, {AsOf: hour(0), Share: 1}, {AsOf: hour(0), Level: 1}, {AsOf: hour(99), Band: 7}} {
		if _, err := leadtime.LabelDelay(log, o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestFreshness(t *testing.T) {
	uses := []leadtime.FeatureUse{
		{Feature: "amount", At: hour(10), Updated: hour(9)}, {Feature: "amount", At: hour(10), Updated: hour(8)},
		{Feature: "amount", At: hour(10), Updated: hour(7.99)}, {Feature: "amount", At: hour(10)},
		{Feature: "amount", At: hour(10), Updated: hour(10.05)}, {Feature: "amount", At: hour(10), Updated: hour(11)},
		{Feature: "age", At: hour(10)},
	}
	r := sure(leadtime.Freshness(uses, leadtime.FreshnessOptions{SLA: hours(2), FeatureSLA: map[string]time.Duration{"age": 0}}))(t)
	if len(r) != 2 || r[0].Feature != "age" || r[0].Within != nil || r[0].Missing != 1 || r[0].P50.String() != "no data" {
		t.Errorf("%+v", r)
	}
	if a := r[1]; a.N != 4 || a.Missing != 1 || a.Bad != 1 || a.Within.Met != 3 || a.Within.N != 5 || math.Abs(a.Oldest-2.01) > 1e-9 {
		t.Errorf("%+v", a)
	}
	for _, o := range []leadtime.FreshnessOptions{{SLA: -1}, {Level: 3}, {SLA: 1, Rate: 9}} {
		if _, err := leadtime.Freshness(uses, o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestCostPerInference(t *testing.T) {
	s := []leadtime.CostSample{
		{"fraud", 1, 1000}, {"fraud", 1, 10}, {"fraud", -1, 5}, {"fraud", 1, math.NaN()}, {"churn", 5, 0}, {"age", 2, 4},
	}
	r := sure(leadtime.CostPerInference(s, 0))(t)
	if len(r) != 3 || r[2].PerInference.Point != 2.0/1010 || r[2].Bad != 2 || r[2].N != 2 {
		t.Errorf("%+v", r)
	}
	if !math.IsNaN(r[1].PerInference.Point) || r[0].PerInference.Point != 0.5 || !math.IsInf(r[0].PerInference.Hi, 1) {
		t.Errorf("%+v", r)
	}
	if _, err := leadtime.CostPerInference(nil, 1); !errors.Is(err, stats.ErrDomain) {
		t.Error(err)
	}
}

func TestComplianceRateEdges(t *testing.T) {
	r := sure(leadtime.ComplianceRate(0, 0, leadtime.RateOptions{Target: 0.9}))(t)
	if !math.IsNaN(r.Estimate.Point) || r.N != 0 || !math.IsNaN(float64(r.PBelow)) {
		t.Errorf("0 of 0: %+v", r)
	}
	for what, c := range map[string]struct {
		met, n uint64
		o      leadtime.RateOptions
	}{
		"3 of 2": {3, 2, leadtime.RateOptions{}}, "1 of 0": {1, 0, leadtime.RateOptions{}},
		"target": {1, 2, leadtime.RateOptions{Target: 1.1}}, "method": {1, 2, leadtime.RateOptions{Method: 4}}, "level": {1, 2, leadtime.RateOptions{Level: 7}},
	} {
		if _, err := leadtime.ComplianceRate(c.met, c.n, c.o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestFormatHours(t *testing.T) {
	for h, want := range map[float64]string{
		0: "0m", 0.75: "45m", 1: "1h", 6.52: "6.5h", 12.4: "12h", 47.4: "47h", 48: "2d", 75.6: "3d 4h", 9.99: "10h",
		0.9999: "1h", -2: "-2h", math.Inf(1): "inf", math.Inf(-1): "-inf",
	} {
		if got := leadtime.FormatHours(h); got != want {
			t.Errorf("%v hours are %q, want %q", h, got, want)
		}
	}
	if got := leadtime.FormatHours(math.NaN()); got != "-" {
		t.Errorf("NaN is %q", got)
	}
}
