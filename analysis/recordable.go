package analysis

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Everything that a verdict holds has to have one form in its record, so that its
// digest is the same when it is read back, and a replay gives the same bytes. What
// comes from outside is brought into that form before anything is decided.

// makeSafe turns what cannot be true into Invalid. A Warn does not stop a
// rollout, so it has to rest on a number as a Pass does; and a Pass cannot rest on
// an infinite loss.
func (f *Finding) makeSafe() {
	f.recordable()
	invalid := func(why string) {
		f.Outcome = Invalid
		f.Message = strings.TrimSpace(why + " " + f.Message)
	}
	switch x := f.Estimate.Point; {
	case f.Outcome < Inconclusive || f.Outcome > Muted:
		invalid("Unknown outcome.")
	case (f.Outcome == Pass || f.Outcome == Warn) && math.IsNaN(x):
		invalid(fmt.Sprintf("A %v without a number is none.", f.Outcome))
	case f.Outcome == Pass && math.IsInf(x, 1):
		invalid("A pass at an infinite loss is none.")
	}
	if f.Severity < Info || f.Severity > SeverityRollback {
		f.Severity = SeverityPause
		invalid("Unknown severity.")
	}
	if f.Compared < Concurrent || f.Compared > Absolute {
		f.Compared = Concurrent
		invalid("Compared with an unknown kind of baseline.")
	}
	if !(f.Alpha >= 0 && f.Alpha <= 1) {
		f.Alpha = 0
		invalid("Its share of the error budget is no probability.")
	}
}

// recordable makes the texts of a finding, which may come from the data, valid
// UTF-8. The lists and the map of the caller stay as they are.
func (f *Finding) recordable() {
	for _, s := range []*string{&f.Check, &f.Code, &f.Metric, &f.Column, &f.Stage, &f.Unit, &f.Method, &f.Message} {
		*s = validText(*s)
	}
	if f.Slice == nil {
		f.Slice = SliceKey{}
	}
	if len(f.Slice) > 0 {
		for _, name := range slices.Sorted(maps.Keys(f.Slice)) {
			if value := f.Slice[name]; !utf8.ValidString(name) || !utf8.ValidString(value) {
				f.Slice = maps.Clone(f.Slice)
				delete(f.Slice, name)
				f.Slice[validText(name)] = validText(value)
			}
		}
	}
	if slices.ContainsFunc(f.Details, func(d Detail) bool { return !utf8.ValidString(d.Name) || !utf8.ValidString(d.Text) }) {
		f.Details = slices.Clone(f.Details)
		for i := range f.Details {
			d := &f.Details[i]
			d.Name, d.Text = validText(d.Name), validText(d.Text)
		}
	}
	for i := range f.Warnings {
		if w := f.Warnings[i]; !utf8.ValidString(w.Message) {
			f.Warnings = slices.Clone(f.Warnings)
			f.Warnings[i].Message = validText(w.Message)
		}
	}
	if !f.Window.IsZero() {
		f.Window = recordableTime(f.Window)
	}
}

// recordable does the same for what else a look brings. An override of a kind that
// is not known asks for nothing.
func (l *Look) recordable() {
	if l.Now.IsZero() {
		l.Now = time.Time{}
	} else {
		l.Now = recordableTime(l.Now)
	}
	l.Problems, l.Overrides = slices.Clone(l.Problems), slices.Clone(l.Overrides)
	for i := range l.Problems {
		p := &l.Problems[i]
		p.Name, p.Arm, p.Text = validText(p.Name), validText(p.Arm), validText(p.Text)
	}
	for i := range l.Overrides {
		o := &l.Overrides[i]
		if overrideWords[o.Action] == "" {
			o.Action = OverrideNone
		}
		o.Check, o.Metric, o.Who, o.Why = validText(o.Check), validText(o.Metric), validText(o.Who), validText(o.Why)
		if !o.Expires.IsZero() {
			o.Expires = recordableTime(o.Expires)
		}
	}
}

func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// recordableTime is a time in UTC, without a monotonic reading, and between the
// years 0 and 9999.
func recordableTime(t time.Time) time.Time {
	t = t.Round(0).UTC()
	switch y := t.Year(); {
	case y < 0:
		return time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	case y > 9999:
		return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	return t
}
