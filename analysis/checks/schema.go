package checks

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Schema asks whether the log is what the policy says it is. It looks at every
// declared column of both arms:
//
//   - column_absent, column_partly_absent: the column is missing from the log of
//     an arm, or from a part of it
//   - type_differs: the column has another type in the other arm
//   - type_unusable: the type does not fit the role; a score is a number, a
//     binary label yes-or-no or 0 and 1, a unit an integer or a name
//   - invalid_labels: labels of a binary task that are neither 0 nor 1
//   - score_out_of_range, score_not_finite: scores outside score_range, or
//     infinite
//   - all_null: no value at all in the candidate, where the baseline has some
//   - null_rate: the share of missing values and NaN surely rose by more than
//     MaxNulls, or for the score by more than MaxScoreNulls
//
// All of these are Invalid: what does not fit cannot be trusted. A rise of the
// null rate that is surely above a fifth of its limit is a Warn when it is surely
// below the limit, and otherwise Inconclusive.
//
// When nothing is wrong there is one finding, schema. Its estimate is the largest
// rise of a null rate; it passes when that is surely below MaxNulls, and is
// Inconclusive with too few rows to say so. Labels are left out of the null rate,
// since a null label has not arrived yet; [Guardrail] compares their coverage.
//
// Rates are compared as in [Guardrail], the error being divided among the
// columns.
type Schema struct {
	// MaxNulls is the greatest rise of a null rate that does not matter; 0 means
	// 0.05.
	MaxNulls float64
	// MaxScoreNulls is the same for the score; 0 means 0.001.
	MaxScoreNulls float64
}

// Name implements [analysis.Check].
func (c Schema) Name() string { return "schema" }

// Columns implements [analysis.Check].
func (c Schema) Columns() []analysis.ColumnSpec { return nil }

// Run implements [analysis.Check].
func (c Schema) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	if !(c.MaxNulls >= 0 && c.MaxNulls < 1) || !(c.MaxScoreNulls >= 0 && c.MaxScoreNulls < 1) {
		return nil, fmt.Errorf("checks: Schema: null rates %v and %v: %w", c.MaxNulls, c.MaxScoreNulls, stats.ErrDomain)
	}
	if fs := missing(ev, c.Name()); fs != nil {
		return fs, nil
	}
	s := schemaRun{ev: ev, l: newLook(ev), r: newRuler(ev.Policy, 0), c: c}
	specs := ev.Baseline.Spec.Columns
	s.l.alpha /= math.Max(1, float64(len(specs)))
	for _, spec := range specs {
		b, cand := ev.Baseline.Column(spec.Name), ev.Candidate.Column(spec.Name)
		if b == nil || cand == nil {
			return nil, fmt.Errorf("checks: Schema: the arms were collected with different specs, %q is in one only: %w", spec.Name, stats.ErrMismatch)
		}
		s.column(spec, b, cand)
	}
	quiet := s.quiet(len(specs))
	invalid := slices.ContainsFunc(s.out, func(f analysis.Finding) bool { return f.Outcome == analysis.Invalid })
	told := slices.ContainsFunc(s.out, func(f analysis.Finding) bool { return f.Column == s.worst.Column })
	if len(s.out) == 0 || (quiet.Outcome != analysis.Pass && !invalid && !told) {
		s.out = append(s.out, quiet) // a warning about one column says nothing about the others
	}
	return s.out, nil
}

// schemaRun is the state of one run.
type schemaRun struct {
	ev  *analysis.Evidence
	l   look
	r   ruler
	c   Schema
	out []analysis.Finding
	// worst is the null rate that may have risen most.
	worst analysis.Finding
}

// violation reports what does not fit.
func (s *schemaRun) violation(code, column string, bad, of uint64, format string, args ...any) {
	f := analysis.NewFinding("schema", code, code)
	f.Column, f.Outcome, f.Severity, f.N = column, analysis.Invalid, analysis.SeverityPause, rows(s.ev)
	if of > 0 {
		p := float64(bad) / float64(of)
		f.Estimate, f.Unit = stats.Interval{Point: p, Lo: p, Hi: p}, "share"
	}
	f.Message = fmt.Sprintf(format, args...)
	s.out = append(s.out, f)
}

