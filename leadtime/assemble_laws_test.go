package leadtime_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/leadtime"
)

// anyLog draws a log of a few versions in which anything may follow anything.
func anyLog() *rapid.Generator[[]leadtime.Event] {
	one := rapid.Custom(func(r *rapid.T) leadtime.Event {
		e := leadtime.Event{
			Kind:    leadtime.Kind(rapid.IntRange(0, int(leadtime.Retrained)+1).Draw(r, "kind")),
			Model:   rapid.SampledFrom([]string{"fraud", "fraud", "fraud", "churn", ""}).Draw(r, "model"),
			Version: rapid.SampledFrom([]string{"v1", "v1", "v2", "v2", "v3", ""}).Draw(r, "version"),
			Env:     rapid.SampledFrom([]leadtime.Env{"", "", "", "production", "staging"}).Draw(r, "env"),
			Region:  rapid.SampledFrom([]string{"", "", "", "eu", "us"}).Draw(r, "region"),
			Stage:   rapid.SampledFrom([]string{"validation", "approval", "canary", ""}).Draw(r, "stage"),
			Attempt: rapid.SampledFrom([]int{0, 0, 0, 1, 2, -1}).Draw(r, "attempt"),
			Track:   rapid.SampledFrom([]leadtime.Track{"", "", "", "standard", "fast_track", "other"}).Draw(r, "track"),
			Outcome: leadtime.Outcome(rapid.IntRange(0, 3).Draw(r, "outcome")),
			At:      on(0, "00:00").Add(time.Duration(rapid.IntRange(0, 60).Draw(r, "at")) * 7 * time.Minute),
			ID:      rapid.SampledFrom([]string{"", "", "", "", "1", "2", "3", "4", "5", "6"}).Draw(r, "id"),
			Source:  rapid.SampledFrom([]string{"", "ci", "mesh"}).Draw(r, "source"),
		}
		e.TrafficPct = rapid.SampledFrom([]float64{0, 0, 0, 10, 50, 100, 100, math.NaN(), 101}).Draw(r, "traffic")
		switch rapid.IntRange(0, 20).Draw(r, "oddity") {
		case 0:
			e.At = time.Time{}
		case 1:
			e.Earliest = e.At.Add(-7 * time.Minute)
		case 2:
			e.Earliest = e.At.Add(time.Minute)
		case 3:
			e.At = time.Date(1066, 10, 14, 0, 0, 0, 0, time.UTC)
		case 4:
			e.At = e.At.In(time.FixedZone("X", 3600))
		}
		return e
	})
	return rapid.Custom(func(r *rapid.T) []leadtime.Event {
		events := rapid.SliceOfN(one, 0, 60).Draw(r, "events")
		// Sign-offs are what makes flights; without some there would be few.
		for _, v := range []string{"v1", "v2"} {
			if rapid.Bool().Draw(r, "signed off") {
				events = append(events, leadtime.Event{Kind: leadtime.SignOff, Model: "fraud", Version: v, At: on(0, "00:30")})
			}
		}
		for i := range events {
			events[i].Line = i + 1
		}
		return events
	})
}

func anyOptions() *rapid.Generator[leadtime.AssembleOptions] {
	return rapid.Custom(func(r *rapid.T) leadtime.AssembleOptions {
		o := leadtime.AssembleOptions{
			Env:              rapid.SampledFrom([]leadtime.Env{"", "", leadtime.Staging}).Draw(r, "env"),
			StopAt:           rapid.SampledFrom([]float64{0, 50, leadtime.FirstTraffic}).Draw(r, "stop at"),
			KeepFirstSignOff: rapid.Bool().Draw(r, "keep first"),
			RegionPolicy:     leadtime.RegionPolicy(rapid.IntRange(0, 1).Draw(r, "policy")),
			Regions:          rapid.SampledFrom([][]string{nil, nil, {"eu"}, {"eu", "us"}}).Draw(r, "regions"),
			SkewTolerance:    rapid.SampledFrom([]time.Duration{0, -1, time.Hour}).Draw(r, "skew"),
		}
		if rapid.Bool().Draw(r, "as of") {
			o.AsOf = on(0, "05:00")
		}
		return o
	})
}

