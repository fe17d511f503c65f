package checks

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// Drift asks whether a column is distributed differently in the two arms.
//
// A new model may well score differently from the old one, so a difference
// between arms is a fact to explain, and a threat to thresholds that are taken
// over; by itself it is no harm. The default severity is warn.
//
// The metric is compared with its limits by the ends of its interval, never by
// its value, which is above 0 by chance alone:
//
//   - lower end, at the error allotted to the check, above Fail: Harm
//   - upper end, at the error of a Pass, below Warn: Pass
//   - upper end below Fail but not below Warn: Warn, since a drift beyond Fail,
//     and only that, is ruled out
//   - else Inconclusive, with the rows that would decide, also when Warn is surely
//     exceeded: a drift that may be beyond Fail lets nothing continue.
//     Insufficient with fewer than 30 rows in an arm
//
// With continuous looks the intervals are those of a single look at the error to
// which the normal-mixture bound of this sample size corresponds. They hold at
// all looks in the sense of the central limit theorem.
//
// Without a Column every feature and the score are compared, the error being
// divided among them, and one more finding, drift_ranking, names the columns that
// differ after a correction for their number (Benjamini and Hochberg at 10%) and
// the one to look at first: one with a data-quality fault before the score, the
// score before features.
type Drift struct {
	// Column to compare; "" means every feature and the score.
	Column string
	// Metric; "" means PSIEquivalent.
	Metric DriftMetric
	// Warn and Fail are the limits in the unit of the metric; 0 means the
	// metric's default, which see.
	Warn, Fail float64
	// Cells is the number of cells of a numeric column; 0 means 20, and 10 for
	// TotalVariation and LInfinity.
	Cells int
}

// minDriftRows is the number of rows of an arm below which nothing is said: the
// laws behind the intervals are those of large samples.
const minDriftRows = 30

// DriftMetric names a measure of drift; package drift has the formulas.
type DriftMetric string

// The measures of drift, with the default limits of Warn and Fail. Those of the
// first group are one and the same to second order, and their limits, too.
const (
	PSI             DriftMetric = "psi"            // 0.1, 0.25
	PSIEquivalent   DriftMetric = "psi_equivalent" // 0.1, 0.25
	JSDivergence    DriftMetric = "js"             // in nats: 0.0125, 0.03125
	JSDistanceBase2 DriftMetric = "js_distance"    // 0.134, 0.212
	Hellinger       DriftMetric = "hellinger"      // 0.112, 0.177
	KLRefCur        DriftMetric = "kl"             // baseline against candidate, nats: 0.05, 0.125

	TotalVariation DriftMetric = "tv"         // 0.05, 0.10
	LInfinity      DriftMetric = "l_infinity" // largest change of one share: 0.05, 0.10
	KS             DriftMetric = "ks"         // numeric columns: 0.05, 0.10
	Wasserstein1   DriftMetric = "w1"         // numeric columns, in baseline standard deviations: 0.1, 0.25
)

// driftMetric is what the check knows of a metric.
type driftMetric struct {
	name       DriftMetric
	warn, fail float64
	unit       string
	cells      int
	numeric    bool // needs an order
	cellwise   func(drift.Cells, drift.Options) (drift.Divergence, error)
	// psi turns a value of the metric into one of PSI, for the rows needed; nil
	// where there is no such relation.
	psi func(float64) float64
}

func driftMetrics() []driftMetric {
	times := func(k float64) func(float64) float64 { return func(x float64) float64 { return k * x } }
	squared := func(k float64) func(float64) float64 { return func(x float64) float64 { return k * x * x } }
	return []driftMetric{
		{name: PSIEquivalent, warn: 0.1, fail: 0.25, cellwise: drift.PSIEquivalent, psi: times(1)},
		{name: PSI, warn: 0.1, fail: 0.25, cellwise: drift.PSI, psi: times(1)},
		{name: JSDivergence, warn: 0.1 / 8, fail: 0.25 / 8, unit: "nats", cellwise: drift.JSDivergenceNats, psi: times(8)},
		{name: JSDistanceBase2, warn: 0.134, fail: 0.212, cellwise: drift.JSDistanceBase2, psi: squared(8 * math.Ln2)},
		{name: Hellinger, warn: 0.112, fail: 0.177, cellwise: drift.Hellinger, psi: squared(8)},
		{name: KLRefCur, warn: 0.05, fail: 0.125, unit: "nats", cellwise: drift.KLRefCur, psi: times(2)},
		{name: TotalVariation, warn: 0.05, fail: 0.1, unit: "share", cells: 10, cellwise: drift.TotalVariation},
		{name: LInfinity, warn: 0.05, fail: 0.1, unit: "share", cells: 10, cellwise: drift.LInfinity},
		{name: KS, warn: 0.05, fail: 0.1, unit: "share", numeric: true},
		{name: Wasserstein1, warn: 0.1, fail: 0.25, unit: "sd", numeric: true},
	}
}

