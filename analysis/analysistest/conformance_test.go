package analysistest_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/analysistest"
)

// fake is a sound check of a feature, but for what a test changes about it.
type fake struct {
	name    string
	columns func() []analysis.ColumnSpec
	run     func(*analysis.Evidence) ([]analysis.Finding, error)
}

func (c *fake) Name() string { return c.name }

func (c *fake) Columns() []analysis.ColumnSpec {
	if c.columns != nil {
		return c.columns()
	}
	return []analysis.ColumnSpec{{Name: "amount", Sums: true}}
}

func (c *fake) Run(ev *analysis.Evidence) ([]analysis.Finding, error) { return c.run(ev) }

// rows is the finding of a sound check: how many rows the candidate has.
func rows(ev *analysis.Evidence) analysis.Finding {
	f := analysis.NewFinding("fake", "rows", "rows")
	f.Alpha = ev.Alpha
	if ev.Candidate == nil || ev.Candidate.RowCount == 0 {
		f.Outcome, f.Message = analysis.NoData, "There are no rows."
		return f
	}
	f.Outcome, f.Message = analysis.Pass, "There are rows."
	f.Estimate.Point = float64(ev.Candidate.RowCount)
	return f
}

func TestASoundCheckConforms(t *testing.T) {
	sound := &fake{name: "fake", run: func(ev *analysis.Evidence) ([]analysis.Finding, error) {
		return []analysis.Finding{rows(ev)}, nil
	}}
	analysistest.CheckConformance(t, sound)
	analysistest.CheckConformance(t, errorRate{Bound: 0.05})
}

// TestEveryRuleCanBreak breaks one rule after the other.
func TestEveryRuleCanBreak(t *testing.T) {
	calls := 0
	change := func(f func(*analysis.Evidence, *analysis.Finding)) func(*analysis.Evidence) ([]analysis.Finding, error) {
		return func(ev *analysis.Evidence) ([]analysis.Finding, error) {
			out := rows(ev)
			f(ev, &out)
			return []analysis.Finding{out}, nil
		}
	}
	columns := func(ev *analysis.Evidence) *analysis.ColumnSummary {
		if ev.Candidate == nil {
			return nil
		}
		return ev.Candidate.Column("amount")
	}
	for _, tt := range []struct {
		rule  string
		check *fake
	}{
		{"a check has a name", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) { f.Check = "" })}},
		{"a check asks for the same every time", &fake{columns: func() []analysis.ColumnSpec {
			calls++
			return []analysis.ColumnSpec{{Name: "amount", Sums: calls%2 == 0}}
		}, run: change(func(*analysis.Evidence, *analysis.Finding) {})}},
		{"a check does not panic on data", &fake{run: change(func(ev *analysis.Evidence, f *analysis.Finding) {
			f.N.Baseline = ev.Baseline.RowCount // without a look at nil
		})}},
		{"a check does not fail on data", &fake{run: func(ev *analysis.Evidence) ([]analysis.Finding, error) {
			if c := columns(ev); c != nil && c.Type == analysis.String {
				return nil, errors.New("cannot compare text")
			}
			return []analysis.Finding{rows(ev)}, nil
		}}},
		{"a check reports at least one finding", &fake{run: func(ev *analysis.Evidence) ([]analysis.Finding, error) {
			if ev.Candidate == nil {
				return nil, nil
			}
			return []analysis.Finding{rows(ev)}, nil
		}}},
		{"a check leaves the evidence alone", &fake{run: change(func(ev *analysis.Evidence, _ *analysis.Finding) {
			if ev.Candidate != nil && ev.Baseline != nil && ev.Candidate.RowCount > 0 {
				ev.Baseline.RowCount++
			}
		})}},
		{"a check leaves the evidence alone", &fake{run: change(func(ev *analysis.Evidence, _ *analysis.Finding) { ev.Policy.Split.Candidate += 0.1 })}},
		{"the same evidence gives the same findings", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) {
			calls++
			f.UnitsNeeded = uint64(calls)
		})}},
		{"the same evidence gives the same findings", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) {
			f.Message += time.Now().String()
		})}},
		{"a finding carries the name of its check, or none", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) { f.Check = "other" })}},
		{"a finding has a code in snake_case", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) { f.Code = "RowCount" })}},
		{"a finding has a code in snake_case", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) { f.Message = "" })}},
		{"outcome and severity are known words", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) { f.Outcome = 42 })}},
		{"outcome and severity are known words", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) { f.Severity = -1 })}},
		{"a check does not mute itself", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) { f.Outcome = analysis.Muted })}},
		{"a pass or a warning rests on a number", &fake{run: change(func(ev *analysis.Evidence, f *analysis.Finding) {
			if c := columns(ev); c != nil && c.Type == analysis.Absent {
				f.Estimate.Point = math.NaN()
			}
		})}},
		{"a pass or a warning rests on a number", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) { f.Estimate.Point = math.Inf(1) })}},
		{"no rows are no evidence", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) {
			if f.Outcome == analysis.NoData {
				f.Outcome, f.Estimate.Point = analysis.Pass, 0
			}
		})}},
		{"no rows are no evidence", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) {
			if f.Outcome == analysis.NoData {
				f.Outcome = analysis.Harm
			}
		})}},
		{"a finding spends no more than its share", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) { f.Alpha = 0.5 })}},
		{"a finding reads back from JSON", &fake{run: change(func(_ *analysis.Evidence, f *analysis.Finding) {
			f.Window = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
		})}},
		{"parts of a log add up to the log", &fake{run: change(func(ev *analysis.Evidence, f *analysis.Finding) {
			calls++
			if ev.Candidate != nil && ev.Candidate.RowCount > 0 { // by its address, as a cache would
				f.UnitsNeeded = address(ev.Candidate)
			}
		})}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			if !strings.HasPrefix(tt.rule, "a check has a name") {
				tt.check.name = "fake"
			}
			r := new(recorder)
			analysistest.CheckConformance(r, tt.check)
			if !strings.Contains(r.text(), tt.rule) || !strings.Contains(r.text(), "why: ") {
				t.Errorf("the rule is not reported as broken:\n%s", r.text())
			}
		})
	}
}

