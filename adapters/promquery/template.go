package promquery

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rampguard/rampguard/stats"
)

// template is a query with places to be filled in.
type template struct {
	text   string
	perArm bool // it names the arm
	window bool // it names the window
}

var place = regexp.MustCompile(`\{\{\s*\.([A-Za-z]+)\s*\}\}`)

const maxQuery = 1 << 16 // bytes of a query

// newTemplate checks that every place of the text is known. Its errors are bare
// texts for whoever knows the field.
func newTemplate(text string, arms Arms) (template, error) {
	t := template{text: text}
	fault := func(format string, args ...any) (template, error) {
		return t, fmt.Errorf(format, args...)
	}
	for _, m := range place.FindAllStringSubmatch(text, -1) {
		switch m[1] {
		case "Arm":
			t.perArm = true
		case "Label", "Regexp", "Match":
			t.perArm = true
			if m[1] == "Match" && arms.Label == "" {
				return fault("{{.Match}} needs arms.label")
			}
		case "Window", "Seconds":
			t.window = true
		default:
			return fault("unknown place {{.%s}}; there are Arm, Label, Regexp, Match, Window and Seconds", m[1])
		}
	}
	for _, part := range place.Split(text, -1) {
		if strings.Contains(part, "{{") {
			return fault("{{ without a name; write {{.Window}}")
		}
	}
	switch {
	case !t.perArm && arms.Label == "":
		return fault("the query does not tell the arms apart; use {{.Match}} or {{.Arm}}, or give arms.label and group by it")
	case len(text) > maxQuery:
		return fault("%d bytes, at most %d", len(text), maxQuery)
	}
	return t, nil
}

// fill makes the query for one arm; label and value are empty for both at once.
func (t template) fill(arm, label, value string, window time.Duration) string {
	quoted := quote(value)
	seconds := strconv.FormatInt(int64(window/time.Second), 10)
	return place.ReplaceAllStringFunc(t.text, func(p string) string {
		switch place.FindStringSubmatch(p)[1] {
		case "Arm":
			return arm
		case "Label":
			return quoted
		case "Regexp":
			return quote(regexp.QuoteMeta(value))
		case "Match":
			return label + `="` + quoted + `"`
		case "Window":
			return seconds + "s"
		default:
			return seconds
		}
	})
}

// quote escapes a value for the inside of a PromQL string of either quotes. In a
// raw string, between backticks, the value would be another one, but cannot end
// the string.
func quote(value string) string {
	var sb strings.Builder
	for _, r := range value {
		switch {
		case r < ' ' || r == '"' || r == '\'' || r == '`' || r == '\\' || r == 0x7f:
			fmt.Fprintf(&sb, `\x%02x`, r)
		default:
			sb.WriteRune(r)
		}
	}
	return sb.String()
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// check says what is wrong with the arms.
func (a Arms) check() error {
	fault := func(field, format string, args ...any) error {
		return fieldError{"arms." + field, fmt.Errorf(format+": %w", append(args, stats.ErrDomain)...)}
	}
	switch {
	case a.Label != "" && !labelName.MatchString(a.Label):
		return fault("label", "%q is not the name of a label", shorten(a.Label, 80))
	case a.Candidate == "":
		return fault("candidate", "the candidate has no value")
	case a.Baseline == a.Candidate:
		return fault("candidate", "both arms are %q", shorten(a.Candidate, 80))
	case !utf8.ValidString(a.Baseline + a.Candidate):
		return fault("candidate", "a value is not UTF-8")
	case len(a.Baseline) > 1024 || len(a.Candidate) > 1024:
		return fault("candidate", "a value is longer than 1024 bytes")
	}
	return nil
}