func findDriftMetric(name DriftMetric) (driftMetric, bool) {
	ms := driftMetrics()
	i := slices.IndexFunc(ms, func(m driftMetric) bool { return m.name == cmp.Or(name, PSIEquivalent) })
	if i < 0 {
		return driftMetric{}, false
	}
	return ms[i], true
}

// Name implements [analysis.Check].
func (d Drift) Name() string { return "drift" }

// Columns implements [analysis.Check].
func (d Drift) Columns() []analysis.ColumnSpec {
	if d.Column == "" {
		return nil
	}
	return []analysis.ColumnSpec{{Name: d.Column, Sums: d.Metric == Wasserstein1}}
}

// settings returns the metric with the limits and cells in force.
func (d Drift) settings() (driftMetric, error) {
	m, ok := findDriftMetric(d.Metric)
	if !ok {
		return m, fmt.Errorf("checks: Drift: unknown metric %q: %w", d.Metric, stats.ErrDomain)
	}
	m.warn, m.fail = cmp.Or(d.Warn, m.warn), cmp.Or(d.Fail, m.fail)
	if d.Warn == 0 && m.warn > m.fail {
		m.warn = m.fail
	}
	if d.Fail == 0 && m.warn > m.fail {
		m.fail = m.warn
	}
	m.cells = cmp.Or(d.Cells, m.cells)
	if !(m.warn > 0 && m.warn <= m.fail && m.fail < math.Inf(1)) || m.cells < 0 || m.cells == 1 || m.cells > 1000 {
		return m, fmt.Errorf("checks: Drift: warn %v, fail %v, %d cells: %w", m.warn, m.fail, m.cells, stats.ErrDomain)
	}
	return m, nil
}

// Run implements [analysis.Check].
func (d Drift) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	m, err := d.settings()
	if err != nil {
		return nil, err
	}
	if fs := missing(ev, d.Name()); fs != nil {
		return fs, nil
	}
	columns := []string{d.Column}
	if d.Column == "" {
		columns = columns[:0]
		for _, c := range ev.Baseline.Spec.Columns {
			if c.Role == analysis.Feature || c.Role == analysis.Score {
				columns = append(columns, c.Name)
			}
		}
		if len(columns) == 0 {
			f := analysis.NewFinding(d.Name(), "no_column", string(m.name))
			f.Outcome, f.N, f.Message = analysis.NoData, rows(ev), "The policy names no features and no score, so there is nothing to compare."
			return []analysis.Finding{f}, nil
		}
	}
	l := newLook(ev)
	l.alpha /= float64(len(columns))
	var out []analysis.Finding
	var seen []compared
	for _, name := range columns {
		f, div, err := d.column(ev, l, m, name)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
		if div.RefN > 0 {
			seen = append(seen, compared{f, div})
		}
	}
	if d.Column == "" && len(seen) > 0 {
		rank, err := ranking(ev, seen, m, len(columns))
		if err != nil {
			return nil, err
		}
		for i := range out {
			if p, ok := rank.adjusted[out[i].Column]; ok {
				out[i].Details = append(out[i].Details, detail("adjusted_p", p))
			}
		}
		out = append(out, rank.finding)
	}
	return out, nil
}

// sides are the two arms of a column, brought to what the metric needs.
type sides struct {
	metric   driftMetric
	cells    drift.Cells
	ref, cur *summary.Histogram
}

