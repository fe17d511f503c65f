package csvrows

import "github.com/rampguard/rampguard/analysis"

// seen is what the values of a column look like, as bits.
type seen uint8

const (
	sawInt       seen = 1 << iota
	sawFloat          // a number that is no Int
	sawNotFinite      // NaN or an infinity
	sawBool
	sawTime
	sawText
)

// look returns what a value looks like; nothing when it is missing.
func (v *values) look(t token) seen {
	switch {
	case v.missing(t, analysis.Float): // the spellings that hold for most types
		return 0
	case t.kind == flag:
		return sawBool
	case t.kind == number:
		return v.lookNumber(t)
	case t.kind == nested:
		return sawText // a value that cannot be read, as its row will say
	}
	if _, ok := notFinite(t.text); ok {
		return sawNotFinite
	}
	if _, ok := fromText(t.text); ok {
		return sawTime
	}
	if t.kind == text {
		return sawText
	}
	switch string(t.text) {
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return sawBool
	}
	return v.lookNumber(t)
}

func (v *values) lookNumber(t token) seen {
	b := t.text
	if b[0] == '-' {
		b = b[1:]
	}
	digits := len(b) > 0
	for _, c := range b {
		digits = digits && c-'0' < 10
	}
	if digits {
		if len(b) > 1 && b[0] == '0' {
			return sawText // a code, such as 02134
		}
		if _, err := v.parseInt(t); err == nil {
			return sawInt
		}
		return sawText // an id that a number would not hold
	}
	if len(b) > 0 && b[0] == '+' {
		return sawText
	}
	if _, err := parseFloat(t); err == nil {
		return sawFloat
	}
	return sawText
}

// typeOf returns the type of a column whose values look like this.
func (s seen) typeOf(clock bool) analysis.Type {
	switch {
	case s == 0:
		return analysis.Absent
	case s == sawBool:
		return analysis.Bool
	case s == sawTime:
		return analysis.Time
	case clock && s&^(sawInt|sawFloat|sawTime) == 0:
		return analysis.Time
	case s == sawInt:
		return analysis.Int
	case s&^(sawInt|sawFloat|sawNotFinite) == 0:
		return analysis.Float
	}
	return analysis.String
}
