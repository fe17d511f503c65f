package checks

import (
	"fmt"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
)

// Differences of the share of labelled rows: above the first a label metric is
// read with care, above the second it is not read at all.
const (
	coverageWarn = 0.01
	coverageFail = 0.05
)

// shareOf is x of n rows as a measure.
func shareOf(x, n uint64, repeats float64) measure {
	m := measure{kind: proportion, x: x, n: n, positive: true, repeats: repeats}
	if n > 0 {
		m.value = float64(x) / float64(n)
	}
	return m
}

// coverage compares how many rows have labels. It adds a warning to the findings
// of a metric when the shares differ. When they differ so much that the arms rest
// on labels of different age, it marks them untrusted and returns a finding of
// its own: Invalid when that is proven at the error allotted, else Inconclusive.
func (g Guardrail) coverage(ev *analysis.Evidence, l look, fs []analysis.Finding) (analysis.Finding, bool) {
	labelled := func(s *analysis.Snapshot) (x, n uint64) {
		col := s.ByRole(analysis.Label)
		if col == nil {
			return 0, 0
		}
		n = s.MatureRows()
		return min(labelsOf(s), n), n
	}
	var arms []armPair
	for _, s := range strataOf(ev) {
		if s.Baseline == nil || s.Candidate == nil {
			continue
		}
		xb, nb := labelled(s.Baseline)
		xc, nc := labelled(s.Candidate)
		repeats := rowsPerUnit(s.Baseline, s.Candidate)
		arms = append(arms, armPair{base: shareOf(xb, nb, repeats), cand: shareOf(xc, nc, repeats), okBase: nb > 0, okCand: nc > 0, split: s.Split})
	}
	p, ok := newPair(ev, rulerOf(ev, g.Planned), arms)
	if !ok {
		return analysis.Finding{}, false
	}
	diff := p.difference(l.noHarm / 2) // two-sided
	least, sign := diff.lo, 1.0
	if p.cand.value < p.base.value {
		least, sign = -diff.hi, -1
	}
	text := fmt.Sprintf("%s of the candidate's rows have a label, %s of the baseline's", percent(p.cand.value), percent(p.base.value))
	switch {
	case least > coverageFail:
		// It is called broken at the error that the budget allots, or in place of a
		// harm, which has paid for itself; until then it is undecided.
		strict := p.strict().difference(l.alpha / 2).times(sign).lo
		broken := strict > coverageFail
		for i := range fs {
			broken = broken || fs[i].Outcome == analysis.Harm
			fs[i].Untrusted = true
		}
		f := g.coverageFinding(l, p, diff.times(sign), strict, sign, text, broken)
		return f, true
	case least > coverageWarn:
		for i := range fs {
			warn(&fs[i], WarnCoverage, text+"; labels that arrive later may differ from those already there.")
		}
	}
	return analysis.Finding{}, false
}

func (g Guardrail) coverageFinding(l look, p pair, diff span, strict, sign float64, text string, broken bool) analysis.Finding {
	f := analysis.NewFinding(g.Name(), "label_coverage", "label_coverage")
	f.Severity, f.Alpha, f.N = analysis.SeverityPause, l.alpha, analysis.Counts{Baseline: p.base.n, Candidate: p.cand.n}
	f.Unit, f.Limit, f.Method = "pp", coverageFail, methodName(p, marginLimit)
	f.Estimate = l.interval(sign*(p.cand.value-p.base.value), diff)
	f.HarmBound = stats.Float(strict)
	f.Details = []analysis.Detail{detail("baseline", p.base.value), detail("candidate", p.cand.value)}
	const why = "The arms rest on labels of different age, so metrics of labels cannot be compared; wait until both have matured, or find out why labels are lost."
	if broken {
		f.Outcome, f.Local = analysis.Invalid, true
		f.Message = fmt.Sprintf("%s: surely more than %s apart. %s", text, quantity(coverageFail, "pp"), why)
		return f
	}
	f.UnitsNeeded = unitsNeeded(min(p.base.n, p.cand.n), f.Estimate.Point, coverageFail, strict, l.alpha)
	f.Message = fmt.Sprintf("%s: most likely more than %s apart. %s", text, quantity(coverageFail, "pp"), why)
	return f
}
