package checks

import (
	"fmt"
	"math"
	"slices"

	"github.com/rampguard/rampguard/analysis"
	"github.com/rampguard/rampguard/drift"
	"github.com/rampguard/rampguard/stats"
	"github.com/rampguard/rampguard/stats/summary"
)

// contractShare is one share that a contract bounds.
type contractShare struct {
	code, what string
	limit      float64
	cand, base tally // base without rows is not compared
	note       string
	chance     chanceNames
}

// chanceNames are what a sample like the baseline would bring of names that the
// baseline does not have.
type chanceNames struct {
	share      float64 // by Good and Turing
	f1, f2, of uint64  // names that occur once and twice in the baseline, and its rows
}

// tally counts rows of some kind: x at least, most at most, of n.
type tally struct{ x, most, n uint64 }

func (t tally) share() float64 { return float64(t.x) / math.Max(1, float64(t.n)) }

// questions is the number of bounds that a feature may break.
func (f ContractFeature) questions(compare bool) int {
	n := 0
	for _, asked := range []bool{f.MaxNull != nil, f.MaxNaN != nil, f.Min != nil || f.Max != nil, f.Allowed != nil || f.MaxUnseen != nil} {
		if asked {
			n++
		}
	}
	if compare {
		n *= 2
	}
	return n
}

// shares counts what the contract bounds.
func (f ContractFeature) shares(base, cand *analysis.ColumnSummary) []contractShare {
	b, c := f.countOf(base), f.countOf(cand)
	var out []contractShare
	add := func(code, what string, limit *float64, base, cand tally) {
		s := contractShare{code: code, what: what, base: base, cand: cand}
		if limit != nil {
			s.limit = *limit
		}
		out = append(out, s)
	}
	if f.MaxNull != nil {
		add("null_share", "Missing values of "+f.Column, f.MaxNull, b.null, c.null)
	}
	if f.MaxNaN != nil {
		add("nan_share", "Values of "+f.Column+" that are no number", f.MaxNaN, b.nan, c.nan)
	}
	if f.Min != nil || f.Max != nil {
		code, what := "range_share", fmt.Sprintf("Values of %s outside %s", f.Column, f.span())
		if f.dated {
			code, what = "stale_share", fmt.Sprintf("Rows whose %s is above %s s, or not known", f.Column, number(*f.Max))
		}
		add(code, what, f.MaxOutside, b.outside, c.outside)
	}
	switch {
	case f.Allowed != nil:
		add("unknown_share", "Names of "+f.Column+" that the contract does not have", f.MaxUnseen, b.unknown, c.unknown)
	case f.MaxUnseen != nil:
		add("unseen_share", "Names of "+f.Column+" that the baseline does not have", f.MaxUnseen, tally{}, tally{})
		if base != nil && cand != nil {
			out[len(out)-1].unseen(base, cand)
		}
	}
	return out
}

// span is the range in words.
func (f ContractFeature) span() string {
	lo, hi := "-infinity", "infinity"
	if f.Min != nil {
		lo = number(*f.Min)
	}
	if f.Max != nil {
		hi = number(*f.Max)
	}
	return lo + " to " + hi
}

// unseen counts names that the baseline does not have.
func (s *contractShare) unseen(base, cand *analysis.ColumnSummary) {
	u, err := drift.Unseen(&base.Category, &cand.Category, drift.Options{})
	if err != nil { // a column without values, of which the others tell
		return
	}
	n := cand.Category.Total()
	s.cand = tally{u.CurX, min(n, u.CurX+cand.Category.OtherTotal()), n}
	if u.Expected > 0 {
		s.chance = chanceNames{share: u.Expected, f1: uint64(math.Round(float64(u.Expected * float64(u.RefN)))), of: u.RefN}
		for _, k := range base.Category.Counts() {
			if k.N == 2 {
				s.chance.f2++
			}
		}
		s.limit += u.Expected
		s.note = fmt.Sprintf(" (%s of them for names that are rare in the baseline, too)", percent(u.Expected))
	}
}

