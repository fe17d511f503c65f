package leadtime

import (
	"fmt"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Calendar measures the time between two instants. Between is 0 when b is not
// after a, and additive: Between(a,b) + Between(b,c) = Between(a,c) for a <= b
// <= c. A nil Calendar is the wall clock.
type Calendar interface {
	Between(a, b time.Time) time.Duration
}

func between(c Calendar, a, b time.Time) time.Duration {
	if !b.After(a) {
		return 0
	}
	if c == nil {
		return b.Sub(a)
	}
	return c.Between(a, b)
}

// Date is a day of a calendar, in no zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// String returns the date as "2026-03-02".
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day) }

// BusinessOptions configures [NewBusinessHours].
type BusinessOptions struct {
	// Open and Close are times of the clock on the wall, since midnight. Both
	// zero mean 9 to 17; Close may be 24 hours.
	Open, Close time.Duration
	Workdays    []time.Weekday // none means Monday to Friday
	Holidays    []Date
}

// BusinessHours is a calendar that counts the time in which an office is open.
type BusinessHours struct {
	zone        *time.Location
	open, close time.Duration
	workday     [7]bool
	holiday     map[Date]bool
}

// NewBusinessHours returns the calendar of an office in a time zone.
//
// An instant counts when the clock on the wall shows a workday that is no holiday
// and a time from Open until before Close. Where the clock is set back over
// opening hours the repeated time counts twice, where it is set forward the
// skipped time not at all: what counts is time that passed. Labels of zones that
// are mere offsets know no summer time; load an IANA name such as Europe/Berlin.
//
// Errors: [stats.ErrDomain] for no zone, hours out of order or outside the day, a
// weekday or a date that does not exist.
func NewBusinessHours(zone *time.Location, o BusinessOptions) (*BusinessHours, error) {
	const name = "leadtime: NewBusinessHours"
	if zone == nil {
		return nil, fmt.Errorf("%s: no time zone: %w", name, stats.ErrDomain)
	}
	if o.Open == 0 && o.Close == 0 {
		o.Open, o.Close = 9*time.Hour, 17*time.Hour
	}
	if o.Open < 0 || o.Close <= o.Open || o.Close > day {
		return nil, fmt.Errorf("%s: open from %v to %v: %w", name, o.Open, o.Close, stats.ErrDomain)
	}
	c := &BusinessHours{zone: zone, open: o.Open, close: o.Close, holiday: map[Date]bool{}}
	if len(o.Workdays) == 0 {
		o.Workdays = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	}
	for _, d := range o.Workdays {
		if d < time.Sunday || d > time.Saturday {
			return nil, fmt.Errorf("%s: weekday %d: %w", name, int(d), stats.ErrDomain)
		}
		c.workday[d] = true
	}
	for _, d := range o.Holidays {
		if y, m, n := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Date(); (Date{y, m, n}) != d {
			return nil, fmt.Errorf("%s: there is no %v: %w", name, d, stats.ErrDomain)
		}
		c.holiday[d] = true
	}
	return c, nil
}

// Between returns the opening hours from a to b, exact to the nanosecond. It is 0
// when b is not after a. Cost: O(days).
func (c *BusinessHours) Between(a, b time.Time) time.Duration {
	var sum time.Duration
	for a.Before(b) {
		// Within the bounds of one offset the clock on the wall runs evenly.
		local := a.In(c.zone)
		_, until := local.ZoneBounds()
		if until.IsZero() || until.After(b) {
			until = b
		}
		_, offset := local.Zone()
		shift := time.Duration(offset) * time.Second
		sum += c.even(a.UTC().Add(shift), until.UTC().Add(shift))
		a = until
	}
	return sum
}

// even is Between for two readings of the clock on the wall, written as UTC, with
// no change of offset between them.
func (c *BusinessHours) even(a, b time.Time) time.Duration {
	var sum time.Duration
	y, m, d := a.Date()
	for midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC); midnight.Before(b); midnight = midnight.AddDate(0, 0, 1) {
		y, m, d := midnight.Date()
		if !c.workday[midnight.Weekday()] || c.holiday[Date{y, m, d}] {
			continue
		}
		from, to := later(a, midnight.Add(c.open)), earlier(b, midnight.Add(c.close))
		if to.After(from) {
			sum += to.Sub(from)
		}
	}
	return sum
}

// String describes the calendar for reports: "Mon Tue Wed Thu Fri 09:00-17:00
// Europe/Berlin, 2 holidays".
func (c *BusinessHours) String() string {
	s := ""
	for i := range c.workday {
		if d := (i + 1) % 7; c.workday[d] { // the week begins on Monday
			s += time.Weekday(d).String()[:3] + " "
		}
	}
	return fmt.Sprintf("%s%s-%s %v, %d holidays", s, clock(c.open), clock(c.close), c.zone, len(c.holiday))
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", d/time.Hour, d%time.Hour/time.Minute)
}