// column looks at one column of both arms.
func (s *schemaRun) column(spec analysis.ColumnSpec, b, c *analysis.ColumnSummary) {
	arms := []struct {
		name string
		col  *analysis.ColumnSummary
		h    *summary.Histogram
		snap *analysis.Snapshot
	}{{"baseline", b, b.Histogram(), s.ev.Baseline}, {"candidate", c, c.Histogram(), s.ev.Candidate}}
	there := true
	for _, a := range arms {
		switch {
		case a.col.Type == analysis.Absent:
			there = false
			s.violation("column_absent", spec.Name, a.snap.RowCount, a.snap.RowCount, "The log of the %s has no column %s.", a.name, spec.Name)
			continue
		case a.col.AbsentRows > 0:
			s.violation("column_partly_absent", spec.Name, a.col.AbsentRows, a.snap.RowCount, "Column %s is missing from a part of the log of the %s: %s of %s rows.",
				spec.Name, a.name, count(a.col.AbsentRows), count(a.snap.RowCount))
		}
		if want := s.wanted(spec.Role, a.col.Type); want != "" {
			there = false
			s.violation("type_unusable", spec.Name, 0, 0, "Column %s of the %s is %v, but the %v has to be %s.", spec.Name, a.name, a.col.Type, spec.Role, want)
		}
	}
	if !there {
		return
	}
	for _, a := range arms {
		s.values(spec, a.name, a.col, a.h, a.snap)
	}
	if b.Type != c.Type {
		s.violation("type_differs", spec.Name, 0, 0, "Column %s is %v in the baseline and %v in the candidate.", spec.Name, b.Type, c.Type)
		return
	}
	if spec.Role != analysis.Label {
		xb, nb := nullsOf(b, arms[0].h)
		xc, nc := nullsOf(c, arms[1].h)
		s.nulls(spec, xb, nb, xc, nc)
	}
}

// wanted says which types fit a role, or nothing when this one does.
func (s *schemaRun) wanted(role analysis.Role, t analysis.Type) string {
	fits := func(want string, ts ...analysis.Type) string {
		if slices.Contains(ts, t) {
			return ""
		}
		return want
	}
	switch role {
	case analysis.Score:
		return fits("a number", analysis.Float, analysis.Int)
	case analysis.Label:
		switch s.task() {
		case analysis.Binary:
			return fits("yes-or-no, or 0 and 1", analysis.Bool, analysis.Int, analysis.Float)
		case analysis.Regression:
			return fits("a number", analysis.Float, analysis.Int)
		case analysis.Multiclass:
			return fits("a name or an integer", analysis.String, analysis.Int, analysis.Bool)
		}
	case analysis.Clock:
		return fits("a time", analysis.Time)
	case analysis.Unit:
		return fits("an integer or a name", analysis.Int, analysis.String, analysis.Time)
	case analysis.Action:
		return fits("a name, yes-or-no or an integer", analysis.String, analysis.Bool, analysis.Int)
	case analysis.Feature:
	}
	return ""
}

func (s *schemaRun) task() analysis.Task { return s.ev.Baseline.Spec.Task }

// classes looks for labels of a class that the policy does not name.
func (s *schemaRun) classes(known []analysis.ClassColumn, name, arm string, col *analysis.ColumnSummary, snap *analysis.Snapshot) {
	named := uint64(0)
	for _, k := range known {
		n, _ := col.Category.N(k.Class)
		named += n
	}
	if bad := col.Category.Total() - named; bad > 0 {
		s.violation("invalid_labels", name, bad, snap.RowCount, "%s of %s labels of the %s are no class that columns.classes names.", count(bad), count(snap.RowCount), arm)
	}
}

