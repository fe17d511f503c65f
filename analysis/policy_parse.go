package analysis

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"go.yaml.in/yaml/v3"
)

// Limits of a policy file. Real ones are a few kilobytes in five levels; some
// rules compare every item of a list with every other.
const (
	maxPolicySize  = 256 << 10
	maxPolicyDepth = 32
)

// parse returns the mapping that the file consists of, or nil after a fault.
func (r *policyReader) parse(data []byte) *yaml.Node {
	start := &yaml.Node{Line: 1, Column: 1}
	if len(data) > maxPolicySize {
		r.fault(start, "the file has %d bytes; a policy has at most %d", len(data), maxPolicySize)
		return nil
	}
	if json.Valid(data) {
		data = jsonToYAML(data)
	}
	doc, more, err := readDocument(data)
	switch {
	case err != nil:
		line, msg := yamlError(err)
		last := 1 + bytes.Count(bytes.TrimSpace(data), []byte("\n"))
		r.fault(&yaml.Node{Line: min(line, last)}, "not YAML or JSON: %s", msg)
		return nil
	case doc == nil || len(doc.Content) == 0 || doc.Content[0].ShortTag() == "!!null":
		r.fault(start, "the file is empty; a policy has at least version and checks")
		return nil
	case more != nil:
		r.fault(more, "a second document starts here; a policy file has one")
		return nil
	}
	root := doc.Content[0]
	if root.Kind == yaml.AliasNode || root.Kind != yaml.MappingNode {
		r.fault(root, "a policy is a mapping that starts with version: 1, not %s", describe(root))
		return nil
	}
	if !r.plain(root, 1) {
		return nil
	}
	return root
}

// plain refuses what makes YAML mean something else than what it shows.
func (r *policyReader) plain(n *yaml.Node, depth int) bool {
	switch {
	case depth > maxPolicyDepth:
		r.fault(n, "nested more than %d deep", maxPolicyDepth)
		return false
	case n.Kind == yaml.AliasNode:
		r.fault(n, "aliases are not allowed in a policy; write the value of *%s out", shorten(n.Value))
		return false
	case n.Anchor != "":
		r.fault(n, "anchors are not allowed in a policy; remove &%s", shorten(n.Anchor))
		return false
	case n.Style&yaml.TaggedStyle != 0:
		r.fault(n, "tags are not allowed in a policy; remove %s", shorten(n.Tag))
		return false
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!merge":
		r.fault(n, "merge keys are not allowed in a policy; write the keys out")
		return false
	}
	ok := true
	for _, c := range n.Content {
		ok = r.plain(c, depth+1) && ok
	}
	return ok
}

// readDocument returns the first document of the file and the start of the
// second, nil when there is none.
func readDocument(data []byte) (doc, more *yaml.Node, err error) {
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

var yamlErrorForm = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// yamlError takes the line out of an error of the YAML library, which counts
// lines from 0 when it misses something and from 1 otherwise.
func yamlError(err error) (line int, msg string) {
	msg = err.Error()
	m := yamlErrorForm.FindStringSubmatch(msg)
	if m == nil {
		return 1, msg
	}
	msg = strings.TrimPrefix(msg, m[0])
	line, numErr := strconv.Atoi(m[1])
	switch {
	case numErr != nil:
		line = 1
	case strings.HasPrefix(msg, "did not find expected"):
		line++
	}
	return line, msg
}

// jsonToYAML rewrites valid JSON where it is not YAML: tabs between tokens become
// spaces, \/ becomes /, and an escaped surrogate pair becomes one escape. Lines
// stay the same; columns shift by two behind an escape that was rewritten.
func jsonToYAML(data []byte) []byte {
	out := make([]byte, 0, len(data))
	quoted := false
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\t':
			c = ' '
		case c == '\\':
			if pair, ok := surrogatePair(data[i:]); ok {
				out = fmt.Appendf(out, `\U%08X`, pair)
				i += len(`\uD83D\uDE00`) - 1
				continue
			}
			i++
			if data[i] != '/' {
				out = append(out, c)
			}
			c = data[i]
		}
		out = append(out, c)
	}
	return out
}

// surrogatePair reads an escaped surrogate pair at the start of data.
func surrogatePair(data []byte) (rune, bool) {
	half := func(b []byte) rune {
		if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
			return -1
		}
		v, err := strconv.ParseUint(string(b[2:6]), 16, 32)
		if err != nil {
			return -1
		}
		return rune(v)
	}
	if len(data) < 12 {
		return 0, false
	}
	hi, lo := half(data), half(data[6:])
	if r := utf16.DecodeRune(hi, lo); r != 0xFFFD {
		return r, true
	}
	return 0, false
}
