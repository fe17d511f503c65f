package analysis

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// This file reads single values. Only what YAML and JSON agree on is taken:
// numbers are decimal (0500 is five hundred, 0x10 and 1_000 are refused), true
// and false are the only booleans, and text that looks like anything else has to
// be quoted.

// text reads a text that is not empty and can be printed.
func (p *Params) text(n *yaml.Node, key string) (string, bool) {
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		p.r.fault(n, "%s has an item without a value; give it one or leave it out", p.name(key))
	case n.Kind == yaml.ScalarNode && n.ShortTag() != "!!str":
		p.r.fault(n, "%s must be text, not %s; put it in quotes", p.name(key), describe(n))
	case n.Kind != yaml.ScalarNode:
		p.wrong(n, key, "text")
	case n.Value == "":
		p.r.fault(n, "%s is empty; give it a value or leave the key out", p.name(key))
	case !printable(n.Value):
		p.r.fault(n, "%s holds characters that cannot be printed; remove them", p.name(key))
	default:
		return n.Value, true
	}
	return "", false
}

// printable reports whether s has graphic characters and spaces only. Control
// and format characters make a policy look different from what it says.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) })
}

func number(n *yaml.Node) (float64, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" && n.ShortTag() != "!!float" {
		return 0, false
	}
	v, err := parseDecimal(n.Value, 0)
	return v, err == nil
}

// wholeNumber reads a whole number that is not negative; 1e4 is one, too.
func wholeNumber(n *yaml.Node) (uint64, bool) {
	v, ok := number(n)
	if !ok {
		return 0, false
	}
	if u, err := strconv.ParseUint(n.Value, 10, 64); err == nil {
		return u, true
	}
	if v < 0 || v > 1<<53 || v != math.Trunc(v) {
		return 0, false
	}
	return uint64(v), true
}

func boolean(n *yaml.Node) (value, ok bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		return false, false
	}
	return n.Value == "true", n.Value == "true" || n.Value == "false"
}

func duration(n *yaml.Node) (time.Duration, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		return 0, false
	}
	d, err := parseDuration(n.Value)
	return d, err == nil && d >= 0
}

func quantity(n *yaml.Node) (Quantity, bool) {
	if v, ok := number(n); ok {
		return Quantity{Value: v}, true
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		return Quantity{}, false
	}
	q, err := ParseQuantity(n.Value)
	return q, err == nil
}

// describe says what a value is, for messages.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "the number " + shorten(n.Value)
	case "!!str":
		return "the text " + strconv.Quote(shorten(n.Value))
	}
	return shorten(n.Value)
}

// shorten makes a text from the file fit for a message.
func shorten(s string) string {
	if !printable(s) {
		s = strings.Trim(strconv.QuoteToGraphic(s), `"`)
	}
	if r := []rune(s); len(r) > 40 {
		return string(r[:37]) + "..."
	}
	return s
}

// formatDuration writes 30m for 30m0s.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// suggest names the known word nearest to a misspelt one, or all of them when
// none is near.
func suggest(word string, known []string) string {
	known = slices.Clone(known)
	slices.Sort(known)
	best, at := "", min(len(word), 1+max(1, (len(word)+1)/3))
	for _, k := range known {
		if d := editDistance(word, k, at); d < at {
			best, at = k, d
		}
	}
	switch {
	case best != "":
		return "; did you mean " + best + "?"
	case len(known) == 0:
		return "; none is known here"
	}
	return "; known: " + strings.Join(known, ", ")
}

// editDistance is the Levenshtein distance of a and b, or limit when it is at
// least that.
func editDistance(a, b string, limit int) int {
	if max(len(a)-len(b), len(b)-len(a)) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return min(row[len(b)], limit)
}
