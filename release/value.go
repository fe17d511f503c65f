package release

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// text returns a text that can be printed, empty when it is absent.
func (m *mapping) text(key string) string {
	n := m.get(key)
	if n == nil {
		return ""
	}
	return m.textOf(n, key)
}

func (m *mapping) textOf(n *yaml.Node, key string) string {
	switch {
	case n.Kind != yaml.ScalarNode:
		m.wrong(n, key, "text")
	case n.ShortTag() != "!!str":
		m.r.fault(n, "%s must be text, not %s; put it in quotes", m.name(key), describe(n))
	case strings.TrimSpace(n.Value) == "":
		m.r.fault(n, "%s is empty; give it a value or leave the key out", m.name(key))
	case !printable(n.Value):
		m.r.fault(n, "%s holds characters that cannot be printed; remove them", m.name(key))
	default:
		return n.Value
	}
	return ""
}

// need is text for a key that an item of a list cannot do without.
func (m *mapping) need(key string) string {
	if m.get(key) == nil {
		m.r.fault(m.node, "%s is missing", m.name(key))
		return ""
	}
	return m.text(key)
}

// word returns one of the allowed words, empty when it is absent.
func (m *mapping) word(key string, allowed ...string) string {
	w := m.text(key)
	if w != "" && !slices.Contains(allowed, w) {
		m.r.fault(m.get(key), "%s: unknown word %q; known: %s", m.name(key), shorten(w), strings.Join(allowed, ", "))
		return ""
	}
	return w
}

// texts returns a list of texts that are unlike each other.
func (m *mapping) texts(key string) []string {
	var out []string
	for _, n := range m.items(key, "a list of texts such as [a, b]") {
		s := m.textOf(n, key)
		if s != "" && slices.Contains(out, s) {
			m.r.fault(n, "%s names %s twice; keep one of them", m.name(key), shorten(s))
			continue
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

var digestForm = regexp.MustCompile(`^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$`)

// digest returns a digest, empty when it is absent.
func (m *mapping) digest(key string) string {
	d := m.text(key)
	if d != "" && !digestForm.MatchString(d) {
		m.r.fault(m.get(key), "%s must be sha256: and 64 hexadecimal digits in lower case (or sha512: and 128), not %q", m.name(key), shorten(d))
		return ""
	}
	return d
}

// number returns a finite number, nil when it is absent.
func (m *mapping) number(key string) *float64 {
	n := m.get(key)
	if n == nil {
		return nil
	}
	v, ok := decimal(n)
	if !ok {
		m.wrong(n, key, "a plain number")
		return nil
	}
	return &v
}

// positive is a number above 0.
func (m *mapping) positive(key string) *float64 {
	v := m.number(key)
	if v != nil && !(*v > 0) {
		m.r.fault(m.get(key), "%s must be above 0, not %v", m.name(key), *v)
		return nil
	}
	return v
}

// pair returns two numbers, the first not above the second.
func (m *mapping) pair(key string) *[2]float64 {
	const must = "two numbers, the smaller first, such as [0.1, 0.2]"
	n := m.get(key)
	if n == nil {
		return nil
	}
	var out [2]float64
	if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
		m.wrong(n, key, must)
		return nil
	}
	for i, c := range n.Content {
		v, ok := decimal(c)
		if !ok {
			m.wrong(c, key, must)
			return nil
		}
		out[i] = v
	}
	if out[0] > out[1] {
		m.r.fault(n, "%s must be %s", m.name(key), must)
		return nil
	}
	return &out
}

// whole returns a whole number that is not negative.
func (m *mapping) whole(key string) uint64 {
	n := m.get(key)
	if n == nil {
		return 0
	}
	v, ok := decimal(n)
	if !ok || v < 0 || v > 1<<53 || v != math.Trunc(v) {
		m.wrong(n, key, "a whole number from 0 on")
		return 0
	}
	return uint64(v)
}

func (m *mapping) truth(key string) bool {
	n := m.get(key)
	if n == nil {
		return false
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Value != "true" && n.Value != "false" {
		m.wrong(n, key, "true or false")
	}
	return n.Value == "true"
}

// instant returns a time, zero when it is absent. A day is its first moment, UTC.
func (m *mapping) instant(key string) time.Time {
	n := m.get(key)
	if n == nil {
		return time.Time{}
	}
	if n.Kind == yaml.ScalarNode && (n.ShortTag() == "!!str" || n.ShortTag() == "!!timestamp") {
		for _, form := range []string{time.DateOnly, time.RFC3339} {
			if t, err := time.Parse(form, n.Value); err == nil && t.Year() > 1 {
				return t.UTC()
			}
		}
	}
	m.wrong(n, key, "a time such as 2026-01-31 or 2026-01-31T15:04:05Z")
	return time.Time{}
}

// length returns a length of time above 0; days are understood.
func (m *mapping) length(key string) time.Duration {
	n := m.get(key)
	if n == nil {
		return 0
	}
	text, days := n.Value, 0
	if head, rest, ok := strings.Cut(text, "d"); ok {
		if d, err := strconv.Atoi(head); err == nil && d >= 0 && d < 36500 {
			text, days = rest, d
			if rest == "" {
				text = "0s"
			}
		}
	}
	d, err := time.ParseDuration(text)
	d += time.Duration(days) * 24 * time.Hour
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" || err != nil || d <= 0 {
		m.wrong(n, key, "a length of time such as 30m, 1h30m or 2d")
		return 0
	}
	return d
}

var decimalForm = regexp.MustCompile(`^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$`)

// decimal reads a finite number as JSON and YAML both understand it.
func decimal(n *yaml.Node) (float64, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" && n.ShortTag() != "!!float" || !decimalForm.MatchString(n.Value) {
		return 0, false
	}
	v, err := strconv.ParseFloat(n.Value, 64)
	return v + 0, err == nil && !math.IsInf(v, 0)
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) })
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
