package leadtime_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

var nan = cmpopts.EquateNaNs()

// drawn are flights of two tracks, three models and every state, over 60 days.
func drawn(least int) *rapid.Generator[[]leadtime.Flight] {
	return rapid.Custom(func(t *rapid.T) []leadtime.Flight {
		var out []leadtime.Flight
		for i := range rapid.IntRange(least, 30).Draw(t, "n") {
			at := monday.Add(time.Duration(rapid.IntRange(0, 60*24).Draw(t, "signoff")) * time.Hour)
			h := float64(rapid.IntRange(0, 300).Draw(t, "hours"))
			f := release(i, at, h)
			switch rapid.IntRange(0, 9).Draw(t, "state") {
			case 0:
				f.State, f.Served = leadtime.StateRejected, time.Time{}
			case 1, 2, 3:
				f = open(i, at, h)
			}
			f.Key.Model = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "model")
			f.Track = rapid.SampledFrom([]leadtime.Track{leadtime.Standard, leadtime.FastTrack}).Draw(t, "track")
			if rapid.Bool().Draw(t, "staged") {
				f.Arrivals = []leadtime.Arrival{{Env: leadtime.Staging, At: at.Add(hours(h / 2))}}
			}
			f.Segments = []leadtime.Segment{{Stage: "validation", Attempt: 1, Start: at, End: at.Add(hours(h / 3)), Outcome: leadtime.Passed}}
			out = append(out, f)
		}
		return out
	})
}

func drawnOptions(t *rapid.T) leadtime.Options {
	o := leadtime.Options{
		Cohort:  rapid.SampledFrom([]leadtime.Cohort{leadtime.ByCompletion, leadtime.BySignOff}).Draw(t, "cohort"),
		ByModel: rapid.Bool().Draw(t, "by model"), SLA: 72 * time.Hour,
		TrackSLA: map[leadtime.Track]time.Duration{leadtime.FastTrack: 8 * time.Hour},
		InFlight: rapid.SampledFrom([]leadtime.InFlightPolicy{leadtime.OverdueInFlight, leadtime.CompletedOnly, leadtime.KMCompliance}).Draw(t, "policy"),
	}
	if rapid.Bool().Draw(t, "window") {
		o.Since = monday.AddDate(0, 0, rapid.IntRange(0, 30).Draw(t, "since"))
		o.Until = o.Since.AddDate(0, 0, rapid.IntRange(1, 40).Draw(t, "days"))
	}
	return o
}

func TestOrderOfFlightsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(0).Draw(t, "flights")
		mixed := rapid.Permutation(f).Draw(t, "mixed")
		o := drawnOptions(t)
		to := leadtime.TrendOptions{Options: o}
		io := leadtime.ImprovementOptions{Replicates: 100}
		sameJSON(t, must(leadtime.Summarize(f, o))(t), must(leadtime.Summarize(mixed, o))(t))
		sameJSON(t, must(leadtime.Trend(f, to))(t), must(leadtime.Trend(mixed, to))(t))
		sameJSON(t, must(leadtime.Improved(f, f[:len(f)/2], io))(t), must(leadtime.Improved(mixed, f[:len(f)/2], io))(t))
		sameJSON(t, must(leadtime.Ops(f, nil, leadtime.OpsOptions{}))(t), must(leadtime.Ops(mixed, nil, leadtime.OpsOptions{}))(t))
	})
}

// sameJSON compares the JSON forms, in which a NaN equals a NaN.
func sameJSON(t *rapid.T, a, b any) {
	t.Helper()
	x, y := must(json.MarshalIndent(a, "", " "))(t), must(json.MarshalIndent(b, "", " "))(t)
	if d := cmp.Diff(string(x), string(y)); d != "" {
		t.Fatal(d)
	}
}

// must is sure for the test of a property.
func must[T any](v T, err error) func(t *rapid.T) T {
	return func(t *rapid.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestInFlightNeverLowersTheQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(1).Draw(t, "flights")
		o := leadtime.Options{Estimator: leadtime.EstimatorKM, Cohort: leadtime.BySignOff, AsOf: monday.AddDate(1, 0, 0)}
		extra := open(99, monday, float64(rapid.IntRange(0, 400).Draw(t, "age")))
		before := must(leadtime.Summarize(f, o))(t).Headline()
		after := must(leadtime.Summarize(append(slices.Clone(f), extra), o))(t).Headline()
		for i, q := range []leadtime.Quantile{after.P50, after.P90} {
			if old := []leadtime.Quantile{before.P50, before.P90}[i]; old.N > 0 && q.Estimate.Point < old.Estimate.Point {
				t.Fatalf("a release in flight of %v lowers q%v from %v to %v", extra.Lead(nil), q.Q, old.Estimate, q.Estimate)
			}
		}
	})
}

func TestScalingDurationsScalesTheQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(1).Draw(t, "flights")
		by := rapid.IntRange(2, 9).Draw(t, "by")
		long := slices.Clone(f)
		for i := range long {
			d := time.Duration(by) * long[i].Ended.Sub(long[i].SignOff)
			if long[i].Ended = long[i].SignOff.Add(d); long[i].State == leadtime.Served {
				long[i].Served = long[i].Ended
			}
		}
		o := leadtime.Options{Cohort: leadtime.BySignOff, Estimator: rapid.SampledFrom([]leadtime.Estimator{leadtime.EstimatorPlain, leadtime.EstimatorKM}).Draw(t, "estimator")}
		short, scaled := must(leadtime.Summarize(f, o))(t).Headline(), must(leadtime.Summarize(long, o))(t).Headline()
		for what, v := range map[string][2]stats.Interval{
			"p50": {short.P50.Estimate, scaled.P50.Estimate}, "p90": {short.P90.Estimate, scaled.P90.Estimate}, "mean": {short.Mean.Estimate, scaled.Mean.Estimate},
		} {
			want := stats.Interval{Point: v[0].Point * float64(by), Lo: v[0].Lo * float64(by), Hi: v[0].Hi * float64(by), Level: v[0].Level}
			if d := cmp.Diff(want, v[1], nan, cmpopts.EquateApprox(1e-9, 1e-9)); d != "" {
				t.Fatalf("%s: %s", what, d)
			}
		}
	})
}

func TestSurvivalComplianceWithoutYoungOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(1).Draw(t, "flights")
		for i := range f { // those in flight are older than the SLA of 72 hours
			if f[i].State == leadtime.InFlight {
				f[i].Ended = f[i].Ended.Add(72*time.Hour + time.Nanosecond)
			}
		}
		o := leadtime.Options{Cohort: leadtime.BySignOff, SLA: 72 * time.Hour}
		overdue := must(leadtime.Summarize(f, o))(t).Headline().SLA.Rate.Estimate.Point
		o.InFlight = leadtime.KMCompliance
		km := must(leadtime.Summarize(f, o))(t).Headline().SLA.Rate.Estimate.Point
		if math.Abs(overdue-km) > 1e-12 || math.IsNaN(overdue) != math.IsNaN(km) {
			t.Fatalf("overdue in flight %v, Kaplan-Meier %v", overdue, km)
		}
	})
}

func TestOrderOfEventsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(1).Draw(t, "flights")
		var ev []leadtime.Event
		for range rapid.IntRange(0, 30).Draw(t, "events") {
			ev = append(ev, leadtime.Event{
				Kind:  rapid.SampledFrom([]leadtime.Kind{leadtime.DriftAlert, leadtime.IncidentDetected, leadtime.IncidentResolved, leadtime.Retrained, leadtime.Serving}).Draw(t, "kind"),
				Model: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "model"), Version: rapid.SampledFrom([]string{"", "v001"}).Draw(t, "version"),
				Ref: rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "ref"), At: monday.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "hour")) * time.Hour),
			})
		}
		for i := range f {
			if f[i].State == leadtime.Served && rapid.Bool().Draw(t, "rolled back") {
				f[i].Rollbacks = []leadtime.Rollback{{Since: f[i].Served, Decided: f[i].Served.Add(5 * time.Hour)}}
			}
		}
		mixed := rapid.Permutation(ev).Draw(t, "mixed")
		sameJSON(t, must(leadtime.Ops(f, ev, leadtime.OpsOptions{}))(t), must(leadtime.Ops(f, mixed, leadtime.OpsOptions{}))(t))
	})
}

// Every flight is in a group of the headline environment, excluded, or outside.
func TestEveryFlightIsAccountedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(0).Draw(t, "flights")
		o := drawnOptions(t)
		o.AsOf = monday.AddDate(0, 0, rapid.IntRange(0, 80).Draw(t, "as of"))
		r := must(leadtime.Summarize(f, o))(t)
		n := int(r.Outside) + len(r.Excluded)
		var inBands, inModels uint64
		for _, g := range r.Groups {
			if g.Env != leadtime.Production {
				continue
			}
			if g.Model != "" {
				inModels += g.N + g.InFlight
				continue
			}
			n += int(g.N + g.InFlight)
			for _, b := range g.Bands {
				inBands += b.N + b.InFlight
			}
		}
		if n != len(f) {
			t.Fatalf("%d flights accounted for, of %d", n, len(f))
		}
		pooled := uint64(n - int(r.Outside) - len(r.Excluded))
		if inBands != pooled || o.ByModel && inModels != pooled {
			t.Fatalf("%d flights in groups, %d in bands, %d in models", pooled, inBands, inModels)
		}
	})
}

// Windows that follow each other hold every completion once.
func TestCalendarWindowsTile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(1).Draw(t, "flights")
		months := rapid.SampledFrom([]int{1, 2, 3, 4, 6, 12, 24}).Draw(t, "months")
		pts := must(leadtime.Rolling(f, leadtime.WindowSpec{Months: months, Count: 12}, leadtime.Options{}))(t)
		var n, want uint64
		for i, p := range pts {
			if i > 0 && !p.Since.Equal(pts[i-1].Until) {
				t.Fatalf("window %d begins at %v, the one before ends at %v", i, p.Since, pts[i-1].Until)
			}
			for _, g := range p.Groups {
				if g.Env == leadtime.Production {
					n += g.N
				}
			}
		}
		for i := range f {
			if f[i].State == leadtime.Served {
				want++
			}
		}
		if n != want {
			t.Fatalf("%d completions in the windows, want %d", n, want)
		}
	})
}
