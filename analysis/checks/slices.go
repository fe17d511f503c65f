package checks

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Slices holds a metric against its limits in each declared slice of the rows by
// itself: what [Guardrail] does for whole arms, with the same limits, bounds and
// findings, it does where country=DE, where country=FR, and so on. Each finding
// carries its slice; one more, without a slice, names the worst.
//
// Which slices. The check looks at the slices that the policy declares, or at
// those of Of. Every value that occurs in either arm makes a slice, as does the
// missing value, unless Values lists those that count. What is beyond the cap of
// a cross is in no slice, and the finding about all of them says how many rows that are.
//
// Which of them the rollout waits for. A slice whose arms both have MinUnits rows,
// or would have by the share of the arm in all rows, is waited for: it has to
// pass, so that no slice goes by unseen because the candidate lost its rows. One
// without any row in an arm is slice_missing, NoData. Slices too small for that
// are judged, too, and their harm counts; but if they are not harmed they are only
// listed in the finding about all, since every log has a tail of slices that will
// never be large enough. With Wait, and for slices listed in Values, size does not
// matter: all of them are waited for. When no slice is large enough, the finding
// about all is Insufficient: a check that has judged nothing does not pass.
//
// Error. The share of the budget is divided equally among the crosses, and in a
// cross among its slices, so that the probability of Harm in any of them, without
// any, is at most that share:
//
//   - with Values, equally among those.
//   - with one look, or scheduled ones, by Holm's method over the m slices that
//     occur (Holm 1979): their number depends on which rows arrived, but not on
//     what the metric is in them, so it may be used to divide by. A slice in which
//     harm is proven leaves its share to the others.
//   - with continuous looks m grows while the evidence is looked at. A slice then
//     gets half of 1/(m(m+1)) and, up to the cap of the cross, half of 1/cap: the
//     j-th slice to occur never gets more than its own j allows, and these sum to
//     1. So a cross of 4 values costs a factor of 30 and one of 64 a factor of 126;
//     naming the slices in Values costs their number only.
//
// This takes slices for something that the candidate does not influence, such as
// the country of a customer. In slices of what the model itself has decided, the
// arms hold different rows, and a difference is not the candidate's doing.
//
// Rows of one unit: which units the rows of a slice are of is not counted. They are
// taken for those of the arm with most rows; see [Guardrail].
type Slices struct {
	// Guardrail is the metric, of columns of the log, and its limits. MinUnits 0
	// means 500 for slices, and Planned 0 means twice MinUnits.
	Guardrail Guardrail
	// Of is the one cross to look at; nil means all that the policy declares.
	Of []analysis.SliceColumn
	// Values are the slices of Of that are judged, each with a value for each
	// column of Of; nil means all that occur.
	Values [][]string
	// Wait makes the rollout wait for small slices, too.
	Wait bool
}

// Name implements [analysis.Check].
func (c Slices) Name() string { return "slices" }

// Columns implements [analysis.Check].
func (c Slices) Columns() []analysis.ColumnSpec { return c.Guardrail.Columns() }

// Stratified implements [analysis.Stratified].
func (c Slices) Stratified() {}

// SliceFamily implements [analysis.SliceFamily].
func (c Slices) SliceFamily() {}

// PauseLimits implements [analysis.PauseLimits].
func (c Slices) PauseLimits() bool { return c.Guardrail.PauseLimits() }

// Slices implements [analysis.SliceUser].
func (c Slices) Slices() []analysis.SliceSpec {
	if c.Of == nil {
		return nil
	}
	return []analysis.SliceSpec{{Columns: c.Of, Values: c.Values}}
}

func (c Slices) validate() error {
	if err := c.Guardrail.validate(); err != nil {
		return err
	}
	switch {
	case c.Guardrail.Of != "":
		return fmt.Errorf("checks: Slices: %s is a metric of providers, which has no slices: %w", c.Guardrail.Of, stats.ErrDomain)
	case c.Of == nil && c.Values != nil:
		return fmt.Errorf("checks: Slices: values %q of no cross: %w", c.Values, stats.ErrDomain)
	}
	for _, v := range c.Values {
		if len(v) != len(c.Of) {
			return fmt.Errorf("checks: Slices: value %q for %d columns: %w", v, len(c.Of), stats.ErrDomain)
		}
	}
	return nil
}

// Run implements [analysis.Check].
func (c Slices) Run(ev *analysis.Evidence) ([]analysis.Finding, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.Guardrail.MinUnits = cmp.Or(c.Guardrail.MinUnits, defaultSliceUnits)
	c.Guardrail.Planned = cmp.Or(c.Guardrail.Planned, 2*c.Guardrail.MinUnits)
	if fs := missing(ev, c.Name()); fs != nil && (ev.Compared != analysis.Absolute || empty(ev.Candidate)) {
		return fs, nil
	}
	declared := c.Slices()
	if declared == nil && ev.Policy != nil {
		declared = ev.Policy.DeclaredSlices()
	}
	if len(declared) == 0 {
		return nil, fmt.Errorf("checks: Slices: the policy declares no slices: %w", stats.ErrDomain)
	}
	var out []analysis.Finding
	for i := range declared {
		fs, err := c.judgeCross(ev, &declared[i], float64(len(declared)))
		if err != nil {
			return nil, err
		}
		out = append(out, fs...)
	}
	return out, nil
}

// defaultSliceUnits is the number of units of an arm below which no slice passes.
const defaultSliceUnits = 500

