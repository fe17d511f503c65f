package csvrows

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/rampguard/rampguard/analysis"
)

// values turns tokens into values, of one column.
type values struct {
	unit  bool
	nulls map[string]bool // nil: usualNulls, in columns other than String
	epoch int64           // nanoseconds per unit of times that are numbers; 0: there are none
}

var usualNulls = map[string]bool{"NULL": true, "null": true, "NA": true, "N/A": true, "None": true, `\N`: true}

// missing reports whether a token stands for a missing value in a column of the
// type.
func (v *values) missing(t token, typ analysis.Type) bool {
	switch t.kind {
	case none, null:
		return true
	case bare:
		if len(t.text) == 0 {
			return true
		}
	case quoted, text:
		if len(t.text) == 0 && typ != analysis.String {
			return true
		}
	default:
		return false
	}
	if v.nulls != nil {
		return v.nulls[string(t.text)]
	}
	return typ != analysis.String && usualNulls[string(t.text)]
}

// bad says that a text is not what is wanted.
func bad(text []byte, want string) error {
	const most = 40
	if len(text) > most {
		return fmt.Errorf("%q... is not %s", text[:most], want)
	}
	return fmt.Errorf("%q is not %s", text, want)
}

// plain returns the text of a token that can stand for a value of the kinds
// that text can have.
func (t token) plain(want string) error {
	switch {
	case t.kind == nested, t.kind == flag:
		return bad(t.text, want)
	}
	return nil
}

func parseFloat(t token) (float64, error) {
	const want = "a number"
	if err := t.plain(want); err != nil {
		return 0, err
	}
	b := t.text
	if len(b) == 0 || !decimal(b) {
		if x, ok := notFinite(b); ok {
			return x, nil
		}
		return 0, bad(b, want)
	}
	x, err := strconv.ParseFloat(string(b), 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, bad(b, "within the range of float64")
	}
	if err != nil {
		return 0, bad(b, want)
	}
	return x, nil
}

// decimal reports whether a text has only the characters of decimal numbers.
func decimal(b []byte) bool {
	for _, c := range b {
		if c-'0' < 10 || c == '.' || c == '-' || c == '+' || c|0x20 == 'e' {
			continue
		}
		return false
	}
	return b[0]|0x20 != 'e'
}

// notFinite reads NaN and infinities.
func notFinite(b []byte) (float64, bool) {
	sign := 1
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		if b[0] == '-' {
			sign = -1
		}
		b = b[1:]
	}
	switch {
	case equalFold(b, "nan"):
		return math.NaN(), true
	case equalFold(b, "inf"), equalFold(b, "infinity"):
		return math.Inf(sign), true
	}
	return 0, false
}

// equalFold compares with a word in lower case.
func equalFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if c|0x20 != word[i] {
			return false
		}
	}
	return true
}

func (v *values) parseInt(t token) (int64, error) {
	const want = "an integer"
	if err := t.plain(want); err != nil {
		return 0, err
	}
	b := t.text
	digits := b
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		digits = b[1:]
	}
	if len(digits) == 0 {
		return 0, bad(b, want)
	}
	x, over := uint64(0), false
	for _, c := range digits {
		if c-'0' > 9 {
			return 0, bad(b, want)
		}
		d := uint64(c - '0')
		over = over || x > (math.MaxUint64-d)/10
		x = x*10 + d
	}
	switch {
	case over:
	case b[0] == '-' && x <= 1<<63:
		return -int64(x), nil
	case b[0] != '-' && (x <= math.MaxInt64 || v.unit):
		return int64(x), nil
	}
	return 0, bad(b, "within the range of int64")
}

func parseBool(t token) (bool, error) {
	switch string(t.text) {
	case "true", "True", "TRUE", "t", "T", "1":
		return true, nil
	case "false", "False", "FALSE", "f", "F", "0":
		return false, nil
	}
	return false, bad(t.text, "true or false")
}
