package openslo

import (
	"fmt"
	"strings"

	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/stats"
	"go.yaml.in/yaml/v3"
)

// File is what a file says.
type File struct {
	SLOs     []SLO
	Warnings []Note // what was not read to the letter, by line
}

// SLO is one object of kind SLO. With several objectives it is judged by each.
type SLO struct {
	Name        string
	DisplayName string
	Description string
	Service     string
	Model       string // for [sla.EvaluateOptions]
	Clamp       bool   // for [sla.EvaluateOptions]
	Objectives  []Objective
	Gate        sla.GatePolicy
	Line        int
}

// Objective is one objective with the alerts of its SLO. Its name is that of the SLO,
// with the display name or the number behind a slash if there are several.
type Objective struct {
	sla.Objective
	DisplayName string
	Alerts      []sla.Alert
	Weight      float64 // compositeWeight; 1 without
	Line        int
}

// Note is a remark about a place in a file.
type Note struct {
	File    string
	Line    int
	Column  int
	Path    string // such as spec.objectives[0].target
	Message string
}

// String returns "file:line:column: path: message".
func (n Note) String() string {
	s := fmt.Sprintf("%s:%d:%d: ", n.File, n.Line, n.Column)
	if n.Path != "" {
		s += n.Path + ": "
	}
	return s + n.Message
}

// Error lists the faults of a file, by line, a hundred at most. It wraps
// [stats.ErrDomain].
type Error struct {
	Faults []Note
}

// Error returns one line per fault.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns [stats.ErrDomain].
func (e *Error) Unwrap() error { return stats.ErrDomain }

// Read reads the objectives of a file; name is used in messages only.
//
// Errors: [*Error], which lists the faults with line and column: no file of the form
// described above, or without an SLO, or, when the form is right, an objective or alert
// that package sla refuses. Cost: linear in the size, which is at most 1 MB.
func Read(name string, data []byte) (File, error) {
	r := &reader{file: name, policies: map[string]*yaml.Node{}, conditions: map[string]*yaml.Node{}}
	var slos []*yaml.Node
	for _, doc := range r.documents(data) {
		switch r.kind(doc) {
		case "SLO":
			slos = append(slos, doc)
		case "AlertPolicy":
			r.remember(r.policies, doc)
		case "AlertCondition":
			r.remember(r.conditions, doc)
		}
	}
	var f File
	if len(slos) == 0 && len(r.faults) == 0 {
		r.fault(&yaml.Node{Line: 1, Column: 1}, "", "the file has no object of kind SLO")
	}
	lines := map[string]int{}
	for _, doc := range slos {
		s := r.slo(doc)
		if line := lines[s.Name]; line > 0 && s.Name != "" {
			r.fault(doc, "metadata.name", "an SLO named %q is on line %d already", s.Name, line)
		}
		lines[s.Name] = s.Line
		f.SLOs = append(f.SLOs, s)
	}
	if len(r.faults) > 0 {
		sortNotes(r.faults)
		return File{}, &Error{r.faults}
	}
	sortNotes(r.warnings)
	f.Warnings = r.warnings
	return f, nil
}

// kind returns the kind of a document, or "" for one that is not read.
func (r *reader) kind(doc *yaml.Node) string {
	var kind string
	r.mapping(doc, "", keys{
		"apiVersion": func(n *yaml.Node, path string) {
			if v := r.text(n, path); v != "openslo/v1" {
				r.fault(n, path, "%q is not openslo/v1", v)
			}
		},
		"kind":     func(n *yaml.Node, path string) { kind = r.text(n, path) },
		"metadata": ignore,
		"spec":     ignore,
	}, "apiVersion", "kind", "metadata", "spec")
	switch kind {
	case "SLO", "AlertPolicy", "AlertCondition":
		return kind
	case "SLI", "Service", "DataSource", "AlertNotificationTarget":
		r.warn(doc, "kind", "%s is not read", kind)
	case "":
	default:
		r.fault(doc, "kind", "%q is not a kind of OpenSLO v1", kind)
	}
	return ""
}

// remember keeps the document under its name.
func (r *reader) remember(in map[string]*yaml.Node, doc *yaml.Node) {
	name := r.metadata(child(doc, "metadata"), "metadata").name
	if other := in[name]; other != nil && name != "" {
		r.fault(doc, "metadata.name", "%q is on line %d already", name, other.Line)
		return
	}
	in[name] = doc
}
