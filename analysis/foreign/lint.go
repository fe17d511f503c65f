package foreign

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/stats"
	"go.yaml.in/yaml/v3"
)

// Level says how bad a finding is.
type Level int8

// Levels of findings.
const (
	LevelInfo    Level = iota // worth knowing
	LevelWarning              // decides otherwise than most would expect, in some runs
	LevelError                // the metric cannot do what it is there for
)

var levelWords = [...]string{"info", "warning", "error"}

// String returns "info", "warning" or "error".
func (l Level) String() string {
	if l < 0 || int(l) >= len(levelWords) {
		return fmt.Sprintf("Level(%d)", int8(l))
	}
	return levelWords[l]
}

// Finding is a trap in an analysis of Argo Rollouts.
type Finding struct {
	File         string
	Line, Column int
	Level        Level
	Rule         string // such as nan-passes; the rules are listed at [LintArgo]
	Metric       string // "" for what is about the template
	What         string // what will happen
	Mend         string // how to change that
}

// String returns "file:line:column: level: rule: metric: what; mend".
func (f Finding) String() string {
	metric := ""
	if f.Metric != "" {
		metric = f.Metric + ": "
	}
	return fmt.Sprintf("%s:%d:%d: %v: %s: %s%s %s", f.File, f.Line, f.Column, f.Level, f.Rule, metric, f.What, f.Mend)
}

// LintArgo reads the AnalysisTemplates, ClusterAnalysisTemplates and AnalysisRuns
// of a file and reports, by place, where Argo Rollouts decides otherwise than one
// would expect. It follows Argo Rollouts 1.9.
//
// Conditions are tried on the results that cause trouble, a NaN and an empty list,
// and reported only when the outcome is certain. One that is beyond the part of the
// expression language that is read here is reported as unreadable, and otherwise
// left alone. The rules are
//
//	no-condition        every measurement is Successful
//	nan-passes          a NaN is Successful
//	nan-inconclusive    a NaN is neither a success nor a failure, and pauses
//	empty-passes        no data is Successful
//	empty-aborts        no data is an Error, and a few of those abort
//	list-compared       a list is compared with a number, which always is an Error
//	unknown-name        a name that conditions do not have, which always is an Error
//	gap                 values that are neither a success nor a failure
//	unreadable          a condition that could not be read
//	one-measurement     a single measurement decides
//	no-interval         several measurements without an interval are refused
//	endless             the metric never completes by itself
//	failure-limit       no measurement can fail the metric
//	one-failure         a single bad measurement of several aborts
//	error-limit         a short outage of the provider aborts
//	no-initial-delay    the first measurement is taken before there can be data
//	terminated-passes   a run that ends before its first measurement is Successful
//	web-not-json        an answer that is no JSON is Successful
//	dry-run             the metric cannot fail
//	dry-run-unmatched   dryRun names no metric
//
// Errors: a file that cannot be read or holds a value of the wrong type wraps
// [stats.ErrDomain]; one without an analysis template, [stats.ErrEmpty]. Cost:
// linear in the size of the file, which is at most 1 MiB.
func LintArgo(name string, data []byte) ([]Finding, error) {
	in := newImporter(name, Argo)
	l := &linter{file: name}
	templates := 0
	for _, d := range in.documents(data) {
		if !isArgoTemplate(d) {
			continue
		}
		templates++
		t := readArgoTemplate(d)
		l.dryRun(t)
		for _, o := range t.objects("metrics") {
			l.metric(t.metric(o))
		}
	}
	if err := in.err(); err != nil {
		return nil, fmt.Errorf("foreign: LintArgo: %w", err)
	}
	if templates == 0 {
		return nil, fmt.Errorf("foreign: LintArgo: %s has no AnalysisTemplate, ClusterAnalysisTemplate or AnalysisRun: %w", name, stats.ErrEmpty)
	}
	slices.SortStableFunc(l.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Rule, b.Rule))
	})
	return l.findings, nil
}

type linter struct {
	file     string
	findings []Finding
}

func (l *linter) add(at *yaml.Node, level Level, rule, metric, what, mend string) {
	if at == nil {
		at = &yaml.Node{}
	}
	l.findings = append(l.findings, Finding{l.file, max(at.Line, 1), max(at.Column, 1), level, rule, shorten(metric), what, mend})
}

// metric applies the rules to one metric.
func (l *linter) metric(m argoMetric) {
	if m.judged() {
		l.conditions(m)
		l.empties(m)
	}
	l.counts(m)
	l.limits(m)
	l.times(m)
	if m.provider == "web" {
		l.web(m)
	}
}

// at is the place of a key, or that of the metric when it is not there.
func (m argoMetric) at(key string) *yaml.Node {
	if k, _ := m.find(key); k != nil {
		return k
	}
	return m.node
}

// say reports a finding at a key of the metric.
func (l *linter) say(m argoMetric, key string, level Level, rule, what, mend string) {
	l.add(m.at(key), level, rule, m.name, what, mend)
}

func (l *linter) dryRun(t argoTemplate) {
	metrics := t.objects("metrics")
	for _, e := range t.dry {
		_, v := e.find("metricName")
		if e.form == nil {
			l.add(v, LevelError, "dry-run-unmatched", "", fmt.Sprintf("%q is not a regular expression.", shorten(e.pattern)), "Write the name of a metric.")
			continue
		}
		hit := false
		for _, m := range metrics {
			if name := m.peek("name"); e.form.MatchString(name) {
				hit = true
				l.add(v, LevelWarning, "dry-run", name, fmt.Sprintf("It matches %q, so whatever it measures, it cannot stop the rollout.", shorten(e.pattern)), "Take it out of dryRun when it has proven itself; the pattern matches any part of a name unless it has ^ and $.")
			}
		}
		if !hit {
			l.add(v, LevelWarning, "dry-run-unmatched", "", fmt.Sprintf("No metric of this template matches %q.", shorten(e.pattern)), "Correct the name or remove the entry.")
		}
	}
}
