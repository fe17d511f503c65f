package fileevents

import (
	"strconv"
	"strings"
	"time"
)

// kind is what a field holds.
type kind int8

const (
	empty   kind = iota
	word         // text
	number       // the digits of a number
	instant      // a moment, of a column that knows its unit
	clock        // a moment on a clock without offset
	wrong        // something that is never read
)

// field is a value with its name. The text is memory of the reader and holds until
// the next row.
type field struct {
	name string
	kind kind
	text []byte
	at   time.Time // of instant and clock
}

func (f *field) fault(reason string) fault {
	text := string(f.text)
	if f.kind == instant || f.kind == clock {
		text = f.at.Format(time.RFC3339Nano)
	}
	return fault{f.name, reason, text}
}

// string sets s to the text of a word or a number.
func (f *field) string(s *string, share func([]byte) string) fault {
	if f.kind != word && f.kind != number {
		return f.fault(ReasonWrongType)
	}
	*s = share(f.text)
	return fault{}
}

func (f *field) float(x *float64) fault {
	if f.kind != word && f.kind != number {
		return f.fault(ReasonWrongType)
	}
	v, err := strconv.ParseFloat(string(f.text), 64)
	if err != nil {
		return f.fault(ReasonBadNumber)
	}
	*x = v
	return fault{}
}

// attempt sets n to a whole number from 1. Writers that have no whole numbers with
// gaps put .0 after it.
func (f *field) attempt(n *int) fault {
	var x float64
	if bad := f.float(&x); bad.reason != "" {
		return bad
	}
	if !(x >= 1 && x <= 1<<30) || x != float64(int(x)) {
		return f.fault(ReasonBadAttempt)
	}
	*n = int(x)
	return fault{}
}

// time sets t to a moment in UTC.
func (f *field) time(t *time.Time, o *Options) fault {
	var reason string
	switch f.kind {
	case instant:
		*t = f.at
	case clock:
		*t, reason = local(f.at, o.AssumeZone)
	case number:
		*t, reason = epoch(string(f.text), o.EpochUnit)
	case word:
		*t, reason = moment(string(f.text), o)
	default:
		reason = ReasonWrongType
	}
	if reason == "" && (t.Year() < firstYear || t.Year() > lastYear) {
		reason = ReasonOutOfRange
	}
	if reason != "" {
		return f.fault(reason)
	}
	return fault{}
}

// Package leadtime reckons within these years.
const (
	firstYear = 1700
	lastYear  = 2200
)

// moment reads RFC 3339, or an epoch time in a format where all is text.
func moment(s string, o *Options) (time.Time, string) {
	if s[0] == '-' || strings.Trim(s, "0123456789.") == "" {
		return epoch(s, o.EpochUnit)
	}
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), ""
	}
	t, err := time.Parse("2006-01-02T15:04:05", s)
	if err != nil {
		return t, ReasonBadTime
	}
	return local(t, o.AssumeZone)
}

// local finds the moment at which clocks in a zone show what t shows in UTC.
func local(t time.Time, zone *time.Location) (time.Time, string) {
	if zone == nil {
		return t, ReasonNoOffset
	}
	var found []time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} { // before and after a change
		_, offset := t.Add(near).In(zone).Zone()
		u := t.Add(-time.Duration(offset) * time.Second)
		if _, there := u.In(zone).Zone(); there == offset && (len(found) == 0 || !found[0].Equal(u)) {
			found = append(found, u)
		}
	}
	switch len(found) {
	case 0:
		return t, ReasonNoSuchTime
	case 1:
		return found[0], ""
	}
	return t, ReasonTwice
}

// firstEpoch is 2000-01-01 in seconds since 1970.
const firstEpoch = 946684800

// epoch reads a decimal number of units since 1970, exactly to the nanosecond.
func epoch(s string, unit time.Duration) (time.Time, string) {
	if unit == 0 {
		return time.Time{}, ReasonNoUnit
	}
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, ReasonBadTime
	}
	if len(fraction) > 9 {
		fraction = fraction[:9]
	}
	parts, err := strconv.ParseUint(fraction+strings.Repeat("0", 9-len(fraction)), 10, 64)
	if err != nil {
		return time.Time{}, ReasonBadTime
	}
	perSecond := int64(time.Second / unit)
	t := time.Unix(n/perSecond, n%perSecond*int64(unit)+int64(parts)*int64(unit)/1e9).UTC()
	if n/perSecond < firstEpoch || n/perSecond > 1<<40 {
		return t, ReasonOutOfRange
	}
	return t, ""
}
