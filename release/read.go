package release

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrManifest is wrapped by every fault that [Load] reports.
var ErrManifest = errors.New("release: the manifest is not valid")

// Limits of a manifest. Real ones are a few kilobytes in five levels.
const (
	maxSize   = 1 << 20
	maxDepth  = 16
	maxItems  = 20000 // features of a model, metrics of an evaluation
	maxFaults = 50    // nobody mends more in one go
)

// fault is one thing wrong with a manifest.
type fault struct {
	file      string
	line, col int
	msg       string
}

func (f *fault) Error() string { return fmt.Sprintf("%s:%d:%d: %s", f.file, f.line, f.col, f.msg) }
func (f *fault) Unwrap() error { return ErrManifest }

// reader is the state of one Load.
type reader struct {
	file   string
	faults []fault
}

func (r *reader) fault(n *yaml.Node, format string, args ...any) {
	r.faults = append(r.faults, fault{r.file, max(n.Line, 1), max(n.Column, 1), fmt.Sprintf(format, args...)})
}

// err joins the faults by place.
func (r *reader) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(r.faults, func(a, b fault) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.col, b.col)) })
	fs := slices.Compact(r.faults)
	if more := len(fs) - maxFaults; more > 0 {
		last := fs[maxFaults-1]
		fs = append(fs[:maxFaults:maxFaults], fault{last.file, last.line, last.col, fmt.Sprintf("and %d more faults", more)})
	}
	errs := make([]error, len(fs))
	for i := range fs {
		errs[i] = &fs[i]
	}
	return errors.Join(errs...)
}

// parse returns the mapping that the file consists of, or nil after a fault.
func (r *reader) parse(data []byte) *yaml.Node {
	start := &yaml.Node{Line: 1, Column: 1}
	if len(data) > maxSize {
		r.fault(start, "the file has %d bytes; a manifest has at most %d", len(data), maxSize)
		return nil
	}
	if json.Valid(data) {
		data = jsonAsYAML(data)
	}
	doc, more, err := documents(data)
	switch {
	case err != nil:
		line, msg := splitError(err)
		r.fault(&yaml.Node{Line: line}, "not YAML or JSON: %s", msg)
		return nil
	case doc == nil || len(doc.Content) == 0 || doc.Content[0].ShortTag() == "!!null":
		r.fault(start, "the file is empty; a manifest has at least version and model")
		return nil
	case more != nil:
		r.fault(more, "a second document starts here; a manifest file has one")
		return nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		r.fault(root, "a manifest is a mapping that starts with version: 1, not %s", describe(root))
		return nil
	}
	if !r.plain(root, 1) {
		return nil
	}
	return root
}

// plain refuses what makes YAML mean something else than what it shows.
func (r *reader) plain(n *yaml.Node, depth int) bool {
	switch {
	case depth > maxDepth:
		r.fault(n, "nested more than %d deep", maxDepth)
	case n.Kind == yaml.AliasNode:
		r.fault(n, "aliases are not allowed in a manifest; write the value of *%s out", shorten(n.Value))
	case n.Anchor != "":
		r.fault(n, "anchors are not allowed in a manifest; remove &%s", shorten(n.Anchor))
	case n.Style&yaml.TaggedStyle != 0:
		r.fault(n, "tags are not allowed in a manifest; remove %s", shorten(n.Tag))
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!merge":
		r.fault(n, "merge keys are not allowed in a manifest; write the keys out")
	default:
		ok := true
		for _, c := range n.Content {
			ok = r.plain(c, depth+1) && ok
		}
		return ok
	}
	return false
}

// documents returns the first document of the file and the start of the second,
// nil when there is none.
func documents(data []byte) (doc, more *yaml.Node, err error) {
	defer func() { // the YAML library has panicked on damaged input before
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: %v", p)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	if err := dec.Decode(&first); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil, nil
		}
		return nil, nil, err
	}
	switch err := dec.Decode(&second); {
	case errors.Is(err, io.EOF):
		return &first, nil, nil
	case err != nil:
		return nil, nil, err
	}
	return &first, &second, nil
}

var errorForm = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// splitError takes the line out of an error of the YAML library.
func splitError(err error) (line int, msg string) {
	msg = err.Error()
	m := errorForm.FindStringSubmatch(msg)
	if m == nil {
		return 1, msg
	}
	line, numErr := strconv.Atoi(m[1])
	if numErr != nil {
		line = 1
	}
	return line, strings.TrimPrefix(msg, m[0])
}

