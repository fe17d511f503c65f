package kayenta

import (
	"fmt"
	"maps"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// checkName is the name under which the findings of the judge appear.
const checkName = "kayenta"

// The codes of findings.
const (
	CodeScore  = "kayenta_score"  // the summary score against its thresholds
	CodeMetric = "kayenta_metric" // one metric
)

// Answer is a judgement in the words of a rollout controller.
type Answer struct {
	Decision analysis.Decision
	Resume   analysis.Resume    // who ends a pause
	Reason   analysis.Reason    // why
	Findings []analysis.Finding // the summary first, then the metrics in the order of the results
}

// Verdict turns a judgement into a decision, so that the judge can stand in for
// the decision over a policy: Pass continues, Marginal pauses until a person has
// looked, Fail rolls back. In these cases it is more careful than Kayenta:
//
//	Fail or Marginal without any metric   automatic pause: it rests on missing
//	High or Low                           data, which is no harm
//	score set to 0 by missing data        the same, unless a critical metric was
//	                                      High or Low
//	Pass with a metric in Error           manual pause: Kayenta leaves it out
//	Pass without any metric that had      automatic pause: nothing speaks for the
//	values on both sides                  canary
//	a class that is none of the three     manual pause
//
// The first finding is the summary and alone is required: its outcome and
// severity ask for the decision by the rules of package analysis. Each further one
// is a metric, for the report, and its estimate is the shift in the direction
// that is worse.
//
// An Answer is for one judgement. A controller that judges repeatedly has to stop
// at the first Rollback, as [Thresholds.Run] does; the errors of the judge are not
// bounded over several looks.
func Verdict(r Result) Answer {
	f := r.summarise()
	a := Answer{Findings: []analysis.Finding{f}, Reason: analysis.Reason{Check: checkName, Text: f.Message}}
	for i := range r.Results {
		a.Findings = append(a.Findings, r.Results[i].finding())
	}
	switch f.Outcome {
	case analysis.Pass:
		a.Decision, a.Reason.Code = analysis.Continue, analysis.ReasonNoHarm
		a.Reason.Text += " No significant difference was found, which does not say that there is none."
	case analysis.Harm:
		a.Decision, a.Resume, a.Reason.Code = analysis.Rollback, analysis.Manual, analysis.ReasonHarm
		if f.Severity == analysis.SeverityPause {
			a.Decision = analysis.Pause
		}
	case analysis.NoData:
		a.Decision, a.Resume, a.Reason.Code = analysis.Pause, analysis.Auto, analysis.ReasonNoEvidence
	default:
		a.Decision, a.Resume, a.Reason.Code = analysis.Pause, analysis.Manual, analysis.ReasonInvalid
	}
	return a
}

// tally counts what the unmuted results of a judgement say.
type tally struct {
	unmuted, missing, errors, evidence, harmful int
	critical                                    bool // a critical metric failed, whatever its label
	criticalHarm                                bool // one that was High or Low
}

func (r *Result) tally() tally {
	var t tally
	for i := range r.Results {
		m := &r.Results[i]
		if m.Muted {
			continue
		}
		t.unmuted++
		harm := m.Classification == High || m.Classification == Low
		switch {
		case harm:
			t.harmful++
		case m.Classification == NoData:
			t.missing++
		case m.Classification != Pass && m.Classification != NoDataFail: // Error, or a label of another judge
			t.errors++
		}
		if (harm || m.Classification == Pass) && m.hasData() {
			t.evidence++
		}
		t.critical = t.critical || m.failsCritically()
		t.criticalHarm = t.criticalHarm || m.failsCritically() && harm
	}
	return t
}

// restsOnMissing reports whether a score below the pass threshold is owed to
// missing data rather than to a metric that got worse.
func (t tally) restsOnMissing() bool {
	switch {
	case t.criticalHarm:
		return false
	case t.critical || tooManyMissing(t.missing, t.unmuted):
		return true
	}
	return t.harmful == 0
}

func (m *MetricResult) hasData() bool {
	return m.ControlMetadata.Stats.Count > 0 && m.ExperimentMetadata.Stats.Count > 0
}

// summarise is the finding about the score.
func (r *Result) summarise() analysis.Finding {
	f := analysis.NewFinding(checkName, CodeScore, "score")
	f.Required, f.Severity, f.Unit = true, analysis.SeverityRollback, "points"
	f.Method = "weighted sum of classifications"
	f.Estimate.Point = r.Score.Score
	if p := r.Thresholds.Pass; p != nil {
		f.Limit = stats.Float(*p)
	}
	t := r.tally()
	f.Message = fmt.Sprintf("Score %v is a %s: %d of %d metrics High or Low, %d without data, %d in error.",
		r.Score.Score, r.Score.Classification, t.harmful, t.unmuted, t.missing, t.errors)
	if r.Score.ClassificationReason != "" {
		f.Message += " Set to 0: " + r.Score.ClassificationReason + "."
	}
	failed := r.Score.Classification != ClassPass
	switch {
	case failed && r.Score.Classification != ClassMarginal && r.Score.Classification != ClassFail:
		f.Outcome = analysis.Invalid
		f.Message = fmt.Sprintf("The class %q is unknown. %s", r.Score.Classification, f.Message)
	case failed && !t.restsOnMissing():
		f.Outcome = analysis.Harm
		if r.Score.Classification == ClassMarginal {
			f.Severity = analysis.SeverityPause
		}
	case t.errors > 0:
		f.Outcome = analysis.Invalid
		f.Message += " Kayenta leaves metrics in error out of the score."
	case t.evidence == 0:
		f.Outcome = analysis.NoData
		f.Message += " No metric had values on both sides."
	case failed:
		f.Outcome = analysis.NoData
		f.Message += " No metric that had data explains it: it is owed to missing data, or to the weights."
	default:
		f.Outcome = analysis.Pass
	}
	return f
}

// finding describes one metric. It is there for the report and cannot decide: in
// Kayenta a metric acts through the score only.
func (m *MetricResult) finding() analysis.Finding {
	f := analysis.NewFinding(checkName, CodeMetric, m.Name)
	maps.Copy(f.Slice, m.Tags)
	f.Severity, f.Message = analysis.SeverityWarn, fmt.Sprintf("%s: %s.", m.Name, m.ClassificationReason)
	f.N = analysis.Counts{Baseline: uint64(max(m.ControlMetadata.Stats.Count, 0)), Candidate: uint64(max(m.ExperimentMetadata.Stats.Count, 0))}
	f.Method = "Mann-Whitney interval of the shift, Kayenta's variant"
	c := m.ResultMetadata
	f.Details = []analysis.Detail{{Name: "ratio of means", Value: c.Ratio}}
	switch {
	case m.Muted:
		f.Outcome = analysis.Muted
	case m.Classification == High || m.Classification == Low:
		f.Outcome = analysis.Harm
	case m.Classification == NoData || m.Classification == NoDataFail || m.Classification == Pass && !m.hasData():
		f.Outcome = analysis.NoData
	case m.Classification == Pass:
		f.Outcome = analysis.Pass
	default:
		f.Outcome = analysis.Invalid
	}
	if m.hasData() && f.Outcome != analysis.Invalid {
		f.Estimate, f.Limit = c.Shift, c.Bound
		if m.Classification == Low || c.Direction == "decrease" {
			f.Estimate = stats.Interval{Point: 0 - c.Shift.Point, Lo: 0 - c.Shift.Hi, Hi: 0 - c.Shift.Lo, Level: c.Shift.Level}
		}
	}
	return f
}
