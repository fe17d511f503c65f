package sqlquery

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rampguard/rampguard/stats"
)

// identifier quotes the name of a column or table.
func (g *grammar) identifier(name string) (string, error) {
	if name == "" || strings.ContainsRune(name, 0) || !utf8.ValidString(name) {
		return "", fmt.Errorf("sqlquery: name %q is empty, not UTF-8 or has a zero byte: %w", name, stats.ErrDomain)
	}
	if g.doubled {
		return g.quote + strings.ReplaceAll(name, g.quote, g.quote+g.quote) + g.quote, nil
	}
	return g.quote + strings.NewReplacer(`\`, `\\`, g.quote, `\`+g.quote, "\n", `\n`, "\r", `\r`).Replace(name) + g.quote, nil
}

// table quotes a name with its catalogue and schema in front, separated by dots.
func (g *grammar) table(name string) (string, error) {
	parts := strings.Split(name, ".")
	for i, p := range parts {
		q, err := g.identifier(p)
		if err != nil {
			return "", fmt.Errorf("sqlquery: table %q: %w", name, err)
		}
		parts[i] = q
	}
	return strings.Join(parts, "."), nil
}

// literal writes a value as SQL.
func (g *grammar) literal(v any) (string, error) {
	switch v := v.(type) {
	case string:
		if strings.ContainsRune(v, 0) || !utf8.ValidString(v) {
			return "", fmt.Errorf("sqlquery: value %q is not UTF-8 or has a zero byte: %w", v, stats.ErrDomain)
		}
		return g.quoted(v), nil
	case bool:
		if g.truth != "%s" { // no booleans there
			return strconv.Itoa(map[bool]int{true: 1}[v]), nil
		}
		return strings.ToUpper(strconv.FormatBool(v)), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "", fmt.Errorf("sqlquery: value %v: %w", v, stats.ErrDomain)
		}
		return g.number(v), nil
	}
	return "", fmt.Errorf("sqlquery: value of type %T, want string, bool, int, int64 or float64: %w", v, stats.ErrDomain)
}

func (g *grammar) quoted(s string) string {
	switch {
	case g.backslash:
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`).Replace(s) + "'"
	case g.name == "postgresql" && strings.Contains(s, `\`): // the same whatever standard_conforming_strings is
		return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(s) + "'"
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
