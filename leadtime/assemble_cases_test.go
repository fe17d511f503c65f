package leadtime_test

import (
	"math"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/leadtime"
)

type stageCase struct {
	SignOff time.Time
	Stages  [][]string
	Serving time.Time
}

func (c stageCase) flight(t *testing.T) leadtime.Flight {
	t.Helper()
	var l log
	l.add(leadtime.SignOff, "v1", c.SignOff)
	for _, s := range c.Stages {
		var o leadtime.Outcome
		if len(s) > 3 {
			if err := o.UnmarshalText([]byte(s[3])); err != nil {
				t.Fatal(err)
			}
		}
		l.stage("v1", s[0], stamp(t, s[1]), stamp(t, s[2]), o)
	}
	l.add(leadtime.Serving, "v1", c.Serving)
	return only(t, l.assemble(t, leadtime.AssembleOptions{}))
}

// parts returns hours by stage, leaving out stages with none.
func parts(a leadtime.Attribution, of func(leadtime.StageTime) time.Duration) map[string]float64 {
	m := map[string]float64{}
	for _, s := range a.Stages {
		if d := of(s); d != 0 {
			m[s.Stage] = d.Hours()
		}
	}
	return m
}

func exclusive(s leadtime.StageTime) time.Duration { return s.Exclusive }
func wait(s leadtime.StageTime) time.Duration      { return s.Wait }
func retry(s leadtime.StageTime) time.Duration     { return s.Retry }
func raw(s leadtime.StageTime) time.Duration       { return s.Raw }

func attributed(t *testing.T, f leadtime.Flight, o leadtime.BreakdownOptions) leadtime.Attribution {
	t.Helper()
	a, err := leadtime.Attribute(&f, o)
	if err != nil {
		t.Fatal(err)
	}
	sum := a.Unattributed
	for _, s := range a.Stages {
		sum += s.Total()
	}
	if sum != a.Total || a.Total != f.Lead(o.Calendar) {
		t.Fatalf("parts sum to %v, total %v, lead time %v", sum, a.Total, f.Lead(o.Calendar))
	}
	return a
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestSequentialStagesCase(t *testing.T) {
	var in stageCase
	var want struct {
		Total  float64            `json:"total_h"`
		Active map[string]float64 `json:"active_h"`
		Wait   map[string]float64 `json:"wait_h"`
		Worst  string             `json:"bottleneck"`
		Share  float64            `json:"bottleneck_share"`
		Band   string
	}
	published(t, "lt-seq-stages", &in, &want)
	f := in.flight(t)
	a := attributed(t, f, leadtime.BreakdownOptions{})
	equal(t, "total", a.Total.Hours(), want.Total)
	equal(t, "active", parts(a, exclusive), want.Active)
	equal(t, "wait", parts(a, wait), want.Wait)
	equal(t, "band", leadtime.ModelBands().Of(f.Lead(nil)), want.Band)
	r, err := leadtime.Breakdown([]leadtime.Flight{f}, leadtime.BreakdownOptions{})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "bottleneck", r.Bottleneck, want.Worst)
	if math.Abs(r.BottleneckShare-want.Share) > 1e-9 {
		t.Errorf("share %v, want %v", r.BottleneckShare, want.Share)
	}
	equal(t, "longest", a.Longest(), want.Worst)
}

func TestParallelStagesCase(t *testing.T) {
	var in stageCase
	var want struct {
		Total     float64            `json:"total_h"`
		Raw       map[string]float64 `json:"raw_h"`
		Exclusive map[string]float64 `json:"exclusive_h"`
	}
	published(t, "lt-parallel-stages", &in, &want)
	a := attributed(t, in.flight(t), leadtime.BreakdownOptions{})
	got := parts(a, exclusive)
	got["wait"] = parts(a, wait)["validation"]
	equal(t, "total", a.Total.Hours(), want.Total)
	equal(t, "raw", parts(a, raw), want.Raw)
	equal(t, "exclusive", got, want.Exclusive)

	a = attributed(t, in.flight(t), leadtime.BreakdownOptions{Sharing: leadtime.Priority, Order: []string{"packaging", "validation"}})
	equal(t, "priority", parts(a, exclusive), map[string]float64{"packaging": 2, "validation": 2, "promotion": 1})
}