// address tells snapshots apart by the order in which they are seen.
func address(s *analysis.Snapshot) uint64 {
	for i, o := range seen {
		if o == s {
			return uint64(i)
		}
	}
	seen = append(seen, s)
	return uint64(len(seen) - 1)
}

var seen []*analysis.Snapshot

// Evidence that is given is used, and its policy says what the logs of the suite
// have.
func TestConformanceOnEvidence(t *testing.T) {
	p := gatePolicy()
	calls := 0
	check := &fake{name: "fake", columns: func() []analysis.ColumnSpec { return []analysis.ColumnSpec{{Name: "failed"}} },
		run: func(ev *analysis.Evidence) ([]analysis.Finding, error) {
			if ev.Candidate != nil && ev.Candidate.RowCount == 77 {
				calls++
				return nil, errors.New("77")
			}
			return []analysis.Finding{rows(ev)}, nil
		}}
	p.Checks[0].Check = check
	r := new(recorder)
	analysistest.CheckConformance(r, check, &analysis.Evidence{Baseline: served(p, 80, 10), Candidate: served(p, 77, 10), Policy: p, Alpha: 0.05})
	if calls == 0 || !strings.Contains(r.text(), "on evidence 1: 77") {
		t.Errorf("%d calls: %s", calls, r.text())
	}
	misfit := &fake{name: "fake", columns: func() []analysis.ColumnSpec { return []analysis.ColumnSpec{{Name: "p", Role: analysis.Score}} }}
	r = new(recorder)
	analysistest.CheckConformance(r, misfit)
	if !strings.Contains(r.text(), "give evidence of a policy of its own") {
		t.Error(r.text())
	}
}
