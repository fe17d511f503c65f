package foreign

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rampguard/rampguard/stats"
)

// Kind names the system that a file was written for.
type Kind string

// The kinds of files that can be read.
const (
	Kayenta Kind = "kayenta" // a canary config in JSON
	Flagger Kind = "flagger" // Canary, with its MetricTemplates
	Argo    Kind = "argo"    // AnalysisTemplate, ClusterAnalysisTemplate, AnalysisRun and Rollout of Argo Rollouts
	Keptn   Kind = "keptn"   // slo.yaml, and AnalysisDefinition of the lifecycle toolkit
	OpenSLO Kind = "openslo" // SLO of version v1, with its SLIs
)

// Severity says what became of a key of the source.
type Severity int8

// What became of a key.
const (
	Mapped       Severity = iota // it means the same in the policy
	Approximated                 // something near it is in the policy; the note says what differs
	Dropped                      // nothing in the policy stands for it
)

var severityWords = [...]string{"mapped", "approximated", "dropped"}

// String returns "mapped", "approximated" or "dropped".
func (s Severity) String() string {
	if s < 0 || int(s) >= len(severityWords) {
		return fmt.Sprintf("Severity(%d)", int8(s))
	}
	return severityWords[s]
}

// Note says what became of one key of the source. A note about a key that holds
// other keys is about all of them, unless they have notes of their own.
type Note struct {
	File         string
	Line, Column int
	What         string // the path of the key, such as spec.metrics[0].count
	Why          string
	Severity     Severity
}

// String returns "file:line:column: severity: what: why".
func (n Note) String() string {
	return fmt.Sprintf("%s:%d:%d: %v: %s: %s", n.File, n.Line, n.Column, n.Severity, n.What, n.Why)
}

// Imported is what became of a file.
type Imported struct {
	Kind Kind
	// Policy is a policy in YAML, with comments. It loads with the built-in checks.
	Policy []byte
	// Notes, by place, leave no key of the source out: each has a note, or a key above
	// or the keys below it have.
	Notes []Note
}

// importers turn the documents of a file into a draft.
var importers = map[Kind]func(*importer, []object){
	Kayenta: (*importer).kayenta,
	Flagger: (*importer).flagger,
	Argo:    (*importer).argo,
	Keptn:   (*importer).keptn,
	OpenSLO: (*importer).openslo,
}

// Detect tells the kind of a file from the versions and keys of its documents.
//
// Errors: a file that is not YAML or JSON, of which no document is known, or with
// documents of two kinds, wraps [stats.ErrDomain]; one that is empty,
// [stats.ErrEmpty].
func Detect(data []byte) (Kind, error) {
	in := newImporter("input", "")
	docs := in.documents(data)
	if err := in.err(); err != nil {
		return "", fmt.Errorf("foreign: Detect: %w", err)
	}
	return detect(docs)
}

func detect(docs []object) (Kind, error) {
	var found []Kind
	for _, d := range docs {
		if k := kindOf(d); k != "" && !slices.Contains(found, k) {
			found = append(found, k)
		}
	}
	switch {
	case len(docs) == 0:
		return "", fmt.Errorf("foreign: Detect: the file has no document: %w", stats.ErrEmpty)
	case len(found) == 0:
		return "", fmt.Errorf("foreign: Detect: no document is a Kayenta canary config, a Flagger Canary, an Argo AnalysisTemplate or Rollout, a Keptn slo.yaml or AnalysisDefinition, or an OpenSLO v1 SLO: %w", stats.ErrDomain)
	case len(found) > 1:
		return "", fmt.Errorf("foreign: Detect: the file has documents of %s and of %s; split it: %w", found[0], found[1], stats.ErrDomain)
	}
	return found[0], nil
}

// kindOf tells the kind of one document, or "" where it is none of them.
func kindOf(d object) Kind {
	api, kind := d.peek("apiVersion"), d.peek("kind")
	is := func(group string, kinds ...string) bool {
		return strings.HasPrefix(api, group) && slices.Contains(kinds, kind)
	}
	switch {
	case is("flagger.app/", "Canary", "MetricTemplate"):
		return Flagger
	case is("argoproj.io/", "AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun", "Rollout"):
		return Argo
	case is("metrics.keptn.sh/", "AnalysisDefinition"):
		return Keptn
	case is("openslo/v1", "SLO", "SLI"):
		return OpenSLO
	case api != "":
		return ""
	case d.has("objectives") && (d.has("spec_version") || d.has("total_score") || d.has("comparison")):
		return Keptn
	case d.has("metrics") && (d.has("judge") || d.has("classifier")):
		return Kayenta
	}
	return ""
}

// Import turns a file of another system into a policy. An empty kind is detected;
// name is what notes and errors call the file.
//
// The policy is a start for a person to go on from. Limits keep their numbers. A
// point threshold becomes a gauge that k of n windows must breach, a ratio of
// counts a guardrail; each comes with the place that it was made from. Queries
// stand in comments, since a policy names metrics only.
//
// Errors: a file that cannot be read, holds a value of the wrong type or is not
// of the kind wraps [stats.ErrDomain]; all faults are reported together, as
// "file:line:column: path: what is wrong". A file from which no check can be made
// is an error that wraps [stats.ErrEmpty]; its Imported has the Notes that say why,
// and no Policy.
//
// Cost: linear in the size of the file, which is at most 1 MiB.
func Import(kind Kind, name string, data []byte) (Imported, error) {
	in := newImporter(name, kind)
	docs := in.documents(data)
	if err := in.err(); err != nil {
		return Imported{}, fmt.Errorf("foreign: Import: %w", err)
	}
	if kind == "" {
		found, err := detect(docs)
		if err != nil {
			return Imported{}, err
		}
		in.kind = found
	}
	read := importers[in.kind]
	if read == nil {
		return Imported{}, fmt.Errorf("foreign: Import: there is no kind %q; known: argo, flagger, kayenta, keptn, openslo: %w", kind, stats.ErrDomain)
	}
	in.data = data
	read(in, docs)
	if err := in.err(); err != nil {
		return Imported{}, fmt.Errorf("foreign: Import: %w", err)
	}
	for _, d := range docs {
		in.sweep(d.node, d.path)
	}
	out := Imported{Kind: in.kind, Notes: in.sortedNotes()}
	if len(in.out.checks) == 0 {
		return out, fmt.Errorf("foreign: Import: %s: no check can be made from it; the notes say why: %w", name, stats.ErrEmpty)
	}
	policy, err := in.out.render(in)
	if err != nil {
		return out, err
	}
	out.Policy = policy
	return out, nil
}