// values looks at the values of one column of one arm.
func (s *schemaRun) values(spec analysis.ColumnSpec, arm string, col *analysis.ColumnSummary, h *summary.Histogram, snap *analysis.Snapshot) {
	if spec.Role == analysis.Label && s.task() == analysis.Binary {
		bad := col.InvalidLabels
		if yes, no, ok := yesNo(col); !ok && bad == 0 {
			bad = col.Numeric.Total() - min(col.Numeric.Total(), yes+no+col.Numeric.Excluded().Null)
		}
		if bad > 0 {
			s.violation("invalid_labels", spec.Name, bad, snap.RowCount, "%s of %s labels of the %s are neither 0 nor 1.", count(bad), count(snap.RowCount), arm)
		}
	}
	if classes := s.l.policy.Columns.Classes; spec.Role == analysis.Label && s.task() == analysis.Multiclass && len(classes) > 0 {
		s.classes(classes, spec.Name, arm, col, snap)
	}
	if spec.Role != analysis.Score || h == nil {
		return
	}
	e := h.Excluded()
	if n := e.PosInf + e.NegInf; n > 0 {
		s.violation("score_not_finite", spec.Name, n, h.Total(), "%s of %s scores of the %s are infinite.", count(n), count(h.Total()), arm)
	}
	rng := s.l.policy.Range
	if rng == nil && s.task() == analysis.Binary {
		rng = &[2]float64{0, 1}
	}
	outside := e.Below + e.Above
	if rng == nil {
		return
	}
	least := outside > 0
	if h.N() > 0 && (h.Min() < rng[0] || h.Max() > rng[1]) {
		below, _ := h.CountBelow(rng[0])
		_, most := h.CountBelow(math.Nextafter(rng[1], math.Inf(1)))
		outside += below + h.N() - most
		least = true
	}
	if least {
		s.violation("score_out_of_range", spec.Name, outside, h.Total(), "At least %s of %s scores of the %s lie outside %s to %s.",
			count(max(1, outside)), count(h.Total()), arm, number(rng[0]), number(rng[1]))
	}
}

// nullsOf counts the missing values and NaN of a column, h being its numbers.
func nullsOf(c *analysis.ColumnSummary, h *summary.Histogram) (null, of uint64) {
	null = c.Boolean.Null + c.Category.Null() + c.Units.Null() + c.Clock.Null
	of = null + c.Boolean.Trials() + c.Category.Total() + c.Units.Total() + c.Clock.N
	if h != nil {
		e := h.Excluded()
		null, of = null+e.Null+e.NaN, of+h.Total()
	}
	return null, of
}

