package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rampguard/rampguard/analysis"
)

// served is which versions of the thresholds served an arm.
type served struct {
	rows    uint64
	missing uint64 // rows without a version
	by      map[string]uint64
	unread  bool // the column cannot be read as versions
}

func (v *served) add(s *analysis.Snapshot, column string) {
	v.rows += s.RowCount
	col := s.Column(column)
	if col == nil {
		v.missing += s.RowCount
		return
	}
	v.missing += col.AbsentRows
	if col.Type == analysis.Absent {
		return
	}
	vs, ok := values(col, col)
	v.unread = v.unread || !ok
	for _, x := range vs {
		if x.name == "null" {
			v.missing += x.n.Candidate
			continue
		}
		v.by[x.name] += x.n.Candidate
	}
}

// list names the versions with their rows, the most frequent first.
func (v *served) list() string {
	var names []string
	for name := range v.by {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		switch {
		case v.by[a] > v.by[b]:
			return -1
		case v.by[a] < v.by[b]:
			return 1
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s in %s rows", name, count(v.by[name]))
	}
	return list(names, 4)
}

// only is the version of an arm that has one.
func (v *served) only() string {
	for name := range v.by {
		return name
	}
	return ""
}

// versions reports arms that were not served by one version of the thresholds, that
// of the policy, in every row of every stage; nil when there is nothing to report.
func (a Actions) versions(ev *analysis.Evidence, p analysis.Policy) []analysis.Finding {
	column := p.Columns.PolicyVersion
	if column == "" {
		return nil
	}
	var arms [2]served
	for i := range arms {
		arms[i].by = map[string]uint64{}
	}
	for _, s := range strataOf(ev) {
		for i, snap := range []*analysis.Snapshot{s.Baseline, s.Candidate} {
			if !empty(snap) {
				arms[i].add(snap, column)
			}
		}
	}
	want := [2]string{p.Actions.Version, p.Actions.Version}
	if p.Actions.Candidate != nil {
		want[1] = p.Actions.Candidate.Version
	}
	var out []analysis.Finding
	for i, name := range []string{"baseline", "candidate"} {
		if code, text := arms[i].fault(name, column, want[i]); code != "" {
			out = append(out, a.versionFault(code, name, column, arms, text))
		}
	}
	if out == nil && want[0] == "" && p.Actions.Candidate == nil && arms[0].rows > 0 && arms[1].rows > 0 && arms[0].only() != arms[1].only() {
		text := fmt.Sprintf("The baseline was served by version %s of the thresholds and the candidate by %s, and the policy names none: the models cannot be compared apart from the thresholds. Give the thresholds of both under actions and actions.candidate, with their versions.", arms[0].only(), arms[1].only())
		out = append(out, a.versionFault("wrong_policy_version", "candidate", column, arms, text))
	}
	return out
}

// fault says what is wrong with the versions of one arm.
func (v *served) fault(arm, column, want string) (code, text string) {
	const why = "Rows of different thresholds are no sample of either policy; give the rows of one version only."
	switch {
	case v.rows == 0:
		return "", ""
	case v.unread || len(v.by) > 1:
		what := "too many different versions of the thresholds"
		if !v.unread {
			what = fmt.Sprintf("%d versions of the thresholds: %s", len(v.by), v.list())
		}
		return "mixed_policy_versions", fmt.Sprintf("Column %s has %s, in the %s. %s", column, what, arm, why)
	case v.missing > 0:
		return "no_policy_version", fmt.Sprintf("%s of %s rows of the %s do not say in column %s which version of the thresholds served them, so that they may be of another policy. Log the version with every decision.", count(v.missing), count(v.rows), arm, column)
	case want != "" && v.only() != want:
		return "wrong_policy_version", fmt.Sprintf("The %s was served by version %s of the thresholds in all %s rows, but the policy file has version %s: the log is of another policy than the one that is judged. Give the policy file of version %s, or the rows of version %s.", arm, v.only(), count(v.rows), want, v.only(), want)
	}
	return "", ""
}

func (a Actions) versionFault(code, arm, column string, arms [2]served, text string) analysis.Finding {
	f := analysis.NewFinding(a.Name(), code, arm)
	f.Column, f.Outcome, f.Severity = column, analysis.Invalid, analysis.SeverityPause
	f.N = analysis.Counts{Baseline: arms[0].rows, Candidate: arms[1].rows}
	f.Method, f.Message = "exact counts", text
	return f
}
