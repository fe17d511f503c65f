package planning

import (
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/analysis/checks"
	"github.com/rampguard/rampguard/stats"
)

// limitKind says what a limit is called in a policy.
type limitKind int8

const (
	marginLimit limitKind = iota
	boundLimit
	ratioLimit
)

// limit is one limit of a guardrail, with the code of its findings.
type limit struct {
	kind     limitKind
	code     string
	quantity analysis.Quantity
	pauses   bool
}

func limitsOf(g *checks.Guardrail) []limit {
	var out []limit
	add := func(k limitKind, code string, q *analysis.Quantity, pauses bool) {
		if q != nil {
			out = append(out, limit{k, code, *q, pauses})
		}
	}
	add(marginLimit, "margin", g.Margin, false)
	add(boundLimit, "rollback_bound", g.Bounds.Rollback, false)
	add(boundLimit, "pause_bound", g.Bounds.Pause, true)
	add(ratioLimit, "rollback_ratio", g.Relative.Rollback, false)
	add(ratioLimit, "pause_ratio", g.Relative.Pause, true)
	return out
}

// worseOf is +1 when a higher value of the metric is worse.
func worseOf(g *checks.Guardrail) float64 {
	switch d := g.Direction; {
	case d != 0:
		return -float64(d)
	case slices.Contains([]checks.Metric{checks.Accuracy, checks.AUC, checks.Precision, checks.Recall, checks.R2, checks.Coverage, checks.MacroF1}, g.Metric):
		return -float64(stats.HigherIsBetter)
	}
	return -float64(stats.LowerIsBetter)
}

// shareOut divides the errors of a check among its limits as [checks.Guardrail]
// does.
func shareOut(g *checks.Guardrail, alpha, pause float64) (other, pausing float64) {
	others, pauses := 0.0, 0.0
	for _, l := range limitsOf(g) {
		if l.pauses {
			pauses++
		} else {
			others++
		}
	}
	if g.UsesLabels() {
		pauses++ // the test of the coverage of labels
	}
	if g.PauseLimits() && pause > 0 && pause != alpha {
		return alpha / max(1, others), pause / pauses
	}
	return alpha / (others + pauses), alpha / (others + pauses)
}

// plannedOf is the number of units at which bounds are tightest.
func plannedOf(g *checks.Guardrail, p *analysis.Policy) float64 {
	switch {
	case g.Planned > 0:
		return float64(g.Planned)
	case g.Metric == checks.CountRate:
		return 1000
	case p.Exposure.MinUnits > 0:
		return 2 * float64(p.Exposure.MinUnits)
	}
	return 10000
}