// nulls compares how many values are missing.
func (s *schemaRun) nulls(spec analysis.ColumnSpec, xb, nb, xc, nc uint64) {
	if nb == 0 || nc == 0 {
		return
	}
	if xc == nc && xb < nb {
		s.violation("all_null", spec.Name, xc, nc, "Column %s has no value in any of the %s rows of the candidate; the baseline has %s.", spec.Name, count(nc), count(nb-xb))
		return
	}
	quiet := cmp.Or(s.c.MaxNulls, 0.05)
	limit := quiet
	if spec.Role == analysis.Score {
		limit = min(limit, cmp.Or(s.c.MaxScoreNulls, 0.001))
	}
	repeats := rowsPerUnit(s.ev.Baseline, s.ev.Candidate)
	p := pair{base: shareOf(xb, nb, repeats), cand: shareOf(xc, nc, repeats), r: s.r}
	f := analysis.NewFinding("schema", "null_rate", "null_rate")
	f.Column, f.Severity, f.Unit, f.Limit, f.Alpha = spec.Name, analysis.SeverityPause, "pp", stats.Float(limit), s.l.alpha
	f.N, f.Method = analysis.Counts{Baseline: nb, Candidate: nc}, methodName(p, marginLimit)
	f.Details = []analysis.Detail{detail("baseline", p.base.value), detail("candidate", p.cand.value)}
	f.Estimate = s.l.interval(p.cand.value-p.base.value, p.difference(s.l.noHarm))
	f.HarmBound = stats.Float(math.Min(f.Estimate.Point, p.strict().difference(s.l.alpha).lo))
	f.Outcome = verdict(&f)
	was := fmt.Sprintf("Missing values of %s went from %s to %s", spec.Name, percent(p.base.value), percent(p.cand.value))
	size := counts(nb, nc, "rows")
	switch {
	case f.Outcome == analysis.Harm:
		f.Outcome = analysis.Invalid
		f.Message = fmt.Sprintf("%s, surely by more than %s; the limit is %s. %s.", was, quantity(float64(f.HarmBound), "pp"), quantity(limit, "pp"), size)
		s.out = append(s.out, f)
	case f.Estimate.Lo > limit/5:
		// What may be above the limit is undecided, and must not pass as a warning.
		f.Outcome = analysis.Warn
		if f.Estimate.Hi >= limit {
			f.Outcome = analysis.Inconclusive
			f.UnitsNeeded = unitsNeeded(min(nb, nc), f.Estimate.Point, limit, f.Estimate.Hi, s.l.noHarm)
		}
		f.Message = fmt.Sprintf("%s, between %s and %s; the limit is %s. %s.", was, quantity(f.Estimate.Lo, "pp"), quantity(f.Estimate.Hi, "pp"), quantity(limit, "pp"), size)
		s.out = append(s.out, f)
	}
	f.Limit = stats.Float(quiet)
	if s.worst.Check == "" || f.Estimate.Hi > s.worst.Estimate.Hi {
		f.UnitsNeeded = unitsNeeded(min(nb, nc), f.Estimate.Point, quiet, f.Estimate.Hi, s.l.noHarm)
		s.worst = f
	}
}

// quiet is the finding when nothing is wrong.
func (s *schemaRun) quiet(columns int) analysis.Finding {
	f := analysis.NewFinding("schema", "schema", "null_rate")
	f.N, f.Severity, f.Outcome = rows(s.ev), analysis.SeverityPause, analysis.Pass
	f.Details = []analysis.Detail{detail("columns", float64(columns))}
	if s.worst.Check == "" {
		f.Estimate = stats.Interval{}
		f.Message = fmt.Sprintf("%d columns are as declared. %s.", columns, counts(f.N.Baseline, f.N.Candidate, "rows"))
		return f
	}
	w := s.worst
	f.Estimate, f.Limit, f.Unit, f.HarmBound, f.Method, f.Alpha, f.N = w.Estimate, w.Limit, w.Unit, w.HarmBound, w.Method, w.Alpha, w.N
	f.Details = append(f.Details, analysis.Detail{Name: "column", Text: w.Column})
	f.Details = append(f.Details, w.Details...)
	most := quantity(math.Max(0, w.Estimate.Hi), "pp")
	if !(w.Estimate.Hi < float64(w.Limit)) {
		f.Outcome, f.UnitsNeeded = analysis.Inconclusive, w.UnitsNeeded
		f.Message = fmt.Sprintf("%d columns are as declared, but the rows are too few to rule out that missing values of %s rose by %s; the limit is %s. %s.",
			columns, w.Column, most, quantity(float64(w.Limit), "pp"), counts(f.N.Baseline, f.N.Candidate, "rows"))
		return f
	}
	f.Message = fmt.Sprintf("%d columns are as declared. Missing values rose most in %s, by at most %s; the limit is %s. %s.",
		columns, w.Column, most, quantity(float64(w.Limit), "pp"), counts(f.N.Baseline, f.N.Candidate, "rows"))
	return f
}

func buildSchema(p *analysis.Params) (analysis.Check, error) {
	c := Schema{MaxNulls: shareParam(p, "max_nulls", "5pp"), MaxScoreNulls: shareParam(p, "max_score_nulls", "0.1pp")}
	p.Severity(analysis.SeverityPause)
	return c, nil
}
