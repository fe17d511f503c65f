package leadtime_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rampguard/rampguard/leadtime"
	"github.com/rampguard/rampguard/stats"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func office(t testing.TB, zone string, o leadtime.BusinessOptions) *leadtime.BusinessHours {
	t.Helper()
	c, err := leadtime.NewBusinessHours(zoneOf(t, zone), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var everyDay = []time.Weekday{0, 1, 2, 3, 4, 5, 6}

// TestHoursOverAClockChange opens the office over the change itself: what counts
// is time that passed while the clock on the wall showed opening hours.
func TestHoursOverAClockChange(t *testing.T) {
	for _, c := range []struct {
		zone        string
		date        leadtime.Date
		open, close time.Duration
		want        time.Duration
	}{
		{"America/New_York", leadtime.Date{Year: 2024, Month: 3, Day: 10}, 0, 24 * time.Hour, 23 * time.Hour},
		{"America/New_York", leadtime.Date{Year: 2024, Month: 11, Day: 3}, 0, 24 * time.Hour, 25 * time.Hour},
		{"America/New_York", leadtime.Date{Year: 2024, Month: 3, Day: 10}, 2 * time.Hour, 3 * time.Hour, 0},                     // skipped
		{"America/New_York", leadtime.Date{Year: 2024, Month: 11, Day: 3}, time.Hour, 2 * time.Hour, 2 * time.Hour},             // repeated
		{"America/New_York", leadtime.Date{Year: 2024, Month: 3, Day: 10}, 150 * time.Minute, 4 * time.Hour, time.Hour},         // opens in the gap
		{"Australia/Lord_Howe", leadtime.Date{Year: 2024, Month: 4, Day: 7}, 0, 24 * time.Hour, 24*time.Hour + 30*time.Minute},  // half an hour back
		{"Australia/Lord_Howe", leadtime.Date{Year: 2024, Month: 10, Day: 6}, 0, 24 * time.Hour, 23*time.Hour + 30*time.Minute}, // and forward
		{"Europe/Berlin", leadtime.Date{Year: 2024, Month: 2, Day: 29}, 0, 0, 8 * time.Hour},                                    // a leap day
	} {
		cal := office(t, c.zone, leadtime.BusinessOptions{Open: c.open, Close: c.close, Workdays: everyDay})
		zone := zoneOf(t, c.zone)
		from := time.Date(c.date.Year, c.date.Month, c.date.Day, 0, 0, 0, 0, zone)
		to := time.Date(c.date.Year, c.date.Month, c.date.Day+1, 0, 0, 0, 0, zone)
		equal(t, c.zone+" "+c.date.String(), cal.Between(from, to), c.want)
	}
	// Samoa had no 30 December 2011.
	zone := zoneOf(t, "Pacific/Apia")
	cal := office(t, "Pacific/Apia", leadtime.BusinessOptions{Close: 24 * time.Hour, Workdays: everyDay})
	equal(t, "a day that never was", cal.Between(time.Date(2011, 12, 29, 0, 0, 0, 0, zone), time.Date(2012, 1, 1, 0, 0, 0, 0, zone)), 48*time.Hour)
}

func TestCalendarRefuses(t *testing.T) {
	for name, o := range map[string]leadtime.BusinessOptions{
		"closes first":    {Open: 17 * time.Hour, Close: 9 * time.Hour},
		"past midnight":   {Open: 17 * time.Hour, Close: 25 * time.Hour},
		"before midnight": {Open: -time.Hour, Close: 9 * time.Hour},
		"eighth day":      {Workdays: []time.Weekday{7}},
		"no such date":    {Holidays: []leadtime.Date{{Year: 2026, Month: 2, Day: 29}}},
	} {
		if _, err := leadtime.NewBusinessHours(time.UTC, o); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: error %v, want ErrDomain", name, err)
		}
	}
	if _, err := leadtime.NewBusinessHours(nil, leadtime.BusinessOptions{}); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("no zone: error %v, want ErrDomain", err)
	}
}

// TestHoursMinuteByMinute counts the minutes at which the clock on the wall shows
// opening hours, and splits the span anywhere.
func TestHoursMinuteByMinute(t *testing.T) {
	zones := []string{"America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"}
	rapid.Check(t, func(r *rapid.T) {
		zone := zoneOf(t, rapid.SampledFrom(zones).Draw(r, "zone"))
		open := rapid.IntRange(0, 23*60).Draw(r, "open")
		shut := rapid.IntRange(open+1, 24*60).Draw(r, "close")
		days := rapid.SliceOfNDistinct(rapid.SampledFrom(everyDay), 1, 7, rapid.ID).Draw(r, "days")
		start := time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 365*24*60).Draw(r, "start")) * time.Minute)
		first := rapid.IntRange(0, 3000).Draw(r, "first")
		second := rapid.IntRange(0, 3000).Draw(r, "second")
		holiday := start.In(zone)
		cal, err := leadtime.NewBusinessHours(zone, leadtime.BusinessOptions{
			Open: time.Duration(open) * time.Minute, Close: time.Duration(shut) * time.Minute, Workdays: days,
			Holidays: []leadtime.Date{{Year: holiday.Year(), Month: holiday.Month(), Day: holiday.Day()}},
		})
		if err != nil {
			r.Fatal(err)
		}
		want := time.Duration(0)
		for i := range first + second {
			at := start.Add(time.Duration(i) * time.Minute).In(zone)
			m := at.Hour()*60 + at.Minute()
			workday := false
			for _, d := range days {
				workday = workday || d == at.Weekday()
			}
			if workday && m >= open && m < shut && (at.YearDay() != holiday.YearDay() || at.Year() != holiday.Year()) {
				want += time.Minute
			}
		}
		middle := start.Add(time.Duration(first) * time.Minute)
		end := middle.Add(time.Duration(second) * time.Minute)
		if got := cal.Between(start, end); got != want {
			r.Fatalf("%v from %v to %v: %v, want %v", cal, start, end, got, want)
		}
		if a, b := cal.Between(start, middle), cal.Between(middle, end); a+b != want {
			r.Fatalf("%v + %v, want %v", a, b, want)
		}
		if got := cal.Between(end, start); got != 0 {
			r.Fatalf("backwards: %v", got)
		}
	})
}
