package analysis

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Params are the settings of one check entry of a policy, or of a mapping inside
// it, as a [Builder] reads them.
//
// A getter returns the value of a key, or def when the policy does not have it.
// A value of the wrong kind is reported with file, line and column and counts as
// absent; the builder goes on, so that all faults of a policy come out at once.
// A key that no getter was asked for is reported as unknown.
type Params struct {
	r      *policyReader
	node   *yaml.Node // the mapping
	prefix string     // what stands before a key in messages: "budget.", "check drift: "
	fields []paramField
	index  map[string]int    // of a key in fields
	asked  map[string]bool   // keys that a getter was asked for
	words  map[string]string // texts by key, as the getters returned them

	severity    Severity
	severitySet bool
}

// paramField is one key of the mapping.
type paramField struct {
	name       string
	key, value *yaml.Node
	used       bool
	sub        *Params   // once it was read as a mapping
	subs       []*Params // once it was read as a list of mappings
	canon      any       // the value as it was read, for the canonical form
}

// newParams lists the keys of a mapping and reports the ones that cannot be
// right whatever their name.
func (r *policyReader) newParams(node *yaml.Node, prefix string) *Params {
	p := &Params{r: r, node: node, prefix: prefix, index: map[string]int{}, asked: map[string]bool{}, words: map[string]string{}}
	if node.Kind != yaml.MappingNode {
		return p
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
			r.fault(key, "a key must be text, not %s; put it in quotes", describe(key))
			continue
		}
		if j, twice := p.index[key.Value]; twice {
			r.fault(key, "%s is given twice, first on line %d; keep one of them", p.name(key.Value), p.fields[j].key.Line)
			continue
		}
		p.index[key.Value] = len(p.fields)
		p.fields = append(p.fields, paramField{name: key.Value, key: key, value: value})
	}
	return p
}

// name is how messages call a key.
func (p *Params) name(key string) string { return p.prefix + shorten(key) }

// field returns a key that has a value and marks it as used; nil when it is
// absent. Null is a fault: it usually is a value that somebody forgot.
func (p *Params) field(key string) *paramField {
	p.asked[key] = true
	i, ok := p.index[key]
	if !ok {
		return nil
	}
	f := &p.fields[i]
	if f.value.ShortTag() == "!!null" {
		if !f.used {
			p.r.fault(f.value, "%s has no value; give it one or leave the key out", p.name(key))
		}
		f.used = true
		return nil
	}
	f.used = true
	return f
}

// wrong reports a value that is not what it must be.
func (p *Params) wrong(n *yaml.Node, key, must string) {
	p.r.fault(n, "%s must be %s, not %s", p.name(key), must, describe(n))
}

// unused reports the keys that no getter was asked for.
func (p *Params) unused() {
	for i := range p.fields {
		f := &p.fields[i]
		if !f.used {
			_, about := p.place("")
			p.r.fault(f.key, "%sunknown key %s%s", about, shorten(f.name), suggest(f.name, slices.Collect(maps.Keys(p.asked))))
		}
		if f.sub != nil {
			f.sub.unused()
		}
		for _, sub := range f.subs {
			sub.unused()
		}
	}
}

// canonical is the mapping as it was read.
func (p *Params) canonical() map[string]any {
	m := map[string]any{}
	for i := range p.fields {
		f := &p.fields[i]
		switch {
		case f.sub != nil:
			m[f.name] = f.sub.canonical()
		case f.subs != nil:
			items := make([]any, len(f.subs))
			for i, sub := range f.subs {
				items[i] = sub.canonical()
			}
			m[f.name] = items
		case f.canon != nil:
			m[f.name] = f.canon
		}
	}
	return m
}

// Has reports whether the policy has the key. It does not count as reading it.
func (p *Params) Has(key string) bool {
	p.asked[key] = true
	_, ok := p.index[key]
	return ok
}

// Str returns a text, which is never empty when the policy has it.
func (p *Params) Str(key, def string) string {
	p.words[key] = def
	f := p.field(key)
	if f == nil {
		return def
	}
	s, ok := p.text(f.value, key)
	if !ok {
		return def
	}
	f.canon, p.words[key] = s, s
	return s
}

// Enum returns one of the allowed words.
func (p *Params) Enum(key, def string, allowed ...string) string {
	s := p.Str(key, def)
	if s == def {
		return def
	}
	if !slices.Contains(allowed, s) {
		p.Errorf(key, "unknown word %q%s", s, suggest(s, allowed))
		return def
	}
	return s
}

// Column returns the name of a column of the log. Whether the check can do
// without one is for the builder to say.
func (p *Params) Column(key, def string) string { return p.Str(key, def) }

// Float returns a finite number without a unit.
func (p *Params) Float(key string, def float64) float64 {
	f := p.field(key)
	if f == nil {
		return def
	}
	v, ok := number(f.value)
	if !ok {
		p.wrong(f.value, key, "a plain number")
		return def
	}
	f.canon = v
	return v
}

// Uint returns a whole number that is not negative.
func (p *Params) Uint(key string, def uint64) uint64 {
	f := p.field(key)
	if f == nil {
		return def
	}
	v, ok := wholeNumber(f.value)
	if !ok {
		p.wrong(f.value, key, "a whole number from 0 on")
		return def
	}
	f.canon = v
	return v
}

