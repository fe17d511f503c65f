package sla

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/stats"
)

// Composite is several objectives as one.
type Composite struct {
	Mode      CompositeMode   `json:"mode"`
	State     State           `json:"state"`
	Worst     string          `json:"worst"`     // the objective with the worst state, and of those the least left
	Consumed  stats.Float     `json:"consumed"`  // of the composite budget; of the worst one for WorstOf
	Remaining stats.Float     `json:"remaining"` // 1 - Consumed
	Target    float64         `json:"target"`    // of the whole; of the worst one for WorstOf
	SLI       stats.Interval  `json:"sli"`       // of the whole; of the worst one for WorstOf
	Parts     []CompositePart `json:"parts"`     // as given
}

// CompositePart is one of the objectives.
type CompositePart struct {
	Objective string      `json:"objective"`
	State     State       `json:"state"`
	Remaining stats.Float `json:"remaining"`
}

// Combine joins the budgets of several objectives.
//
// WorstOf takes the worst state, in the order Exhausted, NoData, AtRisk, OK, and
// among equals the least budget. Serial multiplies levels and targets: parts that are
// all needed and fail independently. Parallel multiplies the shares of bad and the
// budgets: one part is enough. Consumed then is the bad share of the whole over its
// budget, and the interval of the level is made of the ends of the parts' intervals,
// with the level that Bonferroni's inequality leaves.
//
// Special cases: a part without data leaves Serial and Parallel without level, and
// the state is Exhausted or NoData as for WorstOf.
// Errors: [stats.ErrEmpty] for no parts; [stats.ErrMismatch] for Serial or Parallel
// over different windows; [stats.ErrDomain] for an unknown mode. Cost: linear.
func Combine(mode CompositeMode, parts ...BudgetStatus) (Composite, error) {
	const fn = "Combine"
	switch {
	case len(parts) == 0:
		return Composite{}, fmt.Errorf("sla: %s: no parts: %w", fn, stats.ErrEmpty)
	case !known(compositeWords, mode):
		return Composite{}, fmt.Errorf("sla: %s: mode %d: %w", fn, int8(mode), stats.ErrDomain)
	}
	worst := parts[0]
	c := Composite{Mode: mode}
	for _, p := range parts {
		c.Parts = append(c.Parts, CompositePart{p.Objective, p.State, p.Remaining})
		if p.worseThan(worst) {
			worst = p
		}
		if mode != WorstOf && (!p.From.Equal(worst.From) || !p.To.Equal(worst.To)) {
			return Composite{}, fmt.Errorf("sla: %s: %s covers %s to %s and %s does not: %w", fn, worst.Objective, worst.From, worst.To, p.Objective, stats.ErrMismatch)
		}
	}
	c.State, c.Worst = worst.State, worst.Objective
	c.Consumed, c.Remaining, c.Target, c.SLI = worst.Consumed, worst.Remaining, worst.Target, worst.SLI
	if mode != WorstOf {
		c.multiply(parts, worst)
	}
	return c, nil
}

// rank orders states from good to bad: what cannot be judged is worse than a risk.
func (s State) rank() int {
	switch s {
	case OK:
		return 0
	case AtRisk:
		return 1
	case Exhausted:
		return 3
	}
	return 2
}

func (b BudgetStatus) worseThan(o BudgetStatus) bool {
	if b.State.rank() != o.State.rank() {
		return b.State.rank() > o.State.rank()
	}
	return b.Remaining < o.Remaining
}

// multiply is Serial and Parallel. Both are products: of levels, or of bad shares.
func (c *Composite) multiply(parts []BudgetStatus, worst BudgetStatus) {
	serial := c.Mode == Serial
	product := func(bad func(BudgetStatus) float64) float64 {
		logSum, prod := 0.0, 1.0
		for _, p := range parts {
			logSum += math.Log1p(-bad(p))
			prod *= bad(p)
		}
		if serial {
			return -math.Expm1(logSum)
		}
		return prod
	}
	budget := product(func(b BudgetStatus) float64 { return b.Budget })
	c.Target = 1 - budget
	nan := stats.Float(math.NaN())
	c.Consumed, c.Remaining, c.SLI = nan, nan, stats.Interval{}
	slack, seen := 0.0, true
	for _, p := range parts {
		slack += 1 - p.SLI.Level
		seen = seen && p.State != NoData
	}
	if !seen {
		return
	}
	bad := product(func(b BudgetStatus) float64 { return b.Bad / b.Total })
	c.SLI = stats.Interval{
		Point: 1 - bad,
		Lo:    1 - product(func(b BudgetStatus) float64 { return 1 - b.SLI.Lo }),
		Hi:    1 - product(func(b BudgetStatus) float64 { return 1 - b.SLI.Hi }),
		Level: max(0, 1-slack),
	}
	c.Consumed = share(bad, budget)
	c.Remaining = 1 - c.Consumed
	switch {
	case c.Remaining <= 0 && bad > 0:
		c.State = Exhausted
	case worst.State == OK:
		c.State = OK
	default:
		c.State = AtRisk
	}
}