// reach is how far the share may be off on one side, with error alpha: z standard
// errors, of which the square is about (f1 + 2 f2)/n^2 (Esty 1983).
func (c chanceNames) reach(r ruler, alpha, repeats float64) float64 {
	if c.of == 0 {
		return 0
	}
	n := float64(c.of)
	z := r.z(alpha, n/repeats, math.Inf(1))
	return z * math.Sqrt(float64(c.f1+2*c.f2)*repeats) / n
}

// contractCount are the tallies of one column.
type contractCount struct{ null, nan, outside, unknown tally }

// countOf counts one column of one arm; nothing of one that is not there.
func (f ContractFeature) countOf(c *analysis.ColumnSummary) contractCount {
	var out contractCount
	if c == nil {
		return out
	}
	h := c.Histogram()
	null, n := nullsOf(c, h)
	nan := uint64(0)
	if h != nil {
		nan = h.Excluded().NaN
	}
	null, n = null-nan+c.AbsentRows, n+c.AbsentRows
	out.null, out.nan = tally{null, null, n}, tally{nan, nan, n}
	if h != nil && (f.Min != nil || f.Max != nil) {
		out.outside = f.outsideOf(c, h)
	}
	if f.dated {
		o := &out.outside
		o.x, o.most, o.n = o.x+null+nan, o.most+null+nan, n
	}
	for _, k := range c.Category.Counts() {
		if !slices.Contains(f.Allowed, k.Name) {
			out.unknown.x += k.N
		}
	}
	out.unknown.n = c.Category.Total()
	out.unknown.most = out.unknown.x + c.Category.OtherTotal()
	return out
}

// outsideOf counts values outside the range: exactly where the bounds were counted.
func (f ContractFeature) outsideOf(c *analysis.ColumnSummary, h *summary.Histogram) tally {
	if c.Cuts.Layout().Kind() == summary.FrozenEdges && c.Cuts.Total() > 0 {
		h = &c.Cuts
	}
	e := h.Excluded()
	out := tally{n: h.N() + e.PosInf + e.NegInf + e.Below + e.Above}
	if f.Min != nil {
		least, most := h.CountBelow(*f.Min)
		out.x, out.most = least+e.NegInf, most+e.NegInf+e.Below
	}
	if f.Max != nil {
		least, most := h.CountBelow(beyond(*f.Max))
		out.x += h.N() - most + e.PosInf
		out.most += h.N() - least + e.PosInf + e.Above
	}
	return out
}

// finding starts one about a share.
func (r *contractRun) finding(f ContractFeature, s contractShare, code string) analysis.Finding {
	g := analysis.NewFinding("contract", code, s.code)
	g.Column, g.Severity, g.Alpha = f.Column, analysis.SeverityPause, r.l.alpha
	g.N = analysis.Counts{Baseline: s.base.n, Candidate: s.cand.n}
	g.Details = []analysis.Detail{detail("candidate", s.cand.share())}
	if s.base.n > 0 {
		g.Details = append(g.Details, detail("baseline", s.base.share()))
	}
	return g
}

