package sla_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/stats"
	"pgregory.net/rapid"
)

func TestCalendarBounds(t *testing.T) {
	const layout = "2006-01-02 15:04"
	from := func(unit sla.Unit, every int, anchor, zoneName string) sla.Window {
		w := sla.Window{Unit: unit, Every: every, Zone: zone(t, zoneName)}
		if anchor != "" {
			w.Anchor = must(time.ParseInLocation(layout, anchor, w.Zone))(t)
		}
		return w
	}
	for _, c := range []struct {
		name       string
		window     sla.Window
		at         string // in the zone of the window
		start, end string
		hours      float64
	}{
		{"spring forward", from(sla.Day, 0, "", "America/New_York"), "2024-03-10 12:00", "2024-03-10 00:00", "2024-03-11 00:00", 23},
		{"fall back", from(sla.Day, 0, "", "America/New_York"), "2024-11-03 12:00", "2024-11-03 00:00", "2024-11-04 00:00", 25},
		{"March", from(sla.Month, 0, "", "America/New_York"), "2024-03-10 12:00", "2024-03-01 00:00", "2024-04-01 00:00", 743},
		{"November", from(sla.Month, 0, "", "America/New_York"), "2024-11-10 12:00", "2024-11-01 00:00", "2024-12-01 00:00", 721},
		{"Lord Howe, half an hour less", from(sla.Day, 0, "", "Australia/Lord_Howe"), "2024-10-06 12:00", "2024-10-06 00:00", "2024-10-07 00:00", 23.5},
		{"Lord Howe, half an hour more", from(sla.Day, 0, "", "Australia/Lord_Howe"), "2024-04-07 12:00", "2024-04-07 00:00", "2024-04-08 00:00", 24.5},
		{"leap day", from(sla.Day, 0, "", "Europe/Berlin"), "2024-02-29 12:00", "2024-02-29 00:00", "2024-03-01 00:00", 24},
		{"leap year", from(sla.Year, 0, "", "UTC"), "2024-02-29 12:00", "2024-01-01 00:00", "2025-01-01 00:00", 366 * 24},
		{"the 31st, in February", from(sla.Month, 0, "2024-01-31 00:00", "UTC"), "2024-02-15 00:00", "2024-01-31 00:00", "2024-02-29 00:00", 29 * 24},
		{"the 31st, behind February", from(sla.Month, 0, "2024-01-31 00:00", "UTC"), "2024-03-15 00:00", "2024-02-29 00:00", "2024-03-31 00:00", 31 * 24},
		{"the 31st, three months", from(sla.Month, 3, "2024-01-31 00:00", "UTC"), "2024-06-01 00:00", "2024-04-30 00:00", "2024-07-31 00:00", 92 * 24},
		{"the 31st, years before the anchor", from(sla.Month, 0, "2024-01-31 00:00", "UTC"), "2023-02-15 00:00", "2023-01-31 00:00", "2023-02-28 00:00", 28 * 24},
		{"anniversary of a leap day", from(sla.Year, 0, "2024-02-29 00:00", "UTC"), "2025-06-01 00:00", "2025-02-28 00:00", "2026-02-28 00:00", 365 * 24},
		{"quarter", from(sla.Quarter, 0, "", "America/New_York"), "2024-02-10 00:00", "2024-01-01 00:00", "2024-04-01 00:00", 2183},
		{"week from Monday", from(sla.Week, 0, "", "Europe/Berlin"), "2024-03-31 12:00", "2024-03-25 00:00", "2024-04-01 00:00", 167},
		{"week from Thursday at nine", from(sla.Week, 0, "2020-01-02 09:00", "Europe/Berlin"), "2024-05-16 08:00", "2024-05-09 09:00", "2024-05-16 09:00", 168},
		{"two weeks", from(sla.Week, 2, "2024-01-01 00:00", "UTC"), "2024-01-09 00:00", "2024-01-01 00:00", "2024-01-15 00:00", 336},
		{"midnight that is skipped", from(sla.Day, 0, "", "America/Sao_Paulo"), "2018-11-04 12:00", "2018-11-04 01:00", "2018-11-05 00:00", 23},
		{"midnight that comes twice", from(sla.Day, 0, "", "America/Havana"), "2024-11-03 12:00", "2024-11-03 00:00", "2024-11-04 00:00", 25},
		{"a clock time that is skipped", from(sla.Day, 0, "2024-01-01 02:30", "America/New_York"), "2024-03-10 12:00", "2024-03-10 03:00", "2024-03-11 02:30", 23.5},
		{"the last moment belongs to the period", from(sla.Month, 0, "", "UTC"), "2024-05-01 00:00", "2024-04-01 00:00", "2024-05-01 00:00", 720},
		{"before 1970", from(sla.Week, 0, "", "UTC"), "1969-12-31 12:00", "1969-12-29 00:00", "1970-01-05 00:00", 168},
	} {
		at := must(time.ParseInLocation(layout, c.at, c.window.Zone))(t)
		start, end, err := c.window.Bounds(at)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := []string{start.In(c.window.Zone).Format(layout), end.In(c.window.Zone).Format(layout)}
		if d := cmp.Diff([]string{c.start, c.end}, got); d != "" || end.Sub(start).Hours() != c.hours {
			t.Errorf("%s: %.4g h, want %.4g: %s", c.name, end.Sub(start).Hours(), c.hours, d)
		}
	}
}