// bytesOf is the assembly as JSON, in which NaN cannot stand.
func bytesOf(t *rapid.T, a leadtime.Assembly) string {
	clean := func(e *leadtime.Event) {
		if math.IsNaN(e.TrafficPct) {
			e.TrafficPct = -1
		}
		if e.Kind > leadtime.Retrained {
			e.Kind = 0
		}
	}
	for i := range a.Excluded {
		clean(&a.Excluded[i].Event)
	}
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAssemblyLaws(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		events, o := anyLog().Draw(r, "log"), anyOptions().Draw(r, "options")
		assemble := func(events []leadtime.Event) leadtime.Assembly {
			before := slices.Clone(events)
			a, err := leadtime.Assemble(events, o)
			if err != nil {
				r.Fatal(err)
			}
			for i := range events {
				if e, b := events[i], before[i]; e != b && e.TrafficPct == e.TrafficPct {
					r.Fatalf("event %d was changed", i)
				}
			}
			return a
		}
		a := assemble(events)

		// Events in = used + operational + excluded, and each by itself.
		if a.In != len(events) || a.Used+len(a.Operations)+len(a.Excluded) != a.In {
			r.Fatalf("%d in, %d used, %d operational, %d excluded", a.In, a.Used, len(a.Operations), len(a.Excluded))
		}
		lines := map[int]bool{}
		for _, x := range a.Excluded {
			if lines[x.Event.Line] || x.Reason < leadtime.UnknownKind || x.Reason > leadtime.NothingToRestore {
				r.Fatalf("line %d excluded twice or for no reason: %v", x.Event.Line, x.Reason)
			}
			lines[x.Event.Line] = true
		}
		for _, e := range a.Operations {
			if lines[e.Line] {
				r.Fatalf("line %d is twice", e.Line)
			}
			lines[e.Line] = true
		}
		for _, f := range a.Flights {
			checkFlight(r, f, a.AsOf)
		}

		// Order does not matter.
		want := bytesOf(r, a)
		if got := bytesOf(r, assemble(rapid.Permutation(events).Draw(r, "permuted"))); got != want {
			r.Fatalf("permuted:\n%s\nnot\n%s", got, want)
		}

		// Repeated events only add duplicates.
		twice := assemble(append(slices.Clone(events), events...))
		if got, was := len(twice.Excluded)-len(a.Excluded), len(events); got != was {
			r.Fatalf("%d events twice, %d more excluded", was, got)
		}
		twice.In, twice.Excluded = a.In, a.Excluded
		if got := bytesOf(r, twice); got != want {
			r.Fatalf("twice:\n%s\nnot\n%s", got, want)
		}
	})
}

func checkFlight(r *rapid.T, f leadtime.Flight, asOf time.Time) {
	if f.Ended.IsZero() || f.SignOff.IsZero() || f.SignOff.Before(f.FirstSignOff) || f.Ended.After(asOf) {
		r.Fatalf("clock from %v to %v", f.SignOff, f.Ended)
	}
	if (f.State == leadtime.Served) == f.Served.IsZero() {
		r.Fatalf("%v, served at %v", f.State, f.Served)
	}
	if f.Lead(nil) < 0 || f.Ended.Before(f.SignOff) != f.Flags.Has(leadtime.FlagClampedSkew) && f.State == leadtime.Served {
		r.Fatalf("lead time %v, flags %v", f.Lead(nil), f.Flags)
	}
	if f.Redeploys > len(f.Rollbacks) {
		r.Fatalf("%d redeploys after %d rollbacks", f.Redeploys, len(f.Rollbacks))
	}
	for i, g := range f.Segments {
		if g.End.Before(g.Start) || g.Attempt < 1 || g.End.After(asOf) {
			r.Fatalf("segment %+v", g)
		}
		if i > 0 && g.Start.Before(f.Segments[i-1].Start) {
			r.Fatalf("segments out of order: %+v", f.Segments)
		}
	}
	for _, by := range []leadtime.Sharing{leadtime.EqualSplit, leadtime.Priority} {
		a, err := leadtime.Attribute(&f, leadtime.BreakdownOptions{Sharing: by})
		if err != nil {
			r.Fatal(err)
		}
		sum := a.Unattributed
		for _, s := range a.Stages {
			sum += s.Total()
			if s.Exclusive < 0 || s.Wait < 0 || s.Retry < 0 || s.Exclusive > s.Raw || s.Raw > a.Total {
				r.Fatalf("%+v of %v", s, a.Total)
			}
		}
		if sum != a.Total || a.Total != f.Lead(nil) || a.Unattributed < 0 {
			r.Fatalf("%v: parts sum to %v, total %v", by, sum, a.Total)
		}
	}
}

// TestCalendarPartsSum holds the sum on a calendar, over spans in which clocks
// change.
func TestCalendarPartsSum(t *testing.T) {
	cal := office(t, "Australia/Lord_Howe", leadtime.BusinessOptions{Open: time.Hour, Close: 20 * time.Hour, Workdays: everyDay})
	rapid.Check(t, func(r *rapid.T) {
		minute := func(name string) time.Time {
			return time.Date(2024, 4, 4, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, int64(100*time.Hour)).Draw(r, name)))
		}
		f := leadtime.Flight{State: leadtime.Served, SignOff: minute("sign-off"), Ended: minute("served")}
		for range rapid.IntRange(0, 6).Draw(r, "segments") {
			a, b := minute("start"), minute("end")
			if b.Before(a) {
				a, b = b, a
			}
			f.Segments = append(f.Segments, leadtime.Segment{Stage: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "stage"), Attempt: 1, Start: a, End: b})
		}
		a, err := leadtime.Attribute(&f, leadtime.BreakdownOptions{Calendar: cal})
		if err != nil {
			r.Fatal(err)
		}
		sum := a.Unattributed
		for _, s := range a.Stages {
			sum += s.Total()
		}
		if sum != a.Total || a.Total != f.Lead(cal) {
			r.Fatalf("parts sum to %v, total %v, lead %v", sum, a.Total, f.Lead(cal))
		}
	})
}
