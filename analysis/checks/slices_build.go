package checks

import (
	"strings"

	"github.com/rampguard/rampguard/analysis"
)

func buildSlices(p *analysis.Params) (analysis.Check, error) {
	built, err := buildGuardrail(p)
	g, ok := built.(Guardrail)
	if err != nil || !ok {
		return built, err
	}
	p.Severity(analysis.SeverityPause)
	if g.Of != "" {
		p.Errorf("of", "metrics of providers have no slices; name a column of the log")
	}
	if !p.Has("min_units") {
		g.MinUnits = defaultSliceUnits
	}
	c := Slices{Guardrail: g, Wait: p.Enum("small", "warn", "warn", "wait") == "wait"}
	declared := p.Policy().DeclaredSlices()
	if len(declared) == 0 {
		p.Errorf("", "the policy declares no slices; add slices: and columns, such as slices: [country]")
	}
	names := p.Strings("slice")
	values := p.Strings("values")
	for i := range declared {
		if len(names) == len(declared[i].Columns) && containsAll(declared[i].Names(), names) {
			c.Of = declared[i].Columns
		}
	}
	switch {
	case names != nil && c.Of == nil:
		p.Errorf("slice", "the policy declares no slices of %s", strings.Join(names, " x "))
	case values == nil:
	case c.Of == nil:
		p.Errorf("values", "say of which slices these are values; add slice: and the columns, such as slice: [country]")
	default:
		c.Values = buildValues(p, c.Of, values)
	}
	return c, nil
}

func containsAll(have, want []string) bool {
	seen := map[string]bool{}
	for _, w := range have {
		seen[w] = true
	}
	for _, w := range want {
		if !seen[w] {
			return false
		}
		delete(seen, w)
	}
	return true
}

// buildValues reads slices: of one column by their values, of several as findings
// write them, such as "country=DE device=phone".
func buildValues(p *analysis.Params, of []analysis.SliceColumn, texts []string) [][]string {
	var out [][]string
	for _, text := range texts {
		if len(of) == 1 {
			out = append(out, []string{text})
			continue
		}
		value, rest := make([]string, len(of)), text
		for i := len(of) - 1; i >= 0; i-- {
			mark := " " + of[i].Name + "="
			at := strings.LastIndex(" "+rest, mark)
			if at < 0 || i == 0 && at > 0 {
				p.Errorf("values", "%q does not give a value for each column; write it as in %q", text, example(of))
				return nil
			}
			value[i] = (" " + rest)[at+len(mark):]
			rest = rest[:max(0, at-1)]
		}
		out = append(out, value)
	}
	return out
}

func example(of []analysis.SliceColumn) string {
	parts := make([]string, len(of))
	for i, col := range of {
		parts[i] = col.Name + "=x"
	}
	return strings.Join(parts, " ")
}
