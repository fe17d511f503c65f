package checks

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/sliceline"
	"github.com/rampguard/rampguard/stats/summary"
)

// contrast compares the mean errors of two groups of rows of the half that was not
// searched.
type contrast struct {
	slice *sliceline.Slice // nil for all rows
	base  stats.Moments
	cand  stats.Moments
	diff  float64
	se    float64
	df    float64

	share float64 // of the error, that it may spend
	harm  float64 // lower bound at that error
}

// contrast of the arms in a slice, or in all rows for nil. Compared with nothing it
// is the slice against the other rows.
func (h *halves) contrast(s *sliceline.Slice) contrast {
	var in, rest [2]summary.CrossSum
	for i := range h.test.cells {
		group := &rest
		if s == nil || s.Holds(h.test.cells[i].Codes) {
			group = &in
		}
		for k := range group {
			group[k].Merge(&h.test.sums[i][k])
		}
	}
	base, cand := &in[0], &in[1]
	if !h.compared {
		base = &rest[1]
	}
	c := contrast{slice: s, base: base.Moments(), cand: cand.Moments()}
	largest := math.Max(base.Max(), cand.Max())
	repeats := [2]float64{h.repeats, h.repeats}
	if s != nil {
		repeats = [2]float64{h.rowsPerUnitOf(c.base), h.rowsPerUnitOf(c.cand)}
	}
	a, dfA := meanError(c.base, largest, repeats[0])
	b, dfB := meanError(c.cand, largest, repeats[1])
	c.diff, c.se = c.cand.Mean-c.base.Mean, math.Sqrt(a+b)
	if c.df = dfA + dfB; a+b > 0 {
		c.df = float64((a+b)*(a+b)) / (float64(a*a)/dfA + float64(b*b)/dfB)
	}
	return c
}

// meanError is the squared standard error of a mean, with its degrees of freedom.
func meanError(m stats.Moments, largest, repeats float64) (v, df float64) {
	n := float64(m.N) / repeats
	d := largest / n
	return m.Variance/n + float64(d*d), math.Max(n-1, 0)
}

// enough reports whether both sides have rows for a test.
func (c *contrast) enough(least uint64) bool {
	return min(c.base.N, c.cand.N) >= max(2, least/2) && c.df >= 1
}

// reach is how far the difference may be off with error alpha.
func (c *contrast) reach(alpha float64) float64 {
	if !(alpha > 0) {
		return math.Inf(1)
	}
	t, err := stats.StudentTQuantile(math.Min(alpha, 0.5), c.df)
	if err != nil {
		return math.Inf(1)
	}
	if c.se == 0 {
		return 0
	}
	return t * c.se
}

// lookShare is the part of the error that a look at n rows may spend.
func lookShare(p *analysis.Policy, n uint64) float64 {
	switch p.Looks.Kind {
	case analysis.Once:
		return 1
	case analysis.Scheduled:
		return 1 / math.Max(1, float64(p.Looks.Schedule))
	case analysis.Continuous:
	}
	first, now := float64(2*defaultDiscoverUnits), float64(n) // whatever the least is now, so that all looks together spend 1
	if !(now > first) {
		return 0
	}
	l := math.Log(now)
	return math.Log(first) / (now * l * l)
}

// confirm tests the slices that were found.
func (c Discover) confirm(ev *analysis.Evidence, f analysis.Finding, h *halves, top []sliceline.Slice) []analysis.Finding {
	l := newLook(ev)
	looks := lookShare(&l.policy, h.rows)
	whole := h.contrast(nil)
	margin := c.Margin.Value
	if c.Margin.Unit == analysis.Relative {
		scale := whole.base.Mean
		if !h.compared {
			scale = whole.cand.Mean
		}
		margin *= scale
	}
	f.Limit, f.Alpha = stats.Float(margin), l.alpha
	f.Method = "SliceLine on half of the units, Welch with Holm over " + count(uint64(len(top))) + " slices on the other; " + lookMethod(&l.policy)
	var tests []*contrast
	for i := range top {
		t := h.contrast(&top[i])
		tests = append(tests, &t)
	}
	holm(tests, margin, l.alpha*looks, c.MinUnits)
	var out []analysis.Finding
	worst, harmed, passed := &whole, false, 0
	for i, t := range tests {
		g := c.finding(f, h, l, t, looks)
		g.Details = append(g.Details, detail("place in the search", float64(i+1)), detail("score", t.slice.Score),
			detail("difference where it was found", t.slice.Excess), detail("rows where it was found", float64(t.slice.N)))
		harmed = harmed || g.Outcome == analysis.Harm
		switch {
		case g.Outcome == analysis.Pass:
			passed++
		case t.enough(c.MinUnits) && (worst.slice == nil || t.diff+t.reach(l.noHarm*looks) > worst.diff+worst.reach(l.noHarm*looks)):
			worst = t
		}
		out = append(out, g)
	}
	if harmed {
		h.warn(&out[0])
		return out
	}
	g := f
	g.Alpha = 0 // it is spent by the findings of the slices
	switch {
	case h.compared || worst.slice != nil:
		g.N = analysis.Counts{Baseline: worst.base.N, Candidate: worst.cand.N}
		g.Estimate = c.interval(l, worst, looks)
		g.Outcome = analysis.Inconclusive
		if passed == len(tests) && passed > 0 {
			g.Outcome = analysis.Pass
		}
		where := "in all rows"
		if worst.slice != nil {
			where = "where " + h.key(worst.slice).String()
		}
		g.Message = fmt.Sprintf("No slice is proven to be weak: of %s, %s proven to be within the margin of %s. The greatest difference that cannot be ruled out is %s, %s; slices that the search did not find may be worse.",
			plural(len(top), "slice that was found", "slices that were found"), beIs(passed), quantity(margin, f.Unit), quantity(g.Estimate.Hi, f.Unit), where)
		if len(top) == 0 {
			g.Message = fmt.Sprintf("The search found no slice of %s rows or more that stands out, which does not prove that there is none. In all rows the difference is at most %s; the margin is %s.", count(c.MinUnits), quantity(g.Estimate.Hi, f.Unit), quantity(margin, f.Unit))
		}
		if worst.slice != nil && g.Outcome == analysis.Inconclusive {
			g.UnitsNeeded = 2 * unitsNeeded(min(worst.base.N, worst.cand.N), worst.diff, margin, g.Estimate.Hi, l.noHarm*looks)
		}
	default:
		g.Message = fmt.Sprintf("No slice of %s rows or more has larger errors than the others.", count(c.MinUnits))
	}
	h.warn(&g)
	return append([]analysis.Finding{g}, out...)
}

