package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
)

// writeRemapped writes the policy with the new thresholds, nothing else changed, and
// only if the result loads and has exactly those.
func (o *thresholdsOptions) writeRemapped(data []byte, p *analysis.Policy, r *thresholdsReport, stdout io.Writer) error {
	r.NewVersion = o.setVersion
	if r.NewVersion == "" && r.Version != "" {
		r.NewVersion = r.Version + map[string]string{keepRate: "-equal-rate", keepBadRate: "-equal-bad-rate"}[o.keep]
	}
	if r.NewVersion == r.Version && r.Version != "" {
		return fmt.Errorf("--set-version %s is the version of the old thresholds; other thresholds need another version", r.NewVersion)
	}
	var at []float64
	for _, t := range r.Thresholds {
		at = append(at, t.New)
	}
	edited, err := editThresholds(data, p.Actions.Candidate != nil, at, r.NewVersion)
	if err != nil {
		return fmt.Errorf("%s: %w", o.policy, err)
	}
	got, err := analysis.LoadPolicy(o.output, edited, checks.Builtin())
	if err != nil {
		return fmt.Errorf("a policy with the new thresholds would not be sound, so nothing was written: %w", err)
	}
	actions := got.Actions
	if actions.Candidate != nil {
		actions = *actions.Candidate
	}
	var have []float64
	for _, rule := range actions.Rules {
		if !math.IsInf(rule.AtLeast, -1) {
			have = append(have, rule.AtLeast)
		}
	}
	if !slices.Equal(have, at) || actions.Version != r.NewVersion {
		return fmt.Errorf("%s is written in a way that its thresholds cannot be replaced; write them as plain numbers, one at_least per rule", o.policy)
	}
	r.Output = o.output
	return writePolicy(stdout, o.output, o.force, edited)
}

// splice is a piece of a file to be replaced.
type splice struct {
	from, to int
	text     string
}

// editThresholds replaces the thresholds of the policy, or of its candidate, and
// their version; everything else stays as it is, to the byte.
func editThresholds(data []byte, ofCandidate bool, at []float64, version string) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, fmt.Errorf("the file is empty")
	}
	actions := valueOf(doc.Content[0], "actions")
	if ofCandidate {
		actions = valueOf(actions, "candidate")
	}
	var edits []splice
	replace := func(n *yaml.Node, text string) error {
		s, err := place(data, n)
		s.text = text
		edits = append(edits, s)
		return err
	}
	switch n := valueOf(actions, "version"); {
	case n != nil:
		quoted, err := json.Marshal(version)
		if err != nil {
			return nil, err
		}
		if err := replace(n, string(quoted)); err != nil {
			return nil, err
		}
	case version != "":
		return nil, fmt.Errorf("the thresholds have no version to change; add version: to the actions, so that the two can be told apart")
	}
	i := 0
	if rules := valueOf(actions, "rules"); rules != nil {
		for _, rule := range rules.Content {
			n := valueOf(rule, "at_least")
			if n == nil || i >= len(at) {
				continue
			}
			if err := replace(n, decimal(at[i])); err != nil {
				return nil, err
			}
			i++
		}
	}
	if i != len(at) {
		return nil, fmt.Errorf("%d thresholds are in the file and %d in the policy", i, len(at))
	}
	slices.SortFunc(edits, func(a, b splice) int { return b.from - a.from })
	out := bytes.Clone(data)
	for _, e := range edits {
		out = slices.Concat(out[:e.from], []byte(e.text), out[e.to:])
	}
	return out, nil
}

// decimal writes a threshold so that YAML and JSON read the same number.
func decimal(x float64) string {
	if a := math.Abs(x); a != 0 && a < 1e-6 {
		return strconv.FormatFloat(x, 'e', -1, 64)
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

// valueOf returns the value of a key of a mapping, or nil.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// place finds the bytes of a scalar on one line.
func place(data []byte, n *yaml.Node) (splice, error) {
	bad := fmt.Errorf("line %d, column %d: the value %q cannot be replaced; write it on one line, without escapes", n.Line, n.Column, n.Value)
	from := 0
	for range n.Line - 1 {
		i := bytes.IndexByte(data[from:], '\n')
		if i < 0 {
			return splice{}, bad
		}
		from += i + 1
	}
	for range n.Column - 1 {
		_, size := utf8.DecodeRune(data[from:])
		from += size
	}
	text := n.Value
	switch n.Style {
	case yaml.DoubleQuotedStyle:
		text = `"` + text + `"`
	case yaml.SingleQuotedStyle:
		text = "'" + text + "'"
	}
	if from > len(data) || !bytes.HasPrefix(data[from:], []byte(text)) {
		return splice{}, bad
	}
	return splice{from: from, to: from + len(text)}, nil
}
