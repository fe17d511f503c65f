package release

import (
	"fmt"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// The gates, in the order of a report. They are the checks of the findings.
const (
	GateContract   = "contract"
	GateSchema     = "schema"
	GateScores     = "scores"
	GatePrimary    = "primary"
	GateGuardrails = "guardrails"
	GateSlices     = "slices"
	GateServing    = "serving"
	GateApproval   = "approval"
	GateRollback   = "rollback"
)

// Evidence is what a manifest is held against.
type Evidence struct {
	// At is the time of the release: approvals and known-good times are judged at it.
	At time.Time
	// Baseline is the manifest of the version that is served now; nil when there
	// is none.
	Baseline *Manifest
	// Log are the columns of a log of the candidate, or of the requests that it
	// will get; nil without a log.
	Log []Column
	// Given are findings that the caller made of a log. Their checks are GateSchema
	// and GateScores; without one of the latter no one has looked at the scores.
	Given []analysis.Finding
}

// Column is a column of a log.
type Column struct {
	Name string
	Type analysis.Type
}

// Check holds a manifest against its gates and returns the verdict; the findings of
// each gate are documented with the package. The policy digest of its record is the
// SHA-256 of the manifest file. A finding of Evidence.Given that belongs to no gate
// is an error wrapping [stats.ErrMismatch]; so is a missing manifest.
func Check(m *Manifest, ev Evidence) (analysis.Verdict, error) {
	if m == nil {
		return analysis.Verdict{}, fmt.Errorf("release: Check: no manifest: %w", stats.ErrMismatch)
	}
	if ev.At.IsZero() {
		return analysis.Verdict{}, fmt.Errorf("release: Check: no time; approvals cannot be judged without one: %w", stats.ErrMismatch)
	}
	given := map[string][]analysis.Finding{}
	for _, f := range ev.Given {
		if f.Check != GateSchema && f.Check != GateScores {
			return analysis.Verdict{}, fmt.Errorf("release: Check: a finding of %q was given; only the gates %s and %s take any: %w", f.Check, GateSchema, GateScores, stats.ErrMismatch)
		}
		given[f.Check] = append(given[f.Check], f)
	}
	g := gates{m: m, ev: ev, given: given}
	p := analysis.Policy{Version: 1, Digest: m.Source, Model: analysis.Model{Name: m.Name, Baseline: m.Rollback.Version, Candidate: m.Version}}
	var all []analysis.Finding
	for _, gate := range []gate{
		{GateContract, g.contract}, {GateSchema, g.schema}, {GateScores, g.scores},
		{GatePrimary, g.primary}, {GateGuardrails, g.guardrails}, {GateSlices, g.slices},
		{GateServing, g.serving}, {GateApproval, g.approval}, {GateRollback, g.rollback},
	} {
		p.Checks = append(p.Checks, analysis.CheckEntry{Check: gate, Severity: analysis.SeverityPause, Required: true})
		fs := gate.findings()
		for i := range fs {
			fs[i].Check, fs[i].Severity, fs[i].Required, fs[i].Compared = gate.name, analysis.SeverityPause, true, analysis.Absolute
			fs[i].Local = true // a gate is about one thing; the others do not rest on it
		}
		all = append(all, fs...)
	}
	return p.Decide(all, nil, ev.At), nil
}

// gate is one gate as a check of a policy.
type gate struct {
	name     string
	findings func() []analysis.Finding
}

func (g gate) Name() string                                       { return g.name }
func (g gate) Columns() []analysis.ColumnSpec                     { return nil }
func (g gate) Run(*analysis.Evidence) ([]analysis.Finding, error) { return g.findings(), nil }

// gates is the state of one Check.
type gates struct {
	m     *Manifest
	ev    Evidence
	given map[string][]analysis.Finding
}

// finding is a finding without numbers.
func finding(code, metric string, outcome analysis.Outcome, format string, args ...any) analysis.Finding {
	f := analysis.NewFinding("", code, metric)
	f.Outcome, f.Message = outcome, fmt.Sprintf(format, args...)
	if outcome == analysis.Pass { // nothing was found to be wrong
		f.Estimate = stats.Interval{}
	}
	return f
}

// about names the column of a finding.
func about(f analysis.Finding, column string) analysis.Finding {
	f.Column = column
	return f
}

// contract lists the fields that are missing.
func (g gates) contract() []analysis.Finding {
	m := g.m
	var out []analysis.Finding
	fields := []struct {
		name  string
		there bool
		why   string
	}{
		{"model.name", m.Name != "", "nobody can tell which model this is"},
		{"model.version", m.Version != "", "nobody can tell which version this is"},
		{"owner", m.Owner != "", "nobody answers for the model"},
		{"risk", m.Risk != RiskUnknown, "the risk is taken for high"},
		{"training_data.id", m.Training.ID != "", "the training cannot be repeated"},
		{"training_data.digest", m.Training.Digest != "", "nobody can tell whether the snapshot is still the same"},
		{"training_data.since", !m.Training.Since.IsZero(), "the window of the training data is not known"},
		{"training_data.until", !m.Training.Until.IsZero(), "the window of the training data is not known"},
		{"features.version", m.Features.Version != "", "the feature schema has no name"},
		{"features.list", len(m.Features.List) > 0, "nobody can tell what the model takes"},
		{"output.task", m.Output.HasTask, "nobody can tell what the model answers"},
		{"output.classes", m.Output.Task != analysis.Multiclass || len(m.Output.Classes) > 0, "a multiclass model answers with classes"},
		{"runtime.image", m.Image != "", "nobody can tell what will run"},
		{"runtime.digest", m.Digest != "", "a tag can be moved to another image"},
		{"evaluation.report", m.Evaluation.Report != "", "nobody can read up on the figures"},
		{"thresholds.version", m.Thresholds != "", "nobody can tell how scores become decisions"},
	}
	for _, f := range fields {
		if !f.there {
			out = append(out, about(finding("field_missing", "fields", analysis.NoData, "The manifest does not state %s, so that %s; add it.", f.name, f.why), f.name))
		}
	}
	if until := m.Training.Until; !until.IsZero() && until.After(g.ev.At) {
		out = append(out, about(finding("contract", "fields", analysis.Harm, "The training data reach until %s, which is after the release at %s; correct the window.", moment(until), moment(g.ev.At)), "training_data.until"))
	}
	if out == nil {
		out = append(out, finding("contract", "fields", analysis.Pass, "All %d fields of the contract are stated.", len(fields)))
	}
	return out
}

// scores passes on what the caller found.
func (g gates) scores() []analysis.Finding {
	if fs := g.given[GateScores]; len(fs) > 0 {
		return fs
	}
	return []analysis.Finding{finding("no_log", "scores", analysis.NoData,
		"Nobody has looked at the scores of version %s; give a log of them, from a shadow or a replay, and one of the version that is served.", g.m.Version)}
}

// moment writes a time as people read it.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
