package checks

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Warning codes of this package; see the package comment.
const (
	WarnRelative  = "relative_undefined" // a relative limit near a baseline of 0 became an absolute one
	WarnCoverage  = "label_coverage"     // labels arrive at different rates in the two arms
	WarnFractions = "fractional_counts"  // a provider's counts are no whole numbers
	WarnMissing   = "missing_windows"    // a provider had nothing for some windows
	WarnOpenEnd   = "open_bucket"        // a quantile lies in the bucket without an end
	WarnSkewed    = "skewed"             // too few rows for the normal approximation of so skewed a metric
)

// look is what every check reads from the evidence, with the errors made safe: a
// share of the budget that is not a probability buys nothing.
type look struct {
	alpha  float64 // error of Harm
	noHarm float64 // error of Pass, on one side
	policy analysis.Policy
}

func newLook(ev *analysis.Evidence) look {
	l := look{alpha: ev.Alpha, noHarm: ev.NoHarmAlpha}
	if !(l.alpha > 0 && l.alpha < 0.5) {
		l.alpha = 0
	}
	if !(l.noHarm > 0 && l.noHarm < 0.5) {
		l.noHarm = analysis.NoHarmAlpha
	}
	if ev.Policy != nil {
		l.policy = *ev.Policy
	}
	return l
}

// level is the coverage of the two-sided interval whose ends have the error of a
// Pass each.
func (l look) level() float64 { return 1 - 2*l.noHarm }

// interval puts an estimate between its bounds. Bounds of different methods may
// leave the estimate outside; it then stands at the nearer end.
func (l look) interval(point float64, s span) stats.Interval {
	if s.lo > s.hi || math.IsNaN(s.lo) || math.IsNaN(s.hi) {
		s = unknown
	}
	return stats.Interval{Point: point, Lo: math.Min(s.lo, point), Hi: math.Max(s.hi, point), Level: l.level()}
}

// verdict holds an estimate against a limit: proven beyond it, proven below it,
// or neither. Larger is worse.
func verdict(f *analysis.Finding) analysis.Outcome {
	limit := float64(f.Limit)
	switch {
	case math.IsNaN(f.Estimate.Point) || math.IsNaN(limit):
		return analysis.Inconclusive
	case float64(f.HarmBound) > limit:
		return analysis.Harm
	case f.Estimate.Hi < limit:
		return analysis.Pass
	}
	return analysis.Inconclusive
}

// problem says why there is no number.
type problem struct {
	code    string
	outcome analysis.Outcome
	text    string
}

func noData(code, format string, args ...any) *problem {
	return &problem{code, analysis.NoData, fmt.Sprintf(format, args...)}
}

// columnAbsent is the problem of a log without a column: waiting would not mend it.
func columnAbsent(arm, name string) *problem {
	return &problem{"column_absent", analysis.Invalid, fmt.Sprintf("The log of the %s has no column %s. Correct the name in the policy, or the log.", arm, name)}
}

// put turns f into the finding about the problem. An Invalid one is local: other
// numbers do not rest on the one that is missing.
func (p *problem) put(f *analysis.Finding) {
	f.Code, f.Outcome, f.Message = p.code, p.outcome, p.text
	f.Local = p.outcome == analysis.Invalid
}

// missing reports an arm without data, or nil.
func missing(ev *analysis.Evidence, check string) []analysis.Finding {
	text := ""
	switch b, c := empty(ev.Baseline), empty(ev.Candidate); {
	case b && c:
		text = "Neither arm has any rows yet."
	case b:
		text = "The baseline has no rows yet, so there is nothing to compare the candidate with."
	case c:
		text = "The candidate has no rows yet."
	default:
		return nil
	}
	f := analysis.NewFinding(check, "no_data", check)
	f.Outcome, f.N, f.Message = analysis.NoData, rows(ev), text
	return []analysis.Finding{f}
}

func empty(s *analysis.Snapshot) bool { return s == nil || s.RowCount == 0 }

// rows are the rows of both arms.
func rows(ev *analysis.Evidence) analysis.Counts {
	var n analysis.Counts
	if ev.Baseline != nil {
		n.Baseline = ev.Baseline.RowCount
	}
	if ev.Candidate != nil {
		n.Candidate = ev.Candidate.RowCount
	}
	return n
}

func detail(name string, value float64) analysis.Detail {
	return analysis.Detail{Name: name, Value: stats.Float(value)}
}

func warn(f *analysis.Finding, code, message string) {
	f.Warnings = append(f.Warnings, stats.Warning{Code: code, Message: message})
}

// warnRepeats says that rows of one unit were taken for independent.
func warnRepeats(f *analysis.Finding, ev *analysis.Evidence) {
	if r := rowsPerUnit(ev.Baseline, ev.Candidate); r > 1 {
		warn(f, stats.WarnRepeatedUnits, "Units repeat, so that "+number(r)+" rows may be worth one; the intervals take rows for independent and are too narrow.")
	}
}
