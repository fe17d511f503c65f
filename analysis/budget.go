package analysis

import "math"

// The parts of an error budget: for checks of whole arms, for checks of declared
// slices, and in reserve for hypotheses that a controller adds to the findings of
// the policy. A part without checks goes to the other one.
const (
	overallPart = 0.5
	familyPart  = 0.4
	reservePart = 0.1
)

// SliceFamily is a [Check] of declared slices, which share a part of the budget
// of their own, so that many slices do not take it from the whole arms.
type SliceFamily interface {
	Check
	SliceFamily() // says so
}

// ThresholdOnly is a [Check] that holds values against thresholds and proves
// nothing, so that it spends none of the error budget.
type ThresholdOnly interface {
	Check
	ThresholdOnly() // says so
}

// attemptShare is the part of a budget for the a-th attempt, counted from 1:
// 6/(pi^2 a^2), so that all attempts together spend the budget once, however many
// there will be. A policy that looks once judges finished logs: each is a rollout of
// its own, with a budget of its own, whatever came before.
func (p *Policy) attemptShare(a int) float64 {
	a = max(a, 1)
	if p.Looks.Kind == Once {
		return 1
	}
	return 6 / (math.Pi * math.Pi * float64(a) * float64(a))
}

// class is the budget that findings of a severity spend.
func class(s Severity) Severity {
	if s == SeverityRollback {
		return SeverityRollback
	}
	return SeverityPause
}

// spends reports whether findings of the entry may spend the budget.
func (e *CheckEntry) spends(budget Severity) bool {
	if _, no := e.Check.(ThresholdOnly); no {
		return false
	}
	if class(e.Severity) == budget {
		return true
	}
	l, ok := e.Check.(PauseLimits)
	return ok && budget == SeverityPause && l.PauseLimits()
}

// share is the part of a budget that an entry may spend: its weight among the
// entries of its part, overall or slices.
func (p *Policy) share(e *CheckEntry, budget Severity) float64 {
	if !e.spends(budget) {
		return 0
	}
	_, sliced := e.Check.(SliceFamily)
	same, other := 0.0, 0.0
	for i := range p.Checks {
		c := &p.Checks[i]
		if c.Check == nil || c.Check.Name() == srmCheck || !c.spends(budget) || (e.stops() && !c.stops()) {
			continue
		}
		if _, s := c.Check.(SliceFamily); s == sliced {
			same += c.weight()
		} else {
			other += c.weight()
		}
	}
	part := overallPart
	switch {
	case other == 0:
		part = 1 - reservePart
	case sliced:
		part = familyPart
	}
	return part * e.weight() / same
}

// stops reports whether harm that the entry finds can stop a rollout. Limits that
// pause do, whatever its severity.
func (e *CheckEntry) stops() bool {
	l, ok := e.Check.(PauseLimits)
	return e.Severity >= SeverityPause || e.Required || ok && l.PauseLimits()
}

func (e *CheckEntry) weight() float64 {
	if e.Weight > 0 {
		return e.Weight
	}
	return 1
}

// srmCheck is the check that has a budget of its own.
const srmCheck = "srm"

// Alpha returns the shares of the error budget that an entry of the policy may
// spend at an attempt, counted from 1: for findings of its own severity, and for
// those that only pause. The budget of a severity is divided among its checks by
// their weights, half of it among checks of whole arms, two fifths among checks of
// declared slices ([SliceFamily]), and a tenth is kept ([Policy.ReserveAlpha]); a
// part without checks goes to the other one. The srm check has a budget of its own,
// which several of them divide by their weights.
//
// A check whose harm cannot stop a rollout spends nothing, but is held to the
// standard of those that pause. A [ThresholdOnly] check has no error to spend.
func (p *Policy) Alpha(e *CheckEntry, attempt int) (alpha, pause float64) {
	a := p.attemptShare(attempt)
	if e.Check.Name() == srmCheck {
		all := 0.0
		for i := range p.Checks {
			if c := &p.Checks[i]; c.Check != nil && c.Check.Name() == srmCheck {
				all += c.weight()
			}
		}
		alpha = p.Budget.SRM * a * (e.weight() / math.Max(all, e.weight()))
		return alpha, alpha
	}
	pause = p.Budget.Pause * a * p.share(e, SeverityPause)
	if class(e.Severity) == SeverityRollback {
		return p.Budget.Rollback * a * p.share(e, SeverityRollback), pause
	}
	return pause, pause
}

// ReserveAlpha is the error that the j-th hypothesis, counted from 1, may spend
// that a controller adds to the findings of the policy, before it has seen the
// data: 6/(pi^2 j^2) of the tenth of the budget that is kept for it. severity
// chooses the budget. It is 0 for j below 1.
func (p *Policy) ReserveAlpha(severity Severity, attempt, j int) float64 {
	if j < 1 {
		return 0
	}
	budget := p.Budget.Pause
	if class(severity) == SeverityRollback {
		budget = p.Budget.Rollback
	}
	return budget * p.attemptShare(attempt) * reservePart * 6 / (math.Pi * math.Pi * float64(j) * float64(j))
}
