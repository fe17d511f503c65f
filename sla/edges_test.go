package sla_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/statstest"
)

func TestEmptyIsNoData(t *testing.T) {
	for _, m := range []sla.Method{sla.Occurrences, sla.Timeslices, sla.RatioTimeslices} {
		for _, missing := range []sla.MissingPolicy{sla.MissingIgnore, sla.MissingBad, sla.MissingGood, sla.MissingNoData} {
			o := sla.Objective{Name: "x", Target: 0.99, Window: sla.Rolling(day), Method: m}
			if m == sla.Occurrences && missing != sla.MissingIgnore {
				continue
			}
			if m != sla.Occurrences {
				o.Slice, o.Missing = time.Minute, missing
			}
			if m == sla.Timeslices {
				o.SliceTarget = 1
			}
			for name, s := range map[string][]sla.Sample{"none": nil, "only bad ones": {{}}, "idle": one(start, 0, 0)} {
				b := must(sla.Budget(o, s, start))(t)
				idle := name == "idle" && m != sla.Occurrences && (missing == sla.MissingBad || missing == sla.MissingGood)
				if (b.State != sla.NoData || b.Met || b.Clamped != 0 || !b.SLI.IsZero() || !math.IsNaN(float64(b.Remaining))) && !idle {
					t.Errorf("%v %v, %s: %+v", m, missing, name, b)
				}
				if burn := must(sla.BurnRate(o, s, time.Hour, start))(t); !burn.NoData && !idle {
					t.Errorf("%v %v, %s: %+v", m, missing, name, burn)
				}
			}
		}
	}
	p := must(sla.Compliance(0, 0, sla.ComplianceOptions{Target: 0.9}))(t)
	if p.State != sla.NoData || !math.IsNaN(float64(p.Rate)) || !p.Interval.IsZero() {
		t.Errorf("%+v", p)
	}
}

func TestBadSamplesAreReturned(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Minute) }
	samples := []sla.Sample{
		{At: at(1), Counts: of(9, 10), Line: 2},
		{At: at(2), Counts: of(nan, 10), Line: 3},
		{At: at(3), Counts: of(1, inf), Line: 4},
		{At: at(4), Counts: of(-1, 10), Line: 5},
		{At: at(5), Counts: of(11, 10), Line: 6},
		{Counts: of(1, 1), Line: 7},
		{At: at(6), Counts: of(1, 1e17), Line: 8},
		{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), Counts: of(1, 1), Line: 9},
		{At: at(1), Counts: of(9, 10), Line: 10},
		{At: at(1), Counts: of(8, 10), Line: 11},
		{At: at(1), Source: "west", Counts: of(8, 10), Line: 12},
		{At: at(200), Counts: of(1, 1), Line: 13},
		{At: at(-90), Counts: of(1, 1), Line: 14},
	}
	o := sla.Objective{Name: "x", Target: 0.5, Window: sla.Rolling(time.Hour)}
	b := must(sla.Budget(o, samples, start.Add(time.Hour)))(t)
	type row struct {
		Index, Line int
		Reason      string
	}
	var got []row
	for _, x := range b.Excluded {
		got = append(got, row{x.Index, x.Line, x.Reason})
	}
	// Of three counts of one moment and source the worst one stands.
	want := []row{
		{0, 2, sla.ReasonConflicting}, {1, 3, sla.ReasonNaN}, {2, 4, sla.ReasonInfinite}, {3, 5, sla.ReasonNegative}, {4, 6, sla.ReasonGoodAbove},
		{5, 7, sla.ReasonNoTime}, {6, 8, sla.ReasonTooLarge}, {7, 9, sla.ReasonTimeRange}, {8, 10, sla.ReasonConflicting},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if b.Good != 16 || b.Total != 20 || b.Outside != (sla.Outside{Before: 1, Future: 1}) {
		t.Errorf("%v of %v, %+v", b.Good, b.Total, b.Outside)
	}
	if s := b.Excluded[1].String(); s != "line 3: nan: NaN good of 10 at 2024-01-01T00:02:00Z" {
		t.Error(s)
	}
	twice := append(one(start, 1, 2), one(start, 1, 2)...)
	if b := must(sla.Budget(o, twice, start))(t); len(b.Excluded) != 1 || b.Excluded[0].Reason != sla.ReasonDuplicate || b.Excluded[0].String() != "sample 1: duplicate: 1 good of 2 at 2024-01-01T00:00:00Z" {
		t.Errorf("%v", b.Excluded)
	}
}