// jsonAsYAML rewrites valid JSON where it is not YAML: tabs between tokens become
// spaces, and \/ becomes /. Lines stay the same.
func jsonAsYAML(data []byte) []byte {
	out := make([]byte, 0, len(data))
	quoted := false
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\t' && !quoted:
			c = ' '
		case c == '\\':
			i++ // valid JSON: something follows
			if data[i] != '/' {
				out = append(out, c)
			}
			c = data[i]
		}
		out = append(out, c)
	}
	return out
}

// mapping reads the keys of one mapping; those that nobody asked for are unknown.
type mapping struct {
	r      *reader
	node   *yaml.Node
	path   string // what stands before a key in messages: "model."
	values map[string]*yaml.Node
	keys   []*yaml.Node
	asked  map[string]bool
}

func (r *reader) mapping(n *yaml.Node, path string) *mapping {
	m := &mapping{r: r, node: n, path: path, values: map[string]*yaml.Node{}, asked: map[string]bool{}}
	if n.Kind != yaml.MappingNode {
		return m
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str":
			r.fault(key, "a key must be text, not %s; put it in quotes", describe(key))
		case m.values[key.Value] != nil:
			r.fault(key, "%s is given twice; keep one of them", m.name(key.Value))
		case value.ShortTag() == "!!null":
			r.fault(value, "%s has no value; give it one or leave the key out", m.name(key.Value))
			m.values[key.Value] = value
		default:
			m.values[key.Value] = value
			m.keys = append(m.keys, key)
		}
	}
	return m
}

func (m *mapping) name(key string) string { return m.path + shorten(key) }

// get returns the value of a key, nil when it is absent or has none.
func (m *mapping) get(key string) *yaml.Node {
	m.asked[key] = true
	n := m.values[key]
	if n == nil || n.ShortTag() == "!!null" {
		return nil
	}
	return n
}

// wrong reports a value that is not what it must be.
func (m *mapping) wrong(n *yaml.Node, key, must string) {
	m.r.fault(n, "%s must be %s, not %s", m.name(key), must, describe(n))
}

// at is the place of a key, or of the mapping when it is absent.
func (m *mapping) at(key string) *yaml.Node {
	if n := m.get(key); n != nil {
		return n
	}
	return m.node
}

// done reports the keys that nobody asked for.
func (m *mapping) done() {
	for _, k := range m.keys {
		if !m.asked[k.Value] {
			m.r.fault(k, "%sunknown key %s; known: %s", label(m.path), shorten(k.Value), strings.Join(slices.Sorted(maps.Keys(m.asked)), ", "))
		}
	}
}

// label is what stands before a message about a mapping.
func label(path string) string {
	if path = strings.TrimRight(path, "."); path == "" {
		return ""
	}
	return path + ": "
}

// within reads a mapping inside this one; an absent one is empty.
func (m *mapping) within(key string, read func(*mapping)) {
	n := m.get(key)
	if n == nil {
		n = &yaml.Node{Line: m.node.Line, Column: m.node.Column}
	} else if n.Kind != yaml.MappingNode {
		m.wrong(n, key, "a mapping such as {key: value}")
		return
	}
	sub := m.r.mapping(n, m.name(key)+".")
	read(sub)
	sub.done()
}

// each reads the mappings of a list.
func (m *mapping) each(key string, read func(*mapping)) {
	for i, n := range m.items(key, "a list of mappings") {
		if n.Kind != yaml.MappingNode {
			m.r.fault(n, "each item of %s must be a mapping such as {key: value}, not %s", m.name(key), describe(n))
			continue
		}
		sub := m.r.mapping(n, fmt.Sprintf("%s[%d].", m.name(key), i))
		read(sub)
		sub.done()
	}
}

// items returns the nodes of a list.
func (m *mapping) items(key, must string) []*yaml.Node {
	n := m.get(key)
	switch {
	case n == nil:
		return nil
	case n.Kind != yaml.SequenceNode:
		m.wrong(n, key, must)
		return nil
	case len(n.Content) > maxItems:
		m.r.fault(n, "%s has %d items; it may have %d", m.name(key), len(n.Content), maxItems)
		return nil
	}
	return n.Content
}
