package csvrows

import (
	"math"
	"time"
)

const wantTime = "a time in RFC 3339"

// parseTime returns microseconds since the Unix epoch.
func (v *values) parseTime(t token) (int64, error) {
	if err := t.plain(wantTime); err != nil {
		return 0, err
	}
	b := t.text
	if v.epoch > 0 && len(b) > 0 && decimal(b) && !dated(b) {
		return fromEpoch(b, v.epoch)
	}
	if x, ok := fromText(b); ok {
		return x, nil
	}
	return 0, bad(b, wantTime)
}

// dated reports whether a text begins as a date does.
func dated(b []byte) bool { return len(b) >= 10 && b[4] == '-' && b[7] == '-' }

// digitsAt returns the number that n digits stand for.
func digitsAt(b []byte, at, n int) (int, bool) {
	if at+n > len(b) {
		return 0, false
	}
	x := 0
	for _, c := range b[at : at+n] {
		if c-'0' > 9 {
			return 0, false
		}
		x = 10*x + int(c-'0')
	}
	return x, true
}

// fromText reads a date, or a time in RFC 3339 with or without an offset.
func fromText(b []byte) (int64, bool) {
	if !dated(b) {
		return 0, false
	}
	year, ok1 := digitsAt(b, 0, 4)
	month, ok2 := digitsAt(b, 5, 2)
	day, ok3 := digitsAt(b, 8, 2)
	if !ok1 || !ok2 || !ok3 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	midnight := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix()
	if len(b) == 10 {
		return midnight * 1_000_000, true
	}
	if c := b[10]; c != 'T' && c != 't' && c != ' ' || len(b) < 19 || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	hour, ok1 := digitsAt(b, 11, 2)
	minute, ok2 := digitsAt(b, 14, 2)
	second, ok3 := digitsAt(b, 17, 2)
	if !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	micros, rest, ok := fraction(b[19:])
	if !ok {
		return 0, false
	}
	offset, ok := zone(rest)
	if !ok {
		return 0, false
	}
	return (midnight+int64(hour*3600+minute*60+second-offset))*1_000_000 + micros, true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// fraction reads a fraction of a second, if there is one.
func fraction(b []byte) (micros int64, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '.' {
		return 0, b, true
	}
	n, unit := 1, int64(100_000)
	for ; n < len(b) && b[n]-'0' < 10; n++ {
		micros += int64(b[n]-'0') * unit
		unit /= 10
	}
	return micros, b[n:], n > 1
}

// zone reads an offset from UTC, in seconds.
func zone(b []byte) (int, bool) {
	switch {
	case len(b) == 0, len(b) == 1 && b[0]|0x20 == 'z':
		return 0, true
	case len(b) != 6 || b[0] != '+' && b[0] != '-' || b[3] != ':':
		return 0, false
	}
	hour, ok1 := digitsAt(b, 1, 2)
	minute, ok2 := digitsAt(b, 4, 2)
	if !ok1 || !ok2 || hour > 23 || minute > 59 {
		return 0, false
	}
	offset := hour*3600 + minute*60
	if b[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// fromEpoch reads a number of units of some nanoseconds, with or without a
// fraction, rounded down to microseconds.
func fromEpoch(b []byte, unit int64) (int64, error) {
	fail := func() (int64, error) { return 0, bad(b, "a time since 1970") }
	digits, negative := b, b[0] == '-'
	if negative {
		digits = b[1:]
	}
	x, scale, point := int64(0), int64(1), false
	lost := false // digits beyond nanoseconds that are not 0
	seen := 0
	for _, c := range digits {
		switch {
		case c == '.' && !point:
			point = true
		case c-'0' > 9:
			return fail()
		case point && scale >= unit:
			lost = lost || c != '0'
			seen++
		default:
			d := int64(c - '0')
			if x > (math.MaxInt64-d)/10 {
				return fail()
			}
			x = 10*x + d
			if point {
				scale *= 10
			}
			seen++
		}
	}
	if seen == 0 {
		return fail()
	}
	// The number is x/scale units of unit nanoseconds, and unit is a multiple of
	// scale.
	nanos := unit / scale
	micros, rest := int64(0), int64(0)
	if nanos >= 1000 {
		if x > math.MaxInt64/(nanos/1000) {
			return fail()
		}
		micros = x * (nanos / 1000)
	} else {
		per := 1000 / nanos
		micros, rest = x/per, x%per
	}
	if negative {
		micros = -micros
		if rest != 0 || lost {
			micros--
		}
	}
	return micros, nil
}