func TestTargetOne(t *testing.T) {
	o := sla.Objective{Name: "x", Target: 1, Window: sla.Rolling(day)}
	clean := must(sla.Budget(o, one(start, 1000, 1000), start))(t)
	if clean.State != sla.OK || !clean.Met || clean.Consumed != 0 || clean.Remaining != 1 || clean.SpentMinutes != 0 {
		t.Errorf("%+v", clean)
	}
	dirty := must(sla.Budget(o, one(start, 999, 1000), start))(t)
	if dirty.State != sla.Exhausted || dirty.Met || !math.IsInf(float64(dirty.Consumed), 1) || !math.IsInf(float64(dirty.Remaining), -1) || dirty.Clamped != 0 {
		t.Errorf("%+v", dirty)
	}
	statstest.Near(t, "spent minutes", float64(dirty.SpentMinutes), 1.44, 1e-12, 0)
	if _, err := json.Marshal(dirty); err != nil {
		t.Error(err)
	}
	if !math.IsInf(sla.MaxBurn(1), 1) || !math.IsNaN(sla.MaxBurn(0)) || sla.Allowance(1, day) != 0 || sla.Allowance(2, day) != 0 {
		t.Error("limits of MaxBurn and Allowance")
	}
}

// At the target the budget is spent to the last event, not almost or more than that.
func TestBudgetIsDecimal(t *testing.T) {
	for _, c := range []struct{ target, n, bad float64 }{{0.999, 1000, 1}, {0.99, 100, 1}, {0.9, 10, 1}, {0.95, 20160, 1008}, {0.9999, 1e6, 100}, {0.7, 10, 3}} {
		o := sla.Objective{Name: "x", Target: c.target, Window: sla.Rolling(day)}
		b := must(sla.Budget(o, one(start, c.n-c.bad, c.n), start))(t)
		if b.Consumed != 1 || b.State != sla.Exhausted || !b.Met {
			t.Errorf("%+v: consumed %v, %v, met %v", c, b.Consumed, b.State, b.Met)
		}
	}
}

func TestMaintenanceIsAudited(t *testing.T) {
	o := sla.Objective{Name: "x", Target: 0.9, Window: sla.Rolling(day), Method: sla.Timeslices, Slice: time.Minute, SliceTarget: 0.9, Exclude: []sla.Exclusion{
		{From: start.Add(2 * time.Hour), To: start.Add(3 * time.Hour), Reason: "database move"},
		{From: start.Add(150 * time.Minute), To: start.Add(4 * time.Hour), Reason: "second try"},
		{From: start.Add(-2 * day), To: start.Add(-day), Reason: "long ago"},
	}}
	samples := every(start, time.Minute, 1440, func(i int) sla.Counts {
		if i >= 120 && i < 240 {
			return of(0, 10)
		}
		return of(10, 10)
	})
	samples = append(samples[:200], samples[220:]...) // not even measured
	b := must(sla.Budget(o, samples, start.Add(day)))(t)
	want := []sla.ExclusionAudit{
		{Exclusion: o.Exclude[0], Minutes: 60, Samples: 60, Counts: of(0, 600)},
		{Exclusion: o.Exclude[1], Minutes: 90, Samples: 40, Counts: of(0, 400)},
	}
	if d := cmp.Diff(want, b.Maintenance); d != "" {
		t.Error(d)
	}
	if b.State != sla.OK || b.Bad != 0 || b.Slices != (sla.SliceCounts{Elapsed: 1440, Good: 1320, Excluded: 120}) {
		t.Errorf("%+v", b)
	}
	statstest.Near(t, "allowed minutes", b.AllowedMinutes, 132, 1e-12, 0)
}