// at computes the metric with intervals of the given level.
func (s sides) at(level float64) (drift.Divergence, error) {
	o := drift.Options{Level: level, Cells: s.metric.cells}
	switch s.metric.name {
	case KS:
		return drift.KS(s.ref, s.cur, o)
	case Wasserstein1:
		t, err := drift.Wasserstein1(s.ref, s.cur, o)
		if err != nil || t.RefSD == 0 {
			return t.Divergence, err
		}
		d := t.Divergence
		d.Value, d.Corrected, d.Null95, d.Interval = d.Value/t.RefSD, d.Corrected/t.RefSD, d.Null95/t.RefSD, t.InRefSD
		return d, nil
	default:
		return s.metric.cellwise(s.cells, o)
	}
}

// prepare reads a column of both arms.
func prepare(b, c *analysis.ColumnSummary, m driftMetric, among bool) (sides, *problem) {
	unusable := func(format string, args ...any) *problem {
		return &problem{"type_unusable", analysis.Invalid, fmt.Sprintf(format, args...)}
	}
	switch {
	case b.Type == analysis.Absent:
		return sides{}, columnAbsent("baseline", b.Name)
	case c.Type == analysis.Absent:
		return sides{}, columnAbsent("candidate", b.Name)
	case b.Type != c.Type:
		return sides{}, &problem{"type_differs", analysis.Invalid, fmt.Sprintf("Column %s is %v in the baseline and %v in the candidate.", b.Name, b.Type, c.Type)}
	}
	s := sides{metric: m}
	o := drift.Options{Cells: m.cells}
	yesOrNo := b.Type == analysis.Bool || b.Boolean.Trials()+c.Boolean.Trials() > 0 // labels may be 0 and 1
	if m.numeric && (yesOrNo || b.Type == analysis.String) {
		if !among {
			return sides{}, unusable("%s needs numbers with an order, which column %s of type %v does not hold; use psi_equivalent or tv.", m.name, b.Name, b.Type)
		}
		s.metric, _ = findDriftMetric(PSIEquivalent) // among all columns, those without order take the default
	}
	var err error
	switch {
	case yesOrNo:
		s.cells, err = drift.Booleans(&b.Boolean, &c.Boolean)
	case b.Type == analysis.String:
		s.cells, err = drift.Categories(&b.Category, &c.Category, o)
	case b.Type == analysis.Float || b.Type == analysis.Int:
		s.ref, s.cur = b.Histogram(), c.Histogram()
		if s.ref == nil || s.cur == nil {
			return sides{}, noData("no_values", "Column %s has no values in one of the arms.", b.Name)
		}
		if s.ref.N() == 0 && s.cur.N() == 0 {
			return sides{}, noData("no_values", "Column %s has no numbers in either arm.", b.Name)
		}
		if !m.numeric {
			s.cells, err = drift.Numeric(s.ref, s.cur, o)
		} else if s.ref.N() == 0 || s.cur.N() == 0 {
			return sides{}, noData("no_values", "Column %s has no numbers in one of the arms.", b.Name)
		}
	default:
		return sides{}, unusable("Column %s is %v, which has no distribution to compare.", b.Name, b.Type)
	}
	if err != nil {
		return sides{}, noData("no_values", "Column %s cannot be compared: %v.", b.Name, err)
	}
	return s, nil
}

