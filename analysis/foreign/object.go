package foreign

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// object is a mapping of the source; one without a node has no keys.
type object struct {
	in   *importer
	node *yaml.Node
	path string
}

// find returns the nodes of a key and its value, nil when the key is absent or
// has no value.
func (o object) find(key string) (k, v *yaml.Node) {
	if o.node == nil || o.node.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(o.node.Content); i += 2 {
		if k, v := o.node.Content[i], o.node.Content[i+1]; k.Value == key && v.ShortTag() != "!!null" {
			return k, v
		}
	}
	return nil, nil
}

func (o object) has(key string) bool {
	k, _ := o.find(key)
	return k != nil
}

// at is the path of a key.
func (o object) at(key string) string { return strings.TrimPrefix(o.path+"."+shorten(key), ".") }

// note says what became of a key, if it is there.
func (o object) note(key string, s Severity, why string, args ...any) {
	k, _ := o.find(key)
	if k == nil {
		return
	}
	o.in.fate[k] = max(o.in.fate[k], s)
	o.in.notes = append(o.in.notes, Note{o.in.name, k.Line, k.Column, o.at(key), fmt.Sprintf(why, args...), s})
}

// drop says of those keys that have no note yet that nothing stands for them.
func (o object) drop(why string, keys ...string) {
	for _, key := range keys {
		if k, _ := o.find(key); k != nil {
			if _, noted := o.in.fate[k]; !noted {
				o.note(key, Dropped, "%s", why)
			}
		}
	}
}

// dropDocument says that a document is not read at all.
func (o object) dropDocument(why string) {
	what := cmp.Or(o.peek("kind"), "document")
	o.in.fate[o.node] = Dropped
	o.in.notes = append(o.in.notes, Note{o.in.name, o.node.Line, o.node.Column, strings.TrimPrefix(o.path+" "+shorten(what), " "), why, Dropped})
}

// peek returns the text of a key without a fault where it is none.
func (o object) peek(key string) string {
	if _, v := o.find(key); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

func (o object) wrong(v *yaml.Node, key, must string) {
	o.in.fault(v, "%s must be %s", o.at(key), must)
}

// text returns a scalar as it is written.
func (o object) text(key string) string {
	_, v := o.find(key)
	if v == nil {
		return ""
	}
	if v.Kind != yaml.ScalarNode {
		o.wrong(v, key, "a text")
		return ""
	}
	return v.Value
}

// need returns a text that has to be there.
func (o object) need(key string) string {
	s := o.text(key)
	if s == "" && o.node != nil {
		if _, v := o.find(key); v == nil || v.Kind == yaml.ScalarNode {
			o.in.fault(o.node, "%s is missing", o.at(key))
		}
	}
	return s
}

func (o object) number(key string) (float64, bool) {
	_, v := o.find(key)
	if v == nil {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.Value, 64)
	if v.Kind != yaml.ScalarNode || err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		o.wrong(v, key, "a finite number")
		return 0, false
	}
	return f, true
}

// whole returns a whole number of at most a billion on either side of 0.
func (o object) whole(key string) (int, bool) {
	f, ok := o.number(key)
	if ok && (f != math.Trunc(f) || math.Abs(f) > 1e9) {
		_, v := o.find(key)
		o.wrong(v, key, "a whole number")
		return 0, false
	}
	return int(f), ok
}

func (o object) flag(key string) bool {
	_, v := o.find(key)
	if v == nil {
		return false
	}
	if v.Kind != yaml.ScalarNode || v.Value != "true" && v.Value != "false" {
		o.wrong(v, key, "true or false")
		return false
	}
	return v.Value == "true"
}

// duration reads a duration such as 5m, or a number of seconds.
func (o object) duration(key string) (time.Duration, bool) {
	_, v := o.find(key)
	if v == nil {
		return 0, false
	}
	d, err := time.ParseDuration(v.Value)
	if s, numErr := strconv.ParseUint(v.Value, 10, 31); numErr == nil {
		d, err = time.Duration(s)*time.Second, nil
	}
	if v.Kind != yaml.ScalarNode || err != nil || d < 0 {
		o.wrong(v, key, "a duration such as 90s or 5m")
		return 0, false
	}
	return d, true
}

