package checks

import (
	"math"
	"strconv"
	"strings"
)

// number formats a value with four significant digits, without an exponent
// where a person would write none.
func number(x float64) string {
	a := math.Abs(x)
	if math.IsNaN(x) || math.IsInf(x, 0) || (a != 0 && (a < 1e-4 || a >= 1e15)) {
		return strconv.FormatFloat(x, 'g', 4, 64)
	}
	digits := 0
	if a < 1000 {
		digits = 3
		if a >= 1 {
			digits = 3 - int(math.Log10(a))
		} else if a > 0 {
			digits = 3 - int(math.Floor(math.Log10(a)))
		}
	}
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

// percent formats a share with three significant digits: 12.3%.
func percent(x float64) string {
	p := 100*x + 0 // not -0
	digits := 2
	switch a := math.Abs(p); {
	case a >= 99.95 || a == 0:
		digits = 0
	case a >= 9.995:
		digits = 1
	case a < 0.1:
		return number(p) + "%"
	}
	s := strconv.FormatFloat(p, 'f', digits, 64)
	if digits > 0 {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s + "%"
}

// quantity formats x in the unit of a finding.
func quantity(x float64, unit string) string {
	switch unit {
	case "relative", "share":
		return percent(x)
	case "pp":
		return strings.TrimSuffix(percent(x), "%") + " pp"
	case "ratio":
		return number(x) + "x"
	case "":
		return number(x)
	}
	return number(x) + " " + unit
}

// count formats a number of things with separators: 12,400.
func count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// counts formats the sizes of both arms.
func counts(b, c uint64, what string) string {
	return count(b) + " against " + count(c) + " " + what
}

// list joins names as a sentence does: a, b and c. Beyond limit it gives how many
// more there are.
func list(names []string, limit int) string {
	if more := len(names) - limit; more > 0 {
		return strings.Join(names[:limit], ", ") + " and " + strconv.Itoa(more) + " more"
	}
	switch n := len(names); n {
	case 0:
		return "none"
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}