func TestMaturity(t *testing.T) {
	o := sla.Objective{Name: "precision", Target: 0.9, Window: sla.Rolling(28 * day), Maturity: 14 * day}
	// The labels of the last days are the easy ones that come first.
	samples := every(start, day, 42, func(i int) sla.Counts {
		if i < 28 {
			return of(85, 100)
		}
		return of(30, 30)
	})
	b := must(sla.Budget(o, samples, start.Add(42*day)))(t)
	if b.State != sla.Exhausted || b.Total != 2800 || b.Outside.Waiting != 14 || !b.To.Equal(start.Add(28*day)) {
		t.Errorf("%+v", b)
	}
}

func TestCalendarBudget(t *testing.T) {
	// A tenth into the month a quarter of the events of a usual month are in, 1% of them bad.
	o := sla.Objective{Name: "x", Target: 0.99, Window: sla.Calendar(sla.Month, nil)}
	april := time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC)
	samples := every(april, 6*time.Hour, 12, func(int) sla.Counts { return of(198, 200) })
	asOf := april.Add(3 * day)
	pace := must(sla.Budget(o, samples, asOf))(t)
	statstest.Near(t, "consumed at the pace so far", float64(pace.Consumed), 0.1, 1e-12, 0)
	o.ExpectedTotal = 9600
	planned := must(sla.Budget(o, samples, asOf))(t)
	statstest.Near(t, "consumed of the expected", float64(planned.Consumed), 0.25, 1e-12, 0)
	statstest.Near(t, "to date", float64(planned.ToDate), 1, 1e-12, 0)
	statstest.Near(t, "projected", float64(planned.Projected), 1, 1e-12, 0)
	statstest.Near(t, "allowed bad", planned.AllowedBad, 96, 1e-12, 0)
	o.ExpectedTotal = 100
	beyond := must(sla.Budget(o, samples, asOf))(t)
	if beyond.AllowedBad != 24 || beyond.Consumed != 1 || !hasWarning(beyond.Warnings, sla.WarnBeyond) {
		t.Errorf("%+v", beyond)
	}
	// On its last moment a period is complete, a moment later another one begins.
	if b := must(sla.Budget(o, samples, april.AddDate(0, 1, 0)))(t); !b.From.Equal(april) || b.Samples != 12 {
		t.Errorf("%+v", b)
	}
	if b := must(sla.Budget(o, samples, april.AddDate(0, 1, 0).Add(1)))(t); b.State != sla.NoData || b.Outside.Before != 12 {
		t.Errorf("%+v", b)
	}
}

func hasWarning(ws []stats.Warning, code string) bool {
	for _, w := range ws {
		if w.Code == code {
			return true
		}
	}
	return false
}

// Sums that should be equal and differ in the last digits are no bad samples.
func TestRoundingIsNoFault(t *testing.T) {
	o := sla.Objective{Name: "x", Target: 0.99, Window: sla.Rolling(day)}
	b := must(sla.Budget(o, one(start, 10.000000000000002, 10), start))(t)
	if len(b.Excluded) != 0 || b.Bad != 0 || b.SLI.Point != 1 {
		t.Errorf("%+v", b)
	}
	if b := must(sla.Budget(o, one(start, 10.001, 10), start))(t); len(b.Excluded) != 1 {
		t.Errorf("%+v", b)
	}
}

