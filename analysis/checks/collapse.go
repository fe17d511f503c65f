package checks

import (
	"cmp"
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Collapse asks whether the candidate's scores have lost, or blown up, their
// spread against the baseline's: one value that swallows the rest, repeated
// values, a shrunk or exploded variance, scores stuck at the ends of the range,
// and values that are no scores at all. Unlike drift this is no fact to explain:
// a model that answers alike to everything is broken. The default severity is
// rollback.
//
// The signals, their noise models and their default limits are those of
// [drift.Collapse]. Each signal that speaks gives a finding with the code
// collapse_ and its name; when all are quiet there is one finding, collapse, that
// passes. A signal is Harm when the bound at its share of the error (the check's,
// divided by the number of signals) is past the limit, and quiet when the bound
// at the error of a Pass is short of it. Facts need no bound: a score that is
// constant where the baseline varies, infinite or out-of-range values where the
// baseline has none.
//
// With continuous looks the intervals are widened as in [Drift].
type Collapse struct {
	// Column to look at; "" means the score.
	Column string
	// Limits replace single limits of the signals; zero fields keep the default.
	// Level is not used.
	Limits drift.CollapseOptions
}

// collapseSignals is the number of signals among which the error is divided.
const collapseSignals = 10

// Name implements [analysis.Check].
func (c Collapse) Name() string { return "collapse" }

// Columns implements [analysis.Check].
func (c Collapse) Columns() []analysis.ColumnSpec {
	if c.Column == "" {
		return nil
	}
	return []analysis.ColumnSpec{{Name: c.Column, Sums: true}} // for the variance
}

// Run implements [analysis.Check].
func (c Collapse) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	if err := c.Limits.Validate(); err != nil {
		return nil, fmt.Errorf("checks: Collapse: %w", err)
	}
	if fs := missing(ev, c.Name()); fs != nil {
		return fs, nil
	}
	f := analysis.NewFinding(c.Name(), "collapse", "spread")
	f.N = rows(ev)
	base, cand := c.column(ev.Baseline), c.column(ev.Candidate)
	if base == nil || cand == nil {
		if c.Column != "" {
			return nil, fmt.Errorf("checks: Collapse: the snapshots have no column %q: %w", c.Column, stats.ErrMismatch)
		}
		f.Code, f.Outcome, f.Message = "no_column", analysis.NoData, "The policy names no score, so there is nothing to look at."
		return []analysis.Finding{f}, nil
	}
	f.Column = base.Name
	ref, cur, p := numbersIn(base, cand)
	if p != nil {
		p.put(&f)
		return []analysis.Finding{f}, nil
	}
	return c.signals(ev, f, base.Role, ref, cur)
}

func (c Collapse) column(s *analysis.Snapshot) *analysis.ColumnSummary {
	if c.Column == "" {
		return s.ByRole(analysis.Score)
	}
	return s.Column(c.Column)
}

// numbersIn returns the two arms of a column as numbers, or says why they cannot
// be compared. A column without a single number can: that all values are missing
// is a signal.
func numbersIn(b, c *analysis.ColumnSummary) (ref, cur *summary.Histogram, p *problem) {
	ref, cur = b.Histogram(), c.Histogram()
	switch {
	case b.Type == analysis.Absent:
		p = columnAbsent("baseline", b.Name)
	case c.Type == analysis.Absent:
		p = columnAbsent("candidate", b.Name)
	case ref != nil && cur != nil:
	case b.Type != c.Type:
		p = &problem{"type_differs", analysis.Invalid, fmt.Sprintf("Column %s is %v in the baseline and %v in the candidate.", b.Name, b.Type, c.Type)}
	default:
		p = &problem{"type_unusable", analysis.Invalid, fmt.Sprintf("Column %s is %v; only numbers have a spread that can collapse.", b.Name, b.Type)}
	}
	return ref, cur, p
}

