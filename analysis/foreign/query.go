package foreign

import "strings"

// dividesCounters reports whether a PromQL query plainly is one sum of counters
// over another, which a guardrail of the two counts would judge better.
func dividesCounters(query string) bool {
	parts := []string{""}
	depth, quote := 0, rune(0)
	for _, r := range query {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
			continue
		case r == '"' || r == '\'' || r == '`':
			quote = r
			continue
		case r == '{' || r == '[':
			depth++
		case r == '}' || r == ']':
			depth--
		case r == '/' && depth == 0:
			parts = append(parts, "")
			continue
		}
		if depth == 0 {
			parts[len(parts)-1] += string(r)
		}
	}
	if len(parts) != 2 {
		return false
	}
	for _, p := range parts {
		p = strings.ToLower(p)
		counts := strings.Contains(p, "rate(") || strings.Contains(p, "increase(") || strings.Contains(p, "delta(")
		if !counts || strings.Contains(p, "histogram_quantile") || strings.Contains(p, "_sum") {
			return false
		}
	}
	return true
}

// shortQuery is a query in one line of a comment.
func shortQuery(q string) string {
	s := []rune(strings.Join(strings.Fields(printable(q)), " "))
	if len(s) > 200 {
		return string(s[:197]) + "..."
	}
	return string(s)
}
