package analysis

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rampguard/rampguard/stats"
)

// LabelUser is a [Check] that says whether it rests on labels. Any other check does
// when it asks for the label column.
type LabelUser interface {
	Check
	UsesLabels() bool
}

// usesLabels reports whether the check of the entry rests on labels.
func (p *Policy) usesLabels(e *CheckEntry) bool {
	if u, ok := e.Check.(LabelUser); ok {
		return u.UsesLabels()
	}
	return slices.ContainsFunc(e.Check.Columns(), func(c ColumnSpec) bool {
		return c.Role == Label || c.Name != "" && p.Columns.Label != "" && p.restsOn(c.Name, p.Columns.Label)
	})
}

// labels are the rules of labels that need the checks.
func (r *policyReader) labels(top *Params) {
	p := r.policy
	if p.Labels.Maturity <= 0 || p.Columns.Label == "" || p.Columns.Time != "" {
		return
	}
	for i := range p.Checks {
		if e := &p.Checks[i]; e.Check != nil && p.usesLabels(e) {
			top.Errorf("labels", "maturity %s cannot be applied, because columns.time names no column to tell the age of a label by, and %s needs labels; name it, or cut the logs yourself and remove maturity",
				formatDuration(p.Labels.Maturity), e.Check.Name())
			return
		}
	}
}

// checkLabels is the check that findings about the age of labels belong to.
const checkLabels = "evidence"

// mature brings into the findings of a check that rests on labels what is known of
// their age: whether the arms were cut alike, and when there will be any. It
// returns when that is, the zero time if nothing is waited for or it is not known.
func (p *Policy) mature(e *CheckEntry, fs []Finding, strata []Stratum, now time.Time) time.Time {
	if !p.usesLabels(e) {
		return time.Time{}
	}
	if e.Baseline == Concurrent {
		for _, s := range strata {
			if !s.cutAlike() {
				distrustStage(fs, s.Stage)
			}
		}
	}
	if _, adds := e.Check.(Stratified); !adds && e.Baseline == Concurrent {
		strata = strata[len(strata)-1:]
	}
	text, ripe := p.unripe(strata, e.Baseline == Concurrent, now)
	if text == "" {
		return time.Time{}
	}
	waits := false
	for i := range fs {
		f := &fs[i]
		if f.Outcome != NoData && f.Outcome != Insufficient {
			continue
		}
		if f.Code == "no_labels" {
			f.Outcome = Insufficient // the rows are there, and nothing is wrong with them
		}
		f.Message += " " + text
		waits = waits || f.Required
	}
	if !waits {
		return time.Time{}
	}
	return ripe
}

// cutAlike reports whether labels had equal time to arrive in both arms.
func (s *Stratum) cutAlike() bool {
	b, c := s.Baseline, s.Candidate
	return b == nil || c == nil || b.RowCount == 0 || c.RowCount == 0 || b.MatureBefore.Equal(c.MatureBefore)
}

// distrustStage marks the findings that rest on the evidence of a stage.
func distrustStage(fs []Finding, stage string) {
	for i := range fs {
		if f := &fs[i]; f.Outcome != Muted && (f.Stage == "" || f.Stage == stage) {
			f.Untrusted = true
		}
	}
}

// unripe says that an arm has no row that is old enough for its label to count, if
// so, and when that will change, as far as it is known.
func (p *Policy) unripe(strata []Stratum, both bool, now time.Time) (text string, ripe time.Time) {
	if p.Labels.Maturity <= 0 {
		return "", ripe
	}
	arms := []func(*Stratum) *Snapshot{func(s *Stratum) *Snapshot { return s.Candidate }}
	if both {
		arms = append(arms, func(s *Stratum) *Snapshot { return s.Baseline })
	}
	found := false
	for _, arm := range arms {
		var rows, mature uint64
		var span TimeRange
		for i := range strata {
			if s := arm(&strata[i]); s != nil {
				rows, mature = rows+s.RowCount, mature+s.MatureRows()
				if c := s.ByRole(Clock); c != nil {
					span.merge(c.Clock)
				}
			}
		}
		if rows == 0 || mature > 0 {
			continue
		}
		found = true
		if span.N == 0 {
			return "No row has a time, so that no label is known to be old enough.", time.Time{}
		}
		if t := time.UnixMicro(span.Min).UTC().Add(p.Labels.Maturity); t.After(ripe) {
			ripe = t
		}
	}
	after := formatDuration(p.Labels.Maturity)
	switch {
	case !found:
		return "", time.Time{}
	case !now.IsZero() && !ripe.After(now):
		return fmt.Sprintf("No row was older than the %s that labels take to mature when the evidence was collected; the first one was on %s.", after, ripe.Format(time.RFC3339)), time.Time{}
	}
	return fmt.Sprintf("No row is older than the %s that labels take to mature; the first ones will be on %s.", after, ripe.Format(time.RFC3339)), ripe
}

