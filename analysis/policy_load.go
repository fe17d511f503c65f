package analysis

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrPolicy is wrapped by every fault that [LoadPolicy] reports.
var ErrPolicy = errors.New("analysis: the policy is not valid")

// LoadPolicy reads a policy in YAML or JSON. The checks it may use are those of
// reg; name is what messages call the file.
//
// The file is read strictly. Unknown and duplicate keys, values of another type
// than the key wants, and settings that contradict each other are faults; so are
// anchors, aliases, merge keys, tags, and more than one document, because they
// make a policy mean something else than what a reviewer sees. All faults are
// reported together, in the order of their place, as lines of the form
//
//	policy.yaml:12:5: budget: unknown key rollbak; did you mean rollback?
//
// joined with [errors.Join], each of which wraps [ErrPolicy]. What is odd but
// not wrong is in the Warnings of the policy.
//
// A file with the key deployment is a deployment file: its stages are taken
// over, and each metric that a stage waits for becomes a guardrail with an
// absolute bound at which the candidate is rolled back. The metrics are
//
//   - error-rate, at most threshold percent: the mean of the column "error";
//   - latency-p99, at most threshold milliseconds: a quantile of the column
//     "latency_ms";
//   - accuracy, at least threshold: of the columns "score" and "label", unless
//     the file names others under columns.
//
// The other keys of a policy may stand beside it.
func LoadPolicy(name string, data []byte, reg Registry) (*Policy, error) {
	p, _, err := loadPolicy(name, data, reg)
	return p, err
}

// CanonicalPolicy returns the canonical form of a policy, whose SHA-256 is its
// Digest: JSON without white space, keys sorted, defaults written out, numbers
// and quantities in one spelling. It is itself a policy, with the same digest.
// The arguments and errors are those of [LoadPolicy].
func CanonicalPolicy(name string, data []byte, reg Registry) ([]byte, error) {
	_, canon, err := loadPolicy(name, data, reg)
	return canon, err
}

func loadPolicy(name string, data []byte, reg Registry) (*Policy, []byte, error) {
	r := &policyReader{file: name, reg: reg, policy: &Policy{}}
	root := r.parse(data)
	if root == nil {
		return nil, nil, r.err()
	}
	top := r.newParams(root, "")
	r.sections(top)
	r.engine(top)
	r.checks(top)
	r.labels(top)
	r.refuseContinue(top)
	r.reach(top)
	top.unused()
	if err := r.err(); err != nil {
		return nil, nil, err
	}
	if _, err := r.policy.Spec(); err != nil {
		r.misfit(top, err)
		return nil, nil, r.err()
	}
	if _, err := r.policy.PairSpec(); err != nil {
		top.Errorf("pairs", "%s", strings.TrimPrefix(err.Error(), "analysis: NewPairSpec: "))
		return nil, nil, r.err()
	}
	r.warnings(top)
	sortFaults(r.odd)
	for i := range r.odd {
		r.policy.Warnings = append(r.policy.Warnings, r.odd[i].Error())
	}
	canon, err := r.policy.canonical(r.entries)
	if err != nil {
		r.fault(root, "no canonical form: %v", err)
		return nil, nil, r.err()
	}
	sum := sha256.Sum256(canon)
	r.policy.Digest = hex.EncodeToString(sum[:])
	return r.policy, canon, nil
}

// policyReader is the state of one LoadPolicy.
type policyReader struct {
	file    string
	reg     Registry
	policy  *Policy
	entries []*Params // the checks, as written, in the order of policy.Checks
	faults  []policyFault
	odd     []policyFault // what becomes warnings
}

// policyFault is one thing wrong with a policy file.
type policyFault struct {
	file      string
	line, col int
	msg       string
}

func (f *policyFault) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.file, f.line, f.col, f.msg)
}

func (f *policyFault) Unwrap() error { return ErrPolicy }

// maxFaults is how many faults are shown; nobody mends more in one go.
const maxFaults = 50

func (r *policyReader) fault(n *yaml.Node, format string, args ...any) {
	r.faults = append(r.faults, r.at(n, fmt.Sprintf(format, args...)))
}

func (r *policyReader) at(n *yaml.Node, msg string) policyFault {
	return policyFault{file: r.file, line: max(n.Line, 1), col: max(n.Column, 1), msg: msg}
}

func sortFaults(fs []policyFault) {
	slices.SortStableFunc(fs, func(a, b policyFault) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.col, b.col))
	})
}

// err joins the faults by place.
func (r *policyReader) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	sortFaults(r.faults)
	faults := slices.Compact(r.faults)
	if n := len(faults) - maxFaults; n > 0 {
		faults = faults[:maxFaults]
		faults = append(faults, r.at(&yaml.Node{Line: faults[maxFaults-1].line}, fmt.Sprintf("and %d more faults", n)))
	}
	errs := make([]error, len(faults))
	for i := range faults {
		errs[i] = &faults[i]
	}
	return errors.Join(errs...)
}
