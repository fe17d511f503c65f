package checks

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/sla"
	"github.com/rampguard/rampguard/stats"
)

// SLO lets the promotion gate of a service level objective hold a rollout. The
// objective is evaluated elsewhere, by package sla, on samples that no snapshot
// holds; [SLOFinding] turns the answer into a finding, which the look hands in as
// [analysis.Look.Given]. Without it the check has NoData, which holds a rollout
// that requires it.
//
// A burning error budget halts a promotion and never rolls back: whether the
// candidate burns it is for other checks to say.
type SLO struct {
	// Objective is its name.
	Objective string
}

// Name implements [analysis.Check].
func (c SLO) Name() string { return "slo" }

// Columns implements [analysis.Check].
func (c SLO) Columns() []analysis.ColumnSpec { return nil }

// ThresholdOnly implements [analysis.ThresholdOnly].
func (c SLO) ThresholdOnly() {}

// Takes implements [analysis.Taker].
func (c SLO) Takes(f *analysis.Finding) bool {
	return f.Check == c.Name() && f.Metric == c.Objective
}

// Run implements [analysis.Check].
func (c SLO) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	if c.Objective == "" {
		return nil, fmt.Errorf("checks: SLO: no objective is named: %w", stats.ErrDomain)
	}
	var out []analysis.Finding
	for i := range ev.Given {
		if f := ev.Given[i]; c.Takes(&f) {
			f.Severity = min(f.Severity, analysis.SeverityPause)
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		f := analysis.NewFinding(c.Name(), "not_evaluated", c.Objective)
		f.Outcome, f.Compared = analysis.NoData, analysis.Absolute
		f.Message = fmt.Sprintf("Nobody handed in the state of the objective %s.", c.Objective)
		out = append(out, f)
	}
	return out, nil
}

// SLOFinding is the state of an objective as a finding for the check [SLO]: the
// share of its error budget that is spent, Harm when the gate halts promotions,
// NoData when it does so for want of data.
func SLOFinding(e sla.Evaluation, d sla.GateDecision) analysis.Finding {
	f := analysis.NewFinding("slo", "budget", e.Objective)
	f.Compared, f.Unit, f.Limit = analysis.Absolute, "share", 1
	f.Method = "error budget by " + e.Budget.Method.String() + " over " + e.Budget.Window
	f.N.Candidate = uint64(math.Max(0, e.Budget.Events.Total))
	f.Warnings = append(f.Warnings, e.Warnings...)
	why := ""
	for _, r := range d.Reasons {
		why += " " + r.Message + "."
	}
	spent := float64(e.Budget.Consumed)
	if e.Budget.State == sla.NoData || math.IsNaN(spent) {
		f.Code, f.Outcome = "no_data", analysis.NoData
		f.Message = fmt.Sprintf("The objective %s has no data in %s.%s", e.Objective, e.Budget.Window, why)
		return f
	}
	f.Estimate = stats.Interval{Point: spent, Lo: spent, Hi: spent}
	f.Message = fmt.Sprintf("%s of the error budget of %s is spent, %s of %s events were bad.%s",
		percent(spent), e.Objective, number(e.Budget.Events.Total-e.Budget.Events.Good), number(e.Budget.Events.Total), why)
	switch {
	case !d.Passes():
		f.Code, f.Outcome = "promotions_halted", analysis.Harm
	case d.Decision == sla.Warn:
		f.Outcome = analysis.Warn
	default:
		f.Outcome = analysis.Pass
	}
	return f
}

func buildSLO(p *analysis.Params) (analysis.Check, error) {
	c := SLO{Objective: p.Str("objective", "")}
	if c.Objective == "" && !p.Has("objective") {
		p.Errorf("", "name the objective: {check: slo, objective: availability}")
	}
	if p.Severity(analysis.SeverityPause) == analysis.SeverityRollback {
		p.Errorf("severity", "a burning error budget halts promotions and never rolls back; write pause")
	}
	return c, nil
}