// signals turns the signals of both levels into findings.
func (c Collapse) signals(ev *analysis.Evidence, f analysis.Finding, role analysis.Role, ref, cur *summary.Histogram) ([]analysis.Finding, error) {
	l, r := newLook(ev), newRuler(ev.Policy, 0)
	l.alpha /= collapseSignals
	total := (float64(ref.N()) + float64(cur.N())) / rowsPerUnit(ev.Baseline, ev.Candidate)
	o := c.Limits
	if rng := l.policy.Range; rng != nil && o.RangeLo == o.RangeHi && role == analysis.Score {
		o.RangeLo, o.RangeHi = rng[0], rng[1]
	}
	at := func(alpha float64) (drift.CollapseReport, bool, error) {
		level, ok := r.levelFor(alpha, total)
		o.Level = cmp.Or(level, 1-1e-12)
		rep, err := drift.Collapse(ref, cur, o)
		return rep, ok, err
	}
	quiet, _, err := at(l.noHarm)
	if err != nil {
		p := problem{"no_value", analysis.Invalid, fmt.Sprintf("The spread of %s cannot be judged: %v.", f.Column, err)}
		p.put(&f)
		return []analysis.Finding{f}, nil
	}
	loud, spends, err := at(l.alpha)
	if err != nil || len(loud.Signals) != len(quiet.Signals) {
		return nil, fmt.Errorf("checks: Collapse: %s: %d and %d signals: %w", f.Column, len(quiet.Signals), len(loud.Signals), cmp.Or(err, stats.ErrMismatch))
	}
	f.Method, f.N, f.Alpha = quiet.Method+"; "+r.method(), analysis.Counts{Baseline: quiet.RefN, Candidate: quiet.CurN}, l.alpha
	warnRepeats(&f, ev)
	var out []analysis.Finding
	all := f
	for i, s := range quiet.Signals {
		all.Details = append(all.Details, analysis.Detail{Name: s.Name, Value: stats.Float(s.Cur), Text: signalText(s)})
		if s.DisplayOnly {
			continue
		}
		g := f
		g.Code, g.Metric = "collapse_"+s.Name, s.Name
		fillSignal(&g, l, s, loud.Signals[i], spends)
		if g.Outcome != analysis.Pass {
			out = append(out, g)
		} else if s.Name == "spike" {
			all.Estimate, all.Limit, all.Unit, all.HarmBound = g.Estimate, g.Limit, g.Unit, g.HarmBound
		}
	}
	if len(out) > 0 {
		out[0].Details = append(out[0].Details, all.Details...)
		return out, nil
	}
	all.Outcome = analysis.Pass
	all.Message = fmt.Sprintf("%s keeps its spread: no value of its own gained more than %s of the rows, and there is no other sign of a collapse. %s.",
		f.Column, quantity(math.Max(0, all.Estimate.Hi), all.Unit), counts(quiet.RefN, quiet.CurN, "rows"))
	return []analysis.Finding{all}, nil
}

// signalText shows a signal in the details.
func signalText(s drift.Signal) string {
	text := s.Outcome.String()
	if s.Ref != 0 || s.Cur != 0 {
		text += ", " + number(s.Ref) + " to " + number(s.Cur)
	}
	if s.Where != "" {
		text += " at " + s.Where
	}
	if s.Note != "" {
		text += ": " + s.Note
	}
	return text
}

// collapseText says what a signal means.
var collapseText = map[string]string{
	"constant":     "the candidate answers alike to everything",
	"spike":        "one value takes up many of the candidate's rows",
	"repetition":   "the candidate repeats the same values",
	"variance":     "the spread of the candidate's values has changed",
	"spread":       "the middle half of the candidate's values has shrunk",
	"saturation":   "the candidate is stuck at the ends of the range",
	"entropy":      "the candidate uses few of the values that the baseline used",
	"missing":      "the candidate leaves values out",
	"infinite":     "the candidate gives infinite values",
	"out_of_range": "the candidate gives values out of range",
}

// oriented brings the effect of a signal and its limits to the form in which
// more is worse.
func oriented(s drift.Signal) (e stats.Interval, warn, fail float64, unit string) {
	e, warn, fail = s.Effect, s.Warn, s.Fail
	switch s.Name {
	case "variance": // a factor either way
		factor := func(x float64) float64 { return math.Max(x, 1/x) }
		e.Point, e.Lo, e.Hi = factor(e.Point), math.Max(1, math.Max(s.Effect.Lo, 1/s.Effect.Hi)), math.Max(s.Effect.Hi, 1/s.Effect.Lo)
		return e, warn, fail, "ratio"
	case "spread": // what is lost
		e.Point, e.Lo, e.Hi = 1-s.Effect.Point, 1-s.Effect.Hi, 1-s.Effect.Lo
		return e, 1 - warn, 1 - fail, "relative"
	case "repetition":
		return e, warn, fail, "ratio"
	case "entropy":
		return e, warn, fail, ""
	}
	return e, warn, fail, "pp"
}

