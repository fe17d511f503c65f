package analysis

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// Quantity is a number with the unit that a policy wrote behind it.
type Quantity struct {
	Value float64 // in plain numbers: 2% is 0.02, 5pp is 0.05, 2x is 2
	Unit  QuantityUnit
}

// QuantityUnit says what a [Quantity] is relative to.
type QuantityUnit int8

// The units of quantities.
const (
	Plain    QuantityUnit = iota // in the metric's own unit: 0.1
	Relative                     // a share of the baseline's value: 2%
	Points                       // a difference of two shares: 5pp
	Ratio                        // a multiple of the baseline's value: 2x
)

var (
	unitWords    = map[QuantityUnit]string{Plain: "plain", Relative: "relative", Points: "pp", Ratio: "ratio"}
	unitSuffixes = map[QuantityUnit]string{Relative: "%", Points: "pp", Ratio: "x"}
)

// String returns "plain", "relative", "pp" or "ratio".
func (u QuantityUnit) String() string { return word(unitWords, u) }

// ParseQuantity reads a number with an optional unit: "0.1", "2%", "5pp", "2x".
// Spaces around the number are ignored. The value is the float64 nearest to the
// decimal that was written, so "7%" is exactly the constant 0.07.
//
// Text that is not a finite decimal number followed by one of the units is an
// error wrapping [stats.ErrDomain].
func ParseQuantity(s string) (Quantity, error) {
	var q Quantity
	num := strings.TrimSpace(s)
	for _, u := range []QuantityUnit{Relative, Points, Ratio} {
		if rest, ok := strings.CutSuffix(num, unitSuffixes[u]); ok {
			q.Unit, num = u, strings.TrimSpace(rest)
			break
		}
	}
	v, err := parseDecimal(num, q.exponent())
	if err != nil {
		return Quantity{}, fmt.Errorf("analysis: ParseQuantity: %q is not a quantity such as 0.1, 2%%, 5pp or 2x: %w", s, stats.ErrDomain)
	}
	q.Value = v
	return q, nil
}

// String writes the quantity as a policy would: 2%, 5pp, 2x, 0.1. Parsing the
// result gives the same quantity again.
func (q Quantity) String() string {
	suffix := unitSuffixes[q.Unit]
	if q.exponent() == 0 || math.IsInf(q.Value, 0) || math.IsNaN(q.Value) {
		return formatFloat(q.Value) + suffix
	}
	// Move the point in the decimal text, because 100*0.07 is not 7.
	mantissa, exp, _ := strings.Cut(strconv.FormatFloat(q.Value, 'e', -1, 64), "e")
	e, err := strconv.Atoi(exp)
	if err != nil {
		return formatFloat(q.Value) + suffix
	}
	e -= q.exponent()
	text := mantissa + "e" + strconv.Itoa(e)
	if exact, ok := new(big.Rat).SetString(text); ok && -7 < e && e < 21 {
		_, fraction, _ := strings.Cut(mantissa, ".")
		text = exact.FloatString(max(len(fraction)-e, 0))
	}
	return text + suffix
}

// exponent is the power of ten that the unit stands for.
func (q Quantity) exponent() int {
	if q.Unit == Relative || q.Unit == Points {
		return -2
	}
	return 0
}

var errNotDecimal = errors.New("not a decimal number")

// parseDecimal reads a finite decimal number and multiplies it by ten to the
// exp without rounding in between.
func parseDecimal(s string, exp int) (float64, error) {
	if s == "" || strings.Trim(s, "+-.0123456789eE") != "" {
		return 0, errNotDecimal
	}
	mantissa := s
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		if err != nil || e > 10000 || e < -10000 {
			return 0, errNotDecimal
		}
		mantissa, exp = s[:i], exp+e
	}
	v, err := strconv.ParseFloat(mantissa+"e"+strconv.Itoa(exp), 64)
	if err != nil {
		return 0, errNotDecimal
	}
	return v + 0, nil // -0 becomes 0
}

func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// parseDuration reads a Go duration that may start with a number of days: 90m,
// 14d, 1d12h.
func parseDuration(s string) (time.Duration, error) {
	days, rest, ok := strings.Cut(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseUint(days, 10, 32)
	if err != nil || n > 100_000 {
		return 0, fmt.Errorf("%q is not a whole number of days", days)
	}
	d := time.Duration(n) * 24 * time.Hour
	if rest == "" {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	if err != nil || more < 0 {
		return 0, fmt.Errorf("%q is not a duration", rest)
	}
	return d + more, nil
}
