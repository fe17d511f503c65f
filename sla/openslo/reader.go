package openslo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Limits of a file; real ones have a few kilobytes in ten levels.
const (
	maxSize  = 1 << 20
	maxDepth = 64
	maxNotes = 100
)

// reader collects faults and warnings while it walks the nodes of a file.
type reader struct {
	file       string
	faults     []Note
	warnings   []Note
	policies   map[string]*yaml.Node
	conditions map[string]*yaml.Node
}

func (r *reader) note(n *yaml.Node, path, format string, args []any) Note {
	return Note{r.file, max(1, n.Line), max(1, n.Column), path, fmt.Sprintf(format, args...)}
}

func (r *reader) fault(n *yaml.Node, path, format string, args ...any) {
	if note := r.note(n, path, format, args); len(r.faults) < maxNotes && !slices.Contains(r.faults, note) {
		r.faults = append(r.faults, note)
	}
}

func (r *reader) warn(n *yaml.Node, path, format string, args ...any) {
	if note := r.note(n, path, format, args); len(r.warnings) < maxNotes && !slices.Contains(r.warnings, note) {
		r.warnings = append(r.warnings, note)
	}
}

func sortNotes(notes []Note) {
	slices.SortStableFunc(notes, func(a, b Note) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
}

// documents returns the mappings of the file.
func (r *reader) documents(data []byte) []*yaml.Node {
	start := &yaml.Node{Line: 1, Column: 1}
	if len(data) > maxSize {
		r.fault(start, "", "the file has %d bytes, %d are the most", len(data), maxSize)
		return nil
	}
	var docs []*yaml.Node
	if json.Valid(data) {
		docs = []*yaml.Node{jsonNode(data)}
	} else {
		docs = r.yamlDocuments(data)
	}
	var out []*yaml.Node
	for _, doc := range docs {
		switch {
		case doc.Kind == yaml.ScalarNode && doc.ShortTag() == "!!null": // between two separators
		case doc.Kind != yaml.MappingNode:
			r.fault(doc, "", "a document is a mapping that starts with apiVersion")
		case r.plain(doc, 1):
			out = append(out, doc)
		}
	}
	return out
}

var yamlErrorForm = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func (r *reader) yamlDocuments(data []byte) (docs []*yaml.Node) {
	defer func() { // the YAML library has panicked on damaged input before
		if p := recover(); p != nil {
			r.fault(&yaml.Node{}, "", "not YAML or JSON: %v", p)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		switch {
		case errors.Is(err, io.EOF):
			return docs
		case err != nil:
			m := yamlErrorForm.FindStringSubmatch(err.Error())
			line := 1
			if m != nil && m[1] != "" {
				line, _ = strconv.Atoi(m[1])
			}
			r.fault(&yaml.Node{Line: line}, "", "not YAML or JSON: %s", yamlErrorForm.ReplaceAllString(err.Error(), ""))
			return nil
		case len(doc.Content) > 0:
			docs = append(docs, doc.Content[0])
		}
	}
}

// plain refuses what makes YAML mean something else than what it shows.
func (r *reader) plain(n *yaml.Node, depth int) bool {
	switch {
	case depth > maxDepth:
		r.fault(n, "", "nested more than %d deep", maxDepth)
		return false
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.fault(n, "", "anchors and aliases are not read; write the value out")
		return false
	case n.Style&yaml.TaggedStyle != 0:
		r.fault(n, "", "tags are not read; remove %s", n.Tag)
		return false
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!merge":
		r.fault(n, "", "merge keys are not read; write the keys out")
		return false
	}
	ok := true
	for _, c := range n.Content {
		ok = r.plain(c, depth+1) && ok
	}
	return ok
}

// keys are the known keys of a mapping.
type keys map[string]func(n *yaml.Node, path string)

func ignore(*yaml.Node, string) {}

// mapping walks a mapping: unknown, repeated and missing keys are faults, null is the
// same as no key.
func (r *reader) mapping(n *yaml.Node, path string, known keys, required ...string) {
	if n == nil {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fault(n, path, "expected a mapping")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := join(path, key.Value)
		read, ok := known[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !ok:
			r.fault(key, path, "unknown key %q; known are %s", key.Value, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case seen[key.Value]:
			r.fault(key, at, "the key is given twice")
		case isNull(value):
		default:
			seen[key.Value] = true
			read(value, at)
		}
	}
	for _, key := range required {
		if !seen[key] {
			r.fault(n, join(path, key), "is required")
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// child returns the value of a key, or nil.
func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key && !isNull(n.Content[i+1]) {
			return n.Content[i+1]
		}
	}
	return nil
}

// list calls read for every item.
func (r *reader) list(n *yaml.Node, path string, read func(n *yaml.Node, path string)) {
	if n.Kind != yaml.SequenceNode {
		r.fault(n, path, "expected a list")
		return
	}
	for i, item := range n.Content {
		read(item, fmt.Sprintf("%s[%d]", path, i))
	}
}

// text reads a text; numbers and dates are texts, too.
func (r *reader) text(n *yaml.Node, path string) string {
	if n.Kind != yaml.ScalarNode {
		r.fault(n, path, "expected a text")
		return ""
	}
	return n.Value
}

// number reads a finite decimal number.
func (r *reader) number(n *yaml.Node, path string) float64 {
	v, err := strconv.ParseFloat(n.Value, 64)
	tag := n.ShortTag()
	if n.Kind != yaml.ScalarNode || err != nil || math.IsNaN(v) || math.IsInf(v, 0) || tag != "!!float" && tag != "!!int" {
		r.fault(n, path, "expected a number, not %q", n.Value)
		return 0
	}
	return v
}

// boolean reads true or false.
func (r *reader) boolean(n *yaml.Node, path string) bool {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Value != "true" && n.Value != "false" {
		r.fault(n, path, "expected true or false, not %q", n.Value)
	}
	return n.Value == "true"
}

// enum reads a word into an enumeration of package sla.
func (r *reader) enum(n *yaml.Node, path string, v interface{ UnmarshalText([]byte) error }) {
	if err := v.UnmarshalText([]byte(r.text(n, path))); err != nil {
		r.fault(n, path, "%s", strings.TrimPrefix(err.Error(), "sla: "))
	}
}

// jsonNode turns valid JSON into nodes that know their lines.
func jsonNode(data []byte) *yaml.Node {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	line, column, last := 1, 1, 0
	var value func() *yaml.Node
	next := func() (json.Token, *yaml.Node) {
		// The token starts behind spaces, commas and colons.
		start := int(dec.InputOffset())
		for start < len(data) && strings.IndexByte(" \t\r\n,:", data[start]) >= 0 {
			start++
		}
		for ; last < start; last++ {
			column++
			if data[last] == '\n' {
				line, column = line+1, 1
			}
		}
		token, err := dec.Token()
		if err != nil {
			return nil, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
		}
		return token, &yaml.Node{Line: line, Column: column}
	}
	value = func() *yaml.Node {
		token, n := next()
		n.Kind = yaml.ScalarNode
		switch v := token.(type) {
		case json.Delim:
			n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
			if v == '{' {
				n.Kind, n.Tag = yaml.MappingNode, "!!map"
			}
			for dec.More() {
				n.Content = append(n.Content, value())
			}
			next()
		case string:
			n.Tag, n.Value = "!!str", v
		case json.Number:
			n.Tag, n.Value = "!!float", v.String()
		case bool:
			n.Tag, n.Value = "!!bool", strconv.FormatBool(v)
		default:
			n.Tag = "!!null"
		}
		return n
	}
	return value()
}