// Months of a quarter, one of them an hour short, add up to it, and so do the hours of
// a day that has 23 or 25, or half an hour more.
func TestCalendarPeriodsAddUp(t *testing.T) {
	ny := zone(t, "America/New_York")
	from := time.Date(2024, 1, 1, 0, 0, 0, 0, ny)
	samples := every(from, time.Hour, 2183, func(i int) sla.Counts { return of(float64(10-i%7/6), 10) })
	sum := func(u sla.Unit, ends ...time.Time) (c sla.Counts, minutes float64) {
		for _, end := range ends {
			b := must(sla.Budget(sla.Objective{Name: "x", Target: 0.99, Window: sla.Calendar(u, ny)}, samples, end))(t)
			c.Good += b.Good
			c.Total += b.Total
			minutes += b.AllowedMinutes
		}
		return c, minutes
	}
	month := func(m time.Month) time.Time { return time.Date(2024, m, 1, 0, 0, 0, 0, ny) }
	parts, partMinutes := sum(sla.Month, month(2), month(3), month(4))
	whole, wholeMinutes := sum(sla.Quarter, month(4))
	if parts != whole || whole.Total != 21830 || math.Abs(partMinutes-wholeMinutes) > 1e-9 {
		t.Errorf("%v in %v minutes, parts %v in %v", whole, wholeMinutes, parts, partMinutes)
	}
	for _, c := range []struct {
		zone   string
		noon   time.Time
		slices int
	}{
		{"America/New_York", time.Date(2024, 3, 10, 16, 0, 0, 0, time.UTC), 46},
		{"America/New_York", time.Date(2024, 11, 3, 17, 0, 0, 0, time.UTC), 50},
		{"Australia/Lord_Howe", time.Date(2024, 4, 7, 1, 30, 0, 0, time.UTC), 49},
		{"Australia/Lord_Howe", time.Date(2024, 10, 6, 1, 0, 0, 0, time.UTC), 47},
	} {
		o := sla.Objective{Name: "x", Target: 0.9, Window: sla.Calendar(sla.Day, zone(t, c.zone)), Method: sla.Timeslices, Slice: 30 * time.Minute, SliceTarget: 1}
		b := must(sla.Budget(o, one(c.noon, 1, 1), c.noon))(t)
		if got := b.Slices.Elapsed + b.Slices.Ahead; got != c.slices {
			t.Errorf("%s on %s: %d slices, want %d", c.zone, c.noon.Format(time.DateOnly), got, c.slices)
		}
	}
}

func TestSlicesThatHaveNotEndedWait(t *testing.T) {
	o := sla.Objective{Name: "x", Target: 0.9, Window: sla.Rolling(time.Hour), Method: sla.Timeslices, Slice: 10 * time.Minute, SliceTarget: 0.5}
	samples := every(start, time.Minute, 65, firstBad(0, 1))
	b := must(sla.Budget(o, samples, start.Add(65*time.Minute)))(t)
	if b.Slices != (sla.SliceCounts{Elapsed: 6, Good: 6}) || b.Outside != (sla.Outside{Waiting: 5}) || !b.To.Equal(start.Add(time.Hour)) {
		t.Errorf("%+v", b)
	}
}

func TestWarnings(t *testing.T) {
	o := sla.Objective{Name: "x", Target: 0.9, Window: sla.Rolling(day)}
	b := must(sla.Budget(o, one(start, 9.5, 10.2), start.Add(time.Hour)))(t)
	if !hasWarning(b.Warnings, sla.WarnFractional) || !hasWarning(b.Warnings, sla.WarnShortHistory) {
		t.Errorf("%v", b.Warnings)
	}
	o.Method, o.Slice = sla.RatioTimeslices, time.Hour
	b = must(sla.Budget(o, every(start, time.Hour, 20, firstBad(0, 5)), start.Add(day)))(t)
	if !hasWarning(b.Warnings, sla.WarnMissing) || !hasWarning(b.Warnings, stats.WarnDegenerate) || !hasWarning(b.Warnings, sla.WarnDependent) || b.SLI.Lo != 0 {
		t.Errorf("%v %v", b.SLI, b.Warnings)
	}
}

