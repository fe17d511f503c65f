package checks

import (
	"fmt"
	"math"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sequential"
)

// question is a limit turned into "is the quantity above the limit", larger being
// worse.
type question struct {
	point float64
	limit float64
	unit  string
	bound func(alpha float64) span
	// k and l make k*base + l*cand > null the normal form of the question.
	k, l, null float64
	fallback   bool // a relative limit that had to become absolute
}

// judge holds the metric against one limit.
func (g Guardrail) judge(l look, p pair, lim limit) analysis.Finding {
	if lim.kind == boundLimit { // with its rows of all stages
		p.cand = p.whole
	}
	f := analysis.NewFinding(g.Name(), lim.code, g.title())
	if f.Compared = p.compared; lim.kind == boundLimit {
		f.Compared = analysis.Absolute
	}
	f.Column, f.Severity, f.Alpha = g.findingColumn(), lim.severity, l.alpha
	f.N = analysis.Counts{Baseline: p.base.n, Candidate: p.cand.n}
	f.Method = methodName(p, lim.kind)
	if p.base.n > 0 {
		f.Details = append(f.Details, detail("baseline", p.base.value))
	}
	f.Details = append(f.Details, detail("candidate", p.cand.value))

	q := g.ask(l, p, lim)
	f.Limit, f.Unit = stats.Float(q.limit), q.unit
	f.Estimate = l.interval(q.point, q.bound(l.noHarm))
	f.HarmBound = stats.Float(math.Min(g.ask(l, p.strict(), lim).bound(l.alpha).lo, q.point))
	warnSkew(&f, p.skew(lim.kind))
	if q.fallback {
		warn(&f, WarnRelative, fmt.Sprintf("The %s may be 0, so that %v of it means nothing; the difference itself is held against %s instead. A limit in the metric's own unit would be firmer.", armName(p.compared), lim.quantity, quantity(q.limit, q.unit)))
	}
	g.attachEvidence(&f, p, q, lim)
	f.Outcome = verdict(&f)
	g.explainLimit(&f, l, p, lim)
	return f
}

// ask turns a limit into a question.
func (g Guardrail) ask(l look, p pair, lim limit) question {
	s, v := g.worse(), lim.quantity.Value
	switch {
	case lim.kind == boundLimit:
		return g.askBound(p, v)
	case lim.kind == marginLimit && lim.quantity.Unit != analysis.Relative:
		q := g.askDifference(p, v)
		if lim.quantity.Unit == analysis.Points {
			q.unit = "pp"
		}
		return q
	}
	// What is left is relative to the baseline.
	b := math.Abs(p.base.value)
	// A quantile of buckets near 0 is known too badly for a share of it to be a limit.
	if bucketed := g.Of != "" && p.base.kind == quantile; mayBeZero(p, l.noHarm) && !(bucketed && b > 0) {
		absolute := float64(v * b)
		if lim.kind == ratioLimit {
			absolute = float64(math.Abs(v-1) * b)
		}
		q := g.askDifference(p, absolute)
		q.fallback = true
		return q
	}
	if lim.kind == ratioLimit && s > 0 {
		return question{
			point: p.cand.value / p.base.value, limit: v, unit: "ratio", bound: p.ratio,
			k: -v, l: 1,
		}
	}
	limit := v
	if lim.kind == ratioLimit {
		limit = 1 - v
	}
	return g.askRelative(p, limit)
}

// mayBeZero reports whether the baseline's own interval holds 0, or lies below
// it where a ratio is not a change.
func mayBeZero(p pair, alpha float64) bool {
	v := p.base.alone(p.r, alpha)
	if p.base.kind == mean && p.base.value < 0 {
		return v.hi >= 0
	}
	return p.base.value <= 0 || v.lo <= 0
}

func (g Guardrail) askDifference(p pair, limit float64) question {
	s := g.worse()
	q := question{
		point: s * (p.cand.value - p.base.value), limit: limit, unit: "", k: -s, l: s, null: limit,
		bound: func(alpha float64) span { return p.difference(alpha).times(s) },
	}
	if p.base.kind == proportion {
		q.unit = "pp"
	}
	return q
}

// askRelative asks for s(c-b)/|b|.
func (g Guardrail) askRelative(p pair, limit float64) question {
	s, sign := g.worse(), 1.0
	if p.base.value < 0 { // c/b = (-c)/(-b)
		sign = -1
		p.base.value, p.cand.value = -p.base.value, -p.cand.value
	}
	t := s * sign
	return question{
		point: t * (p.cand.value/p.base.value - 1), limit: limit, unit: "relative",
		bound: func(alpha float64) span {
			r := p.ratio(alpha)
			return span{r.lo - 1, r.hi - 1}.times(t)
		},
		k: -(s + float64(limit*sign)), l: s,
	}
}

// times multiplies an interval by +1 or -1.
func (s span) times(sign float64) span {
	if sign < 0 {
		return span{-s.hi, -s.lo}
	}
	return s
}