func TestRetriedStageCase(t *testing.T) {
	var in stageCase
	var want struct {
		Total    float64            `json:"total_h"`
		Active   map[string]float64 `json:"active_h"`
		Retry    map[string]float64 `json:"retry_wait_h"`
		Wait     map[string]float64 `json:"wait_h"`
		Attempts map[string]int
	}
	published(t, "lt-retried-stage", &in, &want)
	a := attributed(t, in.flight(t), leadtime.BreakdownOptions{})
	equal(t, "total", a.Total.Hours(), want.Total)
	equal(t, "active", parts(a, exclusive), want.Active)
	equal(t, "retry", parts(a, retry), want.Retry)
	equal(t, "wait", parts(a, wait), want.Wait)
	for _, s := range a.Stages {
		if n := want.Attempts[s.Stage]; n > 0 && s.Attempts != n {
			t.Errorf("%s: %d attempts, want %d", s.Stage, s.Attempts, n)
		}
	}
	equal(t, "failed", a.Stages[1].Failed, time.Hour)
}

func TestRollbackCase(t *testing.T) {
	var in struct{ Events [][]string }
	var want struct {
		Samples []struct {
			Version string
			Hours   float64
		}
		Rollbacks  int
		ToRollback float64 `json:"time_to_rollback_min"`
		Exposure   float64 `json:"exposure_h"`
		Redeploys  int
	}
	published(t, "lt-rollback-redeploy", &in, &want)
	var l log
	for _, e := range in.Events {
		var k leadtime.Kind
		if err := k.UnmarshalText([]byte(e[0])); err != nil {
			t.Fatal(err)
		}
		l.add(k, e[1], on(0, e[2][1:]))
	}
	f := only(t, l.assemble(t, leadtime.AssembleOptions{}))
	equal(t, "version", f.Key, leadtime.FlightKey{Model: "fraud", Version: want.Samples[0].Version, SignOff: 1})
	equal(t, "hours", f.Lead(nil).Hours(), want.Samples[0].Hours)
	equal(t, "redeploys", f.Redeploys, want.Redeploys)
	equal(t, "rollbacks", len(f.Rollbacks), want.Rollbacks)
	b := f.Rollbacks[0]
	back, _ := b.TimeToRollback()
	equal(t, "time to rollback", back.Minutes(), want.ToRollback)
	exposed, _ := b.Exposure()
	equal(t, "exposure", exposed.Hours(), want.Exposure)
	total, _ := b.TotalExposure()
	equal(t, "total exposure", total, exposed+back)
	equal(t, "to", b.To, "v6")

	// The note of the case: a new sign-off at 14:00 gives a second sample of 6 h.
	l.add(leadtime.SignOff, "v7", on(0, "14:00"))
	a := l.assemble(t, leadtime.AssembleOptions{})
	var hours []float64
	for _, f := range a.Flights {
		hours = append(hours, f.Lead(nil).Hours())
	}
	equal(t, "two sign-offs", hours, []float64{10, 6})
	equal(t, "no redeploy", a.Flights[0].Redeploys, 0)
}

func TestClockSkewCase(t *testing.T) {
	var in struct{ Pairs [][2]time.Time }
	var want struct {
		Result []struct {
			Hours    float64
			Flag     string
			Excluded bool
			Reason   string
		}
	}
	published(t, "lt-clock-skew", &in, &want)
	for i, p := range in.Pairs {
		var l log
		l.add(leadtime.SignOff, "v1", p[0]).add(leadtime.Serving, "v1", p[1])
		a := l.assemble(t, leadtime.AssembleOptions{})
		if want.Result[i].Excluded {
			equal(t, "flights", len(a.Flights), 0)
			equal(t, "excluded", len(a.Excluded), 2)
			for _, x := range a.Excluded {
				equal(t, "reason", x.Reason.String(), want.Result[i].Reason)
				equal(t, "flight", x.Flight, leadtime.FlightKey{Model: "fraud", Version: "v1", SignOff: 1})
			}
			continue
		}
		f := only(t, a)
		equal(t, "hours", f.Lead(nil).Hours(), want.Result[i].Hours)
		equal(t, "flag", f.Flags.String(), want.Result[i].Flag)
		equal(t, "state", f.State, leadtime.Served)
	}
}

