package checks

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Labels watches whether labels arrive: how many of the rows that are old enough have
// one, in each arm, and how old the rows are. Arms of which one loses labels cannot be
// compared by metrics of labels, and the labels that do arrive are no sample of all.
//
// The finding label_arrival holds the difference of the shares, in either direction,
// against the margin: Harm when it is surely above, Pass when it is surely below. Its
// bounds are those of [Guardrail] for the shares of missing labels, over all stages, and
// exact ones of each arm by itself where those are better.
//
// MaxWeight caps the rollout until labels are there: from a stage of that weight on,
// the finding label_cap is Insufficient, so that a required check waits, until both
// arms have MinMature labelled rows that are old enough, repeats of a unit counted
// once. With labels.maturity of the policy its message says when the first labels
// will be old enough, and when those of all rows so far. In earlier stages there is no
// such finding.
type Labels struct {
	Margin    float64 // difference of the shares that does not matter; 0 means 0.05
	MaxWeight float64 // percent of the traffic; 0 means no cap
	MinMature uint64  // labelled rows of each arm; 0 means 1000
}

// Name implements [analysis.Check].
func (c Labels) Name() string { return "labels" }

// Columns implements [analysis.Check].
func (c Labels) Columns() []analysis.ColumnSpec { return nil }

// UsesLabels implements [analysis.LabelUser].
func (c Labels) UsesLabels() bool { return true }

// Stratified implements [analysis.Stratified].
func (c Labels) Stratified() {}

// arrival is what is known of the labels of one arm.
type arrival struct {
	rows, mature, labelled uint64
	first, last            time.Time // of service; zero when rows have no times
	column                 bool      // there is a column of labels
	present                bool      // it was in the log
}

func (a *arrival) add(s *analysis.Snapshot) {
	if s == nil {
		return
	}
	mature := s.MatureRows()
	a.rows, a.mature = a.rows+s.RowCount, a.mature+mature
	if col := s.ByRole(analysis.Label); col != nil {
		a.column = true
		a.present = a.present || col.Type != analysis.Absent
		a.labelled += min(labelsIn(col), mature)
	}
	if c := s.ByRole(analysis.Clock); c != nil && c.Clock.N > 0 {
		first, last := time.UnixMicro(c.Clock.Min).UTC(), time.UnixMicro(c.Clock.Max).UTC()
		if a.first.IsZero() || first.Before(a.first) {
			a.first = first
		}
		if last.After(a.last) {
			a.last = last
		}
	}
}

// labelsIn is the number of labels of a column, of whatever type.
func labelsIn(col *analysis.ColumnSummary) uint64 {
	if yes, no, ok := yesNo(col); ok {
		return yes + no
	}
	return col.Boolean.True + col.Boolean.False + col.Numeric.N() + col.Category.Total()
}

// text describes the labels of an arm.
func (a arrival) text(arm string) string {
	out := fmt.Sprintf("%s of the %s %s of the %s that are old enough have a label", percent(ratioOf(a.labelled, a.mature)), count(a.mature), "rows", arm)
	if !a.first.IsZero() {
		out += fmt.Sprintf(" (served from %s to %s)", a.first.Format(time.RFC3339), a.last.Format(time.RFC3339))
	}
	return out
}

func ratioOf(x, n uint64) float64 {
	if n == 0 {
		return 0
	}
	return float64(x) / float64(n)
}

// Run implements [analysis.Check].
func (c Labels) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	var base, cand arrival
	var arms []armPair
	for _, s := range strataOf(ev) {
		var b, k arrival
		b.add(s.Baseline)
		k.add(s.Candidate)
		base.add(s.Baseline)
		cand.add(s.Candidate)
		if s.Baseline == nil || s.Candidate == nil {
			continue
		}
		repeats := rowsPerUnit(s.Baseline, s.Candidate)
		arms = append(arms, armPair{base: shareOf(b.mature-b.labelled, b.mature, repeats), cand: shareOf(k.mature-k.labelled, k.mature, repeats),
			okBase: b.mature > 0, okCand: k.mature > 0, split: s.Split})
	}
	f := analysis.NewFinding(c.Name(), "label_arrival", "label_arrival")
	f.N, f.Compared = analysis.Counts{Baseline: base.mature, Candidate: cand.mature}, ev.Compared
	f.Details = arrivalDetails(base, cand)
	f.Message = capitalised(base.text(armName(ev.Compared))) + "; " + cand.text("candidate") + "."
	c.judge(ev, &f, base, cand, arms)
	out := []analysis.Finding{f}
	if g, ok := c.capped(ev, base, cand); ok {
		out = append(out, g)
	}
	return out, nil
}