// share holds the candidate's share against its bound.
func (r *contractRun) share(f ContractFeature, s contractShare) analysis.Finding {
	g := r.finding(f, s, s.code)
	g.Unit = "share"
	if s.cand.n == 0 {
		noData("no_values", "%s: nothing can be said, since column %s has no value in the candidate.", s.what, f.Column).put(&g)
		return g
	}
	least, most := shareOf(s.cand.x, s.cand.n, r.repeats), shareOf(s.cand.most, s.cand.n, r.repeats)
	alpha, noHarm := r.l.alpha, r.l.noHarm
	if s.chance.of > 0 { // the other half is for what the baseline leads one to expect
		alpha, noHarm = alpha/2, noHarm/2
	}
	offHarm, offPass := s.chance.reach(r.r, alpha, r.repeats), s.chance.reach(r.r, noHarm, r.repeats)
	harm, pass := least.alone(r.r, alpha), most.alone(r.r, noHarm)
	harm.lo, pass.hi = harm.lo-offHarm, pass.hi+math.Min(offPass, s.chance.share)
	g.Estimate = r.l.interval(s.cand.share(), span{math.Max(0, least.alone(r.r, noHarm).lo-offPass), pass.hi})
	has := fmt.Sprintf("%s: %s of %s rows of the candidate (%s)", s.what, count(s.cand.x), count(s.cand.n), percent(s.cand.share()))
	if s.base.n > 0 {
		has += fmt.Sprintf(", %s in the baseline", percent(s.base.share()))
	}
	switch {
	case s.limit == 0:
		g.Method, g.Outcome = "count of the rows at hand", analysis.Pass
		g.Message = has + "; the contract allows none."
		if s.cand.most > 0 {
			g.Outcome = analysis.Inconclusive
		}
		if s.cand.x > 0 {
			g.Outcome = analysis.Harm
		}
	default:
		g.Method, g.Limit = methodName(pair{base: least, cand: least, r: r.r}, boundLimit), stats.Float(s.limit)
		g.HarmBound = stats.Float(math.Min(g.Estimate.Point, harm.lo))
		g.Outcome = verdict(&g)
		allowed := fmt.Sprintf("the contract allows %s%s.", percent(s.limit), s.note)
		switch g.Outcome {
		case analysis.Harm:
			g.Message = fmt.Sprintf("%s, surely at least %s; %s", has, percent(float64(g.HarmBound)), allowed)
		case analysis.Pass:
			g.Message = fmt.Sprintf("%s; %s", has, allowed)
		default:
			g.Message = fmt.Sprintf("Cannot tell yet. %s, between %s and %s; %s", has, percent(g.Estimate.Lo), percent(g.Estimate.Hi), allowed)
			end, alpha := g.Estimate.Hi, r.l.noHarm
			if g.Estimate.Point > s.limit {
				end, alpha = float64(g.HarmBound), r.l.alpha
			}
			g.UnitsNeeded = unitsNeeded(s.cand.n, g.Estimate.Point, s.limit, end, alpha)
		}
	}
	if g.Outcome == analysis.Harm && s.base.n > 0 && s.base.share() > s.limit {
		g.Message += " The baseline breaks it, too, so that the data are at fault rather than the model."
	}
	return g
}

// rose asks whether a share that keeps its bound rose against the baseline.
func (r *contractRun) rose(f ContractFeature, s contractShare) analysis.Finding {
	g := r.finding(f, s, s.code+"_rise")
	p := pair{base: shareOf(s.base.x, s.base.n, r.repeats), cand: shareOf(s.cand.x, s.cand.n, r.repeats), r: r.r}
	g.Unit, g.Limit, g.Method = "pp", stats.Float(r.rise), methodName(p, marginLimit)
	g.Estimate = r.l.interval(p.cand.value-p.base.value, p.difference(r.l.noHarm))
	g.HarmBound = stats.Float(math.Min(g.Estimate.Point, p.strict().difference(r.l.alpha).lo))
	if g.Outcome = verdict(&g); g.Outcome == analysis.Inconclusive {
		g.UnitsNeeded = unitsNeeded(min(s.base.n, s.cand.n), g.Estimate.Point, r.rise, g.Estimate.Hi, r.l.noHarm)
	}
	g.Message = fmt.Sprintf("%s went from %s to %s of the rows, a rise of %s to %s; one of %s does not matter. %s.", s.what, percent(s.base.share()), percent(s.cand.share()),
		quantity(g.Estimate.Lo, "pp"), quantity(g.Estimate.Hi, "pp"), quantity(r.rise, "pp"), counts(s.base.n, s.cand.n, "rows"))
	return g
}