func TestCalendarPeriodsFollowEachOther(t *testing.T) {
	zones := []string{"UTC", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut", "Pacific/Apia", "Africa/Monrovia"}
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(rapid.Int64Range(-3e9, 3e9).Draw(t, "at"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns"))
		w := sla.Calendar(rapid.SampledFrom([]sla.Unit{sla.Day, sla.Week, sla.Month, sla.Quarter, sla.Year}).Draw(t, "unit"), loc)
		w.Every = rapid.IntRange(0, 5).Draw(t, "every")
		if rapid.Bool().Draw(t, "anchored") {
			w.Anchor = time.Unix(rapid.Int64Range(-3e9, 3e9).Draw(t, "anchor"), 0)
		}
		start, end, err := w.Bounds(at)
		if err != nil || !start.Before(at) || end.Before(at) {
			t.Fatalf("%s: %s to %s for %s: %v", w, start, end, at, err)
		}
		next, _, err := w.Bounds(end.Add(time.Nanosecond))
		if err != nil || !next.Equal(end) {
			t.Fatalf("%s: a period ends at %s, the next one starts at %s: %v", w, end, next, err)
		}
		again, last, err := w.Bounds(end)
		if err != nil || !again.Equal(start) || !last.Equal(end) {
			t.Fatalf("%s: the last moment is in %s to %s: %v", w, again, last, err)
		}
	})
}

func TestWindowRefusesWhatItCannotMean(t *testing.T) {
	for name, w := range map[string]sla.Window{
		"zero":              {},
		"negative":          sla.Rolling(-1),
		"a century":         sla.Rolling(100 * 366 * day),
		"both":              {Length: day, Unit: sla.Month},
		"rolling in a zone": {Length: day, Zone: time.UTC},
		"unknown unit":      {Unit: 9},
		"negative unit":     {Unit: -1},
		"negative step":     {Unit: sla.Day, Every: -1},
		"a century of them": {Unit: sla.Year, Every: 100},
	} {
		if _, _, err := w.Bounds(start); !errors.Is(err, stats.ErrDomain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := sla.Rolling(day).Bounds(time.Time{}); !errors.Is(err, stats.ErrDomain) {
		t.Errorf("no moment: %v", err)
	}
}

func TestWindowString(t *testing.T) {
	got := []string{
		sla.Rolling(28 * day).String(), sla.Rolling(90 * time.Minute).String(),
		sla.Calendar(sla.Month, zone(t, "America/New_York")).String(),
		sla.Window{Unit: sla.Week, Every: 4, Anchor: start}.String(),
	}
	want := []string{"rolling 28d", "rolling 1h30m", "calendar month America/New_York", "calendar 4 weeks UTC from 2024-01-01 00:00:00"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