func lookMethod(p *analysis.Policy) string {
	switch p.Looks.Kind {
	case analysis.Once:
		return "fixed sample"
	case analysis.Scheduled:
		return "fixed sample, Bonferroni over " + count(uint64(max(1, p.Looks.Schedule))) + " looks"
	case analysis.Continuous:
	}
	return "fixed sample, error spent over all numbers of rows"
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(uint64(n)) + " " + more
}

func beIs(n int) string {
	if n == 1 {
		return "1 is"
	}
	return count(uint64(n)) + " are"
}

// holm gives each test its share of the error: from the clearest one on, alpha
// over the number of tests that are not yet decided.
func holm(tests []*contrast, margin, alpha float64, least uint64) {
	order := slices.Clone(tests)
	clear := func(t *contrast) float64 {
		switch {
		case !t.enough(least):
			return math.Inf(-1)
		case t.se == 0 && t.diff == margin:
			return 0
		}
		return (t.diff - margin) / t.se
	}
	slices.SortStableFunc(order, func(a, b *contrast) int { return cmp.Compare(clear(b), clear(a)) })
	left := len(order)
	for _, t := range order {
		t.share = alpha / float64(left)
		t.harm = math.Inf(-1)
		if t.enough(least) {
			t.harm = t.diff - t.reach(t.share)
		}
		if t.harm > margin && left > 1 {
			left--
		}
	}
}

// interval is that of a contrast at the error of a Pass.
func (c Discover) interval(l look, t *contrast, looks float64) stats.Interval {
	r := t.reach(l.noHarm * looks)
	return l.interval(t.diff, span{t.diff - r, t.diff + r})
}

// finding is that of one slice.
func (c Discover) finding(f analysis.Finding, h *halves, l look, t *contrast, looks float64) analysis.Finding {
	f.Code, f.Slice = "discovered_slice", h.key(t.slice)
	f.N = analysis.Counts{Baseline: t.base.N, Candidate: t.cand.N}
	f.Alpha = t.share
	f.Details = []analysis.Detail{}
	against := "the baseline"
	if !h.compared {
		against = "the other rows"
	}
	if !t.enough(c.MinUnits) {
		f.Outcome = analysis.Insufficient
		f.UnitsNeeded = max(1, c.MinUnits-min(c.MinUnits, t.base.N, t.cand.N))
		f.Message = fmt.Sprintf("Where %v the search found a mean error %s larger than that of %s, but the other half has too few rows to tell: %s.", f.Slice, quantity(t.slice.Excess, f.Unit), against, counts(t.base.N, t.cand.N, "rows"))
		return f
	}
	f.Estimate, f.HarmBound = c.interval(l, t, looks), stats.Float(t.harm)
	f.Outcome = verdict(&f)
	f.Message = fmt.Sprintf("Where %v, in rows that the search had not seen, the mean %s is %s, and %s in %s (%s): a difference of %s, between %s and %s.",
		f.Slice, errorName(c), number(t.cand.Mean), number(t.base.Mean), against, counts(t.base.N, t.cand.N, "rows"),
		quantity(t.diff, f.Unit), quantity(f.Estimate.Lo, f.Unit), quantity(f.Estimate.Hi, f.Unit))
	switch f.Outcome {
	case analysis.Harm:
		f.Message += fmt.Sprintf(" It is proven to be above the margin of %s: at least %s, with error %s. Look at these rows, and declare the slice to keep watching it.", quantity(float64(f.Limit), f.Unit), quantity(t.harm, f.Unit), number(t.share))
	case analysis.Pass:
		f.Message += fmt.Sprintf(" That is within the margin of %s.", quantity(float64(f.Limit), f.Unit))
	default:
		f.UnitsNeeded = 2 * unitsNeeded(min(t.base.N, t.cand.N), t.diff, float64(f.Limit), t.harm, t.share)
		f.Message += fmt.Sprintf(" Whether that is above the margin of %s is not proven.", quantity(float64(f.Limit), f.Unit))
	}
	return f
}

func errorName(c Discover) string {
	switch c.Error {
	case analysis.LogLossError:
		return "log loss"
	case analysis.BrierError:
		return "squared error"
	case analysis.ThresholdError:
		return "error at the threshold"
	case analysis.AbsoluteError:
		return "absolute error"
	case analysis.ColumnError:
	}
	return c.Column
}
