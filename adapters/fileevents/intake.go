package fileevents

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Reasons for which a row is bad.
const (
	ReasonMalformed    = "malformed"        // not a JSON object, or a quote that is not closed
	ReasonTooLong      = "too_long"         // the line is longer than MaxLine
	ReasonNotUTF8      = "not_utf8"         // bytes that are not text
	ReasonWrongCount   = "wrong_count"      // more or fewer fields than the header has
	ReasonRepeated     = "repeated_field"   // a name that is twice in an object
	ReasonWrongType    = "wrong_type"       // an object, a list or a truth value where text or a number belongs
	ReasonMissing      = "missing"          // a field without which the row says nothing
	ReasonUnknownKind  = "unknown_kind"     // none of the words of leadtime.Kind
	ReasonBadOutcome   = "unknown_outcome"  // none of passed, failed and cancelled
	ReasonBadTime      = "bad_time"         // not a time
	ReasonNoOffset     = "no_offset"        // a local time, and no AssumeZone
	ReasonNoSuchTime   = "no_such_time"     // a local time that the clocks of AssumeZone skipped
	ReasonTwice        = "ambiguous_time"   // a local time that they showed twice
	ReasonNoUnit       = "no_unit"          // a number for a time, and no EpochUnit
	ReasonOutOfRange   = "out_of_range"     // a time before 1700 or after 2200; a number before 2000
	ReasonBadNumber    = "bad_number"       // not a number
	ReasonBadAttempt   = "bad_attempt"      // attempts are whole numbers from 1
	ReasonBadTraffic   = "bad_traffic"      // outside 0 to 100, or serving with a share of 0
	ReasonBadInterval  = "bad_interval"     // earliest is after at
	ReasonNoEnd        = "outcome_no_end"   // an outcome of a stage without its end
	ReasonNothingThere = "nothing_happened" // a flight without any time
)

// BadRow is a row that nothing was read from.
type BadRow struct {
	File   string `json:"file"`
	Line   int    `json:"line"`            // counted from 1; in Parquet, the row
	Field  string `json:"field,omitempty"` // empty when it is the row as a whole
	Reason string `json:"reason"`
	Text   string `json:"text,omitempty"` // what was there, shortened
}

// String names the place, the reason and the text.
func (b BadRow) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s:%d: ", b.File, b.Line)
	if b.Field != "" {
		s.WriteString(b.Field + ": ")
	}
	s.WriteString(b.Reason)
	if b.Text != "" {
		fmt.Fprintf(&s, ": %q", b.Text)
	}
	return s.String()
}

// Intake accounts for the rows of an input.
type Intake struct {
	Rows     int      `json:"rows"` // without blank lines and headers
	Bad      []BadRow `json:"bad,omitempty"`
	BadTotal int      `json:"bad_total"`         // those beyond MaxBad as well
	Ignored  []string `json:"ignored,omitempty"` // columns that mean nothing here and hold something, the first hundred, sorted
}

const maxIgnored = 100

func (in *Intake) ignore(name string) {
	name = clip(name)
	i, there := slices.BinarySearch(in.Ignored, name)
	if !there && len(in.Ignored) < maxIgnored {
		in.Ignored = slices.Insert(in.Ignored, i, name)
	}
}

// fault is what is wrong with a row; without a reason, nothing.
type fault struct{ field, reason, text string }

// clip shortens text for messages.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.ToValidUTF8(s[:cut], "\uFFFD") + "..."
}