// fillSignal decides on one signal: s has the bounds of a Pass, loud those of
// Harm, if there is an error to spend.
func fillSignal(f *analysis.Finding, l look, s, loud drift.Signal, spends bool) {
	what := collapseText[s.Name]
	if s.Where != "" {
		what += " (" + s.Where + ")"
	}
	size := counts(s.RefN, s.CurN, "values")
	f.N = analysis.Counts{Baseline: s.RefN, Candidate: s.CurN}
	if s.Effect.IsZero() || math.IsNaN(s.Effect.Lo+s.Effect.Hi) {
		// A fact, or nothing to compare.
		f.Estimate = stats.Interval{Point: s.Cur, Lo: s.Cur, Hi: s.Cur}
		outcome := s.Outcome
		if outcome == drift.Fail && loud.Outcome != drift.Fail { // not at the error that Harm may spend
			outcome, s.Note = drift.Inconclusive, loud.Note
		}
		switch outcome {
		case drift.Fail:
			f.Outcome, f.Message = analysis.Harm, fmt.Sprintf("%s: %s; %s. %s.", f.Column, what, s.Note, size)
		case drift.Warn:
			f.Outcome, f.Message = analysis.Warn, fmt.Sprintf("%s: %s; %s. %s.", f.Column, what, s.Note, size)
		case drift.OK:
			f.Outcome = analysis.Pass
		case drift.Inconclusive:
			f.Outcome, f.Message = analysis.Inconclusive, fmt.Sprintf("Cannot tell about %s of %s: %s. %s.", s.Name, f.Column, cmp.Or(s.Note, "the statistic does not exist"), size)
			tooFew(f, s)
		}
		return
	}
	e, warnAt, fail, unit := oriented(s)
	tight, _, _, _ := oriented(loud)
	e.Level = l.level()
	f.Estimate, f.Limit, f.Unit = e, stats.Float(fail), unit
	f.HarmBound = stats.Float(tight.Lo)
	show := func(x float64) string { return quantity(x, unit) }
	rose := fmt.Sprintf("%s of the baseline, %s of the candidate", number(s.Ref), number(s.Cur))
	switch {
	case s.Outcome == drift.Fail && s.Note != "" && s.Noise != "" && isFact(s):
		f.Outcome, f.Message = analysis.Harm, fmt.Sprintf("%s: %s; %s. %s.", f.Column, what, s.Note, size)
	case spends && tight.Lo > fail && min(s.RefN, s.CurN) >= 30:
		f.Outcome = analysis.Harm
		f.Message = fmt.Sprintf("%s: %s. %s: %s (%s), surely at least %s; the limit is %s. %s.", f.Column, what, s.Name, show(e.Point), rose, show(tight.Lo), show(fail), size)
	case s.Outcome == drift.OK:
		f.Outcome = analysis.Pass
	case e.Lo > warnAt && e.Hi < fail: // else it may be past the limit, and is undecided
		f.Outcome = analysis.Warn
		f.Message = fmt.Sprintf("%s: %s. %s: %s (%s), between %s and %s; the limit is %s, the warning level %s. %s.", f.Column, what, s.Name, show(e.Point), rose, show(e.Lo), show(e.Hi), show(fail), show(warnAt), size)
	default:
		f.Outcome = analysis.Inconclusive
		f.Message = fmt.Sprintf("Cannot tell yet about %s of %s: %s (%s), between %s and %s; the limit is %s. %s.", s.Name, f.Column, show(e.Point), rose, show(e.Lo), show(e.Hi), show(fail), size)
		end, alpha := e.Hi, l.noHarm
		if e.Point > fail {
			end, alpha = tight.Lo, l.alpha
		}
		f.UnitsNeeded = unitsNeeded(min(s.RefN, s.CurN), e.Point, fail, end, alpha)
		tooFew(f, s)
	}
}

// isFact reports whether one value is too many, and there is one.
func isFact(s drift.Signal) bool {
	return (s.Name == "infinite" || s.Name == "out_of_range") && s.Cur > 0 && s.Ref == 0
}

// tooFew turns an undecided signal of a small sample into Insufficient.
func tooFew(f *analysis.Finding, s drift.Signal) {
	if n := min(s.RefN, s.CurN); n < 30 {
		f.Outcome, f.UnitsNeeded = analysis.Insufficient, 30-n
	}
}

func buildCollapse(p *analysis.Params) (analysis.Check, error) {
	c := Collapse{Column: p.Column("column", p.Policy().Columns.Score)}
	if c.Column == "" {
		p.Errorf("", "no column to look at; name the score under columns, or a column here")
	}
	factor := func(key string) float64 {
		q, ok := p.Quantity(key)
		switch {
		case !ok:
			return 0
		case (q.Unit != analysis.Ratio && q.Unit != analysis.Plain) || !(q.Value > 1):
			p.Errorf(key, "%v is not a factor above 1, such as 3x", q)
			return 0
		}
		return q.Value
	}
	c.Limits = drift.CollapseOptions{
		Spike: shareParam(p, "spike", "10pp"), Saturation: shareParam(p, "saturation", "5pp"), Missing: shareParam(p, "missing", "0.1pp"),
		Repetition: factor("repetition"), VarianceWarn: factor("variance_warn"), VarianceFail: factor("variance_fail"),
	}
	p.Severity(analysis.SeverityRollback)
	if err := c.Limits.Validate(); err != nil {
		p.Errorf("", "the limits do not fit together: %v", err)
	}
	return c, nil
}