func (g Guardrail) askBound(p pair, limit float64) question {
	unit := ""
	if p.cand.kind == proportion {
		unit = "share"
	}
	if g.worse() > 0 {
		return question{point: p.cand.value, limit: limit, unit: unit, bound: func(alpha float64) span { return p.cand.alone(p.r, alpha) }}
	}
	if unit != "" {
		unit = "pp"
	}
	return question{
		point: limit - p.cand.value, limit: 0, unit: unit,
		bound: func(alpha float64) span {
			s := p.cand.alone(p.r, alpha)
			return span{limit - s.hi, limit - s.lo}
		},
	}
}

// attachEvidence adds the e-value or p-value of harm beyond the limit, where
// there is one.
func (g Guardrail) attachEvidence(f *analysis.Finding, p pair, q question, lim limit) {
	var logE, logP float64
	if lim.kind == boundLimit {
		logE, logP = g.boundEvidence(p, lim.quantity.Value)
	} else {
		logE, logP = p.evidence(q.k, q.l, q.null)
	}
	f.LogE = stats.Float(logE)
	if !math.IsNaN(logP) {
		f.P = stats.Float(math.Exp(logP))
	}
}

// boundEvidence is the evidence that the candidate by itself is beyond a bound.
func (g Guardrail) boundEvidence(p pair, bound float64) (logE, logP float64) {
	nan := math.NaN()
	alt := stats.Greater
	if g.worse() < 0 {
		alt = stats.Less
	}
	switch m := p.cand; {
	case m.kind == proportion && !(bound > 0 && bound < 1), m.kind == quantile:
		return nan, nan
	case m.kind == proportion:
		x, most, n := m.ends()
		if alt == stats.Less {
			x = most
		}
		if p.r.anytime() {
			r, err := sequential.Bernoulli(x, n, sequential.BernoulliOptions{Null: bound, Alternative: alt, Planned: math.Max(1, p.r.single().planned)})
			if err != nil {
				return nan, nan
			}
			return r.LogE, -math.Max(0, r.LogE)
		}
		r, err := stats.BinomialTest(x, n, bound, stats.ExactOptions{Alternative: alt})
		if err != nil {
			return nan, nan
		}
		return nan, math.Log(r.P)
	case m.kind == rate:
		return m.rateEvidence(p.r, bound, alt)
	default:
		v := m.squaredError()
		if !(v > 0) || m.size() < minNormal {
			return nan, nan
		}
		s := g.worse()
		if !p.r.anytime() {
			return nan, stats.LogNormalTail(s * (m.value - bound) / math.Sqrt(v))
		}
		r, err := sequential.Normal(m.value, math.Sqrt(v), 0, uint64(m.size()),
			sequential.NormalOptions{Null: bound, Alternative: alt, Planned: p.r.single().planned})
		if err != nil {
			return nan, nan
		}
		return r.LogE, -math.Max(0, r.LogE)
	}
}

func methodName(p pair, k limitKind) string {
	name := map[kind]string{proportion: "proportion", mean: "mean", area: "DeLong on cells", quantile: "order statistics on cells", rate: "rate"}[p.cand.kind]
	how := map[bool]map[kind]string{
		false: {proportion: "Wilson", mean: "Student", area: "normal", quantile: "binomial", rate: "Garwood"},
		true:  {proportion: "normal mixture and beta-binomial sequence", mean: "normal mixture", area: "normal mixture", quantile: "beta-binomial sequence", rate: "normal mixture and binomial mixture of the events"},
	}[p.r.anytime()][p.cand.kind]
	combine := ""
	switch {
	case k == boundLimit && p.cand.kind == rate && p.r.anytime():
		how = "gamma mixture"
	case k != boundLimit && p.r.anytime() && p.cand.kind == proportion && len(p.risk) > 0:
		how, combine = "normal mixture and binomial mixture of the events", ", variances recovered from the intervals"
	case k == ratioLimit && p.cand.kind == rate && !p.base.weighted && !p.r.anytime():
		how = "exact binomial of the events"
	case k == boundLimit && p.cand.kind == proportion && p.r.anytime():
		how = "beta-binomial sequence"
	case k == boundLimit && p.cand.kind == proportion:
		how = "Clopper-Pearson"
	case k != boundLimit && p.r.anytime() && p.cand.kind == quantile:
		combine = ", joint intervals"
	case k != boundLimit:
		combine = ", variances recovered from the intervals"
	}
	if p.staged && p.base.weighted && k != boundLimit {
		combine += ", stages weighted as by Mantel and Haenszel"
	}
	return name + ", " + how + combine + "; " + p.r.method()
}