// column compares one column.
func (d Drift) column(ev *analysis.Evidence, l look, m driftMetric, name string) (analysis.Finding, drift.Divergence, error) {
	f := analysis.NewFinding(d.Name(), "drift", string(m.name))
	f.Column, f.N, f.Alpha = name, rows(ev), l.alpha
	b, c := ev.Baseline.Column(name), ev.Candidate.Column(name)
	if b == nil || c == nil {
		return f, drift.Divergence{}, fmt.Errorf("checks: Drift: the snapshots have no column %q: %w", name, stats.ErrMismatch)
	}
	s, p := prepare(b, c, m, d.Column == "")
	if p != nil {
		p.put(&f)
		return f, drift.Divergence{}, nil
	}
	m = s.metric
	f.Metric, f.Unit, f.Limit = string(m.name), m.unit, stats.Float(m.fail)
	r := newRuler(ev.Policy, 0)
	total := (float64(ev.Baseline.RowCount) + float64(ev.Candidate.RowCount)) / rowsPerUnit(ev.Baseline, ev.Candidate)
	level, ok := r.levelFor(l.noHarm, total)
	if !ok {
		level = 1 - 1e-12
	}
	div, err := s.at(level)
	if err != nil {
		p := problem{"no_value", analysis.Invalid, fmt.Sprintf("The %s of column %s cannot be computed: %v.", m.name, name, err)}
		p.put(&f)
		return f, drift.Divergence{}, nil
	}
	harm := 0.0
	if level, ok := r.levelFor(l.alpha, total); ok {
		tight, err := s.at(level)
		if err == nil {
			harm = tight.Interval.Lo
		}
	}
	f.Estimate = l.interval(div.Corrected, span{div.Interval.Lo, div.Interval.Hi})
	f.HarmBound, f.P = stats.Float(min(harm, div.Corrected)), stats.Float(div.P)
	f.N = analysis.Counts{Baseline: div.RefN, Candidate: div.CurN}
	f.Method, f.Warnings = div.Method+"; "+r.method(), append(f.Warnings, div.Warnings...)
	f.Details = []analysis.Detail{detail("value", div.Value), detail("by_chance_95", div.Null95), detail("cells", float64(div.Cells)), detail("warn", m.warn)}
	for _, t := range div.Top {
		f.Details = append(f.Details, analysis.Detail{Name: "cell " + t.Cell, Value: stats.Float(t.CurShare - t.RefShare),
			Text: percent(t.RefShare) + " to " + percent(t.CurShare)})
	}
	warnRepeats(&f, ev)
	d.decide(&f, l, m, div, r)
	return f, div, nil
}

// decide compares the interval with the limits.
func (d Drift) decide(f *analysis.Finding, l look, m driftMetric, div drift.Divergence, r ruler) {
	show := func(x float64) string { return quantity(x, m.unit) }
	value := fmt.Sprintf("%s %s", m.name, show(f.Estimate.Point))
	size := counts(div.RefN, div.CurN, "rows")
	limits := fmt.Sprintf("The limit is %s, the warning level %s.", show(m.fail), show(m.warn))
	where := ""
	if len(div.Top) > 0 {
		t := div.Top[0]
		where = fmt.Sprintf(" Most of it: %s went from %s to %s of the rows.", t.Cell, percent(t.RefShare), percent(t.CurShare))
	}
	switch few := min(div.RefN, div.CurN); {
	case few < minDriftRows:
		f.Outcome, f.UnitsNeeded = analysis.Insufficient, minDriftRows-few
		f.Message = fmt.Sprintf("Too few rows to compare %s: %s, and at least %d per arm are needed.", f.Column, size, minDriftRows)
	case div.Interval.IsZero():
		// One cell, or one number, holds every row of both arms.
		f.Estimate.Lo, f.Estimate.Hi = 0, 0
		f.Outcome = analysis.Pass
		f.Message = fmt.Sprintf("%s holds one and the same value in both arms: no drift. %s.", f.Column, size)
	case float64(f.HarmBound) > m.fail:
		f.Outcome = analysis.Harm
		f.Message = fmt.Sprintf("%s drifted: %s, surely at least %s. %s%s %s.", f.Column, value, show(float64(f.HarmBound)), limits, where, size)
	case f.Estimate.Lo > m.warn && f.Estimate.Hi < m.fail:
		f.Outcome = analysis.Warn
		f.Message = fmt.Sprintf("%s differs: %s, between %s and %s. %s%s %s.", f.Column, value, show(f.Estimate.Lo), show(f.Estimate.Hi), limits, where, size)
	case f.Estimate.Hi < m.warn:
		f.Outcome = analysis.Pass
		f.Message = fmt.Sprintf("%s: no material change. %s, at most %s. %s %s.", f.Column, value, show(f.Estimate.Hi), limits, size)
	case f.Estimate.Hi < m.fail:
		f.Outcome = analysis.Warn
		f.Message = fmt.Sprintf("%s is surely below the limit but may be above the warning level: %s, between %s and %s. %s%s %s.", f.Column, value, show(f.Estimate.Lo), show(f.Estimate.Hi), limits, where, size)
	default:
		f.Outcome = analysis.Inconclusive
		f.UnitsNeeded = d.rowsNeeded(f, l, m, div, r)
		f.Message = fmt.Sprintf("Cannot tell yet about %s: %s, between %s and %s. %s %s.", f.Column, value, show(f.Estimate.Lo), show(f.Estimate.Hi), limits, size)
	}
}