// TestWholeMinutesCase shows what rounding each part up would do: the parts of
// the second row sum to a minute more than the whole. Ours are nanoseconds.
func TestWholeMinutesCase(t *testing.T) {
	type row struct {
		First    time.Time `json:"first_commit"`
		Created  time.Time
		Review   time.Time `json:"first_review"`
		Merged   time.Time
		Deployed time.Time
	}
	var in struct{ PR1, PR2 row }
	var minutes struct {
		PR1 map[string]float64 `json:"pr1_minutes"`
		PR2 map[string]float64 `json:"pr2_minutes"`
	}
	published(t, "lt-devlake-legs", &in, &minutes)
	for i, r := range []row{in.PR1, in.PR2} {
		var l log
		start := r.First
		if start.IsZero() {
			start = r.Created
		} else {
			l.stage("v1", "coding", r.First, r.Created, leadtime.Passed)
		}
		l.add(leadtime.SignOff, "v1", start)
		l.stage("v1", "pickup", r.Created, r.Review, leadtime.Passed)
		l.stage("v1", "review", r.Review, r.Merged, leadtime.Passed)
		l.stage("v1", "deploy", r.Merged, r.Deployed, leadtime.Passed)
		l.add(leadtime.Serving, "v1", r.Deployed)
		a := attributed(t, only(t, l.assemble(t, leadtime.AssembleOptions{})), leadtime.BreakdownOptions{})
		table := []map[string]float64{minutes.PR1, minutes.PR2}[i]
		equal(t, "cycle", math.Ceil(a.Total.Minutes()), table["cycle"])
		for _, s := range a.Stages {
			equal(t, s.Stage, math.Ceil(s.Exclusive.Minutes()), table[s.Stage])
		}
	}
}

func TestNegativeLegCase(t *testing.T) {
	var in struct {
		First    time.Time `json:"first_commit"`
		Created  time.Time
		Merged   time.Time
		Deployed time.Time
	}
	var want struct {
		Ours struct {
			Lead float64 `json:"lead_minutes_from_first_commit"`
			Flag string
		}
	}
	published(t, "lt-devlake-negative-leg", &in, &want)
	var l log
	l.add(leadtime.SignOff, "v1", in.First)
	l.stage("v1", "coding", in.First, in.Created, leadtime.Passed)
	l.stage("v1", "review", in.Created, in.Merged, leadtime.Passed)
	l.stage("v1", "deploy", in.Merged, in.Deployed, leadtime.Passed)
	l.add(leadtime.Serving, "v1", in.Deployed)
	a := l.assemble(t, leadtime.AssembleOptions{})
	f := only(t, a)
	if got := f.Lead(nil).Minutes(); math.Abs(got-want.Ours.Lead) > 1e-6 {
		t.Errorf("lead %v min, want %v", got, want.Ours.Lead)
	}
	equal(t, "flag", f.Flags.String(), want.Ours.Flag)
	equal(t, "excluded", reasons(a), map[leadtime.Reason]int{leadtime.OutOfOrderStage: 2})
	attributed(t, f, leadtime.BreakdownOptions{})
}

func TestBusinessHoursCase(t *testing.T) {
	var in struct {
		Cases []struct {
			Zone, Start, End string
			Hours            [2]int
			Holidays         []string
		}
	}
	var want struct {
		Elapsed  []float64 `json:"elapsed_h"`
		Business []float64 `json:"business_h"`
	}
	published(t, "cal-business-hours", &in, &want)
	for i, c := range in.Cases {
		zone, err := time.LoadLocation(c.Zone)
		if err != nil {
			t.Fatal(err)
		}
		o := leadtime.BusinessOptions{Open: time.Duration(c.Hours[0]) * time.Hour, Close: time.Duration(c.Hours[1]) * time.Hour}
		for _, h := range c.Holidays {
			d, err := time.Parse(time.DateOnly, h)
			if err != nil {
				t.Fatal(err)
			}
			o.Holidays = append(o.Holidays, leadtime.Date{Year: d.Year(), Month: d.Month(), Day: d.Day()})
		}
		cal, err := leadtime.NewBusinessHours(zone, o)
		if err != nil {
			t.Fatal(err)
		}
		const layout = "2006-01-02 15:04"
		a, err := time.ParseInLocation(layout, c.Start, zone)
		if err != nil {
			t.Fatal(err)
		}
		b, err := time.ParseInLocation(layout, c.End, zone)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, c.Zone+" elapsed", b.Sub(a).Hours(), want.Elapsed[i])
		equal(t, c.Zone+" business", cal.Between(a, b).Hours(), want.Business[i])
	}
}