// labelAge are the findings about the age of labels as a whole: arms whose labels
// had unequal time to arrive, and arms with labels younger than the policy's
// maturity.
func (p *Policy) labelAge(l *Look, strata []Stratum) []Finding {
	i := slices.IndexFunc(p.Checks, func(e CheckEntry) bool { return !e.Muted && p.usesLabels(&e) })
	if i < 0 {
		return nil
	}
	var out []Finding
	var young []string
	note := func(arm, stage string, s *Snapshot) {
		if p.Labels.Maturity <= 0 || s == nil || s.RowCount == 0 || s.ByRole(Label) == nil || s.matureFor(p.Labels.Maturity, l.Now) {
			return
		}
		if stage != "" {
			arm += " in stage " + stage
		}
		young = append(young, fmt.Sprintf("the %s (%v)", arm, s.MatureBefore))
	}
	for _, s := range strata {
		if !s.cutAlike() {
			f := NewFinding(checkLabels, "label_maturity", checkLabels)
			f.Outcome, f.Severity, f.Required, f.Local, f.Stage = Invalid, SeverityPause, true, true, s.Stage
			f.N = Counts{Baseline: s.Baseline.RowCount, Candidate: s.Candidate.RowCount}
			f.Message = fmt.Sprintf("Labels had unequal time to arrive: those of the baseline count up to %v, those of the candidate up to %v. Collect both arms again with one cutoff.", s.Baseline.MatureBefore, s.Candidate.MatureBefore)
			out = append(out, f)
			continue
		}
		note("baseline", s.Stage, s.Baseline)
		note("candidate", s.Stage, s.Candidate)
		note("pairs", s.Stage, s.Pairs.labelled())
	}
	note("previous window", "", l.Previous)
	if len(young) > 0 {
		f := NewFinding(checkLabels, "labels_not_cut", checkLabels)
		n := float64(len(young))
		f.Outcome, f.Severity = Warn, SeverityWarn
		f.Estimate, f.Limit, f.Unit = stats.Interval{Point: n, Lo: n, Hi: n}, 0, "snapshots"
		f.Message = fmt.Sprintf("The policy lets labels mature for %s, but labels of younger rows count in the evidence of %s; the cutoff that it was collected with is in brackets.",
			formatDuration(p.Labels.Maturity), strings.Join(young, ", "))
		out = append(out, f)
	}
	return out
}

// matureFor reports whether every label that counts was that old at the time of the
// look; without a time, whether there was a cutoff at all.
func (s *Snapshot) matureFor(maturity time.Duration, now time.Time) bool {
	if now.IsZero() {
		return !s.MatureBefore.Last.IsZero()
	}
	return s.MatureBefore.By(now.Add(-maturity))
}

// MatureBefore is the cutoff with which the evidence of a look is to be collected,
// so that labels count once they have had the policy's maturity to arrive; see
// [Collector.MatureBefore]. It is the zero time, no cutoff, when the policy has no
// maturity, or no columns of labels and times to apply it to.
func (p *Policy) MatureBefore(now time.Time) time.Time {
	if p.Labels.Maturity <= 0 || p.Columns.Label == "" || p.Columns.Time == "" {
		return time.Time{}
	}
	return now.Add(-p.Labels.Maturity).UTC().Truncate(time.Microsecond)
}

// ripens is the time until labels are there that a check waits for.
func (e exposure) ripens(now time.Time) time.Duration {
	if e.ripe.IsZero() || now.IsZero() {
		return 0
	}
	return min(max(0, e.ripe.Sub(now)), maxWait)
}
