package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Float is a float64 whose JSON form survives non-finite values: finite numbers
// are JSON numbers in their shortest exact form, the rest are the strings
// "NaN", "+Inf" and "-Inf". Two NaN floats are not Equal by ==; use
// cmpopts.EquateNaNs in tests.
type Float float64

// MarshalJSON implements [json.Marshaler].
func (f Float) MarshalJSON() ([]byte, error) {
	return f.appendJSON(make([]byte, 0, 24)), nil
}

// appendJSON appends the JSON form, which for finite numbers is that of
// encoding/json: an exponent below 1e-6 and from 1e21 on, and no zero in front of
// its digit. Verdicts hold hundreds of numbers, and are hashed at every look.
func (f Float) appendJSON(b []byte) []byte {
	v := float64(f)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.AppendQuote(b, f.String())
	}
	if abs := math.Abs(v); abs == 0 || (abs >= 1e-6 && abs < 1e21) {
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, v, 'e', -1, 64)
	if n := len(b); n >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// UnmarshalJSON implements [json.Unmarshaler]. It accepts what MarshalJSON
// writes and nothing else; any other string is an error that wraps [ErrDomain].
func (f *Float) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		switch s {
		case "NaN":
			*f = Float(math.NaN())
		case "+Inf":
			*f = Float(math.Inf(1))
		case "-Inf":
			*f = Float(math.Inf(-1))
		default:
			return fmt.Errorf("stats: Float: %q is not NaN, +Inf or -Inf: %w", s, ErrDomain)
		}
		return nil
	}
	var v float64
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*f = Float(v)
	return nil
}

// String returns the shortest text that reads back as the same float64, with
// "NaN", "+Inf" and "-Inf" for the non-finite values.
func (f Float) String() string {
	return strconv.FormatFloat(float64(f), 'g', -1, 64)
}