// Bool returns true or false.
func (p *Params) Bool(key string, def bool) bool {
	f := p.field(key)
	if f == nil {
		return def
	}
	v, ok := boolean(f.value)
	if !ok {
		p.wrong(f.value, key, "true or false")
		return def
	}
	f.canon = v
	return v
}

// Duration returns a length of time that is not negative: 90s, 1h30m, 14d.
func (p *Params) Duration(key string, def time.Duration) time.Duration {
	f := p.field(key)
	if f == nil {
		return def
	}
	d, ok := duration(f.value)
	if !ok {
		p.wrong(f.value, key, "a duration with a unit such as 90s, 30m, 1h30m or 14d")
		return def
	}
	f.canon = d.String()
	return d
}

// Quantity returns a number with a unit; ok is false when the key is absent or
// malformed. A number without a unit is Plain.
func (p *Params) Quantity(key string) (q Quantity, ok bool) {
	f := p.field(key)
	if f == nil {
		return Quantity{}, false
	}
	q, ok = quantity(f.value)
	if !ok {
		p.wrong(f.value, key, "a quantity such as 0.1, 2%, 5pp or 2x")
		return Quantity{}, false
	}
	f.canon = q.String()
	if q.Unit == Plain {
		f.canon = q.Value
	}
	return q, true
}

// Map returns the settings inside a mapping, whose unread keys are unknown, too.
// When the key is absent or not a mapping, ok is false and sub is empty.
func (p *Params) Map(key string) (sub *Params, ok bool) {
	f := p.field(key)
	switch {
	case f == nil:
		return p.r.newParams(&yaml.Node{Line: p.node.Line, Column: p.node.Column}, p.name(key)+"."), false
	case f.sub == nil:
		if f.value.Kind != yaml.MappingNode {
			p.wrong(f.value, key, "a mapping such as {key: value}")
		}
		f.sub = p.r.newParams(f.value, p.name(key)+".")
	}
	return f.sub, f.value.Kind == yaml.MappingNode
}

// Floats returns a list of finite numbers, nil when the key is absent.
func (p *Params) Floats(key string) []float64 {
	f, items := p.list(key, "a list of numbers such as [0.1, 0.5]")
	var out []float64
	for _, n := range items {
		v, ok := number(n)
		if !ok {
			p.wrong(n, key, "a list of plain numbers")
			return nil
		}
		out = append(out, v)
	}
	if f != nil {
		f.canon = out
	}
	return out
}

// Strings returns a list of texts, nil when the key is absent.
func (p *Params) Strings(key string) []string {
	f, items := p.list(key, "a list of texts such as [a, b]")
	var out []string
	for _, n := range items {
		if s, ok := p.text(n, key); ok {
			out = append(out, s)
		}
	}
	if f != nil {
		f.canon = out
		p.words[key] = strings.Join(out, "\x00")
	}
	return out
}

// Errorf reports a fault at the place of a key, or of the whole entry when key
// is empty. The text should say what is wrong and how to mend it.
func (p *Params) Errorf(key, format string, args ...any) {
	place, about := p.place(key)
	p.r.fault(place, "%s%s", about, fmt.Sprintf(format, args...))
}

// warnf is Errorf for what is odd but not wrong.
func (p *Params) warnf(key, format string, args ...any) {
	place, about := p.place(key)
	p.r.odd = append(p.r.odd, p.r.at(place, about+fmt.Sprintf(format, args...)))
}

// place says where a key is and what a message about it starts with.
func (p *Params) place(key string) (at *yaml.Node, about string) {
	if key == "" {
		if what := strings.TrimRight(p.prefix, ".: "); what != "" {
			about = what + ": "
		}
		return p.node, about
	}
	p.asked[key] = true
	at, about = p.node, p.name(key)+": "
	if i, ok := p.index[key]; ok {
		p.fields[i].used = true
		at = p.fields[i].value
	}
	return at, about
}

// Severity returns the severity of the check entry: the one that the policy
// gives, or def. Every builder calls it, with the check's own default; the entry
// of a builder that does not is a pause check.
func (p *Params) Severity(def Severity) Severity {
	words := []string{Info.String(), SeverityWarn.String(), SeverityPause.String(), SeverityRollback.String()}
	p.severity, p.severitySet = def, true
	if w := p.Enum("severity", "", words...); w != "" {
		p.severity = Severity(slices.Index(words, w))
	}
	return p.severity
}

// Policy returns the policy that the check belongs to. All of it is filled in,
// but for Checks, Digest and Warnings.
func (p *Params) Policy() *Policy { return p.r.policy }

// list returns the items of a list.
func (p *Params) list(key, must string) (*paramField, []*yaml.Node) {
	f := p.field(key)
	if f == nil {
		return nil, nil
	}
	if f.value.Kind != yaml.SequenceNode {
		p.wrong(f.value, key, must)
		return f, nil
	}
	return f, f.value.Content
}

// maps returns the mappings of a list.
func (p *Params) maps(key string) []*Params {
	_, items := p.list(key, "a list of mappings")
	var out []*Params
	for _, n := range items {
		if n.Kind != yaml.MappingNode {
			p.r.fault(n, "each item of %s must be a mapping such as {key: value}, not %s", p.name(key), describe(n))
			continue
		}
		out = append(out, p.r.newParams(n, p.name(key)+": "))
	}
	return out
}
