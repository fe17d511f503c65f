package stats

import (
	"encoding/json"
	"fmt"
	"math"
)

// Interval is an estimate with its uncertainty: the point, the two ends, and
// the coverage probability the ends were built for.
//
// An end that the data or the method leaves open is -Inf or +Inf. The zero
// Interval has Level 0 and means "no estimate"; see [Interval.IsZero].
type Interval struct {
	Point float64 // the estimate, in the metric's own unit
	Lo    float64 // lower end, <= Hi; -Inf when one-sided from above
	Hi    float64 // upper end; +Inf when one-sided from below
	Level float64 // coverage in (0,1), such as 0.95; 0 when there is no interval
}

// IsZero reports whether v holds no estimate at all.
func (v Interval) IsZero() bool { return v == Interval{} }

// Width is Hi - Lo.
func (v Interval) Width() float64 { return v.Hi - v.Lo }

// Contains reports whether Lo <= x <= Hi. It is false for NaN.
func (v Interval) Contains(x float64) bool { return v.Lo <= x && x <= v.Hi }

// String formats the interval as "0.12 [0.1, 0.15] (95%)".
func (v Interval) String() string {
	if v.Level == 0 {
		return fmt.Sprintf("%.4g", v.Point)
	}
	return fmt.Sprintf("%.4g [%.4g, %.4g] (%.4g%%)", v.Point, v.Lo, v.Hi, 100*v.Level)
}

type intervalJSON struct {
	Point Float `json:"point"`
	Lo    Float `json:"lo"`
	Hi    Float `json:"hi"`
	Level Float `json:"level"`
}

// MarshalJSON implements [json.Marshaler]; non-finite ends become strings.
func (v Interval) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 128)
	for _, part := range [...]struct {
		name  string
		value float64
	}{{`{"point":`, v.Point}, {`,"lo":`, v.Lo}, {`,"hi":`, v.Hi}, {`,"level":`, v.Level}} {
		b = Float(part.value).appendJSON(append(b, part.name...))
	}
	return append(b, '}'), nil
}

// UnmarshalJSON implements [json.Unmarshaler].
func (v *Interval) UnmarshalJSON(b []byte) error {
	var j intervalJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*v = Interval{float64(j.Point), float64(j.Lo), float64(j.Hi), float64(j.Level)}
	return nil
}

// Alternative names the alternative hypothesis of a test. The zero value is the
// two-sided one.
type Alternative int8

// The alternatives, in the order of the sign of the effect they look for.
const (
	Less      Alternative = -1 // the effect is below the null value
	Different Alternative = 0  // the effect differs from the null value
	Greater   Alternative = 1  // the effect is above the null value
)

// String returns "less", "different" or "greater".
func (a Alternative) String() string {
	switch a {
	case Less:
		return "less"
	case Different:
		return "different"
	case Greater:
		return "greater"
	}
	return fmt.Sprintf("Alternative(%d)", int8(a))
}

// CheckLevel returns an error that wraps [ErrDomain] unless 0 < level < 1.
func CheckLevel(level float64) error {
	if !(level > 0 && level < 1) || math.IsNaN(level) {
		return fmt.Errorf("confidence level %v is not between 0 and 1: %w", level, ErrDomain)
	}
	return nil
}