// object returns a mapping, one without keys where there is none.
func (o object) object(key string) object {
	_, v := o.find(key)
	if v != nil && v.Kind != yaml.MappingNode {
		o.wrong(v, key, "a mapping")
		v = nil
	}
	return object{o.in, v, o.at(key)}
}

// objects returns the mappings of a list.
func (o object) objects(key string) []object {
	var out []object
	for i, v := range o.list(key) {
		path := fmt.Sprintf("%s[%d]", o.at(key), i)
		if v.Kind != yaml.MappingNode {
			o.in.fault(v, "%s must be a mapping", path)
			continue
		}
		out = append(out, object{o.in, v, path})
	}
	return out
}

func (o object) list(key string) []*yaml.Node {
	_, v := o.find(key)
	if v == nil {
		return nil
	}
	if v.Kind != yaml.SequenceNode {
		o.wrong(v, key, "a list")
		return nil
	}
	return v.Content
}

// texts returns the scalars of a list.
func (o object) texts(key string) []string {
	var out []string
	for _, v := range o.list(key) {
		if v.Kind != yaml.ScalarNode {
			o.in.fault(v, "%s must be a list of texts", o.at(key))
			continue
		}
		out = append(out, v.Value)
	}
	return out
}

// line is where the mapping starts.
func (o object) line() int {
	if o.node == nil {
		return 0
	}
	return o.node.Line
}

// sweep notes every key that nobody has taken notice of.
func (in *importer) sweep(n *yaml.Node, path string) {
	if in.fate[n] == Dropped && n.Kind == yaml.MappingNode {
		return
	}
	switch n.Kind {
	case yaml.SequenceNode:
		for i, c := range n.Content {
			in.sweep(c, fmt.Sprintf("%s[%d]", path, i))
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			at := strings.TrimPrefix(path+"."+shorten(k.Value), ".")
			s, noted := in.fate[k]
			switch {
			case noted && s == Dropped:
			case noted || in.noticed(v):
				in.sweep(v, at)
			default:
				why := "not a key that this importer knows"
				if v.ShortTag() == "!!null" {
					why = "has no value"
				}
				in.fate[k] = Dropped
				in.notes = append(in.notes, Note{in.name, k.Line, k.Column, at, why, Dropped})
			}
		}
	}
}

// noticed reports whether a key below n has a note.
func (in *importer) noticed(n *yaml.Node) bool {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if _, ok := in.fate[n.Content[i]]; ok {
				return true
			}
		}
	}
	return n.Kind != yaml.ScalarNode && slices.ContainsFunc(n.Content, in.noticed)
}

func (in *importer) sortedNotes() []Note {
	slices.SortStableFunc(in.notes, func(a, b Note) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.What, b.What))
	})
	return slices.Compact(in.notes)
}

// shorten makes a text from the file fit for a message.
func shorten(s string) string {
	s = printable(s)
	if r := []rune(s); len(r) > 60 {
		return string(r[:57]) + "..."
	}
	return s
}

// printable replaces what a policy does not take.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if !unicode.IsGraphic(r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, s)
}

// metadata takes the name of a resource for that of the model.
func (in *importer) metadata(d object) {
	meta := d.object("metadata")
	if meta.node == nil {
		return
	}
	for i := 0; i+1 < len(meta.node.Content); i += 2 {
		switch key := meta.node.Content[i].Value; {
		case key != "name":
			meta.drop("says nothing about the judgement", key)
		case in.out.model == "":
			in.out.model = shorten(meta.text("name"))
			meta.note("name", Mapped, "the name of the model")
		default:
			meta.drop("a policy has one model, that of the first document", "name")
		}
	}
}

// parseFloat reads what formatFloat has written.
func parseFloat(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64) // "" is 0
	return v
}
