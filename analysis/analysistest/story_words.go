package analysistest

import (
	"encoding"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// options are the words of a line of the form key=value, and bare flags.
type options struct {
	c     *command
	value map[string]string
	used  map[string]bool
}

// takeOptions splits words into those that stand for themselves and options. Of
// the bare words, flags are those that are named.
func (c *command) takeOptions(words []string, flags ...string) (rest []string, o options, err error) {
	o = options{c: c, value: map[string]string{}, used: map[string]bool{}}
	for _, w := range words {
		key, value, isOption := strings.Cut(w, "=")
		for _, f := range flags {
			if w == f {
				key, value, isOption = f, "yes", true
			}
		}
		if !isOption {
			rest = append(rest, w)
			continue
		}
		if _, twice := o.value[key]; twice {
			return nil, o, c.errorf("%s is given twice", key)
		}
		o.value[key] = value
	}
	return rest, o, nil
}

func (o *options) has(key string) bool {
	_, ok := o.value[key]
	o.used[key] = true
	return ok
}

func (o *options) text(key string) string {
	o.used[key] = true
	return o.value[key]
}

// read parses the value of a key, if it is given.
func read[T any](o *options, key string, dst *T, parse func(string) (T, error)) error {
	s, ok := o.value[key]
	o.used[key] = true
	if !ok {
		return nil
	}
	v, err := parse(s)
	if err != nil {
		return o.c.errorf("%s=%s: %v", key, s, err)
	}
	*dst = v
	return nil
}

// unused reports an option that nobody asked for.
func (o *options) unused() error {
	for _, w := range o.c.words { // in the order of the line
		key, _, _ := strings.Cut(w, "=")
		if _, given := o.value[key]; given && !o.used[key] {
			return o.c.errorf("unknown option %s", key)
		}
	}
	return nil
}

func parseInt(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("not a whole number")
	}
	return n, nil
}

func parseUint(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("not a whole number")
	}
	return n, nil
}

func parseFloat(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("not a number")
	}
	return x, nil
}

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("not a duration such as 90s, 30m or 2h")
	}
	return d, nil
}

// parseWord reads a word of one of the enumerations of package analysis.
func parseWord[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](s string) (T, error) {
	var v T
	err := P(&v).UnmarshalText([]byte(s))
	return v, err
}

// day is when a story takes place that does not say.
var day = time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)

// parseTime reads a time of a story whose clock stands at now.
func parseTime(s string, now time.Time) (time.Time, error) {
	if s == "never" {
		return time.Time{}, nil
	}
	date := now
	if now.IsZero() {
		date = day
	}
	if d, ok := strings.CutPrefix(s, "+"); ok {
		step, err := parseDuration(d)
		return date.Add(step), err
	}
	if t, err := time.Parse("15:04", s); err == nil {
		return date.Truncate(24 * time.Hour).Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute), nil
	}
	if t, err := time.Parse("2006-01-02T15:04", s); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("not a time such as 12:00, 2026-02-01T09:00 or +30m")
}
