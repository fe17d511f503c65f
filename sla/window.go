package sla

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Unit is the unit of a calendar window; the zero value makes the window rolling.
type Unit int8

// The calendar units.
const (
	Day Unit = iota + 1
	Week
	Month
	Quarter
	Year
)

// Window is the time over which an objective is judged: the last Length of a rolling
// window, or the period of the calendar that has the moment in it. Make one with
// [Rolling] or [Calendar].
type Window struct {
	Length time.Duration  // of a rolling window
	Unit   Unit           // of a calendar window
	Every  int            // units per period; 0 is 1
	Anchor time.Time      // a moment at which a period starts, read as clock time in Zone; zero: 1970-01-01 00:00, for weeks Monday 1970-01-05
	Zone   *time.Location // of a calendar window; nil is UTC
}

// Rolling returns the window of the last d before the moment of judgement.
func Rolling(d time.Duration) Window { return Window{Length: d} }

// Calendar returns the window of days, weeks from Monday, months, quarters or years
// in the zone; nil is UTC. Set Every and Anchor for others.
func Calendar(u Unit, zone *time.Location) Window { return Window{Unit: u, Zone: zone} }

// maxWindow keeps every time within reach of a nanosecond count; a calendar period
// has ten years at most, too.
const maxWindow = 10 * 366 * 24 * time.Hour

// check returns what is wrong with the window.
func (w Window) check() error {
	switch {
	case !known(unitWords, w.Unit):
		return fmt.Errorf("window of unit %d: %w", int8(w.Unit), stats.ErrDomain)
	case w.Unit == 0 && (w.Length <= 0 || w.Length > maxWindow):
		return fmt.Errorf("rolling window of %s is not above 0 and at most ten years: %w", w.Length, stats.ErrDomain)
	case w.Unit == 0 && (w.Every != 0 || !w.Anchor.IsZero() || w.Zone != nil):
		return fmt.Errorf("rolling window with Every, Anchor or Zone, which belong to a calendar window: %w", stats.ErrDomain)
	case w.Unit != 0 && w.Length != 0:
		return fmt.Errorf("window with both a length of %s and the unit %s: %w", w.Length, w.Unit, stats.ErrDomain)
	case w.Every < 0 || w.Every > 3660 || w.months() > 120 || w.days() > 3660:
		return fmt.Errorf("window of %d %ss is not above 0 and at most ten years: %w", w.Every, w.Unit, stats.ErrDomain)
	case !w.Anchor.IsZero() && !inRange(w.Anchor):
		return fmt.Errorf("window from anchor %s: %w", w.Anchor, stats.ErrDomain)
	}
	return nil
}

// String describes the window, as "rolling 28d" or "calendar month America/New_York".
func (w Window) String() string {
	if w.Unit == 0 {
		return "rolling " + shortDuration(w.Length)
	}
	s := "calendar "
	if w.every() > 1 {
		s += strconv.Itoa(w.every()) + " "
	}
	s += w.Unit.String()
	if w.every() > 1 {
		s += "s"
	}
	s += " " + w.zone().String()
	if !w.Anchor.IsZero() {
		s += " from " + w.anchor().Format("2006-01-02 15:04:05")
	}
	return s
}

// shortDuration writes whole days as days, since time.Duration knows hours only, and
// leaves out units that are zero: 28d, 1h, 30m.
func shortDuration(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Bounds returns the window that a judgement at the moment at looks at, open at
// start and closed at end. For a rolling window end is at. For a calendar window it
// is the period with start < at <= end: on its last moment a period is complete.
//
// Calendar periods start at the clock time of the anchor, which is midnight without
// one. A clock time that a zone change skips is the moment of the change, one that
// comes twice is the first. Months and years step by the calendar from the anchor,
// never one from another, and a day that a month lacks is its last day: from the
// 31st of January the periods start on 29 February 2024, 31 March, 30 April.
//
// Errors: [stats.ErrDomain] for a window that is not valid, or a moment outside
// the years 1700 to 2200.
func (w Window) Bounds(at time.Time) (start, end time.Time, err error) {
	if err := w.check(); err != nil {
		return start, end, fmt.Errorf("sla: Window: %w", err)
	}
	if !inRange(at) {
		return start, end, fmt.Errorf("sla: Window: moment %s: %w", at, stats.ErrDomain)
	}
	if w.Unit == 0 {
		at = at.Round(0).UTC()
		return at.Add(-w.Length), at, nil
	}
	k := w.guess(at)
	for !w.start(k).Before(at) {
		k--
	}
	for w.start(k + 1).Before(at) {
		k++
	}
	return w.start(k).UTC(), w.start(k + 1).UTC(), nil
}

func inRange(t time.Time) bool { return t.Year() >= 1700 && t.Year() < 2200 }

func (w Window) every() int { return max(1, w.Every) }

func (w Window) zone() *time.Location {
	if w.Zone == nil {
		return time.UTC
	}
	return w.Zone
}

// anchor is the clock time from which periods are counted.
func (w Window) anchor() time.Time {
	switch {
	case !w.Anchor.IsZero():
		return w.Anchor.In(w.zone())
	case w.Unit == Week:
		return time.Date(1970, 1, 5, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
}

// months is the length of a period in months; 0 for days and weeks.
func (w Window) months() int {
	return map[Unit]int{Month: 1, Quarter: 3, Year: 12}[w.Unit] * w.every()
}

// days is the length of a period in days; 0 for months and above.
func (w Window) days() int {
	return map[Unit]int{Day: 1, Week: 7}[w.Unit] * w.every()
}

// start is the start of the k-th period after the anchor.
func (w Window) start(k int) time.Time {
	a := w.anchor()
	year, month, day := a.Date()
	if step := w.months(); step > 0 {
		first := time.Date(year, month+time.Month(k*step), 1, 0, 0, 0, 0, time.UTC)
		last := first.AddDate(0, 1, -1).Day()
		year, month, day = first.Year(), first.Month(), min(day, last)
	} else {
		day += k * w.days()
	}
	h, m, s := a.Clock()
	return clockTime(time.Date(year, month, day, h, m, s, 0, time.UTC), w.zone())
}

// guess is a period near the moment.
func (w Window) guess(at time.Time) int {
	a, t := w.anchor(), at.In(w.zone())
	if step := w.months(); step > 0 {
		return ((t.Year()-a.Year())*12 + int(t.Month()) - int(a.Month())) / step
	}
	return int((t.Unix()-a.Unix())/(24*60*60)) / w.days()
}

// clockTime is the first moment at which clocks in the zone show what wall shows in
// UTC, or the moment at which they skip it.
func clockTime(wall time.Time, zone *time.Location) time.Time {
	shows := func(t time.Time) time.Time {
		_, offset := t.Zone()
		return t.Add(time.Duration(offset) * time.Second).UTC()
	}
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	since, until := t.ZoneBounds()
	switch shown := shows(t); {
	case shown.Before(wall): // skipped, and t is before the change
		return until
	case shown.After(wall): // skipped, and t is behind the change
		return since
	case since.IsZero():
		return t
	}
	_, before := since.Add(-time.Second).Zone()
	earlier := wall.Add(-time.Duration(before) * time.Second).In(zone)
	if earlier.Before(since) {
		return earlier
	}
	return t
}