// rowsNeeded is how many more rows per arm would put the interval on one side of
// the limit, if the drift is as it is now measured.
func (d Drift) rowsNeeded(f *analysis.Finding, l look, m driftMetric, div drift.Divergence, r ruler) uint64 {
	truth, limit := f.Estimate.Point, m.fail
	have := min(div.RefN, div.CurN)
	end, alpha := f.Estimate.Hi, l.noHarm
	if truth > limit {
		end, alpha = float64(f.HarmBound), l.alpha
	}
	level, ok := r.levelFor(alpha, float64(div.RefN)+float64(div.CurN))
	// Near the limit the law is costly, and the answer is a guess anyway.
	if m.psi != nil && ok && math.Abs(truth-limit) > limit/5 {
		n, err := drift.RowsNeeded(m.psi(limit), m.psi(truth), max(2, div.Cells), drift.RowsOptions{Level: level})
		if err == nil && n > have {
			return roundUp(float64(n - have))
		}
	}
	return unitsNeeded(have, truth, limit, end, alpha)
}

func buildDrift(p *analysis.Params) (analysis.Check, error) {
	var words []string
	for _, m := range driftMetrics() {
		words = append(words, string(m.name))
	}
	d := Drift{
		Column: p.Column("column", ""),
		Metric: DriftMetric(p.Enum("metric", string(PSIEquivalent), words...)),
		Cells:  int(min(p.Uint("cells", 0), 1<<20)),
	}
	if d.Column == "all" && !slices.Contains(p.Policy().Columns.Features, "all") {
		d.Column = ""
	}
	m, _ := findDriftMetric(d.Metric)
	d.Warn, d.Fail = buildDriftLimit(p, "warn", m), buildDriftLimit(p, "fail", m)
	p.Severity(analysis.SeverityWarn)
	if _, err := d.settings(); err != nil {
		switch {
		case d.Warn > 0 && d.Fail > 0 && d.Warn > d.Fail:
			p.Errorf("warn", "the warning level %v is above the limit fail: %v", d.Warn, d.Fail)
		case d.Cells != 0:
			p.Errorf("cells", "%d cells; give 2 to 1000", d.Cells)
		default:
			return nil, err
		}
	}
	if pol := p.Policy(); d.Column == "" && len(pol.Columns.Features) == 0 && pol.Columns.Score == "" {
		p.Errorf("", "no column to compare; name features or a score under columns, or a column here")
	}
	return d, nil
}

// buildDriftLimit reads a limit, which is a plain number and, for metrics that
// are shares, may be a percentage.
func buildDriftLimit(p *analysis.Params, key string, m driftMetric) float64 {
	q, ok := p.Quantity(key)
	switch {
	case !ok:
		return 0
	case !(q.Value > 0):
		p.Errorf(key, "%v is not above 0", q)
		return 0
	case q.Unit == analysis.Ratio, q.Unit != analysis.Plain && m.unit != "share":
		p.Errorf(key, "%v has a unit that %s does not have; give a plain number", q, m.name)
		return 0
	}
	return q.Value
}

// rootCause is the sentence about the column to look at first.
func rootCause(c compared) string {
	if len(c.div.Top) == 0 {
		return "Look at " + c.finding.Column + " first."
	}
	t := c.div.Top[0]
	why := map[drift.CellKind]string{
		drift.MissingCell: "missing values", drift.OutsideCell: "values out of range", drift.UnseenCell: "a value that the baseline never had",
	}[t.Kind]
	if why != "" {
		why = ", which has a fault of data quality: " + why
	}
	return fmt.Sprintf("Look at %s first%s (%s, %s to %s of the rows).", c.finding.Column, why, strings.TrimPrefix(t.Cell, "= "), percent(t.RefShare), percent(t.CurShare))
}
