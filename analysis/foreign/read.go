package foreign

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rampguard/rampguard/stats"
	"go.yaml.in/yaml/v3"
)

// Limits of a source file.
const (
	maxSize  = 1 << 20
	maxDepth = 64
)

// importer is the state of one Import or LintArgo.
type importer struct {
	name   string
	kind   Kind
	data   []byte
	faults []fault
	notes  []Note
	fate   map[*yaml.Node]Severity // of keys, and of documents as a whole
	used   map[string]bool         // names of metrics
	out    draft
}

func newImporter(name string, kind Kind) *importer {
	return &importer{name: name, kind: kind, fate: map[*yaml.Node]Severity{}, used: map[string]bool{}}
}

// fault is one thing wrong with a source file.
type fault struct {
	file      string
	line, col int
	msg       string
}

func (f fault) Error() string { return fmt.Sprintf("%s:%d:%d: %s", f.file, f.line, f.col, f.msg) }

func (f fault) Unwrap() error { return stats.ErrDomain }

func (in *importer) fault(n *yaml.Node, format string, args ...any) {
	in.faults = append(in.faults, fault{in.name, max(n.Line, 1), max(n.Column, 1), fmt.Sprintf(format, args...)})
}

// maxFaults is how many faults are shown.
const maxFaults = 50

// err joins the faults by place.
func (in *importer) err() error {
	slices.SortStableFunc(in.faults, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.col, b.col))
	})
	var errs []error
	for i, f := range in.faults {
		if i == maxFaults {
			errs = append(errs, fault{in.name, f.line, f.col, fmt.Sprintf("and %d more faults", len(in.faults)-i)})
			break
		}
		errs = append(errs, f)
	}
	return errors.Join(errs...)
}

// documents reads the mappings that a file consists of. The items of a List of
// Kubernetes count as documents.
func (in *importer) documents(data []byte) []object {
	start := &yaml.Node{Line: 1, Column: 1}
	if len(data) > maxSize {
		in.fault(start, "the file has %d bytes; at most %d are read", len(data), maxSize)
		return nil
	}
	var roots []*yaml.Node
	if json.Valid(data) {
		roots = append(roots, newJSONReader(data).value())
	} else {
		roots = in.readYAML(data)
	}
	var out []object
	for _, root := range roots {
		if !in.plain(root, 1) {
			continue
		}
		if root.Kind != yaml.MappingNode {
			in.fault(root, "a document must be a mapping")
			continue
		}
		d := object{in: in, node: root}
		if d.peek("kind") == "List" && d.has("items") {
			d.note("apiVersion", Mapped, "a List: each item is read by itself")
			d.note("kind", Mapped, "a List: each item is read by itself")
			d.drop("says nothing about the judgement", "metadata")
			for i, item := range d.list("items") {
				if item.Kind == yaml.MappingNode {
					out = append(out, object{in: in, node: item, path: fmt.Sprintf("items[%d]", i)})
				}
			}
			continue
		}
		out = append(out, d)
	}
	return out
}

var yamlErrorForm = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func (in *importer) readYAML(data []byte) (roots []*yaml.Node) {
	defer func() { // the YAML library has panicked on damaged input before
		if p := recover(); p != nil {
			in.fault(&yaml.Node{}, "not YAML or JSON: %v", p)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return roots
		}
		if err != nil {
			msg, line := err.Error(), 1
			if m := yamlErrorForm.FindStringSubmatch(msg); m != nil {
				msg = strings.TrimPrefix(msg, m[0])
				line, _ = strconv.Atoi(m[1]) // 0 when it is not said
			}
			if bytes.Contains(data, []byte("{{-")) || bytes.Contains(data, []byte("{{ .")) || bytes.Contains(data, []byte("{{ $")) {
				msg += "; a Helm template has to be rendered first"
			}
			in.fault(&yaml.Node{Line: line}, "not YAML or JSON: %s", msg)
			return nil
		}
		if len(doc.Content) == 1 && doc.Content[0].ShortTag() != "!!null" {
			roots = append(roots, doc.Content[0])
		}
	}
}

// plain refuses what makes YAML mean something else than what it shows, and keys
// that are given twice.
func (in *importer) plain(n *yaml.Node, depth int) bool {
	switch {
	case depth > maxDepth:
		in.fault(n, "nested more than %d deep", maxDepth)
		return false
	case n.Kind == yaml.AliasNode:
		in.fault(n, "aliases are not read; write the value of *%s out", shorten(n.Value))
		return false
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!merge":
		in.fault(n, "merge keys are not read; write the keys out")
		return false
	case n.Style&yaml.TaggedStyle != 0:
		in.fault(n, "tags are not read; remove %s", shorten(n.Tag))
		return false
	}
	ok := true
	if n.Kind == yaml.MappingNode {
		seen := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode {
				in.fault(key, "a key must be a text")
				return false
			}
			if first, twice := seen[key.Value]; twice {
				in.fault(key, "%s is given twice, first on line %d", shorten(key.Value), first)
				ok = false
			}
			seen[key.Value] = key.Line
		}
	}
	for _, c := range n.Content {
		ok = in.plain(c, depth+1) && ok
	}
	return ok
}

// jsonReader makes nodes with places of valid JSON, which is not always YAML.
type jsonReader struct {
	data  []byte
	dec   *json.Decoder
	lines []int // where lines start
}

func newJSONReader(data []byte) *jsonReader {
	r := &jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), lines: []int{0}}
	r.dec.UseNumber()
	for i, c := range data {
		if c == '\n' {
			r.lines = append(r.lines, i+1)
		}
	}
	return r
}

func (r *jsonReader) value() *yaml.Node {
	at := int(r.dec.InputOffset())
	for at < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[at]) >= 0 {
		at++
	}
	tok, err := r.dec.Token()
	if err != nil { // it is valid
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	}
	line, _ := slices.BinarySearch(r.lines, at+1)
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: line, Column: at - r.lines[line-1] + 1}
	switch tok := tok.(type) {
	case json.Delim:
		n.Kind = yaml.MappingNode
		if tok == '[' {
			n.Kind = yaml.SequenceNode
		}
		for r.dec.More() {
			n.Content = append(n.Content, r.value())
		}
		_, _ = r.dec.Token() // the closing one
	case string:
		n.Tag, n.Value = "!!str", tok
	case json.Number:
		n.Tag, n.Value = "!!float", tok.String()
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(tok)
	default:
		n.Tag = "!!null"
	}
	return n
}