// judgeCross judges the slices of one of so many crosses. The first finding is
// the one about all of them.
func (c Slices) judgeCross(ev *analysis.Evidence, cross *analysis.SliceSpec, crosses float64) ([]analysis.Finding, error) {
	fam, why := c.family(ev, cross)
	if why != nil {
		f := analysis.NewFinding(c.Name(), "", c.Guardrail.title())
		f.Column, f.N = c.Guardrail.findingColumn(), rows(ev)
		why.put(&f)
		return []analysis.Finding{f}, nil
	}
	alpha := fam.share() / crosses
	if err := c.judgeAll(ev, fam, alpha); err != nil {
		return nil, err
	}
	if fam.steps { // Holm: what is proven leaves its share to the others
		for harmed, left := 0, len(fam.members); ; {
			n := fam.harmed()
			if n == harmed || n == left {
				break
			}
			harmed = n
			if err := c.judgeAll(ev, fam, 1/(crosses*float64(left-n))); err != nil {
				return nil, err
			}
		}
	}
	out := []analysis.Finding{c.lead(ev, fam)}
	for _, m := range fam.members {
		if m.waited || m.harmed() {
			out = append(out, m.findings...)
		}
	}
	return out, nil
}

// judgeAll runs the guardrail on every slice in which no harm is proven yet.
func (c Slices) judgeAll(ev *analysis.Evidence, fam *sliceFamily, share float64) error {
	for _, m := range fam.members {
		if m.harmed() {
			continue
		}
		if m.waited && m.lacks != "" {
			m.findings = []analysis.Finding{c.absent(fam, m)}
			continue
		}
		one := *ev
		one.Alpha, one.PauseAlpha = share*ev.Alpha, share*ev.PauseAlpha
		one.Strata = m.strata
		last := m.strata[len(m.strata)-1]
		one.Baseline, one.Candidate = last.Baseline, last.Candidate
		fs, err := c.Guardrail.Run(&one)
		if err != nil {
			return err
		}
		key := fam.cross.Key(m.values)
		for i := range fs {
			fs[i].Check, fs[i].Slice = c.Name(), key
			fs[i].Message = "Where " + key.String() + ": " + fs[i].Message
		}
		m.findings = fs
	}
	return nil
}

// absent is the finding of a slice without rows in an arm.
func (c Slices) absent(fam *sliceFamily, m *member) analysis.Finding {
	f := analysis.NewFinding(c.Name(), "slice_missing", c.Guardrail.title())
	f.Column, f.Slice, f.N = c.Guardrail.findingColumn(), fam.cross.Key(m.values), m.n
	f.Outcome = analysis.NoData
	f.Message = fmt.Sprintf("Where %v: %s, so that nothing can be said about it. Is the name right, and does the traffic still reach the candidate?", f.Slice, m.lacks)
	return f
}

// lead is the finding about all slices, which names the worst.
func (c Slices) lead(ev *analysis.Evidence, fam *sliceFamily) analysis.Finding {
	var worst *analysis.Finding
	judged, small := 0, []*member{}
	for _, m := range fam.members {
		if !m.waited && !m.harmed() {
			small = append(small, m)
			continue
		}
		judged++
		for i := range m.findings {
			if f := &m.findings[i]; worst == nil || worse(f, worst) {
				worst = f
			}
		}
	}
	name := fmt.Sprintf("slices of %s", list(fam.cross.Names(), 8))
	f := analysis.NewFinding(c.Name(), "worst_slice", c.Guardrail.title())
	f.Column, f.N = c.Guardrail.findingColumn(), rows(ev)
	if worst == nil {
		f.Code, f.Outcome, f.UnitsNeeded = "slices_small", analysis.Insufficient, fam.unitsNeeded(c.Guardrail.MinUnits)
		f.Message = fmt.Sprintf("None of the %d %s has %s rows in both arms yet.", len(fam.members), name, count(c.Guardrail.MinUnits))
	} else {
		f = *worst
		f.Code, f.Slice, f.Details, f.Warnings = "worst_slice", analysis.SliceKey{}, slices.Clone(worst.Details), slices.Clone(worst.Warnings)
		f.Alpha = 0 // it is spent by the finding of the slice
		if f.Outcome == analysis.Insufficient {
			f.UnitsNeeded = max(1, f.UnitsNeeded)
		}
		f.Message = fmt.Sprintf("Worst of %d %s: %s", judged, name, worst.Message)
	}
	f.Details = append(f.Details, detail("slices judged", float64(judged)), detail("slices too small", float64(len(small))))
	fam.warn(&f, small, c.Guardrail.MinUnits)
	return f
}

// badness ranks outcomes of slices that the rollout waits for.
var badness = map[analysis.Outcome]int{analysis.Harm: 4, analysis.Invalid: 3, analysis.NoData: 2, analysis.Insufficient: 2, analysis.Inconclusive: 1}

// worse reports whether a is worse than b.
func worse(a, b *analysis.Finding) bool {
	if d := badness[a.Outcome] - badness[b.Outcome]; d != 0 {
		return d > 0
	}
	return excess(a) > excess(b)
}

// excess is by how much an estimate is above its limit.
func excess(f *analysis.Finding) float64 {
	x := f.Estimate.Point
	if f.Outcome == analysis.Harm {
		x = float64(f.HarmBound)
	}
	if x -= float64(f.Limit); x == x {
		return x
	}
	return unknown.lo
}