func TestObjectiveRefusesNonsense(t *testing.T) {
	good := sla.Objective{Name: "x", Target: 0.9, Window: sla.Rolling(day), Method: sla.Timeslices, Slice: time.Minute, SliceTarget: 0.9}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(o *sla.Objective){
		"no target":            func(o *sla.Objective) { o.Target = 0 },
		"target in percent":    func(o *sla.Objective) { o.Target = 99.9 },
		"NaN target":           func(o *sla.Objective) { o.Target = math.NaN() },
		"no window":            func(o *sla.Objective) { o.Window = sla.Window{} },
		"unknown method":       func(o *sla.Objective) { o.Method = 9 },
		"unknown missing":      func(o *sla.Objective) { o.Missing = -1 },
		"unknown interval":     func(o *sla.Objective) { o.Interval = 3 },
		"no slice":             func(o *sla.Objective) { o.Slice = 0 },
		"slice above window":   func(o *sla.Objective) { o.Slice = 2 * day },
		"slice does not fit":   func(o *sla.Objective) { o.Slice = 7 * time.Minute },
		"too many slices":      func(o *sla.Objective) { o.Slice = time.Millisecond },
		"no slice target":      func(o *sla.Objective) { o.SliceTarget = 0 },
		"slices of events":     func(o *sla.Objective) { o.Method = sla.Occurrences },
		"target of ratios":     func(o *sla.Objective) { o.Method = sla.RatioTimeslices },
		"negative guard":       func(o *sla.Objective) { o.MinBad = -1 },
		"NaN guard":            func(o *sla.Objective) { o.MinEvents = math.NaN() },
		"alpha above one":      func(o *sla.Objective) { o.TailAlpha = 2 },
		"level":                func(o *sla.Objective) { o.Level = 95 },
		"negative maturity":    func(o *sla.Objective) { o.Maturity = -1 },
		"exclusion, no reason": func(o *sla.Objective) { o.Exclude = []sla.Exclusion{{From: start, To: start.Add(1)}} },
		"exclusion, backwards": func(o *sla.Objective) { o.Exclude = []sla.Exclusion{{From: start, To: start, Reason: "x"}} },
	} {
		o := good
		change(&o)
		if _, err := sla.Budget(o, nil, start); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, w := range []time.Duration{0, -1, time.Second, 100 * 366 * day} {
		if _, err := sla.BurnRate(good, nil, w, start); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("burn rate over %s: %v", w, err)
		}
	}
	if _, err := sla.Budget(good, nil, time.Time{}); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("no moment: %v", err)
	}
	for _, o := range []sla.ComplianceOptions{{Target: -1}, {Target: math.NaN()}, {Method: 9}, {Level: 2}} {
		if _, err := sla.Compliance(1, 2, o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := sla.Compliance(3, 2, sla.ComplianceOptions{}); !errors.Is(err, stats.ErrDomain) {
		t.Error(err)
	}
	for _, c := range []sla.Counts{of(2, 1), of(-1, 1), of(math.NaN(), 1), of(1, math.Inf(1))} {
		if _, err := sla.CompareProportions(c, of(1, 1), 0); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%v: %v", c, err)
		}
	}
	if _, err := sla.CompareProportions(of(0, 0), of(1, 1), 0); !errors.Is(err, stats.ErrEmpty) {
		t.Error(err)
	}
}

func TestCombineRefusesAndRanks(t *testing.T) {
	o := sla.Objective{Name: "a", Target: 0.9, Window: sla.Rolling(day)}
	status := func(name string, s []sla.Sample) sla.BudgetStatus {
		o.Name = name
		return must(sla.Budget(o, s, start))(t)
	}
	fine, tight, gone, none := status("fine", one(start, 99, 100)), status("tight", one(start, 91, 100)), status("gone", one(start, 80, 100)), status("none", nil)
	for _, c := range []struct {
		parts []sla.BudgetStatus
		worst string
		state sla.State
	}{
		{[]sla.BudgetStatus{fine, tight}, "tight", sla.AtRisk},
		{[]sla.BudgetStatus{tight, none, fine}, "none", sla.NoData},
		{[]sla.BudgetStatus{none, gone, fine}, "gone", sla.Exhausted},
	} {
		got := must(sla.Combine(sla.WorstOf, c.parts...))(t)
		if got.Worst != c.worst || got.State != c.state || len(got.Parts) != len(c.parts) {
			t.Errorf("%+v", got)
		}
	}
	if c := must(sla.Combine(sla.Serial, fine, none))(t); c.State != sla.NoData || !c.SLI.IsZero() || !math.IsNaN(float64(c.Remaining)) {
		t.Errorf("%+v", c)
	}
	if _, err := sla.Combine(sla.WorstOf); !errors.Is(err, stats.ErrEmpty) {
		t.Error(err)
	}
	if _, err := sla.Combine(7, fine); !errors.Is(err, stats.ErrDomain) {
		t.Error(err)
	}
	o.Window = sla.Rolling(2 * day)
	if _, err := sla.Combine(sla.Serial, fine, status("longer", one(start, 1, 1))); !errors.Is(err, stats.ErrMismatch) {
		t.Error(err)
	}
}
