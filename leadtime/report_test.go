package leadtime_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

func codes(ws []stats.Warning) string {
	var out []string
	for _, w := range ws {
		out = append(out, w.Code)
	}
	return strings.Join(out, " ")
}

func TestSummarizeNothing(t *testing.T) {
	r := sure(leadtime.Summarize(nil, leadtime.Options{SLA: time.Hour}))(t)
	g := r.Headline()
	if g.Env != leadtime.Production || g.Track != leadtime.Standard || g.N != 0 || g.P50.String() != "no data" {
		t.Errorf("the headline of no flights is %+v", g)
	}
	for what, v := range map[string]float64{
		"p50": g.P50.Estimate.Point, "p90": g.P90.Estimate.Point, "mean": g.Mean.Estimate.Point, "km p90": g.KM.P90.Estimate.Point,
		"compliance": g.SLA.Rate.Estimate.Point,
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s of no flights is %v, want NaN", what, v)
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

func TestSummarizeOneFlight(t *testing.T) {
	g := headline(t, releases([]float64{7}, nil), leadtime.Options{})
	for what, v := range map[string]stats.Interval{"p50": g.P50.Estimate, "p90": g.P90.Estimate, "mean": g.Mean.Estimate} {
		want := stats.Interval{Point: 7, Lo: math.Inf(-1), Hi: math.Inf(1), Level: 0.95}
		if v != want {
			t.Errorf("%s = %v, want %v", what, v, want)
		}
	}
	if codes(g.P90.Warnings) != "small_sample" || codes(g.Mean.Warnings) != "small_sample" {
		t.Errorf("warnings %v and %v", g.P90.Warnings, g.Mean.Warnings)
	}
}

func TestSummarizeAllInFlight(t *testing.T) {
	f := releases([]float64{1, 2, 3}, []float64{0, 0, 0})
	g := headline(t, f, leadtime.Options{Cohort: leadtime.BySignOff, SLA: hours(2)})
	if g.P50.Reached || g.P90.Reached || g.P90.String() != "not reached" || g.N != 0 || g.InFlight != 3 || g.Estimator != leadtime.EstimatorKM {
		t.Errorf("nothing has arrived, but the report says %v and %v", g.P50, g.P90)
	}
	if g.SLA.Rate.Met != 0 || g.SLA.Rate.N != 1 || g.SLA.Rate.Pending != 2 {
		t.Errorf("compliance %+v, want 0 of 1 and 2 pending: an age equal to the SLA may still meet it", g.SLA.Rate)
	}
	o := leadtime.Options{InFlight: leadtime.KMCompliance, SLA: hours(5)}
	if c := headline(t, f, o).SLA; c.Rate.Estimate.Hi != 1 || codes(c.Warnings) != "degenerate clipped" {
		t.Errorf("survival compliance of nothing completed is %+v", c)
	}
}

func TestSummarizeZerosAndTies(t *testing.T) {
	for _, e := range []leadtime.Estimator{leadtime.EstimatorPlain, leadtime.EstimatorKM} {
		g := headline(t, releases([]float64{0, 0, 0, 0}, nil), leadtime.Options{Estimator: e, SLA: hours(1)})
		if g.P50.Estimate.Point != 0 || g.P90.Estimate.Point != 0 || g.Mean.Estimate.Point != 0 || g.SLA.Rate.Met != 4 || g.Bands[0].N != 4 {
			t.Errorf("%v: four releases in no time: %+v", e, g)
		}
	}
	g := headline(t, releases([]float64{5, 5, 5, 5, 5, 5}, nil), leadtime.Options{})
	if want := (stats.Interval{Point: 5, Lo: 5, Hi: 5, Level: 0.95}); g.P50.Estimate != want {
		t.Errorf("p50 of ties = %v, want %v", g.P50.Estimate, want)
	}
}

func TestTracksAndEnvironmentsStayApart(t *testing.T) {
	f := releases([]float64{100, 110, 120, 2, 3}, nil)
	for i := range f[3:] {
		f[3+i].Track = leadtime.FastTrack
	}
	f[0].Arrivals = []leadtime.Arrival{{Env: leadtime.Staging, At: monday.Add(hours(30))}, {Env: "shadow", At: monday.Add(hours(60))}}
	f = append(f, open(9, monday, 20))
	f[1].Track = "" // states none: standard
	o := leadtime.Options{SLA: hours(115), TrackSLA: map[leadtime.Track]time.Duration{leadtime.FastTrack: hours(2)}}
	r := sure(leadtime.Summarize(f, o))(t)
	type line struct {
		Env         leadtime.Env
		Track       leadtime.Track
		N, InFlight uint64
		P50, SLA    float64
		Met         uint64
	}
	var got []line
	for _, g := range r.Groups {
		l := line{g.Env, g.Track, g.N, g.InFlight, g.P50.Estimate.Point, 0, 0}
		if g.SLA != nil {
			l.SLA, l.Met = g.SLA.SLA, g.SLA.Rate.Met
		}
		got = append(got, l)
	}
	want := []line{
		{leadtime.Production, leadtime.Standard, 3, 1, 110, 115, 2},
		{leadtime.Production, leadtime.FastTrack, 2, 0, 2.5, 2, 1},
		{"shadow", leadtime.Standard, 1, 1, 60, 0, 0},
		{leadtime.Staging, leadtime.Standard, 1, 1, 30, 0, 0},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if codes(r.Headline().Warnings) != "survivorship" {
		t.Errorf("warnings %v", r.Headline().Warnings)
	}
}

func TestBreachesNameTheWorstStage(t *testing.T) {
	at := func(h float64) time.Time { return monday.Add(hours(h)) }
	f := releases([]float64{80, 100, 30, 90}, []float64{1, 0, 1, 1})
	f[0].Segments = []leadtime.Segment{
		{Stage: "validation", Attempt: 1, Start: at(1), End: at(10), Outcome: leadtime.Passed},
		{Stage: "approval", Attempt: 1, Start: at(60), End: at(62), Outcome: leadtime.Passed},
		{Stage: "promotion", Attempt: 1, Start: at(62), End: at(80), Outcome: leadtime.Passed},
	}
	f[1].Segments = []leadtime.Segment{{Stage: "validation", Attempt: 1, Start: at(0), End: at(100), Outcome: leadtime.Unstated}}
	r := sure(leadtime.Summarize(f, leadtime.Options{SLA: hours(72)}))(t)
	want := []leadtime.Breach{
		{Key: f[1].Key, Track: leadtime.Standard, InFlight: true, Lead: 100, SLA: 72, Overrun: 28, WorstStage: "validation", StageHours: 100, After: "validation"},
		{Key: f[3].Key, Track: leadtime.Standard, Lead: 90, SLA: 72, Overrun: 18, IdleHours: 90},
		{Key: f[0].Key, Track: leadtime.Standard, Lead: 80, SLA: 72, Overrun: 8, WorstStage: "approval", StageHours: 52, WaitHours: 50, After: "promotion"},
	}
	if d := cmp.Diff(want, r.Breaches); d != "" {
		t.Error(d)
	}
	// A day earlier the one in flight was 76 hours old, and the others as well.
	r = sure(leadtime.Summarize(f, leadtime.Options{SLA: hours(72), AsOf: at(76)}))(t)
	if len(r.Breaches) != 3 || r.Breaches[0].Overrun != 4 || !r.Breaches[1].InFlight || r.Headline().N != 1 {
		t.Errorf("as of 76 hours: %+v", r.Breaches)
	}
}

func TestExcludedFlightsHaveReasons(t *testing.T) {
	f := releases([]float64{10, 20, 30, 40, 50}, nil)
	f[1].State = leadtime.StateRejected
	f[2].State = leadtime.StateWithdrawn
	f[3].SignOff = time.Time{}
	f[4].SignOff = monday.AddDate(0, 0, 40)
	f[4].Ended = monday.AddDate(0, 0, 41)
	r := sure(leadtime.Summarize(f, leadtime.Options{AsOf: monday.AddDate(0, 0, 30)}))(t)
	want := []leadtime.ExcludedFlight{
		{Key: f[1].Key, Track: leadtime.Standard, Reason: "rejected"},
		{Key: f[2].Key, Track: leadtime.Standard, Reason: "withdrawn"},
		{Key: f[3].Key, Track: leadtime.Standard, Reason: "no_signoff"},
	}
	if d := cmp.Diff(want, r.Excluded); d != "" || r.Outside != 1 || r.Headline().N != 1 {
		t.Errorf("outside %d, n %d, %s", r.Outside, r.Headline().N, d)
	}
}

func TestWideStampsWarn(t *testing.T) {
	f := releases([]float64{10, 12, 14}, nil)
	f[1].ServedWidth = hours(3)
	if g := headline(t, f, leadtime.Options{}); codes(g.Warnings) != "wide_stamps" || g.MaxStampWidth != 3 {
		t.Errorf("width %v, warnings %v", g.MaxStampWidth, g.Warnings)
	}
}

func TestCycleTimeIsAnotherNumber(t *testing.T) {
	f := releases([]float64{10, 12, 14}, []float64{1, 1, 0})
	for i := range f {
		f[i].RunStarted = monday.Add(-hours(20))
	}
	f[1].Flags = leadtime.FlagClampedSkew
	g := headline(t, f, leadtime.Options{})
	if g.Cycle == nil || g.Cycle.P50.Estimate.Point != 31 || g.Cycle.P50.N != 2 || g.P50.Estimate.Point != 11 || g.ClampedSkew != 1 {
		t.Errorf("cycle %+v, lead %v, clamped %d", g.Cycle, g.P50, g.ClampedSkew)
	}
}

// From Friday 16:00 to Monday 10:00 two hours of an office go by, also when the
// clock is set forward in between.
func TestSummarizeOnBusinessHours(t *testing.T) {
	cal := sure(leadtime.NewBusinessHours(sure(time.LoadLocation("America/New_York"))(t), leadtime.BusinessOptions{}))(t)
	friday := time.Date(2024, 3, 8, 21, 0, 0, 0, time.UTC)
	f := []leadtime.Flight{release(0, friday, 65), open(1, friday, 65+24)}
	r := sure(leadtime.Summarize(f, leadtime.Options{Calendar: cal, SLA: hours(4)}))(t)
	g := r.Headline()
	if g.P50.Estimate.Point != 2 || g.SLA.Rate.Met != 1 || g.SLA.Rate.N != 2 || r.Breaches[0].Lead != 10 {
		t.Errorf("p50 %v, SLA %+v, breaches %+v", g.P50, g.SLA, r.Breaches)
	}
	if want := "Mon Tue Wed Thu Fri 09:00-17:00 America/New_York, 0 holidays"; r.Clock != want {
		t.Errorf("clock %q, want %q", r.Clock, want)
	}
}

func TestHeadlineOfNoReport(t *testing.T) {
	if (leadtime.Report{}).Headline().N != 0 || (leadtime.Point{}).Headline().N != 0 {
		t.Error("a report that was never made has numbers")
	}
}

func TestReportSurvivesJSON(t *testing.T) {
	f := releases([]float64{10, 20, 30, 400}, []float64{1, 1, 0, 1})
	r := sure(leadtime.Summarize(f, leadtime.Options{SLA: hours(24), ByModel: true, Cohort: leadtime.BySignOff, Target: 0.9}))(t)
	first := sure(json.Marshal(r))(t)
	var back leadtime.Report
	if err := json.Unmarshal(first, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(first), string(sure(json.Marshal(back))(t))); d != "" {
		t.Error(d)
	}
	if !reflect.DeepEqual(r.Table(), back.Table()) {
		t.Error("the table of the decoded report differs")
	}
	var k leadtime.Cohort
	if err := k.UnmarshalText([]byte("by_luck")); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("an unknown cohort gives %v", err)
	}
}

func TestSummarizeRefusesImpossibleOptions(t *testing.T) {
	for what, o := range map[string]leadtime.Options{
		"window":     {Since: monday, Until: monday},
		"cohort":     {Cohort: 7},
		"estimator":  {Estimator: -1},
		"policy":     {InFlight: 9},
		"SLA":        {SLA: -1},
		"track SLA":  {TrackSLA: map[leadtime.Track]time.Duration{"x": -1}},
		"target":     {Target: math.NaN()},
		"level":      {Level: 1},
		"bands":      {Bands: leadtime.BandSet{{Name: "a"}, {Name: "b"}}},
		"two bands":  {Bands: leadtime.BandSet{{Name: "a", Edge: 1}, {Name: "a"}}},
		"type":       {QuantileType: 12},
		"rate":       {Rate: 5, SLA: 1},
		"band":       {Band: 8},
		"attributes": {Stages: leadtime.BreakdownOptions{Sharing: 9}, SLA: 1},
	} {
		if _, err := leadtime.Summarize(releases([]float64{1, 2}, nil), o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: error %v, want one that wraps %v", what, err, stats.ErrDomain)
		}
	}
}

func TestFourQuartersAreNeverConclusive(t *testing.T) {
	var f []leadtime.Flight
	for i, h := range []float64{400, 300, 200, 100} {
		f = append(f, release(i, monday.AddDate(0, 3*i, 0), h))
	}
	r := sure(leadtime.Trend(f, leadtime.TrendOptions{}))(t)
	if r.Conclusive || r.Direction != leadtime.NoTrend || codes(r.Warnings) != "small_sample small_sample" || math.Abs(float64(r.PMin)-2.0/24) > 1e-12 {
		t.Errorf("four falling quarters: %+v", r)
	}
	tied := append([]leadtime.Flight{}, f...)
	tied[1] = release(1, monday, 300)
	tied[1].Ended, tied[1].Served = f[0].Ended, f[0].Served
	if sure(leadtime.Trend(tied, leadtime.TrendOptions{}))(t).Conclusive {
		t.Error("four quarters with a tie are conclusive")
	}
	if r := sure(leadtime.Trend(nil, leadtime.TrendOptions{}))(t); !math.IsNaN(float64(r.P)) || r.Conclusive {
		t.Errorf("the trend of nothing: %+v", r)
	}
	many := make([]leadtime.Flight, 4001)
	for i := range many {
		many[i] = release(i, monday.Add(time.Duration(i)*time.Hour), float64(i%7))
	}
	if r := sure(leadtime.Trend(many, leadtime.TrendOptions{}))(t); codes(r.Warnings) != "ties no_slope" || !math.IsNaN(r.Slope.Point) {
		t.Errorf("the slope of 4001: %v, %v", r.Slope, r.Warnings)
	}
	if r := sure(leadtime.Trend(f[:1], leadtime.TrendOptions{}))(t); float64(r.P) != 1 || !math.IsNaN(r.Slope.Point) {
		t.Errorf("the trend of one release: %+v", r)
	}
}

func TestTrendPicksTrackAndModel(t *testing.T) {
	var f []leadtime.Flight
	for i := range 12 {
		f = append(f, release(i, monday.AddDate(0, 0, 7*i), float64(200-10*i)))
		fix := release(100+i, monday.AddDate(0, 0, 7*i), float64(2+i))
		fix.Track, fix.Key.Model = leadtime.FastTrack, "churn"
		f = append(f, fix)
	}
	if r := sure(leadtime.Trend(f, leadtime.TrendOptions{}))(t); r.Direction != leadtime.Improving || r.N != 12 || !r.Exact {
		t.Errorf("standard: %+v", r)
	}
	if r := sure(leadtime.Trend(f, leadtime.TrendOptions{Track: leadtime.FastTrack, Model: "churn"}))(t); r.Direction != leadtime.Worsening || r.N != 12 {
		t.Errorf("fast track: %+v", r)
	}
	if r := sure(leadtime.Trend(f, leadtime.TrendOptions{Model: "churn"}))(t); r.N != 0 {
		t.Errorf("a model without standard releases has %d", r.N)
	}
}

func TestImprovedEdges(t *testing.T) {
	some := releases([]float64{10, 20, 30}, nil)
	for what, c := range map[string]struct{ now, then []leadtime.Flight }{
		"nothing": {nil, nil}, "nothing now": {nil, some}, "nothing then": {some, nil},
		"all in flight":        {releases([]float64{5, 6}, []float64{0, 0}), some},
		"no time at all then":  {some, releases([]float64{0, 0}, nil)},
		"no time at all, both": {releases([]float64{0}, nil), releases([]float64{0}, nil)},
	} {
		r := sure(leadtime.Improved(c.now, c.then, leadtime.ImprovementOptions{}))(t)
		if r.P50.Met || r.P50.Conclusive || r.P90.Met || r.P90.Conclusive || !math.IsNaN(float64(r.P50.Reduction)) {
			t.Errorf("%s: %+v", what, r)
		}
		sure(json.Marshal(r))(t)
	}
	for what, o := range map[string]leadtime.ImprovementOptions{
		"target": {Target: 1}, "replicates": {Replicates: 5}, "level": {Level: 2}, "type": {QuantileType: 33},
	} {
		if _, err := leadtime.Improved(some, some, o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestImprovedByHalf(t *testing.T) {
	var now, then []leadtime.Flight
	for i := range 60 {
		h := 20 + float64(i*37%101)
		then = append(then, release(i, monday, 2*h))
		now = append(now, release(i, monday, h))
	}
	r := sure(leadtime.Improved(now, then, leadtime.ImprovementOptions{}))(t)
	if !r.P50.Met || !r.P50.Conclusive || !r.P90.Met || !r.P90.Conclusive || float64(r.P90.Reduction) != 0.5 {
		t.Errorf("half the time: %+v", r)
	}
	r = sure(leadtime.Improved(then, now, leadtime.ImprovementOptions{}))(t)
	if r.P50.Met || !r.P50.Conclusive || r.P90.Met || !r.P90.Conclusive {
		t.Errorf("twice the time: %+v", r)
	}
	now[0] = release(0, monday, 0) // no logarithm
	if r = sure(leadtime.Improved(now, then, leadtime.ImprovementOptions{}))(t); !strings.Contains(r.P50.Method, "bootstrap") || !r.P50.Conclusive {
		t.Errorf("with a zero: %+v", r.P50)
	}
}