// explainLimit writes the message, and turns an undecided finding into
// Insufficient where it rests on too little.
func (g Guardrail) explainLimit(f *analysis.Finding, l look, p pair, lim limit) {
	least := g.MinUnits
	if least == 0 && p.cand.kind != rate {
		least = defaultMinUnits
	}
	small := p.cand.n
	if lim.kind != boundLimit {
		small = min(small, p.base.n)
	}
	what := g.counted()
	size := counts(p.base.n, p.cand.n, what)
	if lim.kind == boundLimit {
		size = count(p.cand.n) + " " + what
	}
	moved := g.moved(f, p, lim)
	limit := quantity(float64(f.Limit), f.Unit)
	if lim.kind == boundLimit {
		limit = lim.boundText(p)
	}
	// AUC shows no noise when all scores are the same, or part the classes.
	constant := (p.cand.kind == mean || p.cand.kind == area) && p.cand.variance == 0 && (lim.kind == boundLimit || p.base.variance == 0)
	switch {
	case f.Outcome == analysis.Harm && !constant:
		f.Message = fmt.Sprintf("%s, surely at least %s. The limit is %s. %s.", moved, g.amount(f, float64(f.HarmBound), lim), limit, size)
	case constant:
		f.Code, f.Outcome = "no_variation", analysis.Inconclusive
		f.Message = fmt.Sprintf("%s, but no value differs from another, so that nothing can be said about its noise. %s.", moved, size)
	case small < least:
		f.Outcome, f.UnitsNeeded = analysis.Insufficient, least-small
		f.Message = fmt.Sprintf("Too little to judge %s: %s, and at least %s per arm are asked for.", g.title(), size, count(least))
	case f.Outcome == analysis.Pass:
		f.Message = fmt.Sprintf("%s, at worst %s. The limit is %s. %s.", moved, g.amount(f, f.Estimate.Hi, lim), limit, size)
	default:
		g.undecided(f, l, p, lim, small, least, moved, limit, size)
	}
}

func (g Guardrail) undecided(f *analysis.Finding, l look, p pair, lim limit, small, least uint64, moved, limit, size string) {
	point, most := f.Estimate.Point, float64(f.Limit)
	skew := p.skew(lim.kind)
	if math.IsInf(f.Estimate.Hi, 1) && g.Of != "" && p.cand.kind == quantile && small >= p.r.leastForQuantile(p.cand.q, l.noHarm/2) {
		f.Message = fmt.Sprintf("Cannot tell: %s, but the buckets are too coarse to bound that; more edges, or the share of values above one, would help. The limit is %s. %s.", moved, limit, size)
		return
	}
	if math.IsInf(f.Estimate.Hi, 1) && (point <= most || skew > maxSkew) {
		f.Outcome = analysis.Insufficient
		f.Message = fmt.Sprintf("Too little for an interval of %s: %s.", g.title(), size)
		f.UnitsNeeded = max(1, least-min(least, small), rowsForSkew(small, skew))
		if p.cand.kind == quantile {
			f.UnitsNeeded = max(1, roundUp(float64(p.r.leastForQuantile(p.cand.q, l.noHarm/2))-float64(small)))
		}
		return
	}
	if point < most {
		f.UnitsNeeded = unitsNeeded(small, point, most, f.Estimate.Hi, l.noHarm)
	} else {
		f.UnitsNeeded = unitsNeeded(small, point, most, float64(f.HarmBound), l.alpha)
	}
	f.Message = fmt.Sprintf("Cannot tell yet: %s, somewhere between %s and %s. The limit is %s. %s.",
		moved, g.amount(f, f.Estimate.Lo, lim), g.amount(f, f.Estimate.Hi, lim), limit, size)
}

// moved says from what to what the metric went, and how much that is.
func (g Guardrail) moved(f *analysis.Finding, p pair, lim limit) string {
	show := number
	if p.cand.kind == proportion {
		show = percent
	}
	name := g.title()
	if f.Column != "" {
		name += " of " + f.Column
	}
	if lim.kind == boundLimit {
		return fmt.Sprintf("%s of the candidate is %s", name, show(p.cand.value))
	}
	from := show(p.base.value)
	if p.compared == analysis.PreviousWindow || p.compared == analysis.FixedReference {
		from += " in the " + armName(p.compared)
	}
	return fmt.Sprintf("%s went from %s to %s: %s", name, from, show(p.cand.value), g.amount(f, f.Estimate.Point, lim))
}

// amount formats a value of the judged quantity.
func (g Guardrail) amount(f *analysis.Finding, x float64, lim limit) string {
	switch {
	case lim.kind == boundLimit && g.worse() > 0, f.Unit == "ratio":
		return quantity(x, f.Unit)
	case lim.kind == boundLimit && x < 0:
		return quantity(-x, f.Unit) + " above it"
	case lim.kind == boundLimit:
		return quantity(x, f.Unit) + " below it"
	case math.IsInf(x, 0):
		return "no known amount"
	case x < 0:
		return quantity(-x, f.Unit) + " better"
	}
	return quantity(x, f.Unit) + " worse"
}

// boundText is a bound in words.
func (l limit) boundText(p pair) string {
	if p.cand.kind == proportion {
		return percent(l.quantity.Value)
	}
	return number(l.quantity.Value)
}
