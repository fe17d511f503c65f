package leadtime_test

import (
	"errors"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

func windows(t *testing.T, w leadtime.WindowSpec, asOf time.Time) []string {
	t.Helper()
	var out []string
	for _, p := range sure(leadtime.Rolling(nil, w, leadtime.Options{AsOf: asOf}))(t) {
		s := p.Since.Format(time.RFC3339) + " " + p.Until.Format(time.RFC3339)
		if p.Partial {
			s += " partial"
		}
		out = append(out, s)
	}
	return out
}

func TestRollingWindows(t *testing.T) {
	berlin := sure(time.LoadLocation("Europe/Berlin"))(t)
	for what, c := range map[string]struct {
		w    leadtime.WindowSpec
		asOf time.Time
		want []string
	}{
		"quarters back from 31 January": {
			leadtime.WindowSpec{Count: 3}, time.Date(2025, 1, 31, 12, 0, 0, 0, time.UTC), []string{
				"2024-07-01T00:00:00Z 2024-10-01T00:00:00Z",
				"2024-10-01T00:00:00Z 2025-01-01T00:00:00Z",
				"2025-01-01T00:00:00Z 2025-04-01T00:00:00Z partial",
			}},
		"months back from 31 March": {
			leadtime.WindowSpec{Months: 1, Count: 2}, time.Date(2025, 3, 31, 12, 0, 0, 0, time.UTC), []string{
				"2025-02-01T00:00:00Z 2025-03-01T00:00:00Z",
				"2025-03-01T00:00:00Z 2025-04-01T00:00:00Z partial",
			}},
		"rolling quarter on the leap day": {
			leadtime.WindowSpec{Months: 3, Step: 1, Count: 2}, time.Date(2024, 2, 29, 23, 0, 0, 0, time.UTC), []string{
				"2023-11-01T00:00:00Z 2024-02-01T00:00:00Z",
				"2023-12-01T00:00:00Z 2024-03-01T00:00:00Z partial",
			}},
		"a year of the leap day": {
			leadtime.WindowSpec{Months: 12, Count: 2}, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), []string{
				"2023-01-01T00:00:00Z 2024-01-01T00:00:00Z",
				"2024-01-01T00:00:00Z 2025-01-01T00:00:00Z partial",
			}},
		"quarters in Berlin, half of them in summer": {
			leadtime.WindowSpec{Count: 2, Location: berlin}, time.Date(2025, 6, 30, 21, 59, 0, 0, time.UTC), []string{
				"2024-12-31T23:00:00Z 2025-03-31T22:00:00Z",
				"2025-03-31T22:00:00Z 2025-06-30T22:00:00Z partial",
			}},
		"a minute later it is the next quarter": {
			leadtime.WindowSpec{Count: 1, Location: berlin}, time.Date(2025, 6, 30, 22, 0, 0, 0, time.UTC), []string{
				"2025-06-30T22:00:00Z 2025-09-30T22:00:00Z partial",
			}},
		"days over the change to summer time": {
			leadtime.WindowSpec{Days: 7, Count: 2, Location: berlin}, time.Date(2025, 4, 1, 10, 0, 0, 0, time.UTC), []string{
				"2025-03-18T11:00:00Z 2025-03-25T11:00:00Z",
				"2025-03-25T11:00:00Z 2025-04-01T10:00:00Z",
			}},
	} {
		if d := cmp.Diff(c.want, windows(t, c.w, c.asOf)); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	if got := windows(t, leadtime.WindowSpec{}, monday); len(got) != 8 {
		t.Errorf("%d windows by default, want 8", len(got))
	}
}

func TestRollingCountsTheEdges(t *testing.T) {
	first := time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC)
	f := []leadtime.Flight{
		release(0, first.Add(-hours(24)), 24), // served at the first instant of the quarter
		release(1, first.Add(-hours(25)), 24),
	}
	pts := sure(leadtime.Rolling(f, leadtime.WindowSpec{Count: 2}, leadtime.Options{AsOf: first.AddDate(0, 1, 0)}))(t)
	for i, want := range [][2]uint64{{1, 1}, {1, 0}} {
		if g := pts[i].Headline(); g.N != want[0] || g.InFlight != want[1] {
			t.Errorf("quarter %d has %d completed and %d in flight, want %v", i, g.N, g.InFlight, want)
		}
	}
	// A window of days ends at AsOf, which it holds.
	pts = sure(leadtime.Rolling(f, leadtime.WindowSpec{Days: 1, Count: 1}, leadtime.Options{AsOf: first}))(t)
	if n := pts[0].Headline().N; n != 2 {
		t.Errorf("%d completed in the day up to %v, want 2", n, first)
	}
}

func TestRollingRefuses(t *testing.T) {
	for _, w := range []leadtime.WindowSpec{{Months: -1}, {Step: 5}, {Days: -1}, {Count: 10001}, {StepDays: -2}} {
		if _, err := leadtime.Rolling(nil, w, leadtime.Options{AsOf: monday}); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%+v: %v", w, err)
		}
	}
	if pts := sure(leadtime.Rolling(nil, leadtime.WindowSpec{}, leadtime.Options{}))(t); len(pts) != 0 {
		t.Errorf("%d windows at no time at all", len(pts))
	}
}