func capitalised(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func arrivalDetails(base, cand arrival) []analysis.Detail {
	var out []analysis.Detail
	for _, a := range []struct {
		name string
		arrival
	}{{"baseline", base}, {"candidate", cand}} {
		out = append(out, detail(a.name+"_labelled", ratioOf(a.labelled, a.mature)), detail(a.name+"_mature", ratioOf(a.mature, a.rows)))
		if !a.first.IsZero() {
			out = append(out,
				analysis.Detail{Name: a.name + "_oldest", Value: stats.Float(a.first.Unix()), Text: a.first.Format(time.RFC3339)},
				analysis.Detail{Name: a.name + "_youngest", Value: stats.Float(a.last.Unix()), Text: a.last.Format(time.RFC3339)})
		}
	}
	return out
}

// judge compares the shares of labelled rows.
func (c Labels) judge(ev *analysis.Evidence, f *analysis.Finding, base, cand arrival, arms []armPair) {
	refuse := func(p *problem) { p.put(f) }
	switch {
	case ev.Compared != analysis.Concurrent:
		refuse(&problem{"not_concurrent", analysis.Invalid, "Labels are compared between arms that are served at the same time; remove baseline from the check."})
		return
	case base.rows == 0 || cand.rows == 0:
		which := "baseline"
		if base.rows > 0 {
			which = "candidate"
		}
		refuse(noData("no_data", "The %s has no rows yet.", which))
		return
	case !base.column || !cand.column:
		refuse(noData("no_column", "The policy names no label, so there is none to wait for."))
		return
	case base.labelled == 0 && cand.labelled == 0:
		text := f.Message
		refuse(noData("no_labels", "No row of either arm has a label that counts yet. %s", text))
		return
	}
	l := newLook(ev)
	p, ok := newPair(ev, rulerOf(ev, 0), arms)
	if !ok {
		refuse(noData("no_stage_in_common", "No stage has rows of both arms that are old enough for their labels."))
		return
	}
	diff, sign := p.cand.value-p.base.value, 1.0
	if diff < 0 {
		sign = -1
	}
	bounds := func(of pair, alpha float64) span {
		// Either way, by two methods: where no label is missing, the arms of the
		// missing ones say nothing, and each arm by itself does.
		s := of.difference(alpha / 4).meet(unionDifference(of.jointly(alpha / 4))).times(sign)
		return span{s.lo, math.Max(s.hi, -s.lo)}
	}
	f.Estimate = l.interval(sign*diff, bounds(p, l.noHarm))
	f.HarmBound = stats.Float(bounds(p.strict(), l.alpha).lo)
	f.Limit, f.Unit, f.Alpha, f.Method = stats.Float(c.margin()), "pp", l.alpha, methodName(p, marginLimit)
	f.Outcome = verdict(f)
	tail := fmt.Sprintf(" They differ by %s, at most by %s; the limit is %s.", quantity(f.Estimate.Point, f.Unit), quantity(f.Estimate.Hi, f.Unit), quantity(c.margin(), f.Unit))
	switch f.Outcome {
	case analysis.Harm:
		tail = fmt.Sprintf(" They differ by %s, surely by more than %s. The labels of one arm are late or lost, so metrics of labels do not compare like with like; wait for them, or find out where they are lost.",
			quantity(f.Estimate.Point, f.Unit), quantity(c.margin(), f.Unit))
	case analysis.Inconclusive:
		f.UnitsNeeded = unitsNeeded(min(p.base.n, p.cand.n), f.Estimate.Point, c.margin(), f.Estimate.Hi, l.noHarm)
	default:
	}
	f.Message += tail
}

func (c Labels) margin() float64 {
	if c.Margin > 0 {
		return c.Margin
	}
	return coverageFail
}

// weight is the percentage of the traffic that the candidate gets now.
func weight(ev *analysis.Evidence) float64 {
	if ev.Policy != nil {
		for _, s := range ev.Policy.Stages {
			if s.Name == ev.Stage && ev.Stage != "" {
				return s.Weight
			}
		}
	}
	split := strataOf(ev)[len(strataOf(ev))-1].Split
	if all := split.Baseline + split.Candidate; all > 0 {
		return 100 * split.Candidate / all
	}
	return 100
}

// capped is the finding about the cap, where there is one and it is reached.
func (c Labels) capped(ev *analysis.Evidence, base, cand arrival) (analysis.Finding, bool) {
	now := weight(ev)
	if !(c.MaxWeight > 0) || now < c.MaxWeight {
		return analysis.Finding{}, false
	}
	want := c.MinMature
	if want == 0 {
		want = 1000
	}
	worst := 1.0
	for _, s := range strataOf(ev) {
		worst = math.Max(worst, rowsPerUnit(s.Baseline, s.Candidate))
	}
	units := func(a arrival) uint64 { return uint64(float64(a.labelled) / worst) }
	b, k := units(base), units(cand)
	f := analysis.NewFinding(c.Name(), "label_cap", "label_cap")
	f.N, f.Compared = analysis.Counts{Baseline: b, Candidate: k}, ev.Compared
	short := float64(want) - float64(min(b, k))
	f.Estimate = stats.Interval{Point: short, Lo: short, Hi: short}
	f.Limit, f.Unit, f.Method = 1, "labelled units", "count of mature labels"
	f.Details = []analysis.Detail{detail("weight", now), detail("max_weight", c.MaxWeight), detail("min_mature", float64(want))}
	head := fmt.Sprintf("The candidate gets %s of the traffic, and the policy goes no further than a stage of %s without %s mature labels in each arm; there are %s.",
		percent(now/100), percent(c.MaxWeight/100), count(want), counts(b, k, "labelled units"))
	if short <= 0 {
		f.Outcome, f.Message = analysis.Pass, head+" That is enough."
		return f, true
	}
	f.Outcome, f.UnitsNeeded = analysis.Insufficient, want-min(b, k)
	f.Message = head + fmt.Sprintf(" About %s more are needed.", count(f.UnitsNeeded))
	if ev.Policy != nil && ev.Policy.Labels.Maturity > 0 && min(base.mature, cand.mature) > 0 {
		last := base.last
		if cand.last.After(last) {
			last = cand.last
		}
		if !last.IsZero() {
			f.Message += fmt.Sprintf(" The labels of all rows so far will be old enough on %s.", last.Add(ev.Policy.Labels.Maturity).Format(time.RFC3339))
		}
	}
	return f, true
}

func buildLabels(p *analysis.Params) (analysis.Check, error) {
	c := Labels{Margin: shareParam(p, "margin", "5pp"), MaxWeight: p.Float("max_weight", 0)}
	if p.Policy().Columns.Label == "" {
		p.Errorf("", "there is no column of labels to watch; name the label under columns")
	}
	severity := p.Severity(analysis.SeverityPause)
	switch {
	case p.Has("max_weight") && !(c.MaxWeight > 0 && c.MaxWeight <= 100):
		p.Errorf("max_weight", "%v is not a percentage of the traffic above 0, such as 10", c.MaxWeight)
	case p.Has("max_weight") && severity < analysis.SeverityPause:
		p.Errorf("severity", "a check of severity %v lets the rollout go on, so that max_weight holds nothing back; take pause", severity)
	case p.Has("min_mature") && !p.Has("max_weight"):
		p.Errorf("min_mature", "min_mature counts from max_weight on; add max_weight, such as 10")
	}
	if p.Has("max_weight") {
		c.MinMature = p.Uint("min_mature", 1000)
		if c.MinMature == 0 {
			p.Errorf("min_mature", "0 labels are always there; give the number to wait for, such as 1000")
		}
	}
	return c, nil
}
